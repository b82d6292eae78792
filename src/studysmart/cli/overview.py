"""`studysmart status`: one look at the database, quick enough for a monitoring script."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from studysmart import defaults, sqlite
from studysmart.cli.common import when
from studysmart.errors import NotFound


def read(data_dir: Path | None) -> dict[str, Any]:
    """Everything that `status` shows.

    Args:
        data_dir: the data folder; None for the platform's.

    Raises:
        NotFound: there is no database in it.
    """
    folder = data_dir.expanduser().resolve() if data_dir else defaults.data_dir()
    if os.environ.get("STUDYSMART_DATABASE_URL"):
        return _of_server(folder)
    database = folder / defaults.DATABASE
    if not database.exists():
        msg = f"no database in {folder} yet; studysmart serve makes one"
        raise NotFound(msg)
    now = time.time()
    found = sqlite.status(
        database,
        threshold=int(os.environ.get("STUDYSMART_TRAIN_EVERY", defaults.TRAIN_EVERY)),
        silent_s=defaults.WORKER_SILENT_S,
        now=now,
    )
    beat_at = found.pop("beat_at")
    if found["live_model"]:
        found["live_model"]["fault"] = sqlite.live_fault(database)
    return found | {
        "worker": {
            "alive": found.pop("worker_alive"),
            "seconds_since_beat": None if beat_at is None else now - beat_at,
        },
        "database_bytes": sqlite.size_bytes(database),
        "data_dir": str(folder),
    }


def _of_server(folder: Path) -> dict[str, Any]:
    """The same from PostgreSQL, through the store: its driver takes most of the time anyway."""
    from studysmart import artefacts, settings, training
    from studysmart.store import Store, jobs, models, size_bytes

    chosen = settings.load(data_dir=folder)
    store, now = Store(chosen.where), time.time()
    try:
        with store.read() as tx:
            found = training.status(tx, threshold=chosen.train_every, now=now)
            alive = jobs.workers(tx, since=now - defaults.WORKER_SILENT_S)
            size = size_bytes(tx)
            if found["live_model"]:
                row = models.get(tx, found["live_model"]["version"])
                found["live_model"]["fault"] = artefacts.fault(row) if row is not None else None
    finally:
        store.close()
    del found["worker_alive"]
    return found | {
        "worker": {
            "alive": bool(alive),
            "seconds_since_beat": now - max(row.beat_at for row in alive) if alive else None,
        },
        "database_bytes": size,
        "data_dir": str(folder),
    }


def to_text(found: dict[str, Any]) -> str:
    """For people."""
    live, last, running = found["live_model"], found["last_result"], found["running"]
    rows = [
        ("completions", f"{found['completed_since_training']} of {found['threshold']} until the "
                        f"next training, {found['total_completed']} in all"),
        ("running", f"{running['phase']}, {running['fraction']:.0%}" if running else "no"),
        ("live model", f"version {live['version']} ({live['kind']}), {live['samples']} answers"
                       + (f"; REFUSED: {live['fault']}" if live["fault"] else "")
                       if live else "none yet: the prior answers"),
        ("last training", f"{when(last['ended_at'])}: {last['outcome']}, {last['reason']}"
                          if last else "none yet"),
        ("worker", "beats" if found["worker"]["alive"] else "silent"),
        ("database", f"{found['database_bytes'] / 2**20:.1f} MiB in {found['data_dir']}"),
    ]  # fmt: skip
    return "\n".join(f"{name:<14} {value}" for name, value in rows)
