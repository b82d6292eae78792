"""Forecast quality and metrics over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tests.integration.test_api import register

pytestmark = pytest.mark.both_databases


def answer(api: TestClient, *, right: bool = True) -> None:
    """Draw a task and mark it."""
    task = api.post("/api/practice-tasks", json={"topic": "Waves"}).json()
    body = {"is_correct": right, "actual_time_seconds": 20}
    assert 200 == api.patch(f"/api/practice-tasks/{task['id']}", json=body).status_code


def test_forecasts_are_scored_as_answers_arrive(api: TestClient):
    """After three answers three forecasts are scored, in every grouping."""
    for n in range(3):
        answer(api, right=n > 0)
    found = api.get("/api/quality?days=1").json()
    assert (3, 3) == (found["overall"]["n"], found["overall"]["times"])
    assert ["Waves"] == [group["name"] for group in found["by_topic"]]
    assert found["overall"]["log_loss"] > 0
    assert [] == found["warnings"]


@pytest.mark.parametrize("days", ["0", "-1", "nan", "many", "1e9"])
def test_an_impossible_window_is_refused(api: TestClient, days: str):
    """The field is named."""
    reply = api.get(f"/api/quality?days={days}")
    assert (422, "invalid_request") == (reply.status_code, reply.json()["code"])


def test_the_metrics_are_what_a_monitor_reads(api: TestClient):
    """The text parses, and its counts move with what happens."""

    def read() -> dict[str, float]:
        reply = api.get("/metrics")
        assert 200 == reply.status_code
        return {
            sample.name + "".join(f",{k}={v}" for k, v in sorted(sample.labels.items())): (
                sample.value
            )
            for family in text_string_to_metric_families(reply.text)
            for sample in family.samples
        }

    before = read()
    answer(api)
    api.request("BREW", "/api/topics")
    after = read()
    assert before["studysmart_completions"] + 1 == after["studysmart_completions"]
    assert 1 == after["studysmart_completions_waiting"]
    assert 1 == after["studysmart_forecasts_scored"]
    assert 0 == after["studysmart_workers"]
    marked = [name for name in after if "PATCH" in name and "_count" in name]
    assert any("/practice-tasks/{task_id}" in name for name in marked), marked
    assert not any("BREW" in name for name in after)


def test_only_operators_see_them(open_client: Callable[..., TestClient]):
    """A learner gets 403, a stranger 401."""
    ada, bob = open_client(), open_client()
    register(ada, "ada@example.org")
    register(bob, "bob@example.org")
    for path in ("/api/quality", "/metrics"):
        assert 200 == ada.get(path).status_code
        assert 403 == bob.get(path).status_code
        assert 401 == open_client().get(path).status_code
