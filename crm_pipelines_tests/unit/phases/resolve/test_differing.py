"""What merged contacts said otherwise than the person they became is told, and nothing that was kept."""

from __future__ import annotations

import pytest

from crm_pipelines.phases.resolve import ResolveSettings
from crm_pipelines_tests.lib.staged_objects import Row, day, resolved, staged

FIRST = {"id": "1", "email": "ann@example.com", "city": "Bath", "company": "Acme", "status": "Subscribed", "tags": ["a"], "notes": "one"}


def differing(second: Row, first: Row | None = None, **settings: object) -> list[tuple[object, ...]]:
    rows = [first or FIRST, {"id": "2", "email": "ANN@example.com", **second}]
    result = resolved(staged("contacts", rows), settings=ResolveSettings(**settings))  # type: ignore[arg-type]
    assert result.differing is not None
    return result.differing.select("row", "key", "into_key", "column", "value", "stayed", "rule").rows()


CASES = [
    ({"city": "York"}, [(2, "2", "1", "city", "York", "Bath", "first")]),
    ({"city": "bath "}, []),  # the same city, written otherwise
    ({"last_name": "Smith"}, []),  # it fills what the survivor leaves empty
    (
        {"company": "Brown & Co", "city": "York"},
        [(2, "2", "1", "city", "York", "Bath", "first"), (2, "2", "1", "company", "Brown & Co", "Acme", "first")],
    ),
    ({"status": "Unsubscribed"}, [(1, "1", "1", "status", "Subscribed", "Unsubscribed", "strictest")]),
    ({"tags": ["b"], "notes": "two", "phone": "020 7946 0123"}, []),  # all of it is kept
]


@pytest.mark.parametrize(("second", "expected"), CASES)
def test_what_did_not_stay_is_told_with_its_row(second: Row, expected: list[tuple[object, ...]]) -> None:
    assert differing(second) == expected


def test_a_date_is_told_as_it_reads() -> None:
    ((*_, column, value, stayed, rule),) = differing({"date_joined": day(2)}, {**FIRST, "date_joined": day(1)})
    assert (column, value, stayed, rule) == ("date_joined", "2025-05-02 12:00:00 UTC", "2025-05-01 12:00:00 UTC", "first")


def test_newer_exports_of_one_contact_and_people_who_stay_behind_are_no_difference() -> None:
    again = resolved(staged("contacts", [FIRST], [{**FIRST, "city": "York"}]))
    assert again.differing is not None
    assert again.differing.is_empty()
    bounced = {**FIRST, "status": "Multiple soft bounces"}
    assert differing({"city": "York", "status": "Multiple soft bounces"}, bounced, leave_out=("bounced",)) == []
