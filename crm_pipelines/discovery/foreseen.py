"""What a load would come to, as the scope document tells it: records that arrive or wait, rows that wait or make no record.

Belongs here: adding up. Not here: foreseeing a record's state against ledger and destination (phases.predict), its cost (phases.plan).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from crm_pipelines.discovery import reckoning
from crm_pipelines.discovery.values import OwnerFinding
from crm_pipelines.phases import accounts, files
from crm_pipelines.phases.predict import STATES_SCHEMA, Prediction
from crm_pipelines.phases.project import Project

FROM_PLAN = {"create": "created", "update": "updated", "unchanged": "unchanged", "waiting": "waiting", "refused": "refused"}
SET_ASIDE = ("excluded", "quarantined")
WAITS = ("waiting", "refused")
BY_MAP_ALONE = "What arrives is told by the map alone: records that wait for another record, or are there already, are not known yet."


@dataclass(frozen=True)
class Foreseen:
    """What becomes of records and rows; empty where they were not mapped yet."""

    predicted: Mapping[str, Mapping[str, int]]
    queues: tuple[Mapping[str, Any], ...]
    left_out: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()
    waits: tuple[Mapping[str, Any], ...] = ()
    waits_named: Mapping[str, int] | None = None
    money: tuple[Mapping[str, Any], ...] = ()
    private: int = 0


def foreseen(project: Project, forecast: Mapping[str, Any], prediction: Prediction | None, owners: Sequence[OwnerFinding]) -> Foreseen:
    """Return what a load would come to.

    The prediction tells best; then the forecast's counts; without both, the mapped records. `owners`: the team as matched; without a
    prediction their rows are told as waiting.
    """
    if not all(files.parts(project.mapped_folder(phase)) for phase in project.phases):
        return Foreseen({}, (), ())
    states = {phase: one.states for phase, one in prediction.phases.items()} if prediction else _by_map(project)
    rows = _rows(project, states)
    predicted = _predicted(project, forecast, states)
    queues = rows.filter(pl.col("queue").is_not_null() & pl.col("bucket").is_in(WAITS))
    waiting = [*_summed(queues, "queue"), *(() if prediction else _waiting_on(owners))]
    set_aside = _summed(rows.filter(pl.col("bucket").is_in(SET_ASIDE)), "bucket")
    is_told = prediction is not None or bool(forecast)
    return Foreseen(
        predicted,
        tuple(waiting),
        tuple(set_aside),
        () if is_told else (BY_MAP_ALONE,),
        waits=reckoning.waiting_records(states, list(predicted)) if prediction else (),
        waits_named=reckoning.waiting_without_owners(project, states, list(predicted)) if prediction else None,
        money=reckoning.money(project, states),
        private=reckoning.private_persons(project),
    )


def _by_map(project: Project) -> dict[str, pl.DataFrame]:
    """Return the states of records as far as the map tells them: what it holds back waits, the rest is ready."""
    return {
        phase: project.mapped(phase, "key", "queue", "reason").with_columns(
            decision=pl.lit("create"), state=pl.when(pl.col("queue").is_null()).then(pl.lit("ready")).otherwise(pl.lit("waiting"))
        )
        for phase in project.phases
        if not project.compiled.phases[phase].pairs
    }


def _predicted(project: Project, forecast: Mapping[str, Any], states: Mapping[str, pl.DataFrame]) -> dict[str, dict[str, int]]:
    """Return phase -> state -> records, of phases that make records: not those only matched, not pairs of record and label."""
    phases = [phase for phase in project.phases if _makes_records(project, phase)]
    if forecast:
        told = forecast["phases"]
        return {phase: {FROM_PLAN[name]: told[phase][name] for name in FROM_PLAN if told[phase][name]} for phase in phases}
    return {phase: dict(states[phase].group_by("state").len().sort("state").iter_rows()) for phase in phases}


def _makes_records(project: Project, phase: str) -> bool:
    compiled = project.compiled.phases[phase]
    return compiled.create != "never" and not compiled.pairs


def _rows(project: Project, states: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return [object, bucket, queue, reason, rows]: how many source rows end how, object by object."""
    empty = pl.DataFrame(schema=STATES_SCHEMA)
    schema = pl.Schema({**dict.fromkeys(("object", "bucket", "queue", "reason"), pl.String()), "rows": pl.UInt32()})
    counted = [pl.DataFrame(schema=schema)]
    for name in project.objects:
        if files.parts(project.resolved_folder / "fates" / name):
            rows = accounts.rows_by_fate(project, name, lambda into: states.get(into, empty))
            counts = rows.group_by("bucket", "queue", "reason").len("rows")
            counted.append(counts.select(pl.lit(name).alias("object"), "bucket", "queue", "reason", "rows").cast(schema))
    return pl.concat(counted)


def _summed(rows: pl.DataFrame, by: str) -> list[dict[str, Any]]:
    summed = rows.group_by("object", by, "reason").agg(pl.col("rows").sum())
    ordered = summed.sort(by, "rows", "object", "reason", descending=[False, True, False, False])
    return ordered.select(by, "reason", "object", "rows").to_dicts()


def _waiting_on(owners: Iterable[OwnerFinding]) -> list[dict[str, Any]]:
    totals: dict[str, int] = {}
    for owner in owners:
        for name, rows in owner.rows.items() if owner.user is None else ():
            totals[name] = totals.get(name, 0) + rows
    return [{"queue": "owner", "reason": "no_user", "object": name, "rows": rows} for name, rows in totals.items()]
