"""The loaded sample beside its source, as a client reads it: what waits is told apart from what differs."""

from __future__ import annotations

import csv
import io

from crm_pipelines.phases.beside import Line, Page, Shown
from crm_pipelines.reports.reasons import sentence
from crm_pipelines.reports.side_by_side import as_page, as_table

NAME = (("name", "Ann"),)
THERE = Shown("people", "1", "77", "Ann", ("leads.csv row 1",), (Line("name", NAME, "Ann", "Ben", "differs"),), ())
ABSENT = (Line("name", NAME, "Cleo", "", "not there"), Line("owner", (), "chloe@example.com", "", "not there"))
WAITS = Shown("people", "2", "", "Cleo", ("leads.csv row 2",), ABSENT, (), "waiting", "no_user")
REFUSED = Shown("deals", "3", "", "Sale", (), ABSENT[:1], (), "refused", "bad_date")


def test_a_record_that_waits_says_why_and_is_counted_apart_from_what_differs() -> None:
    pages = [Page(THERE, ()), Page(WAITS, (REFUSED,)), Page(WAITS, ())]
    page = as_page(pages, "acme", 3)
    assert "1 differs" in page
    assert "1 fields compared" in " ".join(page.split())
    assert "1 record waits and is not in the CRM yet." in page
    assert "1 more is not in the CRM." in page
    assert f"waits: {sentence('no_user')}" in page
    rows = list(csv.DictReader(io.StringIO(as_table(pages))))
    assert [row["compared"] for row in rows if row["key"] == "2"] == [f"waits: {sentence('no_user')}"] * 4
    assert [row["compared"] for row in rows if row["key"] == "3"] == [f"the CRM refused it: {sentence('bad_date')}"]
    assert [row["compared"] for row in rows if row["key"] == "1"] == ["differs"]


def test_nothing_waits_and_nothing_is_said_of_it() -> None:
    page = as_page([Page(THERE, ())], "acme", 3)
    assert "not in the CRM" not in page
