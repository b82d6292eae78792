"""Training: what goes live, what stays out, and that nothing in a log causes an error."""

from __future__ import annotations

from collections.abc import Callable
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
    assert report.engine is not None, "kept for an operator to look at"
    assert "log loss" in report.reason


def shuffled(source: Responses, seed: int = 0) -> Responses:
    """The same answers, right and wrong and times dealt out anew."""
    order = np.random.default_rng(seed).permutation(len(source))
    return with_columns(
        source,
        correct=source.correct[order],
        response_time_s=source.response_time_s[order],
    )


def test_labels_that_mean_nothing_make_nobody_clever():
    """On shuffled answers what serves is no worse than the prior, and claims no skill."""
    report = learning.train(shuffled(learning.simulate(learners=10, answers=1_500, seed=8)))
    metrics = report.metrics
    served = metrics[metrics["serving"]]
    assert served["log_loss"] <= metrics["prior"]["log_loss"] + 0.005
    assert abs(served["auc"] - 0.5) < 0.1


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda t: with_columns(t, correct=np.where(np.arange(600) < 480, 1.0, t.correct)),
        lambda t: with_columns(
            t, response_time_s=np.where(np.arange(600) < 480, 10.0, t.response_time_s)
        ),
        lambda t: shuffled_before(t, 480),
    ],
    ids=["one class", "constant times", "shuffled labels"],
)
def test_what_was_spoilt_never_replaces_a_good_model(spoilt: Callable[[Responses], Responses]):
    """Fitted on junk, judged on honest answers: the live model stays, and the reason says why."""
    report = learning.train(spoilt(table()), live=good().engine)
    assert "kept_out" == report.outcome, report.reason
    assert "live model is" in report.reason


def shuffled_before(source: Responses, row: int) -> Responses:
    """Junk up to a row, honest answers from it on."""
    junk = shuffled(source[:row])
    return with_columns(
        source,
        correct=np.concatenate([junk.correct, source.correct[row:]]),
        response_time_s=np.concatenate([junk.response_time_s, source.response_time_s[row:]]),
    )


def test_one_loud_learner_does_not_decide_for_all():
    """92 % of the answers are one learner's: trained and judged without an error, by learner."""
    loud = learning.simulate(learners=1, answers=920, seed=5)
    quiet = learning.simulate(learners=8, answers=80, seed=6)
    both = with_columns(
        learning.simulate(learners=9, answers=1_000, seed=7),
        **{
            name: np.concatenate([getattr(loud, name), getattr(quiet, name)])
            for name in Responses.__slots__
            if name != "learner"
        },
        learner=np.concatenate([np.full(920, "loud"), quiet.learner]),
    )
    order = np.random.default_rng(1).permutation(1_000)
    report = learning.train(both[order])
    assert "live" == report.outcome
    forecasts(report)


def test_a_network_that_fails_a_check_does_not_serve(monkeypatch: pytest.MonkeyPatch):
    """The next simpler model that passes does, and the sentence names the check."""
    from studysmart.learning import gate

    monkeypatch.setattr(gate, "_moves_rightly", lambda *_: False)
    report = learning.train(learning.simulate(learners=20, answers=3_000, seed=9))
    assert report.metrics["serving"] in {"prior", "lnirt"}
    assert "move the wrong way" in report.reason


def test_every_model_is_reported_with_its_checks():
    """Finite, calibrated, small, monotone; each says what it found."""
    metrics = good().metrics
    for kind in ("prior", "lnirt", "sequence"):
        names = [check["name"] for check in metrics["checks"][kind]]
        assert {"finite", "calibrated", "small"} <= set(names)
        assert all(check["detail"] for check in metrics["checks"][kind])
    assert "monotone" in [check["name"] for check in metrics["checks"]["sequence"]]
    assert 80 == sum(bin_["n"] for bin_ in metrics["reliability"])


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
