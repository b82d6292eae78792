"""LNIRT over tables of answers: a log is fitted, and run through with all learners abreast.

What a log of practice has and a test has not: learners with thousands of answers and with one,
skills, items without a name, and abilities that drift. How fast they do is chosen here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from studysmart.learning.lnirt import (
    COLUMN,
    P_BOUND,
    SKILLS_KEPT,
    Array,
    Belief,
    Lnirt,
    Options,
    Parameters,
    Population,
    Running,
)
from studysmart.learning.lnirt_fit import Cells, Index, fit
from studysmart.learning.prior import Prior
from studysmart.learning.responses import Item, Responses

# The choice of how things drift: with fewer answers the defaults stay, and more than enough are
# passed over.
FEWEST_TO_CHOOSE, MOST_TO_CHOOSE, ROUNDS_TO_CHOOSE = 1_000, 10_000, 200
DRIFTS = ("drift_theta", "drift_zeta", "drift_delta")
DELTA_VARIANCES = (0.0, 0.15, 0.35, 0.7, 1.2)
DRIFT_STEPS = (0.0, 0.0005, 0.002, 0.008, 0.03)
NOTICEABLE = 5e-4  # nats an answer


@dataclass(frozen=True)
class Table:
    """Answers arranged to be run through with all learners abreast, one answer each at a time.

    rows: for each round, the rows that are next, of the learners who have so many answers.
    item: parameters of each row's item. pair: learner x skill of each row; -1 where the item has no
    skill, or the learner too many.
    """

    rows: list[Index]
    item: Parameters
    pair: Index
    has_skill: Array
    pairs: int
    correct: Array
    log_time: Array
    known: Array

    @classmethod
    def of(cls, responses: Responses, lnirt: Lnirt) -> Table:
        """Look up every item once and find every learner's order."""
        keys, what, first = unique_items(responses)
        del keys
        items = np.array([lnirt.parameters(item) for item in first]).reshape(len(first), 8)
        _, who = np.unique(responses.learner, return_inverse=True)
        log_time = responses.log_times()
        known = np.isfinite(log_time)
        pair, pairs = _pairs(who, responses.skill)
        return cls(
            _rounds(who), Parameters(*items[what].T), pair,
            (responses.skill != "").astype(float), pairs, responses.correct,
            np.where(known, log_time, 0.0), known.astype(float),
        )  # fmt: skip

    def running(self, population: Population) -> Running:
        """Each row's forecast from the rows of its learner before it."""
        out = np.empty((6, len(self.correct)))
        answers = np.empty(len(self.correct))
        deltas = np.zeros(self.pairs + 1)
        variances = np.full(self.pairs + 1, population.delta_variance)
        belief = population.start(len(self.rows[0]) if self.rows else 0)
        for n, rows in enumerate(self.rows):
            if len(rows) < belief.weights.shape[1]:
                belief = Belief(*(number[..., : len(rows)] for number in belief))
            item = Parameters(*(column[rows] for column in self.item))
            pair, x = self.pair[rows], population.x(n)
            delta, var_delta = deltas[pair], variances[pair] * self.has_skill[rows]
            p, mean, sd = population.forecast(belief, item, delta, var_delta, x, grid=COLUMN)
            zeta = belief.zeta_0 + belief.xi_0 * x
            zeta = zeta + (belief.zeta_1 + belief.xi_1 * x) * belief.theta
            out[:, rows] = p, mean, sd, belief.theta, belief.var_theta, zeta
            answers[rows] = n
            belief, delta, var_delta = population.moved(
                belief, item, self.correct[rows], self.log_time[rows], self.known[rows],
                delta, var_delta, x, grid=COLUMN,
            )  # fmt: skip
            kept = pair >= 0
            deltas[pair[kept]], variances[pair[kept]] = delta[kept], var_delta[kept]
        p = np.clip(out[0], P_BOUND, 1 - P_BOUND)
        logit = np.log(p / (1 - p))
        _, mean, sd, theta, var_theta, zeta = out
        return Running(logit, mean, sd, theta, var_theta, zeta, answers)


def _rounds(who: Index) -> list[Index]:
    """Row numbers round by round; learners with most answers first, so that each is a prefix."""
    counts = np.bincount(who)
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    position = _positions(who)
    order = np.lexsort((rank[who], position))
    return np.split(order, np.cumsum(np.bincount(position))[:-1]) if len(who) else []


def _pairs(who: Index, skill: NDArray[np.str_]) -> tuple[Index, int]:
    """(number of learner x skill of each row or -1, how many there are)."""
    labels, which = np.unique(skill, return_inverse=True)
    _, first, pair = np.unique(who * len(labels) + which, return_index=True, return_inverse=True)
    keep = skill[first] != ""
    # The first SKILLS_KEPT skills that a learner meets are remembered one by one.
    rank, seen = np.zeros(len(first), np.int64), dict[int, int]()
    for k in np.argsort(first, kind="stable")[: len(first)].tolist():
        if keep[k]:
            learner = int(who[first[k]])
            rank[k] = seen.get(learner, 0)
            seen[learner] = rank[k] + 1
    keep &= rank < SKILLS_KEPT
    return np.where(keep[pair], pair, -1), len(first)


def unique_items(responses: Responses) -> tuple[list[str], Index, list[Item]]:
    """(names, item of each row, items): by name, or by the other labels where there is none."""
    columns = (responses.item, responses.skill, responses.topic, responses.difficulty)
    index: dict[tuple[str, ...], int] = {}
    what = np.empty(len(responses), dtype=np.int64)
    first: list[Item] = []
    lists = (column.tolist() for column in columns)
    for k, (item, skill, topic, difficulty) in enumerate(zip(*lists, strict=True)):
        key = (item,) if item else ("", skill, topic, difficulty)
        found = index.get(key)
        if found is None:
            found = index[key] = len(index)
            first.append(Item(item or None, skill or None, topic or None, difficulty or None))
        what[k] = found
    return [key[0] for key in index], what, first


def cells_of(
    responses: Responses, prior: Prior, positions: tuple[float, float, float] | None = None
) -> tuple[Cells, list[str]]:
    """(cells, names of the items, "" for none).

    positions: (centre, scale, last) of the learner's own position, if speed has a trend.
    """
    names, what, first = unique_items(responses)
    _, who = np.unique(responses.learner, return_inverse=True)
    # An item's place is what its kind is like, without its own answers: those are in the cells.
    kinds = [Item(None, item.skill, item.topic, item.difficulty) for item in first]
    place = np.array([prior.parameters(kind) for kind in kinds]).reshape(-1, 2)
    x = None
    if positions is not None:
        centre, scale, last = positions
        x = (np.minimum(_positions(who), last) - centre) / scale
    cells = Cells(
        who.astype(np.int64), what, responses.correct, responses.log_times(),
        int(who.max(initial=-1)) + 1, len(first), x=x, place=place,
    )  # fmt: skip
    return cells, names


def population_of(
    responses: Responses,
    prior: Prior,
    options: Options,
    *,
    progress: Callable[[float], None] | None = None,
) -> tuple[dict[str, Parameters], Population]:
    """(items by name, population): what `Lnirt.fit` publishes."""
    tell = progress or (lambda _: None)
    if len(responses) == 0:
        return {}, Population(sigma2=prior.log_time_sd**2)
    positions = None
    if options.trend:
        _, counts = np.unique(responses.learner, return_counts=True)
        last = max(float(np.quantile(counts, 0.9)) - 1, 1.0)
        positions = (last / 2, last / 2, last)
    cells, names = cells_of(responses, prior, positions)
    found = fit(cells, options)
    tell(0.5)
    columns = (
        found.a, found.b, found.c, found.phi, found.lam, found.sigma2,
        np.maximum(found.cov_ab[:, 2], 0.0), found.cov_lp[:, 0],
    )  # fmt: skip
    rows = np.stack(columns, axis=1).tolist()
    items = {name: Parameters(*row) for name, row in zip(names, rows, strict=True) if name}
    population = found.population
    if positions is not None:
        centre, scale, last = positions
        population = replace(population, centre=centre, scale=scale, last=last)
    if options.drift:
        default = Population()
        population = replace(
            population, **{name: getattr(default, name) for name in ("delta_variance", *DRIFTS)}
        )
        if len(responses) >= FEWEST_TO_CHOOSE:
            lnirt = Lnirt(prior, items, population)
            population = _chosen(_some(responses), lnirt)
    tell(1.0)
    return items, population


def _some(responses: Responses) -> Responses:
    """The beginnings of learners spread evenly over the table, about MOST_TO_CHOOSE answers."""
    _, who = np.unique(responses.learner, return_inverse=True)
    early = _positions(who) < ROUNDS_TO_CHOOSE
    every = -(-int(early.sum()) // MOST_TO_CHOOSE)
    return responses[early & (who % every == 0)]


def _chosen(responses: Responses, lnirt: Lnirt) -> Population:
    """How fast things drift and how much skills differ: what forecasts these answers best.

    Every answer is forecast from the learner's earlier ones. Spread and drift of skills are judged
    by right and wrong, as is the drift of ability; that of speed by log time.
    """
    table, population = Table.of(responses, lnirt), lnirt.population
    correct, log_time = responses.correct, responses.log_times()
    timed = np.isfinite(log_time)

    def losses(population: Population) -> tuple[list[float], Running]:
        found = table.running(population)
        p = 1 / (1 + np.exp(-found.logit))
        late = (log_time - found.log_time_mean)[timed] / found.log_time_sd[timed]
        of_answers = -float(np.log(np.where(correct == 1, p, 1 - p)).sum())
        of_times = float((0.5 * late**2 + np.log(found.log_time_sd[timed])).sum())
        return [of_answers, of_times], found

    # The items were fitted on these answers too; so a loss must differ by more than a little.
    margin = NOTICEABLE * len(responses)
    if (responses.skill != "").any():
        tried = [replace(population, delta_variance=v) for v in DELTA_VARIANCES]
        population = min(tried, key=lambda p: losses(p)[0][0] + margin * (p != population))
    found_by = {}
    for drift in DRIFT_STEPS:
        one = replace(population, drift_theta=drift, drift_zeta=drift)
        found_by[drift] = losses(one)
    theta, zeta = (
        min(DRIFT_STEPS, key=lambda d: found_by[d][0][kind] + margin * (d != default))
        for kind, default in enumerate((population.drift_theta, population.drift_zeta))
    )
    found, width = found_by[zeta][1], population.width
    seen = timed & (found.answers > 0)
    if seen.sum() >= FEWEST_TO_CHOOSE:
        late = np.abs(log_time - found.log_time_mean)[seen] / found.log_time_sd[seen]
        width *= min(max(float(np.quantile(late, 0.9)) / 1.6449, 0.8), 1.25)
    return replace(population, drift_theta=theta, drift_zeta=zeta, width=width)


def _positions(who: Index) -> Index:
    """How many rows of the same learner come before each row."""
    counts = np.bincount(who)
    position = np.empty(len(who), np.int64)
    starts = np.cumsum(counts) - counts
    position[np.argsort(who, kind="stable")] = np.arange(len(who)) - np.repeat(starts, counts)
    return position
