"""The product's destination writing and comparing the benchmark's partners, with a ledger on SQLite.

Belongs here: one account opened on a database, its first load, its two ways of an unchanged re-run. Not here: measuring (odoo).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
from crm_pipelines.destinations.odoo.destination import OdooDestination

from benchmarks.odoo_people import MODULE, TAGS, partners
from benchmarks.odoo_server import Server
from crm_pipelines.destinations.base import WantedSchema, WriteRow
from crm_pipelines.destinations.odoo.shape import differs
from crm_pipelines.keys import payload_hash
from crm_pipelines.ledger import Ledger, LedgerJournal
from crm_pipelines.settings import AccountSettings

ACCOUNT, ENGAGEMENT, PHASE = "odoo:bench", "bench", "people"
WANTED = WantedSchema(labels={PHASE: TAGS})


@dataclass
class Account:
    """One database, described, its categories found."""

    destination: OdooDestination
    ledger: Ledger
    fence: object

    @property
    def journal(self) -> LedgerJournal:
        return self.ledger.journal(ACCOUNT, ENGAGEMENT, PHASE, 1, self.fence)  # type: ignore[arg-type]

    def load(self, count: int) -> None:
        """Write all partners. Raises: RuntimeError when one was not created."""
        journal = self.ledger.grouped_journal(ACCOUNT, ENGAGEMENT, PHASE, 1, self.fence)  # type: ignore[arg-type]
        report = self.destination.write(PHASE, wanted(count), journal, None)
        journal.flush()
        if report.created != count:
            raise RuntimeError(f"{report.created} of {count} partners were created: {report.reasons}")

    def differing(self, count: int) -> int:
        """Compare without a ledger: the id map, everything read, every field held against what is wanted; return how many differ."""
        found = dict(self.destination.find(PHASE, self.journal).select("key", "destination_id").iter_rows())
        there = self.destination.read(PHASE, list(found.values()), self.journal)
        payloads = dict(there.select("destination_id", "payload").iter_rows())
        return sum(1 for row in wanted(count) if row.key not in found or differs(row.payload, orjson.loads(payloads[found[row.key]])))

    def unapplied(self, count: int) -> int:
        """Do what a second run does: hashes from the ledger, then the listing that verifies them; return how many are to be sent."""
        applied = dict(self.ledger.records(ACCOUNT, ENGAGEMENT, PHASE).select("key", "applied_hash").iter_rows())
        there = set(self.destination.find(PHASE, self.journal).get_column("key"))
        return sum(1 for row in wanted(count) if applied.get(row.key) != row.payload_hash or row.key not in there)


@contextmanager
def account(server: Server, database: str, folder: Path) -> Iterator[Account]:
    """Open a database as an account with an empty ledger."""
    settings = AccountSettings("bench", "odoo", server.url, server.install.key, database=database, prefix=MODULE)
    destination = OdooDestination(settings)
    with Ledger.open(f"sqlite:///{folder / 'ledger.sqlite'}") as ledger, ledger.lock(ACCOUNT, ENGAGEMENT) as fence:
        try:
            destination.prepare(WANTED, ledger.journal(ACCOUNT, ENGAGEMENT, "destination_schema", 1, fence))
            yield Account(destination, ledger, fence)
        finally:
            destination.close()


def wanted(count: int) -> Iterator[WriteRow]:
    """Yield the partners as the phases hand them over."""
    for one in partners(count):
        payload = {**one.values, "category_id": list(one.tags)}
        raw = orjson.dumps(payload)
        yield WriteRow(one.key, "create", payload, payload_hash(raw), raw, one.key)
