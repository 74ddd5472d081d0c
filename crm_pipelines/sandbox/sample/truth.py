"""The truth beside a sample: what a perfect migration must end with, record by record and row by row.

Belongs here: putting the parts together, buckets, queues, sums. Not here: the records themselves (truth_people,
truth_deals) or reading a destination back (sandbox.compare).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from crm_pipelines.sandbox.sample import truth_deals, truth_people
from crm_pipelines.sandbox.sample.config import ROUTE, UNKNOWN_OWNER
from crm_pipelines.sandbox.sample.csvfile import FILE_MODE, ExportFile, Line
from crm_pipelines.sandbox.sample.truth_deals import Deals
from crm_pipelines.sandbox.sample.truth_people import People, Record
from crm_pipelines.sandbox.sample.world import Booking, World

Truth = dict[str, Any]


def truth_of(world: World, files: Sequence[ExportFile], *, earlier: Truth | None = None) -> Truth:
    """Compute the truth of a world and the files it was written to; `earlier` is the truth before a delta."""
    people = truth_people.fold(world)
    organizations = truth_people.organization_records(world, people)
    deals = truth_deals.gather(world, people)
    records: dict[str, dict[str, Record]] = {
        "users": _users(world),
        "organizations": organizations,
        "people": truth_people.person_records(world, people),
        "deals": truth_deals.deal_records(world, deals),
        "activities": _activities(world, people),
        "notes": truth_people.note_records(people),
    }
    fates = _Fates(world, people, deals, files, _changes(earlier, records))
    return {
        "route": ROUTE,
        "seed": world.config.seed,
        "decisions": dict(sorted(world.config.decided.items())),
        "records": records,
        "pairs": {phase: truth_people.label_pairs(records[phase].values()) for phase in ("people", "deals")},
        "rows": {file.name(world.config.timezone): _rows(file, fates) for file in files},
        "queues": _queues(world, people),
        "owners_without_user": sorted({UNKNOWN_OWNER} & {str(contact.newest("owner")) for contact in world.contacts}),
        "quarantine": _quarantine(world, files),
        "money": _sums(records["deals"]),
    }


def write_truth(truth: Truth, path: Path) -> None:
    """Write a truth file, readable by its owner only."""
    data = orjson.dumps(truth, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "wb") as handle:
        handle.write(data)
    path.chmod(FILE_MODE)


def _users(world: World) -> dict[str, Record]:
    """Return the owners who have a user; the others are told apart and wait."""
    owners = {contact.newest("owner") for contact in world.contacts} | {one.host for one in world.bookings}
    return {str(email): {"email": email, "is_matched": True} for email in sorted(filter(None, owners - {UNKNOWN_OWNER}))}


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
    if world.config.decided["affiliates"] == "person_fields":
        found += [("affiliates", one.username, one.queue) for one in world.affiliates]
    return [{"object": name, "key": key, "queue": queue[0], "reason": queue[1]} for name, key, queue in found if queue]


def _quarantine(world: World, files: Sequence[ExportFile]) -> list[dict[str, Any]]:
    return [
        {"file": file.name(world.config.timezone), "first_line": one.first_line, "last_line": one.last_line, "reason": one.reason}
        for file in files
        for one in file.quarantined()
    ]


def _sums(deals: Mapping[str, Record]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return count and sum of the deals that have a value, by currency and status; currencies are never added."""
    sums: dict[tuple[str, str], list[Decimal]] = {}
    for deal in deals.values():
        if "value" in deal:
            sums.setdefault((deal["currency"], deal["status"]), []).append(Decimal(str(deal["value"])))
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for (currency, status), values in sorted(sums.items()):
        found.setdefault(currency, {})[status] = {"count": len(values), "sum": float(sum(values))}
    return found


def _changes(earlier: Truth | None, records: dict[str, dict[str, Record]]) -> dict[str, dict[str, str]]:
    """Return the state of every record: created in a first load, else measured against the truth before."""
    before = earlier["records"] if earlier else {}
    return {
        phase: {key: _state(before.get(phase, {}).get(key), record) for key, record in found.items()} for phase, found in records.items()
    }


def _state(before: Record | None, now: Record) -> str:
    if before is None:
        return "created"
    return "unchanged" if before == now else "updated"


def _rows(file: ExportFile, fates: _Fates) -> dict[str, Any]:
    buckets = Counter(line.bucket or fates.bucket(line) for line in file.lines)
    return {"physical_rows": len(file.lines), "buckets": dict(sorted(buckets.items()))}


class _Fates:
    """Where each row ends: the bucket of its record, or of what it was merged or folded into."""

    def __init__(self, world: World, people: People, deals: Deals, files: Sequence[ExportFile], states: dict[str, dict[str, str]]) -> None:
        self._world, self._people, self._deals, self._states = world, people, deals, states
        self._contacts = {contact.id: contact for contact in world.contacts}
        self._transactions = {one.id: one for one in world.transactions}
        self._bookings = {one.id: one for one in world.bookings}
        self._affiliates = {one.username: one for one in world.affiliates}
        self._newest = {line.owner[:2]: line.owner for file in files for line in file.lines if isinstance(line.owner, tuple)}

    def bucket(self, line: Line) -> str:
        """Return the bucket of a row that can be read."""
        owner = line.owner
        assert isinstance(owner, tuple)  # noqa: S101 - rows without an owner name their bucket themselves
        if self._newest[owner[:2]] != owner:
            return "merged"
        return str(getattr(self, f"_{owner[0]}_bucket")(owner[1]))

    def _contacts_bucket(self, number: int) -> str:
        person = self._people.of_contact[number]
        if person.key != str(number):
            return "merged"
        return "waiting" if person.queue else self._states["people"][person.key]

    def _transactions_bucket(self, number: int) -> str:
        if self._transactions[number].queue:
            return "waiting"
        if number in self._deals.excluded:
            return "excluded"
        deal = self._deals.of_transaction[number]
        primary = deal.primary_transaction
        return self._states["deals"][deal.key] if primary is not None and primary.id == number else "folded"

    def _subscriptions_bucket(self, number: int) -> str:
        return self._states["deals"][f"sub:{number}"]

    def _calendars_bucket(self, number: int) -> str:
        one = self._bookings[number]
        if one.queue:
            return "waiting"
        return self._states["activities"].get(one.key, "excluded")

    def _affiliates_bucket(self, username: str) -> str:
        if f"partner:{username}" in self._states["organizations"]:
            return self._states["organizations"][f"partner:{username}"]
        return "waiting" if self._affiliates[username].queue else "folded"
