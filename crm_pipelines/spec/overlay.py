"""A client's choices for columns laid over a spec: what comes out is a spec like any other.

Belongs here: columns -> fields, custom fields and reasons to ignore, with every choice that cannot be. Not here: the shape of the choices
(client_map), replaced words and merged records (check_client holds them against the spec, phases.resolve applies them).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_pipelines.errors import Problem, SpecError
from crm_pipelines.spec.check_client import map_problems
from crm_pipelines.spec.check_columns import used_columns
from crm_pipelines.spec.client import at
from crm_pipelines.spec.client_map import ClientMap, ColumnChoice, DateOrder, DecimalLocale
from crm_pipelines.spec.contract import COLUMN_VALUES, DestinationContract, FieldContract, PhaseContract, SourceContract, ValueType
from crm_pipelines.spec.derived import carried_name, frame_of, resolved_frames
from crm_pipelines.spec.model import FieldMap, MappingSpec, Phase
from crm_pipelines.spec.parse import Document, Path, nearest

_TEXT: Mapping[ValueType, str] = {"text": "text", "number": "text", "boolean": "text", "texts": "join_list"}
_NUMBER: Mapping[ValueType, str] = {"text": "read_number", "number": "number"}
CUSTOM_RULES: Mapping[str, Mapping[ValueType, str]] = {
    "text": _TEXT,
    "long_text": _TEXT,
    "number": _NUMBER,
    "money": _NUMBER,
    "date": {"text": "read_date", "date": "date", "datetime": "local_date"},
    "datetime": {"text": "read_moment", "date": "date_to_utc", "datetime": "utc"},
    "boolean": {"text": "read_yes_no", "boolean": "yes_no"},
    "enum": {"text": "text", "number": "text", "boolean": "text"},
    "set": {"text": "split", "texts": "labels"},
}
"""Type of a custom field -> what a column yields -> the rule between the two."""
ORDERED_RULES = frozenset(CUSTOM_RULES[each]["text"] for each in ("date", "datetime"))
"""Rules that read a date from text, and may be told the order of day and month."""
READING: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(ORDERED_RULES, ("order", "pivot")),
    _NUMBER["text"]: ("locale", "currency"),
}
"""Rule that reads a date or a number from text -> what it may be told."""
FIELD_RULES: Mapping[ValueType, Mapping[ValueType, str]] = {
    "text": _TEXT,
    "number": _NUMBER,
    "date": CUSTOM_RULES["date"],
    "datetime": CUSTOM_RULES["datetime"],
    "boolean": CUSTOM_RULES["boolean"],
    "texts": {"text": "list_of_one", "texts": "labels"},
}
"""What a standard field takes -> what a column yields -> the rule between the two."""
KINDS: Mapping[ValueType, str] = {
    "text": "text",
    "texts": "lists",
    "number": "numbers",
    "date": "dates",
    "datetime": "times",
    "boolean": "yes or no",
    "address": "addresses",
}


def lay_over(
    spec: MappingSpec,
    client_map: ClientMap,
    source: SourceContract,
    destination: DestinationContract,
    document: Document | None = None,
    *,
    date_orders: Mapping[str, DateOrder] | None = None,
    decimal_locales: Mapping[str, DecimalLocale] | None = None,
) -> MappingSpec:
    """Return the spec with the client's columns in it; `document` tells the lines of problems.

    `date_orders`: object -> which of day and month comes first in its files, where a choice does not say it; `decimal_locales`: object ->
    how its files write numbers.

    Raises: SpecError with everything in the map that cannot be. Headings that no file has are no problem: a later file may bring them.
    """
    document = document or Document(None, "decisions.yaml")
    laying = _Laying(spec, source, destination, document, date_orders or {}, decimal_locales or {})
    for name, columns in client_map.columns.items():
        laying.take_object(name, columns)
    problems = [*laying.problems, *map_problems(spec, client_map, source, document)]
    if problems:
        raise SpecError(sorted(problems, key=lambda problem: problem.line or 0))
    return laying.laid() if client_map.columns else spec


@dataclass
class _Laying:
    """What is gathered while the choices are read."""

    spec: MappingSpec
    source: SourceContract
    destination: DestinationContract
    document: Document
    date_orders: Mapping[str, DateOrder] = field(default_factory=dict)
    decimal_locales: Mapping[str, DecimalLocale] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    ignore: dict[str, dict[str, str]] = field(default_factory=dict)
    more: dict[str, list[str]] = field(default_factory=dict)
    fields: dict[str, dict[str, FieldMap]] = field(default_factory=dict)
    custom: dict[str, dict[str, FieldMap]] = field(default_factory=dict)
    headings: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start from what the spec has."""
        self.used = used_columns(self.spec, resolved_frames(self.spec.derive, self.source.objects))
        self.ignore = {name: dict(columns) for name, columns in self.spec.ignore.items()}
        self.more = {name: list(columns) for name, columns in self.spec.derive.more.items()}

    def take_object(self, name: str, columns: Mapping[str, ColumnChoice]) -> None:
        """Take the choices for the columns of one export."""
        if name not in self.source.objects or name not in self.spec.objects:
            self._problem((name,), f"the route reads no export {name!r}{nearest(name, self.spec.objects)}")
            return
        seen: dict[str, str] = {}
        for heading, choice in columns.items():
            column = self.source.staged_column(name, heading)
            if (other := seen.setdefault(column, heading)) != heading:
                self._problem((name, heading), f"is the same column as {other!r}; keep one of the two")
            elif (name, column) in self.used:
                self._problem((name, heading), "is mapped by the route already; nothing is to be decided about it")
            else:
                self._take(name, heading, column, choice)

    def _take(self, name: str, heading: str, column: str, choice: ColumnChoice) -> None:
        self.headings.setdefault(name, []).append(heading)
        self.ignore.setdefault(name, {}).pop(column, None)
        if choice.ignore is not None:
            self.ignore[name][column] = choice.ignore
            return
        found = list(self._target_problems(name, column, choice))
        for message in found:
            self._problem((name, heading), message)
        if found:
            return
        phase, kind = str(choice.phase), self._kind(name, column)
        self.more.setdefault(name, []).append(column)
        node = self._told(self._node(carried_name(self.spec.derive, name, column), kind, choice), name, choice)
        if choice.custom_field is not None:
            self.custom.setdefault(phase, {})[choice.custom_field.strip()] = node
        else:
            self.fields.setdefault(phase, {})[str(choice.field)] = node

    def _node(self, column: str, kind: ValueType, choice: ColumnChoice) -> FieldMap:
        why = "Decided by the client."
        if choice.custom_field is not None:
            type_ = choice.type or "text"
            return FieldMap(from_=(column,), rule=CUSTOM_RULES[type_][kind], type=type_, why=why)
        contract = self._contract(choice).fields[str(choice.field)]
        if contract.choices:
            return FieldMap(from_=(column,), rule="option", with_={"words": dict.fromkeys(contract.choices, ())}, why=why)
        is_labels = choice.field == self._contract(choice).labels and kind == "text"
        return FieldMap(from_=(column,), rule="split" if is_labels else FIELD_RULES[contract.takes][kind], why=why)

    def _told(self, node: FieldMap, name: str, choice: ColumnChoice) -> FieldMap:
        """Tell a rule that reads dates or numbers what reads two ways: what the choice says, else what is declared of the files."""
        declared = {"order": self.date_orders.get(name), "locale": self.decimal_locales.get(name)}
        told = {**{key: value for key, value in declared.items() if value is not None}, **choice.reading}
        told = {key: value for key, value in told.items() if key in READING.get(node.rule or "", ())}
        return node.model_copy(update={"with_": {**node.with_, **told}}) if told else node

    def _target_problems(self, name: str, column: str, choice: ColumnChoice) -> Iterator[str]:
        frame = frame_of(self.spec.derive, name)
        phases = [each for each, phase in self.spec.phases.items() if phase.from_ == frame and each in self.destination.phases]
        if frame is None or not phases:
            yield f"columns of {name} can only be ignored: no record of the route carries them"
        elif choice.phase not in self.spec.phases:
            yield f"there is no phase {choice.phase!r}{nearest(str(choice.phase), phases)}; {name} can go to {', '.join(phases)}"
        elif choice.phase not in phases:
            yield f"records of {choice.phase} do not carry columns of {name}; they can go to {', '.join(phases)}"
        elif ("order" in choice.reading or "pivot" in choice.reading) and not self._is_read_as(name, column, choice, "date", "datetime"):
            yield "date_order and year_pivot are for text that is read as a date; this column or its field holds none"
        elif (choice.decimal_locale or choice.currency) and not self._is_read_as(name, column, choice, "number", "money"):
            yield "decimal_locale and currency are for text that is read as a number; this column or its field holds none"
        elif choice.custom_field is not None:
            yield from self._custom_problems(choice, choice.custom_field.strip(), self._kind(name, column))
        else:
            yield from self._field_problems(choice, str(choice.field), self._kind(name, column))

    def _custom_problems(self, choice: ColumnChoice, label: str, kind: ValueType) -> Iterator[str]:
        phase, type_ = str(choice.phase), choice.type or "text"
        if not self._contract(choice).custom_fields:
            yield f"records of {phase} cannot carry custom fields at {self.destination.name}"
        if not 0 < len(label) <= self.destination.field_name_max:
            yield f"a field name has 1 to {self.destination.field_name_max} characters"
        if label.casefold() in {each.casefold() for each in self.spec.phases[phase].custom_fields}:
            yield f"custom field {label!r} of {phase} is filled by the route already; choose another name"
        if label.casefold() in {each.casefold() for each in self.custom.get(phase, {})}:
            yield f"custom field {label!r} of {phase} is filled by another column already; choose another name"
        known = [each for each in CUSTOM_RULES if each in self.destination.custom_types]
        if type_ not in known:
            yield f"{self.destination.name} makes no field of type {type_} from one column; there are {', '.join(known)}"
        elif kind not in CUSTOM_RULES[type_]:
            fitting = ", ".join(each for each in known if kind in CUSTOM_RULES[each])
            yield f"the column holds {KINDS[kind]}, which a field of type {type_} does not take; there are {fitting}"

    def _field_problems(self, choice: ColumnChoice, name: str, kind: ValueType) -> Iterator[str]:
        phase, contract = self.spec.phases[str(choice.phase)], self._contract(choice)
        taken = contract.fields.get(name)
        if taken is None:
            yield f"{choice.phase} has no field {name!r}{nearest(name, contract.fields)}"
        elif name in phase.fields:
            yield f"field {name!r} of {choice.phase} is filled by the route already"
        elif name in self.fields.get(str(choice.phase), {}):
            yield f"field {name!r} of {choice.phase} is filled by another column already"
        elif taken.link or name in (contract.pipeline, contract.stage, contract.types, contract.currency, contract.amount, contract.status):
            yield f"field {name!r} of {choice.phase} cannot be filled from one column; it takes an engineer and the mapping spec"
        elif not _fits(taken, kind):
            yield f"the column holds {KINDS[kind]}, and field {name!r} of {choice.phase} takes {KINDS[taken.takes]}"

    def _is_read_as(self, name: str, column: str, choice: ColumnChoice, *types: str) -> bool:
        taken = self._contract(choice).fields.get(choice.field or "")
        takes = choice.type if choice.custom_field is not None else taken.takes if taken else types[0]
        return self._kind(name, column) == "text" and takes in types

    def _kind(self, name: str, column: str) -> ValueType:
        return COLUMN_VALUES[self.source.objects[name].columns.get(column, "text")]

    def _contract(self, choice: ColumnChoice) -> PhaseContract:
        return self.destination.phases[str(choice.phase)]

    def _problem(self, path: Path, message: str) -> None:
        self.problems.append(at(self.document, ("columns", *path), message))

    def laid(self) -> MappingSpec:
        """Return the spec with everything that was taken."""
        phases = {name: self._laid_phase(name, phase) for name, phase in self.spec.phases.items()}
        derive = self.spec.derive.model_copy(update={"more": self.more})
        ignore = {name: columns for name, columns in self.ignore.items() if columns}
        return self.spec.model_copy(update={"phases": phases, "derive": derive, "ignore": ignore})

    def _laid_phase(self, name: str, phase: Phase) -> Phase:
        update: dict[str, Any] = {}
        contract, fields, custom = self.destination.phases.get(name), self.fields.get(name, {}), self.custom.get(name, {})
        if contract is not None and fields:
            once = (each for each in fields if contract.fields[each].create_only)
            update = {"fields": {**phase.fields, **fields}, "send_once": (*phase.send_once, *once)}
            update |= {"labels": contract.labels} if contract.labels in fields else {}
        if custom:
            update["custom_fields"] = {**phase.custom_fields, **custom}
        if phase.custom_fields_from:
            decided = (
                heading for name, each in self.headings.items() if frame_of(self.spec.derive, name) == phase.from_ for heading in each
            )
            left_out = (*phase.custom_fields_from.left_out, *decided)
            update["custom_fields_from"] = phase.custom_fields_from.model_copy(update={"left_out": left_out})
        return phase.model_copy(update=update)


def _fits(contract: FieldContract, kind: ValueType) -> bool:
    return kind in FIELD_RULES.get(contract.takes, {}) and (not contract.choices or kind == "text")
