"""`studysmart training`: what the training page does, at the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from studysmart import training
from studysmart.cli import app
from studysmart.errors import BadInput, Conflict, NotFound
from studysmart.store import Store, audit, jobs
from tests.builders import new_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """The database of a data folder."""
    return new_store(tmp_path)


def run(folder: Path, *arguments: str) -> str:
    """What the command tells."""
    done = CliRunner().invoke(app, ["training", *arguments, "--data-dir", str(folder)])
    if done.exception:
        raise done.exception
    return done.output


def test_pausing_and_resuming_are_done_and_audited(tmp_path: Path, store: Store):
    """With the reason that was given."""
    assert "paused" in run(tmp_path, "pause", "--reason", "the exam week")
    with store.read() as tx:
        assert jobs.job(tx).paused_at is not None
    assert "0 of 5 answers" in run(tmp_path, "resume", "--reason", "it is over")
    with store.read() as tx:
        assert jobs.job(tx).paused_at is None
        acts = [(act.action, act.actor, act.reason) for act in audit.newest(tx, limit=9)]
    assert [
        ("resume", "command line", "it is over"),
        ("pause", "command line", "the exam week"),
    ] == acts


def test_a_training_can_be_asked_for_and_cancelled(tmp_path: Path, store: Store):
    """Whoever asks while no worker beats hears so; without a run there is nothing to cancel."""
    with pytest.raises(Conflict, match="no training is running"):
        run(tmp_path, "cancel", "--reason", "too long")
    assert "no worker beats" in run(tmp_path, "run", "--reason", "new answers")
    with store.write() as tx:
        assert training.claim_if_due(tx, owner="w", threshold=5, now=1.0) is not None
    assert "ends it" in run(tmp_path, "cancel", "--reason", "too long")
    with store.read() as tx:
        assert jobs.job(tx).cancel_asked_at is not None


def test_runs_are_listed_with_their_end_and_why(tmp_path: Path, store: Store):
    """The newest first; one under way has no end."""
    assert "no training yet" in run(tmp_path, "runs")
    with store.write() as tx:
        training.ask(tx, actor="a", reason="b", now=1.0)
        claim = training.claim_if_due(tx, owner="w", threshold=5, now=1.0)
        assert claim is not None
        training.end_failed(tx, claim, reason="out of memory", now=2.5, retry_in_s=0.0)
        training.claim_if_due(tx, owner="w", threshold=5, now=3.0)
    told = run(tmp_path, "runs")
    assert "1.5" in told
    assert "failed" in told
    assert "out of memory" in told
    shown: list[dict[str, Any]] = json.loads(run(tmp_path, "runs", "--json", "--limit", "1"))
    assert [("asked", None)] == [(one["trigger"], one["outcome"]) for one in shown]


@pytest.mark.parametrize("verb", ["run", "cancel", "pause", "resume"])
def test_nothing_is_done_without_a_reason_or_a_database(tmp_path: Path, verb: str):
    """Blanks are no reason; a wrong folder is named instead of being made."""
    with pytest.raises(BadInput, match="say why"):
        run(tmp_path, verb, "--reason", "  ")
    with pytest.raises(NotFound, match="no database"):
        run(tmp_path / "elsewhere", verb, "--reason", "x")
    assert not (tmp_path / "elsewhere").exists()
