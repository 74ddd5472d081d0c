"""The one HTTP client of all destinations: pacing, retries, redaction, and the line between "not applied" and "unknown".

Belongs here: what may be repeated, for how long, and what an error of the wire means. Not here: what a call and its answer are
(call), what a vendor's answers mean (its `Dialect`), when a request may leave (limiter), tokens a day (budget), the order of ledger
and network (sending).

    before a byte left          connection refused, handshake failed      repeat, whatever the request
    the vendor said "not now"   429, 503 with retry-after                 repeat, after the pause it names
    after bytes left            timeout, dropped connection, 5xx          GET, PATCH, DELETE: repeat; POST: OutcomeUnknown,
                                                                          unless it only reads
    the vendor rolled it back   the dialect raises Unsent                 repeat, whatever the request
    the vendor said no          400, 403, 404, 410, 422                   Answer.refusal; never repeated
    nothing can go on           401, HTML 403, daily budget, not an API   raised now and for every later call

Nothing here logs a body, a parameter or a credential.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from crm_pipelines.destinations.call import Answer, Call, Dialect, HeldBack, Pacing, Throttled, Unsent
from crm_pipelines.destinations.clock import VendorClock
from crm_pipelines.destinations.limiter import LONGEST_NAP_S, SlidingLimiter, Slot
from crm_pipelines.destinations.wire import Connection, proxy_for
from crm_pipelines.errors import CrmError, DestinationError, OutcomeUnknown, QuotaExhausted, SettingsError, TransientError
from crm_pipelines.observe import failpoint, logger

log = logger(__name__)
for _noisy in ("httpx", "httpcore"):  # they log addresses with parameters at INFO and headers at DEBUG
    logging.getLogger(_noisy).setLevel(logging.WARNING)

MAX_SLEEP_S = 60.0  # a longer pause is the daily budget's, and belongs to the ledger, not to a sleeping process
KEEPALIVE_S = 4.0  # shorter than the idle limit of any server we meet (uvicorn 5 s): a reused connection must be alive
MAX_KNOWN_URLS = 100
STANDARD_HEADERS = {"accept": "application/json", "accept-encoding": "gzip", "user-agent": "crm-pipelines"}
MAX_CONNECTIONS = 64  # 240 requests a second at 250 ms need 60


@dataclass(frozen=True)
class Patience:
    """How often and how long a call is repeated."""

    attempts: int = 6
    attempts_unmet: int = 3
    """While the vendor has not answered at all: most likely the address is wrong or the server is down."""
    first_wait_s: float = 0.25
    longest_wait_s: float = 20.0
    connect_s: float = 5.0
    answer_s: float = 30.0


class _Lane:
    """One connection: a single pool collapses beyond about 16 connections."""

    __slots__ = ("last_used_s", "transport")

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.last_used_s = float("-inf")


class HttpClient:
    """Sends calls to one account; used inside one event loop."""

    def __init__(
        self,
        dialect: Dialect,
        limiter: SlidingLimiter,
        *,
        search_limiter: SlidingLimiter | None = None,
        connections: int = MAX_CONNECTIONS,
        patience: Patience | None = None,
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
        on_pacing: Callable[[Pacing], None] = lambda _pacing: None,
    ) -> None:
        self.dialect = dialect
        self.limiter = limiter
        self.clock = VendorClock()
        self.last_sent_s = float("-inf")
        """Monotonic time of the last request that may have changed something."""
        self._search_limiter = search_limiter or SlidingLimiter(10)
        self._patience = patience or Patience()
        self._transport = transport
        self._on_pacing = on_pacing
        self._halted: CrmError | None = None
        self.was_answered = False
        """Whether the vendor answered anything yet."""
        self._is_draining = False
        self._tls: ssl.SSLContext | None = None
        self._timeout = httpx.Timeout(self._patience.answer_s, connect=self._patience.connect_s).as_dict()
        self._urls: dict[str, httpx.URL] = {}
        self._free: list[_Lane] = []
        self._lanes: list[_Lane] = []
        self._permits = asyncio.Semaphore(connections)
        self._renewal = asyncio.Lock()
        self._retrying = AsyncRetrying(
            sleep=self._nap,
            stop=self._gives_up,
            wait=self._wait_s,
            retry=retry_if_exception_type(TransientError),
            reraise=True,
            before_sleep=self._tell_retrying,
        )
        self._is_told = False

    def drain(self, is_draining: bool) -> None:
        """While draining, journalled calls that did not leave yet raise HeldBack instead of leaving."""
        self._is_draining = is_draining

    async def send(self, call: Call) -> Answer:
        """Send one call, repeating it as far as that is safe.

        Raises: OutcomeUnknown when it may have been applied without an answer; TransientError when it was not applied and the
        vendor stays away; SettingsError, QuotaExhausted, DestinationError when nothing more can be sent.
        """
        try:
            return await self._retrying.copy()(self._once, call)
        except (Throttled, Unsent, OutcomeUnknown):
            raise
        except TransientError as error:
            if call.only_reads or call.method in {"GET", "HEAD"}:
                raise
            raise OutcomeUnknown(str(error)) from error

    async def close(self) -> None:
        """Close all connections."""
        for lane in self._lanes:
            await lane.transport.aclose()
        self._lanes.clear()
        self._free.clear()

    async def _once(self, call: Call) -> Answer:
        async with self._permits:
            lane = self._free.pop() if self._free else self._open_lane()
            try:
                return await self._exchange(lane, call)
            finally:
                self._free.append(lane)

    async def _exchange(self, lane: _Lane, call: Call) -> Answer:
        limiter = self._search_limiter if call.is_search else self.limiter
        self._refuse_if_stopped(call)
        slot = await limiter.acquire(lambda: self._is_off(call))
        try:
            self._refuse_if_stopped(call)
            return await self._paced(lane, call, slot)
        finally:
            slot.lost()

    async def _paced(self, lane: _Lane, call: Call, slot: Slot) -> Answer:
        is_warm = time.monotonic() - lane.last_used_s < KEEPALIVE_S
        credentials = self.dialect.headers()
        sent_s = time.time()
        status, headers, content = await self._transfer(lane, call, slot, credentials, is_warm=is_warm)
        lane.last_used_s = time.monotonic()
        self.was_answered = True
        self.clock.observe(headers.get("date"), sent_s, time.time())
        self._learn(call, status, slot, headers, is_warm=is_warm)
        if status == 401 and await self._renewed(lane, credentials):
            raise Unsent(f"{call.operation}: the access token had expired")
        return self._judge(call, slot, status, headers, content)

    def _refuse_if_stopped(self, call: Call) -> None:
        halted = self._halted
        if isinstance(halted, QuotaExhausted) and datetime.now(UTC) >= halted.resumes_at:
            self._halted = halted = None
        if halted is not None:
            raise halted
        if self._is_off(call):
            raise HeldBack(f"{call.operation}: stopped before it left")

    def _is_off(self, call: Call) -> bool:
        return self._is_draining and call.attempt_id is not None

    async def _transfer(
        self, lane: _Lane, call: Call, slot: Slot, credentials: Mapping[str, str], *, is_warm: bool
    ) -> tuple[int, dict[str, str], bytes]:
        request = self._build(call, credentials)
        if not is_warm:
            request.extensions = {**request.extensions, "trace": _moves(slot)}
        if call.attempt_id is not None:
            self.last_sent_s = time.monotonic()
        try:
            response = await lane.transport.handle_async_request(request)
            if call.attempt_id is not None:
                failpoint("journal.committed_unanswered")
            headers = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in response.headers.raw}
            return response.status_code, headers, await response.aread()
        except httpx.RequestError as error:
            raise self._wire_error(call, error) from error

    def _build(self, call: Call, credentials: Mapping[str, str]) -> httpx.Request:
        is_xml = isinstance(call.body, bytes)
        content = call.body if call.body is None or is_xml else orjson.dumps(call.body)
        headers = {**STANDARD_HEADERS, **credentials}
        if content is not None:
            headers["content-type"] = "text/xml" if is_xml else "application/json"
        url = self._url(call.path)
        if call.params:
            url = url.copy_merge_params(call.params)
        return httpx.Request(call.method, url, headers=headers, content=content, extensions={"timeout": self._timeout})

    def _url(self, path: str) -> httpx.URL:
        """Return an address; those of creates and lists come again and again, and parsing one costs 60 us."""
        url = self._urls.get(path)
        if url is None:
            url = httpx.URL(self.dialect.base_url + path)
            if len(self._urls) < MAX_KNOWN_URLS:
                self._urls[path] = url
        return url

    def _wire_error(self, call: Call, error: httpx.RequestError) -> CrmError:
        kind = type(error).__name__
        log.warning("%s attempt=%s failed on the wire: %s", call.operation, call.attempt_id, kind)
        if isinstance(error, httpx.UnsupportedProtocol):
            return SettingsError("account.base_url must begin with https://")
        what = call.operation if self.was_answered else "account.base_url"  # before the first answer, the address is what to look at
        where = f"{what}: {httpx.URL(self.dialect.base_url).host} ({kind})"
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
            return Unsent(f"{where}: no connection. Check that the address is right and the server is up, then run again")
        if call.is_repeatable:
            return TransientError(f"{where}: the connection broke; run again when the network is steady")
        return OutcomeUnknown(f"{where}: sent, and no answer came")

    def _learn(self, call: Call, status: int, slot: Slot, headers: Mapping[str, str], *, is_warm: bool) -> None:
        pacing = self.dialect.pacing(headers)
        self._on_pacing(pacing)
        if status == 429:
            return
        used = None
        if not call.is_search and pacing.burst_limit is not None:
            self.limiter.resize(pacing.burst_limit)
            used = None if pacing.burst_remaining is None else pacing.burst_limit - pacing.burst_remaining
        slot.answered(used, is_sample=is_warm)

    def _judge(self, call: Call, slot: Slot, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
        level = logging.DEBUG if status < 400 else logging.WARNING
        if log.isEnabledFor(level):
            request_id = headers.get("x-request-id") or headers.get("x-correlation-id") or headers.get("cf-ray")
            log.log(level, "%s attempt=%s status=%s request=%s", call.operation, call.attempt_id, status, request_id)
        try:
            return self.dialect.judge(call, status, headers, content)
        except Throttled as error:
            slot.refused(min(error.retry_after_s or 1.0, MAX_SLEEP_S))
            raise
        except Unsent:
            raise
        except TransientError as error:
            if call.is_repeatable:
                raise
            raise OutcomeUnknown(str(error)) from error
        except (SettingsError, DestinationError) as error:
            self._halted = error
            raise

    async def _renewed(self, lane: _Lane, used: Mapping[str, str]) -> bool:
        async with self._renewal:
            return await self.dialect.renew(httpx.AsyncClient(transport=lane.transport), used)

    def _gives_up(self, state: RetryCallState) -> bool:
        patience = self._patience
        return state.attempt_number >= (patience.attempts if self.was_answered else patience.attempts_unmet)

    def _tell_retrying(self, state: RetryCallState) -> None:
        """Say once, on stderr, that a destination which never answered is tried again: nobody waits without a word."""
        if self._is_told or self.was_answered:
            return
        self._is_told = True
        patience, tried = self._patience, state.attempt_number
        left = range(tried, patience.attempts_unmet)
        pauses_s = sum(min(patience.longest_wait_s, patience.first_wait_s * 2**number) for number in left)
        more_s = max(1, round(len(left) * (state.seconds_since_start or 0.0) / tried + pauses_s))
        host = httpx.URL(self.dialect.base_url).host
        sys.stderr.write(f"{host} does not answer; trying for about {more_s} s more\n")
        sys.stderr.flush()

    async def _nap(self, seconds: float) -> None:
        """Sleep between repeats, in short naps, so that a drain is not kept waiting."""
        until_s = time.monotonic() + seconds
        while not self._is_draining and (left_s := until_s - time.monotonic()) > 0:
            await asyncio.sleep(min(left_s, LONGEST_NAP_S))

    def _wait_s(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        pause_s: float = wait_random_exponential(multiplier=self._patience.first_wait_s, max=self._patience.longest_wait_s)(state)
        if isinstance(error, TransientError) and error.retry_after_s is not None:
            return min(error.retry_after_s, MAX_SLEEP_S) + pause_s / 4
        return pause_s

    def _open_lane(self) -> _Lane:
        lane = _Lane(self._transport() if self._transport is not None else self._connection())
        self._lanes.append(lane)
        return lane

    def _connection(self) -> httpx.AsyncBaseTransport:
        self._tls = self._tls or httpx.create_ssl_context()  # 15 ms each: one for all lanes
        proxy = proxy_for(httpx.URL(self.dialect.base_url))
        if proxy is None:
            return Connection(self._tls, KEEPALIVE_S)
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEPALIVE_S)
        return httpx.AsyncHTTPTransport(verify=self._tls, limits=limits, proxy=proxy)


def _moves(slot: Slot) -> Callable[[str, Any], Awaitable[None]]:
    """Return a trace hook that books the request when its first byte leaves, after the handshake of a new connection."""

    async def trace(name: str, _info: Any) -> None:
        if name.endswith("send_request_headers.started"):
            slot.moved()

    return trace
