"""What people and the walker decided: passes, gates, seals, the audit trail, and what prepare made.

Belongs here: small rows, one at a time. Not here: what a gate compares (phases.reconcile), what a seal covers
(discovery.seal).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import polars as pl
from sqlalchemy import Connection, func, select, text

from crm_pipelines.errors import LedgerError, SettingsError
from crm_pipelines.ledger import tables
from crm_pipelines.ledger.store import utc_moment, utc_text

SealKind = Literal["sample", "full"]
MADE_SCHEMA: dict[str, pl.DataType] = {name: pl.String() for name in ("kind", "phase", "name", "destination_id")}


@dataclass(frozen=True, slots=True)
class Pass:
    """One walk over an engagement: the load of one intake, from open to closed."""

    engagement: str
    pass_no: int
    account: str
    intake: str
    opened_utc: datetime
    closed_utc: datetime | None


@dataclass(frozen=True, slots=True)
class Gate:
    """The verdict on one phase of one pass."""

    engagement: str
    pass_no: int
    phase: str
    passed: bool
    detail: Mapping[str, Any]
    accepted_by: str | None = None
    accepted_reason: str | None = None
    judged_utc: datetime | None = None
    """When the verdict was stored last; None of one that is not stored yet."""

    @property
    def is_open(self) -> bool:
        """True when the next phase may start."""
        return self.passed or self.accepted_by is not None


@dataclass(frozen=True, slots=True)
class Seal:
    """A stored confirmation of a map."""

    engagement: str
    seal_no: int
    kind: SealKind
    digest: str
    content: Mapping[str, Any]
    by: str
    cites: int | None
    without_sample_reason: str | None
    sealed_utc: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that a person confirmed, accepted, decided or resolved."""

    engagement: str
    audit_no: int
    done_utc: datetime
    by: str
    what: str
    detail: Mapping[str, Any]
    """What it cites, in plain values; never a field's value."""


_ENGAGEMENT = text(
    """INSERT INTO engagements (engagement, account, created_utc) VALUES (:engagement, :account, :now)
    ON CONFLICT (engagement, account) DO NOTHING"""
)
_PASS = text(
    "INSERT INTO passes (engagement, pass_no, account, intake, opened_utc) VALUES (:engagement, :pass_no, :account, :intake, :now)"
)
_CLOSE = text("UPDATE passes SET closed_utc = coalesce(closed_utc, :now) WHERE engagement = :engagement AND pass_no = :pass_no")
_GATE = text(
    """INSERT INTO gates (engagement, pass_no, phase, passed, detail, recorded_utc)
    VALUES (:engagement, :pass_no, :phase, :passed, :detail, :now)
    ON CONFLICT (engagement, pass_no, phase) DO UPDATE SET
        accepted_by = CASE WHEN gates.detail = excluded.detail THEN gates.accepted_by END,
        accepted_reason = CASE WHEN gates.detail = excluded.detail THEN gates.accepted_reason END,
        accepted_utc = CASE WHEN gates.detail = excluded.detail THEN gates.accepted_utc END,
        passed = excluded.passed, detail = excluded.detail, recorded_utc = excluded.recorded_utc"""
)
_ACCEPT = text(
    """UPDATE gates SET accepted_by = :by, accepted_reason = :reason, accepted_utc = :now
    WHERE engagement = :engagement AND phase = :phase AND pass_no = (
        SELECT max(pass_no) FROM gates WHERE engagement = :engagement AND phase = :phase)"""
)
_SEAL = text(
    """INSERT INTO seals (engagement, seal_no, kind, digest, content, sealed_by, cites, without_sample_reason, sealed_utc)
    VALUES (:engagement, :seal_no, :kind, :digest, :content, :by, :cites, :without_sample_reason, :now)"""
)
_AUDIT = text(
    """INSERT INTO audit (engagement, audit_no, done_utc, done_by, what, detail)
    VALUES (:engagement, :audit_no, :now, :by, :what, :detail)"""
)
_MADE = text(
    """INSERT INTO made (account, engagement, kind, phase, name, destination_id, made_utc)
    VALUES (:account, :engagement, :kind, :phase, :name, :destination_id, :now)
    ON CONFLICT (account, engagement, kind, phase, name) DO UPDATE SET destination_id = excluded.destination_id"""
)


def open_pass(connection: Connection, engagement: str, account: str, intake: str, now: datetime) -> int:
    """Return the number of the engagement's open pass in this account; opens the next when there is none."""
    found = current_pass(connection, engagement, account)
    if found is not None:
        return found.pass_no
    p = tables.passes.c
    newest = connection.execute(select(func.max(p.pass_no)).where(p.engagement == engagement)).scalar()
    values = {"engagement": engagement, "account": account, "intake": intake, "pass_no": (newest or 0) + 1, "now": utc_text(now)}
    connection.execute(_ENGAGEMENT, values)
    connection.execute(_PASS, values)
    return (newest or 0) + 1


def close_pass(connection: Connection, engagement: str, pass_no: int, now: datetime) -> None:
    """Close a pass; closing it again changes nothing."""
    found = connection.execute(_CLOSE, {"engagement": engagement, "pass_no": pass_no, "now": utc_text(now)})
    if found.rowcount != 1:
        raise LedgerError(f"engagement {engagement} has no pass {pass_no}: it was purged, or this is another ledger; check CRM_LEDGER_URL")


def current_pass(connection: Connection, engagement: str, account: str | None) -> Pass | None:
    """Return the newest open pass."""
    return _pass(connection, engagement, account, is_open=True)


def last_closed(connection: Connection, engagement: str, account: str | None) -> Pass | None:
    """Return the newest closed pass."""
    return _pass(connection, engagement, account, is_open=False)


def record_gate(connection: Connection, verdict: Gate, now: datetime) -> None:
    """Store a verdict; an acceptance survives only while the detail is the one that was accepted."""
    values = {"engagement": verdict.engagement, "pass_no": verdict.pass_no, "phase": verdict.phase, "passed": int(verdict.passed)}
    connection.execute(_GATE, {**values, "detail": _json(verdict.detail), "now": utc_text(now)})


def gate(connection: Connection, engagement: str, pass_no: int, phase: str) -> Gate | None:
    """Return the verdict on a phase, None when it was not judged yet."""
    g = tables.gates.c
    query = select(tables.gates).where(g.engagement == engagement, g.pass_no == pass_no, g.phase == phase)
    row = connection.execute(query).first()
    if row is None:
        return None
    judged = datetime.fromisoformat(row.recorded_utc)
    return Gate(engagement, pass_no, phase, bool(row.passed), json.loads(row.detail), row.accepted_by, row.accepted_reason, judged)


def accept_gate(connection: Connection, engagement: str, phase: str, *, by: str, reason: str, now: datetime) -> None:
    """Open the newest gate of a phase on a person's word."""
    values = {"engagement": engagement, "phase": phase, "by": by, "reason": reason, "now": utc_text(now)}
    if connection.execute(_ACCEPT, values).rowcount != 1:
        raise SettingsError(f"engagement {engagement} has no gate {phase} to accept: run the phase first, or check the name of the phase")


def add_seal(
    connection: Connection,
    engagement: str,
    kind: SealKind,
    *,
    digest: str,
    content: Mapping[str, Any],
    by: str,
    cites: int | None,
    without_sample_reason: str | None,
    now: datetime,
) -> int:
    """Store a seal; returns its number."""
    s = tables.seals.c
    newest = connection.execute(select(func.max(s.seal_no)).where(s.engagement == engagement)).scalar()
    values = {"engagement": engagement, "seal_no": (newest or 0) + 1, "kind": kind, "digest": digest, "content": _json(content)}
    rest = {"by": by, "cites": cites, "without_sample_reason": without_sample_reason, "now": utc_text(now)}
    connection.execute(_SEAL, {**values, **rest})
    return (newest or 0) + 1


def latest_seal(connection: Connection, engagement: str, kind: SealKind) -> Seal | None:
    """Return the newest seal of a kind."""
    s = tables.seals.c
    query = select(tables.seals).where(s.engagement == engagement, s.kind == kind).order_by(s.seal_no.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else _seal(row)


def _seal(row: Any) -> Seal:
    return Seal(
        engagement=row.engagement,
        seal_no=row.seal_no,
        kind=row.kind,
        digest=row.digest,
        content=json.loads(row.content),
        by=row.sealed_by,
        cites=row.cites,
        without_sample_reason=row.without_sample_reason,
        sealed_utc=datetime.fromisoformat(row.sealed_utc),
    )


def seals(connection: Connection, engagement: str) -> list[Seal]:
    """Return every seal of an engagement, oldest first."""
    s = tables.seals.c
    query = select(tables.seals).where(s.engagement == engagement).order_by(s.seal_no)
    return [_seal(row) for row in connection.execute(query)]


def add_audit(connection: Connection, engagement: str, *, by: str, what: str, detail: Mapping[str, Any], now: datetime) -> int:
    """Add an entry to the trail; returns its number."""
    a = tables.audit.c
    newest = connection.execute(select(func.max(a.audit_no)).where(a.engagement == engagement)).scalar()
    values = {"engagement": engagement, "audit_no": (newest or 0) + 1, "by": by, "what": what, "detail": _json(detail)}
    connection.execute(_AUDIT, {**values, "now": utc_text(now)})
    return (newest or 0) + 1


def audit(connection: Connection, engagement: str) -> list[AuditEntry]:
    """Return the trail of an engagement, oldest first."""
    a = tables.audit.c
    query = select(tables.audit).where(a.engagement == engagement).order_by(a.audit_no)
    return [
        AuditEntry(engagement, row.audit_no, datetime.fromisoformat(row.done_utc), row.done_by, row.what, json.loads(row.detail))
        for row in connection.execute(query)
    ]


def record_made(
    connection: Connection, account: str, engagement: str, *, kind: str, phase: str, name: str, destination_id: str, now: datetime
) -> None:
    """Remember that prepare made this."""
    values = {"account": account, "engagement": engagement, "kind": kind, "phase": phase, "name": name}
    connection.execute(_MADE, {**values, "destination_id": destination_id, "now": utc_text(now)})


def made(connection: Connection, account: str, engagement: str) -> pl.DataFrame:
    """Return what prepare made, in the order of kind, phase and name."""
    m = tables.made.c
    query = select(m.kind, m.phase, m.name, m.destination_id).where(m.account == account, m.engagement == engagement)
    rows = connection.execute(query.order_by(m.kind, m.phase, m.name)).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=MADE_SCHEMA, orient="row")


def _pass(connection: Connection, engagement: str, account: str | None, *, is_open: bool) -> Pass | None:
    p = tables.passes.c
    state = p.closed_utc.is_(None) if is_open else p.closed_utc.is_not(None)
    query = select(tables.passes).where(p.engagement == engagement, state).order_by(p.pass_no.desc()).limit(1)
    if account is not None:
        query = query.where(p.account == account)
    row = connection.execute(query).first()
    if row is None:
        return None
    opened = datetime.fromisoformat(row.opened_utc)
    return Pass(engagement, row.pass_no, row.account, row.intake, opened, utc_moment(row.closed_utc))


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
