"""Files that were registered and are not in the exports folder any more: until something is confirmed, the folder decides.

Belongs here: which registered files are withdrawn, and saying so. Not here: registering (phases.project), telling Dagster (defs.intake).

A scope document asks a client to clean up and to export again, so what was looked at first is often replaced before anybody confirms.
From the first seal on nothing is withdrawn: what was confirmed may be loaded, whatever becomes of the client's file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crm_pipelines.ledger import Ledger
from crm_pipelines.phases.extract import ExportFile, Registration, digest, register_exports
from crm_pipelines.phases.project import Chunk, Project
from crm_pipelines.phases.stage import stage_file

FOLDER_DECIDES = "nothing is confirmed yet, so the exports folder decides"


@dataclass(frozen=True)
class Withdrawn:
    """A registered file that counts no more."""

    chunk: Chunk
    by: tuple[str, ...]
    """Files of the same export that came since; none where it was only taken away."""

    @property
    def told(self) -> str:
        """What happened, in a sentence."""
        name, rows = self.chunk.file_name, f"{self.chunk.physical_rows:,} rows"
        if not self.by:
            return f"{name} ({rows}) was taken out of the exports folder and counts no more: {FOLDER_DECIDES}."
        other = "a newer file of that name" if self.by == (name,) else ", ".join(self.by)
        return f"{name} ({rows}) was replaced by {other} and counts no more: {FOLDER_DECIDES}."


def withdraw(project: Project, ledger: Ledger) -> tuple[Withdrawn, ...]:
    """Take back the registered files that are not in the folder any more, and have everything read anew; returns them.

    Nothing is withdrawn once something was confirmed, from an empty folder, or where an export without which nothing starts would be left
    without a file. A file with rows that people corrected by hand stays.
    Raises: SourceError when a file that would take the place of another cannot be read; then nothing is withdrawn.
    """
    known = [chunk for chunk in project.chunks() if chunk.kind == "export"]
    if not known or ledger.seals(project.engagement.name):
        return ()
    there = _digests(project.engagement.exports)
    gone = [chunk for chunk in known if chunk.sha256 not in there and not _is_corrected(project, chunk)]
    if not there or not gone:
        return ()
    found = register_exports(project.source, project.engagement.exports, project.file_settings(), required=())
    fresh = _fresh(project, found)
    kept = {chunk.object for chunk in known if chunk not in gone} | {file.object for file in fresh}
    gone = [chunk for chunk in gone if chunk.object in kept or chunk.object not in project.spec.required_objects]
    for file in fresh:
        stage_file(project.source, file.object, file.path, project.read_settings(file.object, file.path.name))
    by = {name: tuple(file.path.name for file in fresh if file.object == name) for name in {chunk.object for chunk in gone}}
    project.remove_chunks([chunk.key for chunk in gone])
    return tuple(Withdrawn(chunk, _by(chunk, by[chunk.object])) for chunk in gone)


def _by(chunk: Chunk, fresh: Sequence[str]) -> tuple[str, ...]:
    return (chunk.file_name,) if chunk.file_name in fresh else tuple(fresh)


def _digests(folder: Path) -> set[str]:
    return {digest(path) for path in folder.iterdir() if path.is_file()} if folder.is_dir() else set()


def _fresh(project: Project, found: Registration) -> list[ExportFile]:
    known = {chunk.sha256 for chunk in project.chunks()}
    return [file for file in found.files if file.object in project.objects and file.sha256 not in known]


def _is_corrected(project: Project, chunk: Chunk) -> bool:
    return any(one.root == chunk.key or any(key == chunk.key for key, _, _ in one.corrects) for one in project.chunks())
