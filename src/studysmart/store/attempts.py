"""Answers: append-only, in the order in which they arrived (`seq`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, bindparam, func, insert, select

from studysmart.store.database import Tx, upsert
from studysmart.store.tables import attempt, retraction

_ANSWERED = (
    attempt.c.seq,
    attempt.c.learner_id,
    attempt.c.subject,
    attempt.c.item,
    attempt.c.skill,
    attempt.c.topic,
    attempt.c.difficulty,
    attempt.c.is_correct,
    attempt.c.response_time_s,
    attempt.c.time_plausible,
    attempt.c.answered_at,
)


def _standing() -> ColumnElement[bool]:
    """Counts, and was not taken back."""
    taken_back = select(retraction.c.seq).where(retraction.c.attempt_seq == attempt.c.seq).exists()
    return attempt.c.counts & ~taken_back


def get(tx: Tx, attempt_id: UUID) -> Row[Any] | None:
    """The attempt of a client-made id, whoever's it is."""
    return tx.execute(select(attempt).where(attempt.c.id == attempt_id)).one_or_none()


def add(tx: Tx, **values: Any) -> int:
    """Append one; returns its number. Columns: `tables.attempt`."""
    return int(tx.execute(insert(attempt).values(**values).returning(attempt.c.seq)).scalar_one())


def add_new(tx: Tx, rows: list[dict[str, Any]]) -> int:
    """Append those whose id is not there yet; returns how many were."""
    before = tx.execute(select(func.count()).select_from(attempt)).scalar_one()
    tx.execute(upsert(tx, attempt).on_conflict_do_nothing(index_elements=["id"]), rows)
    return tx.execute(select(func.count()).select_from(attempt)).scalar_one() - before


def retract(tx: Tx, task_id: UUID, *, reason: str, now: float) -> None:
    """Take a task's attempt back; it stays in the log."""
    row = tx.execute(
        select(attempt.c.seq, attempt.c.learner_id).where(attempt.c.task_id == task_id)
    ).one_or_none()
    if row is not None:
        tx.execute(
            upsert(tx, retraction)
            .values(attempt_seq=row.seq, learner_id=row.learner_id, reason=reason, at=now)
            .on_conflict_do_nothing()
        )


# Asked several times a request: built once, since building costs more than asking.
_NEWS = select(
    select(func.max(attempt.c.seq))
    .where(attempt.c.learner_id == bindparam("learner"))
    .scalar_subquery(),
    select(func.count())
    .select_from(retraction)
    .where(retraction.c.learner_id == bindparam("learner"))
    .scalar_subquery(),
)
_OF_LEARNER = (
    select(*_ANSWERED)
    .where(
        attempt.c.learner_id == bindparam("learner"),
        attempt.c.seq > bindparam("after"),
        _standing(),
    )
    .order_by(attempt.c.seq)
)


def news(tx: Tx, learner_id: UUID) -> tuple[int, int]:
    """(the learner's newest attempt, how many were taken back): is a known state current?"""
    newest, taken_back = tx.execute(_NEWS, {"learner": learner_id}).one()
    return newest or 0, taken_back


def of_learner(tx: Tx, learner_id: UUID, *, after: int) -> list[Row[Any]]:
    """A learner's standing attempts with `seq` above `after`, in order."""
    return list(tx.execute(_OF_LEARNER, {"learner": learner_id, "after": after}))


def everyones(
    tx: Tx, *, through: int | None = None, newest: int | None = None
) -> Iterable[Row[Any]]:
    """All standing attempts in order, streamed.

    through: the last `seq` to include; newest: only that many, counted from the end.
    """
    query = select(*_ANSWERED).where(_standing())
    if through is not None:
        query = query.where(attempt.c.seq <= through)
    if newest is not None:
        last = query.order_by(attempt.c.seq.desc()).limit(newest).subquery()
        query = select(last).order_by(last.c.seq)
    else:
        query = query.order_by(attempt.c.seq)
    return _stream(tx.execute(query, execution_options={"yield_per": 5_000}))


def _stream(result: Iterable[Row[Any]]) -> Iterator[Row[Any]]:
    yield from result


def last_seq(tx: Tx, *, received_by: float | None = None) -> int:
    """The newest attempt's number, of those that arrived by then; 0 when there is none."""
    query = select(func.max(attempt.c.seq))
    if received_by is not None:
        query = query.where(attempt.c.received_at <= received_by)
    return tx.execute(query).scalar_one() or 0


def completions(tx: Tx, *, after: int = 0) -> int:
    """Standing attempts with `seq` above `after`."""
    return tx.execute(
        select(func.count()).select_from(attempt).where(attempt.c.seq > after, _standing())
    ).scalar_one()
