"""Turn one export file into typed parquet, a sidecar that accounts for it, and its quarantine.

Belongs here: reading a file through its source's contract, and the files that a staged chunk leaves on disk. Not here: how
a CSV is read (sources), which files there are (phases.extract), the fold of chunks (phases.resolve).

Everything is written with mode 0600 and renamed into place, the parquet file last: where it exists, the chunk is whole.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from crm_pipelines.errors import SourceError
from crm_pipelines.phases.files import write_bytes
from crm_pipelines.sources.base import ROW, ReadSettings, Source, StagedChunk
from crm_pipelines.sources.csv_export import fills, read_export
from crm_pipelines.sources.dates import is_zone
from crm_pipelines.sources.headings import with_fills
from crm_pipelines.sources.quarantine import as_csv, as_json_lines
from crm_pipelines.sources.rowcount import count_physical_rows
from crm_pipelines.sources.schema import hold_to_contract
from crm_pipelines.sources.typed import type_columns

CHUNK = "_chunk"


def stage_file(source: Source, object_name: str, path: Path, settings: ReadSettings | None = None) -> StagedChunk:
    """Read and type one export file.

    Shape: physical_rows = frame rows + bad lines + blank rows, physical_rows counted by code the reader does not share.
    Raises: SourceError when the file as a whole is not what the contract says; bad rows and cells are values.
    """
    if object_name not in source.objects:
        raise SourceError(f"{source.name} has no object '{object_name}'; it has {', '.join(sorted(source.objects))}")
    contract = source.objects[object_name]
    settings = _checked((settings or ReadSettings()).for_object(object_name))
    export = read_export(path, contract, settings)
    typed = type_columns(export, contract, settings)
    hold_to_contract(typed.frame, contract, path.name)
    counted = count_physical_rows(path, settings.encoding)
    good = export.frame.join(typed.frame.select(ROW), on=ROW, how="semi") if typed.bad_lines else export.frame
    return StagedChunk(
        object=object_name,
        file_name=export.file_name,
        sha256=export.sha256,
        size_bytes=export.size_bytes,
        physical_rows=counted.rows,
        blank_rows=export.scan.blank_rows,
        encoding=export.encoding,
        delimiter=export.delimiter,
        headings=with_fills(export.headings, fills(good)),
        currency=export.currency,
        frame=typed.frame,
        bad_lines=tuple(sorted((*export.scan.bad_lines, *typed.bad_lines), key=lambda bad: bad.row)),
        cell_errors=typed.cell_errors,
        warnings=(*export.warnings, *typed.warnings),
        repairs=typed.repairs,
    )


def _checked(settings: ReadSettings) -> ReadSettings:
    if not is_zone(settings.source_timezone):
        raise SourceError(f"the source time zone '{settings.source_timezone}' is not known; use an IANA name as America/New_York")
    return settings


def inventories(source: Source, object_name: str, exports: Mapping[str, Sequence[Path]]) -> dict[str, tuple[str, ...]]:
    """Read the names that an object's list columns may hold from the exports that list them (tags from the tag inventory).

    `exports` are paths by object. Shape: list column -> names, only for columns whose inventory was exported; the result
    goes into `ReadSettings.inventories`.
    """
    found = {}
    for column in source.objects[object_name].columns:
        lister, _, listed = (column.inventory or "").partition(".")
        names = [stage_file(source, lister, path).frame[listed] for path in exports.get(lister, ())]
        if names:
            found[column.name] = tuple(pl.concat(names).drop_nulls().unique(maintain_order=True))
    return found


def write_staged(chunk: StagedChunk, folder: Path, partition_key: str) -> Path:
    """Write a chunk under `folder`/<object>/ and return the path of its parquet file.

    Shape: <key>.parquet, <key>.json (sidecar), and with bad lines <key>.quarantine.jsonl and .csv.
    """
    base = folder / chunk.object
    for suffix, data in (("jsonl", as_json_lines), ("csv", as_csv)):
        quarantine = base / f"{partition_key}.quarantine.{suffix}"
        if chunk.bad_lines:
            write_bytes(quarantine, data(chunk.file_name, chunk.bad_lines))
        else:
            quarantine.unlink(missing_ok=True)
    write_bytes(base / f"{partition_key}.json", orjson.dumps(sidecar(chunk, partition_key), option=orjson.OPT_INDENT_2))
    parquet = io.BytesIO()
    chunk.frame.write_parquet(parquet)
    return write_bytes(base / f"{partition_key}.parquet", parquet.getvalue())


def sidecar(chunk: StagedChunk, partition_key: str) -> dict[str, Any]:
    """Return what the sidecar file tells about a chunk: counts, headings, errors; no field value."""
    return {
        "partition_key": partition_key,
        "object": chunk.object,
        "file_name": chunk.file_name,
        "sha256": chunk.sha256,
        "size_bytes": chunk.size_bytes,
        "physical_rows": chunk.physical_rows,
        "blank_rows": chunk.blank_rows,
        "good_rows": chunk.frame.height,
        "quarantined_rows": len(chunk.bad_lines),
        "encoding": chunk.encoding,
        "delimiter": chunk.delimiter,
        "currency": chunk.currency,
        "headings": [heading.__dict__ for heading in chunk.headings],
        "bad_lines": [
            {"row": bad.row, "first_line": bad.first_line, "last_line": bad.last_line, "reason": bad.reason, "sentence": bad.sentence}
            for bad in chunk.bad_lines
        ],
        "cell_errors": chunk.cell_errors.to_dicts(),
        "repairs": {column: dict(kinds) for column, kinds in chunk.repairs.items()},
        "warnings": list(chunk.warnings),
    }


def scan_staged(folder: Path, object_name: str, keys: Iterable[str]) -> pl.LazyFrame:
    """Scan the staged chunks of an object, in the order of `keys`, with their key as `_chunk`.

    Shape: the union of the chunks' columns; a column that a chunk lacks is null in its rows.
    Raises: SourceError when a chunk is not staged.
    """
    frames = [_scan_one(folder, object_name, key) for key in keys]
    return pl.concat(frames, how="diagonal") if frames else pl.LazyFrame()


def read_staged(folder: Path, object_name: str, keys: Iterable[str]) -> pl.DataFrame:
    """Read the staged chunks of an object; see scan_staged."""
    return scan_staged(folder, object_name, keys).collect()


def read_sidecar(folder: Path, object_name: str, key: str) -> dict[str, Any]:
    """Read what `sidecar` wrote for one chunk."""
    path = folder / object_name / f"{key}.json"
    if not path.exists():
        raise SourceError(f"chunk {key} of {object_name} is not staged; stage it first")
    told: dict[str, Any] = orjson.loads(path.read_bytes())
    return told


def _scan_one(folder: Path, object_name: str, key: str) -> pl.LazyFrame:
    path = folder / object_name / f"{key}.parquet"
    if not path.exists():
        raise SourceError(f"chunk {key} of {object_name} is not staged; stage it first")
    return pl.scan_parquet(path).with_columns(pl.lit(key).alias(CHUNK))
