"""Rules that read text as something else: numbers, days, moments, yes or no, several words.

Belongs here: columns that the source's contract does not know, which arrive as text. Not here: columns of the contract, which are typed
while staging (sources.typed), the words that are read (reading_words). A text that does not read, or reads two ways, waits in queue
`remediation`: nothing is guessed, nothing is dropped. Discovery offers a type by what these rules read (discovery.readings).
"""

from __future__ import annotations

import polars as pl

from crm_pipelines.spec.reading_words import MONTHS, NO, WEEKDAYS, YES, named_by, one_of
from crm_pipelines.spec.rules import rule
from crm_pipelines.spec.rules_text import filled, unless_empty

__all__ = ["NO", "YES", "read_date", "read_moment", "read_number", "read_yes_no", "split"]

_GROUP = r"[1-9]\d{0,2}"
"""What stands before the first mark between thousands: never a nought."""
ENGLISH = rf"^[+-]?(?:(?:{_GROUP}(?:,\d{{3}})+|\d+)(?:\.\d+)?|\.\d+)$"
CONTINENTAL = rf"^[+-]?(?:(?:{_GROUP}(?:\.\d{{3}})+|\d+)(?:,\d+)?|,\d+)$"
SPACED = rf"^[+-]?{_GROUP}(?:[ '’]\d{{3}})+(?:%s\d+)?$"
"""Thousands between spaces or apostrophes; what stands before the decimals is put in."""
TWO_WAYS = rf"^[+-]?{_GROUP}[.,]\d{{3}}$"
"""1,234 and 1.234: a thousand and more, or one and less than a half."""
TOO_LONG = r"^[+-]?\d{16}"
"""More digits than a double-precision number is sure to hold."""
MONTH, WEEKDAY = one_of(tuple(MONTHS)), one_of(WEEKDAYS)
TIME = (
    r"(?:t|,?\s+(?:(?:at|um|à|a las)\s+)?)([01]?\d|2[0-3])[:h]([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?\s*(?:([ap])\.?\s?m\.?)?(?:\s*uhr)?"
    r"\s*(?:(z|utc|gmt)|([+-])(\d{2}):?(\d{2}))?$"
)
"""Hour, minute, second, half of the day, UTC, or the offset's sign, hours and minutes."""
_MARK, _YEAR = r"\s?([-/.])\s?", r"('?\d{2}|\d{4})"
YEAR_FIRST = rf"^(\d{{4}}){_MARK}(\d{{1,2}}){_MARK}(\d{{1,2}})$"
YEAR_LAST = rf"^(\d{{1,2}}){_MARK}(\d{{1,2}}){_MARK}{_YEAR}$"
IN_ONE = r"^((?:19|20)\d{2})(\d{2})(\d{2})$"
_WEEKDAY, _OF = rf"(?:{WEEKDAY}\.?,?\s+)?", r"(?:(?:de|of)\s+)?"
DAY_NAMED = rf"^{_WEEKDAY}(\d{{1,2}})(?:\.\s*|(?:st|nd|rd|th|er|º)?(?:\s+|-)){_OF}({MONTH})\.?(?:,?\s+|-)(?:del?\s+)?{_YEAR}$"
MONTH_NAMED = rf"^{_WEEKDAY}({MONTH})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})$"
BETWEEN = r"\s*[,;|\n\r]\s*"


@rule("text", gives="number", reason="unreadable_number", queue="remediation")
def read_number(column: pl.Expr, *, locale: str | None = None, currency: str | None = None) -> pl.Expr:
    """A number written as text: 1,234.50, 1.234,50, 1 234,50, 12 % (which is 12). 1,234 reads two ways and is not read, unless `locale`
    says `us` (1,234.50) or `eu` (1.234,50). An amount that names its currency is read if it is this `currency` (EUR, or a sign)."""
    value = _without_currency(_plain(column), currency).str.replace(r"\s?%$", "").str.replace(r"(\d)[.,][-–—]{1,2}$", "$1")
    value = value.str.replace(r"^([+-])\s+", "$1")
    english = value.str.replace_all(r"[, '’]", "")
    continental = value.str.replace_all(r"[. '’]", "").str.replace(",", ".", literal=True)
    is_english = value.str.contains(ENGLISH) | value.str.contains(SPACED % r"\.")
    is_continental = value.str.contains(CONTINENTAL) | value.str.contains(SPACED % ",")
    unsure = value.str.contains(TWO_WAYS) if locale is None else pl.lit(value=False)
    ways = [(is_english, english)] * (locale != "eu") + [(is_continental, continental)] * (locale != "us")
    text = pl.when(~unsure).then(pl.coalesce(pl.when(holds).then(plain) for holds, plain in ways))
    return pl.when(~text.str.contains(TOO_LONG)).then(text).cast(pl.Float64, strict=False)


@rule("text", gives="date", reason="unreadable_date", queue="remediation")
def read_date(column: pl.Expr, *, order: str | None = None, pivot: int | None = None) -> pl.Expr:
    """A day written as text: 2026-05-31, 31.05.2026, 31 May 2026, 2. Februar 2026, with or without a time. 05/06/2026 reads two ways and
    is not read, unless `order` says `dmy` or `mdy`; 31/05/2026 reads one way. Between dots the day comes first, unless `order` says
    otherwise. A year has four digits; one of two is read only where `pivot` says from which on it is of the last century (30: 1930)."""
    return _day(_plain(column).str.replace(TIME, ""), order, pivot)


@rule("text", gives="datetime", reason="unreadable_date", queue="remediation")
def read_moment(column: pl.Expr, *, zone: str, order: str | None = None, pivot: int | None = None) -> pl.Expr:
    """A day and time written as text, in the source's time zone where it names no offset; a day alone is its first moment there.
    Days are read as read_date reads them."""
    value = _plain(column)
    clock = value.str.extract_groups(TIME)
    fields = [clock.struct[place] for place in range(8)]
    day = _day(value.str.replace(TIME, ""), order, pivot).cast(pl.Datetime("us"))
    naive = day + pl.duration(hours=_hour(fields[0], fields[3]), minutes=_number(fields[1]), seconds=_number(fields[2]))
    offset = pl.duration(hours=_number(fields[6]), minutes=_number(fields[7]))
    shifted = pl.when(fields[5] == "-").then(naive + offset).otherwise(naive - offset).dt.replace_time_zone("UTC")
    local = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    return pl.when(fields[4].is_not_null() | fields[5].is_not_null()).then(shifted).otherwise(local)


@rule("text", gives="boolean", reason="unreadable_yes_no", queue="remediation")
def read_yes_no(column: pl.Expr) -> pl.Expr:
    """Yes or no written as text (yes, true, t, 1, x, checked, ja, j, oui, sí; no, false, f, 0, unchecked, nein, n, non)."""
    value = filled(column).str.to_lowercase()
    return pl.when(value.is_in(YES)).then(pl.lit(value=True)).when(value.is_in(NO)).then(pl.lit(value=False))


@rule("text", gives="texts")
def split(column: pl.Expr) -> pl.Expr:
    """The words of one cell, between commas, semicolons, bars or line breaks, each once."""
    pieces = filled(column).str.replace_all(BETWEEN, "\x1f").str.split("\x1f")
    return unless_empty(pieces.list.eval(filled(pl.element()).drop_nulls().unique(maintain_order=True)))


def _plain(column: pl.Expr) -> pl.Expr:
    """Return trimmed text in small letters, with plain spaces and minus signs."""
    return filled(column).str.to_lowercase().str.replace_all("[\u00a0\u2009\u202f]", " ").str.replace_all("−", "-", literal=True)


def _without_currency(value: pl.Expr, currency: str | None) -> pl.Expr:
    """Return amounts without the sign or code of this currency; brackets are a minus."""
    value = value.str.replace(r"^\(([^()+-]*)\)$", "-$1")
    if not currency:
        return value
    named = one_of(named_by(currency))
    return value.str.replace(rf"^([+-]?)\s?{named}\s?", "$1").str.replace(rf"\s?{named}$", "")


def _day(value: pl.Expr, order: str | None, pivot: int | None) -> pl.Expr:
    first, then, last, named, month_named = (
        value.str.extract_groups(each) for each in (YEAR_FIRST, IN_ONE, YEAR_LAST, DAY_NAMED, MONTH_NAMED)
    )
    is_one_mark = first.struct[1] == first.struct[3]
    days, months = _ordered(last, order)
    year = pl.coalesce(
        pl.when(is_one_mark).then(first.struct[0]),
        then.struct[0],
        _year(last.struct[4], pivot),
        _year(named.struct[2], pivot),
        month_named.struct[2],
    )
    month = pl.coalesce(first.struct[2], then.struct[1], months, _month(named.struct[1]), _month(month_named.struct[0]))
    day = pl.coalesce(first.struct[4], then.struct[2], days, named.struct[0], month_named.struct[1])
    plain = pl.concat_str([pl.when(year >= "1000").then(year), month.str.zfill(2), day.str.zfill(2)], separator="-")
    return plain.str.to_date("%Y-%m-%d", strict=False)


def _ordered(parts: pl.Expr, order: str | None) -> tuple[pl.Expr, pl.Expr]:
    """Return day and month of two numbers before a year; nothing where they read two ways."""
    one, mark, two = (parts.struct[place] for place in range(3))
    first, second, is_one_mark = one.cast(pl.Int32), two.cast(pl.Int32), mark == parts.struct[3]
    is_day_first = pl.lit(order == "dmy") if order else (first > 12) | (mark == ".")
    is_month_first = pl.lit(order == "mdy") if order else (second > 12) | (first == second)
    day = pl.when(~is_one_mark).then(None).when(is_day_first).then(one).when(is_month_first).then(two)
    month = pl.when(~is_one_mark).then(None).when(is_day_first).then(two).when(is_month_first).then(one)
    return day, month


def _year(text: pl.Expr, pivot: int | None) -> pl.Expr:
    """Return a year of four digits; of two digits only with a pivot."""
    year = text.str.strip_prefix("'")
    if pivot is None:
        return pl.when(year.str.len_chars() == 4).then(year)
    century = pl.when(year.cast(pl.Int32) >= pivot).then(pl.lit("19")).otherwise(pl.lit("20"))
    return pl.when(year.str.len_chars() == 4).then(year).otherwise(pl.concat_str([century, year]))


def _month(name: pl.Expr) -> pl.Expr:
    return name.replace_strict(list(MONTHS), [str(number) for number in MONTHS.values()], default=None, return_dtype=pl.String)


def _number(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Int64).fill_null(0)


def _hour(text: pl.Expr, half: pl.Expr) -> pl.Expr:
    hour = _number(text)
    return pl.when((half == "p") & (hour < 12)).then(hour + 12).when((half == "a") & (hour == 12)).then(0).otherwise(hour)
