"""Searching settings: budgets, trials that survive, what is proposed; and configurations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studysmart import training, tuning
from studysmart.errors import BadInput, Conflict, NotFound
from studysmart.learning import Configuration
from studysmart.store import Store, Tx, attempts, audit, jobs, tunings
from tests.builders import add_answer, add_learner, new_store

pytestmark = pytest.mark.both_databases

BY: dict[str, Any] = {"actor": "ada@example.org", "reason": "to know", "now": 1_000.0}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A database with 200 answers, all of them covered by a training."""
    store = new_store(tmp_path)
    with store.write() as tx:
        learner = add_learner(tx)
        for _ in range(tuning.FEWEST_ANSWERS):
            add_answer(tx, learner)
        jobs.change(tx, covered_seq=attempts.last_seq(tx))
    return store


def begin(tx: Tx, **more: Any) -> None:
    """A search of three trials."""
    plan: dict[str, Any] = {"kind": "sequence", "budget_s": 60, "most_trials": 3, "seed": 1}
    tuning.start(tx, **plan | BY | more)


def run_trial(
    tx: Tx, loss: float | None, *, seconds: float = 1.0, at: float = 2_000.0, **settings: float
) -> None:
    """The next trial, from its claim to its end."""
    trial = tuning.claim_if_due(tx, owner="w", now=at)
    assert trial is not None
    parameters = Configuration.of("sequence", settings).parameters
    tuning.finish(tx, trial, parameters=parameters, loss=loss, metrics={}, reason="tried",
                  now=at + seconds)  # fmt: skip


def ended(tx: Tx) -> str | None:
    """What came of the search; None while it goes on."""
    found = tuning.status(tx)
    assert found is not None
    reason: str | None = found["reason"]
    return reason


def test_the_best_of_a_search_is_proposed(store: Store):
    """As an active configuration that trainings try, beginning with one that is asked for."""
    with store.write() as tx:
        begin(tx)
        run_trial(tx, 1.0)
        run_trial(tx, 0.8, rate=2.0)
        assert ended(tx) is None
        run_trial(tx, 0.9, rate=3.0)
        assert "'tuned 1' has a loss of 0.8000 on later answers, the built-in" in (ended(tx) or "")
        (found,) = tuning.listed(tx)
        assert (2.0, "tuned", True) == (found["parameters"]["rate"], found["source"],
                                        found["active"])  # fmt: skip
        claim = training.claim_if_due(tx, owner="w", threshold=5, now=3_000.0)
        assert claim is not None


def test_a_search_that_finds_nothing_better_leaves_the_built_in_settings(store: Store):
    """Nothing is proposed, and it says so."""
    with store.write() as tx:
        begin(tx)
        for loss in (0.7, 0.8, 0.9):
            run_trial(tx, loss)
        assert ended(tx) == "All trials are done: the built-in settings remain, of 3 tried."
        assert [] == tuning.listed(tx)


def test_the_budget_ends_a_search(store: Store):
    """Counted in seconds of trials, whatever passes between them."""
    with store.write() as tx:
        begin(tx, budget_s=10, most_trials=100)
        run_trial(tx, 1.0, seconds=6, at=2_000.0)
        assert ended(tx) is None
        run_trial(tx, 1.1, seconds=6, at=90_000.0)
        assert (ended(tx) or "").startswith("The budget is spent")


def test_what_always_fails_is_given_up(store: Store):
    """After three in a row; the runs say why each of them failed."""
    with store.write() as tx:
        begin(tx, most_trials=100)
        for _ in range(3):
            run_trial(tx, None)
        assert (ended(tx) or "").startswith("3 trials failed one after the other")
        assert {"failed": 3} == jobs.outcomes(tx)


def test_what_people_made_never_gives_way_to_a_search(store: Store):
    """An earlier find does, with a line in the audit; without any, the new one waits."""
    with store.write() as tx:
        for name in "ab":
            tuning.add(tx, name=name, kind="attention", parameters={}, **BY)
        for n, losses in enumerate(((1.0, 0.8, 0.9), (1.0, 0.7, 0.9))):
            begin(tx)
            for loss, rate in zip(losses, (1.0, 2.0 + n, 3.0), strict=True):
                run_trial(tx, loss, rate=rate)
        assert {"a", "b", "tuned 2"} == {one["name"] for one in tuning.listed(tx) if one["active"]}
        (act, *_) = audit.newest(tx, limit=1)
        assert ("configuration tuned 1", "'tuned 2' takes its place") == (act.subject, act.reason)
        tuning.activate(tx, "tuned 2", active=False, **BY)
        tuning.add(tx, name="c", kind="attention", parameters={}, **BY)
        begin(tx)
        for loss, rate in ((1.0, 1.0), (0.5, 2.0), (0.9, 3.0)):
            run_trial(tx, loss, rate=rate)
        assert "activate it in the place of one" in (ended(tx) or "")
        assert {"a", "b", "c"} == {one["name"] for one in tuning.listed(tx) if one["active"]}


def test_the_built_in_settings_are_tried_again_when_they_failed(store: Store):
    """Without their loss nothing could be said of any other."""
    with store.write() as tx:
        begin(tx)
        run_trial(tx, None)
        run_trial(tx, 1.0)
        run_trial(tx, 0.8, rate=2.0)
        assert "the built-in settings 1.0000" in (ended(tx) or "")


def test_a_training_that_is_due_goes_first(store: Store):
    """And a trial waits while one runs; neither moves what counts as trained."""
    with store.write() as tx:
        begin(tx)
        covered = jobs.job(tx).covered_seq
        run_trial(tx, 1.0)
        assert covered == jobs.job(tx).covered_seq
        jobs.ask(tx, now=2_000.0)
        assert training.claim_if_due(tx, owner="w", threshold=5, now=2_000.0) is not None
        assert tuning.claim_if_due(tx, owner="w", now=2_000.0) is None
        assert training.status(tx, threshold=5, now=2_000.0)["completed_since_training"] == 0


def test_a_worker_that_died_loses_one_trial(store: Store):
    """Whoever takes the job over goes on with the trial of the same number; its seed is its own."""
    with store.write() as tx:
        begin(tx)
        run_trial(tx, 1.0)
        lost = tuning.claim_if_due(tx, owner="dead", now=2_000.0)
        assert lost is not None
        job = jobs.job(tx)
        assert training.claim_if_due(
            tx, owner="w", threshold=5, now=2_100.0, abandoned=(job.fence, job.beat)
        ) is None  # fmt: skip
        again = tuning.claim_if_due(tx, owner="w", now=2_100.0)
        assert again is not None
        assert (lost.number, lost.seed) == (again.number, again.seed)
        with pytest.raises(training.Superseded):
            tuning.finish(tx, lost, parameters={}, loss=0.1, metrics={}, reason="", now=2_200.0)
        assert 1 == len(tunings.trials(tx, again.tuning_id))


def test_a_search_can_be_stopped(store: Store):
    """A trial under way then comes to nothing more than its run."""
    with store.write() as tx:
        begin(tx)
        run_trial(tx, 1.0)
        trial = tuning.claim_if_due(tx, owner="w", now=2_000.0)
        assert trial is not None
        tuning.stop(tx, **BY)
        assert (ended(tx) or "").startswith("Stopped: the built-in")
        tuning.finish(tx, trial, parameters={}, loss=0.1, metrics={}, reason="", now=2_001.0)
        assert not tuning.worth_looking(tx)
        with pytest.raises(Conflict, match="no search"):
            tuning.stop(tx, **BY)
        assert ["stop", "tune"] == [act.action for act in audit.newest(tx, limit=5)]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"kind": "lnirt"}, "expected one of sequence, attention"),
        ({"budget_s": 0}, "expected 1 second to 7 days"),
        ({"budget_s": float("nan")}, "expected 1 second to 7 days"),
        ({"most_trials": 1}, "expected 2 to 1000"),
        ({"reason": ""}, "say why"),
    ],
)
def test_a_search_that_cannot_be_is_refused(store: Store, more: dict[str, Any], told: str):
    """With what was expected."""
    with store.write() as tx, pytest.raises(BadInput, match=told):
        begin(tx, **more)


def test_a_search_is_alone(store: Store):
    """Two would share one budget."""
    with store.write() as tx:
        begin(tx)
        with pytest.raises(Conflict, match="under way"):
            begin(tx)


def test_a_search_needs_answers(tmp_path: Path):
    """Too few tell no two settings apart."""
    with new_store(tmp_path).write() as tx, pytest.raises(Conflict, match="0 answers are too few"):
        begin(tx)


def test_configurations_are_added_by_hand(store: Store):
    """Named once, three active at most, each change with a reason."""
    with store.write() as tx:
        for name in "abc":
            tuning.add(tx, name=name, kind="attention", parameters={"rate": 2.0}, **BY)
        with pytest.raises(Conflict, match="3 configurations are active"):
            tuning.add(tx, name="d", kind="attention", parameters={}, **BY)
        with pytest.raises(Conflict, match="already"):
            tuning.add(tx, name="a", kind="attention", parameters={}, **BY)
        with pytest.raises(BadInput, match="unknown settings"):
            tuning.add(tx, name="e", kind="attention", parameters={"width": 2.0}, **BY)
        tuning.activate(tx, "a", active=False, **BY)
        tuning.add(tx, name="d", kind="sequence", parameters={}, **BY)
        with pytest.raises(Conflict, match="deactivate one"):
            tuning.activate(tx, "a", active=True, **BY)
        with pytest.raises(NotFound, match="no configuration 'x'"):
            tuning.activate(tx, "x", active=True, **BY)
        assert ["d", "c", "b"] == [one["name"] for one in tuning.listed(tx) if one["active"]]
