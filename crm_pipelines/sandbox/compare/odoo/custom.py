"""Custom fields of an Odoo database: what they are called, their type, and their values as people see them.

Belongs here: `ir.model.fields` made by hand, options, values of x_ columns. Not here: Odoo's own columns (observed).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from crm_pipelines.sandbox.compare.odoo.database import Database, Row

NAME_LENGTH = 60


@dataclass(frozen=True)
class CustomField:
    """One field made by hand."""

    id: int
    model: str
    name: str
    label: str
    kind: str
    options: Mapping[str, str] = field(default_factory=dict)  # value -> label


def custom_fields(database: Database) -> dict[str, list[CustomField]]:
    """Return the fields made by hand, by model."""
    options: dict[int, dict[str, str]] = {}
    for row in database.rows("SELECT field_id, value, name->>'en_US' AS label FROM ir_model_fields_selection ORDER BY sequence, id"):
        options.setdefault(row["field_id"], {})[row["value"]] = row["label"]
    found: dict[str, list[CustomField]] = {}
    query = """SELECT id, model, name, field_description->>'en_US' AS label, ttype FROM ir_model_fields
               WHERE state = 'manual' AND store ORDER BY id"""
    for row in database.rows(query):
        one = CustomField(row["id"], row["model"], row["name"], row["label"], row["ttype"], options.get(row["id"], {}))
        found.setdefault(one.model, []).append(one)
    return found


def technical_name(label: str) -> str:
    """Return the name that a field of this label has: letters and digits of ASCII, everything between them as one `_`."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", label) if not unicodedata.combining(char))
    return f"x_{re.sub('[^a-z0-9]+', '_', bare.casefold())}"[:NAME_LENGTH].rstrip("_")


def custom_values(fields: list[CustomField], row: Row) -> dict[str, list[Any]]:
    """Return a record's custom values by label; several when two fields share one."""
    found: dict[str, list[Any]] = {}
    for one in fields:
        value = _shown(one, row.get(one.name))
        if value is not None:
            found.setdefault(one.label, []).append(value)
    return found


def _shown(one: CustomField, value: Any) -> Any:
    """Return a value as people see it; an empty text, an unticked box and a number nobody set are nothing."""
    if not value:
        return None
    if one.kind == "selection":
        return one.options.get(value, "(an option that is gone)")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, bool | str) else float(value)
