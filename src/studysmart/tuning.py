"""Searching for better settings of a network, one trial after the other, in the training job.

A trial is a run like any other: same lease, same fence, same child. A training that is due goes
before the next trial; the one under way is finished first. All that a search knows are its trials'
rows, so that it goes on after a crash with nothing lost but the trial under way. What it finds is
only proposed: trainings fit and judge it from then on, and the gate decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from studysmart import training
from studysmart.errors import BadInput, Conflict, NotFound
from studysmart.learning.configuration import TUNABLE, Configuration
from studysmart.store import Row, Tx, attempts, audit, configurations, jobs, tunings
from studysmart.training import Claim

# Fewer answers cannot tell two configurations apart.
FEWEST_ANSWERS = 200
LONGEST_BUDGET_S, MOST_TRIALS = 7 * 86_400.0, 1_000
# Every active configuration makes each training longer by one fit.
MOST_ACTIVE = 3
GIVE_UP_AFTER = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """The right to run one trial."""

    claim: Claim
    tuning_id: int
    number: int
    kind: str
    seed: int


def start(
    tx: Tx, *, kind: str, budget_s: float, most_trials: int, seed: int, actor: str, reason: str,
    now: float,
) -> None:  # fmt: skip
    """Begin a search; the worker takes it up within a second.

    Args:
        tx: a writing transaction.
        kind: "sequence" or "attention".
        budget_s: it ends after so many seconds of trials.
        most_trials: or after so many of them.
        seed: of the search; the same answers and seed try the same.
        actor: who wants it.
        reason: why.
        now: Unix seconds.

    Raises:
        BadInput: a kind or a budget that cannot be.
        Conflict: Optuna is not installed, a search is under way, or there are too few answers.
    """
    reason = audit.because(reason)
    if find_spec("optuna") is None:
        msg = "a search needs Optuna where the worker runs: pip install 'studysmart[tune]'"
        raise Conflict(msg, code="not_installed")
    if kind not in TUNABLE:
        msg = f"the kind is '{kind}', expected one of {', '.join(TUNABLE)}"
        raise BadInput(msg)
    if not 1 <= budget_s <= LONGEST_BUDGET_S:
        msg = f"the budget is {budget_s:g} s, expected 1 second to 7 days"
        raise BadInput(msg)
    if not 2 <= most_trials <= MOST_TRIALS:
        msg = f"{most_trials} trials are asked for, expected 2 to {MOST_TRIALS}"
        raise BadInput(msg)
    if tunings.running(tx) is not None:
        msg = "a search is under way; stop it first"
        raise Conflict(msg, code="tuning_running")
    answers = attempts.completions(tx)
    if answers < FEWEST_ANSWERS:
        msg = f"{answers} answers are too few to tell settings apart; {FEWEST_ANSWERS} are needed"
        raise Conflict(msg, code="too_few_answers")
    tunings.add(
        tx, kind=kind, budget_s=budget_s, most_trials=most_trials, seed=seed,
        through_seq=attempts.last_seq(tx), started_at=now,
    )  # fmt: skip
    audit.add(tx, now=now, actor=actor, action="tune", subject=kind, reason=reason,
              budget_s=budget_s, most_trials=most_trials, seed=seed)  # fmt: skip


def stop(tx: Tx, *, actor: str, reason: str, now: float) -> None:
    """End the search with what it has found so far.

    Raises:
        Conflict: none is under way.
    """
    reason = audit.because(reason)
    row = tunings.running(tx)
    if row is None:
        msg = "no search is under way"
        raise Conflict(msg, code="not_running")
    _conclude(tx, row, now=now, why="stopped")
    audit.add(tx, now=now, actor=actor, action="stop", subject="search", reason=reason)


def status(tx: Tx) -> dict[str, Any] | None:
    """The search that began last, with its trials; None where there was none."""
    row = tunings.last(tx)
    if row is None:
        return None
    trials = [
        {"number": one.number, "parameters": one.parameters, "loss": one.loss,
         "seconds": one.seconds, "at": one.at}
        for one in tunings.trials(tx, row.id)
    ]  # fmt: skip
    return {
        "kind": row.kind,
        "budget_s": row.budget_s,
        "most_trials": row.most_trials,
        "seed": row.seed,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "spent_s": sum(one["seconds"] for one in trials),
        "trials": trials,
        "reason": row.reason,
    }


def claim_if_due(tx: Tx, *, owner: str, now: float) -> Trial | None:
    """Take the job for the next trial, if a search is under way and nobody holds the job.

    Args:
        tx: a writing transaction.
        owner: the worker that asks.
        now: Unix seconds.
    """
    row, job = tunings.running(tx), jobs.job(tx)
    if row is None or job.owner is not None:
        return None
    run_id = jobs.add_run(tx, trigger="tune", owner=owner, now=now, samples=0)
    fence = jobs.claim(tx, owner=owner, run_id=run_id, claimed_seq=None, asked=False)
    number = len(tunings.trials(tx, row.id))
    return Trial(Claim(run_id, fence, row.through_seq), row.id, number, row.kind, row.seed)


def worth_looking(tx: Tx) -> bool:
    """Whether `claim_if_due` would find something, were the job free."""
    return tunings.running(tx) is not None


def tried(tx: Tx, tuning_id: int) -> list[tuple[dict[str, float], float | None]]:
    """Parameters and loss of all trials so far, in order."""
    return [(one.parameters, one.loss) for one in tunings.trials(tx, tuning_id)]


def finish(
    tx: Tx,
    trial: Trial,
    *,
    parameters: dict[str, float],
    loss: float | None,
    metrics: dict[str, Any],
    reason: str,
    now: float,
) -> None:
    """Keep what a trial came to, and end the search when its budget is spent; one transaction.

    Args:
        tx: a writing transaction.
        trial: which.
        parameters: that were tried; empty when it failed before it knew them.
        loss: the joint loss of an answer; None when it failed.
        metrics: all scores.
        reason: a sentence for the list of runs.
        now: Unix seconds.

    Raises:
        Superseded: somebody else has the job; nothing may be written.
    """
    if not jobs.release(tx, trial.claim.fence):
        raise training.Superseded
    began = jobs.run(tx, trial.claim.run_id).started_at
    outcome = "tried" if loss is not None else "failed"
    jobs.end_run(tx, trial.claim.run_id, ended_at=now, outcome=outcome, reason=reason,
                 metrics=metrics)  # fmt: skip
    row = tunings.running(tx)
    if row is None or row.id != trial.tuning_id:
        return  # stopped meanwhile
    tunings.add_trial(
        tx, tuning_id=row.id, number=trial.number, parameters=parameters, loss=loss,
        seconds=max(0.0, now - began), metrics=metrics, at=now,
    )  # fmt: skip
    trials = tunings.trials(tx, row.id)
    if sum(one.seconds for one in trials) >= row.budget_s:
        _conclude(tx, row, now=now, why="the budget is spent")
    elif len(trials) >= row.most_trials:
        _conclude(tx, row, now=now, why="all trials are done")
    elif all(one.loss is None for one in trials[-GIVE_UP_AFTER:]) and len(trials) >= GIVE_UP_AFTER:
        _conclude(tx, row, now=now, why=f"{GIVE_UP_AFTER} trials failed one after the other")


def drop(tx: Tx, trial: Trial, *, reason: str, now: float) -> None:
    """A trial is left, through no fault of its own, and will be tried again.

    Raises:
        Superseded: somebody else has the job.
    """
    if not jobs.release(tx, trial.claim.fence):
        raise training.Superseded
    jobs.end_run(tx, trial.claim.run_id, ended_at=now, outcome="failed", reason=reason)


def _conclude(tx: Tx, row: Row[Any], *, now: float, why: str) -> None:
    """Propose the best configuration, if it is better than the built-in one."""
    trials = [one for one in tunings.trials(tx, row.id) if one.loss is not None]
    why = why[0].upper() + why[1:]
    usual = Configuration(row.kind).parameters
    built_in = next((one.loss for one in trials if one.parameters == usual), None)
    best = min(trials, key=lambda one: one.loss, default=None)
    if best is None or built_in is None or best.loss >= built_in:
        reason = f"{why}: the built-in settings remain, of {len(trials)} tried."
        tunings.end(tx, row.id, now=now, reason=reason, configuration_id=None)
        return
    name = f"tuned {row.id}"
    room = _make_room(tx, now=now, instead=name)
    found = configurations.add(
        tx, name=name, kind=row.kind, parameters=best.parameters, source="tuned", active=room,
        created_at=now,
    )  # fmt: skip
    then = (
        "trainings try it from now on, and the gate decides" if room
        else f"{MOST_ACTIVE} others are active, so activate it in the place of one"
    )  # fmt: skip
    reason = (
        f"{why}: '{name}' has a loss of {best.loss:.4f} on later answers, the built-in settings "
        f"{built_in:.4f}; {then}."
    )
    tunings.end(tx, row.id, now=now, reason=reason, configuration_id=found)
    if room:
        jobs.ask(tx, now=now)


def _make_room(tx: Tx, *, now: float, instead: str) -> bool:
    """Whether one more may be active; what an earlier search found gives way, said in the audit."""
    active = configurations.newest(tx, active=True)
    if len(active) < MOST_ACTIVE:
        return True
    found = [one for one in active if one.source == "tuned"]
    if not found:
        return False
    configurations.activate(tx, found[-1].id, active=False)
    subject, reason = f"configuration {found[-1].name}", f"'{instead}' takes its place"
    audit.add(tx, now=now, actor="search", action="deactivate", subject=subject, reason=reason)
    return True


# -- configurations, made by hand or found --


def add(
    tx: Tx, *, name: str, kind: str, parameters: dict[str, Any], actor: str, reason: str, now: float
) -> None:
    """Let every training fit and judge a network with these settings too.

    Raises:
        BadInput: a name or a value that cannot be.
        Conflict: the name is taken, or enough are active.
    """
    reason = audit.because(reason)
    settings = Configuration.of(kind, parameters)
    if not 1 <= len(name) <= 100 or not name.isprintable():
        msg = "a configuration's name has 1 to 100 printable characters"
        raise BadInput(msg)
    if configurations.get(tx, name) is not None:
        msg = f"there is a configuration '{name}' already"
        raise Conflict(msg, code="name_taken")
    _room(tx)
    configurations.add(
        tx, name=name, kind=kind, parameters=settings.parameters, source="made", active=True,
        created_at=now,
    )  # fmt: skip
    audit.add(tx, now=now, actor=actor, action="add", subject=f"configuration {name}",
              reason=reason, parameters=settings.parameters)  # fmt: skip


def activate(tx: Tx, name: str, *, active: bool, actor: str, reason: str, now: float) -> None:
    """Let trainings try a configuration, or no longer.

    Raises:
        NotFound: there is none of this name.
        Conflict: enough are active.
    """
    reason = audit.because(reason)
    row = configurations.get(tx, name)
    if row is None:
        msg = f"there is no configuration '{name}'"
        raise NotFound(msg)
    if active and not row.active:
        _room(tx)
    configurations.activate(tx, row.id, active=active)
    action = "activate" if active else "deactivate"
    audit.add(tx, now=now, actor=actor, action=action, subject=f"configuration {name}",
              reason=reason)  # fmt: skip


def listed(tx: Tx) -> list[dict[str, Any]]:
    """All configurations, newest first."""
    return [
        {"name": row.name, "kind": row.kind, "parameters": row.parameters, "source": row.source,
         "active": row.active, "created_at": row.created_at}
        for row in configurations.newest(tx)
    ]  # fmt: skip


def _room(tx: Tx) -> None:
    if len(configurations.newest(tx, active=True)) >= MOST_ACTIVE:
        msg = (
            f"{MOST_ACTIVE} configurations are active, and each makes every training longer; "
            "deactivate one"
        )
        raise Conflict(msg, code="enough_active")
