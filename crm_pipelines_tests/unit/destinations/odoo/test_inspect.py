"""What an inspection says of a real database: nothing of a clean one, everything that was planted by SQL, and what it may not see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import httpx
import pytest

from crm_pipelines.destinations.base import Finding, Inspection, WantedField, WantedSchema
from crm_pipelines.destinations.odoo.api import Dialect
from crm_pipelines.destinations.odoo.debris_views import is_readable
from crm_pipelines.destinations.odoo.inspect import inspect
from crm_pipelines.errors import SettingsError
from crm_pipelines_tests.lib.odoo import OdooServer
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
from crm_pipelines_tests.unit.destinations.odoo.real import Between, hand_the_key_to, real_api

pytestmark = pytest.mark.odoo

DEBRIS = """
WITH model AS (
    INSERT INTO ir_model (model, name, state, "order") VALUES ('old.thing', '{"en_US": "Old thing"}', 'base', 'id') RETURNING id
), field AS (
    INSERT INTO ir_model_fields (model_id, model, name, ttype, state, field_description)
    SELECT id, 'old.thing', 'colour', 'char', 'base', '{"en_US": "Colour"}' FROM model
), pointer AS (
    INSERT INTO ir_model_fields (model_id, model, name, ttype, state, field_description, relation)
    SELECT id, 'res.partner', 'old_id', 'many2one', 'base', '{"en_US": "Old"}', 'older.thing' FROM ir_model WHERE model = 'res.partner'
), job AS (
    INSERT INTO ir_act_server (type, binding_type, name, model_id, usage, state)
    SELECT 'ir.actions.server', 'action', '{"en_US": "Old job"}', id, 'ir_cron', 'code' FROM model RETURNING id
), action AS (
    INSERT INTO ir_act_server (type, binding_type, name, model_id, usage, state)
    SELECT 'ir.actions.server', 'action', '{"en_US": "Old action"}', id, 'ir_actions_server', 'code' FROM model
), cron AS (
    INSERT INTO ir_cron (ir_actions_server_id, user_id, interval_number, interval_type, nextcall, active, cron_name, priority)
    SELECT id, 1, 1, 'days', now(), true, 'Old job', 5 FROM job
), template AS (
    INSERT INTO mail_template (name, model_id, model, active) SELECT '{"en_US": "Old mail"}', id, 'old.thing', true FROM model
), id AS (
    INSERT INTO ir_model_data (module, name, model, res_id) SELECT 'old_addon', 'model_old_thing', 'ir.model', id FROM model
)
SELECT 1
"""
VIEWS = """
INSERT INTO ir_ui_view (name, model, type, mode, priority, active, arch_db, key) VALUES
    ('broken', 'res.partner', 'form', 'primary', 99, true, '{"en_US": "<form><field name=\\"name\\"></form>"}', NULL),
    ('trees', 'res.partner', 'list', 'primary', 99, true, '{"en_US": "<tree><field name=\\"name\\"/></tree>"}', NULL),
    ('within', 'crm.lead', 'form', 'primary', 99, false, '{"en_US": "<form><field name=\\"x\\"><tree/></field></form>"}', NULL),
    ('lost', 'old.thing', 'form', 'primary', 99, true, '{"en_US": "<form/>"}', NULL),
    ('page', NULL, 'qweb', 'primary', 99, true, '{"en_US": "<t><tree/></t>"}', 'old.page')
"""
OTHERS = """
INSERT INTO ir_act_window (type, binding_type, name, context, res_model, view_mode) VALUES
    ('ir.actions.act_window', 'action', '{"en_US": "Old"}', '{}', 'old.thing', 'list'),
    ('ir.actions.act_window', 'action', '{"en_US": "Partners"}', '{}', 'res.partner', 'tree,form');
INSERT INTO ir_act_report_xml (type, binding_type, name, model, report_type, report_name)
    VALUES ('ir.actions.report', 'report', '{"en_US": "Old"}', 'old.thing', 'qweb-pdf', 'old.report');
INSERT INTO ir_filters (name, sort, model_id, domain, context, active) VALUES ('Old', '[]', 'old.thing', '[]', '{}', true);
INSERT INTO ir_model_data (module, name, model, res_id) VALUES
    ('old_addon', 'gone_tag', 'res.partner.category', 900001),
    ('old_addon', 'gone_field', 'ir.model.fields', 900002),
    ('old_addon', 'gone_nothing', 'res.partner', NULL),
    ('sale', 'gone_team', 'crm.team', 900003),
    ('old_addon', 'lost', 'older.thing', 1),
    ('kartra_2019', 'contact_1', 'res.partner', 1),
    ('crm_acme', 'people.1', 'res.partner', 900004)
"""


def _inspected(
    server: OdooServer, database: str, wanted: WantedSchema | None = None, journal: MemoryJournal | None = None, **kwargs: Any
) -> Inspection:
    api = real_api(server, database, **kwargs)
    try:
        return api.run(inspect(api, wanted), journal)
    finally:
        api.close()


def _plant(server: OdooServer, database: str) -> None:
    for statements in (DEBRIS, *VIEWS.split(";"), *OTHERS.split(";")):
        server.rows(database, statements)


@pytest.fixture(scope="module")
def littered(odoo_server: OdooServer) -> Iterator[str]:
    name = odoo_server.new_database()
    _plant(odoo_server, name)
    yield name
    odoo_server.drop(name)


def _of(found: Inspection, topic: str, name: str = "") -> list[Finding]:
    return [one for one in found.findings if one.topic == topic and name in one.name]


def _ids(server: OdooServer, database: str, query: str) -> list[str]:
    return [str(row["id"]) for row in server.rows(database, query)]


def test_a_clean_database_has_no_debris_and_sets_nothing_off(odoo_server: OdooServer, module_odoo_db: str) -> None:
    found = _inspected(odoo_server, module_odoo_db)
    assert _of(found, "debris") == []
    assert [(one.topic, one.name) for one in found.findings if one.level in {"warning", "blocker"}] == []
    assert (found.edition, found.hides_automations, found.automations, found.required) == ("Odoo 19.0 Community", False, (), {})
    assert found.records == found.schema.record_counts
    assert {"CRM", "Sales", "Calendar"} <= set(_of(found, "apps", "apps")[0].told.replace(",", "").split())


@pytest.mark.parametrize("dialect", ["json2", "xmlrpc"])
def test_everything_that_was_planted_is_found(odoo_server: OdooServer, littered: str, dialect: Dialect) -> None:
    journal = MemoryJournal()
    found = _inspected(odoo_server, littered, journal=journal, dialect=dialect)
    assert sum(count for _, count in journal.spends) == found.requests < 100
    assert journal.attempts == {}

    def named(kind: str) -> str:
        (one,) = (one for one in _of(found, "debris") if one.name.startswith(f"{kind}:"))
        assert one.told[0].isdigit()
        return one.name.removeprefix(f"{kind}: ")

    def numbers(query: str) -> list[str]:
        return _ids(odoo_server, littered, query)

    assert named("ir.model") == "old.thing"
    assert named("ir.model.fields") == "old.thing.colour"
    assert named("ir.model.fields, relation") == "res.partner.old_id"
    (job,) = numbers("SELECT id FROM ir_cron WHERE cron_name = 'Old job'")
    assert named("ir.cron") == f"{job} of old.thing"
    (action,) = numbers("SELECT id FROM ir_act_server WHERE name->>'en_US' = 'Old action'")
    assert named("ir.actions.server") == f"{action} of old.thing"
    assert named("mail.template").endswith(" of old.thing")
    assert named("ir.filters").endswith(" of old.thing")
    assert named("ir.actions.report").endswith(" of old.thing")
    assert named("ir.actions.act_window").endswith(" of old.thing")
    assert named("ir.actions.act_window, view_mode").endswith(" of res.partner")
    (broken,) = numbers("SELECT id FROM ir_ui_view WHERE name = 'broken'")
    assert named("ir.ui.view, arch") == f"{broken} of res.partner"
    assert named("ir.ui.view, model").endswith(" of old.thing")
    trees = numbers("SELECT id FROM ir_ui_view WHERE name IN ('trees', 'within') ORDER BY name")
    assert named("ir.ui.view, <tree>") == f"{trees[0]} of res.partner, {trees[1]} of crm.lead, archived"
    assert named("ir.model.data, model") == "old_addon (older.thing)"
    assert named("ir.model.data, old_addon") == "1 of ir.model.fields, 1 of res.partner, 1 of res.partner.category"
    assert named("ir.model.data, sale") == "1 of crm.team"
    assert named("ir.model.data, add-ons") == "old_addon"
    assert _of(found, "records", "external ids")[0].name == "external ids: kartra_2019", "an import of somebody else's is no debris"
    assert "crm_acme" not in json.dumps([asdict(one) for one in _of(found, "debris")]), "our own are judged elsewhere"
    assert [one.level for one in _of(found, "debris")] == sorted((one.level for one in _of(found, "debris")), reverse=True)


@pytest.mark.parametrize(
    ("arch", "expected"),
    [("<form/>", True), ("<form>", False), ("", False), (False, False), ("text", False), ("<a>&nope;</a>", False)],
)
def test_a_view_is_readable_when_it_is_xml(arch: object, expected: bool) -> None:
    assert is_readable(arch) is expected
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
    assert not is_readable(bomb)


@pytest.fixture(scope="module")
def changed(odoo_server: OdooServer) -> Iterator[Inspection]:
    """What is found in a database in which people worked and other makers' add-ons are installed."""
    name = odoo_server.new_database()
    users = [{"name": "Eve", "login": "eve@example.com", "active": False}, {"name": "Ann", "login": "ann", "email": "ann@example.com"}]
    odoo_server.call(name, "res.users", "create", vals_list=users, context={"no_reset_password": True})
    (model,) = odoo_server.call(name, "ir.model", "search", domain=[["model", "=", "res.partner"]])
    fields = [
        {"name": "x_region", "field_description": "Region", "ttype": "char", "required": True},
        {"name": "x_score", "field_description": "Score", "ttype": "char"},
        {"name": "x_score2", "field_description": "Score", "ttype": "integer"},
        {"name": "x_born", "field_description": "Born", "ttype": "char"},
    ]
    odoo_server.call(name, "ir.model.fields", "create", vals_list=[{"model_id": model, **field} for field in fields])
    odoo_server.rows(name, "UPDATE ir_module_module SET state = 'to upgrade' WHERE name = 'crm_sms'")
    odoo_server.rows(name, "UPDATE ir_module_module SET author = 'Somebody' WHERE name = 'crm'")
    wanted = WantedSchema(fields=(WantedField("people", "Born", "date"), WantedField("people", "Region", "text")))
    yield _inspected(odoo_server, name, wanted)
    odoo_server.drop(name)


def test_fields_that_people_made_and_that_others_require(changed: Inspection) -> None:
    assert changed.required["organizations"] == changed.required["people"] == ("Region",)
    assert "Type" in changed.required["deals"], "what other makers require is told apart from what Odoo does"
    assert set(changed.required) == {"organizations", "people", "deals"}
    told = [(one.level, one.name) for one in _of(changed, "fields")]
    assert ("note", "ir.model.fields") in told
    assert ("warning", "res.partner: x_score, x_score2") in told
    assert ("blocker", "people: Born") in told
    assert ("note", "people: Region") in told
    assert "Custom fields that are there: 4 of res.partner." in [one.told for one in _of(changed, "fields")]


def test_users_and_pending_add_ons(changed: Inspection) -> None:
    assert _of(changed, "seats")[0].told == "Active internal users: 2."
    assert [(one.name, one.told.partition(".")[0]) for one in _of(changed, "users")] == [
        ("res.users.email", "Active users without an e-mail address: 1"),
        ("res.users.active", "Archived users: 1"),
    ]
    assert [one.name for one in _of(changed, "apps") if one.level == "warning"] == ["to upgrade: crm_sms"]
    assert "ir.module.module: crm" in [one.name for one in _of(changed, "apps")]
    assert _of(changed, "debris") == []


def test_rules_and_jobs_that_an_import_sets_off(odoo_server: OdooServer, automated: str) -> None:
    found = _inspected(odoo_server, automated)
    told = {one.name.partition(" (")[2].rstrip(")"): one for one in found.automations}
    assert set(told) == {"Greet", "Late", "Lead assignment", "Mine"}
    assert (told["Greet"].kind, told["Greet"].phases) == ("automation rule", ("organizations", "people"))
    assert told["Greet"].told == "When a record (res.partner) is made or changed, the rule Greet runs a program and changes the record."
    assert told["Late"].phases == ("deals",)
    assert (told["Lead assignment"].kind, told["Lead assignment"].phases) == ("assignment rule", ("deals",))
    assert told["Mine"].kind == "scheduled action"
    assert found.hides_automations is False
    assert len([one for one in _of(found, "automations") if one.level == "warning" and one.todo]) == 4
    assert _of(found, "debris") == []


def test_a_job_that_copies_appointments_to_a_calendar_outside_is_told(odoo_server: OdooServer, automated: str) -> None:
    (job,) = odoo_server.call(automated, "ir.cron", "search", domain=[["name", "=", "Mine"]])
    named = {"module": "google_calendar", "name": "ir_cron_sync_all_cals", "model": "ir.cron", "res_id": job}  # as the app calls its own
    planted = odoo_server.call(automated, "ir.model.data", "create", vals_list=[named])
    found = _inspected(odoo_server, automated)
    odoo_server.call(automated, "ir.model.data", "unlink", ids=planted)
    (told,) = [one for one in found.automations if "Google Calendar" in one.name]
    assert told.phases == ("activities",)
    assert "invites the guests" in told.told
    assert any("Switch it off" in one.todo for one in _of(found, "automations", "Google Calendar"))


@pytest.fixture(scope="module")
def automated(odoo_server: OdooServer) -> Iterator[str]:
    """A database with the app for automation rules, some rules and some jobs."""
    name = odoo_server.new_database()

    def call(model: str, method: str, **arguments: Any) -> Any:
        return odoo_server.call(name, model, method, **arguments)

    call("ir.module.module", "button_immediate_install", ids=call("ir.module.module", "search", domain=[["name", "=", "base_automation"]]))
    models = {row["model"]: row["id"] for row in call("ir.model", "search_read", domain=[], fields=["model"])}
    write = {"model_id": models["res.partner"], "state": "object_write", "update_path": "comment", "value": "Hello", "name": "w"}
    actions = [[0, 0, {"state": "code", "code": "pass", "model_id": models["res.partner"], "name": "c"}], [0, 0, write]]
    (date,) = call("ir.model.fields", "search", domain=[["model", "=", "crm.lead"], ["name", "=", "create_date"]])
    rules = [
        {"name": "Greet", "model_id": models["res.partner"], "trigger": "on_create_or_write", "action_server_ids": actions},
        {"name": "Late", "model_id": models["crm.lead"], "trigger": "on_time", "trg_date_id": date},
        {"name": "Screen", "model_id": models["res.partner"], "trigger": "on_change"},
        {"name": "Elsewhere", "model_id": models["res.country"], "trigger": "on_create"},
        {"name": "Asleep", "model_id": models["res.partner"], "trigger": "on_create", "active": False},
    ]
    call("base.automation", "create", vals_list=rules)
    call("ir.cron", "create", vals_list=[{"name": "Mine", "model_id": models["crm.lead"], "state": "code", "code": "pass"}])
    jobs = "SELECT res_id FROM ir_model_data WHERE model = 'ir.cron' AND module = 'crm'"
    odoo_server.rows(name, f"UPDATE ir_cron SET active = true WHERE id IN ({jobs})")
    odoo_server.rows(name, "UPDATE ir_cron SET nextcall = now() + interval '9 years'")
    yield name
    odoo_server.drop(name)


def test_a_key_that_sees_models_but_no_rules_says_what_it_could_not_read(odoo_server: OdooServer, automated: str) -> None:
    hand_the_key_to(odoo_server, automated, ["base.group_user", "base.group_erp_manager"])
    try:
        found = _inspected(odoo_server, automated)
    finally:
        odoo_server.rows(automated, "UPDATE res_users_apikeys SET user_id = 2")
    assert found.hides_automations is True
    assert "--automations-paused-by" in _of(found, "automations", "base.automation")[0].todo
    (closed,) = (one for one in _of(found, "rights", "could not be read: ") if one.level == "warning")
    assert {"ir.cron", "ir.ui.view", "base.automation"} <= set(closed.name.partition(": ")[2].split(", "))
    assert [one.name for one in _of(found, "debris")] == []


def test_a_key_that_may_not_even_describe_is_told_so(odoo_server: OdooServer, odoo_db: str) -> None:
    hand_the_key_to(odoo_server, odoo_db, ["base.group_user"])
    found = _inspected(odoo_server, odoo_db)
    (described,) = _of(found, "rights", "describe")
    assert (described.level, "external ids" in described.told) == ("blocker", True)
    assert (found.edition, found.hides_automations, found.records) == ("Odoo 19.0", True, {})
    assert _of(found, "debris") == []
    assert len(_of(found, "rights")) == 2


def test_apps_that_are_missing_say_what_has_no_place(odoo_server: OdooServer, module_odoo_db: str) -> None:
    def without_crm(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.startswith(("/json/2/crm.lead", "/json/2/crm.stage")):
            return None
        body = {"name": "werkzeug.exceptions.NotFound", "message": "the model 'crm.lead' does not exist", "arguments": [], "context": {}}
        return httpx.Response(404, json=body, headers={"date": "Sun, 22 Nov 2026 10:00:00 GMT"})

    found = _inspected(odoo_server, module_odoo_db, WantedSchema(counts={"deals": 3}), between=Between(without_crm))
    (crm,) = _of(found, "apps", "crm")
    assert (crm.level, "deals" in crm.told) == ("blocker", True)


def test_a_wrong_key_is_an_error_not_a_finding(odoo_server: OdooServer, module_odoo_db: str) -> None:
    with pytest.raises(SettingsError, match="key"):
        _inspected(odoo_server, module_odoo_db, token="0" * 40)
