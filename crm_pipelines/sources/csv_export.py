"""Read one CSV export: bytes to an all-text frame, with the lines that cannot be trusted set aside.

The path of a file: bytes -> sha256 -> encoding (decode) -> delimiter and heading (headings) -> every record checked
(prescan) -> clean text -> polars with every column as text -> typed columns (typed).

Belongs here: that order, and the all-text frame. Not here: each step's own rules, files on disk (phases.stage), and
the count of physical rows that this reading is held against (rowcount).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from crm_pipelines.errors import SourceError
from crm_pipelines.sources.base import LINE, ROW, Heading, ReadSettings, SourceObject
from crm_pipelines.sources.decode import Decoded, decode_export
from crm_pipelines.sources.headings import HeadingMatch, HeadingRecord, match_headings, read_heading
from crm_pipelines.sources.prescan import Scan, scan_records


@dataclass(frozen=True)
class TextExport:
    """One file as text: an all-String frame in file order (`_row`, `_line`, then columns), and what was set aside.

    `frame` has nulls for empty cells, quoted or not. `scan` still holds each record's raw text, for key checks.
    """

    file_name: str
    sha256: str
    size_bytes: int
    encoding: str
    delimiter: str
    headings: tuple[Heading, ...]
    currency: str | None
    frame: pl.DataFrame
    scan: Scan
    warnings: tuple[str, ...]


def read_export(path: Path, contract: SourceObject, settings: ReadSettings) -> TextExport:
    """Read a file into text columns named by the contract.

    Raises: SourceError, naming the file and what to do, when it is absent, empty, no CSV, or not this object's export.
    """
    data = read_bytes(path)
    size, sha256 = len(data), hashlib.sha256(data).hexdigest()
    decoded = decode_export(data, path.name, settings.encoding)
    lines = decoded.lines()
    del data
    decoded = replace(decoded, data=b"")  # the lines are enough: a file of 500,000 rows is 200 MB
    record = read_heading(lines, contract, path.name, settings.delimiter)
    match = match_headings(record.raw, contract, path.name, settings.custom_fields)
    scan = scan_records(
        lines,
        record.next_line,
        record.delimiter,
        len(record.raw),
        is_cut=decoded.is_cut,
        is_damaged=decoded.is_damaged,
        blank_rows=record.blank_rows,
    )
    frame, doubled = _frame(scan, record, match, contract, path.name)
    return TextExport(
        file_name=path.name,
        sha256=sha256,
        size_bytes=size,
        encoding=decoded.encoding,
        delimiter=record.delimiter,
        headings=match.headings,
        currency=match.currency,
        frame=frame,
        scan=scan,
        warnings=(*decoded.warnings, *match.warnings, *doubled, *_scan_warnings(scan, decoded)),
    )


def read_bytes(path: Path) -> bytes:
    """Return the bytes of an export; raise SourceError when there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise SourceError(f"{path.name}: there is no such file in {path.parent.name}/; put the export there") from None
    except IsADirectoryError:
        raise SourceError(f"{path.name}: this is a folder, not a CSV file") from None
    except PermissionError:
        raise SourceError(f"{path.name}: this user may not read the file; change its permissions") from None


def _frame(
    scan: Scan, record: HeadingRecord, match: HeadingMatch, contract: SourceObject, file_name: str
) -> tuple[pl.DataFrame, list[str]]:
    cells = _text_cells(scan, record, file_name)
    warnings = [_settle_duplicate(cells, first, again, match.headings, file_name) for first, again in match.duplicates]
    kept = [(position, heading.column) for position, heading in enumerate(match.headings) if heading.column is not None]
    frame = cells.select(pl.col(str(position)).alias(name) for position, name in kept)
    numbers = [pl.Series(ROW, scan.rows, pl.Int64), pl.Series(LINE, scan.lines, pl.Int64)]
    frame = frame.select(*numbers, pl.all()) if frame.height else frame.clear().select(*numbers, pl.all())
    dropped = [heading.raw for heading in match.headings if heading.canonical is None and heading.column is None]
    if dropped:
        warnings.append(f"columns the {contract.name} contract does not know are not kept: {', '.join(dropped)}")
    return frame, warnings


def _text_cells(scan: Scan, record: HeadingRecord, file_name: str) -> pl.DataFrame:
    """Let polars read the good records as text; columns are numbered, empty and quoted-empty cells are null."""
    schema = {str(position): pl.String() for position in range(len(record.raw))}
    cells = pl.concat([pl.DataFrame(schema=schema), *(_block_cells(block, record.delimiter, schema) for block in scan.blocks)])
    if cells.height != len(scan.rows):
        raise SourceError(
            f"{file_name}: two readers disagree on its rows ({len(scan.rows)} and {cells.height}); "
            "nothing was taken from it. Please report this file's structure"
        )
    return cells


def _block_cells(block: bytes, delimiter: str, schema: dict[str, pl.String]) -> pl.DataFrame:
    cells = pl.read_csv(
        block,
        has_header=False,
        separator=delimiter,
        schema=schema,
        infer_schema=False,
        missing_columns="raise",
        extra_columns="raise",
        raise_if_empty=False,
    )
    # Only a quoted empty cell gives an empty string; unquoted ones are null already.
    return cells.with_columns(pl.all().replace("", None)) if b'""' in block else cells


def _settle_duplicate(cells: pl.DataFrame, first: int, again: int, headings: Sequence[Heading], file_name: str) -> str:
    """Accept a known column's second copy only when it says nothing else than the first."""
    one, other = cells[str(first)], cells[str(again)]
    name = headings[first].canonical
    if other.is_not_null().any() and (one.ne_missing(other) & other.is_not_null()).any():
        raise SourceError(
            f"{file_name}: headings {first + 1} ({headings[first].raw}) and {again + 1} ({headings[again].raw}) are both {name}, "
            "with different contents; remove or rename one and export again"
        )
    return f"headings {first + 1} and {again + 1} are both {name} and say the same; the first is used"


def _scan_warnings(scan: Scan, decoded: Decoded) -> list[str]:
    warnings = []
    if not scan.has_final_newline and not decoded.is_cut:
        warnings.append("the file does not end with a line end: its last cell may be cut off; its last row is kept when no cell is missing")
    if scan.backslash_quotes:
        warnings.append(f'{scan.backslash_quotes} rows hold a backslash before a quote (\\"); they were read as CSV defines it')
    if scan.bad_lines and not scan.rows:
        warnings.append("no row could be read: every one is in the quarantine with its reason")
    if scan.blank_rows:
        warnings.append(f"{scan.blank_rows} blank rows are excluded")
    return warnings


def fills(frame: pl.DataFrame) -> dict[str, int]:
    """Count the cells that are not null in each column."""
    counts = frame.select(pl.all().count())
    return dict(zip(counts.columns, counts.row(0), strict=True)) if counts.height else {}
