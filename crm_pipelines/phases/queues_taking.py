"""Answers on their way into the map: noted before anything is written, so that a process that died there leaves no riddle.

Belongs here: the note in the audit trail, and the seal that is renewed later for exactly what was noted. Not here: the seal itself
(queues_seal), writing (defs.queues).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson

from crm_pipelines.ledger import AuditEntry, Seal
from crm_pipelines.phases.accounts import newest_seal
from crm_pipelines.phases.confirm import seal_digest
from crm_pipelines.phases.queues_seal import Renewal, renew_seal
from crm_pipelines.phases.session import Session
from crm_pipelines.spec.client_map import ClientMap

TAKING, TAKEN = "answers being taken", "queue resolved"


def as_sealed(client_map: ClientMap) -> dict[str, Any]:
    """Return a client's map as seals hold it."""
    told: dict[str, Any] = orjson.loads(client_map.model_dump_json(exclude_defaults=True))
    return told


def note_taking(session: Session, client_map: ClientMap, owners: Collection[str], seal: Seal | None, by: str, **detail: Any) -> None:
    """Note who answers, for which owners, and a digest of the map that this makes, before any of it is written."""
    noted = {"seal_no": seal.seal_no if seal else None, "map": seal_digest(as_sealed(client_map)), "owners": sorted(owners)}
    session.ledger.add_audit(session.engagement, by, TAKING, {**noted, **detail})


def finish_taking(session: Session, by: str) -> Renewal | None:
    """Renew the seal for answers that were written when the process died before it could; None when there is nothing of the kind.

    Only where the map is exactly what was noted, and nothing else changed.
    """
    entry, seal = _interrupted(session), newest_seal(session.ledger, session.engagement)
    if entry is None or seal is None or entry.detail["seal_no"] != seal.seal_no:
        return None
    declared = as_sealed(session.project.client_map)
    if seal_digest(declared) != entry.detail["map"]:
        return None
    renewal = renew_seal(session, seal, declared, entry.detail["owners"], by)
    if renewal.seal_no is None:
        return None
    detail = {"seal_no": renewal.seal_no, "answered_by": entry.by, "cites": entry.audit_no}
    session.ledger.add_audit(session.engagement, by, TAKEN, detail)
    return renewal


def _interrupted(session: Session) -> AuditEntry | None:
    """Return the last note of answers, unless they were taken to the end."""
    entries = [each for each in session.ledger.audit(session.engagement) if each.what in (TAKING, TAKEN)]
    return entries[-1] if entries and entries[-1].what == TAKING else None
