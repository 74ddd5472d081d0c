"""Small column expressions that every part of the fold needs: keys as text, key order, names for comparison.

Belongs here: pure expressions. Not here: e-mail addresses (emails), rules a client can see (spec.rules).
"""

from __future__ import annotations

from collections.abc import Container, Iterable

import polars as pl

ZERO_DATE = "0000-00-00"
SPACES = "[\\s\u00a0\u200b\u200c\u200d\u2060\ufeff]+"


def column(frame: pl.DataFrame, name: str, dtype: pl.DataType | None = None) -> pl.Expr:
    """Return the column called `name`, or nulls where the files do not have it."""
    found = pl.col(name) if name in frame.columns else pl.lit(None, dtype=dtype or pl.String())
    return found.cast(dtype) if dtype is not None else found


def text(frame: pl.DataFrame, name: str) -> pl.Expr:
    """Return a column as trimmed text; empty text and the literal N/A are null."""
    trimmed = column(frame, name, pl.String()).str.replace_all(f"^{SPACES}|{SPACES}$", "")
    return pl.when((trimmed != "") & (trimmed.str.to_lowercase() != "n/a")).then(trimmed)


def unread(columns: Container[str], name: str) -> pl.Expr:
    """Tell where a cell held text that could not be read as what its column holds; an empty cell, N/A and a zero date held none."""
    if f"raw_{name}" not in columns or name not in columns:
        return pl.lit(value=False)
    raw = pl.col(f"raw_{name}").str.strip_chars().str.to_lowercase()
    held = (raw != "") & (raw != "n/a") & ~raw.str.starts_with(ZERO_DATE)
    return (pl.col(name).is_null() & held).fill_null(value=False)


def collapsed(expr: pl.Expr) -> pl.Expr:
    """Return text with inner spaces collapsed to one and outer ones removed; empty text is null."""
    plain = expr.str.replace_all(SPACES, " ").str.strip_chars(" ")
    return pl.when(plain != "").then(plain)


def casefolded(expr: pl.Expr) -> pl.Expr:
    """Return text casefolded, as Python does it; plain ASCII takes the fast way."""
    ascii_only = expr.str.contains(r"^[\x00-\x7f]*$")
    return (
        pl.when(ascii_only)
        .then(expr.str.to_lowercase())
        .otherwise(pl.when(~ascii_only).then(expr).map_batches(_casefold, return_dtype=pl.String(), is_elementwise=True))
    )


def comparable(expr: pl.Expr) -> pl.Expr:
    """Return text as two spellings of one name agree: collapsed and casefolded."""
    return casefolded(collapsed(expr))


def key_order(name: str) -> list[pl.Expr]:
    """Return the sort columns that put keys in order: numbers as numbers, then the rest as text."""
    number = pl.col(name).cast(pl.Int64, strict=False)
    return [number.is_null(), number.fill_null(0), pl.col(name)]


def key_from(template: str, field: str, value: pl.Expr) -> pl.Expr:
    """Return the template with its `{field}` replaced by `value`; null where the value is."""
    before, _, after = template.partition("{" + field + "}")
    return pl.concat_str([pl.lit(before), value, pl.lit(after)])


def united_lists(expr: pl.Expr) -> pl.Expr:
    """Return, in an aggregation, the sorted distinct members of all lists of a group."""
    return expr.explode(empty_as_null=False).drop_nulls().unique().sort()


def full_name(frame: pl.DataFrame, names: Iterable[str]) -> pl.Expr:
    """Return the non-empty parts of a name joined by a space; null when there is none."""
    parts = [collapsed(column(frame, name, pl.String())) for name in names]
    joined = pl.concat_str(parts, separator=" ", ignore_nulls=True)
    return pl.when(joined != "").then(joined)


def _casefold(values: pl.Series) -> pl.Series:
    distinct = [value for value in values.unique() if value is not None]
    return values.replace_strict(distinct, [value.casefold() for value in distinct], default=None, return_dtype=pl.String())
