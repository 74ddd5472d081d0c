"""Examples of a column that show its shape and nobody's data: letters become x or X, digits 9, punctuation stays.

Belongs here: masking. Not here: which columns are shown (profile). No example is ever a text that the column holds.
"""

from __future__ import annotations

import polars as pl

EXAMPLES = 3
EXAMPLE_CHARS = 40
LOOKED_AT = 300
"""Distinct texts that are masked in search of different shapes."""


def masked_examples(cells: pl.Series) -> tuple[str, ...]:
    """Return up to EXAMPLES different masks, those of most cells first.

    Shape: at most EXAMPLE_CHARS characters each; none equals a text of the column, trimmed or not.
    """
    texts = cells.drop_nulls()
    texts = texts if texts.dtype == pl.String else texts.cast(pl.String)
    counted = texts.alias("text").value_counts()
    some = counted.gather_every(max(1, counted.height // LOOKED_AT)).sort("text").head(LOOKED_AT)
    masks = some.select(mask=_mask(pl.col("text").str.strip_chars()), count="count").filter(pl.col("mask").str.contains("[xX9]"))
    best = masks.group_by("mask").agg(pl.col("count").sum()).sort("count", "mask", descending=[True, False])["mask"]
    held = texts.str.strip_chars()
    return tuple(best.filter(~best.is_in(held.implode())).head(EXAMPLES).to_list())


def _mask(text: pl.Expr) -> pl.Expr:
    """Replace letters and digits; what is neither and no ASCII becomes a dot, line ends a bar."""
    shape = text.str.slice(0, EXAMPLE_CHARS + 1)
    for pattern, sign in (
        (r"[\p{Ll}\p{Lt}\p{Lm}\p{Lo}]", "x"),
        (r"\p{Lu}", "X"),
        (r"\p{N}", "9"),
        (r"[\r\n]+", "|"),
        (r"[^\x20-\x7e]", "."),
    ):
        shape = shape.str.replace_all(pattern, sign)
    return pl.when(shape.str.len_chars() > EXAMPLE_CHARS).then(shape.str.slice(0, EXAMPLE_CHARS - 3) + "...").otherwise(shape)
