"""One protocol for every model: who is fitted on what, what is forecast from what, what is scored.

By learner: learners of one fold are forecast by a model that has met none of them; folds are
published ones, or made of the learners' names. By time: the oldest answers are fitted, the newest
forecast. In both, a row is forecast once, from its learner's earlier rows alone, and models are
probed for it (`leaks`). Hidden cells: single answers are hidden, and forecast from the rest.

Differences between models come with intervals from resampling learners, never answers: answers of
one person are not independent.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studysmart.errors import BadInput
from studysmart.learning import measuring, scores
from studysmart.learning.model import LearnerModel, Prediction
from studysmart.learning.reading import Log
from studysmart.learning.responses import Labels, Responses

Rows = NDArray[np.bool_]
Scores = dict[str, float | None]
# Takes the answers to fit, and by name what it knows of: seed, valid, and models below it.
Fit = Callable[..., LearnerModel]

MODELS = {
    "prior": "studysmart.learning.prior:Prior",
    "lnirt": "studysmart.learning.lnirt:Lnirt",
    "sequence": "studysmart.learning.sequence:SequenceModel",
    "attention": "studysmart.learning.attention:AttentionModel",
}
FOLDS = 5
FITTED_SHARE = 0.8
SHORTEST_SCORED_S, LONGEST_SCORED = 0.2, 99.9  # percentile of the set's times
# Positions in the learner's own sequence, the first answer being 1; the last has no end.
POSITIONS = (("first", 1), ("2-5", 2), ("6-20", 6), ("21-100", 21), ("later", 101))
COSTS = (
    "fit_s", "fit_cpu_s", "fit_answers_per_cpu_s", "predict_s", "predict_answers_per_s", "peak_mb",
)  # fmt: skip
# A forecast that moves by less when it must not move at all is rounding of single precision.
SAME = 1e-4
# Learners, their first rows, and pairs of learner and row that a model is probed with; few learners
# are probed several times.
LEAK_LEARNERS, LEAK_ROWS, LEAK_TRIES, MOST_TURNS = 24, 200, 48, 6


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
        models: names in `MODELS`; or name -> what fits it: it takes `Responses`, and by keyword
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
    unknown = [fit for fit in fits.values() if isinstance(fit, str) and fit not in MODELS]
    if unknown or not fits:
        msg = f"no model called {', '.join(unknown) or 'nothing'}; there are {', '.join(MODELS)}"
        raise BadInput(msg)
    if hidden is not None:
        notes: list[str] = []
        by, splits = "mask", [_mask_split(log.responses, hidden)]
    else:
        log, notes = _in_order(log)
        by = by or _usual(log)
        if by == "time":
            splits = [_by_time(log.responses, notes)]
        else:
            splits = list(_by_learner(log, test_fold, notes, every=all_folds))
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
            outcome = _attempt(trial, isolated=isolated, limit_s=limit_s)
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


# -- who is fitted, who is forecast --


@dataclass(frozen=True, slots=True)
class Split:
    """Rows of a log, as numbers in order.

    test: rows that are forecast in one table; scored: which of them are judged, (test row,).
    position: of each test row in its learner's own sequence, from 1.
    unseen: whether its item was not fitted; None where items are unknown.
    known: whether its learner was fitted; None where no learner was.
    hidden: which rows of the log are hidden cells; None for the other protocols.
    """

    name: str
    train: NDArray[np.intp]
    valid: NDArray[np.intp]
    test: NDArray[np.intp]
    scored: Rows
    position: NDArray[np.intp]
    unseen: Rows | None
    known: Rows | None = None
    hidden: Rows | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many answers each part has."""
        return {
            "fitted": len(self.train),
            "validation": len(self.valid),
            "scored": int((self.scored & (self.position > 1)).sum())
            if self.hidden is None
            else int(self.scored.sum()),
        }

    @property
    def total(self) -> Rows:
        """The test rows that the scores are over: a learner's first answer is reported apart."""
        return self.scored if self.hidden is not None else self.scored & (self.position > 1)


def made_folds(learner: Labels) -> Labels:
    """Five folds, "1" to "5", by MD5 of the learner's name: the same in every run and file."""
    names, index = np.unique(learner, return_inverse=True)
    digests = [int(hashlib.md5(str(name).encode()).hexdigest(), 16) for name in names]  # noqa: S324 - spreads names, keeps no secret
    folds = np.array([digest % FOLDS for digest in digests])
    if len(set(folds.tolist())) < min(FOLDS, len(names)):
        # Few learners: their order by digest fills every fold, at the price of moving learners
        # when another one comes.
        folds = np.argsort(np.argsort(digests)) % FOLDS
    return (folds + 1).astype(str)[index]


def _usual(log: Log) -> str:
    """By learner where there are folds, or where nothing says which answers are the newest."""
    if log.fold is not None:
        return "learner"
    one_block_each = not _turns(log.responses.learner)
    several = len(np.unique(log.responses.learner)) > 1
    unknown = not np.isfinite(log.responses.at).any()
    return "learner" if unknown and one_block_each and several else "time"


def _turns(learner: Labels) -> bool:
    """Whether learners take turns, rather than one coming after the other."""
    blocks = 1 + int((learner[1:] != learner[:-1]).sum()) if len(learner) else 0
    return blocks > len(np.unique(learner))


def _in_order(log: Log) -> tuple[Log, list[str]]:
    """Each learner's rows in order of time.

    Rows stand in that order as a rule, and clocks may begin anew with a session: a rare step back
    is kept. Where time goes back often, the rows were in no order, and are sorted.
    """
    at, (_, who) = log.responses.at, np.unique(log.responses.learner, return_inverse=True)
    by_learner = np.argsort(who, kind="stable")
    same = who[by_learner][1:] == who[by_learner][:-1]
    step = np.diff(at[by_learner])[same]
    back = int((step < 0).sum())
    if not back:
        return log, []
    if back <= 0.05 * int(np.isfinite(step).sum()):
        return log, [f"Timestamps step back {back} times within learners; rows keep their order."]
    order = np.argsort(np.where(np.isfinite(at), at, -np.inf), kind="stable")
    fold = None if log.fold is None else log.fold[order]
    return Log(log.responses[order], fold), ["Rows were not in order of time, and were sorted."]


def _by_learner(
    log: Log, test_fold: str | int | None, notes: list[str], *, every: bool
) -> Iterator[Split]:
    learner = log.responses.learner
    if len(np.unique(learner)) < 2:
        msg = "one learner only: there is nobody else to fit; split by time instead"
        raise BadInput(msg)
    fold = log.fold
    if fold is None:
        fold = made_folds(learner)
        notes.append("No folds were given: five were made of the learners' names.")
    names, who = np.unique(learner, return_inverse=True)
    labels, which = np.unique(fold, return_inverse=True)
    pairs = np.unique(who * len(labels) + which)
    twice = np.flatnonzero(np.diff(pairs // len(labels)) == 0)
    if len(twice):
        one, first, second = pairs[twice[0]] // len(labels), *pairs[twice[0] : twice[0] + 2]
        msg = (
            f"learner '{names[one]}' is in folds {labels[first % len(labels)]} and "
            f"{labels[second % len(labels)]}: nobody may be both fitted and forecast"
        )
        raise BadInput(msg)
    if all(_is_number(label) for label in labels.tolist()):
        numbers = np.array([int(float(label)) for label in labels.tolist()])[which]
        there = sorted({int(k) for k in numbers} - {0})
        chosen = there if every else [_chosen(test_fold, there)]
        for test in chosen:
            following = there[(there.index(test) + 1) % len(there)]
            # With two folds, the other one is all there is to fit.
            valid = numbers == following if len(there) > 2 else np.zeros(len(numbers), bool)
            yield _split(f"fold {test}", log.responses, numbers == test, valid)
        return
    words = np.char.lower(labels)[which]
    if not (words == "test").any():
        found = ", ".join(labels.tolist()[:6])
        msg = f"folds are {found}; expected whole numbers, or 'test' for those to be forecast"
        raise BadInput(msg)
    if test_fold not in (None, "test"):
        msg = f"no fold {test_fold}; folds are words here, and 'test' is forecast"
        raise BadInput(msg)
    test_rows = words == "test"
    valid = np.isin(words, ("valid", "validation"))
    if not valid.any():
        valid = (made_folds(learner) == "1") & ~test_rows
    yield _split("test", log.responses, test_rows, valid)


def _is_number(label: str) -> bool:
    try:
        return float(label) == int(float(label)) and float(label) >= 0
    except (ValueError, OverflowError):
        return False


def _chosen(test_fold: str | int | None, there: list[int]) -> int:
    if test_fold is None and there:
        return there[0]
    if str(test_fold) not in map(str, there):
        msg = f"no fold {test_fold}; there are {', '.join(map(str, there)) or 'none but 0'}"
        raise BadInput(msg)
    return int(str(test_fold))


def _split(name: str, responses: Responses, test: Rows, valid: Rows) -> Split:
    train = ~test & ~valid
    if not train.any():
        msg = f"{name}: no answers are left to fit; another fold is needed"
        raise BadInput(msg)
    rows = np.flatnonzero(test)
    return Split(
        name,
        np.flatnonzero(train),
        np.flatnonzero(valid),
        rows,
        np.ones(len(rows), bool),
        _positions(responses.learner[rows]),
        _unseen(responses.item[rows], responses.item[train]),
    )


def _by_time(responses: Responses, notes: list[str]) -> Split:
    """The oldest answers are fitted; the newest forecast, after all that went before them."""
    n = len(responses)
    if n < 2:
        msg = f"{n} answer is too few to fit and to score"
        raise BadInput(msg)
    if np.isfinite(responses.at).any():
        order = np.argsort(_clock(responses), kind="stable")
    else:
        order = np.arange(n)
        notes.append("There are no timestamps: the order of the rows is taken for that of time.")
    cut = max(1, int(n * FITTED_SHARE))
    newest = np.zeros(n, bool)
    newest[order[cut:]] = True
    wanted = np.isin(responses.learner[order], np.unique(responses.learner[newest]))
    test = order[wanted]
    train = order[:cut]
    return Split(
        f"newest {1 - FITTED_SHARE:.0%}",
        train,
        np.array([], np.intp),
        test,
        newest[test],
        _positions(responses.learner[test]),
        _unseen(responses.item[test], responses.item[train]),
        np.isin(responses.learner[test], np.unique(responses.learner[train])),
    )


def _clock(responses: Responses) -> NDArray[np.float64]:
    """Times that never step back within a learner: the latest so far; unknown ones stay put."""
    _, who = np.unique(responses.learner, return_inverse=True)
    by_learner = np.argsort(who, kind="stable")
    at = responses.at[by_learner]
    at = np.where(np.isfinite(at), at, -np.inf)
    starts = np.flatnonzero(np.diff(who[by_learner], prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(at)], strict=True):
        at[start:end] = np.maximum.accumulate(at[start:end])
    clock = np.empty(len(at))
    clock[by_learner] = at
    return clock


def _mask_split(responses: Responses, hidden: Rows) -> Split:
    if len(hidden) != len(responses) or not hidden.any() or hidden.all():
        msg = f"{int(hidden.sum())} of {len(responses)} cells are hidden: some must be, and not all"
        raise BadInput(msg)
    rows = np.flatnonzero(hidden)
    return Split(
        "hidden cells",
        np.flatnonzero(~hidden),
        np.array([], np.intp),
        rows,
        np.ones(len(rows), bool),
        _positions(responses.learner)[rows],
        _unseen(responses.item[rows], responses.item[~hidden]),
        hidden=hidden,
    )


def _positions(learner: Labels) -> NDArray[np.intp]:
    """Of each row in its learner's own sequence, from 1."""
    if not len(learner):
        return np.array([], np.intp)
    _, who = np.unique(learner, return_inverse=True)
    by_learner = np.argsort(who, kind="stable")
    first = np.flatnonzero(np.diff(who[by_learner], prepend=-1))
    lengths = np.diff([*first, len(who)])
    position = np.empty(len(who), np.intp)
    position[by_learner] = np.arange(len(who)) - np.repeat(first, lengths) + 1
    return position


def _repeats(responses: Responses) -> Rows:
    """Whether a row is about the same item as its learner's row before."""
    _, who = np.unique(responses.learner, return_inverse=True)
    order = np.argsort(who, kind="stable")
    item, same = responses.item[order], who[order][1:] == who[order][:-1]
    repeated = np.zeros(len(who), bool)
    repeated[order[1:]] = same & (item[1:] == item[:-1]) & (item[1:] != "")
    return repeated


def _unseen(item: Labels, fitted: Labels) -> Rows | None:
    if not (item != "").any():
        return None
    unseen: Rows = (item != "") & ~np.isin(item, np.unique(fitted))
    return unseen


def _scored_times(responses: Responses, *, clipped: bool) -> NDArray[np.float64]:
    """Log times as they are judged, log-seconds; a few absurd ones would drown the rest."""
    times = responses.log_times()
    known = times[np.isfinite(times)]
    if not clipped or not len(known):
        return times
    longest = np.log(np.percentile(np.exp(known), LONGEST_SCORED))
    return np.clip(times, np.log(SHORTEST_SCORED_S), max(longest, np.log(SHORTEST_SCORED_S)))


# -- fitting and forecasting --


@dataclass(frozen=True, slots=True)
class Trial:
    """What is done with one model on one split; all that its process is told."""

    fit: str | Fit
    split: Split
    responses: Responses
    seed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial: forecasts of the test rows, what they cost, and what was wrong."""

    prediction: Prediction | None
    costs: Scores
    leak: str | None = None
    error: str | None = None


def _attempt(trial: Trial, *, isolated: bool, limit_s: float | None) -> Outcome:
    """One model that cannot be fitted costs its own figures, never the others'."""
    try:
        if not isolated:
            return run(trial)
        outcome, peak = measuring.alone(run, trial, limit_s=limit_s)
        return replace(outcome, costs=outcome.costs | {"peak_mb": peak})
    except (BadInput, measuring.Broken) as refused:
        return Outcome(None, {}, error=str(refused))
    except Exception as error:  # noqa: BLE001 - reported beside the figures of the other models
        return Outcome(None, {}, error=measuring.one_line(error))


def run(trial: Trial) -> Outcome:
    """Fit, forecast, and probe for leaks."""
    split, responses = trial.split, trial.responses
    train = responses[split.train]
    valid = responses[split.valid] if len(split.valid) else None
    fitted = measuring.timed(lambda: fit(trial.fit, train, seed=trial.seed, valid=valid))
    model, leak = fitted.result, None
    if split.hidden is not None:
        hidden = split.hidden
        made = measuring.timed(lambda: hidden_cells(model, responses, hidden))
    else:
        test = responses[split.test]
        made = measuring.timed(lambda: model.predict_all(test))
        leak = leaks(model, test, seed=trial.seed)
    return Outcome(
        made.result,
        {
            "fit_s": fitted.wall_s,
            "fit_cpu_s": fitted.cpu_s,
            "fit_answers_per_cpu_s": len(train) / max(fitted.cpu_s, 1e-9),
            "predict_s": made.wall_s,
            "predict_answers_per_s": len(split.test) / max(made.wall_s, 1e-9),
        },
        leak,
    )


def fit(
    how: str | Fit, responses: Responses, *, seed: int = 0, valid: Responses | None = None
) -> LearnerModel:
    """A model of this kind, fitted on these answers.

    Args:
        how: a name in `MODELS`, or what fits it.
        responses: rows in order of time.
        seed: of everything random.
        valid: answers of other learners for choosing when to stop; passed to those who want it.

    Raises:
        BadInput: there is no such model in this version.
    """
    if isinstance(how, str):
        module, _, cls = MODELS[how].partition(":")
        try:
            make: Fit = getattr(importlib.import_module(module), cls).fit
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            msg = f"this version has no {how} model"
            raise BadInput(msg) from None
    else:
        make = how
    wanted = inspect.signature(make).parameters
    given: dict[str, Any] = {"seed": seed, "valid": valid}
    given = {name: value for name, value in given.items() if name in wanted}
    for below in ("prior", "lnirt"):  # a model over a simpler one asks for it by its name
        if below in wanted and wanted[below].default is inspect.Parameter.empty:
            given[below] = fit(below, responses, seed=seed)
    return make(responses, **given)


def hidden_cells(model: LearnerModel, responses: Responses, hidden: Rows) -> Prediction:
    """Forecast hidden answers from all visible ones of their learners, earlier and later.

    A model that knows what an answer's place in the sequence means may have a method
    `predict_hidden(responses, hidden)`; for others the visible answers are replayed, and the hidden
    ones forecast after them.

    Args:
        model: fitted on the visible answers.
        responses: all answers, each learner's in order of time.
        hidden: which of them are hidden, (row,).

    Returns:
        Forecasts of the hidden rows, in order.
    """
    own = getattr(model, "predict_hidden", None)
    if own is not None:
        found: Prediction = own(responses, hidden)
        return found
    visible: dict[str, list[Any]] = {}
    asked: dict[str, list[tuple[int, Any]]] = {}
    for row, (learner, response) in enumerate(responses):
        if hidden[row]:
            asked.setdefault(learner, []).append((row, response.item))
        else:
            visible.setdefault(learner, []).append(response)
    out = np.full((len(responses), 3), np.nan)
    for learner, cells in asked.items():
        made = model.predict(model.replay(visible.get(learner, ())), [item for _, item in cells])
        rows = [row for row, _ in cells]
        out[rows] = np.stack([made.p_correct, made.log_time_mean, made.log_time_sd], axis=1)
    return Prediction(*out[hidden].T)


def leaks(model: LearnerModel, responses: Responses, *, seed: int = 0) -> str | None:
    """What a model's forecasts depend on and must not; None where nothing was found.

    Of a few learners, all answers and times from a random row on are turned into others (the moment
    of being asked kept), and all tasks after it; then later rows and every other learner are left
    out. Forecasts up to and including that row must stay as they were.

    Args:
        model: fitted.
        responses: each learner's rows in order of time.
        seed: of the learners and rows that are tried.
    """
    rng = np.random.default_rng(seed)
    names = rng.permutation(np.unique(responses.learner))[:LEAK_LEARNERS]
    table = responses[np.isin(responses.learner, names)]
    table = table[_positions(table.learner) <= LEAK_ROWS]
    position = _positions(table.learner)
    _, who = np.unique(table.learner, return_inverse=True)
    before = model.predict_all(table)
    for turn in range(min(MOST_TURNS, -(-LEAK_TRIES // len(names)))):
        cut = rng.integers(1, np.bincount(who) + 1)[who]  # position of the first row that changes
        chosen = (who + turn) % 2 == 0
        early = position <= cut
        after = model.predict_all(_otherwise(table, position - cut, chosen, rng))
        if moved := _moved(before, after, early):
            return f"{moved} when only answers and times that were not given yet had changed"
        few = early & chosen
        kept = Prediction(*(column[few] for column in _columns(before)))
        if moved := _moved(kept, model.predict_all(table[few]), np.ones(int(few.sum()), bool)):
            return f"{moved} when later rows and other learners were left out"
    return None


def _otherwise(
    table: Responses, since: NDArray[np.intp], forgotten: Rows, rng: np.random.Generator
) -> Responses:
    """The same rows with another future: other outcomes, times and later tasks.

    since: rows after the first that changes, negative before it. forgotten: whose times become
    unknown, since that too is a part of the answer; others' become five times as long.
    """
    time = np.exp(table.log_times())
    known = np.isfinite(time)
    other = np.where(known, np.where(forgotten, np.nan, np.where(time > 1e3, 0.2, 5) * time), 30.0)
    asked = table.at - np.where(known, time, 0.0)
    tasks = np.arange(len(table))
    tasks[since > 0] = rng.permutation(tasks[since > 0])
    return replace(
        table,
        item=table.item[tasks],
        skill=table.skill[tasks],
        topic=table.topic[tasks],
        difficulty=table.difficulty[tasks],
        correct=np.where(since >= 0, 1 - table.correct, table.correct),
        response_time_s=np.where(since >= 0, other, table.response_time_s),
        at=np.where(since >= 0, asked + np.nan_to_num(other), table.at),
    )


def _moved(before: Prediction, after: Prediction, rows: Rows) -> str:
    for name, old, new in zip(
        ("P(correct)", "the mean log time", "the sd of log time"),
        _columns(before), _columns(after), strict=True,
    ):  # fmt: skip
        moved = rows & ~np.isclose(old, new, rtol=0, atol=SAME, equal_nan=True)
        if moved.any():
            most = np.nanmax(np.abs(old - new)[moved], initial=0.0)
            many = f"{int(moved.sum())} of {int(rows.sum())}"
            return f"{name} of {many} rows moved, by up to {most:.2g},"
    return ""


def _columns(p: Prediction) -> tuple[NDArray[np.float64], ...]:
    return p.p_correct, p.log_time_mean, p.log_time_sd


# -- scoring --


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
    p, mean, sd = _columns(found)
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
        None if split.unseen is None else summary(total & ~_repeats(test)),
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
