"""Small data: what the system serves from the first answers on, beside means that anyone can count.

679 answers of 4 simulated learners, 7 topics, 3 difficulties. Each is forecast by what would have
served then: the prior until the first training, then the engine of the last one. The system
trains after every 5 answers; here, to bound the time, after 5, 10, ... 40, 80, 160, ... of them.
Then one learner at a time is left out, and met for the first time by an engine trained on the
others.

The means are of all earlier answers, of those on the same topic, of the same difficulty, of both,
and of the same learner; each shrunk by two pseudo-answers towards the mean of all, and that one
towards 0.5 and 60 s: without, the first wrong answer after a right one would cost them everything.

    .venv/bin/python -m bench.small [--seeds 20] [--answers 679]
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studysmart import learning
from studysmart.learning import Engine, Prediction, Responses
from studysmart.learning.prior import LOG_TIME_0, P_0
from studysmart.learning.responses import joined
from studysmart.learning.scores import cross_entropy
from studysmart.learning.training import Serving

Array = NDArray[np.float64]

LEARNERS, ANSWERS, FROM, FIRST = 4, 679, 10, 5
TRAININGS = (*range(5, 40, 5), *(40 * 2**k for k in range(9)))
PSEUDO = 2.0
SERVED = "served"
MEANS: dict[str, tuple[str, ...]] = {
    "mean so far": (),
    "mean of the topic": ("topic",),
    "mean of the difficulty": ("difficulty",),
    "mean of topic and difficulty": ("topic", "difficulty"),
    "mean of the learner": ("learner",),
}
CONSTANTS = "0.5 and 60 s"
AT_LEAST = (CONSTANTS, *list(MEANS)[:4])  # what has to be beaten; the learner's own is told too
SPANS = ((10, 20), (20, 40), (40, 80), (80, 160), (160, 320), (320, ANSWERS + 1))


@dataclass(frozen=True)
class Losses:
    """Of each answer: log loss, and squared error of log time; arrays (answer,)."""

    right: Array
    time: Array

    def part(self, rows: slice) -> tuple[float, float]:
        """(log loss, RMSE of log time) of some."""
        return float(self.right[rows].mean()), float(np.sqrt(self.time[rows].mean()))


def losses(table: Responses, p: Array, log_time: Array) -> Losses:
    """Of forecasts, against what happened."""
    return Losses(cross_entropy(table.correct, p), (table.log_times() - log_time) ** 2)


def served(table: Responses, *, seed: int = 0, trainings: tuple[int, ...] = TRAININGS) -> Losses:
    """Every answer forecast by what served just before it."""
    n = len(table)
    p, log_time = np.empty((2, n))
    live: Engine | None = None
    for begin, end in zip((0, *trainings), (*trainings, n), strict=True):
        if begin >= n:
            break
        stop = min(end, n)
        if begin:
            live = learning.train(table[:begin], live=live, seed=seed).engine or live
        if live is None:
            for row in range(begin, stop):
                found = learning.fit_prior_engine(table[:row]).models["prior"].predict_all(table)
                p[row], log_time[row] = found.p_correct[row], found.log_time_mean[row]
        else:
            told = Serving(live).predict_all(table[:stop])
            p[begin:stop], log_time[begin:stop] = told.p_correct[begin:], told.log_time_mean[begin:]
    return losses(table, p, log_time)


def means(table: Responses, columns: tuple[str, ...]) -> Losses:
    """Every answer forecast by the mean of the earlier ones with the same labels."""
    labels = [getattr(table, name).tolist() for name in columns]
    keys = list(zip(*labels, strict=True)) if labels else [()] * len(table)
    right, times = table.correct.tolist(), table.log_times().tolist()
    start = np.array([P_0, LOG_TIME_0])
    everyone, group = np.zeros(3), defaultdict(lambda: np.zeros(3))
    out = np.empty((len(table), 2))
    for row, key in enumerate(keys):
        overall = (everyone[:2] + PSEUDO * start) / (everyone[2] + PSEUDO)
        own = group[key]
        out[row] = (own[:2] + PSEUDO * overall) / (own[2] + PSEUDO) if columns else overall
        answer = np.array([right[row], times[row], 1.0])
        everyone += answer
        own += answer
    return losses(table, *out.T)


def references(table: Responses) -> dict[str, Losses]:
    """Constants, and all means."""
    n = len(table)
    constant = losses(table, np.full(n, P_0), np.full(n, LOG_TIME_0))
    return {CONSTANTS: constant} | {name: means(table, by) for name, by in MEANS.items()}


def history(seed: int, answers: int = ANSWERS) -> dict[str, Losses]:
    """One installation from its first answer on: what served, and the references."""
    table = learning.simulate(learners=LEARNERS, answers=answers, seed=seed)
    return {SERVED: served(table, seed=seed)} | references(table)


def new_learner(seed: int, answers: int = ANSWERS) -> dict[str, Losses]:
    """Each learner's first five answers, by an engine trained on the others."""
    table = learning.simulate(learners=LEARNERS, answers=answers, seed=seed)
    found: dict[str, list[Losses]] = defaultdict(list)
    for learner in sorted(set(table.learner.tolist())):
        others = table[table.learner != learner]
        first = table[np.flatnonzero(table.learner == learner)[:FIRST]]
        engine = learning.train(others, seed=seed).engine
        assert engine is not None
        told: Prediction = Serving(engine).predict_all(first)
        found[SERVED].append(losses(first, told.p_correct, told.log_time_mean))
        for name, whole in references(joined([others, first])).items():
            found[name].append(Losses(whole.right[-FIRST:], whole.time[-FIRST:]))
    return {
        name: Losses(
            np.concatenate([x.right for x in all_]), np.concatenate([x.time for x in all_])
        )
        for name, all_ in found.items()
    }


def compared(runs: list[dict[str, Losses]], rows: slice) -> dict[str, Array]:
    """Of each forecaster, (seed, 2): log loss and RMSE of log time on these rows."""
    return {name: np.array([run[name].part(rows) for run in runs]) for name in runs[0]}


def beaten(runs: list[dict[str, Losses]], rows: slice) -> list[str]:
    """What is on average as good as what was served, or better: empty when all is well."""
    found = compared(runs, rows)
    return [
        f"{name}: {what}"
        for name in AT_LEAST
        for k, what in enumerate(("log loss", "log-time RMSE"))
        if found[SERVED][:, k].mean() >= found[name][:, k].mean()
    ]


def show(title: str, runs: list[dict[str, Losses]], rows: slice) -> None:
    """A table in Markdown: means over seeds, how much worse than served, and how often."""
    found = compared(runs, rows)
    print(f"\n### {title}\n")
    print("| forecaster | log loss | worse by | in seeds | log-time RMSE | worse by | in seeds |")
    print("|---|---|---|---|---|---|---|")
    for name, values in found.items():
        cells = [name]
        for k in range(2):
            worse = values[:, k] - found[SERVED][:, k]
            error = worse.std(ddof=1) / np.sqrt(len(worse)) if len(worse) > 1 else np.nan
            cells += [f"{values[:, k].mean():.4f}"]
            cells += (
                ["", ""]
                if name == SERVED
                else [f"{worse.mean():+.4f} ± {error:.4f}", f"{(worse > 0).sum()}/{len(worse)}"]
            )
        print(f"| {' | '.join(cells)} |")


def show_spans(runs: list[dict[str, Losses]], answers: int) -> None:
    """How what was served stands against the best of the means, as the history grows."""
    print("\n### As the history grows\n")
    print("| answers | log loss served | best mean | log-time RMSE served | best mean |")
    print("|---|---|---|---|---|")
    for begin, end in SPANS:
        if begin > answers:
            break
        found = compared(runs, slice(begin - 1, end - 1))
        average = {name: values.mean(0) for name, values in found.items()}
        cells = [f"{begin}-{min(end - 1, answers)}"]
        for k in range(2):
            best = min(AT_LEAST, key=lambda name, k=k: average[name][k])
            cells += [f"{average[SERVED][k]:.4f}", f"{average[best][k]:.4f} ({best})"]
        print(f"| {' | '.join(cells)} |")


def main() -> None:
    """Measure and print; the exit status says whether anything was better than what was served."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--answers", type=int, default=ANSWERS)
    given = parser.parse_args()
    runs = [history(seed, given.answers) for seed in range(given.seeds)]
    rows, every = slice(FROM - 1, None), slice(None)
    print(f"## {given.answers} answers of {LEARNERS} learners, {given.seeds} seeds")
    show(f"From answer {FROM} on", runs, rows)
    show_spans(runs, given.answers)
    strangers = [new_learner(seed, given.answers) for seed in range(given.seeds)]
    show(f"A new learner's first {FIRST} answers", strangers, every)
    faults = [f"from answer {FROM} on: {x}" for x in beaten(runs, rows)]
    faults += [f"new learners: {x}" for x in beaten(strangers, every)]
    print("\n" + ("\n".join(f"MISSED {fault}" for fault in faults) or "Nothing was better."))
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
