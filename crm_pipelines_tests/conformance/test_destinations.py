"""What every destination must do, run against each vendor's server: prepare, write, find, read, change, delete, look up.

Figures are read from the server's side. What differs between vendors stands in worlds.py; what one alone does, in its own file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import orjson
import pytest

from crm_pipelines.destinations.base import Destination, WriteRow
from crm_pipelines.errors import SettingsError, TransientError
from crm_pipelines.keys import payload_hash, record_token
from crm_pipelines_tests.conformance import worlds
from crm_pipelines_tests.conformance.worlds import World, prepared
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal

CHANGE: Mapping[str, Any] = {"name": "Changed", "custom": {"Score": 2}}
BAD: Mapping[str, Any] = {"custom": {"Score": "twelve"}}
WORLDS = [pytest.param("pipedrive", id="pipedrive"), pytest.param("odoo", id="odoo", marks=pytest.mark.odoo)]


@pytest.fixture(scope="module", params=WORLDS)
def shared(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "odoo":
        yield worlds.Odoo(request.getfixturevalue("odoo_server"))
        return
    with worlds.pipedrive() as world:
        yield world


@pytest.fixture
def world(shared: World) -> World:
    shared.fresh()
    return shared


@pytest.fixture
def destination(world: World) -> Iterator[Destination]:
    made = prepared(world)
    yield made
    made.close()


def _rows(world: World, destination: Destination, phase: str, payloads: Mapping[str, Mapping[str, Any]]) -> list[WriteRow]:
    is_marked = phase in destination.capabilities.visible_token_phases
    has_field = any(field.phase == phase and field.is_external_id for field in world.wanted.fields)
    rows = []
    for key, payload in payloads.items():
        keyed = {**payload, "custom": {**payload.get("custom", {}), "Source ID": key}} if has_field else payload
        raw = orjson.dumps(keyed, option=orjson.OPT_SORT_KEYS)
        rows.append(WriteRow(key, "create", keyed, payload_hash(raw), raw, record_token("acme", phase, key) if is_marked else key))
    return rows


def _create(world: World, destination: Destination, phase: str, payloads: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    journal = MemoryJournal(phase)
    report = destination.write(phase, _rows(world, destination, phase, payloads), journal, None)
    assert report.created == len(payloads), [outcome.reason for outcome in journal.outcomes.values()]
    return {outcome.key: str(outcome.destination_id) for outcome in journal.outcomes.values()}


def _linked(world: World, destination: Destination, phase: str) -> dict[str, Any]:
    """Return a phase's payload with the links that it needs, their parents made first."""
    parents = world.required_links.get(phase, {})
    made = {name: _create(world, destination, of, {f"parent of {phase}": _plain(world, of)}) for name, of in parents.items()}
    return {**world.payloads[phase], **{name: next(iter(ids.values())) for name, ids in made.items()}}


def _plain(world: World, phase: str) -> Mapping[str, Any]:
    return world.person("parent") if phase == "people" else world.payloads[phase]


def _payload(destination: Destination, phase: str, number: str) -> dict[str, Any]:
    return dict(orjson.loads(destination.read(phase, [number], MemoryJournal()).item(0, "payload")))


EVERY_PHASE = [
    pytest.param(name, phase, id=f"{name}-{phase}", marks=marks)
    for name, of, marks in (("pipedrive", worlds.Pipedrive, ()), ("odoo", worlds.Odoo, pytest.mark.odoo))
    for phase in sorted(of.payloads)
]
"""Of each world the phases that it has."""


def test_describe_tells_the_account_and_its_users(world: World) -> None:
    destination = world.open()
    schema = destination.describe()
    assert schema.users[world.owner]
    assert schema.account
    assert schema.plan
    destination.close()


def test_inspect_reads_only_and_tells_no_record(world: World, destination: Destination) -> None:
    _create(world, destination, "people", {"k": world.person("Unmistakable")})
    before = world.everything()
    journal = MemoryJournal("describe")
    found = destination.inspect(journal, world.wanted)
    told = orjson.dumps(asdict(found)).decode()
    assert world.everything() == before
    assert journal.attempts == {}
    assert found.requests > 0
    assert "unmistakable" not in told.casefold()
    assert all(one.told and one.name for one in found.findings)
    assert {one.topic for one in found.findings} >= {"plan", "seats", "users", "settings", "automations"}
    assert found.schema == destination.describe()
    assert found.records["people"] >= 1
    assert found.hides_automations or any(one.topic == "automations" and one.level == "good" for one in found.findings)


def test_prepare_makes_what_is_missing_and_then_nothing_is(world: World) -> None:
    destination = world.open()
    steps = destination.missing(world.wanted, destination.describe())
    journal = MemoryJournal("destination_schema")
    schema = destination.prepare(world.wanted, journal)
    assert steps
    assert destination.missing(world.wanted, schema) == []
    assert destination.missing(world.wanted, destination.describe()) == []
    assert set(journal.results().values()) == {"created"}
    assert set(world.custom_fields("people")) >= {field.name for field in world.wanted.fields if field.phase == "people"}
    destination.close()


def test_prepare_killed_between_any_two_steps_makes_nothing_twice(world: World) -> None:
    class Killed(BaseException):
        pass

    class DyingJournal(MemoryJournal):
        def sending(self, attempts: Any, allowance: Any) -> list[int]:
            if len(self.attempts) == 2:
                raise Killed
            return super().sending(attempts, allowance)

    for _ in range(12):
        destination = world.open()
        try:
            destination.prepare(world.wanted, DyingJournal("destination_schema"))
            break
        except Killed:
            continue
        finally:
            destination.close()
    names = world.custom_fields("people")
    assert len(names) == len(set(names))
    assert set(names) >= {field.name for field in world.wanted.fields if field.phase == "people"}


@pytest.mark.parametrize(("shared", "phase"), EVERY_PHASE, indirect=["shared"])
def test_what_is_written_is_found_and_read_and_gone_when_it_is_taken_back(world: World, destination: Destination, phase: str) -> None:
    payload = _linked(world, destination, phase)
    number = _create(world, destination, phase, {"k": payload})["k"]
    read = _payload(destination, phase, number)
    assert {name: read.get(name) for name in payload if name != "custom"} == {n: v for n, v in payload.items() if n != "custom"}
    assert payload.get("custom", {}).items() <= read.get("custom", {}).items()
    key = record_token("acme", phase, "k") if phase in destination.capabilities.visible_token_phases else "k"
    found = destination.find(phase, MemoryJournal())
    assert found.filter(key=key).get_column("destination_id").to_list() == [number]
    destination.revert(phase, [WriteRow("k", "delete", {}, "h", b"", key, number)], MemoryJournal())
    assert destination.find(phase, MemoryJournal()).filter(key=key).is_empty()
    assert destination.read(phase, [number], MemoryJournal()).is_empty()


def test_hundreds_are_found_once_each_and_the_server_holds_no_more(world: World, destination: Destination) -> None:
    people = {f"p{n}": world.person(f"p{n}") for n in range(650)}
    journal = MemoryJournal()
    report = destination.write("people", _rows(world, destination, "people", people), journal, None)
    assert (report.sent, report.created, report.unknown) == (650, 650, 0)
    found = destination.find("people", MemoryJournal())
    assert sorted(found.get_column("key").to_list()) == sorted(people)
    assert world.count("people") == 650
    assert destination.read("people", found.get_column("destination_id").to_list()[:250], MemoryJournal()).height == 250
    assert journal.open_attempts() == []


def test_ours_are_not_among_the_records_to_match_with(world: World, destination: Destination) -> None:
    _create(world, destination, "people", {"p": world.person("p")})
    assert "p@example.com" not in destination.existing("people", MemoryJournal()).get_column("match").to_list()


def test_an_update_sends_the_changes_alone(world: World, destination: Destination) -> None:
    made = _create(world, destination, "people", {"k": world.payloads["people"]})
    before = _payload(destination, "people", made["k"])
    row = WriteRow("k", "update", {"name": "ignored"}, "h2", b"{}", "k", made["k"], CHANGE)
    assert destination.write("people", [row], MemoryJournal(), None).updated == 1
    after = {**before, **CHANGE, "custom": {**before["custom"], **CHANGE["custom"]}}
    assert _payload(destination, "people", made["k"]) == after


def test_a_payload_that_cannot_be_a_record_fails_alone_and_its_reason_holds_no_value(world: World, destination: Destination) -> None:
    people = {f"p{n}": world.person(f"p{n}") for n in range(5)}
    people["p2"] = {**people["p2"], **BAD}
    journal = MemoryJournal()
    report = destination.write("people", _rows(world, destination, "people", people), journal, None)
    assert (report.created, report.refused) == (4, 1)
    reason = next(outcome.reason for outcome in journal.outcomes.values() if outcome.result == "refused")
    assert reason
    assert "twelve" not in reason
    assert world.count("people") == 4


@pytest.mark.parametrize("after_commit", [True, False])
@pytest.mark.parametrize("place", [0, 1])
def test_an_unanswered_create_is_looked_up_and_never_doubled(world: World, after_commit: bool, place: int) -> None:
    phase = world.cuts[place]
    ready = prepared(world)
    payload = _linked(world, ready, phase) if phase != "people" else world.person("k")
    ready.close()
    destination = world.lossy(phase, after_commit=after_commit)
    destination.describe()
    destination.prepare(world.wanted, MemoryJournal())
    journal = MemoryJournal(phase)
    payloads = {f"k{n}": world.person(f"k{n}") if phase == "people" else payload for n in range(6)}
    rows = _rows(world, destination, phase, payloads)
    report = destination.write(phase, rows, journal, None)
    assert report.unknown > 0
    assert report.created + report.unknown == 6
    destination.close()
    resumed = world.open()
    answers = resumed.lookup(phase, journal.open_attempts(), journal)
    assert [len(ids) for ids in answers.values()] == [1 if after_commit else 0] * report.unknown
    absent = {attempt.attempt.key for attempt in journal.open_attempts() if not answers[attempt.attempt_id]}
    resumed.write(phase, [row for row in rows if row.key in absent], MemoryJournal(phase), None)
    assert world.count(phase) == 6
    resumed.close()


def test_a_lookup_of_schema_steps_finds_nothing(world: World) -> None:
    destination = world.open()
    journal = MemoryJournal("destination_schema")
    destination.prepare(world.wanted, journal)
    journal.outcomes.clear()
    assert destination.lookup("destination_schema", journal.open_attempts(), journal) == {}
    destination.close()


def test_a_vendor_that_is_away_is_said_so(world: World) -> None:
    destination = world.open(base_url="http://127.0.0.1:9")
    with pytest.raises(TransientError, match="no connection"):
        destination.describe()
    destination.close()


def test_a_wrong_key_is_said_so(world: World) -> None:
    destination = world.open(token="0" * 40, token_env="ACME_TOKEN")
    with pytest.raises(SettingsError, match="ACME_TOKEN"):
        destination.describe()
    destination.close()
