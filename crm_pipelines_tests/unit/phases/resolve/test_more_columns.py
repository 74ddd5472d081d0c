"""Columns without a role of their own come along: to the record of their row, the newest value to a subscription."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from crm_pipelines.phases.resolve import Resolved
from crm_pipelines.spec.derived import carried_name, resolved_frames
from crm_pipelines_tests.lib.contracts import kartra_contract
from crm_pipelines_tests.lib.staged_objects import Row, day, derive_spec, resolved, staged

DERIVE = derive_spec().model_copy(
    update={
        "more": {
            "contacts": ["shoe_size", "full_name"],
            "transactions": ["campaign", "base_price"],
            "subscriptions": ["campaign"],
            "calendars": ["room"],
        }
    }
)
ANN = {"id": "1", "email": "ann@example.com", "first_name": "Ann"}


def fold(
    payments: list[Row], subs: list[Row] | None = None, contacts: list[Row] | None = None, bookings: list[Row] | None = None
) -> Resolved:
    objects = [staged("contacts", contacts or [ANN]), staged("transactions", payments), staged("subscriptions", subs or [])]
    return resolved(*objects, staged("calendars", bookings or []), derive=DERIVE)


def pay(number: int, kind: str, at: float, **cells: Any) -> Row:
    usual = {"id": str(number), "transaction_type": kind, "date": day(at), "product": "Gold", "currency": "USD", "lead_id": "1"}
    return {**usual, "amount": Decimal(9), **cells}


def carried(result: Resolved) -> dict[str, tuple[str | None, str | None]]:
    rows = result.frames["purchases"].to_dicts()
    return {row["key"]: (row["transactions.campaign"], row["subscriptions.campaign"]) for row in rows}


def test_a_sale_carries_what_its_own_row_says() -> None:
    assert carried(fold([pay(100, "Sale", 1, campaign="May"), pay(101, "Sale", 2)])) == {"tx:100": ("May", None), "tx:101": (None, None)}


def test_a_subscription_carries_its_own_column_and_the_newest_of_its_payments() -> None:
    payments = [
        pay(100, "Sale", 1, subscription_id="7", campaign="May"),
        pay(101, "Rebill", 3, subscription_id="7", campaign="June"),
        pay(102, "Rebill", 4, subscription_id="7", campaign=""),
        pay(103, "Refund", 5, subscription_id="7", campaign="refund"),
    ]
    listed = [{"subscription_id": "7", "subscription_lead_id": "1", "product_name": "Gold", "campaign": "Own"}]
    assert carried(fold(payments, listed)) == {"sub:7": ("June", "Own")}
    assert carried(fold(payments)) == {"sub:7": ("June", None)}


def test_the_text_of_a_cell_that_could_not_be_read_comes_along_so_that_its_record_waits() -> None:
    result = fold([pay(100, "Sale", 1, base_price=None, raw_base_price="ten"), pay(101, "Sale", 2, base_price=None)])
    assert result.frames["purchases"]["raw_transactions.base_price"].to_list() == ["ten", None]


def test_a_column_that_no_file_has_says_nothing() -> None:
    assert carried(fold([pay(100, "Sale", 1)])) == {"tx:100": (None, None)}


def test_people_and_bookings_carry_unknown_columns_of_every_file() -> None:
    booking = {"calendar_subscription_id": "5", "lead_email": "ann@example.com", "room": "Blue"}
    result = fold([], contacts=[{**ANN, "shoe_size": "44", "full_name": "Dr Ann", "key": "x"}], bookings=[booking])
    (ann,) = result.frames["contacts"].to_dicts()
    assert (ann["shoe_size"], ann["source_full_name"], ann["full_name"], ann["source_key"]) == ("44", "Dr Ann", "Ann", "x")
    assert result.frames["bookings"]["room"].to_list() == ["Blue"]


def test_what_the_frames_are_said_to_hold_is_what_they_hold() -> None:
    said = resolved_frames(DERIVE, kartra_contract().objects)
    booking = {"calendar_subscription_id": "5", "lead_email": "ann@example.com", "room": "Blue"}
    made = fold([pay(100, "Sale", 1, base_price="8")], contacts=[{**ANN, "shoe_size": "44", "full_name": "x"}], bookings=[booking])
    for name, columns in DERIVE.more.items():
        frame = {"contacts": "contacts", "calendars": "bookings"}.get(name, "purchases")
        for column in columns:
            assert carried_name(DERIVE, name, column) in made.frames[frame].columns
            assert said[frame][carried_name(DERIVE, name, column)].origin == ((name, column),)
    assert said["purchases"]["transactions.base_price"].type == "number"
