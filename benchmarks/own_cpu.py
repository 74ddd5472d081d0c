"""Our own CPU per record, from bytes and from desired records to journalled and answered; no HTTP.

Belongs here: the variants, and which of their steps make a figure. Not here: the measuring process (own_cpu_child).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks import bed
from benchmarks.figures import Goal, Result

GOALS_US = {"plain": 40, "phones": 80}  # issue 2
FULL, QUICK = (20_000, 8), (2_000, 1)  # contacts, files: 2,500 rows a file, as the source makes them
READING = ("register", "stage", "fold")
LOADING = ("load organizations", "load people")
NAMES = {"plain": "without phone parsing", "phones": "with phone parsing"}


def run(result: Result) -> None:
    """Run every variant on the same input: two of three contacts name a company, no phone number comes twice."""
    rows, files = QUICK if result.is_quick else FULL
    found = {variant: _variant(rows, files, *variant.split()) for variant in ("plain", "phones", "phones split")}
    result.detail = found
    result.how += f"\n{rows:,} contacts in {files} files give {_records(found['phones']):,} records: an organization and a person each."
    for variant, goal_us in GOALS_US.items():
        one = found[variant]
        result.add(
            f"desired records -> answered, {NAMES[variant]} (map + load)",
            _us(one, ("map", *LOADING)),
            "us/record",
            Goal("at most", goal_us),
        )
        result.add(f"bytes -> answered, {NAMES[variant]}", _us(one, (*READING, "map", *LOADING)), "us/record")
    _add_split(result, found["phones"], found["phones split"])


def _add_split(result: Result, whole: Mapping[str, Any], split: Mapping[str, Any]) -> None:
    for step in (*READING, "map"):
        result.add(f"  of it: {step}", _us(whole, (step,)), "us/record")
    result.add("  of it: load", _us(whole, LOADING), "us/record")
    inner = split["cpu_s"]
    journal = _us(split, ("journal.sending", "journal.answered"))
    result.add("    of load: plan (ledger look-up, classify, links, rows)", _us(split, LOADING) - _others(split), "us/record")
    result.add("    of load: journal, sending and answered", journal, "us/record")
    result.add("    of load: vendor shaping", _us(split, ("vendor shaping",)), "us/record")
    result.add("    of load: waves (threads, queues, counting)", _others(split) - journal - _us(split, ("vendor shaping",)), "us/record")
    once = sum(inner.get(name, 0.0) for name in ("confirm", "users", "prepare"))
    result.add("once per engagement: confirm, users, prepare", once, "s CPU", note="with their HTTP")


def _others(split: Mapping[str, Any]) -> float:
    """Everything inside the destination's `write`: the caller's thread, and the event loop's."""
    return _us(split, ("waves, caller's thread", "event loop"))


def _us(found: Mapping[str, Any], steps: Iterable[str]) -> float:
    return sum(found["cpu_s"].get(step, 0.0) for step in steps) / _records(found) * 1e6


def _records(found: Mapping[str, Any]) -> int:
    return sum(found["sent"].values())


def _variant(rows: int, files: int, *words: str) -> dict[str, Any]:
    with bed.bed() as made, bed.sandbox() as account:
        bed.fill(made, rows, files, distinct_phones=True)
        found: dict[str, Any] = bed.child("benchmarks.own_cpu_child", *words, environ=made.environ(account))
        return found
