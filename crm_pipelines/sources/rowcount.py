"""Count the physical rows of a file, apart from the reader: the second way to the number that every account starts from.

Belongs here: its own decoding, its own delimiter, its own quote state machine. It imports nothing from the reader and
the reader imports nothing from here, so that one mistake cannot hide in both. Not here: what the rows hold.

The rule: a row is a record outside quotes, the heading (first record that is not blank) and a `sep=` line left out.
A quoted field that is followed by something else than a delimiter or line end is broken; its row ends with that line.
A quote that is never closed makes the rest of the file one row. A row of empty cells is blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DELIMITERS = ",;\t|"
SEP_LINE = re.compile(r"sep=([^\r\n])[ \t]*(?:\r\n|\r|\n)", re.IGNORECASE)


@dataclass(frozen=True)
class PhysicalCount:
    """How many rows a file has below its heading, and how many of these are blank."""

    rows: int
    blank: int


def count_physical_rows(path: Path, encoding: str | None = None) -> PhysicalCount:
    """Count the rows of the file at `path`, blank ones included, the heading left out."""
    text = _decode(path.read_bytes(), encoding).lstrip("\ufeff")
    start = 0
    delimiter = None
    if found := SEP_LINE.match(text):
        start, delimiter = found.end(), found.group(1)
    return _count(text, start, delimiter or _most_frequent(text, start))


def each_row(path: Path, encoding: str | None = None) -> tuple[str, Iterator[tuple[int | None, str]]]:
    """Return the delimiter, and the text of every row with its number; the heading has none.

    Units: rows count from 1 without the heading, blank ones included, as `count_physical_rows` counts them.
    """
    text = _decode(path.read_bytes(), encoding).lstrip("\ufeff")
    start = 0
    delimiter = None
    if found := SEP_LINE.match(text):
        start, delimiter = found.end(), found.group(1)
    chosen = delimiter or _most_frequent(text, start)
    return chosen, _numbered(text, start, chosen)


def _numbered(text: str, position: int, delimiter: str) -> Iterator[tuple[int | None, str]]:
    row, blank_row = _row_pattern(delimiter), _blank_pattern(delimiter)
    number, is_below = 0, False
    while position < len(text):
        end = row.match(text, position).end()  # type: ignore[union-attr]  # the pattern matches the empty string
        if is_below or blank_row.fullmatch(text, position, end):
            number += 1
            yield number, text[position:end]
        else:
            is_below = True
            yield None, text[position:end]
        position = end


def _decode(data: bytes, encoding: str | None) -> str:
    """Decode by mark, declaration or pattern of NUL bytes; the structure is ASCII, so Latin-1 serves for the rest."""
    if data.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return data.decode("utf-32", errors="replace")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if encoding is not None and not data.startswith(b"\xef\xbb\xbf"):
        return data.decode(encoding, errors="replace")
    head = data[:4096]
    if head.count(0) * 5 >= len(head) > 0:
        return data.decode("utf-16-le" if head[0::2].count(0) < head[1::2].count(0) else "utf-16-be", errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _most_frequent(text: str, start: int) -> str:
    """Take the delimiter that the first line with text holds most often."""
    found = re.compile(r"\s*([^\r\n]+)").match(text, start)
    line = found.group(1) if found else ""
    return max(DELIMITERS, key=line.count)


def _count(text: str, start: int, delimiter: str) -> PhysicalCount:
    row, blank_row = _row_pattern(delimiter), _blank_pattern(delimiter)
    records = blanks = 0
    position = start
    while position < len(text):
        end = row.match(text, position).end()  # type: ignore[union-attr]  # the pattern matches the empty string
        if not text[position].isalnum():
            blanks += blank_row.fullmatch(text, position, end) is not None
        records += 1
        position = end
    has_heading = records > blanks
    return PhysicalCount(records - has_heading, blanks)


def _row_pattern(delimiter: str) -> re.Pattern[str]:
    """Match one row with its line end: fields between delimiters, or a broken or unclosed quote and what it takes."""
    d = re.escape(delimiter)
    opened = r'"[^"]*+(?:""[^"]*+)*+'
    field = rf'(?:{opened}"(?=[{d}\r\n]|\Z)|(?!")[^{d}\r\n]*+)'
    end = r"(?:\r\n|\r|\n|\Z)"
    broken = rf'{opened}(?:"[^\r\n]*+{end}|\Z)'
    return re.compile(rf"(?:{field}{d})*+(?:{field}{end}|{broken})")


def _blank_pattern(delimiter: str) -> re.Pattern[str]:
    """Match a row whose fields hold nothing but white space."""
    d = re.escape(delimiter)
    field = rf'(?:"\s*+"|[^\S{d}\r\n]*+)'
    return re.compile(rf"{field}(?:{d}{field})*+(?:\r\n|\r|\n|\Z)")
