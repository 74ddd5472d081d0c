"""The product's destination writing and comparing the benchmark's partners, with a ledger on SQLite.

Belongs here: one account opened on a database, its first load, its two ways of an unchanged re-run. Not here: measuring (odoo).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.odoo_people import MODULE, TAGS, partners
from benchmarks.odoo_server import Server
from crm_pipelines.destinations.base import WantedSchema, WriteRow
from crm_pipelines.destinations.odoo.destination import OdooDestination
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
        self._write(count, "created")

    def load_again(self, count: int) -> None:
        """Write all partners although they are there, with a ledger that knows nothing: id map, bulk read, every field compared.

        Raises: RuntimeError when one was not taken as it is.
        """
        self._write(count, "adopted")

    def run_again(self, count: int) -> None:
        """Do what a second run does: hashes from the ledger, then the listing that verifies them.

        Raises: RuntimeError when one would be sent.
        """
        applied = dict(self.ledger.records(ACCOUNT, ENGAGEMENT, PHASE).select("key", "applied_hash").iter_rows())
        there = set(self.destination.find(PHASE, self._journal()).get_column("key"))
        if due := sum(1 for row in wanted(count) if applied.get(row.key) != row.payload_hash or row.key not in there):
            raise RuntimeError(f"{due} of {count} unchanged partners would be sent again")

    def _write(self, count: int, expected: str) -> None:
        report = self.destination.write(PHASE, wanted(count), self._journal(), None)
        outcomes = dict(self.ledger.records(ACCOUNT, ENGAGEMENT, PHASE).group_by("outcome").len().iter_rows())
        if outcomes != {expected: count}:
            raise RuntimeError(f"{expected} should be {count} partners; the ledger says {outcomes} ({report.reasons})")

    def _journal(self) -> LedgerJournal:
        return self.ledger.journal(ACCOUNT, ENGAGEMENT, PHASE, 1, self.fence)  # type: ignore[arg-type]


@contextmanager
def account(server: Server, database: str, folder: Path) -> Iterator[Account]:
    """Open a database as an account with an empty ledger: described, every category found."""
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
