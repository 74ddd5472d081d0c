"""Where a field is asked for: visible in dialogs, important, required; by entity, as v2 takes and shows it.

Belongs here: the three settings and which entity has which. Not here: definitions and options (fields), v1's flags (fields_v1).
Source: S2 get*Fields (`include_fields` is a list of combinations), add*Field: "required ... when interacted with in the Pipedrive web UI",
so that no request of the API is held against them.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from itertools import combinations
from typing import Any

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import bad_request, invalid
from crm_pipelines.sandbox.pipedrive.store import Record

PARTS = ("ui_visibility", "important_fields", "required_fields")
ONLY_VISIBILITY = frozenset({"products", "activities"})

_STAGES = {"enabled": False, "stage_ids": []}
_SHOWN_AS: dict[str, dict[str, Any]] = {
    "ui_visibility": {"add_visible_flag": False, "details_visible_flag": True},
    "important_fields": _STAGES,
    "required_fields": {"enabled": False},
}
_STAGE_CHECKS: v.Schema = {"enabled": v.boolean, "stage_ids": v.array(v.integer())}
_CHECKS: dict[str, v.Schema] = {"ui_visibility": {}, "important_fields": _STAGE_CHECKS, "required_fields": {"enabled": v.boolean}}
_DEAL_REQUIRED: v.Schema = {**_STAGE_CHECKS, "statuses": v.mapping}


def parts_of(entity: str) -> tuple[str, ...]:
    """Return the settings that fields of an entity have."""
    return PARTS[:1] if entity in ONLY_VISIBILITY else PARTS


def parser(entity: str) -> Callable[[str], frozenset[str]]:
    """Return the parser of `include_fields`: one of the declared combinations, in the declared order.

    Raises: Refused 400 for anything else.
    """
    parts = parts_of(entity)
    allowed = {",".join(chosen) for size in range(1, len(parts) + 1) for chosen in combinations(parts, size)}

    def parse(value: str) -> frozenset[str]:
        if value not in allowed:
            raise invalid(["include_fields: One or more of the given values is invalid."])
        return frozenset(value.split(","))

    return parse


def schema(entity: str) -> v.Schema:
    """Return the checks of a create's or update's settings; unknown keys within them are accepted (additionalProperties)."""
    return {part: _open_record(_checks(entity, part)) for part in parts_of(entity)}


def show(entity: str, part: str, record: Record) -> dict[str, Any]:
    """Return one setting, with what was not given by default."""
    defaults = deepcopy(_SHOWN_AS[part])
    if entity == "deals" and part == "required_fields":
        defaults |= {"stage_ids": [], "statuses": {}}
    return {**defaults, **record.get(part, {})}


def is_required(record: Record) -> bool:
    """Whether a field is required everywhere; what v1 calls mandatory."""
    required = record.get("required_fields", {})
    return record["field_code"] in {"name", "title"} or bool(required.get("enabled") and not required.get("stage_ids"))


def check_links(account: Account, body: dict[str, Any]) -> None:
    """Refuse settings that name a stage or pipeline which is not there. Raises: Refused 400."""
    for part in ("important_fields", "required_fields"):
        given = body.get(part, {})
        for number in given.get("stage_ids", ()):
            if account.store.find("stages", number) is None:
                raise bad_request(f"{part}.stage_ids: stage with id {number} was not found.")
        for number in given.get("statuses", {}):
            if not number.isdigit() or account.store.find("pipelines", int(number)) is None:
                raise bad_request(f"{part}.statuses: pipeline with id {number} was not found.")


def _checks(entity: str, part: str) -> v.Schema:
    return _DEAL_REQUIRED if entity == "deals" and part == "required_fields" else _CHECKS[part]


def _open_record(known: v.Schema) -> v.Check:
    strict = v.record(known)

    def check(value: Any) -> str | None:
        return v.mapping(value) or strict({key: element for key, element in value.items() if key in known})

    return check
