"""What a client reads in the reconciliation: what is still theirs to do, money from the raw exports, who decided, what is different."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest

from crm_pipelines.reports import workbook_layout
from crm_pipelines.reports.reconciliation import as_html, write_reconciliation
from crm_pipelines.reports.reconciliation_cost import cost_lines, cost_parts
from crm_pipelines.reports.reconciliation_facts import COLUMNS_SHEET, different, headline, kinds, mailing, needs, needs_count, stayed
from crm_pipelines.reports.reconciliation_money import bridges
from crm_pipelines.reports.reconciliation_words import short_names
from crm_pipelines_tests.unit.reports.test_reports import ACCOUNT

LONG = "leads_kartra_28-05-2026_6a183f237926d.csv"
BRIDGE: dict[str, Any] = {
    "object": "transactions",
    "phases": ["deals"],
    "currency": "USD",
    "raw": [
        {"kind": "chargeback", "rows": 1, "sum": "-10.0000", "no_amount": 0},
        {"kind": "sale", "rows": 9, "sum": "1300.5000", "no_amount": 1},
        {"kind": "failed", "rows": 3, "sum": "77.0000", "no_amount": 0},
    ],
    "aside": [
        {"bucket": "quarantined", "reason": "short_row", "rows": 1, "sum": "0.0000", "no_amount": 1},
        {"bucket": "waiting", "reason": "two_candidates", "rows": 1, "sum": "-49.0000", "no_amount": 0},
    ],
    "by_decision": "0",
    "expected": "1339.5000",
    "found": {"records": 8, "sum": "1339.5000"},
    "found_by": [{"status": "lost", "records": 2, "sum": "20.0000"}, {"status": "won", "records": 8, "sum": "1339.5000"}],
    "memo": {"status": "lost", "records": 2, "sum": "20.0000"},
    "difference": "0.0000",
}
EXPLAINED: dict[str, Any] = {
    **ACCOUNT,
    "source": "old_crm",
    "destination": "new_crm",
    "confirmed": "full",
    "exit_code": 10,
    "confirmed_by": {"by": "Ada", "at": "2026-11-22T10:00:00+00:00", "kind": "full"},
    "files": [{**ACCOUNT["files"][0], "file": LONG, "chunk": "c1", "adds_up": True}],
    "files_sent": {"c1": "ab" * 32},
    "queues": [*ACCOUNT["queues"], {"queue": "parent", "reason": "parent_waits", "object": "calendars", "rows": 70}],
    "columns": [
        {"object": "contacts", "heading": "funnel_stage", "state": "waiting", "why": "?", "files": 1, "filled": 350, "values": 344},
        {"object": "contacts", "heading": "fax", "state": "ignored", "why": "Nobody faxes.", "files": 1, "filled": 9, "values": 9},
        {"object": "contacts", "heading": "ip", "state": "ignored", "why": "A trace.", "files": 1, "filled": 800, "values": 700},
        {"object": "contacts", "heading": "partner", "state": "ignored", "why": "Unused.", "files": 1, "filled": 1584, "values": 0},
    ],
    "set_aside": [
        {
            "file": LONG,
            "object": "contacts",
            "bucket": "quarantined",
            "reason": "unterminated_quote",
            "rows": 1,
            "lines": "1268-1270",
            "sheet_rows": "975",
            "line_count": 3,
        },
        {"file": LONG, "object": "contacts", "bucket": "excluded", "reason": "failed_payment", "rows": 274, "lines": ""},
    ],
    "waits": [{"phase": "tags", "reason": "parent_waits", "records": 7}],
    "decisions": [
        {
            "name": "alone",
            "question": "What of contacts without a company?",
            "answer": "own",
            "told": "One each.",
            "is_default": True,
            "by": None,
            "at": None,
        },
        {
            "name": "failed",
            "question": "Failed payments?",
            "answer": "exclude",
            "told": "Left out.",
            "is_default": False,
            "by": "Ada",
            "at": "2026-11-20T10:00:00+00:00",
        },
    ],
    "decides": {"failed_payment": "failed"},
    "made": [{"phase": "people", "records": 932, "kind": "private", "decision": "alone"}],
    "opt_outs": [
        {
            "phase": "people",
            "field": "marketing_status",
            "word": "unsubscribed",
            "is_whole_phase": False,
            "counts": {"status": ["Unsubscribed", "Spam complaint"]},
            "there": 534,
            "waiting": 1,
            "others": {"no_consent": 20},
        }
    ],
    "not_received": [{"object": "calendars", "without_it": "Appointments do not arrive.", "how": ""}],
    "gaps": [{"what": "courses", "why": "Nobody exports them.", "instead": "Write them down."}],
    "money_bridge": [BRIDGE],
    "budget": {
        **ACCOUNT["budget"],
        "notes": ["Subscriptions become orders."],
        "tokens_per_day": 61_000,
        "reserve": 1_000,
        "spent_on": {"records": 5_910, "prepare": 50, "looks": 140},
    },
}


def read(page: str) -> str:
    """Return a page as it is read: no marks, one blank between words."""
    body = page[page.index("<body>") :]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_sheet_of_columns_is_called_as_the_workbook_calls_it() -> None:
    assert COLUMNS_SHEET == workbook_layout.COLUMNS


def test_everything_that_is_a_persons_to_do_is_in_one_list_with_its_file() -> None:
    found = {(one.what, one.count, one.where.partition(",")[0]) for one in needs(EXPLAINED)}
    assert found == {
        ("contacts that wait", 4, "queues/review.xlsx"),
        ("contacts that cannot be read", 1, "queues/remediation.xlsx"),
        ("column “funnel_stage” of contacts", 1, "handoff/map.xlsx"),
    }
    page = read(as_html(EXPLAINED))
    assert needs_count(EXPLAINED) == 6
    assert page.index("What still needs you: 6") < page.index("What arrived Kind".replace(" Kind", " kind"))
    assert "344 values stay behind" in page
    assert "at least 3 lines, possibly more records" in page
    assert "7 of tags on records: The record it belongs to waits." in page


@pytest.mark.parametrize(
    ("changed", "told", "css"),
    [
        ({}, "Not finished yet.", "wait"),
        ({"exit_code": 11}, "Not finished: something does not agree", "bad"),
        ({"exit_code": 3}, "Not finished: not everything is sent yet", "wait"),
        ({"exit_code": 0, "queues": [], "columns": [], "set_aside": []}, "Finished:", "good"),
        ({"confirmed": "sample", "exit_code": 0}, "Only the sample", "wait"),
    ],
)
def test_the_headline_never_says_finished_while_something_is_open(changed: dict[str, Any], told: str, css: str) -> None:
    text, shown = headline({**EXPLAINED, **changed})
    assert (text.startswith(told), shown) == (True, css)


def test_money_runs_from_the_exports_to_the_new_system_and_names_what_is_set_aside() -> None:
    (bridge,) = bridges(EXPLAINED)
    steps = [(step.what, step.rows, step.sum) for step in bridge.steps]
    assert steps == [
        ("sales", "9", "1,300.50"),
        ("chargebacks", "1", "-10.00"),
        ("what stayed, by the exports", "", "1,290.50"),
        ("set aside, unreadable: Cells are missing in this line.", "1", "cannot be told"),
        ("set aside, waiting (money paid back): The refund fits more than one sale.", "1", "49.00"),
        ("so this has to stand in New Crm", "", "1,339.50"),
        ("stands in New Crm, by its own list", "8", "1,339.50"),
    ]
    notes = " ".join(bridge.notes)
    assert "3 failed payments of 77.00 in all brought no money" in notes
    assert "2 records of 20.00 in all stand as “lost”" in notes
    assert "do not add this sum" in notes
    assert "paid back in full, so that" in notes
    assert bridge.agrees
    made = {**EXPLAINED, "made": [{"phase": "deals", "records": 3, "kind": "failed", "decision": "failed"}]}
    assert "each a record of its own" in " ".join(bridges(made)[0].notes)


def test_records_without_an_amount_are_counted() -> None:
    assert "people no amount, in no sum 1,199 – 1,198 – ✗" in read(as_html(EXPLAINED))


def test_money_that_does_not_agree_is_said_with_the_difference() -> None:
    off = {**EXPLAINED, "money_bridge": [{**BRIDGE, "found": {"records": 7, "sum": "1300.0000"}, "difference": "-39.5000"}]}
    assert bridges(off)[0].steps[-1].sum == "-39.50"
    assert "✗ It does not agree." in read(as_html(off))


def test_decisions_say_who_answered_and_how_many_records_they_make() -> None:
    page = read(as_html(EXPLAINED))
    assert "932 of the 1,204 people are private persons" in page
    assert "(By default; you did not change it: What of contacts without a company? One each.)" in page
    assert "Failed payments? Left out. Ada, 20 Nov 2026" in page
    assert "Failed payments are left out: Ada, 20 Nov 2026." in page
    assert ", as decided" not in page


def test_who_must_not_be_mailed_is_told_with_its_place_and_words() -> None:
    told = " ".join(mailing(EXPLAINED))
    assert "534 people must not be mailed: in New Crm their field “marketing status” says “unsubscribed”." in told
    assert "1 more waits, and must not be mailed either." in told
    assert "status: Unsubscribed, Spam complaint" in told
    assert "20 “no consent”" in told


def test_who_may_and_may_not_be_mailed_adds_up_to_all_who_are_there() -> None:
    assert "646 of the 1,200 people say nothing there: no usable e-mail address" in " ".join(mailing(EXPLAINED))
    told = {**EXPLAINED["opt_outs"][0], "there": 1180}
    assert "is not counted here" not in " ".join(mailing(EXPLAINED)), "they have just been counted"
    assert "say nothing" not in " ".join(mailing({**EXPLAINED, "opt_outs": [told]})), "nobody is left over"


def test_what_money_waits_on_comes_first_with_its_sum_and_columns_last() -> None:
    aside = [
        {"bucket": "waiting", "reason": "no_contact", "rows": 1, "sum": "9.9900", "no_amount": 0},
        {"bucket": "waiting", "reason": "two_candidates", "rows": 1, "sum": "-49.0000", "no_amount": 0},
        {"bucket": "quarantined", "reason": "missing_key", "rows": 1, "sum": "99.9900", "no_amount": 0},
    ]
    queues = [
        {"queue": "owner", "reason": "no_user", "object": "contacts", "rows": 1},
        {"queue": "review", "reason": "no_contact", "object": "transactions", "rows": 1},
        {"queue": "review", "reason": "no_contact", "object": "calendars", "rows": 3},
        {"queue": "review", "reason": "two_candidates", "object": "transactions", "rows": 1},
    ]
    lost = {**EXPLAINED["set_aside"][0], "object": "transactions", "reason": "missing_key"}
    told = {**EXPLAINED, "queues": queues, "set_aside": [lost], "money_bridge": [{**BRIDGE, "aside": aside}]}
    found = needs(told)
    assert [(one.what, str(one.money)) for one in found] == [
        ("transactions that cannot be read", "99.9900"),
        ("transactions that wait", "49.0000"),
        ("transactions that wait", "9.9900"),
        ("contacts that wait", "0"),
        ("calendars that wait", "0"),
        ("column “funnel_stage” of contacts", "0"),
    ]
    assert "Until then 99.99 USD is missing in the new system." in found[0].why
    assert "Until then the new system shows 49.00 USD too much, for that was paid back." in found[1].why
    assert "Until then" not in found[3].why


def test_the_first_page_says_what_else_is_counted_and_why_more_was_spent() -> None:
    tags = {**ACCOUNT["phases"][1], "phase": "tags", "wanted": 30, "records": {"created": 30}, "money": []}
    budget = {**EXPLAINED["budget"], "unit": "requests", "forecast": 59, "spent": 203, "tokens_per_day": None, "duration_s": None}
    budget |= {"spent_on": {"records": 25, "prepare": 12, "looks": 166}}
    page = read(as_html({**EXPLAINED, "phases": [*EXPLAINED["phases"], tags], "budget": budget}))
    assert "30 tags on records (one for each tag on each record) and 4 that wait still." in page
    assert "25 of the 203 requests made records; most others went into looking" in page
    assert page.index("25 of the 203") < page.index("What still needs you")
    assert "made records; most" not in read(as_html(EXPLAINED)), "1.7 % more is no news"


def test_what_is_different_from_the_old_system_stands_at_the_top() -> None:
    told = dict(different(EXPLAINED))
    assert told["New Crm works otherwise"] == "Subscriptions become orders."
    assert told["Not received: calendars"] == "Appointments do not arrive."
    assert told["Courses did not move"] == "Nobody exports them. Write them down."
    page = read(as_html(EXPLAINED))
    assert page.index("What is different from what you had") < page.index("Every row of your exports")


def test_what_merged_contacts_said_otherwise_is_counted_with_its_file() -> None:
    told = dict(different({**EXPLAINED, "merged": {"values": 3, "records": 1}}))
    assert told["3 values of merged contacts did not arrive"] == (
        "Several contacts became 1 record and said different things: one value stayed. "
        "The others stand by row and column in merged_contacts.csv."
    )
    assert different({**EXPLAINED, "merged": {"values": 0, "records": 0}}) == different(EXPLAINED)


def test_users_are_said_to_be_looked_up_and_a_waiting_one_is_open() -> None:
    users = {**ACCOUNT["phases"][0], "wanted": 5, "records": {"unchanged": 4, "waiting": 1}}
    (kind,) = kinds({**EXPLAINED, "phases": [users]})
    assert (kind.there, kind.check, kind.css) == ("4 found", "agrees, 1 open", "wait")
    assert "Looked up by e-mail address, never made" in kind.note


def test_columns_are_told_by_loss_and_words_for_nothing_are_no_values() -> None:
    left, empty = stayed(EXPLAINED)
    assert [one["heading"] for one in left] == ["ip", "fax"]
    assert empty == "1 column held nothing at all: partner (contacts)."


def test_what_was_spent_is_compared_with_the_forecast_part_by_part_and_with_a_day() -> None:
    told = " ".join(cost_lines(EXPLAINED))
    assert "Forecast for one load: 6,000 tokens. Spent in this pass: 6,100 (1.7% more)." in told
    assert "The 100 beyond it went: 100 to look." in told
    assert "61,000 tokens a day, 1,000 of which were kept for your other apps: this pass took 10.0% of a day." in told
    parts = re.findall(
        r"(for records|to prepare fields and lists|to look: lists, counts, checks) ([\d,]+) ([\d,]+)", read(as_html(EXPLAINED))
    )
    assert [(was, came) for _, was, came in parts] == [("5,910", "5,910"), ("50", "50"), ("40", "140")]


def test_without_a_quota_what_is_not_for_records_is_compared_as_one() -> None:
    budget = {**ACCOUNT["budget"], "unit": "requests", "notes": [], "duration_s": 20.0, "calendar": [], "forecast": 59, "spent": 190}
    budget |= {"prepare": 35, "verify": 11, "spent_on": {"records": 15, "prepare": 6, "looks": 169}}
    told = {**EXPLAINED, "budget": budget}
    assert cost_parts(told)[1][1:] == (46, 175)
    assert "The 131 beyond it went: 2 for records, 129 to prepare and to look." in " ".join(cost_lines(told))


def test_a_row_is_named_as_a_spreadsheet_shows_it_and_a_file_by_a_short_name() -> None:
    page = read(as_html(EXPLAINED))
    assert "spreadsheet row 975 (text line 1268-1270)" in page
    assert page.count(LONG) == 1, "the full name stands in the table at the end"
    assert f"{LONG} {'ab' * 32}" in page
    assert short_names([LONG, "tags.csv", "a_6a183f237926d.csv", "a_7a183f237926d.csv"]) == {
        LONG: "leads_kartra_28-05-2026",
        "tags.csv": "tags",
        "a_6a183f237926d.csv": "a (1)",
        "a_7a183f237926d.csv": "a (2)",
    }


def test_a_pass_tells_of_the_others_and_leads_to_them(tmp_path: Path) -> None:
    again = {**EXPLAINED, "pass": 2, "phases": [{**ACCOUNT["phases"][0]}]}
    write_reconciliation(EXPLAINED, tmp_path)
    write_reconciliation(again, tmp_path)
    write_reconciliation(EXPLAINED, tmp_path)
    page = (tmp_path / "reconciliation.html").read_text()
    assert "pass 1 of 2" in read(page)
    assert "Pass 2 changed nothing: everything was there already" in read(page)
    assert 'href="passes/0002.html"' in page
    assert 'href="0002.html"' in (tmp_path / "passes" / "0001.html").read_text()


def test_an_account_of_an_earlier_version_can_be_shown_still() -> None:
    page = read(as_html(ACCOUNT))
    assert "What still needs you: 5" in page
    assert "Acme: Kartra to Pipedrive, what arrived" in page


@pytest.mark.parametrize("word", ["bucket", "folded", "quarantined", "opt_outs", "gate", "wanted", "reconciled", "`"])
def test_the_page_speaks_no_jargon(word: str) -> None:
    assert word not in read(as_html(EXPLAINED)).casefold()


def test_nothing_is_hidden_or_cut_off_on_paper() -> None:
    page = as_html(EXPLAINED)
    assert "overflow-x" not in page
    assert page.count("<details") == page.count("<details open")
    assert page.count("<table") == page.count("<thead")
    assert "details::details-content" in page
