"""What discovery finds, as frozen values: the contract between profiling, inspection, proposals and the documents made of them.

Belongs here: values without behaviour. Not here: finding them (profile, tags, owners, propose), how they look (reports).
No value of a field stands here unmasked; counts, headings, words of vocabularies (statuses, stages, tags, lists) and owners' addresses do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

InferredType = Literal[
    "empty", "text", "long_text", "number", "money", "date", "datetime", "boolean", "enum", "set", "email", "phone", "url", "country", "id"
]
Level = Literal["good", "note", "warning", "blocker"]
Grade = Literal["A", "B", "C", "D"]
"""A as it stands, B some decisions, C work by an engineer, D needs a talk first."""


@dataclass(frozen=True)
class ChecklistItem:
    """One export that the route can use, and whether it is there."""

    object: str
    is_required: bool
    is_there: bool
    files: tuple[str, ...]
    expected_names: tuple[str, ...]
    """File names under which it is recognised, as `contacts*.csv`."""
    how: str
    """Where in the source's screens the client exports it."""
    without_it: str
    """What the client loses when it does not come; empty for required ones."""


@dataclass(frozen=True)
class FileProfile:
    """One registered export file."""

    chunk: str
    object: str
    file_name: str
    sha256: str
    size_bytes: int
    exported_at: datetime | None
    """UTC; None where neither name nor settings tell."""
    physical_rows: int
    good_rows: int
    blank_rows: int
    bad_rows: int
    encoding: str
    delimiter: str
    first_date: date | None
    last_date: date | None
    """Range of the object's own time column (joined, paid, booked)."""
    keys: int
    keys_in_other_files: int
    """Keys that another file of the object holds too: the overlap."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ColumnProfile:
    """One heading of an object over all its files."""

    object: str
    heading: str
    """As exported, or the contract's name for it where files spell it differently."""
    column: str
    """Name in the staged frame."""
    state: Literal["mapped", "custom field", "ignored", "waiting"]
    why: str
    rows: int
    filled: int
    distinct: int
    inferred: InferredType
    share_of_type: float
    """Share of filled cells that read as the inferred type."""
    options: tuple[str, ...]
    """Distinct words, most frequent first, where the column is an enum or a set; else empty."""
    examples: tuple[str, ...]
    """Up to three, masked: letters become x, digits 9, the shape stays (`xxxx@xxxxxxx.xxx`)."""
    unreadable: int = 0
    """Cells that could not be typed."""


@dataclass(frozen=True)
class CleanCount:
    """Raw rows against what would be worth moving, per object; kinds overlap, so `clean` is counted, not subtracted."""

    object: str
    raw_rows: int
    distinct_keys: int
    kinds: Mapping[str, int]
    """no_email, unusable_email, role_account, bounced, unsubscribed, stale, duplicate_email, likely_duplicate -> records."""
    clean: int
    """Records that are none of the kinds that a client may leave out (no_email, role_account, bounced, stale)."""
    rules: Mapping[str, str]
    """Kind -> the rule in the client's words."""
    merged: int = 0
    """Keys that become one record with another one: distinct_keys less these are the records."""
    stale_with: Mapping[str, int] = field(default_factory=dict)
    """subscribed, tagged -> stale records that are on the mailing list or carry a tag all the same."""


@dataclass(frozen=True)
class TagFinding:
    """One tag of the exports."""

    tag: str
    records: int
    kind: Literal["event", "membership", "course", "plain", "admin"]
    event: str
    """The rule that recognised it (`webinar_attended`); `plain` when none did."""
    subject: str
    """The tag without the words of the event."""
    matched: str
    """The words that decided."""
    confidence: float
    column: str = ""
    """`object.column` of the list that holds it."""


@dataclass(frozen=True)
class HistoryGap:
    """A kind of history that no export holds, and how far tags make up for it."""

    kind: str
    told: str
    tags: int
    records: int
    """Records that carry at least one such tag."""


@dataclass(frozen=True)
class CustomFieldFinding:
    """A custom field of the source: as the source types it, and as its content reads."""

    object: str
    name: str
    source_type: str
    inferred: InferredType
    share_of_type: float
    filled: int
    options: tuple[str, ...]
    unknown_options: tuple[str, ...]
    """Words in use that the source's own list does not have."""
    advice: str


@dataclass(frozen=True)
class OwnerFinding:
    """A team member named in the exports."""

    owner: str
    """E-mail address as exported, casefolded."""
    user: str | None
    """E-mail of the matching user of the destination; None when there is none."""
    rows: Mapping[str, int]
    """Object -> rows."""
    money: Mapping[str, str]
    """Currency -> sum of the amounts on this owner's records, whether they wait or not (decimal text)."""
    suggestions: tuple[str, ...] = ()
    """Users whose name or address is alike, best first."""


@dataclass(frozen=True)
class VocabularyFinding:
    """The words of a status, stage, type or list column, with what each becomes."""

    object: str
    column: str
    role: Literal["status", "stage", "kind", "list", "consent"]
    words: Mapping[str, int]
    """Word -> rows."""
    unknown: tuple[str, ...]
    """Words that the map has no answer for."""


@dataclass(frozen=True)
class GradeFinding:
    """One line of the complexity table."""

    topic: str
    grade: Grade
    told: str
    hours: float
    """Effort by rule, in an engineer's hours."""
    rule: str = ""
    """What each grade of the topic takes, and how the hours come about."""


@dataclass(frozen=True)
class Discovery:
    """Everything the scope document says."""

    engagement: str
    route: str
    source: str
    destination: str
    made_at: datetime
    checklist: tuple[ChecklistItem, ...]
    files: tuple[FileProfile, ...]
    columns: tuple[ColumnProfile, ...]
    clean: tuple[CleanCount, ...]
    tags: tuple[TagFinding, ...]
    history: tuple[HistoryGap, ...]
    custom_fields: tuple[CustomFieldFinding, ...]
    owners: tuple[OwnerFinding, ...]
    vocabularies: tuple[VocabularyFinding, ...]
    inspection: Mapping[str, Any]
    """`asdict` of destinations.base.Inspection; `{}` when the destination could not be asked."""
    decisions: tuple[Mapping[str, Any], ...]
    """The spec's questions: name, question, options (option -> meaning), default, answer (None: open), why."""
    gaps: tuple[Mapping[str, str], ...]
    """What does not move: what, why, instead."""
    forecast: Mapping[str, Any]
    """`phases.plan.Forecast.as_dict()`; `{}` when there are no records yet."""
    predicted: Mapping[str, Mapping[str, int]]
    """Phase -> bucket -> records, as the plan predicts them."""
    queues: tuple[Mapping[str, Any], ...]
    """What would wait: queue, reason, object, rows."""
    grades: tuple[GradeFinding, ...]
    overall: Grade
    series: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Charts over time: object -> `YYYY-MM` -> records."""
    notes: tuple[str, ...] = ()
    automations_signed: Mapping[str, str] | None = None
    """Who says that the destination's automations are paused, and since when: `by`, `at` (ISO, UTC); None when nobody does."""
    left_out: tuple[Mapping[str, Any], ...] = ()
    """Rows that make no record of their own: bucket (excluded, quarantined), reason, object, rows."""
    overall_told: str = ""
    """How the overall grade comes out of the others."""
    calendar: tuple[Mapping[str, Any], ...] = ()
    """The steps to the end: step, who, told, days, first, last (ISO dates); the earliest that they can be."""
    waits: tuple[Mapping[str, Any], ...] = ()
    """Records that wait: phase, reason, records. They add up to what `predicted` calls waiting and refused."""
    waits_named: Mapping[str, int] | None = None
    """Phase -> records that still wait once somebody takes over from every owner without a user; None: nobody knows yet."""
    money: tuple[Mapping[str, Any], ...] = ()
    """Amounts that move: phase, currency, status, records, amount (decimal text), waiting (the part of it that waits)."""
    private: int = 0
    """Organizations that are private persons: made for contacts who name no company."""
    ownerless: int | None = None
    """Contacts that name no team member; None where nobody is named at all."""
    broken: tuple[Mapping[str, Any], ...] = ()
    """Lines that cannot be read: file, object, reason, rows."""
    mailing: Mapping[str, Any] = field(default_factory=dict)
    """Who may be mailed, in people: see `discovery.mailing`; `{}` where it is not known."""
    money_aside: tuple[Mapping[str, Any], ...] = ()
    """Amounts of rows that wait and are of no record yet, so not in `money`: object, reason, currency, rows, amount (decimal text)."""
    ruined: tuple[Mapping[str, Any], ...] = ()
    """Files whose telephone numbers a spreadsheet rounded: file, object, rows."""
    merged: Mapping[str, int] = field(default_factory=dict)
    """What merged contacts said otherwise than the person they became, and is kept nowhere: values, records."""
