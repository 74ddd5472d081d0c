"""Updates: what to change in a record that is already there, without overwriting what a person changed since.

Belongs here: the three-way comparison of base (what we wrote), desired and current. Not here: sending (phases.load, destinations).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import polars as pl

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines.journal import Attempt, Outcome
from crm_pipelines.phases.session import Session

CUSTOM = "custom"
WAVE = 100


@dataclass
class Changes:
    """What an update sends, and what it must not touch."""

    fields: dict[str, Any] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    """Names of fields that a person changed since we wrote them."""


def rows(session: Session, phase: str, frame: pl.DataFrame) -> list[WriteRow]:
    """Return the updates to send for rows decided `update` or `adopt`.

    A record with nothing left to change is recorded as applied without a request; one with a conflict waits in queue `conflict`.
    """
    wanted = frame.filter(pl.col("decision").is_in(["update", "adopt"]))
    if wanted.is_empty():
        return []
    bases = _bases(session, phase, wanted)
    current = _current(session, phase, wanted)
    out: list[WriteRow] = []
    same: list[WriteRow] = []
    conflicts: list[dict[str, str]] = []
    for row in wanted.iter_rows(named=True):
        changes = _changes(session, phase, row, bases.get(row["key"]), current.get(row["destination_id"], {}))
        write = _write_row(session, phase, row, changes.fields)
        if changes.conflicts:
            reason = "edited_in_destination: " + ", ".join(sorted(changes.conflicts))
            conflicts.append({"key": row["key"], "queue": "conflict", "reason": reason, "hash": row["hash"], "state": "waiting"})
        elif changes.fields:
            out.append(write)
        else:
            same.append(write)
    _record_same(session, phase, same)
    if conflicts:
        session.ledger.hold(session.account, session.engagement, phase, session.pass_no, session.fence, pl.DataFrame(conflicts))
    return out


def three_way(
    base: Mapping[str, Any], desired: Mapping[str, Any], current: Mapping[str, Any], union: frozenset[str], frozen: frozenset[str]
) -> Changes:
    """Compare what we wrote, what is wanted now and what is there.

    Only fields whose desired value moved are considered; fields in `union` are united with what is there; fields in `frozen`
    can only be set by a create. A field that is neither as we wrote it nor as it should become is a conflict.
    """
    changes = Changes()
    for name, value in desired.items():
        if name in frozen or value == base.get(name):
            continue
        now = current.get(name)
        if name in union:
            united = _united(now, value)
            if united != list(now or []):
                changes.fields[name] = united
        elif now == value:
            continue
        elif not now or now == base.get(name):
            changes.fields[name] = value
        else:
            changes.conflicts.append(name)
    return changes


def by_policy(
    policy: str, desired: Mapping[str, Any], current: Mapping[str, Any], union: frozenset[str], frozen: frozenset[str]
) -> Changes:
    """Return what a record that was there before us receives: `fill_empty`, `overwrite` or `leave` (nothing)."""
    changes = Changes()
    for name, value in desired.items():
        now = current.get(name)
        if name in frozen or now == value:
            continue
        if name in union:
            united = _united(now, value)
            if policy != "leave" and united != list(now or []):
                changes.fields[name] = united
        elif policy == "overwrite" or (policy == "fill_empty" and not now):
            changes.fields[name] = value
    return changes


def _changes(session: Session, phase: str, row: Mapping[str, Any], base: Mapping[str, Any] | None, current: Mapping[str, Any]) -> Changes:
    compiled = session.project.compiled.phases[phase]
    limits = session.destination.capabilities
    union = limits.union_fields.get(phase, frozenset())
    frozen = limits.create_only_fields.get(phase, frozenset()) | compiled.create_only
    desired = orjson.loads(row["payload"])
    links = {name: row.get(f"id_{name}") for name in compiled.links if name in desired}
    wanted, custom = {k: v for k, v in desired.items() if k != CUSTOM and k not in links}, desired.get(CUSTOM, {})
    there, there_custom = dict(current), dict(current.get(CUSTOM) or {})
    if row["decision"] == "adopt":
        changes = by_policy(compiled.existing, wanted, there, union, frozen)
        inner = by_policy(compiled.existing, custom, there_custom, frozenset(), frozenset())
        if compiled.external_id is not None and compiled.external_id in custom:  # an adopted record gets the source key under every policy
            inner.fields[compiled.external_id] = custom[compiled.external_id]
        moved = {k: v for k, v in links.items() if v and _may_set(compiled.existing, there.get(k))}
    else:
        old = base or {}
        changes = three_way(old, wanted, there, union, frozen)
        inner = three_way(old.get(CUSTOM, {}), custom, there_custom, frozenset(), frozenset())
        moved = {k: v for k, v in links.items() if desired[k] != old.get(k)}
    changes.conflicts += inner.conflicts
    changes.fields.update(moved)
    if inner.fields:
        changes.fields[CUSTOM] = inner.fields
    return changes


def _may_set(policy: str, now: Any) -> bool:
    return policy == "overwrite" or (policy == "fill_empty" and not now)


def _united(now: Any, value: Any) -> list[Any]:
    there = list(now or [])
    folded = {_fold(item) for item in there}
    return there + [item for item in value if _fold(item) not in folded]


def _fold(item: Any) -> Any:
    return item.casefold() if isinstance(item, str) else orjson.dumps(item, option=orjson.OPT_SORT_KEYS)


def _bases(session: Session, phase: str, wanted: pl.DataFrame) -> dict[str, Mapping[str, Any]]:
    keys = wanted.filter(pl.col("decision") == "update").get_column("key").to_list()
    stored = session.ledger.payloads(session.account, session.engagement, phase, keys)
    return {key: orjson.loads(payload) if payload else {} for key, payload in stored.select("key", "applied_payload").iter_rows()}


def _current(session: Session, phase: str, wanted: pl.DataFrame) -> dict[str, Mapping[str, Any]]:
    known = {
        row["destination_id"]: orjson.loads(row["base"])
        for row in wanted.filter(pl.col("base").is_not_null()).select("destination_id", "base").iter_rows(named=True)
    }
    ids = [i for i in wanted.get_column("destination_id").to_list() if i not in known]
    if not ids:
        return known
    frame = session.destination.read(phase, ids, session.journal(phase))
    return {**known, **{i: orjson.loads(payload) for i, payload in frame.select("destination_id", "payload").iter_rows()}}


def _write_row(session: Session, phase: str, row: Mapping[str, Any], changes: Mapping[str, Any]) -> WriteRow:
    raw = row["payload"].encode()
    return WriteRow(
        key=row["key"],
        operation="update",
        payload=orjson.loads(raw),
        payload_hash=row["hash"],
        payload_json=raw,
        token=session.token(phase, row["key"]),
        destination_id=row["destination_id"],
        changes=changes,
    )


def _record_same(session: Session, phase: str, same: Sequence[WriteRow]) -> None:
    journal = session.journal(phase)
    for start in range(0, len(same), WAVE):
        wave = same[start : start + WAVE]
        ids = journal.sending([Attempt(r.key, "update", r.payload_hash, r.payload_json, r.token, 0, r.destination_id) for r in wave], None)
        journal.answered([Outcome(i, r.key, "adopted", r.destination_id) for i, r in zip(ids, wave, strict=True)])
