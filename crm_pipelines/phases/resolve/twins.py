"""Several keys, one person: one address, or the client says so. The lowest key survives, or the one named first; the others become aliases.

Belongs here: which rows are twins and what the merged row holds. Not here: rows with the same key (fold), links of
children that follow the survivor (links).
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from crm_pipelines.phases.resolve.columns import comparable, key_order
from crm_pipelines.phases.resolve.fold import filled, is_raw, raw_value, says
from crm_pipelines.spec.derive import Phones, Strictest, Twins
from crm_pipelines.spec.derived import OTHER_PHONES
from crm_pipelines.spec.rules_contact import phone

BETWEEN_TEXTS = "\n\n"
OTHERS = "*"
NUMBER = "_number"
SAME = {"_key": pl.String(), "_group": pl.Int64(), "_place": pl.Int64()}
_TEXTS = pl.List(pl.String)
NOBODY = pl.lit([], dtype=_TEXTS)


def merge_twins(frame: pl.DataFrame, spec: Twins, email: str, same: pl.DataFrame | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return one row per person, and the rows that were merged into another one.

    Shape: people gain `_aliases`, `other_emails` (addresses of twins that are not the person's own) and their match keys, and the other
    numbers (OTHER_PHONES); the losers hold `_chunk`, `_row`, `_key` and `_survivor`. Rows without a usable address have no twins but
    those that `same` (see declared) names.
    """
    ordered = _with_person(frame, declared(()) if same is None else same)
    shared = ordered["_person"].is_duplicated()
    alone = without_twins(ordered.filter(~shared).drop("_person"))
    twins = _with_addresses(ordered.filter(shared), email).with_columns(*_ranks(ordered, spec), *_numbers(ordered, spec.phones))
    merged = twins.group_by("_person", maintain_order=True).agg(_merged_values(twins, spec, email))
    losers = (
        twins.with_columns(pl.col("_key").first().over("_person").alias("_survivor"))
        .filter(pl.col("_key") != pl.col("_survivor"))
        .select("_chunk", "_row", "_key", "_survivor")
    )
    return pl.concat([alone, merged.select(alone.columns)], how="vertical"), losers


def declared(groups: Iterable[Iterable[str]]) -> pl.DataFrame:
    """Return the groups of keys that a client says are one person. Shape: one row per key, with its `_group` and `_place` in it."""
    rows = [(key.strip(), number, place) for number, group in enumerate(groups) for place, key in enumerate(group)]
    return pl.DataFrame(rows, schema=SAME, orient="row").unique("_key", keep="first", maintain_order=True)


def without_twins(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the columns that merged rows have to rows without a twin."""
    nothing = [pl.lit(None, dtype=_TEXTS).alias(name) for name in ("other_emails", *OTHER_PHONES)]
    return rows.with_columns(NOBODY.alias("_aliases"), *nothing, NOBODY.alias("_other_keys"))


def _with_person(frame: pl.DataFrame, same: pl.DataFrame) -> pl.DataFrame:
    """Put survivors first and number people: rows with a common address or declared group, directly or over others, are one."""
    placed = frame.join(same, on="_key", how="left", maintain_order="left")
    ordered = placed.sort(pl.col("_place").is_null(), "_place", *key_order("_key")).with_row_index("_person")
    address = pl.when(pl.col("email_match_key").is_null()).then(pl.col("_person").cast(pl.String)).otherwise(pl.col("email_match_key"))
    linked = ordered.select(
        "_person", address.alias("address"), pl.coalesce("_group", -1 - pl.col("_person").cast(pl.Int64)).alias("group")
    )
    while True:
        least = linked.with_columns(pl.col("_person").min().over("address")).with_columns(pl.col("_person").min().over("group"))
        if least["_person"].equals(linked["_person"]):
            return ordered.with_columns(linked["_person"]).drop("_group", "_place")
        linked = least


def _with_addresses(twins: pl.DataFrame, email: str) -> pl.DataFrame:
    """Add which row gives the person's address (`_rank_address`), and whose address is another one (`_is_other`)."""
    usable, written = pl.col("email_match_key").is_not_null(), filled(twins, email) if email in twins.columns else pl.lit(value=False)
    ranked = twins.with_columns(pl.when(usable).then(0).when(written).then(1).otherwise(2).alias("_rank_address"))
    own = pl.col("email_match_key").filter(usable).first().over("_person")
    return ranked.with_columns(
        (usable & (pl.col("email_match_key") != own) & pl.col("email_match_key").is_first_distinct()).alias("_is_other")
    )


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


def _numbers(frame: pl.DataFrame, spec: Phones | None) -> list[pl.Expr]:
    """Return the number of each row in international form (`_number`), read with what its own row says of the country."""
    if spec is None or spec.number not in frame.columns:
        return []
    told = [pl.col(name) if name in frame.columns else pl.lit(None, dtype=pl.String()) for name in (spec.number, spec.code, spec.country)]
    return [phone(*told).alias(NUMBER)]


def _merged_numbers(frame: pl.DataFrame, spec: Twins) -> list[pl.Expr]:
    """Return every different number of a person but the first, and the texts that are no number."""
    if spec.phones is None or NUMBER not in frame.columns:
        return [pl.lit(None, dtype=_TEXTS).alias(name) for name in OTHER_PHONES]
    read = pl.col(NUMBER).drop_nulls().unique(maintain_order=True)
    texts = pl.col(spec.phones.number).filter(filled(frame, spec.phones.number) & pl.col(NUMBER).is_null()).unique(maintain_order=True)
    unread = pl.when(read.len() > 0).then(texts.implode()).otherwise(texts.slice(1).implode())
    return [
        pl.when(each.list.len() > 0).then(each).alias(name)
        for name, each in zip(OTHER_PHONES, (read.slice(1).implode(), unread), strict=True)
    ]


def _merged_values(frame: pl.DataFrame, spec: Twins, email: str) -> list[pl.Expr]:
    others = pl.col("_is_other").fill_null(value=False)
    addresses = pl.col("email_normal").filter(others)
    values = [pl.col("_key").slice(1).alias("_aliases"), pl.col("_chunks").explode(empty_as_null=False).unique().sort()]
    values += [pl.when(addresses.len() > 0).then(addresses.implode()).alias("other_emails")]
    values += [pl.col("email_match_key").filter(others).alias("_other_keys"), *_merged_numbers(frame, spec)]
    told = (email, "email_normal", "email_match_key", "email_problem")
    strict = {column: name for name, rule in spec.strictest.items() for column in [name, *rule.together] if name in frame.columns}
    for name in frame.columns:
        if name in ("_chunks", "_person", "_is_other", NUMBER) or name.startswith("_rank_"):
            continue
        is_address = name.removeprefix("raw_") in told
        values.append(_ranked_value("_rank_address", name) if is_address else _merged_value(frame, spec, strict, name))
    return values


def _merged_value(frame: pl.DataFrame, spec: Twins, strict: dict[str, str], name: str) -> pl.Expr:
    if name.startswith("_"):
        return pl.col(name).first()
    if name.removeprefix("raw_") in strict:
        return _ranked_value(f"_rank_{strict[name.removeprefix('raw_')]}", name)
    if name in spec.union and isinstance(frame.schema[name], pl.List):
        united = pl.col(name).explode(empty_as_null=False).drop_nulls().unique(maintain_order=True)
        return pl.when(united.len() > 0).then(united.implode()).alias(name)
    if name in spec.join and frame.schema[name] == pl.String:
        texts = pl.col(name).filter(filled(frame, name)).unique(maintain_order=True)
        return pl.when(texts.len() > 0).then(texts.str.join(BETWEEN_TEXTS)).alias(name)
    if name in spec.greatest:
        return pl.col(name).max()
    return _first_value(frame, spec, name)


def _ranked_value(rank: str, name: str) -> pl.Expr:
    """Return the value of the row with the lowest rank, empty or not; the survivor's when no row has a rank."""
    chosen = pl.col(name).filter(pl.col(rank) == pl.col(rank).min()).first()
    return pl.when(pl.col(rank).min().is_not_null()).then(chosen).otherwise(pl.col(name).first()).alias(name)


def _first_value(frame: pl.DataFrame, spec: Twins, name: str) -> pl.Expr:
    if is_raw(frame, name):
        return raw_value(frame, name, last=False)
    first = pl.col(name).filter(says(frame, name)).first()
    is_number = spec.phones is not None and name == spec.phones.number
    return pl.coalesce(pl.col(NUMBER).drop_nulls().first(), first).alias(name) if is_number else first
