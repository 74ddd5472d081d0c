"""The count of physical rows: small tables, and agreement with the reader on anything hypothesis can think of."""

from __future__ import annotations

import ast
import csv
import io
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_pipelines.sources import rowcount
from crm_pipelines.sources.base import ReadSettings
from crm_pipelines.sources.csv_export import read_export
from crm_pipelines.sources.rowcount import PhysicalCount, count_physical_rows
from crm_pipelines_tests.unit.sources.staging import KARTRA


@pytest.mark.parametrize(
    ("text", "rows", "blank"),
    [
        ("", 0, 0),
        ("id,email", 0, 0),
        ("id,email\n", 0, 0),
        ("id,email\n1,a\n", 1, 0),
        ("id,email\n1,a", 1, 0),
        ("id,email\r1,a\r2,b\r", 2, 0),
        ("id,email\r\n1,a\r\n\r\n", 2, 1),
        ('id,email\n1,"a\nb"\n2,c\n', 2, 0),
        ('id,email\n1,"a ""x""\n"\n2,c\n', 2, 0),
        ('id,email\n1,"a\n2,b\n', 1, 0),
        ('id,email\n1,"a"x\n2,b\n', 2, 0),
        ('id,email\n1,5" x\n2,b\n', 2, 0),
        ('id,email\n,\n" ",""\n"""",\n', 3, 2),
        ("sep=;\nid;email\n1;a\n", 1, 0),
        ("\n\nid,email\n1,a\n", 3, 2),
    ],
)
def test_rows_and_blanks(tmp_path: Path, text: str, rows: int, blank: int) -> None:
    path = tmp_path / "export.csv"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path.write_bytes(text.encode(encoding))
        assert count_physical_rows(path) == PhysicalCount(rows, blank)


def test_shares_no_code_with_the_reader() -> None:
    source = Path(str(rowcount.__file__)).read_text()
    imported = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert imported == {"__future__", "collections.abc", "dataclasses", "pathlib", "typing"}


PIECES = st.sampled_from(
    ["1", "a", "é", " ", ",", ",", '"', '"', '""', "\n", "\r\n", "\r", "\\", '\\"', ";", "\t", "\u00a0", "\x0c", "\u2028"]
)
CELLS = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff") | st.sampled_from('\n\r\t"'), max_size=8)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.lists(PIECES, max_size=40), ends=st.booleans())
def test_reader_and_counter_agree_on_any_text(tmp_path: Path, body: list[str], ends: bool) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(("id,email\n" + "".join(body) + ("\n" if ends else "")).encode())
    export = read_export(path, KARTRA.objects["contacts"], ReadSettings())
    counted = count_physical_rows(path)
    assert counted.rows == export.frame.height + len(export.scan.bad_lines) + export.scan.blank_rows
    assert counted.blank == export.scan.blank_rows


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.lists(PIECES, max_size=40), window=st.integers(8, 20))
def test_the_count_is_the_same_however_little_is_read_at_a_time(tmp_path: Path, body: list[str], window: int) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(("id,email\n" + "".join(body)).encode())
    whole = count_physical_rows(path)
    with mock.patch.object(rowcount, "WINDOW", window):
        assert count_physical_rows(path) == whole


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6), delimiter=st.sampled_from(",;\t"))
def test_what_a_csv_writer_wrote_comes_back(tmp_path: Path, cells: list[tuple[str, str]], delimiter: str) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("id", "email"), *cells])
    path = tmp_path / "export.csv"
    path.write_bytes(out.getvalue().encode())
    export = read_export(path, KARTRA.objects["contacts"], ReadSettings(delimiter=delimiter))
    assert export.scan.bad_lines == []
    assert export.frame.select("id", "email").rows() == [(one or None, other or None) for one, other in cells if (one + other).strip()]
