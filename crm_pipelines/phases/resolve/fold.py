"""One canonical row per source key out of overlapping files: per column the newest non-empty value.

Belongs here: stacking files and the fold by key. Not here: twins with different keys (twins), the passes over
millions of contacts (contacts), which bucket an older row ends in (fates of the callers).
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

import polars as pl

from crm_pipelines.phases.resolve.columns import text, unread
from crm_pipelines.phases.resolve.values import ROW, ChunkFrame, StagedObject
from crm_pipelines.spec.derived import MADE

OWN = ("_key", "_chunk", "_order", ROW, "_exported")
SPILL_BYTES = 500_000  # of one `Held`; a fold has some dozens of them
NO_ROWS = {"_key": pl.String(), "_chunk": pl.String(), "_order": pl.UInt32(), ROW: pl.Int64(), "_exported": pl.Datetime("us", "UTC")}


@dataclass(frozen=True)
class Folded:
    """The canonical rows, the rows they replaced, and the rows without a key.

    Shape: `frame` one row per `_key` with `_chunk` and `_row` of its newest row and `_chunks` of all; `older` and
    `keyless` hold `_chunk`, `_row` and `_key`.
    """

    frame: pl.DataFrame
    older: pl.DataFrame
    keyless: pl.DataFrame


class Held:
    """Rows kept for later, packed: a filtered text column would keep the whole file's text alive behind it.

    What is more than SPILL_BYTES goes to a file without a name, which only this process can read and which ends with it.
    """

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._spilled: list[int] = []
        self._file: IO[bytes] | None = None

    def add(self, rows: pl.DataFrame) -> None:
        """Keep some rows."""
        if rows.height:
            packed = io.BytesIO()
            rows.write_parquet(packed, compression="lz4")
            self._packed.append(packed.getvalue())
            if sum(map(len, self._packed)) > SPILL_BYTES:
                self._spill()

    def taken(self) -> pl.DataFrame | None:
        """Return all rows that were kept, and keep none; None when there were none."""
        parts = [pl.read_parquet(io.BytesIO(packed)) for packed in self._all()]
        self._packed.clear()
        return pl.concat(parts, how="diagonal_relaxed") if parts else None

    def _spill(self) -> None:
        self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115 - closed when its rows are taken
        self._file.writelines(self._packed)
        self._spilled += map(len, self._packed)
        self._packed.clear()

    def _all(self) -> Iterator[bytes]:
        if self._file is not None:
            with self._file as file:
                file.seek(0)
                yield from (file.read(size) for size in self._spilled)
            self._file, self._spilled = None, []
        yield from self._packed


def tagged(frame: pl.DataFrame, chunk: ChunkFrame, order: int, key: str) -> pl.DataFrame:
    """Return the rows with their key as text, their file and the file's place in the order of exports."""
    clashes = {name: f"source_{name}" for name in frame.columns if name in MADE}
    return frame.with_columns(
        text(frame, key).alias("_key"),
        pl.lit(chunk.chunk).alias("_chunk"),
        pl.lit(order, dtype=pl.UInt32).alias("_order"),
        pl.lit(chunk.exported_at).cast(pl.Datetime("us", "UTC")).alias("_exported"),
    ).rename(clashes)


def stacked(staged: StagedObject | None, key: str, wanted: Iterable[str] | None = None) -> pl.DataFrame:
    """Return the rows of all files, oldest export first; an empty frame when there is no file."""
    parts = list(_tagged_parts(staged, key, wanted)) if staged is not None else []
    if not parts:
        return pl.DataFrame(schema=NO_ROWS)
    return pl.concat(parts, how="diagonal_relaxed")


def fold_rows(rows: pl.DataFrame) -> Folded:
    """Fold rows with the same key: the newest cell that says something counts; an empty cell never clears one."""
    keyed = rows.filter(pl.col("_key").is_not_null()).sort("_order", ROW)
    repeated = keyed["_key"].is_duplicated()
    many = keyed.filter(repeated)
    single = keyed.filter(~repeated).with_columns(pl.concat_list("_chunk").alias("_chunks"))
    merged = many.group_by("_key", maintain_order=True).agg(_newest_values(many))
    newest = merged.select("_key", "_chunk", ROW)
    return Folded(
        frame=pl.concat([single, merged], how="diagonal"),
        older=many.join(newest, on=["_key", "_chunk", ROW], how="anti").select("_chunk", ROW, "_key"),
        keyless=rows.filter(pl.col("_key").is_null()).select("_chunk", ROW, "_key"),
    )


def filled(frame: pl.DataFrame, name: str) -> pl.Expr:
    """Tell where a column has a value; empty text and empty lists are none."""
    dtype = frame.schema[name]
    if dtype == pl.String:
        return (pl.col(name) != "").fill_null(value=False)
    if isinstance(dtype, pl.List):
        return (pl.col(name).list.len() > 0).fill_null(value=False)
    return pl.col(name).is_not_null()


def says(frame: pl.DataFrame, name: str) -> pl.Expr:
    """Tell where a cell says something: a value, or a text that could not be read as one. Such a text is in doubt, not empty."""
    if isinstance(frame.schema[name], pl.List) or frame.schema[name] == pl.String:
        return filled(frame, name)
    return filled(frame, name) | unread(frame.columns, name)


def raw_value(frame: pl.DataFrame, raw: str, *, last: bool) -> pl.Expr:
    """Return, in an aggregation, the raw text that goes with the chosen value of its column, else any raw text."""
    there = says(frame, raw.removeprefix("raw_"))
    beside, alone = pl.col(raw).filter(there), pl.col(raw).drop_nulls()
    if last:
        return pl.when(there.any()).then(beside.last()).otherwise(alone.last()).alias(raw)
    return pl.when(there.any()).then(beside.first()).otherwise(alone.first()).alias(raw)


def is_raw(frame: pl.DataFrame, name: str) -> bool:
    """Tell whether a column is the raw text of another one."""
    return name.startswith("raw_") and name.removeprefix("raw_") in frame.columns


def _newest_values(frame: pl.DataFrame) -> list[pl.Expr]:
    values = [pl.col(name).last() for name in OWN if name != "_key"]
    values.append(pl.col("_chunk").unique().sort().alias("_chunks"))
    for name in frame.columns:
        if name in OWN:
            continue
        values.append(raw_value(frame, name, last=True) if is_raw(frame, name) else pl.col(name).filter(says(frame, name)).last())
    return values


def _tagged_parts(staged: StagedObject, key: str, wanted: Iterable[str] | None) -> Iterator[pl.DataFrame]:
    columns = None if wanted is None else [key, *wanted]
    for order, chunk in enumerate(staged.in_order()):
        yield tagged(chunk.read(columns), chunk, order, key)
