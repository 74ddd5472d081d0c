"""Calls to Odoo: which API is spoken, what may be sent twice, what is unknown, and what a real server makes of both dialects."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from crm_pipelines.destinations.odoo.api import CONTEXT, Api, Dialect, Reply
from crm_pipelines.destinations.odoo.xmlrpc import dumped, loaded
from crm_pipelines.errors import OutcomeUnknown, SettingsError, TransientError
from crm_pipelines.settings import AccountSettings
from crm_pipelines_tests.lib.odoo import OdooServer
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
from crm_pipelines_tests.unit.destinations.odoo.odoo_wire import (
    ACCOUNT,
    KEY,
    QUICK,
    SECRET,
    VERSION_19,
    Step,
    Wire,
    api_of,
    error,
    result,
    xml_call,
    xml_fault,
    xml_result,
    xml_trace,
)

VERSION_18 = xml_result(
    {"server_version": "18.0", "server_version_info": [18, 0, 0, "final", 0, ""], "server_serie": "18.0", "protocol_version": 1}
)
VERSION_SAAS = xml_result({"server_version": "saas~18.4", "server_version_info": ["saas~18", 4, 0, "final", 0, "e"], "protocol_version": 1})
NO_SUCH_PAGE = httpx.Response(404, headers={"content-type": "text/html"}, text="<h1>Not Found</h1>")
TO_HTTPS = httpx.Response(301, headers={"location": "https://odoo.example.com/"}, text="<h1>Moved</h1>")
SOME_SITE = httpx.Response(200, headers={"content-type": "text/html"}, text="<h1>Welcome</h1>")
GATEWAY = httpx.Response(502, headers={"content-type": "text/html"}, text="<h1>Bad Gateway</h1>")
MAINTENANCE = httpx.Response(503, headers={"retry-after": "0.01"}, text="back soon")
TOO_MANY = httpx.Response(429, headers={"retry-after": "0.01"}, text="slow down")
BUSY = error(500, "psycopg2.errors.SerializationFailure", "could not serialize access due to concurrent update")
DEADLOCK = error(500, "psycopg2.errors.DeadlockDetected", "deadlock detected")
LOCKED = error(409, "odoo.exceptions.LockError", "Cannot grab a lock on records")
AWAY = error(500, "psycopg2.OperationalError", "server closed the connection unexpectedly")
TOO_LARGE = httpx.Response(413, headers={"content-type": "text/html"}, text="<h1>413 Request Entity Too Large</h1>")


def _with(api: Api, work: Callable[[Api], Any]) -> Any:
    try:
        return api.run(work(api))
    finally:
        api.close()


def _create(api: Api, attempt_id: int | None = 7) -> Any:
    return api.ask("people.create", "res.partner", "create", vals_list=[{"name": SECRET}], writes=True, attempt_id=attempt_id)


def _read(api: Api) -> Any:
    return api.ask("list.people", "res.partner", "read", ids=[3], fields=["name"])


# Which API


def test_19_speaks_json2_with_key_database_and_a_context_that_keeps_odoo_quiet() -> None:
    wire = Wire(result([7]))
    api = api_of(wire)
    reply = _with(api, lambda a: a.ask("x", "res.partner", "write", ids=[3], vals={"name": "A"}, context={"lang": "de_DE"}, writes=True))
    request = wire.requests[1]
    assert (reply.data, api.version, api.dialect) == ([7], (19, 0), "json2")
    assert request.url.path == "/json/2/res.partner/write"
    assert request.headers["authorization"] == f"bearer {KEY}"
    assert request.headers["x-odoo-database"] == "acme"
    assert orjson.loads(request.content) == {"ids": [3], "vals": {"name": "A"}, "context": {**CONTEXT, "lang": "de_DE"}}
    assert CONTEXT["tz"] == "UTC"
    assert CONTEXT["tracking_disable"] is True


@pytest.mark.parametrize(("told", "version"), [(VERSION_18, (18, 0)), (VERSION_SAAS, (18, 4))])
@pytest.mark.parametrize("unknown", [NO_SUCH_PAGE, TO_HTTPS, SOME_SITE])
def test_18_and_earlier_speak_xmlrpc_with_the_user_that_login_and_key_name(told: Step, version: tuple[int, int], unknown: Step) -> None:
    wire = Wire(told, xml_result(5), xml_result([7]), version=unknown)
    api = api_of(wire)
    reply = _with(api, _create)
    assert (reply.data, api.version, api.dialect) == ([7], version, "xmlrpc")
    assert xml_call(wire.requests[1]) == ()
    assert xml_call(wire.requests[2]) == ("acme", "etl@example.com", KEY, {})
    context = {"context": dict(CONTEXT)}
    assert xml_call(wire.requests[3]) == ("acme", 5, KEY, "res.partner", "create", [[{"name": SECRET}]], context)
    assert wire.requests[3].headers["content-type"] == "text/xml"
    assert "authorization" not in wire.requests[3].headers


def test_the_version_is_asked_for_once_however_many_call_at_once() -> None:
    wire = Wire(result([]))

    async def together(api: Api) -> None:
        await asyncio.gather(*(_read(api) for _ in range(5)))

    _with(api_of(wire), together)
    assert [r.url.path for r in wire.requests].count("/web/version") == 1
    assert len(wire.requests) == 6


@pytest.mark.parametrize(("lacking", "name"), [({"login": ""}, "login"), ({"database": ""}, "database")])
def test_18_without_login_or_database_says_what_to_add(lacking: dict[str, str], name: str) -> None:
    wire = Wire(VERSION_18, version=NO_SUCH_PAGE)
    with pytest.raises(SettingsError, match=rf"account\.{name}: Odoo 18 and earlier"):
        _with(api_of(wire, replace(ACCOUNT, **lacking)), _read)  # type: ignore[arg-type]
    assert len(wire.requests) == 2, "no key is sent"


def test_18_answers_a_wrong_key_with_false() -> None:
    with pytest.raises(SettingsError, match="ACME_KEY"):
        _with(api_of(Wire(VERSION_18, xml_result(False), version=NO_SUCH_PAGE)), _read)


@pytest.mark.parametrize("answer", [SOME_SITE, NO_SUCH_PAGE, TO_HTTPS, xml_result("hello")])
def test_an_address_that_is_no_odoo_is_said_so(answer: Step) -> None:
    with pytest.raises(SettingsError, match=r"account\.base_url: odoo\.example\.com answers .* but not as Odoo's API does"):
        _with(api_of(Wire(answer, version=NO_SUCH_PAGE)), _read)


@pytest.mark.parametrize(
    ("base_url", "root"),
    [
        ("https://acme.odoo.com/odoo/contacts?x=1", "https://acme.odoo.com"),
        ("https://example.com/erp/web#menu", "https://example.com/erp"),
        ("https://example.com/webshop/", "https://example.com/webshop"),
        ("http://127.0.0.1:8069", "http://127.0.0.1:8069"),
    ],
)
def test_an_address_copied_from_the_browser_is_cut_to_its_root(base_url: str, root: str) -> None:
    assert api_of(Wire(), replace(ACCOUNT, base_url=base_url)).http.dialect.base_url == root


@pytest.mark.parametrize("base_url", ["http://odoo.example.com", "odoo.example.com", "ftp://odoo.example.com", "https://[::1"])
def test_a_key_is_never_sent_in_the_clear(base_url: str) -> None:
    with pytest.raises(SettingsError, match=r"account\.base_url"):
        api_of(Wire(), replace(ACCOUNT, base_url=base_url))


# What may be sent twice


@pytest.mark.parametrize(
    "step", [httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ConnectError, GATEWAY, MAINTENANCE, BUSY, AWAY, SOME_SITE]
)
def test_a_read_is_sent_again(step: Step) -> None:
    wire = Wire(step, result([{"id": 3}]))
    assert _with(api_of(wire), _read).data == [{"id": 3}]
    assert len(wire.requests) == 3


@pytest.mark.parametrize("step", [httpx.ConnectError, MAINTENANCE, TOO_MANY, BUSY, DEADLOCK, LOCKED])
def test_a_write_that_provably_did_not_happen_is_sent_again(step: Step) -> None:
    wire = Wire(step, result([7]))
    api = Api(ACCOUNT, transport=lambda: httpx.MockTransport(wire), patience=replace(QUICK, longest_wait_s=0.002))
    assert _with(api, _create).data == [7]
    assert len(wire.requests) == 3


@pytest.mark.parametrize("dialect", ["json2", "xmlrpc"])
@pytest.mark.parametrize("step", [httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError, GATEWAY, SOME_SITE])
def test_a_write_that_may_have_happened_is_unknown_and_never_sent_again(step: Step, dialect: Dialect) -> None:
    login = [xml_result(2)] if dialect == "xmlrpc" else []
    wire = Wire(*login, step, result([7]))
    with pytest.raises(OutcomeUnknown) as caught:
        _with(api_of(wire, dialect=dialect), _create)
    assert len(wire.requests) == 2 + len(login)
    assert SECRET not in str(caught.value)


def test_a_database_that_failed_while_it_committed_leaves_the_outcome_unknown() -> None:
    wire = Wire(AWAY, result([7]))
    with pytest.raises(OutcomeUnknown):
        _with(api_of(wire), _create)
    assert len(wire.requests) == 2


def test_rows_that_stay_locked_are_said_to_be_busy() -> None:
    api = api_of(Wire(BUSY))
    reply = _with(api, _create)
    assert reply.fault is not None
    assert (reply.fault.kind, reply.fault.reason) == ("busy", "busy")
    with pytest.raises(TransientError):
        _with(api_of(Wire(LOCKED)), lambda a: a.call("people.update", "res.partner", "write", ids=[1], vals={}, writes=True))


def test_a_body_that_a_proxy_finds_too_large_can_be_cut() -> None:
    reply = _with(api_of(Wire(TOO_LARGE)), _create)
    assert reply.fault is not None
    assert (reply.fault.kind, reply.fault.reason) == ("data", "too_large")


# XML-RPC


def test_a_method_that_returns_none_was_done_though_xmlrpc_cannot_say_so() -> None:
    answer = xml_trace("TypeError: cannot marshal None unless allow_none is enabled")
    assert _with(api_of(Wire(xml_result(2), answer), dialect="xmlrpc"), _create) == Reply()


def test_a_write_whose_answer_xml_cannot_carry_is_unknown() -> None:
    with pytest.raises(OutcomeUnknown):
        _with(api_of(Wire(xml_result(2), xml_trace("OverflowError: int exceeds XML-RPC limits")), dialect="xmlrpc"), _create)


def test_values_of_json_travel_in_xml() -> None:
    params = ({"none": None, "big": 2**40, "low": -(2**31), "text": "a\r\nb <&> ü", "list": [1, [True]], "rate": 1.25},)
    assert loaded(dumped("x", params).replace(b"methodCall", b"methodResponse").replace(b"<methodName>x</methodName>", b"")) == params[0]


def test_a_text_that_xml_cannot_carry_never_leaves() -> None:
    for text in ("a\x00b", "a\x1fb", "a\ud800b"):
        wire = Wire(xml_result(2), xml_result([7]))
        reply = _with(
            api_of(wire, dialect="xmlrpc"),
            lambda a, t=text: a.ask("x", "res.partner", "create", vals_list=[{"name": t}], writes=True),  # type: ignore[misc]
        )
        assert reply.fault is not None
        assert (reply.fault.kind, reply.fault.reason) == ("data", "bad_character")
        assert len(wire.requests) == 2
    reply = _with(api_of(Wire(result([7]))), lambda a: a.ask("x", "res.partner", "create", vals_list=[{"name": "\ud800"}], writes=True))
    assert reply.fault is not None
    assert reply.fault.reason == "bad_character"


BOMB = """<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<methodResponse><params><param><value><string>&b;</string></value></param></params></methodResponse>"""


def test_entities_of_an_answer_are_never_expanded() -> None:
    with pytest.raises(ValueError, match="document type"):
        loaded(BOMB.encode())
    with pytest.raises(ValueError, match="document type"):
        loaded(BOMB.replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16"))
    with pytest.raises(OutcomeUnknown):
        _with(api_of(Wire(xml_result(2), httpx.Response(200, text=BOMB)), dialect="xmlrpc"), _create)


# What is counted, and what is said


def test_every_request_is_counted_by_its_operation() -> None:
    journal = MemoryJournal()
    answer = httpx.Response(200, headers={"date": "Sun, 22 Nov 2026 07:00:00 GMT"}, json=[])
    api = api_of(Wire(answer))

    async def work() -> None:
        await _read(api)
        await _read(api)
        await _create(api)
        await _create(api, None)

    try:
        api.run(work(), journal)
    finally:
        api.close()
    assert dict(journal.spends) == {"read.version": 1, "list.people": 2, "people.create": 2}
    assert journal.clock_offset_s is not None


@pytest.mark.parametrize("dialect", ["json2", "xmlrpc"])
def test_no_log_holds_a_value_or_the_key(dialect: Dialect, caplog: pytest.LogCaptureFixture) -> None:
    login = [xml_result(2)] if dialect == "xmlrpc" else []
    refused = xml_fault(2, SECRET) if login else error(422, "odoo.exceptions.ValidationError", SECRET)
    api = api_of(Wire(*login, httpx.ConnectError, refused), dialect=dialect)
    with caplog.at_level(logging.DEBUG):
        reply = _with(api, _create)
    assert caplog.records
    for text in (caplog.text, repr(reply), repr(api.account)):
        assert SECRET not in text
        assert KEY not in text


def test_pages_go_on_after_the_last_id() -> None:
    wire = Wire(result([{"id": 4}, {"id": 9}]), result([{"id": 12}]))
    rows = _with(api_of(wire), lambda a: a.search_read("list.people", "res.partner", [["active", "=", True]], ["id"], page=2))
    assert [row["id"] for row in rows] == [4, 9, 12]
    asked = [orjson.loads(request.content) for request in wire.requests[1:]]
    assert [one["domain"] for one in asked] == [[["active", "=", True]], [["active", "=", True], ["id", ">", 9]]]
    assert all(one["order"] == "id" and "offset" not in one for one in asked)


# A real server, both dialects

DIALECTS: list[Dialect] = ["json2", "xmlrpc"]


@pytest.fixture(params=DIALECTS)
def real(request: pytest.FixtureRequest, odoo_server: OdooServer, module_odoo_db: str) -> Iterator[Api]:
    account = AccountSettings(
        name="acme",
        destination="odoo",
        base_url=odoo_server.base_url,
        token=odoo_server.api_key,
        token_env="CRM_TEST_ODOO_KEY",
        database=module_odoo_db,
        login="admin",
        prefix="crm_acme",
    )
    api = Api(account, dialect=request.param)
    yield api
    api.close()


REAL: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("crm.stage", "create", {"vals_list": [{"sequence": 1}]}, "data", "missing_required: name"),
    ("res.partner", "create", {"vals_list": [{"email": "a@example.com"}]}, "data", "missing_required: name"),
    ("res.partner", "create", {"vals_list": [{"nope": 1}]}, "data", "unknown_field: nope"),
    ("res.partner", "write", {"ids": [3], "vals": {"nope": 1}}, "data", "unknown_field: nope"),
    ("res.partner", "read", {"ids": [3], "fields": ["nope"]}, "data", "unknown_field: nope"),
    ("res.partner", "search_read", {"domain": [["nope", "=", 1]], "fields": []}, "data", "unknown_field: res.partner.nope"),
    ("res.partner", "load", {"fields": ["id", "nope"], "data": [["crm_t.a", "b"]]}, "data", "unknown_field: nope"),
    ("res.partner", "_search", {"domain": []}, "access", "private_method: res.partner._search"),
    ("sale.subscription", "search", {"domain": []}, "unknown_model", "unknown_model: sale.subscription"),
    ("res.partner", "nope", {"ids": []}, "unknown_method", "unknown_method: res.partner.nope"),
    ("crm.lead", "create", {"vals_list": [{"name": "x", "type": SECRET}]}, "data", "unknown_option: type"),
    ("crm.lead", "create", {"vals_list": [{"name": "x", "date_deadline": SECRET}]}, "data", "bad_date"),
    ("crm.lead", "create", {"vals_list": [{"name": "x", "date_closed": "2025-01-02T03:04:05Z"}]}, "data", "bad_date"),
    ("crm.lead", "create", {"vals_list": [{"name": "x", "color": 2**40}]}, "data", "integer_out_of_range"),
    ("crm.lead", "create", {"vals_list": [{"name": "x", "color": SECRET}]}, "data", "bad_integer"),
    ("crm.lead", "create", {"vals_list": [{"name": "x", "expected_revenue": SECRET}]}, "data", "bad_number"),
    ("crm.lead", "create", {"vals_list": [{"name": "x", "partner_id": 999_999}]}, "data", "link_not_found: partner_id"),
    (
        "res.partner",
        "create",
        {"vals_list": [{"name": "x", "category_id": [[6, 0, [9999]]]}]},
        "data",
        "link_not_found: res.partner.category",
    ),
    ("res.partner", "write", {"ids": [999_999], "vals": {"name": SECRET}}, "gone", "gone: res.partner"),
    ("res.partner", "unlink", {"ids": [3]}, "data", "in_use: res.users"),
    ("res.partner", "write", {"ids": [3], "vals": {"parent_id": 3}}, "data", "recursive"),
    ("res.partner", "create", {"vals_list": [{"name": "a\x00b"}]}, "data", "bad_character"),
    ("res.users", "create", {"vals_list": [{"name": "x", "login": "admin"}]}, "data", "duplicate: login"),
    ("account.move", "create", {"vals_list": [{"state": "posted", "move_type": "out_invoice"}]}, "data", "posted_at_creation"),
    (
        "ir.model.data",
        "create",
        {"vals_list": [{"module": "crm_t", "name": "a b", "model": "res.partner", "res_id": 3}]},
        "data",
        "bad_external_id",
    ),
    (
        "ir.model.data",
        "create",
        {"vals_list": [{"module": "base", "name": "main_partner", "model": "res.partner", "res_id": 3}]},
        "data",
        "duplicate: ir_model_data_module_name_uniq_index",
    ),
]


@pytest.mark.odoo
def test_a_real_server_is_understood_in_both_dialects(real: Api, caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> list[Reply]:
        return [await real.ask("x", model, method, writes=True, **arguments) for model, method, arguments, _, _ in REAL]

    with caplog.at_level(logging.DEBUG):
        replies = real.run(work())
    got = [(r.fault.kind, r.fault.reason) if r.fault else r.data for r in replies]
    assert got == [(kind, reason) for _, _, _, kind, reason in REAL]
    assert SECRET not in caplog.text + repr(replies)


@pytest.mark.odoo
def test_a_real_server_keeps_what_it_is_sent_and_writes_to_nobody(real: Api) -> None:
    name = 'Zoë <&> \r\n"O\'Neil" 日本'

    async def work() -> Any:
        (number,) = await real.call("x", "res.partner", "create", vals_list=[{"name": name, "ref": None, "comment": False}], writes=True)
        read = await real.call("x", "res.partner", "read", ids=[number], fields=["name", "ref", "message_ids", "message_follower_ids"])
        may = await real.call("x", "res.partner", "has_access", ids=[], operation="create")
        return read, may

    (row,), may = real.run(work())
    assert (row["name"], row["ref"], row["message_ids"], row["message_follower_ids"], may) == (name, False, [], [], True)


@pytest.mark.odoo
def test_a_real_server_pages_by_id_while_records_go_away(real: Api) -> None:
    async def work() -> tuple[list[int], list[int]]:
        rows = [{"name": f"P{n}", "ref": "paged"} for n in range(7)]
        made = await real.call("x", "res.partner", "create", vals_list=rows, writes=True)
        found = await real.search_read("x", "res.partner", [["ref", "=", "paged"]], ["name"], page=3)
        await real.call("x", "res.partner", "unlink", ids=made, writes=True)
        return made, [row["id"] for row in found]

    made, found = real.run(work())
    assert found == made


@pytest.mark.odoo
def test_a_real_server_says_so_when_key_or_database_is_wrong(real: Api) -> None:
    for wrong, says in (({"token": "0" * 40}, "CRM_TEST_ODOO_KEY"), ({"database": "t_no_such_database"}, r"account\.database")):
        api = Api(replace(real.account, **wrong), dialect=real._forced)  # type: ignore[arg-type]
        with pytest.raises(SettingsError, match=says):
            _with(api, _read)


def test_the_version_stays_unknown_until_it_was_asked_for() -> None:
    with pytest.raises(TransientError):
        _ = api_of(Wire(version=VERSION_19)).version
