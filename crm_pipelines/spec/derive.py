"""The `derive` section of a mapping spec: which source columns play which role when rows become records.

Belongs here: frozen models of the section and the questions a resolver asks them (`applies`, `Policy.of`). Not here:
folding itself (phases.resolve), the mapping of derived columns onto a destination (spec.model). No vendor word is
known to the code: objects, columns, types, statuses and texts a client can see are all written in the spec.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from crm_pipelines.errors import Problem, SpecError

When = dict[str, str]

Kind = Literal[
    "sale",
    "rebill",
    "failed",
    "cancellation",
    "cancellation_requested",
    "cancellation_withdrawn",
    "refund",
    "partial_refund",
    "chargeback",
]
PurchaseKind = Literal["one_off", "subscription", "rebill", "failed"]
Queue = Literal["owner", "review", "remediation", "duplicate", "conflict", "decision", "parent"]


def applies(when: When, decisions: Mapping[str, str]) -> bool:
    """Tell whether every decision named in `when` was answered with the option given there."""
    return all(_answer(name, decisions) == option for name, option in when.items())


def _answer(name: str, decisions: Mapping[str, str]) -> str:
    if name not in decisions:
        raise SpecError([Problem(f"decisions.{name}", "is asked for by `derive` and has no answer; answer it in decisions.yaml")])
    return decisions[name]


def _not_listed(decision: str, options: Iterable[str]) -> SpecError:
    return SpecError([Problem(f"decisions.{decision}", f"must be one of: {', '.join(options)}")])


class Node(BaseModel):
    """What all parts of the section share: frozen, nothing unknown accepted, docstrings shown by editors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, populate_by_name=True)


class Policy(Node):
    """A choice between known behaviours, made by one of the client's decisions."""

    decision: str
    """The decision that is asked."""
    options: dict[str, str]
    """What each option of the decision means here."""

    def of(self, decisions: Mapping[str, str]) -> str:
        """Return the behaviour that the client chose.

        Raises: SpecError when the decision has no answer, or one that is not listed.
        """
        answer = _answer(self.decision, decisions)
        if answer not in self.options:
            raise _not_listed(self.decision, self.options)
        return self.options[answer]


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


class Twins(Node):
    """How several source keys with one e-mail address become one record; the lowest key survives."""

    union: list[str] = Field(default_factory=list)
    """List columns that are united, the survivor's first."""
    join: list[str] = Field(default_factory=list)
    """Text columns of which every different text is kept, one after the other, the survivor's first."""
    greatest: list[str] = Field(default_factory=list)
    """Columns of which the greatest value is kept."""
    strictest: dict[str, Strictest] = Field(default_factory=dict)
    """Columns of which the strictest value is kept."""


class Spellings(Node):
    """How case twins inside a list column become one label."""

    inventory: str | None = None
    """`object.column` holding the known spellings; without it the most frequent one is taken."""


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
    require_email: Wait | None = None
    """Where contacts without any e-mail text wait."""
    unusable_email: Wait | None = None
    """Where contacts with an unusable e-mail address wait."""
    twins: Twins = Field(default_factory=Twins)
    """How contacts with one address are merged."""
    spellings: dict[str, Spellings] = Field(default_factory=dict)
    """List columns whose case twins are one label."""


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


class LostReasons(Node):
    """The texts that tell why a purchase was lost."""

    refund: str
    chargeback: str
    failed: str
    cancelled: str


class Statuses(Node):
    """The words of a subscription's status by what they mean; case is ignored, this spelling is used."""

    open: list[str]
    """Running, or paused."""
    lost: list[str]
    """Ended by the buyer; the first word is used for rebuilt subscriptions."""
    won: list[str]
    """Ended because everything was paid."""
    cancellation_requested: str
    """The word for an open request to cancel."""


class PaymentColumns(Node):
    """The columns of payment events by role."""

    id: str
    kind: str
    at: str
    product: str
    amount: str
    currency: str
    subscription: str
    contact: str
    email: str
    processor: str
    processor_transaction: str
    price_point: str
    quantity: str
    coupon: str
    affiliate: str


class SubscriptionColumns(Node):
    """The columns of subscriptions by role."""

    id: str
    product: str
    contact: str
    email: str
    started: str
    ended: str
    status: str
    period: str
    price_point: str
    affiliate: str
    currency: str


class PurchaseKeys(Node):
    """How the records' keys and the id in their titles are written; `{id}` is the source's id."""

    payment: str
    subscription: str
    payment_title: str = "{id}"
    subscription_title: str = "{id}"


class PurchasePolicies(Node):
    """The client's choices about money."""

    rebills: Policy
    """`fold` into the subscription, or `apart` as a record each."""
    value: Policy
    """What a subscription is worth: `sum_paid`, `first` or `latest` payment."""
    failed: Policy
    """Failed payments: `exclude`, or `lost` as a record each."""
    refunded: Policy
    """What was refunded in full: `lost`, or `won_net`."""

    @model_validator(mode="after")
    def _options_are_known(self) -> PurchasePolicies:
        known = {
            "rebills": {"fold", "apart"},
            "value": {"sum_paid", "first", "latest"},
            "failed": {"exclude", "lost"},
            "refunded": {"lost", "won_net"},
        }
        for name, allowed in known.items():
            if unknown := set(getattr(self, name).options.values()) - allowed:
                raise ValueError(f"{name}: {', '.join(sorted(unknown))} is not one of {', '.join(sorted(allowed))}")
        return self


class PhaseOf(Node):
    """Home phases by what a purchase is, chosen by one of the client's decisions."""

    decision: str
    """The decision that is asked."""
    options: dict[str, dict[PurchaseKind, str]]
    """Option -> kind of purchase -> its home phase; kinds that are not named go to `phase`."""


class Purchases(Node):
    """How payment events and subscriptions become purchases."""

    phase: str
    """The home phase of both objects."""
    phase_of: PhaseOf | None = None
    """Kinds of purchases that are at home elsewhere; the frame's column `home_phase` names each one's home."""
    payments: str
    """The source object of payment events."""
    subscriptions: str
    """The source object of subscriptions; its file may be missing."""
    kinds: dict[str, Kind]
    """The vendor's type words, case ignored, and what they are."""
    columns: PaymentColumns
    """Columns of the payment events."""
    subscription_columns: SubscriptionColumns
    """Columns of the subscriptions."""
    keys: PurchaseKeys
    """Keys and title ids."""
    statuses: Statuses
    """Status words of subscriptions."""
    lost_reasons: LostReasons
    """Texts of lost purchases."""
    policies: PurchasePolicies
    """The client's choices."""
    contact_columns: dict[str, str] = Field(default_factory=dict)
    """Columns of the contact that a purchase carries too: contact column -> its name here."""

    def homes(self, decisions: Mapping[str, str]) -> Mapping[str, str]:
        """Return kind -> home phase of the kinds that are not at home in `phase`.

        Raises: SpecError when the decision has no answer, or one that is not listed.
        """
        if self.phase_of is None:
            return {}
        answer = _answer(self.phase_of.decision, decisions)
        if answer not in self.phase_of.options:
            raise _not_listed(self.phase_of.decision, self.phase_of.options)
        return {str(kind): phase for kind, phase in self.phase_of.options[answer].items()}

    @property
    def phases(self) -> tuple[str, ...]:
        """Every phase in which a purchase can be at home."""
        others = self.phase_of.options.values() if self.phase_of else ()
        return tuple(dict.fromkeys([self.phase, *(phase for option in others for phase in option.values())]))


class Products(Node):
    """Products derived from the purchases that do not wait; they have no rows of their own."""

    phase: str
    """The phase that receives them."""
    key: str
    """The record key, with `{name}` for the casefolded name; purchases carry it as `product_key`."""


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

    @model_validator(mode="after")
    def _products_come_from_purchases(self) -> DeriveSpec:
        if self.products is not None and self.purchases is None:
            raise ValueError("products are read off purchases; say how those are made, too")
        return self
