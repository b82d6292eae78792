"""Confidence sequences: valid at every look, and narrow enough to find a difference."""

from __future__ import annotations

import math

import numpy as np
import pytest

from studysmart.learning.sequential import Interval, half_width, path, tightest_at

ALPHA, MOST = 0.05, 3_000
RHO2 = tightest_at(600, ALPHA)


def watched(rng: np.random.Generator, *, mean: float, persistent: float, learners: int = 30):
    """Answers of several learners whose own differences persist."""
    who = rng.integers(learners, size=MOST)
    own = persistent * rng.normal(size=learners)
    return mean + own[who] + rng.normal(size=MOST), who.astype(str)


def decided(found: list[Interval]) -> int | None:
    """Answers after which somebody who watches would have stopped."""
    return next((one.answers for one in found if one.low > 0 or one.high < 0), None)


def test_the_width_is_the_published_formula():
    """Robbins' mixture: at n rho^2 = 1, sigma = 1: sqrt(2 * 2 / n * log(sqrt(2) / alpha))."""
    expected = math.sqrt(2 * 2 / 100 * math.log(math.sqrt(2) / 0.05))
    assert half_width(100, 1.0, alpha=0.05, rho2=0.01) == pytest.approx(expected)


@pytest.mark.parametrize("answers", [100, 1_000, 20_000])
def test_the_interval_is_narrowest_where_it_was_asked_to_be(answers: int):
    """Any other scale of the mixture is wider there, up to the approximation of the optimum."""
    best = half_width(answers, 1.0, alpha=ALPHA, rho2=tightest_at(answers, ALPHA))
    for other in (0.2, 0.5, 2.0, 5.0):
        rho2 = other * tightest_at(answers, ALPHA)
        assert half_width(answers, 1.0, alpha=ALPHA, rho2=rho2) >= best * 0.9999


@pytest.mark.parametrize("persistent", [0.0, 0.1, 0.3])
def test_where_nothing_differs_watching_raises_no_more_alarms_than_allowed(persistent: float):
    """In 400 simulated A/A tests, each looked at 60 times; naive intervals alarm in a third."""
    rng = np.random.default_rng(7)
    alarms = naive = 0
    for _ in range(400):
        values, who = watched(rng, mean=0.0, persistent=persistent)
        found = path(values, who, alpha=ALPHA, rho2=RHO2)
        alarms += decided(found) is not None
        # The width of an interval for one look, from that for all looks.
        shrunk = [
            one.mean
            + np.array([-1, 1]) * (one.high - one.mean) * 1.96 / math.sqrt(one.answers)
            / half_width(one.answers, 1.0, alpha=ALPHA, rho2=RHO2)
            for one in found
        ]  # fmt: skip
        naive += any(low > 0 or high < 0 for low, high in shrunk)
    assert alarms / 400 <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / 400)
    assert naive / 400 > 0.2


def test_a_real_difference_is_found_and_its_sign_is_right():
    """A fifth of a standard deviation, within some hundred answers."""
    rng = np.random.default_rng(8)
    when = []
    for _ in range(100):
        values, who = watched(rng, mean=0.2, persistent=0.1)
        found = path(values, who, alpha=ALPHA, rho2=RHO2)
        at = decided(found)
        assert at is not None
        assert next(one for one in found if one.answers == at).low > 0
        when.append(at)
    assert np.median(when) < 600


def test_too_few_answers_give_no_interval():
    """An asymptotic statement about five answers would be a guess."""
    assert [] == path(np.ones(49), np.array(["a"] * 49), alpha=ALPHA, rho2=RHO2)


def test_answers_without_a_value_are_left_out():
    """A missing time is no time."""
    values = np.r_[np.ones(60), np.full(40, np.nan)]
    (*_, last) = path(values, np.array(["a"] * 100), alpha=ALPHA, rho2=RHO2)
    assert (60, 1.0, 1.0, 1.0) == tuple(last)
