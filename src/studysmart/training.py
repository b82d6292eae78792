"""When a training is due, who runs it, and what becomes of its result.

The worker asks `due` now and then; a request never touches the job. The claim remembers the newest
answer that it covers, so that answers arriving during a run are counted towards exactly one further
run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from studysmart.defaults import WORKER_SILENT_S
from studysmart.store import Row, Tx, attempts, jobs, models

LEASE_S = 10.0
VERSIONS_KEPT = 10
LONGEST_BACKOFF_S = 300.0


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one training, until the lease runs out."""

    run_id: int
    fence: int
    through_seq: int


class Superseded(Exception):
    """The lease ran out and somebody else has the job."""


def claim_if_due(tx: Tx, *, owner: str, threshold: int, now: float) -> Claim | None:
    """Take the job if a training is due and nobody holds it.

    A holder whose lease ran out is taken to be dead: its run is ended as failed.
    """
    job = jobs.job(tx)
    if job.owner is not None:
        if job.lease_until >= now:
            return None
        end_failed(tx, Claim(job.run_id, job.fence, job.claimed_seq), now=now, retry_in_s=0.0,
                   reason="the worker that ran it disappeared")  # fmt: skip
        job = jobs.job(tx)
    if now < job.not_before:
        return None
    waiting = attempts.completions(tx, after=job.covered_seq)
    if waiting < threshold and job.asked_at is None:
        return None
    through = attempts.last_seq(tx)
    run_id = jobs.add_run(
        tx,
        trigger="due" if waiting >= threshold else "asked",
        now=now,
        samples=attempts.completions(tx),
    )
    fence = jobs.claim(
        tx, owner=owner, lease_until=now + LEASE_S, run_id=run_id, claimed_seq=through
    )
    return Claim(run_id, fence, through)


def worth_looking(tx: Tx, *, threshold: int, now: float) -> bool:
    """Whether `claim_if_due` would find something.

    Asked in a read, so that idling writes nothing.
    """
    job = jobs.job(tx)
    if job.owner is not None:
        return bool(job.lease_until < now)
    if now < job.not_before:
        return False
    return job.asked_at is not None or (
        attempts.completions(tx, after=job.covered_seq) >= threshold
    )


def renew(tx: Tx, claim: Claim, *, progress: dict[str, Any] | None, now: float) -> None:
    """Keep the lease, and say how far the run is.

    Raises:
        Superseded: somebody else has the job.
    """
    if not jobs.renew(tx, claim.fence, lease_until=now + LEASE_S, progress=progress):
        raise Superseded


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to, as it travels from the child to the worker."""

    outcome: str  # "live" or "kept_out"
    reason: str
    kind: str | None
    manifest: dict[str, Any]
    metrics: dict[str, Any]
    samples: int


def finish(tx: Tx, claim: Claim, result: Result, data: bytes | None, *, now: float) -> int | None:
    """Publish the model (or record why not) and move the watermark, in this one transaction.

    Returns the version that went live, if one did.

    Raises:
        Superseded: somebody else has the job; nothing may be written.
    """
    if not jobs.release(tx, claim.fence, covered_seq=claim.through_seq, failures=0, not_before=0.0):
        raise Superseded
    version = None
    if result.outcome == "live" and data is not None:
        version = models.publish(
            tx,
            kind=result.kind,
            samples=result.samples,
            manifest=result.manifest,
            metrics=result.metrics,
            data=data,
            sha256=hashlib.sha256(data).hexdigest(),
            published_at=now,
        )
        models.forget_bytes(tx, keep=VERSIONS_KEPT)
    jobs.end_run(
        tx,
        claim.run_id,
        ended_at=now,
        outcome=result.outcome,
        reason=result.reason,
        samples=result.samples,
        metrics=result.metrics,
        version=version,
    )
    return version


def end_failed(
    tx: Tx, claim: Claim, *, reason: str, now: float, retry_in_s: float | None = None
) -> None:
    """The run came to nothing.

    Its answers stay due, and the next try waits a little longer each time.

    Raises:
        Superseded: somebody else has the job.
    """
    failures = jobs.job(tx).failures + 1
    wait = min(LONGEST_BACKOFF_S, 2.0**failures) if retry_in_s is None else retry_in_s
    if not jobs.release(tx, claim.fence, failures=failures, not_before=now + wait):
        raise Superseded
    jobs.end_run(tx, claim.run_id, ended_at=now, outcome="failed", reason=reason)


def ask(tx: Tx, *, now: float) -> None:
    """An operator wants a training now."""
    jobs.ask(tx, now=now)


def status(tx: Tx, *, threshold: int, now: float) -> dict[str, Any]:
    """The counter and all that hangs on it, as `GET /api/training` answers."""
    job = jobs.job(tx)
    running = job.owner is not None and job.lease_until >= now
    counted_from = job.claimed_seq if running else job.covered_seq
    last, finished = jobs.last_run(tx), jobs.last_run(tx, finished=True)
    live = models.live(tx)
    return {
        "completed_since_training": attempts.completions(tx, after=counted_from),
        "threshold": threshold,
        "total_completed": attempts.completions(tx),
        "last_trained_at": finished.ended_at if finished else None,
        "samples_last_training": finished.samples if finished else 0,
        "running": _running(tx, job) if running else None,
        "worker_alive": bool(jobs.workers(tx, since=now - WORKER_SILENT_S)),
        "live_model": _live(live) if live else None,
        "last_result": _ended(last) if last else None,
    }


def _running(tx: Tx, job: Row[Any]) -> dict[str, Any]:
    progress = job.progress or {}
    return {
        "run": job.run_id,
        "started_at": jobs.run(tx, job.run_id).started_at,
        "phase": progress.get("phase", "starting"),
        "fraction": progress.get("fraction", 0.0),
        "epoch": progress.get("epoch"),
        "loss": progress.get("loss"),
    }


def _live(row: Row[Any]) -> dict[str, Any]:
    return {
        "version": row.version,
        "kind": row.kind,
        "published_at": row.published_at,
        "samples": row.samples,
        "metrics": row.metrics,
        "vocabulary": row.manifest.get("vocabulary", {}),
    }


def _ended(row: Row[Any]) -> dict[str, Any]:
    return {
        "run": row.id,
        "outcome": row.outcome,
        "reason": row.reason or "",
        "version": row.version,
        "samples": row.samples,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "seconds": row.ended_at - row.started_at,
        "metrics": row.metrics,
    }
