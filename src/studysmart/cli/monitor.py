"""`studysmart monitor`: training as it happens, in a terminal."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from studysmart import training
from studysmart.errors import NotFound
from studysmart.settings import Settings
from studysmart.store import Store, models
from studysmart.store import scores as scored

REFRESH_S = 0.5
RUNS_SHOWN = 6
QUALITY_DAYS = 30
WARNINGS_EVERY_S = 30.0
BLOCKS = "▁▂▃▄▅▆▇█"
STYLES = {"live": "green", "kept_out": "yellow", "failed": "red", "cancelled": "yellow"}


def watch(settings: Settings, *, once: bool) -> None:
    """Show it until Ctrl+C, or once.

    Raises:
        NotFound: there is no database yet.
    """
    if not isinstance(settings.where, str) and not settings.database.exists():
        msg = f"no database in {settings.data_dir} yet; studysmart serve makes one"
        raise NotFound(msg)
    store, console = Store(settings.where), Console()
    look = _Look(store, settings)
    try:
        if once:
            console.print(look.frame())
            return
        with Live(look.frame(), console=console, screen=console.is_terminal) as live:
            while True:
                time.sleep(REFRESH_S)
                live.update(look.frame())
    except KeyboardInterrupt:
        return
    finally:
        store.close()


class _Look:
    """One look after another at the database."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._warnings: list[str] = []
        self._warned_at = -WARNINGS_EVERY_S

    def frame(self) -> RenderableType:
        now = time.time()
        with self._store.read() as tx:
            status = training.status(tx, threshold=self._settings.train_every, now=now)
            runs = training.runs(tx, limit=RUNS_SHOWN)
            if time.monotonic() - self._warned_at > WARNINGS_EVERY_S:
                from studysmart import quality

                window = scored.newest(
                    tx, since=now - QUALITY_DAYS * 86_400, limit=quality.MOST_SCORED
                )
                self._warnings = quality.warnings(window, models.live(tx))
                self._warned_at = time.monotonic()
        parts: list[RenderableType] = [
            Panel(_counter(status), title="Training", title_align="left"),
            Panel(_run(status, now), title="Now", title_align="left"),
            Panel(_model(status), title="Live model", title_align="left"),
            Panel(_history(runs), title="Last runs", title_align="left"),
        ]
        if self._warnings:
            text = Text("\n".join(self._warnings), style="yellow")
            parts.insert(0, Panel(text, title="Look at this", title_align="left"))
        return Group(*parts)


def _counter(status: dict[str, Any]) -> Text:
    done, every = status["completed_since_training"], status["threshold"]
    text = Text(f"{done} of {every} answers until the next training")
    text.append(f", {status['total_completed']} in all. ", style="dim")
    if status["paused"]:
        text.append("Paused by an operator. ", style="yellow")
    alive = status["worker_alive"]
    text.append("The worker beats." if alive else "No worker beats: nothing will train.",
                style="green" if alive else "red")  # fmt: skip
    return text


def _run(status: dict[str, Any], now: float) -> RenderableType:
    run = status["running"]
    if run is None:
        return Text("Nothing runs.", style="dim")
    took = max(0.0, now - run["started_at"])
    text = Text(f"Run {run['run']}: {run['phase']}")
    if run["epoch"] is not None:
        text.append(f", epoch {run['epoch']}, loss {run['loss']:.4f}")
    text.append(f", {took:.0f} s so far")
    if run["seconds_left"] is not None:
        text.append(f", about {run['seconds_left']:.0f} s left")
    rows: list[RenderableType] = [text, ProgressBar(total=1.0, completed=run["fraction"], width=50)]
    if len(run["curve"]) > 1:
        rows.append(Text(f"loss {sparkline([loss for _, loss in run['curve']])}"))
    return Group(*rows)


def _model(status: dict[str, Any]) -> Text:
    live = status["live_model"]
    if live is None:
        return Text("None yet: the prior answers.", style="dim")
    text = Text(f"Version {live['version']} ({live['kind']}), {live['samples']} answers, since ")
    text.append(_when(live["published_at"]))
    judged = live["metrics"].get(live["kind"], {})
    told = [
        f"{label} {judged[name]:.3f}"
        for name, label in (("log_loss", "log loss"), ("auc", "AUC"), ("ece", "ECE"))
        if judged.get(name) is not None
    ]
    if told:
        text.append(f"\nJudged on {judged.get('n', 0):.0f} later answers: {', '.join(told)}.")
    if status["pinned_version"]:
        text.append(f"\nVersion {status['pinned_version']} is pinned.", style="yellow")
    return text


def _history(runs: list[dict[str, Any]]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for run in runs:
        if run["ended_at"] is None:
            continue
        table.add_row(
            _when(run["ended_at"]),
            Text(run["outcome"].replace("_", " "), style=STYLES.get(run["outcome"], "")),
            f"{run['seconds']:.1f} s",
            f"{run['samples']} answers",
            run["reason"],
        )
    return table if table.row_count else Text("None yet.", style="dim")


def sparkline(values: list[float]) -> str:
    """One block a value, the lowest to the highest; at most sixty of them."""
    step = max(1, -(-len(values) // 60))
    shown = values[::step]
    low, high = min(shown), max(shown)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((value - low) * scale)] for value in shown)


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(sep=" ", timespec="seconds")[:-6] + " UTC"
