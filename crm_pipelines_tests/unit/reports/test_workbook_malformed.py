"""What comes back from outside and is not what was given out: a clear message each, by sheet and cell where there is one, no value in
it, and nothing changed on the disk."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from crm_pipelines.errors import EXIT_SPEC_OR_SETTINGS, SpecError
from crm_pipelines.phases.files import write_bytes
from crm_pipelines.reports.sheets import Limits
from crm_pipelines.reports.workbook import read_decided, write_material
from crm_pipelines.reports.workbook_layout import BEHIND, FIRST, RENAME, SECOND
from crm_pipelines.spec.client import load_client
from crm_pipelines_tests.unit.reports.material import material, route

SPEC, DESTINATION = route()
SECRET = "jane.secret@example.org"
Break = Callable[[Path], object]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The workbook as it was given out."""
    return write_material(tmp_path_factory.mktemp("whole") / "map.xlsx", material()).read_bytes()


@pytest.fixture
def path(tmp_path: Path, whole: bytes) -> Path:
    """A copy of it that may be spoilt."""
    return write_bytes(tmp_path / "map.xlsx", whole)


def book(change: Callable[[Any], object]) -> Break:
    """Change the workbook as a spreadsheet program would."""

    def apply(path: Path) -> None:
        workbook = openpyxl.load_workbook(path)
        change(workbook)
        workbook.save(path)

    return apply


def cell(sheet: str, address: str, value: Any) -> Break:
    """Set one cell."""

    def change(workbook: Any) -> None:
        workbook[sheet][address].value = value

    return book(change)


def both(*changes: Break) -> Break:
    """Change several things."""
    return lambda path: [change(path) for change in changes]


def member(name: str, change: Callable[[bytes], bytes]) -> Break:
    """Rewrite one member of the archive; one that is not there is made of nothing."""

    def apply(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            members = {each: archive.read(each) for each in archive.namelist()}
        members[name] = change(members.get(name, b""))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for each, content in members.items():
                archive.writestr(each, content)

    return apply


def content(data: bytes) -> Break:
    """Put other bytes in its place."""
    return lambda path: path.write_bytes(data)


def renamed_column(workbook: Any) -> None:
    page = workbook["Columns"]
    page["F1"].value = page["F3"].value = "Decision"


def twice(workbook: Any) -> None:
    page = workbook["Words"]
    for row in range(1, 6):
        page.cell(row, 8).value = page.cell(row, 6).value


def many_rows(data: bytes) -> bytes:
    rows = "".join(f'<row r="{number}"><c r="A{number}" t="inlineStr"><is><t>x</t></is></c></row>' for number in range(1000, 101_100))
    return data.replace(b"</sheetData>", rows.encode() + b"</sheetData>")


def bombed(path: Path) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.xml", b"0" * 30_000_000)


def lying_bomb(path: Path) -> None:
    """A member that declares a hundred bytes and holds thirty million."""
    packed = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in archive.namelist():
            target.writestr(name, b" " * 30_000_000 if name == "xl/worksheets/sheet2.xml" else archive.read(name))
    path.write_bytes(packed.getvalue().replace(struct.pack("<L", 30_000_000), struct.pack("<L", 100)))


def repeated_members(path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")


def encrypted_flag(path: Path) -> None:
    data = path.read_bytes()
    at = data.rindex(b"PK\x01\x02")
    path.write_bytes(data[: at + 8] + bytes([data[at + 8] | 1]) + data[at + 9 :])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("xl/worksheets/sheet3.xml")
    data[info.header_offset + 30 + len(info.filename) + info.compress_size // 2] ^= 0x55
    path.write_bytes(data)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def ods(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", "<office:document-content/>")


def docx(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<document/>")


def external(data: bytes) -> bytes:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"
    link = f'<Relationship Id="rId99" Type="{kind}" Target="https://example.com/x" TargetMode="External"/>'
    return data.replace(b"</Relationships>", link.encode() + b"</Relationships>")


def entity(data: bytes) -> bytes:
    laughs = "".join(f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 9))
    start = data.index(b"<worksheet")
    return (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">' + laughs.encode() + b"]>" + data[start:].replace(b"<t>Columns", b"<t>&l8;")
    )


def in_sheet(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Replace the first hit in a sheet's XML."""

    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return change


SHEET_3 = "xl/worksheets/sheet3.xml"
DAMAGED = "the file: expected a whole workbook, found a damaged file"
CASES: dict[str, tuple[Break, str]] = {
    "a folder": (folder, "the file: expected a workbook (.xlsx), found a folder"),
    "an empty file": (content(b""), "found an empty file"),
    "a CSV with another name": (content(f"Name;Choice\r\n{SECRET};x\r\n".encode()), "found a text file; it may be a CSV with another name"),
    "a picture": (content(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "expected a workbook (.xlsx), found something else"),
    "an old xls": (
        content(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600),
        "found an old one (.xls); open it in your spreadsheet program",
    ),
    "a password": (
        content(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")),
        "expected a workbook without a password",
    ),
    "an encrypted member": (encrypted_flag, "expected a workbook without a password"),
    "an ods": (ods, "found an OpenDocument file (.ods)"),
    "a docx": (docx, "found another kind of archive"),
    "a truncated zip": (lambda path: path.write_bytes(path.read_bytes()[:-400]), DAMAGED),
    "a flipped byte": (flipped, DAMAGED),
    "a zip bomb": (bombed, "an archive that unpacks to far more than it should"),
    "a zip bomb that lies": (lying_bomb, DAMAGED),
    "a member twice": (repeated_members, "an archive that unpacks to far more than it should"),
    "macros": (member("xl/vbaProject.bin", lambda _: b"x"), "expected no macros, found macros"),
    "a macro-enabled type": (
        member("[Content_Types].xml", lambda data: data.replace(b"sheet.main", b"sheet.macroEnabled.main")),
        "expected no macros",
    ),
    "a link to a workbook": (
        member("xl/externalLinks/externalLink1.xml", lambda _: b"<externalLink/>"),
        "expected no links to other files",
    ),
    "a link in a relation": (member("xl/_rels/workbook.xml.rels", external), "expected no links to other files"),
    "an embedded object": (member("xl/embeddings/oleObject1.bin", lambda _: b"x"), "expected no embedded files"),
    "a data connection": (member("xl/connections.xml", lambda _: b"<connections/>"), "expected no links to other data"),
    "an entity bomb": (member(SHEET_3, entity), "found XML that none of them writes"),
    "an entity bomb in the styles": (
        member("xl/styles.xml", lambda data: b'<!DOCTYPE x [<!ENTITY a "b">]>' + data),
        "XML that none of them writes",
    ),
    "broken XML": (member(SHEET_3, lambda data: data[:2000]), "found XML that none of them writes"),
    "100,000 rows": (member(SHEET_3, many_rows), "sheet 'Columns', cell A100992: expected at most 100,000 rows, found more"),
    "a huge cell": (
        member(SHEET_3, in_sheet(b"<t>Handy", b"<t>" + b"x" * 300_000)),
        "sheet 'Columns', cell B4: expected at most 32,767 characters",
    ),
    "a sheet renamed": (
        book(lambda workbook: setattr(workbook["Words"], "title", "Wörter")),
        "sheet 'Words': expected this sheet, found no sheet of that",
    ),
    "a sheet missing": (book(lambda workbook: workbook.remove(workbook["Owners"])), "sheet 'Owners': expected this sheet"),
    "one more sheet": (book(lambda workbook: workbook.create_sheet("Notes")), "sheet 'Notes': expected no sheets but"),
    "the memory gone": (book(lambda workbook: workbook.remove(workbook["_made"])), "sheet '_made': expected this sheet"),
    "the memory changed": (cell("_made", "C3", '{"version": 99}'), "sheet '_made': expected what the workbook was given out with"),
    "a column missing": (book(lambda workbook: workbook["Columns"].delete_cols(6)), "sheet 'Columns': expected a column 'Your choice'"),
    "a heading renamed": (
        book(renamed_column),
        "sheet 'Columns', cell F3: expected only the columns of this sheet, found one more heading",
    ),
    "a column twice": (book(twice), "sheet 'Words', cell H1: expected each column once, found column 'Read it as' a second time"),
    "headings gone": (book(lambda workbook: workbook["Tags"].delete_rows(1, 3)), "sheet 'Tags': expected the headings of this sheet"),
    "a number for a word": (cell("Columns", "F5", 12), "sheet 'Columns', cell F5: expected a text in 'Your choice', found a number"),
    "a yes for a word": (cell("Words", "F4", True), "sheet 'Words', cell F4: expected a text in 'Read it as', found a yes/no value"),
    "a date for a word": (
        member(SHEET_3, lambda data: re.sub(rb'<c r="F5"[^/]*/>', b'<c r="F5" t="d"><v>2024-03-05</v></c>', data)),
        "found a date",
    ),
    "a word for a number": (cell("Words", "D4", SECRET), "sheet 'Words', cell D4: expected a number in 'Rows', found a text"),
    "a formula": (
        cell("Columns", "F5", f'=CONCAT("{SECRET}")'),
        "sheet 'Columns', cell F5: expected a value, found a formula; type the value",
    ),
    "a formula beside": (cell("Columns", "K9", "=1+1"), "sheet 'Columns', cell K9: expected nothing beside the table"),
    "an error": (cell("Words", "F4", "#REF!"), "sheet 'Words', cell F4: expected a value, found the error of a formula"),
    "merged cells": (
        book(lambda workbook: workbook["Words"].merge_cells("F4:F5")),
        "sheet 'Words', cell F4:F5: expected cells of their own",
    ),
    "an unknown column choice": (
        cell("Columns", "F5", SECRET),
        "sheet 'Columns', cell F5: expected one of the options in the list of the cell",
    ),
    "an unknown answer": (cell("Questions", "F4", SECRET), "sheet 'Questions', cell F4: expected one of 'queue rows', 'block phase'"),
    "an unknown word": (cell("Words", "F4", SECRET), "sheet 'Words', cell F4: expected one of 'Subscribed', 'Active'"),
    "an unknown user": (cell("Owners", "E5", SECRET), "sheet 'Owners', cell E5: expected a user of the destination"),
    "an unknown tag choice": (cell("Tags", "E4", SECRET), "sheet 'Tags', cell E4: expected one of 'Keep', 'Leave out', 'Rename'"),
    "no address": (cell("Questions", "F5", "Secret"), "sheet 'Questions', cell F5: expected an e-mail address"),
    "no reason": (cell("Columns", "F5", BEHIND), "sheet 'Columns', cell H5: expected a reason of 8 characters or more, found nothing"),
    "a reason too many": (cell("Columns", "H4", SECRET), "sheet 'Columns', cell H4: expected nothing, unless 'Leave behind"),
    "a name without a choice": (cell("Columns", "G5", SECRET), "sheet 'Columns', cell F5: expected a choice, since the row says more"),
    "a long name": (
        both(cell("Columns", "F5", "New text field [people]"), cell("Columns", "G5", "x" * 999)),
        "sheet 'Columns', cell G5: expected at most",
    ),
    "no new name": (cell("Tags", "E4", RENAME), "sheet 'Tags', cell F4: expected the new name of the tag"),
    "two columns, one field": (
        both(
            cell("Columns", "F5", "New text field [people]"),
            cell("Columns", "F6", "New text field [people]"),
            cell("Columns", "G5", "A"),
            cell("Columns", "G6", "A"),
        ),
        "sheet 'Columns', cell F5: expected one column for each field, found the same field as in F6",
    ),
    "a row of their own": (cell("Owners", "A7", SECRET), "sheet 'Owners', cell A7: expected a row as it was given out"),
    "a locked cell changed": (cell("Words", "C4", SECRET), "sheet 'Words', cell C4: expected a row as it was given out"),
    "the same row twice": (cell("Words", "C5", "Abonniert"), "sheet 'Words', cell C5: expected each row once"),
    "a circular merge": (
        both(cell("Duplicates", "I5", FIRST), cell("Duplicates", "I6", FIRST), cell("Duplicates", "I7", SECOND)),
        "sheet 'Duplicates', cell I5: expected exactly one record of those that are the same",
    ),
    "a contradicting merge": (
        both(cell("Duplicates", "I5", FIRST), cell("Duplicates", "I6", FIRST), cell("Duplicates", "I7", "Different")),
        "sheet 'Duplicates', cell I7: expected records that are the same not to be called different",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_malformed_workbook_is_told_and_changes_nothing(tmp_path: Path, path: Path, name: str) -> None:
    change, told = CASES[name]
    change(path)
    before = _disk(tmp_path)
    with pytest.raises(SpecError) as error:
        read_decided(path, SPEC, DESTINATION, engagement="acme")
    assert told in str(error.value)
    assert SECRET not in str(error.value)
    assert str(tmp_path) not in str(error.value), "the file's name is enough"
    assert error.value.exit_code == EXIT_SPEC_OR_SETTINGS
    assert _disk(tmp_path) == before


def _disk(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in sorted(folder.rglob("*"))}


def test_all_problems_of_a_workbook_are_told_at_once(path: Path) -> None:
    for name in ("an unknown word", "an unknown user", "no reason", "no address"):
        CASES[name][0](path)
    with pytest.raises(SpecError) as error:
        read_decided(path, SPEC, DESTINATION)
    assert [problem.path for problem in error.value.problems] == [
        *("sheet 'Questions', cell F5", "sheet 'Columns', cell H5", "sheet 'Words', cell F4", "sheet 'Owners', cell E5"),
    ]


def test_real_sizes_are_held_against_the_limits(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        together = sum(each.file_size for each in archive.infolist())
    bounds = (
        Limits(file_bytes=1000),
        Limits(inflated_bytes=5000),
        Limits(inflated_bytes=together - 1),
        Limits(members=3),
        Limits(columns=2),
    )
    for limits in bounds:
        with pytest.raises(SpecError):
            read_decided(path, SPEC, DESTINATION, limits=limits)


def test_what_spreadsheets_add_by_themselves_is_no_problem(path: Path) -> None:
    """Links of e-mail addresses, formatted empty rows far below, a filter with hidden rows, blank cells beside the table."""

    def change(workbook: Any) -> None:
        page = workbook["Owners"]
        page["E5"].value, page["E5"].hyperlink = "ben@example.com", "mailto:ben@example.com"
        page["A1048576"].font = openpyxl.styles.Font(bold=True)
        page["Z9"].value = ""
        page.row_dimensions[5].hidden = True

    book(change)(path)
    assert read_decided(path, SPEC, DESTINATION)[1].owners == {"old@agency.example.com": "ben@example.com"}


def test_hidden_rows_below_the_table_are_read_like_all_others(path: Path) -> None:
    def change(workbook: Any) -> None:
        workbook["Owners"]["A500"].value = SECRET
        workbook["Owners"].row_dimensions[500].hidden = True

    book(change)(path)
    with pytest.raises(SpecError, match="sheet 'Owners', cell A500: expected a row as it was given out"):
        read_decided(path, SPEC, DESTINATION)


DECISIONS = {
    "no mapping": ("- owners\n", "decisions.yaml:1"),
    "broken": ("owners: [\n", "decisions.yaml:2: (text): is not readable YAML"),
    "an unknown decision": ("ownerz: queue_rows\n", "decisions.yaml:1: ownerz: unknown decision; did you mean 'owners'?"),
    "an unknown option": ("owners: sometimes\n", "decisions.yaml:1: owners: unknown option"),
    "written twice": ("owners: queue_rows\nowners: block_phase\n", "decisions.yaml:2: owners: is written twice"),
    "two choices": (
        "map:\n  columns:\n    contacts:\n      x: {phase: people, field: name, ignore: Nobody uses it.}\n",
        "decisions.yaml:4",
    ),
    "a short reason": ("map:\n  columns:\n    contacts:\n      x: {ignore: no}\n", "decisions.yaml:4"),
    "an unknown key": ("map:\n  colums: {}\n", "decisions.yaml:2: map.colums: unknown key; did you mean 'columns'?"),
    "references": ("map:\n  values: &a\n    x: {y: z}\n  tags: *a\n", "decisions.yaml"),
}


@pytest.mark.parametrize("name", DECISIONS)
def test_a_malformed_decisions_file_is_told_by_line(tmp_path: Path, name: str) -> None:
    text, told = DECISIONS[name]
    path = write_bytes(tmp_path / "decisions.yaml", text.encode())
    with pytest.raises(SpecError) as error:
        load_client(SPEC, path.read_text())
    assert told in str(error.value)
