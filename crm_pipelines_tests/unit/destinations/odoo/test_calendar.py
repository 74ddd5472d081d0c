"""Appointments: nothing goes to calendars outside."""

from __future__ import annotations

import httpx
import orjson
import pytest

from crm_pipelines_tests.unit.destinations.odoo.desk import Desk
from crm_pipelines_tests.unit.destinations.odoo.real import Between

pytestmark = pytest.mark.odoo
CALL = {"name": "Call", "start": "2024-05-01T10:00:00Z", "stop": "2024-05-01T10:30:00Z"}


def test_appointments_are_not_marked_for_the_calendars_outside(desk: Desk) -> None:
    sent: list[httpx.Request] = []
    (guest,) = desk.create("people", {"cal quiet": {"name": "Quiet"}}).values()
    connection = desk.open(transport=lambda: Between(sent.append))
    desk.create("activities", {"cal quiet": {**CALL, "attendees": guest}}, connection)
    (load,) = [orjson.loads(request.content) for request in sent if request.url.path.endswith("calendar.event/load")]
    assert load["context"].items() >= {"no_calendar_sync": True, "default_need_sync": False, "default_need_sync_m": False}.items()
