"""One model on one split: fitted, asked for forecasts, probed for leaks, and what that cost."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from studysmart.errors import BadInput
from studysmart.learning import measuring
from studysmart.learning.engine import CLASSES
from studysmart.learning.leaks import leaks
from studysmart.learning.model import LearnerModel, Prediction
from studysmart.learning.responses import Responses
from studysmart.learning.splits import Rows, Split

# Takes the answers to fit, and by name what it knows of: seed, valid.
Fit = Callable[..., LearnerModel]

COSTS = (
    "fit_s", "fit_cpu_s", "fit_answers_per_cpu_s", "predict_s", "predict_answers_per_s", "peak_mb",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trial:
    """What is done with one model on one split; all that its process is told."""

    fit: str | Fit
    split: Split
    responses: Responses
    seed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial: forecasts of the test rows, what they cost, and what was wrong."""

    prediction: Prediction | None
    costs: dict[str, float | None]
    leak: str | None = None
    error: str | None = None


def attempt(trial: Trial, *, isolated: bool, limit_s: float | None) -> Outcome:
    """What comes of a trial; one that fails costs its own figures, never the others'.

    Args:
        trial: what to do.
        isolated: in a process of its own.
        limit_s: with `isolated`, it is given up after so many seconds.
    """
    try:
        if not isolated:
            return run(trial)
        outcome, peak = measuring.alone(run, trial, limit_s=limit_s)
        return replace(outcome, costs=outcome.costs | {"peak_mb": peak})
    except (BadInput, measuring.Broken) as refused:
        return Outcome(None, {}, error=str(refused))
    except Exception as error:  # noqa: BLE001 - reported beside the figures of the other models
        return Outcome(None, {}, error=measuring.one_line(error))


def run(trial: Trial) -> Outcome:
    """Fit, forecast, and probe for leaks."""
    split, responses = trial.split, trial.responses
    train = responses[split.train]
    valid = responses[split.valid] if len(split.valid) else None
    fitted = measuring.timed(lambda: fit(trial.fit, train, seed=trial.seed, valid=valid))
    model, leak = fitted.result, None
    if split.hidden is not None:
        hidden = split.hidden
        made = measuring.timed(lambda: hidden_cells(model, responses, hidden))
    else:
        test = responses[split.test]
        made = measuring.timed(lambda: model.predict_all(test))
        leak = leaks(model, test, seed=trial.seed)
    return Outcome(
        made.result,
        {
            "fit_s": fitted.wall_s,
            "fit_cpu_s": fitted.cpu_s,
            "fit_answers_per_cpu_s": len(train) / max(fitted.cpu_s, 1e-9),
            "predict_s": made.wall_s,
            "predict_answers_per_s": len(split.test) / max(made.wall_s, 1e-9),
        },
        leak,
    )


def fit(
    how: str | Fit, responses: Responses, *, seed: int = 0, valid: Responses | None = None
) -> LearnerModel:
    """A model of this kind, fitted on these answers.

    Args:
        how: a kind, or what fits a model.
        responses: rows in order of time.
        seed: of everything random; passed to those who have such a parameter, like `valid`.
        valid: answers of other learners, for what is chosen rather than fitted.
    """
    make: Fit = CLASSES[how].fit if isinstance(how, str) else how
    wanted = inspect.signature(make).parameters
    given = {"seed": seed, "valid": valid}
    return make(responses, **{name: value for name, value in given.items() if name in wanted})


def hidden_cells(model: LearnerModel, responses: Responses, hidden: Rows) -> Prediction:
    """Forecast hidden answers from all visible ones of their learners, earlier and later.

    A model that knows what an answer's place in the sequence means may have a method
    `predict_hidden(responses, hidden)`; for others the visible answers are replayed, and the hidden
    ones forecast after them.

    Args:
        model: fitted on the visible answers.
        responses: all answers, each learner's in order of time.
        hidden: which of them are hidden, (row,).

    Returns:
        Forecasts of the hidden rows, in order.
    """
    # What is hidden is not handed over, so that nobody has to be trusted not to look.
    responses = replace(
        responses,
        correct=np.where(hidden, 0.0, responses.correct),
        response_time_s=np.where(hidden, np.nan, responses.response_time_s),
        at=np.where(hidden, np.nan, responses.at),
    )
    own = getattr(model, "predict_hidden", None)
    if own is not None:
        found: Prediction = own(responses, hidden)
        return found
    visible: dict[str, list[Any]] = {}
    asked: dict[str, list[tuple[int, Any]]] = {}
    for row, (learner, response) in enumerate(responses):
        if hidden[row]:
            asked.setdefault(learner, []).append((row, response.item))
        else:
            visible.setdefault(learner, []).append(response)
    out = np.full((len(responses), 3), np.nan)
    for learner, cells in asked.items():
        made = model.predict(model.replay(visible.get(learner, ())), [item for _, item in cells])
        rows = [row for row, _ in cells]
        out[rows] = np.stack([made.p_correct, made.log_time_mean, made.log_time_sd], axis=1)
    return Prediction(*out[hidden].T)
