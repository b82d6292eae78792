"""The tables. Constraints carry the invariants; nothing else is trusted to.

Times are Unix seconds (UTC) as floats. `attempt` is append-only: what was answered is copied into
it, so that a row means the same for ever; taking one back is a row in `retraction`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

learner = Table(
    "learner",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("source", String(20), nullable=False),
    Column("external_id", String(200), unique=True),
    Column("preferences", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    CheckConstraint("source IN ('local', 'account', 'import')", name="source"),
)
# Before anybody registers there is one person on this machine, and only one.
Index(
    "uq_learner_local", learner.c.source, unique=True, sqlite_where=text("source = 'local'"),
    postgresql_where=text("source = 'local'"),
)  # fmt: skip

account = Table(
    "account",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("learner_id", ForeignKey("learner.id"), nullable=False, unique=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("password_hash", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("created_at", Float, nullable=False),
    CheckConstraint("role IN ('learner', 'operator')", name="role"),
    CheckConstraint("email = lower(email)", name="email_lower"),
)

login = Table(
    "login",
    metadata,
    # Only the digest: whoever reads the database cannot sign in with what is in it.
    Column("token_sha256", String(64), primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("kind", String(10), nullable=False),
    Column("name", String(200), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("used_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    CheckConstraint("kind IN ('cookie', 'token')", name="kind"),
)

login_failure = Table(
    "login_failure",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", String(254), nullable=False),
    Column("at", Float, nullable=False),
    Index("ix_login_failure_email_at", "email", "at"),
)

task = Table(
    "task",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("learner_id", ForeignKey("learner.id"), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("subject", String(200), nullable=False),
    Column("topic", String(200), nullable=False),
    Column("skill", String(200)),
    Column("difficulty", String(200), nullable=False),
    Column("item", String(200)),
    Column("generator", String(200)),
    Column("generator_version", Integer),
    Column("seed", BigInteger),
    Column("band", String(20)),
    Column("grading", String(20), nullable=False),
    Column("task_content", Text, nullable=False),
    Column("options", JSON),
    Column("unit", String(50)),
    Column("hints", JSON, nullable=False),
    Column("answer", JSON, nullable=False),
    Column("answer_content", Text, nullable=False),
    Column("solution_content", Text, nullable=False),
    Column("notice", Text),
    Column("forecast", JSON, nullable=False),
    Column("p_correct", Float, nullable=False),
    Column("log_time_mean", Float, nullable=False),
    Column("log_time_sd", Float, nullable=False),
    Column("model", String(20), nullable=False),
    Column("model_version", ForeignKey("model_version.version")),
    # In an experiment: whose forecast was shown, and what the other arms would have said.
    Column("experiment_id", ForeignKey("experiment.id")),
    Column("arm", String(50)),
    Column("shadows", JSON),
    Column("revealed_at", Float),
    Column("deleted_at", Float),
    CheckConstraint("grading IN ('numeric', 'choice', 'self')", name="grading"),
    CheckConstraint("p_correct BETWEEN 0 AND 1", name="p_correct"),
    CheckConstraint("log_time_sd > 0", name="log_time_sd"),
    CheckConstraint("(experiment_id IS NULL) = (arm IS NULL)", name="arm"),
    Index("ix_task_learner_created", "learner_id", "created_at"),
)

attempt = Table(
    "attempt",
    metadata,
    # The order of arrival: what training, replay and the training counter go by.
    Column("seq", Integer, primary_key=True),
    # Made by the client before it sends: a retry finds the first receipt.
    Column("id", Uuid, nullable=False, unique=True),
    Column("learner_id", ForeignKey("learner.id"), nullable=False),
    # One answer completes a task; null for answers from an imported log.
    Column("task_id", ForeignKey("task.id"), unique=True),
    Column("source", String(10), nullable=False),
    Column("subject", String(200)),
    Column("topic", String(200)),
    Column("skill", String(200)),
    Column("difficulty", String(200)),
    Column("item", String(200)),
    Column("answer", Text),
    Column("is_correct", Boolean(create_constraint=True, name="is_correct"), nullable=False),
    Column("self_marked", Boolean(create_constraint=True, name="self_marked"), nullable=False),
    Column("response_time_s", Float),
    # An impossible time is kept as it was sent, and not fitted.
    Column(
        "time_plausible", Boolean(create_constraint=True, name="time_plausible"), nullable=False
    ),
    # False: right only after the solution was seen; the models do not learn from it.
    Column("counts", Boolean(create_constraint=True, name="counts"), nullable=False),
    Column("answered_at", Float),
    Column("received_at", Float, nullable=False),
    Column("body_sha256", String(64), nullable=False),
    Column("receipt", JSON),
    CheckConstraint("source IN ('task', 'import')", name="source"),
    CheckConstraint("response_time_s >= 0", name="response_time_s"),
    CheckConstraint("(source = 'task') = (task_id IS NOT NULL)", name="task_or_import"),
    Index("ix_attempt_learner_seq", "learner_id", "seq"),
    sqlite_autoincrement=True,  # a number is never given twice, even after an erasure
)

retraction = Table(
    "retraction",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("attempt_seq", ForeignKey("attempt.seq"), nullable=False, unique=True),
    Column("learner_id", ForeignKey("learner.id"), nullable=False, index=True),
    Column("reason", String(20), nullable=False),
    Column("at", Float, nullable=False),
    CheckConstraint("reason IN ('task_deleted')", name="reason"),
    sqlite_autoincrement=True,
)

model_version = Table(
    "model_version",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("status", String(10), nullable=False),
    Column("source", String(10), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("samples", Integer, nullable=False),
    Column("manifest", JSON, nullable=False),
    Column("metrics", JSON, nullable=False),
    # Old versions keep their facts (tasks point at them) and lose their bytes.
    Column("data", LargeBinary),
    Column("sha256", String(64), nullable=False),
    Column("published_at", Float, nullable=False),
    # Counts up whenever a version goes live: the way back. Null for one that never was live, and
    # for one that somebody went back from.
    Column("live_seq", Integer),
    # A challenger was kept out by the gate; an operator may look at it, and promote it.
    CheckConstraint("status IN ('live', 'retired', 'challenger')", name="status"),
    CheckConstraint("source IN ('trained', 'imported')", name="source"),
    CheckConstraint("status <> 'live' OR data IS NOT NULL", name="live_data"),
    CheckConstraint("status <> 'live' OR live_seq IS NOT NULL", name="live_seq"),
    sqlite_autoincrement=True,
)
Index(
    "uq_model_version_live", model_version.c.status, unique=True,
    sqlite_where=text("status = 'live'"), postgresql_where=text("status = 'live'"),
)  # fmt: skip

training_run = Table(
    "training_run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("trigger", String(10), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("outcome", String(10)),
    Column("reason", Text),
    Column("samples", Integer, nullable=False),
    Column("metrics", JSON, nullable=False),
    # [[epoch, loss], ...] of the network that was trained.
    Column("curve", JSON, nullable=False),
    # The version that this run made, live or challenger.
    Column("version", ForeignKey("model_version.version")),
    CheckConstraint(
        "outcome IN ('live', 'kept_out', 'failed', 'cancelled', 'tried')", name="outcome"
    ),
    CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ended"),
    CheckConstraint("outcome <> 'live' OR version IS NOT NULL", name="version"),
    CheckConstraint("trigger IN ('due', 'asked', 'tune')", name="trigger"),
    sqlite_autoincrement=True,
)

# One row: at most one training at a time. Whoever holds the job writes its fencing number with
# every change; a holder that was replaced has an older number and changes nothing. `beat` counts up
# while the holder lives: another worker that saw it stand still for a whole lease, by a clock that
# never jumps, takes over.
training_job = Table(
    "training_job",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("fence", Integer, nullable=False),
    Column("owner", String(200)),
    Column("beat", Integer, nullable=False),
    Column("run_id", ForeignKey("training_run.id")),
    Column("claimed_seq", Integer),
    Column("covered_seq", Integer, nullable=False),
    Column("asked_at", Float),
    Column("cancel_asked_at", Float),
    Column("paused_at", Float),
    # While set, this version serves whatever training brings.
    Column("pinned_version", ForeignKey("model_version.version")),
    Column("failures", Integer, nullable=False),
    Column("not_before", Float, nullable=False),
    Column("progress", JSON),
    CheckConstraint("id = 1", name="one_row"),
    CheckConstraint("(owner IS NULL) = (run_id IS NULL)", name="run"),
)

worker = Table(
    "worker",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("beat_at", Float, nullable=False),
)

# What was forecast beside what happened, for every forecast that was shown and, in an experiment,
# for those that were not. `arm` is '' outside experiments.
forecast_score = Table(
    "forecast_score",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("attempt_seq", ForeignKey("attempt.seq"), nullable=False),
    Column("learner_id", ForeignKey("learner.id"), nullable=False),
    Column("shown", Boolean(create_constraint=True, name="shown"), nullable=False),
    Column("experiment_id", ForeignKey("experiment.id")),
    Column("arm", String(50), nullable=False),
    Column("model", String(20), nullable=False),
    Column("model_version", ForeignKey("model_version.version")),
    Column("subject", String(200)),
    Column("topic", String(200)),
    # Answers of the learner that the forecast rested on.
    Column("known", Integer, nullable=False),
    Column("is_correct", Boolean(create_constraint=True, name="is_correct"), nullable=False),
    Column("p_correct", Float, nullable=False),
    # Null where the time was impossible, or not measured.
    Column("log_time", Float),
    Column("log_time_mean", Float, nullable=False),
    Column("log_time_sd", Float, nullable=False),
    Column("at", Float, nullable=False),
    Index("uq_forecast_score_attempt_arm", "attempt_seq", "arm", unique=True),
    Index("ix_forecast_score_at", "at"),
    Index("ix_forecast_score_experiment", "experiment_id", "at"),
    sqlite_autoincrement=True,
)

# The stop rule is part of the row from the start; changing it afterwards would void the intervals.
experiment = Table(
    "experiment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    # [{"name": ..., "kind": ..., "version": ... or null}, ...]; null: whatever is live.
    Column("arms", JSON, nullable=False),
    Column("metric", String(20), nullable=False),
    Column("plan", JSON, nullable=False),
    Column("salt", String(64), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("stopped_at", Float),
    Column("result", JSON),
    CheckConstraint("metric IN ('log_loss', 'time_loss', 'joint')", name="metric"),
    sqlite_autoincrement=True,
)

# Networks with other settings than the built-in ones; every training fits the active ones too.
configuration = Table(
    "configuration",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("source", String(10), nullable=False),
    Column("active", Boolean(create_constraint=True, name="active"), nullable=False),
    Column("created_at", Float, nullable=False),
    CheckConstraint("source IN ('made', 'tuned')", name="source"),
    sqlite_autoincrement=True,
)

tuning = Table(
    "tuning",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("budget_s", Float, nullable=False),
    Column("most_trials", Integer, nullable=False),
    Column("seed", Integer, nullable=False),
    # Answers up to here are searched on, however long the search takes.
    Column("through_seq", Integer, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("reason", Text),
    Column("configuration_id", ForeignKey("configuration.id")),
    sqlite_autoincrement=True,
)

tuning_trial = Table(
    "tuning_trial",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tuning_id", ForeignKey("tuning.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("parameters", JSON, nullable=False),
    # The joint loss of an answer; null when the trial failed.
    Column("loss", Float),
    Column("seconds", Float, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("at", Float, nullable=False),
    Index("uq_tuning_trial_number", "tuning_id", "number", unique=True),
    sqlite_autoincrement=True,
)

# What operators did, and why. Append-only.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("actor", String(254), nullable=False),
    Column("action", String(50), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("details", JSON, nullable=False),
    sqlite_autoincrement=True,
)
