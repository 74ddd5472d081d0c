"""The benchmarks' arithmetic, and their pieces on the smallest input: that they run, never how fast."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from benchmarks import __main__ as command
from benchmarks import bed, figures, memory, naive, odoo, odoo_people, odoo_server, own_cpu, pacing, tokens
from benchmarks.figures import Figure, Goal, Result

BILL = {"created": {"addPerson": 100, "addNote": 50}, "total": 1_130}


def test_overhead_is_what_is_left_after_set_up_verification_and_the_cheapest_writes() -> None:
    assert tokens.cheapest_writes(BILL["created"]) == 100 * 5 + 50 * 10
    assert tokens.overhead(BILL, once=120) == pytest.approx(0.01)


def test_reads_that_a_restart_repeats_are_named() -> None:
    calm = {"addPerson": 500, "getUsers": 20, "getPersons": 10}
    killed = {"addPerson": 505, "getUsers": 60, "getPersons": 70}
    assert tokens.excess(calm, killed) == [("getPersons", 60), ("getUsers", 40)]


def test_the_share_counts_whole_windows_and_never_passes_one() -> None:
    full = [window * 2.0 + second / 100 for window in range(5) for second in range(40)]
    assert pacing.share(full, burst=40) == 1.0
    assert pacing.share(full[::2], burst=40) == 0.5
    assert pacing.share([*full[:40:4], *full[40:]], burst=40, skip_s=2.0) == 1.0


def test_the_fullest_two_seconds_are_found_wherever_they_begin() -> None:
    assert pacing.fullest([0.0, 1.9, 1.95, 2.1, 3.85, 3.9]) == 4


def test_a_goal_says_which_way_it_is_missed() -> None:
    assert Figure("a", 41, "us", Goal("at most", 40)).verdict == "NOT MET"
    assert Figure("a", 95.2, "%", Goal("at least", 95)).verdict == "met"
    assert Figure("a", 1, "").verdict == ""


def test_distinct_phones_are_distinct_numbers(tmp_path: Path) -> None:
    made = bed.Bed(tmp_path)
    bed.fill(made, 300, 2, distinct_phones=True)
    frames = [pl.read_csv(path, infer_schema=False) for path in sorted(made.exports.glob("*.csv"))]
    numbers = pl.concat(frames)
    assert numbers["phone"].n_unique() == 300
    assert set(numbers["phone_country_code"]) == {"+33"}


def test_memory_and_results_of_a_small_input(tmp_path: Path) -> None:
    result = Result("memory", "peak", "how")
    with figures.measured(result):
        memory.run(result, rows=200, files=2)
    assert result.detail["records"] == {"organizations": 200, "people": 200}
    assert figures.keep(result, tmp_path).name == "memory.json"
    again = figures.kept("memory", tmp_path)
    assert again is not None
    assert again.figures == result.figures
    assert "peak of the process" in figures.as_markdown([again], "today")


def test_both_loops_bring_the_same_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naive, "QUICK", 3)
    monkeypatch.setattr(naive, "TROUBLE", {"kind": "latency", "latency_ms": 1})
    result = Result("naive", "", "", is_quick=True)
    naive.run(result)
    assert result.detail["naive"]["tokens"] == 3 * 25
    assert result.detail["ours"]["by_operation"]["addPerson"] == 3 * 5


def test_every_record_is_sent_with_the_network_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_cpu, "QUICK", (60, 1))
    result = Result("cpu", "", "", is_quick=True)
    own_cpu.run(result)
    assert all(found["sent"] == {"organizations": 60, "people": 60} for found in result.detail.values())


def test_every_partner_has_two_different_tags_and_is_the_same_each_time() -> None:
    made = list(odoo_people.partners(800))
    assert all(first != second for first, second in (one.tags for one in made))
    assert {tag for one in made for tag in one.tags} == set(odoo_people.TAGS)
    assert len({one.values["email"] for one in made}) == 800
    assert made == list(odoo_people.partners(800))


def test_the_csv_of_the_import_tool_holds_one_row_per_partner_with_its_external_id(tmp_path: Path) -> None:
    path = odoo_people.write_csv(tmp_path / "partners.csv", 3)
    rows = pl.read_csv(path, separator=";", infer_schema=False)
    assert rows["id"].to_list() == [f"crm_bench.people.000000{number}" for number in range(3)]
    assert rows["category_id/id"][0] == "crm_bench_given.Segment_00,crm_bench_given.Segment_01"


def test_the_clock_of_another_process_is_that_process_s_cpu() -> None:
    busy = subprocess.Popen([sys.executable, "-c", "import time\nwhile time.process_time() < 0.3: pass\ninput()"], stdin=subprocess.PIPE)
    try:
        until = time.monotonic() + 30
        while (spent := odoo_server.cpu_s(busy.pid) or 0.0) < 0.3 and time.monotonic() < until:
            time.sleep(0.05)
        assert 0.3 <= spent < 3
        assert odoo_server.family(os.getpid()).count(busy.pid) == 1
    finally:
        busy.kill()
        busy.communicate()
    assert odoo_server.cpu_s(busy.pid) is None


def test_the_ratio_is_that_of_the_medians_and_its_spread_is_round_by_round() -> None:
    found = odoo.Rounds()
    for ours, theirs in ((1.0, 150.0), (2.0, 400.0), (4.0, 500.0)):
        found.spent[odoo.OURS, odoo.AGAIN].append(odoo_server.Spent(server_cpu_s=ours / 2, database_cpu_s=ours / 2))
        found.spent[odoo.TOOL, odoo.AGAIN].append(odoo_server.Spent(server_cpu_s=theirs))
        for who in (odoo.OURS, odoo.TOOL):
            found.spent[who, odoo.FIRST].append(odoo_server.Spent(server_cpu_s=1.0))
    for more in (odoo.BY_LEDGER, odoo.DESCRIBE + odoo.FIRST, odoo.DESCRIBE + odoo.AGAIN):
        found.spent[odoo.OURS, more] = found.spent[odoo.OURS, odoo.AGAIN]
    found.rewritten[odoo.OURS, odoo.AGAIN] = 1
    result = Result("odoo", "", "")
    odoo.report(result, found, 100)
    by_name = {figure.name: figure for figure in result.figures}
    again = by_name["unchanged re-run, ours over the thread importer"]
    assert (again.value, again.verdict, again.note) == (200, "met", "125.00 to 200.00")
    assert by_name["unchanged re-run, ours over the thread importer, describing the database included"].value == 100
    assert by_name["first load, ours over the thread importer"].verdict == "NOT MET"
    assert by_name["unchanged records that ours rewrote"].verdict == "NOT MET"


def test_without_odoo_its_stage_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CRM_ODOO_HOME", str(tmp_path))
    assert "odoo" not in command._possible()
    with pytest.raises(RuntimeError, match="make odoo"):
        odoo.run(Result("odoo", "", ""))


@pytest.mark.odoo
@pytest.mark.skipif(odoo_server.install() is None, reason="needs the installation of `make odoo`, not only a server's address")
def test_a_round_on_a_real_odoo_is_counted_by_its_own_processes_and_rewrites_nothing() -> None:
    found, installed = odoo.Rounds(), odoo_server.install()
    assert installed is not None
    with odoo_server.running(installed) as server:
        odoo._our_round(server, 20, found)
    assert set(found.rewritten.values()) == {0}
    for spent in (found.spent[odoo.OURS, odoo.FIRST][0], found.spent[odoo.OURS, odoo.AGAIN][0]):
        assert spent.server_cpu_s > 0
        assert spent.database_cpu_s > 0


def test_an_unknown_stage_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["cpus"])
    assert "no stage named cpus" in capsys.readouterr().err
