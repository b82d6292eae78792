"""The training job (one row, leased) and its runs, and the workers that beat.

    idle --claim--> held --release--> idle
                      | its `beat` stands still for a whole lease: another worker claims,
                        with a higher fence

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


def claim(tx: Tx, *, owner: str, run_id: int, claimed_seq: int | None, asked: bool) -> int:
    """Take the job; returns the new fence.

    The caller has seen, in this transaction, that it is free.

    Args:
        tx: the transaction.
        owner: the worker.
        run_id: the run that it begins.
        claimed_seq: the newest answer that the run covers; None when it covers none.
        asked: it answers to what an operator asked for.
    """
    values: dict[str, Any] = {"asked_at": None} if asked else {}
    return int(
        tx.execute(
            update(training_job)
            .values(
                fence=training_job.c.fence + 1,
                beat=0,
                owner=owner,
                run_id=run_id,
                claimed_seq=claimed_seq,
                cancel_asked_at=None,
                progress=None,
                **values,
            )
            .returning(training_job.c.fence)
        ).scalar_one()
    )


def renew(tx: Tx, fence: int, **values: Any) -> Row[Any] | None:
    """Show that the holder lives; returns the job, or None when it is somebody else's by now.

    values: `progress`, when there is news of it.
    """
    return tx.execute(
        update(training_job)
        .where(training_job.c.fence == fence, training_job.c.owner.is_not(None))
        .values(beat=training_job.c.beat + 1, **values)
        .returning(training_job)
    ).one_or_none()


def release(tx: Tx, fence: int, **values: Any) -> bool:
    """Give the job back with these changes; False when it is somebody else's by now."""
    result = tx.execute(
        update(training_job)
        .where(training_job.c.fence == fence, training_job.c.owner.is_not(None))
        .values(
            owner=None,
            run_id=None,
            claimed_seq=None,
            cancel_asked_at=None,
            progress=None,
            **values,
        )
    )
    return result.rowcount == 1


def change(tx: Tx, **values: Any) -> None:
    """Set what operators set: `paused_at`, `pinned_version`, `cancel_asked_at`."""
    tx.execute(update(training_job).values(**values))


def ask(tx: Tx, *, now: float) -> None:
    """Somebody wants a training now; asked twice is asked once."""
    tx.execute(update(training_job).values(asked_at=now))


def hold(tx: Tx, *, until: float) -> None:
    """No training begins before then: more answers are on their way."""
    tx.execute(
        update(training_job).where(training_job.c.not_before < until).values(not_before=until)
    )


def add_run(tx: Tx, *, trigger: str, owner: str, now: float, samples: int) -> int:
    """A run begins."""
    return int(
        tx.execute(
            insert(training_run)
            .values(
                trigger=trigger, owner=owner, started_at=now, samples=samples, metrics={}, curve=[]
            )
            .returning(training_run.c.id)
        ).scalar_one()
    )


def end_run(tx: Tx, run_id: int, **values: Any) -> None:
    """A run ended: `ended_at`, `outcome`, `reason`, ..."""
    tx.execute(update(training_run).where(training_run.c.id == run_id).values(**values))


def run(tx: Tx, run_id: int) -> Row[Any]:
    """One run."""
    return tx.execute(select(training_run).where(training_run.c.id == run_id)).one()


def run_of(tx: Tx, version: int) -> Row[Any] | None:
    """The run that made this version."""
    query = select(training_run).where(training_run.c.version == version)
    return tx.execute(query.order_by(training_run.c.id).limit(1)).one_or_none()


def runs(tx: Tx, *, limit: int) -> list[Row[Any]]:
    """The last runs, newest first."""
    return list(tx.execute(select(training_run).order_by(training_run.c.id.desc()).limit(limit)))


def outcomes(tx: Tx) -> dict[str, int]:
    """How many runs ended how."""
    query = select(training_run.c.outcome, func.count()).group_by(training_run.c.outcome)
    return {outcome: n for outcome, n in tx.execute(query) if outcome is not None}


def last_run(tx: Tx, *, finished: bool = False) -> Row[Any] | None:
    """The last training that ended; trials of a search are none.

    finished: that ended with a verdict on a model.
    """
    query = select(training_run).where(
        training_run.c.ended_at.is_not(None), training_run.c.trigger != "tune"
    )
    if finished:
        query = query.where(training_run.c.outcome.in_(("live", "kept_out")))
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
        for name in (
            "fence", "owner", "covered_seq", "asked_at", "cancel_asked_at", "paused_at",
            "pinned_version", "progress",
        )
    )  # fmt: skip
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


def newest_beat(tx: Tx) -> float:
    """When a worker beat last, Unix seconds by its own clock; 0 when none ever did."""
    return tx.execute(select(func.max(worker.c.beat_at))).scalar_one() or 0.0
