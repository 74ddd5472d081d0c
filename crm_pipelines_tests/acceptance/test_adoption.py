"""Records that are there already: what people enter while the migration runs stays, and a change that stopped halfway is finished."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import polars as pl
import pytest

from crm_pipelines.destinations.odoo.destination import OdooDestination
from crm_pipelines.destinations.pipedrive.destination import PipedriveDestination
from crm_pipelines.journal import Attempt, Journal
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.session import open_session
from crm_pipelines.settings import load_engagement
from crm_pipelines_tests.lib.rig import Rig
from crm_pipelines_tests.lib.rig_odoo import OdooRig

Patch = pytest.MonkeyPatch


def _after_matching(patch: Patch, destination: type[Any], happens: Callable[[], None]) -> None:
    """Let something happen in the account right after people were read for matching."""
    read = destination.existing

    def existing(self: Any, phase: str, journal: Journal) -> pl.DataFrame:
        found: pl.DataFrame = read(self, phase, journal)
        if phase == "people":
            happens()
        return found

    patch.setattr(destination, "existing", existing)


@pytest.mark.odoo
def test_odoo_keeps_the_phone_that_a_person_entered_after_matching(odoo_rig: Callable[..., OdooRig], monkeypatch: Patch) -> None:
    one = odoo_rig(contacts=60)
    person = next(each for each in one.truth["records"]["people"].values() if each.get("email") and each.get("phone"))
    (there,) = one.call("res.partner", "create", vals_list=[{"name": "Known Before", "email": person["email"]}])
    vals = {"phone": "+14155550199"}
    _after_matching(monkeypatch, OdooDestination, lambda: one.call("res.partner", "write", ids=[there], vals=vals))
    assert one.walk_here(monkeypatch) == 0
    assert one.rows("SELECT name, phone FROM res_partner WHERE id = %s", there) == [{"name": "Known Before", **vals}]
    assert one.rows("SELECT name FROM ir_model_data WHERE model = 'res.partner' AND res_id = %s", there), "it was adopted"


def test_pipedrive_keeps_the_phone_that_a_person_entered_after_matching(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    person = next(each for each in one.truth["records"]["people"].values() if each.get("emails") and each.get("phones"))
    email = person["emails"][0]["value"] if isinstance(person["emails"][0], dict) else person["emails"][0]

    def api(method: str, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {one.env['CRM_TEST_TOKEN']}"}
        answer = httpx.request(method, one.sandbox.base_url + path, json=body, headers=headers, timeout=10)
        assert answer.is_success, answer.text
        return answer.json()["data"]

    there = api("POST", "/api/v2/persons", {"name": "Known Before", "emails": [{"value": email, "primary": True}]})["id"]
    phones = {"phones": [{"value": "+14155550199", "primary": True}]}
    _after_matching(monkeypatch, PipedriveDestination, lambda: api("PATCH", f"/api/v2/persons/{there}", phones))
    assert one.walk_here(monkeypatch) == 0
    found = next(each for each in one.sandbox.truth.live("persons") if each["id"] == there)
    assert "+14155550199" in [each["value"] for each in found["phones"]], "phones are united with what is there"


@pytest.mark.odoo
def test_a_deal_whose_closing_stopped_halfway_has_its_date_after_the_next_run(odoo_rig: Callable[..., OdooRig], monkeypatch: Patch) -> None:
    """Between the two writes Odoo's own moment stands where the export's belongs; nothing but the look-up would ever mend it."""
    one = odoo_rig(contacts=60)
    assert one.walk_here(monkeypatch) == 0
    with open_session(Project.open(load_engagement(one.name)), "interrupted") as session:
        deals = session.project.mapped("deals", "key", "hash", "payload", "status")
        deals = deals.filter((pl.col("status") == "won") & pl.col("payload").str.contains("date_closed"))
        key, digest, payload, _ = deals.row(0)
        number = session.ledger.records(session.account, session.engagement, "deals", [key]).item(0, "destination_id")
        session.journal("deals").sending([Attempt(key, "update", digest, payload.encode(), key, 0, number)], None)
        now = one.rows("SELECT now() AT TIME ZONE 'UTC' AS now")[0]["now"].strftime("%Y-%m-%d %H:%M:%S")
        one.call("crm.lead", "write", ids=[int(number)], vals={"date_closed": now}, context={"tracking_disable": True})
    assert one.compare().differences
    assert one.walk_here(monkeypatch) == 0
    assert one.compare().differences == []
