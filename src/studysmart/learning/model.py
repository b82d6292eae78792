"""The one face of all learner models, and what they answer with."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from studysmart.learning.responses import Item, Response, Responses

Z_80 = 1.2815515655446004  # half width of the central 80 % of a normal distribution, in sd


@dataclass(frozen=True, slots=True)
class Prediction:
    """Forecasts for many items at once; arrays of shape (item,).

    p_correct in (0, 1); log_time_mean in log-seconds; log_time_sd > 0.
    """

    p_correct: NDArray[np.float64]
    log_time_mean: NDArray[np.float64]
    log_time_sd: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Forecast:
    """One forecast, and who made it on what grounds.

    reason: one sentence: why this link of the chain answered.
    answers: answers of this learner that it rests on.
    samples: answers of all learners that the model was fitted on.
    """

    p_correct: float
    log_time_mean: float
    log_time_sd: float
    model: str
    reason: str
    answers: int
    samples: int

    @property
    def time_median_s(self) -> float:
        """Median response time, seconds."""
        return math.exp(self.log_time_mean)

    @property
    def time_low_s(self) -> float:
        """Lower end of the central 80 % interval, seconds."""
        return math.exp(self.log_time_mean - Z_80 * self.log_time_sd)

    @property
    def time_high_s(self) -> float:
        """Upper end of the central 80 % interval, seconds."""
        return math.exp(self.log_time_mean + Z_80 * self.log_time_sd)


class LearnerModel(ABC):
    """A model of a learner: a population that was fitted, and one learner's state that is updated.

    States are values: `update` returns a new one and leaves the given one as it was. Replaying a
    learner's answers gives the state that updating one by one gave.
    """

    kind: ClassVar[str]

    @abstractmethod
    def start(self) -> Any:
        """The state of a learner of whom nothing is known."""

    @abstractmethod
    def update(self, state: Any, response: Response) -> Any:
        """The state after one more answer, in constant time."""

    @abstractmethod
    def predict(self, state: Any, items: Sequence[Item], *, at: float | None = None) -> Prediction:
        """Forecast each item for the learner in this state.

        at: Unix seconds of now; None when unknown.
        """

    @abstractmethod
    def to_tensors(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """The fitted population as named arrays and a JSON-able remainder."""

    @classmethod
    @abstractmethod
    def from_tensors(cls, tensors: dict[str, NDArray[Any]], rest: dict[str, Any]) -> Self:
        """The inverse of `to_tensors`.

        Raises:
            ArtefactRejected: a name, shape or type is not what it must be.
        """

    def predict_all(self, responses: Responses) -> Prediction:
        """Forecast every row of a table from its learner's earlier rows in that table only.

        Rows are in order of time; a learner's first row is forecast for a stranger. This is what
        calling `predict` and `update` row by row gives; models do it faster where they can.
        """
        states: dict[str, Any] = {}
        out = np.empty((len(responses), 3))
        for row, (learner, response) in enumerate(responses):
            state = states.get(learner)
            if state is None:
                state = self.start()
            found = self.predict(state, [response.item], at=response.asked_at)
            out[row] = found.p_correct[0], found.log_time_mean[0], found.log_time_sd[0]
            states[learner] = self.update(state, response)
        return Prediction(*out.T)

    def replay(self, responses: Iterable[Response]) -> Any:
        """The state after these answers."""
        state = self.start()
        for response in responses:
            state = self.update(state, response)
        return state
