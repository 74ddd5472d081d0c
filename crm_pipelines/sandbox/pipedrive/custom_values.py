"""Values of custom fields: what each field type takes, and what is stored.

Belongs here: the value shapes of the v2 `custom_fields` object. Not here: the definitions (fields).
Source: migration guide v2; messages recorded live (pipedrive-mcp "Clearing a field", client-nodejs#651); since
2026-05-21 they name the field code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crm_pipelines.sandbox.pipedrive import validation as v

SHORT_TEXT = 255  # varchar, S2 addDealField
LONG_TEXT = 65_000  # text ("up to 65k"), same
MAX_DIGITS = 14  # numeric custom fields, intercom.help/pipedrive 13519785

_ADDRESS_KEYS = frozenset({"value", "formatted_address", *v.ADDRESS_PARTS})

ValueCheck = Callable[[Any, dict[str, Any]], str | None]


def problem_of(code: str, value: Any, definition: dict[str, Any] | None) -> str | None:
    """The vendor's message when `value` does not fit the field, else None. Null clears and always fits."""
    if definition is None:
        return f"custom_fields: Unknown key '{code}'"
    if value is None:
        return None
    message = _CHECKS[definition["field_type"]](value, definition)
    return None if message is None else f"custom_fields: {message}"


def stored(value: Any, definition: dict[str, Any]) -> Any:
    """The value as it is read back."""
    kind = definition["field_type"]
    if kind == "address":
        return {"value": value["value"], **{part: value.get(part) for part in v.ADDRESS_PARTS}, "formatted_address": value["value"]}
    if kind in {"time", "timerange"}:
        return {"value": None, **({"until": None} if kind == "timerange" else {}), "timezone_name": None, **value}
    return value


def _plain(kind: str, test: Callable[[Any], bool]) -> ValueCheck:
    def check(value: Any, definition: dict[str, Any]) -> str | None:
        if isinstance(value, dict | list):
            return f"Invalid collection for custom field '{definition['field_code']}'"
        return None if test(value) else f"Expected '{kind}' as value for custom field '{definition['field_code']}'"

    return check


def _text(limit: int) -> ValueCheck:
    plain = _plain("string", lambda value: isinstance(value, str))

    def check(value: Any, definition: dict[str, Any]) -> str | None:
        message = plain(value, definition)
        if message is None and len(value) > limit:
            return f"Value of custom field '{definition['field_code']}' is too long. It should have {limit} characters or less."
        return message

    return check


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 10**MAX_DIGITS


def _reference(entity: str) -> ValueCheck:
    def check(value: Any, definition: dict[str, Any]) -> str | None:
        if type(value) is int:
            return None
        return f"Expected 'number' as value for {entity} custom field '{definition['field_code']}'"

    return check


def _collection(kind: str, tests: Mapping[str, Callable[[Any], bool]], required: str) -> ValueCheck:
    def check(value: Any, definition: dict[str, Any]) -> str | None:
        code = definition["field_code"]
        if not isinstance(value, dict):
            return f"{kind} custom field value expected 'object' for '{code}'"
        wrong = next((key for key, part in value.items() if key not in tests or not (part is None or tests[key](part))), None)
        if wrong is not None:
            return f"Invalid collection for custom field '{code}'"
        return None if value.get(required) is not None else f"{kind} custom field '{code}' needs '{required}'"

    return check


def _option_ids(definition: dict[str, Any]) -> set[int]:
    return {option["id"] for option in definition["options"] or ()}


def _enum(value: Any, definition: dict[str, Any]) -> str | None:
    if isinstance(value, dict | list):
        return f"Invalid collection for custom field '{definition['field_code']}'"
    if type(value) is not int:
        return f"Expected 'number' as value for enum custom field '{definition['field_code']}'"
    return None if value in _option_ids(definition) else f"Unknown option for custom field '{definition['field_code']}'"


def _set(value: Any, definition: dict[str, Any]) -> str | None:
    code = definition["field_code"]
    if not isinstance(value, list):
        return f"Expected 'array' as value for set custom field '{code}'"
    if not value:  # S2: "use null to clear the selection, sending an empty array [] is not supported"
        return f"Empty array is not supported for custom field '{code}'"
    known = _option_ids(definition)
    return None if all(type(i) is int and i in known for i in value) else f"Unknown option for custom field '{code}'"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_RANGE_DATE = {"value": v.is_day, "until": v.is_day}
_TIME = {"value": v.is_clock, "timezone_name": _is_text, "timezone_id": lambda value: type(value) is int}

_CHECKS: dict[str, ValueCheck] = {
    "varchar": _text(SHORT_TEXT),
    "varchar_auto": _text(SHORT_TEXT),
    "phone": _text(SHORT_TEXT),
    "text": _text(LONG_TEXT),
    "double": _plain("number", _is_number),
    "date": _plain("date", v.is_day),
    "monetary": _collection(
        "Monetary", {"value": _is_number, "currency": lambda value: isinstance(value, str) and len(value) == 3}, "value"
    ),
    "daterange": _collection("Date range", _RANGE_DATE, "value"),
    "time": _collection("Time", _TIME, "value"),
    "timerange": _collection("Time range", {**_TIME, "until": v.is_clock}, "value"),
    "address": _collection("Address", dict.fromkeys(_ADDRESS_KEYS, _is_text), "value"),
    "enum": _enum,
    "set": _set,
    "user": _reference("user"),
    "org": _reference("organization"),
    "people": _reference("person"),
}
