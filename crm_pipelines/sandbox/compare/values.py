"""When two values are the same, and what to call it when they are not.

Belongs here: rules that hold for every vendor. Not here: which values are held against each other (the judges).
"""

from __future__ import annotations

from typing import Any

SAME_NUMBER = 1e-6  # amounts have at most two or three decimals


def is_empty(value: Any) -> bool:
    """Return whether there is nothing."""
    return value is None or value in ([], "")


def is_same(expected: Any, actual: Any) -> bool:
    """Return whether a person would call two values equal: nothing is nothing, numbers to the last decimal that money has."""
    if is_empty(expected) and is_empty(actual):
        return True
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, int | float) and isinstance(actual, int | float):
        return abs(expected - actual) < SAME_NUMBER
    return bool(expected == actual)


def kind_of(expected: Any, actual: Any) -> str:
    """Return what a difference is: something is lost, extra or wrong."""
    return "lost" if is_empty(actual) else "extra" if is_empty(expected) else "wrong"
