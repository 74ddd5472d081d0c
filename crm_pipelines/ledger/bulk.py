"""The statements that run once per wave or chunk, written for each database because they are the ledger's own cost.

Belongs here: many rows in one driver call (executemany on SQLite, unnest of arrays on PostgreSQL: 1.6 times executemany).
Not here: which rows, in which order, under which fence (journal, records).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from crm_pipelines.ledger.store import run, run_many

AttemptRow = tuple[int, str, str, str, str, str | None, int, bytes]
"""attempt_id, source_key, operation, payload_hash, token, destination_id, cost, payload."""
AppliedRow = tuple[str, str | None, str, str, bytes]
"""source_key, destination_id, applied_hash, outcome, applied_payload."""
HeldRow = tuple[str, str, str | None, str | None, str | None]
"""source_key, held_state, held_queue, held_reason, held_hash."""

_ATTEMPT_COLUMNS = "attempt_id, source_key, operation, payload_hash, token, destination_id, cost, payload"
_WAVE_COLUMNS = "scope, fence, pass_no, sent_utc, vendor_utc"

_APPLY_CONFLICT = """ON CONFLICT (scope, source_key) DO UPDATE SET
    destination_id = excluded.destination_id, applied_hash = excluded.applied_hash, applied_payload = excluded.applied_payload,
    outcome = CASE WHEN excluded.outcome = 'updated' AND records.outcome_pass = excluded.outcome_pass
        AND records.outcome IN ('created', 'adopted') THEN records.outcome ELSE excluded.outcome END,
    outcome_pass = excluded.outcome_pass,
    held_state = NULL, held_queue = NULL, held_reason = NULL, held_hash = NULL, held_pass = NULL
    WHERE records.destination_id IS NULL OR records.destination_id = excluded.destination_id"""
"""A second destination id for one record changes no row, which the caller counts."""

_HOLD_CONFLICT = """ON CONFLICT (scope, source_key) DO UPDATE SET
    held_state = excluded.held_state, held_queue = excluded.held_queue, held_reason = excluded.held_reason,
    held_hash = excluded.held_hash, held_pass = excluded.held_pass"""


class SqliteBulk:
    """Bulk statements for SQLite."""

    def insert_attempts(self, connection: Connection, wave: tuple[int, int, int, str, str], rows: Sequence[AttemptRow]) -> None:
        """Store intents; `wave` is scope, fence, pass_no, sent_utc, vendor_utc."""
        sql = f"INSERT INTO attempts ({_ATTEMPT_COLUMNS}, {_WAVE_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608 - constants
        run_many(connection, sql, [row + wave for row in rows])

    def close_attempts(self, connection: Connection, ids: Sequence[int]) -> int:
        """Delete attempts; returns how many there were."""
        sql = "DELETE FROM attempts WHERE attempt_id IN (SELECT value FROM json_each(?))"
        return run(connection, sql, (json.dumps(list(ids)),)).rowcount

    def apply(self, connection: Connection, scope: int, pass_no: int, rows: Sequence[AppliedRow]) -> int:
        """Write what was applied; returns how many records took it."""
        sql = f"""INSERT INTO records (source_key, destination_id, applied_hash, outcome, applied_payload, scope, outcome_pass)
            VALUES (?,?,?,?,?,?,?) {_APPLY_CONFLICT}"""  # noqa: S608 - constants
        tail = (scope, pass_no)
        return run_many(connection, sql, [row + tail for row in rows]).rowcount

    def hold(self, connection: Connection, scope: int, pass_no: int, rows: Sequence[HeldRow]) -> None:
        """Set what holds records."""
        sql = f"""INSERT INTO records (source_key, held_state, held_queue, held_reason, held_hash, scope, held_pass)
            VALUES (?,?,?,?,?,?,?) {_HOLD_CONFLICT}"""  # noqa: S608 - constants
        tail = (scope, pass_no)
        run_many(connection, sql, [row + tail for row in rows])

    def select(self, connection: Connection, table: str, columns: str, scope: int, keys: Sequence[str]) -> Sequence[Any]:
        """Return the rows of these source keys, by index."""
        sql = f"""SELECT {columns} FROM json_each(?) AS wanted
            CROSS JOIN {table} AS t ON t.scope = ? AND t.source_key = wanted.value"""  # noqa: S608 - constants
        return run(connection, sql, (json.dumps(list(keys)), scope)).fetchall()

    def matching(self) -> str:
        """Return the condition that selects the keys bound as `keys`."""
        return "source_key IN (SELECT value FROM json_each(:keys))"

    def bind_keys(self, keys: Sequence[str]) -> object:
        """Return the value to bind for `matching`."""
        return json.dumps(list(keys))


class PostgresBulk:
    """Bulk statements for PostgreSQL."""

    def insert_attempts(self, connection: Connection, wave: tuple[int, int, int, str, str], rows: Sequence[AttemptRow]) -> None:
        """Store intents; `wave` is scope, fence, pass_no, sent_utc, vendor_utc."""
        sql = f"""INSERT INTO attempts ({_ATTEMPT_COLUMNS}, {_WAVE_COLUMNS})
            SELECT *, ?::bigint, ?::bigint, ?::bigint, ?, ? FROM unnest(?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[],
            ?::text[], ?::bigint[], ?::bytea[])"""  # noqa: S608 - constants
        run(connection, sql, wave + _columns(rows))

    def close_attempts(self, connection: Connection, ids: Sequence[int]) -> int:
        """Delete attempts; returns how many there were."""
        return run(connection, "DELETE FROM attempts WHERE attempt_id = ANY(?::bigint[])", (list(ids),)).rowcount

    def apply(self, connection: Connection, scope: int, pass_no: int, rows: Sequence[AppliedRow]) -> int:
        """Write what was applied; returns how many records took it."""
        sql = f"""INSERT INTO records (scope, outcome_pass, source_key, destination_id, applied_hash, outcome, applied_payload)
            SELECT ?::bigint, ?::bigint, * FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::bytea[])
            {_APPLY_CONFLICT}"""  # noqa: S608 - constants
        return run(connection, sql, (scope, pass_no, *_columns(rows))).rowcount

    def hold(self, connection: Connection, scope: int, pass_no: int, rows: Sequence[HeldRow]) -> None:
        """Set what holds records."""
        sql = f"""INSERT INTO records (scope, held_pass, source_key, held_state, held_queue, held_reason, held_hash)
            SELECT ?::bigint, ?::bigint, * FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[])
            {_HOLD_CONFLICT}"""  # noqa: S608 - constants
        run(connection, sql, (scope, pass_no, *_columns(rows)))

    def select(self, connection: Connection, table: str, columns: str, scope: int, keys: Sequence[str]) -> Sequence[Any]:
        """Return the rows of these source keys, by index."""
        sql = f"SELECT {columns} FROM {table} AS t WHERE t.scope = ? AND t.source_key = ANY(?::text[])"  # noqa: S608 - constants
        return run(connection, sql, (scope, list(keys))).fetchall()

    def matching(self) -> str:
        """Return the condition that selects the keys bound as `keys`."""
        return "source_key = ANY(:keys)"

    def bind_keys(self, keys: Sequence[str]) -> object:
        """Return the value to bind for `matching`."""
        return list(keys)


Bulk = SqliteBulk | PostgresBulk


def bulk_for(dialect: str) -> Bulk:
    """Return the statements of this database."""
    return SqliteBulk() if dialect == "sqlite" else PostgresBulk()


def _columns(rows: Sequence[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))
