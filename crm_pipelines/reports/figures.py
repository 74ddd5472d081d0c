"""Figures as a person reads them: counts, sums, times.

Belongs here: the text of one number. Not here: words around it (scope_words, reconciliation_words).
"""

from __future__ import annotations

import math
from decimal import Decimal

HOURS_FROM_MINUTES = 120
PLACES = 2


def number(value: int | None) -> str:
    """Return a count with thin groups, or a dash where there is none."""
    return "–" if value is None else f"{value:,}"


def money(value: str | Decimal) -> str:
    """Return a sum with two decimals and grouped thousands; more decimals only where they say something."""
    exact = Decimal(value)
    places = max(PLACES, -int(exact.normalize().as_tuple().exponent))
    return f"{exact:,.{places}f}"


def duration(seconds: float) -> str:
    """Return a time as a person would say it: minutes, and hours once there are two of them."""
    minutes = math.ceil(seconds / 60)
    if minutes >= HOURS_FROM_MINUTES:
        return f"{minutes / 60:,.1f} hours"
    return "a minute or less" if seconds <= 60 else f"{minutes} minutes"
