"""Fields of an account: doubles, those the map would take over, required and important ones.

Belongs here: findings on fields, options and labels. Not here: which field a wanted one means (fields), caps (inspect_plan).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from crm_pipelines.destinations.base import Finding, Schema, WantedSchema
from crm_pipelines.destinations.pipedrive.api import Record
from crm_pipelines.destinations.pipedrive.describe import Raw
from crm_pipelines.destinations.pipedrive.fields import pick
from crm_pipelines.errors import SettingsError

ALWAYS = frozenset({"name", "title"})  # required by the vendor itself; every route fills them
FIELDS_PAGE = "Settings > Data fields"

Fields = Mapping[str, Sequence[Record]]


def required_fields(fields: Fields) -> dict[str, tuple[str, ...]]:
    """Return phase -> display names of fields that the account requires beside the vendor's own."""
    found = {phase: tuple(str(one["field_name"]) for one in rows if _is_required(one)) for phase, rows in fields.items()}
    return {phase: names for phase, names in found.items() if names}


def field_findings(raw: Raw, schema: Schema, wanted: WantedSchema | None) -> Iterable[Finding]:
    """Yield what fields, their options and labels mean for this migration."""
    yield from _required(raw)
    yield from _important(raw.fields)
    yield from _doubles(raw.fields)
    yield from _double_options(raw.fields)
    if wanted is not None:
        yield from _taken_over(schema, wanted)
    yield _labels(schema)


def _is_required(field: Record) -> bool:
    return bool((field.get("required_fields") or {}).get("enabled")) and field["field_code"] not in ALWAYS


def _required(raw: Raw) -> Iterable[Finding]:
    stages = {int(stage["id"]): str(stage["name"]) for stage in raw.stages}
    for phase, rows in raw.fields.items():
        for field in filter(_is_required, rows):
            told = (
                f"{field['field_name']} is required for {phase}{_where(field['required_fields'], stages)}. The API holds no record to "
                "that, but people are asked for it when they next edit a record that came without."
            )
            todo = "Map a column to it, or switch the requirement off until the gaps are filled."
            yield Finding("fields", "warning", f"{phase}.{field['field_code']}", told, todo)


def _where(setting: Mapping[str, object], stages: Mapping[int, str]) -> str:
    numbers = setting.get("stage_ids")
    names = [stages.get(number, str(number)) for number in numbers] if isinstance(numbers, list) else []
    at = [f"in stage {', '.join(names)}"] if names else []
    at += ["when a deal is won or lost"] if setting.get("statuses") else []
    return f" ({'; '.join(at)})" if at else ""


def _important(fields: Fields) -> Iterable[Finding]:
    names = [
        f"{phase}: {field['field_name']}"
        for phase, rows in fields.items()
        for field in rows
        if (field.get("important_fields") or {}).get("enabled")
    ]
    if names:
        told = f"Marked as important in Pipedrive, and shown with a reminder while empty: {', '.join(names)}."
        yield Finding("fields", "note", "important_fields", told, "See whether a column of the export could fill them.")


def _doubles(fields: Fields) -> Iterable[Finding]:
    for phase, rows in fields.items():
        counts = Counter(str(field["field_name"]).strip().casefold() for field in rows)
        for folded, count in counts.items():
            same = [field for field in rows if str(field["field_name"]).strip().casefold() == folded]
            if count > 1 and any(field.get("is_custom_field") for field in same):
                codes = ", ".join(str(field["field_code"]) for field in same)
                told = f"{count} fields of {phase} are called {same[0]['field_name']}: nobody can tell in a list which one is meant."
                yield Finding("fields", "warning", f"{phase}: {codes}", told, f"Rename or delete all but one ({FIELDS_PAGE}).")


def _double_options(fields: Fields) -> Iterable[Finding]:
    for phase, rows in fields.items():
        for field in rows:
            counts = Counter(str(option["label"]).strip().casefold() for option in field.get("options") or ())
            again = sum(1 for count in counts.values() if count > 1)
            if again:
                told = f"{field['field_name']} of {phase} has options that exist twice ({again}); values would go to the first of each."
                yield Finding("fields", "warning", f"{phase}.{field['field_code']}", told, f"Merge them by hand ({FIELDS_PAGE}).")


def _taken_over(schema: Schema, wanted: WantedSchema) -> Iterable[Finding]:
    for field in wanted.fields:
        name = f"{field.phase}: {field.name}"
        try:
            found = pick(schema, field)
        except SettingsError as error:
            yield Finding("fields", "blocker", name, f"The map cannot write this field: {error}.", "Do what the sentence says.")
            continue
        if found is not None:
            told = f"A custom field {found.name} of the right type is there for {field.phase}; the map fills it instead of making one."
            yield Finding("fields", "note", name, told)


def _labels(schema: Schema) -> Finding:
    counts = ", ".join(f"{len(labels)} for {phase}" for phase, labels in schema.labels.items()) or "none"
    return Finding("fields", "good", "labels", f"Labels that exist: {counts}.")
