"""Make what a map needs and a database lacks: custom fields, options, categories, stages, currencies.

Belongs here: what is missing, the calls that make it, and the order of journal and network for them. Not here: reading the
database (describe), which field a name means (fields), records (write).

Every step is journalled. After a kill it is looked up by name before it is made again: what is made is always derived from a
description that was read after it. One call is one transaction, so that a call that failed made nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from crm_pipelines.destinations.base import FoundField, Schema, Step, WantedField, WantedSchema
from crm_pipelines.destinations.odoo.api import Api, error_of
from crm_pipelines.destinations.odoo.describe import CURRENCIES, LABEL_PHASES, Described, pricelist_name, read_again
from crm_pipelines.destinations.odoo.fields import bound, check_names, check_options, code_of, made_as, model_of, pick
from crm_pipelines.destinations.odoo.identity import remember
from crm_pipelines.destinations.odoo.named import WON, last, remember_labels
from crm_pipelines.destinations.odoo.rights import needed_for
from crm_pipelines.errors import CrmError, DestinationError, OutcomeUnknown, RefusedError, SettingsError
from crm_pipelines.journal import Attempt, Journal, Outcome
from crm_pipelines.keys import payload_hash
from crm_pipelines.observe import failpoint

PER_CALL = 500  # categories or options; keeps one transaction below a second
UNANSWERED_STEPS = 3
APPS: Mapping[str, str] = {
    "opt_outs": "Discuss (mail)",
    "products": "Sales (sale_management)",
    "orders": "Sales (sale_management)",
    "invoices": "Invoicing (account)",
    "deals": "CRM (crm)",
    "activities": "Calendar (calendar)",
}
NEEDS: Mapping[str, str] = {
    "field": "create ir.model.fields",
    "option": "create ir.model.fields.selection",
    "label": "create res.partner.category",
    "stage": "create crm.stage",
    "currency": "write res.currency",
}
"""Kind of step -> the right that it takes, as `Described.forbidden` words it."""
FIRST_SEQUENCE = 1
LAST = 1_000  # the first pricelist by sequence is the one of every customer who has none (product_pricelist.py): not ours
WON_SEQUENCE = 70  # of the stage Won that Odoo 19 brings (crm/data/crm_stage_data.xml): leaves room before it


@dataclass(frozen=True)
class Write:
    """One call that changes the database."""

    model: str
    method: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """What one journalled attempt does, and the steps that it carries out."""

    steps: tuple[Step, ...]
    writes: tuple[Write, ...]

    @property
    def name(self) -> str:
        """What a journal calls it: unique within an account."""
        first = self.steps[0]
        return "/".join(dict.fromkeys(part for part in (first.kind, _place(first), first.of, first.name) if part))


def missing(wanted: WantedSchema, found: Schema) -> list[Step]:
    """Return what must be made, in order: fields, options, categories, stages, currencies.

    Raises: SettingsError naming the app that is not installed, or the field that cannot be made; nothing was made then.
    """
    _check_apps(wanted, found)
    usable = tuple(want for want in wanted.fields if want.phase in found.record_counts)
    check_names(usable)
    picks = [(want, pick(found.fields, want)) for want in usable]
    check_options(picks)
    return [
        *_field_steps(picks),
        *_option_steps(picks),
        *_label_steps(wanted, found),
        *_stage_steps(wanted, found),
        *_currency_steps(wanted, found),
    ]


def make(api: Api, wanted: WantedSchema, described: Described, journal: Journal) -> Described:
    """Make what is missing; returns the database as it is then, fields under the map's names.

    Raises: SettingsError before anything is made; RefusedError when Odoo refuses a step.
    """
    _check_rights(missing(wanted, described.schema), wanted, described)
    unanswered = 0
    while (request := _next(wanted, described)) is not None:
        try:
            _carry_out(api, request, journal)
        except OutcomeUnknown:
            unanswered += 1
            if unanswered >= UNANSWERED_STEPS:
                raise
            time.sleep(api.account.apply_within_s)
        else:
            failpoint("prepare.between_steps")
        described = api.run(read_again(api, described, request.steps[0].kind), journal)
    _remember(api, wanted, described, journal)
    return known_as(described, wanted)


def _remember(api: Api, wanted: WantedSchema, described: Described, journal: Journal) -> None:
    names = [label for phase in LABEL_PHASES for label in wanted.labels.get(phase, ())]
    labels = described.schema.labels.get(LABEL_PHASES[0], {})
    api.run(remember_labels(api, api.account.prefix, names, labels, described.remembered), journal)
    api.run(remember(api, described.tenant, described.company_id), journal)


def known_as(described: Described, wanted: WantedSchema) -> Described:
    """Return the description with wanted fields, categories and stages under the map's names, whatever people call them in Odoo by now."""
    usable = [want for want in wanted.fields if want.phase in described.schema.record_counts]
    schema = bound(described.schema, usable)
    labels = [label for names in wanted.labels.values() for label in names]
    stages = [stage for names in wanted.stages.values() for stage in names]
    return replace(
        described,
        schema=replace(
            schema,
            labels={phase: last(names, labels) for phase, names in schema.labels.items()},
            stages={board: last(names, stages) for board, names in schema.stages.items()},
        ),
    )


def requests(steps: Sequence[Step], wanted: WantedSchema, described: Described) -> Iterator[Request]:
    """Group steps into calls: all fields of a model at once, since each call makes the server build its models anew."""
    for (kind, _), group in groupby(steps, key=lambda step: (step.kind, _place(step))):
        listed = list(group)
        size = PER_CALL if kind in {"option", "label"} else len(listed)
        for start in range(0, len(listed), size):
            part = tuple(listed[start : start + size])
            yield Request(part, tuple(_writes(kind, part, wanted, described)))


def _next(wanted: WantedSchema, described: Described) -> Request | None:
    return next(requests(missing(wanted, described.schema), wanted, described), None)


def _place(step: Step) -> str:
    """What one call is about: fields and options of a model, one currency, all categories, all stages."""
    if step.kind in {"field", "option"}:
        return model_of(step.phase)
    return step.name if step.kind == "currency" else ""


def _check_apps(wanted: WantedSchema, found: Schema) -> None:
    lacking = [phase for phase, count in wanted.counts.items() if count and phase in APPS and phase not in found.record_counts]
    if lacking:
        apps = " and ".join(dict.fromkeys(APPS[phase] for phase in lacking))
        raise SettingsError(
            f"the map brings {', '.join(lacking)}, and Odoo has no app for them: install {apps} in Odoo (Apps), or choose the decision "
            "that leaves them out, then run again"
        )


def _check_rights(steps: Sequence[Step], wanted: WantedSchema, described: Described) -> None:
    """Half of the steps made and the other half refused would help nobody, nor fields without the records they are for."""
    needed = {NEEDS[step.kind] for step in steps} | needed_for(phase for phase, count in wanted.counts.items() if count)
    if described.has_pricelists and any(step.kind == "currency" for step in steps):
        needed.add("create product.pricelist")
    lacking = sorted(needed & set(described.forbidden))
    if lacking:
        raise SettingsError(
            f"the API key's user may not: {', '.join(lacking)}, which the map needs; give the user the groups that allow it "
            "(Access Rights for fields and external ids, Sales Administrator for stages and pricelists, each app's own group for its "
            "records) for the time of the migration, then run again"
        )


Picks = Sequence[tuple[WantedField, FoundField | None]]


def _field_steps(picks: Picks) -> Iterator[Step]:
    """One step per field of a model, though several phases may want it; a selection that nothing uses is not made."""
    lacking: dict[tuple[str, str], WantedField] = {}
    used = {(model_of(want.phase), code_of(want.name)) for want, _ in picks if want.options or want.type != "enum"}
    for want, picked in picks:
        place = (model_of(want.phase), code_of(want.name))
        if picked is None and place in used:
            lacking.setdefault(place, want)
    for _, group in groupby(sorted(lacking.items(), key=lambda item: item[0][0]), key=lambda item: item[0][0]):
        for index, (_, want) in enumerate(group):
            yield Step("field", want.phase, want.name, 0 if index else 1)


def _option_steps(picks: Picks) -> Iterator[Step]:
    lacking: dict[tuple[str, str, str], Step] = {}
    for want, picked in picks:
        for label in want.options if picked is not None and want.type == "enum" else ():
            if picked is not None and label not in picked.options:
                lacking.setdefault((model_of(want.phase), picked.code, label), Step("option", want.phase, label, 0, of=want.name))
    for _, group in groupby(sorted(lacking, key=lambda key: key[0]), key=lambda key: key[0]):
        yield from _priced([lacking[key] for key in group])


def _label_steps(wanted: WantedSchema, found: Schema) -> Iterator[Step]:
    """Categories belong to both phases; case twins are one."""
    there = {label.casefold() for phase in LABEL_PHASES for label in found.labels.get(phase, {})}
    lacking: dict[str, Step] = {}
    for phase in LABEL_PHASES:
        for label in wanted.labels.get(phase, ()):
            if label.casefold() not in there:
                lacking.setdefault(label.casefold(), Step("label", phase, label, 0))
    yield from _priced(list(lacking.values()))


def _stage_steps(wanted: WantedSchema, found: Schema) -> Iterator[Step]:
    there = {name for stages in found.stages.values() for name in stages}
    lacking = dict.fromkeys(stage for stages in wanted.stages.values() for stage in stages if stage not in there)
    if "deals" in found.record_counts:
        pipeline = next(iter(wanted.stages), "")
        yield from _priced([Step("stage", "deals", name, 0, of=pipeline) for name in lacking])


def _currency_steps(wanted: WantedSchema, found: Schema) -> Iterator[Step]:
    ready = found.types.get(CURRENCIES, {})
    for code in dict.fromkeys(wanted.currencies):
        if code not in ready:
            yield Step("currency", "orders", code, 1)


def _priced(steps: Sequence[Step]) -> Iterator[Step]:
    for index, step in enumerate(steps):
        yield replace(step, tokens=0 if index % PER_CALL else 1)


def _writes(kind: str, steps: Sequence[Step], wanted: WantedSchema, described: Described) -> Iterator[Write]:
    if kind == "field":
        yield _create("ir.model.fields", [_field_values(step, wanted, described) for step in steps])
    elif kind == "option":
        yield _create("ir.model.fields.selection", list(_option_values(steps, wanted, described)))
    elif kind == "label":
        yield _create("res.partner.category", [{"name": step.name} for step in steps])
    elif kind == "stage":
        yield from _stage_writes([step.name for step in steps], described)
    else:
        yield from _currency_writes(steps[0].name, described)


def _create(model: str, rows: list[dict[str, Any]]) -> Write:
    return Write(model, "create", {"vals_list": rows})


def _field_values(step: Step, wanted: WantedSchema, described: Described) -> dict[str, Any]:
    model, code = model_of(step.phase), code_of(step.name)
    wants = [want for want in wanted.fields if model_of(want.phase) == model and code_of(want.name) == code]
    ttype = made_as(wants[0])
    values: dict[str, Any] = {"model_id": described.model_ids[model], "name": code, "field_description": step.name, "ttype": ttype}
    values["copied"] = False  # a copy that people make in Odoo is no record of the exports: it may not carry their IDs
    if ttype == "selection":
        labels = dict.fromkeys(label for want in wants for label in want.options)
        values["selection_ids"] = [[0, 0, {"value": label, "name": label, "sequence": n}] for n, label in enumerate(labels)]
    return values


def _option_values(steps: Sequence[Step], wanted: WantedSchema, described: Described) -> Iterator[dict[str, Any]]:
    """New options stand behind those that are there, in order: Odoo sorts them by sequence, then id."""
    for step in steps:
        want = next(want for want in wanted.fields if (want.phase, want.name) == (step.phase, step.of))
        picked = pick(described.schema.fields, want)
        if picked is not None:
            field_id = described.field_ids[model_of(step.phase), picked.code]
            yield {"field_id": field_id, "value": step.name, "name": step.name, "sequence": len(picked.options)}


def _stage_writes(names: Sequence[str], described: Described) -> Iterator[Write]:
    """New stages stand after the open ones and before the first won one, which is moved when there is no room."""
    won = next((stage.sequence for stage in described.stages if stage.is_won), None)
    before = [stage.sequence for stage in described.stages if won is None or stage.sequence < won]
    first = max(before, default=FIRST_SEQUENCE - 1) + 1
    plain = [name for name in names if name != WON]
    shift = 0 if won is None else max(0, first + len(plain) - won)
    for stage in described.stages if shift else ():
        if won is not None and stage.sequence >= won:
            yield Write("crm.stage", "write", {"ids": [stage.number], "vals": {"sequence": stage.sequence + shift}})
    rows: list[dict[str, Any]] = [{"name": name, "sequence": first + n} for n, name in enumerate(plain)]
    if WON in names:
        last = max([stage.sequence for stage in described.stages], default=0) + shift
        rows.append({"name": WON, "sequence": max(WON_SEQUENCE, last + 1, first + len(plain)), "is_won": True})
    yield _create("crm.stage", rows)


def _currency_writes(code: str, described: Described) -> Iterator[Write]:
    if code not in described.currencies:
        raise SettingsError(f"Odoo knows no currency {code}; correct it in the export, or add it in Odoo (Currencies), then run again")
    number = int(described.currencies[code])
    if code not in described.active_currencies:
        yield Write("res.currency", "write", {"ids": [number], "vals": {"active": True}})
    if described.has_pricelists and code not in described.pricelists:
        yield _create("product.pricelist", [{"name": pricelist_name(code), "currency_id": number, "sequence": LAST}])


def _carry_out(api: Api, request: Request, journal: Journal) -> None:
    attempt = Attempt(request.name, "prepare", payload_hash(request.name.encode()), b"", request.name, len(request.writes))
    attempt_id = journal.sending([attempt], None)[0]
    failpoint("journal.intent_durable_unsent")
    made: Any = None
    for write in request.writes:
        made = _written(api, write, request, attempt_id, journal)
    number = made[0] if isinstance(made, list) and made else made
    journal.answered([Outcome(attempt_id, attempt.key, "created", str(number))])


def _written(api: Api, write: Write, request: Request, attempt_id: int, journal: Journal) -> Any:
    operation = f"prepare.{request.steps[0].kind}"
    try:
        reply = api.run(api.ask(operation, write.model, write.method, attempt_id=attempt_id, writes=True, **write.arguments))
    except OutcomeUnknown:
        raise
    except (DestinationError, SettingsError):
        journal.answered([Outcome(attempt_id, request.name, "absent", reason="not_sent")])
        raise
    if reply.fault is not None:
        journal.answered([Outcome(attempt_id, request.name, "refused", reason=reply.fault.reason)])
        raise _refused(operation, request, error_of(operation, reply.fault))
    return reply.data


def _refused(operation: str, request: Request, error: CrmError) -> CrmError:
    if not isinstance(error, RefusedError):
        return error
    return RefusedError(f"{error} to make {_told(request.steps)}; allow it in Odoo or take them out of the map, then run again")


def _told(steps: Sequence[Step]) -> str:
    """Return how many of what were to be made; by name only what the spec names: categories, options and stages are cells of the export."""
    kind, count = steps[0].kind, len(steps)
    if kind == "label":
        return f"{count} categor{'y' if count == 1 else 'ies'}"
    if kind == "option":
        return f"{count} option{'' if count == 1 else 's'} of {', '.join(dict.fromkeys(step.of for step in steps))}"
    if kind == "stage":
        return f"{count} stage{'' if count == 1 else 's'}"
    names = ", ".join(step.name for step in steps[:5])
    return names + (f" and {count - 5} more" if count > 5 else "")
