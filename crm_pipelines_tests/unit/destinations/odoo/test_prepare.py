"""What a map needs and a database lacks: made once, in few calls, in the right place, whatever breaks in between."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from crm_pipelines.destinations.base import FieldType, FoundField, Schema, WantedField, WantedSchema
from crm_pipelines.destinations.odoo.api import Dialect
from crm_pipelines.destinations.odoo.describe import Described, describe
from crm_pipelines.destinations.odoo.fields import bound, code_of
from crm_pipelines.destinations.odoo.prepare import known_as, make, missing
from crm_pipelines.errors import OutcomeUnknown, RefusedError, SettingsError
from crm_pipelines_tests.lib.odoo import OdooServer
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
from crm_pipelines_tests.unit.destinations.odoo.odoo_wire import error
from crm_pipelines_tests.unit.destinations.odoo.real import Between, real_api


def _field(phase: str, name: str, kind: FieldType = "text", *options: str) -> WantedField:
    return WantedField(phase, name, kind, options)


WANTED = WantedSchema(
    fields=(
        _field("people", "Lead score", "number"),
        _field("people", "GDPR status", "enum", "Given", "Refused"),
        _field("people", "Notes (café)", "long_text"),
        _field("people", "Kartra created date", "datetime"),
        _field("organizations", "Kartra created date", "datetime"),
        _field("people", "GDPR consent date", "date"),
        _field("people", "Likes: A/B", "boolean"),
        _field("people", "Never used", "enum"),
        _field("orders", "Payment method"),
        _field("deals", "Kartra stage"),
    ),
    labels={"people": ("VIP", "vip", "list_A"), "organizations": ("Vip",)},
    stages={"CRM": ("Won", "Hot", "Cold")},
    currencies=("USD", "EUR"),
    counts={"people": 3, "deals": 2, "orders": 3},
)
EMPTY = WantedSchema(counts={"people": 1})
SCHEMA = Schema(
    account="odoo-acme",
    plan="Odoo 19.0 Community",
    seats=0,
    currency="USD",
    timezone="",
    users={},
    fields=(),
    labels={"people": {}, "organizations": {}},
    stages={"CRM": {"New": "1", "Won": "2"}},
    types={"currencies": {"USD": ""}},
    caps={},
    record_counts=dict.fromkeys(("people", "organizations", "opt_outs", "products", "orders", "invoices", "deals", "activities"), 0),
)


def _made(server: OdooServer, database: str, wanted: WantedSchema, journal: MemoryJournal | None = None, **kwargs: Any) -> Described:
    api = real_api(server, database, **kwargs)
    try:
        return make(api, wanted, api.run(describe(api)), journal or MemoryJournal())
    finally:
        api.close()


def _schema(server: OdooServer, database: str) -> Schema:
    return _made(server, database, EMPTY).schema


# Against a real server


@pytest.mark.odoo
@pytest.mark.parametrize("dialect", ["json2", "xmlrpc"])
def test_everything_is_made_once_and_stands_where_it_belongs(odoo_server: OdooServer, odoo_db: str, dialect: Dialect) -> None:
    sent: list[bytes] = []
    journal = MemoryJournal()
    made = _made(odoo_server, odoo_db, WANTED, journal, dialect=dialect, between=Between(lambda request: sent.append(request.content)))
    assert sum(1 for body in sent if b'"ttype":' in body or b"<name>ttype<" in body) == 3, "one call makes all fields of a model"
    fields = odoo_server.rows(
        odoo_db, "SELECT model, name, field_description->>'en_US' AS label, ttype FROM ir_model_fields WHERE state = 'manual' ORDER BY id"
    )
    assert [tuple(row.values()) for row in fields] == [
        ("crm.lead", "x_kartra_stage", "Kartra stage", "char"),
        ("res.partner", "x_lead_score", "Lead score", "float"),
        ("res.partner", "x_gdpr_status", "GDPR status", "selection"),
        ("res.partner", "x_notes_cafe_", "Notes (café)", "text"),
        ("res.partner", "x_kartra_created_date", "Kartra created date", "datetime"),
        ("res.partner", "x_gdpr_consent_date", "GDPR consent date", "date"),
        ("res.partner", "x_likes_a_b", "Likes: A/B", "boolean"),
        ("sale.order", "x_payment_method", "Payment method", "char"),
    ]
    assert _options(odoo_server, odoo_db, "x_gdpr_status") == ["Given=Given", "Refused=Refused"]
    assert {row["name"] for row in odoo_server.rows(odoo_db, "SELECT name->>'en_US' AS name FROM res_partner_category")} == {
        "Vip",
        "list_A",
    }
    stages = odoo_server.rows(odoo_db, "SELECT name->>'en_US' AS name, is_won FROM crm_stage ORDER BY sequence, name->>'en_US'")
    assert [row["name"] for row in stages] == ["New", "Qualified", "Proposition", "Hot", "Cold", "Won"]
    lists = odoo_server.rows(
        odoo_db,
        "SELECT p.name->>'en_US' AS name, c.name AS code, c.active FROM product_pricelist p JOIN res_currency c ON c.id = currency_id "
        "WHERE p.name->>'en_US' <> 'Default'",  # made by Odoo itself when a second currency is switched on
    )
    assert lists == [{"name": "Migration EUR", "code": "EUR", "active": True}]
    assert list(journal.results()) == [
        "field/crm.lead/Kartra stage",
        "field/res.partner/Lead score",
        "field/sale.order/Payment method",
        "label/Vip",
        "stage/CRM/Hot",
        "currency/EUR",
    ]
    assert set(journal.results().values()) == {"created"}
    assert missing(WANTED, made.schema) == []
    again = MemoryJournal()
    _made(odoo_server, odoo_db, WANTED, again)
    assert again.attempts == {}


def _options(server: OdooServer, database: str, name: str) -> list[str]:
    query = "SELECT s.value || '=' || (s.name->>'en_US') AS told FROM ir_model_fields_selection s JOIN ir_model_fields f ON f.id = field_id"
    return [row["told"] for row in server.rows(database, f"{query} WHERE f.name = %s ORDER BY s.sequence, s.id", name)]


@pytest.mark.odoo
def test_options_that_come_later_are_added_behind_those_that_are_there(odoo_server: OdooServer, module_odoo_db: str) -> None:
    first = replace(EMPTY, fields=(_field("people", "Mood", "enum", "Hot", "Cold"),))
    later = replace(
        EMPTY, fields=(_field("people", "Mood", "enum", "Cold", "Mild"), _field("organizations", "Mood", "enum", "Mild", "New"))
    )
    _made(odoo_server, module_odoo_db, first)
    made = _made(odoo_server, module_odoo_db, later)
    assert _options(odoo_server, module_odoo_db, "x_mood") == ["Hot=Hot", "Cold=Cold", "Mild=Mild", "New=New"]
    (mood,) = (f for f in made.schema.fields if (f.phase, f.name) == ("people", "Mood"))
    assert set(mood.options) == {"Hot", "Cold", "Mild", "New"}


@pytest.mark.odoo
def test_an_option_that_people_renamed_is_still_the_maps_option(odoo_server: OdooServer, module_odoo_db: str) -> None:
    wanted = replace(EMPTY, fields=(_field("people", "Taste", "enum", "Sweet", "Sour"),))
    _made(odoo_server, module_odoo_db, wanted)
    rename = """UPDATE ir_model_fields_selection SET name = '{"en_US": "Sugary"}' WHERE value = 'Sweet'"""
    odoo_server.rows(module_odoo_db, rename)
    made = _made(odoo_server, module_odoo_db, wanted)
    (found,) = (f for f in made.schema.fields if (f.phase, f.name) == ("people", "Taste"))
    assert [_reads(found, value) for value in ("Sweet", "Sour")] == ["Sweet", "Sour"]
    assert found.options["Sweet"] == "Sweet"


def test_an_option_of_theirs_reads_as_the_map_calls_it() -> None:
    theirs = FoundField("people", "Mood", "x_mood", "selection", {"hot": "hot", "Hot": "hot", "New": "n", "n": "n"}, True)
    wanted = replace(EMPTY, fields=(_field("people", "Mood", "enum", "Hot"),))
    assert missing(wanted, replace(SCHEMA, fields=(theirs,))) == []
    (found,) = bound(replace(SCHEMA, fields=(theirs,)), wanted.fields).fields
    assert _reads(found, "hot") == "Hot"


def _reads(found: FoundField, value: str) -> str:
    """The first label of a value is what a record reads back as (shape)."""
    return next(label for label, number in found.options.items() if number == value)


MOOD = FoundField("people", "Mood", "x_mood", "selection", {"Hot": "Hot", "cold": "c", "c": "c"}, True)


@pytest.mark.parametrize(
    ("fields", "there"),
    [
        ([_field("people", "Mood", "enum", "Warm", "warm")], []),
        ([_field("people", "Mood", "enum", "Warm"), _field("organizations", "Mood", "enum", "WARM")], []),
        ([_field("people", "Mood", "enum", "Hot", "hot")], [MOOD]),
        ([_field("people", "Mood", "enum", "Cold")], [MOOD]),
        ([_field("people", "Mood", "enum", "C")], [MOOD]),
    ],
)
def test_options_that_load_would_take_for_each_other_stop_before_anything_is_made(
    fields: list[WantedField], there: list[FoundField]
) -> None:
    with pytest.raises(SettingsError, match=r"'Mood'.* differ only in upper and lower case.*then run again") as caught:
        missing(replace(EMPTY, fields=tuple(fields)), replace(SCHEMA, fields=tuple(there)))
    assert "arm" not in str(caught.value)


@pytest.mark.odoo
def test_a_field_that_people_renamed_is_still_the_maps_field(odoo_server: OdooServer, module_odoo_db: str) -> None:
    wanted = replace(EMPTY, fields=(_field("people", "Lead score", "number"), _field("people", "Note", "long_text")))
    _made(odoo_server, module_odoo_db, wanted)
    odoo_server.rows(module_odoo_db, """UPDATE ir_model_fields SET field_description = '{"en_US": "Points"}' WHERE name = 'x_lead_score'""")
    (number,) = odoo_server.call(module_odoo_db, "ir.model", "search", domain=[["model", "=", "res.partner"]])
    other = {"model_id": number, "name": "x_studio_own", "field_description": "Lead score", "ttype": "char"}
    odoo_server.call(module_odoo_db, "ir.model.fields", "create", vals_list=[other])
    api = real_api(odoo_server, module_odoo_db)
    try:
        found = api.run(describe(api))
    finally:
        api.close()
    assert missing(wanted, found.schema) == []
    named = {f.name: f.code for f in known_as(found, wanted).schema.fields if f.phase == "people" and f.type != "selection"}
    assert named == {"Lead score": "x_lead_score", "Note": "x_note"}


@pytest.mark.odoo
def test_stages_get_their_place_even_where_there_is_no_room(odoo_server: OdooServer, module_odoo_db: str) -> None:
    odoo_server.rows(module_odoo_db, "UPDATE crm_stage SET sequence = id")  # as databases of earlier versions have it: Won right behind
    odoo_server.call(module_odoo_db, "crm.stage", "create", vals_list=[{"name": "Paused", "sequence": 9}])
    _made(odoo_server, module_odoo_db, replace(EMPTY, stages={"CRM": ("A", "Z", "B", "Won")}))
    rows = odoo_server.rows(module_odoo_db, "SELECT name->>'en_US' AS name FROM crm_stage ORDER BY sequence, name->>'en_US', id")
    assert [row["name"] for row in rows] == ["New", "Qualified", "Proposition", "A", "Z", "B", "Won", "Paused"]


@pytest.mark.odoo
def test_a_database_without_a_won_stage_gets_one_at_the_end(odoo_server: OdooServer, module_odoo_db: str) -> None:
    odoo_server.rows(module_odoo_db, "UPDATE crm_stage SET is_won = false")
    made = _made(odoo_server, module_odoo_db, replace(EMPTY, stages={"CRM": ("Won", "Hot")}))
    rows = odoo_server.rows(module_odoo_db, "SELECT id, name->>'en_US' AS name FROM crm_stage WHERE is_won")
    assert made.schema.stages["CRM"]["Won"] == str(rows[0]["id"])
    assert [row["name"] for row in rows] == ["Won"]


@pytest.mark.odoo
def test_an_answer_that_gets_lost_makes_nothing_twice(odoo_server: OdooServer, odoo_db: str) -> None:
    lost: list[str] = []

    def loses(request: httpx.Request) -> bool:
        is_first = request.url.path.endswith("/create") and request.url.path not in lost
        lost.extend([request.url.path] if is_first else [])
        return is_first and len(lost) <= 2

    journal = MemoryJournal()
    _made(odoo_server, odoo_db, WANTED, journal, between=Between(loses=loses))
    assert len(lost) > 2
    assert len(journal.open_attempts()) == 2, "what got no answer stays open in the journal"
    rows = odoo_server.rows(odoo_db, "SELECT model, name, count(*) FROM ir_model_fields WHERE state = 'manual' GROUP BY 1, 2")
    assert [row["count"] for row in rows] == [1] * 8
    assert missing(WANTED, _schema(odoo_server, odoo_db)) == []


@pytest.mark.odoo
def test_a_server_that_stays_away_ends_it_after_a_few_tries(odoo_server: OdooServer, module_odoo_db: str) -> None:
    def breaks(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(502, text="<h1>Bad Gateway</h1>") if request.url.path.endswith("/create") else None

    journal = MemoryJournal()
    with pytest.raises(OutcomeUnknown):
        _made(odoo_server, module_odoo_db, replace(EMPTY, fields=(_field("people", "Away"),)), journal, between=Between(breaks))
    assert len(journal.open_attempts()) == 3


@pytest.mark.odoo
def test_what_odoo_refuses_is_named_and_recorded(odoo_server: OdooServer, module_odoo_db: str) -> None:
    def refuses(request: httpx.Request) -> httpx.Response | None:
        is_label = request.url.path == "/json/2/res.partner.category/create"
        return error(422, "odoo.exceptions.ValidationError", "Tags are frozen, says Dorothea") if is_label else None

    journal = MemoryJournal()
    with pytest.raises(RefusedError, match=r"refused_by_rule: res\.partner\.category\) to make 2 categories; allow it in Odoo") as caught:
        _made(odoo_server, module_odoo_db, replace(EMPTY, labels=WANTED.labels), journal, between=Between(refuses))
    assert not any(word in str(caught.value) for word in ("Dorothea", "Vip", "list_A")), "tags are cells of the export"
    assert journal.results()["label/Vip"] == "refused"


@pytest.mark.odoo
def test_of_refused_options_the_field_is_named_and_not_what_people_chose(odoo_server: OdooServer, module_odoo_db: str) -> None:
    def refuses(request: httpx.Request) -> httpx.Response | None:
        is_option = request.url.path == "/json/2/ir.model.fields.selection/create"
        return error(422, "odoo.exceptions.ValidationError", "no more") if is_option else None

    first = replace(EMPTY, fields=(_field("people", "Wish", "enum", "Boat"),))
    later = replace(EMPTY, fields=(_field("people", "Wish", "enum", "Boat", "Divorce", "House"),))
    _made(odoo_server, module_odoo_db, first)
    with pytest.raises(RefusedError, match="to make 2 options of Wish; allow it in Odoo") as caught:
        _made(odoo_server, module_odoo_db, later, between=Between(refuses))
    assert not any(word in str(caught.value) for word in ("Divorce", "House"))


@pytest.mark.odoo
def test_a_currency_that_odoo_does_not_know_is_said(odoo_server: OdooServer, module_odoo_db: str) -> None:
    with pytest.raises(SettingsError, match="Odoo knows no currency XYZ"):
        _made(odoo_server, module_odoo_db, replace(EMPTY, currencies=("XYZ",)))


@pytest.mark.odoo
@pytest.mark.parametrize(
    ("lacks", "wanted"),
    [
        ("create crm.stage", WANTED),
        ("create crm.lead", WANTED),
        ("write sale.order", WANTED),
        ("create ir.model.data", replace(EMPTY, labels=WANTED.labels)),
    ],
)
def test_a_right_that_lacks_stops_before_anything_is_made(
    odoo_server: OdooServer, module_odoo_db: str, lacks: str, wanted: WantedSchema
) -> None:
    right, _, model = lacks.partition(" ")
    lists: list[str] = []

    def forbids(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == "/json/2/ir.model.access/search_read":  # so that each right is asked for
            lists.append(model)
            return error(403, "odoo.exceptions.AccessError", "not for you")
        is_right = request.url.path == f"/json/2/{model}/has_access" and f'"{right}"'.encode() in request.content
        return httpx.Response(200, json=False) if is_right else None

    journal = MemoryJournal()
    with pytest.raises(SettingsError, match=f"may not: {lacks}, which the map needs"):
        _made(odoo_server, module_odoo_db, wanted, journal, between=Between(forbids))
    assert lists
    assert journal.attempts == {}
    if model != "ir.model.data":
        _made(odoo_server, module_odoo_db, EMPTY, journal, between=Between(forbids))


# What follows from a description alone


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("GDPR status", "x_gdpr_status"),
        ("Kartra e-mail as exported", "x_kartra_e_mail_as_exported"),
        ("Größe (cm)", "x_grosse_cm_"),
        ("Éléonore  &  Søn", "x_eleonore_s_n"),
        ("A" * 80, "x_" + "a" * 60),
    ],
)
def test_technical_names_follow_from_display_names(name: str, code: str) -> None:
    assert code_of(name) == code


def _there(phase: str, name: str, code: str, kind: str = "char") -> FoundField:
    return FoundField(phase, name, code, kind, {}, True)


@pytest.mark.parametrize(
    ("fields", "there", "says"),
    [
        ([_field("people", "A b"), _field("people", "a-B")], [], "'A b' and 'a-B' would both be x_a_b"),
        ([_field("people", "A b"), _field("organizations", "A-b")], [], "would both be x_a_b"),
        ([_field("people", "A"), _field("organizations", "A", "number")], [], "text for people and number for organizations"),
        ([_field("people", "日本")], [], "no ASCII letter or digit"),
        ([_field("people", "Tags", "set")], [], "has type set; Odoo's custom fields take"),
        (
            [_field("people", "Score", "number")],
            [_there("people", "Punkte", "x_score", "integer")],
            "x_score.* exists in Odoo with type integer",
        ),
        ([_field("people", "Score")], [_there("people", "Score", "x_a"), _there("people", "Score", "x_b")], "x_a and x_b"),
    ],
)
def test_fields_that_cannot_be_told_apart_stop_before_anything_is_made(
    fields: list[WantedField], there: list[FoundField], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        missing(replace(EMPTY, fields=tuple(fields)), replace(SCHEMA, fields=tuple(there)))


def test_a_field_of_that_display_name_and_type_is_taken_whatever_its_technical_name() -> None:
    found = replace(SCHEMA, fields=(_there("people", "Score", "x_studio_1"),))
    assert missing(replace(EMPTY, fields=(_field("people", "Score"),)), found) == []


def test_a_missing_app_is_named_when_the_map_brings_records_for_it() -> None:
    found = replace(SCHEMA, record_counts={"people": 0, "organizations": 0})
    wanted = replace(WANTED, counts={"people": 1, "deals": 2, "orders": 1})
    with pytest.raises(SettingsError, match=r"brings deals, orders.* install CRM \(crm\) and Sales \(sale_management\)"):
        missing(wanted, found)
    idle = replace(WANTED, currencies=(), counts={"people": 1, "deals": 0, "orders": 0})
    assert {step.phase for step in missing(idle, found)} == {"people", "organizations"}


def test_the_forecast_counts_one_request_a_call() -> None:
    tags = tuple(f"t{n}" for n in range(1001))
    steps = missing(replace(WANTED, labels={"people": tags}), SCHEMA)
    assert {kind: sum(s.tokens for s in steps if s.kind == kind) for kind in ("field", "label", "stage", "currency")} == {
        "field": 3,
        "label": 3,
        "stage": 1,
        "currency": 1,
    }


def test_nothing_is_missing_where_everything_is_there() -> None:
    wanted = WantedSchema(
        labels={"people": ("vip",)}, stages={"CRM": ("Won", "New")}, currencies=("USD",), counts={"people": 1, "deals": 1}
    )
    there = replace(SCHEMA, labels={"people": {"VIP": "4"}, "organizations": {"VIP": "4"}})
    assert missing(wanted, there) == []
