"""The models over HTTP, for operators: look, compare, decide which serves, carry elsewhere."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from studysmart import registry
from studysmart.errors import BadInput, TooMany
from studysmart.web.access import Operator, Warm
from studysmart.web.guard import BINARY
from studysmart.web.live import Live
from studysmart.web.schemas import Because, Reason

IMPORT = "/api/models/import"
# A comparison shares the interpreter with everybody's requests; the command line takes more.
MOST_COMPARED, HISTORY = 500, 5_000

router = APIRouter(prefix="/api", tags=["models"])
_comparing = threading.Lock()

Version = Annotated[int, Path(ge=1, le=2**31 - 1)]
AVersion = Annotated[int, Query(ge=1, le=2**31 - 1)]


class Model(BaseModel):
    """One version of the model."""

    version: int
    status: Literal["live", "retired", "challenger"] = Field(
        description="a challenger never was live: the gate kept it out, or it was imported"
    )
    source: Literal["trained", "imported"]
    kind: str = Field(description="which model of the bundle answers first")
    samples: int = Field(description="answers that it was fitted and judged on")
    published_at: datetime
    has_data: bool = Field(description="false: only the facts of it are still kept")
    metrics: dict[str, Any]
    pinned: bool
    fault: str | None = Field(description="why it must not be served; null when it may")


class Run(BaseModel):
    """The training that made a version."""

    run: int
    trigger: str
    owner: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    reason: str
    curve: list[tuple[int, float]]


class ModelInFull(Model):
    """One version with all that is known of it."""

    manifest: dict[str, Any]
    sha256: str
    run: Run | None = Field(description="null for an imported version")


class Contender(BaseModel):
    """One of two versions that are compared."""

    version: int
    kind: str
    source: Literal["trained", "imported"]
    scores: dict[str, float]
    fitted_on: int = Field(description="of the compared answers, how many it was fitted on")


class Baseline(BaseModel):
    """The prior, fitted on the answers before the compared ones."""

    kind: Literal["prior"]
    scores: dict[str, float]
    fitted_on: int
    samples: int


class Difference(BaseModel):
    """Mean loss of b less that of a, and its 95 % interval; below zero b is better."""

    mean: float | None
    low: float | None
    high: float | None


class Comparison(BaseModel):
    """Two versions on the same newest answers."""

    a: Contender
    b: Contender
    prior: Baseline
    answers: int
    learners: int
    unseen: int = Field(description="answers here that neither a nor b was fitted on")
    differences: dict[Literal["log_loss", "time_loss", "joint"], Difference]
    clustered: bool = Field(description="intervals go by learner; false: there are too few")
    sentence: str


class Serving(BaseModel):
    """What an operator's act came to."""

    version: int = Field(description="the version that was acted on")
    live_version: int | None
    pinned_version: int | None


class Imported(BaseModel):
    """A version that was taken in, as a challenger."""

    version: int
    new: bool = Field(description="false: these bytes were known already")


class Act(BaseModel):
    """Something that an operator did."""

    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    details: dict[str, Any]


@router.get("/models")
def list_models(caller: Operator, live: Warm) -> list[Model]:
    """All versions, newest first (operators)."""
    del caller
    with live.store.read() as tx:
        return [Model(**one) for one in registry.listed(tx)]


@router.get("/models/compare")
def compare_models(
    caller: Operator,
    live: Warm,
    a: AVersion,
    b: AVersion,
    answers: Annotated[int, Query(ge=1, le=MOST_COMPARED)] = MOST_COMPARED,
) -> Comparison:
    """Judge two versions, and the prior, on the same newest answers (operators)."""
    del caller
    if not _comparing.acquire(blocking=False):
        msg = "another comparison is under way; try again in a moment"
        raise TooMany(msg, retry_after_s=2)
    try:
        with live.store.read() as tx:
            material = registry.gather(tx, a, b, answers=answers, history=HISTORY)
        return Comparison.model_validate(registry.compare(material))
    finally:
        _comparing.release()


@router.get("/models/{version}")
def get_model(version: Version, caller: Operator, live: Warm) -> ModelInFull:
    """One version with its manifest and its run (operators)."""
    del caller
    with live.store.read() as tx:
        return ModelInFull.model_validate(registry.shown(tx, version))


@router.post("/models/{version}/promote")
def promote_model(version: Version, body: Because, caller: Operator, live: Warm) -> Serving:
    """Make a version live (operators)."""
    with live.store.write() as tx:
        registry.promote(tx, version, actor=caller.actor, reason=body.reason, now=time.time())
    return _now(live, version)


@router.post("/models/rollback")
def roll_back_model(body: Because, caller: Operator, live: Warm) -> Serving:
    """Go back to the version that was live before, past damaged ones (operators)."""
    with live.store.write() as tx:
        version = registry.rollback(tx, actor=caller.actor, reason=body.reason, now=time.time())
    return _now(live, version)


@router.post("/models/{version}/pin")
def pin_model(version: Version, body: Because, caller: Operator, live: Warm) -> Serving:
    """Let a version serve whatever training brings (operators)."""
    with live.store.write() as tx:
        registry.pin(tx, version, actor=caller.actor, reason=body.reason, now=time.time())
    return _now(live, version)


@router.post("/models/unpin")
def unpin_model(body: Because, caller: Operator, live: Warm) -> Serving:
    """Let the next better model go live by itself again (operators)."""
    with live.store.write() as tx:
        version = registry.unpin(tx, actor=caller.actor, reason=body.reason, now=time.time())
    return _now(live, version)


@router.get(
    "/models/{version}/export",
    response_class=Response,
    responses={200: {"content": {BINARY: {}}}},
)
def export_model(version: Version, caller: Operator, live: Warm) -> Response:
    """The bytes of a version as they are stored (operators)."""
    del caller
    with live.store.read() as tx:
        data = registry.exported(tx, version)
    name = f'attachment; filename="studysmart-model-{version}.bin"'
    return Response(data, media_type=BINARY, headers={"content-disposition": name})


@router.post(
    IMPORT.removeprefix("/api"),
    openapi_extra={"requestBody": {"required": True, "content": {BINARY: {
        "schema": {"type": "string", "format": "binary"}}}}},
)  # fmt: skip
async def import_model(
    request: Request, reason: Annotated[Reason, Query()], caller: Operator, live: Warm
) -> Imported:
    """Take exported bytes in as a challenger, after all of them were verified (operators)."""
    # Read here and not by the framework, which would read before it knows who asks.
    try:
        data = await request.body()
    except ClientDisconnect as error:
        msg = "the body ended early, or is larger than a model may be"
        raise BadInput(msg) from error
    version, new = await run_in_threadpool(_take_in, live, data, caller.actor, reason)
    return Imported(version=version, new=new)


@router.get("/audit", tags=["audit"])
def get_audit(
    caller: Operator, live: Warm, limit: Annotated[int, Query(ge=1, le=1_000)] = 100
) -> list[Act]:
    """What operators did, and why, newest first (operators)."""
    del caller
    with live.store.read() as tx:
        return [Act(**act) for act in registry.acts(tx, limit=limit)]


def _take_in(live: Live, data: bytes, actor: str, reason: str) -> tuple[int, bool]:
    candidate = registry.read(data)
    with live.store.write() as tx:
        return registry.take_in(tx, candidate, actor=actor, reason=reason, now=time.time())


def _now(live: Live, version: int) -> Serving:
    with live.store.read() as tx:
        return Serving(version=version, **registry.serving(tx))
