"""What tests of several layers build again and again."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

from studysmart.store import Store, Tx, attempts, learners
from studysmart.store.migrations import migrate

# Where `new_store` gets a PostgreSQL database from, while tests marked `both_databases` run on it.
fresh_postgres: Callable[[], str] | None = None
# Stores made in the running test; whoever runs tests closes them after each.
opened: list[Store] = []


@cache
def _migrated() -> bytes:
    """The file of an empty database: migrating takes longer than most tests."""
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "studysmart.sqlite3")
        migrate(store)
        store.close()
        return store.path.read_bytes()


def new_store(folder: Path) -> Store:
    """A migrated, empty database: a file in the folder, or a PostgreSQL database of its own."""
    if fresh_postgres is not None:
        opened.append(Store(fresh_postgres()))
    else:
        path = folder / "studysmart.sqlite3"
        path.write_bytes(_migrated())
        opened.append(Store(path))
    return opened[-1]


def add_learner(tx: Tx, name: str = "Ada", source: str = "account") -> UUID:
    """A learner."""
    return learners.add(tx, name=name, source=source, now=0.0)


def add_answer(tx: Tx, learner_id: UUID, **values: Any) -> UUID:
    """One counted answer from a log."""
    attempt_id = uuid4()
    defaults: dict[str, Any] = {
        "id": attempt_id,
        "learner_id": learner_id,
        "source": "import",
        "topic": "Waves",
        "skill": "waves.speed",
        "difficulty": "easy",
        "item": "waves.speed/easy",
        "is_correct": True,
        "self_marked": False,
        "response_time_s": 20.0,
        "time_plausible": True,
        "counts": True,
        "answered_at": 1_000.0,
        "received_at": 1_000.0,
        "body_sha256": "0" * 64,
    }
    attempts.add(tx, **defaults | values)
    return attempt_id
