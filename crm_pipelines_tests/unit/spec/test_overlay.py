"""What a client's choices for columns make of a route's spec, and which choices cannot be."""

from __future__ import annotations

import polars as pl
import pytest

from crm_pipelines.errors import SpecError
from crm_pipelines.phases.contracts import destination_contract, load_source, source_contract
from crm_pipelines.phases.map import map_phase
from crm_pipelines.spec.check_columns import column_problems
from crm_pipelines.spec.client import load_client, load_decisions
from crm_pipelines.spec.client_map import DateOrder, DecimalLocale
from crm_pipelines.spec.compile import Compiled, compile_spec
from crm_pipelines.spec.derived import resolved_frames
from crm_pipelines.spec.model import MappingSpec
from crm_pipelines.spec.overlay import lay_over
from crm_pipelines.spec.parse import Document, parse
from crm_pipelines_tests.lib.spec_text import NEW_YORK, route_text

SPEC = parse(route_text()).spec
SOURCE, DESTINATION = source_contract(load_source("kartra")), destination_contract("pipedrive")


def laid(
    columns: str, date_orders: dict[str, DateOrder] | None = None, decimal_locales: dict[str, DecimalLocale] | None = None
) -> MappingSpec:
    client = load_client(SPEC, f"map:\n  columns:\n    {{{columns}}}\n")
    return lay_over(SPEC, client.map, SOURCE, DESTINATION, client.document, date_orders=date_orders, decimal_locales=decimal_locales)


def compiled(columns: str) -> Compiled:
    fields = [{"field_identifier": "shoe_size", "field_type": "input_field", "options": [], "option_ids": []}]
    return compile_spec(laid(columns), load_decisions(SPEC, "owners: queue_rows"), fields, NEW_YORK, SOURCE)


def mapped(columns: str, *cells: str | None, column: str = "shoe_size") -> list[tuple[str, str | None, str | None]]:
    """Return what a custom field `New` of people becomes, with queue and reason."""
    phase = compiled(columns).phases["people"]
    keys = [str(number) for number in range(len(cells))]
    frame = pl.DataFrame({"key": keys, column: pl.Series(cells, dtype=pl.String), "email_normal": [f"p{key}@example.com" for key in keys]})
    found = map_phase(phase, frame.with_columns(pl.lit([], dtype=pl.List(pl.String)).alias("contributors")))
    values = found["payload"].str.json_path_match("$.custom.New").to_list()
    return list(zip(values, found["queue"], found["reason"], strict=True))


@pytest.mark.parametrize(
    ("type_", "good", "sent", "bad", "reason"),
    [
        ("number", "1,234.5", "1234.5", "twelve", "unreadable_number"),
        ("date", "31.05.2026", "2026-05-31", "05/06/2026", "unreadable_date"),
        ("boolean", "Yes", "true", "perhaps", "unreadable_yes_no"),
    ],
)
def test_what_does_not_read_as_the_field_s_type_waits_and_the_rest_goes(type_: str, good: str, sent: str, bad: str, reason: str) -> None:
    columns = f"contacts: {{Shoe Size: {{phase: people, custom_field: New, type: {type_}}}}}"
    assert mapped(columns, good, bad, None) == [(sent, None, None), (None, "remediation", reason), (None, None, None)]


DATE = "contacts: {{Shoe Size: {{phase: people, custom_field: New, type: date{}}}}}"


@pytest.mark.parametrize(("order", "read"), [("dmy", "2026-06-05"), ("mdy", "2026-05-06")])
def test_a_date_that_reads_two_ways_is_read_as_the_choice_says_or_the_engagement_declares_and_else_waits(order: str, read: str) -> None:
    assert mapped(DATE.format(f", date_order: {order}"), "05/06/2026") == [(read, None, None)]
    declared = laid(DATE.format(""), {"contacts": order}).phases["people"].custom_fields["New"]  # type: ignore[dict-item]
    assert dict(declared.with_) == {"order": order}
    said = laid(DATE.format(", date_order: mdy"), {"contacts": "dmy"}).phases["people"].custom_fields["New"]
    assert dict(said.with_) == {"order": "mdy"}
    elsewhere = laid(DATE.format(""), {"transactions": order}).phases["people"].custom_fields["New"]  # type: ignore[dict-item]
    assert not elsewhere.with_
    assert mapped(DATE.format(""), "05/06/2026") == [(None, "remediation", "unreadable_date")]


NUMBER = "contacts: {{Shoe Size: {{phase: people, custom_field: New, type: {}}}}}"


@pytest.mark.parametrize(("locale", "read"), [("us", "1.107"), ("eu", "1107")])
def test_a_number_that_reads_two_ways_is_read_as_the_choice_says_or_the_engagement_declares_and_else_waits(locale: str, read: str) -> None:
    assert mapped(NUMBER.format(f"number, decimal_locale: {locale}"), "1.107") == [(read, None, None)]
    declared = laid(NUMBER.format("number"), decimal_locales={"contacts": locale}).phases["people"].custom_fields["New"]  # type: ignore[dict-item]
    assert dict(declared.with_) == {"locale": locale}
    said = laid(NUMBER.format("number, decimal_locale: us"), decimal_locales={"contacts": "eu"}).phases["people"].custom_fields["New"]
    assert dict(said.with_) == {"locale": "us"}
    assert mapped(NUMBER.format("number"), "1.107") == [(None, "remediation", "unreadable_number")]


def test_an_amount_may_name_the_currency_of_its_field_and_no_other() -> None:
    assert mapped(NUMBER.format("money, currency: USD"), "$13.50", "13.50 €", "7") == [
        ("13.5", None, None),
        (None, "remediation", "unreadable_number"),
        ("7", None, None),
    ]


def test_years_of_two_digits_wait_unless_somebody_says_of_which_century_they_are() -> None:
    cells = ("31.05.21", "31.05.85")
    assert mapped(DATE.format(""), *cells) == [(None, "remediation", "unreadable_date")] * 2
    assert mapped(DATE.format(", year_pivot: 30"), *cells) == [("2021-05-31", None, None), ("1985-05-31", None, None)]


def test_a_moment_is_read_in_the_order_that_is_said() -> None:
    moment = "contacts: {Shoe Size: {phase: people, custom_field: New, type: datetime, date_order: dmy}}"
    assert dict(laid(moment).phases["people"].custom_fields["New"].with_) == {"order": "dmy"}
    standard = "contacts: {Written on: {phase: notes, field: add_time, date_order: mdy}}"
    assert dict(laid(standard).phases["notes"].fields["add_time"].with_) == {"order": "mdy"}


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("custom_field: New, type: number, date_order: dmy", "date_order belongs to"),
        ("custom_field: New, type: date, date_order: ymd", "'dmy' or 'mdy'"),
        ("custom_field: New, type: number, year_pivot: 30", "year_pivot belongs to"),
        ("custom_field: New, type: date, year_pivot: 1930", "99"),
        ("custom_field: New, type: date, decimal_locale: eu", "decimal_locale and currency belong to"),
        ("custom_field: New, type: date, currency: EUR", "decimal_locale and currency belong to"),
        ("field: add_time, currency: EUR", "are for text that is read as a number"),
    ],
)
def test_what_tells_how_to_read_belongs_to_what_is_read(choice: str, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        laid(f"contacts: {{Shoe Size: {{phase: people, {choice}}}}}")


def test_a_cell_of_several_words_is_a_field_of_several_options() -> None:
    columns = "contacts: {shoe-size: {phase: people, custom_field: New, type: set}}"
    assert mapped(columns, "red, blue;red") == [('["red","blue"]', None, None)]


def test_a_text_longer_than_its_field_waits() -> None:
    assert mapped("contacts: {shoe_size: {phase: people, custom_field: New}}", "x" * 256)[0][1:] == ("remediation", "too_long")


def test_a_standard_field_that_the_route_leaves_empty_is_filled() -> None:
    spec = laid("contacts: {Written on: {phase: notes, field: add_time}}")
    assert spec.phases["notes"].fields["add_time"].rule == "read_moment"


def test_a_reason_takes_the_column_out_of_the_waiting_ones() -> None:
    assert laid("contacts: {Shoe size: {ignore: Nobody reads it.}}").ignore["contacts"]["shoe_size"] == "Nobody reads it."


def test_a_column_that_the_route_leaves_behind_may_move_for_this_client() -> None:
    price = "transactions: {Base price: {phase: deals, custom_field: List price, type: money}}"
    spec = laid(f"contacts: {{Business Type: {{phase: people, custom_field: Trade}}}}, {price}")
    assert "business_type" not in spec.ignore["contacts"]
    assert "base_price" not in spec.ignore["transactions"]
    frames = resolved_frames(spec.derive, SOURCE.objects)
    assert frames["purchases"]["transactions.base_price"].origin == (("transactions", "base_price"),)
    assert list(column_problems(spec, Document(None, ""), SOURCE, frames)) == []


def test_a_custom_field_of_the_source_that_the_client_decided_about_is_not_made_twice() -> None:
    def names(columns: str) -> list[str]:
        return [each.name for each in compiled(columns).phases["people"].fields if each.name in ("New", "shoe_size")]

    assert names("contacts: {}") == ["shoe_size"]
    assert names("contacts: {Shoe size: {phase: people, custom_field: New}}") == ["New"]
    assert names("contacts: {Shoe size: {ignore: Nobody knows what it says.}}") == []


@pytest.mark.parametrize("choice", ["ignore: Nobody knows what it says.", "phase: deals, custom_field: Size"])
def test_a_custom_field_of_people_stays_when_a_column_of_its_name_in_another_export_is_decided_about(choice: str) -> None:
    fields = compiled(f"transactions: {{Shoe size: {{{choice}}}}}").phases["people"].fields
    assert "shoe_size" in [each.name for each in fields]


def test_lineage_goes_back_to_the_column_of_the_export() -> None:
    phases = compiled(
        "contacts: {Key: {phase: people, custom_field: New}}, subscriptions: {Plan: {phase: deals, custom_field: Plan}}"
    ).phases
    assert phases["people"].lineage["New"] == (("contacts", "key"),)
    assert phases["deals"].lineage["Plan"] == (("subscriptions", "plan"),)


def test_a_column_called_like_one_of_the_fold_s_own_is_read_from_where_it_is_kept() -> None:
    columns = "contacts: {Full name: {phase: people, custom_field: New}}"
    assert mapped(columns, "Ada", column="source_full_name") == [("Ada", None, None)]


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ("contact: {A: {phase: people, custom_field: New}}", "contact: the route reads no export 'contact'; did you mean 'contacts'?"),
        (
            "tags: {A: {phase: people, custom_field: New}}",
            "tags.A: columns of tags can only be ignored: no record of the route carries them",
        ),
        ("contacts: {A: {phase: peple, custom_field: New}}", "contacts.A: there is no phase 'peple'; did you mean 'people'?"),
        (
            "contacts: {A: {phase: deals, custom_field: New}}",
            "contacts.A: records of deals do not carry columns of contacts; they can go to",
        ),
        ("contacts: {E-Mail: {ignore: We do not want it}}", "contacts.E-Mail: is mapped by the route already"),
        ("contacts: {A: {phase: people, field: emails}}", "contacts.A: field 'emails' of people is filled by the route already"),
        ("contacts: {A: {phase: people, field: emals}}", "contacts.A: people has no field 'emals'; did you mean 'emails'?"),
        (
            "contacts: {A: {phase: people, custom_field: lead SCORE}}",
            "contacts.A: custom field 'lead SCORE' of people is filled by the route",
        ),
        (
            "contacts: {A: {phase: people, custom_field: New}, B: {phase: people, custom_field: new}}",
            "contacts.B: custom field 'new' of people is filled by another column already",
        ),
        ("contacts: {A b: {ignore: We do not want it}, a_B: {ignore: We do not want it}}", "contacts.a_B: is the same column as 'A b'"),
        ("contacts: {A: {phase: people, custom_field: '  '}}", "contacts.A: a field name has 1 to 255 characters"),
        (f"contacts: {{A: {{phase: people, custom_field: {'x' * 256}}}}}", "contacts.A: a field name has 1 to 255 characters"),
        (
            "contacts: {A: {phase: people, custom_field: New, type: address}}",
            "contacts.A: pipedrive makes no field of type address from one",
        ),
        ("contacts: {A: {phase: notes, custom_field: New}}", "contacts.A: records of notes cannot carry custom fields at pipedrive"),
        (
            "transactions: {base_price: {phase: deals, custom_field: New, type: date}}",
            "transactions.base_price: the column holds numbers, which a field of type date does not take",
        ),
    ],
)
def test_a_choice_that_cannot_be_is_told_with_its_line(columns: str, problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        laid(columns)
    assert str(caught.value.problems[0]).startswith(f"decisions.yaml:3: map.columns.{problem}")
