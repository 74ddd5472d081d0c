"""Typed columns as canonical JSON text, without Python per row.

Belongs here: the one form of a payload: keys sorted, no spaces, nothing empty, numbers as shortest decimal, UTF-8. It equals
what orjson writes with OPT_SORT_KEYS for the same values. Not here: which fields there are (compile), the hash (keys).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

_SPECIAL = [chr(code) for code in range(0x20)] + ['"', "\\"]
_WRITTEN = [orjson.dumps(character).decode()[1:-1] for character in _SPECIAL]


@dataclass(frozen=True)
class JsonText:
    """A value as JSON text in three pieces, so that quotes and key are joined to it in one go; `core` is null where it is empty."""

    core: pl.Expr
    before: str = ""
    after: str = ""

    def expr(self, before: str = "") -> pl.Expr:
        """Return the whole text, with something before it."""
        start = before + self.before
        pieces = [pl.lit(start)] if start else []
        return pl.concat_str([*pieces, self.core, *([pl.lit(self.after)] if self.after else [])])


def json_value(value: pl.Expr, dtype: Any) -> JsonText:
    """Return a value as JSON text, null where it is empty."""
    if isinstance(dtype, pl.List):
        return _list(value)
    if isinstance(dtype, pl.Struct):
        fields = {field.name: json_value(value.struct.field(field.name), field.dtype) for field in dtype.fields}
        return JsonText(pl.when(value.is_not_null()).then(_body(fields)), "{", "}")
    if isinstance(dtype, pl.Datetime):
        return JsonText(value.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ"), '"', '"')
    if dtype == pl.Date:
        return JsonText(value.cast(pl.String), '"', '"')
    if dtype == pl.Boolean:
        return JsonText(value.cast(pl.String))
    return _number(value, dtype) if dtype.is_numeric() else _text(value)


def json_documents(values: pl.DataFrame, members: Mapping[str, str], nested: Mapping[str, Mapping[str, str]] | None = None) -> pl.Series:
    """Return one object per row, `{}` when it has no members.

    Shape: `members` is key -> column of `values`; `nested` is key -> such a mapping for an object inside, left out when empty.
    Members are written once as columns and joined then: an expression that is used twice is computed twice.
    """
    groups = {"": members, **{group: each for group, each in (nested or {}).items() if each}}
    names = {(group, key): f"{group}\x1f{key}" for group, each in groups.items() for key in each}
    written = values.select(
        json_value(pl.col(column), values.schema[column]).expr(_key(key)).alias(names[group, key])
        for group, each in groups.items()
        for key, column in each.items()
    )
    bodies = written.select(_joined([names[group, key] for key in sorted(each)]).alias(group) for group, each in groups.items() if group)
    inner = [pl.when(pl.col(group) != "").then(pl.concat_str(pl.lit(_key(group) + "{"), group, pl.lit("}"))) for group in bodies.columns]
    whole = written.with_columns(bodies.select(body.alias(f"\x1f{group}") for group, body in zip(bodies.columns, inner, strict=True)))
    body = _joined([f"\x1f{key}" for key in sorted([*members, *bodies.columns])])
    return whole.select(pl.concat_str(pl.lit("{"), body, pl.lit("}")).alias("payload")).to_series()


def _key(key: str) -> str:
    return orjson.dumps(key).decode() + ":"


def _joined(columns: list[str]) -> pl.Expr:
    return pl.concat_str(columns, separator=",", ignore_nulls=True) if columns else pl.lit("")


def _body(members: Mapping[str, JsonText]) -> pl.Expr:
    written = [value.expr(_key(key)) for key, value in sorted(members.items())]
    return pl.concat_str(written, separator=",", ignore_nulls=True) if written else pl.lit("")


def _escaped(value: pl.Expr) -> pl.Expr:
    return value.str.replace_many(_SPECIAL, _WRITTEN)


def _text(value: pl.Expr) -> JsonText:
    return JsonText(_escaped(pl.when(value != "").then(value)), '"', '"')


def _number(value: pl.Expr, dtype: Any) -> JsonText:
    if dtype.is_integer():
        return JsonText(value.cast(pl.String))
    plain = value.cast(pl.Float64)
    finite = pl.when(plain == 0.0).then(0.0).when(plain.is_finite()).then(plain)  # no -0, as JSON readers tell it from 0
    return JsonText(finite.cast(pl.String).str.strip_suffix(".0"))


def _list(value: pl.Expr) -> JsonText:
    inner = value.list.eval(_escaped(pl.element().drop_nulls())).list.join('","')
    return JsonText(pl.when(value.list.len() > 0).then(inner), '["', '"]')
