"""How many cells of a column the loader's own rules read as a number, an amount, a date or yes and no, and what they have to be told.

Belongs here: trying the rules that a field of each type would be given (spec.overlay), over every filled cell. Not here: what a column
looks like (types), what is offered (proposing, reports.workbook_picks).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from crm_pipelines.discovery.proposal import DayOrder, Reading
from crm_pipelines.discovery.types import spread
from crm_pipelines.spec.client_map import DateOrder, DecimalLocale
from crm_pipelines.spec.overlay import CUSTOM_RULES
from crm_pipelines.spec.reading_words import CURRENCY_WORDS, currency_of, named_by, one_of
from crm_pipelines.spec.rules import load_rules

READ_TYPES = ("number", "money", "date", "datetime", "boolean")
"""Types of fields for which text has to be read as something else."""
ORDERS: Mapping[DayOrder, tuple[DateOrder | None, ...]] = {"day first": ("dmy",), "month first": ("mdy",), "either way": ("dmy", "mdy")}
"""How a column's dates are written -> what may be chosen."""
_SIGN = r"[+\-−(]*\s?"
NAMED = (rf"^{_SIGN}({one_of(CURRENCY_WORDS)})\s?{_SIGN}[\d.,]", rf"\d[.,\-–—]*\s?({one_of(CURRENCY_WORDS)})\)?$")
"""Where an amount names its currency: before it, behind it."""
LOCALES: tuple[DecimalLocale, ...] = ("us", "eu")
TICKED_SHARE = 0.99
"""Share of filled cells that a type has to read before it is ticked: of the rest, every row waits for a person."""
OFFERED_SHARE = 0.5
"""Share from which on a new field of a type is offered at all."""
TRIED = 10_000
"""Distinct texts that are read; of a column with more, as many from the frequent to the rare ones."""
A_PIVOT = 50
"""Any century will do to tell whether it is the short years that are not read."""


@dataclass(frozen=True)
class Told:
    """What is known before a column's cells are looked at: how its files are declared to be written, and where it may go."""

    zone: str = "UTC"
    order: DateOrder | None = None
    locale: DecimalLocale | None = None
    currency: str = ""
    """The currency of the account's amounts; empty where the destination was not asked."""


def readings(cells: pl.Series, day_order: DayOrder, told: Told) -> tuple[Reading, ...]:
    """Return, for each type that text is read as, every way to read this column that may be chosen, and how many cells would wait."""
    text = cells.cast(pl.String).str.strip_chars().drop_nulls().alias("text")
    counts = text.filter(text != "").value_counts()
    if not counts.height:
        return ()
    trial = _Trial(spread(counts.sort("count", "text", descending=[True, False]), TRIED), told.zone, int(counts["count"].sum()))
    orders: tuple[DateOrder | None, ...] = (None,) if told.order else ORDERS.get(day_order, (None,))
    dates = [trial.of_dates(kind, order, told) for kind in ("date", "datetime") for order in orders]
    numbers = [one for kind in ("number", "money") for one in trial.of_numbers(kind, told)]
    return (*numbers, *dates, Reading("boolean", trial.filled, trial.rows(trial.unread("boolean", {}))))


@dataclass(frozen=True)
class _Trial:
    """Distinct texts of a column with their rows, read by rules."""

    counts: pl.DataFrame
    zone: str
    filled: int
    """Filled cells of the whole column."""

    def rows(self, texts: pl.Series) -> int:
        """Return how many cells hold these texts, or texts like them where not all were tried; one that does is never none."""
        return math.ceil(int(self.counts["count"].filter(texts).sum()) * self.filled / int(self.counts["count"].sum()))

    def unread(self, kind: str, settings: Mapping[str, Any]) -> pl.Series:
        """Tell which texts the rule of a type does not read."""
        rule = load_rules()[CUSTOM_RULES[kind]["text"]]
        given = {name: value for name, value in settings.items() if value is not None}
        zone = {"zone": self.zone} if rule.needs_zone else {}
        return self.counts.select(rule.apply(pl.col("text"), **given, **zone).is_null()).to_series()

    def of_dates(self, kind: str, order: DateOrder | None, told: Told) -> Reading:
        """Return dates; `order` is what a choice has to say of them."""
        settings = {"order": order or told.order}
        waiting = self.rows(self.unread(kind, settings))
        has_short_years = waiting > 0 and waiting > self.rows(self.unread(kind, {**settings, "pivot": A_PIVOT}))
        return Reading(kind, self.filled, waiting, date_order=order, has_short_years=has_short_years)

    def of_numbers(self, kind: str, told: Told) -> Iterator[Reading]:
        """Yield the ways to read numbers: one where every cell reads one way or only one reads them all, else both."""
        currency = _currency(self.counts, told) if kind == "money" else None
        locales = (told.locale,) if told.locale else (None, "us", "eu")
        unread = {each: self.unread(kind, {"locale": each, "currency": currency}) for each in locales}
        if told.locale:
            yield Reading(kind, self.filled, self.rows(unread[told.locale]), currency=currency)
            return
        hopeless = self.rows(unread["us"] & unread["eu"])
        ways: tuple[DecimalLocale | None, ...] = (None,)
        if self.rows(unread[None]) > hopeless:
            ways = tuple(each for each in LOCALES if self.rows(unread[each]) == hopeless) or LOCALES
        yield from (Reading(kind, self.filled, self.rows(unread[each]), decimal_locale=each, currency=currency) for each in ways)


def _currency(counts: pl.DataFrame, told: Told) -> str | None:
    """Return the currency that amounts name, the account's own where that is known; nothing where it is another one, or none is named."""
    low = counts.select("count", low=pl.col("text").str.to_lowercase())
    words = low.select("count", word=pl.coalesce(*(pl.col("low").str.extract(each) for each in NAMED))).drop_nulls()
    if words.is_empty():
        return None
    usual = words.group_by("word").agg(pl.col("count").sum()).sort("count", "word", descending=[True, False])["word"].to_list()
    if told.currency:
        return told.currency if usual[0] in named_by(told.currency) else None
    return currency_of(set(usual)) or currency_of({usual[0]}) or None
