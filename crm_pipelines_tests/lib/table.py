"""ASCII tables: one small table per rule, read as typed rows.

Belongs here: the notation. Not here: what the rules are (language/tables.md), what they should give (oracle).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import yaml

DTYPES: Mapping[str, Any] = {
    "text": pl.String(),
    "texts": pl.List(pl.String),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us", "UTC"),
}
MARKS = {"␣": " ", "⏎": "\n", "⇥": "\t", "\\|": "|"}
TABLES = Path(__file__).parent.parent / "language" / "tables.md"


@dataclass
class Table:
    """The rows of one rule under one set of settings."""

    rule: str
    settings: dict[str, Any] = field(default_factory=dict)
    zone: str = "UTC"
    columns: list[tuple[str, str]] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    """Cells as written, the expected result last."""
    text: list[str] = field(default_factory=list)
    """The lines of the table as written."""

    def inputs(self) -> pl.DataFrame:
        """Return the input columns, typed."""
        data = {
            name: pl.Series(
                [read_cell(row[place], kind) for row in self.rows], dtype=whole_numbers(kind, [row[place] for row in self.rows])
            )
            for place, (name, kind) in enumerate(self.columns)
        }
        return pl.DataFrame(data)

    def values(self) -> Iterator[tuple[list[Any], str]]:
        """Yield the typed inputs of each row, and the result as written."""
        frame = self.inputs()
        for row, written in zip(frame.iter_rows(), self.rows, strict=True):
            yield list(row), written[-1]


def read_tables(path: Path = TABLES) -> list[Table]:
    """Return every table of a file, in order."""
    tables: list[Table] = []
    rule, settings, zone = "", {}, "UTC"
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("## "):
            rule, settings, zone = line[3:].strip(), {}, "UTC"
        elif line.startswith("with: "):
            settings = yaml.safe_load(line[6:])
        elif line.startswith("zone: "):
            zone = line[6:].strip()
        elif line.startswith("|"):
            if not tables or tables[-1].text == [] or tables[-1].text[-1] == "":
                tables.append(Table(rule, settings, zone))
            _read_line(tables[-1], line)
        elif tables and tables[-1].text and tables[-1].text[-1] != "":
            tables[-1].text.append("")
    return tables


def read_cell(written: str, kind: str) -> Any:
    """Return what a cell means; None when it is empty."""
    if written == "":
        return None
    if kind == "texts":
        inner = written.strip()[1:-1]
        return [_plain(piece) for piece in inner.split("; ")] if inner else []
    if kind == "number":
        return float(written) if "." in written else int(written)
    if kind == "boolean":
        return written == "true"
    if kind == "date":
        return date.fromisoformat(written)
    return datetime.fromisoformat(written) if kind == "datetime" else _plain(written)


def whole_numbers(kind: str, cells: Sequence[str]) -> Any:
    """Return the dtype of a column; numbers without a decimal point are whole."""
    return pl.Int64() if kind == "number" and not any("." in cell for cell in cells) else DTYPES[kind]


def _read_line(table: Table, line: str) -> None:
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    table.text.append(line)
    if not table.columns:
        table.columns = [tuple(cell.split(":")) for cell in cells[:-1]]  # type: ignore[misc]
    elif not set("".join(cells)) <= {"-", ":"} or not any(cells):
        table.rows.append(cells)


def _plain(written: str) -> str:
    for mark, meaning in MARKS.items():
        written = written.replace(mark, meaning)
    return written
