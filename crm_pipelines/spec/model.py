"""The nodes of a mapping spec: what an author may write, as frozen values.

Belongs here: the shape of the language and the words of its editors' schema. Not here: line numbers (parse), what the
words must refer to (check), what they do (compile, rules).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from crm_pipelines.spec.derive import DeriveSpec

FieldType = Literal["text", "long_text", "number", "date", "datetime", "enum", "set", "address", "boolean", "money"]
Existing = Literal["fill_empty", "overwrite", "leave"]
Scalar = bool | int | float | str


def _as_tuple(value: Any) -> Any:
    """Let an author write one name where a list is allowed."""
    return (value,) if isinstance(value, str) else value


def _as_options(value: Any) -> Any:
    """Let an author list options without describing each."""
    return dict.fromkeys(value, "") if isinstance(value, list) else value


def _as_limit(value: Any) -> Any:
    """Let an author write a bare limit where no reason is needed."""
    return {"limit": value} if isinstance(value, str | int | float) else value


_ONE_OR_MORE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), WithJsonSchema(_ONE_OR_MORE)]
Choice = Mapping[str, Names]
"""Decision -> the options under which this applies."""
Conditions = Mapping[str, Any]
"""Column -> what it must be: a value, a list of values, `present`, `missing`, or one test such as {over: 0}."""
OWN_KEY = "key"
"""The column of every frame that holds its key."""


class Node(BaseModel):
    """A mapping of the spec: immutable, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Route(Node):
    """Where the records come from and where they go."""

    source: str = Field(description="Name of the source system in the registry.")
    destination: str = Field(description="Name of the destination system in the registry.")


class Decision(Node):
    """A choice that belongs to the client, asked at scoping."""

    question: str = Field(min_length=8, description="What the client is asked, in the client's words.")
    options: Annotated[Mapping[str, str], BeforeValidator(_as_options)] = Field(
        default_factory=dict, description="Option -> what it means. Leave out for a free answer (see `answer`)."
    )
    default: str | None = Field(default=None, description="Taken when nothing was answered. Without one the client must answer.")
    answer: Literal["option", "email"] = Field(default="option", description="Kind of answer: one of the options, or an e-mail address.")
    needed_if: Choice = Field(default_factory=dict, description="Asked only under these answers of other decisions.")
    why: str = Field(default="", description="Why the default is what we would defend.")


class Case(Node):
    """One line of a case table."""

    when: Conditions = Field(description="All of these must hold.")
    then: Scalar = Field(description="The value then sent.")
    only_if: Choice = Field(default_factory=dict, description="The line counts only under these decisions.")


class FieldMap(Node):
    """How one destination field is filled: exactly one of from, template, cases, value, parts, decision."""

    from_: Names = Field(default=(), alias="from", description="Column or columns of the phase's frame.")
    rule: str | None = Field(default=None, description="Named rule (docs/mapping-language.md); `text` when left out.")
    with_: Mapping[str, Any] = Field(default_factory=dict, alias="with", description="Settings of the rule.")
    link: str | None = Field(default=None, description="Phase whose record has the key that `from` holds.")
    template: str | None = Field(default=None, description="Text with {columns}; a part in [brackets] goes when a column in it is empty.")
    cases: tuple[Case, ...] = Field(default=(), description="The first line that holds gives the value.")
    otherwise: Scalar | None = Field(default=None, description="Value when no case holds.")
    value: Scalar | None = Field(default=None, description="The same value for every record.")
    parts: tuple[FieldMap, ...] = Field(default=(), description="Several lists put together, repeats dropped.")
    decision: str | None = Field(default=None, description="Decision that picks one of `options`.")
    options: Mapping[str, FieldMap | Literal["nothing"]] = Field(
        default_factory=dict, description="Option -> how the field is filled then."
    )
    only_if: Choice = Field(default_factory=dict, description="The field exists only under these decisions.")
    only_when: Conditions = Field(default_factory=dict, description="Filled only for records where this holds.")
    if_empty: FieldMap | None = Field(default=None, description="Used where the result is empty.")
    type: FieldType | None = Field(default=None, description="Type of a custom field; by the rule when left out.")
    external_id: bool = Field(default=False, description="The custom field that carries the source key.")
    why: str = Field(default="", description="For the reader.")

    @model_validator(mode="after")
    def _has_one_form(self) -> FieldMap:
        forms = [
            name
            for name, used in {
                "from": bool(self.from_),
                "template": self.template is not None,
                "cases": bool(self.cases),
                "value": self.value is not None,
                "parts": bool(self.parts),
                "decision": self.decision is not None,
            }.items()
            if used
        ]
        if len(forms) != 1:
            found = " and ".join(forms) or "none"
            raise ValueError(f"needs exactly one of from, template, cases, value, parts, decision; found {found}")
        if (self.rule or self.link or self.with_) and not self.from_:
            raise ValueError("rule, with and link need `from`: the columns they read")
        if bool(self.options) != (self.decision is not None):
            raise ValueError("decision and options go together")
        return self


class DescribedField(FieldMap):
    """How a field that the source describes arrives; `from: value` stands for its column."""

    each: Literal["option"] | None = Field(
        default=None,
        description="`option`: what the rule lists becomes a yes/no field per option, `<field>: <option>` (`<field>` when there is one).",
    )


class Hold(Node):
    """Rows that wait for a person instead of being sent."""

    when: Conditions
    queue: Literal["owner", "review", "remediation", "duplicate", "conflict", "decision", "parent"]
    reason: str = Field(pattern=r"^[a-z_]+$", description="Short code shown in the queue.")
    only_if: Choice = Field(default_factory=dict)
    why: str = ""


class Limit(Node):
    """A number or share above which a gate stays shut."""

    limit: str | int | float = Field(description="A count, or a share such as `5 %`.")
    why: str = ""


class Expect(Node):
    """What must hold before the next phase starts."""

    waiting_max: Annotated[Limit, BeforeValidator(_as_limit)] | None = None
    refused_max: Annotated[Limit, BeforeValidator(_as_limit)] | None = None
    excluded_max: Annotated[Limit, BeforeValidator(_as_limit)] | None = None
    unique: Names = Field(default=(), description="Columns of the frame that must not repeat.")


class Pipeline(Node):
    """A board of the destination and its stages, in order."""

    name: str
    stages: tuple[str, ...]
    open: bool = Field(
        default=False,
        description="The stages that records name are made too: before those listed, in the order in which they first appear.",
    )
    stage: str = Field(default="stage", description="The field by which records name their stage, for `open`.")


class SchemaFields(Node):
    """Custom fields that the source describes in an export of its own."""

    export: str = Field(description="The object that lists them.")
    name_column: str = Field(description="Its column with the field's name, which is also the heading in the records' export.")
    type_column: str = Field(description="Its column with the field's type.")
    options_column: str = Field(description="Its column with the options of choice fields.")
    option_ids_column: str | None = Field(default=None, description="Its column with the options' ids, which may stand for them.")
    types: Mapping[str, DescribedField] = Field(description="Type as the source calls it -> how such a field arrives (`from: value`).")
    left_out: Names = Field(default=(), description="Headings of fields that are mapped by hand, or stay behind.")
    why: str = ""


class Unmatched(Node):
    """What becomes of records that are only matched, and are not there."""

    decision: str
    options: Mapping[str, Literal["wait", "block", "replace"]] = Field(
        description="Option -> the records that link to it wait, the phase stays shut, or one record stands in for it."
    )
    replace_by: str | None = Field(default=None, description="Decision whose answer names the record that stands in.")


class Money(Node):
    """The fields that reconciliation adds up, per currency and status."""

    amount: str
    currency: str
    status: str


class Phase(Node):
    """What the destination receives in one step, and the frame of source records that fills it."""

    from_: str = Field(alias="from", description="The resolved frame that is read.")
    home_of: Names = Field(default=(), description="Source objects whose rows are accounted for here.")
    home_if: Mapping[str, Choice] = Field(default_factory=dict, description="Source objects accounted for here under some decisions only.")
    create: Literal["when_missing", "never"] = Field(default="when_missing", description="`never`: records are only matched, not made.")
    unmatched: Unmatched | None = Field(default=None, description="For `create: never`.")
    match: Names = Field(default=(), description="Fields that make a record one that is already there.")
    existing: Existing = Field(default="fill_empty", description="What happens to a record that is already there.")
    only_if: Choice = Field(default_factory=dict, description="The phase runs only under these decisions.")
    where: Conditions = Field(
        default_factory=dict, description="Only these rows make a record here (phases that are no home, or `home_phase`)."
    )
    key: str = Field(
        default=OWN_KEY,
        description="Column or step whose value is the key here (phases that are no home). Rows that share it make one record, rows "
        "without it none. For what outlives the row that says it: an address that must not be mailed stays when its contact gets another.",
    )
    columns: Mapping[str, FieldMap] = Field(default_factory=dict, description="Named steps on the way, for use in `from` and `when`.")
    hold: tuple[Hold, ...] = ()
    fields: Mapping[str, FieldMap] = Field(default_factory=dict, description="Standard fields of the destination.")
    custom_fields: Mapping[str, FieldMap] = Field(default_factory=dict, description="Custom fields by display name; made if missing.")
    custom_fields_from: SchemaFields | None = None
    pipelines: tuple[Pipeline, ...] = ()
    labels: str | None = Field(default=None, description="The field that carries labels.")
    record_type: str | None = Field(default=None, description="The field that names a record type which must exist.")
    money: Money | None = None
    send_once: Names = Field(default=(), description="Fields that go out with the create call and never again.")
    expect: Expect = Field(default_factory=Expect)
    why: str = ""


class LabelPhase(Node):
    """The phase whose unit is a pair of record and label."""

    of: Names = Field(description="Phases whose labels are counted.")
    expect: Expect = Field(default_factory=Expect)
    why: str = ""


class Gap(Node):
    """Something of the source that does not move."""

    why: str = Field(min_length=8)
    instead: str = Field(min_length=8, description="What the client can do.")
    handoff: str = Field(description="Part of the hand-over that lists it.")


class MappingSpec(Node):
    """One route: everything that decides what arrives."""

    route: Route
    decisions: Mapping[str, Decision] = Field(default_factory=dict)
    derive: DeriveSpec = Field(description="How export rows become one record per key.")
    words: Mapping[str, Mapping[str, Names]] = Field(
        default_factory=dict, description="Vocabularies: name -> our word -> the words it stands for."
    )
    phases: Mapping[str, Phase] = Field(description="In any order; links decide what goes first.")
    tags: LabelPhase | None = Field(default=None, description="The last phase: pairs of record and label.")
    required: Names = Field(default=(), description="Exports without which nothing starts.")
    schema_exports: Mapping[str, str] = Field(
        default_factory=dict, description="Exports that describe other exports -> what they are read for."
    )
    ignore: Mapping[str, Mapping[str, str]] = Field(default_factory=dict, description="Object -> column -> why it stays behind.")
    not_migrated: Mapping[str, Gap] = Field(
        default_factory=dict, description="What does not move, and why. Files of an export that stands here are not read."
    )

    @property
    def objects(self) -> tuple[str, ...]:
        """Every source object of the route, homes first."""
        always = [name for phase in self.phases.values() for name in phase.home_of]
        homes = [*always, *(name for phase in self.phases.values() for name in phase.home_if)]
        return tuple(dict.fromkeys([*homes, *self.schema_exports]))

    @property
    def required_objects(self) -> tuple[str, ...]:
        """Objects without which nothing starts."""
        return self.required

    @property
    def custom_schema(self) -> str | None:
        """The object that lists the source's custom fields."""
        exports = [phase.custom_fields_from.export for phase in self.phases.values() if phase.custom_fields_from]
        return exports[0] if exports else None
