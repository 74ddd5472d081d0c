"""Trouble on demand: slow answers, server errors, 429 storms, connections dropped before or after the commit.

Belongs here: which request is hit by what. Not here: carrying it out (each server's gateway).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

KINDS = ("latency", "error5xx", "storm429", "drop_before_commit", "drop_after_commit", "slow_body")
_KEYS = frozenset({"match", "kind", "probability", "times", "after", "latency_ms", "jitter_ms", "seed", "status", "is_committed"})


@dataclass
class Rule:
    """One rule: what it matches, what it does, how often.

    Units: latency is a fixed part plus a uniform 0..jitter part, in milliseconds, half of it before the request is
    worked on and half after. `after` matches pass untouched first; at most `times` are hit.
    """

    kind: str
    method: str | None = None
    path_prefix: str = "/"
    probability: float = 1.0
    times: int | None = None
    after: int = 0
    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    seed: int = 0
    status: int = 500
    is_committed: bool = False
    seen: int = 0
    applied: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault named {self.kind!r}; the faults are {', '.join(KINDS)}")
        self._random = Random(self.seed)

    def hits(self, method: str, path: str) -> bool:
        """Whether this request is hit; counts it."""
        if (self.method is not None and self.method != method) or not path.startswith(self.path_prefix):
            return False
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.applied >= self.times):
            return False
        if self.probability < 1.0 and self._random.random() >= self.probability:
            return False
        self.applied += 1
        return True

    def delay_s(self) -> float:
        """The delay of one request."""
        return (self.latency_ms + self._random.random() * self.jitter_ms) / 1_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to one request."""

    delay_s: float = 0.0
    rule: Rule | None = None

    @property
    def kind(self) -> str | None:
        """The fault beside latency, if any."""
        return None if self.rule is None else self.rule.kind


NO_TROUBLE = Trouble()


class Faults:
    """The rules in force; all latencies of a request add up, of the other faults the first rule that hits counts."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def set(self, rules: list[dict[str, Any]]) -> None:
        """Put rules in force in place of those before.

        Raises: ValueError for a rule that cannot be read.
        """
        self.rules = [_rule(values) for values in rules]

    def clear(self) -> None:
        """No more trouble."""
        self.rules = []

    def meet(self, method: str, path: str) -> Trouble:
        """What happens to this request."""
        if not self.rules:
            return NO_TROUBLE
        delay_s, worst = 0.0, None
        for rule in self.rules:
            if worst is not None and rule.kind != "latency":
                continue
            if rule.hits(method, path):
                delay_s += rule.delay_s()
                worst = worst if rule.kind == "latency" else rule
        return Trouble(delay_s, worst)

    def report(self) -> list[dict[str, Any]]:
        """Every rule with how often it was met and applied."""
        return [
            {"kind": r.kind, "method": r.method, "path_prefix": r.path_prefix, "seen": r.seen, "applied": r.applied} for r in self.rules
        ]


def _rule(values: dict[str, Any]) -> Rule:
    if not isinstance(values, dict) or "kind" not in values or not values.keys() <= _KEYS:
        raise ValueError(f"a fault rule has a kind and keys out of: {', '.join(sorted(_KEYS))}")
    match = values.get("match", {})
    if not isinstance(match, dict) or not match.keys() <= {"method", "path_prefix"}:
        raise ValueError("match has the keys method and path_prefix")
    return Rule(**match, **{key: value for key, value in values.items() if key != "match"})
