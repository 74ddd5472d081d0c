"""Leads and lead labels, v1.

Belongs here: both. Not here: searching leads (search).
Source: S1 addLead, updateLead, addLeadLabel: ids are UUIDs; custom fields are the deal's, as flat hash keys.
"""

from __future__ import annotations

import hashlib
from typing import Any

from crm_pipelines.sandbox.pipedrive import custom_values
from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, bad_request_v1, not_found_v1, ok
from crm_pipelines.sandbox.pipedrive.deals import check_cap
from crm_pipelines.sandbox.pipedrive.listing import list_v1_flat
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.store import Record, is_deleted

COLORS = ("blue", "brown", "dark-gray", "gray", "green", "orange", "pink", "purple", "red", "yellow")
_LABEL: v.Schema = {"name": v.text(min_length=1), "color": v.one_of(*COLORS)}
_SCHEMA: v.Schema = {
    "title": v.text(min_length=1),
    "owner_id": v.integer(),
    "label_ids": v.array(v.text()),
    "person_id": v.nullable(v.integer()),
    "organization_id": v.nullable(v.integer()),
    "value": v.nullable(v.record({"amount": v.number(), "currency": v.text(3)}, ["amount", "currency"])),
    "expected_close_date": v.nullable(v.day),
    "visible_to": v.one_of("1", "3", "5", "7"),
    "was_seen": v.boolean,
    "is_archived": v.boolean,
    "origin_id": v.nullable(v.text()),
    "channel": v.nullable(v.integer()),
    "channel_id": v.nullable(v.text()),
}


def _uuid(account: Account, table: str) -> str:
    number = len(account.store.table(table).rows) + 1
    text = hashlib.sha256(f"{account.config.seed}/{table}/{number}".encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"


def _shown(account: Account, record: Record) -> dict[str, Any]:
    plain = {key: value for key, value in record.items() if key not in {"custom_fields", "is_deleted"}}
    return {**plain, **account.blank("deals"), **record["custom_fields"]}


def add(call: Call) -> Answer:
    """POST /leads."""
    account = call.account
    custom, body = _split(account, call.body)
    body = v.check_body_v1(body, _SCHEMA, {"title": "Title must be given."})
    if body.get("person_id") is None and body.get("organization_id") is None:
        raise bad_request_v1("A lead must be linked to a person or an organization.")
    _check_rules(account, body)
    check_cap(account)
    now = account.clock.utc().replace("Z", ".000Z")
    record = {
        "id": _uuid(account, "leads"), "title": body["title"], "owner_id": body.get("owner_id", call.user["id"]),
        "creator_id": call.user["id"], "label_ids": body.get("label_ids", []), "person_id": body.get("person_id"),
        "organization_id": body.get("organization_id"), "source_name": "API", "origin": "API", "origin_id": body.get("origin_id"),
        "channel": body.get("channel"), "channel_id": body.get("channel_id"), "source_deal_id": None, "is_archived": False,
        "was_seen": body.get("was_seen", False), "value": body.get("value"), "expected_close_date": body.get("expected_close_date"),
        "next_activity_id": None, "add_time": now, "update_time": now, "visible_to": body.get("visible_to", "3"), "cc_email": "",
        "is_deleted": False, "custom_fields": custom,
    }  # fmt: skip
    return ok(_shown(account, account.store.put("leads", record)), 201)


def update(call: Call) -> Answer:
    """PATCH /leads/{id}."""
    account = call.account
    record = _lead(call)
    custom, body = _split(account, call.body)
    body = v.check_body_v1(body, _SCHEMA)
    _check_rules(account, body)
    changed = {
        **record,
        **body,
        "update_time": account.clock.utc().replace("Z", ".000Z"),
        "custom_fields": {**record["custom_fields"], **custom},
    }
    return ok(_shown(account, account.store.put("leads", changed)))


def _split(account: Account, body: Any) -> tuple[dict[str, Any], Any]:
    """Custom values and the rest of a flat body; leads take the deal's custom fields."""
    if not isinstance(body, dict):
        raise bad_request_v1()
    definitions = account.definitions("deals")
    custom = {key: value for key, value in body.items() if key in definitions}
    if any(custom_values.problem_of(key, value, definitions[key]) is not None for key, value in custom.items()):
        raise bad_request_v1()
    return custom, {key: value for key, value in body.items() if key not in definitions}


def _check_rules(account: Account, body: dict[str, Any]) -> None:
    store = account.store
    for key, table in (("person_id", "persons"), ("organization_id", "organizations"), ("owner_id", "users")):
        if body.get(key) is not None and store.find(table, body[key]) is None:
            raise bad_request_v1(f"{key}: {body[key]} was not found.")
    if any(store.find("lead_labels", label) is None for label in body.get("label_ids", ())):
        raise bad_request_v1("Lead label not found.")


def _lead(call: Call) -> Record:
    record = call.account.store.find("leads", call.params[0])
    if record is None:
        raise not_found_v1("requested lead not found")
    return record


def get(call: Call) -> Answer:
    """GET /leads/{id}."""
    return ok(_shown(call.account, _lead(call)))


def _list(call: Call, is_archived: bool) -> Answer:
    wanted = [(key, call.query[key]) for key in ("owner_id", "person_id", "organization_id") if key in call.query]
    rows = [
        row
        for row in call.account.store.table("leads").live()
        if row["is_archived"] is is_archived and all(str(row[key]) == value for key, value in wanted)
    ]
    return list_v1_flat(call, rows, lambda row: _shown(call.account, row))


def list_all(call: Call) -> Answer:
    """GET /leads; archived ones are left out."""
    return _list(call, is_archived=False)


def list_archived(call: Call) -> Answer:
    """GET /leads/archived."""
    return _list(call, is_archived=True)


def delete(call: Call) -> Answer:
    """DELETE /leads/{id}."""
    record = _lead(call)
    call.account.store.put("leads", {**record, "is_deleted": True})
    return ok({"id": record["id"]})


def list_labels(call: Call) -> Answer:
    """GET /leadLabels: all at once."""
    return ok([_label_shown(row) for row in call.account.store.table("lead_labels").live()])


def add_label(call: Call) -> Answer:
    """POST /leadLabels."""
    body = v.check_body_v1(call.body, _LABEL, {"name": "Name must be given.", "color": "Color must be given."})
    now = call.account.clock.utc().replace("Z", ".000Z")
    record = {"id": _uuid(call.account, "lead_labels"), **body, "add_time": now, "update_time": now, "is_deleted": False}
    return ok(_label_shown(call.account.store.put("lead_labels", record)))


def update_label(call: Call) -> Answer:
    """PATCH /leadLabels/{id}."""
    record = _label(call)
    body = v.check_body_v1(call.body, _LABEL)
    changed = {**record, **body, "update_time": call.account.clock.utc().replace("Z", ".000Z")}
    return ok(_label_shown(call.account.store.put("lead_labels", changed)))


def delete_label(call: Call) -> Answer:
    """DELETE /leadLabels/{id}."""
    record = _label(call)
    call.account.store.put("lead_labels", {**record, "is_deleted": True})
    return ok({"id": record["id"]})


def _label(call: Call) -> Record:
    record = call.account.store.get("lead_labels", call.params[0])
    if record is None or is_deleted(record):
        raise not_found_v1("Lead label not found")
    return record


def _label_shown(record: Record) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "is_deleted"}


OPERATIONS = [
    Operation("getLeads", "v1", "GET", "/leads", 20, list_all),
    Operation("addLead", "v1", "POST", "/leads", 10, add),
    Operation("getArchivedLeads", "v1", "GET", "/leads/archived", 40, list_archived),
    Operation("getLead", "v1", "GET", "/leads/{id}", 2, get),
    Operation("updateLead", "v1", "PATCH", "/leads/{id}", 10, update),
    Operation("deleteLead", "v1", "DELETE", "/leads/{id}", 6, delete),
    Operation("getLeadLabels", "v1", "GET", "/leadLabels", 10, list_labels),
    Operation("addLeadLabel", "v1", "POST", "/leadLabels", 10, add_label),
    Operation("updateLeadLabel", "v1", "PATCH", "/leadLabels/{id}", 10, update_label),
    Operation("deleteLeadLabel", "v1", "DELETE", "/leadLabels/{id}", 6, delete_label),
]
