"""A plan, what came of it, and the audit trail, as people read them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from crm_pipelines.reports.audit import as_markdown, audit_table, write_audit
from crm_pipelines.reports.planning import records_table, rows_table
from crm_pipelines.reports.terminal import show_foreseen

CHUNK = {"chunk": "001", "file": "leads.csv", "object": "contacts", "records": {"created": 7}, "requests": 7, "tokens": 35}
FORESEEN: dict[str, Any] = {
    "phases": [
        {
            "phase": "people",
            "records": {"created": 2468, "updated": 1, "waiting": 3},
            "waits": [{"queue": "conflict", "reason": "several_existing", "records": 3}],
            "requests": 2469,
            "tokens": 12345,
            "done_on": "2026-11-23",
            "chunks": [CHUNK, {**CHUNK, "file": "later.csv"}],
        }
    ],
    "files": [
        {"file": "leads.csv", "object": "contacts", "phase": "people", "physical_rows": 2472, "buckets": {"created": 2468, "waiting": 4}}
    ],
}
LINE = "people: predicted 2,468 created, 2,467 came; 1 of the created is waiting in queue parent"
TRAIL = {
    "engagement": "acme",
    "entries": [
        {
            "no": 1,
            "at": "2026-11-22T10:00:00+00:00",
            "by": "Dana <script>",
            "what": "map confirmed",
            "detail": {
                "seal": 1,
                "digest": "abc",
                "cites": None,
                "changes": ["decision lists: was labels, is custom_field"],
                "records": {"people": 50},
            },
        }
    ],
}


def printed(*things: Any) -> str:
    out = io.StringIO()
    console = Console(file=out, width=160)
    for each in things:
        console.print(each)
    return out.getvalue()


def test_a_plan_tells_buckets_calls_tokens_and_days_per_phase_and_file() -> None:
    text = printed(records_table(FORESEEN), rows_table(FORESEEN))
    for part in ("people", "2,468", "12,345", "2026-11-23", "leads.csv", "later.csv", "2,472"):
        assert part in text, part


@pytest.mark.parametrize(
    ("differences", "explained", "told"),
    [
        ([], [], "As foreseen: 2,472 records of 1 phases came as predicted."),
        ([LINE], [], f"Otherwise than foreseen, a defect: {LINE}"),
        ([], [LINE], f"Otherwise than foreseen, for a reason the run recorded: {LINE}"),
    ],
)
def test_what_came_is_told_against_what_was_foreseen(differences: list[str], explained: list[str], told: str) -> None:
    phases = [{"phase": "people", "predicted": {"created": 2468, "waiting": 4}, "actual": {"created": 2468}, "is_judged": True}]
    out = io.StringIO()
    show_foreseen(Console(file=out, width=200), {"phases": phases, "differences": differences, "explained": explained})
    assert out.getvalue().strip() == told


def test_the_trail_says_who_when_what_and_why_and_is_private(tmp_path: Path) -> None:
    paths = write_audit(TRAIL, tmp_path)
    assert {path.stat().st_mode & 0o777 for path in paths.values()} == {0o600}
    assert json.loads(paths["json"].read_text())["entries"][0]["detail"]["seal"] == 1
    page = as_markdown(TRAIL)
    assert "## 1. map confirmed, by Dana ‹script›, 2026-11-22 10:00" in page
    assert "- changes: decision lists: was labels, is custom_field" in page
    assert "- records: 50 people" in page
    assert "abc" not in page
    assert "Dana" in printed(audit_table(TRAIL))
    assert "Nothing yet." in as_markdown({**TRAIL, "entries": []})
