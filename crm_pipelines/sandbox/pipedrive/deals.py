"""Deals, v2.

Belongs here: their keys and rules: defaults, statuses and their times, archiving, the plan's cap. Not here: products
of a deal (deal_products), merging (merge).
Source: S2 addDeal, updateDeal, getDeals; defaults recorded live (pipedrive-mcp defaults_test).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive import views
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, bad_request, capped, ok
from crm_pipelines.sandbox.pipedrive.deal_status import check_status_fields, status_times
from crm_pipelines.sandbox.pipedrive.links import check_links, merged_custom_fields
from crm_pipelines.sandbox.pipedrive.listing import CHANGED, ORDER, PAGING, Listed, as_ids, as_int, list_v2, one_of, read_query
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.records import delete_record, live_record, readable_record, utc
from crm_pipelines.sandbox.pipedrive.store import Record

DELETED_KEPT_S = 30 * 86_400  # "After 30 days ... permanently deleted", S2 deleteDeal

_SCHEMA: v.Schema = {
    "title": v.text(min_length=1),
    "owner_id": v.integer(),
    "person_id": v.integer(),
    "org_id": v.integer(),
    "pipeline_id": v.integer(),
    "stage_id": v.integer(),
    "value": v.number(),
    "currency": v.text(3, min_length=1),
    "is_deleted": v.boolean,
    "is_archived": v.boolean,
    "archive_time": v.moment_v1,  # `YYYY-MM-DD HH:MM:SS`, S2 addDeal
    "status": v.one_of("open", "won", "lost"),
    "probability": v.nullable(v.number(0, 100)),
    "lost_reason": v.nullable(v.text()),
    "visible_to": v.integer(),
    "close_time": v.nullable(v.moment),
    "won_time": v.moment,
    "lost_time": v.moment,
    "expected_close_date": v.day,
    "label_ids": v.array(v.integer()),
    "custom_fields": v.mapping,
}
_WITH_ADD_TIME: v.Schema = {**_SCHEMA, "add_time": v.moment}
_INCLUDE = (
    "next_activity_id", "last_activity_id", "first_won_time", "products_count", "files_count", "notes_count", "followers_count",
    "email_messages_count", "activities_count", "done_activities_count", "undone_activities_count", "participants_count",
    "last_incoming_mail_time", "last_outgoing_mail_time", "smart_bcc_email", "source_lead_id",
)  # fmt: skip
_EQUAL = ("owner_id", "person_id", "org_id", "pipeline_id", "stage_id")
_LIST = {
    **PAGING, **ORDER, **CHANGED, **views.view_parsers(_INCLUDE), "ids": as_ids, **dict.fromkeys(_EQUAL, as_int),
    "status": one_of("open", "won", "lost", "deleted"),
}  # fmt: skip
_PLAIN_KEYS = ("title", "owner_id", "person_id", "org_id", "value", "currency", "probability", "lost_reason", "visible_to", "label_ids")


def show(account: Account, record: Record, view: views.View = views.PLAIN) -> dict[str, Any]:
    """A deal as v2 shows it."""
    shown = dict(record)
    shown["custom_fields"] = views.custom_fields(account, "deals", record, view)
    if view.has_labels:
        shown["labels"] = views.labels(account, "deals", record)
    if view.include:
        products = len(account.store.table("deal_products").where("deal_id", record["id"]))
        known = {
            **views.counts(account, "deal_id", record["id"]),
            "products_count": products,
            "participants_count": int(record["person_id"] is not None),
        }
        shown.update({key: known.get(key) for key in sorted(view.include)})
    return shown


def add(call: Call) -> Answer:
    """POST /deals."""
    account = call.account
    body = v.check_body(call.body, _schema(account), ["title"])
    _check_rules(call, body, body.get("status", "open"))
    if body.get("status", "open") == "open":
        check_cap(account)
    now = account.clock.utc()
    add_time = utc(body["add_time"]) if "add_time" in body else now
    record = {
        "id": account.store.table("deals").next_id(),
        "title": body["title"],
        "creator_user_id": call.user["id"],
        "owner_id": body.get("owner_id", call.user["id"]),
        "value": body.get("value", 0),
        "person_id": body.get("person_id"),
        "org_id": body.get("org_id"),
        **_place(account, body, None),
        "currency": body.get("currency", account.config.currency),
        "add_time": add_time,
        "update_time": now,
        "stage_change_time": now,
        "status": body.get("status", "open"),
        **_archived(account, body, {}),
        "is_deleted": body.get("is_deleted", False),
        "probability": body.get("probability"),
        "lost_reason": body.get("lost_reason"),
        "visible_to": body.get("visible_to", 3),
        **status_times(body, {}, now),
        "expected_close_date": _day(body.get("expected_close_date")),
        "label_ids": body.get("label_ids", []),
        "origin": "API",
        "origin_id": None,
        "channel": None,
        "channel_id": None,
        "source_lead_id": None,
        "acv": None,
        "arr": None,
        "mrr": None,
        "custom_fields": merged_custom_fields(account, "deals", body.get("custom_fields", {}), {}),
    }
    return ok(show(account, account.store.put("deals", record)))


def update(call: Call) -> Answer:
    """PATCH /deals/{id}; a deleted deal can only be brought back, an archived one only be unarchived."""
    account = call.account
    record = readable_record(call, "deals")
    body = v.check_body(call.body, _schema(account))
    if record["is_deleted"] and body.get("is_deleted") is not False:
        raise call.not_found()
    if record["is_archived"] and body.get("is_archived") is not False:
        raise bad_request("Archived deals cannot be edited.")  # changelog 2025-07-15; the sentence is a proposal
    status = str(body.get("status") or record["status"])
    _check_rules(call, body, status)
    if status == "open" and record["status"] != "open":
        check_cap(account)
    changed = {**record, **{key: body[key] for key in _PLAIN_KEYS if key in body}, "status": status, "update_time": account.clock.utc()}
    changed.update(_place(account, body, record), is_deleted=body.get("is_deleted", record["is_deleted"]))
    changed.update(_archived(account, body, record))
    changed.update(status_times(body, record, account.clock.utc()))
    if changed["stage_id"] != record["stage_id"]:
        changed["stage_change_time"] = account.clock.utc()
    if "add_time" in body:
        changed["add_time"] = utc(body["add_time"])
    if "expected_close_date" in body:
        changed["expected_close_date"] = _day(body["expected_close_date"])
    changed["custom_fields"] = merged_custom_fields(account, "deals", body.get("custom_fields", {}), record["custom_fields"])
    return ok(show(account, account.store.put("deals", changed)))


def check_cap(account: Account) -> None:
    """Open deals and leads together, per company.

    Raises: Refused 403. Source: support.pipedrive.com usage limits; changelog on POST /deals.
    """
    open_now = account.store.table("deals").level + account.store.table("leads").level
    if open_now >= account.config.limits.open_deals_per_seat * account.config.seats:
        raise capped("Couldn't add the deal. Open deals limit reached.", "feature_capping_deals_limit")


def _schema(account: Account) -> v.Schema:
    return _WITH_ADD_TIME if account.switches.deal_add_time else _SCHEMA


def _check_rules(call: Call, body: dict[str, Any], status: str) -> None:
    check_links(call, body, "deals")
    check_status_fields(body, status, call.operation.id == "addDeal" and not call.account.switches.won_time_on_create)
    if "currency" in body and call.account.store.find("currencies", body["currency"]) is None:
        raise bad_request(f"currency: '{body['currency']}' is not an active currency.")


def _place(account: Account, body: dict[str, Any], record: Record | None) -> dict[str, int]:
    """Pipeline and stage; the stage's pipeline wins over pipeline_id. Source: S1 addDeal."""
    if "stage_id" in body:
        stage = account.store.find("stages", body["stage_id"])
        if stage is None:
            raise bad_request(f"stage_id: stage with id {body['stage_id']} was not found.")
        return {"stage_id": stage["id"], "pipeline_id": stage["pipeline_id"]}
    if record is not None and body.get("pipeline_id", record["pipeline_id"]) == record["pipeline_id"]:
        return {"stage_id": record["stage_id"], "pipeline_id": record["pipeline_id"]}
    pipeline_id = body.get("pipeline_id") or next(account.store.table("pipelines").live())["id"]
    stages = account.store.table("stages").where("pipeline_id", pipeline_id)
    if account.store.find("pipelines", pipeline_id) is None or not stages:
        raise bad_request(f"pipeline_id: pipeline with id {pipeline_id} was not found or has no stages.")
    return {"stage_id": stages[0]["id"], "pipeline_id": pipeline_id}


def _archived(account: Account, body: dict[str, Any], record: Record) -> dict[str, Any]:
    is_archived = body.get("is_archived", record.get("is_archived", False))
    if not is_archived:
        return {"is_archived": False, "archive_time": None}
    given = body.get("archive_time")
    moment = given.replace(" ", "T") + "Z" if given else record.get("archive_time") or account.clock.utc()
    return {"is_archived": True, "archive_time": moment}


def _day(value: str | None) -> str | None:
    """An empty date stores 0000-00-00. Recorded live (pipedrive-mcp, "Clearing a field")."""
    return "0000-00-00" if value == "" else value


def get(call: Call) -> Answer:
    """GET /deals/{id}."""
    query = read_query(call, views.view_parsers(_INCLUDE))
    return ok(show(call.account, readable_record(call, "deals"), views.view_of(query)))


def _list(call: Call, is_archived: bool) -> Answer:
    query = read_query(call, _LIST)
    status, view = query.get("status"), views.view_of(query)
    oldest = utc(datetime.fromtimestamp(call.account.clock.now() - DELETED_KEPT_S, UTC).isoformat())

    def keep(row: Record) -> bool:
        if row["is_archived"] is not is_archived or row["is_deleted"] is not (status == "deleted"):
            return False
        if status == "deleted":
            return bool(row["update_time"] >= oldest)
        return status is None or row["status"] == status

    return list_v2(call, Listed("deals", _EQUAL, keep), query, lambda row: show(call.account, row, view))


def list_all(call: Call) -> Answer:
    """GET /deals; archived ones are left out."""
    return _list(call, is_archived=False)


def list_archived(call: Call) -> Answer:
    """GET /deals/archived."""
    return _list(call, is_archived=True)


def delete(call: Call) -> Answer:
    """DELETE /deals/{id}; its activities and notes stay."""
    live_record(call, "deals")
    return delete_record(call, "deals")


OPERATIONS = [
    Operation("addDeal", "v2", "POST", "/deals", 5, add),
    Operation("getDeals", "v2", "GET", "/deals", 10, list_all),
    Operation("getArchivedDeals", "v2", "GET", "/deals/archived", 20, list_archived),
    Operation("getDeal", "v2", "GET", "/deals/{id}", 1, get),
    Operation("updateDeal", "v2", "PATCH", "/deals/{id}", 5, update),
    Operation("deleteDeal", "v2", "DELETE", "/deals/{id}", 3, delete),
]
