"""Training of the sequence and attention models: JAX and Optax, imported by nobody who only serves.

All learners' answers form one stream, learner after learner, that is cut into windows which overlap
by a warm-up; a flag makes the memory forget where a learner begins. So every batch has one of two
fixed shapes (small and large logs), nothing is padding, and a process that has trained once
compiles nothing for the next training.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from studysmart.learning import history as past
from studysmart.learning.configuration import Configuration
from studysmart.learning.effects import Coded, Effects, Place
from studysmart.learning.responses import Responses
from studysmart.learning.sequence import (
    HEADS,
    LOG_SD_BOUND,
    LOGIT_BOUND,
    MEMORY,
    RAMPS,
    SPAN,
    TIME_BOUND,
    WIDTHS,
    Weights,
    shapes,
)

FOLDS = 5
VALID_SHARE, MOST_VALID = 0.1, 20_000
PATIENCE = 6
MASKED = {"skill": 0.05, "topic": 0.1, "difficulty": 0.1}
LEAST_ROWS = 20
# Beyond these the newest answers say what older ones would: time and memory stay bounded.
MOST_ROWS = 1_000_000
TIME_WEIGHT = 1.0  # of a log time beside an answer: the joint likelihood
Z_80 = 1.2815515655446004

Fitted = tuple[Effects, Weights, dict[str, dict[str, int]]]
Batch = dict[str, NDArray[Any]]


class Size(NamedTuple):
    """One of the fixed shapes: windows a batch, answers a window, how many of them only warm up."""

    batch: int
    window: int
    warm: int
    rate: float

    @property
    def scored(self) -> int:
        """New answers a window."""
        return self.window - self.warm


SMALL = Size(batch=8, window=64, warm=32, rate=4e-3)
LARGE = Size(batch=8, window=128, warm=32, rate=3e-3)
LARGE_FROM = 5_000


def epochs_for(rows: int) -> int:
    """Fewer for more: a large log says the same thing often enough in one pass."""
    return int(np.clip(round(70 / math.sqrt(max(rows, 1) / 1_000)), 5, 30))


def one_cycle(steps: int, rate: float) -> NDArray[np.float32]:
    """Learning rates that rise to `rate` in the first 15 % of the steps and fall to almost 0.

    Cosine ramps; Smith and Topin (2018), "Super-convergence".
    """
    x = (np.arange(steps) + 0.5) / steps
    up, down = 0.5 - 0.5 * np.cos(np.pi * x / 0.15), 0.5 + 0.5 * np.cos(np.pi * (x - 0.15) / 0.85)
    return (rate * np.maximum(np.where(x < 0.15, up, down), 1e-3)).astype(np.float32)


def fit(
    responses: Responses,
    kind: str,
    *,
    seed: int,
    valid: Responses | None = None,
    progress: Callable[[float, int, float], None] | None = None,
    configuration: Configuration | None = None,
) -> Fitted:
    """Train; the best epoch on the validation part is kept and calibrated there.

    Too few answers leave the network as it starts: saying what the running estimates say.

    Args:
        responses: rows in order of time.
        kind: "sequence" or "attention".
        seed: of the initial weights, masks and the order of batches.
        valid: validation part; by default the newest `VALID_SHARE` of `responses`.
        progress: told (share done, epoch, loss on the validation part).
        configuration: of the fit; the built-in one by default.
    """
    settings = configuration or Configuration(kind)
    if len(responses) > MOST_ROWS:
        responses = responses[len(responses) - MOST_ROWS :]
    vocabulary = vocabularies(responses)
    rng = np.random.default_rng(seed)
    weights = _initial(kind, {k: _round_up(len(rows)) for k, rows in vocabulary.items()}, rng)
    coded = Coded.of(responses)
    effects = Effects.fit(responses, coded)
    n = len(responses)
    if n < LEAST_ROWS:
        return effects, weights, vocabulary
    size = LARGE if n >= LARGE_FROM else SMALL
    held = 0 if valid is not None else min(int(n * VALID_SHARE) + 1, MOST_VALID)
    train_rows, valid_rows = _streams(responses, coded, valid, held, vocabulary)
    _fix_ramps(weights, train_rows["features"][train_rows["scored"] > 0])
    late = train_rows["late"][(train_rows["timed"] > 0) & (train_rows["scored"] > 0)]
    scale = float(max(0.05, math.sqrt(np.mean(late**2)))) if len(late) else effects.noise**0.5
    weights["time_scale"][:] = scale
    for rows in (train_rows, valid_rows):
        rows["late"] = np.clip(rows["late"] / scale, -TIME_BOUND, TIME_BOUND).astype(np.float32)
    train, checked = _windows(train_rows, size), _windows(valid_rows, size)
    step, measure = _programs(kind)
    fixed = {k: jnp.asarray(weights[k]) for k in FIXED}
    params = {k: jnp.asarray(v) for k, v in weights.items() if k not in FIXED}
    state = jax.jit(_optimiser().init)(params)
    epochs = max(1, round(epochs_for(n) * settings.epochs))
    batches = -(-len(train) // size.batch)
    rates = one_cycle(epochs * batches, size.rate * settings.rate)
    # Arguments of the compiled program, not parts of it: no configuration compiles anew.
    dials = {name: np.float32(getattr(settings, name)) for name in ("dropped", "masked", "decay")}
    best, best_loss, since_best = (
        params,
        _loss(measure, params, fixed, valid_rows, checked, size),
        0,
    )
    key = jax.random.PRNGKey(seed)
    for epoch in range(epochs):
        order = rng.permutation(len(train))
        order = np.resize(order, batches * size.batch).reshape(batches, size.batch)
        for k, chosen in enumerate(order):
            batch = _batch(train_rows, train[chosen], size)
            done = epoch * batches + k
            params, state = step(params, state, fixed, batch, key, done, rates[done], dials)
        loss = _loss(measure, params, fixed, valid_rows, checked, size)
        if progress is not None:
            progress((epoch + 1) / epochs, epoch, loss)
        if loss < best_loss:
            best, best_loss, since_best = params, loss, 0
        else:
            since_best += 1
            if since_best >= PATIENCE or not math.isfinite(loss):
                break
    found = _outputs(measure, best, fixed, valid_rows, checked, size)
    weights |= {k: np.asarray(v) for k, v in best.items()}
    weights["calibration"][:] = _calibration(valid_rows, found)
    return effects, weights, vocabulary


FIXED = ("ramp_scale", "ramp_offset", "ramp_mean", "calibration", "time_scale")


def vocabularies(responses: Responses) -> dict[str, dict[str, int]]:
    """Per label, the row of each value that was seen; 0 is for the unknown."""
    return {
        label: {
            str(name): row + 1
            for row, name in enumerate(sorted(set(getattr(responses, label).tolist()) - {""}))
        }
        for label in WIDTHS
    }


def _round_up(n: int) -> int:
    return max(63, (1 << (n + 1).bit_length()) - 1)


def _initial(kind: str, rows: dict[str, int], rng: np.random.Generator) -> Weights:
    weights: Weights = {}
    zero = {"out_w", "out_b", "skip_w", "enc_b", "head_b", "lstm_b", "query_b", "decay", "none"}
    for name, shape in shapes(kind, rows).items():
        scale = 0.1 if name.startswith("embed_") else shape[0] ** -0.5
        drawn = np.zeros(shape) if name in zero else rng.normal(0, scale, shape)
        weights[name] = drawn.astype(np.float32)
    if kind == "sequence":
        weights["lstm_b"][MEMORY : 2 * MEMORY] = 1.0  # remember first, learn to forget
    weights["ramp_scale"][:] = 0.0
    weights["ramp_offset"][:] = 0.0
    weights["ramp_mean"][:] = 0.0
    weights["calibration"][:] = (1.0, 0.0, 1.0)
    weights["time_scale"][:] = 0.6
    return weights


def _fix_ramps(weights: Weights, features: NDArray[np.float32]) -> None:
    """Each ramp rises between neighbouring quantiles; a feature that is constant has none."""
    some = features[:: max(1, len(features) // 20_000)]
    knots = np.quantile(some, np.linspace(0, 1, RAMPS + 1), axis=0)  # (knot, feature)
    width = np.diff(knots, axis=0)
    rises = width > 1e-6
    scale = np.where(rises, 1 / np.where(rises, width, 1.0), 0.0)
    weights["ramp_scale"][:] = scale
    weights["ramp_offset"][:] = -knots[:-1] * scale
    ramps = np.clip(some[:, None] * weights["ramp_scale"] + weights["ramp_offset"], 0, 1)
    weights["ramp_mean"][:] = ramps.mean(axis=0)


def _streams(
    responses: Responses,
    coded: Coded,
    valid: Responses | None,
    held: int,
    vocabulary: dict[str, dict[str, int]],
) -> tuple[Batch, Batch]:
    """The training and the validation part as streams of rows, learner after learner.

    An answer's features come from effects that were not fitted to it: fitted to the same answers,
    an item's effect would carry each answer into its own features, and the network would learn to
    trust it more than it deserves. The validation part sees effects of the training part only.
    """
    n = len(responses)
    trained = np.arange(n) < n - held
    fold = np.where(trained, _folds(coded.learner, n), FOLDS)
    fits = [Effects.fit(responses, coded, trained & (fold != k)) for k in range(FOLDS + 1)]
    places = np.empty((n, len(Place._fields)))
    for k, fitted in enumerate(fits):
        found = np.stack(np.broadcast_arrays(*fitted.places(coded)), axis=1)
        places[fold == k] = found[fold == k]
    whole = fits[FOLDS]
    train = _rows(responses, coded, Place(*places.T), whole, vocabulary)
    train["scored"] = trained.astype(np.float32)[train.pop("order")]
    if valid is None:
        return train, train | {"scored": 1 - train["scored"]}
    own = Coded.of(valid)
    other = _rows(valid, own, whole.places(own), whole, vocabulary)
    del other["order"]
    other["scored"] = np.ones(len(valid), np.float32)
    return train, other


def _rows(
    responses: Responses,
    coded: Coded,
    places: Place,
    effects: Effects,
    vocabulary: dict[str, dict[str, int]],
) -> Batch:
    log_times = responses.log_times()
    table = past.Table.of(effects, coded, responses, places)
    back = np.argsort(table.order)
    features, outcome, base = table.features(slice(0, len(back)))
    order = np.argsort(coded.learner, kind="stable")
    labels = np.stack(
        [
            np.array([vocabulary[label].get(name, 0) for name in coded.names[label]] + [0])[
                coded.codes[label]
            ]
            for label in WIDTHS
        ],
        axis=1,
    ).astype(np.int32)
    timed = np.isfinite(log_times)
    late = np.where(timed, np.nan_to_num(log_times) - base[1, back], 0.0)
    rows = {
        "labels": labels,
        "features": features[back],
        "outcome": outcome[back],
        "base": base[0, back].astype(np.float32),
        "y": responses.correct.astype(np.float32),
        "late": late.astype(np.float32),
        "timed": timed.astype(np.float32),
        "first": (table.before == len(back)).astype(np.float32)[back],
    }
    return {name: values[order] for name, values in rows.items()} | {"order": order}


def _folds(learner: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """By learner where there are enough, else by stretches of time."""
    if learner.max() + 1 >= 5 * FOLDS:
        return learner % FOLDS
    return np.arange(n) * FOLDS // n


def _windows(rows: Batch, size: Size) -> NDArray[np.int64]:
    """Where the windows with a scored row begin; `scored` new answers each, after the warm-up."""
    starts = np.arange(0, len(rows["y"]), size.scored) - size.warm
    found = np.add.reduceat(rows["scored"], np.arange(0, len(rows["y"]), size.scored)) > 0
    return starts[found]


def _batch(rows: Batch, starts: NDArray[np.int64], size: Size) -> Batch:
    index = starts[:, None] + np.arange(size.window)
    inside = (index >= 0) & (index < len(rows["y"]))
    index = np.where(inside, index, 0)
    batch = {name: values[index] for name, values in rows.items()}
    batch["scored"] = batch["scored"] * inside
    batch["scored"][:, : size.warm] = 0.0
    batch["first"] = np.where(inside, batch["first"], 1.0).astype(np.float32)
    return batch


def _optimiser() -> optax.GradientTransformation:
    return optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.scale_by_adam(b2=0.99),
    )


@cache
def _programs(kind: str) -> tuple[Any, Any]:
    optimiser = _optimiser()

    @jax.jit
    def step(
        params: Any, state: Any, fixed: Any, batch: Any, key: Any, done: Any, rate: Any, dials: Any
    ) -> Any:
        masks = jax.random.fold_in(key, done)

        def loss(p: Any) -> Any:
            each = losses(forward(kind, p | fixed, batch, (masks, dials)), batch)
            return each.sum() / jnp.maximum(batch["scored"].sum(), 1.0)

        updates, state = optimiser.update(jax.grad(loss)(params), state, params)
        decay = dials["decay"]
        return jax.tree.map(lambda p, u: p - rate * (u + decay * p), params, updates), state

    @jax.jit
    def measure(params: Any, fixed: Any, batch: Any) -> tuple[Any, Any]:
        out = forward(kind, params | fixed, batch, None)
        return out, losses(out, batch).sum()

    return step, measure


def _loss(
    measure: Any, params: Any, fixed: Any, rows: Batch, starts: NDArray[np.int64], size: Size
) -> float:
    batches = _padded(starts, size.batch)
    total = sum(float(measure(params, fixed, b)[1]) for b, _ in _each(rows, batches, size))
    return total / max(1.0, float(rows["scored"].sum()))


def _outputs(
    measure: Any, params: Any, fixed: Any, rows: Batch, starts: NDArray[np.int64], size: Size
) -> NDArray[np.float64]:
    """(row, 3): the network's outputs, 0 where a row is not scored."""
    out = np.zeros((len(rows["y"]), 3))
    for batch, begins in _each(rows, _padded(starts, size.batch), size):
        found = np.asarray(measure(params, fixed, batch)[0])
        index = begins[:, None] + np.arange(size.window)
        kept = batch["scored"] > 0
        out[index[kept]] = found[kept]
    return out


def _padded(starts: NDArray[np.int64], batch: int) -> NDArray[np.int64]:
    """Batches of one size; what is missing of the last one lies beyond the stream."""
    n = -(-max(1, len(starts)) // batch) * batch
    return np.append(starts, np.full(n - len(starts), 1 << 40)).reshape(-1, batch)


def _each(rows: Batch, batches: NDArray[np.int64], size: Size) -> Any:
    return ((_batch(rows, starts, size), starts) for starts in batches)


def losses(out: Any, batch: Any) -> Any:
    """Cross-entropy plus Gaussian negative log likelihood of log time, (window, answer)."""
    logit = batch["base"] + out[..., 0]
    right = jax.nn.softplus(logit) - batch["y"] * logit
    log_sd = jnp.clip(out[..., 2], -LOG_SD_BOUND, LOG_SD_BOUND)
    time = 0.5 * ((batch["late"] - out[..., 1]) / jnp.exp(log_sd)) ** 2 + log_sd
    return (right + TIME_WEIGHT * batch["timed"] * time) * batch["scored"]


def forward(kind: str, w: Any, batch: Any, masks: tuple[Any, Any] | None) -> Any:
    """The equations of `sequence`, for windows at once: (window, answer, 3).

    masks: a key that draws them, and how much is masked and dropped; None for nothing.
    """
    index, features = batch["labels"], batch["features"]
    if masks is not None:
        key, dials = masks
        keys = jax.random.split(key)
        hidden = dials["masked"] * jnp.array(list(MASKED.values()))
        index = index * jax.random.bernoulli(keys[0], 1 - hidden, index.shape)
    ramps = jnp.clip(features[..., None, :] * w["ramp_scale"] + w["ramp_offset"], 0, 1)
    ramps = ramps - w["ramp_mean"]
    x = jnp.concatenate(
        [
            ramps.reshape(*features.shape[:-1], -1),
            *(w[f"embed_{label}"][index[..., k]] for k, label in enumerate(WIDTHS)),
        ],
        axis=-1,
    )
    e = jax.nn.relu(x @ w["enc_w"] + w["enc_b"])
    if masks is not None:
        kept = 1 - dials["dropped"]
        e = e * jax.random.bernoulli(keys[1], kept, e.shape) / kept
    answers = jnp.concatenate([e, batch["outcome"]], axis=-1)
    recalled = (_attended if kind == "attention" else _remembered)(w, e, answers, batch["first"])
    z = jax.nn.relu(jnp.concatenate([e, recalled], axis=-1) @ w["head_w"] + w["head_b"])
    return z @ w["out_w"] + w["out_b"] + x @ w["skip_w"]


def _remembered(w: Any, e: Any, answers: Any, first: Any) -> Any:
    gates = answers @ w["lstm_x"] + w["lstm_b"]

    def one(carry: Any, now: Any) -> tuple[Any, Any]:
        gates, first = now
        h, c = (x * (1 - first)[:, None] for x in carry)
        gates = gates + h @ w["lstm_h"]
        s = jax.nn.sigmoid(gates[:, : 3 * MEMORY])
        new_c = s[:, MEMORY : 2 * MEMORY] * c + s[:, :MEMORY] * jnp.tanh(gates[:, 3 * MEMORY :])
        return (s[:, 2 * MEMORY :] * jnp.tanh(new_c), new_c), h  # h: before this answer

    zero = jnp.zeros((e.shape[0], MEMORY))
    _, before = jax.lax.scan(one, (zero, zero), (jnp.swapaxes(gates, 0, 1), first.T))
    return jnp.swapaxes(before, 0, 1)


def _attended(w: Any, e: Any, answers: Any, first: Any) -> Any:
    n = e.shape[1]
    learner = jnp.cumsum(first, axis=1)
    lag = jnp.arange(n)[:, None] - jnp.arange(n)[None, :]
    there = (learner[:, :, None] == learner[:, None, :]) & (lag > 0) & (lag <= SPAN)
    forget = jnp.log(jnp.maximum(lag, 1))
    query = e @ w["query_w"] + w["query_b"]
    keys, values = answers @ w["key_w"], answers @ w["value_w"]
    width = MEMORY // HEADS
    out = []
    for head in range(HEADS):
        own = slice(head * width, (head + 1) * width)
        score = jnp.einsum("bqd,bkd->bqk", query[..., own], keys[..., own]) * width**-0.5
        score = score - jax.nn.softplus(w["decay"][head]) * forget
        score = jnp.where(there, score, -1e9)
        none = jnp.broadcast_to(w["none"][head], (*score.shape[:2], 1))
        weight = jax.nn.softmax(jnp.concatenate([score, none], axis=-1), axis=-1)[..., :-1]
        out.append(weight @ values[..., own])
    return jnp.concatenate(out, axis=-1)


def _calibration(rows: Batch, out: NDArray[np.float64]) -> tuple[float, float, float]:
    """(slope and shift of the logit, factor of the sd of log time) on the validation part.

    A few pseudo-answers hold them at (1, 0, 1), so that a small part moves them little.
    """
    scored = rows["scored"] > 0
    logit = (rows["base"] + out[:, 0])[scored].astype(np.float64)
    y = rows["y"][scored].astype(np.float64)
    slope, shift = 1.0, 0.0
    hold = np.diag([50.0, 20.0])
    for _ in range(20):
        p = 1 / (1 + np.exp(-np.clip(slope * logit + shift, -LOGIT_BOUND, LOGIT_BOUND)))
        x = np.stack([logit, np.ones_like(logit)])
        pull = x @ (y - p) - hold @ (slope - 1, shift)
        weight = (x * (p * (1 - p))) @ x.T + hold
        moved = np.linalg.solve(weight, pull)
        slope, shift = slope + float(moved[0]), shift + float(moved[1])
        if np.abs(moved).max() < 1e-6:
            break
    slope = float(np.clip(slope, 0.5, 1.5))
    timed = scored & (rows["timed"] > 0)
    held = 50
    factor = 1.0
    if timed.any():
        sd = np.exp(np.clip(out[timed, 2], -LOG_SD_BOUND, LOG_SD_BOUND))
        z = np.sort(np.abs(rows["late"][timed] - out[timed, 1]) / sd)
        covers = float(np.quantile(z, 0.8)) / Z_80
        factor = float(np.exp(math.log(max(covers, 0.2)) * len(z) / (len(z) + held)))
    return slope, float(np.clip(shift, -1.0, 1.0)), factor
