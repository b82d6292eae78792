"""What tasks are like, whoever answers them: crossed effects on the logit and on log time.

    logit P(correct) = m  + u_topic  + u_difficulty  + u_band  + u_skill  + u_item  + u_learner
    log T            = m' + u'_topic + u'_difficulty + u'_band + u'_skill + u'_item + u'_learner + e

(band: topic x difficulty). Every u is normal around 0 with a variance of its level, estimated too,
so that a label with few answers stands near what its skill and topic say, and an unknown one
exactly there. The learner's own effect is fitted beside them and then left out: without it a task
that strong learners get looks easy. Penalised quasi-likelihood, one level at a time (Breslow and
Clayton 1993, "Approximate inference in generalized linear mixed models"), the variances by EM.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from studysmart.errors import ArtefactRejected
from studysmart.learning.prior import LOG_TIME_0
from studysmart.learning.responses import Codes, Item, Responses, numbered

LEVELS = ("topic", "difficulty", "band", "skill", "item")
SWEEPS = 8
# Starting variances of a level and of learners, and how many pseudo-labels hold them there.
VARIANCE, TIME_VARIANCE, LEARNER_VARIANCE, LEARNER_TIME_VARIANCE = 0.5, 0.1, 0.8, 0.1
HELD = 3.0
NOISE = 0.3  # variance of log time around its forecast, before any was seen
LOGIT_BOUND = 6.0
FAR = 100.0  # no effect, mean or variance of logits or log-seconds is as large
KNOWN = 100_000  # places remembered; labels come from outside, so that is bounded

Floats = NDArray[np.float64]


class Place(NamedTuple):
    """Where an item stands before anything is known of the learner.

    logit, skill_logit: with and without the item's own effect; spread: variance of what is not
    known of that effect; the same of log time (log-seconds). Floats, or arrays (row,).
    """

    logit: Any
    skill_logit: Any
    deviation: Any
    spread: Any
    log_time: Any
    skill_time: Any
    time_deviation: Any
    time_spread: Any


@dataclass(frozen=True)
class Coded:
    """Labels as numbers: per level (row,), -1 where unknown, and the names in their order."""

    codes: dict[str, Codes]
    names: dict[str, list[str]]
    learner: Codes

    @classmethod
    def of(cls, responses: Responses) -> Self:
        """Number the labels in the order in which they first appear."""
        columns = {
            level: getattr(responses, level).tolist()
            for level in ("topic", "difficulty", "skill", "item")
        }
        columns["band"] = list(map(band_of, columns["topic"], columns["difficulty"]))
        found = {level: numbered(columns[level]) for level in LEVELS}
        return cls(
            {level: codes for level, (codes, _) in found.items()},
            {level: names for level, (_, names) in found.items()},
            numbered(responses.learner.tolist())[0],
        )


@dataclass(frozen=True)
class Effects:
    """The fitted effects.

    tables: per level, (label, 4): effect and what is not known of it, on the logit and on log
    time; rows: per level, the row of each label; variances: per level, of a label nobody has met;
    learner: variances of learners; noise: variance of log time that nothing here explains.
    """

    logit: float
    log_time: float
    tables: dict[str, Floats]
    rows: dict[str, dict[str, int]]
    variances: dict[str, tuple[float, float]]
    learner: tuple[float, float]
    noise: float
    samples: int
    _known: dict[Item, Place] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def fit(
        cls, responses: Responses, coded: Coded | None = None, mask: NDArray[np.bool_] | None = None
    ) -> Self:
        """Fit to the rows of the mask, all by default; any number of rows will do.

        The labels of all rows keep a row in the tables, those without answers with effect 0.
        """
        coded = coded or Coded.of(responses)
        keep = np.ones(len(responses), bool) if mask is None else mask
        codes = {level: coded.codes[level][keep] for level in LEVELS}
        sizes = {level: len(coded.names[level]) for level in LEVELS}
        codes["learner"], sizes["learner"] = (
            coded.learner[keep],
            int(coded.learner.max(initial=0)) + 1,
        )
        right = _fit_logit(codes, sizes, responses.correct[keep])
        time = _fit_time(codes, sizes, responses.log_times()[keep])
        return cls(
            right.mean,
            time.mean,
            {
                level: np.stack(
                    [
                        right.effect[level],
                        right.unknown[level],
                        time.effect[level],
                        time.unknown[level],
                    ],
                    axis=1,
                )
                for level in LEVELS
            },
            {level: {name: k for k, name in enumerate(coded.names[level])} for level in LEVELS},
            {level: (right.variance[level], time.variance[level]) for level in LEVELS},
            (right.variance["learner"], time.variance["learner"]),
            time.noise,
            int(keep.sum()),
        )

    def place(self, item: Item) -> Place:
        """Where an item stands; unknown labels count as the mean of their level."""
        known = self._known.get(item)
        if known is None:
            labels = {
                "topic": item.topic,
                "difficulty": item.difficulty,
                "band": band_of(item.topic, item.difficulty) or None,
                "skill": item.skill,
                "item": item.item,
            }
            found = {}
            for level, label in labels.items():
                row = self.rows[level].get(label) if label else None
                v, t = self.variances[level]
                found[level] = (0.0, v, 0.0, t) if row is None else self.tables[level][row].tolist()
            known = _place(self, found)
            if len(self._known) < KNOWN:
                self._known[item] = known
        return known

    def places(self, coded: Coded) -> Place:
        """Where every row's item stands: the numbers of `place`, as arrays (row,)."""
        found = {}
        for level in LEVELS:
            rows = self.rows[level]
            names = coded.names[level]
            v, t = self.variances[level]
            table = np.vstack([self.tables[level], [(0.0, v, 0.0, t)]])  # the last: unknown
            own = np.array([rows.get(name, -1) for name in names] + [-1], dtype=np.int64)
            found[level] = table[own[coded.codes[level]]].T
        return _place(self, found)

    def to_tensors(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """A table a level, and the names of its rows."""
        return (
            {f"effects_{level}": self.tables[level].reshape(-1, 4) for level in LEVELS},
            {
                "names": {level: list(self.rows[level]) for level in LEVELS},
                "variances": {level: list(self.variances[level]) for level in LEVELS},
                "logit": self.logit,
                "log_time": self.log_time,
                "learner": list(self.learner),
                "noise": self.noise,
                "samples": self.samples,
            },
        )

    @classmethod
    def from_tensors(cls, tensors: dict[str, NDArray[Any]], rest: dict[str, Any]) -> Self:
        """Refuses tables that do not belong to the names, and impossible variances."""
        tables, rows = {}, {}
        for level in LEVELS:
            names, table = rest["names"][level], tensors[f"effects_{level}"]
            if table.shape != (len(names), 4) or len(set(names)) != len(names):
                msg = f"effects: '{level}' has shape {table.shape}, expected {(len(names), 4)}"
                raise ArtefactRejected(msg)
            tables[level] = table.astype(np.float64)
            rows[level] = {str(name): k for k, name in enumerate(names)}
        variances = {
            k: (float(rest["variances"][k][0]), float(rest["variances"][k][1])) for k in LEVELS
        }
        learner = (float(rest["learner"][0]), float(rest["learner"][1]))
        noise = float(rest["noise"])
        means = float(rest["logit"]), float(rest["log_time"])
        every = [noise, *learner, *(v for pair in variances.values() for v in pair)]
        largest = max(float(np.abs(table).max(initial=0)) for table in tables.values())
        if not all(0 < v < FAR for v in every) or max(*map(abs, means), largest) > FAR:
            msg = f"effects: impossible variances {every}, means {means} or effects (to {largest})"
            raise ArtefactRejected(msg)
        return cls(
            float(rest["logit"]), float(rest["log_time"]), tables, rows, variances, learner, noise,
            int(rest["samples"]),
        )  # fmt: skip


def band_of(topic: str | None, difficulty: str | None) -> str:
    """A name for topic x difficulty, "" where one is unknown."""
    return f"{topic}\x1f{difficulty}" if topic and difficulty else ""


def _place(effects: Effects, found: dict[str, Any]) -> Place:
    """Sum the levels; `found`: per level (effect, unknown, time effect, time unknown)."""
    upper = [found[level] for level in LEVELS[:-1]]
    item = found["item"]
    skill = effects.logit + upper[0][0] + upper[1][0] + upper[2][0] + upper[3][0]
    time = effects.log_time + upper[0][2] + upper[1][2] + upper[2][2] + upper[3][2]
    return Place(skill + item[0], skill, item[0], item[1], time + item[2], time, item[2], item[3])


class _Fitted(NamedTuple):
    mean: float
    effect: dict[str, Floats]
    unknown: dict[str, Floats]
    variance: dict[str, float]
    noise: float


def _fit_logit(codes: dict[str, Codes], sizes: dict[str, int], y: Floats) -> _Fitted:
    start = {**dict.fromkeys(LEVELS, VARIANCE), "learner": LEARNER_VARIANCE}
    variance = dict(start)
    effect = {level: np.zeros(n + 1) for level, n in sizes.items()}  # the last one: unknown
    unknown = {level: np.full(n, start[level]) for level, n in sizes.items()}
    n = len(y)
    mean = math.log((y.sum() + 1) / (n - y.sum() + 1))
    used = _used(codes, sizes)
    eta = np.full(n, mean)
    for _ in range(SWEEPS if n else 0):
        for level in ("learner", *reversed(LEVELS)):
            if not used[level].any():
                continue
            code, size = codes[level], sizes[level]
            p = 1 / (1 + np.exp(-eta))
            pull = np.bincount(code + 1, y - p, size + 1)[1:] - effect[level][:-1] / variance[level]
            weight = np.bincount(code + 1, p * (1 - p), size + 1)[1:] + 1 / variance[level]
            step = np.append(np.clip(pull / weight, -1, 1), 0.0)
            effect[level] += step
            eta += step[code]
            unknown[level] = 1 / weight
            variance[level] = _variance(
                effect[level][:-1], unknown[level], used[level], start[level]
            )
        p = 1 / (1 + np.exp(-eta))
        shift = float(np.clip((y - p).sum() / ((p * (1 - p)).sum() + 0.1), -1, 1))
        mean += shift
        eta += shift
    return _done(mean, effect, unknown, variance, used, NOISE)


def _fit_time(codes: dict[str, Codes], sizes: dict[str, int], log_time: Floats) -> _Fitted:
    known = np.isfinite(log_time)
    t = log_time[known]
    codes = {level: code[known] for level, code in codes.items()}
    start = {**dict.fromkeys(LEVELS, TIME_VARIANCE), "learner": LEARNER_TIME_VARIANCE}
    variance = dict(start)
    effect = {level: np.zeros(n + 1) for level, n in sizes.items()}
    unknown = {level: np.full(n, start[level]) for level, n in sizes.items()}
    n = len(t)
    mean = float((t.sum() + 0.5 * LOG_TIME_0) / (n + 0.5))
    noise = float((((t - mean) ** 2).sum() + 2 * NOISE) / (n + 2))
    used = _used(codes, sizes)
    residual = t - mean
    for _ in range(SWEEPS if n else 0):
        for level in ("learner", *reversed(LEVELS)):
            if not used[level].any():
                continue
            code, size = codes[level], sizes[level]
            count = np.bincount(code + 1, minlength=size + 1)[1:]
            total = np.bincount(code + 1, residual, size + 1)[1:] + count * effect[level][:-1]
            weight = count / noise + 1 / variance[level]
            new = np.append(total / noise / weight, 0.0)
            residual -= (new - effect[level])[code]
            effect[level] = new
            unknown[level] = 1 / weight
            variance[level] = _variance(new[:-1], unknown[level], used[level], start[level])
        shift = float(residual.sum() / (n + 0.5))
        mean += shift
        residual -= shift
        # Every learner's effect costs about one answer's worth of freedom.
        free = max(1.0, n - 0.5 * used["learner"].sum())
        noise = float(max(1e-3, ((residual**2).sum() + 2 * NOISE) / (free + 2)))
    return _done(mean, effect, unknown, variance, used, noise)


def _used(codes: dict[str, Codes], sizes: dict[str, int]) -> dict[str, NDArray[np.bool_]]:
    return {
        level: np.bincount(codes[level] + 1, minlength=n + 1)[1:] > 0 for level, n in sizes.items()
    }


def _variance(effect: Floats, unknown: Floats, used: NDArray[np.bool_], start: float) -> float:
    total = (effect[used] ** 2 + unknown[used]).sum() + HELD * start
    return float(max(1e-4, total / (used.sum() + HELD)))


def _done(
    mean: float,
    effect: dict[str, Floats],
    unknown: dict[str, Floats],
    variance: dict[str, float],
    used: dict[str, NDArray[np.bool_]],
    noise: float,
) -> _Fitted:
    """Labels without answers keep the variance of their level."""
    for level, seen in used.items():
        effect[level] = np.clip(effect[level][:-1], -LOGIT_BOUND, LOGIT_BOUND)
        unknown[level] = np.where(seen, unknown[level], variance[level])
    return _Fitted(mean, effect, unknown, variance, noise)
