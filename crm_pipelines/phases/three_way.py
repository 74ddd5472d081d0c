"""The comparison behind an update: what we wrote, what is wanted now, what is there. Pure; one payload at a time.

Belongs here: which fields are sent, spared, in conflict, or left of somebody else. Not here: where the three come from and what becomes
of the record (phases.update), what people answer (queues_conflicts).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

CUSTOM = "custom"
NONE: frozenset[str] = frozenset()


@dataclass
class Changes:
    """What an update sends, and what it must not touch."""

    fields: dict[str, Any] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    """Names of fields that a person changed since we wrote them."""
    custom_conflicts: list[str] = field(default_factory=list)
    """Names of custom fields of that kind."""


@dataclass(frozen=True)
class Known:
    """What is known of a record before it is changed; logical payloads."""

    base: Mapping[str, Any]
    """What we wrote last."""
    there: Mapping[str, Any]
    """What is there now."""
    before: Mapping[str, Any] | None
    """What was there before us; None for records of our own."""

    @property
    def is_half_adopted(self) -> bool:
        """Whether it was to be adopted and nothing is known of how far that came."""
        return not self.base and self.before is not None


def three_way(
    base: Mapping[str, Any],
    desired: Mapping[str, Any],
    current: Mapping[str, Any],
    union: frozenset[str],
    frozen: frozenset[str],
    *,
    kept: Mapping[str, Any] | None = None,
) -> Changes:
    """Compare what we wrote, what is wanted now and what is there.

    Only fields whose desired value moved are considered; fields in `union` are united with what is there; fields in `frozen`
    can only be set by a create; a field that still is as in `kept` was never ours and stays. A field that is neither as we wrote
    it nor as it should become, emptied ones included, is a conflict.
    """
    theirs = kept or {}
    changes = Changes()
    for name, value in desired.items():
        if name in frozen or value == base.get(name):
            continue
        now = current.get(name)
        if name in union:
            both = united(now, value)
            if both != list(now or []):
                changes.fields[name] = both
        elif now == value or (now and now == theirs.get(name)):
            continue
        elif now == base.get(name) or not (now or base.get(name)):
            changes.fields[name] = value
        else:
            changes.conflicts.append(name)
    return changes


def left_of_others(
    base: Mapping[str, Any],
    desired: Mapping[str, Any],
    current: Mapping[str, Any],
    others: Sequence[Mapping[str, Any]],
    union: frozenset[str],
) -> list[str]:
    """Return the fields that still hold what we wrote of people who were merged into this record and are others again.

    A field is told when we wrote it, nothing of the kind is wanted here any more, one of the others has it, and it is there as we wrote it.
    An export's empty cell is no such reason: it never takes anything away.
    """
    found = []
    for name, was in base.items():
        want, now, theirs = desired.get(name), current.get(name), [other.get(name) for other in others]
        if name == CUSTOM:
            inner = [other.get(CUSTOM) or {} for other in others]
            found += left_of_others(was or {}, want or {}, now or {}, inner, NONE)
        elif name in union:
            gone = {folded(item) for item in was or ()} - {folded(item) for item in want or ()}
            whose = {folded(item) for items in theirs for item in items or ()}
            found += [name] if gone & whose & {folded(item) for item in now or ()} else []
        elif was and not want and now == was and was in theirs:
            found.append(name)
    return sorted(found)


def by_policy(
    policy: str, desired: Mapping[str, Any], current: Mapping[str, Any], union: frozenset[str], frozen: frozenset[str]
) -> Changes:
    """Return what a record that was there before us receives: `fill_empty`, `overwrite` or `leave` (nothing)."""
    changes = Changes()
    for name, value in desired.items():
        now = current.get(name)
        if name in frozen or now == value:
            continue
        if name in union:
            both = united(now, value)
            if policy != "leave" and both != list(now or []):
                changes.fields[name] = both
        elif policy == "overwrite" or (policy == "fill_empty" and not now):
            changes.fields[name] = value
    return changes


def united(now: Any, value: Any) -> list[Any]:
    """Return what is there with what is not there yet."""
    there = list(now or [])
    known = {folded(item) for item in there}
    return there + [item for item in value if folded(item) not in known]


def folded(item: Any) -> Any:
    """Return what makes two items of a list the same."""
    return item.casefold() if isinstance(item, str) else orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
