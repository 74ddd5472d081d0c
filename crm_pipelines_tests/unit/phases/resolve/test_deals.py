"""Deals of the source: whose they are, who owns them, and what waits."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from crm_pipelines.phases.resolve import Resolved
from crm_pipelines.spec.derived import resolved_frames
from crm_pipelines_tests.lib.contracts import kartra_contract
from crm_pipelines_tests.lib.staged_objects import Row, day, derive_with, fates_of, resolved, row_of, staged

DEALS = {
    "from": "deals",
    "phase": "deals",
    "key": "deal_id",
    "contact": "contact_id",
    "email": "contact_email",
    "owner": "owner_email",
}
DERIVE = derive_with(deals=DEALS, owners={"from": ["contacts.owner", "deals.owner_email"]})
PEOPLE = staged(
    "contacts",
    [
        {"id": "1", "email": "ann@example.com", "company": "Acme", "owner": "own@agency.example.com"},
        {"id": "2", "email": "ANN@example.com"},
        {"id": "3", "email": "bob@example.com"},
    ],
)


def deal(number: int, **cells: object) -> Row:
    usual = {"deal_id": str(number), "deal_name": f"Deal {number}", "stage": "Proposal Sent", "status": "open", "currency": "USD"}
    return {**usual, "amount": Decimal("1234.56"), "created_date": day(1), "close_date": date(2025, 5, 9), **cells}


def fold(*files: list[Row]) -> Resolved:
    return resolved(PEOPLE, staged("deals", *files), derive=DERIVE)


@pytest.mark.parametrize(
    ("cells", "contact"),
    [
        ({"contact_id": "1", "contact_email": "bob@example.com"}, "1"),  # the key goes before the address
        ({"contact_id": "2"}, "1"),  # the key of a twin leads to its survivor
        ({"contact_id": None, "contact_email": "Bob@Example.com"}, "3"),
        ({"contact_id": "404", "contact_email": "bob@example.com"}, "3"),
        ({"contact_id": "404", "contact_email": "nobody@example.com"}, None),
        ({"contact_id": None, "contact_email": None}, None),
    ],
)
def test_the_contact_is_found_by_key_then_by_address(cells: Row, contact: str | None) -> None:
    result = fold([deal(301, **cells)])
    one = row_of(result.frames["deals"], "301")
    assert one["contact_key"] == contact
    waits = contact is None
    assert (one["queue"], one["reason"]) == (("review", "no_contact") if waits else (None, None))
    assert fates_of(result, "deals") == {(0, 1): ("waiting", "301", "review/no_contact") if waits else ("record", "301", None)}


def test_a_deal_keeps_its_own_columns_and_has_an_owner_of_its_own() -> None:
    result = fold([deal(301, contact_id="1", owner_email="Host@agency.example.com"), deal(302, contact_id="1", owner_email=None)])
    one, other = (row_of(result.frames["deals"], key) for key in ("301", "302"))
    assert (one["deal_name"], one["stage"], one["amount"], one["close_date"]) == (
        "Deal 301",
        "Proposal Sent",
        Decimal("1234.56"),
        date(2025, 5, 9),
    )
    assert (one["owner_key"], one["company_key"], other["owner_key"]) == ("host@agency.example.com", "company:acme", None)
    assert result.frames["owners"]["key"].to_list() == ["host@agency.example.com", "own@agency.example.com"]


def test_the_newest_file_that_has_a_value_gives_it() -> None:
    result = fold([deal(301, contact_id="1", stage="New"), deal(302, contact_id="3")], [deal(301, contact_id="1", amount=None)])
    one = row_of(result.frames["deals"], "301")
    assert (one["stage"], one["amount"], len(one["contributors"])) == ("Proposal Sent", Decimal("1234.56"), 2)
    assert fates_of(result, "deals") == {
        (0, 1): ("merged", "301", None),
        (0, 2): ("record", "302", None),
        (1, 1): ("record", "301", None),
    }


def test_deals_come_in_the_order_of_their_numbers_and_rows_without_one_are_set_aside() -> None:
    result = fold([deal(1000, contact_id="1"), deal(99, contact_id="3"), {**deal(0, contact_id="1"), "deal_id": None}])
    assert result.frames["deals"]["key"].to_list() == ["99", "1000"]
    assert fates_of(result, "deals")[0, 3] == ("quarantined", None, "missing_key")


def test_the_fold_delivers_the_columns_that_a_spec_may_name() -> None:
    objects = kartra_contract().objects
    result = fold([{**dict.fromkeys(objects["deals"].columns), **deal(301, contact_id="1")}])
    assert set(resolved_frames(DERIVE, objects)["deals"]) <= set(result.frames["deals"].columns)
    assert fold().frames["deals"].height == 0
