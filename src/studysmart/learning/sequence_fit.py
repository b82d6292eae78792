"""Training of the sequence model: JAX and Optax, imported by nobody who only serves.

Every array has one of two fixed shapes (small and large logs) and vocabularies are rounded up to
powers of two, so that a process that has trained once compiles nothing for the next training of the
same size.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from studysmart.learning import history as past
from studysmart.learning.history import FEATURES
from studysmart.learning.lnirt import Lnirt
from studysmart.learning.prior import Prior
from studysmart.learning.responses import Responses
from studysmart.learning.sequence import HIDDEN, OUTCOME, WIDTHS, Weights, shapes

FOLDS = 4
VALID_SHARE = 0.15
PATIENCE = 6
MASKED = {"item": 0.5, "skill": 0.1, "topic": 0.1, "difficulty": 0.1}
DROPPED = 0.1
LEAST_ROWS = 20


class Size(NamedTuple):
    """One of the fixed shapes.

    Windows a batch, answers a window, of which the first only warm up.
    """

    batch: int
    window: int
    warm: int
    epochs: int
    rate: float


SMALL = Size(batch=8, window=64, warm=16, epochs=30, rate=4e-3)
LARGE = Size(batch=64, window=128, warm=32, epochs=12, rate=3e-3)
LARGE_FROM = 5_000


class Rows(NamedTuple):
    """The answers as the network takes them; arrays (row, ...)."""

    labels: NDArray[np.int32]  # (row, label): rows of the embeddings
    features: NDArray[np.float32]
    outcome: NDArray[np.float32]
    base_logit: NDArray[np.float32]
    y: NDArray[np.float32]
    time: NDArray[np.float32]  # log time against LNIRT's mean, in units of the prior's sd
    timed: NDArray[np.float32]


def fit(
    responses: Responses,
    *,
    seed: int,
    progress: Callable[[float, int, float], None] | None = None,
) -> tuple[Weights, dict[str, dict[str, int]]]:
    """Train; the best epoch on the newest `VALID_SHARE` of these answers is kept.

    Too few answers leave the network as it starts: saying what LNIRT says.

    Args:
        responses: rows in order of time.
        seed: of the initial weights, masks and the order of batches.
        progress: told (share done, epoch, loss on the validation part).
    """
    vocabulary = vocabularies(responses)
    rounded = {label: _round_up(len(rows)) for label, rows in vocabulary.items()}
    rng = np.random.default_rng(seed)
    weights = _initial(rounded, rng)
    if len(responses) < LEAST_ROWS:
        return weights, vocabulary
    size = LARGE if len(responses) >= LARGE_FROM else SMALL
    rows = _rows(responses, vocabulary)
    cut = int(len(responses) * (1 - VALID_SHARE))
    windows = _windows(responses.learner, size)
    train, valid = _packed(rows, windows, size, upto=cut), _packed(rows, windows, size, since=cut)
    step, measure = _programs(size)
    params = {k: jnp.asarray(v) for k, v in weights.items()}
    n_batches = len(train["y"]) // size.batch
    optimiser = _optimiser(size.rate)
    state = optimiser.init(params)
    best, best_loss, since_best = params, _loss(measure, params, valid, size), 0
    key = jax.random.PRNGKey(seed)
    for epoch in range(size.epochs):
        order = rng.permutation(len(train["y"])).reshape(n_batches, size.batch)
        for batch in order:
            key, own = jax.random.split(key)
            params, state = step(params, state, {k: v[batch] for k, v in train.items()}, own)
        loss = _loss(measure, params, valid, size)
        if progress is not None:
            progress((epoch + 1) / size.epochs, epoch, loss)
        if loss < best_loss:
            best, best_loss, since_best = params, loss, 0
        else:
            since_best += 1
            if since_best >= PATIENCE or not np.isfinite(loss):
                break
    return {k: np.asarray(v) for k, v in best.items()}, vocabulary


def vocabularies(responses: Responses) -> dict[str, dict[str, int]]:
    """Per label, the row of each value that was seen; 0 is for the unknown."""
    return {
        label: {
            str(name): row + 1
            for row, name in enumerate(x for x in np.unique(getattr(responses, label)) if x)
        }
        for label in WIDTHS
    }


def _round_up(n: int) -> int:
    return max(63, (1 << (n + 1).bit_length()) - 1)


def _initial(rows: dict[str, int], rng: np.random.Generator) -> Weights:
    weights: Weights = {}
    for name, shape in shapes(rows).items():
        scale = 0.1 if name.startswith("embed_") else shape[0] ** -0.5
        zero = name in {"out_w", "out_b", "head_b", "lstm_b"}
        drawn = np.zeros(shape) if zero else rng.normal(0, scale, shape)
        weights[name] = drawn.astype(np.float32)
    weights["lstm_b"][HIDDEN : 2 * HIDDEN] = 1.0  # remember first, learn to forget
    return weights


def _rows(responses: Responses, vocabulary: dict[str, dict[str, int]]) -> Rows:
    """Features of every answer from LNIRT fits that have not seen it.

    Fitted on the same answers, an item's difficulty would leak each answer into its own features,
    and the network would learn to trust it more than it deserves.
    """
    n = len(responses)
    fold = _folds(responses)
    models = []
    for k in range(FOLDS):
        others = responses[fold != k]
        models.append(Lnirt.fit(others, Prior.fit(others)))
    index = np.stack(
        [
            np.array([vocabulary[label].get(x, 0) for x in getattr(responses, label).tolist()])
            for label in WIDTHS
        ],
        axis=1,
    ).astype(np.int32)
    features = np.empty((n, len(FEATURES)), np.float32)
    outcome = np.empty((n, OUTCOME), np.float32)
    base = np.empty(n, np.float32)
    base_time, sds = np.empty(n), np.empty(n)
    histories: dict[str, past.History] = {}
    for row, (learner, response) in enumerate(responses):
        model = models[fold[row]]
        history = histories.get(learner) or past.start(model)
        found, logit, log_time = past.features(history, response.item, model, at=response.asked_at)
        sd = model.prior.log_time_sd
        features[row], base[row], base_time[row], sds[row] = found, logit, log_time, sd
        outcome[row] = past.outcome(response, logit, log_time, sd)
        histories[learner] = past.append(history, response, model, logit=logit, log_time=log_time)
    log_times = responses.log_times()
    timed = np.isfinite(log_times)
    time = np.where(timed, np.clip((np.nan_to_num(log_times) - base_time) / sds, -4, 4), 0.0)
    return Rows(
        index,
        features,
        outcome,
        base,
        responses.correct.astype(np.float32),
        time.astype(np.float32),
        timed.astype(np.float32),
    )


def _folds(responses: Responses) -> NDArray[np.int64]:
    """By learner where there are enough, else by stretches of time."""
    names, who = np.unique(responses.learner, return_inverse=True)
    if len(names) >= 5 * FOLDS:
        return np.asarray(who % FOLDS, dtype=np.int64)
    return np.arange(len(responses)) * FOLDS // len(responses)


class _Window(NamedTuple):
    rows: NDArray[np.int64]
    scored_from: int


def _windows(learner: NDArray[np.str_], size: Size) -> list[_Window]:
    """Each learner's rows cut into windows that overlap by the warm-up; each row is scored once."""
    _, who = np.unique(learner, return_inverse=True)
    order = np.argsort(who, kind="stable")
    windows = []
    for rows in np.split(order, np.flatnonzero(np.diff(who[order])) + 1):
        begin = 0
        while begin < len(rows):
            first = max(0, begin - size.warm)
            end = min(len(rows), first + size.window)
            windows.append(_Window(rows[first:end], begin - first))
            begin = end
    return windows


def _empty(n: int, size: Size) -> dict[str, NDArray[Any]]:
    shape = (n, size.window)
    return {
        "labels": np.zeros((*shape, len(WIDTHS)), np.int32),
        "features": np.zeros((*shape, len(FEATURES)), np.float32),
        "outcome": np.zeros((*shape, OUTCOME), np.float32),
        "base_logit": np.zeros(shape, np.float32),
        "y": np.zeros(shape, np.float32),
        "time": np.zeros(shape, np.float32),
        "timed": np.zeros(shape, np.float32),
        "scored": np.zeros(shape, np.float32),
    }


def _packed(
    rows: Rows, windows: list[_Window], size: Size, *, since: int = 0, upto: int | None = None
) -> dict[str, NDArray[Any]]:
    """Windows with a scored row in [since, upto), padded to whole batches.

    Later rows are cut off.
    """
    kept = []
    for window in windows:
        inside = window.rows if upto is None else window.rows[window.rows < upto]
        scored = inside[window.scored_from :]
        if (scored >= since).any():
            kept.append(_Window(inside, window.scored_from))
    n = -(-max(1, len(kept)) // size.batch) * size.batch
    packed = _empty(n, size)
    for k, window in enumerate(kept):
        length = len(window.rows)
        for name in Rows._fields:
            packed[name][k, :length] = getattr(rows, name)[window.rows]
        positions = np.arange(length)
        packed["scored"][k, :length] = (positions >= window.scored_from) & (window.rows >= since)
    return packed


@cache
def _optimiser(rate: float) -> optax.GradientTransformation:
    return optax.chain(
        optax.clip_by_global_norm(1.0), optax.adamw(rate, b2=0.99, weight_decay=0.02)
    )


@cache
def _programs(size: Size) -> tuple[Any, Any]:
    optimiser = _optimiser(size.rate)

    @jax.jit
    def step(params: Any, state: Any, batch: Any, key: Any) -> tuple[Any, Any]:
        grads = jax.grad(lambda p: _mean(losses(p, batch, key), batch))(params)
        updates, state = optimiser.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    @jax.jit
    def measure(params: Any, batch: Any) -> tuple[Any, Any]:
        return (losses(params, batch, None) * batch["scored"]).sum(), batch["scored"].sum()

    return step, measure


def _mean(loss: Any, batch: Any) -> Any:
    return (loss * batch["scored"]).sum() / jnp.maximum(batch["scored"].sum(), 1.0)


def _loss(measure: Any, params: Any, packed: dict[str, NDArray[Any]], size: Size) -> float:
    sums = [
        measure(params, {k: v[start : start + size.batch] for k, v in packed.items()})
        for start in range(0, len(packed["y"]), size.batch)
    ]
    return float(sum(s[0] for s in sums) / max(1.0, float(sum(s[1] for s in sums))))


def losses(params: Any, batch: Any, key: Any) -> Any:
    """Cross-entropy plus Gaussian negative log likelihood of log time, (window, answer)."""
    logit, mean, log_sd = forward(params, batch, key)
    logit = batch["base_logit"] + logit
    right = jax.nn.softplus(logit) - batch["y"] * logit
    log_sd = jnp.clip(log_sd, -1.5, 1.5)
    time = 0.5 * ((batch["time"] - mean) / jnp.exp(log_sd)) ** 2 + log_sd
    return right + 0.5 * batch["timed"] * time


def forward(params: Any, batch: Any, key: Any) -> tuple[Any, Any, Any]:
    """The equations of `sequence`, for windows at once; `key` draws masks, None for none."""
    index = batch["labels"]
    features = batch["features"]
    if key is not None:
        keys = jax.random.split(key, 3)
        keep = jax.random.bernoulli(keys[0], 1 - jnp.array(list(MASKED.values())), index.shape)
        index = index * keep
        features = features * jax.random.bernoulli(keys[1], 1 - DROPPED, features.shape)
    embedded = jnp.concatenate(
        [params[f"embed_{label}"][index[..., k]] for k, label in enumerate(WIDTHS)], axis=-1
    )
    x = jnp.concatenate([embedded, features, batch["outcome"]], axis=-1)
    into = jnp.swapaxes(x @ params["lstm_x"] + params["lstm_b"], 0, 1)

    def one(carry: Any, gates: Any) -> tuple[Any, Any]:
        h, c = carry
        gates = gates + h @ params["lstm_h"]
        i, f, g, o = jnp.split(gates, 4, axis=-1)
        new_c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        new_h = jax.nn.sigmoid(o) * jnp.tanh(new_c)
        return (new_h, new_c), h  # the memory before this answer is what forecasts it

    zero = jnp.zeros((index.shape[0], HIDDEN))
    _, before = jax.lax.scan(one, (zero, zero), into)
    h = jnp.swapaxes(before, 0, 1)
    z = jnp.concatenate([h, features, embedded], axis=-1) @ params["head_w"] + params["head_b"]
    out = jnp.tanh(z) @ params["out_w"] + params["out_b"]
    return out[..., 0], out[..., 1], out[..., 2]
