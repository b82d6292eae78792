"""Laws that every model of the chain keeps, whatever it was fitted on."""

from __future__ import annotations

import math
import subprocess
import sys
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from studysmart import learning
from studysmart.errors import ArtefactRejected
from studysmart.learning import Engine, Item, LearnerModel, Lnirt, Prior, Response, SequenceModel

KINDS = ("prior", "lnirt", "sequence")


@cache
def fitted() -> dict[str, LearnerModel]:
    """All models, fitted once on 300 simulated answers of 6 learners."""
    table = learning.simulate(learners=6, answers=300, seed=3)
    prior = Prior.fit(table)
    lnirt = Lnirt.fit(table, prior)
    return {"prior": prior, "lnirt": lnirt, "sequence": SequenceModel.fit(table, seed=0)}


@cache
def engine() -> Engine:
    """The three as one bundle, the sequence model serving."""
    manifest = learning.fit_prior_engine(
        learning.simulate(learners=6, answers=300, seed=3)
    ).manifest
    return Engine(fitted(), "sequence", manifest)


labels = st.one_of(
    st.none(), st.sampled_from(["topic-0", "topic-1", "skill-0", "skill-1", "easy", "hard"]),
    st.text(max_size=8),
)  # fmt: skip
items = st.builds(Item, item=labels, skill=labels, topic=labels, difficulty=labels)
responses = st.builds(
    Response,
    item=items,
    correct=st.booleans(),
    response_time_s=st.one_of(st.none(), st.floats(0.05, 86_400)),
    at=st.one_of(st.none(), st.floats(0, 4e9)),
)
histories = st.lists(responses, max_size=25)
fast = settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])


def one(model: LearnerModel, state: Any, item: Item) -> tuple[float, float, float]:
    """(P(correct), mean, sd of log time) of one item."""
    found = model.predict(state, [item])
    return float(found.p_correct[0]), float(found.log_time_mean[0]), float(found.log_time_sd[0])


@pytest.mark.parametrize("kind", KINDS)
@fast
@given(history=histories, item=items, at=st.one_of(st.none(), st.floats(0, 5e9)))
def test_every_forecast_is_finite(kind: str, history: list[Response], item: Item, at: float | None):
    """Unknown labels anywhere, times from 0.05 s to a day, clocks that jump: never NaN."""
    model = fitted()[kind]
    found = model.predict(model.replay(history), [item], at=at)
    p, mean, sd = found.p_correct[0], found.log_time_mean[0], found.log_time_sd[0]
    assert 0 < p < 1
    assert math.isfinite(mean)
    assert 0 < sd < 20


@pytest.mark.parametrize("kind", KINDS)
@fast
@given(history=histories, item=items)
def test_replaying_is_updating_step_by_step(kind: str, history: list[Response], item: Item):
    """The state is a fold over the answers."""
    model = fitted()[kind]
    state = model.start()
    for response in history:
        state = model.update(state, response)
    assert one(model, model.replay(history), item) == pytest.approx(one(model, state, item), 1e-9)


@pytest.mark.parametrize("kind", KINDS)
@fast
@given(history=histories, response=responses, item=items)
def test_an_update_leaves_the_given_state_alone(
    kind: str, history: list[Response], response: Response, item: Item
):
    """States are values: whoever holds an old one still has the old forecast."""
    model = fitted()[kind]
    state = model.replay(history)
    before = one(model, state, item)
    model.update(state, response)
    assert before == one(model, state, item)


@pytest.mark.parametrize("kind", ["prior", "lnirt"])
@fast
@given(history=histories, item=items, time_s=st.one_of(st.none(), st.floats(0.05, 86_400)))
def test_a_right_answer_never_leaves_p_below_a_wrong_one(
    kind: str, history: list[Response], item: Item, time_s: float | None
):
    """From the same history, on the same item."""
    model = fitted()[kind]
    state = model.replay(history)
    right, wrong = (
        one(model, model.update(state, Response(item, correct, time_s)), item)[0]
        for correct in (True, False)
    )
    assert right >= wrong - 1e-12


@pytest.mark.parametrize("kind", ["prior", "lnirt"])
@fast
@given(history=histories, item=items, times=st.tuples(st.floats(0.05, 9e4), st.floats(0.05, 9e4)))
def test_a_fast_answer_never_leaves_the_time_above_a_slow_one(
    kind: str, history: list[Response], item: Item, times: tuple[float, float]
):
    """From the same history, right both times."""
    model = fitted()[kind]
    state = model.replay(history)
    quick, slow = (
        one(model, model.update(state, Response(item, correct=True, response_time_s=t)), item)[1]
        for t in sorted(times)
    )
    assert quick <= slow + 1e-12


def test_theta_far_out_stays_finite():
    """Abilities of +-1000 give a probability, not an overflow."""
    model = fitted()["lnirt"]
    assert isinstance(model, Lnirt)
    for theta in (-1000.0, 1000.0):
        state = model.start()._replace(theta=theta, zeta=theta)
        p, mean, sd = one(model, state, Item(topic="topic-0"))
        assert 0 < p < 1
        assert math.isfinite(mean)
        assert math.isfinite(sd)


def test_p_rises_with_theta():
    """The logistic is monotone over the whole range."""
    model = fitted()["lnirt"]
    assert isinstance(model, Lnirt)
    found = [
        one(model, model.start()._replace(theta=theta), Item())[0] for theta in np.linspace(-6, 6)
    ]
    assert found == sorted(found)


@fast
@given(history=histories, asked=st.lists(items, min_size=1, max_size=5))
def test_bytes_keep_every_forecast(history: list[Response], asked: list[Item]):
    """from_bytes(to_bytes(engine)) forecasts the same."""
    before = engine()
    after = Engine.from_bytes(before.to_bytes())
    for first, second in zip(
        before.predict(before.replay(history), asked),
        after.predict(after.replay(history), asked),
        strict=True,
    ):
        assert (first.model, first.answers) == (second.model, second.answers)
        assert first.p_correct == pytest.approx(second.p_correct, abs=1e-9)
        assert first.log_time_mean == pytest.approx(second.log_time_mean, abs=1e-9)


@fast
@given(history=histories, item=items)
def test_the_interval_contains_the_median(history: list[Response], item: Item):
    """And all three are positive."""
    found = engine().predict(engine().replay(history), [item])[0]
    assert 0 < found.time_low_s < found.time_median_s < found.time_high_s


def test_the_same_seed_gives_the_same_bytes():
    """Training is reproducible to the bit."""
    table = learning.simulate(learners=3, answers=80, seed=5)
    first, second = (learning.train(table, seed=7).engine for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.to_bytes() == second.to_bytes()


def test_a_weight_that_is_not_finite_is_refused():
    """NaN in the weights never serves."""
    model = fitted()["sequence"]
    assert isinstance(model, SequenceModel)
    weights = dict(model.weights)
    weights["out_b"] = np.array([np.nan, 0, 0], np.float32)
    broken = SequenceModel(model.effects, weights, model.vocabulary)
    models = fitted() | {"sequence": broken}
    data = Engine(models, "sequence", engine().manifest).to_bytes()
    with pytest.raises(ArtefactRejected, match="not finite"):
        Engine.from_bytes(data)


def test_a_link_that_gives_no_number_is_passed_over():
    """The next one in the chain answers, and says why."""
    model = fitted()["sequence"]
    assert isinstance(model, SequenceModel)
    weights = dict(model.weights)
    weights["out_b"] = np.array([np.nan, 0, 0], np.float32)
    broken = SequenceModel(model.effects, weights, model.vocabulary)
    chain = Engine(fitted() | {"sequence": broken}, "sequence", engine().manifest)
    forecast = chain.predict(chain.start(), [Item(topic="topic-0")])[0]
    assert "lnirt" == forecast.model
    assert "sequence" in forecast.reason


def test_importing_the_library_imports_neither_jax_nor_the_server():
    """A notebook, and the web process, pay for NumPy only."""
    code = (
        "import sys, studysmart.learning; "
        "print([m for m in ('jax', 'optax', 'scipy', 'fastapi', 'sqlalchemy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()
