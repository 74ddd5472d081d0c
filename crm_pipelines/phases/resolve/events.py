"""Payment events by role: the vendor's columns and type words translated, one row per event.

Belongs here: reading the two purchase objects into frames with fixed column names. Not here: which record an event
belongs to (matching), money (money).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from crm_pipelines.phases.resolve.columns import column, comparable, key_order, text, unread
from crm_pipelines.phases.resolve.fold import Folded, fold_rows, stacked
from crm_pipelines.phases.resolve.links import with_link_columns
from crm_pipelines.phases.resolve.values import BELONGS_TO, ROW, StagedObject
from crm_pipelines.spec.derive_purchases import PaymentColumns, Purchases, SubscriptionColumns

SALE, REBILL, FAILED = "sale", "rebill", "failed"
CANCELLATION, REQUESTED, WITHDRAWN = "cancellation", "cancellation_requested", "cancellation_withdrawn"
REFUND, PARTIAL_REFUND, CHARGEBACK = "refund", "partial_refund", "chargeback"
LIFECYCLE = (CANCELLATION, REQUESTED, WITHDRAWN)
REFUNDS = (REFUND, PARTIAL_REFUND, CHARGEBACK)
NO_AMOUNT, NO_DATE = "no_amount", "no_date"
"""Why a payment waits: what it lacks is missing, or cannot be read."""
UNREADABLE_NUMBER, UNREADABLE_DATE = "unreadable_number", "unreadable_date"
MOMENT = pl.Datetime("us", "UTC")
MONEY = pl.Decimal(18, 4)


@dataclass(frozen=True)
class PurchaseRows:
    """Events and subscriptions as folded, before anything is decided about them.

    Shape: `events` one row per transaction with `n`, its place in time (date, then id); `subscriptions` one row per id. `unread` is the
    reason why a row has to wait whatever it belongs to, because a cell of it that counts cannot be read; a refund's is told by matching.
    """

    payments: Folded
    subscribed: Folded
    events: pl.DataFrame
    subscriptions: pl.DataFrame


def purchase_rows(
    spec: Purchases,
    payments: StagedObject | None,
    subscriptions: StagedObject | None,
    zone: str,
    more: Mapping[str, Sequence[str]] | None = None,
) -> PurchaseRows:
    """Fold both objects and name their columns by role; `more` (object -> columns) come along as `<object>.<column>`."""
    of_payments, of_subscriptions = ((more or {}).get(name, ()) for name in (spec.payments, spec.subscriptions))
    paid = fold_rows(stacked(payments, spec.columns.id, [*_names(spec.columns), BELONGS_TO, *of_payments]))
    subscribed = fold_rows(stacked(subscriptions, spec.subscription_columns.id, [*_names(spec.subscription_columns), *of_subscriptions]))
    events = _events(spec, paid.frame, zone, _carried(paid.frame, spec.payments, of_payments))
    listed = _subscriptions(spec.subscription_columns, subscribed.frame, _carried(subscribed.frame, spec.subscriptions, of_subscriptions))
    return PurchaseRows(paid, subscribed, events, listed)


def is_carried(name: str) -> bool:
    """Tell whether a column is one that came along without a role."""
    return "." in name


def local_date(expr: pl.Expr, zone: str) -> pl.Expr:
    """Return the calendar date of a moment in the export's zone."""
    return expr.dt.convert_time_zone(zone).dt.date()


def _names(columns: PaymentColumns | SubscriptionColumns) -> list[str]:
    return list(columns.model_dump().values())


def _carried(rows: pl.DataFrame, owner: str, names: Sequence[str]) -> list[pl.Expr]:
    raw = [pl.col(f"raw_{name}").alias(f"raw_{owner}.{name}") for name in names if f"raw_{name}" in rows.columns]
    return [*(column(rows, name).alias(f"{owner}.{name}") for name in names), *raw]


def _events(spec: Purchases, rows: pl.DataFrame, zone: str, carried: Sequence[pl.Expr] = ()) -> pl.DataFrame:
    names = spec.columns
    kinds = {word.casefold(): kind for word, kind in spec.kinds.items()}
    events = rows.select(
        *("_key", "_chunk", ROW, "_chunks", "_exported") if "_chunks" in rows.columns else _nothing(),
        comparable(text(rows, names.kind)).replace_strict(kinds, default=None, return_dtype=pl.String).alias("kind"),
        column(rows, names.at, MOMENT).alias("at"),
        local_date(column(rows, names.at, MOMENT), zone).alias("on"),
        column(rows, names.amount, MONEY).alias("amount"),
        column(rows, names.quantity).cast(pl.Float64).alias("quantity"),
        comparable(text(rows, names.product)).alias("product_key"),
        text(rows, BELONGS_TO).alias("belongs_to"),
        *(text(rows, name).alias(role) for role, name in _texts(names).items()),
        unread(rows.columns, names.quantity).alias("_odd_quantity"),
        *carried,
    )
    judged = events.with_columns(_why_unread(names)).drop("_odd_quantity")
    linked = with_link_columns(judged, pl.col("contact"), pl.col("email")).drop("contact", "email")
    return linked.sort(pl.col("at").is_null(), "at", *key_order("_key")).with_row_index("n")


def _why_unread(names: PaymentColumns) -> pl.Expr:
    paid = pl.col("kind").is_in([SALE, REBILL, FAILED])
    reason = (
        pl.when(pl.col("at").is_null())
        .then(pl.lit(NO_DATE))
        .when(paid & pl.col("amount").is_null())
        .then(pl.lit(NO_AMOUNT))
        .when(paid & pl.col("_odd_quantity"))
        .then(pl.lit(f"{UNREADABLE_NUMBER}: {names.quantity}"))
    )
    return pl.when(~pl.col("kind").is_in(REFUNDS)).then(reason).alias("unread")


def _texts(names: PaymentColumns) -> dict[str, str]:
    roles = ("product", "currency", "subscription", "contact", "email", "processor", "processor_transaction", "price_point", "coupon")
    return {role: getattr(names, role) for role in (*roles, "affiliate")}


def _nothing() -> list[pl.Expr]:
    return [pl.col("_key"), pl.col("_chunk"), pl.col(ROW), pl.lit([], dtype=pl.List(pl.String)).alias("_chunks"), pl.col("_exported")]


def _subscriptions(names: SubscriptionColumns, rows: pl.DataFrame, carried: Sequence[pl.Expr] = ()) -> pl.DataFrame:
    roles = ("product", "contact", "email", "status", "period", "price_point", "affiliate", "currency")
    named = rows.select(
        *("_key", "_chunk", ROW, "_chunks", "_exported"),
        column(rows, names.started, MOMENT).alias("started_at"),
        column(rows, names.ended, MOMENT).alias("ended_at"),
        *(text(rows, getattr(names, role)).alias(role) for role in roles),
        pl.coalesce(*(_odd_date(rows, name) for name in (names.started, names.ended))).alias("unread"),
        *carried,
    )
    return with_link_columns(named, pl.col("contact"), pl.col("email")).drop("contact", "email")


def _odd_date(rows: pl.DataFrame, name: str) -> pl.Expr:
    return pl.when(unread(rows.columns, name)).then(pl.lit(f"{UNREADABLE_DATE}: {name}"))
