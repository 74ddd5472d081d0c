"""The reconciliation of an engagement as files: HTML to read and print, JSON for machines.

Belongs here: writing what was counted. Not here: counting (phases.accounts, phases.reconcile), what the page says (reconciliation_facts),
tables for a terminal (reports.terminal), queues (reports.queues).

Shape of the account: engagement, route, pass, `files` (file, object, phase, physical_rows, buckets, adds_up), `phases` (phase,
wanted, records by state, destination_count, money, gate, reasons), `queues` (queue, reason, object, rows), `columns` (object,
heading, state, why, files, filled, values), `set_aside`, `budget`, `prediction` (phases.predicted.Comparison, or None before there is
one), and what explains them (defs.explained).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from crm_pipelines.phases.files import write_bytes
from crm_pipelines.reports import reconciliation_cost as cost
from crm_pipelines.reports import reconciliation_facts as facts
from crm_pipelines.reports.figures import money, number
from crm_pipelines.reports.reasons import next_step, sentence
from crm_pipelines.reports.reconciliation_money import bridges, without_amount
from crm_pipelines.reports.reconciliation_words import TERMS, TOKENS_ARE, in_order, records_of, state_words, systems
from crm_pipelines.reports.scope_words import day, plain, title, upper_first

PASSES = "passes"


def write_reconciliation(account: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Write reconciliation.json and reconciliation.html, and a copy of both that later passes leave alone; return where they lie.

    The page tells of the other passes that lie there, and links to them.
    """
    text = json.dumps(account, indent=2, ensure_ascii=False, default=str) + "\n"
    others = other_passes(folder, account["pass"])
    kept = folder / PASSES / f"{account['pass']:04}"
    write_bytes(kept.with_suffix(".json"), text.encode())
    write_bytes(kept.with_suffix(".html"), as_html(account, others, beside="").encode())
    pages = {"json": text.encode(), "html": as_html(account, others).encode()}
    return {kind: write_bytes(folder / f"reconciliation.{kind}", content) for kind, content in pages.items()}


def other_passes(folder: Path, number_of_this: int) -> list[dict[str, Any]]:
    """Return the accounts of the other passes that were written, oldest first."""
    found = [json.loads(path.read_text("utf-8")) for path in sorted((folder / PASSES).glob("*.json"))]
    return [one for one in found if one["pass"] != number_of_this]


def as_html(account: Mapping[str, Any], others: Sequence[Mapping[str, Any]] = (), *, beside: str = f"{PASSES}/") -> str:
    """Return the account as one self-contained page; `beside` leads from it to the pages of the other passes."""
    environment = Environment(
        loader=PackageLoader("crm_pipelines.reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=number, money=money, sentence=sentence, next_step=next_step, plain=plain, title=title, day=day)
    environment.filters.update(records_of=records_of, state_words=state_words, decided_by=facts.decided_by, upper_first=upper_first)
    source, destination = systems(account)
    headline, css = facts.headline(account)
    return environment.get_template("reconciliation.html.j2").render(
        account=account,
        facts=facts,
        source=source,
        destination=destination,
        headline=headline,
        headline_css=css,
        needs=facts.needs(account),
        needs_count=facts.needs_count(account),
        bridges=bridges(account),
        without_amount=without_amount(account),
        cost_lines=cost.cost_lines(account),
        why_beyond=cost.why_beyond(account),
        cost_parts=cost.cost_parts(account),
        passes=cost.pass_lines(account, others),
        beside=beside,
        terms=_terms(account),
        written=f"{datetime.now(UTC):%d %b %Y, %H:%M} UTC".lstrip("0"),
    )


def columns_of(counts: Iterable[Mapping[str, int]]) -> list[str]:
    """Return the names that have a count anywhere, in the order of their life: done, set aside, open."""
    present = {name: 1 for one in counts for name, count in one.items() if count}
    return in_order(present)


def _terms(account: Mapping[str, Any]) -> dict[str, str]:
    return {**TERMS, **({"token": TOKENS_ARE} if account["budget"]["unit"] == cost.TOKENS else {})}
