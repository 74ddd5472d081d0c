"""The `crm` command as its users meet it: messages without tracebacks, exit codes, JSON."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from crm_pipelines.cli import crm, main
from crm_pipelines.cli_base import out
from crm_pipelines_tests.unit.defs.conftest import install, write_engagement

Ran = tuple[int, str, str]
Run = Callable[..., Ran]


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return install(tmp_path, monkeypatch)


@pytest.fixture
def run(where: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def go(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        told = capsys.readouterr()
        assert "Traceback" not in told.out + told.err
        return int(ended.value.code or 0), told.out, told.err

    return go


def test_help_lists_what_works_and_nothing_else(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert sorted(crm.commands) == [
        *("accept", "audit", "check", "confirm", "decide", "discover", "doctor", "init", "pause", "plan", "propose", "queue", "run"),
        *("sample", "sandbox", "status"),
    ]
    assert all(name in out for name in crm.commands)


@pytest.mark.parametrize("command", [("plan",), ("run",), ("status",), ("confirm", "--by", "me"), ("queue", "list"), ("pause",)])
def test_an_unknown_engagement_is_named_with_those_that_exist(where: Path, run: Run, command: tuple[str, ...]) -> None:
    write_engagement(where, "acme")
    code, _, err = run(*command, "nobody")
    assert code == 2
    assert "no such engagement" in err
    assert "Known: acme" in err


def test_wrong_usage_is_exit_code_2(where: Path, run: Run) -> None:
    write_engagement(where, "acme")
    assert run("fly")[0] == 2
    assert run("run")[0] == 2
    assert run("run", "acme", "--phase", "planets")[2].strip().startswith("acme: no phase planets; phases are users,")
    code, _, err = run("confirm", "acme", "--by", "me", "--sample", "5", "--without-sample", "because")
    assert (code, "exclude each other" in err) == (2, True)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("engagement.yaml", "attributes: {}", "expected `type:"),
        ("decisions.yaml", "owners: somebody\nlists: shoes\n", "decisions.yaml:2"),
        ("decisions.yaml", "- not a mapping", "decisions.yaml"),
    ],
)
def test_a_broken_engagement_says_file_and_key(where: Path, run: Run, file: str, text: str, told: str) -> None:
    (write_engagement(where, "acme") / file).write_text(text, encoding="utf-8")
    code, _, err = run("run", "acme")
    assert (code, told in err) == (2, True), err


def test_errors_come_as_json_when_json_was_asked_for(where: Path, run: Run) -> None:
    code, out, _ = run("status", "nobody", "--json")
    told = json.loads(out)
    assert code == 2
    assert (told["error"], told["exit_code"]) == ("SettingsError", 2)
    (write_engagement(where, "acme") / "decisions.yaml").write_text("owners: somebody\n", encoding="utf-8")
    problem = json.loads(run("plan", "acme", "--json")[1])["problems"][0]
    assert (problem["path"], problem["line"]) == ("owners", 1)


def test_a_missing_token_names_its_variable_and_nothing_is_registered_at_the_destination(
    where: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_engagement(where, "acme")
    monkeypatch.delenv("CRM_TEST_TOKEN")
    code, _, err = run("confirm", "acme", "--by", "me", "--sample", "3")
    assert (code, "CRM_TEST_TOKEN is not set" in err) == (2, True), err


def test_exports_that_are_missing_or_no_csv_are_a_message(where: Path, run: Run) -> None:
    folder = write_engagement(where, "acme", exports=False)
    code, _, err = run("run", "acme")
    assert (code, "holds no file of contacts" in err) == (2, True)
    for path in folder.glob("exports/*"):
        path.unlink()
    (folder / "exports").rmdir()
    code, _, err = run("run", "acme")
    assert (code, "exports/ does not exist" in err) == (2, True)


def test_status_before_anything_was_mapped_says_what_to_do(where: Path, run: Run) -> None:
    write_engagement(where, "acme")
    code, _, err = run("status", "acme")
    assert code == 2
    assert "crm run acme" in err


@pytest.mark.parametrize("command", [("status",), ("queue", "list")])
def test_before_any_export_is_registered_the_checklist_is_named(where: Path, run: Run, command: tuple[str, ...]) -> None:
    folder = write_engagement(where, "acme")
    for path in folder.glob("exports/*"):
        path.unlink()
    code, _, err = run(*command, "acme")
    assert code == 2
    assert "acme: no exports are registered yet. `crm discover acme` writes the checklist" in " ".join(err.split())


@pytest.mark.parametrize(
    "command",
    [
        ("decide", "acme", "map.xlsx", "--by"),
        ("confirm", "acme", "--by"),
        ("confirm", "acme", "--by", "me", "--without-sample"),
        ("accept", "acme", "people", "--reason", "because", "--by"),
        ("accept", "acme", "people", "--by", "me", "--reason"),
        ("discover", "acme", "--automations-paused-by"),
        ("queue", "resolve", "acme", "--owner", "a@example.com=b@example.com", "--by"),
    ],
)
@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_name_or_reason_is_refused_everywhere(where: Path, run: Run, command: tuple[str, ...], blank: str) -> None:
    write_engagement(where, "acme")
    code, _, err = run(*command, blank)
    assert (code, f"'{command[-1]}': must not be blank" in " ".join(err.split())) == (2, True)


def test_accepting_a_gate_that_was_never_judged_is_refused(where: Path, run: Run) -> None:
    write_engagement(where, "acme")
    code, _, err = run("accept", "acme", "people", "--by", "me", "--reason", "because")
    assert (code, "no gate" in err) == (2, True)


def test_pausing_what_does_not_run_says_so(where: Path, run: Run) -> None:
    write_engagement(where, "acme")
    code, out, _ = run("pause", "acme")
    assert (code, "no `crm run` is at work" in out) == (0, True)


def test_init_tells_where_things_are(where: Path, run: Run) -> None:
    code, out, _ = run("init", "--json")
    assert (code, json.loads(out)["dagster_home"]) == (0, str(where / "dagster_home"))
    assert (where / "ledger.sqlite").exists()


def test_check_finds_nothing_wrong_with_what_is_shipped(where: Path, run: Run) -> None:
    write_engagement(where, "acme")
    code, out, _ = run("check")
    assert (code, "no problems" in out) == (0, True), out


def test_check_prints_each_problem_of_a_spec_with_its_line(where: Path, run: Run, tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "mapping_specs" / "kartra_to_pipedrive.yaml"
    lines = shipped.read_text(encoding="utf-8").splitlines()
    phase = next(number for number, line in enumerate(lines) if line.startswith("  people:"))
    lines.insert(phase + 1, "    wher: {}")
    spec = tmp_path / "kartra_to_pipedrive.yaml"
    spec.write_text("\n".join(lines), encoding="utf-8")
    code, out, _ = run("check", str(spec))
    assert code == 2
    assert out.startswith(f"{spec.name}:{phase + 2}: phases.people.wher: unknown key; did you mean 'where'?; known here: columns, create,")
    assert out.count("\n") == 1
    assert yaml.safe_load(spec.read_text(encoding="utf-8"))["phases"]["people"]["wher"] == {}


def test_doctor_without_an_engagement_says_how_to_make_one(run: Run) -> None:
    code, _, err = run("doctor")
    assert (code, "no engagement yet" in err) == (2, True)


def test_the_sample_command_passes_its_arguments_on(where: Path, run: Run) -> None:
    code, out, _ = run("sample", "kartra", "--contacts", "40", "--seed", "3", "--out", str(where / "sample"), "--json")
    assert code == 0
    assert json.loads(out)["records"]["people"] > 30
    assert (where / "sample" / "truth.json").exists()
    assert run("sample", "kartra", "--contacts", "1", "--out", str(where / "other"))[0] == 2


def test_a_text_that_the_terminal_has_no_signs_for_ends_no_command(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", shown)
    with pytest.raises(SystemExit):
        main(["status", "nobody"])
    out.print("Gr\N{LATIN SMALL LETTER O}\N{COMBINING DIAERESIS}ße")
    shown.flush()
    assert shown.buffer.getvalue().decode("latin-1") == "Gro?ße\n"
