"""The truth beside a sample: what a perfect migration must end with, record by record and row by row.

Belongs here: putting the parts together, the records of Pipedrive's activities, queues, sums. Not here: the other records
(truth_people, truth_deals; for Odoo truth_odoo), the bucket of each row (truth_rows), reading a destination back
(sandbox.compare).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from crm_pipelines.sandbox.sample import truth_deals, truth_odoo, truth_people
from crm_pipelines.sandbox.sample.config import ODOO, PIPEDRIVE, UNKNOWN_OWNER
from crm_pipelines.sandbox.sample.csvfile import FILE_MODE, ExportFile
from crm_pipelines.sandbox.sample.truth_deals import Deals
from crm_pipelines.sandbox.sample.truth_people import People, Record
from crm_pipelines.sandbox.sample.truth_rows import rows_of
from crm_pipelines.sandbox.sample.world import Booking, World

Truth = dict[str, Any]


def truth_of(world: World, files: Sequence[ExportFile], *, earlier: Truth | None = None) -> Truth:
    """Compute the truth of a world and the files it was written to; `earlier` is the truth before a delta."""
    people = truth_people.fold(world)
    deals = truth_deals.gather(world, people)
    described = _odoo(world, people, deals) if world.config.route == ODOO else _pipedrive(world, people, deals)
    told = described.pop("records")
    if earlier and "stages" in described:  # stages that stand keep their place
        described["stages"] = list(dict.fromkeys([*earlier["stages"], *described["stages"]]))
    records: dict[str, dict[str, Record]] = {"users": _users(world), **told}
    return {
        "seed": world.config.seed,
        "decisions": dict(sorted(world.config.decided.items())),
        "records": records,
        "rows": rows_of(world, people, deals, files, before=earlier["records"] if earlier else {}, now=records),
        "queues": _queues(world, people),
        "owners_without_user": sorted(_owners(world) & {UNKNOWN_OWNER}),
        "quarantine": _quarantine(world, files),
        **described,
    }


def _pipedrive(world: World, people: People, deals: Deals) -> Truth:
    records: dict[str, dict[str, Record]] = {
        "organizations": truth_people.organization_records(world, people),
        "people": truth_people.person_records(world, people),
        "deals": truth_deals.deal_records(world, deals),
        "activities": _activities(world, people),
        "notes": truth_people.note_records(people),
    }
    pairs = {phase: truth_people.label_pairs(records[phase].values()) for phase in ("people", "deals")}
    return {"route": PIPEDRIVE, "records": records, "pairs": pairs, "money": sums(records["deals"], "value", "status")}


def _odoo(world: World, people: People, deals: Deals) -> Truth:
    records = truth_odoo.records(world, people, deals)
    money = {phase: sums(records.get(phase, {}), field, state) for phase, (field, state) in truth_odoo.MONEY.items()}
    described = truth_odoo.schema(world, records)
    pairs = {"people": sum(len(record.get("category_id", ())) for record in records["people"].values())}
    return {"route": ODOO, "records": records, "pairs": pairs, "money": money, **described}


def write_truth(truth: Truth, path: Path) -> None:
    """Write a truth file, readable by its owner only."""
    data = orjson.dumps(truth, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "wb") as handle:
        handle.write(data)
    path.chmod(FILE_MODE)


def _owners(world: World) -> set[str]:
    """Return every owner that a row names."""
    owners = {contact.newest("owner") for contact in world.contacts} | {one.host for one in world.bookings}
    return {str(email) for email in owners | {one.owner.means for one in world.deals} if email}


def _users(world: World) -> dict[str, Record]:
    """Return the owners who have a user; the others are told apart and wait."""
    return {email: {"email": email, "is_matched": True} for email in sorted(_owners(world) - {UNKNOWN_OWNER})}


def _activities(world: World, people: People) -> dict[str, Record]:
    is_kept = world.config.decided["cancelled_bookings"] == "keep"
    wanted = [one for one in world.bookings if one.contact is not None and (is_kept or one.status != "cancelled")]
    return {one.key: _activity(people, one) for one in wanted}


def _activity(people: People, one: Booking) -> Record:
    assert one.contact is not None  # noqa: S101 - bookings of strangers wait
    person = people.of_contact[one.contact.id]
    subject = f"{one.calendar} - {one.class_name}" if one.class_name else one.calendar
    record: Record = {
        "subject": f"Cancelled: {subject}" if one.status == "cancelled" else subject,
        "type": "call" if one.is_call else "meeting",
        "due_date": f"{one.start_utc:%Y-%m-%d}",
        "due_time": f"{one.start_utc:%H:%M:%S}",
        "duration": one.duration,
        "done": one.status in {"completed", "cancelled"},
        "owner_id": one.host,
        "participants": [person.key],
        "org_id": person.organization,
        "location": one.location or None,
        "note": f"Kartra booking {one.id}",
    }
    return {name: value for name, value in record.items() if value is not None}


def _queues(world: World, people: People) -> list[dict[str, str]]:
    """Return every row that waits for a person, with its queue and reason."""
    found = [("contacts", person.key, person.queue) for person in people.by_key.values()]
    found += [("transactions", one.key, one.queue) for one in world.transactions]
    found += [("calendars", one.key, one.queue) for one in world.bookings]
    found += [("deals", one.key, one.queue) for one in truth_odoo.settled(world, people)]
    if world.config.decided["affiliates"] != "partner_organizations":
        found += [("affiliates", one.username, one.queue) for one in world.affiliates]
    return [{"object": name, "key": key, "queue": queue[0], "reason": queue[1]} for name, key, queue in found if queue]


def _quarantine(world: World, files: Sequence[ExportFile]) -> list[dict[str, Any]]:
    return [
        {"file": file.name(world.config.timezone), "first_line": one.first_line, "last_line": one.last_line, "reason": one.reason}
        for file in files
        for one in file.quarantined()
    ]


def sums(records: Mapping[str, Record], amount: str, state: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return count and sum of the records that have an amount, by currency and state; currencies are never added."""
    amounts: dict[tuple[str, str], list[Decimal]] = {}
    for one in records.values():
        if amount in one:
            amounts.setdefault((one["currency"], one[state]), []).append(Decimal(str(one[amount])))
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for (currency, said), values in sorted(amounts.items()):
        found.setdefault(currency, {})[said] = {"count": len(values), "sum": float(sum(values))}
    return found
