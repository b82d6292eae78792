"""What a web process keeps warm.

The store, the live model, and the training status for everyone who watches.

One thread looks at the database a few times a second. It loads a newly published model beside the
old one and swaps it in whole; requests only ever see a finished one. Bytes that must not be served
leave the model that serves, or, in a process that serves none yet, the last sound one that was live
before; they are looked at again every few seconds, so that a repair needs no restart.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import structlog

from studysmart import artefacts, defaults, experiments, training
from studysmart.errors import BadInput, Conflict, NotFound, Unavailable
from studysmart.forecasting import Forecaster
from studysmart.settings import Settings
from studysmart.store import Store, Tx, jobs, models
from studysmart.store import experiments as rows

log = structlog.get_logger("web")

# A damaged live row is looked at again so often, and a sound one: disks forget.
DAMAGED_AGAIN_S, SOUND_AGAIN_S = 2.0, 60.0


class Live:
    """The state of one web process."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.forecaster = Forecaster()
        self.model_fault: str | None = None
        self.experiment_fault: str | None = None
        self.stopping = threading.Event()
        self._tried: tuple[Any, ...] | None = None
        self._again_at = 0.0
        self._serving_sha256: str | None = None
        self._split: tuple[Any, ...] | None = None
        self._status: dict[str, Any] = {}
        self._stamp: tuple[Any, ...] = ()
        # One look at a time: a slow one would otherwise swap in what it read before a faster one.
        self._looking = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="live", daemon=True)

    def start(self) -> None:
        """Load the live model, then keep looking."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """End the watching thread."""
        self.stopping.set()
        self._thread.join(timeout=5)

    @property
    def status(self) -> dict[str, Any]:
        """The training status of at most one look ago; the same object while nothing changed."""
        return self._status

    def _watch(self) -> None:
        while not self.stopping.wait(self.settings.poll_s):
            try:
                self.look()
            except Unavailable as error:
                log.warning("database_unavailable", reason=str(error))
            except Exception:  # a dead watcher would serve the old model for ever, silently
                log.exception("watch_failed")
            if self.store.failed is not None:
                log.critical("disk_failed", reason=self.store.failed)
                os.kill(os.getpid(), signal.SIGTERM)  # whoever supervises starts another
                return

    def look(self, *, afresh: bool = False) -> None:
        """Look at the database once; the watching thread does so a few times a second.

        afresh: verify the live model's bytes now, though nothing seems to have changed.
        """
        with self._looking:
            self._look(afresh=afresh)

    def _look(self, *, afresh: bool) -> None:
        now = time.time()
        with self.store.read() as tx:
            model = models.live(tx)
            running = rows.running(tx)
            alive = bool(jobs.workers(tx, since=now - defaults.WORKER_SILENT_S))
            stamp = (alive, *jobs.stamp(tx))
            # Counting all answers takes a while in a large system: only when something happened.
            if stamp != self._stamp:
                status = training.status(tx, threshold=self.settings.train_every, now=now)
                self._status = status if status != self._status else self._status
                self._stamp = stamp
        experiment = running.id if running is not None else None
        found = None if model is None else (model.version, model.live_seq, model.sha256)
        if found != self._tried or afresh or time.monotonic() >= self._again_at:
            self._load(model.version if model is not None else None)
            self._tried = found
            again = SOUND_AGAIN_S if self.model_fault is None else DAMAGED_AGAIN_S
            self._again_at = time.monotonic() + again
        if (experiment, self.forecaster.version) != self._split:
            self._try_out()
            self._split = (experiment, self.forecaster.version)

    def _load(self, version: int | None) -> None:
        """Swap in a version; a damaged one leaves the model that serves, or an older one."""
        if version is None:
            self.model_fault = None
            return
        with self.store.read() as tx:
            fault = self._swap(tx, version)
            if fault is not None and self.forecaster.version is None:
                any(self._swap(tx, earlier) is None for earlier in models.earlier(tx))
        serving = self.forecaster.version
        if fault is not None:
            fault += f"; {f'version {serving}' if serving else 'the prior'} serves"
            if fault != self.model_fault:
                log.warning("model_rejected", version=version, reason=fault)
        self.model_fault = fault

    def _try_out(self) -> None:
        """Put learners into the arms of the experiment, or let them all out."""
        split, self.experiment_fault = None, None
        with self.store.read() as tx:
            row = rows.running(tx)
            if row is not None:
                try:
                    split = experiments.split(tx, row, self.forecaster.live)
                except (BadInput, Conflict, NotFound) as error:
                    self.experiment_fault = str(error)
                    log.warning("experiment_waits", experiment=row.name, reason=str(error))
        self.forecaster.try_out(split)

    def _swap(self, tx: Tx, version: int) -> str | None:
        """Let a version serve; returns why it must not."""
        row = models.get(tx, version)
        if row is None:
            return f"version {version} is gone"
        fault = artefacts.fault(row)
        if fault is None and (version, row.sha256) != (
            self.forecaster.version, self._serving_sha256,
        ):  # fmt: skip
            engine = artefacts.verified(row)
            self.forecaster.swap(engine, version, tx)
            self._serving_sha256 = row.sha256
            log.info("model_live", version=version, serving=engine.serving)
        return fault
