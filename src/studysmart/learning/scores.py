"""Scores of forecasts against what happened. Every one says on how many answers it rests."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from studysmart.learning.model import Z_80

Array = NDArray[np.float64]
P_CLIP = 1e-6
ECE_BINS = 15


def cross_entropy(correct: Array, p: Array) -> Array:
    """Log loss of each answer, natural logarithm, p clipped to [1e-6, 1 - 1e-6]."""
    p = np.clip(p, P_CLIP, 1 - P_CLIP)
    return -np.where(correct == 1, np.log(p), np.log1p(-p))


def time_loss(log_time: Array, mean: Array, sd: Array) -> Array:
    """Negative log density of each log time under its normal forecast; NaN where it is unknown."""
    return 0.5 * ((log_time - mean) / sd) ** 2 + np.log(sd) + 0.5 * math.log(2 * math.pi)


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
    index = np.minimum((p * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = np.bincount(index, p - correct, ECE_BINS)
    return float(np.abs(gaps).sum() / len(p))


def summary(correct: Array, p: Array, log_time: Array, mean: Array, sd: Array) -> dict[str, float]:
    """All scores of one set of forecasts; those that cannot be computed are left out."""
    scores: dict[str, float] = {"n": float(len(correct))}
    if len(correct):
        scores["log_loss"] = float(cross_entropy(correct, p).mean())
        scores["accuracy"] = float(((p >= 0.5) == (correct == 1)).mean())
        scores["rmse"] = float(np.sqrt(((p - correct) ** 2).mean()))
        scores["ece"] = calibration_error(correct, p)
        ordered = auc(correct, p)
        if ordered is not None:
            scores["auc"] = ordered
    timed = np.isfinite(log_time)
    scores["n_timed"] = float(timed.sum())
    if timed.any():
        t, m, s = log_time[timed], mean[timed], sd[timed]
        scores["log_time_rmse"] = float(np.sqrt(((t - m) ** 2).mean()))
        scores["mae_s"] = float(np.abs(np.exp(t) - np.exp(m)).mean())
        scores["nlpd"] = float(time_loss(t, m, s).mean())
        scores["coverage_80"] = float((np.abs(t - m) <= Z_80 * s).mean())
    return scores
