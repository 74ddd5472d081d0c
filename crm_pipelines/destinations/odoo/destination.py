"""One Odoo database as a Destination: puts reading, preparing and writing together.

Belongs here: what is remembered between calls. Not here: how each thing is done (describe, prepare, listing, write, lookup).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import httpx
import polars as pl

from crm_pipelines.destinations.base import Budget, Capabilities, Inspection, Schema, Step, WantedSchema, WriteReport, WriteRow
from crm_pipelines.destinations.batches import Batches, Batching
from crm_pipelines.destinations.http import Patience
from crm_pipelines.destinations.odoo import listing, prepare
from crm_pipelines.destinations.odoo.api import Api
from crm_pipelines.destinations.odoo.books import in_order
from crm_pipelines.destinations.odoo.describe import Described, describe
from crm_pipelines.destinations.odoo.inspect import inspect
from crm_pipelines.destinations.odoo.lookup import look_up
from crm_pipelines.destinations.odoo.models import MODELS, PEOPLE, Model, capabilities
from crm_pipelines.destinations.odoo.names import Names
from crm_pipelines.destinations.odoo.write import Memory, Writer
from crm_pipelines.errors import TransientError
from crm_pipelines.journal import Allowance, Journal, OpenAttempt
from crm_pipelines.observe import STOP
from crm_pipelines.settings import AccountSettings

BATCHES_AT_ONCE = 1  # a threaded server writes fewer records with two (measured); a prefork server takes as many as it has workers
KNOWN_ROWS = 5_000  # records to a batch where most are there already: they are only read
DESCRIBE_REQUESTS = 35  # counted; one more for every currency that has rates
FRESH_S = 120.0  # a description of this process that is younger is not read again before steps are made


class OdooDestination:
    """One database at an Odoo server."""

    name = "odoo"

    def __init__(
        self,
        account: AccountSettings,
        *,
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
        patience: Patience | None = None,
        stop: threading.Event = STOP,
    ) -> None:
        self._account = account
        self._api = Api(account, transport, patience)
        self._stop = stop
        self._described: Described | None = None
        self._described_s = float("-inf")
        self._wanted = WantedSchema()
        self._names: Names | None = None
        self._memory = Memory()

    @property
    def capabilities(self) -> Capabilities:
        """Limits as data."""
        return capabilities(self._connections, self._account.apply_within_s)

    def use(self, external_ids: Mapping[str, str]) -> None:
        """Nothing to remember: external ids are Odoo's own, and no field carries the key."""

    def describe(self, journal: Journal | None = None) -> Schema:
        """Read users, fields, options, stages and what is installed."""
        self._remember(self._api.run(describe(self._api), journal))
        return self._known().schema

    def inspect(self, journal: Journal | None = None, wanted: WantedSchema | None = None) -> Inspection:
        """Read what a migration should know before it starts; see Destination.inspect."""
        return self._api.run(inspect(self._api, wanted), journal)

    def missing(self, wanted: WantedSchema, found: Schema) -> list[Step]:
        """Return what `prepare` would make, in order."""
        self._want(wanted)
        return prepare.missing(wanted, found)

    def prepare(self, wanted: WantedSchema, journal: Journal) -> Schema:
        """Make what is missing, each step journalled and looked up by name first; idempotent under kills."""
        self._want(wanted)
        if self._described is None or time.monotonic() - self._described_s > FRESH_S:
            self.describe(journal)
        try:
            self._remember(prepare.make(self._api, wanted, self._known(), journal))
        finally:
            self._api.book(journal)
        return self._known().schema

    def find(self, phase: str, journal: Journal) -> pl.DataFrame:
        """Return every live record of ours by external id; see Destination.find for the shape."""
        if phase == "users":
            users = self._schema(journal).users
            rows = [{"key": email, "destination_id": number} for email, number in users.items()]
            return pl.DataFrame(rows, schema=listing.FIND_SCHEMA)
        return self._api.run(listing.find(self._api, self._account.prefix, MODELS[phase], self._bound(journal)), journal)

    def existing(self, phase: str, journal: Journal) -> pl.DataFrame:
        """Return active records that are not ours, for matching; see Destination.existing for the shape."""
        if phase == "users":
            return pl.DataFrame(schema=listing.EXISTING_SCHEMA)
        return self._api.run(listing.existing(self._api, self._account.prefix, MODELS[phase], self._bound(journal)), journal)

    def write(self, phase: str, rows: Iterable[WriteRow], journal: Journal, allowance: Allowance | None) -> WriteReport:
        """Send rows in batches; see Destination.write for what it raises."""
        model, names = MODELS[phase], self._bound(journal)
        self._learn(model, names, journal)
        writer = Writer(self._api, model, names, self._account.prefix, self._memory)
        batching = Batching(
            attempt=writer.attempt,
            send=writer.send,
            book=lambda: self._api.book(journal),
            drain=self._api.http.drain,
            background=self._api.background,
            stop=self._stop,
            workers=self._connections,
            rows=KNOWN_ROWS if self._memory.had_ours[phase] else model.batch_rows,
        )
        return Batches(batching, iter(in_order(phase, rows)), journal).run()

    def read(self, phase: str, ids: Sequence[str], journal: Journal) -> pl.DataFrame:
        """Return records by destination id; missing ids are absent."""
        if not ids:
            return pl.DataFrame(schema=listing.READ_SCHEMA)
        return self._api.run(listing.read(self._api, MODELS[phase], ids, self._bound(journal)), journal)

    def lookup(self, phase: str, attempts: Sequence[OpenAttempt], journal: Journal) -> Mapping[int, list[str]]:
        """Find records of unanswered creates by external id; see Destination.lookup for the shape."""
        self._memory.had_ours[phase] = True  # one that is called absent may still arrive: from here on every row is looked for first
        return self._api.run(look_up(self._api, phase, attempts, self._account.prefix, self._account.apply_within_s), journal)

    def revert(self, phase: str, rows: Iterable[WriteRow], journal: Journal) -> None:
        """Send the deletes and updates that undo earlier writes."""
        self.write(phase, rows, journal, None)

    def budget(self) -> Budget:
        """Return that nothing is rationed: Odoo sells no quota."""
        return Budget(allowance=None, remaining=0, cost={"describe": DESCRIBE_REQUESTS}, tokens_per_day=0)

    def close(self) -> None:
        """Close connections."""
        self._api.close()

    @property
    def _connections(self) -> int:
        return self._account.concurrency or BATCHES_AT_ONCE

    def _learn(self, model: Model, names: Names, journal: Journal) -> None:
        """Ask once what every batch of a phase needs to know."""
        memory = self._memory
        if model.phase not in memory.had_ours:
            memory.had_ours[model.phase] = self._api.run(listing.has_ours(self._api, self._account.prefix, model), journal)
        if model.name == PEOPLE.name and memory.language is None:
            memory.language = names.described.language

    def _schema(self, journal: Journal | None) -> Schema:
        return self._known().schema if self._described is not None else self.describe(journal)

    def _known(self) -> Described:
        if self._described is None:
            raise TransientError("the database was not described yet; run again")
        return self._described

    def _remember(self, described: Described) -> None:
        self._described, self._names = described, None
        self._described_s = time.monotonic()

    def _want(self, wanted: WantedSchema) -> None:
        self._wanted, self._names = wanted, None

    def _bound(self, journal: Journal) -> Names:
        if self._names is None:
            self._schema(journal)
            self._names = Names(prepare.known_as(self._known(), self._wanted), self._wanted)
        return self._names


def connect(account: AccountSettings) -> OdooDestination:
    """Return the account as a Destination; nothing is sent before it is used."""
    return OdooDestination(account)
