"""Queue files as a person works them: cells found by their heading and filled in, in a spreadsheet or a CSV.

Belongs here: opening, finding rows, typing, saving. Not here: what is asserted (tests), how the files are made (reports.queues).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

import openpyxl

Chosen = Callable[[Mapping[str, str]], Mapping[str, str] | None]
"""What a person writes into a row, by heading in lower case; None for rows that are left as they are."""


def fill_book(path: Path, chosen: Chosen, to: Path | None = None) -> Path:
    """Fill in a workbook and save it as a spreadsheet program would."""
    book = openpyxl.load_workbook(path)
    for page in book.worksheets:
        heading = next((row for row in page.iter_rows(max_row=6) if row[0].value == "Engagement"), None)
        if heading is None:
            continue
        at = {str(cell.value).casefold(): cell.column for cell in heading if cell.value}
        for row in range(heading[0].row + 1, page.max_row + 1):
            cells = {name: str(page.cell(row, column).value or "") for name, column in at.items()}
            for name, value in (chosen(cells) or {}).items() if cells["engagement"] else ():
                page.cell(row, at[name]).value = value
    book.save(to or path)
    return to or path


def fill_csv(path: Path, chosen: Chosen, to: Path | None = None) -> Path:
    """Fill in a CSV and save it as another program would, without quotes where none are needed."""
    rows = read_csv(path)
    names = {name.casefold(): name for name in rows[0]}
    typed = [chosen({name.casefold(): value for name, value in row.items()}) or {} for row in rows]
    written = [{**row, **{names[name]: value for name, value in own.items()}} for row, own in zip(rows, typed, strict=True)]
    with (to or path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(written)
    return to or path


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a queue as a person sees them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
