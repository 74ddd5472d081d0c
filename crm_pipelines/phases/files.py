"""Private, atomic files of the work folder: written beside and renamed; 0600 because they hold people's data.

Belongs here: how bytes and frames reach the disk, and how many tables in many parts come into sight together. Not here: what is in them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from errno import EISDIR
from pathlib import Path

import polars as pl

from crm_pipelines.errors import SettingsError
from crm_pipelines.observe import failpoint
from crm_pipelines.settings import PRIVATE_FILE_MODE, private_dir

POINTER = "current"
"""The file of a home that names the generation which readers see."""


@contextmanager
def generation(home: Path) -> Iterator[Path]:
    """Give an empty folder for new tables; when the block ends well they take the place of the old ones, all in one rename.

    Killed before that, the old ones stay what everybody reads. The generation just replaced is kept until the next one is made, for readers
    that are in the middle of it; anything older, or half written, is removed first. One writer at a time: callers hold the account's lock.
    """
    seen = current(private_dir(home))
    for left in [path for path in home.iterdir() if path.is_dir() and seen not in (home, path)]:
        shutil.rmtree(left)
    fresh = Path(tempfile.mkdtemp(dir=home, prefix="generation-"))
    yield fresh
    failpoint("generation")
    write_bytes(home / POINTER, fresh.name.encode())


def current(home: Path) -> Path:
    """Return the folder of the generation that is whole; the home itself where none was ever made."""
    pointer = home / POINTER
    return home / pointer.read_text("utf-8") if pointer.is_file() else home


def write_bytes(path: Path, content: bytes) -> Path:
    """Replace a file in one step; a reader sees the old content or the new one, never a part.

    Raises: SettingsError where no file can be made.
    """
    return _replace(path, lambda temporary: temporary.write_bytes(content))


def write_frame(path: Path, frame: pl.DataFrame) -> Path:
    """Replace a parquet file in one step."""
    return _replace(path, frame.write_parquet)


def write_parts(folder: Path, frames: Iterable[pl.DataFrame]) -> int:
    """Write frames as numbered parts of one table into a folder of a new generation; return their rows."""
    rows = 0
    for number, frame in enumerate(frames, 1):
        write_frame(folder / f"part-{number:05}.parquet", frame)
        rows += frame.height
        failpoint("mapped_part")
    return rows


def parts(folder: Path) -> list[Path]:
    """Return the parts of a table in order."""
    return sorted(folder.glob("part-*.parquet"))


def read_frame(path: Path) -> pl.DataFrame:
    """Read a parquet file whole."""
    return pl.read_parquet(path)


def remove_folder(folder: Path) -> None:
    """Remove a folder with everything in it, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)


def _replace(path: Path, write: Callable[[Path], object]) -> Path:
    temporary = _beside(path)
    try:
        write(temporary)
        temporary.chmod(PRIVATE_FILE_MODE)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _beside(path: Path) -> Path:
    """Make an empty file beside the one that is to be replaced."""
    try:
        if path.is_dir():
            raise IsADirectoryError(EISDIR, "it is a folder")
        handle, name = tempfile.mkstemp(dir=private_dir(path.parent), prefix=f".{path.name}.")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written there ({error.strerror}); choose another place, or make room for it") from error
    os.close(handle)
    return Path(name)
