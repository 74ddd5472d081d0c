"""Export files as Dagster sees them: observed exports and dynamic partitions.

Belongs here: what a registration tells Dagster. Not here: recognising files (phases.extract), asking for runs (sensors).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from crm_pipelines.defs.partitions import asset_key, partition_set
from crm_pipelines.phases.project import Chunk, Project, Registration
from crm_pipelines.phases.queues_correct import Correction

FIRST_INTAKE = 1


def register(project: Project, instance: dg.DagsterInstance) -> Registration:
    """Look at the exports folder: new files become chunks, partitions and observed exports.

    Raises: SourceError when the folder misses an object that the route needs.
    """
    found = project.register()
    for chunk in found.new:
        instance.report_runless_asset_event(export_event(project, chunk))
    _add_partitions(project, instance)
    return found


def partition_keys(project: Project) -> dict[str, list[str]]:
    """Return every partition set of an engagement with its keys, sorted; keys are added once and never taken away."""
    name = project.engagement.name
    objects = {partition_set(name, f"staged_{one}"): sorted(project.object_chunks(one)) for one in project.objects}
    phases = {partition_set(name, one): sorted(project.phase_chunks(one)) for one in project.phases}
    return objects | phases


def export_event(project: Project, chunk: Chunk) -> dg.AssetMaterialization:
    """Return what the graph shows of one export file."""
    return dg.AssetMaterialization(
        asset_key(project.engagement.name, "exports"),
        description=f"{chunk.object}: {chunk.file_name}",
        metadata={
            "file": chunk.file_name,
            "object": chunk.object,
            "sha256": chunk.sha256,
            "intake": chunk.intake,
            "physical rows": chunk.physical_rows,
            "registered (UTC)": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )


def take_corrections(project: Project, instance: dg.DagsterInstance, found: Sequence[Correction]) -> None:
    """Make rows that people gave back a new intake: chunks, partitions, observed exports. Nothing else is looked at."""
    if not found:
        return
    project.add_chunks([one.chunk for one in found], [one.content for one in found])
    for one in found:
        instance.report_runless_asset_event(export_event(project, one.chunk))
    _add_partitions(project, instance)


def _add_partitions(project: Project, instance: dg.DagsterInstance) -> None:
    for name, keys in partition_keys(project).items():
        known = set(instance.get_dynamic_partitions(name))
        fresh = [key for key in keys if key not in known]
        if fresh:
            instance.add_dynamic_partitions(name, fresh)
