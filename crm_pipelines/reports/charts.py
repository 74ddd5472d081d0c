"""Charts as inline SVG: no script, nothing fetched, readable without colour. Labels stand beside the drawing as text, so they never shrink.

Belongs here: numbers -> drawing. Not here: which numbers (reports.scope_facts), colours (the template's style sheet, by class).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from markupsafe import Markup

WIDTH, HEIGHT = 1000, 100
"""Units of a stretched drawing; the page decides how large it is."""
MONTHS_SHOWN = 60
"""Beyond these the chart counts years: a column would be thinner than a hair."""


def share(part: int, whole: int, title: str) -> Markup:
    """Draw how full something is, for a cell of a table."""
    filled = round(WIDTH * part / whole) if whole else 0
    bars = Markup('<rect class="track" width="{0}" height="{1}"/><rect class="fill" width="{2}" height="{1}"/>').format(
        WIDTH, HEIGHT, filled
    )
    return _drawing("share", title, bars)


def stacked(parts: Sequence[tuple[str, int, str]], title: str) -> Markup:
    """Draw (name, number, class) one after the other as one bar; parts of zero are left out."""
    whole, at, bars = sum(number for _, number, _ in parts), 0.0, Markup("")
    for name, number, css in parts:
        if number:
            width = WIDTH * number / whole
            bars += _bar(css, f"{name}: {number:,}", (at, 0, width, HEIGHT))
            at += width
    return _drawing("stacked", title, bars)


def columns(series: Mapping[str, int], title: str) -> Markup:
    """Draw one column per name, the highest as high as the drawing."""
    most, bars = max(series.values(), default=0), Markup("")
    step = WIDTH / max(1, len(series))
    for place, (name, number) in enumerate(series.items()):
        height = HEIGHT * number / most if most else 0
        if number:
            bars += _bar("fill", f"{name}: {number:,}", (place * step, HEIGHT - height, step * 0.86, height))
    return _drawing("columns", title, bars)


def over_time(series: Mapping[str, int]) -> dict[str, int]:
    """Return months without gaps from the first to the last; years where there are too many months."""
    if not series:
        return {}
    months = _months(min(series), max(series))
    if len(months) <= MONTHS_SHOWN:
        return {date.fromisoformat(f"{month}-01").strftime("%b %Y"): series.get(month, 0) for month in months}
    years = dict.fromkeys((month[:4] for month in months), 0)
    for month, number in series.items():
        years[month[:4]] += number
    return years


def per_day(calendar: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return day -> tokens of a forecast's calendar."""
    days = {date.fromisoformat(one["day"]): int(one["tokens"]) for one in calendar}
    return {f"{day:%a} {day.day} {day:%b}": tokens for day, tokens in days.items()}


def axis(names: Sequence[str]) -> list[str]:
    """Return the names that stand below a chart: first, middle, last."""
    return [names[0], names[len(names) // 2], names[-1]] if len(names) > 2 else list(names)


def _months(first: str, last: str) -> list[str]:
    year, month, out = int(first[:4]), int(first[5:7]), []
    while f"{year:04}-{month:02}" <= last:
        out.append(f"{year:04}-{month:02}")
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return out


def _bar(css: str, title: str, box: tuple[float, float, float, float]) -> Markup:
    rect = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>')
    return rect.format(css, *box, title)


def _drawing(css: str, title: str, content: Markup) -> Markup:
    opening = Markup('<svg class="{0}" viewBox="0 0 {1} {2}" preserveAspectRatio="none" role="img" aria-label="{3}"><title>{3}</title>')
    return opening.format(css, WIDTH, HEIGHT, title) + content + Markup("</svg>")
