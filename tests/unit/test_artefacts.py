"""Bytes that are believed only after every check."""

from __future__ import annotations

from pathlib import Path

import pytest

from studysmart import artefacts
from studysmart.errors import ArtefactRejected
from studysmart.learning import Engine
from studysmart.store import Row, Store, models
from tests.builders import add_version, new_store, small_engine, write_bytes


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty database."""
    return new_store(tmp_path)


def row(store: Store, version: int) -> Row:
    """A version with its bytes."""
    with store.read() as tx:
        found = models.get(tx, version)
    assert found is not None
    return found


def test_a_sound_version_is_read_and_known_again(store: Store, monkeypatch: pytest.MonkeyPatch):
    """The second look at the same bytes costs a checksum."""
    with store.write() as tx:
        version = add_version(tx, seed=11)
    assert artefacts.sound(row(store, version))
    assert "lnirt" == artefacts.verified(row(store, version)).serving

    def never(_: bytes) -> Engine:
        raise AssertionError

    monkeypatch.setattr(Engine, "from_bytes", never)
    assert artefacts.sound(row(store, version))


def test_a_damaged_version_is_refused_by_its_number(store: Store):
    """Other bytes than were published, no bytes any more, and bytes that are no model."""
    with store.write() as tx:
        changed, gone, other, twin = (
            add_version(tx), add_version(tx), add_version(tx, b"not a model"),
            add_version(tx, b"not a model"),
        )  # fmt: skip
        write_bytes(tx, changed, small_engine(2).to_bytes())
        write_bytes(tx, gone, None)
    for version, told in ((changed, "checksum"), (gone, "not kept"), (other, "damaged"),
                          (twin, "damaged")):  # fmt: skip
        fault = artefacts.fault(row(store, version))
        assert fault is not None
        assert fault.startswith(f"version {version}: ")
        assert told in fault
        with pytest.raises(ArtefactRejected, match=f"version {version}: "):
            artefacts.verified(row(store, version))


def test_only_so_many_verdicts_are_remembered(store: Store, monkeypatch: pytest.MonkeyPatch):
    """A server that runs for years does not grow by them."""
    monkeypatch.setattr(artefacts, "REMEMBERED", 2)
    with store.write() as tx:
        versions = [add_version(tx, bytes([k])) for k in range(5)]
    for version in versions:
        artefacts.fault(row(store, version))
    assert 2 == len(artefacts._verdicts)
