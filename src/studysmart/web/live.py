"""What a web process keeps warm.

The store, the live model, and the training status for everyone who watches.

One thread looks at the database a few times a second. It loads a newly published model beside the
old one and swaps it in whole; requests only ever see a finished one.
"""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Any

import structlog

from studysmart import defaults, training
from studysmart.errors import ArtefactRejected, Unavailable
from studysmart.forecasting import Forecaster
from studysmart.learning import Engine
from studysmart.settings import Settings
from studysmart.store import Store, jobs, models

log = structlog.get_logger("web")


class Live:
    """The state of one web process."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.forecaster = Forecaster()
        self.model_fault: str | None = None
        self.stopping = threading.Event()
        self._tried: int | None = None
        self._status: dict[str, Any] = {}
        self._stamp: tuple[Any, ...] = ()
        self._thread = threading.Thread(target=self._watch, name="live", daemon=True)

    def start(self) -> None:
        """Load the live model, then keep looking."""
        self._look()
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
                self._look()
            except Unavailable as error:
                log.warning("database_unavailable", reason=str(error))
            except Exception:  # a dead watcher would serve the old model for ever, silently
                log.exception("watch_failed")

    def _look(self) -> None:
        now = time.time()
        with self.store.read() as tx:
            version = models.live_version(tx)
            alive = bool(jobs.workers(tx, since=now - defaults.WORKER_SILENT_S))
            stamp = (alive, *jobs.stamp(tx))
            # Counting all answers takes a while in a large system: only when something happened.
            if stamp != self._stamp:
                status = training.status(tx, threshold=self.settings.train_every, now=now)
                self._status = status if status != self._status else self._status
                self._stamp = stamp
        if version is not None and version != self._tried:
            self._load(version)
            self._tried = version

    def _load(self, version: int) -> None:
        """Swap in a version; a damaged one leaves the model that serves, or an older one."""
        self.model_fault = None
        with self.store.read() as tx:
            older = models.older(tx, version) if self.forecaster.version is None else []
            for candidate in [version, *older]:
                row = models.get(tx, candidate)
                try:
                    engine = _verified(row)
                except ArtefactRejected as error:
                    log.warning("model_rejected", version=candidate, reason=str(error))
                    self.model_fault = self.model_fault or str(error)
                    continue
                self.forecaster.swap(engine, candidate, tx)
                log.info("model_live", version=candidate, serving=engine.serving)
                return


def _verified(row: Any) -> Engine:
    if row is None or row.data is None:
        msg = "its bytes are missing"
        raise ArtefactRejected(msg)
    found = hashlib.sha256(row.data).hexdigest()
    if found != row.sha256:
        msg = (
            f"model {row.version}: its checksum is {found[:12]}…, published was {row.sha256[:12]}…"
        )
        raise ArtefactRejected(msg)
    return Engine.from_bytes(row.data)
