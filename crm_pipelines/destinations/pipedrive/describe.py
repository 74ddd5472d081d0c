"""Read what an account has: plan, users, fields, options, labels, pipelines, stages, activity types.

Belongs here: reads, and their translation into a Schema. Not here: what the map needs of it (prepare), records (listing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crm_pipelines.destinations.background import together
from crm_pipelines.destinations.base import FoundField, Schema
from crm_pipelines.destinations.pipedrive.api import Api, Record
from crm_pipelines.destinations.pipedrive.costs import PLANS, Plan, plan_of_burst, seats_of_budget
from crm_pipelines.destinations.pipedrive.entities import ENTITIES, FIELD_PATHS, LABEL_CODES
from crm_pipelines.errors import SettingsError


@dataclass(frozen=True)
class Described:
    """A Schema with the vendor's ids that only `prepare` needs."""

    schema: Schema
    label_codes: dict[str, str]
    """Phase -> code of its label field."""
    pipeline_ids: dict[str, int]
    """Pipeline -> id."""


@dataclass(frozen=True)
class Raw:
    """What the vendor answered, before it is translated; of records only how many."""

    me: Record
    users: Sequence[Record]
    fields: Mapping[str, Sequence[Record]]
    """Phase -> its fields, custom ones and the vendor's own."""
    pipelines: Sequence[Record]
    stages: Sequence[Record]
    types: Sequence[Record]
    open_deals: int


async def describe(api: Api) -> Described:
    """Read the whole account; about 110 tokens."""
    return described_of(api, await read_account(api))


async def read_account(api: Api, settings: str = "") -> Raw:
    """Read the whole account; about 110 tokens. `settings` names the settings of fields that are listed too, at no further price."""
    me = await api.read("read.me", "/api/v1/users/me")  # alone: a wrong token or address is said once, and the limits are learnt
    users, fields, pipelines, stages, types, open_deals = await together(
        api.read("list.users", "/api/v1/users"),
        _all_fields(api, settings),
        api.pages("list.pipelines", "/api/v2/pipelines"),
        api.pages("list.stages", "/api/v2/stages"),
        api.read("list.activity_types", "/api/v1/activityTypes"),
        api.pages("list.deals", ENTITIES["deals"].path, {"status": "open"}),
    )
    return Raw(me.data or {}, users.data or [], fields, pipelines, stages, types.data or [], len(open_deals))


def described_of(api: Api, raw: Raw) -> Described:
    """Translate what was read. Raises: SettingsError when two live pipelines share a name, or a plan is declared that is none."""
    active = {str(u["email"]).casefold(): str(u["id"]) for u in raw.users if u.get("active_flag")}
    plan, seats, is_assumed = plan_and_seats(api, len(active))
    stages, pipeline_ids = stages_of(raw.pipelines, raw.stages)
    found, labels, label_codes = _translated(raw.fields)
    company = raw.me
    schema = Schema(
        account=f"pipedrive-{company.get('company_id', api.account.name)}",
        plan=f"{plan.name} (assumed)" if is_assumed else plan.name,
        seats=seats,
        currency=str(company.get("default_currency") or "USD"),
        timezone=str(company.get("timezone_name") or "UTC"),
        users=active,
        fields=tuple(found),
        labels=labels,
        stages=stages,
        types={"activities": _types(raw.types)},
        caps=plan.caps(seats),
        record_counts={"open_deals": raw.open_deals},
    )
    return Described(schema, label_codes, pipeline_ids)


def plan_and_seats(api: Api, active_users: int) -> tuple[Plan, int, bool]:
    """Return plan, seats and whether they are only assumed: declared ones first, else what the limits of the headers give away."""
    account = api.account
    declared = PLANS.get((account.plan or "").lower())
    if account.plan and declared is None:
        raise SettingsError(f"account.plan: no Pipedrive plan is named {account.plan!r}; expected one of {', '.join(PLANS)}")
    seen = plan_of_burst(api.http.limiter.limit, account.auth)
    plan = declared or seen
    if plan is None:
        return PLANS["lite"], account.seats or max(1, active_users), True
    return plan, account.seats or seats_of_budget(plan, api.meter.limit, active_users), False


def field_of(phase: str, raw: Record) -> FoundField:
    """Translate one field as the vendor lists it."""
    return FoundField(
        phase=phase,
        name=str(raw["field_name"]),
        code=str(raw["field_code"]),
        type=str(raw["field_type"]),
        options={str(option["label"]): str(option["id"]) for option in raw.get("options") or []},
        is_custom=bool(raw.get("is_custom_field")),
    )


def stages_of(pipelines: Sequence[Record], stages: Sequence[Record]) -> tuple[dict[str, dict[str, str]], dict[str, int]]:
    """Translate pipelines and stages. Raises: SettingsError when two live pipelines share a name."""
    live = [p for p in pipelines if not p.get("is_deleted")]
    ids: dict[str, int] = {}
    for pipeline in live:
        if pipeline["name"] in ids:
            raise SettingsError(f"two pipelines are named {pipeline['name']!r} in Pipedrive; rename one, then run again")
        ids[str(pipeline["name"])] = int(pipeline["id"])
    ordered = sorted((s for s in stages if not s.get("is_deleted")), key=lambda s: (s.get("order_nr") or 0, s["id"]))
    return {name: {str(s["name"]): str(s["id"]) for s in ordered if s["pipeline_id"] == number} for name, number in ids.items()}, ids


async def _all_fields(api: Api, settings: str) -> dict[str, list[Record]]:
    asked = {phase: {"include_fields": settings} if settings and phase in ENTITIES else None for phase in FIELD_PATHS}
    lists = await together(*(api.pages("list.fields", path, asked[phase]) for phase, path in FIELD_PATHS.items()))
    return dict(zip(FIELD_PATHS, lists, strict=True))


def _translated(lists: Mapping[str, Sequence[Record]]) -> tuple[list[FoundField], dict[str, dict[str, str]], dict[str, str]]:
    found: list[FoundField] = []
    labels: dict[str, dict[str, str]] = {}
    codes: dict[str, str] = {}
    for phase, raws in lists.items():
        fields = [field_of(phase, raw) for raw in raws]
        found += fields
        label_field = next((f for code in LABEL_CODES for f in fields if f.code == code and not f.is_custom), None)
        if label_field is not None and phase in ENTITIES:
            labels[phase], codes[phase] = dict(label_field.options), label_field.code
    return found, labels, codes


def _types(raws: Sequence[Record]) -> dict[str, str]:
    """Both the key and the display name of a type lead to its key."""
    active = [raw for raw in raws if raw.get("active_flag", True)]
    by_name = {str(raw["name"]).casefold(): str(raw["key_string"]) for raw in active}
    return by_name | {str(raw["key_string"]): str(raw["key_string"]) for raw in active}


def with_field(schema: Schema, made: FoundField) -> Schema:
    """Return the schema with one field added, or replaced when it has the same code."""
    kept = tuple(f for f in schema.fields if (f.phase, f.code) != (made.phase, made.code))
    return replace(schema, fields=(*kept, made))


def with_options(schema: Schema, phase: str, code: str, options: Sequence[Record]) -> Schema:
    """Return the schema with options added to a field, and to the labels when it is the label field."""
    fresh = {str(option["label"]): str(option["id"]) for option in options}
    fields = tuple(replace(f, options={**f.options, **fresh}) if f.phase == phase and f.code == code else f for f in schema.fields)
    labels: dict[str, Any] = dict(schema.labels)
    if code in LABEL_CODES:
        labels[phase] = {**labels.get(phase, {}), **fresh}
    return replace(schema, fields=fields, labels=labels)
