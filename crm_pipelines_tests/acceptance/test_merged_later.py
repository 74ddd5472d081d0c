"""Two are one, and only one of them had arrived: its record goes on under the key that survives, and nobody is made twice."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from crm_pipelines.defs import planning
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import accounts
from crm_pipelines.phases.confirm import confirm
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.queues import left_over
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.reports.reasons import next_step, sentence
from crm_pipelines.settings import home, load_engagement
from crm_pipelines_tests.lib import walk
from crm_pipelines_tests.lib.rig import Rig


def opened(one: Rig) -> Project:
    return Project.open(load_engagement(one.name))


def ids_of(one: Rig) -> dict[str, str]:
    with Ledger.open(home().ledger_url) as ledger:
        return ledger.ids(f"pipedrive:{opened(one).engagement.node.account.name}", one.name, "people")


def writes(one: Rig) -> dict[str, int]:
    counts = one.sandbox.truth.get("counts")["requests"]
    return {name: count for name, count in counts.items() if name.startswith(("add", "update", "delete"))}


def sampled(one: Rig, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Load a sample; return a key that did not arrive with it, and one that did."""
    for name, value in one.env.items():
        monkeypatch.setenv(name, value)
    project = opened(one)
    walk.desire(project)
    confirm(project, "test", sample=10)
    assert walk.load_all(project) == 0
    loaded = ids_of(one)
    wanted = project.mapped("people", "key", "queue").filter(pl.col("queue").is_null())["key"].to_list()
    return next(key for key in wanted if key not in loaded), sorted(loaded)[0]


def test_a_survivor_that_did_not_arrive_takes_over_the_record_of_its_twin(rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    one = rig(contacts=60)
    absent, there = sampled(one, monkeypatch)
    number = ids_of(one)[there]
    with (one.folder / "decisions.yaml").open("a", encoding="utf-8") as file:
        file.write(f'map:\n  same:\n    contacts: [["{absent}", "{there}"]]\n')
    project = opened(one)
    walk.desire(project)
    confirm(project, "test", without_sample="the sample is what this is about", paused_by="test")
    assert walk.load_all(project) == 0
    assert len(list(one.sandbox.truth.live("persons"))) == len(ids_of(one)) > 10
    assert ids_of(one)[absent] == number
    assert there not in ids_of(one)
    assert accounts.left_over(project, "people") == {}
    before = writes(one)
    assert walk.go_on(one.name) == 0
    assert writes(one) == before


def test_a_later_export_may_bring_the_lower_key_of_a_person_who_is_there(rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    one = rig(contacts=40)
    assert one.walk_here(monkeypatch) == 0
    people = read_resolved(opened(one).resolved_folder, "contacts").filter(pl.col("key").is_in(list(ids_of(one))))
    was, address = people.filter(pl.col("email").is_not_null()).select("key", "email").row(0)
    later = one.folder / "exports" / "leads_kartra_30-06-2026_6a4d3f237926d.csv"
    later.write_text(f"id,email,first_name\n1,{address},Ann\n", encoding="utf-8")
    count, number = len(list(one.sandbox.truth.live("persons"))), ids_of(one)[was]
    assert walk.go_on(one.name) == 0
    assert len(list(one.sandbox.truth.live("persons"))) == count
    assert (ids_of(one).get("1"), ids_of(one).get(was)) == (number, None)


def test_what_is_left_out_after_it_arrived_is_told_as_such(rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    one = rig(contacts=60)
    assert one.walk_here(monkeypatch) == 0
    with (one.folder / "decisions.yaml").open("a", encoding="utf-8") as file:
        file.write("map:\n  leave_out:\n    contacts: [role_account, stale, bounced]\n")
    project = opened(one)
    walk.desire(project)
    confirm(project, "test", without_sample="this is what comes after a load", paused_by="test")
    assert walk.load_all(project) == 0
    found = left_over(opened(one))
    assert {("people", "left_out_since"), ("notes", "left_out_since")} <= {(each.phase, each.reason) for each in found}
    assert {each.reason for each in found} <= {"left_out_since", "made_no_more"}
    told = sentence("left_out_since") + next_step("left_out_since")
    assert "merge" not in told.casefold()
    assert told != sentence("made_no_more") + next_step("made_no_more")


def test_people_who_are_two_again_do_not_keep_each_other_s_data_in_silence(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rig(contacts=60)
    text = (one.folder / "decisions.yaml").read_text("utf-8")
    for name, value in one.env.items():
        monkeypatch.setenv(name, value)
    walk.desire(opened(one))
    people = opened(one).mapped("people", "key", "queue", "labels").filter(pl.col("queue").is_null())
    kept = people.filter(pl.col("labels").list.len().fill_null(0) == 0)["key"][0]
    other = people.filter(pl.col("labels").list.len() > 0)["key"][0]
    (one.folder / "decisions.yaml").write_text(f'{text}map:\n  same:\n    contacts: [["{kept}", "{other}"]]\n', encoding="utf-8")
    assert one.walk_here(monkeypatch) == 0
    (one.folder / "decisions.yaml").write_text(text, encoding="utf-8")
    assert one.walk_here(monkeypatch) == 0
    with Ledger.open(home().ledger_url) as ledger:
        states = {row["key"]: row for row in accounts.record_states(opened(one), ledger, "people").iter_rows(named=True)}
    assert (states[kept]["state"], states[kept]["queue"]) == ("waiting", "conflict")
    assert states[kept]["reason"].startswith("merged_data_left: ")
    assert {"emails", "label_ids"} <= set(states[kept]["reason"].partition(": ")[2].split(", "))
    assert states[other]["state"] == "created"


def test_a_key_that_no_file_has_is_told_where_the_map_is_confirmed(rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    one = rig(contacts=30)
    for name, value in one.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(planning, "walk_to_map", walk.desire)  # the same verbs without Dagster
    with (one.folder / "decisions.yaml").open("a", encoding="utf-8") as file:
        file.write('map:\n  same:\n    contacts: [["nobody", "no one"]]\n')
    told = planning.make_confirmation(opened(one), "test", None, "about its notes", paused_by="test")
    assert [note for note in told["notes"] if note.startswith("map.same.contacts: key 2 of group 1 is in no file")]
