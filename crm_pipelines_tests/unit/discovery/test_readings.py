"""A type is offered by what the loader's own rules read of a column, told as they would have to be told."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from crm_pipelines.discovery.proposal import Reading
from crm_pipelines.discovery.readings import READ_TYPES, Told, readings
from crm_pipelines.discovery.types import infer_type
from crm_pipelines_tests.unit.discovery.test_types import TABLE

SHORT, MIXED = ["01.02.2024", "31.12.23", "5.6.2024"], ["99 USD", "12 euros"]
"""What is recognised, and waits: a year of two digits, an amount in another currency than the others."""


def ways(cells: list[str | None], kind: str, **told: Any) -> list[Reading]:
    column = pl.Series(cells, dtype=pl.String)
    return [each for each in readings(column, infer_type(column).day_order, Told(**told)) if each.type == kind]


@pytest.mark.parametrize(("kind", "cells"), [line for line in TABLE if line[0] in READ_TYPES], ids=str)
def test_what_is_recognised_is_read_all_of_it(kind: str, cells: list[str | None]) -> None:
    filled = [cell for cell in cells if cell]
    best = min(ways(filled, kind), key=lambda each: each.waiting)
    assert best.waiting == (1 if cells in (SHORT, MIXED) else 0)
    assert best.has_short_years == (cells == SHORT)


def test_numbers_that_read_two_ways_are_asked_about_unless_one_cell_or_the_engagement_tells() -> None:
    assert [(each.decimal_locale, each.waiting) for each in ways(["1.107", "2.500"], "number")] == [("us", 0), ("eu", 0)]
    assert [(each.decimal_locale, each.waiting) for each in ways(["1.107", "12,5"], "number")] == [("eu", 0)]
    assert [(each.decimal_locale, each.waiting) for each in ways(["1.107", "12.5"], "number")] == [("us", 0)]
    assert [(each.decimal_locale, each.waiting) for each in ways(["1.107", "12.5", "12,5"], "number")] == [("us", 1), ("eu", 1)]
    assert [(each.decimal_locale, each.waiting) for each in ways(["0,107", "12.5"], "number")] == [(None, 0)]
    assert [(each.decimal_locale, each.waiting) for each in ways(["1.107", "x"], "number", locale="eu")] == [(None, 1)]


@pytest.mark.parametrize(
    ("cells", "account", "currency", "waiting"),
    [
        (["$5", "$7.50", "3"], "USD", "USD", 0),
        (["$5", "$7.50", "3"], "", "$", 0),
        (["$5", "5 CAD"], "", "CAD", 0),
        (["5 €", "EUR 7", "3"], "EUR", "EUR", 0),
        (["5 €", "EUR 7", "£3"], "EUR", "EUR", 1),
        (["5 €", "EUR 7"], "USD", None, 2),
        (["5 €", "5 €", "$7"], "", "EUR", 1),
        (["$5", "$7", "5 €"], "", "$", 1),
        (["5", "7"], "USD", None, 0),
    ],
)
def test_amounts_are_read_in_the_account_s_currency_and_no_other(
    cells: list[str | None], account: str, currency: str | None, waiting: int
) -> None:
    assert [(each.currency, each.waiting) for each in ways(cells, "money", currency=account)] == [(currency, waiting)]


def test_every_filled_cell_counts_and_of_long_columns_a_part_stands_for_all() -> None:
    (found,) = ways(["2024-01-01"] * 30 + ["n/a"] * 10 + [None, " "], "date")
    assert (found.filled, found.waiting) == (40, 10)
    cells = [f"{1000 + number % 9000}-{number // 9000 + 1:02}-03" for number in range(40_000)] + ["soon"]
    (found,) = ways(cells, "date")
    assert found.filled == 40_001
    assert found.waiting <= 5


def test_an_empty_column_is_read_as_nothing() -> None:
    assert readings(pl.Series(["", None], dtype=pl.String), "", Told()) == ()
