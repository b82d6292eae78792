"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of the first release."""
    op.create_table(
        "learner",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("preferences", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.CheckConstraint(
            "source IN ('local', 'account', 'import')", name=op.f("ck_learner_source")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learner")),
        sa.UniqueConstraint("external_id", name=op.f("uq_learner_external_id")),
    )
    op.create_index(
        "uq_learner_local",
        "learner",
        ["source"],
        unique=True,
        sqlite_where=sa.text("source = 'local'"),
        postgresql_where=sa.text("source = 'local'"),
    )
    op.create_table(
        "login_failure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failure")),
    )
    op.create_index("ix_login_failure_email_at", "login_failure", ["email", "at"], unique=False)
    op.create_table(
        "model_version",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.Float(), nullable=False),
        sa.CheckConstraint("status IN ('live', 'retired')", name=op.f("ck_model_version_status")),
        sa.CheckConstraint(
            "status <> 'live' OR data IS NOT NULL", name=op.f("ck_model_version_live_data")
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_model_version")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_model_version_live",
        "model_version",
        ["status"],
        unique=True,
        sqlite_where=sa.text("status = 'live'"),
        postgresql_where=sa.text("status = 'live'"),
    )
    op.create_table(
        "worker",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("beat_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.CheckConstraint("role IN ('learner', 'operator')", name=op.f("ck_account_role")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_account_email_lower")),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_account_learner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
        sa.UniqueConstraint("learner_id", name=op.f("uq_account_learner_id")),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("skill", sa.String(length=200), nullable=True),
        sa.Column("difficulty", sa.String(length=200), nullable=False),
        sa.Column("item", sa.String(length=200), nullable=True),
        sa.Column("generator", sa.String(length=200), nullable=True),
        sa.Column("generator_version", sa.Integer(), nullable=True),
        sa.Column("seed", sa.Integer(), nullable=True),
        sa.Column("band", sa.String(length=20), nullable=True),
        sa.Column("grading", sa.String(length=20), nullable=False),
        sa.Column("task_content", sa.Text(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=True),
        sa.Column("unit", sa.String(length=50), nullable=True),
        sa.Column("hints", sa.JSON(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("answer_content", sa.Text(), nullable=False),
        sa.Column("solution_content", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=True),
        sa.Column("forecast", sa.JSON(), nullable=False),
        sa.Column("p_correct", sa.Float(), nullable=False),
        sa.Column("log_time_mean", sa.Float(), nullable=False),
        sa.Column("log_time_sd", sa.Float(), nullable=False),
        sa.Column("model", sa.String(length=20), nullable=False),
        sa.Column("model_version", sa.Integer(), nullable=True),
        sa.Column("revealed_at", sa.Float(), nullable=True),
        sa.Column("deleted_at", sa.Float(), nullable=True),
        sa.CheckConstraint(
            "grading IN ('numeric', 'choice', 'self')", name=op.f("ck_task_grading")
        ),
        sa.CheckConstraint("log_time_sd > 0", name=op.f("ck_task_log_time_sd")),
        sa.CheckConstraint("p_correct BETWEEN 0 AND 1", name=op.f("ck_task_p_correct")),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_task_learner_id")),
        sa.ForeignKeyConstraint(
            ["model_version"], ["model_version.version"], name=op.f("fk_task_model_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index("ix_task_learner_created", "task", ["learner_id", "created_at"], unique=False)
    op.create_table(
        "training_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.String(length=10), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(outcome = 'live') = (version IS NOT NULL) OR outcome IS NULL",
            name=op.f("ck_training_run_version"),
        ),
        sa.CheckConstraint(
            "outcome IN ('live', 'kept_out', 'failed')", name=op.f("ck_training_run_outcome")
        ),
        sa.CheckConstraint("trigger IN ('due', 'asked')", name=op.f("ck_training_run_trigger")),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (outcome IS NULL)", name=op.f("ck_training_run_ended")
        ),
        sa.ForeignKeyConstraint(
            ["version"], ["model_version.version"], name=op.f("fk_training_run_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_run")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "attempt",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("topic", sa.String(length=200), nullable=True),
        sa.Column("skill", sa.String(length=200), nullable=True),
        sa.Column("difficulty", sa.String(length=200), nullable=True),
        sa.Column("item", sa.String(length=200), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column(
            "is_correct", sa.Boolean(create_constraint=True, name="is_correct"), nullable=False
        ),
        sa.Column(
            "self_marked", sa.Boolean(create_constraint=True, name="self_marked"), nullable=False
        ),
        sa.Column("response_time_s", sa.Float(), nullable=True),
        sa.Column(
            "time_plausible",
            sa.Boolean(create_constraint=True, name="time_plausible"),
            nullable=False,
        ),
        sa.Column("counts", sa.Boolean(create_constraint=True, name="counts"), nullable=False),
        sa.Column("answered_at", sa.Float(), nullable=True),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("receipt", sa.JSON(), nullable=True),
        sa.CheckConstraint(
            "(source = 'task') = (task_id IS NOT NULL)", name=op.f("ck_attempt_task_or_import")
        ),
        sa.CheckConstraint("source IN ('task', 'import')", name=op.f("ck_attempt_source")),
        sa.CheckConstraint("response_time_s >= 0", name=op.f("ck_attempt_response_time_s")),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_attempt_learner_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_attempt_task_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_attempt")),
        sa.UniqueConstraint("id", name=op.f("uq_attempt_id")),
        sa.UniqueConstraint("task_id", name=op.f("uq_attempt_task_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attempt_learner_seq", "attempt", ["learner_id", "seq"], unique=False)
    op.create_table(
        "login",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.CheckConstraint("kind IN ('cookie', 'token')", name=op.f("ck_login_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_login_account_id")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_login")),
    )
    op.create_index(op.f("ix_login_account_id"), "login", ["account_id"], unique=False)
    op.create_table(
        "training_job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("claimed_seq", sa.Integer(), nullable=True),
        sa.Column("covered_seq", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.Float(), nullable=False),
        sa.Column("progress", sa.JSON(), nullable=True),
        sa.CheckConstraint(
            "(owner IS NULL) = (lease_until IS NULL)", name=op.f("ck_training_job_lease")
        ),
        sa.CheckConstraint("(owner IS NULL) = (run_id IS NULL)", name=op.f("ck_training_job_run")),
        sa.CheckConstraint("id = 1", name=op.f("ck_training_job_one_row")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["training_run.id"], name=op.f("fk_training_job_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_job")),
    )
    op.create_table(
        "retraction",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("attempt_seq", sa.Integer(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.CheckConstraint("reason IN ('task_deleted')", name=op.f("ck_retraction_reason")),
        sa.ForeignKeyConstraint(
            ["attempt_seq"], ["attempt.seq"], name=op.f("fk_retraction_attempt_seq")
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learner.id"], name=op.f("fk_retraction_learner_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_retraction")),
        sa.UniqueConstraint("attempt_seq", name=op.f("uq_retraction_attempt_seq")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_retraction_learner_id"), "retraction", ["learner_id"], unique=False)

    op.execute(
        "INSERT INTO training_job (id, fence, covered_seq, failures, not_before) "
        "VALUES (1, 0, 0, 0, 0)"
    )
