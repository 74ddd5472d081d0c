"""Any history of payments: the fold says what a row-by-row bookkeeper says."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_pipelines.phases.resolve import StagedObject
from crm_pipelines_tests.lib.purchases_oracle import Choices, Event, Listed, Oracle
from crm_pipelines_tests.lib.staged_objects import Row, chunk, day, fates_of, resolved, staged

TYPES = ["Sale", "Rebill", "Failed", "Cancellation", "Request Can.", "Revert Can.", "Refund", "Partial refund", "Chargeback"]
CONTACTS = ["1", "2"]
TOLD_AT = day(20, 0)
EXPORTS = [day(15, 0), day(25, 0)]

moments = st.integers(1, 24).flatmap(lambda number: st.sampled_from([3, 12]).map(lambda hour: day(number, hour)))
amounts = st.sampled_from([Decimal("0.00"), Decimal("10.00"), Decimal("25.50"), Decimal("-10.00"), None])
subscriptions = st.sampled_from([None, None, "7", "8"])


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Event], list[Listed]]:
    drawn = draw(
        st.lists(st.tuples(st.sampled_from(TYPES), moments, st.sampled_from(["Gold", "GOLD", "Tea"]), amounts, subscriptions), max_size=9)
    )
    events = []
    for number, (kind, at, product, amount, subscription) in enumerate(drawn, 100):
        contact = draw(st.sampled_from([*CONTACTS, None]))
        paid_by = draw(st.sampled_from([None, None, "ch_1", "ch_2"]))
        currency = draw(st.sampled_from(["USD"] * 9 + ["EUR"]))
        signed = amount if amount is None or kind in TYPES[6:] else abs(amount)
        events.append(Event(number, kind, at, product, signed, contact, subscription, paid_by, currency, draw(st.sampled_from([0, 1]))))
    listed = [
        Listed(
            number,
            draw(st.sampled_from(["Gold", "Tea"])),
            draw(st.sampled_from([*CONTACTS, None])),
            draw(st.sampled_from(["Active", "Paused", "Cancelled", "Terminated"])),
            draw(st.none() | moments),
            draw(st.none() | moments),
        )
        for number in draw(st.lists(st.sampled_from(["7", "8", "9"]), unique=True))
    ]
    return events, listed


choices = st.builds(
    Choices,
    rebills=st.sampled_from(["fold", "deal_each"]),
    subscription_value=st.sampled_from(["sum_paid", "first", "latest"]),
    failed=st.sampled_from(["exclude", "lost_deal"]),
    refunded=st.sampled_from(["lost", "won_minus_refund"]),
)


def event_row(event: Event) -> Row:
    return {
        "id": str(event.id),
        "transaction_type": event.type,
        "date": event.at,
        "product": event.product,
        "amount": event.amount,
        "currency": event.currency,
        "lead_id": event.contact or "404",
        "subscription_id": event.subscription,
        "processor_transaction_id": event.processor_id,
    }


def listed_row(row: Listed) -> Row:
    return {
        "subscription_id": row.id,
        "product_name": row.product,
        "subscription_lead_id": row.contact,
        "subscription_status": row.status,
        "subscription_start_date": row.start,
        "subscription_end_date": row.end,
    }


def exports(events: list[Event], listed: list[Listed]) -> list[StagedObject]:
    transactions = [
        chunk("transactions", place, [event_row(event) for event in events if event.exported == place], at)
        for place, at in enumerate(EXPORTS)
    ]
    return [
        staged("contacts", [{"id": key, "email": f"c{key}@example.com"} for key in CONTACTS]),
        StagedObject("transactions", transactions),
        StagedObject("subscriptions", [chunk("subscriptions", 0, [listed_row(row) for row in listed], TOLD_AT)]),
    ]


@given(histories(), choices)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_fold_agrees_with_the_bookkeeper(history: tuple[list[Event], list[Listed]], chosen: Choices) -> None:
    events, listed = history
    # The subscriptions were exported between the two transaction files: only the second one can tell news.
    oracle = Oracle(events, listed, TOLD_AT, 0, chosen)
    result = resolved(*exports(events, listed), **chosen.__dict__)
    records = {row["key"]: row for row in result.frames["purchases"].to_dicts()}
    assert sorted(records) == sorted(oracle.deals)
    for key, deal in oracle.deals.items():
        expected = {name: value for name, value in oracle.facts(deal).items() if not name.startswith("_")}
        assert {name: records[key][name] for name in expected} == expected, key
    assert _fates(events, oracle) == fates_of(result, "transactions")


def _fates(events: list[Event], oracle: Oracle) -> dict[tuple[int, int], tuple[str, str | None, str | None]]:
    places = {0: 0, 1: 0}
    lines = {}
    for event in events:
        places[event.exported] += 1
        fate, into, reason = oracle.fates[event.id]
        queue = "remediation" if reason in ("no_amount", "payment_waits") else "review"
        why = f"{queue}/{reason}" if fate == "waiting" else reason
        lines[event.exported, places[event.exported]] = (fate, into, why)
    return lines


def test_the_oracle_is_asked_about_late_news() -> None:
    late = Event(100, "Cancellation", day(22), "Gold", Decimal(0), "1", "7", exported=1)
    early = Event(100, "Cancellation", day(19), "Gold", Decimal(0), "1", "7", exported=1)
    for event, status in ((late, "Cancelled"), (early, "Active")):
        oracle = Oracle([event], [Listed("7", "Gold", "1", "Active", day(1), None)], TOLD_AT, 0, Choices())
        assert oracle.facts(oracle.deals["sub:7"])["subscription_status"] == status
