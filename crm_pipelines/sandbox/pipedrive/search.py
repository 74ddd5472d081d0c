"""Search, v2: itemSearch, itemSearch/field and the */search of each entity.

Belongs here: terms, fields, what an entity's search item looks like, and the index that lags behind writes.
Source: S2 searchItem, searchItemByField (case-sensitive), searchPersons and neighbours; searchable custom types: S2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, invalid, page
from crm_pipelines.sandbox.pipedrive.listing import Parser, as_bool, as_int, as_text, one_of, read_query, some_of
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.records import utc
from crm_pipelines.sandbox.pipedrive.search_items import TEXTS, TYPES, item
from crm_pipelines.sandbox.pipedrive.store import Record

SEARCHABLE_CUSTOM = frozenset({"address", "varchar", "text", "varchar_auto", "double", "monetary", "phone"})
MAX_PAGE = 100  # itemSearch, S2; */search take up to 500 there
_FIELDS: dict[str, tuple[str, ...]] = {
    "deals": ("custom_fields", "notes", "title"),
    "leads": ("custom_fields", "notes", "title"),
    "persons": ("custom_fields", "email", "notes", "phone", "name"),
    "organizations": ("address", "custom_fields", "notes", "name"),
    "products": ("code", "custom_fields", "name"),
}
_FILTERS: dict[str, dict[str, Parser]] = {
    "deals": {"person_id": as_int, "organization_id": as_int, "status": one_of("open", "won", "lost"), "include_fields": as_text},
    "leads": {"person_id": as_int, "organization_id": as_int, "include_fields": as_text},
    "persons": {"organization_id": as_int, "include_fields": as_text},
    "organizations": {},
    "products": {"include_fields": as_text},
}


def search_entity(entity: str) -> Callable[[Call], Answer]:
    """The handler of one entity's search."""

    def handle(call: Call) -> Answer:
        parsers = {**_base(), **_FILTERS[entity], "fields": some_of(*_FIELDS[entity])}
        query = read_query(call, parsers, ["term"])
        _check_term(query["term"], query.get("exact_match", False))
        found = [row for row in _found(call.account, entity, query) if _passes(row, query)]
        return _page([_scored(call.account, entity, row) for row in found], query)

    return handle


def search_items(call: Call) -> Answer:
    """GET /itemSearch: several entities at once."""
    words = {
        "search_for_related_items": as_bool,
        "include_fields": as_text,
        "item_types": some_of(*TYPES.values(), "file", "mail_attachment", "project"),
    }
    every = sorted({field for fields in _FIELDS.values() for field in fields} | {"description"})
    query = read_query(call, {**_base(), **words, "fields": some_of(*every)}, ["term"])
    _check_term(query["term"], query.get("exact_match", False))
    wanted = query.get("item_types", frozenset(TYPES.values()))
    entities = [entity for entity, word in TYPES.items() if word in wanted]
    found = [_scored(call.account, entity, row) for entity in entities for row in _found(call.account, entity, query)]
    answer = _page(found, query)
    answer.body["data"]["related_items"] = []
    return answer


def search_field(call: Call) -> Answer:
    """GET /itemSearch/field: values of one field, case-sensitive."""
    types = {word: entity for entity, word in TYPES.items()}
    parsers = {"term": as_text, "entity_type": one_of(*types), "field": as_text, "match": one_of("exact", "beginning", "middle")}
    query = read_query(call, {**parsers, "limit": as_int, "cursor": as_int}, ["term", "entity_type", "field"])
    match = query.get("match", "exact")
    _check_term(query["term"], match == "exact")
    entity = types[query["entity_type"]]
    test = _MATCHES[match]
    found = [
        {"id": row["id"], "name": row.get("title") or row.get("name")}
        for row in _indexed(call.account, entity)
        if any(test(text, query["term"]) for text in _field_texts(call.account, entity, row, query["field"]))
    ]
    start, limit = query.get("cursor", 0), min(query.get("limit", MAX_PAGE), 500)
    return page(found[start : start + limit], str(start + limit) if len(found) > start + limit else None)


_MATCHES: dict[str, Callable[[str, str], bool]] = {
    "exact": lambda text, term: text == term,
    "beginning": lambda text, term: text.startswith(term),
    "middle": lambda text, term: term in text,
}


def _base() -> dict[str, Parser]:
    return {"term": as_text, "exact_match": as_bool, "limit": as_int, "cursor": as_int}


def _check_term(term: str, is_exact: bool) -> None:
    if len(term) < (1 if is_exact else 2):
        raise invalid(["term: This value is too short. It should have 2 characters or more."])


def _indexed(account: Account, entity: str) -> Iterator[Record]:
    """Live records whose last change is old enough to be in the index."""
    lag_s = account.switches.search_lag_s
    newest = utc(datetime.fromtimestamp(account.clock.now() - lag_s, UTC).isoformat())
    for row in account.store.table(entity).live():
        if not lag_s or row["update_time"][:19] <= newest[:19]:
            yield row


def _found(account: Account, entity: str, query: dict[str, Any]) -> Iterator[Record]:
    term, is_exact = query["term"].casefold(), query.get("exact_match", False)
    fields = query.get("fields", frozenset(_FIELDS[entity]))
    for row in _indexed(account, entity):
        texts = (text.casefold() for field in fields for text in _texts(account, entity, row, field))
        if any(text == term if is_exact else term in text for text in texts):
            yield row


def _texts(account: Account, entity: str, row: Record, field: str) -> list[str]:
    if field == "custom_fields":
        return [text for code in account.definitions(entity) for text in _custom_texts(account, entity, row, code)]
    if field == "notes":
        key = {"deals": "deal_id", "persons": "person_id", "organizations": "org_id"}.get(entity)
        return [note["content"] for note in account.store.table("notes").where(key, row["id"])] if key else []
    read = TEXTS[entity].get(field)
    return [] if read is None else [text for text in read(row) if text]


def _field_texts(account: Account, entity: str, row: Record, field: str) -> list[str]:
    if field in account.definitions(entity):
        return _custom_texts(account, entity, row, field)
    return _texts(account, entity, row, field)


def _custom_texts(account: Account, entity: str, row: Record, code: str) -> list[str]:
    value = row.get("custom_fields", {}).get(code)
    if value is None or account.definitions(entity)[code]["field_type"] not in SEARCHABLE_CUSTOM:
        return []
    return [str(value["value"] if isinstance(value, dict) else value)]


def _passes(row: Record, query: dict[str, Any]) -> bool:
    if "status" in query and row["status"] != query["status"]:
        return False
    if "person_id" in query and row["person_id"] != query["person_id"]:
        return False
    return "organization_id" not in query or row.get("org_id", row.get("organization_id")) == query["organization_id"]


def _scored(account: Account, entity: str, row: Record) -> dict[str, Any]:
    shown = item(account, entity, row)
    codes = [code for code in account.definitions(entity) if _custom_texts(account, entity, row, code)]
    shown["custom_fields"] = [text for code in codes for text in _custom_texts(account, entity, row, code)]
    return {"result_score": 0.5, "item": shown}


def _page(items: list[dict[str, Any]], query: dict[str, Any]) -> Answer:
    start, limit = query.get("cursor", 0), max(1, min(query.get("limit", MAX_PAGE), 500))
    more = str(start + limit) if len(items) > start + limit else None
    return Answer(200, {"success": True, "data": {"items": items[start : start + limit]}, "additional_data": {"next_cursor": more}})


_NAMES = {
    "deals": "searchDeals",
    "leads": "searchLeads",
    "persons": "searchPersons",
    "organizations": "searchOrganization",
    "products": "searchProducts",
}

OPERATIONS = [
    Operation("searchItem", "v2", "GET", "/itemSearch", 20, search_items, is_search=True),
    Operation("searchItemByField", "v2", "GET", "/itemSearch/field", 20, search_field, is_search=True),
    *[Operation(name, "v2", "GET", f"/{entity}/search", 20, search_entity(entity), is_search=True) for entity, name in _NAMES.items()],
]
