"""Reading in bulk: ours, theirs, by id; archived and deleted ones. Written past the product or by it, looked at from both sides."""

from __future__ import annotations

import orjson
import pytest

from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
from crm_pipelines_tests.unit.destinations.odoo.desk import PREFIX, Desk

pytestmark = pytest.mark.odoo


def test_ours_are_found_by_external_id_with_categories_and_deleted_ones_are_not(desk: Desk) -> None:
    made = desk.create("people", {f"l {n}": {"name": f"L {n}", "category_id": ["VIP"] if n else []} for n in range(4)})
    desk.server.call(desk.database, "res.partner", "unlink", ids=[int(made["l 3"])])
    desk.server.rows(desk.database, "update res_partner set active = false where id = %s", int(made["l 2"]))
    desk.server.rows(
        desk.database, "insert into ir_model_data (module, name, model, res_id) values (%s, 'people.ghost', 'res.partner', 999999)", PREFIX
    )
    found = desk.main.find("people", MemoryJournal())
    rows = {row["key"]: (row["destination_id"], row["labels"], row["amount"]) for row in found.iter_rows(named=True)}
    assert rows == {f"l {n}": (made[f"l {n}"], ["VIP"] if n else [], None) for n in range(3)}


def test_money_is_listed_as_odoo_adds_it_up(desk: Desk) -> None:
    person = desk.create("people", {"payer": {"name": "Payer"}})["payer"]
    product = desk.create("products", {"product:m": {"name": "Money"}})["product:m"]
    base = {"partner_id": person, "product": product, "description": "Money"}
    moment = {"date_order": "2019-01-02T03:04:05Z"}
    desk.create(
        "orders", {"m1": {**base, **moment, "state": "sale", "amount": 1.1, "currency": "EUR"}, "m2": {**base, **moment, "state": "draft"}}
    )
    desk.create("deals", {"m3": {"name": "M", "status": "lost", "expected_revenue": 5, "currency": "USD", "stage": "Negotiation"}})
    orders = desk.main.find("orders", MemoryJournal()).select("key", "amount", "currency", "status").rows()
    assert sorted(orders) == [("m1", 1.1, "EUR", "sale"), ("m2", 0.0, "USD", "draft")]
    assert desk.main.find("deals", MemoryJournal()).select("key", "amount", "currency", "status").rows() == [("m3", 5.0, "USD", "lost")]


def test_records_that_are_not_ours_are_there_for_matching_and_read_as_a_map_would_write_them(desk: Desk) -> None:
    values = [
        {"name": "Theirs", "email": '"Theirs" <The.Irs@Example.com>', "city": "Town", "country_id": 75, "comment": "<p>x</p>"},
        {"name": "No mail"},
        {"name": "Firm", "is_company": True, "email": "firm@example.com"},
        {"name": "Archived", "email": "archived@example.com", "active": False},
    ]
    theirs, _, firm, _ = desk.server.call(desk.database, "res.partner", "create", vals_list=values)
    desk.create("people", {"own": {"name": "Own", "email": "own@example.com"}})
    existing = desk.main.existing("people", MemoryJournal())
    rows = {row["match"]: row for row in existing.iter_rows(named=True)}
    assert "own@example.com" not in rows
    assert "firm@example.com" not in rows
    assert "archived@example.com" not in rows
    assert rows["the.irs@example.com"]["destination_id"] == str(theirs)
    payload = orjson.loads(rows["the.irs@example.com"]["payload"])
    assert (payload["name"], payload["city"], payload["country"], payload["comment"]) == ("Theirs", "Town", "FR", "<p>x</p>")
    firms = desk.main.existing("organizations", MemoryJournal())
    assert firms.filter(match="firm").get_column("destination_id").to_list() == [str(firm)]


def test_addresses_users_and_records_of_another_company_are_nobody_to_match(desk: Desk) -> None:
    def make(model: str, *vals: dict[str, object]) -> list[int]:
        return [int(number) for number in desk.server.call(desk.database, model, "create", vals_list=list(vals))]

    (other,) = make("res.company", {"name": "Branch"})
    uid = desk.server.call(desk.database, "res.users", "context_get")["uid"]
    desk.server.call(desk.database, "res.users", "write", ids=[uid], vals={"company_ids": [[4, other]]})
    make("res.users", {"name": "Staff", "login": "staff@nobody.example.com", "email": "staff@nobody.example.com"})
    firm, jane = make(
        "res.partner",
        {"name": "Nobody", "is_company": True},
        {"name": "Jane", "email": "jane@nobody.example.com"},
    )
    kept = {"jane@nobody.example.com": jane}
    make(
        "res.partner",
        {"name": "Warehouse", "email": "stock@nobody.example.com", "type": "delivery", "parent_id": firm},
        {"name": "Accounts", "email": "bills@nobody.example.com", "type": "invoice", "parent_id": firm},
        {"name": "Jane's parcels", "email": "jane@nobody.example.com", "type": "delivery", "parent_id": jane},
        {"name": "Jane's hut", "email": "Jane@Nobody.example.com", "type": "other", "parent_id": jane},
        {"name": "Of the branch", "email": "branch@nobody.example.com", "company_id": other},
        {"name": "Branch Ltd", "is_company": True, "company_id": other},
    )
    (kept["other@nobody.example.com"],) = make(
        "res.partner", {"name": "Other", "email": "other@nobody.example.com", "type": "other", "parent_id": firm}
    )
    make("product.product", {"name": "Branch product", "company_id": other})
    (franc,) = desk.server.call(desk.database, "res.currency", "search", domain=[["name", "=", "CHF"], ["active", "=", False]])
    desk.server.call(desk.database, "res.currency", "write", ids=[franc], vals={"active": True})
    make("product.pricelist", {"name": "Migration CHF", "currency_id": franc, "company_id": other})
    anew = desk.open()
    assert "CHF" not in anew.describe().types["currencies"]
    rows = anew.existing("people", MemoryJournal()).select("match", "destination_id").rows()
    assert {match: int(number) for match, number in rows if "nobody" in match} == kept
    assert "branch ltd" not in anew.existing("organizations", MemoryJournal())["match"].to_list()
    assert "branch product" not in anew.existing("products", MemoryJournal())["match"].to_list()


def test_thousands_are_read_in_pages_and_missing_ones_are_absent(desk: Desk) -> None:
    made = desk.create("people", {f"many {n}": {"name": f"Many {n}"} for n in range(1203)})
    frame = desk.main.read("people", [*made.values(), "99999999"], MemoryJournal())
    assert frame.height == 1203
    assert set(frame.get_column("destination_id")) == set(made.values())
    assert desk.main.read("people", [], MemoryJournal()).is_empty()
