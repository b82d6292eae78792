"""The learner models, and the public Python library.

Pure: arrays in, arrays out; no clock, disk, network, SQL or hidden randomness. Importing it needs
NumPy only; `train` and `SequenceModel.fit` import JAX when they are called.
"""

from studysmart.learning.engine import (
    Engine,
    EngineState,
    constant_forecast,
    fit_prior_engine,
)
from studysmart.learning.lnirt import Lnirt
from studysmart.learning.model import Forecast, LearnerModel, Prediction
from studysmart.learning.prior import Prior
from studysmart.learning.responses import Item, Response, Responses
from studysmart.learning.sequence import AttentionModel, SequenceModel
from studysmart.learning.simulate import simulate
from studysmart.learning.training import Progress, TrainingReport, train

__all__ = [
    "AttentionModel",
    "Engine",
    "EngineState",
    "Forecast",
    "Item",
    "LearnerModel",
    "Lnirt",
    "Prediction",
    "Prior",
    "Progress",
    "Response",
    "Responses",
    "SequenceModel",
    "TrainingReport",
    "constant_forecast",
    "fit_prior_engine",
    "simulate",
    "train",
    "warm_up",
]


def warm_up() -> None:
    """Train once on a few simulated answers: everything is imported and compiled afterwards."""
    train(simulate(learners=2, answers=60))
