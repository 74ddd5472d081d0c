"""Write tables as a workbook that people can fill in and no spreadsheet runs anything of.

Belongs here: cells, drop-downs, colours, protection, print setup. Not here: what the tables say (workbook, queues), reading them back
(sheets_read).

A sheet is a hidden row of column keys, an optional line of introduction, the headings, the rows. Text is written as text whatever it
begins with; there is no formula in any cell. Drop-downs whose list does not fit into the rule itself stand on a hidden sheet `_lists`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import cast

from openpyxl import Workbook
from openpyxl.cell.cell import Cell as BookCell
from openpyxl.comments import Comment
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.cell_range import MultiCellRange
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import Outline, PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from crm_pipelines.phases.files import write_bytes
from crm_pipelines.reports.sheets_text import is_like_formula, to_xml
from crm_pipelines.reports.sheets_values import CELL_CHARS, CUT, STATE, Cell, Column, Scalar, Sheet

LISTS = "_lists"
INLINE_LIST_CHARS = 255  # formula1 of a data validation, ECMA-376 part 1, 18.3.1.33; Excel refuses the file beyond it
COLOURS = {
    "open": "FFEB9C",
    "proposed": "BDD7EE",
    "done": "E2EFDA",
    "may": "E8E6F0",
    "fixed": "F2F2F2",
    "band": "F5F1E8",
    "problem": "F8CBAD",
}
LITERAL_CHARS = 255  # text values in formulas, Excel specifications and limits, read 2026-11
PROMPT_CHARS = 255  # prompt of a data validation, ECMA-376 part 1, 18.3.1.32
FONT = "Arial"  # the one that looks alike in every spreadsheet program
LINE_POINTS, PADDING_POINTS, ROW_POINTS_MAX = 13.0, 7.0, 409.0  # Excel specifications and limits: row height 409 points, read 2026-11
_HEADING = PatternFill("solid", start_color="1F3864")
_PLAIN, _BOLD = Font(name=FONT, size=10), Font(name=FONT, size=10, bold=True, color="FFFFFF")
_TITLE, _INTRO = Font(name=FONT, size=18, bold=True, color="1F3864"), Font(name=FONT, size=10, italic=True, color="595959")
_FILLS = {state: PatternFill("solid", start_color=colour, end_color=colour) for state, colour in COLOURS.items()}
_THIN = Side("thin", color="BFBFBF")
_LINE = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_FRAME = Side("medium", color="8497B0")
_INPUT = Border(left=_FRAME, right=_FRAME, top=_FRAME, bottom=_FRAME)
CHARS_PER_WIDTH = 1.2
"""Letters of running text per unit of width, less the indent; measured with Arial 10."""
_WRAPPED = Alignment(horizontal="left", wrap_text=True, vertical="center", indent=1)
_TITLE_LINE = Alignment(vertical="center")
_NUMBER = Alignment(horizontal="right", vertical="center", indent=1)
_UNLOCKED, _LOCKED = Protection(locked=False), Protection(locked=True)


def write_book(path: Path, sheets: Sequence[Sheet], title: str = "") -> Path:
    """Write tables as one `.xlsx`, in one step, readable by its owner only; return where it lies."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title, book.properties.creator = to_xml(title), ""
    lists = _Lists(book)
    for sheet in sheets:
        _write_sheet(book.create_sheet(sheet.name), sheet, lists)
    lists.finish()
    target = io.BytesIO()
    book.save(target)
    return write_bytes(path, target.getvalue())


class _Lists:
    """The options of drop-downs that do not fit into their rule: one column each on a hidden sheet, equal lists once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._ranges: dict[tuple[str, ...], str] = {}

    def rule(self, options: tuple[str, ...], is_strict: bool, prompt: str = "") -> DataValidation:
        inline = ",".join(options)
        plain = len(inline) <= INLINE_LIST_CHARS and all(_is_plain(option) for option in options)
        formula = f'"{inline}"' if plain else self._range(options)
        rule = DataValidation("list", formula1=formula, allow_blank=True, showErrorMessage=is_strict, errorStyle="stop")
        rule.errorTitle, rule.error = "Not in the list", "Please choose one of the options in the list, or empty the cell."
        rule.showInputMessage, rule.prompt = bool(prompt), to_xml(prompt)[:PROMPT_CHARS] or None
        return rule

    def _range(self, options: tuple[str, ...]) -> str:
        if options not in self._ranges:
            letter = get_column_letter(len(self._ranges) + 1)
            self._ranges[options] = f"{quote_sheetname(LISTS)}!${letter}$1:${letter}${len(options)}"
        return self._ranges[options]

    def finish(self) -> None:
        if self._ranges:
            page = self._book.create_sheet(LISTS)
            page.sheet_state = "hidden"
            page.protection.sheet = True
            for column, options in enumerate(self._ranges, 1):
                for row, option in enumerate(options, 1):
                    _put(_at(page, row, column), option)


def _is_plain(option: str) -> bool:
    """Whether an option may stand in a rule itself, where it can be neither quoted nor escaped."""
    return (
        bool(option)
        and option == option.strip()
        and option.isprintable()
        and not set(option) & set(',";_&')
        and not is_like_formula(option)
    )


def _write_sheet(page: Worksheet, sheet: Sheet, lists: _Lists) -> None:
    heading = _write_head(page, sheet)
    asks = _Asks(lists)
    for number, row in enumerate(sheet.rows, heading + 1):
        for index, column in enumerate(sheet.columns, 1):
            _write_cell(_at(page, number, index), column, row, asks)
        page.row_dimensions[number].height = _height(page, number, sheet)
    last = heading + len(sheet.rows)
    asks.add_to(page)
    _set_up(page, sheet, heading, last)


def _write_head(page: Worksheet, sheet: Sheet) -> int:
    """Write keys, introduction and headings; return the row of the headings (of the keys where there are none)."""
    for index, column in enumerate(sheet.columns, 1):
        _put(_at(page, 1, index), column.key)
    page.row_dimensions[1].hidden = True
    visible = next((index for index, column in enumerate(sheet.columns, 1) if not column.is_hidden), 1)
    number = 2
    for line in sheet.intro.split("\n") if sheet.intro else ():
        first = _put(_at(page, number, visible), line)
        first.font, first.alignment = _INTRO, Alignment(vertical="center")
        page.row_dimensions[number].height = 20
        number += 1
    if not sheet.has_headings:
        return number - 1
    page.row_dimensions[number].height = max(map(_lines, sheet.columns), default=1) * LINE_POINTS + PADDING_POINTS
    for index, column in enumerate(sheet.columns, 1):
        cell = _put(_at(page, number, index), column.title)
        cell.font, cell.fill, cell.border = _BOLD, _HEADING, _LINE
        cell.alignment = Alignment(horizontal="left", wrap_text=True, vertical="center", indent=1)
        if column.note:
            cell.comment = Comment(to_xml(column.note), "", width=360, height=110)
    return number


class _Asks:
    """The drop-downs of a sheet, and its cells whose colour changes with what stands in them."""

    def __init__(self, lists: _Lists) -> None:
        self._lists = lists
        self._choices: dict[tuple[tuple[str, ...], bool, str], dict[str, list[int]]] = {}
        self._colours: dict[tuple[str, str], dict[str, list[int]]] = {}
        """(condition, state) -> cells; `{}` in a condition is the first of them."""

    def choose(self, target: BookCell, choices: tuple[str, ...], is_strict: bool, prompt: str) -> None:
        self._choices.setdefault((choices, is_strict, prompt), {}).setdefault(target.column_letter, []).append(target.row)

    def answer(self, target: BookCell, state: str) -> None:
        """Colour a cell as done once it holds an answer of its reader, and as it was while it does not."""
        if state in ("open", "may"):
            self._colour("LEN({})>0", "done", target)
        elif state == "done":
            self._colour("LEN({})=0", "may", target)
        elif state == "proposed":
            self._colour("LEN({})=0", "open", target)
            text = str(target.value)
            if len(text) < LITERAL_CHARS and text.isprintable():
                quoted = text.replace('"', '""')
                self._colour(f'{{}}<>"{quoted}"', "done", target)

    def _colour(self, condition: str, state: str, target: BookCell) -> None:
        self._colours.setdefault((condition, state), {}).setdefault(target.column_letter, []).append(target.row)

    def add_to(self, page: Worksheet) -> None:
        for (choices, is_strict, prompt), cells in self._choices.items():
            rule = self._lists.rule(choices, is_strict, prompt)
            rule.sqref = MultiCellRange(" ".join(_areas(cells)))  # adding cell by cell takes the square of their number
            page.add_data_validation(rule)
        for (condition, state), cells in self._colours.items():
            for area in _areas(cells):
                formula = area.partition(":")[0].join(condition.split("{}", 1))
                shown = FormulaRule(formula=[formula], fill=PatternFill(bgColor=COLOURS[state]), stopIfTrue=True)  # type: ignore[no-untyped-call]
                page.conditional_formatting.add(area, shown)


def _areas(cells: Mapping[str, Sequence[int]]) -> list[str]:
    """Return letters with their rows as areas: `F4:F9`."""
    return [
        f"{letter}{first}:{letter}{last}" if first < last else f"{letter}{first}"
        for letter in cells
        for first, last in _runs(cells[letter])
    ]


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Return ascending numbers as runs without gaps."""
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and runs[-1][1] == row - 1:
            runs[-1] = (runs[-1][0], row)
        else:
            runs.append((row, row))
    return runs


def _write_cell(target: BookCell, column: Column, row: Mapping[str, Scalar | Cell], asks: _Asks) -> None:
    given = row.get(column.key)
    cell = given if isinstance(given, Cell) else Cell(given)
    _put(target, cell.value, is_number=column.is_number)
    was_cut = isinstance(target.value, str) and target.value.endswith(CUT)
    editable = (column.editable if cell.editable is None else cell.editable) and not was_cut
    choices = column.choices if cell.choices is None else cell.choices
    target.protection = _UNLOCKED if editable else _LOCKED
    state = cell.state if cell.state is not None else row.get(STATE, "")
    target.alignment = _NUMBER if column.is_number else _TITLE_LINE if state == "title" else _WRAPPED
    target.font = _TITLE if state == "title" else _BOLD if state == "head" else _PLAIN
    asked = editable and state in ("open", "proposed", "done", "may")
    if row and state != "title":
        target.border = _INPUT if asked else _LINE
    if state == "head":
        target.fill = _HEADING
    elif state in _FILLS:
        target.fill = _FILLS[str(state)]
    if asked:
        asks.answer(target, str(state))
    if choices and editable:
        asks.choose(target, choices, cell.is_strict, column.note)


def _lines(column: Column) -> int:
    """Return how many lines the heading of a column takes; capital letters and bold ones are wider."""
    return 1 if column.is_hidden else -(-len(column.title) // max(1, int(column.width)))


def _height(page: Worksheet, number: int, sheet: Sheet) -> float:
    """Return the points that the fullest cell of a row needs; not every program fits rows by itself."""
    lines = 1
    for index, column in enumerate(sheet.columns, 1):
        value = page.cell(number, index).value
        if isinstance(value, str) and not column.is_hidden and len(value) > 3:
            lines = max(lines, sum(max(1, -(-len(line) // max(1, int(column.width * CHARS_PER_WIDTH)))) for line in value.split("\n")))
    is_title = any(page.cell(number, index).font.size == _TITLE.size for index in range(1, len(sheet.columns) + 1))
    return min(ROW_POINTS_MAX, (2 if is_title else lines) * LINE_POINTS + PADDING_POINTS)


def _at(page: Worksheet, row: int, column: int) -> BookCell:
    return cast(BookCell, page.cell(row, column))  # merged cells are never made here


def _put(target: BookCell, value: Scalar, *, is_number: bool = False) -> BookCell:
    """Set a cell; text is text whatever it begins with, and never longer than a cell may be."""
    if value is None or value == "":
        target.number_format = "General" if is_number else "@"
    elif isinstance(value, bool) or (isinstance(value, int | float | Decimal) and is_number):
        target.value = value
    else:
        target.value = text = _fitting(str(value))
        target.data_type, target.number_format = "s", "@"
        target.quotePrefix = is_like_formula(text)
    return target


def _fitting(text: str) -> str:
    """Return a text as a workbook's XML holds it, cut and marked where a cell cannot hold it whole."""
    whole = to_xml(text)
    if len(whole) <= CELL_CHARS:
        return whole
    head = to_xml(text[: CELL_CHARS - len(CUT)])
    return (head if len(head) + len(CUT) <= CELL_CHARS else to_xml(text[: (CELL_CHARS - len(CUT)) // 7])) + CUT


def _set_up(page: Worksheet, sheet: Sheet, heading: int, last: int) -> None:
    for index, column in enumerate(sheet.columns, 1):
        dimension = page.column_dimensions[get_column_letter(index)]
        dimension.width, dimension.hidden = column.width, column.is_hidden
        dimension.outlineLevel = int(column.is_aside)
    page.sheet_state = "hidden" if sheet.is_hidden else "visible"
    page.sheet_view.showGridLines = sheet.has_headings
    if sheet.has_headings:
        frozen = next((index for index, column in enumerate(sheet.columns, 1) if column.editable), 1)
        page.freeze_panes = f"{get_column_letter(min(frozen, 3))}{heading + 1}"
        page.auto_filter.ref = f"A{heading}:{get_column_letter(len(sheet.columns))}{max(last, heading + 1)}"
        page.print_title_rows = f"{heading}:{heading}"
    _protect(page)
    _set_print(page, sheet)
    _set_aside(page, sheet, last)


def _set_aside(page: Worksheet, sheet: Sheet, last: int) -> None:
    """Leave the columns that stand aside out of print; the mark that folds them stands before them, beside the answers."""
    printed = next((index for index, column in enumerate(sheet.columns) if column.is_aside), 0)
    if printed:
        page.sheet_properties.outlinePr = Outline(summaryBelow=True, summaryRight=False)
        page.print_area = f"A1:{get_column_letter(printed)}{last}"


def _protect(page: Worksheet) -> None:
    """Lock all but the cells to be filled in; widths, filters and heights stay free. Without a password: it guards against slips."""
    protection = page.protection
    protection.sheet = True
    protection.formatColumns = protection.formatRows = protection.autoFilter = protection.sort = False


def _set_print(page: Worksheet, sheet: Sheet) -> None:
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", 9  # A4: ECMA-376 part 1, 18.3.1.63
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.page_margins.left = page.page_margins.right = 0.4
    page.page_margins.top, page.page_margins.bottom, page.page_margins.footer = 0.5, 0.75, 0.35
    if page.oddFooter is not None:
        page.oddFooter.left.text, page.oddFooter.right.text = sheet.name.replace("&", "&&"), "Page &P of &N"
