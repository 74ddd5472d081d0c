"""Activities, v2.

Belongs here: their keys and rules. Not here: their types (activity_types, v1).
Source: S2 addActivity; n8n#31684 (person_id), client-nodejs#661 (due_time), changelogs on connected entities and on the
note's size. Activities have no custom fields.
"""

from __future__ import annotations

from typing import Any

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, bad_request, invalid, ok
from crm_pipelines.sandbox.pipedrive.html import sanitized
from crm_pipelines.sandbox.pipedrive.links import check_links
from crm_pipelines.sandbox.pipedrive.listing import (
    CHANGED,
    PAGING,
    Listed,
    as_bool,
    as_ids,
    as_int,
    as_text,
    list_v2,
    one_of,
    read_query,
    some_of,
)
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.records import delete_record, live_record, readable_record
from crm_pipelines.sandbox.pipedrive.store import Record

PERSON_READ_ONLY = (
    "'person_id' is a read-only field. Add a primary participant to set 'person_id' instead. "
    'For example: "participants": [{ "person_id": 1, "primary": true }]'
)  # n8n#31684, recorded live
NOTE_CAP_BYTES = 102_400  # changelog breaking-change-updating-activities-note-field-limit-sizing, 2025-09-21

_ATTENDEE = {
    "email": v.text(), "name": v.nullable(v.text()), "status": v.nullable(v.text()), "is_organizer": v.nullable(v.boolean),
    "person_id": v.nullable(v.integer()), "user_id": v.nullable(v.integer()),
}  # fmt: skip
_SCHEMA: v.Schema = {
    "subject": v.text(),
    "type": v.text(min_length=1),
    "owner_id": v.integer(),
    "deal_id": v.integer(),
    "lead_id": v.text(),
    "person_id": v.integer(),
    "org_id": v.integer(),
    "project_id": v.integer(),
    "due_date": v.day,
    "due_time": v.clock_time,
    "duration": v.duration,
    "busy": v.boolean,
    "done": v.boolean,
    "location": v.ADDRESS_CHECK,
    "participants": v.array(v.record({"person_id": v.integer(), "primary": v.boolean}, ["person_id"])),
    "attendees": v.array(v.record(_ATTENDEE)),
    "public_description": v.text(),
    "priority": v.integer(),
    "outcome": v.nullable(v.integer()),  # in the official client, not yet in the spec
    "note": v.text(),
}
_EQUAL = ("owner_id", "deal_id", "person_id", "org_id")
_LIST = {
    **PAGING, **CHANGED, "ids": as_ids, **dict.fromkeys(_EQUAL, as_int), "lead_id": as_text, "done": as_bool,
    "sort_by": one_of("id", "update_time", "add_time", "due_date"), "sort_direction": one_of("asc", "desc"),
    "include_fields": some_of("attendees"),
}  # fmt: skip
_PARENTS = ("deal_id", "lead_id", "project_id")  # one only, in this order of precedence; changelog on connected entities


def show(record: Record, has_attendees: bool = False) -> dict[str, Any]:
    """An activity as v2 shows it; attendees only when asked for."""
    return record if has_attendees else {key: value for key, value in record.items() if key != "attendees"}


def add(call: Call) -> Answer:
    """POST /activities; nothing is required."""
    account = call.account
    body = v.check_body(call.body, _SCHEMA)
    kind = _check_rules(call, body) or next(account.store.table("activity_types").live())
    now = account.clock.utc()
    is_done = body.get("done", False)
    record = {
        "id": account.store.table("activities").next_id(),
        "subject": body.get("subject") or kind["name"],
        "type": kind["key_string"],
        "owner_id": body.get("owner_id", call.user["id"]),
        "creator_user_id": call.user["id"],
        "is_deleted": False,
        "add_time": now,
        "update_time": now,
        **_parents(body, {}),
        **_people(body, {}),
        "org_id": body.get("org_id"),
        "due_date": body.get("due_date") or None,
        "due_time": _clock(body.get("due_time")),
        "duration": _clock(body.get("duration")),
        "busy": body.get("busy", False),
        "done": is_done,
        "marked_as_done_time": now if is_done else None,
        "location": v.address_out(body.get("location")),
        "attendees": body.get("attendees", []),
        **dict.fromkeys(("conference_meeting_client", "conference_meeting_url", "conference_meeting_id")),
        "public_description": body.get("public_description"),
        "priority": body.get("priority"),
        "outcome": body.get("outcome"),
        "note": _note(body.get("note")),
    }
    return ok(show(account.store.put("activities", record)))


def update(call: Call) -> Answer:
    """PATCH /activities/{id}."""
    account = call.account
    record = live_record(call, "activities")
    body = v.check_body(call.body, _SCHEMA)
    _check_rules(call, body)
    plain = ("subject", "type", "owner_id", "org_id", "busy", "done", "attendees", "public_description", "priority", "outcome")
    changed = {**record, **{key: body[key] for key in plain if key in body}, "update_time": account.clock.utc()}
    changed.update(_parents(body, record), **_people(body, record))
    changed.update({key: _clock(body[key]) for key in ("due_time", "duration") if key in body})
    if "due_date" in body:
        changed["due_date"] = body["due_date"] or None
    if "note" in body:
        changed["note"] = _note(body["note"])
    if "location" in body:
        changed["location"] = v.address_out(body["location"])
    if changed["done"] is not record["done"]:
        changed["marked_as_done_time"] = account.clock.utc() if changed["done"] else None
    return ok(show(account.store.put("activities", changed)))


def _check_rules(call: Call, body: dict[str, Any]) -> Record | None:
    """Check links, note and type; the type's record when one is named."""
    if "person_id" in body:
        raise bad_request(PERSON_READ_ONLY)
    for key in ("due_time", "duration"):
        if call.account.switches.due_time_needs_seconds and body.get(key) and body[key].count(":") != 2:
            raise invalid([f"{key}: This value is not a valid datetime."])
    check_links(call, body)
    for participant in body.get("participants", ()):
        check_links(call, {"person_id": participant["person_id"]})
    if len(body.get("note", "").encode()) > NOTE_CAP_BYTES:
        raise bad_request("note: This value is too long.")
    return _type_named(call.account, body["type"]) if "type" in body else None


def _type_named(account: Account, key: str) -> Record:
    found = next((row for row in account.store.table("activity_types").live() if row["key_string"] == key), None)
    if found is None:
        raise bad_request(f"type: activity type '{key}' does not exist or is not active.")
    return found


def _parents(body: dict[str, Any], record: Record) -> dict[str, Any]:
    """An activity hangs on one deal, lead or project; the first in order of precedence wins."""
    given = next((key for key in _PARENTS if body.get(key) is not None), None)
    if given is None:
        return {key: record.get(key) for key in _PARENTS}
    return {key: body[key] if key == given else None for key in _PARENTS}


def _people(body: dict[str, Any], record: Record) -> dict[str, Any]:
    if "participants" not in body:
        return {"participants": record.get("participants", []), "person_id": record.get("person_id")}
    given = body["participants"]
    primary = next((i for i, p in enumerate(given) if p.get("primary")), 0)
    people = [{"person_id": p["person_id"], "primary": i == primary} for i, p in enumerate(given)]
    return {"participants": people, "person_id": given[primary]["person_id"] if given else None}


def _clock(value: str | None) -> str | None:
    return None if not value else value if value.count(":") == 2 else f"{value}:00"


def _note(value: str | None) -> str | None:
    return None if value is None else sanitized(value)


def get(call: Call) -> Answer:
    """GET /activities/{id}."""
    query = read_query(call, {"include_fields": some_of("attendees")})
    return ok(show(readable_record(call, "activities"), "include_fields" in query))


def list_all(call: Call) -> Answer:
    """GET /activities."""
    query = read_query(call, _LIST)
    equal = (*_EQUAL, "lead_id", "done")
    rows = next(
        (call.account.store.table("activities").where(key, query[key]) for key in ("deal_id", "person_id", "org_id") if key in query), None
    )
    return list_v2(call, Listed("activities", equal), query, lambda row: show(row, "include_fields" in query), rows)


def delete(call: Call) -> Answer:
    """DELETE /activities/{id}."""
    return delete_record(call, "activities")


OPERATIONS = [
    Operation("addActivity", "v2", "POST", "/activities", 5, add),
    Operation("getActivities", "v2", "GET", "/activities", 10, list_all),
    Operation("getActivity", "v2", "GET", "/activities/{id}", 1, get),
    Operation("updateActivity", "v2", "PATCH", "/activities/{id}", 5, update),
    Operation("deleteActivity", "v2", "DELETE", "/activities/{id}", 3, delete),
]
