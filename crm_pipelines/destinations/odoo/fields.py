"""Field types and names: what a wanted custom field is called in Odoo, and which found field it means.

Belongs here: pure look-ups over a Schema. Not here: reading fields (describe), making them (prepare), values (shape).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from crm_pipelines.destinations.base import FieldType, FoundField, Schema, WantedField
from crm_pipelines.destinations.odoo.models import MODELS
from crm_pipelines.errors import SettingsError

NAME_MAX = 60  # PostgreSQL's 63 less "x_": "Field names can only contain characters ... at most 63" (ir_model.py)
MADE_AS: Mapping[FieldType, str] = {
    "text": "char",
    "long_text": "text",
    "number": "float",
    "date": "date",
    "datetime": "datetime",
    "enum": "selection",
    "boolean": "boolean",
}
ACCEPTED: Mapping[FieldType, frozenset[str]] = {
    **{wanted: frozenset({made}) for wanted, made in MADE_AS.items()},
    "text": frozenset({"char", "text"}),  # an integer field would cut 1.7 to 1, so that "number" takes no other
}


def code_of(name: str) -> str:
    """Return the technical name of a custom field: `x_`, then the display name in ASCII small letters, digits and single `_`."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))
    return "x_" + re.sub(r"[^a-z0-9]+", "_", plain.casefold())[:NAME_MAX]


def made_as(wanted: WantedField) -> str:
    """Return Odoo's type of a wanted field. Raises: SettingsError for types that this destination has not."""
    if wanted.type not in MADE_AS:
        raise SettingsError(f"{wanted.phase}: {wanted.name!r} has type {wanted.type}; Odoo's custom fields take {', '.join(MADE_AS)}")
    return MADE_AS[wanted.type]


def pick(found: Iterable[FoundField], wanted: WantedField) -> FoundField | None:
    """Return the custom field that a wanted field means, by technical name, else by display name; None when it must be made.

    Raises: SettingsError when it has another type, or two have that display name.
    """
    there = [one for one in found if one.is_custom and one.phase == wanted.phase]
    same = [one for one in there if one.code == code_of(wanted.name)] or [one for one in there if one.name == wanted.name]
    made = made_as(wanted)
    if len(same) > 1:
        codes = " and ".join(one.code for one in same)
        raise SettingsError(f"{wanted.phase}: two custom fields are named {wanted.name!r} in Odoo ({codes}); rename one, then run again")
    if same and same[0].type not in ACCEPTED[wanted.type]:
        raise SettingsError(
            f"{wanted.phase}: custom field {wanted.name!r} ({same[0].code}) exists in Odoo with type {same[0].type}, the map needs {made}; "
            "give the field another name in the spec, or delete the one in Odoo, then run again"
        )
    return same[0] if same else None


def model_of(phase: str) -> str:
    """Return the model of a phase."""
    return MODELS[phase].name


def check_names(wanted: Iterable[WantedField]) -> None:
    """Raise SettingsError when two wanted fields of one model would get one technical name, or one field two types."""
    seen: dict[tuple[str, str], WantedField] = {}
    for want in wanted:
        other = seen.setdefault((model_of(want.phase), code_of(want.name)), want)
        if other.name != want.name:
            raise SettingsError(
                f"{want.phase}: fields {other.name!r} and {want.name!r} would both be {code_of(want.name)} in Odoo; rename one in the spec"
            )
        if made_as(other) != made_as(want):
            raise SettingsError(
                f"{want.name!r} is {other.type} for {other.phase} and {want.type} for {want.phase}; {model_of(want.phase)} has it once: "
                "give one of them another name or type in the spec"
            )
        if not code_of(want.name).strip("x_"):
            raise SettingsError(f"{want.phase}: {want.name!r} holds no ASCII letter or digit for a technical name; rename it in the spec")


def check_options(picks: Sequence[tuple[WantedField, FoundField | None]]) -> None:
    """Raise SettingsError when an option of the map could be taken for another: `load` compares neither case, and takes the first.

    Source: ir_fields.py, `_str_to_selection`: value and label of each option, both by `lower()`.
    """
    seen: dict[tuple[str, str, str], str] = {}
    for want, picked in picks:
        code = picked.code if picked else code_of(want.name)
        there = picked.options if picked else {}
        alike: dict[str, set[str]] = {}
        for label, value in there.items():
            alike.setdefault(label.lower(), set()).add(value)
        for label in want.options if want.type == "enum" else ():
            value = there.get(label, label)
            if seen.setdefault((model_of(want.phase), code, value.lower()), value) != value:
                raise _twins(want, "two options of the map", "give both one spelling in the export, or make the field a text in the spec")
            if alike.get(value.lower(), {value}) != {value}:
                raise _twins(
                    want, "an option of the map and one in Odoo", "give the one in Odoo the map's spelling as its label, or delete it"
                )


def _twins(want: WantedField, which: str, remedy: str) -> SettingsError:
    return SettingsError(
        f"{want.phase}: {which}, both of custom field {want.name!r}, differ only in upper and lower case, and Odoo's import takes them "
        f"for one; {remedy}, then run again"
    )


def bound(found: Schema, wanted: Iterable[WantedField]) -> Schema:
    """Return the schema with each wanted field and option under the map's name, whatever people call it in Odoo by now."""
    ours: dict[tuple[str, str], FoundField] = {}
    for want in wanted:
        picked = pick(found.fields, want)
        if picked is not None:
            ours[want.phase, picked.code] = replace(picked, name=want.name, options=_maps_first(want, picked.options))
    taken = {(phase, one.name) for (phase, _), one in ours.items()}
    fields = (
        ours.get((one.phase, one.code), one) for one in found.fields if (one.phase, one.code) in ours or (one.phase, one.name) not in taken
    )
    return replace(found, fields=tuple(fields))


def _maps_first(want: WantedField, options: Mapping[str, str]) -> dict[str, str]:
    """The first label of a value is what records read back as."""
    return {**{label: options[label] for label in want.options if label in options}, **options}
