"""The exports as they are: every file, every column, counted and described without showing anybody's data.

Belongs here: FileProfile and ColumnProfile. Not here: recognising types (types), masks (masking), the state of a column on the map
(homes). One column is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from crm_pipelines.discovery import frames
from crm_pipelines.discovery.homes import Homes
from crm_pipelines.discovery.masking import masked_examples
from crm_pipelines.discovery.types import OPTIONS_MAX, Inference, infer_type, share_of, value_counts
from crm_pipelines.discovery.values import ColumnProfile, FileProfile, InferredType
from crm_pipelines.phases.columns import shown_headings
from crm_pipelines.phases.extract import UNTOLD
from crm_pipelines.phases.project import Chunk, Project
from crm_pipelines.sources.base import Column, SourceObject

DECLARED: dict[str, InferredType] = {
    "email": "email",
    "phone": "phone",
    "country": "country",
    "integer": "number",
    "decimal": "money",
    "datetime": "datetime",
    "date": "date",
    "boolean": "boolean",
    "list": "set",
}
"""Type of a contract's column -> what it reads as; text is judged by content."""


@dataclass(frozen=True)
class _Found:
    """One column of an object: where its values stand and how it is called."""

    object: str
    column: str
    heading: str
    canonical: str | None
    contract: Column | None
    rows: int
    unreadable: int


def file_profiles(project: Project) -> tuple[FileProfile, ...]:
    """Describe every registered file that was read."""
    found = []
    for name in project.objects:
        chunks = frames.export_chunks(project, name)
        held = _keys(project, name, chunks)
        found += [_file(project, project.chunk(key), held) for key in chunks]
    return tuple(found)


def column_profiles(project: Project) -> tuple[ColumnProfile, ...]:
    """Describe every column of every object over all its files, in the order of the headings."""
    homes = Homes(project)
    return tuple(_column(project, homes, one) for name in project.objects for one in _columns(project, name))


def time_column(contract: SourceObject) -> str | None:
    """Return the column that says when a record of this kind came to be: the contract's first moment, else its first date."""
    for wanted in ("datetime", "date"):
        for column in contract.columns:
            if column.type == wanted:
                return column.name
    return None


# -- files -------------------------------------------------------------------------------------------------------------


def _keys(project: Project, name: str, chunks: list[str]) -> dict[str, tuple[int, int]]:
    """Return chunk -> (keys, keys that another file holds too)."""
    key = project.source.objects[name].key
    parts = [
        pl.scan_parquet(project.staged_path(name, each)).select(key=pl.col(key).cast(pl.String), chunk=pl.lit(each)).unique()
        for each in chunks
    ]
    if not parts:
        return {}
    counted = pl.concat(parts).with_columns(files=pl.len().over("key")).group_by("chunk")
    told = counted.agg(keys=pl.len(), shared=(pl.col("files") > 1).sum()).collect()
    return {chunk: (keys, shared) for chunk, keys, shared in told.iter_rows()}


def _file(project: Project, chunk: Chunk, held: dict[str, tuple[int, int]]) -> FileProfile:
    told = frames.sidecar(project, chunk.object, chunk.key)
    first, last = _date_range(project, chunk)
    keys, shared = held.get(chunk.key, (0, 0))
    return FileProfile(
        chunk=chunk.key,
        object=chunk.object,
        file_name=chunk.file_name,
        sha256=chunk.sha256,
        size_bytes=told["size_bytes"],
        exported_at=None if chunk.exported_at == UNTOLD else chunk.exported_at,
        physical_rows=told["physical_rows"],
        good_rows=told["good_rows"],
        blank_rows=told["blank_rows"],
        bad_rows=told["quarantined_rows"],
        encoding=told["encoding"],
        delimiter=told["delimiter"],
        first_date=first,
        last_date=last,
        keys=keys,
        keys_in_other_files=shared,
        warnings=tuple(told["warnings"]),
    )


def _date_range(project: Project, chunk: Chunk) -> tuple[date | None, date | None]:
    column = time_column(project.source.objects[chunk.object])
    scanned = pl.scan_parquet(project.staged_path(chunk.object, chunk.key))
    if column is None or column not in scanned.collect_schema():
        return None, None
    first, last = scanned.select(first=pl.col(column).min(), last=pl.col(column).max()).collect().row(0)
    return _day(first), _day(last)


def _day(moment: datetime | date | None) -> date | None:
    return moment.date() if isinstance(moment, datetime) else moment


# -- columns -----------------------------------------------------------------------------------------------------------


def _columns(project: Project, name: str) -> Iterator[_Found]:
    """Yield the columns of an object as its files name them, in the order in which they first appear."""
    told = [frames.sidecar(project, name, key) for key in frames.staged_chunks(project, name)]
    rows = sum(one["good_rows"] for one in told)
    known = {column.name: column for column in project.source.objects[name].columns}
    spelled: dict[str, list[dict[str, Any]]] = {}
    for one in told:
        for heading in one["headings"]:
            if heading["column"]:
                spelled.setdefault(heading["column"], []).append(heading)
    errors = pl.DataFrame([error for one in told for error in one["cell_errors"]], infer_schema_length=None)
    wrong = dict(errors["column"].value_counts().iter_rows()) if errors.height else {}
    shown = shown_headings(project, name)
    for column, headings in spelled.items():
        raw = {heading["raw"] for heading in headings}
        canonical = headings[0]["canonical"]
        heading = raw.pop() if canonical and len(raw) == 1 else shown[column]
        yield _Found(name, column, heading, canonical, known.get(column), rows, wrong.get(column, 0))


def _column(project: Project, homes: Homes, found: _Found) -> ColumnProfile:
    values = frames.column_values(project, found.object, found.column)
    cells, filled = _cells(values)
    reads = _reads(project, found, values, cells, filled)
    home = homes.of(found.object, found.column, found.canonical)
    return ColumnProfile(
        object=found.object,
        heading=found.heading,
        column=found.column,
        state=home.state,
        why=home.why,
        rows=found.rows,
        filled=filled + found.unreadable,
        distinct=cells.n_unique(),
        inferred=reads.type,
        share_of_type=reads.share,
        options=reads.options[:OPTIONS_MAX],
        examples=masked_examples(cells),
        unreadable=found.unreadable,
    )


def _cells(values: pl.Series) -> tuple[pl.Series, int]:
    """Return the values that say something, lists piece by piece, and in how many cells they stand."""
    if isinstance(values.dtype, pl.List):
        held = values.filter(values.list.len() > 0)
        return held.explode(empty_as_null=False).drop_nulls(), held.len()
    if values.dtype == pl.String:
        trimmed = values.str.strip_chars()
        held = trimmed.filter((trimmed != "").fill_null(value=False))
        return held, held.len()
    held = values.drop_nulls()
    if isinstance(held.dtype, pl.Datetime):
        return held.dt.to_string("%Y-%m-%d %H:%M"), held.len()
    return held, held.len()


def _reads(project: Project, found: _Found, values: pl.Series, cells: pl.Series, filled: int) -> Inference:
    """Tell what a column reads as: by its contract where that says, else by content."""
    if filled + found.unreadable == 0:
        return Inference("empty", 1.0, 0)
    declared = DECLARED.get(found.contract.type) if found.contract else None
    if declared is None:
        reads = infer_type(cells, has_options=not (found.contract and found.contract.repair))
        return Inference("id", 1.0, filled) if _names_a_record(project, found) else reads
    if declared == "number" and _names_a_record(project, found):
        declared = "id"
    if values.dtype == pl.String:
        return Inference(declared, share_of(cells, declared), filled)
    options = tuple(value_counts(cells)["text"].to_list()) if declared == "set" else ()
    return Inference(declared, filled / (filled + found.unreadable), filled, options=options)


def _names_a_record(project: Project, found: _Found) -> bool:
    """Tell whether a column of the contract holds keys: the object's own, or by name those of another one."""
    if found.contract is None:
        return False
    return found.column == project.source.objects[found.object].key or found.column.endswith("_id")
