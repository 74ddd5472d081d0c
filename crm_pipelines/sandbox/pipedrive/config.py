"""What one sandbox account is: plan, seats, credentials, users, and a switch for every fact Pipedrive leaves open.

Belongs here: values only. Not here: what the values do (limits, gateway, the entity modules).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Plan:
    """One price plan's limits.

    Source: core-api-concepts-rate-limiting (2026-09-17) for tokens and bursts; support.pipedrive.com usage limits
    (2025-08-25) for fields and deals; S1 addLead for visible_to.
    """

    name: str
    multiplier: int
    api_burst: int
    oauth_burst: int
    custom_fields: int
    open_deals_per_seat: int
    visibility: frozenset[int]


_SMALL, _LARGE = frozenset({1, 3}), frozenset({1, 3, 5, 7})

PLANS = {
    "lite": Plan("lite", 1, 20, 80, 30, 2_500, _SMALL),
    "growth": Plan("growth", 2, 40, 160, 100, 5_000, _SMALL),
    "premium": Plan("premium", 5, 100, 400, 300, 15_000, _LARGE),
    "ultimate": Plan("ultimate", 7, 120, 480, 500, 20_000, _LARGE),
}

TOKENS_PER_SEAT_PER_DAY = 30_000  # core-api-concepts-rate-limiting, read 2026-09-17
SEARCHES_PER_WINDOW = 10  # "Search API 10 requests / 2 s" on every plan, same page
WINDOW_S = 2.0  # the rolling burst window, same page


@dataclass(frozen=True)
class Switches:
    """What Pipedrive's documents leave open; each switch is one open question, its default the cautious answer."""

    deal_add_time: bool = False  # v2 POST/PATCH deals: accept add_time (False: 400 unknown key)
    won_time_on_create: bool = True  # status won + won_time in one create (False: 400)
    not_found_code: str | None = None  # `code` in the v2 404 body, when it carries one
    deleted_reads: str = "record"  # GET of a deleted record: "record" (flagged) or "not_found"
    pipeline_default_stages: bool = False  # POST /pipelines makes default stages
    failed_calls_cost: bool = True  # a 4xx/5xx answer costs its tokens
    burst_error: str = "request over limit"  # `error` of the burst 429
    burst_retry_after: bool = True  # the burst 429 has a retry-after header
    due_time_needs_seconds: bool = False  # activities take HH:MM:SS only (False: HH:MM too)
    field_cap_per_entity: bool = False  # the plan's field cap holds for each entity (False: for all together)
    label_field_code: str = "label_ids"  # or "label"
    search_lag_s: float = 1.0  # a write is found by search only after this
    note_size_cap_bytes: int = 102_400  # documented for activities; assumed for notes
    file_size_cap_bytes: int = 52_428_800
    daily_token_headers: bool = True  # x-daily-ratelimit-token-* are undocumented and may be missing
    deal_value_follows_products: bool = False  # attaching products sets the deal's value to their sum
    html_403_after_429s: int = 60  # 429s within ten seconds after which the edge answers HTML 403
    html_403_s: float = 10.0  # how long the edge keeps doing so

    def changed(self, values: dict[str, Any]) -> Switches:
        """Return a copy with some switches set.

        Raises: ValueError for a name that is no switch or a value of the wrong type.
        """
        known = {f.name: f for f in dataclasses.fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no switch named {name!r}; the switches are {', '.join(sorted(known))}")
            _check_switch(name, getattr(Switches, name), value)
        return dataclasses.replace(self, **values)


def _check_switch(name: str, default: object, value: object) -> None:
    kinds: tuple[type, ...] = (int, float) if isinstance(default, int | float) and not isinstance(default, bool) else (type(default),)
    if default is None:
        kinds = (str, type(None))
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise ValueError(f"switch {name!r} takes {' or '.join(k.__name__ for k in kinds)}")


@dataclass(frozen=True)
class SandboxUser:
    """One user of the account; the first of a config is the admin whose token it is."""

    email: str
    name: str
    is_admin: bool = False
    is_active: bool = True


_ADMIN = SandboxUser("admin@example.com", "Ada Admin", is_admin=True)


@dataclass(frozen=True)
class SandboxConfig:
    """Everything a sandbox account starts with."""

    token: str
    port: int = 0
    host: str = "127.0.0.1"
    plan: str = "ultimate"
    seats: int = 1
    seed: int = 1
    state: Path | None = None
    auth: str = "api"  # "api": the token goes into x-api-token; "oauth": into Authorization: Bearer
    spent: int = 0  # tokens that the client's other apps have used today
    sandbox_token: str = "sandbox"  # noqa: S105  guards /__sandbox__/, a loopback-only control surface
    campaigns: bool = False
    contact_sync: bool = False
    users: tuple[SandboxUser, ...] = (_ADMIN,)
    timezone: str = "UTC"  # the zone whose midnight ends the vendor's day; the vendor does not name it
    currency: str = "USD"
    access_ttl_s: int = 3_600
    refresh_token: str = "sandbox-refresh"  # noqa: S105  the sandbox has no secrets
    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"  # noqa: S105
    switches: Switches = field(default_factory=Switches)

    def __post_init__(self) -> None:
        if self.plan not in PLANS:
            raise ValueError(f"no plan named {self.plan!r}; the plans are {', '.join(PLANS)}")
        if self.auth not in {"api", "oauth"}:
            raise ValueError("auth is 'api' or 'oauth'")
        if not self.token or self.seats < 1 or not self.users:
            raise ValueError("a sandbox needs a token, at least one seat and at least one user")

    @property
    def limits(self) -> Plan:
        """The limits of the configured plan."""
        return PLANS[self.plan]

    @property
    def tokens_per_day(self) -> int:
        """Daily budget of the company: tokens per seat, times plan, times seats."""
        return TOKENS_PER_SEAT_PER_DAY * self.limits.multiplier * self.seats

    def to_json(self) -> dict[str, Any]:
        """A plain mapping that `from_json` reads back."""
        values = dataclasses.asdict(self)
        values["state"] = None if self.state is None else str(self.state)
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> SandboxConfig:
        """Build a config from what `to_json` gave."""
        values = dict(values)
        values["state"] = Path(values["state"]) if values.get("state") else None
        values["users"] = tuple(SandboxUser(**u) for u in values.get("users", ())) or (_ADMIN,)
        values["switches"] = Switches().changed(values.get("switches", {}))
        return cls(**values)
