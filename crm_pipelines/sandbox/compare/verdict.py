"""What a comparison says: counts, differences, and which fields it leaves alone.

Belongs here: values and how they are shown without personal data. Not here: how differences are found (judge).
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

ABSENT = None
NotCompared = Mapping[str, Mapping[str, str]]

# Fields of a Pipedrive account that no truth can know, with the reason; everything else of the six kinds of record is compared.
NOT_COMPARED: NotCompared = {
    "organizations": {
        "id": "the account numbers its records itself",
        "update_time": "the account's clock",
        "add_time (when the export tells none)": "the account's clock fills it in",
        "visible_to": "the account's default; the migration does not decide it",
        "address, website, linkedin, industry, annual_revenue, employee_count": "the route writes none of them",
    },
    "people": {
        "id": "the account numbers its records itself",
        "update_time": "the account's clock",
        "add_time (when the export tells none)": "the account's clock fills it in",
        "first_name, last_name": "derived by the account from name",
        "visible_to": "the account's default",
        "picture_id, marketing_status_is_final, synced": "the account's own bookkeeping",
        "formatted_address (in address fields)": "computed by the account",
    },
    "deals": {
        "id": "the account numbers its records itself",
        "add_time, update_time, stage_change_time": "the account's clock; the API takes no original date (custom field instead)",
        "close_time": "follows won_time and lost_time",
        "currency (of a deal without a value)": "the account's default",
        "probability, acv, arr, mrr, origin, channel, archive_time": "computed by the account",
        "visible_to, creator_user_id": "the account's default",
    },
    "activities": {
        "id": "the account numbers its records itself",
        "add_time, update_time, marked_as_done_time": "the account's clock",
        "busy, priority, outcome, attendees, public_description": "the route writes none of them",
        "creator_user_id, conference_*": "the account's own bookkeeping",
    },
    "notes": {
        "id": "the account numbers its records itself",
        "add_time, update_time": "Kartra gives no time; the account's clock",
        "user_id, last_update_user_id, pinned_*": "the user of the token",
        "the trailing [crm-...] token": "the product's own mark; compared for uniqueness only",
    },
    "users": {"all but email and active_flag": "users are never created or changed"},
}


class ComparisonError(Exception):
    """The account or database cannot be read; the message says what to check."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the truth says.

    `kind`: missing, unexpected, duplicate, wrong, lost (expected a value, found none), extra (found one, expected none).
    """

    phase: str
    key: str
    field: str
    kind: str
    expected: Any = ABSENT
    actual: Any = ABSENT


@dataclass
class Comparison:
    """The outcome of a comparison."""

    records_compared: int = 0
    fields_compared: int = 0
    differences: list[Difference] = field(default_factory=list)
    by_phase: dict[str, dict[str, int]] = field(default_factory=dict)
    not_compared: NotCompared = field(default_factory=lambda: NOT_COMPARED)

    @property
    def is_equal(self) -> bool:
        """Whether the account is what the truth says."""
        return not self.differences

    def count(self, phase: str, records: int, fields: int, differences: int) -> None:
        """Add what was compared in one phase."""
        self.records_compared += records
        self.fields_compared += fields
        self.by_phase[phase] = {"records": records, "fields": fields, "differences": differences}

    def as_json(self, *, show_values: bool = False) -> dict[str, Any]:
        """Return counts and differences; keys and values as digests of this run unless they may be shown."""
        shown = _Shown(show_values)
        return {
            "records_compared": self.records_compared,
            "fields_compared": self.fields_compared,
            "differences": len(self.differences),
            "by_phase": self.by_phase,
            "by_kind": dict(sorted(Counter(f"{one.phase}.{one.field or 'record'}: {one.kind}" for one in self.differences).items())),
            "details": [shown.row(one) for one in self.differences],
            "not_compared": self.not_compared,
        }


class _Shown:
    """Turns keys and values into text that may be printed."""

    def __init__(self, show_values: bool) -> None:
        self._show_values = show_values
        self._salt = secrets.token_bytes(16)  # digests compare within one run and cannot be looked up afterwards

    def row(self, one: Difference) -> dict[str, Any]:
        return {
            "phase": one.phase,
            "key": self._value(one.key),
            "field": one.field,
            "kind": one.kind,
            "expected": self._value(one.expected),
            "actual": self._value(one.actual),
        }

    def _value(self, value: Any) -> Any:
        if value is ABSENT or self._show_values:
            return value
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return hashlib.blake2b(text, key=self._salt, digest_size=6).hexdigest()
