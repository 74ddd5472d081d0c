"""Whether desired records are still those of the files they were made from: the walk skips what would only repeat itself.

Belongs here: the fingerprint of everything that a fold and a map read. Not here: making them (phases.desired), the seal of what
a person confirmed (phases.confirm). Knows no Dagster.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from crm_pipelines import __version__
from crm_pipelines.phases import files
from crm_pipelines.phases.project import Project


def is_staged(project: Project, name: str, chunk: str) -> bool:
    """True when the chunk's parquet is newer than its export, the code, and what declares how to read it."""
    staged = project.staged_path(name, chunk)
    if not staged.exists():
        return False
    made = staged.stat().st_mtime_ns
    return made > _newest_code() and all(_changed(path) < made for path in declarations(project))


def is_desired(project: Project) -> bool:
    """True when the mapped records were made from exactly what is there now."""
    mark = _mark(project)
    return mark.is_file() and mark.read_text() == fingerprint(project)


def begin_desired(project: Project) -> str:
    """Return what records would be made from now; forgets an older mark, so that a half-made fold is never taken for whole."""
    wanted = fingerprint(project)
    mark = _mark(project)
    if mark.is_file() and mark.read_text() != wanted:
        mark.unlink()
    return wanted


def remember_desired(project: Project, made_from: str) -> None:
    """Note what the mapped records were made from."""
    files.write_bytes(_mark(project), made_from.encode())


def fingerprint(project: Project) -> str:
    """Return the digest of declarations, staged chunks and code."""
    digest = hashlib.sha256(f"{__version__} {_newest_code()}".encode())
    for path in declarations(project):
        digest.update(path.read_bytes() if path.is_file() else b"absent")
    for chunk in project.chunks():
        digest.update(f"{chunk.key} {_changed(project.staged_path(chunk.object, chunk.key))}".encode())
    return digest.hexdigest()


def declarations(project: Project) -> tuple[Path, ...]:
    """Return the files that say how exports are read and mapped."""
    engagement = project.engagement
    return (engagement.folder / "engagement.yaml", engagement.decisions_path, engagement.spec_path)


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


@cache
def _newest_code() -> int:
    """Return when the package last changed; a new release reads and maps anew."""
    package = Path(__file__).resolve().parent.parent
    return max(path.stat().st_mtime_ns for path in package.rglob("*.py"))


def _mark(project: Project) -> Path:
    return project.engagement.work / "desired.fingerprint"
