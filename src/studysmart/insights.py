"""What a learner's own answers say: accuracy, time, forecast against reality.

From the log alone.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import groupby
from statistics import median
from typing import Any
from uuid import UUID

from studysmart import forecasting
from studysmart.forecasting import Forecaster
from studysmart.store import Row, Tx, attempts, tasks

SCORED_TASKS = 2_000
DAYS_SHOWN = 84
Z_80 = 1.2815515655446004  # half width of the central 80 % of a normal distribution, in sd


def of_learner(tx: Tx, learner_id: UUID, model: Forecaster, *, now: float) -> dict[str, Any]:
    """All figures of the analytics page; each comes with its n."""
    answered = attempts.of_learner(tx, learner_id, after=0)
    scored = tasks.scored(tx, learner_id, limit=SCORED_TASKS)
    timed = [row for row in scored if row.time_plausible]
    return {
        "answers": len(answered),
        "correct": sum(row.is_correct for row in answered),
        "forecasts_scored": len(scored),
        "log_loss": _mean([_log_loss(row) for row in scored]),
        "expected_correct": sum(row.p_correct for row in scored) if scored else None,
        "time_coverage_80": _mean([float(_inside(row)) for row in timed]),
        "times_scored": len(timed),
        "topics": _topics(tx, learner_id, model, answered, now=now),
        "reliability": _reliability(scored),
        "days": _days(answered),
    }


def _topics(
    tx: Tx, learner_id: UUID, model: Forecaster, answered: list[Row[Any]], *, now: float
) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[Row[Any]]] = defaultdict(list)
    for row in answered:
        groups[row.subject or "", row.topic or ""].append(row)
    by_size = sorted(groups.items(), key=lambda group: -len(group[1]))
    asked = [
        forecasting.item(item=None, skill=None, topic=topic or None, difficulty="medium")
        for (_, topic), _ in by_size
    ]
    expected = model.forecast(tx, learner_id, asked, at=now) if asked else []
    topics = []
    for ((subject, topic), rows), forecast in zip(by_size, expected, strict=True):
        times = [row.response_time_s for row in rows if row.time_plausible]
        topics.append(
            {
                "subject": subject or "Imported",
                "topic": topic or "Imported",
                "answers": len(rows),
                "correct": sum(row.is_correct for row in rows),
                "timed": len(times),
                "median_time_s": median(times) if times else None,
                "p_correct_now": forecast.said.p_correct,
                "last_answered_at": max(
                    (row.answered_at for row in rows if row.answered_at is not None), default=None
                ),
            }
        )
    return topics


def _reliability(scored: list[Row[Any]]) -> list[dict[str, Any]]:
    tenth = lambda row: min(9, int(row.p_correct * 10))
    bins = []
    for index, group in groupby(sorted(scored, key=tenth), key=tenth):
        rows = list(group)
        bins.append(
            {
                "low": index / 10,
                "high": (index + 1) / 10,
                "n": len(rows),
                "forecast": sum(row.p_correct for row in rows) / len(rows),
                "observed": sum(row.is_correct for row in rows) / len(rows),
            }
        )
    return bins


def _days(answered: list[Row[Any]]) -> list[dict[str, Any]]:
    given: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for row in answered:
        if row.answered_at is not None:
            day = datetime.fromtimestamp(row.answered_at, UTC).date().isoformat()
            given[day] += 1
            right[day] += row.is_correct
    return [
        {"day": day, "answers": given[day], "correct": right[day]}
        for day in sorted(given)[-DAYS_SHOWN:]
    ]


def _log_loss(row: Row[Any]) -> float:
    p = row.p_correct if row.is_correct else 1 - row.p_correct
    return -math.log(max(p, 1e-6))


def _inside(row: Row[Any]) -> bool:
    """Whether the time fell into the 80 % interval that was forecast."""
    z = (math.log(row.response_time_s) - row.log_time_mean) / row.log_time_sd
    return bool(abs(z) <= Z_80)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
