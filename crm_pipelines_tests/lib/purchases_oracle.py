"""What payment events and subscriptions must become, worked out row by row in plain Python.

Belongs here: a second way to the answer, written from docs/routes/kartra_to_pipedrive.md. It shares no code with
phases.resolve and knows no frame. Not here: generating the events (generative tests).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Event:
    """One canonical transaction."""

    id: int
    type: str
    at: datetime
    product: str
    amount: Decimal | None
    contact: str | None
    subscription: str | None = None
    processor_id: str | None = None
    currency: str = "USD"
    exported: int = 0

    @property
    def place(self) -> tuple[datetime, int]:
        return self.at, self.id

    @property
    def is_illegible(self) -> bool:
        """Whether a payment does not say how much it was."""
        return self.amount is None and self.type in ("Sale", "Rebill", "Failed")


@dataclass(frozen=True)
class Listed:
    """One row of the subscriptions file."""

    id: str
    product: str
    contact: str | None
    status: str
    start: datetime | None
    end: datetime | None
    currency: str | None = None


@dataclass
class Deal:
    """A purchase as it must arrive."""

    key: str
    kind: str
    contact: str | None
    product: str
    payments: list[Event] = field(default_factory=list)
    refunds: list[Event] = field(default_factory=list)
    lifecycle: list[Event] = field(default_factory=list)
    listed: Listed | None = None


@dataclass(frozen=True)
class Choices:
    """The client's decisions."""

    rebills: str = "fold"
    subscription_value: str = "sum_paid"
    failed: str = "exclude"
    refunded: str = "lost"


class Oracle:
    """Walks through the events in the order a bookkeeper would."""

    def __init__(self, events: Iterable[Event], listed: Iterable[Listed], told_at: datetime, told_export: int, choices: Choices) -> None:
        self.events = sorted(events, key=lambda event: event.place)
        self.listed = {row.id: row for row in listed}
        self.told_at, self.told_export, self.choices = told_at, told_export, choices
        self.deals: dict[str, Deal] = {}
        self.fates: dict[int, tuple[str, str | None, str | None]] = {}
        self._home: dict[int, str] = {}
        self._found_subscriptions()
        for event in self.events:
            self._place(event)
        for event in self.events:
            if event.type in ("Refund", "Partial refund", "Chargeback"):
                self._refund(event)
        self._finish()

    # -- subscriptions --------------------------------------------------------------------------------------------

    def _found_subscriptions(self) -> None:
        for row in self.listed.values():
            self.deals[f"sub:{row.id}"] = Deal(f"sub:{row.id}", "subscription", row.contact, row.product, listed=row)
        founding = {"Sale", "Cancellation", "Request Can.", "Revert Can."} | ({"Rebill"} if self.choices.rebills == "fold" else set())
        traces = defaultdict(list)
        for event in self.events:
            if event.subscription and event.type in founding:
                traces[event.subscription].append(event)
        for number, found in traces.items():
            found.sort(key=lambda event: (event.type not in ("Sale", "Rebill"), event.place))
            contact = next((event.contact for event in found if event.contact), None)
            deal = self.deals.get(f"sub:{number}")
            if deal is None:
                self.deals[f"sub:{number}"] = Deal(f"sub:{number}", "subscription", contact, found[0].product)
            elif deal.contact is None:
                deal.contact = contact

    def _subscription_of(self, event: Event) -> tuple[Deal | None, str | None]:
        if event.subscription:
            return self.deals.get(f"sub:{event.subscription}"), "no_subscription"
        if event.contact is None:
            return None, "no_contact"
        same = [
            deal
            for deal in self.deals.values()
            if deal.kind == "subscription" and deal.contact == event.contact and deal.product.casefold() == event.product.casefold()
        ]
        return (same[0], None) if len(same) == 1 else (None, "no_subscription")

    # -- placing events -------------------------------------------------------------------------------------------

    def _place(self, event: Event) -> None:
        if event.type == "Failed" and self.choices.failed == "exclude":
            self.fates[event.id] = ("excluded", None, "failed_payment")
        elif event.type == "Failed":
            self._own(event, "failed")
        elif event.type == "Sale" and not event.subscription:
            self._own(event, "one_off")
        elif event.type == "Rebill" and self.choices.rebills == "deal_each":
            self._own(event, "rebill")
        elif event.type in ("Sale", "Rebill"):
            self._into_subscription(event, "payments")
        elif event.type in ("Cancellation", "Request Can.", "Revert Can."):
            self._into_subscription(event, "lifecycle")

    def _own(self, event: Event, kind: str) -> None:
        key = f"tx:{event.id}"
        self.deals[key] = Deal(key, kind, event.contact, event.product, payments=[event])
        self._home[event.id] = key

    def _into_subscription(self, event: Event, where: str) -> None:
        deal, reason = self._subscription_of(event)
        if deal is None:
            self._wait(event, reason or "")
        elif where == "payments" and self._other_currency(deal, event):
            self._wait(event, "currency_differs")
        else:
            getattr(deal, where).append(event)
            self._home[event.id] = deal.key

    def _other_currency(self, deal: Deal, event: Event) -> bool:
        told = deal.payments[0].currency if deal.payments else None
        if told is None and deal.listed is not None and not any(self._would_pay(deal, other) for other in self.events):
            told = deal.listed.currency
        return told is not None and event.currency != told

    def _would_pay(self, deal: Deal, event: Event) -> bool:
        kinds = ("Sale",) if self.choices.rebills == "deal_each" else ("Sale", "Rebill")
        if event.type not in kinds or (event.type == "Sale" and not event.subscription):
            return False
        return self._subscription_of(event)[0] is deal

    def _refund(self, event: Event) -> None:
        if event.subscription is None and event.contact is None:
            self._wait(event, "no_contact")
            return
        if event.subscription and self.choices.rebills == "fold":
            key = f"sub:{event.subscription}" if f"sub:{event.subscription}" in self.deals else None
            self._apply(event, [key] if key else [])
            return
        parents = [other for other in self.events if self._may_be_parent(other, event)]
        named = [other for other in parents if event.processor_id and other.processor_id == event.processor_id]
        self._apply(event, [self._parent_home(other) for other in named or parents])

    def _may_be_parent(self, other: Event, refund: Event) -> bool:
        if other.at > refund.at:
            return False
        if refund.subscription:
            return other.type in ("Sale", "Rebill") and self._paid_for(other) == refund.subscription
        same = other.contact == refund.contact and other.product.casefold() == refund.product.casefold()
        return other.type == "Sale" and other.subscription is None and same

    def _paid_for(self, payment: Event) -> str | None:
        """Return the subscription that a payment names, or the only one that a rebill without a name can be of."""
        if payment.subscription or payment.type != "Rebill":
            return payment.subscription
        deal = self._subscription_of(payment)[0]
        return deal.key.removeprefix("sub:") if deal else None

    def _parent_home(self, other: Event) -> str:
        return f"sub:{other.subscription}" if other.type == "Sale" and other.subscription else f"tx:{other.id}"

    def _apply(self, event: Event, candidates: list[str]) -> None:
        if len(candidates) != 1:
            self._wait(event, "two_candidates" if candidates else "no_candidate")
        elif event.amount is None:
            self._wait(event, "no_amount")
        elif self._other_currency(self.deals[candidates[0]], event):
            self._wait(event, "currency_differs")
        else:
            self.deals[candidates[0]].refunds.append(event)
            self._home[event.id] = candidates[0]

    def _wait(self, event: Event, reason: str) -> None:
        self.fates[event.id] = ("waiting", None, reason)

    # -- results --------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        for key in list(self.deals):
            deal = self.deals[key]
            rows = sorted([*deal.payments, *deal.refunds, *deal.lifecycle], key=lambda event: event.place)
            if not rows and deal.listed is None:
                del self.deals[key]
            for event in rows:
                primary = deal.payments[0] if key.startswith("tx:") else rows[0]
                reason = self.reason(deal)
                if deal.listed is None and event is primary:
                    self.fates[event.id] = ("waiting" if reason else "record", key, reason)
                elif event.is_illegible:
                    self._wait(event, "no_amount")
                else:
                    self.fates[event.id] = ("folded", key, None)

    def reason(self, deal: Deal) -> str | None:
        """Return why a deal waits."""
        if deal.contact is None:
            return "no_contact"
        if any(event.is_illegible for event in deal.payments):
            return "payment_waits" if deal.kind == "subscription" else "no_amount"
        return None

    def facts(self, deal: Deal) -> dict[str, object]:
        """Return everything that must be true of a deal."""
        paid = sorted(deal.payments, key=lambda event: event.place)
        refunded = sum((abs(event.amount or 0) for event in deal.refunds), Decimal(0))
        told = {
            "kind": deal.kind,
            "contact_key": deal.contact,
            "product": deal.product,
            "refunded": refunded or None,
            "reason": self.reason(deal),
        }
        if any(event.is_illegible for event in deal.payments):
            return told  # what it is worth, nobody can tell
        if deal.kind == "failed":
            told |= {"status": "lost", "value": paid[0].amount, "won_at": None, "lost_at": paid[0].at, "lost_reason": "Payment failed"}
        elif paid:
            told |= self._paid(deal, paid, refunded)
        else:
            told |= self._unpaid(deal)
        return told | (self._life(deal, paid) if deal.kind == "subscription" else {"closed_on": local(paid[0].at)})

    def _paid(self, deal: Deal, paid: list[Event], refunded: Decimal) -> dict[str, object]:
        gross = sum((event.amount or 0 for event in paid), Decimal(0))
        rule = self.choices.subscription_value if deal.kind == "subscription" else "sum_paid"
        worth = {"sum_paid": gross - refunded, "first": paid[0].amount, "latest": paid[-1].amount}[rule]
        if gross > 0 and refunded >= gross:
            if self.choices.refunded == "lost":
                latest = max(deal.refunds, key=lambda event: event.place)
                last, reason = latest.at, "Chargeback" if latest.type == "Chargeback" else "Refunded"
                value = gross if rule == "sum_paid" else worth
                return {"status": "lost", "value": value, "won_at": None, "lost_at": last, "lost_reason": reason}
            worth = gross - refunded
        return {"status": "won", "value": worth, "won_at": paid[0].at, "lost_at": None, "lost_reason": None}

    def _unpaid(self, deal: Deal) -> dict[str, object]:
        life = self._life(deal, [])
        status, when = life["subscription_status"], life["_end"] or life["_start"]
        outcome = {"Cancelled": "lost", "Terminated": "won"}.get(str(status), "open")
        return {
            "status": outcome,
            "value": None,
            "won_at": when if outcome == "won" else None,
            "lost_at": when if outcome == "lost" else None,
            "lost_reason": "Cancelled before a payment" if outcome == "lost" else None,
        }

    def _life(self, deal: Deal, paid: list[Event]) -> dict[str, object]:
        row, by_events = deal.listed, False
        status = row.status if row else "Active"
        for event in sorted(deal.lifecycle, key=lambda event: event.place):
            if row is None or (event.exported > self.told_export and event.at > self.told_at):
                base = row.status if row else "Active"
                status = {"Cancellation": "Cancelled", "Request Can.": "Cancellation requested", "Revert Can.": base}[event.type]
                by_events = event.type == "Cancellation"
        asked = None
        for event in sorted(deal.lifecycle, key=lambda event: event.place):
            asked = {"Request Can.": event.at, "Revert Can.": None}.get(event.type, asked)
        start = (row.start if row else None) or (paid[0].at if paid else None)
        cancelled = [event.at for event in deal.lifecycle if event.type == "Cancellation"]
        end = (row.end if row else None) or (max(cancelled) if by_events else None)
        return {
            "subscription_status": status,
            "cancellation_requested_on": local(asked) if asked else None,
            "started_on": local(start) if start else None,
            "ended_on": local(end) if end else None,
            "closed_on": local(paid[0].at) if paid else (local(start) if start else None),
            "payments_received": len(deal.payments),
            "_start": start,
            "_end": end,
        }


def local(moment: datetime) -> date:
    """Return the date on the account's wall clock."""
    return moment.astimezone(ZONE).date()
