"""Currencies, v1.

Belongs here: the list and its one operation. Not here: money in deals and products.
Source: S1 getCurrencies. A selection of ISO 4217; the vendor lists more.
"""

from __future__ import annotations

from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, ok
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation

_KNOWN = (
    ("USD", "US Dollar", 2, "$"), ("EUR", "Euro", 2, "€"), ("GBP", "British Pound", 2, "£"), ("AUD", "Australian Dollar", 2, "A$"),
    ("CAD", "Canadian Dollar", 2, "CA$"), ("CHF", "Swiss Franc", 2, "CHF"), ("JPY", "Japanese Yen", 0, "¥"),
    ("SEK", "Swedish Krona", 2, "kr"), ("NOK", "Norwegian Krone", 2, "kr"), ("DKK", "Danish Krone", 2, "kr"),
    ("PLN", "Polish Zloty", 2, "zł"), ("CZK", "Czech Koruna", 2, "Kč"), ("HUF", "Hungarian Forint", 2, "Ft"),
    ("RON", "Romanian Leu", 2, "lei"), ("BGN", "Bulgarian Lev", 2, "лв"), ("TRY", "Turkish Lira", 2, "₺"),
    ("RUB", "Russian Rouble", 2, "₽"), ("UAH", "Ukrainian Hryvnia", 2, "₴"), ("BRL", "Brazilian Real", 2, "R$"),
    ("MXN", "Mexican Peso", 2, "MX$"), ("ARS", "Argentine Peso", 2, "$"), ("CLP", "Chilean Peso", 0, "$"),
    ("COP", "Colombian Peso", 2, "$"), ("ZAR", "South African Rand", 2, "R"), ("NZD", "New Zealand Dollar", 2, "NZ$"),
    ("SGD", "Singapore Dollar", 2, "S$"), ("HKD", "Hong Kong Dollar", 2, "HK$"), ("INR", "Indian Rupee", 2, "₹"),
    ("CNY", "Chinese Yuan", 2, "CN¥"), ("KRW", "South Korean Won", 0, "₩"), ("THB", "Thai Baht", 2, "฿"),
    ("IDR", "Indonesian Rupiah", 2, "Rp"), ("MYR", "Malaysian Ringgit", 2, "RM"), ("PHP", "Philippine Peso", 2, "₱"),
    ("VND", "Vietnamese Dong", 0, "₫"), ("ILS", "Israeli Shekel", 2, "₪"), ("AED", "UAE Dirham", 2, "AED"),
    ("SAR", "Saudi Riyal", 2, "SAR"), ("EGP", "Egyptian Pound", 2, "E£"), ("NGN", "Nigerian Naira", 2, "₦"),
    ("KES", "Kenyan Shilling", 2, "KSh"),
)  # fmt: skip


def make_all(account: Account) -> None:
    """Store the currencies of a new account; their ids are their codes here and numbers when shown."""
    for number, (code, name, digits, symbol) in enumerate(_KNOWN, 1):
        record = {"id": code, "number": number, "code": code, "name": name, "decimal_points": digits, "symbol": symbol, "active_flag": True}
        account.store.put("currencies", {**record, "is_custom_flag": False})


def list_all(call: Call) -> Answer:
    """GET /currencies; `term` filters by code or name."""
    term = call.query.get("term", "").casefold()
    rows = call.account.store.table("currencies").live()
    found = [row for row in rows if term in row["code"].casefold() or term in row["name"].casefold()]
    return ok([{key: value for key, value in {**row, "id": row["number"]}.items() if key != "number"} for row in found])


OPERATIONS = [Operation("getCurrencies", "v1", "GET", "/currencies", 20, list_all)]
