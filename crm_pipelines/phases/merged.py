"""What contacts that became one person said otherwise than that person says now, as a client reads it: by file, row and heading.

Belongs here: the fold's list in the words of the exports, without columns that stay behind. Not here: finding the values
(phases.resolve.differing), the file (reports.merged).
"""

from __future__ import annotations

import polars as pl

from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import scan_resolved
from crm_pipelines.phases.resolve.differing import DIFFERING_VALUES
from crm_pipelines.phases.stage import read_sidecar

SHOWN = ("file", "row", "key", "into_key", "heading", "value", "stayed", "rule")


def merged_differences(project: Project) -> pl.DataFrame:
    """Return the values of merged contacts that are kept nowhere.

    Shape: SHOWN, by the record that stayed; empty before a fold that lists them.
    """
    if not (project.resolved_folder / DIFFERING_VALUES).exists():
        return pl.DataFrame(schema=dict.fromkeys(SHOWN, pl.String))
    people = project.spec.derive.contacts.from_
    left = list(project.spec.ignore.get(people, {}))
    told = scan_resolved(project.resolved_folder, DIFFERING_VALUES).filter(~pl.col("column").is_in(left)).collect()
    named = told.join(_headings(project, people), on=["chunk", "column"], how="left", maintain_order="left")
    heading = pl.coalesce("heading", "column").alias("heading")
    return named.with_columns(heading).select(SHOWN)


def _headings(project: Project, name: str) -> pl.DataFrame:
    """Return the heading of each column as its file writes it, with the file's name."""
    rows = [
        (chunk.key, heading["column"], heading["raw"], chunk.file_name)
        for chunk in project.chunks()
        if chunk.object == name
        for heading in read_sidecar(project.staged_folder, name, chunk.key)["headings"]
        if heading["column"]
    ]
    schema = {"chunk": pl.String, "column": pl.String, "heading": pl.String, "file": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").unique(["chunk", "column"], keep="first", maintain_order=True)
