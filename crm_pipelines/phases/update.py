"""Updates: what to change in a record that is already there, without overwriting what a person changed since.

Belongs here: what is known of a record and what becomes of it. Not here: the comparison itself (three_way), what people answered in a
conflict (queues_conflicts), sending (phases.load, destinations).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import polars as pl

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines.journal import Attempt, Outcome
from crm_pipelines.phases import carry
from crm_pipelines.phases import queues_conflicts as conflicts
from crm_pipelines.phases.queues_conflicts import Question
from crm_pipelines.phases.session import Session
from crm_pipelines.phases.three_way import CUSTOM, NONE, Changes, Known, by_policy, folded, left_of_others, three_way
from crm_pipelines.spec.client_map import Side
from crm_pipelines.spec.compile import CompiledPhase

WAVE = 100
THEIRS: tuple[Side, ...] = ("theirs",)


def rows(session: Session, phase: str, frame: pl.DataFrame) -> list[WriteRow]:
    """Return the updates to send for rows decided `update` or `adopt`.

    A record with nothing left to change is recorded as applied without a request; one with a conflict, or gone, waits in queue `conflict`.
    Where the vendor keeps source keys itself, an adopted record is sent without changes too: it gets its key.
    """
    wanted = frame.filter(pl.col("decision").is_in(["update", "adopt"]))
    if wanted.is_empty():
        return []
    bases, before = _bases(session, phase, wanted), _before(session, phase, wanted)
    current = _current(session, phase, wanted)
    keeps_keys = session.project.compiled.phases[phase].external_id is None
    former, apart = _former_keys(session, phase, wanted), carry.taken_apart(session, phase)
    out: list[WriteRow] = []
    same: list[WriteRow] = []
    held: dict[str, dict[str, str]] = {}
    asked: dict[str, tuple[str, list[Question]]] = {}
    for row in wanted.iter_rows(named=True):
        key, there = row["key"], current.get(row["destination_id"])
        known = Known(bases.get(key, {}), there or {}, before.get(key))
        is_adopted_now = row["decision"] == "adopt" or known.is_half_adopted
        changes = _changes(session, phase, row, known, is_adopted_now=is_adopted_now)
        questions = [] if there is None else _questions(session, phase, row, known, changes, apart.get(key, ()))
        still_asked = conflicts.carry_out(questions, conflicts.answers_of(session.project, phase, key), changes.fields)
        write = _write_row(session, phase, row, changes.fields, former.get(key, ()))
        if there is None or still_asked:
            reason = "deleted_in_destination" if there is None else conflicts.reason_of(still_asked)
            held[key] = {"key": key, "queue": "conflict", "reason": reason, "hash": row["hash"], "state": "waiting"}
            asked |= {key: (row["destination_id"], still_asked)} if still_asked else {}
        elif changes.fields or ((is_adopted_now or write.former_keys) and keeps_keys):
            out.append(write)
        else:
            same.append(write)
    conflicts.remember(session.project, phase, wanted.get_column("key"), asked)
    _record_same(session, phase, same)
    if held:
        frame = pl.DataFrame(list(held.values()))
        session.ledger.hold(session.account, session.engagement, phase, session.pass_no, session.fence, frame)
    return out


def _questions(  # noqa: PLR0917 - the record from all sides
    session: Session, phase: str, row: Mapping[str, Any], known: Known, changes: Changes, others: Sequence[Mapping[str, Any]]
) -> list[Question]:
    """Return what people have to say of a record: fields that they changed, and what is left of others who were merged in."""
    desired = orjson.loads(row["payload"])
    links = session.project.compiled.phases[phase].links
    found = []
    for name in changes.conflicts:
        sends = row[f"id_{name}"] if name in links else desired[name]
        found.append(Question(name, conflicts.EDITED, desired[name], known.there.get(name), sends))
    inner, inner_there = desired.get(CUSTOM) or {}, known.there.get(CUSTOM) or {}
    for name in changes.custom_conflicts:
        found.append(Question(f"{CUSTOM}.{name}", conflicts.EDITED, inner[name], inner_there.get(name), inner[name]))
    found += _left_questions(session, phase, known, desired, changes, others) if others else []
    return [conflicts.sealed(session.ledger, phase, row["key"], each) for each in found]


def _left_questions(  # noqa: PLR0917 - as above
    session: Session, phase: str, known: Known, desired: Mapping[str, Any], changes: Changes, others: Sequence[Mapping[str, Any]]
) -> list[Question]:
    """Return a question per field that still holds what we wrote of people who are others again; `ours` takes it off, where that can be."""
    limits = session.destination.capabilities
    union, is_added_to = limits.union_fields.get(phase, NONE), limits.added_to_fields.get(phase, NONE)
    found = []
    for name in left_of_others({**known.base, CUSTOM: {}}, desired, known.there, others, union):
        was, now = known.base[name], known.there[name]
        if name not in union:
            found.append(Question(name, conflicts.LEFT, was, now, None, conflicts.BOTH if limits.can_empty else THEIRS))
            continue
        theirs = {folded(item) for other in others for item in other.get(name) or ()}
        gone = ({folded(item) for item in was} - {folded(item) for item in desired.get(name) or ()}) & theirs
        kept = [item for item in changes.fields.get(name, now) if folded(item) not in gone]
        left = [item for item in now if folded(item) in gone]
        found.append(Question(name, conflicts.LEFT, left, left, kept, THEIRS if name in is_added_to else conflicts.BOTH))
    inner = [each.get(CUSTOM) or {} for each in others]
    base, there = known.base.get(CUSTOM) or {}, known.there.get(CUSTOM) or {}
    for name in left_of_others(base, desired.get(CUSTOM) or {}, there, inner, NONE):
        found.append(Question(f"{CUSTOM}.{name}", conflicts.LEFT, base[name], there[name], None))
    return found


def without_changes(session: Session, phase: str, frame: pl.DataFrame) -> list[str]:
    """Return the keys of updates that will send nothing, as long as the destination holds what was written last; reads the ledger only."""
    if frame.is_empty():
        return []
    compiled, settled = session.project.compiled.phases[phase], conflicts.settled(session.project, phase)
    bases, before = _bases(session, phase, frame), _before(session, phase, frame)
    ids = {name: _ids_of(session, parent, (base.get(name) for base in bases.values())) for name, parent in compiled.links.items()}
    idle = []
    for row in frame.iter_rows(named=True):
        base, prior = bases.get(row["key"], {}), before.get(row["key"])
        theirs = {k: v for k, v in (prior or {}).items() if v} if compiled.existing == "fill_empty" else {}
        there = {**base, **{name: ids[name].get(base[name]) for name in ids if base.get(name)}, **theirs}
        known = Known(base, there, prior)
        changes = _changes(session, phase, row, known, is_adopted_now=known.is_half_adopted)
        is_sending = known.is_half_adopted and compiled.external_id is None
        is_sending |= conflicts.sends(changes.fields, settled.get(row["key"], ()), conflicts.answers_of(session.project, phase, row["key"]))
        if not (is_sending or changes.conflicts or changes.custom_conflicts):
            idle.append(row["key"])
    return idle


def _ids_of(session: Session, phase: str, keys: Iterable[str | None]) -> dict[str, str]:
    return session.ledger.ids(session.account, session.engagement, phase, sorted({key for key in keys if key}))


def _changes(session: Session, phase: str, row: Mapping[str, Any], known: Known, *, is_adopted_now: bool) -> Changes:
    compiled = session.project.compiled.phases[phase]
    limits = session.destination.capabilities
    union = limits.union_fields.get(phase, frozenset())
    frozen = limits.create_only_fields.get(phase, frozenset()) | compiled.create_only
    desired = orjson.loads(row["payload"])
    links = {name: row[f"id_{name}"] for name in compiled.links if name in desired}
    wanted = {k: v for k, v in desired.items() if k != CUSTOM and k not in links}
    if is_adopted_now:
        return _adopted(compiled, wanted, desired.get(CUSTOM, {}), links, known.there, union, frozen)
    if known.before is not None and compiled.existing == "leave":
        return _key_only(compiled, known.base, desired)
    kept = known.before if known.before is not None and compiled.existing == "fill_empty" else {}
    changes = three_way(known.base, wanted, known.there, union, frozen, kept=kept)
    inner_base, inner_there = known.base.get(CUSTOM) or {}, known.there.get(CUSTOM) or {}
    inner = three_way(inner_base, desired.get(CUSTOM) or {}, inner_there, NONE, NONE, kept=kept.get(CUSTOM))
    _relink(session, compiled, {name: (desired[name], number) for name, number in links.items()}, known, kept, changes)
    return _with_custom(changes, inner)


def _key_only(compiled: CompiledPhase, base: Mapping[str, Any], desired: Mapping[str, Any]) -> Changes:
    """Return the source key of a record of others that stays as it is, where that key is another one now."""
    name = compiled.external_id
    key = (desired.get(CUSTOM) or {}).get(name) if name is not None else None
    is_new = key is not None and key != (base.get(CUSTOM) or {}).get(name)
    return Changes({CUSTOM: {name: key}}) if is_new else Changes()


def _adopted(  # noqa: PLR0917 - what is wanted, what is there, and what limits it
    compiled: CompiledPhase,
    wanted: Mapping[str, Any],
    custom: Mapping[str, Any],
    links: Mapping[str, Any],
    there: Mapping[str, Any],
    union: frozenset[str],
    frozen: frozenset[str],
) -> Changes:
    changes = by_policy(compiled.existing, wanted, there, union, frozen)
    inner = by_policy(compiled.existing, custom, there.get(CUSTOM) or {}, NONE, NONE)
    if compiled.external_id is not None and compiled.external_id in custom:  # an adopted record gets the source key under every policy
        inner.fields[compiled.external_id] = custom[compiled.external_id]
    changes.fields.update({k: v for k, v in links.items() if v and _may_set(compiled.existing, there.get(k))})
    return _with_custom(changes, inner)


def _relink(  # noqa: PLR0917 - as above
    session: Session,
    compiled: CompiledPhase,
    links: Mapping[str, tuple[str, Any]],
    known: Known,
    kept: Mapping[str, Any],
    changes: Changes,
) -> None:
    """Point links whose parent is another one now to it, unless somebody pointed them elsewhere since."""
    for name, (parent, number) in links.items():
        was, now = known.base.get(name), known.there.get(name)
        if parent == was or now == number or (now and now == kept.get(name)):
            continue
        ids = session.ledger.ids(session.account, session.engagement, compiled.links[name], [was]) if was else {}
        if was and now != ids.get(was):
            changes.conflicts.append(name)
        else:
            changes.fields[name] = number


def _with_custom(changes: Changes, inner: Changes) -> Changes:
    changes.custom_conflicts += inner.conflicts
    if inner.fields:
        changes.fields[CUSTOM] = inner.fields
    return changes


def _may_set(policy: str, now: Any) -> bool:
    return policy == "overwrite" or (policy == "fill_empty" and not now)


def _bases(session: Session, phase: str, wanted: pl.DataFrame) -> dict[str, Mapping[str, Any]]:
    keys = wanted.filter(pl.col("decision") == "update").get_column("key").to_list()
    stored = session.ledger.payloads(session.account, session.engagement, phase, keys)
    return {key: orjson.loads(payload) if payload else {} for key, payload in stored.select("key", "applied_payload").iter_rows()}


def _before(session: Session, phase: str, wanted: pl.DataFrame) -> dict[str, Mapping[str, Any]]:
    """Return how adopted records looked before us; those adopted now are remembered first, for a later rollback."""
    fresh = wanted.filter((pl.col("decision") == "adopt") & pl.col("base").is_not_null()).select("key", "base")
    if fresh.height:
        images = {key: image.encode() for key, image in fresh.iter_rows()}
        session.ledger.remember_before(session.account, session.engagement, phase, session.fence, images)
    keys = wanted.filter(pl.col("decision") == "update").get_column("key").to_list()
    stored = session.ledger.before_images(session.account, session.engagement, phase, keys)
    return {key: orjson.loads(image) for key, image in stored.iter_rows() if image is not None}


def _current(session: Session, phase: str, wanted: pl.DataFrame) -> dict[str, Mapping[str, Any]]:
    """Return what is there now, in one bulk read: what matching read may be hours old, and people work meanwhile.

    Under `leave` nothing of an adopted record is compared, so that what matching read will do.
    """
    known = {}
    if session.project.compiled.phases[phase].existing == "leave":
        matched = wanted.filter((pl.col("decision") == "adopt") & pl.col("base").is_not_null()).select("destination_id", "base")
        known = {number: orjson.loads(base) for number, base in matched.iter_rows()}
    ids = [i for i in wanted.get_column("destination_id").to_list() if i not in known]
    if not ids:
        return known
    frame = session.destination.read(phase, ids, session.journal(phase))
    return {**known, **{i: orjson.loads(payload) for i, payload in frame.select("destination_id", "payload").iter_rows()}}


def _former_keys(session: Session, phase: str, wanted: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the keys that records without an applied hash may have been made under: those of twins merged into them."""
    fresh = wanted.filter((pl.col("decision") == "update") & pl.col("applied_hash").is_null()).get_column("key").to_list()
    merged = carry.aliases(session.project, phase) if fresh else {}
    return {key: tuple(merged[key]) for key in fresh if key in merged}


def _write_row(session: Session, phase: str, row: Mapping[str, Any], changes: Mapping[str, Any], former_keys: tuple[str, ...]) -> WriteRow:
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
        former_keys=former_keys,
    )


def _record_same(session: Session, phase: str, same: Sequence[WriteRow]) -> None:
    journal = session.journal(phase)
    for start in range(0, len(same), WAVE):
        wave = same[start : start + WAVE]
        ids = journal.sending([Attempt(r.key, "update", r.payload_hash, r.payload_json, r.token, 0, r.destination_id) for r in wave], None)
        journal.answered([Outcome(i, r.key, "adopted", r.destination_id) for i, r in zip(ids, wave, strict=True)])
