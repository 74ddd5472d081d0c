"""Look at an account before anything moves: plan and caps, fields, users, what an import would set off, what is there already.

Belongs here: which reads it takes, and putting their findings together; nothing is written. Not here: what is found in which part
(inspect_plan, inspect_fields, inspect_people, inspect_hooks), the description that loading works with (describe).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from crm_pipelines.destinations.background import together
from crm_pipelines.destinations.base import Finding, Inspection, Schema, WantedSchema
from crm_pipelines.destinations.pipedrive.api import Api, Record
from crm_pipelines.destinations.pipedrive.costs import LIST_PAGE, plan_of_burst
from crm_pipelines.destinations.pipedrive.describe import described_of, read_account
from crm_pipelines.destinations.pipedrive.entities import ENTITIES
from crm_pipelines.destinations.pipedrive.inspect_fields import field_findings, required_fields
from crm_pipelines.destinations.pipedrive.inspect_hooks import automations_of, hook_findings
from crm_pipelines.destinations.pipedrive.inspect_people import board_findings, user_findings
from crm_pipelines.destinations.pipedrive.inspect_plan import Use, plan_findings
from crm_pipelines.errors import RefusedError

SETTINGS = "important_fields,required_fields"  # in this order: the vendor declares combinations, not a set
COUNTED = ("organizations", "people", "deals", "activities")
"""Phases whose first page is read; a page of notes would be half a megabyte of text."""


@dataclass(frozen=True)
class Extra:
    """What is read beside the description; None where the key's user may not."""

    webhooks: Sequence[Record] | None
    lead_labels: Sequence[Record] | None
    leads: int | None
    """Up to one page of them."""
    records: Mapping[str, int]
    """Phase -> records; at most a page where that is all that could be counted."""
    full: frozenset[str]
    """Phases of which there are more than were counted."""


async def inspect(api: Api, wanted: WantedSchema | None = None) -> Inspection:
    """Read the account and say what a migration should know; about 180 tokens."""
    requests, tokens = api.unbooked()
    raw = await read_account(api, SETTINGS)
    extra = await _extra(api)
    single, doubles = _one_of_each_name(raw.pipelines)
    schema = described_of(api, replace(raw, pipelines=single)).schema
    use = Use(raw.open_deals, extra.leads, _active(raw.users))
    findings = (
        *plan_findings(schema, use, wanted, told=plan_of_burst(api.http.limiter.limit, api.account.auth)),
        *field_findings(raw, schema, wanted),
        *user_findings(raw.users),
        *board_findings(raw, doubles),
        *hook_findings(extra.webhooks, schema.plan),
        *_record_findings(extra),
        *_settings_findings(schema),
        *_unread(extra),
    )
    spent = api.unbooked()
    return Inspection(
        schema=schema,
        edition=f"Pipedrive {schema.plan.capitalize()}, {schema.seats} seat{'s' if schema.seats != 1 else ''}",
        findings=findings,
        required=required_fields(raw.fields),
        automations=automations_of(extra.webhooks or ()),
        hides_automations=True,  # no endpoint lists workflow automations (OpenAPI v1 and v2 of 2026-08-18)
        records={phase: count for phase, count in extra.records.items() if phase not in extra.full},
        requests=spent[0] - requests,
        tokens=spent[1] - tokens,
    )


async def _extra(api: Api) -> Extra:
    lists = await together(
        _maybe(api, "list.webhooks", "/api/v1/webhooks"),
        _maybe(api, "list.lead_labels", "/api/v1/leadLabels"),
        _maybe(api, "list.leads", "/api/v1/leads", {"limit": str(LIST_PAGE)}),
        *(_maybe(api, f"list.{phase}", ENTITIES[phase].path, {"limit": str(LIST_PAGE)}) for phase in COUNTED),
    )
    hooks, labels, leads, *pages = lists
    counts = {phase: len(page) for phase, page in zip(COUNTED, pages, strict=True) if page is not None}
    full = {phase for phase, count in counts.items() if count >= LIST_PAGE}
    if "deals" in full:
        counts["deals"] = await _all_deals(api)
        full -= {"deals"}
    return Extra(hooks, labels, None if leads is None else len(leads), counts, frozenset(full))


async def _all_deals(api: Api) -> int:
    """Deals are the one kind of record whose number the vendor tells."""
    answer = await api.read("read.deals_summary", "/api/v1/deals/summary")
    return int((answer.data or {}).get("total_count") or 0)


async def _maybe(api: Api, operation: str, path: str, params: Mapping[str, str] | None = None) -> list[Record] | None:
    """Return a list, or None where the key's user may not read it."""
    try:
        return list((await api.read(operation, path, params)).data or [])
    except RefusedError:
        return None


def _active(users: Iterable[Record]) -> int:
    return sum(1 for user in users if user.get("active_flag"))


def _one_of_each_name(pipelines: Sequence[Record]) -> tuple[list[Record], list[str]]:
    """Return the pipelines without those whose name an earlier one has, and the names that came again."""
    kept: dict[str, Record] = {}
    again: list[str] = []
    for pipeline in pipelines:
        if pipeline.get("is_deleted"):
            continue
        name = str(pipeline["name"])
        if name in kept:
            again.append(name)
        kept.setdefault(name, pipeline)
    return list(kept.values()), again


def _record_findings(extra: Extra) -> Iterable[Finding]:
    for phase, count in extra.records.items():
        if count:
            number = f"{count} or more" if phase in extra.full else str(count)
            told = f"Already in the account: {phase} ({number}). What arrives is held against them before anything is made."
            yield Finding("records", "note", phase, told)
    if extra.leads:
        number = f"{extra.leads} or more" if extra.leads >= LIST_PAGE else str(extra.leads)
        labels = f" with {len(extra.lead_labels)} labels" if extra.lead_labels else ""
        yield Finding("records", "note", "leads", f"In the leads inbox: {number}{labels}. They stay as they are.")


def _settings_findings(schema: Schema) -> Iterable[Finding]:
    told = f"The default currency is {schema.currency}, the time zone of the API's user {schema.timezone}."
    yield Finding("settings", "good", "currency", told)


def _unread(extra: Extra) -> Iterable[Finding]:
    lists = {"webhooks": extra.webhooks, "leads": extra.leads, "lead labels": extra.lead_labels}
    closed = [name for name, found in lists.items() if found is None] + [phase for phase in COUNTED if phase not in extra.records]
    if closed:
        told = f"The API token's user may not read: {', '.join(closed)}. What is said of them here is incomplete."
        yield Finding("rights", "warning", ", ".join(closed), told, "Use the API token of an account administrator.")
