"""Learners with a known truth: answers drawn from the joint model, for benches and tests."""

from __future__ import annotations

import numpy as np

from studysmart.learning.responses import Responses

BANDS = ("easy", "medium", "hard", "expert")


def simulate(
    *,
    learners: int,
    answers: int,
    topics: int = 7,
    difficulties: int = 3,
    seed: int = 0,
    learning: float = 0.15,
) -> Responses:
    """Answers of learners who take turns at random, one item per topic and difficulty.

    Args:
        learners: how many; ability and speed are standard normal and 0.3 sd, correlated 0.3.
        answers: over all learners.
        topics: each a skill of its own, with a difficulty of its own.
        difficulties: at most four; each step adds 0.9 to b and 0.35 to log time.
        seed: the same seed gives the same answers.
        learning: what ability on a skill gains with the logarithm of its practice.
    """
    rng = np.random.default_rng(seed)
    ability = rng.normal(0, 1, learners)
    speed = 0.3 * (0.3 * ability + np.sqrt(1 - 0.09) * rng.normal(0, 1, learners))
    own = rng.normal(0, 0.6, (learners, topics))
    b = rng.normal(0, 0.5, (topics, 1)) + 0.9 * (np.arange(difficulties) - 1) - 0.4
    lam = np.log(40) + rng.normal(0, 0.3, (topics, 1)) + 0.35 * np.arange(difficulties)
    who = rng.integers(learners, size=answers)
    topic = rng.integers(topics, size=answers)
    band = rng.integers(difficulties, size=answers)
    practice = np.zeros((learners, topics))
    correct, times = np.empty(answers), np.empty(answers)
    for k in range(answers):
        i, j, d = who[k], topic[k], band[k]
        theta = ability[i] + own[i, j] + learning * np.log1p(practice[i, j])
        correct[k] = rng.random() < 1 / (1 + np.exp(-1.2 * (theta - b[j, d])))
        times[k] = np.exp(lam[j, d] - speed[i] - 0.05 * np.log1p(practice[i, j])
                          + rng.normal(0, 0.4))  # fmt: skip
        practice[i, j] += 1
    at = 1.7e9 + np.cumsum(times + rng.exponential(60, answers))
    names = [BANDS[d] for d in band]
    return Responses.from_columns(
        learner=[f"learner-{i}" for i in who],
        correct=correct.tolist(),
        item=[f"topic-{j}/{name}" for j, name in zip(topic, names, strict=True)],
        skill=[f"skill-{j}" for j in topic],
        topic=[f"topic-{j}" for j in topic],
        difficulty=names,
        response_time_s=times.tolist(),
        at=at.tolist(),
    )
