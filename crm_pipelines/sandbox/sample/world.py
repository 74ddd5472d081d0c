"""The planted world: what was put into a sample, as facts, and the cells that say it.

Belongs here: values that generators fill and the truth reads. Not here: how they are filled (people, purchases,
bookings), how cells reach a file (files), what a migration must make of them (truth).

A `Cell` pairs the text of a CSV cell with what it means; truth is computed from meanings only, never from texts.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crm_pipelines.sandbox.sample.config import SampleConfig


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a cell, what it means (None means nothing), and the quirks it shows."""

    text: str = ""
    means: Any = None
    quirks: tuple[str, ...] = ()

    def marked(self, *quirks: str) -> Cell:
        """Return this cell with quirks that the report will count."""
        return replace(self, quirks=self.quirks + quirks)


EMPTY = Cell()


def plain(text: str) -> Cell:
    """Return a cell that means what it says."""
    return Cell(text, text or None)


@dataclass(frozen=True, slots=True)
class Email:
    """What an e-mail cell means: the usable address, or None and the text to keep."""

    address: str | None
    text: str

    @property
    def match_key(self) -> str | None:
        """The address by which two contacts are one person."""
        return self.address.lower() if self.address else None


@dataclass(frozen=True, slots=True)
class Phone:
    """What a phone cell means: E.164 (with extension), or None and the text to keep."""

    e164: str | None
    text: str


@dataclass
class Contact:
    """One Kartra contact: its rows by file number, oldest first."""

    id: int
    rows: dict[int, dict[str, Cell]]
    flags: set[str] = field(default_factory=set)
    queue: tuple[str, str] | None = None

    @property
    def key(self) -> str:
        """The source key."""
        return str(self.id)

    @property
    def has_no_dependants(self) -> bool:
        """Whether nothing may refer to this contact."""
        return self.queue is not None

    def newest(self, column: str) -> Any:
        """Return the newest meaning of a column over this contact's rows."""
        values = [row[column].means for _, row in sorted(self.rows.items()) if column in row]
        return next((value for value in reversed(values) if value is not None), None)


@dataclass
class Subscription:
    """One subscription, in its own file or only in its transactions."""

    id: int
    contact: Contact
    product: str
    price_point: int
    amount: Decimal
    start: datetime
    status: str
    end: datetime | None
    period: str
    affiliate: str | None
    is_in_file: bool
    link: str = "lead_id"
    later_status: str | None = None  # what a delta export says
    later_end: datetime | None = None


@dataclass
class Transaction:
    """One event row: what happened, to whom, and to which purchase it belongs."""

    kind: str
    at: datetime
    contact: Contact | None
    product: str
    amount: Decimal
    id: int = 0
    price_point: int = 1
    quantity: int = 1
    subscription: Subscription | None = None
    says_subscription: bool = True
    parent: Transaction | None = None
    processor: str = "Stripe"
    processor_id: str = ""
    coupon: str = ""
    affiliate: str | None = None
    link: str = "lead_id"
    queue: tuple[str, str] | None = None
    product_text: str = ""
    is_late: bool = False  # dated after the subscriptions file was exported
    is_delta: bool = False

    @property
    def key(self) -> str:
        """The source key."""
        return str(self.id)


@dataclass
class Booking:
    """One calendar appointment."""

    id: int
    contact: Contact | None
    calendar: str
    class_name: str
    start_text: str
    end_text: str
    start_utc: datetime
    duration: str | None
    zone: str
    host: str | None
    status: str
    email: str
    location: str
    is_call: bool
    queue: tuple[str, str] | None = None

    @property
    def key(self) -> str:
        """The source key."""
        return str(self.id)


@dataclass
class Affiliate:
    """One affiliate of the account."""

    id: int | None
    username: str
    name: str
    email: str
    status: str
    earned: Decimal
    contact: Contact | None
    link: str
    joined: datetime
    queue: tuple[str, str] | None = None


@dataclass
class KartraDeal:
    """One deal of Kartra's own deals module; a delta changes it in place."""

    id: int
    contact: Contact | None
    name: Cell
    pipeline: str
    stage: str
    status: str
    amount: Decimal | None
    amount_text: str
    created: datetime
    closes: date | None
    owner: Cell
    notes: Cell
    link: str
    email: str
    queue: tuple[str, str] | None = None
    is_delta: bool = False  # new in the later export, or changed there

    @property
    def key(self) -> str:
        """The source key."""
        return str(self.id)


@dataclass(frozen=True)
class CustomField:
    """One Kartra custom field."""

    id: int
    identifier: str
    kind: str
    options: tuple[str, ...] = ()
    option_ids: tuple[str, ...] = ()


@dataclass
class World:
    """Everything planted, with a count of every quirk."""

    config: SampleConfig
    contacts: list[Contact] = field(default_factory=list)
    custom_fields: tuple[CustomField, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)  # inventory: casefolded name -> spelling
    subscriptions: list[Subscription] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)
    affiliates: list[Affiliate] = field(default_factory=list)
    deals: list[KartraDeal] = field(default_factory=list)
    quirks: Counter[str] = field(default_factory=Counter)
    busy_days: dict[int, set[date]] = field(default_factory=dict)  # subscription -> days on which something happened

    def random(self, part: str) -> random.Random:
        """Return the generator of one part, so that a change in one part leaves the others as they were."""
        return random.Random(f"{self.config.seed}:{part}")

    def free_contacts(self) -> list[Contact]:
        """Return the contacts that others may refer to."""
        return [contact for contact in self.contacts if not contact.has_no_dependants]


def share(count: int, rate: float) -> int:
    """Return how many of `count` a rate stands for; a rate above zero gives at least one."""
    return max(1, round(count * rate)) if rate > 0 else 0


class Deck:
    """Deals contacts out, each once, so that quirks of one kind never meet on one contact."""

    def __init__(self, rng: random.Random, items: Iterable[Any]) -> None:
        self._items = list(items)
        rng.shuffle(self._items)

    def take(self, count: int) -> list[Any]:
        """Take up to `count` of what is left."""
        taken, self._items = self._items[:count], self._items[count:]
        return taken


def pick(rng: random.Random, weighted: Sequence[tuple[Any, float]]) -> Any:
    """Choose one value by weight."""
    return rng.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]
