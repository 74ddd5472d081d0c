"""Rules over text, numbers and lists of text.

Belongs here: rules that know nothing of people, places or time. Not here: those (rules_contact, rules_time), choices
among known words (rules_choice), repairs of encodings and entities (sources.repair, while staging).
"""

from __future__ import annotations

import polars as pl

from crm_pipelines.spec.folding import folded_words
from crm_pipelines.spec.rules import rule

TAG_PATTERN = r"<[A-Za-z/][^<>]*>"
"""What makes a text HTML already: something that reads as a tag."""


SPACES = r"\s\s+|[\s&&[^ ]]"
"""Spaces that are not one plain space."""


def filled(column: pl.Expr) -> pl.Expr:
    """Return trimmed text, null where nothing is left."""
    trimmed = column.cast(pl.String).str.strip_chars()
    return pl.when(trimmed != "").then(trimmed)


def folded(column: pl.Expr) -> pl.Expr:
    """Return text as words are compared; null where nothing is left."""
    return folded_words(filled(column))


@rule("text", "number", "boolean", gives="text")
def text(column: pl.Expr, *, max: int | None = None, empty: list[str] | None = None) -> pl.Expr:
    """Text as it stands, trimmed. `max` cuts it after that many characters; words listed in `empty` count as no value."""
    value = filled(column)
    if empty:
        value = pl.when(~value.is_in(empty)).then(value)
    return filled(value.str.slice(0, max)) if max else value


@rule("text", gives="text")
def one_line(column: pl.Expr) -> pl.Expr:
    """Text on one line: line breaks become `, `, spaces collapse, commas that would stand doubled become one."""
    joined = filled(column).str.replace_all(r"\s*[\r\n]\s*", ", ").str.replace_all(SPACES, " ")
    return filled(joined.str.replace_all(r" ?,(?: ?,)+ ?", ", "))


@rule("text", "number", gives="text")
def join(*columns: pl.Expr, separator: str = " ") -> pl.Expr:
    """The columns that are not empty, in order, with `separator` between them (a space when left out)."""
    joined = pl.concat_str([filled(column) for column in columns], separator=separator, ignore_nulls=True)
    return pl.when(joined != "").then(joined)


@rule("text", "number", gives="text")
def first_filled(*columns: pl.Expr) -> pl.Expr:
    """The first of the columns that is not empty."""
    return pl.coalesce([filled(column) for column in columns])


@rule("number", gives="number")
def number(column: pl.Expr, *, empty: list[float] | None = None) -> pl.Expr:
    """A number as it stands. Numbers listed in `empty` count as no value."""
    value = column.cast(pl.Float64)
    return pl.when(~value.is_in([float(each) for each in empty])).then(value) if empty else value


@rule("boolean", gives="boolean")
def yes_no(column: pl.Expr) -> pl.Expr:
    """Yes or no, as it stands."""
    return column


@rule("texts", gives="texts")
def labels(column: pl.Expr, *, prefix: str = "") -> pl.Expr:
    """A list of labels, each once, in the order of the source; `prefix` is put before each."""
    element = filled(pl.element()).drop_nulls()
    return unless_empty(column.list.eval((pl.lit(prefix) + element if prefix else element).unique(maintain_order=True)))


@rule("text", gives="texts")
def list_of_one(column: pl.Expr) -> pl.Expr:
    """A list with this one text, for fields that could hold several."""
    value = filled(column)
    return pl.when(value.is_not_null()).then(pl.concat_list(value))


@rule("texts", gives="text")
def join_list(column: pl.Expr, *, separator: str = ", ") -> pl.Expr:
    """A list as one text, with `separator` between its pieces."""
    joined = column.list.eval(filled(pl.element()).drop_nulls()).list.join(separator)
    return pl.when(joined != "").then(joined)


@rule("text", gives="text")
def html_note(column: pl.Expr) -> pl.Expr:
    """A note as HTML. Plain text is escaped and its line breaks become <br>; text that already holds tags stays as it is."""
    value = filled(column)
    return pl.when(value.str.contains(TAG_PATTERN)).then(value).otherwise(escaped(value))


@rule("text", gives="text")
def html_paragraph(column: pl.Expr) -> pl.Expr:
    """A note as one paragraph of HTML, marked as HTML libraries write it back: plain text is escaped (quotes are not), line breaks
    become <br>; text that already holds tags stays as it is."""
    value = filled(column)
    marks = value.str.replace_many(["&", "<", ">", "\u00a0"], ["&amp;", "&lt;", "&gt;", "&nbsp;"])
    paragraph = pl.concat_str([pl.lit("<p>"), _broken(marks), pl.lit("</p>")])
    return pl.when(value.str.contains(TAG_PATTERN)).then(value).otherwise(paragraph)


def escaped(value: pl.Expr) -> pl.Expr:
    """Return plain text as HTML that shows the same."""
    return _broken(value.str.replace_many(["&", "<", ">", '"', "'"], ["&amp;", "&lt;", "&gt;", "&quot;", "&#x27;"]))


def _broken(value: pl.Expr) -> pl.Expr:
    return value.str.replace_all(r"\r\n|\r|\n", "<br>")


def unless_empty(column: pl.Expr) -> pl.Expr:
    """Return a list, null where it has no piece."""
    return pl.when(column.list.len() > 0).then(column)
