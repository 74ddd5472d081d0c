"""What merged contacts said otherwise than the one person they became: values that are kept nowhere else.

Belongs here: finding them. Not here: merging (twins), showing them to a client (reports.merged_values).
"""

from __future__ import annotations

import polars as pl

from crm_pipelines.phases.resolve.columns import comparable
from crm_pipelines.phases.resolve.values import ROW
from crm_pipelines.spec.derive import Contacts, Twins

DIFFERING: dict[str, pl.DataType] = {
    "chunk": pl.String(),
    "row": pl.Int64(),
    "key": pl.String(),
    "into_key": pl.String(),
    "column": pl.String(),
    "value": pl.String(),
    "stayed": pl.String(),
    "rule": pl.String(),
}
"""One line per merged row and column; `rule` says why the other value stayed: `first`, `strictest` or `greatest`."""
DIFFERING_VALUES = "differing"
"""Name of the frame among the folded ones."""
LISTED = ", "
MOMENT = "%Y-%m-%d %H:%M:%S UTC"
STAYED = ":stayed"


def differing_values(rows: pl.DataFrame, people: pl.DataFrame, losers: pl.DataFrame, spec: Contacts) -> pl.DataFrame:
    """Return every filled cell of merged rows, the survivor's own among them, that is not what stayed on the person.

    Shape: DIFFERING; `losers` names the survivor of each merged key, as merge_twins does. Case and spaces make no difference. Not told are
    columns of which everything is kept: the key, addresses, telephone numbers, united lists and joined texts.
    """
    names = _compared(rows, spec)
    merged = rows.join(losers.select("_key", "_survivor"), on="_key", how="left", maintain_order="left")
    merged = merged.with_columns(pl.coalesce("_survivor", "_key").alias("into_key"))
    merged = merged.filter(pl.col("into_key").is_in(losers["_survivor"].implode()))
    told = merged.select("into_key", "_chunk", ROW, "_key", *(_told(merged, name) for name in names))
    kept = people.select(pl.col("_key").alias("into_key"), *(_told(people, name) for name in names))
    joined = told.join(kept, on="into_key", suffix=STAYED, maintain_order="left")
    parts = [_of_column(joined, name, _rule(spec.twins, name)) for name in names]
    return pl.concat([none_differing(), *parts]).sort("into_key", "key", "column")


def none_differing() -> pl.DataFrame:
    """Return an empty frame."""
    return pl.DataFrame(schema=DIFFERING)


def _compared(rows: pl.DataFrame, spec: Contacts) -> list[str]:
    phones = spec.twins.phones
    told = {spec.key, spec.email, "email_normal", "email_match_key", "email_problem", *spec.twins.union, *spec.twins.join}
    told |= {phones.number, phones.code} if phones else set()
    return [name for name in rows.columns if name not in told and not name.startswith(("_", "raw_"))]


def _told(frame: pl.DataFrame, name: str) -> pl.Expr:
    if isinstance(frame.schema[name], pl.List):
        return pl.col(name).cast(pl.List(pl.String)).list.join(LISTED)
    if isinstance(frame.schema[name], pl.Datetime):
        return pl.col(name).dt.strftime(MOMENT)
    return pl.col(name).cast(pl.String)


def _of_column(joined: pl.DataFrame, name: str, rule: str) -> pl.DataFrame:
    value, stayed = pl.col(name), pl.col(f"{name}{STAYED}")
    differs = comparable(value).is_not_null() & (comparable(value) != comparable(stayed)).fill_null(value=True)
    return joined.filter(differs).select(
        pl.col("_chunk").alias("chunk"),
        pl.col(ROW).alias("row"),
        pl.col("_key").alias("key"),
        "into_key",
        pl.lit(name).alias("column"),
        value.alias("value"),
        stayed.alias("stayed"),
        pl.lit(rule).alias("rule"),
    )


def _rule(twins: Twins, name: str) -> str:
    strict = {column for each, rule in twins.strictest.items() for column in (each, *rule.together)}
    return "strictest" if name in strict else "greatest" if name in twins.greatest else "first"
