"""How words are compared: spaces and case do not matter. One way for proposals, answers and the rules that read words.

Belongs here: folding one word, and a column of them. Not here: names and keys of records (phases.resolve.columns), headings (headings).
"""

from __future__ import annotations

import re

import polars as pl

SPACES = "[\\s\x1c-\x1f\u00a0\u200b\u200c\u200d\u2060\ufeff]+"
_SPACES = re.compile(SPACES)


def folded_word(word: str) -> str:
    """Return a word as words are compared: outer spaces gone, inner ones one plain space, casefolded (`STRASSE` is `Straße`)."""
    return _SPACES.sub(" ", word).strip(" ").casefold()


def folded_words(cell: pl.Expr) -> pl.Expr:
    """Return a column of words as `folded_word` returns each of them."""
    plain = cell.str.contains(r"^[\x00-\x7f]*$")
    quick = cell.str.replace_all(SPACES, " ").str.strip_chars(" ").str.to_lowercase()
    others = pl.when(~plain).then(cell).map_batches(_each, return_dtype=pl.String(), is_elementwise=True)
    return pl.when(plain).then(quick).otherwise(others)


def _each(cells: pl.Series) -> pl.Series:
    distinct = cells.drop_nulls().unique().to_list()
    return cells.replace_strict(distinct, [folded_word(word) for word in distinct], default=None, return_dtype=pl.String)
