"""What every `make demo` does, whatever the destination: run `crm ...` as a user would, and say what is not as expected.

Belongs here: the steps that all routes share. Not here: a route's server and its truth (demo_pipedrive, demo_odoo).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from demo_client import fill_in
from rich.console import Console
from rich.markup import escape

from crm_pipelines.ledger import Ledger
from crm_pipelines.reports.reconciliation import write_reconciliation
from crm_pipelines.sandbox.compare import Comparison
from crm_pipelines.settings import home

CONTACTS, SEED, SAMPLE = 2600, 7, 50
EXPECTED_QUEUE = {
    ("owner", "no_user", "contacts"): 1,
    ("remediation", "no_email", "contacts"): 1,
    ("review", "no_contact", "calendars"): 1,
    ("review", "no_contact", "transactions"): 1,
    ("review", "two_candidates", "transactions"): 1,
}
DECISIONS = """\
# What the client decides; `crm decide` writes it from the workbook. Everything else takes the default of the mapping spec.
"""
ANSWERS = {"owners": "queue rows"}
kills: list[str] = []
screen = Console(highlight=False, width=None if sys.stdout.isatty() else 150)


def rehearse(name: str) -> Iterator[str]:
    """Find out, decide, plan and confirm a sample, then load everything; yield what is not as expected."""
    yield from expect(crm("doctor", name), 0, "crm doctor")
    title("What is there, and what is in the way: the scope document")
    yield from expect(crm("discover", name, "--automations-paused-by", "Demo Client"), 0, "crm discover")
    title("A map is proposed; the client decides in a workbook")
    yield from expect(crm("propose", name), 0, "crm propose")
    workbook = home().engagements / name / "handoff" / "map.xlsx"
    for line in fill_in(workbook, ANSWERS):
        screen.print(f"  [dim]the client writes[/] {escape(line)}", soft_wrap=True)
    yield from expect(crm("decide", name, shown(workbook), "--by", "Demo Client"), 0, "crm decide")
    title("The forecast: what a load would do and cost")
    yield from expect(crm("plan", name), 0, "crm plan")
    title(f"The client confirms a sample of {SAMPLE} records; it is loaded and looked at first")
    yield from expect(crm("confirm", name, "--by", "Demo Client", "--sample", str(SAMPLE)), 0, "crm confirm --sample")
    yield from expect(run_to_the_end(name), 0, "crm run, sample")
    title("The client confirms the rest; everything is loaded, phase by phase")
    yield from expect(crm("confirm", name, "--by", "Demo Client"), 0, "crm confirm")
    yield from expect(run_to_the_end(name), 10, "crm run: the planted rows wait, so 10")


def told_by(folder: Path) -> dict[str, Any]:
    """Return the account of the last run."""
    told: dict[str, Any] = json.loads((folder / "handoff" / "reconciliation.json").read_text())
    return told


def keep_report(folder: Path, first: dict[str, Any], again: Mapping[str, Any]) -> None:
    """Show the report of the load, which then tells that the second run changed nothing: that is the one to read."""
    first["second_run"] = {"phases": again["phases"], "budget": again["budget"]}
    paths = write_reconciliation(first, folder / "handoff")
    screen.print(
        f"The report to read: [bold]{shown(paths['html'])}[/]\nFor machines:       [bold]{shown(paths['json'])}[/]", soft_wrap=True
    )


def sample(name: str, folder: Path, contacts: int, seed: int, *more: str) -> dict[str, Any]:
    """Generate exports; return the truth that was planted."""
    args = ("sample", "kartra", "--contacts", str(contacts), "--seed", str(seed), "--out", shown(folder), *more)
    crm(*args, "--planted-queue", "five", quiet=True, say=True)
    for path in sorted((folder / "exports").glob("*.csv")):
        screen.print(f"  {path.name}  [dim]{path.stat().st_size / 1024:,.0f} KiB[/]")
    truth: dict[str, Any] = json.loads((folder / "truth.json").read_text())
    return truth


def check_comparison(folder: Path, found: Comparison) -> Iterator[str]:
    """Every field of every record and link, by source key, is what the generator planted."""
    told = {
        "records_compared": found.records_compared,
        "fields_compared": found.fields_compared,
        "differences": [str(one) for one in found.differences],
    }
    (folder / "demo.json").write_text(json.dumps(told, indent=2) + "\n")
    mark = "[red]✗[/]" if found.differences else "[green]✓[/]"
    screen.print(
        f"  {mark} {found.records_compared:,} records, {found.fields_compared:,} fields compared with what was planted: "
        f"{len(found.differences)} differences"
    )
    for one in told["differences"][:20]:
        screen.print(f"    {escape(one)}", soft_wrap=True)
    if found.differences:
        yield f"{len(found.differences)} differences from the planted truth; see {shown(folder / 'demo.json')}"


def check_unchanged(again: Mapping[str, Any]) -> Iterator[str]:
    """Nothing is created or updated the second time."""
    for phase in again["phases"]:
        changed = {state: phase["records"][state] for state in ("created", "updated", "pending", "unknown") if phase["records"].get(state)}
        if changed:
            yield f"second run, {phase['phase']}: {changed}"


def check_there(phase: Mapping[str, Any], there: int, where: str) -> Iterator[str]:
    """The server's own count agrees with the reconciliation's."""
    agrees = there == phase["destination_count"]
    screen.print(f"  {'[green]✓[/]' if agrees else '[red]✗[/]'} {phase['phase']}: {there:,} in {where}")
    if not agrees:
        yield f"{phase['phase']}: {where} holds {there}, the reconciliation says {phase['destination_count']}"


def run_to_the_end(name: str) -> int:
    """Run a load; when it is killed, run it again, as a user would. Nothing arrives twice."""
    while (code := crm("run", name)) < 0:
        kills.append(name)
        title("The load was killed. It is run again: what arrived stays, what was in flight is looked up, the rest follows")
    return code


def fresh(name: str) -> Path:
    """Forget an earlier demo: its folder and its rows in the ledger."""
    folder = home().engagements / name
    shutil.rmtree(folder, ignore_errors=True)
    crm("init", quiet=True)
    with Ledger.open(home().ledger_url) as ledger:
        ledger.purge(name)
    folder.mkdir(parents=True)
    return folder


def check_queue(told: Mapping[str, Any]) -> Iterator[str]:
    """Exactly the planted rows wait."""
    found = {(one["queue"], one["reason"], one["object"]): one["rows"] for one in told["queues"]}
    if found != EXPECTED_QUEUE:
        yield f"the queue holds {found}, planted were {EXPECTED_QUEUE}"


def expect(code: int, wanted: int, what: str) -> Iterator[str]:
    """Yield a problem when an exit code is not the one expected."""
    if code != wanted:
        yield f"{what}: exit code {code}, expected {wanted}"


def crm(*arguments: str, quiet: bool = False, say: bool | None = None) -> int:
    """Run `crm ...` as a user would; return its exit code."""
    if say if say is not None else not quiet:
        screen.print(f"[dim]$ crm {' '.join(arguments)}[/]", soft_wrap=True)
    command = [str(Path(sys.executable).with_name("crm")), *arguments]
    done = subprocess.run(command, check=False, capture_output=quiet, text=True)
    if quiet and done.returncode:
        screen.print(done.stdout + done.stderr, markup=False)
    return done.returncode


def title(text: str) -> None:
    """Print a heading."""
    screen.print(f"\n[bold]{text}[/]")


def shown(path: Path) -> str:
    """Return a path as short as it can be said."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
