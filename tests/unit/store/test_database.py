"""The promises of `Store`: durable, one writer at a time, constraints that hold."""

import resource
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from studysmart import sqlite
from studysmart.errors import RefusedToStart, Unavailable
from studysmart.store import (
    Store,
    attempts,
    database,
    integrity,
    learners,
    migrations,
    models,
)
from studysmart.store.migrations import migrate
from studysmart.store.tables import metadata
from tests.builders import add_answer, add_learner, new_store


def test_after_a_failed_disk_nothing_is_written_any_more(tmp_path: Path):
    """Nobody knows what it kept; what was kept before is there for the next process."""
    store = new_store(tmp_path)
    with store.write() as tx:
        add_learner(tx, name="before")
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (tmp_path / "studysmart.sqlite3-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most[1]))
    try:
        with pytest.raises(Unavailable), store.write() as tx:
            add_learner(tx, name="lost")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert store.failed is not None
    with pytest.raises(Unavailable, match="the disk failed"), store.write() as tx:
        add_learner(tx, name="refused")
    with store.read() as tx:
        assert ["before"] == [row.name for row in tx.execute(text("SELECT name FROM learner"))]
    with Store(tmp_path / "studysmart.sqlite3").write() as tx:
        add_learner(tx, name="after")


def test_the_linked_sqlite_is_new_enough(tmp_path: Path):
    """The SQLite in use is at least the one without the WAL corruption bug."""
    with new_store(tmp_path).read() as tx:
        version = tx.execute(text("SELECT sqlite_version()")).scalar_one()
    assert tuple(map(int, version.split("."))) >= sqlite.OLDEST_SQLITE


def test_an_old_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch):
    """Without a new enough SQLite the process says so instead of risking the data."""
    monkeypatch.setattr(sqlite, "OLDEST_SQLITE", (99, 0, 0))
    with pytest.raises(RefusedToStart, match=r"99\.0\.0 or newer is needed"):
        sqlite.sqlite_module()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("mmap_size", 0)],
)
def test_every_connection_is_durable_and_strict(tmp_path: Path, pragma: str, value: object):
    """WAL, FULL and foreign keys are set on each connection, not once."""
    with new_store(tmp_path).read() as tx:
        assert value == tx.execute(text(f"PRAGMA {pragma}")).scalar_one()


def test_the_migrations_make_the_schema_of_the_tables(tmp_path: Path):
    """A migrated database and the table definitions do not differ."""
    with new_store(tmp_path).read() as tx:
        assert [] == compare_metadata(MigrationContext.configure(tx), metadata)
        assert "ok" == integrity(tx)


def test_migrating_twice_changes_nothing(tmp_path: Path):
    """A second start finds the newest schema and leaves it alone."""
    store = new_store(tmp_path)
    assert migrate(store) == migrate(store)


def test_the_way_back_is_known_after_an_upgrade(tmp_path: Path):
    """Models of the first schema went live one after the other; the last of them is live."""
    store = Store(tmp_path / "old.sqlite3")
    config = migrations._config()
    with store.rebuild() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0001")
        for version, status in ((1, "retired"), (2, "retired"), (3, "live")):
            tx.exec_driver_sql(
                "INSERT INTO model_version (version, status, kind, samples, manifest, metrics, "
                "data, sha256, published_at) VALUES (?, ?, 'prior', 1, '{}', '{}', x'00', '', 1)",
                (version, status),
            )
    migrate(store)
    with store.write() as tx:
        assert [2, 1] == models.earlier(tx)
        models.go_back(tx, 2)
        assert 2 == models.live_version(tx)
    store.close()


def test_a_database_of_a_newer_program_is_refused(tmp_path: Path):
    """An unknown schema is named, and not touched."""
    store = new_store(tmp_path)
    with store.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RefusedToStart, match="schema '9999'"):
        migrate(store)


def test_two_processes_may_migrate_at_once(tmp_path: Path):
    """Whoever comes second waits and finds the work done."""
    stores = [Store(tmp_path / "studysmart.sqlite3") for _ in range(4)]
    heads: list[str] = []
    threads = [threading.Thread(target=lambda s=s: heads.append(migrate(s))) for s in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 4 == len(heads)
    assert 1 == len(set(heads))


def test_a_failed_transaction_leaves_nothing(tmp_path: Path):
    """What was written before an exception is rolled back."""
    store = new_store(tmp_path)

    def fail() -> None:
        with store.write() as tx:
            add_learner(tx)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with store.read() as tx:
        assert 0 == tx.execute(text("SELECT count(*) FROM learner")).scalar_one()


def test_writers_take_turns_instead_of_failing(tmp_path: Path):
    """Eight writers that read before they write lose no update."""
    store = new_store(tmp_path)
    with store.write() as tx:
        learner = add_learner(tx)

    def write() -> None:
        for _ in range(10):
            with store.write() as tx:
                attempts.last_seq(tx)
                add_answer(tx, learner)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as tx:
        assert 80 == attempts.completions(tx)


def test_a_locked_database_is_unavailable_and_not_an_accident(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """When the lock cannot be had, the error says to try again."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    store = new_store(tmp_path)

    def second() -> None:
        with store.write():
            pass

    with store.write(), pytest.raises(Unavailable, match="try again"):
        second()


def test_an_attempt_id_exists_once(tmp_path: Path):
    """The database itself refuses the same attempt twice."""
    store = new_store(tmp_path)
    with store.write() as tx:
        learner = add_learner(tx)
        first = add_answer(tx, learner)

    def again() -> None:
        with store.write() as tx:
            add_answer(tx, learner, id=first)

    with pytest.raises(IntegrityError, match=r"attempt\.id"):
        again()


def test_there_is_one_local_learner(tmp_path: Path):
    """Two processes that start at once make one local learner."""
    store = new_store(tmp_path)
    with store.write() as tx:
        learners.ensure_local(tx, name="You", now=1.0)
        learners.ensure_local(tx, name="Somebody", now=2.0)
        local = learners.local(tx)
    assert local is not None
    assert "You" == local.name


def test_exactly_one_model_is_live(tmp_path: Path):
    """Publishing retires the model before it, and old ones lose their bytes but not their facts."""
    store = new_store(tmp_path)
    with store.write() as tx:
        versions = [_publish(tx, n) for n in range(4)]
        models.forget_bytes(tx, keep=2, sound=lambda _: True)
        assert versions[-1] == models.live_version(tx)
        assert [versions[2], versions[1]] == models.earlier(tx)
        old = models.get(tx, versions[0])
    assert old is not None
    assert "retired" == old.status
    assert old.data is None


def test_a_second_live_model_is_refused_by_the_database(tmp_path: Path):
    """No code path can make two models live."""
    store = new_store(tmp_path)
    with store.write() as tx:
        first, _ = _publish(tx, 0), _publish(tx, 1)

    def revive() -> None:
        with store.write() as tx:
            tx.exec_driver_sql(
                "UPDATE model_version SET status = 'live' WHERE version = ?", (first,)
            )

    with pytest.raises(IntegrityError, match=r"model_version.status"):
        revive()


def _publish(tx: database.Tx, n: int) -> int:
    return models.publish(
        tx,
        kind="prior",
        samples=n,
        manifest={},
        metrics={},
        data=b"model",
        sha256="0" * 64,
        published_at=float(n),
    )
