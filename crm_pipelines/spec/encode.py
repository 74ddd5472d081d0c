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
        return json_object(fields)
    if isinstance(dtype, pl.Datetime):
        return JsonText(value.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ"), '"', '"')
    if dtype == pl.Date:
        return JsonText(value.cast(pl.String), '"', '"')
    if dtype == pl.Boolean:
        return JsonText(value.cast(pl.String))
    return _number(value, dtype) if dtype.is_numeric() else _text(value)


def json_object(members: Mapping[str, JsonText]) -> JsonText:
    """Return an object of members, keys sorted; empty members leave no key, an object without members is empty itself."""
    body = _body(members)
    return JsonText(pl.when(body != "").then(body), "{", "}")


def json_document(members: Mapping[str, JsonText]) -> pl.Expr:
    """Return the outermost object, `{}` when it has no members."""
    return pl.concat_str([pl.lit("{"), _body(members), pl.lit("}")])


def _body(members: Mapping[str, JsonText]) -> pl.Expr:
    written = [value.expr(orjson.dumps(key).decode() + ":") for key, value in sorted(members.items())]
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
