"""How well and how fast the models learn a real log, split by time.

The first 80 % of the answers are fitted, the later 20 % are forecast one by one, each from that
learner's earlier answers only; the figures are over answers of learners who had answered before the
split, and over all. Any CSV with learner, correct and, where known, item, skill, response_time_s,
timestamp will do.

    .venv/bin/python -m bench.learn [FILE.csv.gz ...]
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from studysmart import learning
from studysmart.learning import LearnerModel, Lnirt, Prior, Response, Responses, SequenceModel
from studysmart.learning.training import judge

DEFAULT = Path(__file__).parents[2] / "shared" / "data" / "lkt_cloze" / "interactions.csv.gz"
FIGURES = ("log_loss", "auc", "ece", "log_time_rmse", "mae_s", "coverage_80")


def main() -> None:
    """Measure every file named, then training on a small installation."""
    for file in map(Path, sys.argv[1:] or [DEFAULT]):
        if not file.exists():
            sys.exit(f"{file} is not there; name a CSV of answers")
        one(file)
    small()


def one(file: Path) -> None:
    """One log: a line a model."""
    frame = pd.read_csv(file)
    if "timestamp" in frame:
        frame = frame.sort_values("timestamp", kind="stable")
    table = Responses.from_table(frame)
    cut = int(len(table) * 0.8)
    fitted, judged = table[:cut], len(table) - cut
    known = np.isin(table.learner[cut:], np.unique(fitted.learner))
    print(
        f"{file.parent.name}: {cut:,} answers fitted, {judged:,} later ones forecast, "
        f"{known.sum():,} of them of known learners"
    )
    models: dict[str, LearnerModel] = {}
    for kind in ("prior", "lnirt", "sequence"):
        begun = time.process_time()
        models[kind] = fit(kind, fitted, models)
        seconds = time.process_time() - begun
        begun = time.process_time()
        found = judge(models[kind], table, judged)
        rate = len(table) / (time.process_time() - begun)
        for name, rows in (("known learners", known), ("all", np.ones(judged, bool))):
            scores = found.summary(rows)
            figures = ", ".join(f"{k} {scores[k]:.4f}" for k in FIGURES if k in scores)
            print(f"  {kind:<9} {name:<15} {figures}")
        print(
            f"  {kind:<9} fitted in {seconds:.1f} CPU-s; replay and forecast {rate:,.0f} answers/s"
        )
    print(f"  {violations(models['sequence'], table[cut:])}")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def fit(kind: str, fitted: Responses, models: dict[str, LearnerModel]) -> LearnerModel:
    """One model over the simpler ones."""
    if kind == "prior":
        return Prior.fit(fitted)
    if kind == "lnirt":
        prior = models["prior"]
        assert isinstance(prior, Prior)
        return Lnirt.fit(fitted, prior)
    lnirt = models["lnirt"]
    assert isinstance(lnirt, Lnirt)
    return SequenceModel.fit(fitted, lnirt, seed=0)


def violations(model: LearnerModel, table: Responses) -> str:
    """How often the network's P falls below after a right answer than after a wrong one."""
    states, n, below, size = {}, 0, 0, 0.0
    for learner, response in table[:3_000]:
        state = states.get(learner, model.start())
        p = [
            model.predict(
                model.update(
                    state, Response(response.item, right, response.response_time_s, response.at)
                ),
                [response.item],
            ).p_correct[0]
            for right in (True, False)
        ]
        n += 1
        below += p[0] < p[1]
        size += max(0.0, p[1] - p[0])
        states[learner] = model.update(state, response)
    return (
        f"sequence: P after a right answer is below P after a wrong one in {below / n:.2%} of "
        f"{n:,} histories, by {size / max(1, below):.3f} on average there"
    )


def small() -> None:
    """A whole training on 679 answers in a warm process."""
    learning.warm_up()
    seconds = []
    for seed in range(5):
        table = learning.simulate(learners=4, answers=679, seed=seed)
        begun = time.perf_counter()
        report = learning.train(table, seed=seed)
        seconds.append(time.perf_counter() - begun)
        assert report.outcome == "live"
    print(f"679 answers of 4 learners, warm process: train() median {np.median(seconds):.2f} s")


if __name__ == "__main__":
    main()
