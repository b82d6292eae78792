"""Named settings of networks, besides the built-in ones."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert, select, update

from studysmart.store.database import Tx
from studysmart.store.tables import configuration


def add(tx: Tx, **values: Any) -> int:
    """Keep one; returns its id. Columns: `tables.configuration`."""
    query = insert(configuration).values(**values).returning(configuration.c.id)
    return int(tx.execute(query).scalar_one())


def get(tx: Tx, name: str) -> Row[Any] | None:
    """The one of this name."""
    return tx.execute(select(configuration).where(configuration.c.name == name)).one_or_none()


def newest(tx: Tx, *, active: bool = False) -> list[Row[Any]]:
    """All, or those that every training tries; newest first."""
    query = select(configuration).order_by(configuration.c.id.desc())
    return list(tx.execute(query.where(configuration.c.active) if active else query))


def activate(tx: Tx, configuration_id: int, *, active: bool) -> None:
    """Let trainings try it, or no longer."""
    tx.execute(
        update(configuration).where(configuration.c.id == configuration_id).values(active=active)
    )
