"""From export files to desired records: stage a chunk, fold all chunks, map every phase; each step reads and writes the work folder.

Belongs here: which files each step reads and writes. Not here: reading a file (phases.stage), folding (phases.resolve), mapping
(phases.map).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from crm_pipelines.observe import failpoint
from crm_pipelines.phases import files, made_from, tags
from crm_pipelines.phases.map import mapped_slices
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.queues_correct import stage_correction
from crm_pipelines.phases.resolve import ChunkFrame, ResolveSettings, StagedObject, resolve_into, resolved_slices, scan_resolved
from crm_pipelines.phases.reword import reworded, several_words
from crm_pipelines.phases.stage import inventories, read_sidecar, stage_file, write_staged

SLICE_ROWS = 20_000  # of 27 columns at a time: 370 MB at the peak, 580 MB with 50,000; the fixed cost is some milliseconds a slice


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

    @property
    def passed(self) -> bool:
        """True when every physical row is staged, quarantined or blank."""
        return self.adds_up


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
        custom_fields=tuple(row["field_identifier"] for row in project.field_list()),
    )
    path = project.export_path(chunk)
    if chunk.kind == "correction":
        staged = stage_correction(project, chunk, path.read_bytes(), settings)
    else:
        staged = stage_file(project.source, chunk.object, path, settings)
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
    project.refresh()
    made_from.begin_fold(project)
    staged = {name: _staged_object(project, name) for name in project.objects}
    people = project.spec.derive.contacts.from_
    settings = ResolveSettings(
        project.engagement.node.source.timezone,
        same=project.client_map.same.get(people, ()),
        leave_out=project.client_map.leave_out.get(people, ()),
        stale_before=project.client_map.stale_before.get(people),
        left_behind=project.client_map.left_behind,
    )
    with files.generation(project.resolved_home) as fresh:
        resolve_into(fresh, project.spec.derive, project.decisions, staged, settings)
    made_from.end_fold(project)
    failpoint("fold")
    return {name: _summary(scan_resolved(project.resolved_folder, name)) for name in project.derived}


def map_all(project: Project) -> dict[str, FrameSummary]:
    """Map every phase's resolved frame to desired records, a slice at a time; label phases get their pairs."""
    project.refresh()
    made_from.begin_map(project)
    with files.generation(project.mapped_home) as fresh:
        for phase in project.phases:
            is_paired = project.compiled.phases[phase].pairs
            files.write_parts(fresh / phase, _pairs(project, phase, fresh) if is_paired else _mapped(project, phase))
    made_from.end_map(project)
    return {phase: _summary(project.scan_mapped(phase)) for phase in project.phases}


def _mapped(project: Project, phase: str) -> Iterator[pl.DataFrame]:
    compiled = project.compiled.phases[phase]
    yield from mapped_slices(compiled, resolved_slices(project.resolved_folder, compiled.derived, SLICE_ROWS))


def _pairs(project: Project, phase: str, fresh: Path) -> Iterator[pl.DataFrame]:
    """Yield the pairs part by part: a record's pairs come from its own row alone, and millions of them do not fit into memory."""
    columns = ("key", "contributors", "queue", "reason", "labels")
    for of in project.compiled.phases[phase].pairs:
        for part in files.parts(fresh / of):
            yield tags.pairs_of({of: pl.read_parquet(part, columns=list(columns))})


def _staged_object(project: Project, name: str) -> StagedObject:
    frames, words = [], project.words.get(name, {})
    several = several_words(project.compiled.phases.values(), project.spec.derive, name, words) if words else frozenset[str]()
    for key in project.object_chunks(name):
        chunk = project.chunk(key)
        sidecar = read_sidecar(project.staged_folder, name, key)
        columns = frozenset(h["column"] for h in sidecar["headings"] if h["column"])
        rows = reworded(pl.scan_parquet(project.staged_path(name, key)), words, several)
        frames.append(ChunkFrame(key, chunk.exported_at, columns, rows))
    return StagedObject(name, frames)


def _summary(frame: pl.LazyFrame) -> FrameSummary:
    counted = frame.select(rows=pl.len(), waiting=pl.col("queue").is_not_null().sum()).collect()
    return FrameSummary(*counted.row(0))
