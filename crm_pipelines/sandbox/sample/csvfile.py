"""One export file: rows, the quirks of the file itself, and its bytes.

Belongs here: CSV text, encodings, file names with their uniqid, where each row stands. Not here: which columns an
object has (columns), what a row means (world).
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

FILE_MODE = 0o600  # exports hold personal data


@dataclass(frozen=True)
class Line:
    """One physical row: cells or raw text, and either whose fate it shares or the bucket it ends in by itself."""

    cells: tuple[str, ...] = ()
    raw: str | None = None
    owner: Hashable = None
    bucket: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Style:
    """How a file is written."""

    encoding: str = "utf-8"
    delimiter: str = ","
    newline: str = "\n"


@dataclass(frozen=True)
class Placed:
    """A quarantined row and the lines of the file it spans, counted from 1."""

    first_line: int
    last_line: int
    reason: str


@dataclass
class ExportFile:
    """One CSV file before it is written."""

    object: str
    exported: datetime
    header: tuple[str, ...]
    stem: str = ""
    style: Style = field(default_factory=Style)
    lines: list[Line] = field(default_factory=list)
    is_cut: bool = False  # the last row ends without a line end

    def name(self, timezone: str) -> str:
        """Return the name Kartra gives: day first in the account's zone, then PHP's uniqid of the instant."""
        local = self.exported.replace(tzinfo=ZoneInfo(timezone))
        seconds = int(local.astimezone(UTC).timestamp())
        micros = (seconds * 7919) % 1_000_000
        return f"{self.stem or self.object}_kartra_{local:%d-%m-%Y}_{seconds:08x}{micros:05x}.csv"

    def text(self) -> str:
        """Return the file's text before encoding."""
        return "".join([self._heading(), *self._records()])

    def quarantined(self) -> list[Placed]:
        """Return where the rows stand that cannot be read."""
        found, line = [], 1 + self._heading().count("\n")
        for record, planned in zip(self._records(), self.lines, strict=True):
            height = max(1, record.count("\n") + (not record.endswith("\n")))
            if planned.reason is not None and planned.bucket == "quarantined":
                found.append(Placed(line, line + height - 1, planned.reason))
            line += height
        return found

    def _heading(self) -> str:
        return _joined(self.header, self.style)

    def _records(self) -> list[str]:
        records = [_joined(line.cells, self.style) if line.raw is None else line.raw + self.style.newline for line in self.lines]
        if self.is_cut and records:
            records[-1] = records[-1].removesuffix(self.style.newline)
        return records


def _joined(cells: Sequence[str], style: Style) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=style.delimiter, lineterminator=style.newline).writerow(cells)
    return out.getvalue()


def write(file: ExportFile, folder: Path, timezone: str, age_s: int) -> Path:
    """Write the file with mode 0600 and a modification time that says nothing about its export."""
    path = folder / file.name(timezone)
    data = file.text().encode(file.style.encoding)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "wb") as handle:
        handle.write(data)
    path.chmod(FILE_MODE)
    moment = path.stat().st_mtime - age_s
    os.utime(path, (moment, moment))
    return path


def fits(file: ExportFile, encoding: str) -> bool:
    """Return whether every character of the file exists in the encoding."""
    try:
        file.text().encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
