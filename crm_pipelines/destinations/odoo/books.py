"""What the books forbid: closed periods, currencies without a rate, invoices that payments are matched with.

Belongs here: reading it, and judging an invoice by it before anything is sent. Not here: how a refusal travels (write, changing), what
else an account tells (describe).

Odoo forbids little of it: an invoice of a closed period is posted into the open one under another date, a missing rate is 1, and one
that becomes a draft loses its payments (account_move.py, `_post`; res_currency.py, `_get_rates`; 19.0, seen).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_pipelines.destinations.background import together
from crm_pipelines.destinations.base import WriteRow
from crm_pipelines.destinations.odoo import values
from crm_pipelines.destinations.odoo.api import Api
from crm_pipelines.destinations.odoo.values import Unfit

STATE_FIELDS = ("state", "date", "payment_state", "amount_total")
"""What of an invoice tells whether it may become a draft."""
DATED: Mapping[str, str] = {"orders": "date_order", "invoices": "invoice_date"}
"""Phases that go in the order of their days, so that Odoo's own numbers do."""
OWN_LOCKS = ("user_fiscalyear_lock_date", "user_sale_lock_date", "user_hard_lock_date")  # 18 on: exceptions of the user count
LOCKS = ("fiscalyear_lock_date", "period_lock_date")  # 17 and earlier
PRICE_DIGITS = 2  # decimal.precision "Product Price"
PRICES_WHOLE_SINCE = 19  # sale_order_line.py, account_move_line.py: price_unit has min_display_digits there, and was rounded before
MATCHED = frozenset({"in_payment", "paid", "partial", "reversed"})


@dataclass(frozen=True)
class Books:
    """What the accounting of a company says about days and currencies."""

    closed_until: str = ""
    """Last day of the closed period; empty where every day is open."""
    rates: Mapping[str, str] = field(default_factory=dict)
    """Currency -> day of its first rate."""
    decimals: Mapping[str, int] = field(default_factory=dict)
    """Currency -> digits behind the point that amounts in it keep."""

    def digits(self, currency: str) -> int:
        """Return how many digits behind the point Odoo keeps of an amount."""
        return self.decimals.get(currency, PRICE_DIGITS)


async def read_books(api: Api, company_id: int) -> Books:
    """Read lock dates, first rates and decimals; three requests, and one per currency that has rates."""
    root, locks = await _company(api, company_id)
    have = await api.ask("list.rates", "res.currency", "search_read", domain=[["rate_ids", "!=", False]], fields=["name"], context=ALL)
    found = [] if have.fault is not None else have.data
    kept = await api.search_read("list.currencies", "res.currency", [], ["name", "decimal_places"], context=ALL)
    most = 9 if api.version[0] >= PRICES_WHOLE_SINCE else PRICE_DIGITS
    decimals = {str(row["name"]): min(int(row["decimal_places"]), most) for row in kept}
    days = await together(*(_first_rate(api, int(row["id"]), root) for row in found))
    return Books(max(locks, default=""), {str(row["name"]): day for row, day in zip(found, days, strict=True) if day}, decimals)


ALL = {"active_test": False}
FIRST_DAY = "1000-01-01"  # of a lock that nobody set Odoo says 1-01-01 or 0001-01-01, by the platform's strftime


async def _company(api: Api, company_id: int) -> tuple[int, list[str]]:
    """Return the company whose rates count, and the lock dates that stand in the way of sales."""
    for names in (OWN_LOCKS, LOCKS):  # without the app Invoicing there is neither
        fields = ["root_id", *names] if names is OWN_LOCKS else list(names)
        reply = await api.ask("read.company", "res.company", "read", ids=[company_id], fields=fields)
        if reply.fault is None:
            (row,) = reply.data
            root = row.get("root_id") or [company_id]
            days = [str(row[name] or "") for name in names]
            return int(root[0]), [day for day in days if len(day) == len(FIRST_DAY) and day >= FIRST_DAY]
    return company_id, []


async def _first_rate(api: Api, currency: int, company_id: int) -> str:
    domain = [["currency_id", "=", currency], ["company_id", "in", [False, company_id]]]
    reply = await api.ask("list.rates", "res.currency.rate", "search_read", domain=domain, fields=["name"], order="name", limit=1)
    return str(reply.data[0]["name"]) if reply.fault is None and reply.data else ""


def notes(books: Books, company_currency: str) -> Iterable[str]:
    """Yield what the plan says of the books."""
    if books.closed_until:
        yield (
            f"The books are closed up to {books.closed_until}: posted invoices of those days are refused, because Odoo would date "
            "them into the open period. Open it for the time of the migration, or bring these as orders."
        )
    others = ", ".join(f"{code} from {day} on" for code, day in sorted(books.rates.items()) if code != company_currency)
    rated = f"Exchange rates are there of {others}" if others else f"No currency other than {company_currency} has an exchange rate"
    yield (
        f"{rated}. A posted invoice in another currency, or of an earlier day, is refused, because Odoo would count it 1 to 1 in the "
        "books; orders arrive, and reports count them so."
    )


def refuse_unfit(phase: str, payload: Mapping[str, Any], books: Books, company_currency: str) -> None:
    """Hold a record against the books. Raises: Unfit when it would stand in them otherwise than the export says."""
    if phase != "invoices" or payload.get("state") != "posted" or not payload.get("invoice_date"):
        return
    day, code = values.clean("date", "invoice_date", payload["invoice_date"]), payload.get("currency") or company_currency
    if day <= books.closed_until:
        raise Unfit("period_closed", "invoice_date")
    if code != company_currency and day < books.rates.get(code, "9999"):
        raise Unfit("no_rate", "currency")


def keeps_posted(record: Mapping[str, Any], books: Books, wanted: Iterable[str]) -> str:
    """Return why an invoice must not become a draft again, as a reason code; empty where it may."""
    if record["state"] != "posted":
        return ""
    if record["payment_state"] in MATCHED and record["amount_total"]:  # one over nothing is paid from the start
        return f"payment_matched: {', '.join(sorted(wanted))}"
    return "period_closed: invoice_date" if str(record["date"] or "") <= books.closed_until else ""


def in_order(phase: str, rows: Iterable[WriteRow]) -> Iterable[WriteRow]:
    """Return records in the order of their days."""
    name = DATED.get(phase)
    return rows if name is None else sorted(rows, key=lambda row: str(row.payload.get(name) or ""))


def unrated(books: Books, currencies: Sequence[str], company_currency: str) -> list[str]:
    """Return those currencies that have no rate at all."""
    return sorted({code for code in currencies if code != company_currency} - books.rates.keys())
