"""What becomes of each column as the map stands: mapped, a custom field, left behind for a reason, or waiting for somebody.

Belongs here: reading the map per column. Not here: what a column holds (profile), what it could become (propose).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from crm_pipelines.phases.project import Project
from crm_pipelines.spec.derived import consumed
from crm_pipelines.spec.headings import column_name

State = Literal["mapped", "custom field", "ignored", "waiting"]

FOLDED = "Used to find and join records."
OTHERWISE = "Not needed with the answers given."
UNKNOWN = "The map does not know this column; nobody has said what becomes of it."


@dataclass(frozen=True)
class Home:
    """What becomes of one column."""

    state: State
    why: str


class Homes:
    """The map of one client, asked column by column."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._fields = _fields_by_column(project)
        self._used = consumed(project.spec.derive)
        self._described = described_columns(project)

    def of(self, name: str, column: str, canonical: str | None) -> Home:
        """Return what becomes of a column of an object; `canonical` is the contract's name for it, None where it has none."""
        if fields := self._fields.get((name, column)):
            state: State = "custom field" if canonical is None and column in self._described else "mapped"
            return Home(state, "; ".join(fields))
        if reason := self._project.spec.ignore.get(name, {}).get(column):
            return Home("ignored", reason)
        if name in self._project.spec.schema_exports:
            return Home("mapped", f"Read for the {self._project.spec.schema_exports[name]}.")
        if (name, column) in self._used:
            return Home("mapped", FOLDED)
        return Home("waiting", UNKNOWN) if canonical is None else Home("ignored", OTHERWISE)


def described_columns(project: Project) -> dict[str, Mapping[str, object]]:
    """Return staged column -> row of the source's own list of custom fields."""
    names = [phase.custom_fields_from.name_column for phase in project.spec.phases.values() if phase.custom_fields_from]
    rows = project.field_list() if names else []
    return {column_name(str(row[names[0]])): row for row in rows if row.get(names[0])}


def _fields_by_column(project: Project) -> dict[tuple[str, str], list[str]]:
    """Return (object, column) -> `phase: field` of everything it fills."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    objects = {"contacts": project.spec.derive.contacts.from_}
    for phase, compiled in project.compiled.phases.items():
        for field, pairs in compiled.lineage.items():
            for owner, column in pairs:
                found[objects.get(owner, owner), column].append(f"{phase}: {field}")
    return found
