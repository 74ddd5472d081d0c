"""Tables in many parts come into sight together or not at all, however the process that writes them ends."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from crm_pipelines.errors import NotConfirmedError, SettingsError
from crm_pipelines.phases import files
from crm_pipelines.phases.made_from import require_made_from_this
from crm_pipelines.phases.project import Project
from crm_pipelines.settings import load_engagement
from crm_pipelines_tests.lib.walk import desire
from crm_pipelines_tests.unit.defs.conftest import install, write_engagement

AGAIN = "import sys; from crm_pipelines_tests.lib.walk import desire; from crm_pipelines.phases.project import Project; \
from crm_pipelines.settings import load_engagement; desire(Project.open(load_engagement('acme')))"


def write(home: Path, *values: int) -> None:
    with files.generation(home) as fresh:
        files.write_parts(fresh / "people", (pl.DataFrame({"n": [value]}) for value in values))


def seen(home: Path) -> list[int]:
    return [files.read_frame(part)["n"][0] for part in files.parts(files.current(home) / "people")]


@pytest.mark.parametrize("where", ["/proc/map.xlsx", "a file/map.xlsx", "a folder"])
def test_a_place_where_no_file_can_be_made_is_named(tmp_path: Path, where: str) -> None:
    (tmp_path / "a file").write_text("in the way")
    (tmp_path / "a folder").mkdir()
    with pytest.raises(SettingsError, match=rf"{where}: cannot be written there \(.+\); choose another place"):
        files.write_bytes(tmp_path / where, b"content")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a file", "a folder"]


def test_a_set_of_parts_replaces_the_whole_set_before_it(tmp_path: Path) -> None:
    home = tmp_path / "mapped"
    for values in ((1, 2, 3), (4, 5), (6,)):
        write(home, *values)
        assert seen(home) == list(values)
    kept = [path for path in home.iterdir() if path.is_dir()]
    assert len(kept) == 2, "the one in sight, and the one before it for who is reading it"


def test_a_set_that_is_not_finished_is_never_seen_and_goes_with_the_next(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    with pytest.raises(ZeroDivisionError), files.generation(tmp_path) as fresh:
        files.write_parts(fresh / "people", (pl.DataFrame({"n": [1 // n]}) for n in (1, 0)))
    assert seen(tmp_path) == [1, 2]
    write(tmp_path, 7)
    assert seen(tmp_path) == [7]
    assert not fresh.exists()


def test_only_the_owner_reads_any_of_it(tmp_path: Path) -> None:
    write(tmp_path / "mapped", 1, 2)
    found = {path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "mapped").rglob("*")}
    assert found == {True: 0o700, False: 0o600}


@pytest.mark.parametrize("place", ["folded_part:3", "mapped_part:3", "generation:2"])
def test_killed_between_parts_the_records_stay_those_of_before_and_are_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    folder = write_engagement(install(tmp_path, monkeypatch), "acme")
    project = Project.open(load_engagement("acme"))
    desire(project)
    before = {phase: project.mapped(phase) for phase in project.phases}
    (folder / "decisions.yaml").write_text("owners: queue_rows\nlists: custom_field\n", encoding="utf-8")
    env = {**os.environ, "CRM_FAILPOINT": place}
    died = subprocess.run([sys.executable, "-c", AGAIN], env=env, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    opened = Project.open(load_engagement("acme"))
    for phase, frame in before.items():
        assert opened.mapped(phase).equals(frame), phase
    with pytest.raises(NotConfirmedError, match="half made"):
        require_made_from_this(opened)
    desire(opened)
    require_made_from_this(opened)
    assert any(not opened.mapped(phase).equals(frame) for phase, frame in before.items())
