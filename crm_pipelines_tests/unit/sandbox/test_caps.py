"""What the plan caps: custom fields over all entities, open deals and leads per seat."""

from __future__ import annotations

import pytest

from crm_pipelines.sandbox.pipedrive import SandboxConfig, deals
from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Refused
from crm_pipelines.sandbox.pipedrive.operations import Call
from crm_pipelines.sandbox.pipedrive.setup import open_account
from crm_pipelines_tests.unit.sandbox.conftest import Client, Launch


def test_custom_fields_are_counted_over_all_entities(launch: Launch) -> None:
    with Client(launch(plan="lite")) as api:
        for number in range(30):
            entity = ("deal", "person", "organization", "product")[number % 4]
            api.make(f"/api/v2/{entity}Fields", {"field_name": f"F{number}", "field_type": "varchar"})
        refused = api.post("/api/v2/dealFields", json={"field_name": "F", "field_type": "varchar"})
        assert (refused.status_code, refused.json()["code"]) == (403, "feature_capping_custom_fields_limit")
        code = api.read("/api/v2/personFields", limit=500)[-1]["field_code"]
        api.delete(f"/api/v2/personFields/{code}")
        api.make("/api/v2/dealFields", {"field_name": "F", "field_type": "varchar"})


@pytest.fixture
def account() -> Account:
    account = Account(SandboxConfig(token="T", plan="lite", seats=1))
    open_account(account)
    return account


def _add(account: Account, body: dict[str, object]) -> int:
    operation = next(o for o in deals.OPERATIONS if o.id == "addDeal")
    user = next(iter(account.store.table("users").rows.values()))
    return int(deals.add(Call(account, operation, [], {}, {"title": "D", **body}, user, {})).body["data"]["id"])


def test_open_deals_stop_at_the_cap(account: Account) -> None:
    numbers = [_add(account, {}) for _ in range(2_500)]
    with pytest.raises(Refused) as refused:
        _add(account, {})
    assert refused.value.answer.status == 403
    body = refused.value.answer.body
    assert (body["error"], body["code"]) == ("Couldn't add the deal. Open deals limit reached.", "feature_capping_deals_limit")
    _add(account, {"status": "won"})
    account.store.put("deals", {**account.store.table("deals").rows[numbers[0]], "status": "lost"})
    _add(account, {})
