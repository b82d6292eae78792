"""What an operator asks at the terminal: doctor, quality, monitor."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from studysmart import practice, training
from studysmart.cli import app, doctor, monitor
from studysmart.forecasting import Forecaster
from studysmart.settings import Settings
from studysmart.store import Store, jobs
from tests.builders import add_learner, add_version, new_store, write_bytes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a server's traces: a live model, answered tasks, a worker that beats."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    store = new_store(data)
    now = time.time()
    with store.write() as tx:
        learner, model = add_learner(tx), Forecaster()
        add_version(tx)
        jobs.beat(tx, "w", pid=1, now=now)
        for k in range(6):
            task = practice.draw(
                tx, learner, model, subject=None, topic="Waves", difficulty=None, seed=None,
                own=None, now=now - 100,
            )  # fmt: skip
            practice.mark(
                tx, learner, task, model,
                is_correct=k > 2, response_time_s=10.0 + k, now=now - 90,
            )  # fmt: skip
    return data


def run(folder: Path, *arguments: str) -> Any:
    """The command line."""
    return CliRunner().invoke(app, [*arguments, "--data-dir", str(folder)])


def findings(folder: Path) -> dict[str, doctor.Finding]:
    """What the doctor found, by name."""
    return {one.name: one for one in doctor.examine(Settings(data_dir=folder))}


def test_a_sound_installation_passes(folder: Path):
    """Everything that applies passes, but for the page where it is not built."""
    found = findings(folder)
    failed = {name for name, one in found.items() if one.ok is False} - {"page"}
    assert set() == failed, [found[name] for name in failed]
    assert {"integrity", "schema", "model", "worker", "forecasts"} <= set(found)


def test_the_doctor_says_pass_or_fail_and_what_to_do(folder: Path):
    """Text for people, JSON for programs, exit code 5 when something fails."""
    (folder / "model.pickle").write_bytes(b"")
    told = run(folder, "doctor")
    assert 5 == told.exit_code
    assert "FAIL  files" in told.output
    assert "do: move them elsewhere" in told.output
    shown = json.loads(run(folder, "doctor", "--json").output)
    assert {"name", "ok", "detail", "remedy"} == set(shown[0])


def damage(folder: Path, how: Callable[[Any], None]) -> None:
    """Change something in the database."""
    store = Store(folder / "studysmart.sqlite3")
    with store.write() as tx:
        how(tx)
    store.close()


def _ended_and_paused(tx: Any) -> None:
    training.ask(tx, actor="a", reason="b", now=1.0)
    claim = training.claim_if_due(tx, owner="w", threshold=5, now=1.0)
    assert claim is not None
    training.end_failed(tx, claim, reason="out of memory", now=2.0)
    training.pause(tx, actor="a", reason="b", now=3.0)


FAULTS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "a folder that others may read": ("folder", lambda f: f.chmod(0o755)),
    "a second database": ("files", lambda f: (f / "old.sqlite3").touch()),
    "no worker": ("worker", lambda f: damage(f, lambda tx: jobs.forget_worker(
        tx, "w", silent_since=0))),
    "a worker from the future": ("clock", lambda f: damage(f, lambda tx: jobs.beat(
        tx, "x", pid=2, now=time.time() + 7_200))),
    "a damaged model": ("model", lambda f: damage(f, lambda tx: write_bytes(tx, 1, b"x" * 99))),
    "a pause": ("training", lambda f: damage(f, _ended_and_paused)),
    "another schema": ("schema", lambda f: damage(f, lambda tx: tx.exec_driver_sql(
        "UPDATE alembic_version SET version_num = '0001'"))),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_planted_fault_is_named(folder: Path, fault: str):
    """The criterion fails, says what is wrong and what to do."""
    name, plant = FAULTS[fault]
    assert findings(folder)[name].ok is not False
    plant(folder)
    found = findings(folder)[name]
    assert found.ok is False, found
    assert found.detail
    assert found.remedy


def test_an_empty_folder_is_said_to_be_one(tmp_path: Path):
    """No database is no accident."""
    found = findings(tmp_path)
    assert found["database"].ok is False
    assert "no database" in found["database"].detail
    for verb in ("monitor", "status", "quality"):
        told = run(tmp_path, verb)
        assert told.exit_code != 0
        assert "no database" in str(told.exception)
    assert [] == list(tmp_path.iterdir()), "looking makes nothing"


def test_quality_is_shown_with_its_n(folder: Path):
    """By model, version, topic and how long the learner is known."""
    told = run(folder, "quality")
    assert 0 == told.exit_code, told.output
    assert "Nothing unexpected." in told.output
    assert "by topic\nWaves " in told.output
    found = json.loads(run(folder, "quality", "--json").output)
    assert 6 == found["overall"]["n"]


def test_the_monitor_shows_one_look(folder: Path):
    """Counter, live model with its scores, the run under way with its curve, past runs."""
    told = run(folder, "monitor", "--once").output
    assert "6 answers until" not in told
    assert "6 of 5 answers until the next training" in told
    assert "Version 1 (lnirt)" in told
    store = Store(folder / "studysmart.sqlite3")
    with store.write() as tx:
        training.ask(tx, actor="a", reason="b", now=1.0)
        claim = training.claim_if_due(tx, owner="w", threshold=5, now=time.time())
        assert claim is not None
        curve = [[1, 0.7], [2, 0.6], [3, 0.5]]
        news = {"phase": "sequence", "fraction": 0.5, "epoch": 3, "loss": 0.5, "curve": curve}
        training.renew(tx, claim, progress=news)
    store.close()
    told = run(folder, "monitor", "--once").output
    assert "sequence, epoch 3, loss 0.5000" in told
    assert "█▅▁" in told


def test_a_sparkline_has_at_most_sixty_blocks():
    """Long curves are thinned, flat ones are flat."""
    assert "▁▁▁" == monitor.sparkline([0.5, 0.5, 0.5])
    assert 60 >= len(monitor.sparkline([float(k) for k in range(1_000)]))
