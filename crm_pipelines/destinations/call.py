"""One request to a vendor and what came back, as values; and the protocol by which a vendor judges its own answers.

Belongs here: what the client, the vendors' modules and the limits say to each other. Not here: sending it (http), what a vendor's
answers mean (its dialect), the order of journal and network (sending).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from crm_pipelines.errors import CrmError, TransientError

REPEATABLE = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Call:
    """One request: what it does, what it costs, and what may be said about it in a log."""

    operation: str
    method: str
    path: str
    cost: int
    params: Mapping[str, str] | None = None
    body: Any = field(default=None, repr=False)
    """Sent as JSON; bytes are XML, and go as they are."""
    is_search: bool = False
    attempt_id: int | None = None
    """The journalled attempt that this request carries; none for reads."""
    only_reads: bool = False
    """True for a POST that changes nothing, so that it may be repeated."""

    @property
    def is_repeatable(self) -> bool:
        """Whether sending it twice does no harm."""
        return self.only_reads or self.method in REPEATABLE


@dataclass(frozen=True, slots=True)
class Refusal:
    """The vendor's no: a status, a code, and a reason that holds no field value."""

    status: int
    code: str
    reason: str
    is_cap: bool = False
    """True when a limit of the plan is reached, so that every following record would be refused too."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, already judged."""

    status: int
    body: Any
    headers: Mapping[str, str]
    refusal: Refusal | None = None

    @property
    def data(self) -> Any:
        """The envelope's `data`."""
        return self.body.get("data") if isinstance(self.body, dict) else None


@dataclass(frozen=True, slots=True)
class Pacing:
    """What an answer's headers say about limits."""

    burst_limit: int | None = None
    burst_remaining: int | None = None
    day_limit: int | None = None
    day_remaining: int | None = None


class Throttled(TransientError):
    """429 or 503 with retry-after: the request was not applied."""


class Unsent(TransientError):
    """The request did not leave, or was turned back before it was looked at."""


class HeldBack(CrmError):
    """A drain caught the call before it left; not a transient error, so nothing repeats it."""


class Dialect(Protocol):
    """How one vendor says who may call, how fast, and no."""

    base_url: str

    def headers(self) -> Mapping[str, str]:
        """Return the credentials as headers."""
        ...

    async def renew(self, client: httpx.AsyncClient, used: Mapping[str, str]) -> bool:
        """Fetch a new access token unless another call already did; False when that is not possible."""
        ...

    def pacing(self, headers: Mapping[str, str]) -> Pacing:
        """Read the limits."""
        ...

    def judge(self, call: Call, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
        """Say what an answer means. Raises: Throttled, TransientError, SettingsError, DestinationError, QuotaExhausted."""
        ...
