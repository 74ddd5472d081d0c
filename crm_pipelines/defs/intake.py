"""Export files as Dagster sees them: observed exports and dynamic partitions.

Belongs here: what a registration tells Dagster. Not here: recognising files (phases.extract), asking for runs (sensors).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from crm_pipelines.defs.home import open_instance
from crm_pipelines.defs.partitions import asset_key, partition_set
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases.project import Chunk, Project, Registration
from crm_pipelines.phases.queues_correct import Correction
from crm_pipelines.phases.session import making_desired
from crm_pipelines.phases.withdraw import withdraw
from crm_pipelines.settings import home

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
    """Return every partition set of an engagement with its keys, sorted; keys go only with a file that was withdrawn."""
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


def withdraw_files(project: Project) -> list[str]:
    """Take back registered files that are not in the exports folder any more, as far as that may be; say which, and by what replaced.

    Raises: LockedError naming the holder while another process works on the account; SourceError when a new file cannot be read.
    """
    with making_desired(project), Ledger.open(home().ledger_url) as ledger:
        gone = withdraw(project, ledger)
    if gone:
        with open_instance() as instance:
            for name, keys in partition_keys(project).items():
                for key in set(instance.get_dynamic_partitions(name)) - set(keys):
                    instance.delete_dynamic_partition(name, key)
    return [one.told for one in gone]


def _add_partitions(project: Project, instance: dg.DagsterInstance) -> None:
    for name, keys in partition_keys(project).items():
        known = set(instance.get_dynamic_partitions(name))
        fresh = [key for key in keys if key not in known]
        if fresh:
            instance.add_dynamic_partitions(name, fresh)
