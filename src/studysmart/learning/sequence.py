"""The sequence model: an LSTM over a learner's whole history that starts from LNIRT.

    x_t  = [embeddings of item, skill, topic, difficulty; features; outcome of the answer]
    h_t  = LSTM(x_1 .. x_t)
    z    = tanh(W [h_{t}, features, embeddings] + w)       for the next item
    logit P(correct)   = LNIRT's logit    + u_p . z
    mean of log time   = LNIRT's mean     + s u_m . z
    log sd of log time = log s            + u_s . z        s: the prior's spread of log time

With u = 0 it says what LNIRT says; training moves it away from there only as far as that helps. It
knows a learner by the history, never by an id, so that a new one needs no retraining. Row 0 of each
table of embeddings stands for everything unknown and is trained by random masking.

This module is NumPy only; `sequence_fit` has the same equations in JAX, and a test holds them
together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from studysmart.errors import ArtefactRejected
from studysmart.learning import history as past
from studysmart.learning.history import FEATURES, History
from studysmart.learning.lnirt import Lnirt
from studysmart.learning.model import LearnerModel, Prediction
from studysmart.learning.responses import Item, Response, Responses

Weights = dict[str, NDArray[np.float32]]

HIDDEN = 32
HEAD = 32
OUTCOME = 4
# Width of the embedding of each label.
WIDTHS = {"item": 4, "skill": 8, "topic": 4, "difficulty": 3}
LOGIT_BOUND, LOG_SD_BOUND = 7.0, 1.5


class State(NamedTuple):
    """One learner: the history's features and the LSTM's memory."""

    history: History
    h: NDArray[np.float32]
    c: NDArray[np.float32]


@dataclass(frozen=True)
class SequenceModel(LearnerModel):
    """The fitted network over the LNIRT it starts from.

    vocabulary: per label, the row of each known value; unknown ones are row 0.
    """

    kind: ClassVar[str] = "sequence"

    lnirt: Lnirt
    weights: Weights
    vocabulary: dict[str, dict[str, int]]

    @classmethod
    def fit(
        cls,
        responses: Responses,
        lnirt: Lnirt,
        *,
        seed: int = 0,
        progress: Callable[[float, int, float], None] | None = None,
    ) -> Self:
        """Train on these answers, JAX in this process; see `sequence_fit`."""
        from studysmart.learning import sequence_fit

        weights, vocabulary = sequence_fit.fit(responses, seed=seed, progress=progress)
        return cls(lnirt, weights, vocabulary)

    def start(self) -> State:
        """Nobody yet: an empty history."""
        zero = np.zeros(HIDDEN, np.float32)
        return State(past.start(self.lnirt), zero, zero)

    def update(self, state: State, response: Response) -> State:
        """One LSTM step, whatever the length of the history."""
        history = state.history
        features, logit, log_time = past.features(
            history, response.item, self.lnirt, at=response.asked_at
        )
        sd = self.lnirt.prior.log_time_sd
        x = np.concatenate(
            [
                self._embedded([response.item])[0],
                np.array(features + past.outcome(response, logit, log_time, sd), dtype=np.float32),
            ]
        )
        h, c = step(self.weights, x, state.h, state.c)
        history = past.append(history, response, self.lnirt, logit=logit, log_time=log_time)
        return State(history, h, c)

    def predict(
        self, state: State, items: Sequence[Item], *, at: float | None = None
    ) -> Prediction:
        """All items in one pass through the head."""
        rows = [past.features(state.history, item, self.lnirt, at=at) for item in items]
        features = np.array([row[0] for row in rows], dtype=np.float32).reshape(-1, len(FEATURES))
        embedded = self._embedded(items)
        logit, mean, log_sd = head(self.weights, state.h, features, embedded)
        sd = self.lnirt.prior.log_time_sd
        base_logit = np.array([row[1] for row in rows])
        base_time = np.array([row[2] for row in rows])
        bounded = np.clip(base_logit + logit, -LOGIT_BOUND, LOGIT_BOUND)
        return Prediction(
            p_correct=1 / (1 + np.exp(-bounded)),
            log_time_mean=base_time + sd * np.clip(mean, -4, 4),
            log_time_sd=sd * np.exp(np.clip(log_sd, -LOG_SD_BOUND, LOG_SD_BOUND)),
        )

    def _embedded(self, items: Sequence[Item]) -> NDArray[np.float32]:
        columns = []
        for label in WIDTHS:
            rows = self.vocabulary[label]
            index = [rows.get(getattr(item, label) or "", 0) for item in items]
            columns.append(self.weights[f"embed_{label}"][index])
        return np.concatenate(columns, axis=1)

    def to_tensors(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Weights by name, and the vocabularies in the order of their rows."""
        names = {k: sorted(v, key=v.__getitem__) for k, v in self.vocabulary.items()}
        return dict(self.weights), {"vocabulary": names}

    @classmethod
    def from_tensors(
        cls, tensors: dict[str, NDArray[Any]], rest: dict[str, Any], lnirt: Lnirt | None = None
    ) -> Self:
        """Refuses weights of other names or shapes than this code computes with."""
        if lnirt is None:
            msg = "sequence: needs the LNIRT that it was trained over"
            raise ArtefactRejected(msg)
        vocabulary = {
            label: {name: row + 1 for row, name in enumerate(rest["vocabulary"][label])}
            for label in WIDTHS
        }
        wanted = shapes({label: len(rows) for label, rows in vocabulary.items()})
        for name, shape in wanted.items():
            got = tensors[name].shape if name in tensors else None
            if got is None or (got != shape and not (
                name.startswith("embed_") and got[0] >= shape[0] and got[1:] == shape[1:]
            )):  # fmt: skip
                msg = f"sequence: '{name}' has shape {got}, expected {shape}"
                raise ArtefactRejected(msg)
        return cls(lnirt, {name: tensors[name] for name in wanted}, vocabulary)


def shapes(rows: dict[str, int]) -> dict[str, tuple[int, ...]]:
    """Shape of every weight, for vocabularies of so many known labels."""
    embedded = sum(WIDTHS.values())
    x = embedded + len(FEATURES) + OUTCOME
    into_head = HIDDEN + len(FEATURES) + embedded
    return {f"embed_{label}": (rows[label] + 1, width) for label, width in WIDTHS.items()} | {
        "lstm_x": (x, 4 * HIDDEN),
        "lstm_h": (HIDDEN, 4 * HIDDEN),
        "lstm_b": (4 * HIDDEN,),
        "head_w": (into_head, HEAD),
        "head_b": (HEAD,),
        "out_w": (HEAD, 3),
        "out_b": (3,),
    }


def step(
    w: Weights, x: NDArray[np.float32], h: NDArray[np.float32], c: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """One LSTM step: gates in the order input, forget, cell, output."""
    gates = x @ w["lstm_x"] + h @ w["lstm_h"] + w["lstm_b"]
    i, f, o = (1 / (1 + np.exp(-gates[k * HIDDEN : (k + 1) * HIDDEN])) for k in (0, 1, 3))
    new = (f * c + i * np.tanh(gates[2 * HIDDEN : 3 * HIDDEN])).astype(np.float32)
    return (o * np.tanh(new)).astype(np.float32), new


def head(
    w: Weights,
    h: NDArray[np.float32],
    features: NDArray[np.float32],
    embedded: NDArray[np.float32],
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Departures from LNIRT for each item: of the logit, the mean and the log sd of log time."""
    shared = h @ w["head_w"][:HIDDEN] + w["head_b"]
    z = np.tanh(np.concatenate([features, embedded], axis=1) @ w["head_w"][HIDDEN:] + shared)
    out = (z @ w["out_w"] + w["out_b"]).astype(np.float64)
    return out[:, 0], out[:, 1], out[:, 2]
