"""What an inspection says of an account, held against a sandbox in which each thing was planted; reads only, at the documented price."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import httpx
import pytest

from crm_pipelines.destinations.base import Finding, Inspection, WantedField, WantedSchema
from crm_pipelines.destinations.pipedrive.destination import PipedriveDestination
from crm_pipelines.sandbox.pipedrive import RunningSandbox, SandboxConfig, start
from crm_pipelines.sandbox.pipedrive.config import SandboxUser
from crm_pipelines.settings import AccountSettings
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal

USERS = (
    SandboxUser("admin@example.com", "Ada", is_admin=True),
    SandboxUser("ana@example.com", "Ana"),
    SandboxUser("gone@example.com", "Gus", is_active=False),
)
HOOK = {"subscription_url": "https://hooks.example.com/in?key=secret", "event_action": "create", "event_object": "person", "name": "Mailer"}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with start(SandboxConfig(token="token", auth="oauth", plan="lite", seats=2, users=USERS)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    running.truth.reset()
    return running


def _settings(sandbox: RunningSandbox, **changes: Any) -> AccountSettings:
    given = AccountSettings("acme", "pipedrive", sandbox.base_url, sandbox.token, auth="oauth", apply_within_s=0.2, plan="lite", seats=2)
    return replace(given, **changes)


def _inspect(
    sandbox: RunningSandbox, wanted: WantedSchema | None = None, journal: MemoryJournal | None = None, transport: Any = None, **changes: Any
) -> Inspection:
    destination = PipedriveDestination(_settings(sandbox, **changes), transport=transport)
    try:
        return destination.inspect(journal, wanted)
    finally:
        destination.close()


def _make(sandbox: RunningSandbox, path: str, body: Any) -> dict[str, Any]:
    answer = httpx.post(sandbox.base_url + path, json=body, headers={"Authorization": f"Bearer {sandbox.token}"})
    assert answer.status_code in {200, 201}, answer.text
    return dict(answer.json()["data"])


def _of(found: Inspection, topic: str, name: str = "") -> list[Finding]:
    return [one for one in found.findings if one.topic == topic and name in one.name]


def test_a_new_account_has_nothing_to_complain_of_but_what_the_api_hides(sandbox: RunningSandbox) -> None:
    found = _inspect(sandbox)
    assert found.edition == "Pipedrive Lite, 2 seats"
    assert [(one.topic, one.name) for one in found.findings if one.level in {"warning", "blocker"}] == [("automations", "automations")]
    assert "--automations-paused-by" in _of(found, "automations")[0].todo
    assert (found.hides_automations, found.automations, found.required) == (True, (), {})
    assert found.records == {"organizations": 0, "people": 0, "deals": 0, "activities": 0}


def test_it_only_reads_and_every_token_is_in_the_journal(sandbox: RunningSandbox) -> None:
    journal = MemoryJournal()
    found = _inspect(sandbox, journal=journal)
    asked = sandbox.truth.requests()
    assert {one["method"] for one in asked} == {"GET"}
    assert (found.requests, found.tokens) == (len(asked), sum(one["cost"] for one in asked))
    assert sum(tokens for _, tokens in journal.spends) == found.tokens == 182
    assert journal.attempts == {}


def test_the_plan_is_assumed_or_told_by_the_limits(sandbox: RunningSandbox) -> None:
    (told,) = _of(_inspect(sandbox, plan=None, seats=None), "plan")
    assert (told.level, "as the limits of the API tell" in told.told) == ("good", True)
    (contradicted,) = _of(_inspect(sandbox, plan="growth"), "plan")
    assert (contradicted.level, "says growth, but the API's limits are those of lite" in contradicted.told) == ("warning", True)

    class Silent(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await super().handle_async_request(request)
            await answer.aread()
            kept = {name: text for name, text in answer.headers.items() if "ratelimit" not in name and name != "content-encoding"}
            return httpx.Response(answer.status_code, headers=kept, content=answer.content)

    (assumed,) = _of(_inspect(sandbox, transport=Silent, plan=None, seats=None), "plan")
    assert (assumed.level, "account.plan" in assumed.todo) == ("warning", True)


def test_users_are_counted_against_the_seats(sandbox: RunningSandbox) -> None:
    for number in range(2):
        sandbox.truth.add_user(f"new{number}@example.com", "New")
    sandbox.truth.add_user("", "Nobody")
    found = _inspect(sandbox)
    (seats,) = _of(found, "seats")
    assert (seats.level, seats.told.startswith("Active users: 5, seats: 2.")) == ("warning", True)
    assert [one.told.partition(".")[0].partition(", ")[0][-1] for one in _of(found, "users")] == ["5", "1", "1"]
    assert {one.name: one.level for one in _of(found, "users")} == {"active_flag": "good", "active_flag=false": "note", "email": "warning"}


def test_caps_near_and_over_the_limit(sandbox: RunningSandbox) -> None:
    for number in range(25):
        _make(sandbox, "/api/v2/dealFields", {"field_name": f"Field {number}", "field_type": "varchar"})
    near = _inspect(sandbox)
    (cap,) = _of(near, "caps", "custom_fields")
    assert (cap.level, cap.told.startswith("Custom fields: 25 of the 30"), "usage limits" in cap.told) == ("warning", True, True)
    fields = tuple(WantedField("people", f"New {number}", "text") for number in range(6))
    over = _inspect(sandbox, WantedSchema(fields=fields, counts={"open_deals": 6000}))
    assert {one.name: one.level for one in _of(over, "caps")} == {"custom_fields": "blocker", "open_deals": "blocker"}
    fits = _inspect(sandbox, WantedSchema(fields=fields[:5], counts={"open_deals": 10}))
    assert {one.name: one.level for one in _of(fits, "caps")} == {"custom_fields": "warning", "open_deals": "good"}


def test_leads_count_towards_the_cap_of_open_deals(sandbox: RunningSandbox) -> None:
    person = _make(sandbox, "/api/v2/persons", {"name": "P"})
    _make(sandbox, "/v1/leads", {"title": "L", "person_id": person["id"]})
    _make(sandbox, "/api/v2/deals", {"title": "D"})
    _make(sandbox, "/api/v2/deals", {"title": "W", "status": "won"})
    found = _inspect(sandbox)
    assert "Open deals: 1, leads: 1, of 5000" in _of(found, "caps", "open_deals")[0].told
    assert (found.records["deals"], found.records["people"]) == (2, 1)
    assert {one.name for one in _of(found, "records")} == {"people", "deals", "leads"}
    coming = _inspect(sandbox, WantedSchema(counts={"open_deals": 4999}))
    assert _of(coming, "caps", "open_deals")[0].level == "blocker", "one deal and one lead are there"


def test_more_records_than_a_page_holds_are_not_called_a_count(sandbox: RunningSandbox) -> None:
    class Full(httpx.AsyncHTTPTransport):
        """Makes the pages of two lists as full as a page can be."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await super().handle_async_request(request)
            if request.url.path not in {"/api/v2/persons", "/api/v2/deals"} or "status" in request.url.params:
                return answer
            await answer.aread()
            return httpx.Response(200, headers={"date": answer.headers["date"]}, json={"success": True, "data": [{"id": 1}] * 500})

    _make(sandbox, "/api/v2/deals", {"title": "D"})
    found = _inspect(sandbox, transport=Full)
    assert "people" not in found.records
    assert found.records["deals"] == 1, "of deals the vendor tells the number"
    assert "people (500 or more)" in _of(found, "records", "people")[0].told


def test_required_and_important_fields(sandbox: RunningSandbox) -> None:
    needed = {"enabled": True, "stage_ids": [1], "statuses": {"1": ["won"]}}
    deal = _make(sandbox, "/api/v2/dealFields", {"field_name": "Budget", "field_type": "double", "required_fields": needed})
    _make(sandbox, "/api/v2/personFields", {"field_name": "Region", "field_type": "varchar", "required_fields": {"enabled": True}})
    _make(sandbox, "/api/v2/personFields", {"field_name": "Mood", "field_type": "varchar", "important_fields": {"enabled": True}})
    found = _inspect(sandbox)
    assert found.required == {"people": ("Region",), "deals": ("Budget",)}
    (told,) = _of(found, "fields", f"deals.{deal['field_code']}")
    assert "in stage Qualified; when a deal is won or lost" in told.told
    assert "people: Mood" in _of(found, "fields", "important_fields")[0].told


def test_fields_of_one_name_and_fields_the_map_would_take_over(sandbox: RunningSandbox) -> None:
    for kind in ("varchar", "varchar", "date"):
        _make(sandbox, "/api/v2/personFields", {"field_name": "Score", "field_type": kind})
    _make(sandbox, "/api/v2/personFields", {"field_name": "phone ", "field_type": "varchar"})
    _make(sandbox, "/api/v2/dealFields", {"field_name": "Born", "field_type": "varchar"})
    _make(sandbox, "/api/v2/dealFields", {"field_name": "Region", "field_type": "varchar"})
    options = [{"label": "Red"}, {"label": "red"}]
    colour = _make(sandbox, "/api/v2/dealFields", {"field_name": "Colour", "field_type": "enum", "options": options})
    wanted = WantedSchema(
        fields=(
            WantedField("people", "Score", "text"),
            WantedField("deals", "Born", "date"),
            WantedField("deals", "Region", "text"),
            WantedField("deals", "New", "text"),
        )
    )
    found = _inspect(sandbox, wanted)
    warned = [one.told.split(":")[0] for one in _of(found, "fields") if one.level == "warning"]
    assert warned[:2] == ["2 fields of people are called Phone", "3 fields of people are called Score"]
    assert _of(found, "fields", colour["field_code"])[0].told.startswith("Colour of deals has options that exist twice (1)")
    assert [(one.level, one.name) for one in _of(found, "fields") if one.name.split(": ")[-1] in {"Score", "Born", "Region", "New"}] == [
        ("blocker", "people: Score"),
        ("blocker", "deals: Born"),
        ("note", "deals: Region"),
    ]


def test_two_pipelines_of_one_name_are_a_finding_not_a_crash(sandbox: RunningSandbox) -> None:
    for _ in range(2):
        pipeline = _make(sandbox, "/api/v2/pipelines", {"name": "Sales"})
        for _ in range(2):
            _make(sandbox, "/api/v2/stages", {"name": "First", "pipeline_id": pipeline["id"]})
    found = _inspect(sandbox)
    assert [(one.level, one.name) for one in _of(found, "settings") if one.level != "good"] == [
        ("blocker", "pipelines"),
        ("warning", "stages of pipeline 2"),
        ("warning", "stages of pipeline 3"),
    ]
    assert "Sales" in found.schema.stages


def test_webhooks_that_an_import_sets_off(sandbox: RunningSandbox) -> None:
    sandbox.truth.add_webhook(**HOOK)
    sandbox.truth.add_webhook(**{**HOOK, "name": "Flow", "type": "automation", "event_action": "*", "event_object": "*"})
    sandbox.truth.add_webhook(**{**HOOK, "name": "Old words", "event_action": "updated", "event_object": "deal", "version": "1.0"})
    for change in ({"is_active": 0}, {"event_action": "delete"}, {"event_object": "lead"}):
        sandbox.truth.add_webhook(**{**HOOK, "name": "Quiet", **change})
    found = _inspect(sandbox)
    assert [(one.name, one.kind, one.phases) for one in found.automations] == [
        ("webhook 1 (Mailer)", "webhook", ("people",)),
        ("webhook 2 (Flow)", "automation", ("people", "organizations", "deals", "activities", "notes")),
        ("webhook 3 (Old words)", "webhook", ("deals",)),
    ]
    assert found.automations[0].told == "Every person that is made is sent to hooks.example.com."
    assert "secret" not in json.dumps(asdict(found)), "the address may hold a key"
    assert len([one for one in _of(found, "automations") if one.level == "warning"]) == 4


def test_what_the_token_may_not_read_becomes_a_finding(sandbox: RunningSandbox) -> None:
    class Closed(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await super().handle_async_request(request)
            if request.url.path not in {"/api/v1/webhooks", "/api/v2/activities"}:
                return answer
            await answer.aread()
            body = {"success": False, "error": "You do not have permissions to do this."}
            return httpx.Response(403, headers={"date": answer.headers["date"]}, json=body)

    found = _inspect(sandbox, transport=Closed)
    (closed,) = _of(found, "rights")
    assert (closed.level, closed.name) == ("warning", "webhooks, activities")
    assert "activities" not in found.records
