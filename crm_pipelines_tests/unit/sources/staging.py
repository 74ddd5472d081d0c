"""Stage a few lines of text as if they were an export: what the tests of this folder share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crm_pipelines.phases.stage import stage_file
from crm_pipelines.sources import load_source
from crm_pipelines.sources.base import ReadSettings, StagedChunk

KARTRA = load_source("kartra")


def stage(folder: Path, content: str | bytes, object_name: str = "contacts", name: str = "export.csv", **settings: Any) -> StagedChunk:
    """Write an export and stage it; every row of it must be accounted for by both ways of counting."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    chunk = stage_file(KARTRA, object_name, path, ReadSettings(**settings))
    assert chunk.adds_up, (chunk.physical_rows, chunk.frame.height, len(chunk.bad_lines), chunk.blank_rows)
    return chunk


def reasons(chunk: StagedChunk) -> list[tuple[int, int, int, str]]:
    """Return row, first line, last line and reason of each bad line."""
    return [(bad.row, bad.first_line, bad.last_line, bad.reason) for bad in chunk.bad_lines]


def said(chunk: StagedChunk, *words: str) -> bool:
    """Whether a warning holds all the words."""
    return any(all(word in warning for word in words) for warning in chunk.warnings)
