"""The protocol: who is fitted, what is scored, and that what leaks is caught."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studysmart.errors import BadInput
from studysmart.learning import Lnirt, Prediction, Prior, Responses, simulate
from studysmart.learning.evaluation import evaluate
from studysmart.learning.leaks import leaks
from studysmart.learning.measuring import Broken, alone
from studysmart.learning.reading import Log
from studysmart.learning.trials import hidden_cells


def in_folds(table: Responses, folds=range(1, 6)) -> Log:
    """Learners in turn put into these folds."""
    _, who = np.unique(table.learner, return_inverse=True)
    labels = np.array([str(fold) for fold in folds])
    return Log(table, labels[who % len(labels)])


def noise(n=4_000, learners=40, items=30, seed=0) -> Responses:
    """Answers and times that nothing can tell anything about."""
    rng = np.random.default_rng(seed)
    return Responses.from_columns(
        learner=[f"l{k}" for k in rng.integers(learners, size=n)],
        item=[f"i{k}" for k in rng.integers(items, size=n)],
        skill=[f"s{k}" for k in rng.integers(5, size=n)],
        correct=rng.integers(2, size=n).tolist(),
        response_time_s=np.exp(rng.normal(2, 0.5, n)).tolist(),
        at=(1e9 + np.cumsum(rng.exponential(60, n))).tolist(),
    )


def half(responses):
    """Fits a prior on every second answer."""
    return Prior.fit(responses[::2])


class Spy:
    """Fits a prior, and remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[dict] = []

    def __call__(self, responses, *, seed, valid=None):
        """A prior."""
        self.given.append({"train": responses, "valid": valid, "seed": seed})
        return Prior.fit(responses)


# -- who is fitted, what is scored --


def test_a_split_fits_the_folds_that_are_neither_tested_nor_next():
    """Split 5: fold 5 is forecast, fold 1 (5 mod 5 + 1) validates, 0, 2, 3 and 4 are fitted."""
    log = in_folds(simulate(learners=12, answers=600), range(6))
    spy = Spy()
    found = evaluate(log, {"spy": spy}, test_fold=5, seed=7)
    folds = {str(name): fold for name, fold in zip(log.responses.learner, log.fold, strict=True)}
    given = spy.given[0]
    assert {"0", "2", "3", "4"} == {folds[name] for name in given["train"].learner}
    assert {"1"} == {folds[name] for name in given["valid"].learner}
    assert 7 == given["seed"]
    tested = log.fold == "5"
    assert int(tested.sum()) - 2 == found.results[0].scores["n"]  # less two learners' first rows
    assert ["fold 5"] == list(found.splits)


def test_every_fold_in_its_turn_scores_every_learner_once():
    """Means and their spread over the splits are there too."""
    table = simulate(learners=10, answers=500)
    models = {"half": half, "prior": Prior.fit}
    found = evaluate(in_folds(table), models, all_folds=True, resamples=100)
    assert [f"fold {k}" for k in range(1, 6)] == list(found.splits)
    assert 490 == sum(result.scores["n"] for result in found.of("prior"))
    mean, sd = found.mean("prior")
    losses = [result.scores["log_loss"] for result in found.of("prior")]
    assert pytest.approx(np.mean(losses)) == mean["log_loss"]
    assert pytest.approx(np.std(losses, ddof=1)) == sd["log_loss"]
    of_means = next(
        d for d in found.differences if d.split == "mean" and d.score == "log_loss"
    )  # fmt: skip
    expected = mean["log_loss"] - found.mean("half")[0]["log_loss"]
    assert pytest.approx(expected) == of_means.difference
    assert of_means.low < of_means.difference < of_means.high


def test_a_learner_in_two_folds_is_refused():
    """Who is both fitted and forecast would be forecast too well."""
    table = simulate(learners=4, answers=40)
    fold = np.array(["1", "2"] * 20)
    with pytest.raises(BadInput, match="is in folds 1 and 2: nobody may be both"):
        evaluate(Log(table, fold), ["prior"])


@pytest.mark.parametrize(
    ("by", "test_fold", "fold", "fault"),
    [
        ("learner", 9, ["1", "2"], "no fold 9; there are 1, 2"),
        ("learner", None, ["1", "1"], "no answers are left to fit"),
        ("learner", None, ["0", "0"], "no fold None; there are none but 0"),
        ("learner", None, ["train", "dev"], "expected whole numbers, or 'test'"),
        ("learner", 2, ["train", "test"], "folds are words here"),
    ],
)
def test_a_fold_that_is_not_there_is_named(by, test_fold, fold, fault):
    """With those that are."""
    log = in_folds(simulate(learners=4, answers=40), fold)
    with pytest.raises(BadInput, match=fault):
        evaluate(log, ["prior"], by=by, test_fold=test_fold)


def test_folds_may_be_words():
    """`test` is forecast; what is called `valid` validates, else some learners by their names."""
    table = simulate(learners=30, answers=300)
    spy = Spy()
    named = in_folds(table, ["train", "valid", "test"])
    evaluate(named, {"spy": spy})
    parts = dict(zip(named.responses.learner, named.fold, strict=True))
    assert {"valid"} == {parts[name] for name in spy.given[0]["valid"].learner}
    evaluate(in_folds(table, ["train", "train", "test"]), {"spy": spy})
    assert 0 < len(spy.given[1]["valid"]) < len(spy.given[1]["train"])


def test_by_time_the_newest_fifth_is_forecast_after_all_that_went_before():
    """Learners known before the split are scored apart, too; no note is needed."""
    table = simulate(learners=5, answers=200)
    late = np.arange(200) >= 180
    table = replace(table, learner=np.where(late, "newcomer", table.learner.astype("U10")))
    spy = Spy()
    found = evaluate(table, {"spy": spy}, by="time")
    assert 160 == len(spy.given[0]["train"])
    assert None is spy.given[0]["valid"]
    assert 39 == found.results[0].scores["n"]  # the newcomer's first answer is reported apart
    assert 20 == found.results[0].known_learners["n"]
    assert 1 == found.results[0].by_position["first"]["n"]
    assert [] == found.notes


def test_by_time_needs_no_order_of_rows_where_there_is_a_clock():
    """Shuffled rows are sorted, and it is said; learner after learner gives the same scores."""
    table = simulate(learners=5, answers=200)
    plain = evaluate(table, ["prior"], by="time").results[0].scores["log_loss"]
    shuffled = evaluate(table[np.random.default_rng(0).permutation(200)], ["prior"], by="time")
    blocks = evaluate(table[np.argsort(table.learner, kind="stable")], ["prior"], by="time")
    assert pytest.approx(plain) == shuffled.results[0].scores["log_loss"]
    assert pytest.approx(plain) == blocks.results[0].scores["log_loss"]
    assert ["Rows were not in order of time, and were sorted."] == shuffled.notes


def test_a_clock_that_begins_anew_keeps_the_order_of_the_rows():
    """A second session from zero again comes after the first."""
    table = simulate(learners=1, answers=100)
    clock = np.concatenate([np.arange(60.0), np.arange(40.0)])
    spy = Spy()
    found = evaluate(replace(table, at=clock), {"spy": spy}, by="time")
    assert table.correct[:80].tolist() == spy.given[0]["train"].correct.tolist()
    assert "step back 1 times" in found.notes[0]


def test_without_a_word_learners_are_split_where_there_are_folds_else_time():
    """Also where learners stand one after the other and no clock tells what is newest."""
    table = simulate(learners=6, answers=120)
    assert "learner" == evaluate(in_folds(table), ["prior"]).by
    assert "time" == evaluate(table, ["prior"]).by
    unknown = replace(table, at=np.full(120, np.nan))
    assert "time" == evaluate(unknown, ["prior"]).by
    blocks = unknown[np.argsort(table.learner, kind="stable")]
    found = evaluate(blocks, ["prior"])
    assert "learner" == found.by
    assert "five were made" in found.notes[0]


def test_scores_by_position_and_of_unseen_items():
    """Every forecast answer is at one position; the first is in no other figure."""
    log = in_folds(simulate(learners=10, answers=1_500))
    item = log.responses.item.astype("U12")
    item[(log.fold == "1") & (np.arange(1_500) % 10 == 0)] = "new item"
    found = evaluate(Log(replace(log.responses, item=item), log.fold), ["prior"]).results[0]
    by_position = {name: part["n"] for name, part in found.by_position.items()}
    assert 2 == by_position["first"]
    assert 8 == by_position["2-5"]
    assert 30 == by_position["6-20"]
    assert found.scores["n"] == sum(by_position.values()) - 2
    assert 0 < found.unseen_items["n"] < found.scores["n"] / 5
    assert found.scores["n"] == sum(part["n"] for part in found.reliability) == sum(found.pit)


def test_answers_that_repeat_the_last_item_are_left_out_in_a_figure_of_its_own():
    """Only where the same learner's row before was about the same item."""
    table = Responses.from_columns(
        learner=["a"] * 5 + ["b"] * 5, item=["x", "x", "y", "x", "x", "x", "y", "y", "y", "x"],
        correct=[1, 0] * 5,
    )  # fmt: skip
    found = evaluate(in_folds(table, [1, 2]), ["prior"], all_folds=True)
    assert [2, 2] == [result.without_repeats["n"] for result in found.results]
    assert [4, 4] == [result.scores["n"] for result in found.results]


def test_the_order_of_learners_changes_nothing():
    """Blocks of learners may come in any order."""
    log = in_folds(simulate(learners=10, answers=400))
    order = np.argsort([name[::-1] for name in log.responses.learner], kind="stable")
    one = evaluate(log, ["lnirt"], resamples=0).results[0]
    two = evaluate(Log(log.responses[order], log.fold[order]), ["lnirt"], resamples=0).results[0]
    for name in ("auc", "log_loss", "log_time_rmse", "crps"):
        assert pytest.approx(one.scores[name], abs=1e-6) == two.scores[name]


# -- what must not be seen --


class Peeking(Prior):
    """A prior that adds to its forecasts what it must not know."""

    weight = 0.05

    @staticmethod
    def secret(responses):
        """What each forecast is moved by."""
        raise NotImplementedError

    def predict_all(self, responses):
        """The prior's forecasts, moved a little."""
        honest = super().predict_all(responses)
        more = self.weight * np.nan_to_num(self.secret(responses))
        return Prediction(
            np.clip(honest.p_correct + more, 0.01, 0.99),
            honest.log_time_mean + more,
            honest.log_time_sd,
        )


def after(values, learner, step):
    """Each row's value `step` rows later in its learner's sequence; 0 beyond the end."""
    out = np.zeros(len(values))
    for name in np.unique(learner):
        rows = np.flatnonzero(learner == name)
        if step >= 0:
            out[rows[: len(rows) - step]] = values[rows[step:]]
        else:
            out[rows[-step:]] = values[rows[:step]]
    return out


def gap(times, since, learner):
    """Logarithm of the time since a learner's row before."""
    return np.log1p(np.abs(times - after(since, learner, -1)))


def asked(t):
    """When each task was given, Unix seconds."""
    return t.at - np.nan_to_num(np.exp(t.log_times()))


SECRETS = {
    "its own outcome": lambda t: t.correct,
    "its own time": lambda t: t.log_times(),
    "whether its own time is known": lambda t: np.isfinite(t.log_times()),
    "the next outcome": lambda t: after(t.correct, t.learner, 1),
    "the next item": lambda t: after(np.char.endswith(t.item, "easy"), t.learner, 1),
    "how long the sequence becomes": lambda t: np.array(
        [(t.learner == x).sum() for x in t.learner]
    ),
    "what others answered": lambda t: np.full(len(t), 10 * t.correct.mean()),
    "when it was answered": lambda t: gap(t.at, t.at, t.learner),
}
FAIR = {
    "when it was asked": lambda t: gap(asked(t), t.at, t.learner),
    "the outcome before": lambda t: after(t.correct, t.learner, -1),
}


def peeking(how, weight=0.05):
    """Fits a prior that peeks."""
    cls = type("PeekingSo", (Peeking,), {"secret": staticmethod(how), "weight": weight})
    return cls.fit


@pytest.mark.parametrize("secret", SECRETS)
def test_a_planted_leak_is_caught(secret):
    """And marked, in words, in what programs read."""
    log = in_folds(simulate(learners=20, answers=800))
    found = evaluate(log, {"peeking": peeking(SECRETS[secret])}, resamples=0)
    assert found.results[0].leak, secret
    assert found.to_json()["models"]["peeking"]["splits"]["fold 1"]["leak"]


@pytest.mark.parametrize("past", FAIR)
def test_what_is_known_in_time_is_no_leak(past):
    """The outcome before; the gap to the moment of being asked."""
    log = in_folds(simulate(learners=20, answers=800))
    found = evaluate(log, {"fair": peeking(FAIR[past])}, resamples=0)
    assert None is found.results[0].leak


def test_our_models_do_not_leak():
    """Found on answers with times, gaps and unknown times alike."""
    table = simulate(learners=12, answers=600)
    times = np.where(np.arange(600) % 5 == 0, np.nan, table.response_time_s)
    table = replace(table, response_time_s=times)
    prior = Prior.fit(table)
    for model in (prior, Lnirt.fit(table, prior)):
        for seed in range(3):
            assert None is leaks(model, table, seed=seed)


@pytest.mark.parametrize("by", ["learner", "time"])
def test_nothing_is_learned_from_noise(by):
    """Encodings of targets fitted on the judged rows themselves would order coin flips."""
    found = evaluate(
        noise(1_200), ["prior", "lnirt"], by=by, all_folds=by == "learner", resamples=0
    )
    for model in found.models:
        assert pytest.approx(0.5, abs=0.06) == found.mean(model)[0]["auc"]
        assert found.mean(model)[0]["log_loss"] < 0.73


def test_a_second_row_of_an_answer_would_tell_its_outcome():
    """Coin flips, each twice for two skills: repeating the last outcome knows every second one."""
    once = noise(2_000)
    order = np.repeat(np.argsort(once.learner, kind="stable"), 2)
    columns = {name: getattr(once, name)[order] for name in once.__slots__}
    skill = np.where(np.arange(4_000) % 2, "other", columns["skill"].astype("U5"))
    twice = Responses(**columns | {"skill": skill})
    repeating = {"repeating": peeking(FAIR["the outcome before"], 0.3)}
    leaky = evaluate(twice, repeating, by="learner", resamples=0)
    assert leaky.results[0].scores["auc"] > 0.65
    lines = ["learner,item,skill,correct,expanded\n"]
    for k, (name, response) in enumerate(twice):
        item, right = response.item, int(response.correct)
        lines.append(f"{name},{item.item},{item.skill},{right},{k % 2}\n")
    merged = Log.read(lines, "log")
    assert 2_000 == len(merged.responses)
    honest = evaluate(merged, repeating, by="learner", resamples=0)
    assert pytest.approx(0.5, abs=0.07) == honest.results[0].scores["auc"]


# -- hidden cells --


def test_hidden_cells_are_neither_fitted_nor_looked_at():
    """Whatever they hold, the forecasts of them stay the same."""
    table = simulate(learners=20, answers=600)
    hidden = np.random.default_rng(1).random(600) < 0.2
    other = replace(
        table,
        correct=np.where(hidden, 1 - table.correct, table.correct),
        response_time_s=np.where(hidden, 77.0, table.response_time_s),
    )
    spy = Spy()
    one = evaluate(table, {"spy": spy}, hidden=hidden)
    assert int((~hidden).sum()) == len(spy.given[0]["train"])
    assert int(hidden.sum()) == one.results[0].scores["n"]
    model = Lnirt.fit(table[~hidden])
    before, changed = (hidden_cells(model, t, hidden) for t in (table, other))
    np.testing.assert_array_equal(before.p_correct, changed.p_correct)
    np.testing.assert_array_equal(before.log_time_mean, changed.log_time_mean)


def test_hidden_cells_are_forecast_from_later_answers_too():
    """The first answer of a learner who got all others right looks easy."""
    n = 20
    table = Responses.from_columns(
        learner=["good"] * n + ["bad"] * n, item=["x"] * 2 * n, correct=[1] * n + [0] * n
    )
    hidden = np.zeros(2 * n, bool)
    hidden[[0, n]] = True
    good, bad = hidden_cells(Lnirt.fit(table[~hidden]), table, hidden).p_correct
    assert bad < 0.3
    assert good > 0.7


@pytest.mark.parametrize("share", [0, 1])
def test_some_cells_must_be_hidden_and_some_not(share):
    """Else there is nothing to score, or nothing to fit."""
    with pytest.raises(BadInput, match="some must be, and not all"):
        evaluate(simulate(learners=2, answers=10), ["prior"], hidden=np.full(10, bool(share)))


# -- odd logs, and models that fail --

N = 60
ODD = {
    "one class": {"correct": [1] * N},
    "no times": {"response_time_s": None},
    "constant times": {"response_time_s": [5.0] * N},
    "some NaN times": {"response_time_s": ([5.0] * 6 + [float("nan")] * 6) * (N // 12)},
    "impossible times": {"response_time_s": [-1.0, float("inf"), 0.0, 1e9] * (N // 4)},
    "no items": {"item": None},
    "labels of any kind": {"item": ["π|<b>\n'\"", "", "名前", "\U0001f600"] * (N // 4)},
    "no clock": {"at": None},
    "a stopped clock": {"at": [0.0] * N},
}


@pytest.mark.parametrize("by", ["learner", "time"])
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_log_gives_scores_or_none(odd, by):
    """Never an exception; what programs read has numbers and nulls only."""
    columns = {
        "learner": [f"l{k % 6}" for k in range(N)],
        "item": [f"i{k % 5}" for k in range(N)],
        "correct": [k * 7 // 3 % 2 for k in range(N)],
        "response_time_s": [2.0 + k % 3 for k in range(N)],
        "at": [float(k) for k in range(N)],
    }
    table = Responses.from_columns(**columns | ODD[odd])
    found = evaluate(table, ["prior", "lnirt"], by=by, resamples=50)
    text = json.dumps(found.to_json(), allow_nan=False)
    assert '"log_loss"' in text
    for result in found.results:
        assert None is result.error
        assert result.scores["n"] > 0
        assert (result.scores["auc"] is None) == (odd == "one class")
        assert (result.scores["crps"] is None) == (odd == "no times")


def test_one_answer_is_too_few():
    """Said in one sentence, like one learner to be split by learner, and a name that is none."""
    table = simulate(learners=1, answers=20)
    with pytest.raises(BadInput, match="1 answer is too few"):
        evaluate(table[:1], ["prior"])
    with pytest.raises(BadInput, match="one learner only"):
        evaluate(table, ["prior"], by="learner")
    with pytest.raises(BadInput, match="by learner or by time, not by moon"):
        evaluate(table, ["prior"], by="moon")
    with pytest.raises(BadInput, match="no model called oracle; there are prior, lnirt"):
        evaluate(table, ["oracle"])


def test_learners_with_one_answer_each_leave_nothing_but_first_answers():
    """Counted and scored at their position; the totals are nulls."""
    table = Responses.from_columns(learner=list("abcdefghij"), correct=[0, 1] * 5)
    found = evaluate(table, ["prior", "lnirt"], by="learner", all_folds=True)
    for result in found.results:
        assert 0 == result.scores["n"]
        assert None is result.scores["log_loss"]
    assert 10 == sum(result.by_position["first"]["n"] for result in found.of("lnirt"))
    json.dumps(found.to_json(), allow_nan=False)


def test_a_model_that_fails_costs_only_its_own_figures():
    """Raising while it is fitted, or forecasting what is no number."""

    def broken(_):
        msg = "too few\nsurprises"
        raise ValueError(msg)

    class Nonsense(Prior):
        def predict_all(self, responses):
            found = super().predict_all(responses)
            return Prediction(found.p_correct * np.nan, found.log_time_mean, found.log_time_sd)

    found = evaluate(
        simulate(learners=4, answers=100),
        {"broken": broken, "nonsense": Nonsense.fit, "prior": Prior.fit},
    )
    broken_result, nonsense, prior = found.results
    assert "ValueError: too few surprises" == broken_result.error
    assert "20 of 20 forecasts are not in range" == nonsense.error
    assert None is prior.error
    assert prior.scores["n"] > 0
    json.dumps(found.to_json(), allow_nan=False)


def test_differences_are_paired():
    """A model does not differ from itself, on any resample; from another, it does."""
    log = in_folds(simulate(learners=40, answers=2_000))
    found = evaluate(log, {"a": Prior.fit, "b": Prior.fit, "lnirt": Lnirt.fit})
    by_pair = {(d.models, d.score): d for d in found.differences}
    same = by_pair[("a", "b"), "log_loss"]
    assert (0, 0, 0) == (same.difference, same.low, same.high)
    assert by_pair[("a", "lnirt"), "log_time_rmse"].high < 0


def test_the_same_seed_gives_the_same_figures():
    """Clocks aside."""

    def figures():
        log = in_folds(simulate(learners=6, answers=200))
        found = evaluate(log, ["prior", "lnirt"], seed=3, resamples=50)
        scores = [(r.scores["log_loss"], r.scores["nlpd"]) for r in found.results]
        return scores, found.differences

    assert figures() == figures()


def test_the_guide_s_example_runs(capsys):
    """The page of the documentation, as it stands."""
    guide = Path(__file__).parents[3] / "docs" / "how-to" / "evaluate.md"
    code = re.search(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    assert code
    names: dict = {}
    exec(code[1], names)  # noqa: S102 - our own page
    assert "lnirt" == names["best"]
    assert "| lnirt | newest 20% |" in capsys.readouterr().out


# -- a process for each fit --


def sleeping(responses):
    """A fit that takes too long."""
    time.sleep(60)
    return Prior.fit(responses)


def dying(_):
    """A fit that ends its process."""
    os._exit(9)


def test_a_process_of_its_own_gives_the_same_scores_and_its_own_memory():
    """The figures of cost are there, and only there is memory."""
    log = in_folds(simulate(learners=6, answers=200))
    here = evaluate(log, ["prior"]).results[0].scores
    found = evaluate(log, ["prior"], isolated=True)
    there, fitted = found.results[0].scores, found.splits["fold 1"]["fitted"]
    assert here["log_loss"] == there["log_loss"]
    assert None is here["peak_mb"]
    assert 10 < there["peak_mb"] < 500
    assert there["fit_s"] > 0
    assert there["predict_answers_per_s"] > 0
    assert pytest.approx(fitted / there["fit_cpu_s"]) == there["fit_answers_per_cpu_s"]


def test_a_process_that_ends_or_hangs_is_reported():
    """And given up after its time."""
    table = simulate(learners=2, answers=20)
    ended = evaluate(table, {"dying": dying}, isolated=True)
    assert "ended with code 9" in ended.results[0].error
    with pytest.raises(Broken, match="no result within 0 s"):
        alone(sleeping, table, limit_s=0.4)
