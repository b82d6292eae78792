"""Scores against published formulas, other libraries, and their own laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from studysmart.learning import scores


def forecasts(n=400, seed=0):
    """(correct, P(correct), log time, mean, sd), calibrated."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.05, 0.95, n)
    mean, sd = rng.normal(2, 0.5, n), rng.uniform(0.3, 0.8, n)
    return (rng.random(n) < p).astype(float), p, rng.normal(mean, sd), mean, sd


def test_correctness_is_scored_as_other_libraries_score_it():
    """AUC, log loss and accuracy of scikit-learn, ties in the forecasts included."""
    correct, p, *rest = forecasts()
    p = np.round(p, 1)
    found = scores.summary(correct, p, *rest)
    assert pytest.approx(metrics.roc_auc_score(correct, p)) == found["auc"]
    assert pytest.approx(metrics.log_loss(correct, p)) == found["log_loss"]
    assert metrics.accuracy_score(correct, p >= 0.5) == found["accuracy"]


def test_the_continuous_ranked_probability_score_is_its_integral():
    """Of (forecast distribution - step at what happened) squared."""
    x = np.linspace(-12, 16, 60_001)
    cdf = scores.normal_cdf((x - 2.0) / 0.7)
    integral = ((cdf - (x >= 3.1)) ** 2).sum() * (x[1] - x[0])
    one = [np.array([value]) for value in (3.1, 2.0, 0.7)]
    assert pytest.approx(integral, abs=1e-3) == scores.crps(*one)[0]


def test_calibrated_forecasts_have_flat_histograms_and_small_errors():
    """Twentieths of the forecast times are hit alike; intervals cover what they say."""
    correct, p, log_time, mean, sd = forecasts(20_000, seed=1)
    found = scores.summary(correct, p, log_time, mean, sd)
    assert found["ece"] < 0.02
    assert pytest.approx(0.8, abs=0.01) == found["coverage_80"]
    assert pytest.approx(0.9, abs=0.01) == found["coverage_90"]
    assert pytest.approx(1000, rel=0.15) == np.array(scores.pit(log_time, mean, sd))


def test_the_reliability_table_adds_up_to_the_calibration_error():
    """Gaps weighted with answers; empty bins say None."""
    correct, p, *_ = forecasts()
    p = np.clip(p, 0.3, 1.0)
    table = scores.reliability(correct, p)
    assert None is table[0]["p"] is table[0]["correct"]
    error = sum(b["n"] * abs(b["p"] - b["correct"]) for b in table if b["n"]) / len(p)
    assert pytest.approx(error) == scores.calibration_error(correct, p)
    assert len(p) == sum(b["n"] for b in table)


def test_the_calibration_error_of_exact_forecasts_is_what_chance_makes_it():
    """Drawn again and again from the forecasts themselves, on few answers."""
    rng = np.random.default_rng(4)
    p = rng.uniform(0.02, 0.98, 500)
    drawn = [scores.calibration_error((rng.random(500) < p).astype(float), p) for _ in range(400)]
    assert pytest.approx(np.mean(drawn), rel=0.03) == scores.calibration_error_by_chance(p)


def test_a_forecast_of_one_is_in_the_last_bin():
    """Certainty has no bin of its own."""
    assert 2 == scores.reliability(np.array([1.0, 0.0]), np.array([1.0, 1.0]))[-1]["n"]


def test_what_cannot_be_scored_is_left_out():
    """One class has no AUC; no times, no time scores; nothing at all, only counts."""
    one = np.ones(3)
    found = scores.summary(one, one * 0.7, one * np.nan, one, one)
    assert "auc" not in found
    assert "crps" not in found
    assert 0 == found["n_timed"]
    none = np.empty(0)
    assert {"n": 0.0, "n_timed": 0.0} == scores.summary(none, none, none, none, none)


@given(st.lists(st.floats(0.001, 0.999), min_size=2, max_size=40), st.data())
def test_auc_does_not_care_for_scale_and_turns_over_with_the_answers(p, data):
    """Any increasing change of the forecasts leaves it; other answers give one minus it."""
    p = np.array(p)
    correct = np.array(data.draw(st.lists(st.booleans(), min_size=len(p), max_size=len(p))), float)
    found = scores.auc(correct, p)
    if found is None:
        assert correct.min() == correct.max()
    else:
        assert pytest.approx(found) == scores.auc(correct, p / 2)
        assert pytest.approx(1 - found) == scores.auc(1 - correct, p)


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0.05, 5))
def test_the_ranked_score_is_never_negative_and_best_at_the_mean(log_time, mean, sd):
    """And never above the distance, which a forecast without spread would score."""
    found = scores.crps(*(np.array([value]) for value in (log_time, mean, sd)))[0]
    at_mean = scores.crps(*(np.array([value]) for value in (mean, mean, sd)))[0]
    assert 0 < at_mean <= found + 1e-12
    assert found <= abs(log_time - mean) + sd


def test_resampled_scores_are_those_of_the_drawn_learners():
    """Drawing by hand and scoring with the plain formulas gives the same numbers."""
    correct, p, log_time, mean, sd = forecasts(600, seed=2)
    log_time[::7] = np.nan
    learner = np.array([f"learner {k % 12}" for k in range(600)])
    found = scores.resampled(learner, correct, log_time, [(p, mean, sd)], resamples=3, seed=5)
    names = np.unique(learner)
    drawn = np.random.default_rng(5).multinomial(12, np.full(12, 1 / 12), size=3)
    for draw in range(3):
        rows = np.concatenate(
            [np.tile(np.flatnonzero(learner == name), drawn[draw, k])
             for k, name in enumerate(names)]
        )  # fmt: skip
        plain = scores.summary(correct[rows], p[rows], log_time[rows], mean[rows], sd[rows])
        assert pytest.approx(plain["log_loss"]) == found["log_loss"][0, draw]
        assert pytest.approx(plain["auc"], abs=2e-4) == found["auc"][0, draw]
        assert pytest.approx(plain["log_time_rmse"]) == found["log_time_rmse"][0, draw]


def test_one_learner_cannot_be_resampled():
    """There is no spread over learners to be seen."""
    correct, p, log_time, mean, sd = forecasts(10)
    found = scores.resampled(
        np.array(["a"] * 10), correct, log_time, [(p, mean, sd)], resamples=4, seed=0
    )
    assert all(np.isnan(values).all() for values in found.values())


def test_the_point_of_students_t_is_that_of_scipy():
    """To 0.3 % from four degrees of freedom on."""
    for freedom in (4, 5, 7, 10, 30, 100, 10_000):
        assert pytest.approx(stats.t.ppf(0.975, freedom), rel=3e-3) == scores.t_975(freedom)


@pytest.mark.parametrize("learners", [8, 40])
def test_a_paired_interval_has_the_difference_in_it_nineteen_times_in_twenty(learners: int):
    """Also where learners differ from each other more than their answers do."""
    rng = np.random.default_rng(1)
    who = np.array([f"learner {k % learners}" for k in range(400)])
    hits = 0
    for _ in range(400):
        own = rng.normal(0, 1, learners)[np.arange(400) % learners]
        mean, low, high = scores.paired_interval(0.3 + own + rng.normal(0, 1, 400), who)
        assert low is not None
        assert high is not None
        assert low < mean < high
        hits += low <= 0.3 <= high
    assert 0.90 <= hits / 400 <= 0.99


def test_few_answers_have_no_interval_and_few_learners_one_over_answers():
    """Nine answers tell nothing; one learner's hundred tell what independent ones would."""
    assert (1.0, None, None) == scores.paired_interval(np.ones(9), np.array(["a"] * 9))
    assert (0.0, None, None) == scores.paired_interval(np.ones(0), np.array([], str))
    values = np.random.default_rng(2).normal(0, 1, 100)
    mean, low, high = scores.paired_interval(values, np.array(["a"] * 100))
    plain = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert pytest.approx((plain.low, plain.high), abs=1e-6) == (low, high)
    assert pytest.approx(values.mean()) == mean
