from __future__ import annotations

import asyncio
import random

import pytest

from crm_pipelines.destinations.limiter import SlidingLimiter
from crm_pipelines_tests.unit.destinations.virtual_time import VirtualLoop, run

WINDOW_S = 2.0


class Vendor:
    """A server that counts requests in its own rolling window, when they arrive."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.arrivals: list[float] = []

    def violations(self) -> int:
        ordered = sorted(self.arrivals)
        return sum(1 for n, moment in enumerate(ordered) if n >= self.limit and ordered[n - self.limit] > moment - WINDOW_S)


async def _drive(loop: VirtualLoop, limiter: SlidingLimiter, vendor: Vendor, delays: Delays, *, requests: int, workers: int) -> float:
    left = iter(range(requests))
    releases: list[float] = []

    async def work() -> None:
        for _ in left:
            slot = await limiter.acquire()
            releases.append(loop.time())
            await asyncio.sleep(delays.there_s(loop.time()))
            vendor.arrivals.append(loop.time())
            await asyncio.sleep(delays.back_s())
            slot.answered()

    await asyncio.gather(*(work() for _ in range(workers)))
    settled = [moment for moment in releases if moment > releases[0] + 2 * WINDOW_S]
    return len(settled) / (settled[-1] - settled[0]) * WINDOW_S / vendor.limit


class Delays:
    """How long requests and answers take: a fixed part, jitter, and stalls of the vendor in which everything waits."""

    def __init__(self, there_jitter_s: float, back_jitter_s: float = 0.0, stall_s: float = 0.0) -> None:
        self._rng = random.Random(7)
        self._there_jitter_s = there_jitter_s
        self._back_jitter_s = back_jitter_s
        self._stall_s = stall_s

    def there_s(self, now: float) -> float:
        arrives = now + 0.08 + self._rng.random() * self._there_jitter_s
        in_stall_s = arrives % 7.0  # every seven seconds
        return arrives - now + (self._stall_s - in_stall_s if in_stall_s < self._stall_s else 0.0)

    def back_s(self) -> float:
        return 0.12 + self._rng.random() * self._back_jitter_s


def _run(limit: int, delays: Delays, windows: int = 12) -> tuple[Vendor, float]:
    loop = VirtualLoop()
    limiter = SlidingLimiter(limit, WINDOW_S, clock=loop.time)
    vendor = Vendor(limit)
    workers = limit
    return vendor, run(_drive(loop, limiter, vendor, delays, requests=limit * windows, workers=workers), loop)


@pytest.mark.parametrize("limit", [20, 40, 80, 480])
def test_no_window_of_the_vendor_is_ever_over_its_limit_and_95_percent_are_used(limit: int) -> None:
    vendor, share = _run(limit, Delays(0.06))
    assert vendor.violations() == 0
    assert share >= 0.95


@pytest.mark.parametrize(("there_s", "back_s"), [(0.06, 0.06), (0.3, 0.0), (0.0, 0.3), (1.0, 1.0)])
def test_more_jitter_costs_its_mean_and_never_a_violation(there_s: float, back_s: float) -> None:
    vendor, share = _run(80, Delays(there_s, back_s))
    assert vendor.violations() == 0
    assert share >= 0.97 * WINDOW_S / (WINDOW_S + (there_s + back_s) / 2 + 0.015)


def test_a_vendor_that_stalls_and_then_counts_all_at_once_is_not_overrun() -> None:
    vendor, _ = _run(480, Delays(0.06, stall_s=1.2))
    assert vendor.violations() == 0


def test_a_limiter_that_looks_at_releases_only_breaks_the_same_window() -> None:
    loop = VirtualLoop()

    class ReleasesOnly(SlidingLimiter):
        def answered(self, released_s: float, used: int | None, *, is_sample: bool) -> None:
            self._settle(released_s)

    vendor = Vendor(80)
    limiter = ReleasesOnly(80, WINDOW_S, margin_s=0.0, clock=loop.time)
    run(_drive(loop, limiter, vendor, Delays(0.06), requests=960, workers=20), loop)
    assert vendor.violations() > 0


def test_an_unanswered_request_holds_its_place_until_it_is_given_up() -> None:
    loop = VirtualLoop()
    limiter = _limiter(loop, 1)

    async def scene() -> float:
        slot = await limiter.acquire()
        waiting = asyncio.ensure_future(limiter.acquire())
        await asyncio.sleep(30)
        assert not waiting.done()
        slot.lost()
        given_up = loop.time()
        await waiting
        return loop.time() - given_up

    assert run(scene(), loop) >= WINDOW_S


def _limiter(loop: VirtualLoop, limit: int) -> SlidingLimiter:
    return SlidingLimiter(limit, WINDOW_S, clock=loop.time)


def test_after_a_429_nothing_leaves_for_the_pause_and_then_slowly() -> None:
    loop = VirtualLoop()
    limiter = _limiter(loop, 100)

    async def scene() -> list[float]:
        slot = await limiter.acquire()
        slot.refused(3.0)
        begun = loop.time()
        moments = []
        for _ in range(3):
            await limiter.acquire()
            moments.append(loop.time() - begun)
        return moments

    first, second, third = run(scene(), loop)
    assert first >= 3.0
    assert second - first >= 0.4
    assert third - second >= 0.4


def test_many_429s_of_one_burst_widen_the_margin_once() -> None:
    loop = VirtualLoop()
    limiter = _limiter(loop, 100)

    async def scene() -> None:
        slots = [await limiter.acquire() for _ in range(20)]
        for slot in slots:
            slot.refused(2.0)

    before = limiter.margin_s
    run(scene(), loop)
    assert limiter.margin_s == pytest.approx(before * 2)


def test_requests_of_another_app_on_the_same_token_are_counted() -> None:
    loop = VirtualLoop()
    limiter = _limiter(loop, 40)

    async def scene() -> float:
        slot = await limiter.acquire()
        slot.answered(used=39)
        begun = loop.time()
        for _ in range(10):
            await limiter.acquire()
        return loop.time() - begun

    assert run(scene(), loop) >= WINDOW_S


def test_the_headers_limit_is_taken_over() -> None:
    loop = VirtualLoop()
    limiter = _limiter(loop, 10)
    limiter.resize(480)

    async def scene() -> float:
        begun = loop.time()
        for _ in range(240):
            await limiter.acquire()
        return loop.time() - begun

    assert run(scene(), loop) < WINDOW_S


def test_a_request_that_waited_for_a_handshake_is_booked_when_it_left() -> None:
    loop = VirtualLoop()
    limiter = _limiter(loop, 1)

    async def scene() -> float:
        slot = await limiter.acquire()
        await asyncio.sleep(1.5)
        slot.moved()
        left = loop.time()
        slot.answered()
        await limiter.acquire()
        return loop.time() - left

    assert run(scene(), loop) >= WINDOW_S
