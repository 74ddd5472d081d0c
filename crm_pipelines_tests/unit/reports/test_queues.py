"""Queue files: they say what waits, come back unchanged, and keep what somebody filled in."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from crm_pipelines.phases.queues import LeftOver, OwnerLine, RowLine, Tables
from crm_pipelines.phases.queues_answers import judge
from crm_pipelines.phases.queues_conflicts import ConflictLine, Question
from crm_pipelines.phases.queues_pairs import PairLine
from crm_pipelines.phases.queues_words import Word
from crm_pipelines.reports.queues import forget_files, read_answers, write_queues
from crm_pipelines.reports.sheets import SheetError
from crm_pipelines_tests.lib.queue_files import fill_book, fill_csv, read_csv

HEADINGS = {"contacts": ["id", "Email", "Note", "Key"], "sales": ["ID", "Amount (USD)"]}
CELLS = ("12", "", '=HYPERLINK("http://example.org")', "  two\nlines, +44 20 7946 0123 ")
CONTACT = RowLine("remediation", "contacts", "leads.csv", "001", 7, "12", "no_email", tuple(HEADINGS["contacts"]), CELLS, key_heading="id")
BROKEN = RowLine("remediation", "sales", "sales.csv", "002", 3, None, "short_row", tuple(HEADINGS["sales"]), ("", "-5.00"), raw=",-5.00")
REFUND = RowLine(
    *("review", "sales", "sales.csv", "002", 4, "77", "two_candidates", tuple(HEADINGS["sales"]), ("77", "-5.00")),
    key_heading="ID",
    candidates=("60: 2025-12-02, 5.00 USD, Course", "61: 2025-11-28, 5.00 USD, Course"),
    takes_parent=True,
)
PARENT = RowLine("parent", "sales", "sales.csv", "002", 5, "78", "parent_people")
TABLES = Tables(
    engagement="acme",
    rows=(CONTACT, BROKEN, REFUND, PARENT),
    owners=(OwnerLine("zoe@example.com", {"contacts": 2}, 3, "10.00 USD", "zoe.new@example.com"),),
    words=(Word("sales.kind", "Verkauf", 2, ("Sale", "Refund")),),
    pairs=(PairLine("contacts", "12", "13", 0.99, "the same name", {"full_name": ("Ann", "Anne")}),),
    left=(LeftOver("people", "13", "901", "12"),),
    users=("ann@example.com", "zoe.new@example.com"),
)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_queues(TABLES, tmp_path / "queues", tmp_path / "memory.json")
    return tmp_path / "queues"


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_file_that_comes_back_untouched_holds_no_answer_and_no_problem(written: Path, suffix: str) -> None:
    for queue in ("owner", "decision", "duplicate", "remediation", "review"):
        rows = read_answers(written / f"{queue}.{suffix}", HEADINGS, TABLES)
        found = judge(TABLES, rows, TABLES.users, {"60"})
        assert (found.is_empty, found.problems, found.skipped, found.unanswered) == (True, [], [], len(rows))


@pytest.mark.parametrize("fill", [fill_book, fill_csv])
def test_what_people_fill_in_is_read_by_its_heading(written: Path, fill: type[object]) -> None:
    suffix = "xlsx" if fill is fill_book else "csv"
    typed = {
        "owner": {"user who takes over": "ann@example.com"},
        "decision": {"means": "sale"},
        "duplicate": {"same or different": "same"},
        "review": {"belongs to sale": "60: 2025-12-02, 5.00 USD, Course"},
    }
    given = [
        fill_book(p, lambda _, own=own: own) if suffix == "xlsx" else fill_csv(p, lambda _, own=own: own)
        for q, own in typed.items()
        for p in [written / f"{q}.{suffix}"]
    ]  # type: ignore[misc]
    rows = [row for path in given for row in read_answers(path, HEADINGS, TABLES)]
    found = judge(TABLES, rows, TABLES.users, {"60"})
    assert found.problems == []
    assert found.owners == {"zoe@example.com": "ann@example.com"}
    assert found.values == {"sales.kind": {"Verkauf": "Sale"}}
    assert found.same == {"contacts": [("12", "13")]}
    assert [fix.parent for fix, _ in found.fixes] == ["60"]


def test_cells_that_were_not_touched_come_back_byte_for_byte(written: Path) -> None:
    for path, fill in ((written / "remediation.csv", fill_csv), (written / "remediation.xlsx", fill_book)):
        fill(path, lambda row: {"email": "ann@example.org"} if row["source record"] else {"id": "5"})
        fixes = [fix for fix, _ in judge(TABLES, read_answers(path, HEADINGS, TABLES), (), ()).fixes]
        assert [fix.cells for fix in fixes] == [("12", "ann@example.org", *CELLS[2:]), ("5", "-5.00")]


def test_a_formula_is_refused_by_its_cell(written: Path) -> None:
    path = fill_book(written / "owner.xlsx", lambda row: {"user who takes over": '=CONCAT("a","b")'})
    with pytest.raises(SheetError, match=r"sheet 'owner', cell [A-Z]+4: expected .* formula"):
        read_answers(path, HEADINGS, TABLES)


def test_another_workbook_is_refused(written: Path, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Map"  # type: ignore[union-attr]
    book.save(tmp_path / "map.xlsx")
    with pytest.raises(SheetError, match="sheet 'Map'"):
        read_answers(tmp_path / "map.xlsx", HEADINGS, TABLES)


def test_queue_files_come_and_go_with_what_waits_and_are_private(written: Path, tmp_path: Path) -> None:
    queues = ("owner", "review", "remediation", "decision", "duplicate", "conflict", "parent")
    assert {path.name for path in written.iterdir()} == {f"{queue}.{suffix}" for queue in queues for suffix in ("csv", "xlsx")}
    assert {path.stat().st_mode & 0o777 for path in written.iterdir()} == {0o600}
    (row,) = read_csv(written / "conflict.csv")
    assert (row["Number in the CRM"], row["Record that stayed"]) == ("901", "12")
    write_queues(replace(TABLES, rows=(REFUND,), owners=(), words=(), pairs=(), left=()), written, tmp_path / "memory.json")
    assert sorted(path.name for path in written.iterdir()) == ["review.csv", "review.xlsx"]


def test_a_file_that_somebody_filled_in_is_kept_until_it_was_taken(written: Path, tmp_path: Path) -> None:
    path = fill_csv(written / "owner.csv", lambda row: {"user who takes over": "ann@example.com"})
    filled = path.read_bytes()
    write_queues(TABLES, written, tmp_path / "memory.json", is_look=True)
    assert path.read_bytes() == filled, "a look changes no file that somebody works in"
    write_queues(TABLES, written, tmp_path / "memory.json")
    assert (written / "owner.answered-1.csv").read_bytes() == filled
    fill_csv(path, lambda row: {"user who takes over": "ann@example.com"})
    forget_files([path], tmp_path / "memory.json")
    write_queues(TABLES, written, tmp_path / "memory.json")
    assert not (written / "owner.answered-2.csv").exists()


def test_a_file_is_kept_when_nobody_remembers_what_was_written(written: Path, tmp_path: Path) -> None:
    filled = fill_csv(written / "review.csv", lambda row: {"belongs to sale": "60"}).read_bytes()
    (tmp_path / "memory.json").unlink()
    write_queues(TABLES, written, tmp_path / "memory.json", is_look=True)
    assert (written / "review.csv").read_bytes() == filled
    (tmp_path / "memory.json").unlink()
    write_queues(TABLES, written, tmp_path / "memory.json")
    assert (written / "review.answered-1.csv").read_bytes() == filled


@pytest.mark.parametrize("fill", [fill_book, fill_csv])
def test_a_conflict_shows_both_values_and_comes_back_with_a_side(tmp_path: Path, fill: type[object]) -> None:
    name = Question("custom.Level", "edited_in_destination", "Gold", ["Silver", "Old"], "Gold", asked="a1", over="b1")
    waits = RowLine("conflict", "contacts", "leads.csv", "001", 8, "14", "several_existing")
    tables = replace(TABLES, rows=(*TABLES.rows, waits), conflicts=(ConflictLine("people", "12", "901", name),))
    write_queues(tables, tmp_path / "queues", tmp_path / "memory.json")
    path = tmp_path / "queues" / f"conflict.{'xlsx' if fill is fill_book else 'csv'}"
    shown = next(row for row in read_csv(tmp_path / "queues" / "conflict.csv") if row["Field"])
    assert (shown["What the export says (ours)"], shown["What the CRM has (theirs)"]) == ("Gold", "Silver; Old")
    untouched = judge(tables, read_answers(path, HEADINGS, tables), (), ())
    assert (untouched.is_empty, untouched.problems, untouched.skipped, untouched.unanswered) == (True, [], [], 2)
    fill(
        path,
        lambda row: (
            {"which counts": "theirs"} if row.get("field") else {"leave behind, because": "both are old"} if row.get("export") else None
        ),
    )
    found = judge(tables, read_answers(path, HEADINGS, tables), (), ())
    assert (found.conflicts, found.problems) == ({"people": {"12": {"custom.Level": name.taken("theirs")}}}, [])
    assert found.left_behind == {"contacts": {"14": "both are old"}}


@pytest.mark.parametrize("fill", [fill_book, fill_csv])
def test_rows_are_named_as_a_spreadsheet_shows_them_and_come_back_as_the_rows_that_they_are(written: Path, fill: type[object]) -> None:
    path = written / f"remediation.{'xlsx' if fill is fill_book else 'csv'}"
    seen: list[str] = []
    fill(path, lambda row: seen.append(row["row in a spreadsheet"]) or {"email" if row["source record"] else "id": "ann@example.org"})  # type: ignore[func-returns-value]
    assert seen == [str(CONTACT.row + 1), str(BROKEN.row + 1)]
    found = judge(TABLES, read_answers(path, HEADINGS, TABLES), (), ())
    assert (found.problems, found.skipped) == ([], [])
    assert [(fix.chunk, fix.row) for fix, _ in found.fixes] == [("001", CONTACT.row), ("002", BROKEN.row)]


def test_a_file_of_an_earlier_version_that_counts_without_the_heading_is_taken_still(written: Path) -> None:
    rows = read_csv(written / "remediation.csv")
    old = [{**row, "Export row": str(int(row["Row in a spreadsheet"]) - 1), "Email": "ann@example.org"} for row in rows[:1]]
    with (written / "remediation.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(old[0]))
        writer.writeheader()
        writer.writerows(old)
    found = judge(TABLES, read_answers(written / "remediation.csv", HEADINGS, TABLES), (), ())
    assert [(fix.chunk, fix.row) for fix, _ in found.fixes] == [("001", CONTACT.row)]


def test_answers_stand_beside_the_reason_and_the_cells_of_the_export_are_not_printed(written: Path) -> None:
    page = openpyxl.load_workbook(written / "review.xlsx")["sales"]
    shown = [str(cell.value) for cell in page[3] if not page.column_dimensions[cell.column_letter].hidden]
    after = shown.index("Why it waits")
    assert shown[after : after + 4] == ["Why it waits", "What to do", "Leave behind, because", "Belongs to sale"]
    cells = [cell.column_letter for cell in page[3] if cell.value in HEADINGS["sales"]]
    assert [page.column_dimensions[letter].outlineLevel for letter in cells] == [1, 1]
    last = page.cell(3, [cell.column_letter for cell in page[3]].index(cells[0])).column_letter
    assert page.print_area == f"'sales'!$A$1:${last}$4"
    assert (page.page_setup.orientation, page.page_setup.fitToWidth, page.page_setup.fitToHeight) == ("landscape", 1, 0)


def test_a_clients_file_holds_no_command_line(written: Path) -> None:
    for path in written.glob("*.xlsx"):
        texts = [str(cell.value) for page in openpyxl.load_workbook(path) for row in page.iter_rows() for cell in row]
        assert not [text for text in texts if "crm queue" in text or "--by" in text]
