"""When a training is due, who runs it, and what becomes of its result.

The worker asks once in a while; a request never touches the job. The claim remembers the newest
answer that it covers, so that answers arriving during a run are counted towards exactly one further
run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from studysmart import artefacts
from studysmart.defaults import WORKER_SILENT_S
from studysmart.errors import Conflict
from studysmart.store import Row, Tx, attempts, audit, jobs, models

LEASE_S = 10.0
VERSIONS_KEPT = 10
LONGEST_BACKOFF_S = 300.0
# Before so much of a run is done, what it took so far says little about what it will take.
TELLING_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one training, until somebody else has taken the job over."""

    run_id: int
    fence: int
    through_seq: int


class Superseded(Exception):
    """Somebody else has the job."""


class Watch:
    """Whether the holder of the job still lives, as one worker sees it.

    The holder counts `beat` up. A count that stands still for a whole lease is a holder that is
    gone. Only the watcher's own clock is asked, one that never jumps: neither a wrong clock on
    another machine nor a changed one on this can take a job from somebody who lives.

    Args:
        predecessor: a worker that is known to be dead, since whoever started us saw it end; its job
            needs no watching.
    """

    def __init__(self, predecessor: str | None = None) -> None:
        self._predecessor = predecessor
        self._seen: tuple[int, int] | None = None
        self._since = 0.0

    def abandoned(self, job: Row[Any], *, at: float) -> bool:
        """Look at the job.

        Args:
            job: its row.
            at: seconds of a monotonic clock.
        """
        if job.owner is None:
            self._seen = None
            return False
        if job.owner == self._predecessor:
            return True
        seen = (job.fence, job.beat)
        if seen != self._seen:
            self._seen, self._since = seen, at
        return at - self._since > LEASE_S


def claim_if_due(
    tx: Tx, *, owner: str, threshold: int, now: float, abandoned: tuple[int, int] | None = None
) -> Claim | None:
    """Take the job if a training is due and nobody holds it.

    Args:
        tx: a writing transaction.
        owner: the worker that asks.
        threshold: completions that make a training due.
        now: Unix seconds.
        abandoned: fence and beat of a holder that is gone, as `Watch` saw them; its run is ended
            as failed unless it moved since.
    """
    job = jobs.job(tx)
    if job.owner is not None:
        if (job.fence, job.beat) != abandoned:
            return None
        end_failed(tx, Claim(job.run_id, job.fence, job.claimed_seq), now=now, retry_in_s=0.0,
                   reason="the worker that ran it disappeared")  # fmt: skip
        job = jobs.job(tx)
    trigger = _trigger(tx, job, threshold=threshold, now=now)
    if trigger is None:
        return None
    through = attempts.last_seq(tx)
    run_id = jobs.add_run(
        tx, trigger=trigger, owner=owner, now=now, samples=attempts.completions(tx)
    )
    fence = jobs.claim(
        tx, owner=owner, run_id=run_id, claimed_seq=through, asked=job.asked_at is not None
    )
    return Claim(run_id, fence, through)


def worth_looking(tx: Tx, *, threshold: int, now: float) -> bool:
    """Whether `claim_if_due` would find something, were the job free.

    Asked in a read, so that idling writes nothing.
    """
    return _trigger(tx, jobs.job(tx), threshold=threshold, now=now) is not None


def _trigger(tx: Tx, job: Row[Any], *, threshold: int, now: float) -> str | None:
    if now < job.not_before <= now + LONGEST_BACKOFF_S:  # further off: the clock was set back
        return None
    if job.paused_at is None and attempts.completions(tx, after=job.covered_seq) >= threshold:
        return "due"
    return "asked" if job.asked_at is not None else None


def renew(tx: Tx, claim: Claim, *, progress: dict[str, Any] | None = None) -> bool:
    """Keep the job, and say how far the run is; returns whether it should be cancelled.

    Raises:
        Superseded: somebody else has the job.
    """
    news = {} if progress is None else {"progress": progress}
    job = jobs.renew(tx, claim.fence, **news)
    if job is None:
        raise Superseded
    return job.cancel_asked_at is not None


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to, as it travels from the child to the worker."""

    outcome: str  # "live" or "kept_out"
    reason: str
    kind: str | None
    manifest: dict[str, Any]
    metrics: dict[str, Any]
    samples: int


def finish(
    tx: Tx,
    claim: Claim,
    result: Result,
    data: bytes | None,
    *,
    now: float,
    curve: list[list[float]] | None = None,
) -> int | None:
    """Publish the model (or record why not) and move the watermark, in this one transaction.

    A model that the gate kept out is kept as a challenger, for operators to look at. While a
    version is pinned, the best model is no more than that.

    Returns the version that went live, if one did.

    Raises:
        Superseded: somebody else has the job; nothing may be written.
    """
    pinned = jobs.job(tx).pinned_version
    if not jobs.release(tx, claim.fence, covered_seq=claim.through_seq, failures=0, not_before=0.0):
        raise Superseded
    outcome, reason = result.outcome, result.reason
    if outcome == "live" and (pinned is not None or data is None):
        outcome = "kept_out"
        reason = f"Version {pinned} is pinned, so this one waits. {reason}" if pinned else reason
    version = None
    if data is not None:
        values: dict[str, Any] = {
            "kind": result.kind,
            "samples": result.samples,
            "manifest": result.manifest,
            "metrics": result.metrics,
            "data": data,
            "sha256": hashlib.sha256(data).hexdigest(),
            "published_at": now,
        }
        if outcome == "live":
            version = models.publish(tx, **values)
        else:
            version = models.add(tx, status="challenger", **values)
        models.forget_bytes(tx, keep=VERSIONS_KEPT, sound=artefacts.sound)
    jobs.end_run(
        tx,
        claim.run_id,
        ended_at=now,
        outcome=outcome,
        reason=reason,
        samples=result.samples,
        metrics=result.metrics,
        curve=curve or [],
        version=version,
    )
    return version if outcome == "live" else None


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
    # What an operator asked for is still wanted; answers that made it due still do.
    asked = {"asked_at": now} if jobs.run(tx, claim.run_id).trigger == "asked" else {}
    if not jobs.release(tx, claim.fence, failures=failures, not_before=now + wait, **asked):
        raise Superseded
    jobs.end_run(tx, claim.run_id, ended_at=now, outcome="failed", reason=reason)


def end_cancelled(tx: Tx, claim: Claim, *, now: float) -> None:
    """An operator ended the run.

    Its answers count as covered: were they due again, the next run would begin at once.

    Raises:
        Superseded: somebody else has the job.
    """
    if not jobs.release(tx, claim.fence, covered_seq=claim.through_seq):
        raise Superseded
    jobs.end_run(
        tx, claim.run_id, ended_at=now, outcome="cancelled", reason="An operator cancelled it."
    )


def ask(tx: Tx, *, actor: str, reason: str, now: float) -> None:
    """An operator wants a training now."""
    jobs.ask(tx, now=now)
    audit.add(tx, now=now, actor=actor, action="train", subject="training", reason=reason)


def cancel(tx: Tx, *, actor: str, reason: str, now: float) -> None:
    """An operator wants the run under way to end; its worker ends it within a second or two.

    Raises:
        Conflict: nothing runs.
    """
    job = jobs.job(tx)
    if job.owner is None:
        msg = "no training is running, so there is nothing to cancel"
        raise Conflict(msg, code="not_running")
    jobs.change(tx, cancel_asked_at=now)
    subject = f"run {job.run_id}"
    audit.add(tx, now=now, actor=actor, action="cancel", subject=subject, reason=reason)


def pause(tx: Tx, *, actor: str, reason: str, now: float) -> None:
    """No training begins by itself from now on; one that runs goes on to its end."""
    jobs.change(tx, paused_at=now)
    audit.add(tx, now=now, actor=actor, action="pause", subject="training", reason=reason)


def resume(tx: Tx, *, actor: str, reason: str, now: float) -> None:
    """Trainings begin by themselves again; what came meanwhile is due."""
    jobs.change(tx, paused_at=None)
    audit.add(tx, now=now, actor=actor, action="resume", subject="training", reason=reason)


def status(tx: Tx, *, threshold: int, now: float) -> dict[str, Any]:
    """The counter and all that hangs on it, as `GET /api/training` answers."""
    job = jobs.job(tx)
    covered = job.covered_seq if job.claimed_seq is None else job.claimed_seq
    last, finished = jobs.last_run(tx), jobs.last_run(tx, finished=True)
    live = models.live(tx)
    return {
        "completed_since_training": attempts.completions(tx, after=covered),
        "threshold": threshold,
        "total_completed": attempts.completions(tx),
        "last_trained_at": finished.ended_at if finished else None,
        "samples_last_training": finished.samples if finished else 0,
        "running": _running(jobs.run(tx, job.run_id), job.progress or {}, now) if job.run_id
                   else None,
        "worker_alive": bool(jobs.workers(tx, since=now - WORKER_SILENT_S)),
        "paused": job.paused_at is not None,
        "pinned_version": job.pinned_version,
        "live_model": _live(live) if live else None,
        "last_result": _ended(last) if last else None,
    }  # fmt: skip


def runs(tx: Tx, *, limit: int) -> list[dict[str, Any]]:
    """The last runs, newest first; the one under way has no outcome yet."""
    return [
        _ended(row) | {"trigger": row.trigger, "owner": row.owner, "curve": row.curve}
        for row in jobs.runs(tx, limit=limit)
    ]


def _running(run: Row[Any], progress: dict[str, Any], now: float) -> dict[str, Any]:
    done = progress.get("fraction", 0.0)
    took = now - run.started_at
    return {
        "run": run.id,
        "trigger": run.trigger,
        "started_at": run.started_at,
        "phase": progress.get("phase", "starting"),
        "fraction": done,
        "epoch": progress.get("epoch"),
        "loss": progress.get("loss"),
        "curve": progress.get("curve", []),
        "seconds_left": took * (1 - done) / done if done >= TELLING_SHARE and took >= 0 else None,
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
        "seconds": None if row.ended_at is None else row.ended_at - row.started_at,
        "metrics": row.metrics,
    }
