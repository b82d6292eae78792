"""Workers that race for the one job, on both databases, with a fit that takes milliseconds."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from studysmart import training
from studysmart.jobs import worker as jobs_worker
from studysmart.jobs.worker import Worker
from studysmart.settings import Settings
from studysmart.store import Store, attempts, jobs
from tests.builders import add_answer, add_learner, new_store

pytestmark = pytest.mark.both_databases


class QuickChild:
    """Answers as the fitting process does, after a moment; now and then it fails."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.peak_bytes = 0
        self.messages: list[dict[str, Any]] = []

    def alive(self) -> bool:
        return True

    def grown(self) -> bool:
        return False

    def ask(self, **_: Any) -> None:
        self.messages = [
            {"event": "progress", "phase": "fitting", "fraction": 0.5, "epoch": 1, "loss": 0.6},
            {"event": "failed", "reason": "out of luck"}
            if self.random.random() < 0.1
            else {
                "event": "done", "outcome": "live", "reason": "better", "kind": "prior",
                "manifest": {}, "metrics": {}, "samples": 1, "peak_bytes": 0,
            },
        ]  # fmt: skip

    def next_message(self, *, timeout_s: float) -> dict[str, Any]:
        time.sleep(min(timeout_s, self.random.uniform(0, 0.02)))
        return self.messages.pop(0)

    def receive_bytes(self) -> bytes:
        return b"model"

    def end(self) -> None:
        self.messages = []


def race(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, *, workers: int, answers: int
) -> list[Any]:
    """So many workers while answers come in; returns the runs once everything is covered."""
    monkeypatch.setattr(training, "LONGEST_BACKOFF_S", 0.05)  # failures are not waited for
    monkeypatch.setattr(jobs_worker, "BEAT_S", 0.05)
    settings = Settings(data_dir=folder, poll_s=0.01)
    made: list[Worker] = []
    for number in range(workers):
        one = Worker(store, settings, worker_id=f"w{number}")
        children: Callable[[], Any] = lambda number=number: QuickChild(number)
        monkeypatch.setattr(one, "_new_child", children)
        made.append(one)
    threads = [threading.Thread(target=one.run) for one in made]
    with store.write() as tx:
        learner = add_learner(tx)
    for thread in threads:
        thread.start()
    try:
        for _ in range(answers):
            with store.write() as tx:
                add_answer(tx, learner)
            time.sleep(random.uniform(0, 0.004))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with store.read() as tx:
                job = jobs.job(tx)
                left = attempts.completions(tx, after=job.covered_seq)
            if job.owner is None and left < settings.train_every:
                break
            time.sleep(0.02)
    finally:
        for one in made:
            one.stop()
        for thread in threads:
            thread.join()
    with store.read() as tx:
        return list(tx.execute(text("SELECT * FROM training_run ORDER BY id")))


def test_four_workers_never_overlap_and_miss_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """One run at a time, each by one worker, until fewer than five answers are left."""
    store = new_store(tmp_path)
    runs = race(store, tmp_path, monkeypatch, workers=4, answers=300)
    for before, after in pairwise(runs):
        assert before.ended_at is not None
        assert before.ended_at <= after.started_at, "two runs at a time"
    assert {"live", "failed"} >= {run.outcome for run in runs}
    assert len({run.owner for run in runs}) > 1, "one worker did everything: that is no race"
    with store.read() as tx:
        job = jobs.job(tx)
        assert attempts.completions(tx, after=job.covered_seq) < 5
        live = tx.execute(
            text("SELECT count(*) FROM model_version WHERE status = 'live'")
        ).scalar_one()
        published = tx.execute(text("SELECT count(*) FROM model_version")).scalar_one()
    assert 1 == live
    assert published == sum(run.outcome == "live" for run in runs)
    assert len(runs) >= 10


def test_a_worker_that_lost_its_lease_is_told_and_ends_its_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its beat finds the job in other hands: it publishes nothing and looks for new work."""
    monkeypatch.setattr(jobs_worker, "BEAT_S", 0.02)
    store = new_store(tmp_path)
    one = Worker(store, Settings(data_dir=tmp_path, poll_s=0.01), worker_id="one")
    ended = threading.Event()

    class Endless(QuickChild):
        def next_message(self, *, timeout_s: float) -> dict[str, Any]:
            time.sleep(min(timeout_s, 0.02))
            return {}

        def end(self) -> None:
            ended.set()

    monkeypatch.setattr(one, "_new_child", lambda: Endless(0))
    with store.write() as tx:
        training.ask(tx, actor="local", reason="test", now=time.time())
    thread = threading.Thread(target=one.run)
    thread.start()
    try:
        while True:
            with store.write() as tx:
                job = jobs.job(tx)
                if job.owner is not None:
                    training.ask(tx, actor="local", reason="test", now=time.time())
                    other = training.claim_if_due(
                        tx, owner="two", threshold=5, now=time.time(),
                        abandoned=(job.fence, job.beat),
                    )  # fmt: skip
                    assert other is not None
                    break
            time.sleep(0.01)
        assert ended.wait(10), "the fit went on"
    finally:
        one.stop()
        thread.join()
    with store.read() as tx:
        assert "two" == jobs.job(tx).owner
        assert [] == tx.execute(text("SELECT version FROM model_version")).all()


def test_an_operators_cancel_ends_the_fit_within_a_beat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The fitting process is ended, the run says cancelled, and a fresh process is made."""
    monkeypatch.setattr(jobs_worker, "BEAT_S", 0.02)
    store = new_store(tmp_path)
    one = Worker(store, Settings(data_dir=tmp_path, poll_s=0.01))
    made: list[QuickChild] = []

    class Endless(QuickChild):
        def next_message(self, *, timeout_s: float) -> dict[str, Any]:
            time.sleep(min(timeout_s, 0.02))
            return {}

    def child() -> QuickChild:
        made.append(Endless(0))
        return made[-1]

    monkeypatch.setattr(one, "_new_child", child)
    with store.write() as tx:
        training.ask(tx, actor="local", reason="test", now=time.time())
    thread = threading.Thread(target=one.run)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        asked = False
        while time.monotonic() < deadline:
            with store.write() as tx:
                if not asked and jobs.job(tx).owner is not None:
                    training.cancel(tx, actor="local", reason="enough", now=time.time())
                    asked = True
                if asked and jobs.job(tx).owner is None:
                    break
            time.sleep(0.01)
        time.sleep(0.1)
    finally:
        one.stop()
        thread.join()
    with store.read() as tx:
        (run,) = training.runs(tx, limit=5)
    assert "cancelled" == run["outcome"]
    assert 2 == len(made)
