"""What happens to an engagement over its life: a second run, a delta, an account that is in use, a day that runs out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from crm_pipelines.errors import QuotaExhausted, SourceError
from crm_pipelines_tests.lib.rig import Rig

Patch = pytest.MonkeyPatch


def tokens(rig: Rig) -> int:
    return int(rig.sandbox.truth.get("counts")["tokens_total"])


def api(rig: Rig, method: str, path: str, body: Any) -> Any:
    """Work in the account as its own people do."""
    headers = {"Authorization": f"Bearer {rig.env['CRM_TEST_TOKEN']}"}
    answer = httpx.request(method, rig.sandbox.base_url + path, json=body, headers=headers, timeout=10)
    assert answer.is_success, answer.text
    return answer.json()["data"]


def test_a_second_run_changes_nothing_and_costs_only_its_lists(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=90)
    assert one.walk_here(monkeypatch) == 0
    first, before = tokens(one), one.sandbox.truth.get("counts")["requests"]
    assert one.walk_here(monkeypatch) == 0
    after = one.sandbox.truth.get("counts")["requests"]
    writes = {name: after[name] - before.get(name, 0) for name in after if name.startswith(("add", "update", "delete"))}
    assert not any(writes.values())
    assert tokens(one) - first < 400
    assert one.compare().differences == []


def test_a_delta_updates_adds_and_disturbs_nothing_else(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=120, sample={"delta": True})
    assert one.walk_here(monkeypatch) == 0
    for file in sorted((one.folder / "delta").glob("*.csv")):
        shutil.copy(file, one.folder / "exports" / file.name)
    assert one.walk_here(monkeypatch) == 0
    one.truth = orjson.loads((one.folder / "truth_after_delta.json").read_bytes())
    assert one.compare().differences == []


def test_a_half_used_account_keeps_its_people_and_gets_no_twins(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    people = one.truth["records"]["people"]
    known = next(key for key, person in people.items() if person.get("emails") and person.get("phones"))
    address = people[known]["emails"][0]
    email = address["value"] if isinstance(address, dict) else address
    there = api(one, "POST", "/api/v2/persons", {"name": "Known Before", "emails": [{"value": email.upper(), "primary": True}]})
    other = api(one, "POST", "/api/v2/persons", {"name": "Somebody Else"})
    assert one.walk_here(monkeypatch) == 0
    persons = {row["id"]: row for row in one.sandbox.truth.live("persons")}
    assert len(persons) == len(people) + 1, "the known person was adopted, not doubled"
    assert persons[there["id"]]["name"] == "Known Before", "fill_empty never overwrites"
    assert persons[there["id"]]["phones"], "and fills what was empty"
    assert persons[other["id"]]["name"] == "Somebody Else"


def test_two_matches_in_the_account_put_the_row_in_a_queue(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    people = one.truth["records"]["people"]
    key = next(key for key, person in people.items() if person.get("emails"))
    address = people[key]["emails"][0]
    email = address["value"] if isinstance(address, dict) else address
    for name in ("First", "Second"):
        api(one, "POST", "/api/v2/persons", {"name": name, "emails": [{"value": email, "primary": True}]})
    one.walk_here(monkeypatch)
    assert len(one.sandbox.truth.live("persons")) == len(people) - 1 + 2, "nobody was created beside the two"


def test_what_a_person_changed_since_is_not_overwritten(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=120, sample={"delta": True})
    assert one.walk_here(monkeypatch) == 0
    before = {row["id"]: row for row in one.sandbox.truth.live("deals")}
    for deal in before.values():
        api(one, "PATCH", f"/api/v2/deals/{deal['id']}", {"title": f"{deal['title']} (ours)"})
    for file in sorted((one.folder / "delta").glob("*.csv")):
        shutil.copy(file, one.folder / "exports" / file.name)
    one.walk_here(monkeypatch)
    after = {row["id"]: row for row in one.sandbox.truth.live("deals")}
    assert all(after[number]["title"].endswith("(ours)") for number in before)


def test_a_day_that_runs_out_stops_cleanly_and_goes_on_after_it_turned(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    sandbox = {"plan": "premium", "seats": 1, "spent": 118_500, "auth": "api"}
    one = rig(contacts=120, sandbox=sandbox, reserve_pct=20)
    with pytest.raises(QuotaExhausted) as stopped:
        one.walk_here(monkeypatch)
    counts = one.sandbox.truth.get("counts")
    assert counts["tokens_today"] <= 150_000 * 0.8 + 60, "the client's own apps keep their reserve"
    assert counts["daily_refusals"] == 0, "the vendor never had to say no"
    assert stopped.value.resumes_at.utcoffset() is not None
    one.sandbox.truth.post("clock", {"offset_s": 24 * 3600})
    assert one.walk_here(monkeypatch) == 0
    assert one.compare().differences == []


def test_an_access_token_that_expires_is_refreshed_on_the_way(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(
        contacts=90,
        sandbox={"plan": "lite", "seats": 30, "access_ttl_s": 3},
        decisions={"extra_fields": "core"},
        sample={"custom_fields": 2},
    )
    assert one.walk_here(monkeypatch) == 0
    assert one.compare().differences == []


def test_what_was_refused_is_sent_again_once_the_cause_is_gone(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    one.sandbox.truth.post("switches", {"note_size_cap_bytes": 40})
    assert one.walk_here(monkeypatch) == 4, "refused rows keep the gate shut"
    one.sandbox.truth.post("switches", {"note_size_cap_bytes": 102_400})
    assert one.walk_here(monkeypatch) == 0
    assert one.compare().differences == []


def test_an_owner_without_a_user_blocks_everything_when_the_client_decided_so(rig: Callable[..., Rig]) -> None:
    one = rig(contacts=60, decisions={"owners": "block_phase"}, sample={"decisions": {}})
    assert one.crm("confirm", "acme", "--by", "client", "--without-sample", "test", "--automations-paused-by", "client").returncode == 0
    assert one.crm("run", "acme").returncode == 11
    assert one.sandbox.truth.live("organizations") == []
    assert one.sandbox.truth.live("persons") == []


def test_a_file_that_cannot_be_read_is_never_registered(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    contacts = next((one.folder / "exports").glob("leads_*.csv"))
    good = contacts.read_bytes()
    contacts.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)
    with pytest.raises(SourceError, match=contacts.name):
        one.walk_here(monkeypatch)
    contacts.write_bytes(good)
    assert one.walk_here(monkeypatch) == 0
    assert one.compare().differences == []


def test_what_was_registered_stays_when_the_client_replaces_the_file(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    assert one.walk_here(monkeypatch) == 0
    for file in (one.folder / "exports").glob("*.csv"):
        file.unlink()
    shutil.rmtree(one.folder / "work" / "staged")
    assert one.walk_here(monkeypatch) == 0
    assert one.compare().differences == []
