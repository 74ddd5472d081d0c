"""What `crm discover`, `propose` and `decide` show on a terminal; the documents say the rest.

Belongs here: a screenful each. Not here: the documents (scope, workbook), other commands (terminal, planning).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

MARKS = {"A": "[green]A[/]", "B": "[green]B[/]", "C": "[yellow]C[/]", "D": "[red]D[/]"}
STATES = {"pre-ticked": "[green]ticked[/]", "choose": "[yellow]choose[/]", "unmapped": "[dim]nothing near[/]"}
FINDINGS_SHOWN = 12
FOLDER_DECIDES = (
    "Nothing is confirmed yet, so the exports folder decides: put a newer file in the place of another or take one away, and the next "
    "discover, propose or plan goes by what lies there."
)
FILES_STAY = (
    "Something was confirmed, so every file that was read stays counted, whatever becomes of it in the folder; newer files add to it."
)


def show_discovery(out: Console, told: Mapping[str, Any]) -> None:
    """Show grades, what is missing or open, and where the scope document lies."""
    for line in told["withdrawn"]:
        out.print(line, style="yellow", markup=False, soft_wrap=True)
    table = _table("How much work it is", "topic", "grade", "hours", "why")
    for one in told["grades"]:
        table.add_row(one["topic"], MARKS[one["grade"]], f"{one['hours']:g}", one["told"])
    out.print(table)
    for line in _lines(told):
        out.print(line, markup=False, soft_wrap=True)
    out.print(FILES_STAY if told["is_confirmed"] else FOLDER_DECIDES, markup=False, soft_wrap=True)
    out.print("\nFor the client:", *(f"  {path}" for path in told["documents"].values()), sep="\n", markup=False, soft_wrap=True)


def show_proposal(out: Console, told: Mapping[str, Any]) -> None:
    """Show what is proposed for each open column, and where the workbook lies."""
    for line in told["withdrawn"]:
        out.print(line, style="yellow", markup=False, soft_wrap=True)
    if told["columns"]:
        table = _table("Columns that no rule knows", "export", "heading", "filled", "proposal", "sure", "state")
        for one in told["columns"]:
            sure = f"{one['confidence']:.0%}"
            table.add_row(one["object"], one["heading"], f"{one['filled']:,}", one["target"], sure, STATES[one["state"]])
        out.print(table)
    else:
        out.print("Every column is mapped or left behind with a reason.")
    counts = {"words to settle": told["words"], "likely duplicates": told["duplicates"], "questions open": len(told["questions"])}
    out.print(", ".join(f"{name}: {count:,}" for name, count in counts.items()))
    if told["room"]:
        out.print(told["room"], style="yellow", markup=False, soft_wrap=True)
    out.print(f"For the client to fill in:\n  {told['workbook']}", markup=False, soft_wrap=True)
    out.print(f"Then: crm decide {told['engagement']} {told['workbook']} --by NAME", markup=False, soft_wrap=True)


def show_decided(out: Console, told: Mapping[str, Any]) -> None:
    """Show what a workbook changed, and what is still open."""
    if not told["changed"]:
        out.print("The workbook decides nothing that was not decided already.")
    for one in told["changed"]:
        out.print(f"  decided: {one}", markup=False, soft_wrap=True)
    left, look = told["undecided"]["told"], f"Look at `crm plan {told['engagement']}`, then confirm"
    if told["questions"]:
        out.print(f"Still open, before anything can be confirmed: {', '.join(told['questions'])}", markup=False, soft_wrap=True)
    if left:
        out.print(f"Not decided: {left}", style="yellow", markup=False, soft_wrap=True)
    if told["room"]:
        out.print(told["room"], style="bold yellow", markup=False, soft_wrap=True)
    if left and not told["questions"] and not told["room"]:
        out.print(f"Fill in the yellow cells and give the workbook back again, or leave it so. {look}.", markup=False, soft_wrap=True)
    elif not told["questions"] and not told["room"]:
        out.print(f"Nothing is open. {look}.", markup=False, soft_wrap=True)


def _lines(told: Mapping[str, Any]) -> list[str]:
    lines = [_counted(one) for one in told["objects"]]
    missing = {True: "Missing, and nothing starts without it", False: "Not exported"}
    for needed, word in missing.items():
        names = [one["object"] for one in told["missing"] if one["is_required"] is needed]
        lines += [f"{word}: {', '.join(names)}"] if names else []
    lines += [f"Columns that no rule knows: {', '.join(told['waiting_columns'])}"] if told["waiting_columns"] else []
    lines += [f"Owners without a user: {told['owners_without_user']}"] if told["owners_without_user"] else []
    lines += [f"Questions without an answer: {', '.join(told['open_questions'])}"] if told["open_questions"] else []
    lines += [f"{one['level']}: {one['told']}" for one in told["findings"][:FINDINGS_SHOWN]]
    more = len(told["findings"]) - FINDINGS_SHOWN
    signed = told["automations_signed"]
    return [
        *lines,
        *([f"... and {more} more findings in the document"] if more > 0 else []),
        *([f"Automations are paused, signed by {signed['by']}."] if signed else []),
        *told["notes"],
    ]


def _counted(one: Mapping[str, Any]) -> str:
    """Say how many rows and records an export has, and how many arrive if every kind that may stay behind does."""
    said = f"{one['object']}: {one['raw']:,} rows, {one['different']:,} different"
    return f"{said}; {one['clean']:,} if every kind that may stay behind does" if one["clean"] < one["different"] else said


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for name in columns:
        table.add_column(name, justify="right" if name in ("filled", "sure", "hours") else "left")
    return table
