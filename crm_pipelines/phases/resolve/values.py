"""What the resolver is given and what it gives back.

Belongs here: values and the shape of the fate table. Not here: how rows are read (sources, phases.stage), folding
(fold), files (store).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

import polars as pl

ROW = "_row"
BATCH_ROWS = 50_000
BELONGS_TO = "_belongs_to"
"""Column of a row that somebody corrected: the source key of what it belongs to, where no rule could tell."""

LEFT_OUT_WITH_CONTACT = "left_out_with_contact"
"""Why a row is `excluded` that hangs on a contact of whom the client says that it does not move."""

LEFT_BEHIND = "left_behind"
"""Why a row is `excluded` of which a person says that it does not move; the person's words follow a colon."""

FATE_SCHEMA: dict[str, pl.DataType] = {
    "chunk": pl.String(),
    "row": pl.Int64(),
    "key": pl.String(),
    "fate": pl.String(),
    "into_phase": pl.String(),
    "into_key": pl.String(),
    "reason": pl.String(),
    "queue": pl.String(),
}

RECORD, MERGED, FOLDED, EXCLUDED, WAITING, QUARANTINED = "record", "merged", "folded", "excluded", "waiting", "quarantined"


@dataclass(frozen=True)
class ChunkFrame:
    """One staged file: its partition key, when it was exported, the columns it holds, and its rows.

    `frame` may be the path of a parquet file, a lazy frame or a callable, so that millions of rows are read in passes.
    """

    chunk: str
    exported_at: datetime
    columns: frozenset[str]
    frame: pl.DataFrame | pl.LazyFrame | Path | Callable[[], pl.DataFrame]

    def read(self, wanted: Iterable[str] | None = None) -> pl.DataFrame:
        """Return the rows, with only the `wanted` columns that are there (and their `raw_` companions)."""
        frame = self._selected(wanted)
        return frame.collect() if isinstance(frame, pl.LazyFrame) else frame

    def batches(self, wanted: Iterable[str] | None = None) -> Iterator[pl.DataFrame]:
        """Yield the rows as `read` does, at most BATCH_ROWS at a time when the frame is lazy; at least one batch, which may be empty."""
        frame = self._selected(wanted)
        if isinstance(frame, pl.DataFrame):
            yield frame
            return
        start = 0
        while (batch := frame.slice(start, BATCH_ROWS).collect()).height or start == 0:
            yield batch
            start += BATCH_ROWS

    def without(self, column: str, keys: Iterable[str]) -> ChunkFrame:
        """Return the file without the rows of these source keys."""
        frame = self._opened()
        if column not in self._names(frame):
            return self
        return replace(self, frame=frame.filter(~_is_of(column, keys)))

    def only(self, column: str, keys: Iterable[str]) -> pl.DataFrame:
        """Return the rows of these source keys, as fate lines need them."""
        frame = self._opened()
        marks = (pl.lit(self.chunk).alias("_chunk"), pl.col(column).cast(pl.String).str.strip_chars().alias("_key"))
        if column not in self._names(frame):
            return pl.DataFrame(schema={ROW: pl.Int64, "_chunk": pl.String, "_key": pl.String})
        return frame.filter(_is_of(column, keys)).lazy().select(pl.col(ROW).cast(pl.Int64), *marks).collect()

    @staticmethod
    def _names(frame: pl.DataFrame | pl.LazyFrame) -> list[str]:
        return frame.collect_schema().names()

    def _opened(self) -> pl.DataFrame | pl.LazyFrame:
        if isinstance(self.frame, Path):
            return pl.scan_parquet(self.frame)
        return self.frame() if callable(self.frame) else self.frame

    def _selected(self, wanted: Iterable[str] | None) -> pl.DataFrame | pl.LazyFrame:
        frame = self._opened()
        if wanted is None:
            return frame
        names = frame.collect_schema().names() if isinstance(frame, pl.LazyFrame) else frame.columns
        keep = {ROW, *wanted}
        return frame.select([name for name in names if name.removeprefix("raw_") in keep])


def _is_of(column: str, keys: Iterable[str]) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.strip_chars().is_in(list(keys)).fill_null(value=False)


@dataclass(frozen=True)
class StagedObject:
    """All registered files of one source object."""

    name: str
    frames: list[ChunkFrame]

    def in_order(self) -> list[ChunkFrame]:
        """Return the files from the oldest export to the newest; equal times by partition key."""
        return sorted(self.frames, key=lambda chunk: (chunk.exported_at, chunk.chunk))


@dataclass(frozen=True)
class ResolveSettings:
    """What the operator declares, the zone in which the export writes its dates, and what the client decided about contacts."""

    source_timezone: str = "America/New_York"
    same: tuple[tuple[str, ...], ...] = ()
    """Groups of contacts' keys that are one person; of each the first one that is there survives."""
    leave_out: tuple[str, ...] = ()
    """Kinds of contacts (`suppress.KINDS`) that do not move."""
    stale_before: date | None = None
    """The day before which one has to have joined to be stale, where that was decided."""
    left_behind: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Object -> source key -> why that row does not move, in a person's words."""


@dataclass
class Resolved:
    """The canonical records, where every staged row went, and what was repaired on the way.

    Shape: `frames` by derived object, one row per `key`, sorted by key (numbers as numbers); `fates` by source object,
    one line per staged row; `stats` counts by name.
    """

    frames: dict[str, pl.DataFrame]
    fates: dict[str, pl.DataFrame]
    stats: Counter[str] = field(default_factory=Counter)
    differing: pl.DataFrame | None = None
    """What merged contacts said otherwise than the person they became; shape in phases.resolve.differing."""


def no_fates() -> pl.DataFrame:
    """Return an empty fate table."""
    return pl.DataFrame(schema=FATE_SCHEMA)


def fate_lines(rows: pl.DataFrame, **values: pl.Expr | str | None) -> pl.DataFrame:
    """Return fate lines of `rows` (which hold `_chunk`, `_row`, `_key`), with these values for the other columns."""
    given = {"chunk": pl.col("_chunk"), "row": pl.col(ROW), "key": pl.col("_key"), **values}
    return rows.select(
        [
            (value if isinstance(value, pl.Expr) else pl.lit(value)).cast(dtype).alias(name)
            for name, dtype in FATE_SCHEMA.items()
            for value in [given.get(name)]
        ]
    )
