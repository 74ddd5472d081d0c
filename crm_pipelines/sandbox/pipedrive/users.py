"""Users, v1: they have no v2.

Belongs here: listing, finding, adding, (de)activating. Not here: tokens (auth).
Source: S1 getUsers, findUsersByName, addUser, updateUser, getCurrentUser.
"""

from __future__ import annotations

from typing import Any

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, bad_request_v1, forbidden, not_found_v1, ok
from crm_pipelines.sandbox.pipedrive.config import SandboxUser
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.records import utc_v1
from crm_pipelines.sandbox.pipedrive.store import Record

FIRST_ID, COMPANY_ID = 11_000_001, 7_000_001  # users and companies are numbered over the whole vendor

_ACCESS = v.record(
    {
        "app": v.one_of("global", "sales", "campaigns", "projects", "account_settings", "partnership", "nova"),
        "admin": v.boolean,
        "permission_set_id": v.text(),
    },
    ["app"],
)
_CREATE: v.Schema = {"email": v.text(255, min_length=3), "access": v.array(_ACCESS), "active_flag": v.boolean}
_UPDATE: v.Schema = {"active_flag": v.flag}


def make_user(account: Account, user: SandboxUser) -> Record:
    """Store a user."""
    table, now = account.store.table("users"), utc_v1(account.clock.utc())
    is_first = not table.rows
    record = {
        "id": FIRST_ID if is_first else table.next_id(), "name": user.name, "default_currency": account.config.currency,
        "locale": "en_US", "lang": 1, "email": user.email, "phone": None, "activated": True, "last_login": now, "created": now,
        "modified": now, "has_created_company": is_first,
        "access": _access(user.is_admin),
        "active_flag": user.is_active, "timezone_name": "Etc/UTC", "timezone_offset": "+00:00", "role_id": 1, "icon_url": None,
    }  # fmt: skip
    return account.store.put("users", record)


def _access(is_admin: bool) -> list[dict[str, Any]]:
    apps = enumerate(("sales", "global", "account_settings"), 1)
    return [{"app": app, "admin": is_admin, "permission_set_id": f"00000000-0000-4000-8000-{number:012d}"} for number, app in apps]


def is_admin(user: Record) -> bool:
    """Whether a user administers the account."""
    return any(access["app"] == "account_settings" and access.get("admin") for access in user["access"])


def _show(call: Call, record: Record) -> dict[str, Any]:
    return {**record, "is_you": record["id"] == call.user["id"], "is_deleted": False}


def list_all(call: Call) -> Answer:
    """GET /users: all of them at once, inactive ones too."""
    return ok([_show(call, row) for row in call.account.store.table("users").rows.values()])


def find(call: Call) -> Answer:
    """GET /users/find: by name, or by e-mail with search_by_email=1."""
    term = call.query.get("term", "").casefold()
    if not term:
        raise bad_request_v1("term must be given.")
    key = "email" if call.query.get("search_by_email") in {"1", "true"} else "name"
    rows = call.account.store.table("users").live()
    return ok([_show(call, row) for row in rows if term in row[key].casefold()])


def me(call: Call) -> Answer:
    """GET /users/me."""
    company = {
        "company_id": COMPANY_ID, "company_name": "Sandbox", "company_domain": "sandbox", "company_country": "US", "company_industry": "",
        "language": {"language_code": "en", "country_code": "US"},
    }  # fmt: skip
    return ok({**_show(call, call.user), **company})


def get(call: Call) -> Answer:
    """GET /users/{id}."""
    return ok(_show(call, _user(call)))


def add(call: Call) -> Answer:
    """POST /users: admins only; takes a paid seat at the vendor."""
    body = v.check_body_v1(call.body, _CREATE, {"email": "email must be given."})
    if not is_admin(call.user):
        raise forbidden()
    email = body["email"]
    if any(row["email"].casefold() == email.casefold() for row in call.account.store.table("users").rows.values()):
        raise bad_request_v1("User with this email already exists.")
    record = make_user(call.account, SandboxUser(email, email.partition("@")[0], is_active=body.get("active_flag", True)))
    if "access" in body:
        record = call.account.store.put("users", {**record, "access": body["access"]})
    return ok(_show(call, record))


def update(call: Call) -> Answer:
    """PUT /users/{id}: only active_flag."""
    record = _user(call)
    body = v.check_body_v1(call.body, _UPDATE, {})
    if not is_admin(call.user):
        raise forbidden()
    if "active_flag" not in body:
        raise bad_request_v1()
    is_active = body["active_flag"] in (True, 1, "1", "true")
    return ok(_show(call, call.account.store.put("users", {**record, "active_flag": is_active})))


def _user(call: Call) -> Record:
    record = call.account.store.get("users", call.number)
    if record is None:
        raise not_found_v1("User not found or not accessible.")
    return record


OPERATIONS = [
    Operation("getUsers", "v1", "GET", "/users", 20, list_all),
    Operation("addUser", "v1", "POST", "/users", 10, add),
    Operation("findUsersByName", "v1", "GET", "/users/find", 40, find),
    Operation("getCurrentUser", "v1", "GET", "/users/me", 2, me),
    Operation("getUser", "v1", "GET", "/users/{id}", 2, get),
    Operation("updateUser", "v1", "PUT", "/users/{id}", 10, update),
]
