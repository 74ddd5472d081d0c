"""Templates of the language: text with {columns} and [parts that may go].

Belongs here: reading a template and its expression. Not here: which columns exist (check).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from crm_pipelines.spec.rules_text import filled

PIECE = re.compile(r"\[\[|\]\]|\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}|[\[\]{}]|[^\[\]{}]+")


@dataclass(frozen=True)
class Part:
    """A run of a template: literal texts and column names in turn; optional when it stood in brackets."""

    pieces: tuple[tuple[str, bool], ...]
    """(text, is_column) pairs."""
    optional: bool


def read_template(template: str) -> tuple[Part, ...]:
    """Split a template into its parts.

    Raises: ValueError when brackets or braces do not pair. `[[`, `]]`, `{{`, `}}` stand for the character itself.
    """
    parts: list[Part] = []
    pieces: list[tuple[str, bool]] = []
    inside = False
    for found in PIECE.finditer(template):
        text = found.group()
        if found.group(1):
            pieces.append((found.group(1), True))
        elif text in ("[", "]"):
            if inside == (text == "["):
                raise ValueError(f"{text} does not pair; write {text * 2} for the character itself")
            parts.append(Part(tuple(pieces), inside))
            pieces, inside = [], not inside
        elif text in ("{", "}"):
            raise ValueError(f"{text} does not pair; write {text * 2} for the character itself")
        else:
            pieces.append((text[0] if text in ("[[", "]]", "{{", "}}") else text, False))
    if inside:
        raise ValueError("[ is never closed")
    return tuple(part for part in [*parts, Part(tuple(pieces), optional=False)] if part.pieces)


def template_columns(template: str) -> tuple[str, ...]:
    """Return the columns that a template reads, in order; of a template that cannot be read, what it seems to name."""
    return tuple(dict.fromkeys(found.group(1) for found in PIECE.finditer(template) if found.group(1)))


def fill_template(template: str) -> pl.Expr:
    """Return the text of a template; null when a column outside brackets is empty."""
    parts = [_fill(part) for part in read_template(template)]
    return pl.concat_str(parts)


def _fill(part: Part) -> pl.Expr:
    run = pl.concat_str([filled(pl.col(text)) if is_column else pl.lit(text) for text, is_column in part.pieces])
    return run.fill_null("") if part.optional else run
