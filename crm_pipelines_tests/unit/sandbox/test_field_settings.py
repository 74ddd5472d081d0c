"""Settings of fields and webhooks, as strict as the vendor's documents: what is shown, what is refused and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from crm_pipelines.sandbox.pipedrive import RunningSandbox
from crm_pipelines_tests.unit.sandbox.conftest import Client

HOOK = {"subscription_url": "https://example.com/hook", "event_action": "create", "event_object": "person", "name": "Hook"}


def test_settings_are_shown_only_when_they_are_asked_for(api: Client) -> None:
    needed = api.make(
        "/api/v2/dealFields", {"field_name": "Needed", "field_type": "varchar", "required_fields": {"enabled": True, "stage_ids": [2]}}
    )
    plain = api.read("/api/v2/dealFields")
    asked = api.read("/api/v2/dealFields", include_fields="important_fields,required_fields")
    assert "required_fields" not in plain[0]
    (found,) = (field for field in asked if field["field_code"] == needed["field_code"])
    assert found["required_fields"] == {"enabled": True, "stage_ids": [2], "statuses": {}}
    assert found["important_fields"] == {"enabled": False, "stage_ids": []}
    assert "ui_visibility" not in found


def test_a_required_field_is_mandatory_in_v1_and_stops_no_request(api: Client) -> None:
    made = api.make("/api/v2/personFields", {"field_name": "Needed", "field_type": "varchar", "required_fields": {"enabled": True}})
    assert {f["name"]: f["mandatory_flag"] for f in api.read("/v1/personFields") if f["key"] in {made["field_code"], "name", "phones"}} == {
        "Needed": True,
        "Name": True,
        "Phone": False,
    }
    assert api.make("/api/v2/persons", {"name": "Without it"})["id"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/v2/dealFields?include_fields=required_fields,important_fields", "include_fields: One or more"),
        ("/api/v2/dealFields?include_fields=options", "include_fields: One or more"),
        ("/api/v2/productFields?include_fields=required_fields", "include_fields: One or more"),
        ("/api/v2/activityFields/subject?include_fields=important_fields", "include_fields: One or more"),
    ],
)
def test_only_declared_combinations_may_be_asked_for(api: Client, path: str, words: str) -> None:
    refused = api.get(path)
    assert (refused.status_code, words in refused.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    ("entity", "settings", "words"),
    [
        ("deal", {"required_fields": {"enabled": "yes"}}, "required_fields.enabled: The value is not a valid 'boolean'"),
        ("deal", {"required_fields": {"enabled": True, "stage_ids": [99]}}, "stage with id 99"),
        ("deal", {"required_fields": {"enabled": True, "statuses": {"9": ["won"]}}}, "pipeline with id 9"),
        ("person", {"important_fields": []}, "important_fields: Invalid collection"),
        ("product", {"required_fields": {"enabled": True}}, "Parameter 'required_fields' is not allowed"),
    ],
)
def test_wrong_settings_are_refused(api: Client, entity: str, settings: dict[str, Any], words: str) -> None:
    refused = api.post(f"/api/v2/{entity}Fields", json={"field_name": "F", "field_type": "varchar", **settings})
    assert refused.status_code == 400
    assert words in refused.json()["error"]


def test_webhooks_are_listed_with_those_that_automations_made(api: Client, sandbox: RunningSandbox) -> None:
    made = api.make("/v1/webhooks", HOOK)
    sandbox.truth.add_webhook(**{**HOOK, "name": "Flow", "type": "automation", "is_active": 0})
    listed = api.read("/api/v1/webhooks")
    assert [(row["name"], row["type"], row["is_active"]) for row in listed] == [("Hook", "general", 1), ("Flow", "automation", 0)]
    assert api.delete(f"/v1/webhooks/{made['id']}").json() == {"success": True, "status": "ok"}
    assert [row["name"] for row in api.read("/v1/webhooks")] == ["Flow"]
    assert sandbox.truth.counts()["tokens"]["getWebhooks"] == 20


@pytest.mark.parametrize(
    ("change", "status", "key"),
    [
        ({"subscription_url": "ftp://example.com"}, 400, "subscription_url"),
        ({"subscription_url": "https://api.pipedrive.com/v1/deals"}, 400, "subscription_url"),
        ({"event_action": "added"}, 400, "event_action"),
        ({"name": ""}, 400, "name"),
        ({"colour": "red"}, 400, "colour"),
    ],
)
def test_webhooks_that_are_refused(api: Client, change: dict[str, str], status: int, key: str) -> None:
    refused = api.post("/v1/webhooks", json={**HOOK, **change})
    assert (refused.status_code, list(refused.json()["errors"])) == (status, [key])
    assert api.delete("/v1/webhooks/77").status_code == 404


def test_a_user_has_forty_webhooks_at_most(api: Client) -> None:
    for _ in range(40):
        api.make("/v1/webhooks", HOOK)
    assert api.post("/v1/webhooks", json=HOOK).status_code == 422


def test_the_summary_counts_deals_that_are_not_archived(api: Client) -> None:
    for body in ({"value": 10, "currency": "EUR"}, {"status": "won"}, {"is_archived": True}):
        api.make("/api/v2/deals", {"title": "D", **body})
    assert api.read("/v1/deals/summary")["total_count"] == 2
    won = api.read("/v1/deals/summary", status="won")
    assert (won["total_count"], list(won["values_total"])) == (1, ["USD"])
    assert api.get("/v1/deals/summary", params={"status": "deleted"}).status_code == 400
