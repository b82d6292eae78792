"""A search for better settings of a network: what to try next, and what a trial is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from studysmart.errors import RefusedToStart
from studysmart.learning.configuration import LIMITS, Configuration
from studysmart.learning.responses import Responses
from studysmart.learning.training import BY_KIND, judge, judged_of

# Multiples are as likely halved as doubled; shares are searched evenly.
LOGARITHMIC = {"rate", "epochs"}


def propose(
    kind: str, tried: Sequence[tuple[dict[str, float], float | None]], *, seed: int
) -> Configuration:
    """The next configuration to try.

    The built-in one comes first, until it has a loss: all others must beat it.

    A tree-structured Parzen estimator (Bergstra et al. 2011), as Optuna has it. Everything it knows
    is in its arguments, so that a search goes on after a restart as if nothing had happened.

    Args:
        kind: "sequence" or "attention".
        tried: parameters and loss of all earlier trials, in order; None: it failed.
        seed: of the search.

    Raises:
        RefusedToStart: Optuna is not installed.
    """
    if all(loss is None for _, loss in tried):
        return Configuration(kind)
    try:
        import optuna
    except ModuleNotFoundError as error:
        msg = "a search needs Optuna: pip install 'studysmart[tune]'"
        raise RefusedToStart(msg) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space: dict[str, optuna.distributions.BaseDistribution] = {
        name: optuna.distributions.FloatDistribution(low, high, log=name in LOGARITHMIC)
        for name, (low, high) in LIMITS.items()
    }
    sampler = optuna.samplers.TPESampler(seed=seed + len(tried), multivariate=True)
    study = optuna.create_study(sampler=sampler)
    for parameters, loss in tried:
        if loss is not None:
            study.add_trial(
                optuna.trial.create_trial(value=loss, params=parameters, distributions=space)
            )
    return Configuration.of(kind, study.ask(space).params)


def attempt(
    responses: Responses,
    configuration: Configuration,
    *,
    seed: int,
    progress: Callable[[float, int, float], None] | None = None,
) -> tuple[float, dict[str, Any]]:
    """Fit on the older answers, judge on later ones; both before those that the gate judges.

    Args:
        responses: all answers that are searched on, in order of time.
        configuration: what is tried.
        seed: of the fit.
        progress: as in `SequenceModel.fit`.

    Returns:
        The joint loss of an answer (log loss and the negative log density of its time), and all
        scores.
    """
    searched = responses[: len(responses) - judged_of(len(responses))]
    later = judged_of(len(searched))
    model = BY_KIND[configuration.kind].fit(
        searched[: len(searched) - later], seed=seed, progress=progress, configuration=configuration
    )
    found = judge(model, searched, later)
    return float(found.joint.mean()), found.summary()
