"""Subscriptions and what happens within them: payments, failures, requests, cancellations, refunds.

Belongs here: events that belong to a subscription. Not here: one-off sales and ids (purchases), the file itself (files).
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal

from crm_pipelines.sandbox.sample import words
from crm_pipelines.sandbox.sample.times import EVENTS_END, EVENTS_START, LATE_EVENT, between, safe
from crm_pipelines.sandbox.sample.world import Contact, Subscription, Transaction, World, pick

FIRST_SUBSCRIPTION = 993_037
UNTOUCHED = 4  # active subscriptions that nobody asks to end: the late cancellation and the delta need some
UNPAID_SHARE, ONLY_IN_EVENTS_SHARE = 0.08, 0.25
STATUS_WEIGHTS = (("Cancelled", 58), ("Active", 26), ("Terminated", 9), ("Paused", 7))
STATUS_SPELLINGS = {
    "Active": ("Active", "active"),
    "Cancelled": ("Cancelled", "cancelled", "CANCELLED"),
    "Paused": ("Paused",),
    "Terminated": ("Terminated",),
}


def price(rng: random.Random, scale: int) -> Decimal:
    """Return an amount with the decimals of the currency."""
    units = rng.choice((9, 19, 29, 49, 79, 99, 149, 249, 499))
    return Decimal(units * 100) if scale == 0 else Decimal(units) + rng.choice((Decimal("0.00"), Decimal("0.99"), Decimal("0.50")))


def plant_subscriptions(world: World, buyers: list[Contact], scale: int) -> None:
    """Fill the world with subscriptions; a buyer has at most one of each product."""
    rng = world.random("subscriptions")
    in_file = max(12, round(world.config.contacts * 180 / 2600))
    total = in_file + max(3, round(in_file * ONLY_IN_EVENTS_SHARE))
    pairs = rng.sample([(b, p) for b in buyers for p in words.SUBSCRIPTION_PRODUCTS_CP1252], total)
    number = FIRST_SUBSCRIPTION
    for place, (buyer, product) in enumerate(pairs):
        number += rng.randint(1, 4)
        is_in_file = place < in_file
        status = _status(rng, place, in_file)
        start = between(rng, EVENTS_START, EVENTS_END - timedelta(days=200))
        end = between(rng, start + timedelta(days=150), EVENTS_END) if status in {"Cancelled", "Terminated"} else None
        affiliate = rng.choice(world.affiliates).username if world.affiliates and rng.random() < 0.15 else None
        link = rng.choice(("lead_id", "lead_id", "email"))
        world.subscriptions.append(
            Subscription(
                number,
                buyer,
                product,
                rng.randint(1, 3),
                price(rng, scale),
                start,
                status,
                end,
                pick(rng, words.PERIODS),
                affiliate,
                is_in_file,
                link,
            )
        )


def _status(rng: random.Random, place: int, in_file: int) -> str:
    first = ("Active", "Paused", "Cancelled", "Terminated")
    if place < len(first):
        return first[place]  # the first four are never paid: every status occurs without a payment
    if in_file - 2 * UNTOUCHED <= place < in_file:
        return "Active"
    if place < in_file:
        return str(pick(rng, STATUS_WEIGHTS))
    return "Cancelled" if rng.random() < 0.6 else "Active"


def unpaid(world: World) -> list[Subscription]:
    """Return the subscriptions that have no payment in the export."""
    in_file = [one for one in world.subscriptions if one.is_in_file]
    return in_file[: max(4, round(len(in_file) * UNPAID_SHARE))]


def plant_payments(world: World, sales: int, rebills: int) -> None:
    """Give the other subscriptions their first Sale (not all of them) and their Rebills."""
    rng = world.random("payments")
    without = {one.id for one in unpaid(world)}
    paying = [one for one in world.subscriptions if one.id not in without]
    must = [one for one in paying if not one.is_in_file]
    with_sale = must + [one for one in paying if one.is_in_file][: max(0, sales - len(must))]
    for one in with_sale:
        _sale(world, rng, one)
    only_rebills = [one for one in paying if one not in with_sale]
    for one in only_rebills:
        _rebill(world, rng, one, 1)
    for count in range(rebills - len(only_rebills)):
        _rebill(world, rng, rng.choice(paying), count + 2)


def _sale(world: World, rng: random.Random, one: Subscription) -> None:
    at = one.start if rng.random() < 0.7 else safe(one.start + timedelta(days=7), rng)  # a week of trial
    sale = _charge(world, rng, one, "Sale", at)
    sale.coupon = rng.choice(words.COUPONS) if rng.random() < 0.15 else ""


def _rebill(world: World, rng: random.Random, one: Subscription, count: int) -> None:
    at = free_moment(world, rng, one, one.start + timedelta(days=14), one.end or EVENTS_END)
    rebill = _charge(world, rng, one, "Rebill", at)
    rebill.amount += rng.choices((0, 10), (9, 1))[0]
    if count % 29 == 0:
        rebill.says_subscription = False
    elif count % 31 == 0:
        rebill.product_text = f"{one.product} (old name)"


def add_event(world: World, one: Subscription, kind: str, at: datetime) -> Transaction:
    """Plant something that happened to a subscription and moved no money."""
    event = Transaction(kind, at, one.contact, one.product, Decimal(0), subscription=one)
    event.price_point, event.affiliate = one.price_point, one.affiliate
    world.transactions.append(event)
    return event


def _charge(world: World, rng: random.Random, one: Subscription, kind: str, at: datetime) -> Transaction:
    """Plant a charge, paid or failed, at the subscription's price."""
    event = add_event(world, one, kind, at)
    event.amount, event.processor = one.amount, str(pick(rng, words.PROCESSORS))
    event.processor_id = f"ch_{rng.getrandbits(48):012x}"
    return event


def free_moment(world: World, rng: random.Random, one: Subscription, start: datetime, end: datetime) -> datetime:
    """Return a moment on a day when nothing else happened to this subscription: order decides what is first and last."""
    taken = world.busy_days.setdefault(one.id, {one.start.date()})
    moment = between(rng, start, max(end, start))
    for _ in range(200):
        if moment.date() not in taken:
            break
        moment = between(rng, start, max(end, start))
    taken.add(moment.date())
    return moment


def plant_failures(world: World, count: int) -> None:
    """Plant failed charges, most of them within a subscription."""
    rng = world.random("failures")
    for _ in range(count):
        one = rng.choice(world.subscriptions)
        at = free_moment(world, rng, one, one.start, one.end or EVENTS_END)
        _charge(world, rng, one, "Failed", at)


def plant_lifecycle(world: World, cancellations: int, requests: int, withdrawals: int) -> None:
    """Plant cancellations, requests for one, and requests withdrawn; each where the subscription's status allows it."""
    rng = world.random("lifecycle")
    paid = _paid(world)
    _plant_cancellations(world, rng, [one for one in world.subscriptions if one.status == "Cancelled"], cancellations)
    quiet = [one for one in paid if one.status == "Active" and one.is_in_file][-UNTOUCHED:]
    asking = [one for one in paid if one.status == "Active" and one not in quiet]
    asking = (asking + [one for one in paid if one.status == "Cancelled"])[: max(requests, 2)]
    for place, one in enumerate(asking):
        first, last = _life(world, one)
        end = min(last, one.end or EVENTS_END)
        at = free_moment(world, rng, one, first + timedelta(days=1), max(end - timedelta(days=25), first + timedelta(days=2)))
        add_event(world, one, "Request Can.", at)
        if place < withdrawals and one.status == "Active":
            back = free_moment(world, rng, one, at + timedelta(days=1), at + timedelta(days=20))
            add_event(world, one, "Revert Can.", back)
    _plant_late(world, quiet[0])


def _plant_cancellations(world: World, rng: random.Random, ended: list[Subscription], count: int) -> None:
    """Give every ended subscription its Cancellation, and some a second row (charged back by the processor, then by hand)."""
    must = [one for one in ended if not one.is_in_file]
    order = must + [one for one in ended if one.is_in_file]
    for place in range(max(count, len(must))):
        one = order[place % len(order)]
        again = place >= len(order)
        end = one.end or EVENTS_END
        at = free_moment(world, rng, one, end - timedelta(days=20), end - timedelta(days=1)) if again else end
        event = add_event(world, one, "Cancellation", at)
        event.says_subscription = one.is_in_file is False or again or place % 23 != 7


def _plant_late(world: World, one: Subscription) -> None:
    """Plant one cancellation that the subscriptions file is too old to know."""
    event = add_event(world, one, "Cancellation", LATE_EVENT)
    event.is_late = True


def _paid(world: World) -> list[Subscription]:
    with_payment = {event.subscription.id for event in world.transactions if event.subscription and event.kind in {"Sale", "Rebill"}}
    return [one for one in world.subscriptions if one.id in with_payment]


def _life(world: World, one: Subscription) -> tuple[datetime, datetime]:
    days = [*world.busy_days.get(one.id, ()), one.start.date()]
    return _midnight(min(days)), _midnight(max(days))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - local time of the account
