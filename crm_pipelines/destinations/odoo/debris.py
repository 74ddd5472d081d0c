"""What removed add-ons left in a database: one place that reads for all kinds of it, and how each is told.

Belongs here: the reads that several kinds share, and wording. Not here: external ids (debris_ids), models and fields (debris_models),
views (debris_views), jobs, actions and templates (debris_jobs).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from crm_pipelines.destinations.base import Finding

SHOWN = 5  # technical names that one finding lists


@dataclass(frozen=True)
class Models:
    """Which models a database knows, and which of them no code stands behind."""

    known: frozenset[str]
    """Names in ir.model; empty where they could not be read, so that nothing is called gone."""
    gone: frozenset[str]
    """Those of them that the server has no code for."""

    def is_gone(self, model: object) -> bool:
        """Whether something that names this model cannot work any more."""
        return bool(self.known) and isinstance(model, str) and bool(model) and (model in self.gone or model not in self.known)


def found(
    kind: str, names: Collection[str], noun: str, told: str, todo: str, *, level: Literal["note", "warning"] = "warning"
) -> Iterable[Finding]:
    """Yield one finding for all remains of a kind, none when there are none; `told` goes on after `3 screens`."""
    if names:
        yield Finding("debris", level, listed(kind, sorted(names)), f"{amount(len(names), noun)} {told}", todo)


def amount(number: int, noun: str) -> str:
    """Return `1 screen`, `2 screens`, `2 kinds of record`."""
    if number == 1:
        return f"1 {noun}"
    head, of, rest = noun.partition(" of ")
    return f"{number} {head}s{of}{rest}"


def listed(kind: str, names: Sequence[str]) -> str:
    """Return `kind: a, b, c and 4 more`."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{kind}: {', '.join(names[:SHOWN])}{more}"
