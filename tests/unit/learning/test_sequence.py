"""The networks: one spelling for one learner, one for many, one for training; all agree."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studysmart import learning
from studysmart.errors import ArtefactRejected
from studysmart.learning import AttentionModel, LearnerModel, Responses, SequenceModel
from studysmart.learning.effects import Coded

KINDS = {"sequence": SequenceModel, "attention": AttentionModel}


@cache
def fitted(kind: str) -> SequenceModel:
    """A little trained, with random output weights: an untrained head agrees with anything."""
    table = learning.simulate(learners=4, answers=160, seed=3)
    model = KINDS[kind].fit(table, seed=1)
    rng = np.random.default_rng(0)
    drawn = {
        name: rng.normal(0, 0.2, model.weights[name].shape).astype(np.float32)
        for name in ("out_w", "out_b", "skip_w")
    }
    return type(model)(model.effects, model.weights | drawn, model.vocabulary)


def odd(table: Responses, rng: np.random.Generator) -> Responses:
    """The same with unknown labels, missing times and clocks."""
    n = len(table)

    def holes(column: np.ndarray, hole: object) -> list[object]:
        return [
            hole if gone else x
            for x, gone in zip(column.tolist(), rng.random(n) < 0.2, strict=True)
        ]

    return Responses.from_columns(
        learner=table.learner.tolist(),
        correct=table.correct.tolist(),
        item=holes(table.item, None),
        skill=holes(table.skill, "never seen"),
        topic=holes(table.topic, None),
        difficulty=holes(table.difficulty, "unheard of"),
        response_time_s=holes(table.response_time_s, None),
        at=holes(table.at, None),
    )


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000))
def test_many_learners_side_by_side_are_forecast_as_one_by_one(kind: str, seed: int):
    """`predict_all` and stepping through the rows agree to 1e-5, whatever is unknown."""
    rng = np.random.default_rng(seed)
    table = odd(learning.simulate(learners=3, answers=60, seed=seed), rng)
    model = fitted(kind)
    fast, slow = model.predict_all(table), LearnerModel.predict_all(model, table)
    np.testing.assert_allclose(fast.p_correct, slow.p_correct, atol=1e-5)
    np.testing.assert_allclose(fast.log_time_mean, slow.log_time_mean, atol=1e-4)
    np.testing.assert_allclose(fast.log_time_sd, slow.log_time_sd, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_many_items_are_forecast_as_one_by_one(kind: str):
    """Scoring candidates in one pass changes no number."""
    table = odd(learning.simulate(learners=1, answers=50, seed=2), np.random.default_rng(5))
    model = fitted(kind)
    state = model.replay(response for _, response in table)
    asked = [response.item for _, response in table]
    together = model.predict(state, asked, at=2e9)
    alone = [model.predict(state, [item], at=2e9) for item in asked]
    np.testing.assert_allclose(together.p_correct, [a.p_correct[0] for a in alone], atol=1e-5)
    np.testing.assert_allclose(
        together.log_time_mean, [a.log_time_mean[0] for a in alone], atol=1e-5
    )


@pytest.mark.parametrize("kind", KINDS)
def test_numpy_serves_what_jax_trained(kind: str):
    """The equations in JAX and in NumPy agree to 1e-5 on whole histories."""
    from studysmart.learning import sequence_fit

    table = learning.simulate(learners=3, answers=90, seed=9)
    model = fitted(kind)
    rows = sequence_fit._rows(
        table,
        Coded.of(table),
        model.effects.places(Coded.of(table)),
        model.effects,
        model.vocabulary,
    )
    order = rows.pop("order")
    rows["scored"] = np.ones(len(table), np.float32)
    size = sequence_fit.SMALL._replace(window=122, warm=32)
    starts = sequence_fit._windows(rows, size)
    batch = sequence_fit._batch(rows, starts, size)
    out = np.asarray(sequence_fit.forward(kind, model.weights, batch, None))
    found = out[batch["scored"] > 0]
    logit = model.weights["calibration"][0] * (rows["base"] + found[:, 0])
    p = 1 / (1 + np.exp(-np.clip(logit + model.weights["calibration"][1], -7, 7)))
    np.testing.assert_allclose(p, model.predict_all(table).p_correct[order], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_moves_no_earlier_forecast(kind: str):
    """Flipping what happens from a row on leaves every forecast up to that row as it was."""
    table = learning.simulate(learners=2, answers=40, seed=4)
    model = fitted(kind)
    flipped = table.correct.copy()
    flipped[25:] = 1 - flipped[25:]
    times = table.response_time_s.copy()
    times[25:] *= 3
    at = table.at.copy()
    at[25:] += times[25:] - table.response_time_s[25:]  # asked at the same moment
    other = Responses(
        table.learner, table.item, table.skill, table.topic, table.difficulty, flipped, times, at
    )
    before, after = model.predict_all(table), model.predict_all(other)
    np.testing.assert_allclose(before.p_correct[:26], after.p_correct[:26], atol=1e-6)
    np.testing.assert_allclose(before.log_time_mean[:26], after.log_time_mean[:26], atol=1e-6)
    assert not np.allclose(before.p_correct[26:], after.p_correct[26:], atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_model(kind: str):
    """Weights are equal to the last bit; another seed gives others."""
    table = learning.simulate(learners=3, answers=60, seed=1)
    one, two = (KINDS[kind].fit(table, seed=7).weights for _ in range(2))
    other = KINDS[kind].fit(table, seed=8).weights
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert not np.array_equal(one["enc_w"], other["enc_w"])


@pytest.mark.parametrize("kind", KINDS)
def test_tensors_of_another_shape_are_refused(kind: str):
    """And named in the message."""
    model = fitted(kind)
    tensors, rest = model.to_tensors()
    again = type(model).from_tensors(tensors, rest)
    table = learning.simulate(learners=1, answers=10, seed=0)
    assert np.array_equal(again.predict_all(table).p_correct, model.predict_all(table).p_correct)
    with pytest.raises(ArtefactRejected, match="head_w"):
        type(model).from_tensors(tensors | {"head_w": np.zeros((3, 3), np.float32)}, rest)


def test_a_learner_with_very_many_labels_keeps_a_bounded_history(monkeypatch: pytest.MonkeyPatch):
    """Labels beyond the bound count for the learner only, one by one as side by side."""
    monkeypatch.setattr("studysmart.learning.history.LABELS_KEPT", 5)
    rng = np.random.default_rng(0)
    n = 60
    table = Responses.from_columns(
        learner=["a"] * n,
        correct=rng.integers(0, 2, n).tolist(),
        item=[f"i{k}" for k in rng.integers(0, 12, n)],
        skill=[f"s{k}" for k in rng.integers(0, 9, n)],
    )
    model = fitted("sequence")
    fast, slow = model.predict_all(table), LearnerModel.predict_all(model, table)
    np.testing.assert_allclose(fast.p_correct, slow.p_correct, atol=1e-5)
    state = model.replay(response for _, response in table)
    assert 5 == len(state.history.items)
