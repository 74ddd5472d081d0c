"""A migration as its operator sees it: every step through `crm`, every figure read from the sandbox's side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from crm_pipelines_tests.acceptance.conftest import Rig
from crm_pipelines_tests.lib.rig import build

Make = Callable[..., Rig]
PLANTED = {
    ("owner", "no_user"): 1,
    ("remediation", "no_email"): 1,
    ("review", "no_contact"): 2,
    ("review", "two_candidates"): 1,
}


def start(one: Rig, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "crm_pipelines.cli", *arguments]
    return subprocess.Popen(command, env=one.environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def people_there(one: Rig) -> int:
    return len(one.sandbox.truth.live("persons"))


def until(condition: Callable[[], bool], what: str, timeout_s: float = 60) -> None:
    ends = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends, what
        time.sleep(0.05)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rig, dict[str, Any]]]:
    """A migration done once: sample, everything, and again; what each command answered."""
    one = build(tmp_path_factory.mktemp("whole"), contacts=60)
    done: dict[str, Any] = {}
    for name, arguments in {
        "doctor": ("doctor", "acme", "--json"),
        "plan": ("plan", "acme", "--json"),
        "confirm sample": ("confirm", "acme", "--by", "client", "--sample", "10", "--json"),
        "sample": ("run", "acme", "--json"),
        "confirm": ("confirm", "acme", "--by", "client", "--automations-paused-by", "client", "--json"),
        "first": ("run", "acme", "--json"),
        "second": ("run", "acme", "--json"),
        "plan again": ("plan", "acme", "--json"),
        "status": ("status", "acme", "--json"),
        "queues": ("queue", "list", "acme", "--json"),
    }.items():
        ran = one.crm(*arguments)
        assert "Traceback" not in ran.stderr, (name, ran.stderr)
        done[name] = (ran.returncode, json.loads(ran.stdout))
        if name == "sample":
            done["people of the sample"] = people_there(one)
    yield one, done
    one.sandbox.stop()


def test_what_arrived_is_what_was_planted(whole: tuple[Rig, dict[str, Any]]) -> None:
    one, done = whole
    code, told = done["first"]
    assert code == 10, "the planted rows wait"
    assert one.compare().differences == []
    counts: dict[tuple[str, str], int] = {}
    for queue in told["queues"]:
        counts[queue["queue"], queue["reason"]] = counts.get((queue["queue"], queue["reason"]), 0) + queue["rows"]
    assert counts == PLANTED
    there = {phase["phase"]: phase["destination_count"] for phase in told["phases"]}
    assert there["people"] == people_there(one)
    assert all(row["adds_up"] for row in told["files"])
    assert all(phase["gate"] == "passed" for phase in told["phases"])
    (bridge,) = told["money_bridge"]
    assert (float(bridge["difference"]), float(bridge["expected"]) > 0) == (0, True), "the exports, counted apart, and the CRM's list"


def test_the_sample_goes_first_and_goes_alone(whole: tuple[Rig, dict[str, Any]]) -> None:
    _, done = whole
    assert done["confirm sample"][1]["scope"]["people"] == 10
    assert done["sample"][0] == 0
    assert done["people of the sample"] == 10
    assert done["first"][1]["pass"] == 1, "sample and rest are one pass"


def test_the_second_run_changes_nothing_and_costs_only_its_lists(whole: tuple[Rig, dict[str, Any]]) -> None:
    _, done = whole
    code, told = done["second"]
    assert code == 10
    assert told["pass"] == 2
    states = {state for phase in told["phases"] for state, count in phase["records"].items() if count}
    assert states == {"unchanged", "waiting"}
    assert told["budget"]["spent"] == told["budget"]["forecast"]
    assert told["budget"]["cheapest"] == 0
    assert done["plan again"][1]["forecast"]["cheapest_tokens"] == 0
    assert done["status"] == (10, {**done["status"][1], "phases": told["phases"], "pass": 2}), "a plan leaves the account as it was"


def test_tokens_are_counted_as_the_vendor_counts_them(whole: tuple[Rig, dict[str, Any]]) -> None:
    one, done = whole
    assert sum(done["status"][1]["budget"]["spent_by_operation"].values()) == one.sandbox.truth.counts()["tokens_total"]
    assert done["plan"][1]["forecast"]["total_tokens"] == done["first"][1]["budget"]["forecast"]


def test_waiting_rows_are_listed_with_file_row_and_reason(whole: tuple[Rig, dict[str, Any]]) -> None:
    one, done = whole
    rows = done["queues"][1]["rows"]
    unread = sum(file["buckets"].get("quarantined", 0) for file in done["second"][1]["files"])
    assert len(rows) == sum(PLANTED.values()) + unread, "the planted rows, and the lines that could not be read"
    assert all(row["file"].endswith(".csv") and row["row"] >= 1 for row in rows)
    files = {path.name for path in (one.folder / "queues").glob("*.csv")}
    assert files == {"owner.csv", "remediation.csv", "review.csv"}


def test_reports_lie_where_the_command_says(whole: tuple[Rig, dict[str, Any]]) -> None:
    _, done = whole
    report = done["second"][1]["report"]
    assert json.loads(Path(report["json"]).read_text())["phases"] == done["second"][1]["phases"]
    assert "<h1>Acme: Kartra to Pipedrive, what arrived</h1>" in Path(report["html"]).read_text()


def test_dagster_keeps_the_history(whole: tuple[Rig, dict[str, Any]]) -> None:
    one, _ = whole
    with dg.DagsterInstance.from_config(one.env["DAGSTER_HOME"]) as instance:
        key = dg.AssetKey(["acme", "people"])
        assert instance.get_materialized_partitions(key) == set(instance.get_dynamic_partitions("acme__people"))
        gate = instance.fetch_materializations(dg.AssetKey(["acme", "people_gate"]), limit=1).records[0].asset_materialization
        assert gate.metadata["destination count"].value == people_there(one)
        assert "| wanted |" in str(gate.metadata["reconciliation"].value)
        check = dg.AssetCheckKey(dg.AssetKey(["acme", "people_gate"]), "every_row_accounted")
        results = instance.event_log_storage.get_asset_check_execution_history(check, limit=10)
        assert len(results) == 3, "sample, first and second run"
        assert {str(result.status.value) for result in results} == {"SUCCEEDED"}
        assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.SUCCESS}


def test_the_doctor_finds_the_account_in_order(whole: tuple[Rig, dict[str, Any]]) -> None:
    code, told = whole[1]["doctor"]
    assert code == 0
    assert {finding["what"] for finding in told["acme"]} >= {"token", "plan", "users", "caps", "clock", "budget"}


def test_two_loads_at_once_the_second_names_the_first(rig: Make) -> None:
    one = rig(contacts=60)
    assert one.crm("confirm", "acme", "--by", "client", "--without-sample", "test", "--automations-paused-by", "client").returncode == 0
    one.sandbox.truth.set_faults({"match": {"path_prefix": "/api/v2/organizations"}, "kind": "latency", "latency_ms": 4_000})
    first = start(one, "run", "acme", "--json")
    until(lambda: bool(one.sandbox.truth.live("organizations")), "the first run sends")
    second = one.crm("run", "acme")
    assert second.returncode == 3
    assert "Traceback" not in second.stderr
    assert f"process {first.pid}" in second.stderr
    one.sandbox.truth.clear_faults()
    assert json.loads(first.communicate(timeout=120)[0])["exit_code"] == 10
    assert one.compare().differences == []


def test_a_pause_drains_and_the_next_run_goes_on(rig: Make) -> None:
    one = rig(contacts=120)
    assert one.crm("confirm", "acme", "--by", "client", "--without-sample", "test", "--automations-paused-by", "client").returncode == 0
    one.sandbox.truth.set_faults({"match": {"method": "POST", "path_prefix": "/api/v2/persons"}, "kind": "latency", "latency_ms": 1_500})
    running = start(one, "run", "acme", "--json")
    until(lambda: people_there(one) > 0, "people arrive")
    paused = one.crm("pause", "acme")
    assert f"process {running.pid} drains" in paused.stdout
    out, err = running.communicate(timeout=120)
    assert "Traceback" not in err
    assert running.returncode == 3
    assert "Stopped on request" in json.loads(out)["verdict"]
    assert people_there(one) < len(one.truth["records"]["people"])
    one.sandbox.truth.clear_faults()
    assert one.crm("run", "acme").returncode == 10
    assert one.compare().differences == []


def test_a_shut_gate_stops_what_follows_until_it_is_accepted(rig: Make) -> None:
    one = rig(contacts=60, decisions={"owners": "block_phase"}, sample={"decisions": {}})
    assert one.crm("confirm", "acme", "--by", "client", "--without-sample", "test", "--automations-paused-by", "client").returncode == 0
    shut = one.crm("run", "acme")
    assert shut.returncode == 11, shut.stdout + shut.stderr
    assert "shut" in shut.stdout
    assert one.sandbox.truth.live("organizations") == []
    assert one.crm("accept", "acme", "users", "--by", "client", "--reason", "she has left").returncode == 0
    again = one.crm("run", "acme")
    assert again.returncode == 10, again.stdout + again.stderr
    assert people_there(one) > 0


def test_a_changed_answer_is_shown_and_nothing_is_sent(rig: Make) -> None:
    one = rig(contacts=60)
    assert one.crm("confirm", "acme", "--by", "client", "--without-sample", "test", "--automations-paused-by", "client").returncode == 0
    with (one.folder / "decisions.yaml").open("a") as file:
        file.write("failed: lost_deal\n")
    ran = one.crm("run", "acme")
    assert ran.returncode == 2
    assert "decision failed: was exclude, is lost_deal" in ran.stderr
    assert one.sandbox.truth.live("organizations") == []
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("trouble", "told"),
    [("file is gone", "holds no file of contacts"), ("header changed", "leads_kartra"), ("no csv", "leads_kartra")],
)
def test_an_export_that_cannot_be_read_is_a_message_and_nothing_is_written(rig: Make, trouble: str, told: str) -> None:
    one = rig(contacts=60)
    leads = next((one.folder / "exports").glob("leads_*.csv"))
    if trouble == "file is gone":
        leads.unlink()
    elif trouble == "header changed":
        leads.write_bytes(b"colour,shape\n" + leads.read_bytes().partition(b"\n")[2])
    else:
        leads.write_bytes(b"%PDF-1.7\n" + os.urandom(2_000))
    for command in (
        ("confirm", "acme", "--by", "client", "--without-sample", "test", "--automations-paused-by", "client"),
        ("run", "acme"),
    ):
        ran = one.crm(*command)
        assert (ran.returncode, told in ran.stderr, "Traceback" in ran.stderr) == (2, True, False), (command, ran.stderr)
    assert one.sandbox.truth.counts()["requests"] == {}, "the destination was not even asked"


@pytest.mark.parametrize(("trouble", "code", "told"), [("wrong token", 2, "CRM_TEST_TOKEN"), ("server is down", 3, "127.0.0.1")])
def test_an_account_that_cannot_be_reached_is_a_message_and_the_next_run_goes_on(rig: Make, trouble: str, code: int, told: str) -> None:
    one = rig(contacts=60, sandbox={"auth": "api"})
    assert one.crm("confirm", "acme", "--by", "client", "--without-sample", "test", "--automations-paused-by", "client").returncode == 0
    good = dict(one.env)
    one.env |= {"CRM_TEST_TOKEN": "wrong"} if trouble == "wrong token" else {"CRM_TEST_BASE_URL": "http://127.0.0.1:9"}
    for command in (("run", "acme"), ("plan", "acme")):
        ran = one.crm(*command)
        assert (ran.returncode, told in ran.stderr, "Traceback" in ran.stderr) == (code, True, False), (command, ran.stderr)
    assert one.crm("doctor", "acme").returncode == code
    assert one.sandbox.truth.live("organizations") == []
    one.env = good
    assert one.crm("run", "acme").returncode == 10
