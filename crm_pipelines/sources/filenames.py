"""What the name of an export tells: the object it holds and the moment it was made.

Belongs here: names only. Not here: file contents (csv_export) or a file's mtime, which is never asked: it is the time
of a copy or a download.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import PurePath
from zoneinfo import ZoneInfo

from crm_pipelines.sources.base import SourceObject

# Suffixes that an export may carry by mistake are claimed too, so that reading says what is wrong with the file.
EXPORT_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".xls", ".xlsx", ".htm", ".html", ".zip"})

# PHP uniqid(): 8 hex digits of Unix seconds, 5 of microseconds (php.net/manual/en/function.uniqid, read 2026-11).
UNIQID = re.compile(r"(?<![0-9a-z])([0-9a-f]{8})([0-9a-f]{5})(?![0-9a-z])", re.IGNORECASE)
DAY_FIRST = re.compile(r"(?<!\d)(\d{2})-(\d{2})-(\d{4})(?!\d)")
YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
PLAUSIBLE_YEARS = range(2005, 2101)


def match_object(file_name: str, objects: Iterable[SourceObject]) -> str | None:
    """Return the object whose patterns the name fits, None when there is none."""
    path = PurePath(file_name)
    if path.suffix.lower() not in EXPORT_SUFFIXES or path.name.startswith((".", "~")):
        return None
    stem = path.stem.lower()
    return next((one.name for one in objects if any(fnmatch(stem, pattern) for pattern in one.file_patterns)), None)


def uniqid_time(file_name: str) -> datetime | None:
    """Decode the moment in a PHP uniqid within the name (UTC), None when there is none that makes sense."""
    for seconds, micros in UNIQID.findall(file_name):
        moment = datetime.fromtimestamp(int(seconds, 16), UTC).replace(microsecond=min(int(micros, 16), 999_999))
        if moment.year in PLAUSIBLE_YEARS:
            return moment
    return None


def dated_name(file_name: str, zone: str) -> datetime | None:
    """Return the midnight in `zone` (as UTC) that a dd-mm-yyyy or yyyy-mm-dd date in the name stands for."""
    if found := YEAR_FIRST.search(file_name):
        year, month, day = (int(part) for part in found.groups())
    elif found := DAY_FIRST.search(file_name):
        day, month, year = (int(part) for part in found.groups())
    else:
        return None
    try:
        return datetime(year, month, day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except ValueError:
        return None
