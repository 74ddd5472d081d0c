"""Tables for people: what is written comes back, and no spreadsheet runs any of it."""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_pipelines.reports.sheets import Cell, Column, Limits, Row, Sheet, SheetError, read_book, read_csv, write_book, write_csv

COLUMNS = (
    Column("key", "Key"),
    Column("rows", "Rows", is_number=True),
    Column("text", "Free text", editable=True),
    Column("choice", "Choice", editable=True, choices=("yes", "no, never", "=later")),
)
ODD_TEXTS = (
    *("=1+1", "+49 30 1234", "-5", "@sum", "\ttab", "\rreturn", "＝1+1", "  =1+1", "=cmd|'/c calc'!A0", "'quoted", "'=quoted", "''=twice"),
    *(
        "two\nlines",
        "_x0041_",
        "x005F_",
        "_x005F_",
        "\x00\x01\x1f",
        "\ufffe",
        " lead and trail ",
        "#N/A",
        "00123",
        "1e5",
        "TRUE",
        "é 😀 <&>",
        '"',
    ),
)


def _rows(texts: tuple[str, ...]) -> list[dict[str, str | int]]:
    return [{"key": f"k{number}", "rows": number, "text": text, "choice": "no, never"} for number, text in enumerate(texts)]


def _texts(rows: list[Row]) -> list[str]:
    return [row.text("text") for row in rows]


def test_a_workbook_gives_back_every_text_as_it_was(tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", [Sheet("One", COLUMNS, _rows(ODD_TEXTS), intro="=HYPERLINK()")])
    rows = read_book(path, {"One": COLUMNS})["One"]
    assert _texts(rows) == list(ODD_TEXTS)
    assert [row.cells["rows"].value for row in rows] == list(range(len(ODD_TEXTS)))
    assert {row.text("choice") for row in rows} == {"no, never"}
    assert rows[0].address("text") == "C4"


def test_a_csv_gives_back_every_text_as_it_was(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", Sheet("One", COLUMNS, _rows(ODD_TEXTS)))
    assert _texts(read_csv(path, "One", COLUMNS)) == list(ODD_TEXTS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(codec=None), max_size=12) | st.sampled_from(ODD_TEXTS), max_size=6))
def test_any_text_comes_back_from_both(tmp_path: Path, texts: list[str]) -> None:
    sheet = Sheet("One", COLUMNS, _rows(tuple(texts)))
    book, csv = write_book(tmp_path / "h.xlsx", [sheet]), write_csv(tmp_path / "h.csv", sheet)
    assert _texts(read_book(book, {"One": COLUMNS})["One"]) == texts
    assert _texts(read_csv(csv, "One", COLUMNS)) == texts


def test_half_a_character_comes_back_too(tmp_path: Path) -> None:
    sheet = Sheet("One", COLUMNS, _rows(("a\ud800b", "\udfff")))
    assert _texts(read_book(write_book(tmp_path / "a.xlsx", [sheet]), {"One": COLUMNS})["One"]) == ["a\ud800b", "\udfff"]
    assert _texts(read_csv(write_csv(tmp_path / "a.csv", sheet), "One", COLUMNS)) == ["a\ud800b", "\udfff"]


def test_nothing_written_is_a_formula_and_risky_text_is_quoted(tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", [Sheet("One", COLUMNS, _rows(ODD_TEXTS))])
    with zipfile.ZipFile(path) as archive:
        page, styles = archive.read("xl/worksheets/sheet1.xml").decode(), archive.read("xl/styles.xml").decode()
    assert "<f>" not in page
    assert "<f " not in page
    assert 'quotePrefix="1"' in styles
    lines = write_csv(tmp_path / "a.csv", Sheet("One", COLUMNS, _rows(ODD_TEXTS))).read_text("utf-8-sig")
    cells = re.findall(r'"((?:[^"]|"")*)"', lines)
    assert [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")] == []


def test_files_are_private_and_replaced_in_one_step(tmp_path: Path) -> None:
    sheet = Sheet("One", COLUMNS, _rows(("a",)))
    for path in (write_book(tmp_path / "a.xlsx", [sheet]), write_csv(tmp_path / "a.csv", sheet)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.xlsx"]


def test_only_cells_to_fill_in_are_open_and_long_lists_stand_on_a_sheet_of_their_own(tmp_path: Path) -> None:
    options = tuple(f"option number {number}" for number in range(40))
    rows = [{"key": "k", "choice": Cell("no, never", choices=options)}]
    path = write_book(tmp_path / "a.xlsx", [Sheet("One", COLUMNS, rows)])
    with zipfile.ZipFile(path) as archive:
        page, book = archive.read("xl/worksheets/sheet1.xml").decode(), archive.read("xl/workbook.xml").decode()
    assert "<sheetProtection" in page
    assert 'sheet="1"' in page
    assert "<formula1>'_lists'!$A$1:$A$40</formula1>" in page
    assert re.search(r'name="_lists"[^>]*state="hidden"', book)


def test_a_text_too_long_for_a_cell_says_so_and_is_no_answer(tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", [Sheet("One", COLUMNS, _rows(("x" * 40_000, "\x01" * 30_000, "y" * 32_767)))])
    cut, escaped, whole = read_book(path, {"One": COLUMNS})["One"]
    assert (cut.is_cut("text"), cut.text("text"), escaped.is_cut("text")) == (True, "", True)
    assert whole.text("text") == "y" * 32_767


def test_columns_are_found_by_their_headings_when_the_row_of_keys_is_gone(tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", [Sheet("One", COLUMNS, _rows(("a", "b")), intro="Fill in")])
    book = openpyxl.load_workbook(path)
    book["One"].delete_rows(1)
    book["One"].insert_cols(1)
    book.save(path)
    assert _texts(read_book(path, {"One": COLUMNS})["One"]) == ["a", "b"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_may_come_back_from_any_spreadsheet(tmp_path: Path, encoding: str, delimiter: str) -> None:
    lines = [("Choice", "Key", "Rows", "Free text"), ("YES ", "k1", "1", "Müller"), ("", "", "", "")]
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join(delimiter.join(line) for line in lines).encode(encoding))
    (row,) = read_csv(path, "One", COLUMNS)
    assert (row.text("choice"), row.text("text")) == ("yes", "Müller")


def test_a_csv_with_other_headings_or_words_is_told_by_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Key,Rows,Words,Choice\nk1,1,a,perhaps\nk2,2,b,yes,more\n")
    with pytest.raises(SheetError) as error:
        read_csv(path, "One", COLUMNS)
    told = str(error.value)
    assert [part for part in ("a column 'Free text'", "row 2, column 'Choice'", "row 3") if part not in told] == []
    assert "perhaps" not in told


def test_rows_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    sheet = Sheet("One", COLUMNS, _rows(tuple("abcdef")))
    for read in (
        lambda: read_book(write_book(tmp_path / "a.xlsx", [sheet]), {"One": COLUMNS}, Limits(rows=5)),
        lambda: read_csv(write_csv(tmp_path / "a.csv", sheet), "One", COLUMNS, Limits(rows=5)),
    ):
        with pytest.raises(SheetError, match="at most 5 rows"):
            read()
