"""One database, two kinds of transaction: `write()` and `read()`.

SQLite in WAL mode with `synchronous=FULL`: a committed answer survives a power cut. Every write
takes the write lock when it begins; a transaction that reads first and upgrades later would fail at
once under contention, without waiting for its busy timeout.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from studysmart.errors import RefusedToStart, Unavailable
from studysmart.sqlite import sqlite_module

BUSY_TIMEOUT_MS = 5_000

Tx = Connection  # what `write()` and `read()` hand out: a transaction that is open


class Store:
    """The database of one data folder.

    Args:
        path: the SQLite file; its folder is made when missing.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._engine = _engine(path)

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A writing transaction: BEGIN IMMEDIATE ... COMMIT, or ROLLBACK when anything is raised.

        Raises:
            Unavailable: the database is locked for longer than 5 s, full, or out of reach.
        """
        with _translated(), self._engine.connect() as connection:
            tx = connection.execution_options(studysmart_write=True)
            with tx.begin():
                yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A short reading transaction over one consistent snapshot.

        Raises:
            Unavailable: the database is out of reach.
        """
        with _translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        module=sqlite_module(),
        poolclass=QueuePool,
        pool_size=8,
        max_overflow=40,  # a web thread never waits for a connection: there are 40 of them
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        cursor = connection.cursor()
        mode = cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":  # silently refused while another process holds the file in another mode
            msg = (
                f"{path} cannot be put into WAL mode (it is in '{mode}'); is it on a network drive?"
            )
            raise RefusedToStart(msg)
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA mmap_size=0")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Tx) -> None:
        write = connection.get_execution_options().get("studysmart_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        msg = f"the database cannot be used just now ({error.orig}); nothing was changed, try again"
        raise Unavailable(msg) from error


def integrity(tx: Tx) -> str:
    """SQLite's own word on the file: 'ok', or what is broken."""
    return str(tx.execute(text("PRAGMA quick_check")).scalar_one())
