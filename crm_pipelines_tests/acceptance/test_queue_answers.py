"""Answers to queues that meet something else: an edit beside them, records merged before, a process that dies."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import polars as pl
import pytest

from crm_pipelines.defs import commands, queues
from crm_pipelines.defs.queues import Given, resolve_queues
from crm_pipelines.errors import SettingsError, SpecError
from crm_pipelines.ledger import Ledger, Seal
from crm_pipelines.phases.client import read_client
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.queues_pairs import with_survivors
from crm_pipelines.phases.queues_taking import TAKEN, TAKING
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.settings import home, load_engagement
from crm_pipelines_tests.lib import walk
from crm_pipelines_tests.lib.rig import Rig

Patch = pytest.MonkeyPatch
OWNER, USER = "zoe.departed@agency.example.com", "ana@agency.example.com"
ANSWER = f"""
from crm_pipelines.defs import commands
from crm_pipelines.defs.queues import Given, resolve_queues
from crm_pipelines.phases.project import Project
from crm_pipelines.settings import load_engagement
from crm_pipelines_tests.lib import walk
commands.walk_to_map = walk.desire
resolve_queues(Project.open(load_engagement("acme")), Given(owners={{"{OWNER}": "{USER}"}}), "Carla Client")
"""


@pytest.fixture(autouse=True)
def _without_dagster(monkeypatch: Patch) -> None:
    monkeypatch.setattr(commands, "walk_to_map", walk.desire)


def opened(one: Rig) -> Project:
    return Project.open(load_engagement(one.name))


def seals(one: Rig) -> list[Seal]:
    with Ledger.open(home().ledger_url) as ledger:
        return list(ledger.seals(one.name))


def trail(one: Rig) -> list[tuple[str, str]]:
    with Ledger.open(home().ledger_url) as ledger:
        return [(each.by, each.what) for each in ledger.audit(one.name) if each.what in (TAKING, TAKEN)]


def twin(one: Rig) -> tuple[str, str, str]:
    """A survivor, its alias and another person, by key."""
    project = opened(one)
    ready = project.mapped("people", "key", "queue").filter(pl.col("queue").is_null()).get_column("key").to_list()
    people = read_resolved(project.resolved_folder, "contacts").select("key", "aliases").filter(pl.col("key").is_in(ready))
    survivor, aliases = people.filter(pl.col("aliases").list.len() > 0).row(0)
    other = next(key for key in people["key"] if key != survivor and key not in aliases)
    return survivor, aliases[0], other


def test_an_edit_beside_is_neither_lost_nor_confirmed_and_merged_records_are_named_by_their_survivor(
    rig: Callable[..., Rig], monkeypatch: Patch
) -> None:
    one = rig(contacts=60)
    assert one.walk_here(monkeypatch) == 0
    survivor, alias, other = twin(one)
    with pytest.raises(SpecError, match="both rows have the same e-mail address, so they are one record"):
        resolve_queues(opened(one), Given(different=[(survivor, alias)], object="contacts"), "Carla Client")
    decisions = one.folder / "decisions.yaml"
    real = queues.require_unchanged

    def meanwhile(*given: object) -> object:
        found = real(*given)  # type: ignore[arg-type]
        decisions.write_text(decisions.read_text() + "map:\n  leave_out:\n    contacts: [role_account]\n")
        return found

    before = decisions.read_text()
    with monkeypatch.context() as patch:
        patch.setattr(queues, "require_unchanged", meanwhile)
        with pytest.raises(SettingsError, match="somebody changed it meanwhile, so nothing was taken"):
            resolve_queues(opened(one), Given(owners={OWNER: USER}), "Carla Client")
    assert "role_account" in decisions.read_text()
    assert OWNER not in decisions.read_text()
    assert (len(seals(one)), trail(one)) == (1, [])
    decisions.write_text(before)
    told = resolve_queues(opened(one), Given(same=[(alias, other)], object="contacts"), "Carla Client")
    assert told["to_confirm"] == []
    assert read_client(load_engagement(one.name)).map.same == {"contacts": ((survivor, other),)}
    held = len(one.sandbox.truth.live("persons"))
    assert walk.go_on(one.name) in (0, 4)
    assert len(one.sandbox.truth.live("persons")) == held, "no third record out of two"


def test_a_record_that_arrived_survives_one_that_did_not() -> None:
    assert with_survivors([("2", "9"), ("1", "2"), ("9", "8")], {"2": "1"}, {"9"}) == [("9", "1"), ("9", "8")]
    assert with_survivors([("9", "1")], {}, set()) == [("9", "1")]


@pytest.mark.parametrize("place", ["queue.noted", "queue.decided", "queue.taken", "queue.sealed"])
def test_a_process_that_dies_while_answers_are_taken_leaves_who_answered_and_is_finished_by_the_next(
    rig: Callable[..., Rig], monkeypatch: Patch, place: str
) -> None:
    one = rig(contacts=30)
    assert one.walk_here(monkeypatch) == 0
    env = {**os.environ, "CRM_FAILPOINT": place}
    died = subprocess.run([sys.executable, "-c", ANSWER], env=env, capture_output=True, text=True, check=False)
    assert f"failpoint {place}" in died.stderr
    assert trail(one) == [("Carla Client", TAKING)]
    given = Given() if place in ("queue.decided", "queue.taken") else Given(owners={OWNER: USER})
    told = resolve_queues(opened(one), given, "Ina Engineer")
    assert told["to_confirm"] == []
    assert [each.by for each in seals(one)][1:] == ["Carla Client" if place == "queue.sealed" else "Ina Engineer"]
    assert read_client(load_engagement(one.name)).map.owners == {OWNER: USER}
    assert walk.go_on(one.name) in (0, 4)
    with pytest.raises(SettingsError, match="none were left half taken"):
        resolve_queues(opened(one), Given(), "Ina Engineer")
