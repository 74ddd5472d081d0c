"""Names there and back: what reads as a name has to write back as the same record."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from crm_pipelines.destinations.odoo.names import Names
from crm_pipelines.errors import SettingsError
from crm_pipelines_tests.unit.destinations.odoo.test_shape import DESCRIBED, SCHEMA


def _names(**labels: str) -> Names:
    changed: Any = SimpleNamespace(**{**vars(DESCRIBED), "schema": replace(SCHEMA, labels={"people": labels})})
    return Names(changed)


@pytest.mark.parametrize("labels", [{"VIP": "1", "vip": "2"}, {"vip": "2", "VIP": "1"}])
def test_categories_that_differ_in_case_alone_stay_two(labels: dict[str, str]) -> None:
    names = _names(**labels)
    assert [names.label_id("people", names.label_name("people", number)) for number in (1, 2)] == [1, 2]


@pytest.mark.parametrize("labels", [{"VIP": "1", "vip": "2"}, {"vip": "2", "VIP": "1"}])
def test_another_spelling_means_the_oldest_category(labels: dict[str, str]) -> None:
    assert _names(**labels).label_id("people", "Vip") == 1


def test_a_category_made_since_the_description_reads_and_writes_as_itself() -> None:
    names = _names(VIP="1")
    assert names.label_id("people", names.label_name("people", 2024)) == 2024


def test_a_missing_category_named_by_a_number_is_no_database_id() -> None:
    with pytest.raises(SettingsError, match="a category of the map is missing"):
        _names(VIP="1").label_id("people", "2024")
    assert _names(**{"2024": "7", "#5": "8"}).label_id("people", "2024") == 7
    assert _names(**{"2024": "7", "#5": "8"}).label_id("people", "#5") == 8
