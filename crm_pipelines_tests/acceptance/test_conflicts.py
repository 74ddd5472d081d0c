"""A field that people changed in the CRM and a later export changes too: one of the two counts, as somebody says, and only then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
import polars as pl
import pytest

from crm_pipelines.defs import commands, queues
from crm_pipelines.defs.queues import Given, list_queues, resolve_queues
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import accounts
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.queues_taking import TAKEN
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.settings import home, load_engagement
from crm_pipelines_tests.acceptance.test_life import api
from crm_pipelines_tests.lib import walk
from crm_pipelines_tests.lib.queue_files import fill_book, read_csv
from crm_pipelines_tests.lib.rig import Rig, Stage
from crm_pipelines_tests.lib.rig_odoo import OdooRig

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def _without_dagster(monkeypatch: Patch) -> None:
    monkeypatch.setattr(commands, "walk_to_map", walk.desire)


def opened(one: Stage) -> Project:
    return Project.open(load_engagement(one.name))


def people(one: Stage) -> dict[str, dict[str, Any]]:
    """Source key -> state, queue, reason and number of every person."""
    with Ledger.open(home().ledger_url) as ledger:
        states = accounts.record_states(opened(one), ledger, "people")
    return {row["key"]: row for row in states.iter_rows(named=True)}


def plain(one: Stage, count: int) -> list[tuple[str, str]]:
    """Key and address of people who arrived and are nobody's twin."""
    arrived = [key for key, row in people(one).items() if row["destination_id"]]
    found = read_resolved(opened(one).resolved_folder, "contacts").filter(
        pl.col("key").is_in(arrived) & (pl.col("aliases").list.len() == 0)
    )
    return found.filter(pl.col("email").is_not_null()).select("key", "email").head(count).rows()


def export(one: Stage, day: str, rows: Mapping[tuple[str, str], str]) -> None:
    """Bring a later export of contacts with their first names."""
    lines = "".join(f"{key},{address},{first}\n" for (key, address), first in rows.items())
    (one.folder / "exports" / f"leads_kartra_{day}_6a4d3f237926d.csv").write_text(f"id,email,first_name\n{lines}", encoding="utf-8")


def edit(one: Rig, key: str, name: str) -> None:
    api(one, "PATCH", f"/api/v2/persons/{people(one)[key]['destination_id']}", {"name": name})


def name_of(one: Rig, key: str) -> str:
    number = people(one)[key]["destination_id"]
    return str(next(each["name"] for each in one.sandbox.truth.live("persons") if str(each["id"]) == number))


def writes(one: Rig) -> dict[str, int]:
    counts = one.sandbox.truth.get("counts")["requests"]
    return {name: count for name, count in counts.items() if name.startswith(("add", "update", "delete"))}


def answer(one: Rig, sides: Mapping[str, str], fill: Callable[..., Any] = fill_book) -> dict[str, Any]:
    """Fill in the queue's file as a person does and give it back."""
    list_queues(opened(one), None)
    path = one.folder / "queues" / ("conflict.xlsx" if fill is fill_book else "conflict.csv")
    given = fill(path, lambda row: {"which counts": sides[row["source record"]]} if sides.get(row["source record"]) else None)
    return resolve_queues(opened(one), Given([given]), "Carla Client")


def test_the_side_that_somebody_names_counts_for_what_was_asked_and_for_nothing_else(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    assert one.walk_here(monkeypatch) == 0
    first, second, third = plain(one, 3)
    for key, _ in (first, second, third):
        edit(one, key, "Edited Meanwhile")
    export(one, "30-06-2026", {first: "Aaron", second: "Berta", third: "Carla"})
    assert walk.go_on(one.name) == 4, "five wait where three may"
    rows = {row["Source record"]: row for row in read_csv(one.folder / "queues" / "conflict.csv")} if list_queues(opened(one), None) else {}
    assert {key for key, _ in (first, second, third)} == set(rows)
    shown = rows[first[0]]
    assert (shown["Field"], shown["What the CRM has (theirs)"]) == ("name", "Edited Meanwhile")
    assert shown["What the export says (ours)"].startswith("Aaron")
    told = answer(one, {first[0]: "ours", second[0]: "theirs"})
    assert (told["taken"]["conflicts"], told["unanswered"], told["to_confirm"]) == (2, 1, [])
    before = writes(one)
    assert walk.go_on(one.name) == 0, "and everything came as it was foreseen"
    assert {name: count - before.get(name, 0) for name, count in writes(one).items() if count != before.get(name, 0)} == {"updatePerson": 1}
    assert name_of(one, first[0]).startswith("Aaron")
    assert (name_of(one, second[0]), name_of(one, third[0])) == ("Edited Meanwhile", "Edited Meanwhile")
    states = people(one)
    assert [states[key]["state"] for key, _ in (first, second, third)] == ["updated", "unchanged", "waiting"]
    before = writes(one)
    assert walk.go_on(one.name) == 0
    assert writes(one) == before, "a second run writes nothing"
    _asks_again_only_for_another_value(one, second)
    with Ledger.open(home().ledger_url) as ledger:
        entry = next(each for each in ledger.audit(one.name) if each.what == TAKEN)
        seal = ledger.latest_seal(one.name, "full")
    assert (entry.by, entry.detail["taken"]["conflicts"]) == ("Carla Client", 2)
    assert seal is not None
    assert seal.by == "Carla Client"


def _asks_again_only_for_another_value(one: Rig, who: tuple[str, str]) -> None:
    export(one, "01-07-2026", {who: "Berta"})
    walk.go_on(one.name)
    assert people(one)[who[0]]["state"] == "unchanged", "the same value asks nobody"
    export(one, "02-07-2026", {who: "Beatrix"})
    walk.go_on(one.name)
    assert (people(one)[who[0]]["state"], people(one)[who[0]]["queue"]) == ("waiting", "conflict")
    assert name_of(one, who[0]) == "Edited Meanwhile"


def test_what_is_left_of_a_person_who_is_another_again_is_taken_off_or_stays_as_somebody_says(
    rig: Callable[..., Rig], monkeypatch: Patch
) -> None:
    one = rig(contacts=60)
    text = (one.folder / "decisions.yaml").read_text("utf-8")
    for name, value in one.env.items():
        monkeypatch.setenv(name, value)
    walk.desire(opened(one))
    ready = opened(one).mapped("people", "key", "queue", "labels").filter(pl.col("queue").is_null())
    bare = ready.filter(pl.col("labels").list.len().fill_null(0) == 0)["key"].to_list()
    (kept, spared), (other, another) = bare[:2], ready.filter(pl.col("labels").list.len() > 0)["key"][:2]
    groups = f'[["{kept}", "{other}"], ["{spared}", "{another}"]]'
    (one.folder / "decisions.yaml").write_text(f"{text}map:\n  same:\n    contacts: {groups}\n", encoding="utf-8")
    assert one.walk_here(monkeypatch) == 0
    (one.folder / "decisions.yaml").write_text(text, encoding="utf-8")
    assert one.walk_here(monkeypatch) == 4, "four wait where three may"
    held = {number: _person(one, number) for number in (kept, spared)}
    _answers_and_dies(one, Given(ours=[("people", kept)], theirs=[("people", spared)]), monkeypatch)
    assert resolve_queues(opened(one), Given(), "Ina Engineer")["to_confirm"] == [], "half taken answers are finished by the next"
    assert walk.go_on(one.name) == 0, "and everything came as it was foreseen"
    clean, wanted = _person(one, kept), opened(one).mapped("people", "key", "payload").filter(pl.col("key") == kept)["payload"][0]
    assert [each["value"] for each in clean["emails"]] == orjson.loads(wanted)["emails"]
    assert held[kept]["label_ids"]
    assert clean["label_ids"] == []
    custom = held[kept]["custom_fields"]
    assert [code for code, value in custom.items() if value and not clean["custom_fields"].get(code)], "fields of the map are emptied"
    assert {**_person(one, spared), "update_time": ""} == {**held[spared], "update_time": ""}
    assert {people(one)[key]["state"] for key in (kept, spared)} <= {"updated", "unchanged"}


class Died(Exception):
    """The process is gone."""


def _answers_and_dies(one: Rig, given: Given, monkeypatch: Patch) -> None:
    """Answer, and die after the decisions were written and before they are sealed."""

    def dies(place: str) -> None:
        if place == "queue.decided":
            raise Died

    with monkeypatch.context() as patch:
        patch.setattr(queues, "failpoint", dies)
        with pytest.raises(Died):
            resolve_queues(opened(one), given, "Carla Client")


@pytest.mark.odoo
@pytest.mark.slow
def test_sides_are_taken_and_what_is_left_is_emptied_in_odoo_too(odoo_rig: Callable[..., OdooRig], monkeypatch: Patch) -> None:
    one = odoo_rig(contacts=30)
    for name, value in one.env.items():
        monkeypatch.setenv(name, value)
    walk.desire(opened(one))
    ready = opened(one).mapped("people", "key", "queue", "payload", "labels").filter(pl.col("queue").is_null())
    phones = {key: orjson.loads(payload).get("phone") for key, payload in ready.select("key", "payload").iter_rows()}
    tags = {key: set(labels or ()) for key, labels in ready.select("key", "labels").iter_rows()}
    pairs = ((one, two) for one in phones for two in phones if not phones[one] and phones[two] and tags[two] <= tags[one])
    bare, other = next(pairs)  # a tag that is only the other's could not be taken off
    text = (one.folder / "decisions.yaml").read_text("utf-8")
    (one.folder / "decisions.yaml").write_text(f'{text}map:\n  same:\n    contacts: [["{bare}", "{other}"]]\n', encoding="utf-8")
    one.walk_here(monkeypatch)
    first, second = [each for each in plain(one, 4) if each[0] not in (bare, other)][:2]
    numbers = {key: int(people(one)[key]["destination_id"]) for key in (bare, first[0], second[0])}
    one.call("res.partner", "write", ids=[numbers[first[0]], numbers[second[0]]], vals={"name": "Edited Meanwhile"})
    (one.folder / "decisions.yaml").write_text(text, encoding="utf-8")
    export(one, "30-06-2026", {first: "Aaron", second: "Berta"})
    one.walk_here(monkeypatch)
    given = Given(ours=[("people", first[0]), ("people", bare)], theirs=[("people", second[0])])
    assert _partner(one, numbers[bare])["phone"] == phones[other]
    resolve_queues(opened(one), given, "Carla Client")
    walk.go_on(one.name)
    assert _partner(one, numbers[first[0]])["name"].startswith("Aaron")
    assert _partner(one, numbers[second[0]])["name"] == "Edited Meanwhile"
    assert _partner(one, numbers[bare])["phone"] is None
    assert {people(one)[key]["queue"] for key in numbers} == {None}


def _partner(one: OdooRig, number: int) -> dict[str, Any]:
    return one.rows("SELECT name, phone FROM res_partner WHERE id = %s", number)[0]


def _person(one: Rig, key: str) -> dict[str, Any]:
    number = people(one)[key]["destination_id"]
    return next(each for each in one.sandbox.truth.live("persons") if str(each["id"]) == number)
