"""`studysmart tune` and `studysmart configurations`."""

from __future__ import annotations

import re
import time
from typing import Any

from rich.table import Table

from studysmart import tuning
from studysmart.cli.common import ACTOR, console, opened, when
from studysmart.errors import BadInput
from studysmart.settings import Settings

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def seconds(text: str) -> float:
    """`90s`, `10m`, `2h` or `1d`.

    Raises:
        BadInput: it is none of these.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if found is None:
        msg = f"the budget is '{text}', expected a number and a unit, such as 90s, 10m, 2h or 1d"
        raise BadInput(msg)
    return float(found[1]) * UNITS[found[2]]


def started(
    settings: Settings, budget: str, *, kind: str, trials: int, seed: int, reason: str
) -> None:
    """Begin a search."""
    with opened(settings) as store, store.write() as tx:
        tuning.start(tx, kind=kind, budget_s=seconds(budget), most_trials=trials, seed=seed,
                     actor=ACTOR, reason=reason, now=time.time())  # fmt: skip


def stopped(settings: Settings, *, reason: str) -> None:
    """End the search under way."""
    with opened(settings) as store, store.write() as tx:
        tuning.stop(tx, actor=ACTOR, reason=reason, now=time.time())


def status(settings: Settings) -> dict[str, Any] | None:
    """The search that began last."""
    with opened(settings) as store, store.read() as tx:
        return tuning.status(tx)


def listed(settings: Settings) -> list[dict[str, Any]]:
    """All configurations."""
    with opened(settings) as store, store.read() as tx:
        return tuning.listed(tx)


def added(settings: Settings, name: str, *, kind: str, given: list[str], reason: str) -> None:
    """Add a configuration from NAME=VALUE pairs."""
    parameters = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        try:
            parameters[key] = float(value)
        except ValueError as error:
            msg = f"'{pair}': expected NAME=VALUE with a number, such as rate=0.5"
            raise BadInput(msg) from error
        if not equals:
            msg = f"'{pair}': expected NAME=VALUE, such as rate=0.5"
            raise BadInput(msg)
    with opened(settings) as store, store.write() as tx:
        tuning.add(tx, name=name, kind=kind, parameters=parameters, actor=ACTOR, reason=reason,
                   now=time.time())  # fmt: skip


def activated(settings: Settings, name: str, *, active: bool, reason: str) -> None:
    """Activate or deactivate one."""
    with opened(settings) as store, store.write() as tx:
        tuning.activate(tx, name, active=active, actor=ACTOR, reason=reason, now=time.time())


def print_status(found: dict[str, Any] | None) -> None:
    """The search, its budget, its trials from the best to the worst."""
    screen = console()
    if found is None:
        screen.print("no search yet; studysmart tune --budget 10m --reason ... starts one")
        return
    spent = f"{found['spent_s']:.0f} of {found['budget_s']:.0f} s"
    screen.print(
        f"{found['kind']}: {len(found['trials'])} of {found['most_trials']} trials, {spent}; "
        + ("under way" if found["ended_at"] is None else f"ended {when(found['ended_at'])}"),
        style="bold",
    )
    if found["reason"]:
        screen.print(found["reason"])
    table = Table("trial", "loss", "seconds", "settings", box=None)
    none_last = sorted(found["trials"], key=lambda one: (one["loss"] is None, one["loss"]))
    for one in none_last[:10]:
        loss = "failed" if one["loss"] is None else f"{one['loss']:.4f}"
        named = "built-in" if one["number"] == 0 else _named(one["parameters"])
        table.add_row(str(one["number"] + 1), loss, f"{one['seconds']:.1f}", named)
    screen.print(table)


def print_list(found: list[dict[str, Any]]) -> None:
    """All configurations as a table."""
    if not found:
        console().print("no configuration yet: trainings fit the built-in ones")
        return
    table = Table("name", "kind", "active", "source", "settings", box=None)
    for one in found:
        active = "yes" if one["active"] else "no"
        table.add_row(one["name"], one["kind"], active, one["source"], _named(one["parameters"]))
    console().print(table)


def _named(parameters: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in parameters.items())
