"""The real destination writing plain people, with a journal on SQLite: for stages that look at requests, not at maps.

Belongs here: one account opened and written to without an engagement. Not here: what is measured of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from crm_pipelines.destinations.base import WantedField, WantedSchema, WriteReport, WriteRow
from crm_pipelines.destinations.pipedrive.destination import PipedriveDestination
from crm_pipelines.keys import payload_hash
from crm_pipelines.ledger import Ledger
from crm_pipelines.sandbox.pipedrive import RunningSandbox
from crm_pipelines.settings import AccountSettings

KEY_FIELD = "Kartra ID"
WANTED = WantedSchema(fields=(WantedField("people", KEY_FIELD, "text", is_external_id=True),))


@dataclass
class Account:
    """One account, ready to be written to."""

    destination: PipedriveDestination
    ledger: Ledger
    fence: object

    def write(self, rows: Iterator[WriteRow]) -> WriteReport:
        """Send rows with every intent and answer durable."""
        journal = self.ledger.journal("pipedrive:bench", "bench", "people", 1, self.fence)  # type: ignore[arg-type]
        return self.destination.write("people", rows, journal, self.destination.budget().allowance)


@contextmanager
def account(sandbox: RunningSandbox, folder: Path) -> Iterator[Account]:
    """Open the account of a sandbox: described, its one field made."""
    auth = "oauth" if sandbox.config.auth == "oauth" else "api_token"
    settings = AccountSettings("bench", "pipedrive", sandbox.base_url, sandbox.token, auth=auth, apply_within_s=0.5)  # type: ignore[arg-type]
    destination = PipedriveDestination(settings)
    with Ledger.open(f"sqlite:///{folder / 'ledger.sqlite'}") as ledger, ledger.lock("pipedrive:bench", "bench") as fence:
        try:
            destination.prepare(WANTED, ledger.journal("pipedrive:bench", "bench", "destination_schema", 1, fence))
            yield Account(destination, ledger, fence)
        finally:
            destination.close()


def people(count: int) -> Iterator[WriteRow]:
    """Yield people with a name, an address and their source key."""
    for number in range(count):
        key = f"{number:07}"
        payload = {"name": f"Person {number}", "emails": [email(number)], "custom": {KEY_FIELD: key}}
        raw = orjson.dumps(payload)
        yield WriteRow(key, "create", payload, payload_hash(raw), raw, key)


def email(number: int) -> str:
    """Return the address of one of these people."""
    return f"person.{number}@example.com"
