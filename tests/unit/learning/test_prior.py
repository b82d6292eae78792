"""The hierarchical prior: exact for nothing, for one answer, and for many."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studysmart.learning import Item, Prior, Responses
from studysmart.learning.prior import WEIGHT


def of(correct: list[int], times: list[float] | None = None, **columns: list[str]) -> Prior:
    """A prior of these answers."""
    return Prior.fit(
        Responses.from_columns(
            learner=["a"] * len(correct), correct=correct, response_time_s=times, **columns
        )
    )


def p(prior: Prior, **labels: str) -> float:
    """P(correct) of an item."""
    return float(prior.predict(0, [Item(**labels)]).p_correct[0])


def test_without_answers_it_says_the_constants():
    """0.5 and 60 s."""
    empty = of([])
    assert 0.5 == p(empty)
    assert 60 == pytest.approx(math.exp(empty.predict(0, [Item()]).log_time_mean[0]))


def test_one_answer_counts_against_the_pseudo_answers():
    """(1 + w / 2) / (1 + w) for a right one."""
    assert p(of([1])) == pytest.approx((1 + WEIGHT * 0.5) / (1 + WEIGHT))


def test_a_million_answers_say_what_they_saw():
    """Pseudo-answers vanish."""
    assert p(of([1, 1, 1, 0] * 250_000)) == pytest.approx(0.75, abs=1e-5)


def test_a_level_without_answers_says_what_the_one_above_says():
    """Unknown item, skill and difficulty of a known topic."""
    prior = of([1, 1, 0], topic=["waves"] * 3)
    assert p(prior, topic="waves") == p(prior, topic="waves", skill="s", difficulty="d", item="i")
    assert p(prior, topic="unheard of") == p(prior)


def test_topic_and_difficulty_meet_additively():
    """The first hard task of a topic is expected to be harder than its easy ones."""
    prior = of(
        [1, 1, 1, 0, 0, 0, 1, 1], topic=["a"] * 6 + ["b"] * 2,
        difficulty=["easy"] * 3 + ["hard"] * 3 + ["easy"] * 2,
    )  # fmt: skip
    assert p(prior, topic="b", difficulty="hard") < p(prior, topic="b", difficulty="easy")


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("ab"), st.floats(0.05, 9e4)), max_size=20))
def test_the_order_of_answers_does_not_matter(rows: list[tuple[bool, str, float]]):
    """Counts are counts."""

    def fit(given: list[tuple[bool, str, float]]) -> float:
        prior = of([int(r[0]) for r in given], [r[2] for r in given], topic=[r[1] for r in given])
        return p(prior, topic="a")

    assert fit(rows) == pytest.approx(fit(rows[::-1]), abs=1e-9)
