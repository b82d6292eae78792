"""Splits: whatever the folds and clocks, nobody is both fitted and forecast, no row is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studysmart.errors import BadInput
from studysmart.learning import Responses
from studysmart.learning.reading import Log
from studysmart.learning.splits import made_folds, positions, repeats, split_log

LEARNERS = st.lists(st.integers(0, 9), min_size=2, max_size=60)


def log_of(who, at=None, fold=None) -> Log:
    """Answers of these learners in turn."""
    table = Responses.from_columns(
        learner=[f"l{k}" for k in who], correct=[k % 2 for k in range(len(who))], at=at
    )
    return Log(table, fold)


@given(st.sets(st.text(min_size=1), min_size=2, max_size=30))
def test_made_folds_fill_as_many_folds_as_there_are_learners(names):
    """Up to five; a learner's rows are in one fold, whatever the order of the rows."""
    learner = np.array(sorted(names) * 2)
    names = np.unique(learner)  # NumPy's text drops trailing NULs
    folds = made_folds(learner)
    by_name = dict(zip(learner.tolist(), folds.tolist(), strict=True))
    assert by_name == dict(
        zip(learner[::-1].tolist(), made_folds(learner[::-1]).tolist(), strict=True)
    )
    assert min(5, len(names)) == len(set(folds.tolist()))


@given(LEARNERS, st.lists(st.integers(0, 4), min_size=10, max_size=10))
def test_no_learner_is_both_fitted_and_forecast(who, fold_of):
    """Three parts have all rows and share no learner; over all folds each row is tested once."""
    log = log_of(who, fold=np.array([str(fold_of[k]) for k in who]))
    try:
        _, by, splits, _ = split_log(log, all_folds=True)
    except BadInput:
        assert len({fold_of[k] for k in who} | {0}) < 3 or len(set(who)) < 2
        return
    assert "learner" == by
    tested: list[int] = []
    for split in splits:
        parts = [split.train, split.valid, split.test]
        assert list(range(len(who))) == sorted(np.concatenate(parts).tolist())
        names = [set(log.responses.learner[rows].tolist()) for rows in parts]
        assert sum(map(len, names)) == len(set.union(*names))
        tested += split.test.tolist()
    assert [row for row, k in enumerate(who) if fold_of[k]] == sorted(tested)


@given(LEARNERS, st.data())
def test_by_time_nothing_fitted_is_later_than_anything_scored(who, data):
    """Whatever the clock, unknown times included; a fifth of the answers is scored."""
    times = st.one_of(st.integers(0, 50).map(float), st.just(float("nan")))
    at = data.draw(st.lists(times, min_size=len(who), max_size=len(who)))
    log, _, (split,), notes = split_log(log_of(who, at=at), by="time")
    clock = log.responses.at
    scored = split.test[split.scored]
    assert len(who) - max(1, int(0.8 * len(who))) == len(scored)
    assert set(split.train.tolist()).isdisjoint(scored.tolist())
    if np.isfinite(clock).all() and not notes:
        assert clock[split.train].max() <= clock[scored].min()
    for name in set(log.responses.learner.tolist()):
        rows = split.test[log.responses.learner[split.test] == name]
        assert sorted(rows.tolist()) == rows.tolist()


def practice(n=200, *, of_tasks=False, whole=False) -> Log:
    """One learner who answers for some seconds and thinks for a second in between."""
    time = np.random.default_rng(0).exponential(8, n) + 0.5
    answered = np.cumsum(time + 1)
    at = answered - time if of_tasks else answered
    table = Responses.from_columns(
        learner=["a"] * n, correct=[1] * n, response_time_s=time.tolist(),
        at=(np.floor(at) if whole else at).tolist(),
    )  # fmt: skip
    return Log(table)


@pytest.mark.parametrize("whole", [False, True])
def test_timestamps_of_tasks_become_those_of_answers(whole):
    """Else the moment of being asked would contain the response time; it is said."""
    found, _, _, notes = split_log(practice(of_tasks=True, whole=whole), by="time")
    expected = practice().responses.at
    assert np.abs(found.responses.at - expected).max() <= (1 if whole else 1e-6)
    assert "Timestamps are when tasks were given" in notes[0]


@pytest.mark.parametrize("whole", [False, True])
def test_timestamps_of_answers_stay(whole):
    """A clock of whole seconds makes nothing of them."""
    log = practice(whole=whole)
    found, _, _, notes = split_log(log, by="time")
    assert log.responses.at.tolist() == found.responses.at.tolist()
    assert [] == notes


def test_a_clock_that_fits_neither_is_reported():
    """Tasks a second apart, with times of many seconds."""
    log = practice()
    clock = np.arange(200.0)
    odd, _, _, notes = split_log(Log(replace(log.responses, at=clock)), by="time")
    assert clock.tolist() == odd.responses.at.tolist()
    assert "not what they are said to be" in notes[0]


@given(LEARNERS)
def test_positions_count_each_learner_s_rows(who):
    """From one, in order."""
    seen: dict[str, int] = {}
    expected = []
    for name in (f"l{k}" for k in who):
        seen[name] = seen.get(name, 0) + 1
        expected.append(seen[name])
    assert expected == positions(np.array([f"l{k}" for k in who])).tolist()


def test_a_repeat_is_the_same_item_of_the_same_learner():
    """Others may answer in between; what is unknown repeats nothing."""
    table = Responses.from_columns(
        learner=list("abaabb"), item=["x", "x", "x", "y", None, None], correct=[1] * 6
    )
    assert [False, False, True, False, False, False] == repeats(table).tolist()
