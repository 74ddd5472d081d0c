"""What `crm queue resolve` says it took, and what a waiting row asks for, in words that fit what was done."""

from __future__ import annotations

from typing import Any

import pytest

from crm_pipelines.phases.changes import differences
from crm_pipelines.reports.queues_shown import taken_lines
from crm_pipelines.reports.reasons import REASONS, next_step

TOLD: dict[str, Any] = {"taken": {}, "unanswered": 0, "skipped": [], "changes": [], "seal_no": None, "to_confirm": []}
USER = {"chloe@example.com": "has no user", "ana@example.com": "has a user"}


@pytest.mark.parametrize(
    ("taken", "line"),
    [
        ({"words": 1, "same": 1}, "Taken: 1 word explained, 1 pair that is one record."),
        ({"words": 2, "rows": 0, "invited": 1}, "Taken: 2 words explained, 1 owner who was invited."),
        ({"owners": 1, "rows": 1200}, "Taken: 1 owner whose records go to somebody else, 1,200 rows corrected."),
    ],
)
def test_one_is_said_as_one(taken: dict[str, int], line: str) -> None:
    assert next(taken_lines("acme", {**TOLD, "taken": taken})) == line


def test_a_single_row_without_an_answer_goes_on_waiting() -> None:
    assert "1 row came back without an answer; it goes on waiting." in list(taken_lines("acme", {**TOLD, "unanswered": 1}))


def test_an_owner_whose_records_go_to_somebody_is_not_gone_from_the_exports() -> None:
    old = {"destination": {"users": USER}, "map": {}}
    without = {"destination": {"users": {"ana@example.com": "has a user"}}}
    taken_over = {**without, "map": {"owners": {"Chloe@example.com": "ana@example.com"}}}
    assert [str(each) for each in differences(old, taken_over)] == [
        "records of Chloe@example.com: now go to ana@example.com",
        "owner chloe@example.com: no record is left with them, ana@example.com takes over",
    ]
    assert [str(each) for each in differences(old, without)] == ["owner chloe@example.com: gone from the exports"]


def test_what_to_do_is_what_a_client_can_do() -> None:
    for code in ("no_user", "unknown_type", "unknown_option"):
        assert "the queue file or the workbook" in next_step(code)
    assert not [code for code, (_, step) in REASONS.items() if "mapping spec" in step or "decision `" in step]
