"""Persons, v2.

Belongs here: their keys and rules: names, e-mails, phones, marketing status, contact-sync fields. Not here: rules
shared with other entities (links, views, records), merging (merge).
Source: S2 addPerson, updatePerson, getPersons; recorded live: first_name recomputes name, e-mails are replaced
wholesale (pipedrive-mcp write_test).
"""

from __future__ import annotations

import re
from typing import Any

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive import views
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, forbidden, invalid, ok
from crm_pipelines.sandbox.pipedrive.links import check_links, merged_custom_fields
from crm_pipelines.sandbox.pipedrive.listing import CHANGED, ORDER, PAGING, Listed, as_ids, as_int, list_v2, read_query
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.records import delete_record, live_record, readable_record, utc
from crm_pipelines.sandbox.pipedrive.store import Record

EMAIL_LABELS = ("work", "home", "other")
PHONE_LABELS = ("work", "home", "mobile", "other")
SYNC_ONLY = ("notes", "im", "birthday", "job_title", "postal_address")  # 403 without contact sync; migration guide
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def _contact(labels: tuple[str, ...]) -> v.Check:
    return v.array(v.record({"value": v.text(), "primary": v.boolean, "label": v.one_of(*labels)}, ["value"]))


_CHANGE: v.Schema = {
    "name": v.text(min_length=1),
    "first_name": v.nullable(v.text()),
    "last_name": v.nullable(v.text()),
    "owner_id": v.integer(),
    "org_id": v.integer(),
    "emails": _contact(EMAIL_LABELS),
    "phones": _contact(PHONE_LABELS),
    "visible_to": v.integer(),
    "label_ids": v.array(v.integer()),
    "marketing_status": v.one_of("no_consent", "unsubscribed", "subscribed", "archived"),
    "custom_fields": v.mapping,
    "notes": v.text(),
    "im": v.array(v.mapping),
    "birthday": v.day,
    "job_title": v.text(),
    "postal_address": v.ADDRESS_CHECK,
}
_CREATE: v.Schema = {**_CHANGE, "add_time": v.moment}  # add_time on POST only, S2
_INCLUDE = (
    "next_activity_id", "last_activity_id", "open_deals_count", "related_open_deals_count", "closed_deals_count",
    "related_closed_deals_count", "participant_open_deals_count", "participant_closed_deals_count", "email_messages_count",
    "activities_count", "done_activities_count", "undone_activities_count", "files_count", "notes_count", "followers_count",
    "won_deals_count", "related_won_deals_count", "lost_deals_count", "related_lost_deals_count", "last_incoming_mail_time",
    "last_outgoing_mail_time", "marketing_status", "doi_status", "smart_bcc_email",
)  # fmt: skip
_LIST = {
    **PAGING,
    **ORDER,
    **CHANGED,
    **views.view_parsers(_INCLUDE),
    "ids": as_ids,
    "owner_id": as_int,
    "org_id": as_int,
    "deal_id": as_int,
}
_SHOWN = (
    "id", "name", "first_name", "last_name", "owner_id", "org_id", "add_time", "update_time", "emails", "phones", "is_deleted",
    "visible_to", "label_ids", "picture_id",
)  # fmt: skip


def show(account: Account, record: Record, view: views.View = views.PLAIN) -> dict[str, Any]:
    """A person as v2 shows it; marketing_status only when asked for and when Campaigns is bought."""
    shown = {key: record[key] for key in _SHOWN}
    if account.config.contact_sync:
        shown.update({key: record["synced"].get(key) for key in SYNC_ONLY})
    shown["custom_fields"] = views.custom_fields(account, "persons", record, view)
    if view.has_labels:
        shown["labels"] = views.labels(account, "persons", record)
    if view.include:
        shown.update(_included(account, record, view.include))
    return shown


def _included(account: Account, record: Record, include: frozenset[str]) -> dict[str, Any]:
    number = record["id"]
    known: dict[str, Any] = {**views.counts(account, "person_id", number), **views.deal_counts(account, "person_id", number)}
    shown = {key: known.get(key) for key in sorted(include - {"marketing_status"})}
    if "marketing_status" in include and account.config.campaigns:
        shown["marketing_status"] = record["marketing_status"]
    return shown


def add(call: Call) -> Answer:
    """POST /persons."""
    body = v.check_body(call.body, _CREATE)
    _check_rules(call, body)
    account = call.account
    now = account.clock.utc()
    emails = _with_primary(body.get("emails", []))
    status = _first_status(account, body.get("marketing_status", "no_consent"), emails)
    record = {
        "id": account.store.table("persons").next_id(),
        **_names(body, {}),
        "owner_id": body.get("owner_id", call.user["id"]),
        "org_id": body.get("org_id"),
        "add_time": utc(body["add_time"]) if "add_time" in body else now,
        "update_time": now,
        "emails": emails,
        "phones": _with_primary(body.get("phones", [])),
        "is_deleted": False,
        "visible_to": body.get("visible_to", 3),
        "label_ids": body.get("label_ids", []),
        "picture_id": None,
        "marketing_status": status,
        "marketing_status_is_final": status != "no_consent",
        "synced": {key: body[key] for key in SYNC_ONLY if key in body},
        "custom_fields": merged_custom_fields(account, "persons", body.get("custom_fields", {}), {}),
    }
    return ok(show(account, account.store.put("persons", record)))


def update(call: Call) -> Answer:
    """PATCH /persons/{id}; e-mails, phones and labels are replaced wholesale."""
    record = live_record(call, "persons")
    body = v.check_body(call.body, _CHANGE)
    _check_rules(call, body, record)
    changed: Record = {**record, **{key: body[key] for key in ("owner_id", "org_id", "visible_to", "label_ids") if key in body}}
    changed.update(_names(body, record), update_time=call.account.clock.utc())
    for key in ("emails", "phones"):
        if key in body:
            changed[key] = _with_primary(body[key])
    if "marketing_status" in body:
        changed.update(_next_status(call.account, body["marketing_status"], changed))
    changed["synced"] = {**record["synced"], **{key: body[key] for key in SYNC_ONLY if key in body}}
    changed["custom_fields"] = merged_custom_fields(call.account, "persons", body.get("custom_fields", {}), record["custom_fields"])
    return ok(show(call.account, call.account.store.put("persons", changed)))


def _check_rules(call: Call, body: dict[str, Any], record: Record | None = None) -> None:
    if record is None and not any(body.get(key) for key in ("name", "first_name", "last_name")):
        raise invalid(["name: Parameter 'name' is required for this request"])
    if not call.account.config.contact_sync and any(key in body for key in SYNC_ONLY):
        raise forbidden()
    check_links(call, body, "persons")


def _names(body: dict[str, Any], before: Record) -> dict[str, Any]:
    """name, first_name and last_name after a write: name is split, or put together from its parts."""
    if "first_name" in body or "last_name" in body:
        first = body.get("first_name", before.get("first_name"))
        last = body.get("last_name", before.get("last_name"))
        return {"name": " ".join(part for part in (first, last) if part), "first_name": first or None, "last_name": last or None}
    name = str(body.get("name") or before.get("name", ""))
    first, _, last = name.rpartition(" ") if " " in name else (name, "", "")
    return {"name": name, "first_name": first or None, "last_name": last or None}


def _with_primary(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries with a label and exactly one primary: the first that says so, else the first."""
    primary = next((i for i, entry in enumerate(entries) if entry.get("primary")), 0)
    return [{"value": e["value"], "primary": i == primary, "label": e.get("label", "work")} for i, e in enumerate(entries)]


def _has_valid_email(emails: list[dict[str, Any]]) -> bool:
    return any(_EMAIL.fullmatch(entry["value"]) for entry in emails)


def _first_status(account: Account, wanted: str, emails: list[dict[str, Any]]) -> str:
    """Without a valid e-mail the status is not set. Source: S2 addPerson."""
    return wanted if account.config.campaigns and _has_valid_email(emails) else "no_consent"


def _next_status(account: Account, wanted: str, record: Record) -> dict[str, Any]:
    """The one allowed change; a forbidden one is silently ignored. Source: S2 addPerson."""
    is_allowed = account.config.campaigns and not record["marketing_status_is_final"] and _has_valid_email(record["emails"])
    if not is_allowed or wanted == record["marketing_status"]:
        return {}
    return {"marketing_status": wanted, "marketing_status_is_final": True}


def get(call: Call) -> Answer:
    """GET /persons/{id}."""
    query = read_query(call, views.view_parsers(_INCLUDE))
    return ok(show(call.account, readable_record(call, "persons"), views.view_of(query)))


def list_all(call: Call) -> Answer:
    """GET /persons."""
    query = read_query(call, _LIST)
    view = views.view_of(query)
    rows = None
    if "deal_id" in query:
        deal = call.account.store.find("deals", query["deal_id"]) or {}
        rows = [row for row in [call.account.store.find("persons", deal.get("person_id"))] if row is not None]
    return list_v2(call, Listed("persons", ("owner_id", "org_id")), query, lambda row: show(call.account, row, view), rows)


def delete(call: Call) -> Answer:
    """DELETE /persons/{id}; its deals and activities stay."""
    return delete_record(call, "persons")


OPERATIONS = [
    Operation("addPerson", "v2", "POST", "/persons", 5, add),
    Operation("getPersons", "v2", "GET", "/persons", 10, list_all),
    Operation("getPerson", "v2", "GET", "/persons/{id}", 1, get),
    Operation("updatePerson", "v2", "PATCH", "/persons/{id}", 5, update),
    Operation("deletePerson", "v2", "DELETE", "/persons/{id}", 3, delete),
]
