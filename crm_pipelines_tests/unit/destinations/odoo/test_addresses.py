"""Orders and invoices of a person with an address of their own under a company: they are that person's, now and after a change."""

from __future__ import annotations

import orjson
import pytest

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines_tests.unit.destinations.odoo.desk import Desk

pytestmark = pytest.mark.odoo
ORDER = "select partner_id, partner_invoice_id, partner_shipping_id from sale_order where id = %s"
INVOICE = "select partner_id, partner_shipping_id from account_move where id = %s"


def _people(desk: Desk, name: str) -> tuple[int, int]:
    """Make a company, a person with an address of their own under it, and another without one."""
    (firm,) = desk.create("organizations", {f"company:{name}": {"name": name}}).values()
    other = {"type": "other", "street": "1 Main Street", "city": "Berlin", "country": "DE"}
    made = desk.create(
        "people",
        {f"{name} own": {"name": f"{name} own", "parent_id": firm, **other}, f"{name} bare": {"name": f"{name} bare", "parent_id": firm}},
    )
    return int(made[f"{name} own"]), int(made[f"{name} bare"])


def test_orders_and_invoices_go_to_the_person_and_not_to_the_company_without_an_address(desk: Desk) -> None:
    own, bare = _people(desk, "Addressed")
    purchase = {"product": desk.create("products", {"product:adr": {"name": "Addressed"}})["product:adr"], "description": "x", "amount": 10}
    (order,) = desk.create("orders", {"adr order": {"partner_id": str(own), "state": "sale", **purchase}}).values()
    sold = {"partner_id": str(own), "invoice_date": "2024-03-01", "state": "posted", **purchase}
    (invoice,) = desk.create("invoices", {"adr invoice": sold}).values()
    assert (desk.sql(ORDER, int(order)), desk.sql(INVOICE, int(invoice))) == ([(own, own, own)], [(own, own)])
    for phase, number, whole in (("orders", order, {"state": "sale", **purchase}), ("invoices", invoice, sold)):
        there = {**whole, "partner_id": str(bare)}
        row = WriteRow(f"adr {phase[:-1]}", "update", there, "h", orjson.dumps(there), "t", number, {"partner_id": str(bare)})
        _, outcomes = desk.write(phase, [row])
        assert [each.result for each in outcomes.values()] == ["updated"]
    assert (desk.sql(ORDER, int(order)), desk.sql(INVOICE, int(invoice))) == ([(bare, bare, bare)], [(bare, bare)])
