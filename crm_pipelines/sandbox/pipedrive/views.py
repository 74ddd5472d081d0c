"""How stored records are shown: custom fields with nulls, selected fields, labels by name.

Belongs here: what organizations, persons, deals and products share when they are read. Not here: their own keys.
Source: every defined custom field is read back, null when empty (recorded live: 87 keys, 83 null on one deal).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.listing import Parser, as_bool, as_selected, some_of
from crm_pipelines.sandbox.pipedrive.store import Record

COUNTS = ("files_count", "notes_count", "activities_count", "done_activities_count", "undone_activities_count")


@dataclass(frozen=True, slots=True)
class View:
    """What the reader asked for."""

    include: frozenset[str] = frozenset()
    selected: tuple[str, ...] | None = None
    has_labels: bool = False
    has_option_labels: bool = False


PLAIN = View()


def view_parsers(include: tuple[str, ...]) -> dict[str, Parser]:
    """Query parameters that shape a record: include_fields, custom_fields, labels."""
    return {
        "include_fields": some_of(*include),
        "custom_fields": as_selected,
        "include_option_labels": as_bool,
        "include_labels": as_bool,
    }


def view_of(query: dict[str, Any]) -> View:
    """The view that a parsed query asks for."""
    selected = query.get("custom_fields")
    return View(
        query.get("include_fields", frozenset()),
        None if selected is None else tuple(selected),
        query.get("include_labels", False),
        query.get("include_option_labels", False),
    )


def custom_fields(account: Account, entity: str, record: Record, view: View) -> dict[str, Any]:
    """The custom_fields object of a read: all defined fields, or those selected."""
    definitions = account.definitions(entity)
    values = {code: value for code, value in record["custom_fields"].items() if code in definitions}
    shown: dict[str, Any] = {**account.blank(entity), **values}
    if view.selected is not None:
        shown = {code: shown[code] for code in view.selected if code in shown}
    if view.has_option_labels:
        shown = {code: _with_labels(value, definitions[code]) for code, value in shown.items()}
    return shown


def labels(account: Account, entity: str, record: Record) -> list[dict[str, Any]]:
    """The record's labels with their names."""
    names = label_names(account, entity)
    return [{"id": i, "label": names[i]} for i in record["label_ids"] if i in names]


def label_names(account: Account, entity: str) -> dict[int, str]:
    """The labels of an entity: options of its built-in label field."""
    return {option["id"]: option["label"] for option in account.label_field(entity)["options"]}


def counts(account: Account, key: str, number: int) -> dict[str, int]:
    """Numbers of things attached to a record, for include_fields."""
    store = account.store
    activities = store.table("activities").where(key, number)
    done = sum(1 for row in activities if row["done"])
    return {
        "files_count": len(store.table("files").where(key, number)),
        "notes_count": len(store.table("notes").where(key, number)),
        "activities_count": len(activities),
        "done_activities_count": done,
        "undone_activities_count": len(activities) - done,
    }


def deal_counts(account: Account, key: str, number: int) -> dict[str, int]:
    """Numbers of deals linked to a person or an organization, for include_fields."""
    deals = account.store.table("deals").where(key, number)
    by_status = {status: sum(1 for deal in deals if deal["status"] == status) for status in ("open", "won", "lost")}
    closed = by_status["won"] + by_status["lost"]
    found = {
        "open_deals_count": by_status["open"],
        "closed_deals_count": closed,
        "won_deals_count": by_status["won"],
        "lost_deals_count": by_status["lost"],
    }
    return {**found, **{f"related_{name}": value for name, value in found.items()}}


def _with_labels(value: Any, definition: Record) -> Any:
    if value is None or definition["field_type"] not in {"enum", "set"}:
        return value
    names = {option["id"]: option["label"] for option in definition["options"] or ()}
    if isinstance(value, list):
        return [{"id": i, "label": names.get(i)} for i in value]
    return {"id": value, "label": names.get(value)}
