"""The worker: looks for due training, has it fitted in its child, publishes.

    look --due--> claim --> child fits --done--> finish (one fenced transaction)
                              |--- crash, hang, error ---> end_failed, a fresh child

The worker itself computes nothing, so that it can always beat, renew its lease and end its child.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from multiprocessing import Pipe
from typing import Any

import structlog

from studysmart import lifeline, training
from studysmart.errors import Unavailable
from studysmart.jobs.child import ONE_THREAD
from studysmart.settings import Settings
from studysmart.store import Store, jobs

BEAT_S = 2.0

log = structlog.get_logger("worker")


class ChildFailedError(Exception):
    """The fitting process crashed, hung, or reported an error; its text says which."""


class Worker:
    """One worker of an installation.

    Args:
        store: the migrated database.
        settings: threshold, limits and folders.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._stop = threading.Event()
        self._child: _Child | None = None
        self.id = f"{socket.gethostname()}:{os.getpid()}"

    def stop(self, *_: object) -> None:
        """End after the current step; a run under way goes back to the queue."""
        self._stop.set()

    def run(self) -> None:
        """Work until `stop`."""
        beating = threading.Thread(target=self._beat, name="beat", daemon=True)
        beating.start()
        self._child = self._new_child()
        try:
            while not self._stop.wait(self._settings.poll_s):
                try:
                    self.look()
                except Unavailable as error:  # the disk may be full or the file busy: it passes
                    log.warning("database_unavailable", reason=str(error))
        finally:
            self._end_child()
            with self._store.write() as tx:
                jobs.forget_worker(tx, self.id, silent_since=time.time() - 86_400)

    def look(self) -> None:
        """Run a training if one is due."""
        threshold = self._settings.train_every
        with self._store.read() as tx:
            if not training.worth_looking(tx, threshold=threshold, now=time.time()):
                return
        with self._store.write() as tx:
            claim = training.claim_if_due(tx, owner=self.id, threshold=threshold, now=time.time())
        if claim is None:
            return
        log.info("training_started", run=claim.run_id)
        try:
            result, data = self._fit(claim)
            with self._store.write() as tx:
                version = training.finish(tx, claim, result, data, now=time.time())
            log.info(
                "training_finished",
                run=claim.run_id,
                outcome=result.outcome,
                version=version,
                reason=result.reason,
            )
        except training.Superseded:
            log.warning("training_superseded", run=claim.run_id)
            self._end_child()
        except ChildFailedError as error:
            log.warning("training_failed", run=claim.run_id, reason=str(error))
            self._end_child()
            with self._store.write() as tx:
                try:
                    training.end_failed(
                        tx,
                        claim,
                        reason=str(error),
                        now=time.time(),
                        retry_in_s=0.0 if self._stop.is_set() else None,
                    )
                except training.Superseded:
                    log.warning("training_superseded", run=claim.run_id)

    def _fit(self, claim: training.Claim) -> tuple[training.Result, bytes | None]:
        if self._child is None or not self._child.alive():
            self._end_child()
            self._child = self._new_child()
        child = self._child
        child.ask(through_seq=claim.through_seq, seed=claim.run_id)
        deadline = time.monotonic() + self._settings.train_seconds
        renewed = time.monotonic()
        progress: dict[str, Any] | None = None
        while True:
            if self._stop.is_set():
                msg = "the worker was asked to stop"
                raise ChildFailedError(msg)
            if time.monotonic() > deadline:
                msg = f"it took longer than {self._settings.train_seconds:g} s and was ended"
                raise ChildFailedError(msg)
            message = child.next_message(timeout_s=0.1)
            event = message.pop("event", None)
            if event == "done":
                data = child.receive_bytes()
                return training.Result(**message), data or None
            if event == "failed":
                log.error("child_failed", text=message.get("text"))
                raise ChildFailedError(message["reason"])
            if event == "log":
                log.warning("child_log", text=message["text"])
            if event == "progress":
                progress = message
            if progress is not None or time.monotonic() - renewed > training.LEASE_S / 4:
                with self._store.write() as tx:
                    training.renew(tx, claim, progress=progress, now=time.time())
                renewed, progress = time.monotonic(), None

    def _new_child(self) -> _Child:
        return _Child(self._settings)

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None

    def _beat(self) -> None:
        while not self._stop.is_set():
            try:
                with self._store.write() as tx:
                    jobs.beat(tx, self.id, pid=os.getpid(), now=time.time())
            except Unavailable as error:
                log.warning("beat_failed", reason=str(error))
            self._stop.wait(BEAT_S)


class _Child:
    """The worker's side of its fitting process."""

    def __init__(self, settings: Settings) -> None:
        self._channel, theirs = Pipe()
        cache = settings.data_dir / "cache" / "jax"
        cache.mkdir(parents=True, exist_ok=True)
        self._process, self._lifeline = lifeline.spawn(
            ["studysmart.jobs.child", str(theirs.fileno()), str(settings.database)],
            env={
                **ONE_THREAD,
                "JAX_COMPILATION_CACHE_DIR": str(cache),
                "JAX_PLATFORMS": os.environ.get("JAX_PLATFORMS", "cpu"),
            },
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, **command: Any) -> None:
        try:
            self._channel.send_bytes(json.dumps(command).encode())
        except OSError as error:
            raise ChildFailedError(self._how_it_ended()) from error

    def next_message(self, *, timeout_s: float) -> dict[str, Any]:
        """The next message, or an empty one when none came in time."""
        try:
            if not self._channel.poll(timeout_s):
                return {}
            return dict(json.loads(self._channel.recv_bytes()))
        except (EOFError, OSError) as error:
            raise ChildFailedError(self._how_it_ended()) from error

    def receive_bytes(self) -> bytes:
        try:
            return self._channel.recv_bytes()
        except (EOFError, OSError) as error:
            raise ChildFailedError(self._how_it_ended()) from error

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._channel.close()
        os.close(self._lifeline)

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "the fitting process closed its pipe"
        if code < 0:
            return f"the fitting process was ended by signal {signal.Signals(-code).name}"
        return f"the fitting process ended with exit code {code}"
