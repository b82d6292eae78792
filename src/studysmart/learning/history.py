"""One learner's past as running estimates and causal features.

Three levels are followed alike: the learner overall, the learner on a skill, the learner on an
item. Each has a `Trace`: how far it stands from what such tasks are like (a Gaussian, for
right-or-wrong on the logit and for log time), exponential averages of the residuals, counts,
streaks, and when it was last met. An answer moves the three together:

    logit P(correct) ~ place.logit + learner + skill + item,   each Normal(mean, var)
    log T            ~ place.log_time + learner + skill + item + noise

one Newton step on the logistic likelihood, an exact Kalman step on log time; variances widen a
little before each answer, because people learn and forget. Place: what is known of the item
whoever answers it (`effects`).

Everything is kept up in constant time, and every formula stands here once: it takes Python floats
for one learner (`Plain`, fast for one) and arrays for many (`Vector`, fast for many). `Table`
goes through a whole log in lockstep, every learner's k-th answer at once.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from studysmart.learning.effects import Coded, Effects, Place
from studysmart.learning.responses import Item, Response, Responses

FAST, SLOW = 0.3, 0.08
# Variance gained before each answer, per level: learner, skill, item.
DRIFT, TIME_DRIFT = (0.002, 0.01, 0.01), (0.004, 0.004, 0.004)
# Starting variance of the levels that the effects do not estimate.
SKILL_VARIANCE, ITEM_VARIANCE = 0.5, 0.3
LATEST = 4.0  # bound of a log-time residual: what is later says no more
LOGIT_BOUND = 7.0
# Skills and items followed one by one for each learner; later ones count for the learner only. A
# bound on what a stranger can make us keep, and on the cost of an answer.
LABELS_KEPT, RECENT = 2_048, 32

# The integral of a logistic over a Gaussian, approximately: MacKay (1992), "The evidence framework
# applied to classification networks".
KEEP = math.pi / 8

LEVEL_FEATURES = (
    "mean", "var", "count", "share", "fast", "slow", "streak", "last", "time_mean", "time_last",
    "time_before", "time_fast", "time_slow", "time_count", "gap",
)  # fmt: skip
TASK_FEATURES = (
    "logit", "var", "time_offset", "time_var", "again", "run", "skill_age", "item_age",
    *Place._fields,
)  # fmt: skip
FEATURES = (
    *(f"{level}_{name}" for level in ("learner", "skill", "item") for name in LEVEL_FEATURES),
    *TASK_FEATURES,
)
OWN = len(LEVEL_FEATURES)  # the first ones are the learner's: the same for every task
OUTCOMES = ("right", "residual", "late", "late_for_item", "timed")

Array = NDArray[np.float64]


class Plain:
    """Arithmetic on Python floats."""

    sqrt, log1p = math.sqrt, math.log1p

    exp = math.exp

    # Comparisons: min and max take twice as long.

    @staticmethod
    def where(condition: Any, yes: float, no: float) -> float:
        """One of two."""
        return yes if condition else no

    @staticmethod
    def least(a: float, b: float) -> float:
        """The smaller one."""
        return a if a < b else b  # noqa: FURB136 - as above

    @staticmethod
    def bounded(x: float, bound: float) -> float:
        """Within +-bound."""
        return bound if x > bound else -bound if x < -bound else x  # noqa: FURB136 - as above


class Vector:
    """The same on arrays."""

    sqrt, log1p, exp, where, least = np.sqrt, np.log1p, np.exp, np.where, np.minimum

    @staticmethod
    def bounded(x: Array, bound: float) -> Array:
        """Within +-bound."""
        return np.minimum(np.maximum(x, -bound), bound)


class Trace(NamedTuple):
    """What is remembered of one level. Floats, or arrays of any one shape.

    n: answers; right: how many were; fast, slow: averages of (correct - forecast); streak: right
    answers in a row, wrong ones below 0; last: +-1, 0 for none; mean, var: offset on the logit;
    t_*: the same of log time, t_last and t_before against the item's place; row: which answer of
    the learner it was; at: Unix seconds, NaN when unknown.
    """

    n: Any
    right: Any
    fast: Any
    slow: Any
    streak: Any
    last: Any
    mean: Any
    var: Any
    t_n: Any
    t_mean: Any
    t_var: Any
    t_last: Any
    t_before: Any
    t_fast: Any
    t_slow: Any
    row: Any
    at: Any


PACKED = struct.Struct(f"{len(Trace._fields)}d")  # a tenth of the memory, and joined at once


class Population(NamedTuple):
    """What a learner starts with.

    var, t_var: variances of (learner, skill, item), which none exceeds; learner, skill, item:
    traces of which nothing is known.
    """

    var: tuple[float, float, float]
    t_var: tuple[float, float, float]
    noise: float
    learner: Trace
    skill: Trace
    item: Trace

    @classmethod
    def of(cls, effects: Effects) -> Population:
        """From the fitted effects."""
        shared = 0.3 * effects.learner[1] + 0.02
        var = (effects.learner[0], SKILL_VARIANCE, ITEM_VARIANCE)
        t_var = (effects.learner[1], shared, shared)
        zero = (0.0,) * 7
        new = (
            Trace(*zero, v, 0.0, 0.0, t, 0.0, 0.0, 0.0, 0.0, 0.0, math.nan)
            for v, t in zip(var, t_var, strict=True)
        )
        return cls(var, t_var, effects.noise, *new)


class Running(NamedTuple):
    """The running forecast, and the variances it rests on.

    var, t_var: sums; parts, t_parts: of learner, skill and item.
    """

    logit: Any
    var: Any
    parts: Any
    log_time: Any
    t_var: Any
    t_parts: Any


class Labels(NamedTuple):
    """The traces of a learner's skills or items, packed; a value, never changed in place.

    Only `recent` is copied for every answer; when it is full it is merged into `older`: so an
    answer costs the same whatever the length of the history.
    """

    recent: dict[str | None, bytes]
    older: dict[str | None, bytes]

    def get(self, label: str | None) -> bytes | None:
        """The trace of a label, None for one not met, and for no label."""
        found = self.recent.get(label)
        return self.older.get(label) if found is None else found

    def kept(self, label: str | None, trace: Trace) -> Labels:
        """With this trace; labels beyond `LABELS_KEPT` are not followed."""
        recent, older = self
        if not label or (
            len(recent) + len(older) >= LABELS_KEPT
            and label not in recent
            and label not in older
            and len(recent.keys() | older.keys()) >= LABELS_KEPT
        ):
            return self
        if len(recent) >= RECENT:
            recent, older = {}, older | recent
        return Labels({**recent, label: PACKED.pack(*trace)}, older)

    def __len__(self) -> int:
        """Labels that are followed."""
        return len(self.recent.keys() | self.older.keys())


class History(NamedTuple):
    """One learner; a value, never changed in place.

    skill: the last one met; run: how often in a row.
    """

    learner: Trace
    skill: str | None
    run: float
    skills: Labels
    items: Labels


def start(population: Population) -> History:
    """Nobody yet."""
    return History(population.learner, None, 0.0, Labels({}, {}), Labels({}, {}))


def running(
    place: Place, means: Any, parts: Any, t_means: Any, t_parts: Any, noise: float, xp: Any
) -> Running:
    """Forecast from the three levels.

    means, parts, ...: anything with three elements, for learner, skill and item.
    """
    var = parts[0] + parts[1] + parts[2]
    t_var = t_parts[0] + t_parts[1] + t_parts[2] + noise
    logit = (place.logit + means[0] + means[1] + means[2]) / xp.sqrt(1 + KEEP * var)
    log_time = place.log_time + t_means[0] + t_means[1] + t_means[2]
    return Running(xp.bounded(logit, LOGIT_BOUND), var, parts, log_time, t_var, t_parts)


class Lesson(NamedTuple):
    """What an answer teaches all three levels."""

    right: Any  # +-1
    residual: Any
    gain: Any
    shrink: Any
    timed: Any
    late: Any
    late_for_item: Any
    t_gain: Any
    t_shrink: Any


def lesson(now: Running, place: Place, correct: Any, log_time: Any, timed: Any, xp: Any) -> Lesson:
    """From the forecast and what happened; `log_time` is any finite number where `timed` is 0."""
    p = 1 / (1 + xp.exp(-now.logit))
    weight = p * (1 - p)
    damped = 1 / (1 + now.var * weight)
    late = xp.bounded(log_time - now.log_time, LATEST) * timed
    precision = timed / now.t_var
    return Lesson(
        2 * correct - 1,
        correct - p,
        (correct - p) * damped,
        weight * damped,
        timed,
        late,
        xp.bounded(log_time - place.log_time, LATEST) * timed,
        late * precision,
        precision,
    )


def moved(old: Trace, var: Any, t_var: Any, told: Lesson, row: Any, at: Any, xp: Any) -> Trace:
    """A level after an answer; var, t_var: its own variances just before.

    A right answer never lowers `mean`, a slow one never lowers `t_mean`.
    """
    return Trace(
        old.n + 1,
        old.right + 0.5 * (told.right + 1),
        old.fast + FAST * (told.residual - old.fast),
        old.slow + SLOW * (told.residual - old.slow),
        xp.where(told.right * old.streak > 0, old.streak + told.right, told.right),
        told.right,
        old.mean + var * told.gain,
        var - var * var * told.shrink,
        old.t_n + told.timed,
        old.t_mean + t_var * told.t_gain,
        t_var - t_var * t_var * told.t_shrink,
        xp.where(told.timed > 0, told.late_for_item, old.t_last),
        xp.where(told.timed > 0, old.t_last, old.t_before),
        old.t_fast + FAST * told.timed * (told.late_for_item - old.t_fast),
        old.t_slow + SLOW * told.timed * (told.late - old.t_slow),
        row,
        xp.where(at == at, at, old.at),  # NaN: no clock this time
    )


def described(t: Trace, asked: Any, xp: Any) -> tuple[Any, ...]:
    """A level in the order of `LEVEL_FEATURES`; asked: Unix seconds, NaN when unknown."""
    gap = asked - t.at
    return (
        t.mean, t.var, xp.log1p(t.n), (t.right + 1) / (t.n + 2), t.fast, t.slow, t.streak, t.last,
        t.t_mean, t.t_last, t.t_before, t.t_fast, t.t_slow, xp.log1p(t.t_n),
        xp.where(gap == gap, xp.log1p(xp.where(gap > 0, gap, 0.0)), -1.0),
    )  # fmt: skip


def age(t: Trace, row: Any, xp: Any) -> Any:
    """Logarithm of how many answers ago a label was met; -1 for never."""
    return xp.where(t.n > 0, xp.log1p(row - t.row), -1.0)


def task(now: Running, place: Place, again: Any, run: Any, ages: Any) -> tuple[Any, ...]:
    """In the order of `TASK_FEATURES`; ages: of skill and item."""
    offset = now.log_time - place.log_time
    return (now.logit, now.var, offset, now.t_var, again, run, *ages, *place)


# One learner.


def forecast_one(
    history: History, item: Item, place: Place, population: Population, asked: float
) -> tuple[Running, tuple[Trace, Trace, Trace], list[float]]:
    """(running forecast, the three levels, features in the order of `FEATURES`)."""
    skill = history.skills.get(item.skill)
    seen = history.items.get(item.item)
    traces = (
        history.learner,
        population.skill if skill is None else Trace(*PACKED.unpack(skill)),
        population.item if seen is None else Trace(*PACKED.unpack(seen)),
    )
    now = running(place, *_parts(traces, population), population.noise, Plain)
    again = float(item.skill is not None and item.skill == history.skill)
    row = history.learner.n
    ages = age(traces[1], row, Plain), age(traces[2], row, Plain)
    features = [
        *described(traces[0], asked, Plain),
        *described(traces[1], asked, Plain),
        *described(traces[2], asked, Plain),
        *task(now, place, again, again * (history.run + 1), ages),
    ]
    return now, traces, features


def append(
    history: History,
    response: Response,
    place: Place,
    now: Running,
    traces: Sequence[Trace],
) -> tuple[History, list[float]]:
    """(the history after an answer that was forecast so, what it adds, as `OUTCOMES`)."""
    log_time = response.log_time
    at = response.answered_at
    told = lesson(
        now, place, float(response.correct), log_time or 0.0, float(log_time is not None), Plain
    )
    row, when = history.learner.n, math.nan if at is None else at
    learner, skill, item = (
        moved(trace, var, t_var, told, row, when, Plain)
        for trace, var, t_var in zip(traces, now.parts, now.t_parts, strict=True)
    )
    met = response.item
    again = met.skill is not None and met.skill == history.skill
    return (
        History(
            learner,
            met.skill,
            history.run + 1 if again else 0.0,
            history.skills.kept(met.skill, skill),
            history.items.kept(met.item, item),
        ),
        outcome(told, now, Plain),
    )


def outcome(told: Lesson, now: Running, xp: Any) -> list[Any]:
    """What an answer itself adds, as `OUTCOMES`; lateness in sd of the running forecast."""
    sd = xp.sqrt(now.t_var)
    return [told.right, 2 * told.residual, told.late / sd, told.late_for_item / sd, told.timed]


def forecast_many(
    history: History, items: Sequence[Item], places: Place, population: Population, asked: float
) -> tuple[Running, list[float], NDArray[np.float32]]:
    """Many items for one learner: (running forecasts, learner features, other features).

    The others are (item, feature), in the order of `FEATURES` after the learner's `OWN`.
    """
    learner = history.learner
    skills = _stacked(history.skills, [x.skill for x in items], population.skill)
    seen = _stacked(history.items, [x.item for x in items], population.item)
    now = running(
        places, *_parts((learner, skills, seen), population, Vector), population.noise, Vector
    )
    last = history.skill
    again = np.array([last is not None and x.skill == last for x in items], dtype=np.float64)
    ages = age(skills, learner.n, Vector), age(seen, learner.n, Vector)
    others = np.empty((len(FEATURES) - OWN, len(items)), np.float32)
    for row, values in enumerate(
        chain(
            described(skills, asked, Vector),
            described(seen, asked, Vector),
            task(now, places, again, again * (history.run + 1), ages),
        )
    ):
        others[row] = values
    return now, list(described(learner, asked, Plain)), np.ascontiguousarray(others.T)


def _stacked(known: Labels, labels: Sequence[str | None], new: Trace) -> Trace:
    """The traces of many labels as one, of arrays (label,)."""
    recent, older = known
    other = PACKED.pack(*new)
    if older:
        flat = b"".join([recent.get(x) or older.get(x, other) for x in labels])
    else:
        flat = b"".join([recent.get(x, other) for x in labels])
    return Trace(*np.frombuffer(flat).reshape(-1, len(Trace._fields)).T)


def _parts(
    traces: Sequence[Trace], population: Population, xp: Any = Plain
) -> tuple[Any, Any, Any, Any]:
    """(means, variances, means and variances of log time) of the levels, widened by the drift."""
    least = xp.least
    a, b, c = traces
    d, e = DRIFT, TIME_DRIFT
    v, u = population.var, population.t_var
    return (
        (a.mean, b.mean, c.mean),
        (least(a.var + d[0], v[0]), least(b.var + d[1], v[1]), least(c.var + d[2], v[2])),
        (a.t_mean, b.t_mean, c.t_mean),
        (least(a.t_var + e[0], u[0]), least(b.t_var + e[1], u[1]), least(c.t_var + e[2], u[2])),
    )


# Many learners.


@dataclass(frozen=True)
class Table:
    """A whole log, learners side by side: `forecast_one` and `append`, but for all at once.

    All learners' first answers come first, then all second ones: `order` has the row of the log of
    each; `before` the place here of the same learner's answer before, one beyond the last for none;
    `steps` where first, second, ... answers begin, and the end. Arrays are (answer,) in this order.
    """

    population: Population
    order: NDArray[np.int64]
    before: NDArray[np.int64]
    steps: list[int]
    correct: Array
    log_time: Array  # 0 where not timed
    timed: Array
    asked: Array
    at: Array
    again: Array
    run: Array
    position: Array
    places: Array  # (field of Place, answer)
    traces: Array  # (field of Trace, level, answer): after each answer; the last one nobody's
    found: NDArray[np.int64]  # (level, answer): where in `traces`, flat, the one before is

    @classmethod
    def of(cls, effects: Effects, coded: Coded, responses: Responses, places: Place) -> Self:
        """Go through the log; `places`: of each row, from `Effects.places`."""
        population = Population.of(effects)
        learner, skill, item = coded.learner, coded.codes["skill"], coded.codes["item"]
        n = len(learner)
        before, steps = _order(learner)
        order = np.concatenate(steps) if steps else np.empty(0, np.int64)
        where = np.full(n + 1, n)  # of each row in that order; row -1, nobody's, comes last
        where[order] = np.arange(n)
        previous = where[
            np.stack([before, _previous(learner, skill, before), _previous(learner, item, before)])
        ][:, order]
        again = ((skill >= 0) & (before >= 0) & (skill == skill[before])).astype(np.float64)
        log_times = responses.log_times()[order]
        traces = np.empty((len(Trace._fields), 3, n + 1))
        traces[:, :, n] = np.array([population.learner, population.skill, population.item]).T
        table = cls(
            population,
            order,
            previous[0],
            [0, *np.cumsum([len(rows) for rows in steps]).tolist()],
            responses.correct[order],
            np.nan_to_num(log_times),
            np.isfinite(log_times).astype(np.float64),
            responses.asked_at()[order],
            responses.answered_at()[order],
            again[order],
            np.zeros(n + 1),
            np.empty(n),
            np.stack([np.broadcast_to(x, (n,))[order] for x in places]),
            traces,
            previous + np.arange(3)[:, None] * (n + 1),
        )
        table._run()
        return table

    def _run(self) -> None:
        """In lockstep, what depends on the answers before."""
        for k, (begin, end) in enumerate(pairwise(self.steps)):
            rows = slice(begin, end)
            old, _, now, told = self._moment(rows)
            new = moved(old, now.parts, now.t_parts, told, float(k), self.at[rows], Vector)
            for field, values in enumerate(new):
                self.traces[field, :, rows] = values
            self.run[rows] = self.again[rows] * (self.run[self.before[rows]] + 1)
            self.position[rows] = k

    def _moment(self, rows: slice) -> tuple[Trace, Place, Running, Lesson]:
        old = Trace(*self.traces.reshape(len(self.traces), -1).take(self.found[:, rows], axis=1))
        place = Place(*self.places[:, rows])
        now = _running(old, place, self.population)
        told = lesson(now, place, self.correct[rows], self.log_time[rows], self.timed[rows], Vector)
        return old, place, now, told

    def features(self, rows: slice) -> tuple[NDArray[np.float32], NDArray[np.float32], Array]:
        """(features, outcomes, (logit, log time)) of some answers; arrays (answer, ...).

        In the order of `FEATURES` and `OUTCOMES`; the last (2, answer).
        """
        old, place, now, told = self._moment(rows)
        ages = age(old, self.position[rows], Vector)[1:]
        levels = np.stack(described(old, self.asked[rows], Vector), axis=1)  # (level, feature, ...)
        again, run = self.again[rows], self.run[rows]
        features = np.empty((levels.shape[2], len(FEATURES)), np.float32)
        features[:, : 3 * OWN] = levels.reshape(3 * OWN, -1).T
        features[:, 3 * OWN :] = np.stack(task(now, place, again, run, ages), axis=1)
        outcomes = np.stack(outcome(told, now, Vector), axis=1)
        return features, outcomes.astype(np.float32), np.stack([now.logit, now.log_time])


def _running(old: Trace, place: Place, population: Population) -> Running:
    """As `running`, of traces whose arrays are (level, row)."""
    drift, t_drift = np.array(DRIFT)[:, None], np.array(TIME_DRIFT)[:, None]
    most, t_most = np.array(population.var)[:, None], np.array(population.t_var)[:, None]
    parts = np.minimum(old.var + drift, most)
    t_parts = np.minimum(old.t_var + t_drift, t_most)
    return running(place, old.mean, parts, old.t_mean, t_parts, population.noise, Vector)


def _order(
    learner: NDArray[np.int64],
) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """(the learner's row before or -1, the rows that are first, second, ... of their learner)."""
    n = len(learner)
    order = np.argsort(learner, kind="stable")
    first = np.ones(n, bool)
    first[1:] = learner[order][1:] != learner[order][:-1]
    starts = np.flatnonzero(first)
    lengths = np.diff(np.append(starts, n))
    place = np.arange(n) - np.repeat(starts, lengths)
    position, before = np.empty(n, np.int64), np.full(n, -1, np.int64)
    position[order] = place
    before[order[1:]] = np.where(first[1:], -1, order[:-1])
    by_place = np.argsort(position, kind="stable")
    return before, np.split(by_place, np.flatnonzero(np.diff(position[by_place])) + 1)


def _previous(
    learner: NDArray[np.int64], label: NDArray[np.int64], before: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The learner's last row with the same label; -1 for none, and for labels not followed."""
    n = len(learner)
    known = np.flatnonzero(label >= 0)
    found = np.full(n, -1, np.int64)
    order = known[np.lexsort((known, label[known], learner[known]))]
    same = (learner[order][1:] == learner[order][:-1]) & (label[order][1:] == label[order][:-1])
    found[order[1:][same]] = order[:-1][same]
    if len(known) > LABELS_KEPT:
        new = np.zeros(n, bool)
        new[known] = found[known] < 0
        by_learner = np.argsort(learner, kind="stable")
        count = np.cumsum(new[by_learner])
        first = before[by_learner] < 0
        offset = np.maximum.accumulate(np.where(first, count - new[by_learner], 0))
        rank = np.empty(n, np.int64)
        rank[by_learner] = count - offset  # labels met so far, this one included
        refused = new & (rank > LABELS_KEPT)
        for _ in range(1 if not refused.any() else n):  # a refused label is refused ever after
            more = (found >= 0) & refused[found] & ~refused
            if not more.any():
                break
            refused |= more
        found[refused] = -1
    return found
