"""What a spreadsheet makes of cells that nobody touched: zeros and plus signs lost, dates and numbers spelled anew.

Belongs here: telling such a cell from an answer, by the text that was given out and the text that came back. Not here: what a changed cell
may hold (queues_answers), reading dates of exports (sources.dates).

What was certainly not meant is no change; what can be read two ways is a problem. Neither is ever taken as an answer.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

SAME = "same"
ROUNDED = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_CLOCK = r"(?:[ T]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::\d\d(?:\.\d+)?)?)?"
_YEAR_FIRST = re.compile(rf"(?P<a>\d{{4}})[-/.](?P<b>\d{{1,2}})[-/.](?P<c>\d{{1,2}}){_CLOCK}")
_YEAR_LAST = re.compile(rf"(?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}})[-/.](?P<c>\d{{4}}|\d\d){_CLOCK}")
_NAMED = re.compile(rf"(?P<a>\d{{1,2}})[-/. ](?P<b>[A-Za-z]{{3}})[a-z]*[-/. ](?P<c>\d{{4}}|\d\d){_CLOCK}")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DIGITS = 15
"""Digits that a spreadsheet keeps of a number (Excel specifications and limits: "Number precision: 15 digits")."""
_DAY_0 = date(1899, 12, 30)
"""Day 0 of spreadsheets, as dates after February 1900 count."""
DATE_SPELLED_ANEW = (
    "a spreadsheet may have spelled this date anew, and it reads two ways; put back what was there, or write it as year-month-day"
)
DIGITS_LOST = "a spreadsheet keeps 15 digits of a number and lost the rest; format the column as text and put back what was there"
Reading = tuple[frozenset[date], str]


def respelled(old: str, new: str) -> str:
    """Return SAME where nothing was meant, a sentence where that cannot be told, and nothing where a cell was answered."""
    old, new = old.strip(), new.strip()
    if not old or not new or old == new:
        return ""
    if new == old.upper() and new in ("TRUE", "FALSE"):
        return SAME
    if _is_cut_short(old, new):
        return DIGITS_LOST
    before, after = _number(old), _number(new)
    if before is not None and before == after:
        return SAME
    return _date_respelled(old, new)


def _number(text: str) -> Decimal | None:
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    return Decimal(text.replace(",", "")) if _THOUSANDS.fullmatch(text) else None


def _is_cut_short(old: str, new: str) -> bool:
    first, then = old.lstrip("+-0"), new.lstrip("+-0")
    is_long = first.isdecimal() and then.isdecimal() and len(first) == len(then) > _DIGITS
    return is_long and first != then and first[:_DIGITS] == then[:_DIGITS] and not then[_DIGITS:].strip("0")


def _date_respelled(old: str, new: str) -> str:
    (before, clock), (after, other) = _read(old), _read(new)
    if len(before) == 1 and new.isdecimal() and not clock and new == str((next(iter(before)) - _DAY_0) // timedelta(days=1)):
        return SAME
    if not before or not after or not before <= after or clock != other:
        return ""
    return SAME if len(after) == 1 else DATE_SPELLED_ANEW


def _read(text: str) -> Reading:
    """Return the days that a text may mean, and its hour and minute; none where it is no date."""
    if found := _YEAR_FIRST.fullmatch(text):
        orders = [(found["a"], found["b"], found["c"])]
    elif found := _YEAR_LAST.fullmatch(text):
        orders = [(found["c"], found["b"], found["a"]), (found["c"], found["a"], found["b"])]
    elif (found := _NAMED.fullmatch(text)) and found["b"].casefold() in _MONTHS:
        orders = [(found["c"], str(_MONTHS.index(found["b"].casefold()) + 1), found["a"])]
    else:
        return frozenset(), ""
    days = (_day(*order) for order in orders)
    hour, minute = int(found["hour"] or 0), int(found["minute"] or 0)
    return frozenset(day for day in days if day is not None), f"{hour}:{minute:02}" if hour or minute else ""


def _day(year: str, month: str, day: str) -> date | None:
    """Return a day; years of two digits count as spreadsheets count them (00 to 29: after 2000)."""
    short = int(year)
    full = short if len(year) > 2 else short + (2000 if short < 30 else 1900)
    try:
        return date(full, int(month), int(day))
    except ValueError:
        return None
