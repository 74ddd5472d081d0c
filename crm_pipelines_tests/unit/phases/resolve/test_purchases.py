"""Purchases, rule by rule as the route's contract states them: one small table each."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from crm_pipelines.errors import SpecError
from crm_pipelines.phases.resolve import Resolved, StagedObject
from crm_pipelines_tests.lib.staged_objects import Row, chunk, chunk_name, day, fates_of, resolved, row_of, staged

PEOPLE = staged(
    "contacts",
    [
        {"id": "1", "email": "ann@example.com", "company": "Acme", "owner": "Own@agency.example.com", "tags": ["vip"]},
        {"id": "2", "email": "ANN@example.com"},
        {"id": "3", "email": "bob@example.com"},
        {"id": "4", "email": None},
    ],
)


def event(number: int, kind: str, at: float, amount: str | None = "49.00", **cells: object) -> Row:
    usual = {"id": str(number), "transaction_type": kind, "date": day(at), "product": "Gold", "currency": "USD", "lead_id": "1"}
    return {**usual, "amount": None if amount is None else Decimal(amount), **cells}


def sub(number: int, status: str = "Active", **cells: object) -> Row:
    usual = {"subscription_id": str(number), "product_name": "Gold", "subscription_lead_id": "1", "subscription_status": status}
    return {**usual, "subscription_start_date": day(1), **cells}


def fold(*rows: Row, subs: list[Row] | None = None, **decisions: str) -> Resolved:
    files = [PEOPLE, staged("transactions", list(rows))]
    return resolved(*files, *([staged("subscriptions", subs)] if subs is not None else []), **decisions)


def fates(result: Resolved) -> list[tuple[str, str | None, str | None]]:
    return [fate for _, fate in sorted(fates_of(result, "transactions").items())]


def told(result: Resolved, key: str, *names: str) -> tuple[object, ...]:
    row = row_of(result.frames["purchases"], key)
    return tuple(row[name] for name in names)


# -- one-off sales ------------------------------------------------------------------------------------------------


def test_a_sale_is_a_won_record_of_its_own() -> None:
    result = fold(event(100, "Sale", 3, processor="Stripe", price_point="2", coupon_code="N/A", affiliate_username="jane"))
    one = row_of(result.frames["purchases"], "tx:100")
    assert (one["kind"], one["title_id"], one["product"], one["status"]) == ("one_off", "100", "Gold", "won")
    assert (one["value"], one["currency"], one["refunded"], one["won_at"], one["lost_at"]) == (Decimal(49), "USD", None, day(3), None)
    assert (one["contact_key"], one["company_key"], one["owner_key"]) == ("1", "company:acme", "own@agency.example.com")
    assert (one["processor"], one["price_point"], one["coupon"], one["affiliate"]) == ("Stripe", "2", None, "jane")
    assert (one["contact_tags"], one["subscription_id"], one["payments_received"]) == (["vip"], None, None)
    assert fates(result) == [("record", "tx:100", None)]


def test_dates_are_of_the_export_s_own_zone() -> None:
    result = fold(event(100, "Sale", 3, date=day(3, 2)))  # 2 o'clock UTC is still the day before in New York
    assert told(result, "tx:100", "closed_on", "created_on") == (date(2025, 5, 2), date(2025, 5, 2))


@pytest.mark.parametrize("kind", ["sale", " SALE ", "Sale"])
def test_type_words_are_read_in_any_case(kind: str) -> None:
    assert fates(fold(event(100, kind, 3))) == [("record", "tx:100", None)]


@pytest.mark.parametrize("kind", ["Upsell", None])
def test_an_unknown_type_waits_for_a_decision(kind: str | None) -> None:
    assert fates(fold(event(100, kind, 3))) == [("waiting", None, "decision/unknown_type")]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cells", "contact"),
    [
        ({"lead_id": "2"}, "1"),
        ({"lead_id": "3", "buyer_email": "ann@example.com"}, "3"),
        ({"lead_id": "99", "buyer_email": " Bob@Example.com "}, "3"),
        ({"lead_id": None, "buyer_email": "ANN@EXAMPLE.COM"}, "1"),
        ({"lead_id": "4"}, "4"),
    ],
)
def test_the_contact_is_told_by_id_or_alias_else_by_address(cells: Row, contact: str) -> None:
    assert told(fold(event(100, "Sale", 3, **cells)), "tx:100", "contact_key", "queue") == (contact, None)


@pytest.mark.parametrize(
    "cells", [{"lead_id": "99"}, {"lead_id": None, "buyer_email": "x@example.com"}, {"lead_id": "N/A", "buyer_email": "bad@"}]
)
def test_a_sale_without_contact_waits(cells: Row) -> None:
    result = fold(event(100, "Sale", 3, **cells))
    assert fates(result) == [("waiting", "tx:100", "review/no_contact")]
    assert told(result, "tx:100", "queue", "reason") == ("review", "no_contact")


def test_older_rows_of_the_same_id_are_merged_into_what_it_became() -> None:
    old, new = event(100, "Sale", 3, "40.00", coupon_code="SAVE"), event(100, "Sale", 3, "49.00")
    failed, refund = event(101, "Failed", 3), event(102, "Refund", 4, "49.00")
    result = resolved(PEOPLE, staged("transactions", [old, failed, refund], [new, failed, refund]))
    assert told(result, "tx:100", "gross", "coupon") == (Decimal(49), "SAVE")
    assert fates(result) == [
        ("merged", "tx:100", None),
        ("merged", None, None),
        ("merged", "tx:100", None),
        ("record", "tx:100", None),
        ("excluded", None, "failed_payment"),
        ("folded", "tx:100", None),
    ]


def test_an_unreadable_amount_is_not_nothing() -> None:
    assert told(fold(event(100, "Sale", 3, None)), "tx:100", "value", "status") == (None, "won")


# -- failed payments ----------------------------------------------------------------------------------------------


def test_failed_payments_are_left_out_or_lost() -> None:
    assert fates(fold(event(100, "Failed", 3, lead_id="99"))) == [("excluded", None, "failed_payment")]
    result = fold(event(100, "Failed", 3), failed="lost_deal")
    assert told(result, "tx:100", "kind", "status", "lost_reason", "lost_at", "value") == (
        "failed",
        "lost",
        "Payment failed",
        day(3),
        Decimal(49),
    )


def test_a_failed_payment_founds_no_subscription() -> None:
    assert fold(event(100, "Failed", 3, subscription_id="7")).frames["purchases"].height == 0


# -- refunds of one-off sales -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "amount", "choice", "expected"),
    [
        ("Refund", "49.00", "lost", ("lost", Decimal(49), None, day(5), "Refunded", Decimal(49))),
        ("Refund", "-49.00", "lost", ("lost", Decimal(49), None, day(5), "Refunded", Decimal(49))),
        ("Chargeback", "49.00", "lost", ("lost", Decimal(49), None, day(5), "Chargeback", Decimal(49))),
        ("Partial refund", "9.00", "lost", ("won", Decimal(40), day(3), None, None, Decimal(9))),
        ("Partial refund", "-9.00", "won_minus_refund", ("won", Decimal(40), day(3), None, None, Decimal(9))),
        ("Refund", "49.00", "won_minus_refund", ("won", Decimal(0), day(3), None, None, Decimal(49))),
    ],
)
def test_a_refund_is_applied_to_its_sale(kind: str, amount: str, choice: str, expected: tuple[object, ...]) -> None:
    result = fold(event(100, "Sale", 3), event(101, kind, 5, amount), refunded=choice)
    assert told(result, "tx:100", "status", "value", "won_at", "lost_at", "lost_reason", "refunded") == expected
    assert fates(result)[1] == ("folded", "tx:100", None)


def test_partial_refunds_can_undo_a_sale_together() -> None:
    result = fold(event(100, "Sale", 3), event(101, "Partial refund", 5, "9.00"), event(102, "Refund", 7, "40.00"))
    assert told(result, "tx:100", "status", "value", "lost_at", "refunded") == ("lost", Decimal(49), day(7), Decimal(49))


def test_the_last_refund_gives_time_and_reason() -> None:
    result = fold(event(100, "Sale", 3), event(101, "Chargeback", 5, "9.00"), event(102, "Refund", 7, "40.00"))
    assert told(result, "tx:100", "lost_at", "lost_reason") == (day(7), "Refunded")


def test_a_refund_s_chunk_contributes_to_the_sale() -> None:
    result = resolved(PEOPLE, staged("transactions", [event(100, "Sale", 3)], [event(101, "Refund", 5)]))
    assert told(result, "tx:100", "contributors") == ([chunk_name("transactions", 0), chunk_name("transactions", 1)],)


SECOND = {"processor_transaction_id": "ch_2"}
MATCHES = [
    # what the refund says, and the record it finds or why it waits
    ("the only sale", [event(100, "Sale", 3)], {}, "tx:100"),
    ("same processor id", [event(100, "Sale", 3), event(101, "Sale", 4, **SECOND)], SECOND, "tx:101"),
    ("an id that none has, one sale", [event(100, "Sale", 3, **SECOND)], {"processor_transaction_id": "ch_9"}, "tx:100"),
    ("two sales", [event(100, "Sale", 3), event(101, "Sale", 4)], {}, "two_candidates"),
    ("two sales with one id", [event(100, "Sale", 3, **SECOND), event(101, "Sale", 4, **SECOND)], SECOND, "two_candidates"),
    ("the second sale came later", [event(100, "Sale", 3), event(101, "Sale", 9)], {}, "tx:100"),
    ("a sale at the same moment", [event(100, "Sale", 5)], {}, "tx:100"),
    ("only a later sale", [event(100, "Sale", 9)], {}, "no_candidate"),
    ("another product", [event(100, "Sale", 3, product="Tea")], {}, "no_candidate"),
    ("another contact", [event(100, "Sale", 3, lead_id="3")], {}, "no_candidate"),
    ("a sale of a twin", [event(100, "Sale", 3, lead_id="2")], {}, "tx:100"),
    ("a subscription's sale", [event(100, "Sale", 3, subscription_id="7")], {}, "no_candidate"),
    ("a subscription it names", [event(100, "Sale", 3, subscription_id="7")], {"subscription_id": "7"}, "sub:7"),
    ("a subscription nobody knows", [event(100, "Sale", 3)], {"subscription_id": "8"}, "no_candidate"),
    ("no contact", [event(100, "Sale", 3)], {"lead_id": "99"}, "no_contact"),
    ("no amount", [event(100, "Sale", 3)], {"amount": None}, "no_amount"),
    ("no date", [event(100, "Sale", 3)], {"date": None}, "no_date"),
    ("another currency", [event(100, "Sale", 3)], {"currency": "EUR"}, "currency_differs"),
]


@pytest.mark.parametrize(("sales", "says", "outcome"), [row[1:] for row in MATCHES], ids=[row[0] for row in MATCHES])
def test_a_refund_finds_its_one_parent_or_waits(sales: list[Row], says: Row, outcome: str) -> None:
    result = fold(*sales, event(200, "Refund", 5, **says))
    queue = "remediation" if outcome in ("no_amount", "no_date") else "review"
    expected = ("folded", outcome, None) if ":" in outcome else ("waiting", None, f"{queue}/{outcome}")
    assert fates(result)[-1] == expected
    if ":" not in outcome:
        assert result.frames["purchases"]["refunded"].null_count() == result.frames["purchases"].height


# -- cells that cannot be read ------------------------------------------------------------------------------------

ODD = {"quantity": None, "raw_quantity": "two"}


@pytest.mark.parametrize(
    ("cells", "reason"),
    [({"amount": None}, "no_amount"), ({"date": None}, "no_date"), (ODD, "unreadable_number: quantity")],
)
def test_a_sale_that_cannot_be_read_waits_and_what_belongs_to_it_follows(cells: Row, reason: str) -> None:
    result = fold({**event(100, "Sale", 3), **cells}, event(200, "Refund", 5))
    assert told(result, "tx:100", "queue", "reason") == ("remediation", reason)
    follows = ("waiting", None, "review/no_candidate") if "date" in cells else ("folded", "tx:100", None)
    assert fates(result) == [("waiting", "tx:100", f"remediation/{reason}"), follows]


def test_a_quantity_that_is_not_there_stops_nothing() -> None:
    result = fold({**event(100, "Sale", 3), "quantity": None, "raw_quantity": "N/A"}, {**event(101, "Sale", 3), **ODD, "quantity": 2})
    assert result.frames["purchases"]["queue"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("kind", "cells", "reason"),
    [("Rebill", {"amount": None}, "no_amount"), ("Rebill", {"date": None}, "no_date"), ("Cancellation", {"date": None}, "no_date")],
)
def test_a_subscription_waits_with_the_payment_that_cannot_be_read(kind: str, cells: Row, reason: str) -> None:
    sale, odd = event(100, "Sale", 3, subscription_id="7"), {**event(101, kind, 9, subscription_id="7"), **cells}
    result = fold(sale, odd, subs=[sub(7)])
    assert told(result, "sub:7", "queue", "reason") == ("remediation", "payment_waits")
    assert fates(result) == [("folded", "sub:7", None), ("waiting", None, f"remediation/{reason}")]
    assert fates_of(result, "subscriptions") == {(0, 1): ("waiting", "sub:7", "remediation/payment_waits")}
    apart = fold(sale, {**odd, "transaction_type": "Rebill"}, subs=[sub(7)], rebills="deal_each")
    assert (told(apart, "tx:101", "reason"), told(apart, "sub:7", "reason")) == ((reason,), (None,))


def test_failed_payments_that_stay_behind_need_no_amount() -> None:
    assert fates(fold({**event(100, "Failed", 3), "amount": None})) == [("excluded", None, "failed_payment")]
    left = fold({**event(100, "Failed", 3), "amount": None}, failed="lost_deal")
    assert fates(left) == [("waiting", "tx:100", "remediation/no_amount")]


def test_a_subscription_whose_dates_cannot_be_read_waits() -> None:
    for name in ("subscription_start_date", "subscription_end_date"):
        result = fold(subs=[{**sub(7), name: None, f"raw_{name}": "soon"}, {**sub(8), name: None, f"raw_{name}": "0000-00-00 00:00:00"}])
        assert told(result, "sub:7", "queue", "reason") == ("remediation", f"unreadable_date: {name}")
        assert told(result, "sub:8", "queue", "reason") == (None, None)


# -- subscriptions: payments --------------------------------------------------------------------------------------

PAID = [event(100, "Sale", 3, "10.00", subscription_id="7", processor="Stripe"), event(101, "Rebill", 9, "12.00", subscription_id="7")]


@pytest.mark.parametrize(("choice", "value"), [("sum_paid", "22"), ("first", "10"), ("latest", "12")])
def test_a_sale_with_subscription_id_is_its_first_payment(choice: str, value: str) -> None:
    result = fold(*PAID, subs=[sub(7)], subscription_value=choice)
    one = row_of(result.frames["purchases"], "sub:7")
    assert (one["kind"], one["title_id"], one["status"], one["value"]) == ("subscription", "subscription 7", "won", Decimal(value))
    assert (one["won_at"], one["closed_on"], one["started_on"], one["created_on"]) == (
        day(3),
        date(2025, 5, 3),
        date(2025, 5, 1),
        date(2025, 5, 1),
    )
    assert (one["payments_received"], one["processor"], one["subscription_id"], one["subscription_status"]) == (2, "Stripe", "7", "Active")
    assert fates(result) == [("folded", "sub:7", None)] * 2
    assert fates_of(result, "subscriptions") == {(0, 1): ("record", "sub:7", None)}


def test_without_its_file_a_subscription_is_rebuilt_and_its_earliest_row_stands_for_it() -> None:
    result = fold(PAID[1], PAID[0])
    assert told(result, "sub:7", "product", "started_on", "subscription_status", "value") == (
        "Gold",
        date(2025, 5, 3),
        "Active",
        Decimal(22),
    )
    assert fates(result) == [("folded", "sub:7", None), ("record", "sub:7", None)]


def test_rebills_can_be_records_each() -> None:
    result = fold(*PAID, subs=[sub(7)], rebills="deal_each")
    assert told(result, "sub:7", "value", "payments_received") == (Decimal(10), 1)
    assert told(result, "tx:101", "kind", "value", "status", "won_at", "subscription_id") == ("rebill", Decimal(12), "won", day(9), "7")
    assert fates(result) == [("folded", "sub:7", None), ("record", "tx:101", None)]


@pytest.mark.parametrize(
    ("subs", "says", "outcome"),
    [
        ([sub(7)], {}, "sub:7"),
        ([sub(7)], {"product": "gold "}, "sub:7"),
        ([sub(7), sub(8)], {}, "no_subscription"),
        ([sub(7, product_name="Tea")], {}, "no_subscription"),
        ([sub(7, subscription_lead_id="3")], {}, "no_subscription"),
        ([sub(7)], {"lead_id": "99"}, "no_contact"),
    ],
)
@pytest.mark.parametrize("kind", ["Rebill", "Cancellation", "Request Can.", "Revert Can."])
def test_without_subscription_id_contact_and_product_must_name_exactly_one(kind: str, subs: list[Row], says: Row, outcome: str) -> None:
    result = fold(event(100, kind, 9, **says), subs=subs)
    assert fates(result) == [("folded", outcome, None) if ":" in outcome else ("waiting", None, f"review/{outcome}")]


def test_a_rebill_in_another_currency_waits() -> None:
    result = fold(PAID[0], {**PAID[1], "currency": "EUR"}, subs=[sub(7)])
    assert told(result, "sub:7", "value", "currency") == (Decimal(10), "USD")
    assert fates(result)[1] == ("waiting", None, "review/currency_differs")


@pytest.mark.parametrize(
    ("refund", "choice", "expected"),
    [
        ("5.00", "lost", ("won", Decimal(17), Decimal(5), None)),
        ("22.00", "lost", ("lost", Decimal(22), Decimal(22), day(12))),
        ("22.00", "won_minus_refund", ("won", Decimal(0), Decimal(22), None)),
    ],
)
def test_refunds_reduce_a_subscription(refund: str, choice: str, expected: tuple[object, ...]) -> None:
    result = fold(*PAID, event(102, "Refund", 12, refund, subscription_id="7"), subs=[sub(7)], refunded=choice)
    assert told(result, "sub:7", "status", "value", "refunded", "lost_at") == expected


@pytest.mark.parametrize(
    ("says", "outcome"),
    [
        ({"processor_transaction_id": "ch_2"}, "tx:101"),
        ({}, "two_candidates"),
        ({"date": day(5)}, "sub:7"),
        ({"date": day(2)}, "no_candidate"),
    ],
)
def test_with_rebills_apart_a_refund_must_name_its_payment(says: Row, outcome: str) -> None:
    payments = [PAID[0], {**PAID[1], "processor_transaction_id": "ch_2"}]
    result = fold(*payments, event(102, "Refund", 12, "5.00", subscription_id="7", **says), subs=[sub(7)], rebills="deal_each")
    assert fates(result)[-1] == (("folded", outcome, None) if ":" in outcome else ("waiting", None, f"review/{outcome}"))


def test_with_rebills_apart_a_refund_finds_the_rebill_that_names_no_subscription() -> None:
    payments = [PAID[0], {**PAID[1], "subscription_id": None, "processor_transaction_id": "ch_2"}]
    refund = event(102, "Refund", 12, "5.00", subscription_id="7", processor_transaction_id="ch_2")
    result = fold(*payments, refund, subs=[sub(7)], rebills="deal_each")
    assert fates(result)[-1] == ("folded", "tx:101", None)


# -- subscriptions: status ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "end", "expected"),
    [
        ("Active", None, ("open", None, None, None)),
        ("paused", None, ("open", None, None, None)),
        ("CANCELLED", day(8), ("lost", "Cancelled before a payment", day(8), None)),
        ("Cancelled", None, ("lost", "Cancelled before a payment", day(1), None)),
        ("Terminated", day(8), ("won", None, None, day(8))),
        ("Terminated", None, ("won", None, None, day(1))),
    ],
)
def test_a_subscription_without_payment(status: str, end: object, expected: tuple[object, ...]) -> None:
    result = fold(subs=[sub(7, status, subscription_end_date=end)])
    assert told(result, "sub:7", "status", "lost_reason", "lost_at", "won_at") == expected
    assert told(result, "sub:7", "value", "closed_on", "subscription_status") == (None, date(2025, 5, 1), status.capitalize())


REBUILT = [
    ([], "Active", None),
    ([("Cancellation", 9)], "Cancelled", None),
    ([("Request Can.", 8)], "Cancellation requested", date(2025, 5, 8)),
    ([("Request Can.", 8), ("Revert Can.", 9)], "Active", None),
    ([("Request Can.", 8), ("Cancellation", 9)], "Cancelled", date(2025, 5, 8)),
    ([("Request Can.", 6), ("Revert Can.", 7), ("Request Can.", 8)], "Cancellation requested", date(2025, 5, 8)),
]


@pytest.mark.parametrize(("life", "status", "requested_on"), REBUILT)
def test_a_rebuilt_subscription_has_the_status_of_its_last_event(
    life: list[tuple[str, int]], status: str, requested_on: date | None
) -> None:
    events = [event(110 + place, kind, at, "0.00", subscription_id="7") for place, (kind, at) in enumerate(life)]
    result = fold(PAID[0], *events)
    assert told(result, "sub:7", "subscription_status", "cancellation_requested_on") == (status, requested_on)
    assert told(result, "sub:7", "status") == ("won",)


@pytest.mark.parametrize(
    ("exported", "dated", "status"),
    [(day(25), day(22), "Cancelled"), (day(25), day(18), "Active"), (day(15), day(22), "Active")],
    ids=["exported and dated later", "dated before the subscriptions' export", "exported before it"],
)
def test_the_file_s_status_wins_over_events_that_it_could_have_known(exported: object, dated: object, status: str) -> None:
    cancellation = event(100, "Cancellation", 1, "0.00", subscription_id="7", date=dated)
    transactions = StagedObject("transactions", [chunk("transactions", 0, [cancellation], exported)])  # type: ignore[arg-type]
    subscriptions = StagedObject("subscriptions", [chunk("subscriptions", 0, [sub(7)], day(20))])
    assert told(resolved(PEOPLE, transactions, subscriptions), "sub:7", "subscription_status") == (status,)


def test_an_unknown_status_waits_for_a_decision() -> None:
    result = fold(subs=[sub(7, "Frozen")])
    assert fates_of(result, "subscriptions") == {(0, 1): ("waiting", "sub:7", "decision/unknown_option")}


def test_a_subscription_without_contact_takes_its_first_event_s_or_waits() -> None:
    assert told(fold(PAID[0], subs=[sub(7, subscription_lead_id=None)]), "sub:7", "contact_key") == ("1",)
    assert told(fold(subs=[sub(7, subscription_lead_id="99", lead_email="bob@example.com")]), "sub:7", "contact_key") == ("3",)
    waiting = fold({**PAID[0], "lead_id": "99"}, subs=[sub(7, subscription_lead_id="99")])
    assert fates_of(waiting, "subscriptions") == {(0, 1): ("waiting", "sub:7", "review/no_contact")}
    assert fates(waiting) == [("folded", "sub:7", None)]


def test_an_unknown_option_of_a_decision_is_named() -> None:
    with pytest.raises(SpecError, match=r"decisions\.rebills: must be one of: fold, deal_each"):
        fold(event(100, "Sale", 3), rebills="sometimes")
