"""Who must not be mailed: how many records say so at the destination, in which field, and which words of the export count.

Belongs here: reading it off the spec and the mapped records. Not here: the rule itself (the mapping spec), sentences (reports).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import accounts
from crm_pipelines.phases.project import Project
from crm_pipelines.spec.model import FieldMap, Phase

OPTED_OUT = ("unsubscribed", "opted_out")
"""The values that a spec ends a case with where somebody must not be mailed."""
PRESENT, HELD = ("created", "updated", "unchanged"), ("waiting", "refused")


@dataclass(frozen=True)
class _Rule:
    """One place of the spec that tells who must not be mailed."""

    phase: str
    field: str
    word: str
    conditions: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    is_whole_phase: bool = False


def opt_outs(project: Project, ledger: Ledger) -> list[dict[str, Any]]:
    """Return, per place of the destination that says who must not be mailed, what counts and how many it is.

    Shape: phase, field, word, is_whole_phase (every record of the phase is one), counts (column of the export -> words), there, waiting,
    not_sent, others (other value of the field -> records there).
    """
    found = []
    for rule in _rules(project):
        values = _values(project, ledger, rule)
        own = values.filter(pl.col("value") == rule.word)
        there = pl.col("state").is_in(PRESENT)
        others = values.filter(there & (pl.col("value") != rule.word)).group_by("value").len().sort("len", descending=True)
        found.append(
            {
                "phase": rule.phase,
                "field": rule.field,
                "word": rule.word,
                "is_whole_phase": rule.is_whole_phase,
                "counts": rule.conditions,
                "there": own.filter(there).height,
                "waiting": own.filter(pl.col("state").is_in(HELD)).height,
                "not_sent": own.filter(~there & ~pl.col("state").is_in(HELD)).height,
                "others": dict(others.iter_rows()),
            }
        )
    return found


def _rules(project: Project) -> Iterator[_Rule]:
    for name in project.phases:
        spec = project.spec.phases.get(name)
        if spec is None:
            continue
        for column, told in spec.columns.items():
            if (word := _word(told)) and spec.where.get(column) == word:
                yield _Rule(name, next(iter(spec.fields), ""), word, _conditions(spec, told, word), is_whole_phase=True)
        for column, told in spec.fields.items():
            if word := _word(told):
                yield _Rule(name, column, word, _conditions(spec, told, word))


def _word(told: FieldMap) -> str:
    return next((str(case.then) for case in told.cases or () if case.then in OPTED_OUT), "")


def _conditions(spec: Phase, told: FieldMap, word: str) -> dict[str, list[str]]:
    """Return column of the export -> the words that count."""
    found: dict[str, list[str]] = {}
    for case in told.cases or ():
        if case.then != word:
            continue
        for name, value in case.when.items():
            column = next(iter(spec.columns[name].from_), name) if name in spec.columns else name
            words = value if isinstance(value, list | tuple) else [value]
            found.setdefault(column, []).extend("yes" if one is True else str(one) for one in words)
    return found


def _values(project: Project, ledger: Ledger, rule: _Rule) -> pl.DataFrame:
    """Return [state, value] of every record of the phase."""
    states = accounts.record_states(project, ledger, rule.phase).select("key", "state")
    if rule.is_whole_phase:
        return states.with_columns(value=pl.lit(rule.word))
    value = pl.col("payload").str.json_path_match(f"$.{rule.field}").alias("value")  # read lazily: payloads are most of a mapped frame
    return states.join(project.scan_mapped(rule.phase).select("key", value).collect(), on="key", how="left")
