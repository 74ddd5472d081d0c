"""Bad rows among good ones, through the product: the good ones are in, each bad one has its reason, and the exit code says so."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from crm_pipelines_tests.lib.rig_odoo import OdooRig

pytestmark = pytest.mark.odoo

Make = Callable[..., OdooRig]
CONTACT = 9_000_001
"""First id of the contacts that are made bad; the sample's own are lower."""
BAD_CONTACTS: Mapping[str, tuple[Mapping[str, str], tuple[str, str]]] = {
    # what is wrong -> cells, and the queue and reason that the row ends with
    "no e-mail": ({"email": ""}, ("remediation", "no_email")),
    "unknown owner": ({"owner": "nobody@agency.example.com"}, ("owner", "no_user")),
    "unknown selection": ({"shirt_size": "XXXXL"}, ("decision", "unknown_option")),
    "unknown consent": ({"gdpr_status": "perhaps"}, ("decision", "unknown_option")),
    "name too long for its index": ({"first_name": "x" * 3_000}, ("refused", "too_long: name")),
}
BAD_DEALS: Mapping[str, tuple[Mapping[str, str], tuple[str, str]]] = {
    "without a name": ({"deal_name": ""}, ("refused", "missing_required: name")),
    "in a foreign currency": ({"currency": "EUR"}, ("refused", "foreign_currency: currency")),
    "of nobody": ({"contact_email": "nobody@example.org", "contact_id": ""}, ("review", "no_contact")),
    "before the calendar": ({"close_date": "0900-01-01"}, ("refused", "date_out_of_range: date_deadline")),
}
BAD_BOOKINGS: Mapping[str, tuple[Mapping[str, str], tuple[str, str]]] = {
    "ends before it starts": (
        {"event_start": "2025-03-01 10:00:00", "event_end": "2025-03-01 09:00:00"},
        ("refused", "refused_by_rule: calendar.event"),
    ),
}
BAD_SALES: Mapping[str, tuple[Mapping[str, str], tuple[str, str]]] = {
    "unknown type": ({"Transaction_Type": "Barter"}, ("decision", "unknown_type")),
    "of nobody": ({"Buyer_Email": "nobody@example.org", "lead_id": ""}, ("review", "no_contact")),
    "refund of nothing": ({"Transaction_Type": "Refund", "Amount (USD)": "-12345.67"}, ("review", "no_candidate")),
}
BAD_LINES = {"a cell is missing": "short_row", "a NUL byte": "nul_byte", "no key": "missing_key"}


def spoil(rig: OdooRig) -> dict[tuple[str, str], tuple[str, str]]:
    """Put bad rows among the good ones of every export; return (object, key) -> the queue and reason that each must end with."""
    exports = rig.folder / "exports"
    due: dict[tuple[str, str], tuple[str, str]] = {}
    for name, id_column, first, cases in (
        ("contacts", "id", CONTACT, BAD_CONTACTS),
        ("deals", "deal_id", 90_001, BAD_DEALS),
        ("calendars", "calendar_subscription_id", 90_101, BAD_BOOKINGS),
        ("transactions", "ID", 90_201, BAD_SALES),
    ):
        path = sorted(exports.glob(f"{name}_*.csv"))[-1] if name != "contacts" else next(exports.glob("leads_*.csv"))
        good = usable_row(rig, path, name)
        rows = []
        for number, (cells, ends) in enumerate(cases.values(), first):
            own = {"contacts": {"email": f"bad.{number}@example.org"}, "transactions": {"Product": f"Bad {number}"}}.get(name, {})
            rows.append({**good, id_column: str(number), **own, **cells})
            due[name, str(number)] = ends
        insert(path, rows)
    return due


def usable_row(rig: OdooRig, path: Path, name: str) -> dict[str, str]:
    """Return a row of an export whose record is in the truth, without what a second one may not share."""
    records = rig.truth["records"]
    keys = {"contacts": records["people"], "deals": records["deals"], "calendars": records["activities"]}
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    if name == "transactions":
        return next(row for row in rows if f"tx:{row['ID']}" in records["orders"])
    id_column = {"contacts": "id", "deals": "deal_id", "calendars": "calendar_subscription_id"}[name]
    good = next(row for row in rows if row[id_column] in keys[name])
    shared = {"contacts": ("phone", "company", "tags", "lists", "notes"), "deals": (), "calendars": ()}[name]
    stated = {"contacts": {"status": "Subscribed", "blacklisted": "0"}}.get(name, {})
    return {**good, **dict.fromkeys(shared, ""), **stated}


def insert(path: Path, rows: list[dict[str, str]]) -> None:
    """Write rows into the middle of an export."""
    text = path.read_text(encoding="utf-8-sig")
    present = list(csv.reader(io.StringIO(text)))
    heading, good = present[0], present[1:]
    middle = len(good) // 2
    bad = [[row[name] for name in heading] for row in rows]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([heading, *good[:middle], *bad, *good[middle:]])
    path.write_text(out.getvalue(), encoding="utf-8")


def break_lines(rig: OdooRig) -> None:
    """Add lines that cannot be read at all to the deals."""
    path = next((rig.folder / "exports").glob("deals_*.csv"))
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = len(lines[0].split(","))
    short, nul, keyless = "90901,short", f"90902,nul\x00{',' * (cells - 2)}", f",keyless{',' * (cells - 2)}"
    path.write_text("\n".join([*lines[:2], short, nul, keyless, *lines[2:]]) + "\n", encoding="utf-8")


def test_the_good_rows_are_in_and_each_bad_one_has_its_reason(odoo_rig: Make) -> None:
    one = odoo_rig(contacts=120, sample={"encodings": "plain", "file_quirks": False})
    due = spoil(one)
    break_lines(one)
    assert len(due) + len(BAD_LINES) >= 12
    assert one.walk().returncode == 4, "refusals keep gates shut"
    found = [each for each in one.compare().differences if each.field != "product_pricelist"]  # the bad deal's currency was prepared
    assert found == [], "every good row is in, and no bad one"
    assert one.crm("status", "acme").returncode == 11
    shown = one.crm("queue", "list", "acme", "--json")
    assert shown.stdout, shown.stderr
    listed = json.loads(shown.stdout)["rows"]
    ends = {(row["object"], row["key"]): (row["queue"], row["reason"]) for row in listed}
    assert {where: ends.get(where) for where in due} == due
    told = accept_all(one)
    status, page = one.crm("status", "acme").stdout, (one.folder / "handoff" / "reconciliation.html").read_text(encoding="utf-8")
    assert (
        "Forecast for one load: " in status,
        "requests spent; one load was forecast at" in page,
        "token" in (status + page).casefold(),
    ) == (
        True,
        True,
        False,
    )
    aside = {row["reason"] for row in told["set_aside"] if row["bucket"] == "quarantined" and row["object"] == "deals"}
    assert aside >= set(BAD_LINES.values())


def accept_all(rig: OdooRig) -> dict[str, Any]:
    """Accept what the expectations forbid, as a client would after reading why; return the account that then ends with 10."""
    told = json.loads(rig.crm("status", "acme", "--json").stdout)
    for phase in told["phases"]:
        if phase["acceptable"]:
            assert rig.crm("accept", "acme", phase["phase"], "--by", "client", "--reason", "known bad rows").returncode == 0
    ran = rig.crm("run", "acme", "--json")
    assert (ran.returncode, "Traceback" in ran.stderr) == (10, False), ran.stdout[-3000:] + ran.stderr
    account: dict[str, Any] = json.loads(ran.stdout)
    return account
