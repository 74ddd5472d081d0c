"""Records by bulk listing: ours, those that are not ours, those of given ids, those changed since a moment.

Belongs here: which lists answer which question at the lowest price. Not here: paging (api), values (shape). No search: it
costs 20 tokens a record, and its index lags behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import polars as pl

from crm_pipelines.destinations.background import together
from crm_pipelines.destinations.base import utc_text
from crm_pipelines.destinations.pipedrive.api import Api, Record
from crm_pipelines.destinations.pipedrive.costs import COSTS, IDS_PER_LIST, LIST_PAGE
from crm_pipelines.destinations.pipedrive.entities import ENTITIES, Entity
from crm_pipelines.destinations.pipedrive.fields import Names
from crm_pipelines.destinations.pipedrive.shape import labels_of, payload_of, token_in
from crm_pipelines.keys import match_value

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


async def walk_pages(api: Api, phase: str, take: Callable[[list[Record]], None], params: Mapping[str, str] | None = None) -> None:
    """Hand over the live records of a phase page by page, so that millions never lie in memory at once."""
    entity = ENTITIES[phase]
    pages = api.each_page_v1 if entity.is_v1 else api.each_page
    async for page in pages(f"list.{phase}", entity.path, params):
        take([row for row in page if is_live(row)])


async def walk(api: Api, phase: str, params: Mapping[str, str] | None = None) -> list[Record]:
    """Return all live records of a phase."""
    out: list[Record] = []
    await walk_pages(api, phase, out.extend, params)
    return out


async def changed_since(api: Api, phase: str, since: datetime, code: str | None) -> list[Record]:
    """Return live records that changed at or after a moment of the vendor's clock. Fractions of a second are refused there."""
    params = {"updated_since": utc_text(since)}
    if code is not None:
        params["custom_fields"] = code
    return await walk(api, phase, params)


async def by_ids(api: Api, phase: str, ids: Sequence[str], known_count: int | None) -> list[Record]:
    """Return live records by id, in the cheapest of three ways: one by one, by lists of ids, or by walking all."""
    entity = ENTITIES[phase]
    listed_cost = -(-len(ids) // IDS_PER_LIST) * COSTS[f"list.{phase}"]
    walk_cost = (-(-(known_count or 0) // LIST_PAGE) or 1) * COSTS[f"list.{phase}"]
    walks = walk_cost if known_count is not None else None
    one_by_one = len(ids) * COSTS[f"{phase}.read"]
    if one_by_one <= (walk_cost if entity.is_v1 and walks else listed_cost):
        return await _singly(api, entity, ids)
    if entity.is_v1 or (walks is not None and walks < listed_cost):
        wanted = set(ids)
        return [row for row in await walk(api, phase, _extras(phase)) if str(row["id"]) in wanted]
    groups = [ids[start : start + IDS_PER_LIST] for start in range(0, len(ids), IDS_PER_LIST)]
    found = await together(*(walk(api, phase, {**_extras(phase), "ids": ",".join(group)}) for group in groups))
    return [row for rows in found for row in rows]


def is_live(record: Record) -> bool:
    """Return False for what was deleted: the vendor keeps it for 30 days."""
    return not record.get("is_deleted") and record.get("active_flag", True) is not False


def key_of(phase: str, record: Record, code: str | None) -> str | None:
    """Return the source key that a record carries, None when it is not ours."""
    entity = ENTITIES[phase]
    if entity.mark_field:
        return token_in(record.get(entity.mark_field))
    value = (record.get("custom_fields") or {}).get(code) if code else None
    return str(value) if value not in (None, "") else None


def found_frame(phase: str, records: Iterable[Record], code: str | None, names: Names) -> pl.DataFrame:
    """Return our records: one row each, duplicates included."""
    rows = [
        {
            "key": key,
            "destination_id": str(record["id"]),
            "labels": labels_of(phase, record, names) if phase in names.found.labels else None,
            "amount": float(record["value"]) if phase == "deals" and record.get("value") is not None else None,
            "currency": record.get("currency"),
            "status": record.get("status"),
        }
        for record in records
        if (key := key_of(phase, record, code)) is not None
    ]
    return pl.DataFrame(rows, schema=FIND_SCHEMA)


def existing_frame(phase: str, records: Iterable[Record], code: str | None, names: Names) -> pl.DataFrame:
    """Return records that are not ours, one row per match value."""
    rows = [
        {"destination_id": str(record["id"]), "match": value, "payload": _text(payload_of(phase, record, names))}
        for record in records
        if key_of(phase, record, code) is None
        for value in _match_values(phase, record)
    ]
    return pl.DataFrame(rows, schema=EXISTING_SCHEMA)


def read_frame(phase: str, records: Iterable[Record], names: Names) -> pl.DataFrame:
    """Return logical payloads by id."""
    rows = [{"destination_id": str(record["id"]), "payload": _text(payload_of(phase, record, names))} for record in records]
    return pl.DataFrame(rows, schema=READ_SCHEMA)


def _match_values(phase: str, record: Record) -> list[str]:
    if phase == "people":
        values = [item.get("value") for item in record.get("emails") or []]
        return list(dict.fromkeys(match_value(str(value).strip()) for value in values if value))
    name = record.get("title") if phase == "deals" else record.get("name")
    return [" ".join(str(name).split()).casefold()] if name else []


async def _singly(api: Api, entity: Entity, ids: Sequence[str]) -> list[Record]:
    answers = await together(*(api.read(f"{entity.phase}.read", f"{entity.path}/{one}", _extras(entity.phase)) for one in ids))
    return [answer.data for answer in answers if answer.refusal is None and isinstance(answer.data, dict) and is_live(answer.data)]


def _extras(phase: str) -> dict[str, str]:
    return {"include_fields": "marketing_status"} if phase == "people" else {}


def _text(payload: Mapping[str, Any]) -> str:
    return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS).decode()
