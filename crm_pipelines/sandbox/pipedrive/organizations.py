"""Organizations, v2.

Belongs here: their keys, rules and reads. Not here: rules shared with other entities (links, views, records).
Source: S2 addOrganization, updateOrganization, getOrganizations.
"""

from __future__ import annotations

from typing import Any

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive import views
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, ok
from crm_pipelines.sandbox.pipedrive.links import check_links, merged_custom_fields
from crm_pipelines.sandbox.pipedrive.listing import CHANGED, ORDER, PAGING, Listed, as_ids, as_int, list_v2, read_query
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.records import delete_record, live_record, readable_record, utc
from crm_pipelines.sandbox.pipedrive.store import Record

_NUMBER = v.nullable(v.integer())
_CHANGE: v.Schema = {
    "name": v.text(min_length=1),
    "owner_id": v.integer(),
    "visible_to": v.integer(),
    "label_ids": v.array(v.integer()),
    "address": v.ADDRESS_CHECK,
    "website": v.nullable(v.text()),
    "linkedin": v.nullable(v.text()),
    "industry": _NUMBER,
    "annual_revenue": _NUMBER,
    "employee_count": _NUMBER,
    "custom_fields": v.mapping,
}
_CREATE: v.Schema = {**_CHANGE, "add_time": v.moment}  # add_time on POST only, S2
_INCLUDE = (
    "next_activity_id", "last_activity_id", "open_deals_count", "related_open_deals_count", "closed_deals_count",
    "related_closed_deals_count", "email_messages_count", "people_count", "activities_count", "done_activities_count",
    "undone_activities_count", "files_count", "notes_count", "followers_count", "won_deals_count", "related_won_deals_count",
    "lost_deals_count", "related_lost_deals_count", "smart_bcc_email",
)  # fmt: skip
_LIST = {**PAGING, **ORDER, **CHANGED, **views.view_parsers(_INCLUDE), "ids": as_ids, "owner_id": as_int}
_SHOWN = (
    "id", "name", "owner_id", "add_time", "update_time", "is_deleted", "visible_to", "address", "label_ids", "website", "linkedin",
    "industry", "annual_revenue", "employee_count",
)  # fmt: skip


def show(account: Account, record: Record, view: views.View = views.PLAIN) -> dict[str, Any]:
    """An organization as v2 shows it."""
    shown = {key: record[key] for key in _SHOWN}
    shown["custom_fields"] = views.custom_fields(account, "organizations", record, view)
    if view.has_labels:
        shown["labels"] = views.labels(account, "organizations", record)
    if view.include:
        number = record["id"]
        people = len(account.store.table("persons").where("org_id", number))
        known = {**views.counts(account, "org_id", number), **views.deal_counts(account, "org_id", number), "people_count": people}
        shown.update({key: known.get(key) for key in sorted(view.include)})
    return shown


def add(call: Call) -> Answer:
    """POST /organizations."""
    body = v.check_body(call.body, _CREATE, ["name"])
    check_links(call, body, "organizations")
    account = call.account
    now = account.clock.utc()
    record = {
        "id": account.store.table("organizations").next_id(),
        "name": body["name"],
        "owner_id": body.get("owner_id", call.user["id"]),
        "add_time": utc(body["add_time"]) if "add_time" in body else now,
        "update_time": now,
        "is_deleted": False,
        "visible_to": body.get("visible_to", 3),
        "address": v.address_out(body.get("address")),
        "label_ids": body.get("label_ids", []),
        **{key: body.get(key) for key in ("website", "linkedin", "industry", "annual_revenue", "employee_count")},
        "custom_fields": merged_custom_fields(account, "organizations", body.get("custom_fields", {}), {}),
    }
    return ok(show(account, account.store.put("organizations", record)))


def update(call: Call) -> Answer:
    """PATCH /organizations/{id}; label_ids replaces the whole set."""
    record = live_record(call, "organizations")
    body = v.check_body(call.body, _CHANGE)
    check_links(call, body, "organizations")
    changed = {**record, **body, "update_time": call.account.clock.utc()}
    if "address" in body:
        changed["address"] = v.address_out(body["address"])
    changed["custom_fields"] = merged_custom_fields(call.account, "organizations", body.get("custom_fields", {}), record["custom_fields"])
    return ok(show(call.account, call.account.store.put("organizations", changed)))


def get(call: Call) -> Answer:
    """GET /organizations/{id}."""
    query = read_query(call, views.view_parsers(_INCLUDE))
    return ok(show(call.account, readable_record(call, "organizations"), views.view_of(query)))


def list_all(call: Call) -> Answer:
    """GET /organizations."""
    query = read_query(call, _LIST)
    view = views.view_of(query)
    return list_v2(call, Listed("organizations", ("owner_id",)), query, lambda row: show(call.account, row, view))


def delete(call: Call) -> Answer:
    """DELETE /organizations/{id}; its people and deals stay."""
    return delete_record(call, "organizations")


OPERATIONS = [
    Operation("addOrganization", "v2", "POST", "/organizations", 5, add),
    Operation("getOrganizations", "v2", "GET", "/organizations", 10, list_all),
    Operation("getOrganization", "v2", "GET", "/organizations/{id}", 1, get),
    Operation("updateOrganization", "v2", "PATCH", "/organizations/{id}", 5, update),
    Operation("deleteOrganization", "v2", "DELETE", "/organizations/{id}", 3, delete),
]
