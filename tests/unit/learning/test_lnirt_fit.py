"""Fitting LNIRT: any log will do, and what does not matter changes nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from studysmart import learning
from studysmart.learning import Item, Lnirt, Responses, lnirt_fit
from studysmart.learning.lnirt import Options
from studysmart.learning.lnirt_diagnostics import chi2_above, diagnose
from studysmart.learning.lnirt_fit import Cells, Stop, fit
from studysmart.learning.simulate import SimulatedTest, simulate_test

STATIC = Options(drift=False)


def cells_from(test: SimulatedTest, **more: object) -> Cells:
    """The cells of a simulated test."""
    n, k = len(test.theta), len(test.a)
    return replace(Cells(test.who, test.what, test.correct, test.log_time, n, k), **more)


@pytest.mark.parametrize("answers", [0, 1, 2, 20])
@pytest.mark.parametrize("timed", [True, False])
def test_a_log_of_any_length_will_do(answers: int, timed: bool):
    """From no answer on, with times or without: finite, and near the prior."""
    table = learning.simulate(learners=2, answers=answers, seed=1)
    if not timed:
        table = replace(table, response_time_s=np.full(answers, np.nan))
    model = Lnirt.fit(table)
    item = Item("topic-0/easy", "skill-0", "topic-0", "easy")
    forecast = model.predict_one(model.start(), item)
    assert all(math.isfinite(value) for value in forecast)
    assert forecast[0] == pytest.approx(model.prior.parameters(item)[0], abs=1.2)
    assert all(math.isfinite(v) for row in model.items.values() for v in row)


def test_answers_all_right_or_all_wrong_will_do():
    """No difficulty runs away."""
    table = learning.simulate(learners=3, answers=60, seed=2)
    for correct in (0.0, 1.0):
        model = Lnirt.fit(replace(table, correct=np.full(60, correct)))
        assert all(abs(row.b) < 10 for row in model.items.values())


def test_the_same_answers_give_the_same_model():
    """To the bit: nothing is drawn."""
    table = learning.simulate(learners=5, answers=200, seed=5)
    first, second = Lnirt.fit(table), Lnirt.fit(table)
    assert first.items == second.items
    assert first.population == second.population


def test_the_names_of_learners_do_not_matter():
    """Permuting learners changes nothing but rounding."""
    table = learning.simulate(learners=5, answers=200, seed=5)
    renamed = np.array([f"{9 - int(name[-1])}" for name in table.learner.tolist()])
    first, second = Lnirt.fit(table), Lnirt.fit(replace(table, learner=renamed))
    for name, row in first.items.items():
        assert row == pytest.approx(second.items[name], abs=1e-4)


def test_few_filled_cells_are_fitted_as_many_are():
    """A sparse matrix and a dense one are two notations of the same sums."""
    test = simulate_test(learners=300, items=100, missing=0.95, seed=6)
    cells = cells_from(test)
    sparse = fit(cells, STATIC)
    layout = lnirt_fit._Layout(cells.who, cells.what, cells.learners, cells.items)
    assert not layout.dense
    with pytest.MonkeyPatch.context() as patched:
        plain = lnirt_fit._Layout.__init__

        def always_dense(self, *arguments):
            plain(self, *arguments)
            self.dense = True

        patched.setattr(lnirt_fit._Layout, "__init__", always_dense)
        dense = fit(cells, STATIC)
    assert sparse.b == pytest.approx(dense.b, abs=1e-4)
    assert sparse.lam == pytest.approx(dense.lam, abs=1e-4)
    assert sparse.log_likelihood == pytest.approx(dense.log_likelihood, abs=0.01)


def test_a_fit_says_how_it_ended():
    """Converged, in fewer steps than it may take."""
    found = fit(cells_from(simulate_test(learners=200, items=15, seed=7)), STATIC)
    assert Stop.CONVERGED == found.stop
    assert found.steps < lnirt_fit.MOST_STEPS


def test_the_marginal_likelihood_is_that_of_numerical_integration():
    """One learner, two items: against the plain integral over theta and zeta."""
    test = simulate_test(learners=80, items=2, seed=8)
    fitted = fit(cells_from(test), STATIC)
    one = Cells(np.zeros(2, int), np.arange(2), np.array([1.0, 0.0]), np.array([0.3, -0.4]), 1, 2)
    sigma = np.sqrt(fitted.sigma2)
    like = fitted.posterior(one).log_likelihood[0] - np.log(sigma).sum()
    theta, zeta = (axis.ravel() for axis in np.meshgrid(*[np.linspace(-6, 6, 601)] * 2))
    p = fitted.population
    e = (zeta - p.k_zeta * theta) / math.sqrt(p.v_zz)
    density = np.exp(-0.5 * (theta**2 + e**2)) / (2 * math.pi * math.sqrt(p.v_zz))
    for k in range(2):
        right = 1 / (1 + np.exp(-fitted.a[k] * (theta - fitted.b[k])))
        late = (one.log_time[k] - fitted.lam[k] + fitted.phi[k] * zeta) / sigma[k]
        density *= right if one.correct[k] else 1 - right
        density *= np.exp(-0.5 * late**2) / (sigma[k] * math.sqrt(2 * math.pi))
    assert math.log(density.sum() * 0.02**2) == pytest.approx(like, abs=2e-3)


def test_the_link_that_drew_the_answers_is_the_likelier_one():
    """On a large table; both are fitted, the second from the first."""
    for normal in (True, False):
        test = simulate_test(learners=3_000, items=30, normal=normal, seed=9)
        chosen = fit(cells_from(test), replace(STATIC, normal=None))
        assert normal == chosen.population.normal


def test_guessing_is_found_where_there_is_some():
    """The lower asymptotes rise above what they are where nobody guesses."""
    c = [
        fit(
            cells_from(simulate_test(learners=1_500, items=20, guessing=g, seed=10)),
            replace(STATIC, guessing=True),
        ).c.mean()
        for g in (0.0, 0.35)
    ]
    assert c[0] < 0.2 < c[1]


def test_a_trend_of_speed_in_the_learners_own_order_is_found():
    """Everybody gets faster by .4 over the test, give or take .3, each in an order of their own."""
    test = simulate_test(learners=400, items=20, seed=11)
    rng = np.random.default_rng(0)
    x = rng.permuted(np.tile(np.linspace(-1, 1, 20), (400, 1)), axis=1).ravel()
    slope = rng.normal(0.4, 0.3, 400)[test.who]
    found = fit(cells_from(test, log_time=test.log_time - slope * x, x=x), STATIC).population
    assert 0.4 == pytest.approx(found.xi, abs=0.06)
    assert 0.3 == pytest.approx(math.sqrt(found.v_xx), abs=0.06)


def test_known_facts_of_a_row_are_taken_out_of_its_time():
    """The effects of two blocks are found; the items' time intensities are not disturbed."""
    test = simulate_test(learners=400, items=20, seed=12)
    rng = np.random.default_rng(1)
    covariates = rng.integers(0, 2, (len(test.who), 2)).astype(float)
    log_time = test.log_time + covariates @ [0.5, -0.3]
    found = fit(cells_from(test, log_time=log_time, covariates=covariates), STATIC)
    assert [0.5, -0.3] == pytest.approx(found.effects.tolist(), abs=0.05)
    assert found.lam == pytest.approx(test.lam, abs=0.2)


def test_intervals_of_hidden_cells_cover_what_they_say():
    """A fifth of the cells hidden: 90 % intervals of log time hold 90 % of them."""
    test = simulate_test(learners=300, items=30, seed=13)
    hidden = np.random.default_rng(2).random(len(test.who)) < 0.2
    cells = cells_from(test)
    seen = replace(
        cells,
        **{name: getattr(cells, name)[~hidden] for name in ("who", "what", "correct", "log_time")},
    )
    fitted = fit(seen, STATIC)
    found = fitted.predict(fitted.posterior(seen), test.who[hidden], test.what[hidden])
    late = np.abs(test.log_time[hidden] - found.log_time_mean) / found.log_time_sd
    assert 0.9 == pytest.approx((late <= 1.6449).mean(), abs=0.025)


def test_learners_who_do_not_fit_are_flagged_and_hardly_anyone_else():
    """Twenty answer at random in random times; the rest follow the model."""
    test = simulate_test(learners=300, items=30, seed=14)
    rng = np.random.default_rng(3)
    odd = test.who < 20
    correct = np.where(odd, rng.integers(0, 2, len(odd)), test.correct)
    log_time = np.where(odd, rng.normal(0, 2.5, len(odd)), test.log_time)
    cells = cells_from(test, correct=correct, log_time=log_time)
    found = diagnose(fit(cells, STATIC), cells)
    assert found.learners.flagged[:20].mean() > 0.6
    assert found.learners.flagged[20:].mean() < 0.02
    assert found.item_distance.max() < 0.2


def test_an_item_that_does_not_fit_stands_out():
    """One item is answered by coin."""
    test = simulate_test(learners=500, items=20, seed=15)
    coin = np.random.default_rng(4).integers(0, 2, len(test.who))
    learners = test.theta[test.who]
    # The weak know it and the strong do not: no item of the model is like that.
    backwards = np.where(np.abs(learners) > 1, learners < 0, coin)
    correct = np.where(test.what == 3, backwards, test.correct)
    cells = cells_from(test, correct=correct.astype(float))
    found = diagnose(fit(cells, STATIC), cells)
    assert 3 == int(np.argmin(found.items.answers_z))
    assert np.isfinite(found.answer_residual).all()
    assert 0.0 <= found.time_extreme.min() <= found.time_extreme.max() <= 1.0


@pytest.mark.parametrize(
    ("chi2", "df", "p"), [(3.841, 1, 0.05), (18.307, 10, 0.05), (76.154, 50, 0.01), (0.0, 0, 1.0)]
)
def test_tail_of_the_chi_square(chi2: float, df: float, p: float):
    """Against the usual table."""
    assert p == pytest.approx(float(chi2_above(np.array([chi2]), np.array([df]))[0]), abs=0.004)


def test_how_things_drift_is_chosen_by_what_forecasts_best():
    """Abilities that wander are followed; those that stand still are not chased."""
    rng = np.random.default_rng(5)
    who = np.repeat(np.arange(40), 150)
    chosen = []
    for step in (0.0, 0.25):
        theta = np.cumsum(rng.normal(0, step, (40, 150)), axis=1) + rng.normal(0, 1, (40, 1))
        b = rng.normal(0, 1, 30)[(what := rng.integers(30, size=len(who)))]
        table = Responses.from_columns(
            learner=who.tolist(),
            item=what.tolist(),
            correct=(rng.random(len(who)) < 1 / (1 + np.exp(b - theta.ravel()))).tolist(),
        )
        chosen.append(Lnirt.fit(table).population.drift_theta)
    assert chosen[0] <= 0.002 < chosen[1]
