"""Who signs that automations are paused, when somebody has to, and what stops without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from crm_pipelines.destinations.base import Automation, Inspection, Schema
from crm_pipelines.errors import SettingsError
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases.automations import remember_inspection, require_paused, sign_paused, signature, unsigned
from crm_pipelines.phases.project import Project
from crm_pipelines.settings import load_engagement
from crm_pipelines_tests.unit.defs.conftest import install, write_engagement

SCHEMA = Schema("acme", "plan", 3, "EUR", "UTC", {}, (), {}, {}, {}, {})
NOTHING = Inspection(SCHEMA, "Growth", (), {}, (), hides_automations=False, records={})
RULES = tuple(Automation(f"rule {n}", "automation rule", ("people",), "told") for n in range(5))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    write_engagement(install(tmp_path, monkeypatch), "acme", exports=False)
    return Project.open(load_engagement("acme"))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as opened:
        yield opened


@pytest.mark.parametrize(
    ("inspected", "why"),
    [
        (None, "no inspection looked for them yet"),
        (replace(NOTHING, hides_automations=True), "the destination does not show all of them"),
        (replace(NOTHING, automations=RULES), "records that arrive would set off rule 0, rule 1, rule 2 and 2 more"),
        (replace(NOTHING, automations=RULES[:1], hides_automations=True), "records that arrive would set off rule 0."),
    ],
)
def test_without_a_signature_the_map_is_not_confirmed_and_the_command_is_named(
    project: Project, ledger: Ledger, inspected: Inspection | None, why: str
) -> None:
    if inspected is not None:
        remember_inspection(project, inspected)
    with pytest.raises(SettingsError, match="crm discover acme --automations-paused-by NAME") as caught:
        require_paused(project, ledger)
    assert why in str(caught.value)
    assert caught.value.exit_code == 2
    sign_paused(project, ledger, " Petra Pause ")
    require_paused(project, ledger)
    assert [(one.by, one.what, one.detail) for one in ledger.audit("acme")] == [
        ("Petra Pause", "automations paused", {"account": "acme"}),
    ]


def test_where_nothing_is_set_off_and_nothing_hidden_nobody_has_to_sign(project: Project, ledger: Ledger) -> None:
    remember_inspection(project, NOTHING)
    assert unsigned(project, ledger) is None


def test_a_signature_and_an_inspection_are_good_for_their_account_only(project: Project, ledger: Ledger, tmp_path: Path) -> None:
    remember_inspection(project, NOTHING)
    sign_paused(project, ledger, "Petra Pause")
    file = tmp_path / "engagements" / "acme" / "engagement.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("name: acme", "name: other"), encoding="utf-8")
    other = Project.open(load_engagement("acme"))
    assert signature(other, ledger) is None
    assert "no inspection looked for them yet" in str(unsigned(other, ledger))


def test_a_signature_needs_a_name(project: Project, ledger: Ledger) -> None:
    with pytest.raises(SettingsError, match="needs the name of the person"):
        sign_paused(project, ledger, "  ")
