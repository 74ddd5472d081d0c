"""Several keys, one e-mail address: one record. The lowest key survives, the others become aliases.

Belongs here: which rows are twins and what the merged row holds. Not here: rows with the same key (fold), links of
children that follow the survivor (links).
"""

from __future__ import annotations

import polars as pl

from crm_pipelines.phases.resolve.columns import comparable, key_order
from crm_pipelines.phases.resolve.fold import filled, is_raw, raw_value
from crm_pipelines.spec.derive import Strictest, Twins

BETWEEN_TEXTS = "\n\n"
OTHERS = "*"


def merge_twins(frame: pl.DataFrame, spec: Twins) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return one row per person, and the rows that were merged into another one.

    Shape: people gain `_aliases`; the losers hold `_chunk`, `_row`, `_key` and `_survivor`. Rows without a usable
    address have no twins.
    """
    ordered = frame.sort(key_order("_key"))
    shared = ordered["email_match_key"].is_not_null() & ordered["email_match_key"].is_duplicated()
    alone = ordered.filter(~shared).with_columns(pl.lit([], dtype=pl.List(pl.String)).alias("_aliases"))
    twins = ordered.filter(shared).with_columns(_ranks(ordered, spec))
    merged = twins.group_by("email_match_key", maintain_order=True).agg(_merged_values(twins, spec))
    losers = (
        twins.with_columns(pl.col("_key").first().over("email_match_key").alias("_survivor"))
        .filter(pl.col("_key") != pl.col("_survivor"))
        .select("_chunk", "_row", "_key", "_survivor")
    )
    return pl.concat([alone, merged.select(alone.columns)], how="vertical"), losers


def strictness(expr: pl.Expr, spec: Strictest) -> pl.Expr:
    """Return the rank of a word, 0 the strictest; null for no word."""
    levels = [[level] if isinstance(level, str) else level for level in spec.order]
    ranks = {word.casefold(): rank for rank, level in enumerate(levels) for word in level}
    others = ranks.pop(OTHERS, -1)
    ranks |= {word.casefold(): ranks[meaning.casefold()] for word, meaning in spec.words.items()}
    words = comparable(expr.cast(pl.String))
    known = words.replace_strict(list(ranks), list(ranks.values()), default=others, return_dtype=pl.Int64)
    return pl.when(words.is_not_null()).then(known)


def _ranks(frame: pl.DataFrame, spec: Twins) -> list[pl.Expr]:
    return [strictness(pl.col(name), rule).alias(f"_rank_{name}") for name, rule in spec.strictest.items() if name in frame.columns]


def _merged_values(frame: pl.DataFrame, spec: Twins) -> list[pl.Expr]:
    strict = {column: name for name, rule in spec.strictest.items() for column in [name, *rule.together] if name in frame.columns}
    values = [pl.col("_key").slice(1).alias("_aliases"), pl.col("_chunks").explode(empty_as_null=False).unique().sort()]
    for name in frame.columns:
        if name in ("_chunks", "email_match_key") or name.startswith("_rank_"):
            continue
        values.append(_merged_value(frame, spec, strict, name))
    return values


def _merged_value(frame: pl.DataFrame, spec: Twins, strict: dict[str, str], name: str) -> pl.Expr:
    if name.startswith("_"):
        return pl.col(name).first()
    if name.removeprefix("raw_") in strict:
        return _strictest_value(f"_rank_{strict[name.removeprefix('raw_')]}", name)
    if name in spec.union and isinstance(frame.schema[name], pl.List):
        united = pl.col(name).explode(empty_as_null=False).drop_nulls().unique(maintain_order=True)
        return pl.when(united.len() > 0).then(united.implode()).alias(name)
    if name in spec.join and frame.schema[name] == pl.String:
        texts = pl.col(name).filter(filled(frame, name)).unique(maintain_order=True)
        return pl.when(texts.len() > 0).then(texts.str.join(BETWEEN_TEXTS)).alias(name)
    if name in spec.greatest:
        return pl.col(name).max()
    return _first_value(frame, name)


def _strictest_value(rank: str, name: str) -> pl.Expr:
    """Return the value of the strictest row, empty or not; the survivor's when no row has a word."""
    chosen = pl.col(name).filter(pl.col(rank) == pl.col(rank).min()).first()
    return pl.when(pl.col(rank).min().is_not_null()).then(chosen).otherwise(pl.col(name).first()).alias(name)


def _first_value(frame: pl.DataFrame, name: str) -> pl.Expr:
    if is_raw(frame, name):
        return raw_value(frame, name, last=False)
    return pl.col(name).filter(filled(frame, name)).first()
