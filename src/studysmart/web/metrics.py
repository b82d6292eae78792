"""What a monitor reads: Prometheus's text format.

Request times are counted as they happen, in this process; everything else is read from the database
when it is asked for, so that two web processes say the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE

from studysmart import defaults, quality, training
from studysmart.store import jobs, models, size_bytes
from studysmart.web.live import Live

__all__ = ["CONTENT_TYPE", "exposition", "observe"]

QUALITY_DAYS = 7.0
METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

_registry = CollectorRegistry()
_requests = Histogram(
    "studysmart_request_seconds",
    "Time to answer a request, by route and status.",
    ("method", "route", "status"),
    buckets=BUCKETS,
    registry=_registry,
)


def observe(*, method: str, route: str, status: int, seconds: float) -> None:
    """Count one request.

    route: its template, so that ids do not make a series each; nor does a method that somebody
    made up.
    """
    method = method if method in METHODS else "other"
    _requests.labels(method, route, str(status)).observe(seconds)


def exposition(live: Live) -> bytes:
    """All metrics as text."""
    current = CollectorRegistry()
    current.register(_FromDatabase(live))
    return generate_latest(current) + generate_latest(_registry)


class _FromDatabase:
    """A collector, as the library calls it."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def describe(self) -> list[Metric]:
        """Nothing beforehand: the library would collect once more to find out."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read, then tell."""
        now = time.time()
        with self._live.store.read() as tx:
            status = training.status(tx, threshold=self._live.settings.train_every, now=now)
            job = jobs.job(tx)
            workers = jobs.workers(tx, since=now - defaults.WORKER_SILENT_S)
            outcomes = jobs.outcomes(tx)
            versions = models.statuses(tx)
            size = size_bytes(tx)
            found = quality.report(tx, days=QUALITY_DAYS, now=now)
        running = status["running"]
        last = status["last_result"]
        yield _gauge("completions", "Answers that count.", status["total_completed"])
        yield _gauge(
            "completions_waiting",
            "Answers since the last training began.",
            status["completed_since_training"],
        )
        yield _gauge("training_running", "1 while a training runs.", float(running is not None))
        yield _gauge(
            "training_run_seconds",
            "How long the training that runs has been running; 0 when none does.",
            max(0.0, now - running["started_at"]) if running else 0.0,
        )
        yield _gauge("training_paused", "1 while an operator paused it.", float(status["paused"]))
        yield _gauge("training_failures", "Failures in a row.", job.failures)
        if last is not None:
            yield _gauge("training_last_seconds", "What the last run took.", last["seconds"])
            yield _gauge("training_last_ended", "When it ended, Unix seconds.", last["ended_at"])
        yield _gauge("workers", "Workers that beat.", len(workers))
        if workers:
            beat = now - max(row.beat_at for row in workers)
            yield _gauge("worker_beat_age_seconds", "Since a worker beat last.", max(0.0, beat))
        yield _by("training_runs", "Runs that ended.", "outcome", outcomes)
        yield _by("model_versions", "Versions of the model.", "status", versions)
        yield _gauge(
            "model_version", "The version that this process serves; 0 for none.",
            self._live.forecaster.version or 0,
        )  # fmt: skip
        yield _gauge(
            "model_damaged", "1 while the live version's bytes are refused.",
            float(self._live.model_fault is not None),
        )  # fmt: skip
        yield _gauge("database_bytes", "Size of the database.", size)
        overall = found["overall"]
        yield _gauge("forecasts_scored", f"Scored in {QUALITY_DAYS:g} days.", overall["n"])
        for name in ("log_loss", "brier", "ece", "log_time_rmse", "coverage_80"):
            if overall.get(name) is not None:
                yield _gauge(f"forecast_{name}", f"Of {QUALITY_DAYS:g} days.", overall[name])
        yield _by(
            "forecast_fallbacks", "Forecasts that a simpler model gave.", "model",
            found["fallbacks"],
        )  # fmt: skip
        yield _gauge("warnings", "Warnings about the forecasts.", len(found["warnings"]))


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"studysmart_{name}", text, value=float(value))


def _by(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(f"studysmart_{name}", text, labels=(label,))
    for key, value in sorted(values.items()):
        family.add_metric((key,), value)
    return family
