"""Read sample files without any of the code that wrote them: the tests' own eyes.

Belongs here: a physical row counter, rows by heading, quoting by a state machine. Not here: assertions.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

csv.field_size_limit(10_000_000)


def truth_of(path: Path) -> dict[str, Any]:
    found = orjson.loads(path.read_bytes())
    assert isinstance(found, dict)
    return found


def text_of(path: Path) -> str:
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def count_rows(text: str) -> int:
    """Count records below the heading by walking over every character."""
    records, is_quoted, has_content = 0, False, False
    for char in text:
        if char == '"':
            is_quoted = not is_quoted
        if char == "\n" and not is_quoted:
            records += 1
            has_content = False
        elif char != "\r":
            has_content = True
    return records + has_content - 1


def delimiter_of(text: str) -> str:
    heading = text.split("\n", 1)[0]
    return max(",;", key=heading.count)


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows that have all their cells."""
    text = text_of(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    heading = next(reader)
    for cells in reader:
        if len(cells) == len(heading):
            yield dict(zip(heading, cells, strict=True))


def files_of(folder: Path, *stems: str) -> list[Path]:
    return sorted(path for path in folder.glob("*.csv") if path.name.startswith(stems))


def contact_rows(folder: Path) -> list[dict[str, str]]:
    return [row for path in files_of(folder, "contacts", "leads") for row in rows_of(path)]
