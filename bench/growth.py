"""How the cost of a fit grows: seconds an answer and peak memory, from 10^4 to 10^7 answers.

Simulated learners of 100 answers each are streamed in pieces of 200 learners to
`LearnerModel.fit_stream`; nothing ever holds the whole log. Each fit has a process of its own. What
drawing the answers costs is measured alone and taken off.

    .venv/bin/python -m bench.growth [--model prior,lnirt,sequence] [--largest 10000000]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import numpy as np

from studysmart.learning import Responses
from studysmart.learning.engine import CLASSES
from studysmart.learning.measuring import Broken, alone, timed

SIZES = tuple(10**k for k in range(4, 8))
EACH, TOGETHER = 100, 200  # answers of a learner, learners in a piece
TOPICS, SKILLS, ITEMS = 20, 200, 2_000
BANDS = np.array(["easy", "medium", "hard"])
NOTHING = "nothing"  # walks through the stream and does no more
FLAT = 1.25  # the largest size may cost so much more an answer than the one before


def stream(answers: int, seed: int = 0) -> Iterator[Responses]:
    """About so many answers, in pieces of whole learners; the same items for all sizes."""
    truth = np.random.default_rng(seed)
    b, lam = truth.normal(0, 1, ITEMS), truth.normal(3, 0.4, ITEMS)
    names = {
        "item": np.array([f"item-{k}" for k in range(ITEMS)]),
        "skill": np.array([f"skill-{k % SKILLS}" for k in range(ITEMS)]),
        "topic": np.array([f"topic-{k % TOPICS}" for k in range(ITEMS)]),
        "difficulty": BANDS[np.digitize(b, (-0.5, 0.5))],
    }
    for first in range(0, answers // EACH, TOGETHER):
        learners = min(TOGETHER, answers // EACH - first)
        rng = np.random.default_rng([seed, first])
        ability, speed = rng.normal(0, 1, (learners, 1)), rng.normal(0, 0.3, (learners, 1))
        what = rng.integers(ITEMS, size=(learners, EACH))
        gained = 0.15 * np.log1p(np.arange(EACH))
        p = 1 / (1 + np.exp(-1.2 * (ability + gained - b[what])))
        time = np.exp(lam[what] - speed + rng.normal(0, 0.4, what.shape))
        at = 1.7e9 + np.cumsum(time + rng.exponential(60, what.shape), axis=1)
        rows = what.ravel()
        yield Responses(
            learner=np.repeat([f"learner-{first + k}" for k in range(learners)], EACH),
            **{name: labels[rows] for name, labels in names.items()},
            correct=(rng.random(what.shape) < p).ravel().astype(np.float64),
            response_time_s=time.ravel(),
            at=at.ravel(),
        )


def fitted(kind: str, answers: int) -> tuple[int, float]:
    """(answers that went by, seconds of this process) of one fit."""
    seen = 0

    def counted() -> Iterator[Responses]:
        nonlocal seen
        for piece in stream(answers):
            seen += len(piece)
            yield piece

    def work() -> None:
        if kind == NOTHING:
            for _ in counted():
                pass
        else:
            CLASSES[kind].fit_stream(counted())

    spent = timed(work)
    return seen, spent.cpu_s


def main() -> None:
    """Measure and print; the exit status says whether a cost was not flat."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="prior,lnirt,sequence")
    parser.add_argument("--largest", type=int, default=SIZES[-1])
    given = parser.parse_args()
    sizes = [size for size in SIZES if size <= given.largest]
    drawn = {size: alone(fitted, NOTHING, size) for size in sizes}
    print(
        "| model | answers | fit, CPU s | microseconds an answer | peak MiB | above an empty run |"
    )
    print("|---|---|---|---|---|---|", flush=True)
    steep = []
    for kind in given.model.split(","):
        each: list[float] = []
        for size in sizes:
            (_, drawing), base = drawn[size]
            try:
                (seen, seconds), peak = alone(fitted, kind, size)
            except Broken as broken:
                print(f"| {kind} | {size:,} | not measured: {broken} | | | |", flush=True)
                continue
            cost = max(seconds - drawing, 0.0)
            each.append(cost / seen)
            memory = "" if peak is None or base is None else f"{peak:.0f} | {peak - base:.0f}"
            print(
                f"| {kind} | {seen:,} | {cost:.2f} | {1e6 * each[-1]:.2f} | {memory or ' | '} |",
                flush=True,
            )
        if len(each) > 1 and each[-1] > FLAT * each[-2]:
            steep.append(f"MISSED {kind}: {each[-1] / each[-2]:.2f} times as much an answer")
    print("\n" + ("\n".join(steep) or "Flat: no model's last step costs more an answer."))
    sys.exit(bool(steep))


if __name__ == "__main__":
    main()
