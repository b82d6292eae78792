"""Logs that are handed over in pieces."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from studysmart import learning
from studysmart.learning import Item, Lnirt, Prior, Responses
from studysmart.learning.responses import joined


def test_the_prior_counts_every_piece():
    """Whatever the pieces, the forecasts are those of the whole."""
    table = learning.simulate(learners=5, answers=300, seed=1)
    whole = Prior.fit(table)
    pieces = Prior.fit_stream(table[k : k + 70] for k in range(0, 300, 70))
    asked = [Item(*parts) for parts in {(i, s, t, d) for i, s, t, d in zip(
        table.item, table.skill, table.topic, table.difficulty, strict=True
    )}]  # fmt: skip
    one, two = whole.predict(0, asked), pieces.predict(0, asked)
    np.testing.assert_allclose(one.p_correct, two.p_correct, rtol=1e-12)
    np.testing.assert_allclose(one.log_time_mean, two.log_time_mean, rtol=1e-12)
    np.testing.assert_allclose(one.log_time_sd, two.log_time_sd, rtol=1e-9)


def test_only_the_last_answers_of_a_stream_are_kept():
    """Whole pieces are dropped as soon as those after them suffice."""
    table = learning.simulate(learners=5, answers=300, seed=1)
    alive = []

    def pieces() -> Iterator[Responses]:
        for k in range(0, 300, 50):
            alive.append(k)
            yield table[k : k + 50]

    streamed = Lnirt.fit_stream(pieces(), most=120)
    assert 6 == len(alive)
    last = Lnirt.fit(table[150:])
    asked = [Item("topic-0/easy", "skill-0", "topic-0", "easy")]
    np.testing.assert_allclose(
        streamed.predict(streamed.start(), asked).p_correct,
        last.predict(last.start(), asked).p_correct,
    )


def test_an_empty_stream_is_an_empty_log():
    """A forecast all the same."""
    model = Prior.fit_stream([])
    assert 0.5 == pytest.approx(model.predict(0, [Item()]).p_correct[0], abs=0.01)
    assert 0 == len(joined([]))
