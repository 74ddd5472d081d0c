"""Everything that the exports alone tell, in one call.

Belongs here: the order of the parts, and what could not be read yet. Not here: any of the parts (checklist, profile, clean, tags, owners,
vocabularies, custom_fields), what the destination tells, the whole document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from crm_pipelines.discovery import frames
from crm_pipelines.discovery.checklist import checklist
from crm_pipelines.discovery.clean import clean_counts
from crm_pipelines.discovery.custom_fields import custom_field_findings
from crm_pipelines.discovery.owners import owner_findings
from crm_pipelines.discovery.profile import column_profiles, file_profiles, time_column
from crm_pipelines.discovery.tags import history_gaps, tag_findings
from crm_pipelines.discovery.values import (
    ChecklistItem,
    CleanCount,
    ColumnProfile,
    CustomFieldFinding,
    FileProfile,
    HistoryGap,
    OwnerFinding,
    TagFinding,
    VocabularyFinding,
)
from crm_pipelines.discovery.vocabularies import vocabularies
from crm_pipelines.phases.project import Project


@dataclass(frozen=True)
class Parts:
    """What the exports tell; fields are those of the same name in `values.Discovery`."""

    checklist: tuple[ChecklistItem, ...]
    files: tuple[FileProfile, ...]
    columns: tuple[ColumnProfile, ...]
    clean: tuple[CleanCount, ...]
    tags: tuple[TagFinding, ...]
    history: tuple[HistoryGap, ...]
    custom_fields: tuple[CustomFieldFinding, ...]
    owners: tuple[OwnerFinding, ...]
    vocabularies: tuple[VocabularyFinding, ...]
    series: Mapping[str, Mapping[str, int]]
    notes: tuple[str, ...]


def gather(project: Project, users: Mapping[str, str] | None = None) -> Parts:
    """Find out what the exports tell; with nothing registered that is the checklist alone.

    `users` are those of the destination: e-mail address -> name or id; None when it was not asked.
    Raises: SettingsError when the engagement's tag_rules.csv cannot be used.
    """
    staged = {name: frames.staged_object(project, name) for name in project.objects}
    people = frames.people(project, staged)
    tags = tag_findings(project, people)
    return Parts(
        checklist=checklist(project),
        files=file_profiles(project),
        columns=column_profiles(project),
        clean=clean_counts(project, staged, people),
        tags=tags,
        history=history_gaps(project, people, tags) if people.height else (),
        custom_fields=custom_field_findings(project),
        owners=owner_findings(project, users),
        vocabularies=vocabularies(project),
        series=series(project),
        notes=_notes(project, users),
    )


def series(project: Project) -> dict[str, dict[str, int]]:
    """Count records by the month in which they came to be, per object that has such a time.

    Shape: object -> `YYYY-MM` -> records, months in order; each source key once.
    """
    found = {}
    for name in project.objects:
        column = time_column(project.source.objects[name])
        rows = frames.newest_rows(project, name, [column]) if column and frames.staged_chunks(project, name) else None
        if rows is not None and column in rows.columns and isinstance(rows.schema[column], pl.Datetime | pl.Date):
            months = rows.select(month=pl.col(column).dt.strftime("%Y-%m")).drop_nulls().group_by("month").len().sort("month")
            found[name] = dict(months.iter_rows())
    return {name: months for name, months in found.items() if months}


def _notes(project: Project, users: Mapping[str, str] | None) -> tuple[str, ...]:
    """Say what could not be looked at."""
    notes = []
    unread = [chunk.file_name for chunk in project.chunks() if not project.staged_path(chunk.object, chunk.key).exists()]
    if unread:
        notes.append(f"Registered and not read yet, so not counted: {', '.join(unread)}.")
    if project.chunks() and frames.newest_export(project) is None:
        notes.append("No file tells when it was exported, so nobody is counted as stale; declare `exported_at` in engagement.yaml.")
    if project.chunks() and frames.resolved(project, "contacts") is None:
        notes.append("Records are not resolved yet, so no money is told for owners.")
    if users is None:
        notes.append("The destination was not asked for its users, so no owner could be matched.")
    return tuple(notes)
