"""`studysmart experiments`: start, look at and stop experiments from the command line."""

from __future__ import annotations

import time
from typing import Any

from rich.table import Table

from studysmart import experiments
from studysmart.cli.common import ACTOR, console, number, opened, when
from studysmart.errors import BadInput
from studysmart.settings import Settings


def listed(settings: Settings) -> list[dict[str, Any]]:
    """All experiments, newest first."""
    with opened(settings) as store, store.read() as tx:
        return experiments.listed(tx)


def shown(settings: Settings, name: str) -> dict[str, Any]:
    """One with what it found; waiting: why nobody is in it at the moment."""
    with opened(settings) as store, store.read() as tx:
        found = experiments.shown(tx, name)
        waiting = experiments.fault(tx) if found["stopped_at"] is None else None
        return found | {"waiting": waiting}


def started(
    settings: Settings,
    name: str,
    *,
    arms: list[str],
    metric: str,
    plan: dict[str, Any],
    reason: str,
) -> dict[str, Any]:
    """Start one; arms as KIND or KIND@VERSION."""
    with opened(settings) as store:
        with store.write() as tx:
            experiments.start(
                tx,
                name=name,
                arms=[_arm(text) for text in arms],
                metric=metric,
                plan=experiments.Plan(**plan),
                actor=ACTOR,
                reason=reason,
                now=time.time(),
            )
        with store.read() as tx:
            return experiments.shown(tx, name)


def stopped(settings: Settings, name: str, *, reason: str) -> dict[str, Any]:
    """End one early."""
    with opened(settings) as store:
        with store.write() as tx:
            experiments.stop(tx, name, actor=ACTOR, reason=reason, now=time.time())
        with store.read() as tx:
            return experiments.shown(tx, name)


def print_list(found: list[dict[str, Any]]) -> None:
    """All experiments as a table."""
    if not found:
        console().print("no experiment yet")
        return
    table = Table("name", "arms", "started", "ended", "result", box=None)
    for one in found:
        table.add_row(
            one["name"], " / ".join(arm["name"] for arm in one["arms"]), when(one["started_at"]),
            when(one["stopped_at"]) if one["stopped_at"] else "under way", one["sentence"] or "",
        )  # fmt: skip
    console().print(table)


def print_one(found: dict[str, Any]) -> None:
    """The sentence, the arms, the differences, the rule."""
    screen = console()
    screen.print(found["sentence"], style="bold")
    if found["waiting"]:
        screen.print(f"Nobody is in it at the moment: {found['waiting']}.")
    table = Table("arm", "learners", "answers", "log loss", "ECE", "log time", "in 80 %", box=None)
    for arm in found["arms_found"]:
        scores = arm["scores"]
        table.add_row(
            arm["name"], str(arm["learners"]), str(arm["answers"]),
            *(number(scores.get(name)) for name in
              ("log_loss", "ece", "log_time_rmse", "coverage_80")),
        )  # fmt: skip
    screen.print(table)
    table = Table("difference", "metric", "mean", "from", "to", "answers", box=None)
    for one in found["differences"]:
        for metric in experiments.METRICS:
            told = one[metric]
            if told is not None:
                table.add_row(
                    f"{one['arm']} less {one['control']}", metric, f"{told['mean']:+.4f}",
                    f"{told['low']:+.4f}", f"{told['high']:+.4f}", str(told["answers"]),
                )  # fmt: skip
    screen.print(table)
    plan = found["plan"]
    screen.print(
        f"Decided by {found['metric']}, from {plan['at_least']} answers on; ends when an interval "
        f"leaves zero or lies within {plan['margin']:g}, after {plan['at_most']} answers, or "
        f"after {plan['days']:g} days."
    )
    at, by = found["stopped_at"], found["stopped_by"]
    screen.print(f"Ended {when(at)} by {by}." if at else "Under way.")


def _arm(text: str) -> dict[str, Any]:
    kind, at, version = text.partition("@")
    if at and not version.isdecimal():
        msg = f"arm '{text}': expected KIND or KIND@VERSION, such as sequence or lnirt@3"
        raise BadInput(msg)
    return {"name": text, "kind": kind, "version": int(version) if at else None}
