"""Contacts that are left out, with what hangs on them: on both routes every row of the exports is in the account once."""

from __future__ import annotations

from pathlib import Path

import orjson
import polars as pl
import pytest

from crm_pipelines.phases.accounts import rows_by_fate
from crm_pipelines.phases.predict import STATES_SCHEMA
from crm_pipelines.phases.resolve import read_resolved
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


@pytest.mark.parametrize("route", ROUTES)
def test_rows_left_behind_by_name_are_excluded_with_the_words_of_whoever_said_so(tmp_path: Path, route: str) -> None:
    before = _rows(tmp_path, route)
    project = opened(tmp_path, route)
    paid = before["transactions"].filter(pl.col("into_key").is_not_null())
    buyer = read_resolved(project.resolved_folder, "purchases").drop_nulls("contact_key")["contact_key"][0]
    sale, booking = paid["key"].drop_nulls()[0], before["calendars"]["key"].drop_nulls()[0]
    broken = before["contacts"].filter(pl.col("bucket") == "quarantined").row(0, named=True)
    why = "a test: nobody needs it"
    named = {"contacts": {buyer: why}, "transactions": {sale: why}, "calendars": {booking: why}}
    told = {"left_behind": named, "left_lines": {"contacts": {broken["chunk"]: {str(broken["row"]): why}}}}
    decisions = f"owners: queue_rows\nmap: {orjson.dumps(told).decode()}\n"
    desire(opened(tmp_path, route, decisions=decisions))
    after = _rows(tmp_path, route, decisions)
    assert {name: rows.height for name, rows in before.items()} == {name: rows.height for name, rows in after.items()}
    for name, keys in named.items():
        rows = after[name].filter(pl.col("key").is_in(list(keys)))
        assert set(rows.select("bucket", "reason").iter_rows()) == {("excluded", f"left_behind: {why}")}
    line = after["contacts"].filter((pl.col("chunk") == broken["chunk"]) & (pl.col("row") == broken["row"])).row(0, named=True)
    assert (line["bucket"], line["reason"]) == ("excluded", f"left_behind: {why}")
    with_contact = pl.concat([rows.filter(pl.col("reason") == "left_out_with_contact") for rows in after.values()])
    assert with_contact.height > 0, "what hangs on a contact who stays behind stays with that contact"
    assert buyer not in set(read_resolved(project.resolved_folder, "contacts")["key"])
