"""What a search result shows of each entity, and which of its texts are searched.

Belongs here: shapes. Not here: matching (search).
Source: S2 searchPersons, searchDeals, searchOrganization, searchProducts, searchLeads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.store import Record

TYPES = {"deals": "deal", "leads": "lead", "persons": "person", "organizations": "organization", "products": "product"}

TEXTS: dict[str, dict[str, Callable[[Record], list[str]]]] = {
    "deals": {"title": lambda row: [row["title"]]},
    "leads": {"title": lambda row: [row["title"]]},
    "persons": {
        "name": lambda row: [row["name"]],
        "email": lambda row: [entry["value"] for entry in row["emails"]],
        "phone": lambda row: [entry["value"] for entry in row["phones"]],
    },
    "organizations": {"name": lambda row: [row["name"]], "address": lambda row: [(row["address"] or {}).get("value") or ""]},
    "products": {"name": lambda row: [row["name"]], "code": lambda row: [row["code"] or ""]},
}


def item(account: Account, entity: str, row: Record) -> dict[str, Any]:
    """A record as a search result shows it."""
    shown = {"id": row["id"], "type": TYPES[entity], **_ITEMS[entity](account, row)}
    return {**shown, "visible_to": row["visible_to"], "owner": {"id": row["owner_id"]}, "notes": []}


def _named(account: Account, table: str, number: Any) -> dict[str, Any] | None:
    row = account.store.get(table, number)
    return None if row is None else {"id": row["id"], "name": row["name"]}


def _person(account: Account, row: Record) -> dict[str, Any]:
    emails, phones = [e["value"] for e in row["emails"]], [p["value"] for p in row["phones"]]
    return {"name": row["name"], "phones": phones, "emails": emails, "organization": _named(account, "organizations", row["org_id"])}


def _deal(account: Account, row: Record) -> dict[str, Any]:
    return {
        "title": row["title"], "value": row["value"], "currency": row["currency"], "status": row["status"],
        "is_archived": row["is_archived"], "stage": _named(account, "stages", row["stage_id"]),
        "person": _named(account, "persons", row["person_id"]), "organization": _named(account, "organizations", row["org_id"]),
    }  # fmt: skip


def _lead(account: Account, row: Record) -> dict[str, Any]:
    value = row["value"] or {}
    return {
        "title": row["title"], "value": value.get("amount"), "currency": value.get("currency"), "is_archived": row["is_archived"],
        "person": _named(account, "persons", row["person_id"]), "organization": _named(account, "organizations", row["organization_id"]),
        "phones": [], "emails": [],
    }  # fmt: skip


def _organization(account: Account, row: Record) -> dict[str, Any]:
    return {"name": row["name"], "address": (row["address"] or {}).get("value")}


def _product(account: Account, row: Record) -> dict[str, Any]:
    return {"name": row["name"], "code": row["code"]}


_ITEMS = {"persons": _person, "deals": _deal, "leads": _lead, "organizations": _organization, "products": _product}
