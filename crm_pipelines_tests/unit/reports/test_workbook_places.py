"""Where a pick of the workbook leads: fields that are there keep their type, tags stay with their list."""

from __future__ import annotations

from pathlib import Path

from crm_pipelines.discovery.proposal import Candidate, Proposal, ProposedMap, Target
from crm_pipelines.discovery.values import TagFinding
from crm_pipelines.reports.workbook import write_material
from crm_pipelines.reports.workbook_layout import DROP
from crm_pipelines_tests.unit.reports.material import ROUTES, material
from crm_pipelines_tests.unit.reports.test_workbook import PHASE, fill, read


def test_a_field_that_is_there_already_keeps_its_type(tmp_path: Path) -> None:
    kinds = {"Members": "number", "Since": "date", "Remarks": "text", "Badge": "postcode"}
    there = [Candidate(Target(PHASE, name, "custom_field", kind, label=name), 0.99, ("alike",)) for name, kind in kinds.items()]
    columns = tuple(Proposal("contacts", each.target.name, "", 9, "text", (each,), "pre-ticked") for each in there)
    path = write_material(tmp_path / "map.xlsx", material(proposed=ProposedMap("acme", ROUTES[0], columns, (), (), 0.95)))
    choices = read(path)[1].columns["contacts"]
    assert {name: choice.type for name, choice in choices.items()} == {"Members": "number", "Since": "date", "Remarks": None, "Badge": None}


def test_a_tag_of_a_second_list_is_filed_under_that_list(tmp_path: Path) -> None:
    tags = [TagFinding("vip", 3, "plain", "plain", "vip", "", 0.5, column) for column in ("contacts.tags", "contacts.lists")]
    path = write_material(tmp_path / "map.xlsx", material(tags=tags))
    client = read(fill(path, {("Tags", ("contacts.lists", "vip")): {"choice": DROP}}))[1]
    assert client.tags == {"contacts.lists": {"vip": None}}
