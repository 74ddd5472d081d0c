"""A journal in memory: what the destinations' tests look at instead of a ledger. It checks the order that the protocol promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from crm_pipelines.errors import QuotaExhausted
from crm_pipelines.journal import Allowance, Attempt, OpenAttempt, Outcome


@dataclass
class MemoryJournal:
    phase: str = "people"
    room: int | None = None
    """Tokens that may still be reserved."""
    attempts: dict[int, Attempt] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    waves: list[int] = field(default_factory=list)
    sent_utc: dict[int, datetime] = field(default_factory=dict)
    spends: list[tuple[str, int]] = field(default_factory=list)
    remaining: int | None = None
    clock_offset_s: float | None = None

    def sending(self, attempts: Sequence[Attempt], allowance: Allowance | None) -> list[int]:
        cost = sum(a.cost for a in attempts)
        if self.room is not None and cost > self.room:
            raise QuotaExhausted("no room", datetime.now(UTC))
        if self.room is not None:
            self.room -= cost
        ids = [len(self.attempts) + n + 1 for n in range(len(attempts))]
        self.attempts.update(zip(ids, attempts, strict=True))
        self.sent_utc.update(dict.fromkeys(ids, datetime.now(UTC)))
        self.waves.append(len(attempts))
        return ids

    def answered(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            assert outcome.attempt_id in self.attempts, "answered before it was sent"
            assert outcome.attempt_id not in self.outcomes, "answered twice"
            self.outcomes[outcome.attempt_id] = outcome

    def spent(self, operation: str, tokens: int, allowance: Allowance | None) -> None:
        self.spends.append((operation, tokens))

    def observed(self, allowance: Allowance, remaining: int) -> None:
        self.remaining = remaining

    def vendor_clock(self, offset_s: float) -> None:
        self.clock_offset_s = offset_s

    def open_attempts(self) -> list[OpenAttempt]:
        return [
            OpenAttempt(number, self.phase, attempt, self.sent_utc[number], None)
            for number, attempt in self.attempts.items()
            if number not in self.outcomes
        ]

    def results(self) -> dict[str, str]:
        return {outcome.key: outcome.result for outcome in self.outcomes.values()}

    def reserved(self) -> int:
        return sum(a.cost for a in self.attempts.values()) + sum(tokens for _, tokens in self.spends)
