"""A cell that cannot be read is in doubt, not empty: no older or other row's value takes its place unseen."""

from __future__ import annotations

from typing import Any

import pytest

from crm_pipelines_tests.lib.staged_objects import Row, day, resolved, row_of, staged

READ: Row = {"id": "1", "email": "ann@example.com", "date_joined": day(1), "raw_date_joined": "2025-05-01"}
ODD: Row = {**READ, "date_joined": None, "raw_date_joined": "last spring"}
EMPTY: Row = {**READ, "date_joined": None, "raw_date_joined": None}
CORRECTED: Row = {**READ, "date_joined": day(9), "raw_date_joined": "2025-05-09"}


def joined(*files: list[Row]) -> tuple[Any, Any]:
    one = row_of(resolved(staged("contacts", *files)).frames["contacts"], "1")
    return one["date_joined"], one["raw_date_joined"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([[READ], [ODD]], (None, "last spring")),
        ([[ODD], [READ]], (day(1), "2025-05-01")),
        ([[ODD], [EMPTY]], (None, "last spring")),
        ([[READ], [ODD], [CORRECTED]], (day(9), "2025-05-09")),
    ],
)
def test_the_newest_export_that_says_something_counts_even_when_it_cannot_be_read(
    files: list[list[Row]], expected: tuple[Any, Any]
) -> None:
    assert joined(*files) == expected


def test_a_twin_does_not_stand_in_for_what_the_survivor_says() -> None:
    assert joined([ODD, {**READ, "id": "2"}]) == (None, "last spring")
    assert joined([EMPTY, {**READ, "id": "2"}]) == (day(1), "2025-05-01")
