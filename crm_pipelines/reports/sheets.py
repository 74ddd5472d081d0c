"""Tables for people, as workbooks and CSV: written so that no spreadsheet runs anything, read back with every problem by cell.

Belongs here: the names that the rest of the product uses. Not here: how (sheets_write, sheets_read, sheets_csv), what a table says
(workbook, queues).
"""

from __future__ import annotations

from crm_pipelines.reports.sheets_csv import read_csv, write_csv
from crm_pipelines.reports.sheets_read import first_of, read_book, survey_book
from crm_pipelines.reports.sheets_values import (
    STATE,
    Cell,
    CellProblem,
    Column,
    Found,
    Limits,
    Row,
    Scalar,
    Sheet,
    SheetError,
    State,
    one_of,
)
from crm_pipelines.reports.sheets_write import COLOURS, LISTS, write_book

__all__ = [
    "COLOURS",
    "LISTS",
    "STATE",
    "Cell",
    "CellProblem",
    "Column",
    "Found",
    "Limits",
    "Row",
    "Scalar",
    "Sheet",
    "SheetError",
    "State",
    "first_of",
    "one_of",
    "read_book",
    "read_csv",
    "survey_book",
    "write_book",
    "write_csv",
]
