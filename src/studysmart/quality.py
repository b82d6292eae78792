"""How good the forecasts are, live: every one that was shown is scored when its answer arrives.

The scores are rows, so that they outlive the model that forecast, and the window is whatever one
asks for. A warning is raised where the live window is worse than what the model reached when it
was judged, or looks unlike what it was fitted on, beyond what chance explains.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studysmart.learning import Response, scores
from studysmart.learning.model import Z_80
from studysmart.store import Row, Tx, models
from studysmart.store import scores as rows

MOST_SCORED = 20_000
# Answers of the learner that a forecast rested on.
KNOWN = ((0, 0, "none"), (1, 4, "1 to 4"), (5, 19, "5 to 19"), (20, 99, "20 to 99"))
KNOWN_LONG = "100 and more"
# Fewer answers than these say nothing that chance would not.
FEWEST_TO_WARN = 50
# A warning needs a difference of so many standard errors: of a hundred looks at independent windows
# in which nothing is wrong, about three in a thousand warn.
BEYOND_CHANCE = 3.0


def score(tx: Tx, task: Row[Any], seq: int, response: Response, *, now: float) -> None:
    """Keep what was forecast for a task beside its answer.

    Args:
        tx: the transaction that keeps the answer.
        task: its row, with the forecast it was given with.
        seq: the number of the attempt.
        response: the answer; its time None when it is impossible.
        now: Unix seconds.
    """
    common = {
        "attempt_seq": seq,
        "learner_id": task.learner_id,
        "experiment_id": task.experiment_id,
        "subject": task.subject,
        "topic": task.topic,
        "known": task.forecast.get("answers", 0),
        "is_correct": response.correct,
        "log_time": response.log_time,
        "at": now,
    }
    shown = {
        "shown": True,
        "arm": task.arm or "",
        "model": task.model,
        "model_version": task.model_version,
        "p_correct": task.p_correct,
        "log_time_mean": task.log_time_mean,
        "log_time_sd": task.log_time_sd,
    }
    shadows = [
        {"shown": False, "model_version": shadow["version"]}
        | {k: shadow[k] for k in ("arm", "model", "p_correct", "log_time_mean", "log_time_sd")}
        for shadow in task.shadows or ()
    ]
    rows.add(tx, [common | one for one in (shown, *shadows)])


def report(tx: Tx, *, days: float, now: float) -> dict[str, Any]:
    """Live forecast quality of the last days, of the newest 20,000 forecasts at most.

    Each group has n, times (answers with a possible time), and where they can be computed:
    log_loss with low and high (95 %, by learner), brier, ece and ece_by_chance, log_time_rmse,
    mae_s, coverage_80.
    """
    scored = rows.newest(tx, since=now - days * 86_400, limit=MOST_SCORED)
    window = _Window(scored)
    live = models.live(tx)
    return {
        "days": days,
        "since": scored[0].at if scored else None,
        "truncated": len(scored) == MOST_SCORED,
        "overall": window.summary(),
        "reliability": scores.reliability(window.correct, window.p) if scored else [],
        "by_model": window.by(lambda row: row.model),
        "by_version": window.by(_version),
        "by_topic": window.by(lambda row: row.topic or "none"),
        "by_known": window.by(lambda row: _known(row.known)),
        "by_day": window.by(lambda row: datetime.fromtimestamp(row.at, UTC).date().isoformat()),
        "fallbacks": _fallbacks(scored, live),
        "warnings": warnings(scored, live),
    }


def warnings(scored: list[Row[Any]], live: Row[Any] | None) -> list[str]:
    """What an operator should look at, a plain sentence each; empty when all is as expected.

    Args:
        scored: forecasts that were shown, with their answers.
        live: the live model's row, with what it reached when it was judged.
    """
    if live is None:
        return []
    # In an experiment others are shown too, on purpose.
    of_live = [
        row for row in scored
        if row.model_version == live.version and (not row.arm or row.model == live.kind)
    ]  # fmt: skip
    if len(of_live) < FEWEST_TO_WARN:
        return []
    window = _Window(of_live)
    judged = live.metrics.get(live.kind, {})
    told = []

    def compare(values: NDArray[Any], expected: float | None, sentence: str) -> None:
        """Warn where the mean is higher than expected, or where it is the wrong one at all."""
        values, learner = values[np.isfinite(values)], window.learner[np.isfinite(values)]
        if expected is None or len(values) < FEWEST_TO_WARN:
            return
        error = _error(values, learner)
        mean = float(values.mean())
        if mean - expected > BEYOND_CHANCE * error:
            told.append(sentence.format(now=mean, then=expected, n=len(values)))

    judged_n = max(1.0, judged.get("n", 1.0))

    def judged_mean(name: str, spread: float) -> float | None:
        """The judged mean, less sharp than it looks: it is an estimate itself."""
        value = judged.get(name)
        return None if value is None else value + BEYOND_CHANCE * spread / math.sqrt(judged_n)

    loss = window.loss
    compare(
        loss,
        judged_mean("log_loss", float(loss.std())),
        "Forecasts of P(correct) are worse than when the model was judged: log loss {now:.3f} over "
        "{n} answers, {then:.3f} would still be chance.",
    )
    late = np.abs(window.log_time - window.mean)
    squares = late**2
    rmse = judged.get("log_time_rmse")
    compare(
        squares,
        None if rmse is None
        else rmse**2 + BEYOND_CHANCE * float(np.nanstd(squares)) / math.sqrt(judged_n),
        "Forecasts of the time are worse than when the model was judged: mean square of the log "
        "error {now:.3f} over {n} answers, {then:.3f} would still be chance.",
    )  # fmt: skip
    gap = window.correct - window.p
    for sign, words in ((1.0, "more"), (-1.0, "fewer")):
        compare(
            sign * gap,
            0.0,
            f"People are right {words} often than was forecast: by {{now:.1%}} of {{n}} answers.",
        )
    outside = (late > Z_80 * window.sd).astype(float)
    outside[~np.isfinite(late)] = np.nan
    compare(
        outside,
        0.2,
        "Times fall outside the 80 % interval in {now:.0%} of {n} answers; {then:.0%} is expected.",
    )
    return told


def _fallbacks(scored: list[Row[Any]], live: Row[Any] | None) -> dict[str, int]:
    """Forecasts that another model gave than the one that serves, by which one it was."""
    if live is None:
        return {}
    return dict(
        Counter(
            row.model
            for row in scored
            if row.model_version == live.version and not row.arm and row.model != live.kind
        )
    )


class _Window:
    """Scored forecasts as arrays (answer,)."""

    def __init__(self, scored: list[Row[Any]]) -> None:
        self.rows = scored
        column: Callable[[str], NDArray[np.float64]] = lambda name: np.array(
            [getattr(row, name) for row in scored], dtype=np.float64
        )
        self.correct, self.p = column("is_correct"), column("p_correct")
        self.log_time = column("log_time")  # NaN for None
        self.mean, self.sd = column("log_time_mean"), column("log_time_sd")
        self.learner = np.array([row.learner_id.hex for row in scored])
        self.loss = scores.cross_entropy(self.correct, self.p)

    def summary(self, some: NDArray[np.intp] | None = None) -> dict[str, float | None]:
        """All scores of these rows."""
        at = np.arange(len(self.rows)) if some is None else some
        if len(at) == 0:
            return {"n": 0.0, "times": 0.0}
        found: dict[str, float | None] = dict(
            scores.summary(
                self.correct[at], self.p[at], self.log_time[at], self.mean[at], self.sd[at]
            )
        )
        _, low, high = scores.paired_interval(self.loss[at], self.learner[at])
        return found | {
            "times": float(np.isfinite(self.log_time[at]).sum()),
            "brier": float(((self.p[at] - self.correct[at]) ** 2).mean()),
            "ece_by_chance": scores.calibration_error_by_chance(self.p[at]),
            "log_loss_low": low,
            "log_loss_high": high,
        }

    def by(self, key: Callable[[Row[Any]], str]) -> list[dict[str, Any]]:
        """The same by group, the largest first."""
        groups: dict[str, list[int]] = {}
        for index, row in enumerate(self.rows):
            groups.setdefault(key(row), []).append(index)
        ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
        return [{"name": name, **self.summary(np.array(at))} for name, at in ordered]


def _error(values: NDArray[Any], learner: NDArray[Any]) -> float:
    """Standard error of the mean, answers of one learner being alike."""
    _, low, high = scores.paired_interval(values, learner)
    return math.inf if low is None or high is None else (high - low) / (2 * 1.96)


def _version(row: Row[Any]) -> str:
    return f"version {row.model_version}" if row.model_version is not None else "before the first"


def _known(answers: int) -> str:
    return next((name for low, high, name in KNOWN if low <= answers <= high), KNOWN_LONG)
