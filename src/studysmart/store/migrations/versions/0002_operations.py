"""What operators see and do: runs, registry, forecast quality, experiments, tuning, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables, and columns to those that are there."""
    _new_tables()
    _registry()
    with op.batch_alter_table("training_run") as table:
        table.add_column(sa.Column("owner", sa.String(200), nullable=False, server_default=""))
        table.add_column(sa.Column("curve", sa.JSON(), nullable=False, server_default="[]"))
        for name, rule in (
            ("outcome", "outcome IN ('live', 'kept_out', 'failed', 'cancelled', 'tried')"),
            ("version", "outcome <> 'live' OR version IS NOT NULL"),
            ("trigger", "trigger IN ('due', 'asked', 'tune')"),
        ):
            table.drop_constraint(op.f(f"ck_training_run_{name}"), type_="check")
            table.create_check_constraint(op.f(f"ck_training_run_{name}"), rule)
    with op.batch_alter_table("training_job") as table:
        table.drop_constraint(op.f("ck_training_job_lease"), type_="check")
        table.drop_column("lease_until")
        table.add_column(sa.Column("beat", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("cancel_asked_at", sa.Float()))
        table.add_column(sa.Column("paused_at", sa.Float()))
        table.add_column(sa.Column("pinned_version", sa.Integer()))
        table.create_foreign_key(
            op.f("fk_training_job_pinned_version"), "model_version", ["pinned_version"], ["version"]
        )
    with op.batch_alter_table("task") as table:
        table.add_column(sa.Column("experiment_id", sa.Integer()))
        table.add_column(sa.Column("arm", sa.String(50)))
        table.add_column(sa.Column("shadows", sa.JSON()))
        table.alter_column("seed", type_=sa.BigInteger())  # seeds have 53 bits
        table.create_foreign_key(
            op.f("fk_task_experiment_id"), "experiment", ["experiment_id"], ["id"]
        )
        table.create_check_constraint(
            op.f("ck_task_arm"), "(experiment_id IS NULL) = (arm IS NULL)"
        )


def _registry() -> None:
    with op.batch_alter_table("model_version") as table:
        table.add_column(
            sa.Column("source", sa.String(10), nullable=False, server_default="trained")
        )
        table.add_column(sa.Column("live_seq", sa.Integer()))
        table.drop_constraint(op.f("ck_model_version_status"), type_="check")
        table.create_check_constraint(
            op.f("ck_model_version_status"), "status IN ('live', 'retired', 'challenger')"
        )
        table.create_check_constraint(
            op.f("ck_model_version_source"), "source IN ('trained', 'imported')"
        )
    # Until now every version went live when it was published.
    op.execute("UPDATE model_version SET live_seq = version")
    with op.batch_alter_table("model_version") as table:
        table.create_check_constraint(
            op.f("ck_model_version_live_seq"), "status <> 'live' OR live_seq IS NOT NULL"
        )


def _new_tables() -> None:
    op.create_table(
        "experiment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("arms", sa.JSON(), nullable=False),
        sa.Column("metric", sa.String(20), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("stopped_at", sa.Float()),
        sa.Column("result", sa.JSON()),
        sa.CheckConstraint(
            "metric IN ('log_loss', 'time_loss', 'joint')", name=op.f("ck_experiment_metric")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment")),
        sa.UniqueConstraint("name", name=op.f("uq_experiment_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "forecast_score",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempt_seq", sa.Integer(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "shown",
            sa.Boolean(create_constraint=True, name=op.f("ck_forecast_score_shown")),
            nullable=False,
        ),
        sa.Column("experiment_id", sa.Integer()),
        sa.Column("arm", sa.String(50), nullable=False),
        sa.Column("model", sa.String(20), nullable=False),
        sa.Column("model_version", sa.Integer()),
        sa.Column("subject", sa.String(200)),
        sa.Column("topic", sa.String(200)),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column(
            "is_correct",
            sa.Boolean(create_constraint=True, name=op.f("ck_forecast_score_is_correct")),
            nullable=False,
        ),
        sa.Column("p_correct", sa.Float(), nullable=False),
        sa.Column("log_time", sa.Float()),
        sa.Column("log_time_mean", sa.Float(), nullable=False),
        sa.Column("log_time_sd", sa.Float(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_seq"], ["attempt.seq"], name=op.f("fk_forecast_score_attempt_seq")
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learner.id"], name=op.f("fk_forecast_score_learner_id")
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiment.id"], name=op.f("fk_forecast_score_experiment_id")
        ),
        sa.ForeignKeyConstraint(
            ["model_version"],
            ["model_version.version"],
            name=op.f("fk_forecast_score_model_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_score")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_forecast_score_attempt_arm", "forecast_score", ["attempt_seq", "arm"], unique=True
    )
    op.create_index("ix_forecast_score_at", "forecast_score", ["at"])
    op.create_index("ix_forecast_score_experiment", "forecast_score", ["experiment_id", "at"])
    op.create_table(
        "configuration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column(
            "active",
            sa.Boolean(create_constraint=True, name=op.f("ck_configuration_active")),
            nullable=False,
        ),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.CheckConstraint("source IN ('made', 'tuned')", name=op.f("ck_configuration_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_configuration")),
        sa.UniqueConstraint("name", name=op.f("uq_configuration_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tuning",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("budget_s", sa.Float(), nullable=False),
        sa.Column("most_trials", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("through_seq", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float()),
        sa.Column("reason", sa.Text()),
        sa.Column("configuration_id", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["configuration_id"], ["configuration.id"], name=op.f("fk_tuning_configuration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tuning")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tuning_trial",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tuning_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("loss", sa.Float()),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tuning_id"], ["tuning.id"], name=op.f("fk_tuning_trial_tuning_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tuning_trial")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_tuning_trial_number", "tuning_trial", ["tuning_id", "number"], unique=True)
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("actor", sa.String(254), nullable=False),
        sa.Column("action", sa.String(50), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
