"""What goes over the wire: request and response bodies of the HTTP API.

Fields ending in `_s` are seconds, `_at` are UTC times (ISO 8601), `p_` probabilities in 0..1.
`predicted_correct`, `predicted_time_seconds`, `task_content` and their like keep the names of the
system that this one replaces, so that its clients go on working.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints


def _without_nul(value: object) -> object:
    """Nobody types a NUL, and PostgreSQL cannot keep one."""
    return value.replace("\0", "") if isinstance(value, str) else value


Typed = BeforeValidator(_without_nul)
Label = Annotated[
    str, Typed, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)
]
Text = Annotated[str, Typed, StringConstraints(max_length=20_000)]


class Body(BaseModel):
    """A request body: a field nobody knows is a mistake worth telling the caller about."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Welcome(BaseModel):
    """The answer to `GET /api`."""

    message: str
    version: str
    docs: str


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Check(BaseModel):
    """One line of the readiness list."""

    name: str
    ok: bool
    detail: str


class Readiness(BaseModel):
    """Whether the whole system can do its job, line by line."""

    status: Literal["ready", "degraded", "not_ready"]
    checks: list[Check]


class Problem(BaseModel):
    """Every error has this shape."""

    detail: str
    code: str
    request_id: str
    errors: list[dict[str, Any]] = Field(default_factory=list)


class Registration(Body):
    """A new account."""

    email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)]
    password: Annotated[str, StringConstraints(max_length=1024)]
    name: Label


class Credentials(Body):
    """What a person signs in with."""

    email: Annotated[str, StringConstraints(strip_whitespace=True, max_length=254)]
    password: Annotated[str, StringConstraints(max_length=1024)]


class Me(BaseModel):
    """Who is asking. `email` is null for the one local learner of a system without accounts."""

    learner_id: UUID
    name: str
    email: str | None
    role: Literal["learner", "operator"]
    local: bool = Field(description="true while the system has no account and acts for one person")


class TokenRequest(Body):
    """A bearer token for a program."""

    name: Label = "token"


class Token(BaseModel):
    """The token, shown this once."""

    token: str
    name: str
    expires_at: datetime


class Forecast(BaseModel):
    """P(correct) and the time of one task, before it is answered."""

    p_correct: float = Field(ge=0, le=1)
    time_median_s: float
    time_low_s: float = Field(description="80 % interval of the time, lower end")
    time_high_s: float = Field(description="80 % interval of the time, upper end")
    model: Literal["attention", "sequence", "lnirt", "prior", "constant"]
    model_version: int | None = Field(description="null before the first model is published")
    reason: str = Field(description="why this model answered, in one sentence")
    answers: int = Field(description="answers of this learner that the forecast rests on")
    samples: int = Field(description="answers of all learners that the model was fitted on")


class TaskRequest(Body):
    """Draw a task, or bring one's own when `task_content` is given. Any text is a topic."""

    subject: Label | None = None
    topic: Label | None = None
    difficulty: Label | None = None
    seed: int | None = Field(default=None, ge=0, lt=2**53)
    task_content: Text | None = None
    solution_content: Text | None = None
    answer_content: Text | None = None


class Receipt(BaseModel):
    """What became of one attempt. The same attempt sent again gets the same receipt."""

    id: UUID
    task_id: UUID
    verdict: Literal["correct", "incorrect", "invalid"]
    is_correct: bool | None = Field(description="null when the answer could not be read")
    message: str = Field(description="one sentence for the learner")
    understood: str | None = Field(default=None, description="how the answer was read, LaTeX")
    recorded: bool = Field(description="false for an unreadable answer: nothing was counted")
    counts: bool = Field(description="whether the models learn from it")
    answer_content: str | None = None
    solution_content: str | None = None
    response_time_s: float | None = None
    forecast_before: Forecast | None = None
    forecast_after: Forecast | None = Field(
        default=None, description="the forecast for a task like this one, after this answer"
    )
    completed_at: datetime | None = None


class Task(BaseModel):
    """A task given to a learner, with the forecast it was given with.

    `solution_content`, `answer_content` and `hints_text` stay null until the task is answered or
    revealed.
    """

    id: UUID
    subject: str
    topic: str
    skill: str | None
    difficulty: str
    grading: Literal["numeric", "choice", "self"]
    task_content: str = Field(description="Markdown with LaTeX between $ signs")
    options: list[str] | None = Field(default=None, description="choices, in the order shown")
    unit: str | None = None
    hints: list[str] = Field(default_factory=list)
    created_at: datetime
    status: Literal["open", "revealed", "completed"]
    forecast: Forecast
    predicted_correct: float
    predicted_time_seconds: float
    model_version: int | None
    is_correct: bool | None = None
    actual_time_seconds: float | None = None
    completed_at: datetime | None = None
    answer: str | None = Field(default=None, description="what the learner answered")
    solution_content: str | None = None
    answer_content: str | None = None
    notice: str | None = Field(
        default=None, description="what differs from what was asked for, in one sentence"
    )


class AttemptRequest(Body):
    """One submission. `id` is made by the client before it is sent, so a retry is harmless."""

    id: UUID
    answer: Annotated[str, Typed, StringConstraints(max_length=2_000)]
    response_time_s: float = Field(ge=0, description="active seconds, by the client's own clock")


class SelfMark(Body):
    """The learner's own verdict."""

    is_correct: bool
    actual_time_seconds: float = Field(ge=0)


class Ask(Body):
    """Something to forecast; every field may be unknown."""

    subject: Label | None = None
    topic: Label | None = None
    difficulty: Label | None = None
    skill: Label | None = None


class PredictRequest(Body):
    """Up to 1,000 things to forecast for the caller."""

    items: list[Ask] = Field(min_length=1, max_length=1000)


class Prediction(Forecast):
    """One forecast, with the flat names too."""

    predicted_correct: float
    predicted_time_seconds: float


class PredictResponse(BaseModel):
    """Forecasts, in the order asked."""

    forecasts: list[Prediction]


class LiveModel(BaseModel):
    """The model that answers now."""

    version: int
    kind: str
    published_at: datetime
    samples: int
    metrics: dict[str, Any]
    vocabulary: dict[str, int]


class Running(BaseModel):
    """A training under way."""

    run: int
    started_at: datetime
    phase: str
    fraction: float = Field(ge=0, le=1)
    trigger: Literal["due", "asked", "tune"]
    epoch: int | None = None
    loss: float | None = None
    curve: list[tuple[int, float]] = Field(description="loss of the network after each epoch")
    seconds_left: float | None = Field(description="a guess; null while there is no ground for one")


class TrainingResult(BaseModel):
    """How the last finished training ended."""

    run: int
    outcome: Literal["live", "kept_out", "failed", "cancelled", "tried"]
    reason: str
    version: int | None
    samples: int
    started_at: datetime
    ended_at: datetime
    seconds: float
    metrics: dict[str, Any]


class TrainingRun(TrainingResult):
    """A run that ended, or the one under way."""

    trigger: Literal["due", "asked", "tune"]
    owner: str = Field(description="the worker that ran it")
    outcome: Literal["live", "kept_out", "failed", "cancelled", "tried"] | None  # type: ignore[assignment]
    ended_at: datetime | None  # type: ignore[assignment]
    seconds: float | None  # type: ignore[assignment]
    curve: list[tuple[int, float]] = Field(description="loss of the network after each epoch")


class Training(BaseModel):
    """The training counter and all that hangs on it."""

    completed_since_training: int
    threshold: int
    total_completed: int
    last_trained_at: datetime | None
    samples_last_training: int
    running: Running | None
    worker_alive: bool
    paused: bool
    pinned_version: int | None
    live_model: LiveModel | None
    last_result: TrainingResult | None


Reason = Annotated[
    str, Typed, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)
]


class Because(Body):
    """Why an operator does something; kept in the audit."""

    reason: Reason = Field(description="in your words; it is kept")


class Requested(BaseModel):
    """It will be done as soon as the worker looks."""

    requested: bool = True


class Topic(BaseModel):
    """A topic that the bank has tasks for."""

    subject: str
    topic: str
    skills: list[str]
    difficulties: list[str]


class Topics(BaseModel):
    """Everything one can practise."""

    topics: list[Topic]


class TopicInsight(BaseModel):
    """What a learner's answers say about one topic. Every figure comes with its n."""

    subject: str
    topic: str
    answers: int
    correct: int
    timed: int = Field(description="answers with a plausible time")
    median_time_s: float | None
    p_correct_now: float | None = Field(description="forecast for a medium task of it, now")
    last_answered_at: datetime | None


class ReliabilityBin(BaseModel):
    """Forecasts of one band against what happened."""

    low: float
    high: float
    n: int
    forecast: float
    observed: float


class DayCount(BaseModel):
    """Answers given on one UTC day."""

    day: str
    answers: int
    correct: int


class Insights(BaseModel):
    """Accuracy, time and forecast against reality for one learner, from the log alone."""

    answers: int
    correct: int
    forecasts_scored: int
    log_loss: float | None
    expected_correct: float | None = Field(description="sum of the forecasts of scored answers")
    time_coverage_80: float | None = Field(description="share of times inside their interval")
    times_scored: int
    topics: list[TopicInsight]
    reliability: list[ReliabilityBin]
    days: list[DayCount]


class Preferences(BaseModel):
    """A learner's own settings."""

    model_config = ConfigDict(extra="forbid")

    theme: Literal["auto", "light", "dark"] = "auto"
    show_forecast: bool = True
    show_timer: bool = True
