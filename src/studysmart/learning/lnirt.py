"""LNIRT: ability and speed together.

    P(correct) = c + (1 - c) logistic(a (theta + delta_skill - b))
    log T      ~ Normal(lam - phi (zeta + xi x), kappa sigma^2)
    (zeta, xi) ~ Normal(m + k theta, V)        theta ~ Normal(0, 1)
    kappa      ~ scaled inverse chi-square with nu degrees of freedom and mean 1

Of the learner: theta, ability; delta, the deviation on one skill; zeta, speed, larger is faster;
xi, how speed changes with the learner's own position x; kappa, how much the learner's times scatter
about their mean, 1 for most. Of the item: a, discrimination; b, difficulty; c, chance of guessing;
lam, time intensity; phi, time discrimination; sigma, residual sd of log time.

Joint model of van der Linden (2007), "A hierarchical framework for modeling speed and accuracy on
test items"; the letters are LNIRT's, but b is on the scale of theta here. Given theta, speed has a
closed form; theta itself is a vector of weights on `GRID`. So a learner's posterior is exact,
answer by answer as well as in one go, as long as nothing drifts and skills do not differ. Abilities
do drift in practice: theta then diffuses over the grid, and speed gains variance between answers.

kappa is learned from the times and widens or narrows the forecast of the next one, but speed and
ability are inferred as if it were 1 (a cut posterior): letting it feed back cost accuracy on all
data sets tried.

`Population.moved` and `Population.forecast` are the formulas. They take one learner (numbers are
floats, weights of shape (grid,)) or many at once (numbers of shape (learner,), weights of shape
(grid, learner), and `grid=COLUMN`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from studysmart.errors import ArtefactRejected
from studysmart.learning.model import LearnerModel, Prediction
from studysmart.learning.prior import Prior
from studysmart.learning.responses import Item, Response, Responses

Array = NDArray[np.float64]
# A float for one learner, or an array (learner,): the same arithmetic serves both.
Numbers = Any

GRID: Array = np.linspace(-4.8, 4.8, 33)
COLUMN: Array = GRID[:, None]
STEP = float(GRID[1] - GRID[0])
ONES: Array = np.ones(len(GRID))
MOMENTS: Array = np.stack([ONES, GRID, GRID**2])
POWERS: Array = np.ascontiguousarray(MOMENTS.T)
# Integrating a logistic over a normal of variance v divides its argument by sqrt(1 + v pi / 8)
# (MacKay 1992); over a normal ogive by sqrt(1 + v), exactly.
LOGISTIC_SPREAD, NORMAL_SPREAD = math.pi / 8, 1.0
# Phi(x) = logistic(x (C1 + C3 x^2)) to 1.4e-4 (Bowling et al. 2009).
OGIVE_1, OGIVE_3 = 1.5976, 0.07056
P_BOUND = 1e-3  # nobody is that sure of anybody
NONE = (0.0, 0.0)
# No theta is ever ruled out for good: the most absurd answers leave weights that add up.
FLOOR = 1e-40
# Skills remembered one by one; a learner who meets more has the rest at the mean. The bound is
# also what makes copying them take constant time.
SKILLS_KEPT = 512


@dataclass(frozen=True)
class Options:
    """What is fitted.

    drift: choose by likelihood how fast abilities drift, and how much a learner's skills differ;
    else nothing does, which is what a test taken in one sitting wants. trend: speed changes
    linearly with a learner's own position. guessing: an item has a lower asymptote c, with the
    prior Beta(20, 80). normal: a normal ogive in the place of the logistic; None: whichever has the
    greater marginal likelihood.
    """

    drift: bool = True
    trend: bool = False
    guessing: bool = False
    normal: bool | None = False


class Parameters(NamedTuple):
    """An item: floats, or arrays (learner,) of one item for each learner.

    var_b, var_lam: what is not known of b and lam; forecasts and updates integrate over it.
    """

    a: Numbers
    b: Numbers
    c: Numbers
    phi: Numbers
    lam: Numbers
    sigma2: Numbers
    var_b: Numbers
    var_lam: Numbers


class Belief(NamedTuple):
    """What is known of one learner, or of many: numbers are floats or of shape (learner,).

    weights: posterior of theta on the grid, (grid,) or (grid, learner), sums to 1.
    theta, var_theta: its mean and variance.
    zeta_0, zeta_1, xi_0, xi_1: E[zeta | theta] = zeta_0 + zeta_1 theta, and the same for xi.
    c_zz, c_zx, c_xx: covariance of (zeta, xi) given theta.
    timed: answers whose time is known.
    q_0, q_1, q_2: sum of squared standardised surprises, q_0 + q_1 theta + q_2 theta^2.
    """

    weights: Array
    theta: Numbers
    var_theta: Numbers
    zeta_0: Numbers
    zeta_1: Numbers
    xi_0: Numbers
    xi_1: Numbers
    c_zz: Numbers
    c_zx: Numbers
    c_xx: Numbers
    timed: Numbers
    q_0: Numbers
    q_1: Numbers
    q_2: Numbers


class State(NamedTuple):
    """What is known of one learner after so many answers; a value, never changed in place.

    theta, zeta: posterior means of ability, and of speed at the learner's present position.
    var_theta, cov, var_zeta: their posterior covariance.
    deltas: of each skill met, posterior mean and variance of the deviation.
    belief: what the summary above is computed from.
    """

    answers: int
    theta: float
    zeta: float
    var_theta: float
    cov: float
    var_zeta: float
    deltas: dict[str, tuple[float, float]]
    belief: Belief


class Running(NamedTuple):
    """The running forecasts of a table: arrays (row,), each from the learner's earlier rows.

    logit: of P(correct). log_time_mean, log_time_sd: log-seconds. theta, var_theta, zeta: the
    learner's state before the answer; answers: how many it rests on.
    """

    logit: Array
    log_time_mean: Array
    log_time_sd: Array
    theta: Array
    var_theta: Array
    zeta: Array
    answers: Array


@dataclass(frozen=True)
class Population:
    """What learners and unseen items are like, and the formulas that move one learner.

    k_zeta, k_xi: what a unit of ability adds to speed and to its trend.
    xi: the mean trend of speed.
    v_zz, v_zx, v_xx: covariance of (zeta, xi) given theta.
    nu: degrees of freedom of kappa; large: all learners' times scatter alike.
    a, c, sigma2, var_b, var_lam: of an item never seen; its phi is 1.
    b_shift, lam_shift: from where the prior's chain puts an item to where it is.
    delta_variance: spread of a learner's deviations on skills; 0: ability is all there is.
    drift_theta, drift_zeta, drift_delta: variance gained with an answer; 0: nothing drifts.
    normal: a normal ogive in the place of the logistic.
    width: factor on the sd of log time at which 90 % intervals covered 90 % of the fitted answers.
    centre, scale, last: a learner's n-th answer is at x = (min(n, last) - centre) / scale.
    """

    k_zeta: float = 0.0
    k_xi: float = 0.0
    xi: float = 0.0
    v_zz: float = 0.09
    v_zx: float = 0.0
    v_xx: float = 0.0
    nu: float = 20.0
    a: float = 1.0
    c: float = 0.0
    sigma2: float = 0.25
    var_b: float = 0.4
    var_lam: float = 0.15
    b_shift: float = 0.0
    lam_shift: float = 0.0
    delta_variance: float = 0.35
    drift_theta: float = 0.002
    drift_zeta: float = 0.002
    drift_delta: float = 0.01
    normal: bool = False
    width: float = 1.0
    centre: float = 0.0
    scale: float = 1.0
    last: float = 0.0

    @property
    def rho(self) -> float:
        """Correlation of ability and speed over learners."""
        return self.k_zeta / self.sd_zeta

    @property
    def sd_zeta(self) -> float:
        """Standard deviation of speed over learners."""
        return math.sqrt(self.k_zeta**2 + self.v_zz)

    def x(self, answers: Numbers) -> Numbers:
        """Position of the answer that comes after so many; 0 where speed has no trend."""
        if self.v_xx == 0:
            return 0.0
        if isinstance(answers, int):
            return (min(answers, self.last) - self.centre) / self.scale
        return (np.minimum(answers, self.last) - self.centre) / self.scale

    def start(self, learners: int | None = None) -> Belief:
        """Nothing is known: one learner, or so many at once."""
        weights = np.exp(-0.5 * GRID**2)
        weights /= weights.sum()
        numbers = (
            0.0, float(weights @ GRID**2), 0.0, self.k_zeta, self.xi, self.k_xi,
            self.v_zz, self.v_zx, self.v_xx, 0.0, 0.0, 0.0, 0.0,
        )  # fmt: skip
        if learners is None:
            return Belief(weights, *numbers)
        return Belief(
            np.repeat(weights[:, None], learners, axis=1),
            *(np.full(learners, number) for number in numbers),
        )

    @cached_property
    def _diffusion(self) -> Array:
        """What one answer's drift does to the weights: steps to the neighbours, (grid, grid)."""
        share = min(0.5 * self.drift_theta / STEP**2, 0.25)
        step = np.diag(np.full(len(GRID) - 1, share), 1)
        step += step.T
        return step + np.diag(1 - step.sum(0))

    def _know(
        self, item: Parameters, delta: Numbers, var_delta: Numbers, grid: Array
    ) -> tuple[Array, Numbers]:
        """(probability of knowing at each theta, slope); what is not known is integrated out."""
        a = item.a
        spread = NORMAL_SPREAD if self.normal else LOGISTIC_SPREAD
        slope = a * (1 + spread * a * a * (var_delta + item.var_b)) ** -0.5
        minus_eta = slope * ((item.b - delta) - grid)
        if self.normal:
            minus_eta = minus_eta * (OGIVE_1 + OGIVE_3 * minus_eta * minus_eta)
        return 1 / (1 + np.exp(minus_eta)), slope

    def moved(
        self,
        belief: Belief,
        item: Parameters,
        correct: Numbers,
        log_time: Numbers,
        known: Numbers,
        delta: Numbers,
        var_delta: Numbers,
        x: Numbers = 0.0,
        *,
        grid: Array = GRID,
    ) -> tuple[Belief, Numbers, Numbers]:
        """(belief, delta, var_delta) after one answer of one learner, or of one each.

        A right answer never leaves P(correct) below a wrong one; where nothing drifts it never
        lowers it. A fast one never leaves zeta below a slow one.

        Args:
            belief: before the answer.
            item: what was answered.
            correct: 1 or 0.
            log_time: log-seconds, finite; anything where `known` is 0.
            known: 1 where the time is known, else 0.
            delta: mean of the deviation on the item's skill before the answer.
            var_delta: its variance; 0 where the item has no skill.
            x: position, see `x`.
            grid: COLUMN for many learners.
        """
        (weights, theta, v_t, zeta_0, zeta_1, xi_0, xi_1, c_zz, c_zx, c_xx, timed, q_0, q_1, q_2
         ) = belief  # fmt: skip
        if self.drift_theta > 0:
            # theta gains variance; what it says of speed weakens by as much, and the spread of
            # speed itself stays.
            weights = self._diffusion @ weights
            keep = v_t / (v_t + self.drift_theta)
            lost = zeta_1 * (1 - keep)
            zeta_0 = zeta_0 + lost * theta
            c_zz = c_zz + lost * zeta_1 * v_t
            zeta_1 = zeta_1 * keep
            xi_0 = xi_0 + xi_1 * (1 - keep) * theta
            xi_1 = xi_1 * keep
        if self.drift_zeta > 0:
            c_zz = c_zz + self.drift_zeta * known
        if self.drift_delta > 0 and self.delta_variance > 0:
            gain = self.drift_delta * (1 - var_delta / self.delta_variance)
            var_delta = var_delta + gain * (var_delta > 0)
        # The answer.
        know, slope = self._know(item, delta, var_delta, grid)
        p = know if self.c == 0 else item.c + (1 - item.c) * know
        after = weights * ((1 - correct) + (2 * correct - 1) * p) + FLOOR
        # The skill: one step up the likelihood, by Fisher's identity an average over theta.
        if self.delta_variance > 0:
            rise, bend = correct - p, p - p * p
            if self.c > 0:
                rise, bend = rise * know / p, bend * (know / p) ** 2
            keep = 1 / (1 + var_delta * slope * slope * _sum(weights, bend))
            up = slope * _sum(after, rise) / _sum(after, ONES)
            delta, var_delta = delta + var_delta * keep * up, var_delta * keep
        # The time: an exact step for (zeta, xi) given theta.
        phi = item.phi
        z, s = c_zz + c_zx * x, c_zx + c_xx * x
        spread = item.sigma2 + item.var_lam + phi * phi * (z + s * x)
        precision = known / spread
        late_0 = item.lam - log_time - phi * (zeta_0 + xi_0 * x)
        late_1 = -phi * (zeta_1 + xi_1 * x)
        squares = precision * late_0 * late_0
        cross, square = 2 * precision * late_0 * late_1, precision * late_1 * late_1
        log_like = POWERS @ np.array([0 * cross, -0.5 * cross, -0.5 * square])
        after *= np.exp(log_like - np.maximum.reduce(log_like))
        z, s = phi * z * precision, phi * s * precision
        zeta_0, zeta_1 = zeta_0 + z * late_0, zeta_1 + z * late_1
        xi_0, xi_1 = xi_0 + s * late_0, xi_1 + s * late_1
        c_zz, c_zx, c_xx = c_zz - z * z * spread, c_zx - z * s * spread, c_xx - s * s * spread
        moments = MOMENTS @ after
        # Python's own floats are several times as fast as NumPy's in the arithmetic above.
        total, first, second = moments.tolist() if moments.ndim == 1 else moments
        after /= total
        theta = first / total
        return (
            Belief(
                after, theta, second / total - theta * theta, zeta_0, zeta_1, xi_0, xi_1,
                c_zz, c_zx, c_xx, timed + known, q_0 + squares, q_1 + cross, q_2 + square,
            ),
            delta,
            var_delta,
        )  # fmt: skip

    def kappa(self, belief: Belief) -> Numbers:
        """Posterior mean of the learner's own scatter of times, 1 for most."""
        theta = belief.theta
        second = belief.var_theta + theta * theta
        squares = belief.q_0 + belief.q_1 * theta + belief.q_2 * second
        return (self.nu - 2 + squares) / (self.nu - 2 + belief.timed)

    def forecast(
        self,
        belief: Belief,
        item: Parameters,
        delta: Numbers,
        var_delta: Numbers,
        x: Numbers = 0.0,
        *,
        grid: Array = GRID,
    ) -> tuple[Numbers, Numbers, Numbers]:
        """(P(correct), mean, sd of log time): integrated over what is not known.

        Arguments as in `moved`; P is not bounded away from 0 and 1 here.
        """
        know, _ = self._know(item, delta, var_delta, grid)
        p = _sum(belief.weights, know)
        if self.c > 0:
            p = item.c + (1 - item.c) * p
        phi = item.phi
        slope = phi * (belief.zeta_1 + belief.xi_1 * x)
        mean = item.lam - phi * (belief.zeta_0 + belief.xi_0 * x) - slope * belief.theta
        given = belief.c_zz + x * (2 * belief.c_zx + x * belief.c_xx)
        variance = (
            self.kappa(belief) * item.sigma2
            + phi * phi * given
            + item.var_lam
            + slope * slope * belief.var_theta
        )
        return p, mean, self.width * variance**0.5


@dataclass(frozen=True)
class Lnirt(LearnerModel):
    """The fitted population, and the items that were seen in fitting.

    items: item -> its parameters; others come from the prior's chain.
    """

    kind: ClassVar[str] = "lnirt"

    prior: Prior
    items: dict[str, Parameters]
    population: Population = field(default_factory=Population)
    _asked: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def fit(
        cls,
        responses: Responses,
        prior: Prior | None = None,
        *,
        seed: int = 0,
        valid: Responses | None = None,
        progress: Callable[[float, int, float], None] | None = None,
        options: Options | None = None,
    ) -> Self:
        """Fit by marginal maximum likelihood; the cost is linear in the number of answers.

        Args:
            responses: any number of answers, rows in order of time.
            prior: gives every item the place that it is shrunk to; fitted here if none is given.
            seed: nothing here is drawn; taken so that all models are fitted alike.
            valid: nothing here is chosen on it; the same.
            progress: told (share done, 0, NaN): there are no epochs.
            options: what is fitted; by default for a log of practice.
        """
        del seed, valid
        from studysmart.learning import lnirt_log

        if prior is None:
            prior = Prior.fit(responses)
        own = options or Options()
        tell = None if progress is None else lambda share: progress(share, 0, math.nan)
        items, population = lnirt_log.population_of(responses, prior, own, progress=tell)
        return cls(prior, items, population)

    @property
    def rho(self) -> float:
        """Correlation of ability and speed over learners."""
        return self.population.rho

    @property
    def sd_zeta(self) -> float:
        """Standard deviation of speed over learners."""
        return self.population.sd_zeta

    @property
    def sigma(self) -> float:
        """Residual sd of log time of a typical item."""
        return math.sqrt(self.population.sigma2)

    def parameters(self, item: Item) -> Parameters:
        """An item's parameters; of one never seen, those where the prior's chain puts it."""
        known = self.items.get(item.item) if item.item is not None else None
        return known if known is not None else placed(self.population, *self.prior.parameters(item))

    def start(self) -> State:
        """A learner of whom nothing is known: the population."""
        return self._state(0, self.population.start(), {})

    def _state(self, answers: int, belief: Belief, deltas: dict[str, tuple[float, float]]) -> State:
        x = self.population.x(answers)
        theta, v_t = belief.theta, belief.var_theta
        slope = belief.zeta_1 + belief.xi_1 * x
        given = belief.c_zz + x * (2 * belief.c_zx + x * belief.c_xx)
        return State(
            answers,
            theta,
            belief.zeta_0 + belief.xi_0 * x + slope * theta,
            v_t,
            slope * v_t,
            given + slope * slope * v_t,
            deltas,
            belief,
        )

    def update(self, state: State, response: Response) -> State:
        """One answer, in constant time; see `Population.moved`."""
        population, skill, log_time = self.population, response.item.skill, response.log_time
        deltas, answers = state.deltas, state.answers
        own = self._own(state, skill)
        belief, delta, var_delta = population.moved(
            state.belief,
            self.parameters(response.item),
            1.0 if response.correct else 0.0,
            0.0 if log_time is None else log_time,
            0.0 if log_time is None else 1.0,
            own[0],
            own[1],
            population.x(answers),
        )
        if skill and (skill in deltas or len(deltas) < SKILLS_KEPT):
            deltas = deltas.copy()
            deltas[skill] = (delta, var_delta)
        return self._state(answers + 1, belief, deltas)

    @cached_property
    def _scoring(self) -> tuple[dict[str, int], Array, Array]:
        """(row of each item, (item, 3) phi^2/s, phi/s, 1/s and lam, log P at each theta)."""
        column = Parameters(*np.array(list(self.items.values())).reshape(-1, 8, 1).swapaxes(0, 1))
        know, _ = self.population._know(column, 0.0, 0.0, GRID)  # noqa: SLF001 - its own formula
        p = column.c + (1 - column.c) * know
        spread, phi = column.sigma2 + column.var_lam, column.phi
        times = np.concatenate([phi**2 / spread, phi / spread, 1 / spread, column.lam], axis=1)
        return (
            dict(zip(self.items, range(len(p)), strict=True)),
            times,
            np.log(np.maximum([1 - p, p], FLOOR)),
        )

    def rescored(self, items: Sequence[str], correct: Array, log_time: Array) -> State:
        """The state after all these answers, in one go: what `replay` gives where nothing drifts.

        Args:
            items: names of items that were fitted, in the learner's order.
            correct: (answer,) 1 or 0.
            log_time: (answer,) log-seconds, NaN where unknown.

        Raises:
            KeyError: an item was not fitted.
        """
        p = self.population
        index, times, log_p = self._scoring
        rows = [index[item] for item in items]
        like = log_p[correct.astype(int), rows].sum(0)
        known = log_time == log_time
        square, single, inverse, lam = times[rows].T * known
        late = lam - np.where(known, log_time, 0.0)
        x = np.asarray(p.x(np.arange(len(rows), dtype=float)))
        # Precision P, pull h and sum of squares of (zeta, xi), less what the mean trend explains.
        moved = single * late
        h_0, s_0 = float(moved.sum()), float(late @ (inverse * late))
        p_0, p_1, p_2, h_1 = float(square.sum()), 0.0, 0.0, 0.0
        if p.v_xx > 0:
            p_1, p_2 = float(square @ x), float(square @ (x * x))
            h_1 = float(moved @ x) - p_2 * p.xi
            s_0 += p.xi * (p_2 * p.xi - 2 * float(moved @ x))
            h_0 -= p_1 * p.xi
        # cov = V (I + P V)^-1, two by two.
        m_00, m_01 = 1 + p_0 * p.v_zz + p_1 * p.v_zx, p_0 * p.v_zx + p_1 * p.v_xx
        m_10, m_11 = p_1 * p.v_zz + p_2 * p.v_zx, 1 + p_1 * p.v_zx + p_2 * p.v_xx
        det = m_00 * m_11 - m_01 * m_10
        c_zz = (p.v_zz * m_11 - p.v_zx * m_10) / det
        c_zx = (p.v_zx * m_00 - p.v_zz * m_01) / det
        c_xx = (p.v_xx * m_00 - p.v_zx * m_01) / det
        pk_0, pk_1 = p_0 * p.k_zeta + p_1 * p.k_xi, p_1 * p.k_zeta + p_2 * p.k_xi
        zeta_0, xi_0 = c_zz * h_0 + c_zx * h_1, c_zx * h_0 + c_xx * h_1
        zeta_1 = p.k_zeta - c_zz * pk_0 - c_zx * pk_1
        xi_1 = p.k_xi - c_zx * pk_0 - c_xx * pk_1
        q_0 = s_0 - h_0 * zeta_0 - h_1 * xi_0
        q_1, q_2 = -2 * (h_0 * zeta_1 + h_1 * xi_1), pk_0 * zeta_1 + pk_1 * xi_1
        like = like - POWERS @ np.array([0.0, 0.5 * q_1, 0.5 + 0.5 * q_2])
        weights = np.exp(like - like.max())
        weights /= weights.sum()
        _, theta, second = (MOMENTS @ weights).tolist()
        belief = Belief(
            weights, theta, second - theta * theta, zeta_0, zeta_1, xi_0 + p.xi, xi_1,
            c_zz, c_zx, c_xx, float(known.sum()), q_0, q_1, q_2,
        )  # fmt: skip
        return self._state(len(rows), belief, {})

    def predict(
        self, state: State, items: Sequence[Item], *, at: float | None = None
    ) -> Prediction:
        """Integrated over what is not known of the learner and of the items."""
        del at
        p = self.population
        x = p.x(state.answers)
        if len(items) == 1:  # what an answer and its next task wait for
            (item,) = items
            own = self._own(state, item.skill)
            told = p.forecast(state.belief, self.parameters(item), *own, x)
            right, mean, sd = (np.array([value]) for value in told)
        else:
            columns, skills, which = self._columns(items)
            delta, var_delta = np.array([self._own(state, skill) for skill in skills]).T[:, which]
            right, mean, sd = p.forecast(state.belief, columns, delta, var_delta, x, grid=COLUMN)
        return Prediction(np.clip(right, P_BOUND, 1 - P_BOUND), mean, sd)

    def _columns(self, items: Sequence[Item]) -> tuple[Parameters, list[str | None], NDArray[Any]]:
        """Parameters of many items, their distinct skills, and which of these each has.

        The last list asked for is remembered: whoever chooses tasks asks for the same again.
        """
        key = tuple(items)
        last = self._asked.get("last")
        if last is None or last[0] != key:
            rows = np.array([self.parameters(item) for item in items])
            skills = {item.skill: None for item in items} or {None: None}
            index = {skill: row for row, skill in enumerate(skills)}
            last = (
                key,
                Parameters(*rows.reshape(-1, len(Parameters._fields)).T.copy()),
                list(skills),
                np.array([index[item.skill] for item in items], np.int64),
            )
            self._asked["last"] = last  # in one go: other threads ask too
        return last[1], last[2], last[3]

    def _own(self, state: State, skill: str | None) -> tuple[float, float]:
        """Mean and variance of the learner's deviation on a skill; none where there is no skill."""
        return state.deltas.get(skill, (0.0, self.population.delta_variance)) if skill else NONE

    def predict_one(self, state: State, item: Item) -> tuple[float, float, float]:
        """(logit of P(correct), mean, sd of log time) of one item, as plain numbers."""
        population = self.population
        p, mean, sd = population.forecast(
            state.belief,
            self.parameters(item),
            *self._own(state, item.skill),
            population.x(state.answers),
        )
        p = min(max(p, P_BOUND), 1 - P_BOUND)
        return math.log(p / (1 - p)), mean, sd

    def predict_all(self, responses: Responses) -> Prediction:
        """Forecast every row from its learner's earlier rows, many learners at a time."""
        found = self.running(responses)
        return Prediction(1 / (1 + np.exp(-found.logit)), found.log_time_mean, found.log_time_sd)

    def running(self, responses: Responses) -> Running:
        """What `predict_one` says before each row and `update` does after it, learners abreast."""
        from studysmart.learning.lnirt_log import Table

        return Table.of(responses, self).running(self.population)

    def predict_hidden(self, responses: Responses, hidden: NDArray[np.bool_]) -> Prediction:
        """Forecast hidden answers from all visible ones of their learners, earlier and later.

        Cells of a table have no order, so nothing drifts between them.

        Args:
            responses: all answers; what hidden ones came to is not looked at.
            hidden: which are hidden, (row,).
        """
        still = replace(self.population, drift_theta=0.0, drift_zeta=0.0, drift_delta=0.0)
        model = replace(self, population=still)
        visible: dict[str, list[Response]] = {}
        asked: dict[str, tuple[list[int], list[Item]]] = {}
        for row, (learner, response) in enumerate(responses):
            if hidden[row]:
                rows, items = asked.setdefault(learner, ([], []))
                rows.append(row)
                items.append(response.item)
            else:
                visible.setdefault(learner, []).append(response)
        out = np.full((3, len(responses)), np.nan)
        for learner, (rows, items) in asked.items():
            told = model.predict(model.replay(visible.get(learner, ())), items)
            out[:, rows] = told.p_correct, told.log_time_mean, told.log_time_sd
        return Prediction(*out[:, hidden])

    def to_tensors(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Items as one matrix; the population as numbers. The prior travels beside it."""
        names = sorted(self.items)
        matrix = np.array([self.items[name] for name in names], dtype=np.float64)
        return (
            {"items": matrix.reshape(-1, len(Parameters._fields))},
            {"names": names, "population": asdict(self.population)},
        )

    @classmethod
    def from_tensors(
        cls, tensors: dict[str, NDArray[Any]], rest: dict[str, Any], models: Mapping[str, Any]
    ) -> Self:
        """Refuses items that do not belong to the names, and a population that cannot be."""
        prior = models.get("prior")
        items, names = tensors["items"], rest["names"]
        wanted = (len(names), len(Parameters._fields))
        if not isinstance(prior, Prior) or items.shape != wanted:
            msg = f"lnirt: 'items' has shape {items.shape}, expected {wanted}"
            raise ArtefactRejected(msg)
        numbers: dict[str, Any] = {
            f.name: float(rest["population"][f.name]) for f in fields(Population)
        }
        population = Population(**numbers | {"normal": bool(numbers["normal"])})
        rows = [Parameters(*row) for row in items.astype(float).tolist()]
        p = population
        positive = (p.v_zz, p.a, p.sigma2, p.scale, p.nu - 2, p.width)
        never_negative = (
            p.v_xx, p.c, p.var_b, p.var_lam, p.delta_variance,
            p.drift_theta, p.drift_zeta, p.drift_delta,
        )  # fmt: skip
        if (
            not all(math.isfinite(v) for v in asdict(p).values())
            or min(positive) <= 0
            or min(never_negative) < 0
            or p.v_zx**2 > p.v_zz * p.v_xx * (1 + 1e-6)  # no covariance
            or any(
                r.a <= 0 or r.sigma2 <= 0 or not 0 <= r.c < 1 or r.var_b < 0 or r.var_lam < 0
                for r in rows
            )
        ):
            msg = f"lnirt: an impossible population or item: {p}"
            raise ArtefactRejected(msg)
        return cls(prior, dict(zip(names, rows, strict=True)), population)


def _sum(weights: Array, values: Array) -> Numbers:
    """Sum over the grid of weights times values: a float for one learner, else (learner,)."""
    if weights.ndim == 1:
        return float(weights @ values) if values.ndim == 1 else weights @ values
    return np.einsum("qn,q->n" if values.ndim == 1 else "qn,qn->n", weights, values)


def difficulty_at(logit: Numbers, a: float, *, normal: bool) -> Numbers:
    """The b at which P(correct), averaged over learners, is logistic(logit)."""
    if normal:
        return -logit / 1.7 * math.sqrt(1 + NORMAL_SPREAD * a * a) / a
    return -logit * math.sqrt(1 + LOGISTIC_SPREAD * a * a) / a


def placed(population: Population, logit: float, log_time: float) -> Parameters:
    """An item of which the prior's chain alone is known: (logit of P(correct), mean log time)."""
    p = population
    b = difficulty_at(logit, p.a, normal=p.normal) + p.b_shift
    return Parameters(p.a, b, p.c, 1.0, log_time + p.lam_shift, p.sigma2, p.var_b, p.var_lam)
