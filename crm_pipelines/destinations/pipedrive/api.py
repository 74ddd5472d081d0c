"""Calls to one Pipedrive account from synchronous code: pages, spend, and what the account still allows.

Belongs here: paging and the count of tokens for reads. Not here: which lists answer a question (listing, describe),
records that are written (write).
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any, TypeVar

import httpx

from crm_pipelines.destinations.background import Background
from crm_pipelines.destinations.budget import DailyMeter
from crm_pipelines.destinations.call import Answer, Call
from crm_pipelines.destinations.clock import VendorClock
from crm_pipelines.destinations.http import HttpClient, Patience
from crm_pipelines.destinations.limiter import SlidingLimiter
from crm_pipelines.destinations.pipedrive.costs import COSTS, LIST_PAGE, PLANS, SEARCHES_PER_WINDOW, TOKENS_PER_SEAT, WINDOW_S
from crm_pipelines.destinations.pipedrive.dialect import PipedriveDialect
from crm_pipelines.errors import DestinationError, RefusedError
from crm_pipelines.journal import Journal
from crm_pipelines.settings import AccountSettings

T = TypeVar("T")
Record = Mapping[str, Any]


class Api:
    """One account's client, its meter and its event loop."""

    def __init__(
        self,
        account: AccountSettings,
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.account = account
        self.meter = DailyMeter(VendorClock(), account.reserve_pct, _assumed_limit(account))
        self.dialect = PipedriveDialect(account, self.meter)
        self.http = HttpClient(
            self.dialect,
            SlidingLimiter(window_s=WINDOW_S),
            search_limiter=SlidingLimiter(SEARCHES_PER_WINDOW, WINDOW_S),
            patience=patience,
            transport=transport,
            on_pacing=self.meter.observe,
        )
        self.meter.clock = self.http.clock
        self._spent: list[tuple[str, int]] = []
        self._lock = threading.Lock()
        self._background: Background | None = None

    @property
    def background(self) -> Background:
        """The event loop, started when it is first needed."""
        if self._background is None:
            self._background = Background()
        return self._background

    def run(self, work: Coroutine[Any, Any, T], journal: Journal | None = None) -> T:
        """Run a coroutine; afterwards book what its reads cost."""
        try:
            return self.background.run(work)
        finally:
            if journal is not None:
                self.book(journal)

    def book(self, journal: Journal) -> None:
        """Hand the tokens of reads, and what the vendor says remains, to the journal."""
        with self._lock:
            spent, self._spent = self._spent, []
        allowance = self.meter.allowance()
        for operation, tokens in spent:
            journal.spent(operation, tokens, allowance)
        remaining = self.meter.known_remaining()
        if allowance is not None and remaining is not None:
            journal.observed(allowance, remaining)
        if self.http.clock.is_known:
            journal.vendor_clock(self.http.clock.offset_s)

    def unbooked(self) -> tuple[int, int]:
        """Return the requests and tokens of reads that no journal was told of yet."""
        with self._lock:
            return len(self._spent), sum(tokens for _, tokens in self._spent)

    async def read(self, operation: str, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """Send one GET. Raises: RefusedError when the vendor says no."""
        cost = COSTS[operation]
        answer = await self.http.send(Call(operation, "GET", path, cost, params))
        with self._lock:
            self._spent.append((operation, cost))
        if answer.refusal is not None and answer.status != 404:
            raise RefusedError(f"{operation}: {answer.refusal.reason}; the token's user must be allowed to read this")
        return answer

    async def each_page(self, operation: str, path: str, params: Mapping[str, str] | None = None) -> AsyncIterator[list[Record]]:
        """Yield a v2 list page by page; the price is per page, so pages are as large as the vendor allows."""
        query = {**(params or {}), "limit": str(LIST_PAGE)}
        while True:
            answer = await self.read(operation, path, query)
            yield _rows(answer, operation)
            cursor = (answer.body.get("additional_data") or {}).get("next_cursor")
            if not cursor:
                return
            query["cursor"] = cursor

    async def each_page_v1(self, operation: str, path: str, params: Mapping[str, str] | None = None) -> AsyncIterator[list[Record]]:
        """Yield a v1 list page by page."""
        query = {**(params or {}), "limit": str(LIST_PAGE), "start": "0"}
        while True:
            answer = await self.read(operation, path, query)
            yield _rows(answer, operation)
            paging = (answer.body.get("additional_data") or {}).get("pagination") or {}
            if not paging.get("more_items_in_collection"):
                return
            query["start"] = str(paging["next_start"])

    async def pages(self, operation: str, path: str, params: Mapping[str, str] | None = None) -> list[Record]:
        """Return all records of a v2 list."""
        return [row async for page in self.each_page(operation, path, params) for row in page]

    def close(self) -> None:
        """Close connections and the event loop."""
        if self._background is not None:
            self._background.run(self.http.close())
            self._background.close()
            self._background = None


def _rows(answer: Answer, operation: str) -> list[Record]:
    rows = answer.data
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise DestinationError(f"{operation}: expected a list in the vendor's answer; run again, and report it if it happens twice")
    return rows


def _assumed_limit(account: AccountSettings) -> int | None:
    plan = PLANS.get((account.plan or "").lower())
    return None if plan is None or account.seats is None else TOKENS_PER_SEAT * plan.multiplier * account.seats
