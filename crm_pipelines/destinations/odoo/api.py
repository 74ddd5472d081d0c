"""Calls to one Odoo account: which of its two APIs, what is sent with every call, and pages of records.

Belongs here: versions, the context, the count of requests. Not here: how a call looks on the wire (json2, xmlrpc), what an
error means (faults), what may be repeated (destinations.http), which calls answer a question (describe, listing).
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal, TypeVar

import httpx
import orjson

from crm_pipelines.destinations.background import Background
from crm_pipelines.destinations.call import Call
from crm_pipelines.destinations.http import HttpClient, Patience
from crm_pipelines.destinations.limiter import SlidingLimiter
from crm_pipelines.destinations.odoo.faults import Fault, Reply
from crm_pipelines.destinations.odoo.json2 import Json2
from crm_pipelines.destinations.odoo.verdict import Busy
from crm_pipelines.destinations.odoo.xmlrpc import NotXmlError, XmlRpc
from crm_pipelines.errors import CrmError, DestinationError, RefusedError, SettingsError, TransientError
from crm_pipelines.journal import Journal
from crm_pipelines.settings import AccountSettings

__all__ = ["CONTEXT", "Api", "Dialect", "Fault", "Reply"]

T = TypeVar("T")
Dialect = Literal["json2", "xmlrpc"]
CONTEXT: Mapping[str, Any] = {
    "tz": "UTC",  # load() reads times in the context's zone
    "lang": "en_US",  # always there; errors and labels in one language
    "tracking_disable": True,  # no chatter, no followers, and 35 to 70 % less CPU (measured)
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
    "mail_auto_subscribe_no_notify": True,
    "mail_activity_automation_skip": True,
    "no_mail_to_attendees": True,
    "no_calendar_sync": True,  # google_sync.py, microsoft_sync.py: nothing goes to the calendars outside while it is written
    "no_reset_password": True,
}
PATIENCE = Patience(answer_s=150.0)  # limit_time_real is 120 s by default: the server gives up first
FIRST_JSON2 = 19  # /json/2 is new in 19.0; XML-RPC is to go with 20 (addons/rpc/controllers/__init__.py)
REQUESTS_PER_S = 2_000  # no rate limit exists; the server's workers are the limit
READS_AT_ONCE = 2  # short reads, as a description is made of; batches of writes go one at a time (destination)
PAGE = 1_000


class Api:
    """One account's client and its event loop."""

    def __init__(
        self,
        account: AccountSettings,
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
        patience: Patience | None = None,
        dialect: Dialect | None = None,
    ) -> None:
        self.account = account
        self._dialect: Json2 | XmlRpc = Json2(account)
        self._forced = dialect
        self.http = HttpClient(
            self._dialect,
            SlidingLimiter(REQUESTS_PER_S, 1.0),
            connections=account.concurrency or READS_AT_ONCE,
            patience=patience or PATIENCE,
            transport=transport,
        )
        self._version: tuple[int, int] | None = None
        self._connecting = asyncio.Lock()
        self._spent: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._background: Background | None = None

    @property
    def background(self) -> Background:
        """The event loop, started when it is first needed."""
        if self._background is None:
            self._background = Background()
        return self._background

    @property
    def version(self) -> tuple[int, int]:
        """The server's version, known once connected."""
        if self._version is None:
            raise TransientError("the server's version was not asked for yet; run again")
        return self._version

    @property
    def dialect(self) -> Dialect:
        """Which API is spoken, known once connected."""
        return "json2" if isinstance(self._dialect, Json2) else "xmlrpc"

    async def connect(self) -> None:
        """Ask for the server's version and choose its API, once. Raises: SettingsError when it is no Odoo, or login is not set."""
        async with self._connecting:
            if self._version is not None:
                return
            version = await self._ask_version()
            if self._forced == "xmlrpc" or (self._forced is None and version[0] < FIRST_JSON2):
                await self._log_in()
            self._version = version

    async def ask(
        self,
        operation: str,
        model: str,
        method: str,
        /,  # has_access and others have arguments of these names
        *,
        ids: Sequence[int] | None = None,
        context: Mapping[str, Any] | None = None,
        attempt_id: int | None = None,
        writes: bool = False,
        **arguments: Any,
    ) -> Reply:
        """Call a method of a model; `arguments` by name, `ids` of the records for methods of records.

        Attempts cost nothing here; every call is counted as one request, by `book`.
        Raises: OutcomeUnknown when a write got no answer; SettingsError, TransientError when nothing more can be sent.
        """
        await self.connect()
        sent = {**CONTEXT, **(context or {})}
        try:
            call = self._dialect.ask(operation, model, method, arguments, ids=ids, context=sent, attempt_id=attempt_id, writes=writes)
            return await self._send(call)
        except (NotXmlError, orjson.JSONEncodeError):  # raised before anything left
            return Reply(fault=Fault("data", "client", "bad_character"))

    async def call(
        self,
        operation: str,
        model: str,
        method: str,
        /,  # has_access and others have arguments of these names
        *,
        ids: Sequence[int] | None = None,
        context: Mapping[str, Any] | None = None,
        attempt_id: int | None = None,
        writes: bool = False,
        **arguments: Any,
    ) -> Any:
        """Call a method and return what it returns. Raises: as `ask`, and RefusedError, SettingsError with what to do next."""
        reply = await self.ask(operation, model, method, ids=ids, context=context, attempt_id=attempt_id, writes=writes, **arguments)
        if reply.fault is not None:
            raise error_of(operation, reply.fault)
        return reply.data

    async def search_read(
        self,
        operation: str,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        *,
        order: str = "id",
        page: int = PAGE,
        context: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Return all records of a domain. By id in pages that begin after the last id seen, so that nothing shifts between them;
        in any other order at once."""
        asked: dict[str, Any] = {"fields": list(fields), "order": order, "context": context}
        if order != "id":
            return _rows(await self.call(operation, model, "search_read", domain=list(domain), **asked), operation)
        found: list[dict[str, Any]] = []
        after: list[Any] = []
        while True:
            rows = _rows(await self.call(operation, model, "search_read", domain=[*domain, *after], limit=page, **asked), operation)
            found += rows
            if len(rows) < page:
                return found
            after = [["id", ">", rows[-1]["id"]]]

    def run(self, work: Coroutine[Any, Any, T], journal: Journal | None = None) -> T:
        """Run a coroutine; afterwards book the requests of its reads."""
        try:
            return self.background.run(work)
        finally:
            if journal is not None:
                self.book(journal)

    def book(self, journal: Journal) -> None:
        """Hand the number of requests, and the vendor's clock, to the journal."""
        with self._lock:
            spent, self._spent = self._spent, Counter()
        for operation, requests in spent.items():
            journal.spent(operation, requests, None)
        if self.http.clock.is_known:
            journal.vendor_clock(self.http.clock.offset_s)

    def unbooked(self) -> int:
        """Return the requests that no journal was told of yet."""
        with self._lock:
            return self._spent.total()

    def close(self) -> None:
        """Close connections and the event loop."""
        if self._background is not None:
            self._background.run(self.http.close())
            self._background.close()
            self._background = None

    async def _send(self, call: Call) -> Reply:
        with self._lock:
            self._spent[call.operation] += 1
        try:
            answer = await self.http.send(call)
        except Busy as error:
            return Reply(fault=error.fault)
        reply: Reply = answer.body
        return reply

    async def _ask_version(self) -> tuple[int, int]:
        reply = await self._send(Call("read.version", "GET", "/web/version", 1))
        version = _version_of(reply.data, "version_info")
        if version is not None:
            return version
        older = XmlRpc(self.account)
        self.http.dialect = older
        reply = await self._send(older.version())
        version = _version_of(reply.data, "server_version_info")
        if version is None:
            raise older.no_odoo()
        self.http.dialect = self._dialect
        return version

    async def _log_in(self) -> None:
        older = XmlRpc(self.account)
        login = older.login()
        self.http.dialect = self._dialect = older
        reply = await self._send(login)
        if reply.fault is not None:
            raise error_of("read.login", reply.fault)
        older.uid = older.user_of(reply.data)


def error_of(operation: str, fault: Fault) -> CrmError:
    """Return the error that a fault is where nothing else can be done about it: what happened and what to do next."""
    if fault.kind == "access":
        return SettingsError(f"{operation}: Odoo refused ({fault.reason}); give the key's user the group that allows it, then run again")
    if fault.kind == "unknown_model":
        return SettingsError(f"{operation}: Odoo has no such model ({fault.reason}); install the app it belongs to, then run again")
    if fault.kind == "busy":
        return TransientError(f"{operation}: others kept writing to the same records; run again")
    if fault.kind == "unknown_method":
        return DestinationError(f"{operation}: this version of Odoo does not know the call ({fault.reason}); please report it")
    return RefusedError(f"{operation}: Odoo refused ({fault.reason})")


def _rows(data: Any, operation: str) -> list[dict[str, Any]]:
    if not isinstance(data, list):
        raise DestinationError(f"{operation}: expected a list in Odoo's answer; run again, and report it if it happens twice")
    return data


def _version_of(data: Any, key: str) -> tuple[int, int] | None:
    """`[19, 0, 0, "final", 0, ""]`, or `["saas~18", 4, ...]` at odoo.com."""
    info = data.get(key) if isinstance(data, Mapping) else None
    if not isinstance(info, list) or len(info) < 2:
        return None
    numbers = [re.search(r"\d+", str(part)) for part in info[:2]]
    major, minor = (int(found.group()) if found else 0 for found in numbers)
    return major, minor
