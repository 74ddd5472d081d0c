"""Whether what a record points to exists: owners, organizations, persons, labels, visibility, custom fields.

Belongs here: rules that several entities share. Not here: shapes and types (validation).
"""

from __future__ import annotations

from typing import Any

from crm_pipelines.sandbox.pipedrive import custom_values
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import bad_request, forbidden, invalid
from crm_pipelines.sandbox.pipedrive.operations import Call
from crm_pipelines.sandbox.pipedrive.store import Record
from crm_pipelines.sandbox.pipedrive.views import label_names

TABLES = {"org_id": "organizations", "person_id": "persons", "deal_id": "deals", "lead_id": "leads", "product_id": "products"}


def check_links(call: Call, body: dict[str, Any], entity: str | None = None) -> None:
    """Check everything in a body that points elsewhere.

    Raises: Refused 400 for a record that does not exist, 403 for a visibility that the plan does not have.
    """
    account = call.account
    for key, table in TABLES.items():
        if key in body and body[key] is not None and account.store.find(table, body[key]) is None:
            raise bad_request(f"{key}: entity with id {body[key]} was not found or is not accessible.")
    if "owner_id" in body:
        check_owner(account, body["owner_id"])
    if entity is not None and body.get("label_ids"):
        known = label_names(account, entity)
        unknown = [i for i in body["label_ids"] if i not in known]
        if unknown:
            raise bad_request(f"label_ids: label with id {unknown[0]} does not exist.")
    if "visible_to" in body and body["visible_to"] not in account.config.limits.visibility:
        raise forbidden()  # devcommunity.pipedrive.com/t/3309


def check_owner(account: Account, user_id: Any) -> None:
    """Check that a user exists and is active.

    Raises: Refused 400.
    """
    user = account.store.get("users", user_id)
    if user is None or not user["active_flag"]:
        raise bad_request(f"owner_id: user with id {user_id} was not found or is not active.")


def merged_custom_fields(account: Account, entity: str, given: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """The custom fields after a write; null clears.

    Raises: Refused 400 naming the field codes that are unknown or get a wrong value.
    """
    if not given:
        return before
    definitions = account.definitions(entity)
    problems = [p for code, value in given.items() if (p := custom_values.problem_of(code, value, definitions.get(code))) is not None]
    if problems:
        raise invalid(problems)
    after = dict(before)
    for code, value in given.items():
        if value is None:
            after.pop(code, None)
        else:
            after[code] = custom_values.stored(value, definitions[code])
    _check_references(account, given, definitions)
    return after


def _check_references(account: Account, given: dict[str, Any], definitions: dict[str, Record]) -> None:
    tables = {"org": "organizations", "people": "persons", "user": "users"}
    for code, value in given.items():
        table = tables.get(definitions[code]["field_type"])
        if table is not None and value is not None and account.store.find(table, value) is None:
            raise invalid([f"custom_fields: Unknown {table[:-1]} for custom field '{code}'"])
