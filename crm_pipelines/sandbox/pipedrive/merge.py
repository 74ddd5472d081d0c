"""Merging two persons, organizations or deals, v1.

Belongs here: moving what hangs on the one to the other. Not here: plain updates (the entity modules).
Source: S1 mergePersons: `merge_with_id` is the survivor, its data win; 40 tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive.answers import Answer, bad_request_v1, not_found_v1, ok
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.records import utc_v1
from crm_pipelines.sandbox.pipedrive.store import INDEXED, Record

_KEYS = {"persons": "person_id", "organizations": "org_id", "deals": "deal_id"}


def merge(entity: str) -> Callable[[Call], Answer]:
    """The handler that merges records of one entity."""

    def handle(call: Call) -> Answer:
        body = v.check_body_v1(call.body, {"merge_with_id": v.integer()}, {"merge_with_id": "merge_with_id must be given."})
        store = call.account.store
        loser, survivor = store.find(entity, call.number), store.find(entity, body["merge_with_id"])
        if loser is None or survivor is None:
            raise not_found_v1(f"{entity[:-1].capitalize()} not found")
        if loser is survivor:
            raise bad_request_v1("Cannot merge a record with itself.")
        now = call.account.clock.utc()
        store.put(entity, {**loser, "is_deleted": True, "update_time": now})
        kept = store.put(entity, {**_filled(survivor, loser), "update_time": now})
        _move(call, _KEYS[entity], loser["id"], survivor["id"])
        return ok(_shown(entity, kept, loser["id"]))

    return handle


def _filled(survivor: Record, loser: Record) -> Record:
    """The survivor's data, with the other's where it has none."""
    merged = {key: loser.get(key) if value is None else value for key, value in survivor.items()}
    merged["custom_fields"] = {**loser["custom_fields"], **survivor["custom_fields"]}
    merged["label_ids"] = list(dict.fromkeys([*survivor["label_ids"], *loser["label_ids"]]))
    for key in ("emails", "phones"):
        if key in survivor:
            known = {entry["value"] for entry in survivor[key]}
            merged[key] = [*survivor[key], *({**e, "primary": False} for e in loser[key] if e["value"] not in known)]
    return merged


def _move(call: Call, key: str, old: int, new: int) -> None:
    store = call.account.store
    for table, keys in INDEXED.items():
        if key in keys:
            store.put_all(table, [{**row, key: new} for row in store.table(table).where(key, old)])


def _shown(entity: str, record: Record, merged_id: int) -> dict[str, Any]:
    if entity == "organizations":
        return {"id": record["id"]}
    times = {key: utc_v1(record[key]) for key in ("add_time", "update_time")}
    same: Record = {key: record[key] for key in ("id", "org_id") if key in record}
    if entity == "persons":
        names = {key: record[key] for key in ("name", "first_name", "last_name", "owner_id", "label_ids")}
        contact = {"email": record["emails"], "phone": record["phones"], "active_flag": True, "visible_to": str(record["visible_to"])}
        return {**same, **names, **contact, **times, "merge_what_id": merged_id}
    plain = {key: record[key] for key in ("title", "value", "currency", "status", "stage_id", "pipeline_id", "person_id")}
    return {**same, **plain, **times, "user_id": record["owner_id"], "visible_to": str(record["visible_to"]), "merge_what_id": merged_id}


OPERATIONS = [
    Operation("mergePersons", "v1", "PUT", "/persons/{id}/merge", 40, merge("persons")),
    Operation("mergeOrganizations", "v1", "PUT", "/organizations/{id}/merge", 40, merge("organizations")),
    Operation("mergeDeals", "v1", "PUT", "/deals/{id}/merge", 40, merge("deals")),
]
