"""Experiments: which of two or more models forecasts better for the people who practise here.

Every learner is shown the forecasts of one arm, always the same; what the other arms would have
said of the same task is kept beside it. So every answer judges every arm, on the same tasks and
people, and the difference needs far fewer answers than a comparison of groups would. The intervals
stay valid while one watches, and the rule by which the experiment ends is fixed when it starts.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from studysmart import artefacts
from studysmart.errors import BadInput, Conflict, NotFound
from studysmart.forecasting import Arm, Split
from studysmart.learning import Engine, scores
from studysmart.learning.engine import KINDS
from studysmart.learning.sequential import FEWEST, path, tightest_at
from studysmart.store import Row, Tx, audit, models
from studysmart.store import experiments as rows

METRICS = ("joint", "log_loss", "time_loss")
MOST_ARMS = 4
MOST_ANSWERS = 100_000
STOP_RULE = "stop rule"
WORDS = {
    "joint": "the loss of right or wrong and time together",
    "log_loss": "the log loss of right or wrong",
    "time_loss": "the loss of the time",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """When an experiment ends; fixed at its start.

    alpha: how often a difference may be seen where there is none. at_least, at_most: answers.
    days: it ends after so many whatever was found. margin: a difference within it, to either side,
    is none that matters.
    """

    alpha: float = 0.05
    at_least: int = 200
    at_most: int = 20_000
    days: float = 90.0
    margin: float = 0.005

    def __post_init__(self) -> None:
        """Refuse what could never end, or would mean nothing.

        Raises:
            BadInput: says which number, and what it may be.
        """
        for name, low, high in (
            ("alpha", 0.001, 0.2),
            ("at_least", FEWEST, MOST_ANSWERS),
            ("at_most", max(FEWEST, self.at_least), MOST_ANSWERS),
            ("days", 1 / 24, 3_650),
            ("margin", 0.0, 1.0),
        ):
            value = getattr(self, name)
            if not low <= value <= high:  # nor NaN
                msg = f"{name} is {value}, expected a number from {low:g} to {high:g}"
                raise BadInput(msg)


def start(
    tx: Tx,
    *,
    name: str,
    arms: list[dict[str, Any]],
    metric: str,
    plan: Plan,
    actor: str,
    reason: str,
    now: float,
) -> None:
    """Begin an experiment; from the next look of the web process on learners are in it.

    Args:
        tx: a writing transaction.
        name: by which it is asked for.
        arms: two to four of {"name", "kind", "version"}; the first is the control, which the others
            are compared with. version: None for whichever is live.
        metric: what decides: "joint", "log_loss" or "time_loss".
        plan: when it ends.
        actor: who starts it.
        reason: why.
        now: Unix seconds.

    Raises:
        BadInput: a name, an arm or the metric is not what it may be.
        Conflict: another is under way, the name is taken, or a version has no such model.
        ArtefactRejected: a version must not be served.
    """
    reason = audit.because(reason)
    if not 1 <= len(name) <= 100 or not name.isprintable():
        msg = "an experiment's name has 1 to 100 printable characters"
        raise BadInput(msg)
    if metric not in METRICS:
        msg = f"the metric is '{metric}', expected one of {', '.join(METRICS)}"
        raise BadInput(msg)
    _check_arms(arms)
    other = rows.running(tx)
    if other is not None:
        msg = f"the experiment '{other.name}' is under way; stop it first"
        raise Conflict(msg, code="experiment_running")
    if rows.get(tx, name) is not None:
        msg = f"there was an experiment '{name}' already; give this one another name"
        raise Conflict(msg, code="name_taken")
    values: dict[str, Any] = {
        "name": name,
        "arms": [{key: arm.get(key) for key in ("name", "kind", "version")} for arm in arms],
        "metric": metric,
        "plan": asdict(plan),
        "salt": uuid4().hex,
        "started_at": now,
    }
    _engines(tx, values["arms"], live=None)
    rows.add(tx, **values)
    audit.add(tx, now=now, actor=actor, action="start", subject=f"experiment {name}",
              reason=reason, arms=values["arms"], metric=metric, plan=values["plan"])  # fmt: skip


def stop(tx: Tx, name: str, *, actor: str, reason: str, now: float) -> None:
    """End an experiment before its rule does; what was found so far is its result.

    Raises:
        NotFound: there is none of this name.
        Conflict: it has ended already.
    """
    reason = audit.because(reason)
    row = _get(tx, name)
    if row.stopped_at is not None:
        msg = f"the experiment '{name}' has ended already"
        raise Conflict(msg, code="experiment_ended")
    rows.stop(tx, row.id, now=now, result=_result(tx, row) | {"stopped_by": actor})
    audit.add(tx, now=now, actor=actor, action="stop", subject=f"experiment {name}", reason=reason)


def due(tx: Tx, *, now: float) -> bool:
    """Whether the running experiment's stop rule says that it is over."""
    row = rows.running(tx)
    return row is not None and _verdict(row, _result(tx, row), now=now) is not None


def settle(tx: Tx, *, now: float) -> str | None:
    """End the running experiment if its rule says so; returns the sentence of its result."""
    row = rows.running(tx)
    if row is None:
        return None
    result = _result(tx, row)
    verdict = _verdict(row, result, now=now)
    if verdict is None:
        return None
    rows.stop(tx, row.id, now=now, result=result | {"stopped_by": STOP_RULE})
    audit.add(tx, now=now, actor=STOP_RULE, action="stop", subject=f"experiment {row.name}",
              reason=verdict)  # fmt: skip
    return str(result["sentence"])


def listed(tx: Tx) -> list[dict[str, Any]]:
    """All experiments without what they found, newest first."""
    return [
        _facts(row) | {"sentence": (row.result or {}).get("sentence")} for row in rows.newest(tx)
    ]


def shown(tx: Tx, name: str) -> dict[str, Any]:
    """One experiment with what it found, so far or in the end.

    Raises:
        NotFound: there is none of this name.
    """
    row = _get(tx, name)
    result = row.result if row.result is not None else _result(tx, row) | {"stopped_by": None}
    return _facts(row) | result


def fault(tx: Tx) -> str | None:
    """Why nobody is in the running experiment at the moment, if so."""
    row = rows.running(tx)
    if row is None:
        return None
    try:
        _engines(tx, row.arms, live=None)
    except (Conflict, BadInput, NotFound) as error:
        return str(error)
    return None


def split(tx: Tx, row: Row[Any], live: tuple[Engine, int] | None) -> Split:
    """What a web process needs to put learners into an experiment.

    Args:
        tx: a transaction.
        row: the experiment.
        live: the engine that serves, and its version.

    Raises:
        Conflict: an arm's model is not there.
        ArtefactRejected: a version must not be served.
    """
    engines = _engines(tx, row.arms, live=live)
    arms = [Arm(arm["name"], *found) for arm, found in zip(row.arms, engines, strict=True)]
    return Split(row.id, row.salt, tuple(arms))


# -- what was found --


def _result(tx: Tx, row: Row[Any]) -> dict[str, Any]:
    """JSON-able: answers, learners, arms, differences, path, sentence, decided."""
    arms = [arm["name"] for arm in row.arms]
    plan, metric = Plan(**row.plan), row.metric
    table = _Table(rows.scored(tx, row.id), arms)
    level = plan.alpha / (len(arms) - 1)
    rho2 = tightest_at(math.sqrt(plan.at_least * plan.at_most), level)
    differences, paths = [], {}
    for k, arm in enumerate(arms[1:], start=1):
        found = {
            name: path(table.losses[name][:, k] - table.losses[name][:, 0], table.learner,
                       alpha=level, rho2=rho2)
            for name in METRICS
        }  # fmt: skip
        paths[arm] = [list(one) for one in found[metric]]
        differences.append(
            {"arm": arm, "control": arms[0]}
            | {name: found[name][-1]._asdict() if found[name] else None for name in METRICS}
        )
    decided = [_decided(one[metric], plan) for one in differences]
    answers, learners = len(table.learner), len(np.unique(table.learner))
    return {
        "answers": answers,
        "learners": learners,
        "arms_found": table.arms(),
        "differences": differences,
        "paths": paths,
        "decided": decided,
        "sentence": _sentence(row, differences, decided, answers, learners),
    }


class _Table:
    """Answers of which every arm's forecast is known, in order of arrival.

    losses: by metric, (answer, arm); shown: index of the arm that was shown, (answer,).
    """

    def __init__(self, scored: list[Row[Any]], names: list[str]) -> None:
        self.names = names
        index = {name: k for k, name in enumerate(names)}
        answers = []
        for _, group in groupby(scored, key=lambda one: one.attempt_seq):
            by_arm = {one.arm: one for one in group}
            if set(by_arm) >= set(names):
                answers.append([by_arm[name] for name in names])

        def column(name: str) -> NDArray[np.float64]:
            values = [[getattr(one, name) for one in arms] for arms in answers]
            return np.array(values, dtype=np.float64).reshape(len(answers), len(names))

        self.learner = np.array([arms[0].learner_id.hex for arms in answers])
        self.shown = np.array(
            [index[next(one.arm for one in arms if one.shown)] for arms in answers], dtype=np.intp
        )
        self.model = [[one.model for one in arms] for arms in answers]
        self.correct, self.p = column("is_correct"), column("p_correct")
        self.log_time = column("log_time")
        self.mean, self.sd = column("log_time_mean"), column("log_time_sd")
        right = scores.cross_entropy(self.correct, self.p)
        time = scores.time_loss(self.log_time, self.mean, self.sd)
        self.losses: dict[str, NDArray[np.float64]] = {
            "joint": right + np.nan_to_num(time), "log_loss": right, "time_loss": time,
        }  # fmt: skip

    def arms(self) -> list[dict[str, Any]]:
        """Each arm on all answers, and how it went for those who were shown it."""
        return [self._arm(k, name) for k, name in enumerate(self.names)]

    def _arm(self, k: int, name: str) -> dict[str, Any]:
        own = self.shown == k
        found: dict[str, Any] = {
            "name": name,
            "learners": len(np.unique(self.learner[own])),
            "answers": int(own.sum()),
            "right": float(self.correct[own, k].mean()) if own.any() else None,
            "by_model": dict(Counter(one[k] for one in self.model)),
            "scores": {},
        }
        if len(self.learner):
            found["scores"] = scores.summary(
                self.correct[:, k], self.p[:, k], self.log_time[:, k], self.mean[:, k],
                self.sd[:, k],
            )  # fmt: skip
        return found


def _decided(difference: dict[str, Any] | None, plan: Plan) -> str | None:
    """What a difference says once there are answers enough: "better", "worse", "alike", None."""
    if difference is None or difference["answers"] < plan.at_least:
        return None
    low, high = difference["low"], difference["high"]
    if high < 0:
        return "better"
    if low > 0:
        return "worse"
    return "alike" if -plan.margin <= low and high <= plan.margin else None


def _verdict(row: Row[Any], result: dict[str, Any], *, now: float) -> str | None:
    """Why the stop rule ends the experiment now; None: it goes on."""
    plan = Plan(**row.plan)
    if None not in result["decided"]:
        return "every arm is decided"
    if result["answers"] >= plan.at_most:
        return f"the {plan.at_most} answers that were planned are there"
    if now - row.started_at > plan.days * 86_400:
        return f"the {plan.days:g} days that were planned are over"
    return None


def _sentence(
    row: Row[Any],
    differences: list[dict[str, Any]],
    decided: list[str | None],
    answers: int,
    learners: int,
) -> str:
    if all(one[row.metric] is None for one in differences):
        return f"{FEWEST} answers are needed to say anything; so far there are {answers}."
    coverage = f"{1 - row.plan['alpha']:.0%}"
    parts = []
    for one, verdict in zip(differences, decided, strict=True):
        arm, control, found = one["arm"], one["control"], one[row.metric]
        if found is None:
            continue
        ends = f"{found['low']:+.4f} to {found['high']:+.4f}"
        said = {
            "better": f"{arm} forecasts better than {control}",
            "worse": f"{control} forecasts better than {arm}",
            "alike": f"{arm} and {control} forecast alike",
            None: f"no difference shows yet between {arm} and {control}",
        }[verdict]
        parts.append(f"{said}: {WORDS[row.metric]} differs by {ends}")
    people = f"{learners} learner{'s' if learners != 1 else ''}"
    return (
        f"{'; '.join(parts)} ({coverage}, valid while watched), on {answers} answers of {people}."
    )


# -- arms --


def _check_arms(arms: list[dict[str, Any]]) -> None:
    if not 2 <= len(arms) <= MOST_ARMS:
        msg = f"an experiment has 2 to {MOST_ARMS} arms, found {len(arms)}"
        raise BadInput(msg)
    for arm in arms:
        if arm["kind"] not in KINDS:
            msg = f"arm '{arm['name']}' is of kind '{arm['kind']}', known are {', '.join(KINDS)}"
            raise BadInput(msg)
        if not 1 <= len(arm["name"]) <= 50 or not arm["name"].isprintable():
            msg = "an arm's name has 1 to 50 printable characters"
            raise BadInput(msg)
    if len({arm["name"] for arm in arms}) < len(arms):
        msg = f"two arms have one name: {', '.join(arm['name'] for arm in arms)}"
        raise BadInput(msg)
    if len({(arm["kind"], arm.get("version")) for arm in arms}) < len(arms):
        msg = "two arms are the same model; they would never differ"
        raise BadInput(msg)


def _engines(
    tx: Tx, arms: list[dict[str, Any]], *, live: tuple[Engine, int] | None
) -> list[tuple[Engine, int]]:
    """Each arm's engine and version.

    Args:
        tx: a transaction.
        arms: as kept.
        live: what serves; None to read it.
    """
    found: dict[int | None, tuple[Engine, int]] = {} if live is None else {None: live}
    for arm in arms:
        version = arm["version"]
        if version not in found:
            found[version] = _read(tx, version)
    chosen = []
    for arm in arms:
        engine, number = found[arm["version"]]
        if arm["kind"] not in engine.models:
            msg = (
                f"arm '{arm['name']}': version {number} has no {arm['kind']} model, only "
                f"{', '.join(engine.models)}; name a version that has one, or train again"
            )
            raise Conflict(msg, code="no_such_model")
        chosen.append((engine.serving_as(arm["kind"]), number))
    return chosen


def _read(tx: Tx, version: int | None) -> tuple[Engine, int]:
    number = models.live_version(tx) if version is None else version
    row = models.get(tx, number) if number is not None else None
    if row is None and version is None:
        msg = "no model is live yet; the first training makes one after five answers"
        raise Conflict(msg, code="no_such_model")
    if row is None:
        msg = f"there is no version {version}; `studysmart models list` has all there are"
        raise NotFound(msg)
    return artefacts.verified(row), row.version


def _get(tx: Tx, name: str) -> Row[Any]:
    row = rows.get(tx, name)
    if row is None:
        msg = f"there is no experiment '{name}'; `studysmart experiments list` has all there are"
        raise NotFound(msg)
    return row


def _facts(row: Row[Any]) -> dict[str, Any]:
    return {
        "name": row.name,
        "arms": row.arms,
        "metric": row.metric,
        "plan": row.plan,
        "started_at": row.started_at,
        "stopped_at": row.stopped_at,
    }
