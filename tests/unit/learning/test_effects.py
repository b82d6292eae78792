"""What tasks are like, whoever answers them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studysmart import learning
from studysmart.errors import ArtefactRejected
from studysmart.learning import Item, Responses
from studysmart.learning.effects import Coded, Effects


def crossed(
    seed: int, *, learners: int = 300, items: int = 40, each: int = 30
) -> tuple[Responses, np.ndarray, np.ndarray]:
    """(answers, true item effects on the logit, on log time); strong learners get hard items."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(0, 1, learners)
    easy, slow = rng.normal(0, 0.8, items), rng.normal(0, 0.3, items)
    who = np.repeat(np.arange(learners), each)
    # Learners above the mean mostly get the harder half, in the order of the items' ease.
    ranks = np.argsort(easy)
    half = np.where(
        (ability[who] > 0) == (rng.random(len(who)) < 0.85), 0, items // 2
    ) + rng.integers(items // 2, size=len(who))
    what = ranks[half]
    right = rng.random(len(who)) < 1 / (1 + np.exp(-(ability[who] + easy[what])))
    times = np.exp(3 + slow[what] - 0.3 * ability[who] + rng.normal(0, 0.4, len(who)))
    table = Responses.from_columns(
        learner=[f"l{k}" for k in who],
        item=[f"i{k}" for k in what],
        correct=right.astype(int).tolist(),
        response_time_s=times.tolist(),
    )
    return table, easy, slow


def test_effects_of_items_are_recovered_though_strong_learners_got_the_hard_ones():
    """Plain means would call the items that strong learners got easy."""
    table, easy, slow = crossed(0)
    effects = Effects.fit(table)
    places = [effects.place(Item(f"i{k}")) for k in range(len(easy))]
    found = np.array([place.logit for place in places])
    means = np.array([table.correct[table.item == f"i{k}"].mean() for k in range(len(easy))])
    assert np.corrcoef(found, easy)[0, 1] > 0.93
    assert np.corrcoef(np.log(means / (1 - means)), easy)[0, 1] < 0.6
    assert np.corrcoef([place.log_time for place in places], slow)[0, 1] > 0.95
    assert 0.6 < effects.learner[0] < 1.1  # penalised quasi-likelihood shrinks variances a little
    assert effects.noise == pytest.approx(0.16, abs=0.03)


def test_an_unknown_label_stands_at_the_mean_of_its_level():
    """And as uncertain as any that nobody has met."""
    effects = Effects.fit(learning.simulate(learners=6, answers=200, seed=1))
    known = effects.place(Item(None, "skill-0", "topic-0", "easy"))
    new = effects.place(Item("never seen", "skill-0", "topic-0", "easy"))
    assert known == new
    assert new.deviation == 0
    assert new.spread == effects.variances["item"][0]


def test_places_of_a_table_are_those_of_its_items():
    """One by one and all at once."""
    table = learning.simulate(learners=6, answers=200, seed=1)
    effects = Effects.fit(table[:120])
    whole = np.stack(np.broadcast_arrays(*effects.places(Coded.of(table))), axis=1)
    one = np.array([effects.place(response.item) for _, response in table])
    np.testing.assert_allclose(whole, one, rtol=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1_000), answers=st.integers(0, 60))
def test_renaming_learners_and_shuffling_rows_changes_nothing(seed: int, answers: int):
    """Effects know labels and counts, not names and not orders."""
    table = learning.simulate(learners=4, answers=60, seed=seed)[:answers]
    rng = np.random.default_rng(seed)
    other = table[rng.permutation(len(table))]
    other = Responses(
        np.array([f"other {name}" for name in other.learner.tolist()], dtype=str),
        *(getattr(other, name) for name in Responses.__slots__[1:]),
    )
    asked = [Item(f"topic-{k}/easy", f"skill-{k}", f"topic-{k}", "easy") for k in range(3)]
    one, two = Effects.fit(table), Effects.fit(other)
    for item in asked:
        np.testing.assert_allclose(one.place(item), two.place(item), atol=1e-6)


def test_no_answers_give_even_odds_and_a_minute():
    """The constants of a system that has never seen an answer."""
    place = Effects.fit(Responses.from_columns(learner=[], correct=[])).place(Item("a", "b"))
    assert place.logit == pytest.approx(0)
    assert np.exp(place.log_time) == pytest.approx(60)


@pytest.mark.parametrize(
    ("name", "value"),
    [("noise", -1.0), ("noise", float("nan")), ("logit", 1e9), ("learner", [0, 0])],
)
def test_impossible_effects_are_refused(name: str, value: object):
    """Variances below 0, means beyond any logit."""
    tensors, rest = Effects.fit(learning.simulate(learners=3, answers=50, seed=0)).to_tensors()
    with pytest.raises(ArtefactRejected):
        Effects.from_tensors(tensors, rest | {name: value})
