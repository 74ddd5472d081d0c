"""What makes a record whole after it was created: un-archiving, posting, cancelling.

Belongs here: second steps, and how a half-done record is told from a changed one. Not here: the first step (loading), when it
is asked for (write, lookup).

A record that nobody touched since it was created has equal create and write times; only such a record is finished later, so
that what a person archived or reset is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_pipelines.destinations.odoo.api import Api, error_of
from crm_pipelines.destinations.odoo.loading import NARROWABLE
from crm_pipelines.destinations.odoo.models import Model
from crm_pipelines.errors import CrmError, OutcomeUnknown

ADDRESS = ("street", "street2", "city", "zip", "state_id", "country_id")
BUTTONS = {"posted": "action_post", "cancel": "button_cancel"}
"""Wanted state of an invoice -> the method that leads to it from a draft."""


async def finish(api: Api, model: Model, wanted: Mapping[int, str], attempt_id: int | None) -> dict[int, str]:
    """Take fresh records to what is wanted of them: `active`, `posted`, `cancel`, `no_date_closed`.

    Shape: id -> reason, of those alone that could not be taken there.
    Raises: OutcomeUnknown whenever it is not known how far they came; a look-up finishes them.
    """
    failed: dict[int, str] = {}
    for step in sorted(set(wanted.values())):
        ids = [number for number, each in wanted.items() if each == step]
        try:
            failed |= await _step(api, model, step, ids, attempt_id)
        except OutcomeUnknown:
            raise
        except CrmError as error:  # the records exist: only a look-up may settle them, whatever went wrong
            raise OutcomeUnknown(f"{model.phase}.{step}: records were created, and the second step got no answer") from error
    return failed


async def unfinished(api: Api, model: Model, payloads: Mapping[int, Mapping[str, Any]]) -> dict[int, str]:
    """Return id -> step of records that were created and never taken further, by their times."""
    wanted = {number: step for number, payload in payloads.items() if (step := step_of(model, payload)) is not None}
    if not wanted:
        return {}
    state = "state" if model.phase == "invoices" else "active"
    fields = [state, "create_date", "write_date"]
    read = await api.call(f"list.{model.phase}", model.name, "read", ids=sorted(wanted), fields=fields, load=None)
    untouched = {row["id"]: row[state] for row in read if row["create_date"] == row["write_date"]}
    half = {"invoices": "draft"}.get(model.phase, False)
    return {number: step for number, step in wanted.items() if untouched.get(number, object()) == half}


def step_of(model: Model, payload: Mapping[str, Any]) -> str | None:
    """Return what a record made from a payload may need after it was created."""
    if model.phase == "people" and payload.get("parent_id"):
        return "active"
    if model.phase == "invoices" and payload.get("state") in BUTTONS:
        return str(payload["state"])
    return None


async def _step(api: Api, model: Model, step: str, ids: Sequence[int], attempt_id: int | None) -> dict[int, str]:
    arguments: dict[str, Any] = {}
    method = BUTTONS.get(step, "write")
    if step == "active":
        arguments = {"vals": {"active": True}}
    elif step == "no_date_closed":
        arguments = {"vals": {"date_closed": False}}
    operation = f"{model.phase}.{step}"
    reply = await api.ask(
        operation, model.name, method, ids=list(ids), context=model.context, attempt_id=attempt_id, writes=True, **arguments
    )
    if reply.fault is None:
        return {}
    if reply.fault.kind not in NARROWABLE:
        raise error_of(operation, reply.fault)
    if len(ids) == 1:
        return {ids[0]: f"created, not {step}: {reply.fault.reason}"}
    middle = len(ids) // 2
    return {
        **await _step(api, model, step, ids[:middle], attempt_id),
        **await _step(api, model, step, ids[middle:], attempt_id),
    }
