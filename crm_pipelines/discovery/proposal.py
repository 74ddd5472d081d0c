"""What `propose` offers for a column, as frozen values.

Belongs here: targets, candidates, proposals. Not here: finding them (propose), the client's choice (spec.client_map), how they look
(reports).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from crm_pipelines.spec.client_map import DateOrder, DecimalLocale

DayOrder = Literal["day first", "month first", "either way", ""]
State = Literal["pre-ticked", "choose", "unmapped"]
"""Ticked because such proposals are right 19 times of 20; a choice of three; nothing comes near."""


@dataclass(frozen=True)
class Target:
    """A place of the destination that a column may go to."""

    phase: str
    """Empty for the two that are no place."""
    name: str
    """Standard field, or display name of a custom field; `no target` and `new custom field` for the two that are no place."""
    kind: Literal["field", "custom_field", "new", "none"]
    type: str
    """What it takes, as the destination calls its types in the mapping language (text, number, date, enum, ...)."""
    concept: str = ""
    """Row of targets.csv that says what it means (`person.mobile`); empty when none does."""
    label: str = ""
    """What a client reads."""
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """One way to map a column."""

    target: Target
    confidence: float
    """Calibrated: of candidates with 0.9, nine of ten are right on headings that were not used for tuning."""
    evidence: tuple[str, ...]
    """Sentences a client can check: what the name is like, how many values agree."""


@dataclass(frozen=True)
class Reading:
    """One way to read a column of text as a type, by the rule that a field of this type would be given."""

    type: str
    """Type of a field: number, money, date, datetime, boolean."""
    filled: int
    waiting: int
    """Filled cells that the rule does not read: their rows would wait."""
    date_order: DateOrder | None = None
    decimal_locale: DecimalLocale | None = None
    currency: str | None = None
    has_short_years: bool = False
    """Whether some wait only because their years have two digits."""

    @property
    def share(self) -> float:
        """Share of filled cells that are read."""
        return 1 - self.waiting / self.filled


@dataclass(frozen=True)
class Proposal:
    """Everything proposed for one column, best first; one-to-one within its file as far as `candidates[0]` goes."""

    object: str
    heading: str
    column: str
    filled: int
    inferred: str
    candidates: tuple[Candidate, ...]
    state: State
    day_order: DayOrder = ""
    """How its dates are written, where they are of numbers only."""
    readings: tuple[Reading, ...] = ()
    """What the loader reads its cells as; empty for columns that the source types."""

    def ways(self, type_: str) -> tuple[Reading, ...]:
        """Return the ways to read it as a type of field, as far as the cells were looked at."""
        return tuple(each for each in self.readings if each.type == type_)

    @property
    def best(self) -> Candidate:
        """The first candidate; `no target` when nothing comes near."""
        return self.candidates[0]


@dataclass(frozen=True)
class EmptyField:
    """A field of the destination that nothing fills, and the columns that could."""

    target: Target
    candidates: tuple[tuple[str, str, float], ...]
    """(object, heading, confidence), best first; mapped columns among them."""


@dataclass(frozen=True)
class WordProposal:
    """A word of the exports that the map has no answer for, and what it may mean."""

    object: str
    column: str
    role: Literal["status", "stage", "kind", "option", "tag", "owner"]
    word: str
    rows: int
    candidates: tuple[tuple[str, float], ...]
    """(word of the map or destination, confidence), best first."""


@dataclass(frozen=True)
class ProposedMap:
    """Everything that `crm propose` proposes."""

    engagement: str
    route: str
    columns: tuple[Proposal, ...]
    empty_fields: tuple[EmptyField, ...]
    words: tuple[WordProposal, ...]
    threshold: float
    """Confidence from which a proposal is pre-ticked."""
    duplicates: tuple[Mapping[str, object], ...] = field(default=())
    """Likely twins: object, keys, score, why (`duplicates.Pair.as_dict`)."""
