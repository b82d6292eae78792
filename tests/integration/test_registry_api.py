"""The registry over HTTP: who may, what happens, and bytes that must never serve."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save
from starlette.testclient import TestClient

from studysmart import learning
from studysmart.settings import Settings
from studysmart.store import Store, attempts, learners, models
from studysmart.web import live as live_module
from studysmart.web import registry_api
from studysmart.web.live import Live
from tests.builders import add_answer, add_version, small_engine, write_bytes
from tests.integration.test_api import register
from tests.integration.test_live import soon, version

Client = Callable[..., TestClient]
WHY = {"reason": "the other one is better"}
BINARY = {"content-type": "application/octet-stream"}


def fill(store: Store, answers: int = 120) -> None:
    """Answers of the local learner."""
    table = learning.simulate(learners=1, answers=answers, seed=4)
    with store.write() as tx:
        local = learners.local(tx)
        assert local is not None
        for _, one in table:
            add_answer(
                tx, local.id, topic=one.item.topic, skill=one.item.skill, item=one.item.item,
                difficulty=one.item.difficulty, is_correct=one.correct,
                response_time_s=one.response_time_s,
            )  # fmt: skip


@pytest.mark.both_databases
def test_an_operator_decides_which_version_serves(api: TestClient, store: Store):
    """Promote, roll back, pin, unpin: each is live within a second, and each is in the audit."""
    with store.write() as tx:
        first, second = add_version(tx), add_version(tx, seed=2)
        third = add_version(tx, seed=3, status="challenger")
    assert soon(lambda: version(api) == second)
    listed = api.get("/api/models").json()
    assert [third, second, first] == [one["version"] for one in listed]
    assert ["challenger", "live", "retired"] == [one["status"] for one in listed]
    assert [None] * 3 == [one["fault"] for one in listed]

    def act(path: str, *, live: int, pinned: int | None = None) -> None:
        reply = api.post(f"/api/models/{path}", json=WHY)
        assert 200 == reply.status_code, reply.text
        assert (live, pinned) == (reply.json()["live_version"], reply.json()["pinned_version"])
        assert soon(lambda: version(api) == live)

    act(f"{third}/promote", live=third)
    act("rollback", live=second)
    act(f"{first}/pin", live=first, pinned=first)
    assert [False, False, True] == [one["pinned"] for one in api.get("/api/models").json()]
    assert first == api.get("/api/training").json()["pinned_version"]
    assert 409 == api.post("/api/models/rollback", json=WHY).status_code
    act("unpin", live=first)
    assert 409 == api.post("/api/models/unpin", json=WHY).status_code
    acts = api.get("/api/audit").json()
    assert ["unpin", "pin", "rollback", "promote"] == [act["action"] for act in acts]
    assert {("local", WHY["reason"])} == {(act["actor"], act["reason"]) for act in acts}
    assert f"version {second}" == acts[2]["subject"]
    assert 1 == len(api.get("/api/audit", params={"limit": 1}).json())


@pytest.mark.both_databases
def test_a_version_is_shown_in_full(api: TestClient, store: Store):
    """With its manifest; one that is not there is not found, and an odd number no error."""
    with store.write() as tx:
        known = add_version(tx)
    found = api.get(f"/api/models/{known}").json()
    assert small_engine().manifest == found["manifest"]
    assert found["run"] is None
    assert 64 == len(found["sha256"])
    for odd, status in ((99, 404), (0, 422), (2**31, 422), ("x", 422)):
        assert status == api.get(f"/api/models/{odd}").status_code
        assert status == api.get(f"/api/models/{odd}/export").status_code
        assert status == api.post(f"/api/models/{odd}/promote", json=WHY).status_code


@pytest.mark.both_databases
def test_a_model_moves_from_one_installation_to_another(api: TestClient):
    """Exported and imported bytes are the same ones, a challenger at first; known again."""
    data = small_engine(5).to_bytes()
    into = {"params": {"reason": "from the other school"}, "content": data, "headers": BINARY}
    reply = api.post("/api/models/import", **into)  # type: ignore[arg-type]
    assert 200 == reply.status_code, reply.text
    taken = reply.json()["version"]
    assert reply.json()["new"]
    assert version(api) is None
    exported = api.get(f"/api/models/{taken}/export")
    assert (200, data) == (exported.status_code, exported.content)
    assert "application/octet-stream" == exported.headers["content-type"]
    assert f"studysmart-model-{taken}.bin" in exported.headers["content-disposition"]
    again = api.post("/api/models/import", **into)  # type: ignore[arg-type]
    assert {"version": taken, "new": False} == again.json()
    assert 200 == api.post(f"/api/models/{taken}/promote", json=WHY).status_code
    assert soon(lambda: version(api) == taken)


@pytest.mark.both_databases
def test_an_import_that_cannot_be_is_refused_and_leaves_nothing(api: TestClient, store: Store):
    """Damaged, of another type, without a reason, too large: said, and nothing is stored."""
    data = small_engine().to_bytes()
    why = {"reason": "x"}

    def sent(content: bytes, params: dict[str, str], headers: dict[str, str]) -> tuple[int, str]:
        reply = api.post("/api/models/import", content=content, params=params, headers=headers)
        return reply.status_code, reply.json()["code"]

    assert (422, "artefact_rejected") == sent(data[:-1], why, BINARY)
    assert (422, "artefact_rejected") == sent(b"", why, BINARY)
    assert (422, "invalid_request") == sent(data, {}, BINARY)
    assert (422, "no_reason") == sent(data, {"reason": "  "}, BINARY)
    assert (415, "wrong_type") == sent(data, why, {"content-type": "application/json"})
    assert (415, "wrong_type") == sent(data, why, {"content-type": "text/plain"})
    large = BINARY | {"content-length": str(101 * 2**20)}
    assert (413, "body_too_large") == sent(b"", why, large)
    with store.read() as tx:
        assert [] == models.newest(tx)
    assert [] == api.get("/api/audit").json()


@pytest.mark.both_databases
def test_two_versions_are_compared_on_the_newest_answers(api: TestClient, store: Store):
    """At most 500 here, beside the prior; and never two comparisons at once."""
    fill(store)
    with store.write() as tx:
        one, two = add_version(tx), add_version(tx, seed=2)
    ask = {"a": one, "b": two}
    found = api.get("/api/models/compare", params=ask).json()
    assert (one, two) == (found["a"]["version"], found["b"]["version"])
    assert found["prior"]["samples"] + found["answers"] == 120
    assert {"log_loss", "time_loss", "joint"} == set(found["differences"])
    assert found["sentence"].endswith(".")
    assert 422 == api.get("/api/models/compare", params=ask | {"answers": 501}).status_code
    assert 422 == api.get("/api/models/compare", params={"a": one, "b": one}).status_code
    assert 404 == api.get("/api/models/compare", params={"a": one, "b": 77}).status_code
    with registry_api._comparing:
        busy = api.get("/api/models/compare", params=ask)
    assert (429, "2") == (busy.status_code, busy.headers["retry-after"])


@pytest.mark.both_databases
def test_only_operators_touch_the_registry(open_client: Client, store: Store):
    """A learner is refused by every route of it, and what they sent changes nothing."""
    operator, learner = open_client(), open_client()
    register(operator, "head@example.org")
    register(learner, "ada@example.org")
    with store.write() as tx:
        first, _ = add_version(tx), add_version(tx, seed=2)
    stranger = open_client()
    for client, status in ((learner, 403), (stranger, 401)):
        for path in ("models", f"models/{first}", f"models/{first}/export", "audit",
                     "models/compare?a=1&b=2"):  # fmt: skip
            assert status == client.get(f"/api/{path}").status_code, path
        for path in (f"{first}/promote", "rollback", f"{first}/pin", "unpin"):
            assert status == client.post(f"/api/models/{path}", json=WHY).status_code, path
        sent = client.post(
            "/api/models/import", params=WHY, content=small_engine(3).to_bytes(), headers=BINARY
        )
        assert status == sent.status_code
    assert [] == operator.get("/api/audit").json()
    assert 200 == operator.post(f"/api/models/{first}/promote", json=WHY).status_code
    assert "head@example.org" == operator.get("/api/audit").json()[0]["actor"]


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " \0 "}, {"reason": "x" * 1_001}])
def test_every_change_wants_a_reason(api: TestClient, store: Store, body: dict[str, str]):
    """None, an empty one, one without end."""
    with store.write() as tx:
        first, live = add_version(tx), add_version(tx, seed=2)
    for path in (f"{first}/promote", "rollback", f"{first}/pin", "unpin"):
        assert 422 == api.post(f"/api/models/{path}", json=body).status_code
    with store.read() as tx:
        assert live == models.live_version(tx)


# -- bytes that must never serve (M2) --


@cache
def whole() -> bytes:
    """A real small model."""
    return small_engine(2).to_bytes()


def signed(body: bytes) -> bytes:
    """Bytes whose own checksum fits."""
    return hashlib.sha256(body).digest() + body


def edited(change: Callable[[dict[str, Any]], Any]) -> bytes:
    """The model with its header changed."""
    body = whole()[32:]
    length = int.from_bytes(body[:8], "little")
    outer = json.loads(body[8 : 8 + length])
    header = json.loads(outer["__metadata__"]["studysmart"])
    change(header)
    outer["__metadata__"]["studysmart"] = json.dumps(header)
    text = json.dumps(outer).encode()
    text += b" " * (-len(text) % 8)
    return signed(struct.pack("<Q", len(text)) + text + body[8 + length :])


def with_tensor(name: str, change: Callable[[Any], Any]) -> bytes:
    """The model with one of its tensors changed."""
    body = whole()[32:]
    outer = json.loads(body[8 : 8 + int.from_bytes(body[:8], "little")])
    tensors = load(body)
    tensors[name] = np.ascontiguousarray(change(tensors[name]))
    return signed(save(tensors, metadata=outer["__metadata__"]))


def damages() -> Iterator[tuple[str, bytes]]:
    """Row M2 of the reliability targets: each way to be broken, with a name."""
    data, rng = whole(), random.Random(0)
    for k in range(100):
        yield f"cut at {k} %", data[: len(data) * k // 100]
    for k in range(2_000):
        bit = rng.randrange(8 * len(data))
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        yield f"flip {k}", bytes(flipped)
    for field, value in (
        ("manifest", {}), ("manifest", None), ("serving", "magic"), ("serving", None),
        ("models", {}), ("models", []), ("models", {"magic": {}}),
    ):  # fmt: skip
        yield f"header {field}={value}", edited(lambda h, f=field, v=value: h.update({f: v}))
    for schema in (1, 3, "2", None):
        yield f"version {schema}", edited(lambda h, v=schema: h["manifest"].update(schema=v))
    for name in ("prior.counts", "lnirt.items"):
        for odd in (np.nan, np.inf, -np.inf, 1e300):
            yield f"{name} {odd}", with_tensor(name, lambda t, v=odd: np.where(t == t[0], v, t))
        yield f"{name} shape", with_tensor(name, lambda t: t[:-1])
        yield f"{name} columns", with_tensor(name, lambda t: t[:, :-1])
        yield f"{name} flat", with_tensor(name, lambda t: t.ravel())
        for dtype in (np.int64, np.float16, np.uint8, bool):
            yield f"{name} {dtype}", with_tensor(name, lambda t, d=dtype: t.astype(d))
    yield "empty", b""
    yield "zeros", bytes(1_000)
    yield "large", signed(struct.pack("<Q", 101 * 2**20) + b"{" + bytes(101 * 2**20))


@pytest.mark.timeout(240)
@pytest.mark.parametrize("published", ["as it is", "as it was"])
def test_damaged_bytes_never_serve_and_never_cost_an_answer(
    api: TestClient, store: Store, tmp_path: Path, published: str
):
    """Each damage in the live row is refused with a reason; forecasts and tasks go on.

    A process that serves the live version keeps it; one that starts afterwards serves the version
    before. "as it is": the row's checksum is that of the damaged bytes, so that only what is in
    them can tell; of those that differ from the row's checksum every tenth is tried.
    """
    with store.write() as tx:
        before, damaged = add_version(tx), add_version(tx, whole(), seed=2)
    settings = Settings(data_dir=tmp_path)
    own: Live = api.app.state.live  # type: ignore[attr-defined]
    own.stop()  # nobody but this test looks
    warm = Live(store, settings)
    warm.look()
    assert damaged == warm.forecaster.version
    chosen = list(damages())[:: 1 if published == "as it is" else 10]
    for k, (name, data) in enumerate(chosen):
        sha256 = hashlib.sha256(data).hexdigest() if published == "as it is" else None
        with store.write() as tx:
            write_bytes(tx, damaged, data, sha256=sha256)
        # Starting a process and sending requests take most of the time: every fifth has them.
        cold = Live(store, settings)
        for live, serving in ((warm, damaged), (cold, before))[: 2 if k % 5 == 0 else 1]:
            live.look(afresh=True)
            assert live.model_fault is not None, name
            assert live.model_fault.startswith(f"version {damaged}: "), name
            assert live.model_fault.endswith(f"; version {serving} serves"), name
            assert serving == live.forecaster.version, name
            if k % 5 == 0:
                api.app.state.live = live  # type: ignore[attr-defined]
                assert serving == version(api), name
        if k % 20 == 0:
            api.app.state.live = cold  # type: ignore[attr-defined]
            task = api.post("/api/practice-tasks", json={"topic": "Waves"})
            assert (201, before) == (task.status_code, task.json()["model_version"]), name
            ready = api.get("/api/readyz")
            assert (200, "degraded") == (ready.status_code, ready.json()["status"]), name
            (one,) = [c for c in ready.json()["checks"] if c["name"] == "model"]
            assert one["detail"] == cold.model_fault
            listed = {one["version"]: one["fault"] for one in api.get("/api/models").json()}
            assert listed[before] is None
            assert listed[damaged], name
    with store.write() as tx:
        write_bytes(tx, damaged, whole(), sha256=hashlib.sha256(whole()).hexdigest())
    warm.look(afresh=True)
    assert warm.model_fault is None


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at stored bytes again at once."""
    monkeypatch.setattr(live_module, "DAMAGED_AGAIN_S", 0.05)
    monkeypatch.setattr(live_module, "SOUND_AGAIN_S", 0.05)


def ready(api: TestClient) -> tuple[bool, str]:
    """The model's line of the readiness list."""
    (one,) = [c for c in api.get("/api/readyz").json()["checks"] if c["name"] == "model"]
    return one["ok"], one["detail"]


@pytest.mark.both_databases
@pytest.mark.usefixtures("impatient")
def test_when_every_version_is_damaged_the_prior_serves(api: TestClient, store: Store):
    """With and without answers to fit it on; a repair is picked up without a restart."""
    data = small_engine().to_bytes()
    with store.write() as tx:
        first, second = add_version(tx, b"damaged"), add_version(tx, b"damaged too")
    assert soon(lambda: not ready(api)[0])
    assert ready(api)[1].startswith(f"version {second}: ")
    assert ready(api)[1].endswith("; the prior serves")
    assert version(api) is None
    assert 201 == api.post("/api/practice-tasks", json={"topic": "Waves"}).status_code
    fill(store)
    with store.read() as tx:
        assert 120 == attempts.completions(tx)
    said = api.post("/api/predict", json={"items": [{"topic": "Waves"}]}).json()["forecasts"][0]
    assert ("prior", None) == (said["model"], said["model_version"])
    with store.write() as tx:  # not the live one: that one stays refused
        write_bytes(tx, first, data, sha256=hashlib.sha256(data).hexdigest())
    assert soon(lambda: version(api) == first)
    assert ready(api)[1].endswith(f"; version {first} serves")
    with store.write() as tx:
        write_bytes(tx, second, data, sha256=hashlib.sha256(data).hexdigest())
    assert soon(lambda: ready(api) == (True, f"version {second} serves"))
    assert second == version(api)


@pytest.mark.both_databases
@pytest.mark.usefixtures("impatient")
def test_bytes_that_decay_while_they_serve_are_told(api: TestClient, store: Store):
    """The model in memory goes on; going back to a sound version ends it."""
    with store.write() as tx:
        first, second = add_version(tx), add_version(tx, seed=2)
    assert soon(lambda: version(api) == second)
    with store.write() as tx:
        write_bytes(tx, second, whole()[:-1])
    assert soon(lambda: not ready(api)[0])
    assert second == version(api)
    reply = api.post("/api/models/rollback", json=WHY)
    assert (200, first) == (reply.status_code, reply.json()["live_version"])
    assert soon(lambda: ready(api) == (True, f"version {first} serves"))
    assert 422 == api.post(f"/api/models/{second}/promote", json=WHY).status_code
    taken = api.post("/api/models/import", params=WHY, content=whole(), headers=BINARY)
    assert {"version": second, "new": False} == taken.json()
    assert 200 == api.post(f"/api/models/{second}/promote", json=WHY).status_code
    assert soon(lambda: version(api) == second)
