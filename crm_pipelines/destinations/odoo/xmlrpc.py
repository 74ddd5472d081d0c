"""XML-RPC, Odoo's API up to version 18: positional arguments, the key in every body, errors as Fault 1 to 4.

Belongs here: what a request and an answer look like on the wire. Not here: what an error means (faults), what ends
everything (verdict), which of the two APIs is taken (api).

Only the marshalling of the standard library is used: its `ServerProxy` sends a request again by itself when the connection
breaks, which makes records twice (measured). Answers are read without document types, so that no entity is ever expanded.
"""

from __future__ import annotations

import re
import xmlrpc.client
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.parsers import expat

import httpx

from crm_pipelines.destinations.call import Answer, Call, Pacing
from crm_pipelines.destinations.odoo.faults import Asked, Fault, Reply
from crm_pipelines.destinations.odoo.json2 import names_in
from crm_pipelines.destinations.odoo.verdict import Verdict
from crm_pipelines.errors import SettingsError, TransientError
from crm_pipelines.settings import AccountSettings

OBJECT, COMMON = "/xmlrpc/2/object", "/xmlrpc/2/common"
WARNING, DENIED, NO_ACCESS = 2, 3, 4  # addons/rpc/controllers/xmlrpc.py; 1 is everything else
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LAST_WORD = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$", re.DOTALL)
_NONE = "cannot marshal None"
_UNSPEAKABLE = re.compile(r"cannot marshal|int exceeds XML-RPC limits|dictionary key must be string")


class NotXmlError(ValueError):
    """A value that XML cannot carry."""


class XmlRpc:
    """Credentials, requests and verdicts of one account."""

    def __init__(self, account: AccountSettings) -> None:
        self._account = account
        self._verdict = Verdict(account)
        self.base_url = self._verdict.base_url
        self.uid = 0
        """Set once the key's user has authenticated."""

    def headers(self) -> Mapping[str, str]:
        """The key travels in the body; only the answer's form is asked for."""
        return {"accept": "text/xml"}

    async def renew(self, client: httpx.AsyncClient, used: Mapping[str, str]) -> bool:
        """An API key is not renewed."""
        return False

    def pacing(self, headers: Mapping[str, str]) -> Pacing:
        """Odoo tells no limits."""
        return Pacing()

    def version(self) -> Asked:
        """Return the request that asks for the server's version, without credentials."""
        return Asked("read.version", "POST", COMMON, 1, body=dumped("version", ()), only_reads=True, verb="version")

    def login(self) -> Asked:
        """Return the request that turns login and key into a user's number. Raises: SettingsError naming what is not set."""
        account = self._account
        for name, value in (("database", account.database), ("login", account.login)):
            if not value:
                raise SettingsError(
                    f"account.{name}: Odoo 18 and earlier ask for database and login beside the key; add account.{name} to engagement.yaml"
                )
        body = dumped("authenticate", (account.database, account.login, account.token, {}))
        return Asked("read.login", "POST", COMMON, 1, body=body, only_reads=True, verb="authenticate")

    def no_odoo(self) -> SettingsError:
        """Return what to say when the version's answer holds no version."""
        return self._verdict.not_odoo(200)

    def user_of(self, data: Any) -> int:
        """Return the user's number. Raises: SettingsError when login and key do not belong together."""
        if not isinstance(data, int) or isinstance(data, bool) or not data:  # a wrong key is no fault here: it is `False`
            raise self._verdict.unauthorized()
        return data

    def ask(
        self,
        operation: str,
        model: str,
        verb: str,
        arguments: Mapping[str, Any],
        *,
        ids: Sequence[int] | None,
        context: Mapping[str, Any],
        attempt_id: int | None,
        writes: bool,
    ) -> Asked:
        """Return the request of one method. Raises: NotXmlError for a text that XML cannot carry."""
        positional, named = _positional(verb, ids, arguments)
        call = (self._account.database, self.uid, self._account.token, model, verb, positional, {**named, "context": dict(context)})
        return Asked(
            operation,
            "POST",
            OBJECT,
            1,
            body=dumped("execute_kw", call),
            attempt_id=attempt_id,
            only_reads=not writes,
            model=model,
            verb=verb,
            names=names_in(arguments),
        )

    def judge(self, call: Call, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
        """Say what an answer means. Raises: Busy, Throttled, TransientError, SettingsError."""
        asked = call if isinstance(call, Asked) else Asked(call.operation, call.method, call.path, call.cost)
        if status != 200:
            return self._verdict.edge(asked, status, headers, content)
        try:
            return Answer(status, Reply(data=loaded(content)), headers)
        except xmlrpc.client.Fault as fault:
            return self._fault(asked, status, headers, fault)
        except (expat.ExpatError, xmlrpc.client.Error, ValueError, LookupError, TypeError) as error:
            if asked.path == COMMON:
                raise self._verdict.not_odoo(status) from None
            raise TransientError(f"{asked.operation}: the answer is no XML-RPC ({type(error).__name__})") from None

    def _fault(self, asked: Asked, status: int, headers: Mapping[str, str], fault: xmlrpc.client.Fault) -> Answer:
        name, message = named(fault)
        if name.endswith("TypeError") and message.startswith(_NONE):
            return Answer(status, Reply(), headers)  # the method returned None and was committed: only the answer could not be written
        if _UNSPEAKABLE.match(message) and name.startswith("builtins."):
            if not asked.only_reads:
                raise TransientError(f"{asked.operation}: done, but the server could not write its answer as XML")
            return Answer(status, Reply(fault=Fault("data", name, "answer_is_no_xml")), headers)
        return self._verdict.fault(asked, status, headers, name, message)


def dumped(method: str, params: tuple[Any, ...]) -> bytes:
    """Return a request's body. Raises: NotXmlError for a text that XML cannot carry."""
    body = _Marshaller("utf-8", allow_none=True).dumps(params)
    return f"<?xml version='1.0'?>\n<methodCall>\n<methodName>{method}</methodName>\n{body}</methodCall>\n".encode()


def loaded(content: bytes) -> Any:
    """Return what a response holds. Raises: xmlrpc.client.Fault; ExpatError, Error, ValueError for what is no response."""
    target = xmlrpc.client.Unmarshaller(use_builtin_types=True)
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = target.start, target.end, target.data
    target.xml(None, None)  # type: ignore[arg-type]  # expat decodes; the target is handed text
    prolog, root, body = content.partition(b"<methodResponse")
    parser.Parse(prolog + root + body.replace(b"\r", b"&#13;"), True)  # Odoo writes them plain, and XML would make them line feeds
    (value,) = target.close()
    return value


def named(fault: xmlrpc.client.Fault) -> tuple[str, str]:
    """Return exception name and message of a Fault, as JSON-2 would tell them; a traceback is read for its last word only."""
    text = str(fault.faultString)
    if fault.faultCode == NO_ACCESS:
        return "odoo.exceptions.AccessError", text
    if fault.faultCode == DENIED:
        return "odoo.exceptions.AccessDenied", text
    if fault.faultCode == WARNING:
        is_missing = text.startswith("Record does not exist or has been deleted")
        return f"odoo.exceptions.{'MissingError' if is_missing else 'UserError'}", text
    return _last_word(text)


def _last_word(traceback: str) -> tuple[str, str]:
    """What follows the last frame of a traceback and is not indented: `module.Name: message`, the message on several lines."""
    lines = traceback.rstrip().split("\n")
    frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    after = range(frames[-1] + 1 if frames else 0, len(lines))
    start = next((number for number in after if lines[number] and not lines[number].startswith(" ")), None)
    found = None if start is None else _LAST_WORD.match("\n".join(lines[start:]))
    if found is None:
        return "unknown", ""
    name = found.group(1)
    return name if "." in name else f"builtins.{name}", found.group(2) or ""


def _positional(verb: str, ids: Sequence[int] | None, arguments: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Ids come first; `create` looks at its first positional argument, so that its rows cannot be named (service/model.py)."""
    named_arguments = dict(arguments)
    positional: list[Any] = [] if ids is None else [list(ids)]
    if verb == "create":
        positional.append(named_arguments.pop("vals_list"))
    return positional, named_arguments


def _refuse(*_declaration: object) -> None:
    raise ValueError("a document type is no part of an XML-RPC answer")


class _Marshaller(xmlrpc.client.Marshaller):
    """Writes what JSON can carry and the standard library refuses or changes."""

    dispatch = dict(xmlrpc.client.Marshaller.dispatch)  # noqa: RUF012  the base class's own form

    def dump_number(self, value: int, write: Callable[[str], object]) -> None:
        """Numbers beyond 32 bits as `i8`, which the server's reader takes at any size; its columns then judge."""
        tag = "int" if xmlrpc.client.MININT <= value <= xmlrpc.client.MAXINT else "i8"
        write(f"<value><{tag}>{value}</{tag}></value>\n")

    def dump_text(self, value: str, write: Callable[[str], object]) -> None:
        """Carriage returns as references: a parser turns plain ones into line feeds."""
        if _NOT_XML.search(value):
            raise NotXmlError("a control character")
        write(f"<value><string>{xmlrpc.client.escape(value).replace(chr(13), '&#13;')}</string></value>\n")

    dispatch[int] = dump_number  # type: ignore[assignment]  # called with an instance of this class
    dispatch[str] = dump_text  # type: ignore[assignment]
