"""Which SQLite to use, and one look at the training status with that driver alone.

`studysmart status` must answer at once; importing SQLAlchemy and Pydantic takes longer than a
monitoring script should wait. A test holds what it says to what `training.status` says.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from studysmart.errors import RefusedToStart

# Older ones can corrupt a WAL database that several processes write (sqlite.org, "WAL-reset bug").
OLDEST_SQLITE = (3, 51, 3)


def sqlite_module() -> Any:
    """The newest SQLite at hand: the linked one, or the one that the pysqlite3 wheel carries.

    Raises:
        RefusedToStart: neither is new enough.
    """
    if sqlite3.sqlite_version_info >= OLDEST_SQLITE:
        return sqlite3
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        dbapi2 = None
    if dbapi2 is not None and dbapi2.sqlite_version_info >= OLDEST_SQLITE:
        return dbapi2
    found = dbapi2.sqlite_version if dbapi2 is not None else sqlite3.sqlite_version
    wanted = ".".join(map(str, OLDEST_SQLITE))
    msg = (
        f"SQLite {found} can corrupt a database that several processes write; {wanted} or newer is "
        "needed. Install the wheel `pysqlite3`, or a Python linked with it "
        f"(this one: {sys.version.split()[0]})."
    )
    raise RefusedToStart(msg)


def size_bytes(path: Path) -> int:
    """Bytes of the database and its write-ahead log on disk."""
    files = (path, path.with_name(path.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


_STANDING = (
    "counts AND NOT EXISTS (SELECT 1 FROM retraction WHERE attempt_seq = attempt.seq) AND seq > ?"
)


def status(path: Path, *, threshold: int, silent_s: float, now: float) -> dict[str, Any]:
    """The same as `training.status`, plus `beat_at`: when a living worker beat last.

    Args:
        path: the SQLite file; opened for reading only.
        threshold: completions that make a training due.
        silent_s: after so many seconds without a beat a worker is taken to be dead.
        now: Unix seconds.
    """
    sqlite = sqlite_module()
    with closing(sqlite.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
        connection.row_factory = sqlite.Row

        def one(query: str, *values: object) -> dict[str, Any] | None:
            row = connection.execute(query, values).fetchone()
            return dict(row) if row is not None else None

        def count(after: int) -> int:
            query = f"SELECT count(*) FROM attempt WHERE {_STANDING}"  # noqa: S608 - a constant
            return int(connection.execute(query, (after,)).fetchone()[0])

        connection.execute("BEGIN")  # one snapshot for all of it
        job = one("SELECT * FROM training_job") or {}
        run = one("SELECT * FROM training_run WHERE id = ?", job["run_id"])
        ended = "SELECT * FROM training_run WHERE ended_at IS NOT NULL AND trigger <> 'tune'"
        last = one(f"{ended} ORDER BY id DESC LIMIT 1")
        finished = one(f"{ended} AND outcome IN ('live', 'kept_out') ORDER BY id DESC LIMIT 1")
        live = one(
            "SELECT version, kind, published_at, samples, metrics, manifest FROM model_version "
            "WHERE status = 'live'"
        )
        beat = one("SELECT max(beat_at) AS at FROM worker WHERE beat_at >= ?", now - silent_s)
        progress = json.loads(job["progress"] or "null") or {}
        return {
            "completed_since_training": count(
                job["covered_seq"] if job["claimed_seq"] is None else job["claimed_seq"]
            ),
            "threshold": threshold,
            "total_completed": count(0),
            "last_trained_at": finished["ended_at"] if finished else None,
            "samples_last_training": finished["samples"] if finished else 0,
            "running": _running(run, progress, now) if run else None,
            "worker_alive": bool(beat and beat["at"] is not None),
            "paused": job["paused_at"] is not None,
            "pinned_version": job["pinned_version"],
            "live_model": _live(live) if live else None,
            "last_result": _ended(last) if last else None,
            "beat_at": beat["at"] if beat else None,
        }


def live_fault(path: Path) -> str | None:
    """Why the live model's bytes must not be served, as far as checksums tell; None if they may.

    Theirs, and the one that they begin with. The web process looks at all that is in them.

    Args:
        path: as in `status`.
    """
    sqlite = sqlite_module()
    with closing(sqlite.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
        row = connection.execute(
            "SELECT version, data, sha256 FROM model_version WHERE status = 'live'"
        ).fetchone()
    if row is None:
        return None
    version, data, published = row
    sound = hashlib.sha256(data).hexdigest() == published
    if sound and hashlib.sha256(data[32:]).digest() == data[:32]:
        return None
    return f"version {version}: damaged: the checksum of its bytes is not theirs"


def _running(run: dict[str, Any], progress: dict[str, Any], now: float) -> dict[str, Any]:
    done = progress.get("fraction", 0.0)
    took = now - run["started_at"]
    return {
        "run": run["id"],
        "trigger": run["trigger"],
        "started_at": run["started_at"],
        "phase": progress.get("phase", "starting"),
        "fraction": done,
        "epoch": progress.get("epoch"),
        "loss": progress.get("loss"),
        "curve": progress.get("curve", []),
        "seconds_left": took * (1 - done) / done if done >= 0.1 and took >= 0 else None,
    }


def _live(row: dict[str, Any]) -> dict[str, Any]:
    row["vocabulary"] = json.loads(row.pop("manifest")).get("vocabulary", {})
    return row | {"metrics": json.loads(row["metrics"])}


def _ended(row: dict[str, Any]) -> dict[str, Any]:
    kept = ("outcome", "version", "samples", "started_at", "ended_at")
    return {name: row[name] for name in kept} | {
        "run": row["id"],
        "reason": row["reason"] or "",
        "seconds": row["ended_at"] - row["started_at"],
        "metrics": json.loads(row["metrics"]),
    }
