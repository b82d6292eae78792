"""Intervals that stay valid while one watches.

An interval that is right 95 times in 100 when it is looked at once is wrong almost half of the time
for somebody who looks after every answer and stops when it excludes zero. A confidence sequence is
right at every moment at once, so that looking costs nothing and any rule may decide when to stop.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from studysmart.learning.scores import FEWEST_LEARNERS, t_975

Z_975 = 1.959963984540054
# The sequence is asymptotic: fewer answers than these are not looked at.
FEWEST = 50


class Interval(NamedTuple):
    """A mean after so many answers, and the ends of its interval."""

    answers: int
    mean: float
    low: float
    high: float


def tightest_at(answers: float, alpha: float) -> float:
    """The mixture's scale, rho squared, that makes the interval narrowest after so many answers.

    Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), "Time-uniform central limit theory and
    asymptotic confidence sequences", Annals of Statistics 52(6), on the choice of rho.

    Args:
        answers: after which it should be narrowest.
        alpha: 1 less the coverage.
    """
    twice = -2 * math.log(alpha)
    return (twice + math.log(twice + 1)) / answers


def half_width(answers: int, variance: float, *, alpha: float, rho2: float) -> float:
    """Half the width of the interval around the mean of so many answers.

    Robbins' normal mixture as an asymptotic confidence sequence, as in the same paper: with
    probability 1 - alpha the mean stays inside at all times. For the difference of two forecasters'
    losses the mean is the average of what was to be expected at each answer, given all before it
    (Choe & Ramdas, 2023, "Comparing sequential forecasters", Operations Research 72(4)), so that
    neither independent nor identically distributed answers are assumed.

    Args:
        answers: n.
        variance: of one answer.
        alpha: 1 less the coverage.
        rho2: from `tightest_at`, chosen before the first answer.
    """
    grown = answers * rho2 + 1
    squared = 2 * grown / (answers**2 * rho2) * math.log(math.sqrt(grown) / alpha)
    return math.sqrt(variance * squared)


def path(
    values: NDArray[np.float64],
    learner: NDArray[np.str_],
    *,
    alpha: float,
    rho2: float,
    looks: int = 60,
) -> list[Interval]:
    """The mean and its interval as they grew, the last at all answers.

    Answers of one learner are alike. The variance is the larger of that of answers and, from five
    learners on, that of learners (Liang & Zeger 1986) widened as Student's t would for so few. With
    fewer learners the interval speaks of these alone.

    Args:
        values: of each answer in order of arrival, (answer,); NaN where there is none.
        learner: of each answer.
        alpha: 1 less the coverage.
        rho2: from `tightest_at`, chosen before the first answer.
        looks: at most so many, evenly spread on a logarithmic scale.

    Returns:
        Empty for fewer than 50 values.
    """
    known = np.isfinite(values)
    values, learner = values[known], learner[known]
    n = len(values)
    if n < FEWEST:
        return []
    _, who = np.unique(learner, return_inverse=True)
    groups = int(who.max()) + 1
    sums, counts, squares = np.zeros(groups), np.zeros(groups), 0.0
    found, done = [], 0
    for at in np.unique(np.geomspace(FEWEST, n, looks).round().astype(int)).tolist():
        further = slice(done, at)
        sums += np.bincount(who[further], values[further], groups)
        counts += np.bincount(who[further], minlength=groups)
        squares += float((values[further] ** 2).sum())
        done = at
        mean = float(sums.sum()) / at
        variance = max(0.0, squares / at - mean**2) * at / (at - 1)
        seen = int((counts > 0).sum())
        if seen >= FEWEST_LEARNERS:
            between = float(((sums - counts * mean) ** 2).sum()) * seen / (seen - 1) / at
            variance = max(variance, between * (t_975(seen - 1) / Z_975) ** 2)
        half = half_width(at, variance, alpha=alpha, rho2=rho2)
        found.append(Interval(at, mean, mean - half, mean + half))
    return found
