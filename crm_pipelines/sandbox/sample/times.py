"""Moments of the planted world: local times that exist once, and the instants at which files were exported.

Belongs here: calendar arithmetic of the sample. Not here: what happens at these moments.
Nothing is planted between 01:00 and 02:59 local time, where clocks change in America and Europe: such a time may not
exist, or exist twice, and no contract says which one is meant. The hours around it are planted on purpose (DST_EDGES).
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SAFE_HOURS = (0, 0, 3, *range(5, 24))
ZERO_DATE = "0000-00-00 00:00:00"
HISTORY_START = datetime(2019, 1, 7)  # noqa: DTZ001 - local time of the account
EVENTS_START = datetime(2024, 2, 1)  # noqa: DTZ001
EVENTS_END = datetime(2026, 6, 7, 12)  # noqa: DTZ001
DST_EDGES = (
    datetime(2024, 3, 10, 3, 5),  # noqa: DTZ001 - the first minutes after clocks went forward
    datetime(2024, 11, 3, 0, 30),  # noqa: DTZ001 - before the hour that came twice
    datetime(2025, 3, 9, 0, 59, 59),  # noqa: DTZ001
    datetime(2025, 11, 2, 23, 59, 59),  # noqa: DTZ001 - a local day that ended five hours later in UTC
)
SUBSCRIPTIONS_EXPORTED = datetime(2026, 6, 8, 16)  # noqa: DTZ001
LATE_EVENT = datetime(2026, 6, 8, 20, 15)  # noqa: DTZ001 - after the subscriptions file, before the transactions file
BASE_EXPORT = datetime(2026, 6, 9, 8, 15, 52)  # noqa: DTZ001
DELTA_START = datetime(2026, 6, 20, 9)  # noqa: DTZ001
DELTA_EXPORT = datetime(2026, 7, 1, 9, 30, 11)  # noqa: DTZ001


def safe(moment: datetime, rng: random.Random) -> datetime:
    """Return a moment of the same day at an hour that every zone has exactly once."""
    return moment.replace(hour=rng.choice(SAFE_HOURS), minute=rng.randrange(60), second=rng.randrange(60), microsecond=0)


def between(rng: random.Random, start: datetime, end: datetime) -> datetime:
    """Return a safe moment on a day between two."""
    return safe(start + timedelta(days=rng.randint(0, max((end - start).days, 0))), rng)


def written(moment: datetime | None) -> str:
    """Write a moment as Kartra does; MySQL's zero date for none."""
    return ZERO_DATE if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")


def utc_text(moment: datetime, zone: str) -> str:
    """Return the UTC instant of a local moment as `YYYY-MM-DDTHH:MM:SSZ`."""
    return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_text(moment: datetime) -> str:
    """Return the local date as `YYYY-MM-DD`."""
    return moment.strftime("%Y-%m-%d")
