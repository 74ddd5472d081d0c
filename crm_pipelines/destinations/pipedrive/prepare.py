"""Make what a map needs and an account lacks: fields, options, labels, pipelines, stages, activity types.

Belongs here: what is missing, the plan's caps before anything is made, and each step's request. Not here: reading the
account (describe), records (write).

Every step is journalled and, after a kill, looked up by name before it is made again: `prepare` always starts from a fresh
`describe`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from crm_pipelines.destinations.base import Schema, Step, WantedField, WantedSchema
from crm_pipelines.destinations.call import Call
from crm_pipelines.destinations.pipedrive.costs import COSTS
from crm_pipelines.destinations.pipedrive.describe import Described, field_of, with_field, with_options
from crm_pipelines.destinations.pipedrive.entities import FIELD_PATHS
from crm_pipelines.destinations.pipedrive.fields import MADE_AS, options_of, pick
from crm_pipelines.errors import SettingsError

OPTIONS_PER_CALL = 500  # no limit is published; keeps one body below 50 KB
TYPE_ICONS = frozenset({"task", "email", "meeting", "deadline", "call", "lunch"})  # of the 40 icon keys in OpenAPI v1 addActivityType
PLAIN_ICON = "task"
NAMED = 10
"""New fields that a message lists."""


@dataclass(frozen=True)
class Request:
    """One call of `prepare` and the steps that it does."""

    steps: tuple[Step, ...]
    call: Call

    @property
    def name(self) -> str:
        """What a journal calls it: unique within an account."""
        first = self.steps[0]
        return "/".join(part for part in (first.kind, first.phase, first.of, first.name) if part)


def missing(wanted: WantedSchema, found: Schema) -> list[Step]:
    """Return what must be made, in order: fields, options, labels, pipelines, stages, types.

    Raises: SettingsError naming the cap, when the plan cannot hold it; nothing was made then.
    """
    steps = [*_field_steps(wanted, found), *_label_steps(wanted, found), *_stage_steps(wanted, found), *_type_steps(wanted, found)]
    _check_caps(wanted, found, steps)
    return steps


def requests(steps: Sequence[Step], wanted: WantedSchema, described: Described) -> Iterator[Request]:
    """Group steps into calls: all options of one field travel together, in chunks."""
    for (kind, phase, of), group in groupby(steps, key=lambda s: (s.kind, s.phase, s.of)):
        listed = list(group)
        if kind in {"option", "label"}:
            for start in range(0, len(listed), OPTIONS_PER_CALL):
                yield _options_request(kind, phase, of, listed[start : start + OPTIONS_PER_CALL], described)
        else:
            for step in listed:
                yield _single(step, wanted, described)


def learn(described: Described, request: Request, data: Any) -> Described:
    """Return the description as it is after a request was answered with `data`."""
    step = request.steps[0]
    schema = described.schema
    if step.kind == "field":
        return replace(described, schema=with_field(schema, field_of(step.phase, data)))
    if step.kind in {"option", "label"}:
        return replace(described, schema=with_options(schema, step.phase, _option_code(step, described), data))
    if step.kind == "pipeline":
        stages = {**schema.stages, step.name: {}}
        return replace(
            described, schema=replace(schema, stages=stages), pipeline_ids={**described.pipeline_ids, step.name: int(data["id"])}
        )
    if step.kind == "stage":
        stages = {**schema.stages, step.of: {**schema.stages.get(step.of, {}), step.name: str(data["id"])}}
        return replace(described, schema=replace(schema, stages=stages))
    types = {**schema.types, step.phase: {**schema.types.get(step.phase, {}), step.name.casefold(): str(data["key_string"])}}
    return replace(described, schema=replace(schema, types=types))


def _field_steps(wanted: WantedSchema, found: Schema) -> Iterator[Step]:
    picks = [(want, pick(found, want)) for want in wanted.fields]
    for want, picked in picks:
        is_empty = MADE_AS[want.type] in {"enum", "set"} and not options_of(want)  # nothing uses it, and the vendor refuses it
        if picked is None and not is_empty:
            yield Step("field", want.phase, want.name, COSTS["prepare.field"])
    for want, picked in picks:
        if picked is not None:
            yield from _priced("option", want.phase, _lacking(options_of(want), picked.options), want.name)


def _label_steps(wanted: WantedSchema, found: Schema) -> Iterator[Step]:
    for phase, labels in wanted.labels.items():
        yield from _priced("label", phase, _lacking(labels, found.labels.get(phase, {})), "")


def _stage_steps(wanted: WantedSchema, found: Schema) -> Iterator[Step]:
    for pipeline, stages in wanted.stages.items():
        if pipeline not in found.stages:
            yield Step("pipeline", "deals", pipeline, COSTS["prepare.pipeline"])
        for stage in stages:
            if stage not in found.stages.get(pipeline, {}):
                yield Step("stage", "deals", stage, COSTS["prepare.stage"], of=pipeline)


def _type_steps(wanted: WantedSchema, found: Schema) -> Iterator[Step]:
    for phase, names in wanted.types.items():
        there = found.types.get(phase, {})
        for name in names:
            if name not in there and name.casefold() not in there:
                yield Step("type", phase, name, COSTS["prepare.type"])


def _priced(kind: Any, phase: str, names: Sequence[str], of: str) -> Iterator[Step]:
    for index, name in enumerate(names):
        yield Step(kind, phase, name, COSTS[f"prepare.{kind}"] if index % OPTIONS_PER_CALL == 0 else 0, of=of)


def _distinct(labels: Iterable[str]) -> list[str]:
    """Case twins are one label."""
    out: dict[str, str] = {}
    for label in labels:
        out.setdefault(label.casefold(), label)
    return list(out.values())


def _lacking(labels: Iterable[str], there: Iterable[str]) -> list[str]:
    folded = {label.casefold() for label in there}
    return [label for label in _distinct(labels) if label.casefold() not in folded]


def _check_caps(wanted: WantedSchema, found: Schema, steps: Sequence[Step]) -> None:
    there = sum(1 for f in found.fields if f.is_custom)
    new = [step.name for step in steps if step.kind == "field"]
    cap = found.caps.get("custom_fields")
    if cap is not None and there + len(new) > cap:
        raise SettingsError(
            f"the {found.plan} plan allows {cap} custom fields per company; {there} exist and the map needs {len(new)} more "
            f"({', '.join(new[:NAMED])}{f' and {len(new) - NAMED} more' if len(new) > NAMED else ''}). Leave columns behind (workbook, "
            "sheet Columns; listed ones: decision extra_fields), delete unused fields, or choose a larger plan"
        )
    _check_deals(wanted, found)
    _check_options(wanted, found, steps)
    _check_names(wanted, found)


def _check_deals(wanted: WantedSchema, found: Schema) -> None:
    cap = found.caps.get("open_deals")
    coming = wanted.counts.get("open_deals", 0)
    there = found.record_counts.get("open_deals", 0)
    if cap is not None and coming and there + coming > cap:
        raise SettingsError(
            f"the {found.plan} plan with {found.seats} seats allows {cap} open deals; {there} are open and the map brings {coming} more. "
            "Close or leave out deals, or choose a larger plan"
        )


def _check_options(wanted: WantedSchema, found: Schema, steps: Sequence[Step]) -> None:
    cap = found.caps.get("options_per_field")
    counts = {f"{want.phase}: {want.name}": len(options_of(want)) for want in wanted.fields}
    for step in steps:
        if step.kind == "label":
            key = f"{step.phase}: labels"
            counts[key] = counts.get(key, len(found.labels.get(step.phase, {}))) + 1
    for name, count in counts.items():
        if cap is not None and count > cap:
            raise SettingsError(
                f"{name}: {count} options, Pipedrive allows {cap} per field; choose decision lists: custom_field, or fewer tags"
            )


def _check_names(wanted: WantedSchema, found: Schema) -> None:
    cap = found.caps.get("field_name_length", 255)
    for want in wanted.fields:
        if len(want.name) > cap:
            raise SettingsError(
                f"{want.phase}: a custom field's name has {len(want.name)} characters, Pipedrive allows {cap}: {want.name[:40]}..."
            )


def _options_request(kind: str, phase: str, of: str, steps: Sequence[Step], described: Described) -> Request:
    code = _option_code(steps[0], described)
    body = [{"label": step.name} for step in steps]
    path = f"{FIELD_PATHS[phase]}/{code}/options"
    return Request(tuple(steps), Call(f"prepare.{kind}", "POST", path, COSTS[f"prepare.{kind}"], body=body))


def _option_code(step: Step, described: Described) -> str:
    if step.kind == "label":
        if step.phase not in described.label_codes:
            raise SettingsError(f"{step.phase}: Pipedrive lists no label field; the token's user must be allowed to see it")
        return described.label_codes[step.phase]
    return next(
        f.code for f in described.schema.fields if f.is_custom and f.phase == step.phase and f.name == step.of and f.type in {"enum", "set"}
    )


def _single(step: Step, wanted: WantedSchema, described: Described) -> Request:
    operation = f"prepare.{step.kind}"
    if step.kind == "field":
        want = next(w for w in wanted.fields if (w.phase, w.name) == (step.phase, step.name))
        path, body = FIELD_PATHS[step.phase], _field_body(want)
    elif step.kind == "pipeline":
        path, body = "/api/v2/pipelines", {"name": step.name}
    elif step.kind == "stage":
        path, body = "/api/v2/stages", {"name": step.name, "pipeline_id": described.pipeline_ids[step.of]}
    else:
        icon = step.name.casefold() if step.name.casefold() in TYPE_ICONS else PLAIN_ICON
        path, body = "/api/v1/activityTypes", {"name": step.name, "icon_key": icon}
    return Request((step,), Call(operation, "POST", path, COSTS[operation], body=body))


def _field_body(want: WantedField) -> dict[str, Any]:
    body: dict[str, Any] = {"field_name": want.name, "field_type": MADE_AS[want.type]}
    if MADE_AS[want.type] in {"enum", "set"}:
        body["options"] = [{"label": label} for label in _distinct(options_of(want))]
    return body
