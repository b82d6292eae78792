"""How well learners, items and single answers go with a fitted LNIRT.

What a well-behaved learner or item would show is known: squared standardised residuals of log time
add up to a chi-square, and the log-likelihood of right and wrong answers has a known mean and
variance given theta (l_z of Drasgow, Levine & Williams 1985). p-values are of what is at least as
odd; few are small when the model holds. The statistics are those of the R package LNIRT.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from studysmart.learning.lnirt_fit import NODE_MOMENTS, NODES, Cells, Fit, Index, probabilities

Array = NDArray[np.float64]
FLAGGED = 0.05
EXTREME = 2.0  # sd from which on a residual counts as extreme


class Group(NamedTuple):
    """Fit of learners or of items; arrays with one entry for each.

    answers_z: standardised log-likelihood of the answers; very negative: odd, such as hard items
    right and easy ones wrong. answers_p: share of well-behaved ones that would be as low.
    times_chi2: sum of squared standardised residuals of log time over `timed` answers; times_p:
    share of well-behaved ones that would be as high. flagged: odd in both, at 5 %.
    """

    answers_z: Array
    answers_p: Array
    times_chi2: Array
    times_p: Array
    timed: Array
    flagged: NDArray[np.bool_]


class Diagnostics(NamedTuple):
    """All of it.

    learners, items: fit of each. item_distance: (item,) largest distance of the distribution of an
    item's residuals of log time from the normal (Kolmogorov-Smirnov). answer_residual,
    time_residual: (row,) standardised, NaN where the time is unknown. time_extreme: (row,)
    posterior probability that the time is more than 2 sd from its mean.
    """

    learners: Group
    items: Group
    item_distance: Array
    answer_residual: Array
    time_residual: Array
    time_extreme: Array


def diagnose(fitted: Fit, cells: Cells) -> Diagnostics:
    """Judge these cells, usually those that were fitted."""
    found, who, what = fitted.posterior(cells), cells.who, cells.what
    # Right and wrong, averaged over the posterior of theta.
    p = probabilities(fitted)
    log_p, log_q = np.log(p), np.log1p(-p)
    mean = p * log_p + (1 - p) * log_q
    spread = p * (1 - p) * (log_p - log_q) ** 2
    weights = found.weights[who]
    right = cells.correct[:, None] == 1
    surprise = (weights * (np.where(right, log_p[what], log_q[what]) - mean[what])).sum(1)
    variance = (weights * spread[what]).sum(1)
    p_row = (weights * p[what]).sum(1)
    # Times, given speed's posterior.
    theta = (found.weights @ NODES).astype(float)
    second = (found.weights @ NODE_MOMENTS[2]).astype(float)
    z = np.ones((len(who), 1)) if cells.x is None else np.stack([np.ones(len(who)), cells.x], 1)
    at_1 = (found.at_1[who] * z).sum(1)
    speed = (found.at_0[who] * z).sum(1) + at_1 * theta[who]
    var_speed = np.einsum("rd,rde,re->r", z, found.cov[who], z)
    var_speed += at_1**2 * (second - theta**2)[who]
    late = cells.log_time - fitted.lam[what] + fitted.phi[what] * speed
    if cells.covariates is not None:
        late = late - cells.covariates @ fitted.effects
    sigma = np.sqrt(fitted.sigma2[what])
    # Knowing speed from the answer itself takes its share off the residual: leverage.
    leverage = np.minimum(fitted.phi[what] ** 2 * var_speed / sigma**2, 0.8)
    residual = late / (sigma * np.sqrt(1 - leverage))
    timed = np.isfinite(residual)
    squares = np.where(timed, residual, 0.0) ** 2
    own_sd = np.sqrt(np.maximum(leverage, 1e-12))
    extreme = _above((EXTREME - late / sigma) / own_sd) + _above((EXTREME + late / sigma) / own_sd)
    groups = [
        _group(index, n, surprise, variance, squares, timed)
        for index, n in ((who, cells.learners), (what, cells.items))
    ]
    return Diagnostics(
        groups[0],
        groups[1],
        np.array([_distance(residual[timed & (what == k)]) for k in range(cells.items)]),
        (cells.correct - p_row) / np.sqrt(p_row * (1 - p_row)),
        residual,
        np.where(timed, extreme, np.nan),
    )


def _group(
    index: Index, n: int, surprise: Array, variance: Array, squares: Array, timed: NDArray[np.bool_]
) -> Group:
    z = np.bincount(index, surprise, n) / np.sqrt(np.maximum(np.bincount(index, variance, n), 1e-9))
    count: Array = np.bincount(index, timed, n).astype(float)
    chi2: Array = np.bincount(index, squares, n).astype(float)
    times_p = chi2_above(chi2, count)
    answers_p = _above(-z)
    flagged = (answers_p < FLAGGED) & (times_p < FLAGGED)
    return Group(z, answers_p, chi2, times_p, count, flagged)


def _above(x: Array) -> Array:
    """P(standard normal > x); NaN where x is."""
    return np.array([0.5 * math.erfc(value / math.sqrt(2)) for value in x.tolist()])


def chi2_above(chi2: Array, df: Array) -> Array:
    """P(chi-square with df degrees of freedom > chi2), by Wilson & Hilferty (1931), to 0.01.

    1 where df is 0.
    """
    n = np.maximum(df, 1)
    z = ((chi2 / n) ** (1 / 3) - 1 + 2 / (9 * n)) / np.sqrt(2 / (9 * n))
    return np.where(df > 0, _above(z), 1.0)


def _distance(residuals: Array) -> float:
    """Largest distance between the residuals' distribution function and the normal's."""
    n = len(residuals)
    if n == 0:
        return 0.0
    below = 1 - _above(np.sort(residuals))
    steps = np.arange(n + 1) / n
    return float(max((below - steps[:-1]).max(), (steps[1:] - below).max()))
