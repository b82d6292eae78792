"""Forecasts that were served, scored when their answers arrive."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from studysmart import practice, quality
from studysmart.forecasting import Forecaster
from studysmart.store import Store, Tx, scores
from tests.builders import add_learner, add_version, new_store, small_engine

pytestmark = pytest.mark.both_databases


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty database."""
    return new_store(tmp_path)


def answered(tx: Tx, learner: UUID, model: Forecaster, *, right: bool = True, **more: Any) -> UUID:
    """One task drawn and marked; returns the task."""
    task = practice.draw(
        tx, learner, model, subject=None, topic="Waves", difficulty="easy", seed=None, own=None,
        now=100.0,
    )  # fmt: skip
    if more.pop("reveal", False):
        practice.reveal(tx, learner, task, now=101.0)
    practice.mark(
        tx, learner, task, model,
        is_correct=right, response_time_s=more.get("time_s", 20.0), now=110.0,
    )  # fmt: skip
    return task


def test_a_forecast_is_scored_beside_its_answer(store: Store):
    """What was shown with the task, and what happened, in the transaction of the answer."""
    with store.write() as tx:
        learner, model = add_learner(tx), Forecaster()
        model.swap(small_engine(), add_version(tx), tx)
        task = practice.get(tx, learner, answered(tx, learner, model, right=False))
        (row,) = scores.newest(tx, limit=10)
    assert (task.p_correct, task.log_time_mean, task.log_time_sd) == (
        row.p_correct, row.log_time_mean, row.log_time_sd,
    )  # fmt: skip
    assert (row.model, row.model_version) == (task.model, task.model_version)
    assert (False, 0, "") == (row.is_correct, row.known, row.arm)
    assert row.log_time == pytest.approx(math.log(20.0))


def test_what_does_not_count_is_not_scored(store: Store):
    """A right answer after the solution was seen says nothing about the forecast."""
    with store.write() as tx:
        learner = add_learner(tx)
        answered(tx, learner, Forecaster(), reveal=True)
        assert [] == scores.newest(tx, limit=10)


def test_an_impossible_time_is_not_scored_as_one(store: Store):
    """The verdict is, the time is not."""
    with store.write() as tx:
        answered(tx, add_learner(tx), Forecaster(), time_s=90_000.0)
        (row,) = scores.newest(tx, limit=10)
    assert row.log_time is None


def test_an_answer_that_is_taken_back_is_no_longer_scored(store: Store):
    """Its row stays, and is not read."""
    with store.write() as tx:
        learner = add_learner(tx)
        task = answered(tx, learner, Forecaster())
        practice.delete(tx, learner, task, now=120.0)
        assert [] == scores.newest(tx, limit=10)
        assert 0 == quality.report(tx, days=1, now=120.0)["overall"]["n"]


def test_an_empty_system_reports_nothing_and_warns_of_nothing(store: Store):
    """No figure is made up."""
    with store.read() as tx:
        found = quality.report(tx, days=30, now=1e9)
    assert {"n": 0.0, "times": 0.0} == found["overall"]
    assert [] == found["warnings"] == found["by_model"] == found["reliability"]


def test_the_report_has_every_group_with_its_n(store: Store):
    """By model, version, topic, how long the learner is known, and day; each adds up."""
    with store.write() as tx:
        model = Forecaster()
        model.swap(small_engine(), add_version(tx), tx)
        for learner in (add_learner(tx), add_learner(tx)):
            for k in range(7):
                answered(tx, learner, model, right=k % 2 == 0)
        found = quality.report(tx, days=1, now=120.0)
    assert 14 == found["overall"]["n"] == found["overall"]["times"]
    for group in ("by_model", "by_version", "by_topic", "by_known", "by_day"):
        assert 14 == sum(one["n"] for one in found[group]), group
    assert {"none", "1 to 4", "5 to 19"} == {one["name"] for one in found["by_known"]}
    assert ["1970-01-01"] == [one["name"] for one in found["by_day"]]
    assert {} == found["fallbacks"]


def simulated(
    rng: np.random.Generator, n: int, *, shift: float = 0.0, slower: float = 0.0, learners: int = 20
) -> list[Any]:
    """Scored forecasts of a model that is right, up to a shift of the logit and of log time."""
    p = rng.uniform(0.3, 0.95, n)
    true = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + shift)))
    who = [uuid4() for _ in range(learners)]
    return [
        SimpleNamespace(
            is_correct=bool(rng.random() < true[k]), p_correct=float(p[k]), model="lnirt", arm="",
            log_time=float(3 + slower + 0.5 * rng.normal()), log_time_mean=3.0, log_time_sd=0.5,
            learner_id=who[int(rng.integers(learners))], model_version=1, known=20, topic="Waves",
            at=0.0,
        )
        for k in range(n)
    ]  # fmt: skip


def live_row(rng: np.random.Generator) -> Any:
    """The live model, with what it reached on 500 answers of the same kind."""
    window = quality._Window(simulated(rng, 500))
    return SimpleNamespace(version=1, kind="lnirt", metrics={"lnirt": window.summary()})


def test_where_nothing_is_wrong_there_is_hardly_ever_a_warning():
    """Five rules at three standard errors: at most one look in forty warns."""
    rng = np.random.default_rng(3)
    looks = 200
    warned = sum(bool(quality.warnings(simulated(rng, 300), live_row(rng))) for _ in range(looks))
    assert warned / looks <= 0.025


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"shift": -1.2}, "fewer often"),
        ({"shift": 1.5}, "more often"),
        ({"slower": 0.6}, "outside the 80 % interval"),
    ],
)
def test_a_shift_is_found_and_said_in_words(wrong: dict[str, float], word: str):
    """Easier or harder than was forecast, or slower: the sentence says which."""
    rng = np.random.default_rng(4)
    told = quality.warnings(simulated(rng, 500, **wrong), live_row(rng))
    assert any(word in sentence for sentence in told), told


def test_a_handful_of_answers_warns_of_nothing():
    """Forty-nine answers, however bad, may be chance."""
    rng = np.random.default_rng(5)
    assert [] == quality.warnings(simulated(rng, 49, shift=-3), live_row(rng))
