"""One database, two kinds of transaction: `write()` and `read()`.

SQLite or PostgreSQL, with the same promises:

- what was committed survives a power cut (WAL with `synchronous=FULL`; `synchronous_commit`);
- writers take turns: each takes the one write lock when it begins. A transaction that reads first
  and upgrades later would fail at once on SQLite; on PostgreSQL rows could become visible in
  another order than their numbers, and a training that counted up to a number would miss some;
- a reader sees one snapshot, and neither waits for writers nor makes them wait.

After a disk has failed under SQLite (EIO, also of `fsync`) nobody knows what it kept of what this
process wrote. So nothing is written any more until another process has read the file anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from studysmart.errors import BadInput, RefusedToStart, Unavailable
from studysmart.sqlite import sqlite_module

BUSY_TIMEOUT_MS = 5_000
WRITE_LOCK = 0x57_5D_59  # of PostgreSQL's advisory locks, the one that our writers take
# A writer that is frozen, or cut off, would make everybody else wait; after so long it is let go.
TAKE_TURN = (
    f"SELECT pg_advisory_xact_lock({WRITE_LOCK}), "
    "set_config('idle_in_transaction_session_timeout', '10s', true)"
)
OLDEST_POSTGRES = 150_000
# What PostgreSQL says when it, and not the statement, is at fault: shutting down, out of disk,
# memory or connections, turned read-only.
PASSING = ("57P", "53", "58", "08", "25006", "55P03", "40")

Tx = Connection  # what `write()` and `read()` hand out: a transaction that is open


class Store:
    """The database of one installation.

    Args:
        where: the SQLite file, whose folder is made when missing, or the URL of a PostgreSQL
            database (`postgresql://user:password@host/name`).

    Raises:
        RefusedToStart: the URL is none, or `psycopg` is not installed.
    """

    def __init__(self, where: Path | str) -> None:
        self.path = where if isinstance(where, Path) else None
        self.failed: str | None = None  # once set, it stays: this process should end
        if isinstance(where, Path):
            where.parent.mkdir(parents=True, exist_ok=True)
            self.name = str(where)
            self._engine = _sqlite(where)
        else:
            url = _postgres_url(where)
            self.name = url.render_as_string(hide_password=True)
            self._engine = _postgres(url)
        event.listen(self._engine, "handle_error", self._note_failure)

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A writing transaction, the only one at its time; rolled back when anything is raised.

        Raises:
            Unavailable: the lock cannot be had within 5 s, the disk is full or has failed, or the
                database is out of reach.
        """
        with _translated(), self._engine.connect() as connection:
            tx = connection.execution_options(studysmart_write=True)
            with tx.begin():
                if self.failed is not None:
                    raise Unavailable(self.failed)
                yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A short reading transaction over one consistent snapshot.

        Raises:
            Unavailable: the database is out of reach.
        """
        with _translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def rebuild(self) -> Iterator[Tx]:
        """A writing transaction in which tables may be replaced by others of the same name.

        SQLite would take the removal of a table for the removal of its rows, and refuse it for
        those that point at them; so references are checked once, at the end.
        """
        with _translated(), self._engine.connect() as connection:
            tx = connection.execution_options(studysmart_write=True)
            if self.path is not None:
                cursor = connection.connection.cursor()
                cursor.execute("PRAGMA foreign_keys=OFF")
                cursor.close()
            try:
                with tx.begin():
                    yield tx
                    if self.path is not None and (
                        broken := tx.execute(text("PRAGMA foreign_key_check")).all()
                    ):
                        msg = f"rows that point at nothing: {broken[:5]}; nothing was changed"
                        raise RefusedToStart(msg)
            finally:
                connection.invalidate()  # the next one to use it gets its keys checked again

    def _note_failure(self, context: ExceptionContext) -> None:
        """Called before the transaction is rolled back, and the next one may begin."""
        name = getattr(context.original_exception, "sqlite_errorname", "")
        if name.startswith("SQLITE_IOERR"):
            self.failed = (
                f"the disk failed ({name}); nothing is written until this process has been "
                "replaced, which happens by itself; try again"
            )

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


def _sqlite(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        module=sqlite_module(),
        hide_parameters=True,  # of a statement that failed: they are people's answers
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


def _postgres_url(where: str) -> URL:
    try:
        url = make_url(where)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() not in {"postgresql", "postgres"}:
        msg = (
            "STUDYSMART_DATABASE_URL must look like postgresql://user:password@host/name; leave it "
            "empty for the database in the data folder"
        )
        raise RefusedToStart(msg)
    return url.set(drivername="postgresql+psycopg")


def _postgres(url: URL) -> Engine:
    try:
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_size=8,
            max_overflow=40,
            pool_pre_ping=True,  # a connection that the server ended is replaced unnoticed
            connect_args={"connect_timeout": 2, "application_name": "studysmart"},
        )
    except ModuleNotFoundError as error:
        msg = "PostgreSQL needs the driver psycopg: pip install 'studysmart[postgres]'"
        raise RefusedToStart(msg) from error

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        found = connection.info.server_version
        if found < OLDEST_POSTGRES:
            msg = f"PostgreSQL {found // 10_000} is too old; 15 or newer is needed"
            raise RefusedToStart(msg)
        connection.execute(f"SET lock_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("SET synchronous_commit = on")
        connection.commit()

    @event.listens_for(engine, "begin")
    def _begin(connection: Tx) -> None:
        write = connection.get_execution_options().get("studysmart_write", False)
        connection.exec_driver_sql(
            TAKE_TURN if write else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        )

    return engine


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DataError as error:
        told = str(error.orig).splitlines()[0]
        msg = f"the database cannot keep this value ({told}); nothing was changed"
        raise BadInput(msg) from error
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        passing = isinstance(error, OperationalError | InterfaceError) or (
            state is not None and state.startswith(PASSING)
        )
        if not passing:
            raise
        told = " ".join(str(error.orig).split())
        msg = f"the database cannot be used just now ({told}); nothing was changed, try again"
        raise Unavailable(msg) from error
    except PoolTimeout as error:
        msg = "the database is busy with too many requests; nothing was changed, try again"
        raise Unavailable(msg) from error


def upsert(tx: Tx, table: Table) -> Any:
    """INSERT with `on_conflict_do_nothing` and `..._do_update`, in the dialect of this database."""
    return (sqlite if tx.dialect.name == "sqlite" else postgresql).insert(table)


def integrity(tx: Tx) -> str:
    """SQLite's own word on the file: 'ok', or what is broken.

    PostgreSQL checks its pages as it reads them, when its data folder has checksums.
    """
    if tx.dialect.name != "sqlite":
        return "ok"
    return str(tx.execute(text("PRAGMA quick_check")).scalar_one())


def size_bytes(tx: Tx) -> int:
    """Bytes of the database on disk; of SQLite without its write-ahead log."""
    if tx.dialect.name == "sqlite":
        pages, page = (
            tx.execute(text(f"PRAGMA {it}")).scalar_one() for it in ("page_count", "page_size")
        )
        return int(pages) * int(page)
    return int(tx.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
