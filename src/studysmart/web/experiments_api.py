"""Experiments over HTTP, for operators: start, look, stop."""

from __future__ import annotations

import time
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from studysmart import experiments
from studysmart.web.access import Operator, Warm
from studysmart.web.live import Live
from studysmart.web.schemas import Because, Body, Reason, Typed

DEFAULT = experiments.Plan()

Metric = Literal["joint", "log_loss", "time_loss"]
Name = Annotated[str, Path(min_length=1, max_length=100)]

router = APIRouter(prefix="/api/experiments", tags=["experiments"])


class Arm(Body):
    """A model that is tried."""

    name: Annotated[str, Typed, Field(min_length=1, max_length=50)]
    kind: Literal["prior", "lnirt", "sequence", "attention"]
    version: int | None = Field(
        default=None, ge=1, le=2**53, description="null: of whichever version is live"
    )


class Plan(Body):
    """When an experiment ends; fixed at its start."""

    alpha: float = Field(
        default=DEFAULT.alpha, description="how often a difference may be seen where there is none"
    )
    at_least: int = Field(default=DEFAULT.at_least, description="answers")
    at_most: int = Field(default=DEFAULT.at_most, description="answers")
    days: float = DEFAULT.days
    margin: float = Field(
        default=DEFAULT.margin, description="a difference of the loss that would not matter"
    )


class NewExperiment(Body):
    """An experiment to start; the first arm is the control."""

    name: Annotated[str, Typed, Field(min_length=1, max_length=100)]
    arms: list[Arm] = Field(min_length=2, max_length=experiments.MOST_ARMS)
    metric: Metric = "joint"
    plan: Plan = Plan()
    reason: Reason


class Experiment(BaseModel):
    """An experiment without its figures."""

    name: str
    arms: list[dict[str, Any]]
    metric: Metric
    plan: dict[str, float]
    started_at: datetime
    stopped_at: datetime | None
    sentence: str | None = Field(default=None, description="of its result; null while it runs")


class Interval(BaseModel):
    """Mean difference of an arm's loss less the control's, valid at every look."""

    answers: int
    mean: float
    low: float
    high: float


class Difference(BaseModel):
    """One arm against the control; below zero the arm forecasts better. null: too few answers."""

    arm: str
    control: str
    joint: Interval | None
    log_loss: Interval | None
    time_loss: Interval | None


class ArmFound(BaseModel):
    """One arm: its forecasts of all answers, and those who were shown them."""

    name: str
    learners: int = Field(description="who were shown this arm")
    answers: int = Field(description="that they gave")
    right: float | None = Field(description="share of those that were right")
    by_model: dict[str, int] = Field(description="which model gave the arm's forecasts")
    scores: dict[str, float]


class ExperimentInFull(Experiment):
    """An experiment with what it found, so far or in the end."""

    answers: int = Field(description="of which every arm's forecast is known")
    learners: int
    arms_found: list[ArmFound]
    differences: list[Difference]
    paths: dict[str, list[list[float]]] = Field(
        description="per arm, as answers came: answers, mean, low, high of the metric"
    )
    decided: list[Literal["better", "worse", "alike"] | None]
    stopped_by: str | None
    waiting: str | None = Field(description="why nobody is in it at the moment")


@router.get("")
def list_experiments(caller: Operator, live: Warm) -> list[Experiment]:
    """All experiments, newest first (operators)."""
    del caller
    with live.store.read() as tx:
        return [Experiment(**one) for one in experiments.listed(tx)]


@router.post("", status_code=201)
def start_experiment(body: NewExperiment, caller: Operator, live: Warm) -> ExperimentInFull:
    """Start one; learners are in it from the next second on (operators)."""
    plan = experiments.Plan(
        **{field.name: getattr(body.plan, field.name) for field in fields(experiments.Plan)}
    )
    with live.store.write() as tx:
        experiments.start(
            tx,
            name=body.name,
            arms=[arm.model_dump() for arm in body.arms],
            metric=body.metric,
            plan=plan,
            actor=caller.actor,
            reason=body.reason,
            now=time.time(),
        )
    return _shown(live, body.name)


@router.get("/{name}")
def get_experiment(name: Name, caller: Operator, live: Warm) -> ExperimentInFull:
    """One with what it found, so far or in the end (operators)."""
    del caller
    return _shown(live, name)


@router.post("/{name}/stop")
def stop_experiment(name: Name, body: Because, caller: Operator, live: Warm) -> ExperimentInFull:
    """End it before its rule does (operators)."""
    with live.store.write() as tx:
        experiments.stop(tx, name, actor=caller.actor, reason=body.reason, now=time.time())
    return _shown(live, name)


def _shown(live: Live, name: str) -> ExperimentInFull:
    with live.store.read() as tx:
        found = experiments.shown(tx, name)
    waiting = live.experiment_fault if found["stopped_at"] is None else None
    return ExperimentInFull.model_validate(found | {"waiting": waiting})
