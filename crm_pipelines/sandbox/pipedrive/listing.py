"""Lists and how they are read: query strings, cursors, start/limit paging, time filters, field selectors.

Belongs here: what all lists share. Not here: each entity's own filters (the entity modules).
Source: migration guide v2; S2 list operations; updated_since recorded live (inclusive, no fractional seconds).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive.answers import Answer, invalid, page, page_v1
from crm_pipelines.sandbox.pipedrive.operations import Call
from crm_pipelines.sandbox.pipedrive.store import Record, is_deleted

DEFAULT_LIMIT, MAX_LIMIT = 100, 500  # v2 paging, S2
MAX_IDS = 100  # `ids`, S2 getDeals
MAX_SELECTED = 15  # `custom_fields` selector, S2 getDeals

_WHOLE = re.compile(r"-?[0-9]{1,18}")

Parser = Callable[[str], Any]


class _Bad(Exception):
    """A query value that does not parse; the message is the vendor's."""


def as_int(value: str) -> int:
    """A whole number."""
    if not _WHOLE.fullmatch(value):
        raise _Bad("The value is not a valid 'integer'")
    return int(value)


def as_bool(value: str) -> bool:
    """Exactly true or false; 1 and 0 are v1."""
    if value not in {"true", "false"}:
        raise _Bad("The value is not a valid 'boolean'")
    return value == "true"


def as_text(value: str) -> str:
    """Any text."""
    return value


def as_moment(value: str) -> str:
    """RFC 3339 without fractional seconds, as UTC in the form that records carry."""
    message = v.moment(value)
    if message is not None:
        raise _Bad(message)
    return datetime.fromisoformat(value).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_limit(value: str) -> int:
    """A page size within the documented bound."""
    number = as_int(value)
    if not 1 <= number <= MAX_LIMIT:
        raise _Bad(f"This value should be between 1 and {MAX_LIMIT}.")
    return number


def as_ids(value: str) -> list[int]:
    """Comma-separated ids, at most 100."""
    parts = [as_int(part.strip()) for part in value.split(",") if part.strip()]
    if len(parts) > MAX_IDS:
        raise _Bad(f"This collection should contain {MAX_IDS} elements or less.")
    return parts


def as_selected(value: str) -> list[str]:
    """Comma-separated custom field codes, at most 15."""
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if len(parts) > MAX_SELECTED:
        raise _Bad(f"This collection should contain {MAX_SELECTED} elements or less.")
    return parts


def one_of(*choices: str) -> Parser:
    """One of some words."""

    def parse(value: str) -> str:
        if value not in choices:
            raise _Bad("The value you selected is not a valid choice.")
        return value

    return parse


def some_of(*choices: str) -> Parser:
    """Comma-separated words out of some."""

    def parse(value: str) -> frozenset[str]:
        parts = frozenset(part.strip() for part in value.split(",") if part.strip())
        if not parts <= set(choices):
            raise _Bad("One or more of the given values is invalid.")
        return parts

    return parse


PAGING: dict[str, Parser] = {"limit": as_limit, "cursor": as_text}
ORDER: dict[str, Parser] = {"sort_by": one_of("id", "update_time", "add_time"), "sort_direction": one_of("asc", "desc")}
CHANGED: dict[str, Parser] = {"updated_since": as_moment, "updated_until": as_moment}


def read_query(call: Call, parsers: dict[str, Parser], required: Iterable[str] = ()) -> dict[str, Any]:
    """Parse the query of a v2 request; unknown parameters are refused.

    Raises: Refused 400.
    """
    values: dict[str, Any] = {}
    problems: list[str] = [f"{key}: Parameter '{key}' is required for this request" for key in required if not call.query.get(key)]
    for key, text in call.query.items():
        parser = parsers.get(key)
        if parser is None:
            problems.append(f"{key}: Parameter '{key}' is not allowed for this request")
            continue
        try:
            values[key] = parser(text)
        except _Bad as error:
            problems.append(f"{key}: {error}")
    if problems:
        raise invalid(problems)
    return values


def matching(rows: Iterable[Record], query: dict[str, Any], equal: Iterable[str]) -> Iterator[Record]:
    """Records that pass the time filters and the filters by equal value."""
    wanted = [(key, query[key]) for key in equal if key in query]
    since, until = query.get("updated_since"), query.get("updated_until")
    ids = set(query["ids"]) if "ids" in query else None
    for row in rows:
        if ids is not None and row["id"] not in ids:
            continue
        if since is not None and row["update_time"] < since:
            continue
        if until is not None and row["update_time"] >= until:
            continue
        if all(row.get(key) == value for key, value in wanted):
            yield row


@dataclass(frozen=True, slots=True)
class Listed:
    """How one list is made: its table, filters by equal value, and what is kept."""

    entity: str
    equal: tuple[str, ...] = ()
    keep: Callable[[Record], bool] = lambda row: not is_deleted(row)


def list_v2(
    call: Call, listed: Listed, query: dict[str, Any], show: Callable[[Record], Any], rows: Iterable[Record] | None = None
) -> Answer:
    """Answer one page of a v2 list.

    Raises: Refused 400 for a cursor that this server did not give.
    """
    limit = query.get("limit", DEFAULT_LIMIT)
    sort_by, direction = query.get("sort_by", "id"), query.get("sort_direction", "asc")
    place = _read_cursor(query["cursor"]) if query.get("cursor") else None
    table = call.account.store.table(listed.entity)
    found: Iterator[Record]
    if sort_by == "id" and direction == "asc" and rows is None:
        source: Iterable[Record] = table.after(place["id"] if place else 0)
        found = filter(listed.keep, matching(source, query, listed.equal))
    else:
        found = iter(
            _sorted(
                filter(listed.keep, matching(rows if rows is not None else table.rows.values(), query, listed.equal)),
                sort_by,
                direction,
                place,
            )
        )
    taken = [row for _, row in zip(range(limit + 1), found, strict=False)]
    has_more = len(taken) > limit
    taken = taken[:limit]
    return page([show(row) for row in taken], _cursor(taken[-1], sort_by, direction) if has_more else None)


def _sorted(rows: Iterable[Record], sort_by: str, direction: str, place: dict[str, Any] | None) -> list[Record]:
    def key(row: Record) -> tuple[str, int]:
        value = row.get(sort_by)
        return (f"{value:012d}" if isinstance(value, int) else str(value or ""), row["id"])

    is_descending = direction == "desc"
    ordered = sorted(rows, key=key, reverse=is_descending)
    if place is None:
        return ordered
    value = place["fieldValue"]
    edge = (f"{value:012d}" if isinstance(value, int) else str(value or ""), place["id"])
    return [row for row in ordered if (key(row) < edge if is_descending else key(row) > edge)]


def _cursor(row: Record, sort_by: str, direction: str) -> str:
    place = {"field": sort_by, "fieldValue": row.get(sort_by), "sortDirection": direction, "id": row["id"]}
    return base64.urlsafe_b64encode(orjson.dumps(place)).rstrip(b"=").decode()


def _read_cursor(text: str) -> dict[str, Any]:
    try:
        place = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError) as error:
        raise invalid(["cursor: The cursor is not valid."]) from error
    if not isinstance(place, dict) or not {"field", "fieldValue", "sortDirection", "id"} <= place.keys():
        raise invalid(["cursor: The cursor is not valid."])
    return place


def list_v1_flat(call: Call, rows: list[Record], show: Callable[[Record], Any], default: int = DEFAULT_LIMIT) -> Answer:
    """Answer one page of a v1 list whose paging stands beside the list, not nested (S1 getLeads, getDealFields)."""
    start, limit = number_v1(call.query.get("start"), 0), min(number_v1(call.query.get("limit"), default), MAX_LIMIT)
    extra = {"start": start, "limit": limit, "more_items_in_collection": len(rows) > start + limit}
    return Answer(200, {"success": True, "data": [show(row) for row in rows[start : start + limit]], "additional_data": extra})


def list_v1(call: Call, rows: Iterable[Record], show: Callable[[Record], Any], max_limit: int = MAX_LIMIT) -> Answer:
    """Answer one start/limit page of a v1 list; v1 takes what it can of bad numbers."""
    start, limit = number_v1(call.query.get("start"), 0), number_v1(call.query.get("limit"), DEFAULT_LIMIT)
    limit = max(1, min(limit, max_limit))
    taken = list(rows)[start : start + limit + 1]
    return page_v1([show(row) for row in taken[:limit]], start, limit, len(taken) > limit)


def number_v1(text: str | None, default: int) -> int:
    """A number of a v1 query, or the default when it is none."""
    return int(text) if text and _WHOLE.fullmatch(text) and text[0] != "-" else default
