"""The ledger: the durable record of intents, outcomes, gates, seals and spend.

Belongs here: the names that others may import. Not here: anything else of the ledger (ledger.py and its neighbours).
"""

from __future__ import annotations

from crm_pipelines.ledger.journal import GroupedJournal, LedgerJournal
from crm_pipelines.ledger.ledger import Ledger
from crm_pipelines.ledger.lock import Fence
from crm_pipelines.ledger.marks import AuditEntry, Gate, Pass, Seal
from crm_pipelines.ledger.spend import SpendReport

__all__ = ["AuditEntry", "Fence", "Gate", "GroupedJournal", "Ledger", "LedgerJournal", "Pass", "Seal", "SpendReport"]
