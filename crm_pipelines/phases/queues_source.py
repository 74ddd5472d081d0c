"""Rows of registered exports as they were exported: original headings, original text, cell by cell.

Belongs here: finding the cells of some rows in the registered bytes, unreadable lines as far as their cells can be told. Not here: why
a row waits (phases.queues), typed values (phases.stage).

What was read is kept in the work folder: registered bytes never change, and a queue is written after every run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from crm_pipelines.phases import files
from crm_pipelines.phases.project import Chunk, Project
from crm_pipelines.sources.base import ReadSettings
from crm_pipelines.sources.csv_export import read_bytes
from crm_pipelines.sources.decode import decode_export
from crm_pipelines.sources.headings import read_heading
from crm_pipelines.sources.prescan import Scan, scan_records, split_lines

SCHEMA: dict[str, Any] = {"row": pl.Int64, "cells": pl.List(pl.String), "raw": pl.String}


@dataclass(frozen=True)
class Opened:
    """A registered file split into records: its headings as they stand, its delimiter, its good and bad records."""

    headings: tuple[str, ...]
    delimiter: str
    scan: Scan


@dataclass(frozen=True)
class SourceRows:
    """Some rows of one chunk. `cells` goes by row number; `raw` holds the text of lines that could not be read."""

    headings: tuple[str, ...]
    """Unique: a heading that comes twice gets its place behind it."""
    cells: Mapping[int, tuple[str, ...]]
    raw: Mapping[int, str]


def source_rows(project: Project, key: str, rows: Collection[int]) -> SourceRows:
    """Return the cells of some rows of a chunk, as many cells as the file has headings.

    Shape: rows that the reader could not trust are in `raw` too, their cells filled from the left as far as they can be told.
    """
    chunk = project.chunk(key)
    known = _remembered(project, chunk)
    if not set(rows) <= set(known.get_column("row")):
        known = _remember(project, chunk, rows)
    headings = tuple(known.filter(pl.col("row") == 0).get_column("cells").item().to_list())
    some = known.filter(pl.col("row").is_in(list(rows)))
    cells = {row: tuple(cell or "" for cell in found) for row, found in some.select("row", "cells").iter_rows()}
    raw = {row: text for row, text in some.select("row", "raw").iter_rows() if text is not None}
    return SourceRows(unique_headings(headings), cells, raw)


def open_export(path: Path, project: Project, object_name: str, settings: ReadSettings) -> Opened:
    """Split a registered file into its heading and its records, as the reader does."""
    decoded = decode_export(read_bytes(path), path.name, settings.encoding)
    lines = split_lines(decoded.text.lstrip("\ufeff"))
    head = read_heading(lines, project.source.objects[object_name], path.name, settings.delimiter)
    scan = scan_records(
        lines,
        head.next_line,
        head.delimiter,
        len(head.raw),
        is_cut=decoded.is_cut,
        is_damaged=decoded.is_damaged,
        blank_rows=head.blank_rows,
    )
    return Opened(head.raw, head.delimiter, scan)


def unique_headings(headings: Iterable[str]) -> tuple[str, ...]:
    """Return headings by which a cell can be named: a repeated or empty one gets its place behind it."""
    found: list[str] = []
    for place, heading in enumerate(headings, 1):
        plain = heading.strip()
        taken = {each.casefold() for each in found}
        found.append(plain if plain and plain.casefold() not in taken else f"{plain} ({place})".strip())
    return tuple(found)


def as_cells(raw: str, delimiter: str) -> list[str]:
    """Split one record into cells, leniently."""
    try:
        return next(csv.reader(io.StringIO(raw, newline=""), delimiter=delimiter), [])
    except csv.Error:  # a quote that never closes in a huge cell: the raw line is shown beside
        return []


def _remembered(project: Project, chunk: Chunk) -> pl.DataFrame:
    path = _cache(project, chunk)
    return files.read_frame(path) if path.exists() else pl.DataFrame(schema=SCHEMA)


def _remember(project: Project, chunk: Chunk, rows: Collection[int]) -> pl.DataFrame:
    """Read the wanted rows from the file and keep them with the headings, which stand as row 0."""
    opened = open_export(project.export_path(chunk), project, chunk.object, _settings(project, chunk))
    wanted, width = set(rows), len(opened.headings)
    found: list[tuple[int, list[str], str | None]] = [(0, list(opened.headings), None)]
    for place, row in enumerate(opened.scan.rows):
        if row in wanted:
            found.append((row, _fitted(as_cells(opened.scan.raw(place), opened.delimiter), width), None))
            wanted.discard(row)
    for bad in opened.scan.bad_lines:
        if bad.row in wanted:
            found.append((bad.row, _fitted(as_cells(bad.raw, opened.delimiter), width), bad.raw))
    frame = pl.DataFrame(found, schema=SCHEMA, orient="row")
    files.write_frame(_cache(project, chunk), frame)
    return frame


def _settings(project: Project, chunk: Chunk) -> ReadSettings:
    """Return how a chunk's bytes are read: a correction is written as its export is, in UTF-8."""
    if chunk.kind != "correction":
        return project.read_settings(chunk.object, chunk.file_name)
    return replace(project.read_settings(chunk.object, project.chunk(chunk.root).file_name), encoding="utf-8")


def _fitted(cells: list[str], width: int) -> list[str]:
    return [*cells[:width], *[""] * (width - len(cells))]


def _cache(project: Project, chunk: Chunk) -> Path:
    return project.engagement.work / "queue_rows" / f"{chunk.key}.parquet"
