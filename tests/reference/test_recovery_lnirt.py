"""LNIRT gives back the truth of simulated tests as well as marginal EM elsewhere is known to.

The designs are those on which the R package LNIRT 0.5.1 and a marginal EM were compared; the
errors allowed are the EM's there, averaged over seeds, with 15 % for chance.
"""

from __future__ import annotations

import numpy as np
import pytest

from studysmart.learning.lnirt import Options
from studysmart.learning.lnirt_fit import NODES, Cells, fit
from studysmart.learning.simulate import simulate_test

# design -> errors of a, a b, phi, lam, sigma2, theta, zeta (mean of 30 seeds of a marginal EM).
DESIGNS = {
    "500 x 20": ({"learners": 500, "items": 20}, (0.106, 0.089, 0.046, 0.047, 0.073, 0.331, 0.205)),
    "200 x 20, easy": (
        {"learners": 200, "items": 20, "easier": 1.5},
        (0.181, 0.222, 0.070, 0.075, 0.107, 0.420, 0.203),
    ),
    "1,000 x 40, half missing": (
        {"learners": 1000, "items": 40, "missing": 0.5},
        (0.104, 0.088, 0.048, 0.045, 0.071, 0.337, 0.206),
    ),
    "1,000 x 40, half missing, easy": (
        {"learners": 1000, "items": 40, "missing": 0.5, "easier": 1.0},
        (0.118, 0.125, 0.048, 0.046, 0.071, 0.374, 0.206),
    ),
}
SEEDS = 6


@pytest.mark.parametrize("design", DESIGNS)
def test_the_truth_comes_back(design: str):
    """Root mean squared errors as small as a marginal EM's; no bias of difficulty or noise."""
    arguments, allowed = DESIGNS[design]
    errors, biases = [], []
    for seed in range(SEEDS):
        test = simulate_test(seed=seed, **arguments)
        n, k = arguments["learners"], arguments["items"]
        cells = Cells(test.who, test.what, test.correct, test.log_time, n, k)
        found = fit(cells, Options(normal=True))
        posterior, sd = found.posterior(cells), found.population.sd_zeta
        theta = posterior.weights @ NODES
        zeta = (posterior.at_0[:, 0] + posterior.at_1[:, 0] * theta) / sd
        pairs = (
            (found.a, test.a), (found.a * found.b, test.a * test.b), (found.phi * sd, test.phi),
            (found.lam, test.lam), (found.sigma2, test.sigma2), (theta, test.theta),
            (zeta, test.zeta),
        )  # fmt: skip
        errors.append([np.sqrt(np.mean((got - truth) ** 2)) for got, truth in pairs])
        biases.append([np.mean(got - truth) for got, truth in (pairs[1], pairs[4])])
        assert 0.5 == pytest.approx(found.population.rho, abs=0.2)
    assert (np.mean(errors, axis=0) <= 1.15 * np.array(allowed)).all()
    # Chance moves the mean of sigma2 over all items and seeds by this much itself.
    chance = 2 * np.sqrt(2 / (n * k * (1 - arguments.get("missing", 0)) * SEEDS))
    assert abs(np.mean(biases, axis=0)[0]) <= 0.03
    assert abs(np.mean(biases, axis=0)[1]) <= 0.01 + chance
