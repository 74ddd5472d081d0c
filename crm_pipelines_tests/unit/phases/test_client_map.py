"""An engagement with a client's map: what the columns' account says, what is in no file, what `crm check` tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crm_pipelines.discovery.profile import column_profiles
from crm_pipelines.errors import NotConfirmedError
from crm_pipelines.phases.check import check_engagement
from crm_pipelines.phases.columns import column_account, columns_in_no_file, in_no_file, keys_in_no_file, map_notes, words_in_no_row
from crm_pipelines.phases.confirm import confirm
from crm_pipelines.phases.desired import stage_chunk
from crm_pipelines.phases.project import Project
from crm_pipelines.settings import load_engagement

SETTINGS = """\
type: crm_pipelines.defs.component.CrmMigration
attributes:
  route: kartra_to_pipedrive
  account: {name: acme, base_url: "http://127.0.0.1:9", token_env: T}
"""
CONTACTS = """\
id,email,Shoe size,Shoe Size,Hat,Business type,Cat
1,ann@example.com,44,45,M,Shop,Tom
2,bob@example.com,,,L,,
"""
MAP = """\
map:
  columns:
    contacts:
      SHOE-SIZE: {phase: people, custom_field: Shoe size, type: number}
      Hat: {ignore: Nobody wears hats any more.}
      Business type: {phase: people, custom_field: Trade}
      Dog: {phase: people, custom_field: Dog}
  values: {contacts.hta: {M: medium}}
  same: {contacts: [[1, 2], [7, 1000]]}
"""
Opened = Callable[[str], Project]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Return a function that opens an engagement with one export and these decisions."""
    folder = tmp_path / "engagements" / "acme"
    (folder / "exports").mkdir(parents=True)
    (folder / "engagement.yaml").write_text(SETTINGS, encoding="utf-8")
    (folder / "exports" / "contacts_kartra_09-06-2026_6a2803f884d5c.csv").write_text(CONTACTS, encoding="utf-8")
    monkeypatch.setenv("CRM_ENGAGEMENTS", str(tmp_path / "engagements"))

    def make(text: str) -> Project:
        (folder / "decisions.yaml").write_text(text, encoding="utf-8")
        project = Project.open(load_engagement("acme"))
        project.register()
        for chunk in project.chunks():
            stage_chunk(project, chunk.key)
        return project

    return make


def states(project: Project) -> dict[str, tuple[str, str]]:
    return {line["heading"]: (line["state"], line["why"]) for line in column_account(project)}


def test_a_column_waits_until_the_client_decides_and_a_second_of_its_name_has_its_own_line(opened: Opened) -> None:
    before = states(opened("owners: queue_rows\n"))
    assert {name for name, (state, _) in before.items() if state == "waiting"} == {"Shoe size", "shoe_size__2", "Hat", "Cat"}
    after = states(opened("owners: queue_rows\n" + MAP))
    assert (after["Shoe size"], after["Hat"]) == (("mapped", ""), ("ignored", "Nobody wears hats any more."))
    assert (before["business_type"][0], after["business_type"]) == ("ignored", ("mapped", ""))
    assert {name for name, (state, _) in after.items() if state == "waiting"} == {"shoe_size__2", "Cat"}


def test_a_column_that_files_spell_differently_is_one_and_its_cells_are_counted_together(opened: Opened) -> None:
    older = load_engagement("acme").exports / "contacts_kartra_08-06-2026_6a2803f884d5b.csv"
    older.write_text("id,email,shoe_size,Gro\u0308\u00dfe,Gr\u00f6\u00dfe\n3,cy@example.com,43,L,XL\n", encoding="utf-8")
    project = opened("owners: queue_rows\n")
    lines = {line["heading"]: line for line in column_account(project) if line["state"] == "waiting"}
    assert {heading: (line["files"], line["filled"]) for heading, line in lines.items()} == {
        "Shoe size": (2, 2),
        "shoe_size__2": (1, 1),
        "Hat": (1, 2),
        "Cat": (1, 1),
        "Gro\u0308\u00dfe": (1, 1),
        "gr\u00f6sse__2": (1, 1),
    }
    assert {each.heading for each in column_profiles(project) if each.state == "waiting"} == set(lines), "the workbook finds them by name"
    decided = opened("owners: queue_rows\nmap: {columns: {contacts: {shoe_size: {ignore: Nobody needs it.}}}}\n")
    assert states(decided)["shoe_size"] == ("ignored", "Nobody needs it."), "called as the client calls it"


def test_a_newer_list_of_custom_fields_makes_no_second_field_of_one_column(opened: Opened) -> None:
    exports = load_engagement("acme").exports
    for name, options in (("custom_fields.csv", "S|M"), ("custom_fields_later.csv", "S|L")):
        (exports / name).write_text(f"field_identifier,field_type,options\nhat,drop_down,{options}\n", encoding="utf-8")
        project = opened("owners: queue_rows\n")
    made = [field for field in project.compiled.phases["people"].fields if "hat" in field.node.from_]
    assert [(field.name, field.options) for field in made] == [("hat", ("S", "L", "M"))]


DATES = "owners: queue_rows\nmap: {columns: {contacts: {Born: {phase: people, custom_field: Born, type: date}}}}\n"
FIRST, LATER = "contacts_kartra_08-06-2026_6a2803f884d5b.csv", "contacts_kartra_09-06-2026_6a2803f884d5c.csv"


def declare(orders: dict[str, str]) -> Project:
    """Declare orders of day and month per file, and open the engagement again."""
    folder = load_engagement("acme").exports.parent
    files = ", ".join(f"{name}: {{date_order: {order}}}" for name, order in orders.items())
    (folder / "engagement.yaml").write_text(f"{SETTINGS}  source: {{files: {{{files}}}}}\n", encoding="utf-8")
    return Project.open(load_engagement("acme"))


def order_of(project: Project) -> object:
    return project.spec.phases["people"].custom_fields["Born"].with_.get("order")


def test_the_declared_order_of_dates_counts_from_registering_on_and_for_files_that_are_not_named(opened: Opened) -> None:
    exports = load_engagement("acme").exports
    (exports / LATER).rename(exports / FIRST)
    (exports / FIRST).write_text("id,email,Born\n1,ann@example.com,05/06/1990\n", encoding="utf-8")
    declare({FIRST: "dmy"})
    first = opened(DATES)
    assert order_of(first) == "dmy", "the project that registered the file knows what later ones will"
    assert first.spec == Project.open(load_engagement("acme")).spec
    (exports / LATER).write_text("id,email,Born\n2,bob@example.com,07/06/1990\n", encoding="utf-8")
    assert order_of(opened(DATES)) == "dmy", "the later file is read as the first"
    assert map_notes(opened(DATES)) == ()
    both = declare({FIRST: "dmy", LATER: "mdy"})
    assert order_of(both) is None
    assert [each.partition(";")[0] for each in map_notes(both)] == [
        f"map: column `Born` of contacts is read as a date, and engagement.yaml declares {FIRST} with dmy and {LATER} with mdy"
    ]


def test_what_is_decided_and_in_no_file_is_told_and_hinders_nothing(opened: Opened) -> None:
    project = opened(MAP)
    assert columns_in_no_file(project) == [("contacts", "Dog"), ("contacts", "hta")]
    assert keys_in_no_file(project) == [("contacts", 1, 0), ("contacts", 1, 1)]
    told = in_no_file(project)
    assert len(told) == 4
    assert "`Dog`" in told[0]
    assert told[2].startswith("map.same.contacts: key 1 of group 2 is in no file")


def test_a_word_that_no_row_holds_is_told_by_its_place_and_never_by_itself(opened: Opened) -> None:
    decided = "map:\n  values:\n    contacts.Hat: {m: medium, l : large, Giant: huge}\n  owners: {zoe@example.com: ana@example.com}\n"
    project = opened(decided)
    assert words_in_no_row(project) == [("values", "contacts.Hat", 2), ("owners", "", 0)]
    told = in_no_file(project)
    assert told[0] == "map.values.contacts.Hat: entry 3 is a word that no row holds; check its spelling, it does nothing"
    assert told[1] == "map.owners: entry 1 is an owner whom no row names; check its spelling, it does nothing"
    assert not any("Giant" in line or "zoe" in line for line in told)


def test_the_route_s_own_spec_is_kept_beside_the_client_s(opened: Opened) -> None:
    project = opened(MAP)
    assert "Trade" in project.spec.phases["people"].custom_fields
    assert "Trade" not in project.route_spec.phases["people"].custom_fields
    assert project.compiled.phases["people"].lineage["Trade"] == (("contacts", "business_type"),)
    assert project.columns("people")["Shoe size"] == "number"


def test_an_open_question_opens_and_is_told_by_crm_check(opened: Opened) -> None:
    project = opened("lists: labels\n")
    assert (project.unanswered, dict(project.answered), project.decisions["owners"]) == (("owners",), {"lists": "labels"}, "queue_rows")
    (problem,) = check_engagement("acme")
    assert problem.message.startswith("needs an answer: What happens to records of a Kartra team member")
    opened("owners: queue_rows\n" + MAP)
    assert check_engagement("acme") == []


def test_nothing_is_sealed_while_a_question_is_open(opened: Opened) -> None:
    with pytest.raises(NotConfirmedError, match="owners: needs an answer"):
        confirm(opened("lists: labels\n"), "Ana", without_sample="a reason", paused_by="Ana")


def test_crm_check_tells_what_the_map_cannot_be(opened: Opened) -> None:
    opened("owners: queue_rows\n")
    load_engagement("acme").decisions_path.write_text("owners: queue_rows\nmap: {same: {contacts: [[1]]}}\n", encoding="utf-8")
    assert [problem.path for problem in check_engagement("acme")] == ["map.same.contacts[0]"]


def test_bytes_that_are_no_text_are_a_message(opened: Opened) -> None:
    opened("owners: queue_rows\n")
    load_engagement("acme").decisions_path.write_bytes(b"owners: \xff\n")
    (problem,) = check_engagement("acme")
    assert problem.message.endswith("is not UTF-8 text (byte 8); save it as UTF-8")


def test_how_files_are_declared_to_write_numbers_counts_for_the_columns_of_the_client(opened: Opened) -> None:
    home = load_engagement("acme").exports.parent
    (home / "exports" / LATER).write_text("id,email,Jahresumsatz\n1,ann@example.com,1.107\n", encoding="utf-8")
    decided = DATES.replace("Born", "Jahresumsatz").replace("date", "number")
    assert dict(opened(decided).spec.phases["people"].custom_fields["Jahresumsatz"].with_) == {}
    (home / "engagement.yaml").write_text(f"{SETTINGS}  source: {{files: {{{LATER}: {{decimal_locale: eu}}}}}}\n", encoding="utf-8")
    project = Project.open(load_engagement("acme"))
    assert dict(project.spec.phases["people"].custom_fields["Jahresumsatz"].with_) == {"locale": "eu"}
