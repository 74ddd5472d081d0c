"""Checks of request bodies and query strings, strict the way v2 is.

A check takes a value and returns None, or the vendor's message. Belongs here: shapes and types. Not here: custom
field values (custom_values), whether a linked record exists (links), who may do it (the entity modules).
Source: migration guide v2 (2026-04-30): no coercion, strict booleans, unknown keys refused; client-nodejs#651.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from crm_pipelines.sandbox.pipedrive.answers import bad_request_v1, invalid

Check = Callable[[Any], str | None]
Schema = dict[str, Check]

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
_MOMENT_V1 = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
_DURATION = re.compile(r"\d{2,3}:[0-5]\d(:[0-5]\d)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def check_body(body: Any, schema: Schema, required: Iterable[str] = ()) -> dict[str, Any]:
    """Return the body when every key is known, typed and, if required, there.

    Raises: Refused 400 with one message per problem.
    """
    if not isinstance(body, dict):
        raise invalid([": This value should be of type object."])
    problems = [problem for key, value in body.items() if (problem := _problem(key, value, schema)) is not None]
    problems += [f"{key}: Parameter '{key}' is required for this request" for key in required if key not in body]
    if problems:
        raise invalid(problems)
    return body


def check_body_v1(body: Any, schema: Schema, required: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the v1 body; v1 says only `Bad request`, or the entity's own sentence for a missing field.

    Raises: Refused 400.
    """
    if not isinstance(body, dict):
        raise bad_request_v1()
    for key, message in (required or {}).items():
        if body.get(key) in (None, ""):
            raise bad_request_v1(message)
    if any(_problem(key, value, schema) is not None for key, value in body.items()):
        raise bad_request_v1()
    return body


def _problem(key: str, value: Any, schema: Schema) -> str | None:
    check = schema.get(key)
    if check is None:
        return f"{key}: Parameter '{key}' is not allowed for this request"
    message = check(value)
    if message is None:
        return None
    return f"{key}{message}" if message.startswith(("[", ".")) else f"{key}: {message}"


def nullable(check: Check) -> Check:
    """Allow null beside what `check` allows."""
    return lambda value: None if value is None else check(value)


def text(max_length: int | None = None, min_length: int = 0) -> Check:
    """A string within a length."""

    def check(value: Any) -> str | None:
        if not isinstance(value, str):
            return "The value is not a valid 'string'"
        if len(value) < min_length:
            return (
                "This value should not be blank."
                if min_length == 1
                else f"This value is too short. It should have {min_length} characters or more."
            )
        if max_length is not None and len(value) > max_length:
            return f"This value is too long. It should have {max_length} characters or less."
        return None

    return check


def integer(minimum: int | None = None, maximum: int | None = None) -> Check:
    """A JSON integer; a boolean or a numeric string is none."""

    def check(value: Any) -> str | None:
        if type(value) is not int:
            return "The value is not a valid 'integer'"
        if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
            return f"This value should be between {minimum} and {maximum}."
        return None

    return check


def number(minimum: float | None = None, maximum: float | None = None) -> Check:
    """A JSON number."""

    def check(value: Any) -> str | None:
        if type(value) not in (int, float):
            return "The value is not a valid 'number'"
        if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
            return f"This value should be between {minimum} and {maximum}."
        return None

    return check


def boolean(value: Any) -> str | None:
    """Exactly true or false."""
    return None if value is True or value is False else "The value is not a valid 'boolean'"


def flag(value: Any) -> str | None:
    """A v1 flag: 0, 1, true or false, also as text."""
    return None if value in (0, 1, True, False, "0", "1", "true", "false") else "not a flag"


def one_of(*choices: Any) -> Check:
    """One of some values."""
    allowed = frozenset(choices)

    def check(value: Any) -> str | None:
        is_known = isinstance(value, str | int) and not isinstance(value, bool) and value in allowed
        return None if is_known else "The value you selected is not a valid choice."

    return check


def _is_calendar(value: str, pattern: re.Pattern[str], parse: Callable[[str], Any]) -> bool:
    if not pattern.fullmatch(value):
        return False
    try:
        parse(value)
    except ValueError:
        return False
    return True


def moment(value: Any) -> str | None:
    """RFC 3339 in whole seconds; fractional seconds are refused. Source: recorded live for updated_since."""
    if not isinstance(value, str):
        return "The value is not a valid 'string'"
    return None if _is_calendar(value, _MOMENT, datetime.fromisoformat) else "This value is not a valid datetime."


def moment_v1(value: Any) -> str | None:
    """`YYYY-MM-DD HH:MM:SS`, UTC."""
    is_right = isinstance(value, str) and _is_calendar(value, _MOMENT_V1, datetime.fromisoformat)
    return None if is_right else "This value is not a valid datetime."


def day(value: Any) -> str | None:
    """`YYYY-MM-DD`, or the empty string, which stores 0000-00-00 (recorded live)."""
    if not isinstance(value, str):
        return "The value is not a valid 'string'"
    return None if value == "" or _is_calendar(value, _DATE, date.fromisoformat) else "This value is not a valid date."


def is_day(value: Any) -> bool:
    """Whether a value is a real calendar date."""
    return isinstance(value, str) and _is_calendar(value, _DATE, date.fromisoformat)


def is_clock(value: Any) -> bool:
    """Whether a value is a zero-padded time of day."""
    return isinstance(value, str) and _CLOCK.fullmatch(value) is not None


def clock_time(value: Any) -> str | None:
    """Zero-padded `HH:MM[:SS]`. Source: client-nodejs#661 (unpadded hours the likely cause)."""
    if not isinstance(value, str):
        return "The value is not a valid 'string'"
    return None if value == "" or _CLOCK.fullmatch(value) else "This value is not a valid datetime."


def duration(value: Any) -> str | None:
    """Zero-padded `HH:MM[:SS]`, more than a day allowed."""
    if not isinstance(value, str):
        return "The value is not a valid 'string'"
    return None if value == "" or _DURATION.fullmatch(value) else "This value is not a valid datetime."


def mapping(value: Any) -> str | None:
    """Any object; its content is checked elsewhere."""
    return None if isinstance(value, dict) else "Invalid collection"


def array(item: Check, max_items: int | None = None) -> Check:
    """A list whose items all pass."""

    def check(value: Any) -> str | None:
        if not isinstance(value, list):
            return "The value is not a valid 'array'"
        if max_items is not None and len(value) > max_items:
            return f"This collection should contain {max_items} elements or less."
        for index, element in enumerate(value):
            message = item(element)
            if message is not None:
                return f"[{index}]{message}" if message.startswith(("[", ".")) else f"[{index}]: {message}"
        return None

    return check


def record(schema: Schema, required: Iterable[str] = ()) -> Check:
    """An object with known keys only."""
    needed = tuple(required)

    def check(value: Any) -> str | None:
        if not isinstance(value, dict):
            return "The value is not a valid 'object'"
        for key, element in value.items():
            problem = _problem(key, element, schema)
            if problem is not None:
                return f".{problem}"
        missing = next((key for key in needed if key not in value), None)
        return None if missing is None else f".{missing}: Parameter '{missing}' is required for this request"

    return check


ADDRESS_PARTS = (
    "country", "admin_area_level_1", "admin_area_level_2", "locality", "sublocality", "route", "street_number", "subpremise", "postal_code",
)  # fmt: skip
ADDRESS_CHECK = record({"value": text(), **{part: nullable(text()) for part in ADDRESS_PARTS}}, ["value"])


def address_out(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """An address as it is read back: omitted parts are null. Source: migration guide."""
    if value is None:
        return None
    return {"value": value["value"], **{part: value.get(part) for part in ADDRESS_PARTS}}
