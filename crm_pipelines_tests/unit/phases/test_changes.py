"""How two seals differ, said as a client would read it; what needs no confirmation."""

from __future__ import annotations

from typing import Any

import pytest

from crm_pipelines.phases.changes import differences, growth

FIELD = {"type": "number", "options": [], "there": [], "exists": False, "made": False, "had": []}
LEVEL = {
    "type": "enum",
    "options": ["Gold", "Silver"],
    "there": ["Gold", "Silver"],
    "exists": True,
    "made": True,
    "had": ["Gold", "Silver"],
}
SALES = {
    "stages": ["New", "Won"],
    "wanted": ["Asked", "New", "Won"],  # records name one more, which an open pipeline is given
    "there": ["Asked", "New", "Won"],
    "exists": True,
    "made": True,
    "had": ["Asked", "New", "Won"],
}
NOTHING = {"there": [], "exists": False, "made": False, "had": []}
CALLS = {"names": ["call"], "wanted": ["call"], "there": ["call"], "exists": True, "made": True, "had": ["call"]}
SEAL: dict[str, Any] = {
    "spec": {"phases": {"people": {"fields": {"name": {"rule": "full_name"}}, "custom_fields": {}}}},
    "decisions": {"lists": "labels"},
    "map": {},
    "source": {"timezone": "America/New_York", "files": {"contacts.csv": {"date_order": "mdy"}, "deals.csv": {}}},
    "headings": {"contacts": ["email", "id"]},
    "destination": {
        "account": "acme",
        "fields": {"people.Level": LEVEL},
        "stages": {"Sales": SALES},
        "types": {"activities": CALLS},
        "currencies": {"USD": "in use"},
        "users": {"ann@example.com": "has no user", "bob@example.com": "has a user"},
    },
    "engine": {"version": "1", "lock": "a"},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the seal with another value at a place; None takes it away."""
    new = dict(SEAL)
    here, *rest = path.split("/")
    at = new
    while rest:
        at[here] = dict(at[here])
        at, (here, *rest) = at[here], rest
    if value is None:
        del at[here]
    else:
        at[here] = value
    return new


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("decisions/lists", "custom_field", ["decision lists: was labels, is custom_field"]),
        ("source/timezone", "Asia/Tokyo", ["time zone of the exports: was America/New_York, is Asia/Tokyo"]),
        (
            "source/files/contacts.csv/date_order",
            "dmy",
            ["export file contacts.csv: order of day and month declared as dmy (was mdy)"],
        ),
        ("source/files/contacts.csv", {}, ["export file contacts.csv: order of day and month no longer declared (was mdy)"]),
        (
            "source/files/deals.csv/decimal_locale",
            "eu",
            ["export file deals.csv: way of writing numbers declared as eu (was not declared)"],
        ),
        ("headings/contacts", ["email"], ["column `id` of contacts: gone from the exports"]),
        ("headings/contacts", ["email", "id", "phone"], ["column `phone` of contacts: new in the exports"]),
        ("destination/fields/people.Lead score", FIELD, ["people.Lead score: new custom field (number)"]),
        ("destination/fields/people.Level", {**LEVEL, "type": "text"}, ["people.Level: type was enum, is text"]),
        (
            "destination/fields/people.Level",
            {**LEVEL, "there": ["Silver"]},
            ["the option `Gold` of people.Level is gone in the destination"],
        ),
        ("destination/fields/people.Level", {**LEVEL, "exists": False, "there": []}, ["the field people.Level is gone in the destination"]),
        (
            "destination/fields/people.Level",
            {**LEVEL, "options": ["Bronze", "Gold", "Silver"], "there": ["Bronze", "Gold", "Silver"]},
            ["the option `Bronze` of people.Level is new"],
        ),
        ("destination/stages/Sales", {**SALES, "stages": ["New"]}, ["pipeline Sales: stage `Won` is gone"]),
        ("destination/stages/Sales", {**SALES, "stages": ["Won", "New"]}, ["pipeline Sales: its stages are in another order"]),
        ("destination/stages/Events", SALES, ["pipeline Events: new"]),
        (
            "destination/stages/Sales",
            {**SALES, "there": ["New"]},
            [
                "the stage `Asked` of pipeline Sales is gone in the destination (renamed or deleted)",
                "the stage `Won` of pipeline Sales is gone in the destination (renamed or deleted)",
            ],
        ),
        ("destination/stages/Sales", {**SALES, "wanted": ["New", "Won"], "there": ["New", "Won"]}, []),  # no record names it any more
        (
            "destination/stages/Sales",
            {**SALES, "there": [], "exists": False},
            ["the pipeline Sales is gone in the destination (renamed or deleted)"],
        ),
        (
            "destination/types/activities",
            {**CALLS, "there": []},
            ["the kind `call` of activities is gone in the destination (renamed or deleted)"],
        ),
        ("destination/users/bob@example.com", "has no user", ["owner bob@example.com: has no user in the destination now, had a user"]),
        ("destination/account", "other", ["another account of the destination: was acme, is other"]),
        ("spec/phases/people/fields/name", {"rule": "text"}, ["people.name: rule was full_name, is text"]),
        ("spec/phases/people/fields/phone", {"from": ["phone"]}, ["people.phone: new field"]),
        ("engine/version", "2", ["engine: version was 1, is 2"]),
        (
            "map/columns",
            {"contacts": {"Shirt size": {"ignore": "nobody asks"}, "Age": {"phase": "people", "custom_field": "Age", "type": "number"}}},
            ["column `Age` of contacts: now custom field people.Age (number)", "column `Shirt size` of contacts: now ignored: nobody asks"],
        ),
        (
            "map/columns",
            {
                "contacts": {
                    "Umsatz": {"phase": "people", "custom_field": "Umsatz", "type": "money", "decimal_locale": "eu", "currency": "EUR"},
                    "Born": {"phase": "people", "custom_field": "Born", "type": "date", "date_order": "dmy", "year_pivot": 5},
                }
            },
            [
                "column `Born` of contacts: now custom field people.Born (date, dmy, years from 05 on are of the last century)",
                "column `Umsatz` of contacts: now custom field people.Umsatz (money, eu, EUR)",
            ],
        ),
        ("map/values", {"contacts.status": {"Aktiv": "Active"}}, ["word `Aktiv` of contacts.status: now read as `Active`"]),
        ("map/owners", {"x@example.com": "y@example.com"}, ["records of x@example.com: now go to y@example.com"]),
        ("map/tags", {"contacts.tags": {"old": None}}, ["tag `old` of contacts.tags: new, left out"]),
        ("map/same", {"contacts": [["1", "2"]]}, ["contacts: 1 group decided to be one record (before: 0), or others than before"]),
    ],
)
def test_every_difference_is_a_sentence(path: str, value: Any, told: list[str]) -> None:
    assert sorted(str(each) for each in differences(SEAL, changed(path, value))) == told


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("destination/users/ann@example.com", "has a user", "owner ann@example.com: has a user in the destination now, had no user"),
        ("destination/users/eve@example.com", "has no user", "owner eve@example.com: new in the exports, has no user"),
        ("destination/currencies/EUR", "in use", "currency EUR: new"),
        ("headings/calendars", ["id"], "exports of calendars: are new"),
        (
            "source/files/may.csv",
            {"date_order": "dmy", "encoding": "cp1252"},
            "export file may.csv: new, declared with order of day and month dmy, encoding cp1252",
        ),
    ],
)
def test_growth_is_told_and_needs_no_confirmation(path: str, value: Any, told: str) -> None:
    new = changed(path, value)
    assert [str(each) for each in growth(SEAL, new)] == [told]
    assert list(differences(SEAL, new)) == []


def test_an_order_of_dates_that_files_disagree_about_is_told_with_the_files() -> None:
    born = {"from": ["born"], "rule": "read_date", "type": "date", "with": {"order": "mdy"}}
    old = {**SEAL, "spec": {"phases": {"people": {"custom_fields": {"Born": born}}}}}
    spec = {"phases": {"people": {"custom_fields": {"Born": {**born, "with": {}}}}}}
    assert [str(each) for each in differences(old, {**changed("source/files/may.csv", {"date_order": "dmy"}), "spec": spec})] == [
        "people.Born: order of day and month gone, was mdy; export files are declared with different ones (contacts.csv mdy, may.csv dmy), "
        "so that what reads two ways waits"
    ]


def test_one_more_file_that_nothing_is_declared_of_is_read_as_the_others_are_and_not_told() -> None:
    new = changed("source/files/may.csv", {})
    assert [*growth(SEAL, new), *differences(SEAL, new)] == []


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ({"vip": None}, {"vip": "left out"}, "was left out, is `left out`"),
        ({"vip": "left out"}, {"vip": None}, "was `left out`, is left out"),
        ({"vip": None}, {}, "gone, was left out; it stays as it stands"),
    ],
)
def test_a_tag_that_becomes_nothing_is_another_thing_than_one_that_becomes_those_words(was: Any, now: Any, told: str) -> None:
    old, new = ({**SEAL, "map": {"tags": {"contacts.tags": each}}} for each in (was, now))
    assert [str(each) for each in differences(old, new)] == [f"tag `vip` of contacts.tags: {told}"]


def test_what_prepare_made_since_is_no_difference_and_its_loss_is() -> None:
    before = changed("destination/fields/people.Level", {**LEVEL, "there": [], "exists": False, "made": False, "had": []})
    assert list(differences(before, SEAL)) == []
    lost = changed("destination/fields/people.Level", {**LEVEL, "there": ["Gold"]})
    assert [str(each) for each in differences(before, lost)] == ["the option `Silver` of people.Level is gone in the destination"]


def test_a_stage_that_prepare_made_since_is_no_difference_and_its_loss_is_every_time_again() -> None:
    before = {**changed("destination/stages/Sales", {**SALES, **NOTHING}), "ready": 0}
    assert list(differences(before, {**SEAL, "ready": 1})) == []
    renamed = changed("destination/stages/Sales", {**SALES, "there": ["Asked", "New"]})
    told = ["the stage `Won` of pipeline Sales is gone in the destination (renamed or deleted)"]
    assert [str(each) for each in differences(before, {**renamed, "ready": 1})] == told
    confirmed = {**renamed, "ready": 1}
    assert list(differences(confirmed, confirmed)) == [], "it was confirmed that a load makes it anew"
    assert list(differences(confirmed, {**SEAL, "ready": 2})) == []
    assert [str(each) for each in differences(confirmed, {**renamed, "ready": 2})] == told


def test_a_seal_of_before_names_stages_alone_and_still_holds() -> None:
    assert list(differences(changed("destination/stages/Sales", ["New", "Won"]), SEAL)) == []
    (told,) = differences(changed("destination/stages/Sales", ["New"]), SEAL)
    assert str(told) == "pipeline Sales: stage `Won` is new"


def test_keys_of_records_are_never_said() -> None:
    new = changed("map/same", {"contacts": [["4711", "4712"]]})
    assert not any("471" in str(each) for each in differences(SEAL, new))


def test_rows_left_behind_and_sides_taken_are_counted_and_never_named() -> None:
    was = {"conflicts": {"people": {"77": {"name": {"take": "theirs", "export": "ab"}}}}}
    side = {"take": "ours", "export": "cd", "there": "ef"}
    now = {
        "conflicts": {"people": {"77": {"name": {"take": "theirs", "export": "ab"}, "custom.Level": side}}},
        "left_behind": {"contacts": {"78": "a test account", "79": "a test account"}},
        "left_lines": {"contacts": {"001-0001-leads": {"3": "a broken line"}}},
    }
    told = [str(each) for each in differences({**SEAL, "map": was}, {**SEAL, "map": now})]
    assert told == [
        "people: 2 fields in conflict of which a side was taken (before: 1), or others than before",
        "contacts: 2 rows left behind by name (before: 0), or others than before",
        "contacts: 1 rows without a key left behind (before: 0), or others than before",
    ]
