"""Webhooks, v1: they have no v2.

Belongs here: listing, adding, deleting. Not here: sending anything; this server never calls out.
Source: S1 getWebhooks, addWebhook, deleteWebhook; at most 40 for a user (guide-for-webhooks-v2), told by a 422 (http-status-codes).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, Refused
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.store import Record
from crm_pipelines.sandbox.pipedrive.users import COMPANY_ID, FIRST_ID

MOST = 40
ACTIONS = ("create", "change", "delete", "*")
OBJECTS = ("activity", "deal", "lead", "note", "organization", "person", "pipeline", "product", "stage", "user", "*")
TYPES = ("general", "application", "automation")
_CREATE: v.Schema = {
    "subscription_url": v.text(min_length=1),
    "event_action": v.one_of(*ACTIONS),
    "event_object": v.one_of(*OBJECTS),
    "name": v.text(255, min_length=1),
    "user_id": v.integer(),
    "http_auth_user": v.nullable(v.text()),
    "http_auth_password": v.nullable(v.text()),
    "version": v.one_of("1.0", "2.0"),
}
_REQUIRED = ("subscription_url", "event_action", "event_object", "name")


def make_webhook(account: Account, body: dict[str, Any]) -> Record:
    """Store a webhook; `type` tells who made it (an automation's own webhooks are listed among the others)."""
    table = account.store.table("webhooks")
    given = {key: value for key, value in body.items() if key in {*_CREATE, "type", "is_active"}}
    record = {
        "id": table.next_id(), "company_id": COMPANY_ID, "owner_id": FIRST_ID, "user_id": FIRST_ID, "admin_id": FIRST_ID,
        "http_auth_user": None, "http_auth_password": None, "is_active": 1, "add_time": account.clock.utc().replace("Z", ".000Z"),
        "remove_time": None, "remove_reason": None, "last_delivery_time": None, "last_http_status": None, "type": "general",
        "version": "2.0", **given,
    }  # fmt: skip
    return account.store.put("webhooks", record)


def list_all(call: Call) -> Answer:
    """GET /webhooks: all at once."""
    return _ok([_shown(row) for row in call.account.store.table("webhooks").live()])


def add(call: Call) -> Answer:
    """POST /webhooks; the vendor tries the address, this server only reads it."""
    body = call.body if isinstance(call.body, dict) else {}
    problems = {key: ["is required"] for key in _REQUIRED if body.get(key) in (None, "")}
    problems |= {key: ["is not allowed"] for key in body if key not in _CREATE}
    problems |= {key: ["is invalid"] for key, check in _CREATE.items() if key in body and check(body[key])}
    url = urlsplit(str(body.get("subscription_url", "")))
    if url.scheme not in {"http", "https"} or not url.hostname or url.hostname.endswith("pipedrive.com"):
        problems["subscription_url"] = ["invalid or non-reachable URL"]
    if problems:
        raise _refused(400, problems)
    if sum(1 for _ in call.account.store.table("webhooks").live()) >= MOST:
        raise _refused(422, {"webhook": ["limit reached"]})  # the words are a proposal
    return _ok(_shown(make_webhook(call.account, {"user_id": call.user["id"], **body})), 201)


def delete(call: Call) -> Answer:
    """DELETE /webhooks/{id}."""
    record = call.account.store.find("webhooks", int(call.params[0])) if call.params[0].isdigit() else None
    if record is None:
        raise _refused(404, {"id": ["not found"]})
    call.account.store.put("webhooks", {**record, "is_deleted": True})
    return Answer(200, {"success": True, "status": "ok"})


def _shown(record: Record) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "is_deleted"}


def _ok(data: Any, status: int = 200) -> Answer:
    return Answer(status, {"success": True, "status": "ok", "data": data})


def _refused(status: int, errors: dict[str, list[str]]) -> Refused:
    return Refused(status, {"success": False, "status": "error", "errors": errors})


OPERATIONS = [
    Operation("getWebhooks", "v1", "GET", "/webhooks", 10, list_all),
    Operation("addWebhook", "v1", "POST", "/webhooks", 10, add),
    Operation("deleteWebhook", "v1", "DELETE", "/webhooks/{id}", 6, delete),
]
