"""What is refused, and in which words. One row per rule; the second half of a row is the vendor's answer."""

from __future__ import annotations

from typing import Any

import pytest

from crm_pipelines_tests.unit.sandbox.conftest import Client, Launch

SCHEMA, RULE = "ERR_SCHEMA_VALIDATION_FAILED", "ERR_BAD_REQUEST"
ACTIVITY_PERSON = (
    "'person_id' is a read-only field. Add a primary participant to set 'person_id' instead. "
    'For example: "participants": [{ "person_id": 1, "primary": true }]'
)

REFUSED_V2: list[tuple[str, Any, str, str]] = [
    ("persons", {"name": "A", "x": 1}, SCHEMA, "Validation failed: x: Parameter 'x' is not allowed for this request"),
    ("persons", {"x": 1, "y": 2}, SCHEMA, "x: Parameter 'x' is not allowed for this request; y: Parameter 'y' is not allowed"),
    ("persons", {"emails": []}, SCHEMA, "name: Parameter 'name' is required"),
    ("persons", {"name": 5}, SCHEMA, "name: The value is not a valid 'string'"),
    ("persons", {"name": "A", "owner_id": "11000001"}, SCHEMA, "owner_id: The value is not a valid 'integer'"),
    ("persons", {"name": "A", "owner_id": True}, SCHEMA, "owner_id: The value is not a valid 'integer'"),
    ("persons", {"name": "A", "owner_id": 5}, RULE, "user with id 5"),
    ("persons", {"name": "A", "user_id": 11000001}, SCHEMA, "Parameter 'user_id' is not allowed"),
    ("persons", {"name": "A", "org_id": 77}, RULE, "org_id: entity with id 77 was not found"),
    ("persons", {"name": "A", "label_ids": [999]}, RULE, "label with id 999"),
    ("persons", {"name": "A", "emails": "a@example.com"}, SCHEMA, "emails: The value is not a valid 'array'"),
    ("persons", {"name": "A", "emails": [{"value": "a@example.com", "kind": "x"}]}, SCHEMA, "emails[0].kind: Parameter 'kind'"),
    ("persons", {"name": "A", "emails": [{"value": "a@example.com", "primary": 1}]}, SCHEMA, "not a valid 'boolean'"),
    ("persons", {"name": "A", "add_time": "2020-01-01 00:00:00"}, SCHEMA, "add_time: This value is not a valid datetime"),
    ("persons", {"name": "A", "add_time": "2020-02-30T00:00:00Z"}, SCHEMA, "add_time: This value is not a valid datetime"),
    ("persons", {"name": "A", "marketing_status": "maybe"}, SCHEMA, "marketing_status: The value you selected"),
    ("persons", {"name": "A", "custom_fields": {"nope": 1}}, SCHEMA, "Validation failed: custom_fields: Unknown key 'nope'"),
    ("organizations", {}, SCHEMA, "name: Parameter 'name' is required"),
    ("organizations", {"name": "O", "address": "Street 1"}, SCHEMA, "address: The value is not a valid 'object'"),
    ("organizations", {"name": "O", "address": {"route": "x"}}, SCHEMA, "address.value: Parameter 'value' is required"),
    ("deals", {"value": 5}, SCHEMA, "title: Parameter 'title' is required"),
    ("deals", {"title": "D", "value": "5"}, SCHEMA, "value: The value is not a valid 'number'"),
    ("deals", {"title": "D", "add_time": "2020-01-01T00:00:00Z"}, SCHEMA, "Parameter 'add_time' is not allowed for this request"),
    ("deals", {"title": "D", "expected_close_date": None}, SCHEMA, "The value is not a valid 'string'"),
    ("deals", {"title": "D", "probability": 101}, SCHEMA, "probability: This value should be between 0 and 100"),
    ("deals", {"title": "D", "won_time": "2020-01-01T00:00:00Z"}, RULE, "'won_time' can only be set if deal status is won"),
    ("deals", {"title": "D", "status": "won", "lost_reason": "x"}, RULE, "'lost_reason' can only be set if deal status is lost"),
    ("deals", {"title": "D", "stage_id": 99}, RULE, "stage_id"),
    ("deals", {"title": "D", "currency": "XXX"}, RULE, "currency"),
    ("activities", {"subject": "S", "person_id": 1}, RULE, ACTIVITY_PERSON),
    ("activities", {"subject": "S", "due_time": "9:00"}, SCHEMA, "due_time: This value is not a valid datetime"),
    ("activities", {"subject": "S", "type": "nope"}, RULE, "type"),
    ("activities", {"subject": "S", "custom_fields": {}}, SCHEMA, "Parameter 'custom_fields' is not allowed"),
    ("activities", {"subject": "S", "note": "x" * 102_401}, RULE, "note"),
    ("products", {"name": "P", "prices": [{"price": 1, "currency": "EUR"}] * 2}, RULE, "one price per currency"),
    ("stages", {"name": "S"}, SCHEMA, "pipeline_id: Parameter 'pipeline_id' is required"),
    ("stages", {"name": "S", "pipeline_id": 9}, RULE, "pipeline_id"),
    ("personFields", {"field_name": "F", "field_type": "enum"}, SCHEMA, "options"),
    ("personFields", {"field_name": "F", "field_type": "int"}, SCHEMA, "field_type"),
    ("personFields", {"field_name": "x" * 256, "field_type": "varchar"}, SCHEMA, "field_name"),
    ("personFields/label_ids/options", [], SCHEMA, "1 element or more"),
    ("deals/1/products/bulk", {"data": [{"product_id": 1, "item_price": 1, "quantity": 1}] * 101}, SCHEMA, "100 elements or less"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "code", "words"), REFUSED_V2)
def test_v2_refuses(api: Client, path: str, body: Any, code: str, words: str) -> None:
    api.make("/api/v2/deals", {"title": "first"})
    answer = api.post(f"/api/v2/{path}", json=body)
    assert answer.status_code == 400
    said = answer.json()
    assert set(said) == {"success", "error", "code"}
    assert (said["success"], said["code"]) == (False, code)
    assert words in said["error"]


REFUSED_V1: list[tuple[str, Any, str]] = [
    ("notes", {"person_id": 1}, "Note content must be given."),
    ("notes", {"content": "x"}, "Note must be associated with"),
    ("notes", {"content": "x", "person_id": 99}, "person_id: 99"),
    ("notes", {"content": "x", "person_id": 1, "nope": 1}, "Bad request"),
    ("notes", {"content": "x", "person_id": 1, "add_time": "2020-01-01T00:00:00Z"}, "Bad request"),
    ("notes", {"content": "x" * 102_401, "person_id": 1}, "too long"),
    ("activityTypes", {"name": "T", "icon_key": "rocket"}, "Bad request"),
    ("users", {"access": []}, "email"),
    ("leads", {"title": "L"}, "person or an organization"),
]


@pytest.mark.parametrize(("path", "body", "words"), REFUSED_V1)
def test_v1_refuses(api: Client, path: str, body: Any, words: str) -> None:
    api.make("/api/v2/persons", {"name": "first"})
    answer = api.post(f"/v1/{path}", json=body)
    assert answer.status_code == 400
    said = answer.json()
    assert words in said.pop("error")
    info = "Please check developers.pipedrive.com for more information about Pipedrive API."
    assert said == {"success": False, "error_info": info, "data": None, "additional_data": None}


VALUES: list[tuple[str, Any, Any]] = [
    ("varchar", "x" * 255, None), ("varchar", "x" * 256, "255"), ("varchar", 5, "Expected 'string'"),
    ("varchar", {"value": "x"}, "Invalid collection"), ("text", "x" * 300, None), ("double", 1.5, None),
    ("double", "1.5", "Expected 'number'"), ("double", 10**14, "Expected 'number'"), ("monetary", {"value": 5, "currency": "EUR"}, None),
    ("monetary", 5, "expected 'object'"), ("date", "2024-02-29", None), ("date", "2023-02-29", "Expected 'date'"),
    ("date", "01/02/2023", "Expected 'date'"), ("phone", "+1 415 555 0123", None),
    ("time", {"value": "09:00:00", "timezone_name": "Europe/London"}, None),
    ("time", "09:00:00", "Time custom field value expected 'object'"),
    ("daterange", {"value": "2024-01-01", "until": "2024-02-01"}, None), ("address", {"value": "1 Example Street"}, None),
    ("address", "1 Example Street", "expected 'object'"), ("enum", "One", "Expected 'number'"), ("enum", 10**6, "Unknown option"),
    ("set", [], "Empty array"), ("set", [10**6], "Unknown option"), ("set", "1,2", "Expected 'array'"),
    ("org", "x", "organization custom field"), ("user", 11000001, None), ("people", 99, "Unknown person"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "words"), VALUES)
def test_custom_field_values(api: Client, kind: str, value: Any, words: str | None) -> None:
    options = {"options": [{"label": "One"}]} if kind in {"enum", "set"} else {}
    code = api.make("/api/v2/dealFields", {"field_name": "F", "field_type": kind, **options})["field_code"]
    answer = api.post("/api/v2/deals", json={"title": "D", "custom_fields": {code: value}})
    if words is None:
        assert answer.status_code == 200
        stored = answer.json()["data"]["custom_fields"][code]
        assert stored == ({**stored, **value} if isinstance(value, dict) else value)
    else:
        assert (answer.status_code, answer.json()["code"]) == (400, SCHEMA)
        assert answer.json()["error"].startswith("Validation failed: custom_fields: ")
        assert words in answer.json()["error"]
        assert code in answer.json()["error"]


QUERIES = [
    ("persons", {"limit": "501"}, "limit"),
    ("persons", {"limit": "0"}, "limit"),
    ("persons", {"cursor": "nonsense"}, "cursor"),
    ("persons", {"ids": ",".join(map(str, range(101)))}, "ids"),
    ("persons", {"custom_fields": ",".join(f"{n:040x}" for n in range(16))}, "custom_fields"),
    ("persons", {"updated_since": "2025-01-01T00:00:00.000Z"}, "updated_since: This value is not a valid datetime"),
    ("persons", {"updated_since": "2025-01-01"}, "updated_since"),
    ("persons", {"include_fields": "nope"}, "include_fields"),
    ("persons", {"start": "0"}, "Parameter 'start' is not allowed"),
    ("deals", {"status": "all"}, "status"),
    ("persons/search", {"term": "x"}, "term"),
    ("itemSearch/field", {"term": "x"}, "entity_type"),
]


@pytest.mark.parametrize(("path", "query", "words"), QUERIES)
def test_queries_are_checked(api: Client, path: str, query: dict[str, str], words: str) -> None:
    answer = api.get(f"/api/v2/{path}", params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, SCHEMA)
    assert words in answer.json()["error"]


@pytest.mark.parametrize("field", ["notes", "job_title", "birthday", "im", "postal_address"])
def test_contact_sync_fields_need_contact_sync(api: Client, launch: Launch, field: str) -> None:
    value = {"im": [], "postal_address": {"value": "x"}, "birthday": "2000-01-01"}.get(field, "x")
    refused = api.post("/api/v2/persons", json={"name": "A", field: value})
    assert (refused.status_code, refused.json()["error"]) == (403, "You do not have permissions to do this.")
    if field == "job_title":
        with Client(launch(contact_sync=True)) as synced:
            assert synced.make("/api/v2/persons", {"name": "A", field: "Boss"})[field] == "Boss"


def test_visibility_depends_on_the_plan(api: Client, launch: Launch) -> None:
    assert api.make("/api/v2/persons", {"name": "A", "visible_to": 7})["visible_to"] == 7
    with Client(launch(plan="lite")) as lite:
        assert lite.post("/api/v2/persons", json={"name": "A", "visible_to": 7}).status_code == 403


@pytest.mark.parametrize(("path", "status"), [("persons/77", 404), ("persons/abc", 404), ("nonsense", 404), ("personFields/nope", 404)])
def test_what_is_not_there(api: Client, path: str, status: int) -> None:
    assert api.get(f"/api/v2/{path}").status_code == status


def test_wrong_method_and_bad_json(api: Client) -> None:
    assert api.put("/api/v2/persons").status_code == 405
    bad = api.post("/api/v2/persons", content=b"{", headers={"content-type": "application/json"})
    assert (bad.status_code, bad.json()["code"]) == (400, RULE)
    assert api.get("/v2/persons").status_code == 404  # v2 answers below /api only


def test_writes_take_no_query(api: Client) -> None:
    answer = api.post("/api/v2/persons", params={"include_fields": "marketing_status"}, json={"name": "A"})
    assert (answer.status_code, answer.json()["code"]) == (400, SCHEMA)
    assert "Parameter 'include_fields' is not allowed for this request" in answer.json()["error"]


@pytest.mark.parametrize("entity", ["persons", "organizations"])
def test_add_time_is_for_creation_only(api: Client, entity: str) -> None:
    made = api.make(f"/api/v2/{entity}", {"name": "A", "add_time": "2019-05-06T07:08:09+02:00"})
    assert made["add_time"] == "2019-05-06T05:08:09Z"
    answer = api.patch(f"/api/v2/{entity}/1", json={"add_time": "2019-05-06T07:08:09Z"})
    assert (answer.status_code, answer.json()["code"]) == (400, SCHEMA)
