"""Which files of a folder an engagement takes in, and what it says of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_pipelines.phases.project import Project
from crm_pipelines.settings import load_engagement
from crm_pipelines_tests.unit.defs.conftest import install, write_engagement

DEALS = "deals_kartra_09-06-2026_6a2804701b2c3.csv"


def test_a_file_of_an_export_that_stays_behind_is_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_engagement(install(tmp_path, monkeypatch), "acme")
    project = Project.open(load_engagement("acme"))
    first = project.register()
    assert {chunk.object for chunk in first.new} == set(project.objects)
    (told,) = first.ignored
    assert told.startswith(f"{DEALS}: deals do not move on this route (The sales pipeline that you may keep in Kartra")
    (folder / "exports" / DEALS).write_text("nobody\nreads this\n", encoding="utf-8")
    again = project.register()
    assert (again.new, again.ignored, len(again.known)) == ((), (told,), len(first.new))
