"""Headings: which delimiter shows them, which column each one is, and what happens to doubled ones.

Belongs here: the heading record. Not here: the rows below it (prescan), cell types (typed), a vendor's alias tables
(kartra). Headings are no personal data and may stand in messages.

The rule for doubled headings: a heading the contract does not know is kept as `name__2`, `name__3`, with a warning. A
known column that comes twice is read from its first place when the second says nothing else; otherwise the file is
refused, because no rule could tell which of the two is right.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from crm_pipelines.errors import SourceError
from crm_pipelines.sources.base import Column, Heading, SourceObject
from crm_pipelines.spec.headings import column_name, normalise_heading, plain_heading

DELIMITERS = (",", ";", "\t", "|")
SEP_LINE = re.compile(r"sep=(.)[ \t]*$", re.IGNORECASE)


@dataclass(frozen=True)
class HeadingRecord:
    """The heading as it stands in a file: raw texts, delimiter, and where the rows begin."""

    raw: tuple[str, ...]
    delimiter: str
    next_line: int
    blank_rows: int


@dataclass(frozen=True)
class HeadingMatch:
    """Headings matched to columns. `duplicates` pairs the positions (first, again) of a known column that comes twice."""

    headings: tuple[Heading, ...]
    currency: str | None
    duplicates: tuple[tuple[int, int], ...]
    warnings: tuple[str, ...]


def read_heading(lines: Sequence[str], contract: SourceObject, file_name: str, declared: str | None = None) -> HeadingRecord:
    """Find the heading record and the delimiter under which most of its cells are known headings.

    A `sep=;` first line names the delimiter; leading blank rows are passed over and counted.
    Raises: SourceError when no delimiter shows a single known heading.
    """
    start, named = 0, declared
    if found := SEP_LINE.match(lines[0].strip("\r\n")):
        start, named = 1, declared or found.group(1)
    candidates = [_split(lines, start, delimiter) for delimiter in ((named,) if named else DELIMITERS)]
    known = _known_names(contract)
    best = max(candidates, key=lambda record: (_hits(record.raw, known, contract), len(record.raw)))
    if _hits(best.raw, known, contract) == 0:
        raise SourceError(_not_this_object(file_name, contract, best.raw))
    return best


def match_headings(raw: Sequence[str], contract: SourceObject, file_name: str, custom_fields: Sequence[str] = ()) -> HeadingMatch:
    """Name every heading: the contract's column, or its own normalised text for columns the contract does not know.

    Raises: SourceError when a required column is missing or the headings name two currencies.
    """
    found = [_column_of(text, contract) for text in raw]
    currencies = sorted({currency for _, currency in found if currency})
    if len(currencies) > 1:
        raise SourceError(f"{file_name}: headings name several currencies ({', '.join(currencies)}); export one currency at a time")
    _require(contract, {column.name for column, _ in found if column}, raw, file_name)
    headings, duplicates, warnings = _name_all(raw, [column for column, _ in found], contract, set(map(normalise_heading, custom_fields)))
    return HeadingMatch(tuple(headings), currencies[0] if currencies else None, tuple(duplicates), tuple(warnings))


def with_fills(headings: Sequence[Heading], filled: Mapping[str, int]) -> tuple[Heading, ...]:
    """Add the number of filled cells of each column."""
    return tuple(replace(heading, filled=filled.get(heading.column or "", 0)) for heading in headings)


def _split(lines: Sequence[str], start: int, delimiter: str) -> HeadingRecord:
    """Split the first record that is not blank."""
    reader = csv.reader(iter(lines[start:]), delimiter=delimiter)
    blank_rows = 0
    for fields in reader:
        if "".join(fields).strip():
            return HeadingRecord(tuple(fields), delimiter, start + reader.line_num, blank_rows)
        blank_rows += 1
    return HeadingRecord((), delimiter, start + reader.line_num, blank_rows)


@lru_cache(maxsize=64)
def _known_names(contract: SourceObject) -> dict[str, Column]:
    """Map every normalised name and alias to its column."""
    return {normalise_heading(text): column for column in contract.columns for text in (column.name, *column.aliases)}


def _hits(raw: Sequence[str], known: Mapping[str, Column], contract: SourceObject) -> int:
    return sum(normalise_heading(text) in known or _by_pattern(text, contract) is not None for text in raw)


def _column_of(text: str, contract: SourceObject) -> tuple[Column | None, str | None]:
    """Return the column a heading stands for, and the currency it names."""
    if (found := _by_pattern(text, contract)) is not None:
        return found
    return _known_names(contract).get(normalise_heading(text)), None


def _by_pattern(text: str, contract: SourceObject) -> tuple[Column, str | None] | None:
    trimmed = plain_heading(text)
    for column in contract.columns:
        if column.pattern and (found := re.match(column.pattern, trimmed)):
            return column, found.group(1) if found.re.groups else None
    return None


def _require(contract: SourceObject, present: set[str], raw: Sequence[str], file_name: str) -> None:
    missing = [column.name for column in contract.columns if column.required and column.name not in present]
    if missing:
        raise SourceError(
            f"{file_name}: the heading of this {contract.name} export lacks {', '.join(missing)}; "
            f"found: {_shown(raw)}. Export again with these columns, or add the new heading as an alias"
        )


def _not_this_object(file_name: str, contract: SourceObject, raw: Sequence[str]) -> str:
    wanted = ", ".join(column.name for column in contract.columns if column.required)
    return (
        f"{file_name}: no heading of a {contract.name} export was found under any delimiter (expected {wanted}, ...); "
        f"the first line has {len(raw)} cells. Is it a {contract.name} CSV export with its heading line?"
    )


def _shown(raw: Sequence[str], limit: int = 80) -> str:
    names = [repr(text) if not text.strip() else text for text in raw]
    return ", ".join(names[:limit]) + (f", and {len(names) - limit} more" if len(names) > limit else "")


def _name_all(
    raw: Sequence[str], columns: Sequence[Column | None], contract: SourceObject, custom_fields: set[str]
) -> tuple[list[Heading], list[tuple[int, int]], list[str]]:
    headings: list[Heading] = []
    duplicates: list[tuple[int, int]] = []
    warnings: list[str] = []
    first_at: dict[str, int] = {}
    taken = {column.name for column in columns if column}
    for position, (text, column) in enumerate(zip(raw, columns, strict=True)):
        normal = normalise_heading(text)
        if column is not None and column.name in first_at:
            duplicates.append((first_at[column.name], position))
            headings.append(Heading(text, normal, column.name, None))
        elif column is not None:
            first_at[column.name] = position
            headings.append(Heading(text, normal, column.name, column.name))
        else:
            name = _free_name(column_name(text), taken)
            taken.add(name)
            if name != normal:
                warnings.append(f"heading {position + 1} ({text or 'empty'}) is doubled or unnamed; its column is called {name}")
            headings.append(Heading(text, normal, None, name if contract.extra_columns == "keep" else None, custom=normal in custom_fields))
    return headings, duplicates, warnings


def _free_name(name: str, taken: set[str]) -> str:
    """Give the name, or name__2, name__3 ..."""
    free, count = name, 1
    while free in taken:
        count += 1
        free = f"{name}__{count}"
    return free
