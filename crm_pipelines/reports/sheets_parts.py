"""The XML of a workbook as values: names of sheets, shared strings, which styles are dates, and the cells of one sheet.

Belongs here: streaming the parts and nothing else. Not here: what is expected of them (sheets_read), the container (sheets_zip).
"""

from __future__ import annotations

import math
import posixpath
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from xml.sax import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.expatreader import create_parser
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.datetime import from_excel

from crm_pipelines.reports.sheets_text import from_xml
from crm_pipelines.reports.sheets_values import CELL_CHARS, CellProblem, Found, Limits, SheetError
from crm_pipelines.reports.sheets_zip import member_chunks

_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_STRING_SLACK = 7
"""A character may stand escaped as seven."""


class TooLargeError(Exception):
    """A sheet holds more than people fill in; carries the problem to tell."""

    def __init__(self, problem: CellProblem) -> None:
        self.problem = problem
        super().__init__(str(problem))


@dataclass(frozen=True)
class RawCell:
    """A cell as the file has it."""

    address: str
    found: Found
    formula: bool = False
    error: bool = False
    is_damaged: bool = False
    """Whether it holds what no spreadsheet program writes: a date beyond the calendar, a number that is none."""

    @property
    def text(self) -> str:
        """What it holds, as text."""
        return "" if self.found.value is None else str(self.found.value)


@dataclass
class Grid:
    """The cells of one sheet: row number -> column letter -> cell, blank cells left out; and its merged areas."""

    rows: dict[int, dict[str, RawCell]] = field(default_factory=dict)
    merged: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Parts:
    """What the sheets share."""

    sheets: Mapping[str, str]
    """Name -> member of the archive."""
    strings: tuple[str, ...]
    dates: frozenset[int]
    """Indexes of cell styles that show a number as a date."""


def read_parts(path: Path, archive: zipfile.ZipFile, limits: Limits) -> Parts:
    """Read what the sheets share. Raises: SheetError when a link leads out of the file."""
    names = {name.casefold(): name for name in archive.namelist()}
    _check_links(path, archive, limits)
    book, links = _Book(), _Links()
    _parse(path, archive, names["xl/workbook.xml"], book, limits)
    _parse(path, archive, names["xl/_rels/workbook.xml.rels"], links, limits)
    sheets = {name: names[_member(links.targets[key]).casefold()] for name, key in book.sheets.items()}
    strings, styles = _Strings(), _Styles()
    for handler, kind in ((strings, "sharedstrings.xml"), (styles, "styles.xml")):
        if f"xl/{kind}" in names:
            _parse(path, archive, names[f"xl/{kind}"], handler, limits)
    return Parts(sheets, tuple(strings.texts), frozenset(styles.dates))


def read_grid(path: Path, archive: zipfile.ZipFile, parts: Parts, sheet: str, limits: Limits) -> Grid:
    """Read the cells of one sheet. Raises: TooLargeError when it holds more rows or columns than the limits allow."""
    handler = _Cells(sheet, parts, limits)
    _parse(path, archive, parts.sheets[sheet], handler, limits)
    return handler.grid


def _check_links(path: Path, archive: zipfile.ZipFile, limits: Limits) -> None:
    """Refuse links out of the file; those that a spreadsheet makes of an e-mail address are harmless."""
    for name in archive.namelist():
        if name.casefold().endswith(".rels"):
            links = _Links()
            _parse(path, archive, name, links, limits)
            if links.leads_out:
                problem = CellProblem("", "", "no links to other files", "a link to another file", "break the links and save again")
                raise SheetError(path, [problem])


def _member(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))


def _parse(path: Path, archive: zipfile.ZipFile, name: str, handler: ContentHandler, limits: Limits) -> None:
    parser = create_parser(forbid_dtd=True)
    parser.setContentHandler(handler)
    for piece in member_chunks(path, archive, name, limits):
        parser.feed(piece)
    parser.close()


class _Part(ContentHandler):
    """Elements by their name without prefix."""

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - named by xml.sax
        self.start(name.rpartition(":")[2], attrs)

    def endElement(self, name: str) -> None:  # noqa: N802 - named by xml.sax
        self.end(name.rpartition(":")[2])

    def start(self, name: str, attrs: AttributesImpl) -> None:
        """Take note of an element that opens."""

    def end(self, name: str) -> None:
        """Take note of an element that closes."""


class _Book(_Part):
    """Sheets by name, with the key of their link."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: dict[str, str] = {}

    def start(self, name: str, attrs: AttributesImpl) -> None:
        if name == "sheet":
            link = next((str(attrs.getValue(key)) for key in attrs.getNames() if key.rpartition(":")[2] == "id"), "")
            self.sheets[from_xml(str(attrs.getValue("name")))] = link


class _Links(_Part):
    """Targets by key, and whether one leads out of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: dict[str, str] = {}
        self.leads_out = False

    def start(self, name: str, attrs: AttributesImpl) -> None:
        if name == "Relationship":
            self.targets[str(attrs.get("Id", ""))] = str(attrs.get("Target", ""))
            outside = str(attrs.get("TargetMode", "")).casefold() == "external"
            self.leads_out = self.leads_out or (outside and not str(attrs.get("Type", "")).endswith("/hyperlink"))


class _Strings(_Part):
    """Shared strings in order: text of all runs, without phonetic hints."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._buffer: list[str] = []
        self._in_text = self._in_hint = False

    def start(self, name: str, attrs: AttributesImpl) -> None:
        self._in_hint = self._in_hint or name == "rPh"
        self._in_text = name == "t" and not self._in_hint

    def characters(self, content: str) -> None:
        if self._in_text:
            self._buffer.append(content)

    def end(self, name: str) -> None:
        self._in_text = False
        if name == "rPh":
            self._in_hint = False
        elif name == "si":
            self.texts.append(from_xml("".join(self._buffer)))
            self._buffer.clear()


class _Styles(_Part):
    """Which cell styles show a number as a date."""

    def __init__(self) -> None:
        super().__init__()
        self.dates: set[int] = set()
        self._formats: dict[int, str] = dict(BUILTIN_FORMATS)
        self._in_cells, self._count = False, 0

    def start(self, name: str, attrs: AttributesImpl) -> None:
        if name == "numFmt":
            self._formats[int(attrs.get("numFmtId", "0"))] = str(attrs.get("formatCode", ""))
        elif name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            if is_date_format(self._formats.get(int(attrs.get("numFmtId", "0")), "General")):
                self.dates.add(self._count)
            self._count += 1

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cells = False


class _Cells(_Part):
    """The cells of a sheet."""

    def __init__(self, sheet: str, parts: Parts, limits: Limits) -> None:
        super().__init__()
        self.grid = Grid()
        self._sheet, self._parts, self._limits = sheet, parts, limits
        self._row = self._column = 0
        self._reset("", "", 0)

    def _reset(self, address: str, kind: str, style: int) -> None:
        self._address, self._kind, self._style = address, kind, style
        self._buffer: list[str] = []
        self._in_value = self._in_hint = self._has_formula = False
        self._length = 0

    def start(self, name: str, attrs: AttributesImpl) -> None:
        if name == "row":
            self._row, self._column = int(attrs.get("r", str(self._row + 1))), 0
        elif name == "c":
            self._column += 1
            self._reset(
                str(attrs.get("r", "")) or f"{_letter(self._column)}{self._row}", str(attrs.get("t", "n")), int(attrs.get("s", "0"))
            )
        elif name == "rPh":
            self._in_hint = True
        elif name in ("v", "t"):
            self._in_value = not self._in_hint
        elif name == "f":
            self._has_formula = True
        elif name == "mergeCell":
            self.grid.merged.append(str(attrs.get("ref", "")))

    def characters(self, content: str) -> None:
        if self._in_value:
            self._length += len(content)
            if self._length > CELL_CHARS * _STRING_SLACK:
                raise TooLargeError(self._too_long())
            self._buffer.append(content)

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._in_value = False
        elif name == "rPh":
            self._in_hint = False
        elif name == "c":
            self._keep()

    def _keep(self) -> None:
        place = _REFERENCE.fullmatch(self._address)
        if place is None:
            raise ValueError("a cell without a place")
        value, is_damaged = self._value_or_none("".join(self._buffer))
        if isinstance(value, str) and len(value) > CELL_CHARS:
            raise TooLargeError(self._too_long())
        if (value is None or value == "") and not self._has_formula and self._kind != "e" and not is_damaged:
            return
        letter, number = place[1], int(place[2])
        self._column = _index(letter)
        row = self.grid.rows.setdefault(number, {})
        row[letter] = RawCell(self._address, Found(self._address, value), self._has_formula, self._kind == "e", is_damaged)
        if len(self.grid.rows) > self._limits.rows:
            todo = "send the workbook that we gave out, filled in"
            raise TooLargeError(CellProblem(self._sheet, self._address, f"at most {self._limits.rows:,} rows", "more", todo))
        if len(row) > self._limits.columns:
            todo = "empty everything beside the table"
            raise TooLargeError(CellProblem(self._sheet, self._address, f"at most {self._limits.columns} columns", "more", todo))

    def _value_or_none(self, text: str) -> tuple[str | int | float | bool | datetime | None, bool]:
        """Return what a cell holds; none, and that it is damaged, where that cannot be told."""
        try:
            return self._value(text), False
        except (ValueError, OverflowError, IndexError):
            return None, True

    def _value(self, text: str) -> str | int | float | bool | datetime | None:
        """Return what a cell holds by its kind; the stored result of a formula is not looked at."""
        if self._has_formula or (not text and self._kind not in ("s", "str", "inlineStr")):
            return None
        if self._kind == "s":
            place = int(text) if text else None
            if place is not None and place < 0:
                raise IndexError("no string has a place below 0")
            return "" if place is None else self._parts.strings[place]
        if self._kind in ("str", "inlineStr"):
            return from_xml(text)
        if self._kind == "b":
            return text == "1"
        if self._kind == "e":
            return None
        return self._number(text)

    def _number(self, text: str) -> int | float | datetime:
        if self._kind == "d":
            return datetime.fromisoformat(text)
        number = float(text)
        if not math.isfinite(number):
            raise OverflowError("a number without end, or none")
        if self._style in self._parts.dates:
            moment = from_excel(number)
            if isinstance(moment, datetime):
                return moment
        return int(number) if number.is_integer() else number

    def _too_long(self) -> CellProblem:
        return CellProblem(self._sheet, self._address, f"at most {CELL_CHARS:,} characters", "a longer text", "shorten the text")


def _letter(index: int) -> str:
    letters = ""
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _index(letters: str) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index
