"""The options of the columns' drop-down, and what each stands for.

Belongs here: the labels of targets. Not here: the rows they stand in (workbook_rows).
"""

from __future__ import annotations

from crm_pipelines.discovery.proposal import Candidate, Proposal, Target
from crm_pipelines.reports.workbook_layout import BEHIND
from crm_pipelines.reports.workbook_material import Material, Pick
from crm_pipelines.spec.client_map import ColumnChoice
from crm_pipelines.spec.contract import COLUMN_VALUES, CUSTOM_DEFAULT, ValueType
from crm_pipelines.spec.derived import frame_of
from crm_pipelines.spec.overlay import CUSTOM_RULES

_TYPES = {
    "long_text": "long_text",
    "number": "number",
    "money": "money",
    "date": "date",
    "datetime": "datetime",
    "boolean": "boolean",
    "enum": "enum",
    "set": "set",
}
"""What a column reads as -> the type of a field made for it; text for everything else."""
_NEW = {
    "": "New text field",
    "long_text": "New long text field",
    "number": "New number field",
    "money": "New money field",
    "date": "New date field",
    "datetime": "New date and time field",
    "boolean": "New yes/no field",
    "enum": "New pick-list field",
    "set": "New multiple-choice field",
}
"""Type of a custom field -> what a client reads; text where the client map does not say a type."""


class Picks:
    """Labels of drop-downs, each standing for one target."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self.by_label: dict[str, Pick] = {BEHIND: Pick()}

    def options(self, proposal: Proposal) -> tuple[str, ...]:
        """Return what may be chosen for a column: its candidates, a new field, nothing."""
        phases = self._phases(proposal.object)
        targets = [each.target for each in proposal.candidates if each.target.kind in ("field", "custom_field")]
        new = [label for phase in phases for label in self._new(phase, proposal)]
        return tuple(dict.fromkeys([*(self.label(target) for target in targets if target.phase in phases), *new, BEHIND]))

    def label(self, target: Target) -> str:
        """Return the label of a place of the destination."""
        if target.kind == "none":
            return BEHIND
        if target.kind == "field":
            return self._add(f"{target.label or target.name} [{target.phase}]", Pick(phase=target.phase, field=target.name))
        words = f"{target.name} [custom field of {target.phase}]"
        return self._add(words, Pick(phase=target.phase, custom_field=target.name))

    def proposed(self, proposal: Proposal, candidate: Candidate) -> str:
        """Return the label of a candidate; a new field goes to the first phase that takes the column's records."""
        if candidate.target.kind != "new":
            return self.label(candidate.target)
        labels = (label for phase in self._phases(proposal.object) for label in self._new(phase, proposal))
        return next(labels, "New field")

    def chosen(self, choice: ColumnChoice) -> tuple[str, str, str]:
        """Return label, name of a new field and reason of what was decided before."""
        if choice.ignore is not None:
            return BEHIND, "", choice.ignore
        phase = str(choice.phase)
        if choice.field is not None:
            known = next((label for label, pick in self.by_label.items() if (pick.phase, pick.field) == (phase, choice.field)), "")
            return known or self._add(f"{choice.field} [{phase}]", Pick(phase=phase, field=choice.field)), "", ""
        known = next((label for label, pick in self.by_label.items() if pick == Pick(phase=phase, custom_field=choice.custom_field)), "")
        if known and choice.type is None:
            return known, "", ""
        return self._field(phase, choice.type), str(choice.custom_field), ""

    def _new(self, phase: str, proposal: Proposal) -> list[str]:
        """Return the new fields that fit: of the type that the column reads as, and of text; else of its own type."""
        if not self._material.destination.phases[phase].custom_fields:
            return []
        kind = self._kind(proposal)
        fitting = [each for each in (_TYPES.get(proposal.inferred), None) if self._fits(each, kind)]
        return [self._field(phase, each) for each in fitting or [CUSTOM_DEFAULT[kind]]]

    def _fits(self, type_: str | None, kind: ValueType) -> bool:
        known = type_ is None or type_ in self._material.destination.custom_types
        return known and kind in CUSTOM_RULES[type_ or "text"]

    def _kind(self, proposal: Proposal) -> ValueType:
        contract = self._material.source.objects.get(proposal.object)
        column = self._material.source.staged_column(proposal.object, proposal.heading) if contract else ""
        return COLUMN_VALUES[contract.columns.get(column, "text")] if contract else "text"

    def _phases(self, name: str) -> list[str]:
        """Return the phases whose records carry an export's columns (spec.overlay holds a choice against the same)."""
        frame, known = frame_of(self._material.spec.derive, name), self._material.destination.phases
        return [each for each, phase in self._material.spec.phases.items() if frame is not None and phase.from_ == frame and each in known]

    def _field(self, phase: str, type_: str | None) -> str:
        words = _NEW.get(type_ or "", f"New field of type {type_}")
        return self._add(f"{words} [{phase}]", Pick(phase=phase, is_new=True, type=type_))

    def _add(self, label: str, pick: Pick) -> str:
        number, wanted = 1, label
        while self.by_label.setdefault(wanted, pick) != pick:
            number += 1
            wanted = f"{label} ({number})"
        return wanted
