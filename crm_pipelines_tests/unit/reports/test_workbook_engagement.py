"""The workbook of an engagement: from its discovery to decisions.yaml, held against what its route can do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from crm_pipelines.discovery.assemble import assemble
from crm_pipelines.discovery.proposing import propose
from crm_pipelines.errors import SpecError
from crm_pipelines.phases.client import read_client, write_client
from crm_pipelines.phases.confirm import confirm
from crm_pipelines.phases.contracts import destination_contract
from crm_pipelines.phases.project import Project
from crm_pipelines.reports import scope_asks
from crm_pipelines.reports.sheets import SheetError
from crm_pipelines.reports.workbook import Material, read_workbook, remember_workbook, write_workbook
from crm_pipelines.reports.workbook_layout import APART, BEHIND, FIRST
from crm_pipelines.reports.workbook_rows import readings
from crm_pipelines.spec.client import Client
from crm_pipelines.spec.client_map import ClientMap
from crm_pipelines_tests.lib.opened import ROUTES, opened, sampled, staged
from crm_pipelines_tests.unit.reports.material import a_field, person_phase, proposed
from crm_pipelines_tests.unit.reports.test_workbook import fill


def given_out(root: Path, route: str, decisions: str = "owners: queue_rows\n") -> tuple[Project, Path]:
    """Return an engagement and the workbook that is given out for it."""
    project = opened(root, route, decisions=decisions)
    phase = person_phase(project.route_spec)
    found = assemble(project, None, {}, None, made_at=datetime.now(UTC))
    field = a_field(destination_contract(project.engagement.destination), phase)
    return project, write_workbook(root / "map.xlsx", proposed(route, phase, field), found, project)


@pytest.mark.parametrize("route", ROUTES)
def test_a_workbook_becomes_decisions_that_the_project_opens_with(tmp_path: Path, route: str) -> None:
    project, path = given_out(tmp_path, route)
    phase = person_phase(project.route_spec)
    fill(
        path,
        {
            ("Columns", ("contacts", "Handy")): {"choice": "Leave behind (say why)", "reason": "A copy of the phone column."},
            ("Columns", ("contacts", "Geburtsdatum")): {"choice": f"New date field [{phase}]", "name": "Birthday (new)"},
            ("Words", ("contacts.status", "Abonniert")): {"choice": "Subscribed"},
            ("Duplicates", ("1042", "1377")): {"verdict": FIRST},
        },
    )
    answers, client = read_workbook(path, project, read_client(project.engagement))
    write_client(project.engagement, answers, client, "Anna")
    again = opened(tmp_path, route, decisions=project.engagement.decisions_path.read_text("utf-8"))
    assert again.client_map == client
    assert "Birthday (new)" in again.spec.phases[phase].custom_fields
    assert client.columns["contacts"]["Handy"].ignore == "A copy of the phone column."


def test_what_the_route_cannot_do_is_told_by_cell_and_nothing_is_changed(tmp_path: Path) -> None:
    project, path = given_out(tmp_path, ROUTES[0])
    before = project.engagement.decisions_path.read_bytes()
    taken = next(iter(project.route_spec.phases["people"].custom_fields))
    fill(path, {("Columns", ("contacts", "Geburtsdatum")): {"choice": "New date field [people]", "name": taken}})
    with pytest.raises(SheetError) as error:
        read_workbook(path, project, read_client(project.engagement))
    told = [str(problem) for problem in error.value.problems]
    assert any("sheet 'Columns', cell F5" in one and "is filled by the route already; choose another name" in one for one in told)
    assert any("sheet 'Columns', cell F4" in one and "is filled by the route already" in one for one in told), (
        "a ticked proposal is held, too"
    )
    assert project.engagement.decisions_path.read_bytes() == before


def test_decisions_by_hand_that_no_row_shows_survive_the_workbook(tmp_path: Path) -> None:
    project, path = given_out(tmp_path, ROUTES[0])
    by_hand = ClientMap.model_validate(
        {"columns": {"contacts": {"Handy": {"ignore": "Kept elsewhere."}, "shoe size": {"ignore": "Nobody asks for it."}}}}
    )
    write_client(project.engagement, {"owners": "block_phase", "failed": "lost_deal"}, by_hand, "an engineer")
    answers, client = read_workbook(path, project, read_client(project.engagement))
    assert answers == {"owners": "block_phase", "failed": "lost_deal"}
    assert client.columns == by_hand.columns


@pytest.mark.parametrize("route", ROUTES)
def test_nothing_is_offered_that_the_route_would_refuse(tmp_path: Path, route: str) -> None:
    """Every new field in a drop-down, of whatever the column reads as, is one that can be made."""
    project, path = given_out(tmp_path, route)
    phase = person_phase(project.route_spec)
    for label in (f"New date field [{phase}]", f"New text field [{phase}]"):
        fill(path, {("Columns", ("contacts", "Handy")): {"choice": None}, ("Columns", ("contacts", "Geburtsdatum")): {"choice": label}})
        assert read_workbook(path, project, read_client(project.engagement))[1].columns["contacts"]["Geburtsdatum"].phase == phase


def taken(project: Project, path: Path) -> Client:
    """Take a workbook over as `crm decide` does, and return what is decided then."""
    write_client(project.engagement, *read_workbook(path, project, read_client(project.engagement)), "Anna")
    remember_workbook(path, project)
    return read_client(project.engagement)


def test_a_client_may_change_every_answer_in_the_same_workbook(tmp_path: Path) -> None:
    project, path = given_out(tmp_path, ROUTES[0])
    birthday, handy = ("Columns", ("contacts", "Geburtsdatum")), ("Columns", ("contacts", "Handy"))
    first, second = ("Duplicates", ("1042", "1377")), ("Duplicates", ("1377", "2001"))
    fill(path, {handy: {"choice": BEHIND, "reason": "A copy of the phone column."}, first: {"verdict": FIRST}, second: {"verdict": FIRST}})
    assert taken(project, path).map.same == {"contacts": (("1042", "1377", "2001"),)}
    fill(
        path,
        {
            ("Questions", ("owners",)): {"answer": "default user"},
            ("Questions", ("default_owner",)): {"answer": "anna@example.com"},
            handy: {"choice": "New text field [people]", "name": "Mobile (old)", "reason": None},
            birthday: {"choice": "New date field [people]", "name": "Birthday (new)"},
            second: {"verdict": APART},
        },
    )
    client = taken(project, path)
    assert client.answers["owners"] == "default_user"
    assert {name: each.custom_field for name, each in client.map.columns["contacts"].items()} == {
        "Handy": "Mobile (old)",
        "Geburtsdatum": "Birthday (new)",
    }
    assert (client.map.same, client.map.different) == ({"contacts": (("1042", "1377"),)}, {"contacts": (("1377", "2001"),)})
    fill(path, {handy: {"choice": None, "name": None}, second: {"verdict": None}})
    client = taken(project, path)
    assert set(client.map.columns["contacts"]) == {"Geburtsdatum"}
    assert (client.map.same, client.map.different) == ({"contacts": (("1042", "1377"),)}, {})
    kept = list((project.engagement.work / "workbooks").iterdir())
    assert [each.stat().st_mode & 0o777 for each in kept] == [0o600]


def test_what_an_engineer_changes_after_a_workbook_was_taken_over_is_no_client_s_to_undo_unseen(tmp_path: Path) -> None:
    project, path = given_out(tmp_path, ROUTES[0])
    handy = ("Columns", ("contacts", "Handy"))
    fill(path, {handy: {"choice": BEHIND, "reason": "A copy of the phone column."}})
    taken(project, path)
    by_hand = ClientMap.model_validate({"columns": {"contacts": {"Handy": {"ignore": "Kept elsewhere."}}}})
    write_client(project.engagement, {"owners": "queue_rows"}, by_hand, "an engineer")
    assert taken(project, path).map.columns == by_hand.columns, "a workbook that says what it said changes nothing"
    fill(path, {handy: {"choice": "New text field [people]", "name": "Mobile (old)", "reason": None}})
    with pytest.raises(SheetError, match=r"cell F4: expected what was decided meanwhile.*run crm propose and answer in the new file"):
        read_workbook(path, project, read_client(project.engagement))
    fill(path, {handy: {"choice": BEHIND, "name": None, "reason": "Kept elsewhere."}})
    assert taken(project, path).map.columns == by_hand.columns


def test_a_new_workbook_is_not_held_against_the_words_of_another(tmp_path: Path) -> None:
    project, path = given_out(tmp_path, ROUTES[0])
    ticked = "Words", ("contacts.status", "Abgemeldet?")
    fill(path, {("Columns", ("contacts", "Handy")): {"choice": None}})
    assert "contacts.status" in taken(project, path).map.values
    write_client(project.engagement, {}, ClientMap(), "an engineer")
    project, again = given_out(tmp_path, ROUTES[0])
    fill(again, {("Columns", ("contacts", "Handy")): {"choice": None}, ticked: {"choice": "Unsubscribed"}})
    assert "contacts.status" in taken(project, again).map.values


def test_every_bad_cell_is_named_at_once_whoever_finds_it(tmp_path: Path) -> None:
    """A formula, texts that no list has, an answer that no question takes, what the route refuses, records that contradict each other."""
    project, path = given_out(tmp_path, ROUTES[0])
    taken_name = next(iter(project.route_spec.phases["people"].custom_fields))
    fill(
        path,
        {
            ("Questions", ("default_owner",)): {"answer": "nobody"},
            ("Columns", ("contacts", "Handy")): {"choice": "somewhere"},
            ("Columns", ("contacts", "Geburtsdatum")): {"choice": "New date field [people]", "name": taken_name},
            ("Words", ("contacts.status", "Abonniert")): {"choice": "=1+1"},
            ("Tags", ("vip customer",)): {"choice": "Maybe"},
            ("Duplicates", ("1042", "1377")): {"verdict": FIRST},
            ("Duplicates", ("1377", "2001")): {"verdict": FIRST},
            ("Duplicates", ("1042", "2001")): {"verdict": APART},
        },
    )
    with pytest.raises(SheetError) as error:
        read_workbook(path, project, read_client(project.engagement))
    told = [(each.sheet, each.cell, each.found) for each in error.value.cells]
    assert told == [
        ("Questions", "F5", "another text"),
        ("Columns", "F4", "another text"),
        ("Columns", "F5", "one that does not"),
        ("Words", "F4", "a formula"),
        ("Tags", "E4", "another text"),
        *(("Duplicates", f"I{number}", "a contradiction") for number in (5, 6, 7)),
    ]


def test_a_sheet_whose_columns_are_in_doubt_is_told_once_and_the_others_are_held_to_their_meaning(tmp_path: Path) -> None:
    project, path = given_out(tmp_path, ROUTES[0])
    book = openpyxl.load_workbook(fill(path, {("Questions", ("default_owner",)): {"answer": "nobody"}}))
    book["Columns"].delete_cols(6)
    book.save(path)
    with pytest.raises(SheetError) as error:
        read_workbook(path, project, read_client(project.engagement))
    assert [(each.sheet, each.cell) for each in error.value.cells] == [("Questions", "F5"), ("Columns", "")]


@pytest.mark.parametrize("route", ROUTES)
def test_a_word_that_a_field_s_own_list_lacks_is_asked_about_once_everywhere_and_its_answer_is_applied(tmp_path: Path, route: str) -> None:
    project = sampled(tmp_path, route, contacts=60, is_mapped=False)
    asked, found = propose(project, None), assemble(project, None, {}, None, made_at=datetime.now(UTC))
    (line,) = (one for one in scope_asks._open_words(found))
    assert line.what == f"What {len(asked.words)} words should become"
    path = write_workbook(tmp_path / "map.xlsx", asked, found, project)
    page = openpyxl.load_workbook(path)["Words"]
    listed = {(row[0].value, row[2].value): row[3].value for row in page.iter_rows(min_row=4)}
    assert listed == {("contacts.gdpr_status", "Maybe"): 1, ("contacts.shirt_size", "Gigantic"): 1}
    with pytest.raises(SheetError, match="expected one of 'S', 'M', 'L', 'XL'"):
        read_workbook(fill(path, {("Words", ("Gigantic",)): {"choice": "XXL"}}), project, read_client(project.engagement))
    client = taken(project, fill(path, {("Words", ("Gigantic",)): {"choice": "XL"}})).map
    assert client.values == {"contacts.shirt_size": {"Gigantic": "XL"}}
    again = opened(tmp_path, route, decisions=project.engagement.decisions_path.read_text("utf-8"))
    assert [(each.column, each.word) for each in propose(again, None).words] == [("gdpr_status", "Maybe")]
    found = assemble(again, None, {}, None, made_at=datetime.now(UTC))
    assert not any(each.unknown_options for each in found.custom_fields)
    offered = readings(Material.of(propose(again, None), found, again))["contacts.shirt_size"]
    assert offered == ("XL", "S", "M", "L"), "decided before, and open to another answer"


def test_two_rows_with_one_address_cannot_be_called_different_in_the_workbook_or_by_hand(tmp_path: Path) -> None:
    project, path = given_out(tmp_path, ROUTES[0])
    lines = "1042,ann@example.com,Ann\n1377,ANN@Example.com,Anne\n1400,bob@example.com,Bob\n"
    (project.engagement.exports / "leads_kartra_30-06-2026_6a4d3f237926d.csv").write_text(f"id,email,first_name\n{lines}", encoding="utf-8")
    staged(project)
    fill(path, {("Duplicates", ("1042", "1377")): {"verdict": APART}})
    with pytest.raises(SheetError, match=r"sheet 'Duplicates', cell I\d: .*same e-mail address.*correct the address of one of them"):
        read_workbook(path, project, read_client(project.engagement))
    decisions = 'owners: queue_rows\nmap:\n  different:\n    contacts:\n      - ["1042", "1400"]\n      - ["1042", "1377"]\n'
    with pytest.raises(SpecError, match=r"decisions.yaml:6: map.different.contacts\[1\]: two of these have the same e-mail address"):
        confirm(opened(tmp_path, ROUTES[0], decisions=decisions), "Anna", sample=5)
    fill(path, {("Duplicates", ("1042", "1377")): {"verdict": ""}})
    with pytest.raises(SheetError, match=r"decisions\.yaml: map\.different"):
        read_workbook(path, project, read_client(project.engagement))
