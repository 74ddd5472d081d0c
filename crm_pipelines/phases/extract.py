"""Find the export files of an engagement: which object each holds, when it was exported, in which order they count.

Belongs here: the list of files and their partition keys. Not here: what is in them (phases.stage), the row that wins
among several files (phases.resolve).

The order is by export time from the file name, else as declared; never the file's mtime. Files without a time count as
oldest, in the order of their names, and are reported when their order could matter.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

from crm_pipelines.errors import SourceError
from crm_pipelines.sources.base import Source, SourceObject

READ_BYTES = 1 << 20
UNTOLD = datetime(1970, 1, 1, tzinfo=UTC)
NOT_KEYABLE = re.compile(r"[^A-Za-z0-9]+")
STEM_CHARACTERS = 60


@dataclass(frozen=True)
class ExportFile:
    """One file of an intake: where it is, what it holds, its bytes' digest, when it was exported (UTC), its place.

    `is_timed` is false where neither name nor settings tell the time; `exported_at` is then 1970, older than any other.
    """

    path: Path
    file_name: str
    object: str
    sha256: str
    size_bytes: int
    exported_at: datetime
    is_timed: bool = True
    order: int = 0


class Registration(list[ExportFile]):
    """The files of an intake in their order, and what the operator should hear about the folder.

    `unknown` are files that belong to no object; `duplicates` pairs a file with the one that holds the same bytes;
    `warnings` are about files that are registered.
    """

    def __init__(
        self, files: Iterable[ExportFile], unknown: Iterable[str], duplicates: Iterable[tuple[str, str]], warnings: Iterable[str]
    ) -> None:
        super().__init__(files)
        self.unknown = tuple(unknown)
        self.duplicates = tuple(duplicates)
        self.warnings = tuple(warnings)

    @property
    def files(self) -> tuple[ExportFile, ...]:
        """The registered files."""
        return tuple(self)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Files that are not read, each with its reason."""
        unknown = (f"{name}: no known export" for name in self.unknown)
        return (*unknown, *(f"{name}: the same bytes as {kept}, counted once" for name, kept in self.duplicates))


def register_exports(
    source: Source,
    folder: Path,
    declared: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    required: Collection[str] | None = None,
) -> Registration:
    """List the export files in a folder, oldest export first; the same bytes count once.

    `declared` holds settings by file name, of which `object` and `exported_at` count here; `required` names the objects
    without which the migration cannot start (default: those the source says).
    Raises: SourceError when the folder, a declared file or a required object's files are missing.
    """
    if not folder.is_dir():
        raise SourceError(f"the export folder {folder.name}/ does not exist; make it and put the {source.name} exports there")
    found, unknown = _recognised(source, folder, declared or {})
    unique, duplicates = _unique(sorted(found, key=lambda file: (file.exported_at, file.file_name)))
    _require(source, {one.object for one in unique}, required, folder, unknown)
    files = [replace(one, order=place) for place, one in enumerate(unique, start=1)]
    return Registration(files, unknown, duplicates, _untimed(files))


def partition_key(intake: int, seq: int, file_name: str, sha256: str) -> str:
    """Make a chunk's partition key: sorted by intake and place, readable, never used twice for other bytes."""
    stem = NOT_KEYABLE.sub("_", PurePath(file_name).stem).strip("_")[:STEM_CHARACTERS] or "export"
    return f"{intake:03}-{seq:04}-{stem}-{sha256[:8]}"


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            sha.update(block)
    return sha.hexdigest()


def _recognised(source: Source, folder: Path, declared: Mapping[str, Mapping[str, Any]]) -> tuple[list[ExportFile], list[str]]:
    paths = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    absent = sorted(set(declared) - {path.name for path in paths})
    if absent:
        raise SourceError(f"the settings name {', '.join(absent)}, which {folder.name}/ does not hold; put it there or correct the name")
    found, unknown = [], []
    for path in paths:
        told = declared.get(path.name, {})
        name = told.get("object") or source.object_of(path.name)
        if name is None:
            unknown.append(path.name)
        else:
            found.append(_export_file(source, path, name, told.get("exported_at")))
    return found, unknown


def _export_file(source: Source, path: Path, name: str, declared_at: datetime | None) -> ExportFile:
    if name not in source.objects:
        raise SourceError(f"{path.name} is declared to hold {name}; {source.name} exports {', '.join(sorted(source.objects))}")
    when = declared_at or source.exported_at(path.name)
    moment = UNTOLD if when is None else when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    return ExportFile(path, path.name, name, digest(path), path.stat().st_size, moment, is_timed=when is not None)


def _unique(files: Iterable[ExportFile]) -> tuple[list[ExportFile], list[tuple[str, str]]]:
    """Keep the oldest of files with the same bytes."""
    first: dict[tuple[str, str], ExportFile] = {}
    duplicates = []
    for file in files:
        kept = first.setdefault((file.object, file.sha256), file)
        if kept is not file:
            duplicates.append((file.file_name, kept.file_name))
    return list(first.values()), duplicates


def _require(source: Source, present: set[str], required: Collection[str] | None, folder: Path, unknown: list[str]) -> None:
    wanted = required if required is not None else [one.name for one in source.objects.values() if one.required]
    missing = [name for name in wanted if name not in present]
    if missing:
        told = "; ".join(f"{name} ({_names_of(source.objects[name])})" for name in missing)
        others = f"; files not recognised: {', '.join(unknown)}" if unknown else ""
        raise SourceError(f"the export folder {folder.name}/ holds no file of {told}; export it and put it there{others}")


def _names_of(contract: SourceObject) -> str:
    return " or ".join(f"{pattern}.csv" for pattern in contract.file_patterns)


def _untimed(files: list[ExportFile]) -> Iterable[str]:
    """Warn of objects with several files where the export time of one is not told."""
    for name in sorted({file.object for file in files}):
        own = [file for file in files if file.object == name]
        untimed = [file.file_name for file in own if not file.is_timed]
        if untimed and len(own) > 1:
            yield (
                f"{name}: the export time of {', '.join(untimed)} is not in its name; where files overlap they count as oldest, "
                "in the order of their names. Declare `exported_at` to be sure"
            )
