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
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from studysmart.errors import ArtefactRejected
from studysmart.learning.model import LearnerModel, Prediction
from studysmart.learning.responses import Item, Response, Responses

WEIGHT = 4.0
# A mean of log time settles faster than one of right and wrong: it carries more than one bit an
# answer.
TIME_WEIGHT = 2.0
# Before any answer: the constants of a system that has never seen one.
P_0, LOG_TIME_0, LOG_TIME_SD_0 = 0.5, math.log(60.0), 1.0
P_FLOOR = 0.005

# Columns of a level's table.
N, RIGHT, TIMED, SUM_LOG, SUM_SQUARES = range(5)


@dataclass(frozen=True)
class Prior(LearnerModel):
    """Counts of every level; the forecast is computed from them and remembered."""

    kind: ClassVar[str] = "prior"

    counts: dict[str, NDArray[np.float64]]
    log_time_sd: float
    _known: dict[Item, tuple[float, float]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def fit(cls, responses: Responses) -> Self:
        """Count. Any number of answers will do, none included."""
        log_times = responses.log_times()
        timed = np.isfinite(log_times)
        times = np.where(timed, log_times, 0.0)
        row = np.stack([np.ones(len(responses)), responses.correct, timed, times, times**2], axis=1)
        counts = {"": row.sum(0) if len(row) else np.zeros(5)}
        for keys in _keys_of(responses):
            names, index = np.unique(keys, return_inverse=True)
            sums = np.stack(
                [np.bincount(index, row[:, k], len(names)) for k in range(row.shape[1])], axis=1
            )
            counts.update({str(name): s for name, s in zip(names, sums, strict=True) if name})
        fitted = cls(counts, LOG_TIME_SD_0)
        if timed.sum() < 2:
            return fitted
        items = [Item(*(v or None for v in key)) for key in zip(*_columns(responses), strict=True)]
        means = np.array([fitted.parameters(item)[1] for item in items])
        # Two pseudo-residuals of the wide starting value keep the spread honest with few answers.
        squares = np.sum((log_times[timed] - means[timed]) ** 2) + 2 * LOG_TIME_SD_0**2
        return cls(counts, float(max(0.1, math.sqrt(squares / (timed.sum() + 2)))))

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
    def from_tensors(cls, tensors: dict[str, NDArray[Any]], rest: dict[str, Any]) -> Self:
        """Refuses counts that do not belong to the names."""
        counts, names = tensors["counts"], rest["names"]
        if counts.shape != (len(names), 5) or "" not in names:
            msg = f"prior: 'counts' has shape {counts.shape}, expected {(len(names), 5)}"
            raise ArtefactRejected(msg)
        return cls(dict(zip(names, counts, strict=True)), float(rest["log_time_sd"]))


def _columns(responses: Responses) -> tuple[list[str], ...]:
    return tuple(
        column.tolist()
        for column in (responses.item, responses.skill, responses.topic, responses.difficulty)
    )


def _keys_of(responses: Responses) -> list[NDArray[np.str_]]:
    """For each level, every row's key; "" where the row has no such label."""
    items, skills, topics, difficulties = _columns(responses)
    return [
        np.array([_key("t", t or None) for t in topics], dtype=str),
        np.array([_key("d", d or None) for d in difficulties], dtype=str),
        np.array(
            [_key("td", t or None, d or None) for t, d in zip(topics, difficulties, strict=True)],
            dtype=str,
        ),
        np.array(
            [_key("sd", s or None, d) for s, d in zip(skills, difficulties, strict=True)], dtype=str
        ),
        np.array([_key("i", i or None) for i in items], dtype=str),
    ]


def _key(level: str, *labels: str | None) -> str:
    """A level's key, "" when a label is unknown.

    Separated by a character that labels do not have.
    """
    return "" if None in labels else "\x1f".join((level, *labels))  # type: ignore[arg-type]


def _logit(p: float) -> float:
    p = min(max(float(p), P_FLOOR), 1 - P_FLOOR)
    return math.log(p / (1 - p))
