"""How records behave: defaults, reads, paging, filters, replacement, deletion."""

from __future__ import annotations

import re
from typing import Any

import pytest

from crm_pipelines_tests.unit.sandbox.conftest import Client, Launch

V2 = "/api/v2"


def _walk(api: Client, path: str, **query: Any) -> list[list[int]]:
    pages, cursor = [], None
    while True:
        body = api.get(f"{V2}/{path}", params={**query, **({"cursor": cursor} if cursor else {})}).json()
        pages.append([row["id"] for row in body["data"]])
        cursor = body["additional_data"]["next_cursor"]
        if cursor is None:
            return pages


def test_reads_show_every_custom_field_with_null(api: Client) -> None:
    first = api.make(f"{V2}/persons", {"name": "A"})
    assert first["custom_fields"] == {}
    codes = [api.make(f"{V2}/personFields", {"field_name": name, "field_type": "varchar"})["field_code"] for name in ("One", "One")]
    assert len(set(codes)) == 2
    assert all(re.fullmatch(r"[0-9a-f]{40}", code) for code in codes)
    assert api.read(f"{V2}/persons/1")["custom_fields"] == dict.fromkeys(codes)
    changed = api.patch(f"{V2}/persons/1", json={"custom_fields": {codes[0]: "x"}}).json()["data"]
    assert changed["custom_fields"] == {codes[0]: "x", codes[1]: None}
    assert api.read(f"{V2}/persons", custom_fields=codes[1])[0]["custom_fields"] == {codes[1]: None}
    cleared = api.patch(f"{V2}/persons/1", json={"custom_fields": {codes[0]: None}}).json()["data"]
    assert cleared["custom_fields"][codes[0]] is None


def test_field_keys_differ_between_accounts(launch: Launch) -> None:
    codes = []
    for seed in (1, 2, 1):
        with Client(launch(seed=seed)) as api:
            codes.append(api.make(f"{V2}/dealFields", {"field_name": "External id", "field_type": "varchar"})["field_code"])
    assert codes[0] == codes[2] != codes[1]


def test_contact_entries_and_labels_are_replaced_wholesale(api: Client) -> None:
    emails = [{"value": "a@example.com"}, {"value": "b@example.com", "primary": True, "label": "home"}]
    made = api.make(f"{V2}/persons", {"name": "A", "emails": emails, "label_ids": [4, 5]})
    assert made["emails"] == [
        {"value": "a@example.com", "primary": False, "label": "work"},
        {"value": "b@example.com", "primary": True, "label": "home"},
    ]
    changed = api.patch(f"{V2}/persons/1", json={"emails": [{"value": "c@example.com"}], "label_ids": [6]}).json()["data"]
    assert changed["emails"] == [{"value": "c@example.com", "primary": True, "label": "work"}]
    assert changed["label_ids"] == [6]
    assert (changed["phones"], changed["name"]) == ([], "A")


def test_names_follow_each_other(api: Client) -> None:
    made = api.make(f"{V2}/persons", {"name": "Ada Example"})
    assert (made["first_name"], made["last_name"]) == ("Ada", "Example")
    changed = api.patch(f"{V2}/persons/1", json={"first_name": "Grace"}).json()["data"]
    assert changed["name"] == "Grace Example"


def test_marketing_status_changes_once_and_in_silence(launch: Launch) -> None:
    sandbox = launch(campaigns=True)
    email = [{"value": "a@example.com"}]
    with Client(sandbox) as api:

        def status(number: int) -> str:
            return str(api.read(f"{V2}/persons/{number}", include_fields="marketing_status")["marketing_status"])

        made = api.make(f"{V2}/persons", {"name": "A", "emails": email, "marketing_status": "unsubscribed"})
        assert "marketing_status" not in made
        answer = api.patch(f"{V2}/persons/1", json={"marketing_status": "subscribed"})
        assert (answer.status_code, status(1)) == (200, "unsubscribed")
        api.make(f"{V2}/persons", {"name": "B", "marketing_status": "subscribed"})  # no valid e-mail
        assert status(2) == "no_consent"
        api.make(f"{V2}/persons", {"name": "C", "emails": email})
        api.patch(f"{V2}/persons/3", json={"marketing_status": "archived"})
        api.patch(f"{V2}/persons/3", json={"marketing_status": "subscribed"})
        assert status(3) == "archived"


def test_marketing_status_is_not_there_without_campaigns(api: Client) -> None:
    api.make(f"{V2}/persons", {"name": "A", "emails": [{"value": "a@example.com"}], "marketing_status": "unsubscribed"})
    assert "marketing_status" not in api.read(f"{V2}/persons/1", include_fields="marketing_status")


def test_deal_defaults(api: Client) -> None:
    deal = api.make(f"{V2}/deals", {"title": "D"})
    expected = {"status": "open", "value": 0, "currency": "USD", "stage_id": 1, "pipeline_id": 1, "owner_id": 11000001, "won_time": None}
    assert {key: deal[key] for key in expected} == expected


def test_the_stages_pipeline_wins(api: Client) -> None:
    pipeline = api.make(f"{V2}/pipelines", {"name": "P"})
    stage = api.make(f"{V2}/stages", {"name": "S", "pipeline_id": pipeline["id"]})
    deal = api.make(f"{V2}/deals", {"title": "D", "stage_id": stage["id"], "pipeline_id": 1})
    assert (deal["stage_id"], deal["pipeline_id"]) == (stage["id"], pipeline["id"])
    assert api.read(f"{V2}/stages", pipeline_id=999) == []


def test_deal_status_carries_its_times(api: Client) -> None:
    won = api.make(f"{V2}/deals", {"title": "D", "status": "won", "won_time": "2021-02-03T04:05:06Z"})
    assert (won["won_time"], won["close_time"], won["local_won_date"]) == ("2021-02-03T04:05:06Z", "2021-02-03T04:05:06Z", "2021-02-03")
    lost = api.patch(f"{V2}/deals/1", json={"status": "lost", "lost_reason": "price", "lost_time": "2021-03-04T05:06:07Z"}).json()["data"]
    assert (lost["won_time"], lost["lost_time"], lost["lost_reason"]) == (None, "2021-03-04T05:06:07Z", "price")


def test_archived_deals_leave_the_list_and_rest(api: Client) -> None:
    api.make(f"{V2}/deals", {"title": "D", "is_archived": True, "archive_time": "2021-02-03 04:05:06"})
    assert api.read(f"{V2}/deals") == []
    assert [row["archive_time"] for row in api.read(f"{V2}/deals/archived")] == ["2021-02-03T04:05:06Z"]
    assert api.patch(f"{V2}/deals/1", json={"title": "E"}).status_code == 400
    assert api.patch(f"{V2}/deals/1", json={"is_archived": False, "title": "E"}).json()["data"]["title"] == "E"


def test_deleting_marks_and_spares_children(api: Client) -> None:
    api.make(f"{V2}/organizations", {"name": "O"})
    api.make(f"{V2}/persons", {"name": "A", "org_id": 1})
    api.make(f"{V2}/deals", {"title": "D", "person_id": 1})
    api.make(f"{V2}/activities", {"subject": "S", "deal_id": 1})
    for entity in ("organizations", "persons", "deals"):
        deleted = api.delete(f"{V2}/{entity}/1")
        assert deleted.json() == {"success": True, "data": {"id": 1}}
        assert api.read(f"{V2}/{entity}") == []
        assert api.read(f"{V2}/{entity}/1")["is_deleted"] is True
        assert api.delete(f"{V2}/{entity}/1").status_code == 404
    assert [row["id"] for row in api.read(f"{V2}/deals", status="deleted")] == [1]
    assert [row["subject"] for row in api.read(f"{V2}/activities")] == ["S"]
    assert api.make(f"{V2}/persons", {"name": "B"})["id"] == 2
    assert api.patch(f"{V2}/deals/1", json={"is_deleted": False}).json()["data"]["is_deleted"] is False


def test_deleted_deals_are_listed_for_thirty_days(launch: Launch) -> None:
    sandbox = launch(auth="api")
    with Client(sandbox) as api:
        api.make(f"{V2}/deals", {"title": "D"})
        api.delete(f"{V2}/deals/1")
        sandbox.truth.advance(29 * 86_400)
        assert len(api.read(f"{V2}/deals", status="deleted")) == 1
        sandbox.truth.advance(2 * 86_400)
        assert api.read(f"{V2}/deals", status="deleted") == []


def test_a_deleted_note_still_reads(api: Client) -> None:
    api.make(f"{V2}/persons", {"name": "A"})
    api.make("/v1/notes", {"content": "x", "person_id": 1})
    assert api.delete("/v1/notes/1").json() == {"success": True, "data": True}
    assert api.read("/v1/notes/1")["active_flag"] is False
    assert api.read("/v1/notes") == []


def test_notes_are_sanitized(api: Client) -> None:
    api.make(f"{V2}/persons", {"name": "A"})
    html = "<p onclick='x()'>a &lt; b</p><script>alert(1)</script><b>c</b>"
    assert api.make("/v1/notes", {"content": html, "person_id": 1})["content"] == "<p>a &lt; b</p><b>c</b>"


@pytest.mark.parametrize(
    "order", [{}, {"sort_direction": "desc"}, {"sort_by": "update_time"}, {"sort_by": "add_time", "sort_direction": "desc"}]
)
def test_cursors_visit_every_record_once(api: Client, order: dict[str, str]) -> None:
    for number in range(7):
        api.make(f"{V2}/persons", {"name": f"P{number}", "add_time": f"2020-01-0{1 + number % 3}T00:00:00Z"})
    pages = _walk(api, "persons", limit=3, **order)
    assert [len(page) for page in pages] == [3, 3, 1]
    seen = [number for page in pages for number in page]
    assert sorted(seen) == list(range(1, 8))
    if order == {"sort_direction": "desc"}:
        assert seen == list(range(7, 0, -1))


def test_a_page_goes_on_where_it_was_although_records_come_and_go(api: Client) -> None:
    for number in range(4):
        api.make(f"{V2}/persons", {"name": f"P{number}"})
    first = api.get(f"{V2}/persons", params={"limit": 2}).json()
    api.delete(f"{V2}/persons/1")
    api.make(f"{V2}/persons", {"name": "late"})
    rest = api.get(f"{V2}/persons", params={"limit": 5, "cursor": first["additional_data"]["next_cursor"]}).json()
    assert [row["id"] for row in rest["data"]] == [3, 4, 5]


def test_v1_lists_by_start_and_limit(api: Client) -> None:
    api.make(f"{V2}/persons", {"name": "A"})
    for number in range(3):
        api.make("/v1/notes", {"content": str(number), "person_id": 1})
    body = api.get("/v1/notes", params={"limit": 2}).json()
    assert body["additional_data"]["pagination"] == {"start": 0, "limit": 2, "more_items_in_collection": True, "next_start": 2}
    rest = api.get("/v1/notes", params={"limit": 2, "start": 2}).json()
    assert [row["content"] for row in rest["data"]] == ["2"]
    assert rest["additional_data"]["pagination"]["more_items_in_collection"] is False


def test_updated_since_includes_its_moment_and_until_does_not(api: Client, launch: Launch) -> None:
    sandbox = launch(auth="api")  # an access token would be long expired by then
    sandbox.truth.post("clock", {"set": "2030-01-01T00:00:00Z"})
    with Client(sandbox) as own:
        moments = []
        for name in ("A", "B"):
            moments.append(own.make(f"{V2}/persons", {"name": name})["update_time"])
            sandbox.truth.advance(100)
        assert [row["name"] for row in own.read(f"{V2}/persons", updated_since=moments[1])] == ["B"]
        assert [row["name"] for row in own.read(f"{V2}/persons", updated_since=moments[0], updated_until=moments[1])] == ["A"]
        assert own.read(f"{V2}/persons", updated_since="2030-01-01T02:00:00+01:00") == []


def test_ids_leave_out_what_is_missing(api: Client) -> None:
    for name in "ABC":
        api.make(f"{V2}/persons", {"name": name})
    assert [row["name"] for row in api.read(f"{V2}/persons", ids="3,99,1")] == ["A", "C"]


def test_labels_are_options_of_the_label_field(api: Client) -> None:
    added = api.post(f"{V2}/personFields/label_ids/options", json=[{"label": "List A"}, {"label": "List B"}]).json()["data"]
    assert [option["label"] for option in added] == ["List A", "List B"]
    numbers = [option["id"] for option in added]
    api.make(f"{V2}/persons", {"name": "A", "label_ids": numbers})
    assert [label["label"] for label in api.read(f"{V2}/persons", include_labels="true")[0]["labels"]] == ["List A", "List B"]
    api.request("DELETE", f"{V2}/personFields/label_ids/options", json=[{"id": numbers[0]}])
    assert api.read(f"{V2}/persons/1")["label_ids"] == [numbers[1]]


def test_options_are_changed_all_or_none(api: Client) -> None:
    field = api.make(f"{V2}/dealFields", {"field_name": "F", "field_type": "enum", "options": [{"label": "One"}]})
    path, number = f"{V2}/dealFields/{field['field_code']}", field["options"][0]["id"]
    answer = api.patch(f"{path}/options", json=[{"id": number, "label": "Uno"}, {"id": 10**6, "label": "?"}])
    assert answer.status_code == 400
    assert [option["label"] for option in api.read(path)["options"]] == ["One"]
    deal = api.make(f"{V2}/deals", {"title": "D", "custom_fields": {field["field_code"]: number}})
    shown = api.read(f"{V2}/deals/{deal['id']}", include_option_labels="true")
    assert shown["custom_fields"][field["field_code"]] == {"id": number, "label": "One"}


def test_deal_products_in_bulk(api: Client) -> None:
    api.make(f"{V2}/deals", {"title": "D", "value": 7})
    api.make(f"{V2}/products", {"name": "P"})
    item = {"product_id": 1, "item_price": 10, "quantity": 2, "discount": 10}
    made = api.post(f"{V2}/deals/1/products/bulk", json={"data": [item] * 100})
    assert (made.status_code, len(made.json()["data"]), made.json()["data"][0]["sum"]) == (201, 100, 18)
    assert api.post(f"{V2}/deals/1/products/bulk", json={"data": [item, {**item, "product_id": 9}]}).status_code == 400
    assert len(api.read(f"{V2}/deals/1/products", limit=500)) == 100
    api.delete(f"{V2}/deals/1/products", params={"ids": "1,2"})
    assert len(api.read(f"{V2}/deals/products", deal_ids="1", limit=500)) == 98
    assert api.read(f"{V2}/deals/1")["value"] == 7


def test_activities_hang_on_one_thing(api: Client) -> None:
    api.make(f"{V2}/persons", {"name": "A"})
    api.make(f"{V2}/deals", {"title": "D"})
    lead = api.make("/v1/leads", {"title": "L", "person_id": 1})
    made = api.make(f"{V2}/activities", {"deal_id": 1, "lead_id": lead["id"], "due_time": "09:30", "due_date": "2021-02-03"})
    assert (made["deal_id"], made["lead_id"], made["due_time"]) == (1, None, "09:30:00")
    assert [row["id"] for row in api.read(f"{V2}/activities", deal_id=1)] == [made["id"]]


def test_merging_moves_what_hangs_on_the_loser(api: Client) -> None:
    for name in ("Loser", "Survivor"):
        api.make(f"{V2}/persons", {"name": name, "emails": [{"value": f"{name.lower()}@example.com"}]})
    api.make(f"{V2}/deals", {"title": "D", "person_id": 1})
    api.make("/v1/notes", {"content": "x", "person_id": 1})
    merged = api.put("/v1/persons/1/merge", json={"merge_with_id": 2}).json()["data"]
    assert (merged["id"], merged["name"], len(merged["email"])) == (2, "Survivor", 2)
    assert api.read(f"{V2}/deals/1")["person_id"] == 2
    assert [row["person_id"] for row in api.read("/v1/notes")] == [2]
    assert [row["id"] for row in api.read(f"{V2}/persons")] == [2]


def test_files_keep_their_bytes(api: Client) -> None:
    api.make(f"{V2}/persons", {"name": "A"})
    made = api.post("/v1/files", files={"file": ("ä.bin", bytes(range(256)))}, data={"person_id": "1"}).json()["data"]
    assert (made["name"], made["file_size"], made["person_name"]) == ("ä.bin", 256, "A")
    assert api.get(f"/v1/files/{made['id']}/download").content == bytes(range(256))
    assert api.post("/v1/files", data={"person_id": "1"}).status_code == 400


def test_users_are_found_added_and_put_to_rest(api: Client) -> None:
    made = api.make("/v1/users", {"email": "sales@example.com", "access": [{"app": "sales"}]})
    assert [row["id"] for row in api.read("/v1/users/find", term="SALES@example.com", search_by_email=1)] == [made["id"]]
    assert api.make(f"{V2}/persons", {"name": "A", "owner_id": made["id"]})["owner_id"] == made["id"]
    api.put(f"/v1/users/{made['id']}", json={"active_flag": False})
    assert api.post(f"{V2}/persons", json={"name": "B", "owner_id": made["id"]}).status_code == 400
    assert [row["active_flag"] for row in api.read("/v1/users")] == [True, False]
