"""A real Odoo holds exactly what was planted: under every answer of the client, after a second run, after a later export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import pytest

from crm_pipelines_tests.lib.rig_odoo import OdooRig

pytestmark = pytest.mark.odoo

Make = Callable[..., OdooRig]
Patch = pytest.MonkeyPatch
TABLES = (
    *("res_partner", "mail_blacklist", "product_template", "sale_order", "sale_order_line", "account_move", "crm_lead"),
    *("calendar_event", "ir_model_data", "ir_model_fields", "res_partner_category", "crm_stage"),
)
DECISIONS: tuple[Mapping[str, str], ...] = (
    {"transactions": "invoices"},
    {"transactions": "invoices", "refunded": "net", "rebills": "deal_each", "failed": "cancelled_order"},
    {"refunded": "net", "rebills": "deal_each", "failed": "cancelled_order", "cancelled_bookings": "exclude"},
    {"lists": "same", "affiliates": "category", "subscription_value": "latest"},
    {"owners": "default_user", "default_owner": "ana@agency.example.com", "subscription_value": "first"},
)


def named(values: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items())


def assert_is_the_truth(rig: OdooRig) -> None:
    found = rig.compare()
    assert found.differences == []
    assert found.records_compared == sum(len(records) for records in rig.truth["records"].values())


def server_time(rig: OdooRig) -> datetime:
    found: datetime = rig.rows("SELECT now() AT TIME ZONE 'UTC' AS now")[0]["now"]
    return found


def written_since(rig: OdooRig, moment: datetime) -> dict[str, int]:
    """Return, per table, rows that Odoo wrote after a moment of its own clock."""
    counts = {table: rig.rows(f"SELECT count(*) AS n FROM {table} WHERE write_date > %s", moment)[0]["n"] for table in TABLES}
    return {table: count for table, count in counts.items() if count}


def test_what_arrives_stays_as_it_is_and_follows_a_later_export(odoo_rig: Make, monkeypatch: Patch) -> None:
    one = odoo_rig(contacts=120, sample={"chunks": 2, "delta": True})
    assert one.walk_here(monkeypatch) == 0
    assert_is_the_truth(one)
    done = server_time(one)
    assert one.walk_here(monkeypatch) == 0
    assert written_since(one, done) == {}, "nothing changed, so nothing is written"
    assert one.rows("SELECT count(*) AS n FROM mail_mail")[0]["n"] == 0, "nobody is mailed"
    one.bring_delta()
    assert one.walk_here(monkeypatch) == 0
    assert_is_the_truth(one)
    assert written_since(one, done).get("sale_order", 0) < one.rows("SELECT count(*) AS n FROM sale_order")[0]["n"] / 2
    done = server_time(one)
    assert one.walk_here(monkeypatch) == 0
    assert written_since(one, done) == {}


@pytest.mark.parametrize("decisions", DECISIONS, ids=named)
def test_every_decision_ends_with_its_own_truth(decisions: Mapping[str, str], odoo_rig: Make, monkeypatch: Patch) -> None:
    one = odoo_rig(contacts=60, decisions=decisions)
    assert one.walk_here(monkeypatch) == 0
    assert_is_the_truth(one)


def test_people_at_work_keep_what_is_theirs(odoo_rig: Make, monkeypatch: Patch) -> None:
    one = odoo_rig(contacts=60)
    people = one.truth["records"]["people"]
    key = next(key for key, person in people.items() if person.get("email") and person.get("phone"))
    there = one.call("res.partner", "create", vals_list=[{"name": "Known Before", "email": people[key]["email"]}])[0]
    assert one.walk_here(monkeypatch) == 0
    found = one.rows("SELECT id, name, phone FROM res_partner WHERE email_normalized = %s", people[key]["email"].casefold())
    assert [(row["id"], row["name"], bool(row["phone"])) for row in found] == [(there, "Known Before", True)], "one record, filled up"
    ours = one.rows("SELECT res_id FROM ir_model_data WHERE module = %s AND name = %s", one.prefix, f"people.{key}")
    assert [row["res_id"] for row in ours] == [there], "it carries the source key now"
    done = server_time(one)
    assert one.walk_here(monkeypatch) == 0
    assert written_since(one, done) == {}


def test_a_company_its_people_and_their_tags_stay_as_they_were(odoo_rig: Make, monkeypatch: Patch) -> None:
    one = odoo_rig(contacts=60)
    speak_french(one)
    people = one.truth["records"]["people"].items()
    known = list({each["parent_id"]: (key, each) for key, each in people if each.get("parent_id") and each.get("email")}.values())[:2]
    own, shared = (made(one, "res.partner.category", name=name) for name in ("Long-standing", known[0][1]["category_id"][0]))
    one.call("res.partner.category", "write", ids=[shared], vals={"name": "Traduit"}, context={"lang": "fr_FR"})
    tags, offices, colleagues, persons = [[6, 0, [own]]], [], [], []
    for number, (_, person) in enumerate(known):
        name = one.truth["records"]["organizations"][person["parent_id"]]["name"]
        offices.append(made(one, "res.partner", name=name, is_company=True, street="1 Head Office", city="Lyon", zip="69001", lang="fr_FR"))
        colleagues.append(made(one, "res.partner", name="A Colleague", parent_id=offices[-1], category_id=tags))
        place = {"parent_id": offices[-1], "type": "other"} if number else {}  # the first is put under the company by us
        street = {"street": "2 Home", "city": "Nice"}
        persons.append(made(one, "res.partner", name="Known", email=person["email"], lang="fr_FR", category_id=tags, **street, **place))
    before = partners(one, *offices, *colleagues, *persons)
    assert one.walk_here(monkeypatch) == 0
    after = partners(one, *before)
    assert {name for number in before for name in changed(before[number], after[number])} <= WHERE_THEY_BELONG
    assert all(after[number].items() >= before[number].items() for number in colleagues)
    assert [after[number]["parent_id"] for number in persons] == offices
    assert [after[number]["ref"] for number in persons] == [key for key, _ in known]
    assert all(after[number]["x_kartra_created_date"] for number in (*offices, *persons))
    assert [tag_names(one, number) for number in persons] == [{"Long-standing", *person["category_id"]} for _, person in known]
    again = one.rows(
        "SELECT id, name ->> 'fr_FR' AS name FROM res_partner_category WHERE name ->> 'en_US' = %s", known[0][1]["category_id"][0]
    )
    assert again == [{"id": shared, "name": "Traduit"}], "their tag is ours, too"
    done = server_time(one)
    assert one.walk_here(monkeypatch) == 0
    assert written_since(one, done) == {}


WHERE_THEY_BELONG = {"type", "commercial_partner_id", "complete_name"}
"""What Odoo itself says otherwise of a person who was put under a company."""


def speak_french(one: OdooRig) -> None:
    """Install a second language, as an administrator does."""
    french = one.rows("SELECT id FROM res_lang WHERE code = 'fr_FR'")[0]["id"]
    dialog = one.call("base.language.install", "create", vals_list=[{"lang_ids": [[6, 0, [french]]], "overwrite": False}])
    one.call("base.language.install", "lang_install", ids=dialog)


def made(one: OdooRig, model: str, **values: object) -> int:
    number: int = one.call(model, "create", vals_list=[values])[0]
    return number


def partners(one: OdooRig, *ids: int) -> dict[int, dict[str, object]]:
    """Return partners with all of their columns but the ones that every write changes."""
    rows = one.rows("SELECT * FROM res_partner WHERE id = ANY(%s)", list(ids))
    return {row["id"]: {name: value for name, value in row.items() if name not in {"write_date", "write_uid"}} for row in rows}


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    """Return the columns that were filled and hold something else now."""
    return {name for name, value in before.items() if value not in {None, ""} and after[name] != value}


def tag_names(one: OdooRig, partner: int) -> set[str]:
    query = "SELECT name ->> 'en_US' AS name FROM res_partner_category JOIN res_partner_res_partner_category_rel ON category_id = id"
    return {row["name"] for row in one.rows(query + " WHERE partner_id = %s", partner)}


def test_the_plan_speaks_of_requests_and_time_and_never_of_tokens(odoo_rig: Make) -> None:
    one = odoo_rig(contacts=60)
    doctor, planned = one.crm("doctor", "acme"), one.crm("plan", "acme")
    assert (doctor.returncode, planned.returncode) == (0, 0), doctor.stderr + planned.stderr
    for part in ("Odoo 19.0 Community", one.database, "no quota; 1 connection, batches of 500", "No subscription app is installed"):
        assert part in doctor.stdout
    for part in ("No quota: ", " requests, forecast to take ", "No subscription app is installed"):
        assert part in planned.stdout
    assert "token" not in planned.stdout.casefold()
