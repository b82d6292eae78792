"""LNIRT: ability and speed together.

    P(response = 1) = logistic(a * (theta + delta_skill - b))
    log T ~ Normal(lam - phi * zeta, sigma^2)
    (theta, zeta) ~ Normal(0, [[1, rho s], [rho s, s^2]])   over learners

theta: ability; delta: a learner's deviation on one skill; zeta: speed, larger is faster; a:
discrimination; b: difficulty; lam: time intensity; phi: time discrimination. Joint model of van der
Linden (2007), "A hierarchical framework for modeling speed and accuracy on test items"; the letters
are LNIRT's.

The population is fitted by maximising the marginal likelihood over theta (on a grid) with zeta
integrated in closed form; each item's b and lam are shrunk towards what the hierarchical prior says
of it, so that an item nobody has met stands where its topic and difficulty put it. One learner's
state is a Gaussian that each answer moves in constant time and that widens a little between
answers, because abilities drift.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from studysmart.errors import ArtefactRejected
from studysmart.learning.model import LearnerModel, Prediction
from studysmart.learning.prior import Prior
from studysmart.learning.responses import Item, Response, Responses

GRID = np.linspace(-4.0, 4.0, 33)
EM_STEPS = 12
# Variance that an ability gains with every answer: people learn, and get tired.
THETA_DRIFT, DELTA_DRIFT, ZETA_DRIFT = 0.002, 0.01, 0.004
DELTA_VARIANCE = 0.35
# Prior spread of an item's b and lam around the place where its topic and difficulty put it.
B_VARIANCE, LAM_VARIANCE = 0.4, 0.15
# Skills remembered one by one; a learner who meets more has the rest at the mean.
SKILLS_KEPT = 512


class State(NamedTuple):
    """What is known of one learner.

    Gaussian over (theta, zeta), and over delta of each skill met.
    """

    answers: int
    theta: float
    zeta: float
    var_theta: float
    cov: float
    var_zeta: float
    deltas: dict[str, tuple[float, float]]  # skill -> mean, variance


@dataclass(frozen=True)
class Lnirt(LearnerModel):
    """The fitted population.

    items: item -> (b, lam), for those seen in fitting; others come from the prior's chain.
    """

    kind: ClassVar[str] = "lnirt"

    prior: Prior
    items: dict[str, tuple[float, float]]
    a: float
    phi: float
    rho: float
    sd_zeta: float
    sigma: float

    @classmethod
    def fit(cls, responses: Responses, prior: Prior) -> Self:
        """Fit by EM over rows; the cost is linear in the number of answers.

        Args:
            responses: any number of answers.
            prior: fitted on the same answers; gives every item its place to be shrunk to.
        """
        if len(responses) == 0:
            return cls(prior, {}, 1.0, 1.0, 0.0, 0.3, prior.log_time_sd)
        _, who = np.unique(responses.learner, return_inverse=True)
        keys, what, first = _unique_items(responses)
        n_learners, n_items = int(who.max()) + 1, len(keys)
        y, log_t = responses.correct, responses.log_times()
        timed = np.isfinite(log_t)
        t = np.where(timed, log_t, 0.0)
        at_prior = np.array([prior.parameters(item) for item in first])
        a, rho, sd_zeta = 1.0, 0.0, 0.3
        b_0, lam_0 = -at_prior[:, 0] / a * 1.1, at_prior[:, 1]
        b, lam = b_0.copy(), lam_0.copy()
        sigma2 = prior.log_time_sd**2
        log_weight = -0.5 * GRID**2
        for _ in range(EM_STEPS):
            # E: theta on the grid given the answers; zeta given theta in closed form.
            eta = a * (GRID[None, :] - b[:, None])
            log_p, log_q = -np.logaddexp(0, -eta), -np.logaddexp(0, eta)
            rows = np.where(y[:, None] == 1, log_p[what], log_q[what])
            log_like = _sum_by(who, rows, n_learners) + log_weight
            precision = np.bincount(who, timed, n_learners) / sigma2
            pull = np.bincount(who, (lam[what] - t) * timed, n_learners) / sigma2
            var_given = (1 - rho**2) * sd_zeta**2
            shrink = 1 / (1 + precision * var_given)
            mean_given = rho * sd_zeta * GRID  # E[zeta | theta] before the times
            log_like += (
                pull[:, None] * mean_given - 0.5 * precision[:, None] * mean_given**2
            ) * shrink[:, None]
            weight = np.exp(log_like - log_like.max(1, keepdims=True))
            weight /= weight.sum(1, keepdims=True)
            zeta_grid = (mean_given + (var_given * pull)[:, None]) * shrink[:, None]
            var_zeta = var_given * shrink
            e_theta2 = float((weight @ GRID**2).mean())
            e_zeta = (weight * zeta_grid).sum(1)
            e_zeta2 = (weight * zeta_grid**2).sum(1) + var_zeta
            e_cross = float((weight * zeta_grid * GRID).sum(1).mean())
            # M: the population, with a few pseudo-learners of the starting value.
            pseudo = 10.0
            sd_zeta = math.sqrt((e_zeta2.sum() + pseudo * 0.09) / (n_learners + pseudo))
            rho = float(
                np.clip(e_cross * n_learners / (n_learners + pseudo)
                        / (sd_zeta * math.sqrt(max(e_theta2, 0.05))), -0.9, 0.9)
            )  # fmt: skip
            # M: items, one Newton step each, shrunk to their place; a shared by all.
            expected_right = np.bincount(what, y, n_items)
            mass = _sum_by(what, weight[who], n_items)
            p = 1 / (1 + np.exp(-eta))
            info = (mass * p * (1 - p)).sum(1)
            slope = -a * (expected_right - (mass * p).sum(1)) - (b - b_0) / B_VARIANCE
            b = b + np.clip(slope / (a**2 * info + 1 / B_VARIANCE), -1, 1)
            right_mass = _sum_by(what, weight[who] * y[:, None], n_items)
            centred = GRID[None, :] - b[:, None]
            slope_a = ((right_mass - mass * p) * centred).sum() - (math.log(a)) / a / 0.05
            info_a = (mass * p * (1 - p) * centred**2).sum() + 1 / (0.05 * a * a)
            a = float(np.clip(a + np.clip(slope_a / info_a, -0.2, 0.2), 0.3, 3.0))
            n_timed = np.bincount(what, timed, n_items)
            total = np.bincount(what, (t + e_zeta[who]) * timed, n_items)
            lam = (total / sigma2 + lam_0 / LAM_VARIANCE) / (n_timed / sigma2 + 1 / LAM_VARIANCE)
            residual = ((t - lam[what] + e_zeta[who]) ** 2 + var_zeta[who]) * timed
            sigma2 = (residual.sum() + 4 * prior.log_time_sd**2) / (timed.sum() + 4)
        items = {key: (float(b[k]), float(lam[k])) for k, key in enumerate(keys) if key}
        return cls(prior, items, a, 1.0, rho, sd_zeta, math.sqrt(sigma2))

    def parameters(self, item: Item) -> tuple[float, float]:
        """(b, lam) of an item; of one never seen, where the prior's chain puts it."""
        known = self.items.get(item.item) if item.item is not None else None
        if known is not None:
            return known
        logit, log_time = self.prior.parameters(item)
        return -1.1 * logit / self.a, log_time

    def start(self) -> State:
        """A learner of whom nothing is known: the population."""
        cov = self.rho * self.sd_zeta
        return State(0, 0.0, 0.0, 1.0, cov, self.sd_zeta**2, {})

    def update(self, state: State, response: Response) -> State:
        """One answer: a Newton step on the logistic likelihood, an exact one on the log time.

        A right answer never lowers theta or delta, a fast one never lowers zeta.
        """
        answers, theta, zeta, v_t, cov, v_z, deltas = state
        b, lam = self.parameters(response.item)
        a = self.a
        v_t, v_z = min(v_t + THETA_DRIFT, 1.5), min(v_z + ZETA_DRIFT, 1.5 * self.sd_zeta**2)
        skill = response.item.skill
        delta, v_d = deltas.get(skill, (0.0, DELTA_VARIANCE)) if skill else (0.0, 0.0)
        if skill:
            v_d = min(v_d + DELTA_DRIFT, DELTA_VARIANCE)
        # The answer, as one pseudo-observation of theta + delta at its predictive mean.
        v = v_t + v_d
        shrunk = 1 / math.sqrt(1 + math.pi / 8 * a * a * v)
        p = _logistic(a * (theta + delta - b) * shrunk)
        slope = a * (float(response.correct) - p)
        gain = 1 / (1 + v * a * a * p * (1 - p))
        step = slope * gain
        keep = a * a * p * (1 - p) * gain
        theta += v_t * step
        zeta += cov * step
        v_z -= cov * cov * keep
        cov -= v_t * cov * keep
        if skill:
            deltas = dict(deltas)
            if skill in deltas or len(deltas) < SKILLS_KEPT:
                deltas[skill] = (delta + v_d * step, v_d - v_d * v_d * keep)
        v_t -= v_t * v_t * keep
        # The time: log T = lam - phi * zeta + noise.
        log_t = response.log_time
        if log_t is not None:
            surprise = lam - log_t - self.phi * zeta
            scale = self.phi / (self.phi**2 * v_z + self.sigma**2)
            zeta += v_z * scale * surprise
            theta += cov * scale * surprise
            v_t -= cov * cov * scale * self.phi
            cov -= cov * v_z * scale * self.phi
            v_z -= v_z * v_z * scale * self.phi
        return State(answers + 1, theta, zeta, max(v_t, 1e-4), cov, max(v_z, 1e-6), deltas)

    def predict(
        self, state: State, items: Sequence[Item], *, at: float | None = None
    ) -> Prediction:
        """Integrated over what is not known of the learner."""
        del at
        rows = [self.predict_one(state, item) for item in items]
        table = np.array(rows).reshape(-1, 3)
        return Prediction(1 / (1 + np.exp(-table[:, 0])), table[:, 1], table[:, 2])

    def predict_one(self, state: State, item: Item) -> tuple[float, float, float]:
        """(logit of P(correct), mean, sd of log time): plain numbers, for running features."""
        b, lam = self.parameters(item)
        delta, v_d = 0.0, DELTA_VARIANCE
        if item.skill:
            delta, v_d = state.deltas.get(item.skill, (0.0, DELTA_VARIANCE))
        v = state.var_theta + v_d
        logit = self.a * (state.theta + delta - b) / math.sqrt(1 + math.pi / 8 * self.a**2 * v)
        sd = math.sqrt(self.sigma**2 + self.phi**2 * state.var_zeta)
        return max(-7.0, min(7.0, logit)), lam - self.phi * state.zeta, sd

    def to_tensors(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Items as one matrix; the population as numbers. The prior travels beside it."""
        names = sorted(self.items)
        return (
            {"items": np.array([self.items[name] for name in names]).reshape(-1, 2)},
            {
                "names": names,
                "a": self.a,
                "phi": self.phi,
                "rho": self.rho,
                "sd_zeta": self.sd_zeta,
                "sigma": self.sigma,
            },
        )

    @classmethod
    def from_tensors(
        cls, tensors: dict[str, NDArray[Any]], rest: dict[str, Any], prior: Prior | None = None
    ) -> Self:
        """Refuses items that do not belong to the names, and a population that cannot be."""
        items, names = tensors["items"], rest["names"]
        if prior is None or items.shape != (len(names), 2):
            msg = f"lnirt: 'items' has shape {items.shape}, expected {(len(names), 2)}"
            raise ArtefactRejected(msg)
        numbers = {k: float(rest[k]) for k in ("a", "phi", "rho", "sd_zeta", "sigma")}
        if not (numbers["a"] > 0 and numbers["sigma"] > 0 and abs(numbers["rho"]) < 1):
            msg = f"lnirt: impossible population {numbers}"
            raise ArtefactRejected(msg)
        pairs = {name: (float(b), float(lam)) for name, (b, lam) in zip(names, items, strict=True)}
        return cls(prior, pairs, **numbers)


def _unique_items(responses: Responses) -> tuple[list[str], NDArray[np.int64], list[Item]]:
    """Items by name, or by skill, topic and difficulty where they have none."""
    columns = (responses.item, responses.skill, responses.topic, responses.difficulty)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    index: dict[tuple[str, ...], int] = {}
    what = np.empty(len(rows), dtype=np.int64)
    first: list[Item] = []
    for k, (item, skill, topic, difficulty) in enumerate(rows):
        key = (item,) if item else ("", skill, topic, difficulty)
        if key not in index:
            index[key] = len(index)
            first.append(Item(item or None, skill or None, topic or None, difficulty or None))
        what[k] = index[key]
    return [key[0] for key in index], what, first


def _sum_by(index: NDArray[Any], rows: NDArray[Any], n: int) -> NDArray[np.float64]:
    """Sum rows of equal index; rows (row, column), result (n, column)."""
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(n))
    return np.asarray(np.add.reduceat(rows[order], np.minimum(starts, len(rows) - 1), axis=0))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -30 else math.exp(x)
