"""Contacts that are left out, with what hangs on them: on both routes every row of the exports is in the account once."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from crm_pipelines.phases.accounts import rows_by_fate
from crm_pipelines.phases.predict import STATES_SCHEMA
from crm_pipelines_tests.lib.opened import ROUTES, opened, sampled
from crm_pipelines_tests.lib.walk import desire

DECISIONS = "owners: queue_rows\nmap:\n  leave_out: {contacts: [role_account, bounced]}\n"


@pytest.mark.parametrize("route", ROUTES)
def test_every_row_is_in_the_account_once_and_nothing_waits_for_a_contact_that_was_left_out(tmp_path: Path, route: str) -> None:
    before = _rows(tmp_path, route)
    project = opened(tmp_path, route, decisions=DECISIONS)
    desire(project)
    after = _rows(tmp_path, route, DECISIONS)
    assert {name: rows.height for name, rows in before.items()} == {name: rows.height for name, rows in after.items()}
    with_contact = pl.concat([rows.filter(pl.col("reason") == "left_out_with_contact") for rows in after.values()])
    assert set(with_contact["bucket"]) == {"excluded"}
    for name, rows in after.items():
        waits = pl.col("reason") == "no_contact"
        assert rows.filter(waits).height == before[name].filter(waits).height


def _rows(root: Path, route: str, decisions: str = "owners: queue_rows\n") -> dict[str, pl.DataFrame]:
    folder = root / "engagements" / "acme"
    project = opened(root, route, decisions=decisions) if folder.exists() else sampled(root, route, contacts=120)
    empty = pl.DataFrame(schema=STATES_SCHEMA)
    return {name: rows_by_fate(project, name, lambda into: empty) for name in ("contacts", "transactions", "subscriptions", "calendars")}
