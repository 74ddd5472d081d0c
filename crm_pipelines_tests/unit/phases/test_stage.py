"""A staged chunk on disk: private, whole or absent, read back as it was, with a sidecar that accounts for every row."""

from __future__ import annotations

import csv
import io
import stat
from datetime import UTC, datetime
from pathlib import Path

import orjson
import polars as pl
import pytest

from crm_pipelines.errors import SourceError
from crm_pipelines.phases.extract import partition_key
from crm_pipelines.phases.stage import inventories, read_sidecar, read_staged, stage_file, write_staged
from crm_pipelines.sources import decode, load_source, prescan, rowcount
from crm_pipelines.sources.base import ReadSettings, StagedChunk

KARTRA = load_source("kartra")
OLDER = 'id,email,first_name,notes\n1,Ann@example.com,Ann,"two\nlines"\n2,b@example.com,Bob\n\n,c@example.com,Cat,\n4,d@example.com,Dan,x\n'
NEWER = "id,email,score,Favourite\n1,ann@example.com,abc,plum\n5,e@example.com,7,\n"


def staged(folder: Path, text: str, name: str = "contacts_1.csv") -> StagedChunk:
    path = folder / name
    path.write_text(text, newline="")
    return stage_file(KARTRA, "contacts", path)


def test_round_trip_of_two_chunks_with_different_columns(tmp_path: Path) -> None:
    write_staged(staged(tmp_path, OLDER), tmp_path / "staged", "001-0001-a-00000000")
    write_staged(staged(tmp_path, NEWER), tmp_path / "staged", "001-0002-b-00000000")
    frame = read_staged(tmp_path / "staged", "contacts", ["001-0001-a-00000000", "001-0002-b-00000000"])
    assert frame.select("_chunk", "_row", "id", "notes", "favourite", "score", "raw_score").rows() == [
        ("001-0001-a-00000000", 1, 1, "two\nlines", None, None, None),
        ("001-0001-a-00000000", 5, 4, "x", None, None, None),
        ("001-0002-b-00000000", 1, 1, None, "plum", None, "abc"),
        ("001-0002-b-00000000", 2, 5, None, None, 7, "7"),
    ]


def test_sidecar_accounts_for_every_row_and_holds_no_value(tmp_path: Path) -> None:
    chunk = staged(tmp_path, OLDER)
    write_staged(chunk, tmp_path / "staged", "k")
    told = read_sidecar(tmp_path / "staged", "contacts", "k")
    assert told["physical_rows"] == 5 == told["good_rows"] + told["quarantined_rows"] + told["blank_rows"]
    assert [(bad["row"], bad["first_line"], bad["reason"]) for bad in told["bad_lines"]] == [(2, 4, "short_row"), (4, 6, "missing_key")]
    assert [(one["raw"], one["canonical"], one["filled"]) for one in told["headings"]] == [
        ("id", "id", 2),
        ("email", "email", 2),
        ("first_name", "first_name", 2),
        ("notes", "notes", 2),
    ]
    assert (told["sha256"], told["encoding"], told["delimiter"]) == (chunk.sha256, "utf-8", ",")
    assert b"example.com" not in (tmp_path / "staged" / "contacts" / "k.json").read_bytes()


def test_quarantine_holds_line_span_raw_text_and_reason(tmp_path: Path) -> None:
    write_staged(staged(tmp_path, OLDER), tmp_path / "staged", "k")
    base = tmp_path / "staged" / "contacts"
    lines = [orjson.loads(line) for line in (base / "k.quarantine.jsonl").read_bytes().splitlines()]
    assert [(one["file"], one["row"], one["raw"]) for one in lines] == [
        ("contacts_1.csv", 2, "2,b@example.com,Bob"),
        ("contacts_1.csv", 4, ",c@example.com,Cat,"),
    ]
    table = list(csv.DictReader(io.StringIO((base / "k.quarantine.csv").read_text("utf-8-sig"), newline="")))
    assert [one["reason"] for one in table] == ["short_row", "missing_key"]
    assert "cells are missing" in table[0]["sentence"]


def test_files_are_private_and_a_clean_chunk_leaves_no_quarantine(tmp_path: Path) -> None:
    folder = tmp_path / "staged"
    write_staged(staged(tmp_path, OLDER), folder, "k")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder / "contacts").iterdir()}
    assert modes == dict.fromkeys(["k.parquet", "k.json", "k.quarantine.jsonl", "k.quarantine.csv"], 0o600)
    write_staged(staged(tmp_path, NEWER), folder, "k")
    assert sorted(path.name for path in (folder / "contacts").iterdir()) == ["k.json", "k.parquet"]


def test_staging_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    chunk = staged(tmp_path, NEWER)
    first = write_staged(chunk, tmp_path / "one", "k").read_bytes()
    assert write_staged(staged(tmp_path, NEWER), tmp_path / "two", "k").read_bytes() == first


def test_a_chunk_that_is_not_staged_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="chunk k of contacts is not staged"):
        read_staged(tmp_path, "contacts", ["k"])
    with pytest.raises(SourceError, match="chunk k of contacts is not staged"):
        read_sidecar(tmp_path, "contacts", "k")


def test_an_export_with_no_rows_has_typed_columns(tmp_path: Path) -> None:
    chunk = staged(tmp_path, "id,email,date_joined,tags,score,blacklisted\n")
    assert (chunk.physical_rows, chunk.frame.height) == (0, 0)
    types = [pl.Int64, pl.Int64, pl.Int64, pl.String, pl.Datetime("us", "UTC"), pl.List(pl.String), pl.Int64, pl.Boolean]
    assert chunk.frame.dtypes == types


def test_inventory_of_tags_comes_from_its_own_export(tmp_path: Path) -> None:
    tags = tmp_path / "tags_1.csv"
    tags.write_text('tag_id,tag_name,category\n1,"Bought, then left",A\n2,VIP,A\n2,VIP,B\n')
    known = inventories(KARTRA, "contacts", {"tags": [tags]})
    assert known == {"tags": ("Bought, then left", "VIP")}
    path = tmp_path / "contacts_1.csv"
    path.write_text('id,email,tags\n1,a@example.com,"VIP, Bought, then left"\n')
    chunk = stage_file(KARTRA, "contacts", path, ReadSettings(inventories=known))
    assert chunk.frame["tags"].to_list() == [["VIP", "Bought, then left"]]
    assert inventories(KARTRA, "contacts", {}) == {}


def test_partition_keys_sort_by_intake_and_place() -> None:
    key = partition_key(1, 12, "contacts_kartra_09-06-2026_6a2803f884d5c.csv", "abcdef0123456789")
    assert key == "001-0012-contacts_kartra_09_06_2026_6a2803f884d5c-abcdef01"
    assert partition_key(1, 1, "Kontakte (ä) [1].csv", "ff" * 32) == "001-0001-Kontakte_1-ffffffff"
    assert partition_key(1, 1, "ä.csv", "ff" * 32) == "001-0001-export-ffffffff"
    assert sorted([partition_key(2, 1, "a", "0" * 64), partition_key(1, 10, "a", "0" * 64), key])[0].startswith("001-0010")


def test_row_numbers_count_blank_and_bad_rows(tmp_path: Path) -> None:
    chunk = staged(tmp_path, OLDER)
    assert chunk.frame.select("_row", "_line", "id").rows() == [(1, 2, 1), (5, 7, 4)]


def test_time_zone_of_the_account_is_a_setting(tmp_path: Path) -> None:
    path = tmp_path / "contacts_1.csv"
    path.write_text("id,email,date_joined\n1,a@example.com,2026-07-01 00:00:00\n")
    moments = [
        stage_file(KARTRA, "contacts", path, ReadSettings(source_timezone=zone)).frame["date_joined"][0]
        for zone in ("America/New_York", "EST")
    ]
    assert moments == [datetime(2026, 7, 1, 4, tzinfo=UTC), datetime(2026, 7, 1, 5, tzinfo=UTC)]


def test_a_file_is_read_in_blocks_as_it_would_be_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f'{n},"p{n}@example.com","Zoë ""{n}"", née","{"" if n % 3 else "&amp; more"}"' for n in range(25)]
    text = "\n".join(["id,email,first_name,company", *rows[:9], "9,short", *rows[10:], ",no-key@example.com,x,y"]) + "\n"
    path = tmp_path / "contacts_1.csv"
    path.write_text(text, encoding="utf-8")
    whole = stage_file(KARTRA, "contacts", path)
    monkeypatch.setattr(prescan, "BLOCK_ROWS", 4)
    monkeypatch.setattr(decode, "CHECKED_BYTES", 3)
    monkeypatch.setattr(rowcount, "WINDOW", 40)
    pieces = stage_file(KARTRA, "contacts", path)
    assert pieces.frame.equals(whole.frame)
    assert (pieces.bad_lines, pieces.repairs, pieces.physical_rows, pieces.adds_up) == (whole.bad_lines, whole.repairs, 26, True)
    assert [bad.reason for bad in pieces.bad_lines] == ["short_row", "missing_key"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_pieces_of_a_character_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setattr(decode, "CHECKED_BYTES", 1)
    path = tmp_path / "contacts_1.csv"
    path.write_bytes("id,email,first_name\r\n1,a@example.com,Zoë\r\n".encode(encoding))
    staged = stage_file(KARTRA, "contacts", path, ReadSettings(encoding=None if encoding.startswith("utf") else encoding))
    assert staged.frame["first_name"].to_list() == ["Zoë"]
