"""The same installation on PostgreSQL: one database, several processes, on several machines."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.acceptance.world import STUDYSMART, World, running, wait_for
from tests.postgres import Postgres


@pytest.fixture
def environment(postgres_server: Postgres) -> Iterator[dict[str, str]]:
    """Settings of an installation with an empty database of its own."""
    name = postgres_server.create()
    yield {"STUDYSMART_DATABASE_URL": postgres_server.url(name)}
    postgres_server.drop(name)


def test_the_main_story_holds_on_postgresql(tmp_path: Path, environment: dict[str, str]):
    """Fresh database, five answers, training in the background, live, restart, still live."""
    with running(tmp_path / "data", env=environment) as world:
        for _ in range(5):
            world.answer(topic="Algebra")
        assert "live" == world.trained()["last_result"]["outcome"]
        version = world.training()["live_model"]["version"]
    with running(tmp_path / "data", env=environment) as world:
        status = world.training()
        assert (version, 5) == (status["live_model"]["version"], status["total_completed"])
        assert not list((tmp_path / "data").glob("*.sqlite3*")), "no second database beside it"
        shown = subprocess.run(
            [str(STUDYSMART), "status", "--data-dir", str(tmp_path / "data")],
            env=os.environ | environment, capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        assert 0 == shown.returncode, shown.stderr
        assert f"version {version}" in shown.stdout


def test_a_second_worker_takes_over_when_the_first_is_gone(
    tmp_path: Path, environment: dict[str, str]
):
    """`studysmart worker` trains while the server's own worker is frozen."""
    with running(tmp_path / "data", env=environment) as world:
        stopped = world.child("studysmart.jobs")
        stopped.send_signal(signal.SIGSTOP)
        other = subprocess.Popen(
            [str(STUDYSMART), "worker", "--data-dir", str(tmp_path / "data")],
            env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            for _ in range(5):
                world.answer(topic="Waves")
            ended = world.trained(seconds=150)["last_result"]
            assert "live" == ended["outcome"], ended
            (run,) = world.http.get("/api/training/runs").json()
            assert str(stopped.pid) not in run["owner"].split(":")
            stopped.send_signal(signal.SIGCONT)
        finally:
            children = psutil.Process(other.pid).children(recursive=True)
            other.send_signal(signal.SIGTERM)
            assert 0 == other.wait(timeout=20)
            psutil.wait_procs(children, timeout=10)


def test_a_wrong_address_is_said_plainly(tmp_path: Path):
    """What is no URL of PostgreSQL, and a server that is not there, end with one sentence."""

    def serve(url: str) -> tuple[int, str]:
        done = subprocess.run(
            [str(STUDYSMART), "serve", "--port", "0", "--data-dir", str(tmp_path / "data")],
            env=os.environ | {"STUDYSMART_DATABASE_URL": url},
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        return done.returncode, done.stderr

    code, told = serve("mysql://somewhere/else")
    assert 1 == code
    assert "postgresql://user:password@host/name" in told
    code, told = serve("postgresql://ada:secret@127.0.0.1:1/none")
    assert 1 == code
    assert "cannot be used" in told
    assert "secret" not in told


def test_answers_wait_for_a_server_that_comes_back(tmp_path: Path):
    """PostgreSQL is killed and started again: 503 meanwhile, then everything goes on."""
    server = Postgres(durable=True)
    try:
        url = {"STUDYSMART_DATABASE_URL": server.url(server.create())}
        with running(tmp_path / "data", env=url) as world:
            answered(world, 2)
            server.kill()
            reply = world.http.post("/api/practice-tasks", json={})
            assert (503, "1") == (reply.status_code, reply.headers["retry-after"])
            server.start()
            wait_for(
                lambda: world.http.get("/api/readyz").status_code == 200,
                seconds=20,
                hint="the database",
            )
            answered(world, 3)
            assert 5 == world.training()["total_completed"]
            assert "live" == world.trained()["last_result"]["outcome"]
    finally:
        server.stop()


def answered(world: World, n: int) -> None:
    """Answer so many tasks."""
    for _ in range(n):
        world.answer(topic="Algebra")
