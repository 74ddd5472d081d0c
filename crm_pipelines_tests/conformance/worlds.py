"""The destinations under conformance: how each is reached, what it is asked to hold, and how its server tells what it really holds.

Belongs here: everything that differs between vendors. Not here: what every destination must do (test_destinations), what one vendor
alone does (test_pipedrive, unit/destinations/odoo). A destination joins by one class here, named in `WORLDS` of test_destinations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import httpx

from crm_pipelines.destinations.base import Destination, WantedField, WantedSchema
from crm_pipelines.destinations.http import Patience
from crm_pipelines.destinations.odoo.destination import OdooDestination
from crm_pipelines.destinations.odoo.models import MODELS
from crm_pipelines.destinations.pipedrive import connect as connect_pipedrive
from crm_pipelines.sandbox.pipedrive import RunningSandbox, SandboxConfig, start
from crm_pipelines.sandbox.pipedrive.config import SandboxUser
from crm_pipelines.sandbox.pipedrive.truth import ENTITIES
from crm_pipelines.settings import AccountSettings
from crm_pipelines_tests.lib.odoo import OdooServer
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal

EVERY_TABLE = """
SELECT relname AS name, (xpath('/row/c/text()', query_to_xml(
    format('SELECT count(*) || ''/'' || coalesce(max(xmin::text::bigint), 0) AS c FROM %I', relname), false, true, '')))[1]::text AS state
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind = 'r' AND nspname = 'public'
"""
"""Of every table how many rows it has, and the transaction that wrote last."""
Payload = Mapping[str, Any]
QUICK = Patience(attempts=3, attempts_unmet=2, first_wait_s=0.01, longest_wait_s=0.02, answer_s=60.0)


class World(Protocol):
    """One destination on one running server."""

    wanted: WantedSchema
    owner: str
    """Key of a user that is there."""
    payloads: Mapping[str, Payload]
    """Phase -> a record with every kind of value, without links."""
    required_links: Mapping[str, Mapping[str, str]]
    """Phase -> link field -> phase, without which it holds no record."""
    cuts: tuple[str, ...]
    """Phases whose unanswered creates are looked up."""

    def open(self, **changes: Any) -> Destination:
        """Connect; nothing is remembered. `changes` are of the account's settings."""
        ...

    def person(self, key: str) -> Payload:
        """Return a plain person's payload."""
        ...

    def lossy(self, phase: str, *, after_commit: bool) -> Destination:
        """Return a connection that loses the answer to one create, or the request itself."""
        ...

    def count(self, phase: str) -> int:
        """Return how many records the server itself holds."""
        ...

    def custom_fields(self, phase: str) -> list[str]:
        """Return the display names of custom fields, by the server's own word."""
        ...

    def everything(self) -> Mapping[str, object]:
        """Return all that the server holds, by its own word; equal before and after what only reads."""
        ...

    def fresh(self) -> None:
        """Make the server empty again."""
        ...


class Pipedrive:
    """The sandbox."""

    owner = "ana@example.com"
    cuts = ("people", "notes")
    required_links: Mapping[str, Mapping[str, str]] = {"activities": {"participants": "people"}, "notes": {"person_id": "people"}}
    wanted = WantedSchema(
        fields=(
            *(WantedField(phase, "Source ID", "text", is_external_id=True) for phase in ("organizations", "people", "deals")),
            WantedField("people", "Consent", "enum", ("On", "Off")),
            WantedField("people", "Born", "date"),
            WantedField("people", "Remark", "long_text"),
            WantedField("people", "Score", "number"),
            WantedField("people", "Agreed", "boolean"),
        ),
        labels={"people": ("VIP", "Customer")},
        stages={"Source": ("Purchases",)},
        types={"activities": ("call",)},
    )
    payloads: Mapping[str, Payload] = {
        "organizations": {"name": "Örg & Co"},
        "people": {
            "name": "Zoë O'Neill",
            "emails": ["zoe@example.com"],
            "label_ids": ["VIP", "Customer"],
            "custom": {"Consent": "Off", "Born": "1990-12-31", "Remark": "two\nlines \N{GRINNING FACE}", "Score": 12.5, "Agreed": True},
        },
        "deals": {"title": "T", "value": 199.99, "currency": "USD", "status": "open", "pipeline": "Source", "stage": "Purchases"},
        "activities": {"subject": "S", "type": "call", "due_date": "2021-05-06", "note": "Source booking 17"},
        "notes": {"content": "Hello <b>you</b>"},
    }
    _entities: Mapping[str, str] = {"people": "persons", "organizations": "organizations", "deals": "deals", "notes": "notes"}

    def __init__(self, sandbox: RunningSandbox) -> None:
        self._sandbox = sandbox

    def open(self, **changes: Any) -> Destination:
        base = AccountSettings(
            "acme", "pipedrive", self._sandbox.base_url, self._sandbox.token, auth="oauth", apply_within_s=0.2, reserve_pct=0
        )
        destination = connect_pipedrive(replace(base, **changes))
        destination.use({field.phase: field.name for field in self.wanted.fields if field.is_external_id})
        return destination

    def person(self, key: str) -> Payload:
        return {"name": f"Person {key}", "emails": [f"{key}@example.com"]}

    def lossy(self, phase: str, *, after_commit: bool) -> Destination:
        path = {"people": "/api/v2/persons", "notes": "/api/v1/notes"}[phase]
        kind = "drop_after_commit" if after_commit else "drop_before_commit"
        self._sandbox.truth.set_faults({"kind": kind, "match": {"method": "POST", "path_prefix": path}, "after": 1, "times": 1})
        return self.open()

    def count(self, phase: str) -> int:
        return len(self._sandbox.truth.live(self._entities[phase]))

    def custom_fields(self, phase: str) -> list[str]:
        return [field["field_name"] for field in self._sandbox.truth.fields()[self._entities[phase]] if field["is_custom_field"]]

    def everything(self) -> Mapping[str, object]:
        return {name: self._sandbox.truth.records(name) for name in ENTITIES}

    def fresh(self) -> None:
        self._sandbox.truth.clear_faults()
        self._sandbox.truth.reset()


class Odoo:
    """A real server; a database of its own for every `fresh`."""

    owner = "admin"
    cuts = ("people", "orders")
    required_links: Mapping[str, Mapping[str, str]] = {
        "orders": {"partner_id": "people", "product": "products"},
        "invoices": {"partner_id": "people", "product": "products"},
        "activities": {"attendees": "people"},
    }
    wanted = WantedSchema(
        fields=(
            WantedField("people", "Consent", "enum", ("On", "Off")),
            WantedField("people", "Born", "date"),
            WantedField("people", "Remark", "long_text"),
            WantedField("people", "Score", "number"),
            WantedField("people", "Agreed", "boolean"),
        ),
        labels={"people": ("VIP", "Customer")},
        stages={"CRM": ("Purchases",)},
        currencies=("USD", "EUR"),
        counts={"people": 1, "orders": 1, "invoices": 1, "deals": 1, "activities": 1},
    )
    payloads: Mapping[str, Payload] = {
        "organizations": {"name": "Örg & Co"},
        "people": {
            "name": "Zoë O'Neill",
            "email": "zoe@example.com",
            "type": "contact",
            "category_id": ["Customer", "VIP"],
            "custom": {"Consent": "Off", "Born": "1990-12-31", "Remark": "two\nlines \N{GRINNING FACE}", "Score": 12.5, "Agreed": True},
        },
        "opt_outs": {"email": "out@example.com"},
        "products": {"name": "Course"},
        "orders": {"client_order_ref": "C (1)", "date_order": "2020-02-29T23:59:59Z", "state": "sale", "amount": 199.99, "currency": "EUR"},
        "invoices": {"ref": "C (1)", "invoice_date": "2020-02-29", "state": "posted", "amount": 199.99, "currency": "EUR"},
        "deals": {"name": "D", "status": "open", "stage": "Purchases", "expected_revenue": 5, "currency": "USD"},
        "activities": {"name": "A", "start": "2021-05-06T09:05:00Z", "stop": "2021-05-06T10:05:00Z", "description": "<p>Booking 17</p>"},
    }

    def __init__(self, server: OdooServer) -> None:
        self._server = server
        self._database = ""

    def open(self, **changes: Any) -> Destination:
        return self._open(None, **changes)

    def person(self, key: str) -> Payload:
        return {"name": f"Person {key}", "email": f"{key}@example.com"}

    def lossy(self, phase: str, *, after_commit: bool) -> Destination:
        path = f"/json/2/{MODELS[phase].name}/load"
        return self._open(lambda: _Losing(path, after_commit=after_commit))

    def count(self, phase: str) -> int:
        model = MODELS[phase].name
        query = "select count(*) as n from ir_model_data where module = 'crm_world' and model = %s and name like %s"
        named = self._server.rows(self._database, query, model, f"{phase}.%")[0]["n"]
        table = model.replace(".", "_")
        marks = {"people": "where name like 'Person %'"}
        held = self._server.rows(self._database, f"select count(*) as n from {table} {marks.get(phase, '')}")[0]["n"]
        assert held == named or phase == "organizations", "a record of ours without its external id, or the other way round"
        return int(named)

    def custom_fields(self, phase: str) -> list[str]:
        query = "select field_description->>'en_US' as name from ir_model_fields where state = 'manual' and model = %s"
        return [row["name"] for row in self._server.rows(self._database, query, MODELS[phase].name)]

    def everything(self) -> Mapping[str, object]:
        rows = self._server.rows(self._database, EVERY_TABLE)
        return {row["name"]: row["state"] for row in rows}

    def fresh(self) -> None:
        self._database = self._server.new_database()
        call = partial(self._server.call, self._database)  # an invoice in another currency needs a rate of its day
        (euro,) = call("res.currency", "search", domain=[["name", "=", "EUR"]], context={"active_test": False})
        call("res.currency.rate", "create", vals_list=[{"currency_id": euro, "name": "2020-01-01", "rate": 0.8}])

    def _open(self, transport: Callable[[], httpx.AsyncBaseTransport] | None, **changes: Any) -> Destination:
        given = AccountSettings(
            "world", "odoo", self._server.base_url, self._server.api_key, database=self._database, prefix="crm_world", apply_within_s=0.5
        )
        return OdooDestination(replace(given, **changes), transport=transport, patience=QUICK)


class _Losing(httpx.AsyncBaseTransport):
    """Loses the first request to a path, or the answer to it."""

    def __init__(self, path: str, *, after_commit: bool) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._path = path
        self._after_commit = after_commit
        self._lost = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._lost or not request.url.path.endswith(self._path):
            return await self._inner.handle_async_request(request)
        self._lost = True
        if self._after_commit:
            answer = await self._inner.handle_async_request(request)
            await answer.aread()
            await answer.aclose()
        raise httpx.ReadError("the answer got lost", request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@contextmanager
def pipedrive() -> Iterator[World]:
    """Start the sandbox."""
    users = (SandboxUser("admin@example.com", "Ada", is_admin=True), SandboxUser("ana@example.com", "Ana"))
    with start(SandboxConfig(token="token", auth="oauth", seats=10, users=users)) as sandbox:
        yield Pipedrive(sandbox)


def prepared(world: World, journal: MemoryJournal | None = None) -> Destination:
    """Return a connection to a server that holds what the map needs."""
    destination = world.open()
    destination.describe()
    destination.prepare(world.wanted, journal or MemoryJournal())
    return destination
