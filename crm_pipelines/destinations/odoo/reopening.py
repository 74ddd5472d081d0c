"""Deals that were lost and are open again: Odoo's own way back, which finds their probability anew.

Belongs here: which deals of an update that is, and the call. Not here: what else changes on them (changing).

`write` of `active` leaves a reopened deal at 0 %, for good: its probability counts as given by hand (crm_lead.py, `action_restore`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from crm_pipelines.destinations.odoo import listing
from crm_pipelines.destinations.odoo.api import Api, error_of
from crm_pipelines.destinations.odoo.loading import NARROWABLE
from crm_pipelines.destinations.odoo.models import Model

RESTORES_SINCE = 19  # action_restore; before, toggle_active found the probability anew


async def lost_among(api: Api, model: Model, ids: Collection[int]) -> set[int]:
    """Return those of deals that are lost: archived, at 0 %."""
    rows = await listing.records(api, model, sorted(ids), ["active", "probability"]) if ids else []
    return {row["id"] for row in rows if not row["active"] and not row["probability"]}


async def reopen(api: Api, model: Model, ids: Sequence[int], attempt_id: int) -> Mapping[int, str]:
    """Take lost deals back to open. Shape: id -> reason, of those alone that Odoo refused. Raises: as `Api.ask`."""
    if not ids:
        return {}
    method = "action_restore" if api.version[0] >= RESTORES_SINCE else "toggle_active"
    told: dict[str, Any] = {"ids": list(ids), "context": model.context, "attempt_id": attempt_id, "writes": True}
    reply = await api.ask("deals.reopen", model.name, method, **told)
    if reply.fault is None:
        return {}
    if reply.fault.kind not in NARROWABLE:
        raise error_of("deals.reopen", reply.fault)
    if len(ids) == 1:
        return {ids[0]: reply.fault.reason}
    middle = len(ids) // 2
    return {**await reopen(api, model, ids[:middle], attempt_id), **await reopen(api, model, ids[middle:], attempt_id)}
