"""Everything in one call: owners, words, custom fields, months - held against the records and the raw files."""

from __future__ import annotations

import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from crm_pipelines.discovery.gather import Parts, gather
from crm_pipelines.discovery.owners import suggestions
from crm_pipelines.discovery.proposing import propose
from crm_pipelines.discovery.vocabularies import vocabularies
from crm_pipelines.phases.project import Project
from crm_pipelines_tests.lib import exports
from crm_pipelines_tests.lib.opened import ROUTES, opened, written
from crm_pipelines_tests.lib.walk import desire

USERS = {"Ana@agency.example.com": "Ana Agency", "zoe@agency.example.com": "Zoe", "admin@example.com": "Ada Admin"}
GONE = "zoe.departed@agency.example.com"


@pytest.fixture(scope="module")
def parts(project: Project) -> Parts:
    return gather(project, USERS)


def raw(project: Project, name: str) -> list[exports.RawFile]:
    return [exports.read(project.export_path(project.chunk(key))) for key in project.object_chunks(name)]


def test_it_takes_seconds_at_most(project: Project) -> None:
    started = time.process_time()
    gather(project, USERS)
    assert time.process_time() - started < 4  # 1.1 s for 300 contacts and 1.3 s for 2,600 on a quiet machine


@pytest.mark.parametrize("route", ROUTES)
def test_with_nothing_exported_the_checklist_is_all(tmp_path: Path, route: str) -> None:
    told = gather(opened(tmp_path, route))
    assert told.checklist
    others = (
        told.files,
        told.columns,
        told.clean,
        told.tags,
        told.history,
        told.custom_fields,
        told.owners,
        told.vocabularies,
        told.series,
    )
    assert not any(others)
    assert told.notes == ("The destination was not asked for its users, so no owner could be matched.",)


def test_staged_files_alone_are_enough(tmp_path: Path) -> None:
    told = gather(written(tmp_path, [("contacts_1.csv", "id,email,owner\n1,a@example.com,ana@agency.example.com\n")]))
    assert [(each.owner, each.rows, each.money) for each in told.owners] == [("ana@agency.example.com", {"contacts": 1}, {})]
    assert any("not resolved yet" in note for note in told.notes)


# -- owners ------------------------------------------------------------------------------------------------------------


def test_owners_are_matched_by_address_and_those_without_a_user_come_first(project: Project, parts: Parts) -> None:
    matched = [each.owner for each in parts.owners if each.user]
    assert matched == ["ana@agency.example.com"]
    assert [each.user is None for each in parts.owners] == [True] * (len(parts.owners) - 1) + [False]
    assert next(each for each in parts.owners if each.owner == GONE).suggestions == ("zoe@agency.example.com",)
    contacts = raw(project, "contacts")[0]
    cells = [cell.strip().casefold() for key, cell in zip(contacts.cells("id"), contacts.cells("owner"), strict=True) if key.isdigit()]
    counted = Counter(cell for cell in cells if cell not in ("", "n/a"))
    assert {each.owner: each.rows["contacts"] for each in parts.owners} == dict(counted)


def test_money_is_that_of_the_records_that_would_go_to_the_owner(project: Project, parts: Parts) -> None:
    for owner in parts.owners:
        expected: Counter[str] = Counter()
        for phase in project.phases:
            link = next((field for field, to in project.compiled.phases[phase].links.items() if to == "users"), None)
            mapped = project.mapped(phase)
            if link is None or "amount" not in mapped.columns:
                continue
            own = mapped.filter(pl.col(f"link_{link}") == owner.owner).group_by("currency").agg(pl.col("amount").sum()).drop_nulls()
            expected.update(dict(own.iter_rows()))
        assert {code: pytest.approx(float(total)) for code, total in owner.money.items()} == {k: v for k, v in expected.items() if v}
        assert all(Decimal(total) > 0 for total in owner.money.values())


@pytest.mark.parametrize(
    ("owner", "found"),
    [
        ("a.miller@old.example.com", ("anna.miller@example.com",)),
        ("miller@example.com", ("anna.miller@example.com",)),
        ("annamiller@example.com", ("anna.miller@example.com",)),
        ("bob.smith@example.com", ("rsmith@example.com",)),
        ("quentin@example.com", ()),
        ("=1+1", ()),
        ("0815@old.example.com", ()),
        ("", ()),
        ("1234@old.example.com", ("1234@example.com",)),
    ],
)
def test_users_are_suggested_by_name_and_address(owner: str, found: tuple[str, ...]) -> None:
    users = {
        "anna.miller@example.com": "Anna Miller",
        "rsmith@example.com": "Bob Smith",
        "xy@example.com": "Xavier Young",
        "1234@example.com": "",
    }
    assert suggestions(owner, users) == found


def test_a_user_who_is_an_owner_already_is_suggested_to_nobody(tmp_path: Path) -> None:
    rows = "1,a@example.com,ana@agency.example.com\n2,b@example.com,ana.b@agency.example.com\n"
    told = gather(written(tmp_path, [("contacts_1.csv", "id,email,owner\n" + rows)]), USERS)
    assert {each.owner: (each.user, each.suggestions) for each in told.owners} == {
        "ana@agency.example.com": ("ana@agency.example.com", ()),
        "ana.b@agency.example.com": (None, ()),
    }


def test_whom_the_client_named_takes_over(tmp_path: Path) -> None:
    files = [("contacts_1.csv", f"id,email,owner\n1,a@example.com,{GONE}\n")]
    written(tmp_path, files)
    decided = f"owners: queue_rows\nmap:\n  owners: {{{GONE.title()}: zoe@agency.example.com}}\n"
    told = gather(opened(tmp_path, decisions=decided), USERS).owners
    assert [(each.owner, each.user) for each in told] == [(GONE, "zoe@agency.example.com")]


# -- words -------------------------------------------------------------------------------------------------------------


def test_words_are_counted_and_those_without_an_answer_are_named(project: Project, parts: Parts) -> None:
    by_place = {(each.object, each.column): each for each in parts.vocabularies}
    kinds = by_place["transactions", "transaction_type"]
    rows = [row for file in raw(project, "transactions") for row in zip(file.cells("ID"), file.cells("Transaction_Type"), strict=True)]
    assert dict(kinds.words) == dict(Counter(kind for key, kind in rows if key.strip().isdigit()))
    assert kinds.unknown == ()
    consent = by_place["contacts", "gdpr_status"]
    assert (consent.role, consent.unknown) == ("consent", ("Maybe",))
    assert by_place["contacts", "status"].role == "status"
    assert by_place["contacts", "lists"].role == "list"
    assert ("contacts", "tags") not in by_place
    assert (("deals", "stage") in by_place) == ("deals" in project.objects)


def test_unknown_words_of_every_role(tmp_path: Path) -> None:
    paid = "id,transaction_type,date,product,buyer_email,Amount (USD),Revenue (USD)\n9,Gift,2020-01-01,Course,a@example.com,5,5\n"
    subscribed = "subscription_id,product,lead_id,start_date,status\nS1,Club,1,2024-01-01,Frozen\nS2,Club,1,2024-01-01,active\n"
    files = [("contacts_1.csv", "id,email,status\n1,a@example.com,Asleep\n2,b@example.com,ACTIVE\n")]
    project = written(tmp_path, [*files, ("transactions_1.csv", paid), ("subscriptions_1.csv", subscribed)])
    assert {(each.object, each.column): each.unknown for each in gather(project).vocabularies} == {
        ("contacts", "status"): ("Asleep",),
        ("transactions", "transaction_type"): ("Gift",),
        ("subscriptions", "subscription_status"): ("Frozen",),
    }


def test_every_word_without_an_answer_is_told_however_many_there_are(tmp_path: Path) -> None:
    rows = "".join(f"{n},c{n}@example.com,Word {n % 260:03}\n" for n in range(1, 521)) + "900,c900@example.com,Rare\n"
    project = written(tmp_path, [("contacts_1.csv", f"id,email,status\n{rows}")])
    (status,) = [each for each in vocabularies(project) if each.column == "status"]
    assert len(status.unknown) == 261
    assert status.words["Rare"] == 1
    assert [each.rows for each in propose(project, None).words if each.word == "Rare"] == [1]


def test_words_are_offered_as_the_map_spells_them(tmp_path: Path) -> None:
    project = written(tmp_path, [("contacts_1.csv", "id,email,status\n1,a@example.com,subscribd\n2,b@example.com,SUBSCRIBED\n")])
    (word,) = [each for each in propose(project, None).words if each.column == "status"]
    assert (word.word, word.candidates[0][0]) == ("subscribd", "Subscribed")


# -- custom fields -----------------------------------------------------------------------------------------------------


def test_custom_fields_read_as_their_content(tmp_path: Path) -> None:
    listed = (
        "field_id,field_identifier,field_type,options,option_ids\n1,renewal,input_field,,\n2,budget,input_field,,\n3,agreed,input_field,,\n"
        "4,size,drop_down,S|M,11|12\n5,likes,checkbox,tea|coffee|milk,21|22|23\n6,unused,text_area,,\n7,when,input_field,,\n"
    )
    rows = [
        f'{n},c{n}@example.com,{n + 10}.03.2024,"1.{n}00,50 €",{("ja", "nein")[n % 2]},M,"tea, coffee",{n}/2/2024' for n in range(1, 10)
    ]
    rows[0] = '1,c1@example.com,soon,"5,00 €",ja,Huge,"tea, cola",1/2/2024'
    rows[1] = '2,c2@example.com,12.03.2024,"7,00 €",nein,12,"21|22",2/2/2024'
    heading = "id,email,renewal,budget,agreed,size,likes,when\n"
    project = written(tmp_path, [("custom_fields_1.csv", listed), ("contacts_1.csv", heading + "\n".join(rows) + "\n")])
    found = {each.name: each for each in gather(project).custom_fields}
    assert {name: each.inferred for name, each in found.items()} == {
        "renewal": "date",
        "budget": "money",
        "agreed": "boolean",
        "size": "enum",
        "likes": "set",
        "unused": "empty",
        "when": "date",
    }
    assert found["renewal"].advice == "Reads as dates (day first) in 89 % of 9 filled cells: make it a date field."
    assert "ask which comes first" in found["when"].advice
    assert found["size"].unknown_options == ("Huge",)
    assert found["likes"].unknown_options == ("cola",)
    assert found["size"].options == ("S", "M")
    assert found["unused"].advice.startswith("No contact has a value")


def test_without_the_list_unknown_columns_are_typed_by_content(tmp_path: Path) -> None:
    rows = "id,email,Renewal Date\n1,a@example.com,2024-01-05\n2,b@example.com,2024-02-05\n"
    found = gather(written(tmp_path, [("contacts_1.csv", rows)])).custom_fields
    assert [(each.name, each.source_type, each.inferred) for each in found] == [("Renewal Date", "", "date")]


def test_an_option_that_holds_a_separator_is_known(tmp_path: Path) -> None:
    listed = 'field_id,field_identifier,field_type,options,option_ids\n1,size,checkbox,"Small, thin|Large",1|2\n'
    rows = 'id,email,size\n1,a@example.com,"Small, thin, Large"\n2,b@example.com,"Small, thin"\n3,c@example.com,"Small, wide"\n'
    found = gather(written(tmp_path, [("custom_fields_1.csv", listed), ("contacts_1.csv", rows)])).custom_fields
    assert found[0].unknown_options == ("Small", "wide")


def test_a_planted_option_that_the_list_lacks_is_named(parts: Parts) -> None:
    assert {each.name: each.unknown_options for each in parts.custom_fields if each.unknown_options} == {"shirt_size": ("Gigantic",)}


# -- months ------------------------------------------------------------------------------------------------------------


def test_months_add_up_to_the_records_that_have_a_time(project: Project, parts: Parts) -> None:
    files = raw(project, "transactions")
    keys = {key for file in files for key in file.cells("ID") if key.strip().isdigit()}
    assert sum(parts.series["transactions"].values()) == len(keys)
    assert list(parts.series["contacts"]) == sorted(parts.series["contacts"])
    assert all(len(month) == 7 for month in parts.series["contacts"])


def test_files_without_rows_are_told_as_empty(tmp_path: Path) -> None:
    paid = "id,transaction_type,date,product,buyer_email,Amount (USD),Revenue (USD)\n"
    project = written(tmp_path, [("contacts_1.csv", "id,email,tags,owner,Extra\n"), ("transactions_1.csv", paid)])
    desire(project)
    told = gather(project)
    assert [(each.object, each.physical_rows, each.keys, each.first_date) for each in told.files] == [
        ("contacts", 0, 0, None),
        ("transactions", 0, 0, None),
    ]
    assert {each.inferred for each in told.columns} == {"empty"}
    assert [(each.raw_rows, each.clean) for each in told.clean] == [(0, 0), (0, 0)]
    assert not any((told.tags, told.history, told.owners, told.vocabularies, told.series))
