"""Refunds, partial refunds and chargebacks, each with the purchase it belongs to.

Belongs here: every way in which a refund names (or fails to name) its sale; the CSV has no parent id. Not here: what
becomes of the purchase (truth).
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from crm_pipelines.sandbox.sample.subscriptions import free_moment
from crm_pipelines.sandbox.sample.times import EVENTS_END, between
from crm_pipelines.sandbox.sample.world import Transaction, World

LATEST_REFUNDED = EVENTS_END - timedelta(days=120)  # leaves room for what follows


class _Pools:
    """Purchases that nothing has happened to yet; each is used once."""

    def __init__(self, world: World, rng: random.Random) -> None:
        early = [one for one in world.transactions if one.at < LATEST_REFUNDED and one.amount > 0]
        self.sales = [one for one in early if one.kind == "Sale" and one.subscription is None]
        payments: dict[int, list[Transaction]] = {}
        for one in world.transactions:
            if one.subscription is not None and one.kind in {"Sale", "Rebill"}:
                payments.setdefault(one.subscription.id, []).append(one)
        usable = {key: rows for key, rows in payments.items() if all(row.amount > 0 for row in rows) and not _ends_late(rows)}
        self.single = [rows[0] for rows in usable.values() if len(rows) == 1 and rows[0].at < LATEST_REFUNDED]
        self.several = [rows for rows in usable.values() if len(rows) > 1]
        for pool in (self.sales, self.single, self.several):
            rng.shuffle(pool)


def _ends_late(rows: list[Transaction]) -> bool:
    return max(row.at for row in rows) > EVENTS_END - timedelta(days=10)


def plant_refunds(world: World, counts: dict[str, int]) -> None:
    """Plant refunds of all shapes up to the wanted counts."""
    rng = world.random("refunds")
    pools = _Pools(world, rng)
    _partial_then_rest(world, rng, pools)
    _partial(world, rng, pools.sales.pop())
    for _ in range(counts["Partial refund"] - 2):
        _partial(world, rng, rng.choice(pools.several.pop()))
    _refund(world, rng, pools.sales.pop(), "Chargeback", by_id=True)
    for _ in range(counts["Chargeback"] - 1):
        _refund(world, rng, (pools.single or pools.sales).pop(), "Chargeback", by_id=True)
    _repeat_purchase(world, rng, pools.sales.pop())
    _bought_again_after(world, rng, pools.sales.pop())
    _two_candidates(world, rng, pools.sales.pop())
    if world.config.planted_queue is None:
        _no_candidate(world, rng, pools.sales.pop())
    _usual(world, rng, pools, counts["Refund"] - 4)


def _usual(world: World, rng: random.Random, pools: _Pools, count: int) -> None:
    """Plant the rest: half of one-off sales, half of subscription payments."""
    for place in range(count):
        style = place % 5
        if style in (0, 3) and pools.sales:
            _refund(world, rng, pools.sales.pop(), "Refund", by_id=style == 0)
        elif style == 1 and pools.single:
            _refund(world, rng, pools.single.pop(), "Refund", by_id=False)
        elif pools.several:
            _refund(world, rng, rng.choice(pools.several.pop()), "Refund", by_id=True)


def _refund(world: World, rng: random.Random, parent: Transaction, kind: str, *, by_id: bool, amount: Decimal | None = None) -> Transaction:
    """Plant one refund of a payment; without its processor id the payment must be the only one before it."""
    one = replace(parent, kind=kind, parent=parent, amount=amount or parent.amount, id=0)
    one.coupon, one.product_text, one.says_subscription = "", "", True
    one.processor_id = parent.processor_id if by_id else ""
    one.at = _later(world, rng, parent)
    world.transactions.append(one)
    return one


def _later(world: World, rng: random.Random, parent: Transaction) -> datetime:
    if parent.subscription is None:
        return between(rng, parent.at + timedelta(days=1), parent.at + timedelta(days=45))
    return free_moment(world, rng, parent.subscription, parent.at + timedelta(days=1), EVENTS_END)


def _partial(world: World, rng: random.Random, parent: Transaction) -> None:
    _refund(world, rng, parent, "Partial refund", by_id=True, amount=_part(parent.amount))


def _part(amount: Decimal) -> Decimal:
    third = amount / 3
    return third.quantize(Decimal(1)) if amount == amount.to_integral() else third.quantize(Decimal("0.01"))


def _partial_then_rest(world: World, rng: random.Random, pools: _Pools) -> None:
    """Plant a partial refund and, later, a refund of all the rest: together they undo the sale."""
    parent = pools.sales.pop()
    part = _refund(world, rng, parent, "Partial refund", by_id=True, amount=_part(parent.amount))
    rest = _refund(world, rng, parent, "Refund", by_id=True, amount=parent.amount - part.amount)
    rest.at = between(rng, part.at + timedelta(days=1), part.at + timedelta(days=20))
    world.quirks["refunded_in_two_parts"] += 1


def _again(world: World, rng: random.Random, first: Transaction, days: int) -> Transaction:
    """Plant a second sale of the same product to the same contact."""
    start = first.at + timedelta(days=days)
    second = replace(first, id=0, at=between(rng, start, start + timedelta(days=5)), processor_id=f"ch_{rng.getrandbits(48):012x}")
    world.transactions.append(second)
    return second


def _repeat_purchase(world: World, rng: random.Random, first: Transaction) -> None:
    """Plant two sales of one product and a refund that names the first by its processor id."""
    first.processor_id = first.processor_id or f"ch_{rng.getrandbits(48):012x}"
    second = _again(world, rng, first, 2)
    refund = _refund(world, rng, first, "Refund", by_id=True)
    refund.at = between(rng, second.at + timedelta(days=1), second.at + timedelta(days=30))
    world.quirks["refund_among_two_sales"] += 1


def _bought_again_after(world: World, rng: random.Random, first: Transaction) -> None:
    """Plant a refund without id, and a second sale after it: only one sale lies before the refund."""
    _refund(world, rng, first, "Refund", by_id=False)
    _again(world, rng, first, 60)
    world.quirks["bought_again_after_refund"] += 1


def _two_candidates(world: World, rng: random.Random, first: Transaction) -> None:
    """Plant a refund that fits two sales: a person has to say which."""
    second = _again(world, rng, first, 2)
    refund = _refund(world, rng, first, "Refund", by_id=False)
    refund.at = between(rng, second.at + timedelta(days=1), second.at + timedelta(days=30))
    refund.parent, refund.queue = None, ("review", "two_candidates")
    world.quirks["refund_with_two_candidates"] += 1


def _no_candidate(world: World, rng: random.Random, sale: Transaction) -> None:
    """Plant a refund of a product that its contact never bought."""
    refund = _refund(world, rng, sale, "Refund", by_id=False)
    refund.product, refund.parent, refund.queue = "Retired Product", None, ("review", "no_candidate")
    world.quirks["refund_without_sale"] += 1
