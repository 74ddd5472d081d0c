"""The part of the `derive` section that is about money: payment events and subscriptions as purchases, and the products on them.

Belongs here: columns by role, kinds, the client's choices. Not here: the other parts (derive), what purchases add up to
(phases.resolve).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from crm_pipelines.spec.derive_nodes import Node, Policy, chosen_option

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
        option = chosen_option(self.phase_of.decision, self.phase_of.options, decisions)
        return {str(kind): phase for kind, phase in self.phase_of.options[option].items()}

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
