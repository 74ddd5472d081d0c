"""Text to moments: three ways of writing a date, one order of day and month per column, local time to UTC.

Belongs here: dates and times of day. Not here: which column is a date (the source's contract), how a destination wants
it (spec rules).

The rules. 2026-04-02[ 13:05[:11]] is year first, always; with Z or an offset it is a moment, else local time. 02-04-2026
and 04/02/2026 1:05 PM need an order: rows that read one way only give it away for all dates of that column with
the same separator; where rows prove both orders, those that read two ways become errors; where no row proves one, the
order must be declared. Local time that comes twice when clocks go back is the first one; local time that is skipped
when they go forward keeps the offset from before (so does Python's fold=0). Zero dates are empty cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from crm_pipelines.errors import SourceError
from crm_pipelines.sources.base import DateOrder

ZERO_DATE = "0000-00-00"
ISO_LOCAL = r"^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?$"
ISO_OFFSET = r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})$"
NUMERIC = (
    r"^(?P<a>\d{1,2})(?P<sep>[-/.])(?P<b>\d{1,2})[-/.](?P<y>\d{4})"
    r"(?:[ T,]+(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2}))?(?:\s*(?P<p>[AaPp])\.?[Mm]\.?)?)?$"
)
NAMED_FORMATS = ("%a, %d %b %Y, %I:%M %p", "%d %b %Y, %I:%M %p", "%d %b %Y")  # WebinarJam, the sister product, writes the first
BOTH_WAYS = "ambiguous_date"
NOT_A_DATE = "not_a_date"
WRONG_ORDER = "date_against_declared_order"


@dataclass(frozen=True)
class Moments:
    """A column of moments: values, the reason where a cell could not be read, what to tell the operator."""

    values: pl.Series
    reasons: pl.Series
    warnings: tuple[str, ...] = ()


def read_moments(text: pl.Series, zones: pl.Series | str, order: DateOrder | None, file_name: str) -> Moments:
    """Read a column of dates with or without time as UTC moments.

    Shape: Datetime("us", "UTC"), null where empty or unreadable. `zones` is one IANA name or one per cell.
    Raises: SourceError when no row of the column tells day from month and no order is declared.
    """
    cells = _cells(text, order, file_name)
    utc, warnings = to_utc(cells["local"], zones, text.name)
    values = pl.select(pl.coalesce(cells["moment"], utc)).to_series()
    reasons = cells["reason"]
    if isinstance(zones, pl.Series):
        reasons = pl.select(pl.coalesce(reasons, _zone_reasons(cells["local"], utc))).to_series()
    return Moments(values.alias(text.name), reasons, warnings)


def read_dates(text: pl.Series, order: DateOrder | None, file_name: str) -> Moments:
    """Read a column of calendar days; a time of day is left out, an offset is not applied."""
    cells = _cells(text, order, file_name)
    local = pl.select(pl.coalesce(cells["local"], cells["moment"].dt.replace_time_zone(None))).to_series()
    return Moments(local.dt.date().alias(text.name), cells["reason"])


def to_utc(local: pl.Series, zones: pl.Series | str, column: str) -> tuple[pl.Series, tuple[str, ...]]:
    """Convert local times of one zone, or of each cell's own, to UTC; null where a zone is not known."""
    if isinstance(zones, str):
        return _one_zone(local, zones, column)
    frame = pl.DataFrame({"local": local, "zone": zones}).with_row_index()
    parts: list[pl.DataFrame] = []
    warnings: list[str] = []
    for (zone,), part in frame.group_by("zone", maintain_order=True):
        utc, said = _one_zone(part["local"], str(zone), column) if is_zone(str(zone)) else (_no_moments(part.height), ())
        parts.append(part.select("index", utc.alias("utc")))
        warnings.extend(said)
    joined = pl.concat(parts).sort("index")["utc"] if parts else _no_moments(0)
    return joined, tuple(warnings)


def is_zone(name: str) -> bool:
    """Whether `name` is a time zone of the IANA database."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _one_zone(local: pl.Series, zone: str, column: str) -> tuple[pl.Series, tuple[str, ...]]:
    first = _as_utc(local, zone, "earliest")
    second = _as_utc(local, zone, "latest")
    skipped = local.is_not_null() & first.is_null()
    if skipped.any():
        # The offset of the day before is the one from before the change.
        before = _as_utc(local - timedelta(days=1), zone, "earliest") + timedelta(days=1)
        first = first.zip_with(~skipped, before)
    return first, _clock_warnings(int(((first != second) & ~skipped).sum()), int(skipped.sum()), zone, column)


def _as_utc(local: pl.Series, zone: str, ambiguous: str) -> pl.Series:
    placed = local.to_frame("local").select(
        pl.col("local").dt.replace_time_zone(zone, ambiguous=ambiguous, non_existent="null").dt.convert_time_zone("UTC")  # type: ignore[arg-type]
    )
    return placed.to_series()


def _clock_warnings(twice: int, skipped: int, zone: str, column: str) -> tuple[str, ...]:
    warnings = []
    if twice:
        warnings.append(f"{column}: {twice} local times come twice in {zone} (clocks go back); the first was taken")
    if skipped:
        warnings.append(f"{column}: {skipped} local times do not exist in {zone} (clocks go forward); the offset from before was kept")
    return tuple(warnings)


def _no_moments(height: int) -> pl.Series:
    return pl.Series([None] * height, dtype=pl.Datetime("us", "UTC"))


def _zone_reasons(local: pl.Series, utc: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"lost": local.is_not_null() & utc.is_null()})
    return frame.select(pl.when("lost").then(pl.lit("unknown_time_zone"))).to_series()


def _cells(text: pl.Series, order: DateOrder | None, file_name: str) -> pl.DataFrame:
    """Read each cell once: `local` (naive), `moment` (UTC, for cells with an offset), `reason`."""
    stripped = text.str.strip_chars()
    cells = pl.DataFrame({"cell": stripped}).with_columns(
        pl.when(pl.col("cell").str.starts_with(ZERO_DATE) | (pl.col("cell") == "")).then(None).otherwise(pl.col("cell")).alias("cell")
    )
    cells = cells.with_columns(
        pl.when(pl.col("cell").str.contains(ISO_LOCAL)).then(_iso_local()).alias("local"),
        pl.lit(None, pl.Datetime("us", "UTC")).alias("moment"),
        pl.lit(None, pl.String).alias("reason"),
    )
    rest = cells["cell"].is_not_null() & cells["local"].is_null()
    if not rest.any():
        return cells
    others = _others(cells["cell"].filter(rest).unique(maintain_order=True), order, text.name, file_name)
    joined = cells.select("cell", "local").join(others, on="cell", how="left", maintain_order="left")
    return joined.select("cell", pl.coalesce("local", "local_right").alias("local"), "moment", "reason")


def _iso_local() -> pl.Expr:
    text = pl.col("cell").str.slice(0, 19).str.replace("T", " ", literal=True)
    length = text.str.len_bytes()
    full = pl.when(length == 10).then(text + " 00:00:00").when(length == 16).then(text + ":00").otherwise(text)
    return full.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)


def _others(values: pl.Series, order: DateOrder | None, column: str, file_name: str) -> pl.DataFrame:
    """Read the distinct values that are not plain year-first dates."""
    numeric = _numeric(values, order, column, file_name)
    moments = [_with_offset(value) for value in values]
    frame = numeric.with_columns(pl.Series("moment", moments, pl.Datetime("us", "UTC")))
    named = pl.coalesce(pl.col("cell").str.to_datetime(form, time_unit="us", strict=False) for form in NAMED_FORMATS)
    frame = frame.with_columns(pl.coalesce("local", named).alias("local"))
    unread = pl.col("local").is_null() & pl.col("moment").is_null() & pl.col("reason").is_null()
    return frame.with_columns(pl.when(unread).then(pl.lit(NOT_A_DATE)).otherwise(pl.col("reason")).alias("reason"))


def _with_offset(value: str) -> datetime | None:
    """Read an ISO moment with Z or an offset; None for anything else."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _numeric(values: pl.Series, order: DateOrder | None, column: str, file_name: str) -> pl.DataFrame:
    """Read dates of two numbers and a year by the order their column shows."""
    parts = pl.DataFrame({"cell": values}).with_columns(pl.col("cell").str.extract_groups(NUMERIC).alias("p")).unnest("p")
    frame = parts.with_columns(
        _local("dmy").alias("dmy"),
        _local("mdy").alias("mdy"),
    )
    pieces = [
        _ordered(piece, order, column, file_name) if sep is not None else piece.with_columns(_as_read(None, None))
        for (sep,), piece in frame.group_by("sep", maintain_order=True)
    ]
    return pl.concat([piece.select("cell", "local", "reason") for piece in pieces])


def _local(order: DateOrder) -> pl.Expr:
    """Build the local time that the parts mean under one order; null when there is no such day or hour."""
    day, month = ("a", "b") if order == "dmy" else ("b", "a")
    hour = pl.col("h").cast(pl.Int32).fill_null(0)
    afternoon = pl.col("p").str.to_lowercase() == "p"
    is_clock_hour = pl.col("p").is_null() | hour.is_between(1, 12)
    hour24 = pl.when(pl.col("p").is_null()).then(hour).otherwise(hour % 12 + pl.when(afternoon).then(12).otherwise(0))
    full = pl.format(
        "{}-{}-{} {}:{}:{}",
        pl.col("y"),
        pl.col(month).str.zfill(2),
        pl.col(day).str.zfill(2),
        hour24.cast(pl.String).str.zfill(2),
        pl.col("mi").fill_null("00"),
        pl.col("s").fill_null("00"),
    )
    return pl.when(is_clock_hour).then(full.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False))


def _ordered(piece: pl.DataFrame, declared: DateOrder | None, column: str, file_name: str) -> pl.DataFrame:
    """Settle the order for the dates of one separator: declared, shown by the rows, or in doubt."""
    day_first = bool((piece["dmy"].is_not_null() & piece["mdy"].is_null()).any())
    month_first = bool((piece["mdy"].is_not_null() & piece["dmy"].is_null()).any())
    if declared is not None:
        other = "mdy" if declared == "dmy" else "dmy"
        wrong = pl.col(declared).is_null() & pl.col(other).is_not_null()
        return piece.with_columns(_as_read(declared, pl.when(wrong).then(pl.lit(WRONG_ORDER))))
    if day_first != month_first:
        return piece.with_columns(_as_read("dmy" if day_first else "mdy", None))
    two_ways = pl.col("dmy").is_not_null() & pl.col("mdy").is_not_null() & (pl.col("dmy") != pl.col("mdy"))
    if not day_first and piece.select(two_ways.any()).item():
        raise SourceError(_undeclared(column, file_name))
    local = pl.when(~two_ways.fill_null(False)).then(pl.coalesce("dmy", "mdy")).alias("local")
    return piece.with_columns(local, pl.when(two_ways).then(pl.lit(BOTH_WAYS)).alias("reason"))


def _as_read(order: DateOrder | None, reason: pl.Expr | None) -> Sequence[pl.Expr]:
    local = pl.col(order) if order else pl.lit(None, pl.Datetime("us"))
    return [local.alias("local"), (pl.lit(None, pl.String) if reason is None else reason).alias("reason")]


def _undeclared(column: str, file_name: str) -> str:
    return (
        f"{file_name}: every date of column {column} reads two ways (day first or month first) and no row tells which; "
        "declare `date_order: dmy` or `date_order: mdy` for this file"
    )
