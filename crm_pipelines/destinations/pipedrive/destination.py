"""One Pipedrive account as a Destination: puts reading, preparing and writing together.

Belongs here: what is remembered between calls (names, external ids, counts). Not here: how each thing is done (describe,
prepare, listing, write, lookup).
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import httpx
import polars as pl

from crm_pipelines.destinations.base import Budget, Capabilities, Inspection, Schema, Step, WantedSchema, WriteReport, WriteRow
from crm_pipelines.destinations.http import MAX_CONNECTIONS, Patience
from crm_pipelines.destinations.pipedrive import listing, prepare
from crm_pipelines.destinations.pipedrive.api import Api, Record
from crm_pipelines.destinations.pipedrive.costs import COSTS, PLANS, TOKENS_PER_SEAT, WINDOW_S
from crm_pipelines.destinations.pipedrive.describe import Described, describe
from crm_pipelines.destinations.pipedrive.entities import ENTITIES, capabilities
from crm_pipelines.destinations.pipedrive.fields import Names
from crm_pipelines.destinations.pipedrive.inspect import inspect
from crm_pipelines.destinations.pipedrive.lookup import Lookup
from crm_pipelines.destinations.pipedrive.making import make
from crm_pipelines.destinations.pipedrive.write import Memory, Writer
from crm_pipelines.destinations.waves import Waves, Wiring
from crm_pipelines.errors import SettingsError, TransientError
from crm_pipelines.journal import Allowance, Journal, OpenAttempt
from crm_pipelines.observe import STOP
from crm_pipelines.settings import AccountSettings

ASSUMED_LATENCY_S = 0.25  # until answers were timed
SPARE_WORKERS = 1.4  # so that a slow answer does not leave the window unused
MIN_WAVE = 10
FRESH_S = 120.0  # a description of this process that is younger is not read again before steps are made


class PipedriveDestination:
    """One account at Pipedrive."""

    name = "pipedrive"

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
        self._opened_s = time.monotonic()
        self._described: Described | None = None
        self._described_s = float("-inf")
        self._wanted = WantedSchema()
        self._external_ids: dict[str, str] = {}
        self._names: Names | None = None
        self._counts: dict[str, int] = {}
        self._memory = Memory()
        self._closes_in_two_steps = False

    @property
    def capabilities(self) -> Capabilities:
        """Limits as data; the burst is what the headers told, once they did."""
        return capabilities(self._api.http.limiter.limit, self._workers(), self._account.apply_within_s)

    def use(self, external_ids: Mapping[str, str]) -> None:
        """Say which custom field of a phase holds the source key (display name)."""
        self._external_ids.update(external_ids)

    def describe(self, journal: Journal | None = None) -> Schema:
        """Read users, fields, options, stages, plan and caps."""
        self._remember(self._api.run(describe(self._api), journal))
        self._described_s = time.monotonic()
        return self._known().schema

    def inspect(self, journal: Journal | None = None, wanted: WantedSchema | None = None) -> Inspection:
        """Read what a migration should know before it starts; see Destination.inspect."""
        return self._api.run(inspect(self._api, wanted), journal)

    def missing(self, wanted: WantedSchema, found: Schema) -> list[Step]:
        """Return what `prepare` would make, in order. Raises: SettingsError naming the cap when the plan cannot hold it."""
        self._want(wanted)
        return prepare.missing(wanted, found)

    def prepare(self, wanted: WantedSchema, journal: Journal) -> Schema:
        """Make what is missing, each step journalled and looked up by name first; idempotent under kills."""
        self._want(wanted)
        if self._described is None or time.monotonic() - self._described_s > FRESH_S:
            self.describe(journal)
        try:
            self._remember(make(self._api, wanted, self._known(), journal))
        finally:
            self._api.book(journal)
        return self._known().schema

    def find(self, phase: str, journal: Journal) -> pl.DataFrame:
        """Return every live record of ours by bulk listing; see Destination.find for the shape."""
        if phase == "users":
            return _users_frame(self._schema(journal))
        names, code = self._bound(journal), self._code(phase, journal)
        selector = {"custom_fields": code} if code else None
        return self._walked(phase, journal, lambda page: listing.found_frame(phase, page, code, names), selector)

    def existing(self, phase: str, journal: Journal) -> pl.DataFrame:
        """Return live records that are not ours, for matching; see Destination.existing for the shape."""
        if phase == "users" or ENTITIES[phase].mark_field:
            return pl.DataFrame(schema=listing.EXISTING_SCHEMA)
        names, code = self._bound(journal), self._code(phase, journal)

        def frame(page: list[Record]) -> pl.DataFrame:
            self._remember_texts(phase, page)
            return listing.existing_frame(phase, page, code, names)

        return self._walked(phase, journal, frame)

    def write(self, phase: str, rows: Iterable[WriteRow], journal: Journal, allowance: Allowance | None) -> WriteReport:
        """Send rows in waves of at most 100; see Destination.write for what it raises."""
        writer = Writer(self._api.http, phase, self._bound(journal), self._memory, closes_in_two_steps=self._closes_in_two_steps)
        wave = max(MIN_WAVE, self._api.http.limiter.limit)
        wiring = Wiring(
            attempt=writer.attempt,
            send=writer.send,
            allowance=self._api.meter.allowance,
            book=lambda: self._api.book(journal),
            drain=self._api.http.drain,
            background=self._api.background,
            stop=self._stop,
            workers=self._workers(),
            wave=wave,
        )
        try:
            return Waves(wiring, iter(rows), journal, allowance).run()
        finally:
            self._closes_in_two_steps = writer.closes_in_two_steps

    def read(self, phase: str, ids: Sequence[str], journal: Journal) -> pl.DataFrame:
        """Return records by destination id; missing ids are absent."""
        names = self._bound(journal)
        if not ids:
            return listing.read_frame(phase, [], names)
        records = self._api.run(listing.by_ids(self._api, phase, list(ids), self._counts.get(phase)), journal)
        self._remember_texts(phase, records)
        return listing.read_frame(phase, records, names)

    def lookup(self, phase: str, attempts: Sequence[OpenAttempt], journal: Journal) -> Mapping[int, list[str]]:
        """Find records of unanswered creates by listing since the attempts; see Destination.lookup for the shape."""
        search = Lookup(
            self._api,
            phase,
            attempts,
            self._opened_s,
            apply_within_s=self._account.apply_within_s,
            external_id=self._external_ids.get(phase),
        )
        return self._api.run(search.run(), journal)

    def revert(self, phase: str, rows: Iterable[WriteRow], journal: Journal) -> None:
        """Send the deletes and updates that undo earlier writes."""
        self.write(phase, rows, journal, self._api.meter.allowance())

    def budget(self) -> Budget:
        """Return what may be spent now; asks the vendor (2 tokens) only when no answer told yet."""
        meter = self._api.meter
        if not self._api.http.was_answered:
            self._api.run(self._api.read("read.me", "/api/v1/users/me"))
        allowance = meter.allowance() or self._assumed_allowance()
        remaining = meter.known_remaining()
        left = allowance.limit if remaining is None else remaining
        return Budget(allowance=allowance, remaining=left, cost=COSTS, tokens_per_day=allowance.limit)

    def close(self) -> None:
        """Close connections."""
        self._api.close()

    def _assumed_allowance(self) -> Allowance:
        """The daily headers are undocumented; without them the day follows from plan and seats."""
        schema = self._schema(None)
        plan = PLANS[schema.plan.partition(" ")[0]]
        self._api.meter.assume(TOKENS_PER_SEAT * plan.multiplier * schema.seats)
        allowance = self._api.meter.allowance()
        assert allowance is not None  # noqa: S101  a limit was assumed above
        return allowance

    def _workers(self) -> int:
        """Connections that keep the window full: rate times latency, with some to spare."""
        if self._account.concurrency is not None:
            return self._account.concurrency
        limiter = self._api.http.limiter
        needed = limiter.limit / WINDOW_S * (limiter.latency_s or ASSUMED_LATENCY_S) * SPARE_WORKERS
        return max(4, min(MAX_CONNECTIONS, math.ceil(needed)))

    def _walked(
        self, phase: str, journal: Journal, frame: Callable[[list[Record]], pl.DataFrame], params: Mapping[str, str] | None = None
    ) -> pl.DataFrame:
        frames = [frame([])]
        count = 0

        def take(page: list[Record]) -> None:
            nonlocal count
            count += len(page)
            frames.append(frame(page))

        self._api.run(listing.walk_pages(self._api, phase, take, params), journal)
        self._counts[phase] = count
        return pl.concat(frames)

    def _remember_texts(self, phase: str, records: Iterable[Record]) -> None:
        """Keep what an update of plain texts would flatten: labels of e-mails and phones, visible tokens."""
        for record in records:
            if phase == "people":
                channels = {name: record.get(name) or [] for name in ("emails", "phones")}
                if any(item.get("label") != "work" or len(items) > 1 for items in channels.values() for item in items):
                    self._memory.channels[str(record["id"])] = channels
            elif (token := listing.key_of(phase, record, None)) is not None:
                self._memory.tokens[phase, str(record["id"])] = token

    def _schema(self, journal: Journal | None) -> Schema:
        return self._known().schema if self._described is not None else self.describe(journal)

    def _known(self) -> Described:
        if self._described is None:
            raise TransientError("the account was not described yet; run again")
        return self._described

    def _remember(self, described: Described) -> None:
        self._described, self._names = described, None
        self._api.dialect.field_names = {f.code: f.name for f in described.schema.fields if f.is_custom}

    def _want(self, wanted: WantedSchema) -> None:
        self._wanted, self._names = wanted, None
        self._external_ids.update({f.phase: f.name for f in wanted.fields if f.is_external_id})

    def _bound(self, journal: Journal) -> Names:
        if self._names is None:
            self._names = Names(self._schema(journal), self._wanted.fields, self._wanted.labels, self._wanted.types)
        return self._names

    def _code(self, phase: str, journal: Journal) -> str | None:
        """Return the code of the external id's field; None where the account has no such field yet, so that nothing is ours."""
        if ENTITIES[phase].mark_field:
            return None
        if phase not in self._external_ids:
            raise SettingsError(f"{phase}: no external id is known; the mapping spec must declare one for this phase")
        found = self._bound(journal).by_name.get((phase, self._external_ids[phase]))
        return None if found is None else found.code


def connect(account: AccountSettings) -> PipedriveDestination:
    """Return the account as a Destination; nothing is sent before it is used."""
    return PipedriveDestination(account)


def _users_frame(schema: Schema) -> pl.DataFrame:
    return pl.DataFrame([{"key": email, "destination_id": number} for email, number in schema.users.items()], schema=listing.FIND_SCHEMA)
