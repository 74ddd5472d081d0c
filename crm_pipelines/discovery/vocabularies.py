"""The words in use in status, stage, type and list columns, and those the map has no answer for.

Belongs here: which columns hold words, by what the spec does with them, and counting. Not here: choosing an answer (propose, the client's
map), tags (tags), choices of custom fields (custom_fields).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from crm_pipelines.discovery import frames
from crm_pipelines.discovery.tags import tag_columns
from crm_pipelines.discovery.values import VocabularyFinding
from crm_pipelines.phases.contracts import source_contract
from crm_pipelines.phases.project import Project
from crm_pipelines.spec.derived import Frame, resolved_frames
from crm_pipelines.spec.model import FieldMap, MappingSpec, Phase
from crm_pipelines.spec.rules_choice import forms

Role = Literal["status", "stage", "kind", "list", "consent"]
WORDS_MAX = 200
"""Words of one column that are told; what holds more is no vocabulary."""


@dataclass
class _Column:
    """One column of words: its role, and the words the map has an answer for (None: every word has one)."""

    role: Role
    known: set[str] | None = field(default=None)

    def answers(self, words: set[str]) -> None:
        """Add words the map has an answer for."""
        self.known = (self.known or set()) | {_folded(word) for word in words}


def vocabularies(project: Project) -> tuple[VocabularyFinding, ...]:
    """Count the words of every column that the map reads as words, in the spec's order."""
    found = []
    for (name, column), told in _columns(project).items():
        words = _counted(frames.column_values(project, name, column)) if name in project.objects else {}
        if words:
            found.append(VocabularyFinding(name, column, told.role, words, _unknown(project, name, column, words, told.known)))
    return tuple(found)


def known_words(project: Project) -> dict[tuple[str, str], frozenset[str]]:
    """Return the words that the map has an answer for, per column of words, as far as it lists them; folded, `otherwise` left out."""
    return {place: frozenset(told.known or ()) for place, told in _columns(project).items()}


def _unknown(project: Project, name: str, column: str, words: Mapping[str, int], known: set[str] | None) -> tuple[str, ...]:
    if known is None:
        return ()
    answered = {_folded(word) for word in project.client_map.values.get(f"{name}.{column}", {})}
    return tuple(word for word in words if _folded(word) not in known | answered)


def _folded(word: str) -> str:
    return " ".join(word.split()).casefold()


def _counted(cells: pl.Series) -> dict[str, int]:
    """Return word -> rows, most frequent first; spellings that differ by case are told apart, as they stand in the file."""
    pieces = cells.list.unique().explode(empty_as_null=False) if isinstance(cells.dtype, pl.List) else cells.cast(pl.String)
    text = pieces.drop_nulls().str.strip_chars().alias("word")
    counts = text.filter(text != "").value_counts().sort("count", "word", descending=[True, False])
    return dict(counts.head(WORDS_MAX).iter_rows())


def _columns(project: Project) -> dict[tuple[str, str], _Column]:
    """Return (object, column) of every column of words."""
    spec, found = project.spec, dict[tuple[str, str], _Column]()
    for place, role, known in (*_derived(spec), *_mapped(project)):
        column = found.setdefault(place, _Column(role))
        if known is not None:
            column.answers(known)
    return found


Words = Iterator[tuple[tuple[str, str], Role, set[str] | None]]


def _derived(spec: MappingSpec) -> Words:
    """Yield the columns of words that the fold reads."""
    derive, contacts = spec.derive, spec.derive.contacts
    for name, strictest in contacts.twins.strictest.items():
        listed = [word for each in strictest.order for word in ([each] if isinstance(each, str) else each)]
        known = {*listed, *strictest.words} - {"*"}
        yield (contacts.from_, name), "consent" if strictest.together else "status", known
    for name in contacts.spellings:
        if name not in tag_columns(contacts):
            yield (contacts.from_, name), "list", None
    if bought := derive.purchases:
        yield (bought.payments, bought.columns.kind), "kind", set(bought.kinds)
        said = bought.statuses
        known = {*said.open, *said.lost, *said.won, said.cancellation_requested}
        yield (bought.subscriptions, bought.subscription_columns.status), "status", known
    if derive.bookings:
        yield (derive.bookings.from_, derive.bookings.status), "status", None


def _mapped(project: Project) -> Words:
    """Yield the columns of words that phases read: rules with a vocabulary, cases on a status, stages of a pipeline."""
    spec = project.spec
    resolved = resolved_frames(spec.derive, source_contract(project.source).objects)
    for phase in spec.phases.values():
        frame = resolved.get(phase.from_, {})
        for node in (*phase.columns.values(), *phase.fields.values(), *phase.custom_fields.values()):
            words = node.with_.get("words")
            if isinstance(words, str) and words in spec.words:
                for place in _origins(frame, node.from_[0]):
                    yield place, "status", set(forms(spec.words[words]))
        yield from _status_cases(phase, frame)
        yield from _stages(phase, frame)


def _status_cases(phase: Phase, frame: Frame) -> Words:
    """Yield the status column of a phase with money that comes straight from an export; `otherwise` answers for every word."""
    node = phase.fields.get(phase.money.status) if phase.money else None
    if node is None:
        return
    for column in {column for case in node.cases for column in case.when}:
        if len(places := _origins(frame, column)) == 1:
            yield places[0], "status", None if node.otherwise is not None else _tested(node, column)


def _tested(node: FieldMap, column: str) -> set[str]:
    """Return the words of a column that cases ask for."""
    asked = [case.when.get(column) for case in node.cases]
    return {word for each in asked for word in (each if isinstance(each, list | tuple) else [each]) if isinstance(word, str)}


def _stages(phase: Phase, frame: Frame) -> Words:
    for pipeline in phase.pipelines:
        node = phase.fields.get(pipeline.stage)
        while node is not None and not node.from_:
            node = node.if_empty
        for place in _origins(frame, node.from_[0]) if node else ():
            yield place, "stage", None if pipeline.open else set(pipeline.stages)


def _origins(frame: Frame, column: str) -> tuple[tuple[str, str], ...]:
    return frame[column].origin if column in frame else ()
