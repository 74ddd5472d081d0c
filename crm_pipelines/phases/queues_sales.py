"""Which sales a doubtful refund may belong to: what a person is shown to choose from.

Belongs here: candidates in words. Not here: the rules that match without a person (phases.resolve.matching), the row itself
(phases.queues).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import polars as pl

from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve.columns import comparable, text
from crm_pipelines.phases.resolve.events import REBILL, REFUNDS, SALE
from crm_pipelines.phases.stage import read_staged
from crm_pipelines.sources.base import ROW
from crm_pipelines.spec.derive_purchases import Purchases

DOUBTS = ("two_candidates", "no_candidate", "no_contact")
SHOWN = 10


def candidates(project: Project, object_name: str, waiting: pl.DataFrame) -> Mapping[tuple[str, int], tuple[str, ...]]:
    """Return, per waiting refund (chunk and row), the sales of the same buyer that it may belong to.

    Shape: each is `key: date, amount currency, product`, those of the same product first, then the newest; empty where the buyer bought
    nothing. Rows that are no refunds are not in it.
    """
    spec = project.spec.derive.purchases
    doubtful = waiting.filter(pl.col("reason").is_in(DOUBTS))
    if spec is None or object_name != spec.payments or doubtful.is_empty():
        return {}
    events = _events(project, spec)
    places = doubtful.select("chunk", pl.col("row").alias(ROW))
    refunds = events.filter(pl.col("kind").is_in(REFUNDS)).join(places, on=["chunk", ROW], how="semi")
    sales = events.filter(pl.col("kind").is_in([SALE, REBILL])).unique("key", keep="last", maintain_order=True)
    return {(row["chunk"], row[ROW]): _fitting(row, sales) for row in refunds.iter_rows(named=True)}


def payment_keys(project: Project) -> Collection[str]:
    """Return the keys of everything that can be paid back."""
    spec = project.spec.derive.purchases
    if spec is None:
        return ()
    events = _events(project, spec)
    return set(events.filter(pl.col("kind").is_in([SALE, REBILL])).get_column("key").drop_nulls())


def _fitting(refund: Mapping[str, Any], sales: pl.DataFrame) -> tuple[str, ...]:
    """Return the sales of the refund's buyer or subscription, up to its date."""
    same = pl.lit(value=False)
    for name in ("subscription", "contact", "email"):
        if refund[name] is not None:
            same |= (pl.col(name) == refund[name]).fill_null(value=False)
    until = pl.lit(value=True) if refund["at"] is None else (pl.col("at") <= refund["at"]).fill_null(value=True)
    is_same_product = (pl.col("product_key") == refund["product_key"]).fill_null(value=False)
    found = sales.filter(same & until).sort(~is_same_product, pl.col("at"), descending=[False, True], nulls_last=True)
    return tuple(_words(row) for row in found.head(SHOWN).iter_rows(named=True))


def _words(sale: Mapping[str, Any]) -> str:
    day = f"{sale['at']:%Y-%m-%d}" if sale["at"] is not None else "no date"
    amount = f"{sale['amount']:,.2f} {sale['currency'] or ''}".strip() if sale["amount"] is not None else "no amount"
    return f"{sale['key']}: {day}, {amount}, {sale['product'] or 'no product'}"


def _events(project: Project, spec: Purchases) -> pl.DataFrame:
    rows = read_staged(project.staged_folder, spec.payments, project.object_chunks(spec.payments))
    names, kinds = spec.columns, {word.casefold(): kind for word, kind in spec.kinds.items()}
    texts = {"key": names.id, "product": names.product, "currency": names.currency, "subscription": names.subscription}
    return rows.select(
        pl.col("_chunk").alias("chunk"),
        ROW,
        comparable(text(rows, names.kind)).replace_strict(kinds, default=None, return_dtype=pl.String).alias("kind"),
        pl.col(names.at).alias("at"),
        pl.col(names.amount).alias("amount"),
        comparable(text(rows, names.product)).alias("product_key"),
        text(rows, names.contact).alias("contact"),
        comparable(text(rows, names.email)).alias("email"),
        *(text(rows, column).alias(role) for role, column in texts.items()),
    )
