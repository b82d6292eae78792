"""Published models as rows: the way back, and whose bytes are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from studysmart.store import Store, Tx, jobs, models
from studysmart.store.tables import experiment
from tests.builders import add_version, new_store

pytestmark = pytest.mark.both_databases


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty database."""
    return new_store(tmp_path)


def kept(tx: Tx) -> set[int]:
    """Versions that have their bytes."""
    return {row.version for row in models.newest(tx) if row.has_data}


def test_the_way_back_follows_what_was_live_and_not_the_numbers(store: Store):
    """A promoted old version is the newest station of it, and one that was left is none."""
    with store.write() as tx:
        first, second, third = (add_version(tx, b"m") for _ in range(3))
        never = add_version(tx, b"m", status="challenger")
        assert [second, first] == models.earlier(tx)
        models.promote(tx, first)
        assert [third, second] == models.earlier(tx)
        models.go_back(tx, third)
        assert third == models.live_version(tx)
        assert [second] == models.earlier(tx)
        models.promote(tx, never)
        assert [third, second] == models.earlier(tx)


def test_the_bytes_of_what_is_used_are_kept(store: Store):
    """The live and the pinned version, those of running experiments, the newest challengers."""
    with store.write() as tx:
        pinned, tried, old, *_ = (add_version(tx, b"m") for _ in range(8))
        live = add_version(tx, b"m")
        challengers = [add_version(tx, b"m", status="challenger") for _ in range(5)]
        brought = add_version(tx, b"m", status="challenger", source="imported")
        more = [add_version(tx, b"m", status="challenger") for _ in range(4)]
        jobs.change(tx, pinned_version=pinned)
        arms = [{"name": "a", "kind": "lnirt", "version": tried}, {"name": "b", "version": None}]
        plan = {"name": "x", "arms": arms, "metric": "joint", "plan": {}, "salt": "s",
                "started_at": 1.0}  # fmt: skip
        tx.execute(experiment.insert().values(**plan))
        models.forget_bytes(tx, keep=2, sound=lambda _: True)
        assert {pinned, tried, live - 2, live - 1, live, brought, *more[1:]} == kept(tx)
        assert old not in kept(tx)
        assert challengers[0] not in kept(tx)
        assert "retired" == models.get(tx, old).status  # type: ignore[union-attr]


def test_damaged_versions_never_push_the_sound_ones_out(store: Store):
    """However many came after it, the last sound version keeps its bytes; and it is bounded."""
    with store.write() as tx:
        sound = [add_version(tx, b"sound") for _ in range(4)]
        for _ in range(30):
            add_version(tx, b"damaged")
            models.forget_bytes(tx, keep=3, sound=lambda row: row.data == b"sound")
        assert set(sound[1:]) <= kept(tx)
        assert 3 + 3 + 1 == len(kept(tx))
