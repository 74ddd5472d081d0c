"""The vendor's clock against ours: look-ups and the vendor's day go by theirs.

Belongs here: reading Date headers. Not here: where the vendor's day begins (budget), what is looked up (vendor modules).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass
class VendorClock:
    """The vendor's clock against ours, from Date headers (resolution one second)."""

    offset_s: float = 0.0
    is_known: bool = False
    _read_s: float = field(default=float("-inf"), repr=False)

    def observe(self, date: str | None, sent_s: float, received_s: float) -> None:
        """Take in a Date header, at most one a second."""
        if date is None or received_s - self._read_s < 1.0:
            return
        try:
            vendor_s = parsedate_to_datetime(date).timestamp() + 0.5
        except (ValueError, TypeError):
            return
        self._read_s = received_s
        self.offset_s = vendor_s - (sent_s + received_s) / 2
        self.is_known = True

    def now(self) -> datetime:
        """Return the vendor's time (UTC)."""
        return datetime.fromtimestamp(time.time() + self.offset_s, UTC)
