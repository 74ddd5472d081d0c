"""The frames that discovery looks at: staged files column by column, people as they would be folded.

Belongs here: reading the work folder with bounded memory. Not here: what is found in the frames (profile, clean, tags, owners),
writing any of them (phases.desired).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import polars as pl

from crm_pipelines.errors import SettingsError
from crm_pipelines.phases.extract import UNTOLD
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import ChunkFrame, StagedObject, scan_resolved
from crm_pipelines.phases.resolve.contacts import ContactFold
from crm_pipelines.phases.resolve.fold import fold_rows, stacked
from crm_pipelines.phases.resolve.labels import respelled
from crm_pipelines.phases.reword import Words, reworded
from crm_pipelines.phases.stage import read_sidecar
from crm_pipelines.spec.derive import DeriveSpec


def staged_chunks(project: Project, name: str) -> list[str]:
    """Return the partition keys of an object whose files are read already, in partition order."""
    return [key for key in project.object_chunks(name) if project.staged_path(name, key).exists()]


def export_chunks(project: Project, name: str) -> list[str]:
    """Return the read files of an object that are exports; corrections of rows stand for rows of these."""
    return [key for key in staged_chunks(project, name) if not project.chunk(key).root]


def staged_object(project: Project, name: str) -> StagedObject:
    """Return the read files of an object as the fold takes them, with the words that the client gave for others.

    Tags, lists and owners stand as exported: the client goes on deciding about those.
    """
    words, frames = _words(project, name), []
    for key in staged_chunks(project, name):
        columns = frozenset(heading["column"] for heading in sidecar(project, name, key)["headings"] if heading["column"])
        rows = reworded(pl.scan_parquet(project.staged_path(name, key)), words)
        frames.append(ChunkFrame(key, project.chunk(key).exported_at, columns, rows))
    return StagedObject(name, frames)


def sidecar(project: Project, name: str, key: str) -> dict[str, Any]:
    """Return what reading a file told about it."""
    return read_sidecar(project.staged_folder, name, key)


def column_values(project: Project, name: str, column: str) -> pl.Series:
    """Return one column over all files that have it, oldest registration first; empty text when no file does."""
    paths = [project.staged_path(name, key) for key in staged_chunks(project, name)]
    parts = [pl.read_parquet(path, columns=[column]).to_series() for path in paths if column in pl.read_parquet_schema(path)]
    if len({part.dtype for part in parts}) > 1:
        parts = [part.cast(pl.String) for part in parts]
    return pl.concat(parts).rename(column) if parts else pl.Series(column, [], dtype=pl.String)


def newest_rows(project: Project, name: str, columns: Iterable[str]) -> pl.DataFrame:
    """Return one row per source key with these columns, as the fold takes them: the newest file that has a value gives it.

    Shape: `_key` and those of `columns` that some file holds.
    """
    contract = project.source.objects[name]
    wanted = list(dict.fromkeys(columns))
    folded = fold_rows(stacked(staged_object(project, name), contract.key, wanted)).frame
    return folded.select("_key", *(column for column in wanted if column in folded.columns))


def newest_export(project: Project) -> datetime | None:
    """Return when the newest file was exported; None where no file tells."""
    times = [chunk.exported_at for chunk in project.chunks() if chunk.exported_at != UNTOLD]
    return max(times, default=None)


def people(project: Project, staged: Mapping[str, StagedObject]) -> pl.DataFrame:
    """Fold contacts with the columns that discovery needs, twins merged, labels in one spelling.

    Shape: one row per person: `_key`, `_aliases` (keys of merged twins), `_other_keys` (their addresses), the e-mail columns, and of the
    contact's columns the ones that say
    since when, whose, in which state and in which lists they are, as far as the files have them.
    """
    derive = project.spec.derive
    spec = derive.contacts
    status = [spec.suppress.status] if spec.suppress else []
    wanted = [spec.joined, spec.owner, *status, *spec.twins.strictest, *spec.spellings]
    contacts = staged.get(spec.from_, StagedObject(spec.from_, []))
    fold = ContactFold(derive, contacts, project.decisions, _inventories(derive, staged), same=project.client_map.same.get(spec.from_, ()))
    kept = ("_key", "_aliases", "_other_keys", "email_normal", "email_match_key", "email_problem", *dict.fromkeys(wanted))
    parts = [respelled(part.rows, fold.spellings) for part in fold.parts(wanted)]
    narrow = [part.select(name for name in kept if name in part.columns) for part in parts]
    return pl.concat(narrow, how="diagonal_relaxed", rechunk=True)


def resolved(project: Project, name: str) -> pl.LazyFrame | None:
    """Scan a resolved frame; None when it was not resolved yet."""
    try:
        return scan_resolved(project.resolved_folder, name)
    except SettingsError:  # not resolved yet: what needs the frame is left out of the document
        return None


def _words(project: Project, name: str) -> dict[str, Words]:
    derive = project.spec.derive
    kept = {f"{derive.contacts.from_}.{column}" for column in derive.contacts.spellings} | set(derive.owners.from_)
    return {column: words for column, words in project.words.get(name, {}).items() if f"{name}.{column}" not in kept}


def _inventories(derive: DeriveSpec, staged: Mapping[str, StagedObject]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, spelling in derive.contacts.spellings.items():
        lister, _, listed = (spelling.inventory or "").partition(".")
        frames = [chunk.read([listed]) for chunk in staged[lister].in_order()] if lister in staged else []
        found[name] = [label for frame in frames if listed in frame.columns for label in frame[listed].drop_nulls().to_list()]
    return found
