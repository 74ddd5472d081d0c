"""Plan, seats and caps of an account against what is used and what the map would add.

Belongs here: findings of those topics. Not here: the plans' numbers (costs), stopping a run at a cap (prepare).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from crm_pipelines.destinations.base import Finding, Schema, WantedField, WantedSchema
from crm_pipelines.destinations.pipedrive.costs import LIST_PAGE, Plan
from crm_pipelines.destinations.pipedrive.fields import pick
from crm_pipelines.errors import SettingsError

SCARCE = 0.8  # share of a cap from which a client should know
CAPS_SOURCE = "support.pipedrive.com, usage limits"
SETTING = "Settings > Company > Billing tells the plan; put it into engagement.yaml as account.plan, with account.seats."


@dataclass(frozen=True)
class Use:
    """What is used of what the plan sells."""

    open_deals: int
    leads: int | None
    """Up to one page of them; None when they could not be read."""
    active_users: int


def plan_findings(schema: Schema, use: Use, wanted: WantedSchema | None, told: Plan | None) -> Iterable[Finding]:
    """Yield what plan, seats and caps mean for this migration; `told` is the plan that the API's limits give away."""
    yield _plan(schema, told)
    yield _seats(schema, use)
    yield _custom_fields(schema, wanted)
    yield _open_deals(schema, use, wanted)


def _plan(schema: Schema, told_by_limits: Plan | None) -> Finding:
    if schema.plan.endswith("(assumed)"):
        told = "The API does not say which plan the account has, so the smallest one is assumed."
        return Finding("plan", "warning", "account.plan", told, SETTING)
    if told_by_limits is not None and told_by_limits.name != schema.plan:
        told = (
            f"engagement.yaml says {schema.plan}, but the API's limits are those of {told_by_limits.name}; caps and calendar may be wrong."
        )
        return Finding("plan", "warning", "account.plan", told, SETTING)
    how = "as engagement.yaml says" if told_by_limits is None else "as the limits of the API tell"
    return Finding("plan", "good", "account.plan", f"The account is on the plan {schema.plan.capitalize()}, {how}.")


def _seats(schema: Schema, use: Use) -> Finding:
    told = f"Active users: {use.active_users}, seats: {schema.seats}."
    if use.active_users > schema.seats:
        return Finding("seats", "warning", "account.seats", f"{told} The day's API budget is counted by seats.", SETTING)
    free = schema.seats - use.active_users
    return Finding(
        "seats", "good", "account.seats", told, "Invite owners who are missing before the load; each takes a seat." if free else ""
    )


def _custom_fields(schema: Schema, wanted: WantedSchema | None) -> Finding:
    there = sum(1 for field in schema.fields if field.is_custom)
    new = len(_to_be_made(schema, wanted.fields)) if wanted else 0
    cap = schema.caps["custom_fields"]
    coming = f" and the map adds {new}" if wanted else ""
    told = f"Custom fields: {there} of the {cap} that the plan allows exist{coming} ({CAPS_SOURCE})."
    todo = "Delete fields nobody uses (Settings > Data fields), take some out of the map, or choose a larger plan."
    return Finding("caps", *_rated("custom_fields", told, there + new, cap, todo, is_full=there >= cap))


def _open_deals(schema: Schema, use: Use, wanted: WantedSchema | None) -> Finding:
    there = use.open_deals + (use.leads or 0)
    new = wanted.counts.get("open_deals", 0) if wanted else 0
    cap = schema.caps["open_deals"]
    least = " or more" if (use.leads or 0) >= LIST_PAGE else ""
    coming = f", and {new} more arrive" if new else ""
    told = f"Open deals: {use.open_deals}, leads: {use.leads or 0}{least}, of {cap} that plan and seats allow{coming} ({CAPS_SOURCE})."
    todo = "Close or archive what is done with, let fewer deals arrive as open, or choose a larger plan."
    return Finding("caps", *_rated("open_deals", told, there + new, cap, todo, is_full=there >= cap))


def _rated(
    name: str, told: str, used: int, cap: int, todo: str, *, is_full: bool
) -> tuple[Literal["good", "warning", "blocker"], str, str, str]:
    """Return level, name, told, todo: a full cap lets nothing in, one that will be over-full stops the run."""
    if used > cap or is_full:
        return "blocker", name, told, todo
    return ("warning", name, told, todo) if used >= SCARCE * cap else ("good", name, told, "")


def _to_be_made(schema: Schema, fields: Sequence[WantedField]) -> list[WantedField]:
    return [field for field in fields if _is_missing(schema, field)]


def _is_missing(schema: Schema, field: WantedField) -> bool:
    try:
        return pick(schema, field) is None
    except SettingsError:  # it is there, twice or with another type: told among the fields
        return False
