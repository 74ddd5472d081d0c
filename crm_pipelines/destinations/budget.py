"""What an account may still spend today, as far as the vendor's headers tell.

Belongs here: limits, reserve and the vendor's day. Not here: what one operation costs (the vendor's costs module),
who reserved what (ledger), requests a window (limiter).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crm_pipelines.destinations.call import Pacing
from crm_pipelines.destinations.clock import VendorClock
from crm_pipelines.journal import Allowance

DAY = timedelta(days=1)


@dataclass
class DailyMeter:
    """The daily tokens of one account; fed by every answer, read from any thread."""

    clock: VendorClock
    reserve_pct: int
    assumed_limit: int | None = None
    """From plan and seats; used while no header told the limit."""
    limit: int | None = None
    remaining: int | None = None
    _day: str = ""
    _boundary: timedelta = timedelta(0)
    """Where the vendor's day begins, after midnight UTC; the vendor does not name its time zone."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def observe(self, pacing: Pacing) -> None:
        """Take over what an answer's headers say."""
        if pacing.day_limit is None or pacing.day_remaining is None:
            return
        with self._lock:
            self.limit, self.remaining, self._day = pacing.day_limit, pacing.day_remaining, self._day_name()

    def exhausted(self, retry_after_s: float) -> datetime:
        """Take in the vendor's "nothing left": learn where its day ends, and return that moment by our clock (UTC)."""
        with self._lock:
            ends = self.clock.now() + timedelta(seconds=retry_after_s)
            since_midnight = ends - ends.replace(hour=0, minute=0, second=0, microsecond=0)
            self._boundary = since_midnight if since_midnight > timedelta(minutes=1) else timedelta(0)
            self.remaining, self._day = 0, self._day_name()
            return datetime.now(UTC) + timedelta(seconds=retry_after_s)

    def assume(self, tokens: int) -> None:
        """Take a limit for granted while no header tells one."""
        self.assumed_limit = tokens

    def allowance(self) -> Allowance | None:
        """Return the day's allowance, or None while nothing is known about the account."""
        limit = self.limit if self.limit is not None else self.assumed_limit
        if limit is None:
            return None
        reserve = limit * self.reserve_pct // 100
        return Allowance(day=self._day_name(), limit=limit, reserve=reserve, resumes_at=self.resumes_at())

    def known_remaining(self) -> int | None:
        """Return what the vendor said remains of the current vendor day, None when it did not say."""
        return self.remaining if self._day == self._day_name() else None

    def resumes_at(self) -> datetime:
        """Return when the next vendor day begins, by our clock (UTC)."""
        start = self._day_start()
        return start + DAY - timedelta(seconds=self.clock.offset_s)

    def _day_start(self) -> datetime:
        shifted = self.clock.now() - self._boundary
        return shifted.replace(hour=0, minute=0, second=0, microsecond=0) + self._boundary

    def _day_name(self) -> str:
        return self._day_start().date().isoformat()
