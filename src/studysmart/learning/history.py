"""One learner's history as causal features: what is known of the past just before the next answer.

Each is kept up in constant time. Residuals are against LNIRT's running forecast, so that they say
what the simpler model did not foresee: counts, shrunk means and fast and slow exponential averages
of them, overall, per skill and per item, for right and wrong and for log time, and how long ago
each was.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from studysmart.learning.lnirt import Lnirt, State
from studysmart.learning.responses import Item, Response

FAST, SLOW = 0.3, 0.08
LABELS_KEPT = (
    1_000  # skills and items remembered one by one; a bound on what a stranger can make us keep
)

FEATURES = (
    "lnirt_logit", "lnirt_log_time", "prior_logit", "prior_log_time", "theta_sd",
    "count", "residual_mean", "residual_fast", "residual_slow", "last_right",
    "skill_new", "skill_count", "skill_residual_mean", "skill_residual_fast", "skill_last_right",
    "skill_age", "item_count", "item_last_right", "item_age",
    "time_fast", "time_slow", "time_last", "skill_time", "item_time", "gap", "gap_known",
)  # fmt: skip


class Trace(NamedTuple):
    """What is remembered of one skill or item of one learner."""

    n: int
    residuals: float
    fast: float
    right: float
    at: int
    time: float


class History(NamedTuple):
    """All that the features need; a value, never changed in place."""

    lnirt: State
    n: int
    residuals: float
    fast: float
    slow: float
    right: float
    time_fast: float
    time_slow: float
    time_last: float
    at: float | None
    skills: dict[str, Trace]
    items: dict[str, Trace]


NEW = Trace(0, 0.0, 0.0, 0.0, 0, 0.0)


def start(lnirt: Lnirt) -> History:
    """Nothing is known."""
    return History(lnirt.start(), 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, None, {}, {})


def features(
    history: History, item: Item, lnirt: Lnirt, *, at: float | None
) -> tuple[list[float], float, float]:
    """(features in the order of `FEATURES`, LNIRT's logit, LNIRT's mean log time).

    at: Unix seconds when the task is given; the gap is counted to there. None, NaN or infinite
    when unknown.
    """
    logit, log_time, _ = lnirt.predict_one(history.lnirt, item)
    prior_logit, prior_time = lnirt.prior.parameters(item)
    sd = lnirt.prior.log_time_sd
    skill = history.skills.get(item.skill, NEW) if item.skill else NEW
    seen = history.items.get(item.item, NEW) if item.item else NEW
    n = history.n
    gap = None
    if at is not None and history.at is not None and math.isfinite(at):
        gap = at - history.at
    return (
        [
            0.5 * logit,
            (log_time - prior_time) / sd,
            0.5 * prior_logit,
            (prior_time - 3.0) / 2,
            2 * math.sqrt(history.lnirt.var_theta) - 1,
            math.log1p(n) / 4,
            4 * history.residuals / (n + 4),
            3 * history.fast,
            3 * history.slow,
            history.right,
            float(skill.n == 0),
            math.log1p(skill.n) / 3,
            4 * skill.residuals / (skill.n + 2),
            3 * skill.fast,
            skill.right,
            math.log1p(n - skill.at) / 4 if skill.n else 0.0,
            math.log1p(seen.n),
            seen.right,
            math.log1p(n - seen.at) / 4 if seen.n else 0.0,
            history.time_fast / sd,
            history.time_slow / sd,
            history.time_last / sd,
            skill.time / sd,
            seen.time / sd,
            math.log1p(max(gap, 0.0)) / 10 if gap is not None else 0.0,
            float(gap is not None),
        ],
        logit,
        log_time,
    )


def outcome(response: Response, logit: float, log_time: float, sd: float) -> list[float]:
    """What the answer itself adds: (+-1 right or wrong, residual, time residual, time known)."""
    residual = float(response.correct) - 1 / (1 + math.exp(-logit))
    late = _late(response, log_time)
    if late is None:
        return [2.0 * response.correct - 1, 2 * residual, 0.0, 0.0]
    return [2.0 * response.correct - 1, 2 * residual, late / sd, 1.0]


def append(
    history: History, response: Response, lnirt: Lnirt, *, logit: float, log_time: float
) -> History:
    """The history after an answer that LNIRT had forecast with `logit` and `log_time`."""
    item = response.item
    right = 2.0 * response.correct - 1
    residual = float(response.correct) - 1 / (1 + math.exp(-logit))
    late = _late(response, log_time)
    answered_at = response.answered_at
    n = history.n
    return History(
        lnirt.update(history.lnirt, response),
        n + 1,
        history.residuals + residual,
        history.fast + FAST * (residual - history.fast),
        history.slow + SLOW * (residual - history.slow),
        right,
        history.time_fast
        if late is None
        else history.time_fast + FAST * (late - history.time_fast),
        history.time_slow
        if late is None
        else history.time_slow + SLOW * (late - history.time_slow),
        0.0 if late is None else late,
        history.at if answered_at is None else answered_at,
        _noted(history.skills, item.skill, residual, right, late, n),
        _noted(history.items, item.item, residual, right, late, n),
    )


def _noted(
    traces: dict[str, Trace],
    label: str | None,
    residual: float,
    right: float,
    late: float | None,
    now: int,
) -> dict[str, Trace]:
    if not label or (label not in traces and len(traces) >= LABELS_KEPT):
        return traces
    old = traces.get(label, NEW)
    return traces | {
        label: Trace(
            old.n + 1,
            old.residuals + residual,
            old.fast + FAST * (residual - old.fast),
            right,
            now,
            old.time if late is None else old.time + 0.5 * (late - old.time),
        )
    }


def _late(response: Response, forecast: float) -> float | None:
    """Log time against its forecast, bounded; None where there is no time."""
    log_time = response.log_time
    return None if log_time is None else max(-4.0, min(4.0, log_time - forecast))
