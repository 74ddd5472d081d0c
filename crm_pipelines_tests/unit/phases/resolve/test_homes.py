"""Purchases with homes of their own by kind, and the products that are read off them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crm_pipelines.errors import SpecError
from crm_pipelines.phases.resolve import Resolved
from crm_pipelines_tests.lib.staged_objects import Row, day, derive_with, resolved, row_of, staged

APART = dict.fromkeys(("one_off", "rebill", "failed"), "invoices")
PHASE_OF = {"decision": "transactions", "options": {"orders": {}, "invoices": APART}}
DERIVE = derive_with(purchases={"phase": "orders", "phase_of": PHASE_OF}, products={"phase": "products", "key": "product:{name}"})
PEOPLE = staged("contacts", [{"id": "1", "email": "ann@example.com"}])


def event(number: int, kind: str, at: float, **cells: object) -> Row:
    usual = {"id": str(number), "transaction_type": kind, "date": day(at), "product": "Gold", "currency": "USD", "lead_id": "1"}
    return {**usual, "amount": Decimal(49), **cells}


HISTORY = [
    event(100, "Sale", 3),
    event(101, "Refund", 4, amount=Decimal(10)),
    event(102, "Sale", 5, subscription_id="7", product="Tea"),
    event(103, "Rebill", 6, subscription_id="7", product="Tea"),
    event(104, "Failed", 7, subscription_id="7", product="Tea"),
    event(105, "Sale", 8, lead_id="404", product="Nobody"),
]


def fold(transactions: str, **decisions: str) -> Resolved:
    files = [staged("transactions", HISTORY[:1], HISTORY), staged("subscriptions", [{"subscription_id": "8", "subscription_lead_id": "1"}])]
    return resolved(PEOPLE, *files, derive=DERIVE, transactions=transactions, **decisions)


def homes(result: Resolved) -> dict[str, str]:
    return dict(result.frames["purchases"].select("key", "home_phase").iter_rows())


def placed(result: Resolved) -> list[tuple[str, str | None, str | None]]:
    return result.fates["transactions"].sort("chunk", "row").select("fate", "into_phase", "into_key").rows()


def test_every_kind_stays_in_the_home_phase_unless_the_client_wants_it_elsewhere() -> None:
    result = fold("orders", rebills="deal_each", failed="lost_deal")
    assert set(homes(result).values()) == {"orders"}
    assert {phase for _, phase, _ in placed(result)} == {"orders"}


def test_kinds_that_the_client_wants_elsewhere_are_at_home_there() -> None:
    result = fold("invoices", rebills="deal_each", failed="lost_deal")
    assert homes(result) == {
        **dict.fromkeys(("tx:100", "tx:103", "tx:104", "tx:105"), "invoices"),
        **dict.fromkeys(("sub:7", "sub:8"), "orders"),
    }


def test_rows_end_in_the_phase_of_the_record_they_are_part_of() -> None:
    assert placed(fold("invoices")) == [
        ("merged", "invoices", "tx:100"),
        ("record", "invoices", "tx:100"),
        ("folded", "invoices", "tx:100"),
        ("record", "orders", "sub:7"),
        ("folded", "orders", "sub:7"),
        ("excluded", None, None),
        ("waiting", "invoices", "tx:105"),
    ]
    listed = fold("invoices").fates["subscriptions"]
    assert listed.select("fate", "into_phase", "into_key").rows() == [("record", "orders", "sub:8")]


def test_an_answer_without_homes_is_refused() -> None:
    with pytest.raises(SpecError, match="must be one of: orders, invoices"):
        fold("both")


def test_products_are_the_distinct_names_on_purchases_that_do_not_wait() -> None:
    spelled = [event(1, "Sale", 1, product=" gold  card"), event(2, "Sale", 2, product="Gold Card"), event(3, "Sale", 2, product=None)]
    result = resolved(PEOPLE, staged("transactions", spelled[:1], [*spelled, *HISTORY]), derive=DERIVE, transactions="orders")
    products = result.frames["products"]
    assert products.select("key", "name").rows() == [
        ("product:gold", "Gold"),
        ("product:gold card", "Gold Card"),
        ("product:tea", "Tea"),
    ]
    assert len(row_of(products, "product:gold card")["contributors"]) == 2
    keys = dict(result.frames["purchases"].select("key", "product_key").iter_rows())
    assert (keys["tx:1"], keys["tx:2"], keys["tx:3"]) == ("product:gold card", "product:gold card", None)
    assert set(filter(None, (keys[key] for key in ("tx:100", "sub:7")))) <= set(products["key"])


def test_without_purchases_there_are_no_products() -> None:
    assert resolved(PEOPLE, derive=DERIVE, transactions="orders").frames["products"].height == 0
