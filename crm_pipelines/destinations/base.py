"""What a destination is to the phases: capabilities as data, and a set-oriented protocol.

Belongs here: the protocol and the values it speaks. Not here: any vendor's word (their own modules), retries and
transport (destinations.http), the order of ledger and network (phases.load).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

import polars as pl

from crm_pipelines.journal import Allowance, Journal, OpenAttempt, Operation

FieldType = Literal["text", "long_text", "number", "date", "datetime", "enum", "set", "address", "boolean", "money"]


@dataclass(frozen=True)
class WantedField:
    """A custom field that the map writes."""

    phase: str
    name: str
    """Display name, unique per phase."""
    type: FieldType
    options: tuple[str, ...] = ()
    """Labels that must exist, for enum and set."""
    is_external_id: bool = False
    """True for the field that carries the source key."""
    keeps: str = ""
    """The standard field of the phase that is made from the same column: this one keeps the text as it was exported."""


@dataclass(frozen=True)
class WantedSchema:
    """All that `prepare` must find or make before the first record."""

    fields: tuple[WantedField, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Phase -> labels (tags) that records of that phase carry."""
    stages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Pipeline name -> its stages in order."""
    types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Phase -> names of record types it uses (activity types)."""
    currencies: tuple[str, ...] = ()
    """ISO 4217 codes of the amounts that records carry."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Phase -> records that will be created; held against the plan's caps."""


@dataclass(frozen=True)
class FoundField:
    """A field as the destination has it."""

    phase: str
    name: str
    code: str
    """The vendor's key; never part of a seal."""
    type: str
    options: Mapping[str, str]
    """Label -> option id."""
    is_custom: bool


@dataclass(frozen=True)
class Schema:
    """What `describe` and `prepare` found."""

    account: str
    """Stable name of the tenant."""
    plan: str
    seats: int
    currency: str
    timezone: str
    users: Mapping[str, str]
    """Casefolded e-mail of active users -> user id."""
    fields: tuple[FoundField, ...]
    labels: Mapping[str, Mapping[str, str]]
    """Phase -> label -> option id."""
    stages: Mapping[str, Mapping[str, str]]
    """Pipeline -> stage -> id."""
    types: Mapping[str, Mapping[str, str]]
    caps: Mapping[str, int]
    """Cap name -> number, e.g. custom_fields -> 30."""
    record_counts: Mapping[str, int] = field(default_factory=dict)
    """Phase -> live records found, where a listing told."""
    notes: tuple[str, ...] = ()
    """Sentences for the plan and the doctor: what this account has not, or treats otherwise than one may expect."""


@dataclass(frozen=True)
class Finding:
    """One thing that `inspect` noticed, for the scope document and the doctor."""

    topic: Literal["plan", "seats", "caps", "fields", "users", "apps", "debris", "automations", "settings", "rights", "records"]
    level: Literal["good", "note", "warning", "blocker"]
    name: str
    """Technical name, for the engineer: a model, a view's id, a field. Holds no field value of a record."""
    told: str
    """A sentence for the client."""
    todo: str = ""
    """What to do about it; empty when nothing."""


@dataclass(frozen=True)
class Automation:
    """A rule of the destination that records of an import would set off."""

    name: str
    kind: str
    """What it is at the vendor: automation, workflow, assignment rule, webhook, scheduled action."""
    phases: tuple[str, ...]
    """Phases whose records set it off."""
    told: str


@dataclass(frozen=True)
class Inspection:
    """The destination as it is before anything moves."""

    schema: Schema
    edition: str
    """Plan or edition and version, as a client would say it: `Pipedrive Growth, 3 seats`, `Odoo 19.0 Community`."""
    findings: tuple[Finding, ...]
    required: Mapping[str, tuple[str, ...]]
    """Phase -> fields that the account requires beside the vendor's own, by display name."""
    automations: tuple[Automation, ...]
    hides_automations: bool
    """True where the vendor's API does not show all of them: somebody must sign that they are paused."""
    records: Mapping[str, int]
    """Phase -> records that are there now, where the vendor tells cheaply."""
    requests: int = 0
    tokens: int = 0
    """What the inspection spent."""


@dataclass(frozen=True)
class Step:
    """One thing that `prepare` would make: for the forecast, the journal and the seal's diff."""

    kind: Literal["field", "option", "label", "pipeline", "stage", "type", "currency"]
    phase: str
    name: str
    tokens: int
    """What its request costs; 0 for what travels in the request of the step before it."""
    of: str = ""
    """Field of an option, pipeline of a stage."""


@dataclass(frozen=True)
class Capabilities:
    """Limits as data, each with its source in the vendor's module."""

    burst_requests: int
    burst_window_s: float
    concurrency: int
    list_page: int
    visible_token_phases: frozenset[str]
    """Phases whose records cannot carry an external id."""
    create_only_fields: Mapping[str, frozenset[str]]
    """Phase -> fields that only a create call may carry (never updated, never compared for updates)."""
    union_fields: Mapping[str, frozenset[str]]
    """Phase -> multi-value fields that are united with what is there on update."""
    apply_within_s: float
    """Longest time within which the vendor may still apply a request that got no answer."""
    label_phases: frozenset[str] = frozenset()
    batch_rows: int = 1
    """Records that one create request carries."""
    ids_per_read: int = 1
    """Records that one list by ids returns, where updates look first at what is there."""
    seconds_per_record: Mapping[str, float] = field(default_factory=dict)
    """Phase -> measured seconds that one create takes where the vendor sells no quota; empty where tokens are the limit."""
    added_to_fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Phase -> those of `union_fields` from which an update takes nothing away."""
    can_empty: bool = False
    """Whether an update can empty a standard field; custom fields can be emptied everywhere."""


@dataclass(frozen=True)
class WriteRow:
    """One record to be sent: logical payload, links already resolved to destination ids."""

    key: str
    operation: Operation
    payload: Mapping[str, Any]
    """Logical field -> value; labels and options by name; `custom` holds custom fields by display name; links by destination id."""
    payload_hash: str
    payload_json: bytes
    token: str
    destination_id: str | None = None
    changes: Mapping[str, Any] | None = None
    """For updates: only the logical fields to send (already three-way compared); None empties a field (`can_empty`)."""
    former_keys: tuple[str, ...] = ()
    """For updates: source keys that the record may have been made under before its twins were merged; it goes by `key` from now on."""


@dataclass(frozen=True)
class Budget:
    """What the account may spend: the day's allowance and what remains of it."""

    allowance: Allowance | None
    """None where the vendor sets no quota: then requests are counted instead of tokens, and there is no calendar."""
    remaining: int
    cost: Mapping[str, int]
    """`phase.operation` -> tokens of one request, `list.<phase>` -> tokens of one page; `describe` -> requests of one description."""
    tokens_per_day: int

    @property
    def unit(self) -> str:
        """What is counted: tokens where a quota is sold, requests elsewhere."""
        return "requests" if self.allowance is None else "tokens"


class Destination(Protocol):
    """One account at a vendor."""

    name: str
    capabilities: Capabilities

    def describe(self, journal: Journal | None = None) -> Schema:
        """Read users, fields, options, stages, plan and caps."""
        ...

    def inspect(self, journal: Journal | None = None, wanted: WantedSchema | None = None) -> Inspection:
        """Read what a migration should know before it starts: plan, caps, required fields, users, automations, debris. Reads only.

        With `wanted`, fields of the same name and the caps are also held against what the map would make. What the key's user may not
        read becomes a finding. Raises: what `describe` raises when the account cannot be reached at all, or the key is wrong.
        """
        ...

    def use(self, external_ids: Mapping[str, str]) -> None:
        """Say which custom field of a phase holds the source key (display name), before anything is found or looked up."""
        ...

    def missing(self, wanted: WantedSchema, found: Schema) -> list[Step]:
        """Return what `prepare` would make, in order. Raises: SettingsError naming the cap when the plan cannot hold it."""
        ...

    def prepare(self, wanted: WantedSchema, journal: Journal) -> Schema:
        """Make what is missing, each step journalled and looked up by name first; idempotent under kills."""
        ...

    def find(self, phase: str, journal: Journal) -> pl.DataFrame:
        """Return every live record of ours by bulk listing.

        Shape: `key` (external id or visible token), `destination_id`, `labels` (list of label names, null where the phase has none),
        `amount`, `currency`, `status` (null where the phase has none). One row per record, duplicates included.
        """
        ...

    def existing(self, phase: str, journal: Journal) -> pl.DataFrame:
        """Return live records that are not ours, for matching.

        Shape: `destination_id`, `match` (casefolded e-mail, name, ...; one row per match value), `payload` (logical JSON).
        """
        ...

    def write(self, phase: str, rows: Iterable[WriteRow], journal: Journal, allowance: Allowance | None) -> WriteReport:
        """Send rows in waves of at most 100: journal.sending, requests, journal.answered.

        Raises: QuotaExhausted (everything sent is recorded), DestinationError when the vendor stays away; both after all in
        flight are settled.
        """
        ...

    def read(self, phase: str, ids: Sequence[str], journal: Journal) -> pl.DataFrame:
        """Return records by destination id; missing ids are absent.

        Shape: `destination_id`, `payload` (logical JSON, links by destination id).
        """
        ...

    def lookup(self, phase: str, attempts: Sequence[OpenAttempt], journal: Journal) -> Mapping[int, list[str]]:
        """Find records of unanswered creates by listing since the attempts, by the vendor's clock.

        Waits until nothing that was sent can still be applied; unanswered `prepare` steps are passed for that wait alone.
        Updates with a destination id are passed too, so that those of several requests are completed; their answers are not used.
        Shape: attempt id -> destination ids found (none, one, or several).
        """
        ...

    def revert(self, phase: str, rows: Iterable[WriteRow], journal: Journal) -> None:
        """Undo writes (used by rollback)."""
        ...

    def budget(self) -> Budget:
        """Return what may be spent now, by the vendor's own headers."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...


@dataclass
class WriteReport:
    """What one `write` did, in numbers."""

    sent: int = 0
    created: int = 0
    updated: int = 0
    refused: int = 0
    unknown: int = 0
    tokens: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


def utc_text(moment: datetime) -> str:
    """Return `YYYY-MM-DDTHH:MM:SSZ`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
