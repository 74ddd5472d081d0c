"""What purchases must become: deals, and into which deal each transaction goes.

Belongs here: deals under every decision, computed from planted purchases whose parents are known. Not here: matching
(the product has to find out what was planted), people (truth_people).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from crm_pipelines.sandbox.sample.times import day_text, utc_text
from crm_pipelines.sandbox.sample.truth_people import People, Person, Record, set_only
from crm_pipelines.sandbox.sample.world import Subscription, Transaction, World

REFUNDS = ("Refund", "Partial refund", "Chargeback")
LIFECYCLE = ("Cancellation", "Request Can.", "Revert Can.")
KIND_LABELS = {"sale": "One-off sale", "subscription": "Subscription", "rebill": "Rebill", "failed": "Failed payment"}
PIPELINE = "Kartra"
STAGES = {"subscription": "Subscriptions"}
OTHER_STAGE = "Purchases"


@dataclass
class Deal:
    """One deal to be: the purchase, its payments, and every row that goes into it."""

    key: str
    kind: str
    person: Person
    subscription: Subscription | None = None
    payments: list[Transaction] = field(default_factory=list)
    refunds: list[Transaction] = field(default_factory=list)
    lifecycle: list[Transaction] = field(default_factory=list)

    @property
    def first(self) -> Transaction | None:
        """The first payment."""
        return min(self.payments, key=lambda one: one.at, default=None)

    @property
    def primary_transaction(self) -> Transaction | None:
        """The row that carries the deal's state, None when the subscriptions file holds it."""
        if self.subscription is not None and self.subscription.is_in_file:
            return None
        return min([*self.payments, *self.refunds, *self.lifecycle], key=lambda one: one.at)


@dataclass
class Deals:
    """All deals by key, and where each transaction went; transactions in neither wait or are left out."""

    by_key: dict[str, Deal] = field(default_factory=dict)
    of_transaction: dict[int, Deal] = field(default_factory=dict)
    excluded: set[int] = field(default_factory=set)


def gather(world: World, people: People) -> Deals:
    """Sort every transaction that does not wait into its deal."""
    deals = Deals()
    for subscription in world.subscriptions:
        key = f"sub:{subscription.id}"
        deals.by_key[key] = Deal(key, "subscription", people.of_contact[subscription.contact.id], subscription)
    placed = [one for one in sorted(world.transactions, key=lambda one: (one.at, one.id)) if one.queue is None]
    for one in placed:
        if one.kind not in REFUNDS:
            _place(world, people, deals, one)
    for one in placed:
        if one.kind in REFUNDS and one.parent is not None:
            _put(deals, deals.of_transaction[one.parent.id], "refunds", one)
    return deals


def _place(world: World, people: People, deals: Deals, one: Transaction) -> None:
    decided = world.config.decided
    if one.kind == "Failed" and decided["failed"] == "exclude":
        deals.excluded.add(one.id)
        return
    own_kind = {"Failed": "failed", "Rebill": "rebill" if decided["rebills"] == "deal_each" else None}.get(one.kind)
    if one.subscription is None or own_kind:
        assert one.contact is not None  # noqa: S101 - rows without a contact wait in a queue
        deal = Deal(f"tx:{one.id}", own_kind or "sale", people.of_contact[one.contact.id])
        deals.by_key[deal.key] = deal
    else:
        deal = deals.by_key[f"sub:{one.subscription.id}"]
    _put(deals, deal, "lifecycle" if one.kind in LIFECYCLE else "payments", one)


def _put(deals: Deals, deal: Deal, part: str, one: Transaction) -> None:
    getattr(deal, part).append(one)
    deals.of_transaction[one.id] = deal


def deal_records(world: World, deals: Deals) -> dict[str, Record]:
    """Return every deal with every field."""
    return {key: _record(world, deal) for key, deal in deals.by_key.items()}


def _record(world: World, deal: Deal) -> Record:
    first = deal.first
    source = deal.subscription if deal.subscription is not None else first
    assert source is not None  # noqa: S101 - a deal has a payment or a subscription
    number = f"subscription {deal.subscription.id}" if deal.subscription else deal.key.removeprefix("tx:")
    closes = first.at if first else start_of(deal)
    record: Record = {
        "title": f"{product_of(source)} ({number})",
        "person_id": deal.person.key,
        "org_id": deal.person.organization,
        "owner_id": deal.person.owner,
        "pipeline_id": PIPELINE,
        "stage_id": STAGES.get(deal.kind, OTHER_STAGE),
        "expected_close_date": day_text(closes),
        "label_ids": _labels(world, deal),
        "custom": _custom(world, deal, source),
        **outcome(world, deal),
    }
    return set_only(record)


def product_of(source: Subscription | Transaction) -> str:
    """Return the product by the name of its day; a rebill may know an older one."""
    return getattr(source, "product_text", "") or source.product


def start_of(deal: Deal) -> datetime:
    """Return the start: the subscriptions file's, else the first payment."""
    if deal.subscription is not None and (deal.subscription.is_in_file or deal.first is None):
        return deal.subscription.start
    assert deal.first is not None  # noqa: S101 - one-off deals are made of a payment
    return deal.first.at


def _labels(world: World, deal: Deal) -> list[str]:
    decision = world.config.decided["deal_labels"]
    if decision == "contact_tags":
        return sorted(deal.person.facts["tags"])
    return [KIND_LABELS[deal.kind]] if decision == "kind" else []


def refunded(deal: Deal) -> Decimal:
    """Return how much was given back."""
    return sum((abs(one.amount) for one in deal.refunds), Decimal(0))


def outcome(world: World, deal: Deal) -> Record:
    """Return status, value and currency, and when and why it was won or lost."""
    zone, first = world.config.timezone, deal.first
    if deal.kind == "failed" and first:
        return _money(world, first.amount) | {"status": "lost", "lost_reason": "Payment failed", "lost_time": utc_text(first.at, zone)}
    if first is None:
        return _unpaid(world, deal)
    gross = sum((one.amount for one in deal.payments), Decimal(0))
    net = gross - refunded(deal)
    if gross <= 0 or net > 0:
        return _money(world, _value(world, deal, net)) | {"status": "won", "won_time": utc_text(first.at, zone)}
    if world.config.decided["refunded"] in {"won_minus_refund", "net"}:
        return _money(world, net) | {"status": "won", "won_time": utc_text(first.at, zone)}
    last = max(deal.refunds, key=lambda one: one.at)
    reason = "Chargeback" if last.kind == "Chargeback" else "Refunded"
    return _money(world, _value(world, deal, gross)) | {"status": "lost", "lost_reason": reason, "lost_time": utc_text(last.at, zone)}


def _value(world: World, deal: Deal, summed: Decimal) -> Decimal:
    """Return the sum, or for a subscription the payment that the client wants to see."""
    decision = world.config.decided["subscription_value"]
    if deal.subscription is None or decision == "sum_paid":
        return summed
    ordered = sorted(deal.payments, key=lambda one: one.at)
    return ordered[0 if decision == "first" else -1].amount


def _money(world: World, amount: Decimal) -> Record:
    return {"value": float(amount), "currency": world.config.currency}


def _unpaid(world: World, deal: Deal) -> Record:
    """Say how a subscription without a payment stands."""
    one = deal.subscription
    assert one is not None  # noqa: S101 - only subscriptions may lack a payment
    status = status_of(deal)
    when = utc_text(end_of(deal) or one.start, world.config.timezone)
    if status == "Cancelled":
        return {"status": "lost", "lost_reason": "Cancelled before a payment", "lost_time": when}
    return {"status": "won", "won_time": when} if status == "Terminated" else {"status": "open"}


def end_of(deal: Deal) -> datetime | None:
    """Return when a subscription ended: as its file says, else by the cancellation that its status rests on."""
    one = deal.subscription
    assert one is not None  # noqa: S101 - asked for subscriptions only
    told = (one.later_end if one.later_status else one.end) if one.is_in_file else None
    cancelled = [event.at for event in deal.lifecycle if event.kind == "Cancellation"]
    return told or (max(cancelled) if cancelled and _rests_on_events(deal) and status_of(deal) == "Cancelled" else None)


def _rests_on_events(deal: Deal) -> bool:
    """Return whether events tell the status: there is no row in the file, or it was written too early."""
    assert deal.subscription is not None  # noqa: S101 - asked for subscriptions only
    return not deal.subscription.is_in_file or any(event.is_late for event in deal.lifecycle)


def status_of(deal: Deal) -> str:
    """Return the status: the subscriptions file's, unless a later export tells of something that happened after it."""
    one = deal.subscription
    assert one is not None  # noqa: S101 - asked for subscriptions only
    if not _rests_on_events(deal):
        return one.later_status or one.status
    events = sorted(deal.lifecycle, key=lambda event: event.at)
    told = [event.kind for event in events if event.is_late or not one.is_in_file]
    return {"Cancellation": "Cancelled", "Request Can.": "Cancellation requested"}.get(told[-1] if told else "", "Active")


def _custom(world: World, deal: Deal, source: Subscription | Transaction) -> Record:
    first, back = deal.first, refunded(deal)
    found: Record = {
        "Kartra ID": deal.key,
        "Kartra created date": day_text(start_of(deal)),
        "Payment method": first.processor if first else None,
        "Refunded amount": float(back) if deal.refunds else None,
    }
    if deal.subscription is not None:
        found |= {"Subscription ID": str(deal.subscription.id), "Subscription status": status_of(deal)}
        found["Subscription start date"] = day_text(start_of(deal))
    if world.config.decided["extra_fields"] == "all":
        found |= _extras(deal, source)
    return set_only(found)


def _extras(deal: Deal, source: Subscription | Transaction) -> Record:
    first, one = deal.first, deal.subscription
    found: Record = {
        "Kartra product": product_of(source),
        "Price point": str(source.price_point),
        "Affiliate on sale": source.affiliate,
        "Coupon": (first.coupon or None) if first else None,
        "Processor transaction ID": (first.processor_id or None) if first else None,
        "Quantity": float(first.quantity) if first else None,
    }
    if one is None:
        return found
    end = end_of(deal)
    return found | {
        "Billing period": one.period if one.is_in_file else None,
        "Payments received": float(len(deal.payments)),
        "Subscription end date": day_text(end) if end else None,
        "Cancellation requested on": requested_on(deal.lifecycle),
    }


def requested_on(lifecycle: Sequence[Transaction]) -> str | None:
    """Return the local date of the last request that was not withdrawn."""
    found: str | None = None
    for event in sorted(lifecycle, key=lambda one: one.at):
        if event.kind == "Request Can.":
            found = day_text(event.at)
        elif event.kind == "Revert Can.":
            found = None
    return found
