"""A real spreadsheet program opens the workbook and saves it again: nothing changes, nothing runs, the drop-downs are still there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from crm_pipelines.reports.sheets import Column, Sheet, read_book, write_book
from crm_pipelines.reports.workbook import read_decided, write_material
from crm_pipelines.reports.workbook_layout import LAYOUT
from crm_pipelines_tests.unit.reports.material import ROUTES, a_field, decided, material, person_phase, route
from crm_pipelines_tests.unit.reports.test_sheets import COLUMNS, ODD_TEXTS

pytestmark = pytest.mark.libreoffice
CONVERT_TIMEOUT_S = 120
CELLS_WITH_FORMULA = re.compile(r"<f[ >/]")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `in` as it was written and the same files as LibreOffice saved them, in `out`; without it the test says so."""
    program = shutil.which("soffice")
    if program is None:
        if os.environ.get("CRM_REQUIRE_LIBREOFFICE") == "1":
            pytest.fail("CRM_REQUIRE_LIBREOFFICE=1, but there is no soffice", pytrace=False)
        pytest.skip("NOT TESTED WITH LIBREOFFICE: there is no soffice")
    folder = tmp_path_factory.mktemp("libreoffice")
    files = _write(folder / "in")
    home = f"-env:UserInstallation=file://{folder}/home"
    command = [program, home, "--headless", "--convert-to", "xlsx", "--outdir", str(folder / "out"), *map(str, files)]
    subprocess.run(command, check=True, capture_output=True, timeout=CONVERT_TIMEOUT_S)
    return folder


def _write(folder: Path) -> list[Path]:
    rows = [{"key": f"k{number}", "rows": number, "text": text, "choice": "=later"} for number, text in enumerate(ODD_TEXTS)]
    options = tuple(f"option number {number}, with a comma" for number in range(300))
    long = Sheet("Long list", (Column("choice", "Choice", editable=True, choices=options),), [{"choice": options[-1]}])
    files = [write_book(folder / "odd.xlsx", [Sheet("One", COLUMNS, rows, intro="=1+1"), long])]
    for name in ROUTES:
        spec, destination = route(name)
        phase = person_phase(spec)
        client = decided(phase, a_field(destination, phase))
        files.append(write_material(folder / f"{name}.xlsx", material(name, client=client, answers={"owners": "queue_rows"})))
    return files


@pytest.mark.parametrize("name", ROUTES)
def test_a_saved_workbook_says_the_same(saved: Path, name: str) -> None:
    spec, destination = route(name)
    before, after = (read_decided(saved / folder / f"{name}.xlsx", spec, destination, engagement="acme") for folder in ("in", "out"))
    assert after == before
    assert after[1].same, "the comparison is about something"


def test_every_text_is_still_the_text_and_no_formula(saved: Path) -> None:
    rows = read_book(saved / "out" / "odd.xlsx", {"One": COLUMNS}, others_ok=["Long list"])["One"]
    assert [row.text("text") for row in rows] == list(ODD_TEXTS)
    for file in (saved / "out").iterdir():
        assert [name for name, page in _pages(file).items() if CELLS_WITH_FORMULA.search(page)] == []


def test_drop_downs_locks_and_hidden_sheets_are_still_there(saved: Path) -> None:
    for file in (saved / "out").iterdir():
        before, after = _pages(saved / "in" / file.name), _pages(file)
        assert {name: _kept(page) for name, page in after.items()} == {name: _kept(page) for name, page in before.items()}
        assert _hidden(file) == _hidden(saved / "in" / file.name)
    assert re.search(r"<formula1>'?_lists'?!\$B\$1:\$B\$300</formula1>", "".join(_pages(saved / "out" / "odd.xlsx").values()))
    assert sum(page.count("<dataValidation ") for page in _pages(saved / "out" / f"{ROUTES[0]}.xlsx").values()) > len(LAYOUT)


def _kept(page: str) -> tuple[int, bool]:
    """Return how many cells have a drop-down and whether the sheet is protected (frozen rows need a window; headless there is none)."""
    ranges = re.findall(r'<dataValidation [^>]*sqref="([^"]*)"', page)
    return sum(_cells(area) for areas in ranges for area in areas.split()), re.search(
        r'<sheetProtection [^>]*sheet="(1|true)"', page
    ) is not None


def _cells(area: str) -> int:
    numbers = [int(number) for number in re.findall(r"[0-9]+", area)]
    return numbers[-1] - numbers[0] + 1


def _pages(file: Path) -> dict[str, str]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/sheet")}


def _hidden(file: Path) -> set[str]:
    with zipfile.ZipFile(file) as archive:
        book = archive.read("xl/workbook.xml").decode()
    return {match[0] for match in re.findall(r'<sheet [^>]*name="([^"]*)"[^>]*state="(hidden|veryHidden)"', book)}
