"""A spec, the client's decisions and the source's own field list, compiled: what each phase sends and in which order.

Belongs here: the compiled values, load order, lineage. Not here: expressions (build), mistakes of the author (check: a spec
that is compiled has been checked), running them over rows and what the destination must hold for them (phases.map).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from crm_pipelines.errors import Problem, SpecError
from crm_pipelines.spec.build import column_dtypes, columns_read
from crm_pipelines.spec.contract import CUSTOM_DEFAULT, TEXT_MAX, SourceContract, ValueType
from crm_pipelines.spec.derived import Frame, frame_objects, resolved_frames
from crm_pipelines.spec.headings import normalise_heading
from crm_pipelines.spec.model import OWN_KEY, Case, Expect, FieldMap, Hold, MappingSpec, Money, Phase, Pipeline, SchemaFields
from crm_pipelines.spec.parse import chosen
from crm_pipelines.spec.rules import Words, load_rules
from crm_pipelines.spec.settle import settle

TAGS = "tags"


@dataclass(frozen=True)
class CompiledField:
    """One field of a phase, free of decisions."""

    name: str
    node: FieldMap
    is_custom: bool = False
    type: str = "text"
    """Type of a custom field."""
    options: tuple[str, ...] = ()
    """Labels of an enum or set that are known beforehand."""
    is_open: bool = False
    """The options are whatever the records hold."""

    @property
    def column(self) -> str:
        """Name of the field's column while it is mapped."""
        return f"{'custom' if self.is_custom else 'field'}:{self.name}"


@dataclass(frozen=True)
class CompiledPhase:
    """What one phase sends, ready to run over a frame."""

    name: str
    derived: str
    """The resolved frame it reads; empty for the phase of pairs."""
    objects: tuple[str, ...]
    """Source objects whose rows feed it."""
    home_of: tuple[str, ...] = ()
    create: str = "when_missing"
    match: tuple[str, ...] = ()
    existing: str = "fill_empty"
    pairs: tuple[str, ...] = ()
    """For the phase of (record, label) pairs: the phases whose labels it counts."""
    is_side: bool = False
    """The frame's rows are accounted for in another phase, where their queue counts too."""
    steps: Mapping[str, FieldMap] = field(default_factory=dict)
    fields: tuple[CompiledField, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    """Field -> phase of the record it points to."""
    where: Mapping[str, Any] = field(default_factory=dict)
    hold: tuple[Hold, ...] = ()
    labels: str | None = None
    money: Money | None = None
    record_type: str | None = None
    pipelines: tuple[Pipeline, ...] = ()
    expect: Expect = field(default_factory=Expect)
    create_only: frozenset[str] = frozenset()
    """Fields that only the create call carries; never compared, never updated."""
    unmatched: str = "wait"
    """What becomes of records that are only matched and are not there: wait, block or replace."""
    replacement: str | None = None
    """The key that stands in for them."""
    key: str = OWN_KEY
    """Column or step that is the key; other than the frame's own, rows may share it."""
    zone: str = "UTC"
    text_max: int | None = TEXT_MAX
    """Characters that a custom field of type `text` holds; None where there is no limit."""
    words: Mapping[str, Words] = field(default_factory=dict)
    lineage: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """Destination field -> (object or frame, column) pairs it comes from."""

    @property
    def frames(self) -> tuple[str, ...]:
        """The resolved frames it reads."""
        return (self.derived,) if self.derived else ()

    @property
    def external_id(self) -> str | None:
        """The custom field that carries the source key, by display name."""
        return next((each.name for each in self.fields if each.node.external_id), None)

    @property
    def columns(self) -> Mapping[str, Any]:
        """Columns of the frame that the phase reads, those it makes itself left out, and the dtype its rules need."""
        read = column_dtypes((*self.steps.values(), *(each.node for each in self.fields)))
        tested = dict.fromkeys([*self.where, *(name for hold in self.hold for name in hold.when)], pl.String())
        return {name: dtype for name, dtype in {**tested, **read}.items() if name not in self.steps}


@dataclass(frozen=True)
class Compiled:
    """A whole route for one client."""

    phases: Mapping[str, CompiledPhase]
    order: tuple[str, ...]
    """Phases, parents first."""
    decisions: Mapping[str, str]

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of the resolved frames that are read."""
        return tuple(dict.fromkeys(phase.derived for phase in self.phases.values() if phase.derived))


def compile_spec(
    spec: MappingSpec,
    decisions: Mapping[str, str],
    custom_fields: Sequence[Mapping[str, Any]] = (),
    timezone: str = "UTC",
    source: SourceContract | None = None,
    *,
    text_max: int | None = TEXT_MAX,
) -> Compiled:
    """Compile a checked spec.

    Shape: `custom_fields` are the rows of the source's field list (identifier, type, options, option ids); empty until staged.
    With `source` the lineage goes back to export columns, without it to the resolved frames. `text_max` is the destination's.
    Raises: SpecError when the links of the phases go in a circle.
    """
    active = {name: phase for name, phase in spec.phases.items() if chosen(phase.only_if, decisions)}
    homes = {phase.from_ for phase in active.values() if _home_of(phase, decisions)}
    frames = resolved_frames(spec.derive, source.objects) if source else {}
    phases = {
        name: _compile_phase(_PhaseInput(name, phase, spec, decisions, custom_fields, timezone, text_max, frames, active, homes))
        for name, phase in active.items()
    }
    order = load_order(phases)
    if spec.tags is not None:
        objects = dict.fromkeys(name for phase in spec.tags.of for name in phases[phase].objects)
        phases[TAGS] = CompiledPhase(TAGS, "", tuple(objects), pairs=spec.tags.of, expect=spec.tags.expect, zone=timezone)
        order = (*order, TAGS)
    return Compiled(phases, order, dict(decisions))


def load_order(phases: Mapping[str, CompiledPhase]) -> tuple[str, ...]:
    """Return the phases with every parent before its children, else as the spec has them.

    Raises: SpecError when links go in a circle.
    """
    order: list[str] = []
    waiting = list(phases)
    while waiting:
        ready = next((name for name in waiting if all(parent in (*order, name) for parent in phases[name].links.values())), None)
        if ready is None:
            raise SpecError([Problem(f"phases.{waiting[0]}", f"links go in a circle among {', '.join(waiting)}")])
        order.append(ready)
        waiting.remove(ready)
    return tuple(order)


@dataclass(frozen=True)
class _PhaseInput:
    name: str
    phase: Phase
    spec: MappingSpec
    decisions: Mapping[str, str]
    custom_fields: Sequence[Mapping[str, Any]]
    timezone: str
    text_max: int | None
    frames: Mapping[str, Frame]
    active: Mapping[str, Phase]
    homes: set[str]


def _compile_phase(given: _PhaseInput) -> CompiledPhase:
    phase, decisions = given.phase, given.decisions
    unmatched, home_of = phase.unmatched, _home_of(phase, decisions)
    steps = {name: node for name, each in phase.columns.items() if (node := settle(each, decisions)) is not None}
    standard = [CompiledField(name, node) for name, each in phase.fields.items() if (node := settle(each, decisions)) is not None]
    standard = [each for each in standard if each.node.link is None or each.node.link in given.active]
    custom = [_custom(name, node, given) for name, each in phase.custom_fields.items() if (node := settle(each, decisions)) is not None]
    taken = {each.name.casefold() for each in custom}
    described = _described_fields(phase.custom_fields_from, given, taken) if phase.custom_fields_from else _Described()
    compiled = CompiledPhase(
        name=given.name,
        derived=phase.from_,
        objects=frame_objects(given.spec.derive, phase.from_, decisions),
        home_of=home_of,
        create=phase.create,
        match=phase.match,
        existing=phase.existing,
        is_side=not home_of and phase.from_ in given.homes,
        steps={**steps, **described.steps},
        fields=(*standard, *custom, *described.fields),
        links={each.name: str(each.node.link) for each in standard if each.node.link},
        where=phase.where,
        hold=tuple(hold for hold in phase.hold if chosen(hold.only_if, decisions)),
        labels=phase.labels,
        money=phase.money,
        record_type=phase.record_type,
        pipelines=phase.pipelines,
        expect=phase.expect,
        zone=given.timezone,
        text_max=given.text_max,
        create_only=frozenset(phase.send_once),
        key=phase.key,
        unmatched=unmatched.options[decisions[unmatched.decision]] if unmatched else "wait",
        replacement=decisions.get(unmatched.replace_by) if unmatched and unmatched.replace_by else None,
        words={**given.spec.words, **described.words},
    )
    return replace(compiled, lineage=_lineage(compiled, given))


def _home_of(phase: Phase, decisions: Mapping[str, str]) -> tuple[str, ...]:
    """Return the source objects whose rows are accounted for in a phase under these decisions."""
    return (*phase.home_of, *(name for name, choice in phase.home_if.items() if chosen(choice, decisions)))


def _custom(name: str, node: FieldMap, given: _PhaseInput) -> CompiledField:
    words = _vocabulary(node, given.phase.columns)
    options = tuple(given.spec.words[words]) if words else _case_words(node)
    type_ = node.type or CUSTOM_DEFAULT[gives(node, {})]
    is_open = type_ in ("enum", "set") and not options
    return CompiledField(name, node, is_custom=True, type=type_, options=options if type_ in ("enum", "set") else (), is_open=is_open)


def _vocabulary(node: FieldMap, steps: Mapping[str, FieldMap]) -> str | None:
    """Return the vocabulary whose words a field holds, through the steps on the way."""
    words = node.with_.get("words")
    if isinstance(words, str):
        return words
    behind = steps.get(node.from_[0]) if len(node.from_) == 1 else None
    return _vocabulary(behind, steps) if behind else None


def _case_words(node: FieldMap) -> tuple[str, ...]:
    """Return the words that a field without a vocabulary can hold."""
    words = [case.then for case in node.cases] + [word for word in (node.otherwise, node.value) if word is not None]
    return tuple(dict.fromkeys(str(word) for word in words))


@dataclass
class _Described:
    """What the source's own field list makes of a phase."""

    fields: list[CompiledField] = field(default_factory=list)
    steps: dict[str, FieldMap] = field(default_factory=dict)
    words: dict[str, Words] = field(default_factory=dict)


def _described_fields(node: SchemaFields, given: _PhaseInput, taken: set[str]) -> _Described:
    """Return the fields of every row of the source's own field list, with their vocabularies."""
    made, apart = _Described(), {normalise_heading(heading) for heading in node.left_out}
    for row in given.custom_fields:
        kind, identifier = str(row.get(node.type_column) or ""), row.get(node.name_column)
        described = next((each for name, each in node.types.items() if name.casefold() == kind.casefold()), None)
        template = settle(described, given.decisions) if described else None
        if described is None or template is None or not identifier or normalise_heading(str(identifier)) in apart:
            continue
        words = _option_words(row, node)
        if not words and template.rule and "words" in load_rules()[template.rule].settings:
            _add_field(made, str(identifier), FieldMap(from_=("value",), only_when=template.only_when), {}, taken)
        elif described.each == "option":
            _add_options(made, str(identifier), template, words, taken)
        else:
            _add_field(made, str(identifier), template, words, taken)
    return made


def _add_field(made: _Described, identifier: str, template: FieldMap, words: Words, taken: set[str]) -> None:
    """Add the field of one row; a choice whose options nobody lists is a text."""
    type_ = template.type or CUSTOM_DEFAULT[gives(template, {})]
    options = tuple(words) if type_ in ("enum", "set") else ()
    each = CompiledField(_free_name(identifier, taken), template, is_custom=True, type=type_, options=options)
    made.fields.append(replace(each, node=_read_from(identifier, template, each.column if words else None)))
    made.words[each.column] = words


def _add_options(made: _Described, identifier: str, template: FieldMap, words: Words, taken: set[str]) -> None:
    """Add a yes/no field per option; the cells are read once, in a step."""
    step = f"options:{identifier}"
    made.steps[step] = _read_from(identifier, template, step)
    made.words[step] = words
    for option in words:
        name = _free_name(identifier if len(words) == 1 else f"{identifier}: {option}", taken)
        ticked = FieldMap(cases=(Case(when={step: {"holds": option}}, then=True),))
        made.fields.append(CompiledField(name, ticked, is_custom=True, type="boolean"))


def _read_from(identifier: str, template: FieldMap, words: str | None) -> FieldMap:
    """Return a field map that reads the column of a described field, with the vocabulary of that name."""
    column = re.sub(r"\W+", "_", identifier.casefold()).strip("_")
    return template.model_copy(update={"from_": (column,), "with_": {**template.with_, **({"words": words} if words else {})}})


def _free_name(name: str, taken: set[str]) -> str:
    free = name if name.casefold() not in taken else f"{name} (custom)"
    taken.add(free.casefold())
    return free


def _option_words(row: Mapping[str, Any], node: SchemaFields) -> dict[str, tuple[str, ...]]:
    """Return the options of a described field; each may also come as its id."""
    labels = [str(label) for label in row.get(node.options_column) or []]
    ids = [str(each) for each in row.get(node.option_ids_column) or []] if node.option_ids_column else []
    spare = [number for number in ids if number not in labels]
    return {label: (ids[place],) if len(ids) == len(labels) and ids[place] in spare else () for place, label in enumerate(labels)}


def gives(node: FieldMap, types: Mapping[str, ValueType]) -> ValueType:
    """Return the type of value that a settled field map yields; `types` are the frame's columns."""
    if node.parts:
        return "texts"
    if node.from_ and not node.link:
        return load_rules()[node.rule].gives if node.rule else types.get(node.from_[0], "text")
    constants: Iterable[Any] = [case.then for case in node.cases] or [node.value]
    first = next(iter(constants))
    if isinstance(first, bool):
        return "boolean"
    return "number" if isinstance(first, int | float) else "text"


def _lineage(phase: CompiledPhase, given: _PhaseInput) -> dict[str, tuple[tuple[str, str], ...]]:
    frame = given.frames.get(phase.derived, {})
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for each in phase.fields:
        columns = _base_columns(each.node, phase.steps)
        pairs = [pair for name in columns for pair in (frame[name].origin if name in frame else ((phase.derived, name),))]
        found[each.name] = tuple(dict.fromkeys(pairs))
    return found


def _base_columns(node: FieldMap, steps: Mapping[str, FieldMap]) -> tuple[str, ...]:
    """Return the frame's columns behind a field map, through the steps on the way."""
    names: list[str] = []
    for name in columns_read(node):
        names += _base_columns(steps[name], steps) if name in steps else [name]
    return tuple(dict.fromkeys(names))
