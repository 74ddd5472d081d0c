"""Checks answers against the vendor's OpenAPI files, whose folder CRM_PIPEDRIVE_OPENAPI_DIR names.

Belongs here: the comparison and the list of known deviations, each with its source. Not here: what is asked.
"""

from __future__ import annotations

import copy
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import yaml
from openapi_schema_validator import OAS30Validator

FOLDER_VARIABLE = "CRM_PIPEDRIVE_OPENAPI_DIR"

# Keys that the specification types as never null but that are null when empty. Sources: open deals without won_time,
# lost_time, expected_close_date (pipedrive-cli .scratch/pd-impl/issues/21, live); records without a link, an address, a
# picture or a text have nothing else to say (v1 of the same objects types most of them nullable).
NULL_KEYS = frozenset({
    "person_id", "org_id", "deal_id", "lead_id", "project_id", "task_id", "product_id", "activity_id", "won_time", "lost_time",
    "expected_close_date", "archive_time", "address", "picture_id", "first_name", "last_name", "due_date", "due_time", "duration",
    "marked_as_done_time", "location", "conference_meeting_client", "conference_meeting_url", "conference_meeting_id",
    "public_description", "priority", "note", "deal", "person", "organization", "last_update_user_id", "deal_name", "person_name",
    "postal_address", "notes", "im", "birthday", "job_title", "icon_url",
    "org_name", "product_name", "code", "description", "unit", "next_cursor",
    # address parts that were not given are null: migration guide v2
    "country", "admin_area_level_1", "admin_area_level_2", "locality", "sublocality", "route", "street_number", "subpremise",
    "postal_code", "value",
})  # fmt: skip

# Keys that search results type as integers; deals are worth fractions and product codes are texts everywhere else.
NOT_INTEGERS = frozenset({"value", "code"})

# Keys that answers carry and the specification does not declare, by operationId prefix or for all.
EXTRA_KEYS = {
    "creator_user_id": "example of S2 addDeal",
    "archive_time": "example of S2 addDeal",
    "local_won_date": "example of S2 addDeal",
    "local_lost_date": "example of S2 addDeal",
    "local_close_date": "example of S2 addDeal",
    "is_writable": "live, pipedrive-mcp field listing",
    "description": "example of S2 getPersonFields; declared for dealFields only",
    "outcome": "official npm client 33.7.0 has it, the specification not yet",
    "pinned_to_lead_flag": "example of S1 addNote",
    "log_id": "example of S1 addFile",
    "file_type": "example of S1 addFile",
    "marketing_status": "include_fields=marketing_status of S2 getPersons",
    "attendees": "include_fields=attendees of S2 getActivities",
    "labels": "include_labels of S2 getDeals",
    "order_nr": "S1 fields",
    "update_time": "S2 field options carry it, operations on them do not declare it",
    "color": "S2 field options carry it",
    "details_visible_flag": "S1 of the other fields; not declared for productFields",
    "index_visible_flag": "S1 of the other fields; not declared for productFields",
    "is_subfield": "S1 of the other fields; not declared for productFields",
    "next_start": "S1 paging, last page leaves it out",
    # include_fields of S2 getDeals, getPersons, getOrganizations
    "files_count": "include_fields",
    "notes_count": "include_fields", "open_deals_count": "include_fields", "people_count": "include_fields",
    "products_count": "include_fields", "activities_count": "include_fields",
}  # fmt: skip


# The same, in one place only: the example of S2 searchItemByField answers {id, name}, its schema does not; the example of S1
# getDealsSummary has one object per currency, its schema the content of one.
EXTRA_AT = frozenset({
    ("/itemSearch/field", "id"), ("/itemSearch/field", "name"), ("/deals/summary", "EUR"), ("/deals/summary", "USD"),
})  # fmt: skip


def is_available() -> bool:
    return bool(os.environ.get(FOLDER_VARIABLE))


@cache
def operations(version: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Operations of one version by method and path."""
    text = (Path(os.environ[FOLDER_VARIABLE]) / f"{version}.yaml").read_bytes()
    document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  both are safe loaders
    methods = {"get", "post", "put", "patch", "delete"}
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in methods
    }


@cache
def _patterns(version: str) -> list[tuple[str, str, re.Pattern[str]]]:
    paths = sorted(operations(version), key=lambda key: key[1].count("{"))
    return [(method, path, re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + "/?")) for method, path in paths]


def find(method: str, path: str) -> tuple[str, str, dict[str, Any]] | None:
    """Version, path template and operation of a request path."""
    for prefix, version in (("/api/v2", "v2"), ("/api/v1", "v1"), ("/v1", "v1")):
        if path.startswith(prefix + "/"):
            rest = path.removeprefix(prefix)
            for known, template, pattern in _patterns(version):
                if known == method and pattern.fullmatch(rest):
                    return version, template, operations(version)[method, template]
    return None


def problems(response: httpx.Response) -> list[str]:
    """Where a success answer differs from the specification."""
    found = find(response.request.method, response.url.path)
    if found is None and response.status_code >= 400:
        return []
    if found is None:
        return [f"{response.request.method} {response.url.path} is no operation of the specification"]
    version, template, operation = found
    declared = operation["responses"].get(str(response.status_code))
    if declared is None:
        return [] if response.status_code >= 400 else [f"{template}: status {response.status_code} is not declared"]
    content = declared.get("content", {}).get("application/json")
    if content is None or response.status_code >= 400:
        return []
    schema, body = content["schema"], response.json()
    errors = [
        f"{template}: {'/'.join(map(str, e.absolute_path))}: {e.message[:160]}"
        for e in _validator(version, template, response).iter_errors(body)
    ]
    extra = {key for key in _undeclared(schema, body) if key not in EXTRA_KEYS and (template, key) not in EXTRA_AT}
    return errors + [f"{template}: undeclared key {key}" for key in sorted(extra)]


_validators: dict[tuple[str, str, str, int], OAS30Validator] = {}


def _validator(version: str, template: str, response: httpx.Response) -> OAS30Validator:
    key = (version, response.request.method, template, response.status_code)
    if key not in _validators:
        operation = operations(version)[response.request.method, template]
        schema = operation["responses"][str(response.status_code)]["content"]["application/json"]["schema"]
        _validators[key] = OAS30Validator(_with_nulls(copy.deepcopy(schema)))
    return _validators[key]


def _with_nulls(schema: Any) -> Any:
    if isinstance(schema, dict):
        choices = schema.get("enum")
        if isinstance(choices, list) and "varchar_auto" in choices and "status" not in choices:
            del schema["enum"]  # S1 joins two lists of field types by allOf, and one of them lacks int, status and stage
        for key, part in (schema.get("properties") or {}).items():
            if key in NOT_INTEGERS and part.get("type") == "integer":
                del part["type"]
            if key in NULL_KEYS and isinstance(part, dict):
                part["nullable"] = True
        for part in schema.values():
            _with_nulls(part)
    if isinstance(schema, list):
        for part in schema:
            _with_nulls(part)
    return schema


def _undeclared(schema: dict[str, Any], value: Any) -> set[str]:
    """Keys of objects that no part of the schema declares; custom fields and free objects are left alone."""
    if isinstance(value, list):
        items = [part["items"] for part in _parts(schema) if isinstance(part.get("items"), dict)]
        return set().union(*(_undeclared(part, element) for part in items for element in value)) if items else set()
    if not isinstance(value, dict):
        return set()
    parts = _parts(schema)
    properties: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        for key, child in (part.get("properties") or {}).items():
            properties.setdefault(key, []).append(child)
    if not properties:
        return set()
    unknown = {key for key in value if key not in properties and not re.fullmatch(r"[0-9a-f]{40}", key)}
    for key, children in properties.items():
        if key in value:
            unknown |= _undeclared({"allOf": children}, value[key])
    return unknown


def _parts(schema: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [schema]
    for word in ("allOf", "oneOf", "anyOf"):
        for part in schema.get(word, ()):
            parts += _parts(part)
    return parts
