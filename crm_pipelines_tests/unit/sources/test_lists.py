"""Splitting list cells, as a table."""

from __future__ import annotations

import polars as pl
import pytest

from crm_pipelines.sources.lists import choose_separator, split_cell, split_list


@pytest.mark.parametrize(
    ("cell", "separator", "whole", "items"),
    [
        ("a, b,c", ",", [], ["a", "b", "c"]),
        (" a ,, ", ",", [], ["a"]),
        ('"x, y", z', ",", [], ["x, y", "z"]),
        ('"say ""hi""",b', ",", [], ['say "hi"', "b"]),
        ('5" nails, b', ",", [], ['5" nails', "b"]),
        ('"open, b', ",", [], ['"open', "b"]),
        ("Free 2-Day Taster; b, c", ";", [], ["Free 2-Day Taster", "b, c"]),
        ("Hello, World, b", ",", ["hello, world"], ["Hello, World", "b"]),
        ("Hello, Worldwide, b", ",", ["hello, world"], ["Hello", "Worldwide", "b"]),
        ("A, B, C", ",", ["a, b, c", "a, b"], ["A, B, C"]),
        ("x, paid,  in full ,VIP", ",", ["Paid, in full"], ["x", "paid,  in full", "VIP"]),
        ("free  beer,cold", ",", ["free beer, cold"], ["free  beer,cold"]),
        ("Prepaid, in full", ",", ["paid, in full"], ["Prepaid", "in full"]),
        ("x|y", "|", [], ["x", "y"]),
        ("From Regulation to Reputation™ Waitlist", ",", [], ["From Regulation to Reputation™ Waitlist"]),
    ],
)
def test_cells(cell: str, separator: str, whole: list[str], items: list[str]) -> None:
    assert split_cell(cell, separator, whole) == items
    assert split_list(pl.Series([cell, None]), whole, separator).values.to_list() == [items, None]


def test_separator_is_the_one_in_more_cells() -> None:
    assert choose_separator(pl.Series(["a,b", "c;d", "e,f", None])) == ","
    assert choose_separator(pl.Series(["a;b", "c;d", "e,f"])) == ";"
    assert choose_separator(pl.Series(["a", None], dtype=pl.String)) == ","
