"""Deals on the board: what a won stage takes, and how a deal that was lost comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines_tests.unit.destinations.odoo.desk import Desk, rows_of

pytestmark = pytest.mark.odoo
CLOSED = "2024-01-01T00:00:00Z"


def _update(key: str, number: str, whole: Mapping[str, Any], changes: Mapping[str, Any]) -> WriteRow:
    return WriteRow(key, "update", whole, "h", orjson.dumps(whole), key, number, changes)


def test_a_won_stage_takes_none_but_won_deals(desk: Desk) -> None:
    payloads = {
        "won open": {"name": "Open", "status": "open", "stage": "Won"},
        "won lost": {"name": "Lost", "status": "lost", "stage": "Won", "date_closed": CLOSED},
        "won won": {"name": "Won", "status": "won", "stage": "Won", "date_closed": CLOSED},
        "won new": {"name": "New", "status": "open", "stage": "New"},
    }
    _, outcomes = desk.write("deals", rows_of(payloads))
    assert {key: (each.result, each.reason) for key, each in outcomes.items()} == {
        "won open": ("refused", "won_stage: stage"),
        "won lost": ("refused", "won_stage: stage"),
        "won won": ("created", ""),
        "won new": ("created", ""),
    }
    assert desk.sql("select name from crm_lead where name in ('Open', 'Lost')") == []
    number, base = str(outcomes["won new"].destination_id), payloads["won new"]
    _, outcomes = desk.write("deals", [_update("won new", number, {**base, "stage": "Won"}, {"stage": "Won"})])
    assert outcomes["won new"].reason == "won_stage: stage"
    number, base = str(desk.one("select id from crm_lead where name = 'Won'")), payloads["won won"]
    _, outcomes = desk.write("deals", [_update("won won", number, {**base, "status": "open"}, {"status": "open"})])
    assert outcomes["won won"].reason == "won_stage: stage"
    assert desk.payload("deals", number)["status"] == "won"


def test_a_lost_deal_that_is_open_again_has_a_chance_again(desk: Desk) -> None:
    lost = {"name": "Back", "status": "lost", "stage": "Negotiation", "expected_revenue": 1000, "date_closed": CLOSED}
    again = {"name": "Fresh", "status": "open", "stage": "Negotiation", "expected_revenue": 1000}
    made = desk.create("deals", {"again lost": lost, "again open": again})
    _, outcomes = desk.write(
        "deals", [_update("again lost", made["again lost"], again, {"name": "Again", "status": "open", "date_closed": None})]
    )
    assert outcomes["again lost"].result == "updated"
    columns = "active, won_status, date_closed, probability = automated_probability and probability > 0 as automatic"
    found = desk.sql(f"select name, {columns} from crm_lead where id = any(%s) order by id", [int(number) for number in made.values()])
    assert found == [("Again", True, "pending", None, True), ("Fresh", True, "pending", None, True)]
    assert desk.payload("deals", made["again lost"])["status"] == "open"
