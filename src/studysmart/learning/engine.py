"""One published bundle: prior, LNIRT and a network, and which of them answers.

A forecast comes from the serving model; where that gives no finite number, from the next one in the
chain, simpler and simpler down to the prior, and the forecast says so. Nothing is caught: the chain
goes by what the numbers are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from studysmart.errors import ArtefactRejected
from studysmart.learning.lnirt import Lnirt
from studysmart.learning.model import Forecast, LearnerModel, Prediction
from studysmart.learning.prior import LOG_TIME_0, LOG_TIME_SD_0, P_0, Prior
from studysmart.learning.responses import Item, Response, Responses
from studysmart.learning.sequence import AttentionModel, SequenceModel

SCHEMA = 2
CLASSES: dict[str, type[LearnerModel]] = {
    model.kind: model for model in (Prior, Lnirt, SequenceModel, AttentionModel)
}
KINDS = tuple(CLASSES)  # from the simplest to the one that knows most
LARGEST_BYTES, DIGEST = 100 * 2**20, 32
# Of 400,000 items. JSON that means harm takes thirty times its length in memory.
LONGEST_HEADER = 32 * 2**20
FAR = 50.0  # log-seconds: e^50 s is no time
HEAVIEST = 1e6  # only counts are larger; weights that were would overflow float32 on the way


class EngineState(NamedTuple):
    """One learner in the eyes of every model of the chain."""

    answers: int
    states: dict[str, Any]


@dataclass(frozen=True)
class Engine:
    """The chain of models that were fitted together.

    serving: the kind that answers first. manifest: JSON-able facts: schema, kinds, samples,
    vocabulary sizes, fingerprint of the data, metrics.
    """

    models: dict[str, LearnerModel]
    serving: str
    manifest: dict[str, Any]

    @property
    def chain(self) -> tuple[str, ...]:
        """Kinds in the order in which they are asked.

        No network stands in for another: each costs time with every answer.
        """
        simpler = KINDS[: KINDS.index(self.serving)]
        return (self.serving, *(
            kind for kind in reversed(simpler)
            if kind in self.models and not issubclass(CLASSES[kind], SequenceModel)
        ))  # fmt: skip

    def serving_as(self, kind: str) -> Engine:
        """The same models, with this one answering first."""
        return self if kind == self.serving else replace(self, serving=kind)

    def start(self) -> EngineState:
        """A learner of whom nothing is known."""
        return EngineState(0, {kind: self.models[kind].start() for kind in self.chain})

    def update(self, state: EngineState, response: Response) -> EngineState:
        """The state after one more answer, in constant time."""
        return EngineState(
            state.answers + 1,
            {kind: self.models[kind].update(own, response) for kind, own in state.states.items()},
        )

    def replay(self, responses: Iterable[Response]) -> EngineState:
        """The state after these answers."""
        state = self.start()
        for response in responses:
            state = self.update(state, response)
        return state

    def predict(
        self, state: EngineState, items: Sequence[Item], *, at: float | None = None
    ) -> list[Forecast]:
        """A forecast for each item, in order.

        at: Unix seconds of now; None when unknown.
        """
        waiting = list(range(len(items)))
        found: dict[int, Forecast] = {}
        for kind in self.chain:
            if not waiting:
                break
            asked = [items[k] for k in waiting]
            prediction = self.models[kind].predict(state.states[kind], asked, at=at)
            sound = _finite(prediction)
            reason = self._reason(kind, state.answers)
            for row in np.flatnonzero(sound).tolist():
                found[waiting[row]] = Forecast(
                    float(prediction.p_correct[row]),
                    float(prediction.log_time_mean[row]),
                    float(prediction.log_time_sd[row]),
                    kind,
                    reason,
                    state.answers,
                    self.manifest["samples"],
                )
            waiting = [k for row, k in enumerate(waiting) if not sound[row]]
        return [found.get(k) or constant_forecast() for k in range(len(items))]

    def _reason(self, kind: str, answers: int) -> str:
        if kind != self.serving:
            return f"The {self.serving} model gave no usable number here, so the {kind} answers."
        own = "no answer of yours yet" if answers == 0 else f"{answers} of your answers"
        if kind == "prior":
            return f"What is known of such tasks from {self.manifest['samples']} answers."
        return f"The {kind} model forecast later answers best; it goes by {own}."

    def to_bytes(self) -> bytes:
        """Tensors and manifest in the safetensors format; no code, no pickle.

        The first 32 bytes are the SHA-256 of the others: a changed bit is found before any of them
        is believed.
        """
        tensors: dict[str, NDArray[Any]] = {}
        rest: dict[str, Any] = {}
        for kind, model in self.models.items():
            own, rest[kind] = model.to_tensors()
            tensors |= {f"{kind}.{k}": np.ascontiguousarray(v) for k, v in own.items()}
        header = {"manifest": self.manifest, "serving": self.serving, "models": rest}
        body = save(tensors, metadata={"studysmart": json.dumps(header, sort_keys=True)})
        return hashlib.sha256(body).digest() + body

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Check everything, then build.

        Raises:
            ArtefactRejected: anything at all is not what it must be; says what.
        """
        if len(data) > LARGEST_BYTES:
            msg = f"model bytes: {len(data)} bytes, at most {LARGEST_BYTES} are read"
            raise ArtefactRejected(msg)
        body = data[DIGEST:]
        if hashlib.sha256(body).digest() != data[:DIGEST]:
            msg = (
                "model bytes: damaged, or written by an older version: the checksum at their "
                "beginning is not theirs; train again"
            )
            raise ArtefactRejected(msg)
        try:
            with np.errstate(all="ignore"):
                engine = cls._read(body)
                _try_out(engine)
        except (
            SafetensorError, ValueError, KeyError, TypeError, IndexError, AttributeError,
            ArithmeticError, RecursionError, MemoryError,
        ) as error:  # fmt: skip
            if isinstance(error, ArtefactRejected):
                raise
            msg = f"model bytes cannot be read: {type(error).__name__}: {error}"
            raise ArtefactRejected(msg) from error
        return engine

    @classmethod
    def _read(cls, body: bytes) -> Self:
        length = int.from_bytes(body[:8], "little")
        if length > LONGEST_HEADER:
            msg = f"model bytes: a header of {length} bytes, at most {LONGEST_HEADER} are read"
            raise ArtefactRejected(msg)
        tensors = load(body)
        metadata = json.loads(body[8 : 8 + length])["__metadata__"]
        header = json.loads(metadata["studysmart"])
        manifest, serving, rest = header["manifest"], header["serving"], header["models"]
        if manifest["schema"] != SCHEMA:
            msg = f"model bytes: schema {manifest['schema']}, expected {SCHEMA}; train again"
            raise ArtefactRejected(msg)
        samples = manifest["samples"]
        if type(samples) is not int or not 0 <= samples < 2**53:
            msg = f"model bytes: 'samples' is {samples!r:.50}, expected a count"
            raise ArtefactRejected(msg)
        for name, tensor in tensors.items():
            if tensor.dtype not in (np.float32, np.float64) or not np.isfinite(tensor).all():
                msg = f"model bytes: '{name}' is not finite float32 or float64"
                raise ArtefactRejected(msg)
            if not name.startswith("prior.") and (np.abs(tensor) > HEAVIEST).any():
                msg = f"model bytes: '{name}' has numbers beyond {HEAVIEST:.0e}"
                raise ArtefactRejected(msg)
        unknown = sorted(set(rest) - set(KINDS))
        if unknown:
            msg = f"model bytes: has the unknown kinds {unknown}; known are {list(KINDS)}"
            raise ArtefactRejected(msg)
        own: dict[str, dict[str, NDArray[Any]]] = {kind: {} for kind in rest}
        for name, tensor in tensors.items():
            kind, _, short = name.partition(".")
            own[kind][short] = tensor
        models: dict[str, LearnerModel] = {}
        for kind, model in CLASSES.items():
            if kind in rest:
                models[kind] = model.from_tensors(own[kind], rest[kind], models)
        if serving not in models:
            msg = f"model bytes: serves '{serving}', has {sorted(models)}"
            raise ArtefactRejected(msg)
        return cls(models, serving, manifest)


def _try_out(engine: Engine) -> None:
    """Every model must say something finite about a stranger, and about one answer later."""
    if "prior" not in engine.models:
        msg = "model bytes: without a prior nothing answers when all else fails"
        raise ArtefactRejected(msg)
    for kind, model in engine.models.items():
        state = model.start()
        state = model.update(state, Response(Item(), correct=True, response_time_s=10.0))
        if not _finite(model.predict(state, [Item()])).all():
            msg = f"model bytes: the {kind} model forecasts nothing finite"
            raise ArtefactRejected(msg)


def _finite(prediction: Prediction) -> NDArray[np.bool_]:
    """Which forecasts are usable: a probability, and an interval whose ends are seconds."""
    p, mean, sd = prediction.p_correct, prediction.log_time_mean, prediction.log_time_sd
    return (p >= 0) & (p <= 1) & (np.abs(mean) < FAR) & (sd > 0) & (sd < FAR)


def constant_forecast() -> Forecast:
    """What is said in a system that has never seen an answer: 0.5 and 60 s."""
    return Forecast(
        P_0, LOG_TIME_0, LOG_TIME_SD_0, "constant", "Nobody has answered anything here yet.", 0, 0
    )


def bundled(model: LearnerModel) -> Engine:
    """A model with those it stands on, as a bundle in which it answers first."""
    prior = getattr(model, "prior", None) or (
        model
        if isinstance(model, Prior)
        else Prior.fit(Responses.from_columns(learner=[], correct=[]))
    )
    models: dict[str, LearnerModel] = {"prior": prior, model.kind: model}
    manifest = manifest_of(Responses.from_columns(learner=[], correct=[]), {}, seed=0)
    return Engine(models, model.kind, manifest | {"samples": prior.samples})


def fit_prior_engine(responses: Responses) -> Engine:
    """The prior alone, in milliseconds: what serves until the first training is through."""
    return Engine({"prior": Prior.fit(responses)}, "prior", manifest_of(responses, {}, seed=0))


def manifest_of(responses: Responses, metrics: dict[str, Any], *, seed: int) -> dict[str, Any]:
    """Facts of a fit, JSON-able."""
    digest = hashlib.sha256()
    for name in responses.__slots__:
        digest.update("\x1e".join(map(str, getattr(responses, name).tolist())).encode())
    return {
        "schema": SCHEMA,
        "samples": len(responses),
        "seed": seed,
        "vocabulary": {
            f"{name}s" if name != "difficulty" else "difficulties": len(
                {x for x in getattr(responses, name).tolist() if x}
            )
            for name in ("learner", "item", "skill", "topic", "difficulty")
        },
        "fingerprint": digest.hexdigest()[:16],
        "metrics": metrics,
    }
