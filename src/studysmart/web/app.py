"""The HTTP application: routes, errors as `Problem`, the page.

Every route names who may use it through a dependency of `access`: `Anyone`, `Signed` or `Operator`;
a test walks the route table and fails for a route that names none.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from studysmart import (
    __version__,
    accounts,
    content,
    defaults,
    errors,
    forecasting,
    insights,
    practice,
)
from studysmart.accounts import Caller
from studysmart.learning.engine import LARGEST_BYTES
from studysmart.settings import Settings
from studysmart.store import Row, Store, jobs, learners
from studysmart.web import (
    experiments_api,
    quality_api,
    registry_api,
    schemas,
    training_api,
    tuning_api,
)
from studysmart.web.access import COOKIE, Anyone, Signed, Warm, cookie_of
from studysmart.web.guard import Guard
from studysmart.web.live import Live

STATIC = Path(__file__).parent / "static"

STATUS = {
    errors.ArtefactRejected: 422,
    errors.BadInput: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.NotSignedIn: 401,
    errors.NotAllowed: 403,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}

log = structlog.get_logger("web")

PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": schemas.Problem}
    for code in (400, 401, 403, 404, 409, 413, 415, 421, 422, 429, 503)
}
api = APIRouter(prefix="/api", responses=PROBLEMS)


@api.get("", dependencies=[Anyone], tags=["system"])
def welcome() -> schemas.Welcome:
    """Say hello."""
    return schemas.Welcome(
        message="Welcome to StudySmart AI API", version=__version__, docs="/api/docs"
    )


@api.get("/livez", dependencies=[Anyone], tags=["system"])
def livez() -> schemas.Liveness:
    """Whether the process answers."""
    return schemas.Liveness()


@api.get("/readyz", dependencies=[Anyone], tags=["system"])
def readyz(live: Warm, response: Response) -> schemas.Readiness:
    """Whether everything works: database, disk, model, worker. 503 when answers cannot be kept."""
    checks = _checks(live)
    vital = all(check.ok for check in checks if check.name in {"database", "disk"})
    if not vital:
        response.status_code = 503
        status = "not_ready"
    else:
        status = "ready" if all(check.ok for check in checks) else "degraded"
    return schemas.Readiness(status=status, checks=checks)


def _checks(live: Live) -> list[schemas.Check]:
    now = time.time()
    try:
        with live.store.write() as tx:  # the lock, and room for a page in the log
            alive = bool(jobs.workers(tx, since=now - defaults.WORKER_SILENT_S))
        database = schemas.Check(name="database", ok=True, detail="takes answers")
    except errors.Unavailable as error:
        alive = False
        database = schemas.Check(name="database", ok=False, detail=str(error))
    free = shutil.disk_usage(live.settings.data_dir).free
    version = live.forecaster.version
    serving = f"version {version} serves" if version else "none published yet: the prior serves"
    return [
        database,
        schemas.Check(name="disk", ok=free > 50 * 2**20, detail=f"{free // 2**20} MiB free"),
        schemas.Check(
            name="model", ok=live.model_fault is None, detail=live.model_fault or serving
        ),
        schemas.Check(
            name="worker",
            ok=alive,
            detail="beats" if alive else "silent: no training until it is back",
        ),
    ]


# -- accounts --


@api.post("/auth/register", status_code=201, dependencies=[Anyone], tags=["accounts"])
def register(body: schemas.Registration, live: Warm, response: Response) -> schemas.Me:
    """Open an account and sign in.

    The first one is the operator's and takes over what was practised.
    """
    accounts.check_password(body.password, email=body.email, name=body.name)
    hashed = accounts.hash_password(body.password)
    now = time.time()
    with live.store.write() as tx:
        caller = accounts.register(
            tx, email=body.email, name=body.name, password_hash=hashed, now=now
        )
        token = accounts.open_login(tx, _account(caller), kind="cookie", name="browser", now=now)
    _set_cookie(response, token, live.settings)
    return _me(caller)


@api.post("/auth/login", dependencies=[Anyone], tags=["accounts"])
def login(body: schemas.Credentials, live: Warm, response: Response) -> schemas.Me:
    """Sign in; sets the session cookie."""
    now = time.time()
    with live.store.read() as tx:
        accounts.check_guesses(tx, body.email, now=now)
        account = accounts.find(tx, body.email)
    right, new_hash = accounts.verify(account, body.password)
    with live.store.write() as tx:
        if account is not None and right:
            caller, token = accounts.sign_in(
                tx, email=body.email, account=account, new_hash=new_hash, now=now
            )
        else:
            accounts.wrong_guess(tx, body.email, now=now)
            caller = None
    if caller is None:
        msg = "the e-mail address or the password is wrong"
        raise errors.NotSignedIn(msg, code="wrong_credentials")
    _set_cookie(response, token, live.settings)
    return _me(caller)


@api.post("/auth/logout", status_code=204, dependencies=[Anyone], tags=["accounts"])
def logout(
    live: Warm, response: Response, cookie: Annotated[str | None, Depends(cookie_of)]
) -> None:
    """Sign out; the session ends on the server too."""
    if cookie:
        with live.store.write() as tx:
            accounts.sign_out(tx, cookie)
    response.delete_cookie(COOKIE, path="/")


@api.get("/auth/me", tags=["accounts"])
def me(caller: Signed) -> schemas.Me:
    """Who is asking."""
    return _me(caller)


@api.post("/auth/tokens", status_code=201, tags=["accounts"])
def make_token(body: schemas.TokenRequest, caller: Signed, live: Warm) -> schemas.Token:
    """A bearer token for a program, valid for a year. Shown this once."""
    if caller.account_id is None:
        msg = "a token belongs to an account; register one first"
        raise errors.Conflict(msg, code="no_account")
    now = time.time()
    with live.store.write() as tx:
        token = accounts.open_login(tx, caller.account_id, kind="token", name=body.name, now=now)
    return schemas.Token(
        token=token, name=body.name, expires_at=_utc(now + accounts.TOKEN_DAYS * 86_400)
    )


def _account(caller: Caller) -> UUID:
    if caller.account_id is None:  # only the local learner has none
        msg = "register an account first"
        raise errors.NotSignedIn(msg)
    return caller.account_id


def _me(caller: Caller) -> schemas.Me:
    return schemas.Me(
        learner_id=caller.learner_id,
        name=caller.name,
        email=caller.email,
        role=caller.role,
        local=caller.local,
    )


def _set_cookie(response: Response, token: str, settings: Settings) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=accounts.COOKIE_DAYS * 86_400,
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings.secure_cookies,
    )


# -- practice --


@api.get("/topics", dependencies=[Anyone], tags=["practice"])
def topics() -> schemas.Topics:
    """Everything the bank has tasks for."""
    return schemas.Topics(
        topics=[
            schemas.Topic(
                subject=topic.subject,
                topic=topic.topic,
                skills=[skill.title for skill in topic.skills],
                difficulties=list(content.BANDS),
            )
            for topic in content.topics()
        ]
    )


@api.post("/practice-tasks", status_code=201, tags=["practice"])
def create_task(body: schemas.TaskRequest, caller: Signed, live: Warm) -> schemas.Task:
    """Draw a task, or bring your own text. Any topic and any difficulty get a forecast."""
    own = None
    if body.task_content and body.task_content.strip():
        own = practice.OwnTask(
            body.task_content, body.solution_content or "", body.answer_content or ""
        )
    with live.store.write() as tx:
        task_id = practice.draw(
            tx,
            caller.learner_id,
            live.forecaster,
            subject=body.subject,
            topic=body.topic,
            difficulty=body.difficulty,
            seed=body.seed,
            own=own,
            now=time.time(),
        )
        return _task(practice.get(tx, caller.learner_id, task_id))


@api.get("/practice-tasks", tags=["practice"])
def list_tasks(
    caller: Signed,
    live: Warm,
    subject: str | None = None,
    topic: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[schemas.Task]:
    """The caller's tasks, newest first."""
    with live.store.read() as tx:
        rows = practice.newest(tx, caller.learner_id, subject=subject, topic=topic, limit=limit)
        return [_task(row) for row in rows]


@api.get("/practice-tasks/subject/{subject}/latest", tags=["practice"])
def latest_task(
    subject: Annotated[str, InPath(max_length=200)], caller: Signed, live: Warm
) -> schemas.Task:
    """The caller's newest task of a subject."""
    with live.store.read() as tx:
        rows = practice.newest(tx, caller.learner_id, subject=subject, topic=None, limit=1)
        if not rows:
            msg = f"no task of the subject '{subject}' yet"
            raise errors.NotFound(msg)
        return _task(rows[0])


@api.get("/practice-tasks/{task_id}", tags=["practice"])
def get_task(task_id: UUID, caller: Signed, live: Warm) -> schemas.Task:
    """One of the caller's tasks."""
    with live.store.read() as tx:
        return _task(practice.get(tx, caller.learner_id, task_id))


@api.delete("/practice-tasks/{task_id}", status_code=204, tags=["practice"])
def delete_task(task_id: UUID, caller: Signed, live: Warm) -> None:
    """Remove a task; its answer no longer counts."""
    with live.store.write() as tx:
        practice.delete(tx, caller.learner_id, task_id, now=time.time())


@api.post("/practice-tasks/{task_id}/reveal", tags=["practice"])
def reveal_task(task_id: UUID, caller: Signed, live: Warm) -> schemas.Task:
    """Show the solution. It is recorded: a right answer after it does not count."""
    with live.store.write() as tx:
        return _task(practice.reveal(tx, caller.learner_id, task_id, now=time.time()))


@api.post("/practice-tasks/{task_id}/attempts", tags=["practice"])
def attempt_task(
    task_id: UUID, body: schemas.AttemptRequest, caller: Signed, live: Warm
) -> schemas.Receipt:
    """Hand in an answer. Sending the same attempt again is harmless and gets the same receipt."""
    with live.store.write() as tx:
        receipt = practice.submit(
            tx,
            caller.learner_id,
            task_id,
            live.forecaster,
            attempt_id=body.id,
            answer=body.answer,
            response_time_s=body.response_time_s,
            now=time.time(),
        )
    return _receipt(receipt)


@api.patch("/practice-tasks/{task_id}", tags=["practice"])
def mark_task(task_id: UUID, body: schemas.SelfMark, caller: Signed, live: Warm) -> schemas.Receipt:
    """Complete a task by the learner's own verdict."""
    with live.store.write() as tx:
        receipt = practice.mark(
            tx,
            caller.learner_id,
            task_id,
            live.forecaster,
            is_correct=body.is_correct,
            response_time_s=body.actual_time_seconds,
            now=time.time(),
        )
    return _receipt(receipt)


@api.post("/predict", tags=["practice"])
def predict(body: schemas.PredictRequest, caller: Signed, live: Warm) -> schemas.PredictResponse:
    """Forecasts for the caller, up to 1,000 in one call; every field may be unknown."""
    items = [
        forecasting.item(item=None, skill=ask.skill, topic=ask.topic, difficulty=ask.difficulty)
        for ask in body.items
    ]
    with live.store.read() as tx:
        forecasts = live.forecaster.forecast(tx, caller.learner_id, items, at=time.time())
    return schemas.PredictResponse(
        forecasts=[
            schemas.Prediction(
                **forecast.to_json(),
                predicted_correct=forecast.said.p_correct,
                predicted_time_seconds=forecast.said.time_median_s,
            )
            for forecast in forecasts
        ]
    )


def _task(row: Row[Any]) -> schemas.Task:
    completed = row.attempt_is_correct is not None
    shown = completed or row.revealed_at is not None
    return schemas.Task(
        id=row.id,
        subject=row.subject,
        topic=row.topic,
        skill=row.skill,
        difficulty=row.difficulty,
        grading=row.grading,
        task_content=row.task_content,
        options=row.options,
        unit=row.unit,
        hints=row.hints,
        created_at=_utc(row.created_at),
        status="completed" if completed else "revealed" if shown else "open",
        forecast=schemas.Forecast(**row.forecast),
        predicted_correct=row.p_correct,
        predicted_time_seconds=row.forecast["time_median_s"],
        model_version=row.model_version,
        is_correct=row.attempt_is_correct,
        actual_time_seconds=row.attempt_response_time_s,
        completed_at=_utc(row.attempt_received_at) if completed else None,
        answer=row.attempt_answer,
        solution_content=row.solution_content if shown else None,
        answer_content=row.answer_content if shown else None,
        notice=row.notice,
    )


def _receipt(receipt: dict[str, Any]) -> schemas.Receipt:
    at = receipt.get("completed_at")
    return schemas.Receipt(**receipt | {"completed_at": None if at is None else _utc(at)})


# -- insights, preferences --


@api.get("/insights", tags=["insights"])
def get_insights(caller: Signed, live: Warm) -> schemas.Insights:
    """Accuracy, time and forecast against reality for the caller."""
    with live.store.read() as tx:
        figures = insights.of_learner(tx, caller.learner_id, live.forecaster, now=time.time())
    return schemas.Insights.model_validate(figures)


@api.get("/preferences", tags=["insights"])
def get_preferences(caller: Signed, live: Warm) -> schemas.Preferences:
    """The caller's own settings."""
    with live.store.read() as tx:
        row = learners.get(tx, caller.learner_id)
    return schemas.Preferences(**(row.preferences if row else {}))


@api.put("/preferences", tags=["insights"])
def put_preferences(body: schemas.Preferences, caller: Signed, live: Warm) -> schemas.Preferences:
    """Replace the caller's own settings."""
    with live.store.write() as tx:
        learners.set_preferences(tx, caller.learner_id, body.model_dump())
    return body


def _utc(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


# -- the application --


def create_app(store: Store, settings: Settings) -> FastAPI:
    """The application over a migrated store."""
    live = Live(store, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        live.start()
        yield
        live.stop()

    app = FastAPI(
        title="StudySmart",
        version=__version__,
        description="Adaptive practice with forecasts of P(correct) and time.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.live = live
    app.include_router(api)
    app.include_router(training_api.router, responses=PROBLEMS)
    app.include_router(registry_api.router, responses=PROBLEMS)
    app.include_router(quality_api.router, responses=PROBLEMS)
    app.include_router(experiments_api.router, responses=PROBLEMS)
    app.include_router(tuning_api.router, responses=PROBLEMS)
    _pages(app)
    app.add_exception_handler(errors.StudySmartError, _on_own_error)
    app.add_exception_handler(RequestValidationError, _on_bad_body)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_surprise)
    app.add_middleware(
        Guard,
        hosts=frozenset({settings.host, *settings.allowed_hosts}) - {"0.0.0.0", "::"},  # noqa: S104
        secure=settings.secure_cookies,
        files={registry_api.IMPORT: LARGEST_BYTES},
    )
    return app


class _Assets(StaticFiles):
    """Built files: their names change with their content, so a browser need never ask again."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def _pages(app: FastAPI) -> None:
    @app.get("/api/docs", include_in_schema=False, dependencies=[Anyone])
    def docs() -> HTMLResponse:
        from studysmart.web.api_docs import page

        return HTMLResponse(page(app.openapi()))

    built = STATIC / "index.html"
    if not built.exists():

        @app.get("/{path:path}", include_in_schema=False, dependencies=[Anyone])
        def not_built(path: str) -> HTMLResponse:
            if path.startswith("api/"):
                raise HTTPException(404)
            return HTMLResponse(
                "<h1>StudySmart</h1><p>The page is not built. <code>make run</code> builds it; "
                "the API is at <a href='/api/docs'>/api/docs</a>.</p>",
                status_code=503,
            )

        return

    app.mount("/assets", GZipMiddleware(_Assets(directory=STATIC / "assets")), name="assets")

    @app.get("/", include_in_schema=False, dependencies=[Anyone])
    def root() -> RedirectResponse:
        return RedirectResponse("/dashboard")

    @app.get("/dashboard", include_in_schema=False, dependencies=[Anyone])
    @app.get("/dashboard/{path:path}", include_in_schema=False, dependencies=[Anyone])
    def page(path: str = "") -> FileResponse:
        del path  # the page has its own router
        return FileResponse(built, headers={"cache-control": "no-cache"})

    names = {file.name for file in STATIC.iterdir() if file.is_file()} - {"index.html"}

    @app.get("/{name}", include_in_schema=False, dependencies=[Anyone])
    def file(name: str) -> FileResponse:
        if name not in names:
            raise HTTPException(404)
        return FileResponse(STATIC / name)


def _problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    faults: list[dict[str, Any]] | None = None,
) -> JSONResponse:
    body = schemas.Problem(
        detail=detail,
        code=code,
        request_id=getattr(request.state, "request_id", ""),
        errors=faults or [],
    )
    return JSONResponse(body.model_dump(), status_code=status)


def _on_own_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, errors.StudySmartError):
        raise error
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    response = _problem(request, status, error.code, str(error))
    if isinstance(error, errors.TooMany):
        response.headers["retry-after"] = str(error.retry_after_s)
    if isinstance(error, errors.Unavailable):
        log.warning("unavailable", reason=str(error))
        response.headers["retry-after"] = "1"
    if isinstance(error, errors.NotSignedIn):
        response.headers["www-authenticate"] = "Bearer"
    return response


def _on_bad_body(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [
        {"field": ".".join(str(part) for part in fault["loc"][1:]), "message": fault["msg"]}
        for fault in error.errors()
    ]
    detail = "; ".join(f"{f['field'] or 'body'}: {f['message']}" for f in faults)
    return _problem(request, 422, "invalid_request", detail, faults)


def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    response = _problem(request, error.status_code, code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


def _on_surprise(request: Request, error: Exception) -> JSONResponse:
    log.error("surprise", id=request.state.request_id, path=request.url.path, exc_info=error)
    return _problem(
        request, 500, "internal_error", "something went wrong here; the log has it under this id"
    )
