"""Keep requests inside a vendor's rolling window, whatever the network does between our clock and theirs.

Belongs here: when a request may leave. Not here: tokens a day (budget, ledger), what happens after a 429 (http).

A limiter that is exact on this side still breaks a rolling window, because latency varies: requests that left far apart
arrive close together. So the log is kept on release times and the window is widened by a margin; a margin of m seconds
costs m / (window + m) of the allowance and is safe while the way to the vendor varies by less than m.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Awaitable, Callable

DEFAULT_MARGIN_S = 0.066  # measured: no violation at 60 ms of jitter, 96.7 % of the allowance
MAX_MARGIN_S = 1.0
MAX_SPREAD_S = 0.1  # 95.2 % of the allowance; a slow vendor is not a jittery network, so beyond this only a 429 widens the margin
LATENCY_SAMPLES = 256
MIN_SAMPLES = 32
WIDEN_ON_VIOLATION = 1.5
UNLEARNT_REQUESTS = 10  # until the vendor's headers tell: half of the smallest window of any plan
SLOW_START_S = 0.5  # first gap between requests after a 429; every good answer halves it
NO_GAP_S = 0.004
PACE = 0.95  # of an even spacing: requests leave evenly, so that a stall at the vendor piles up few; the rest is for catching up
LONGEST_NAP_S = 0.25  # a stop signal is seen within this time
LATE_S = 0.15  # how far behind the even schedule a release may be and still be caught up with


class Slot:
    """One request's place in the log."""

    __slots__ = ("_limiter", "released_s")

    def __init__(self, limiter: SlidingLimiter, released_s: float) -> None:
        self._limiter = limiter
        self.released_s = released_s

    def moved(self) -> None:
        """Say that the request left only now: the first one on a connection waits for the handshake."""
        self.released_s = self._limiter.move(self.released_s)

    def answered(self, used: int | None = None, *, sample: bool = True) -> None:
        """Learn from a good answer: how long it took, and how many requests of this window the vendor counts."""
        self._limiter.learn(self.released_s, used, sample=sample)

    def refused(self, pause_s: float) -> None:
        """The vendor said 429: let nothing leave for `pause_s`."""
        self._limiter.refused(self.released_s, pause_s)


class SlidingLimiter:
    """At most `limit` requests in any window of the vendor's clock; one per account and process, used in one event loop."""

    def __init__(
        self,
        limit: int = UNLEARNT_REQUESTS,
        window_s: float = 2.0,
        margin_s: float = DEFAULT_MARGIN_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.limit = limit
        self.window_s = window_s
        self.margin_s = margin_s
        self._floor_s = margin_s
        self._clock = clock
        self._sleep = sleep
        self._log: list[float] = []
        self._latencies: deque[float] = deque(maxlen=LATENCY_SAMPLES)
        self._since_margin = 0
        self._not_before = float("-inf")
        self._refused_s = float("-inf")
        self._gap_s = 0.0
        self._due_s = float("-inf")
        self._turn = asyncio.Lock()

    async def acquire(self, is_off: Callable[[], bool] = lambda: False) -> Slot:
        """Wait until one more request may leave, first come first served; or until it is off, and must not leave."""
        async with self._turn:
            while (wait_s := self._wait_s(self._clock())) > 0 and not is_off():
                await self._sleep(min(wait_s, LONGEST_NAP_S))
            now = self._clock()
            insort(self._log, now)
            self._due_s = max(self._due_s, now - LATE_S) + PACE * (self.window_s + self.margin_s) / self.limit
            return Slot(self, now)

    def resize(self, limit: int) -> None:
        """Take over the limit that the vendor's headers tell."""
        if limit > 0:
            self.limit = limit

    def refused(self, released_s: float, pause_s: float) -> None:
        """Pause after a 429, widen the margin since it was too small, and start again slowly.

        Requests that were already under way when the first 429 came say nothing new: they only prolong the pause.
        """
        now = self._clock()
        self._not_before = max(self._not_before, now + pause_s)
        self._gap_s = SLOW_START_S
        if released_s > self._refused_s:
            self._refused_s = now
            self._floor_s = min(MAX_MARGIN_S, self._floor_s * WIDEN_ON_VIOLATION)
            self.margin_s = max(self.margin_s, self._floor_s)

    def move(self, released_s: float) -> float:
        """Replace a release time by now and return it."""
        index = bisect_left(self._log, released_s)
        if index < len(self._log) and self._log[index] == released_s:
            del self._log[index]
        now = self._clock()
        insort(self._log, now)
        return now

    def learn(self, released_s: float, used: int | None, *, sample: bool) -> None:
        """Take in one answer. `used` counts the vendor's window; what exceeds our own log was sent by someone else."""
        now = self._clock()
        self._gap_s = self._gap_s / 2 if self._gap_s > NO_GAP_S else 0.0
        if sample:
            self._latencies.append(now - released_s)
            self._adapt()
        if used is not None:
            self._count_strangers(now, released_s, used)

    @property
    def latency_s(self) -> float | None:
        """Median time from release to answer, once enough answers were seen."""
        return sorted(self._latencies)[len(self._latencies) // 2] if len(self._latencies) >= 4 else None

    def _wait_s(self, now: float) -> float:
        self._forget(now)
        wait_s = self._not_before - now
        wait_s = max(wait_s, self._due_s - now)
        if self._gap_s and self._log:
            wait_s = max(wait_s, self._log[-1] + self._gap_s - now)
        if len(self._log) >= self.limit:
            wait_s = max(wait_s, self._log[-self.limit] + self.window_s + self.margin_s - now)
        return wait_s

    def _forget(self, now: float) -> None:
        """Drop releases that no window, late answer or later limit can ask for."""
        keep_from = bisect_right(self._log, now - 10 * self.window_s)
        if keep_from > 256:
            del self._log[:keep_from]

    def _adapt(self) -> None:
        """Follow the spread of latencies (2nd to 98th percentile); outliers beyond it fit into the slack of the margin."""
        self._since_margin += 1
        if len(self._latencies) < MIN_SAMPLES or self._since_margin < MIN_SAMPLES:
            return
        self._since_margin = 0
        ordered = sorted(self._latencies)
        edge = len(ordered) // 50
        spread = ordered[-1 - edge] - ordered[edge]
        self.margin_s = max(self._floor_s, min(MAX_SPREAD_S, spread))

    def _count_strangers(self, now: float, released_s: float, used: int) -> None:
        """Book requests that another process or app sent on this token as if they had left now."""
        since = released_s - self.window_s - self.margin_s
        ours = len(self._log) - bisect_left(self._log, since)
        tolerance = max(2, self.limit // 50)
        for _ in range(min(used - ours - tolerance, self.limit)):
            insort(self._log, now)
