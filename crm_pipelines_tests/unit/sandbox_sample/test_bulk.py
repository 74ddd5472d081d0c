"""The fast path for benchmarks: many plain contacts."""

from __future__ import annotations

from pathlib import Path

from crm_pipelines.sandbox.sample import generate_contacts_only
from crm_pipelines_tests.unit.sandbox_sample.reading import count_rows, rows_of, text_of


def test_rows_are_spread_over_the_files_each_once(tmp_path: Path) -> None:
    paths = generate_contacts_only(10_001, 3, tmp_path / "a")
    rows = [row for path in paths for row in rows_of(path)]
    assert [count_rows(text_of(path)) for path in paths] == [3334, 3334, 3333]
    assert len({row["id"] for row in rows}) == len({row["email"] for row in rows}) == 10_001
    assert len({path.name for path in paths}) == 3
    again = generate_contacts_only(10_001, 3, tmp_path / "b")
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]
