"""How good the forecasts are, and how the installation fares, over HTTP, for operators."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import PlainTextResponse

from studysmart import quality
from studysmart.web import metrics
from studysmart.web.access import Operator, Warm

LONGEST_DAYS = 3_650

router = APIRouter(tags=["training"])


class Scores(BaseModel):
    """Scores of some forecasts; what could not be computed is null."""

    model_config = ConfigDict(extra="ignore")

    n: int = Field(description="answers")
    times: int = Field(description="of them with a possible time")
    log_loss: float | None = None
    log_loss_low: float | None = Field(default=None, description="95 % interval, by learner")
    log_loss_high: float | None = None
    brier: float | None = None
    accuracy: float | None = None
    auc: float | None = None
    ece: float | None = None
    ece_by_chance: float | None = Field(
        default=None, description="what the ECE would be if every forecast were exactly right"
    )
    log_time_rmse: float | None = None
    mae_s: float | None = None
    coverage_80: float | None = None


class Group(Scores):
    """Scores of one group of forecasts."""

    name: str


class Bin(BaseModel):
    """Forecasts of one band against what happened."""

    low: float
    high: float
    n: int
    p: float | None
    correct: float | None


class Quality(BaseModel):
    """Live forecast quality."""

    days: float
    since: datetime | None = Field(description="the oldest answer that was looked at")
    truncated: bool = Field(description="only the newest answers of the time were looked at")
    overall: Scores
    reliability: list[Bin]
    by_model: list[Group]
    by_version: list[Group]
    by_topic: list[Group]
    by_known: list[Group] = Field(description="by answers of the learner that it rested on")
    by_day: list[Group]
    fallbacks: dict[str, int] = Field(
        description="forecasts of the live version that another model gave than the serving one"
    )
    warnings: list[str] = Field(description="plain sentences; empty when all is as expected")


@router.get("/api/quality")
def get_quality(
    caller: Operator, live: Warm, days: Annotated[float, Query(gt=0, le=LONGEST_DAYS)] = 30
) -> Quality:
    """Forecasts that were shown, against what happened (operators)."""
    del caller
    with live.store.read() as tx:
        found: dict[str, Any] = quality.report(tx, days=days, now=time.time())
    since = found["since"]
    found["since"] = None if since is None else datetime.fromtimestamp(since, UTC)
    return Quality.model_validate(found)


@router.get("/metrics", response_class=PlainTextResponse)
def get_metrics(caller: Operator, live: Warm) -> PlainTextResponse:
    """Everything worth an alarm, in Prometheus's text format (operators)."""
    del caller
    return PlainTextResponse(metrics.exposition(live), media_type=metrics.CONTENT_TYPE)
