"""Notes, v1: they have no v2.

Belongs here: their keys and rules. Not here: notes of activities (activities).
Source: S1 addNote, getNotes; recorded live: DELETE answers `data: true` and the note still reads with
active_flag false (pipedrive-mcp). The size cap of notes is open (a switch).
"""

from __future__ import annotations

from typing import Any

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, bad_request_v1, forbidden, not_found_v1, ok
from crm_pipelines.sandbox.pipedrive.html import sanitized
from crm_pipelines.sandbox.pipedrive.listing import list_v1, number_v1
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.records import utc_v1
from crm_pipelines.sandbox.pipedrive.store import Record
from crm_pipelines.sandbox.pipedrive.users import is_admin

_PARENTS = {
    "deal_id": "deals",
    "person_id": "persons",
    "org_id": "organizations",
    "lead_id": "leads",
    "project_id": "projects",
    "task_id": "tasks",
}
_PINS = tuple(f"pinned_to_{word}_flag" for word in ("lead", "deal", "organization", "person", "project", "task"))
_SCHEMA: v.Schema = {
    "content": v.text(min_length=1),
    **{key: v.nullable(v.text() if key == "lead_id" else v.integer()) for key in _PARENTS},
    "user_id": v.integer(),
    "add_time": v.moment_v1,
    **dict.fromkeys(_PINS, v.flag),
}


def show(account: Account, record: Record, reader: Record) -> dict[str, Any]:
    """A note as v1 shows it, with the names of what it hangs on."""
    store = account.store
    deal = store.get("deals", record["deal_id"])
    person = store.get("persons", record["person_id"])
    organization = store.get("organizations", record["org_id"])
    user = store.get("users", record["user_id"]) or reader
    return {
        **record,
        "deal": deal and {"title": deal["title"]},
        "person": person and {"name": person["name"]},
        "organization": organization and {"name": organization["name"]},
        "user": {"email": user["email"], "icon_url": user["icon_url"], "is_you": user["id"] == reader["id"], "name": user["name"]},
    }


def add(call: Call) -> Answer:
    """POST /notes; add_time may lie in the past."""
    account = call.account
    body = v.check_body_v1(call.body, _SCHEMA, {"content": "Note content must be given."})
    if not any(body.get(key) is not None for key in _PARENTS):
        raise bad_request_v1("Note must be associated with at least one of: deal, person, organization, lead, project, task.")
    _check_rules(call, body)
    now = utc_v1(account.clock.utc())
    record = {
        "id": account.store.table("notes").next_id(),
        "active_flag": True,
        "add_time": body.get("add_time", now),
        "update_time": now,
        "content": sanitized(body["content"]),
        **{key: body.get(key) for key in _PARENTS},
        **{key: _is_set(body.get(key)) for key in _PINS},
        "last_update_user_id": None,
        "user_id": body.get("user_id", call.user["id"]),
    }
    return ok(show(account, account.store.put("notes", record), call.user))


def update(call: Call) -> Answer:
    """PUT /notes/{id}."""
    account = call.account
    record = _note(call)
    if not record["active_flag"]:
        raise not_found_v1("Note not found")
    body = v.check_body_v1(call.body, _SCHEMA)
    _check_rules(call, body)
    changed = {**record, **body, **{key: _is_set(body[key]) for key in _PINS if key in body}}
    changed.update(content=sanitized(changed["content"]), update_time=utc_v1(account.clock.utc()), last_update_user_id=call.user["id"])
    return ok(show(account, account.store.put("notes", changed), call.user))


def _check_rules(call: Call, body: dict[str, Any]) -> None:
    store = call.account.store
    for key, table in _PARENTS.items():
        if body.get(key) is not None and store.find(table, body[key]) is None:
            raise bad_request_v1(f"{key}: {body[key]} was not found.")
    if body.get("user_id", call.user["id"]) != call.user["id"] and not is_admin(call.user):
        raise forbidden()  # "If an admin user, you can set any user", S1 addNote
    if "user_id" in body and store.find("users", body["user_id"]) is None:
        raise bad_request_v1("User not found.")
    if len(body.get("content", "").encode()) > call.account.switches.note_size_cap_bytes:
        raise bad_request_v1("Note content is too long.")


def _is_set(value: Any) -> bool:
    return value in (1, True, "1", "true")


def _note(call: Call) -> Record:
    record = call.account.store.get("notes", call.number)
    if record is None:
        raise not_found_v1("Note not found")
    return record


def get(call: Call) -> Answer:
    """GET /notes/{id}; a deleted note still reads, with active_flag false."""
    return ok(show(call.account, _note(call), call.user))


def list_all(call: Call) -> Answer:
    """GET /notes."""
    table = call.account.store.table("notes")
    key = next((key for key in ("deal_id", "person_id", "org_id") if key in call.query), None)
    rows = table.where(key, number_v1(call.query[key], 0)) if key else table.live()
    since = call.query.get("updated_since")
    if since is not None:
        if v.moment(since) is not None:
            raise bad_request_v1("updated_since is not a valid datetime.")
        floor = utc_v1(since)
        rows = (row for row in rows if row["update_time"] >= floor)
    others = [(name, call.query[name]) for name in ("user_id", "lead_id", "deal_id", "person_id", "org_id") if name in call.query]
    kept = (row for row in rows if all(str(row[name]) == value for name, value in others))
    return list_v1(call, kept, lambda row: show(call.account, row, call.user))


def delete(call: Call) -> Answer:
    """DELETE /notes/{id}."""
    record = _note(call)
    if not record["active_flag"]:
        raise not_found_v1("Note not found")
    call.account.store.put("notes", {**record, "active_flag": False, "update_time": utc_v1(call.account.clock.utc())})
    return ok(True)


OPERATIONS = [
    Operation("getNotes", "v1", "GET", "/notes", 20, list_all),
    Operation("addNote", "v1", "POST", "/notes", 10, add),
    Operation("getNote", "v1", "GET", "/notes/{id}", 2, get),
    Operation("updateNote", "v1", "PUT", "/notes/{id}", 10, update),
    Operation("deleteNote", "v1", "DELETE", "/notes/{id}", 6, delete),
]
