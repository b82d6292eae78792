"""Searches for better settings, and their trials."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert, select, update

from studysmart.store.database import Tx
from studysmart.store.tables import tuning, tuning_trial


def add(tx: Tx, **values: Any) -> int:
    """Begin a search; returns its id. Columns: `tables.tuning`."""
    return int(tx.execute(insert(tuning).values(**values).returning(tuning.c.id)).scalar_one())


def running(tx: Tx) -> Row[Any] | None:
    """The one under way."""
    return tx.execute(select(tuning).where(tuning.c.ended_at.is_(None))).one_or_none()


def last(tx: Tx) -> Row[Any] | None:
    """The one that began last."""
    return tx.execute(select(tuning).order_by(tuning.c.id.desc()).limit(1)).one_or_none()


def end(tx: Tx, tuning_id: int, *, now: float, reason: str, configuration_id: int | None) -> None:
    """It is over; what it found, if anything."""
    tx.execute(
        update(tuning)
        .where(tuning.c.id == tuning_id, tuning.c.ended_at.is_(None))
        .values(ended_at=now, reason=reason, configuration_id=configuration_id)
    )


def add_trial(tx: Tx, **values: Any) -> None:
    """One was tried. Columns: `tables.tuning_trial`."""
    tx.execute(insert(tuning_trial).values(**values))


def trials(tx: Tx, tuning_id: int) -> list[Row[Any]]:
    """All of a search, in order."""
    query = select(tuning_trial).where(tuning_trial.c.tuning_id == tuning_id)
    return list(tx.execute(query.order_by(tuning_trial.c.number)))
