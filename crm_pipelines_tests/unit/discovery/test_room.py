"""A plan that allows few custom fields: no more new ones are ticked than it holds, and who decides is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crm_pipelines.destinations.base import FoundField, Schema
from crm_pipelines.discovery.proposal import Candidate, Proposal, ProposedMap, Target
from crm_pipelines.discovery.room import NO_ROOM, FieldRoom, remember_room, ticked_within, too_many
from crm_pipelines_tests.lib.opened import opened

NEW = Target("", "new custom field", "new", "")
THERE = (FoundField("people", "Shoe size", "k1", "varchar", {}, is_custom=True), FoundField("people", "name", "name", "varchar", {}, False))
SCHEMA = Schema("acme", "growth", 3, "EUR", "UTC", {}, THERE, {}, {}, {}, {"custom_fields": 100})


def column(name: str, filled: int) -> Proposal:
    return Proposal("contacts", name, name, filled, "text", (Candidate(NEW, 0.97, ("text",)),), "pre-ticked")


PROPOSED = ProposedMap("acme", "kartra_to_pipedrive", (column("a", 5), column("b", 50), column("c", 20)), (), (), 0.9)


def test_the_columns_with_most_in_them_are_ticked_and_the_others_say_why_not(tmp_path: Path) -> None:
    project = opened(tmp_path)
    room = FieldRoom.of(project, SCHEMA)
    assert room is not None
    made = room.made_by(project)
    full = replace(room, cap=1 + made + 2)
    proposed, told = ticked_within(PROPOSED, project, full)
    assert {each.heading: each.state for each in proposed.columns} == {"a": "choose", "b": "pre-ticked", "c": "pre-ticked"}
    assert proposed.columns[0].best.evidence == (NO_ROOM, "text")
    assert told.startswith(
        f"The growth plan allows {full.cap} custom fields; 1 exist, and the map makes {made} more, so only 2 of 3 proposed new fields can"
    )
    assert "leave columns behind (sheet Columns)" in told
    assert ticked_within(PROPOSED, project, replace(full, cap=full.cap + 1)) == (PROPOSED, "")
    assert ticked_within(PROPOSED, project, None) == (PROPOSED, ""), "a destination without a cap holds any number"


@pytest.mark.parametrize("free", [0, 1])
def test_who_decides_for_more_fields_than_the_plan_holds_is_told_by_how_many(tmp_path: Path, free: int) -> None:
    room = FieldRoom.of(opened(tmp_path), SCHEMA)
    assert room is not None
    shoes = "{Hobby: {phase: people, custom_field: Hobby}, Shoes: {phase: people, custom_field: Shoe size}, "
    shoes += "Pet: {phase: people, custom_field: Pet}}"
    cap = 1 + room.made_by(opened(tmp_path)) + free
    project = opened(tmp_path, decisions=f"owners: queue_rows\nmap:\n  columns:\n    contacts: {shoes}\n")
    assert too_many(project) == "", "nobody asked the destination yet"
    remember_room(project, replace(room, cap=cap))
    assert f"{2 - free} too many, and nothing can be loaded so." in too_many(project), "a field that exists already needs no room"
    remember_room(project, replace(room, cap=cap + 2))
    assert too_many(project) == ""
