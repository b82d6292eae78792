"""Which model serves, decided by people: look, compare, promote, go back, pin, carry elsewhere.

Exactly one version is live, always. A version goes live only after its bytes were verified, and
every change has somebody who made it and a reason, in the audit.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studysmart import artefacts, forecasting
from studysmart.errors import ArtefactRejected, BadInput, Conflict, NotFound
from studysmart.learning import Engine, Prior, Responses
from studysmart.learning.scores import FEWEST_LEARNERS, paired_interval
from studysmart.learning.training import Judged, Serving, judge
from studysmart.store import Row, Tx, attempts, audit, jobs, models

# Fewer answers that neither model was fitted on say too little about either.
ENOUGH = 50
MOST_COMPARED = 2_000
# What is read before the compared answers, so that their learners are known to the models.
HISTORY = 200_000
LONGEST_MANIFEST, DEEPEST_MANIFEST = 2**18, 12


# -- look --


def listed(tx: Tx) -> list[dict[str, Any]]:
    """All versions, newest first, as `GET /api/models` answers.

    `fault` says why a version must not be served; None for one that may, and for one whose bytes
    are not kept any more (`has_data`).
    """
    pinned = jobs.job(tx).pinned_version
    return [_facts(tx, row, pinned) for row in models.newest(tx)]


def shown(tx: Tx, version: int) -> dict[str, Any]:
    """One version with its manifest, and the run that made it (None for an imported one).

    Raises:
        NotFound: there is no such version.
    """
    row = next((row for row in models.newest(tx) if row.version == version), None)
    if row is None:
        raise _unknown(version)
    run = jobs.run_of(tx, version)
    return _facts(tx, row, jobs.job(tx).pinned_version) | {
        "manifest": row.manifest,
        "sha256": row.sha256,
        "run": None
        if run is None
        else {
            "run": run.id,
            "trigger": run.trigger,
            "owner": run.owner,
            "started_at": run.started_at,
            "ended_at": run.ended_at,
            "outcome": run.outcome,
            "reason": run.reason or "",
            "curve": run.curve,
        },
    }


def _facts(tx: Tx, row: Row[Any], pinned: int | None) -> dict[str, Any]:
    kept = ("version", "status", "source", "kind", "samples", "published_at", "metrics")
    return {name: getattr(row, name) for name in kept} | {
        "has_data": bool(row.has_data),
        "pinned": row.version == pinned,
        "fault": artefacts.fault(_get(tx, row.version)) if row.has_data else None,
    }


def serving(tx: Tx) -> dict[str, int | None]:
    """Which version is live, and which is pinned."""
    return {
        "live_version": models.live_version(tx),
        "pinned_version": jobs.job(tx).pinned_version,
    }


def acts(tx: Tx, *, limit: int) -> list[dict[str, Any]]:
    """What operators did last, newest first."""
    names = ("at", "actor", "action", "subject", "reason", "details")
    return [{name: getattr(row, name) for name in names} for row in audit.newest(tx, limit=limit)]


# -- change --


def promote(tx: Tx, version: int, *, actor: str, reason: str, now: float) -> None:
    """Make a version live, a challenger too; the one that was is retired.

    Args:
        tx: a writing transaction.
        version: which.
        actor: as in `audit.add`.
        reason: in the actor's words, not empty.
        now: Unix seconds.

    Raises:
        NotFound: there is no such version.
        Conflict: it is live, or another is pinned.
        ArtefactRejected: its bytes are damaged, or not kept any more.
    """
    reason = audit.because(reason)
    row, live = _get(tx, version), models.live_version(tx)
    _nothing_pinned(tx)
    if version == live:
        msg = f"version {version} is live already"
        raise Conflict(msg, code="already_live")
    _verify(row, live)
    models.promote(tx, version)
    _note(tx, "promote", version, actor=actor, reason=reason, now=now, before=live)


def rollback(tx: Tx, *, actor: str, reason: str, now: float) -> int:
    """Go back to the version that was live before, past damaged ones; returns its number.

    Asked again, it goes back further: the version that was left is no longer on the way.

    Raises:
        Conflict: nothing sound was live before, or a version is pinned.
    """
    reason = audit.because(reason)
    _nothing_pinned(tx)
    live = models.live_version(tx)
    passed: dict[str, str] = {}
    for version in models.earlier(tx):
        fault = artefacts.fault(_get(tx, version))
        if fault is None:
            models.go_back(tx, version)
            _note(tx, "rollback", version, actor=actor, reason=reason, now=now, before=live,
                  passed=passed)  # fmt: skip
            return version
        passed[str(version)] = fault
    why = f" ({'; '.join(passed.values())})" if passed else ""
    msg = f"no earlier version can be gone back to{why}; version {live} goes on serving"
    raise Conflict(msg if live else "nothing is live yet", code="nothing_earlier")


def pin(tx: Tx, version: int, *, actor: str, reason: str, now: float) -> None:
    """Let a version serve whatever training brings, until it is unpinned; promotes it when needed.

    Another version that was pinned no longer is.

    Raises:
        NotFound: there is no such version.
        Conflict: it is pinned already.
        ArtefactRejected: its bytes are damaged, or not kept any more.
    """
    reason = audit.because(reason)
    row, live, job = _get(tx, version), models.live_version(tx), jobs.job(tx)
    if version == job.pinned_version:
        msg = f"version {version} is pinned already"
        raise Conflict(msg, code="already_pinned")
    _verify(row, live)
    if version != live:
        models.promote(tx, version)
    jobs.change(tx, pinned_version=version)
    _note(tx, "pin", version, actor=actor, reason=reason, now=now, before=live)


def unpin(tx: Tx, *, actor: str, reason: str, now: float) -> int:
    """Let the next better model go live by itself again; returns the version that was pinned.

    Raises:
        Conflict: none is.
    """
    reason = audit.because(reason)
    version = jobs.job(tx).pinned_version
    if version is None:
        msg = "no version is pinned"
        raise Conflict(msg, code="not_pinned")
    jobs.change(tx, pinned_version=None)
    _note(tx, "unpin", version, actor=actor, reason=reason, now=now)
    return int(version)


# -- carry elsewhere --


def exported(tx: Tx, version: int) -> bytes:
    """The bytes of a version exactly as they are stored.

    Raises:
        NotFound: there is no such version.
        ArtefactRejected: they are damaged, or not kept any more.
    """
    row = _get(tx, version)
    fault = artefacts.fault(row)
    if fault is not None:
        raise ArtefactRejected(fault)
    return bytes(row.data)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Bytes from outside that were verified."""

    data: bytes
    sha256: str
    kind: str
    manifest: dict[str, Any]


def read(data: bytes) -> Candidate:
    """Verify bytes from outside; needs no transaction, since nothing is stored.

    Args:
        data: what `exported` gave, here or in another installation.

    Raises:
        ArtefactRejected: anything at all is not what it must be; says what.
    """
    engine = Engine.from_bytes(data)
    manifest = engine.manifest
    # It becomes JSON in a database and on the wire, where not all that Python reads is allowed.
    if _deeper(manifest, DEEPEST_MANIFEST):
        msg = f"model bytes: the manifest cannot be kept: more than {DEEPEST_MANIFEST} levels"
        raise ArtefactRejected(msg)
    try:
        text = json.dumps(manifest, allow_nan=False, ensure_ascii=False).encode()
    except ValueError as error:  # NaN, half of a character
        msg = f"model bytes: the manifest cannot be kept: {error}"
        raise ArtefactRejected(msg) from error
    if len(text) > LONGEST_MANIFEST or b"\\u0000" in text:
        msg = (
            f"model bytes: the manifest cannot be kept: {len(text)} bytes (at most "
            f"{LONGEST_MANIFEST}), or a NUL in it"
        )
        raise ArtefactRejected(msg)
    if manifest["samples"] >= 2**31:
        msg = f"model bytes: fitted on {manifest['samples']} answers, more than can be kept"
        raise ArtefactRejected(msg)
    return Candidate(data, hashlib.sha256(data).hexdigest(), engine.serving, manifest)


def take_in(
    tx: Tx, candidate: Candidate, *, actor: str, reason: str, now: float
) -> tuple[int, bool]:
    """Keep verified bytes as a challenger; never live by itself.

    The same bytes are the same version, which gets them back if they were no longer kept.

    Returns:
        (its number, whether it is a new one).
    """
    reason = audit.because(reason)
    version = models.by_sha256(tx, candidate.sha256)
    new = version is None
    if version is None:
        metrics = candidate.manifest.get("metrics")
        version = models.add(
            tx,
            status="challenger",
            source="imported",
            kind=candidate.kind,
            samples=candidate.manifest["samples"],
            manifest=candidate.manifest,
            metrics=metrics if isinstance(metrics, dict) else {},
            data=candidate.data,
            sha256=candidate.sha256,
            published_at=now,
        )
    elif not artefacts.sound(_get(tx, version)):
        models.restore_bytes(tx, version, candidate.data)
    _note(tx, "import", version, actor=actor, reason=reason, now=now, new=new,
          sha256=candidate.sha256)  # fmt: skip
    return version, new


# -- compare --


@dataclass(frozen=True, slots=True)
class Contender:
    """A version that is compared; `fitted_seq`: the last answer of this installation in its fit."""

    version: int
    kind: str
    source: str
    engine: Engine
    fitted_seq: int


@dataclass(frozen=True, slots=True)
class Material:
    """What a comparison needs, read in one transaction and judged outside of it.

    table: answers in order of arrival, the last `judged` of which are compared on; seq: their
    numbers, (row,).
    """

    a: Contender
    b: Contender
    table: Responses
    seq: NDArray[np.int64]
    judged: int


def gather(
    tx: Tx, a: int, b: int, *, answers: int = MOST_COMPARED, history: int = HISTORY
) -> Material:
    """Read two versions and the newest answers.

    Where enough answers came after both were fitted, only those are compared on; otherwise the
    newest half of all, whoever saw them.

    Args:
        tx: a transaction.
        a: a version.
        b: another.
        answers: compare on so many at most.
        history: read so many at most, those included.

    Raises:
        NotFound: there is no such version.
        BadInput: it is the same version twice.
        ArtefactRejected: one is damaged, or its bytes are not kept any more.
        Conflict: there are no answers to compare on.
    """
    if a == b:
        msg = f"version {a} is compared with itself; name two versions"
        raise BadInput(msg)
    contenders = _contender(tx, a), _contender(tx, b)
    numbers: list[int] = []

    def noted() -> Any:
        for row in attempts.everyones(tx, newest=history):
            numbers.append(row.seq)
            yield row

    table = forecasting.responses(noted())
    seq = np.array(numbers, np.int64)
    unseen = int((seq > max(one.fitted_seq for one in contenders)).sum())
    judged = min(answers, unseen if unseen >= ENOUGH else len(seq) // 2)
    if judged == 0:
        msg = f"{len(seq)} answers are too few to compare two models on"
        raise Conflict(msg, code="too_few_answers")
    return Material(*contenders, table, seq, judged)


def compare(material: Material) -> dict[str, Any]:
    """Judge both on the same answers, and beside them the prior, fitted on what came before.

    Every answer is forecast from its learner's earlier ones. Differences are b - a, losses, so that
    below zero b is better; their 95 % intervals go by learner (`scores.paired_interval`).

    Returns:
        JSON-able: a, b and prior (scores, and how many of the answers each was fitted on), answers,
        learners, unseen (answers that neither a nor b was fitted on), differences (log_loss,
        time_loss and joint: mean, low, high; low and high None for fewer than ten answers),
        clustered (False when there were too few learners to go by), sentence.
    """
    table, judged = material.table, material.judged
    first = len(table) - judged
    who, seq = table.learner[first:], material.seq[first:]
    contenders = (material.a, material.b)
    found = [judge(Serving(one.engine), table, judged) for one in contenders]
    prior = judge(Prior.fit(table[:first]), table, judged)
    differences = {
        "log_loss": _difference(found[1].right - found[0].right, who),
        "time_loss": _difference(found[1].time - found[0].time, who),
        "joint": _difference(found[1].joint - found[0].joint, who),
    }
    seen = [int((seq <= one.fitted_seq).sum()) for one in contenders]
    learners = len(np.unique(who))
    return {
        **{
            name: {
                "version": one.version,
                "kind": one.kind,
                "source": one.source,
                "scores": judgement.summary(),
                "fitted_on": known,
            }
            for name, one, judgement, known in zip("ab", contenders, found, seen, strict=True)
        },
        "prior": {"kind": "prior", "scores": prior.summary(), "fitted_on": 0, "samples": first},
        "answers": judged,
        "learners": learners,
        "unseen": int((seq > max(one.fitted_seq for one in contenders)).sum()),
        "differences": differences,
        "clustered": learners >= FEWEST_LEARNERS,
        "sentence": _sentence(contenders, found, prior, differences["joint"], seen, learners),
    }


def _contender(tx: Tx, version: int) -> Contender:
    row = _get(tx, version)
    engine = artefacts.verified(row)
    if row.source == "imported":
        fitted = 0
    else:  # versions of before it was noted may have seen all that was there
        fitted = row.manifest.get("fitted_seq") or attempts.last_seq(
            tx, received_by=row.published_at
        )
    return Contender(version, row.kind, row.source, engine, fitted)


def _difference(values: NDArray[np.float64], who: NDArray[np.str_]) -> dict[str, float | None]:
    known = np.isfinite(values)
    if not known.any():
        return {"mean": None, "low": None, "high": None}
    mean, low, high = paired_interval(values[known], who[known])
    return {"mean": mean, "low": low, "high": high}


def _sentence(
    contenders: tuple[Contender, Contender],
    found: list[Judged],
    prior: Judged,
    joint: dict[str, float | None],
    seen: list[int],
    learners: int,
) -> str:
    a, b = (one.version for one in contenders)
    losses = [float(one.joint.mean()) for one in (*found, prior)]
    low, high = joint["low"], joint["high"]
    n = len(prior.correct)
    if low is None or high is None:
        verdict = f"{n} answers are too few to tell versions {a} and {b} apart"
    elif low > 0 or high < 0:
        better, worse = (b, a) if high < 0 else (a, b)
        ends = sorted((abs(low), abs(high)))
        verdict = (
            f"Version {better} forecasts better than version {worse}, by {ends[0]:.3f} to "
            f"{ends[1]:.3f} in the loss of right or wrong and time together (95 % interval)"
        )
    else:
        verdict = (
            f"No difference shows between versions {a} and {b}: the loss of right or wrong and "
            f"time together differs by {low:.3f} to {high:.3f} (95 % interval)"
        )
    fitted = [
        f"version {one.version} was fitted on {known} of them"
        for one, known in zip(contenders, seen, strict=True)
        if known
    ]
    elsewhere = [
        f"version {one.version} was fitted elsewhere, on what is not known here"
        for one in contenders
        if one.source == "imported"
    ]
    grounds = f"on {n} answers of {learners} learner{'s' if learners != 1 else ''}"
    if fitted:
        grounds += (
            f"; {' and '.join(fitted)}, which flatters {'it' if len(fitted) == 1 else 'them'}"
        )
    elif not elsewhere:
        grounds += " that neither was fitted on"
    more = "".join(f"; {each}" for each in elsewhere)
    if losses[2] < min(losses[:2]):
        more += "; the prior alone does better than both"
    return f"{verdict}, {grounds}{more}."


# -- what several of these need --


def _get(tx: Tx, version: int) -> Row[Any]:
    row = models.get(tx, version)
    if row is None:
        raise _unknown(version)
    return row


def _unknown(version: int) -> NotFound:
    return NotFound(f"there is no version {version}; `studysmart models list` has all there are")


def _verify(row: Row[Any], live: int | None) -> None:
    fault = artefacts.fault(row)
    if fault is not None:
        msg = f"{fault}; {f'version {live} goes on' if live else 'the prior goes on'} serving"
        raise ArtefactRejected(msg)


def _nothing_pinned(tx: Tx) -> None:
    pinned = jobs.job(tx).pinned_version
    if pinned is not None:
        msg = f"version {pinned} is pinned; unpin it first, or pin the version that should serve"
        raise Conflict(msg, code="pinned")


def _note(
    tx: Tx, action: str, version: int, *, actor: str, reason: str, now: float, **details: Any
) -> None:
    audit.add(tx, now=now, actor=actor, action=action, subject=f"version {version}",
              reason=reason, **details)  # fmt: skip


def _deeper(value: Any, most: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(most == 0 or _deeper(each, most - 1) for each in inner)
