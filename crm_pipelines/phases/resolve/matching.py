"""Which record an event belongs to: its own, its subscription's, its parent's, or a queue when that is in doubt.

Belongs here: `target` and `reason` of every event. Not here: what the events add up to (money), the state of a
subscription (subscriptions), row fates (purchases).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from crm_pipelines.phases.resolve.columns import comparable, key_from
from crm_pipelines.phases.resolve.events import FAILED, LIFECYCLE, NO_AMOUNT, NO_DATE, REBILL, REFUNDS, SALE
from crm_pipelines.spec.derive_purchases import PurchaseKeys

GROUP = "\x1f"


@dataclass(frozen=True)
class Chosen:
    """The client's choices about money, by role."""

    rebills: str
    value: str
    failed: str
    refunded: str

    @property
    def founding(self) -> tuple[str, ...]:
        """Kinds of events that prove a subscription which no file lists."""
        return (SALE, *LIFECYCLE) if self.rebills == "apart" else (SALE, REBILL, *LIFECYCLE)


def all_subscriptions(listed: pl.DataFrame, events: pl.DataFrame, chosen: Chosen) -> pl.DataFrame:
    """Return every subscription, from its file or rebuilt from its events.

    Shape: one row per `_key`; `is_listed`; the file's columns, null when rebuilt; product and contact from the first
    payment or else the first event where the file does not tell.
    """
    proving = events.filter(pl.col("kind").is_in(chosen.founding) & pl.col("subscription").is_not_null())
    first = proving.sort(~pl.col("kind").is_in([SALE, REBILL]), "n").group_by("subscription", maintain_order=True)
    rebuilt = first.agg(
        pl.col("product").drop_nulls().first().alias("_product"), pl.col("contact_key").drop_nulls().first().alias("_contact")
    ).rename({"subscription": "_key"})
    every = listed.with_columns(pl.lit(value=True).alias("is_listed")).join(rebuilt, on="_key", how="full", coalesce=True)
    return (
        every.with_columns(
            pl.coalesce("product", "_product").alias("product"),
            pl.coalesce("contact_key", "_contact").alias("contact_key"),
            pl.col("is_listed").fill_null(value=False),
        )
        .with_columns(comparable(pl.col("product")).alias("product_key"))
        .drop("_product", "_contact")
    )


def matched(events: pl.DataFrame, subscriptions: pl.DataFrame, chosen: Chosen, keys: PurchaseKeys) -> pl.DataFrame:
    """Add `target` (a record's key), `reason` (why the row waits) and `excluded` to every event."""
    paired = _with_subscription(events, subscriptions)
    aimed = paired.with_columns(*_direct(chosen, keys))
    refunds = aimed.filter(pl.col("kind").is_in(REFUNDS))
    others = aimed.filter(~pl.col("kind").is_in(REFUNDS).fill_null(value=False))
    settled = pl.concat([others, _refunded(refunds, others, chosen, keys)], how="diagonal")
    return _one_currency(settled, subscriptions, keys).sort("n")


def _with_subscription(events: pl.DataFrame, subscriptions: pl.DataFrame) -> pl.DataFrame:
    """Add `sid`: the subscription an event names, else the only one of its contact and product; null when unknown."""
    known = subscriptions.select(pl.col("_key").alias("subscription"), pl.col("_key").alias("_named"))
    pairs = subscriptions.filter(pl.col("contact_key").is_not_null() & pl.col("product_key").is_not_null())
    only = pairs.group_by("contact_key", "product_key").agg(pl.col("_key").first().alias("_only"), pl.len().alias("_many"))
    joined = events.join(known, on="subscription", how="left").join(
        only.filter(pl.col("_many") == 1).drop("_many"), on=["contact_key", "product_key"], how="left"
    )
    unnamed = pl.col("subscription").is_null() & ~pl.col("kind").is_in([SALE, *REFUNDS])
    return joined.with_columns(pl.coalesce("_named", pl.when(unnamed).then(pl.col("_only"))).alias("sid")).drop("_named", "_only")


def _direct(chosen: Chosen, keys: PurchaseKeys) -> list[pl.Expr]:
    """Return target and reason of everything but refunds."""
    own, sub = key_from(keys.payment, "id", pl.col("_key")), key_from(keys.subscription, "id", pl.col("sid"))
    kind, named = pl.col("kind"), pl.col("subscription").is_not_null()
    apart = (kind == SALE) & ~named
    if chosen.rebills == "apart":
        apart |= kind == REBILL
    if chosen.failed == "lost":
        apart |= kind == FAILED
    excluded = (kind == FAILED) & pl.lit(chosen.failed == "exclude")
    folds = ~apart & ~excluded & ~kind.is_in(REFUNDS)
    reason = (
        pl.when(kind.is_null())
        .then(pl.lit("unknown_type"))
        .when(folds & pl.col("sid").is_null() & pl.col("contact_key").is_null())
        .then(pl.lit("no_contact"))
        .when(folds & pl.col("sid").is_null())
        .then(pl.lit("no_subscription"))
    )
    target = pl.when(apart).then(own).when(folds).then(sub)
    return [target.alias("target"), reason.alias("reason"), excluded.fill_null(value=False).alias("excluded")]


def _refunded(refunds: pl.DataFrame, others: pl.DataFrame, chosen: Chosen, keys: PurchaseKeys) -> pl.DataFrame:
    """Return the refunds with their parent's record as target: the one that a person named, else the only one it can be."""
    payments = others.filter(pl.col("kind").is_in([SALE, REBILL]) & pl.col("target").is_not_null())
    offered = payments.filter(_paid_for().is_not_null() | (pl.col("kind") == SALE)).select(
        _parent_group().alias("group"),
        pl.col("at").alias("_paid"),
        pl.col("processor_transaction").alias("_paid_by"),
        pl.col("target").alias("_to"),
    )
    asked = refunds.with_columns(_parent_group().alias("group"))
    pairs = asked.select("n", "group", "at", "processor_transaction").join(offered, on="group").filter(pl.col("_paid") <= pl.col("at"))
    same = (pl.col("_paid_by") == pl.col("processor_transaction")).fill_null(value=False)
    named = payments.select(pl.col("_key").alias("belongs_to"), pl.col("target").alias("_named"))
    found = pairs.group_by("n").agg(
        pl.len().alias("_all"),
        same.sum().alias("_same"),
        pl.col("_to").filter(same).first().alias("_by_id"),
        pl.col("_to").first().alias("_only"),
    )
    counted = asked.join(found, on="n", how="left").with_columns(pl.col("_all", "_same").fill_null(0))
    judged = counted.join(named, on="belongs_to", how="left")
    return (
        judged.with_columns(_parent(chosen, keys), _doubt(chosen))
        .with_columns(pl.when(pl.col("reason").is_null()).then(pl.col("target")).alias("target"))
        .drop("group", "_all", "_same", "_by_id", "_only", "_named")
    )


def _paid_for() -> pl.Expr:
    """Return the subscription that a payment or refund belongs to: the one it names, else the only one it can be."""
    return pl.coalesce("subscription", "sid")


def _parent_group() -> pl.Expr:
    by_subscription = pl.concat_str([pl.lit("s"), _paid_for()], separator=GROUP)
    by_contact = pl.concat_str([pl.lit("c"), pl.col("contact_key"), pl.col("product_key")], separator=GROUP)
    return pl.when(_paid_for().is_not_null()).then(by_subscription).otherwise(by_contact)


def _to_subscription(chosen: Chosen) -> pl.Expr:
    return pl.col("subscription").is_not_null() & pl.lit(chosen.rebills == "fold")


def _parent(chosen: Chosen, keys: PurchaseKeys) -> pl.Expr:
    subscription = key_from(keys.subscription, "id", pl.col("sid"))
    found = pl.when(pl.col("_same") == 1).then(pl.col("_by_id")).when((pl.col("_same") == 0) & (pl.col("_all") == 1)).then(pl.col("_only"))
    guessed = pl.when(_to_subscription(chosen)).then(subscription).otherwise(found)
    return pl.coalesce("_named", guessed).alias("target")


def _doubt(chosen: Chosen) -> pl.Expr:
    unnamed = pl.col("subscription").is_null()
    none = pl.when(_to_subscription(chosen)).then(pl.col("sid").is_null()).otherwise(pl.col("_all") == 0)
    several = ~_to_subscription(chosen) & ((pl.col("_same") > 1) | ((pl.col("_same") == 0) & (pl.col("_all") > 1)))
    guessed = pl.col("_named").is_null()
    return (
        pl.when(pl.col("at").is_null())
        .then(pl.lit(NO_DATE))
        .when(guessed & unnamed & pl.col("contact_key").is_null())
        .then(pl.lit("no_contact"))
        .when(guessed & none)
        .then(pl.lit("no_candidate"))
        .when(guessed & several)
        .then(pl.lit("two_candidates"))
        .when(pl.col("amount").is_null())
        .then(pl.lit(NO_AMOUNT))
        .alias("reason")
    )


def _one_currency(events: pl.DataFrame, subscriptions: pl.DataFrame, keys: PurchaseKeys) -> pl.DataFrame:
    """Send rows to the queue whose currency is not their record's: amounts are never added across currencies."""
    paid = events.filter(pl.col("kind").is_in([SALE, REBILL]) & pl.col("target").is_not_null() & pl.col("currency").is_not_null())
    first = paid.sort("n").group_by("target", maintain_order=True).agg(pl.col("currency").first().alias("_paid_in"))
    listed = subscriptions.select(key_from(keys.subscription, "id", pl.col("_key")).alias("target"), pl.col("currency").alias("_listed_in"))
    joined = events.join(first, on="target", how="left").join(listed, on="target", how="left")
    expected = pl.coalesce("_paid_in", "_listed_in")
    differs = pl.col("reason").is_null() & pl.col("kind").is_in([SALE, REBILL, *REFUNDS]) & (pl.col("currency") != expected)
    reason = pl.when(differs.fill_null(value=False)).then(pl.lit("currency_differs")).otherwise(pl.col("reason"))
    return (
        joined.with_columns(reason.alias("reason"))
        .with_columns(pl.when(pl.col("reason").is_null()).then(pl.col("target")).alias("target"))
        .drop("_paid_in", "_listed_in")
    )
