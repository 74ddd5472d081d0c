"""A file that is replaced or taken away before anything is confirmed counts no more; afterwards nothing takes it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_pipelines.errors import SourceError
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.withdraw import FOLDER_DECIDES, withdraw
from crm_pipelines_tests.lib.opened import opened, staged, written

OLD, NEW, TAGS = "contacts_kartra_01_06_2026_a.csv", "contacts_kartra_09_06_2026_b.csv", "tags_1.csv"


def contacts(count: int) -> str:
    return "id,email\n" + "".join(f"{n},c{n}@example.com\n" for n in range(count))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return written(tmp_path, [(OLD, contacts(10))])


def after(project: Project, *, sealed: bool = False) -> tuple[list[str], list[str]]:
    """Look at the folder again; return what is said, and which files count."""
    with Ledger.open(f"sqlite:///{project.engagement.folder / 'ledger.sqlite'}") as ledger:
        if sealed:
            ledger.add_seal("acme", "full", "digest", {}, "test")
        told = [one.told for one in withdraw(project, ledger)]
    staged(project)
    return told, [f"{chunk.file_name}: {chunk.physical_rows}" for chunk in opened(project.engagement.folder.parents[1]).chunks()]


def replaced(project: Project, name: str, text: str) -> None:
    for path in project.engagement.exports.iterdir():
        path.unlink()
    (project.engagement.exports / name).write_text(text, encoding="utf-8")


def test_a_newer_export_takes_the_place_of_the_one_before(project: Project) -> None:
    (old,) = project.chunks()
    replaced(project, NEW, contacts(8))
    told, counted = after(project)
    assert told == [f"{OLD} (10 rows) was replaced by {NEW} and counts no more: {FOLDER_DECIDES}."]
    assert counted == [f"{NEW}: 8"]
    assert not project.export_path(old).exists(), "what the client took away is not kept"
    assert not project.staged_path("contacts", old.key).exists()


def test_a_file_of_the_same_name_with_other_rows_takes_its_place(project: Project) -> None:
    replaced(project, OLD, contacts(3))
    assert after(project) == (
        [f"{OLD} (10 rows) was replaced by a newer file of that name and counts no more: {FOLDER_DECIDES}."],
        [f"{OLD}: 3"],
    )


def test_a_file_that_was_taken_away_counts_no_more_and_what_came_beside_another_adds_to_it(project: Project) -> None:
    (project.engagement.exports / NEW).write_text(contacts(12), encoding="utf-8")
    assert after(project) == ([], [f"{OLD}: 10", f"{NEW}: 12"])
    (project.engagement.exports / OLD).unlink()
    assert after(project) == (
        [f"{OLD} (10 rows) was taken out of the exports folder and counts no more: {FOLDER_DECIDES}."],
        [f"{NEW}: 12"],
    )


def test_once_something_is_confirmed_nothing_is_taken_back(project: Project) -> None:
    replaced(project, NEW, contacts(8))
    assert after(project, sealed=True) == ([], [f"{OLD}: 10", f"{NEW}: 8"])


@pytest.mark.parametrize("left", [None, "notes.txt"])
def test_the_only_file_of_a_needed_export_is_kept_though_the_folder_holds_none(project: Project, left: str | None) -> None:
    replaced(project, left or "x", "nothing")
    if left is None:
        (project.engagement.exports / "x").unlink()
    assert after(project) == ([], [f"{OLD}: 10"])


def test_a_file_that_cannot_be_read_replaces_none(project: Project) -> None:
    replaced(project, NEW, "what,is,this\n1,2,3\n")
    with pytest.raises(SourceError):
        after(project)
    assert [chunk.file_name for chunk in opened(project.engagement.folder.parents[1]).chunks()] == [OLD]
