"""The learner models, and the public Python library.

Pure: arrays in, arrays out; no clock, disk, network, SQL or hidden randomness. Importing it needs
NumPy only; `train` and `SequenceModel.fit` import JAX when they are called.
"""

from studysmart.errors import ArtefactRejected
from studysmart.learning.choose import Choice, choose
from studysmart.learning.configuration import Configuration
from studysmart.learning.engine import (
    Engine,
    EngineState,
    constant_forecast,
    fit_prior_engine,
)
from studysmart.learning.evaluation import Evaluation, evaluate
from studysmart.learning.evaluation_report import to_html, to_markdown
from studysmart.learning.lnirt import Lnirt, Options
from studysmart.learning.model import Forecast, LearnerModel, Prediction
from studysmart.learning.prior import Prior
from studysmart.learning.responses import Item, Response, Responses
from studysmart.learning.sequence import AttentionModel, SequenceModel
from studysmart.learning.simulate import simulate, simulate_test
from studysmart.learning.training import Progress, TrainingReport, train

__all__ = [
    "ArtefactRejected",
    "AttentionModel",
    "Choice",
    "Configuration",
    "Engine",
    "EngineState",
    "Evaluation",
    "Forecast",
    "Item",
    "LearnerModel",
    "Lnirt",
    "Options",
    "Prediction",
    "Prior",
    "Progress",
    "Response",
    "Responses",
    "SequenceModel",
    "TrainingReport",
    "choose",
    "constant_forecast",
    "evaluate",
    "fit_prior_engine",
    "simulate",
    "simulate_test",
    "to_html",
    "to_markdown",
    "train",
    "warm_up",
]


def warm_up() -> None:
    """Train once on a few simulated answers: everything is imported and compiled afterwards."""
    train(simulate(learners=2, answers=60))
