"""`studysmart status`: one look at the database, quick enough for a monitoring script."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from studysmart import training
from studysmart.errors import NotFound
from studysmart.settings import Settings
from studysmart.store import Store, jobs, size_bytes


def read(settings: Settings) -> dict[str, Any]:
    """Everything that `status` shows.

    Raises:
        NotFound: there is no database in the data folder.
    """
    if not settings.database.exists():
        msg = f"no database in {settings.data_dir} yet; studysmart serve makes one"
        raise NotFound(msg)
    now = time.time()
    store = Store(settings.database)
    try:
        with store.read() as tx:
            found = training.status(tx, threshold=settings.train_every, now=now)
            workers = jobs.workers(tx, since=now - training.WORKER_SILENT_S)
    finally:
        store.close()
    alive = found.pop("worker_alive")
    beat = max((worker.beat_at for worker in workers), default=None)
    return found | {
        "worker": {"alive": alive, "seconds_since_beat": None if beat is None else now - beat},
        "database_bytes": size_bytes(settings.database),
        "data_dir": str(settings.data_dir),
    }


def to_json(found: dict[str, Any]) -> str:
    """For programs; times in ISO 8601."""
    return json.dumps(_dated(found), indent=2)


def to_text(found: dict[str, Any]) -> str:
    """For people."""
    live, last, running = found["live_model"], found["last_result"], found["running"]
    rows = [
        ("completions", f"{found['completed_since_training']} of {found['threshold']} until the "
                        f"next training, {found['total_completed']} in all"),
        ("running", f"{running['phase']}, {running['fraction']:.0%}" if running else "no"),
        ("live model", f"version {live['version']} ({live['kind']}), {live['samples']} answers"
                       if live else "none yet: the prior answers"),
        ("last training", f"{_when(last['ended_at'])}: {last['outcome']}, {last['reason']}"
                          if last else "none yet"),
        ("worker", "beats" if found["worker"]["alive"] else "silent"),
        ("database", f"{found['database_bytes'] / 2**20:.1f} MiB in {found['data_dir']}"),
    ]  # fmt: skip
    return "\n".join(f"{name:<14} {value}" for name, value in rows)


def _dated(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: _when(v) if k.endswith("_at") and v is not None else _dated(v)
            for k, v in value.items()
        }
    return value


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
