"""Resolved frames on disk: parquet, readable by their owner only, replaced in one step.

Belongs here: the layout of the folder - `<frame>.parquet`, `fates/<object>.parquet`, `stats.json` - and the parts that
a streamed fold writes. Not here: what is in the frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import polars as pl

from crm_pipelines.errors import SettingsError
from crm_pipelines.observe import failpoint
from crm_pipelines.phases.files import write_bytes, write_frame
from crm_pipelines.phases.resolve.values import Resolved

FATES = "fates"


def write_resolved(resolved: Resolved, folder: Path) -> None:
    """Write frames, fates and counts."""
    for name, frame in resolved.frames.items():
        write_frame(folder / f"{name}.parquet", frame)
    for name, fates in resolved.fates.items():
        write_frame(folder / FATES / f"{name}.parquet", fates)
    write_bytes(folder / "stats.json", orjson.dumps(dict(resolved.stats), option=orjson.OPT_SORT_KEYS))


def read_resolved(folder: Path, name: str) -> pl.DataFrame:
    """Read one frame, `fates/<object>` included.

    Raises: SettingsError when it was not resolved yet.
    """
    return scan_resolved(folder, name).collect()


def scan_resolved(folder: Path, name: str) -> pl.LazyFrame:
    """Scan one frame, written whole or in parts.

    Raises: SettingsError when it was not resolved yet.
    """
    whole, parts = folder / f"{name}.parquet", sorted((folder / name).glob("part-*.parquet"))
    if whole.exists():
        return pl.scan_parquet(whole)
    if not parts:
        raise SettingsError(f"{name} is not resolved yet: the exports were not read since they came; `crm plan` reads them")
    return pl.concat([pl.scan_parquet(part) for part in parts], how="diagonal_relaxed")


def resolved_slices(folder: Path, name: str, rows: int) -> Iterator[pl.DataFrame]:
    """Yield one frame in its order, `rows` and a little more at a time, at least once; each slice has the columns of the whole.

    Reading part by part costs the same for every slice; a slice of a scan looks at all parts before it.
    Raises: SettingsError when it was not resolved yet.
    """
    held, count, is_first = [pl.DataFrame(schema=scan_resolved(folder, name).collect_schema())], 0, True
    for frame in _pieces(folder, name, rows):
        held.append(frame)
        count += frame.height
        if count >= rows:
            yield pl.concat(held, how="diagonal_relaxed", rechunk=True)
            held, count, is_first = held[:1], 0, False
    if count or is_first:
        yield pl.concat(held, how="diagonal_relaxed", rechunk=True)


def _pieces(folder: Path, name: str, rows: int) -> Iterator[pl.DataFrame]:
    whole = folder / f"{name}.parquet"
    for path in [whole] if whole.exists() else sorted((folder / name).glob("part-*.parquet")):
        part = pl.scan_parquet(path)
        for start in range(0, part.select(pl.len()).collect().item(), rows):
            yield part.slice(start, rows).collect()


class PartWriter:
    """Writes the frames of a streamed fold part by part into an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._counts: dict[str, int] = {}

    def add(self, name: str, frame: pl.DataFrame) -> None:
        """Write the next part of a frame."""
        number = self._counts.get(name, 0)
        write_frame(self.folder / name / f"part-{number:05}.parquet", frame)
        self._counts[name] = number + 1
        failpoint("folded_part")
