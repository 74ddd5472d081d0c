"""Kinds of contacts that a client leaves out: every row behind them says so, nothing is made of them, their children wait."""

from __future__ import annotations

from decimal import Decimal

from crm_pipelines.phases.resolve import Resolved, ResolveSettings
from crm_pipelines_tests.lib.staged_objects import FIRST_EXPORT, Row, day, fates_of, resolved, staged

ANN = {"id": "1", "email": "ann@example.com", "company": "Acme", "owner": "o@agency.example.com"}
INFO = {"id": "2", "email": "info@example.com", "company": "Tea & Co", "owner": "p@agency.example.com"}
BOUNCED = {"id": "3", "email": "bob@example.com", "status": "Multiple soft bounces"}
MUTE = {"id": "4", "email": None}
ALL = ("no_email", "role_account", "bounced", "stale")


def fold(*rows: Row, kinds: tuple[str, ...] = ALL, same: tuple[tuple[str, ...], ...] = (), **others: list[Row]) -> Resolved:
    children = [staged(name, rows_of) for name, rows_of in others.items()]
    return resolved(staged("contacts", list(rows)), *children, settings=ResolveSettings(same=same, leave_out=kinds))


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


def test_what_hangs_on_them_waits_for_a_person() -> None:
    sale = {
        "id": "5",
        "transaction_type": "Sale",
        "date": day(1),
        "product": "Gold",
        "amount": Decimal(9),
        "currency": "USD",
        "lead_id": "2",
    }
    partner = {"username": "p1", "affiliate_id": 1, "lead_id": "2"}
    result = fold(ANN, INFO, transactions=[sale], affiliates=[partner])
    assert fates_of(result, "transactions") == {(0, 1): ("waiting", "tx:5", "review/no_contact")}
    assert fates_of(result, "affiliates") == {(0, 1): ("waiting", None, "review/no_contact")}


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
