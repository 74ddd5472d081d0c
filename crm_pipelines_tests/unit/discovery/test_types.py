"""What text reads as, one line per way of writing."""

from __future__ import annotations

from typing import get_args

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipelines.discovery.types import infer_type
from crm_pipelines.discovery.values import InferredType

FRUIT = ["Apple, Pear", "Pear", "Plum, Apple"] * 4
TABLE: list[tuple[str, list[str | None]]] = [
    ("date", ["2024-03-01", "2023-12-31"]),
    ("date", ["01.02.2024", "31.12.23", "5.6.2024"]),
    ("date", ["3/14/2024", "12/1/2024"]),
    ("date", ["12 - 05 - 2024"]),
    ("date", ["12-Mar-2024", "01-Apr-2023"]),
    ("date", ["Mon, 3 Mar 2025", "March 3rd, 2025"]),
    ("date", ["3. März 2024", "15. Dez. 2023", "1. Jänner 2020"]),
    ("date", ["1 de marzo de 2024", "2 de enero de 2023", "3 septiembre 2022"]),
    ("date", ["1er janvier 2024", "3 févr. 2024", "14 août 1999"]),
    ("date", ["20240301", "20231231"]),
    ("datetime", ["2024-03-01 12:00:00", "2023-12-31 09:00"]),
    ("datetime", ["2024-03-01T12:00:00Z", "2024-03-01T12:00:00+02:00"]),
    ("datetime", ["Tue, 09 Jun 2026, 10:00 PM"]),
    ("datetime", ["01.02.2024 um 14:30 Uhr", "01.02.2024"]),
    ("datetime", ["3/14/2024 1:05 PM"]),
    ("money", ["$1,200.50", "$3", "-$4.00"]),
    ("money", ["1.234,56 €", "12,00 €", "12,-- €"]),
    ("money", ["EUR 12", "EUR 1 200,50"]),
    ("money", ["CHF 1'200.00", "CHF 5"]),
    ("money", ["£9.99", "(£3.00)"]),
    ("money", ["$5", "10", "$20"]),
    ("money", ["99 USD", "12 euros"]),
    ("number", ["1,5", "2,75"]),
    ("number", ["1200", "3"]),
    ("number", ["1.234,5", "3", "-7"]),
    ("number", ["50 %", "3%"]),
    ("number", ["1 234", "5"]),
    ("number", ["12'500", "8"]),
    ("boolean", ["yes", "no", "Yes"]),
    ("boolean", ["Ja", "Nein"]),
    ("boolean", ["Sí", "No"]),
    ("boolean", ["OUI", "non"]),
    ("boolean", ["1", "0", "1"]),
    ("boolean", ["true", "FALSE"]),
    ("boolean", ["Yes", "Yes"]),
    ("boolean", ["ja", "ja", ""]),
    ("boolean", ["J", "N", "J", "J"]),
    ("enum", ["S", "S", "S"]),  # a size
    ("enum", ["on", "on", "on", "an", "an", "an"]),
    ("number", ["1", "1", "1"]),  # one digit alone is no yes
    ("email", ["a@example.com", "b@example.org", "c@example.com", "d@example.com", "unknown"]),
    ("phone", ["+1 415-555-0123", "(415) 555-0123"]),
    ("phone", ["020 7946 0123", "020 7946 0345"]),
    ("phone", ["+442079460123", "02079460345"]),
    ("phone", ["415-555-0123 ext. 5", "415.555.0124"]),
    ("url", ["https://example.com/a", "www.example.org"]),
    ("url", ["example.com", "shop.example.de/x"]),
    ("country", ["Germany", "France", "United States", "Österreich"]),
    ("enum", ["S", "M", "L"] * 3),
    ("enum", ["20-30", "30-40"] * 6),
    ("set", ["a|b", "b", "a|c", "a|b|c"] * 5),
    ("set", FRUIT),
    ("id", ["A-10023", "A-10024", "B-20031"]),
    ("id", ["0001234", "0001235"]),
    ("id", ["198.51.100.4", "203.0.113.9", "2001:db8::7"]),
    ("text", ["78701", "02134", "SW1A 1AA", "M1 1AE"]),
    ("text", ["Agatha Christie", "Jane Austen", "Tolkien"]),
    ("text", ["May", "June Carter", "April", "Mr. March"]),  # names of months and of people
    ("long_text", ["x" * 300, "b"]),
    ("long_text", ["one\nline", "two"] * 9),
    ("empty", ["", " ", None, "n/a", "-"]),
]


@pytest.mark.parametrize(("kind", "cells"), TABLE, ids=[f"{kind}-{str(cells[0])[:20]}" for kind, cells in TABLE])
def test_text_reads_as(kind: str, cells: list[str | None]) -> None:
    assert infer_type(pl.Series(cells, dtype=pl.String)).type == kind


def test_the_share_is_that_of_the_filled_cells() -> None:
    cells = ["2024-03-01"] * 9 + ["soon"] + [""] * 40 + ["n/a"] * 3
    found = infer_type(pl.Series(cells))
    assert (found.type, found.share, found.judged) == ("date", 0.9, 10)


def test_below_four_fifths_it_is_not_that_type() -> None:
    cells = [f"2024-03-{day:02}" for day in range(1, 16)] + [f"soon, {word}" for word in "abcde"]
    assert infer_type(pl.Series(cells)).type == "text"


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["3/14/2024", "1/2/2024"], "month first"),
        (["14/3/2024", "1/2/2024"], "day first"),
        (["3/4/2024", "1/2/2024"], "either way"),
        (["3/14/2024", "14/3/2024"], "either way"),
        (["2024-03-14"], ""),
    ],
)
def test_the_order_of_day_and_month_comes_from_dates_that_read_one_way(cells: list[str], order: str) -> None:
    assert infer_type(pl.Series(cells)).day_order == order


def test_a_set_names_its_words_and_its_separator() -> None:
    found = infer_type(pl.Series(FRUIT))
    assert (found.options, found.separator) == (("Apple", "Pear", "Plum"), ",")


@pytest.mark.parametrize("word", ["ana@example.com", "https://meet.example.com/j/1", "two\nlines", "order 123456"])
def test_words_with_addresses_or_long_numbers_are_never_options(word: str) -> None:
    assert infer_type(pl.Series(["Phone", "Office", word] * 5)).options == ()


def test_a_stray_text_does_not_hide_a_choice_and_is_not_shown() -> None:
    found = infer_type(pl.Series(["gold", "silver"] * 20 + ["ana@example.com"]))
    assert (found.type, found.options) == ("enum", ("gold", "silver"))
    assert found.share == pytest.approx(40 / 41)


def test_what_people_write_freely_is_no_choice() -> None:
    assert infer_type(pl.Series(["Paris", "Lyon"] * 9), has_options=False).type == "text"


def test_long_columns_are_judged_by_frequent_and_rare_texts_alike() -> None:
    cells = [f"{day % 28 + 1:02}.{day % 12 + 1:02}.{1000 + day}" for day in range(9_000)] + [f"soon {number}" for number in range(1_000)]
    found = infer_type(pl.Series(cells))
    assert found.type == "date"
    assert found.share == pytest.approx(0.9, abs=0.02)


@given(st.lists(st.none() | st.text(max_size=30) | st.sampled_from([cell for _, cells in TABLE for cell in cells]), max_size=40))
def test_any_text_reads_as_something(cells: list[str | None]) -> None:
    found = infer_type(pl.Series(cells, dtype=pl.String))
    assert found.type in get_args(InferredType)
    assert found.type == "empty" or 0.8 <= found.share <= 1
    assert found.judged <= len(cells)
    assert bool(found.options) == (found.type in ("enum", "set"))
