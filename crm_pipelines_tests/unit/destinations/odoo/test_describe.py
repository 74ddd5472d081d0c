"""What a real database is described as, held against its own PostgreSQL; and what stops a migration before anything is sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from crm_pipelines.destinations.base import WantedSchema
from crm_pipelines.destinations.odoo.api import Dialect
from crm_pipelines.destinations.odoo.describe import Described, describe
from crm_pipelines.destinations.odoo.named import Stage, stage_names
from crm_pipelines.destinations.odoo.prepare import make
from crm_pipelines.errors import SettingsError
from crm_pipelines_tests.lib.odoo import OdooServer
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
from crm_pipelines_tests.unit.destinations.odoo.odoo_wire import error
from crm_pipelines_tests.unit.destinations.odoo.real import Between, hand_the_key_to, real_api

FIELD = {"model": "res.partner", "name": "x_mood", "field_description": "Mood", "ttype": "selection", "type": "selection"}


def _described(server: OdooServer, database: str, **kwargs: Any) -> Described:
    api = real_api(server, database, **kwargs)
    try:
        return api.run(describe(api))
    finally:
        api.close()


@pytest.fixture(scope="module")
def furnished(odoo_server: OdooServer, module_odoo_db: str) -> str:
    """A database with users, a field, categories, stages and a currency of its own."""

    def create(model: str, *rows: dict[str, Any]) -> list[int]:
        made: list[int] = odoo_server.call(module_odoo_db, model, "create", vals_list=list(rows), context={"no_reset_password": True})
        return made

    create(
        "res.users",
        {"name": "Ann", "login": "Ann@Example.com", "email": "ann.private@example.com"},
        {"name": "Bob", "login": "bob", "email": "both@example.com"},
        {"name": "Cid", "login": "cid", "email": "Both@example.com "},
        {"name": "Dan", "login": "dan", "email": "bob"},
        {"name": "Eve", "login": "eve@example.com", "active": False},
    )
    (model,) = odoo_server.call(module_odoo_db, "ir.model", "search", domain=[["model", "=", "res.partner"]])
    options = [[0, 0, {"value": value, "name": name, "sequence": n}] for n, (value, name) in enumerate([("hot", "Hot"), ("Cold", "Cold")])]
    create(
        "ir.model.fields",
        {"model_id": model, "name": "x_mood", "field_description": "Mood", "ttype": "selection", "selection_ids": options},
        {"model_id": model, "name": "x_note", "field_description": "Note", "ttype": "text"},
    )
    create("res.partner.category", {"name": "VIP"}, {"name": "vip"}, {"name": "VIP"})
    create("crm.stage", {"name": "Talks", "sequence": 2})
    (eur,) = odoo_server.call(module_odoo_db, "res.currency", "search", domain=[["name", "=", "EUR"]], context={"active_test": False})
    odoo_server.call(module_odoo_db, "res.currency", "write", ids=[eur], vals={"active": True})
    create("product.pricelist", {"name": "Migration EUR", "currency_id": eur})
    create("crm.lead", {"name": "L", "type": "opportunity"}, {"name": "M", "type": "lead"})
    return module_odoo_db


@pytest.mark.odoo
@pytest.mark.parametrize("dialect", ["json2", "xmlrpc"])
def test_a_database_is_described_as_its_own_tables_say(odoo_server: OdooServer, furnished: str, dialect: Dialect) -> None:
    found = _described(odoo_server, furnished, dialect=dialect)
    schema = found.schema

    def ids(query: str, *values: object) -> dict[str, str]:
        return {str(row["name"]): str(row["id"]) for row in odoo_server.rows(furnished, query, *values)}

    logins = ids("SELECT login AS name, id FROM res_users")
    assert schema.users == {
        "admin": logins["admin"],
        "ann@example.com": logins["Ann@Example.com"],
        "ann.private@example.com": logins["Ann@Example.com"],
        "bob": logins["bob"],
        "cid": logins["cid"],
        "dan": logins["dan"],
    }, "two share an address, one has another's login as its address, one is switched off"
    assert found.user_partners[logins["cid"]] == ids("SELECT login AS name, partner_id AS id FROM res_users")["cid"]
    for phase in ("people", "organizations"):
        mood, note = (f for f in schema.fields if f.phase == phase)
        assert (mood.name, mood.code, mood.type, mood.options) == (
            "Mood",
            "x_mood",
            "selection",
            {"Hot": "hot", "Cold": "Cold", "hot": "hot"},
        )
        assert (note.name, note.code, note.type, note.options) == ("Note", "x_note", "text", {})
    assert schema.labels["people"] == schema.labels["organizations"]
    assert schema.labels["people"] == ids("SELECT name->>'en_US' AS name, min(id) AS id FROM res_partner_category GROUP BY 1")
    assert schema.stages == {"CRM": ids("SELECT name->>'en_US' AS name, id FROM crm_stage ORDER BY sequence, name->>'en_US', id")}
    assert list(schema.stages["CRM"]) == ["New", "Qualified", "Talks", "Proposition", "Won"]
    assert (schema.plan, schema.currency, schema.seats, schema.caps) == ("Odoo 19.0 Community", "USD", 0, {})
    assert set(schema.types["currencies"]) == {"USD", "EUR"}
    assert found.pricelists == {"EUR": ids("SELECT name->>'en_US' AS name, id FROM product_pricelist")["Migration EUR"]}
    assert schema.record_counts["deals"] == 1
    assert (found.countries["US"], found.states["US", "ca"]) == (found.countries["US"], found.states["US", "california"])
    assert found.states["US", "ca"] != found.states["IT", "ca"]
    assert found.forbidden == ()
    assert {"crm", "sale", "account", "calendar"} <= found.modules
    assert any("subscriptions become sale orders" in note for note in schema.notes)
    assert any(note.startswith("1 e-mail addresses belong to several users") for note in schema.notes)


@pytest.mark.odoo
def test_reading_is_counted_and_takes_part_of_a_second(odoo_server: OdooServer, furnished: str) -> None:
    journal = MemoryJournal()
    api = real_api(odoo_server, furnished)
    try:
        api.run(describe(api), journal)
    finally:
        api.close()
    assert sum(requests for _, requests in journal.spends) < 60
    assert journal.attempts == {}


@pytest.mark.odoo
def test_apps_that_are_not_installed_leave_their_phases_out(odoo_server: OdooServer, furnished: str) -> None:
    def without_crm(request: httpx.Request) -> httpx.Response | None:
        model = request.url.path.split("/")[3] if request.url.path.startswith("/json/2/") else ""
        return error(404, "werkzeug.exceptions.NotFound", f"the model '{model}' does not exist") if model.startswith("crm.") else None

    found = _described(odoo_server, furnished, between=Between(without_crm))
    assert "deals" not in found.schema.record_counts
    assert found.schema.stages == {}
    assert "people" in found.schema.record_counts
    assert found.forbidden == (), "a right to what is not there is no right that lacks"


@pytest.mark.odoo
@pytest.mark.parametrize(
    ("prefix", "says"),
    [
        ("crm", "crm is the name of a module"),
        ("website_sale", "website_sale is the name of a module"),
        ("crm_foreign", "1 external ids of module crm_foreign exist"),
        ("", r"account\.prefix: .* not set"),
    ],
)
def test_a_prefix_that_is_not_ours_to_take_stops_everything(odoo_server: OdooServer, furnished: str, prefix: str, says: str) -> None:
    odoo_server.rows(furnished, "DELETE FROM ir_model_data WHERE module LIKE 'crm\\_%%' AND name IN ('partner_one', 'people.1')")
    rows = [{"module": module, "name": name, "model": "res.partner", "res_id": 3} for module, name in PLANTED]
    odoo_server.call(furnished, "ir.model.data", "create", vals_list=rows)
    with pytest.raises(SettingsError, match=says):
        _described(odoo_server, furnished, prefix=prefix)
    assert _described(odoo_server, furnished, prefix="crm_ours").version == (19, 0)


PLANTED = [("crm_foreign", "partner_one"), ("crm_foreign", "people.1"), ("crm_ours", "people.1")]


@pytest.mark.odoo
def test_a_user_who_may_not_do_everything_is_told_what_is_missing(odoo_server: OdooServer, odoo_db: str) -> None:
    groups = ["base.group_user", "base.group_erp_manager"]
    hand_the_key_to(odoo_server, odoo_db, groups)
    found = _described(odoo_server, odoo_db)
    assert {"create crm.stage", "create crm.lead", "create res.partner.category", "write res.currency"} <= set(found.forbidden)
    assert "create ir.model.fields" not in found.forbidden
    assert any("create crm.stage" in note for note in found.schema.notes)
    assert found.schema.account == f"odoo-{odoo_db} company 1", "the database's own number is for administrators"


@pytest.mark.odoo
def test_the_account_keeps_its_name_when_the_key_gets_fewer_rights(odoo_server: OdooServer, odoo_db: str) -> None:
    api = real_api(odoo_server, odoo_db)
    first = make(api, WantedSchema(), api.run(describe(api)), MemoryJournal()).schema.account
    api.close()
    assert odoo_server.call(odoo_db, "ir.config_parameter", "get_param", key="database.uuid") in first
    key_of = "SELECT user_id FROM res_users_apikeys"
    (admin,) = [row["user_id"] for row in odoo_server.rows(odoo_db, key_of)]
    hand_the_key_to(odoo_server, odoo_db, ["base.group_user", "base.group_erp_manager"])
    assert _described(odoo_server, odoo_db).schema.account == first
    odoo_server.rows(odoo_db, "UPDATE ir_model_data SET name = replace(name, %s, 'original') WHERE model = 'res.company'", odoo_db)
    assert _described(odoo_server, odoo_db).schema.account == f"odoo-{odoo_db} company 1", "a copy is not its original"
    odoo_server.rows(odoo_db, "UPDATE res_users_apikeys SET user_id = %s", admin)
    assert _described(odoo_server, odoo_db).schema.account == first


@pytest.mark.odoo
def test_an_installed_subscription_app_is_said_to_stay_empty(odoo_server: OdooServer, odoo_db: str) -> None:
    odoo_server.rows(odoo_db, "UPDATE ir_module_module SET state = 'installed' WHERE name = 'sale_subscription'")
    if not odoo_server.rows(odoo_db, "SELECT 1 FROM ir_module_module WHERE name = 'sale_subscription'"):
        odoo_server.rows(odoo_db, "INSERT INTO ir_module_module (name, state) VALUES ('sale_subscription', 'installed')")
    (note,) = (note for note in _described(odoo_server, odoo_db).schema.notes if "ubscription" in note)
    assert "nothing is written into it" in note


@pytest.mark.odoo
def test_a_user_who_may_not_see_external_ids_cannot_migrate(odoo_server: OdooServer, odoo_db: str) -> None:
    hand_the_key_to(odoo_server, odoo_db, ["base.group_user"])
    with pytest.raises(SettingsError, match=r"may not read external ids \(ir\.model\.data\).*Administration: Access Rights"):
        _described(odoo_server, odoo_db)


STAGES = (Stage(1, "New", 1, False), Stage(2, "Gagné", 5, True))


@pytest.mark.parametrize(
    ("stages", "names"),
    [
        (STAGES, {"New": "1", "Gagné": "2", "Won": "2"}),
        ((*STAGES, Stage(3, "Won", 6, True)), {"New": "1", "Gagné": "2", "Won": "3"}),
        ((*STAGES, Stage(3, "Perfect", 6, True)), {"New": "1", "Gagné": "2", "Perfect": "3"}),
        ((Stage(1, "Won", 1, False),), {}),
        ((Stage(1, "New", 1, False), Stage(7, "New", 2, False)), {"New": "1"}),
    ],
)
def test_won_is_the_one_stage_in_which_deals_are_won(stages: tuple[Stage, ...], names: dict[str, str]) -> None:
    assert stage_names(stages) == names
    assert list(stage_names(stages)) == list(names), "the last name is what an id reads back as"
