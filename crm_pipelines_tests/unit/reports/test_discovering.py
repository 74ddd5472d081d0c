"""What `crm discover`, `propose` and `decide` say on a terminal."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from crm_pipelines.discovery.assemble import assemble
from crm_pipelines.discovery.proposing import propose
from crm_pipelines.discovery.undecided import Undecided
from crm_pipelines.reports.discovering import show_decided
from crm_pipelines.reports.sheets import Cell
from crm_pipelines.reports.workbook_material import Material
from crm_pipelines.reports.workbook_pages import start_sheet
from crm_pipelines.reports.workbook_picks import Picks
from crm_pipelines.reports.workbook_rows import column_rows
from crm_pipelines_tests.lib.opened import written
from crm_pipelines_tests.unit.reports.material import material


def shown(show: Any, told: dict[str, Any]) -> str:
    out = io.StringIO()
    show(Console(file=out, width=160), told)
    return out.getvalue()


def decided(columns: tuple[str, ...] = (), words: dict[str, int] | None = None, **more: Any) -> dict[str, Any]:
    left = Undecided(columns, words or {}).as_dict()
    return {"engagement": "acme", "changed": [], "questions": [], "undecided": left, "room": "", **more}


@pytest.mark.parametrize(("columns", "words"), [(("contacts: Hobby",), {}), ((), {"contacts.status": 2})])
def test_nothing_is_called_settled_while_columns_or_words_are_open(columns: tuple[str, ...], words: dict[str, int]) -> None:
    told = shown(show_decided, decided(columns, words))
    assert "Nothing is open" not in told
    assert "Not decided: " in told
    assert "Look at `crm plan acme`, then confirm." in told
    assert "Nothing is open. Look at `crm plan acme`, then confirm." in shown(show_decided, decided())


def test_a_question_without_an_answer_comes_before_columns_without_a_place() -> None:
    told = shown(show_decided, decided(("contacts: Hobby",), questions=["owners"]))
    assert "Still open, before anything can be confirmed: owners" in told
    assert "1 column with content stays behind, because nobody said where to (contacts: Hobby)." in told
    assert "then confirm" not in told


def test_a_map_that_the_plan_cannot_hold_is_never_called_settled() -> None:
    told = shown(show_decided, decided(room="The lite plan allows 30 custom fields: 2 too many."))
    assert "2 too many" in told
    assert "Nothing is open" not in told


def test_a_warning_stands_on_the_first_page_of_the_workbook() -> None:
    rows = {row.get("what"): row.get("told") for row in start_sheet(material(), [], "Too little room.").rows}
    assert rows["Too many fields"] == Cell("Too little room.", state="open")
    assert "Too many fields" not in {row.get("what") for row in start_sheet(material(), []).rows}


def test_a_second_column_of_one_heading_shows_what_is_in_it_and_which_it_is(tmp_path: Path) -> None:
    rows = "".join(f"{n},c{n}@example.com,{n}0,blau{n % 2}\n" for n in range(18))
    project = written(tmp_path, [("contacts_1.csv", f"id,email,Größe,Größe\n{rows}")])
    found = assemble(project, None, {}, None, made_at=datetime.now(UTC))
    shown = Material.of(propose(project, None), found, project)
    first, second = column_rows(shown, Picks(shown))
    assert (first["heading"], first["filled"]) == ("Größe", "100%")
    assert (second["filled"], second["examples"]) == ("100%", "(column 2 of those headed “Größe”)\nblau0\nblau1")
