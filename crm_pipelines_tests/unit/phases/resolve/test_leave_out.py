"""Kinds of contacts that a client leaves out: every row behind them says so, nothing is made of them nor of what hangs on them."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from crm_pipelines.phases.resolve import Resolved, ResolveSettings
from crm_pipelines_tests.lib.staged_objects import FIRST_EXPORT, Row, day, derive_with, fates_of, resolved, staged

ANN = {"id": "1", "email": "ann@example.com", "company": "Acme", "owner": "o@agency.example.com"}
INFO = {"id": "2", "email": "info@example.com", "company": "Tea & Co", "owner": "p@agency.example.com"}
BOUNCED = {"id": "3", "email": "bob@example.com", "status": "Multiple soft bounces"}
MUTE = {"id": "4", "email": None}
DEALS = {"from": "deals", "phase": "deals", "key": "deal_id", "contact": "contact_id", "email": "contact_email", "owner": "owner_email"}
ALL = ("no_email", "role_account", "bounced", "stale")


def fold(*rows: Row, kinds: tuple[str, ...] = ALL, same: tuple[tuple[str, ...], ...] = (), **others: list[Row]) -> Resolved:
    children = [staged(name, rows_of) for name, rows_of in others.items()]
    derive = derive_with(deals=DEALS) if "deals" in others else None
    return resolved(staged("contacts", list(rows)), *children, derive=derive, settings=ResolveSettings(same=same, leave_out=kinds))


def test_each_kind_has_its_reason_and_only_the_named_kinds_stay_behind() -> None:
    whole = fold(ANN, INFO, BOUNCED, MUTE)
    assert fates_of(whole, "contacts") == {
        (0, 1): ("record", "1", None),
        (0, 2): ("excluded", None, "left_out_role_account"),
        (0, 3): ("excluded", None, "left_out_bounced"),
        (0, 4): ("excluded", None, "left_out_no_email"),
    }
    assert whole.frames["contacts"]["key"].to_list() == ["1"]
    assert fold(ANN, INFO, BOUNCED, MUTE, kinds=("bounced",)).frames["contacts"]["key"].to_list() == ["1", "2", "4"]


def test_nothing_is_made_of_their_companies_and_owners() -> None:
    result = fold(ANN, INFO)
    assert result.frames["companies"]["key"].to_list() == ["company:acme"]
    assert result.frames["owners"]["key"].to_list() == ["o@agency.example.com"]


def test_rows_merged_into_somebody_left_out_are_left_out_too() -> None:
    again = {**INFO, "id": "9"}
    assert set(fates_of(fold(ANN, INFO, again), "contacts").values()) == {
        ("record", "1", None),
        ("excluded", None, "left_out_role_account"),
    }


SALE = {"id": "5", "transaction_type": "Sale", "date": day(1), "product": "Gold", "amount": Decimal(9), "currency": "USD"}
WITH_CONTACT = ("excluded", None, "left_out_with_contact")
CHILDREN: dict[str, Row] = {
    "transactions": SALE,
    "subscriptions": {"subscription_id": "S1", "product_name": "Gold", "subscription_status": "Active"},
    "calendars": {"calendar_subscription_id": "7", "host_email_address": "host@agency.example.com", "status": "scheduled"},
    "deals": {"deal_id": "8", "owner_email": "host@agency.example.com"},
    "affiliates": {"username": "p1", "affiliate_id": 1},
}
BY_KEY = {"transactions": "lead_id", "subscriptions": "subscription_lead_id", "deals": "contact_id", "affiliates": "lead_id"}
BY_EMAIL = {
    "transactions": "buyer_email",
    "subscriptions": "lead_email",
    "calendars": "lead_email",
    "deals": "contact_email",
    "affiliates": "email",
}


@pytest.mark.parametrize(("name", "column"), [*BY_KEY.items(), *BY_EMAIL.items()])
def test_what_hangs_on_them_stays_behind_and_what_hangs_on_nobody_waits(name: str, column: str) -> None:
    theirs, nobodys = ("2", "404") if column == BY_KEY.get(name) else ("INFO@Example.com", "nobody@example.com")
    result = fold(ANN, INFO, **{name: [{**CHILDREN[name], column: theirs}]})
    assert fates_of(result, name) == {(0, 1): WITH_CONTACT}
    assert all(frame.is_empty() for frame_name, frame in result.frames.items() if frame_name not in ("contacts", "companies", "owners"))
    assert result.frames["owners"]["key"].to_list() == ["o@agency.example.com"]
    alone = fold(ANN, INFO, **{name: [{**CHILDREN[name], column: nobodys}]})
    assert [(fate, why) for fate, _, why in fates_of(alone, name).values()] == [("waiting", "review/no_contact")]


def test_money_that_belongs_to_them_stays_behind_as_a_whole() -> None:
    refund = {**SALE, "id": "6", "transaction_type": "Refund", "date": day(2), "lead_id": "2"}
    odd, stray = {**refund, "id": "7", "transaction_type": "Oddity"}, {**refund, "id": "8", "product": "Silver"}
    rebill = {**SALE, "id": "9", "transaction_type": "Rebill", "subscription_id": "S1"}
    mine = {**SALE, "id": "10", "lead_id": "1"}
    listed = {**CHILDREN["subscriptions"], "subscription_lead_id": "2"}
    result = fold(ANN, INFO, transactions=[{**SALE, "lead_id": "2"}, refund, odd, stray, rebill, mine], subscriptions=[listed])
    told = fates_of(result, "transactions")
    assert told == {(0, row): WITH_CONTACT for row in range(1, 6)} | {(0, 6): ("record", "tx:10", None)}
    assert fates_of(result, "subscriptions") == {(0, 1): WITH_CONTACT}
    assert result.frames["purchases"]["key"].to_list() == ["tx:10"]
    assert (result.stats["refunds_applied"], result.stats["events_waiting"]) == (0, 0)


def test_rows_of_a_key_that_was_merged_into_somebody_left_out_stay_behind() -> None:
    again = {**INFO, "id": "9"}
    result = fold(ANN, INFO, again, transactions=[{**SALE, "lead_id": "9"}, {**SALE, "id": "6", "lead_id": "2"}])
    assert fates_of(result, "transactions") == {(0, 1): WITH_CONTACT, (0, 2): WITH_CONTACT}


def test_a_partner_that_is_a_company_goes_without_its_contact() -> None:
    partner = staged("affiliates", [{**CHILDREN["affiliates"], "lead_id": "2"}])
    leaving = ResolveSettings(leave_out=ALL)
    result = resolved(staged("contacts", [ANN, INFO]), partner, settings=leaving, affiliates="partner_organizations")
    assert [fate for fate, _, _ in fates_of(result, "affiliates").values()] == ["record"]
    assert result.frames["companies"].filter(pl.col("kind") == "partner")["contact_key"].to_list() == [None]


def test_a_merged_person_with_one_good_address_moves() -> None:
    assert fold(ANN, MUTE, same=(("1", "4"),)).frames["contacts"]["key"].to_list() == ["1"]


def test_who_did_nothing_for_long_is_stale_and_who_bought_is_not() -> None:
    long_ago = FIRST_EXPORT.replace(year=FIRST_EXPORT.year - 5)
    people = [{**ANN, "date_joined": long_ago}, {"id": "6", "email": "cy@example.com", "date_joined": long_ago}]
    sale = {
        "id": "5",
        "transaction_type": "Sale",
        "date": day(1),
        "product": "Gold",
        "amount": Decimal(9),
        "currency": "USD",
        "lead_id": "6",
    }
    result = fold(*people, transactions=[sale])
    assert fates_of(result, "contacts") == {(0, 1): ("excluded", None, "left_out_stale"), (0, 2): ("record", "6", None)}
