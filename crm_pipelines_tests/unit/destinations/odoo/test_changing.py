"""What an update must not touch: addresses and numbers of relatives, tags that people set, second steps that got no answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
import pytest

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
from crm_pipelines_tests.unit.destinations.odoo.desk import Desk, rows_of

pytestmark = pytest.mark.odoo
ADDRESS = "select name, street, city, vat from res_partner where id = any(%s) order by name"


def _theirs(desk: Desk, *vals: Mapping[str, Any]) -> list[int]:
    """Make partners as people do."""
    return [desk.server.call(desk.database, "res.partner", "create", vals_list=[each])[0] for each in vals]


def _update(key: str, number: object, whole: Mapping[str, Any], changes: Mapping[str, Any] | None = None) -> WriteRow:
    return WriteRow(key, "update", whole, "h", orjson.dumps(whole), key, str(number), whole if changes is None else changes)


def test_a_person_adopted_into_a_company_leaves_its_address_and_the_siblings_as_they_are(desk: Desk) -> None:
    firm, bare = _theirs(
        desk,
        {"name": "Firm", "is_company": True, "street": "1 Firm Street", "city": "Firm Town"},
        {"name": "Bare", "is_company": True},
    )
    sibling, mine, lone = _theirs(
        desk,
        {"name": "Sibling", "parent_id": firm},
        {"name": "Mine", "street": "5 Own Street", "city": "Own Town"},
        {"name": "None of its own"},
    )
    numbers = [firm, bare, sibling, mine, lone]
    before = desk.sql(ADDRESS, numbers)
    desk.write("people", [_update("chg mine", mine, {"parent_id": str(firm)}), _update("chg lone", lone, {"parent_id": str(bare)})])
    assert desk.sql(ADDRESS, numbers) == before
    assert desk.sql("select parent_id, type from res_partner where id = any(%s) order by id", [mine, lone]) == [
        (firm, "other"),
        (bare, "contact"),
    ]


def test_a_change_to_nothing_empties_the_field(desk: Desk) -> None:
    (number,) = _theirs(desk, {"name": "Emptied", "function": "Baker", "phone": "020 7946 0001", "country_id": 1})
    _, outcomes = desk.write(
        "people", [_update("chg empty", number, {"name": "Emptied"}, {"function": None, "phone": None, "country": None})]
    )
    assert outcomes["chg empty"].result == "updated"
    assert desk.sql("select name, function, phone, country_id from res_partner where id = %s", number) == [("Emptied", None, None, None)]


def test_an_address_of_a_contact_stays_with_the_contact(desk: Desk) -> None:
    (firm,) = _theirs(desk, {"name": "Poor", "is_company": True})
    sibling, contact = _theirs(desk, {"name": "Poor sibling", "parent_id": firm}, {"name": "Filled", "parent_id": firm})
    _, outcomes = desk.write("people", [_update("chg filled", contact, {"street": "7 New Street"})])
    assert outcomes["chg filled"].result == "updated"
    assert desk.sql(ADDRESS, [firm, sibling, contact]) == [
        ("Filled", "7 New Street", None, None),
        ("Poor", None, None, None),
        ("Poor sibling", None, None, None),
    ]


def test_a_state_is_emptied_when_its_country_or_text_is_another(desk: Desk) -> None:
    where = "select c.code as country, s.code as state from res_partner p join res_country c on c.id = p.country_id"
    where += " left join res_country_state s on s.id = p.state_id where p.id = %s"
    was = {"name": "Mover", "country": "US", "state": "CA", "custom": {"Kartra state": "CA"}}
    moves: list[tuple[dict[str, Any], tuple[str, str | None]]] = [
        ({"country": "DE", "state": "Oberland", "custom": {"Kartra state": "Oberland"}}, ("DE", None)),
        ({"country": "DE"}, ("DE", None)),
        ({"state": "Oberland", "custom": {"Kartra state": "Oberland"}}, ("US", None)),
        ({"state": "Texas", "custom": {"Kartra state": "Texas"}}, ("US", "TX")),
        ({"country": "IT"}, ("IT", "CA")),  # Cagliari
    ]
    made = desk.create("people", {f"mover {n}": was for n in range(len(moves))})
    for (key, number), (changes, wanted) in zip(made.items(), moves, strict=True):
        _, outcomes = desk.write("people", [_update(key, number, {**was, **changes}, changes)])
        assert (outcomes[key].result, desk.sql(where, int(number))) == ("updated", [wanted]), changes
        assert desk.payload("people", number)["state"] == changes.get("state", "CA")
    (theirs,) = _theirs(desk, {"name": "Theirs", "country_id": 233, "state_id": 13})
    desk.write("people", [_update("mover theirs", theirs, {"name": "Theirs", "country": "FR"}, {"country": "FR"})])
    assert desk.sql(where, theirs) == [("FR", None)]


def test_a_vat_number_of_a_person_never_becomes_a_companys(desk: Desk) -> None:
    one, two, taxed = _theirs(
        desk,
        {"name": "V1", "is_company": True},
        {"name": "V2", "is_company": True},
        {"name": "V3", "is_company": True, "vat": "US123"},
    )
    own, moving, _ = _theirs(
        desk,
        {"name": "V4", "vat": "US999", "street": "5 Own Street"},
        {"name": "V5", "parent_id": taxed},
        {"name": "V6", "parent_id": one},
    )
    rows = [_update("chg v4", own, {"parent_id": str(one), "city": "Town"}), _update("chg v5", moving, {"parent_id": str(two)})]
    _, outcomes = desk.write("people", rows)
    assert {key: (each.result, each.reason) for key, each in outcomes.items()} == {
        "chg v4": ("updated", "has_vat: parent_id"),
        "chg v5": ("updated", ""),
    }
    rows_now = desk.sql(
        "select name, vat, city, parent_id from res_partner where id = any(%s) order by name", [one, two, taxed, own, moving]
    )
    assert rows_now == [
        ("V1", None, None, None),
        ("V2", None, None, None),
        ("V3", "US123", None, None),
        ("V4", "US999", "Town", None),
        ("V5", None, None, two),
    ]


def test_terms_of_a_person_are_not_lost_to_a_company_in_any_company_of_the_database(desk: Desk) -> None:
    def make(model: str, **vals: Any) -> int:
        return int(desk.server.call(desk.database, model, "create", vals_list=[vals])[0])

    mining, farming = make("res.partner.industry", name="Mining"), make("res.partner.industry", name="Farming")
    fortnight, at_once = make("account.payment.term", name="15 Days"), make("account.payment.term", name="At once")
    other = make("res.company", name="Another company")
    uid = desk.server.call(desk.database, "res.users", "context_get")["uid"]
    desk.server.call(desk.database, "res.users", "write", ids=[uid], vals={"company_ids": [[4, other]]})
    rich, bare = _theirs(
        desk,
        {"name": "Rich", "is_company": True, "industry_id": farming, "property_payment_term_id": at_once},
        {"name": "Bare", "is_company": True},
    )
    miner, agreed, elsewhere, plain = _theirs(
        desk,
        {"name": "Miner", "industry_id": mining},
        {"name": "Agreed", "property_payment_term_id": fortnight},
        {"name": "Elsewhere"},
        {"name": "Plain"},
    )
    there = {"allowed_company_ids": [other]}
    desk.server.call(desk.database, "res.partner", "write", ids=[elsewhere], vals={"property_payment_term_id": fortnight}, context=there)
    before = desk.sql(
        "select id, industry_id, property_payment_term_id::text from res_partner where id = any(%s)", [miner, agreed, elsewhere]
    )
    wanted = {miner: rich, agreed: rich, elsewhere: bare, plain: rich}
    rows = [_update(f"chg terms {one}", one, {"parent_id": str(firm), "city": "Town"}) for one, firm in wanted.items()]
    _, outcomes = desk.write("people", rows)
    assert [each.reason for each in outcomes.values()] == [*["has_own_terms: parent_id"] * 3, ""]
    assert {each.result for each in outcomes.values()} == {"updated"}
    after = desk.sql(
        "select id, industry_id, property_payment_term_id::text from res_partner where id = any(%s)", [miner, agreed, elsewhere]
    )
    assert sorted(after) == sorted(before)
    assert desk.sql("select parent_id, industry_id, city from res_partner where id = any(%s) order by id", [miner, plain]) == [
        (None, mining, "Town"),
        (rich, farming, "Town"),
    ]


def test_the_pricelist_of_a_former_company_does_not_become_the_new_ones(desk: Desk) -> None:
    (pricelist,) = desk.server.call(desk.database, "product.pricelist", "create", vals_list=[{"name": "Former"}])
    former, new = _theirs(
        desk,
        {"name": "Former", "is_company": True, "specific_property_product_pricelist": pricelist},
        {"name": "New", "is_company": True},
    )
    (moving,) = _theirs(desk, {"name": "Moving", "parent_id": former})
    _, outcomes = desk.write("people", [_update("chg pricelist", moving, {"parent_id": str(new)})])
    assert [(each.result, each.reason) for each in outcomes.values()] == [("updated", "")]
    now = desk.server.call(desk.database, "res.partner", "read", ids=[former, new, moving], fields=["specific_property_product_pricelist"])
    assert [bool(row["specific_property_product_pricelist"]) for row in now] == [True, False, False]


def test_tags_are_added_and_none_that_a_person_set_meanwhile_is_taken_away(desk: Desk) -> None:
    number = desk.create("people", {"chg tags": {"name": "Tags", "category_id": ["VIP"]}})["chg tags"]
    (tag,) = desk.server.call(desk.database, "res.partner.category", "create", vals_list=[{"name": "By hand"}])
    desk.server.call(desk.database, "res.partner", "write", ids=[int(number)], vals={"category_id": [[4, tag]]})
    desk.write("people", [_update("chg tags", number, {"category_id": ["VIP", "Customer"]})])
    count = "select count(*) from res_partner_res_partner_category_rel where partner_id = %s"
    assert desk.one(count, int(number)) == 3


class _Cut(httpx.AsyncBaseTransport):
    """Passes everything on until a call of `fatal`; that one, and all after it, are lost before they leave."""

    def __init__(self, fatal: str, after: int) -> None:
        self.inner = httpx.AsyncHTTPTransport()
        self.fatal = fatal
        self.left = after

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(self.fatal):
            self.left -= 1
        if self.left < 0:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


def _cut_off(desk: Desk, phase: str, row: WriteRow, fatal: str, after: int) -> MemoryJournal:
    """Send a row over a connection that breaks before its second step."""
    journal = MemoryJournal(phase)
    report = desk.open(lambda: _Cut(fatal, after)).write(phase, [row], journal, None)
    assert (report.unknown, len(journal.open_attempts())) == (1, 1)
    return journal


def test_an_invoice_that_an_update_left_a_draft_is_posted_by_the_look_up_and_one_reset_by_a_person_is_not(desk: Desk) -> None:
    person = desk.create("people", {"chg inv": {"name": "Chg"}})["chg inv"]
    product = desk.create("products", {"product:chg": {"name": "Chg"}})["product:chg"]
    base = {"partner_id": person, "product": product, "description": "Chg", "amount": 10, "currency": "USD"}
    whole = {**base, "invoice_date": "2019-01-02", "state": "posted"}
    made = desk.create("invoices", {"chg half": whole, "chg reset": whole})
    half, reset = (int(made[key]) for key in ("chg half", "chg reset"))
    desk.server.call(desk.database, "account.move", "button_draft", ids=[reset])
    time.sleep(3.1)  # times of Odoo count seconds, and two of them are allowed for
    journal = _cut_off(desk, "invoices", _update("chg half", half, {**whole, "amount": 7}, {"amount": 7}), "/action_post", 0)
    assert desk.sql("select state, amount_total::float from account_move where id = %s", half) == [("draft", 7.0)]
    desk.open().lookup("invoices", journal.open_attempts(), journal)
    untouched = _cut_off(desk, "invoices", _update("chg reset", reset, whole, {"ref": "R"}), "/write", 0)
    desk.open().lookup("invoices", untouched.open_attempts(), untouched)
    assert desk.sql("select state from account_move where id = any(%s) order by id", sorted([half, reset])) == [("posted",), ("draft",)]


@pytest.mark.parametrize("closed", ["2021-03-04T00:00:00Z", None])
@pytest.mark.parametrize("status", ["won", "lost"])
def test_a_deal_that_an_update_closed_has_the_date_of_the_export_after_the_look_up(desk: Desk, status: str, closed: str | None) -> None:
    key = f"chg {status} {closed}"
    number = desk.create("deals", {key: {"name": key, "status": "open", "stage": "Negotiation", "currency": "USD"}})[key]
    whole = {"name": key, "status": status, "stage": "Won" if status == "won" else "Negotiation", "currency": "USD"}
    whole |= {"date_closed": closed} if closed else {}
    changes = {name: value for name, value in whole.items() if name not in {"name", "currency"}}
    journal = _cut_off(desk, "deals", _update(key, number, whole, changes), "/crm.lead/write", 1)
    query = "select won_status, date_closed::date::text from crm_lead where id = %s"
    assert desk.sql(query, int(number)) != [(status, "2021-03-04" if closed else None)], "Odoo took the moment of the import"
    desk.open().lookup("deals", journal.open_attempts(), journal)
    assert desk.sql(query, int(number)) == [(status, "2021-03-04" if closed else None)]


def test_a_deal_that_was_made_won_without_a_date_has_none_after_the_look_up(desk: Desk) -> None:
    row = rows_of({"chg made": {"name": "Made", "status": "won", "stage": "Won", "currency": "USD"}})[0]
    journal = _cut_off(desk, "deals", row, "/crm.lead/write", 0)
    assert desk.one("select date_closed is null from crm_lead where name = 'Made'") is False
    found = desk.open().lookup("deals", journal.open_attempts(), journal)
    assert [len(ids) for ids in found.values()] == [1]
    assert desk.one("select date_closed is null from crm_lead where name = 'Made'") is True
