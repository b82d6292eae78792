"""The process that fits models: warm, at idle priority, on one thread, without a way to write.

It takes commands from its worker over a pipe, one JSON object a message, and answers with progress,
then with a result and the model's bytes. Whatever happens to it is a reported failure of the run,
never more.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from typing import Any

from studysmart import forecasting, learning, lifeline, logs, settings, tuning
from studysmart.errors import ArtefactRejected
from studysmart.learning import search
from studysmart.store import Row, Store, attempts, configurations, models

PROGRESS_EVERY_S = 0.2
ALIVE_EVERY_S = 5.0
# Older answers say little about how people will answer next, and memory stays bounded.
MOST_READ = 1_000_000

# Set by the worker before this process starts: libraries read them when they are imported.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


def main() -> None:
    """Serve one worker until it closes the pipe."""
    lifeline.hold(lambda: os._exit(1))  # nothing here is worth a polite end
    _be_idle()
    channel = _Channel(int(sys.argv[1]))
    store = Store(settings.load().where)
    try:
        learning.warm_up()
        channel.send(event="warm")
    except Exception as error:  # noqa: BLE001 - reported; the run itself will tell what is wrong
        channel.send(event="log", text=logs.told(error))
    threading.Thread(target=channel.stay_alive, name="alive", daemon=True).start()
    while True:
        try:
            command = channel.receive()
        except EOFError:
            return
        try:
            if command["what"] == "try":
                _try(channel, store, command)
            else:
                _fit(channel, store, command)
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker must hear of it
            channel.send(
                event="failed",
                reason=f"{type(error).__name__}: {error}",
                text=logs.told(error),
            )


class _Channel:
    """The pipe to the worker; two threads speak through it."""

    def __init__(self, descriptor: int) -> None:
        self._pipe = Connection(descriptor)
        self._lock = threading.Lock()

    def receive(self) -> dict[str, Any]:
        return dict(json.loads(self._pipe.recv_bytes()))

    def send(self, *, data: bytes | None = None, **message: Any) -> None:
        with self._lock:
            self._pipe.send_bytes(json.dumps(message).encode())
            if data is not None:
                self._pipe.send_bytes(data)

    def stay_alive(self) -> None:
        """Say that this process is not stuck, also while nothing is to be told for a while."""
        while True:
            time.sleep(ALIVE_EVERY_S)
            self.send(event="alive")


def _fit(channel: _Channel, store: Store, command: dict[str, Any]) -> None:
    channel.send(event="progress", phase="reading", fraction=0.0, epoch=None, loss=None)
    numbers = array("q")

    def numbered(rows: Iterable[Row[Any]]) -> Iterator[Row[Any]]:
        for row in rows:
            numbers.append(row.seq)
            yield row

    try:
        with store.read() as tx:
            rows = attempts.everyones(tx, through=command["through_seq"], newest=MOST_READ)
            table = forecasting.responses(numbered(rows))
            version = models.live_version(tx)
            row = models.get(tx, version) if version is not None else None
            settings_of = {
                one.name: learning.Configuration.of(one.kind, one.parameters)
                for one in configurations.newest(tx, active=True)
            }
    finally:
        store.close()
    try:
        live = learning.Engine.from_bytes(row.data) if row is not None else None
    except ArtefactRejected as error:  # a damaged live model must not keep a sound one out
        channel.send(event="log", text=f"live model {version} is not compared: {error}")
        live = None
    report = learning.train(
        table,
        live=live,
        seed=command["seed"],
        progress=_teller(channel),
        configurations=settings_of,
    )
    engine = report.engine
    channel.send(
        data=engine.to_bytes() if engine is not None else b"",
        event="done",
        outcome=report.outcome,
        reason=report.reason,
        kind=engine.serving if engine is not None else None,
        # Not part of the bytes: the numbers mean something in this installation only.
        manifest=engine.manifest | {"fitted_seq": numbers[report.fitted - 1]}
        if engine is not None
        else {},
        metrics=report.metrics,
        samples=report.samples,
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def _try(channel: _Channel, store: Store, command: dict[str, Any]) -> None:
    channel.send(event="progress", phase="reading", fraction=0.0, epoch=None, loss=None)
    try:
        with store.read() as tx:
            rows = attempts.everyones(tx, through=command["through_seq"], newest=MOST_READ)
            table = forecasting.responses(rows)
            before = tuning.tried(tx, command["tuning"])
    finally:
        store.close()
    tried = search.propose(command["kind"], before, seed=command["seed"])
    tell, phase = _teller(channel), f"trial {len(before) + 1}"

    def progress(done: float, epoch: int, loss: float) -> None:
        tell(learning.Progress(phase, done, epoch, loss))

    loss, metrics = search.attempt(table, tried, seed=command["seed"], progress=progress)
    channel.send(
        data=b"",
        event="done",
        parameters=tried.parameters,
        # Weights that grew beyond all numbers are a failed trial.
        loss=loss if math.isfinite(loss) else None,
        metrics=metrics,
        reason=f"Trial {len(before) + 1}: a loss of {loss:.4f} on later answers.",
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def _teller(channel: _Channel) -> Callable[[learning.Progress], None]:
    """Sends progress, not too often."""
    told = 0.0

    def tell(step: learning.Progress) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= PROGRESS_EVERY_S:
            told = now
            channel.send(
                event="progress",
                phase=step.phase,
                fraction=step.fraction,
                epoch=step.epoch,
                loss=step.loss,
            )

    return tell


def _be_idle() -> None:
    """Run only when nobody else wants the processor.

    `nice` alone is unreliable under autogroups.
    """
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.nice(19)


if __name__ == "__main__":
    main()
