"""Private, atomic files of the work folder: written beside, synced, renamed; 0600 because they hold people's data.

Belongs here: how bytes and frames reach the disk. Not here: what is in them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl

from crm_pipelines.settings import PRIVATE_FILE_MODE, private_dir


def write_bytes(path: Path, content: bytes) -> Path:
    """Replace a file in one step; a reader sees the old content or the new one, never a part."""
    return _replace(path, lambda temporary: temporary.write_bytes(content))


def write_frame(path: Path, frame: pl.DataFrame) -> Path:
    """Replace a parquet file in one step."""
    return _replace(path, frame.write_parquet)


def write_parts(folder: Path, frames: Iterable[pl.DataFrame]) -> int:
    """Write frames as numbered parts of one table and drop the parts of an earlier, longer one; return their rows."""
    rows, count = 0, 0
    for count, frame in enumerate(frames, 1):
        write_frame(folder / f"part-{count:05}.parquet", frame)
        rows += frame.height
    for stale in parts(folder)[count:]:
        stale.unlink()
    return rows


def parts(folder: Path) -> list[Path]:
    """Return the parts of a table in order."""
    return sorted(folder.glob("part-*.parquet"))


def read_frame(path: Path) -> pl.DataFrame:
    """Read a parquet file whole."""
    return pl.read_parquet(path)


def _replace(path: Path, write: Callable[[Path], object]) -> Path:
    private_dir(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(PRIVATE_FILE_MODE)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
