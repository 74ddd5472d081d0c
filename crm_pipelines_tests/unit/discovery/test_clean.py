"""Raw against clean, held against the raw files read with the csv module."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crm_pipelines.discovery import frames
from crm_pipelines.discovery.clean import clean_counts
from crm_pipelines.discovery.duplicates import likely_duplicates
from crm_pipelines.discovery.values import CleanCount
from crm_pipelines.phases.desired import resolve_all
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines_tests.lib import exports
from crm_pipelines_tests.lib.opened import ROUTES, opened, sampled, written

HEADING = "id,email,status,date_joined\n"


def counts(project: Project) -> dict[str, CleanCount]:
    staged = {name: frames.staged_object(project, name) for name in project.objects}
    return {count.object: count for count in clean_counts(project, staged, frames.people(project, staged))}


def test_contacts_are_counted_as_the_raw_files_say(project: Project) -> None:
    raw = exports.read(project.export_path(project.chunk(project.object_chunks("contacts")[0])))
    rows = {row[raw.headings.index("id")]: row for row in raw.rows if row[raw.headings.index("id")].strip().isdigit()}
    emails = {key: _address(row[raw.headings.index("email")]) for key, row in rows.items()}
    statuses = [row[raw.headings.index("status")] for row in rows.values()]
    usable = [email for email in emails.values() if email]
    told = counts(project)["contacts"]
    assert told.raw_rows == len(raw.rows) + raw.broken
    assert told.distinct_keys == len(rows)
    assert told.kinds["duplicate_email"] == len(usable) - len(set(usable))
    assert told.kinds["no_email"] == sum(row[raw.headings.index("email")].strip() in ("", "N/A") for row in rows.values())
    assert told.kinds["role_account"] == len({email for email in usable if re.match(r"(info|sales|office)@", email)})
    assert abs(told.kinds["bounced"] - statuses.count("Multiple soft bounces")) <= told.kinds["duplicate_email"]  # the strictest of twins
    assert told.kinds["complained"] == statuses.count("Spam complaint")


def test_stale_and_clean_are_what_plain_python_counts(project: Project) -> None:
    """The second way: dictionaries over the raw files. A twin may lend its survivor a date or a status, hence the tolerance."""
    rows = [row for raw in _raw(project, "contacts") for row in raw if row["id"].strip().isdigit()]
    keys, emails = _engaged(project)
    stale = {row["id"] for row in rows if _is_old(row["date_joined"]) and row["id"] not in keys and _address(row["email"]) not in emails}
    first = {_address(row["email"]): row["id"] for row in sorted(rows, key=lambda row: -int(row["id"]))}
    clean = {
        row["id"]
        for row in rows
        if (address := _address(row["email"]))
        and first[address] == row["id"]
        and not re.match(r"(info|sales|office)@", address)
        and row["status"] != "Multiple soft bounces"
        and row["id"] not in stale
    }
    told = counts(project)["contacts"]
    twins = told.kinds["duplicate_email"]
    assert stale
    assert 0 <= len(stale) - told.kinds["stale"] <= twins
    assert abs(len(clean) - told.clean) <= twins


def _raw(project: Project, name: str) -> list[list[dict[str, str]]]:
    files = [exports.read(project.export_path(project.chunk(key))) for key in project.object_chunks(name)]
    return [[dict(zip(raw.headings, row, strict=True)) for row in raw.rows] for raw in files]


def _engaged(project: Project) -> tuple[set[str], set[str | None]]:
    places = {
        "transactions": ("lead_id", "Buyer_Email"),
        "subscriptions": ("subscription_lead_id", "lead_email"),
        "deals": ("contact_id", "contact_email"),
        "calendars": ("", "lead_email"),
    }
    keys, emails = set[str](), set[str | None]()
    for name, (key, email) in places.items():
        for row in (row for raw in _raw(project, name) for row in raw if row.get("Transaction_Type") != "Failed"):
            keys.add(row.get(key, "").strip().removesuffix(".0"))
            emails.add(_address(row[email]))
    return keys, emails - {None}


def _is_old(cell: str) -> bool:
    """Tell whether somebody joined more than 24 months before the newest export of the sample, 9 June 2026."""
    return "1900" < cell.strip() < "2024-06-09"


def _address(cell: str) -> str | None:
    bare = re.sub(r"^.*<|>.*$|^mailto:", "", cell.replace("\u00a0", " ").strip()).casefold()
    return bare if re.fullmatch(r"[^@\s()]+@[^@\s()]+\.[a-z]+", bare) else None


def test_transactions_are_counted_by_key(project: Project) -> None:
    files = [exports.read(project.export_path(project.chunk(key))) for key in project.object_chunks("transactions")]
    keys = [cell.strip() for raw in files for cell in raw.cells("ID") if cell.strip().isdigit()]
    told = counts(project)["transactions"]
    assert (told.distinct_keys, told.kinds["repeated"]) == (len(set(keys)), len(keys) - len(set(keys)))
    assert told.raw_rows == sum(len(raw.rows) + raw.broken for raw in files)


def test_clean_is_what_no_rule_takes_away(tmp_path: Path) -> None:
    rows = (
        "1,ana@example.com,Active,2026-01-01 10:00:00\n"  # clean
        "2,ANA@example.com,Active,2026-01-01 10:00:00\n"  # the same person
        "3,,Active,2026-01-01 10:00:00\n"
        "4,info@example.com,Multiple soft bounces,2019-01-01 10:00:00\n"  # three reasons, one record
        "5,old@example.com,Unsubscribed,2019-01-01 10:00:00\n"  # stale
        "6,buyer@example.com,Unsubscribed,2019-01-01 10:00:00\n"  # bought, so not stale: opted out people still move
    )
    paid = "id,transaction_type,date,product,buyer_email,Amount (USD),Revenue (USD)\n9,Sale,2020-01-01,Course,Buyer@example.com,5,5\n"
    name = "contacts_kartra_09-06-2026_6a2803f884d5c.csv"
    told = counts(written(tmp_path, [(name, HEADING + rows), ("transactions_1.csv", paid)]))["contacts"]
    assert (told.raw_rows, told.distinct_keys, told.clean) == (6, 6, 2)
    assert told.kinds == {
        "no_email": 1,
        "unusable_email": 0,
        "role_account": 1,
        "bounced": 1,
        "unsubscribed": 2,
        "complained": 0,
        "stale": 2,
        "duplicate_email": 1,
    }
    assert set(told.rules) == set(told.kinds)
    assert "24 months" in told.rules["stale"]


def test_words_that_the_client_explained_count_as_what_they_mean(tmp_path: Path) -> None:
    rows = "1,a@example.com,Unzustellbar,2026-01-01 10:00:00\n2,b@example.com,Active,2026-01-01 10:00:00\n"
    project = written(tmp_path, [("contacts_1.csv", HEADING + rows)])
    assert counts(project)["contacts"].kinds["bounced"] == 0
    decided = (
        "owners: queue_rows\nmap:\n  values: {contacts.status: {unzustellbar: Multiple soft bounces}}\n  same: {contacts: [['1', '2']]}\n"
    )
    told = counts(opened(tmp_path, decisions=decided))["contacts"]
    assert (told.kinds["bounced"], told.kinds["duplicate_email"], told.distinct_keys, told.clean) == (1, 1, 2, 0)


def test_likely_duplicates_are_counted_once_contacts_are_resolved(project: Project) -> None:
    told = counts(project)["contacts"]
    assert told.kinds["likely_duplicate"] == len({pair.keys[1] for pair in likely_duplicates(project)})


def test_a_likely_pair_shows_what_one_recognises_people_by(tmp_path: Path) -> None:
    heading = "id,email,first_name,last_name,zip,company,date_joined\n"
    twins = "1,ann@example.com,Ann,Smith,02134,Acme,2021-03-04 10:00:00\n2,smith@example.org,Ann,Smith,02134,,\n"
    project = written(tmp_path, [("contacts.csv", heading + twins)])
    resolve_all(project)
    (pair,) = likely_duplicates(project)
    assert pair.shown == (
        "Ann Smith\nann@example.com\nAcme\n02134\njoined 2021-03-04\nno purchase",
        "Ann Smith\nsmith@example.org\n02134\nno purchase",
    )
    assert pair.as_dict()["shown"] == list(pair.shown)
    assert "Ann" not in repr(pair), "a log shows no person"


def test_without_a_time_of_export_nothing_is_stale(tmp_path: Path) -> None:
    told = counts(written(tmp_path, [("contacts.csv", HEADING + "1,a@example.com,Active,2001-01-01 10:00:00\n2,,,\n")]))["contacts"]
    assert (told.kinds["stale"], told.kinds["no_email"], told.clean) == (0, 1, 1)


@pytest.mark.parametrize("route", ROUTES)
def test_nothing_is_counted_where_nothing_was_exported(tmp_path: Path, route: str) -> None:
    assert counts(opened(tmp_path, route)) == {}


@pytest.mark.parametrize("route", ROUTES)
def test_leaving_out_what_was_counted_leaves_what_was_called_clean(tmp_path: Path, route: str) -> None:
    project = sampled(tmp_path, route, contacts=120, is_mapped=False)
    told = counts(project)["contacts"]
    decided = "owners: queue_rows\nmap:\n  leave_out: {contacts: [no_email, role_account, bounced, stale]}\n"
    again = opened(tmp_path, route, decisions=decided)
    resolve_all(again)
    kept = read_resolved(again.resolved_folder, "contacts")
    assert kept.height == told.clean < told.distinct_keys - told.merged
    assert counts(again)["contacts"].clean == told.clean


def test_stale_contacts_that_a_list_or_a_tag_speaks_for_are_told(tmp_path: Path) -> None:
    rows = (
        "1,a@example.com,Active,2019-01-01 10:00:00,VIP\n"
        "2,b@example.com,Subscribed,2019-01-01 10:00:00,\n"
        "3,c@example.com,Unsubscribed,2019-01-01 10:00:00,VIP\n"
        "4,d@example.com,Active,2026-01-01 10:00:00,VIP\n"  # not stale
    )
    name = "contacts_kartra_09-06-2026_6a2803f884d5c.csv"
    told = counts(written(tmp_path, [(name, HEADING.strip() + ",tags\n" + rows)]))["contacts"]
    assert (told.kinds["stale"], told.clean) == (3, 1)
    assert told.stale_with == {"subscribed": 2, "tagged": 2}


def test_phone_numbers_that_a_spreadsheet_rounded_are_counted_by_contact(tmp_path: Path) -> None:
    rows = "1,a@example.com,Active,2026-01-01 10:00:00,4.47701E+11\n2,b@example.com,Active,2026-01-01 10:00:00,020 7946 0123\n"
    name = "contacts_kartra_09-06-2026_6a2803f884d5c.csv"
    told = counts(written(tmp_path, [(name, HEADING.strip() + ",phone\n" + rows)]))["contacts"]
    assert told.kinds["ruined_phone"] == 1
    assert "4.47701E+11" in told.rules["ruined_phone"]
    assert told.clean == 2, "the contact moves, without a number"
