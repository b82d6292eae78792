"""`studysmart serve`: the web process and the worker under one roof.

The supervisor holds the listening socket, so that a restarted web process goes on with the
connections that queued meanwhile; its children end when it ends, however it ends.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from studysmart import defaults, lifeline, logs
from studysmart.errors import RefusedToStart
from studysmart.settings import Settings
from studysmart.store import Store, accounts, learners
from studysmart.store.migrations import migrate

SOCKET_VARIABLE = "STUDYSMART_SOCKET_FD"
# A child that dies sooner than this after its start waits before the next try, longer each time.
QUICK_DEATH_S = 5.0
LONGEST_WAIT_S = 10.0

log = structlog.get_logger("supervisor")


@dataclass
class _Child:
    name: str
    module: str
    env: dict[str, str]
    pass_fds: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    descriptor: int | None = None
    started: float = 0.0
    quick_deaths: int = 0
    start_at: float = field(default_factory=time.monotonic)
    starts: int = 0
    # Process ids are given out again, also on other machines that use the same database.
    serial: str = field(default_factory=lambda: secrets.token_hex(4))

    def start(self) -> None:
        self.process, self.descriptor = lifeline.spawn(
            [self.module], env=self.env | self._name(), pass_fds=self.pass_fds
        )
        self.started = time.monotonic()
        log.info("child_started", child=self.name, pid=self.process.pid)

    def _name(self) -> dict[str, str]:
        """Tell a worker who it is, and whom it replaces: that one's job needs no watching."""
        before, self.starts = self.starts, self.starts + 1
        mine = f"{socket.gethostname()}:{os.getpid()}:{self.serial}"
        return {defaults.WORKER_ID: f"{mine}.{self.starts}"} | (
            {defaults.WORKER_BEFORE: f"{mine}.{before}"} if before else {}
        )

    def look(self) -> None:
        """Restart it if it died."""
        if self.process is None:
            if time.monotonic() >= self.start_at:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        log.warning("child_died", child=self.name, code=code)
        self.release()
        quick = time.monotonic() - self.started < QUICK_DEATH_S
        self.quick_deaths = self.quick_deaths + 1 if quick else 0
        # The first death is answered at once: it is a crash or a kill, and people are waiting.
        wait = (
            min(LONGEST_WAIT_S, 0.5 * 2 ** (self.quick_deaths - 2)) if self.quick_deaths > 1 else 0
        )
        self.start_at = time.monotonic() + wait

    def release(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
        self.process = self.descriptor = None


def prepare(settings: Settings) -> Store:
    """Migrate the database, and refuse what must not be served.

    Raises:
        RefusedToStart: with what to change.
    """
    store = _migrated(settings)
    with store.write() as tx:
        if accounts.count(tx) == 0:
            learners.ensure_local(tx, name="You", now=time.time())
        if not settings.loopback and accounts.operators(tx) == 0:
            msg = (
                f"listening on {settings.host} would let everybody on the network act as the "
                "operator, because there is no operator account yet. Make one first: "
                "studysmart accounts add EMAIL --operator, or listen on 127.0.0.1"
            )
            raise RefusedToStart(msg)
    return store


def _migrated(settings: Settings) -> Store:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)  # answers are private
    except OSError as error:
        msg = f"the data folder {settings.data_dir} cannot be made: {error.strerror}"
        raise RefusedToStart(msg) from error
    store = Store(settings.where)
    migrate(store)
    return store


def bind(settings: Settings) -> socket.socket:
    """The listening socket.

    Raises:
        RefusedToStart: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        msg = (
            f"{settings.host}:{settings.port} cannot be had: {error.strerror}. Is StudySmart "
            "running already? Choose another port with --port (make run PORT=...)."
        )
        raise RefusedToStart(msg) from error
    listening.listen(1024)
    return listening


def serve(settings: Settings, *, announce: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM; restart what dies.

    Args:
        settings: of this installation.
        announce: is told the address once.

    Raises:
        RefusedToStart: with what to change.
    """
    logs.configure(settings, "supervisor")
    listening = bind(settings)
    prepare(settings).close()
    port = listening.getsockname()[1]
    env = settings.environment()
    web = _Child(
        "web",
        "studysmart.web",
        env | {SOCKET_VARIABLE: str(listening.fileno())},
        pass_fds=(listening.fileno(),),
    )
    children = [web, _Child("worker", "studysmart.jobs", env)]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    announce(f"http://{host}:{port}")
    try:
        _supervise(children)
    finally:
        listening.close()


def work(settings: Settings, *, announce: Callable[[str], None]) -> None:
    """Run a worker until SIGINT or SIGTERM; restart it when it dies.

    Args:
        settings: of this installation.
        announce: is told the database once.

    Raises:
        RefusedToStart: with what to change.
    """
    logs.configure(settings, "worker-supervisor")
    store = _migrated(settings)
    store.close()
    announce(store.name)
    _supervise([_Child("worker", "studysmart.jobs", settings.environment())])


def _supervise(children: list[_Child]) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        while not stop.is_set():
            for child in children:
                child.look()
            stop.wait(0.1)
    finally:
        _end(children)


def _end(children: list[_Child]) -> None:
    running = [child.process for child in children if child.process is not None]
    for process in running:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + 8.0
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for child in children:
        child.release()
