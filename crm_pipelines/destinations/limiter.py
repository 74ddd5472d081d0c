"""Keep requests inside a vendor's rolling window, whatever the network does between our clock and theirs.

Belongs here: when a request may leave. Not here: tokens a day (budget, ledger), what happens after a 429 (http).

A limiter that is exact on this side still breaks a rolling window, because latency varies: requests that left far apart
arrive close together. So a request holds its place from its release until one window after the latest moment at which the
vendor can have counted it: the moment of its answer, less the shortest round trip ever seen. While it is unanswered it holds
its place, however old it is. That is safe under any jitter and any stall, and costs the mean of the jitter, not its maximum:
97 % of the allowance at 60 ms. Holding every place until one window after its answer would cost the whole latency (91 %).
"""

from __future__ import annotations

import asyncio
import heapq
import time
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Awaitable, Callable

DEFAULT_MARGIN_S = 0.015  # for the shortest round trip not seen yet, and the vendor's own timers
MAX_MARGIN_S = 1.0
WIDEN_ON_VIOLATION = 2.0
LATENCY_SAMPLES = 64
UNLEARNT_REQUESTS = 10  # until the vendor's headers tell: half of the smallest window of any plan
SLOW_START_S = 0.5  # first gap between requests after a 429; every good answer halves it
NO_GAP_S = 0.004
PACE = 0.95  # of an even spacing: requests leave evenly, so that a stall at the vendor piles up few; the rest is for catching up
LATE_S = 0.15  # how far behind the even schedule a release may be and still be caught up with
LONGEST_NAP_S = 0.25  # a stop signal is seen within this time
FULL_NAP_S = 0.01  # while the window is full: an answer may free a place earlier than known


class Slot:
    """One request's place."""

    __slots__ = ("_is_open", "_limiter", "released_s")

    def __init__(self, limiter: SlidingLimiter, released_s: float) -> None:
        self._limiter = limiter
        self._is_open = True
        self.released_s = released_s

    def moved(self) -> None:
        """Say that the request left only now: the first one on a connection waits for the handshake."""
        self.released_s = self._limiter.now()

    def answered(self, used: int | None = None, *, is_sample: bool = True) -> None:
        """Learn from an answer: how long it took, and how many requests of this window the vendor counts."""
        if self._is_open:
            self._is_open = False
            self._limiter.answered(self.released_s, used, is_sample=is_sample)

    def refused(self, pause_s: float) -> None:
        """The vendor said 429: let nothing leave for `pause_s`."""
        if self._is_open:
            self._is_open = False
            self._limiter.refused(self.released_s, pause_s)

    def lost(self) -> None:
        """Give the place up without an answer; the vendor may have counted it until now."""
        if self._is_open:
            self._is_open = False
            self._limiter.lost()


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
        self.now = clock
        self._sleep = sleep
        self._open = 0
        self._held_until: list[float] = []
        """A heap: when the places of answered requests become free."""
        self._counted: list[float] = []
        """Sorted: the latest moments at which answered requests were counted; only to tell strangers."""
        self._shortest_s = float("inf")
        self._latencies: deque[float] = deque(maxlen=LATENCY_SAMPLES)
        self._not_before = float("-inf")
        self._refused_s = float("-inf")
        self._released_s = float("-inf")
        self._due_s = float("-inf")
        self._gap_s = 0.0
        self._turn = asyncio.Lock()

    async def acquire(self, is_off: Callable[[], bool] = lambda: False) -> Slot:
        """Wait until one more request may leave, first come first served; or until it is off, and must not leave."""
        async with self._turn:
            while (wait_s := self._wait_s(self.now())) > 0 and not is_off():
                await self._sleep(min(wait_s, LONGEST_NAP_S))
            now = self.now()
            self._open += 1
            self._released_s = now
            self._due_s = max(self._due_s, now - LATE_S) + PACE * self.window_s / self.limit
            return Slot(self, now)

    def resize(self, limit: int) -> None:
        """Take over the limit that the vendor's headers tell."""
        if limit > 0:
            self.limit = limit

    def answered(self, released_s: float, used: int | None, *, is_sample: bool) -> None:
        """Take in a good answer. `used` counts the vendor's window; what exceeds our own requests was sent by someone else."""
        now = self.now()
        self._gap_s = self._gap_s / 2 if self._gap_s > NO_GAP_S else 0.0
        round_trip_s = now - released_s
        if is_sample:
            self._shortest_s = min(self._shortest_s, round_trip_s)
            self._latencies.append(round_trip_s)
        if used is not None:
            self._count_strangers(now, released_s, used)
        self._settle(max(released_s, now - self._shortest_s))

    def refused(self, released_s: float, pause_s: float) -> None:
        """Pause after a 429, widen the margin since it was too small, and start again slowly.

        Requests that were already under way when the first 429 came say nothing new: they only prolong the pause.
        """
        now = self.now()
        self._not_before = max(self._not_before, now + pause_s)
        self._gap_s = SLOW_START_S
        if released_s > self._refused_s:
            self._refused_s = now
            self.margin_s = min(MAX_MARGIN_S, self.margin_s * WIDEN_ON_VIOLATION)
        self._settle(now)

    def lost(self) -> None:
        """Take in that a request got no answer."""
        self._settle(self.now())

    @property
    def latency_s(self) -> float | None:
        """Median time from release to answer, once enough answers were seen."""
        return sorted(self._latencies)[len(self._latencies) // 2] if len(self._latencies) >= 4 else None

    def _settle(self, counted_s: float) -> None:
        """Book the latest moment at which the vendor can have counted a request."""
        self._open -= 1
        insort(self._counted, counted_s)
        heapq.heappush(self._held_until, counted_s + self.window_s + self.margin_s)

    def _wait_s(self, now: float) -> float:
        while self._held_until and self._held_until[0] <= now:
            heapq.heappop(self._held_until)
        wait_s = max(self._not_before, self._due_s, self._released_s + self._gap_s) - now
        if self._open + len(self._held_until) >= self.limit:
            next_free_s = self._held_until[0] - now if self._held_until else FULL_NAP_S
            wait_s = max(wait_s, min(next_free_s, FULL_NAP_S))
        return wait_s

    def _count_strangers(self, now: float, released_s: float, used: int) -> None:
        """Hold places for requests that another process or app sent on this token, as if they had been counted now."""
        stale = bisect_right(self._counted, now - 10 * self.window_s)
        if stale > LATENCY_SAMPLES:
            del self._counted[:stale]
        ours = self._open + len(self._counted) - bisect_right(self._counted, released_s - self.window_s)
        tolerance = max(2, self.limit // 50)
        for _ in range(min(used - ours - tolerance, self.limit)):
            insort(self._counted, now)
            heapq.heappush(self._held_until, now + self.window_s)
