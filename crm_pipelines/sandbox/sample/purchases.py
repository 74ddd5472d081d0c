"""Transactions at the mix of a real account: how many of each kind, one-off sales, links to contacts, ids.

Belongs here: the plan of a sample's transactions. Not here: what happens within a subscription (subscriptions),
refunds (refunds), columns and files (files).
"""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

from crm_pipelines.sandbox.sample import words
from crm_pipelines.sandbox.sample.config import ZERO_DECIMALS
from crm_pipelines.sandbox.sample.refunds import LATEST_REFUNDED, plant_refunds
from crm_pipelines.sandbox.sample.subscriptions import plant_failures, plant_lifecycle, plant_payments, plant_subscriptions, price, unpaid
from crm_pipelines.sandbox.sample.times import EVENTS_END, EVENTS_START, between
from crm_pipelines.sandbox.sample.world import Contact, Transaction, World, pick, share

FIRST_TRANSACTION = 48_110
PER_CONTACT = 1500 / 2600
# Shares of a real export of 348,916 rows (the project's reference on source exports, section 1.5).
MIX = {
    "Rebill": 0.4965, "Failed": 0.1830, "Sale": 0.1370, "Cancellation": 0.1166, "Request Can.": 0.0405,
    "Refund": 0.0238, "Revert Can.": 0.0018, "Partial refund": 0.0004, "Chargeback": 0.0004,
}  # fmt: skip
AT_LEAST = {"Sale": 24, "Rebill": 20, "Failed": 3, "Refund": 9, "Partial refund": 3, "Chargeback": 2, "Request Can.": 3, "Revert Can.": 1}
LINKS = (("lead_id", 88), ("email", 7), ("email_unknown_id", 2), ("old_email", 3))
EARLY_SALES = 14  # one-off sales old enough for every kind of refund, in samples of any size
SUBSCRIBED_SALES = 0.6  # share of Sale rows that begin a subscription


def wanted_counts(contacts: int) -> dict[str, int]:
    """Return how many rows of each kind a sample of this size gets."""
    total = contacts * PER_CONTACT
    return {kind: max(AT_LEAST.get(kind, 1), round(total * rate)) for kind, rate in MIX.items()}


def plant_purchases(world: World) -> None:
    """Fill the world with subscriptions and transactions, dated, linked and numbered."""
    counts = wanted_counts(world.config.contacts)
    scale = 0 if world.config.currency in ZERO_DECIMALS else 2
    buyers = one_per_person(world)
    plant_subscriptions(world, buyers, scale)
    paying = len(world.subscriptions) - len(unpaid(world))
    begun = min(paying, round(counts["Sale"] * SUBSCRIBED_SALES), counts["Sale"] - EARLY_SALES)
    plant_payments(world, begun, counts["Rebill"])
    plant_failures(world, counts["Failed"])
    plant_lifecycle(world, counts["Cancellation"], counts["Request Can."], counts["Revert Can."])
    plant_sales(world, buyers, counts["Sale"] - begun, scale)
    plant_refunds(world, counts)
    _plant_orphans(world, scale)
    _link(world)
    number_transactions(world, FIRST_TRANSACTION)


def one_per_person(world: World) -> list[Contact]:
    """Return contacts that may buy, one of each group of e-mail twins: so nobody buys a product twice unplanned."""
    rng = world.random("buyers")
    by_person: dict[object, list[Contact]] = {}
    for contact in world.free_contacts():
        email = contact.newest("email")
        by_person.setdefault(email.match_key or contact.id, []).append(contact)
    return [rng.choice(group) for group in by_person.values()]


def plant_sales(world: World, buyers: list[Contact], count: int, scale: int) -> None:
    """Plant one-off sales; a buyer buys each product once (repeats belong to refunds)."""
    rng = world.random("sales")
    products = words.ONE_OFF_PRODUCTS
    chosen: set[tuple[int, str]] = set()
    while len(chosen) < count:
        buyer, product = rng.choice(buyers), rng.choice(products)
        if (buyer.id, product) not in chosen:
            chosen.add((buyer.id, product))
            world.transactions.append(sale(world, rng, buyer, product, scale))
    for early in [one for one in world.transactions if one.kind == "Sale" and one.subscription is None][:EARLY_SALES]:
        early.at = between(rng, EVENTS_START, LATEST_REFUNDED - timedelta(days=1))
    for free in [one for one in world.transactions if one.kind == "Sale" and one.subscription is None][:1]:
        free.amount = Decimal(0)


def sale(world: World, rng: random.Random, buyer: Contact | None, product: str, scale: int) -> Transaction:
    """Return one one-off sale."""
    one = Transaction("Sale", between(rng, EVENTS_START, EVENTS_END), buyer, product, price(rng, scale))
    one.price_point, one.quantity = rng.randint(1, 3), rng.choice((1, 1, 1, 1, 2, 5))
    one.processor = str(pick(rng, words.PROCESSORS))
    one.processor_id = f"ch_{rng.getrandbits(48):012x}" if rng.random() < 0.9 else ""
    one.coupon = rng.choice(words.COUPONS) if rng.random() < 0.12 else ""
    one.affiliate = rng.choice(world.affiliates).username if world.affiliates and rng.random() < 0.1 else None
    return one


def _plant_orphans(world: World, scale: int) -> None:
    """Plant Sales of nobody the contacts files know."""
    rng = world.random("orphans")
    count = 1 if world.config.planted_queue == "five" else share(len(world.transactions), world.config.rates.orphan_sales)
    for _ in range(count):
        orphan = sale(world, rng, None, rng.choice(words.ONE_OFF_PRODUCTS), scale)
        orphan.queue, orphan.link = ("review", "no_contact"), "orphan"
        world.transactions.append(orphan)


def _link(world: World) -> None:
    """Decide how each row names its contact: by id, by address, or by an id Kartra has since deleted."""
    rng = world.random("links")
    for one in world.transactions:
        if one.contact is not None:
            email = one.contact.newest("email")
            wanted = str(pick(rng, LINKS))
            one.link = wanted if email.address or not wanted.startswith("email") else "lead_id"


def number_transactions(world: World, first: int) -> None:
    """Give ids in order of time to the transactions that have none yet."""
    number = first
    for one in sorted((one for one in world.transactions if one.id == 0), key=lambda one: one.at):
        one.id = number
        number += 1 + one.at.second % 3
