"""A PostgreSQL server of the tests' own: on loopback, in a folder of its own, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import psycopg

# PostgreSQL refuses to run as root; these exist on Debian, the first one with its server.
UNPRIVILEGED = ("postgres", "nobody")


def missing() -> str | None:
    """Why there cannot be a server here; None when there can."""
    if _programs() is None:
        return "no PostgreSQL server: looked for initdb and postgres in PATH and Debian's folders"
    return None


def _programs() -> Path | None:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb")
    places = [*debian, *([Path(found).parent] if found else [])]
    return next((p for p in places if (p / "initdb").exists() and (p / "postgres").exists()), None)


class Postgres:
    """A running server. Trusts everybody on loopback: it holds nothing but made-up answers.

    Args:
        durable: keep `fsync` on, as it must be wherever a kill is part of the test.
    """

    def __init__(self, *, durable: bool = False) -> None:
        programs = _programs()
        assert programs is not None
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="studysmart-postgres-"))
        self._as_user = None
        if os.getuid() == 0:
            user = next(name for name in UNPRIVILEGED if _known(name))
            self._as_user = user
            shutil.chown(self.folder, user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._run(
            "initdb", "--pgdata", str(self.folder / "data"), "--username", "studysmart",
            "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync",
        )  # fmt: skip
        self._options = [] if durable else ["-c", "fsync=off", "-c", "full_page_writes=off"]
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, also after a kill, and wait until it takes connections."""
        stale = self.folder / "data" / "postmaster.pid"
        deadline = time.monotonic() + 30
        while True:
            with (self.folder / "log").open("a") as log:
                self.process = subprocess.Popen(
                    [
                        str(self._programs / "postgres"), "-D", str(self.folder / "data"),
                        "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                        "-c", f"unix_socket_directories={self.folder}",
                        "-c", "max_connections=200", *self._options,
                    ],
                    user=self._as_user, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=log,
                )  # fmt: skip
            while self.process.poll() is None:
                try:
                    psycopg.connect(self.url("postgres"), connect_timeout=2).close()
                except psycopg.OperationalError:
                    time.sleep(0.05)
                else:
                    return
                if time.monotonic() > deadline:
                    break
            # After a kill the old server's children may hold the shared memory a little longer.
            if time.monotonic() > deadline:
                msg = f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-2000:]}"
                raise RuntimeError(msg)
            stale.unlink(missing_ok=True)
            time.sleep(0.1)

    def url(self, name: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://studysmart@127.0.0.1:{self.port}/{name}"

    def create(self, name: str | None = None, *, template: str = "template1") -> str:
        """A new database, like the template; returns its name."""
        name = name or f"t{uuid4().hex}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def kill(self) -> None:
        """End the postmaster as a power cut would; its children notice and end too."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it and remove its folder."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # a fast shutdown: nobody is waited for
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            user=self._as_user, cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            msg = f"{program} failed: {done.stderr}"
            raise RuntimeError(msg)


def _known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
