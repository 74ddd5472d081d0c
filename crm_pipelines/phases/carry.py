"""Merged people whose record was made under a key that survives no longer: the record stays theirs, and goes on under the new key.

Belongs here: which records change keys, and the change in the ledger. Not here: who is one person (phases.resolve), what the record then
receives (phases.update), records of twins that were both loaded (phases.reconcile lists them as left over).

A client says that two are one after only one of them arrived, or a later export brings a lower key with the same address. The new survivor
is not in the ledger then, and making it would make one person twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson
import polars as pl

from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import scan_resolved
from crm_pipelines.phases.session import Session


def aliases(project: Project, phase: str) -> dict[str, list[str]]:
    """Return key -> keys that were merged into it, of the phase that makes people; nothing for other phases."""
    people = project.spec.derive.contacts
    if phase != people.phase:
        return {}
    merged = scan_resolved(project.resolved_folder, project.compiled.phases[phase].derived).filter(pl.col("aliases").list.len() > 0)
    return dict(merged.select("key", "aliases").collect().iter_rows())


def moving(session: Session, phase: str, keys: Collection[str] | None = None) -> dict[str, str]:
    """Return survivor -> the key whose record becomes its: the survivor has none, and this is the first of its aliases that has one."""
    merged = {key: others for key, others in aliases(session.project, phase).items() if keys is None or key in keys}
    asked = sorted({*merged, *(other for others in merged.values() for other in others)})
    ids = session.ledger.ids(session.account, session.engagement, phase, asked) if merged else {}
    found = {key: next((other for other in others if other in ids), None) for key, others in merged.items() if key not in ids}
    return {key: other for key, other in found.items() if other is not None}


def carry_over(session: Session, phase: str, keys: Collection[str]) -> dict[str, str]:
    """Give survivors among these keys the records of their aliases; the ledger says so, and what they hold is compared as ever."""
    pairs = moving(session, phase, keys)
    if pairs:
        session.ledger.carry_over(session.account, session.engagement, phase, session.pass_no, session.fence, pairs)
    return pairs


def taken_apart(session: Session, phase: str) -> dict[str, list[dict[str, Any]]]:
    """Return key -> what is wanted now of the people whom an earlier seal called the same as that key, and who are others again.

    Only the map's own word counts: an export that says less than the one before takes nobody apart.
    """
    people = session.project.spec.derive.contacts
    if phase != people.phase:
        return {}
    seals = session.ledger.seals(session.engagement)
    groups = {tuple(group) for seal in seals for group in (seal.content["map"].get("same") or {}).get(people.from_, ())}
    if not groups:
        return {}
    keys, merged = {key.strip() for group in groups for key in group}, aliases(session.project, phase)
    rows = session.project.mapped(phase, "key", "payload").filter(pl.col("key").is_in(sorted(keys)))
    wanted = {key: orjson.loads(payload) for key, payload in rows.iter_rows()}
    found: dict[str, list[dict[str, Any]]] = {}
    for group in groups:
        apart = [key.strip() for key in group if key.strip() in wanted]
        for key in apart:
            found.setdefault(key, []).extend(wanted[other] for other in apart if other != key and other not in merged.get(key, ()))
    return {key: others for key, others in found.items() if others}


def foreseen(records: pl.DataFrame, pairs: Mapping[str, str]) -> pl.DataFrame:
    """Return the ledger's records as they will be once these records changed keys."""
    if not pairs:
        return records
    ids = dict(records.filter(pl.col("key").is_in(list(pairs.values()))).select("key", "destination_id").iter_rows())
    gone = {*pairs, *pairs.values()}
    moved = pl.DataFrame({"key": list(pairs), "destination_id": [ids[was] for was in pairs.values()]}, schema=["key", "destination_id"])
    held = records.filter(pl.col("key").is_in(list(pairs))).drop("destination_id", "applied_hash")
    return pl.concat([records.filter(~pl.col("key").is_in(list(gone))), moved.join(held, on="key", how="left")], how="diagonal_relaxed")
