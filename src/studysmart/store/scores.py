"""Forecasts beside what happened: a row for each that was shown, and for its shadows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert, select

from studysmart.store.database import Tx
from studysmart.store.tables import forecast_score, retraction


def add(tx: Tx, rows: list[dict[str, Any]]) -> None:
    """Keep them. Columns: `tables.forecast_score`."""
    if rows:
        tx.execute(insert(forecast_score), rows)


def newest(
    tx: Tx,
    *,
    since: float = 0.0,
    limit: int,
    experiment_id: int | None = None,
    shown: bool | None = True,
) -> list[Row[Any]]:
    """The last ones, oldest first, without those whose answer was taken back.

    Args:
        tx: the transaction.
        since: Unix seconds.
        limit: at most so many, the newest.
        experiment_id: only those of this experiment.
        shown: only those that were shown (True), or were not (False); None for all.
    """
    taken_back = (
        select(retraction.c.seq)
        .where(retraction.c.attempt_seq == forecast_score.c.attempt_seq)
        .exists()
    )
    query = select(forecast_score).where(forecast_score.c.at >= since, ~taken_back)
    if shown is not None:
        query = query.where(forecast_score.c.shown == shown)
    if experiment_id is not None:
        query = query.where(forecast_score.c.experiment_id == experiment_id)
    rows = list(tx.execute(query.order_by(forecast_score.c.id.desc()).limit(limit)))
    return rows[::-1]
