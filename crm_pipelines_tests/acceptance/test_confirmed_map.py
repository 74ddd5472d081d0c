"""A confirmed map and what became of it: changes stop the next load and are named, growth does not; predictions hold, samples are shown."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from crm_pipelines.defs.account import account_of, remember_forecast, show_sample
from crm_pipelines.errors import NotConfirmedError, SettingsError
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import match
from crm_pipelines.phases.confirm import check_confirmed, confirm, seal_content
from crm_pipelines.phases.load import load
from crm_pipelines.phases.predict import predict
from crm_pipelines.phases.prepare import prepare
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.reconcile import gate
from crm_pipelines.phases.session import open_session
from crm_pipelines.settings import home, load_engagement
from crm_pipelines_tests.lib import walk
from crm_pipelines_tests.lib.rig import Rig, Stage
from crm_pipelines_tests.lib.rig_odoo import OdooRig
from crm_pipelines_tests.lib.walk import desire

Patch = pytest.MonkeyPatch
Make = Callable[..., Rig]
APOSTROPHE = "'"  # before what a spreadsheet would take for a formula


def opened(one: Stage, patch: Patch) -> Project:
    """Bring the desired records up to the exports, and return the engagement as its files are now."""
    for name, value in one.env.items():
        patch.setenv(name, value)
    project = Project.open(load_engagement(one.name))
    desire(project)
    return project


def sealed(project: Project) -> None:
    confirm(project, "Dana", without_sample="a test of the seal", paused_by="Dana")
    check(project)


def check(project: Project) -> list[str]:
    """Return what grew since the confirmation; raises when something changed."""
    with open_session(project, "test", opens_pass=False) as session:
        check_confirmed(session)
        return session.grown


def loaded(project: Project) -> None:
    """Load everything that is sealed, as a run does."""
    with open_session(project, "run") as session:
        remember_forecast(session)
        prepare(session)
        for phase in project.phases:
            load(session, phase, project.phase_chunks(phase))
            verdict = gate(session, phase)
            assert verdict.passed, (phase, verdict.reasons)


def told(project: Project) -> dict[str, Any]:
    with Ledger.open(home().ledger_url) as ledger:
        return account_of(project, ledger)


def api(one: Rig, method: str, path: str, body: Any = None) -> Any:
    """Work in the account as its own people do."""
    headers = {"Authorization": f"Bearer {one.env['CRM_TEST_TOKEN']}"}
    answer = httpx.request(method, one.sandbox.base_url + path, json=body, headers=headers, timeout=10)
    assert answer.is_success, answer.text
    return answer.json()["data"]


def writes(one: Rig) -> dict[str, int]:
    """Return how often records were created or changed, as the server counted."""
    found: dict[str, int] = one.sandbox.truth.get("counts")["requests"]
    records = ("Organization", "Person", "Deal", "Activity", "Note")
    return {name: count for name, count in found.items() if name in {f"{verb}{what}" for verb in ("add", "update") for what in records}}


def without_column(path: Path, name: str) -> None:
    """Export the file again without one of its columns."""
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    place = rows[0].index(name)
    kept = [[cell for at, cell in enumerate(row) if at != place] if len(row) == len(rows[0]) else row for row in rows]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(kept)


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def without_user(project: Project) -> str:
    """Return the owner of the export who has no user."""
    with open_session(project, "test", opens_pass=False) as session:
        states = predict(session, is_offline=True).phases["users"].states
    return str(states.filter(pl.col("state") == "waiting").item(0, "key"))


def field_of(one: Rig, name: str) -> dict[str, Any]:
    return next(f for f in one.sandbox.truth.fields()["persons"] if f["field_name"] == name)


def test_what_changed_after_confirming_is_named_and_what_is_not_the_maps_is_none_of_its_business(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=40)
    project = opened(one, monkeypatch)
    sealed(project)
    api(one, "POST", "/api/v2/personFields", {"field_name": "Favourite colour", "field_type": "varchar"})
    assert check(project) == [], "an unrelated field stops nothing"
    with open_session(project, "run") as session:
        prepare(session)
    assert check(project) == [], "what prepare makes was confirmed"

    level = field_of(one, "GDPR status")
    path = f"/api/v2/personFields/{level['field_code']}/options"
    (added,) = api(one, "POST", path, [{"label": "Perhaps"}])
    with pytest.raises(NotConfirmedError, match=r"seal 1 changed since:\n  the option `Perhaps` of people.GDPR status is new\nNothing"):
        check(project)
    api(one, "DELETE", path, [{"id": added["id"]}])
    check(project)
    gone = level["options"][0]
    api(one, "DELETE", path, [{"id": gone["id"]}])
    text = f"since:\n  the option `{gone['label']}` of people.GDPR status is gone in the destination\nNothing"
    with pytest.raises(NotConfirmedError, match=text):
        check(project)
    sealed(project)
    assert writes(one) == {}

    decisions = one.folder / "decisions.yaml"
    before = decisions.read_text(encoding="utf-8")
    for more, sentence in {
        "failed: lost_deal\n": "decision failed: was exclude, is lost_deal",
        "map: {tags: {contacts.tags: {VIP: Very important}}}\n": "tag `VIP` of contacts.tags: new, `Very important`",
    }.items():
        decisions.write_text(before + more, encoding="utf-8")
        with pytest.raises(NotConfirmedError, match=rf"since:\n  {sentence}\nNothing"):
            check(Project.open(load_engagement(one.name)))
    decisions.write_text(before, encoding="utf-8")
    check(Project.open(load_engagement(one.name)))


def test_a_stage_or_pipeline_that_people_renamed_stops_the_next_load_and_no_second_one_is_made(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=30)
    assert one.walk_here(monkeypatch) == 0
    (pipeline,) = [each for each in one.sandbox.truth.live("pipelines") if each["name"] == "Kartra"]
    stage = next(each for each in one.sandbox.truth.live("stages") if each["name"] == "Purchases")
    api(one, "POST", "/api/v2/stages", {"name": "Refunds", "pipeline_id": pipeline["id"]})
    assert walk.go_on(one.name) == 0, "a stage that the map does not use stops nothing"
    for path, name, gone in (
        (f"/api/v2/stages/{stage['id']}", "Purchases", "stage `Purchases` of pipeline Kartra"),
        (f"/api/v2/pipelines/{pipeline['id']}", "Kartra", "pipeline Kartra"),
    ):
        api(one, "PATCH", path, {"name": "Sales of old"})
        with pytest.raises(NotConfirmedError, match=rf"since:\n  the {gone} is gone in the destination \(renamed or deleted\)\nNothing"):
            walk.go_on(one.name)
        assert not [each for each in (*one.sandbox.truth.live("stages"), *one.sandbox.truth.live("pipelines")) if each["name"] == name]
        api(one, "PATCH", path, {"name": name})
    assert walk.go_on(one.name) == 0


def test_a_column_that_a_later_export_brings_has_to_be_confirmed(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=40, sample={"delta": True})
    without_column(next((one.folder / "exports").glob("leads_*.csv")), "score")
    sealed(opened(one, monkeypatch))
    one.bring_delta()
    project = opened(one, monkeypatch)
    with pytest.raises(NotConfirmedError, match=r"since:\n  column `score` of contacts: new in the exports\nNothing"):
        check(project)
    sealed(project)


def test_a_user_who_comes_lets_rows_go_and_nothing_is_confirmed_again(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    project = opened(one, monkeypatch)
    sealed(project)
    missing = without_user(project)
    one.sandbox.truth.add_user(missing, "Came Later")
    assert check(project) == [f"owner {missing}: has a user in the destination now, had no user"]
    loaded(project)
    account = told(project)
    assert account["grown"] == [f"owner {missing}: has a user in the destination now, had no user"]
    assert not any(queue["queue"] == "owner" for queue in account["queues"])
    assert (account["prediction"]["differences"], account["prediction"]["explained"]) == ([], [])


def test_a_sample_is_shown_beside_its_source_and_is_not_sent_again_after_a_correction(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=40)
    project = opened(one, monkeypatch)
    done = confirm(project, "Dana", sample=10)
    assert any("nobody signed that the destination's automations are paused" in note for note in done.notes)
    assert done.coverage is not None
    assert (done.coverage.records, done.coverage.fields_shown >= 0.9 * done.coverage.fields) == (10, True)
    loaded(project)
    first = writes(one)
    files = show_sample(project)
    page, table = files["html"].read_text(encoding="utf-8"), rows_of(files["csv"])
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}
    assert "none differs" in page
    names = {row["the CRM holds"] for row in table if (row["phase"], row["field"]) == ("people", "Name")}
    assert names == {row["name"] for row in one.sandbox.truth.live("persons")}, "every record of the sample, as the server has it"
    scored = [row for row in table if row["field"] == "Lead score"]
    assert scored
    assert all(f"score: {row['the CRM holds'].removeprefix(APOSTROPHE)}" in row["in the export"] for row in scored)

    person = one.sandbox.truth.live("persons")[0]
    api(one, "PATCH", f"/api/v2/persons/{person['id']}", {"name": "Somebody Else"})
    again = show_sample(project)
    assert "1 differs" in again["html"].read_text(encoding="utf-8")
    differing = [row for row in rows_of(again["csv"]) if row["compared"] == "differs"]
    assert [(row["field"], row["the CRM holds"]) for row in differing] == [("Name", "Somebody Else")]
    api(one, "PATCH", f"/api/v2/persons/{person['id']}", {"name": person["name"]})

    with (one.folder / "decisions.yaml").open("a", encoding="utf-8") as file:
        file.write("failed: lost_deal\n")
    project = opened(one, monkeypatch)
    with pytest.raises(SettingsError, match=f"crm discover {one.name} --automations-paused-by NAME"):
        confirm(project, "Dana", without_sample="only one answer changed")
    renewed = confirm(project, "Dana", without_sample="only one answer changed", paused_by="Petra")
    assert renewed.diff == ["decision failed: was exclude, is lost_deal"]
    loaded(project)
    last = writes(one)
    assert first["addPerson"] == 10
    assert last["addPerson"] == len(one.sandbox.truth.live("persons"))
    assert last["addDeal"] == len(one.sandbox.truth.live("deals"))
    assert {name: count for name, count in last.items() if name.startswith("update")} == {"updatePerson": 2}, "ours by hand above"
    with Ledger.open(home().ledger_url) as ledger:
        trail = [(each.by, each.what, each.detail.get("changes")) for each in ledger.audit(one.name)]
    changed = ("Dana", "map confirmed", ["decision failed: was exclude, is lost_deal"])
    assert trail == [("Dana", "map confirmed", []), ("Petra", "automations paused", None), changed]


def test_a_plan_sees_what_is_there_already_and_a_load_comes_out_as_foreseen(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    project = opened(one, monkeypatch)
    buyers = set(project.mapped("deals", "link_person_id").get_column("link_person_id"))
    people = [each for key, each in one.truth["records"]["people"].items() if each.get("emails") and key not in buyers]
    emails = [each["emails"][0]["value"] if isinstance(each["emails"][0], dict) else each["emails"][0] for each in people]
    for name, email in (("Known", emails[0]), ("First", emails[1]), ("Second", emails[1])):
        api(one, "POST", "/api/v2/persons", {"name": name, "emails": [{"value": email, "primary": True}]})
    with open_session(project, "plan", opens_pass=False) as session:
        offline = predict(session, is_offline=True).by_phase()["people"]
        before = session.ledger.spend_total(session.account).by_operation
        foreseen = predict(session)
        after = session.ledger.spend_total(session.account).by_operation
        assert session.ledger.current_pass(one.name) is None, "a plan opens no pass"
    assert {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}.keys() <= {
        "list.organizations",
        "list.people",
    }
    counts = foreseen.by_phase()["people"]
    assert (counts["updated"], counts["created"], counts["waiting"]) == (1, offline["created"] - 2, offline["waiting"] + 1)
    assert foreseen.phases["people"].states.filter(pl.col("reason") == "several_existing").height == 1
    assert writes(one).get("addPerson") == 3, "by hand above; the plan wrote nothing"
    sealed(project)
    loaded(project)
    account = told(project)
    assert {phase["phase"]: phase["predicted"] for phase in account["prediction"]["phases"]} == foreseen.by_phase()
    assert (account["prediction"]["differences"], account["prediction"]["explained"]) == ([], [])
    assert all(row["predicted"] == row["actual"] for row in account["prediction"]["files"])
    assert account["exit_code"] == 10


def test_a_difference_is_a_defect_by_name_unless_the_run_recorded_its_cause(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    project = opened(one, monkeypatch)
    sealed(project)
    email = next(each["emails"][0] for each in one.truth["records"]["people"].values() if each.get("emails"))
    with open_session(project, "run") as session:
        remember_forecast(session)
    address = email["value"] if isinstance(email, dict) else email
    api(one, "POST", "/api/v2/persons", {"name": "Came Since", "emails": [{"value": address, "primary": True}]})
    monkeypatch.setattr(match, "FRESH_S", 0.0)
    loaded(project)
    account = told(project)
    (line,) = account["prediction"]["differences"]
    assert line.startswith("people: predicted ")
    assert "1 of the created is updated" in line
    assert account["exit_code"] == 11
    assert "report this as a defect: people: predicted" in account["verdict"]


@pytest.mark.odoo
def test_odoo_a_new_column_an_option_that_is_gone_and_a_user_who_came(odoo_rig: Callable[..., OdooRig], monkeypatch: Patch) -> None:
    one = odoo_rig(contacts=60, sample={"delta": True})
    without_column(next((one.folder / "exports").glob("leads_*.csv")), "score")
    project = opened(one, monkeypatch)
    sealed(project)
    with open_session(project, "run") as session:
        prepare(session)
    check(project)
    (field,) = one.call("ir.model.fields", "search_read", domain=[["field_description", "=", "GDPR status"]], fields=["selection_ids"])[:1]
    (gone,) = one.call("ir.model.fields.selection", "read", ids=field["selection_ids"][:1], fields=["name"])
    one.call("ir.model.fields.selection", "unlink", ids=[gone["id"]])
    text = rf"since:\n  the option `{gone['name']}` of people.GDPR status is gone in the destination\nNothing"
    with pytest.raises(NotConfirmedError, match=text):
        check(project)
    sealed(project)
    with open_session(project, "test", opens_pass=False) as session:
        seal = seal_content(session)
    (board,) = seal["destination"]["stages"].values()
    stage = next(name for name in board["there"] if name != "Won")
    (number,) = one.call("crm.stage", "search", domain=[["name", "=", stage]])
    one.call("crm.stage", "create", vals_list=[{"name": "Nobody's"}])
    check(project)
    one.call("crm.stage", "write", ids=[number], vals={"name": "Renamed"})
    with pytest.raises(NotConfirmedError, match=rf"since:\n  the stage `{stage}` of pipeline CRM is gone in the destination \(renamed"):
        check(project)
    one.call("crm.stage", "write", ids=[number], vals={"name": stage})
    missing = without_user(project)
    one.call(
        "res.users", "create", vals_list=[{"login": missing, "email": missing, "name": "Came Later"}], context={"no_reset_password": True}
    )
    assert check(project) == [f"owner {missing}: has a user in the destination now, had no user"]
    one.bring_delta()
    with pytest.raises(NotConfirmedError, match=r"  column `score` of contacts: new in the exports\n"):
        check(opened(one, monkeypatch))


@pytest.mark.odoo
def test_odoo_a_sample_is_shown_as_the_database_has_it_and_came_as_foreseen(odoo_rig: Callable[..., OdooRig], monkeypatch: Patch) -> None:
    one = odoo_rig(contacts=40)
    project = opened(one, monkeypatch)
    confirm(project, "Dana", sample=12)
    loaded(project)
    account = told(project)
    assert (account["prediction"]["differences"], account["prediction"]["explained"], account["exit_code"]) == ([], [], 0)
    files = show_sample(project)
    table = rows_of(files["csv"])
    assert [row for row in table if row["compared"] == "differs"] == []
    names = {row["the CRM holds"] for row in table if (row["phase"], row["field"]) == ("people", "Name")}
    ours = "JOIN ir_model_data d ON d.res_id = p.id AND d.model = 'res.partner' WHERE d.module = %s AND d.name LIKE %s"
    people = f"SELECT p.name FROM res_partner p {ours}"
    assert names == {row["name"] for row in one.rows(people, one.prefix, "people.%")}
