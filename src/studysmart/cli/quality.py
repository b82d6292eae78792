"""`studysmart quality`: the forecasts that were served, against what happened."""

from __future__ import annotations

import time
from typing import Any

from studysmart import quality
from studysmart.cli.common import opened
from studysmart.settings import Settings

COLUMNS = (
    ("n", "n", "{:.0f}"),
    ("log_loss", "log loss", "{:.3f}"),
    ("ece", "ECE", "{:.3f}"),
    ("ece_by_chance", "by chance", "{:.3f}"),
    ("log_time_rmse", "log time", "{:.3f}"),
    ("coverage_80", "in 80 %", "{:.0%}"),
)


def read(settings: Settings, *, days: float) -> dict[str, Any]:
    """The report of `quality.report`.

    Raises:
        NotFound: there is no database yet.
    """
    with opened(settings) as store, store.read() as tx:
        return quality.report(tx, days=days, now=time.time())


def to_text(found: dict[str, Any]) -> str:
    """Warnings first, then a table a grouping."""
    if not found["overall"]["n"]:
        return f"No forecast was answered in the last {found['days']:g} days."
    lines = [f"! {sentence}" for sentence in found["warnings"]] or ["Nothing unexpected."]
    lines += ["", _row("", [title for _, title, _ in COLUMNS]), _scores("all", found["overall"])]
    for grouping in ("by_model", "by_version", "by_known", "by_topic"):
        lines += ["", grouping.replace("_", " "), *(_scores(g["name"], g) for g in found[grouping])]
    return "\n".join(lines)


def _scores(name: str, scores: dict[str, Any]) -> str:
    return _row(
        name,
        ["–" if scores.get(key) is None else form.format(scores[key]) for key, _, form in COLUMNS],
    )


def _row(name: str, cells: list[str]) -> str:
    return f"{name:<28.28}" + "".join(f"{cell:>11}" for cell in cells)
