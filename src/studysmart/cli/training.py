"""`studysmart training`: what was run, and what an operator may do about it, without a page."""

from __future__ import annotations

import time
from typing import Any

from rich.table import Table

from studysmart import training
from studysmart.cli.common import ACTOR, console, opened, when
from studysmart.settings import Settings
from studysmart.store import audit


def runs(settings: Settings, *, limit: int) -> list[dict[str, Any]]:
    """The last runs, newest first."""
    with opened(settings) as store, store.read() as tx:
        return training.runs(tx, limit=limit)


def change(settings: Settings, what: str, *, reason: str) -> dict[str, Any]:
    """Ask for a training, cancel the one under way, pause or resume.

    Args:
        settings: of the installation.
        what: "ask", "cancel", "pause" or "resume".
        reason: kept in the audit.

    Returns:
        `training.status` afterwards.

    Raises:
        BadInput: no reason is given.
        Conflict: nothing runs that could be cancelled.
    """
    reason = audit.because(reason)
    now = time.time()
    with opened(settings) as store, store.write() as tx:
        getattr(training, what)(tx, actor=ACTOR, reason=reason, now=now)
        return training.status(tx, threshold=settings.train_every, now=now)


def print_runs(found: list[dict[str, Any]]) -> None:
    """A line a run."""
    if not found:
        console().print("no training yet")
        return
    table = Table("run", "began", "seconds", "trigger", "outcome", "answers", "why", box=None)
    for run in found:
        table.add_row(
            str(run["run"]),
            when(run["started_at"]),
            "–" if run["seconds"] is None else f"{run['seconds']:.1f}",
            run["trigger"],
            "runs" if run["outcome"] is None else run["outcome"].replace("_", " "),
            str(run["samples"]),
            run["reason"],
        )
    console().print(table)
