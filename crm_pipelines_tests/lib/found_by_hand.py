"""A discovery made by hand: small, complete, with hostile names in it.

Belongs here: values for tests of documents. Not here: discoveries of sample exports (the tests run those through the product).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from crm_pipelines.discovery.grades import graded
from crm_pipelines.discovery.timeline import timeline
from crm_pipelines.discovery.values import (
    ChecklistItem,
    CleanCount,
    ColumnProfile,
    CustomFieldFinding,
    Discovery,
    FileProfile,
    HistoryGap,
    OwnerFinding,
    TagFinding,
    VocabularyFinding,
)

MADE = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
"""A Friday."""
HOSTILE = "<script>alert(1)</script> | pipe\nnew *line* [x](http://example.com)"


def discovery(**changes: Any) -> Discovery:
    """Return a discovery with everything in it, graded; `changes` replace fields before it is."""
    found = replace(_found(), **changes)
    grades = graded(found)
    found = replace(found, grades=grades.topics, overall=grades.overall, overall_told=grades.told, notes=(*found.notes, *grades.unknown))
    return replace(found, calendar=timeline(found))


def empty() -> Discovery:
    """Return what is known before anything was exported or asked: the checklist, the questions, the gaps."""
    absent = tuple(replace(item, is_there=False, files=()) for item in _found().checklist)
    nothing: dict[str, Any] = dict.fromkeys(("files", "columns", "clean", "tags", "history", "custom_fields", "owners", "vocabularies"), ())
    more = {"inspection": {}, "forecast": {}, "predicted": {}, "queues": (), "left_out": (), "series": {}}
    return discovery(checklist=absent, **nothing, **more)


def finding(topic: str, level: str, told: str, todo: str = "") -> dict[str, str]:
    """Return one finding of an inspection."""
    return {"topic": topic, "level": level, "name": topic, "told": told, "todo": todo}


def decision(name: str, *, default: str | None = None, answer: str | None = None) -> dict[str, Any]:
    """Return one question of a spec."""
    options = {"queue_rows": "They wait.", "block_phase": "Nothing is loaded."}
    told = {"name": name, "question": f"What about {name}?", "options": options, "why": "Because nobody can guess."}
    return {**told, "default": default, "answer": answer, "is_open": default is None and answer is None}


def file(name: str, object_name: str, rows: int, **changes: Any) -> FileProfile:
    """Return one file."""
    told = FileProfile(
        chunk=f"001-{name}",
        object=object_name,
        file_name=name,
        sha256="ab" * 32,
        size_bytes=rows * 120,
        exported_at=MADE,
        physical_rows=rows,
        good_rows=rows - 3,
        blank_rows=1,
        bad_rows=2,
        encoding="utf-8",
        delimiter=",",
        first_date=date(2021, 3, 4),
        last_date=date(2026, 11, 1),
        keys=rows - 3,
        keys_in_other_files=12,
        warnings=("The last line is cut off.",),
    )
    return replace(told, **changes)


def column(heading: str, state: str = "mapped", **changes: Any) -> ColumnProfile:
    """Return one column of contacts."""
    told = ColumnProfile("contacts", heading, heading.lower(), "mapped", "", 1200, 900, 850, "text", 0.97, (), ("Xxxx", "xx@xxx.xxx"), 0)
    return replace(told, state=state, why="" if state == "mapped" else f"why {heading}", **changes)


def _found() -> Discovery:
    return Discovery(
        engagement="acme",
        route="one_to_other",
        source="one",
        destination="other",
        made_at=MADE,
        checklist=_checklist(),
        files=(file("contacts.csv", "contacts", 1204), file("sales.csv", "transactions", 2310)),
        columns=(
            column("Email", inferred="email"),
            column("Funnel stage", "waiting", inferred="enum", options=("cold", "warm")),
            column(HOSTILE, "ignored"),
            column("Empty", "ignored", filled=0),
        ),
        clean=(
            CleanCount("contacts", 1203, 1190, {"bounced": 40, "stale": 90}, 1065, {"bounced": "Status is Bounced.", "stale": "Old."}),
            CleanCount("transactions", 2309, 2300, {"repeated": 9}, 2300, {"repeated": "The same key again."}),
        ),
        tags=(
            TagFinding("Webinar Q1 attended", 120, "event", "webinar_attended", "Q1", "attended", 0.95),
            TagFinding(HOSTILE, 7, "plain", "plain", HOSTILE, "", 0.5),
        ),
        history=(
            HistoryGap("Webinars: who attended", "Only tags recorded it: 1 tag on 120 contacts.", 1, 120),
            HistoryGap("Surveys: who answered", "No export holds it and no tag recorded it: it is lost.", 0, 0),
        ),
        custom_fields=(CustomFieldFinding("contacts", "Shoe size", "input_field", "number", 0.98, 320, (), (), "Make it a number."),),
        owners=(
            OwnerFinding("gone@example.com", None, {"contacts": 200}, {"USD": "1900.50"}, ("gina@example.org",)),
            OwnerFinding("here@example.com", "here@example.com", {"contacts": 900}, {}),
        ),
        vocabularies=(VocabularyFinding("contacts", "status", "status", {"Active": 1100, "Zombie": 3}, ("Zombie",)),),
        inspection=_inspection(),
        decisions=(decision("owners"), decision("lists", default="queue_rows"), decision("refunds", answer="block_phase")),
        gaps=({"what": "memberships", "why": "Not exported.", "instead": "Tags arrive."},),
        forecast=_forecast(),
        predicted={"people": {"created": 980, "waiting": 200}, "deals": {"created": 2200, "waiting": 90, "refused": 1}},
        queues=({"queue": "owner", "reason": "no_user", "object": "contacts", "rows": 200},),
        grades=(),
        overall="A",
        series={"contacts": {"2026-01": 20, "2026-03": 44}},
        left_out=({"bucket": "excluded", "reason": "failed_payment", "object": "transactions", "rows": 120},),
    )


def _checklist() -> tuple[ChecklistItem, ...]:
    return (
        ChecklistItem("contacts", True, True, ("contacts.csv",), ("contacts*.csv",), "Contacts > Export.", ""),
        ChecklistItem("transactions", False, True, ("sales.csv",), ("transactions*.csv",), "Sales > Export.", "No purchases arrive."),
        ChecklistItem("calendars", False, False, (), ("calendars*.csv",), "Calendars > Export.", "Appointments do not arrive."),
    )


def _inspection() -> dict[str, Any]:
    return {
        "edition": "Other Growth, 3 seats",
        "schema": {"plan": "growth", "seats": 3, "currency": "USD", "timezone": "UTC", "caps": {"custom_fields": 100}},
        "findings": (
            finding("fields", "warning", "Deals require a field that the map does not fill.", "Make it optional."),
            finding("users", "good", "3 of 3 seats are taken."),
        ),
        "required": {"deals": ("Budget",)},
        "automations": ({"name": "Welcome", "kind": "workflow", "phases": ("people",), "told": "Sends a mail to every new person."},),
        "hides_automations": True,
        "records": {"people": 12},
        "requests": 14,
        "tokens": 280,
    }


def _forecast() -> dict[str, Any]:
    phase = {"create": 980, "update": 0, "unchanged": 0, "waiting": 200, "refused": 0, "requests": 980, "tokens": 4900}
    return {
        "phases": {"people": {**phase, "cheapest_tokens": 4900, "cheapest_requests": 980, "duration_s": 0.0}},
        "unit": "tokens",
        "prepare_requests": 10,
        "verify_requests": 4,
        "total_requests": 994,
        "cheapest_requests": 980,
        "duration_s": None,
        "prepare_tokens": 50,
        "verify_tokens": 80,
        "total_tokens": 5030,
        "cheapest_tokens": 4900,
        "tokens_per_day": 4000,
        "remaining_today": 4000,
        "reserve": 800,
        "calendar": [{"day": "2026-11-20", "tokens": 3200, "done_pct": 63}, {"day": "2026-11-21", "tokens": 1830, "done_pct": 100}],
        "notes": (),
    }
