"""Users, fields, settings and rights of a database, as far as a migration meets them.

Belongs here: findings of those topics. Not here: apps (inspect_apps), what is left of removed ones (debris*).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from crm_pipelines.destinations.background import together
from crm_pipelines.destinations.base import Finding, Schema, WantedSchema
from crm_pipelines.destinations.odoo.books import Books, unrated
from crm_pipelines.destinations.odoo.describe import CURRENCIES
from crm_pipelines.destinations.odoo.fields import pick
from crm_pipelines.destinations.odoo.inspect_reading import ARCHIVED_TOO, Reader, Row
from crm_pipelines.destinations.odoo.models import MODELS
from crm_pipelines.destinations.odoo.rights import needed_for
from crm_pipelines.errors import SettingsError

MODEL_NAMES = sorted({model.name for model in MODELS.values()})
ODOO_LANGUAGE = "en_US"
SYSTEM_USER = 1  # OdooBot: archived, nobody's


async def required_of(reader: Reader, own: frozenset[str], modules_of_field: Mapping[int, frozenset[str]]) -> dict[str, tuple[str, ...]]:
    """Return phase -> fields that people, or add-ons of other makers, made required; one request."""
    domain = [["required", "=", True], ["store", "=", True], ["model", "in", MODEL_NAMES]]
    rows = await reader.rows("ir.model.fields", domain, ["model", "name", "field_description", "state"])
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        modules = modules_of_field.get(int(row["id"]), frozenset())
        if row["state"] == "manual" or (own and modules and not modules & own):
            found[str(row["model"])].append(str(row["field_description"]))
    return {phase: tuple(found[model.name]) for phase, model in MODELS.items() if found[model.name]}


async def account_findings(reader: Reader, schema: Schema) -> list[Finding]:
    """Return findings on users, languages, companies and currency; three requests."""
    users, languages, companies = await together(
        reader.rows("res.users", [["share", "=", False], ["id", "!=", SYSTEM_USER]], ["email", "active"], context=ARCHIVED_TOO),
        reader.rows("res.lang", [["active", "=", True]], ["code"]),
        reader.rows("res.company", [], ["currency_id"]),
    )
    return [*_users(users, schema), *_settings(schema, languages, companies)]


def book_findings(books: Books, schema: Schema, wanted: WantedSchema | None) -> Iterable[Finding]:
    """Yield what the books would do to invoices; nothing where no invoice can arrive."""
    if "invoices" not in schema.record_counts:
        return
    if books.closed_until:
        told = f"The books are closed up to {books.closed_until}. Invoices of those days are refused: Odoo would give them a later date."
        yield Finding("settings", "warning", "lock dates", told, "Open the period for the time of the migration, or bring them as orders.")
    lacking = unrated(books, wanted.currencies if wanted else tuple(schema.types.get(CURRENCIES, {})), schema.currency)
    if lacking:
        told = f"No rate is entered for {', '.join(lacking)}. Posted invoices in it are refused: Odoo would count it 1 to 1 in the books."
        todo = "Enter a rate of the oldest invoice's day or earlier. Without one, reports of orders count it 1 to 1, too."
        yield Finding("settings", "warning", "res.currency.rate", told, todo)
    rated = {code: day for code, day in sorted(books.rates.items()) if code != schema.currency}
    if rated:
        told = f"First rates: {', '.join(f'{code} of {day}' for code, day in rated.items())}. Posted invoices of earlier days are refused."
        yield Finding("settings", "note", "res.currency.rate", told, "Enter older rates where invoices are older.")


def field_findings(schema: Schema, required: Mapping[str, Sequence[str]], wanted: WantedSchema | None) -> Iterable[Finding]:
    """Yield what custom and required fields mean for this migration."""
    for phase, names in required.items():
        told = f"{phase}: required beside what Odoo itself requires: {', '.join(names)}. Records that come without are refused."
        yield Finding("fields", "warning", MODELS[phase].name, told, "Map a column to each, give it a default, or lift the requirement.")
    custom = {(MODELS[field.phase].name, field.code) for field in schema.fields}
    if custom:
        counts = Counter(model for model, _ in custom)
        told = f"Custom fields that are there: {', '.join(f'{count} of {model}' for model, count in sorted(counts.items()))}."
        yield Finding("fields", "note", "ir.model.fields", told, "See whether columns of the export belong into them.")
    yield from _doubles(schema)
    if wanted is not None:
        yield from _taken_over(schema, wanted)


def record_findings(schema: Schema) -> Iterable[Finding]:
    """Yield what is there already."""
    for phase, count in schema.record_counts.items():
        if count:
            told = f"Already in the database: {phase} ({count}). What arrives is held against them before anything is made."
            yield Finding("records", "note", MODELS[phase].name, told)


def right_findings(forbidden: Sequence[str], wanted: WantedSchema | None) -> Iterable[Finding]:
    """Yield what the key's user may not do."""
    if not forbidden:
        yield Finding("rights", "good", "ir.model.access", "The API key's user may do all that a migration needs.")
        return
    needed = needed_for(phase for phase, count in wanted.counts.items() if count) if wanted else set()
    level: Literal["blocker", "warning"] = "blocker" if needed & set(forbidden) else "warning"
    told = f"The API key's user may not do {len(forbidden)} of the things a migration may need."
    yield Finding("rights", level, ", ".join(forbidden), told, "Give the user the groups for the time of the migration.")


def closed_findings(reader: Reader, unchecked: Counter[str], checked: int) -> Iterable[Finding]:
    """Yield what could not be read, so that nobody takes silence for a good sign."""
    if reader.closed:
        told = f"{len(reader.closed)} parts of the database could not be read with this API key; what is said of them here is incomplete."
        todo = "Give the key's user the group Administration: Settings for the inspection, or have an administrator run it."
        yield Finding("rights", "warning", f"could not be read: {', '.join(sorted(reader.closed))}", told, todo)
    if unchecked.total() * 100 > checked:
        told = f"{unchecked.total()} external ids could not be held against their records: the API key's user may not read those."
        yield Finding("rights", "note", f"could not be read: {', '.join(sorted(unchecked))}", told)


def _users(users: Sequence[Row], schema: Schema) -> Iterable[Finding]:
    active = [user for user in users if user["active"]]
    edition = " Each takes a paid seat." if "Enterprise" in schema.plan else ""
    yield Finding("seats", "good", "res.users", f"Active internal users: {len(active)}.{edition}")
    silent = sum(1 for user in active if not str(user["email"] or "").strip())
    if silent:
        told = f"Active users without an e-mail address: {silent}. They are only matched where their login is the address."
        yield Finding("users", "note", "res.users.email", told, "Add their addresses, as the export spells them.")
    archived = len(users) - len(active)
    if archived:
        told = f"Archived users: {archived}. Records cannot be given to them; those of their customers wait for a new owner."
        yield Finding(
            "users", "note", "res.users.active", told, "Take out of the archive who should own records, or name who takes them over."
        )


def _settings(schema: Schema, languages: Sequence[Row], companies: Sequence[Row]) -> Iterable[Finding]:
    codes = sorted(str(row["code"]) for row in languages)
    others = sorted(set(schema.types.get("currencies", {})) - {schema.currency})
    told = (
        f"Company currency {schema.currency}, also ready: {', '.join(others) or 'none'}; languages: {', '.join(codes) or 'not readable'}."
    )
    yield Finding("settings", "good", "res.company", told)
    if codes and ODOO_LANGUAGE not in codes:
        told = "English is not among the languages; names that the load makes (stages, fields) appear as the map spells them."
        yield Finding("settings", "note", "res.lang", told)
    if len(companies) > 1:
        told = f"The API key's user sees {len(companies)} companies; orders and invoices go to the user's own one, contacts to all."
        yield Finding("settings", "warning", "res.company", told, "Make sure that the user's default company is the right one.")


def _doubles(schema: Schema) -> Iterable[Finding]:
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for field in schema.fields:
        names[MODELS[field.phase].name, field.name.strip().casefold()].add(field.code)
    for (model, _), codes in names.items():
        if len(codes) > 1:
            told = f"{len(codes)} custom fields of {model} have the same label: nobody can tell in a list which one is meant."
            yield Finding("fields", "warning", f"{model}: {', '.join(sorted(codes))}", told, "Rename all but one.")


def _taken_over(schema: Schema, wanted: WantedSchema) -> Iterable[Finding]:
    for want in wanted.fields:
        name = f"{want.phase}: {want.name}"
        try:
            found = pick(schema.fields, want)
        except SettingsError as error:
            yield Finding("fields", "blocker", name, f"The map cannot write this field: {error}.", "Do what the sentence says.")
            continue
        if found is not None:
            told = f"A custom field {found.name} of the right type is there for {want.phase}; the map fills it instead of making one."
            yield Finding("fields", "note", name, told)
