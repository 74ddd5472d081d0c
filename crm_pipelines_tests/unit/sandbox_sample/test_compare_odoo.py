"""The comparison by SQL finds nothing wrong with a perfect Odoo, and every way in which one can be unlike the truth.

A real Odoo is loaded once, by hand; each trouble is one change by SQL, seen from within its transaction and taken back.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from psycopg.rows import dict_row

from crm_pipelines.sandbox.compare import Comparison, ComparisonError, odoo
from crm_pipelines.sandbox.compare.__main__ import main
from crm_pipelines.sandbox.compare.odoo.database import Database
from crm_pipelines.sandbox.compare.odoo.judge import compare_look
from crm_pipelines.sandbox.sample import SampleConfig, generate
from crm_pipelines_tests.lib.odoo import OdooServer
from crm_pipelines_tests.unit.sandbox_sample.odoo_by_hand import PREFIX, OdooByHand, part_of
from crm_pipelines_tests.unit.sandbox_sample.odoo_troubles import TROUBLES, Found
from crm_pipelines_tests.unit.sandbox_sample.reading import truth_of

Json = dict[str, Any]
DECISIONS = {"transactions": "invoices", "failed": "cancelled_order"}
pytestmark = pytest.mark.odoo


@dataclass(frozen=True)
class Loaded:
    """A database that equals its truth."""

    server: OdooServer
    database: str
    truth: Json
    before: Json
    by: OdooByHand

    @property
    def dsn(self) -> str:
        return self.server.dsn(self.database)

    def judged(self) -> Comparison:
        return odoo.compare(self.truth, self.dsn, PREFIX, self.before)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """A few people who between them have everything: deals of each status, both kinds of purchase, bookings, addresses, consent."""
    out = tmp_path_factory.mktemp("odoo")
    report = generate(SampleConfig(contacts=500, seed=7, out=out, planted_queue="five", route="kartra_to_odoo", decisions=DECISIONS))
    told = truth_of(report.truth)
    records = told["records"]
    people, orders, invoices, deals = (records[phase] for phase in ("people", "orders", "invoices", "deals"))
    wanted = {next(one["partner_id"] for one in deals.values() if one["status"] == status) for status in ("open", "won", "lost")}
    wanted |= {next(one["partner_id"] for one in deals.values() if one["stage"] == stage) for stage in told["stages"]}
    wanted |= {next(one["partner_id"] for one in orders.values() if one["state"] == state) for state in ("draft", "sale", "cancel")}
    wanted |= {next(one["partner_id"] for one in invoices.values() if one["state"] == state) for state in ("posted", "cancel")}
    wanted |= {
        next(one["attendees"] for one in records["activities"].values() if ("user_id" in one) is hosted)[0] for hosted in (True, False)
    }
    refused = [key for key, one in people.items() if one.get("email", "").lower() in records["opt_outs"]]
    for has in ("state", "website", "comment", "street"):
        wanted.add(next(key for key, one in people.items() if has in one))
    wanted |= {next(key for key, one in people.items() if "<b>" in one.get("comment", "")), next(iter(refused))}
    wanted |= {next(key for key, one in people.items() if "Merged Kartra IDs" in one["custom"] and one.get("category_id"))}
    return part_of(told, wanted)


@pytest.fixture(scope="module")
def loaded(odoo_server: OdooServer, module_odoo_db: str, truth: Json) -> Loaded:
    by = OdooByHand(odoo_server, module_odoo_db)
    by.make_users(truth)
    before = odoo.baseline(odoo_server.dsn(module_odoo_db))
    by.load(truth)
    return Loaded(odoo_server, module_odoo_db, truth, orjson.loads(orjson.dumps(before)), by)


def test_a_perfect_load_has_no_difference_and_everything_is_counted(loaded: Loaded) -> None:
    comparison = loaded.judged()
    assert [str(one)[:400] for one in comparison.differences] == []
    records = loaded.truth["records"]
    assert all(records.values()), "the part has something of every phase"
    assert comparison.records_compared == sum(len(found) for found in records.values())
    told = sum(
        len(one) - ("custom" in one) + len(one.get("custom", ()))
        for phase, rows in records.items()
        if phase != "users"
        for one in rows.values()
    )
    assert comparison.fields_compared >= told


def first(loaded: Loaded, place: str) -> int:
    """Return the id that a place of a statement stands for."""
    phase, _, field = place.partition(".")
    has, name = not field.startswith("!"), field.lstrip("!")
    return next(loaded.by.ids[phase][key] for key, one in loaded.truth["records"][phase].items() if not field or (name in one) is has)


def filled(loaded: Loaded, statement: str) -> str:
    text = re.sub(r"\{([a-z_.!]+)\}", lambda found: str(first(loaded, found.group(1))), statement)
    return text.replace("{{", "{").replace("}}", "}").replace("%%", "%")


@pytest.fixture
def connection(loaded: Loaded) -> Iterator[psycopg.Connection[Json]]:
    """A transaction that ends with the test and leaves nothing behind."""
    with psycopg.connect(loaded.dsn, row_factory=dict_row) as opened:
        yield opened
        opened.rollback()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_trouble_is_found(trouble: str, loaded: Loaded, connection: psycopg.Connection[Json]) -> None:
    statement, expected = TROUBLES[trouble]
    for one in filled(loaded, statement).split(";"):
        assert connection.execute(one.encode()).rowcount > 0, "the change hit something"
    found = found_in(compare_look(loaded.truth, Database(connection), PREFIX, loaded.before))
    assert any(all(told in {"*", seen} for told, seen in zip(expected, one, strict=True)) for one in found), found


def found_in(comparison: Comparison) -> set[Found]:
    return {(one.phase, one.field, one.kind) for one in comparison.differences}


def test_records_that_were_there_before_are_nobodys_business(loaded: Loaded) -> None:
    assert not [one for one in loaded.judged().differences if one.kind in {"unexpected", "missing"}]
    assert loaded.before["max_ids"]["res_partner"] > 0


def test_a_company_of_its_first_contact_shows(loaded: Loaded, odoo_server: OdooServer) -> None:
    """What Odoo does by itself when a company's only contact of type Contact arrives with an address."""
    before = odoo.baseline(loaded.dsn)
    company = odoo_server.call(loaded.database, "res.partner", "create", vals_list=[{"name": "Lonely Ltd", "is_company": True}])[0]
    child = {"name": "Only One", "parent_id": company, "type": "contact", "street": "1 Main St"}
    names = [{"module": PREFIX, "model": "res.partner", "name": "organizations.lonely", "res_id": company}]
    made = odoo_server.call(loaded.database, "res.partner", "create", vals_list=[child])
    made += [odoo_server.call(loaded.database, "ir.model.data", "create", vals_list=names)[0]]
    truth = {**loaded.truth, "records": {**loaded.truth["records"], "organizations": {**loaded.truth["records"]["organizations"]}}}
    truth["records"]["organizations"]["lonely"] = {"name": "Lonely Ltd", "is_company": True, "custom": {}}
    found = found_in(odoo.compare(truth, loaded.dsn, PREFIX, before))
    odoo_server.call(loaded.database, "res.partner", "unlink", ids=[made[0], company])
    assert ("organizations", "street", "extra") in found
    assert ("people", "", "unexpected") in found


def test_the_command_line_remembers_compares_and_shows_digests(loaded: Loaded, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth, before, report = tmp_path / "truth.json", tmp_path / "before.json", tmp_path / "comparison.json"
    truth.write_bytes(orjson.dumps(loaded.truth))
    asked = ["odoo", "--truth", str(truth), "--dsn", loaded.dsn, "--prefix", PREFIX, "--baseline", str(before), "--json", str(report)]
    assert main([*asked, "--remember"]) == 0
    assert stat.S_IMODE(before.stat().st_mode) == 0o600
    before.write_bytes(orjson.dumps(loaded.before))
    assert main(asked) == 0
    assert " 0 differences" in capsys.readouterr().out
    assert orjson.loads(report.read_bytes())["not_compared"]["deals"]
    people = loaded.truth["records"]["people"]
    key = next(iter(people))
    other = {**loaded.truth, "records": {**loaded.truth["records"], "people": {**people, key: {**people[key], "name": "Very Private"}}}}
    truth.write_bytes(orjson.dumps(other))
    assert main(asked) == 11
    assert "Private" not in (out := capsys.readouterr().out)
    assert "name: wrong" in out
    assert b"Private" not in report.read_bytes()
    assert main([*asked, "--show-values"]) == 11
    assert "Very Private" in capsys.readouterr().out


def test_what_cannot_be_compared_says_why(loaded: Loaded, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ComparisonError, match="check the DSN"):
        odoo.baseline("postgresql://odoo:odoo@127.0.0.1:9/nothing")
    with pytest.raises(ComparisonError, match="is it an Odoo"):
        odoo.compare(loaded.truth, loaded.server.dsn("postgres"), PREFIX, loaded.before)
    truth, before = tmp_path / "truth.json", tmp_path / "before.json"
    truth.write_bytes(orjson.dumps(loaded.truth))
    asked = ["odoo", "--truth", str(truth), "--dsn", loaded.dsn, "--prefix", PREFIX, "--baseline", str(before)]
    assert main(asked) == 2
    assert "--remember" in capsys.readouterr().err
    before.write_text("{}", "utf-8")
    assert main(asked) == 2
    assert "no readable truth file" in capsys.readouterr().err
    assert main([*asked[:4], "postgresql://odoo:odoo@127.0.0.1:9/nothing", *asked[5:]]) == 3
