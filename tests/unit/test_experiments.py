"""Experiments: sticky arms, shadows, a rule that was fixed before."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from studysmart import experiments, forecasting, practice, training
from studysmart.errors import BadInput, Conflict, NotFound
from studysmart.experiments import Plan
from studysmart.forecasting import Arm, Forecaster, Split
from studysmart.learning import Engine
from studysmart.store import Store, Tx, audit, models, scores
from studysmart.store import experiments as rows
from tests.builders import add_answer, add_learner, add_version, new_store, small_engine

pytestmark = pytest.mark.both_databases

BY = {"actor": "ada@example.org", "reason": "to know", "now": 1_000.0}
ARMS = [{"name": "control", "kind": "prior"}, {"name": "new", "kind": "lnirt"}]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A database in which version 1, prior and LNIRT, is live."""
    store = new_store(tmp_path)
    with store.write() as tx:
        add_version(tx)
    return store


def begin(tx: Tx, *, name: str = "first", metric: str = "joint", **more: Any) -> None:
    """An experiment of the prior against LNIRT."""
    plan = more.pop("plan", Plan(at_least=50))
    arms = more.pop("arms", ARMS)
    experiments.start(tx, name=name, arms=arms, metric=metric, plan=plan, **BY | more)


def forecaster(tx: Tx) -> Forecaster:
    """As a web process has it while the experiment runs."""
    model = Forecaster()
    version = models.live_version(tx)
    assert version is not None
    model.swap(small_engine(), version, tx)
    running = rows.running(tx)
    model.try_out(experiments.split(tx, running, model.live) if running else None)
    return model


def given(tx: Tx, learner: UUID, model: Forecaster) -> UUID:
    """A task for the learner."""
    return practice.draw(
        tx, learner, model, subject=None, topic="Waves", difficulty=None, seed=None, own=None,
        now=2_000.0,
    )  # fmt: skip


def scored(tx: Tx, *, better: float, n: int, learners: int = 5, seed: int = 1) -> None:
    """Answers that the second arm forecasts better than the first by so much of a logit."""
    rng = np.random.default_rng(seed)
    running = rows.running(tx)
    assert running is not None
    who = [add_learner(tx, name=f"learner {k}") for k in range(learners)]
    kept = []
    for k in range(n):
        learner = who[int(rng.integers(learners))]
        logit = rng.normal()
        right = bool(rng.random() < 1 / (1 + np.exp(-logit)))
        attempt = add_answer(tx, learner, is_correct=right)
        seq = practice.attempts.get(tx, attempt).seq  # type: ignore[union-attr]
        for arm, off in (("control", better), ("new", 0.0)):
            noise = rng.normal() * 0.2
            kept.append({
                "attempt_seq": seq, "learner_id": learner, "shown": (k % 2 == 0) == (arm == "new"),
                "experiment_id": running.id, "arm": arm, "model": "lnirt", "model_version": 1,
                "subject": "Physics", "topic": "Waves", "known": k, "is_correct": right,
                "p_correct": float(1 / (1 + np.exp(-(logit + off * rng.choice([-1, 1]) + noise)))),
                "log_time": 3.0, "log_time_mean": 3.0, "log_time_sd": 0.5, "at": 2_000.0,
            })  # fmt: skip
    scores.add(tx, kept)


def test_a_learner_stays_in_one_arm_and_arms_are_even():
    """By a hash of the learner, whatever process asks; another salt shuffles them anew."""
    arms = tuple(Arm(name, small_engine(), 1) for name in "abc")
    one, other = Split(1, "salt", arms), Split(2, "pepper", arms)
    learners = [uuid4() for _ in range(3_000)]
    found = [one.index(learner) for learner in learners]
    assert found == [Split(1, "salt", arms).index(learner) for learner in learners]
    assert all(900 < count < 1_100 for count in np.bincount(found))
    assert 800 < sum(other.index(learner) == k for learner, k in zip(learners, found, strict=True))
    assert 1_200 > sum(
        other.index(learner) == k for learner, k in zip(learners, found, strict=True)
    )


def test_a_task_keeps_its_arm_and_what_the_other_arm_would_have_said(store: Store):
    """What is shown is the arm's own forecast; its answer scores both."""
    with store.write() as tx:
        begin(tx)
        model = forecaster(tx)
        learner = add_learner(tx)
        task = practice.get(tx, learner, given(tx, learner, model))
        (shadow,) = task.shadows
        assert {"control", "new"} == {task.arm, shadow["arm"]}
        kind = {"control": "prior", "new": "lnirt"}
        assert (kind[task.arm], kind[shadow["arm"]]) == (task.model, shadow["model"])
        assert task.p_correct != shadow["p_correct"]
        practice.mark(tx, learner, task.id, model, is_correct=True, response_time_s=9.0,
                      now=2_010.0)  # fmt: skip
        kept = {row.arm: row for row in scores.newest(tx, limit=9, shown=None)}
    assert kept[task.arm].shown
    assert not kept[shadow["arm"]].shown
    assert shadow["p_correct"] == kept[shadow["arm"]].p_correct


def test_outside_of_an_experiment_nothing_is_kept_beside_a_task(store: Store):
    """No arm, no shadows."""
    with store.write() as tx:
        learner = add_learner(tx)
        task = practice.get(tx, learner, given(tx, learner, forecaster(tx)))
    assert (None, None, None) == (task.experiment_id, task.arm, task.shadows)


def test_every_arm_learns_from_every_answer(store: Store):
    """LNIRT says less after wrong answers, shown or not; the prior, live or not, does not."""

    def said(tx: Tx, model: Forecaster, learner: UUID) -> dict[str, float]:
        known_as = forecasting.item(item=None, skill=None, topic="Waves", difficulty="easy")
        shown, exposure = model.given(tx, learner, known_as, at=2_000.0)
        return {shown.said.model: shown.said.p_correct} | {
            one["model"]: one["p_correct"] for one in exposure["shadows"]
        }

    with store.write() as tx:
        begin(tx)
        model = forecaster(tx)
        for _ in range(6):
            learner = add_learner(tx)
            before = said(tx, model, learner)
            for _ in range(3):
                add_answer(tx, learner, is_correct=False)
            after = said(tx, model, learner)
            assert after["lnirt"] < before["lnirt"]
            assert after["prior"] == before["prior"]


def test_a_real_difference_ends_the_experiment(store: Store):
    """By the rule, with a sentence, and with who stopped it."""
    with store.write() as tx:
        begin(tx)
        assert not experiments.due(tx, now=2_000.0)
        scored(tx, better=1.5, n=800)
        assert experiments.due(tx, now=2_000.0)
        sentence = experiments.settle(tx, now=2_000.0)
        found = experiments.shown(tx, "first")
        (act, *_) = audit.newest(tx, limit=1)
    assert sentence is not None
    assert "new forecasts better than control" in sentence
    assert "on 800 answers of 5 learners" in sentence
    assert ["better"] == found["decided"]
    assert found["differences"][0]["joint"]["high"] < 0
    assert (2_000.0, "stop rule") == (found["stopped_at"], found["stopped_by"])
    assert ("stop rule", "stop", "every arm is decided") == (act.actor, act.action, act.reason)


def test_without_a_difference_it_goes_on_until_its_end(store: Store):
    """The planned answers, then the planned days, end it undecided."""
    with store.write() as tx:
        begin(tx, plan=Plan(at_least=50, at_most=250, margin=0.0, days=2))
        scored(tx, better=0.0, n=200)
        assert experiments.settle(tx, now=2_000.0) is None
        assert experiments.due(tx, now=1_000.0 + 3 * 86_400)
        scored(tx, better=0.0, n=50, seed=2)
        sentence = experiments.settle(tx, now=2_000.0)
        assert sentence is not None
        assert "no difference shows yet between new and control" in sentence
        assert rows.running(tx) is None


def test_arms_that_differ_by_less_than_matters_are_alike(store: Store):
    """The interval lies within the margin."""
    with store.write() as tx:
        begin(tx, plan=Plan(at_least=50, margin=0.2))
        scored(tx, better=0.0, n=400)
        assert "forecast alike" in (experiments.settle(tx, now=2_000.0) or "")


def test_an_answer_that_was_taken_back_does_not_count(store: Store):
    """Nor one of which an arm's forecast is missing."""
    with store.write() as tx:
        begin(tx)
        model = forecaster(tx)
        learner = add_learner(tx)
        ids = [given(tx, learner, model) for _ in range(2)]
        for task in ids:
            practice.mark(tx, learner, task, model, is_correct=True, response_time_s=9.0,
                          now=2_010.0)  # fmt: skip
        practice.delete(tx, learner, ids[0], now=2_020.0)
        assert 1 == experiments.shown(tx, "first")["answers"]


def test_an_experiment_without_answers_says_so(store: Store):
    """No figure is made up."""
    with store.write() as tx:
        begin(tx)
        found = experiments.shown(tx, "first")
    assert (0, 0, [None]) == (found["answers"], found["learners"], found["decided"])
    assert "50 answers are needed to say anything" in found["sentence"]
    assert {} == found["arms_found"][0]["scores"]


def test_one_experiment_at_a_time_and_names_are_used_once(store: Store):
    """Another one waits for the first; what was found stays under its name."""
    with store.write() as tx:
        begin(tx)
        with pytest.raises(Conflict, match="'first' is under way"):
            begin(tx, name="second")
        experiments.stop(tx, "first", **BY)
        with pytest.raises(Conflict, match="has ended already"):
            experiments.stop(tx, "first", **BY)
        with pytest.raises(Conflict, match="another name"):
            begin(tx)
        begin(tx, name="second")
        assert ["second", "first"] == [one["name"] for one in experiments.listed(tx)]
        assert "ada@example.org" == experiments.shown(tx, "first")["stopped_by"]
        with pytest.raises(NotFound, match="no experiment 'third'"):
            experiments.shown(tx, "third")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"arms": ARMS[:1]}, "2 to 4 arms, found 1"),
        ({"arms": [*ARMS, {"name": "x", "kind": "oracle"}]}, "known are prior, lnirt"),
        ({"arms": [ARMS[0], ARMS[1] | {"name": "control"}]}, "two arms have one name"),
        ({"arms": [ARMS[0], ARMS[0] | {"name": "same"}]}, "would never differ"),
        ({"metric": "auc"}, "expected one of joint"),
        ({"name": ""}, "1 to 100 printable"),
        ({"reason": " "}, "say why"),
    ],
)
def test_what_could_not_be_an_experiment_is_refused(store: Store, more: dict[str, Any], told: str):
    """With what was wrong, and what was expected."""
    with store.write() as tx, pytest.raises(BadInput, match=told):
        begin(tx, **more)


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ({"alpha": 0.9}, "alpha is 0.9, expected a number from 0.001 to 0.2"),
        ({"at_least": 3}, "at_least is 3, expected a number from 50"),
        ({"at_least": 500, "at_most": 100}, "at_most is 100, expected a number from 500"),
        ({"days": float("nan")}, "days is nan"),
        ({"margin": -1.0}, "margin is -1"),
    ],
)
def test_a_plan_that_means_nothing_is_refused(plan: dict[str, Any], told: str):
    """Before the first answer, when it can still be changed."""
    with pytest.raises(BadInput, match=told):
        Plan(**plan)


def test_an_arm_needs_a_model_that_is_there(store: Store):
    """A kind that the version has none of, or a version that there is none of."""
    with store.write() as tx:
        arms = [ARMS[0], {"name": "net", "kind": "sequence"}]
        with pytest.raises(Conflict, match="version 1 has no sequence model, only prior, lnirt"):
            begin(tx, arms=arms)
        arms = [ARMS[0], {"name": "old", "kind": "lnirt", "version": 7}]
        with pytest.raises(NotFound, match="no version 7"):
            begin(tx, arms=arms)


def test_versions_are_compared_too_and_keep_their_bytes(store: Store):
    """An arm may name a version; it is not forgotten while the experiment runs."""
    with store.write() as tx:
        add_version(tx, seed=2)
        arms = [{"name": "now", "kind": "lnirt"}, {"name": "before", "kind": "lnirt", "version": 1}]
        begin(tx, arms=arms)
        for seed in range(3, 3 + training.VERSIONS_KEPT + 2):
            add_version(tx, seed=seed)
        models.forget_bytes(tx, keep=1, sound=lambda _: True)
        assert experiments.fault(tx) is None
        model = forecaster(tx)
        learner = add_learner(tx)
        task = practice.get(tx, learner, given(tx, learner, model))
        versions = {task.model_version, *(one["version"] for one in task.shadows)}
    assert {1, 2 + training.VERSIONS_KEPT + 2} == versions


def test_a_live_model_without_the_arm_puts_nobody_into_it(store: Store):
    """It waits, and says for what; forecasts come from the live model."""
    with store.write() as tx:
        begin(tx)
        both = small_engine()
        only = Engine({"prior": both.models["prior"]}, "prior", both.manifest)
        add_version(tx, only.to_bytes())
        assert "has no lnirt model" in (experiments.fault(tx) or "")
