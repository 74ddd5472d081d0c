"""What a source offers and what a destination accepts, as values that a spec is held against.

Belongs here: the value types and what they agree on. Not here: any vendor's words (sources.<vendor>,
destinations.<vendor>.contract hold the instances), the comparison (check).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from crm_pipelines.spec.headings import column_name, normalise_heading, plain_heading

ValueType = Literal["text", "texts", "number", "date", "datetime", "boolean", "address"]
"""What an expression of the language yields: `texts` is a list of text, `datetime` is UTC."""

COLUMN_VALUES: Mapping[str, ValueType] = {
    "text": "text",
    "email": "text",
    "country": "text",
    "phone": "text",
    "integer": "number",
    "decimal": "number",
    "number": "number",
    "datetime": "datetime",
    "date": "date",
    "boolean": "boolean",
    "list": "texts",
    "texts": "texts",
}
"""Column type of a source -> what it yields."""

TEXT_MAX = 255
"""Characters that a custom field of type `text` holds where the destination does not say; longer texts need `long_text`."""

CUSTOM_ACCEPTS: Mapping[str, frozenset[ValueType]] = {
    "text": frozenset({"text"}),
    "long_text": frozenset({"text"}),
    "number": frozenset({"number"}),
    "money": frozenset({"number"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"datetime"}),
    "enum": frozenset({"text"}),
    "set": frozenset({"texts"}),
    "address": frozenset({"address"}),
    "boolean": frozenset({"boolean"}),
}
"""Type of a custom field -> values it takes."""

CUSTOM_DEFAULT: Mapping[ValueType, str] = {
    "text": "text",
    "texts": "set",
    "number": "number",
    "date": "date",
    "datetime": "datetime",
    "boolean": "boolean",
    "address": "address",
}
"""Value -> the custom field it goes into when the spec does not say."""


@dataclass(frozen=True)
class FieldContract:
    """A standard field of a phase."""

    takes: ValueType
    required: bool = False
    create_only: bool = False
    """Sent once, with the create call; never updated."""
    link: str | None = None
    """Phase that a link points to."""
    choices: tuple[str, ...] = ()
    """The only words it takes."""
    max_length: int | None = None
    """Longest text the vendor stores."""
    concept: str = ""
    """What it means, as discovery/targets.csv names it (`person.mobile`); empty where no concept fits."""


@dataclass(frozen=True)
class PhaseContract:
    """What a phase accepts."""

    fields: Mapping[str, FieldContract]
    custom_fields: bool = False
    """Whether records of the phase can carry custom fields."""
    labels: str | None = None
    """The field that carries labels."""
    amount: str | None = None
    currency: str | None = None
    status: str | None = None
    """Fields that reconciliation adds up per currency and status."""
    match_only: bool = False
    """Records are found, never made."""
    types: str | None = None
    """The field that names a record type which must exist."""
    native_key: bool = False
    """The vendor stores external ids itself; no custom field has to carry the source key."""
    pipeline: str | None = None
    stage: str | None = None
    """Fields that name a board and its stage."""


@dataclass(frozen=True)
class DestinationContract:
    """What a destination accepts, phase by phase, and the limits on names."""

    name: str
    phases: Mapping[str, PhaseContract]
    field_name_max: int
    option_label_max: int
    options_max: int
    custom_types: frozenset[str] = frozenset(CUSTOM_ACCEPTS)
    custom_text_max: int | None = TEXT_MAX
    """Characters that a custom field of type `text` holds; None where there is no limit."""


@dataclass(frozen=True)
class ObjectContract:
    """The columns of one export: name -> column type."""

    columns: Mapping[str, str]
    key: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other headings of a column, as spec.headings.normalise_heading writes them -> its name."""
    patterns: Mapping[str, str] = field(default_factory=dict)
    """Regular expression on a heading -> the column's name."""

    def column_of(self, heading: str) -> str | None:
        """Return the column that a heading stands for; None when the contract does not know it."""
        plain, name = plain_heading(heading), normalise_heading(heading)
        by_pattern = next((column for pattern, column in self.patterns.items() if re.match(pattern, plain)), None)
        return by_pattern or self.aliases.get(name) or (name if name in self.columns else None)


@dataclass(frozen=True)
class SourceContract:
    """What a source exports."""

    name: str
    objects: Mapping[str, ObjectContract]

    def staged_column(self, name: str, heading: str) -> str:
        """Return the name of a heading's column in the staged frame of an object."""
        return self.objects[name].column_of(heading) or column_name(heading)

    def all_columns(self) -> Iterator[tuple[str, str]]:
        """Yield every (object, column)."""
        for name, contract in self.objects.items():
            for column in contract.columns:
                yield name, column
