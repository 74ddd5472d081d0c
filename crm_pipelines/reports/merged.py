"""What merged contacts said otherwise than the one record they became, as a file for the client.

Belongs here: writing it. Not here: finding it (phases.merged), who is one person (phases.resolve).
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from crm_pipelines.phases.reconcile import sheet_row
from crm_pipelines.reports.reconciliation_words import MERGED_FILE
from crm_pipelines.reports.sheets import Column, Sheet, write_csv

WHY = {
    "first": "The record that stayed had a value already.",
    "strictest": "The strictest consent counts.",
    "greatest": "The greatest value counts.",
}
COLUMNS = (
    Column("file", "Export file", 28),
    Column("sheet_row", "Row in a spreadsheet", 10),
    Column("key", "Source record", 14),
    Column("into_key", "Record that stayed", 18),
    Column("heading", "Column", 24),
    Column("value", "Value that did not arrive", 40),
    Column("stayed", "Value that stayed", 40),
    Column("why", "Why", 40),
)


def write_merged(told: pl.DataFrame, folder: Path) -> Path | None:
    """Write one line per merged row and column that did not arrive; without any, take away an older file. Readable by its owner only."""
    path = folder / MERGED_FILE
    if told.is_empty():
        path.unlink(missing_ok=True)
        return None
    rows = [{**row, "sheet_row": str(sheet_row(row["row"])), "why": WHY[row["rule"]]} for row in told.iter_rows(named=True)]
    return write_csv(path, Sheet("merged contacts", COLUMNS, rows))
