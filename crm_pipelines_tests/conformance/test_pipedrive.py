"""What Pipedrive alone does: tokens and the day's budget, visible tokens, labels of e-mails, closing times, switches of the sandbox.

Figures are read from the server's side. What every destination must do stands in test_destinations.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from crm_pipelines.destinations.base import Destination, WantedField, WantedSchema, WriteRow
from crm_pipelines.destinations.pipedrive import connect as connect_pipedrive
from crm_pipelines.errors import QuotaExhausted, SettingsError
from crm_pipelines.keys import payload_hash, record_token
from crm_pipelines.sandbox.pipedrive import RunningSandbox, SandboxConfig, start
from crm_pipelines.sandbox.pipedrive.config import SandboxUser, Switches
from crm_pipelines.settings import AccountSettings
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal

OWNER = "ana@example.com"
PIPEDRIVE = SandboxConfig(
    token="token", auth="oauth", seats=10, users=(SandboxUser("admin@example.com", "Ada", is_admin=True), SandboxUser(OWNER, "Ana"))
)
WANTED = WantedSchema(
    fields=(
        WantedField("organizations", "Source ID", "text", is_external_id=True),
        WantedField("people", "Source ID", "text", is_external_id=True),
        WantedField("deals", "Source ID", "text", is_external_id=True),
        WantedField("people", "Consent", "enum", ("On", "Off")),
        WantedField("people", "Colours", "set", ("red", "blue")),
        WantedField("people", "Home", "address"),
        WantedField("people", "Born", "date"),
        WantedField("people", "Remark", "long_text"),
        WantedField("people", "Score", "number"),
        WantedField("people", "Agreed", "boolean"),
        WantedField("deals", "Refunded", "number"),
    ),
    labels={"people": ("VIP", "Customer"), "deals": ("Sale",), "organizations": ("Partner",)},
    stages={"Source": ("Purchases", "Subscriptions")},
    types={"activities": ("call", "meeting", "Webinar")},
)


@dataclass
class World:
    """One destination on one running sandbox."""

    name: str
    sandbox: RunningSandbox
    connect: Callable[[AccountSettings], Destination]
    settings: AccountSettings

    def open(self) -> Destination:
        return self.connect(self.settings)

    def prepared(self, journal: MemoryJournal | None = None) -> Destination:
        destination = self.open()
        destination.describe()
        destination.prepare(WANTED, journal or MemoryJournal())
        return destination


def _pipedrive(config: SandboxConfig) -> Iterator[World]:
    with start(config) as sandbox:
        yield World(
            "pipedrive",
            sandbox,
            connect_pipedrive,
            AccountSettings(
                name="acme",
                destination="pipedrive",
                base_url=sandbox.base_url,
                token=sandbox.token,
                auth="oauth" if config.auth == "oauth" else "api_token",
                apply_within_s=0.2,
                reserve_pct=0,
            ),
        )


WORLDS: Mapping[str, Callable[[], Iterator[World]]] = {"pipedrive": lambda: _pipedrive(PIPEDRIVE)}


@pytest.fixture(scope="module", params=sorted(WORLDS))
def shared(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from WORLDS[request.param]()


@pytest.fixture
def world(shared: World) -> World:
    shared.sandbox.truth.clear_faults()
    shared.sandbox.truth.reset()
    return shared


def _rows(phase: str, payloads: Mapping[str, Mapping[str, Any]], destination: Destination) -> list[WriteRow]:
    visible = phase in destination.capabilities.visible_token_phases
    rows = []
    for key, payload in payloads.items():
        raw = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
        rows.append(WriteRow(key, "create", payload, payload_hash(raw), raw, record_token("acme", phase, key) if visible else key))
    return rows


def _people(count: int, **more: Any) -> dict[str, dict[str, Any]]:
    return {
        f"p{n}": {"name": f"Person {n}", "emails": [f"p{n}@example.com"], "custom": {"Source ID": f"p{n}"}, **more} for n in range(count)
    }


def _create(destination: Destination, phase: str, payloads: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    journal = MemoryJournal(phase)
    report = destination.write(phase, _rows(phase, payloads, destination), journal, None)
    assert report.created == len(payloads), report
    return {outcome.key: str(outcome.destination_id) for outcome in journal.outcomes.values()}


def _payload(destination: Destination, phase: str, destination_id: str) -> dict[str, Any]:
    frame = destination.read(phase, [destination_id], MemoryJournal())
    return dict(orjson.loads(frame.item(0, "payload")))


def test_describe_tells_users_plan_and_caps(world: World) -> None:
    destination = world.open()
    schema = destination.describe()
    assert schema.users[OWNER]
    assert (schema.plan, schema.seats) == ("ultimate", 10)
    assert schema.caps["custom_fields"] == 500
    assert set(schema.labels) >= {"people", "deals", "organizations"}
    destination.close()


def test_prepare_makes_what_is_missing_and_then_nothing_is(world: World) -> None:
    destination = world.open()
    steps = destination.missing(WANTED, destination.describe())
    journal = MemoryJournal("destination_schema")
    schema = destination.prepare(WANTED, journal)
    assert destination.missing(WANTED, schema) == []
    assert destination.missing(WANTED, destination.describe()) == []
    assert sum(a.cost for a in journal.attempts.values()) == sum(step.tokens for step in steps)
    assert set(journal.results().values()) == {"created"}
    assert list(schema.stages["Source"]) == ["Purchases", "Subscriptions"]
    destination.close()


def test_prepare_killed_between_any_two_steps_makes_nothing_twice(world: World) -> None:
    class Killed(BaseException):
        pass

    class DyingJournal(MemoryJournal):
        def sending(self, attempts: Any, allowance: Any) -> list[int]:
            if len(self.attempts) == 3:
                raise Killed
            return super().sending(attempts, allowance)

    for _ in range(12):
        destination = world.open()
        try:
            destination.prepare(WANTED, DyingJournal("destination_schema"))
            break
        except Killed:
            continue
        finally:
            destination.close()
    names = [f["field_name"] for f in world.sandbox.truth.fields()["persons"] if f["is_custom_field"]]
    assert sorted(names) == sorted({f.name for f in WANTED.fields if f.phase == "people"})
    assert [s["name"] for s in world.sandbox.truth.live("stages")].count("Purchases") == 1


def test_options_that_appear_later_are_added_to_the_field(world: World) -> None:
    destination = world.prepared()
    grown = replace(
        WANTED, fields=tuple(replace(f, options=(*f.options, "green", "grey")) if f.name == "Colours" else f for f in WANTED.fields)
    )
    schema = destination.describe()
    steps = destination.missing(grown, schema)
    assert [(s.kind, s.of, s.name, s.tokens) for s in steps] == [("option", "Colours", "green", 5), ("option", "Colours", "grey", 0)]
    assert destination.missing(grown, destination.prepare(grown, MemoryJournal())) == []
    destination.close()


def test_two_fields_of_one_name_stop_the_run_and_are_both_named(world: World) -> None:
    world.prepared().close()
    twin = world.open()
    schema = twin.describe()
    doubled = replace(
        schema, fields=(*schema.fields, *(replace(f, code="f" * 40) for f in schema.fields if f.name == "Born" and f.is_custom))
    )
    with pytest.raises(SettingsError, match=r"Born.*f{40}"):
        twin.missing(WANTED, doubled)
    twin.close()


PAYLOADS: Mapping[str, Mapping[str, Any]] = {
    "organizations": {"name": "Örg & Co", "add_time": "2019-03-04T05:06:07Z", "label_ids": ["Partner"], "custom": {"Source ID": "k"}},
    "people": {
        "name": "Zoë O'Neill",
        "emails": ["zoe@example.com", "second@example.org"],
        "phones": ["+14155550123 x371"],
        "add_time": "2018-01-02T03:04:05Z",
        "label_ids": ["VIP", "Customer"],
        "custom": {
            "Source ID": "k",
            "Consent": "Off",
            "Colours": ["red", "blue"],
            "Home": {"value": "1 Rue X, Paris", "locality": "Paris", "country": "France", "postal_code": "75001"},
            "Born": "1990-12-31",
            "Remark": "two\nlines \N{GRINNING FACE}",
            "Score": 12.5,
            "Agreed": True,
        },
    },
    "deals": {
        "title": "Course (42)",
        "value": 199.99,
        "currency": "EUR",
        "status": "won",
        "won_time": "2020-02-29T23:59:59Z",
        "expected_close_date": "2020-03-01",
        "pipeline": "Source",
        "stage": "Subscriptions",
        "label_ids": ["Sale"],
        "custom": {"Source ID": "k", "Refunded": 10},
    },
    "activities": {
        "subject": "Cancelled: Intro",
        "type": "Webinar",
        "due_date": "2021-05-06",
        "due_time": "09:05:00",
        "duration": "01:30:00",
        "done": True,
        "location": "Room <1>",
        "note": "Source booking 17",
    },
    "notes": {"content": "Hello <b>you</b>"},
}


@pytest.mark.parametrize("phase", list(PAYLOADS))
def test_what_is_written_is_what_is_read(world: World, phase: str) -> None:
    destination = world.prepared()
    person = _create(destination, "people", _people(1))["p0"]
    owner = destination.describe().users[OWNER]
    links = {"activities": {"participants": person, "owner_id": owner}, "notes": {"person_id": person}, "deals": {"person_id": person}}
    payload = {**PAYLOADS[phase], **links.get(phase, {"owner_id": owner})}
    made = _create(destination, phase, {"k": payload})
    read = _payload(destination, phase, made["k"])
    assert {name: read.get(name) for name in payload} == payload
    found = destination.find(phase, MemoryJournal())
    key = record_token("acme", phase, "k") if phase in destination.capabilities.visible_token_phases else "k"
    assert made["k"] in found.filter(found["key"] == key)["destination_id"].to_list()
    destination.close()


def test_a_lost_deal_keeps_its_time_and_reason(world: World) -> None:
    destination = world.prepared()
    payload = {**PAYLOADS["deals"], "status": "lost", "lost_time": "2020-01-01T00:00:00Z", "lost_reason": "Refunded"}
    del payload["won_time"]
    made = _create(destination, "deals", {"k": payload})
    read = _payload(destination, "deals", made["k"])
    assert {name: read.get(name) for name in payload} == payload
    destination.close()


def test_visible_tokens_stand_at_the_end_of_the_text(world: World) -> None:
    destination = world.prepared()
    person = _create(destination, "people", _people(1))["p0"]
    _create(destination, "activities", {"a": {"subject": "s", "type": "call", "note": "Source booking 17", "participants": person}})
    _create(destination, "notes", {"n": {"content": "Hello", "person_id": person}})
    truth = world.sandbox.truth
    assert truth.live("activities")[0]["note"] == f"Source booking 17<br>[{record_token('acme', 'activities', 'a')}]"
    assert truth.live("notes")[0]["content"] == f"Hello<br><br>[{record_token('acme', 'notes', 'n')}]"
    destination.close()


def test_find_shows_duplicates_and_money_and_leaves_out_what_was_deleted_or_is_not_ours(world: World) -> None:
    destination = world.prepared()
    deal = {"title": "t", "value": 5, "currency": "USD", "status": "open", "pipeline": "Source", "stage": "Purchases"}
    for key in ("d1", "d1", "d2"):
        _create(destination, "deals", {key: {**deal, "custom": {"Source ID": key}}})
    stranger = _create(destination, "deals", {"x": deal})
    gone = WriteRow(
        "d2", "delete", {}, "h", b"", "d2", destination.find("deals", MemoryJournal()).filter(key="d2").item(0, "destination_id")
    )
    destination.revert("deals", [gone], MemoryJournal())
    found = destination.find("deals", MemoryJournal())
    assert found.get_column("key").to_list() == ["d1", "d1"]
    assert set(found.select("amount", "currency", "status").rows()) == {(5.0, "USD", "open")}
    existing = destination.existing("deals", MemoryJournal())
    assert existing.get_column("destination_id").to_list() == [stranger["x"]]
    destination.close()


@pytest.mark.parametrize("phase", list(PAYLOADS))
def test_a_deleted_record_is_neither_found_nor_read(world: World, phase: str) -> None:
    destination = world.prepared()
    person = _create(destination, "people", {"x": {"name": "X"}})["x"]
    links = {"activities": {"participants": person}, "notes": {"person_id": person}}.get(phase, {})
    made = _create(destination, phase, {"k": {**PAYLOADS[phase], **links}})
    destination.revert(phase, [WriteRow("k", "delete", {}, "h", b"", "k", made["k"])], MemoryJournal())
    assert destination.find(phase, MemoryJournal()).is_empty()
    assert destination.read(phase, [made["k"]], MemoryJournal()).is_empty()
    assert destination.read(phase, [made["k"], *map(str, range(900, 1000))], MemoryJournal()).is_empty()
    destination.close()


def test_existing_people_match_by_any_of_their_addresses(world: World) -> None:
    destination = world.prepared()
    _create(destination, "people", {"x": {"name": "Old", "emails": ["A.B@Example.com", "other@example.org"]}})
    _create(destination, "people", _people(2))
    existing = destination.existing("people", MemoryJournal())
    assert sorted(existing.get_column("match").to_list()) == ["a.b@example.com", "other@example.org"]
    destination.close()


def test_hundreds_of_records_are_one_request_each_and_the_books_agree(world: World) -> None:
    journal = MemoryJournal()
    destination = world.open()
    destination.describe(journal)
    destination.prepare(WANTED, journal)
    destination.write("people", _rows("people", _people(650), destination), journal, None)
    found = destination.find("people", journal)
    ids = found.get_column("destination_id").to_list()
    assert destination.read("people", ids[:250], journal).height == 250
    counts = world.sandbox.truth.counts()
    assert sorted(found.get_column("key").to_list()) == sorted(_people(650))
    assert counts["tokens"]["addPerson"] == 650 * 5
    assert journal.reserved() == counts["tokens_today"]
    assert journal.remaining == counts["tokens_per_day"] - counts["tokens_today"]
    assert counts["violations"] == counts["search_calls"] == 0
    destination.close()


def test_an_update_sends_the_changes_only_and_keeps_what_a_person_labelled(world: World) -> None:
    destination = world.prepared()
    home = [{"value": "home@example.com", "primary": True, "label": "home"}]
    made = _create(
        destination, "people", {"p": {"name": "N", "emails": home, "label_ids": ["VIP"], "custom": {"Source ID": "p", "Score": 1}}}
    )
    assert _payload(destination, "people", made["p"])["emails"] == ["home@example.com"]
    changes = {"emails": ["home@example.com", "new@example.com"], "label_ids": ["VIP", "Customer"], "custom": {"Score": 2}}
    row = WriteRow("p", "update", {"name": "ignored"}, "h2", b"{}", "p", made["p"], changes)
    report = destination.write("people", [row], MemoryJournal(), None)
    assert report.updated == 1
    stored = world.sandbox.truth.live("persons")[0]
    assert stored["name"] == "N"
    assert [(e["value"], e["label"], e["primary"]) for e in stored["emails"]] == [
        ("home@example.com", "home", True),
        ("new@example.com", "work", False),
    ]
    assert _payload(destination, "people", made["p"])["custom"] == {"Source ID": "p", "Score": 2}
    destination.close()


def test_an_update_of_a_text_keeps_its_visible_token(world: World) -> None:
    destination = world.prepared()
    person = _create(destination, "people", _people(1))["p0"]
    made = _create(destination, "activities", {"a": {"subject": "s", "type": "call", "note": "old", "participants": person}})
    assert _payload(destination, "activities", made["a"])["note"] == "old"
    row = WriteRow("a", "update", {}, "h2", b"{}", "a", made["a"], {"note": "new", "done": True})
    assert destination.write("activities", [row], MemoryJournal(), None).updated == 1
    assert _payload(destination, "activities", made["a"])["note"] == "new"
    assert destination.find("activities", MemoryJournal()).get_column("key").to_list() == [record_token("acme", "activities", "a")]
    destination.close()


def test_a_payload_that_cannot_be_a_record_fails_alone(world: World) -> None:
    destination = world.prepared()
    people = _people(3)
    people["p1"]["custom"]["Score"] = "twelve"
    people["p2"]["custom"]["Source ID"] = "x" * 256
    journal = MemoryJournal()
    assert destination.write("people", _rows("people", people, destination), journal, None).refused == 2
    assert journal.results() == {"p0": "created", "p1": "refused", "p2": "refused"}
    reasons = {outcome.key: outcome.reason for outcome in journal.outcomes.values()}
    assert reasons["p2"] == "too_long: Source ID, Pipedrive takes 255 characters"
    assert world.sandbox.truth.counts()["tokens"]["addPerson"] == 5
    destination.close()


def test_a_refused_record_names_its_reason_without_its_value_and_the_others_arrive(world: World) -> None:
    destination = world.prepared()
    people = _people(5)
    people["p2"]["org_id"] = "999999"
    journal = MemoryJournal()
    report = destination.write("people", _rows("people", people, destination), journal, None)
    assert (report.created, report.refused) == (4, 1)
    reason = next(o.reason for o in journal.outcomes.values() if o.result == "refused")
    assert reason
    assert "999999" not in reason
    destination.close()


@pytest.mark.parametrize(("kind", "found"), [("drop_after_commit", True), ("drop_before_commit", False)])
@pytest.mark.parametrize("phase", ["people", "notes"])
def test_an_unanswered_create_is_looked_up_and_never_doubled(world: World, kind: str, found: bool, phase: str) -> None:
    destination = world.prepared()
    person = _create(destination, "people", _people(1))["p0"]
    path = {"people": "/api/v2/persons", "notes": "/api/v1/notes"}[phase]
    world.sandbox.truth.set_faults({"kind": kind, "match": {"method": "POST", "path_prefix": path}, "after": 3, "times": 2})
    payloads = {f"k{n}": {"name": "N", "custom": {"Source ID": f"k{n}"}} for n in range(10)}
    if phase == "notes":
        payloads = {f"k{n}": {"content": f"text {n}", "person_id": person} for n in range(10)}
    journal = MemoryJournal(phase)
    report = destination.write(phase, _rows(phase, payloads, destination), journal, None)
    assert (report.created, report.unknown) == (8, 2)
    destination.close()
    resumed = world.open()
    answers = resumed.lookup(phase, journal.open_attempts(), journal)
    assert [len(ids) for ids in answers.values()] == [1 if found else 0] * 2
    resumed.close()


def test_a_server_error_after_the_commit_is_unknown_and_found(world: World) -> None:
    destination = world.prepared()
    world.sandbox.truth.set_faults({"kind": "error5xx", "match": {"method": "POST"}, "is_committed": True, "times": 1})
    journal = MemoryJournal("people")
    assert destination.write("people", _rows("people", _people(3), destination), journal, None).unknown == 1
    (answer,) = destination.lookup("people", journal.open_attempts(), journal).values()
    assert len(answer) == 1
    destination.close()


def test_a_storm_of_429s_costs_time_but_no_record(world: World) -> None:
    destination = world.prepared()
    world.sandbox.truth.set_faults({"kind": "storm429", "match": {"method": "POST"}, "after": 10, "times": 6})
    report = destination.write("people", _rows("people", _people(30), destination), MemoryJournal(), None)
    assert (report.created, report.unknown, report.refused) == (30, 0, 0)
    assert len(world.sandbox.truth.live("persons")) == 30
    destination.close()


def test_the_day_runs_out_in_the_middle_and_goes_on_the_next(world: World) -> None:
    destination = world.prepared()
    limit = world.sandbox.truth.counts()["tokens_per_day"]
    left = limit - world.sandbox.truth.counts()["tokens_today"]
    journal = MemoryJournal(room=52)
    with pytest.raises(QuotaExhausted):
        destination.write("people", _rows("people", _people(30), destination), journal, None)
    assert len(world.sandbox.truth.live("persons")) == 10
    assert destination.budget().remaining == left - 50
    rest = {key: value for key, value in _people(30).items() if key not in journal.results()}
    _create(destination, "people", rest)
    assert len(world.sandbox.truth.live("persons")) == 30
    destination.close()


SWITCHES: Mapping[str, Switches] = {
    "label_field_named_label": Switches(label_field_code="label"),
    "closing_times_not_on_create": Switches(won_time_on_create=False),
    "pipelines_come_with_stages": Switches(pipeline_default_stages=True),
    "deals_take_add_time": Switches(deal_add_time=True),
    "no_daily_headers": Switches(daily_token_headers=False),
    "failed_calls_are_free": Switches(failed_calls_cost=False),
    "burst_429_without_retry_after": Switches(burst_retry_after=False),
    "deleted_reads_as_404": Switches(deleted_reads="not_found", not_found_code="ERR_NOT_FOUND"),
}


@pytest.mark.parametrize("switch", list(SWITCHES))
def test_what_pipedrive_leaves_open_does_not_matter(switch: str) -> None:
    for world in _pipedrive(replace(PIPEDRIVE, switches=SWITCHES[switch])):
        destination = world.prepared()
        made = _create(destination, "deals", {f"d{n}": {**PAYLOADS["deals"], "custom": {"Source ID": f"d{n}"}} for n in range(12)})
        read = _payload(destination, "deals", made["d3"])
        wanted = {**PAYLOADS["deals"], "custom": {"Source ID": "d3"}}
        assert {name: read.get(name) for name in wanted} == wanted
        assert destination.find("deals", MemoryJournal()).height == 12
        assert destination.budget().remaining > 0
        destination.revert("deals", [WriteRow("d3", "delete", {}, "h", b"", "d3", made["d3"])], MemoryJournal())
        assert destination.read("deals", [made["d3"]], MemoryJournal()).height == 0
        world.sandbox.truth.set_faults({"kind": "storm429", "match": {"method": "POST"}, "times": 1})
        _create(destination, "people", _people(2))
        destination.close()


def test_a_deal_that_was_created_open_and_lost_its_second_request_is_closed_by_the_lookup() -> None:
    for world in _pipedrive(replace(PIPEDRIVE, switches=Switches(won_time_on_create=False))):
        destination = world.prepared()
        world.sandbox.truth.set_faults({"kind": "drop_before_commit", "match": {"method": "PATCH"}})
        journal = MemoryJournal("deals")
        report = destination.write("deals", _rows("deals", {"k": PAYLOADS["deals"]}, destination), journal, None)
        assert report.unknown == 1
        world.sandbox.truth.clear_faults()
        ((deal,),) = destination.lookup("deals", journal.open_attempts(), journal).values()
        read = _payload(destination, "deals", deal)
        assert (read["status"], read["won_time"]) == ("won", PAYLOADS["deals"]["won_time"])
        destination.close()


def test_a_plan_that_cannot_hold_the_map_is_named_before_anything_is_made() -> None:
    for world in _pipedrive(replace(PIPEDRIVE, plan="lite", seats=1)):
        destination = world.open()
        many = replace(WANTED, fields=(*WANTED.fields, *(WantedField("people", f"Field {n}", "text") for n in range(30))))
        with pytest.raises(SettingsError, match=r"lite plan allows 30 custom fields.*0 exist.*41 more"):
            destination.prepare(many, MemoryJournal())
        assert [f for f in world.sandbox.truth.fields()["persons"] if f["is_custom_field"]] == []
        with pytest.raises(SettingsError, match="2500 open deals"):
            destination.missing(replace(WANTED, counts={"open_deals": 2501}), destination.describe())
        destination.close()


def test_the_vendors_own_end_of_day_stops_the_run_and_the_rest_goes_out_the_next() -> None:
    for world in _pipedrive(replace(PIPEDRIVE, plan="lite", seats=1, spent=30_000 - 260, auth="api")):
        destination = world.prepared()
        people = _people(30)
        journal = MemoryJournal("people")
        with pytest.raises(QuotaExhausted) as caught:
            destination.write("people", _rows("people", people, destination), journal, None)
        destination.close()
        assert journal.open_attempts() == []
        made = {key for key, result in journal.results().items() if result == "created"}
        assert len(made) == len(world.sandbox.truth.live("persons")) < 30
        assert world.sandbox.truth.counts()["daily_refusals"] <= destination.capabilities.concurrency
        seconds = world.sandbox.truth.get("clock")["seconds_to_midnight"]
        assert abs((caught.value.resumes_at - datetime.now(UTC)).total_seconds() - seconds) < 5
        world.sandbox.truth.next_day()
        destination = world.open()
        _create(destination, "people", {key: value for key, value in people.items() if key not in made})
        assert len(world.sandbox.truth.live("persons")) == 30
        destination.close()
