"""A file that is not what the contract says: each time a message that names the file and what to do, never a value."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from crm_pipelines.errors import SourceError
from crm_pipelines.phases.stage import stage_file
from crm_pipelines.sources import load_source
from crm_pipelines_tests.unit.sources.staging import KARTRA, stage


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"contacts_1.csv: there is no such file"):
        stage_file(KARTRA, "contacts", tmp_path / "contacts_1.csv")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="this is a folder"):
        stage_file(KARTRA, "contacts", tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n \r\n"])
def test_empty_file(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceError, match="the file is empty"):
        stage(tmp_path, content)


def workbook() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return data.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (workbook(), "an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "a web page"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (bytes(range(1, 32)) * 20, "a binary file"),
    ],
)
def test_not_a_csv_file(tmp_path: Path, content: bytes, kind: str) -> None:
    with pytest.raises(SourceError, match=rf"export\.csv: this is {kind}.*CSV"):
        stage(tmp_path, content)


def test_heading_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no heading of a contacts export was found.*expected id, email"):
        stage(tmp_path, "colour,weight\nred,5\n")


def test_text_without_heading_shows_no_value(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        stage(tmp_path, "17,ann@example.com,Ann\n18,bob@example.com,Bob\n")
    assert "ann" not in str(caught.value).lower()


def test_changed_heading_names_file_column_and_what_was_found(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        stage(tmp_path, "id,Contact Mail,First Name\n1,ann@example.com,Ann\n")
    assert "export.csv: the heading of this contacts export lacks email; found: id, Contact Mail, First Name" in str(caught.value)
    assert "ann@" not in str(caught.value)


def test_two_currencies_in_the_headings(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="several currencies \\(EUR, USD\\)"):
        stage(
            tmp_path,
            "ID,Transaction_Type,Date,Product,Buyer_Email,Amount (USD),Revenue (EUR)\n1,Sale,2026-01-01,P,a@example.com,1,1\n",
            "transactions",
        )


def test_unknown_source_and_object(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="known sources: kartra"):
        load_source("act")
    with pytest.raises(SourceError, match="no object 'forms'"):
        stage_file(KARTRA, "forms", tmp_path / "forms.csv")


def test_unknown_time_zone(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="time zone 'Mars/Base' is not known"):
        stage(tmp_path, "id,email\n1,a@example.com\n", source_timezone="Mars/Base")


def test_unknown_encoding(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="'utf-9' is not known"):
        stage(tmp_path, "id,email\n1,a@example.com\n", encoding="utf-9")
