"""Who must not be mailed, by Odoo's own reading of addresses: nobody is taken off, and nobody else is put on."""

from __future__ import annotations

import orjson
import pytest

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
from crm_pipelines_tests.unit.destinations.odoo.desk import Desk, rows_of

pytestmark = pytest.mark.odoo


def _mailable(desk: Desk) -> dict[str, bool]:
    """Return address -> whether Odoo mails a partner who has it."""
    domain = [["email", "=like", "%.oo.example.com"]]
    found = desk.server.call(desk.database, "res.partner", "search_read", domain=domain, fields=["email", "is_blacklisted"])
    return {row["email"]: not row["is_blacklisted"] for row in found}


def test_the_very_address_is_listed_and_no_other(desk: Desk) -> None:
    refused = ["info@fußball.oo.example.com", "Jörg@de.oo.example.com", "Bob@De.oo.example.com"]
    willing = ["info@fussball.oo.example.com", "weiß@de.oo.example.com", "weiss@de.oo.example.com"]
    desk.create("people", {address: {"name": address, "email": address} for address in (*refused, *willing)})
    desk.create("opt_outs", {address: {"email": address} for address in refused})
    assert _mailable(desk) == {**dict.fromkeys(refused, False), **dict.fromkeys(willing, True)}
    again, outcomes = desk.write("opt_outs", rows_of({f"again {n}": {"email": address} for n, address in enumerate(refused)}))
    assert (again.refused, {each.result for each in outcomes.values()}) == (0, {"adopted"})


def test_an_address_that_differs_in_case_beyond_ascii_is_not_matched_with_one_that_is_listed(desk: Desk) -> None:
    names = ["jürgen@case.example.com", "plain@case.example.com"]
    desk.server.call(desk.database, "mail.blacklist", "create", vals_list=[{"email": name} for name in names])
    matched = desk.main.existing("opt_outs", MemoryJournal())["match"].to_list()
    assert [name in matched for name in names] == [False, True]


def test_an_address_on_the_list_is_never_written_over(desk: Desk) -> None:
    (number,) = desk.create("opt_outs", {"moved": {"email": "old@move.example.com"}}).values()
    new = {"email": "new@move.example.com"}
    _, outcomes = desk.write("opt_outs", [WriteRow("moved", "update", new, "h", orjson.dumps(new), "t", number, new)])
    assert [(each.result, each.reason) for each in outcomes.values()] == [("refused", "stays_listed: email")]
    assert desk.one("select email from mail_blacklist where id = %s", int(number)) == "old@move.example.com"
