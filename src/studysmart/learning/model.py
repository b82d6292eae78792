"""The one face of all learner models, and what they answer with."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from studysmart.errors import ArtefactRejected
from studysmart.learning.responses import Item, Response, Responses, joined

MOST_KEPT = 1_000_000  # answers of a stream
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

    @classmethod
    @abstractmethod
    def fit(
        cls,
        responses: Responses,
        *,
        seed: int = 0,
        valid: Responses | None = None,
        progress: Callable[[float, int, float], None] | None = None,
    ) -> Self:
        """Fit a population to any number of answers, none included.

        Args:
            responses: rows in order of time.
            seed: of everything random; the same answers and seed give the same model.
            valid: answers of other learners, for what is chosen rather than fitted.
            progress: told (share done, epoch, loss on the validation part), by models that go
                through epochs.
        """

    @classmethod
    def fit_stream(
        cls, chunks: Iterable[Responses], *, seed: int = 0, most: int = MOST_KEPT
    ) -> Self:
        """Fit to a log of any length that is handed over in pieces, in bounded memory.

        The last `most` answers are kept and fitted, whole pieces at a time: beyond a million,
        older answers say what newer ones say.

        Args:
            chunks: pieces in order of time, or of whole learners; each is dropped when its answers
                are no longer among the last.
            seed: as in `fit`.
            most: answers to keep, at least; one piece more may be held.
        """
        kept: deque[Responses] = deque()
        held = 0
        for chunk in chunks:
            kept.append(chunk)
            held += len(chunk)
            while held - len(kept[0]) >= most:
                held -= len(kept.popleft())
        return cls.fit(joined(kept), seed=seed)

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
    def from_tensors(
        cls, tensors: dict[str, NDArray[Any]], rest: dict[str, Any], models: Mapping[str, Any]
    ) -> Self:
        """The inverse of `to_tensors`.

        models: those of the same bundle that were built before, by kind: what this one stands on.

        Raises:
            ArtefactRejected: a name, shape or type is not what it must be.
        """

    def to_bytes(self) -> bytes:
        """This model, and those it stands on, as `Engine.to_bytes` writes a bundle."""
        from studysmart.learning.engine import bundled

        return bundled(self).to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The model of this class in a bundle.

        Raises:
            ArtefactRejected: the bytes are damaged, or have no model of this class.
        """
        from studysmart.learning.engine import Engine

        model = Engine.from_bytes(data).models.get(cls.kind)
        if not isinstance(model, cls):
            msg = f"model bytes: have no {cls.kind} model"
            raise ArtefactRejected(msg)
        return model

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
