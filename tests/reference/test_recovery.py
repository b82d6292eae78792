"""Fitting learners whose truth is known gives the truth back."""

from __future__ import annotations

import numpy as np
import pytest

from studysmart.learning import Item, Lnirt, Prior, Response, Responses, SequenceModel, simulate

LEARNERS, ITEMS = 500, 20


@pytest.fixture(scope="module")
def truth() -> dict[str, np.ndarray]:
    """The joint model of van der Linden (2007) with rho = .5: parameters of learners and items."""
    rng = np.random.default_rng(11)
    theta = rng.normal(0, 1, LEARNERS)
    zeta = 0.3 * (0.5 * theta + np.sqrt(0.75) * rng.normal(0, 1, LEARNERS))
    return {
        "theta": theta,
        "zeta": zeta,
        "b": rng.normal(0, 1, ITEMS),
        "lam": rng.normal(3.5, 0.4, ITEMS),
    }


@pytest.fixture(scope="module")
def fitted(truth: dict[str, np.ndarray]) -> tuple[Lnirt, Responses]:
    """LNIRT on every learner's answer to every item."""
    rng = np.random.default_rng(12)
    who = np.repeat(np.arange(LEARNERS), ITEMS)
    what = np.tile(np.arange(ITEMS), LEARNERS)
    p = 1 / (1 + np.exp(-1.3 * (truth["theta"][who] - truth["b"][what])))
    log_time = truth["lam"][what] - truth["zeta"][who] + rng.normal(0, 0.4, len(who))
    table = Responses.from_columns(
        learner=who.tolist(),
        item=what.tolist(),
        correct=(rng.random(len(who)) < p).astype(float).tolist(),
        response_time_s=np.exp(log_time).tolist(),
    )
    return Lnirt.fit(table, Prior.fit(table)), table


def test_items_are_recovered(fitted: tuple[Lnirt, Responses], truth: dict[str, np.ndarray]):
    """r(b, b_hat) >= .95 and r(lam, lam_hat) >= .97, sigma within 5 %."""
    model, _ = fitted
    found = [model.items[str(k)] for k in range(ITEMS)]
    b, lam = [item.b for item in found], [item.lam for item in found]
    assert np.corrcoef(b, truth["b"])[0, 1] >= 0.95
    assert np.corrcoef(lam, truth["lam"])[0, 1] >= 0.97
    assert model.sigma == pytest.approx(0.4, rel=0.05)
    assert model.sd_zeta == pytest.approx(0.3, rel=0.15)
    assert model.rho == pytest.approx(0.5, abs=0.15)


def test_learners_are_recovered(fitted: tuple[Lnirt, Responses], truth: dict[str, np.ndarray]):
    """After twenty answers ability and speed correlate with the truth, and the spread is honest."""
    model, table = fitted
    states = {}
    for learner, response in table:
        states[learner] = model.update(states.get(learner, model.start()), response)
    found = [states[str(k)] for k in range(LEARNERS)]
    assert np.corrcoef([s.theta for s in found], truth["theta"])[0, 1] >= 0.85
    assert np.corrcoef([s.zeta for s in found], truth["zeta"])[0, 1] >= 0.9
    z = (np.array([s.zeta for s in found]) - truth["zeta"]) / np.sqrt([s.var_zeta for s in found])
    assert 0.85 <= np.mean(np.abs(z) <= 1.645) <= 0.97


def test_the_sequence_model_moves_the_right_way():
    """P after a right answer is hardly ever below P after a wrong one, on learners it never saw."""
    table = simulate(learners=30, answers=4_000, seed=21)
    model = SequenceModel.fit(table, seed=0)
    states, below, n = {}, 0, 0
    for learner, response in simulate(learners=10, answers=600, seed=22):
        state = states.get(learner, model.start())
        right, wrong = (
            model.predict(
                model.update(state, Response(response.item, correct, response.response_time_s)),
                [response.item],
            ).p_correct[0]
            for correct in (True, False)
        )
        below += right < wrong
        n += 1
        states[learner] = model.update(state, response)
    assert below / n <= 0.01, f"{below} of {n}"


def test_after_ten_answers_a_person_is_forecast_better_than_by_the_item_alone():
    """Log loss on later answers of new learners: LNIRT's running estimate against the prior."""
    table = simulate(learners=40, answers=4_000, seed=31)
    prior = Prior.fit(table)
    models = {"prior": prior, "lnirt": Lnirt.fit(table, prior)}
    losses: dict[str, list[float]] = {kind: [] for kind in models}
    for kind, model in models.items():
        states, counts = {}, {}
        for learner, response in simulate(learners=20, answers=1_000, seed=32):
            state = states.get(learner, model.start())
            counts[learner] = counts.get(learner, 0) + 1
            if counts[learner] > 10:
                p = model.predict(state, [response.item]).p_correct[0]
                losses[kind].append(-np.log(p if response.correct else 1 - p))
            states[learner] = model.update(state, response)
    assert np.mean(losses["lnirt"]) < np.mean(losses["prior"])


def test_an_item_nobody_met_stands_where_its_topic_and_difficulty_put_it():
    """A new hard item is expected to be harder and slower than a new easy one."""
    table = simulate(learners=10, answers=2_000, seed=41)
    model = Lnirt.fit(table, Prior.fit(table))
    easy, hard = (
        Item(item=f"new/{band}", skill="new", topic="topic-1", difficulty=band)
        for band in ("easy", "hard")
    )
    found = model.predict(model.start(), [easy, hard])
    assert found.p_correct[0] > found.p_correct[1]
    assert found.log_time_mean[0] < found.log_time_mean[1]
