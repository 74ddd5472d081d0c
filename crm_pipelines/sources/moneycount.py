"""Read the amounts of a file, apart from the reader and the map: the second way to every sum of money.

Belongs here: its own heading match, its own splitting of rows (with rowcount), its own reading of numbers. It imports nothing from the
reader (csv_export, typed) and the reader imports nothing from here, so that one mistake cannot hide in both. Not here: what the words
mean and where the rows ended (phases.bridge).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from crm_pipelines.sources.base import Column, SourceObject
from crm_pipelines.sources.rowcount import each_row

DIGITS = re.compile(r"[^\d.,]")
CENTS = re.compile(r"[.,](\d{1,2})$")
"""A separator before one or two last digits is a decimal point, whatever the file's locale."""


@dataclass(frozen=True)
class RawAmount:
    """The money of one physical row, as the file has it.

    Units: rows count from 1 without the heading, blank ones included. `amount` is None where the cell holds no number, or nobody can tell
    which cell it is because the row has more or fewer cells than the heading.
    """

    row: int
    key: str
    word: str
    currency: str
    amount: Decimal | None


@dataclass(frozen=True)
class MoneyColumns:
    """The columns that tell money, by their names in the contract; `word`, where there is one, says what a row stands for."""

    key: str
    amount: str
    word: str | None = None
    currency: str | None = None


def count_money(path: Path, contract: SourceObject, columns: MoneyColumns, *, encoding: str | None, is_comma: bool) -> Iterator[RawAmount]:
    """Yield the amount of every row that is not blank. `is_comma`: a comma is the decimal point where a number does not show it."""
    delimiter, rows = each_row(path, encoding)
    heading: list[str] = []
    places: dict[str, int] = {}
    unit = ""
    for number, text in rows:
        cells = _cells(text, delimiter)
        if number is None:
            heading = cells
            places, unit = _places(heading, contract, columns)
            continue
        if not any(cell.strip() for cell in cells):
            continue
        is_whole = len(cells) == len(heading)
        told = {role: cells[at].strip() if at < len(cells) else "" for role, at in places.items()}
        amount = _number(told.get("amount", ""), is_comma=is_comma) if is_whole else None
        yield RawAmount(number, told.get("key", ""), told.get("word", ""), told.get("currency", "").upper() or unit, amount)


def _cells(text: str, delimiter: str) -> list[str]:
    return next(csv.reader([text.rstrip("\r\n")], delimiter=delimiter), []) if "\n" not in text.strip() else _long(text, delimiter)


def _long(text: str, delimiter: str) -> list[str]:
    """Split a row with line ends inside its cells."""
    return next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), [])


def _places(heading: Sequence[str], contract: SourceObject, columns: MoneyColumns) -> tuple[dict[str, int], str]:
    """Return role -> place, and the currency that the heading of the amount names."""
    found: dict[str, int] = {}
    unit = ""
    for role in ("key", "amount", "word", "currency"):
        name = getattr(columns, role)
        if name is None:
            continue
        for at, text in enumerate(heading):
            is_it, currency = _is_called(text, contract.column(name))
            if is_it:
                found[role] = at
                unit = (currency or unit) if role == "amount" else unit
                break
    return found, unit


def _is_called(text: str, column: Column) -> tuple[bool, str]:
    if column.pattern and (found := re.fullmatch(column.pattern, text.strip(), re.IGNORECASE)):
        return True, found.group(1).upper() if found.groups() else ""
    return _plain(text) in {_plain(name) for name in (column.name, *column.aliases)}, ""


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")


def _number(text: str, *, is_comma: bool) -> Decimal | None:
    """Read an amount as a person would: the last separator before one or two digits is the decimal point."""
    digits = DIGITS.sub("", text)
    if not any(sign.isdigit() for sign in digits) or any(sign.isalpha() for sign in text):
        return None
    if found := CENTS.search(digits):
        whole, part = digits[: found.start()], found.group(1)
    else:
        point = "," if is_comma else "."
        head, _, part = digits.rpartition(point) if digits.count(point) == 1 else (digits, "", "")
        whole = head or digits
    try:
        value = Decimal(f"{re.sub(r'[.,]', '', whole) or '0'}.{part or '0'}")
    except InvalidOperation:
        return None
    return -value if text.startswith(("-", "(")) or text.endswith("-") else value
