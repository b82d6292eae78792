"""The sequence model (default) and the attention model (challenger): networks over a history.

    f_t   = features of the history and the next task (`history.FEATURES`), each as K ramps:
            ramp_k(f) = clip((f - q_k) / (q_{k+1} - q_k), 0, 1) less its mean; q: quantiles, both
            of the training rows
    x_t   = [ramps; embeddings of skill, topic, difficulty]
    e_t   = relu(W_e x_t + b_e)
    m_t   = memory of the answers before t: an LSTM over [e_s; outcome_s], s < t,
            or attention with forgetting over the last `SPAN` of them
    z_t   = relu(W_z [e_t; m_t] + b_z)
    u_t   = W_u z_t + S x_t + b_u
    logit P(correct)   = a (running logit    + u_1) + c          a, c: fitted on held-out answers
    mean of log time   =    running log time + s u_2
    log sd of log time = log(d s)            + u_3               d: so that 80 % intervals hold 80 %

Ramps instead of raw numbers let a small network bend along each feature as trees do (Gorishniy et
al. 2022, "On embeddings for numerical features in tabular deep learning"). With W_u = S = 0 the
model says what the running estimates say; training moves it from there only as far as that helps.
A learner is known by the history, never by an id, so that a new one needs no retraining; an item by
its effects, so that a rare one cannot be learned by heart. Row 0 of each embedding stands for
everything unknown and is trained by random masking.

NumPy only; `sequence_fit` has the same equations in JAX, and a test holds them together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from studysmart.errors import ArtefactRejected
from studysmart.learning import history as past
from studysmart.learning.configuration import Configuration
from studysmart.learning.effects import Coded, Effects, Place
from studysmart.learning.history import (
    FEATURES,
    OUTCOMES,
    OWN,
    History,
    Plain,
    Population,
)
from studysmart.learning.model import LearnerModel, Prediction
from studysmart.learning.responses import Item, Response, Responses

Weights = dict[str, NDArray[np.float32]]
Array = NDArray[np.float32]

RAMPS = 4
ENCODED, MEMORY, HEAD = 64, 32, 32
WIDTHS = {"skill": 16, "topic": 4, "difficulty": 4}  # of the embedding of each label
EMBEDDED = sum(WIDTHS.values())
INPUT = len(FEATURES) * RAMPS + EMBEDDED
SPAN, HEADS = 64, 2  # answers that attention looks back on, and in how many ways
LOGIT_BOUND, LOG_SD_BOUND, TIME_BOUND = 7.0, 1.5, 4.0
CHUNK = 4_096  # answers taken at once: what fits into a cache
NOTHING: Mapping[str, Any] = {}
MOST_SEEN = 10_000  # items whose static part is remembered


class State(NamedTuple):
    """One learner: the features' history and the network's memory of the answers."""

    history: History
    memory: tuple[Array, ...]


class _Into(NamedTuple):
    """Weights to [encoder, skip], of all ramps, the learner's, the task's, the labels."""

    ramps: Array
    own: Array
    rest: Array
    labels: Array
    bias: Array
    scale: Array
    offset: Array


@dataclass(frozen=True)
class SequenceModel(LearnerModel):
    """The fitted network over the effects and running estimates it starts from.

    vocabulary: per label, the row of each known value; unknown ones are row 0.
    weights: named as in `shapes`.
    """

    kind: ClassVar[str] = "sequence"

    effects: Effects
    weights: Weights
    vocabulary: dict[str, dict[str, int]]

    _seen: dict[Item, tuple[Place, Array]] = field(default_factory=dict, repr=False, compare=False)
    _asked: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def population(self) -> Population:
        """What a learner starts with."""
        return Population.of(self.effects)

    @cached_property
    def _scales(self) -> tuple[float, float, float, float]:
        slope, shift, widened = self.weights["calibration"].tolist()
        return slope, shift, widened, float(self.weights["time_scale"][0])

    @cached_property
    def _into(self) -> _Into:
        """The encoder and the skip are linear in the same input: one product serves both."""
        w = self.weights
        both = np.concatenate([w["enc_w"], w["skip_w"]], axis=1)
        # Ramps are centred in training; here that is part of the bias.
        bias = np.concatenate([w["enc_b"], w["out_b"]])
        bias = bias - w["ramp_mean"].reshape(-1) @ both[:-EMBEDDED]
        ramps = np.ascontiguousarray(both[:-EMBEDDED])
        own, rest = np.split(ramps.reshape(RAMPS, len(FEATURES), -1), [OWN], axis=1)
        return _Into(
            ramps=ramps,
            own=own.reshape(OWN * RAMPS, -1),
            rest=rest.reshape((len(FEATURES) - OWN) * RAMPS, -1),
            labels=both[-EMBEDDED:],
            bias=bias,
            scale=w["ramp_scale"],
            offset=w["ramp_offset"],
        )

    @classmethod
    def fit(
        cls,
        responses: Responses,
        *,
        seed: int = 0,
        valid: Responses | None = None,
        progress: Callable[[float, int, float], None] | None = None,
        configuration: Configuration | None = None,
    ) -> Self:
        """Train on these answers, JAX in this process.

        Args:
            responses: rows in order of time; any number of them.
            seed: of initial weights, masks and order; the same seed gives the same model.
            valid: answers of other learners that choose the epoch and calibrate; without them the
                newest of `responses` do.
            progress: told (share done, epoch, loss on the validation part).
            configuration: of the fit; the built-in one by default.
        """
        from studysmart.learning import sequence_fit

        return cls(
            *sequence_fit.fit(
                responses, cls.kind, seed=seed, valid=valid, progress=progress,
                configuration=configuration,
            )
        )  # fmt: skip

    def start(self) -> State:
        """Nobody yet: an empty history."""
        return State(past.start(self.population), self._forgotten())

    def update(self, state: State, response: Response) -> State:
        """One step of the memory, whatever the length of the history."""
        place, labels = self._known(response.item)
        asked = response.asked_at
        now, traces, features = past.forecast_one(
            state.history, response.item, place, self.population,
            math.nan if asked is None else asked,
        )  # fmt: skip
        encoded, _ = self._encoded_one(features, labels)
        history, outcome = past.append(state.history, response, place, now, traces)
        return State(history, self._remember(state.memory, encoded, np.array(outcome, np.float32)))

    def predict(
        self, state: State, items: Sequence[Item], *, at: float | None = None
    ) -> Prediction:
        """All items in one pass."""
        asked = at if at is not None and math.isfinite(at) else math.nan
        if len(items) == 1:
            return self._predict_one(state, items[0], asked)
        places, labels = self._known_many(items)
        now, own, others = past.forecast_many(state.history, items, places, self.population, asked)
        into = self._into
        x = _ramped(others, into.scale[:, OWN:], into.offset[:, OWN:]) @ into.rest
        x += (
            _ramped(np.array(own, np.float32), into.scale[:, :OWN], into.offset[:, :OWN]) @ into.own
        )
        x += labels
        encoded = np.maximum(x[:, :ENCODED], 0)
        out = self._head(encoded, self._recall(state.memory, encoded), x[:, ENCODED:])
        return self._told(now.logit, now.log_time, out)

    def _predict_one(self, state: State, item: Item, asked: float) -> Prediction:
        """The same on plain floats: what an answer and its next task wait for."""
        place, labels = self._known(item)
        now, _, features = past.forecast_one(state.history, item, place, self.population, asked)
        encoded, skipped = self._encoded_one(features, labels)
        recalled = self._recall(state.memory, encoded)
        logit, late, log_sd = self._head(encoded, recalled, skipped).tolist()
        slope, shift, widened, scale = self._scales
        bounded = Plain.bounded
        logit = bounded(slope * (now.logit + logit) + shift, LOGIT_BOUND)
        return Prediction(
            np.array([1 / (1 + math.exp(-logit))]),
            np.array([now.log_time + scale * bounded(late, TIME_BOUND)]),
            np.array([widened * scale * math.exp(bounded(log_sd, LOG_SD_BOUND))]),
        )

    def predict_all(self, responses: Responses) -> Prediction:
        """As the base class says; learners side by side, some 100 times faster."""
        coded = Coded.of(responses)
        table = past.Table.of(self.effects, coded, responses, self.effects.places(coded))
        n, into, labels = len(responses), self._into, self._labels(coded)
        encoded, skipped = np.empty((n, ENCODED), np.float32), np.empty((n, 3), np.float32)
        outcome, base = np.empty((n, len(OUTCOMES)), np.float32), np.empty((2, n))

        def encode(begin: int) -> None:
            rows = slice(begin, min(begin + CHUNK, n))
            features, outcome[rows], base[:, rows] = table.features(rows)
            x = _ramped(features, into.scale, into.offset) @ into.ramps
            x += labels(table.order[rows])
            np.maximum(x[:, :ENCODED], 0, out=encoded[rows])
            skipped[rows] = x[:, ENCODED:]

        with ThreadPoolExecutor(2) as pool:  # large arrays: NumPy lets go of the interpreter
            list(pool.map(encode, range(0, n, CHUNK)))
        recalled = self._recall_all(encoded, outcome, table)
        told = self._told(base[0], base[1], self._head(encoded, recalled, skipped))
        back = np.empty(n, np.int64)
        back[table.order] = np.arange(n)
        return Prediction(told.p_correct[back], told.log_time_mean[back], told.log_time_sd[back])

    # The memory: what the attention model does otherwise.

    def _forgotten(self) -> tuple[Array, ...]:
        return np.zeros(MEMORY, np.float32), np.zeros(MEMORY, np.float32)

    def _remember(
        self, memory: tuple[Array, ...], encoded: Array, outcome: Array
    ) -> tuple[Array, ...]:
        w = self.weights
        gates = encoded @ w["lstm_x"][:ENCODED] + outcome @ w["lstm_x"][ENCODED:] + w["lstm_b"]
        return _step(gates + memory[0] @ w["lstm_h"], memory[1])

    def _recall(self, memory: tuple[Array, ...], encoded: Array) -> Array:
        """(item, MEMORY) or (MEMORY,): what the memory says to each of these tasks."""
        del encoded
        return memory[0]

    def _recall_all(self, encoded: Array, outcome: Array, table: past.Table) -> Array:
        w = self.weights
        n = len(encoded)
        gates = encoded @ w["lstm_x"][:ENCODED] + outcome @ w["lstm_x"][ENCODED:]
        gates += w["lstm_b"]
        both = np.zeros((n + 1, 2 * MEMORY), np.float32)  # h, c; the last row, nobody's, stays zero
        for begin, end in pairwise(table.steps):
            old = both[table.before[begin:end]]
            into = old[:, :MEMORY] @ w["lstm_h"]
            into += gates[begin:end]
            both[begin:end, :MEMORY], both[begin:end, MEMORY:] = _step(into, old[:, MEMORY:])
        return both[table.before, :MEMORY]

    # The rest is shared.

    def _known(self, item: Item) -> tuple[Place, Array]:
        """An item's place and what its labels add to the encoder; remembered."""
        found = self._seen.get(item)
        if found is None:
            embedded = np.concatenate(
                [
                    self.weights[f"embed_{label}"][rows.get(getattr(item, label) or "", 0)]
                    for label, rows in self.vocabulary.items()
                ]
            )
            labels = embedded @ self._into.labels + self._into.bias
            found = self.effects.place(item), labels.astype(np.float32)
            if len(self._seen) < MOST_SEEN:  # labels come from outside: bounded
                self._seen[item] = found
        return found

    def _known_many(self, items: Sequence[Item]) -> tuple[Place, Array]:
        """The same of many, as arrays; the last list asked for is remembered whole."""
        key = tuple(items)
        last: tuple[Any, Place, Array] | None = self._asked.get("last")
        if last is None or last[0] != key:
            known = [self._known(item) for item in items]
            places = np.array([place for place, _ in known]).reshape(-1, len(Place._fields))
            labels = np.array([added for _, added in known], np.float32).reshape(len(items), -1)
            last = key, Place(*places.T.copy()), labels
            self._asked["last"] = last  # in one go: other threads ask too
        return last[1], last[2]

    def _labels(self, coded: Coded) -> Callable[[Any], Array]:
        """What labels add to the encoder, for any rows."""
        begin, added = 0, []
        for label, width in WIDTHS.items():
            rows = self.vocabulary[label]
            own = np.array([rows.get(name, 0) for name in coded.names[label]] + [0])
            table = self.weights[f"embed_{label}"] @ self._into.labels[begin : begin + width]
            added.append((table[own], coded.codes[label]))
            begin += width
        bias = self._into.bias
        return lambda some: sum((table[codes[some]] for table, codes in added), bias)

    def _encoded_one(self, features: list[float], labels: Array) -> tuple[Array, Array]:
        into = self._into
        x = _ramped(np.array(features, np.float32), into.scale, into.offset) @ into.ramps
        x += labels
        return np.maximum(x[:ENCODED], 0), x[ENCODED:]

    def _head(self, encoded: Array, recalled: Array, skipped: Array) -> Array:
        w = self.weights
        z = encoded @ w["head_w"][:ENCODED]
        z += recalled @ w["head_w"][ENCODED:] + w["head_b"]
        np.maximum(z, 0, out=z)
        return np.asarray(z @ w["out_w"] + skipped)

    def _told(self, logit: Any, log_time: Any, out: Array) -> Prediction:
        u = out.astype(np.float64)
        slope, shift, widened, scale = self._scales
        bounded = np.clip(slope * (logit + u[:, 0]) + shift, -LOGIT_BOUND, LOGIT_BOUND)
        return Prediction(
            p_correct=1 / (1 + np.exp(-bounded)),
            log_time_mean=log_time + scale * np.clip(u[:, 1], -TIME_BOUND, TIME_BOUND),
            log_time_sd=widened * scale * np.exp(np.clip(u[:, 2], -LOG_SD_BOUND, LOG_SD_BOUND)),
        )

    def to_tensors(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Effects and weights by name, and the vocabularies in the order of their rows."""
        tables, effects = self.effects.to_tensors()
        names = {k: sorted(v, key=v.__getitem__) for k, v in self.vocabulary.items()}
        return tables | self.weights, {"vocabulary": names, "effects": effects}

    @classmethod
    def from_tensors(
        cls,
        tensors: dict[str, NDArray[Any]],
        rest: dict[str, Any],
        models: Mapping[str, Any] = NOTHING,
    ) -> Self:
        """Refuses weights of other names or shapes than this code computes with."""
        del models
        vocabulary = {
            label: {str(name): row + 1 for row, name in enumerate(rest["vocabulary"][label])}
            for label in WIDTHS
        }
        wanted = shapes(cls.kind, {label: len(rows) for label, rows in vocabulary.items()})
        for name, shape in wanted.items():
            got = tensors[name].shape if name in tensors else None
            if got is None or (got != shape and not (
                name.startswith("embed_") and got[0] >= shape[0] and got[1:] == shape[1:]
            )):  # fmt: skip
                msg = f"{cls.kind}: '{name}' has shape {got}, expected {shape}"
                raise ArtefactRejected(msg)
        weights = {name: tensors[name].astype(np.float32) for name in wanted}
        return cls(Effects.from_tensors(tensors, rest["effects"]), weights, vocabulary)


class AttentionModel(SequenceModel):
    """The same inputs and head; the memory looks back on the last answers, the recent ones most.

    score_s = q_t . k_s / sqrt(d) - decay log(t - s), and a learned score for "none of them"; two
    heads; q from e_t, k and v from [e_s; outcome_s].
    """

    kind: ClassVar[str] = "attention"

    def _forgotten(self) -> tuple[Array, ...]:
        nothing = np.zeros((SPAN, MEMORY), np.float32)
        return nothing, nothing, np.zeros(SPAN, bool)

    def _remember(
        self, memory: tuple[Array, ...], encoded: Array, outcome: Array
    ) -> tuple[Array, ...]:
        answer = np.concatenate([encoded, outcome])
        new = answer @ self.weights["key_w"], answer @ self.weights["value_w"], np.True_
        return tuple(
            np.concatenate([old[1:], np.asarray(own)[None]])
            for old, own in zip(memory, new, strict=True)
        )

    def _recall(self, memory: tuple[Array, ...], encoded: Array) -> Array:
        shape = (*encoded.shape[:-1], MEMORY)
        return self._attended(np.atleast_2d(encoded), *memory).reshape(shape)

    def _recall_all(self, encoded: Array, outcome: Array, table: past.Table) -> Array:
        n = len(encoded)
        w = self.weights
        answers = np.concatenate([encoded, outcome], axis=1)
        keys = np.concatenate([answers @ w["key_w"], np.zeros((1, MEMORY), np.float32)])
        values = np.concatenate([answers @ w["value_w"], np.zeros((1, MEMORY), np.float32)])
        before = np.append(table.before, n)
        rows = np.empty((n, SPAN), np.int64)
        at = np.arange(n)
        for lag in range(1, SPAN + 1):
            at = before[at]
            rows[:, -lag] = at
        out = np.empty((n, MEMORY), np.float32)
        for k in range(0, n, CHUNK // 4):
            some = slice(k, k + CHUNK // 4)
            found = rows[some]
            out[some] = self._attended(encoded[some], keys[found], values[found], found < n)
        return out

    def _attended(self, encoded: Array, keys: Array, values: Array, there: Any) -> Array:
        """(row, MEMORY); keys, values (..., SPAN, MEMORY), there (..., SPAN)."""
        w = self.weights
        query = encoded @ w["query_w"] + w["query_b"]
        width = MEMORY // HEADS
        forget = np.log(np.arange(SPAN, 0, -1, dtype=np.float32))
        out = []
        for head in range(HEADS):
            own = slice(head * width, (head + 1) * width)
            score = (keys[..., own] @ query[:, own, None])[..., 0] * np.float32(width**-0.5)
            score = score - _softplus(w["decay"][head]) * forget
            score = np.where(there, score, -np.inf)
            none = w["none"][head]
            most = np.maximum(score.max(axis=-1, keepdims=True), none)
            weight = np.exp(score - most)
            total = weight.sum(axis=-1, keepdims=True) + np.exp(none - most)
            out.append((weight[..., None, :] @ values[..., own])[..., 0, :] / total)
        return np.concatenate(out, axis=-1).astype(np.float32)


def shapes(kind: str, rows: dict[str, int]) -> dict[str, tuple[int, ...]]:
    """Shape of every weight, for vocabularies of so many known labels."""
    into_memory = ENCODED + len(OUTCOMES)
    memory: dict[str, tuple[int, ...]] = {
        "lstm_x": (into_memory, 4 * MEMORY),
        "lstm_h": (MEMORY, 4 * MEMORY),
        "lstm_b": (4 * MEMORY,),
    }
    if kind == "attention":
        memory = {
            "query_w": (ENCODED, MEMORY),
            "query_b": (MEMORY,),
            "key_w": (into_memory, MEMORY),
            "value_w": (into_memory, MEMORY),
            "decay": (HEADS,),
            "none": (HEADS,),
        }
    return (
        {f"embed_{label}": (rows[label] + 1, width) for label, width in WIDTHS.items()}
        | memory
        | {
            "ramp_scale": (RAMPS, len(FEATURES)),
            "ramp_offset": (RAMPS, len(FEATURES)),
            "ramp_mean": (RAMPS, len(FEATURES)),
            "enc_w": (INPUT, ENCODED),
            "enc_b": (ENCODED,),
            "skip_w": (INPUT, 3),
            "head_w": (ENCODED + MEMORY, HEAD),
            "head_b": (HEAD,),
            "out_w": (HEAD, 3),
            "out_b": (3,),
            "calibration": (3,),
            "time_scale": (1,),
        }
    )


def _softplus(x: Any) -> Any:
    return np.logaddexp(0, x)


def _ramped(features: Array, scale: Array, offset: Array) -> Array:
    """Features (..., feature) as ramps (..., RAMPS x feature); scale, offset (RAMPS, feature)."""
    x = features[..., None, :] * scale
    x += offset
    np.maximum(x, 0, out=x)
    np.minimum(x, 1, out=x)
    return x.reshape(*features.shape[:-1], -1)


# A logistic is a tanh of half the argument: one call for all gates, and nothing overflows.
_HALF = np.repeat(np.array([0.5, 1.0], np.float32), (3 * MEMORY, MEMORY))


def _step(gates: Any, c: Any) -> tuple[Any, Any]:
    """One LSTM step; gates (..., 4 x MEMORY) in the order input, forget, output, cell."""
    t = np.tanh(gates * _HALF)
    s = t[..., : 3 * MEMORY] * 0.5
    s += 0.5
    new = s[..., MEMORY : 2 * MEMORY] * c
    new += s[..., :MEMORY] * t[..., 3 * MEMORY :]
    return s[..., 2 * MEMORY :] * np.tanh(new), new
