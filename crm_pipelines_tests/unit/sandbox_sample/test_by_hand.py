"""Single facts of the truth, read off the files a second time by other means: libraries, tables, plain arithmetic."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from crm_pipelines.sandbox.sample import SampleReport
from crm_pipelines_tests.unit.sandbox_sample.reading import contact_rows, files_of, rows_of, truth_of

ZONE = ZoneInfo("America/New_York")
REGIONS = {"1": "US", "44": "GB", "33": "FR", "61": "AU", "United States": "US", "United Kingdom": "GB", "France": "FR", "Australia": "AU"}
OPTED_OUT = {"Unsubscribed", "Declined commercial messages (GDPR)", "Do not contact", "Blocklisted", "Blacklisted", "Spam complaint"}
CODES = {"0": "off", "gdpr off": "off", "1": "not subject", "2": "accepted", "3": "not accepted", "4": "unknown", "5": "pending"}

Single = tuple[dict[str, str], dict[str, Any]]


def utc(text: str) -> str:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def singles(report: SampleReport) -> Iterator[Single]:
    """Yield contacts that come once and are nobody's twin, with the person they become."""
    people = truth_of(report.truth)["records"]["people"]
    rows = contact_rows(report.exports)
    times = Counter(row["id"] for row in rows)
    for row in rows:
        person = people.get(row["id"])
        if person is not None and times[row["id"]] == 1 and "Merged Kartra IDs" not in person["custom"]:
            yield row, person


@pytest.fixture(scope="module")
def ordinary(five: SampleReport, rough: SampleReport) -> list[Single]:
    found = [*singles(five), *singles(rough)]
    assert len(found) > 600
    return found


def test_phones_are_what_the_library_reads_with_the_region_of_code_or_country(ordinary: list[Single]) -> None:
    outcomes = Counter[str]()
    for row, person in ordinary:
        text = row["phone"].removeprefix("'").strip("\u202a\u202c")
        if not text or text == "n/a":
            assert "phones" not in person
            assert "Kartra phone as exported" not in person["custom"]
            continue
        code = row["phone_country_code"].lstrip("+").removeprefix("00")
        region = REGIONS.get(code) or code or REGIONS.get(row["country"]) or row["country"] or None
        expected = read_phone(re.sub(r"^00", "+", text), region)
        outcomes["usable" if expected else "unusable"] += 1
        assert [one["value"] for one in person.get("phones", ())] == ([expected] if expected else [])
        assert person["custom"].get("Kartra phone as exported") == (None if expected else row["phone"])
    assert min(outcomes.values()) > 20


def read_phone(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{e164} x{number.extension}" if number.extension else e164


def test_marketing_status_by_the_table(ordinary: list[Single]) -> None:
    found = Counter[str]()
    for row, person in ordinary:
        gdpr = row["gdpr_status"].casefold()
        gdpr = CODES.get(gdpr, gdpr)
        assert person["custom"].get("GDPR status", "").casefold() == gdpr
        if "emails" not in person:
            assert "marketing_status" not in person
            continue
        if row["blacklisted"] == "1" or row["status"] in OPTED_OUT or gdpr == "not accepted":
            expected = "unsubscribed"
        elif gdpr == "accepted" and row["gdpr_status_date"] not in ("", "0000-00-00 00:00:00"):
            expected = "subscribed" if row["status"] in ("Subscribed", "Active") else "no_consent"
        else:
            expected = "no_consent"
        assert person["marketing_status"] == expected
        found[expected] += 1
    assert min(found.values()) > 30
    assert len(found) == 3


def test_times_go_to_utc_and_dates_stay_local(ordinary: list[Single]) -> None:
    for row, person in ordinary:
        if row["date_joined"].startswith("0000"):
            assert "add_time" not in person
            assert "Kartra created date" not in person["custom"]
        else:
            assert person["add_time"] == utc(row["date_joined"])
            assert person["custom"]["Kartra created date"] == row["date_joined"][:10]


def test_labels_are_the_tags_and_lists_of_the_cell_with_case_twins_as_one(ordinary: list[Single]) -> None:
    for row, person in ordinary:
        if "in full" in row["tags"].casefold():
            continue
        tags = {" ".join(piece.split()).casefold() for piece in re.split("[,;]", row["tags"]) if piece.strip()}
        lists = {f"list_{piece.strip()}".casefold() for piece in re.split("[,;]", row["lists"]) if piece.strip()}
        assert sorted(label.casefold() for label in person.get("label_ids", ())) == sorted(tags | lists)


def test_a_company_has_the_spelling_and_day_of_its_first_contact(five: SampleReport) -> None:
    truth = truth_of(five.truth)
    first: dict[str, tuple[int, str]] = {}
    for row, person in singles(five):
        if row["company"] and row["company"] != "N/A":
            name = " ".join(row["company"].replace("&amp;", "&").split())
            assert person["org_id"] == f"company:{name.casefold()}"
            first[person["org_id"]] = min(first.get(person["org_id"], (2**60, "")), (int(row["id"]), name))
        else:
            assert truth["records"]["organizations"][person["org_id"]]["name"] == person["name"]
    exact = sum(truth["records"]["organizations"][key]["name"] == name for key, (_, name) in first.items())
    assert exact >= len(first) * 0.9, "all but those whose first contact comes twice"


def test_sale_times_and_amounts(five: SampleReport) -> None:
    deals = truth_of(five.truth)["records"]["deals"]
    rows = {row["ID"]: row for path in files_of(five.exports, "transactions") for row in rows_of(path) if row["ID"]}
    sales = [(row, deals[f"tx:{number}"]) for number, row in rows.items() if f"tx:{number}" in deals]
    for row, deal in sales:
        if deal["status"] == "won":
            assert deal["won_time"] == utc(row["Date"])
            assert deal["value"] == pytest.approx(float(row["Amount (USD)"]) - deal["custom"].get("Refunded amount", 0))
        else:
            assert deal["value"] == float(row["Amount (USD)"]) == deal["custom"]["Refunded amount"]
    assert {deal["status"] for _, deal in sales} == {"won", "lost"}


def test_subscriptions_count_and_sum_their_payments(five: SampleReport) -> None:
    deals = truth_of(five.truth)["records"]["deals"]
    rows = {row["ID"]: row for path in files_of(five.exports, "transactions") for row in rows_of(path) if row["ID"]}
    paid: dict[str, list[float]] = {}
    back: dict[str, float] = {}
    for row in rows.values():
        key = f"sub:{row['subscription_id']}"
        if row["Transaction_Type"] in ("Sale", "Rebill") and key in deals:
            paid.setdefault(key, []).append(float(row["Amount (USD)"]))
        elif row["Transaction_Type"] in ("Refund", "Partial refund", "Chargeback") and key in deals:
            back[key] = back.get(key, 0) + abs(float(row["Amount (USD)"]))
    nameless = sum(row["Transaction_Type"] == "Rebill" and row["subscription_id"] == "N/A" for row in rows.values())
    told = sum(deal["custom"]["Payments received"] for key, deal in deals.items() if key.startswith("sub:"))
    assert told == sum(map(len, paid.values())) + nameless
    exact = [key for key, amounts in paid.items() if len(amounts) == deals[key]["custom"]["Payments received"]]
    for key in exact:
        gross = sum(paid[key])
        lost = deals[key]["status"] == "lost"
        assert deals[key]["value"] == pytest.approx(gross if lost else gross - back.get(key, 0))
    assert len(exact) > len(paid) / 2


def test_bookings_are_told_in_the_zone_of_their_calendar(five: SampleReport) -> None:
    activities = truth_of(five.truth)["records"]["activities"]
    zones = set()
    for path in files_of(five.exports, "calendars"):
        for row in rows_of(path):
            if row["calendar_subscription_id"] not in activities:
                continue
            one = activities[row["calendar_subscription_id"]]
            zone = ZoneInfo(row["vendor_timezone"] or "America/New_York")
            start = datetime.fromisoformat(row["event_start"]).replace(tzinfo=zone).astimezone(UTC)
            zones.add(row["vendor_timezone"])
            assert (one["due_date"], one["due_time"]) == (f"{start:%Y-%m-%d}", f"{start:%H:%M:%S}")
            assert one["type"] == ("call" if re.search(r"\bcall\b", row["calendar_name"], re.IGNORECASE) else "meeting")
            assert one["subject"].startswith("Cancelled: ") == (row["status"] == "cancelled")
            assert one["done"] == (row["status"] != "subscribed")
    assert len(zones) > 2
