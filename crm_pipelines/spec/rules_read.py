"""Rules that read text as something else: numbers, days, moments, yes or no, several words.

Belongs here: columns that the source's contract does not know, which arrive as text. Not here: columns of the contract, which are typed
while staging (sources.typed). A text that does not read waits in queue `remediation`: nothing is guessed, nothing is dropped.
"""

from __future__ import annotations

import polars as pl

from crm_pipelines.spec.rules import rule
from crm_pipelines.spec.rules_text import filled, unless_empty

ENGLISH = r"^[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?$"
CONTINENTAL = r"^[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?$"
TIME = r"[T ]+([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?\s*([AaPp][Mm])?\s*(?:(Z)|([+-])(\d{2}):?(\d{2}))?$"
"""Hour, minute, second, half of the day, UTC, or the offset's sign, hours and minutes."""
SLASHED = r"^(\d{1,2})/(\d{1,2})/(\d{4})$"
DOTTED, MONTH_FIRST = "%d.%m.%Y", "%m.%d.%Y"
DAY_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", DOTTED, "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y")
YES = ("yes", "y", "true", "1", "on", "x", "ja", "wahr", "oui", "vrai", "si", "sí", "verdadero")
NO = ("no", "n", "false", "0", "off", "nein", "falsch", "non", "faux", "falso")
BETWEEN = r"\s*[,;|\n\r]\s*"


@rule("text", gives="number", reason="unreadable_number", queue="remediation")
def read_number(column: pl.Expr) -> pl.Expr:
    """A number written as text: 1,234.50 or 1.234,50. What reads both ways (1,234 or 1.234) is read the English way."""
    value = filled(column).str.replace_all(r"\s", "")
    english = value.str.replace_all(",", "", literal=True)
    continental = value.str.replace_all(".", "", literal=True).str.replace_all(",", ".", literal=True)
    text = pl.when(value.str.contains(ENGLISH)).then(english).when(value.str.contains(CONTINENTAL)).then(continental)
    return text.otherwise(None).cast(pl.Float64, strict=False)


@rule("text", gives="date", reason="unreadable_date", queue="remediation")
def read_date(column: pl.Expr, *, order: str | None = None) -> pl.Expr:
    """A day written as text: 2026-05-31, 31.05.2026, 31 May 2026, with or without a time. 05/06/2026 reads two ways and is not read,
    unless `order` says `dmy` or `mdy`; 31/05/2026 reads one way. Between dots the day comes first, unless `order` says otherwise."""
    return _day(filled(column).str.replace(TIME, ""), order)


@rule("text", gives="datetime", reason="unreadable_date", queue="remediation")
def read_moment(column: pl.Expr, *, zone: str, order: str | None = None) -> pl.Expr:
    """A day and time written as text, in the source's time zone where it names no offset; a day alone is its first moment there.
    Days are read as read_date reads them."""
    value = filled(column)
    clock = value.str.extract_groups(TIME)
    fields = [clock.struct[place] for place in range(8)]
    day = _day(value.str.replace(TIME, ""), order).cast(pl.Datetime("us"))
    naive = day + pl.duration(hours=_hour(fields[0], fields[3]), minutes=_number(fields[1]), seconds=_number(fields[2]))
    offset = pl.duration(hours=_number(fields[6]), minutes=_number(fields[7]))
    shifted = pl.when(fields[5] == "-").then(naive + offset).otherwise(naive - offset).dt.replace_time_zone("UTC")
    local = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    return pl.when(fields[4].is_not_null() | fields[5].is_not_null()).then(shifted).otherwise(local)


@rule("text", gives="boolean", reason="unreadable_yes_no", queue="remediation")
def read_yes_no(column: pl.Expr) -> pl.Expr:
    """Yes or no written as text (yes, true, 1, x, ja, oui, si; no, false, 0, nein, non)."""
    value = filled(column).str.to_lowercase()
    return pl.when(value.is_in(YES)).then(pl.lit(value=True)).when(value.is_in(NO)).then(pl.lit(value=False))


@rule("text", gives="texts")
def split(column: pl.Expr) -> pl.Expr:
    """The words of one cell, between commas, semicolons, bars or line breaks, each once."""
    pieces = filled(column).str.replace_all(BETWEEN, "\x1f").str.split("\x1f")
    return unless_empty(pieces.list.eval(filled(pl.element()).drop_nulls().unique(maintain_order=True)))


def _day(value: pl.Expr, order: str | None) -> pl.Expr:
    parts = value.str.extract_groups(SLASHED)
    first, second, year = (parts.struct[place].cast(pl.Int32) for place in range(3))
    is_day_first = (first > 12) if order is None else pl.lit(order == "dmy")
    is_month_first = (second > 12) | (first == second) if order is None else pl.lit(order == "mdy")
    slashed = pl.when(is_day_first).then(_date(year, second, first)).when(is_month_first).then(_date(year, first, second))
    formats = (MONTH_FIRST if order == "mdy" and each == DOTTED else each for each in DAY_FORMATS)
    return pl.coalesce(*(value.str.to_date(each, strict=False) for each in formats), slashed)


def _date(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    text = pl.concat_str([year, month.cast(pl.String).str.zfill(2), day.cast(pl.String).str.zfill(2)], separator="-")
    return text.str.to_date("%Y-%m-%d", strict=False)


def _number(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Int64).fill_null(0)


def _hour(text: pl.Expr, half: pl.Expr) -> pl.Expr:
    hour, noon = _number(text), half.str.to_lowercase()
    return pl.when((noon == "pm") & (hour < 12)).then(hour + 12).when((noon == "am") & (hour == 12)).then(0).otherwise(hour)
