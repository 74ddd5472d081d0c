"""The steps to the end: working days for people, calendar days for the load, nothing where nobody can know."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from crm_pipelines.discovery.timeline import timeline, working_day
from crm_pipelines_tests.lib import found_by_hand as by_hand


@pytest.mark.parametrize(
    ("start", "after", "day"),
    [
        ("2026-11-20", 0, "2026-11-20"),  # a Friday
        ("2026-11-20", 1, "2026-11-23"),
        ("2026-11-21", 0, "2026-11-23"),
        ("2026-11-22", 1, "2026-11-24"),
        ("2026-11-23", 5, "2026-11-30"),
    ],
)
def test_working_days(start: str, after: int, day: str) -> None:
    assert working_day(date.fromisoformat(start), after).isoformat() == day


def test_steps_follow_each_other_and_only_the_load_uses_weekends() -> None:
    found = replace(by_hand.discovery(), made_at=datetime(2026, 11, 20, tzinfo=UTC))
    steps = timeline(found)
    for before, after in itertools.pairwise(steps):
        assert before["first"] <= before["last"] < after["first"]
    for step in steps:
        days = [date.fromisoformat(step[name]).weekday() for name in ("first", "last")]
        assert step["step"] == "Loading" or max(days) < 5
    assert steps[0]["first"] == "2026-11-23"  # the Monday after
    load = next(step for step in steps if step["step"] == "Loading")
    assert load["days"] == 2


@pytest.mark.parametrize("changes", [{"forecast": {}}, {"forecast": {}, "inspection": {}}])
def test_without_a_forecast_the_end_is_not_known(changes: dict[str, Any]) -> None:
    steps = timeline(replace(by_hand.discovery(), **changes))
    assert [step["last"] is None for step in steps] == [False, False, False, True, True]


def test_more_hours_take_more_days() -> None:
    found = by_hand.discovery()
    much = replace(found, grades=tuple(replace(one, hours=one.hours * 10) for one in found.grades))
    assert timeline(much)[1]["days"] > timeline(found)[1]["days"]
    assert timeline(much)[-1]["last"] > timeline(found)[-1]["last"]
