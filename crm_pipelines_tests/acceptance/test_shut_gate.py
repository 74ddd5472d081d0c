"""A gate that an expectation shuts: foretold by plan and scope, and what lies behind it is not reached, which is no defect."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import asdict

import pytest

from crm_pipelines.defs.account import account_of, remember_forecast, show_sample
from crm_pipelines.defs.discovering import found_out
from crm_pipelines.defs.planning import make_plan
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases.confirm import confirm
from crm_pipelines.phases.load import load
from crm_pipelines.phases.predicted import compare
from crm_pipelines.phases.prepare import prepare
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.reconcile import accept, gate
from crm_pipelines.phases.session import open_session
from crm_pipelines.reports.reasons import sentence
from crm_pipelines.sandbox.pipedrive import SandboxUser
from crm_pipelines.settings import home, load_engagement
from crm_pipelines_tests.lib.rig import Rig
from crm_pipelines_tests.lib.walk import desire

Make = Callable[..., Rig]
Patch = pytest.MonkeyPatch
NOBODY = (SandboxUser("admin@example.com", "Ada Admin", is_admin=True),)


def opened(one: Rig, patch: Patch) -> Project:
    for name, value in one.env.items():
        patch.setenv(name, value)
    project = Project.open(load_engagement(one.name))
    desire(project)
    return project


def run(project: Project) -> None:
    """Load phase by phase up to the first gate that is shut, as `crm run` does."""
    with open_session(project, "run") as session:
        remember_forecast(session)
        prepare(session)
        for phase in project.phases:
            load(session, phase, project.phase_chunks(phase))
            if not gate(session, phase).passed:
                return


def test_what_lies_behind_a_shut_gate_was_not_reached_and_is_no_defect(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=40, sandbox={"users": NOBODY})
    project = opened(one, monkeypatch)
    confirm(project, "Dana", sample=10)
    run(project)
    shown = list(csv.DictReader(io.StringIO(show_sample(project)["csv"].read_text(encoding="utf-8-sig"))))
    assert {row["compared"] for row in shown if not row["id in the CRM"]} >= {f"waits: {sentence('no_user')}"}
    assert not [row for row in shown if row["compared"] == "differs"]
    confirm(project, "Dana", paused_by="Dana")
    run(project)
    with Ledger.open(home().ledger_url) as ledger:
        found, told = compare(project, ledger), account_of(project, ledger)
    assert found is not None
    assert found.differences == []
    assert told["verdict"] == "Not reconciled: a gate is shut."
    reached = {phase["phase"]: phase["is_reached"] for phase in asdict(found)["phases"]}
    shut = next(phase["phase"] for phase in told["phases"] if phase["gate"] == "shut")
    order = list(reached)
    assert all(reached[phase] for phase in order[: order.index(shut) + 1])
    assert not any(reached[phase] for phase in order[order.index(shut) + 1 :])


def test_plan_and_scope_foretell_the_gate_that_will_shut_until_somebody_accepts_it(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=40, sandbox={"users": NOBODY})
    project = opened(one, monkeypatch)
    foreseen = make_plan(project)["prediction"]
    gates = {each["phase"]: each["told"] for each in foreseen["gates"]}
    phases = {each["phase"]: each for each in foreseen["phases"]}
    waiting, all_ = phases["people"]["records"]["waiting"], sum(phases["people"]["records"].values())
    assert gates["people"].startswith(f"The gate of people will shut: {waiting} of {all_} wait, at most ")
    assert gates["people"].endswith("expected; settle owners first, or accept it.")
    order = list(phases)
    first = min(order.index(phase) for phase in gates)
    assert all(phases[phase]["done_on"] for phase in order[:first])
    assert not any(phases[phase]["done_on"] for phase in order[first:])
    assert gates["people"] in found_out(project, is_offline=False, has_records=True).notes
    confirm(project, "Dana", without_sample="a test of gates", paused_by="Dana")
    run(project)
    with Ledger.open(home().ledger_url) as ledger:
        assert ledger.gate(one.name, 1, "people").detail["exceeded"]  # type: ignore[union-attr]
        accept(project, ledger, "people", "Dana", "they are settled by phone")
    assert "people" not in {each["phase"] for each in make_plan(project)["prediction"]["gates"]}


def test_no_gate_is_foretold_where_all_owners_have_a_user(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=40, decisions={"owners": "default_user", "default_owner": "admin@example.com"})
    foreseen = make_plan(opened(one, monkeypatch))["prediction"]
    assert foreseen["gates"] == []
    assert all(phase["done_on"] for phase in foreseen["phases"])
