"""Several exports of the source's list of custom fields: one field each, by the newest."""

from __future__ import annotations

from typing import Any

import pytest

from crm_pipelines.spec.field_lists import joined
from crm_pipelines.spec.parse import parse
from crm_pipelines_tests.lib.spec_text import compiled_route, route_text

NODE = parse(route_text()).spec.phases["people"].custom_fields_from
assert NODE is not None


def row(name: str, kind: str = "drop_down", options: Any = None, ids: Any = None) -> dict[str, Any]:
    return {"field_identifier": name, "field_type": kind, "options": options, "option_ids": ids}


def both(older: list[dict[str, Any]], newer: list[dict[str, Any]]) -> list[dict[str, Any]]:
    assert NODE is not None
    return joined([older, newer], NODE)


def test_a_newer_list_describes_the_same_fields_and_makes_no_second_ones() -> None:
    rows = both(
        [row("region", options=["North"]), row("hat", "input_field")], [row("Region", options=["South"]), row("cat", "input_field")]
    )
    assert [each["field_identifier"] for each in rows] == ["Region", "hat", "cat"]
    fields = {field.name: field.options for field in compiled_route(rows).phases["people"].fields if field.name in ("Region", "hat", "cat")}
    assert fields == {"Region": ("South", "North"), "hat": (), "cat": ()}
    assert not any("(custom)" in field.name for field in compiled_route(rows).phases["people"].fields)


@pytest.mark.parametrize(
    ("older", "newer", "options", "ids"),
    [
        ((["N", "E"], ["1", "2"]), (["N", "S"], ["1", "3"]), ["N", "S", "E"], ["1", "3", "2"]),
        ((["Nord"], ["1"]), (["North"], ["1"]), ["North", "Nord"], ["1", "Nord"]),  # the id is the renamed option's
        ((["N", "E"], None), (["N"], ["1"]), ["N", "E"], ["1", "E"]),
        ((["N", "E"], ["1", "2"]), (["n"], None), ["n", "E"], None),
        ((["N"], ["1"]), (None, None), ["N"], ["1"]),
    ],
)
def test_options_that_only_an_older_list_knows_stay_for_older_records_hold_them(older: Any, newer: Any, options: Any, ids: Any) -> None:
    (each,) = both([row("region", "drop_down", *older)], [row("region", "Drop_Down", *newer)])
    assert (each["options"], each["option_ids"]) == (options, ids)


def test_a_field_of_another_type_is_as_the_newest_list_says() -> None:
    assert both([row("region", options=["North"])], [row("region", "input_field")]) == [row("region", "input_field")]


def test_two_rows_of_one_list_are_two_fields() -> None:
    rows = [row("region", "input_field"), row("Region", "text_area")]
    assert both(rows, rows) == rows
