"""Names in a database that is not English, or in which people renamed and archived what a map uses: found again, never made twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
from crm_pipelines_tests.unit.destinations.odoo.desk import WANTED, Desk

pytestmark = pytest.mark.odoo
CATEGORIES = "select count(*) from res_partner_category"


def _number(desk: Desk, model: str, name: str) -> list[int]:
    numbers: list[int] = desk.server.call(desk.database, model, "search", domain=[["name", "=", name]], context={"active_test": False})
    return numbers


def test_a_category_that_people_renamed_or_archived_is_still_the_maps(desk: Desk) -> None:
    before = desk.one(CATEGORIES)
    desk.server.call(
        desk.database, "res.partner.category", "write", ids=_number(desk, "res.partner.category", "VIP"), vals={"name": "Best"}
    )
    archived = _number(desk, "res.partner.category", "Customer")
    desk.server.call(desk.database, "res.partner.category", "write", ids=archived, vals={"active": False})
    assert desk.main.missing(WANTED, desk.main.describe(MemoryJournal())) == []
    desk.main.prepare(WANTED, MemoryJournal())
    assert desk.one(CATEGORIES) == before
    (number,) = desk.create("people", {"named vip": {"name": "Tagged", "category_id": ["VIP", "Customer"]}}).values()
    assert sorted(desk.payload("people", number)["category_id"]) == ["Customer", "VIP"], "as the map calls them"
    found = desk.sql("select category_id from res_partner_res_partner_category_rel where partner_id = %s", int(number))
    assert (archived[0],) in found
    assert len(found) == 2


def test_names_are_read_in_the_companys_language_with_english_behind_it(desk: Desk) -> None:
    german = {"lang": "de_DE"}
    language = desk.server.call(desk.database, "res.lang", "search", domain=[["code", "=", "de_DE"]], context={"active_test": False})
    desk.server.call(desk.database, "res.lang", "write", ids=language, vals={"active": True})
    (company,) = desk.sql("select partner_id from res_company order by id limit 1")
    desk.server.call(desk.database, "res.partner", "write", ids=list(company), vals=german)
    for model, english, name in (("res.partner.category", "list_Ünïcode", "Stammkunde"), ("crm.stage", "New", "Neu")):
        desk.server.call(desk.database, model, "write", ids=_number(desk, model, english), vals={"name": name}, context=german)
    (product,) = desk.server.call(desk.database, "product.product", "create", vals_list=[{"name": "Gold course"}])
    desk.server.call(desk.database, "product.product", "write", ids=[product], vals={"name": "Kurs Gold"}, context=german)
    before = desk.one(CATEGORIES), desk.one("select count(*) from crm_stage")
    opened = desk.open()
    wanted = replace(WANTED, labels={"people": ("Stammkunde", "list_Ünïcode")}, stages={"CRM": ("Neu", "Qualified", "Won")})
    assert opened.missing(wanted, opened.describe(MemoryJournal())) == []
    opened.prepare(wanted, MemoryJournal())
    assert (desk.one(CATEGORIES), desk.one("select count(*) from crm_stage")) == before
    existing = opened.existing("products", MemoryJournal())
    assert dict(existing.select("destination_id", "match").iter_rows())[str(product)] == "kurs gold"
    made = desk.create("deals", {"named neu": {"name": "Neu here", "status": "open", "stage": "Neu"}}, opened)
    assert (
        desk.one("select s.name->>'en_US' from crm_lead l join crm_stage s on s.id = stage_id where l.id = %s", int(made["named neu"]))
        == "New"
    )
