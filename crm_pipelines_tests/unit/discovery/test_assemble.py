"""A discovery put together: with a destination and without, with nothing exported, with questions open; and what is said of people."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crm_pipelines.destinations.base import Automation, Finding, Inspection, Schema
from crm_pipelines.discovery.assemble import assemble
from crm_pipelines.discovery.values import Discovery
from crm_pipelines.phases.accounts import rows_by_fate
from crm_pipelines.phases.automations import Signature
from crm_pipelines.phases.predict import PhasePrediction, Prediction
from crm_pipelines.phases.project import Project
from crm_pipelines.reports.scope import as_html, as_markdown
from crm_pipelines_tests.lib.opened import ROUTES, opened

MADE = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
HIDDEN = Finding("automations", "warning", "automations", "The vendor does not show them.", "Switch them off.")
FULL = Finding("caps", "blocker", "custom_fields", "There is no room for another field.", "Delete fields nobody uses.")
HOOK = Automation("hook 1", "webhook", ("people",), "Every new person is sent somewhere.")
USERS = ("ana@agency.example.com", "ben@agency.example.com")


def schema(*users: str) -> Schema:
    told: dict[str, Any] = {name: {} for name in ("labels", "stages", "types", "caps")}
    people = {email: str(number) for number, email in enumerate(users)}
    return Schema(account="a", plan="growth", seats=3, currency="USD", timezone="UTC", users=people, fields=(), **told)


def inspection(*findings: Finding, users: tuple[str, ...] = USERS, automations: tuple[Automation, ...] = (HOOK,)) -> Inspection:
    return Inspection(
        schema=schema(*users),
        edition="Growth, 3 seats",
        findings=findings,
        required={"deals": ("Budget",)},
        automations=automations,
        hides_automations=True,
        records={},
    )


@pytest.fixture(scope="module")
def offline(project: Project) -> Discovery:
    return assemble(project, None, {}, None, made_at=MADE)


@pytest.fixture(scope="module")
def asked(project: Project) -> Discovery:
    return assemble(project, inspection(HIDDEN, FULL), {}, None, made_at=MADE)


# -- parts -------------------------------------------------------------------------------------------------------------


def test_without_a_destination_everything_about_the_exports_is_there(project: Project, offline: Discovery) -> None:
    assert offline.route == project.engagement.node.route
    parts = (offline.checklist, offline.files, offline.columns, offline.clean, offline.tags, offline.history, offline.vocabularies)
    assert all(parts)
    assert offline.inspection == {}
    assert [one.topic for one in offline.grades] == ["Exports", "Map", "Data", "History"]
    assert any("not asked" in note for note in offline.notes)
    assert any(note.startswith("Destination: not graded yet") for note in offline.notes)
    assert offline.calendar[-1]["last"] is None


def test_gaps_are_those_of_the_route(project: Project, offline: Discovery) -> None:
    assert [gap["why"] for gap in offline.gaps] == [gap.why for gap in project.spec.not_migrated.values()]
    assert {"recurring revenue per month and year", "memberships", "list activity"} <= {gap["what"] for gap in offline.gaps}


def test_what_arrives_is_told_by_the_mapped_records(project: Project, offline: Discovery) -> None:
    for phase, counts in offline.predicted.items():
        held = project.mapped(phase, "queue")["queue"].is_not_null().sum()
        assert counts.get("waiting", 0) == held
        assert sum(counts.values()) == project.mapped(phase, "key").height
    assert "users" not in offline.predicted, "they are only matched"
    assert "tags" not in offline.predicted, "they travel with their records"
    assert any("map alone" in note for note in offline.notes)


def test_every_row_set_aside_or_waiting_is_counted(project: Project, offline: Discovery) -> None:
    told = Counter({(one["object"], one["bucket"]): 0 for one in offline.left_out})
    for one in offline.left_out:
        told[one["object"], one["bucket"]] += one["rows"]
    bad = {name: sum(file.bad_rows for file in offline.files if file.object == name) for name in project.objects}
    assert {name: rows for name, rows in bad.items() if rows} == {
        name: rows for (name, bucket), rows in told.items() if bucket == "quarantined"
    }
    assert {one["queue"] for one in offline.queues} <= {"owner", "review", "remediation", "duplicate", "conflict", "decision", "parent"}
    assert all(one["rows"] > 0 and one["reason"] for one in offline.queues)


def test_owners_without_a_user_make_their_rows_wait_once_the_destination_was_asked(offline: Discovery, asked: Discovery) -> None:
    gone = [one for one in asked.owners if one.user is None]
    assert {one.owner for one in asked.owners if one.user} == set(USERS)
    waiting = {one["object"]: one["rows"] for one in asked.queues if one["queue"] == "owner"}
    assert waiting["contacts"] == sum(one.rows.get("contacts", 0) for one in gone) > 0
    assert not [one for one in offline.queues if one["queue"] == "owner"]


def test_a_prediction_tells_better_than_the_map(project: Project) -> None:
    states = {phase: _waiting(project, phase) for phase in project.phases}
    found = assemble(project, None, {}, None, made_at=MADE, prediction=Prediction(states, is_offline=False))
    assert set(found.predicted["people"]) == {"waiting"}
    rows = rows_by_fate(project, "contacts", lambda into: states[into].states)
    told = sum(one["rows"] for one in found.queues if one["object"] == "contacts")
    assert told == rows.filter(pl.col("queue").is_not_null() & (pl.col("bucket") == "waiting")).height
    assert not any("map alone" in note for note in found.notes)


def test_a_forecast_tells_better_than_the_map_too(project: Project) -> None:
    counts = {"create": 5, "update": 1, "unchanged": 0, "waiting": 2, "refused": 0}
    plan = {"phases": dict.fromkeys(project.phases, counts), "calendar": [], "duration_s": 3.0}
    found = assemble(project, None, plan, None, made_at=MADE)
    assert found.predicted["people"] == {"created": 5, "updated": 1, "waiting": 2}


# -- decisions ---------------------------------------------------------------------------------------------------------


def test_answers_defaults_and_open_questions(tmp_path: Path) -> None:
    found = assemble(opened(tmp_path, decisions="lists: labels\n"), None, {}, None, made_at=MADE)
    by_name = {one["name"]: one for one in found.decisions}
    assert (by_name["owners"]["is_open"], by_name["owners"]["answer"]) == (True, None)
    assert (by_name["lists"]["is_open"], by_name["lists"]["answer"]) == (False, "labels")
    assert (by_name["failed"]["is_open"], by_name["failed"]["answer"], by_name["failed"]["default"]) == (False, None, "exclude")
    assert "default_owner" not in by_name, "it is asked only where one user takes over"
    assert found.decisions[0]["is_open"], "open ones come first"


# -- automations -------------------------------------------------------------------------------------------------------


def test_a_signature_settles_the_finding_on_automations(project: Project, asked: Discovery) -> None:
    signed = assemble(project, inspection(HIDDEN, FULL), {}, Signature("Ana Client", MADE), made_at=MADE)
    levels = [{one["topic"]: one["level"] for one in found.inspection["findings"]} for found in (asked, signed)]
    assert levels == [{"automations": "warning", "caps": "blocker"}, {"automations": "good", "caps": "blocker"}]
    assert signed.automations_signed == {"by": "Ana Client", "at": "2026-11-20T09:30+00:00"}
    assert asked.automations_signed is None
    for text in (as_html(signed), as_markdown(signed)):
        assert "Signed as paused by Ana Client on 20 Nov 2026" in text
        assert "Nobody has signed yet" not in text
    for text in (as_html(asked), as_markdown(asked)):
        assert "Nobody has signed yet" in text


# -- nothing yet -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES)
def test_with_nothing_exported_it_is_the_checklist_the_questions_and_the_gaps(tmp_path: Path, route: str) -> None:
    found = assemble(opened(tmp_path, route), None, {}, None, made_at=MADE)
    assert all((found.checklist, found.decisions, found.gaps))
    assert not any((found.files, found.predicted, found.queues, found.left_out))
    for text in (unescape(as_html(found)), as_markdown(found).replace("\\", "")):
        assert "Nothing is exported yet" in text
        assert [item.how for item in found.checklist if item.how not in text] == []


def test_with_nothing_exported_and_a_destination_its_findings_are_there(tmp_path: Path) -> None:
    found = assemble(opened(tmp_path), inspection(HIDDEN, FULL), {}, None, made_at=MADE, notes=("No forecast: the plan is too small.",))
    assert "There is no room for another field." in as_html(found)
    assert "No forecast: the plan is too small." in as_html(found)
    assert {one.topic: one.grade for one in found.grades}["Destination"] == "D"


# -- people ------------------------------------------------------------------------------------------------------------


def test_no_value_of_a_contact_stands_in_the_documents(project: Project, asked: Discovery) -> None:
    owners = {one.owner for one in asked.owners}
    plain = {"html": as_html(asked), "md": as_markdown(asked).replace("\\", "")}
    for kind, text in plain.items():
        found = set(re.findall(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", text.casefold())) - owners - set(USERS)
        assert {address for address in found if not set(address) <= set("x9@.-_+'")} == set(), kind
        for column, values in _personal(project).items():
            seen = [value for value in values if value in text]
            assert not seen, f"{kind}: {len(seen)} values of {column}"


def _personal(project: Project) -> dict[str, set[str]]:
    """Return the texts of contacts that say who somebody is, long enough not to stand anywhere by chance."""
    parts = [pl.read_parquet(project.staged_path("contacts", key)) for key in project.object_chunks("contacts")]
    rows = pl.concat(parts, how="diagonal_relaxed").with_columns(
        full_name=pl.concat_str("first_name", "last_name", separator=" "),
        row_of_name=pl.concat_str("last_name", "first_name", separator=", "),
    )
    columns = ("email", "phone", "full_name", "row_of_name", "address", "website", "facebook", "linkedin", "company", "notes")
    found = {name: set(rows[name].cast(pl.String).drop_nulls()) for name in columns if name in rows.columns}
    return {name: {value for value in values if len(value) >= 7} - {"unknown"} for name, values in found.items()}


def _waiting(project: Project, phase: str) -> PhasePrediction:
    keys = project.mapped(phase, "key")
    states = keys.with_columns(decision=pl.lit("waiting"), state=pl.lit("waiting"), queue=pl.lit("review"), reason=pl.lit("no_contact"))
    return PhasePrediction(phase, states)
