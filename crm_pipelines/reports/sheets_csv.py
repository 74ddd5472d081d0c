"""Tables as CSV that a spreadsheet shows and does not run, and back.

Belongs here: bytes, quoting, headings of a CSV. Not here: workbooks (sheets_write, sheets_read), exports of a source (sources).

A text that a spreadsheet might run gets one apostrophe in front; so does a text that begins with apostrophes before such a text. Reading
takes one apostrophe off exactly those, so every text comes back as it was.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from crm_pipelines.phases.files import write_bytes
from crm_pipelines.reports.sheets_text import from_csv, to_csv
from crm_pipelines.reports.sheets_values import Cell, CellProblem, Column, Found, Limits, Row, Scalar, Sheet, SheetError, one_of

_BOM = "\ufeff"
_FIELD_CHARS = 1_000_000
_BLANK_LINES = 2
"""Lines to rows with content that are read, at most: a file of nothing but blank lines ends here."""
_DELIMITERS = (",", ";", "\t")
_ASK = "give back the file that we gave out, with its heading line"


def write_csv(path: Path, sheet: Sheet) -> Path:
    """Write one table as CSV (UTF-8 with a mark for spreadsheets), in one step, readable by its owner only."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow([column.title for column in sheet.columns])
    for row in sheet.rows:
        writer.writerow([_text(row.get(column.key), column) for column in sheet.columns])
    return write_bytes(path, (_BOM + target.getvalue()).encode("utf-8", "surrogatepass"))


def read_csv(path: Path, name: str, columns: Sequence[Column], limits: Limits | None = None) -> list[Row]:
    """Read one table back; rows without content are left out. Columns are found by heading or key, in any order.

    Shape: every value is text; addresses are `line 7, column 'Choice'`. Commas, semicolons and tabs are understood, and what a spreadsheet
    saved in UTF-8, UTF-16 or Windows-1252.
    Raises: SheetError with every problem of the file.
    """
    bounds = limits or Limits()
    lines = _lines(path, bounds)
    problems: list[CellProblem] = []
    at = _columns(name, columns, next(lines, []), problems)
    rows: list[Row] = []
    for number, line in enumerate(lines, 2):
        if any(line):
            rows.append(_row(name, number, line, at, problems))
        if len(rows) > bounds.rows or number > bounds.rows * _BLANK_LINES:
            problems = [CellProblem(name, f"row {number}", f"at most {bounds.rows:,} rows", "more", _ASK)]
            break
    if problems:
        raise SheetError(path, problems[: bounds.problems])
    return rows


def _text(given: Scalar | Cell, column: Column) -> str:
    value = given.value if isinstance(given, Cell) else given
    text = "" if value is None else str(value)
    return text if column.is_number and not isinstance(value, str) else to_csv(text)


def _lines(path: Path, limits: Limits) -> Iterator[list[str]]:
    """Yield the lines one by one, so that a caller can stop."""
    if not path.is_file():
        raise _refused(path, "a CSV file", "a folder" if path.is_dir() else "no file", "check the name")
    size = path.stat().st_size
    if size == 0 or size > limits.file_bytes:
        raise _refused(path, f"1 to {limits.file_bytes:,} bytes", "an empty file" if size == 0 else "a larger file", _ASK)
    content = path.read_bytes()
    if content.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        raise _refused(path, "a CSV file", "a workbook", "save it as CSV, or give it the ending .xlsx")
    text = _decoded(path, content)
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    csv.field_size_limit(_FIELD_CHARS)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise _refused(
            path, "lines with closed quotes", "a line without them", "open it in a spreadsheet and save it as CSV again"
        ) from error


def _decoded(path: Path, content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig", "surrogatepass")
    except UnicodeDecodeError:
        pass
    if b"\0" in content:
        raise _refused(path, "a CSV file", "something else", _ASK)
    return content.decode("cp1252", "replace")


def _columns(name: str, columns: Sequence[Column], heading: Sequence[str], problems: list[CellProblem]) -> dict[Column, int]:
    known = {word.strip().casefold(): column for column in columns for word in (column.key, column.title)}
    at: dict[Column, int] = {}
    for index, word in enumerate(heading):
        column = known.get(from_csv(word).strip().casefold())
        place = f"row 1, column {index + 1}"
        if column is None and word.strip():
            problems.append(CellProblem(name, place, "only the columns of this file", "another heading", _ASK))
        elif column is not None and column in at:
            problems.append(CellProblem(name, place, "each column once", f"{column.title!r} a second time", "delete one of the two"))
        elif column is not None:
            at[column] = index
    for column in columns:
        if column not in at and column.is_required:
            problems.append(CellProblem(name, "row 1", f"a column {column.title!r}", "none with that heading", _ASK))
    return at


def _row(name: str, number: int, line: Sequence[str], at: Mapping[Column, int], problems: list[CellProblem]) -> Row:
    end = max(at.values(), default=0) + 1
    if any(line[end:]):
        problems.append(
            CellProblem(name, f"row {number}", "as many cells as the heading line", "more", "put quotes around cells with commas")
        )
    cells = {}
    for column, index in at.items():
        address = f"row {number}, column {column.title!r}"
        value = from_csv(line[index]) if index < len(line) else ""
        cells[column.key] = Found(address, _checked(name, address, column, value, problems) or None)
    return Row(name, number, cells)


def _checked(name: str, address: str, column: Column, value: str, problems: list[CellProblem]) -> str:
    if not value or not column.choices or not column.editable or value in column.choices:
        return value
    alike = [option for option in column.choices if option.casefold() == value.strip().casefold()]
    if len(alike) != 1:
        problems.append(CellProblem(name, address, one_of(column.choices), "another text", "write one of these"))
        return value
    return alike[0]


def _refused(path: Path, expected: str, found: str, todo: str) -> SheetError:
    return SheetError(path, [CellProblem("", "", expected, found, todo)])
