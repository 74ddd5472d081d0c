"""The `derive` section of a mapping spec: which source columns play which role when rows become records.

Belongs here: frozen models of the section. Not here: its part about money (derive_purchases), folding itself
(phases.resolve), the mapping of derived columns onto a destination (spec.model). No vendor word is
known to the code: objects, columns, types, statuses and texts a client can see are all written in the spec.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from crm_pipelines.spec.derive_nodes import Node, When
from crm_pipelines.spec.derive_purchases import Products, Purchases

Queue = Literal["owner", "review", "remediation", "duplicate", "conflict", "decision", "parent"]


class Wait(Node):
    """A queue, and the reason a row is given there."""

    queue: Queue
    """Who has to look at the row."""
    reason: str
    """The reason code shown to them."""
    when: When = Field(default_factory=dict)
    """Only with these decisions; always when empty."""


class Strictest(Node):
    """A column whose merged value is the strictest of the twins' values."""

    order: list[str | list[str]]
    """Words from strict to loose; words in one inner list are equally strict. `*` is the place of unlisted words (first when left out)."""
    words: dict[str, str] = Field(default_factory=dict)
    """Other spellings of the words in `order`, case ignored."""
    together: list[str] = Field(default_factory=list)
    """Columns that come from the same row as the strictest value."""


class Phones(Node):
    """The telephone number of a contact, and the columns that tell which country it is of."""

    number: str
    """The column with the number."""
    code: str
    """The column with its calling code."""
    country: str
    """The column with the country."""


class Twins(Node):
    """How several source keys with one e-mail address become one record; the lowest key survives."""

    union: list[str] = Field(default_factory=list)
    """List columns that are united, the survivor's first."""
    join: list[str] = Field(default_factory=list)
    """Text columns of which every different text is kept, one after the other, the survivor's first."""
    phones: Phones | None = None
    """Numbers, of which every different one is kept, each read with the calling code and country of its own row: the first that can be
    read stays, the others become `other_phones`; what cannot be read becomes `unread_phones`."""
    greatest: list[str] = Field(default_factory=list)
    """Columns of which the greatest value is kept."""
    strictest: dict[str, Strictest] = Field(default_factory=dict)
    """Columns of which the strictest value is kept."""


class Spellings(Node):
    """How case twins inside a list column become one label."""

    inventory: str | None = None
    """`object.column` holding the known spellings; without it the most frequent one is taken."""


class Suppress(Node):
    """Which contacts may not be worth moving: counted at discovery, left out only where the client says so."""

    status: str
    """The column with the mailing status."""
    bounced: list[str] = Field(default_factory=list)
    """Its words for addresses that mail does not reach."""
    unsubscribed: list[str] = Field(default_factory=list)
    """Its words for people who want no mail."""
    complained: list[str] = Field(default_factory=list)
    """Its words for people who reported mail as spam."""
    stale_months: int = Field(default=24, ge=1)
    """Contacts that joined longer ago than this and have no purchase, deal or appointment are stale."""


class Contacts(Node):
    """How the rows of one object become people."""

    from_: Annotated[str, Field(alias="from")]
    """The source object."""
    phase: str
    """The home phase of its rows."""
    key: str
    """The column that identifies a row."""
    email: str
    """The column with the e-mail address."""
    name: list[str]
    """The columns of the full name, in order."""
    company: str
    """The column that names a company."""
    joined: str
    """The column that says since when the contact is known."""
    owner: str
    """The column with the owner's e-mail address."""
    postcode: str | None = None
    """The column with the postal code: likely duplicates are found by name and postal code, or name and company."""
    require_email: Wait | None = None
    """Where contacts without any e-mail text wait."""
    unusable_email: Wait | None = None
    """Where contacts with an unusable e-mail address wait."""
    twins: Twins = Field(default_factory=Twins)
    """How contacts with one address are merged."""
    spellings: dict[str, Spellings] = Field(default_factory=dict)
    """List columns whose case twins are one label."""
    suppress: Suppress | None = None
    """Which contacts may not be worth moving."""


class Owners(Node):
    """Which columns name an owner."""

    phase: str
    """The phase that matches owners to users."""
    from_: Annotated[list[str], Field(alias="from")]
    """`object.column` of every column that names an owner."""


class SinglePerson(Node):
    """Contacts without a company as companies of one."""

    when: When = Field(default_factory=dict)
    """Only with these decisions."""
    key: str
    """The record key, with `{id}` for the contact's key."""


class Companies(Node):
    """Companies derived from contacts; they have no rows of their own."""

    phase: str
    """The phase that receives them."""
    key: str
    """The record key, with `{name}` for the casefolded name."""
    single_person: SinglePerson | None = None
    """Contacts without a company."""


class Bookings(Node):
    """How booked appointments become activities."""

    from_: Annotated[str, Field(alias="from")]
    phase: str
    key: str
    email: str
    """The attendee's address, the only link to a contact."""
    owner: str
    """The host's address."""
    status: str
    done: list[str]
    """Status words of bookings that are over."""
    cancelled: list[str]
    """Status words of bookings that were called off."""
    exclude_cancelled: When | None = None
    """Leave cancelled bookings out with these decisions."""
    excluded_reason: str = "cancelled_booking"


class Deals(Node):
    """How deals of the source, with a pipeline of their own, become records."""

    from_: Annotated[str, Field(alias="from")]
    """The source object."""
    phase: str
    """The home phase of its rows."""
    key: str
    """The column that identifies a row."""
    contact: str
    """The column with the contact's key."""
    email: str
    """The contact's address, asked where its key leads nowhere."""
    owner: str
    """The column with the owner's e-mail address."""


class PartnersOnContacts(Node):
    """Partners as columns of their contact."""

    when: When = Field(default_factory=dict)
    columns: dict[str, str]
    """Partner column -> the contact's column."""


class PartnersAsCompanies(Node):
    """Partners as companies of their own."""

    when: When = Field(default_factory=dict)
    key: str
    """The record key, with `{id}` for the partner's key."""
    name: str
    columns: dict[str, str] = Field(default_factory=dict)
    """Partner column -> the company's column."""
    label: str
    """What the company's `label` column says."""


class Partners(Node):
    """What becomes of the partners who sell for the client."""

    from_: Annotated[str, Field(alias="from")]
    key: str
    order: str
    """Of two partners of one contact, the lower value here comes first; the other waits."""
    contact: str
    email: str
    on_contacts: PartnersOnContacts | None = None
    as_companies: PartnersAsCompanies | None = None


class Schemas(Node):
    """Objects that describe the export itself; their rows go into the destination's schema."""

    from_: Annotated[list[str], Field(alias="from")]
    into: str
    """The step that reads them."""


class DeriveSpec(Node):
    """How staged rows become canonical records."""

    contacts: Contacts
    owners: Owners
    companies: Companies
    purchases: Purchases | None = None
    products: Products | None = None
    deals: Deals | None = None
    bookings: Bookings | None = None
    partners: Partners | None = None
    schemas: Schemas | None = None
    more: dict[str, list[str]] = Field(default_factory=dict)
    """Object -> columns that records carry beside those named above: headings that the source's contract does not know, in lower snake
    case, and columns of payments and subscriptions without a role. Purchases carry them as `<object>.<column>`."""

    @model_validator(mode="after")
    def _products_come_from_purchases(self) -> DeriveSpec:
        if self.products is not None and self.purchases is None:
            raise ValueError("products are read off purchases; say how those are made, too")
        return self
