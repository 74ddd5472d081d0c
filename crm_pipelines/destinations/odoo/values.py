"""One value at a time: what may go into a field of Odoo, and what is refused because Odoo would change or lose it in silence.

Belongs here: the kinds of fields and their limits. Not here: which field a value goes to (shape), what Odoo itself refuses (write).

Odoo reads the text "False" as true, ignores create_date and answers a NUL with an error for the whole batch (measured on 19.0).
All of that is found here, before anything is sent.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

INTEGER_MAX = 2**31 - 1  # int4; more is "integer out of range" for the whole batch
YEARS = range(1000, 10_000)  # strftime writes no leading zeros, so that Odoo could not read its own year 999 back
SETS_ITSELF = frozenset({"id", "create_date", "create_uid", "write_date", "write_uid", "display_name"})
"""Fields that Odoo fills itself; it drops what is given without a word."""
_EMAIL = re.compile(r"[^@\s,;:<>()\[\]\"\\]+@[^@\s,;:<>()\[\]\"\\.]+(\.[^@\s,;:<>()\[\]\"\\.]+)+")
_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Unfit(ValueError):
    """A value that must not be sent; the message is a code and the field's name, never the value."""

    def __init__(self, code: str, name: str) -> None:
        super().__init__(f"{code}: {name}")


def clean(kind: str, name: str, value: Any) -> Any:
    """Return a value as Odoo's `write` takes it. Raises: Unfit when it would be refused, changed or lost.

    Shape: texts, numbers, booleans, `YYYY-MM-DD`, `YYYY-MM-DD HH:MM:SS` in UTC.
    """
    return _KINDS[kind](name, value)


def cell(value: Any) -> str:
    """Return a clean value as `load` takes it: everything is text, and what is empty clears."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return ",".join(str(one) for one in value)
    return repr(value) if isinstance(value, float) else str(value)


def email(name: str, value: Any) -> str:
    """Return one plain address as `mail.blacklist` writes it. Raises: Unfit, as it refuses all others.

    Source: odoo/tools/mail.py, `_normalize_email`: a local part beyond ASCII keeps its case.
    """
    text = _text(name, value).strip()
    if not _EMAIL.fullmatch(text):
        raise Unfit("bad_email", name)
    local, _, domain = text.rpartition("@")
    return f"{local.lower() if local.isascii() else local}@{domain.lower()}"


def amount(name: str, value: Any, digits: int) -> float:
    """Return an amount of money; `digits` are those behind the point that Odoo keeps. Raises: Unfit when it would round it."""
    number = _float(name, value)
    if abs(round(number, digits) - number) > 1e-9:
        raise Unfit("too_precise", name)
    return number


def number_back(value: Any) -> int | float:
    """Return a number as the map writes it: whole where it is whole."""
    number = float(value)
    return int(number) if number.is_integer() else number


def moment_back(value: Any) -> str:
    """Return Odoo's naive UTC as the map writes it."""
    return str(value).replace(" ", "T") + "Z"


def visible(text: str) -> str:
    """Return what a text of HTML shows: Odoo cleans markup, so that only this is comparable."""
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise Unfit("not_text", name)
    text = str(value)
    if "\x00" in text:
        raise Unfit("nul_character", name)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Unfit("not_unicode", name) from error
    return text


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit("not_boolean", name)
    return value


def _float(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unfit("not_number", name)
    number = float(value)
    if not math.isfinite(number):
        raise Unfit("not_number", name)
    return number


def _date(name: str, value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        found = value
    elif isinstance(value, str) and _DATE.fullmatch(value):
        found = _parsed(date.fromisoformat, name, value)
    else:
        raise Unfit("bad_date", name)
    if found.year not in YEARS:
        raise Unfit("date_out_of_range", name)
    return found.isoformat()


def _datetime(name: str, value: Any) -> str:
    """Accept ISO 8601 with `T` and zone, too: Odoo itself takes naive UTC with a space alone."""
    if not isinstance(value, str | datetime) or (isinstance(value, str) and len(value) < len("2026-01-01 00:00")):
        raise Unfit("bad_datetime", name)
    found = value if isinstance(value, datetime) else _parsed(datetime.fromisoformat, name, value)
    if found.year not in YEARS:
        raise Unfit("date_out_of_range", name)
    if found.tzinfo is not None:
        found = found.astimezone(UTC)
    return found.strftime("%Y-%m-%d %H:%M:%S")


def _parsed(read: Callable[[str], Any], name: str, value: str) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise Unfit("bad_date" if read == date.fromisoformat else "bad_datetime", name) from error


def _link(name: str, value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or not 0 < int(text) <= INTEGER_MAX:
        raise Unfit("link_to_nothing", name)
    return int(text)


_KINDS: Mapping[str, Callable[[str, Any], Any]] = {
    "char": _text,
    "text": _text,
    "html": _text,
    "selection": _text,
    "boolean": _boolean,
    "float": _float,
    "date": _date,
    "datetime": _datetime,
    "link": _link,
}
