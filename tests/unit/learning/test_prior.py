"""The hierarchical prior: exact for nothing, for one answer, and for many."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studysmart import learning
from studysmart.errors import ArtefactRejected
from studysmart.learning import Item, Prior, Responses
from studysmart.learning.prior import LOG_TIME_0, LOG_TIME_SD_0, TIME_WEIGHT, WEIGHT

LABELS = st.sampled_from(["", "a", "b"])
TIMES = st.one_of(st.just(math.nan), st.floats(0.01, 1e6))
ROWS = st.tuples(st.sampled_from("xyz"), st.booleans(), TIMES, LABELS, LABELS, LABELS, LABELS)
EVERY_ITEM = [
    Item(*(label or None for label in (item, skill, topic, difficulty)))
    for item in ("", "a", "b", "new")
    for skill in ("", "a", "b")
    for topic in ("", "a", "b")
    for difficulty in ("", "a", "b", "new")
]


def of(correct: list[int], times: list[float] | None = None, **columns: list[str]) -> Prior:
    """A prior of these answers."""
    return Prior.fit(
        Responses.from_columns(
            learner=["a"] * len(correct), correct=correct, response_time_s=times, **columns
        )
    )


def table(rows: list[tuple[str, bool, float, str, str, str, str]]) -> Responses:
    """Rows as drawn from ROWS."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    names = ("learner", "correct", "response_time_s", "item", "skill", "topic", "difficulty")
    return Responses.from_columns(**dict(zip(names, columns, strict=True)))


def everything(prior: Prior) -> np.ndarray:
    """All it can say, (3, item)."""
    told = prior.predict(0, EVERY_ITEM)
    return np.array([told.p_correct, told.log_time_mean, told.log_time_sd])


def p(prior: Prior, **labels: str) -> float:
    """P(correct) of an item."""
    return float(prior.predict(0, [Item(**labels)]).p_correct[0])


def test_without_answers_it_says_the_constants():
    """0.5 and 60 s, of anything."""
    empty = everything(of([]))
    assert (empty == np.array([[0.5], [LOG_TIME_0], [LOG_TIME_SD_0]])).all()
    assert 60 == pytest.approx(math.exp(LOG_TIME_0))


def test_one_answer_counts_against_the_pseudo_answers():
    """(1 + w / 2) / (1 + w) for a right one; log time likewise."""
    prior = of([1], [20.0])
    assert p(prior) == pytest.approx((1 + WEIGHT * 0.5) / (1 + WEIGHT))
    assert prior.parameters(Item())[1] == pytest.approx(
        (math.log(20) + TIME_WEIGHT * math.log(60)) / (1 + TIME_WEIGHT)
    )


@pytest.mark.parametrize("label", ["item", "topic"])
def test_a_million_answers_say_what_they_saw(label: str):
    """Pseudo-answers vanish, at the last level and at one that others stand on."""
    few = Responses.from_columns(
        learner=["x"] * 5, correct=[1, 1, 1, 0, 0],
        response_time_s=[math.e**3, math.e**4, math.e**3, math.e**4, 5.0],
        **{label: ["often"] * 4 + ["rarely"]},
    )  # fmt: skip
    prior = Prior.fit(few[np.append(np.tile(np.arange(4), 250_000), [4] * 1000)])
    item = Item(**{label: "often"})
    told = prior.predict(0, [item])
    assert told.p_correct[0] == pytest.approx(0.75, abs=1e-5)
    assert told.log_time_mean[0] == pytest.approx(3.5, abs=1e-5)
    assert told.log_time_sd[0] == pytest.approx(0.5, abs=1e-3)


def test_a_level_without_answers_says_what_the_one_above_says():
    """Unknown item, skill and difficulty of a known topic."""
    prior = of([1, 1, 0], topic=["waves"] * 3)
    assert p(prior, topic="waves") == p(prior, topic="waves", skill="s", difficulty="d", item="i")
    assert p(prior, topic="unheard of") == p(prior)


@given(st.lists(st.booleans(), max_size=30), st.sampled_from(["item", "skill", "topic", "none"]))
def test_an_answer_counts_once_however_many_levels_it_is_on(answers: list[bool], known: str):
    """A topic of one skill of one item: what all of them saw is believed once, not three times."""
    names = ["item", "skill", "topic", "difficulty", "none"]
    labels = {name: "x" for name in names[names.index(known) :] if name != "none"}
    prior = of([int(x) for x in answers], **{name: ["x"] * len(answers) for name in labels})
    counted_once = (sum(answers) + WEIGHT * 0.5) / (len(answers) + WEIGHT)
    assert p(prior, **labels) == pytest.approx(counted_once)
    assert p(prior) == pytest.approx(counted_once)


def test_topic_and_difficulty_meet_additively():
    """The first hard task of a topic is expected to be harder than its easy ones."""
    prior = of(
        [1, 1, 1, 0, 0, 0, 1, 1], topic=["a"] * 6 + ["b"] * 2,
        difficulty=["easy"] * 3 + ["hard"] * 3 + ["easy"] * 2,
    )  # fmt: skip
    assert p(prior, topic="b", difficulty="hard") < p(prior, topic="b", difficulty="easy")


@settings(deadline=None)
@given(st.data())
def test_neither_order_nor_names_of_learners_matter(data: st.DataObject):
    """Counts are counts."""
    rows = data.draw(st.lists(ROWS, max_size=20))
    shuffled = data.draw(st.permutations(rows))
    renamed = [("somebody", *row[1:]) for row in shuffled]
    one, two = (everything(Prior.fit(table(x))) for x in (rows, renamed))
    np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-9)


@settings(deadline=None)
@given(st.lists(ROWS, max_size=20), st.lists(ROWS, max_size=20))
def test_counting_piece_by_piece_is_counting_at_once(
    first: list[tuple[str, bool, float, str, str, str, str]],
    then: list[tuple[str, bool, float, str, str, str, str]],
):
    """Spread included; the first piece's own prior stays what it was."""
    earlier = Prior.fit(table(first))
    before = everything(earlier)
    pieces, whole = earlier.plus(table(then)), Prior.fit(table(first + then))
    np.testing.assert_allclose(everything(pieces), everything(whole), rtol=1e-9, atol=1e-9)
    assert pieces.samples == whole.samples == len(first + then)
    assert (everything(earlier) == before).all()


@settings(deadline=None)
@given(st.lists(ROWS, max_size=20), ROWS)
def test_a_right_answer_makes_its_task_look_no_harder_a_slow_one_no_quicker(
    rows: list[tuple[str, bool, float, str, str, str, str]],
    last: tuple[str, bool, float, str, str, str, str],
):
    """Compared with a wrong one, and with one ten times as fast, and with none at all."""
    who, _, _, *labels = last
    item = Item(*(label or None for label in labels))
    wrong, none, right = (
        Prior.fit(table(rows + more)).parameters(item)
        for more in (
            [(who, False, 5.0, *labels)],
            [],
            [(who, True, 50.0, *labels)],
        )
    )
    assert wrong[0] <= none[0] + 1e-12 <= right[0] + 2e-12
    assert wrong[1] <= right[1] + 1e-12


@settings(deadline=None)
@given(st.lists(ROWS, max_size=20), st.lists(ROWS, max_size=20))
def test_a_table_is_told_row_by_row(
    fitted: list[tuple[str, bool, float, str, str, str, str]],
    asked: list[tuple[str, bool, float, str, str, str, str]],
):
    """`table` has the very numbers of `parameters`, in the order of the rows."""
    prior, rows = Prior.fit(table(fitted)), table(asked)
    logit, log_time = prior.table(rows)
    alone = [prior.parameters(response.item) for _, response in rows]
    assert list(zip(logit, log_time, strict=True)) == alone


def test_more_items_than_are_remembered_are_still_told(monkeypatch: pytest.MonkeyPatch):
    """Labels come from outside: memory is bounded, answers are not."""
    monkeypatch.setattr("studysmart.learning.prior.KNOWN", 2)
    prior = of([1, 0], item=["a", "b"])
    asked = [Item(str(k)) for k in range(5)] + [Item("a")]
    first = prior.predict(0, asked).p_correct
    again = prior.predict(0, asked[::-1]).p_correct[::-1]
    assert (first == again).all()
    assert first[-1] > first[0]


@pytest.mark.parametrize(
    ("column", "value"), [(0, -1), (0, 1e300), (1, 99), (2, 99), (3, 1e6), (3, -1e6), (4, 1e9)]
)
def test_impossible_counts_are_refused(column: int, value: float):
    """More right ones than answers, times of no time: the item is named."""
    tensors, rest = Prior.fit(learning.simulate(learners=2, answers=20)).to_tensors()
    tensors["counts"] = tensors["counts"].copy()
    tensors["counts"][0, column] = value
    with pytest.raises(ArtefactRejected, match="impossible counts of Item"):
        Prior.from_tensors(tensors, rest)


@pytest.mark.parametrize("items", [[["a", None, None, 7]], [["a"] * 4] * 2, [["a"] * 4] * 3])
def test_labels_that_do_not_fit_their_counts_are_refused(items: list[list[str]]):
    """No text, the same twice, more than rows."""
    with pytest.raises(ArtefactRejected):
        Prior.from_tensors({"counts": np.ones((min(len(items), 2), 5))}, {"items": items})
