"""Unanswered creates: found by external id, finished when they are half-done, absent only when nothing can arrive any more."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Thread
from typing import Any

import pytest

from crm_pipelines.journal import Attempt, Outcome
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
from crm_pipelines_tests.unit.destinations.odoo.desk import PREFIX, Desk, rows_of

pytestmark = pytest.mark.odoo
CONTEXT = {"tracking_disable": True, "lang": "en_US", "tz": "UTC"}


def _unanswered(phase: str, payloads: Mapping[str, Mapping[str, Any]]) -> MemoryJournal:
    journal = MemoryJournal(phase)
    journal.sending([Attempt(row.key, "create", row.payload_hash, row.payload_json, row.key, 0) for row in rows_of(payloads)], None)
    return journal


def test_what_arrived_is_found_at_once_and_what_did_not_is_absent(desk: Desk) -> None:
    made = desk.create("products", {f"product:{n}": {"name": f"P {n}"} for n in range(3)})
    journal = _unanswered("products", {f"product:{n}": {"name": f"P {n}"} for n in range(4)})
    found = desk.main.lookup("products", journal.open_attempts(), journal)
    assert list(found.values()) == [*([number] for number in made.values()), []]


def test_a_contact_that_was_left_archived_is_unarchived_and_one_that_a_person_archived_is_not(desk: Desk) -> None:
    (firm,) = desk.create("organizations", {"company:l": {"name": "L"}}).values()
    data = [[f"{PREFIX}.people.half", "Half", "0", firm, "other"], [f"{PREFIX}.people.put away", "Away", "0", firm, "other"]]
    data[1][0] = f"{PREFIX}.people.put%20away"
    fields = ["id", "name", "active", "parent_id/.id", "type"]
    half, away = desk.server.call(desk.database, "res.partner", "load", fields=fields, data=data, context=CONTEXT)["ids"]
    time.sleep(1.1)  # write_date counts seconds when it is read
    desk.server.call(desk.database, "res.partner", "write", ids=[away], vals={"active": True}, context=CONTEXT)
    desk.server.call(desk.database, "res.partner", "write", ids=[away], vals={"active": False}, context=CONTEXT)
    journal = _unanswered("people", {key: {"name": "N", "parent_id": "company:l"} for key in ("half", "put away")})
    found = desk.main.lookup("people", journal.open_attempts(), journal)
    assert list(found.values()) == [[str(half)], [str(away)]]
    assert desk.sql("select name, active from res_partner where id = any(%s) order by name", [half, away]) == [
        ("Away", False),
        ("Half", True),
    ]


def test_an_invoice_that_was_left_a_draft_is_posted_and_another_cancelled(desk: Desk) -> None:
    person = desk.create("people", {"inv": {"name": "Inv"}})["inv"]
    fields = ["id", "partner_id/.id", "move_type", "invoice_date", "invoice_line_ids/name", "invoice_line_ids/price_unit"]
    data = [[f"{PREFIX}.invoices.{key}", person, "out_invoice", "2020-01-02", "x", "5"] for key in ("p", "c")]
    ids = desk.server.call(desk.database, "account.move", "load", fields=fields, data=data, context=CONTEXT)["ids"]
    journal = _unanswered("invoices", {"p": {"state": "posted"}, "c": {"state": "cancel"}})
    desk.main.lookup("invoices", journal.open_attempts(), journal)
    assert desk.sql("select state from account_move where id = any(%s) order by id", ids) == [("posted",), ("cancel",)]


def test_a_create_that_is_still_on_its_way_is_waited_for(desk: Desk) -> None:
    journal = _unanswered("people", {"slow": {"name": "Slow"}})
    began = time.monotonic()
    assert list(desk.main.lookup("people", journal.open_attempts(), journal).values()) == [[]]
    assert time.monotonic() - began >= desk.settings.apply_within_s * 0.9


def test_sent_again_while_the_first_is_still_running_it_is_one_record_and_no_row_is_blamed(desk: Desk) -> None:
    """The promise behind the short wait: three writes of the same keys at once, of orders, whose lines would double."""
    person = desk.create("people", {"racer": {"name": "Racer"}})["racer"]
    product = desk.create("products", {"product:race": {"name": "Race"}})["product:race"]
    order = {
        "partner_id": person,
        "product": product,
        "date_order": "2019-01-02T03:04:05Z",
        "state": "sale",
        "amount": 5,
        "currency": "USD",
    }
    payloads = {f"race {n}": {**order, "client_order_ref": f"Race {n}"} for n in range(60)}
    connections = [desk.open() for _ in range(3)]
    for each in connections:
        each.write("orders", [], MemoryJournal("orders"), None)  # so that none of them looks first
    answers: list[dict[str, Outcome]] = []
    threads = [Thread(target=lambda each=each: answers.append(desk.write("orders", rows_of(payloads), each)[1])) for each in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [{outcome.result for outcome in each.values()} for each in answers] == [{"created"}] * 3
    assert len({outcome.destination_id for each in answers for outcome in each.values()}) == 60
    rows = desk.sql(
        "select count(*) as n, count(distinct client_order_ref) as refs, sum(amount_total)::float as total "
        "from sale_order where client_order_ref ~ '^Race'"
    )
    assert rows == [(60, 60, 300.0)]


def test_steps_of_prepare_have_nothing_to_look_up(desk: Desk) -> None:
    journal = _unanswered("destination_schema", {})
    assert desk.main.lookup("destination_schema", journal.open_attempts(), journal) == {}
