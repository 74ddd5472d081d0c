"""How much work a migration is: grades A to D and hours per topic, by the rules of `grades.yaml`.

Belongs here: counting the measures, applying the rules, saying both in a sentence. Not here: the limits (grades.yaml), the steps to the
end (timeline), finding out what is counted (gather, assemble).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from crm_pipelines.discovery.values import Discovery, Grade, GradeFinding

RULES = Path(__file__).with_name("grades.yaml")
BEST_FIRST: tuple[Grade, ...] = ("A", "B", "C", "D")
HOUR_STEP = 0.25
SECONDS_PER_DAY = 86_400
FRESH_DAYS = 14
"""An export may be so old before it is told: most records that people work on have changed within two weeks."""
CUT = ("truncated_last_row", "unterminated_quote", "nul_byte", "damaged_text")
"""Reasons of lines whose content is not in the file any more (sources.quarantine)."""


class Count(int):
    """A number that a sentence may hold: `{n}` is 1,204, `{n:row}` is 1,204 rows, `{n:row}` of one is 1 row."""

    def __format__(self, noun: str) -> str:
        return f"{int(self):,} {noun if self == 1 else plural(noun)}".rstrip()


@dataclass(frozen=True)
class Graded:
    """All grades of one discovery."""

    topics: tuple[GradeFinding, ...]
    overall: Grade
    told: str
    """What the overall grade means, and which topics made it."""
    unknown: tuple[str, ...]
    """Topics that could not be graded, each with what is missing for it."""


def graded(found: Discovery) -> Graded:
    """Grade a discovery (its own `grades` and `overall` are not looked at)."""
    rules, counted, known = read_rules(), measures(found), _known(found)
    topics = [one for one in rules["topics"] if known.issuperset(one.get("needs", ()))]
    findings = tuple(_finding(one, counted, rules["measures"]) for one in topics)
    overall = max((_weighed(finding) for finding in findings), key=BEST_FIRST.index)
    unknown = tuple(_unknown(one, known) for one in rules["topics"] if one not in topics)
    return Graded(findings, overall, _overall_told(rules, overall, decisive(findings, overall)), unknown)


def decisive(findings: Sequence[GradeFinding], overall: Grade) -> list[str]:
    """Return the topics that make the overall grade what it is; none where everything is an A."""
    return [finding.topic for finding in findings if _weighed(finding) == overall != "A"]


@cache
def read_rules() -> dict[str, Any]:
    """Return the rules as `grades.yaml` has them."""
    loaded: dict[str, Any] = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return loaded


def measures(found: Discovery) -> dict[str, Count]:
    """Count everything that the rules may name. Shape: measure -> number, percentages rounded down."""
    counted = {**_of_exports(found), **_of_map(found), **_of_data(found), **_of_owners(found), **_of_destination(found)}
    lost = sum(1 for gap in found.history if not gap.tags)
    return {name: Count(number) for name, number in {**counted, "load_days": load_days(found), "history_lost": lost}.items()}


def load_days(found: Discovery) -> int:
    """Return on how many days something is loaded; 0 where no forecast tells."""
    if not found.forecast:
        return 0
    return len(found.forecast["calendar"]) or max(1, -int(-(found.forecast["duration_s"] or 0) // SECONDS_PER_DAY))


def by_rule(rule: Mapping[str, float], counted: Mapping[str, int]) -> float:
    """Return `base` and so much per measure, at most `most`."""
    total = rule.get("base", 0.0) + sum(rate * counted[name] for name, rate in rule.items() if name not in ("base", "most"))
    return min(total, rule.get("most", total))


def plural(noun: str) -> str:
    """Return the plural of the first noun of a phrase: `file`, `row that cannot be read`, `percent of rows`."""
    for mark in (" that ", " without ", " of ", " since ", " to ", " missing", " or "):
        head, found, tail = noun.partition(mark)
        if found:
            return f"{plural(head)}{found}{tail}".replace(" that stops", " that stop")
    return noun if noun in ("", "percent") else f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:] not in ("ay", "ey") else f"{noun}s"


def _finding(topic: Mapping[str, Any], counted: Mapping[str, Count], nouns: Mapping[str, str]) -> GradeFinding:
    reached = [grade for grade in BEST_FIRST if any(counted[name] >= limit for name, limit in topic["grades"].get(grade, {}).items())]
    grade = reached[-1] if reached else "A"
    said = [text.format(n=counted[name]) for name, text in topic["says"].items() if counted[name] and grade != "A"]
    hours = round(by_rule(topic["hours"], counted) / HOUR_STEP) * HOUR_STEP
    return GradeFinding(topic["topic"], grade, " ".join(said) or topic["good"], hours, _rule_text(topic, nouns))


def _rule_text(topic: Mapping[str, Any], nouns: Mapping[str, str]) -> str:
    """Return the topic's rule as a sentence: what each grade takes, and what the hours are made of."""
    grades = [
        f"{grade}: {' or '.join(f'at least {Count(limit):{nouns[name]}}' for name, limit in limits.items())}"
        for grade, limits in topic["grades"].items()
    ]
    rates = [f"{rate:g} for each {nouns[name]}" for name, rate in topic["hours"].items() if name not in ("base", "most")]
    most = f", at most {topic['hours']['most']:g}" if "most" in topic["hours"] else ""
    return f"{'; '.join(grades)}; otherwise A. Hours: {topic['hours']['base']:g}, and {', '.join(rates)}{most}."


def _weighed(finding: GradeFinding) -> Grade:
    """Return a topic's grade as the overall grade takes it."""
    eased = {one["topic"] for one in read_rules()["topics"] if one.get("eases")}
    return BEST_FIRST[max(0, BEST_FIRST.index(finding.grade) - 1)] if finding.topic in eased else finding.grade


def _overall_told(rules: Mapping[str, Any], overall: Grade, topics: Sequence[str]) -> str:
    because = f" What makes it so: {', '.join(topics)}." if topics else ""
    return f"{rules['scale'][overall]}{because} {rules['overall']['rule']}"


def _known(found: Discovery) -> set[str]:
    records = bool(found.clean) and not empty_exports(found)
    rows = records or any(file.bad_rows for file in found.files)
    parts = {"files": found.files, "destination": found.inspection, "forecast": found.forecast, "records": records, "rows": rows}
    return {name for name, part in parts.items() if part}


def _unknown(topic: Mapping[str, Any], known: set[str]) -> str:
    """Return why a topic is not graded: nothing was looked at yet, or what was read holds nothing to judge."""
    lacking = {"files": "the exports", "destination": "a look at the destination", "forecast": "a forecast"}
    missing = [lacking[name] for name in topic["needs"] if name in lacking and name not in known]
    if missing:
        return f"{topic['topic']}: not graded yet, {' and '.join(missing)} missing."
    return f"{topic['topic']}: nothing to judge, an export that nothing goes without holds no record."


def _of_exports(found: Discovery) -> dict[str, int]:
    absent = [item.is_required for item in found.checklist if not item.is_there]
    oldest = max(export_ages(found).values(), default=0)
    told = {"required_missing": sum(absent), "required_empty": len(empty_exports(found)), "files": len(found.files)}
    told["optional_missing"] = len(absent) - sum(absent)
    return {**told, "export_age": oldest, "files_broken": len({one["file"] for one in found.broken if next_is_export(one["reason"])})}


def empty_exports(found: Discovery) -> list[str]:
    """Return the objects without which nothing starts, and whose files were read and hold no record."""
    needed = {item.object for item in found.checklist if item.is_required and item.is_there}
    return [one.object for one in found.clean if one.object in needed and not one.distinct_keys]


def export_ages(found: Discovery) -> dict[str, int]:
    """Return object -> days since its newest export; objects whose files do not tell are left out."""
    newest: dict[str, datetime] = {}
    for file in found.files:
        if file.exported_at is not None:
            newest[file.object] = max(file.exported_at, newest.get(file.object, file.exported_at))
    return {name: max(0, (found.made_at - moment).days) for name, moment in newest.items()}


def next_is_export(reason: str | None) -> bool:
    """Tell whether a line of this kind can only be had by exporting the file again: no hand can correct what is not there."""
    return reason in CUT


def _of_map(found: Discovery) -> dict[str, int]:
    filled = [column for column in found.columns if column.filled]
    waiting = sum(1 for column in filled if column.state == "waiting")
    words = sum(len(one.unknown) for one in found.vocabularies) + sum(len(one.unknown_options) for one in found.custom_fields)
    return {
        "columns_waiting": waiting,
        "columns_waiting_pct": _percent(waiting, len(filled)),
        "questions_open": sum(1 for one in found.decisions if one["is_open"]),
        "words_unknown": words,
    }


def _of_data(found: Discovery) -> dict[str, int]:
    bad, rows = sum(file.bad_rows for file in found.files), sum(file.physical_rows - file.blank_rows for file in found.files)
    judged = [(one.distinct_keys - one.merged, one.clean) for one in found.clean]
    return {
        "unclean_pct": max((_percent(whole - clean, whole) for whole, clean in judged), default=0),
        "rows_unreadable": bad,
        "rows_unreadable_pct": _percent(bad, rows),
        "cells_unreadable_pct": max((_percent(one.unreadable, one.filled) for one in found.columns), default=0),
        "queues": len({one["queue"] for one in found.queues}),
    }


def _of_owners(found: Discovery) -> dict[str, int]:
    rows = sum(sum(one.rows.values()) for one in found.owners)
    unmatched = [one for one in found.owners if one.user is None] if found.inspection else []
    waiting = sum(sum(one.rows.values()) for one in unmatched)
    return {"owners_unmatched": len(unmatched), "owners_waiting_pct": _percent(waiting, rows)}


def _of_destination(found: Discovery) -> dict[str, int]:
    levels = [one["level"] for one in found.inspection.get("findings", ()) if one["topic"] != "automations"]  # these: unsigned
    return {"blockers": levels.count("blocker"), "warnings": levels.count("warning"), "unsigned": int(needs_signature(found))}


def needs_signature(found: Discovery) -> bool:
    """Whether automations run or may run at the destination, and nobody signed that they are paused."""
    seen = bool(found.inspection.get("automations")) or bool(found.inspection.get("hides_automations"))
    return seen and found.automations_signed is None


def _percent(part: int, whole: int) -> int:
    return 100 * part // whole if whole else 0
