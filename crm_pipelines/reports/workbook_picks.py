"""The options of the columns' drop-down, and what each stands for.

Belongs here: the labels of targets. Not here: the rows they stand in (workbook_rows).
"""

from __future__ import annotations

from collections.abc import Iterable

from crm_pipelines.discovery.proposal import Candidate, Proposal, Target
from crm_pipelines.reports.workbook_layout import BEHIND
from crm_pipelines.reports.workbook_material import Material, Pick
from crm_pipelines.spec.client_map import ColumnChoice
from crm_pipelines.spec.model import MappingSpec

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


class Picks:
    """Labels of drop-downs, each standing for one target."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self.by_label: dict[str, Pick] = {BEHIND: Pick()}

    def options(self, proposal: Proposal) -> tuple[str, ...]:
        """Return what may be chosen for a column: its candidates, a new field, nothing."""
        targets = [each.target for each in proposal.candidates if each.target.kind in ("field", "custom_field")]
        phases = _phases(self._material.spec, proposal.object) or [target.phase for target in targets]
        new = [self._new(phase, proposal.inferred) for phase in dict.fromkeys(phases) if self._takes_custom(phase)]
        return tuple(dict.fromkeys([*map(self.label, targets), *(label for labels in new for label in labels), BEHIND]))

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
        phases = [candidate.target.phase] if candidate.target.phase else _phases(self._material.spec, proposal.object)
        return next((self._new(phase, proposal.inferred)[0] for phase in phases if self._takes_custom(phase)), "New custom field")

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

    def _new(self, phase: str, inferred: str) -> tuple[str, ...]:
        """Return the new fields that fit: of the type that the column reads as, and of text."""
        fitting = _TYPES.get(inferred)
        types = [fitting] if fitting in self._material.destination.custom_types else []
        return tuple(self._field(phase, each) for each in [*types, None])

    def _field(self, phase: str, type_: str | None) -> str:
        words = f"New {(type_ or '').replace('_', ' ')} field".replace("  ", " ") if type_ else "New field"
        return self._add(f"{words} [{phase}]", Pick(phase=phase, is_new=True, type=type_))

    def _takes_custom(self, phase: str) -> bool:
        contract = self._material.destination.phases.get(phase)
        return contract is not None and contract.custom_fields

    def _add(self, label: str, pick: Pick) -> str:
        number, wanted = 1, label
        while self.by_label.setdefault(wanted, pick) != pick:
            number += 1
            wanted = f"{label} ({number})"
        return wanted


def _phases(spec: MappingSpec, name: str) -> list[str]:
    """Return the phases that receive an object's records, its home first."""
    homes = [phase for phase, node in spec.phases.items() if name in node.home_of]
    read: Iterable[str] = (phase for phase, node in spec.phases.items() if node.from_ == name or name in node.home_if)
    return list(dict.fromkeys([*homes, *read]))
