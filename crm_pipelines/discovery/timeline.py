"""The steps from today to the hand-over, with the earliest days on which they can be: by the rules of `grades.yaml`.

Belongs here: counting days. Not here: what a day of loading holds (phases.plan), how much work it is (grades).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from crm_pipelines.discovery.grades import by_rule, load_days, measures, read_rules
from crm_pipelines.discovery.values import Discovery

SATURDAY = 5


def timeline(found: Discovery) -> tuple[Mapping[str, Any], ...]:
    """Return the steps to the end: step, who, told, days, first, last.

    Shape: days are working days, those of loading calendar days; first and last are ISO dates, None from the first step whose
    length nobody knows yet.
    """
    rules, counted = read_rules(), measures(found)
    effort = sum(one.hours for one in found.grades) / rules["hours_per_day"]
    start: date | None = found.made_at.date() + timedelta(days=1)
    steps = []
    for rule in rules["steps"]:
        is_load, days = rule["days"] == "load", _days(rule["days"], found, counted, effort)
        first = last = None
        if days is not None and start is not None:
            first = start if is_load else working_day(start, 0)
            last = first + timedelta(days=days - 1) if is_load else working_day(first, days - 1)
        start = last + timedelta(days=1) if last else None
        told = {"step": rule["step"], "who": rule["who"], "told": rule["told"], "days": days}
        steps.append({**told, "first": first.isoformat() if first else None, "last": last.isoformat() if last else None})
    return tuple(steps)


def working_day(start: date, after: int) -> date:
    """Return the working day so many working days after the first one on or after `start`."""
    day = start
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    for _ in range(after):
        day += timedelta(days=3 if day.weekday() == SATURDAY - 1 else 1)
    return day


def _days(rule: Any, found: Discovery, counted: Mapping[str, int], effort: float) -> int | None:
    if rule == "load":
        return load_days(found) or None
    return max(1, math.ceil(effort if rule == "effort" else by_rule(rule, counted)))
