"""What a search tries next, and what a trial is worth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from studysmart import learning
from studysmart.errors import BadInput
from studysmart.learning import Configuration, SequenceModel
from studysmart.learning.configuration import LIMITS
from studysmart.learning.search import attempt, propose
from studysmart.learning.training import judged_of


def test_the_first_trial_is_the_built_in_one():
    """Whatever is found has to beat it on the same answers."""
    assert Configuration("attention") == propose("attention", [], seed=3)
    assert Configuration("attention") == propose("attention", [({}, None)], seed=3)


def test_a_search_goes_on_from_its_trials_alone():
    """The same trials and seed propose the same; failed ones are passed over."""
    tried = [(Configuration().parameters, 1.0), ({}, None)]
    one, again = (propose("sequence", tried, seed=1) for _ in range(2))
    assert one == again
    assert one != propose("sequence", tried, seed=2)


def test_a_search_finds_what_chance_would_not():
    """A bowl in two of the five settings, 40 trials: nearer to its bottom than 40 random ones."""

    def loss(one: Configuration) -> float:
        return (math.log(one.rate) - 0.7) ** 2 + 4 * (one.dropped - 0.4) ** 2

    tried: list[tuple[dict[str, float], float | None]] = []
    for _ in range(40):
        one = propose("sequence", tried, seed=5)
        tried.append((one.parameters, loss(one)))
    rng = np.random.default_rng(5)
    by_chance = [
        min(
            loss(Configuration(rate=float(np.exp(rng.uniform(*np.log(LIMITS["rate"])))),
                               dropped=float(rng.uniform(*LIMITS["dropped"]))))
            for _ in range(40)
        )
        for _ in range(20)
    ]  # fmt: skip
    assert min(one for _, one in tried if one is not None) < np.mean(by_chance)


def test_a_trial_never_sees_what_the_gate_will_judge():
    """Its loss is the same whatever the newest answers are."""
    table = learning.simulate(learners=4, answers=100, seed=1)
    n = len(table)
    other = learning.simulate(learners=4, answers=100, seed=2)
    told = judged_of(n)
    mixed = learning.Responses.from_columns(**{
        name: np.concatenate([getattr(table, name)[: n - told], getattr(other, name)[n - told :]])
        for name in table.__slots__
    })  # fmt: skip
    configuration = Configuration(epochs=0.3)
    found = attempt(table, configuration, seed=1)[0]
    assert found == attempt(mixed, configuration, seed=1)[0]
    assert math.isfinite(found)


@pytest.mark.parametrize(
    ("kind", "parameters", "told"),
    [
        ("prior", {}, "expected one of sequence, attention"),
        ("sequence", {"rate": 50.0}, "rate is 50.0, expected a number from 0.2 to 5"),
        ("sequence", {"rate": math.nan}, "rate is nan"),
        ("sequence", {"width": 3.0}, r"unknown settings \['width'\]; known are rate"),
        ("sequence", {"rate": "fast"}, "rate is 'fast'"),
    ],
)
def test_what_could_not_be_fitted_is_refused(kind: str, parameters: dict[str, float], told: str):
    """By name, with what was expected."""
    with pytest.raises(BadInput, match=told):
        Configuration.of(kind, parameters)


def test_other_settings_make_another_network_and_the_built_in_ones_the_same():
    """Each setting is felt; none compiles anew or breaks the fit."""
    table = learning.simulate(learners=3, answers=80, seed=1)

    def bytes_of(configuration: Configuration | None) -> list[bytes]:
        fitted = SequenceModel.fit(table, seed=1, configuration=configuration)
        return [tensor.tobytes() for tensor in fitted.to_tensors()[0].values()]

    built_in = bytes_of(None)
    assert built_in == bytes_of(Configuration())
    for name, (_, high) in LIMITS.items():
        assert built_in != bytes_of(Configuration.of("sequence", {name: high})), name


def test_a_training_judges_the_configurations_it_is_given():
    """Each is in the metrics; the best of its kind goes on, and the reason names it."""
    table = learning.simulate(learners=4, answers=120, seed=3)
    given = {"slow": Configuration(epochs=0.3, rate=0.2), "mine": Configuration("attention")}
    report = learning.train(table, seed=1, configurations=given)
    told = report.metrics["configurations"]
    assert {"slow", "mine"} == set(told)
    assert "attention" == told["mine"]["kind"]
    assert told["slow"]["log_loss"] > 0
    # Nothing else was fitted as attention, so that the gate judges it for its kind.
    assert "mine" == report.metrics["chosen"]["attention"]
    assert report.metrics["attention"]["log_loss"] == told["mine"]["log_loss"]
