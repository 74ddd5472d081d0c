"""Report files and tables: escaped, private, complete, and gone when there is nothing to say."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from crm_pipelines.reports.figures import duration
from crm_pipelines.reports.live import LiveRun
from crm_pipelines.reports.reconciliation import as_html, columns_of, write_reconciliation
from crm_pipelines.reports.terminal import cost_table, forecast_table, show_account

ACCOUNT: dict[str, Any] = {
    "engagement": "acme",
    "route": "kartra_to_pipedrive",
    "pass": 1,
    "verdict": "Reconciled: some rows wait.",
    "files": [
        {
            "file": "a<b>.csv",
            "object": "contacts",
            "phase": "people",
            "physical_rows": 1204,
            "buckets": {"created": 1200, "waiting": 4},
            "adds_up": True,
        },
        {"file": "x.csv", "object": "tags", "phase": "destination_schema", "physical_rows": 2, "buckets": {"folded": 1}, "adds_up": False},
    ],
    "phases": [
        {
            "phase": "users",
            "wanted": 2,
            "records": {"unchanged": 2},
            "destination_count": None,
            "money": [],
            "gate": "passed",
            "reasons": [],
        },
        {
            "phase": "people",
            "wanted": 1204,
            "records": {"created": 1200, "waiting": 4},
            "destination_count": 1199,
            "money": [
                {"currency": "USD", "status": "won", "wanted": 1, "wanted_sum": "9.5000", "found": 1, "found_sum": "9.5000", "agrees": True}
            ],
            "gate": "shut",
            "reasons": ["destination's list: 1 records missing"],
        },
    ],
    "queues": [{"queue": "review", "reason": "no_contact", "object": "contacts", "rows": 4}],
    "columns": [
        {"object": "contacts", "heading": "email", "state": "mapped", "why": "", "files": 1, "filled": 1204},
        {"object": "contacts", "heading": "funnel_stage", "state": "waiting", "why": "not known to the map", "files": 1, "filled": 3},
    ],
    "budget": {
        "unit": "tokens",
        "duration_s": None,
        "notes": [],
        "forecast": 6000,
        "spent": 6100,
        "cheapest": 5900,
        "prepare": 50,
        "verify": 40,
        "calendar": [{"day": "2026-11-22", "tokens": 6000, "done_pct": 100}],
    },
}


def printed(show: Any) -> str:
    out = io.StringIO()
    show(Console(file=out, width=160))
    return out.getvalue()


def test_the_page_holds_every_figure_and_escapes_names() -> None:
    page = as_html(ACCOUNT)
    assert "a&lt;b&gt;.csv" in page
    assert "a<b>.csv" not in page
    for text in ("1,204", "1,200", "1,199", "hold no contact", "9.50", "funnel_stage", "records missing", "6,100", "6,000"):
        assert text in page
    assert page.count("✗") == 2, "a file, and a record without an amount that the list lacks"


def test_reports_are_for_their_owner_only_and_whole(tmp_path: Path) -> None:
    paths = write_reconciliation(ACCOUNT, tmp_path)
    assert json.loads(paths["json"].read_text())["phases"][1]["destination_count"] == 1199
    assert {path.stat().st_mode & 0o777 for path in paths.values()} == {0o600}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["passes", "reconciliation.html", "reconciliation.json"]


def test_a_later_pass_leaves_the_report_of_an_earlier_one(tmp_path: Path) -> None:
    write_reconciliation(ACCOUNT, tmp_path)
    write_reconciliation({**ACCOUNT, "pass": 2}, tmp_path)
    assert "pass 1, written" in (tmp_path / "passes" / "0001.html").read_text()
    assert "pass 2 of 2, written" in (tmp_path / "reconciliation.html").read_text()


def test_columns_keep_the_order_of_a_rows_life_and_lose_nothing() -> None:
    assert columns_of([{"waiting": 1, "created": 2, "folded": 0}, {"odd": 1}]) == ["created", "waiting", "odd"]


def test_the_terminal_ticks_what_adds_up_and_says_what_does_not() -> None:
    text = printed(lambda console: show_account(console, ACCOUNT))
    people = next(line for line in text.splitlines() if line.strip().startswith("people") and "created" in line)
    assert "✓" in people
    assert "shut" in people
    assert "derived" in next(line for line in text.splitlines() if line.strip().startswith("users"))
    assert "✗" in next(line for line in text.splitlines() if "destination_schema" in line)
    assert "people: destination's list: 1 records missing" in text
    assert "Forecast for one load: 6,000 tokens. Spent in this pass: 6,100" in text


def test_the_forecast_names_tokens_and_days() -> None:
    row = {"create": 10, "update": 0, "unchanged": 0, "waiting": 1, "refused": 0, "requests": 10, "tokens": 50, "cheapest_tokens": 50}
    told = {
        "phases": {"people": row},
        "unit": "tokens",
        "notes": [],
        "prepare_requests": 1,
        "verify_requests": 2,
        "total_requests": 13,
        "prepare_tokens": 5,
        "verify_tokens": 20,
        "total_tokens": 75,
        "tokens_per_day": 30_000,
        "reserve": 6_000,
        "remaining_today": 70,
        "calendar": [{"day": "2026-11-22", "tokens": 70, "done_pct": 93}, {"day": "2026-11-23", "tokens": 5, "done_pct": 100}],
    }
    text = printed(lambda console: (console.print(forecast_table(told)), console.print(cost_table(told))))
    for part in ("people", "verification", "75", "6,000 of them kept", "70 left today", "2026-11-23", "93 %"):
        assert part in text


def test_without_a_quota_requests_and_time_stand_where_tokens_would() -> None:
    row = {"create": 1200, "update": 0, "unchanged": 0, "waiting": 1, "refused": 0, "requests": 3, "tokens": None}
    told = {
        "phases": {"people": row},
        "unit": "requests",
        "duration_s": 250.0,
        "notes": ["There is no subscription app."],
        "prepare_requests": 2,
        "verify_requests": 4,
        "total_requests": 9,
        "calendar": [],
    }
    text = printed(lambda console: (console.print(forecast_table(told)), console.print(cost_table(told))))
    for part in ("1,200", "No quota: 9 requests, forecast to take 5 minutes", "Note: There is no subscription app."):
        assert part in text
    assert "token" not in text
    assert "forecast to take" not in printed(lambda console: console.print(cost_table({**told, "duration_s": None})))


NO_QUOTA = {**ACCOUNT["budget"], "unit": "requests", "duration_s": 250.0, "notes": ["There is no subscription app."], "calendar": []}


@pytest.mark.parametrize(("budget", "requests"), [(NO_QUOTA, True), ({**NO_QUOTA, "unit": None, "duration_s": None, "notes": []}, False)])
def test_a_report_speaks_of_tokens_only_where_there_are_some(budget: dict[str, Any], requests: bool) -> None:
    told = {**ACCOUNT, "budget": budget}
    page, text = as_html(told), printed(lambda console: show_account(console, told))
    assert ("token" in page.casefold(), "token" in text.casefold()) == (False, False)
    for shown in (page, text):
        assert ("Forecast for one load: 6,000 requests. Spent in this pass: 6,100" in shown) == requests
    assert ("5 minutes" in page, "5 minutes" in text, "subscription app" in page) == (requests, requests, requests)


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.2, "a minute or less"), (61, "2 minutes"), (7_190, "2.0 hours"), (7_100, "119 minutes"), (9_000, "2.5 hours")]
)
def test_a_time_is_told_as_a_person_would(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_a_live_run_counts_from_where_it_began_and_marks_a_shut_gate() -> None:
    out = io.StringIO()
    sent = iter([5, 7, 9])
    with LiveRun(Console(file=out, width=100)) as live:
        live.start("load people", 4, lambda: next(sent, 9))
        live.finish("load people")
        live.start("gate people", 1)
        live.finish("gate people", shut=True)
    assert "load people" in out.getvalue()
    assert "4/4" in out.getvalue()
    assert "✗ gate people: shut" in out.getvalue()


@pytest.mark.parametrize("queues", [[], ACCOUNT["queues"]])
def test_an_empty_queue_is_said_too(queues: list[dict[str, Any]]) -> None:
    page = as_html({**ACCOUNT, "queues": queues})
    assert ("What still needs you: 1</h2>" in page) is (not queues)  # the column that nobody decided about
    assert ("The exports hold no contact" in page) is bool(queues)
