"""Custom fields and their options, v2: {deal,person,organization,product,activity}Fields.

Belongs here: definitions, the plan's cap, labels (options of a built-in field). Not here: values (custom_values),
the same definitions in v1's words (fields_v1).
Source: S2 addDealField and neighbours; keys are random per account (core-api-concepts-custom-fields).
"""

from __future__ import annotations

import hashlib
from typing import Any

from crm_pipelines.sandbox.pipedrive import field_settings
from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, bad_request, capped, invalid, ok, page
from crm_pipelines.sandbox.pipedrive.builtin_fields import BUILT_IN, DEFAULT_LABELS, LABELED, OPTIONAL_IN_RESPONSES, READ_ONLY
from crm_pipelines.sandbox.pipedrive.listing import as_int, as_limit, read_query
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.store import Record, is_deleted

CUSTOM_TYPES = (
    "varchar", "text", "double", "phone", "date", "daterange", "time", "timerange", "set", "enum", "varchar_auto", "address", "monetary",
    "org", "people", "user",
)  # fmt: skip
OPTION_TYPES = frozenset({"enum", "set"})
MAX_OPTIONS = 10_000  # pipedrive.readme.io/docs/working-with-labels, 2026-04-27

_OPTION = {"label": v.text(255, min_length=1)}
_CREATE: v.Schema = {
    "field_name": v.text(255, min_length=1),
    "field_type": v.one_of(*CUSTOM_TYPES),
    "options": v.array(v.record(_OPTION, ["label"]), MAX_OPTIONS),
    "description": v.nullable(v.text()),
}
_UPDATE: v.Schema = {"field_name": v.text(255, min_length=1), "description": v.nullable(v.text())}
_SHOWN = (
    "field_name",
    "field_code",
    "description",
    "field_type",
    "options",
    "subfields",
    "is_custom_field",
    "is_optional_response_field",
    "is_writable",
)


def built_in_records(account: Account) -> list[Record]:
    """The fields of a new account."""
    records: list[Record] = []
    now = account.clock.utc()
    for entity, rows in BUILT_IN.items():
        for name, code, kind in rows:
            records.append(_built_in(len(records) + 1, entity, name, code, kind))
        if entity in LABELED:
            code = account.switches.label_field_code
            label = _built_in(len(records) + 1, entity, "Labels", code, "set")
            label["options"] = [{"id": account.next_option_id(), "label": text, "color": color} for text, color in DEFAULT_LABELS[entity]]
            records.append({**label, "is_label": True})
    return [{**record, "add_time": now, "update_time": now} for record in records]


def _built_in(number: int, entity: str, name: str, code: str, kind: str) -> Record:
    return {
        "id": number, "entity": entity, "field_name": name, "field_code": code, "description": None, "field_type": kind, "options": None,
        "subfields": None, "is_custom_field": False, "is_optional_response_field": code in OPTIONAL_IN_RESPONSES,
        "is_writable": code not in READ_ONLY, "is_deleted": False,
    }  # fmt: skip


def show(record: Record, extra: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A definition as v2 shows it."""
    shown = {key: record[key] for key in _SHOWN}
    return shown | {part: field_settings.show(record["entity"], part, record) for part in extra}


def of_entity(account: Account, entity: str) -> list[Record]:
    """Live definitions of an entity, built-in first."""
    return [row for row in account.store.table("fields").live() if row["entity"] == entity]


def find_field(call: Call, entity: str, code: str) -> Record:
    """A live definition by its code.

    Raises: Refused 404.
    """
    for row in call.account.store.table("fields").rows.values():
        if row["entity"] == entity and row["field_code"] == code and not is_deleted(row):
            return row
    raise call.not_found()


def add_custom_field(account: Account, entity: str, settings: Record, labels: list[str]) -> Record:
    """Store a new custom field; settings hold at least field_name and field_type.

    Raises: Refused 403 at the plan's cap, 400 when options are missing or not wanted.
    """
    table = account.store.table("fields")
    count = len(account.definitions(entity)) if account.switches.field_cap_per_entity else table.level
    if count >= account.config.limits.custom_fields:
        # The code is in the vendor's own web client; the sentence is a proposal after the one for deals.
        raise capped("Couldn't add the custom field. Custom fields limit reached.", "feature_capping_custom_fields_limit")
    kind = settings["field_type"]
    if (kind in OPTION_TYPES) != bool(labels):
        raise invalid(
            [f"options: {'This field is required' if kind in OPTION_TYPES else 'This field is not allowed'} for field type '{kind}'"]
        )
    number = table.next_id()
    record = _built_in(number, entity, settings["field_name"], _field_code(account.config.seed, entity, number), kind)
    record.update(settings, is_custom_field=True, add_time=account.clock.utc(), update_time=account.clock.utc())
    if labels:
        record["options"] = [{"id": account.next_option_id(), "label": label} for label in labels]
    account.forget_definitions()
    return account.store.put("fields", record)


def _field_code(seed: int, entity: str, number: int) -> str:
    return hashlib.sha1(f"{seed}/{entity}/{number}".encode(), usedforsecurity=False).hexdigest()


def change_field(account: Account, record: Record, changes: Record) -> Record:
    """Store a changed definition."""
    account.forget_definitions()
    return account.store.put("fields", {**record, **changes, "update_time": account.clock.utc()})


class FieldOperations:
    """The field operations of one entity."""

    def __init__(self, entity: str) -> None:
        self.entity = entity
        self._settings = field_settings.schema(entity)
        self._parts = field_settings.parser(entity)

    def list_all(self, call: Call) -> Answer:
        """A page of definitions; the cursor is a position."""
        query = read_query(call, {"limit": as_limit, "cursor": as_int, "include_fields": self._parts})
        rows = of_entity(call.account, self.entity)
        start, limit = query.get("cursor", 0), query.get("limit", 100)
        more = str(start + limit) if len(rows) > start + limit else None
        return page([show(row, query.get("include_fields", frozenset())) for row in rows[start : start + limit]], more)

    def get(self, call: Call) -> Answer:
        """One definition."""
        query = read_query(call, {"include_fields": self._parts})
        return ok(show(find_field(call, self.entity, call.params[0]), query.get("include_fields", frozenset())))

    def add(self, call: Call) -> Answer:
        """A new custom field."""
        body = v.check_body(call.body, {**_CREATE, **self._settings}, ["field_name", "field_type"])
        field_settings.check_links(call.account, body)
        settings = {key: value for key, value in body.items() if key != "options"}
        labels = [option["label"] for option in body.get("options", ())]
        return ok(show(add_custom_field(call.account, self.entity, settings, labels)))

    def update(self, call: Call) -> Answer:
        """Rename or configure; code and type cannot change."""
        record = find_field(call, self.entity, call.params[0])
        body = v.check_body(call.body, {**_UPDATE, **self._settings})
        field_settings.check_links(call.account, body)
        return ok(show(change_field(call.account, record, body)))

    def delete(self, call: Call) -> Answer:
        """Mark a custom field as deleted; its values are no longer read."""
        record = find_field(call, self.entity, call.params[0])
        if not record["is_custom_field"]:
            raise bad_request("Only custom fields can be deleted.")
        return ok(show(change_field(call.account, record, {"is_deleted": True})))

    def add_options(self, call: Call) -> Answer:
        """Add options or labels; all or none."""
        record = self._with_options(call)
        _check_list(call.body, v.record(_OPTION, ["label"]))
        if len(record["options"]) + len(call.body) > MAX_OPTIONS:
            raise bad_request(f"A field can have at most {MAX_OPTIONS} options.")
        added = [{"id": call.account.next_option_id(), "label": option["label"]} for option in call.body]
        change_field(call.account, record, {"options": [*record["options"], *added]})
        return ok(added)

    def update_options(self, call: Call) -> Answer:
        """Rename options; all or none."""
        record = self._with_options(call)
        _check_list(call.body, v.record({**_OPTION, "id": v.integer()}, ["id", "label"]))
        renamed = {option["id"]: option["label"] for option in call.body}
        self._check_ids(record, renamed)
        options = [{**o, "label": renamed.get(o["id"], o["label"])} for o in record["options"]]
        change_field(call.account, record, {"options": options})
        return ok([{"id": number, "label": label} for number, label in renamed.items()])

    def delete_options(self, call: Call) -> Answer:
        """Remove options, and their use in records; all or none."""
        record = self._with_options(call)
        _check_list(call.body, v.record({"id": v.integer()}, ["id"]))
        gone = {option["id"] for option in call.body}
        self._check_ids(record, gone)
        removed = [{"id": o["id"], "label": o["label"]} for o in record["options"] if o["id"] in gone]
        change_field(call.account, record, {"options": [o for o in record["options"] if o["id"] not in gone]})
        self._forget_uses(call.account, record, gone)
        return ok(removed)

    def _with_options(self, call: Call) -> Record:
        record = find_field(call, self.entity, call.params[0])
        if record["options"] is None:
            raise bad_request("Options can only be changed on fields of type enum and set.")
        return record

    @staticmethod
    def _check_ids(record: Record, ids: Any) -> None:
        known = {option["id"] for option in record["options"]}
        unknown = [number for number in ids if number not in known]
        if unknown:
            raise bad_request(f"Option with id {unknown[0]} does not exist.")

    def _forget_uses(self, account: Account, field: Record, gone: set[int]) -> None:
        for row in list(account.store.table(self.entity).rows.values()):
            if field.get("is_label"):
                if gone & set(row["label_ids"]):
                    account.store.put(self.entity, {**row, "label_ids": [i for i in row["label_ids"] if i not in gone]})
                continue
            value = row["custom_fields"].get(field["field_code"])
            left = [i for i in value if i not in gone] if isinstance(value, list) else (None if value in gone else value)
            if left != value:
                fields = {code: old for code, old in row["custom_fields"].items() if code != field["field_code"]}
                account.store.put(self.entity, {**row, "custom_fields": {**fields, field["field_code"]: left} if left else fields})


def _check_list(body: Any, item: v.Check) -> None:
    message = v.array(item)(body)
    if message is None and not body:
        message = "This collection should contain 1 element or more."
    if message is not None:
        raise invalid([message])


def _operations(entity: str, singular: str) -> list[Operation]:
    do, base = FieldOperations(entity), f"/{singular}Fields"
    word = singular.capitalize()
    reading = [
        Operation(f"get{word}Fields", "v2", "GET", base, 10, do.list_all),
        Operation(f"get{word}Field", "v2", "GET", f"{base}/{{field_code}}", 1, do.get),
    ]
    if entity == "activities":
        return reading
    options = f"{base}/{{field_code}}/options"
    return [
        *reading,
        Operation(f"add{word}Field", "v2", "POST", base, 5, do.add),
        Operation(f"update{word}Field", "v2", "PATCH", f"{base}/{{field_code}}", 5, do.update),
        Operation(f"delete{word}Field", "v2", "DELETE", f"{base}/{{field_code}}", 3, do.delete),
        Operation(f"add{word}FieldOptions", "v2", "POST", options, 5, do.add_options),
        Operation(f"update{word}FieldOptions", "v2", "PATCH", options, 5, do.update_options),
        Operation(f"delete{word}FieldOptions", "v2", "DELETE", options, 3, do.delete_options),
    ]


ENTITIES = {"deals": "deal", "persons": "person", "organizations": "organization", "products": "product", "activities": "activity"}
OPERATIONS = [operation for entity, singular in ENTITIES.items() for operation in _operations(entity, singular)]
