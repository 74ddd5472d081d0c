"""Count the physical rows of a file, apart from the reader: the second way to the number that every account starts from.

Belongs here: its own decoding, its own delimiter, its own quote state machine. It imports nothing from the reader and
the reader imports nothing from here, so that one mistake cannot hide in both. Not here: what the rows hold.

The rule: a row is a record outside quotes, the heading (first record that is not blank) and a `sep=` line left out.
A quoted field that is followed by something else than a delimiter or line end is broken; its row ends with that line.
A quote that is never closed makes the rest of the file one row. A row of empty cells is blank.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

DELIMITERS = ",;\t|"
HEAD = 4096
WINDOW = 1 << 20
"""Characters that are read at a time: a file may be larger than the memory."""
SEP_LINE = re.compile(r"sep=([^\r\n])[ \t]*(?:\r\n|\r|\n)", re.IGNORECASE)


@dataclass(frozen=True)
class PhysicalCount:
    """How many rows a file has below its heading, and how many of these are blank."""

    rows: int
    blank: int


def count_physical_rows(path: Path, encoding: str | None = None) -> PhysicalCount:
    """Count the rows of the file at `path`, blank ones included, the heading left out."""
    with _open(path, encoding) as file:
        window = _Window(file)
        window.text = window.text.lstrip("\ufeff")
        start = 0
        delimiter = None
        if found := SEP_LINE.match(window.text):
            start, delimiter = found.end(), found.group(1)
        return _count(window, start, delimiter or _most_frequent(window.text, start))


def each_row(path: Path, encoding: str | None = None) -> tuple[str, Iterator[tuple[int | None, str]]]:
    """Return the delimiter, and the text of every row with its number; the heading has none.

    Units: rows count from 1 without the heading, blank ones included, as `count_physical_rows` counts them.
    """
    with _open(path, encoding) as file:
        text = file.read().lstrip("\ufeff")
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


def _open(path: Path, encoding: str | None) -> TextIO:
    return path.open(encoding=_encoding(path, encoding), errors="replace", newline="")


def _encoding(path: Path, encoding: str | None) -> str:
    """Name the encoding of a file; the structure is ASCII, so Latin-1 serves where it is not UTF-8."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        named = _by_head(head, encoding)
        if named is not None:
            return named
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while head:
                decoder.decode(head)
                head = file.read(WINDOW)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "latin-1"
    return "utf-8"


def _by_head(head: bytes, encoding: str | None) -> str | None:
    """Name the encoding by mark, declaration or pattern of NUL bytes; None where the bytes have to be tried."""
    if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "utf-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if encoding is not None and not head.startswith(b"\xef\xbb\xbf"):
        return encoding
    if head.count(0) * 5 >= len(head) > 0:
        return "utf-16-le" if head[0::2].count(0) < head[1::2].count(0) else "utf-16-be"
    return None


def _most_frequent(text: str, start: int) -> str:
    """Take the delimiter that the first line with text holds most often."""
    found = re.compile(r"\s*([^\r\n]+)").match(text, start)
    line = found.group(1) if found else ""
    return max(DELIMITERS, key=line.count)


class _Window:
    """A piece of a text that moves on: a row that ends before the piece does is as it is in the whole."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.text = file.read(WINDOW)
        self.is_all = False

    def beyond(self, position: int) -> None:
        """Drop what stands before `position`, and read on: as much again as is kept, so that one endless row is not read over and over."""
        kept = self.text[position:]
        more = self._file.read(max(WINDOW, len(kept)))
        self.text, self.is_all = kept + more, not more


def _count(window: _Window, start: int, delimiter: str) -> PhysicalCount:
    row, blank_row = _row_pattern(delimiter), _blank_pattern(delimiter)
    records = blanks = 0
    text, position = window.text, start
    while position < len(text) or not window.is_all:
        end = row.match(text, position).end()  # type: ignore[union-attr]  # the pattern matches the empty string
        if end == len(text) and not window.is_all:
            window.beyond(position)
            text, position = window.text, 0
            continue
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
