"""The field definitions in v1's words: numeric ids, `key`, the complete options list on update, deletion in bulk.

Belongs here: v1's shapes. Not here: the definitions themselves (fields).
Source: S1 addDealField, updateDealField, deleteDealFields; productFields answer 410 for a missing field, and 201.
"""

from __future__ import annotations

from typing import Any

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, Refused, bad_request_v1, gone_v1, not_found_v1, ok
from crm_pipelines.sandbox.pipedrive.field_settings import is_required
from crm_pipelines.sandbox.pipedrive.fields import CUSTOM_TYPES, ENTITIES, add_custom_field, change_field, of_entity
from crm_pipelines.sandbox.pipedrive.listing import list_v1_flat, number_v1
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.records import utc_v1
from crm_pipelines.sandbox.pipedrive.store import Record
from crm_pipelines.sandbox.pipedrive.users import FIRST_ID

_OPTIONS = v.array(v.record({"label": v.text(255, min_length=1), "id": v.integer()}, ["label"]))
_CREATE: v.Schema = {
    "name": v.text(255, min_length=1),
    "field_type": v.one_of(*CUSTOM_TYPES),
    "options": _OPTIONS,
    "add_visible_flag": v.flag,
}
_UPDATE: v.Schema = {"name": v.text(255, min_length=1), "options": _OPTIONS, "add_visible_flag": v.flag}
_BULK_MAX = 100


def show(record: Record) -> dict[str, Any]:
    """A definition as v1 shows it."""
    is_custom = record["is_custom_field"]
    options = {} if record["options"] is None else {"options": record["options"]}
    return {
        **options, "id": record["id"], "key": record["field_code"], "name": record["field_name"], "order_nr": record["id"],
        "field_type": record["field_type"], "add_time": utc_v1(record["add_time"]), "update_time": utc_v1(record["update_time"]),
        "last_updated_by_user_id": FIRST_ID, "created_by_user_id": FIRST_ID, "active_flag": not record["is_deleted"],
        "edit_flag": is_custom, "index_visible_flag": True, "details_visible_flag": True,
        "add_visible_flag": bool(record.get("add_visible_flag", False)), "important_flag": False,
        "bulk_edit_allowed": record["is_writable"], "searchable_flag": False, "filtering_allowed": True, "sortable_flag": True,
        "mandatory_flag": is_required(record), "is_subfield": False,
    }  # fmt: skip


class FieldOperationsV1:
    """The v1 field operations of one entity."""

    def __init__(self, entity: str) -> None:
        self.entity = entity

    def list_all(self, call: Call) -> Answer:
        """GET /{entity}Fields; paging beside the list, not nested (S1 getDealFields)."""
        return list_v1_flat(call, of_entity(call.account, self.entity), show, default=500)

    def get(self, call: Call) -> Answer:
        """GET /{entity}Fields/{id}."""
        return ok(show(self._field(call)))

    def add(self, call: Call) -> Answer:
        """POST /{entity}Fields."""
        body = v.check_body_v1(call.body, _CREATE, {"name": "Field name must be given.", "field_type": "Field type must be given."})
        settings = {"field_name": body["name"], "field_type": body["field_type"], "add_visible_flag": body.get("add_visible_flag", True)}
        labels = [option["label"] for option in body.get("options", ())]
        record = add_custom_field(call.account, self.entity, settings, labels)
        return ok(show(record), 201 if self.entity == "products" else 200)

    def update(self, call: Call) -> Answer:
        """PUT /{entity}Fields/{id}; options are given completely, those left out are gone."""
        record = self._field(call)
        body = v.check_body_v1(call.body, _UPDATE)
        changes: Record = {"field_name": body["name"]} if "name" in body else {}
        if "options" in body:
            changes["options"] = [{"id": o.get("id") or call.account.next_option_id(), "label": o["label"]} for o in body["options"]]
        return ok(show(change_field(call.account, record, changes)))

    def delete(self, call: Call) -> Answer:
        """DELETE /{entity}Fields/{id}."""
        record = self._custom(call.account, self._field(call))
        change_field(call.account, record, {"is_deleted": True})
        return ok({"id": record["id"]})

    def delete_many(self, call: Call) -> Answer:
        """DELETE /{entity}Fields?ids=; all or none."""
        numbers = [number_v1(part.strip(), 0) for part in call.query.get("ids", "").split(",")]
        known = {row["id"]: row for row in of_entity(call.account, self.entity)}
        if not numbers or len(numbers) > _BULK_MAX or any(number not in known for number in numbers):
            raise bad_request_v1()
        for record in [self._custom(call.account, known[number]) for number in numbers]:
            change_field(call.account, record, {"is_deleted": True})
        return ok({"id": numbers})

    def _custom(self, account: Account, record: Record) -> Record:
        if not record["is_custom_field"]:
            raise bad_request_v1("Only custom fields can be deleted.")
        return record

    def _field(self, call: Call) -> Record:
        for row in of_entity(call.account, self.entity):
            if str(row["id"]) == call.params[0]:
                return row
        raise self._missing()

    def _missing(self) -> Refused:
        return gone_v1("The field is not found") if self.entity == "products" else not_found_v1("Field not found")


def _operations(entity: str, singular: str) -> list[Operation]:
    do, base, word = FieldOperationsV1(entity), f"/{singular}Fields", singular.capitalize()
    listing = Operation(f"v1.get{word}Fields", "v1", "GET", base, 20, do.list_all)
    if entity == "activities":
        return [listing]
    return [
        listing,
        Operation(f"v1.add{word}Field", "v1", "POST", base, 10, do.add),
        Operation(f"delete{word}Fields", "v1", "DELETE", base, 10, do.delete_many),
        Operation(f"v1.get{word}Field", "v1", "GET", f"{base}/{{id}}", 2, do.get),
        Operation(f"v1.update{word}Field", "v1", "PUT", f"{base}/{{id}}", 10, do.update),
        Operation(f"v1.delete{word}Field", "v1", "DELETE", f"{base}/{{id}}", 6, do.delete),
    ]


OPERATIONS = [operation for entity, singular in ENTITIES.items() for operation in _operations(entity, singular)]
