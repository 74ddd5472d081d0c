"""What survives a sandbox that is killed."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from crm_pipelines_tests.unit.sandbox.conftest import PLAIN, Client, Launch

PERSONS = "/api/v2/persons"


def test_everything_answered_survives_kill_nine(launch: Launch, tmp_path: Path) -> None:
    config = replace(PLAIN, state=tmp_path / "account.jsonl", spent=1_000)
    first = launch(config)
    with Client(first) as api:
        field = api.make("/api/v2/personFields", {"field_name": "F", "field_type": "enum", "options": [{"label": "One"}]})
        for number in range(50):
            api.make(PERSONS, {"name": f"P{number}", "custom_fields": {field["field_code"]: field["options"][0]["id"]}})
        api.delete(f"{PERSONS}/3")
        api.post(PERSONS, json={"nope": 1})
        file = api.post("/v1/files", files={"file": ("a.txt", b"content")}, data={"person_id": "1"}).json()["data"]
    first.truth.next_day()
    first.truth.set_switches(deal_add_time=True)
    before = (
        first.truth.records("persons"),
        first.truth.fields(),
        first.truth.counts(),
        first.truth.get("switches"),
        first.truth.requests(),
    )
    offset = first.truth.get("clock")["offset_s"]
    first.kill()

    second = launch(config)
    after = (
        second.truth.records("persons"),
        second.truth.fields(),
        second.truth.counts(),
        second.truth.get("switches"),
        second.truth.requests(),
    )
    assert after == before
    assert second.truth.get("clock")["offset_s"] == pytest.approx(offset)
    assert sum(second.truth.counts()["tokens_by_day"].values()) == 1_000 + sum(second.truth.counts()["tokens"].values())
    with Client(second, Authorization=f"Bearer {config.token}") as api:
        assert api.make(PERSONS, {"name": "next"})["id"] == 51
        assert api.get(f"/v1/files/{file['id']}/download").content == b"content"
        added = api.post(f"/api/v2/personFields/{field['field_code']}/options", json=[{"label": "Two"}]).json()["data"]
        assert added[0]["id"] > field["options"][0]["id"]


def test_state_is_private_and_a_torn_line_is_cut(launch: Launch, tmp_path: Path) -> None:
    state = tmp_path / "account.jsonl"
    first = launch(state=state)
    with Client(first) as api:
        api.make(PERSONS, {"name": "A"})
        api.make(PERSONS, {"name": "B"})
    first.kill()
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    state.write_bytes(state.read_bytes()[:-10])
    second = launch(state=state)
    assert [row["name"] for row in second.truth.live("persons")] == ["A"]
    with Client(second) as api:
        assert api.make(PERSONS, {"name": "C"})["id"] == 2
    second.kill()
    assert [json.loads(line) for line in state.read_text().splitlines()]


def test_reset_forgets_the_file_too(launch: Launch, tmp_path: Path) -> None:
    state = tmp_path / "account.jsonl"
    first = launch(state=state)
    with Client(first) as api:
        api.make(PERSONS, {"name": "A"})
    first.truth.reset()
    assert first.truth.records("persons") == []
    first.kill()
    second = launch(state=state)
    assert (second.truth.records("persons"), second.truth.counts()["tokens_total"]) == ([], 0)
