"""Experiments: arms, the plan that was fixed at the start, and the result."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert, select, update

from studysmart.store.database import Tx
from studysmart.store.tables import experiment, forecast_score, retraction

_SCORED = (
    select(
        forecast_score.c.attempt_seq,
        forecast_score.c.learner_id,
        forecast_score.c.shown,
        forecast_score.c.arm,
        forecast_score.c.model,
        forecast_score.c.is_correct,
        forecast_score.c.p_correct,
        forecast_score.c.log_time,
        forecast_score.c.log_time_mean,
        forecast_score.c.log_time_sd,
    )
    .outerjoin(retraction, retraction.c.attempt_seq == forecast_score.c.attempt_seq)
    .where(retraction.c.seq.is_(None))
    .order_by(forecast_score.c.attempt_seq, forecast_score.c.arm)
)


def add(tx: Tx, **values: Any) -> int:
    """Start one; returns its id. Columns: `tables.experiment`."""
    return int(
        tx.execute(insert(experiment).values(**values).returning(experiment.c.id)).scalar_one()
    )


def running(tx: Tx) -> Row[Any] | None:
    """The one under way."""
    query = select(experiment).where(experiment.c.stopped_at.is_(None))
    return tx.execute(query).one_or_none()


def get(tx: Tx, name: str) -> Row[Any] | None:
    """The one of this name."""
    return tx.execute(select(experiment).where(experiment.c.name == name)).one_or_none()


def newest(tx: Tx) -> list[Row[Any]]:
    """All, newest first."""
    return list(tx.execute(select(experiment).order_by(experiment.c.id.desc())))


def stop(tx: Tx, experiment_id: int, *, now: float, result: dict[str, Any]) -> None:
    """It is over, with this result."""
    tx.execute(
        update(experiment)
        .where(experiment.c.id == experiment_id, experiment.c.stopped_at.is_(None))
        .values(stopped_at=now, result=result)
    )


def scored(tx: Tx, experiment_id: int) -> list[Row[Any]]:
    """Every arm's forecast of every answer, in order of arrival; not of those taken back."""
    return list(tx.execute(_SCORED.where(forecast_score.c.experiment_id == experiment_id)))
