"""Logical payloads to Pipedrive's JSON and back.

Belongs here: value by value what a record looks like on either side. Not here: which fields a map uses (spec), names and
ids (fields), endpoints (entities).

Logical payload: texts, numbers, `YYYY-MM-DD`, `YYYY-MM-DDTHH:MM:SSZ`, lists of texts; `emails` and `phones` are lists of
texts, the first one primary; labels, options, pipeline and stage by name; links by destination id as text; `location` is a
text; `custom` holds custom fields by display name. Empty values leave no key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crm_pipelines.destinations.base import FoundField, utc_text
from crm_pipelines.destinations.pipedrive.costs import TEXT_LENGTH, VARCHAR_LENGTH
from crm_pipelines.destinations.pipedrive.entities import ENTITIES, Entity
from crm_pipelines.destinations.pipedrive.fields import Names
from crm_pipelines.errors import SettingsError

LINKS = frozenset({"owner_id", "org_id", "person_id", "deal_id"})
MOMENTS = frozenset({"add_time", "won_time", "lost_time", "close_time"})
TIMES = frozenset({"due_time", "duration"})
ADDRESS_PARTS = (
    *("value", "country", "admin_area_level_1", "admin_area_level_2", "locality", "sublocality"),
    *("route", "street_number", "subpremise", "postal_code"),
)
CHANNEL_LABEL = "work"  # labels are work, home, other (OpenAPI addPerson); exports do not tell
NOT_OURS = frozenset(
    # what the vendor adds to a record and no map writes
    {"id", "update_time", "stage_change_time", "is_deleted", "is_archived", "archive_time", "visible_to", "custom_fields", "first_name"}
    | {"last_name", "picture_id", "stage_id", "pipeline_id", "label_ids", "creator_user_id", "user_id", "active_flag", "origin"}
    | {"origin_id", "channel", "channel_id", "acv", "arr", "mrr", "local_won_date", "local_lost_date", "local_close_date", "close_time"}
    | {"last_update_user_id", "person", "organization", "deal", "user", "marked_as_done_time", "attendees", "project_id", "lead_id"}
)
TOKEN = re.compile(r"\[(crm-[a-z0-9]{16})\]")
TEXT_LENGTHS = {"varchar": VARCHAR_LENGTH, "varchar_auto": VARCHAR_LENGTH, "text": TEXT_LENGTH}
_HANGING_BREAKS = re.compile(r"(\s*<br\s*/?>\s*)+$", re.IGNORECASE)


class TooLong(ValueError):
    """A text that the vendor would refuse; the message names the field and never the text."""


def body_of(phase: str, payload: Mapping[str, Any], names: Names, token: str) -> dict[str, Any]:
    """Return the request body for a payload, or for the changed fields of one.

    Raises: SettingsError when the account lacks a field, option, label or stage that the payload names.
    """
    entity = ENTITIES[phase]
    body: dict[str, Any] = {}
    for name, value in payload.items():
        if value is not None:
            _STANDARD.get(name, _plain)(body, name, value, names, phase)
    if payload.get("stage") is not None:
        body["stage_id"] = _stage_id(payload, names)
    custom = payload.get("custom")
    if custom:
        body["custom_fields"] = custom_body(phase, custom, names)
    if entity.mark_field:
        _with_token(entity, payload, body, token)
    if entity.is_v1 and "add_time" in body:
        body["add_time"] = body["add_time"].replace("T", " ").removesuffix("Z")
    return body


def custom_body(phase: str, custom: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """Return `custom_fields`: the account's random codes with vendor values."""
    out: dict[str, Any] = {}
    for name, value in custom.items():
        found = names.field_named(phase, name)
        out[found.code] = None if value is None else _custom_out(found, value, names)
    return out


def payload_of(phase: str, record: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """Return the logical payload of a record as the vendor lists it; only what a map could have written."""
    entity = ENTITIES[phase]
    out: dict[str, Any] = {}
    for name, value in record.items():
        if value in (None, "", []) or name in NOT_OURS or name.startswith("pinned_to_") or (phase, name) == ("activities", "person_id"):
            continue
        out[name] = _back(name, value)
    _stage_back(record, out, names)
    labels = [label for number in record.get("label_ids") or [] if (label := names.label_name(phase, number)) is not None]
    if labels:
        out["label_ids"] = labels
    if "type" in out:
        out["type"] = names.type_name(phase, out["type"])
    custom = _custom_back(phase, record.get("custom_fields") or {}, names)
    if custom:
        out["custom"] = custom
    if entity.mark_field and entity.mark_field in out:
        out[entity.mark_field] = without_token(out[entity.mark_field])
        if not out[entity.mark_field]:
            del out[entity.mark_field]
    return {name: value for name, value in out.items() if value is not None}


def labels_of(phase: str, record: Mapping[str, Any], names: Names) -> list[str]:
    """Return the label names of a record."""
    return [names.label_name(phase, number) or str(number) for number in record.get("label_ids") or []]


def token_in(text: str | None) -> str | None:
    """Return the last visible token of a text."""
    found = TOKEN.findall(text or "")
    return found[-1] if found else None


def without_token(text: str) -> str:
    """Return a text without its own visible token, the last one, and the line breaks before it."""
    own = list(TOKEN.finditer(text))[-1:]
    return _HANGING_BREAKS.sub("", text[: own[0].start()] + text[own[0].end() :]) if own else text


def _with_token(entity: Entity, payload: Mapping[str, Any], body: dict[str, Any], token: str) -> None:
    """Append the token to the text; an update that does not touch the text leaves it as it is."""
    if not TOKEN.fullmatch(f"[{token}]"):
        if entity.mark_field in payload:
            raise SettingsError(f"{entity.phase}: a row without its visible token cannot be sent")
        return
    text = str(payload.get(entity.mark_field) or "")
    if text or "subject" in payload:
        body[entity.mark_field] = f"{text}{entity.mark_break if text else ''}[{token}]"


def _plain(body: dict[str, Any], name: str, value: Any, names: Names, phase: str) -> None:
    if name in LINKS:
        body[name] = int(value)
    elif name in MOMENTS and isinstance(value, datetime):
        body[name] = utc_text(value)
    else:
        body[name] = _scalar(value)


def _skip(body: dict[str, Any], name: str, value: Any, names: Names, phase: str) -> None:
    return


def _labels(body: dict[str, Any], name: str, value: Any, names: Names, phase: str) -> None:
    numbers = []
    for label in value:
        number = names.label_id(phase, label)
        if number is None:
            raise SettingsError(
                f"{phase}: a label of the map is missing in the account; run `crm run` again, it makes missing labels first"
            )
        if number not in numbers:
            numbers.append(number)
    body["label_ids"] = numbers


def _stage_id(payload: Mapping[str, Any], names: Names) -> int:
    """Return the stage's id; the pipeline is not sent, because a stage's own pipeline wins at the vendor."""
    stages = names.found.stages
    places = [stages.get(payload["pipeline"], {})] if payload.get("pipeline") else list(stages.values())
    for place in places:
        if payload["stage"] in place:
            return int(place[payload["stage"]])
    raise SettingsError("deals: a stage of the map is missing in the account; run `crm run` again, it makes missing stages first")


def _channels(body: dict[str, Any], name: str, value: Any, names: Names, phase: str) -> None:
    items = [value] if isinstance(value, str) else list(value)
    body[name] = [
        dict(item) if isinstance(item, Mapping) else {"value": item, "primary": index == 0, "label": CHANNEL_LABEL}
        for index, item in enumerate(items)
    ]


def _number(body: dict[str, Any], name: str, value: Any, names: Names, phase: str) -> None:
    body[name] = number_of(value)


def _location(body: dict[str, Any], name: str, value: Any, names: Names, phase: str) -> None:
    body[name] = dict(value) if isinstance(value, Mapping) else {"value": str(value)}


def _participants(body: dict[str, Any], name: str, value: Any, names: Names, phase: str) -> None:
    ids: Sequence[Any] = value if isinstance(value, list | tuple) else [value]
    body[name] = [{"person_id": int(one), "primary": index == 0} for index, one in enumerate(ids)]


def _type(body: dict[str, Any], name: str, value: Any, names: Names, phase: str) -> None:
    key = names.type_key(phase, str(value))
    if key is None:
        raise SettingsError(f"{phase}: a record type of the map is missing in the account; `crm run` makes missing types first")
    body[name] = key


_Writer = Callable[[dict[str, Any], str, Any, Names, str], None]
_STANDARD: Mapping[str, _Writer] = {
    "custom": _skip,
    "pipeline": _skip,
    "stage": _skip,
    "label_ids": _labels,
    "emails": _channels,
    "phones": _channels,
    "value": _number,
    "location": _location,
    "address": _location,
    "participants": _participants,
    "type": _type,
}


def number_of(value: Any) -> int | float:
    """Return a JSON number: whole where it is whole. Vendor numbers hold 14 digits (custom field limits, 2026-11)."""
    number = float(Decimal(str(value)))
    return int(number) if number.is_integer() else number


def _scalar(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return number_of(value)
    return value


def _custom_out(found: FoundField, value: Any, names: Names) -> Any:
    if found.type == "enum":
        return _option(found, ("Yes" if value else "No") if isinstance(value, bool) else value, names)
    if found.type == "set":
        return [_option(found, label, names) for label in ([value] if isinstance(value, str) else value)]
    if found.type == "double":
        return number_of(value)
    if found.type == "monetary":
        return dict(value) if isinstance(value, Mapping) else {"value": number_of(value), "currency": names.found.currency}
    if found.type == "address":
        return dict(value) if isinstance(value, Mapping) else {"value": str(value)}
    return _scalar(value) if found.type == "date" else _custom_text(found, str(_scalar(value)))


def _custom_text(found: FoundField, text: str) -> str:
    cap = TEXT_LENGTHS.get(found.type)
    if cap is not None and len(text) > cap:
        raise TooLong(f"too_long: {found.name}, Pipedrive takes {cap} characters")
    return text


def _option(found: FoundField, label: str, names: Names) -> int:
    number = names.option_number(found, label)
    if number is None:
        raise SettingsError(
            f"{found.phase}: custom field {found.name!r} lacks an option of the map; run `crm run` again, it makes missing options first"
        )
    return number


def _back(name: str, value: Any) -> Any:
    reader = _READERS.get(name)
    return value if reader is None else reader(value)


def _link_back(value: Any) -> str:
    return str(value.get("value") if isinstance(value, Mapping) else value)


def _channels_back(items: Sequence[Mapping[str, Any]]) -> list[str] | None:
    return [item["value"] for item in _primary_first(items) if item.get("value")] or None


def _participants_back(items: Sequence[Mapping[str, Any]]) -> str | None:
    return next((str(item["person_id"]) for item in _primary_first(items)), None)


def _primary_first(items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(items, key=lambda item: not item.get("primary"))


def _location_back(value: Any) -> Any:
    return value.get("value") if isinstance(value, Mapping) else value


def _time_back(value: Any) -> str:
    return f"{value}:00" if len(str(value)) == 5 else str(value)


def _moment_back(value: Any) -> str:
    text = str(value)
    return text if text.endswith("Z") else text.replace(" ", "T") + "Z"


def _address_back(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, Mapping):
        return {"value": value}
    return {part: value[part] for part in ADDRESS_PARTS if value.get(part)} or None


_READERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(LINKS, _link_back),
    **dict.fromkeys(MOMENTS, _moment_back),
    **dict.fromkeys(TIMES, _time_back),
    "emails": _channels_back,
    "phones": _channels_back,
    "participants": _participants_back,
    "location": _location_back,
    "address": _address_back,
    "value": number_of,
}


def _stage_back(record: Mapping[str, Any], out: dict[str, Any], names: Names) -> None:
    stage_id = record.get("stage_id")
    place = names.stage_of(stage_id) if stage_id is not None else None
    if place is not None:
        out["pipeline"], out["stage"] = place


def _custom_back(phase: str, values: Mapping[str, Any], names: Names) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for code, value in values.items():
        found = names.by_code.get((phase, code))
        if found is None or value in (None, "", []):
            continue
        logical = _custom_value(found, value, names)
        if logical not in (None, []):
            out[found.name] = logical
    return out


def _custom_value(found: FoundField, value: Any, names: Names) -> Any:
    if found.type == "enum":
        label = names.option_name(found, value)
        return label == "Yes" if set(found.options) == {"Yes", "No"} else label
    if found.type == "set":
        return [label for number in value if (label := names.option_name(found, number)) is not None]
    if found.type == "double":
        return number_of(value)
    if found.type == "monetary":
        return number_of(value["value"]) if value.get("currency") == names.found.currency else dict(value)
    if found.type == "address":
        return _address_back(value)
    return value
