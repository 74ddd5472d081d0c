"""Rows that people gave back, as a chunk of their own: read as if they had stood in the export from the start.

Belongs here: making such chunks, reading them, which rows they stand for. Not here: what was wrong with a row (phases.queues), what
people may answer (phases.queues_answers).

A correction has the headings and the export time of the file whose rows it corrects, and comes after it: an older file never wins
over it, a newer export does. Its rows are typed beside those of that file, because the order of day and month and the separator of a
list are told by all rows of a file together, and one row alone tells neither.
"""

from __future__ import annotations

import csv
import hashlib
import io
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import polars as pl

from crm_pipelines.phases.extract import partition_key
from crm_pipelines.phases.project import Chunk, Project
from crm_pipelines.phases.queues_source import open_export
from crm_pipelines.phases.resolve.values import BELONGS_TO
from crm_pipelines.phases.stage import stage_file
from crm_pipelines.settings import private_dir
from crm_pipelines.sources.base import LINE, ROW, BadLine, ReadSettings, StagedChunk
from crm_pipelines.sources.csv_export import fills
from crm_pipelines.sources.headings import with_fills
from crm_pipelines.sources.prescan import split_lines
from crm_pipelines.sources.rowcount import count_physical_rows

CORRECTED = "corrected"
"""Reason of a line that could not be read and came back."""


@dataclass(frozen=True)
class Fix:
    """One row as it came back: the chunk and row it stands for, all its cells, and the key of what it belongs to, if that was told."""

    chunk: str
    row: int
    cells: tuple[str, ...]
    parent: str = ""


@dataclass(frozen=True)
class Correction:
    """A chunk that is ready to be registered, its bytes, and how it reads."""

    chunk: Chunk
    content: bytes
    staged: StagedChunk


def corrections(project: Project, fixes: Sequence[Fix]) -> list[Correction]:
    """Return one correction per export whose rows came back, read but not registered yet."""
    groups: dict[str, list[Fix]] = {}
    for fix in fixes:
        chunk = project.chunk(fix.chunk)
        groups.setdefault(chunk.root or chunk.key, []).append(fix)
    intake, seq = project.next_numbers()
    return [
        _correction(project, project.chunk(root), some, intake, seq + place) for place, (root, some) in enumerate(sorted(groups.items()))
    ]


def stage_correction(project: Project, chunk: Chunk, content: bytes, settings: ReadSettings) -> StagedChunk:
    """Read a correction beside the other good rows of its export; rows and lines count within the correction."""
    root = project.chunk(chunk.root)
    opened = open_export(project.export_path(root), project, root.object, project.read_settings(root.object, root.file_name))
    replaced = {row for key, row, _ in chunk.corrects if key == root.key}
    kept = [place for place, row in enumerate(opened.scan.rows) if row not in replaced]
    others = "".join(opened.scan.raw(place) + "\n" for place in kept)
    head, own = _head(opened.headings, opened.delimiter), _body(content, opened.headings, opened.delimiter)
    private_dir(project.engagement.work)
    with tempfile.TemporaryDirectory(dir=project.engagement.work) as folder:
        alone, beside = Path(folder) / chunk.file_name, Path(folder) / root.file_name
        alone.write_bytes(content)
        beside.write_bytes(head + others.encode() + own)
        plain = replace(settings.for_object(chunk.object), encoding="utf-8", delimiter=opened.delimiter, overrides={})
        read = stage_file(project.source, chunk.object, beside, plain)
        counted = count_physical_rows(alone, "utf-8")
    before = _Before(len(kept), len(split_lines(others)))
    return _own_part(read, chunk, content, before, counted.rows, counted.blank)


def corrected_rows(project: Project, object_name: str) -> pl.DataFrame:
    """Return chunk and row of everything that a correction of an object stands for."""
    rows = [(key, row) for chunk in project.chunks() if chunk.object == object_name for key, row, _ in chunk.corrects]
    return pl.DataFrame(rows, schema={"chunk": pl.String, "row": pl.Int64}, orient="row").unique()


def with_parents(frame: pl.DataFrame, chunk: Chunk) -> pl.DataFrame:
    """Add what the rows of a correction belong to, where that was told."""
    told = {place: parent for place, (_, _, parent) in enumerate(chunk.corrects, 1) if parent}
    if not told:
        return frame
    return frame.with_columns(pl.col(ROW).replace_strict(told, default=None, return_dtype=pl.String).alias(BELONGS_TO))


def _correction(project: Project, root: Chunk, fixes: Sequence[Fix], intake: int, seq: int) -> Correction:
    opened = open_export(project.export_path(root), project, root.object, project.read_settings(root.object, root.file_name))
    content = _head(opened.headings, opened.delimiter) + _lines((fix.cells for fix in fixes), opened.delimiter)
    sha = hashlib.sha256(content).hexdigest()
    name = f"{PurePath(root.file_name).stem}_corrected_{intake:03}.csv"
    chunk = replace(
        root,
        key=partition_key(intake, seq, name, sha),
        file_name=name,
        sha256=sha,
        intake=intake,
        seq=seq,
        kind="correction",
        root=root.key,
        corrects=tuple((fix.chunk, fix.row, fix.parent) for fix in fixes),
    )
    staged = stage_correction(project, chunk, content, project.read_settings(root.object, root.file_name))
    return Correction(replace(chunk, physical_rows=staged.physical_rows, blank_rows=staged.blank_rows), content, staged)


@dataclass(frozen=True)
class _Before:
    rows: int
    lines: int


def _own_part(read: StagedChunk, chunk: Chunk, content: bytes, before: _Before, physical: int, blank: int) -> StagedChunk:  # noqa: PLR0917
    """Return what belongs to the correction of what was read beside its export."""
    frame = read.frame.filter(pl.col(ROW) > before.rows).with_columns(pl.col(ROW) - before.rows, pl.col(LINE) - before.lines)
    moved = pl.col("row") - before.rows, pl.col("line") - before.lines
    bad = [each for each in read.bad_lines if each.row > before.rows]
    return replace(
        read,
        file_name=chunk.file_name,
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        physical_rows=physical,
        blank_rows=blank,
        headings=with_fills(read.headings, fills(frame)),
        frame=with_parents(frame, chunk),
        bad_lines=tuple(_moved(each, before) for each in bad),
        cell_errors=read.cell_errors.filter(pl.col("row") > before.rows).with_columns(*moved),
        warnings=(),
        repairs={},
    )


def _moved(bad: BadLine, before: _Before) -> BadLine:
    return replace(bad, row=bad.row - before.rows, first_line=bad.first_line - before.lines, last_line=bad.last_line - before.lines)


def _head(headings: Sequence[str], delimiter: str) -> bytes:
    return _lines([headings], delimiter)


def _body(content: bytes, headings: Sequence[str], delimiter: str) -> bytes:
    return content[len(_head(headings, delimiter)) :]


def _lines(rows: Iterable[Sequence[str]], delimiter: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()
