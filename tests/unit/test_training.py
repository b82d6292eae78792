"""When a training is due, who has it, and what a result changes."""

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from studysmart import sqlite, training
from studysmart.defaults import WORKER_SILENT_S
from studysmart.errors import Conflict
from studysmart.store import Store, Tx, attempts, audit, jobs, models
from tests.builders import add_answer, add_learner, new_store

pytestmark = pytest.mark.both_databases


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty database."""
    return new_store(tmp_path)


@pytest.fixture
def learner(store: Store) -> UUID:
    """One learner in it."""
    with store.write() as tx:
        return add_learner(tx)


def claim(
    tx: Tx, now: float = 100.0, owner: str = "one", abandoned: tuple[int, int] | None = None
) -> training.Claim | None:
    """Claim with the usual threshold."""
    return training.claim_if_due(tx, owner=owner, threshold=5, now=now, abandoned=abandoned)


def status(tx: Tx, now: float = 100.0) -> dict[str, object]:
    """The public counter."""
    return training.status(tx, threshold=5, now=now)


def take_back(tx: Tx, seq: int) -> None:
    """The learner deleted the task of this answer."""
    tx.execute(
        text(
            "INSERT INTO retraction (attempt_seq, learner_id, reason, at) "
            "SELECT seq, learner_id, 'task_deleted', 0 FROM attempt WHERE seq = :seq"
        ),
        {"seq": seq},
    )


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
        assert first is not None
        second = claim(tx, now=100.5, owner="two", abandoned=(first.fence, 0))
        assert second is not None
        assert second.fence > first.fence
        assert "failed" == jobs.run(tx, first.run_id).outcome


def test_a_holder_that_lives_keeps_its_job_whatever_the_clocks_say(store: Store, learner: UUID):
    """Only a beat that stands still for a lease, by the watcher's own clock, is a dead holder."""
    watch, seen = training.Watch(), []
    with store.write() as tx:
        for _ in range(5):
            add_answer(tx, learner)
        held = claim(tx, now=100.0)
        assert held is not None
        for second in range(30):
            if second < 15:
                training.renew(tx, held)
            seen.append(watch.abandoned(jobs.job(tx), at=1e6 + second))
            # A clock that is an hour ahead, on this machine or another, changes nothing.
            assert claim(tx, now=3_700.0, owner="two") is None
    assert [False] * 25 + [True] * 5 == seen


def test_a_job_that_moved_since_it_was_seen_is_not_taken(store: Store, learner: UUID):
    """The holder beat between the look and the claim: it lives."""
    with store.write() as tx:
        for _ in range(5):
            add_answer(tx, learner)
        held = claim(tx)
        assert held is not None
        training.renew(tx, held)
        assert claim(tx, owner="two", abandoned=(held.fence, 0)) is None
        assert claim(tx, owner="two", abandoned=(held.fence, 1)) is not None


def test_the_job_of_a_worker_that_was_seen_to_end_needs_no_watching(store: Store, learner: UUID):
    """A supervisor that reaped its worker says so to the next one."""
    with store.write() as tx:
        for _ in range(5):
            add_answer(tx, learner)
        assert claim(tx, owner="host:1.1") is not None
        assert training.Watch("host:1.1").abandoned(jobs.job(tx), at=0.0)
        assert not training.Watch("host:1.0").abandoned(jobs.job(tx), at=0.0)


def test_a_cancelled_run_ends_and_does_not_begin_again(store: Store, learner: UUID):
    """Its answers are covered; asking again, or five more of them, starts another."""
    with store.write() as tx:
        with pytest.raises(Conflict, match="nothing to cancel"):
            training.cancel(tx, actor="local", reason="by mistake", now=99.0)
        for _ in range(5):
            add_answer(tx, learner)
        held = claim(tx)
        assert held is not None
        assert not training.renew(tx, held)
        training.cancel(tx, actor="local", reason="too slow", now=100.5)
        assert training.renew(tx, held)
        training.end_cancelled(tx, held, now=101.0)
        assert claim(tx, now=102.0) is None
        assert 0 == status(tx)["completed_since_training"]
        last = training.runs(tx, limit=1)[0]
        assert ("cancelled", "too slow") == (last["outcome"], audit.newest(tx, limit=1)[0].reason)


def test_a_pause_holds_what_is_due_and_not_what_is_asked_for(store: Store, learner: UUID):
    """Paused, nothing begins by itself; resumed, what came meanwhile is due at once."""
    with store.write() as tx:
        training.pause(tx, actor="local", reason="exam week", now=99.0)
        for _ in range(5):
            add_answer(tx, learner)
        assert status(tx)["paused"]
        assert claim(tx) is None
        training.ask(tx, actor="local", reason="just this once", now=99.5)
        asked = claim(tx)
        assert asked is not None
        training.finish(tx, asked, KEPT_OUT, None, now=101.0)
        for _ in range(5):
            add_answer(tx, learner)
        assert claim(tx) is None
        training.resume(tx, actor="local", reason="exams are over", now=102.0)
        assert claim(tx) is not None


def test_while_a_version_is_pinned_a_better_one_waits(store: Store):
    """Training goes on; its model is kept as a challenger, with its bytes."""
    with store.write() as tx:
        training.ask(tx, actor="local", reason="first", now=99.0)
        first = claim(tx)
        assert first is not None
        version = training.finish(tx, first, LIVE, b"one", now=100.0)
        jobs.change(tx, pinned_version=version)
        training.ask(tx, actor="local", reason="second", now=101.0)
        second = claim(tx, now=101.0)
        assert second is not None
        assert training.finish(tx, second, LIVE, b"two", now=102.0) is None
        assert version == models.live_version(tx)
        last = training.runs(tx, limit=1)[0]
        assert "kept_out" == last["outcome"]
        assert f"Version {version} is pinned" in last["reason"]
        kept = models.get(tx, last["version"])
        assert kept is not None
        assert ("challenger", b"two") == (kept.status, kept.data)


def test_what_an_operator_asked_for_is_still_wanted_after_a_failure(store: Store):
    """A worker that dies on it does not lose it."""
    with store.write() as tx:
        training.ask(tx, actor="local", reason="now", now=99.0)
        run = claim(tx)
        assert run is not None
        training.end_failed(tx, run, reason="killed", now=100.0, retry_in_s=0.0)
        again = claim(tx, now=100.5)
        assert again is not None
        assert "asked" == jobs.run(tx, again.run_id).trigger


def test_a_clock_that_was_set_back_does_not_hold_training_for_ever(store: Store, learner: UUID):
    """A wait that ends further ahead than the longest one there is belongs to another clock."""
    with store.write() as tx:
        for _ in range(5):
            add_answer(tx, learner)
        run = claim(tx, now=10_000.0)
        assert run is not None
        training.end_failed(tx, run, reason="test", now=10_000.0)
        assert claim(tx, now=10_001.0) is None
        assert claim(tx, now=6_400.0) is not None


def test_a_replaced_worker_publishes_nothing(store: Store, learner: UUID):
    """The late result of a worker that lost its lease changes neither model nor counter."""
    with store.write() as tx:
        for _ in range(5):
            add_answer(tx, learner)
        first = claim(tx, now=100.0)
        assert first is not None
        second = claim(tx, now=200.0, owner="two", abandoned=(first.fence, 0))
    assert second is not None

    def late() -> None:
        with store.write() as tx:
            training.finish(tx, first, LIVE, b"late", now=201.0)

    with pytest.raises(training.Superseded):
        late()
    with store.write() as tx:
        assert models.live_version(tx) is None
        with pytest.raises(training.Superseded):
            training.renew(tx, first)
        training.renew(tx, second, progress={"phase": "fitting"})
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
        training.ask(tx, actor="local", reason="first", now=99.0)
        training.ask(tx, actor="local", reason="again", now=99.5)
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
                take_back(tx, waiting.pop())
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
    if store.path is not None:
        with store.read() as tx:
            told = sqlite.status(store.path, threshold=5, silent_s=WORKER_SILENT_S, now=now)
            assert told.pop("beat_at") is None
            assert told == status(tx, now=now), "the quick look says the same"
