"""Records into a real Odoo: what goes in, what is refused and why, what is left as it is. Witness: Odoo's own PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
from crm_pipelines_tests.unit.destinations.odoo.desk import PREFIX, Desk, rows_of

pytestmark = pytest.mark.odoo

PERSON: Mapping[str, Any] = {
    "name": "Zoë O'Neill",
    "email": "zoe@example.com",
    "phone": "+14155550123",
    "type": "contact",
    "street": "1 Rue X, Bât. 2",
    "city": "Paris",
    "zip": "75001",
    "country": "US",
    "state": "california",
    "website": "http://zoe.example.com",
    "ref": "1001",
    "comment": "<p>a &amp; b<br>c \N{GRINNING FACE}</p>",
    "user_id": "2",
    "category_id": ["VIP", "list_Ünïcode"],
    "custom": {
        "Kartra state": "california",
        "GDPR status": "Not accepted",
        "Kartra created date": "2018-01-02T03:04:05Z",
        "GDPR consent date": "2019-12-31",
        "Lead score": 12.5,
        "Ticked": True,
        "Remark": 'two\nlines, "quotes"; semicolons',
    },
}

BAD: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "no name": ({"name": ""}, "missing_required: name"),
    "blank name": ({"name": "   "}, "missing_required: name"),
    "unknown selection": ({"type": "friend"}, "unknown_option: type"),
    "unknown option": ({"custom": {"GDPR status": "Perhaps"}}, "unknown_option: GDPR status"),
    "no date": ({"custom": {"GDPR consent date": "31/12/2019"}}, "bad_date: GDPR consent date"),
    "no such day": ({"custom": {"GDPR consent date": "2019-02-29"}}, "bad_date: GDPR consent date"),
    "year 999": ({"custom": {"GDPR consent date": "0999-02-02"}}, "date_out_of_range: GDPR consent date"),
    "no moment": ({"custom": {"Kartra created date": "yesterday at ten o'clock"}}, "bad_datetime: Kartra created date"),
    "False as text": ({"custom": {"Ticked": "False"}}, "not_boolean: Ticked"),
    "text as number": ({"custom": {"Lead score": "twelve"}}, "not_number: Lead score"),
    "not a number": ({"custom": {"Lead score": float("nan")}}, "not_number: Lead score"),
    "NUL": ({"city": "a\x00b"}, "nul_character: city"),
    "half a surrogate": ({"city": "a\ud800b"}, "not_unicode: city"),
    "a list as text": ({"city": ["a"]}, "not_text: city"),
    "set by Odoo": ({"create_date": "2018-01-02T03:04:05Z"}, "set_by_odoo: create_date"),
    "no such field": ({"nickname": "Z"}, "unknown_field: nickname"),
    "too long": ({"name": "n" * 3000}, "too_long: name"),
    "link to nothing": ({"parent_id": "0"}, "link_to_nothing: parent_id"),
    "link to text": ({"user_id": "ana"}, "link_to_nothing: user_id"),
    "link beyond integers": ({"parent_id": str(2**31)}, "link_to_nothing: parent_id"),
    "link to what is gone": ({"parent_id": "99999999"}, "link_to_nothing: parent_id"),
    "no such country": ({"country": "XX"}, "unknown_country: country"),
}
"""What would be refused, changed or lost in silence -> the reason that a person reads."""


def test_every_field_arrives_as_it_is_and_reads_back_as_it_was_written(desk: Desk) -> None:
    number = desk.create("people", {"full/1": PERSON})["full/1"]
    assert desk.payload("people", number) == {**PERSON, "category_id": sorted(PERSON["category_id"])}
    row = desk.server.rows(desk.database, "select * from res_partner where id = %s", int(number))[0]
    assert (row["name"], row["street"], row["type"], row["user_id"]) == (PERSON["name"], PERSON["street"], "contact", 2)
    assert desk.one("select code from res_country_state where id = %s", row["state_id"]) == "CA"
    assert (row["x_kartra_created_date"].isoformat(" "), row["x_lead_score"], row["x_ticked"]) == ("2018-01-02 03:04:05", 12.5, True)
    assert desk.sql(
        "select name, model from ir_model_data where module = %s and res_id = %s and model = 'res.partner'", PREFIX, row["id"]
    ) == [("people.full%2F1", "res.partner")]


def test_good_rows_are_in_and_each_bad_one_has_its_reason(desk: Desk) -> None:
    payloads = {f"bad {kind}": {"name": "Bad", **changes} for kind, (changes, _) in BAD.items()}
    good = {f"good {n}": {"name": f"Good {n}", "user_id": "2", "category_id": ["VIP"]} for n in range(600)}
    rows = rows_of_any({**dict(list(good.items())[:300]), **payloads, **dict(list(good.items())[300:])})
    report, outcomes = desk.write("people", rows)
    assert {key.removeprefix("bad "): each.reason for key, each in outcomes.items() if each.result == "refused"} == {
        kind: reason for kind, (_, reason) in BAD.items()
    }
    assert (report.created, report.refused, report.unknown) == (len(good), len(BAD), 0)
    assert desk.one("select count(*) from res_partner where name like 'Good %'") == len(good)
    assert desk.one("select count(*) from res_partner where name = 'Bad'") == 0


def test_rows_that_odoo_itself_refuses_are_found_whether_it_names_them_or_not(desk: Desk) -> None:
    """A quota of `load` is ten messages; a unique index names no row; the first row must not be blamed for others."""
    desk.server.rows(desk.database, "alter table res_partner add constraint no_bad_zip check (zip is distinct from 'bad')")
    payloads = {f"odd {n}": {"name": f"Odd {n}", "zip": "bad" if n in {3, 40, 41, *range(60, 75)} else "1"} for n in range(90)}
    report, outcomes = desk.write("people", rows_of(payloads))
    desk.server.rows(desk.database, "alter table res_partner drop constraint no_bad_zip")
    refused = {key for key, each in outcomes.items() if each.result == "refused"}
    assert refused == {key for key, payload in payloads.items() if payload["zip"] == "bad"}
    assert report.created == len(payloads) - len(refused) == desk.one("select count(*) from res_partner where name like 'Odd %'")
    assert not any("bad" in each.reason for each in outcomes.values())


def test_a_company_keeps_no_address_whatever_its_contacts_have_and_they_keep_theirs(desk: Desk) -> None:
    firms = desk.create("organizations", {f"company:{n}": {"name": f"Firm {n}"} for n in range(4)})
    one, two, three, four = (firms[f"company:{n}"] for n in range(4))
    own = {"type": "other", "street": "9 Own Street", "city": "Town", "country": "FR"}
    first = {
        "a": {"name": "A", "parent_id": one, **own},
        "b": {"name": "B", "parent_id": two, **own},
        "c": {"name": "C", "parent_id": two, "type": "contact"},
        "d": {"name": "D", "parent_id": three, "type": "contact"},
    }
    destination = desk.open()
    made = desk.create("people", first, destination)
    made |= desk.create("people", {"e": {"name": "E", "parent_id": three, **own, "street": "8 Own"}}, destination)
    made |= desk.create(
        "people", {"f": {"name": "F", "parent_id": three, **own, "street": "7 Own"}, "g": {"name": "G", "parent_id": four, **own}}
    )
    numbers = [int(number) for number in firms.values()]
    assert desk.sql("select distinct street, city, country_id from res_partner where id = any(%s)", numbers) == [(None, None, None)]
    rows = desk.sql("select name, street, active from res_partner where parent_id = any(%s) order by name", numbers)
    streets = {"E": "8 Own", "F": "7 Own", "C": None, "D": None}
    assert rows == [(name, streets.get(name, "9 Own Street"), True) for name in "ABCDEFG"]


def test_a_company_keeps_no_address_when_its_contacts_come_in_several_calls_of_one_batch(desk: Desk) -> None:
    firm = int(desk.create("organizations", {"company:x": {"name": "Firm X"}})["company:x"])
    destination = desk.open()
    destination._memory.batch_rows = 1  # as if each of them were five hundred
    own = {"type": "other", "parent_id": str(firm), "city": "Town", "country": "FR"}
    desk.create("people", {key: {"name": key, **own, "street": f"{key} Street"} for key in "ABC"}, destination)
    assert desk.sql("select street, city, country_id from res_partner where id = %s", firm) == [(None, None, None)]
    rows = desk.sql("select name, street, active from res_partner where parent_id = %s order by name", firm)
    assert rows == [(key, f"{key} Street", True) for key in "ABC"]


def test_nobody_is_told_nothing_is_logged_and_nobody_follows(desk: Desk) -> None:
    latest = desk.one("select coalesce(max(id), 0) from mail_message")
    guest = desk.create("people", {"quiet": {"name": "Guest", "email": "guest@example.com", "phone": "+14155550123"}})["quiet"]
    product = desk.create("products", {"product:q": {"name": "Quiet"}})["product:q"]
    order = {"partner_id": guest, "product": product, "description": "Quiet", "amount": 10, "currency": "USD"}
    desk.create("orders", {"q": {**order, "date_order": "2019-01-02T03:04:05Z", "state": "sale"}})
    desk.create("invoices", {"q": {**order, "invoice_date": "2019-01-02", "state": "posted"}})
    desk.create("deals", {"q": {"name": "Quiet", "partner_id": guest, "user_id": "2", "status": "won", "stage": "Won"}})
    desk.create("opt_outs", {"q": {"email": "guest@example.com"}})
    event = {"name": "Quiet", "start": "2031-01-01T10:00:00Z", "stop": "2031-01-01T11:00:00Z", "attendees": guest, "user_id": "2"}
    number = desk.create("activities", {"q": event})["q"]
    assert desk.one("select count(*) from mail_message where id > %s", latest) == 0
    assert desk.one("select count(*) from mail_mail") == 0
    models = ["res.partner", "sale.order", "account.move", "crm.lead", "calendar.event", "mail.blacklist", "product.template"]
    assert desk.one("select count(*) from mail_followers where res_model = any(%s)", models) == 0
    host = desk.one("select partner_id from res_users where id = 2")
    invited = desk.sql("select res_partner_id from calendar_event_res_partner_rel where calendar_event_id = %s order by 1", int(number))
    assert invited == sorted([(int(guest),), (host,)])


def test_orders_keep_state_date_currency_and_amount(desk: Desk) -> None:
    person = desk.create("people", {"buyer": {"name": "Buyer", "user_id": "2"}})["buyer"]
    product = desk.create("products", {"product:o": {"name": "Course"}})["product:o"]
    base = {"partner_id": person, "product": product, "description": "Course", "date_order": "2019-01-02T03:04:05Z"}
    wanted = {
        "o1": {**base, "client_order_ref": "Course (1)", "state": "sale", "amount": 199.99, "currency": "USD", "user_id": "2"},
        "o2": {**base, "client_order_ref": "Course (2)", "state": "cancel", "amount": 20, "currency": "EUR"},
        "o3": {**base, "client_order_ref": "Course (3)", "state": "draft", "custom": {"Refunded amount": 3}},
    }
    made = desk.create("orders", wanted)
    rows = desk.sql(
        "select o.client_order_ref, o.state, o.date_order::text, o.amount_total::float, o.amount_tax::float, c.name, o.user_id "
        "from sale_order o join res_currency c on c.id = o.currency_id where o.id = any(%s) order by 1",
        [int(number) for number in made.values()],
    )
    assert rows == [
        ("Course (1)", "sale", "2019-01-02 03:04:05", 199.99, 0.0, "USD", 2),
        ("Course (2)", "cancel", "2019-01-02 03:04:05", 20.0, 0.0, "EUR", None),
        ("Course (3)", "draft", "2019-01-02 03:04:05", 0.0, 0.0, "USD", None),
    ]
    assert desk.payload("orders", made["o1"]) == wanted["o1"]
    assert desk.payload("orders", made["o2"]) == wanted["o2"]
    waiting = "select count(*) from sale_order where id = any(%s) and invoice_status <> 'no'"
    assert desk.one(waiting, [int(number) for number in made.values()]) == 0, "nobody is asked to invoice again what Kartra sold"
    _, outcomes = desk.write("orders", rows_of({"o4": {**wanted["o1"], "amount": 1.005}}))
    assert outcomes["o4"].reason == "too_precise: amount"


def test_invoices_are_posted_or_cancelled_with_their_date_and_without_tax(desk: Desk) -> None:
    person = desk.create("people", {"invoiced": {"name": "Invoiced"}})["invoiced"]
    product = desk.create("products", {"product:i": {"name": "Book"}})["product:i"]
    base = {"partner_id": person, "product": product, "description": "Book", "invoice_date": "2020-02-03", "currency": "USD"}
    wanted = {
        "i1": {**base, "ref": "Book (1)", "state": "posted", "amount": 10.5},
        "i2": {**base, "ref": "Book (2)", "state": "cancel", "amount": 11},
        "i3": {**base, "ref": "Book (3)", "state": "posted", "amount": 12, "currency": "EUR"},
    }
    (euro,) = desk.server.call(desk.database, "res.currency", "search", domain=[["name", "=", "EUR"]])
    desk.server.call(desk.database, "res.currency.rate", "create", vals_list=[{"currency_id": euro, "name": "2020-01-01", "rate": 0.8}])
    desk.main.describe(MemoryJournal())
    made = desk.create("invoices", wanted)
    rows = desk.sql(
        "select m.ref, m.state, m.invoice_date::text, m.amount_total::float, m.amount_tax::float, c.name, m.invoice_user_id, "
        "m.payment_state from account_move m join res_currency c on c.id = m.currency_id where m.id = any(%s) order by 1",
        [int(number) for number in made.values()],
    )
    assert rows == [
        ("Book (1)", "posted", "2020-02-03", 10.5, 0.0, "USD", None, "not_paid"),
        ("Book (2)", "cancel", "2020-02-03", 11.0, 0.0, "USD", None, "not_paid"),
        ("Book (3)", "posted", "2020-02-03", 12.0, 0.0, "EUR", None, "not_paid"),
    ]
    assert desk.payload("invoices", made["i3"]) == wanted["i3"]
    _, outcomes = desk.write("invoices", rows_of({"i4": {name: value for name, value in wanted["i1"].items() if name != "invoice_date"}}))
    assert outcomes["i4"].reason == "missing_required: invoice_date"


def test_leads_are_won_lost_or_open_with_the_dates_of_the_export(desk: Desk) -> None:
    closed = "2020-01-01T00:00:00Z"
    wanted = {
        "d1": {"name": "W", "status": "won", "stage": "Won", "expected_revenue": 10, "currency": "USD", "date_closed": closed},
        "d2": {"name": "L", "status": "lost", "stage": "Negotiation", "currency": "USD", "date_closed": closed, "description": "<p>x</p>"},
        "d3": {
            "name": "O",
            "status": "open",
            "stage": "Negotiation",
            "expected_revenue": 5.25,
            "currency": "USD",
            "date_deadline": "2020-05-06",
        },
        "d4": {"name": "N", "status": "won", "stage": "Won", "currency": "USD"},
    }
    made = desk.create("deals", wanted)
    rows = desk.sql(
        "select name, won_status, active, probability, date_closed::text, type, user_id from crm_lead where id = any(%s) order by name",
        [int(number) for number in made.values()],
    )
    assert [row[:3] for row in rows] == [("L", "lost", False), ("N", "won", True), ("O", "pending", True), ("W", "won", True)]
    assert [row[4] for row in rows] == ["2020-01-01 00:00:00", None, None, "2020-01-01 00:00:00"]
    assert {row[5:] for row in rows} == {("opportunity", None)}
    queued = "select count(*) from crm_lead where id = any(%s) and iap_enrich_done is not true"  # crm_iap_enrich
    assert desk.one(queued, [int(number) for number in made.values()]) == 0, "no e-mail domain is sent to a third party"
    assert {key: desk.payload("deals", number) for key, number in made.items()} == wanted
    _, outcomes = desk.write("deals", rows_of({"d5": {"name": "F", "status": "open", "expected_revenue": 1, "currency": "EUR"}}))
    assert outcomes["d5"].reason == "foreign_currency: currency"


def test_opt_outs_are_the_blacklist_and_what_stands_there_is_ours_from_then_on(desk: Desk) -> None:
    desk.server.call(desk.database, "mail.blacklist", "create", vals_list=[{"email": "there@example.com"}, {"email": "gone@example.com"}])
    desk.server.rows(desk.database, "update mail_blacklist set active = false where email = 'gone@example.com'")
    addresses = {"1": "New@Example.com", "2": "there@example.com", "3": "gone@example.com", "4": "nobody", "5": "other@example.com"}
    _, outcomes = desk.write("opt_outs", rows_of({key: {"email": value} for key, value in addresses.items()}))
    assert {key: (each.result, each.reason) for key, each in outcomes.items()} == {
        "1": ("created", ""),
        "2": ("adopted", ""),
        "3": ("refused", "withdrawn: email"),
        "4": ("refused", "bad_email: email"),
        "5": ("created", ""),
    }
    names = (
        "select d.name, b.email from ir_model_data d join mail_blacklist b on b.id = d.res_id "
        "where d.model = 'mail.blacklist' and d.name ~ '^opt_outs.[1-5]$' order by 1"
    )
    assert desk.sql(names) == [("opt_outs.1", "new@example.com"), ("opt_outs.2", "there@example.com"), ("opt_outs.5", "other@example.com")]


def test_what_is_there_unchanged_is_adopted_and_never_written_again(desk: Desk) -> None:
    people = {
        f"again {n}": {"name": f"Again {n}", "comment": "<p>x <b>y</b></p>", "category_id": ["VIP"], "custom": {"Lead score": n}}
        for n in range(30)
    }
    desk.create("people", people)
    before = desk.sql("select id, write_date, xmin::text from res_partner where name like 'Again %' order by id")
    people["again 7"] = {**people["again 7"], "name": "Somebody else"}
    report, outcomes = desk.write("people", rows_of(people), desk.open())
    assert desk.sql("select id, write_date, xmin::text from res_partner where name like 'Again %' order by id") == before
    assert outcomes["again 7"].reason == "external_id_taken: name"
    assert {each.result for key, each in outcomes.items() if key != "again 7"} == {"adopted"}
    assert report.refused == 1


def test_an_update_writes_the_changes_alone(desk: Desk) -> None:
    made = desk.create("people", {f"up {n}": {"name": f"Up {n}", "city": "Old", "category_id": ["VIP"]} for n in range(20)})
    still = desk.create("people", {"still": {"name": "Still", "city": "Old"}})["still"]
    before = desk.one("select xmin::text from res_partner where id = %s", int(still))
    changes = {key: {"city": "New"} if int(key.split()[1]) < 10 else {"city": key, "category_id": ["VIP", "Customer"]} for key in made}
    rows = [WriteRow(key, "update", {"name": "N"}, "h2", b"{}", key, number, changes[key]) for key, number in made.items()]
    report, _ = desk.write("people", rows)
    assert report.updated == 20
    assert desk.sql("select city, count(*) from res_partner where name like 'Up %' and city = 'New' group by 1") == [("New", 10)]
    assert desk.payload("people", made["up 15"]) == {
        "name": "Up 15",
        "type": "contact",
        "city": "up 15",
        "category_id": ["Customer", "VIP"],
    }
    assert desk.one("select xmin::text from res_partner where id = %s", int(still)) == before


def test_an_update_that_odoo_refuses_fails_alone(desk: Desk) -> None:
    made = desk.create("people", {f"ring {n}": {"name": f"Ring {n}"} for n in range(6)})
    changes: dict[str, Any] = {key: {"city": key} for key in made}
    changes["ring 2"] = {"parent_id": made["ring 2"]}
    changes["ring 4"] = {"custom": {"Ticked": "True"}}
    rows = [WriteRow(key, "update", {"name": "N"}, "h2", b"{}", key, number, changes[key]) for key, number in made.items()]
    report, outcomes = desk.write("people", rows)
    assert (report.updated, report.refused) == (4, 2)
    assert (outcomes["ring 2"].reason, outcomes["ring 4"].reason) == ("recursive", "not_boolean: Ticked")


def test_a_lead_is_closed_and_opened_again_by_updates(desk: Desk) -> None:
    number = desk.create("deals", {"life": {"name": "Life", "status": "open", "stage": "Negotiation", "currency": "USD"}})["life"]
    closed = "2021-03-04T00:00:00Z"

    def update(changes: Mapping[str, Any], whole: Mapping[str, Any]) -> tuple[Any, ...]:
        report, _ = desk.write("deals", [WriteRow("life", "update", {"name": "Life", **whole}, "h", b"{}", "life", number, changes)])
        assert report.updated == 1
        return desk.sql("select won_status, active, date_closed::text from crm_lead where id = %s", int(number))[0]

    won = {"status": "won", "stage": "Won", "date_closed": closed}
    assert update(won, won) == ("won", True, "2021-03-04 00:00:00")
    lost = {"status": "lost", "stage": "Negotiation", "date_closed": closed}
    assert update({"status": "lost", "stage": "Negotiation"}, lost) == ("lost", False, "2021-03-04 00:00:00")
    opened = {"status": "open", "stage": "Negotiation"}
    assert update({"status": "open"}, opened) == ("pending", True, None)


def test_amounts_of_orders_and_posted_invoices_change_on_their_one_line(desk: Desk) -> None:
    person = desk.create("people", {"changed": {"name": "Changed"}})["changed"]
    product = desk.create("products", {"product:c": {"name": "Change"}})["product:c"]
    base = {"partner_id": person, "product": product, "description": "Change", "amount": 10, "currency": "USD"}
    order = desk.create("orders", {"c": {**base, "date_order": "2019-01-02T03:04:05Z", "state": "sale"}})["c"]
    invoice = desk.create("invoices", {"c": {**base, "invoice_date": "2019-01-02", "state": "posted"}})["c"]
    for phase, number, state in (("orders", order, "sale"), ("invoices", invoice, "posted")):
        report, outcomes = desk.write(phase, [WriteRow("c", "update", {**base, "state": state}, "h", b"{}", "c", number, {"amount": 7.5})])
        assert report.updated == 1, outcomes
    report, _ = desk.write("orders", [WriteRow("c", "update", {**base, "state": "cancel"}, "h", b"{}", "c", order, {"state": "cancel"})])
    assert desk.sql("select state, amount_total::float, date_order::text from sale_order where id = %s", int(order)) == [
        ("cancel", 7.5, "2019-01-02 03:04:05")
    ]
    assert desk.sql("select state, amount_total::float, amount_tax::float from account_move where id = %s", int(invoice)) == [
        ("posted", 7.5, 0.0)
    ]


def test_an_adopted_record_gets_its_key_and_nothing_else(desk: Desk) -> None:
    (number,) = desk.server.call(desk.database, "res.partner", "create", vals_list=[{"name": "Theirs", "email": "theirs@example.com"}])
    before = desk.one("select xmin::text from res_partner where id = %s", number)
    row = WriteRow("adopted", "update", {"name": "Theirs"}, "h", b"{}", "adopted", str(number), {})
    _, outcomes = desk.write("people", [row])
    assert (outcomes["adopted"].result, outcomes["adopted"].destination_id) == ("adopted", str(number))
    assert desk.one("select res_id from ir_model_data where module = %s and name = 'people.adopted'", PREFIX) == number
    assert desk.one("select xmin::text from res_partner where id = %s", number) == before
    other = desk.create("people", {"adopted too": {"name": "Other"}})["adopted too"]
    _, outcomes = desk.write("people", [replace(row, destination_id=other)])
    assert outcomes["adopted"].reason == "external_id_taken"


def test_a_lost_connection_leaves_the_batch_unknown_and_the_look_up_finds_it(desk: Desk) -> None:
    class Cut(httpx.AsyncBaseTransport):
        """Loses the answer to the first load."""

        def __init__(self) -> None:
            self.inner = httpx.AsyncHTTPTransport()

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await self.inner.handle_async_request(request)
            if request.url.path.endswith("/res.partner/load") and not cuts:
                cuts.append(1)
                await response.aread()
                raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
            return response

        async def aclose(self) -> None:
            await self.inner.aclose()

    cuts: list[int] = []
    firm = desk.create("organizations", {"company:cut": {"name": "Cut"}})["company:cut"]
    people = {"cut 1": {"name": "Cut 1", "parent_id": firm, "type": "other", "street": "1"}, "cut 2": {"name": "Cut 2"}}
    journal = MemoryJournal("people")
    destination = desk.open(Cut)
    report = destination.write("people", rows_of(people), journal, None)
    assert (report.sent, report.unknown, report.created) == (1, 1, 0)
    assert journal.results() == {"cut 2": "absent"}, "it travels apart, and never left"
    assert desk.one("select active from res_partner where name = 'Cut 1'") is False
    found = desk.open().lookup("people", journal.open_attempts(), journal)
    assert [len(ids) for ids in found.values()] == [1]
    assert desk.one("select active from res_partner where name = 'Cut 1'") is True
    assert desk.one("select street from res_partner where id = %s", int(firm)) is None


def rows_of_any(payloads: Mapping[str, Mapping[str, Any]]) -> list[WriteRow]:
    """Return creates whose payloads no JSON could hold."""
    return [WriteRow(key, "create", payload, "h", b"{}", key) for key, payload in payloads.items()]
