"""`studysmart models`: the registry from the command line."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from rich.table import Table

from studysmart import registry
from studysmart.cli.common import ACTOR, console, number, opened, when
from studysmart.errors import BadInput, Conflict
from studysmart.learning.engine import LARGEST_BYTES
from studysmart.settings import Settings

SCORES = ("log_loss", "auc", "ece", "nlpd", "mae_s", "coverage_80")


def listed(settings: Settings) -> list[dict[str, Any]]:
    """All versions, newest first."""
    with opened(settings) as store, store.read() as tx:
        return registry.listed(tx)


def shown(settings: Settings, version: int) -> dict[str, Any]:
    """One version in full."""
    with opened(settings) as store, store.read() as tx:
        return registry.shown(tx, version)


def compared(settings: Settings, a: int, b: int, *, answers: int) -> dict[str, Any]:
    """Two versions on the same newest answers."""
    with opened(settings) as store:
        with store.read() as tx:
            material = registry.gather(tx, a, b, answers=answers)
        return registry.compare(material)


def change(settings: Settings, what: str, version: int | None, *, reason: str) -> dict[str, Any]:
    """Promote or pin a version, roll back, or unpin.

    Args:
        settings: of the installation.
        what: "promote", "pin", "rollback" or "unpin".
        version: which, of the first two.
        reason: kept in the audit.

    Returns:
        The version that was acted on, and what is live and pinned now.
    """
    given = () if version is None else (version,)
    with opened(settings) as store, store.write() as tx:
        found = getattr(registry, what)(tx, *given, actor=ACTOR, reason=reason, now=time.time())
        return {"version": found or version} | registry.serving(tx)


def export(settings: Settings, version: int, file: Path) -> int:
    """Write a version's bytes to a new file; returns how many.

    Raises:
        Conflict: the file is there already.
    """
    with opened(settings) as store, store.read() as tx:
        data = registry.exported(tx, version)
    if file.exists():
        msg = f"{file} is there already; name another file"
        raise Conflict(msg)
    # Whole or not at all, also when the disk is full half way.
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        partial.write_bytes(data)
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        msg = f"{file} cannot be written: {error.strerror}"
        raise BadInput(msg) from error
    return len(data)


def take_in(settings: Settings, file: Path, *, reason: str) -> dict[str, Any]:
    """Keep the bytes of a file as a challenger, once all of them are verified."""
    try:
        size = file.stat().st_size
        if size > LARGEST_BYTES:
            msg = f"{file} has {size} bytes; a model has at most {LARGEST_BYTES}"
            raise BadInput(msg)
        data = file.read_bytes()
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise BadInput(msg) from error
    candidate = registry.read(data)
    with opened(settings) as store, store.write() as tx:
        version, new = registry.take_in(tx, candidate, actor=ACTOR, reason=reason, now=time.time())
    return {"version": version, "new": new}


# -- how it is shown --


def print_list(versions: list[dict[str, Any]]) -> None:
    """All versions as a table."""
    if not versions:
        console().print("no version yet: the prior serves until the first training is through")
        return
    table = Table("version", "status", "kind", "answers", "published", *SCORES[:4], "", box=None)
    for one in versions:
        own = one["metrics"].get(one["kind"], {})
        table.add_row(
            str(one["version"]), one["status"], one["kind"], str(one["samples"]),
            when(one["published_at"]), *(number(own.get(name)) for name in SCORES[:4]),
            _remark(one), style="bold" if one["status"] == "live" else None,
        )  # fmt: skip
    console().print(table)


def print_one(one: dict[str, Any]) -> None:
    """One version: its facts, its scores when it was judged, its run."""
    run = one["run"]
    facts = {
        "status": one["status"],
        "kind": one["kind"],
        "source": one["source"],
        "published": when(one["published_at"]),
        "answers": str(one["samples"]),
        "sha256": one["sha256"],
        "remark": _remark(one) or "sound",
        "run": f"{run['run']} ({run['trigger']}): {run['outcome']}. {run['reason']}"
        if run
        else "none of this installation",
    }
    screen = console()
    screen.print(f"version {one['version']}", style="bold")
    table = Table(box=None, show_header=False)
    for name, value in facts.items():
        table.add_row(name, value)
    screen.print(table)
    judged = {k: v for k, v in one["metrics"].items() if isinstance(v, dict) and "log_loss" in v}
    if judged:
        _scores(judged)


def print_comparison(found: dict[str, Any]) -> None:
    """The sentence, the scores, the differences."""
    screen = console()
    screen.print(found["sentence"], style="bold")
    names = {name: f"version {found[name]['version']}" for name in "ab"} | {"prior": "prior"}
    _scores({shown: found[name]["scores"] for name, shown in names.items()})
    table = Table(f"{names['b']} less {names['a']}", "mean", "95 % from", "to", box=None)
    for name, one in found["differences"].items():
        table.add_row(name, *(number(one[part]) for part in ("mean", "low", "high")))
    screen.print(table)
    if not found["clustered"]:
        screen.print("Too few learners to go by learner: answers are taken to be independent.")


def _scores(by_name: dict[str, dict[str, Any]]) -> None:
    table = Table("", "answers", *SCORES, box=None)
    for name, scores in by_name.items():
        table.add_row(
            name, f"{scores.get('n', 0):.0f}", *(number(scores.get(score)) for score in SCORES)
        )
    console().print(table)


def _remark(one: dict[str, Any]) -> str:
    remarks = ["pinned"] if one["pinned"] else []
    remarks += ["imported"] if one["source"] == "imported" else []
    remarks += [f"REFUSED: {one['fault']}"] if one["fault"] else []
    remarks += [] if one["has_data"] else ["bytes not kept"]
    return ", ".join(remarks)
