"""Corrections: rows that came back are read as if they had stood in their export, and stand for the rows that they correct."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from crm_pipelines.phases.desired import resolve_all, stage_chunk
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.queues_correct import Fix, corrected_rows, corrections
from crm_pipelines.phases.queues_source import source_rows
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.phases.stage import read_sidecar, read_staged
from crm_pipelines.settings import load_engagement
from crm_pipelines_tests.unit.defs.conftest import install, write_engagement

LEADS = """\
sep=;
Email;First Name;Last Name;ID;Date Joined;Tags;Points;Loyalty tier
ana@example.com;Ana;Núñez;11;31-08-2025 11:42;Taster, cold;5;gold
;Ben;Bo;12;01-02-2025 10:00;"One;Two";7;
cut@example.com;Cut
"no \\" way";Dan;Do;14;02-03-2025 09:00;;;
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An engagement with one odd file of contacts: semicolons, day first, an older encoding, two lines that cannot be read."""
    folder = write_engagement(install(tmp_path, monkeypatch), "acme")
    for path in (folder / "exports").glob("leads_*.csv"):
        path.write_bytes(LEADS.encode("cp1252"))
    found = Project.open(load_engagement("acme"))
    found.register()
    return found


def leads(project: Project) -> str:
    return next(chunk.key for chunk in project.chunks() if chunk.file_name.startswith("leads_"))


def staged(project: Project, chunk: str) -> pl.DataFrame:
    stage_chunk(project, chunk)
    return read_staged(project.staged_folder, "contacts", [chunk])


def take(project: Project, *fixes: Fix) -> str:
    (one,) = corrections(project, fixes)
    project.add_chunks([one.chunk], [one.content])
    return one.chunk.key


def test_cells_are_those_of_the_file_even_where_the_line_cannot_be_read(project: Project) -> None:
    found = source_rows(project, leads(project), [2, 3, 4])
    assert found.headings == ("Email", "First Name", "Last Name", "ID", "Date Joined", "Tags", "Points", "Loyalty tier")
    assert found.cells[2] == ("", "Ben", "Bo", "12", "01-02-2025 10:00", "One;Two", "7", "")
    assert found.cells[3] == ("cut@example.com", "Cut", "", "", "", "", "", "")
    assert (found.raw[3], 2 in found.raw) == ("cut@example.com;Cut", False)


def test_a_row_alone_is_read_with_the_order_of_dates_and_the_separator_of_its_file(project: Project) -> None:
    cells = ("ben@example.org", "Ben", "Bo", "12", "01-02-2025 10:00", "One;Two", "7", "")
    frame = staged(project, take(project, Fix(leads(project), 2, cells)))
    (row,) = frame.iter_rows(named=True)
    assert row["date_joined"] == datetime(2025, 2, 1, 15, 0, tzinfo=UTC), "day first, in the zone of the export"
    assert row["tags"] == staged(project, leads(project)).filter(pl.col("id") == 12).get_column("tags").item().to_list()
    assert (row["_row"], row["email"]) == (1, "ben@example.org")


def test_a_correction_adds_up_and_stands_for_the_rows_that_came_back(project: Project) -> None:
    original = leads(project)
    cells = ("cut@example.com", "Cut", "Through", "13", "02-02-2025 10:00", "", "", "")
    key = take(project, Fix(original, 3, cells), Fix(original, 2, ("ben@example.org", "Ben", "Bo", "12", "01-02-2025 10:00", "", "", "")))
    chunk = Project.open(load_engagement("acme")).chunk(key)
    assert (chunk.kind, chunk.root, chunk.physical_rows, chunk.corrects) == (
        "correction",
        original,
        2,
        ((original, 3, ""), (original, 2, "")),
    )
    stage_chunk(project, key)
    sidecar = read_sidecar(project.staged_folder, "contacts", key)
    assert (sidecar["physical_rows"], sidecar["good_rows"], sidecar["bad_lines"]) == (2, 2, [])
    assert sorted(corrected_rows(project, "contacts").iter_rows()) == [(original, 2), (original, 3)]
    first = project.chunk(original)
    assert (chunk.exported_at, chunk.key > first.key) == (first.exported_at, True), "as if the export had been right, after it"


def test_what_is_still_wrong_is_told_by_its_place_in_the_correction(project: Project) -> None:
    cells = ("cut@example.com", "Cut", "Through", "", "someday", "", "", "")
    (one,) = corrections(project, [Fix(leads(project), 3, cells)])
    assert [(bad.row, bad.reason) for bad in one.staged.bad_lines] == [(1, "missing_key")]
    (other,) = corrections(project, [Fix(leads(project), 3, (*cells[:3], "13", *cells[4:]))])
    assert other.staged.cell_errors.select("row", "column", "reason").rows() == [(1, "date_joined", "not_a_date")]


def test_a_corrected_row_wins_over_its_own_and_loses_to_a_newer_export(project: Project) -> None:
    original = leads(project)
    cells = ("ben@example.org", "Benjamin", "Bo", "12", "01-02-2025 10:00", "", "", "")
    take(project, Fix(original, 2, cells))
    for name in project.objects:
        for key in project.object_chunks(name):
            stage_chunk(project, key)
    resolve_all(project)
    row = read_resolved(project.resolved_folder, "contacts").filter(pl.col("key") == "12").row(0, named=True)
    assert (row["email"], row["first_name"], row["score"]) == ("ben@example.org", "Benjamin", 7)
    fates = read_resolved(project.resolved_folder, "fates/contacts").filter(pl.col("key") == "12").sort("chunk")
    assert fates.get_column("fate").to_list() == ["merged", "record"]
