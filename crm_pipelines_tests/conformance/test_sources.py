"""What every source must keep to, shown on the fixture files in crm_pipelines_tests/fixtures/<source>/.

A new source joins by its registry line and a folder of fixtures; none of these tests names a vendor.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from crm_pipelines.errors import SourceError
from crm_pipelines.phases.stage import read_sidecar, read_staged, stage_file, write_staged
from crm_pipelines.sources import SOURCES, load_source
from crm_pipelines.sources.base import LINE, ROW, SourceObject, StagedChunk
from crm_pipelines.sources.typed import DTYPES
from crm_pipelines.spec.headings import normalise_heading

FIXTURES = Path(__file__).parents[1] / "fixtures"
OBJECTS = [(name, contract) for name in SOURCES for contract in load_source(name).objects.values()]
FILES = [(name, path) for name in SOURCES for path in sorted((FIXTURES / name).glob("*.csv"))]

each_object = pytest.mark.parametrize(("source", "contract"), OBJECTS, ids=[f"{name}-{one.name}" for name, one in OBJECTS])
each_file = pytest.mark.parametrize(("source", "path"), FILES, ids=[f"{name}-{path.stem.split('_')[0]}" for name, path in FILES])


@cache
def staged(source: str, path: Path) -> StagedChunk:
    name = load_source(source).object_of(path.name)
    assert name is not None
    return stage_file(load_source(source), name, path)


def restaged(source: str, object_name: str, path: Path, content: bytes) -> StagedChunk:
    path.write_bytes(content)
    return stage_file(load_source(source), object_name, path)


@pytest.mark.parametrize("source", SOURCES)
def test_every_object_has_a_fixture(source: str) -> None:
    loaded = load_source(source)
    assert loaded.name == source
    held = {loaded.object_of(path.name) for name, path in FILES if name == source}
    assert held == set(loaded.objects)


@each_object
def test_contract_is_sound(source: str, contract: SourceObject) -> None:
    names = [column.name for column in contract.columns]
    assert len(names) == len(set(names))
    assert contract.key in names
    assert contract.column(contract.key).required
    assert [name for name in names if normalise_heading(name) != name or name.startswith(("_", "raw_"))] == []
    assert {column.zone_column for column in contract.columns} - {None} <= set(names)
    assert [column.pattern for column in contract.columns if column.pattern and re.compile(column.pattern).groups > 1] == []


@each_object
def test_no_heading_stands_for_two_columns(source: str, contract: SourceObject) -> None:
    spellings = [{normalise_heading(text) for text in (column.name, *column.aliases)} for column in contract.columns]
    assert [text for text, count in Counter(text for known in spellings for text in known).items() if count > 1] == []


@each_object
def test_inventories_name_a_column_of_the_source(source: str, contract: SourceObject) -> None:
    for column in contract.columns:
        if column.inventory:
            lister, _, listed = column.inventory.partition(".")
            assert load_source(source).objects[lister].column(listed)


@each_file
def test_every_row_is_in_the_frame_bad_or_blank(source: str, path: Path) -> None:
    chunk = staged(source, path)
    assert chunk.adds_up
    assert chunk.frame.height > 0
    rows = [*chunk.frame[ROW], *(bad.row for bad in chunk.bad_lines)]
    assert len(rows) == len(set(rows))
    assert max(rows) <= chunk.physical_rows


@each_file
def test_columns_have_the_types_of_the_contract(source: str, path: Path) -> None:
    chunk = staged(source, path)
    contract = load_source(source).objects[chunk.object]
    expected = {column.name: DTYPES[column.type] for column in contract.columns}
    found = {name: dtype for name, dtype in chunk.frame.schema.items() if name in expected}
    assert found == {name: expected[name] for name in found}
    others = set(chunk.frame.columns) - set(found) - {ROW, LINE}
    assert {chunk.frame.schema[name] for name in others} <= {pl.String()}
    assert chunk.frame.columns[:2] == [ROW, LINE]
    assert chunk.frame[contract.key].null_count() == 0


@each_file
def test_every_heading_is_accounted_for(source: str, path: Path) -> None:
    chunk = staged(source, path)
    for heading in chunk.headings:
        assert heading.column in chunk.frame.columns
        assert heading.canonical in (heading.column, None)


@each_file
def test_cell_errors_name_rows_columns_and_reasons_only(source: str, path: Path) -> None:
    chunk = staged(source, path)
    assert dict(chunk.cell_errors.schema) == {"row": pl.Int64(), "line": pl.Int64(), "column": pl.String(), "reason": pl.String()}
    assert set(chunk.cell_errors["row"]) <= set(chunk.frame[ROW])


@each_file
def test_what_is_written_comes_back(source: str, path: Path, tmp_path: Path) -> None:
    chunk = staged(source, path)
    write_staged(chunk, tmp_path, "001-0001-x-00000000")
    back = read_staged(tmp_path, chunk.object, ["001-0001-x-00000000"])
    assert_frame_equal(back.drop("_chunk"), chunk.frame)
    told = read_sidecar(tmp_path, chunk.object, "001-0001-x-00000000")
    assert told["physical_rows"] == told["good_rows"] + told["quarantined_rows"] + told["blank_rows"]


@each_file
@pytest.mark.parametrize("dialect", [(",", "\n", "utf-8"), (";", "\r\n", "utf-8-sig"), ("\t", "\r", "utf-8"), (",", "\r\n", "utf-16")])
def test_the_dialect_of_a_file_changes_nothing(source: str, path: Path, tmp_path: Path, dialect: tuple[str, str, str]) -> None:
    chunk = staged(source, path)
    delimiter, line_end, encoding = dialect
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(records(path, chunk))
    again = restaged(source, chunk.object, tmp_path / path.name, out.getvalue().encode(encoding))
    assert_frame_equal(again.frame.drop(LINE), chunk.frame.drop(LINE))
    assert [(bad.row, bad.reason) for bad in again.bad_lines] == [(bad.row, bad.reason) for bad in chunk.bad_lines]


@each_file
def test_the_order_of_columns_changes_nothing(source: str, path: Path, tmp_path: Path) -> None:
    chunk = staged(source, path)
    out = io.StringIO(newline="")
    csv.writer(out).writerows(row[::-1] for row in records(path, chunk))
    again = restaged(source, chunk.object, tmp_path / path.name, out.getvalue().encode())
    columns = sorted(set(chunk.frame.columns) - {LINE})
    assert_frame_equal(again.frame.select(columns), chunk.frame.select(columns))


@each_file
def test_a_file_cut_off_anywhere_never_invents_a_row(source: str, path: Path, tmp_path: Path) -> None:
    """Cut the file at many places: a clear error, or rows of the whole file, with only the last one in question."""
    whole = staged(source, path)
    data = path.read_bytes()
    keys = whole.frame[load_source(source).objects[whole.object].key].to_list()
    for end in range(1, len(data), max(1, len(data) // 25)):
        try:
            cut = restaged(source, whole.object, tmp_path / path.name, data[:end])
        except SourceError:
            continue
        assert cut.adds_up
        found = cut.frame[load_source(source).objects[whole.object].key].to_list()
        assert found[:-1] == keys[: max(0, len(found) - 1)]


def records(path: Path, chunk: StagedChunk) -> list[list[str]]:
    """Read a fixture with the csv module alone."""
    text = path.read_bytes().decode(chunk.encoding).lstrip("\ufeff")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=chunk.delimiter))
    return rows[1:] if rows[0][0].startswith("sep=") else rows
