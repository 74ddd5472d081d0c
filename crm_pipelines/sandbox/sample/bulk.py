"""Very many contacts, fast: input for benchmarks, without a truth beside it.

Belongs here: a stream of ordinary rows. Not here: troubles worth testing (people) or anything but contacts.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from crm_pipelines.sandbox.sample import words
from crm_pipelines.sandbox.sample.columns import CONTACTS
from crm_pipelines.sandbox.sample.csvfile import FILE_MODE, ExportFile
from crm_pipelines.sandbox.sample.times import BASE_EXPORT
from crm_pipelines.sandbox.sample.words import FIRST, GDPR_WORDS, LAST, TAGS

BLOCK = 5_000
FIRST_ID = 10_000_001
START = datetime(2019, 1, 7, 9)  # noqa: DTZ001 - local time of the account


def generate_contacts_only(rows: int, files: int, out: Path) -> list[Path]:
    """Stream `rows` contacts over `files` CSV files in `out`; the same arguments give the same bytes.

    Shape: plain commas and UTF-8; every id and address once; names, companies and tags repeat.
    """
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    header = (",".join(CONTACTS) + "\n").encode()
    sizes = [rows // files + (number < rows % files) for number in range(files)]
    paths, start = [], 0
    for number, size in enumerate(sizes):
        path = out / ExportFile("contacts", BASE_EXPORT + timedelta(seconds=number * 61), CONTACTS).name("America/New_York")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "wb") as handle:
            handle.write(header)
            for first in range(start, start + size, BLOCK):
                last = min(first + BLOCK, start + size)
                handle.write("".join([_row(row) for row in range(first, last)]).encode())
        paths.append(path)
        start += size
    return paths


def _row(row: int) -> str:
    """Return one line; every value follows from the row's number."""
    first, last = FIRST[row % len(FIRST)], LAST[(row // 7) % len(LAST)]
    company = f"{words.COMPANY_FIRST[row % 20]} {words.COMPANY_SECOND[(row // 20) % 16]} {row % 9973}" if row % 3 else ""
    joined = START + timedelta(minutes=row % 3_800_000 // 1440 * 1440)
    tags = f'"{TAGS[row % 10]}, {TAGS[12 + row % 13]}"' if row % 4 else ""
    consent = GDPR_WORDS[row % 6]
    return (
        f"{FIRST_ID + row},{first.lower()}.{row}@example.com,{first},,{last},,+1,415-555-01{row % 100:02d},{company},"
        f"{row % 900} Main St,Austin,TX,78701,United States,,,,,,,,,198.51.100.4,United States,America/New_York,"
        f"{joined:%Y-%m-%d %H:%M:%S},checkout,,0,{row % 150},Subscribed,0,{consent},"
        f"0000-00-00 00:00:00,,1,{tags},Newsletter,,ana@agency.example.com\n"
    )
