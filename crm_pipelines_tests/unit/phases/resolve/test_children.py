"""Bookings and partners: whose they are, and what waits."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crm_pipelines_tests.lib.staged_objects import Row, chunk_name, day, fates_of, resolved, row_of, staged

PEOPLE = staged(
    "contacts",
    [
        {"id": "1", "email": "ann@example.com", "company": "Acme", "owner": "own@agency.example.com"},
        {"id": "2", "email": "ANN@example.com"},
        {"id": "3", "email": "bob@example.com"},
    ],
)


def booking(number: int, **cells: object) -> Row:
    usual = {"calendar_subscription_id": str(number), "lead_email": "Ann@Example.com", "status": "subscribed", "event_start": day(1)}
    return {**usual, "host_email_address": "Host@agency.example.com", **cells}


def partner(number: int, **cells: object) -> Row:
    return {
        "affiliate_id": number,
        "username": f"p{number}",
        "name": f"Partner {number}",
        "status": "approved",
        "earned": Decimal(number),
        **cells,
    }


def test_a_booking_belongs_to_the_contact_with_its_address_and_to_its_host() -> None:
    one = row_of(resolved(PEOPLE, staged("calendars", [booking(5)])).frames["bookings"], "5")
    assert (one["contact_key"], one["company_key"], one["owner_key"]) == ("1", "company:acme", "host@agency.example.com")


@pytest.mark.parametrize("address", ["nobody@example.com", None, "bad@"])
def test_a_booking_of_an_unknown_attendee_waits(address: str | None) -> None:
    result = resolved(PEOPLE, staged("calendars", [booking(5, lead_email=address)]))
    assert fates_of(result, "calendars") == {(0, 1): ("waiting", "5", "review/no_contact")}
    assert row_of(result.frames["bookings"], "5")["queue"] == "review"


@pytest.mark.parametrize(
    ("status", "done", "cancelled"),
    [("completed", True, False), ("Cancelled", True, True), ("subscribed", False, False), (None, False, False)],
)
def test_completed_and_cancelled_bookings_are_done(status: str | None, done: bool, cancelled: bool) -> None:
    one = row_of(resolved(PEOPLE, staged("calendars", [booking(5, status=status)])).frames["bookings"], "5")
    assert (one["is_done"], one["is_cancelled"]) == (done, cancelled)


def test_cancelled_bookings_can_be_left_out() -> None:
    files = staged("calendars", [booking(5), booking(6)], [booking(5, status="cancelled")])
    result = resolved(PEOPLE, files, cancelled_bookings="exclude")
    assert result.frames["bookings"]["key"].to_list() == ["6"]
    assert fates_of(result, "calendars") == {
        (0, 1): ("merged", None, None),
        (0, 2): ("record", "6", None),
        (1, 1): ("excluded", None, "cancelled_booking"),
    }


def test_a_newer_booking_row_replaces_the_older_one() -> None:
    result = resolved(PEOPLE, staged("calendars", [booking(5, location="x")], [booking(5, status="completed", location=None)]))
    one = row_of(result.frames["bookings"], "5")
    assert (one["is_done"], one["location"], len(one["contributors"])) == (True, "x", 2)
    assert fates_of(result, "calendars")[0, 1] == ("merged", "5", None)


def test_partners_become_columns_of_their_contact() -> None:
    result = resolved(PEOPLE, staged("affiliates", [partner(1, lead_id="2"), partner(2, email="BOB@example.com")]))
    one, other = (row_of(result.frames["contacts"], key) for key in ("1", "3"))
    assert (one["affiliate_id"], one["affiliate_username"], one["affiliate_status"], one["affiliate_earned"]) == (
        1,
        "p1",
        "approved",
        Decimal(1),
    )
    assert other["affiliate_username"] == "p2"
    assert one["contributors"] == [chunk_name("affiliates", 0), chunk_name("contacts", 0)]
    assert fates_of(result, "affiliates") == {(0, 1): ("folded", "1", None), (0, 2): ("folded", "3", None)}


def test_partners_without_contact_and_second_partners_wait() -> None:
    rows = [partner(10, lead_id="1"), partner(3, lead_id="2"), partner(9, lead_id="99", email="who@example.com")]
    result = resolved(PEOPLE, staged("affiliates", rows))
    assert fates_of(result, "affiliates") == {
        (0, 1): ("waiting", None, "review/second_affiliate"),
        (0, 2): ("folded", "1", None),
        (0, 3): ("waiting", None, "review/no_contact"),
    }
    assert row_of(result.frames["contacts"], "1")["affiliate_username"] == "p3"


def test_partners_can_be_companies_of_their_own() -> None:
    result = resolved(
        PEOPLE, staged("affiliates", [partner(1, name=" Jane  Co ")], [partner(1, status="pending")]), affiliates="partner_organizations"
    )
    one = row_of(result.frames["companies"], "partner:p1")
    assert (one["name"], one["label"], one["affiliate_status"], one["affiliate_username"]) == ("Partner 1", "Partner", "pending", "p1")
    assert "affiliate_username" not in result.frames["contacts"].columns
    assert fates_of(result, "affiliates") == {(0, 1): ("merged", "partner:p1", None), (1, 1): ("record", "partner:p1", None)}
