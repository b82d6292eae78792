"""Processes that die, and processes that must not outlive others."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import psutil

from tests.acceptance.world import STUDYSMART, running, wait_for


def test_killing_the_supervisor_ends_its_children(tmp_path: Path):
    """Even `kill -9` leaves no web process, worker or fitting process behind."""
    with running(tmp_path / "data") as world:
        world.child("studysmart.jobs.child")
        children = world.children()
        assert len(children) >= 3
        world.process.send_signal(signal.SIGKILL)
        world.process.wait(timeout=10)
        _, alive = psutil.wait_procs(children, timeout=10)
        assert not alive


def test_a_killed_child_is_restarted_and_nothing_is_lost(tmp_path: Path):
    """The web process and the worker come back by themselves, with all answers."""
    with running(tmp_path / "data") as world:
        world.answer(topic="Algebra")
        for module in ("studysmart.web", "studysmart.jobs"):
            victim = world.child(module)
            victim.kill()
            wait_for(
                lambda victim=victim, module=module: world.child(module).pid != victim.pid,
                seconds=20,
                hint=f"a new {module}",
            )
        # The supervisor holds the socket: the request waits for the new process instead of failing.
        assert 1 == world.training()["total_completed"]
        for _ in range(4):
            world.answer(topic="Algebra")
        assert "live" == world.trained()["last_result"]["outcome"]


def test_a_fitting_process_that_is_killed_is_a_reported_failure(tmp_path: Path):
    """Its run ends as failed, another follows, and the worker lives on."""
    with running(tmp_path / "data") as world:
        world.child("studysmart.jobs.child").kill()
        for _ in range(5):
            world.answer(topic="Algebra")
        worker = world.child("studysmart.jobs").pid

        def live() -> bool:
            return world.training()["live_model"] is not None

        wait_for(live, seconds=60, hint="a model in spite of the kill")
        assert worker == world.child("studysmart.jobs").pid


def test_a_taken_port_is_said_plainly(tmp_path: Path):
    """The second server names the address and what to do, and leaves the first alone."""
    with running(tmp_path / "data") as world:
        port = world.url.rsplit(":", 1)[1]
        done = subprocess.run(
            [str(STUDYSMART), "serve", "--port", port, "--data-dir", str(tmp_path / "other")],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        assert 1 == done.returncode
        assert f"127.0.0.1:{port} cannot be had" in done.stderr
        assert "--port" in done.stderr


def test_a_network_bind_without_an_operator_is_refused(tmp_path: Path):
    """Everybody on the network would be the operator; the text says how to make one."""
    done = subprocess.run(
        [str(STUDYSMART), "serve", "--host", "0.0.0.0", "--port", "0",  # noqa: S104
         "--data-dir", str(tmp_path / "data")],
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert 1 == done.returncode
    assert "studysmart accounts add" in done.stderr
