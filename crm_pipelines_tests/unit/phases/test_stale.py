"""Who is stale does not change under a seal that nobody changed: the day is pinned, or part of what is confirmed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from crm_pipelines.phases.changes import differences
from crm_pipelines.phases.desired import resolve_all, stage_chunk
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.phases.stale import pinned, told_stale
from crm_pipelines.settings import load_engagement
from crm_pipelines.spec.client_map import ClientMap

SETTINGS = """\
type: crm_pipelines.defs.component.CrmMigration
attributes:
  route: kartra_to_pipedrive
  account: {name: acme, base_url: "http://127.0.0.1:9", token_env: T}
"""
LEFT = "owners: queue_rows\nmap:\n  leave_out: {contacts: [stale]}\n"
ROWS = "id,email,date_joined\n1,ann@example.com,2020-01-01 10:00:00\n2,bob@example.com,2024-08-01 10:00:00\n"


def moved(folder: Path) -> tuple[Project, list[str]]:
    """Read what lies there; return the project and the keys that move."""
    project = Project.open(load_engagement("acme"))
    project.register()
    for name in project.objects:
        for key in project.object_chunks(name):
            stage_chunk(project, key)
    resolve_all(project)
    return project, read_resolved(project.resolved_folder, "contacts")["key"].to_list()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CRM_ENGAGEMENTS", str(tmp_path / "engagements"))
    folder = tmp_path / "engagements" / "acme"
    (folder / "exports").mkdir(parents=True)
    (folder / "engagement.yaml").write_text(SETTINGS, encoding="utf-8")
    (folder / "exports" / "contacts_kartra_09-06-2026_6a28047029b10.csv").write_text(ROWS, encoding="utf-8")
    return folder


def bring_later(folder: Path) -> None:
    name = "contacts_kartra_09-12-2026_6b28047029b10.csv"
    (folder / "exports" / name).write_text("id,email,date_joined\n3,cat@example.com,2026-12-01 10:00:00\n", encoding="utf-8")


def test_a_later_export_moves_the_day_and_the_seal_tells(folder: Path) -> None:
    (folder / "decisions.yaml").write_text(LEFT, encoding="utf-8")
    project, keys = moved(folder)
    before = told_stale(project)
    assert (keys, before) == (["2"], {"stale_before": "2024-06-09"})
    bring_later(folder)
    project, keys = moved(folder)
    assert keys == ["3"]
    lines = [str(change) for change in differences(before, told_stale(project))]
    assert len(lines) == 1
    assert "2024-12-20 (was 2024-06-09)" in lines[0]
    assert "stale_before: {contacts: 2024-06-09}" in lines[0]


def test_a_pinned_day_stays_whatever_is_exported_later(folder: Path) -> None:
    (folder / "decisions.yaml").write_text(LEFT + "  stale_before: {contacts: 2024-06-09}\n", encoding="utf-8")
    assert moved(folder)[1] == ["2"]
    bring_later(folder)
    project, keys = moved(folder)
    assert keys == ["2", "3"]
    assert told_stale(project) == {}, "the map says it"


def test_a_workbook_pins_the_day_and_takes_it_away_with_the_decision(folder: Path) -> None:
    (folder / "decisions.yaml").write_text("owners: queue_rows\n", encoding="utf-8")
    project, keys = moved(folder)
    assert keys == ["1", "2"]
    chosen = pinned(project, ClientMap(leave_out={"contacts": ("stale",)}))
    assert chosen.stale_before == {"contacts": date(2024, 6, 9)}
    assert pinned(project, chosen.model_copy(update={"leave_out": {}})).stale_before == {}
