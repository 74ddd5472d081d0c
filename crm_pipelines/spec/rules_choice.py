"""Rules that choose among known words: one option, several options.

Belongs here: recognising a word in the forms it comes in. Not here: which words there are (the spec's `words`, or the
source's own schema export). A word that is not known stops its row: queue `decision`, reason `unknown_option`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import polars as pl

from crm_pipelines.spec.folding import folded_word
from crm_pipelines.spec.rules import Words, rule
from crm_pipelines.spec.rules_text import filled, folded, unless_empty

UNKNOWN_OPTION = "unknown_option"
_WORDS = pl.List(pl.String)


def forms(words: Words) -> dict[str, str]:
    """Return every form in which a word may come (folded), and the word it stands for."""
    known = {folded_word(form): word for word, each in words.items() for form in each}
    return known | {folded_word(word): word for word in words}


def _chosen(column: pl.Expr, words: Words) -> pl.Expr:
    known = forms(words)
    return folded(column).replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.String)


@rule("text", "number", gives="text", reason=UNKNOWN_OPTION)
def option(column: pl.Expr, *, words: Words) -> pl.Expr:
    """The word of a vocabulary that the cell stands for; case and extra spaces do not matter. `words` names the vocabulary."""
    return _chosen(column, words)


@rule("texts", gives="texts", reason=UNKNOWN_OPTION)
def options(column: pl.Expr, *, words: Words) -> pl.Expr:
    """The words of a vocabulary that the pieces of a list stand for, each once; nothing when one of them is not known."""
    chosen = column.list.eval(_chosen(filled(pl.element()).drop_nulls(), words))
    known = chosen.list.unique(maintain_order=True)
    return unless_empty(pl.when(~chosen.list.eval(pl.element().is_null()).list.any()).then(known))


@rule("text", gives="texts", reason=UNKNOWN_OPTION)
def split_options(column: pl.Expr, *, words: Words, separators: list[str] | None = None) -> pl.Expr:
    """The words of a vocabulary in one cell, between `separators` (comma or bar); a word that holds a separator is still found."""
    return _split(column, words, separators)


def _split(column: pl.Expr, words: Words, separators: list[str] | None) -> pl.Expr:
    known = tuple(sorted(forms(words).items()))
    marks = tuple(separators or (",", "|"))

    def pieces(cells: pl.Series) -> pl.Series:
        distinct = cells.drop_nulls().unique()
        table = pl.DataFrame({"cell": distinct, "words": pl.Series([_pieces(cell, known, marks) for cell in distinct], dtype=_WORDS)})
        return pl.DataFrame({"cell": cells}).join(table, on="cell", how="left", maintain_order="left")["words"]

    return filled(column).map_batches(pieces, return_dtype=_WORDS, is_elementwise=True)


@lru_cache(maxsize=4096)
def _pieces(cell: str, known: tuple[tuple[str, str], ...], separators: tuple[str, ...]) -> list[str] | None:
    """Read a cell from left to right, longest known word first; None when a piece is no known word."""
    tokens = re.split("([" + re.escape("".join(separators)) + "])", cell)
    found: list[str] = []
    while tokens:
        taken = _longest(tokens, dict(known))
        if taken is None:
            return None
        word, count = taken
        if word is not None and word not in found:
            found.append(word)
        tokens = tokens[count + 1 :]
    return found or None


def _longest(tokens: Sequence[str], known: dict[str, str]) -> tuple[str | None, int] | None:
    """Return the word at the start of the tokens and how many tokens it takes (words and separators alternate)."""
    for count in range(len(tokens) | 1, 0, -2):
        word = known.get(folded_word("".join(tokens[:count])))
        if word is not None:
            return word, count
    return (None, 1) if not tokens[0].strip() else None
