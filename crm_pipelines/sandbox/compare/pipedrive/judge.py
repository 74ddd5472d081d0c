"""Hold what was observed against the truth and list every difference.

Belongs here: matching by key, comparing values, counting. Not here: reading the account (account, observed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_pipelines.sandbox.compare.pipedrive.account import EXTERNAL_ID, Account, read_account
from crm_pipelines.sandbox.compare.pipedrive.observed import Observed, observe
from crm_pipelines.sandbox.compare.values import is_same, kind_of
from crm_pipelines.sandbox.compare.verdict import Comparison, Difference

Record = Mapping[str, Any]
PHASES = ("organizations", "people", "deals", "activities", "notes")
# Left to the account where the truth has none: see verdict.NOT_COMPARED.
FREE_WHEN_ABSENT = frozenset({"add_time", "currency"})
VENDOR_DEFAULTS: Mapping[str, Any] = {"marketing_status": "no_consent", "value": 0, "is_archived": None, "done": False}


def compare(truth: Mapping[str, Any], base_url: str, sandbox_token: str) -> Comparison:
    """Compare every record, field and link of the truth with the sandbox's records.

    Shape: records_compared counts records found on both sides; fields_compared every field of these, links included.
    Raises: ComparisonError when the sandbox cannot be read.
    """
    account = read_account(base_url, sandbox_token)
    comparison, observed = Comparison(), observe(account)
    _compare_users(truth, account, comparison)
    for phase in PHASES:
        _compare_phase(phase, truth["records"][phase], observed[phase], account.default_owner, comparison)
    _compare_options(truth["records"], account, comparison)
    return comparison


def _compare_users(truth: Mapping[str, Any], account: Account, comparison: Comparison) -> None:
    """Check that owners have their user, and that nobody made users (each takes a paid seat) for those who had none."""
    active = {str(row["email"]).casefold() for row in account.records["users"] if row.get("active_flag", True)}
    wanted = truth["records"]["users"]
    found = [Difference("users", email, "email", "missing", email) for email in wanted if email.casefold() not in active]
    made = [email for email in truth.get("owners_without_user", ()) if email.casefold() in active]
    found += [Difference("users", email, "email", "unexpected", None, email) for email in made]
    comparison.differences += found
    comparison.count("users", len(wanted), len(wanted), len(found))


def _compare_phase(phase: str, wanted: Mapping[str, Record], found: Sequence[Observed], owner: str | None, comparison: Comparison) -> None:
    before = len(comparison.differences)
    by_key = _by_key(phase, wanted, found, comparison)
    records = fields = 0
    for key, record in wanted.items():
        stored = by_key.pop(_external(phase, key, record), None)
        if stored is None:
            comparison.differences.append(Difference(phase, key, "", "missing"))
            continue
        records += 1
        fields += _Judge(phase, key, comparison).record(record, stored.fields, owner)
    comparison.differences += [Difference(phase, key, "", "unexpected") for key in by_key]
    comparison.count(phase, records, fields, len(comparison.differences) - before)


def _external(phase: str, key: str, record: Record) -> str:
    """Return the key as the account holds it; long ones are cut."""
    return str(record["custom"][EXTERNAL_ID]) if phase in {"organizations", "people", "deals"} else key


def _by_key(phase: str, wanted: Mapping[str, Record], found: Sequence[Observed], comparison: Comparison) -> dict[str, Observed]:
    """Index by key; of several records under one key the one most like the truth is kept, the others are duplicates."""
    groups: dict[str, list[Observed]] = {}
    tokens: dict[str, str] = {}
    for one in found:
        groups.setdefault(one.key, []).append(one)
        if one.token is not None and tokens.setdefault(one.token, one.key) != one.key:
            comparison.differences.append(Difference(phase, one.key, "token", "duplicate"))
    for key, group in groups.items():
        comparison.differences += [Difference(phase, key, "", "duplicate") for _ in group[1:]]
    return {key: max(group, key=lambda one: _likeness(wanted.get(key, {}), one)) for key, group in groups.items()}


def _likeness(record: Record, one: Observed) -> int:
    return sum(one.fields.get(name) == value for name, value in record.items())


class _Judge:
    """Compares the fields of one record and notes each difference."""

    def __init__(self, phase: str, key: str, comparison: Comparison) -> None:
        self._phase, self._key, self._differences = phase, key, comparison.differences

    def record(self, wanted: Record, stored: Record, owner: str | None) -> int:
        """Compare one record field by field; return how many fields were compared."""
        expected = {"owner_id": owner, **wanted} if "owner_id" in stored else dict(wanted)
        names = [name for name in {**stored, **expected} if name != "custom" and (name in expected or name not in FREE_WHEN_ABSENT)]
        for name in names:
            self._value(name, expected.get(name, VENDOR_DEFAULTS.get(name)), stored.get(name))
        if "custom" not in stored:
            return len(names)
        return len(names) + self._custom(wanted.get("custom", {}), stored["custom"])

    def _custom(self, wanted: Record, stored: Mapping[str, list[Any]]) -> int:
        names = sorted({*wanted, *stored})
        for name in names:
            values = stored.get(name, [])
            self._value(f"custom.{name}", wanted.get(name), values[0] if values else None)
            if len(values) > 1:
                self._differences.append(Difference(self._phase, self._key, f"custom.{name}", "duplicate", wanted.get(name), values))
        return len(names)

    def _value(self, name: str, expected: Any, actual: Any) -> None:
        if name == "label_ids":  # an account's own label of other case is taken, as its people would
            expected, actual = _folded(expected), _folded(actual)
        if not is_same(expected, actual):
            self._differences.append(Difference(self._phase, self._key, name, kind_of(expected, actual), expected, actual))


def _folded(labels: Sequence[str] | None) -> list[str]:
    return sorted(label.casefold() for label in labels or ())


def _compare_options(records: Mapping[str, Mapping[str, Record]], account: Account, comparison: Comparison) -> None:
    """Report options and labels that stand twice where the truth wants one."""
    for phase, entity in (("people", "persons"), ("deals", "deals"), ("organizations", "organizations")):
        labels = {label.casefold() for record in records[phase].values() for label in record.get("label_ids", ())}
        for field, label in account.doubled_options(entity):
            if label.casefold() in labels:
                comparison.differences.append(Difference(phase, label, field, "duplicate"))
