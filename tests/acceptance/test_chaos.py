"""Nothing is lost, doubled or left undone, whatever dies; and the harness can tell.

The rows D1, D4, D5, M1 and M4 of what this project promises, on both databases.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest

from studysmart import sqlite
from studysmart.store import jobs
from studysmart.training import LEASE_S
from tests import postgres
from tests.acceptance import planted
from tests.acceptance.chaos import Chaos, Client, Fault, chaos, faults
from tests.acceptance.world import running, wait_for

CI = os.environ.get("CI") == "true"
SEEDS = [int(line) for line in (Path(__file__).parent / "chaos_seeds.txt").read_text().split()]


@pytest.fixture
def durable() -> Iterator[postgres.Postgres]:
    """A PostgreSQL server of this test's own, to be killed; with fsync."""
    missing = postgres.missing()
    if missing and CI:
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    server = postgres.Postgres(durable=True)
    yield server
    server.stop()


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether to go on for minutes, as `make soak` does."""
    return bool(request.config.getoption("--soak"))


def report(one: Chaos) -> None:
    """Print what docs/figures.md wants to know."""
    took = {kind: [round(s, 2) for s in sorted(all_)] for kind, all_ in one.seconds.items()}
    print(  # noqa: T201 - figures for whoever runs it with -s
        f"\nseed {one.seed}: {len(one.journal.acknowledged)} answers, {one.client.retries} retries,"
        f" {one.watcher.looks} looks; recovery {took}"
    )


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", SEEDS)
def test_answers_survive_kills_on_sqlite(tmp_path: Path, seed: int, *, soak: bool):
    """Web, worker, fitting process and supervisor die at random instants while people answer."""
    kinds = {"web": 3, "worker": 2, "child": 1, "supervisor": 1}
    n, rate = (10_000, 30) if soak else (300, 20)
    if soak:
        kinds = {"web": 50, "worker": 30, "child": 10, "supervisor": 10}
    with chaos(tmp_path / "it", seed=seed, train_every=200 if soak else 10) as one:
        one.run(n, rate=rate, faults=faults(seed, kinds, seconds=n / rate))
        report(one)
        assert [] == one.judge(), f"seed {seed}"


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", SEEDS[:1])
def test_answers_survive_kills_on_postgresql(
    tmp_path: Path, seed: int, durable: postgres.Postgres, *, soak: bool
):
    """And the database server dies too."""
    kinds = {"web": 2, "worker": 2, "postmaster": 2}
    n, rate = (10_000, 30) if soak else (240, 20)
    if soak:
        kinds = {"web": 60, "worker": 30, "postmaster": 10}
    train_every = 200 if soak else 10
    with chaos(tmp_path / "it", seed=seed, server=durable, train_every=train_every) as one:
        one.run(n, rate=rate, faults=faults(seed, kinds, seconds=n / rate))
        report(one)
        assert [] == one.judge(), f"seed {seed}"


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Any]:
    """Starts an installation with a bug, or without."""
    started: list[Any] = []

    def start(**options: Any) -> Chaos:
        context = chaos(tmp_path / "it", seed=1, **options)
        started.append(context)
        return context.__enter__()

    yield start
    for context in started:
        context.__exit__(None, None, None)


def test_a_worker_killed_at_any_step_of_publishing_leaves_one_live_model(quick: Any):
    """Each step in turn; the next worker finds a job to take over and a model to serve."""
    one = quick()
    one.client.answer(20, rate=20)
    assert one.settled()
    for step in planted.STEPS:
        done = one.ask(f"kill-{step}")
        for _ in range(5):  # a run that has nothing to publish does not come to each step
            one.client.answer(10, rate=40)
            assert one.settled(), step
            if done.exists():
                break
        assert done.exists(), f"no run came to {step}"
    one.client.answer(4, rate=20)
    assert [] == one.judge()


def test_two_servers_and_two_workers_share_one_file(quick: Any):
    """Nobody is told that the database is locked, while its log is emptied again and again."""
    one = quick()
    second = Client(one.another_server().url, one.journal, seed=2)
    done = threading.Event()

    def empty_the_log() -> None:
        with closing(sqlite.sqlite_module().connect(one.where)) as own:
            while not done.wait(0.5):
                own.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    emptying = threading.Thread(target=empty_the_log)
    emptying.start()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda client: client.answer(100, rate=15), (one.client, second)))
    done.set()
    emptying.join()
    second.close()
    assert [] == second.complaints
    assert [] == one.judge()


def test_a_storm_of_retries_keeps_every_answer_once(quick: Any):
    """Each is sent five times at once, some of them changed: one is kept, the others refused."""
    one = quick()
    people = one.client._people
    rng = random.Random(5)

    def send(job: tuple[str, dict[str, Any]]) -> tuple[int, Any]:
        url, body = job
        reply = people[0].post(url, json=body)
        return reply.status_code, reply.json()

    with ThreadPoolExecutor(5) as pool:
        for n in range(100):
            body = {"topic": "Algebra", "difficulty": "easy"}
            task = people[0].post("/api/practice-tasks", json=body).json()
            attempt = {"id": str(uuid4()), "answer": "7", "response_time_s": 9.0}
            if task["options"]:
                attempt["answer"] = task["options"][0]
            changed = attempt | {"response_time_s": 10.0}
            bodies = [attempt] * 5 if n % 10 else [attempt, changed] * 3
            rng.shuffle(bodies)
            one.journal.note("sent", UUID(attempt["id"]))
            url = f"/api/practice-tasks/{task['id']}/attempts"
            found = list(pool.map(send, [(url, each) for each in bodies]))
            kept = [reply for status, reply in found if status == 200]
            assert kept
            assert all(reply == kept[0] for reply in kept)
            for body, (status, reply) in zip(bodies, found, strict=True):
                same = body["response_time_s"] == kept[0]["response_time_s"]
                assert (200 if same else 409) == status
                assert same or reply["code"] == "attempt_id_reused"
            one.journal.note("acknowledged", UUID(attempt["id"]))
    assert [] == one.judge()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, 48 MiB large."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    tried = subprocess.run(mount, capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"no disk can be mounted here: {tried.stderr.strip()}")
    yield folder
    unmount = ["umount", "--lazy", str(folder)]
    subprocess.run(unmount, check=True)


def test_a_full_disk_is_a_pause(small_disk: Path):
    """Writing waits with a 503 that says for how long, reading goes on, and nothing is lost."""
    with running(small_disk / "data") as world:
        for _ in range(3):
            world.answer(topic="Algebra")
        task = world.draw(topic="Algebra")
        with (small_disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(bytes(2**12))
        body = {"is_correct": True, "actual_time_seconds": 9}
        refused = [world.http.patch(f"/api/practice-tasks/{task['id']}", json=body)]
        refused += [world.http.post("/api/practice-tasks", json={}) for _ in range(30)]
        # What was reserved before the disk was full may still be written to.
        told = {reply.status_code for reply in refused}
        assert told <= {200, 201, 503}
        assert 503 == refused[-1].status_code
        assert all("retry-after" in reply.headers for reply in refused if reply.status_code == 503)
        for path in ("/api/livez", "/api/practice-tasks", "/api/training", "/api/insights"):
            assert 200 == world.http.get(path).status_code, path
        (small_disk / "filler").unlink()
        began = time.monotonic()
        wait_for(
            lambda: world.http.patch(f"/api/practice-tasks/{task['id']}", json=body).status_code
            == 200, seconds=5, hint="an answer that is kept",
        )  # fmt: skip
        print(f"\nwritten again {time.monotonic() - began:.2f} s after there was room")  # noqa: T201
        world.answer(topic="Algebra")
        assert 5 == world.training()["total_completed"]
        world.trained()


@pytest.mark.parametrize(
    ("calls", "error", "when"),
    [
        ("fsync,fdatasync", "EIO", 1),
        ("fsync,fdatasync", "EIO", 4),
        ("pwrite64", "EIO", 2),
        ("pwrite64", "ENOSPC", 1),
        ("pwrite64", "ENOSPC", 9),
    ],
)
def test_a_failing_disk_call_loses_no_answer(quick: Any, calls: str, error: str, when: int):
    """Each thread's n-th call fails; who met a failed disk is replaced before anything is kept."""
    missing = cannot_trace()
    if missing:
        pytest.skip(missing)
    one = quick()
    one.client.answer(8, rate=20)
    web = one.world.child("studysmart.web")
    log = one.steps / "trace"
    command = ["strace", "-f", "-p", str(web.pid), "-o", str(log), "-e", f"trace={calls}"]
    command += ["-e", f"inject={calls}:error={error}:when={when}"]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    assert "attached" in tracer.stderr.readline()
    one.client.answer(40, rate=20)
    tracer.terminate()
    tracer.communicate(timeout=20)
    assert error in log.read_text(), "no call failed, so nothing was shown"
    if error == "EIO":
        wait_for(lambda: one.world.child("studysmart.web").pid != web.pid, seconds=20,
                 hint="another web process")  # fmt: skip
    assert [] == one.judge()


def cannot_trace() -> str:
    """Why the calls of a process cannot be made to fail here; empty when they can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    command = ["strace", "-o", os.devnull, "-e", "inject=fsync:error=EIO:when=1", "true"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"strace is not allowed here: {tried.stderr.strip()}" if tried.returncode else ""


def test_a_crashed_worker_is_followed_at_once(quick: Any):
    """The supervisor saw it end, so nobody waits for its lease: the target is 2 s."""
    one = quick()
    one.client.answer(20, rate=20)
    assert one.settled()

    def fence() -> int:
        with one.store.read() as tx:
            return int(jobs.job(tx).fence)

    before = fence()
    done = one.ask("kill-settle")
    one.client.answer(10, rate=40)
    wait_for(done.exists, seconds=30, hint="the crash")
    began = time.monotonic()
    wait_for(lambda: fence() > before + 1, seconds=LEASE_S, hint="the next worker at the job")
    print(f"\ntaken over after {time.monotonic() - began:.2f} s")  # noqa: T201
    assert [] == one.judge()


def freeze_and_replace(one: Chaos) -> None:
    """A worker freezes before it publishes; another takes over and publishes; it thaws."""
    one.client.answer(20, rate=20)
    assert one.settled()
    frozen = psutil.Process(one.world.child("studysmart.jobs").pid)
    done = one.ask("stop-settle")
    one.client.answer(10, rate=40)
    wait_for(done.exists, seconds=30, hint="a frozen worker")
    one.another_worker()
    held = one.steps / "stop-settle"  # the second one freezes in the middle of its run, too
    held.touch()
    wait_for(lambda: not held.exists(), seconds=60, hint="another worker that took over")
    frozen.send_signal(signal.SIGCONT)
    one.client.answer(3, rate=3)
    for other in one.others:
        for process in psutil.Process(other.pid).children(recursive=True):
            process.send_signal(signal.SIGCONT)


def test_a_worker_that_thaws_after_its_lease_publishes_nothing(quick: Any):
    """The fence refuses it: the job is another's by then."""
    one = quick()
    freeze_and_replace(one)
    assert [] == one.judge()


def test_commit_after_acknowledge_is_caught(quick: Any):
    """A kill in between loses what was promised."""
    one = quick(plant="commit_after_acknowledge")
    one.run(80, rate=20, faults=[Fault(at, "web") for at in (1.0, 2.5)])
    assert any("lost" in line for line in one.judge())


def test_a_missing_unique_key_is_caught(quick: Any):
    """An answer that is sent three times is kept three times."""
    one = quick(plant="no_unique_key")
    one.client.answer(60, rate=20)
    assert any("kept twice" in line for line in one.judge())


def test_a_deferred_begin_is_caught(quick: Any):
    """Writers that upgrade run into each other, and people are told that the database is locked."""
    one = quick(plant="deferred_begin")
    one.client.answer(120, rate=40)
    assert any("locked" in line for line in one.judge())


def test_a_lease_without_a_fence_is_caught(quick: Any):
    """A worker that thaws publishes beside the one that took over."""
    one = quick(plant="lease_without_fence")
    freeze_and_replace(one)
    assert [] != one.judge()


def test_publishing_in_two_transactions_is_caught(quick: Any):
    """For a moment no model is live."""
    one = quick(plant="publish_in_two_transactions")
    for _ in range(2):
        one.client.answer(20, rate=20)
        assert one.settled()
    assert any("0 live models" in line for line in one.judge())


def test_a_lost_trigger_is_caught(quick: Any):
    """Answers that came during a run are believed to be trained on, and are not."""
    one = quick(plant="lost_trigger")
    one.client.answer(60, rate=15)
    assert any("count as trained" in line for line in one.judge())
