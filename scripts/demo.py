"""`make demo`: a messy Kartra export into a local Pipedrive, as a user would do it, compared with the truth at the end.

Everything that touches the product goes through `crm ...`; the truth is read from the sandbox's own records.
Exits 0 when all is as expected: exactly the five planted rows wait, nothing differs, the second run changes nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from crm_pipelines.ledger import Ledger
from crm_pipelines.sandbox.compare import compare
from crm_pipelines.sandbox.pipedrive.config import SandboxConfig, SandboxUser
from crm_pipelines.sandbox.pipedrive.running import RunningSandbox, start
from crm_pipelines.sandbox.sample import OWNERS
from crm_pipelines.settings import home

CONTACTS, SEED, SAMPLE = 2600, 7, 50
LITE_CONTACTS, LITE_SEED, LITE_LEFT = 200, 11, 2_000
EXPECTED_QUEUE = {
    ("owner", "no_user", "contacts"): 1,
    ("remediation", "no_email", "contacts"): 1,
    ("review", "no_contact", "calendars"): 1,
    ("review", "no_contact", "transactions"): 1,
    ("review", "two_candidates", "transactions"): 1,
}
TOKEN_ENV = "CRM_DEMO_TOKEN"  # noqa: S105 - the name of a variable
TOKEN = "demo-token"  # noqa: S105 - the sandbox has no secrets
PORTS = {"demo": 8801, "demo-lite": 8802}
ENGAGEMENT = """\
# A demo engagement; the answers of the client are in decisions.yaml.
type: crm_pipelines.defs.component.CrmMigration
attributes:
  route: kartra_to_pipedrive
  exports: exports
  account:
    name: {name}
    base_url: {base_url}
    token_env: {token_env}
    auth: oauth
    reserve_pct: 20
  source:
    timezone: America/New_York
"""
DECISIONS = """\
# Answered at scoping; everything else takes the default of the mapping spec.
owners: queue_rows
"""
LITE_DECISIONS = DECISIONS + "extra_fields: core  # a Lite plan allows 30 custom fields\n"
WAVE_TOKENS = 100 * 10  # what one wave of the dearest creates reserves: all that a kill can keep from leaving
kills: list[str] = []
screen = Console(highlight=False, width=None if sys.stdout.isatty() else 150)


def main() -> int:
    """Run the demo; 0 when everything is as expected."""
    began = time.monotonic()
    os.environ[TOKEN_ENV] = TOKEN
    problems: list[str] = []
    title("A messy Kartra export, and a Pipedrive to receive it")
    folder = fresh("demo")
    truth = sample("demo", folder, CONTACTS, SEED)
    with sandbox("demo", folder, plan="ultimate", seats=3) as server:
        problems += migrate(folder, server, truth)
    title(f"A Lite plan whose day runs out: {LITE_CONTACTS} contacts, one seat, other apps have used most of the day")
    problems += run_out_of_day()
    took = time.monotonic() - began
    for problem in problems:
        screen.print(f"[bold red]not as expected:[/] {escape(problem)}")
    if problems:
        return 1
    screen.print(f"\n[bold green]As expected[/], in {took:.0f} s. Open the graph, history kept: [bold]make ui[/]")
    return 0


def migrate(folder: Path, server: RunningSandbox, truth: Mapping[str, Any]) -> Iterator[str]:
    """Migrate the demo, run it again, and yield what is not as expected."""
    yield from expect(crm("doctor", "demo"), 0, "crm doctor")
    title("The forecast: what a load would do and cost")
    yield from expect(crm("plan", "demo"), 0, "crm plan")
    title(f"The client confirms a sample of {SAMPLE} records; it is loaded and looked at first")
    yield from expect(crm("confirm", "demo", "--by", "Demo Client", "--sample", str(SAMPLE)), 0, "crm confirm --sample")
    yield from expect(run_to_the_end("demo"), 0, "crm run, sample")
    title("The client confirms the rest; everything is loaded, phase by phase")
    yield from expect(crm("confirm", "demo", "--by", "Demo Client"), 0, "crm confirm")
    yield from expect(run_to_the_end("demo"), 10, "crm run: the planted rows wait, so 10")
    report = folder / "handoff" / "reconciliation.json"
    first = json.loads(report.read_text())
    yield from check_queue(first)
    title("The same, read from the sandbox's own records")
    yield from check_counts(first, server)
    yield from check_truth(folder, server, truth)
    title("Again: nothing has changed, so nothing is sent")
    yield from expect(crm("run", "demo"), 10, "crm run, second time")
    again = json.loads(report.read_text())
    yield from check_second_run(first, again)
    first["second_run"] = {"phases": again["phases"], "budget": again["budget"]}
    report.write_text(json.dumps(first, indent=2, ensure_ascii=False) + "\n")
    page = folder / "handoff" / "reconciliation.html"
    page.write_bytes((folder / "handoff" / "passes" / f"{first['pass']:04}.html").read_bytes())  # the load's, not the second run's
    screen.print(f"The report to read: [bold]{shown(page)}[/]\nFor machines:       [bold]{shown(report)}[/]", soft_wrap=True)


def run_to_the_end(name: str) -> int:
    """Run a load; when it is killed, run it again, as a user would. Nothing arrives twice."""
    while (code := crm("run", name)) < 0:
        kills.append(name)
        title("The load was killed. It is run again: what arrived stays, what was in flight is looked up, the rest follows")
    return code


def run_out_of_day() -> Iterator[str]:
    """Load an engagement whose account has not enough tokens left today, and yield what is not as expected."""
    folder = fresh("demo-lite")
    sample("demo-lite", folder, LITE_CONTACTS, LITE_SEED)
    spent = 30_000 - 6_000 - LITE_LEFT  # a day of one Lite seat, less the reserve, less what the demo may use
    with sandbox("demo-lite", folder, plan="lite", seats=1, spent=spent):
        yield from expect(
            crm("confirm", "demo-lite", "--by", "Demo Client", "--without-sample", "a demo of the calendar"), 0, "crm confirm"
        )
        yield from expect(crm("plan", "demo-lite"), 0, "crm plan")
        yield from expect(crm("run", "demo-lite"), 3, "crm run: out of quota, resumable, so 3")


def fresh(name: str) -> Path:
    """Forget an earlier demo: its folder and its rows in the ledger."""
    folder = home().engagements / name
    shutil.rmtree(folder, ignore_errors=True)
    crm("init", quiet=True)
    with Ledger.open(home().ledger_url) as ledger:
        ledger.purge(name)
    folder.mkdir(parents=True)
    return folder


def sample(name: str, folder: Path, contacts: int, seed: int) -> dict[str, Any]:
    """Generate exports; return the truth that was planted."""
    args = ("sample", "kartra", "--contacts", str(contacts), "--seed", str(seed), "--out", shown(folder))
    crm(*args, "--planted-queue", "five", quiet=True, say=True)
    for path in sorted((folder / "exports").glob("*.csv")):
        screen.print(f"  {path.name}  [dim]{path.stat().st_size / 1024:,.0f} KiB[/]")
    truth: dict[str, Any] = json.loads((folder / "truth.json").read_text())
    return truth


@contextmanager
def sandbox(name: str, folder: Path, **settings: Any) -> Iterator[RunningSandbox]:
    """Start a sandbox of this engagement's account, and write the engagement. `make ui` starts it again from its state."""
    users = (
        SandboxUser("admin@client.example.com", "Admin", is_admin=True),
        *(SandboxUser(one, one.partition("@")[0].title()) for one in OWNERS),
    )
    config = SandboxConfig(
        token=TOKEN, port=PORTS[name], auth="oauth", users=users, state=folder / "sandbox.state", campaigns=True, **settings
    )
    server = start(config, folder / "sandbox.log")
    (folder / "sandbox.json").write_text(json.dumps(server.config.to_json(), indent=2))
    (folder / "engagement.yaml").write_text(ENGAGEMENT.format(name=name, base_url=server.base_url, token_env=TOKEN_ENV))
    (folder / "decisions.yaml").write_text(LITE_DECISIONS if config.plan == "lite" else DECISIONS)
    screen.print(
        f"  Pipedrive sandbox on {server.base_url}: plan [bold]{config.plan}[/], seats {config.seats}, OAuth limits "
        f"({config.limits.oauth_burst} requests per 2 s, {config.tokens_per_day:,} tokens a day)"
    )
    with server:
        yield server


def check_queue(told: Mapping[str, Any]) -> Iterator[str]:
    """Exactly the planted rows wait."""
    found = {(one["queue"], one["reason"], one["object"]): one["rows"] for one in told["queues"]}
    if found != EXPECTED_QUEUE:
        yield f"the queue holds {found}, planted were {EXPECTED_QUEUE}"


def check_counts(told: Mapping[str, Any], server: RunningSandbox) -> Iterator[str]:
    """The sandbox's own counters agree with the reconciliation."""
    counts = server.truth.counts()
    entities = {"organizations": "organizations", "people": "persons", "deals": "deals", "activities": "activities", "notes": "notes"}
    for phase in told["phases"]:
        if phase["phase"] in entities:
            there = counts["entities"][entities[phase["phase"]]]["live"]
            agrees = there == phase["destination_count"]
            screen.print(f"  {'[green]✓[/]' if agrees else '[red]✗[/]'} {phase['phase']}: {there:,} in the sandbox")
            if not agrees:
                yield f"{phase['phase']}: the sandbox holds {there}, the reconciliation says {phase['destination_count']}"
    spent, counted, ledger = told["budget"]["spent"], counts["tokens_total"], sum(told["budget"]["spent_by_operation"].values())
    unsent = ledger - counted if kills and 0 < ledger - counted <= len(kills) * WAVE_TOKENS else 0
    mark = "[green]✓[/]" if counted == ledger - unsent else "[red]✗[/]"
    screen.print(
        f"  {mark} tokens: {counted:,} counted by the sandbox, {ledger:,} in the ledger, {spent:,} of them for the load, the rest for "
        f"looking before; {counts['violations']} requests over the burst limit"
    )
    if unsent:
        screen.print(f"    {unsent:,} tokens stay reserved for requests that were recorded and killed before they left")
    if counted != ledger - unsent:
        yield f"the sandbox counted {counted} tokens, the ledger {ledger}"
    if counts["violations"]:
        yield f"{counts['violations']} requests went over the burst limit"


def check_truth(folder: Path, server: RunningSandbox, truth: Mapping[str, Any]) -> Iterator[str]:
    """Every field of every record and link, by source key, is what the generator planted."""
    found = compare(dict(truth), server.base_url, server.config.sandbox_token)
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


def check_second_run(first: Mapping[str, Any], again: Mapping[str, Any]) -> Iterator[str]:
    """Nothing is created or updated the second time, at next to no cost."""
    for phase in again["phases"]:
        changed = {state: phase["records"][state] for state in ("created", "updated", "pending", "unknown") if phase["records"].get(state)}
        if changed:
            yield f"second run, {phase['phase']}: {changed}"
    cost, before = again["budget"]["spent"], first["budget"]["spent"]
    screen.print(f"  The second run cost {cost:,} tokens, the first {before:,}.")
    if cost > max(1, before) * 0.05:
        yield f"the second run cost {cost} tokens"


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


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:  # a sandbox that does not start says why
        screen.print(f"[bold red]the demo cannot run:[/] {escape(str(error))}")
        sys.exit(1)
