"""Workbooks and CSVs that are damaged, or made to do damage: a sentence with the place, never a traceback, and soon."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from crm_pipelines.reports.sheets import Column, Limits, Sheet, SheetError, read_book, read_csv, write_book

COLUMNS = (Column("a", "A", editable=True), Column("n", "N", is_number=True))
Change = Callable[[str, bytes], bytes]


def _as_cell(stored: bytes, *, is_date: bool) -> Change:
    """The number 3 of the sheet stored as something else, and shown as a date."""

    def changed(name: str, content: bytes) -> bytes:
        if name == "xl/styles.xml" and is_date:
            dated = re.compile(rb"<cellXfs.*?</cellXfs>", re.DOTALL)
            return dated.sub(lambda found: re.sub(rb'numFmtId="\d+"', b'numFmtId="14"', found[0]), content)
        return content.replace(b"<v>3</v>", b"<v>" + stored + b"</v>") if name.endswith("sheet1.xml") else content

    return changed


def _as_string(place: bytes) -> Change:
    def changed(name: str, content: bytes) -> bytes:
        shared = rb'<c r="\1" t="s"><v>' + place + b"</v></c>"
        return re.sub(rb'<c r="(A4)"[^>]*>.*?</c>', shared, content) if name.endswith("sheet1.xml") else content

    return changed


def _book(folder: Path, change: Change, rename: Callable[[str], str] = str) -> Path:
    good = write_book(folder / "good.xlsx", [Sheet("s", COLUMNS, [{"a": "x", "n": 3}], intro="i")])
    path = folder / "changed.xlsx"
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(rename(name), change(name, old.read(name)))
    return path


@pytest.mark.parametrize(
    ("stored", "is_date"),
    [(b"1e300", True), (b"1e9", True), (b"99999999", True), (b"inf", True), (b"nan", True), (b"inf", False), (b"nan", False)],
)
def test_a_number_that_is_none_is_named_by_its_cell(tmp_path: Path, stored: bytes, is_date: bool) -> None:
    with pytest.raises(SheetError, match=r"sheet 's', cell B4: expected a value, found a number, date or text that no spreadsheet"):
        read_book(_book(tmp_path, _as_cell(stored, is_date=is_date)), {"s": COLUMNS})


@pytest.mark.parametrize("place", [b"-1", b"99999", b"one"])
def test_a_text_that_is_nowhere_is_named_by_its_cell(tmp_path: Path, place: bytes) -> None:
    with pytest.raises(SheetError, match="sheet 's', cell A4: expected a value, found a number, date or text that no"):
        read_book(_book(tmp_path, _as_string(place)), {"s": COLUMNS})


def test_the_list_of_kinds_may_be_written_small(tmp_path: Path) -> None:
    path = _book(tmp_path, lambda _, content: content, lambda name: name.lower() if "Content" in name else name)
    assert read_book(path, {"s": COLUMNS})["s"][0].text("a") == "x"


def test_a_damaged_list_of_kinds_is_a_damaged_file(tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", [Sheet("s", COLUMNS, [{"a": "x", "n": 3}])])
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("[Content_Types].xml")
    content = bytearray(path.read_bytes())
    begin = member.header_offset + 40 + len(member.filename)
    content[begin : begin + 20] = bytes(byte ^ 0xFF for byte in content[begin : begin + 20])
    path.write_bytes(content)
    with pytest.raises(SheetError, match="expected a whole workbook, found a damaged file"):
        read_book(path, {"s": COLUMNS})


def test_a_csv_of_blank_lines_ends_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("A,N\n" + "\n" * 1_000 + '"a quote that never closes', encoding="utf-8")
    with pytest.raises(SheetError, match="row 101: expected at most 50 rows"):
        read_csv(path, "a", COLUMNS, Limits(rows=50))
