"""Products attached to deals, v2: one by one and in bulk.

Belongs here: attachments and their sums. Not here: products themselves (products).
Source: S2 addDealProduct, addManyDealProducts (at most 100), deleteManyDealProducts (at most 100), getDealsProducts
(at most 100 deals). A detached product is gone, not marked as deleted, to readers.
"""

from __future__ import annotations

from typing import Any

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, bad_request, invalid, ok
from crm_pipelines.sandbox.pipedrive.listing import PAGING, Listed, as_ids, list_v2, one_of, read_query
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.products import FREQUENCIES
from crm_pipelines.sandbox.pipedrive.records import live_record
from crm_pipelines.sandbox.pipedrive.store import Record

MAX_BULK = 100  # S2 addManyDealProducts
MAX_RECURRING = 20  # S2 addDealProduct, billing_frequency

_SCHEMA: v.Schema = {
    "product_id": v.integer(),
    "item_price": v.number(),
    "quantity": v.number(),
    "tax": v.number(),
    "comments": v.text(),
    "discount": v.number(),
    "is_enabled": v.boolean,
    "tax_method": v.one_of("exclusive", "inclusive", "none"),
    "discount_type": v.one_of("percentage", "amount"),
    "product_variation_id": v.nullable(v.integer()),
    "billing_frequency": v.one_of(*FREQUENCIES),
    "billing_frequency_cycles": v.nullable(v.integer(1, 208)),
    "billing_start_date": v.nullable(v.day),
}
_REQUIRED = ("product_id", "item_price", "quantity")
_ORDER = {"sort_by": one_of("id", "deal_id", "add_time", "update_time", "order_nr"), "sort_direction": one_of("asc", "desc")}


def add(call: Call) -> Answer:
    """POST /deals/{id}/products."""
    deal = live_record(call, "deals")
    body = v.check_body(call.body, _SCHEMA, _REQUIRED)
    _check_rules(call, deal, [body])
    record = _attach(call.account, deal, body)
    _follow(call.account, deal)
    return ok(record, 201)


def add_many(call: Call) -> Answer:
    """POST /deals/{id}/products/bulk; all or none."""
    deal = live_record(call, "deals")
    body = v.check_body(call.body, {"data": v.array(v.record(_SCHEMA, _REQUIRED), MAX_BULK)}, ["data"])
    if not body["data"]:
        raise invalid(["data: This collection should contain 1 element or more."])
    _check_rules(call, deal, body["data"])
    records = [_attach(call.account, deal, item) for item in body["data"]]
    _follow(call.account, deal)
    return ok(records, 201)


def update(call: Call) -> Answer:
    """PATCH /deals/{id}/products/{product_attachment_id}."""
    deal = live_record(call, "deals")
    record = _attachment(call, deal)
    body = v.check_body(call.body, _SCHEMA)
    _check_rules(call, deal, [body])
    changed = {**record, **body, "update_time": call.account.clock.utc()}
    changed["sum"] = _sum(changed)
    call.account.store.put("deal_products", changed)
    _follow(call.account, deal)
    return ok(_shown(changed))


def delete(call: Call) -> Answer:
    """DELETE /deals/{id}/products/{product_attachment_id}."""
    deal = live_record(call, "deals")
    record = _attachment(call, deal)
    call.account.store.put("deal_products", {**record, "is_deleted": True})
    _follow(call.account, deal)
    return ok({"id": record["id"]})


def delete_many(call: Call) -> Answer:
    """DELETE /deals/{id}/products: those in `ids`, or the first hundred."""
    deal = live_record(call, "deals")
    query = read_query(call, {"ids": as_ids})
    attached = call.account.store.table("deal_products").where("deal_id", deal["id"])
    wanted = [row for row in attached if "ids" not in query or row["id"] in query["ids"]]
    for row in wanted[:MAX_BULK]:
        call.account.store.put("deal_products", {**row, "is_deleted": True})
    _follow(call.account, deal)
    body = {"success": True, "data": {"ids": [row["id"] for row in wanted[:MAX_BULK]]}}
    return Answer(200, {**body, "additional_data": {"more_items_in_collection": len(wanted) > MAX_BULK}})


def list_of_deal(call: Call) -> Answer:
    """GET /deals/{id}/products."""
    deal = live_record(call, "deals")
    query = read_query(call, {**PAGING, **_ORDER})
    rows = call.account.store.table("deal_products").where("deal_id", deal["id"])
    return list_v2(call, Listed("deal_products"), query, _shown, rows)


def list_of_deals(call: Call) -> Answer:
    """GET /deals/products?deal_ids=."""
    query = read_query(call, {**PAGING, **_ORDER, "deal_ids": as_ids}, ["deal_ids"])
    table = call.account.store.table("deal_products")
    rows = [row for number in query["deal_ids"] for row in table.where("deal_id", number)]
    return list_v2(call, Listed("deal_products"), query, _shown, rows)


def _attachment(call: Call, deal: Record) -> Record:
    record = call.account.store.find("deal_products", call.param_number(1))
    if record is None or record["deal_id"] != deal["id"]:
        raise call.not_found()
    return record


def _check_rules(call: Call, deal: Record, items: list[dict[str, Any]]) -> None:
    account = call.account
    for item in items:
        if "product_id" in item and account.store.find("products", item["product_id"]) is None:
            raise bad_request(f"product_id: product with id {item['product_id']} was not found.")
    recurring = sum(1 for item in items if item.get("billing_frequency", "one-time") != "one-time")
    if not recurring:
        return
    if account.config.plan == "lite":
        raise bad_request("billing_frequency is only available in Growth and above plans.")
    attached = account.store.table("deal_products").where("deal_id", deal["id"])
    if recurring + sum(1 for row in attached if row["billing_frequency"] != "one-time") > MAX_RECURRING:
        raise bad_request(f"A deal can have up to {MAX_RECURRING} products attached with billing_frequency different than 'one-time'.")


def _attach(account: Account, deal: Record, body: dict[str, Any]) -> Record:
    store, now = account.store, account.clock.utc()
    product = store.table("products").rows[body["product_id"]]
    record = {
        "id": store.table("deal_products").next_id(),
        "sum": 0,
        "tax": body.get("tax", product["tax"]),
        "deal_id": deal["id"],
        "name": product["name"],
        "product_id": product["id"],
        "product_variation_id": body.get("product_variation_id"),
        "order_nr": len(store.table("deal_products").where("deal_id", deal["id"])) + 1,
        "add_time": now,
        "update_time": now,
        "comments": body.get("comments", ""),
        "currency": deal["currency"],
        "discount": body.get("discount", 0),
        "discount_type": body.get("discount_type", "percentage"),
        "quantity": body["quantity"],
        "item_price": body["item_price"],
        "tax_method": body.get("tax_method", "inclusive"),
        "is_enabled": body.get("is_enabled", True),
        "billing_frequency": body.get("billing_frequency", "one-time"),
        "billing_frequency_cycles": body.get("billing_frequency_cycles"),
        "billing_start_date": body.get("billing_start_date"),
        "is_deleted": False,
    }
    record["sum"] = _sum(record)
    return _shown(store.put("deal_products", record))


def _shown(record: Record) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "is_deleted"}


def _sum(record: Record) -> float:
    gross = record["item_price"] * record["quantity"]
    off = gross * record["discount"] / 100 if record["discount_type"] == "percentage" else record["discount"]
    net = gross - off
    return float(round(net * (1 + record["tax"] / 100) if record["tax_method"] == "exclusive" else net, 2))


def _follow(account: Account, deal: Record) -> None:
    """Set the deal's value to the sum of its enabled products, where the switch says that the vendor does."""
    if not account.switches.deal_value_follows_products:
        return
    rows = account.store.table("deal_products").where("deal_id", deal["id"])
    total = round(sum(row["sum"] for row in rows if row["is_enabled"]), 2)
    account.store.put("deals", {**deal, "value": total, "update_time": account.clock.utc()})


OPERATIONS = [
    Operation("getDealsProducts", "v2", "GET", "/deals/products", 10, list_of_deals),
    Operation("getDealProducts", "v2", "GET", "/deals/{id}/products", 10, list_of_deal),
    Operation("addDealProduct", "v2", "POST", "/deals/{id}/products", 5, add),
    Operation("deleteManyDealProducts", "v2", "DELETE", "/deals/{id}/products", 15, delete_many, takes_query=True),
    Operation("addManyDealProducts", "v2", "POST", "/deals/{id}/products/bulk", 25, add_many),
    Operation("updateDealProduct", "v2", "PATCH", "/deals/{id}/products/{product_attachment_id}", 5, update),
    Operation("deleteDealProduct", "v2", "DELETE", "/deals/{id}/products/{product_attachment_id}", 3, delete),
]
