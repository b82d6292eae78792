"""The first answers of a new installation: what is served is worth more than counting.

`python -m bench.small` shows the same for all 679 answers, 20 seeds, and for new learners.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from bench import small
from studysmart.learning import Prediction, Prior, Responses, simulate

SEEDS, ANSWERS = 6, 200


@cache
def runs() -> list[dict[str, small.Losses]]:
    """Six histories of 200 answers of four learners."""
    return [small.history(seed, ANSWERS) for seed in range(SEEDS)]


def test_what_is_served_beats_constants_and_running_means_from_the_tenth_answer_on():
    """In log loss and in log-time error, on average over seeds."""
    assert [] == small.beaten(runs(), slice(small.FROM - 1, None))


def prior_alone(table: Responses) -> small.Losses:
    """Each answer forecast by a prior of all before it."""
    told = [Prior.fit(table[:row]).predict_all(table[row : row + 1]) for row in range(len(table))]
    p, log_time = ([getattr(one, name)[0] for one in told] for name in Prediction.__slots__[:2])
    return small.losses(table, np.array(p), np.array(log_time))


def test_the_prior_alone_beats_constants_and_running_means_from_the_tenth_answer_on():
    """What serves before the first training, and when all else fails; over 20 seeds."""
    histories = [
        {small.SERVED: prior_alone(table)} | small.references(table)
        for table in (simulate(learners=4, answers=ANSWERS, seed=seed) for seed in range(20))
    ]
    assert [] == small.beaten(histories, slice(small.FROM - 1, None))


def test_the_means_know_earlier_answers_only():
    """Changing the last answer changes no forecast before it: the comparison is fair."""
    table = simulate(learners=4, answers=50, seed=3)
    other = table[np.arange(50)]
    other.correct[-1] = 1 - other.correct[-1]
    for name, whole in small.references(table).items():
        assert (whole.right[:-1] == small.references(other)[name].right[:-1]).all()
