"""Every operation of the sandbox against the vendor's OpenAPI files: ids, methods, paths, costs, and answer shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crm_pipelines.sandbox.pipedrive import start
from crm_pipelines.sandbox.pipedrive.catalogue import OPERATIONS
from crm_pipelines_tests.unit.sandbox import openapi
from crm_pipelines_tests.unit.sandbox.conftest import PLAIN, Client

pytestmark = pytest.mark.skipif(
    not openapi.is_available(),
    reason=f"set {openapi.FOLDER_VARIABLE} to the folder with v1.yaml and v2.yaml of the Pipedrive API to run the specification checks",
)


@pytest.fixture
def api() -> Iterator[Client]:
    with start(PLAIN) as sandbox, Client(sandbox) as client:
        yield client


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.method} {o.version}{o.path}")
def test_operation_is_the_vendors(operation: Any) -> None:
    declared = openapi.operations(operation.version).get((operation.method, operation.path))
    assert declared is not None
    assert operation.id.removeprefix("v1.") == declared["operationId"]
    assert operation.cost == declared["x-token-cost"]


def test_every_read_and_write_answers_in_the_declared_shape(api: Client) -> None:
    """The client's response hook does the checking; this walks all operations with full and with sparse bodies."""
    answered = _walk(api)
    unvisited = {(o.version, o.method, o.path) for o in OPERATIONS} - answered
    assert unvisited == set()


ADDRESS = {"value": "1 Example Street", "country": "US", "postal_code": "00000"}


def _walk(api: Client) -> set[tuple[str, str, str]]:
    answered: set[tuple[str, str, str]] = set()

    def ask(method: str, path: str, body: Any = None, **more: Any) -> Any:
        response = api.request(method, path, json=body, **more) if body is not None else api.request(method, path, **more)
        assert response.status_code in {200, 201}, f"{method} {path}: {response.status_code} {response.text}"
        version, template, _ = openapi.find(method, response.url.path) or ("", "", {})
        answered.add((version, method, template))
        return response.json().get("data") if "json" in response.headers["content-type"] else response.content

    _walk_fields(ask)
    _walk_contacts(ask)
    _walk_deals(ask)
    _walk_v1(ask)
    _walk_search(ask)
    _walk_deletes(ask)
    return answered


def _walk_fields(ask: Any) -> None:
    for entity in ("deal", "person", "organization", "product"):
        base = f"/api/v2/{entity}Fields"
        text = ask("POST", base, {"field_name": "Text", "field_type": "varchar"})
        options = [{"label": "One"}, {"label": "Two"}]
        choice = ask("POST", base, {"field_name": "Choice", "field_type": "enum", "options": options})
        ask("GET", base)
        ask("GET", f"{base}/{text['field_code']}")
        ask("PATCH", f"{base}/{text['field_code']}", {"field_name": "Renamed"})
        added = ask("POST", f"{base}/{choice['field_code']}/options", [{"label": "Three"}])
        ask("PATCH", f"{base}/{choice['field_code']}/options", [{"id": added[0]["id"], "label": "Trois"}])
        ask("DELETE", f"{base}/{choice['field_code']}/options", [{"id": added[0]["id"]}])
        ask("DELETE", f"{base}/{text['field_code']}")
        _walk_fields_v1(ask, entity)
    _walk_field_settings(ask)
    ask("GET", "/api/v2/activityFields")
    ask("GET", "/api/v2/activityFields/subject")
    ask("GET", "/v1/activityFields")


def _walk_field_settings(ask: Any) -> None:
    for entity in ("deal", "person", "organization"):
        base = f"/api/v2/{entity}Fields"
        ask("POST", base, {"field_name": "Needed", "field_type": "varchar", "required_fields": {"enabled": True}})
        needed = [f for f in ask("GET", f"{base}?include_fields=important_fields,required_fields") if f["required_fields"]["enabled"]]
        assert [(f["field_name"], f["important_fields"]) for f in needed] == [("Needed", {"enabled": False, "stage_ids": []})]
        ask("GET", f"{base}?include_fields=ui_visibility,important_fields,required_fields")
    ask("GET", "/api/v2/productFields?include_fields=ui_visibility")


def _walk_fields_v1(ask: Any, entity: str) -> None:
    base = f"/v1/{entity}Fields"
    made = ask("POST", base, {"name": "Set", "field_type": "set", "options": [{"label": "One"}]})
    ask("GET", base)
    ask("GET", f"{base}/{made['id']}")
    ask("PUT", f"{base}/{made['id']}", {"name": "Other", "options": [*made["options"], {"label": "Two"}]})
    ask("DELETE", f"{base}/{made['id']}")
    second = ask("POST", base, {"name": "Gone", "field_type": "date"})
    ask("DELETE", f"{base}?ids={second['id']}")


def _walk_contacts(ask: Any) -> None:
    ask("POST", "/api/v2/organizations", {"name": "Sparse"})
    organization = ask(
        "POST", "/api/v2/organizations", {"name": "Full", "address": ADDRESS, "website": "https://example.com", "label_ids": [8]}
    )
    ask("POST", "/api/v2/persons", {"name": "Sparse"})
    emails = [{"value": "full@example.com", "primary": True, "label": "work"}]
    person = ask("POST", "/api/v2/persons", {"name": "Full Person", "org_id": organization["id"], "emails": emails, "phones": emails})
    for entity, record in (("organizations", organization), ("persons", person)):
        ask("GET", f"/api/v2/{entity}")
        ask("GET", f"/api/v2/{entity}?include_fields=notes_count,open_deals_count&include_labels=true&include_option_labels=true")
        ask("GET", f"/api/v2/{entity}/{record['id']}")
        ask("PATCH", f"/api/v2/{entity}/{record['id']}", {"name": "Full Renamed"})


def _walk_deals(ask: Any) -> None:
    pipeline = ask("POST", "/api/v2/pipelines", {"name": "Sales"})
    stage = ask("POST", "/api/v2/stages", {"name": "First", "pipeline_id": pipeline["id"], "days_to_rotten": 5})
    for entity, record in (("pipelines", pipeline), ("stages", stage)):
        ask("GET", f"/api/v2/{entity}")
        ask("GET", f"/api/v2/{entity}/{record['id']}")
        ask("PATCH", f"/api/v2/{entity}/{record['id']}", {"name": "Renamed"})
    ask("POST", "/api/v2/deals", {"title": "Sparse"})
    won = {"status": "won", "won_time": "2020-01-02T03:04:05Z", "value": 10.5, "currency": "EUR", "stage_id": stage["id"]}
    deal = ask("POST", "/api/v2/deals", {"title": "Full", "person_id": 1, "org_id": 1, "label_ids": [1], **won})
    ask("GET", "/api/v2/deals?include_fields=products_count")
    ask("GET", f"/api/v2/deals/{deal['id']}")
    ask("PATCH", f"/api/v2/deals/{deal['id']}", {"status": "lost", "lost_reason": "price"})
    ask("POST", "/api/v2/deals", {"title": "Old", "is_archived": True, "archive_time": "2020-01-02 03:04:05"})
    ask("GET", "/api/v2/deals/archived")
    product = ask("POST", "/api/v2/products", {"name": "Book", "prices": [{"price": 9.99, "currency": "EUR"}], "category": 3})
    ask("POST", "/api/v2/products", {"name": "Sparse"})
    ask("GET", "/api/v2/products")
    ask("GET", f"/api/v2/products/{product['id']}")
    ask("PATCH", f"/api/v2/products/{product['id']}", {"code": "B1"})
    _walk_deal_products(ask, f"/api/v2/deals/{deal['id']}/products", {"product_id": product["id"], "item_price": 9.99, "quantity": 2})
    full = {"due_date": "2020-01-02", "due_time": "09:30", "duration": "00:30", "done": True, "location": ADDRESS, "note": "<b>x</b>"}
    activity = ask("POST", "/api/v2/activities", {"subject": "Full", "participants": [{"person_id": 1, "primary": True}], **full})
    ask("POST", "/api/v2/activities", {"subject": "Sparse"})
    ask("GET", "/api/v2/activities?include_fields=attendees")
    ask("GET", f"/api/v2/activities/{activity['id']}")
    ask("PATCH", f"/api/v2/activities/{activity['id']}", {"done": False})


def _walk_deal_products(ask: Any, base: str, item: dict[str, Any]) -> None:
    attached = ask("POST", base, item)
    bulk = ask("POST", f"{base}/bulk", {"data": [item, item, item]})
    ask("GET", base)
    ask("GET", "/api/v2/deals/products?deal_ids=1,2")
    ask("PATCH", f"{base}/{attached['id']}", {"quantity": 3})
    ask("DELETE", f"{base}/{attached['id']}")
    ask("DELETE", f"{base}?ids={bulk[0]['id']},{bulk[1]['id']}")


def _walk_v1(ask: Any) -> None:
    for prefix in ("/v1", "/api/v1"):
        ask("GET", f"{prefix}/users")
        me = ask("GET", f"{prefix}/users/me")
        ask("GET", f"{prefix}/users/{me['id']}")
        ask("GET", f"{prefix}/users/find?term=admin@example.com&search_by_email=1")
        ask("GET", f"{prefix}/currencies")
        ask("GET", f"{prefix}/activityTypes")
    user = ask("POST", "/v1/users", {"email": "second@example.com", "access": [{"app": "sales"}]})
    ask("PUT", f"/v1/users/{user['id']}", {"active_flag": False})
    kind = ask("POST", "/v1/activityTypes", {"name": "Webinar", "icon_key": "camera"})
    ask("PUT", f"/v1/activityTypes/{kind['id']}", {"name": "Online event"})
    ask("DELETE", f"/v1/activityTypes/{kind['id']}")
    note = ask("POST", "/v1/notes", {"content": "Hello", "person_id": 1, "add_time": "2020-01-02 03:04:05"})
    ask("GET", "/v1/notes?person_id=1")
    ask("GET", f"/v1/notes/{note['id']}")
    ask("PUT", f"/v1/notes/{note['id']}", {"content": "Changed"})
    ask("DELETE", f"/v1/notes/{note['id']}")
    _walk_files(ask)
    ask("GET", "/v1/deals/summary?status=won")
    hook = {"subscription_url": "https://example.com/hook", "event_action": "*", "event_object": "deal", "name": "Hook"}
    made = ask("POST", "/v1/webhooks", hook)
    ask("GET", "/v1/webhooks")
    assert ask("DELETE", f"/v1/webhooks/{made['id']}") is None
    label = ask("POST", "/v1/leadLabels", {"name": "Warm", "color": "red"})
    lead = ask(
        "POST", "/v1/leads", {"title": "Lead", "person_id": 1, "label_ids": [label["id"]], "value": {"amount": 5, "currency": "EUR"}}
    )
    ask("GET", "/v1/leads")
    ask("GET", "/v1/leads/archived")
    ask("GET", f"/v1/leads/{lead['id']}")
    ask("PATCH", f"/v1/leads/{lead['id']}", {"title": "Lead 2"})
    ask("GET", "/v1/leadLabels")
    ask("PATCH", f"/v1/leadLabels/{label['id']}", {"name": "Hot"})


def _walk_files(ask: Any) -> None:
    file = ask("POST", "/v1/files", None, files={"file": ("a.txt", b"content")}, data={"person_id": "1"})
    ask("GET", "/v1/files")
    ask("GET", f"/v1/files/{file['id']}")
    ask("PUT", f"/v1/files/{file['id']}", None, data={"name": "b.txt"})
    assert ask("GET", f"/v1/files/{file['id']}/download") == b"content"
    ask("DELETE", f"/v1/files/{file['id']}")
    link = {"item_type": "person", "item_id": "1", "remote_id": "abc", "remote_location": "googledrive"}
    ask("POST", "/v1/files/remoteLink", None, data=link)


def _walk_search(ask: Any) -> None:
    for entity in ("deals", "leads", "persons", "organizations", "products"):
        ask("GET", f"/api/v2/{entity}/search?term=Full")
    ask("GET", "/api/v2/itemSearch?term=Full")
    ask("GET", "/api/v2/itemSearch/field?term=Full&entity_type=deal&field=title")


def _walk_deletes(ask: Any) -> None:
    ask("DELETE", "/v1/leads/" + ask("GET", "/v1/leads")[0]["id"])
    ask("DELETE", "/v1/leadLabels/" + ask("GET", "/v1/leadLabels")[0]["id"])
    for entity in ("persons", "organizations", "deals"):
        ask("PUT", f"/v1/{entity}/1/merge", {"merge_with_id": 2})
    for entity in ("activities", "deals", "persons", "organizations", "products", "stages", "pipelines"):
        ask("DELETE", f"/api/v2/{entity}/2")
