"""Products, which have no rows of their own: the distinct product names on purchases that do not wait.

Belongs here: the key that purchases carry and the rows of the frame. Not here: who is a purchase (purchases).
"""

from __future__ import annotations

import polars as pl

from crm_pipelines.phases.resolve.columns import collapsed, comparable, key_from, united_lists
from crm_pipelines.phases.resolve.companies import NO_LIST, NOTHING
from crm_pipelines.spec.derive_purchases import Products


def with_product_key(purchases: pl.DataFrame, spec: Products) -> pl.DataFrame:
    """Add `product_key`, null where a purchase names no product."""
    return purchases.with_columns(key_from(spec.key, "name", comparable(pl.col("product"))).alias("product_key"))


def product_records(purchases: pl.DataFrame) -> pl.DataFrame:
    """Return one row per product key of the purchases that do not wait; `name` is the least spelling by code point."""
    sold = purchases.filter(pl.col("queue").is_null() & pl.col("product_key").is_not_null())
    together = sold.group_by("product_key").agg(collapsed(pl.col("product")).min().alias("name"), united_lists(pl.col("contributors")))
    return together.sort("product_key").select(
        pl.col("product_key").alias("key"),
        NO_LIST.alias("aliases"),
        "contributors",
        *(NOTHING.alias(name) for name in ("queue", "reason", "contact_key", "company_key", "owner_key")),
        "name",
    )
