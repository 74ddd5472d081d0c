"""Who may send how much: the day's tokens, the rolling two-second windows, and the edge that blocks who ignores 429s.

Belongs here: counting and refusing. Not here: the bodies of refusals (answers), what an operation costs (operations).
Source: core-api-concepts-rate-limiting (2026-09-17).
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from crm_pipelines.sandbox.pipedrive import answers
from crm_pipelines.sandbox.pipedrive.answers import Answer
from crm_pipelines.sandbox.pipedrive.clock import Clock
from crm_pipelines.sandbox.pipedrive.config import SEARCHES_PER_WINDOW, WINDOW_S, SandboxConfig, Switches

STRIKE_WINDOW_S = 10.0

Headers = list[tuple[bytes, bytes]]


class Window:
    """Requests of one credential within the last two seconds."""

    __slots__ = ("_moments", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._moments: deque[float] = deque()

    def admit(self, moment: float) -> bool:
        """Count a request, or refuse it when the window is full."""
        moments = self._moments
        while moments and moments[0] <= moment - WINDOW_S:
            moments.popleft()
        if len(moments) >= self.limit:
            return False
        moments.append(moment)
        return True

    def headers(self, moment: float) -> Headers:
        """The x-ratelimit headers as they stand after the request."""
        reset_s = max(1, round(self._moments[0] + WINDOW_S - moment + 0.5)) if self._moments else 2
        return [
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % (self.limit - len(self._moments))),
            (b"x-ratelimit-reset", b"%d" % min(reset_s, int(WINDOW_S))),
        ]


@dataclass
class Tally:
    """What was refused and why; part of the truth counters."""

    violations: int = 0
    search_violations: int = 0
    daily_refusals: int = 0
    edge_blocks: int = 0
    search_calls: int = 0
    spent_by_day: Counter[str] = field(default_factory=Counter)

    def numbers(self) -> list[int]:
        """The counts without the days, in the order that `restore` reads."""
        return [self.violations, self.search_violations, self.daily_refusals, self.edge_blocks, self.search_calls]

    def restore(self, numbers: list[int]) -> None:
        """Take over what `numbers` gave."""
        self.violations, self.search_violations, self.daily_refusals, self.edge_blocks, self.search_calls = numbers


class Limiter:
    """All limits of one company; its credentials are told apart by kind, since it has one of each."""

    def __init__(self, config: SandboxConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self.tally = Tally()
        self._windows: dict[str, Window] = {}
        self._searches: dict[str, Window] = {}
        self._strikes: dict[str, deque[float]] = {}
        self._blocked_until: dict[str, float] = {}

    @property
    def spent(self) -> int:
        """Tokens spent on the vendor's current day, other apps' included."""
        return self.tally.spent_by_day[self._clock.day()]

    def charge(self, tokens: int) -> None:
        """Spend tokens of the current day; negative gives them back."""
        self.tally.spent_by_day[self._clock.day()] += tokens

    def admit(self, kind: str, cost: int, is_search: bool, moment: float, switches: Switches) -> tuple[Answer | None, Headers]:
        """Count a request against every limit.

        Shape: the refusal, or None when admitted and charged; and the headers that go with the answer.
        """
        if self._is_blocked(kind, moment, switches):
            return answers.blocked_at_edge(), []
        window = self._search_window(kind) if is_search else self._window(kind)
        refusal = self._refusal(kind, cost, is_search, moment, switches)
        if refusal is None:
            self.charge(cost)
            self.tally.search_calls += is_search
        else:
            self.strike(kind, moment)
        return refusal, window.headers(moment) + self._token_headers(switches)

    def strike(self, kind: str, moment: float) -> None:
        """Remember that a client was told 429."""
        self._strikes.setdefault(kind, deque(maxlen=1_000)).append(moment)

    def _refusal(self, kind: str, cost: int, is_search: bool, moment: float, switches: Switches) -> Answer | None:
        if self.spent + cost > self._config.tokens_per_day:
            self.tally.daily_refusals += 1
            return answers.over_daily_budget(self._clock.seconds_to_midnight())
        if not self._window(kind).admit(moment):
            self.tally.violations += 1
            return answers.over_burst(switches.burst_error, switches.burst_retry_after)
        if is_search and not self._search_window(kind).admit(moment):
            self.tally.search_violations += 1
            return answers.over_burst(switches.burst_error, switches.burst_retry_after)
        return None

    def _window(self, kind: str) -> Window:
        window = self._windows.get(kind)
        if window is None:
            limits = self._config.limits
            window = self._windows[kind] = Window(limits.oauth_burst if kind == "oauth" else limits.api_burst)
        return window

    def _search_window(self, kind: str) -> Window:
        return self._searches.setdefault(kind, Window(SEARCHES_PER_WINDOW))

    def _token_headers(self, switches: Switches) -> Headers:
        if not switches.daily_token_headers:
            return []
        limit = self._config.tokens_per_day
        return [
            (b"x-daily-ratelimit-token-limit", b"%d" % limit),
            (b"x-daily-ratelimit-token-remaining", b"%d" % max(0, limit - self.spent)),
        ]

    def _is_blocked(self, kind: str, moment: float, switches: Switches) -> bool:
        """Whether the edge refuses this API token; the page names api_token traffic only."""
        if kind != "api":
            return False
        strikes = self._strikes.get(kind)
        while strikes and strikes[0] <= moment - STRIKE_WINDOW_S:
            strikes.popleft()
        if strikes and len(strikes) >= switches.html_403_after_429s:
            self._blocked_until[kind] = moment + switches.html_403_s
            strikes.clear()
        is_blocked = moment < self._blocked_until.get(kind, 0.0)
        self.tally.edge_blocks += is_blocked
        return is_blocked
