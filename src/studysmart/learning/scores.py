"""Scores of forecasts against what happened. Every one says on how many answers it rests.

Times are judged as log times against a normal forecast. The continuous ranked probability score is
the closed form of Gneiting & Raftery (2007), "Strictly proper scoring rules, prediction, and
estimation"; the PIT histogram is that of Dawid (1984), flat where the forecasts are calibrated.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from studysmart.learning.model import Z_80

Array = NDArray[np.float64]
P_CLIP = 1e-6
ECE_BINS = 15
PIT_BINS = 20
Z_90 = 1.6448536269514722  # half width of the central 90 % of a normal distribution, in sd

# Every score there is, in the order in which they are shown.
SCORES = (
    "n", "auc", "accuracy", "log_loss", "rmse", "ece", "ece_by_chance", "n_timed",
    "log_time_rmse", "mae_s", "crps", "nlpd", "coverage_80", "coverage_90", "width_80", "width_90",
)  # fmt: skip


def cross_entropy(correct: Array, p: Array) -> Array:
    """Log loss of each answer, natural logarithm, p clipped to [1e-6, 1 - 1e-6]."""
    p = np.clip(p, P_CLIP, 1 - P_CLIP)
    return -np.where(correct == 1, np.log(p), np.log1p(-p))


def time_loss(log_time: Array, mean: Array, sd: Array) -> Array:
    """Negative log density of each log time under its normal forecast; NaN where it is unknown."""
    return 0.5 * ((log_time - mean) / sd) ** 2 + np.log(sd) + 0.5 * math.log(2 * math.pi)


def crps(log_time: Array, mean: Array, sd: Array) -> Array:
    """Continuous ranked probability score of each normal forecast, in log units; 0 is best."""
    z = (log_time - mean) / sd
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return sd * (z * (2 * normal_cdf(z) - 1) + 2 * density - 1 / math.sqrt(math.pi))


def normal_cdf(z: Array) -> Array:
    """Share of a standard normal distribution below each z; NaN stays NaN."""
    scaled = (z / math.sqrt(2)).tolist()
    return 0.5 + 0.5 * np.fromiter(map(math.erf, scaled), np.float64, len(scaled))


def auc(correct: Array, p: Array) -> float | None:
    """Share of (right, wrong) pairs that the forecasts order rightly, ties half.

    None for one class.
    """
    right = int(correct.sum())
    wrong = len(correct) - right
    if right == 0 or wrong == 0:
        return None
    _, inverse, counts = np.unique(p, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[correct == 1].sum() - right * (right + 1) / 2) / (right * wrong))


def calibration_error(correct: Array, p: Array) -> float:
    """Expected calibration error with 15 equal bins."""
    gaps = np.bincount(_bin(p, ECE_BINS), p - correct, ECE_BINS)
    return float(np.abs(gaps).sum() / len(p))


def calibration_error_by_chance(p: Array) -> float:
    """What `calibration_error` comes to when every forecast is exactly right.

    In each bin the gap is then nearly normal with variance sum p (1 - p), whose mean absolute value
    is sqrt(2 / pi) of its standard deviation.
    """
    variance = np.bincount(_bin(p, ECE_BINS), p * (1 - p), ECE_BINS)
    return float(math.sqrt(2 / math.pi) * np.sqrt(variance).sum() / len(p))


def reliability(correct: Array, p: Array) -> list[dict[str, float | None]]:
    """What was forecast and what happened, in 15 equal bins of P(correct).

    Each bin: low, high (its bounds), n, p (mean forecast), correct (share); the last two are None
    in an empty bin.
    """
    index = _bin(p, ECE_BINS)
    n = np.bincount(index, minlength=ECE_BINS)
    mean = np.bincount(index, p, ECE_BINS) / np.maximum(n, 1)
    share = np.bincount(index, correct, ECE_BINS) / np.maximum(n, 1)
    return [
        {
            "low": k / ECE_BINS,
            "high": (k + 1) / ECE_BINS,
            "n": int(n[k]),
            "p": float(mean[k]) if n[k] else None,
            "correct": float(share[k]) if n[k] else None,
        }
        for k in range(ECE_BINS)
    ]


def pit(log_time: Array, mean: Array, sd: Array) -> list[int]:
    """How many log times fall into each twentieth of their own forecast's distribution."""
    timed = np.isfinite(log_time)
    values = normal_cdf((log_time[timed] - mean[timed]) / sd[timed])
    counts: list[int] = np.bincount(_bin(values, PIT_BINS), minlength=PIT_BINS).tolist()
    return counts


def summary(correct: Array, p: Array, log_time: Array, mean: Array, sd: Array) -> dict[str, float]:
    """The scores of one set of forecasts, named in `SCORES`.

    What cannot be computed (one class only, no times) is left out. Widths are in log units.
    """
    scores: dict[str, float] = {"n": float(len(correct))}
    if len(correct):
        scores["log_loss"] = float(cross_entropy(correct, p).mean())
        scores["accuracy"] = float(((p >= 0.5) == (correct == 1)).mean())
        scores["rmse"] = float(np.sqrt(((p - correct) ** 2).mean()))
        scores["ece"] = calibration_error(correct, p)
        scores["ece_by_chance"] = calibration_error_by_chance(p)
        ordered = auc(correct, p)
        if ordered is not None:
            scores["auc"] = ordered
    timed = np.isfinite(log_time)
    scores["n_timed"] = float(timed.sum())
    if timed.any():
        t, m, s = log_time[timed], mean[timed], sd[timed]
        scores["log_time_rmse"] = float(np.sqrt(((t - m) ** 2).mean()))
        scores["mae_s"] = float(np.abs(np.exp(t) - np.exp(m)).mean())
        scores["crps"] = float(crps(t, m, s).mean())
        scores["nlpd"] = float(time_loss(t, m, s).mean())
        for name, z in (("80", Z_80), ("90", Z_90)):
            scores[f"coverage_{name}"] = float((np.abs(t - m) <= z * s).mean())
            scores[f"width_{name}"] = float((2 * z * s).mean())
    return scores


FEWEST_LEARNERS, FEWEST_ANSWERS = 5, 10


def paired_interval(
    difference: Array, learner: NDArray[np.str_]
) -> tuple[float, float | None, float | None]:
    """(mean difference, the ends of its 95 % interval), answers of one learner being alike.

    The variance of a mean over clusters (Liang & Zeger 1986, with G / (G - 1)), and Student's t
    with G - 1 degrees of freedom, G learners. Of fewer than five learners nothing can be told about
    learners: then answers are taken to be independent. None for fewer than ten answers.

    Args:
        difference: of two losses of each answer, (answer,).
        learner: of each answer.
    """
    n = len(difference)
    mean = float(difference.mean()) if n else 0.0
    if n < FEWEST_ANSWERS:
        return mean, None, None
    _, who = np.unique(learner, return_inverse=True)
    groups = int(who.max()) + 1
    if groups < FEWEST_LEARNERS:
        who, groups = np.arange(n), n
    sums = np.bincount(who, difference - mean)
    error = math.sqrt((sums**2).sum() * groups / (groups - 1)) / n
    half = t_975(groups - 1) * error
    return mean, mean - half, mean + half


def t_975(freedom: int) -> float:
    """The 97.5 % point of Student's t, right to 0.3 % from four degrees of freedom on.

    Abramowitz & Stegun (1964), 26.7.5.
    """
    z, v = 1.959963984540054, freedom
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )


Forecasts = tuple[Array, Array, Array]  # P(correct), mean and sd of log time, each (answer,)
DIFFERENCES = ("log_loss", "auc", "log_time_rmse")
# The resampled AUC orders answers by this many quantiles of the forecasts: within one of them
# pairs count as ties, which moves the AUC by about its square, 1e-5.
QUANTILES = 256


def resampled(
    learner: NDArray[np.str_],
    correct: Array,
    log_time: Array,
    forecasts: list[Forecasts],
    *,
    resamples: int,
    seed: int,
) -> dict[str, Array]:
    """Scores of each model on resamples of whole learners: the cluster bootstrap.

    Learners are drawn with replacement, the same for all models, so that differences of two rows
    are paired. One draw costs a matrix product over learners, not over answers.

    Args:
        learner: of each answer.
        correct: 1 or 0 of each answer.
        log_time: log-seconds of each answer, NaN where unknown.
        forecasts: of each model, of the same answers.
        resamples: how many.
        seed: of the draws.

    Returns:
        For each of `DIFFERENCES` an array (model, resample), NaN where it cannot be computed.
    """
    _, who = np.unique(learner, return_inverse=True)
    learners = int(who.max()) + 1 if len(who) else 0
    found = {name: np.full((len(forecasts), resamples), np.nan) for name in DIFFERENCES}
    if learners < 2:
        return found
    rng = np.random.default_rng(seed)
    times_drawn = rng.multinomial(learners, np.full(learners, 1 / learners), size=resamples)
    drawn: Array = times_drawn.astype(np.float64)  # (resample, learner)
    timed = np.isfinite(log_time)

    def per_draw(values: Array, rows: NDArray[np.bool_] | slice = slice(None)) -> Array:
        return drawn @ np.bincount(who[rows], values[rows], learners)

    answers, times = per_draw(np.ones(len(who))), per_draw(np.ones(len(who)), timed)
    for k, (p, mean, _) in enumerate(forecasts):
        found["log_loss"][k] = per_draw(cross_entropy(correct, p)) / answers
        found["auc"][k] = _resampled_auc(correct, p, who, drawn)
        squares = per_draw((log_time - mean) ** 2, timed)
        found["log_time_rmse"][k] = _sqrt_ratio(squares, times)
    return found


def _resampled_auc(correct: Array, p: Array, who: NDArray[np.intp], drawn: Array) -> Array:
    edges = np.unique(np.quantile(p, np.linspace(0, 1, QUANTILES + 1)[1:-1]))
    index = np.searchsorted(edges, p)
    learners, bins = drawn.shape[1], len(edges) + 1

    def histogram(rows: NDArray[np.bool_]) -> Array:
        cells = np.bincount(who[rows] * bins + index[rows], minlength=learners * bins)
        return drawn @ cells.reshape(learners, bins)

    right, wrong = histogram(correct == 1), histogram(correct == 0)
    below = np.cumsum(wrong, axis=1) - 0.5 * wrong
    pairs = right.sum(1) * wrong.sum(1)
    ordered = (right * below).sum(1)
    share: Array = np.divide(ordered, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
    return share


def _sqrt_ratio(total: Array, n: Array) -> Array:
    root: Array = np.sqrt(np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0))
    return root


def _bin(p: Array, bins: int) -> NDArray[np.intp]:
    return np.clip((p * bins).astype(np.intp), 0, bins - 1)
