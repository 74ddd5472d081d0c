r"""Look at every record before a frame is made: polars pads short rows and loses backslash-escaped quotes without a word.

Belongs here: lines, records, and which of them cannot be trusted. Not here: headings (headings), the frame
(csv_export), the second count of rows (rowcount, which shares no code with this).

The rules: a record ends at a line end outside quotes; \n, \r\n and a lone \r are line ends. Records of empty cells are
blank. A last line without a line end is kept, with a warning, when it has all its cells; a short one is quarantined.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from crm_pipelines.sources.base import BadLine
from crm_pipelines.sources.quarantine import sentence_for

FIELD_SIZE_LIMIT = 2**31 - 1  # notes run past the csv module's 131,072 characters; a C long may be 32 bits
BLOCK_ROWS = 10_000  # of 45 columns: 4 MB of text at a time
DAMAGED = "\ufffd"
LINE_ENDS = ("\n", "\r")


@dataclass
class Scan:
    """What a pre-scan found. `blocks` are the good records with line feeds between them, ready for polars."""

    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    bad_lines: list[BadLine] = field(default_factory=list)
    blank_rows: int = 0
    backslash_quotes: int = 0
    has_final_newline: bool = True
    source_lines: list[str] = field(default_factory=list)

    def raw(self, position: int) -> str:
        """Return the raw text of the good record at `position`."""
        start, end = self.spans[position]
        return "".join(self.source_lines[start:end]).rstrip("\r\n")

    @property
    def blocks(self) -> Iterator[bytes]:
        """Yield the good records as UTF-8, BLOCK_ROWS at a time, each ended by a line feed; line ends within quotes stay as they are."""
        lines = self.source_lines
        for start in range(0, len(self.spans), BLOCK_ROWS):
            spans = self.spans[start : start + BLOCK_ROWS]
            records = [(lines[first] if end - first == 1 else "".join(lines[first:end])).rstrip("\r\n") + "\n" for first, end in spans]
            yield "".join(records).encode()


def split_lines(text: str) -> list[str]:
    """Split at LF, CR LF and lone CR only; str.splitlines would also split at form feeds and U+2028 within cells."""
    return list(io.StringIO(text, newline=""))


def scan_records(
    lines: list[str], start: int, delimiter: str, width: int, *, is_cut: bool = False, is_damaged: bool = False, blank_rows: int = 0
) -> Scan:
    """Check each record below the heading (which ends before line index `start`) for what would be misread.

    Shape: each record is good, bad or blank; rows count from 1, `blank_rows` blank ones above the heading included.
    """
    ends_well = not is_cut and (not lines or lines[-1].endswith(LINE_ENDS))
    scan = Scan(blank_rows=blank_rows, has_final_newline=ends_well, source_lines=lines)
    checks = _Checks.for_lines(lines, delimiter, width, is_cut=is_cut, is_damaged=is_damaged)
    for row, (first, last, fields) in enumerate(_records(lines, start, delimiter), start=blank_rows + 1):
        if fields is not None and _is_blank(fields):
            scan.blank_rows += 1
        elif (reason := _reason(fields, first, last, checks)) is None:
            scan.rows.append(row)
            scan.lines.append(first + 1)
            scan.spans.append((first, last))
        else:
            found = None if fields is None else len(fields)
            raw = "".join(lines[first:last]).rstrip("\r\n")
            scan.bad_lines.append(BadLine(first + 1, last, row, reason, sentence_for(reason, width, found), raw))
    scan.backslash_quotes = checks.backslash_quotes
    return scan


@dataclass
class _Checks:
    """Which checks the file needs at all, so that a clean file pays for none of them."""

    lines: list[str]
    width: int
    is_cut: bool
    is_damaged: bool
    ends_well: bool
    has_quotes: bool
    has_nuls: bool
    has_backslash_quotes: bool
    strict_record: re.Pattern[str]
    backslash_quotes: int = 0

    @staticmethod
    def for_lines(lines: list[str], delimiter: str, width: int, *, is_cut: bool, is_damaged: bool) -> _Checks:
        d = re.escape(delimiter)
        cell = rf'(?:"[^"]*+(?:""[^"]*+)*+"|[^"{d}\r\n]*+)'
        strict_record = re.compile(rf"{cell}(?:{d}{cell})*+[\r\n]*+")
        ends_well = not is_cut and bool(lines) and lines[-1].endswith(LINE_ENDS)
        quotes, nuls, backslashes = (any(one in line for line in lines) for one in ('"', "\0", '\\"'))
        return _Checks(lines, width, is_cut, is_damaged, ends_well, quotes, nuls, backslashes, strict_record)

    def has_backslash_quote(self, first: int, last: int) -> bool:
        """Whether a record holds a backslash before a quote."""
        return self.has_backslash_quotes and any('\\"' in line for line in self.lines[first:last])

    def is_unended(self, last: int) -> bool:
        """Whether a record is the file's last and has no line end."""
        return last == len(self.lines) and not self.ends_well


def _records(lines: list[str], start: int, delimiter: str) -> Iterator[tuple[int, int, list[str] | None]]:
    """Yield first line, line after the last, and the fields of each record; None for fields that cannot be told apart."""
    csv.field_size_limit(FIELD_SIZE_LIMIT)
    reader = csv.reader(lines[start:], delimiter=delimiter, strict=True)
    first = start
    while True:
        try:
            for fields in reader:
                last = start + reader.line_num
                yield first, last, fields
                first = last
            return
        except csv.Error:
            last = start + reader.line_num
            yield first, last, None
            first = last


def _is_blank(fields: list[str]) -> bool:
    return not (fields and fields[0].strip()) and not "".join(fields).strip()


def _reason(fields: list[str] | None, first: int, last: int, checks: _Checks) -> str | None:
    """Say why a record cannot be trusted, None when it can."""
    if fields is None:
        reason = _broken_quote(first, last, checks)
    elif checks.has_nuls and any("\0" in line for line in checks.lines[first:last]):
        reason = "nul_byte"
    elif checks.is_damaged and any(DAMAGED in line for line in checks.lines[first:last]):
        reason = "damaged_text"
    elif len(fields) != checks.width:
        reason = _wrong_width(len(fields), first, last, checks)
    elif checks.is_cut and checks.is_unended(last):
        reason = "truncated_last_row"
    else:
        return _quotes_within(fields, first, last, checks)
    return reason


def _broken_quote(first: int, last: int, checks: _Checks) -> str:
    if checks.has_backslash_quote(first, last):
        return "backslash_quote"
    is_open = "".join(checks.lines[first:last]).count('"') % 2 == 1
    return "unterminated_quote" if is_open and last == len(checks.lines) else "stray_quote"


def _wrong_width(found: int, first: int, last: int, checks: _Checks) -> str:
    if checks.has_backslash_quote(first, last):
        return "backslash_quote"
    if found > checks.width:
        return "extra_field"
    return "truncated_last_row" if checks.is_unended(last) else "short_row"


def _quotes_within(fields: list[str], first: int, last: int, checks: _Checks) -> str | None:
    """Accept a quote within a cell only where the cell is quoted and the quote doubled, as polars reads it."""
    has_backslash = checks.has_backslash_quote(first, last)
    is_quoted_badly = (
        checks.has_quotes and '"' in "".join(fields) and checks.strict_record.fullmatch("".join(checks.lines[first:last])) is None
    )
    if is_quoted_badly:
        return "backslash_quote" if has_backslash else "stray_quote"
    checks.backslash_quotes += has_backslash
    return None
