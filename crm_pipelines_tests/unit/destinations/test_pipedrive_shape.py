"""Values as Pipedrive takes and gives them; the round trip against a server is in conformance/test_destinations.py."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from crm_pipelines.destinations.base import FoundField, Schema, WantedField
from crm_pipelines.destinations.pipedrive.fields import Names
from crm_pipelines.destinations.pipedrive.shape import body_of, number_of, payload_of, token_in, without_token
from crm_pipelines.errors import SettingsError

TOKEN = "crm-abcdefghijkmnpqr"
OTHER = "crm-23456789abcdefgh"


def _field(name: str, kind: str, code: str, **options: str) -> FoundField:
    return FoundField("people", name, code * 40, kind, options, is_custom=True)


FIELDS = (
    _field("Set", "set", "a", red="1", Blue="2"),
    _field("Enum", "enum", "b", On="3"),
    _field("Flag", "enum", "c", Yes="4", No="5"),
    _field("Money", "monetary", "d"),
    _field("Text", "varchar", "e"),
)
SCHEMA = Schema(
    account="a",
    plan="lite",
    seats=1,
    currency="USD",
    timezone="UTC",
    users={},
    fields=FIELDS,
    labels={"people": {"VIP": "10"}},
    stages={"A": {"New": "20"}, "B": {"New": "30"}},
    types={"activities": {"call": "call", "site visit": "site_visit"}},
    caps={},
)
NAMES = Names(SCHEMA, (WantedField("people", "Set", "set", ("red", "blue")),), {"people": ("vip",)}, {"activities": ("Site visit",)})


@pytest.mark.parametrize(
    ("name", "value", "vendor"),
    [
        ("Set", ["red", "blue"], [1, 2]),
        ("Enum", "On", 3),
        ("Flag", False, 5),
        ("Money", 12, {"value": 12, "currency": "USD"}),
        ("Text", "00123", "00123"),
    ],
)
def test_custom_values_go_out_in_the_vendors_form_and_come_back_as_they_were(name: str, value: Any, vendor: Any) -> None:
    code = NAMES.by_name["people", name].code
    assert body_of("people", {"custom": {name: value}}, NAMES, "k") == {"custom_fields": {code: vendor}}
    assert payload_of("people", {"id": 1, "custom_fields": {code: vendor}}, NAMES) == {"custom": {name: value}}


def test_labels_are_met_whatever_their_case_and_come_back_as_the_map_spells_them() -> None:
    assert body_of("people", {"label_ids": ["vip", "VIP"]}, NAMES, "k") == {"label_ids": [10]}
    assert payload_of("people", {"label_ids": [10]}, NAMES) == {"label_ids": ["vip"]}


def test_a_stage_is_found_in_its_own_pipeline() -> None:
    assert body_of("deals", {"pipeline": "B", "stage": "New"}, NAMES, "k") == {"stage_id": 30}
    assert payload_of("deals", {"stage_id": 30}, NAMES) == {"pipeline": "B", "stage": "New"}


def test_a_record_type_goes_out_as_its_key_and_comes_back_as_the_map_names_it() -> None:
    assert body_of("activities", {"type": "Site visit"}, NAMES, TOKEN)["type"] == "site_visit"
    assert payload_of("activities", {"type": "site_visit"}, NAMES) == {"type": "Site visit"}


@pytest.mark.parametrize("payload", [{"label_ids": ["new"]}, {"custom": {"Set": ["grey"]}}, {"custom": {"None": "x"}}, {"stage": "Old"}])
def test_what_the_account_lacks_stops_the_run_with_what_to_do(payload: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="crm run"):
        body_of("people", payload, NAMES, "k")


def test_empty_values_are_not_sent_but_a_custom_field_can_be_cleared() -> None:
    assert body_of("people", {"name": "N", "org_id": None}, NAMES, "k") == {"name": "N"}
    assert list(body_of("people", {"custom": {"Set": None}}, NAMES, "k")["custom_fields"].values()) == [None]


@pytest.mark.parametrize(("value", "number"), [(5, 5), ("5.00", 5), (Decimal("19.90"), 19.9), (0, 0), ("1234567.89", 1234567.89)])
def test_numbers_are_whole_where_they_are_whole(value: Any, number: float) -> None:
    assert number_of(value) == number
    assert isinstance(number_of(value), int) == float(number).is_integer()


@pytest.mark.parametrize(
    ("text", "token", "bare"),
    [
        (f"text<br>[{TOKEN}]", TOKEN, "text"),
        (f"text<br /><br/>\n[{TOKEN}]", TOKEN, "text"),
        (f"[{TOKEN}]", TOKEN, ""),
        (f"quoting [{OTHER}] of another<br><br>[{TOKEN}]", TOKEN, f"quoting [{OTHER}] of another"),
        ("no token<br>", None, "no token<br>"),
        ("[crm-short]", None, "[crm-short]"),
        (None, None, None),
    ],
)
def test_the_last_token_of_a_text_is_the_records_own(text: str | None, token: str | None, bare: str | None) -> None:
    assert token_in(text) == token
    if text is not None:
        assert without_token(text) == bare


def test_a_note_without_its_token_is_never_sent() -> None:
    with pytest.raises(SettingsError, match="visible token"):
        body_of("notes", {"content": "text", "person_id": "1"}, NAMES, "contact-17")


def test_v1_notes_take_the_old_form_of_time() -> None:
    payload = {"content": "text", "person_id": "1", "add_time": "2020-01-02T03:04:05Z"}
    assert body_of("notes", payload, NAMES, TOKEN)["add_time"] == "2020-01-02 03:04:05"
    assert payload_of("notes", {"add_time": "2020-01-02 03:04:05"}, NAMES) == {"add_time": "2020-01-02T03:04:05Z"}
