"""Queues in a terminal: what waits, and what became of answers.

Belongs here: tables and sentences. Not here: the files that people work (reports.queues), other tables (reports.terminal).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from crm_pipelines.phases.reconcile import sheet_row

TAKEN = {
    "owners": ("owner whose records go to somebody else", "owners whose records go to somebody else"),
    "invited": ("owner who was invited", "owners who were invited"),
    "words": ("word explained", "words explained"),
    "same": ("pair that is one record", "pairs that are one record"),
    "different": ("pair that only looks alike", "pairs that only look alike"),
    "rows": ("row corrected", "rows corrected"),
    "left_behind": ("row left behind", "rows left behind"),
    "conflicts": ("field in conflict settled", "fields in conflict settled"),
}
"""Kind of answer -> how one of it is said, and several."""


def queue_table(queues: Sequence[Mapping[str, Any]]) -> Table:
    """Return one line per queue and reason, with what waits on it."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("queue", "why", "export"):
        table.add_column(name)
    for name in ("rows", "records", "money"):
        table.add_column(name, justify="right")
    table.add_column("what to do")
    for one in queues:
        counts = (f"{one['rows']:,}", f"{one['records']:,}", one["money"])
        table.add_row(one["queue"], one["why"], one["object"], *counts, one["what_to_do"])
    return table


def rows_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return waiting rows one by one; holds source keys."""
    table = Table(box=box.SIMPLE_HEAD)
    names = ("queue", "reason", "object", "file", "row", "key")
    for name in names:
        table.add_column(name if name != "row" else "spreadsheet row")
    for row in rows:
        shown = {**row, "row": sheet_row(row["row"])}
        table.add_row(*(str(shown[name] if shown[name] is not None else "") for name in names))
    return table


def taken_lines(engagement: str, told: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was taken, what was not, what it changed, and what to do next."""
    counts = [f"{count:,} {TAKEN[kind][count != 1]}" for kind, count in told["taken"].items() if count]
    yield f"Taken: {', '.join(counts)}." if counts else "No answers: nothing was changed."
    if told["unanswered"]:
        rows, go = ("row", "it goes") if told["unanswered"] == 1 else ("rows", "they go")
        yield f"{told['unanswered']:,} {rows} came back without an answer; {go} on waiting."
    yield from (f"  {line}" for line in told["skipped"])
    yield from (f"  {line}" for line in told["changes"])
    if told["seal_no"] is not None:
        yield f"Confirmed with the answers as seal {told['seal_no']}."
    if told["to_confirm"]:
        yield "Changed beside the answers, so that somebody has to confirm it before anything is sent:"
        yield from (f"  {line}" for line in told["to_confirm"])
        yield f"Look at it, then: crm confirm {engagement} --by NAME --sample 50"
    elif counts:
        yield f"Nothing was sent yet. Next: crm run {engagement}"
