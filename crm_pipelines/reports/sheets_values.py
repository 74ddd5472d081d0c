"""Sheets as frozen values: what a table for people is made of, what comes back from it, and what can be wrong with it.

Belongs here: values, limits and the error. Not here: files (sheets_write, sheets_read, sheets_csv), what the tables say (workbook,
queues).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from crm_pipelines.errors import Problem, SpecError

STATE = "_state"
"""Key of a row that colours it: one of `State`."""
State = Literal["", "open", "proposed", "done", "may", "fixed", "band", "problem", "head", "title"]
"""Colour by what a cell asks of its reader; `may` takes an answer and needs none, `band` holds rows together, `head` and `title` are for
pages of text."""
Scalar = str | int | float | bool | None
CELL_CHARS = 32_767  # "Total number of characters that a cell can contain", Excel specifications and limits, read 2026-11
CUT = " … [cut: too long for a cell]"
"""Ends a text that did not fit; such a cell is locked, and what comes back from it is no answer."""
OPTIONS_SHOWN = 6


@dataclass(frozen=True)
class Column:
    """One column of a sheet."""

    key: str
    """Name for the program: in the hidden first row and in the rows' mappings."""
    title: str
    """What a person reads; unique on its sheet."""
    width: float = 18
    """Characters."""
    editable: bool = False
    choices: tuple[str, ...] = ()
    """The drop-down of every cell; an answer outside it is a problem."""
    note: str = ""
    """Shown when a person points at the heading."""
    is_hidden: bool = False
    is_required: bool = True
    """Whether a file without the column is refused."""
    is_aside: bool = False
    """Grouped on the screen, and left out of print, where many columns would make all of them unreadable."""
    is_number: bool = False
    """Numbers stay numbers; every other column holds text."""


@dataclass(frozen=True)
class Cell:
    """A value that differs from the rest of its column: a drop-down, a colour, a lock of its own."""

    value: Scalar = None
    choices: tuple[str, ...] | None = None
    """None: those of the column."""
    state: State | None = None
    editable: bool | None = None
    is_strict: bool = True
    """Whether the spreadsheet itself refuses what is not in the drop-down."""


@dataclass(frozen=True)
class Sheet:
    """One table of a workbook, or the whole of a CSV."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Scalar | Cell]] = ()
    intro: str = ""
    """A line above the headings, or two or three."""
    is_hidden: bool = False
    has_headings: bool = True
    """False for a page of text: no heading row, no filters."""


@dataclass(frozen=True)
class Found:
    """A cell as it came back."""

    address: str
    """`C7`."""
    value: str | int | float | bool | datetime | None

    @property
    def kind(self) -> str:
        """What it holds, in words for a message."""
        words = {str: "a text", bool: "a yes/no value", int: "a number", float: "a number", datetime: "a date"}
        return words[type(self.value)] if self.value is not None else "nothing"


@dataclass(frozen=True)
class Row:
    """A row as it came back: cells by the key of their column."""

    sheet: str
    number: int
    cells: Mapping[str, Found]

    def text(self, key: str) -> str:
        """Return a cell as text; empty when it is empty or cut."""
        value = self.cells[key].value if key in self.cells else None
        text = "" if value is None else str(value)
        return "" if text.endswith(CUT) else text

    def is_cut(self, key: str) -> bool:
        """Whether the text was too long for a cell, so that the file does not hold it whole."""
        return key in self.cells and str(self.cells[key].value).endswith(CUT)

    def address(self, key: str) -> str:
        """Return where a cell stands, or its row when the column is not there."""
        return self.cells[key].address if key in self.cells else f"row {self.number}"

    def problem(self, key: str, expected: str, todo: str, found: str | None = None) -> CellProblem:
        """Return a problem of one cell, with the kind of what was found (never the value)."""
        kind = found if found is not None else (self.cells[key].kind if key in self.cells else "nothing")
        return CellProblem(self.sheet, self.address(key), expected, kind, todo)


@dataclass(frozen=True)
class CellProblem:
    """One thing that is wrong with a file from outside; never holds a value."""

    sheet: str
    """Empty when the file as a whole is meant."""
    cell: str
    """Address, or empty when the sheet as a whole is meant."""
    expected: str
    found: str
    """Kind of what was found: a text, a number, a formula, nothing."""
    todo: str

    def as_problem(self, file: str) -> Problem:
        """Return it in the words of every other problem."""
        where = f"sheet {self.sheet!r}" if self.sheet else "the file"
        place = f"{where}, cell {self.cell}" if self.cell and not self.cell.startswith("row") else f"{where}, {self.cell}".rstrip(", ")
        return Problem(place, f"expected {self.expected}, found {self.found}; {self.todo}", file=file)


class SheetError(SpecError):
    """A workbook or CSV from outside is not what was given out; all problems at once, none with a value."""

    def __init__(self, path: Path, cells: Sequence[CellProblem]) -> None:
        self.cells = tuple(cells)
        super().__init__([problem.as_problem(path.name) for problem in cells])


@dataclass(frozen=True)
class Limits:
    """What a file from outside may cost; far above what people fill in by hand."""

    file_bytes: int = 50_000_000
    inflated_bytes: int = 400_000_000
    ratio: int = 200
    """Inflated to packed, of members over a megabyte; sheets of real tables stay under 30."""
    members: int = 1_000
    rows: int = 100_000
    """Rows with content, per sheet."""
    columns: int = 200
    problems: int = 200
    """Problems that are told before the rest is only counted."""


def one_of(options: Sequence[str]) -> str:
    """Return a list of options for a message, cut after a few."""
    shown = ", ".join(repr(option) for option in options[:OPTIONS_SHOWN])
    return f"one of {shown}" + (f" or {len(options) - OPTIONS_SHOWN} more" if len(options) > OPTIONS_SHOWN else "")
