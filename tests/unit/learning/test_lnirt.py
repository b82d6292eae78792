"""One learner in LNIRT: exact, lawful, and the same whichever way it is computed."""

from __future__ import annotations

import json
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from studysmart import learning
from studysmart.errors import ArtefactRejected
from studysmart.learning import Item, Lnirt, Prior, Response, Responses
from studysmart.learning.lnirt import (
    COLUMN,
    GRID,
    SKILLS_KEPT,
    Options,
    Parameters,
    Population,
    State,
)
from studysmart.learning.simulate import simulate_test

fast = settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])


@cache
def table() -> Responses:
    """A log of practice: 6 learners, 300 answers, several skills."""
    return learning.simulate(learners=6, answers=300, seed=3)


@cache
def practising() -> Lnirt:
    """Fitted on the log; abilities drift, skills differ."""
    return Lnirt.fit(table())


@cache
def static(*, trend: bool = False, guessing: bool = False, normal: bool = False) -> Lnirt:
    """Fitted on a test of 20 items, a tenth of it missing; nothing drifts."""
    test = simulate_test(learners=150, items=20, missing=0.1, seed=4)
    options = Options(drift=False, trend=trend, guessing=guessing, normal=normal)
    return Lnirt.fit(test.responses(), options=options)


items = st.builds(Item, item=st.sampled_from([f"item-{k}" for k in range(20)]))
answers = st.builds(
    Response,
    item=items,
    correct=st.booleans(),
    response_time_s=st.one_of(st.none(), st.floats(0.05, 86_400)),
)
histories = st.lists(answers, max_size=30)


@pytest.mark.parametrize(
    "options", [{}, {"trend": True}, {"guessing": True, "normal": True}], ids=str
)
@fast
@given(history=histories)
def test_answer_by_answer_is_the_batch_posterior(options: dict[str, bool], history: list[Response]):
    """Where nothing drifts, the state after n updates is the posterior of all n answers, to 1e-6.

    The first goes by predictive steps, the second adds up precisions: different formulas.
    """
    model = static(**options)
    streamed = model.replay(history)
    log_time = [math.nan if r.log_time is None else r.log_time for r in history]
    batch = model.rescored(
        [str(r.item.item) for r in history],
        np.array([float(r.correct) for r in history]),
        np.array(log_time),
    )
    assert batch[:6] == pytest.approx(streamed[:6], abs=1e-6)
    for ours, theirs in zip(streamed.belief[1:], batch.belief[1:], strict=True):
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-6)
    assert np.allclose(streamed.belief.weights, batch.belief.weights, atol=1e-6)


@fast
@given(history=histories, rotation=st.integers(0, 30))
def test_the_order_of_answers_does_not_matter_where_nothing_drifts(
    history: list[Response], rotation: int
):
    """A static posterior is exchangeable."""
    model = static()
    turned = history[rotation:] + history[:rotation]
    assert model.replay(history)[:6] == pytest.approx(model.replay(turned)[:6], abs=1e-6)


@fast
@given(history=histories, item=items, time_s=st.one_of(st.none(), st.floats(0.05, 86_400)))
def test_a_right_answer_never_lowers_p_where_nothing_drifts(
    history: list[Response], item: Item, time_s: float | None
):
    """Without a time; with one, P is at least that after a wrong answer as fast."""
    model = static()
    state = model.replay(history)
    before = model.predict_one(state, item)[0]
    right, wrong = (
        model.predict_one(model.update(state, Response(item, correct, time_s)), item)[0]
        for correct in (True, False)
    )
    assert right >= wrong - 1e-12
    if time_s is None:
        assert right >= before - 1e-12


@fast
@given(
    history=histories,
    item=items,
    times=st.tuples(st.floats(0.05, 86_400), st.floats(0.05, 86_400)),
    trend=st.booleans(),
)
def test_a_fast_answer_never_leaves_speed_below_a_slow_one(
    history: list[Response], item: Item, times: tuple[float, float], trend: bool
):
    """Nor the expected time above: however far off either is."""
    model = static(trend=trend)
    state = model.replay(history)
    quick, slow = (
        model.update(state, Response(item, correct=True, response_time_s=t)) for t in sorted(times)
    )
    assert model.predict_one(quick, item)[1] <= model.predict_one(slow, item)[1] + 1e-9
    assert quick.zeta >= slow.zeta - 1e-9


@pytest.mark.parametrize("theta", [-1000.0, -30.0, 0.0, 30.0, 1000.0])
@pytest.mark.parametrize("normal", [False, True])
def test_the_formula_is_finite_however_far_theta_is(theta: float, normal: bool):
    """P stays a probability for abilities of +-1000, whatever the link."""
    population = Population(normal=normal)
    item = Parameters(1.2, 0.3, 0.0, 1.0, 3.0, 0.2, 0.1, 0.05)
    belief = population.start()
    with np.errstate(over="ignore"):
        p, mean, sd = population.forecast(belief, item, 0.0, 0.3, grid=GRID + theta)
    assert 0 <= p <= 1 + 1e-12
    assert math.isfinite(mean)
    assert sd > 0


def test_absurd_answers_leave_a_state_that_adds_up():
    """Thousands of right answers in 0.05 s, then wrong ones of a day each: nothing is NaN."""
    model = practising()
    item = table()[:1].item[0]
    state = model.start()
    for correct, time_s in ((True, 0.05), (False, 86_400.0)):
        for _ in range(1_000):
            state = model.update(state, Response(Item(item), correct, time_s))
    assert all(math.isfinite(value) for value in state[:6])
    assert 1 == pytest.approx(state.belief.weights.sum())
    assert all(math.isfinite(value) for value in model.predict_one(state, Item(item)))


def test_many_learners_abreast_are_each_one_alone():
    """`running` gives, row by row, what `predict_one` and `update` give, drift and skills too."""
    model, states = practising(), dict[str, State]()
    found = model.running(table())
    for row, (learner, response) in enumerate(table()):
        state = states.get(learner) or model.start()
        expected = (*model.predict_one(state, response.item), state.theta, state.var_theta)
        got = [column[row] for column in found[:5]]
        assert expected == pytest.approx(got, abs=1e-9)
        assert (state.zeta, state.answers) == pytest.approx((found.zeta[row], found.answers[row]))
        states[learner] = model.update(state, response)


def test_predicting_a_list_is_predicting_one_by_one():
    """Two hundred candidates in one pass."""
    model = practising()
    state = model.replay(response for _, response in table()[:40])
    asked = [response.item for _, response in table()[:200]] + [Item(), Item("new", "new")]
    found = model.predict(state, asked)
    for row, item in enumerate(asked):
        logit, mean, sd = model.predict_one(state, item)
        got = (found.p_correct[row], found.log_time_mean[row], found.log_time_sd[row])
        assert (1 / (1 + math.exp(-logit)), mean, sd) == pytest.approx(got, abs=1e-9)


def test_the_formula_takes_one_learner_or_many():
    """Floats with weights (grid,), and arrays (learner,) with weights (grid, learner)."""
    population = Population(k_zeta=0.1, v_xx=0.01, c=0.2)
    item = Parameters(1.2, 0.3, 0.2, 1.1, 3.0, 0.2, 0.1, 0.05)
    one = population.moved(population.start(), item, 1.0, 2.5, 1.0, 0.1, 0.3, 0.5)
    columns = Parameters(*(np.full(3, value) for value in item))
    many = population.moved(
        population.start(3), columns, np.ones(3), np.full(3, 2.5), np.ones(3),
        np.full(3, 0.1), np.full(3, 0.3), 0.5, grid=COLUMN,
    )  # fmt: skip
    for alone, abreast in zip(one[0][1:], many[0][1:], strict=True):
        assert abreast == pytest.approx([alone] * 3)
    assert np.allclose(many[0].weights, one[0].weights[:, None])
    assert many[1] == pytest.approx([one[1]] * 3)
    assert many[2] == pytest.approx([one[2]] * 3)


def test_practice_on_one_skill_says_more_of_that_skill():
    """Right answers on a skill raise P there more than elsewhere."""
    model = practising()
    here, there = Item(skill="skill-0"), Item(skill="skill-1")
    state = model.start()
    for _ in range(6):
        state = model.update(state, Response(here, correct=True))
    gain = [
        model.predict_one(state, item)[0] - model.predict_one(model.start(), item)[0]
        for item in (here, there)
    ]
    assert gain[0] > gain[1] > 0


def test_skills_remembered_are_bounded():
    """A stranger cannot make a state grow without end."""
    model, state = practising(), practising().start()
    for k in range(SKILLS_KEPT + 20):
        state = model.update(state, Response(Item(skill=f"skill/{k}"), correct=True))
    assert SKILLS_KEPT == len(state.deltas)
    assert SKILLS_KEPT + 20 == state.answers


def test_a_drift_keeps_the_state_from_freezing():
    """After hundreds of answers a drifting ability is less sure than one that cannot change."""
    drifting = practising()
    still = Lnirt(drifting.prior, drifting.items, Population(drift_theta=0.0, drift_zeta=0.0))
    moving = Lnirt(drifting.prior, drifting.items, Population(drift_theta=0.01, drift_zeta=0.01))
    rows = [response for _, response in table()]
    assert moving.replay(rows).var_theta > 1.5 * still.replay(rows).var_theta
    assert moving.replay(rows).var_zeta > 1.5 * still.replay(rows).var_zeta


def test_the_scatter_of_a_learners_times_widens_the_forecast():
    """Two learners of the same mean speed, one regular and one not."""
    model = static()
    item = Item("item-0")
    middle = math.exp(model.parameters(item).lam)
    regular, erratic = model.start(), model.start()
    for k in range(30):
        regular = model.update(regular, Response(item, correct=True, response_time_s=middle))
        time_s = middle * (8 if k % 2 else 1 / 8)
        erratic = model.update(erratic, Response(item, correct=True, response_time_s=time_s))
    assert model.predict_one(erratic, item)[2] > 1.5 * model.predict_one(regular, item)[2]


def test_tensors_keep_the_model():
    """from_tensors(to_tensors) is the same population and the same items."""
    for model in (practising(), static(trend=True)):
        tensors, rest = model.to_tensors()
        again = Lnirt.from_tensors(tensors, json.loads(json.dumps(rest)), {"prior": model.prior})
        assert model.population == again.population
        assert model.items == again.items


@pytest.mark.parametrize(
    ("name", "value"), [("nu", 1.0), ("v_zz", 0.0), ("drift_theta", -0.1), ("sigma2", math.nan)]
)
def test_an_impossible_population_is_refused(name: str, value: float):
    """A damaged artefact never serves."""
    model = practising()
    tensors, rest = model.to_tensors()
    rest["population"][name] = value
    with pytest.raises(ArtefactRejected, match="impossible"):
        Lnirt.from_tensors(tensors, rest, {"prior": model.prior})


def test_items_that_do_not_belong_to_the_names_are_refused():
    """One row too few."""
    model = practising()
    tensors, rest = model.to_tensors()
    with pytest.raises(ArtefactRejected, match="shape"):
        Lnirt.from_tensors({"items": tensors["items"][1:]}, rest, {"prior": model.prior})


def test_an_item_that_was_not_fitted_has_no_rescore():
    """The batch posterior is over fitted items; others go through `update`."""
    with pytest.raises(KeyError):
        static().rescored(["nobody knows"], np.ones(1), np.zeros(1))


def test_the_prior_may_be_left_out():
    """`fit` then fits its own."""
    given_one = Lnirt.fit(table(), Prior.fit(table()))
    assert practising().items == given_one.items
