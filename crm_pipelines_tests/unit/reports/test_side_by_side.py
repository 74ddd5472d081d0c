"""The loaded sample beside its source, as a client reads it: what waits is told apart from what differs."""

from __future__ import annotations

import csv
import io

import pytest

from crm_pipelines.phases.beside import Line, Page, Shown, compare
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


def test_what_comes_back_in_another_form_is_told_as_known_and_counts_as_no_difference() -> None:
    lines = (Line("add_time", (), "<i>Hello</i>", "<p><i>Hello</i></p>", "markup"), Line("amount", (), "0", "", "zero"))
    page = as_page([Page(Shown("people", "1", "77", "Ann", (), lines, ()), ())], "acme", 3)
    told = " ".join(page.split())
    assert "none differs" in told
    assert "does not give back" not in told
    assert "1 field stored with marks of the CRM's own around the text" in told.replace("&#39;", "'")
    assert "1 field of 0 that the CRM gives back as empty" in told
    assert "Known and harmless" not in as_page([Page(THERE, ())], "acme", 3)


def test_fields_are_called_as_a_client_calls_them_and_times_are_explained() -> None:
    lines = (Line("add_time", (), "2026-01-02T08:07:58Z", "", "not shown"), Line("shirt_size", (), "M", "M", "same"))
    pages = [Page(Shown("people", "1", "77", "Ann", (), lines, ()), ())]
    page = as_page(pages, "acme", 3)
    assert "add_time" not in page
    assert 'class="field">Added on<' in page
    assert 'class="field">shirt_size<' in page, "a name that the client gave stays"
    assert "Seal" not in page
    assert page.index("universal time") < page.index("<ol")
    assert [row["field"] for row in csv.DictReader(io.StringIO(as_table(pages)))] == ["Added on", "shirt_size"]


@pytest.mark.parametrize(
    ("made", "now", "state"),
    [
        ("First<br><i>call</i>", "<span>First<br><i>call</i></span>", "markup"),
        ("First", "<p>First, and more</p>", "differs"),
        ("First", "First <b>call</b>", "differs"),
        ("", "<p></p>", "differs"),
        (0, None, "zero"),
        (0.0, None, "zero"),
        (False, None, "not shown"),
        ("0", None, "not shown"),
        (5, None, "not shown"),
        (["b", "a"], ["A", "b"], "same"),
        (["a"], ["a", "b"], "more"),
        (["a", "c"], ["a", "b"], "differs"),
    ],
)
def test_what_is_harmless_is_told_from_what_differs(made: object, now: object, state: str) -> None:
    assert compare(made, now) == state
