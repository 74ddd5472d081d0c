"""The table of Odoo's errors, at the wire of both APIs: each becomes a kind that says what to do and a reason without values."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from crm_pipelines.destinations.odoo.api import Reply
from crm_pipelines.errors import RefusedError, SettingsError
from crm_pipelines_tests.unit.destinations.odoo.odoo_wire import (
    KEY,
    NO_DATABASE,
    SECRET,
    Wire,
    api_of,
    error,
    result,
    xml_fault,
    xml_result,
    xml_trace,
)

FAILED = "The operation cannot be completed: "
MISSING = (
    f"{FAILED}Missing required value for the field 'Stage Name' (name).\nModel: 'CRM Stages' (crm.stage)\n"
    "- create/update: a mandatory field is not set\n- delete: another model requires the record being deleted, you can archive it instead\n"
)
IN_USE = (
    f"{FAILED}Another model is using the record you are trying to delete.\n\nThe troublemaker is: 'Lead' (crm.lead)\n"
    "Thanks to the following constraint: 'Contact' (partner_id)\nHow about archiving the record instead?"
)
GROUPS = (
    "You are not allowed to create 'CRM Stages' (crm.stage) records.\n\nThis operation is allowed for the following groups:\n"
    "\t- Sales/Administrator\n\nContact your administrator to request access if necessary."
)
RULE = (
    f"Uh-oh! Looks like you have stumbled upon some top-secret records.\n\nSorry, {SECRET} (id=7) doesn't have 'write' access to:\n"
    f"- Contact, {SECRET} (res.partner: 14, company={SECRET})"
)
GONE = "Record does not exist or has been deleted.\n(Record: res.partner({},), User: 2)"
LOST_TAG = "Record does not exist or has been deleted.\n(Record: res.partner.category(99999,), User: 2)"
UNIQUE = f"{FAILED}The value for 'x_code' (Code) already exists.\n\nDetail: Key (x_code)=({SECRET}) already exists.\n"
TWICE = f'{FAILED}duplicate key value violates unique constraint "ir_model_data_module_name_uniq_index"\nDETAIL:  Key=({SECRET})\n'
ODOO, WERKZEUG = "odoo.exceptions", "werkzeug.exceptions"

# verb, status, name, message, kind, reason: section 2 of the measured facts, row by row, then what the server's code shows
Row = tuple[str, int, str, str, str, str]
ROWS: list[Row] = [
    ("create", 422, f"{ODOO}.ValidationError", MISSING, "data", "missing_required: name"),
    ("create", 422, f"{ODOO}.ValidationError", f"{FAILED}Contacts require a name", "data", "missing_required: name"),
    ("create", 500, "builtins.ValueError", "Invalid field 'nope' in 'res.partner'", "data", "unknown_field: nope"),
    ("write", 500, "builtins.KeyError", "nope", "data", "unknown_field: nope"),
    ("write", 500, "builtins.KeyError", SECRET, "data", "bad_value"),
    ("write", 500, "builtins.KeyError", SECRET.split()[0], "data", "server_error: KeyError"),
    ("read", 500, "builtins.ValueError", "Invalid field 'nope' on 'res.partner'", "data", "unknown_field: nope"),
    (
        "search_read",
        500,
        "builtins.ValueError",
        f"Invalid field res.partner.nope in condition ('nope', '=', {SECRET!r})",
        "data",
        "unknown_field: res.partner.nope",
    ),
    ("load", 500, "builtins.ValueError", "Invalid field name 'nope'", "data", "unknown_field: nope"),
    ("create", 403, f"{ODOO}.AccessError", GROUPS, "access", "not_allowed: crm.stage"),
    ("write", 403, f"{ODOO}.AccessError", RULE, "access", "not_allowed: res.partner"),
    (
        "_search",
        403,
        f"{ODOO}.AccessError",
        "Private methods (such as 'res.partner._search') cannot be called remotely.",
        "access",
        "private_method: res.partner._search",
    ),
    (
        "search",
        404,
        f"{WERKZEUG}.NotFound",
        "the model 'sale.subscription' does not exist",
        "unknown_model",
        "unknown_model: sale.subscription",
    ),
    (
        "nope",
        404,
        f"{WERKZEUG}.NotFound",
        "The method 'res.partner.nope' does not exist",
        "unknown_method",
        "unknown_method: res.partner.nope",
    ),
    ("write", 422, f"{WERKZEUG}.UnprocessableEntity", "missing a required argument: 'vals'", "unknown_method", "missing_argument: vals"),
    ("write", 422, f"{WERKZEUG}.UnprocessableEntity", "got an unexpected keyword argument 'x'", "unknown_method", "unknown_argument: x"),
    (
        "create",
        422,
        f"{WERKZEUG}.UnprocessableEntity",
        "cannot call res.partner.create with ids",
        "unknown_method",
        "takes_no_ids: res.partner.create",
    ),
    ("create", 500, "builtins.ValueError", f"Wrong value for crm.lead.type: {SECRET!r}", "data", "unknown_option: type"),
    (
        "create",
        500,
        "builtins.ValueError",
        f"Wrong value for res.partner.x_gdpr_status: {SECRET!r}",
        "data",
        "unknown_option: x_gdpr_status",
    ),
    ("create", 500, "builtins.ValueError", f"time data {SECRET!r} does not match format '%Y-%m-%d %H:%M:%S'", "data", "bad_date"),
    ("create", 500, "builtins.ValueError", f"unconverted data remains: {SECRET}", "data", "bad_date"),
    ("create", 500, "psycopg2.errors.NumericValueOutOfRange", "integer out of range\n", "data", "integer_out_of_range"),
    ("create", 422, f"{ODOO}.ValidationError", IN_USE, "data", "link_not_found: partner_id"),
    ("unlink", 422, f"{ODOO}.ValidationError", IN_USE, "data", "in_use: partner_id"),
    ("create", 404, f"{ODOO}.MissingError", LOST_TAG, "data", "link_not_found: res.partner.category"),
    ("write", 404, f"{ODOO}.MissingError", LOST_TAG, "data", "link_not_found: res.partner.category"),
    ("write", 404, f"{ODOO}.MissingError", GONE.format(999), "gone", "gone: res.partner"),
    ("unlink", 404, f"{ODOO}.MissingError", GONE.format(999), "gone", "gone: res.partner"),
    ("write", 422, f"{ODOO}.ValidationError", "You cannot create recursive Partner hierarchies.", "data", "recursive"),
    ("create", 422, f"{ODOO}.ValidationError", f"{FAILED}You can not have two users with the same login!", "data", "duplicate: login"),
    ("create", 422, f"{ODOO}.ValidationError", UNIQUE, "data", "duplicate: x_code"),
    ("create", 422, f"{ODOO}.ValidationError", TWICE, "data", "duplicate: ir_model_data_module_name_uniq_index"),
    ("create", 422, f"{ODOO}.ValidationError", "External IDs cannot contain spaces", "data", "bad_external_id"),
    ("create", 422, f"{ODOO}.ValidationError", f"The name {SECRET} is not allowed here", "data", "refused_by_rule: res.partner"),
    ("create", 422, f"{ODOO}.UserError", "You cannot create a move already in the posted state. Please ...", "data", "posted_at_creation"),
    (
        "unlink",
        422,
        f"{ODOO}.UserError",
        "You can not delete a sent quotation or a confirmed sales order.",
        "data",
        "not_deletable: res.partner",
    ),
    ("unlink", 422, f"{ODOO}.UserError", "The partner cannot be deleted because it is used in Accounting", "data", "in_use: account.move"),
    (
        "unlink",
        500,
        f"{ODOO}.RedirectWarning",
        f"You cannot delete contacts linked to an active user.\n{SECRET}",
        "data",
        "in_use: res.users",
    ),
    ("create", 400, f"{WERKZEUG}.BadRequest", f"could not parse the body as json: {SECRET}", "data", "bad_body"),
    ("create", 413, f"{WERKZEUG}.RequestEntityTooLarge", "The data value transmitted exceeds the capacity limit.", "data", "too_large"),
    ("create", 500, "builtins.ValueError", "A string literal cannot contain NUL (0x00) characters.", "data", "bad_character"),
    ("create", 500, "builtins.ValueError", f"could not convert string to float: {SECRET!r}", "data", "bad_number"),
    ("create", 500, "builtins.ValueError", f"invalid literal for int() with base 10: {SECRET!r}", "data", "bad_integer"),
    ("create", 500, "builtins.ValueError", SECRET, "data", "bad_value"),
    ("create", 500, "builtins.TypeError", f"{SECRET} is not iterable", "data", "bad_value"),
    ("create", 500, "builtins.Exception", "CPU time limit exceeded.", "data", "took_too_long"),
    ("create", 500, "some.module.OddError", SECRET, "data", "server_error: OddError"),
    ("create", 500, f"{SECRET}!", SECRET, "data", "server_error: unknown"),
]


def _ask(wire: Wire, verb: str, dialect: Any = None) -> Reply:
    api = api_of(wire, dialect=dialect)
    arguments: dict[str, Any] = (
        {"vals": {"nope": SECRET}} if verb == "write" else {"vals_list": [{"name": SECRET}]} if verb == "create" else {}
    )
    ids = [3] if verb in {"write", "unlink", "read"} else None
    try:
        return api.run(api.ask("people.test", "res.partner", verb, ids=ids, writes=verb not in {"read", "search_read"}, **arguments))
    finally:
        api.close()


def _holds_nothing(*texts: str) -> None:
    for text in texts:
        assert SECRET not in text
        assert SECRET.split()[0] not in text
        assert "Traceback" not in text
        assert "/opt/odoo" not in text
        assert KEY not in text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[5]}")
def test_json2_error_becomes_kind_and_reason(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    verb, status, name, message, kind, reason = row
    wire = Wire(error(status, name, message))
    with caplog.at_level(logging.DEBUG):
        reply = _ask(wire, verb)
    assert reply.fault is not None
    assert (reply.fault.kind, reply.fault.reason) == (kind, reason)
    assert len(wire.requests) == 2, "a refusal is not repeated, whatever its status"
    _holds_nothing(repr(reply), caplog.text)


def _as_xml(name: str, message: str) -> httpx.Response:
    """How addons/rpc tells the same exception by XML-RPC."""
    short = name.rpartition(".")[2]
    if short == "AccessError":
        return xml_fault(4, message)
    if short == "RedirectWarning":
        return xml_fault(2, str((message, {"res_id": 2}, "Go to users", None)))
    if name.startswith(ODOO):
        return xml_fault(2, message)
    if short == "KeyError":
        message = repr(message)
    return xml_trace(f"{name.removeprefix('builtins.')}: {message}")


@pytest.mark.parametrize("row", [row for row in ROWS if not row[2].startswith(WERKZEUG)], ids=lambda row: f"{row[0]}-{row[5]}")
def test_xmlrpc_fault_becomes_the_same_kind_and_reason(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    verb, _, name, message, kind, reason = row
    wire = Wire(xml_result(2), _as_xml(name, message))
    with caplog.at_level(logging.DEBUG):
        reply = _ask(wire, verb, "xmlrpc")
    assert reply.fault is not None
    assert (reply.fault.kind, reply.fault.reason) == (kind, reason)
    assert len(wire.requests) == 3
    _holds_nothing(repr(reply), caplog.text)


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (xml_fault(2, "Object sale.subscription doesn't exist"), "unknown_model", "unknown_model: sale.subscription"),
        (
            xml_trace("AttributeError: The method 'res.partner.nope' does not exist"),
            "unknown_method",
            "unknown_method: res.partner.nope",
        ),
        (xml_trace("AttributeError: type object 'res.partner' has no attribute 'nope'"), "unknown_method", "unknown_method: res.partner"),
        (xml_trace("TypeError: Model.write() missing 1 required positional argument: 'vals'"), "unknown_method", "missing_argument"),
        (xml_fault(1, SECRET), "data", "server_error: unknown"),
        (xml_trace("OverflowError: int exceeds XML-RPC limits"), "data", "answer_is_no_xml"),
    ],
)
def test_faults_that_only_xmlrpc_knows(answer: httpx.Response, kind: str, reason: str) -> None:
    reply = _ask(Wire(xml_result(2), answer), "read", "xmlrpc")
    assert reply.fault is not None
    assert (reply.fault.kind, reply.fault.reason) == (kind, reason)
    _holds_nothing(repr(reply))


@pytest.mark.parametrize(
    ("dialect", "answer"),
    [
        (None, error(401, f"{WERKZEUG}.Unauthorized", "Invalid apikey")),
        (None, error(401, f"{WERKZEUG}.Unauthorized", "User not authenticated, use an API Key with a Bearer Authorization header.")),
        ("xmlrpc", xml_fault(3, "Access Denied")),
    ],
)
def test_a_key_that_is_not_accepted_names_its_variable_and_stops_everything(dialect: Any, answer: httpx.Response) -> None:
    wire = Wire(*([xml_result(2)] if dialect else []), answer)
    api = api_of(wire, dialect=dialect)
    try:
        for _ in range(2):
            with pytest.raises(SettingsError, match=r"ACME_KEY.*make a new one") as caught:
                api.run(api.ask("people.list", "res.partner", "search", domain=[]))
            _holds_nothing(str(caught.value))
        assert len(wire.requests) == 2 + bool(dialect), "nothing more is sent with a key that is refused"
    finally:
        api.close()


@pytest.mark.parametrize(
    ("dialect", "answer"),
    [
        (None, NO_DATABASE),
        (
            "xmlrpc",
            xml_trace('psycopg2.OperationalError: connection to server at "127.0.0.1" failed: FATAL:  database "acme" does not exist\n'),
        ),
    ],
)
def test_a_database_that_is_not_there_is_named(dialect: Any, answer: httpx.Response) -> None:
    wire = Wire(*([xml_result(2)] if dialect else []), answer)
    with pytest.raises(SettingsError, match=r"account\.database: the server has no database 'acme'"):
        _ask(wire, "create", dialect)


@pytest.mark.parametrize(
    ("answer", "wanted", "says"),
    [
        (error(403, f"{ODOO}.AccessError", GROUPS), SettingsError, "not_allowed: crm.stage.*give the key's user the group"),
        (
            error(404, f"{WERKZEUG}.NotFound", "the model 'crm.lead' does not exist"),
            SettingsError,
            "unknown_model: crm.lead.*install the app",
        ),
        (error(422, f"{ODOO}.ValidationError", MISSING), RefusedError, "missing_required: name"),
    ],
)
def test_call_says_what_to_do_next(answer: httpx.Response, wanted: type[Exception], says: str) -> None:
    api = api_of(Wire(answer))
    try:
        with pytest.raises(wanted, match=says) as caught:
            api.run(api.call("prepare.stage", "crm.stage", "create", vals_list=[{"sequence": 1}], writes=True))
        _holds_nothing(str(caught.value), repr(caught.value.__cause__))
    finally:
        api.close()


def test_a_result_is_no_fault() -> None:
    assert _ask(Wire(result([7])), "create").data == [7]
    assert _ask(Wire(xml_result(2), xml_result([7])), "create", "xmlrpc").data == [7]
