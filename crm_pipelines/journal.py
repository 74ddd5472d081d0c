"""The values that pass between phases, destinations and the ledger, and the journal protocol that binds them.

Belongs here: what an attempt, an outcome and an allowance are. Not here: how they are stored (ledger), sent (destinations)
or decided (phases.plan, phases.load).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Operation = Literal["create", "update", "delete", "prepare"]
Result = Literal["created", "updated", "adopted", "refused", "absent", "conflict", "deleted"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One record that a request is about to carry."""

    key: str
    """Source key of the record."""
    operation: Operation
    payload_hash: str
    """Hash of the desired payload; becomes the ledger's applied hash when answered."""
    payload: bytes
    """The desired logical payload as JSON: the base of later three-way comparisons. Empty for `prepare`."""
    token: str
    """What to look for if no answer comes: the external id, or the visible token of a record that cannot carry one."""
    cost: int
    """Tokens that the request will cost; reserved in the same transaction."""
    destination_id: str | None = None
    """Known for updates and deletes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt."""

    attempt_id: int
    key: str
    result: Result
    destination_id: str | None = None
    reason: str = ""
    """Code or sentence for refused, absent and conflict; never holds a field value."""


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt without a recorded outcome: unknown until it is looked up."""

    attempt_id: int
    phase: str
    attempt: Attempt
    sent_utc: datetime
    """When the intent became durable, by our clock."""
    vendor_utc: datetime | None
    """The vendor's clock at that moment (our clock plus the offset last seen), when known."""
    engagement: str = ""
    """Whose attempt it is: engagements may share an account."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """The budget of one vendor day, as far as the vendor and the plan tell."""

    day: str
    """Name of the vendor's day, e.g. `2026-11-22`."""
    limit: int
    """Tokens of the whole account for that day."""
    reserve: int
    """Tokens of it that stay untouched for the client's own apps."""
    resumes_at: datetime
    """When the next day begins (UTC)."""


class Journal(Protocol):
    """The durable record around every write of one (account, engagement, phase, pass)."""

    def sending(self, attempts: Sequence[Attempt], allowance: Allowance | None) -> list[int]:
        """Make the intents durable and reserve their cost; only after this returns may the requests leave.

        Shape: one attempt id per attempt, in order.
        Raises: QuotaExhausted when limit - reserve would be passed (nothing is stored); LedgerError when the writer's fence is stale.
        """
        ...

    def answered(self, outcomes: Sequence[Outcome]) -> None:
        """Record what became of attempts; one durable transaction for all of them."""
        ...

    def spent(self, operation: str, tokens: int, allowance: Allowance | None) -> None:
        """Count tokens of requests that write nothing (lists, reads)."""
        ...

    def observed(self, allowance: Allowance, remaining: int) -> None:
        """Correct the day's account by what the vendor's headers say remains."""
        ...

    def vendor_clock(self, offset_s: float) -> None:
        """Remember how far the vendor's clock is ahead of ours (seconds)."""
        ...
