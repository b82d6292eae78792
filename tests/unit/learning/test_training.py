"""Training: what goes live, what stays out, and that nothing in a log causes an error."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from studysmart import learning
from studysmart.learning import Engine, Responses, TrainingReport, scores


@cache
def good() -> TrainingReport:
    """A model fitted on the first 400 of 600 simulated answers."""
    return learning.train(table()[:400], seed=0)


@cache
def table() -> Responses:
    """600 answers of 5 learners."""
    return learning.simulate(learners=5, answers=600, seed=2)


def with_columns(source: Responses, **columns: object) -> Responses:
    """A table with some columns replaced."""
    given = {name: getattr(source, name) for name in Responses.__slots__}
    return Responses(**given | columns)  # type: ignore[arg-type]


def test_the_first_model_goes_live():
    """There is nothing it could be worse than."""
    report = good()
    assert "live" == report.outcome
    assert report.engine is not None
    assert (400, 320, 80) == (report.samples, report.fitted, report.judged)
    assert report.engine.manifest["vocabulary"] == {
        "learners": 5, "items": 21, "skills": 7, "topics": 7, "difficulties": 3,
    }  # fmt: skip


def test_the_better_informed_model_beats_the_prior_on_learners_it_knows():
    """Knowing who answers is worth something: LNIRT forecasts better than the prior alone."""
    metrics = learning.train(learning.simulate(learners=8, answers=1500, seed=4)).metrics
    assert metrics["lnirt"]["log_loss"] < metrics["prior"]["log_loss"]
    assert metrics["lnirt"]["log_time_rmse"] < metrics["prior"]["log_time_rmse"]


def test_a_model_of_reversed_answers_is_kept_out():
    """Worse than the live one on later answers, and the sentence says by how much."""
    later = table()
    wrong = with_columns(
        later, correct=np.where(np.arange(600) < 480, 1 - later.correct, later.correct)
    )
    report = learning.train(wrong, live=good().engine)
    assert "kept_out" == report.outcome
    assert report.engine is None
    assert "log loss" in report.reason


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_answers_keep_everything_as_it_is(n: int):
    """Nothing to fit and to judge: said plainly, and no exception."""
    report = learning.train(table()[:n])
    assert ("kept_out", None) == (report.outcome, report.engine)
    assert "too few" in report.reason


@pytest.mark.parametrize("n", [2, 5, 9, 26])
def test_a_handful_of_answers_make_a_model(n: int):
    """Five answers are a training's usual first occasion."""
    report = learning.train(table()[:n])
    assert "live" == report.outcome
    forecasts(report)


def forecasts(report: TrainingReport) -> None:
    """The engine says something finite about known and unknown items."""
    assert report.engine is not None
    again = Engine.from_bytes(report.engine.to_bytes())
    asked = [learning.Item(), learning.Item(topic="topic-1", difficulty="expert")]
    for forecast in again.predict(again.start(), asked):
        assert 0 < forecast.p_correct < 1
        assert 0 < forecast.time_median_s < 1e6


@pytest.mark.parametrize(
    "columns",
    [
        {"correct": np.ones(120)},
        {"correct": np.zeros(120)},
        {"response_time_s": np.full(120, np.nan)},
        {"response_time_s": np.full(120, 10.0)},
        {"response_time_s": np.tile([0.05, 86_400.0], 60)},
        {"at": np.full(120, np.nan)},
        {"at": np.linspace(2e9, 1e9, 120)},
        {"learner": np.full(120, "one")},
        {"learner": np.array([str(n) for n in range(120)])},
        {"item": np.full(120, ""), "skill": np.full(120, "")},
        {"topic": np.full(120, ""), "difficulty": np.full(120, "")},
        {"item": np.array([f"item {n}" for n in range(120)])},
    ],
    ids=",".join,
)
def test_odd_logs_train_without_an_error(columns: dict[str, object]):
    """One class, no times, constant times, clocks that run back, one learner, no labels."""
    report = learning.train(with_columns(table()[:120], **columns))
    assert "live" == report.outcome, report.reason
    forecasts(report)


def test_a_log_with_other_columns_is_read_from_a_data_frame():
    """By the narwhals convention; timestamps are taken for the time of the answer."""
    import pandas as pd

    frame = pd.DataFrame(
        {"learner": [1, 1, 2], "correct": [1, 0, 1], "timestamp": [1.0, 2.0, 3.0], "fold": 1}
    )
    found = Responses.from_table(frame)
    assert (3, ["1", "1", "2"], [1.0, 2.0, 3.0]) == (
        len(found), found.learner.tolist(), found.at.tolist(),
    )  # fmt: skip
    with pytest.raises(ValueError, match="no column"):
        Responses.from_table(frame[["learner"]])


def test_columns_of_different_lengths_are_refused():
    """The text gives the lengths."""
    with pytest.raises(ValueError, match="different lengths"):
        Responses.from_columns(learner=["a"], correct=[1], at=[1.0, 2.0])


def test_the_scores_are_the_textbooks():
    """AUC with ties, log loss, calibration error and coverage of a case worked by hand."""
    y, p = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.8, 0.3, 0.3, 0.1])
    assert scores.auc(y, p) == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    assert scores.auc(np.ones(3), np.ones(3)) is None
    found = scores.summary(y, p, np.zeros(4), np.array([0.0, 1.0, 2.0, 0.1]), np.ones(4))
    assert found["log_loss"] == pytest.approx(-np.log([0.8, 0.7, 0.3, 0.9]).mean())
    assert found["coverage_80"] == 0.75
    assert found["log_time_rmse"] == pytest.approx(np.sqrt((1 + 4 + 0.01) / 4))


def test_progress_is_told_in_order():
    """Phases and a share that never falls."""
    told: list[learning.Progress] = []
    learning.train(table()[:60], progress=told.append)
    assert [step.fraction for step in told] == sorted(step.fraction for step in told)
    assert ["prior", "lnirt", "sequence"] == list(dict.fromkeys(s.phase for s in told))[:3]
    assert 1.0 == told[-1].fraction
