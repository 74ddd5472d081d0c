"""Contacts that a client says are one person: merged as twins of one address are, without losing an address or a child."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crm_pipelines.phases.resolve import Resolved, ResolveSettings
from crm_pipelines_tests.lib.staged_objects import Row, day, fates_of, resolved, row_of, staged

ANN = {"id": "7", "email": "ann@example.com", "first_name": "Ann", "tags": ["a"], "status": "Subscribed"}
ANNA = {"id": "3", "email": "anna@example.com", "first_name": "Anna", "phone": "020 7946 0123", "tags": ["b"], "status": "Unsubscribed"}
BOB = {"id": "5", "email": "bob@example.com", "first_name": "Bob"}


def fold(*rows: Row, same: list[list[str]], files: list[list[Row]] | None = None, **others: list[Row]) -> Resolved:
    settings = ResolveSettings(same=tuple(tuple(group) for group in same))
    children = [staged(name, rows_of) for name, rows_of in others.items()]
    return resolved(staged("contacts", *(files or [list(rows)])), *children, settings=settings)


def test_the_first_key_given_survives_and_nothing_of_the_other_is_lost() -> None:
    one = row_of(fold(ANN, ANNA, BOB, same=[["7", "3"]]).frames["contacts"], "7")
    assert (one["first_name"], one["phone"], one["tags"], one["status"]) == ("Ann", "020 7946 0123", ["a", "b"], "Unsubscribed")
    assert (one["email"], one["email_normal"], one["aliases"]) == ("ann@example.com", "ann@example.com", ["3"])
    assert one["other_emails"] == ["anna@example.com"]


def test_every_row_of_the_merged_record_says_where_it_went() -> None:
    result = fold(files=[[ANN, ANNA, BOB], [{**ANNA, "company": "Acme"}]], same=[["7", "3"]])
    expected = {(0, 1): ("record", "7", None), (0, 2): ("merged", "7", None), (0, 3): ("record", "5", None), (1, 1): ("merged", "7", None)}
    assert fates_of(result, "contacts") == expected
    assert row_of(result.frames["contacts"], "7")["company"] == "Acme"


def test_children_find_the_survivor_by_each_key_and_each_address() -> None:
    def sale(number: int, **cells: str) -> Row:
        return {
            "id": str(number),
            "transaction_type": "Sale",
            "date": day(1),
            "product": "Gold",
            "amount": Decimal(9),
            "currency": "USD",
            **cells,
        }

    sales = [sale(1, lead_id="3"), sale(2, buyer_email="ANNA@example.com"), sale(3, buyer_email="ann@example.com"), sale(4, lead_id="7")]
    bookings = [{"calendar_subscription_id": "9", "lead_email": "anna@example.com"}]
    result = fold(ANN, ANNA, BOB, same=[["7", "3"]], transactions=sales, calendars=bookings)
    assert result.frames["purchases"]["contact_key"].to_list() == ["7"] * 4
    assert result.frames["bookings"]["contact_key"].to_list() == ["7"]


def test_groups_and_addresses_chain() -> None:
    rows = [ANN, ANNA, BOB, {**BOB, "id": "1"}, {"id": "2", "email": "ANNA@example.com"}, {"id": "9", "email": "nina@example.com"}]
    result = fold(*rows, same=[["7", "3"], ["2", "5"]])
    assert result.frames["contacts"]["key"].to_list() == ["2", "9"]
    one = result.frames["contacts"].to_dicts()[0]
    assert sorted([one["key"], *one["aliases"]]) == ["1", "2", "3", "5", "7"]
    assert sorted([one["email_match_key"], *one["other_emails"]]) == ["ann@example.com", "anna@example.com", "bob@example.com"]


@pytest.mark.parametrize("group", [["7", "8"], ["8", "7"], ["99", "8", "7"]])
def test_an_address_is_found_on_whichever_of_them_has_one(group: list[str]) -> None:
    result = fold(ANN, {"id": "8", "email": None, "company": "Acme"}, same=[group])
    one = row_of(result.frames["contacts"], next(key for key in group if key != "99"))
    assert (one["email_normal"], one["email_problem"], one["queue"], one["other_emails"]) == ("ann@example.com", None, None, None)


def test_two_without_an_address_wait_as_one() -> None:
    result = fold({"id": "8", "email": None}, {"id": "9", "email": "n/a"}, same=[["8", "9"]])
    assert fates_of(result, "contacts") == {(0, 1): ("waiting", "8", "remediation/no_email"), (0, 2): ("merged", "8", None)}


def test_keys_that_no_file_has_merge_nothing() -> None:
    expected = fold(ANN, ANNA, BOB, same=[]).frames["contacts"].to_dicts()
    assert fold(ANN, ANNA, BOB, same=[["7", "99"], ["98", "97"]]).frames["contacts"].to_dicts() == expected


def test_twins_of_one_address_are_merged_as_ever_beside_declared_ones() -> None:
    twins = [{**BOB, "id": "12"}, BOB]
    assert row_of(fold(ANN, ANNA, *twins, same=[["7", "3"]]).frames["contacts"], "5")["aliases"] == ["12"]
