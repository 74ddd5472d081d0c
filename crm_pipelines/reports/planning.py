"""A plan on a screen: what a load will come to, per phase and per file, and what that costs.

Belongs here: how a plan looks in a terminal. Not here: the figures (phases.predict, phases.plan), the account of what came
(reports.terminal).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from crm_pipelines.reports.reasons import sentence
from crm_pipelines.reports.reconciliation import columns_of
from crm_pipelines.reports.terminal import cost_table, forecast_table


def show_plan(console: Console, told: Mapping[str, Any]) -> None:
    """Print records by bucket per phase and file, source rows by bucket, why some wait, calls, tokens and days."""
    foreseen = told["prediction"]
    for line in told["withdrawn"]:
        console.print(line, style="yellow", markup=False, soft_wrap=True)
    console.print(records_table(foreseen))
    console.print(rows_table(foreseen))
    for phase in foreseen["phases"]:
        for wait in phase["waits"]:
            queue = f" in queue {wait['queue']}" if wait["queue"] else ""
            console.print(f"{phase['phase']}: {wait['records']:,}{queue}: {sentence(wait['reason'])}", highlight=False, markup=False)
    for gate in foreseen.get("gates", ()):
        console.print(f"{gate['told']} What comes after it has no day yet.", style="bold yellow", markup=False, soft_wrap=True)
    console.print(forecast_table(told["forecast"]))
    console.print(cost_table(told["forecast"]))
    if told["forecast"].get("sample_tokens"):
        console.print(f"Looking at a sample first adds about {told['forecast']['sample_tokens']:,} tokens.", highlight=False)
    if left := told["undecided"]["told"]:
        console.print(f"Not decided: {left}", style="yellow", markup=False, soft_wrap=True)
    console.print(told["confirmation"], markup=False, soft_wrap=True)


def records_table(foreseen: Mapping[str, Any]) -> Table:
    """Return wanted records by the state they will have, per phase and within it per file that contributes to them."""
    states = columns_of(phase["records"] for phase in foreseen["phases"])
    has_tokens = any(phase["tokens"] for phase in foreseen["phases"])
    has_days = any(phase["done_on"] for phase in foreseen["phases"])
    table = Table(box=box.SIMPLE_HEAD, title="Records that a load would make", title_justify="left", title_style="bold")
    table.add_column("phase and file", overflow="fold")
    for name in [*states, "calls", *(("tokens",) if has_tokens else ())]:
        table.add_column(name, justify="right", no_wrap=True)
    if has_days:
        table.add_column("done on", no_wrap=True)
    for phase in foreseen["phases"]:
        last = [phase["done_on"] or ""] if has_days else []
        table.add_row(f"[bold]{phase['phase']}[/]", *_cells(phase, states, has_tokens=has_tokens), *last)
        for chunk in phase["chunks"] if len(phase["chunks"]) > 1 else ():
            last = [""] if has_days else []
            table.add_row(f"  {chunk['file']}", *_cells(chunk, states, has_tokens=has_tokens), *last, style="dim")
    return table


def rows_table(foreseen: Mapping[str, Any]) -> Table:
    """Return the rows of every file by the bucket they will be in."""
    buckets = columns_of(row["buckets"] for row in foreseen["files"])
    table = Table(box=box.SIMPLE_HEAD, title="Source rows, each in one bucket", title_justify="left", title_style="bold")
    table.add_column("file", overflow="fold")
    for name in ("rows", *buckets):
        table.add_column(name, justify="right", no_wrap=True)
    for row in foreseen["files"]:
        counts = [f"{row['buckets'].get(name, 0):,}" if row["buckets"].get(name) else "" for name in buckets]
        table.add_row(row["file"], f"{row['physical_rows']:,}", *counts)
    return table


def _cells(one: Mapping[str, Any], states: list[str], *, has_tokens: bool) -> list[str]:
    names = [one["records"].get(name, 0) for name in states]
    costs = [one["requests"], *((one["tokens"] or 0,) if has_tokens else ())]
    return [f"{count:,}" if count else "" for count in (*names, *costs)]
