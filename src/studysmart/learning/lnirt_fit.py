"""Fitting LNIRT: marginal maximum likelihood, learners integrated out, items shrunk.

The E-step has theta on a grid and the rest of a learner in closed form (see `lnirt`); the M-step
is two Fisher steps an item for (log a, a b), weighted regressions for (lam, phi), and parameter
expansion (Liu, Rubin & Wu 1998) for the scales of ability and speed. The items' normal priors are
fitted along (empirical Bayes), each with a few pseudo-items of a sane value, so that a log of one
answer gives the prior and a large table gives its own. Iterations are extrapolated (SQUAREM,
Varadhan & Roland 2008) and end when the parameters stand still.

Cells go into matrices learners x items where most are filled, and stay a list of rows where few
are, with the same notation; so a full table costs matrix products and a sparse log costs time and
memory in proportion to its answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from studysmart.learning.lnirt import (
    LOGISTIC_SPREAD,
    NORMAL_SPREAD,
    OGIVE_1,
    OGIVE_3,
    Array,
    Options,
    Population,
    difficulty_at,
)
from studysmart.learning.model import Prediction

Index = NDArray[np.int64]

MOST_STEPS = 60
TOLERANCE = 1e-3
# With more, the items' own steps cost more than the E-step, and one a round is enough.
MANY_ITEMS = 1_000
# The fit weighs theta on fewer nodes than the forecast does: half the cost, and the difference is
# below the standard errors.
NODES: Array = np.linspace(-4.2, 4.2, 25)
NODE_MOMENTS: Array = np.stack([np.ones_like(NODES), NODES, NODES**2])
LOG_NODES: Array = -0.5 * NODES**2 + math.log((NODES[1] - NODES[0]) / math.sqrt(2 * math.pi))


class Pseudo(NamedTuple):
    """What an empirical-Bayes variance starts from: this value, worth so many items."""

    variance: float
    items: float


LOG_A, PHI = Pseudo(0.06, 4), Pseudo(0.04, 4)
INTERCEPT, LAM = Pseudo(0.5, 2), Pseudo(0.15, 2)
PSEUDO_LEARNERS = 2.0
# Learners whose ability says nothing of their speed: a prior of sd 0.22 on the correlation. A few
# learners show large ones of either sign by chance.
UNRELATED_LEARNERS = 20.0
SPEED_0, TREND_0, SIGMA2_0 = 0.09, 0.01, 0.25
A_0, A_NORMAL = 1.2, 0.8


class Stop(StrEnum):
    """Why a fit ended."""

    CONVERGED = "converged"
    MOST_STEPS = "most steps"


@dataclass(frozen=True)
class Cells:
    """Answers as rows of equal length.

    who, what: learner and item of each row, 0, 1, ...
    correct: 1 or 0. log_time: log-seconds, NaN where unknown.
    x: position in the learner's own order, about -1..1; None: speed has no trend.
    covariates: (row, covariate), known facts of a row that move log time, such as its block.
    place: (item, 2), logit of P(correct) and mean log time that an item is shrunk to; None: the
    items' mean.
    """

    who: Index
    what: Index
    correct: Array
    log_time: Array
    learners: int
    items: int
    x: Array | None = None
    covariates: Array | None = None
    place: Array | None = None


@dataclass(frozen=True)
class Fit:
    """What was fitted; arrays (item,).

    cov_ab: (item, 3), posterior variance of log a, covariance, variance of b. cov_lp: the same of
    (lam, phi). effects: what each covariate adds to log time.
    log_likelihood: marginal, natural logarithm. stop: why it ended, after so many steps.
    """

    a: Array
    b: Array
    c: Array
    phi: Array
    lam: Array
    sigma2: Array
    cov_ab: Array
    cov_lp: Array
    effects: Array
    population: Population
    log_likelihood: float
    steps: int
    stop: Stop

    def posterior(self, cells: Cells) -> Posterior:
        """What these cells, of any learners, say of their learners."""
        sums = _Sums(cells)
        sums.adjust(self.effects)
        point = self._point()
        return _posterior(sums, point, _know(point, normal=self.population.normal)[0])

    def predict(
        self, posterior: Posterior, who: Index, what: Index, *,
        x: Array | None = None, covariates: Array | None = None,
    ) -> Prediction:  # fmt: skip
        """Forecast cells of learners of that posterior; all arguments are arrays (cell,).

        What is not known of the item is integrated over, with that of the learner.
        """
        p = probabilities(self)
        p_correct = np.einsum("rq,rq->r", posterior.weights[who], p[what])
        # The time.
        mean_theta, second = (posterior.weights @ NODE_MOMENTS[1:].T).astype(float).T
        z = np.ones((len(who), 1)) if x is None else np.stack([np.ones(len(who)), x], axis=1)
        at_0 = (posterior.at_0[who] * z).sum(1)
        at_1 = (posterior.at_1[who] * z).sum(1)
        given = np.einsum("rd,rde,re->r", z, posterior.cov[who], z)
        nu = self.population.nu - 2
        kappa = (nu + posterior.squares) / (nu + posterior.timed)
        speed = at_0 + at_1 * mean_theta[who]
        var_speed = given + at_1**2 * (second - mean_theta**2)[who]
        mean = self.lam[what] - self.phi[what] * speed
        if covariates is not None:
            mean = mean + covariates @ self.effects
        ll, lp, pp = self.cov_lp[what].T
        sd = np.sqrt(
            kappa[who] * self.sigma2[what]
            + self.phi[what] ** 2 * var_speed
            + ll - 2 * speed * lp + (speed**2 + var_speed) * pp
        )  # fmt: skip
        return Prediction(p_correct, mean, self.population.width * sd)

    def _point(self) -> _Point:
        p, d = self.population, 2 if self.population.v_xx > 0 else 1
        k, v = np.array([p.k_zeta, p.k_xi]), np.array([[p.v_zz, p.v_zx], [p.v_zx, p.v_xx]])
        log_phi, log_sigma2 = np.log(self.phi), np.log(self.sigma2)
        mean = np.array([0.0, p.xi])[:d]
        return _Point(
            np.log(self.a), self.a * self.b, self.c, log_phi, self.lam, log_sigma2, mean, k[:d],
            v[:d, :d], self.effects, _Prior(0, 1, 0, 1, 0, 1, 0, 1),
        )  # fmt: skip


class Posterior(NamedTuple):
    """Learners given their cells; first axis learners, d = 2 with a trend of speed, else 1.

    weights: (learner, node) of theta. at_0, at_1: (learner, d), E[(zeta, xi) | theta] =
    at_0 + at_1 theta. cov: (learner, d, d), of (zeta, xi) given theta. squares: (learner,), sum of
    squared standardised residuals, of mean `timed`, the answers with a time. log_likelihood:
    (learner,), natural logarithm, but for what the items' own spreads add.
    """

    weights: Array
    at_0: Array
    at_1: Array
    cov: Array
    squares: Array
    timed: Array
    log_likelihood: Array


def probabilities(fitted: Fit) -> Array:
    """P(correct) of each item at each node, (item, node), over what is not known of the item."""
    a = fitted.a[:, None]
    eta = a * (NODES - fitted.b[:, None])
    # a (theta - b) has a variance of its own at each theta.
    aa, ab, bb = (column[:, None] for column in fitted.cov_ab.T)
    variance = np.maximum(eta**2 * aa - 2 * eta * a * ab + a * a * bb, 0.0)
    spread = NORMAL_SPREAD if fitted.population.normal else LOGISTIC_SPREAD
    eta = eta / np.sqrt(1 + spread * variance)
    if fitted.population.normal:
        eta = eta * (OGIVE_1 + OGIVE_3 * eta * eta)
    c = fitted.c[:, None]
    return np.asarray(c + (1 - c) / (1 + np.exp(-np.clip(eta, -30, 30))))


class _Layout:
    """Where the cells are; makes matrices learners x items of what is given row by row."""

    def __init__(self, who: Index, what: Index, learners: int, items: int) -> None:
        self.who, self.what, self.shape = who, what, (learners, items)
        self.dense = learners * items <= 6 * len(who) + 10_000

    def matrix(self, values: Array, dtype: Any = np.float64) -> Any:
        """A dense matrix where most cells are filled, else a sparse one; rows of a cell add up."""
        if self.dense:
            flat, size = self.who * self.shape[1] + self.what, self.shape[0] * self.shape[1]
            return np.bincount(flat, values, size).astype(dtype).reshape(self.shape)
        from scipy.sparse import csr_array  # comes with JAX; a sparse product takes 1/30 of NumPy's

        return csr_array((values.astype(dtype), (self.who, self.what)), shape=self.shape)


class _Sums:
    """The cells as matrices: right and wrong answers, and powers of time and position."""

    def __init__(self, cells: Cells) -> None:
        who, what, n, k = cells.who, cells.what, cells.learners, cells.items
        self.cells = cells
        # An item answered right and the same answered wrong are two columns of one matrix.
        outcome = np.where(cells.correct == 1, what, what + k)
        self.outcomes = _Layout(who, outcome, n, 2 * k).matrix(np.ones(len(who)), np.float32)
        self.right = np.bincount(what, cells.correct, k)
        self.answers = np.bincount(what, minlength=k).astype(float)
        timed = np.isfinite(cells.log_time)
        self.rows = np.flatnonzero(timed)
        self.who, self.what = who[timed], what[timed]
        self.layout = _Layout(self.who, self.what, n, k)
        self.log_time = cells.log_time[timed]
        self.d = 1 if cells.x is None else 2
        self.x = None if cells.x is None else cells.x[timed]
        self.covariates = None if cells.covariates is None else cells.covariates[timed]
        self.timed = np.bincount(self.who, minlength=n).astype(float)
        self.item_timed = np.bincount(self.what, minlength=k).astype(float)
        ones = np.ones(len(self.rows))
        powers = [ones] if self.x is None else [ones, self.x, self.x**2]
        self.powers = [self.layout.matrix(power) for power in powers]
        self.adjust(None)

    def adjust(self, effects: Array | None) -> None:
        """Take what the covariates add out of the times."""
        t = self.log_time
        if effects is not None and self.covariates is not None:
            t = t - self.covariates @ effects
        self.t = t
        self.times = [self.layout.matrix(t)]
        if self.x is not None:
            self.times.append(self.layout.matrix(t * self.x))
        self.squared = self.layout.matrix(t * t)
        self.item_squared = np.bincount(self.what, t * t, self.cells.items)


class _Prior(NamedTuple):
    """Means and variances of the items' parameters; of intercept and lam, around their places."""

    log_a: float
    var_log_a: float
    intercept: float
    var_intercept: float
    phi: float
    var_phi: float
    lam: float
    var_lam: float


@dataclass
class _Point:
    """One point of the iteration; `vector` and `from_vector` are what SQUAREM extrapolates."""

    log_a: Array
    intercept: Array
    c: Array
    log_phi: Array
    lam: Array
    log_sigma2: Array
    mean: Array  # (d,), of (zeta, xi) at theta = 0; that of zeta stays 0
    k: Array  # (d,)
    v: Array  # (d, d)
    effects: Array
    prior: _Prior

    def vector(self) -> Array:
        """Everything but c, which moves slowly and stays in bounds by itself."""
        sd = np.sqrt(np.diag(self.v))
        parts = [self.log_a, self.intercept, self.log_phi, self.lam, self.log_sigma2, self.k / sd]
        parts += [2 * np.log(sd), self.mean, self.effects]
        if len(sd) == 2:
            parts.append(np.arctanh(self.v[:1, 1] / (sd[0] * sd[1])))
        return np.concatenate(parts)

    def at(self, vector: Array) -> _Point:
        """The point at a vector."""
        n, d, p = len(self.lam), len(self.k), len(self.effects)
        ends = np.cumsum([n, n, n, n, n, d, d, d, p])
        log_a, intercept, log_phi, lam, log_sigma2, k, log_v, mean, effects, last = np.split(
            vector, ends
        )
        sd = np.exp(0.5 * log_v)
        v = np.diag(sd**2)
        if d == 2:
            v[0, 1] = v[1, 0] = math.tanh(last[0]) * sd[0] * sd[1]
        return _Point(
            log_a, intercept, self.c, log_phi, lam, log_sigma2, mean, k * sd, v, effects, self.prior
        )


def _know(point: _Point, *, normal: bool) -> tuple[Array, Array | float]:
    """(P(knowing) (item, node), slope of its logit in a theta - intercept)."""
    x = np.exp(point.log_a)[:, None] * NODES - point.intercept[:, None]
    slope: Array | float = 1.0
    if normal:
        x, slope = x * (OGIVE_1 + OGIVE_3 * x * x), OGIVE_1 + 3 * OGIVE_3 * x * x
    # A probability of exactly 1 would have no logarithm on its other side.
    return 1 / (1 + np.exp(np.minimum(np.maximum(-x, -30), 30))), slope


def _posterior(sums: _Sums, point: _Point, know: Array) -> Posterior:
    c, d = point.c[:, None], sums.d
    p = c + (1 - c) * know
    table = np.log(np.concatenate([p, 1 - p]).astype(np.float32))
    like = sums.outcomes @ table + LOG_NODES.astype(np.float32)
    # Times: precision P, pull h and sum of squares of (zeta, xi), then theta in a polynomial.
    phi, sigma2, lam = np.exp(point.log_phi), np.exp(point.log_sigma2), point.lam
    weight = np.stack([phi**2 / sigma2, phi * lam / sigma2, lam**2 / sigma2], axis=1)
    late = np.stack([phi / sigma2, -2 * lam / sigma2, 1 / sigma2], axis=1)
    by_power = [power @ weight[:, : 3 if k == 0 else 2] for k, power in enumerate(sums.powers)]
    by_time = [times @ late[:, : 2 if k == 0 else 1] for k, times in enumerate(sums.times)]
    squares = by_power[0][:, 2] + by_time[0][:, 1] + (sums.squared @ late[:, 2:])[:, 0]
    n = len(squares)
    P, h = np.empty((n, d, d)), np.empty((n, d))
    for i in range(d):
        h[:, i] = by_power[i][:, 1] - by_time[i][:, 0]
        for j in range(d):
            P[:, i, j] = by_power[i + j][:, 0]
    mean, k, v = point.mean, point.k, point.v
    squares = squares - 2 * h @ mean + np.einsum("nij,i,j->n", P, mean, mean)
    h = h - P @ mean
    inside = np.eye(d) + P @ v
    cov = v @ np.linalg.inv(inside)
    at_0 = np.einsum("nij,nj->ni", cov, h)
    pk = P @ k
    at_1 = k - np.einsum("nij,nj->ni", cov, pk)
    polynomial = np.stack(
        [squares - (h * at_0).sum(1), -2 * (h * at_1).sum(1), (pk * at_1).sum(1)], axis=1
    )
    like -= (0.5 * polynomial @ NODE_MOMENTS).astype(np.float32)
    top = like.max(1, keepdims=True)
    weights = np.exp(like - top)
    total = weights.sum(1, keepdims=True)
    weights /= total
    log_likelihood = (top + np.log(total))[:, 0] - 0.5 * np.linalg.slogdet(inside)[1]
    log_likelihood = log_likelihood - 0.5 * sums.timed * math.log(2 * math.pi)
    squares = (weights @ NODE_MOMENTS.T.astype(np.float32) * polynomial).sum(1)
    return Posterior(weights, at_0 + mean, at_1, cov, squares, sums.timed, log_likelihood)


def _step(sums: _Sums, point: _Point, options: Options) -> tuple[_Point, Posterior, Array, Array]:
    """One round of EM: (new point, posterior at the old one, covariances of items)."""
    cells, n_items = sums.cells, sums.cells.items
    now = _know(point, normal=bool(options.normal))
    know = now[0]
    found = _posterior(sums, point, know)
    w, at_0, at_1 = found.weights, found.at_0, found.at_1
    # Learners: moments of theta and speed.
    theta_1, theta_2 = (w @ NODE_MOMENTS[1:].T.astype(np.float32)).astype(float).T
    at_0 = at_0 - point.mean
    speed = at_0 + at_1 * theta_1[:, None]
    both = at_0[:, :, None] * at_1[:, None, :]
    speed_2 = (
        found.cov
        + at_0[:, :, None] * at_0[:, None, :]
        + (both + both.transpose(0, 2, 1)) * theta_1[:, None, None]
        + at_1[:, :, None] * at_1[:, None, :] * theta_2[:, None, None]
    )
    # Population.
    mean = theta_1.mean()
    sd = min(max(math.sqrt(theta_2.mean() - mean**2), 0.5), 2.0)
    cross = (at_0 * theta_1[:, None] + at_1 * theta_2[:, None]).sum(0)
    k = cross / (theta_2.sum() + UNRELATED_LEARNERS)
    # Learners without times say nothing of how speeds differ.
    v = speed_2[sums.timed > 0].sum(0) + PSEUDO_LEARNERS * np.diag([SPEED_0, TREND_0][: sums.d])
    v = v / ((sums.timed > 0).sum() + PSEUDO_LEARNERS) - np.outer(k, k) * theta_2.mean()
    # Items: right or wrong. Parameter expansion: theta = mean + sd theta', so that theta' is
    # standard.
    places = _places(cells, point.prior.log_a, options)
    mass = (sums.outcomes.T @ w).astype(float)
    right, all_ = mass[:n_items], mass[:n_items] + mass[n_items:]
    c = point.c
    if options.guessing:
        guess = c[:, None]
        right = right * know / (guess + (1 - guess) * know)
        guessed = sums.right - right.sum(1)
        c = (guessed + 19) / (guessed + (all_ - mass[:n_items]).sum(1) + 98)
    log_a, intercept, cov = _answers(point, now, right, all_, places[0], options)
    intercept, log_a = intercept - np.exp(log_a) * mean, log_a + math.log(sd)
    # Items: times.
    centre = speed.mean(0)
    speed_2 = speed_2 + _outer(speed, point.mean) + _outer(point.mean, speed + point.mean)
    speed = speed + point.mean
    log_phi, lam, log_sigma2, cov_lp = _times(sums, point, speed, speed_2, places[1])
    # Speed is 0 on average: what the learners have in common goes to the items, and to the trend.
    lam = lam - np.exp(log_phi) * centre[0]
    speed[:, 0] -= centre[0]
    k = k * sd
    scale = math.exp(float(log_phi.mean()))
    effects = point.effects
    if len(effects):
        effects = _effects(sums, lam, np.exp(log_phi), np.exp(log_sigma2), speed)
    new = _Point(
        log_a, intercept, c, log_phi - math.log(scale), lam, log_sigma2,
        (point.mean + centre) * np.arange(sums.d) * scale, k * scale, v * scale**2,
        effects, point.prior,
    )  # fmt: skip
    new.prior = _fitted_prior(new, places, cov, cov_lp)
    return new, found, cov, cov_lp


def _outer(first: Array, second: Array) -> Array:
    """Outer products row by row: (learner, d, d)."""
    return first[..., :, None] * second[..., None, :]


def _shrunk_variance(squares: Array, pseudo: Pseudo) -> float:
    """Empirical-Bayes variance: mean of expected squares, with pseudo-items."""
    return float((squares.sum() + pseudo.items * pseudo.variance) / (len(squares) + pseudo.items))


def _places(cells: Cells, log_a: float, options: Options) -> tuple[Array, Array]:
    """Where the priors of the intercept and lam have their means, up to a constant."""
    if cells.place is None:
        zero = np.zeros(cells.items)
        return zero, zero
    a = math.exp(log_a)
    return a * difficulty_at(cells.place[:, 0], a, normal=bool(options.normal)), cells.place[:, 1]


def _centre(values: Array, variances: Array, spread: float) -> float:
    """Mean of the items' prior: items that say much count more; half a pseudo-item at 0."""
    weights = spread / (spread + variances)
    return float((weights * values).sum() / (weights.sum() + 0.5))


def _answers(
    point: _Point,
    now: tuple[Array, Array | float],
    right: Array,
    all_: Array,
    place: Array,
    options: Options,
) -> tuple[Array, Array, Array]:
    """(log a, intercept, their covariances (item, 3)): Fisher steps from the point.

    now: what `_know` says there.
    """
    prior, at = point.prior, replace(point)
    for again in range(2):
        know, slope = now if again == 0 else _know(at, normal=bool(options.normal))
        expected = all_ * know
        score = (right - expected) * slope @ NODE_MOMENTS[:2].T
        info = expected * (1 - know) * slope**2 @ NODE_MOMENTS.T
        # The derivative of a theta - intercept: a theta by log a, -1 by the intercept.
        a = np.exp(at.log_a)
        up_a = a * score[:, 1] - (at.log_a - prior.log_a) / prior.var_log_a
        up_d = -score[:, 0] - (at.intercept - place - prior.intercept) / prior.var_intercept
        aa = a * a * info[:, 2] + 1 / prior.var_log_a
        ad = -a * info[:, 1]
        dd = info[:, 0] + 1 / prior.var_intercept
        det = aa * dd - ad * ad
        at.log_a = at.log_a + np.clip((dd * up_a - ad * up_d) / det, -0.7, 0.7)
        at.intercept = at.intercept + np.clip((aa * up_d - ad * up_a) / det, -2, 2)
        if len(a) > MANY_ITEMS:
            break
    return at.log_a, at.intercept, np.stack([dd / det, -ad / det, aa / det], axis=1)


def _times(
    sums: _Sums, point: _Point, speed: Array, speed_2: Array, place: Array
) -> tuple[Array, Array, Array, Array]:
    """(log phi, lam, log sigma2, covariances of (lam, phi) (item, 3)): regressions on speed."""
    prior, sigma2 = point.prior, np.exp(point.log_sigma2)
    ones = np.ones(len(speed))
    n, s, ss = (sums.powers[0].T @ np.stack([ones, speed[:, 0], speed_2[:, 0, 0]], axis=1)).T
    t, ts = (sums.times[0].T @ np.stack([ones, speed[:, 0]], axis=1)).T
    if sums.d == 2:
        extra = sums.powers[1].T @ np.stack([speed[:, 1], 2 * speed_2[:, 0, 1]], axis=1)
        s = s + extra[:, 0]
        ss = ss + extra[:, 1] + (sums.powers[2].T @ speed_2[:, 1, 1:])[:, 0]
        ts = ts + (sums.times[1].T @ speed[:, 1:])[:, 0]
    tt = sums.item_squared
    # log T = lam - phi s: regression on (1, -s).
    a11 = n / sigma2 + 1 / prior.var_lam
    a12 = -s / sigma2
    a22 = ss / sigma2 + 1 / prior.var_phi
    b1 = t / sigma2 + (place + prior.lam) / prior.var_lam
    b2 = -ts / sigma2 + prior.phi / prior.var_phi
    det = a11 * a22 - a12 * a12
    lam, phi = (a22 * b1 - a12 * b2) / det, (a11 * b2 - a12 * b1) / det
    phi = np.maximum(phi, 0.05)
    cov = np.stack([a22, -a12, a11], axis=1) / det[:, None]
    squares = tt - 2 * lam * t + 2 * phi * ts + lam**2 * n - 2 * lam * phi * s + phi**2 * ss
    # What is not known of lam and phi: without it a few answers would look too regular.
    squares = np.maximum(squares, 0) + cov[:, 0] * n - 2 * cov[:, 1] * s + cov[:, 2] * ss
    log_sigma2 = _shrunk_sigma2(squares, sums.item_timed)
    return np.log(phi), lam, log_sigma2, cov


def _shrunk_sigma2(squares: Array, n: Array) -> Array:
    """Log residual variances, shrunk to their common value (Smyth 2004, limma).

    The degrees of freedom of the prior are those at which the variances differ by as much as the
    raw ones do beyond chance.
    """
    known = n > 2
    common = (squares.sum() + 2 * SIGMA2_0) / (n.sum() + 2)
    df = 10.0
    if known.sum() > 1:
        log_raw = np.log(np.maximum(squares[known] / n[known], 1e-6))
        chance = _trigamma(n[known] / 2)
        weight = 1 / (chance + 0.05)
        mean = (weight * log_raw).sum() / weight.sum()
        excess = (weight * ((log_raw - mean) ** 2 - chance)).sum() / weight.sum()
        df = 2 * (1 / max(excess, 0.004) + 0.5)
    return np.asarray(np.log((squares + df * common) / (n + df)))


def _effects(sums: _Sums, lam: Array, phi: Array, sigma2: Array, speed: Array) -> Array:
    """What each covariate adds to log time: weighted least squares with a slight ridge."""
    covariates, what = np.asarray(sums.covariates), sums.what
    pace = speed[sums.who, 0]
    if sums.x is not None:
        pace = pace + speed[sums.who, 1] * sums.x
    weighted = covariates / sigma2[what][:, None]
    pull = weighted.T @ (sums.log_time - lam[what] + phi[what] * pace)
    return np.asarray(np.linalg.solve(weighted.T @ covariates + 1e-3 * np.eye(len(pull)), pull))


def _fitted_prior(point: _Point, places: tuple[Array, Array], cov: Array, cov_lp: Array) -> _Prior:
    """Means and variances of the items' parameters, given what is known of each."""
    old, phi, n = point.prior, np.exp(point.log_phi), len(point.lam)
    intercept, lam = point.intercept - places[0], point.lam - places[1]
    log_a_0 = float(point.log_a.sum() / (n + 1))
    d_0 = _centre(intercept, cov[:, 2], old.var_intercept)
    lam_0 = _centre(lam, cov_lp[:, 0], old.var_lam)
    phi_0 = float((phi.sum() + 1) / (n + 1))
    return _Prior(
        log_a_0, _shrunk_variance((point.log_a - log_a_0) ** 2 + cov[:, 0], LOG_A),
        d_0, _shrunk_variance((intercept - d_0) ** 2 + cov[:, 2], INTERCEPT),
        phi_0, _shrunk_variance((phi - phi_0) ** 2 + cov_lp[:, 2], PHI),
        lam_0, _shrunk_variance((lam - lam_0) ** 2 + cov_lp[:, 0], LAM),
    )  # fmt: skip


def _trigamma(x: Array) -> Array:
    """Second derivative of log gamma."""
    shift = np.sum([1 / (x + i) ** 2 for i in range(6)], axis=0)
    y = x + 6
    return np.asarray(1 / y + 1 / (2 * y**2) + 1 / (6 * y**3) - 1 / (30 * y**5) + shift)


def _log_gamma(x: Array) -> Array:
    """Log gamma: Stirling's series after a shift by six."""
    shift = np.sum([np.log(x + i) for i in range(6)], axis=0)
    y = x + 6
    stirling = (y - 0.5) * np.log(y) - y + 0.5 * math.log(2 * math.pi)
    return np.asarray(stirling + 1 / (12 * y) - 1 / (360 * y**3) + 1 / (1260 * y**5) - shift)


def _degrees_of_freedom(squares: Array, n: Array) -> float:
    """The nu at which sums of n squares, one for each learner and each of mean 1, are likeliest.

    Their density is that of n times an F variable. The prior says 20, give or take a factor of 2.
    """
    nu = np.geomspace(5.0, 300.0, 60)[:, None]
    like = _log_gamma(0.5 * (nu + n)) - _log_gamma(0.5 * nu) + 0.5 * nu * np.log(nu - 2)
    like = (like - 0.5 * (nu + n) * np.log(nu - 2 + squares)).sum(1)
    like = like - 0.5 * (np.log(nu[:, 0] / 20) / math.log(2)) ** 2
    return float(nu[np.argmax(like), 0])


def surprises(sums: _Sums, fitted: Fit, found: Posterior) -> Array:
    """Each timed row's standardised surprise (row,), as if it had not been among the fitted.

    Leaving a row out of a linear fit divides its residual by 1 - leverage.
    """
    who, what = sums.who, sums.what
    z = np.ones((len(who), 1)) if sums.x is None else np.stack([np.ones(len(who)), sums.x], 1)
    mean, second = (found.weights @ NODE_MOMENTS[1:].T).astype(float).T
    at_1 = (found.at_1[who] * z).sum(1)
    speed = (found.at_0[who] * z).sum(1) + at_1 * mean[who]
    var = np.einsum("rd,rde,re->r", z, found.cov[who], z) + at_1**2 * (second - mean**2)[who]
    ll, lp, pp = fitted.cov_lp[what].T
    phi, sigma2 = fitted.phi[what], fitted.sigma2[what]
    leverage = (phi**2 * var + ll - 2 * speed * lp + speed**2 * pp) / sigma2
    z_2 = (sums.t - fitted.lam[what] + phi * speed) ** 2
    z_2 = z_2 / (sigma2 * np.maximum(1 - leverage, 0.2))
    nu = fitted.population.nu - 2
    others = np.maximum(found.squares[who] - z_2, 0.0)
    kappa = (nu + others) / (nu + np.maximum(sums.timed[who] - 1, 0))
    sign = np.sign(sums.t - fitted.lam[what] + phi * speed)
    return np.asarray(sign * np.sqrt(z_2 / kappa))


def _width(sums: _Sums, fitted: Fit, found: Posterior) -> float:
    """Factor on the sd at which the 90 % interval covers 90 %; with few answers 1."""
    n = len(sums.rows)
    if n < 20:
        return 1.0
    at_90 = float(np.quantile(np.abs(surprises(sums, fitted, found)), 0.9)) / 1.6449
    return min(max((n * at_90 + 200) / (n + 200), 0.8), 1.25)


def fit(cells: Cells, options: Options | None = None) -> Fit:
    """Fit; any number of cells will do, none included. Cells with positions have a trend."""
    options = options or Options()
    sums = _Sums(cells)
    if options.normal is not None:
        return _climbed(sums, _first(sums, options), options)[0]
    logistic, top = _climbed(sums, _first(sums, options), replace(options, normal=False))
    # An ogive is nearly a logistic of 1.7 times its argument.
    prior = top.prior._replace(
        log_a=top.prior.log_a - math.log(1.7),
        intercept=top.prior.intercept / 1.7,
        var_intercept=top.prior.var_intercept / 1.7**2,
    )
    near = replace(top, log_a=top.log_a - math.log(1.7), intercept=top.intercept / 1.7, prior=prior)
    normal, _ = _climbed(sums, near, replace(options, normal=True))
    return max(logistic, normal, key=lambda found: found.log_likelihood)


def _climbed(sums: _Sums, point: _Point, options: Options) -> tuple[Fit, _Point]:
    """(the fit that the iteration ends with, the point itself)."""
    steps, stop = 0, Stop.MOST_STEPS
    while steps < MOST_STEPS:
        one, found, cov, cov_lp = _stepped(sums, point, options)
        steps += 1
        start, first = point.vector(), one.vector()
        if _still(first - start, sums.cells.items):
            point, stop = one, Stop.CONVERGED
            break
        two, *_ = _stepped(sums, one, options)
        steps += 1
        # SQUAREM: along the two steps, as far as their shrinking promises.
        r, v = first - start, two.vector() - 2 * first + start
        length = min(math.sqrt(float(r @ r) / max(float(v @ v), 1e-12)), 8.0)
        point = two
        if length > 1:
            far = start + 2 * length * r + length**2 * v
            if np.isfinite(far).all():
                point = replace(two.at(far), prior=two.prior, c=two.c)
    return _published(sums, point, found, cov, cov_lp, options, steps, stop), point


def _still(moved: Array, items: int) -> bool:
    """The population stands still, and the items do on the whole."""
    of_items, population = moved[: 5 * items], moved[5 * items :]
    rms = math.sqrt(float(of_items @ of_items) / max(len(of_items), 1))
    return rms < 0.5 * TOLERANCE and bool((np.abs(population) < TOLERANCE).all())


def _stepped(
    sums: _Sums, point: _Point, options: Options
) -> tuple[_Point, Posterior, Array, Array]:
    if len(point.effects):
        sums.adjust(point.effects)
    return _step(sums, point, options)


def _first(sums: _Sums, options: Options) -> _Point:
    """Where the iteration starts: the items' own means, shrunk."""
    cells, n = sums.cells, sums.cells.items
    p = (sums.right + 1) / (sums.answers + 2)
    logit = np.log(p / (1 - p))
    sum_t = np.bincount(sums.what, sums.log_time, n)
    overall = sums.log_time.mean() if len(sums.log_time) else 0.0
    if cells.place is not None:
        weight = sums.answers / (sums.answers + 4)
        logit = weight * logit + (1 - weight) * cells.place[:, 0]
        lam = (sum_t + 2 * cells.place[:, 1]) / (sums.item_timed + 2)
    else:
        lam = (sum_t + overall) / (sums.item_timed + 1)
    residual = sums.log_time - lam[sums.what]
    person = np.bincount(sums.who, residual, cells.learners) / (sums.timed + 2)
    residual = residual - person[sums.who]
    sigma2 = (residual @ residual + 2 * SIGMA2_0) / (len(residual) + 2)
    d = sums.d
    a = A_NORMAL if options.normal else A_0
    v = np.diag([SPEED_0, TREND_0][:d])
    v[0, 0] = person @ person + PSEUDO_LEARNERS * SPEED_0
    v[0, 0] /= (sums.timed > 0).sum() + PSEUDO_LEARNERS
    p_0 = 0 if sums.covariates is None else sums.covariates.shape[1]
    intercept = a * difficulty_at(logit, a, normal=bool(options.normal))
    places = _places(cells, math.log(a), options)
    return _Point(
        np.full(n, math.log(a)), intercept, np.full(n, 0.2 if options.guessing else 0.0),
        np.zeros(n), lam,
        np.full(n, math.log(sigma2)), np.zeros(d), np.zeros(d), v, np.zeros(p_0),
        _Prior(
            math.log(a), LOG_A.variance, float((intercept - places[0]).mean()) if n else 0.0, 1.0,
            1.0, PHI.variance, float((lam - places[1]).mean()) if n else 0.0, 0.3,
        ),
    )  # fmt: skip


def _published(
    sums: _Sums, point: _Point, found: Posterior, cov: Array, cov_lp: Array, options: Options,
    steps: int, stop: Stop,
) -> Fit:  # fmt: skip
    prior, d, v = point.prior, sums.d, point.v
    # b = intercept / a: its spread by the delta method.
    a, typical = np.exp(point.log_a), math.exp(prior.log_a)
    b = point.intercept / a
    aa, ad, dd = cov.T
    ab = ad / a - b * aa
    bb = dd / a**2 - 2 * b * ad / a + b * b * aa
    population = Population(
        k_zeta=float(point.k[0]),
        k_xi=float(point.k[1]) if d == 2 else 0.0,
        xi=float(point.mean[1]) if d == 2 else 0.0,
        v_zz=float(v[0, 0]),
        v_zx=float(v[0, 1]) if d == 2 else 0.0,
        v_xx=float(v[1, 1]) if d == 2 else 0.0,
        nu=_degrees_of_freedom(found.squares, sums.timed),
        a=typical,
        c=float(point.c.mean()) if options.guessing and len(point.c) else 0.0,
        sigma2=math.exp(float(point.log_sigma2.mean())) if len(b) else SIGMA2_0,
        var_b=prior.var_intercept / typical**2,
        var_lam=prior.var_lam,
        b_shift=prior.intercept / typical,
        lam_shift=prior.lam,
        delta_variance=0.0,
        drift_theta=0.0,
        drift_zeta=0.0,
        drift_delta=0.0,
        normal=bool(options.normal),
    )
    fitted = Fit(
        a, b, point.c, np.exp(point.log_phi), point.lam,
        np.exp(point.log_sigma2), np.stack([aa, ab, bb], axis=1), cov_lp, point.effects, population,
        float(found.log_likelihood.sum()
              - 0.5 * (sums.item_timed * point.log_sigma2).sum()),
        steps, stop,
    )  # fmt: skip
    width = _width(sums, fitted, found)
    return replace(fitted, population=replace(population, width=width))
