"""The spec's expectations: how many records of a phase may wait, be refused or stay out, and which gates a prediction shuts.

Belongs here: limits, held against counts, of what came or of what is foreseen. Not here: the rest of a gate's verdict
(phases.reconcile), foreseeing (phases.predict).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from crm_pipelines.ledger import Ledger
from crm_pipelines.phases.predict import Prediction
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.session import pass_number
from crm_pipelines.spec.compile import CompiledPhase

STATES = ("waiting", "refused", "excluded")
ENDS = {"waiting": "wait", "refused": "are refused", "excluded": "stay out"}
ONE_ENDS = {"waiting": "waits", "refused": "is refused", "excluded": "stays out"}
OWNERS = "owner"


@dataclass(frozen=True)
class Excess:
    """One expectation that is not met."""

    state: str
    count: int
    total: int
    allowed: int
    limit: str | float | None
    """As the spec writes it; None where the decision is that none may wait."""

    def told(self) -> str:
        """Return how a gate says it."""
        if self.limit is None:
            return f"{self.count} owners have no user, and the decision is to block until they do"
        return f"{self.count} {self.state}, expected at most {self.limit} ({self.allowed} of {self.total})"


@dataclass(frozen=True)
class ShutGate:
    """A gate that a load will find shut, as far as it is foreseen."""

    phase: str
    told: str


def exceeded(compiled: CompiledPhase, records: Mapping[str, int], buckets: Mapping[str, int], *, is_sample: bool = False) -> list[Excess]:
    """Return every expectation of a phase above its limit; of a sample only what was refused, for shares of fifty records say nothing.

    `records`: wanted records by state; `buckets`: rows of the phase's files by bucket, which alone tell what is excluded.
    """
    found = []
    for state in ("refused",) if is_sample else STATES:
        limit = getattr(compiled.expect, f"{state}_max")
        if limit is None:
            continue
        counts = records if state != "excluded" else buckets
        total = sum(counts.values())
        one = Excess(state, counts.get(state, 0), total, allowed_count(limit.limit, total), limit.limit)
        found += [one] if one.count > one.allowed else []
    if compiled.unmatched == "block" and not is_sample and records.get("waiting"):
        found.append(Excess("waiting", records["waiting"], sum(records.values()), 0, None))
    return found


def allowed_count(limit: str | float, total: int) -> int:
    """Return how many records a limit lets through: a count, or a share of the total such as `5 %`."""
    text = str(limit).strip()
    if text.endswith("%"):
        return math.ceil(total * float(text[:-1]) / 100)
    return int(float(text))


def foreseen_shut(project: Project, ledger: Ledger, prediction: Prediction, files: Iterable[Mapping[str, Any]]) -> list[ShutGate]:
    """Return the gates that a full load will find shut, in order; those that somebody accepted for just these records are none.

    `files`: the foreseen rows by bucket (predict.predicted_rows).
    """
    rows: dict[str, dict[str, int]] = {}
    for file in files:
        summed = rows.setdefault(file["phase"], {})
        for bucket, count in file["buckets"].items():
            summed[bucket] = summed.get(bucket, 0) + count
    found = []
    for phase, one in prediction.phases.items():
        above = exceeded(project.compiled.phases[phase], one.counts(), rows.get(phase, {}))
        if above and not _is_accepted(project, ledger, phase, above, one.states):
            told = " and ".join(_foretold(each) for each in above)
            found.append(ShutGate(phase, f"The gate of {phase} will shut: {told}; {_way_out(one.states)}."))
    return found


def held_digest(ledger: Ledger, states: pl.DataFrame) -> str:
    """Return what names the records that wait or were refused, and why; empty where there are none."""
    held = states.filter(pl.col("state").is_in(["waiting", "refused"])).select("key", "state", "reason").sort("key")
    return ledger.digest("\n".join("\t".join(str(value) for value in row) for row in held.iter_rows())) if held.height else ""


def _is_accepted(project: Project, ledger: Ledger, phase: str, above: Iterable[Excess], states: pl.DataFrame) -> bool:
    name, sentences = project.engagement.name, [each.told() for each in above]
    gate = ledger.gate(name, pass_number(ledger, name), phase)
    if gate is None or not gate.accepted_by or gate.detail.get("exceeded") != sentences:
        return False
    return bool(gate.detail.get("held") == held_digest(ledger, states))


def _foretold(one: Excess) -> str:
    ends = (ONE_ENDS if one.count == 1 else ENDS)[one.state]
    return f"{one.count:,} of {one.total:,} {ends}, at most {one.allowed:,} expected"


def _way_out(states: pl.DataFrame) -> str:
    """Return what to do before it: most records wait for owners, or follow something that waits."""
    queues = dict(states.filter(pl.col("state") == "waiting").group_by("queue").len().sort("len").iter_rows())
    if not queues:
        return "look at why first, or accept it"
    queue = list(queues)[-1]
    if queue == OWNERS:
        return "settle owners first, or accept it"
    return "settle what they belong to first, or accept it" if queue == "parent" else f"settle queue {queue} first, or accept it"
