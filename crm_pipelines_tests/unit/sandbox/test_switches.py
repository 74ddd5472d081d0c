"""Every question that Pipedrive's documents leave open, answered both ways; and the control surface itself."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import httpx
import pytest

from crm_pipelines.sandbox.pipedrive import RunningSandbox, SandboxConfig, SandboxUser, Switches
from crm_pipelines_tests.unit.sandbox.conftest import PLAIN, Client, Launch

V2 = "/api/v2"
WON = {"title": "D", "status": "won", "won_time": "2021-02-03T04:05:06Z"}


def test_deal_creation_time(sandbox: RunningSandbox, api: Client) -> None:
    body = {"title": "D", "add_time": "2019-05-06T07:08:09Z"}
    assert api.post(f"{V2}/deals", json=body).status_code == 400
    sandbox.truth.set_switches(deal_add_time=True)
    assert api.make(f"{V2}/deals", body)["add_time"] == "2019-05-06T07:08:09Z"


def test_won_time_in_the_create(sandbox: RunningSandbox, api: Client) -> None:
    assert api.make(f"{V2}/deals", WON)["won_time"] == WON["won_time"]
    sandbox.truth.set_switches(won_time_on_create=False)
    assert api.post(f"{V2}/deals", json=WON).status_code == 400
    api.make(f"{V2}/deals", {"title": "D", "status": "won"})
    assert api.patch(f"{V2}/deals/2", json={"won_time": WON["won_time"]}).json()["data"]["won_time"] == WON["won_time"]


@pytest.mark.parametrize("code", [None, "ERR_NOT_FOUND"])
def test_code_of_a_404(sandbox: RunningSandbox, api: Client, code: str | None) -> None:
    sandbox.truth.set_switches(not_found_code=code)
    body = {"success": False, "error": "Entity was not found", "error_info": "Object was not found.", "data": None, "additional_data": None}
    assert api.get(f"{V2}/persons/1").json() == ({**body, "code": code} if code else body)


def test_reading_what_is_deleted(sandbox: RunningSandbox, api: Client) -> None:
    api.make(f"{V2}/persons", {"name": "A"})
    api.delete(f"{V2}/persons/1")
    assert api.get(f"{V2}/persons/1").status_code == 200
    sandbox.truth.set_switches(deleted_reads="not_found")
    assert api.get(f"{V2}/persons/1").status_code == 404


@pytest.mark.parametrize(("makes_stages", "count"), [(False, 0), (True, 5)])
def test_stages_of_a_new_pipeline(sandbox: RunningSandbox, api: Client, makes_stages: bool, count: int) -> None:
    sandbox.truth.set_switches(pipeline_default_stages=makes_stages)
    pipeline = api.make(f"{V2}/pipelines", {"name": "P"})
    assert len(api.read(f"{V2}/stages", pipeline_id=pipeline["id"])) == count


def test_due_time_without_seconds(sandbox: RunningSandbox, api: Client) -> None:
    assert api.make(f"{V2}/activities", {"due_time": "09:30"})["due_time"] == "09:30:00"
    sandbox.truth.set_switches(due_time_needs_seconds=True)
    assert api.post(f"{V2}/activities", json={"due_time": "09:30"}).status_code == 400
    api.make(f"{V2}/activities", {"due_time": "09:30:00"})


def test_field_cap_per_entity(launch: Launch) -> None:
    with Client(launch(plan="lite", switches={"field_cap_per_entity": True})) as api:
        for number in range(30):
            api.make(f"{V2}/dealFields", {"field_name": f"F{number}", "field_type": "varchar"})
        assert api.post(f"{V2}/dealFields", json={"field_name": "F", "field_type": "varchar"}).status_code == 403
        api.make(f"{V2}/personFields", {"field_name": "F", "field_type": "varchar"})


def test_code_of_the_label_field(launch: Launch) -> None:
    with Client(launch(switches={"label_field_code": "label"})) as api:
        assert api.post(f"{V2}/personFields/label/options", json=[{"label": "L"}]).status_code == 200
        assert api.post(f"{V2}/personFields/label_ids/options", json=[{"label": "L"}]).status_code == 404


def test_size_caps_and_deal_values(sandbox: RunningSandbox, api: Client) -> None:
    sandbox.truth.set_switches(note_size_cap_bytes=10, file_size_cap_bytes=5, deal_value_follows_products=True)
    api.make(f"{V2}/persons", {"name": "A"})
    assert api.post("/v1/notes", json={"content": "x" * 11, "person_id": 1}).status_code == 400
    assert api.post("/v1/files", files={"file": ("a", b"123456")}).status_code == 400
    api.make(f"{V2}/deals", {"title": "D", "value": 1})
    api.make(f"{V2}/products", {"name": "P"})
    api.make(f"{V2}/deals/1/products", {"product_id": 1, "item_price": 10, "quantity": 2})
    assert api.read(f"{V2}/deals/1")["value"] == 20


@pytest.mark.parametrize(
    "values", [{"nope": 1}, {"deal_add_time": 1}, {"search_lag_s": "1"}, {"search_lag_s": True}, {"not_found_code": 404}]
)
def test_unknown_switches_and_values_are_refused(sandbox: RunningSandbox, values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="switch"):
        Switches().changed(values)
    with pytest.raises(RuntimeError, match="switch"):
        sandbox.truth.set_switches(**values)


def test_truth_needs_its_own_token(sandbox: RunningSandbox) -> None:
    for headers in ({}, {"x-sandbox-token": "wrong"}, {"x-api-token": sandbox.token}):
        assert httpx.get(f"{sandbox.base_url}/__sandbox__/counts", headers=headers).status_code == 401


def test_truth_shows_records_requests_and_users(sandbox: RunningSandbox, api: Client) -> None:
    user = sandbox.truth.add_user("owner@example.com", "Olga Owner")
    api.make(f"{V2}/persons", {"name": "A", "owner_id": user["id"]})
    api.make(f"{V2}/persons", {"name": "B"})
    api.delete(f"{V2}/persons/2")
    api.get(f"{V2}/persons/1")
    assert [(row["name"], row["deleted"]) for row in sandbox.truth.records("persons")] == [("A", False), ("B", True)]
    counts = sandbox.truth.counts()
    assert counts["entities"]["persons"] == {"live": 1, "deleted": 1}
    assert (counts["requests"]["addPerson"], counts["tokens"]["addPerson"], counts["tokens_total"]) == (2, 10, 14)
    log = sandbox.truth.requests()
    assert [(row["method"], row["path"], row["status"]) for row in log][-1] == ("GET", "/api/v2/persons/{id}", 200)
    assert len(sandbox.truth.requests(log[-1]["time"])) == 1


def test_state_given_as_users_and_plan(launch: Launch) -> None:
    users = (SandboxUser("boss@example.com", "Boss", is_admin=True), SandboxUser("gone@example.com", "Gone", is_active=False))
    with Client(launch(users=users, currency="EUR")) as api:
        assert [(row["email"], row["active_flag"]) for row in api.read("/v1/users")] == [
            ("boss@example.com", True),
            ("gone@example.com", False),
        ]
        assert api.make(f"{V2}/deals", {"title": "D"})["currency"] == "EUR"


def test_only_admins_add_users(launch: Launch) -> None:
    with Client(launch(users=(SandboxUser("user@example.com", "User"),))) as api:
        refused = api.post("/v1/users", json={"email": "new@example.com"})
    said = {"success": False, "error": "You do not have permissions to do this.", "error_info": "Please check developers.pipedrive.com"}
    assert (refused.status_code, refused.json()) == (403, {**said, "data": None, "additional_data": None})


@pytest.mark.parametrize("changes", [{"plan": "gold"}, {"auth": "basic"}, {"token": ""}, {"seats": 0}])
def test_configs_that_cannot_be(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        SandboxConfig(**{"token": "T", **changes})


def test_config_survives_json() -> None:
    config = SandboxConfig(token="T", seats=2, switches=Switches(search_lag_s=3.0))
    assert SandboxConfig.from_json(config.to_json()) == config


def test_command_line(tmp_path: Any) -> None:
    command = [sys.executable, "-m", "crm_pipelines.sandbox.pipedrive", "--switches", '{"nope": 1}', "--state", str(tmp_path / "s")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no switch named 'nope'" in done.stderr
    assert "Traceback" not in done.stderr


def test_port_in_use_is_said(sandbox: RunningSandbox, launch: Launch, tmp_path: Any) -> None:
    with pytest.raises(RuntimeError, match="is in use"):
        launch(PLAIN, port=sandbox.config.port, sandbox_token="another")


def test_it_ends_with_the_process_that_started_it() -> None:
    code = (
        "from crm_pipelines.sandbox.pipedrive import SandboxConfig, start\n"
        "import os\n"
        "print(start(SandboxConfig(token='T')).base_url, flush=True)\n"
        "os._exit(1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    url = done.stdout.strip()
    assert url.startswith("http://127.0.0.1:")
    deadline = time.monotonic() + 10
    while _answers(url) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _answers(url)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1).status_code > 0
    except httpx.TransportError:
        return False
