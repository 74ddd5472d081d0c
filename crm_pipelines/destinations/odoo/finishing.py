"""What makes a record whole after it was created or changed: un-archiving, posting, cancelling, the day it was closed.

Belongs here: second steps, and how a half-done record is told from a changed one. Not here: the first step (loading, changing),
when it is asked for (write, lookup).

A record that nobody touched since it was created has equal create and write times; only such a record is finished later, so
that what a person archived or reset is left alone. Of a changed one, only what was written since the change was sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_pipelines.destinations.odoo import values
from crm_pipelines.destinations.odoo.api import Api, error_of
from crm_pipelines.destinations.odoo.loading import NARROWABLE
from crm_pipelines.destinations.odoo.models import Model
from crm_pipelines.destinations.odoo.shape import status_fields, status_of
from crm_pipelines.destinations.odoo.values import Unfit
from crm_pipelines.errors import CrmError, OutcomeUnknown

ADDRESS = ("street", "street2", "city", "zip", "state_id", "country_id")
BUTTONS = {"posted": "action_post", "cancel": "button_cancel"}
"""Wanted state of an invoice -> the method that leads to it from a draft."""
CHANGED_IN_STEPS: Mapping[str, tuple[str, ...]] = {"invoices": ("state",), "deals": ("active", "date_closed")}
"""Phases whose updates may take several calls -> what tells how far they came."""
CLOSED_ON = "date_closed="
"""Step that writes a moment; it follows."""
CLOCK_MARGIN = timedelta(seconds=2)  # write_date is read in whole seconds, and clocks differ


async def finish(api: Api, model: Model, wanted: Mapping[int, str], attempt_id: int | None) -> dict[int, str]:
    """Take fresh records to what is wanted of them: `active`, `posted`, `cancel`, `no_date_closed`, `date_closed=<moment>`.

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
            raise OutcomeUnknown(f"{model.phase}.{_name(step)}: the first step was made, and the second got no answer") from error
    return failed


async def unfinished(api: Api, model: Model, payloads: Mapping[int, Mapping[str, Any]]) -> dict[int, str]:
    """Return id -> step of records that were created and never taken further, by their times."""
    wanted = {number: step for number, payload in payloads.items() if (step := step_of(model, payload)) is not None}
    if not wanted:
        return {}
    state = HALF[model.phase][0]
    fields = [state, "create_date", "write_date"]
    read = await api.call(f"list.{model.phase}", model.name, "read", ids=sorted(wanted), fields=fields, load=None)
    half = {row["id"] for row in read if row["create_date"] == row["write_date"] and _is_half(model, row[state])}
    return {number: step for number, step in wanted.items() if number in half}


HALF: Mapping[str, tuple[str, Any]] = {"people": ("active", False), "invoices": ("state", "draft"), "deals": ("date_closed", None)}
"""Phase -> the field, and its value while the second step is missing; None for any that is set."""


def _is_half(model: Model, now: Any) -> bool:
    half = HALF[model.phase][1]
    return bool(now) if half is None else now == half


async def interrupted(api: Api, model: Model, sent: Mapping[int, tuple[Mapping[str, Any], datetime]]) -> dict[int, str]:
    """Return id -> step of records whose update began and was never finished, of id -> (desired payload, when it was sent)."""
    if model.phase not in CHANGED_IN_STEPS or not sent:
        return {}
    await api.connect()  # which fields tell a status depends on the version
    fields = [*CHANGED_IN_STEPS[model.phase], *(status_fields(api.version) if model.phase == "deals" else ()), "write_date"]
    out = {}
    for row in await api.call(f"list.{model.phase}", model.name, "read", ids=sorted(sent), fields=fields, load=None):
        payload, moment = sent[row["id"]]
        since = (moment.astimezone(UTC) - CLOCK_MARGIN).strftime("%Y-%m-%d %H:%M:%S")
        step = None
        if str(row["write_date"]) >= since:
            step = _invoice_step(row, payload) if model.phase == "invoices" else _deal_step(row, payload, since)
        if step is not None:
            out[row["id"]] = step
    theirs = await _logged(api, model, list(out)) if model.phase == "invoices" else set()
    return {number: step for number, step in out.items() if number not in theirs}


async def _logged(api: Api, model: Model, ids: Sequence[int]) -> set[int]:
    """Return the records whose state somebody changed: people's changes stand in the chatter, ours never do (tracking_disable).

    Of invoices the times alone say too little: posting one writes to its neighbour in the sequence (`_set_next_made_sequence_gap`).
    """
    if not ids:
        return set()
    domain = [["model", "=", model.name], ["res_id", "in", list(ids)], ["tracking_value_ids.field_id.name", "=", "state"]]
    reply = await api.ask(f"list.{model.phase}", "mail.message", "search_read", domain=domain, fields=["res_id"])
    if reply.fault is not None:  # tracked values are for administrators: nobody can say whose drafts they are
        return set(ids)
    return {row["res_id"] for row in reply.data}


def _invoice_step(row: Mapping[str, Any], payload: Mapping[str, Any]) -> str | None:
    wanted = payload.get("state")
    return str(wanted) if wanted in BUTTONS and row["state"] == "draft" else None


def _deal_step(row: Mapping[str, Any], payload: Mapping[str, Any], since: str) -> str | None:
    """Return how a deal gets back the day it was closed; one that a person closed before the change keeps theirs."""
    status, now = payload.get("status"), row["date_closed"]
    if status != status_of(row) or (now and now < since and status != "open"):
        return None
    try:
        wanted = values.clean("datetime", "date_closed", payload["date_closed"]) if payload.get("date_closed") else False
    except Unfit:  # such a change was never sent
        return None
    return None if now == wanted else f"{CLOSED_ON}{wanted}" if wanted else "no_date_closed"


def step_of(model: Model, payload: Mapping[str, Any]) -> str | None:
    """Return what a record made from a payload may need after it was created."""
    if model.phase == "people" and payload.get("parent_id"):
        return "active"
    if model.phase == "invoices" and payload.get("state") in BUTTONS:
        return str(payload["state"])
    if model.phase == "deals" and payload.get("status") == "won" and not payload.get("date_closed"):
        return "no_date_closed"  # crm_lead.py puts the moment of the import there
    return None


async def _step(api: Api, model: Model, step: str, ids: Sequence[int], attempt_id: int | None) -> dict[int, str]:
    arguments: dict[str, Any] = {}
    method = BUTTONS.get(step, "write")
    if step == "active":
        arguments = {"vals": {"active": True}}
    elif step == "no_date_closed":
        arguments = {"vals": {"date_closed": False}}
    elif step.startswith(CLOSED_ON):
        arguments = {"vals": {"date_closed": step.removeprefix(CLOSED_ON)}}
    operation = f"{model.phase}.{_name(step)}"
    reply = await api.ask(
        operation, model.name, method, ids=list(ids), context=model.context, attempt_id=attempt_id, writes=True, **arguments
    )
    if reply.fault is None:
        return {}
    if reply.fault.kind not in NARROWABLE:
        raise error_of(operation, reply.fault)
    if len(ids) == 1:
        return {ids[0]: f"created, not {_name(step)}: {reply.fault.reason}"}
    middle = len(ids) // 2
    return {
        **await _step(api, model, step, ids[:middle], attempt_id),
        **await _step(api, model, step, ids[middle:], attempt_id),
    }


def _name(step: str) -> str:
    """Return a step without its value, for logs."""
    return step.partition("=")[0]
