"""The demo of Kartra to Pipedrive: a local Pipedrive, its own records as truth, and a day that runs out.

Belongs here: the sandbox and what it tells. Not here: what all routes share (demo_stage).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from demo_stage import (
    CONTACTS,
    DECISIONS,
    SEED,
    check_comparison,
    check_queue,
    check_there,
    check_unchanged,
    crm,
    expect,
    fresh,
    keep_report,
    kills,
    rehearse,
    sample,
    screen,
    title,
    told_by,
)

from crm_pipelines.sandbox.compare import compare
from crm_pipelines.sandbox.pipedrive.config import SandboxConfig, SandboxUser
from crm_pipelines.sandbox.pipedrive.running import RunningSandbox, start
from crm_pipelines.sandbox.sample import OWNERS

LITE_CONTACTS, LITE_SEED, LITE_LEFT = 200, 11, 2_000
TOKEN_ENV = "CRM_DEMO_TOKEN"  # noqa: S105 - the name of a variable
TOKEN = "demo-token"  # noqa: S105 - the sandbox has no secrets
PORTS = {"demo": 8801, "demo-lite": 8802}
ENTITIES = {"organizations": "organizations", "people": "persons", "deals": "deals", "activities": "activities", "notes": "notes"}
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
LITE_DECISIONS = DECISIONS + "owners: queue_rows\nextra_fields: core  # a Lite plan allows 30 custom fields\n"
WAVE_TOKENS = 100 * 10  # what one wave of the dearest creates reserves: all that a kill can keep from leaving


def demo() -> Iterator[str]:
    """Migrate, run again, and run out of a day's tokens; yield what is not as expected."""
    os.environ[TOKEN_ENV] = TOKEN
    title("A messy Kartra export, and a Pipedrive to receive it")
    folder = fresh("demo")
    truth = sample("demo", folder, CONTACTS, SEED, "--unknown-columns")
    with sandbox("demo", folder, plan="ultimate", seats=3) as server:
        yield from migrate(folder, server, truth)
    title(f"A Lite plan whose day runs out: {LITE_CONTACTS} contacts, one seat, other apps have used most of the day")
    yield from run_out_of_day()


def migrate(folder: Path, server: RunningSandbox, truth: Mapping[str, Any]) -> Iterator[str]:
    """Migrate the demo, run it again, and yield what is not as expected."""
    yield from rehearse("demo")
    first = told_by(folder)
    yield from check_queue(first)
    title("The same, read from the sandbox's own records")
    yield from check_counts(first, server)
    yield from check_comparison(folder, compare(dict(truth), server.base_url, server.config.sandbox_token))
    title("Again: nothing has changed, so nothing is sent")
    yield from expect(crm("run", "demo"), 10, "crm run, second time")
    again = told_by(folder)
    yield from check_second_run(first, again)
    keep_report(folder, first, again)


def run_out_of_day() -> Iterator[str]:
    """Load an engagement whose account has not enough tokens left today, and yield what is not as expected."""
    folder = fresh("demo-lite")
    sample("demo-lite", folder, LITE_CONTACTS, LITE_SEED)
    spent = 30_000 - 6_000 - LITE_LEFT  # a day of one Lite seat, less the reserve, less what the demo may use
    with sandbox("demo-lite", folder, plan="lite", seats=1, spent=spent):
        paused = ("--automations-paused-by", "Demo Client")
        confirm = crm("confirm", "demo-lite", "--by", "Demo Client", "--without-sample", "a demo of the calendar", *paused)
        yield from expect(confirm, 0, "crm confirm")
        yield from expect(crm("plan", "demo-lite"), 0, "crm plan")
        yield from expect(crm("run", "demo-lite"), 3, "crm run: out of quota, resumable, so 3")


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


def check_counts(told: Mapping[str, Any], server: RunningSandbox) -> Iterator[str]:
    """The sandbox's own counters agree with the reconciliation."""
    counts = server.truth.counts()
    for phase in told["phases"]:
        if phase["phase"] in ENTITIES:
            yield from check_there(phase, counts["entities"][ENTITIES[phase["phase"]]]["live"], "the sandbox")
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


def check_second_run(first: Mapping[str, Any], again: Mapping[str, Any]) -> Iterator[str]:
    """Nothing is created or updated the second time, at next to no cost."""
    yield from check_unchanged(again)
    cost, before = again["budget"]["spent"], first["budget"]["spent"]
    screen.print(f"  The second run cost {cost:,} tokens, the first {before:,}.")
    if cost > max(1, before) * 0.05:
        yield f"the second run cost {cost} tokens"
