"""The loaded sample for a client to check: source, map and destination side by side, as a page and as a table.

Belongs here: how it looks. Not here: what stands side by side (phases.beside). Both files hold people's data: mode 0600.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from crm_pipelines.discovery.grades import Count
from crm_pipelines.phases import files
from crm_pipelines.phases.beside import Line, Page, Shown
from crm_pipelines.reports.reasons import sentence
from crm_pipelines.reports.scope_words import upper_first
from crm_pipelines.reports.sheets_text import to_csv

COLUMNS = ("page", "phase", "key", "id in the CRM", "field", "in the export", "the map makes", "the CRM holds", "compared")
WORDS = {
    "same": "same",
    "more": "same, among others",
    "markup": "same text, in the CRM's own marks",
    "zero": "0, shown as empty",
    "differs": "differs",
    "not shown": "not given back",
}
SAME = ("same", "more", "markup", "zero")
KNOWN = {
    "markup": "{count} stored with marks of the CRM's own around the text (<span>): the text is the same, and it looks the same there",
    "zero": "{count} of 0 that the CRM gives back as empty: it does not tell 0 from empty there, and both count as nothing",
}
"""What came back in another form and is known to be harmless -> the sentence."""
FIELDS = {
    "add_time": "Added on",
    "category_id": "Tags",
    "client_order_ref": "Customer's reference",
    "comment": "Notes",
    "content": "Text",
    "date_order": "Ordered on",
    "date_closed": "Closed on",
    "date_deadline": "Expected to close on",
    "due_date": "Due on",
    "due_time": "Due at",
    "expected_close_date": "Expected to close on",
    "expected_revenue": "Amount expected",
    "label_ids": "Labels",
    "lost_reason": "Reason for the loss",
    "lost_time": "Lost on",
    "marketing_status": "Mailing status",
    "org_id": "Company",
    "owner_id": "Owner",
    "parent_id": "Company",
    "partner_id": "Contact",
    "person_id": "Contact",
    "ref": "Reference",
    "user_id": "Owner",
    "won_time": "Won on",
}
"""Fields whose own name tells a client little -> what a client calls them."""
STANDING = {"waiting": "waits", "refused": "the CRM refused it", "pending": "not sent yet", "unknown": "sent, without an answer yet"}
"""Where a record stands that is not in the CRM."""


def write_side_by_side(pages: Sequence[Page], engagement: str, seal_no: int, folder: Path) -> dict[str, Path]:
    """Write sample.html and sample.csv; return where they lie."""
    page = as_page(pages, engagement, seal_no)
    return {
        "html": files.write_bytes(folder / "sample.html", page.encode()),
        "csv": files.write_bytes(folder / "sample.csv", as_table(pages).encode("utf-8-sig")),
    }


def as_page(pages: Sequence[Page], engagement: str, seal_no: int) -> str:
    """Return one self-contained page: a list of the records, then each with what hangs on it."""
    environment = Environment(
        loader=PackageLoader("crm_pipelines.reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    records = {(shown.phase, shown.key): shown for page in pages for shown in (page.main, *page.related)}
    absent = [shown for shown in records.values() if shown.standing]
    lines = [line for page in pages for shown in (page.main, *page.related) if not shown.standing for line in shown.lines]
    return environment.get_template("sample.html.j2").render(
        pages=pages,
        engagement=engagement,
        seal_no=seal_no,
        words=WORDS,
        same=SAME,
        known=_known(lines),
        field_name=field_name,
        standing=standing,
        absent=len(absent),
        waiting=sum(shown.standing == "waiting" for shown in absent),
        compared=len(lines),
        differing=sum(line.state == "differs" for line in lines),
        unseen=sum(line.state == "not shown" for line in lines),
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    )


def field_name(name: str) -> str:
    """Return what a client calls a field: `Added on`; one word gets a capital, every other name stays as it is."""
    return FIELDS.get(name) or (upper_first(name) if name.isalpha() else name)


def _known(lines: Sequence[Line]) -> list[str]:
    """Return a sentence for each kind of difference that is known and harmless."""
    counts = {state: sum(line.state == state for line in lines) for state in KNOWN}
    return [KNOWN[state].format(count=f"{Count(count):field}") for state, count in counts.items() if count]


def standing(shown: Shown) -> str:
    """Return where a record stands that is not in the CRM, and why: `waits: ...`; empty for one that is there."""
    if not shown.standing:
        return ""
    word = STANDING.get(shown.standing, "not there")
    return f"{word}: {sentence(shown.reason)}" if shown.reason else word


def _compared(shown: Shown, line: Line) -> str:
    return standing(shown) or WORDS[line.state]


def as_table(pages: Sequence[Page]) -> str:
    """Return a line per field of every record, safe to open in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, page in enumerate(pages, 1):
        for shown in (page.main, *page.related):
            for line in shown.lines:
                source = "; ".join(f"{heading}: {text}" for heading, text in line.source)
                cells = (
                    shown.phase,
                    shown.key,
                    shown.destination_id,
                    field_name(line.field),
                    source,
                    line.made,
                    line.there,
                    _compared(shown, line),
                )
                writer.writerow([number, *(to_csv(cell) for cell in cells)])
    return out.getvalue()
