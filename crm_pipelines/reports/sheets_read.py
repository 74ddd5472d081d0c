"""Read back a workbook that people filled in: cells with their addresses, and every problem by sheet and cell.

Belongs here: sheets, columns, cells and their kinds. Not here: the container and what must not be in it (sheets_zip), what the answers
mean (workbook, queues).

The XML is read as a stream and nothing but values is taken from it: a formula is a problem, never computed, and its stored result is not
looked at. Columns are found by the hidden row of keys, or by their headings where that row is gone.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax import SAXException

from defusedxml.common import DefusedXmlException

from crm_pipelines.reports.sheets_parts import Grid, RawCell, TooLargeError, read_grid, read_parts
from crm_pipelines.reports.sheets_values import CellProblem, Column, Found, Limits, Row, SheetError, one_of
from crm_pipelines.reports.sheets_zip import open_workbook

HEAD_ROWS = 6
"""Keys and headings stand in one of the first rows, even if somebody put a line above them."""
_ASK = "send the workbook that we gave out, filled in"


def read_book(
    path: Path,
    sheets: Mapping[str, Sequence[Column]],
    limits: Limits | None = None,
    *,
    optional: Sequence[str] = (),
    others_ok: Sequence[str] | None = (),
) -> dict[str, list[Row]]:
    """Read the sheets that were given out; blank rows are left out.

    Shape: sheet -> rows in their order, each with its cells by column key. Sheets in `optional` may be missing (and are then missing
    here); those in `others_ok` (all others, where it is None) may be there and are not read.
    Raises: SheetError with every problem of the file.
    """
    found, problems = survey_book(path, sheets, limits, optional=optional, others_ok=others_ok)
    if problems:
        raise SheetError(path, first_of(problems, (limits or Limits()).problems))
    return found


def survey_book(
    path: Path,
    sheets: Mapping[str, Sequence[Column]],
    limits: Limits | None = None,
    *,
    optional: Sequence[str] = (),
    others_ok: Sequence[str] | None = (),
) -> tuple[dict[str, list[Row]], list[CellProblem]]:
    """Return what `read_book` does, and what is wrong with it: a cell with a problem stands in its row as it came.

    Raises: SheetError where the file as a whole cannot be read.
    """
    bounds = limits or Limits()
    problems: list[CellProblem] = []
    found: dict[str, list[Row]] = {}
    with open_workbook(path, bounds) as archive:
        try:
            parts = read_parts(path, archive, bounds)
            problems += _sheet_problems(parts.sheets, sheets, optional, others_ok)
            for name in (name for name in sheets if name in parts.sheets):
                grid = read_grid(path, archive, parts, name, bounds)
                found[name] = _Table(name, sheets[name], problems).rows(grid)
        except TooLargeError as error:
            raise SheetError(path, [*problems, error.problem]) from error
        except (SAXException, DefusedXmlException, UnicodeError, ValueError, LookupError, zipfile.BadZipFile) as error:
            problem = CellProblem("", "", "a workbook as spreadsheet programs save it", "XML that none of them writes", _ASK)
            raise SheetError(path, [*problems, problem]) from error
    return found, problems


def first_of(problems: Sequence[CellProblem], limit: int) -> list[CellProblem]:
    """Return problems up to a limit, and how many more there are."""
    if len(problems) <= limit:
        return list(problems)
    rest = CellProblem("", "", "no further problems", f"{len(problems) - limit} more", "correct these first")
    return [*problems[:limit], rest]


def _sheet_problems(
    there: Mapping[str, str], wanted: Mapping[str, Sequence[Column]], optional: Sequence[str], others_ok: Sequence[str] | None
) -> list[CellProblem]:
    missing = [name for name in wanted if name not in there and name not in optional]
    allowed = there if others_ok is None else {*wanted, *others_ok}
    extra = [name for name in there if name not in allowed and not name.startswith("_")]
    return [
        *(CellProblem(name, "", "this sheet", "no sheet of that name", f"give it back its name; {_ASK}") for name in missing),
        *(CellProblem(name, "", f"no sheets but {', '.join(wanted)}", "one more", "delete or rename this sheet") for name in extra),
    ]


@dataclass
class _Table:
    """One sheet on its way from a grid of cells to rows."""

    name: str
    columns: Sequence[Column]
    problems: list[CellProblem]
    _at: dict[str, str] = field(default_factory=dict)
    """Column key -> letter."""

    def rows(self, grid: Grid) -> list[Row]:
        for area in grid.merged:
            self._add(area, "cells of their own", "merged cells", "unmerge them")
        first = self._find_columns(grid)
        if first is None:
            return []
        self._check_strays(grid, first)
        letters = set(self._at.values())
        body = {number: cells for number, cells in grid.rows.items() if number >= first and not letters.isdisjoint(cells)}
        return [self._row(number, cells) for number, cells in sorted(body.items()) if any(_is_filled(cells.get(at)) for at in letters)]

    def _find_columns(self, grid: Grid) -> int | None:
        """Fill `_at`; return the number of the first row of values, or None when there is no heading row."""
        head = sorted(number for number in grid.rows if number <= HEAD_ROWS)
        keys, titles = {one.key: one for one in self.columns}, {one.title.strip().casefold(): one for one in self.columns}
        key_row = _best(grid, head, keys, fold=False)
        title_row = _best(grid, [number for number in head if number != key_row], titles, fold=True)
        if title_row is None and key_row is None:
            self._add("", "the headings of this sheet", "other ones", f"do not change or delete the heading row; {_ASK}")
            return None
        if key_row is not None:
            self._take(grid.rows[key_row], keys, fold=False)
        if title_row is not None:
            self._take_titles(grid.rows[title_row], titles, has_keys=key_row is not None)
        for column in self.columns:
            if column.key not in self._at and column.is_required:
                self._add("", f"a column {column.title!r}", "none with that heading", f"give it back its heading; {_ASK}")
        return max(number for number in (key_row, title_row) if number is not None) + 1

    def _take(self, cells: Mapping[str, RawCell], known: Mapping[str, Column], *, fold: bool) -> None:
        for letter, cell in cells.items():
            column = known.get(_word(cell, fold=fold))
            if column is None:
                continue
            if column.key in self._at:
                self._add(cell.address, "each column once", f"column {column.title!r} a second time", "delete one of the two")
            else:
                self._at[column.key] = letter

    def _take_titles(self, cells: Mapping[str, RawCell], titles: Mapping[str, Column], *, has_keys: bool) -> None:
        if not has_keys:
            self._take(cells, titles, fold=True)
        for letter, cell in cells.items():
            column = titles.get(_word(cell, fold=True))
            known = letter in self._at.values()
            if column is None and not known and cell.text.strip():
                self._add(
                    cell.address, "only the columns of this sheet", "one more heading", "delete this column or give it back its heading"
                )
            elif has_keys and column is not None and self._at.get(column.key) not in (None, letter):
                self._add(cell.address, "headings in their old order", f"{column.title!r} above another column", "move the headings back")

    def _check_strays(self, grid: Grid, first: int) -> None:
        """Say where something stands outside the columns of the table."""
        letters = set(self._at.values())
        for number in sorted(grid.rows):
            if number >= first:
                for letter, cell in grid.rows[number].items():
                    if letter not in letters and _is_filled(cell):
                        self._add(cell.address, "nothing beside the table", cell.found.kind, "empty the cell, or use the column for it")

    def _row(self, number: int, cells: Mapping[str, RawCell]) -> Row:
        found = {}
        for column in self.columns:
            letter = self._at.get(column.key)
            if letter is not None:
                cell = cells.get(letter)
                found[column.key] = self._checked(column, cell) if cell is not None else Found(f"{letter}{number}", None)
        return Row(self.name, number, found)

    def _checked(self, column: Column, cell: RawCell) -> Found:
        found, value = cell.found, cell.found.value
        if cell.formula:
            self._add(cell.address, "a value", "a formula", "type the value itself")
        elif cell.error:
            self._add(cell.address, "a value", "the error of a formula", "type the value itself")
        elif cell.is_damaged:
            self._add(cell.address, "a value", "a number, date or text that no spreadsheet program writes", "type the value again")
        elif value is not None and column.is_number and (isinstance(value, bool) or not isinstance(value, int | float)):
            self._add(cell.address, f"a number in {column.title!r}", found.kind, "type a number")
        elif value is not None and not column.is_number and not isinstance(value, str):
            self._add(cell.address, f"a text in {column.title!r}", found.kind, "format the cell as text and type it again")
        elif column.choices and column.editable and isinstance(value, str):
            return self._chosen(column, found, value)
        return found

    def _chosen(self, column: Column, found: Found, value: str) -> Found:
        """Return the option that is meant: blanks around it and its case do not matter."""
        if value in column.choices:
            return found
        alike = [option for option in column.choices if option.strip().casefold() == value.strip().casefold()]
        if len(alike) != 1:
            self._add(found.address, one_of(column.choices), "another text", "choose one from the list of the cell")
            return found
        return Found(found.address, alike[0])

    def _add(self, cell: str, expected: str, found: str, todo: str) -> None:
        self.problems.append(CellProblem(self.name, cell, expected, found, todo))


def _is_filled(cell: RawCell | None) -> bool:
    return cell is not None and (cell.formula or cell.error or cell.is_damaged or cell.found.value not in (None, ""))


def _best(grid: Grid, numbers: Sequence[int], known: Mapping[str, Column], *, fold: bool) -> int | None:
    """Return the row that holds most of the known words, if it holds half of them."""
    hits = {number: len({_word(cell, fold=fold) for cell in grid.rows[number].values()} & set(known)) for number in numbers}
    best = max(hits, key=lambda number: hits[number], default=None)
    return best if best is not None and hits[best] * 2 >= len(known) else None


def _word(cell: RawCell, *, fold: bool) -> str:
    text = cell.text.strip()
    return text.casefold() if fold else text
