"""What a stranger finds in the export folder."""

from __future__ import annotations

import ast
import re
import stat
from pathlib import Path

import pytest

import crm_pipelines.sandbox.compare
import crm_pipelines.sandbox.sample
from crm_pipelines.sandbox.sample import SampleConfig, SampleReport, generate, main
from crm_pipelines_tests.unit.sandbox_sample.reading import count_rows, files_of, rows_of, text_of, truth_of

UNIQID = re.compile(r"_kartra_(\d\d)-(\d\d)-(\d{4})_([0-9a-f]{8})[0-9a-f]{5}\.csv$")


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    made = [generate(SampleConfig(contacts=60, seed=seed, out=tmp_path / str(n), delta=True)) for n, seed in enumerate((5, 5, 6))]
    assert content(made[0].exports) == content(made[1].exports)
    assert made[0].truth.read_bytes() == made[1].truth.read_bytes()
    assert made[0].delta_truth is not None
    assert made[1].delta_truth is not None
    assert made[0].delta_truth.read_bytes() == made[1].delta_truth.read_bytes()
    assert content(made[0].exports) != content(made[2].exports)


def test_every_file_adds_up_by_an_independent_count(five: SampleReport, rough: SampleReport) -> None:
    for report in (five, rough):
        told = truth_of(report.truth)["rows"]
        assert set(told) == {path.name for path in report.exports.iterdir()}
        for path in report.exports.glob("*.csv"):
            rows = count_rows(text_of(path))
            assert rows == told[path.name]["physical_rows"] == sum(told[path.name]["buckets"].values()), path.name
        assert {one.name: one.physical_rows for one in report.files} == {name: row["physical_rows"] for name, row in told.items()}


def test_quarantined_lines_are_where_the_truth_says(five: SampleReport) -> None:
    found = {}
    for one in truth_of(five.truth)["quarantine"]:
        lines = text_of(five.exports / one["file"]).split("\n")
        found[one["reason"]] = "\n".join(lines[one["first_line"] - 1 : one["last_line"]])
    assert "unreadable.80000001@example.com" in found["extra_field"]
    assert found["truncated_last_row"].endswith("Half a val")
    assert found["missing_key"].startswith(",Sale,")
    assert found["short_row"].startswith("80000001,Sale,")
    assert found["unterminated_quote"].startswith('7001,swallower,"')
    assert "swallowed" in found["unterminated_quote"]


def test_files_and_truth_are_private(five: SampleReport) -> None:
    assert five.delta is not None
    paths = [*five.exports.iterdir(), *five.delta.iterdir(), five.truth, five.truth.parent / "truth_after_delta.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert five.truth.parent == five.exports.parent, "the truth stands beside the exports, not among them"


def test_only_the_uniqid_tells_which_contacts_file_is_newer(five: SampleReport) -> None:
    paths = files_of(five.exports, "contacts", "leads")
    by_uniqid = sorted(paths, key=lambda path: UNIQID.search(path.name).group(4))  # type: ignore[union-attr]
    by_name = sorted(paths, key=lambda path: path.name)
    by_age = sorted(paths, key=lambda path: path.stat().st_mtime)
    assert by_uniqid != by_name
    assert by_uniqid != by_age


def test_the_day_in_a_name_is_the_local_day_of_its_uniqid(five: SampleReport) -> None:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    for path in five.exports.glob("*.csv"):
        found = UNIQID.search(path.name)
        assert found is not None, path.name
        moment = datetime.fromtimestamp(int(found.group(4), 16), ZoneInfo("America/New_York"))
        assert f"{moment:%d-%m-%Y}" == "-".join(found.groups()[:3])


def test_the_transactions_header_is_the_one_of_a_real_export(five: SampleReport) -> None:
    for path in files_of(five.exports, "transactions"):
        heading = next(rows_of(path)).keys()
        assert len(heading) == 57
        assert sum(name.endswith(" (USD)") for name in heading) == 9


def test_encodings_delimiters_and_line_ends_differ(five: SampleReport) -> None:
    assert {one.encoding for one in five.files} == {"utf-8", "utf-8-sig", "cp1252", "utf-16"}
    assert {one.delimiter for one in five.files} == {",", ";"}
    assert {b"\r\n" in path.read_bytes().replace(b"\0", b"") for path in five.exports.iterdir()} == {True, False}


def test_plain_encodings_on_request(tmp_path: Path) -> None:
    report = generate(SampleConfig(contacts=40, seed=1, out=tmp_path, encodings="plain", currency="JPY"))
    assert {(one.encoding, one.delimiter) for one in report.files} == {("utf-8", ",")}
    amounts = [row["Amount (JPY)"] for path in files_of(report.exports, "transactions") for row in rows_of(path)]
    assert not [text for text in amounts if "." in text], "yen have no decimals"


def test_every_address_is_of_a_reserved_domain(rough: SampleReport) -> None:
    for path in rough.exports.iterdir():
        for domain in re.findall(r"@([A-Za-z0-9.-]+\.[A-Za-z]{2,})", text_of(path)):
            assert domain.casefold().endswith(("example.com", "example.org")), domain


def test_a_folder_with_exports_is_not_written_to_again(tmp_path: Path) -> None:
    config = SampleConfig(contacts=30, seed=1, out=tmp_path)
    generate(config)
    with pytest.raises(ValueError, match="choose an empty folder"):
        generate(config)


def test_the_command_line_reports_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kartra", "--contacts", "40", "--seed", "7", "--out", str(tmp_path)]) == 0
    assert "truth in" in capsys.readouterr().out
    assert main(["kartra", "--contacts", "4", "--out", str(tmp_path / "x")]) == 2
    assert "30 or more" in capsys.readouterr().err
    assert main(["kartra", "--contacts", "40", "--decision", "rebills=maybe", "--out", str(tmp_path / "x")]) == 2
    assert "fold, deal_each" in capsys.readouterr().err


@pytest.mark.parametrize("package", [crm_pipelines.sandbox.sample, crm_pipelines.sandbox.compare])
def test_judge_and_generator_share_no_code_with_the_product(package: object) -> None:
    name = package.__name__  # type: ignore[attr-defined]
    for path in Path(package.__file__).parent.rglob("*.py"):  # type: ignore[attr-defined]
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            modules = [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in getattr(node, "names", [])]
            if isinstance(node, ast.Import | ast.ImportFrom):
                foreign = [m for m in modules if m and m.startswith("crm_pipelines") and not m.startswith(name)]
                assert not foreign, f"{path.name} imports {foreign}"
