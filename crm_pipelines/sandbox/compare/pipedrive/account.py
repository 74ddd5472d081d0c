"""Read a sandbox account back: its records as stored, and the names behind its ids and hash keys.

Belongs here: HTTP to the control surface, dictionaries of fields, options, users, stages. Not here: which record is
which (observed), what is right (judge). The sandbox is spoken to by HTTP only; none of its code is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from crm_pipelines.sandbox.compare.verdict import ComparisonError

ENTITIES = ("users", "organizations", "persons", "deals", "activities", "notes", "pipelines", "stages")
EXTERNAL_ID = "Kartra ID"
TIMEOUT_S = 120.0  # tens of thousands of records in one answer
Row = dict[str, Any]


def read_account(base_url: str, sandbox_token: str) -> Account:
    """Fetch everything the comparison needs.

    Raises: ComparisonError when the sandbox does not answer, or not as a sandbox.
    """
    headers = {"x-sandbox-token": sandbox_token}
    with httpx.Client(base_url=base_url.rstrip("/"), headers=headers, timeout=TIMEOUT_S, trust_env=False) as client:
        records = {entity: _rows(_get(client, f"/__sandbox__/records/{entity}")) for entity in ENTITIES}
        fields = _get(client, "/__sandbox__/fields")
    return Account(records, {entity: [row for row in rows if not row.get("is_deleted")] for entity, rows in fields.items()})


def _get(client: httpx.Client, path: str) -> Any:
    try:
        answer = client.get(path)
    except httpx.HTTPError as error:
        raise ComparisonError(f"no sandbox answers at {client.base_url} ({type(error).__name__}); is it running?") from error
    if answer.status_code != httpx.codes.OK:
        raise ComparisonError(f"GET {path} answered {answer.status_code}; check the base URL and the sandbox token")
    return answer.json()


def _rows(answer: Any) -> list[Row]:
    """Return the live records."""
    return [row for row in answer if not row.get("deleted")]


@dataclass
class Account:
    """One account's live records and field definitions."""

    records: Mapping[str, list[Row]]
    fields: Mapping[str, list[Row]]

    def __post_init__(self) -> None:
        """Prepare the dictionaries that name ids."""
        self._codes = {entity: self._custom(entity) for entity in ("organizations", "persons", "deals")}
        self._options = {entity: self._option_names(entity) for entity in ("organizations", "persons", "deals")}
        self.user_emails = {row["id"]: str(row["email"]).casefold() for row in self.records["users"]}
        self.pipelines = {row["id"]: row["name"] for row in self.records["pipelines"]}
        self.stages = {row["id"]: row["name"] for row in self.records["stages"]}
        self.keys = {entity: self._keys(entity) for entity in ("organizations", "persons", "deals")}

    @property
    def default_owner(self) -> str | None:
        """The user of the token, who owns what is created without an owner."""
        return next((self.user_emails[row["id"]] for row in self.records["users"] if row.get("has_created_company")), None)

    def key_of(self, entity: str, number: Any) -> str | None:
        """Return the source key of a linked record; a mark with its id when it is not one of ours."""
        if number is None:
            return None
        return self.keys[entity].get(number) or f"(id {number}, not migrated)"

    def labels(self, entity: str, row: Row) -> list[str]:
        """Return a record's labels by name."""
        names = next((self._options[entity][f["field_code"]] for f in self.fields[entity] if f.get("is_label")), {})
        return sorted(names.get(number, f"(option {number} is gone)") for number in row.get("label_ids") or ())

    def custom_values(self, entity: str, row: Row) -> dict[str, list[Any]]:
        """Return the values of a record's custom fields by display name; several when two fields share a name."""
        found: dict[str, list[Any]] = {}
        for code, value in (row.get("custom_fields") or {}).items():
            definition = self._codes[entity].get(code)
            if definition is not None and value is not None and value != []:
                found.setdefault(definition["field_name"], []).append(self._named(entity, definition, value))
        return found

    def doubled_options(self, entity: str) -> list[tuple[str, str]]:
        """Return (field, label) of options that differ in case only or not at all."""
        found = []
        for definition in self.fields[entity]:
            seen: set[str] = set()
            for option in definition.get("options") or ():
                folded = str(option["label"]).casefold()
                if folded in seen:
                    found.append((str(definition["field_name"]), str(option["label"])))
                seen.add(folded)
        return found

    def _custom(self, entity: str) -> dict[str, Row]:
        return {row["field_code"]: row for row in self.fields.get(entity, ()) if row.get("is_custom_field")}

    def _option_names(self, entity: str) -> dict[str, dict[Any, str]]:
        rows = self.fields.get(entity, ())
        return {row["field_code"]: {option["id"]: option["label"] for option in row.get("options") or ()} for row in rows}

    def _keys(self, entity: str) -> dict[Any, str]:
        found = {}
        for row in self.records[entity]:
            values = self.custom_values(entity, row).get(EXTERNAL_ID)
            if values:
                found[row["id"]] = str(values[0])
        return found

    def _named(self, entity: str, definition: Row, value: Any) -> Any:
        names = self._options[entity].get(definition["field_code"], {})
        kind = definition["field_type"]
        if kind == "enum":
            return names.get(value, f"(option {value} is gone)")
        if kind == "set":
            return sorted(names.get(number, f"(option {number} is gone)") for number in value)
        if kind == "address":
            return {part: text for part, text in value.items() if text is not None and part != "formatted_address"}
        return value
