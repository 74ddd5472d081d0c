"""A whole migration into a real Odoo: sample exports with their truth, a fresh database with the client's users, an engagement.

Belongs here: setting that stage and reading the database by SQL. Not here: the server (lib/odoo), what both destinations share (rig),
what is asserted (acceptance tests).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from crm_pipelines.sandbox.compare import Comparison
from crm_pipelines.sandbox.compare.odoo import baseline, compare
from crm_pipelines.sandbox.sample import SampleConfig, generate
from crm_pipelines_tests.lib.odoo import OdooServer
from crm_pipelines_tests.lib.rig import Stage, installed

ROUTE = "kartra_to_odoo"
PREFIX = "crm_acme"
ENGAGEMENT = """\
type: crm_pipelines.defs.component.CrmMigration
attributes:
  route: {route}
  exports: exports
  account:
    name: {account}
    base_url_env: CRM_TEST_BASE_URL
    token_env: CRM_TEST_TOKEN
    database: {database}
    prefix: {prefix}
    apply_within_s: {apply_within_s}
"""


@dataclass
class OdooRig(Stage):
    """One engagement against one database of a running Odoo."""

    server: OdooServer
    database: str
    prefix: str = PREFIX
    before: Any = field(default=None, kw_only=True)
    """What the database held before the migration: the comparison leaves it alone."""

    @property
    def dsn(self) -> str:
        """How psycopg connects to the database."""
        return self.server.dsn(self.database)

    def compare(self) -> Comparison:
        """Compare what Odoo's own PostgreSQL holds with what the generator planted."""
        return compare(dict(self.truth), self.dsn, self.prefix, self.before)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return what PostgreSQL answers, a dict per row."""
        return self.server.rows(self.database, query, *values)

    def call(self, model: str, method: str, **arguments: object) -> Any:
        """Work in the database as the client's own people do."""
        return self.server.call(self.database, model, method, **arguments)


def build_odoo(
    root: Path,
    server: OdooServer,
    *,
    contacts: int = 60,
    seed: int = 7,
    sample: Mapping[str, Any] | None = None,
    decisions: Mapping[str, str] | None = None,
    apply_within_s: float = 0.5,
    name: str = "acme",
) -> OdooRig:
    """Generate exports, make a database with the owners as users, and write an engagement that migrates one into the other."""
    folder = root / "engagements" / name
    folder.mkdir(parents=True)
    options: dict[str, Any] = {"planted_queue": "five", "decisions": dict(decisions or {}), "route": ROUTE, **dict(sample or {})}
    truth = orjson.loads(generate(SampleConfig(contacts=contacts, seed=seed, out=folder, **options)).truth.read_bytes())
    database = server.new_database()
    make_users(server, database, truth)
    text = ENGAGEMENT.format(route=ROUTE, account=name, database=database, prefix=PREFIX, apply_within_s=apply_within_s)
    (folder / "engagement.yaml").write_text(text, encoding="utf-8")
    answers = {"owners": "queue_rows", **dict(decisions or {})}
    (folder / "decisions.yaml").write_text("".join(f"{k}: {v}\n" for k, v in answers.items()), encoding="utf-8")
    env = {**installed(root), "CRM_TEST_BASE_URL": server.base_url, "CRM_TEST_TOKEN": server.api_key}
    return OdooRig(root, truth, server, database, name=name, env=env, before=baseline(server.dsn(database)))


def make_users(server: OdooServer, database: str, truth: Mapping[str, Any]) -> None:
    """Make every owner of the truth who has a user, as the client did long before: nobody is mailed."""
    emails = sorted(email for email, user in truth["records"]["users"].items() if user["is_matched"])
    values = [{"login": email, "email": email, "name": email.partition("@")[0].title()} for email in emails]
    server.call(database, "res.users", "create", vals_list=values, context={"no_reset_password": True})
