"""Which model serves: promoted, gone back from, pinned, carried elsewhere, compared."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studysmart import learning, registry, training
from studysmart.errors import ArtefactRejected, BadInput, Conflict, NotFound
from studysmart.learning import Engine, Lnirt, Prior
from studysmart.store import Store, Tx, audit, jobs, models
from tests.builders import (
    add_answer,
    add_learner,
    add_version,
    new_store,
    small_engine,
    write_bytes,
)

pytestmark = pytest.mark.both_databases
BY: dict[str, Any] = {"actor": "ada@example.org", "reason": "a better one", "now": 5.0}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty database."""
    return new_store(tmp_path)


def statuses(tx: Tx) -> list[str]:
    """Of all versions, oldest first."""
    return [row.status for row in reversed(models.newest(tx))]


def test_promoting_makes_a_challenger_live_and_says_who_wanted_it(store: Store):
    """The one that was live is retired in the same transaction."""
    with store.write() as tx:
        first, second = add_version(tx), add_version(tx, status="challenger", seed=2)
        registry.promote(tx, second, **BY)
        assert ["retired", "live"] == statuses(tx)
        act = audit.newest(tx, limit=5)[0]
        assert ("ada@example.org", "promote", f"version {second}", "a better one", first) == (
            act.actor, act.action, act.subject, act.reason, act.details["before"],
        )  # fmt: skip
        with pytest.raises(Conflict, match="live already"):
            registry.promote(tx, second, **BY)
        with pytest.raises(NotFound, match="no version 77"):
            registry.promote(tx, 77, **BY)


@pytest.mark.parametrize("reason", ["", "  \n", "\0", "x" * 1_001])
def test_nothing_changes_without_a_reason(store: Store, reason: str):
    """Every act asks for one, and an empty one is none."""
    with store.write() as tx:
        add_version(tx), add_version(tx)
        candidate = registry.read(small_engine(3).to_bytes())
        given = BY | {"reason": reason}
        acts: list[Callable[[], object]] = [
            lambda: registry.promote(tx, 1, **given),
            lambda: registry.rollback(tx, **given),
            lambda: registry.pin(tx, 1, **given),
            lambda: registry.unpin(tx, **given),
            lambda: registry.take_in(tx, candidate, **given),
        ]
        for act in acts:
            with pytest.raises(BadInput, match="say why"):
                act()
        assert ["retired", "live"] == statuses(tx)
        assert [] == audit.newest(tx, limit=5)


def test_damaged_bytes_never_go_live(store: Store):
    """By promoting, pinning or going back; the reason names the version that goes on."""
    with store.write() as tx:
        first, second, third, live = (add_version(tx, seed=k) for k in range(1, 5))
        write_bytes(tx, second, b"cut")
        write_bytes(tx, third, None)
        for version in (second, third):
            for act in (registry.promote, registry.pin):
                with pytest.raises(ArtefactRejected, match=f"version {live} goes on serving"):
                    act(tx, version, **BY)
            with pytest.raises(ArtefactRejected, match=f"version {version}"):
                registry.exported(tx, version)
        assert first == registry.rollback(tx, **BY)
        assert first == models.live_version(tx)
        assert str(second) in audit.newest(tx, limit=1)[0].details["passed"]


def test_rolling_back_again_goes_back_further(store: Store):
    """Until there is nothing earlier; a later model then has the sound ones behind it."""
    with store.write() as tx:
        first, second, third = (add_version(tx, seed=k) for k in range(1, 4))
        assert second == registry.rollback(tx, **BY)
        assert first == registry.rollback(tx, **BY)
        with pytest.raises(Conflict, match=f"version {first} goes on serving"):
            registry.rollback(tx, **BY)
        add_version(tx, seed=4)
        assert first == registry.rollback(tx, **BY)
        registry.promote(tx, third, **BY)
        assert first == registry.rollback(tx, **BY)
        assert "retired" == models.get(tx, second).status  # type: ignore[union-attr]


def test_with_nothing_live_there_is_nothing_to_go_back_to(store: Store):
    """Nor anything to unpin."""
    with store.write() as tx:
        with pytest.raises(Conflict, match="nothing is live"):
            registry.rollback(tx, **BY)
        with pytest.raises(Conflict, match="no version is pinned"):
            registry.unpin(tx, **BY)


def test_a_pinned_version_serves_whatever_training_brings(store: Store):
    """Its winner waits as a challenger, and nobody promotes past the pin by mistake."""
    with store.write() as tx:
        first, second = add_version(tx), add_version(tx, seed=2)
        registry.pin(tx, first, **BY)
        assert ["live", "retired"] == statuses(tx)
        assert first == jobs.job(tx).pinned_version
        with pytest.raises(Conflict, match="unpin it first"):
            registry.promote(tx, second, **BY)
        with pytest.raises(Conflict, match="unpin it first"):
            registry.rollback(tx, **BY)
        with pytest.raises(Conflict, match="pinned already"):
            registry.pin(tx, first, **BY)
        learner = add_learner(tx)
        for _ in range(5):
            add_answer(tx, learner)
        claim = training.claim_if_due(tx, owner="w", threshold=5, now=9.0)
        assert claim is not None
        engine = small_engine(3)
        result = training.Result("live", "It is better.", "lnirt", engine.manifest, {}, 5)
        assert training.finish(tx, claim, result, engine.to_bytes(), now=10.0) is None
        assert ["live", "retired", "challenger"] == statuses(tx)
        assert "kept_out" == jobs.run(tx, claim.run_id).outcome
        registry.pin(tx, second, **BY)
        assert second == registry.unpin(tx, **BY)
        assert [False] * 3 == [one["pinned"] for one in registry.listed(tx)]
        assert second == models.live_version(tx)


def test_exported_bytes_come_back_as_the_same_version(store: Store, tmp_path: Path):
    """Here they are known, damaged or forgotten ones are restored, elsewhere they are new."""
    with store.write() as tx:
        first, live = add_version(tx), add_version(tx, seed=2)
        data = registry.exported(tx, first)
        assert small_engine().to_bytes() == data
        for stored in (data, None, b"damaged"):
            write_bytes(tx, first, stored)
            assert (first, False) == registry.take_in(tx, registry.read(data), **BY)
            assert data == registry.exported(tx, first)
        assert live == models.live_version(tx)
    elsewhere = new_store(tmp_path / "elsewhere") if store.path is None else _second(tmp_path)
    with elsewhere.write() as tx:
        version, new = registry.take_in(tx, registry.read(data), **BY)
        assert new
        (one,) = registry.listed(tx)
        assert ("challenger", "imported", "lnirt", None) == (
            one["status"], one["source"], one["kind"], one["fault"],
        )  # fmt: skip
        assert models.live_version(tx) is None
        registry.promote(tx, version, **BY)
        assert version == models.live_version(tx)


def _second(tmp_path: Path) -> Store:
    (tmp_path / "elsewhere").mkdir()
    return new_store(tmp_path / "elsewhere")


def with_manifest(**values: Any) -> bytes:
    """The small engine with other facts in its manifest."""
    engine = small_engine()
    return Engine(engine.models, engine.serving, engine.manifest | values).to_bytes()


def deep(levels: int) -> Any:
    """Lists in lists."""
    return [deep(levels - 1)] if levels else 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a model",
        small_engine().to_bytes()[:-1],
        with_manifest(metrics=float("nan")),
        with_manifest(metrics="\ud800"),
        with_manifest(metrics="\0"),
        with_manifest(metrics=deep(50)),
        with_manifest(metrics=deep(400)),
        with_manifest(metrics="x" * 2**19),
        with_manifest(samples=2**40),
    ],
    ids=[
        "empty", "other", "cut", "nan", "half a character", "nul", "deep", "deeper", "long",
        "samples",
    ],
)  # fmt: skip
def test_faulty_bytes_are_refused_before_anything_is_stored(data: bytes):
    """Whatever could not be kept, or not be sent, or not be served."""
    with pytest.raises(ArtefactRejected, match="model bytes"):
        registry.read(data)


def test_a_version_is_shown_with_its_run_and_faults(store: Store):
    """The list marks what must not be served and what is no longer kept."""
    with store.write() as tx:
        learner = add_learner(tx)
        for _ in range(5):
            add_answer(tx, learner)
        claim = training.claim_if_due(tx, owner="w", threshold=5, now=9.0)
        assert claim is not None
        engine = small_engine()
        result = training.Result("live", "The first.", "lnirt", engine.manifest, {}, 5)
        made = training.finish(tx, claim, result, engine.to_bytes(), now=10.0)
        assert made is not None
        add_version(tx, seed=2)
        brought = add_version(tx, seed=3, status="challenger", source="imported")
        write_bytes(tx, made, None)
        write_bytes(tx, brought, b"damaged")
        found = {one["version"]: one for one in registry.listed(tx)}
        assert [brought, made + 1, made] == list(found)
        assert (False, None) == (found[made]["has_data"], found[made]["fault"])
        assert "checksum" in found[brought]["fault"]
        shown = registry.shown(tx, made)
        assert "The first." == shown["run"]["reason"]
        assert engine.manifest == shown["manifest"]
        assert registry.shown(tx, brought)["run"] is None
        with pytest.raises(NotFound):
            registry.shown(tx, 99)


def test_however_many_decide_at_once_exactly_one_version_is_live(store: Store):
    """Six threads promote, roll back, pin and unpin; a watcher never sees none or two live."""
    with store.write() as tx:
        versions = [add_version(tx, seed=1 + k % 2) for k in range(4)]
        versions += [add_version(tx, status="challenger", seed=3)]
    seen: list[tuple[int, bool]] = []
    surprises: list[BaseException] = []
    stop = threading.Event()

    def decide(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(15):
            version, act = rng.choice(versions), rng.randrange(4)
            try:
                with store.write() as tx:
                    if act == 0:
                        registry.promote(tx, version, **BY)
                    elif act == 1:
                        registry.rollback(tx, **BY)
                    elif act == 2:
                        registry.pin(tx, version, **BY)
                    else:
                        registry.unpin(tx, **BY)
            except Conflict:
                pass
            except BaseException as error:  # noqa: BLE001 - told below, in the main thread
                surprises.append(error)

    def watch() -> None:
        while not stop.is_set():
            with store.read() as tx:
                pinned = jobs.job(tx).pinned_version
                seen.append((statuses(tx).count("live"), pinned in (None, models.live_version(tx))))

    threads = [threading.Thread(target=decide, args=(k,)) for k in range(6)]
    watcher = threading.Thread(target=watch)
    for thread in (watcher, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    watcher.join()
    assert [] == surprises
    assert {(1, True)} == set(seen)
    with store.read() as tx:
        assert audit.newest(tx, limit=500)


# -- compare --


def answered(
    store: Store, answers: int, *, learners: int = 12, seed: int = 5
) -> learning.Responses:
    """Store simulated answers of people who differ; returns them as a table."""
    table = learning.simulate(learners=learners, answers=answers, seed=seed)
    with store.write() as tx:
        people = {name: add_learner(tx, name) for name in np.unique(table.learner).tolist()}
        for learner, one in table:
            add_answer(
                tx, people[learner], topic=one.item.topic, skill=one.item.skill,
                difficulty=one.item.difficulty, item=one.item.item, is_correct=one.correct,
                response_time_s=one.response_time_s, answered_at=one.at, received_at=500.0,
            )  # fmt: skip
    return table


def fitted_on(tx: Tx, table: learning.Responses, *, through: int, kind: str = "lnirt") -> int:
    """A version of this kind that was fitted on these answers, the last of which is `through`."""
    prior = Prior.fit(table)
    chain = {"prior": prior} | ({"lnirt": Lnirt.fit(table, prior)} if kind == "lnirt" else {})
    manifest = learning.fit_prior_engine(table).manifest
    engine = Engine(chain, kind, manifest)
    return add_version(
        tx, engine.to_bytes(), kind=kind, manifest=manifest | {"fitted_seq": through}
    )


def test_two_versions_are_judged_on_answers_that_neither_was_fitted_on(store: Store):
    """A model of many answers beats one of almost none, and the interval says so."""
    table = answered(store, 900)
    with store.write() as tx:
        poor = fitted_on(tx, table[:12], through=12, kind="prior")
        good = fitted_on(tx, table[:600], through=600)
        material = registry.gather(tx, poor, good)
        found = registry.compare(material)
        turned = registry.compare(registry.gather(tx, good, poor))
        fewer = registry.gather(tx, poor, good, answers=100)
    assert 300 == found["answers"] == found["unseen"]
    assert (0, 0) == (found["a"]["fitted_on"], found["b"]["fitted_on"])
    assert 600 == found["prior"]["samples"]
    assert found["clustered"]
    joint = found["differences"]["joint"]
    assert joint["low"] < joint["mean"] < joint["high"] < 0
    assert f"Version {good} forecasts better than version {poor}" in found["sentence"]
    assert "neither was fitted on" in found["sentence"]
    back = turned["differences"]["joint"]
    assert pytest.approx((-joint["high"], -joint["low"])) == (back["low"], back["high"])
    assert f"Version {good} forecasts better" in turned["sentence"]
    assert (100, 900) == (fewer.judged, fewer.seq[-1])
    json.dumps(found, allow_nan=False)


def test_two_versions_of_one_model_do_not_differ(store: Store):
    """The difference is nil, and so it is said."""
    table = answered(store, 300)
    with store.write() as tx:
        one, two = (fitted_on(tx, table[:200], through=200) for _ in range(2))
        found = registry.compare(registry.gather(tx, one, two))
    assert 0 == found["differences"]["joint"]["mean"]
    assert "No difference shows" in found["sentence"]


def test_answers_that_a_model_was_fitted_on_are_told(store: Store):
    """Too few came after: the newest half is taken, and who saw how much of it is said."""
    table = answered(store, 300)
    with store.write() as tx:
        early, late = (fitted_on(tx, table[:n], through=n) for n in (100, 280))
        brought = add_version(tx, seed=9, status="challenger", source="imported")
        unknown = add_version(tx, seed=8, published_at=600.0)
        found = registry.compare(registry.gather(tx, early, late))
        assert (150, 20) == (found["answers"], found["unseen"])
        assert (0, 130) == (found["a"]["fitted_on"], found["b"]["fitted_on"])
        assert f"version {late} was fitted on 130 of them, which flatters it" in found["sentence"]
        assert (
            "fitted elsewhere" in registry.compare(registry.gather(tx, early, brought))["sentence"]
        )
        # What was published before it was noted may have seen all that had arrived.
        assert 150 == registry.compare(registry.gather(tx, early, unknown))["b"]["fitted_on"]


def test_what_cannot_be_compared_is_refused(store: Store):
    """A version with itself, one that is not there, a damaged one, without answers."""
    with store.write() as tx:
        one, two, damaged = (add_version(tx, seed=k) for k in (1, 2, 3))
        write_bytes(tx, damaged, b"damaged")
        with pytest.raises(BadInput, match="with itself"):
            registry.gather(tx, one, one)
        with pytest.raises(NotFound):
            registry.gather(tx, one, 99)
        with pytest.raises(ArtefactRejected, match="checksum"):
            registry.gather(tx, one, damaged)
        with pytest.raises(Conflict, match="too few"):
            registry.gather(tx, one, two)
        learner = add_learner(tx)
        for _ in range(4):
            add_answer(tx, learner, response_time_s=None)
        found = registry.compare(registry.gather(tx, one, two))
    assert "too few to tell" in found["sentence"]
    assert {"mean": None, "low": None, "high": None} == found["differences"]["time_loss"]
    json.dumps(found, allow_nan=False)
