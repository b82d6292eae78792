"""Experiments over HTTP: started, answered in, looked at, stopped."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from studysmart.store import models
from studysmart.web.live import Live
from tests.builders import add_version, small_engine
from tests.integration.test_quality_api import answer

pytestmark = pytest.mark.both_databases

BODY: dict[str, Any] = {
    "name": "prior against lnirt",
    "arms": [{"name": "control", "kind": "prior"}, {"name": "new", "kind": "lnirt"}],
    "plan": {"at_least": 60},
    "reason": "to know",
}
URL = f"/api/experiments/{BODY['name']}"


@pytest.fixture
def live(api: TestClient) -> Live:
    """The process's own state, with a live version."""
    live: Live = api.app.state.live  # type: ignore[attr-defined]
    with live.store.write() as tx:
        add_version(tx)
    live.look()
    return live


def test_answers_given_in_an_experiment_judge_every_arm(api: TestClient, live: Live):
    """From the next look on, until it is stopped."""
    started = api.post("/api/experiments", json=BODY)
    assert (201, 0) == (started.status_code, started.json()["answers"])
    assert 60 == started.json()["plan"]["at_least"]
    live.look()
    for k in range(3):
        answer(api, right=k > 0)
    found = api.get(URL).json()
    assert (3, 1, None) == (found["answers"], found["learners"], found["waiting"])
    assert {0, 3} == {arm["answers"] for arm in found["arms_found"]}
    assert [{"prior": 3}, {"lnirt": 3}] == [arm["by_model"] for arm in found["arms_found"]]
    # Shown on purpose: no fallback, and no worry about the live model.
    quality = api.get("/api/quality?days=1").json()
    assert ({}, []) == (quality["fallbacks"], quality["warnings"])
    stopped = api.post(f"{URL}/stop", json={"reason": "seen enough"}).json()
    assert (3, "local") == (stopped["answers"], stopped["stopped_by"])
    live.look()
    answer(api)
    assert 3 == api.get(URL).json()["answers"]
    (listed,) = api.get("/api/experiments").json()
    assert listed["sentence"] == stopped["sentence"]


def test_an_arm_whose_model_goes_away_puts_nobody_into_the_experiment(api: TestClient, live: Live):
    """It says for what it waits, and goes on when the model is back."""
    api.post("/api/experiments", json=BODY)
    live.look()
    only = type(small_engine())({"prior": small_engine().models["prior"]}, "prior",
                                small_engine().manifest)  # fmt: skip
    with live.store.write() as tx:
        add_version(tx, only.to_bytes(), kind="prior")
    live.look()
    answer(api)
    found = api.get(URL).json()
    assert 0 == found["answers"]
    assert "has no lnirt model" in found["waiting"]
    with live.store.write() as tx:
        models.go_back(tx, 1)
    live.look()
    answer(api)
    assert (1, None) == tuple(api.get(URL).json()[key] for key in ("answers", "waiting"))


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"arms": BODY["arms"][:1]}, 422, "invalid_request"),
        ({"plan": {"alpha": 0.9}}, 422, "bad_input"),
        ({"plan": {"at_most": "many"}}, 422, "invalid_request"),
        ({"metric": "auc"}, 422, "invalid_request"),
        ({"reason": " "}, 422, "no_reason"),
        ({"arms": [BODY["arms"][0], {"name": "n", "kind": "sequence"}]}, 409, "no_such_model"),
        ({"arms": [BODY["arms"][0], {"name": "n", "kind": "lnirt", "version": 9}]}, 404,
         "not_found"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_experiment_is_refused(
    api: TestClient, live: Live, change: dict[str, Any], status: int, code: str
):
    """By status and code; nothing is started."""
    del live
    reply = api.post("/api/experiments", json=BODY | change)
    assert (status, code) == (reply.status_code, reply.json()["code"])
    assert [] == api.get("/api/experiments").json()


def test_an_unknown_experiment_is_missing(api: TestClient):
    """To look at and to stop."""
    assert 404 == api.get("/api/experiments/none").status_code
    assert 404 == api.post("/api/experiments/none/stop", json={"reason": "r"}).status_code
