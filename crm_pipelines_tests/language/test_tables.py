"""Every row of every table, on polars and on the oracle."""

from __future__ import annotations

import inspect
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest
import yaml

from crm_pipelines.spec.rules import Rule, load_rules
from crm_pipelines_tests.lib.oracle import ORACLE
from crm_pipelines_tests.lib.table import Table, read_cell, read_tables

TABLES = read_tables()
IDS = [f"{table.rule}-{number}" for number, table in enumerate(TABLES)]


def expected(written: str, rule: Rule) -> Any:
    if rule.gives == "address":
        return yaml.safe_load(written) if written else None
    return read_cell(written, rule.gives)


def plain(value: Any) -> Any:
    """Drop the empty parts of a record, as they leave no key in a payload."""
    if isinstance(value, dict):
        return {name: part for name, part in value.items() if part is not None} or None
    return value


def on_polars(table: Table, rule: Rule) -> list[Any]:
    zone = {"zone": table.zone} if rule.needs_zone else {}
    result = table.inputs().select(rule.apply(*(pl.col(name) for name, _ in table.columns), **table.settings, **zone).alias("result"))
    return [plain(value) for value in result["result"].to_list()]


@pytest.mark.parametrize("table", TABLES, ids=IDS)
def test_polars_gives_what_the_table_says(table: Table) -> None:
    rule = load_rules()[table.rule]
    wanted = [expected(row[-1], rule) for row in table.rows]
    assert on_polars(table, rule) == wanted


@pytest.mark.parametrize("table", TABLES, ids=IDS)
def test_the_oracle_gives_what_the_table_says(table: Table) -> None:
    rule = load_rules()[table.rule]
    zone = {"zone": table.zone} if rule.needs_zone else {}
    for cells, written in table.values():
        assert ORACLE[table.rule](*cells, **table.settings, **zone) == expected(written, rule), cells


def test_every_rule_has_a_table_and_an_oracle() -> None:
    assert set(load_rules()) == {table.rule for table in TABLES} == set(ORACLE)


@pytest.mark.parametrize("name", sorted(load_rules()))
def test_every_rule_is_described_for_a_client(name: str) -> None:
    rule = load_rules()[name]
    assert rule.summary.endswith(".")
    assert inspect.getmodule(ORACLE[name]) is not inspect.getmodule(rule.apply)


def test_cells_are_read_as_written() -> None:
    assert read_cell("␣a⏎b⇥", "text") == " a\nb\t"
    assert read_cell("[a; b]", "texts") == ["a", "b"]
    assert read_cell("[]", "texts") == []
    assert read_cell("2025-08-14", "date") == date(2025, 8, 14)
    assert read_cell("2025-08-14T00:00:00Z", "datetime") == datetime.fromisoformat("2025-08-14T00:00:00+00:00")
