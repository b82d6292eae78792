"""Searches and configurations over HTTP."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from studysmart.store import Store
from tests.integration.test_registry_api import fill

pytestmark = pytest.mark.both_databases

SEARCH = {"budget_s": 60, "most_trials": 5, "reason": "a quiet night"}
MINE = {"name": "mine", "parameters": {"rate": 0.5}, "reason": "small school"}


def test_a_search_is_started_looked_at_and_stopped(api: TestClient, store: Store):
    """Without answers it is refused; there is one at a time."""
    assert api.get("/api/tuning").json() is None
    assert "too_few_answers" == api.post("/api/tuning", json=SEARCH).json()["code"]
    fill(store, answers=200)
    started = api.post("/api/tuning", json=SEARCH)
    assert (201, [], None) == (
        started.status_code, started.json()["trials"], started.json()["ended_at"],
    )  # fmt: skip
    assert "tuning_running" == api.post("/api/tuning", json=SEARCH).json()["code"]
    stopped = api.post("/api/tuning/stop", json={"reason": "seen enough"}).json()
    assert stopped == api.get("/api/tuning").json()
    assert "Stopped: the built-in settings remain, of 0 tried." == stopped["reason"]
    assert 409 == api.post("/api/tuning/stop", json={"reason": "again"}).status_code


def test_configurations_come_and_rest(api: TestClient):
    """Added, deactivated, activated; what cannot be is refused by name."""
    (added,) = api.post("/api/configurations", json=MINE).json()
    assert (0.5, 0.2, "made", True) == (
        added["parameters"]["rate"], added["parameters"]["dropped"], added["source"],
        added["active"],
    )  # fmt: skip
    for act, active in (("deactivate", False), ("activate", True)):
        (found,) = api.post(f"/api/configurations/mine/{act}", json={"reason": "why not"}).json()
        assert active == found["active"]
    assert [found] == api.get("/api/configurations").json()
    reply = api.post("/api/configurations", json=MINE | {"name": "x", "parameters": {"rate": 99}})
    assert (422, "bad_input") == (reply.status_code, reply.json()["code"])
    reply = api.post("/api/configurations/none/activate", json={"reason": "why not"})
    assert 404 == reply.status_code
