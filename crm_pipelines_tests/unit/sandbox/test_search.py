"""Search: terms, fields, case, and an index that lags behind."""

from __future__ import annotations

import pytest

from crm_pipelines_tests.unit.sandbox.conftest import Client, Launch

V2 = "/api/v2"


def _ids(api: Client, path: str, **query: object) -> list[int]:
    return [found["item"]["id"] for found in api.read(f"{V2}/{path}", **query)["items"]]


def test_a_write_is_found_only_after_the_lag(launch: Launch) -> None:
    sandbox = launch(switches={"search_lag_s": 30.0})
    with Client(sandbox) as api:
        api.make(f"{V2}/persons", {"name": "Ada Example"})
        assert _ids(api, "persons/search", term="Ada") == []
        sandbox.truth.advance(31)
        assert _ids(api, "persons/search", term="Ada") == [1]


def test_entity_search_ignores_case_and_field_search_does_not(api: Client) -> None:
    code = api.make(f"{V2}/personFields", {"field_name": "External id", "field_type": "varchar"})["field_code"]
    person = {"name": "Ada Example", "emails": [{"value": "Ada@Example.com"}], "custom_fields": {code: "KARTRA-1"}}
    api.make(f"{V2}/persons", person)
    assert _ids(api, "persons/search", term="ada@example.com", fields="email", exact_match="true") == [1]
    assert _ids(api, "persons/search", term="ada@example", fields="email", exact_match="true") == []
    assert _ids(api, "persons/search", term="kartra-1", fields="custom_fields") == [1]
    field = {"entity_type": "person", "field": code}
    assert api.read(f"{V2}/itemSearch/field", term="KARTRA-1", **field) == [{"id": 1, "name": "Ada Example"}]
    assert api.read(f"{V2}/itemSearch/field", term="kartra-1", **field) == []
    assert len(api.read(f"{V2}/itemSearch/field", term="KART", match="beginning", **field)) == 1


@pytest.mark.parametrize(("kind", "value", "is_found"), [("varchar", "needle", True), ("date", "2021-02-03", False)])
def test_only_some_custom_types_are_searchable(api: Client, kind: str, value: str, is_found: bool) -> None:
    code = api.make(f"{V2}/dealFields", {"field_name": "F", "field_type": kind})["field_code"]
    api.make(f"{V2}/deals", {"title": "D", "custom_fields": {code: value}})
    assert bool(api.read(f"{V2}/itemSearch/field", term=value, entity_type="deal", field=code)) is is_found


def test_items_of_several_kinds(api: Client) -> None:
    api.make(f"{V2}/persons", {"name": "Zebra One"})
    api.make(f"{V2}/organizations", {"name": "Zebra Works"})
    api.make(f"{V2}/deals", {"title": "Zebra deal", "person_id": 1})
    api.delete(f"{V2}/organizations/1")
    found = api.read(f"{V2}/itemSearch", term="zebra")["items"]
    assert sorted(entry["item"]["type"] for entry in found) == ["deal", "person"]
    assert _ids(api, "itemSearch", term="zebra", item_types="deal") == [1]
    assert _ids(api, "deals/search", term="zebra", person_id=2) == []
