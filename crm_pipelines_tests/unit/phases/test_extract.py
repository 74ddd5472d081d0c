"""The files of an engagement: found by name, ordered by export time, counted once, missing ones named."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm_pipelines.errors import SourceError
from crm_pipelines.phases.extract import digest, register_exports
from crm_pipelines.sources import load_source

KARTRA = load_source("kartra")
NEWER = "contacts_kartra_09-06-2026_6a2803f884d5c.csv"
OLDER = "leads_kartra_09-05-2026_6a01000084d5c.csv"


def put(folder: Path, *names: str, text: str = "") -> None:
    for name in names:
        (folder / name).write_text(text or f"id,email\n1,{name}\n")


def test_order_is_by_export_time_never_by_mtime_or_name(tmp_path: Path) -> None:
    put(tmp_path, NEWER, OLDER, "transactions_kartra_01-07-2026_6a450000aaaaa.csv")
    os.utime(tmp_path / OLDER, (2e9, 2e9))
    found = register_exports(KARTRA, tmp_path)
    assert [(file.file_name, file.object, file.order) for file in found] == [
        (OLDER, "contacts", 1),
        (NEWER, "contacts", 2),
        ("transactions_kartra_01-07-2026_6a450000aaaaa.csv", "transactions", 3),
    ]
    assert found[0].sha256 == digest(tmp_path / OLDER)
    assert found[0].exported_at < found[1].exported_at
    assert found.warnings == ()


def test_the_same_bytes_are_registered_once_and_it_is_said(tmp_path: Path) -> None:
    put(tmp_path, NEWER, OLDER, text="id,email\n1,a@example.com\n")
    found = register_exports(KARTRA, tmp_path)
    assert [file.file_name for file in found] == [OLDER]
    assert found.ignored == (f"{NEWER}: the same bytes as {OLDER}, counted once",)


def test_unknown_files_are_reported_hidden_ones_are_not(tmp_path: Path) -> None:
    put(tmp_path, NEWER, "readme.txt", ".DS_Store")
    (tmp_path / "old").mkdir()
    assert register_exports(KARTRA, tmp_path).ignored == ("readme.txt: no known export",)


def test_missing_object_says_which_names_would_do(tmp_path: Path) -> None:
    put(tmp_path, "people.csv")
    with pytest.raises(SourceError, match=r"holds no file of contacts \(contacts\*.csv or leads\*.csv\).*not recognised: people.csv"):
        register_exports(KARTRA, tmp_path)
    put(tmp_path, NEWER)
    with pytest.raises(SourceError, match=r"no file of transactions"):
        register_exports(KARTRA, tmp_path, required=["contacts", "transactions"])


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="export folder exports/ does not exist"):
        register_exports(KARTRA, tmp_path / "exports")


def test_declared_object_and_time(tmp_path: Path) -> None:
    put(tmp_path, NEWER, "people.csv")
    when = datetime(2026, 1, 1, tzinfo=UTC)
    found = register_exports(KARTRA, tmp_path, {"people.csv": {"object": "contacts", "exported_at": when}})
    assert [(file.file_name, file.exported_at) for file in found] == [("people.csv", when), (NEWER, found[1].exported_at)]
    with pytest.raises(SourceError, match="declared to hold forms; kartra exports affiliates"):
        register_exports(KARTRA, tmp_path, {"people.csv": {"object": "forms"}})
    with pytest.raises(SourceError, match=r"the settings name gone.csv"):
        register_exports(KARTRA, tmp_path, {"gone.csv": {}})


def test_files_without_a_time_count_as_oldest_and_are_reported_where_it_matters(tmp_path: Path) -> None:
    put(tmp_path, NEWER, "contacts_2.csv", "tags.csv")
    found = register_exports(KARTRA, tmp_path)
    assert [file.file_name for file in found] == ["contacts_2.csv", "tags.csv", NEWER]
    assert [file.is_timed for file in found] == [False, False, True]
    assert len(found.warnings) == 1
    assert "contacts_2.csv" in found.warnings[0]
