"""The fold: one canonical record per source key out of all registered files, and a fate for every staged row.

Belongs here: the order in which objects are folded and linked. Not here: reading files (phases.stage), mapping records
onto a destination (phases.map). Which column plays which role is data in the spec (spec.derive).
"""

from __future__ import annotations

from crm_pipelines.phases.resolve.run import resolve, resolve_into
from crm_pipelines.phases.resolve.store import read_resolved, resolved_slices, scan_resolved, write_resolved
from crm_pipelines.phases.resolve.values import ChunkFrame, Resolved, ResolveSettings, StagedObject

__all__ = [
    "ChunkFrame",
    "ResolveSettings",
    "Resolved",
    "StagedObject",
    "read_resolved",
    "resolve",
    "resolve_into",
    "resolved_slices",
    "scan_resolved",
    "write_resolved",
]
