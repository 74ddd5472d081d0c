"""What a contract can say that no Kartra export needs yet: calendar days, columns that are only reported, fixed patterns."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from crm_pipelines.errors import SourceError
from crm_pipelines.sources.base import Column, ReadSettings, SourceObject
from crm_pipelines.sources.csv_export import read_export
from crm_pipelines.sources.typed import TypedExport, type_columns

PEOPLE = SourceObject(
    name="people",
    key="key",
    file_patterns=("people*",),
    extra_columns="report",
    columns=(Column("key", "text", required=True), Column("born", "date", ("birthday",))),
)


def read(folder: Path, text: str, **settings: object) -> tuple[TypedExport, tuple[str, ...]]:
    path = folder / "people.csv"
    path.write_text(text)
    declared = ReadSettings(**settings)  # type: ignore[arg-type]
    export = read_export(path, PEOPLE, declared)
    return type_columns(export, PEOPLE, declared), export.warnings


def test_unknown_columns_are_only_reported(tmp_path: Path) -> None:
    typed, warnings = read(tmp_path, "key,colour,birthday\na,red,1990-02-22\n")
    assert typed.frame.columns == ["_row", "_line", "key", "born"]
    assert any("not kept: colour" in warning for warning in warnings)


def test_a_day_is_no_moment(tmp_path: Path) -> None:
    typed, _ = read(tmp_path, "key,birthday\na,1990-02-22\nb,1990-02-22T21:00:00Z\nc,22-02-1990\nd,0000-00-00\ne,soon\n")
    assert typed.frame["born"].to_list() == [date(1990, 2, 22), date(1990, 2, 22), date(1990, 2, 22), None, None]
    assert typed.cell_errors.select("row", "reason").rows() == [(5, "not_a_date")]


def test_a_day_that_reads_two_ways_must_be_declared(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"people.csv: every date of column born"):
        read(tmp_path, "key,born\na,03/04/1990\n")
    typed, _ = read(tmp_path, "key,born\na,03/04/1990\n", date_order="dmy")
    assert typed.frame["born"].to_list() == [date(1990, 4, 3)]
