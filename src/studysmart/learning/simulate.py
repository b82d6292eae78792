"""Learners with a known truth: answers drawn from the joint model, for benches and tests."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studysmart.learning.responses import Responses

Array = NDArray[np.float64]

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


@dataclass(frozen=True)
class SimulatedTest:
    """A simulated test: every learner meets every item once, but for the cells that are missing.

    who, what: (row,) learner and item. correct: 1 or 0. log_time: log-seconds.
    theta, zeta: (learner,) the truth. a, b, phi, lam, sigma2: (item,) the truth.
    """

    who: NDArray[np.int64]
    what: NDArray[np.int64]
    correct: Array
    log_time: Array
    theta: Array
    zeta: Array
    a: Array
    b: Array
    phi: Array
    lam: Array
    sigma2: Array

    def responses(self) -> Responses:
        """As a table with a line an answer; times in seconds."""
        return Responses.from_columns(
            learner=[f"learner-{i}" for i in self.who],
            item=[f"item-{j}" for j in self.what],
            correct=self.correct.tolist(),
            response_time_s=np.exp(self.log_time).tolist(),
        )


def simulate_test(
    *,
    learners: int,
    items: int,
    rho: float = 0.5,
    normal: bool = True,
    guessing: float = 0.0,
    missing: float = 0.0,
    easier: float = 0.0,
    seed: int = 0,
) -> SimulatedTest:
    """Draw from LNIRT, with the distributions of its own simulation (simLNIRT, R package LNIRT).

    Ability and speed are standardised to mean 0, variance 1; a and phi are about 1 with geometric
    mean 1, a * b and lam standard normal, sigma2 log-normal about 1.

    Args:
        learners: how many.
        items: how many.
        rho: correlation of ability and speed.
        normal: P(correct) by a normal ogive, else by a logistic of 1.7 times the argument.
        guessing: lower asymptote of P(correct), 0..1.
        missing: share of the cells that are left out at random, 0..1.
        easier: what is taken off a * b of every item.
        seed: the same seed gives the same table.
    """
    rng = np.random.default_rng(seed)
    person = rng.normal(size=(learners, 2))
    person = (person - person.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(person.T))).T
    theta, zeta = (person @ np.linalg.cholesky([[1, rho], [rho, 1]]).T).T
    a, phi = (np.abs(rng.normal(1, math.sqrt(0.05), items)) for _ in range(2))
    a, phi = (x / np.exp(np.log(x).mean()) for x in (a, phi))
    b = (rng.normal(size=items) - easier) / a
    lam, sigma2 = rng.normal(size=items), rng.lognormal(0, 0.3, items)
    kept = rng.random((learners, items)) >= missing
    who, what = np.nonzero(kept)
    x = a[what] * (theta[who] - b[what])
    # A normal ogive is drawn as whether a normal falls below x, a logistic likewise.
    draw = rng.normal(size=len(x)) if normal else rng.logistic(size=len(x)) / 1.7
    correct = (draw < x) | (rng.random(len(x)) < guessing)
    noise = np.sqrt(sigma2[what]) * rng.normal(size=len(x))
    return SimulatedTest(
        who, what, correct.astype(float), lam[what] - phi[what] * zeta[who] + noise,
        theta, zeta, a, b, phi, lam, sigma2,
    )  # fmt: skip
