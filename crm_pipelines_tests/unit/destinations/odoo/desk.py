"""One database for tests that write: the destination on it, rows of it, and SQL as the witness.

Belongs here: what several test files of this folder write with. Not here: how the server is reached (lib/odoo), what is asserted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from crm_pipelines.destinations.base import WantedField, WantedSchema, WriteReport, WriteRow
from crm_pipelines.destinations.odoo.destination import OdooDestination
from crm_pipelines.journal import Outcome
from crm_pipelines.keys import payload_hash
from crm_pipelines.settings import AccountSettings
from crm_pipelines_tests.lib.odoo import OdooServer
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal

PREFIX = "crm_desk"
WANTED = WantedSchema(
    fields=(
        WantedField("people", "Kartra state", "text", keeps="state"),
        WantedField("people", "GDPR status", "enum", ("Accepted", "Not accepted")),
        WantedField("people", "Kartra created date", "datetime"),
        WantedField("people", "GDPR consent date", "date"),
        WantedField("people", "Lead score", "number"),
        WantedField("people", "Ticked", "boolean"),
        WantedField("people", "Remark", "long_text"),
        WantedField("orders", "Refunded amount", "number"),
    ),
    labels={"people": ("VIP", "Customer", "list_Ünïcode")},
    stages={"CRM": ("Negotiation", "Won")},
    currencies=("USD", "EUR"),
    counts={"deals": 1, "orders": 1},
)


def rows_of(payloads: Mapping[str, Mapping[str, Any]]) -> list[WriteRow]:
    """Return creates as the phases hand them over."""
    out = []
    for key, payload in payloads.items():
        raw = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
        out.append(WriteRow(key, "create", payload, payload_hash(raw), raw, key))
    return out


@dataclass
class Desk:
    """A prepared database."""

    server: OdooServer
    database: str
    opened: list[OdooDestination] = field(default_factory=list)

    @property
    def settings(self) -> AccountSettings:
        return AccountSettings(
            "desk", "odoo", self.server.base_url, self.server.api_key, database=self.database, prefix=PREFIX, apply_within_s=0.5
        )

    @property
    def main(self) -> OdooDestination:
        """The connection of everyday writes and reads."""
        return self.opened[0] if self.opened else self.open()

    def open(self, transport: Callable[[], httpx.AsyncBaseTransport] | None = None) -> OdooDestination:
        """Connect anew: nothing is remembered."""
        destination = OdooDestination(self.settings, transport=transport)
        self.opened.append(destination)
        return destination

    def close(self) -> None:
        for one in self.opened:
            one.close()

    def write(self, phase: str, rows: list[WriteRow], destination: OdooDestination | None = None) -> tuple[WriteReport, dict[str, Outcome]]:
        """Write rows; what became of each by key."""
        journal = MemoryJournal(phase)
        report = (destination or self.main).write(phase, rows, journal, None)
        return report, {outcome.key: outcome for outcome in journal.outcomes.values()}

    def create(self, phase: str, payloads: Mapping[str, Mapping[str, Any]], destination: OdooDestination | None = None) -> dict[str, str]:
        """Create records that must all go in; key -> id."""
        report, outcomes = self.write(phase, rows_of(payloads), destination)
        assert report.created == len(payloads), (report, {key: each.reason for key, each in outcomes.items()})
        return {key: str(each.destination_id) for key, each in outcomes.items()}

    def payload(self, phase: str, number: str) -> dict[str, Any]:
        """Return a record as the product reads it back."""
        frame = self.main.read(phase, [number], MemoryJournal())
        return dict(orjson.loads(frame.item(0, "payload")))

    def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask Odoo's PostgreSQL."""
        return [tuple(row.values()) for row in self.server.rows(self.database, query, *values)]

    def one(self, query: str, *values: object) -> Any:
        """Ask Odoo's PostgreSQL for one value."""
        ((value,),) = self.sql(query, *values)
        return value
