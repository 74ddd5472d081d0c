"""Pipelines and stages, v2.

Belongs here: both, since stages have no life without a pipeline. Not here: deals in them (deals).
Source: S2 addPipeline, addStage, getStages; `GET /stages?pipeline_id=<missing>` answers [] (recorded live).
"""

from __future__ import annotations

from typing import Any

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, bad_request, ok
from crm_pipelines.sandbox.pipedrive.listing import PAGING, Listed, as_int, list_v2, one_of, read_query
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.records import delete_record, live_record, readable_record
from crm_pipelines.sandbox.pipedrive.store import Record

DEFAULT_STAGES = ("Qualified", "Contact Made", "Demo Scheduled", "Proposal Made", "Negotiations Started")  # a new account's

_PIPELINE: v.Schema = {"name": v.text(min_length=1), "is_deal_probability_enabled": v.boolean}
_STAGE: v.Schema = {
    "name": v.text(min_length=1),
    "pipeline_id": v.integer(),
    "deal_probability": v.integer(0, 100),
    "is_deal_rot_enabled": v.boolean,
    "days_to_rotten": v.nullable(v.integer(1)),
}
_DIRECTION = one_of("asc", "desc")


def make_pipeline(account: Account, name: str, has_probability: bool = False) -> Record:
    """Store a pipeline."""
    table, now = account.store.table("pipelines"), account.clock.utc()
    number = table.next_id()
    record = {
        "id": number, "name": name, "order_nr": number, "is_deleted": False, "is_deal_probability_enabled": has_probability,
        "add_time": now, "update_time": now,
    }  # fmt: skip
    return account.store.put("pipelines", record)


def make_stage(account: Account, body: dict[str, Any]) -> Record:
    """Store a stage as the last of its pipeline."""
    table, now = account.store.table("stages"), account.clock.utc()
    record = {
        "id": table.next_id(), "order_nr": len(table.where("pipeline_id", body["pipeline_id"])) + 1, "name": body["name"],
        "is_deleted": False, "deal_probability": body.get("deal_probability", 100), "pipeline_id": body["pipeline_id"],
        "is_deal_rot_enabled": body.get("is_deal_rot_enabled", False), "days_to_rotten": body.get("days_to_rotten"), "add_time": now,
        "update_time": now,
    }  # fmt: skip
    return account.store.put("stages", record)


def add_pipeline(call: Call) -> Answer:
    """POST /pipelines; whether default stages come with it is an open question (a switch)."""
    body = v.check_body(call.body, _PIPELINE, ["name"])
    record = make_pipeline(call.account, body["name"], body.get("is_deal_probability_enabled", False))
    if call.account.switches.pipeline_default_stages:
        for name in DEFAULT_STAGES:
            make_stage(call.account, {"name": name, "pipeline_id": record["id"]})
    return ok(record)


def update_pipeline(call: Call) -> Answer:
    """PATCH /pipelines/{id}."""
    record = live_record(call, "pipelines")
    body = v.check_body(call.body, _PIPELINE)
    return ok(call.account.store.put("pipelines", {**record, **body, "update_time": call.account.clock.utc()}))


def get_pipeline(call: Call) -> Answer:
    """GET /pipelines/{id}."""
    return ok(readable_record(call, "pipelines"))


def list_pipelines(call: Call) -> Answer:
    """GET /pipelines."""
    query = read_query(call, {**PAGING, "sort_by": one_of("id", "update_time", "add_time"), "sort_direction": _DIRECTION})
    return list_v2(call, Listed("pipelines"), query, lambda row: row)


def delete_pipeline(call: Call) -> Answer:
    """DELETE /pipelines/{id}."""
    return delete_record(call, "pipelines")


def add_stage(call: Call) -> Answer:
    """POST /stages; there is no order_nr on write, stages follow in order of creation."""
    body = v.check_body(call.body, _STAGE, ["name", "pipeline_id"])
    _check_pipeline(call, body)
    return ok(make_stage(call.account, body))


def update_stage(call: Call) -> Answer:
    """PATCH /stages/{id}."""
    record = live_record(call, "stages")
    body = v.check_body(call.body, _STAGE)
    _check_pipeline(call, body)
    return ok(call.account.store.put("stages", {**record, **body, "update_time": call.account.clock.utc()}))


def _check_pipeline(call: Call, body: dict[str, Any]) -> None:
    if "pipeline_id" in body and call.account.store.find("pipelines", body["pipeline_id"]) is None:
        raise bad_request(f"pipeline_id: pipeline with id {body['pipeline_id']} was not found.")


def get_stage(call: Call) -> Answer:
    """GET /stages/{id}."""
    return ok(readable_record(call, "stages"))


def list_stages(call: Call) -> Answer:
    """GET /stages."""
    order = one_of("id", "update_time", "add_time", "order_nr")
    query = read_query(call, {**PAGING, "pipeline_id": as_int, "sort_by": order, "sort_direction": _DIRECTION})
    return list_v2(call, Listed("stages", ("pipeline_id",)), query, lambda row: row)


def delete_stage(call: Call) -> Answer:
    """DELETE /stages/{id}."""
    return delete_record(call, "stages")


OPERATIONS = [
    Operation("addPipeline", "v2", "POST", "/pipelines", 5, add_pipeline),
    Operation("getPipelines", "v2", "GET", "/pipelines", 5, list_pipelines),
    Operation("getPipeline", "v2", "GET", "/pipelines/{id}", 1, get_pipeline),
    Operation("updatePipeline", "v2", "PATCH", "/pipelines/{id}", 5, update_pipeline),
    Operation("deletePipeline", "v2", "DELETE", "/pipelines/{id}", 3, delete_pipeline),
    Operation("addStage", "v2", "POST", "/stages", 5, add_stage),
    Operation("getStages", "v2", "GET", "/stages", 5, list_stages),
    Operation("getStage", "v2", "GET", "/stages/{id}", 1, get_stage),
    Operation("updateStage", "v2", "PATCH", "/stages/{id}", 5, update_stage),
    Operation("deleteStage", "v2", "DELETE", "/stages/{id}", 3, delete_stage),
]
