"""The real Odoo that other tests stand on: each gets a database of its own, sees what PostgreSQL holds, and may kill a worker."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import httpx
import pytest

from crm_pipelines_tests.lib import odoo
from crm_pipelines_tests.lib.odoo import OdooServer

ROOT = Path(__file__).parents[2]
PARTNERS = "select name, email from res_partner where ref = %s"


@pytest.mark.odoo
def test_a_partner_is_seen_by_sql_and_in_no_other_database(odoo_server: OdooServer, odoo_db: str) -> None:
    other = odoo_server.new_database()
    partner = {"name": "Ana", "email": "ana@example.com", "ref": "1001"}
    (number,) = odoo_server.call(odoo_db, "res.partner", "create", vals_list=[partner])
    assert odoo_server.rows(odoo_db, PARTNERS, "1001") == [{"name": "Ana", "email": "ana@example.com"}]
    assert odoo_server.call(odoo_db, "res.partner", "search", domain=[["ref", "=", "1001"]]) == [number]
    assert odoo_server.rows(other, PARTNERS, "1001") == []
    assert odoo_server.call(other, "res.partner", "search", domain=[["ref", "=", "1001"]]) == []


@pytest.mark.odoo
def test_a_dropped_database_is_gone(odoo_server: OdooServer) -> None:
    name = odoo_server.new_database()
    assert odoo_server.call(name, "res.partner", "search_count", domain=[]) > 0
    odoo_server.drop(name)
    assert odoo_server.rows("postgres", "select 1 from pg_database where datname = %s", name) == []
    assert name not in odoo_server.databases


@pytest.mark.odoo
def test_a_new_database_has_what_the_route_needs_and_sends_nothing(odoo_server: OdooServer, module_odoo_db: str) -> None:
    modules = odoo_server.rows(module_odoo_db, "select name from ir_module_module where state = 'installed'")
    assert {"contacts", "crm", "sale_management", "calendar", "product", "account"} <= {row["name"] for row in modules}
    assert odoo_server.rows(module_odoo_db, "select id from ir_cron where active") == []
    assert odoo_server.rows(module_odoo_db, "select id from mail_mail") == []


@pytest.mark.odoo
def test_a_refusal_of_odoo_reaches_the_test(odoo_server: OdooServer, module_odoo_db: str) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="422"):
        odoo_server.call(module_odoo_db, "res.partner", "create", vals_list=[{"ref": "no name"}])


@pytest.mark.odoo
def test_a_killed_worker_loses_its_request_only(odoo_prefork: OdooServer, odoo_db: str) -> None:
    before = odoo_prefork.workers()
    victim = odoo_prefork.kill_worker()
    odoo.until(lambda: victim not in odoo_prefork.workers() and len(odoo_prefork.workers()) == len(before), "a new worker")
    for number in range(4):  # both workers, the new one included, serve
        odoo_prefork.call(odoo_db, "res.partner", "create", vals_list=[{"name": "Ana", "ref": f"after {number}"}])
    assert len(odoo_prefork.rows(odoo_db, "select id from res_partner where ref like 'after%%'")) == 4


def test_a_machine_without_odoo_skips_aloud_and_ci_fails(tmp_path: Path) -> None:
    quiet, required = (_outcome(tmp_path / name, CRM_REQUIRE_ODOO=value) for name, value in (("dev", "0"), ("ci", "1")))
    assert "1 skipped" in quiet
    assert "NOT TESTED AGAINST ODOO: Odoo cannot run here: " in quiet
    assert "no Python 3.11" in quiet
    assert "1 error" in required
    assert "CRM_REQUIRE_ODOO=1, but: Odoo cannot run here: " in required


def _outcome(folder: Path, **variables: str) -> str:
    """Run a test that wants Odoo where there is no Python for it; return what pytest says."""
    folder.mkdir()
    (folder / "test_it.py").write_text(
        textwrap.dedent("""
        from crm_pipelines_tests.conftest import odoo_db, odoo_server
        def test_it(odoo_db): ...
        """)
    )
    environment = {"PATH": "/usr/bin:/bin", "CRM_ODOO_HOME": str(folder / "home"), "PYTHON": "/nowhere/python3", **variables}
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder / "test_it.py")]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment).stdout
