"""What one answer, one list of candidates and one whole log cost, model by model.

One thread unless the environment says otherwise; medians over many repetitions in one process, so
that the figures can be compared with each other. The log is simulated, or any CSV that is named.

    OPENBLAS_NUM_THREADS=1 .venv/bin/python -m bench.speed [FILE.csv.gz]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from studysmart import learning
from studysmart.learning import (
    AttentionModel,
    Item,
    LearnerModel,
    Lnirt,
    Prior,
    Response,
    Responses,
    SequenceModel,
)
from studysmart.learning.reading import Log

FITTED = 20_000  # answers; what a forecast costs does not depend on it
LENGTHS = (10, 200, 2_000)


def main() -> None:
    """Two tables and the rate at which the networks depart from monotone."""
    files = [Path(name) for name in sys.argv[1:]]
    table = read(files[0]) if files else learning.simulate(learners=500, answers=60_000, seed=0)
    name = files[0].parent.name if files else "simulated"
    fitted = table[:FITTED]
    models = [kind.fit(fitted) for kind in (Prior, Lnirt, SequenceModel, AttentionModel)]
    print(f"{name}: {len(table):,} answers of {len(set(table.learner.tolist())):,} learners\n")
    print("| model | one answer and the next forecast, after 10 / 200 / 2,000 answers, µs "
          "| 200 candidates, µs | whole log, answers/s |")  # fmt: skip
    print("| --- | --- | --- | --- |")
    for model in models:
        told = [one_answer(model, fitted, length) for length in LENGTHS]
        steps = " / ".join(f"{update + forecast:.0f}" for update, forecast in told)
        print(f"| {model.kind} | {steps} | {candidates(model, fitted):.0f} "
              f"| {whole(model, table):,.0f} |")  # fmt: skip
    print()
    for model in models[2:]:
        print(f"{model.kind}: {departures(model, table[FITTED:])}")


def read(file: Path) -> Responses:
    """Any log that `studysmart evaluate` reads."""
    import gzip

    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return Log.read(lines, file.name).responses


def median_us(work: Callable[[], object], times: int = 400) -> float:
    """Microseconds."""
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return float(np.median(seconds) * 1e6)


def one_answer(model: LearnerModel, table: Responses, length: int) -> tuple[float, float]:
    """(update, forecast), for a learner with so many answers."""
    history = [response for _, response in table[: length + 1]]
    state = model.replay(history[:length])
    last = history[length]
    return (
        median_us(lambda: model.update(state, last)),
        median_us(lambda: model.predict(state, [last.item], at=last.at)),
    )


def candidates(model: LearnerModel, table: Responses) -> float:
    """Scoring 200 items for one learner, half of them met before."""
    items = [Item(item=f"item-{k}", skill=f"skill-{k % 20}") for k in range(200)]
    met = [Response(item, k % 3 > 0, 20.0) for k, item in enumerate(items[::2])]
    state = model.replay(met)
    del table
    return median_us(lambda: model.predict(state, items))


def whole(model: LearnerModel, table: Responses) -> float:
    """Answers a second of `predict_all`, features included, the best of three."""
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        model.predict_all(table)
        seconds.append(time.perf_counter() - begun)
    return len(table) / min(seconds)


def departures(model: LearnerModel, table: Responses, most: int = 3_000) -> str:
    """How often P falls below after a right answer than after a wrong one, all else equal."""
    states: dict[str, object] = {}
    below, slower, size, n = 0, 0, 0.0, 0
    for learner, response in table[:most]:
        state = states.get(learner)
        if state is None:
            state = model.start()
        item, time_s = response.item, response.response_time_s
        right, wrong = (
            model.predict(model.update(state, Response(item, done, time_s, response.at)), [item])
            for done in (True, False)
        )
        fast, slow = (
            model.predict(model.update(state, Response(item, response.correct, s)), [item])
            for s in (5.0, 60.0)
        )
        n += 1
        below += right.p_correct[0] < wrong.p_correct[0]
        size += max(0.0, wrong.p_correct[0] - right.p_correct[0])
        slower += fast.log_time_mean[0] > slow.log_time_mean[0]
        states[learner] = model.update(state, response)
    return (
        f"P after a right answer below P after a wrong one in {below / n:.2%} of {n:,} histories "
        f"(by {size / max(1, below):.3f} there); expected time after 5 s above that after 60 s in "
        f"{slower / n:.2%}"
    )


if __name__ == "__main__":
    main()
