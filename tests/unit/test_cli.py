"""The command line: what it imports, what it says, how it ends."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from studysmart import cli, training
from studysmart.cli import overview
from studysmart.store import jobs
from tests.builders import (
    add_answer,
    add_learner,
    add_version,
    new_store,
    small_engine,
    write_bytes,
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    code = (
        "import sys; from studysmart.cli import main\n"
        "try:\n    main()\nfinally:\n"
        "    heavy = {'numpy', 'jax', 'sqlalchemy', 'studysmart.learning'}\n"
        "    print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


def test_status_imports_neither_numpy_nor_jax(tmp_path: Path):
    """Nor the database toolkit: a monitoring script calls it every few seconds."""
    new_store(tmp_path)
    done = run("status", "--data-dir", str(tmp_path))
    assert 3 == done.returncode, done.stderr
    assert done.stderr.strip().endswith("[]")
    assert "0 of 5 until the next training" in done.stdout


def test_status_for_programs_has_the_figures_of_the_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Counter, last training, live model, worker, size; exit code 0 with a worker."""
    store = new_store(tmp_path)
    with store.write() as tx:
        learner = add_learner(tx)
        for _ in range(6):
            add_answer(tx, learner)
        claim = training.claim_if_due(tx, owner="w", threshold=5, now=time.time())
        assert claim is not None
        training.finish(
            tx,
            claim,
            training.Result("live", "better", "lnirt", {"vocabulary": {"items": 1}}, {}, 6),
            b"model",
            now=time.time(),
        )
        add_answer(tx, learner)
        jobs.beat(tx, "w", pid=1, now=time.time())
    monkeypatch.setattr(
        sys, "argv", ["studysmart", "status", "--json", "--data-dir", str(tmp_path)]
    )
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    found = json.loads(capsys.readouterr().out)
    assert (1, 7, 6) == (
        found["completed_since_training"], found["total_completed"], found["samples_last_training"],
    )  # fmt: skip
    assert (1, "lnirt") == (found["live_model"]["version"], found["live_model"]["kind"])
    assert found["worker"]["alive"]
    assert found["database_bytes"] > 0


@pytest.mark.both_databases
def test_status_marks_a_damaged_live_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """By the checksum of its bytes, and by the one that they begin with."""
    store = new_store(tmp_path)
    if store.path is None:
        url = store._engine.url.render_as_string(hide_password=False)
        monkeypatch.setenv("STUDYSMART_DATABASE_URL", url.replace("+psycopg", ""))
    data = small_engine().to_bytes()
    with store.write() as tx:
        version = add_version(tx, data)

    def told() -> str | None:
        found = overview.read(tmp_path)
        fault: str | None = found["live_model"]["fault"]
        assert (fault is not None) == ("REFUSED" in overview.to_text(found))
        return fault

    assert told() is None
    damaged = data[:100] + b"?" + data[101:]
    for sha256 in (None, hashlib.sha256(damaged).hexdigest()):
        with store.write() as tx:
            write_bytes(tx, version, damaged, sha256=sha256)
        assert f"version {version}" in str(told())


def test_status_without_a_database_says_what_makes_one(tmp_path: Path):
    """One line and exit code 1, no traceback."""
    done = run("status", "--data-dir", str(tmp_path / "nothing"))
    assert 1 == done.returncode
    assert "studysmart serve makes one" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_faulty_log_is_refused_by_line(tmp_path: Path):
    """And nothing of it is stored."""
    log = tmp_path / "log.csv"
    log.write_text("learner,correct\na,1\na,2\n")
    done = run("import", "responses", str(log), "--data-dir", str(tmp_path / "data"))
    assert 1 == done.returncode
    assert "line 3: correct is '2', expected 0 or 1" in done.stderr
    assert not (tmp_path / "data").exists()
