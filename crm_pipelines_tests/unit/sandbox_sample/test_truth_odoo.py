"""The truth of the route to Odoo agrees with itself, and with what can be read off the files by hand."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm_pipelines.sandbox.sample import SampleConfig, SampleReport, generate
from crm_pipelines_tests.unit.sandbox_sample.reading import contact_rows, files_of, rows_of, truth_of

ROUTE = "kartra_to_odoo"
OTHER_DECISIONS: list[dict[str, str]] = [
    {"transactions": "invoices", "failed": "cancelled_order", "rebills": "deal_each"},
    {"refunded": "net", "lists": "same", "affiliates": "category"},
    {"subscription_value": "latest", "cancelled_bookings": "exclude", "transactions": "invoices", "refunded": "net"},
    {"owners": "default_user", "default_owner": "ana@agency.example.com", "subscription_value": "first"},
]
Json = dict[str, Any]
ADDRESS = re.compile(r"[^\s<>:]+@[^\s<>]+")  # inside `mailto:` and `Name <a@b>`


@pytest.fixture(scope="module")
def odoo(tmp_path_factory: pytest.TempPathFactory) -> SampleReport:
    out = tmp_path_factory.mktemp("odoo")
    return generate(SampleConfig(contacts=500, seed=7, out=out, chunks=2, planted_queue="five", delta=True, route=ROUTE))


@pytest.fixture(scope="module")
def truth(odoo: SampleReport) -> Json:
    return truth_of(odoo.truth)


def deal_rows(folder: Path) -> dict[str, dict[str, str]]:
    return {row["deal_id"]: row for path in files_of(folder, "deals") for row in rows_of(path) if row["deal_id"]}


def check_consistent(truth: Json) -> None:
    records = truth["records"]
    people, companies, users, products = (records[phase] for phase in ("people", "organizations", "users", "products"))
    for phase in ("people", "orders", "invoices", "deals", "activities"):
        for one in records.get(phase, {}).values():
            assert one.get("user_id", next(iter(users))) in users
            assert one.get("invoice_user_id", next(iter(users))) in users
            assert one.get("parent_id") is None or one["parent_id"] in companies
            assert one.get("partner_id") is None or one["partner_id"] in people
            assert one.get("product") is None or one["product"] in products
            assert all(key in people or key in users for key in one.get("attendees", ()))
            assert one["custom"].keys() <= truth["fields"][phase].keys()
    assert truth["pairs"]["people"] == sum(len(one.get("category_id", ())) for one in people.values())
    created = Counter[str]()
    for name, row in truth["rows"].items():
        assert row["physical_rows"] == sum(row["buckets"].values())
        created["people" if name.startswith(("contacts", "leads")) else name.split("_kartra")[0]] += row["buckets"].get("created", 0)
    assert created["people"] == len(people)
    assert created["transactions"] + created["subscriptions"] == len(records["orders"]) + len(records.get("invoices", ()))
    assert (created["calendars"], created["deals"]) == (len(records["activities"]), len(records["deals"]))


@pytest.mark.parametrize("decisions", OTHER_DECISIONS, ids=lambda one: ",".join(one.values()))
def test_every_decision_gives_another_truth_of_the_same_files(decisions: dict[str, str], tmp_path: Path) -> None:
    made = [
        generate(SampleConfig(contacts=80, seed=3, out=tmp_path / str(n), decisions=one, route=ROUTE))
        for n, one in enumerate(({}, decisions))
    ]
    assert {p.name: p.read_bytes() for p in made[0].exports.iterdir()} == {p.name: p.read_bytes() for p in made[1].exports.iterdir()}
    default, other = (truth_of(report.truth) for report in made)
    check_consistent(default)
    check_consistent(other)
    assert other["records"] != default["records"]


def test_decisions_of_the_other_route_are_refused(tmp_path: Path) -> None:
    for wrong in ({"companyless": "none"}, {"failed": "lost_deal"}, {"refunded": "lost"}):
        with pytest.raises(ValueError, match="decision"):
            SampleConfig(contacts=80, seed=3, out=tmp_path, decisions=wrong, route=ROUTE)
    with pytest.raises(ValueError, match="route must be one of"):
        SampleConfig(contacts=80, seed=3, out=tmp_path, route="kartra_to_nowhere")


def test_the_other_exports_are_those_of_a_sample_without_deals(odoo: SampleReport, tmp_path: Path) -> None:
    plain = generate(SampleConfig(contacts=500, seed=7, out=tmp_path, chunks=2, planted_queue="five", delta=True))
    assert plain.delta is not None
    assert odoo.delta is not None
    for without, with_deals in ((plain.exports, odoo.exports), (plain.delta, odoo.delta)):
        found, more = ({p.name: hashlib.sha256(p.read_bytes()).digest() for p in folder.iterdir()} for folder in (without, with_deals))
        assert found.items() <= more.items()
        assert [name.split("_")[0] for name in more.keys() - found.keys()] == ["deals"]


def test_the_same_five_rows_wait_and_no_deal(truth: Json, tmp_path: Path) -> None:
    assert len(truth["queues"]) == 5
    assert not [one for one in truth["queues"] if one["object"] == "deals"]
    rough = truth_of(generate(SampleConfig(contacts=400, seed=11, out=tmp_path, route=ROUTE)).truth)
    check_consistent(rough)
    waiting = {(one["queue"], one["reason"]) for one in rough["queues"] if one["object"] == "deals"}
    assert waiting == {("review", "no_contact"), ("owner", "no_user")}


def amount_of(text: str) -> Decimal:
    """Read an amount the way a person does: the last separator before two digits is the decimal one."""
    digits = text.replace(",", "").replace(".", "")
    return Decimal(digits) / 100 if len(text) > 3 and text[-3] in ",." else Decimal(digits)


def test_deals_by_hand(odoo: SampleReport, truth: Json) -> None:
    rows, deals = deal_rows(odoo.exports), truth["records"]["deals"]
    assert rows.keys() == deals.keys()
    found = ((ADDRESS.search(row["email"]), row["id"]) for row in contact_rows(odoo.exports))
    by_email = {address.group().casefold(): number for address, number in found if address}
    ids, aliases = truth["records"]["people"].keys(), aliases_of(truth)
    seen = Counter[str]()
    for key, row in rows.items():
        deal = deals[key]
        assert deal.get("expected_revenue") == (float(amount_of(row["amount"])) if row["amount"] else None)
        assert (deal["status"], deal.get("user_id")) == (row["status"], row["owner_email"].casefold() or None)
        assert deal["stage"] == ("Won" if row["status"] == "won" else row["stage"])
        assert deal.get("date_deadline") == (row["close_date"] if row["close_date"].strip("0-") else None)
        assert ("date_closed" in deal) == (row["status"] != "open")
        named = row["contact_id"] if row["contact_id"] in {*ids, *aliases} else by_email[row["contact_email"].casefold()]
        assert deal["partner_id"] == aliases.get(named, named)
        seen["alias"] += row["contact_id"] in aliases
        seen["by email"] += row["contact_id"] not in {*ids, *aliases}
        seen["EU"] += bool(row["amount"]) and row["amount"][-3:-2] == ","
        seen["US"] += "," in row["amount"][:-3] and row["amount"][-3] == "."
        seen["breaks"] += "\n" in row["notes"]
        seen["html"] += "<" in row["notes"]
        seen["nobody"] += not row["owner_email"]
        seen[row["status"]] += 1
    assert {*seen} >= {"alias", "by email", "EU", "US", "breaks", "html", "nobody", "open", "won", "lost"}
    assert all(seen.values())
    assert 0.1 < len(deals) / 500 < 0.14


def aliases_of(truth: Json) -> dict[str, str]:
    people = truth["records"]["people"]
    return {alias: key for key, one in people.items() for alias in one["custom"].get("Merged Kartra IDs", "").split(", ") if alias}


def test_stages_stand_in_order_of_appearance_however_deals_are_counted(odoo: SampleReport, truth: Json) -> None:
    rows = list(deal_rows(odoo.exports).values())
    assert truth["stages"] == list(dict.fromkeys(row["stage"] for row in rows))
    assert truth["stages"] == list(dict.fromkeys(row["stage"] for row in rows if row["status"] != "won"))
    assert any(not stage.isascii() for stage in truth["stages"])


def test_partners_by_hand(odoo: SampleReport, truth: Json) -> None:
    """Whoever comes once arrives with the cells as they stand."""
    rows = contact_rows(odoo.exports)
    times = Counter(row["id"] for row in rows)
    states = {"TX": "TX", "MA": "MA", "Oregon": "OR", "Essex": "G9", "NSW": "NSW", "WA": "WA", "Rhône": None, "": None, "N/A": None}
    seen = Counter[str]()
    for row in rows:
        person = truth["records"]["people"].get(row["id"])
        if person is None or times[row["id"]] > 1 or "Merged Kartra IDs" in person["custom"]:
            continue
        assert person.get("state") == (states[row["state"]] if row["country"] else None)
        assert person["custom"].get("Kartra state") == (row["state"] if row["state"] not in {"", "N/A"} else None)
        assert person.get("street", "") == row["address"].replace("\n", ", ")
        website = row["website"]
        wanted = website if "://" in website else f"http://{website}"
        assert person.get("website") == (wanted if website not in {"", "N/A"} else None)
        has_address = any(row[column] not in {"", "N/A"} for column in ("address", "city", "state", "zip", "country"))
        assert person["type"] == ("other" if "parent_id" in person and has_address else "contact")
        boxes = {name for name, value in person["custom"].items() if name.startswith("favourite_fruit: ") and value}
        assert bool(boxes) == bool(row["favourite_fruit"])
        seen["website"] += "://" not in website and website not in {"", "N/A"}
        seen["state"] += row["state"] == "Rhône"
        seen["break"] += "\n" in row["address"]
        seen[person["type"]] += 1
    assert min(seen["website"], seen["state"], seen["break"], seen["other"], seen["contact"]) > 0


def test_opt_outs_hold_even_for_those_who_wait(tmp_path: Path) -> None:
    found = 0
    for seed in range(40):
        report = generate(SampleConfig(contacts=40, seed=seed, out=tmp_path / str(seed), route=ROUTE))
        truth = truth_of(report.truth)
        arriving = {one["email"].lower() for one in truth["records"]["people"].values() if "email" in one}
        found += len(truth["records"]["opt_outs"].keys() - arriving)
        assert all(key == one["email"] == one["email"].lower() for key, one in truth["records"]["opt_outs"].items())
    assert found > 0


def test_the_delta_moves_deals(odoo: SampleReport, truth: Json) -> None:
    assert odoo.delta is not None
    assert odoo.delta_truth is not None
    after = truth_of(odoo.delta_truth)
    row = next(row for name, row in after["rows"].items() if name.startswith("deals"))
    assert row["buckets"]["created"] >= 2
    assert row["buckets"]["updated"] >= 4
    assert row["physical_rows"] == len(deal_rows(odoo.delta))
    before, now = truth["records"]["deals"], after["records"]["deals"]
    assert before.keys() < now.keys()
    changed = {field for key, one in before.items() for field in one if now[key][field] != one[field]}
    assert changed >= {"status", "stage", "expected_revenue"}
    assert after["stages"] == truth["stages"], "what was confirmed needs no new stage"
