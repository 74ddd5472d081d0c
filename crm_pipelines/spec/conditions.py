"""Conditions of the language (`when`, `where`, `only_when`) as polars expressions.

Belongs here: what a condition may say and what it means. Not here: which decision is taken (decisions), rules (rules).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from crm_pipelines.spec.folding import folded_word
from crm_pipelines.spec.rules_text import filled, folded

TESTS: Mapping[str, str] = {
    "not": "the opposite of a value, a list, `present` or `missing`",
    "over": "a number above this one",
    "under": "a number below this one",
    "contains_word": "text that holds this word, in any case",
    "starts_with": "text that begins like this, in any case",
    "holds": "a list that holds this label, in any case",
}
"""What a condition may say besides a value, a list of values, `present` and `missing`."""

Schema = Mapping[str, pl.DataType | type[pl.DataType]]


def condition(conditions: Mapping[str, Any], schema: Schema) -> pl.Expr:
    """Return where all of the conditions hold; never null."""
    expressions = [_holds(pl.col(name), schema[name], wanted).fill_null(False) for name, wanted in conditions.items()]
    return pl.all_horizontal(expressions) if expressions else pl.lit(True)


def flaw(wanted: Any) -> str | None:
    """Return what is wrong with the way a condition is written, or None."""
    if isinstance(wanted, Mapping):
        if len(wanted) != 1:
            return "a test is one word with its value, such as {over: 0}"
        name = next(iter(wanted))
        if name not in TESTS:
            return f"unknown test {name!r}; there are {', '.join(TESTS)}"
        if name in ("over", "under") and (isinstance(wanted[name], bool) or not isinstance(wanted[name], int | float)):
            return f"{name} needs a number"
        return flaw(wanted[name]) if name == "not" else None
    if isinstance(wanted, list):
        return "an empty list can never hold" if not wanted else None
    return "needs a value, a list, `present` or `missing`" if wanted is None else None


def _holds(column: pl.Expr, dtype: Any, wanted: Any) -> pl.Expr:
    if isinstance(wanted, Mapping):
        (name, value), *_ = wanted.items()
        return _test(name, column, dtype, value)
    if wanted in ("present", "missing"):
        there = _present(column, dtype)
        return there if wanted == "present" else ~there
    values = wanted if isinstance(wanted, list | tuple) else [wanted]
    return _is_one_of(column, dtype, list(values))


def _test(name: str, column: pl.Expr, dtype: Any, value: Any) -> pl.Expr:
    if name == "not":
        return ~_holds(column, dtype, value).fill_null(False)
    if name == "over":
        return column.cast(pl.Float64).gt(value)
    if name == "under":
        return column.cast(pl.Float64).lt(value)
    if name == "contains_word":
        return filled(column).str.contains(rf"(?i)\b{_escape(str(value))}\b")
    if name == "starts_with":
        return folded(column).str.starts_with(folded_word(str(value)))
    return column.list.eval(folded(pl.element()) == folded_word(str(value))).list.any()


def _present(column: pl.Expr, dtype: Any) -> pl.Expr:
    if isinstance(dtype, pl.List):
        return (column.list.len() > 0).fill_null(False)
    return filled(column).is_not_null() if dtype == pl.String else column.is_not_null()


def _is_one_of(column: pl.Expr, dtype: Any, values: list[Any]) -> pl.Expr:
    if dtype == pl.String:
        return folded(column).is_in([folded_word(str(value)) for value in values])
    if dtype == pl.Boolean:
        return column.is_in([value is True or str(value).lower() == "true" for value in values])
    return column.cast(pl.Float64).is_in([float(value) for value in values])


def _escape(word: str) -> str:
    return "".join(f"\\{letter}" if letter in r"\.+*?()|[]{}^$#&-~" else letter for letter in word)
