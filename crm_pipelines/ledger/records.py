"""What the ledger knows of records: lookups as frames, and what holds a record back.

Belongs here: reading records and attempts, bounded by the keys asked for; setting and clearing holds. Not here: what was
applied (journal writes it with the answer), what to do about it (phases.plan).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, Row, func, select, text

from crm_pipelines.journal import Attempt, OpenAttempt
from crm_pipelines.ledger import tables
from crm_pipelines.ledger.bulk import Bulk
from crm_pipelines.ledger.store import utc_moment

KEYS_PER_QUERY = 10_000
ROWS_PER_FETCH = 50_000

RECORD_SCHEMA: dict[str, pl.DataType] = {
    "key": pl.String(),
    "destination_id": pl.String(),
    "applied_hash": pl.String(),
    "outcome": pl.String(),
    "outcome_pass": pl.Int64(),
    "held_state": pl.String(),
    "held_queue": pl.String(),
    "held_reason": pl.String(),
    "held_hash": pl.String(),
    "held_pass": pl.Int64(),
}
PAYLOAD_SCHEMA: dict[str, pl.DataType] = {"key": pl.String(), "applied_payload": pl.Binary()}
BEFORE_SCHEMA: dict[str, pl.DataType] = {"key": pl.String(), "before_image": pl.Binary()}


@dataclass(frozen=True, slots=True)
class Scope:
    """Where records live: one phase of one engagement in one account."""

    account: str
    engagement: str
    phase: str


_ENSURE_SCOPE = text(
    """INSERT INTO scopes (account, engagement, phase) VALUES (:account, :engagement, :phase)
    ON CONFLICT (account, engagement, phase) DO NOTHING"""
)


def scope_number(connection: Connection, scope: Scope) -> int | None:
    """Return the number that records and attempts carry; None when nothing was ever stored there."""
    s = tables.scopes.c
    query = select(s.scope).where(s.account == scope.account, s.engagement == scope.engagement, s.phase == scope.phase)
    return connection.execute(query).scalar()


def ensure_scope(connection: Connection, scope: Scope) -> int:
    """Return the scope's number, made when missing."""
    values = {"account": scope.account, "engagement": scope.engagement, "phase": scope.phase}
    connection.execute(_ENSURE_SCOPE, values)
    number = scope_number(connection, scope)
    assert number is not None  # noqa: S101 - inserted above, in this transaction
    return number


def frame(connection: Connection, bulk: Bulk, scope: Scope, keys: Sequence[str] | None, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return the columns of `schema` for these keys, or for all; keys that the ledger does not know are absent."""
    number = scope_number(connection, scope)
    if number is None:
        return pl.DataFrame(schema=dict(schema))
    columns = ", ".join(["source_key", *list(schema)[1:]])
    batches = _batches(connection, bulk, columns, number, keys)
    return pl.concat([_frame(rows, schema) for rows in batches] or [pl.DataFrame(schema=dict(schema))])


def ids(connection: Connection, bulk: Bulk, scope: Scope, keys: Sequence[str] | None) -> dict[str, str]:
    """Return source key -> destination id, for those that have one."""
    number = scope_number(connection, scope)
    if number is None:
        return {}
    batches = _batches(connection, bulk, "source_key, destination_id", number, keys)
    return {key: found for rows in batches for key, found in rows if found is not None}


def foreign_ids(connection: Connection, scope: Scope) -> set[str]:
    """Return the destination ids that other engagements of the account have in this phase."""
    r, s = tables.records.c, tables.scopes.c
    query = select(r.destination_id).join(tables.scopes, s.scope == r.scope).where(s.account == scope.account, s.phase == scope.phase)
    query = query.where(s.engagement != scope.engagement, r.destination_id.is_not(None))
    return set(connection.execute(query).scalars())


def hold(connection: Connection, bulk: Bulk, scope: int, pass_no: int, held: pl.DataFrame) -> None:
    """Set state, queue, reason and hash of what holds these records; everything else of them stays."""
    rows = held.select("key", "state", "queue", "reason", "hash").rows()
    for start in range(0, len(rows), KEYS_PER_QUERY):
        bulk.hold(connection, scope, pass_no, rows[start : start + KEYS_PER_QUERY])


def release(connection: Connection, bulk: Bulk, scope: int, keys: Sequence[str]) -> None:
    """Clear what holds these records."""
    clear = "UPDATE records SET held_state = NULL, held_queue = NULL, held_reason = NULL, held_hash = NULL, held_pass = NULL"
    statement = text(f"{clear} WHERE scope = :scope AND {bulk.matching()}")  # constants
    for start in range(0, len(keys), KEYS_PER_QUERY):
        connection.execute(statement, {"scope": scope, "keys": bulk.bind_keys(keys[start : start + KEYS_PER_QUERY])})


_HALF = text("UPDATE records SET destination_id = coalesce(destination_id, :id) WHERE scope = :scope AND source_key = :key")


def remember_ids(connection: Connection, scope: int, halves: Mapping[str, str]) -> None:
    """Note the ids of held records that were made by half: a later change updates them, and never makes a second one."""
    if halves:
        connection.execute(_HALF, [{"scope": scope, "key": key, "id": found} for key, found in halves.items()])


_REMEMBER = text(
    """INSERT INTO records (scope, source_key, before_image) VALUES (:scope, :key, :image)
    ON CONFLICT (scope, source_key) DO UPDATE SET before_image = coalesce(records.before_image, excluded.before_image)"""
)


def remember_before(connection: Connection, scope: int, images: Mapping[str, bytes]) -> None:
    """Store how records looked before we first touched them; a later image never replaces the first."""
    rows = [{"scope": scope, "key": key, "image": image} for key, image in images.items()]
    if rows:
        connection.execute(_REMEMBER, rows)


_CARRY = text(
    """INSERT INTO records (scope, source_key, destination_id, outcome, outcome_pass, applied_payload, before_image)
    SELECT scope, :key, destination_id, outcome, outcome_pass, applied_payload, before_image FROM records
    WHERE scope = :scope AND source_key = :was AND destination_id IS NOT NULL
    ON CONFLICT (scope, source_key) DO UPDATE SET destination_id = excluded.destination_id, outcome = excluded.outcome,
    outcome_pass = excluded.outcome_pass, applied_hash = NULL, applied_payload = excluded.applied_payload,
    before_image = excluded.before_image"""
)
_CARRIED = text(
    """UPDATE records SET destination_id = NULL, applied_hash = NULL, applied_payload = NULL, before_image = NULL,
    outcome = 'carried', outcome_pass = :pass_no, held_state = NULL, held_queue = NULL, held_reason = NULL, held_hash = NULL,
    held_pass = NULL WHERE scope = :scope AND source_key = :was"""
)


def carry_over(connection: Connection, scope: int, pass_no: int, pairs: Mapping[str, str]) -> None:
    """Give records to other keys (new key -> former one). What was written stays known; no hash: the record is to be brought up to date.

    The former key keeps a row without an id, outcome `carried`.
    """
    rows = [{"scope": scope, "key": key, "was": was, "pass_no": pass_no} for key, was in pairs.items()]
    if rows:
        connection.execute(_CARRY, [{name: row[name] for name in ("scope", "key", "was")} for row in rows])
        connection.execute(_CARRIED, [{name: row[name] for name in ("scope", "pass_no", "was")} for row in rows])


def carried(connection: Connection, scope: Scope) -> list[str]:
    """Return the keys whose record was given to another key."""
    number, r = scope_number(connection, scope), tables.records.c
    query = select(r.source_key).where(r.scope == number, r.outcome == "carried")
    return [] if number is None else list(connection.execute(query).scalars())


def open_attempts(connection: Connection, account: str, engagement: str | None) -> list[OpenAttempt]:
    """Return attempts without an outcome, oldest first."""
    a, s = tables.attempts, tables.scopes
    query = select(a, s.c.phase, s.c.engagement).join(s, s.c.scope == a.c.scope).where(s.c.account == account).order_by(a.c.attempt_id)
    if engagement is not None:
        query = query.where(s.c.engagement == engagement)
    return [_open_attempt(row) for row in connection.execute(query)]


def attempts_by_id(connection: Connection, scope: int, wanted: Sequence[int]) -> dict[int, Attempt]:
    """Return the open attempts with these ids."""
    a = tables.attempts
    query = select(a).where(a.c.scope == scope, a.c.attempt_id.in_(wanted))
    return {row.attempt_id: _attempt(row) for row in connection.execute(query)}


def open_key(connection: Connection, bulk: Bulk, scope: int, keys: Sequence[str]) -> str | None:
    """Return the first of these keys that has an attempt without an outcome."""
    rows = bulk.select(connection, "attempts", "source_key", scope, keys)
    return rows[0][0] if rows else None


def close_steps(connection: Connection, bulk: Bulk, scope: int, keys: Sequence[str]) -> None:
    """Close the open attempts of these `prepare` steps."""
    statement = text(f"DELETE FROM attempts WHERE scope = :scope AND operation = 'prepare' AND {bulk.matching()}")  # noqa: S608 - constants
    connection.execute(statement, {"scope": scope, "keys": bulk.bind_keys(keys)})


def mark_deleted(connection: Connection, scope: int, pass_no: int, bulk: Bulk, keys: Sequence[str]) -> None:
    """Note that these records are gone from the destination: no id, no applied payload, outcome `deleted`."""
    if keys:
        gone = "destination_id = NULL, applied_hash = NULL, applied_payload = NULL, outcome = 'deleted', outcome_pass = :pass_no"
        values = {"scope": scope, "pass_no": pass_no, "keys": bulk.bind_keys(keys)}
        connection.execute(text(f"UPDATE records SET {gone} WHERE scope = :scope AND {bulk.matching()}"), values)  # noqa: S608 - constants


def counts(connection: Connection, scope: Scope) -> dict[str, int]:
    """Return records by outcome and by held state, and open attempts, as `created`, `waiting`, ..., `open`."""
    number = scope_number(connection, scope)
    if number is None:
        return {"open": 0}
    r, a = tables.records.c, tables.attempts.c
    found = {"open": int(connection.execute(select(func.count()).where(a.scope == number)).scalar_one())}
    for column in (r.outcome, r.held_state):
        query = select(column, func.count()).where(r.scope == number, column.is_not(None)).group_by(column)
        found |= {state: int(count) for state, count in connection.execute(query)}
    return found


def _batches(connection: Connection, bulk: Bulk, columns: str, scope: int, keys: Sequence[str] | None) -> Iterator[Sequence[Any]]:
    if keys is None:
        result = connection.execute(text(f"SELECT {columns} FROM records WHERE scope = :scope"), {"scope": scope})  # noqa: S608 - constants
        while rows := result.fetchmany(ROWS_PER_FETCH):
            yield rows
        return
    for start in range(0, len(keys), KEYS_PER_QUERY):
        yield bulk.select(connection, "records", columns, scope, keys[start : start + KEYS_PER_QUERY])


def _frame(rows: Sequence[Any], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    if not rows:
        return pl.DataFrame(schema=dict(schema))
    columns = zip(*rows, strict=True)
    return pl.DataFrame({name: pl.Series(name, values, dtype) for (name, dtype), values in zip(schema.items(), columns, strict=True)})


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        key=row.source_key,
        operation=row.operation,
        payload_hash=row.payload_hash,
        payload=bytes(row.payload),
        token=row.token,
        cost=row.cost,
        destination_id=row.destination_id,
    )


def _open_attempt(row: Row[Any]) -> OpenAttempt:
    return OpenAttempt(row.attempt_id, row.phase, _attempt(row), _moment(row.sent_utc), utc_moment(row.vendor_utc), row.engagement)


def _moment(value: str) -> datetime:
    return datetime.fromisoformat(value)
