"""What the text in a column reads as: dates, money, yes/no, choices, addresses - and how much of it does.

Belongs here: recognising a type from cells, for columns whose source has no types. Not here: typing cells for the migration
(sources.typed does that by contract, and refuses what this module would only guess).

A type is taken when SHARE of the filled cells read as it, the most telling type first. Long columns are judged by a sample of their
distinct texts, spread over the whole column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from crm_pipelines.discovery import type_patterns as patterns
from crm_pipelines.discovery.proposal import DayOrder
from crm_pipelines.discovery.values import InferredType
from crm_pipelines.phases.resolve.emails import plain_email
from crm_pipelines.spec.countries import country_code
from crm_pipelines.spec.reading_words import YES_NO_PAIRS

SHARE = 0.8
SAMPLE = 5_000
OPTIONS_MAX = 60
OPTION_CHARS = 60
CHOICE_SHARE = 0.95
"""Share of cells that hold a word of the choice."""
CELLS_PER_OPTION = 3
"""An option stands for a choice only where it was chosen several times on average."""
RANGES_MAX = 12
"""Choices may be mostly digits when they are few: `20-30`, `2-5 people`."""
LOOKED_AT = 400
"""Characters of a text that are looked at."""
LONG_CHARS = 255
LONG_MEAN = 100
SEPARATED = 0.3
"""Share of cells that hold a separator in a column of several values."""
ID_CHARS = 5
NO_VALUE = ("", "-", "--", "—", "n/a", "na", "null", "none", "nil", "keine", "aucun", "ninguno")


@dataclass(frozen=True)
class Inference:
    """What a column reads as.

    `share` is that of the judged cells, those that are filled and say something; `day_order` tells how its dates are written,
    `separator` what stands between the values of a set.
    """

    type: InferredType
    share: float
    judged: int
    options: tuple[str, ...] = ()
    day_order: DayOrder = ""
    separator: str = ""


def infer_type(cells: pl.Series, *, has_options: bool = True) -> Inference:
    """Tell what a column of text reads as; `has_options` is false for what people write freely, which is never a choice."""
    counts = value_counts(cells)
    judged = int(counts["count"].sum() or 0)
    if not judged:
        return Inference("empty", 1.0, 0)
    sample = spread(counts)
    for kind, reads in _RECOGNISED:
        share = _share(sample, reads(sample))
        if share >= SHARE and (kind != "boolean" or _is_yes_no(counts)):
            return _told(kind, share, judged, counts)
    return _by_use(counts, sample, judged, has_options=has_options)


def value_counts(cells: pl.Series) -> pl.DataFrame:
    """Count the distinct trimmed texts that say something.

    Shape: [text, low, count], most frequent first, ties by text; `low` is the beginning in small letters, which tells a type.
    """
    text = cells.cast(pl.String).str.strip_chars().drop_nulls().alias("text")
    counts = text.value_counts().with_columns(low=pl.col("text").str.slice(0, LOOKED_AT).str.to_lowercase())
    return counts.filter(~pl.col("low").is_in(NO_VALUE)).sort("count", "text", descending=[True, False])


def share_of(cells: pl.Series, kind: InferredType) -> float:
    """Return which share of the filled cells reads as a type that the source declares (email, phone, country)."""
    sample = spread(value_counts(cells))
    reads = {"email": _emails, "phone": _phone_like, "country": _countries}.get(kind)
    return _share(sample, reads(sample)) if reads and sample.height else 1.0


def spread(counts: pl.DataFrame, most: int = SAMPLE) -> pl.DataFrame:
    """Return at most so many of the distinct texts, evenly over the frequent and the rare."""
    return counts if counts.height <= most else counts.gather_every(-(-counts.height // most))


def _share(counts: pl.DataFrame, reads: pl.Series) -> float:
    return int(counts["count"].filter(reads).sum()) / int(counts["count"].sum())


def _emails(counts: pl.DataFrame) -> pl.Series:
    return counts.select(plain_email(pl.col("text"))).to_series()


def _urls(counts: pl.DataFrame) -> pl.Series:
    return counts["low"].str.contains(patterns.URL)


def _yes_no(counts: pl.DataFrame) -> pl.Series:
    return counts["low"].is_in(patterns.YES_NO)


def _dates(counts: pl.DataFrame) -> pl.Series:
    return counts["low"].str.contains(patterns.DATE)


def _moments(counts: pl.DataFrame) -> pl.Series:
    return counts["low"].str.contains(patterns.DATE) | counts["low"].str.contains(patterns.DATETIME)


def _money(counts: pl.DataFrame) -> pl.Series:
    return counts["low"].str.contains(patterns.MONEY)


def _money_or_number(counts: pl.DataFrame) -> pl.Series:
    """Amounts of which some name their currency."""
    money = _money(counts)
    return money | (_numbers(counts) & (_share(counts, money) >= SEPARATED))


def _phones(counts: pl.DataFrame) -> pl.Series:
    """Numbers that only a telephone has: a plus, a leading zero, brackets or groups."""
    return _phone_like(counts) & counts["low"].str.contains(patterns.PHONE_ONLY)


def _phone_like(counts: pl.DataFrame) -> pl.Series:
    digits = counts["low"].str.count_matches(r"\d")
    return counts["low"].str.contains(patterns.PHONE) & digits.is_between(7, 16)


def _numbers(counts: pl.DataFrame) -> pl.Series:
    return counts["low"].str.contains(patterns.NUMBER) & ~counts["low"].str.contains(patterns.NUMBERED_NAME)


def _countries(counts: pl.DataFrame) -> pl.Series:
    return pl.Series([country_code(text) is not None for text in counts["text"]], dtype=pl.Boolean)


def _country_names(counts: pl.DataFrame) -> pl.Series:
    """Names of countries; two letters alone may be anything."""
    return _countries(counts) & (counts["text"].str.len_chars() > 3)


def _network_addresses(counts: pl.DataFrame) -> pl.Series:
    return counts["low"].str.contains(patterns.NETWORK_ADDRESS)


def _ids(counts: pl.DataFrame) -> pl.Series:
    """Codes: digits in one word, no two cells alike."""
    is_code = counts["low"].str.contains(patterns.CODE) & counts["low"].str.contains(r"\d") & (counts["low"].str.len_chars() >= ID_CHARS)
    return is_code & (counts["count"] == 1)


_RECOGNISED: tuple[tuple[InferredType, Callable[[pl.DataFrame], pl.Series]], ...] = (
    ("email", _emails),
    ("url", _urls),
    ("boolean", _yes_no),
    ("date", _dates),
    ("datetime", _moments),
    ("money", _money_or_number),
    ("id", _network_addresses),
    ("phone", _phones),
    ("number", _numbers),
    ("country", _country_names),
    ("id", _ids),
)
"""Type and the cells that read as it, the most telling first."""


def _is_yes_no(counts: pl.DataFrame) -> bool:
    """Tell whether words of yes and no are used as such: a pair of them, or one that means nothing else; at most two languages."""
    words = set(counts["low"].to_list()) & set(patterns.YES_NO)
    is_meant = any(words.issuperset(pair) for pair in YES_NO_PAIRS) or bool(words & set(patterns.YES_OR_NO_ALONE))
    return is_meant and len(words) <= 4


def _told(kind: InferredType, share: float, judged: int, counts: pl.DataFrame) -> Inference:
    if kind in ("date", "datetime"):
        return Inference(kind, share, judged, day_order=_day_order(counts))
    return Inference(kind, share, judged)


def _day_order(counts: pl.DataFrame) -> DayOrder:
    """Tell how numeric dates are ordered from those that read one way only."""
    parts = counts.select(
        first=pl.col("low").str.extract(patterns.NUMERIC_DAY, 1).cast(pl.Int32),
        second=pl.col("low").str.extract(patterns.NUMERIC_DAY, 2).cast(pl.Int32),
    ).drop_nulls()
    if not parts.height:
        return ""
    day_first, month_first = bool((parts["first"] > 12).any()), bool((parts["second"] > 12).any())
    return "day first" if day_first and not month_first else "month first" if month_first and not day_first else "either way"


def _by_use(counts: pl.DataFrame, sample: pl.DataFrame, judged: int, *, has_options: bool) -> Inference:
    """Tell choices and free text apart by how often texts repeat and how long they are."""
    if has_options and (several := _as_set(counts, judged)) is not None:
        return several
    if has_options and (words := _choices(counts, judged)) is not None:
        return Inference("enum", int(words["count"].sum()) / judged, judged, options=tuple(words["text"].to_list()))
    lengths = sample.select((pl.col("text").str.len_chars() * pl.col("count")).sum() / pl.col("count").sum()).item()
    is_long = sample["text"].str.len_chars().max() > LONG_CHARS or lengths > LONG_MEAN  # type: ignore[operator]
    lines = _share(sample, sample["text"].str.contains("\n"))
    return Inference("long_text" if is_long or lines >= 0.05 else "text", 1.0, judged)


def _as_set(counts: pl.DataFrame, judged: int) -> Inference | None:
    for separator in patterns.SEPARATORS:
        held = counts["text"].str.contains(separator, literal=True)
        if _share(counts, held) < SEPARATED:
            continue
        pieces = counts.select(text=pl.col("text").str.split(separator), count="count").explode("text")
        pieces = pieces.with_columns(pl.col("text").str.strip_chars()).filter(pl.col("text") != "")
        options = pieces.group_by("text").agg(pl.col("count").sum()).sort("count", "text", descending=[True, False])
        pieces_seen = int(options["count"].sum())
        if options.height and (words := _choices(options, pieces_seen)) is not None:
            share = int(words["count"].sum()) / pieces_seen
            return Inference("set", share, judged, options=tuple(words["text"].to_list()), separator=separator)
    return None


def _choices(counts: pl.DataFrame, cells: int) -> pl.DataFrame | None:
    """Return the words of a choice: few short texts, not mostly digits, used again and again; None when it is none.

    Long texts and those with an address in them are no words; a few of them beside the words change nothing, and are not shown.
    """
    text = pl.col("text")
    words = counts.filter((text.str.len_chars() <= OPTION_CHARS) & ~text.str.contains(patterns.NO_OPTION))
    used = int(words["count"].sum())
    if used < CHOICE_SHARE * cells or words.height > OPTIONS_MAX or words.height * CELLS_PER_OPTION > used:
        return None
    digits = int(words["text"].str.count_matches(r"\d").sum()) / int(words["text"].str.len_chars().sum())
    are_ranges = words.height <= RANGES_MAX and not words["text"].str.contains(r"^\d+$").any()
    return words if digits < 0.4 or are_ranges else None
