"""Numbered steps that bring a ledger to the schema of this code.

Belongs here: DDL, frozen once released; a change of tables.py is a new step, never an edit of an old one. Not here:
what the columns mean (tables), connections and file modes (store).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, inspect, text

from crm_pipelines.errors import LedgerError

SECRET_BYTES = 32

_TYPES = {
    "sqlite": {"id": "INTEGER PRIMARY KEY AUTOINCREMENT", "int": "INTEGER", "bytes": "BLOB", "real": "REAL"},
    "postgresql": {"id": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "int": "BIGINT", "bytes": "BYTEA", "real": "DOUBLE PRECISION"},
}


@dataclass(frozen=True)
class Migration:
    """One step; `{id}`, `{int}`, `{bytes}` and `{real}` stand for the dialect's type."""

    number: int
    statements: Sequence[str]


_FIRST = (
    """CREATE TABLE accounts (
        account_no {id}, account TEXT NOT NULL UNIQUE, fence {int} NOT NULL, holder TEXT, host TEXT, pid {int},
        acquired_utc TEXT, released_utc TEXT, next_attempt {int} NOT NULL, clock_offset_s {real} NOT NULL)""",
    """CREATE TABLE scopes (
        scope {id}, account TEXT NOT NULL, engagement TEXT NOT NULL, phase TEXT NOT NULL, UNIQUE (account, engagement, phase))""",
    """CREATE TABLE engagements (
        engagement TEXT NOT NULL, account TEXT NOT NULL, created_utc TEXT NOT NULL, PRIMARY KEY (engagement, account))""",
    """CREATE TABLE passes (
        engagement TEXT NOT NULL, pass_no {int} NOT NULL, account TEXT NOT NULL, intake TEXT NOT NULL,
        opened_utc TEXT NOT NULL, closed_utc TEXT, PRIMARY KEY (engagement, pass_no))""",
    """CREATE TABLE records (
        scope {int} NOT NULL, source_key TEXT NOT NULL, destination_id TEXT, applied_hash TEXT, outcome TEXT,
        outcome_pass {int}, held_state TEXT, held_queue TEXT, held_reason TEXT, held_hash TEXT, held_pass {int},
        applied_payload {bytes}, before_image {bytes}, PRIMARY KEY (scope, source_key))""",
    """CREATE TABLE attempts (
        attempt_id {int} NOT NULL PRIMARY KEY, scope {int} NOT NULL, source_key TEXT NOT NULL, operation TEXT NOT NULL,
        payload_hash TEXT NOT NULL, token TEXT NOT NULL, destination_id TEXT, cost {int} NOT NULL, fence {int} NOT NULL,
        pass_no {int} NOT NULL, sent_utc TEXT NOT NULL, vendor_utc TEXT NOT NULL, payload {bytes} NOT NULL,
        UNIQUE (scope, source_key))""",
    """CREATE TABLE gates (
        engagement TEXT NOT NULL, pass_no {int} NOT NULL, phase TEXT NOT NULL, passed INTEGER NOT NULL, detail TEXT NOT NULL,
        accepted_by TEXT, accepted_reason TEXT, accepted_utc TEXT, recorded_utc TEXT NOT NULL,
        PRIMARY KEY (engagement, pass_no, phase))""",
    """CREATE TABLE seals (
        engagement TEXT NOT NULL, seal_no {int} NOT NULL, kind TEXT NOT NULL, digest TEXT NOT NULL, content TEXT NOT NULL,
        sealed_by TEXT NOT NULL, cites {int}, without_sample_reason TEXT, sealed_utc TEXT NOT NULL, PRIMARY KEY (engagement, seal_no))""",
    """CREATE TABLE spend (
        account TEXT NOT NULL, day TEXT NOT NULL, allowed {int}, reserve {int} NOT NULL, spent_ours {int} NOT NULL,
        others {int} NOT NULL, exhausted_utc TEXT, resumes_at TEXT, PRIMARY KEY (account, day))""",
    """CREATE TABLE calls (
        account TEXT NOT NULL, day TEXT NOT NULL, engagement TEXT NOT NULL, operation TEXT NOT NULL, calls {int} NOT NULL,
        tokens {int} NOT NULL, PRIMARY KEY (account, day, engagement, operation))""",
    "CREATE INDEX calls_engagement ON calls (engagement)",
    """CREATE TABLE made (
        account TEXT NOT NULL, engagement TEXT NOT NULL, kind TEXT NOT NULL, phase TEXT NOT NULL, name TEXT NOT NULL,
        destination_id TEXT NOT NULL, made_utc TEXT NOT NULL, PRIMARY KEY (account, engagement, kind, phase, name))""",
)

_AUDIT = (
    """CREATE TABLE audit (
        engagement TEXT NOT NULL, audit_no {int} NOT NULL, done_utc TEXT NOT NULL, done_by TEXT NOT NULL, what TEXT NOT NULL,
        detail TEXT NOT NULL, PRIMARY KEY (engagement, audit_no))""",
)

MIGRATIONS: tuple[Migration, ...] = (Migration(1, _FIRST), Migration(2, _AUDIT))


class Migratable(Protocol):
    """What a migration needs of a store."""

    @property
    def dialect(self) -> str:
        """Name of the database: sqlite or postgresql."""
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """Open a transaction that only reads."""
        ...

    def migrating(self) -> AbstractContextManager[Connection]:
        """Open a write transaction that excludes every other migrating process."""
        ...


def migrate(store: Migratable, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Apply every step that the ledger has not seen, all in one transaction; two processes may call it at once.

    Raises: LedgerError when the ledger was written by a newer version of the product.
    """
    newest = migrations[-1].number
    with store.read() as connection:
        version = _version(connection)
    if version < newest:
        with store.migrating() as connection:
            version = _apply(connection, store.dialect, migrations)
    if version > newest:
        raise LedgerError(
            f"this ledger has schema version {version}, this program knows {newest}: it was written by a newer release. "
            "Install that release again, or point CRM_LEDGER_URL at another ledger; nothing was changed."
        )


def _apply(connection: Connection, dialect: str, migrations: Sequence[Migration]) -> int:
    """Return the version after all missing steps; reads the version again, now that no one else migrates."""
    version = _version(connection)
    if version == 0:
        _create_meta(connection)
    for migration in migrations:
        if migration.number > version:
            for statement in migration.statements:
                connection.exec_driver_sql(statement.format(**_TYPES[dialect]))
            version = migration.number
    connection.execute(text("UPDATE meta SET value = :version WHERE name = 'schema_version'"), {"version": str(version)})
    return version


def _create_meta(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)")
    rows = [{"name": "schema_version", "value": "0"}, {"name": "digest_secret", "value": secrets.token_hex(SECRET_BYTES)}]
    connection.execute(text("INSERT INTO meta (name, value) VALUES (:name, :value)"), rows)


def _version(connection: Connection) -> int:
    """Return 0 for a database that is no ledger yet."""
    if not inspect(connection).has_table("meta"):
        return 0
    found = connection.execute(text("SELECT value FROM meta WHERE name = 'schema_version'")).scalar_one_or_none()
    return int(found or 0)
