"""Activity types, v1: they have no v2.

Belongs here: types and their keys. Not here: activities (v2).
Source: S1 addActivityType; key_string is made by the server from the name.
"""

from __future__ import annotations

import re

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, bad_request_v1, not_found_v1, ok
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.records import utc_v1
from crm_pipelines.sandbox.pipedrive.store import Record

ICONS = (
    "task", "email", "meeting", "deadline", "call", "lunch", "calendar", "downarrow", "document", "smartphone", "camera", "scissors",
    "cogs", "bubble", "uparrow", "checkbox", "signpost", "shuffle", "addressbook", "linegraph", "picture", "car", "world", "search",
    "clip", "sound", "brush", "key", "padlock", "pricetag", "suitcase", "finish", "plane", "loop", "wifi", "truck", "cart", "bulb",
    "bell", "presentation",
)  # fmt: skip
DEFAULT_TYPES = ("call", "meeting", "task", "deadline", "email", "lunch")  # a new account's
_SCHEMA: v.Schema = {"name": v.text(255, min_length=1), "icon_key": v.one_of(*ICONS), "color": v.text(6)}
_REQUIRED = {"name": "Name must be given.", "icon_key": "Icon key must be given."}


def make_type(account: Account, name: str, icon: str, color: str | None = None, is_custom: bool = True) -> Record:
    """Store an activity type."""
    table, now = account.store.table("activity_types"), utc_v1(account.clock.utc())
    number = table.next_id()
    record = {
        "id": number, "order_nr": number, "name": name, "key_string": _key(account, name), "icon_key": icon, "active_flag": True,
        "color": color or "FFFFFF", "is_custom_flag": is_custom, "add_time": now, "update_time": now,
    }  # fmt: skip
    return account.store.put("activity_types", record)


def _key(account: Account, name: str) -> str:
    """A key made from the name, unlike every key there is."""
    stem = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_") or "type"
    taken = {row["key_string"] for row in account.store.table("activity_types").rows.values()}
    return next(key for number in range(len(taken) + 2) if (key := stem if number == 0 else f"{stem}_{number}") not in taken)


def list_all(call: Call) -> Answer:
    """GET /activityTypes: all at once."""
    return ok(list(call.account.store.table("activity_types").live()))


def add(call: Call) -> Answer:
    """POST /activityTypes."""
    body = v.check_body_v1(call.body, _SCHEMA, _REQUIRED)
    if any(row["name"].casefold() == body["name"].casefold() for row in call.account.store.table("activity_types").live()):
        raise bad_request_v1("Activity type with this name already exists.")
    return ok(make_type(call.account, body["name"], body["icon_key"], body.get("color")))


def update(call: Call) -> Answer:
    """PUT /activityTypes/{id}; the key stays."""
    record = _type(call)
    body = v.check_body_v1(call.body, {**_SCHEMA, "order_nr": v.integer()})
    return ok(call.account.store.put("activity_types", {**record, **body, "update_time": utc_v1(call.account.clock.utc())}))


def delete(call: Call) -> Answer:
    """DELETE /activityTypes/{id}."""
    record = {**_type(call), "active_flag": False, "update_time": utc_v1(call.account.clock.utc())}
    return ok(call.account.store.put("activity_types", record))


def _type(call: Call) -> Record:
    record = call.account.store.find("activity_types", call.number)
    if record is None:
        raise not_found_v1("Activity type not found")
    return record


OPERATIONS = [
    Operation("getActivityTypes", "v1", "GET", "/activityTypes", 20, list_all),
    Operation("addActivityType", "v1", "POST", "/activityTypes", 10, add),
    Operation("updateActivityType", "v1", "PUT", "/activityTypes/{id}", 10, update),
    Operation("deleteActivityType", "v1", "DELETE", "/activityTypes/{id}", 6, delete),
]
