"""From export text to what arrives and what waits: contacts that are one person, and payments that cannot be read, on both routes."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import orjson
import polars as pl
import pytest

from crm_pipelines.phases.accounts import rows_by_fate
from crm_pipelines.phases.merged import merged_differences
from crm_pipelines.phases.project import Project
from crm_pipelines.reports.merged import write_merged
from crm_pipelines_tests.lib.opened import ROUTES, written
from crm_pipelines_tests.lib.walk import desire

CONTACTS = """\
ID,Email,First_name,Phone,Phone_country_code,Country,City,IP
1,ann@example.com,Ann,(415) 555-0123,,United States,Bath,192.0.2.1
2,ANN@example.com,Anna,020 7946 0123,+44,,York,192.0.2.2
3,bob@example.com,Bob,,,,,
"""
TRANSACTIONS = """\
ID,Transaction_Type,Date,Product,Quantity,Amount (USD),Lead_ID,Buyer_Email,Revenue (USD),Subscription_ID
101,Sale,2025-05-03 12:00:00,Gold,1,49.00,1,,,N/A
102,Sale,2025-05-04 12:00:00,Tea,1,about 50,1,,,N/A
103,Refund,2025-05-05 12:00:00,Tea,1,50.00,1,,,N/A
104,Sale,2025-05-04 12:00:00,Cake,two,10.00,1,,,N/A
105,Sale,soon,Bread,1,10.00,1,,,N/A
106,Sale,2025-05-04 12:00:00,Club,1,10.00,3,,,7
107,Rebill,2025-06-04 12:00:00,Club,1,ten,3,,,7
"""
DEALS = """\
Deal ID,Deal Name,Stage,Amount,Deal Currency,Status,Created Date,Contact ID,Contact Email
1,Plain,New,10.00,USD,open,2025-05-03,1,
2,Odd,New,plenty,USD,open,2025-05-03,1,
3,Foreign,New,10.00,Dollars,open,2025-05-03,1,
4,Empty,New,,USD,open,2025-05-03,1,
"""


@pytest.fixture(params=ROUTES)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    files = [("contacts_1.csv", CONTACTS), ("transactions_1.csv", TRANSACTIONS)]
    found = written(tmp_path, [*files, *([("deals_1.csv", DEALS)] if request.param == ROUTES[1] else [])], request.param)
    desire(found)
    return found


def waiting(project: Project, phase: str) -> dict[str, tuple[str | None, str | None]]:
    return {key: (queue, reason) for key, queue, reason in project.mapped(phase, "key", "queue", "reason").iter_rows()}


def test_every_number_arrives_and_what_did_not_is_in_a_private_file(project: Project, tmp_path: Path) -> None:
    people = {key: orjson.loads(payload) for key, payload in project.mapped("people", "key", "payload").iter_rows()}
    if "phones" in people["1"]:
        assert people["1"]["phones"] == ["+14155550123", "+442079460123"]
    else:
        assert (people["1"]["phone"], people["1"]["custom"]["Other phone numbers"]) == ("+14155550123", "+442079460123")
    path = write_merged(merged_differences(project), tmp_path / "handoff")
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(encoding="utf-8-sig", newline="") as file:
        told = [
            (row["Row in a spreadsheet"], row["Source record"], row["Record that stayed"], *list(row.values())[4:7])
            for row in csv.DictReader(file)
        ]
    assert told == [("3", "2", "1", "City", "York", "Bath"), ("3", "2", "1", "First_name", "Anna", "Ann")]  # the IP stays behind anyway


def test_without_a_difference_an_older_file_goes_away(tmp_path: Path) -> None:
    (tmp_path / "merged_contacts.csv").write_text("old", encoding="utf-8")
    columns = ("file", "row", "key", "into_key", "heading", "value", "stayed", "rule")
    assert write_merged(pl.DataFrame(schema=dict.fromkeys(columns, pl.String)), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_payments_that_cannot_be_read_wait_on_both_routes(project: Project) -> None:
    phase = project.spec.derive.purchases.phase if project.spec.derive.purchases else ""
    assert waiting(project, phase) == {
        "tx:101": (None, None),
        "tx:102": ("remediation", "no_amount"),
        "tx:104": ("remediation", "unreadable_number: quantity"),
        "tx:105": ("remediation", "no_date"),
        "sub:7": ("remediation", "payment_waits"),
    }
    states = project.mapped(phase, "key", "queue", "reason").with_columns(state=pl.lit("waiting"))
    rows = rows_by_fate(project, "transactions", lambda _: states).sort("row")
    told = dict(zip(rows["key"], zip(rows["bucket"], rows["reason"], strict=True), strict=True))
    assert (told["103"], told["107"]) == (("folded", None), ("waiting", "no_amount"))
    assert "deals_1.csv" not in {chunk.file_name for chunk in project.chunks()} or waiting(project, "deals") == {
        "1": (None, None),
        "2": ("remediation", "unreadable_number: amount"),
        "3": ("remediation", "unknown_currency"),
        "4": (None, None),
    }
