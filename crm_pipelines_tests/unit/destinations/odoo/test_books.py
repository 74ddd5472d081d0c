"""What the books forbid: periods that are closed, currencies without a rate, invoices that payments are matched with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
import pytest

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
from crm_pipelines_tests.unit.destinations.odoo.desk import Desk, rows_of

pytestmark = pytest.mark.odoo


def _sale(desk: Desk, key: str, date: str = "2026-03-01", **changes: Any) -> dict[str, Any]:
    """Return the payload of a posted invoice of a customer of its own."""
    person = desk.create("people", {key: {"name": key}})[key]
    product = desk.create("products", {f"product:{key}": {"name": key}})[f"product:{key}"]
    money = {"product": product, "description": key, "amount": 10, "currency": "USD"}
    return {"ref": key, "partner_id": person, "invoice_date": date, "state": "posted", **money, **changes}


def _update(key: str, number: str, whole: Mapping[str, Any], changes: Mapping[str, Any]) -> WriteRow:
    return WriteRow(key, "update", {**whole, **changes}, "h", orjson.dumps({**whole, **changes}), key, number, changes)


def _said(desk: Desk, rows: list[WriteRow]) -> dict[str, tuple[str, str]]:
    _, outcomes = desk.write("invoices", rows)
    return {key: (each.result, each.reason) for key, each in outcomes.items()}


def _stored(desk: Desk, number: str) -> tuple[Any, ...]:
    (row,) = desk.sql("select state, payment_state, amount_total::float from account_move where id = %s", int(number))
    return row


def _pay(desk: Desk, number: str, amount: float) -> None:
    """Register a payment as a bookkeeper does."""
    context = {"active_model": "account.move", "active_ids": [int(number)]}
    made = desk.server.call(desk.database, "account.payment.register", "create", vals_list=[{"amount": amount}], context=context)
    desk.server.call(desk.database, "account.payment.register", "action_create_payments", ids=made, context=context)


@contextmanager
def _closed_until(desk: Desk, date: str) -> Iterator[None]:
    """Close the books up to a day."""
    (company,) = desk.server.call(desk.database, "res.company", "search", domain=[], limit=1)
    desk.server.call(desk.database, "res.company", "write", ids=[company], vals={"fiscalyear_lock_date": date})
    desk.main.describe(MemoryJournal())
    yield
    desk.server.call(desk.database, "res.company", "write", ids=[company], vals={"fiscalyear_lock_date": False})
    desk.main.describe(MemoryJournal())


def test_an_invoice_of_a_closed_period_is_refused_by_name_and_the_rest_of_its_batch_is_written(desk: Desk) -> None:
    old, new = _sale(desk, "bk old", "2024-03-01"), _sale(desk, "bk new")
    made = desk.create("invoices", {"bk old": old, "bk new": new})
    rows = [_update(key, made[key], whole, {"amount": 8}) for key, whole in (("bk old", old), ("bk new", new))]
    with _closed_until(desk, "2024-12-31"):
        assert _said(desk, rows) == {"bk old": ("refused", "period_closed: invoice_date"), "bk new": ("updated", "")}
    assert [_stored(desk, made[key])[::2] for key in ("bk old", "bk new")] == [("posted", 10.0), ("posted", 8.0)]


def test_a_period_that_was_closed_after_the_look_at_the_books_refuses_one_invoice_alone(desk: Desk) -> None:
    old, new = _sale(desk, "bl old", "2024-03-01"), _sale(desk, "bl new")
    made = desk.create("invoices", {"bl old": old, "bl new": new})
    writing = desk.open()
    writing.describe(MemoryJournal())
    rows = [_update(key, made[key], whole, {"amount": 8}) for key, whole in (("bl old", old), ("bl new", new))]
    with _closed_until(desk, "2024-12-31"):
        _, outcomes = desk.write("invoices", rows, writing)
        gone = WriteRow("bl old", "delete", {}, "h", b"{}", "bl old", made["bl old"])
        both = [gone, WriteRow("bl new", "delete", {}, "h", b"{}", "bl new", made["bl new"])]
        removed = _said(desk, both)
    assert {key: (each.result, each.reason) for key, each in outcomes.items()} == {
        "bl old": ("refused", "refused_by_rule: account.move"),
        "bl new": ("updated", ""),
    }
    assert removed == {"bl old": ("refused", "refused_by_rule: account.move"), "bl new": ("deleted", "")}


def test_what_a_bookkeeper_matched_with_a_payment_stays_matched(desk: Desk) -> None:
    sales = {key: _sale(desk, key) for key in ("pd paid", "pd part", "pd open", "pd kept")}
    sales["pd free"] = _sale(desk, "pd free", amount=0)
    made = desk.create("invoices", sales)
    for key, amount in (("pd paid", 10), ("pd part", 4), ("pd kept", 10)):
        _pay(desk, made[key], amount)
    before = {key: _stored(desk, made[key]) for key in made}
    changes: dict[str, dict[str, Any]] = {"pd paid": {"amount": 8}, "pd part": {"state": "cancel"}, "pd open": {"amount": 8}}
    changes |= {"pd kept": {"ref": "R"}, "pd free": {"amount": 8}}
    assert _said(desk, [_update(key, made[key], sales[key], changes[key]) for key in made]) == {
        "pd paid": ("refused", "payment_matched: amount"),
        "pd part": ("refused", "payment_matched: state"),
        "pd open": ("updated", ""),
        "pd kept": ("updated", ""),
        "pd free": ("updated", ""),
    }
    after = {key: _stored(desk, made[key]) for key in made}
    assert {key: after[key] for key in ("pd paid", "pd part", "pd kept")} == {key: before[key] for key in ("pd paid", "pd part", "pd kept")}
    assert (after["pd open"], after["pd free"]) == (("posted", "not_paid", 8.0),) * 2


def test_no_invoice_is_posted_into_another_period_than_its_own(desk: Desk) -> None:
    sales = {"lk old": _sale(desk, "lk old", "2023-03-01"), "lk new": _sale(desk, "lk new", "2025-03-01")}
    sales["lk lost"] = _sale(desk, "lk lost", "2023-03-01", state="cancel")
    with _closed_until(desk, "2024-12-31"):
        said = _said(desk, rows_of(sales))
        notes = desk.main.describe(MemoryJournal()).notes
        found = desk.main.inspect(MemoryJournal()).findings
    assert said == {"lk old": ("refused", "period_closed: invoice_date"), "lk new": ("created", ""), "lk lost": ("created", "")}
    assert desk.sql("select ref, state, date::text from account_move where ref like 'lk %%' order by ref") == [
        ("lk lost", "cancel", "2023-03-01"),
        ("lk new", "posted", "2025-03-01"),
    ]
    assert any("2024-12-31" in note for note in notes)
    assert [each.level for each in found if each.name == "lock dates"] == ["warning"]


DUE = """select invoice_date_due::text, (select max(date_maturity)::text from account_move_line where move_id = m.id)
         from account_move m where id = %s"""


def test_an_invoice_is_due_on_its_own_day(desk: Desk) -> None:
    whole = _sale(desk, "due", "2024-03-01")
    number = desk.create("invoices", {"due": whole})["due"]
    assert desk.sql(DUE, int(number)) == [("2024-03-01", "2024-03-01")]
    desk.write("invoices", [_update("due", number, whole, {"invoice_date": "2024-05-01"})])
    assert desk.sql(DUE, int(number)) == [("2024-05-01", "2024-05-01")]


def test_payment_terms_that_a_customer_has_hold_from_the_day_of_the_invoice(desk: Desk) -> None:
    (term,) = desk.server.call(desk.database, "account.payment.term", "search", domain=[["name", "=", "30 Days"]])
    whole = _sale(desk, "term", "2024-03-01")
    desk.server.call(desk.database, "res.partner", "write", ids=[int(whole["partner_id"])], vals={"property_payment_term_id": term})
    number = desk.create("invoices", {"term": whole})["term"]
    assert desk.sql(DUE, int(number)) == [("2024-03-31", "2024-03-31")]


def test_no_invoice_enters_the_books_at_a_rate_that_nobody_gave(desk: Desk) -> None:
    sales = {key: _sale(desk, key, date, currency="EUR", amount=100) for key, date in (("fx a", "2023-12-31"), ("fx b", "2024-01-01"))}
    sales["fx lost"] = _sale(desk, "fx lost", "2023-12-31", currency="EUR", state="cancel")
    assert _said(desk, rows_of({"fx b": sales["fx b"]})) == {"fx b": ("refused", "no_rate: currency")}
    assert any(note.startswith("No currency other than USD has an") for note in desk.main.describe(MemoryJournal()).notes)
    assert [each.level for each in desk.main.inspect(MemoryJournal()).findings if each.name == "res.currency.rate"] == ["warning"]
    (euro,) = desk.server.call(desk.database, "res.currency", "search", domain=[["name", "=", "EUR"]])
    rate = {"currency_id": euro, "name": "2024-01-01", "rate": 0.8}
    desk.server.call(desk.database, "res.currency.rate", "create", vals_list=[rate])
    assert any("rates are there of EUR from 2024-01-01 on." in note for note in desk.main.describe(MemoryJournal()).notes)
    assert _said(desk, rows_of(sales)) == {
        "fx a": ("refused", "no_rate: currency"),
        "fx b": ("created", ""),
        "fx lost": ("created", ""),
    }
    assert desk.sql("select amount_total_signed::float from account_move where ref = 'fx b'") == [(125.0,)]


def test_no_amount_is_rounded_to_what_its_currency_has(desk: Desk) -> None:
    codes = desk.server.call(
        desk.database, "res.currency", "search", domain=[["name", "in", ["JPY", "KWD"]]], context={"active_test": False}
    )
    desk.server.call(desk.database, "res.currency", "write", ids=codes, vals={"active": True})
    rates = [{"currency_id": number, "name": "2000-01-01", "rate": 2} for number in codes]
    desk.server.call(desk.database, "res.currency.rate", "create", vals_list=rates)
    desk.main.describe(MemoryJournal())
    sales = {
        key: _sale(desk, key, currency=code, amount=amount)
        for key, code, amount in (
            ("cd 1", "JPY", 12.5),
            ("cd 2", "JPY", 12),
            ("cd 3", "KWD", 1.234),
            ("cd 4", "KWD", 1.2345),
            ("cd 5", "USD", 1.234),
        )
    }
    assert _said(desk, rows_of(sales)) == {
        "cd 1": ("refused", "too_precise: amount"),
        "cd 2": ("created", ""),
        "cd 3": ("created", ""),
        "cd 4": ("refused", "too_precise: amount"),
        "cd 5": ("refused", "too_precise: amount"),
    }
    assert desk.sql("select ref, amount_total::float from account_move where ref like 'cd %%' order by ref") == [
        ("cd 2", 12.0),
        ("cd 3", 1.234),
    ]


def test_invoices_are_numbered_in_the_order_of_their_days(desk: Desk) -> None:
    days = {"so a": "2022-11-01", "so b": "2022-03-01", "so c": "2022-07-01"}
    desk.create("invoices", {key: _sale(desk, key, day) for key, day in days.items()})
    assert [row[0] for row in desk.sql("select ref from account_move where ref like 'so %%' order by id")] == ["so b", "so c", "so a"]
