"""What the events of a record add up to: gross, refunded, net, and whether it is won or lost.

Belongs here: sums per record (never across currencies: matching sees to that) and the states that follow from them.
Not here: subscriptions without a payment (subscriptions).
"""

from __future__ import annotations

import polars as pl

from crm_pipelines.phases.resolve.columns import united_lists
from crm_pipelines.phases.resolve.events import CHARGEBACK, MONEY, REBILL, REFUNDS, SALE, is_carried
from crm_pipelines.phases.resolve.fold import filled
from crm_pipelines.phases.resolve.matching import Chosen
from crm_pipelines.spec.derive_purchases import LostReasons

FIRST = ("processor", "processor_transaction", "price_point", "quantity", "coupon", "affiliate", "currency")


def sums_by_record(events: pl.DataFrame) -> pl.DataFrame:
    """Return, per `target`, what was paid and refunded.

    Shape: gross is null when an amount could not be read; refunded is 0 without refunds; `first_*` are of the first payment; columns
    without a role hold the newest value of a payment, as `newest_<name>`;
    `_events` holds the chunks of everything that belongs to the record, `_earliest` the place of its earliest event, and `_is_unread`
    whether one of them waits because it cannot be read.
    """
    belonging = events.filter(pl.col("target").is_not_null()).sort("n")
    every = belonging.group_by("target").agg(
        united_lists(pl.col("_chunks")).alias("_events"),
        pl.col("n").min().alias("_earliest"),
        pl.col("unread").is_not_null().any().alias("_is_unread"),
    )
    paid = (
        belonging.filter(pl.col("kind").is_in([SALE, REBILL]))
        .group_by("target", maintain_order=True)
        .agg(
            pl.when(pl.col("amount").is_not_null().all()).then(pl.col("amount").sum()).cast(MONEY).alias("gross"),
            pl.len().alias("payments"),
            pl.col("amount").first().alias("first_amount"),
            pl.col("amount").last().alias("last_amount"),
            *(pl.col(name).first().alias(f"first_{name}") for name in (*FIRST, "at", "on", "product")),
            *(_newest(belonging, name) for name in belonging.columns if is_carried(name)),
        )
    )
    back = (
        belonging.filter(pl.col("kind").is_in(REFUNDS))
        .group_by("target", maintain_order=True)
        .agg(
            pl.col("amount").abs().sum().cast(MONEY).alias("refunded"),
            pl.col("at").max().alias("refunded_at"),
            (pl.col("kind").last() == CHARGEBACK).alias("is_chargeback"),
        )
    )
    joined = every.join(paid, on="target", how="left").join(back, on="target", how="left")
    return joined.with_columns(pl.col("payments", "refunded").fill_null(0), pl.col("is_chargeback").fill_null(value=False))


def _newest(events: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name).filter(filled(events, name)).last().alias(f"newest_{name}")


def paid_states(chosen: Chosen, reasons: LostReasons, value: pl.Expr) -> list[pl.Expr]:
    """Return status, value, times and reason of records with a payment; `value` is what they are worth while won."""
    net = pl.col("gross") - pl.col("refunded")
    in_full = ((pl.col("gross") > 0) & (net <= 0)).fill_null(value=False)
    lost = in_full & pl.lit(chosen.refunded == "lost")
    why = pl.when(pl.col("is_chargeback")).then(pl.lit(reasons.chargeback)).otherwise(pl.lit(reasons.refund))
    gross = pl.col("gross") if chosen.value == "sum_paid" else value
    worth = pl.when(lost).then(gross).when(in_full).then(net).otherwise(value)
    return [
        pl.when(lost).then(pl.lit("lost")).otherwise(pl.lit("won")).alias("status"),
        worth.cast(MONEY).alias("value"),
        pl.when(~lost).then(pl.col("first_at")).alias("won_at"),
        pl.when(lost).then(pl.col("refunded_at")).alias("lost_at"),
        pl.when(lost).then(why).alias("lost_reason"),
    ]


def net_value() -> pl.Expr:
    """Return what is left of the payments after refunds."""
    return pl.col("gross") - pl.col("refunded")


def subscription_value(chosen: Chosen) -> pl.Expr:
    """Return what a paid subscription is worth, as the client chose."""
    return {"sum_paid": net_value(), "first": pl.col("first_amount"), "latest": pl.col("last_amount")}[chosen.value]
