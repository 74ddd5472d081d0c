"""Deletes: what has to be undone first, per model, so that Odoo lets a record go.

Belongs here: the ways out of confirmed and posted. Not here: which records to delete (rollback). Source: what blocks unlink on
19.0, measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines.destinations.batches import Batch
from crm_pipelines.destinations.odoo.api import Api, error_of
from crm_pipelines.destinations.odoo.listing import NO_ACTIVE_TEST
from crm_pipelines.destinations.odoo.loading import NARROWABLE
from crm_pipelines.destinations.odoo.models import Model
from crm_pipelines.destinations.sending import Sent


async def delete(api: Api, model: Model, batch: Batch, rows: Sequence[tuple[int, WriteRow]]) -> None:
    """Delete records and say what became of each; one that is gone already counts as deleted. Its external id goes with it."""
    wanted = sorted({int(row.destination_id or 0) for _, row in rows})
    fields = ["state", "locked"] if model.phase == "orders" else ["state"] if model.phase == "invoices" else ["id"]
    domain = [["id", "in", wanted]]
    there = await api.search_read(f"list.{model.phase}", model.name, domain, fields, context=NO_ACTIVE_TEST)
    attempt_id = rows[0][0]
    await _release(api, model, there, attempt_id)
    faults = await _unlink(api, model, [record["id"] for record in there], attempt_id)
    for number, row in rows:
        reason = faults.get(int(row.destination_id or 0))
        batch.answer(number, Sent("deleted", row.destination_id) if reason is None else Sent("refused", row.destination_id, reason))


async def _release(api: Api, model: Model, there: Sequence[dict[str, Any]], attempt_id: int) -> None:
    if model.phase == "orders":
        await _press(api, model, "action_unlock", [each["id"] for each in there if each["locked"]], attempt_id)
        await _press(api, model, "action_cancel", [each["id"] for each in there if each["state"] not in {"draft", "cancel"}], attempt_id)
    elif model.phase == "invoices":
        await _press(api, model, "button_draft", [each["id"] for each in there if each["state"] != "draft"], attempt_id)


async def _press(api: Api, model: Model, method: str, ids: list[int], attempt_id: int) -> None:
    if ids:
        await api.call(f"{model.phase}.delete", model.name, method, ids=ids, context=model.context, attempt_id=attempt_id, writes=True)


async def _unlink(api: Api, model: Model, ids: list[int], attempt_id: int) -> dict[int, str]:
    """Return id -> reason of those that Odoo keeps."""
    if not ids:
        return {}
    reply = await api.ask(f"{model.phase}.delete", model.name, "unlink", ids=ids, context=model.context, attempt_id=attempt_id, writes=True)
    if reply.fault is None:
        return {}
    if reply.fault.kind not in NARROWABLE:
        raise error_of(f"{model.phase}.delete", reply.fault)
    if len(ids) == 1:
        return {} if reply.fault.kind == "gone" else {ids[0]: reply.fault.reason}
    middle = len(ids) // 2
    return {**await _unlink(api, model, ids[:middle], attempt_id), **await _unlink(api, model, ids[middle:], attempt_id)}
