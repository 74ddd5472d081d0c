"""The demo's client: fills in the workbook as a person does, with a spreadsheet library that is not ours to bend.

Belongs here: which cells the client fills in. Not here: how the workbook is made or read (crm_pipelines.reports.workbook).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from crm_pipelines.sandbox.sample.exports import UNKNOWN
from crm_pipelines.sandbox.sample.unknown import BADGE_COLOUR, BIRTH_DATE, BIRTHDAY

LEAVE = "Leave behind (say why)"
REASONS = {
    BADGE_COLOUR: "Printed on name badges; nobody sells by it.",
    **dict.fromkeys(UNKNOWN, "The same word in every row; it says nothing."),
}


def fill_in(workbook: Path, answers: dict[str, str]) -> Iterator[str]:
    """Answer the questions, name the new field, leave two columns behind; yield what the client sees of its own cells."""
    book = openpyxl.load_workbook(workbook)
    for question, answer in answers.items():
        _write(book["Questions"], question, {"Your answer": answer})
        yield f"Questions, {question}: {answer}"
    columns = book["Columns"]
    proposed = _write(columns, BIRTH_DATE, {"Name of a new field": BIRTHDAY})
    yield f"Columns, {BIRTH_DATE}: as proposed ({proposed}), named {BIRTHDAY}"
    for heading, reason in REASONS.items():
        _write(columns, heading, {"Your choice": LEAVE, "Why it stays behind": reason})
        yield f"Columns, {heading}: left behind"
    book.save(workbook)


def _write(sheet: Worksheet, known: str, cells: dict[str, str]) -> Any:
    """Fill in cells of the row that is about something; return the choice that stood there."""
    titles = next(row for row in sheet.iter_rows() if any(cell.value in cells for cell in row))
    at = {cell.value: cell.column for cell in titles}
    row = next(one[0].row for one in sheet.iter_rows(min_row=titles[0].row + 1) if known in {cell.value for cell in one})
    before = sheet.cell(row, at["Your choice"]).value if "Your choice" in at else None
    for title, value in cells.items():
        sheet.cell(row, at[title]).value = value
    return before
