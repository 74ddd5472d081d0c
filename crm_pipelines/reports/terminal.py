"""Tables for a terminal: the account of an engagement, its forecast and calendar, its queues.

Belongs here: how figures look on a screen. Not here: files (reports.reconciliation), the figures (phases).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from crm_pipelines.reports.figures import duration
from crm_pipelines.reports.reasons import sentence
from crm_pipelines.reports.reconciliation import columns_of
from crm_pipelines.reports.reconciliation_cost import cost_lines
from crm_pipelines.reports.reconciliation_facts import Need, follows, left_out, mailing, needs, needs_count
from crm_pipelines.reports.reconciliation_money import Bridge, bridges

TICK, CROSS = Text("✓", style="bold green"), Text("✗", style="bold red")
GATE_STYLE = {"passed": "green", "accepted": "yellow", "shut": "bold red", "not run": "dim"}


def show_account(console: Console, told: Mapping[str, Any]) -> None:
    """Print rows by bucket and records by state, what still needs somebody, money, what was spent, and the verdict."""
    console.print(account_table(told))
    for phase in told["phases"]:
        for reason in phase["reasons"]:
            console.print(f"  [red]{phase['phase']}[/]: {reason}", highlight=False)
        for reason, count in phase.get("refused", {}).items():
            console.print(f"  {phase['phase']}: {count:,} refused: {sentence(reason)}", highlight=False)
        if phase.get("acceptable"):
            command = f"crm accept {told['engagement']} {phase['phase']} --by NAME --reason TEXT"
            console.print(f"  If that is as it should be: {command}", highlight=False)
    _show_needs(console, told)
    _show_left_out(console, told)
    for bridge in bridges(told):
        console.print(_money_line(bridge), style=None if bridge.agrees else "bold red", markup=False, highlight=False)
    for line in (*mailing(told)[:1], *cost_lines(told)):
        console.print(line, markup=False, highlight=False)
    for line in told.get("grown", ()):
        console.print(f"Since the map was confirmed, and needing no confirmation: {line}", markup=False, highlight=False)
    show_foreseen(console, told.get("prediction"))
    console.print(told["verdict"], style="bold")


def show_foreseen(console: Console, found: Mapping[str, Any] | None) -> None:
    """Print whether what came is what was foreseen; each difference in a line."""
    if not found:
        return
    judged = [one for one in found["phases"] if one["is_judged"]]
    if judged and not (found["differences"] or found["explained"]):
        records = sum(sum(one["predicted"].values()) for one in judged)
        console.print(f"As foreseen: {records:,} records of {len(judged)} phases came as predicted.", highlight=False)
    if behind := [one["phase"] for one in found["phases"] if not one.get("is_reached", True)]:
        console.print(f"Not reached, behind a shut gate: {', '.join(behind)}.", highlight=False)
    for line in found["explained"]:
        console.print(f"Otherwise than foreseen, for a reason the run recorded: {line}", style="yellow", markup=False, highlight=False)
    for line in found["differences"]:
        console.print(f"Otherwise than foreseen, a defect: {line}", style="bold red", markup=False, highlight=False)


def _show_needs(console: Console, told: Mapping[str, Any]) -> None:
    """Print everything that somebody has to answer or correct, and how many records follow from it."""
    if found := needs(told):
        console.print(needs_table(found, needs_count(told)))
    for line in follows(told):
        console.print(f"  Waits until then: {line}", markup=False, highlight=False)


def _show_left_out(console: Console, told: Mapping[str, Any]) -> None:
    """Say in a line each what was left out on purpose; the report has the rest."""
    left: dict[str, int] = {}
    for one in told.get("set_aside", []):
        if one["bucket"] == "excluded":
            left[one["reason"]] = left.get(one["reason"], 0) + one["rows"]
    for reason, rows in sorted(left.items()):
        console.print(f"{rows:,} left out: {left_out(told, reason)}", markup=False, highlight=False)


def _money_line(bridge: Bridge) -> str:
    verdict = (
        "agrees to the cent with the exports, counted apart" if bridge.agrees else f"DIFFERS by {bridge.steps[-1].sum} from the exports"
    )
    return f"Money, {bridge.title}: {next(step.sum for step in reversed(bridge.steps) if step.is_total)} {verdict}."


def account_table(told: Mapping[str, Any]) -> Table:
    """Return one table: per phase its source rows by bucket, then its records by state, ticked where they add up."""
    table = Table(box=box.SIMPLE_HEAD, title=f"{told['engagement']}, pass {told['pass']}", title_justify="left", title_style="bold")
    table.add_column("phase", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("by bucket")
    table.add_column("", justify="center", no_wrap=True)
    table.add_column("records", justify="right", no_wrap=True)
    table.add_column("by state")
    table.add_column("there", justify="right", no_wrap=True)
    table.add_column("", justify="center", no_wrap=True)
    by_phase = _rows_by_phase(told["files"])
    names = [phase["phase"] for phase in told["phases"]]
    for phase in told["phases"]:
        table.add_row(phase["phase"], *_row_cells(by_phase.get(phase["phase"])), *_record_cells(phase))
    for other in by_phase.keys() - set(names):
        table.add_row(other, *_row_cells(by_phase[other]), "", "", "", "")
    return table


def needs_table(found: Sequence[Need], count: int) -> Table:
    """Return what somebody has to answer or correct, with the file to do it in."""
    table = Table(box=box.SIMPLE_HEAD, title=f"What still needs you: {count:,}", title_justify="left", title_style="bold")
    table.add_column("what")
    table.add_column("how many", justify="right", no_wrap=True)
    for name in ("why", "what to do", "where to answer"):
        table.add_column(name)
    for one in found:
        table.add_row(*(Text(cell) for cell in (one.what, f"{one.count:,}", one.why, one.todo, one.where)))
    return table


def forecast_table(told: Mapping[str, Any]) -> Table:
    """Return what each phase will do and cost."""
    table = Table(box=box.SIMPLE_HEAD, title="Forecast", title_justify="left", title_style="bold")
    table.add_column("phase")
    names = [*("create", "update", "unchanged", "waiting", "requests"), *(("tokens",) if told["unit"] == "tokens" else ())]
    counted = names[4:]
    for name in names:
        table.add_column(name, justify="right")
    for phase, row in told["phases"].items():
        table.add_row(phase, *(_count(row[name]) for name in names))
    table.add_section()
    for title, part in (("set-up", "prepare"), ("verification", "verify")):
        table.add_row(title, *[""] * 4, *(_count(told[f"{part}_{unit}"]) for unit in counted))
    table.add_row("all", *[""] * 4, *(f"[bold]{told[f'total_{unit}']:,}[/]" for unit in counted))
    return table


def cost_table(told: Mapping[str, Any]) -> Group:
    """Return what the plan costs: the vendor's days where it sells a quota, else requests and time; then what a planner should know."""
    cost = calendar_table(told) if told["unit"] == "tokens" else pace_line(told)
    return Group(cost, *(Text(f"Note: {note}") for note in told["notes"]))


def pace_line(told: Mapping[str, Any]) -> Text:
    """Return what a plan without a quota takes."""
    takes = "" if told["duration_s"] is None else f", forecast to take {duration(told['duration_s'])}"
    return Text(f"No quota: {told['total_requests']:,} requests{takes}", style="bold")


def calendar_table(told: Mapping[str, Any]) -> Group:
    """Return the days that the tokens will take."""
    title = f"Calendar: {told['tokens_per_day']:,} tokens a day, {told['reserve']:,} of them kept for other apps"
    title += f"; {told['remaining_today']:,} left today"
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("day")
    table.add_column("tokens", justify="right")
    table.add_column("done", justify="right")
    for day in told["calendar"]:
        table.add_row(day["day"], f"{day['tokens']:,}", f"{day['done_pct']} %")
    return Group(Text(title, style="bold"), table)


def _rows_by_phase(files: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for row in files:
        one = out.setdefault(row["phase"], {"rows": 0, "buckets": {}, "adds_up": True})
        one["rows"] += row["physical_rows"]
        one["adds_up"] = one["adds_up"] and row["adds_up"]
        for name, count in row["buckets"].items():
            one["buckets"][name] = one["buckets"].get(name, 0) + count
    return out


def _row_cells(one: Mapping[str, Any] | None) -> tuple[str | Text, ...]:
    if one is None:
        return "", Text("derived", style="dim"), ""
    return f"{one['rows']:,}", _spelled(one["buckets"]), TICK if one["adds_up"] else CROSS


def _record_cells(phase: Mapping[str, Any]) -> tuple[str | Text, ...]:
    there = "" if phase["destination_count"] is None else f"{phase['destination_count']:,}"
    gate = phase["gate"]
    mark = TICK if gate == "passed" else Text(gate, style=GATE_STYLE[gate])
    return f"{phase['wanted']:,}", _spelled(phase["records"]), there, mark


def _spelled(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[name]:,} {name}" for name in columns_of([counts]))


def _count(value: int | None) -> str:
    return f"{value:,}" if value else ""
