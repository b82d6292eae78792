"""Fit all models, judge them on the newest answers, decide.

The newest fifth of the answers (2,000 at most) is judged and everything before it is fitted; what
was judged is what is published. So the live engine too, whose own fit ended earlier, has never seen
the judged answers, and the two are compared fairly, answer by answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from studysmart.learning import gate, scores
from studysmart.learning.configuration import Configuration
from studysmart.learning.engine import KINDS, Engine, manifest_of
from studysmart.learning.lnirt import Lnirt
from studysmart.learning.model import LearnerModel, Prediction
from studysmart.learning.prior import LOG_TIME_0, LOG_TIME_SD_0, P_0, Prior
from studysmart.learning.responses import Responses
from studysmart.learning.sequence import AttentionModel, SequenceModel

JUDGED_SHARE, MOST_JUDGED = 0.2, 2_000
# A more complex kind serves only when it is better by this many standard errors.
MARGIN_SE = 0.5
# The default network, then its challenger. With fewer answers than these the judged part could not
# tell two networks apart, and the second would only make the training slower.
NETWORKS: tuple[type[SequenceModel], ...] = (SequenceModel, AttentionModel)
BY_KIND = {network.kind: network for network in NETWORKS}
NETWORK_KINDS = set(BY_KIND)
CHALLENGED_FROM = 2_000

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is: fraction in 0..1; epoch and loss while the network trains."""

    phase: str
    fraction: float
    epoch: int | None = None
    loss: float | None = None


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a training came to.

    engine: what was made, also when it is kept out; None where there is nothing fit to be kept.
    outcome: "live" (publish it) or "kept_out"; reason: one sentence; metrics: per kind, and of the
    live engine, on the judged answers, with the checks of `gate` and the reliability of the kind
    that serves; samples = fitted + judged.
    """

    engine: Engine | None
    outcome: str
    reason: str
    metrics: dict[str, Any]
    samples: int
    fitted: int
    judged: int


@dataclass(frozen=True, slots=True)
class Judged:
    """Forecasts of the judged answers beside what happened; arrays (answer,)."""

    correct: Array
    log_time: Array  # NaN where there is none
    p_correct: Array
    log_time_mean: Array
    log_time_sd: Array

    @property
    def right(self) -> Array:
        """Log loss of each answer."""
        return scores.cross_entropy(self.correct, self.p_correct)

    @property
    def time(self) -> Array:
        """Negative log density of each log time; NaN where there is none."""
        return scores.time_loss(self.log_time, self.log_time_mean, self.log_time_sd)

    @property
    def joint(self) -> Array:
        """Both, the time as 0 where there is none."""
        return self.right + np.nan_to_num(self.time)

    @property
    def finite(self) -> bool:
        """Whether every forecast is a number."""
        return bool(np.isfinite(self.right).all() and not np.isinf(self.time).any())

    def summary(self, rows: NDArray[np.bool_] | slice = slice(None)) -> dict[str, float]:
        """All scores, of these rows."""
        return scores.summary(
            self.correct[rows],
            self.p_correct[rows],
            self.log_time[rows],
            self.log_time_mean[rows],
            self.log_time_sd[rows],
        )


def train(
    responses: Responses,
    *,
    live: Engine | None = None,
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
    configurations: Mapping[str, Configuration] | None = None,
) -> TrainingReport:
    """Fit prior, LNIRT and networks, judge them and the live engine, decide.

    Args:
        responses: all answers, in order of time.
        live: what serves now, if anything does.
        seed: of everything random; the same answers and seed give the same bytes.
        configurations: by name, further ways to fit the networks; the best of each kind goes on.
        progress: is told how far it is.
    """
    tell = progress or (lambda _: None)
    n = len(responses)
    if n < 2:
        return TrainingReport(None, "kept_out", f"{n} answers are too few to fit and to judge.",
                              {}, n, 0, 0)  # fmt: skip
    judged = judged_of(n)
    fitted = responses[: n - judged]
    tell(Progress("prior", 0.05))
    prior = Prior.fit(fitted)
    tell(Progress("lnirt", 0.1))
    lnirt = Lnirt.fit(fitted, prior)
    models: dict[str, LearnerModel] = {"prior": prior, "lnirt": lnirt}
    networks = NETWORKS if len(fitted) >= CHALLENGED_FROM else NETWORKS[:1]
    fits: list[tuple[str | None, type[SequenceModel], Configuration | None]] = [
        (None, network, None) for network in networks
    ]
    fits += [(name, BY_KIND[one.kind], one) for name, one in (configurations or {}).items()]
    others: dict[str, SequenceModel] = {}
    for k, (name, network, configuration) in enumerate(fits):
        begin, share = 0.2 + 0.6 * k / len(fits), 0.6 / len(fits)

        def told(
            done: float,
            epoch: int,
            loss: float,
            kind: str = name or network.kind,
            at: float = begin,
            share: float = share,
        ) -> None:
            tell(Progress(kind, at + share * done, epoch, loss))

        tell(Progress(name or network.kind, begin))
        model = network.fit(fitted, seed=seed, progress=told, configuration=configuration)
        if name is None:
            models[network.kind] = model
        else:
            others[name] = model
    tell(Progress("judging", 0.85))
    by_kind = {kind: judge(model, responses, judged) for kind, model in models.items()}
    who = responses.learner[n - judged :]
    configured: dict[str, dict[str, Any]] = {}
    chosen: dict[str, str] = {}
    for name, model in others.items():
        found = judge(model, responses, judged)
        configured[name] = {"kind": model.kind} | found.summary()
        if found.finite and (
            model.kind not in by_kind or _beats(found, by_kind[model.kind], who)
        ):  # fmt: skip
            models[model.kind], by_kind[model.kind] = model, found
            chosen[model.kind] = name
    checks = {kind: _checks(models[kind], by_kind[kind], responses) for kind in models}
    failed = {
        kind: [check for check in found if check.ok is False] for kind, found in checks.items()
    }
    eligible = [kind for kind in models if not failed[kind]]
    if not eligible:
        # When nobody is calibrated the newest answers are unlike the earlier ones. The live model
        # is no better off, and the comparison with it decides.
        eligible = [k for k in models if all(one.name == "calibrated" for one in failed[k])]
    serving = _serving({kind: by_kind[kind] for kind in eligible}, who)
    metrics: dict[str, Any] = {kind: found.summary() for kind, found in by_kind.items()}
    metrics["serving"] = serving
    if configured:
        metrics["configurations"], metrics["chosen"] = configured, chosen
    metrics["checks"] = {
        kind: [check.to_json() for check in found] for kind, found in checks.items()
    }
    judged_by = by_kind[serving]
    metrics["reliability"] = scores.reliability(judged_by.correct, judged_by.p_correct)
    called = f"{serving} ({chosen[serving]})" if serving in chosen else serving
    reason, outcome = _plainly(by_kind[serving], called, judged), "live"
    fit_to_serve = serving in eligible
    if not fit_to_serve:
        outcome = "kept_out"
        reason = f"No model passed every check; the {serving} model: {failed[serving][0].detail}."
    elif live is not None:
        against = judge(Serving(live), responses, judged)
        metrics["live"] = against.summary()
        outcome, reason = _compare(by_kind[serving], against, called, who)
    left_out = [f"{kind}: {found[0].detail}" for kind, found in failed.items() if found]
    if left_out and fit_to_serve:
        reason += f" Left out for failing a check: {'; '.join(left_out)}."
    tell(Progress("done", 1.0))
    engine = None
    if fit_to_serve:
        manifest = manifest_of(fitted, metrics, seed=seed) | {"samples": n, "fitted": n - judged}
        # Networks that lost are kept for experiments; nobody asks them before.
        unfit = NETWORK_KINDS - set(eligible)
        kept = {kind: model for kind, model in models.items() if kind not in unfit}
        engine = Engine(kept, serving, manifest)
    return TrainingReport(engine, outcome, reason, metrics, n, n - judged, judged)


def judged_of(answers: int) -> int:
    """How many of so many answers, the newest, are judged and not fitted."""
    return max(1, min(int(answers * JUDGED_SHARE), MOST_JUDGED))


class Forecasting(Protocol):
    """What can be judged: every model, and an engine through `Serving`."""

    def predict_all(self, responses: Responses) -> Prediction:
        """A forecast of every row from its learner's earlier rows."""


@dataclass(frozen=True)
class Serving:
    """An engine, judged by what it serves: the chain's first finite forecast."""

    engine: Engine

    def predict_all(self, responses: Responses) -> Prediction:
        """As `Engine.predict` after each of the learner's answers."""
        n = len(responses)
        out = np.tile([P_0, LOG_TIME_0, LOG_TIME_SD_0], (n, 1)).T
        waiting = np.ones(n, bool)
        for kind in self.engine.chain:
            if not waiting.any():
                break
            found = self.engine.models[kind].predict_all(responses)
            told = np.stack([found.p_correct, found.log_time_mean, found.log_time_sd])
            sound = waiting & np.isfinite(told).all(axis=0) & (told[2] > 0)
            out[:, sound] = told[:, sound]
            waiting &= ~sound
        return Prediction(*out)


def judge(model: Forecasting, responses: Responses, judged: int) -> Judged:
    """Forecast each of the last rows from that learner's earlier ones, the judged ones included."""
    first = len(responses) - judged
    rows = np.isin(responses.learner, np.unique(responses.learner[first:]))
    found = model.predict_all(responses[rows])
    return Judged(
        responses.correct[first:],
        responses.log_times()[first:],
        found.p_correct[-judged:],
        found.log_time_mean[-judged:],
        found.log_time_sd[-judged:],
    )


def _checks(model: LearnerModel, found: Judged, responses: Responses) -> list[gate.Check]:
    """Finite, calibrated, small, and in a network: monotone."""
    finite = gate.Check(
        "finite", found.finite, "every forecast is a number" if found.finite else
        "forecasts that are no numbers",
    )  # fmt: skip
    if not found.finite:
        return [finite]
    checks = [finite, gate.calibrated(found.correct, found.p_correct), gate.sized(model)]
    # The others move the right way by construction, which tests show.
    return [*checks, gate.monotone(model, responses)] if model.kind in NETWORK_KINDS else checks


def _serving(by_kind: dict[str, Judged], who: NDArray[np.str_]) -> str:
    """The simplest kind that no more complex one beats beyond noise; the prior if there is none."""
    sound = [kind for kind in KINDS if kind in by_kind]
    best = sound[0] if sound else KINDS[0]
    for kind in sound[1:]:
        challenger = by_kind[kind]
        if challenger.finite and _beats(challenger, by_kind[best], who):
            best = kind
    return best


def _beats(challenger: Judged, best: Judged, who: NDArray[np.str_]) -> bool:
    """Whether it is better, beyond noise where that can be told."""
    mean, error = _paired(challenger.joint - best.joint, who)
    return mean < 0 and (not math.isfinite(error) or mean < -MARGIN_SE * error)


def _compare(new: Judged, live: Judged, kind: str, who: NDArray[np.str_]) -> tuple[str, str]:
    """Not worse beyond noise in either respect, and better in one."""
    right = _paired(new.right - live.right, who)
    timed = np.isfinite(new.time) & np.isfinite(live.time)
    time = _paired((new.time - live.time)[timed], who[timed]) if timed.any() else (0.0, math.inf)
    told = (
        f"on {len(who)} later answers its log loss is {new.right.mean():.3f} against "
        f"{live.right.mean():.3f}"
    )
    if timed.any():
        told += (
            f" and its time loss {new.time[timed].mean():.3f} against {live.time[timed].mean():.3f}"
        )
    worse = [mean > error for mean, error in (right, time) if math.isfinite(error)]
    if any(worse):
        return "kept_out", f"The live model is better: {told}."
    if right[0] >= 0 and time[0] >= 0 and math.isfinite(right[1]):
        return "kept_out", f"The live model is as good: {told}."
    return "live", f"The new {kind} model is no worse: {told}."


def _plainly(found: Judged, kind: str, judged: int) -> str:
    return (
        f"The first model: {kind}, with a log loss of {found.right.mean():.3f} "
        f"on {judged} later answer{'s' if judged != 1 else ''}."
    )


def _paired(difference: Array, who: NDArray[np.str_]) -> tuple[float, float]:
    """Mean difference and its standard error, clustered by learner.

    Infinite for fewer than ten answers.
    """
    n = len(difference)
    mean = float(difference.mean()) if n else 0.0
    if n < 10:
        return mean, math.inf
    _, index = np.unique(who, return_inverse=True)
    groups = index.max() + 1
    centred = difference - mean
    if groups < 5:  # too few people to go by people: answers are all there is
        return mean, float(centred.std(ddof=1) / math.sqrt(n))
    sums = np.bincount(index, centred)
    return mean, float(math.sqrt((sums**2).sum() * groups / (groups - 1)) / n)
