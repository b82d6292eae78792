"""`studysmart models`: what it shows, what it changes, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from studysmart import learning
from studysmart.cli import app
from studysmart.errors import ArtefactRejected, BadInput, Conflict, NotFound
from studysmart.store import Store, audit, models
from tests.builders import (
    add_answer,
    add_learner,
    add_version,
    new_store,
    small_engine,
    write_bytes,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A database with two versions and a challenger."""
    store = new_store(tmp_path)
    with store.write() as tx:
        add_version(tx), add_version(tx, seed=2), add_version(tx, seed=3, status="challenger")
    return store


def run(folder: Path, *words: str, code: int = 0) -> str:
    """What the command prints."""
    found = CliRunner().invoke(app, ["models", *words, "--data-dir", str(folder)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    assert code == found.exit_code, found.output
    return found.stdout


def test_the_list_has_every_version_and_marks_the_damaged(store: Store, tmp_path: Path):
    """As a table and for programs; exit code 3 when the live one must not be served."""
    shown = run(tmp_path, "list")
    assert [["3", "challenger"], ["2", "live"], ["1", "retired"]] == [
        line.split()[:2] for line in shown.splitlines()[1:]
    ]
    found = json.loads(run(tmp_path, "list", "--json"))
    assert [3, 2, 1] == [one["version"] for one in found]
    assert "1970-01-01T00:16:40+00:00" == found[0]["published_at"]
    with store.write() as tx:
        write_bytes(tx, 2, b"damaged")
    assert "REFUSED: version 2: damaged" in run(tmp_path, "list", code=3)
    assert "checksum" in run(tmp_path, "show", "2", code=3)
    run(tmp_path, "show", "1")


def test_one_version_is_shown_with_its_scores(tmp_path: Path, store: Store):
    """Where it comes from, and how it was judged."""
    shown = run(tmp_path, "show", "1")
    assert "none of this installation" in shown
    assert "0.600" in shown
    found = json.loads(run(tmp_path, "show", "1", "--json"))
    assert small_engine().manifest == found["manifest"]
    with pytest.raises(NotFound, match="no version 9"):
        run(tmp_path, "show", "9")
    with store.read() as tx:
        assert [] == audit.newest(tx, limit=1)


def test_every_change_is_kept_with_its_reason(tmp_path: Path, store: Store):
    """Promote, pin, unpin and rollback from the command line, in the audit."""
    because = ("--reason", "teachers say so")
    assert "version 3 is live, and nothing is pinned" in run(tmp_path, "promote", "3", *because)
    assert "version 1 is live, and pinned" in run(tmp_path, "pin", "1", *because)
    found = json.loads(run(tmp_path, "unpin", "--json", *because))
    assert {"version": 1, "live_version": 1, "pinned_version": None} == found
    assert 3 == json.loads(run(tmp_path, "rollback", "--json", *because))["live_version"]
    with store.read() as tx:
        acts = audit.newest(tx, limit=9)
    assert ["rollback", "unpin", "pin", "promote"] == [act.action for act in acts]
    assert {("command line", "teachers say so")} == {(act.actor, act.reason) for act in acts}
    run(tmp_path, "promote", "2", code=2)  # without a reason
    with pytest.raises(BadInput, match="say why"):
        run(tmp_path, "promote", "2", "--reason", " ")


def test_a_file_carries_a_model_to_another_installation(tmp_path: Path, store: Store):
    """The bytes exactly as stored; an existing file is left alone, a damaged one is refused."""
    del store
    file = tmp_path / "model.bin"
    assert f"in {file}" in run(tmp_path, "export", "1", str(file))
    assert small_engine().to_bytes() == file.read_bytes()
    with pytest.raises(Conflict, match="there already"):
        run(tmp_path, "export", "2", str(file))
    assert ["model.bin"] == [path.name for path in tmp_path.iterdir() if "model" in path.name]
    with pytest.raises(BadInput, match="cannot be written"):
        run(tmp_path, "export", "2", str(tmp_path / "missing" / "model.bin"))
    (tmp_path / "other").mkdir()
    other = new_store(tmp_path / "other")
    why = ("--reason", "it is good there")
    assert "version 1: a new challenger" in run(tmp_path / "other", "import", str(file), *why)
    assert "version 1: known already" in run(tmp_path / "other", "import", str(file), *why)
    with other.read() as tx:
        assert models.live_version(tx) is None
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ArtefactRejected, match="checksum"):
        run(tmp_path / "other", "import", str(file), *why)
    with pytest.raises(BadInput, match="cannot be read"):
        run(tmp_path / "other", "import", str(tmp_path / "nothing"), *why)
    with file.open("wb") as large:
        large.truncate(101 * 2**20)
    with pytest.raises(BadInput, match="at most"):
        run(tmp_path / "other", "import", str(file), *why)


def test_two_versions_are_compared_in_a_sentence_and_figures(tmp_path: Path, store: Store):
    """On the answers that are there."""
    table = learning.simulate(learners=2, answers=80, seed=6)
    with store.write() as tx:
        people = {name: add_learner(tx, name) for name in set(table.learner.tolist())}
        for learner, one in table:
            add_answer(tx, people[learner], is_correct=one.correct, item=one.item.item)
    shown = run(tmp_path, "compare", "1", "2")
    assert "versions 1 and 2" in shown or "than version" in shown
    assert "Too few learners" in shown
    found = json.loads(run(tmp_path, "compare", "1", "2", "--answers", "30", "--json"))
    assert 30 == found["answers"]


def test_without_a_database_or_versions_it_is_said_what_makes_them(tmp_path: Path):
    """And no database is made by looking."""
    with pytest.raises(NotFound, match="studysmart serve makes one"):
        run(tmp_path, "list")
    assert [] == list(tmp_path.iterdir())
    new_store(tmp_path)
    assert "no version yet" in run(tmp_path, "list")
    assert [] == json.loads(run(tmp_path, "list", "--json"))
