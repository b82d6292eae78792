"""When a training is due, who has it, and what a result changes."""

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studysmart import sqlite, training
from studysmart.defaults import WORKER_SILENT_S
from studysmart.store import Store, Tx, attempts, jobs, models
from tests.builders import add_answer, add_learner, new_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty database."""
    return new_store(tmp_path)


@pytest.fixture
def learner(store: Store) -> UUID:
    """One learner in it."""
    with store.write() as tx:
        return add_learner(tx)


def claim(tx: Tx, now: float = 100.0, owner: str = "one") -> training.Claim | None:
    """Claim with the usual threshold."""
    return training.claim_if_due(tx, owner=owner, threshold=5, now=now)


def status(tx: Tx, now: float = 100.0) -> dict[str, object]:
    """The public counter."""
    return training.status(tx, threshold=5, now=now)


LIVE = training.Result("live", "better", "prior", {"vocabulary": {"items": 1}}, {}, 5)
KEPT_OUT = training.Result("kept_out", "worse", None, {}, {}, 5)


def test_the_fifth_completion_makes_a_training_due(store: Store, learner: UUID):
    """Four answers are not enough, five are."""
    with store.write() as tx:
        for _ in range(4):
            add_answer(tx, learner)
        assert claim(tx) is None
        add_answer(tx, learner)
        assert training.worth_looking(tx, threshold=5, now=100.0)
        assert claim(tx) is not None


def test_only_one_worker_gets_the_job(store: Store, learner: UUID):
    """While one holds the lease, another gets nothing."""
    with store.write() as tx:
        for _ in range(5):
            add_answer(tx, learner)
        assert claim(tx, owner="one") is not None
        assert claim(tx, owner="two") is None
        assert not training.worth_looking(tx, threshold=5, now=100.0)


def test_triggers_during_a_run_cause_exactly_one_further_run(store: Store, learner: UUID):
    """Eleven answers during a run are covered by the next one, all at once."""
    with store.write() as tx:
        for _ in range(5):
            add_answer(tx, learner)
        first = claim(tx)
        assert first is not None
        for _ in range(11):
            add_answer(tx, learner)
        assert 11 == status(tx)["completed_since_training"]
        training.finish(tx, first, LIVE, b"model", now=101.0)
        second = claim(tx)
        assert second is not None
        training.finish(tx, second, LIVE, b"model", now=102.0)
        assert claim(tx) is None
        assert 0 == status(tx)["completed_since_training"]


def test_the_claim_moves_the_count_and_a_failure_gives_it_back(store: Store, learner: UUID):
    """A failed run leaves its answers due, and waits before the next try."""
    with store.write() as tx:
        for _ in range(5):
            add_answer(tx, learner)
        run = claim(tx)
        assert run is not None
        assert 0 == status(tx)["completed_since_training"]
        training.end_failed(tx, run, reason="out of memory", now=101.0)
        after = status(tx, now=101.0)
        assert 5 == after["completed_since_training"]
        assert after["last_result"]["reason"] == "out of memory"  # type: ignore[index]
        assert claim(tx, now=101.5) is None
        assert claim(tx, now=104.0) is not None


def test_a_dead_workers_job_goes_to_another(store: Store, learner: UUID):
    """When the lease runs out the job is claimed anew, and its old run ends as failed."""
    with store.write() as tx:
        for _ in range(5):
            add_answer(tx, learner)
        first = claim(tx, now=100.0)
        second = claim(tx, now=100.0 + training.LEASE_S + 1, owner="two")
        assert first is not None
        assert second is not None
        assert second.fence > first.fence
        assert "failed" == jobs.run(tx, first.run_id).outcome


def test_a_replaced_worker_publishes_nothing(store: Store, learner: UUID):
    """The late result of a worker that lost its lease changes neither model nor counter."""
    with store.write() as tx:
        for _ in range(5):
            add_answer(tx, learner)
        first = claim(tx, now=100.0)
        second = claim(tx, now=200.0, owner="two")
    assert first is not None
    assert second is not None

    def late() -> None:
        with store.write() as tx:
            training.finish(tx, first, LIVE, b"late", now=201.0)

    with pytest.raises(training.Superseded):
        late()
    with store.write() as tx:
        assert models.live_version(tx) is None
        with pytest.raises(training.Superseded):
            training.renew(tx, first, progress=None, now=201.0)
        training.renew(tx, second, progress={"phase": "fitting"}, now=201.0)
        assert status(tx, now=201.0)["running"]["phase"] == "fitting"  # type: ignore[index]


def test_a_model_kept_out_changes_no_model_but_covers_its_answers(store: Store, learner: UUID):
    """The live model stays, the reason is kept, the same answers do not trigger again."""
    with store.write() as tx:
        for _ in range(5):
            add_answer(tx, learner)
        first = claim(tx)
        assert first is not None
        version = training.finish(tx, first, LIVE, b"model", now=101.0)
        for _ in range(5):
            add_answer(tx, learner)
        second = claim(tx)
        assert second is not None
        assert training.finish(tx, second, KEPT_OUT, None, now=102.0) is None
        now = status(tx)
        assert version == models.live_version(tx)
        assert now["last_result"]["outcome"] == "kept_out"  # type: ignore[index]
        assert now["last_result"]["reason"] == "worse"  # type: ignore[index]
        assert claim(tx) is None


def test_an_operator_may_ask_without_new_answers(store: Store):
    """Asked twice is asked once."""
    with store.write() as tx:
        training.ask(tx, now=99.0)
        training.ask(tx, now=99.5)
        run = claim(tx)
        assert run is not None
        assert "asked" == jobs.run(tx, run.run_id).trigger
        training.finish(tx, run, KEPT_OUT, None, now=101.0)
        assert claim(tx) is None


def test_a_hold_delays_training_until_an_import_is_in(store: Store, learner: UUID):
    """While batches arrive no training begins."""
    with store.write() as tx:
        for _ in range(9):
            add_answer(tx, learner)
        jobs.hold(tx, until=102.0)
        assert claim(tx, now=101.0) is None
        assert claim(tx, now=102.0) is not None


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(st.sampled_from(["answer", "retract", "claim", "finish", "fail"]), max_size=40)
)
def test_the_counter_is_exact_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
):
    """It counts what no finished or running run has covered, less what was taken back."""
    store = new_store(tmp_path_factory.mktemp("counter"))
    waiting: list[int] = []
    taken: list[int] = []
    run: training.Claim | None = None
    now = 0.0
    with store.write() as tx:
        learner = add_learner(tx)
        for step in steps:
            now += 1000.0 if run is None else 0.01
            if step == "answer":
                add_answer(tx, learner)
                waiting.append(attempts.last_seq(tx))
            elif step == "retract" and waiting:
                tx.exec_driver_sql(
                    "INSERT INTO retraction (attempt_seq, learner_id, reason, at) "
                    "SELECT seq, learner_id, 'task_deleted', 0 FROM attempt WHERE seq = ?",
                    (waiting.pop(),),
                )
            elif step == "claim" and run is None:
                run = claim(tx, now=now)
                assert (run is not None) == (len(waiting) >= 5)
                if run is not None:
                    waiting, taken = [], waiting
            elif step == "finish" and run is not None:
                training.finish(tx, run, LIVE, b"model", now=now)
                run, taken = None, []
            elif step == "fail" and run is not None:
                training.end_failed(tx, run, reason="test", now=now)
                run, waiting, taken = None, taken + waiting, []
            assert len(waiting) == status(tx, now=now)["completed_since_training"]
    with store.read() as tx:
        told = sqlite.status(store.path, threshold=5, silent_s=WORKER_SILENT_S, now=now)
        assert told.pop("beat_at") is None
        assert told == status(tx, now=now), "the quick look says the same"
