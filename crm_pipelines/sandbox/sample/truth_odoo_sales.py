"""What purchases must become in Odoo: products, sale orders, invoices.

Belongs here: the fields of orders and invoices under every decision. Not here: which row goes into which purchase and how
it ended (truth_deals), Kartra's own deals (truth_odoo).
"""

from __future__ import annotations

from collections.abc import Iterable

from crm_pipelines.sandbox.sample.times import day_text, utc_text
from crm_pipelines.sandbox.sample.truth_deals import (
    KIND_LABELS,
    Deal,
    Deals,
    end_of,
    outcome,
    product_of,
    refunded,
    requested_on,
    start_of,
    status_of,
)
from crm_pipelines.sandbox.sample.truth_people import Record, set_only
from crm_pipelines.sandbox.sample.world import World

ORDER_STATES = {"won": "sale", "lost": "cancel", "open": "draft"}
INVOICE_STATES = {"won": "posted", "lost": "cancel"}
INVOICE_FIELDS = {
    "Kartra purchase kind": "selection", "Payment method": "char", "Refunded amount": "float", "Lost reason": "char",
    "Lost on": "datetime", "Price point": "char", "Coupon": "char", "Processor transaction ID": "char", "Affiliate on sale": "char",
    "Quantity": "float",
}  # fmt: skip
SUBSCRIPTION_FIELDS = {
    "Subscription ID": "char", "Subscription status": "selection", "Subscription start date": "date", "Subscription end date": "date",
    "Billing period": "char", "Payments received": "float", "Cancellation requested on": "date",
}  # fmt: skip
ORDER_FIELDS = INVOICE_FIELDS | SUBSCRIPTION_FIELDS


def product_records(deals: Deals) -> dict[str, Record]:
    """Return a product for each name among the purchases, whatever its case; the least spelling names it."""
    spellings: dict[str, set[str]] = {}
    for name in (_product(deal) for deal in deals.by_key.values()):
        spellings.setdefault(product_key(name), set()).add(name)
    return {key: {"name": min(names), "list_price": 0.0, "type": "service"} for key, names in spellings.items()}


def product_key(name: str) -> str:
    """Return the key of a product by its name."""
    return f"product:{' '.join(name.casefold().split())}"


def purchase_records(world: World, deals: Deals) -> dict[str, dict[str, Record]]:
    """Return the orders and, when one-off purchases are to be invoices, the invoices."""
    if world.config.decided["transactions"] == "orders":
        return {"orders": _orders(world, deals.by_key.values())}
    subscriptions = [deal for deal in deals.by_key.values() if deal.subscription is not None]
    others = [deal for deal in deals.by_key.values() if deal.subscription is None]
    return {"orders": _orders(world, subscriptions), "invoices": {one.key: _invoice(world, one) for one in others}}


def _orders(world: World, deals: Iterable[Deal]) -> dict[str, Record]:
    return {one.key: _order(world, one) for one in deals}


def _order(world: World, deal: Deal) -> Record:
    ended = outcome(world, deal)
    record: Record = {
        "client_order_ref": _title_id(deal),
        "partner_id": deal.person.key,
        "user_id": deal.person.owner,
        "date_order": utc_text(start_of(deal), world.config.timezone),
        "state": ORDER_STATES[ended["status"]],
        **_line(deal, ended),
        "custom": set_only({**_custom(deal, ended), **_subscription(deal)}),
    }
    return set_only(record)


def _invoice(world: World, deal: Deal) -> Record:
    ended = outcome(world, deal)
    record: Record = {
        "ref": _title_id(deal),
        "partner_id": deal.person.key,
        "invoice_user_id": deal.person.owner,
        "invoice_date": day_text(start_of(deal)),
        "state": INVOICE_STATES[ended["status"]],
        **_line(deal, ended),
        "custom": set_only(_custom(deal, ended)),
    }
    return set_only(record)


def _title_id(deal: Deal) -> str:
    return f"subscription {deal.subscription.id}" if deal.subscription else deal.key.removeprefix("tx:")


def _product(deal: Deal) -> str:
    source = deal.subscription or deal.first
    assert source is not None  # noqa: S101 - a purchase has a payment or a subscription
    return product_of(source)


def _line(deal: Deal, ended: Record) -> Record:
    """Return the one line: product, its name as bought, and the amount unless there is none."""
    name = _product(deal)
    return {"product": product_key(name), "description": name, "amount": ended.get("value"), "currency": ended.get("currency")}


def _custom(deal: Deal, ended: Record) -> Record:
    first, source = deal.first, deal.subscription or deal.first
    assert source is not None  # noqa: S101 - a purchase has a payment or a subscription
    return {
        "Kartra purchase kind": KIND_LABELS[deal.kind],
        "Payment method": first.processor if first else None,
        "Refunded amount": float(refunded(deal)) if deal.refunds else None,
        "Lost reason": ended.get("lost_reason"),
        "Lost on": ended.get("lost_time"),
        "Price point": str(source.price_point),
        "Affiliate on sale": source.affiliate,
        "Coupon": (first.coupon or None) if first else None,
        "Processor transaction ID": (first.processor_id or None) if first else None,
        "Quantity": float(first.quantity) if first else None,
    }


def _subscription(deal: Deal) -> Record:
    if deal.subscription is None:
        return {}
    end = end_of(deal)
    return {
        "Subscription ID": str(deal.subscription.id),
        "Subscription status": status_of(deal),
        "Subscription start date": day_text(start_of(deal)),
        "Subscription end date": day_text(end) if end else None,
        "Billing period": deal.subscription.period if deal.subscription.is_in_file else None,
        "Payments received": float(len(deal.payments)),
        "Cancellation requested on": requested_on(deal.lifecycle),
    }
