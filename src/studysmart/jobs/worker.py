"""The worker: looks for due training, has it fitted in its child, publishes.

    look --due--> claim --> child fits --done--> finish (one fenced transaction)
                              |--- crash, hang, error ---> end_failed, a fresh child

The worker itself computes nothing, and a thread of its own beats and renews the lease, so that
neither a slow child nor a slow disk makes it look dead.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from multiprocessing import Pipe
from typing import Any, TypeVar

import structlog

from studysmart import experiments, lifeline, training, tuning
from studysmart.errors import Unavailable
from studysmart.jobs.child import ONE_THREAD
from studysmart.settings import Settings
from studysmart.store import Store, Tx, jobs

BEAT_S = 1.0
LOOK_S = 1.0
UMPIRE_EVERY_S = 30.0
CURVE_POINTS = 200
PATIENCE_S = 300.0

T = TypeVar("T")

log = structlog.get_logger("worker")


class ChildFailedError(Exception):
    """The fitting process crashed, hung, or reported an error; its text says which."""


class CancelledError(Exception):
    """An operator ended the run."""


class StoppedError(ChildFailedError):
    """The worker itself is to end."""


class Worker:
    """One worker of an installation; several may share a database.

    Args:
        store: the migrated database.
        settings: threshold, limits and folders.
        worker_id: unique among workers; made up when not given.
        predecessor: a worker whose job may be taken over at once, since it is dead for certain.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        worker_id: str | None = None,
        predecessor: str | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._stop = threading.Event()
        self._child: _Child | None = None
        self._watch = training.Watch(predecessor)
        self._umpired_at = -UMPIRE_EVERY_S
        self._held: training.Claim | None = None
        self._cancelled = threading.Event()
        self._superseded = threading.Event()
        self.id = worker_id or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    def stop(self, *_: object) -> None:
        """End after the current step; a run under way goes back to the queue."""
        self._stop.set()

    def run(self) -> None:
        """Work until `stop`."""
        beating = threading.Thread(target=self._beat, name="beat", daemon=True)
        beating.start()
        self._child = self._new_child()
        pause = min(LOOK_S, self._settings.poll_s)
        try:
            while not self._stop.wait(pause):
                try:
                    self.look()
                    self.umpire(at=time.monotonic())
                except Unavailable as error:  # the disk may be full or the file busy: it passes
                    log.warning("database_unavailable", reason=str(error))
                if self._store.failed is not None:
                    log.critical("disk_failed", reason=self._store.failed)
                    return  # whoever supervises starts another
        finally:
            self._end_child()
            beating.join(timeout=5)
            try:
                with self._store.write() as tx:
                    jobs.forget_worker(tx, self.id, silent_since=time.time() - 86_400)
            except Unavailable as error:
                log.warning("database_unavailable", reason=str(error))

    def look(self) -> None:
        """Run a training if one is due."""
        threshold = self._settings.train_every
        abandoned = None
        with self._store.read() as tx:
            job = jobs.job(tx)
            if job.owner is not None:
                if not self._watch.abandoned(job, at=time.monotonic()):
                    return
                abandoned = (job.fence, job.beat)
            elif not (
                training.worth_looking(tx, threshold=threshold, now=time.time())
                or tuning.worth_looking(tx)
            ):
                return
        trial = None
        with self._store.write() as tx:
            claim = training.claim_if_due(
                tx, owner=self.id, threshold=threshold, now=time.time(), abandoned=abandoned
            )
            if claim is None:
                trial = tuning.claim_if_due(tx, owner=self.id, now=time.time())
        if claim is not None:
            log.info("training_started", run=claim.run_id)
            self._hold(claim, lambda: self._train(claim), lambda why: self._ended(claim, why))
        elif trial is not None:
            log.info("trial_started", run=trial.claim.run_id, number=trial.number)
            self._hold(trial.claim, lambda: self._try(trial), lambda why: self._failed(trial, why))

    def umpire(self, *, at: float) -> None:
        """End the experiment under way when its stop rule says so; now and then is enough.

        Args:
            at: seconds of a monotonic clock.
        """
        if at - self._umpired_at < UMPIRE_EVERY_S:
            return
        self._umpired_at = at
        with self._store.read() as tx:
            if not experiments.due(tx, now=time.time()):
                return
        with self._store.write() as tx:
            sentence = experiments.settle(tx, now=time.time())
        if sentence is not None:
            log.info("experiment_ended", result=sentence)

    def _hold(
        self,
        claim: training.Claim,
        work: Callable[[], None],
        give_back: Callable[[Exception], Callable[[Tx], None]],
    ) -> None:
        """Do the work of a claim; whatever becomes of it, a warm child stands ready afterwards."""
        self._cancelled.clear()
        self._superseded.clear()
        self._held = claim
        try:
            work()
        except training.Superseded:
            log.warning("training_superseded", run=claim.run_id)
            self._end_child()
        except (ChildFailedError, CancelledError) as error:
            log.warning("training_failed", run=claim.run_id, reason=str(error))
            self._end_child()
            try:
                self._settle(give_back(error))
            except training.Superseded:
                log.warning("training_superseded", run=claim.run_id)
        finally:
            self._held = None
        if self._child is not None and self._child.grown():
            log.info("child_replaced", reason="it had grown", bytes=self._child.peak_bytes)
            self._end_child()
        if self._child is None and not self._stop.is_set():
            self._child = self._new_child()  # warm before the next training is due

    def _train(self, claim: training.Claim) -> None:
        command = {"what": "train", "through_seq": claim.through_seq, "seed": claim.run_id}
        message, data, curve = self._fit(claim, command)
        result = training.Result(**message)

        def publish(tx: Tx) -> int | None:
            return training.finish(tx, claim, result, data, curve=curve, now=time.time())

        log.info(
            "training_finished",
            run=claim.run_id,
            outcome=result.outcome,
            version=self._settle(publish),
            reason=result.reason,
        )

    def _try(self, trial: tuning.Trial) -> None:
        command = {
            "what": "try", "through_seq": trial.claim.through_seq, "seed": trial.seed,
            "tuning": trial.tuning_id, "kind": trial.kind,
        }  # fmt: skip
        message, _, _ = self._fit(trial.claim, command)
        self._settle(lambda tx: tuning.finish(tx, trial, now=time.time(), **message))
        log.info("trial_finished", run=trial.claim.run_id, loss=message["loss"])

    @staticmethod
    def _ended(claim: training.Claim, error: Exception) -> Callable[[Tx], None]:
        """How to record that a training came to nothing."""

        def end(tx: Tx) -> None:
            if isinstance(error, CancelledError):
                training.end_cancelled(tx, claim, now=time.time())
            else:
                retry_in_s = 0.0 if isinstance(error, StoppedError) else None
                training.end_failed(
                    tx, claim, reason=str(error), now=time.time(), retry_in_s=retry_in_s
                )

        return end

    @staticmethod
    def _failed(trial: tuning.Trial, error: Exception) -> Callable[[Tx], None]:
        """How to record that a trial did; one that the worker left is no trial."""

        def end(tx: Tx) -> None:
            if isinstance(error, StoppedError):
                tuning.drop(tx, trial, reason=str(error), now=time.time())
            else:
                tuning.finish(tx, trial, parameters={}, loss=None, metrics={}, reason=str(error),
                              now=time.time())  # fmt: skip

        return end

    def _settle(self, change: Callable[[Tx], T]) -> T:
        """Make a change that ends a run, as soon as the database lets us.

        What took minutes to compute is not thrown away because the disk is full for a while. When
        somebody else takes the job meanwhile, the fence refuses us.

        Raises:
            Superseded: it did.
            Unavailable: it is too late for patience.
        """
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                with self._store.write() as tx:
                    return change(tx)
            except Unavailable as error:
                log.warning("database_unavailable", reason=str(error))
                if self._stop.is_set() or time.monotonic() > deadline:
                    raise
                self._stop.wait(BEAT_S)

    def _fit(
        self, claim: training.Claim, command: dict[str, Any]
    ) -> tuple[dict[str, Any], bytes | None, list[list[float]]]:
        """What the child answers to a command: its message, the model's bytes, the loss curve."""
        if self._child is None or not self._child.alive():
            self._end_child()
            self._child = self._new_child()
        child = self._child
        child.ask(**command)
        limit, silence = self._settings.train_seconds, self._settings.train_silent_s
        began = heard = time.monotonic()
        curve: list[list[float]] = []
        while True:
            now = time.monotonic()
            if self._stop.is_set():
                raise StoppedError("the worker was asked to stop")
            if self._cancelled.is_set():
                raise CancelledError("an operator cancelled it")
            if self._superseded.is_set():
                raise training.Superseded
            if now - began > limit:
                raise ChildFailedError(f"it took longer than {limit:g} s and was ended")
            if now - heard > silence:
                raise ChildFailedError(
                    f"the fitting process said nothing for {silence:g} s and was ended"
                )
            message = child.next_message(timeout_s=0.1)
            event = message.pop("event", None)
            heard = heard if event is None else time.monotonic()
            if event == "done":
                child.peak_bytes = message.pop("peak_bytes")
                data = child.receive_bytes()
                return message, data or None, curve
            if event == "failed":
                log.error("child_failed", text=message.get("text"))
                raise ChildFailedError(message["reason"])
            if event == "log":
                log.warning("child_log", text=message["text"])
            if event == "progress":
                _extend(curve, message)
                try:
                    with self._store.write() as tx:
                        training.renew(tx, claim, progress=message | {"curve": curve})
                except Unavailable as error:  # only news; the run itself goes on
                    log.warning("database_unavailable", reason=str(error))

    def _new_child(self) -> _Child:
        return _Child(self._settings)

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None

    def _beat(self) -> None:
        while not self._stop.is_set():
            held = self._held
            try:
                with self._store.write() as tx:
                    jobs.beat(tx, self.id, pid=os.getpid(), now=time.time())
                    if held is not None and training.renew(tx, held):
                        self._cancelled.set()
            except training.Superseded:
                if self._held is held:  # not merely finished meanwhile
                    self._superseded.set()
            except Unavailable as error:
                log.warning("beat_failed", reason=str(error))
            except Exception:  # a worker that looks dead loses its job
                log.exception("beat_failed")
            self._stop.wait(BEAT_S)


def _extend(curve: list[list[float]], message: dict[str, Any]) -> None:
    """Add the epoch's loss; a long curve keeps every second point."""
    epoch, loss = message["epoch"], message["loss"]
    if epoch is None or loss is None:
        return
    if curve and curve[-1][0] == epoch:
        curve[-1][1] = loss
    else:
        curve.append([epoch, loss])
    if len(curve) > CURVE_POINTS:
        del curve[1:-1:2]


class _Child:
    """The worker's side of its fitting process."""

    def __init__(self, settings: Settings) -> None:
        self._channel, theirs = Pipe()
        self._most_bytes = settings.train_memory_mb * 2**20
        self.peak_bytes = 0
        cache = settings.data_dir / "cache" / "jax"
        cache.mkdir(parents=True, exist_ok=True)
        self._process, self._lifeline = lifeline.spawn(
            ["studysmart.jobs.child", str(theirs.fileno())],
            env={
                **settings.environment(),
                **ONE_THREAD,
                "JAX_COMPILATION_CACHE_DIR": str(cache),
                "JAX_PLATFORMS": os.environ.get("JAX_PLATFORMS", "cpu"),
            },
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def alive(self) -> bool:
        return self._process.poll() is None

    def grown(self) -> bool:
        """Whether it took more memory than a process that waits for work should keep."""
        return self.peak_bytes > self._most_bytes

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
        if code == -signal.SIGKILL:
            return (
                "the fitting process was killed (SIGKILL); if nobody did it by hand, the system "
                "ran out of memory"
            )
        if code < 0:
            return f"the fitting process was ended by signal {signal.Signals(-code).name}"
        return f"the fitting process ended with exit code {code}"
