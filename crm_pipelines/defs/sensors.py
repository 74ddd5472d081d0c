"""Sensors of an engagement: new export files, and the vendor's next day.

Belongs here: when to ask for a run. Not here: what it does (assets), the walk of a first load (drive; a person starts it).

A first load is started by a person. A later intake goes on by itself, one request per step: a phase is asked for only when
the ledger holds a passed gate of the phase before it, for this intake.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from crm_pipelines.defs.account import account_name
from crm_pipelines.defs.intake import FIRST_INTAKE, export_event, partition_keys
from crm_pipelines.defs.jobs import MAP, REPORT, job_name
from crm_pipelines.defs.partitions import (
    ENGAGEMENT_TAG,
    INTAKE_TAG,
    NAME_TAG,
    RANGE_END_TAG,
    RANGE_START_TAG,
    group_name,
)
from crm_pipelines.errors import CrmError
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases.project import Chunk, Project
from crm_pipelines.settings import home, load_engagement

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from crm_pipelines.defs.assets import Plan

    Jobs = Sequence[UnresolvedAssetJobDefinition]

LOOK_EVERY_S = 60
RESUME_LOOK_EVERY_S = 300


def build_sensors(plan: Plan, jobs: Jobs) -> list[dg.SensorDefinition]:
    """Return the sensors of an engagement; both are off until a person turns them on."""
    return [intake_sensor(plan, jobs), resume_sensor(plan, jobs)]


def intake_sensor(plan: Plan, jobs: Jobs) -> dg.SensorDefinition:
    """Register new export files, stage them, and take a later intake through its phases, gate by gate."""
    name = plan.engagement

    @dg.sensor(
        name=f"{group_name(name)}__intake",
        jobs=jobs,
        minimum_interval_seconds=LOOK_EVERY_S,
        description="New files in the exports folder become chunks and are staged; a later intake then goes phase by phase.",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            project = Project.open(load_engagement(name))
            found = project.register()
            with Ledger.open(home().ledger_url) as ledger:
                wanted = list(next_requests(plan, project, ledger, context.instance))
        except CrmError as error:
            return dg.SkipReason(str(error))
        for chunk in found.new:
            context.instance.report_runless_asset_event(export_event(project, chunk))
        return dg.SensorResult(run_requests=wanted, dynamic_partitions_requests=list(_additions(project, context.instance)))

    return look


def resume_sensor(plan: Plan, jobs: Jobs) -> dg.SensorDefinition:
    """Ask again for what is pending, once the vendor's day that ran out has turned."""
    name = plan.engagement

    @dg.sensor(
        name=f"{group_name(name)}__resume",
        jobs=jobs,
        minimum_interval_seconds=RESUME_LOOK_EVERY_S,
        description="After a day whose quota was spent: pending phases are asked for again when the vendor's next day begins.",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            project = Project.open(load_engagement(name))
            with Ledger.open(home().ledger_url) as ledger:
                resumes_at = ledger.resumes_at(account_name(project))
                if resumes_at is None or resumes_at > datetime.now(UTC):
                    return dg.SkipReason(f"no day has run out, or it has not turned yet ({resumes_at})")
                phase = first_open_phase(project, ledger)
        except CrmError as error:
            return dg.SkipReason(str(error))
        if phase is None:
            return dg.SkipReason("every gate is open: nothing is pending")
        requests = list(_phase_requests(plan, project.phase_chunks(phase), phase, f"resume/{resumes_at:%Y-%m-%d}"))
        return dg.SensorResult(run_requests=requests)

    return look


def next_requests(plan: Plan, project: Project, ledger: Ledger, instance: dg.DagsterInstance) -> Iterator[dg.RunRequest]:
    """Yield what the newest intake needs next: its files staged; then, for a later intake, the map and its phases in order."""
    intake = max((chunk.intake for chunk in project.chunks()), default=0)
    fresh = [chunk for chunk in project.chunks() if chunk.intake == intake]
    unstaged = [chunk for chunk in fresh if not project.staged_path(chunk.object, chunk.key).exists()]
    if unstaged:
        yield from _stage_requests(plan, unstaged)
    elif intake > FIRST_INTAKE and _known(project, instance) >= {chunk.key for chunk in fresh}:
        yield from _after_staging(plan, project, ledger, instance, intake)


def first_open_phase(project: Project, ledger: Ledger) -> str | None:
    """Return the first phase whose gate is not open in the current pass; None when all are, or nothing was begun."""
    now = ledger.current_pass(project.engagement.name)
    if now is None:
        return None
    gates = ((phase, ledger.gate(project.engagement.name, now.pass_no, phase)) for phase in project.phases)
    return next((phase for phase, gate in gates if gate is None or not gate.is_open), None)


def _after_staging(plan: Plan, project: Project, ledger: Ledger, instance: dg.DagsterInstance, intake: int) -> Iterator[dg.RunRequest]:
    """The map first; then the first phase without an open gate, asked for once per open gate before it."""
    name = project.engagement.name
    yield dg.RunRequest(
        run_key=f"{name}/{intake}/map",
        job_name=job_name(name, MAP),
        tags={INTAKE_TAG: str(intake)},
    )
    now = ledger.current_pass(name)
    if now is None or now.intake != str(intake) or not _is_prepared(instance, name, intake):
        return  # the map waits for a person, or an earlier intake is not finished
    phase = first_open_phase(project, ledger)
    gate = ledger.gate(name, now.pass_no, phase) if phase else None
    if phase is not None and gate is None:
        chunks = [key for key in project.phase_chunks(phase) if key.startswith(f"{intake:03}-")]
        yield from _phase_requests(plan, chunks, phase, str(intake))
    elif phase is None:
        yield dg.RunRequest(run_key=f"{name}/{intake}/{REPORT}", job_name=job_name(name, REPORT))


def _is_prepared(instance: dg.DagsterInstance, name: str, intake: int) -> bool:
    """True when the run that mapped this intake, found it confirmed and prepared the destination has succeeded."""
    tags = {ENGAGEMENT_TAG: name, INTAKE_TAG: str(intake), NAME_TAG: MAP}
    return bool(instance.get_runs(dg.RunsFilter(tags=tags, statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1))


def _stage_requests(plan: Plan, chunks: list[Chunk]) -> Iterator[dg.RunRequest]:
    for name in dict.fromkeys(chunk.object for chunk in chunks):
        keys = [chunk.key for chunk in chunks if chunk.object == name]
        yield dg.RunRequest(
            run_key=f"{plan.engagement}/stage/{keys[0]}/{keys[-1]}",
            job_name=job_name(plan.engagement, f"stage_{name}"),
            tags={RANGE_START_TAG: keys[0], RANGE_END_TAG: keys[-1]},
        )


def _phase_requests(plan: Plan, chunks: list[str], phase: str, what_for: str) -> Iterator[dg.RunRequest]:
    """Ask for a phase's chunks and its gate in one run; a phase without new chunks still has a gate."""
    ranged = {RANGE_START_TAG: chunks[0], RANGE_END_TAG: chunks[-1]} if chunks else {}
    yield dg.RunRequest(
        run_key=f"{plan.engagement}/{what_for}/{phase}",
        job_name=job_name(plan.engagement, phase),
        asset_selection=None if chunks else [plan.key(f"{phase}_gate")],
        tags={**ranged, INTAKE_TAG: what_for},
    )


def _known(project: Project, instance: dg.DagsterInstance) -> set[str]:
    """Return the chunks that Dagster already knows as partitions."""
    return {key for name in partition_keys(project) for key in instance.get_dynamic_partitions(name)}


def _additions(project: Project, instance: dg.DagsterInstance) -> Iterator[dg.AddDynamicPartitionsRequest]:
    for name, keys in partition_keys(project).items():
        known = set(instance.get_dynamic_partitions(name))
        fresh = [key for key in keys if key not in known]
        if fresh:
            yield dg.AddDynamicPartitionsRequest(partitions_def_name=name, partition_keys=fresh)
