"""Models that come and go under a running web process, and answers that arrive all at once."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from studysmart import learning
from studysmart.settings import Settings
from studysmart.store import Store, models
from studysmart.web.live import Live

pytestmark = pytest.mark.both_databases


@cache
def bundle() -> learning.Engine:
    """A trained engine."""
    engine = learning.train(learning.simulate(learners=3, answers=60, seed=1)).engine
    assert engine is not None
    return engine


def publish(store: Store, data: bytes, *, sha256: str | None = None) -> int:
    """Make these bytes the live model."""
    with store.write() as tx:
        return models.publish(
            tx,
            kind="lnirt",
            samples=60,
            manifest=bundle().manifest,
            metrics={},
            data=data,
            sha256=sha256 or hashlib.sha256(data).hexdigest(),
            published_at=time.time(),
        )


def version(api: TestClient) -> int | None:
    """Which version forecasts now."""
    reply = api.post("/api/predict", json={"items": [{"topic": "Waves"}]})
    assert 200 == reply.status_code, reply.text
    return reply.json()["forecasts"][0]["model_version"]  # type: ignore[no-any-return]


def soon(what: Callable[[], bool]) -> bool:
    """Whether it becomes true within two seconds."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.02)
    return what()


def test_a_published_model_goes_live_by_itself(api: TestClient, store: Store):
    """No restart, no request that waits for it."""
    assert version(api) is None
    first = publish(store, bundle().to_bytes())
    assert soon(lambda: version(api) == first)
    second = publish(store, bundle().to_bytes())
    assert soon(lambda: version(api) == second)


@pytest.mark.parametrize("damage", ["checksum", "cut", "empty", "other"])
def test_a_damaged_model_never_serves(api: TestClient, store: Store, damage: str):
    """The last good one goes on, readiness is degraded and says why, and nothing fails."""
    whole = bundle().to_bytes()
    good = publish(store, whole)
    assert soon(lambda: version(api) == good)
    data = {"checksum": whole, "cut": whole[:-100], "empty": b"", "other": b"not a model"}[damage]
    publish(store, data, sha256="0" * 64 if damage == "checksum" else None)

    def told() -> bool:
        checks = {check["name"]: check for check in api.get("/api/readyz").json()["checks"]}
        return not checks["model"]["ok"]

    assert soon(told)
    assert good == version(api)
    task = api.post("/api/practice-tasks", json={"topic": "Waves"})
    assert (201, good) == (task.status_code, task.json()["model_version"])


def test_a_retry_storm_stores_one_answer(api: TestClient):
    """The same attempt forty times at once: one row, one receipt; changed bodies are refused."""
    task = api.post("/api/practice-tasks", json={"topic": "Statistics", "seed": 3}).json()
    body = {"id": str(uuid4()), "answer": "1", "response_time_s": 5.0}

    def send(n: int) -> tuple[int, Any]:
        changed = {"response_time_s": 6.0} if n % 10 == 9 else {}
        reply = api.post(f"/api/practice-tasks/{task['id']}/attempts", json=body | changed)
        return reply.status_code, reply.json()

    assert 200 == send(0)[0]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(send, range(40)))
    assert {200: 36, 409: 4} == {
        code: sum(c == code for c, _ in replies) for code in {c for c, _ in replies}
    }
    assert 1 == len({str(reply) for code, reply in replies if code == 200})
    assert 1 == api.get("/api/training").json()["total_completed"]


def test_answers_of_one_learner_from_many_threads_all_count(api: TestClient):
    """Fifty completions at once: fifty in the counter, and the estimate is a replay of all."""

    def complete(n: int) -> int:
        task = api.post("/api/practice-tasks", json={"topic": "Algebra", "seed": n}).json()
        reply = api.patch(
            f"/api/practice-tasks/{task['id']}",
            json={"is_correct": n % 3 > 0, "actual_time_seconds": 20},
        )
        return reply.status_code

    with ThreadPoolExecutor(8) as pool:
        assert {200} == set(pool.map(complete, range(50)))
    assert 50 == api.get("/api/training").json()["total_completed"]
    assert 50 == api.get("/api/insights").json()["answers"]


def test_a_look_that_takes_long_never_brings_an_older_version_back(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Two looks at the same time end with what the later one read."""
    first, second = publish(store, bundle().to_bytes()), publish(store, bundle().to_bytes())
    live = Live(store, Settings(data_dir=tmp_path))
    has_read, go_on = threading.Event(), threading.Event()
    load = live._load

    def slow(found: int | None) -> None:
        if found == second:
            has_read.set()
            assert go_on.wait(10)
        load(found)

    monkeypatch.setattr(live, "_load", slow)
    with ThreadPoolExecutor(2) as pool:
        early = pool.submit(live.look)
        assert has_read.wait(10)
        with store.write() as tx:
            models.go_back(tx, first)
        late = pool.submit(live.look)
        time.sleep(0.2)  # enough for a look that waits for nobody
        go_on.set()
        early.result(10)
        late.result(10)
    assert first == live.forecaster.version
