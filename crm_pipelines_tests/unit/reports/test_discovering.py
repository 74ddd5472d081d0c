"""What `crm discover`, `propose` and `decide` say on a terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from crm_pipelines.discovery.undecided import Undecided
from crm_pipelines.reports.discovering import show_decided


def shown(show: Any, told: dict[str, Any]) -> str:
    out = io.StringIO()
    show(Console(file=out, width=160), told)
    return out.getvalue()


def decided(columns: tuple[str, ...] = (), words: dict[str, int] | None = None, **more: Any) -> dict[str, Any]:
    left = Undecided(columns, words or {}).as_dict()
    return {"engagement": "acme", "changed": [], "questions": [], "undecided": left, **more}


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
