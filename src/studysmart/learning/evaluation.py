"""One protocol for every model: what is fitted, what is forecast from what, what is scored.

Each row is forecast once, from its learner's earlier rows alone (hidden cells: from the visible
ones), and models are probed for it. Differences between models come with intervals from resampling
learners, never answers: answers of one person are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studysmart.errors import BadInput
from studysmart.learning import scores
from studysmart.learning.engine import KINDS
from studysmart.learning.model import Prediction
from studysmart.learning.reading import Log
from studysmart.learning.responses import Responses
from studysmart.learning.splits import Rows, Split, repeats, split_log
from studysmart.learning.trials import COSTS, Fit, Outcome, Trial, attempt

Scores = dict[str, float | None]

SHORTEST_SCORED_S, LONGEST_SCORED = 0.2, 99.9  # percentile of the set's times
# Positions in the learner's own sequence, the first answer being 1; the last has no end.
POSITIONS = (("first", 1), ("2-5", 2), ("6-20", 6), ("21-100", 21), ("later", 101))


@dataclass(frozen=True, slots=True)
class Result:
    """One model on one split.

    scores: every name in `scores.SCORES` and in `COSTS`; None where it cannot be computed.
    by_position: the scores of the learner's first answer, of the 2nd to 5th, and so on. The first
        one is in no other figure: nothing is known of the learner yet.
    unseen_items: of answers to items that were not fitted; None where items are unknown.
    without_repeats: of answers to another item than the learner's last; None where items are
        unknown. Where an item comes again until it is right, repeats are easy to forecast.
    known_learners: by time, of learners who were fitted too; None otherwise.
    reliability, pit: see `scores`.
    leak: what the forecasts must not have depended on and did; None where nothing was found.
    error: why there are no scores; None where there are.
    """

    model: str
    split: str
    scores: Scores
    by_position: dict[str, Scores] = field(default_factory=dict)
    unseen_items: Scores | None = None
    without_repeats: Scores | None = None
    known_learners: Scores | None = None
    reliability: list[dict[str, float | None]] = field(default_factory=list)
    pit: list[int] = field(default_factory=list)
    leak: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A score of the second model minus that of the first, with its 95 % bootstrap interval.

    split: its name, or "mean" for the mean of all splits. score: one of `scores.DIFFERENCES`.
    """

    models: tuple[str, str]
    split: str
    score: str
    difference: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What all models reached on one log. Made by `evaluate`.

    by: "learner", "time" or "mask". facts: counts of answers, learners, items, known times.
    splits: name -> how many answers were fitted, used for validation, and scored.
    notes: what was assumed about the log, as sentences.
    """

    name: str
    by: str
    facts: dict[str, int]
    splits: dict[str, dict[str, int]]
    results: list[Result]
    differences: list[Difference]
    notes: list[str]

    @property
    def models(self) -> list[str]:
        """Names, in the order in which they were asked for."""
        return list(dict.fromkeys(result.model for result in self.results))

    def of(self, model: str) -> list[Result]:
        """One model on every split."""
        return [result for result in self.results if result.model == model]

    def mean(self, model: str) -> tuple[Scores, Scores]:
        """(mean, standard deviation) of each score over the splits where it could be computed."""
        return _over([result.scores for result in self.of(model)])

    def mean_by_position(self, model: str) -> dict[str, Scores]:
        """The mean over the splits of each score at each position."""
        return {
            name: _over([r.by_position[name] for r in self.of(model) if name in r.by_position])[0]
            for name, _ in POSITIONS
        }

    def to_json(self) -> dict[str, Any]:
        """For programs: numbers, text and None only; keys as in the guide to evaluating."""
        return {
            "name": self.name,
            "by": self.by,
            "facts": self.facts,
            "splits": self.splits,
            "models": {
                model: {
                    "splits": {result.split: _result_json(result) for result in self.of(model)},
                    "mean": self.mean(model)[0],
                    "sd": self.mean(model)[1],
                    "mean_by_position": self.mean_by_position(model),
                }
                for model in self.models
            },
            "differences": [
                {
                    "models": list(found.models),
                    "split": found.split,
                    "score": found.score,
                    "difference": found.difference,
                    "low": found.low,
                    "high": found.high,
                }
                for found in self.differences
            ],
            "notes": self.notes,
        }


def evaluate(
    answers: Any,
    models: Sequence[str] | Mapping[str, Fit] = ("prior", "lnirt", "sequence"),
    *,
    name: str = "answers",
    by: str | None = None,
    test_fold: str | int | None = None,
    all_folds: bool = False,
    hidden: Rows | None = None,
    seed: int = 0,
    resamples: int = 1000,
    isolated: bool = False,
    limit_s: float | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Fit models on a part of a log, forecast the rest answer by answer, and score it.

    Args:
        answers: a `Log`, `Responses`, or a pandas, polars or arrow table; see `Log.of`.
        models: kinds of `KINDS`; or name -> what fits it: it takes `Responses`, and by keyword
            `seed` and `valid` (answers for choosing when to stop) if it has such parameters.
        name: of the log, for the report.
        by: "learner" or "time"; by default by learner where there are folds, else by time.
        test_fold: by learner, which fold is forecast; the first by default.
        all_folds: by learner, every fold in its turn; scores are then also given as means.
        hidden: which answers to hide, (row,): judges hidden cells instead, and neither splits nor
            clips times. See `hidden_cells`.
        seed: of fits, probes and resamples; the same seed gives the same scores.
        resamples: how many for the intervals; 0 for none.
        isolated: fit each model in a process of its own, which is what memory and seconds need to
            be its own. A script must then be importable (`if __name__ == "__main__":`).
        limit_s: with `isolated`, a model that takes longer is given up.
        tell: is told what is being done.

    Raises:
        BadInput: the log cannot be split like this, a model's name is unknown.
    """
    log = Log.of(answers)
    fits: Mapping[str, str | Fit]
    fits = models if isinstance(models, Mapping) else {model: model for model in models}
    unknown = [fit for fit in fits.values() if isinstance(fit, str) and fit not in KINDS]
    if unknown or not fits:
        msg = f"no model called {', '.join(unknown) or 'nothing'}; there are {', '.join(KINDS)}"
        raise BadInput(msg)
    log, by, splits, notes = split_log(
        log, by=by, test_fold=test_fold, all_folds=all_folds, hidden=hidden
    )
    times = _scored_times(log.responses, clipped=hidden is None)
    results: list[Result] = []
    differences: list[Difference] = []
    draws: list[tuple[list[str], dict[str, NDArray[np.float64]]]] = []
    for split in splits:
        tested = split.test
        log_time = times[tested]
        found: dict[str, Prediction] = {}
        for model, fit in fits.items():
            tell(f"{name}, {split.name}: {model}")
            trial = Trial(fit, split, log.responses, seed)
            outcome = attempt(trial, isolated=isolated, limit_s=limit_s)
            results.append(_judged(model, split, outcome, log.responses[tested], log_time))
            if results[-1].error is None and outcome.prediction is not None:
                found[model] = outcome.prediction
        if resamples and len(found) > 1:
            tell(f"{name}, {split.name}: intervals")
            draws.append(
                (list(found), _draws(split, log.responses, log_time, found, resamples, seed))
            )
            differences += _differences(split.name, results, *draws[-1])
    if len(draws) > 1:
        common = [model for model in fits if all(model in names for names, _ in draws)]
        means = {
            key: np.mean([d[key][[names.index(m) for m in common]] for names, d in draws], axis=0)
            for key in scores.DIFFERENCES
        }
        differences += _differences("mean", results, common, means)
    return Evaluation(
        name, by, _facts(log.responses), {s.name: s.counts for s in splits}, results, differences,
        notes,
    )  # fmt: skip


def _scored_times(responses: Responses, *, clipped: bool) -> NDArray[np.float64]:
    """Log times as they are judged, log-seconds; a few absurd ones would drown the rest."""
    times = responses.log_times()
    known = times[np.isfinite(times)]
    if not clipped or not len(known):
        return times
    longest = np.log(np.percentile(np.exp(known), LONGEST_SCORED))
    return np.clip(times, np.log(SHORTEST_SCORED_S), max(longest, np.log(SHORTEST_SCORED_S)))


def _judged(
    model: str,
    split: Split,
    outcome: Outcome,
    test: Responses,
    log_time: NDArray[np.float64],
) -> Result:
    names = (*scores.SCORES, *COSTS)
    empty: Scores = dict.fromkeys(names)
    found = outcome.prediction
    if found is None:
        return Result(model, split.name, empty | outcome.costs, error=outcome.error)
    rows = split.scored
    p, mean, sd = found.p_correct, found.log_time_mean, found.log_time_sd
    sound = np.isfinite(p) & np.isfinite(mean) & np.isfinite(sd) & (sd > 0) & (p >= 0) & (p <= 1)
    if not sound[rows].all():
        error = f"{int((~sound)[rows].sum())} of {int(rows.sum())} forecasts are not in range"
        return Result(model, split.name, empty | outcome.costs, error=error)

    def summary(some: Rows) -> Scores:
        made = scores.summary(test.correct[some], p[some], log_time[some], mean[some], sd[some])
        return {name: made.get(name) for name in scores.SCORES}

    total = split.total
    ends = [start for _, start in POSITIONS[1:]] + [np.inf]
    return Result(
        model,
        split.name,
        empty | summary(total) | outcome.costs,
        {
            name: summary(rows & (split.position >= start) & (split.position < end))
            for (name, start), end in zip(POSITIONS, ends, strict=True)
        },
        None if split.unseen is None else summary(total & split.unseen),
        None if split.unseen is None else summary(total & ~repeats(test)),
        None if split.known is None else summary(total & split.known),
        scores.reliability(test.correct[total], p[total]),
        scores.pit(log_time[total], mean[total], sd[total]),
        outcome.leak,
    )


def _draws(
    split: Split,
    responses: Responses,
    log_time: NDArray[np.float64],
    found: dict[str, Prediction],
    resamples: int,
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    rows = split.total
    test = responses[split.test[rows]]
    forecasts = [
        (made.p_correct[rows], made.log_time_mean[rows], made.log_time_sd[rows])
        for made in found.values()
    ]
    return scores.resampled(
        test.learner, test.correct, log_time[rows], forecasts, resamples=resamples, seed=seed
    )


def _differences(
    split: str,
    results: list[Result],
    models: list[str],
    draws: dict[str, NDArray[np.float64]],
) -> list[Difference]:
    def value(model: str, score: str) -> float | None:
        own = [r for r in results if r.model == model and split in (r.split, "mean")]
        return _over([r.scores for r in own])[0].get(score)

    made = []
    for (i, first), (j, second) in combinations(enumerate(models), 2):
        for score in scores.DIFFERENCES:
            a, b = value(first, score), value(second, score)
            drawn = draws[score][j] - draws[score][i]
            drawn = drawn[np.isfinite(drawn)]
            low, high = np.quantile(drawn, (0.025, 0.975)).tolist() if len(drawn) else (None, None)
            difference = None if a is None or b is None else b - a
            made.append(Difference((first, second), split, score, difference, low, high))
    return made


def _over(many: list[Scores]) -> tuple[Scores, Scores]:
    mean: Scores = {}
    sd: Scores = {}
    for name in dict.fromkeys(name for one in many for name in one):
        values = [value for one in many if (value := one.get(name)) is not None]
        mean[name] = float(np.mean(values)) if values else None
        sd[name] = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return mean, sd


def _facts(responses: Responses) -> dict[str, int]:
    return {
        "answers": len(responses),
        "learners": len(np.unique(responses.learner)),
        "items": len(set(np.unique(responses.item).tolist()) - {""}),
        "skills": len(set(np.unique(responses.skill).tolist()) - {""}),
        "timed": int(np.isfinite(responses.log_times()).sum()),
    }


def _result_json(result: Result) -> dict[str, Any]:
    return result.scores | {
        "by_position": result.by_position,
        "unseen_items": result.unseen_items,
        "without_repeats": result.without_repeats,
        "known_learners": result.known_learners,
        "reliability": result.reliability,
        "pit": result.pit,
        "leak": result.leak,
        "error": result.error,
    }
