"""Values between the map and Odoo: what is sent for each, what is refused, and how a record reads back. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from crm_pipelines.destinations.base import FoundField, Schema, WantedField, WantedSchema
from crm_pipelines.destinations.odoo import values
from crm_pipelines.destinations.odoo.books import Books
from crm_pipelines.destinations.odoo.keys import external_id, key_of, name_of
from crm_pipelines.destinations.odoo.models import DEALS, MODELS, ORDERS, PEOPLE
from crm_pipelines.destinations.odoo.named import Stage
from crm_pipelines.destinations.odoo.names import Names
from crm_pipelines.destinations.odoo.shape import changes_of, columns_of, differs, fields_of, payload_of, status_of
from crm_pipelines.destinations.odoo.values import Unfit, cell, clean
from crm_pipelines.errors import SettingsError

SCHEMA = Schema(
    account="a",
    plan="19.0",
    seats=0,
    currency="USD",
    timezone="UTC",
    users={"ana@example.com": "7"},
    fields=(
        FoundField("people", "Kartra state", "x_kartra_state", "char", {}, True),
        FoundField("people", "Score", "x_score", "float", {}, True),
        FoundField("people", "Kind", "x_kind", "selection", {"Hot lead": "hot"}, True),
        FoundField("people", "Ticked", "x_ticked", "boolean", {}, True),
    ),
    labels={"people": {"VIP": "3", "vip2": "4"}},
    stages={"CRM": {"New": "1", "Won": "4"}},
    types={},
    caps={},
)
DESCRIBED: Any = SimpleNamespace(
    books=Books(),
    schema=SCHEMA,
    company_currency="USD",
    user_partners={"7": "70"},
    countries={"US": "233", "FR": "75"},
    states={("US", "ca"): "13", ("US", "california"): "13"},
    currencies={"USD": "1", "EUR": "126"},
    pricelists={"EUR": "2"},
    version=(19, 0),
    stages=(Stage(1, "New", 1, False), Stage(4, "Gewonnen", 70, True)),
)
NAMES = Names(DESCRIBED)


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        ("char", "a", "a"),
        ("char", 12, "12"),
        ("boolean", True, True),
        ("boolean", False, False),
        ("float", Decimal("1.25"), 1.25),
        ("date", "2020-02-29", "2020-02-29"),
        ("date", date(2020, 2, 29), "2020-02-29"),
        ("datetime", "2020-02-29T23:59:59Z", "2020-02-29 23:59:59"),
        ("datetime", "2020-02-29T23:59:59+02:00", "2020-02-29 21:59:59"),
        ("datetime", "2020-02-29 23:59:59", "2020-02-29 23:59:59"),
        ("datetime", datetime(2020, 1, 1, 3, tzinfo=timezone(timedelta(hours=3))), "2020-01-01 00:00:00"),
        ("link", "42", 42),
    ],
)
def test_a_value_goes_out_as_odoo_takes_it(kind: str, value: Any, sent: Any) -> None:
    assert clean(kind, "f", value) == sent


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("boolean", "False", "not_boolean"),
        ("boolean", 1, "not_boolean"),
        ("float", "1.5", "not_number"),
        ("float", float("inf"), "not_number"),
        ("char", True, "not_text"),
        ("char", ["a"], "not_text"),
        ("text", "a\x00", "nul_character"),
        ("html", "\udfff", "not_unicode"),
        ("date", "2020-13-01", "bad_date"),
        ("date", "01.02.2020", "bad_date"),
        ("date", "2020-01-01T00:00:00Z", "bad_date"),
        ("date", "0001-01-01", "date_out_of_range"),
        ("datetime", "2020-01-01", "bad_datetime"),
        ("datetime", "2020-01-01T25:00:00Z", "bad_datetime"),
        ("datetime", "0999-01-01T00:00:00Z", "date_out_of_range"),
        ("link", "0", "link_to_nothing"),
        ("link", "-3", "link_to_nothing"),
        ("link", True, "link_to_nothing"),
        ("link", "٣", "link_to_nothing"),
        ("link", 2**31, "link_to_nothing"),
    ],
)
def test_what_odoo_would_change_lose_or_choke_on_is_refused_by_code_and_field(kind: str, value: Any, code: str) -> None:
    with pytest.raises(Unfit) as caught:
        clean(kind, "Field", value)
    assert str(caught.value) == f"{code}: Field"


@pytest.mark.parametrize("text", ["a@b.co", "o'neill+tag@sub.example.com", "ünï@example.com"])
def test_a_plain_address_is_one(text: str) -> None:
    assert values.email("email", text) == text


@pytest.mark.parametrize("text", ["", "a", "a@b", "a@b.co, c@d.co", "A <a@b.co>", "a b@c.co", "a@b..co"])
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(Unfit, match="bad_email: email"):
        values.email("email", text)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), ("", ""), (True, "1"), (False, "0"), ([1, 2], "1,2"), (0.1, "0.1"), (1e-7, "1e-07"), (5, "5"), (0.0, "0.0")],
)
def test_cells_of_load_are_texts(value: Any, text: str) -> None:
    assert cell(value) == text


def test_a_persons_columns() -> None:
    payload = {
        "name": "N",
        "country": "us",
        "state": "CALIFORNIA",
        "category_id": ["vip", "VIP2"],
        "custom": {"Kind": "Hot lead", "Ticked": False},
    }
    assert columns_of(PEOPLE, payload, NAMES) == {
        "name": "N",
        "country_id": 233,
        "state_id": 13,
        "category_id": [3, 4],
        "x_kind": "hot",
        "x_ticked": False,
        "user_id": None,
    }


def test_a_state_that_is_none_of_the_country_is_left_out_and_reads_back_from_the_text_beside_it() -> None:
    payload = {"name": "N", "country": "FR", "state": "California", "custom": {"Kartra state": "California"}}
    columns = columns_of(PEOPLE, payload, NAMES)
    assert "state_id" not in columns
    record = {"name": "N", "country_id": 75, "state_id": False, "x_kartra_state": "California"}
    assert payload_of(PEOPLE, record, NAMES)["state"] == "California"
    moved = {"name": "N", "country_id": 233, "state_id": 13, "x_kartra_state": "Texas"}
    assert payload_of(PEOPLE, moved, NAMES)["state"] == "CA"


def test_another_field_whose_name_ends_in_state_is_not_the_state() -> None:
    wanted = WantedSchema(fields=(WantedField("people", "Kartra state", "text"), WantedField("people", "Region", "text", keeps="state")))
    record = {"name": "N", "country_id": 75, "state_id": False, "x_kartra_state": "frozen"}
    assert payload_of(PEOPLE, record, NAMES)["state"] == "frozen", "by its name, as long as nobody told"
    assert "state" not in payload_of(PEOPLE, record, Names(DESCRIBED, wanted))


def test_an_orders_one_line_has_no_tax_and_its_currency_is_a_pricelist() -> None:
    payload = {"partner_id": "5", "product": "9", "amount": 12.5, "currency": "EUR", "state": "sale"}
    columns = columns_of(ORDERS, payload, NAMES)
    assert {name: value for name, value in columns.items() if name.startswith("order_line/")} == {
        "order_line/product_id": 9,
        "order_line/price_unit": 12.5,
        "order_line/product_uom_qty": 1.0,
        "order_line/tax_ids": None,
    }
    assert (columns["pricelist_id"], columns["user_id"]) == (2, None)
    assert columns_of(ORDERS, {**payload, "currency": "USD"}, NAMES)["pricelist_id"] is None


def test_a_lost_lead_is_archived_without_a_chance() -> None:
    columns = columns_of(DEALS, {"name": "N", "status": "lost", "stage": "New"}, NAMES)
    assert (columns["active"], columns["probability"], columns["stage_id"]) == (False, 0, 1)


@pytest.mark.parametrize("payload", [{"category_id": ["Nobody"]}, {"custom": {"Nothing": "x"}}])
def test_what_prepare_should_have_made_stops_the_run_and_says_what_to_do(payload: Mapping[str, Any]) -> None:
    with pytest.raises(SettingsError, match="crm run"):
        changes_of(PEOPLE, payload, NAMES)


def test_the_host_comes_to_the_event_as_well_by_id_or_by_address() -> None:
    event = {"name": "E", "start": "2020-01-01T00:00:00Z", "stop": "2020-01-01T01:00:00Z", "attendees": "5"}
    for user in ("7", "Ana@example.com"):
        assert changes_of(MODELS["activities"], {"attendees": "5"}, NAMES, {**event, "user_id": user})["partner_ids"] == [5, 70]
    record = {"name": "E", "partner_ids": [70, 5], "user_id": 7}
    assert payload_of(MODELS["activities"], record, NAMES)["attendees"] == "5"


@pytest.mark.parametrize(
    ("wanted", "there", "names"),
    [
        ({"name": "a"}, {"name": "a", "city": "more"}, []),
        ({"category_id": ["A", "b"]}, {"category_id": ["B", "a"]}, []),
        ({"category_id": ["A"]}, {"category_id": ["A", "theirs"]}, ["category_id"]),
        ({"custom": {"Score": 0, "Ticked": False}}, {}, []),
        ({"custom": {"Score": 1}}, {}, ["Score"]),
        ({"comment": "<p>a <b>b</b><script>c</script></p>"}, {"comment": "<p>a <b>b</b></p>"}, []),
        ({"comment": "<p>a</p>"}, {"comment": "<p>b</p>"}, ["comment"]),
        ({"email": "A@b.co"}, {"email": "a@b.co"}, []),
        ({"name": "A"}, {"name": "a"}, ["name"]),
    ],
)
def test_what_differs_is_named_and_what_odoo_writes_otherwise_is_not(wanted: Any, there: Any, names: list[str]) -> None:
    assert differs(wanted, there) == names


@pytest.mark.parametrize("key", ["1001", "company:acme ltd", "a.b,c/d%e", "ünï", "product:x \N{GRINNING FACE}"])
def test_a_key_survives_its_external_id(key: str) -> None:
    name = name_of("people", key)
    assert " " not in name
    assert "," not in name
    assert key_of("people", name) == key
    assert key_of("organizations", name) is None
    assert external_id("crm_demo", "people", key) == f"crm_demo.{name}"


@pytest.mark.parametrize(
    ("version", "taxes", "status"), [((19, 0), "tax_ids", {"won_status"}), ((18, 0), "tax_id", {"active", "probability"})]
)
def test_fields_have_the_names_of_the_version(version: tuple[int, int], taxes: str, status: set[str]) -> None:
    changed: Any = SimpleNamespace(**{**vars(DESCRIBED), "version": version})
    names = Names(changed)
    order = {"client_order_ref": "1", "partner_id": "5", "date_order": "2024-01-01T00:00:00Z", "state": "sale", "product": "9", "amount": 1}
    columns = columns_of(ORDERS, order, names)
    assert [name for name in columns if "/tax_id" in name] == [f"order_line/{taxes}"]
    assert {"won_status", "active", "probability"} & set(fields_of(DEALS, names)) == status
    assert {"won_status", "active", "probability"} & set(fields_of(DEALS, names, ["name"])) == set()


@pytest.mark.parametrize(
    ("record", "status"),
    [
        ({"won_status": "pending", "active": False, "probability": 0}, "open"),
        ({"active": False, "probability": 0}, "lost"),
        ({"active": True, "probability": 0}, "open"),
        ({"active": True, "probability": 100}, "won"),
    ],
)
def test_a_lead_says_its_status_in_every_version(record: dict[str, Any], status: str) -> None:
    assert status_of(record) == status
