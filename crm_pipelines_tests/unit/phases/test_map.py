"""Desired records: payloads, links, queues, and what the destination must hold for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pandera.errors
import polars as pl
import pytest

from crm_pipelines.destinations.base import WantedField
from crm_pipelines.keys import payload_hash
from crm_pipelines.phases.map import MAPPED_SCHEMA, map_phase, mapped_schema, wanted_schema
from crm_pipelines.spec.compile import Compiled
from crm_pipelines_tests.lib.spec_text import compiled_route

MOMENT = pl.Datetime("us", "UTC")
TYPES: dict[str, Any] = {
    **dict.fromkeys(("date_joined", "gdpr_status_date", "joined_at", "won_at", "event_start", "event_end"), MOMENT),
    **dict.fromkeys(("tags", "lists", "aliases", "contributors", "other_phones", "unread_phones"), pl.List(pl.String)),
    **dict.fromkeys(("closed_on", "created_on", "started_on"), pl.Date),
    **dict.fromkeys(("value", "refunded"), pl.Decimal(18, 4)),
    **dict.fromkeys(("score", "affiliate_id", "referring_id", "quantity"), pl.Int64),
    **dict.fromkeys(("blacklisted", "is_done", "is_cancelled"), pl.Boolean),
}
ANA = {
    "key": "4174086",
    "contributors": ["001"],
    "first_name": "Ana",
    "last_name": "García",
    "email": "Ana@example.com",
    "email_normal": "Ana@example.com",
    "company_key": "company:acme",
    "date_joined": datetime(2025, 8, 15, 2, 30, tzinfo=UTC),
}
FRUIT = {"field_identifier": "favourite_fruit", "field_type": "checkbox", "options": ["apple", "pear"], "option_ids": ["1", "2"]}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame([pl.Series(name, [row.get(name) for row in rows], dtype=TYPES.get(name, pl.String)) for name in columns])


def mapped(phase: str, *rows: dict[str, Any], compiled: Compiled | None = None) -> list[dict[str, Any]]:
    """Return the mapped rows with their payload read."""
    found = map_phase((compiled or compiled_route()).phases[phase], frame(*rows))
    return [{**row, "payload": orjson.loads(row["payload"])} for row in found.iter_rows(named=True)]


def person(compiled: Compiled | None = None, **cells: Any) -> dict[str, Any]:
    payload: dict[str, Any] = mapped("people", {**ANA, **cells}, compiled=compiled)[0]["payload"]
    return payload


def test_a_contact_becomes_a_person() -> None:
    (row,) = mapped("people", {**ANA, "tags": ["VIP"], "lists": ["News"], "country": "GB", "phone": "020 7946 0123"})
    assert row["payload"] == {
        "name": "Ana García",
        "emails": ["Ana@example.com"],
        "phones": ["+442079460123"],
        "org_id": "company:acme",
        "add_time": "2025-08-15T02:30:00Z",
        "label_ids": ["VIP", "list_News"],
        "marketing_status": "no_consent",
        "custom": {"Kartra ID": "4174086", "Kartra created date": "2025-08-14", "Kartra address": {"value": "GB", "country": "GB"}},
    }
    assert (row["link_org_id"], row["link_owner_id"], row["labels"], row["queue"]) == ("company:acme", None, ["VIP", "list_News"], None)


def test_payload_is_canonical_and_the_hash_is_of_its_bytes() -> None:
    found = map_phase(compiled_route().phases["people"], frame({**ANA, "first_name": 'A"\\\n', "score": 5, "tags": ["é", '"']}))
    payload = found["payload"][0]
    assert orjson.dumps(orjson.loads(payload), option=orjson.OPT_SORT_KEYS).decode() == payload
    assert found["hash"][0] == payload_hash(payload.encode())
    assert list(found.columns) == [*MAPPED_SCHEMA, "link_org_id", "link_owner_id"]


REFUSING = ["Unsubscribed", "declined commercial messages (gdpr)", "Do not contact", "Blocklisted", "Blacklisted", "SPAM complaint"]
CONSENT = {"gdpr_status": "2", "gdpr_status_date": datetime(2025, 1, 1, tzinfo=UTC), "status": "Active"}


@pytest.mark.parametrize(
    ("cells", "status"),
    [
        (CONSENT, "subscribed"),
        ({**CONSENT, "gdpr_status": "accepted", "status": "subscribed"}, "subscribed"),
        ({**CONSENT, "gdpr_status_date": None}, "no_consent"),
        ({**CONSENT, "status": "Inactive"}, "no_consent"),
        ({**CONSENT, "gdpr_status": "Pending"}, "no_consent"),
        ({**CONSENT, "blacklisted": True}, "unsubscribed"),
        ({**CONSENT, "gdpr_status": "3"}, "unsubscribed"),
        *[({**CONSENT, "status": status}, "unsubscribed") for status in REFUSING],
        ({"email_normal": None}, None),
    ],
)
def test_consent_is_never_looser_than_the_export(cells: dict[str, Any], status: str | None) -> None:
    assert person(**cells).get("marketing_status") == status
    never = person(compiled_route(consent_proof="never"), **cells).get("marketing_status")
    assert never == ("no_consent" if status == "subscribed" else status)


def test_what_cannot_be_used_is_kept_as_it_was_exported() -> None:
    payload = person(email="ana at example", email_normal=None, phone="4.47701E+11", first_name=None, last_name=None)
    assert "emails" not in payload
    assert "phones" not in payload
    assert payload["name"] == "ana at example"
    assert payload["custom"]["Kartra e-mail as exported"] == "ana at example"
    assert payload["custom"]["Kartra phone as exported"] == "4.47701E+11"


def test_the_numbers_of_merged_contacts_all_arrive_the_first_one_first() -> None:
    phones = {"phone": "+442079460123", "other_phones": ["+14155550123"], "unread_phones": ["ask Maria"]}
    found = person(**phones)
    assert found["phones"] == ["+442079460123", "+14155550123"]
    assert found["custom"]["Kartra phone as exported"] == "ask Maria"
    unread = person(**{**phones, "phone": "see website", "other_phones": None})
    assert ("phones" in unread, unread["custom"]["Kartra phone as exported"]) == (False, "see website; ask Maria")


def test_words_that_nobody_knows_stop_the_row() -> None:
    compiled = compiled_route([FRUIT])
    rows = [
        {**ANA, "gdpr_status": "7"},
        {**ANA, "key": "2", "favourite_fruit": "apple, plum"},
        {**ANA, "key": "3", "favourite_fruit": "1|pear", "gdpr_status": "GDPR off"},
        {**ANA, "key": "4", "queue": "remediation", "reason": "no_email", "gdpr_status": "7"},
    ]
    found = mapped("people", *rows, compiled=compiled)
    assert [(row["queue"], row["reason"]) for row in found] == [
        ("decision", "unknown_option"),
        ("decision", "unknown_option"),
        (None, None),
        ("remediation", "no_email"),
    ]
    assert found[2]["payload"]["custom"]["favourite_fruit"] == ["apple", "pear"]
    assert found[2]["payload"]["custom"]["GDPR status"] == "Off"


def test_the_spec_can_hold_rows_back_for_a_person() -> None:
    hold = "    hold:\n      - {when: {status: Spam complaint}, queue: review, reason: spam_complaint}\n"
    compiled = compiled_route(None, ("    home_of: contacts\n", "    home_of: contacts\n" + hold))
    rows = [{**ANA, "status": "spam complaint"}, {**ANA, "key": "2", "status": "Active"}]
    assert [(row["queue"], row["reason"]) for row in mapped("people", *rows, compiled=compiled)] == [
        ("review", "spam_complaint"),
        (None, None),
    ]


def test_columns_that_no_file_has_say_nothing() -> None:
    (row,) = mapped("people", {"key": "1", "email": "a@example.com", "email_normal": "a@example.com"})
    assert row["labels"] is None
    assert row["payload"] == {
        "name": "a@example.com",
        "emails": ["a@example.com"],
        "marketing_status": "no_consent",
        "custom": {"Kartra ID": "1"},
    }


SALE = {
    "key": "tx:48110",
    "kind": "one_off",
    "title_id": "48110",
    "product": "Gold, monthly",
    "value": 49.5,
    "currency": "USD",
    "status": "won",
    "won_at": datetime(2026, 4, 2, 17, 5, 11, tzinfo=UTC),
    "closed_on": date(2026, 4, 2),
    "contact_key": "4174086",
    "company_key": "company:acme",
}


def test_a_sale_becomes_a_won_deal() -> None:
    (row,) = mapped("deals", SALE)
    assert row["payload"] == {
        "title": "Gold, monthly (48110)",
        "value": 49.5,
        "currency": "USD",
        "status": "won",
        "won_time": "2026-04-02T17:05:11Z",
        "expected_close_date": "2026-04-02",
        "pipeline": "Kartra",
        "stage": "Purchases",
        "person_id": "4174086",
        "org_id": "company:acme",
        "label_ids": ["One-off sale"],
        "custom": {"Kartra ID": "tx:48110", "Kartra product": "Gold, monthly"},
    }
    assert (row["amount"], row["currency"], row["status"]) == (49.5, "USD", "won")


@pytest.mark.parametrize(
    ("kind", "label", "stage"),
    [("subscription", "Subscription", "Subscriptions"), ("rebill", "Rebill", "Purchases"), ("failed", "Failed payment", "Purchases")],
)
def test_kinds_of_purchase(kind: str, label: str, stage: str) -> None:
    payload = mapped("deals", {**SALE, "kind": kind, "subscription_id": "7", "started_on": date(2026, 1, 1)})[0]["payload"]
    assert (payload["label_ids"], payload["stage"]) == ([label], stage)
    assert ("Subscription ID" in payload["custom"]) == (kind == "subscription")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"value": None}, "no_amount"),
        ({"currency": None}, "no_currency"),
        ({"currency": "Dollars"}, "unknown_currency"),
        ({"value": None, "kind": "subscription", "currency": None}, None),
        ({"currency": "usd"}, None),
    ],
)
def test_money_that_does_not_say_how_much_of_what_waits(cells: dict[str, Any], reason: str | None) -> None:
    (row,) = mapped("deals", {**SALE, **cells})
    assert (row["queue"], row["reason"]) == (reason and "remediation", reason)
    assert row["currency"] in (None, "USD")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"raw_date_joined": "last spring"}, "unreadable_date: date_joined"),
        ({"raw_date_joined": "0000-00-00 00:00:00"}, None),
        ({"raw_date_joined": "N/A"}, None),
        ({"raw_date_joined": "2025-08-15 02:30", "date_joined": datetime(2025, 8, 15, 2, 30, tzinfo=UTC)}, None),
        ({"raw_blacklisted": "perhaps"}, "unreadable_yes_no: blacklisted"),
        ({"raw_first_name": "An&amp;a", "first_name": None}, None),
    ],
)
def test_a_mapped_cell_that_could_not_be_read_stops_its_row(cells: dict[str, Any], reason: str | None) -> None:
    (row,) = mapped("people", {**ANA, "date_joined": None, "blacklisted": None, **cells})
    assert (row["queue"], row["reason"]) == (reason and "remediation", reason)


def test_an_unpaid_subscription_has_no_money() -> None:
    payload = mapped("deals", {**SALE, "kind": "subscription", "value": None, "status": "open", "won_at": None})[0]["payload"]
    assert not {"value", "currency", "won_time"} & set(payload)


BOOKING = {
    "key": "5521",
    "calendar_name": "Discovery Call",
    "class_name": "30 min intro",
    "event_start": datetime(2026, 3, 4, 20, 0, tzinfo=UTC),
    "event_end": datetime(2026, 3, 4, 20, 30, tzinfo=UTC),
    "contact_key": "4174086",
    "is_done": True,
    "is_cancelled": False,
}


def test_a_booking_becomes_an_activity() -> None:
    rows = [
        BOOKING,
        {**BOOKING, "key": "2", "calendar_name": "Recall workshop", "class_name": None, "is_cancelled": True, "event_end": None},
    ]
    call, workshop = (row["payload"] for row in mapped("activities", *rows))
    assert call == {
        "subject": "Discovery Call - 30 min intro",
        "type": "call",
        "due_date": "2026-03-04",
        "due_time": "20:00:00",
        "duration": "00:30:00",
        "done": True,
        "participants": "4174086",
        "note": "Kartra booking 5521",
    }
    assert (workshop["subject"], workshop["type"], workshop.get("duration")) == ("Cancelled: Recall workshop", "meeting", None)


def test_notes_are_made_of_contacts_with_text_and_leave_the_queue_to_them() -> None:
    rows = [{**ANA, "notes": "a < b\nc"}, {**ANA, "key": "2", "notes": " "}, {**ANA, "key": "3", "notes": "x", "queue": "remediation"}]
    found = mapped("notes", *rows)
    assert [(row["key"], row["queue"]) for row in found] == [("4174086", None), ("3", None)]
    assert found[0]["payload"] == {"content": "a &lt; b<br>c", "person_id": "4174086"}


def test_a_long_company_key_is_cut_for_the_field_and_whole_for_links() -> None:
    key = "company:" + "x" * 300
    (row,) = mapped("organizations", {"key": key, "name": "X" * 300})
    assert row["key"] == key
    assert len(row["payload"]["custom"]["Kartra ID"]) == 255


def test_no_rows_are_no_records() -> None:
    for name, phase in compiled_route([FRUIT]).phases.items():
        if not phase.pairs:
            empty = map_phase(phase, frame(ANA).clear() if name != "users" else pl.DataFrame(schema={"key": pl.String}))
            assert (empty.height, dict(empty.schema)["hash"]) == (0, pl.String())


def test_what_the_destination_must_hold() -> None:
    compiled = compiled_route([FRUIT], lists="custom_field")
    people = frame(
        {**ANA, "tags": ["VIP"], "lists": ["News", "Café"], "favourite_fruit": "apple"},
        {**ANA, "key": "2", "tags": ["Held"], "lists": ["Held"], "queue": "review", "reason": "no_contact"},
    )
    frames = {
        "people": map_phase(compiled.phases["people"], people),
        "deals": map_phase(compiled.phases["deals"], frame(SALE)),
        "activities": map_phase(compiled.phases["activities"], frame(BOOKING)),
        "users": map_phase(compiled.phases["users"], frame({"key": "ana@example.com", "email": "ana@example.com"})),
    }
    wanted = wanted_schema(compiled, frames)
    fields = {(field.phase, field.name): field for field in wanted.fields}
    assert fields[("people", "Kartra ID")] == WantedField("people", "Kartra ID", "text", (), is_external_id=True)
    assert fields[("people", "Kartra lists")].options == ("Café", "News")
    assert fields[("people", "favourite_fruit")].options == ("apple", "pear")
    assert fields[("deals", "Subscription status")].options[-1] == "Cancellation requested"
    assert wanted.labels == {"people": ("VIP",), "deals": ("One-off sale",)}
    assert wanted.stages == {"Kartra": ("Purchases", "Subscriptions")}
    assert wanted.types == {"activities": ("call", "meeting")}
    assert wanted.counts == {"people": 1, "deals": 1, "activities": 1}


BOXES = (
    "checkbox: {from: value, rule: split_options, type: set}",
    "checkbox: {from: value, rule: split_options, type: boolean, each: option}",
)
TERMS = {"field_identifier": "terms", "field_type": "checkbox", "options": ["agreed"], "option_ids": ["9"]}


def test_a_field_per_option_says_yes_or_nothing() -> None:
    compiled = compiled_route([FRUIT, TERMS], BOXES)
    ticked = person(compiled, favourite_fruit="1|PEAR", terms="agreed")["custom"]
    assert {name: ticked.get(name) for name in ("favourite_fruit: apple", "favourite_fruit: pear", "terms")} == {
        "favourite_fruit: apple": True,
        "favourite_fruit: pear": True,
        "terms": True,
    }
    one = person(compiled, favourite_fruit="pear")["custom"]
    assert ("favourite_fruit: apple" in one, one["favourite_fruit: pear"], "terms" in one) == (False, True, False)


def test_a_tick_that_nobody_knows_stops_the_row_and_an_empty_box_does_not() -> None:
    compiled = compiled_route([FRUIT, TERMS], BOXES)
    cells: list[dict[str, Any]] = [
        {"favourite_fruit": "apple"},
        {"favourite_fruit": "apple, plum"},
        {"favourite_fruit": " ", "terms": "no"},
        {},
    ]
    rows = mapped("people", *({**ANA, "key": str(number), **each} for number, each in enumerate(cells)), compiled=compiled)
    assert [(row["queue"], row["reason"]) for row in rows] == [
        (None, None),
        ("decision", "unknown_option"),
        ("decision", "unknown_option"),
        (None, None),
    ]


def test_choices_without_a_list_of_options_arrive_as_text() -> None:
    bare = {"field_identifier": "bare", "field_type": "checkbox", "options": None, "option_ids": None}
    for edits in ((), (BOXES,)):
        compiled = compiled_route([bare, {**bare, "field_identifier": "pick", "field_type": "drop_down"}], *edits)
        custom = person(compiled, bare="a, b", pick="c")["custom"]
        assert (custom["bare"], custom["pick"]) == ("a, b", "c")
        assert {each.type for each in compiled.phases["people"].fields if each.name in ("bare", "pick")} == {"text"}


OPEN = (
    ("- {name: Kartra, stages: [Purchases, Subscriptions]}", "- {name: Kartra, stages: [Won], open: true}"),
    (
        "          - {when: {kind: subscription}, then: Subscriptions}\n        otherwise: Purchases",
        "          - {when: {status: won}, then: Won}\n        if_empty: {from: product}",
    ),
)


def test_an_open_pipeline_has_the_stages_that_records_name_in_order_of_appearance() -> None:
    compiled = compiled_route(None, *OPEN)
    stages = [("Proposal", "open"), ("Zoom call", "won"), ("Agreed", "lost"), ("Proposal", "lost"), (None, "open")]
    rows = [{**SALE, "key": str(number), "product": stage, "status": status} for number, (stage, status) in enumerate(stages)]
    waiting = {**SALE, "key": "w", "product": "Nowhere", "status": "open", "queue": "review", "reason": "no_contact"}
    wanted = wanted_schema(compiled, {"deals": map_phase(compiled.phases["deals"], frame(waiting, *rows))})
    assert wanted.stages == {"Kartra": ("Proposal", "Agreed", "Won")}
    nothing = wanted_schema(compiled, {"deals": map_phase(compiled.phases["deals"], frame(SALE).clear())})
    assert nothing.stages == {"Kartra": ("Won",)}


def test_the_currencies_are_those_of_amounts_that_go_out() -> None:
    compiled = compiled_route()
    rows = [{**SALE, "key": str(number), "currency": code} for number, code in enumerate(["USD", "EUR", "USD", None])]
    rows.append({**SALE, "key": "9", "currency": "GBP", "queue": "review", "reason": "no_contact"})
    rows.append({**SALE, "key": "10", "currency": "CHF", "value": None})
    found = wanted_schema(compiled, {"deals": map_phase(compiled.phases["deals"], frame(*rows))})
    assert found.currencies == ("EUR", "USD")
    assert wanted_schema(compiled, {}).currencies == ()


def test_mapped_frames_hold_to_their_schema() -> None:
    phase = compiled_route().phases["people"]
    found = map_phase(phase, frame(ANA, {**ANA, "key": "2"}))
    mapped_schema(phase).validate(found)
    for wrong in (found.with_columns(key=pl.lit("1")), found.with_columns(hash=pl.lit("x")), found.drop("link_org_id")):
        with pytest.raises((pandera.errors.SchemaError, pandera.errors.SchemaErrors)):
            mapped_schema(phase).validate(wrong)


def test_a_text_longer_than_its_field_waits_instead_of_being_refused() -> None:
    fine, long = mapped("people", {**ANA, "website": "w" * 255}, {**ANA, "website": "w" * 256})
    assert (fine["queue"], fine["reason"]) == (None, None)
    assert (long["queue"], long["reason"]) == ("remediation", "too_long")
    for most, waits in ((300, False), (200, True), (None, False)):
        phase = replace(compiled_route().phases["people"], text_max=most)
        found = map_phase(phase, frame({**ANA, "website": "w" * 256}))
        assert (found["reason"][0] == "too_long") is waits
