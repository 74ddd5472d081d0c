"""Columns of words: which columns a spec reads as words, what for, and the words it has an answer for.

Belongs here: finding them by what the spec does with a column. Not here: the words that exports hold (discovery.vocabularies), tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from crm_pipelines.spec.contract import ObjectContract
from crm_pipelines.spec.derived import Frame, resolved_frames
from crm_pipelines.spec.folding import folded_word
from crm_pipelines.spec.model import FieldMap, MappingSpec, Phase

Role = Literal["status", "stage", "kind", "list", "consent"]
ANY = "*"
"""In an order of strictness: every other word. Exports may hold one; a client's answer becomes a word that is listed."""


@dataclass
class WordColumn:
    """One column of words: its role, and the words the map has an answer for (None: every word has one)."""

    role: Role
    known: dict[str, str] | None = field(default=None)
    """Folded -> as the spec writes it."""

    def answers(self, words: Iterable[str]) -> None:
        """Add words the map has an answer for."""
        self.known = dict(self.known or {})
        for word in sorted(set(words) - {ANY}):
            self.known.setdefault(folded_word(word), word)


def word_columns(spec: MappingSpec, objects: Mapping[str, ObjectContract]) -> dict[tuple[str, str], WordColumn]:
    """Return (object, column) -> what is known of every column of words."""
    found = dict[tuple[str, str], WordColumn]()
    for place, role, known in (*_derived(spec), *_mapped(spec, objects)):
        column = found.setdefault(place, WordColumn(role))
        if known is not None:
            column.answers(known)
    return found


Words = Iterator[tuple[tuple[str, str], Role, set[str] | None]]


def _derived(spec: MappingSpec) -> Words:
    """Yield the columns of words that the fold reads."""
    derive, contacts = spec.derive, spec.derive.contacts
    for name, strictest in contacts.twins.strictest.items():
        listed = [word for each in strictest.order for word in ([each] if isinstance(each, str) else each)]
        known = {*listed, *strictest.words}
        yield (contacts.from_, name), "consent" if strictest.together else "status", known
    inventoried = {name for name, spelling in contacts.spellings.items() if spelling.inventory}
    for name in contacts.spellings:
        if inventoried and name not in inventoried:  # the others hold tags
            yield (contacts.from_, name), "list", None
    if bought := derive.purchases:
        yield (bought.payments, bought.columns.kind), "kind", set(bought.kinds)
        said = bought.statuses
        known = {*said.open, *said.lost, *said.won, said.cancellation_requested}
        yield (bought.subscriptions, bought.subscription_columns.status), "status", known
    if derive.bookings:
        yield (derive.bookings.from_, derive.bookings.status), "status", None


def _mapped(spec: MappingSpec, objects: Mapping[str, ObjectContract]) -> Words:
    """Yield the columns of words that phases read: rules with a vocabulary, cases on a status, stages of a pipeline."""
    resolved = resolved_frames(spec.derive, objects)
    for phase in spec.phases.values():
        frame = resolved.get(phase.from_, {})
        for node in (*phase.columns.values(), *phase.fields.values(), *phase.custom_fields.values()):
            words = node.with_.get("words")
            if isinstance(words, str) and words in spec.words:
                for place in _origins(frame, node.from_[0]):
                    yield place, "status", _spelled(spec.words[words])
        yield from _status_cases(phase, frame)
        yield from _stages(phase, frame)


def _spelled(vocabulary: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return the words of a vocabulary and the forms they come in; a form that only case sets apart is the word."""
    words = {folded_word(word) for word in vocabulary}
    return {*vocabulary, *(form for forms in vocabulary.values() for form in forms if folded_word(form) not in words)}


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
