"""Jobs of an engagement: one per step. A job may hold one partition set, so a whole migration is no job but a walk or a backfill.

Belongs here: which assets run together when a sensor or a person asks. Not here: when they are asked for (sensors), the walk
of the command line (drive).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from crm_pipelines.defs.partitions import ENGAGEMENT_TAG, NAME_TAG, group_name

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from crm_pipelines.defs.assets import Plan

MAP = "map"
REPORT = "reconcile"
DISCOVER = "discover"


def job_name(engagement: str, step: str) -> str:
    """Return the name of the job of one step; never the name of an asset's own op."""
    return f"{group_name(engagement)}__run__{step}"


def build_jobs(plan: Plan) -> list[UnresolvedAssetJobDefinition]:
    """Return the jobs: stage each object, fold and map, discover, each phase with its gate, reconcile."""
    project = plan.project
    resolved = [f"resolved_{name}" for name in project.derived]
    mapped = [f"mapped_{phase}" for phase in project.phases]
    steps = {f"stage_{name}": [f"staged_{name}"] for name in project.objects}
    steps[MAP] = [*resolved, *mapped, "map_confirmed", "destination_schema"]
    steps[DISCOVER] = ["discovery"]
    steps |= {phase: [phase, f"{phase}_gate"] for phase in project.phases}
    steps[REPORT] = ["reconciliation"]
    return [_job(plan, step, assets) for step, assets in steps.items()]


def _job(plan: Plan, step: str, assets: list[str]) -> UnresolvedAssetJobDefinition:
    return dg.define_asset_job(
        job_name(plan.engagement, step),
        selection=dg.AssetSelection.assets(*(plan.key(name) for name in assets)),
        tags={ENGAGEMENT_TAG: plan.engagement, NAME_TAG: step},
        executor_def=dg.in_process_executor,
    )
