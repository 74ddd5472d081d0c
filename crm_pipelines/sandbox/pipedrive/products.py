"""Products, v2.

Belongs here: their keys, prices and reads. Not here: products attached to deals (deal_products).
Source: S2 addProduct, updateProduct, getProducts; creating answers 201.
"""

from __future__ import annotations

from typing import Any

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive import views
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, bad_request, ok
from crm_pipelines.sandbox.pipedrive.links import check_links, merged_custom_fields
from crm_pipelines.sandbox.pipedrive.listing import PAGING, Listed, as_ids, as_int, as_moment, as_selected, list_v2, one_of, read_query
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.records import delete_record, live_record, readable_record
from crm_pipelines.sandbox.pipedrive.store import Record

FREQUENCIES = ("one-time", "annually", "semi-annually", "quarterly", "monthly", "weekly")

_PRICE = {
    "price": v.number(), "currency": v.text(3, min_length=1), "cost": v.number(), "overhead_cost": v.nullable(v.number()),
    "direct_cost": v.nullable(v.number()), "notes": v.text(),
}  # fmt: skip
_SCHEMA: v.Schema = {
    "name": v.text(255, min_length=1),
    "code": v.text(),
    "description": v.text(),
    "unit": v.text(),
    "tax": v.number(),
    "category": v.number(),
    "owner_id": v.integer(),
    "is_linkable": v.boolean,
    "visible_to": v.integer(),
    "prices": v.array(v.record(_PRICE, ["currency", "price"])),
    "custom_fields": v.mapping,
    "billing_frequency": v.one_of(*FREQUENCIES),
    "billing_frequency_cycles": v.nullable(v.integer(1, 208)),
}
_LIST = {
    **PAGING, "owner_id": as_int, "ids": as_ids, "updated_since": as_moment, "custom_fields": as_selected,
    "sort_by": one_of("id", "name", "add_time", "update_time"), "sort_direction": one_of("asc", "desc"),
}  # fmt: skip


def show(account: Account, record: Record, view: views.View = views.PLAIN) -> dict[str, Any]:
    """A product as v2 shows it."""
    return {**record, "custom_fields": views.custom_fields(account, "products", record, view)}


def add(call: Call) -> Answer:
    """POST /products."""
    account = call.account
    body = v.check_body(call.body, _SCHEMA, ["name"])
    _check_rules(call, body)
    number, now = account.store.table("products").next_id(), account.clock.utc()
    record = {
        "id": number,
        "name": body["name"],
        "code": body.get("code"),
        "description": body.get("description"),
        "unit": body.get("unit"),
        "tax": body.get("tax", 0),
        "category": _category(body.get("category")),
        "is_deleted": False,
        "is_linkable": body.get("is_linkable", True),
        "visible_to": body.get("visible_to", 3),
        "owner_id": body.get("owner_id", call.user["id"]),
        "add_time": now,
        "update_time": now,
        "billing_frequency": body.get("billing_frequency", "one-time"),
        "billing_frequency_cycles": body.get("billing_frequency_cycles"),
        "prices": _prices(number, body.get("prices", [])),
        "custom_fields": merged_custom_fields(account, "products", body.get("custom_fields", {}), {}),
    }
    return ok(show(account, account.store.put("products", record)), 201)


def update(call: Call) -> Answer:
    """PATCH /products/{id}; prices are replaced wholesale."""
    account = call.account
    record = live_record(call, "products")
    body = v.check_body(call.body, _SCHEMA)
    _check_rules(call, body)
    changed = {**record, **body, "update_time": account.clock.utc()}
    if "prices" in body:
        changed["prices"] = _prices(record["id"], body["prices"])
    if "category" in body:
        changed["category"] = _category(body["category"])
    changed["custom_fields"] = merged_custom_fields(account, "products", body.get("custom_fields", {}), record["custom_fields"])
    return ok(show(account, account.store.put("products", changed)))


def _check_rules(call: Call, body: dict[str, Any]) -> None:
    check_links(call, body)
    if call.account.config.plan == "lite" and "billing_frequency" in body:
        raise bad_request("billing_frequency is only available in Growth and above plans.")  # S2 addProduct
    currencies = [price["currency"] for price in body.get("prices", ())]
    if len(set(currencies)) != len(currencies):
        raise bad_request("prices: one price per currency.")
    for currency in currencies:
        if call.account.store.find("currencies", currency) is None:
            raise bad_request(f"prices: '{currency}' is not an active currency.")


def _category(value: Any) -> str | None:
    """Given as a number, read back as text; S2 addProduct."""
    return None if value is None else str(value)


def _prices(number: int, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    defaults = {"cost": 0, "direct_cost": None, "notes": ""}
    return [{"product_id": number, **defaults, **{key: value for key, value in price.items() if key != "overhead_cost"}} for price in given]


def get(call: Call) -> Answer:
    """GET /products/{id}."""
    read_query(call, {})
    return ok(show(call.account, readable_record(call, "products")))


def list_all(call: Call) -> Answer:
    """GET /products."""
    query = read_query(call, _LIST)
    view = views.view_of(query)
    return list_v2(call, Listed("products", ("owner_id",)), query, lambda row: show(call.account, row, view))


def delete(call: Call) -> Answer:
    """DELETE /products/{id}; it stays attached to deals."""
    return delete_record(call, "products")


OPERATIONS = [
    Operation("addProduct", "v2", "POST", "/products", 5, add),
    Operation("getProducts", "v2", "GET", "/products", 10, list_all),
    Operation("getProduct", "v2", "GET", "/products/{id}", 1, get),
    Operation("updateProduct", "v2", "PATCH", "/products/{id}", 5, update),
    Operation("deleteProduct", "v2", "DELETE", "/products/{id}", 3, delete),
]
