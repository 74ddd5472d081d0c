"""An account that people work in, and that two engagements share: what they do is seen, spared and never taken for ours."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from crm_pipelines.errors import SettingsError
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import accounts, reconcile
from crm_pipelines.phases.project import Project
from crm_pipelines.sandbox.sample import SampleConfig, generate
from crm_pipelines.settings import home, load_engagement
from crm_pipelines_tests.acceptance.test_life import api
from crm_pipelines_tests.lib.rig import Rig

Patch = pytest.MonkeyPatch
Make = Callable[..., Rig]


@contextmanager
def opened(rig: Rig) -> Iterator[tuple[Project, Ledger]]:
    with Ledger.open(rig.env["CRM_LEDGER_URL"]) as ledger:
        yield Project.open(load_engagement(rig.name)), ledger


def phase_of(rig: Rig, name: str) -> dict[str, Any]:
    with opened(rig) as (project, ledger):
        return next(phase for phase in reconcile.summary(project, ledger)["phases"] if phase["phase"] == name)


def reasons_of(rig: Rig, phase: str, state: str) -> set[str]:
    with opened(rig) as (project, ledger):
        states = accounts.record_states(project, ledger, phase)
    return set(states.filter(states["state"] == state).get_column("reason").to_list())


def bring_delta(rig: Rig) -> None:
    for file in sorted((rig.folder / "delta").glob("*.csv")):
        shutil.copy(file, rig.folder / "exports" / file.name)


def email_of(person: dict[str, Any]) -> str:
    first = person["emails"][0]
    return str(first["value"] if isinstance(first, dict) else first)


def second_engagement(rig: Rig, seed: int) -> None:
    folder = rig.root / "engagements" / "beta"
    folder.mkdir()
    generate(SampleConfig(contacts=60, seed=seed, out=folder, planted_queue="five", decisions={}))
    for name in ("engagement.yaml", "decisions.yaml"):
        shutil.copy(rig.folder / name, folder / name)


def test_amounts_that_people_changed_since_wait_for_a_word_and_for_nothing_else(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=120, sample={"delta": True})
    assert one.walk_here(monkeypatch) == 0
    for deal in one.sandbox.truth.live("deals"):
        api(one, "PATCH", f"/api/v2/deals/{deal['id']}", {"value": 1})
    bring_delta(one)
    assert one.walk_here(monkeypatch) != 0
    assert reasons_of(one, "deals", "waiting") >= {"edited_in_destination: value"}
    assert all("earlier passes" in reason or "expected at most" in reason for reason in phase_of(one, "deals")["reasons"])
    with opened(one) as (project, ledger):
        reconcile.accept(project, ledger, "deals", "ana", "the client edits deals")
    assert one.walk_here(monkeypatch) == 0


def test_a_record_deleted_since_waits_and_is_not_made_again(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=120, sample={"delta": True})
    assert one.walk_here(monkeypatch) == 0
    for person in one.sandbox.truth.live("persons"):
        api(one, "DELETE", f"/api/v2/persons/{person['id']}", None)
    bring_delta(one)
    assert one.walk_here(monkeypatch) != 0
    people = phase_of(one, "people")
    assert len(one.sandbox.truth.live("persons")) == people["records"]["created"]
    assert "deleted_in_destination" in reasons_of(one, "people", "waiting")
    assert any("are gone since an earlier pass" in reason for reason in people["reasons"])


def test_an_acceptance_holds_for_the_same_records_in_the_next_pass_and_for_no_others(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    addresses = [email_of(person) for person in one.truth["records"]["people"].values() if person.get("emails")][:9]

    def twins(email: str) -> list[int]:
        bodies = ({"name": name, "emails": [{"value": email, "primary": True}]} for name in ("First", "Second"))
        return [api(one, "POST", "/api/v2/persons", body)["id"] for body in bodies]

    for email in addresses[:8]:
        twins(email)
    assert one.walk_here(monkeypatch) != 0
    with opened(one) as (project, ledger):
        for phase in project.phases:
            if phase_of(one, phase)["gate"] == "shut":
                reconcile.accept(project, ledger, phase, "ana", "known twins")
    assert one.walk_here(monkeypatch) == 0
    assert one.walk_here(monkeypatch) == 0, "the second pass finds the same ten records waiting"
    assert phase_of(one, "people")["gate"] == "accepted"
    first = one.sandbox.truth.live("persons")
    ninth = next(row["id"] for row in first if any(e["value"] == addresses[8] for e in row["emails"]))
    api(one, "DELETE", f"/api/v2/persons/{ninth}", None)
    assert one.walk_here(monkeypatch) != 0, "another trouble was never accepted"


def test_two_engagements_share_an_account_and_keep_their_records_apart(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    assert one.walk_here(monkeypatch) == 0
    second_engagement(one, seed=11)
    one.name = "beta"
    assert one.walk_here(monkeypatch) == 0
    with opened(one) as (_, ledger):
        account = "pipedrive:acme"
        ids = {name: set(ledger.ids(account, name, "people").values()) for name in ("acme", "beta")}
    assert not ids["acme"] & ids["beta"]
    assert len(one.sandbox.truth.live("persons")) == len(ids["acme"]) + len(ids["beta"])
    one.name = "acme"
    assert one.walk_here(monkeypatch) == 0, "the other's records are not taken for doubled or unexpected ones"


def test_what_another_engagement_left_unanswered_is_looked_up_first(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    second_engagement(one, seed=11)
    one.sandbox.truth.post("faults", [{"kind": "latency", "latency_ms": 20, "jitter_ms": 300, "seed": 3}])
    assert one.walk(CRM_FAILPOINT="journal.inside_wave").returncode < 0
    one.sandbox.truth.post("faults", [])
    with Ledger.open(one.env["CRM_LEDGER_URL"]) as ledger:
        assert ledger.open_attempts("pipedrive:acme", "acme"), "the kill left attempts without an outcome"
    one.name = "beta"
    assert one.walk_here(monkeypatch) == 0
    with opened(one) as (_, ledger):
        assert not ledger.open_attempts("pipedrive:acme", "acme")
    one.name = "acme"
    assert one.walk_here(monkeypatch) == 0


def test_how_an_adopted_record_looked_before_is_kept(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    people = one.truth["records"]["people"]
    key = next(key for key, person in people.items() if person.get("emails") and person.get("phones"))
    api(one, "POST", "/api/v2/persons", {"name": "Known Before", "emails": [{"value": email_of(people[key]), "primary": True}]})
    assert one.walk_here(monkeypatch) == 0
    with opened(one) as (_, ledger):
        images = ledger.before_images("pipedrive:acme", "acme", "people")
    kept = {row["key"]: orjson.loads(row["before_image"]) for row in images.to_dicts() if row["before_image"]}
    assert list(kept) == [key]
    assert kept[key]["name"] == "Known Before"
    assert "phones" not in kept[key]


def test_an_adoption_that_was_killed_goes_on_with_the_same_record(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    for name, value in one.env.items():
        monkeypatch.setenv(name, value)
    people = {key: person for key, person in one.truth["records"]["people"].items() if person.get("emails")}
    before = {}
    for key, person in people.items():
        made = api(one, "POST", "/api/v2/persons", {"name": "Known Before", "emails": [{"value": email_of(person), "primary": True}]})
        before[key] = str(made["id"])
    killed = one.walk(CRM_FAILPOINT="journal.committed_unanswered:80")
    assert killed.returncode == -signal.SIGKILL
    with opened(one) as (_, ledger):
        left = [open_.attempt for open_ in ledger.open_attempts("pipedrive:acme") if open_.phase == "people"]
    assert {attempt.operation for attempt in left} == {"update"}, "the kill was to hit adoptions"
    assert one.walk().returncode == 0
    with opened(one) as (_, ledger):
        assert ledger.ids("pipedrive:acme", "acme", "people", list(before)) == before
    named = {row["name"] for row in one.sandbox.truth.live("persons") if str(row["id"]) in before.values()}
    assert named == {"Known Before"}, "filled up, and what was there stayed"
    assert len(one.sandbox.truth.live("persons")) == len(one.truth["records"]["people"])


def test_a_renamed_key_field_stops_everything_before_it_is_made_anew(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    assert one.walk_here(monkeypatch) == 0
    field = next(f for f in one.sandbox.truth.fields()["persons"] if f["field_name"] == "Kartra ID")
    api(one, "PATCH", f"/api/v2/personFields/{field['field_code']}", {"field_name": "Old ID"})
    with pytest.raises(SettingsError, match=r"Kartra ID.*renamed or deleted"):
        one.walk_here(monkeypatch)
    assert [f["field_name"] for f in one.sandbox.truth.fields()["persons"]].count("Kartra ID") == 0
    api(one, "PATCH", f"/api/v2/personFields/{field['field_code']}", {"field_name": "Kartra ID"})
    assert one.walk_here(monkeypatch) == 0


@pytest.mark.parametrize("policy", ["overwrite", "leave"])
def test_the_spec_says_what_a_record_of_before_receives(policy: str, rig: Make, monkeypatch: Patch, tmp_path: Path) -> None:
    specs = tmp_path / "specs"
    shutil.copytree(home().specs, specs)
    spec = specs / "kartra_to_pipedrive.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("existing: fill_empty", f"existing: {policy}"), encoding="utf-8")
    monkeypatch.setenv("CRM_SPECS", str(specs))
    one = rig(contacts=60)
    people = one.truth["records"]["people"]
    key = next(key for key, person in people.items() if person.get("emails") and person.get("phones"))
    there = api(one, "POST", "/api/v2/persons", {"name": "Known Before", "emails": [{"value": email_of(people[key]), "primary": True}]})
    assert one.walk_here(monkeypatch) == 0
    found = next(row for row in one.sandbox.truth.live("persons") if row["id"] == there["id"])
    assert found["name"] == (people[key]["name"] if policy == "overwrite" else "Known Before")
    assert bool(found["phones"]) is (policy == "overwrite")
    assert found["label_ids"], "tags are attached by a phase of their own, under every policy"
    with opened(one) as (_, ledger):
        assert ledger.ids("pipedrive:acme", "acme", "people", [key]) == {key: str(there["id"])}


def test_labels_that_were_taken_off_are_attached_again(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    assert one.walk_here(monkeypatch) == 0
    tagged = next(row for row in one.sandbox.truth.live("persons") if row["label_ids"])
    api(one, "PATCH", f"/api/v2/persons/{tagged['id']}", {"label_ids": []})
    assert one.walk_here(monkeypatch) == 0
    assert one.compare().differences == []
