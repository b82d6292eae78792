"""Tasks given to learners. Every look-up names the learner: another one's task is a missing one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, insert, select, update

from studysmart.store.database import Tx
from studysmart.store.tables import attempt, task

_WITH_ATTEMPT = (
    select(
        task,
        attempt.c.is_correct.label("attempt_is_correct"),
        attempt.c.answer.label("attempt_answer"),
        attempt.c.response_time_s.label("attempt_response_time_s"),
        attempt.c.received_at.label("attempt_received_at"),
    )
    .outerjoin(attempt, attempt.c.task_id == task.c.id)
    .where(task.c.learner_id == bindparam("learner"), task.c.deleted_at.is_(None))
)
_ONE = _WITH_ATTEMPT.where(task.c.id == bindparam("task"))


def add(tx: Tx, **values: Any) -> None:
    """Keep a task as it was given, with its forecast. Columns: `tables.task`."""
    tx.execute(insert(task).values(**values))


def get(tx: Tx, task_id: UUID, learner_id: UUID) -> Row[Any] | None:
    """The task with its attempt, if any (columns of the attempt are prefixed `attempt_`)."""
    return tx.execute(_ONE, {"learner": learner_id, "task": task_id}).one_or_none()


def newest(
    tx: Tx, learner_id: UUID, *, subject: str | None, topic: str | None, limit: int
) -> list[Row[Any]]:
    """The learner's tasks, newest first; labels compare without case."""
    query = _WITH_ATTEMPT
    if subject is not None:
        query = query.where(func.lower(task.c.subject) == subject.lower())
    if topic is not None:
        query = query.where(func.lower(task.c.topic) == topic.lower())
    query = query.order_by(task.c.created_at.desc(), task.c.id).limit(limit)
    return list(tx.execute(query, {"learner": learner_id}))


def recent_items(tx: Tx, learner_id: UUID, *, limit: int) -> list[str]:
    """Items given last, newest first, whether answered or not."""
    rows = tx.execute(
        select(task.c.item)
        .where(task.c.learner_id == learner_id, task.c.item.is_not(None))
        .order_by(task.c.created_at.desc())
        .limit(limit)
    )
    return [row.item for row in rows]


def reveal(tx: Tx, task_id: UUID, *, now: float) -> None:
    """The learner saw the solution; the first time is kept."""
    tx.execute(
        update(task)
        .where(task.c.id == task_id, task.c.revealed_at.is_(None))
        .values(revealed_at=now)
    )


def delete(tx: Tx, task_id: UUID, *, now: float) -> None:
    """Hide the task; its row stays for the attempts that point at it."""
    tx.execute(update(task).where(task.c.id == task_id).values(deleted_at=now))


def scored(tx: Tx, learner_id: UUID, *, limit: int) -> list[Row[Any]]:
    """Forecasts and what became of them: this learner's answered tasks, newest first."""
    return list(
        tx.execute(
            select(
                task.c.p_correct,
                task.c.log_time_mean,
                task.c.log_time_sd,
                task.c.model,
                attempt.c.is_correct,
                attempt.c.response_time_s,
                attempt.c.time_plausible,
            )
            .join(attempt, attempt.c.task_id == task.c.id)
            .where(task.c.learner_id == learner_id, attempt.c.counts, task.c.deleted_at.is_(None))
            .order_by(attempt.c.seq.desc())
            .limit(limit)
        )
    )
