"""People who practise."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, insert, select, update

from studysmart.store.database import Tx, upsert
from studysmart.store.tables import learner


def add(tx: Tx, *, name: str, source: str, now: float, external_id: str | None = None) -> UUID:
    """A new learner."""
    new = uuid4()
    tx.execute(
        insert(learner).values(
            id=new,
            name=name,
            source=source,
            external_id=external_id,
            preferences={},
            created_at=now,
        )
    )
    return new


def get(tx: Tx, learner_id: UUID) -> Row[Any] | None:
    """One learner."""
    return tx.execute(select(learner).where(learner.c.id == learner_id)).one_or_none()


def local(tx: Tx) -> Row[Any] | None:
    """The one learner of a system without accounts."""
    return tx.execute(select(learner).where(learner.c.source == "local")).one_or_none()


def ensure_local(tx: Tx, *, name: str, now: float) -> None:
    """Make the local learner unless there is one; two processes may ask at once."""
    tx.execute(
        upsert(tx, learner)
        .values(id=uuid4(), name=name, source="local", preferences={}, created_at=now)
        .on_conflict_do_nothing()
    )


def claim(tx: Tx, learner_id: UUID, *, name: str) -> None:
    """The local learner becomes an account's."""
    tx.execute(
        update(learner).where(learner.c.id == learner_id).values(source="account", name=name)
    )


def imported(tx: Tx, external_ids: Collection[str]) -> dict[str, UUID]:
    """Which of these learners of other systems are known here, and as whom."""
    found: dict[str, UUID] = {}
    wanted = sorted(external_ids)
    for start in range(0, len(wanted), 500):  # SQLite bounds the variables of one statement
        chunk = wanted[start : start + 500]
        rows = tx.execute(
            select(learner.c.external_id, learner.c.id).where(learner.c.external_id.in_(chunk))
        )
        found.update({row.external_id: row.id for row in rows})
    return found


def set_preferences(tx: Tx, learner_id: UUID, preferences: dict[str, Any]) -> None:
    """Replace a learner's own settings."""
    tx.execute(update(learner).where(learner.c.id == learner_id).values(preferences=preferences))
