"""What discovery says of files and columns, held against the raw files read with the csv module."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_pipelines.discovery.checklist import checklist
from crm_pipelines.discovery.profile import column_profiles, file_profiles
from crm_pipelines.discovery.values import ColumnProfile
from crm_pipelines.phases.project import Project
from crm_pipelines_tests.lib import exports
from crm_pipelines_tests.lib.opened import ROUTES, opened, written

NO_VALUE = ("", "n/a")


@pytest.fixture(scope="module")
def columns(project: Project) -> tuple[ColumnProfile, ...]:
    return column_profiles(project)


def raw_files(project: Project, name: str) -> list[exports.RawFile]:
    return [exports.read(project.export_path(project.chunk(key))) for key in project.object_chunks(name)]


def of(columns: tuple[ColumnProfile, ...], name: str, column: str) -> ColumnProfile:
    return next(each for each in columns if (each.object, each.column) == (name, column))


def test_files_have_the_rows_of_the_raw_files_and_name_their_overlap(project: Project) -> None:
    for profile in file_profiles(project):
        raw = exports.read(project.export_path(project.chunk(profile.chunk)))
        assert profile.physical_rows == len(raw.rows) + raw.blank + raw.broken
        assert profile.physical_rows == profile.good_rows + profile.blank_rows + profile.bad_rows
        assert profile.blank_rows == raw.blank
    first, second = (set(raw.cells("ID")) for raw in raw_files(project, "transactions"))
    told = [profile.keys_in_other_files for profile in file_profiles(project) if profile.object == "transactions"]
    assert told == [len(first & second)] * 2
    assert told[0] > 0


def test_date_ranges_are_those_of_the_objects_own_time(project: Project) -> None:
    profile = next(each for each in file_profiles(project) if each.object == "subscriptions")
    days = sorted(cell[:10] for cell in raw_files(project, "subscriptions")[0].cells("subscription_start_date"))
    assert profile.first_date is not None
    assert profile.last_date is not None
    assert abs(profile.first_date.toordinal() - profile.first_date.fromisoformat(days[0]).toordinal()) <= 1  # UTC, not the account's zone
    assert abs(profile.last_date.toordinal() - profile.last_date.fromisoformat(days[-1]).toordinal()) <= 1


@pytest.mark.parametrize("column", ["company", "country", "status", "source", "favourite_author", "birth_date", "badge_colour"])
def test_fill_counts_are_those_of_the_raw_files(project: Project, columns: tuple[ColumnProfile, ...], column: str) -> None:
    profile = of(columns, "contacts", column)
    bad = sum(each.bad_rows for each in file_profiles(project) if each.object == "contacts")
    cells = [cell for raw in raw_files(project, "contacts") if column in raw.headings for cell in raw.cells(column)]
    filled = [cell.strip() for cell in cells if cell.strip().lower() not in NO_VALUE]
    assert len(filled) - bad <= profile.filled <= len(filled)  # rows without a key have whole lines, too
    assert profile.rows == sum(each.good_rows for each in file_profiles(project) if each.object == "contacts")


def test_every_heading_has_one_line(project: Project, columns: tuple[ColumnProfile, ...]) -> None:
    for name in project.objects:
        raw = {heading for file in raw_files(project, name) for heading in file.headings}
        told = [each.heading for each in columns if each.object == name]
        assert len(told) == len(set(told))
        assert raw <= set(told) | {"Contact", "Deal"}


def test_no_example_is_a_text_of_its_column(project: Project, columns: tuple[ColumnProfile, ...]) -> None:
    shown = 0
    for profile in columns:
        raw = {
            cell.strip()
            for file in raw_files(project, profile.object)
            if profile.heading in file.headings
            for cell in file.cells(profile.heading)
        }
        for example in profile.examples:
            shown += 1
            assert example not in raw
            assert len(example) <= 40
            assert not set(example) & set("abcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWYZ012345678")
    assert shown > 60


def test_names_and_addresses_of_people_are_never_options(columns: tuple[ColumnProfile, ...]) -> None:
    for column in ("email", "first_name", "last_name", "phone", "company", "city", "address", "notes", "ip", "gdpr_status_ip", "owner"):
        assert of(columns, "contacts", column).options == ()


@pytest.mark.parametrize(
    ("name", "column", "inferred"),
    [
        ("contacts", "id", "id"),
        ("contacts", "email", "email"),
        ("contacts", "country", "country"),
        ("contacts", "date_joined", "datetime"),
        ("contacts", "score", "number"),
        ("contacts", "tags", "set"),
        ("contacts", "blacklisted", "boolean"),
        ("contacts", "status", "enum"),
        ("contacts", "business_type", "empty"),
        ("contacts", "website", "url"),
        ("contacts", "birth_date", "date"),
        ("contacts", "badge_colour", "enum"),
        ("contacts", "favourite_fruit", "set"),
        ("transactions", "amount", "money"),
        ("transactions", "transaction_type", "enum"),
    ],
)
def test_columns_read_as_what_they_hold(columns: tuple[ColumnProfile, ...], name: str, column: str, inferred: str) -> None:
    assert of(columns, name, column).inferred == inferred


def test_the_state_of_a_column_is_that_of_the_map(columns: tuple[ColumnProfile, ...]) -> None:
    told = {each.column: (each.state, each.why) for each in columns if each.object == "contacts"}
    assert told["email"][0] == "mapped"
    assert told["shirt_size"][0] == "custom field"
    assert told["lead_picture"] == ("ignored", "An address of an image that expires.")
    assert told["birth_date"][0] == told["badge_colour"][0] == "waiting"


def test_a_choice_lists_its_words_most_frequent_first(project: Project, columns: tuple[ColumnProfile, ...]) -> None:
    cells = [cell for raw in raw_files(project, "contacts") for cell in raw.cells("badge_colour") if cell]
    options = of(columns, "contacts", "badge_colour").options
    assert set(options) == set(cells)
    assert [cells.count(word) for word in options] == sorted((cells.count(word) for word in set(cells)), reverse=True)


# -- the checklist -----------------------------------------------------------------------------------------------------


def test_the_checklist_names_what_is_there(project: Project) -> None:
    for item in checklist(project):
        assert item.is_there == bool(project.object_chunks(item.object))
        assert item.how
        assert item.is_required == (item.without_it == "")


@pytest.mark.parametrize("route", ROUTES)
def test_the_checklist_works_before_anything_was_exported(tmp_path: Path, route: str) -> None:
    items = checklist(opened(tmp_path, route))
    assert [item.object for item in items if item.is_required] == ["contacts"]
    assert not any(item.is_there for item in items)
    assert ("deals" in {item.object for item in items}) == (route == "kartra_to_odoo")
    assert items[0].expected_names == ("contacts*.csv", "leads*.csv")


def test_a_file_that_is_not_registered_yet_counts_as_there(tmp_path: Path) -> None:
    project = opened(tmp_path)
    (project.engagement.exports / "leads_1.csv").write_text("id,email\n", encoding="utf-8")
    assert [item.files for item in checklist(project) if item.is_there] == [("leads_1.csv",)]


def test_an_unreadable_cell_is_filled_and_counted(tmp_path: Path) -> None:
    project = written(tmp_path, [("contacts_1.csv", "id,email,score\n1,a@example.com,12\n2,b@example.com,many\n3,c@example.com,\n")])
    score = of(column_profiles(project), "contacts", "score")
    assert (score.filled, score.unreadable, score.share_of_type, score.distinct) == (2, 1, 0.5, 1)


def test_a_heading_that_files_spell_differently_goes_by_the_contracts_name(tmp_path: Path) -> None:
    first = "id,E-mail,Shoe Size\n1,a@example.com,40\n"
    project = written(tmp_path, [("contacts_1.csv", first), ("leads_2.csv", "id,Email Address,Shoe Size\n2,b@example.com,41\n")])
    told = {each.column: each.heading for each in column_profiles(project)}
    assert told["email"] == "email"
    assert told["shoe_size"] == "Shoe Size"


def test_a_column_that_the_client_decided_about_waits_no_more(tmp_path: Path) -> None:
    rows = "id,email,Shoe Size,Badge,Hat\n1,a@example.com,40,red,7\n"
    written(tmp_path, [("contacts_1.csv", rows)])
    decided = (
        "owners: queue_rows\nmap:\n  columns:\n    contacts:\n      Shoe Size: {phase: people, custom_field: Shoe size, type: number}\n"
        "      Badge: {ignore: Nobody wears them any more.}\n"
    )
    told = {each.column: (each.state, each.why) for each in column_profiles(opened(tmp_path, decisions=decided))}
    assert told["shoe_size"] == ("mapped", "people: Shoe size")
    assert told["badge"] == ("ignored", "Nobody wears them any more.")
    assert told["hat"][0] == "waiting"
