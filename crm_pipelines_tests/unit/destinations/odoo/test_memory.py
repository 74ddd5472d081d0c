"""What a connection learns once: the company's language, and whether records of ours may be there already."""

from __future__ import annotations

import httpx
import pytest

from crm_pipelines.journal import Attempt
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
from crm_pipelines_tests.unit.destinations.odoo.desk import Desk, rows_of
from crm_pipelines_tests.unit.destinations.odoo.real import Between

pytestmark = pytest.mark.odoo
QUOTATION = {"date_order": "2019-01-02T03:04:05Z", "state": "sale", "amount": 5, "currency": "USD"}
LINES = "select count(*) from sale_order_line l join sale_order o on o.id = l.order_id where o.client_order_ref = %s"


def test_an_order_whose_answer_was_lost_is_looked_for_before_it_is_sent_again(desk: Desk) -> None:
    """`load` of a known external id would put a second line on it; nothing of ours was there when the connection began."""
    person = desk.create("people", {"lost": {"name": "Lost"}})["lost"]
    product = desk.create("products", {"product:lost": {"name": "Lost"}})["product:lost"]
    lost: list[str] = []

    def loses(request: httpx.Request) -> bool:
        is_first = request.url.path.endswith("/sale.order/load") and not lost
        lost.extend(["x"] if is_first else [])
        return is_first

    rows = rows_of({"lost": {**QUOTATION, "partner_id": person, "product": product, "description": "Lost", "client_order_ref": "Lost"}})
    destination = desk.open(lambda: Between(loses=loses))
    report, _ = desk.write("orders", rows, destination)
    assert (report.unknown, lost) == (1, ["x"])
    _, outcomes = desk.write("orders", rows, destination)
    assert outcomes["lost"].result == "adopted", outcomes["lost"].reason
    assert desk.one(LINES, "Lost") == 1


def test_after_a_look_up_whatever_arrives_late_is_looked_for_before_it_is_sent_again(desk: Desk) -> None:
    person = desk.create("people", {"late": {"name": "Late"}})["late"]
    made = {"partner_id": person, "invoice_date": "2019-01-02", "state": "posted", "amount": 5, "currency": "USD"}
    rows = rows_of({"late": {**made, "ref": "Late"}})
    destination = desk.open()
    assert desk.write("invoices", [], destination)[0].sent == 0, "nothing of ours is there: that is known now"
    journal = MemoryJournal("invoices")
    journal.sending([Attempt(row.key, "create", row.payload_hash, row.payload_json, row.key, 0) for row in rows], None)
    assert list(destination.lookup("invoices", journal.open_attempts(), journal).values()) == [[]]
    desk.write("invoices", rows, desk.open())
    _, outcomes = desk.write("invoices", rows, destination)
    assert outcomes["late"].result == "adopted", outcomes["late"].reason


def test_partners_speak_the_companys_language(desk: Desk) -> None:
    (french,) = desk.server.call(desk.database, "res.lang", "search", domain=[["code", "=", "fr_FR"]], context={"active_test": False})
    desk.server.call(desk.database, "res.lang", "write", ids=[french], vals={"active": True})
    company = desk.one("select partner_id from res_company order by id limit 1")
    desk.server.call(desk.database, "res.partner", "write", ids=[company], vals={"lang": "fr_FR"})
    destination = desk.open()
    firm = desk.create("organizations", {"company:fr": {"name": "Lang"}}, destination)["company:fr"]
    desk.create("people", {"fr": {"name": "Lang", "parent_id": firm, "city": "Lyon"}, "fr 2": {"name": "Lang"}}, destination)
    assert desk.sql("select lang, active, count(*) from res_partner where name = 'Lang' group by 1, 2") == [("fr_FR", True, 3)]
