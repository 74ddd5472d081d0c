"""Grades by rule: what a client's exports and destination come to, in letters, hours and sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crm_pipelines.discovery.grades import BEST_FIRST, Count, graded, measures, plural, read_rules
from crm_pipelines.discovery.values import CleanCount, Discovery, HistoryGap, OwnerFinding
from crm_pipelines_tests.lib import found_by_hand as by_hand

BASE = by_hand.discovery()


def clean_slate() -> Discovery:
    """A discovery in which nothing is wrong."""
    return replace(
        BASE,
        checklist=tuple(replace(item, is_there=True) for item in BASE.checklist),
        files=tuple(replace(file, bad_rows=0) for file in BASE.files),
        columns=(by_hand.column("Email"),),
        clean=(CleanCount("contacts", 100, 100, {}, 95, {}),),
        history=(HistoryGap("Webinars", "Tags.", 2, 10),),
        owners=(OwnerFinding("here@example.com", "here@example.com", {"contacts": 900}, {}),),
        vocabularies=(),
        inspection={**BASE.inspection, "findings": (), "automations": (), "hides_automations": False},
        decisions=(by_hand.decision("lists", default="queue_rows"),),
        forecast={**BASE.forecast, "calendar": BASE.forecast["calendar"][:1]},
        queues=(),
    )


def files(*, bad: int, rows: int = 1000) -> dict[str, Any]:
    return {"files": (by_hand.file("a.csv", "contacts", rows, bad_rows=bad, blank_rows=0),)}


def exported(*, days: int) -> dict[str, Any]:
    """One object's exports: an old one, and the newest so many days old."""
    moments = (by_hand.MADE - timedelta(days=400), by_hand.MADE - timedelta(days=days))
    older = [by_hand.file(f"{n}.csv", "contacts", 9, exported_at=moment, bad_rows=0) for n, moment in enumerate(moments)]
    return {"files": (*older, by_hand.file("fresh.csv", "transactions", 9, bad_rows=0))}


def waiting(number: int, of: int = 100) -> dict[str, Any]:
    columns = [by_hand.column(f"c{n}", "waiting" if n < number else "mapped") for n in range(of)]
    return {"columns": tuple(columns)}


def found(*findings: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"inspection": {**clean_slate().inspection, "findings": findings, **more}}


def owners(*, without: int, rows: int = 10, others: int = 1000) -> dict[str, Any]:
    gone = [OwnerFinding(f"o{n}@example.com", None, {"contacts": rows}, {}) for n in range(without)]
    return {"owners": (*gone, OwnerFinding("here@example.com", "here@example.com", {"contacts": others}, {}))}


def days(number: int) -> dict[str, Any]:
    calendar = [{"day": f"2026-11-{n % 28 + 1:02}", "tokens": 1, "done_pct": 1} for n in range(number)]
    return {"forecast": {**BASE.forecast, "calendar": calendar}}


def absent(*, required: int = 0, others: int = 0) -> dict[str, Any]:
    item = BASE.checklist[0]
    needed = [replace(item, is_required=True, is_there=n >= required) for n in range(1)]
    more = [replace(item, is_required=False, is_there=n >= others) for n in range(8)]
    return {"checklist": (*needed, *more)}


def test_a_clean_slate_is_an_a_everywhere() -> None:
    grades = graded(clean_slate())
    assert {one.grade for one in grades.topics} == {"A"}
    assert grades.overall == "A"
    assert "What makes it so" not in grades.told
    assert [one.topic for one in grades.topics] == [one["topic"] for one in read_rules()["topics"]]


@pytest.mark.parametrize(
    ("topic", "changes", "grade"),
    [
        ("Exports", absent(others=1), "B"),
        ("Exports", absent(others=3), "B"),
        ("Exports", absent(others=4), "C"),
        ("Exports", absent(required=1), "D"),
        ("Exports", exported(days=14), "A"),
        ("Exports", exported(days=15), "B"),
        ("Exports", {"broken": ({"file": "a.csv", "object": "contacts", "reason": "truncated_last_row", "rows": 1},)}, "B"),
        ("Exports", {"broken": ({"file": "a.csv", "object": "contacts", "reason": "short_row", "rows": 1},)}, "A"),
        ("Map", waiting(1), "B"),
        ("Map", waiting(15), "C"),
        ("Map", waiting(50), "D"),
        ("Map", {"columns": (by_hand.column("x", "waiting", filled=0),)}, "A"),
        ("Map", {"decisions": (by_hand.decision("owners"),)}, "B"),
        ("Map", {"decisions": tuple(by_hand.decision(f"d{n}") for n in range(6))}, "C"),
        ("Map", {"vocabularies": BASE.vocabularies}, "B"),
        ("Data", {"clean": (CleanCount("contacts", 100, 100, {}, 89, {}),)}, "B"),
        ("Data", {"clean": (CleanCount("contacts", 100, 100, {}, 5, {}),)}, "B"),
        ("Data", files(bad=1), "B"),
        ("Data", files(bad=10), "C"),
        ("Data", files(bad=100), "D"),
        ("Data", {"columns": (by_hand.column("x", unreadable=90),)}, "C"),
        ("Team", owners(without=1), "B"),
        ("Team", owners(without=10), "C"),
        ("Team", owners(without=1, rows=1000), "C"),
        ("Team", owners(without=1, others=0), "D"),
        ("Destination", found(by_hand.finding("caps", "note", "Full soon.")), "A"),
        ("Destination", found(by_hand.finding("caps", "warning", "Nearly full.")), "B"),
        ("Destination", found(*[by_hand.finding("debris", "warning", "Old view.")] * 6), "C"),
        ("Destination", found(by_hand.finding("apps", "blocker", "An app is missing.")), "D"),
        ("Destination", found(hides_automations=True), "B"),
        ("Destination", found(by_hand.finding("automations", "warning", "Hidden."), hides_automations=True), "B"),
        ("Destination", {**found(hides_automations=True), "automations_signed": {"by": "Ana", "at": "2026-11-20"}}, "A"),
        ("Loading time", days(2), "B"),
        ("Loading time", days(8), "C"),
        ("Loading time", days(31), "D"),
        ("History", {"history": (HistoryGap("Surveys", "Lost.", 0, 0),)}, "B"),
        ("History", {"history": (HistoryGap("Surveys", "Lost.", 0, 0),) * 4}, "C"),
    ],
)
def test_one_thing_changes_one_grade(topic: str, changes: dict[str, Any], grade: str) -> None:
    grades = {one.topic: one.grade for one in graded(replace(clean_slate(), **changes)).topics}
    assert grades.pop(topic) == grade
    assert set(grades.values()) == {"A"}


@pytest.mark.parametrize(
    ("changes", "overall"),
    [
        (absent(required=1), "D"),
        (absent(others=1), "B"),
        (days(2), "A"),
        (days(8), "B"),
        (days(31), "C"),
        ({"history": (HistoryGap("Surveys", "Lost.", 0, 0),) * 4}, "B"),
        ({**days(31), **found(by_hand.finding("apps", "blocker", "An app is missing."))}, "D"),
    ],
)
def test_the_worst_topic_counts_and_time_and_history_one_grade_better(changes: dict[str, Any], overall: str) -> None:
    grades = graded(replace(clean_slate(), **changes))
    assert grades.overall == overall
    assert read_rules()["scale"][overall] in grades.told
    assert read_rules()["overall"]["rule"] in grades.told


def test_what_is_not_known_is_not_graded() -> None:
    grades = graded(replace(clean_slate(), inspection={}, forecast={}))
    assert [one.topic for one in grades.topics] == ["Exports", "Map", "Data", "History"]
    assert [one.partition(":")[0] for one in grades.unknown] == ["Team", "Destination", "Loading time"]


def test_before_anything_was_exported_only_the_exports_are_graded() -> None:
    found = by_hand.empty()
    assert [(one.topic, one.grade) for one in found.grades] == [("Exports", "D")]


def test_an_export_without_a_record_is_nothing_to_judge_and_stops_everything() -> None:
    needed = next(item.object for item in BASE.checklist if item.is_required)
    hollow = replace(clean_slate(), clean=(CleanCount(needed, 0, 0, {}, 0, {}),), history=())
    grades = graded(hollow)
    assert [(one.topic, one.grade) for one in grades.topics if one.topic in ("Exports", "Data", "History")] == [("Exports", "D")]
    assert grades.unknown == tuple(
        f"{topic}: nothing to judge, an export that nothing goes without holds no record." for topic in ("Data", "History")
    )
    broken = {one.topic: one.grade for one in graded(replace(hollow, **files(bad=1000))).topics}
    assert (broken["Data"], "History" in broken) == ("D", False), "rows that cannot be read are judged"


def test_contacts_that_are_merged_are_not_counted_as_hardly_worth_moving() -> None:
    merged = CleanCount("contacts", 100, 100, {"duplicate_email": 20}, 80, {}, merged=20)
    assert measures(replace(clean_slate(), clean=(merged,)))["unclean_pct"] == 0


def test_hours_are_what_the_rule_says_and_have_an_upper_limit() -> None:
    few, many = (graded(replace(clean_slate(), **waiting(number, of=1000))).topics[1].hours for number in (4, 900))
    assert (few, many) == (2.5, 24)  # 2, and 0.1 a column, in quarters; at most 24


def test_a_pace_without_a_quota_gives_days_too() -> None:
    plan = {**BASE.forecast, "calendar": [], "unit": "requests"}
    counted = [
        measures(replace(BASE, forecast={**plan, "duration_s": seconds}))["load_days"] for seconds in (1.0, 86_400.0, 86_401.0, None)
    ]
    assert counted == [1, 1, 2, 1]


def test_every_grade_has_a_sentence_and_its_rule() -> None:
    for one in BASE.grades:
        assert one.told.endswith(".")
        assert "{" not in one.told + one.rule
        assert one.rule.startswith("B: at least ")
        assert "Hours: " in one.rule


def test_rules_name_only_what_is_counted_and_every_measure_has_a_noun() -> None:
    rules, counted = read_rules(), measures(BASE)
    named = {name for one in rules["topics"] for part in (*one["grades"].values(), one["hours"], one["says"]) for name in part}
    named |= {name for step in rules["steps"] if isinstance(step["days"], dict) for name in step["days"]}
    assert named - {"base", "most"} <= set(counted)
    assert set(counted) == set(rules["measures"])
    assert {name for one in rules["topics"] for name in one["grades"]} <= set(BEST_FIRST)


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("row", "rows"),
        ("row that cannot be read", "rows that cannot be read"),
        ("column without a place", "columns without a place"),
        ("finding that stops the migration", "findings that stop the migration"),
        ("kind of history that nothing recorded", "kinds of history that nothing recorded"),
        ("required export missing", "required exports missing"),
        ("day of loading", "days of loading"),
        ("thing to look at first", "things to look at first"),
        ("day since the newest export", "days since the newest export"),
        ("percent of rows that cannot be read", "percent of rows that cannot be read"),
        ("entry", "entries"),
    ],
)
def test_plurals(one: str, many: str) -> None:
    assert plural(one) == many
    assert f"{Count(1):{one}}" == f"1 {one}"
    assert f"{Count(2)}" == "2"
