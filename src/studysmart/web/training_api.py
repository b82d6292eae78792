"""Training over HTTP: how it stands, live; what was run; and what an operator may do about it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from studysmart import training
from studysmart.web import schemas
from studysmart.web.access import Operator, Signed, Warm
from studysmart.web.live import Live

KEPT_ALIVE_S = 15.0  # proxies close a stream that is quiet for longer

router = APIRouter(prefix="/api/training", tags=["training"])


@router.get("")
def get_training(caller: Signed, live: Warm) -> schemas.Training:
    """The counter, the run under way, the live model and the last result."""
    del caller
    with live.store.read() as tx:
        status = training.status(tx, threshold=live.settings.train_every, now=time.time())
    return schemas.Training.model_validate(status)


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
def training_events(caller: Signed, live: Warm) -> StreamingResponse:
    """The same as server-sent events, one whenever something changed."""
    del caller
    return StreamingResponse(
        _events(live), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
    )


async def _events(live: Live) -> AsyncIterator[bytes]:
    told: dict[str, Any] | None = None
    quiet = 0.0
    while not live.stopping.is_set():
        status = live.status
        if status is not told:
            told, quiet = status, 0.0
            data = schemas.Training.model_validate(status).model_dump_json()
            yield f"event: training\ndata: {data}\n\n".encode()
        elif quiet >= KEPT_ALIVE_S:
            quiet = 0.0
            yield b": still here\n\n"
        await asyncio.sleep(live.settings.poll_s)
        quiet += live.settings.poll_s


@router.get("/runs")
def training_runs(
    caller: Operator, live: Warm, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> list[schemas.TrainingRun]:
    """What was run, newest first (operators)."""
    del caller
    with live.store.read() as tx:
        return [schemas.TrainingRun(**run) for run in training.runs(tx, limit=limit)]


@router.post("/run", status_code=202)
def run_training(body: schemas.Because, caller: Operator, live: Warm) -> schemas.Requested:
    """Ask for a training now, paused or not (operators)."""
    with live.store.write() as tx:
        training.ask(tx, actor=caller.actor, reason=body.reason, now=time.time())
    return schemas.Requested()


@router.post("/cancel", status_code=202)
def cancel_training(body: schemas.Because, caller: Operator, live: Warm) -> schemas.Requested:
    """End the run under way; its answers wait for the next one (operators)."""
    with live.store.write() as tx:
        training.cancel(tx, actor=caller.actor, reason=body.reason, now=time.time())
    return schemas.Requested()


@router.post("/pause", status_code=202)
def pause_training(body: schemas.Because, caller: Operator, live: Warm) -> schemas.Requested:
    """Begin no training by itself until resumed (operators)."""
    with live.store.write() as tx:
        training.pause(tx, actor=caller.actor, reason=body.reason, now=time.time())
    return schemas.Requested()


@router.post("/resume", status_code=202)
def resume_training(body: schemas.Because, caller: Operator, live: Warm) -> schemas.Requested:
    """Train by itself again (operators)."""
    with live.store.write() as tx:
        training.resume(tx, actor=caller.actor, reason=body.reason, now=time.time())
    return schemas.Requested()
