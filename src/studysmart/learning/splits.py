"""Who is fitted and who is forecast: by learner, by time, or by hidden cells.

By learner: learners of one fold are forecast by a model that has met none of them; folds are
published ones, or made of the learners' names. By time: the oldest answers are fitted, the newest
forecast. Hidden cells: single answers are hidden, and forecast from the rest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from studysmart.errors import BadInput
from studysmart.learning.reading import Log
from studysmart.learning.responses import Labels, Responses

Rows = NDArray[np.bool_]

FOLDS = 5
FITTED_SHARE = 0.8
# Clocks of single sessions step back more seldom than this; rows in no order, half of the time.
SELDOM = 0.05
# Tasks asked before the answer before was given: a clock of whole seconds makes some, by this much.
OVERLAP_S, OVERLAPPING = 1.0, 0.01


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
            "scored": int(self.total.sum()),
        }

    @property
    def total(self) -> Rows:
        """The test rows that the scores are over: a learner's first answer is reported apart."""
        return self.scored if self.hidden is not None else self.scored & (self.position > 1)


def split_log(
    log: Log,
    *,
    by: str | None = None,
    test_fold: str | int | None = None,
    all_folds: bool = False,
    hidden: Rows | None = None,
) -> tuple[Log, str, list[Split], list[str]]:
    """(the log in order of time, how it is split, the splits, what was assumed).

    Args:
        log: answers, and folds where there are some.
        by: "learner" or "time"; None: by learner where there are folds, else by time.
        test_fold: by learner, which fold is forecast; None for the first.
        all_folds: by learner, every fold in its turn.
        hidden: which answers to hide, (row,): the other arguments are of no account then.

    Raises:
        BadInput: the log cannot be split like this.
    """
    if hidden is not None:
        return log, "mask", [_by_mask(log.responses, hidden)], []
    log, notes = _in_order(log)
    log = Log(_answered(log.responses, notes), log.fold)
    by = by or _usual(log)
    if by not in ("learner", "time"):
        msg = f"a log is split by learner or by time, not by {by}"
        raise BadInput(msg)
    if by == "time":
        return log, by, [_by_time(log.responses, notes)], notes
    return log, by, list(_by_learner(log, test_fold, notes, every=all_folds)), notes


def made_folds(learner: Labels) -> Labels:
    """Of each row a fold, "1" to "5", by MD5 of its learner: the same in every run and file."""
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
    at = np.where(np.isfinite(log.responses.at), log.responses.at, np.nan)
    _, who = np.unique(log.responses.learner, return_inverse=True)
    by_learner = np.argsort(who, kind="stable")
    same = who[by_learner][1:] == who[by_learner][:-1]
    step = np.diff(at[by_learner])[same]
    back = int((step < 0).sum())
    if not back:
        return log, []
    if back <= SELDOM * int(np.isfinite(step).sum()):
        return log, [f"Timestamps step back {back} times within learners; rows keep their order."]
    order = np.argsort(np.nan_to_num(at, nan=-np.inf), kind="stable")
    fold = None if log.fold is None else log.fold[order]
    return Log(log.responses[order], fold), ["Rows were not in order of time, and were sorted."]


def _answered(responses: Responses, notes: list[str]) -> Responses:
    """Timestamps as those of the answers.

    Some logs have those of the tasks. Taken for the answers', less the response time they would be
    moments of being asked that contain the very time which is forecast. They tell on themselves:
    tasks would be asked before the answer before was given.
    """
    at, time = responses.at, np.exp(responses.log_times())
    _, who = np.unique(responses.learner, return_inverse=True)
    order = np.argsort(who, kind="stable")
    before, row = order[:-1], order[1:]
    both = np.isfinite(at) & np.isfinite(time)
    pairs = (who[before] == who[row]) & both[before] & both[row]
    before, row = before[pairs], row[pairs]
    if not len(row):
        return responses
    as_answers = float((at[row] - time[row] < at[before] - OVERLAP_S).mean())
    as_tasks = float((at[before] + time[before] > at[row] + OVERLAP_S).mean())
    if as_answers <= OVERLAPPING:
        return responses
    if as_tasks > as_answers / 5:
        notes.append(
            f"{as_answers:.0%} of the tasks were asked before the answer before was given: "
            "timestamps or response times are not what they are said to be."
        )
        return responses
    notes.append("Timestamps are when tasks were given; response times were added to them.")
    return replace(responses, at=np.where(both, at + time, at))


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
        positions(responses.learner[rows]),
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
        positions(responses.learner[test]),
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


def _by_mask(responses: Responses, hidden: Rows) -> Split:
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
        positions(responses.learner)[rows],
        _unseen(responses.item[rows], responses.item[~hidden]),
        hidden=hidden,
    )


def positions(learner: Labels) -> NDArray[np.intp]:
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


def repeats(responses: Responses) -> Rows:
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
