"""Connections to the ledger's database: SQLite in one file, or PostgreSQL by URL.

Belongs here: engine settings, transactions, file modes, what a database error becomes. Not here: tables, SQL on them
(records, spend, marks, bulk), the account lock (lock).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError

from crm_pipelines.errors import LedgerError, SettingsError

Dialect = Literal["sqlite", "postgresql"]
DRIVER_ERRORS = (sqlite3.Error, psycopg.Error)
BUSY_TIMEOUT_S = 30.0
EXPECTED = "sqlite:////path/ledger.db or postgresql+psycopg://host/name"
MIGRATION_LOCK = 0x63726D5F6C656467  # "crm_ledg": one number for all ledgers of a PostgreSQL database


class Store:
    """An open database with two kinds of transactions: those that read and those that write."""

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self.engine = engine
        self.path = path
        self.dialect = cast("Dialect", engine.dialect.name)
        self._writer = engine.execution_options(crm_write=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one moment of the ledger."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except (DBAPIError, *DRIVER_ERRORS) as error:
            raise database_error(error) from None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that is durable when the block ends and leaves nothing when it raises.

        Raises: Conflict when a unique key was violated; LedgerError for every other complaint of the database.
        """
        try:
            with self._writer.begin() as connection:
                yield connection
        except (DBAPIError, *DRIVER_ERRORS) as error:
            raise database_error(error) from None

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Open a write transaction that excludes every other migrating process."""
        with self.write() as connection:
            if self.dialect == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


class Cursor(Protocol):
    """What both drivers' cursors can do."""

    @property
    def rowcount(self) -> int:
        """Rows changed by the last call."""
        ...

    def execute(self, sql: str, values: Sequence[Any], /) -> object:
        """Run one statement."""
        ...

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]], /) -> object:
        """Run one statement for every row; rowcount is the sum."""
        ...

    def fetchall(self) -> Sequence[tuple[Any, ...]]:
        """Return what the statement returned."""
        ...


class Conflict(LedgerError):
    """A unique key of the ledger was about to be broken; nothing was stored."""


def run(connection: Connection, sql: str, values: Sequence[Any]) -> Cursor:
    """Execute on the driver's own cursor inside this transaction; for what runs once per wave (SQLAlchemy costs 60 us a statement).

    `?` stands for a value on every database. Returns the cursor.
    """
    cursor: Cursor = connection.connection.cursor()
    cursor.execute(_placeholders(sql, connection.dialect.name), values)
    return cursor


def run_many(connection: Connection, sql: str, rows: Sequence[Sequence[Any]]) -> Cursor:
    """Execute for every row on the driver's own cursor; returns the cursor."""
    cursor: Cursor = connection.connection.cursor()
    cursor.executemany(_placeholders(sql, connection.dialect.name), rows)
    return cursor


@cache
def _placeholders(sql: str, dialect: str) -> str:
    """Psycopg sends values in binary for `%b`; a wave's arrays cost a third of their text form."""
    return sql if dialect == "sqlite" else sql.replace("?", "%b")


def open_store(url: str) -> Store:
    """Connect; creates the SQLite file (0600) and the folders above it (0700) when they are missing.

    Raises: SettingsError when the URL names no database this ledger can live in.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed)
    engine = create_engine(parsed.set(drivername="postgresql+psycopg"), hide_parameters=True, pool_pre_ping=True)
    return Store(engine, None)


def utc_text(moment: datetime) -> str:
    """Return the moment as text that sorts by time, in microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def utc_moment(value: str | None) -> datetime | None:
    """Return what `utc_text` wrote."""
    return None if value is None else datetime.fromisoformat(value)


def database_error(error: Exception) -> LedgerError:
    """Return the error without the parameters and the server's detail line: both hold values of records."""
    original = error.orig if isinstance(error, DBAPIError) else error
    name = type(original).__name__
    code = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", "")
    if isinstance(original, (sqlite3.IntegrityError, psycopg.IntegrityError)):
        return Conflict(f"the ledger refused a second row for one identity ({name} {code}); nothing was stored")
    return LedgerError(
        f"the ledger's database failed ({name} {code}): check that it is reachable, not full and not held by another program, "
        "then run the command again; every answered record is stored, the rest is looked up"
    )


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError(f"the ledger URL is not readable: expected {EXPECTED}") from None
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise SettingsError(f"the ledger lives in SQLite or PostgreSQL, not in {backend}: expected {EXPECTED}")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise SettingsError("the ledger must outlive the process: name a file, e.g. sqlite:////var/lib/crm/ledger.db")
    return parsed


def _open_sqlite(url: URL) -> Store:
    path = Path(cast("str", url.database)).absolute()
    _private_file(path)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    store = Store(engine, path)
    with _opening(path), store.read():
        """The first connection turns WAL on; about one of forty first openings at once found the file locked, without waiting."""
    return store


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """WAL for readers beside the writer; FULL because NORMAL may lose the last commits with the power.

    secure_delete is said because builds differ (Debian's is ON); what FAST leaves in freed pages, a purge rewrites.
    """
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = FAST", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once: a deferred transaction that turns writer fails instead of waiting."""
    is_writer = connection.get_execution_options().get("crm_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")


def _private_file(path: Path) -> None:
    """SQLite gives -wal and -shm the mode of the file itself, so this one decides for all three.

    A file that is there is never opened: closing it again would drop the locks of this process's other connections, and the next
    process to leave would delete the log they are using (sqlite.org/howtocorrupt.html, 2.2).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.chmod(0o600)
    except OSError as error:
        raise SettingsError(
            f"the ledger cannot live at {path}: {error.strerror}; name a file that this user owns, on a local disk"
        ) from None


@contextmanager
def _opening(path: Path) -> Iterator[None]:
    """Let one process at a time make its first connection."""
    descriptor = os.open(path.with_name(path.name + ".open.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
