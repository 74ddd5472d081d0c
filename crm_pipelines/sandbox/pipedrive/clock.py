"""The server's own clock: real time plus an offset, and the day whose midnight refills the token budget.

Belongs here: time. Not here: what is counted per day (limits).
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from email.utils import formatdate
from zoneinfo import ZoneInfo


class Clock:
    """Wall-clock time as this server sees it; texts are cached for the current second."""

    def __init__(self, timezone: str, offset_s: float = 0.0) -> None:
        self.zone = ZoneInfo(timezone)
        self.offset_s = offset_s
        self._second = -1
        self._texts = ("", "", b"")
        self._day = ("", 0.0, 0.0)

    def now(self) -> float:
        """Seconds since the epoch, offset included."""
        return time.time() + self.offset_s

    def utc(self) -> str:
        """Now as v2 writes it, `2024-01-01T00:00:00Z`."""
        return self._read()[0]

    def utc_v1(self) -> str:
        """Now as v1 writes it, `2024-01-01 00:00:00` in UTC."""
        return self._read()[1]

    def http_date(self) -> bytes:
        """Now as the Date header writes it."""
        return self._read()[2]

    def day(self) -> str:
        """The vendor's current day, `2024-01-01`, in the configured zone."""
        now = self.now()
        if not self._day[1] <= now < self._day[2]:
            self._day = self._day_around(now)
        return self._day[0]

    def seconds_to_midnight(self) -> int:
        """Whole seconds until the day turns, at least one."""
        self.day()
        return max(1, int(self._day[2] - self.now()) + 1)

    def set_to(self, moment: float) -> None:
        """Make this server's now equal `moment`."""
        self.offset_s = moment - time.time()
        self._second = -1

    def next_day(self) -> None:
        """Move to the first second of the next day."""
        self.day()
        self.set_to(self._day[2] + 1)

    def _read(self) -> tuple[str, str, bytes]:
        second = int(self.now())
        if second != self._second:
            stamp = time.gmtime(second)
            v2 = time.strftime("%Y-%m-%dT%H:%M:%SZ", stamp)
            self._texts = (v2, v2[:10] + " " + v2[11:19], formatdate(second, usegmt=True).encode())
            self._second = second
        return self._texts

    def _day_around(self, now: float) -> tuple[str, float, float]:
        start = datetime.fromtimestamp(now, self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        end = start + timedelta(days=1)  # wall-clock arithmetic: the next local midnight also across a DST change
        return start.date().isoformat(), start.timestamp(), end.timestamp()
