"""How an invoice is judged by the books, without a server; and what versions say that no test server is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from crm_pipelines.destinations.odoo.books import OWN_LOCKS, Books, keeps_posted, read_books, refuse_unfit
from crm_pipelines.destinations.odoo.values import Unfit
from crm_pipelines_tests.unit.destinations.odoo.odoo_wire import VERSION_19, api_of, error, result

BOOKS = Books("2024-12-31", {"EUR": "2025-06-01"})
POSTED = {"state": "posted", "date": "2025-03-01", "payment_state": "not_paid", "amount_total": 10.0}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"invoice_date": "2024-12-31"}, "period_closed: invoice_date"),
        ({"invoice_date": "2025-01-01"}, ""),
        ({"invoice_date": "2024-12-31", "state": "cancel"}, ""),
        ({"invoice_date": "2025-05-31", "currency": "EUR"}, "no_rate: currency"),
        ({"invoice_date": "2025-06-01", "currency": "EUR"}, ""),
        ({"invoice_date": "2025-06-01", "currency": "JPY"}, "no_rate: currency"),
        ({"invoice_date": "2025-06-01", "currency": "USD"}, ""),
    ],
)
def test_a_posted_invoice_needs_an_open_day_and_a_rate(changes: dict[str, Any], reason: str) -> None:
    assert _refusal(lambda: refuse_unfit("invoices", {"state": "posted", **changes}, BOOKS, "USD")) == reason
    assert _refusal(lambda: refuse_unfit("orders", {"state": "posted", **changes}, BOOKS, "USD")) == ""


def _refusal(judge: Callable[[], None]) -> str:
    try:
        judge()
    except Unfit as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"payment_state": "partial"}, "payment_matched: amount, state"),
        ({"payment_state": "in_payment"}, "payment_matched: amount, state"),
        ({"payment_state": "reversed"}, "payment_matched: amount, state"),
        ({"payment_state": "paid", "amount_total": 0.0}, ""),
        ({"payment_state": "paid", "state": "cancel"}, ""),
        ({"date": "2024-12-31"}, "period_closed: invoice_date"),
    ],
)
def test_an_invoice_stays_posted_where_a_draft_would_lose_something(changes: dict[str, Any], reason: str) -> None:
    assert keeps_posted({**POSTED, **changes}, BOOKS, {"state", "amount"}) == reason


def test_the_locks_of_17_are_found_where_those_of_18_are_unknown() -> None:
    def server(request: httpx.Request) -> httpx.Response:
        asked = orjson.loads(request.content) if request.content else {}
        if "res.company" in request.url.path:
            if "user_sale_lock_date" in asked["fields"]:
                return error(500, "builtins.ValueError", "Invalid field 'user_sale_lock_date' on 'res.company'")
            return result([{"id": 1, "fiscalyear_lock_date": "2023-12-31", "period_lock_date": False}])
        return result([]) if "/json/2/" in request.url.path else VERSION_19

    assert _read(server) == Books("2023-12-31")


@pytest.mark.parametrize("nobody_set_it", ["1-01-01", "0001-01-01", False])
def test_a_lock_that_nobody_set_closes_no_day(nobody_set_it: str | bool) -> None:
    locks = dict.fromkeys(OWN_LOCKS, nobody_set_it)

    def server(request: httpx.Request) -> httpx.Response:
        if "res.company" in request.url.path:
            return result([{"id": 1, "root_id": [1, "Acme"], **locks}])
        return result([]) if "/json/2/" in request.url.path else VERSION_19

    assert _read(server) == Books("")
    locks["user_sale_lock_date"] = "2024-06-30"
    assert _read(server) == Books("2024-06-30")


def _read(server: Callable[[httpx.Request], httpx.Response]) -> Books:
    api = api_of(server)
    try:
        return api.run(read_books(api, 1))
    finally:
        api.close()
