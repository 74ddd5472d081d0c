"""Export files read with nothing but Python's own csv module: the second way to every figure about them.

Belongs here: raw cells by object. Not here: the product's reader, which these figures are held against.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RawFile:
    """One file: its headings, and its rows of as many cells as there are headings (the others are broken)."""

    name: str
    headings: list[str]
    rows: list[list[str]]
    blank: int
    broken: int

    def cells(self, heading: str) -> list[str]:
        """Return one column."""
        place = self.headings.index(heading)
        return [row[place] for row in self.rows]


def read(path: Path) -> RawFile:
    """Read a file of the sample: its encoding and delimiter are found by trying."""
    text = _decoded(path.read_bytes())
    first = text.splitlines()[0]
    delimiter = max(",;\t|", key=first.count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    headings, body = rows[0], rows[1:]
    filled = [row for row in body if "".join(row).strip()]
    whole = [row for row in filled if len(row) == len(headings)]
    return RawFile(path.name, headings, whole, len(body) - len(filled), len(filled) - len(whole))


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise AssertionError("no encoding fits")
