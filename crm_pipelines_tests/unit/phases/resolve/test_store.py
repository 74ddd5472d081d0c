"""Resolved frames on disk: private, whole or in parts, and the same either way."""

from __future__ import annotations

import stat
from pathlib import Path

import polars as pl
import pytest

from crm_pipelines.errors import SettingsError
from crm_pipelines.phases.resolve import (
    ChunkFrame,
    StagedObject,
    contacts,
    fold,
    read_resolved,
    resolve_into,
    resolved_slices,
    scan_resolved,
    values,
    write_resolved,
)
from crm_pipelines.phases.resolve.fold import Held
from crm_pipelines.phases.resolve.store import PartWriter
from crm_pipelines_tests.lib.staged_objects import DEFAULTS, as_rows, derive_spec, resolved, staged

FILES = [
    [
        {"id": str(n), "email": f"C{n % 9}@example.com" if n < 12 else f"c{n}@example.com", "company": f"Co {n % 4}", "tags": ["VIP"]}
        for n in range(30)
    ],
    [{"id": str(n), "email": f"c{n}@example.com", "tags": ["vip", "new"], "owner": "o@example.com"} for n in range(20, 50)],
]
SALES = [{"id": "100", "transaction_type": "Sale", "lead_id": "5", "product": "Gold"}]


def test_frames_fates_and_counts_are_private_files(tmp_path: Path) -> None:
    result = resolved(staged("contacts", *FILES), staged("transactions", SALES))
    write_resolved(result, tmp_path)
    write_resolved(result, tmp_path)
    written = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    assert read_resolved(tmp_path, "contacts").equals(result.frames["contacts"])
    assert read_resolved(tmp_path, "fates/transactions").equals(result.fates["transactions"])


def test_a_frame_that_is_not_there_is_asked_for_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="contacts is not resolved yet"):
        read_resolved(tmp_path, "contacts")


def test_a_streamed_fold_of_files_gives_the_same_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "BATCH_ROWS", 7)
    objects = [staged("contacts", *FILES), staged("transactions", SALES)]
    on_disk = {one.name: StagedObject(one.name, [_on_disk(part, tmp_path) for part in one.frames]) for one in objects}
    out = tmp_path / "resolved"
    resolve_into(out, derive_spec(), {**DEFAULTS, "companyless": "single_person"}, on_disk)
    whole = resolved(*objects, companyless="single_person")
    for name, frame in whole.frames.items():
        assert (
            scan_resolved(out, name)
            .collect()
            .sort("key")
            .equals(frame.select(scan_resolved(out, name).collect_schema().names()).sort("key"))
        ), name
    for name, fates in whole.fates.items():
        assert scan_resolved(out, f"fates/{name}").collect().sort("chunk", "row").equals(fates)


def _on_disk(part: ChunkFrame, folder: Path) -> ChunkFrame:
    assert isinstance(part.frame, pl.DataFrame)
    path = folder / f"{part.chunk}.parquet"
    part.frame.write_parquet(path)
    return ChunkFrame(part.chunk, part.exported_at, part.columns, path)


def test_merging_in_small_groups_keeps_together_what_belongs_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain: 1 and 2 share an address, 2 and 3 did in an older file, 3 stands in two files."""
    rows = [
        [{"id": "3", "email": "b@example.com"}, {"id": "2", "email": "b@example.com"}, {"id": "9", "email": "N@example.com"}],
        [{"id": "3", "email": "c@example.com"}, {"id": "2", "email": "a@example.com"}, {"id": "1", "email": "A@example.com"}],
        [{"id": "8", "email": "n@example.com"}, {"id": "7", "email": "C@Example.com"}, {"id": "6", "email": "alone@example.com"}],
    ]
    whole = resolved(staged("contacts", *rows))
    monkeypatch.setattr(contacts, "GROUP_ROWS", 1)
    parted = resolved(staged("contacts", *rows))
    assert as_rows(parted) == as_rows(whole)
    assert whole.frames["contacts"].select("key", "aliases").rows() == [("1", ["2"]), ("3", ["7"]), ("6", []), ("8", ["9"])]


@pytest.mark.parametrize("rows", [1, 7, 12, 500])
def test_slices_hold_the_frame_in_its_order_with_all_its_columns(rows: int, tmp_path: Path) -> None:
    parts = [pl.DataFrame({"key": ["a", "b", "c"]}), pl.DataFrame({"key": ["d"] * 9, "note": ["x"] * 9}), pl.DataFrame({"key": ["e"]})]
    writer = PartWriter(tmp_path)
    for part in parts:
        writer.add("contacts", part)
    slices = list(resolved_slices(tmp_path, "contacts", rows))
    assert pl.concat(slices).equals(read_resolved(tmp_path, "contacts"))
    assert all(one.height >= rows for one in slices[:-1])


def test_a_frame_without_rows_is_one_slice(tmp_path: Path) -> None:
    PartWriter(tmp_path).add("bookings", pl.DataFrame(schema={"key": pl.String}))
    assert [one.height for one in resolved_slices(tmp_path, "bookings", 10)] == [0]


def test_rows_that_were_held_come_back_once_whether_they_were_spilled_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [pl.DataFrame({"key": [f"{n}-{i}" for i in range(50)], "n": [n] * 50}) for n in range(9)]
    for limit in (0, 2_000, 1_000_000):
        monkeypatch.setattr(fold, "SPILL_BYTES", limit)
        held = Held()
        for _ in range(2):
            for part in parts:
                held.add(part)
            found = held.taken()
            assert found is not None
            assert found.equals(pl.concat(parts))
        assert held.taken() is None
