"""Deletes: what has to be undone first, per model, so that Odoo lets a record go.

Belongs here: the ways out of confirmed and posted. Not here: which records to delete (rollback). Source: what blocks unlink on
19.0, measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines.destinations.batches import Batch
from crm_pipelines.destinations.odoo import books
from crm_pipelines.destinations.odoo.api import Api, error_of
from crm_pipelines.destinations.odoo.listing import NO_ACTIVE_TEST
from crm_pipelines.destinations.odoo.loading import NARROWABLE
from crm_pipelines.destinations.odoo.models import Model
from crm_pipelines.destinations.sending import Sent


async def delete(api: Api, model: Model, batch: Batch, rows: Sequence[tuple[int, WriteRow]]) -> None:
    """Delete records and say what became of each; one that is gone already counts as deleted. Its external id goes with it."""
    wanted = sorted({int(row.destination_id or 0) for _, row in rows})
    fields = {"orders": ["state", "locked"], "invoices": list(books.STATE_FIELDS)}.get(model.phase, ["id"])
    domain = [["id", "in", wanted]]
    there = await api.search_read(f"list.{model.phase}", model.name, domain, fields, context=NO_ACTIVE_TEST)
    attempt_id = rows[0][0]
    faults = await _release(api, model, there, attempt_id)
    faults |= await _unlink(api, model, [record["id"] for record in there if record["id"] not in faults], attempt_id)
    for number, row in rows:
        reason = faults.get(int(row.destination_id or 0))
        batch.answer(number, Sent("deleted", row.destination_id) if reason is None else Sent("refused", row.destination_id, reason))


async def _release(api: Api, model: Model, there: Sequence[dict[str, Any]], attempt_id: int) -> dict[int, str]:
    """Take the ways out; id -> reason of those that Odoo keeps as they are."""
    faults: dict[int, str] = {}
    if model.phase == "orders":
        faults = await _press(api, model, "action_unlock", [each["id"] for each in there if each["locked"]], attempt_id)
        open_ = [each["id"] for each in there if each["state"] not in {"draft", "cancel"} and each["id"] not in faults]
        faults |= await _press(api, model, "action_cancel", open_, attempt_id)
    elif model.phase == "invoices":
        faults = {each["id"]: reason for each in there if (reason := books.keeps_posted(each, books.Books(), ["delete"]))}
        closed = [each["id"] for each in there if each["state"] != "draft" and each["id"] not in faults]
        faults |= await _press(api, model, "button_draft", closed, attempt_id)
    return faults


async def _press(api: Api, model: Model, method: str, ids: list[int], attempt_id: int) -> dict[int, str]:
    return await _narrowed(api, model, method, ids, attempt_id, model.context)


async def _unlink(api: Api, model: Model, ids: list[int], attempt_id: int) -> dict[int, str]:
    return await _narrowed(api, model, "unlink", ids, attempt_id, None)


async def _narrowed(  # noqa: PLR0917 - one call, as the server takes it
    api: Api, model: Model, method: str, ids: list[int], attempt_id: int, context: Mapping[str, object] | None
) -> dict[int, str]:
    """Call a method of records. Shape: id -> reason, of those alone that it refused; gone ones are not among them."""
    if not ids:
        return {}
    operation = f"{model.phase}.delete"
    reply = await api.ask(operation, model.name, method, ids=ids, context=context, attempt_id=attempt_id, writes=True)
    if reply.fault is None:
        return {}
    if reply.fault.kind not in NARROWABLE:
        raise error_of(operation, reply.fault)
    if len(ids) == 1:
        return {} if reply.fault.kind == "gone" else {ids[0]: reply.fault.reason}
    middle = len(ids) // 2
    first, second = ids[:middle], ids[middle:]
    return {
        **await _narrowed(api, model, method, first, attempt_id, context),
        **await _narrowed(api, model, method, second, attempt_id, context),
    }
