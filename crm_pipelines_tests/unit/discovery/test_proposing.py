"""A map proposed for an engagement: what waits, what stays empty, which words have no answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crm_pipelines.destinations.base import FoundField, Schema
from crm_pipelines.discovery.meanings import meanings
from crm_pipelines.discovery.proposal import ProposedMap
from crm_pipelines.discovery.proposing import Places, propose
from crm_pipelines.phases.columns import column_account
from crm_pipelines.phases.project import Project
from crm_pipelines_tests.lib.opened import written

HEAD = "id,email,first_name,last_name,date_joined,"
HANDS = ("ruth@example.com", "sol@example.com", "ruth@example.com")


@pytest.fixture(scope="module")
def proposed(project: Project) -> ProposedMap:
    return propose(project, None)


def schema_of(*fields: FoundField, users: tuple[str, ...] = ()) -> Schema:
    found = {email: str(number) for number, email in enumerate(users)}
    return Schema("acme", "plan", 3, "EUR", "UTC", found, fields, {}, {}, {}, {})


def extra(root: Path, route: str, *columns: tuple[str, tuple[str, str, str]]) -> Project:
    """Stage three contacts with columns that the source's contract does not know."""
    rows = [f"{n},c{n}@example.com,Ann,Lee,2024-01-0{n},{','.join(values[n - 1] for _, values in columns)}" for n in (1, 2, 3)]
    head = HEAD + ",".join(heading for heading, _ in columns)
    return written(root, [("contacts_kartra_09_06_2026_a.csv", "\n".join([head, *rows]) + "\n")], route)


def test_exactly_the_waiting_columns_are_proposed_for(project: Project, proposed: ProposedMap) -> None:
    waiting = [(line["object"], line["heading"]) for line in column_account(project) if line["state"] == "waiting"]
    assert [(each.object, each.heading) for each in proposed.columns] == waiting
    assert waiting


def test_no_field_that_the_map_fills_is_offered(project: Project, proposed: ProposedMap) -> None:
    for proposal in proposed.columns:
        for candidate in proposal.candidates:
            if candidate.target.kind == "field":
                assert candidate.target.name not in project.spec.phases[candidate.target.phase].fields
                assert candidate.target.phase in Places(project, proposal.object, None).phases


def test_a_date_of_birth_without_a_field_gets_one_of_its_own(proposed: ProposedMap) -> None:
    found = next(each for each in proposed.columns if each.heading == "birth_date")
    assert (found.best.target.kind, found.state, found.inferred) == ("new", "pre-ticked", "date")
    assert "the new system has no field `Birthday` for these records" in found.best.evidence


def test_the_same_engagement_gives_the_same_map(project: Project, proposed: ProposedMap) -> None:
    assert propose(project, None) == proposed


def test_empty_fields_are_those_that_nothing_fills(project: Project, proposed: ProposedMap) -> None:
    assert proposed.empty_fields
    for each in proposed.empty_fields:
        assert each.target.name not in project.spec.phases[each.target.phase].fields


def test_words_without_an_answer_are_listed_with_their_rows(proposed: ProposedMap) -> None:
    assert [(each.object, each.column, each.role, each.rows) for each in proposed.words if each.word == "Maybe"] == [
        ("contacts", "gdpr_status", "status", 1)
    ]


def test_words_that_a_field_s_own_list_lacks_are_words_with_its_options(tmp_path: Path) -> None:
    listed = "field_id,field_identifier,field_type,options,option_ids\n1,likes,checkbox,Tea|Coffee,1|2\n"
    rows = "id,email,likes\n1,a@example.com,tea|cofee\n2,b@example.com,Cofee\n3,c@example.com,coffee\n"
    project = written(tmp_path, [("custom_fields_1.csv", listed), ("contacts_1.csv", rows)])
    (word,) = propose(project, None).words
    assert (word.object, word.column, word.role, word.word.casefold(), word.rows) == ("contacts", "likes", "option", "cofee", 2)
    assert [meaning for meaning, _ in word.candidates] == ["Coffee"]


def test_owners_who_are_no_users_are_words_with_users_who_may_be_meant(project: Project) -> None:
    words = propose(project, schema_of(users=("nobody@example.com",))).words
    assert {each.role for each in words} >= {"owner"}


def test_a_standard_field_that_is_open_is_proposed(tmp_path: Path) -> None:
    project = extra(tmp_path, "kartra_to_odoo", ("Berufsbezeichnung", ("Geschäftsführerin", "Einkäufer", "Buchhalter")))
    best = propose(project, None).columns[0].best
    assert (best.target.phase, best.target.name, best.target.label) == ("people", "function", "Job title")
    assert best.evidence[0] == "its name reads like `Job title` (German: Berufsbezeichnung)"


def test_a_custom_field_of_the_destination_is_proposed_by_name_and_options(tmp_path: Path) -> None:
    project = extra(tmp_path, "kartra_to_pipedrive", ("badge col", ("teal", "mauve", "teal")))
    field = FoundField("people", "Badge colour", "abc", "enum", {"teal": "1", "mauve": "2"}, is_custom=True)
    best = propose(project, schema_of(field)).columns[0].best
    assert (best.target.kind, best.target.name, best.target.type) == ("custom_field", "Badge colour", "enum")
    assert "all 2 different values are options of `Badge colour`" in best.evidence


def test_addresses_of_users_are_an_owner_and_no_second_address(tmp_path: Path) -> None:
    project = extra(tmp_path, "kartra_to_pipedrive", ("Responsable", HANDS))
    best = propose(project, schema_of(users=HANDS[:2])).columns[0].best
    assert best.target.kind == "new"  # an owner is a link, which a client cannot choose for a column
    assert "all 2 different values are users of the new system" in best.evidence


@pytest.mark.parametrize(
    ("cells", "why"),
    [(("purple", "purple", "Purple "), "the same word in every row"), (("purple", "green", ""), "only 2 rows are filled")],
)
def test_a_column_that_says_little_is_never_ticked_as_a_new_field(tmp_path: Path, cells: tuple[str, str, str], why: str) -> None:
    found = propose(extra(tmp_path, "kartra_to_pipedrive", ("Zodiac house", cells)), None).columns[0]
    assert (found.best.target.kind, found.state == "pre-ticked") == ("new", False)
    assert why in found.best.evidence


def many(root: Path, heading: str, cells: list[str]) -> Project:
    """Stage contacts with one column that the contract does not know."""
    rows = "".join(f'{n},c{n}@example.com,Ann,Lee,2024-01-05,"{cell}"\n' for n, cell in enumerate(cells, 1))
    return written(root, [("contacts_kartra_09_06_2026_a.csv", f"{HEAD}{heading}\n{rows}")])


DAYS = [f"{day}. Februar 1961" for day in range(1, 29)] * 5


@pytest.mark.parametrize(
    ("heading", "cells", "state", "why"),
    [
        ("Geburtstag", DAYS, "pre-ticked", ""),
        ("Geburtstag", [*DAYS, "soon"], "pre-ticked", "1 of 141 filled cells do not read as a date: their rows would wait"),
        (
            "Geburtstag",
            [*DAYS[:99], "soon", "1.2.61"],
            "choose",
            "2 of 101 filled cells do not read as a date (a year needs four digits): ",
        ),
        (
            "Geburtstag",
            ["31.05.61", "14.07.58"] * 9,
            "choose",
            "18 of 18 filled cells do not read as a date (a year needs four digits), so ",
        ),
        ("Aktiv", ["t", "f"] * 20, "choose", "its cells read as yes or no: whether they are needed is for you to say"),
        ("Kunde seit", [f"2024{month:02}{day:02}" for month in (1, 5) for day in range(1, 20)], "choose", "its cells read as dates: "),
        ("Rabatt", [f"{number} %" for number in range(1, 40)], "pre-ticked", ""),
        ("Lifetime value", [f"${number}.50" for number in range(1, 40)], "choose", "its amounts name a currency ($): "),
    ],
)
def test_only_what_is_read_is_ticked_and_what_would_wait_is_counted(
    tmp_path: Path, heading: str, cells: list[str], state: str, why: str
) -> None:
    (found,) = propose(many(tmp_path, heading, cells), None).columns
    assert (found.state, found.best.evidence[0].startswith(why)) == (state, True)
    assert ("filled cells" in found.best.evidence[0]) == ("filled cells" in why)


@pytest.mark.parametrize(("account", "state"), [("USD", "pre-ticked"), ("EUR", "choose")])
def test_amounts_are_ticked_where_they_name_the_currency_of_the_account(tmp_path: Path, account: str, state: str) -> None:
    project = many(tmp_path, "Lifetime value", [f"${number}.50" for number in range(1, 40)])
    (found,) = propose(project, replace(schema_of(), currency=account)).columns
    assert found.state == state


def test_one_word_that_a_label_has_too_proves_nothing_and_one_address_of_a_user_does(tmp_path: Path) -> None:
    field = FoundField("people", "Badge colour", "abc", "enum", {"teal": "1", "mauve": "2"}, is_custom=True)
    one = propose(extra(tmp_path / "one", "kartra_to_pipedrive", ("badge col", ("teal", "teal", "teal"))), schema_of(field))
    assert "options of" not in str(one.columns[0].candidates)
    same = propose(extra(tmp_path / "two", "kartra_to_pipedrive", ("Responsable", HANDS[:1] * 3)), schema_of(users=HANDS[:2]))
    assert "users of the new system" in str(same.columns[0].best.evidence)


def test_nothing_that_is_estimated_is_shown_as_certain(project: Project, proposed: ProposedMap) -> None:
    shown = [one.confidence for each in proposed.columns for one in each.candidates]
    shown += [share for each in (*proposed.words, *proposed.empty_fields) for *_, share in each.candidates]
    assert max(shown) <= 0.99


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("Aktiv", ("Active", "Cancelled", "Failed"), "Active"),
        ("résilié", ("active", "cancelled"), "cancelled"),
        ("Subscribd", ("Subscribed", "Bounced"), "Subscribed"),
        ("activa", ("actif", "inactif"), "actif"),
        ("ganado", ("open", "won", "lost"), "won"),
    ],
)
def test_a_word_means_its_likest_known_one(word: str, known: tuple[str, ...], meant: str) -> None:
    assert meanings(word, known)[0][0] == meant


def test_words_of_other_meanings_are_no_candidates() -> None:
    assert meanings("inactive", ("active",)) == ()
    assert meanings("unsubscribed", ("subscribed",)) == ()
    assert meanings("zzz", ("active", "won")) == ()
