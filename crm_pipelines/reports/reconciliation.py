"""The reconciliation of an engagement as files: HTML to read, JSON for machines.

Belongs here: writing what was counted. Not here: counting (phases.accounts, phases.reconcile), tables for a terminal
(reports.terminal), queues (reports.queues).

Shape of the account: engagement, route, pass, `files` (file, object, phase, physical_rows, buckets, adds_up), `phases` (phase,
wanted, records by state, destination_count, money, gate, reasons), `queues` (queue, reason, object, rows), `columns` (object,
heading, state, why, files, filled), `budget`, `prediction` (phases.predicted.Comparison, or None before there is one).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from crm_pipelines.phases.files import write_bytes
from crm_pipelines.reports.reasons import next_step, sentence

HOURS_FROM_MINUTES = 120


def write_reconciliation(account: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Write reconciliation.json and reconciliation.html, and a copy of both that later passes leave alone; return where they lie."""
    text = json.dumps(account, indent=2, ensure_ascii=False, default=str) + "\n"
    page = as_html(account)
    kept = folder / "passes" / f"{account['pass']:04}"
    pages = {"json": text.encode(), "html": page.encode()}
    for kind, content in pages.items():
        write_bytes(kept.with_suffix(f".{kind}"), content)
    return {kind: write_bytes(folder / f"reconciliation.{kind}", content) for kind, content in pages.items()}


def as_html(account: Mapping[str, Any]) -> str:
    """Return the account as one self-contained page."""
    environment = Environment(
        loader=PackageLoader("crm_pipelines.reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(duration=duration, number=number, money=money, sentence=sentence, next_step=next_step)
    page = environment.get_template("reconciliation.html.j2")
    foreseen = (account.get("prediction") or {"phases": []})["phases"]
    return page.render(
        account=account,
        buckets=columns_of(row["buckets"] for row in account["files"]),
        states=columns_of(phase["records"] for phase in account["phases"]),
        foreseen_states=columns_of(counts for one in foreseen for counts in (one["predicted"], one["actual"])),
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    )


def columns_of(counts: Iterable[Mapping[str, int]]) -> list[str]:
    """Return the names that have a count anywhere, in the order of their life: done, set aside, open."""
    order = (
        *("created", "updated", "unchanged", "merged", "folded", "excluded"),
        *("quarantined", "waiting", "refused", "pending", "unknown"),
    )
    present = {name for one in counts for name, count in one.items() if count}
    return [name for name in order if name in present] + sorted(present - set(order))


def number(value: int | None) -> str:
    """Return a count with thin groups, or a dash where there is none."""
    return "–" if value is None else f"{value:,}"


def money(value: str) -> str:
    """Return a sum with two decimals and grouped thousands; more decimals only where they say something."""
    exact = Decimal(value)
    places = max(2, -int(exact.normalize().as_tuple().exponent))
    return f"{exact:,.{places}f}"


def duration(seconds: float) -> str:
    """Return a time as a person would say it: minutes, and hours once there are two of them."""
    minutes = math.ceil(seconds / 60)
    if minutes >= HOURS_FROM_MINUTES:
        return f"{minutes / 60:,.1f} hours"
    return "a minute or less" if seconds <= 60 else f"{minutes} minutes"
