"""Lines that could not be read: why, in a sentence, and the files a person gets to see.

Belongs here: reason codes and the quarantine's two files (JSON lines for machines, CSV for people). Not here: finding
the lines (prescan, typed), rows that wait in a queue (phases).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import orjson

from crm_pipelines.sources.base import BadLine

REASONS = {
    "short_row": "The row has {found} cells, the heading {width}; cells are missing.",
    "extra_field": "The row has {found} cells, the heading {width}; an unquoted delimiter within a cell is the usual cause.",
    "truncated_last_row": "The file ends in the middle of this row: the download was cut off. Export the file again.",
    "unterminated_quote": "A quoted cell opens in this row and never closes; everything down to the end of the file is inside it.",
    "stray_quote": "A quote stands where none may be (inside an unquoted cell, or after a closing quote).",
    "backslash_quote": 'Quotes are escaped with a backslash (\\"), which CSV does not know; where cells end cannot be told.',
    "nul_byte": "The row holds a NUL byte; its text is damaged.",
    "damaged_text": "The row holds bytes that are no text in the file's encoding; they are shown as U+FFFD.",
    "missing_key": "The cell that identifies the row ({key}) is empty.",
    "bad_key": "The cell that identifies the row ({key}) does not hold what it should.",
}
CSV_COLUMNS = ("file", "row", "first_line", "last_line", "reason", "sentence", "raw")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def sentence_for(reason: str, width: int = 0, found: int | None = None, key: str = "") -> str:
    """Return the sentence of a reason with the counts that belong to it."""
    return REASONS[reason].format(width=width, found=found, key=key)


def as_json_lines(file_name: str, bad_lines: Sequence[BadLine]) -> bytes:
    """Write one JSON object per bad line, raw text untouched."""
    return b"".join(orjson.dumps({"file": file_name, **_values(bad)}) + b"\n" for bad in bad_lines)


def as_csv(file_name: str, bad_lines: Sequence[BadLine]) -> bytes:
    """Write the bad lines for a spreadsheet; text that a spreadsheet would run as a formula gets a quote in front."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for bad in bad_lines:
        values = {"file": file_name, **_values(bad)}
        writer.writerow([_guarded(values[name]) for name in CSV_COLUMNS])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def _values(bad: BadLine) -> dict[str, object]:
    return {
        "row": bad.row,
        "first_line": bad.first_line,
        "last_line": bad.last_line,
        "reason": bad.reason,
        "sentence": bad.sentence,
        "raw": bad.raw,
    }


def _guarded(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
