"""Rules over dates and times. Every date-time is UTC when it gets here; what a local one meant was settled while staging.

Belongs here: which day, which hour, how long. Not here: reading dates in their many forms (sources.dates).
"""

from __future__ import annotations

import polars as pl

from crm_pipelines.spec.rules import rule

SECONDS_PER_DAY = 86_400


@rule("date", gives="date")
def date(column: pl.Expr) -> pl.Expr:
    """A date as it stands."""
    return column


@rule("date", gives="datetime")
def date_to_utc(column: pl.Expr) -> pl.Expr:
    """The first moment of a day, 00:00 UTC."""
    return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


@rule("datetime", gives="datetime")
def utc(column: pl.Expr) -> pl.Expr:
    """A moment, sent in UTC."""
    return column.dt.convert_time_zone("UTC")


@rule("datetime", gives="date")
def local_date(column: pl.Expr, *, zone: str) -> pl.Expr:
    """The day on which a moment fell in the source's time zone: the day that the export shows."""
    return column.dt.convert_time_zone(zone).dt.date()


@rule("datetime", gives="date")
def utc_date(column: pl.Expr) -> pl.Expr:
    """The day on which a moment fell in UTC."""
    return column.dt.convert_time_zone("UTC").dt.date()


@rule("datetime", gives="text")
def utc_time(column: pl.Expr) -> pl.Expr:
    """The hour, minute and second of a moment in UTC, as HH:MM:SS."""
    return column.dt.convert_time_zone("UTC").dt.strftime("%H:%M:%S")


@rule("datetime", gives="text")
def duration(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """The time from the first moment to the second, as HH:MM:SS; empty when the second is missing, earlier, or a day or more away."""
    seconds = (end - start).dt.total_seconds()
    hours, minutes = seconds // 3600, seconds // 60 % 60
    clock = [part.cast(pl.String).str.zfill(2) for part in (hours, minutes, seconds % 60)]
    return pl.when(seconds.is_between(0, SECONDS_PER_DAY, closed="left")).then(pl.concat_str(clock, separator=":"))
