"""The process that fits models: warm, at idle priority, on one thread, without a way to write.

It takes commands from its worker over a pipe, one JSON object a message, and answers with progress,
then with a result and the model's bytes. Whatever happens to it is a reported failure of the run,
never more.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from studysmart import forecasting, learning, lifeline
from studysmart.errors import ArtefactRejected
from studysmart.store import Store, attempts, models

PROGRESS_EVERY_S = 0.2

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
    channel = Connection(int(sys.argv[1]))
    database = Path(sys.argv[2])
    try:
        learning.warm_up()
        _send(channel, event="warm")
    except Exception:  # noqa: BLE001 - reported; the run itself will tell what is wrong
        _send(channel, event="log", text=traceback.format_exc())
    while True:
        try:
            command = json.loads(channel.recv_bytes())
        except EOFError:
            return
        try:
            _fit(channel, database, command)
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker must hear of it
            _send(
                channel,
                event="failed",
                reason=f"{type(error).__name__}: {error}",
                text=traceback.format_exc(),
            )


def _fit(channel: Connection, database: Path, command: dict[str, Any]) -> None:
    _send(channel, event="progress", phase="reading", fraction=0.0, epoch=None, loss=None)
    store = Store(database)
    try:
        with store.read() as tx:
            table = forecasting.responses(attempts.everyones(tx, through=command["through_seq"]))
            version = models.live_version(tx)
            row = models.get(tx, version) if version is not None else None
    finally:
        store.close()
    try:
        live = learning.Engine.from_bytes(row.data) if row is not None else None
    except ArtefactRejected as error:  # a damaged live model must not keep a sound one out
        _send(channel, event="log", text=f"live model {version} is not compared: {error}")
        live = None
    told = 0.0

    def progress(step: learning.Progress) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= PROGRESS_EVERY_S:
            told = now
            _send(
                channel,
                event="progress",
                phase=step.phase,
                fraction=step.fraction,
                epoch=step.epoch,
                loss=step.loss,
            )

    report = learning.train(table, live=live, seed=command["seed"], progress=progress)
    engine = report.engine if report.outcome == "live" else None
    data = engine.to_bytes() if engine is not None else b""
    _send(
        channel,
        event="done",
        outcome=report.outcome,
        reason=report.reason,
        kind=engine.serving if engine is not None else None,
        manifest=engine.manifest if engine is not None else {},
        metrics=report.metrics,
        samples=report.samples,
    )
    channel.send_bytes(data)


def _send(channel: Connection, **message: Any) -> None:
    channel.send_bytes(json.dumps(message).encode())


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
