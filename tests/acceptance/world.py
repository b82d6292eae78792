"""A real installation in a folder of its own.

Processes started through the command line, and ended.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx2
import psutil

STUDYSMART = Path(sys.executable).with_name("studysmart")
COMPILED = Path(tempfile.mkdtemp(prefix="studysmart-compiled-")) / "jax"
atexit.register(shutil.rmtree, COMPILED.parent, ignore_errors=True)
T = TypeVar("T")


def wait_for(what: Callable[[], T | None], *, seconds: float, hint: str) -> T:
    """The first truthy value of `what`, asked every 50 ms."""
    deadline = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        if time.monotonic() > deadline:
            msg = f"waited {seconds:g} s in vain for {hint}"
            raise TimeoutError(msg)
        time.sleep(0.05)


class World:
    """One running `studysmart serve`.

    Args:
        folder: data folder.
        cwd: where to start it from.
        env: further environment variables.
        platform: use the platform's data folder instead of `folder`.
        port: where to listen; 0 picks one.
        command: what stands in for `studysmart`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        platform: bool = False,
        port: int = 0,
        command: Sequence[str] = (str(STUDYSMART),),
    ):
        self.folder = folder
        self._start_warm()
        self._log = folder.parent / f"{folder.name}.out"
        where = [] if platform else ["--data-dir", str(folder)]
        with self._log.open("w") as out:
            self.process = subprocess.Popen(
                [*command, "serve", "--port", str(port), *where],
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=cwd or folder.parent,
                env={**os.environ, **(env or {})},
            )
        self.url = wait_for(self._address, seconds=20, hint="the address")
        self.http = httpx2.Client(base_url=self.url, timeout=20)
        wait_for(self._alive, seconds=20, hint="the web process")

    def _start_warm(self) -> None:
        """Take over what an earlier world compiled: compiling anew takes most of a test's time."""
        own = self.folder / "cache" / "jax"
        if COMPILED.exists() and not own.exists():
            shutil.copytree(COMPILED, own)

    def _leave_warm(self) -> None:
        own = self.folder / "cache" / "jax"
        if own.exists() and not COMPILED.exists():
            shutil.copytree(own, COMPILED)

    def _address(self) -> str | None:
        if self.process.poll() is not None:
            msg = f"serve ended with {self.process.returncode}:\n{self.output()}"
            raise RuntimeError(msg)
        found = re.search(r"http://[\d.]+:\d+", self.output())
        return found.group() if found else None

    def _alive(self) -> bool:
        try:
            return self.http.get("/api/livez").status_code == 200
        except httpx2.TransportError:
            return False

    def output(self) -> str:
        """Everything that the processes printed so far."""
        return self._log.read_text()

    def child(self, module: str) -> psutil.Process:
        """The running process of a module.

        `studysmart.web`, `studysmart.jobs` or `....jobs.child`.
        """

        def find() -> psutil.Process | None:
            for process in psutil.Process(self.process.pid).children(recursive=True):
                try:
                    if module in process.cmdline():
                        return process
                except psutil.Error:
                    continue
            return None

        return wait_for(find, seconds=20, hint=f"a process of {module}")

    def children(self) -> list[psutil.Process]:
        """All processes under the supervisor."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def answer(self, *, right: bool = True, time_s: float = 30.0, **request: Any) -> dict[str, Any]:
        """Draw a task and mark it; returns the receipt."""
        task = self.draw(**request)
        reply = self.http.patch(
            f"/api/practice-tasks/{task['id']}",
            json={"is_correct": right, "actual_time_seconds": time_s},
        )
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def draw(self, **request: Any) -> dict[str, Any]:
        """Draw a task."""
        reply = self.http.post("/api/practice-tasks", json=request)
        assert reply.status_code == 201, reply.text
        return dict(reply.json())

    def attempt(self, task: dict[str, Any], answer: str, **body: Any) -> httpx2.Response:
        """Hand in an answer."""
        return self.http.post(
            f"/api/practice-tasks/{task['id']}/attempts",
            json={"id": str(uuid4()), "answer": answer, "response_time_s": 12.0} | body,
        )

    def training(self) -> dict[str, Any]:
        """The training status."""
        return dict(self.http.get("/api/training").json())

    def trained(self, runs: int = 1, *, seconds: float = 60) -> dict[str, Any]:
        """Wait until so many runs have ended; returns the status then."""

        def ended() -> dict[str, Any] | None:
            status = self.training()
            last = status["last_result"]
            return status if last and last["run"] >= runs and not status["running"] else None

        return wait_for(ended, seconds=seconds, hint=f"training run {runs}")

    def stop(self) -> None:
        """End it politely, and make sure that nothing is left."""
        children = self.children() if self.process.poll() is None else []
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=20)
        self.http.close()
        self._leave_warm()
        gone, alive = psutil.wait_procs(children, timeout=10)
        assert not alive, f"still running: {alive} (ended: {gone})"


@contextmanager
def running(folder: Path, **options: Any) -> Iterator[World]:
    """A world for the time of a test."""
    world = World(folder, **options)
    try:
        yield world
    finally:
        world.stop()
