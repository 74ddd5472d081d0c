"""The schema that editors use: it accepts the route and marks what the product would refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from crm_pipelines.spec.editor import editor_schema
from crm_pipelines_tests.lib.spec_text import ROUTE, route_text

VALIDATOR = jsonschema.Draft202012Validator(editor_schema())


def errors_of(text: str) -> list[str]:
    data: Any = yaml.safe_load(text)
    return [error.message for error in VALIDATOR.iter_errors(data)]


def test_the_route_is_valid_and_names_the_schema_beside_it() -> None:
    assert errors_of(route_text()) == []
    first = route_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=mapping_spec.schema.json"
    assert (ROUTE.parent / "mapping_spec.schema.json").exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rule: html_note", "rule: html_nte"),
        ("existing: fill_empty", "existing: fill_emty"),
        ("send_once: add_time", "sent_once: add_time"),
        ("question: How should Kartra lists arrive?", "question: 7"),
    ],
)
def test_mistakes_are_marked_while_writing(before: str, after: str) -> None:
    assert errors_of(route_text((before, after)))


def test_short_forms_are_accepted() -> None:
    short = (
        (
            'waiting_max: {limit: 10 %, why: "Bookings name their guest by e-mail only, and guests book with other addresses."}',
            "waiting_max: 10 %",
        ),
        ("home_of: calendars", "home_of: [calendars]"),
    )
    assert errors_of(route_text(*short)) == []


def test_what_is_generated_is_committed() -> None:
    import json

    stored = Path(ROUTE.parent / "mapping_spec.schema.json").read_text("utf-8")
    assert json.loads(stored) == editor_schema()
