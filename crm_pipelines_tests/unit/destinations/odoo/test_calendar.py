"""Appointments: nothing goes to calendars outside, and people's own guests stay when ours change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import orjson
import pytest

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
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


def _update(key: str, number: str, whole: Mapping[str, Any], changes: Mapping[str, Any]) -> WriteRow:
    return WriteRow(key, "update", whole, "h", orjson.dumps(whole), key, number, changes)


def _present(desk: Desk, number: str) -> list[str]:
    query = "select p.name from calendar_event_res_partner_rel r join res_partner p on p.id = res_partner_id where calendar_event_id = %s"
    return sorted(name for (name,) in desk.sql(query, int(number)))


def test_a_new_host_or_guest_takes_the_place_of_ours_and_whom_people_added_stays(desk: Desk) -> None:
    people = {"cal mia": {"name": "Mia Guest"}, "cal new": {"name": "New Guest"}}
    guest, other = (desk.create("people", people)[key] for key in people)
    users = [{"name": name, "login": f"{name.lower()}@example.com"} for name in ("Anna", "Zoe")]
    anna, zoe = desk.server.call(desk.database, "res.users", "create", vals_list=users, context={"no_reset_password": True})
    desk.main.describe(MemoryJournal())
    base = {**CALL, "user_id": str(anna), "attendees": guest}
    (number,) = desk.create("activities", {"cal moves": base}).values()
    (colleague,) = desk.server.call(desk.database, "res.partner", "create", vals_list=[{"name": "Aaron Colleague"}])
    quiet = {"no_mail_to_attendees": True}
    desk.server.call(desk.database, "calendar.event", "write", ids=[int(number)], vals={"partner_ids": [[4, colleague]]}, context=quiet)
    assert desk.payload("activities", number)["attendees"] == guest, "one whom people added is not our guest"
    _, outcomes = desk.write("activities", [_update("cal moves", number, {**base, "user_id": str(zoe)}, {"user_id": str(zoe)})])
    assert (outcomes["cal moves"].result, _present(desk, number)) == ("updated", ["Aaron Colleague", "Mia Guest", "Zoe"])
    assert desk.payload("activities", number)["attendees"] == guest
    changed = {**base, "user_id": str(zoe), "attendees": other}
    _, outcomes = desk.write("activities", [_update("cal moves", number, changed, {"attendees": other})])
    assert (outcomes["cal moves"].result, _present(desk, number)) == ("updated", ["Aaron Colleague", "New Guest", "Zoe"])
    assert desk.payload("activities", number)["attendees"] == other
    invited = desk.sql("select p.name from calendar_attendee a join res_partner p on p.id = partner_id where event_id = %s", int(number))
    assert sorted(invited) == [("Aaron Colleague",), ("New Guest",), ("Zoe",)]
    assert desk.one("select count(*) from mail_mail") == 0
