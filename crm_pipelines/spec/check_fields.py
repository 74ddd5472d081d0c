"""One field map at a time: columns, rules, settings, types, links, words.

Belongs here: what can be said of a field from the columns of its frame and the contract of its phase. Not here: phases as
wholes (check), what a rule computes (rules).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from crm_pipelines.errors import Problem
from crm_pipelines.spec.conditions import flaw
from crm_pipelines.spec.contract import CUSTOM_ACCEPTS, DestinationContract, FieldContract, ValueType
from crm_pipelines.spec.derived import Frame
from crm_pipelines.spec.model import OWN_KEY, DescribedField, FieldMap, MappingSpec, SchemaFields
from crm_pipelines.spec.parse import Document, Path, nearest
from crm_pipelines.spec.rules import Rule, Words, load_rules
from crm_pipelines.spec.templates import read_template, template_columns
from crm_pipelines.yaml_document import refusal

AS_IT_STANDS: Mapping[ValueType, str] = {
    "text": "text",
    "texts": "labels",
    "number": "number",
    "date": "date",
    "datetime": "utc",
    "boolean": "yes_no",
}
"""Type of a column -> the rule that lets it through when the author names none."""
HOME = "home_phase"
"""The column of purchases that names the phase in which each is accounted for."""
DESCRIBED = "value"
"""What the fields of `custom_fields_from` read, in place of a column."""


class FieldChecks:
    """The checks of one phase's fields."""

    def __init__(self, name: str, spec: MappingSpec, document: Document, frame: Frame, destination: DestinationContract) -> None:
        self.name, self.spec, self.document, self.destination = name, spec, document, destination
        self.phase, self.contract = spec.phases[name], destination.phases[name]
        self.path: Path = ("phases", name)
        self.types: dict[str, ValueType] = {column: each.type for column, each in frame.items()}

    def problems(self) -> list[Problem]:
        """Return every problem of the phase's columns, conditions and fields."""
        found: list[Problem] = []
        for step, node in self.phase.columns.items():
            found += self._node(node, (*self.path, "columns", step), None)
            self.types[step] = self.gives(node)
        found += self._conditions(self.phase.where, (*self.path, "where"))
        for number, hold in enumerate(self.phase.hold):
            found += self._conditions(hold.when, (*self.path, "hold", number, "when"))
        found += [*self._home(), *self._key()]
        for field, node in self.phase.fields.items():
            found += self._standard(field, node)
        found += self._custom_fields()
        return found

    def _home(self) -> Iterable[Problem]:
        """A home takes every row of its exports; where kinds of purchases have homes of their own, it takes exactly its own."""
        if not self.phase.home_of and not self.phase.home_if:
            return
        purchases = self.spec.derive.purchases
        is_split = purchases is not None and purchases.phase_of is not None and self.phase.from_ == "purchases"
        own = {HOME: self.name} if is_split else {}
        if self.phase.where and not is_split:
            told = "would drop rows that this phase accounts for; only phases that are no home take it"
            yield self._problem((*self.path, "where"), told)
        elif dict(self.phase.where) != own:
            yield self._problem(
                (*self.path, "where"), f"must be {{{HOME}: {self.name}}}: purchases have several homes, see derive.purchases"
            )

    def _key(self) -> Iterable[Problem]:
        """A key of its own makes fewer records than rows, which is nothing for a home, nor for what others link to by the frame's key."""
        key, path = self.phase.key, (*self.path, "key")
        if key == OWN_KEY:
            return
        if key not in self.types:
            yield self._problem(path, f"unknown column {key!r}{nearest(key, self.types)}")
        elif self.types[key] != "text":
            yield self._problem(path, f"holds {self.types[key]}; a key is a text")
        if self.phase.home_of or self.phase.home_if:
            yield self._problem(
                path, "would make one record of several rows that this phase accounts for; only phases that are no home take it"
            )
        if any(node.link == self.name for phase in self.spec.phases.values() for node in phase.fields.values()):
            yield self._problem(path, f"fields link to {self.name} by the key of its frame; only phases that nothing links to take it")

    def gives(self, node: FieldMap) -> ValueType:
        """Return the type of value that a field map yields."""
        if node.parts:
            return "texts"
        if node.decision is not None:
            first = next((each for each in node.options.values() if isinstance(each, FieldMap)), None)
            return self.gives(first) if first else "text"
        if node.from_ and not node.link:
            rule = self._rule(node)
            return rule.gives if rule else "text"
        word = node.cases[0].then if node.cases else node.value
        if isinstance(word, bool):
            return "boolean"
        return "number" if isinstance(word, int | float) else "text"

    def _standard(self, field: str, node: FieldMap) -> Iterable[Problem]:
        path = (*self.path, "fields", field)
        contract = self.contract.fields.get(field)
        if contract is None:
            return [self._problem(path, f"{self.name} has no field {field!r}{nearest(field, self.contract.fields)}")]
        found = [*self._node(node, path, contract)]
        if node.type or node.external_id:
            found.append(self._problem(path, "type and external_id are for custom fields"))
        if contract.required and node.decision and "nothing" in node.options.values():
            found.append(self._problem(path, "is required by the destination, so no option may be `nothing`"))
        return found

    def _custom_fields(self) -> Iterable[Problem]:
        custom, path = self.phase.custom_fields, (*self.path, "custom_fields")
        if custom and not self.contract.custom_fields:
            yield self._problem(path, f"records of {self.name} cannot carry custom fields at {self.destination.name}")
            return
        seen: dict[str, str] = {}
        for name, node in custom.items():
            if (other := seen.setdefault(name.casefold(), name)) != name:
                yield self._problem((*path, name), f"is the same name as {other!r}; the destination would hold two fields that look alike")
            if not 0 < len(name) <= self.destination.field_name_max:
                yield self._problem((*path, name), f"a field name has 1 to {self.destination.field_name_max} characters")
            yield from self._custom(node, (*path, name))
        if self.phase.custom_fields_from:
            yield from self._described(self.phase.custom_fields_from)

    def _custom(self, node: FieldMap, path: Path) -> Iterable[Problem]:
        yield from self._node(node, path, None)
        yield from self._typed(node, path, node.type)

    def _typed(self, node: FieldMap, path: Path, type_: str | None) -> Iterable[Problem]:
        if node.decision is not None:
            for option, inner in node.options.items():
                if isinstance(inner, FieldMap):
                    yield from self._typed(inner, (*path, "options", option), inner.type or type_)
        elif type_ is not None and self.gives(node) not in CUSTOM_ACCEPTS[type_]:
            accepted = ", ".join(sorted(CUSTOM_ACCEPTS[type_]))
            yield self._problem(path, f"gives {self.gives(node)}, but a field of type {type_} takes {accepted}")

    def _described(self, node: SchemaFields) -> Iterable[Problem]:
        path = (*self.path, "custom_fields_from")
        if node.export not in self.spec.schema_exports:
            yield self._problem(
                (*path, "export"), f"{node.export!r} must stand under schema_exports{nearest(node.export, self.spec.schema_exports)}"
            )
        self.types[DESCRIBED] = "text"
        for kind, each in node.types.items():
            inner = each if "words" in each.with_ else each.model_copy(update={"with_": {**each.with_, "words": {}}})
            needs_words = (rule := load_rules().get(each.rule or "text")) is not None and "words" in rule.settings
            yield from self._described_type(inner if needs_words else each, (*path, "types", kind))
        del self.types[DESCRIBED]

    def _described_type(self, node: DescribedField, path: Path) -> Iterable[Problem]:
        if node.each is None:
            yield from self._custom(node, path)
            return
        yield from self._node(node, path, None)
        if node.decision is not None or self.gives(node) != "texts" or "words" not in node.with_:
            yield self._problem((*path, "each"), "needs a rule that lists options, such as split_options")
        if node.type not in (None, "boolean"):
            yield self._problem(path, f"is a yes/no field per option, so its type is boolean, not {node.type}")

    def _node(self, node: FieldMap, path: Path, contract: FieldContract | None) -> Iterable[Problem]:
        yield from self._conditions(node.only_when, (*path, "only_when"))
        yield from self._form(node, path)
        if contract is not None:
            yield from self._fits(node, path, contract)
        if node.if_empty:
            yield from self._node(node.if_empty, (*path, "if_empty"), contract)
        for number, part in enumerate(node.parts):
            yield from self._node(part, (*path, "parts", number), None)
        for option, inner in node.options.items():
            if isinstance(inner, FieldMap):
                yield from self._node(inner, (*path, "options", option), contract)

    def _form(self, node: FieldMap, path: Path) -> Iterable[Problem]:
        for number, case in enumerate(node.cases):
            yield from self._conditions(case.when, (*path, "cases", number, "when"))
        if node.template is not None:
            yield from self._template(node.template, (*path, "template"))
        unknown = [name for name in node.from_ if name not in self.types]
        for name in unknown:
            yield self._problem((*path, "from"), f"unknown column {name!r}{nearest(name, self.types)}")
        if node.from_ and not node.link and not unknown:
            yield from self._read(node, path)

    def _template(self, template: str, path: Path) -> Iterable[Problem]:
        try:
            read_template(template)
        except ValueError as error:
            yield self._problem(path, str(error))
            return
        for name in template_columns(template):
            if name not in self.types:
                yield self._problem(path, f"unknown column {name!r}{nearest(name, self.types)}")

    def _rule(self, node: FieldMap) -> Rule | None:
        return load_rules().get(node.rule or AS_IT_STANDS[self.types.get(node.from_[0], "text")])

    def _read(self, node: FieldMap, path: Path) -> Iterable[Problem]:
        rule = self._rule(node)
        if rule is None:
            yield self._problem((*path, "rule"), f"unknown rule {node.rule!r}{nearest(str(node.rule), load_rules())}")
            return
        if not rule.accepts_count(len(node.from_)):
            yield self._problem((*path, "from"), f"rule {rule.name!r} reads {rule.shape}; found {len(node.from_)}")
        for name in node.from_:
            if self.types[name] not in rule.takes:
                takes = " or ".join(sorted(rule.takes))
                yield self._problem((*path, "rule"), f"rule {rule.name!r} takes {takes}, but column {name!r} holds {self.types[name]}")
        yield from self._settings(node, rule, path)

    def _settings(self, node: FieldMap, rule: Rule, path: Path) -> Iterable[Problem]:
        for key in node.with_:
            if key not in rule.settings:
                yield self._problem((*path, "with", key), f"rule {rule.name!r} has no setting {key!r}{nearest(key, rule.settings)}")
        for key, setting in rule.settings.items():
            if key in node.with_:
                yield from self._setting(key, node.with_[key], setting.type, (*path, "with", key))
            elif setting.required:
                yield self._problem(path, f"rule {rule.name!r} needs `with: {{{key}: ...}}`")
        parts = node.with_.get("parts")
        if rule.name == "address" and isinstance(parts, list) and len(parts) != len(node.from_):
            yield self._problem((*path, "with", "parts"), f"names {len(parts)} parts for {len(node.from_)} columns")

    def _setting(self, key: str, value: Any, wanted: Any, path: Path) -> Iterable[Problem]:
        if wanted == Words:
            if isinstance(value, str) and value not in self.spec.words:
                yield self._problem(path, f"there is no vocabulary {value!r} under words{nearest(value, self.spec.words)}")
            elif not isinstance(value, str | Mapping):
                yield self._problem(path, "must name a vocabulary under words")
            return
        try:
            TypeAdapter(wanted).validate_python(value, strict=True)
        except ValidationError as error:
            yield self._problem(path, f"{key}: {refusal(error.errors()[0])}")

    def _fits(self, node: FieldMap, path: Path, contract: FieldContract) -> Iterable[Problem]:
        """Hold what a standard field is given against what it takes."""
        if node.decision is not None:
            return
        if contract.link != node.link:
            yield from self._link(node, path, contract)
            return
        if self.gives(node) != contract.takes:
            yield self._problem(path, f"gives {self.gives(node)}, but the destination takes {contract.takes}")
        words = [node.value, node.otherwise, *(case.then for case in node.cases)]
        for word in (str(word) for word in words if word is not None and contract.choices and word not in contract.choices):
            choices = ", ".join(contract.choices)
            yield self._problem(path, f"{word!r} is not one of {choices}{nearest(word, contract.choices)}")

    def _link(self, node: FieldMap, path: Path, contract: FieldContract) -> Iterable[Problem]:
        if contract.link is None:
            yield self._problem((*path, "link"), "is a plain field; it takes no link")
        elif node.link is None:
            yield self._problem(path, f"must be a link: {{link: {contract.link}, from: <key column>}}")
        elif node.link not in self.spec.phases:
            yield self._problem((*path, "link"), f"there is no phase {node.link!r}{nearest(node.link, self.spec.phases)}")
        else:
            yield self._problem((*path, "link"), f"must point to {contract.link}")

    def _conditions(self, conditions: Mapping[str, Any], path: Path) -> Iterable[Problem]:
        for name, wanted in conditions.items():
            where = (*path, name)
            if name not in self.types:
                yield self._problem(where, f"unknown column {name!r}{nearest(name, self.types)}")
            elif wrong := flaw(wanted):
                yield self._problem(where, wrong)
            elif isinstance(wanted, Mapping):
                yield from self._test(name, next(iter(wanted)), where)

    def _test(self, name: str, test: str, path: Path) -> Iterable[Problem]:
        wanted = {"over": "number", "under": "number", "holds": "texts", "contains_word": "text", "starts_with": "text"}.get(test)
        if wanted and self.types[name] != wanted:
            yield self._problem(path, f"{test} is for {wanted}, but column {name!r} holds {self.types[name]}")

    def _problem(self, path: Path, message: str) -> Problem:
        return self.document.problem(path, message)
