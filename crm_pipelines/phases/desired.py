"""From export files to desired records: stage a chunk, fold all chunks, map every phase; each step reads and writes the work folder.

Belongs here: which files each step reads and writes. Not here: reading a file (phases.stage), folding (phases.resolve), mapping
(phases.map).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from crm_pipelines.observe import failpoint
from crm_pipelines.phases import files, tags
from crm_pipelines.phases.map import map_phase
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import ChunkFrame, ResolveSettings, StagedObject, read_resolved, resolve, write_resolved
from crm_pipelines.phases.stage import inventories, read_sidecar, stage_file, write_staged


@dataclass(frozen=True)
class StageSummary:
    """What staging one chunk found."""

    chunk: str
    rows: int
    physical_rows: int
    blank: int
    quarantined: int
    adds_up: bool
    warnings: tuple[str, ...]
    columns: dict[str, str]
    cell_errors: dict[str, int]
    """Column -> cells that could not be typed; they stay as text beside a null."""
    repairs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class FrameSummary:
    """Rows of a resolved or mapped frame, and how many of them wait."""

    rows: int
    waiting: int


def stage_chunk(project: Project, key: str) -> StageSummary:
    """Read one export file into the work folder. Raises: SourceError naming file and column when the file is not what it should be."""
    chunk = project.chunk(key)
    paths = {name: [project.export_path(c) for c in project.chunks() if c.object == name] for name in project.objects}
    settings = replace(
        project.read_settings(chunk.object, chunk.file_name),
        inventories=inventories(project.source, chunk.object, paths),
        custom_fields=tuple(row["field_identifier"] for row in custom_fields(project)),
    )
    staged = stage_file(project.source, chunk.object, project.export_path(chunk), settings)
    write_staged(staged, project.staged_folder, key)
    errors = dict(staged.cell_errors.group_by("column").len().iter_rows()) if staged.cell_errors.height else {}
    return StageSummary(
        chunk=key,
        rows=staged.frame.height,
        physical_rows=staged.physical_rows,
        blank=staged.blank_rows,
        quarantined=len(staged.bad_lines),
        adds_up=staged.adds_up,
        warnings=staged.warnings,
        columns={name: str(kind) for name, kind in staged.frame.schema.items()},
        cell_errors=errors,
        repairs=staged.repairs,
    )


def resolve_all(project: Project) -> dict[str, FrameSummary]:
    """Fold every staged chunk into one canonical row per key, and give every source row its fate."""
    staged = {name: _staged_object(project, name) for name in project.objects}
    settings = ResolveSettings(source_timezone=project.engagement.node.source.timezone)
    resolved = resolve(project.spec.derive, project.decisions, staged, settings)
    failpoint("fold")
    write_resolved(resolved, project.resolved_folder)
    return {name: _summary(frame) for name, frame in resolved.frames.items()}


def map_all(project: Project) -> dict[str, FrameSummary]:
    """Map every phase's resolved frames to desired records; label phases get their pairs."""
    project.refresh()
    mapped: dict[str, pl.DataFrame] = {}
    for phase in project.phases:
        compiled = project.compiled.phases[phase]
        if compiled.pairs:
            mapped[phase] = tags.pairs_of({of: mapped[of] for of in compiled.pairs})
        else:
            mapped[phase] = map_phase(compiled, {name: read_resolved(project.resolved_folder, name) for name in compiled.frames})
        files.write_frame(project.mapped_path(phase), mapped[phase])
    return {phase: _summary(frame) for phase, frame in mapped.items()}


def custom_fields(project: Project) -> list[dict[str, Any]]:
    """Return the rows of the custom-field schema export, read from the export itself; empty when there is none."""
    name = project.custom_schema_object
    rows: list[dict[str, Any]] = []
    if name is not None:
        for key in project.object_chunks(name):
            chunk = project.chunk(key)
            rows.extend(stage_file(project.source, name, project.export_path(chunk), project.read_settings(name, chunk.file_name)).frame.to_dicts())
    return rows


def _staged_object(project: Project, name: str) -> StagedObject:
    frames = []
    for key in project.object_chunks(name):
        chunk = project.chunk(key)
        sidecar = read_sidecar(project.staged_folder, name, key)
        columns = frozenset(h["column"] for h in sidecar["headings"] if h["column"])
        frames.append(ChunkFrame(key, chunk.exported_at, columns, project.staged_path(name, key)))
    return StagedObject(name, frames)


def _summary(frame: pl.DataFrame) -> FrameSummary:
    waiting = frame.filter(pl.col("queue").is_not_null()).height if "queue" in frame.columns else 0
    return FrameSummary(frame.height, waiting)
