"""Subscriptions as records: their status out of file and events, their dates, and their state without a payment.

Belongs here: one row per subscription. Not here: sums (money), which events are theirs (matching).
"""

from __future__ import annotations

import polars as pl

from crm_pipelines.phases.resolve.columns import comparable, key_from
from crm_pipelines.phases.resolve.events import CANCELLATION, LIFECYCLE, MONEY, REQUESTED, WITHDRAWN, is_carried, local_date
from crm_pipelines.phases.resolve.matching import Chosen
from crm_pipelines.phases.resolve.money import paid_states, subscription_value
from crm_pipelines.spec.derive_purchases import Purchases, Statuses

PAYMENT_WAITS = "payment_waits"
"""Why a subscription waits: a payment or cancellation of it cannot be read, so that nobody can tell what it is worth and how it stands."""


def subscription_records(
    subscriptions: pl.DataFrame, events: pl.DataFrame, sums: pl.DataFrame, *, spec: Purchases, chosen: Chosen, zone: str
) -> pl.DataFrame:
    """Return the records of all subscriptions, listed and rebuilt."""
    keyed = subscriptions.with_columns(key_from(spec.keys.subscription, "id", pl.col("_key")).alias("key"))
    lived = keyed.join(_lifecycles(events, keyed), left_on="key", right_on="target", how="left")
    summed = lived.join(sums, left_on="key", right_on="target", how="left").with_columns(
        pl.col("payments", "refunded").fill_null(0), pl.col("is_chargeback").fill_null(value=False)
    )
    told = summed.with_columns(*_status(spec.statuses)).with_columns(
        pl.coalesce("started_at", "first_at").alias("started_at"),
        pl.coalesce("ended_at", pl.when(pl.col("_status_of_events")).then(pl.col("cancelled_at"))).alias("ended_at"),
    )
    stated = pl.concat(
        [
            told.filter(pl.col("payments") > 0).with_columns(*paid_states(chosen, spec.lost_reasons, subscription_value(chosen))),
            told.filter(pl.col("payments") == 0).with_columns(*_unpaid_states(spec)),
        ],
        how="vertical",
    )
    return stated.select(*_columns(spec, zone), *_carried(stated))


def _carried(stated: pl.DataFrame) -> list[pl.Expr]:
    """Return the columns without a role: the subscription's own, and the newest of its payments."""
    return [pl.col(name).alias(name.removeprefix("newest_")) for name in stated.columns if is_carried(name)]


def _lifecycles(events: pl.DataFrame, subscriptions: pl.DataFrame) -> pl.DataFrame:
    """Return, per subscription, its last lifecycle events: of all, and of those newer than its own file."""
    told = subscriptions.select(pl.col("key").alias("target"), pl.col("_exported").alias("_told_at"), "is_listed")
    lived = events.filter(pl.col("kind").is_in(LIFECYCLE) & pl.col("target").is_not_null()).join(told, on="target").sort("n")
    newer = (pl.col("_exported") > pl.col("_told_at")) & (pl.col("at") > pl.col("_told_at"))
    wins = (~pl.col("is_listed") | newer).fill_null(value=False)
    last = pl.col("n").filter(pl.col("kind") == REQUESTED).max()
    withdrawn = pl.col("n").filter(pl.col("kind") == WITHDRAWN).max()
    open_request = last.is_not_null() & (withdrawn.is_null() | (last > withdrawn))
    return lived.group_by("target", maintain_order=True).agg(
        pl.col("kind").filter(wins).last().alias("_newer_kind"),
        pl.col("kind").last().alias("_last_kind"),
        pl.when(open_request).then(pl.col("on").filter(pl.col("kind") == REQUESTED).last()).alias("cancellation_requested_on"),
        pl.col("at").filter(pl.col("kind") == CANCELLATION).last().alias("cancelled_at"),
    )


def _status(words: Statuses) -> list[pl.Expr]:
    spellings = {word.casefold(): word for word in (*words.open, *words.lost, *words.won, words.cancellation_requested)}
    known = comparable(pl.col("status")).replace_strict(spellings, default=None, return_dtype=pl.String)
    listed = pl.coalesce(known, pl.col("status"))
    newer, rebuilt = _status_after("_newer_kind", words), _status_after("_last_kind", words)
    started_over = pl.when(pl.col("_newer_kind").is_in([CANCELLATION, REQUESTED])).then(newer)
    return [
        pl.coalesce(started_over, listed, rebuilt, pl.lit(words.open[0])).alias("subscription_status"),
        ((pl.col("_newer_kind") == CANCELLATION) | (listed.is_null() & (pl.col("_last_kind") == CANCELLATION)))
        .fill_null(value=False)
        .alias("_status_of_events"),
        (pl.col("status").is_not_null() & known.is_null()).alias("_status_unknown"),
    ]


def _status_after(kind: str, words: Statuses) -> pl.Expr:
    return (
        pl.when(pl.col(kind) == CANCELLATION)
        .then(pl.lit(words.lost[0]))
        .when(pl.col(kind) == REQUESTED)
        .then(pl.lit(words.cancellation_requested))
        .when(pl.col(kind).is_not_null())
        .then(pl.lit(words.open[0]))
    )


def _unpaid_states(spec: Purchases) -> list[pl.Expr]:
    word = pl.col("subscription_status")
    lost, won = word.is_in(spec.statuses.lost), word.is_in(spec.statuses.won)
    ended = pl.coalesce("ended_at", "started_at")
    return [
        pl.when(lost).then(pl.lit("lost")).when(won).then(pl.lit("won")).otherwise(pl.lit("open")).alias("status"),
        pl.lit(None, dtype=MONEY).alias("value"),
        pl.when(won).then(ended).alias("won_at"),
        pl.when(lost).then(ended).alias("lost_at"),
        pl.when(lost).then(pl.lit(spec.lost_reasons.cancelled)).alias("lost_reason"),
    ]


def _columns(spec: Purchases, zone: str) -> list[pl.Expr]:
    alone, unknown = pl.col("contact_key").is_null(), pl.col("_status_unknown")
    doubt = pl.coalesce("unread", pl.when(pl.col("_is_unread")).then(pl.lit(PAYMENT_WAITS)))
    own = {
        "contributors": pl.concat_list(pl.col("_chunks", "_events").fill_null([])).list.unique().list.sort(),
        "queue": pl.when(alone)
        .then(pl.lit("review"))
        .when(unknown)
        .then(pl.lit("decision"))
        .when(doubt.is_not_null())
        .then(pl.lit("remediation")),
        "reason": pl.when(alone).then(pl.lit("no_contact")).when(unknown).then(pl.lit("unknown_option")).otherwise(doubt),
        "kind": pl.lit("subscription"),
        "title_id": key_from(spec.keys.subscription_title, "id", pl.col("_key")),
        "currency": pl.coalesce("first_currency", "currency"),
        "refunded": pl.when(pl.col("refunded") > 0).then(pl.col("refunded")),
        "closed_on": local_date(pl.coalesce("first_at", "started_at"), zone),
        "created_at": pl.col("started_at"),
        "created_on": local_date(pl.col("started_at"), zone),
        "started_on": local_date(pl.col("started_at"), zone),
        "ended_on": local_date(pl.col("ended_at"), zone),
        "processor": pl.col("first_processor"),
        "processor_transaction": pl.col("first_processor_transaction"),
        "price_point": pl.coalesce("price_point", "first_price_point"),
        "quantity": pl.col("first_quantity"),
        "coupon": pl.col("first_coupon"),
        "affiliate": pl.coalesce("affiliate", "first_affiliate"),
        "subscription_id": pl.col("_key"),
        "billing_period": pl.col("period"),
        "payments_received": pl.col("payments").cast(pl.Int64),
    }
    kept = ("key", "contact_key", "product", "value", "gross", "status", "won_at", "lost_at", "lost_reason", "subscription_status")
    tail = ("cancellation_requested_on", "is_listed", "_earliest")
    return [pl.col(name) for name in (*kept, *tail)] + [value.alias(name) for name, value in own.items()]
