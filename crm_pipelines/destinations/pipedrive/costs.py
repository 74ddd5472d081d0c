"""Tokens per operation and the limits of each plan, as Pipedrive documents them.

Belongs here: numbers with their source. Not here: what is left of a day (destinations.budget), when to send (limiter).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TOKENS_PER_SEAT = 30_000  # core-api-concepts-rate-limiting, updated 2026-09-17: times the plan's multiplier, times seats
WINDOW_S = 2.0  # "rolling 2 second window", same page
SEARCHES_PER_WINDOW = 10  # "Search API 10 requests / 2 seconds", every plan and kind of token, same page
LIST_PAGE = 500  # v2 and v1 lists: limit max 500 (OpenAPI, v2 migration guide)
IDS_PER_LIST = 100  # v2 lists: `ids` max 100 (OpenAPI)
OPTIONS_PER_FIELD = 10_000  # working-with-labels, updated 2026-04-27
FIELD_NAME_LENGTH = 255  # OpenAPI addPersonField.field_name
VARCHAR_LENGTH = 255  # OpenAPI addPersonField.field_type
TEXT_LENGTH = 65_000  # OpenAPI addPersonField.field_type: "up to 65k characters"
NOTE_BYTES = 100_000  # changelog 2025-09-21 for activity notes; taken for notes too, where no number is published

COSTS = {
    # x-token-cost of each operation, OpenAPI v2 and v1 of 2026-08-18
    "organizations.create": 5,
    "organizations.update": 5,
    "organizations.delete": 3,
    "organizations.read": 1,
    "list.organizations": 10,
    "people.create": 5,
    "people.update": 5,
    "people.delete": 3,
    "people.read": 1,
    "list.people": 10,
    "deals.create": 5,
    "deals.update": 5,
    "deals.delete": 3,
    "deals.read": 1,
    "list.deals": 10,
    "activities.create": 5,
    "activities.update": 5,
    "activities.delete": 3,
    "activities.read": 1,
    "list.activities": 10,
    "notes.create": 10,  # v1 only
    "notes.update": 10,
    "notes.delete": 6,
    "notes.read": 2,
    "list.notes": 20,
    "list.users": 20,  # v1 only, no paging
    "read.me": 2,
    "list.fields": 10,
    "list.pipelines": 5,
    "list.stages": 5,
    "list.activity_types": 20,  # v1 only, no paging
    "list.webhooks": 10,  # v1 only, no paging
    "list.leads": 20,  # v1 only
    "list.lead_labels": 10,  # v1 only, no paging
    "read.deals_summary": 40,  # v1 only
    "prepare.field": 5,
    "prepare.option": 5,
    "prepare.label": 5,
    "prepare.pipeline": 5,
    "prepare.stage": 5,
    "prepare.type": 10,  # v1 only
}


@dataclass(frozen=True)
class Plan:
    """One price plan. Source: rate-limiting page (multiplier, bursts); support article usage limits, 2025-08-25 (fields, deals)."""

    name: str
    multiplier: int
    api_burst: int
    oauth_burst: int
    custom_fields: int
    """Per company, over all entities together."""
    open_deals_per_seat: int

    def burst(self, auth: Literal["api_token", "oauth"]) -> int:
        """Return the requests that one token may send in any two seconds."""
        return self.api_burst if auth == "api_token" else self.oauth_burst

    def caps(self, seats: int) -> dict[str, int]:
        """Return the plan's limits by name, as `Schema.caps` holds them."""
        return {
            "custom_fields": self.custom_fields,
            "open_deals": self.open_deals_per_seat * seats,
            "options_per_field": OPTIONS_PER_FIELD,
            "field_name_length": FIELD_NAME_LENGTH,
        }


PLANS = {
    plan.name: plan
    for plan in (
        Plan("lite", 1, 20, 80, 30, 2_500),
        Plan("growth", 2, 40, 160, 100, 5_000),
        Plan("premium", 5, 100, 400, 300, 15_000),
        Plan("ultimate", 7, 120, 480, 500, 20_000),
    )
}


def plan_of_burst(burst: int | None, auth: Literal["api_token", "oauth"]) -> Plan | None:
    """Return the plan whose window has this size: the API names no plan, but its x-ratelimit-limit header gives it away."""
    return next((plan for plan in PLANS.values() if plan.burst(auth) == burst), None)


def seats_of_budget(plan: Plan, day_limit: int | None, active_users: int) -> int:
    """Return the seats that a daily limit pays for; purchased top-ups count as seats, so active users bound it."""
    if day_limit is None:
        return max(1, active_users)
    paid = max(1, day_limit // (TOKENS_PER_SEAT * plan.multiplier))
    is_whole = day_limit % (TOKENS_PER_SEAT * plan.multiplier) == 0
    return paid if is_whole else max(1, min(paid, active_users))
