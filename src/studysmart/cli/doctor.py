"""`studysmart doctor`: the criteria of an installation that can be relied on, each pass or fail."""

from __future__ import annotations

import os
import shutil
import stat
import time
from dataclasses import asdict, dataclass
from typing import Any

from studysmart import artefacts, defaults, quality
from studysmart.errors import RefusedToStart, StudySmartError
from studysmart.settings import Settings
from studysmart.sqlite import sqlite_module
from studysmart.store import Store, Tx, accounts, integrity, jobs, models
from studysmart.store import scores as scored
from studysmart.store.migrations import revisions

LEAST_FREE = 1024 * 2**20
FAILURES_ALARMING = 3
AHEAD_S = 60.0  # answers that lie further in the future came from, or met, a wrong clock
QUALITY_DAYS = 30
OURS = ("cache", "logs")


@dataclass(frozen=True, slots=True)
class Finding:
    """One criterion. ok: None where it does not apply."""

    name: str
    ok: bool | None
    detail: str
    remedy: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; changes nothing."""
    found = [_folder(settings), _disk(settings), _strays(settings), _logs(settings), _page()]
    if isinstance(settings.where, str):
        found.append(Finding("sqlite", None, "the database is PostgreSQL"))
    else:
        found.append(_sqlite())
        if not settings.database.exists():
            told = f"no database in {settings.data_dir} yet"
            return [*found, Finding("database", ok=False, detail=told, remedy="studysmart serve")]
    store = None
    try:
        store = Store(settings.where)
        with store.read() as tx:
            found += _schema(tx)
            if found[-1].ok:
                found += [
                    check(tx, settings)
                    for check in (
                        _integrity, _model, _worker, _runs, _forecasts, _clock, _network,
                    )
                ]  # fmt: skip
    except StudySmartError as error:
        found.append(
            Finding("database", ok=False, detail=str(error), remedy="see the text; then try again")
        )
    finally:
        if store is not None:
            store.close()
    return found


def to_text(findings: list[Finding]) -> str:
    """A line a criterion, and below a failed one what to do."""
    lines = []
    for finding in findings:
        word = {True: "pass", False: "FAIL", None: "  – "}[finding.ok]
        lines.append(f"{word}  {finding.name:<10} {finding.detail}")
        if finding.ok is False and finding.remedy:
            lines.append(f"{'':<17}do: {finding.remedy}")
    return "\n".join(lines)


def to_json(findings: list[Finding]) -> list[dict[str, Any]]:
    """For programs."""
    return [asdict(finding) for finding in findings]


def _folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    if not folder.is_dir():
        return Finding(
            "folder", ok=False, detail=f"{folder} is not there", remedy="studysmart serve"
        )
    mode = stat.S_IMODE(folder.stat().st_mode)
    writable = os.access(folder, os.W_OK | os.X_OK)
    private = mode & 0o077 == 0
    detail = f"{folder}, mode {mode:o}"
    if not writable:
        return Finding("folder", ok=False, detail=f"{detail}: cannot be written",
                       remedy="give it to the user that runs StudySmart")  # fmt: skip
    if not private:
        return Finding("folder", ok=False, detail=f"{detail}: others may read people's answers",
                       remedy=f"chmod 700 {folder}")  # fmt: skip
    return Finding("folder", ok=True, detail=detail)


def _disk(settings: Settings) -> Finding:
    place = settings.data_dir if settings.data_dir.exists() else settings.data_dir.parent
    free = shutil.disk_usage(place).free if place.exists() else 0
    return Finding("disk", free >= LEAST_FREE, f"{free // 2**20:,} MiB free",
                   f"free space: at least {LEAST_FREE // 2**20:,} MiB")  # fmt: skip


def _strays(settings: Settings) -> Finding:
    """Files that are not ours: a second database or models beside the first confuse people."""
    if not settings.data_dir.is_dir():
        return Finding("files", None, "no data folder")
    known = {*OURS, *(defaults.DATABASE + end for end in ("", "-wal", "-shm"))}
    strays = sorted(entry.name for entry in settings.data_dir.iterdir() if entry.name not in known)
    if strays:
        return Finding("files", ok=False, detail=f"not ours: {', '.join(strays[:5])}",
                       remedy="move them elsewhere; nothing here reads them")  # fmt: skip
    return Finding("files", ok=True, detail="nothing in the data folder that is not ours")


def _logs(settings: Settings) -> Finding:
    folder = settings.data_dir / "logs"
    if not folder.exists():
        return Finding("logs", None, "none written yet")
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    ok = os.access(folder, os.W_OK)
    return Finding("logs", ok, f"{size / 2**20:.1f} MiB in {folder}", "make the folder writable")


def _page() -> Finding:
    from pathlib import Path

    import studysmart

    built = Path(studysmart.__file__).parent / "web" / "static" / "index.html"
    return Finding("page", built.exists(), "built" if built.exists() else "not built",
                   "make setup")  # fmt: skip


def _sqlite() -> Finding:
    try:
        version = sqlite_module().sqlite_version
    except RefusedToStart as error:
        return Finding("sqlite", ok=False, detail=str(error), remedy="pip install pysqlite3")
    return Finding("sqlite", ok=True, detail=version)


def _schema(tx: Tx) -> list[Finding]:
    found, newest = revisions(tx)
    return [Finding("schema", found == newest, f"{found or 'none'}, newest {newest}",
                    "start studysmart serve once: it brings the database up to date")]  # fmt: skip


def _integrity(tx: Tx, _: Settings) -> Finding:
    word = integrity(tx)
    return Finding("integrity", word == "ok", word,
                   "stop the server and put the last backup in its place")  # fmt: skip


def _model(tx: Tx, _: Settings) -> Finding:
    version = models.live_version(tx)
    if version is None:
        return Finding("model", None, "none is live yet: the prior answers")
    row = models.get(tx, version)
    fault = artefacts.fault(row) if row is not None else "its row is gone"
    if fault:
        return Finding("model", ok=False, detail=fault,
                       remedy="studysmart models rollback --reason 'damaged'")  # fmt: skip
    return Finding("model", ok=True, detail=f"version {version}: every check of its bytes passed")


def _worker(tx: Tx, _: Settings) -> Finding:
    beating = jobs.workers(tx, since=time.time() - defaults.WORKER_SILENT_S)
    return Finding("worker", bool(beating), f"{len(beating)} beat",
                   "studysmart serve, or studysmart worker; then studysmart logs")  # fmt: skip


def _runs(tx: Tx, _: Settings) -> Finding:
    job, last = jobs.job(tx), jobs.last_run(tx)
    if last is None:
        return Finding("training", None, "none yet")
    detail = f"run {last.id}: {last.outcome}, {last.reason}"
    if job.paused_at is not None:
        return Finding("training", ok=False, detail=f"paused; {detail}",
                       remedy="studysmart training resume --reason TEXT, in time")  # fmt: skip
    return Finding("training", job.failures < FAILURES_ALARMING,
                   f"{detail} ({job.failures} failures in a row)",
                   "studysmart logs --level warning has the cause")  # fmt: skip


def _forecasts(tx: Tx, _: Settings) -> Finding:
    window = scored.newest(tx, since=time.time() - QUALITY_DAYS * 86_400, limit=quality.MOST_SCORED)
    warnings = quality.warnings(window, models.live(tx))
    if warnings:
        return Finding("forecasts", ok=False, detail=" ".join(warnings),
                       remedy="compare with an older one: studysmart models compare")  # fmt: skip
    told = f"{len(window)} scored in {QUALITY_DAYS} days, nothing unexpected"
    return Finding("forecasts", ok=True if window else None, detail=told)


def _clock(tx: Tx, _: Settings) -> Finding:
    ahead = jobs.newest_beat(tx) - time.time()
    return Finding("clock", ahead < AHEAD_S, "no beat lies in the future" if ahead < AHEAD_S
                   else f"a worker beat {ahead:.0f} s in the future", "set the clock")  # fmt: skip


def _network(tx: Tx, settings: Settings) -> Finding:
    if settings.loopback:
        return Finding("network", None, "listens on this machine alone")
    if accounts.operators(tx) == 0:
        return Finding("network", ok=False, detail="no operator account",
                       remedy="studysmart accounts add EMAIL --operator")  # fmt: skip
    return Finding("network", settings.secure_cookies, f"listens on {settings.host}",
                   "serve it over https, and set STUDYSMART_SECURE_COOKIES=true")  # fmt: skip
