"""A learner's past as running estimates."""

from __future__ import annotations

import math
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from studysmart import learning
from studysmart.learning import Item, Response
from studysmart.learning import history as past
from studysmart.learning.effects import Effects
from studysmart.learning.history import FEATURES, OUTCOMES, History, Population, Running


@cache
def effects() -> Effects:
    """Of a small log."""
    return Effects.fit(learning.simulate(learners=5, answers=300, seed=1))


labels = st.one_of(st.none(), st.sampled_from(["topic-0/easy", "topic-1/hard", "new"]))
responses = st.builds(
    Response,
    st.builds(Item, item=labels, skill=st.sampled_from([None, "skill-0", "skill-1", "new"])),
    correct=st.booleans(),
    response_time_s=st.one_of(st.none(), st.floats(0.05, 86_400)),
    at=st.one_of(st.none(), st.floats(0, 4e9)),
)
histories = st.lists(responses, max_size=30)


def told(history: History, item: Item) -> tuple[Running, list[float]]:
    """(running forecast, features) of a task."""
    population = Population.of(effects())
    now, _, features = past.forecast_one(history, item, effects().place(item), population, math.nan)
    return now, features


def after(history: History, response: Response) -> History:
    """One answer later."""
    population = Population.of(effects())
    place = effects().place(response.item)
    now, traces, _ = past.forecast_one(history, response.item, place, population, math.nan)
    new, outcome = past.append(history, response, place, now, traces)
    assert len(outcome) == len(OUTCOMES)
    assert all(map(math.isfinite, outcome))
    return new


def whole(answers: list[Response]) -> History:
    """The history after all of them."""
    history = past.start(Population.of(effects()))
    for response in answers:
        history = after(history, response)
    return history


@settings(max_examples=60, deadline=None)
@given(answers=histories, item=st.builds(Item, item=labels, skill=st.just("skill-0")))
def test_every_feature_is_finite(answers: list[Response], item: Item):
    """Whatever happened, and for labels nobody has heard of."""
    now, features = told(whole(answers), item)
    assert len(features) == len(FEATURES)
    assert all(map(math.isfinite, features))
    assert now.t_var > 0


@settings(max_examples=60, deadline=None)
@given(answers=histories, response=responses)
def test_a_right_answer_never_leaves_the_running_forecast_below_a_wrong_one(
    answers: list[Response], response: Response
):
    """From the same history, on the same task."""
    history = whole(answers)
    right, wrong = (
        told(after(history, Response(response.item, done, response.response_time_s)), response.item)
        for done in (True, False)
    )
    assert right[0].logit >= wrong[0].logit


@settings(max_examples=60, deadline=None)
@given(answers=histories, item=st.builds(Item, item=labels), times=st.tuples(
    st.floats(0.05, 86_400), st.floats(0.05, 86_400)
))  # fmt: skip
def test_a_fast_answer_never_leaves_a_longer_running_time_than_a_slow_one(
    answers: list[Response], item: Item, times: tuple[float, float]
):
    """From the same history, right both times."""
    history = whole(answers)
    fast, slow = (
        told(after(history, Response(item, correct=True, response_time_s=s)), item)[0].log_time
        for s in (min(times), max(times))
    )
    assert fast <= slow + 1e-12


def test_answers_leave_the_history_before_them_as_it_was():
    """Histories are values: two futures of one past do not know each other."""
    item = Item("topic-0/easy", "skill-0")
    before = whole([Response(item, correct=True, response_time_s=10.0)])
    noted = told(before, item)
    after(before, Response(item, correct=False, response_time_s=99.0))
    after(before, Response(item, correct=True, response_time_s=1.0))
    assert noted == told(before, item)


def test_an_answer_costs_the_same_whatever_the_length_of_the_history():
    """What is copied for an answer stays small; what is merged now and then is bounded."""
    history = whole(
        [Response(Item(f"item {k}", f"skill {k % 50}"), k % 3 > 0, 10.0) for k in range(2_300)]
    )
    assert len(history.items.recent) <= past.RECENT
    assert past.LABELS_KEPT == len(history.items)
    assert 50 == len(history.skills)
