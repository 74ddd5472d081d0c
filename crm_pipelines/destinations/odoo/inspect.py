"""Look at a database before anything moves: apps, fields, users, rights, remains of removed add-ons, what an import would set off.

Belongs here: which reads it takes, in which order, and putting their findings together; nothing is written. Not here: what is found in
which part (inspect_*, debris*), the description that loading works with (describe).

It must tell something under any key: what its user may not read becomes a finding.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import httpx

from crm_pipelines.destinations.background import together
from crm_pipelines.destinations.base import Automation, Finding, Inspection, Schema, WantedSchema
from crm_pipelines.destinations.odoo.api import Api
from crm_pipelines.destinations.odoo.books import Books
from crm_pipelines.destinations.odoo.debris_ids import id_debris, read_ids
from crm_pipelines.destinations.odoo.debris_jobs import job_debris
from crm_pipelines.destinations.odoo.debris_models import model_debris, models_of
from crm_pipelines.destinations.odoo.debris_views import view_debris
from crm_pipelines.destinations.odoo.describe import describe
from crm_pipelines.destinations.odoo.inspect_account import (
    account_findings,
    book_findings,
    closed_findings,
    field_findings,
    record_findings,
    required_of,
    right_findings,
)
from crm_pipelines.destinations.odoo.inspect_apps import Modules, app_findings, modules_of
from crm_pipelines.destinations.odoo.inspect_automations import automation_findings, automations_of, hides
from crm_pipelines.destinations.odoo.inspect_reading import Reader
from crm_pipelines.errors import RefusedError, SettingsError


@dataclass(frozen=True)
class Inside:
    """What is found below the surface: remains, requirements, rules."""

    debris: tuple[Finding, ...]
    required: Mapping[str, tuple[str, ...]]
    automations: tuple[Automation, ...]
    unchecked: Counter[str]
    checked: int


async def inspect(api: Api, wanted: WantedSchema | None = None) -> Inspection:
    """Read the database and say what a migration should know; 70 to 90 requests, a second or two.

    Raises: SettingsError when the key or the database is wrong; TransientError, DestinationError when nobody answers.
    """
    before = api.unbooked()
    me = await api.call("read.me", "res.users", "context_get")  # alone: a wrong key or database is said at once
    reader = Reader(api)
    schema, forbidden, books, refusal = await _described(api)
    modules = await modules_of(reader)
    inside = await _inside(reader, modules, await _companies(reader, int(me["uid"])))
    findings = (
        *refusal,
        *app_findings(schema, api.version, modules, wanted),
        *await account_findings(reader, schema),
        *book_findings(books, schema, wanted),
        *field_findings(schema, inside.required, wanted),
        *(right_findings(forbidden, wanted) if not refusal else ()),
        *record_findings(schema),
        *automation_findings(inside.automations, reader),
        *inside.debris,
        *closed_findings(reader, inside.unchecked, inside.checked),
    )
    return Inspection(
        schema=schema,
        edition=schema.plan,
        findings=findings,
        required=inside.required,
        automations=inside.automations,
        hides_automations=hides(reader),
        records=schema.record_counts,
        requests=api.unbooked() - before,
    )


async def _described(api: Api) -> tuple[Schema, tuple[str, ...], Books, tuple[Finding, ...]]:
    """Return the description and what is forbidden; where it cannot be made, what little is known, and why as a finding."""
    try:
        described = await describe(api)
    except (SettingsError, RefusedError) as error:
        told = f"The database cannot be described with this API key, and nothing could be loaded with it: {error}."
        return _bare(api), (), Books(), (Finding("rights", "blocker", "describe", told, "Do what the sentence says, then run again."),)
    return described.schema, described.forbidden, described.books, ()


def _bare(api: Api) -> Schema:
    tenant = api.account.database or httpx.URL(api.account.base_url).host
    plan = f"Odoo {api.version[0]}.{api.version[1]}"
    return Schema(f"odoo-{tenant}", plan, 0, "", "", {}, (), {}, {}, {}, {})


async def _companies(reader: Reader, uid: int) -> list[int]:
    """Return the companies of the key's user: records of others are not seen, and must not be taken for gone."""
    rows = await reader.rows("res.users", [["id", "=", uid]], ["company_ids"])
    return [int(number) for row in rows for number in row["company_ids"]]


async def _inside(reader: Reader, modules: Modules, companies: list[int]) -> Inside:
    models = await models_of(reader)
    ids = await read_ids(reader, reader.api.account.prefix, modules.installed)
    modules_of_field: dict[int, set[str]] = defaultdict(set)
    for row in ids.rows:
        if row["model"] == "ir.model.fields":
            modules_of_field[int(row["res_id"])].add(str(row["module"]))
    debris = await together(
        model_debris(reader, models),
        view_debris(reader, models),
        job_debris(reader, models),
        id_debris(reader, ids, models, modules.installed, companies),
    )
    return Inside(
        debris=tuple(_in_order(found for part in debris for found in part)),
        required=await required_of(reader, modules.own, {number: frozenset(names) for number, names in modules_of_field.items()}),
        automations=await automations_of(reader, modules, await _job_ids(reader)),
        unchecked=ids.unchecked,
        checked=len(ids.rows),
    )


async def _job_ids(reader: Reader) -> dict[int, str]:
    rows = await reader.rows("ir.model.data", [["model", "=", "ir.cron"]], ["module", "name", "res_id"])
    return {int(row["res_id"]): f"{row['module']}.{row['name']}" for row in rows}


def _in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Warnings before notes; within a level as they were found."""
    return sorted(findings, key=lambda one: one.level != "warning")
