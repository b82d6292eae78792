"""Which task next: the one that is neither too easy nor too hard, not the one just done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from studysmart.learning.engine import Engine
from studysmart.learning.model import LearnerModel, Prediction
from studysmart.learning.responses import Item

TARGET = (0.70, 0.85)  # a share of right answers that keeps people at it without wasting their time
SAME = 0.05  # forecasts are not exact to a hundredth: items closer than this are equal


@dataclass(frozen=True, slots=True)
class Choice:
    """The next task, what is forecast of it, and two sentences why."""

    item: Item
    p_correct: float
    time_median_s: float
    reason: str


def choose(
    model: LearnerModel | Engine,
    state: Any,
    candidates: Sequence[Item],
    *,
    target: tuple[float, float] = TARGET,
    avoid: Collection[str] = (),
    at: float | None = None,
    seed: int | None = None,
) -> Choice:
    """The candidate whose P(correct) is nearest to the middle of the target band.

    Args:
        model: any learner model, or an engine of several.
        state: the learner.
        candidates: at least one item.
        target: lowest and highest P(correct) that is wanted, in 0..1.
        avoid: items (by name) not to give while there is another: those done last.
        at: Unix seconds of now; None when unknown.
        seed: lets chance decide between items that are equally near; without one, the one with the
            widest time forecast does, of which least is known.

    Raises:
        ValueError: no candidates, or a band that is none.
    """
    low, high = target
    if not candidates:
        msg = "choose: there is no candidate; give at least one item"
        raise ValueError(msg)
    if not 0 <= low <= high <= 1:
        msg = f"choose: target must be two shares in order, as (0.70, 0.85), not {target}"
        raise ValueError(msg)
    avoided = set(avoid)
    fresh = [item for item in candidates if item.item not in avoided] or list(candidates)
    told = model.predict(state, fresh, at=at)
    p, log_time, sd = (
        getattr(told, name)
        if isinstance(told, Prediction)
        else np.array([getattr(one, name) for one in told])
        for name in Prediction.__slots__
    )
    distance = np.abs(p - (low + high) / 2)
    near = np.flatnonzero(distance <= distance.min() + SAME)
    if seed is not None:
        best = int(np.random.default_rng(seed).choice(near))
    else:
        best = int(near[np.argmax(sd[near])])
    return Choice(
        fresh[best],
        float(p[best]),
        float(np.exp(log_time[best])),
        _reason(float(p[best]), low, high, len(fresh)),
    )


def _reason(p: float, low: float, high: float, n: int) -> str:
    of = f"Of {n} tasks this is among the nearest to" if n > 1 else "It is the only task, whatever"
    wanted = f"the wanted {low:.0%} to {high:.0%} right answers."
    if low <= p <= high:
        fit = "hard enough to learn from and easy enough to get done"
    elif p > high:
        fit = "easy for you: harder ones would be welcome"
    else:
        fit = "hard for you: easier ones would be welcome"
    return f"{of} {wanted} About {p:.0%} of such tasks go right, which is {fit}."
