"""The options of the columns' drop-down, and what each stands for.

Belongs here: the labels of targets. Not here: the rows they stand in (workbook_rows).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_pipelines.discovery.proposal import Candidate, Proposal, Target
from crm_pipelines.discovery.readings import OFFERED_SHARE, ORDERS
from crm_pipelines.reports.workbook_layout import BEHIND
from crm_pipelines.reports.workbook_material import READING, Material, Pick
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
    "money": "New amount field",
    "date": "New date field",
    "datetime": "New date and time field",
    "boolean": "New yes/no field",
    "enum": "New choice list",
    "set": "New list of several choices",
}
"""Type of a custom field -> what a client reads; text where the client map does not say a type."""


_WAYS: Mapping[str, str] = {
    "dmy": " (day first: 31/12)",
    "mdy": " (month first: 12/31)",
    "us": " (decimal point: 1,234.50)",
    "eu": " (decimal comma: 1.234,50)",
}
"""How text is read -> what a client reads behind a place."""
_READ_AS: Mapping[str, str] = {"number": "money"}
"""What a standard field takes -> type of which its text is read: a number may be an amount that names its currency."""
_Place = tuple[str, Pick]
_Way = Mapping[str, str]
"""What a choice says of how text is read."""
WORTH_TELLING = 0.01
"""Confidence from which a candidate is shown; less reads as 0 %."""


class Picks:
    """Labels of drop-downs, each standing for one target."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self.by_label: dict[str, Pick] = {BEHIND: Pick()}

    def options(self, proposal: Proposal) -> tuple[str, ...]:
        """Return what may be chosen for a column: its candidates, a new field, nothing."""
        phases = self._phases(proposal.object)
        worth = [each for each in proposal.candidates if each is proposal.best or each.confidence >= WORTH_TELLING]
        targets = [each.target for each in worth if each.target.kind in ("field", "custom_field")]
        known = [place for target in targets if target.phase in phases for place in self._known(target, proposal)]
        new = [place for phase in phases for place in self._new(phase, proposal)]
        return tuple(dict.fromkeys([*(self._add(*place) for place in (*known, *new)), BEHIND]))

    def proposed(self, proposal: Proposal, candidate: Candidate) -> str:
        """Return what a candidate is called; a new field goes to the first phase that takes the column's records.

        It is no option of the drop-down where the client has to say first which of day and month comes first.
        """
        if candidate.target.kind == "none":
            return BEHIND
        if candidate.target.kind == "new":
            places = [place for phase in self._phases(proposal.object) for place in self._new(phase, proposal)]
        else:
            places = self._known(candidate.target, proposal)
        if not places:
            return "New field"
        words, pick = places[0]
        is_asked = sum(_untold(each) == _untold(pick) for _, each in places) > 1
        return _without_way(words, pick) if is_asked else self._add(words, pick)

    def chosen(self, choice: ColumnChoice) -> tuple[str, str, str]:
        """Return label, name of a new field and reason of what was decided before."""
        if choice.ignore is not None:
            return BEHIND, "", choice.ignore
        phase, way = str(choice.phase), {name: getattr(choice, name) for name in READING}
        if choice.field is not None:
            place = _told(f"{choice.field} [{phase}]", Pick(phase=phase, field=choice.field), way)
            return self._label(place[1]) or self._add(*place), "", ""
        known = self._label(Pick(phase=phase, custom_field=choice.custom_field, type=choice.type, **way))
        return (known, "", "") if known else (self._add(*_field(phase, choice.type, way)), str(choice.custom_field), "")

    def _label(self, pick: Pick) -> str:
        return next((label for label, each in self.by_label.items() if each == pick), "")

    def _known(self, target: Target, proposal: Proposal) -> list[_Place]:
        """Return a place of the destination, once for every way in which the column's text may be read."""
        phase = self._material.destination.phases.get(target.phase)
        if target.kind == "field":
            takes = phase.fields[target.name].takes if phase and target.name in phase.fields else ""
            words, pick = f"{target.label or target.name} [{target.phase}]", Pick(phase=target.phase, field=target.name)
            return [_told(words, pick, way) for way in self._ways(proposal, _READ_AS.get(takes, takes))]
        words, type_ = f"{target.name} [custom field of {target.phase}]", self._type_of(target, proposal)
        pick = Pick(phase=target.phase, custom_field=target.name, type=type_)
        return [_told(words, pick, way) for way in self._ways(proposal, type_ or "")]

    def _type_of(self, target: Target, proposal: Proposal) -> str | None:
        """Return the type that an existing field has in the mapping language; None for text and what is written as text."""
        type_ = target.type if target.type in CUSTOM_RULES and target.type != "text" else None
        return type_ if self._fits(type_, self._kind(proposal)) else None

    def _new(self, phase: str, proposal: Proposal) -> list[_Place]:
        """Return the new fields that fit: of the type that the column reads as, as far as the loader reads it, and of text; else of its
        own type."""
        if not self._material.destination.phases[phase].custom_fields:
            return []
        kind = self._kind(proposal)
        wanted = [each for each in (_TYPES.get(proposal.inferred), None) if each is None or _is_read(proposal, each)]
        fitting = [each for each in wanted if self._fits(each, kind)] or [CUSTOM_DEFAULT[kind]]
        return [_field(phase, each, way) for each in fitting for way in self._ways(proposal, each or "")]

    def _ways(self, proposal: Proposal, type_: str) -> list[_Way]:
        """Return how the text of a column may be read as a type; a way that says nothing where nothing is to be said."""
        if self._kind(proposal) != "text":
            return [{}]
        if found := proposal.ways(type_):
            return [{name: value for name in READING if (value := getattr(each, name, None))} for each in found]
        is_declared = proposal.object in self._material.date_orders
        orders = () if type_ not in ("date", "datetime") or is_declared else ORDERS.get(proposal.day_order, ())
        return [{"date_order": order} for order in orders if order] or [{}]

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

    def _add(self, label: str, pick: Pick) -> str:
        number, wanted = 1, label
        while self.by_label.setdefault(wanted, pick) != pick:
            number += 1
            wanted = f"{label} ({number})"
        return wanted


def _is_read(proposal: Proposal, type_: str) -> bool:
    """Tell whether the loader reads enough of a column as a type to offer a field of it."""
    ways = proposal.ways(type_)
    return not ways or max(each.share for each in ways) >= OFFERED_SHARE


def _field(phase: str, type_: str | None, way: Mapping[str, Any]) -> _Place:
    words = _NEW.get(type_ or "", f"New field of type {type_}")
    return _told(f"{words} [{phase}]", Pick(phase=phase, is_new=True, type=type_), way)


def _told(words: str, pick: Pick, way: Mapping[str, Any]) -> _Place:
    pick = pick.model_copy(update=dict(way))
    currency = f", amounts in {pick.currency}" if pick.currency else ""
    century = f" (19{pick.year_pivot:02} to 20{pick.year_pivot - 1:02})" if pick.year_pivot else ""
    return words + currency + _way(pick) + century, pick


def _way(pick: Pick) -> str:
    return _WAYS.get(str(pick.date_order), "") + _WAYS.get(str(pick.decimal_locale), "")


def _without_way(words: str, pick: Pick) -> str:
    return words.removesuffix(_way(pick))


def _untold(pick: Pick) -> Pick:
    return pick.model_copy(update=dict.fromkeys(READING))
