"""The demo of Kartra to Odoo: a fresh database on a real Odoo of this machine, its PostgreSQL read as truth.

Belongs here: the database, its users, and what SQL tells. Not here: what all routes share (demo_stage), the server (odoo.sh).
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
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
    rehearse,
    sample,
    screen,
    title,
    told_by,
)

from crm_pipelines.sandbox.compare.odoo import baseline, compare
from crm_pipelines.sandbox.sample import OWNERS

NAME = "demo-odoo"
PREFIX = "crm_demo_odoo"
KEY_ENV = "CRM_DEMO_ODOO_KEY"
SCRIPT = str(Path(__file__).with_name("odoo.sh"))
ENGAGEMENT = """\
# A demo engagement; the answers of the client are in decisions.yaml.
type: crm_pipelines.defs.component.CrmMigration
attributes:
  route: kartra_to_odoo
  exports: exports
  account:
    name: {name}
    base_url: {base_url}
    database: {database}
    token_env: {key_env}
    prefix: {prefix}
  source:
    timezone: America/New_York
"""
OURS = "SELECT count(*) FROM ir_model_data WHERE module = %s AND name LIKE %s AND model = %s"
MODELS = {
    "organizations": "res.partner",
    "people": "res.partner",
    "opt_outs": "mail.blacklist",
    "products": "product.product",
    "orders": "sale.order",
    "deals": "crm.lead",
    "activities": "calendar.event",
}
WRITTEN = "SELECT count(*) FROM {} WHERE write_date > %s"
TABLES = ("res_partner", "sale_order", "sale_order_line", "crm_lead", "calendar_event", "mail_blacklist", "product_template")


@dataclass(frozen=True)
class Server:
    """A database of its own on a running Odoo."""

    base_url: str
    key: str
    database: str
    dsn: str

    def ask(self, model: str, method: str, **arguments: Any) -> Any:
        """Call a method as an administrator of the client would."""
        headers = {"Authorization": f"bearer {self.key}", "X-Odoo-Database": self.database}
        answer = httpx.post(f"{self.base_url}/json/2/{model}/{method}", headers=headers, json=arguments, timeout=120)
        answer.raise_for_status()
        return answer.json()

    def count(self, query: str, *values: Any) -> int:
        """Return one number that PostgreSQL tells."""
        with psycopg.connect(self.dsn) as link:
            row = link.execute(query, values).fetchone()  # type: ignore[arg-type]  # our own queries
        return int(row[0]) if row else 0


def demo() -> Iterator[str]:
    """Migrate into a fresh database and run again; yield what is not as expected."""
    title("A messy Kartra export, and an Odoo to receive it")
    folder = fresh(NAME)
    truth = sample(NAME, folder, CONTACTS, SEED, "--route", "kartra_to_odoo", "--unknown-columns")
    server = database(folder)
    os.environ[KEY_ENV] = server.key
    before = baseline(server.dsn)
    (folder / "baseline.json").write_text(json.dumps(before))
    yield from rehearse(NAME)
    first = told_by(folder)
    yield from check_queue(first)
    title("The same, read by SQL from Odoo's own PostgreSQL")
    for phase in first["phases"]:
        if phase["destination_count"] is not None and phase["phase"] not in ("users", "tags"):
            there = server.count(OURS, PREFIX, f"{phase['phase']}.%", MODELS[phase["phase"]])
            yield from check_there(phase, there, "Odoo")
    yield from check_comparison(folder, compare(dict(truth), server.dsn, PREFIX, before))
    title("Again: nothing has changed, so nothing is written")
    yield from run_again(server)
    again = told_by(folder)
    yield from check_unchanged(again)
    keep_report(folder, first, again)


def run_again(server: Server) -> Iterator[str]:
    """Run a second time; PostgreSQL tells that no row was written."""
    with psycopg.connect(server.dsn) as link:
        began = link.execute("SELECT now() AT TIME ZONE 'UTC'").fetchone()
    yield from expect(crm("run", NAME), 10, "crm run, second time")
    written = {table: server.count(WRITTEN.format(table), *(began or ())) for table in TABLES}
    touched = {table: count for table, count in written.items() if count}
    screen.print(f"  {'[red]✗[/]' if touched else '[green]✓[/]'} rows written by the second run: {sum(written.values())}")
    if touched:
        yield f"the second run wrote {touched}"


def database(folder: Path) -> Server:
    """Make a fresh database with the client's users, and write the engagement."""
    told = info()
    for old in databases(told["ODOO_DSN"]):
        odoo("drop", old)
    name = f"{PREFIX}_{int(time.time())}"  # the server remembers databases by name: never the same twice
    odoo("clone", name)
    server = Server(told["ODOO_URL"], Path(told["ODOO_KEY_FILE"]).read_text().strip(), name, told["ODOO_DSN"].replace("{database}", name))
    for owner in OWNERS:
        values = {"login": owner, "email": owner, "name": owner.partition("@")[0].title()}
        server.ask("res.users", "create", vals_list=[values], context={"no_reset_password": True})
    text = ENGAGEMENT.format(name=NAME, base_url=server.base_url, database=name, key_env=KEY_ENV, prefix=PREFIX)
    (folder / "engagement.yaml").write_text(text)
    (folder / "decisions.yaml").write_text(DECISIONS)
    screen.print(f"  Odoo on {server.base_url}, database [bold]{name}[/], {len(OWNERS)} users")
    return server


def databases(dsn: str) -> list[str]:
    """Return the databases that earlier demos left behind."""
    with psycopg.connect(dsn.replace("{database}", "postgres")) as link:
        found = link.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (f"{PREFIX}_",)).fetchall()
    return [str(name) for (name,) in found]


def info() -> Mapping[str, str]:
    """Return what the server's script tells."""
    return dict(line.split("=", 1) for line in odoo("info").splitlines() if "=" in line)


def odoo(*arguments: str) -> str:
    """Run the server's script. Raises: RuntimeError with what it said."""
    done = subprocess.run([SCRIPT, *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or done.stdout.strip())
    return done.stdout
