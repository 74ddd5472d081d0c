"""Contacts: overlapping files, e-mail twins, queues, companies and owners, as the route's contract says."""

from __future__ import annotations

import polars as pl
import pytest

from crm_pipelines.errors import SpecError
from crm_pipelines.phases.resolve import StagedObject, resolve
from crm_pipelines_tests.lib.staged_objects import DEFAULTS, Row, chunk, chunk_name, day, derive_spec, fates_of, resolved, row_of, staged


def person(number: int, **cells: object) -> Row:
    return {"id": str(number), "email": f"c{number}@example.com", "first_name": f"N{number}", **cells}


# -- overlapping files --------------------------------------------------------------------------------------------


def test_the_newer_file_wins_per_column_and_an_empty_cell_clears_nothing() -> None:
    old = person(1, first_name="Old", city="Rome", tags=["a", "b"], score=5)
    new = person(1, first_name="New", city=None, tags=[], score=None)
    result = resolved(staged("contacts", [old], [new]))
    one = row_of(result.frames["contacts"], "1")
    assert (one["first_name"], one["city"], one["tags"], one["score"]) == ("New", "Rome", ["a", "b"], 5)


def test_newer_is_told_by_the_time_of_export_not_by_the_order_of_registration() -> None:
    late, early = chunk("contacts", 0, [person(1, city="New")], day(9)), chunk("contacts", 1, [person(1, city="Old")], day(2))
    result = resolved(StagedObject("contacts", [late, early]))
    assert row_of(result.frames["contacts"], "1")["city"] == "New"
    assert fates_of(result, "contacts") == {(0, 1): ("record", "1", None), (1, 1): ("merged", "1", None)}


def test_a_column_that_a_partial_export_lacks_is_kept() -> None:
    result = resolved(staged("contacts", [person(1, website="w.example.com")], [{"id": "1", "email": "c1@example.com"}]))
    assert row_of(result.frames["contacts"], "1")["website"] == "w.example.com"


def test_text_that_could_not_be_typed_stays_beside_its_column() -> None:
    result = resolved(staged("contacts", [person(1, raw_phone="x", phone="1"), person(2, raw_score="many")]))
    assert row_of(result.frames["contacts"], "2")["raw_score"] == "many"


def test_raw_text_goes_with_the_value_it_was() -> None:
    repaired = person(1, city="José", raw_city="JosÃ©")
    result = resolved(staged("contacts", [repaired], [person(1, city="Rome")]))
    one = row_of(result.frames["contacts"], "1")
    assert (one["city"], one["raw_city"]) == ("Rome", None)


def test_every_chunk_that_gave_a_row_is_a_contributor() -> None:
    result = resolved(staged("contacts", [person(1)], [person(2)], [person(1)]))
    assert row_of(result.frames["contacts"], "1")["contributors"] == [chunk_name("contacts", 0), chunk_name("contacts", 2)]


def test_ids_may_be_numbers_in_one_file_and_text_in_the_next() -> None:
    numbers = pl.DataFrame({"_row": [1], "id": [7], "email": ["c7@example.com"]})
    first, second = chunk("contacts", 0, []), chunk("contacts", 1, [person(7, city="Rome")])
    result = resolved(StagedObject("contacts", [type(first)(first.chunk, first.exported_at, first.columns, numbers), second]))
    assert row_of(result.frames["contacts"], "7")["city"] == "Rome"


def test_a_row_without_an_id_is_quarantined_even_if_it_got_this_far() -> None:
    result = resolved(staged("contacts", [person(1), {"email": "x@example.com"}]))
    assert fates_of(result, "contacts")[0, 2] == ("quarantined", None, "missing_key")


# -- twins --------------------------------------------------------------------------------------------------------


def test_twins_by_case_become_the_lowest_id_and_fill_its_gaps() -> None:
    result = resolved(
        staged(
            "contacts",
            [
                person(10, email="ANN@example.com", city="Oslo", zip="1", tags=["b", "c"]),
                person(9, email="ann@Example.com", city=None, tags=["a", "b"], lists=["L"]),
                person(100, email="Ann@example.com", city="Bonn", zip="2", lists=["M"]),
            ],
        )
    )
    one = row_of(result.frames["contacts"], "9")
    assert result.frames["contacts"].height == 1
    assert (one["city"], one["zip"], one["aliases"]) == ("Oslo", "1", ["10", "100"])
    assert (one["tags"], one["lists"]) == (["a", "b", "c"], ["L", "M"])
    assert fates_of(result, "contacts") == {(0, 1): ("merged", "9", None), (0, 2): ("record", "9", None), (0, 3): ("merged", "9", None)}
    assert result.stats["twins_merged"] == 2


def test_a_plus_address_is_its_own_person() -> None:
    result = resolved(staged("contacts", [person(1, email="ann@example.com"), person(2, email="ann+x@example.com")]))
    assert result.frames["contacts"].height == 2


def test_twins_are_told_by_the_newest_address_of_each() -> None:
    first = [person(1, email="old@example.com"), person(2, email="two@example.com")]
    result = resolved(staged("contacts", first, [person(1, email="TWO@example.com")]))
    assert row_of(result.frames["contacts"], "1")["aliases"] == ["2"]
    apart = resolved(
        staged("contacts", [person(1, email="x@example.com"), person(2, email="X@example.com")], [person(1, email="y@example.com")])
    )
    assert apart.frames["contacts"].height == 2


def test_contacts_with_the_same_unusable_text_are_not_twins() -> None:
    result = resolved(
        staged("contacts", [person(1, email="none@"), person(2, email="none@"), person(3, email=None), person(4, email=None)])
    )
    assert result.frames["contacts"].height == 4


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("Subscribed", "Spam complaint", "Spam complaint"),
        ("Unsubscribed", "subscribed", "Unsubscribed"),
        ("Blacklisted", "Do not contact", "Blacklisted"),
        ("Declined commercial messages (GDPR)", "Unsubscribed", "Declined commercial messages (GDPR)"),
        ("Multiple soft bounces", "Inactive", "Multiple soft bounces"),
        ("Active", "Inactive", "Inactive"),
        ("Subscribed", "Active", "Subscribed"),
        ("Subscribed", "Some new word", "Some new word"),
        ("Inactive", "Some new word", "Inactive"),
        (None, "Subscribed", "Subscribed"),
    ],
)
def test_the_strictest_status_of_twins_is_kept(first: str | None, second: str, kept: str) -> None:
    rows = [person(1, email="a@example.com", status=first), person(2, email="A@example.com", status=second)]
    assert row_of(resolved(staged("contacts", rows)).frames["contacts"], "1")["status"] == kept


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("2", "3", "3"),
        ("Accepted", "5", "5"),
        ("Pending", "Unknown", "Pending"),
        ("GDPR off", "1", "GDPR off"),
        ("2", "??", "??"),
        (None, "2", "2"),
    ],
)
def test_gdpr_columns_come_together_from_the_strictest_row(first: str | None, second: str, kept: str) -> None:
    rows = [
        person(1, email="a@example.com", gdpr_status=first, gdpr_status_date=day(1), gdpr_status_ip="192.0.2.1"),
        person(2, email="A@example.com", gdpr_status=second, gdpr_status_date=None, gdpr_status_ip="192.0.2.2"),
    ]
    one = row_of(resolved(staged("contacts", rows)).frames["contacts"], "1")
    from_second = kept == second
    assert one["gdpr_status"] == kept
    assert (one["gdpr_status_date"], one["gdpr_status_ip"]) == ((None, "192.0.2.2") if from_second else (day(1), "192.0.2.1"))


def test_without_any_gdpr_word_the_survivor_s_columns_stay_together() -> None:
    rows = [
        person(1, email="a@example.com", gdpr_status=None, gdpr_status_date=None, gdpr_status_ip="192.0.2.1"),
        person(2, email="A@example.com", gdpr_status=None, gdpr_status_date=day(2), gdpr_status_ip="192.0.2.2"),
    ]
    one = row_of(resolved(staged("contacts", rows)).frames["contacts"], "1")
    assert (one["gdpr_status_date"], one["gdpr_status_ip"]) == (None, "192.0.2.1")


def test_blacklisted_twins_stay_blacklisted() -> None:
    rows = [person(1, email="a@example.com", blacklisted=False), person(2, email="A@example.com", blacklisted=True)]
    assert row_of(resolved(staged("contacts", rows)).frames["contacts"], "1")["blacklisted"] is True


def test_notes_of_twins_are_all_kept_the_survivors_first() -> None:
    rows = [
        person(3, email="a@example.com", notes="called in May"),
        person(1, email="A@example.com", notes="prefers mornings"),
        person(2, email="a@Example.com", notes="called in May"),
    ]
    one = row_of(resolved(staged("contacts", rows)).frames["contacts"], "1")
    assert one["notes"] == "prefers mornings\n\ncalled in May"


# -- labels -------------------------------------------------------------------------------------------------------


def test_case_twins_of_a_label_take_the_most_frequent_spelling_in_order_of_first_appearance() -> None:
    rows = [person(1, tags=["VIP", "b", "vip"]), person(2, tags=["vip"]), person(3, tags=["Vip", "vip"])]
    frame = resolved(staged("contacts", rows)).frames["contacts"]
    assert frame["tags"].to_list() == [["vip", "b"], ["vip"], ["vip"]]


def test_a_spelling_counts_once_per_person() -> None:
    rows = [person(1, tags=["VIP", "VIP", "VIP"]), person(2, tags=["vip"]), person(3, tags=["vip"])]
    assert resolved(staged("contacts", rows)).frames["contacts"]["tags"].to_list() == [["vip"]] * 3


def test_equally_frequent_spellings_take_the_smallest_code_point() -> None:
    frame = resolved(staged("contacts", [person(1, lists=["news"]), person(2, lists=["News"])])).frames["contacts"]
    assert frame["lists"].to_list() == [["News"], ["News"]]


def test_the_inventory_decides_how_a_tag_is_spelled() -> None:
    inventory = staged("tags", [{"tag_name": "Vip"}])
    frame = resolved(staged("contacts", [person(1, tags=["VIP"]), person(2, tags=["VIP", "vip"])]), inventory).frames["contacts"]
    assert frame["tags"].to_list() == [["Vip"], ["Vip"]]


def test_spellings_are_counted_over_people_not_rows() -> None:
    again = [[person(1, tags=["vip"])] for _ in range(4)]
    result = resolved(staged("contacts", *again, [person(2, tags=["VIP"]), person(3, tags=["VIP"])]))
    assert row_of(result.frames["contacts"], "1")["tags"] == ["VIP"]


# -- queues -------------------------------------------------------------------------------------------------------


def test_a_contact_without_address_waits_for_remediation_and_has_no_company() -> None:
    result = resolved(staged("contacts", [person(1, email=None, company="Acme"), person(2, email=" ")]), companyless="single_person")
    assert fates_of(result, "contacts") == {
        (0, 1): ("waiting", "1", "remediation/no_email"),
        (0, 2): ("waiting", "2", "remediation/no_email"),
    }
    assert row_of(result.frames["contacts"], "1")["company_key"] is None
    assert result.frames["companies"].height == 0


@pytest.mark.parametrize(
    ("choice", "fate"), [("keep_as_text", ("record", "1", None)), ("queue", ("waiting", "1", "remediation/unusable_email"))]
)
def test_an_unusable_address_is_kept_as_text_or_waits(choice: str, fate: tuple[str, str, str | None]) -> None:
    result = resolved(staged("contacts", [person(1, email="bad@")]), unusable_email=choice)
    one = row_of(result.frames["contacts"], "1")
    assert fates_of(result, "contacts")[0, 1] == fate
    assert (one["email"], one["email_normal"], one["email_problem"]) == ("bad@", None, "unusable_email")


def test_a_decision_without_an_answer_is_named() -> None:
    answers = {name: answer for name, answer in DEFAULTS.items() if name != "unusable_email"}
    with pytest.raises(SpecError, match=r"decisions\.unusable_email"):
        resolve(derive_spec(), answers, {"contacts": staged("contacts", [person(1)])})


# -- names, companies, owners -------------------------------------------------------------------------------------


def test_the_full_name_is_joined_or_else_the_address() -> None:
    full = person(1, first_name=" Ann ", middle_name="M", last_name="de  la Cruz", last_name2="Ruiz")
    frame = resolved(staged("contacts", [full, person(2, first_name=None), person(3, first_name=None, email="bad@")])).frames["contacts"]
    assert frame["full_name"].to_list() == ["Ann M de la Cruz Ruiz", "c2@example.com", "bad@"]


def test_companies_are_one_per_casefolded_name_spelled_as_on_the_lowest_contact() -> None:
    rows = [
        person(10, company="ACME  ltd", date_joined=day(2)),
        person(9, company=" Acme Ltd", date_joined=day(3)),
        person(11, company="Acme Limited", date_joined=None),
        person(12, company=None),
        person(13, company="Acme ltd", email=None, date_joined=day(1)),
    ]
    result = resolved(staged("contacts", rows))
    companies = result.frames["companies"].select("key", "name", "joined_at", "kind").rows()
    assert companies == [
        ("company:acme limited", "Acme Limited", None, "company"),
        ("company:acme ltd", "Acme Ltd", day(2), "company"),
    ]
    assert row_of(result.frames["contacts"], "10")["company_key"] == "company:acme ltd"
    assert row_of(result.frames["contacts"], "12")["company_key"] is None


def test_companyless_contacts_can_be_companies_of_one() -> None:
    result = resolved(staged("contacts", [person(1, date_joined=day(4)), person(2, company="Acme")]), companyless="single_person")
    single = row_of(result.frames["companies"], "person:1")
    assert (single["name"], single["joined_at"], single["contact_key"], single["kind"]) == ("N1", day(4), "1", "single_person")
    assert row_of(result.frames["contacts"], "1")["company_key"] == "person:1"


def test_companies_come_from_people_not_from_rows() -> None:
    result = resolved(staged("contacts", [person(1, company="Old Name")], [person(1, company="New Name")]))
    assert result.frames["companies"]["key"].to_list() == ["company:new name"]


def test_owners_are_distinct_addresses_of_contacts_and_hosts() -> None:
    rows = [person(1, owner="Ana@Agency.example.com"), person(2, owner=" ana@agency.example.com "), person(3)]
    booking = {"calendar_subscription_id": "5", "lead_email": "c1@example.com", "host_email_address": "Bo@agency.example.com"}
    result = resolved(staged("contacts", rows), staged("calendars", [booking]))
    assert result.frames["owners"]["key"].to_list() == ["ana@agency.example.com", "bo@agency.example.com"]
    assert row_of(result.frames["contacts"], "2")["owner_key"] == "ana@agency.example.com"
    assert row_of(result.frames["owners"], "bo@agency.example.com")["contributors"] == [chunk_name("calendars", 0)]


def test_custom_fields_named_like_our_own_columns_are_kept_apart() -> None:
    result = resolved(staged("contacts", [person(1, reason="because", key="k")]))
    one = row_of(result.frames["contacts"], "1")
    assert (one["key"], one["reason"], one["source_reason"], one["source_key"]) == ("1", None, "because", "k")


def test_rows_of_schema_exports_are_folded_into_the_destination_schema() -> None:
    result = resolved(staged("contacts", [person(1)]), staged("tags", [{"tag_name": "a"}, {"tag_name": "b"}]))
    lines = result.fates["tags"].select("row", "fate", "into_phase").rows()
    assert lines == [(1, "folded", "destination_schema"), (2, "folded", "destination_schema")]
