"""Queues as people work them: files given back, what they set free arrives, and nothing else is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import pytest

from crm_pipelines.defs import commands
from crm_pipelines.defs.account import account_of
from crm_pipelines.defs.home import open_instance
from crm_pipelines.defs.partitions import partition_set
from crm_pipelines.defs.queues import Given, list_queues, resolve_queues
from crm_pipelines.errors import NotConfirmedError, SpecError
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases.confirm import confirm
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.stage import read_staged
from crm_pipelines.settings import home, load_engagement
from crm_pipelines_tests.lib import walk
from crm_pipelines_tests.lib.queue_files import fill_book, fill_csv, read_csv
from crm_pipelines_tests.lib.rig import Rig, Stage
from crm_pipelines_tests.lib.rig_odoo import OdooRig

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def _without_dagster(monkeypatch: Patch) -> None:
    """Bring desired records up to date by the verbs alone; that the graph does the same is shown where the graph is driven."""
    monkeypatch.setattr(commands, "walk_to_map", walk.desire)


def opened(one: Stage) -> Project:
    return Project.open(load_engagement(one.name))


def waiting(one: Stage) -> dict[str, int]:
    """Rows that wait, by queue; likely twins wait for nothing. The files are written on the way."""
    found: dict[str, int] = {}
    for each in (each for each in list_queues(opened(one), None)["queues"] if each["queue"] != "duplicate"):
        found[each["queue"]] = found.get(each["queue"], 0) + each["rows"]
    return found


def account(one: Stage) -> dict[str, Any]:
    with Ledger.open(home().ledger_url) as ledger:
        return account_of(opened(one), ledger)


def written(one: Rig, before: Mapping[str, int]) -> dict[str, int]:
    """Writes at the server since then, by operation."""
    now = one.sandbox.truth.get("counts")["requests"]
    return {
        name: now[name] - before.get(name, 0)
        for name in now
        if name.startswith(("add", "update", "delete")) and now[name] != before.get(name, 0)
    }


def buyer(one: Stage) -> tuple[str, str]:
    """A contact who arrived and sells nothing: key and address."""
    frame = _buyers(one)
    return str(frame["id"][0]), str(frame["email"][0])


def buyers(one: Stage) -> list[str]:
    """Contacts who arrived, by key."""
    return [str(key) for key in _buyers(one)["id"]]


def _buyers(one: Stage) -> pl.DataFrame:
    project = opened(one)
    ready = project.mapped("people", "key", "queue").filter(pl.col("queue").is_null()).get_column("key")
    sellers = read_staged(project.staged_folder, "affiliates", project.object_chunks("affiliates"))
    rows = read_staged(project.staged_folder, "contacts", project.object_chunks("contacts")).select(pl.col("id").cast(pl.String), "email")
    is_plain = pl.col("email").str.contains(r"^[a-z]+\.\d+@[a-z.]+$") & ~pl.col("email").is_in(sellers.get_column("email").to_list())
    is_seller = pl.col("id").is_in(sellers.get_column("lead_id").cast(pl.String).to_list())
    return rows.filter(pl.col("id").is_in(ready.to_list()) & is_plain & ~is_seller).unique("id").sort("id")


def corrected(one: Stage) -> Callable[[Mapping[str, str]], Mapping[str, str] | None]:
    """What the client's people write into the two files of rows."""
    key, email = buyer(one)

    def chosen(row: Mapping[str, str]) -> Mapping[str, str] | None:
        why, export = row["why it waits"], row["export"]
        if "fits more than one sale" in why:
            return {"belongs to sale": row["sales it may belong to"].split("\n")[0]}
        if export == "contacts":
            first = {"id": row["id"] or "80000003", "first_name": row["first_name"] or "Back", "company": ""}
            return {"email": "nina@example.org"} if row["source record"] else {**first, "email": f"back.{first['id']}@example.org"}
        if export == "transactions" and "no contact" in why.casefold():
            return {"lead_id": key, "buyer_email": email}
        if export == "transactions":
            return {"id": row["id"] or "80000009", "rebill_reattempt": "0"}
        if export == "deals":
            return {"deal_id": row["deal_id"] or "80000011"}
        if export == "affiliates":
            rest = {"email": email, "status": "approved", "products": "1", "lead_id": key}
            return {**rest, "affiliate_id": "7001", "username": "swallower", "name": "Partner"}
        return {"lead_email": email} if export == "calendars" else None

    return chosen


def test_rows_that_were_corrected_arrive_and_nothing_else_is_sent(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    assert one.walk_here(monkeypatch) == 0
    assert waiting(one) == {"owner": 1, "review": 3, "remediation": 6}
    queues = one.folder / "queues"
    given = [
        fill_book(queues / "review.xlsx", corrected(one)),
        fill_csv(queues / "remediation.csv", corrected(one)),
        fill_csv(queues / "owner.csv", lambda row: {"user who takes over": "ana@agency.example.com"}),
    ]
    told = resolve_queues(opened(one), Given(given), "Carla Client")
    assert told["taken"] == {"owners": 1, "invited": 0, "words": 0, "same": 0, "different": 0, "rows": 9, "conflicts": 0, "left_behind": 0}
    assert told["to_confirm"] == []
    before = one.sandbox.truth.get("counts")["requests"]
    assert walk.go_on(one.name) == 0
    sent = written(one, before)
    assert sent == {"addOrganization": 3, "addPerson": 4, "addDeal": 1, "addActivity": 1, "updatePerson": 1, "updateDeal": 2}
    assert waiting(one) == {}
    assert {path.stem for path in queues.iterdir()} <= {"duplicate"}, "empty queues have no files"
    told = account(one)
    assert told["exit_code"] == 0, "every row and record adds up, and nothing waits"
    persons = {person["name"]: person for person in one.sandbox.truth.live("persons")}
    assert [each["value"] for each in persons["Nina McDonald"]["emails"]] == ["nina@example.org"]
    before = one.sandbox.truth.get("counts")["requests"]
    assert walk.go_on(one.name) == 0
    assert written(one, before) == {}, "a second run writes nothing"
    with Ledger.open(home().ledger_url) as ledger:
        entry = next(each for each in ledger.audit(one.name) if each.what == "queue resolved")
        seal = ledger.latest_seal(one.name, "full")
    assert (entry.by, entry.detail["taken"]["rows"], entry.detail["seal_no"]) == ("Carla Client", 9, 2)
    assert seal is not None
    assert seal.by == "Carla Client"
    _refuses_what_was_not_answered(one)


def test_rows_that_are_left_behind_are_excluded_with_the_reason_and_nothing_is_sent(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    assert one.walk_here(monkeypatch) == 0
    assert waiting(one) == {"owner": 1, "review": 3, "remediation": 6}
    why, queues = "Agreed on Monday: not needed", one.folder / "queues"
    books = [fill_book(queues / f"{name}.xlsx", lambda row: {"leave behind, because": why} if "export" in row else None) for name in QUEUED]
    told = resolve_queues(opened(one), Given(books), "Carla Client")
    assert (told["taken"]["left_behind"], told["taken"]["owners"], told["to_confirm"]) == (10, 0, [])
    before = one.sandbox.truth.get("counts")["requests"]
    assert walk.go_on(one.name) == 0, "and everything came as it was foreseen"
    assert written(one, before) == {}
    assert waiting(one) == {"conflict": 0}, "a company of which nobody is left stands there as left over"
    told = account(one)
    assert told["exit_code"] == 0, "every row adds up, and nothing waits"
    assert sum(each["rows"] for each in told["set_aside"] if each["reason"] == f"left_behind: {why}") == 10


QUEUED = ("owner", "review", "remediation")


def _refuses_what_was_not_answered(one: Rig) -> None:
    """Somebody changed a decision beside: an answer does not confirm that in passing."""
    decisions = one.folder / "decisions.yaml"
    decisions.write_text(decisions.read_text() + "deal_labels: none\n")
    with pytest.raises(NotConfirmedError, match="deal_labels"):
        resolve_queues(opened(one), Given(same=[tuple(buyers(one)[:2])], object="contacts"), "Carla Client")  # type: ignore[list-item]
    assert "same:" not in decisions.read_text(), "nothing is changed beside the refused answer"


def test_two_records_that_are_one_are_merged_and_the_second_is_named(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    assert one.walk_here(monkeypatch) == 0
    people = opened(one).mapped("people", "key", "queue").filter(pl.col("queue").is_null()).get_column("key").to_list()
    deals = opened(one).mapped("deals", "key", "link_person_id").drop_nulls()
    second = deals.get_column("link_person_id")[0]
    first = next(key for key in people if key != second and key not in set(deals.get_column("link_person_id")))
    resolve_queues(opened(one), Given(same=[(first, second)], object="contacts"), "Carla Client")
    before = one.sandbox.truth.get("counts")["requests"]
    held = len(one.sandbox.truth.live("persons"))
    assert walk.go_on(one.name) == 0
    sent = written(one, before)
    assert not [name for name in sent if name.startswith(("add", "delete"))], "nothing is made anew, nothing is deleted"
    assert len(one.sandbox.truth.live("persons")) == held
    assert waiting(one)["conflict"] == 0
    rows = read_csv(one.folder / "queues" / "conflict.csv")
    assert {("people", second, first)} <= {(row["Kind of record"], row["Source record"], row["Record that stayed"]) for row in rows}


def test_a_word_that_was_explained_sets_its_rows_free(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=60, sample={"encodings": "plain"})
    path = next((one.folder / "exports").glob("transactions_*.csv"))
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    sold = next(place for place, line in enumerate(lines) if ",Sale," in line and ",N/A," in line)
    lines[sold] = lines[sold].replace(",Sale,", ",Verkauf,", 1)
    path.write_text("".join(lines), encoding="utf-8", newline="")
    assert one.walk_here(monkeypatch) == 0
    assert waiting(one)["decision"] == 1
    found = read_csv(one.folder / "queues" / "decision.csv")
    assert [(row["Column of the export"], row["Word"], row["Rows"]) for row in found] == [("transactions.transaction_type", "Verkauf", "1")]
    with pytest.raises(SpecError, match=r"decision.csv: row 2, column 'Means': expected one of Sale"):
        resolve_queues(opened(one), Given([fill_csv(one.folder / "queues" / "decision.csv", lambda row: {"means": "Sold"})]), "Carla")
    given = fill_csv(one.folder / "queues" / "decision.csv", lambda row: {"means": "sale"})
    assert resolve_queues(opened(one), Given([given]), "Carla Client")["seal_no"] == 2
    before = one.sandbox.truth.get("counts")["requests"]
    assert walk.go_on(one.name) == 0
    assert written(one, before) == {"addDeal": 1}
    assert "decision" not in waiting(one)


def test_a_sample_seal_stays_one_for_the_same_records(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=60)
    for name, value in one.env.items():
        monkeypatch.setenv(name, value)
    walk.desire(opened(one))
    confirm(opened(one), "client", sample=5)
    assert walk.go_on(one.name) == 0
    resolve_queues(opened(one), Given(owners={"zoe.departed@agency.example.com": "ana@agency.example.com"}), "Carla Client")
    with Ledger.open(home().ledger_url) as ledger:
        first, second = (each for each in ledger.seals(one.name))
    assert (second.kind, second.by) == ("sample", "Carla Client")
    assert second.content["sample"] == first.content["sample"]


TABLES = ("res_partner", "crm_lead", "sale_order", "calendar_event", "account_move", "product_template")


def touched(one: OdooRig, since: Any) -> dict[str, tuple[int, int]]:
    """Records made and records changed since then, by table, read from the database."""
    found = {}
    for table in TABLES:
        counts = "count(*) FILTER (WHERE create_date > %s) AS made, count(*) FILTER (WHERE create_date <= %s) AS changed"
        query = f"SELECT {counts} FROM {table} WHERE write_date > %s"
        row = one.rows(query, since, since, since)[0]
        if row["made"] or row["changed"]:
            found[table] = (row["made"], row["changed"])
    return found


def moment(one: OdooRig) -> Any:
    return one.rows("SELECT now() AT TIME ZONE 'UTC' AS now")[0]["now"]


@pytest.mark.odoo
def test_odoo_takes_corrected_rows_and_a_new_owner_and_nothing_else(odoo_rig: Callable[..., OdooRig], monkeypatch: Patch) -> None:
    one = odoo_rig(contacts=60)
    assert one.walk_here(monkeypatch) == 0
    assert waiting(one) == {"owner": 1, "remediation": 7, "review": 3}
    queues = one.folder / "queues"
    given = [
        fill_book(queues / "remediation.xlsx", corrected(one)),
        fill_csv(queues / "review.csv", corrected(one)),
        fill_book(queues / "owner.xlsx", lambda row: {user: "ana@agency.example.com"} if (user := "user who takes over") in row else {}),
    ]
    told = resolve_queues(opened(one), Given(given), "Carla Client")
    assert (told["taken"]["rows"], told["taken"]["owners"], told["to_confirm"]) == (10, 1, [])
    since = moment(one)
    assert walk.go_on(one.name) == 0
    assert touched(one, since) == {"res_partner": (5, 1), "crm_lead": (1, 0), "sale_order": (1, 2), "calendar_event": (1, 0)}
    assert (waiting(one), account(one)["exit_code"]) == ({}, 0)
    since = moment(one)
    assert walk.go_on(one.name) == 0
    assert touched(one, since) == {}, "a second run writes nothing"


@pytest.mark.odoo
def test_odoo_keeps_the_second_of_two_that_are_one_and_names_it(odoo_rig: Callable[..., OdooRig], monkeypatch: Patch) -> None:
    one = odoo_rig(contacts=60)
    assert one.walk_here(monkeypatch) == 0
    first, second = buyers(one)[:2]
    resolve_queues(opened(one), Given(same=[(first, second)], object="contacts"), "Carla Client")
    since = moment(one)
    assert walk.go_on(one.name) == 0
    assert all(made == 0 for made, _ in touched(one, since).values()), "nothing is made anew"
    assert waiting(one)["conflict"] == 0
    rows = read_csv(one.folder / "queues" / "conflict.csv")
    assert {("people", second, first)} <= {(row["Kind of record"], row["Source record"], row["Record that stayed"]) for row in rows}
    number = next(int(row["Number in the CRM"]) for row in rows if row["Source record"] == second)
    assert one.rows("SELECT active FROM res_partner WHERE id = %s", number) == [{"active": True}], "nothing is deleted"


@pytest.mark.slow
def test_the_command_line_takes_a_file_as_the_next_intake_or_says_what_is_wrong_with_it(
    rig: Callable[..., Rig], monkeypatch: Patch
) -> None:
    one = rig(contacts=60)
    assert one.walk_here(monkeypatch) == 0
    assert waiting(one)["remediation"] == 6
    path = one.folder / "queues" / "remediation.csv"
    typed = fill_csv(
        path, lambda row: {"id": "1", "email": "nina@example.org"} if row["source record"] else None, path.with_name("wrong.csv")
    )
    before = (one.folder / "work" / "intakes.json").read_bytes()
    refused = one.crm("queue", "resolve", one.name, str(typed), "--by", "Carla Client")
    assert refused.returncode == 2
    assert "wrong.csv: row 2, column 'id': this cell identifies the row and cannot be changed" in refused.stderr
    assert "nina@example.org" not in refused.stdout + refused.stderr
    assert (one.folder / "work" / "intakes.json").read_bytes() == before
    fill_csv(path, lambda row: {"email": "nina@example.org"} if row["source record"] else None)
    taken = one.crm("queue", "resolve", one.name, str(path), "--by", "Carla Client")
    assert taken.returncode == 0, taken.stderr
    assert "Taken: 1 row corrected." in taken.stdout
    chunk = opened(one).chunks()[-1]
    assert (chunk.kind, chunk.physical_rows) == ("correction", 1)
    with open_instance() as instance:
        for name in ("staged_contacts", "people"):
            assert chunk.key in instance.get_dynamic_partitions(partition_set(one.name, name))
