"""The hierarchical prior: what an answer is like before anything is known of the learner.

Each level of the chain

    overall -> difficulty, topic -> topic x difficulty -> skill x difficulty -> item

is a mean shrunk towards the level above it by `WEIGHT` pseudo-answers:

    p_level = (right + w * p_above) / (answers + w)

so that a level without answers says what the one above says, and one with a million says what it
saw. An answer counts once: at the innermost level that it shares with the item asked for. Where a
topic has one skill, and that one item, its answers would otherwise be believed three times over.
Topic and difficulty meet additively on the logit (and log-time) scale, which makes a topic's
first hard task harder than its easy ones before anybody has tried it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from studysmart.errors import ArtefactRejected
from studysmart.learning.model import LearnerModel, Prediction
from studysmart.learning.responses import LONGEST_S, SHORTEST_S, Item, Response, Responses, numbered

Array = NDArray[np.float64]

WEIGHT = 8.0
# A mean of log time settles faster than one of right and wrong: it carries more than one bit an
# answer.
TIME_WEIGHT = 3.0
# Before any answer: the constants of a system that has never seen one.
P_0, LOG_TIME_0, LOG_TIME_SD_0 = 0.5, math.log(60.0), 1.0
P_FLOOR = 0.005
LEAST_SD = 0.1  # log-seconds: nobody's times scatter less
KNOWN = 100_000  # items remembered; labels come from outside, so that is bounded

NOTHING: Mapping[str, Any] = {}

# Columns of the counts.
N, RIGHT, TIMED, SUM_LOG, SUM_SQUARES = range(5)


@dataclass(frozen=True, eq=False)
class Prior(LearnerModel):
    """Counts of every distinct item; all levels are sums of them.

    items: labels that came together, each combination once.
    counts: (item, 5): answers, right ones, timed ones, sum and sum of squares of log time.
    """

    kind: ClassVar[str] = "prior"

    items: tuple[Item, ...]
    counts: Array
    _known: dict[Item, tuple[float, float]] = field(default_factory=dict, repr=False)

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
        return cls((), np.empty((0, 5))).plus(responses)

    @classmethod
    def fit_stream(
        cls, chunks: Iterable[Responses], *, seed: int = 0, most: int | None = None
    ) -> Self:
        """Count every piece: nothing is dropped, whatever `most` says."""
        del seed, most
        fitted = cls.fit(Responses.from_columns(learner=[], correct=[]))
        for chunk in chunks:
            fitted = fitted.plus(chunk)
        return fitted

    def plus(self, responses: Responses) -> Self:
        """The prior of these answers too: a log of any length can be counted in pieces.

        Counting piece by piece gives what counting at once gives.
        """
        log_times = responses.log_times()
        timed = np.isfinite(log_times)
        times = np.where(timed, log_times, 0.0)
        columns = np.ones(len(responses)), responses.correct, timed, times, times**2
        which, items = responses.distinct_items()
        own = np.stack([np.bincount(which, x, len(items)) for x in columns], axis=1)
        index = {item: row for row, item in enumerate(self.items)}
        rows = [index.setdefault(item, len(index)) for item in items]
        counts = np.zeros((len(index), len(columns)))
        counts[: len(self.items)] = self.counts
        counts[rows] += own
        return type(self)(tuple(index), counts)

    @property
    def samples(self) -> int:
        """Answers that were counted."""
        return int(self.counts[:, N].sum())

    @cached_property
    def log_time_sd(self) -> float:
        """Spread of log time around the items' means, in log-seconds."""
        mean = self._chain(self.items)[1]
        _, _, timed, total, squares = self.counts.T
        around = float((squares - 2 * mean * total + timed * mean**2).sum())
        # Two pseudo-residuals of the wide starting value keep the spread honest with few answers.
        mean_square = (max(around, 0.0) + 2 * LOG_TIME_SD_0**2) / (timed.sum() + 2)
        return max(LEAST_SD, math.sqrt(mean_square))

    def parameters(self, item: Item) -> tuple[float, float]:
        """(logit of P(correct), mean log time in log-seconds) of an item."""
        return self._remembered([item])[0]

    def table(self, responses: Responses) -> tuple[Array, Array]:
        """`parameters` of every row's item: (logit, mean log time), arrays (row,)."""
        which, items = responses.distinct_items()
        logit, log_time = self._chain(items)
        return logit[which], log_time[which]

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
        return self._prediction(*np.array(self._remembered(items)).reshape(-1, 2).T)

    def predict_all(self, responses: Responses) -> Prediction:
        """The same for every learner: each item once."""
        return self._prediction(*self.table(responses))

    def _prediction(self, logit: Array, log_time: Array) -> Prediction:
        return Prediction(1 / (1 + np.exp(-logit)), log_time, np.full(len(logit), self.log_time_sd))

    def _remembered(self, items: Sequence[Item]) -> list[tuple[float, float]]:
        told = list(map(self._known.get, items))
        if None not in told:
            return told  # type: ignore[return-value]
        new = [item for item, known in zip(items, told, strict=True) if known is None]
        found = zip(*(x.tolist() for x in self._chain(new)), strict=True)
        fresh: dict[Item, tuple[float, float]] = dict(zip(new, found, strict=True))
        if len(self._known) < KNOWN:
            self._known.update(fresh)
        return [known or fresh[item] for item, known in zip(items, told, strict=True)]

    def _chain(self, items: Sequence[Item]) -> tuple[Array, Array]:
        """(logit, mean log time) of each item, arrays (item,)."""
        asked = zip(*map(_keys, items), strict=True) if items else [()] * 5
        topic, difficulty, band, skill, item = (
            sums[np.array([rows.get(key, -1) for key in keys], np.int64)]
            for (rows, sums), keys in zip(self._levels, asked, strict=True)
        )
        # Each level without those further in. An item has one skill as a rule, a skill one topic.
        inner, nested = item, []
        for level in (skill, band):
            nested.append(_without(level, inner))
            inner = _larger(level, inner)
        start = np.full(1, math.log(P_0 / (1 - P_0))), np.full(1, LOG_TIME_0)
        everything = np.broadcast_to(self.counts.sum(0), item.shape)
        overall = _shrunk(_without(everything, _larger(topic + difficulty - band, inner)), start)
        by_topic, by_difficulty = (
            _shrunk(_without(level, inner), overall) for level in (topic, difficulty)
        )
        logit, log_time = (
            a + b - c for a, b, c in zip(by_topic, by_difficulty, overall, strict=True)
        )
        found = logit, log_time
        for level in (*reversed(nested), item):
            found = _shrunk(level, found)
        return found

    @cached_property
    def _levels(self) -> list[tuple[dict[Hashable, int], Array]]:
        """Of each level: its labels' rows, and their counts; the last row is of unknown labels."""
        levels: list[tuple[dict[Hashable, int], Array]] = []
        for keys in zip(*map(_keys, self.items), strict=True) if self.items else [()] * 5:
            which, names = numbered(keys)
            sums = np.zeros((len(names) + 1, self.counts.shape[1]))
            np.add.at(sums, which, self.counts)
            sums[-1] = 0
            levels.append(({name: row for row, name in enumerate(names)}, sums))
        return levels

    def to_tensors(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Counts as one matrix, and the labels of its rows."""
        return {"counts": self.counts}, {"items": [list(item) for item in self.items]}

    @classmethod
    def from_tensors(
        cls,
        tensors: dict[str, NDArray[Any]],
        rest: dict[str, Any],
        models: Mapping[str, Any] = NOTHING,
    ) -> Self:
        """Refuses counts that do not belong to the items, and numbers that cannot be counts."""
        del models
        counts, items = tensors["counts"], [Item(*labels) for labels in rest["items"]]
        if counts.shape != (len(items), 5):
            msg = f"prior: 'counts' has shape {counts.shape}, expected {(len(items), 5)}"
            raise ArtefactRejected(msg)
        plain = all(label is None or isinstance(label, str) for item in items for label in item)
        if not plain or len(set(items)) != len(items):
            msg = "prior: labels that are no text, or items twice"
            raise ArtefactRejected(msg)
        counts = counts.astype(np.float64)
        n, right, timed, total, squares = counts.T
        low, high = math.log(SHORTEST_S), math.log(LONGEST_S)
        slack = 1e-6 * timed  # of rounding
        possible = (
            (right >= 0) & (right <= n) & (timed >= 0) & (timed <= n) & (n < 2**53)
            & (total >= low * timed - slack) & (total <= high * timed + slack)
            & (squares >= 0) & (squares <= high**2 * timed + slack)
        )  # fmt: skip
        if not possible.all():
            msg = f"prior: impossible counts of {items[int(np.argmin(possible))]}"
            raise ArtefactRejected(msg)
        return cls(tuple(items), counts)


def _without(level: Array, inner: Array) -> Array:
    """Counts of a level less those of one inside it; none where it is not inside, (row, 5)."""
    left = level - inner
    inside = (left[:, : TIMED + 1] >= 0).all(1) & (left[:, RIGHT] <= left[:, N])
    return np.where(inside[:, None], left, 0.0)


def _larger(one: Array, two: Array) -> Array:
    """Of two counts that of more answers, (row, 5)."""
    return np.where(one[:, N : N + 1] >= two[:, N : N + 1], one, two)


def _shrunk(counts: Array, above: tuple[Array, Array]) -> tuple[Array, Array]:
    """A level's (logit, mean log time), arrays (row,); what the level above says where it is empty.

    Argument counts: (row, 5).
    """
    n, right, timed, total, _ = counts.T
    p = (right + WEIGHT / (1 + np.exp(-above[0]))) / (n + WEIGHT)
    p = np.clip(p, P_FLOOR, 1 - P_FLOOR)
    log_time = (total + TIME_WEIGHT * above[1]) / (timed + TIME_WEIGHT)
    # Not left to the arithmetic: an empty level says it to the last bit.
    return np.where(n > 0, np.log(p / (1 - p)), above[0]), np.where(timed > 0, log_time, above[1])


def _keys(item: Item) -> tuple[Hashable, ...]:
    """An item's key at each level, "" where it has no such label."""
    name, skill, topic, difficulty = item
    return (
        topic or "",
        difficulty or "",
        (topic, difficulty) if topic and difficulty else "",
        (skill, difficulty) if skill else "",
        name or "",
    )
