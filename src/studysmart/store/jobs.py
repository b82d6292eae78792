"""The training job (one row, leased) and its runs, and the workers that beat.

    idle --claim--> leased --finish--> idle
                      | lease runs out: another worker claims, with a higher fence

Every change by a holder names its fence; zero rows changed means that it was replaced.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, insert, select, update

from studysmart.store.database import Tx, upsert
from studysmart.store.tables import (
    attempt,
    model_version,
    retraction,
    training_job,
    training_run,
    worker,
)


def job(tx: Tx) -> Row[Any]:
    """The job's row."""
    return tx.execute(select(training_job)).one()


def claim(tx: Tx, *, owner: str, lease_until: float, run_id: int, claimed_seq: int) -> int:
    """Take the job; returns the new fence.

    The caller has seen, in this transaction, that it is free.
    """
    return int(
        tx.execute(
            update(training_job)
            .values(
                fence=training_job.c.fence + 1,
                owner=owner,
                lease_until=lease_until,
                run_id=run_id,
                claimed_seq=claimed_seq,
                asked_at=None,
                progress=None,
            )
            .returning(training_job.c.fence)
        ).scalar_one()
    )


def renew(tx: Tx, fence: int, *, lease_until: float, progress: dict[str, Any] | None) -> bool:
    """Hold on to the job; False when it is somebody else's by now."""
    values: dict[str, Any] = {"lease_until": lease_until}
    if progress is not None:
        values["progress"] = progress
    result = tx.execute(
        update(training_job)
        .where(training_job.c.fence == fence, training_job.c.owner.is_not(None))
        .values(**values)
    )
    return result.rowcount == 1


def release(tx: Tx, fence: int, **values: Any) -> bool:
    """Give the job back with these changes; False when it is somebody else's by now."""
    result = tx.execute(
        update(training_job)
        .where(training_job.c.fence == fence, training_job.c.owner.is_not(None))
        .values(
            owner=None, lease_until=None, run_id=None, claimed_seq=None, progress=None, **values
        )
    )
    return result.rowcount == 1


def ask(tx: Tx, *, now: float) -> None:
    """Somebody wants a training now; asked twice is asked once."""
    tx.execute(update(training_job).values(asked_at=now))


def hold(tx: Tx, *, until: float) -> None:
    """No training begins before then: more answers are on their way."""
    tx.execute(
        update(training_job).where(training_job.c.not_before < until).values(not_before=until)
    )


def add_run(tx: Tx, *, trigger: str, now: float, samples: int) -> int:
    """A run begins."""
    return int(
        tx.execute(
            insert(training_run)
            .values(trigger=trigger, started_at=now, samples=samples, metrics={})
            .returning(training_run.c.id)
        ).scalar_one()
    )


def end_run(tx: Tx, run_id: int, **values: Any) -> None:
    """A run ended: `ended_at`, `outcome`, `reason`, ..."""
    tx.execute(update(training_run).where(training_run.c.id == run_id).values(**values))


def run(tx: Tx, run_id: int) -> Row[Any]:
    """One run."""
    return tx.execute(select(training_run).where(training_run.c.id == run_id)).one()


def last_run(tx: Tx, *, finished: bool = False) -> Row[Any] | None:
    """The last run that ended.

    finished: that ended with a verdict on a model, not in a failure.
    """
    query = select(training_run).where(training_run.c.ended_at.is_not(None))
    if finished:
        query = query.where(training_run.c.outcome != "failed")
    return tx.execute(query.order_by(training_run.c.id.desc()).limit(1)).one_or_none()


def stamp(tx: Tx) -> tuple[Any, ...]:
    """Changes whenever anything that the training status shows may have changed; cheap to ask."""
    newest = (
        select(func.max(table.c[key])).scalar_subquery()
        for table, key in (
            (attempt, "seq"), (retraction, "seq"), (model_version, "version"), (training_run, "id"),
        )
    )  # fmt: skip
    job_row = (
        training_job.c[name]
        for name in ("fence", "owner", "lease_until", "covered_seq", "asked_at", "progress")
    )
    return tuple(tx.execute(select(*newest, *job_row)).one())


def beat(tx: Tx, worker_id: str, *, pid: int, now: float) -> None:
    """The worker is alive."""
    tx.execute(
        upsert(tx, worker)
        .values(id=worker_id, pid=pid, started_at=now, beat_at=now)
        .on_conflict_do_update(index_elements=["id"], set_={"beat_at": now})
    )


def forget_worker(tx: Tx, worker_id: str, *, silent_since: float) -> None:
    """A worker leaves; those silent since then are forgotten too."""
    tx.execute(
        worker.delete().where((worker.c.id == worker_id) | (worker.c.beat_at < silent_since))
    )


def workers(tx: Tx, *, since: float) -> list[Row[Any]]:
    """Workers that beat since then."""
    return list(tx.execute(select(worker).where(worker.c.beat_at >= since)))
