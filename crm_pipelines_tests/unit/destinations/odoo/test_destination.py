"""The whole destination: limits, budget, users, deletes, a second connection that knows nothing."""

from __future__ import annotations

import threading

import pytest

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines.destinations.odoo.destination import OdooDestination
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
from crm_pipelines_tests.unit.destinations.odoo.desk import WANTED, Desk, rows_of

pytestmark = pytest.mark.odoo


def test_there_is_no_quota_and_batches_are_large(desk: Desk) -> None:
    destination = desk.main
    budget = destination.budget()
    assert (budget.allowance, budget.unit) == (None, "requests")
    limits = destination.capabilities
    assert limits.batch_rows == 500
    assert limits.visible_token_phases == frozenset()
    assert set(limits.seconds_per_record) >= {"people", "orders", "deals"}


def test_users_are_found_by_login(desk: Desk) -> None:
    found = desk.main.find("users", MemoryJournal())
    assert found.filter(key="admin").get_column("destination_id").to_list() == ["2"]


def test_prepare_is_done_once_and_then_nothing_is_missing(desk: Desk) -> None:
    destination = desk.open()
    assert destination.missing(WANTED, destination.describe()) == []


def test_creates_are_few_requests_and_reads_are_counted(desk: Desk) -> None:
    journal = MemoryJournal("people")
    destination = desk.open()
    destination.describe(journal)
    journal.spends.clear()
    destination.write("people", rows_of({f"few {n}": {"name": f"Few {n}"} for n in range(1200)}), journal, None)
    assert sum(count for _, count in journal.spends) <= 5, "is anything there, in which language, and three loads"
    assert {attempt.cost for attempt in journal.attempts.values()} == {0}


def test_confirmed_orders_and_posted_invoices_can_be_taken_back_with_their_external_ids(desk: Desk) -> None:
    person = desk.create("people", {"back": {"name": "Back"}})["back"]
    product = desk.create("products", {"product:back": {"name": "Back"}})["product:back"]
    base = {"partner_id": person, "product": product, "description": "Back", "amount": 1, "currency": "USD"}
    order = desk.create("orders", {"b": {**base, "date_order": "2019-01-02T03:04:05Z", "state": "sale"}})["b"]
    invoice = desk.create("invoices", {"b": {**base, "invoice_date": "2019-01-02", "state": "posted"}})["b"]
    delete = lambda phase, key, number: desk.write(phase, [WriteRow(key, "delete", {}, "h", b"", key, number)])[1][key]  # noqa: E731
    blocked = delete("people", "back", person)
    assert (blocked.result, blocked.destination_id) == ("refused", person)
    assert blocked.reason.startswith("in_use: ")
    steps = [("orders", "b", order), ("invoices", "b", invoice), ("products", "product:back", product), ("people", "back", person)]
    for phase, key, number in steps:
        assert delete(phase, key, number).result == "deleted", phase
        assert delete(phase, key, number).result == "deleted", "what is gone is gone"
    assert desk.sql("select name from ir_model_data where name in ('orders.b', 'invoices.b', 'people.back')") == []


def test_a_stop_takes_no_more_rows_and_leaves_nothing_open(desk: Desk) -> None:
    stop = threading.Event()
    stop.set()
    destination = OdooDestination(desk.settings, stop=stop)
    journal = MemoryJournal("people")
    report = destination.write("people", rows_of({"stopped": {"name": "Stopped"}}), journal, None)
    assert (report.sent, journal.attempts) == (0, {})
    destination.close()
