"""What a model must pass besides being no worse: the checks that no score shows.

Each says in words what it found. A network that fails one does not serve; the next simpler model
that passes does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from studysmart.learning import scores
from studysmart.learning.model import LearnerModel
from studysmart.learning.responses import Response, Responses

# A calibration error beyond twice what perfect forecasts would show with so few answers, and
# beyond what a person would notice, is no chance.
CHANCE_TIMES, NOTICED = 2.0, 0.05
LARGEST_MB = 64.0
# Histories whose next answer is tried both ways: so many learners, so many answers of each.
LEARNERS, LENGTH, TRIED = 10, 40, 4
DEPARTURES = 0.02
FAST_S, SLOW_S = 5.0, 60.0


@dataclass(frozen=True, slots=True)
class Check:
    """One check; ok: None where there was nothing to go by."""

    name: str
    ok: bool | None
    detail: str

    def to_json(self) -> dict[str, Any]:
        """As kept with the run."""
        return asdict(self)


def calibrated(correct: np.ndarray, p: np.ndarray) -> Check:
    """Whether forecasts mean what they say.

    Args:
        correct: (answer,) 1 or 0.
        p: P(correct) as forecast, (answer,).
    """
    if len(p) == 0:
        return Check("calibrated", None, "no answers to judge by")
    found = scores.calibration_error(correct, p)
    chance = scores.calibration_error_by_chance(p)
    most = CHANCE_TIMES * chance + NOTICED
    detail = f"calibration error {found:.3f} over {len(p)} answers, at most {most:.3f}"
    return Check("calibrated", found <= most, detail)


def sized(model: LearnerModel) -> Check:
    """Whether its tensors are small enough to serve from memory, and to keep ten versions of."""
    tensors, _ = model.to_tensors()
    megabytes = sum(tensor.nbytes for tensor in tensors.values()) / 2**20
    return Check("small", megabytes <= LARGEST_MB, f"{megabytes:.2f} MiB, at most {LARGEST_MB:g}")


def monotone(model: LearnerModel, responses: Responses) -> Check:
    """Whether a right answer raises P above what a wrong one does, and a fast one lowers the time.

    At the ends of a few histories of learners who were not fitted last; the prior and LNIRT hold it
    by construction, a network has to show it.

    Args:
        model: which.
        responses: answers, in order of time; the newest learners are tried.
    """
    histories: dict[str, list[Response]] = {}
    newest = responses[max(0, len(responses) - 20 * LEARNERS * LENGTH) :]
    for learner, response in newest:
        histories.setdefault(learner, []).append(response)
    tried = departed = 0
    for history in list(histories.values())[-LEARNERS:]:
        state = model.start()
        for at, response in enumerate(history[-LENGTH:]):
            if at >= min(len(history), LENGTH) - TRIED:
                tried += 1
                departed += not _moves_rightly(model, state, response)
            state = model.update(state, response)
    if tried == 0:
        return Check("monotone", None, "no answers to try")
    detail = f"{departed} of {tried} histories move the wrong way, at most {DEPARTURES:.0%}"
    return Check("monotone", departed <= DEPARTURES * tried, detail)


def _moves_rightly(model: LearnerModel, state: Any, response: Response) -> bool:
    item, at = response.item, response.at

    def after(*, correct: bool, time_s: float | None) -> tuple[float, float]:
        told = model.predict(model.update(state, Response(item, correct, time_s, at)), [item])
        return float(told.p_correct[0]), float(told.log_time_mean[0])

    right = after(correct=True, time_s=response.response_time_s)[0]
    wrong = after(correct=False, time_s=response.response_time_s)[0]
    fast = after(correct=response.correct, time_s=FAST_S)[1]
    slow = after(correct=response.correct, time_s=SLOW_S)[1]
    return right >= wrong and fast <= slow
