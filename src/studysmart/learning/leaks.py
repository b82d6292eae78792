"""Probing a model for what its forecasts must not depend on: the answer itself, and the future."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from studysmart.learning.model import LearnerModel, Prediction
from studysmart.learning.responses import Responses
from studysmart.learning.splits import Rows, positions

# A forecast that moves by less when it must not move at all is rounding of single precision.
SAME = 1e-4
# Learners, their first rows, and pairs of learner and row that a model is probed with; few learners
# are probed several times.
LEAK_LEARNERS, LEAK_ROWS, LEAK_TRIES, MOST_TURNS = 24, 200, 48, 6


def leaks(model: LearnerModel, responses: Responses, *, seed: int = 0) -> str | None:
    """What a model's forecasts depend on and must not; None where nothing was found.

    Of a few learners, all answers and times from a random row on are turned into others (the moment
    of being asked kept), and all tasks after it; then later rows and every other learner are left
    out. Forecasts up to and including that row must stay as they were.

    Args:
        model: fitted.
        responses: each learner's rows in order of time.
        seed: of the learners and rows that are tried.
    """
    rng = np.random.default_rng(seed)
    names = rng.permutation(np.unique(responses.learner))[:LEAK_LEARNERS]
    table = responses[np.isin(responses.learner, names)]
    table = table[positions(table.learner) <= LEAK_ROWS]
    position = positions(table.learner)
    _, who = np.unique(table.learner, return_inverse=True)
    before = model.predict_all(table)
    for turn in range(min(MOST_TURNS, -(-LEAK_TRIES // len(names)))):
        cut = rng.integers(1, np.bincount(who) + 1)[who]  # position of the first row that changes
        chosen = (who + turn) % 2 == 0
        early = position <= cut
        after = model.predict_all(_otherwise(table, position - cut, chosen, rng))
        if moved := _moved(before, after, early):
            return f"{moved} when only answers and times that were not given yet had changed"
        few = early & chosen
        kept = Prediction(*(column[few] for column in _columns(before)))
        if moved := _moved(kept, model.predict_all(table[few]), np.ones(int(few.sum()), bool)):
            return f"{moved} when later rows and other learners were left out"
    return None


def _otherwise(
    table: Responses, since: NDArray[np.intp], forgotten: Rows, rng: np.random.Generator
) -> Responses:
    """The same rows with another future: other outcomes, times and later tasks.

    since: rows after the first that changes, negative before it. forgotten: whose times become
    unknown, since that too is a part of the answer; others' become five times as long.
    """
    time = np.exp(table.log_times())
    known = np.isfinite(time)
    other = np.where(known, np.where(forgotten, np.nan, np.where(time > 1e3, 0.2, 5) * time), 30.0)
    asked = table.at - np.where(known, time, 0.0)
    tasks = np.arange(len(table))
    tasks[since > 0] = rng.permutation(tasks[since > 0])
    return replace(
        table,
        item=table.item[tasks],
        skill=table.skill[tasks],
        topic=table.topic[tasks],
        difficulty=table.difficulty[tasks],
        correct=np.where(since >= 0, 1 - table.correct, table.correct),
        response_time_s=np.where(since >= 0, other, table.response_time_s),
        at=np.where(since >= 0, asked + np.nan_to_num(other), table.at),
    )


def _moved(before: Prediction, after: Prediction, rows: Rows) -> str:
    for name, old, new in zip(
        ("P(correct)", "the mean log time", "the sd of log time"),
        _columns(before), _columns(after), strict=True,
    ):  # fmt: skip
        moved = rows & ~np.isclose(old, new, rtol=0, atol=SAME, equal_nan=True)
        if moved.any():
            most = np.nanmax(np.abs(old - new)[moved], initial=0.0)
            many = f"{int(moved.sum())} of {int(rows.sum())}"
            return f"{name} of {many} rows moved, by up to {most:.2g},"
    return ""


def _columns(p: Prediction) -> tuple[NDArray[np.float64], ...]:
    return p.p_correct, p.log_time_mean, p.log_time_sd
