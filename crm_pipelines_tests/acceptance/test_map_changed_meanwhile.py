"""A map that changes after it was confirmed, loaded or begun: nothing unconfirmed is sent, and what is judged is what was meant."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import polars as pl
import pytest

from crm_pipelines.defs.commands import walk_to_map
from crm_pipelines.defs.drive import Batch, Walk
from crm_pipelines.defs.home import open_instance
from crm_pipelines.errors import LockedError, NotConfirmedError, SettingsError
from crm_pipelines.journal import Attempt
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import accounts
from crm_pipelines.phases import load as loading
from crm_pipelines.phases.confirm import check_confirmed, confirm
from crm_pipelines.phases.load import load
from crm_pipelines.phases.predict import predict
from crm_pipelines.phases.predicted import compare, remember
from crm_pipelines.phases.prepare import prepare
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.reconcile import gate
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.phases.session import Session, open_session
from crm_pipelines.settings import home, load_engagement
from crm_pipelines_tests.lib import walk
from crm_pipelines_tests.lib.rig import Rig

Make = Callable[..., Rig]
Patch = pytest.MonkeyPatch
FEWER = "map:\n  leave_out:\n    contacts: [role_account, stale, bounced]\n"


def opened(one: Rig, patch: Patch, decided: str | None = None) -> Project:
    """Decide this beside what the rig's client answered, bring the desired records up to that, and return the engagement."""
    for name, value in one.env.items():
        patch.setenv(name, value)
    if decided is not None:
        (one.folder / "decisions.yaml").write_text(f"owners: queue_rows\n{decided}", encoding="utf-8")
    project = Project.open(load_engagement(one.name))
    walk.desire(project)
    return project


def sealed(project: Project) -> Project:
    confirm(project, "Dana", without_sample="a test of what comes after", paused_by="Dana")
    return project


def test_notes_of_contacts_who_are_left_out_later_are_left_over_and_the_gate_opens(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    assert walk.load_all(sealed(opened(one, monkeypatch))) == 0
    project = sealed(opened(one, monkeypatch, FEWER))
    assert walk.load_all(project) == 0
    assert accounts.left_over(project, "notes"), "the sample has notes of contacts who stay behind"


def test_a_full_seal_stands_on_a_sample_that_was_loaded_after_it_was_sealed(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=40)
    project = opened(one, monkeypatch)
    confirm(project, "Dana", sample=10)
    assert walk.load_all(project) == 0
    project = opened(one, monkeypatch, FEWER)
    second = confirm(project, "Dana", sample=5)
    with pytest.raises(SettingsError, match=f"the sample of seal {second.seal_no} is not verified: no open gate"):
        confirm(project, "Dana", paused_by="Dana")
    assert walk.load_all(project) == 0
    assert confirm(project, "Dana", paused_by="Dana").cites == second.seal_no


def test_a_prediction_is_held_against_what_was_judged_after_it(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=40)
    first = sealed(opened(one, monkeypatch, FEWER))
    with open_session(first, "run") as session:
        remember(session)
        prepare(session)
        for phase in first.phases[:3]:
            load(session, phase, first.phase_chunks(phase))
            assert gate(session, phase).passed
    project = sealed(opened(one, monkeypatch, ""))
    with open_session(project, "run") as session:
        remember(session)
        found = compare(project, session.ledger)
        assert found is not None
        assert not any(phase["is_judged"] for phase in found.phases)
        assert found.differences == [], "nothing of the second run was sent yet"
    assert walk.load_all(project) == 0


@pytest.mark.parametrize("when", ["while people are loaded", "before people are loaded"])
def test_records_that_another_command_makes_while_a_load_runs_are_not_sent(rig: Make, monkeypatch: Patch, when: str) -> None:
    one = rig(contacts=40)
    project = sealed(opened(one, monkeypatch))
    names = read_resolved(project.resolved_folder, "contacts").get_column("first_name").drop_nulls().unique().sort()
    words = ", ".join(f'"{name}": "UNSEALED"' for name in names if name.isalpha())
    others = f"map:\n  values:\n    contacts.first_name: {{{words}}}\n"
    within = loading._contributed

    def meanwhile(session: Session, phase: str, is_wanted: pl.Expr) -> pl.DataFrame:
        found = within(session, phase, is_wanted)
        if phase == "people" and when == "while people are loaded":
            monkeypatch.setattr(loading, "_contributed", within)
            opened(one, monkeypatch, others)
        return found

    monkeypatch.setattr(loading, "_contributed", meanwhile)
    with open_session(project, "run") as session:
        prepare(session)
        for phase in ("users", "organizations"):
            load(session, phase, project.phase_chunks(phase))
        if when == "before people are loaded":
            opened(one, monkeypatch, others)
        with pytest.raises(NotConfirmedError, match=r"[Nn]othing of (the new ones|them) was sent"):
            load(session, "people", project.phase_chunks("people"))
    assert one.sandbox.truth.live("persons") == []
    opened(one, monkeypatch, "")
    assert walk.load_all(Project.open(load_engagement(one.name))) == 0, "the map that was confirmed is loaded once it is made again"


def test_no_command_makes_records_anew_while_another_process_loads(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=30)
    project = opened(one, monkeypatch)
    account, wanted = f"pipedrive:{one.name}", project.mapped("people", "key").height
    (one.folder / "decisions.yaml").write_text(f"owners: queue_rows\n{FEWER}", encoding="utf-8")
    changed = Project.open(load_engagement(one.name))
    before = {path: path.stat().st_mtime_ns for path in project.engagement.work.rglob("*.parquet")}
    with Ledger.open(home().ledger_url) as ledger, ledger.lock(account, f"{one.name}: run"), open_instance() as instance:
        with pytest.raises(LockedError, match=f"written by {one.name}: run"):
            walk_to_map(changed)
        graph = Walk(changed, instance)
        for kind in ("resolve", "map"):  # as somebody materializes them in the UI
            step = next(step for step in graph.steps() if step.kind == kind)
            with pytest.raises(LockedError, match=f"written by {one.name}: run"):
                graph._run(step, Batch(()))
    assert {path: path.stat().st_mtime_ns for path in project.engagement.work.rglob("*.parquet")} == before
    walk_to_map(changed)
    assert changed.mapped("people", "key").height < wanted, "nobody loads: records are made anew"


def test_how_exports_are_read_is_confirmed_too(rig: Make, monkeypatch: Patch) -> None:
    one = rig(contacts=30)
    sealed(opened(one, monkeypatch))
    declared = one.folder / "engagement.yaml"
    before, leads = declared.read_text(encoding="utf-8"), next((one.folder / "exports").glob("leads*.csv")).name
    for text, told in (
        ("    timezone: Asia/Tokyo\n", "time zone of the exports: was America/New_York, is Asia/Tokyo"),
        (f"    files:\n      {leads}:\n        date_order: dmy\n", f"export file {leads}: order of day and month declared as dmy"),
    ):
        declared.write_text(f"{before}  source:\n{text}", encoding="utf-8")
        with open_session(opened(one, monkeypatch), "test", opens_pass=False) as session, pytest.raises(NotConfirmedError, match=told):
            check_confirmed(session)
    declared.write_text(before, encoding="utf-8")
    with open_session(opened(one, monkeypatch), "test", opens_pass=False) as session:
        check_confirmed(session)


def test_what_only_looks_leaves_an_interrupted_request_as_it_is(rig: Make, monkeypatch: Patch) -> None:
    """A deal that was created open and lost the request that closes it: looking it up would finish it, which is for a run to do."""
    one = rig(contacts=40)
    project = sealed(opened(one, monkeypatch))
    assert walk.load_all(project) == 0
    with open_session(project, "interrupted") as session:
        key, digest, payload = project.mapped("deals", "key", "hash", "payload", "status").filter(pl.col("status") == "won").row(0)[:3]
        number = session.ledger.records(session.account, session.engagement, "deals", [key]).item(0, "destination_id")
        session.journal("deals").sending([Attempt(key, "create", digest, payload.encode(), key, 0, None)], None)
    headers = {"Authorization": f"Bearer {one.env['CRM_TEST_TOKEN']}"}
    httpx.patch(f"{one.sandbox.base_url}/api/v2/deals/{number}", json={"status": "open"}, headers=headers, timeout=10).raise_for_status()

    def status() -> str:
        return next(str(deal["status"]) for deal in one.sandbox.truth.live("deals") if str(deal["id"]) == number)

    with open_session(project, "plan", opens_pass=False) as session:
        foreseen = predict(session)
    assert foreseen.phases["deals"].counts()["unknown"] == 1
    assert [note for note in foreseen.notes if note.startswith("1 request of an interrupted load is not settled; crm run settles")]
    assert confirm(project, "Dana", without_sample="a test of what only looks", paused_by="Dana").notes == foreseen.notes
    assert status() == "open", "nothing was written"
    with open_session(project, "run") as session:
        assert session.notes == ()
    assert status() == "won"
