"""The hierarchical prior: what an answer is like before anything is known of the learner.

Each level of the chain

    overall -> difficulty, topic -> topic x difficulty -> skill x difficulty -> item

is a mean shrunk towards the level above it by `WEIGHT` pseudo-answers:

    p_level = (right + w * p_above) / (answers + w)

so that a level without answers says what the one above says, and one with a million says what it
saw. Topic and difficulty meet additively on the logit (and log-time) scale, which makes a topic's
first hard task harder than its easy ones before anybody has tried it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from studysmart.errors import ArtefactRejected
from studysmart.learning.model import LearnerModel, Prediction
from studysmart.learning.responses import Item, Response, Responses, numbered

WEIGHT = 4.0
# A mean of log time settles faster than one of right and wrong: it carries more than one bit an
# answer.
TIME_WEIGHT = 2.0
# Before any answer: the constants of a system that has never seen one.
P_0, LOG_TIME_0, LOG_TIME_SD_0 = 0.5, math.log(60.0), 1.0
P_FLOOR = 0.005

NOTHING: Mapping[str, Any] = {}

# Columns of a level's table.
N, RIGHT, TIMED, SUM_LOG, SUM_SQUARES = range(5)


@dataclass(frozen=True)
class Prior(LearnerModel):
    """Counts of every level; the forecast is computed from them and remembered.

    counts: per label, (5,): answers, right ones, timed ones, sum and sum of squares of log time.
    """

    kind: ClassVar[str] = "prior"

    counts: dict[str, NDArray[np.float64]]
    log_time_sd: float
    _known: dict[Item, tuple[float, float]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def fit(
        cls,
        responses: Responses,
        *,
        seed: int = 0,
        valid: Responses | None = None,
        progress: Callable[[float, int, float], None] | None = None,
    ) -> Self:
        """Count. Any number of answers will do, none included.

        Nothing is random, chosen or slow here; the other arguments are for the common face.
        """
        del seed, valid, progress
        return cls({"": np.zeros(5)}, LOG_TIME_SD_0).plus(responses)

    def plus(self, responses: Responses) -> Self:
        """The prior of these answers too: logs of any length can be counted in pieces.

        The spread of log time is against the means known when a piece was counted.
        """
        log_times = responses.log_times()
        timed = np.isfinite(log_times)
        times = np.where(timed, log_times, 0.0)
        row = np.stack([np.ones(len(responses)), responses.correct, timed, times, times**2], axis=1)
        which, items = numbered([Item(*(x or None for x in key)) for key in zip(
            *_columns(responses), strict=True
        )])  # fmt: skip
        counts = dict(self.counts)
        counts[""] = counts[""] + row.sum(0)
        by_item = np.stack(
            [np.bincount(which, row[:, k], len(items)) for k in range(row.shape[1])], axis=1
        )
        for keys in zip(*(_keys_of(item) for item in items), strict=True):
            level, names = numbered(keys)
            sums = np.zeros((len(names) + 1, row.shape[1]))
            np.add.at(sums, level, by_item)  # the last row: of no such label
            for name, own in zip(names, sums[:-1], strict=True):
                counts[name] = counts[name] + own if name in counts else own
        fitted = type(self)(counts, self.log_time_sd)
        if not timed.any():
            return fitted
        means = np.array([fitted.parameters(item)[1] for item in items])[which]
        # Two pseudo-residuals of the wide starting value keep the spread honest with few answers.
        before = (self.counts[""][TIMED] + 2) * self.log_time_sd**2
        squares = before + np.sum((log_times - means)[timed] ** 2)
        return type(self)(counts, float(max(0.1, math.sqrt(squares / (counts[""][TIMED] + 2)))))

    @property
    def samples(self) -> int:
        """Answers that were counted."""
        return int(self.counts[""][N])

    def parameters(self, item: Item) -> tuple[float, float]:
        """(logit of P(correct), mean log time in log-seconds) of an item."""
        known = self._known.get(item)
        if known is None:
            known = self._chain(item)
            if len(self._known) < 100_000:  # labels come from outside: bounded
                self._known[item] = known
        return known

    def start(self) -> int:
        """The prior knows nothing of learners; their state is the count of their answers."""
        return 0

    def update(self, state: int, response: Response) -> int:
        """One more answer."""
        del response
        return state + 1

    def predict(self, state: int, items: Sequence[Item], *, at: float | None = None) -> Prediction:
        """The same for every learner."""
        del state, at
        parameters = np.array([self.parameters(item) for item in items]).reshape(-1, 2)
        return Prediction(
            p_correct=1 / (1 + np.exp(-parameters[:, 0])),
            log_time_mean=parameters[:, 1],
            log_time_sd=np.full(len(items), self.log_time_sd),
        )

    def predict_all(self, responses: Responses) -> Prediction:
        """The same for every learner: each item once."""
        which, items = numbered([response.item for _, response in responses])
        told = self.predict(0, items)
        return Prediction(told.p_correct[which], told.log_time_mean[which], told.log_time_sd[which])

    def _chain(self, item: Item) -> tuple[float, float]:
        overall = self._mean(self.counts[""], (_logit(P_0), LOG_TIME_0))
        topic = self._shrunk(_key("t", item.topic), overall)
        difficulty = self._shrunk(_key("d", item.difficulty), overall)
        both = (
            topic[0] + difficulty[0] - overall[0],
            topic[1] + difficulty[1] - overall[1],
        )
        found = self._shrunk(_key("td", item.topic, item.difficulty), both)
        found = self._shrunk(_key("sd", item.skill, item.difficulty or ""), found)
        return self._shrunk(_key("i", item.item), found)

    def _shrunk(self, key: str, above: tuple[float, float]) -> tuple[float, float]:
        count = self.counts.get(key) if key else None
        return above if count is None else self._mean(count, above)

    @staticmethod
    def _mean(count: NDArray[np.float64], above: tuple[float, float]) -> tuple[float, float]:
        p = 1 / (1 + math.exp(-above[0]))
        p = (count[RIGHT] + WEIGHT * p) / (count[N] + WEIGHT)
        mean = (count[SUM_LOG] + TIME_WEIGHT * above[1]) / (count[TIMED] + TIME_WEIGHT)
        return _logit(p), float(mean)

    def to_tensors(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Counts as one matrix, and the names of its rows."""
        names = sorted(self.counts)
        return (
            {"counts": np.stack([self.counts[name] for name in names])},
            {"names": names, "log_time_sd": self.log_time_sd},
        )

    @classmethod
    def from_tensors(
        cls,
        tensors: dict[str, NDArray[Any]],
        rest: dict[str, Any],
        models: Mapping[str, Any] = NOTHING,
    ) -> Self:
        """Refuses counts that do not belong to the names, and numbers that cannot be counts."""
        del models
        counts, names = tensors["counts"], rest["names"]
        if counts.shape != (len(names), 5) or "" not in names:
            msg = f"prior: 'counts' has shape {counts.shape}, expected {(len(names), 5)}"
            raise ArtefactRejected(msg)
        sd = float(rest["log_time_sd"])
        plain = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
        possible = (counts[:, : TIMED + 1] >= 0).all() and (counts[:, RIGHT] <= counts[:, N]).all()
        if not (plain and possible and 0 < sd < 50):  # 50: e^50 s is no time
            msg = f"prior: impossible counts, names or spread (log_time_sd {sd})"
            raise ArtefactRejected(msg)
        return cls(dict(zip(names, counts, strict=True)), sd)


def _columns(responses: Responses) -> tuple[list[str], ...]:
    return tuple(
        column.tolist()
        for column in (responses.item, responses.skill, responses.topic, responses.difficulty)
    )


def _keys_of(item: Item) -> tuple[str, ...]:
    """An item's key at each level, "" where it has no such label."""
    return (
        _key("t", item.topic),
        _key("d", item.difficulty),
        _key("td", item.topic, item.difficulty),
        _key("sd", item.skill, item.difficulty or ""),
        _key("i", item.item),
    )


def _key(level: str, *labels: str | None) -> str:
    """A level's key, "" when a label is unknown.

    Separated by a character that labels do not have.
    """
    return "" if None in labels else "\x1f".join((level, *labels))  # type: ignore[arg-type]


def _logit(p: float) -> float:
    p = min(max(float(p), P_FLOOR), 1 - P_FLOOR)
    return math.log(p / (1 - p))
