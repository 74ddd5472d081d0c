"""What the workbook is made of, and what it has to remember to be read back.

Belongs here: values. Not here: sheets of them (workbook_rows), their files (workbook).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from crm_pipelines.discovery.proposal import ProposedMap
from crm_pipelines.discovery.tags import tag_columns
from crm_pipelines.discovery.values import (
    CleanCount,
    ColumnProfile,
    CustomFieldFinding,
    Discovery,
    HistoryGap,
    OwnerFinding,
    TagFinding,
    VocabularyFinding,
)
from crm_pipelines.phases.contracts import destination_contract, source_contract
from crm_pipelines.phases.project import Project
from crm_pipelines.reports.sheets import Cell, Row, Sheet
from crm_pipelines.reports.workbook_layout import MADE, MADE_COLUMNS, VERSION
from crm_pipelines.spec.client_map import ClientMap, ColumnChoice, DateOrder, DecimalLocale
from crm_pipelines.spec.contract import DestinationContract, SourceContract
from crm_pipelines.spec.model import MappingSpec

READING = ("date_order", "year_pivot", "decimal_locale", "currency")
"""What a choice may say of how text is read."""
_CHUNK = 12_000
"""Characters of JSON per cell: half a cell, since an underscore may be written as seven characters."""


@dataclass(frozen=True)
class Material:
    """Everything that the workbook shows."""

    proposed: ProposedMap
    spec: MappingSpec
    source: SourceContract
    destination: DestinationContract
    answers: Mapping[str, str] = field(default_factory=dict)
    client: ClientMap = field(default_factory=ClientMap)
    users: Sequence[str] = ()
    """E-mail addresses of the destination's users."""
    columns: Sequence[ColumnProfile] = ()
    owners: Sequence[OwnerFinding] = ()
    tags: Sequence[TagFinding] = ()
    tag_column: str = ""
    """`object.column` whose tags the findings are."""
    date_orders: Mapping[str, DateOrder] = field(default_factory=dict)
    """Object -> order of day and month that the engagement declares for its files."""
    vocabularies: Sequence[VocabularyFinding] = ()
    custom_fields: Sequence[CustomFieldFinding] = ()
    clean: Sequence[CleanCount] = ()
    gaps: Sequence[Mapping[str, str]] = ()
    history: Sequence[HistoryGap] = ()

    @staticmethod
    def of(proposed: ProposedMap, found: Discovery, project: Project) -> Material:
        """Return what an engagement's workbook shows."""
        contacts = project.route_spec.derive.contacts
        columns = tag_columns(contacts)
        names = ("columns", "owners", "tags", "vocabularies", "custom_fields", "clean", "gaps", "history")
        return Material(
            proposed=proposed,
            spec=project.route_spec,
            source=source_contract(project.source),
            destination=destination_contract(project.engagement.destination),
            answers=project.answered,
            client=project.client_map,
            date_orders=project.date_orders(),
            users=tuple(found.inspection.get("schema", {}).get("users", ())),
            tag_column=f"{contacts.from_}.{columns[0]}" if columns else "",
            **{name: getattr(found, name) for name in names},
        )


class Pick(BaseModel):
    """What an option of the columns' drop-down stands for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phase: str = ""
    field: str | None = None
    custom_field: str | None = None
    date_order: DateOrder | None = None
    year_pivot: int | None = None
    decimal_locale: DecimalLocale | None = None
    currency: str | None = None
    is_new: bool = False
    type: Any = None

    def choice(self, name: str, reason: str) -> ColumnChoice:
        """Return the choice it makes of a column; `name` is that of a new field."""
        if not self.phase:
            return ColumnChoice(ignore=reason)
        if self.field is not None:
            return ColumnChoice(phase=self.phase, field=self.field, **self.reading)
        name = name if self.is_new else str(self.custom_field)
        return ColumnChoice(phase=self.phase, custom_field=name, type=self.type, **self.reading)

    @property
    def reading(self) -> dict[str, Any]:
        """How text is read, as a choice says it."""
        return self.model_dump(include=set(READING), exclude_none=True)


class Made(BaseModel):
    """What a workbook remembers: for whom it was made, what had been decided then, which rows it has and what may stand in them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    id: str = ""
    """Which workbook it is, whatever its file is called."""
    engagement: str
    route: str
    answers: dict[str, str]
    client: ClientMap
    picks: dict[str, Pick]
    users: tuple[str, ...]
    words: dict[str, tuple[str, ...]]
    """`object.column` -> words that it may be read as."""
    rows: dict[str, list[tuple[str, ...]]]
    """Sheet -> what its rows are known by."""
    ticked: dict[str, list[tuple[str, ...]]]
    """Sheet -> rows with a proposal that was ticked: what they are known by, and every cell that may be changed."""

    def as_sheet(self) -> Sheet:
        """Return it as a hidden sheet: one JSON text in pieces."""
        text = json.dumps(self.model_dump(mode="json"), ensure_ascii=True)
        pieces = [text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK)]
        rows: list[Mapping[str, str | int | float | bool | Cell | None]]
        rows = [{"key": "made", "part": number, "text": piece} for number, piece in enumerate(pieces)]
        return Sheet(MADE, MADE_COLUMNS, rows, is_hidden=True)

    @classmethod
    def of_rows(cls, rows: Sequence[Row]) -> Made:
        """Read it back. Raises: ValueError when somebody changed it, or it is of another version of the product."""
        ordered = sorted(rows, key=lambda row: int(row.text("part") or 0))
        made = cls.model_validate(json.loads("".join(row.text("text") for row in ordered)))
        if made.version != VERSION:
            raise ValueError("made by another version")
        return made
