"""What one client maps beyond the route's spec: the `map` section of `decisions.yaml`, as frozen values.

Belongs here: the shape of the section and the words of its problems. Not here: the answers to the spec's own questions (model.Decision,
parse), laying the section over a spec (overlay), reading and writing the file (phases.client).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from crm_pipelines.spec.model import FieldType, Node

Fork = Literal["field", "custom_field", "ignore"]
DateOrder = Literal["dmy", "mdy"]
DecimalLocale = Literal["us", "eu"]
LeaveOut = Literal["no_email", "role_account", "bounced", "stale"]
Side = Literal["ours", "theirs"]
Reason = Annotated[str, Field(min_length=8)]
"""Why a row stays behind, in the words of whoever decided it."""


class ColumnChoice(Node):
    """What becomes of a column that the spec does not map: a standard field, a custom field (made if missing), or nothing."""

    phase: str | None = Field(default=None, description="Phase whose records take it; not with `ignore`.")
    field: str | None = Field(default=None, description="Standard field of that phase.")
    custom_field: str | None = Field(default=None, description="Display name of a custom field; made if the destination has none.")
    type: FieldType | None = Field(default=None, description="Type of a custom field that is made; `text` when left out.")
    date_order: DateOrder | None = Field(
        default=None,
        description="What comes first in 05/06/2026, day (`dmy`) or month (`mdy`); when left out, what engagement.yaml declares "
        "for files of the export; a file that it does not name is read like those. While nothing says it, or they differ, what reads two "
        "ways waits.",
    )
    year_pivot: int | None = Field(
        default=None,
        ge=0,
        le=99,
        description="Year of two digits from which on they mean the last century (30: 1930, and 29 is 2029). While nothing says it, "
        "years of two digits wait.",
    )
    decimal_locale: DecimalLocale | None = Field(
        default=None,
        description="How numbers are written, 1,234.50 (`us`) or 1.234,50 (`eu`); when left out, what engagement.yaml declares for "
        "the files of the export. While neither says, what reads two ways waits.",
    )
    currency: str | None = Field(
        default=None,
        min_length=1,
        description="Currency that amounts may name, its code or a sign; an amount that names another one waits.",
    )
    ignore: str | None = Field(default=None, min_length=8, description="Why the column stays behind, in the client's words.")

    @property
    def fork(self) -> Fork:
        """Which of the three it is."""
        return "field" if self.field is not None else "custom_field" if self.custom_field is not None else "ignore"

    @property
    def reading(self) -> Mapping[str, str | int]:
        """What the rule that reads the column's text is told."""
        told = {"order": self.date_order, "pivot": self.year_pivot, "locale": self.decimal_locale, "currency": self.currency}
        return {name: value for name, value in told.items() if value is not None}

    @model_validator(mode="after")
    def _is_one_choice(self) -> ColumnChoice:
        given = [name for name in ("field", "custom_field", "ignore") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one of field, custom_field, ignore; found {' and '.join(given) or 'none'}")
        if (self.ignore is None) != (self.phase is not None):
            raise ValueError("a field needs the phase whose records take it; `ignore` takes none")
        if self.type is not None and self.custom_field is None:
            raise ValueError("type belongs to custom_field")
        if self.date_order is not None and not (self.field is not None or self.type in ("date", "datetime")):
            raise ValueError("date_order belongs to a field of dates, or to a custom_field of type date or datetime")
        if self.year_pivot is not None and not (self.field is not None or self.type in ("date", "datetime")):
            raise ValueError("year_pivot belongs to a field of dates, or to a custom_field of type date or datetime")
        if (self.decimal_locale or self.currency) and not (self.field is not None or self.type in ("number", "money")):
            raise ValueError("decimal_locale and currency belong to a field of numbers, or to a custom_field of type number or money")
        return self


class ConflictAnswer(Node):
    """Which side counts where a person changed a field in the destination that an export changes, too. `crm queue resolve` writes it."""

    take: Side = Field(description="`ours`: the export's value is written. `theirs`: what the destination has stays.")
    export: str = Field(description="Digest of what the export says: another value asks again.")
    there: str | None = Field(default=None, description="With `ours`: digest of what is written over, and of nothing else.")


class ClientMap(Node):
    """Everything one client decided about the map beside the spec's questions."""

    columns: Mapping[str, Mapping[str, ColumnChoice]] = Field(
        default_factory=dict, description="Object -> heading as exported -> what becomes of it."
    )
    values: Mapping[str, Mapping[str, str]] = Field(
        default_factory=dict, description="`object.column` -> word of the export -> the word it is read as, before anything is made of it."
    )
    owners: Mapping[str, str] = Field(
        default_factory=dict, description="Owner's e-mail in the export -> e-mail of the user who takes over."
    )
    tags: Mapping[str, Mapping[str, str | None]] = Field(
        default_factory=dict, description="`object.column` of a list -> tag -> the tag it becomes; null leaves it out."
    )
    same: Mapping[str, tuple[tuple[str, ...], ...]] = Field(
        default_factory=dict, description="Object -> groups of source keys that are one record; the first one survives."
    )
    different: Mapping[str, tuple[tuple[str, ...], ...]] = Field(
        default_factory=dict,
        description="Object -> groups of source keys that look alike and are not one record; they are not asked about again.",
    )
    leave_out: Mapping[str, tuple[LeaveOut, ...]] = Field(
        default_factory=dict,
        description="Object -> kinds of rows that do not move (`excluded`), nor what hangs on them; counted in the scope document.",
    )
    stale_before: Mapping[str, date] = Field(
        default_factory=dict,
        description="Object -> the day before which one has to have joined to be stale. A workbook writes it; without it the newest export "
        "decides, so that a later export asks for a new confirmation.",
    )

    conflicts: Mapping[str, Mapping[str, Mapping[str, ConflictAnswer]]] = Field(
        default_factory=dict,
        description="Phase -> source key -> field (custom ones as `custom.<name>`) -> whose value counts; `crm queue resolve` writes it.",
    )
    left_behind: Mapping[str, Mapping[str, Reason]] = Field(
        default_factory=dict, description="Object -> source key -> why that row does not move (`excluded`), nor what hangs on it."
    )
    left_lines: Mapping[str, Mapping[str, Mapping[str, Reason]]] = Field(
        default_factory=dict,
        description="Object -> chunk -> number of a row without a source key -> why it stays behind. `crm queue resolve` writes it.",
    )

    @property
    def is_empty(self) -> bool:
        """Whether the client decided nothing beside the questions."""
        return self == ClientMap()
