"""Examples show the shape of a column, and never what it holds."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipelines.discovery.masking import masked_examples


@pytest.mark.parametrize(
    ("cell", "mask"),
    [
        ("ana.b1@example.com", "xxx.x9@xxxxxxx.xxx"),
        ("Zoë O'Brien-Müller", "Xxx X'Xxxxx-Xxxxxx"),
        ("+44 20 7946 0123", "+99 99 9999 9999"),
        ("日本語で", "xxxx"),
        ("🌸 2 of 3", ". 9 xx 9"),
        ("one\r\ntwo", "xxx|xxx"),
        ("x" * 60, "x" * 37 + "..."),
        ("y" * 40, "x" * 40),
    ],
)
def test_a_mask_keeps_the_shape(cell: str, mask: str) -> None:
    assert masked_examples(pl.Series([cell])) == (mask,)


@pytest.mark.parametrize("cells", [["x"], ["9", "1"], ["XXX", "Xxx"], ["--", "#"], [None, ""], [" 99 ", "12"]])
def test_a_text_that_would_be_its_own_mask_is_not_shown(cells: list[str | None]) -> None:
    assert masked_examples(pl.Series(cells, dtype=pl.String)) == ()


def test_the_shapes_of_most_cells_come_first_each_once() -> None:
    cells = ["AB-1", "CD-2", "EF-3", "word", "verb", "12.5", "noun!", "a b"]
    assert masked_examples(pl.Series(cells))[:2] == ("XX-9", "xxxx")
    assert len(masked_examples(pl.Series(cells))) == 3


@given(st.lists(st.text(max_size=50) | st.sampled_from(["x", "9", "Xx", "99-9", " x"]), max_size=30))
def test_no_example_is_ever_a_text_of_the_column(cells: list[str]) -> None:
    examples = masked_examples(pl.Series(cells, dtype=pl.String))
    assert not set(examples) & {cell.strip() for cell in cells}
    assert not set(examples) & set(cells)
    assert all(len(example) <= 40 and example.isascii() for example in examples)
