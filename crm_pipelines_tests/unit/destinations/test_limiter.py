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


async def _drive(
    loop: VirtualLoop, limiter: SlidingLimiter, vendor: Vendor, *, requests: int, workers: int, jitter_s: float, learns: bool
) -> float:
    rng = random.Random(7)
    left = iter(range(requests))
    releases: list[float] = []

    async def work() -> None:
        for _ in left:
            slot = await limiter.acquire()
            releases.append(loop.time())
            await asyncio.sleep(0.03 + rng.random() * jitter_s)
            vendor.arrivals.append(loop.time())
            await asyncio.sleep(0.12)
            if learns:
                slot.answered()

    await asyncio.gather(*(work() for _ in range(workers)))
    settled = [moment for moment in releases if moment > releases[0] + WINDOW_S]
    return len(settled) / (settled[-1] - settled[0]) * WINDOW_S / vendor.limit


def _run(
    limit: int, *, margin_s: float | None = None, jitter_s: float = 0.06, requests: int | None = None, learns: bool = True
) -> tuple[Vendor, float]:
    loop = VirtualLoop()
    more = {} if margin_s is None else {"margin_s": margin_s}
    limiter = SlidingLimiter(limit, WINDOW_S, clock=loop.time, **more)
    vendor = Vendor(limit)
    workers = max(4, limit // 6)
    work = _drive(loop, limiter, vendor, requests=requests or limit * 12, workers=workers, jitter_s=jitter_s, learns=learns)
    share = run(work, loop)
    return vendor, share


@pytest.mark.parametrize("limit", [20, 40, 80, 480])
def test_no_window_of_the_vendor_is_ever_over_its_limit_and_95_percent_are_used(limit: int) -> None:
    vendor, share = _run(limit)
    assert vendor.violations() == 0
    assert share >= 0.95


def test_without_a_margin_the_same_traffic_breaks_the_window() -> None:
    vendor, _ = _run(80, margin_s=0.0001, learns=False)
    assert vendor.violations() > 0


def test_the_margin_follows_the_jitter_that_answers_show() -> None:
    vendor, share = _run(80, jitter_s=0.1)
    assert vendor.violations() == 0
    assert share >= 0.95


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
    assert limiter.margin_s == pytest.approx(before * 1.5)


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
        await limiter.acquire()
        return loop.time() - left

    assert run(scene(), loop) >= WINDOW_S
