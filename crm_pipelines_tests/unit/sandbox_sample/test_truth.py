"""The truth agrees with itself, and with what can be read off the files by hand."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm_pipelines.sandbox.sample import UNKNOWN_OWNER, SampleConfig, SampleReport, generate
from crm_pipelines_tests.unit.sandbox_sample.reading import contact_rows, files_of, rows_of, truth_of

FIVE = {
    ("contacts", "remediation", "no_email"),
    ("contacts", "owner", "no_user"),
    ("transactions", "review", "no_contact"),
    ("transactions", "review", "two_candidates"),
    ("calendars", "review", "no_contact"),
}
OTHER_DECISIONS = [
    {"rebills": "deal_each", "failed": "lost_deal", "refunded": "won_minus_refund", "lists": "custom_field"},
    {"companyless": "none", "affiliates": "partner_organizations", "extra_fields": "core", "deal_labels": "contact_tags"},
    {"subscription_value": "latest", "consent_proof": "never", "cancelled_bookings": "exclude", "deal_labels": "none"},
    {"owners": "default_user", "default_owner": "ana@agency.example.com", "subscription_value": "first"},
]


@pytest.fixture
def truth(five: SampleReport) -> dict[str, Any]:
    return truth_of(five.truth)


def check_consistent(truth: dict[str, Any]) -> None:
    records = truth["records"]
    people, organizations, users = records["people"], records["organizations"], records["users"]
    for phase in ("people", "deals", "activities"):
        for record in records[phase].values():
            assert record.get("org_id") is None or record["org_id"] in organizations
            assert record.get("owner_id") is None or record["owner_id"] in users
            assert record.get("person_id") is None or record["person_id"] in people
            assert all(key in people for key in record.get("participants", ()))
    assert all(note["person_id"] in people for note in records["notes"].values())
    for phase in ("people", "deals"):
        assert truth["pairs"][phase] == sum(len(record.get("label_ids", ())) for record in records[phase].values())
    sums: dict[tuple[str, str], Decimal] = {}
    for deal in records["deals"].values():
        if "value" in deal:
            key = deal["currency"], deal["status"]
            sums[key] = sums.get(key, Decimal(0)) + Decimal(str(deal["value"]))
    told = {(currency, status): Decimal(str(row["sum"])) for currency, by in truth["money"].items() for status, row in by.items()}
    assert sums == told
    created = Counter[str]()
    for name, row in truth["rows"].items():
        created["people" if name.startswith(("contacts", "leads")) else name.split("_kartra")[0]] += row["buckets"].get("created", 0)
    assert created["people"] == len(people)
    assert created["transactions"] + created["subscriptions"] == len(records["deals"])
    assert created["calendars"] == len(records["activities"])


def test_links_sums_pairs_and_buckets_agree(truth: dict[str, Any], rough: SampleReport) -> None:
    check_consistent(truth)
    check_consistent(truth_of(rough.truth))


@pytest.mark.parametrize("decisions", OTHER_DECISIONS, ids=lambda one: ",".join(one.values()))
def test_other_decisions_agree_too_on_the_same_files(decisions: dict[str, str], tmp_path: Path) -> None:
    made = [
        generate(SampleConfig(contacts=60, seed=3, out=tmp_path / str(n), planted_queue="five", decisions=one))
        for n, one in enumerate(({}, decisions))
    ]
    assert {p.name: p.read_bytes() for p in made[0].exports.iterdir()} == {p.name: p.read_bytes() for p in made[1].exports.iterdir()}
    default, other = (truth_of(report.truth) for report in made)
    check_consistent(other)
    assert other["records"] != default["records"]
    assert {**default["decisions"], **decisions} == other["decisions"]


def test_exactly_five_rows_wait(truth: dict[str, Any]) -> None:
    assert len(truth["queues"]) == 5
    assert {(one["object"], one["queue"], one["reason"]) for one in truth["queues"]} == FIVE
    waiting = sum(row["buckets"].get("waiting", 0) for row in truth["rows"].values())
    assert waiting == 5


def test_nothing_hangs_on_what_waits_or_cannot_be_read(five: SampleReport, truth: dict[str, Any]) -> None:
    waiting = {one["key"] for one in truth["queues"] if one["object"] == "contacts"}
    assert waiting.isdisjoint(truth["records"]["people"])
    linked = {row["lead_id"] for path in files_of(five.exports, "transactions") for row in rows_of(path)}
    linked |= {row["subscription_lead_id"] for path in files_of(five.exports, "subscriptions") for row in rows_of(path)}
    assert waiting.isdisjoint(linked)
    assert not linked & {"80000001", "80000002"}
    no_email = next(one["key"] for one in truth["queues"] if one["reason"] == "no_email")
    company = next(row["company"] for row in contact_rows(five.exports) if row["id"] == no_email)
    assert f"company:{company.casefold()}" not in truth["records"]["organizations"]


def test_an_owner_without_user_is_told_apart(truth: dict[str, Any]) -> None:
    assert truth["owners_without_user"] == [UNKNOWN_OWNER]
    assert UNKNOWN_OWNER not in truth["records"]["users"]


def test_ordinary_contacts_read_as_they_stand(five: SampleReport, truth: dict[str, Any]) -> None:
    """Whoever comes once, with nothing odd in the name, must arrive under the joined cells."""
    rows = contact_rows(five.exports)
    times = Counter(row["id"] for row in rows)
    checked = 0
    for row in rows:
        person = truth["records"]["people"].get(row["id"])
        cells = [row[column] for column in ("first_name", "middle_name", "last_name", "last_name2") if row[column]]
        if person is None or times[row["id"]] > 1 or "Merged Kartra IDs" in person["custom"] or not cells:
            continue
        if any(cell != " ".join(cell.split()) or set("&;Ã\u200b") & set(cell) or cell.upper() == "N/A" for cell in cells):
            continue
        checked += 1
        assert person["name"] == " ".join(cells)
        assert person["custom"].get("Kartra mailing status", "") == row["status"]
    assert checked > 300


def test_a_newer_file_wins_column_by_column(five: SampleReport, truth: dict[str, Any]) -> None:
    older, newer = ({row["id"]: row for row in rows_of(path)} for stem in ("leads", "contacts") for path in files_of(five.exports, stem))
    checked = Counter[str]()
    for key in older.keys() & newer.keys():
        person = truth["records"]["people"].get(key)
        if person is None or "Merged Kartra IDs" in person["custom"]:
            continue
        for column, name in (("score", "Lead score"), ("linkedin", "LinkedIn"), ("instagram", "Instagram")):
            value = newer[key][column] or older[key][column]
            told = person["custom"].get(name)
            assert (float(value) if column == "score" and value else value or None) == told
            checked["emptied"] += bool(older[key][column] and not newer[key][column])
            checked["changed"] += bool(newer[key][column]) and older[key][column] != newer[key][column]
    assert checked["changed"] > 5


def test_twins_are_one_person_and_their_children_follow(five: SampleReport, truth: dict[str, Any]) -> None:
    people = truth["records"]["people"]
    aliases = {alias: key for key, person in people.items() for alias in person["custom"].get("Merged Kartra IDs", "").split(", ") if alias}
    assert aliases
    assert all(int(key) < int(alias) for alias, key in aliases.items())
    assert not aliases.keys() & people.keys()
    bought = {
        row["lead_id"]: f"tx:{row['ID']}"
        for path in files_of(five.exports, "transactions")
        for row in rows_of(path)
        if row["lead_id"] in aliases and row["Transaction_Type"] == "Sale" and row["subscription_id"] == "N/A"
    }
    for alias, key in bought.items():
        assert truth["records"]["deals"][key]["person_id"] == aliases[alias]


def test_deals_of_one_off_sales_by_hand(five: SampleReport, truth: dict[str, Any]) -> None:
    """A Sale without refunds is won at its amount; local dates stay, times go to UTC."""
    rows = {row["ID"]: row for path in files_of(five.exports, "transactions") for row in rows_of(path)}
    checked = 0
    for number, row in rows.items():
        deal = truth["records"]["deals"].get(f"tx:{number}")
        if deal is None or "Refunded amount" in deal["custom"]:
            continue
        checked += 1
        assert (deal["status"], deal["value"]) == ("won", float(row["Amount (USD)"]))
        assert deal["expected_close_date"] == row["Date"][:10]
        assert deal["title"] == f"{row['Product']} ({number})"
        assert deal["won_time"][:10] >= row["Date"][:10]
    assert checked > 10


def test_every_deal_state_occurs(five: SampleReport, truth: dict[str, Any]) -> None:
    deals = truth["records"]["deals"].values()
    assert {deal["status"] for deal in deals} == {"open", "won", "lost"}
    assert {deal.get("lost_reason") for deal in deals} == {None, "Refunded", "Chargeback", "Cancelled before a payment"}
    statuses = {deal["custom"].get("Subscription status") for deal in deals}
    assert statuses == {None, "Active", "Paused", "Cancelled", "Terminated", "Cancellation requested"}
    assert any("Cancellation requested on" in deal["custom"] for deal in deals)
    assert any(0 < deal["custom"].get("Refunded amount", 0) < deal.get("value", 0) for deal in deals)


def test_the_delta_tells_what_changes(five: SampleReport, truth: dict[str, Any]) -> None:
    assert five.delta_truth is not None
    after = truth_of(five.delta_truth)
    buckets = Counter[str]()
    for row in after["rows"].values():
        buckets.update(row["buckets"])
    assert buckets["created"] > 0
    assert buckets["updated"] > 0
    assert buckets["folded"] > 0
    before, now = truth["records"], after["records"]
    for phase in before:
        assert before[phase].keys() <= now[phase].keys(), "a delta takes nothing away"
    turned = [key for key, deal in before["deals"].items() if deal["status"] == "won" and now["deals"][key]["status"] == "lost"]
    assert len(turned) == five.quirks.get("delta_refund", 3) == 3
    for key, person in before["people"].items():
        assert person.get("marketing_status") == now["people"][key].get("marketing_status"), "it goes out only once"


@pytest.mark.parametrize("seed", range(12))
def test_small_samples_of_any_shape_hold_together(seed: int, tmp_path: Path) -> None:
    planted = "five" if seed % 2 else None
    config = SampleConfig(
        contacts=30 + seed * 5,
        seed=seed,
        out=tmp_path,
        planted_queue=planted,
        chunks=1 + seed % 3,
        custom_fields=seed % 6,
        owners=1 + seed % 4,
    )
    report = generate(config)
    truth = truth_of(report.truth)
    check_consistent(truth)
    assert planted is None or len(truth["queues"]) == 5
    assert {one["reason"] for one in truth["queues"]} >= {"no_email", "no_user", "no_contact", "two_candidates"}
