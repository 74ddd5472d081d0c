"""What Odoo's errors mean: a kind that says what to do, and a reason that holds no field value.

Belongs here: exception names and texts, each as it was seen. Not here: how they travel (json2, xmlrpc), what is repeated
(destinations.http).

Judged by the exception's name, never by the status: a 500 is mostly a value that the ORM did not like. A word of the
server's text enters a reason only where the text's fixed part says that it is the name of a field or model, or where it is a
name that we sent; server tracebacks are never looked at beyond the name of the exception. Source: the error pages of a real
19.0 server, orm/models.py, service/model.py and addons/rpc of 19.0, read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from crm_pipelines.destinations.call import Call

Kind = Literal["data", "access", "unknown_model", "unknown_method", "gone", "auth", "database", "busy"]


@dataclass(frozen=True, slots=True)
class Fault:
    """The server's no."""

    kind: Kind
    name: str
    """The server's exception, e.g. `builtins.ValueError`."""
    reason: str
    """A code, then names of fields or models; never a value."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a method returned, or why it did not."""

    data: Any = field(default=None, repr=False)
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Asked(Call):
    """A call with what its errors are read against."""

    model: str = ""
    verb: str = ""
    names: frozenset[str] = frozenset()
    """Names of fields that it carries."""


_Say = Callable[[re.Match[str], Asked], str]


@dataclass(frozen=True, slots=True)
class _Rule:
    """The first rule whose name and text fit decides."""

    names: str
    """Regular expression over the exception's name, without its module."""
    text: str
    """Regular expression over the start of the message."""
    kind: Kind
    say: str | _Say
    """A code; a group of the text follows it."""


_FAILED = r"(?:The operation cannot be completed: ?\n?)?"
_WORD = r"([A-Za-z_][A-Za-z0-9_.]{0,62})"


_MISSING = r"Record does not exist or has been deleted\.\s*\(Record: "
_BAD_DATE = r"time data |unconverted data remains|Invalid isoformat|day is out of range|month must be|year \d+ is"


def _key(found: re.Match[str], asked: Asked) -> str:
    """`KeyError` says only its key, which may be anything."""
    key = found.group(1)
    return f"unknown_field: {key}" if key in asked.names else "server_error: KeyError"


def _link(found: re.Match[str], asked: Asked) -> str:
    """The text speaks of deleting, whatever was asked."""
    code = "in_use" if asked.verb == "unlink" else "link_not_found"
    return f"{code}: {found.group(1)}"


def _of_model(code: str) -> _Say:
    return lambda _found, asked: f"{code}: {asked.model}" if asked.model else code


RULES: tuple[_Rule, ...] = (
    # Access and addresses
    _Rule("Unauthorized|AccessDenied", "", "auth", "not_authenticated"),
    _Rule("AccessError", r"Private methods \(such as '" + _WORD + r"'", "access", "private_method"),
    _Rule("AccessError", r"You are not allowed to \w+ '[^'\n]*' \(" + _WORD + r"\) records", "access", "not_allowed"),
    _Rule("AccessError|Forbidden", "", "access", _of_model("not_allowed")),
    _Rule("OperationalError", r'.*database ".*" does not exist', "database", "unknown_database"),
    _Rule("NotFound", r"the model '" + _WORD + "'", "unknown_model", "unknown_model"),
    _Rule("UserError", "Object " + _WORD + " doesn't exist", "unknown_model", "unknown_model"),
    _Rule("NotFound|AttributeError", r"The method '" + _WORD + "' does not exist", "unknown_method", "unknown_method"),
    _Rule("AttributeError", r"type object '" + _WORD + "' has no attribute", "unknown_method", "unknown_method"),  # 17 and earlier
    _Rule("UnprocessableEntity|TypeError", r".*missing a required argument: '" + _WORD + "'", "unknown_method", "missing_argument"),
    _Rule("UnprocessableEntity|TypeError", r".*unexpected keyword argument '" + _WORD + "'", "unknown_method", "unknown_argument"),
    _Rule("TypeError", r".*missing \d+ required positional argument", "unknown_method", "missing_argument"),
    _Rule("UnprocessableEntity", "cannot call " + _WORD + " with ids", "unknown_method", "takes_no_ids"),
    # Nothing was applied, and the same request may pass later
    _Rule("SerializationFailure|DeadlockDetected|LockNotAvailable|TransactionRollbackError|ConcurrencyError|LockError", "", "busy", "busy"),
    _Rule("UserError", "Cannot grab a lock on records", "busy", "busy"),
    _Rule("PoolError", "", "busy", "busy"),
    # Records
    _Rule("MissingError", _MISSING + _WORD + r"\(", "gone", "gone"),
    _Rule("MissingError", "", "gone", _of_model("gone")),
    # Values
    _Rule("", _FAILED + r"Missing required value for the field '[^'\n]*' \(" + _WORD + r"\)", "data", "missing_required"),
    _Rule("", _FAILED + r"Contacts require a name", "data", lambda _f, _a: "missing_required: name"),
    _Rule(
        "",
        _FAILED + r"Another model is using the record you are trying to delete\.\s*The troublemaker is: [^\n]*\n"
        r"Thanks to the following constraint: (?:'[^'\n]*' \()?" + _WORD,
        "data",
        _link,
    ),
    _Rule("", _FAILED + r"The value for '([a-z0-9_]+(?:, [a-z0-9_]+)*)' ", "data", "duplicate"),
    _Rule("", _FAILED + r'duplicate key value violates unique constraint "' + _WORD + '"', "data", "duplicate"),
    _Rule("", _FAILED + r"You can not have two users with the same login", "data", lambda _f, _a: "duplicate: login"),
    _Rule("", _FAILED + r"External IDs cannot contain spaces", "data", "bad_external_id"),
    _Rule("", _FAILED + r"You cannot create recursive", "data", "recursive"),
    _Rule("", r"Field names must be unique per model", "data", "duplicate_field_name"),
    _Rule("", r"Custom fields must have a name that starts with", "data", "bad_field_name"),
    _Rule("", r"You cannot create a move already in the posted state", "data", "posted_at_creation"),
    _Rule("", r"You can(?:not| not) delete a ", "data", _of_model("not_deletable")),
    _Rule("", r"Cannot rename/delete fields that are still present in views", "data", "in_use_by_view"),
    _Rule("", r"(?:\('|\")?You cannot delete contacts linked to an active user", "data", lambda _f, _a: "in_use: res.users"),
    _Rule("", r"The partner cannot be deleted because it is used in Accounting", "data", lambda _f, _a: "in_use: account.move"),
    _Rule("ValueError", r"Invalid field (?:name )?'" + _WORD + "'", "data", "unknown_field"),
    _Rule("ValueError", r"Invalid field " + _WORD + " in condition", "data", "unknown_field"),
    _Rule("ValueError", r"Wrong value for (?:[a-z0-9_]+\.)*([a-z0-9_]+): ", "data", "unknown_option"),
    _Rule("ValueError", _BAD_DATE, "data", "bad_date"),
    _Rule("ValueError", r"A string literal cannot contain NUL|embedded null", "data", "bad_character"),
    _Rule("ValueError", r"could not convert string to float", "data", "bad_number"),
    _Rule("ValueError", r"invalid literal for int\(\)", "data", "bad_integer"),
    _Rule("KeyError", "'?" + _WORD + "'?$", "data", _key),
    _Rule("ValueError|TypeError|KeyError|OverflowError", "", "data", "bad_value"),
    _Rule("NumericValueOutOfRange", r"integer out of range", "data", "integer_out_of_range"),
    _Rule("NumericValueOutOfRange", "", "data", "number_out_of_range"),
    _Rule("InvalidDatetimeFormat|DatetimeFieldOverflow", "", "data", "bad_date"),
    _Rule("StringDataRightTruncation", "", "data", "too_long"),
    _Rule("CharacterNotInRepertoire|UntranslatableCharacter", "", "data", "bad_character"),
    _Rule("RequestEntityTooLarge", "", "data", "too_large"),
    _Rule("QueryCanceled", "", "data", "took_too_long"),
    _Rule("Exception", r"CPU time limit exceeded", "data", "took_too_long"),
    _Rule("MemoryError", "", "data", "too_large"),
    _Rule("BadRequest", "", "data", "bad_body"),
    _Rule("ValidationError|UserError|RedirectWarning", "", "data", _of_model("refused_by_rule")),
)
_OUTAGES = re.compile(
    "OperationalError|InterfaceError|AdminShutdown|CrashShutdown|CannotConnectNow|ConnectionException|ConnectionFailure|DiskFull"
)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")


def classify(name: str, message: str, asked: Asked) -> Fault | None:
    """Say what an exception means; None when the server's own database failed, so that nobody knows what was applied."""
    safe = name if _IDENTIFIER.fullmatch(name) else "unknown"
    short = safe.rpartition(".")[2]
    lost = re.match(_MISSING + _WORD, message)
    if lost is not None and (lost.group(1) != asked.model or asked.verb in {"create", "load"}):
        return Fault("data", safe, f"link_not_found: {lost.group(1)}")  # not the record itself: one that it is to point to
    for rule in RULES:
        if rule.names and not re.fullmatch(rule.names, short):
            continue
        found = re.match(rule.text, message, re.DOTALL)
        if found is not None:
            return Fault(rule.kind, safe, _reason(rule, found, asked))
    if _OUTAGES.fullmatch(short):
        return None
    return Fault("data", safe, f"server_error: {short}")


def _reason(rule: _Rule, found: re.Match[str], asked: Asked) -> str:
    if not isinstance(rule.say, str):
        return rule.say(found, asked)
    return f"{rule.say}: {found.group(1)}" if found.lastindex else rule.say
