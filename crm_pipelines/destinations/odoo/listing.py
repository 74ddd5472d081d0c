"""Records in bulk: ours by their external ids, those that are not ours, those of given ids.

Belongs here: which calls answer which question, and pages. Not here: values (shape), unanswered creates (lookup).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson
import polars as pl

from crm_pipelines.destinations.odoo.api import Api
from crm_pipelines.destinations.odoo.guests import ours_first
from crm_pipelines.destinations.odoo.keys import key_of, name_of
from crm_pipelines.destinations.odoo.models import READ_ROWS, Model
from crm_pipelines.destinations.odoo.named import spoken
from crm_pipelines.destinations.odoo.names import Names
from crm_pipelines.destinations.odoo.shape import CUSTOM, fields_of, labels_of, line_fields, payload_of, status_fields, status_of
from crm_pipelines.keys import match_value

Record = dict[str, Any]
ID_ROWS = 5_000  # names of ir.model.data on a page: 34,000 a second (measured)
FIND_SCHEMA = pl.Schema(
    {
        "key": pl.String(),
        "destination_id": pl.String(),
        "labels": pl.List(pl.String()),
        "amount": pl.Float64(),
        "currency": pl.String(),
        "status": pl.String(),
    }
)
EXISTING_SCHEMA = pl.Schema({"destination_id": pl.String(), "match": pl.String(), "payload": pl.String()})
READ_SCHEMA = pl.Schema({"destination_id": pl.String(), "payload": pl.String()})
# archived records, lost leads among them, are records; links read without asking which targets are active, too (a quarter of the CPU)
NO_ACTIVE_TEST = {"active_test": False}
MATCHED: Mapping[str, tuple[str, list[Any]]] = {
    "people": ("email_normalized", [["email", "!=", False], ["is_company", "=", False], ["type", "in", ["contact", "other", False]]]),
    "organizations": ("name", [["is_company", "=", True]]),
    "products": ("name", []),
    "opt_outs": ("email", []),
}
"""Phase -> the field that a record which is not ours is matched by, and which records come into question.

A partner of type Delivery or Invoice is an address of somebody, not a person.
"""
OF_ONE_COMPANY = frozenset({"people", "organizations", "products"})
"""Phases whose records may belong to one company of the database: an order of another company may not name them."""


async def all_ours(api: Api, prefix: str, model: Model) -> list[tuple[str, int]]:
    """Return (key, id) of every record of ours of a phase, by external id."""
    domain = _ours(prefix, model)
    rows = await api.search_read(f"list.{model.phase}", "ir.model.data", domain, ["name", "res_id"], page=ID_ROWS)
    found = ((key_of(model.phase, row["name"]), int(row["res_id"])) for row in rows)
    return [(key, number) for key, number in found if key is not None]


async def has_ours(api: Api, prefix: str, model: Model) -> bool:
    """Return whether any record of ours of a phase is there."""
    count = await api.call(f"list.{model.phase}", "ir.model.data", "search_count", domain=_ours(prefix, model), limit=1)
    return bool(count)


async def ids_by_key(api: Api, prefix: str, model: Model, keys: Iterable[str]) -> dict[str, int]:
    """Return key -> id of those keys that have an external id."""
    names = [name_of(model.phase, key) for key in keys]
    found: dict[str, int] = {}
    for start in range(0, len(names), READ_ROWS):
        domain = [["module", "=", prefix], ["name", "in", names[start : start + READ_ROWS]], ["model", "=", model.name]]
        for row in await api.search_read(f"list.{model.phase}", "ir.model.data", domain, ["name", "res_id"], page=READ_ROWS + 1):
            key = key_of(model.phase, row["name"])
            if key is not None:
                found[key] = int(row["res_id"])
    return found


async def records(
    api: Api, model: Model, ids: Sequence[int], fields: Sequence[str], context: Mapping[str, Any] | None = None
) -> list[Record]:
    """Return records by id, archived ones too; missing ids are absent. Links read as plain ids."""
    out: list[Record] = []
    told = {**NO_ACTIVE_TEST, **(context or {})}
    for start in range(0, len(ids), READ_ROWS):
        part = list(ids[start : start + READ_ROWS])
        out += await api.call(f"list.{model.phase}", model.name, "read", ids=part, fields=list(fields), context=told, load=None)
    return out


async def payloads(
    api: Api, model: Model, ids: Sequence[int], names: Names, only: Sequence[Mapping[str, Any]] | None = None
) -> dict[int, Record]:
    """Return id -> logical payload; missing ids are absent. `only` are payloads whose fields alone matter."""
    read = await records(api, model, ids, _columns(model, names, only), spoken(model, names.described.language))
    lines = await _lines(api, model, read)
    if model.phase == "activities":
        await ours_first(api, read, names)
    return {record["id"]: payload_of(model, record, names, lines.get(record["id"])) for record in read}


async def find(api: Api, prefix: str, model: Model, names: Names) -> pl.DataFrame:
    """Return every record of ours; see Destination.find for the shape."""
    ours = await all_ours(api, prefix, model)
    fields = ["category_id"] if model.phase in {"organizations", "people"} else []
    if model.amount:
        status = status_fields(names.described.version) if model.phase == "deals" else ("state",)
        fields = [model.amount, *status, *(["currency_id"] if model.lines else [])]
    read: dict[int, Record] = {}
    if fields:
        read = {record["id"]: record for record in await records(api, model, sorted({number for _, number in ours}), fields)}
        ours = [(key, number) for key, number in ours if number in read]
    rows = [_found(model, key, number, read.get(number, {}), names) for key, number in ours]
    return pl.DataFrame(rows, schema=FIND_SCHEMA, orient="row")


async def existing(api: Api, prefix: str, model: Model, names: Names) -> pl.DataFrame:
    """Return active records that are not ours, for matching; see Destination.existing for the shape.

    Left out: records of another company of the database, addresses of somebody (type Delivery or Invoice; any, where the contact they
    are of has the same e-mail address), and the partners that users are: what a contact says of itself is not a user's to receive.
    """
    if model.phase not in MATCHED:
        return pl.DataFrame(schema=EXISTING_SCHEMA)
    field, domain = MATCHED[model.phase]
    if model.phase in OF_ONE_COMPANY:
        domain = [*domain, ["company_id", "in", [False, names.described.company_id]]]
    fields = [field, "parent_id"] if model.phase == "people" else [field]
    ours = {number for _, number in await all_ours(api, prefix, model)}
    context = spoken(model, names.described.language)
    found = await api.search_read(f"list.{model.phase}", model.name, domain, fields, page=ID_ROWS, context=context)
    matches = {row["id"]: match_value(str(row[field]).strip()) for row in found if row[field] and row["id"] not in ours}
    if model.phase == "people":
        matches = _persons(matches, found, {int(number) for number in names.described.user_partners.values()})
    if model.phase == "opt_outs":  # two addresses that differ in case alone are two to Odoo then; the writer finds the very one
        matches = {number: value for number, value in matches.items() if value.rpartition("@")[0].isascii()}
    read = await payloads(api, model, sorted(matches), names)
    rows = [(str(number), matches[number], orjson.dumps(payload).decode()) for number, payload in read.items()]
    return pl.DataFrame(rows, schema=EXISTING_SCHEMA, orient="row")


def _persons(matches: Mapping[int, str], found: Sequence[Record], users: Collection[int]) -> dict[int, str]:
    parents = {row["id"]: row["parent_id"][0] for row in found if row["parent_id"]}
    value_of = {row["id"]: match_value(str(row["email_normalized"]).strip()) for row in found if row["email_normalized"]}
    return {number: value for number, value in matches.items() if number not in users and value_of.get(parents.get(number, 0)) != value}


async def read(api: Api, model: Model, ids: Sequence[str], names: Names) -> pl.DataFrame:
    """Return records by destination id; see Destination.read for the shape."""
    found = await payloads(api, model, [int(number) for number in ids], names)
    rows = [(str(number), orjson.dumps(payload).decode()) for number, payload in found.items()]
    return pl.DataFrame(rows, schema=READ_SCHEMA, orient="row")


def _columns(model: Model, names: Names, only: Sequence[Mapping[str, Any]] | None) -> list[str]:
    custom = list(names.custom_of(model.phase))
    if only is None:
        return [*fields_of(model, names), *(found.code for found in custom)]
    standard = {name for payload in only for name in payload}
    inner = {name for payload in only for name in payload.get(CUSTOM) or {}}
    kept = [found.code for found in custom if found.name in inner or ("state" in standard and names.keeps_state(found))]
    return [*fields_of(model, names, standard), *kept]


def _ours(prefix: str, model: Model) -> list[Any]:
    return [["module", "=", prefix], ["model", "=", model.name], ["name", "=like", f"{model.phase}.%"]]


async def _lines(api: Api, model: Model, read: Sequence[Record]) -> dict[int, Record]:
    """Return record id -> its one line; records with several lines were made by people, and show none."""
    if not model.lines:
        return {}
    owners = {record[model.lines][0]: record["id"] for record in read if len(record.get(model.lines) or []) == 1}
    line_model = LINE_MODELS[model.lines]
    out: dict[int, Record] = {}
    numbers = sorted(owners)
    for start in range(0, len(numbers), READ_ROWS):
        part = numbers[start : start + READ_ROWS]
        for line in await api.call(f"list.{model.phase}", line_model, "read", ids=part, fields=line_fields(model), load=None):
            out[owners[line["id"]]] = line
    return out


LINE_MODELS = {"order_line": "sale.order.line", "invoice_line_ids": "account.move.line"}


def _found(model: Model, key: str, number: int, record: Record, names: Names) -> tuple[Any, ...]:
    labels = labels_of(record, model.phase, names) if model.phase in {"organizations", "people"} else None
    if not model.amount:
        return (key, str(number), labels, None, None, None)
    if model.phase == "deals":
        return (key, str(number), labels, float(record[model.amount] or 0), names.company_currency, status_of(record))
    return (key, str(number), labels, float(record[model.amount] or 0), names.currency_name(record["currency_id"]), str(record["state"]))
