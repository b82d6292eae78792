"""`studysmart experiments`: start, look, stop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from studysmart.cli import app
from studysmart.errors import BadInput, Conflict, NotFound
from studysmart.store import Store, audit
from tests.builders import add_version, new_store

START = ("start", "first", "--arm", "prior", "--arm", "lnirt@1", "--reason", "to know")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A database with a live version."""
    store = new_store(tmp_path)
    with store.write() as tx:
        add_version(tx)
    return store


def run(folder: Path, *words: str) -> str:
    """What the command prints."""
    found = CliRunner().invoke(app, ["experiments", *words, "--data-dir", str(folder)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    assert 0 == found.exit_code, found.output
    return found.stdout


def test_an_experiment_is_started_looked_at_and_stopped(store: Store, tmp_path: Path):
    """Each step says what came of it; the plan is shown as it was fixed."""
    assert "no experiment yet" in run(tmp_path, "list")
    assert "'first' is under way" in run(tmp_path, *START, "--at-least", "60")
    shown = run(tmp_path, "show", "first")
    assert "50 answers are needed to say anything" in shown
    assert "Decided by joint, from 60 answers on" in shown
    assert "Under way." in shown
    assert "50 answers are needed" in run(tmp_path, "stop", "first", "--reason", "enough")
    assert "by command line." in run(tmp_path, "show", "first")
    assert "prior / lnirt@1" in run(tmp_path, "list")
    with store.read() as tx:
        assert [("stop", "enough"), ("start", "to know")] == [
            (act.action, act.reason) for act in audit.newest(tx, limit=9)
        ]


def test_programs_get_json(store: Store, tmp_path: Path):
    """Times in ISO 8601."""
    del store
    found = json.loads(run(tmp_path, *START, "--json"))
    assert {"name": "lnirt@1", "kind": "lnirt", "version": 1} == found["arms"][1]
    (one,) = json.loads(run(tmp_path, "list", "--json"))
    assert one["started_at"] == found["started_at"]
    assert "T" in one["started_at"]
    assert json.loads(run(tmp_path, "show", "first", "--json"))["waiting"] is None
    assert "command line" == json.loads(
        run(tmp_path, "stop", "first", "--reason", "enough", "--json")
    )["stopped_by"]  # fmt: skip


def test_what_cannot_be_is_refused(store: Store, tmp_path: Path):
    """With what was expected."""
    del store
    with pytest.raises(BadInput, match=r"expected KIND or KIND@VERSION"):
        run(tmp_path, "start", "x", "--arm", "prior", "--arm", "lnirt@two", "--reason", "r")
    with pytest.raises(Conflict, match="no sequence model"):
        run(tmp_path, "start", "x", "--arm", "prior", "--arm", "sequence", "--reason", "r")
    with pytest.raises(NotFound, match="no experiment 'x'"):
        run(tmp_path, "show", "x")
