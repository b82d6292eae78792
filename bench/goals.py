"""What the models reach on the shared logs, beside what they are meant to reach.

Each log is judged as `studysmart evaluate` judges it: by learner on published folds, or on hidden
cells. A figure is met, met with its stretch, or missed by a gap.

    .venv/bin/python -m bench.goals                           # split 1 of every log, the masks
    .venv/bin/python -m bench.goals lkt_cloze chess-mask      # these only
    .venv/bin/python -m bench.goals assist2009 --all-folds --model sequence
    .venv/bin/python -m bench.goals lkt_cloze --reference     # reference models beside

A log is a folder of the data folder; `NAME-mask` is its hidden cells, `NAME-untimed` the log
without its times, and `noise` coin flips that nobody can know.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from studysmart.cli.evaluate import read
from studysmart.errors import BadInput
from studysmart.learning import simulate
from studysmart.learning.evaluation import Evaluation, Scores, evaluate
from studysmart.learning.evaluation_report import to_markdown
from studysmart.learning.reading import Log, hidden_by, read_mask

SHARED = Path(__file__).parents[2] / "shared"
FOLDS, MASK, UNTIMED, NOISE = "all folds", "-mask", "-untimed", "noise"
LIMIT_S = 1_800.0


@dataclass(frozen=True)
class Goal:
    """A bound on a score of one log.

    score: a key of the scores, or "position/key". low, high: what is asked for; stretch: the same,
    tighter. split: "split 1", or "all folds" for the mean of all.
    """

    log: str
    score: str
    low: float = -np.inf
    high: float = np.inf
    stretch: tuple[float, float] | None = None
    split: str = "split 1"

    def verdict(self, value: float | None) -> str:
        """In words."""
        if value is None:
            return "no figure"
        if self.stretch and self.stretch[0] <= value <= self.stretch[1]:
            return "met, stretch too"
        if self.low <= value <= self.high:
            return "met"
        return f"**gap {_number(value - (self.low if value < self.low else self.high), '+')}**"

    def bound(self) -> str:
        """As it is written."""
        return _bound(self.low, self.high)


def _number(value: float, sign: str = "") -> str:
    """Rates without decimals, scores with four."""
    return format(value, f"{sign},.{4 if abs(value) < 1_000 else 0}f")


def _bound(low: float, high: float) -> str:
    if np.isinf(low):
        return f"<= {high:,g}"
    return f">= {low:,g}" if np.isinf(high) else f"{low:,g} to {high:,g}"


def at_least(log: str, score: str, goal: float, stretch: float, split: str = "split 1") -> Goal:
    """More is better."""
    return Goal(log, score, low=goal, stretch=(stretch, np.inf), split=split)


def at_most(log: str, score: str, goal: float, stretch: float | None = None) -> Goal:
    """Less is better."""
    return Goal(log, score, high=goal, stretch=None if stretch is None else (-np.inf, stretch))


GOALS = (
    at_least("assist2009", "auc", 0.790, 0.795, FOLDS),
    at_least("assist2009", "auc", 0.788, 0.793),
    at_most("assist2009", "log_loss", 0.521, 0.517),
    at_most("assist2009", "rmse", 0.4170, 0.415),
    at_most("assist2009", "ece", 0.010, 0.006),
    at_most("assist2009", "2-5/log_loss", 0.518, 0.512),
    at_most("assist2009", "fit_s", 30, 7),
    at_least("assist2009", "predict_answers_per_s", 160_000, 300_000),
    at_least("assist2015", "auc", 0.735, 0.750),
    at_least("assist2017-untimed", "auc", 0.775, 0.80),
    at_least("assist2017", "auc", 0.775, 0.80),
    at_least("lkt_cloze", "auc", 0.855, 0.865),
    at_least("us_places_exp1", "auc", 0.785, 0.80),
    *(at_most(log, "ece", 0.015)
      for log in ("assist2015", "assist2017", "lkt_cloze", "us_places_exp1", "spatial_rotation",
                  "chess")),
    at_most("lkt_cloze", "log_time_rmse", 0.380, 0.370),
    at_most("us_places_exp1", "log_time_rmse", 0.597, 0.58),
    at_most("spatial_rotation", "log_time_rmse", 0.590, 0.57),
    at_most("assist2017", "log_time_rmse", 0.825, 0.81),
    *(Goal(log, "coverage_80", 0.78, 0.82, (0.79, 0.81))
      for log in ("assist2017", "lkt_cloze", "us_places_exp1", "spatial_rotation", "chess")),
    # Hidden cells: the bars for LNIRT.
    *(at_most(log + MASK, "log_loss", goal)
      for log, goal in (("mental_rotation", 0.3047), ("chess", 0.4115),
                        ("spatial_rotation", 0.4396))),
    *(at_most(log + MASK, "log_time_rmse", goal, stretch)
      for log, goal, stretch in (("mental_rotation", 0.3535, None), ("chess", 0.4613, None),
                                 ("spatial_rotation", 0.6105, 0.580))),
    *(Goal(log + MASK, "coverage_90", 0.89, 0.91) for log in ("chess", "spatial_rotation")),
    at_most("chess" + MASK, "nlpd", 0.628),
    at_most("spatial_rotation" + MASK, "nlpd", 0.855),
    *(at_most(log + MASK, "fit_s", goal)
      for log, goal in (("mental_rotation", 0.05), ("chess", 0.05), ("spatial_rotation", 0.1))),
    Goal(NOISE, "auc", 0.48, 0.52),
)  # fmt: skip
LOGS = tuple(dict.fromkeys(goal.log for goal in GOALS))


def main() -> None:
    """Judge the logs named, and print goal and figure side by side."""
    asked = arguments()
    print("| log | split | model | figure | goal | stretch | reached | |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    done = []
    for log in asked.logs:
        try:
            found = judged(log, asked)
        except BadInput as error:
            print(f"{log}: {error}", file=sys.stderr)
            continue
        done.append(found)
        compare(log, found)
    print()
    if asked.full:
        print(to_markdown(done))
    if asked.reference:
        for log in asked.logs:
            reference(log, asked.data.parent / "reference", asked.limit_s)


def arguments() -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(description="Goals of the learner models beside figures.")
    parser.add_argument("logs", nargs="*", help=f"any of {', '.join(LOGS)}; all by default")
    parser.add_argument("--model", default="lnirt,sequence", help="names with commas")
    split = parser.add_mutually_exclusive_group()
    split.add_argument("--all-folds", action="store_true", help="every fold in its turn")
    split.add_argument("--fold", type=int, default=1, help="the fold that is forecast")
    parser.add_argument("--data", type=Path, default=SHARED / "data", help="folder of the logs")
    parser.add_argument("--limit-s", type=float, default=LIMIT_S, help="a fit is given up after")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--full", action="store_true", help="all tables of each evaluation too")
    parser.add_argument("--reference", action="store_true", help="run the reference models too")
    asked = parser.parse_args()
    asked.logs = asked.logs or list(LOGS)
    if not asked.data.is_dir() and asked.logs != [NOISE]:
        sys.exit(f"no logs in {asked.data}; name their folder with --data")
    return asked


def judged(log: str, asked: argparse.Namespace) -> Evaluation:
    """One log, each fit in a process of its own."""
    hidden = None
    if log == NOISE:
        answers = noise()
    elif log.endswith(MASK):
        folder = asked.data / log.removesuffix(MASK) / "lnirt"
        answers = read(folder / "responses.csv.gz", Log.read)
        mask = folder / "holdout-mask.csv.gz"
        hidden = hidden_by(answers.responses, read(mask, read_mask), str(mask))
    else:
        path = asked.data / log.removesuffix(UNTIMED) / "interactions.csv.gz"
        answers = read(path, Log.read)
        if log.endswith(UNTIMED):
            table = answers.responses
            unknown = np.full(len(table), np.nan)
            answers = replace(answers, responses=replace(table, response_time_s=unknown))
    return evaluate(
        answers,
        asked.model.split(","),
        name=log,
        by=None if hidden is not None else "learner",
        test_fold=None if asked.all_folds else asked.fold,
        all_folds=asked.all_folds,
        hidden=hidden,
        seed=asked.seed,
        resamples=1000 if asked.full else 0,
        isolated=True,
        limit_s=asked.limit_s,
        tell=lambda what: print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr),
    )


def noise() -> Log:
    """Answers of simulated learners, right or wrong by the toss of a coin."""
    table = simulate(learners=200, answers=20_000)
    coins = np.random.default_rng(0).integers(2, size=len(table)).astype(float)
    return Log(replace(table, correct=coins))


def compare(log: str, found: Evaluation) -> None:
    """A row for each model and goal."""
    for note in found.notes:
        print(f"{log}: {note}", file=sys.stderr)
    for result in found.results:
        for bad in (result.leak and f"LEAK: {result.leak}", result.error):
            if bad:
                print(f"{log}, {result.split}, {result.model}: {bad}", file=sys.stderr)
    several = len(found.splits) > 1
    for goal in GOALS:
        if goal.log != log or (goal.split == FOLDS) > several:
            continue
        for model in found.models:
            first = found.of(model)[0]
            if goal.split == FOLDS:
                split, value = f"mean of {len(found.splits)}", found.mean(model)[0].get(goal.score)
            else:
                split, value = first.split, figure(first.scores, first.by_position, goal.score)
            verdict = goal.verdict(value)
            if goal.score == "ece":
                chance = found.mean(model)[0]["ece_by_chance"]
                verdict += f" (by chance {chance:.4f})" if chance is not None else ""
            print(
                f"| {log} | {split} | {model} | {goal.score} | {goal.bound()} | "
                f"{_bound(*goal.stretch) if goal.stretch else ''} | "
                f"{'–' if value is None else _number(value)} | {verdict} |",
                flush=True,
            )


def figure(scores: Scores, by_position: dict[str, Scores], name: str) -> float | None:
    """A score, of one position where a position is named."""
    position, _, score = name.rpartition("/")
    return (by_position.get(position, {}) if position else scores).get(score)


def reference(log: str, folder: Path, limit_s: float) -> None:
    """What the reference scripts say of split 1 of a log; their own words."""
    if log == NOISE or log.endswith(UNTIMED):
        return
    scripts = ["lnirt_em.py"] if log.endswith(MASK) else ["boosting.py", "response_time.py"]
    for script in scripts:
        if not (folder / script).exists():
            print(f"no reference model {script} in {folder}", file=sys.stderr)
            continue
        try:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", script, log.removesuffix(MASK)],
                cwd=folder, capture_output=True, text=True, check=False, timeout=limit_s,
                env={"OMP_NUM_THREADS": "1"} | os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            print(f"{script} {log}: no result within {limit_s:.0f} s", file=sys.stderr)
            continue
        if done.returncode and "response_time_s" not in done.stderr:
            print(f"{script} {log}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        for line in done.stdout.splitlines():
            print(f"reference, {log}: {_plainly(line)}")


def _plainly(line: str) -> str:
    try:
        found = json.loads(line)
    except ValueError:
        return line
    name = found.pop("model", "")
    skipped = {"when", "ds", "prot", "task"}
    figures = ", ".join(f"{key} {value}" for key, value in found.items() if key not in skipped)
    return f"{name}: {figures}"


if __name__ == "__main__":
    main()
