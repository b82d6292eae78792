"""Searches and configurations over HTTP, for operators."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from studysmart import tuning
from studysmart.web.access import Operator, Warm
from studysmart.web.live import Live
from studysmart.web.schemas import Because, Body, Reason, Typed

Kind = Literal["sequence", "attention"]
Name = Annotated[str, Path(min_length=1, max_length=100)]

router = APIRouter(prefix="/api", tags=["tuning"])


class NewSearch(Body):
    """A search to start."""

    kind: Kind = "sequence"
    budget_s: float = Field(description="it ends after so many seconds of trials")
    most_trials: int = Field(default=50, description="or after so many of them")
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    reason: Reason


class Trial(BaseModel):
    """Something that was tried."""

    number: int
    parameters: dict[str, float]
    loss: float | None = Field(description="joint loss of a later answer; null: it failed")
    seconds: float
    at: datetime


class Search(BaseModel):
    """A search with its trials."""

    kind: Kind
    budget_s: float
    spent_s: float
    most_trials: int
    seed: int
    started_at: datetime
    ended_at: datetime | None
    reason: str | None = Field(description="what came of it; null while it goes on")
    trials: list[Trial]


class NewConfiguration(Body):
    """Settings for trainings to try besides the built-in ones."""

    name: Annotated[str, Typed, Field(min_length=1, max_length=100)]
    kind: Kind = "sequence"
    parameters: dict[str, float] = Field(description="rate, dropped, masked, decay, epochs")
    reason: Reason


class Configuration(BaseModel):
    """Settings of a network."""

    name: str
    kind: Kind
    parameters: dict[str, float]
    source: Literal["made", "tuned"]
    active: bool
    created_at: datetime


@router.get("/tuning")
def get_tuning(caller: Operator, live: Warm) -> Search | None:
    """The search that began last, or null (operators)."""
    del caller
    with live.store.read() as tx:
        found = tuning.status(tx)
    return Search.model_validate(found) if found is not None else None


@router.post("/tuning", status_code=201)
def start_tuning(body: NewSearch, caller: Operator, live: Warm) -> Search | None:
    """Start a search; trainings go first (operators)."""
    with live.store.write() as tx:
        tuning.start(
            tx, kind=body.kind, budget_s=body.budget_s, most_trials=body.most_trials,
            seed=body.seed, actor=caller.actor, reason=body.reason, now=time.time(),
        )  # fmt: skip
    return get_tuning(caller, live)


@router.post("/tuning/stop")
def stop_tuning(body: Because, caller: Operator, live: Warm) -> Search | None:
    """End it with what it has found so far (operators)."""
    with live.store.write() as tx:
        tuning.stop(tx, actor=caller.actor, reason=body.reason, now=time.time())
    return get_tuning(caller, live)


@router.get("/configurations")
def list_configurations(caller: Operator, live: Warm) -> list[Configuration]:
    """All, newest first (operators)."""
    del caller
    return _listed(live)


@router.post("/configurations", status_code=201)
def add_configuration(body: NewConfiguration, caller: Operator, live: Warm) -> list[Configuration]:
    """Let every training try these settings too (operators)."""
    with live.store.write() as tx:
        tuning.add(tx, name=body.name, kind=body.kind, parameters=body.parameters,
                   actor=caller.actor, reason=body.reason, now=time.time())  # fmt: skip
    return _listed(live)


@router.post("/configurations/{name}/activate")
def activate_configuration(
    name: Name, body: Because, caller: Operator, live: Warm
) -> list[Configuration]:
    """Let trainings try it again (operators)."""
    return _activate(live, name, caller.actor, body.reason, active=True)


@router.post("/configurations/{name}/deactivate")
def deactivate_configuration(
    name: Name, body: Because, caller: Operator, live: Warm
) -> list[Configuration]:
    """Let trainings leave it alone (operators)."""
    return _activate(live, name, caller.actor, body.reason, active=False)


def _activate(
    live: Live, name: str, actor: str, reason: str, *, active: bool
) -> list[Configuration]:
    with live.store.write() as tx:
        tuning.activate(tx, name, active=active, actor=actor, reason=reason, now=time.time())
    return _listed(live)


def _listed(live: Live) -> list[Configuration]:
    with live.store.read() as tx:
        return [Configuration(**one) for one in tuning.listed(tx)]
