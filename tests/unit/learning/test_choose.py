"""The next task."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studysmart import learning
from studysmart.learning import Engine, Item, Prior, choose


@cache
def prior() -> Prior:
    """Seven topics in three bands."""
    return Prior.fit(learning.simulate(learners=5, answers=400, seed=2))


BANK = [
    Item(f"topic-{k}/{band}", f"skill-{k}", f"topic-{k}", band)
    for k in range(7)
    for band in ("easy", "medium", "hard")
]


def test_the_task_nearest_to_the_band_is_chosen():
    """No other is nearer by more than what counts as equal."""
    found = choose(prior(), prior().start(), BANK)
    p = prior().predict(0, BANK).p_correct
    assert abs(found.p_correct - 0.775) <= min(abs(p - 0.775)) + 0.05
    assert found.item in BANK
    assert found.time_median_s > 0
    assert 2 == found.reason.count(".")


def test_an_engine_chooses_as_the_model_that_answers_in_it():
    """What serves the page, and the library, give the same task."""
    engine = Engine({"prior": prior()}, "prior", {"samples": 400})
    assert choose(prior(), 0, BANK) == choose(engine, engine.start(), BANK)


@settings(max_examples=30, deadline=None)
@given(low=st.floats(0, 1), high=st.floats(0, 1))
def test_any_band_has_its_task_and_two_plain_sentences(low: float, high: float):
    """Right on the edge, of no width, out of reach: one of the nearest, and why."""
    low, high = sorted((low, high))
    found = choose(prior(), 0, BANK, target=(low, high))
    p = prior().predict(0, BANK).p_correct
    middle = (low + high) / 2
    assert abs(found.p_correct - middle) <= min(abs(p - middle)) + 0.05
    assert 2 == found.reason.count(".")
    if not low <= found.p_correct <= high:
        assert "would be welcome" in found.reason


@settings(max_examples=30, deadline=None)
@given(done=st.sets(st.sampled_from([item.item for item in BANK]), max_size=20))
def test_what_was_just_done_is_not_given_again(done: set[str]):
    """While there is anything else."""
    assert choose(prior(), 0, BANK, avoid=done).item.item not in done


def test_the_only_task_is_given_even_again():
    """Better than nothing."""
    assert BANK[0] == choose(prior(), 0, BANK[:1], avoid={BANK[0].item}).item


def test_a_seed_decides_between_equals_the_same_way():
    """And reaches more than one of them over many seeds."""
    found = {choose(prior(), 0, BANK, seed=seed).item for seed in range(40)}
    assert len(found) > 1
    assert choose(prior(), 0, BANK, seed=3) == choose(prior(), 0, BANK, seed=3)


@pytest.mark.parametrize("target", [(0.9, 0.7), (-0.1, 0.5), (0.5, 1.2)])
def test_a_band_that_is_none_is_refused(target: tuple[float, float]):
    """With an example of one."""
    with pytest.raises(ValueError, match=r"\(0\.70, 0\.85\)"):
        choose(prior(), 0, BANK, target=target)


def test_no_candidates_are_refused():
    """There is nothing to choose from."""
    with pytest.raises(ValueError, match="at least one item"):
        choose(prior(), 0, [])
