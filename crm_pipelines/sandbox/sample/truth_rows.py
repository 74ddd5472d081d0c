"""Where each row of the export files must end: its bucket, by the record it leads to.

Belongs here: counts of rows for every file, on both routes. Not here: the records (truth_people, truth_deals, truth_odoo).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from crm_pipelines.sandbox.sample import truth_odoo
from crm_pipelines.sandbox.sample.csvfile import ExportFile, Line
from crm_pipelines.sandbox.sample.truth_deals import Deal, Deals
from crm_pipelines.sandbox.sample.truth_people import People, Record
from crm_pipelines.sandbox.sample.world import World

Records = Mapping[str, Mapping[str, Record]]


def rows_of(world: World, people: People, deals: Deals, files: Sequence[ExportFile], *, before: Records, now: Records) -> dict[str, Any]:
    """Count the rows of each file by bucket; `before` are the records of an earlier truth, none in a first load."""
    fates = _Fates(world, people, deals, files, _changes(before, now))
    return {file.name(world.config.timezone): _rows(file, fates) for file in files}


def _changes(before: Records, now: Records) -> dict[str, dict[str, str]]:
    """Return the state of every record: created in a first load, else measured against the truth before."""
    return {phase: {key: _state(before.get(phase, {}).get(key), record) for key, record in found.items()} for phase, found in now.items()}


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
        self._waiting_deals = {one.id for one in truth_odoo.settled(world, people) if one.queue}
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
        return self._states[self._home_of(deal)][deal.key] if primary is not None and primary.id == number else "folded"

    def _subscriptions_bucket(self, number: int) -> str:
        deal = self._deals.by_key[f"sub:{number}"]
        return self._states[self._home_of(deal)][deal.key]

    def _home_of(self, deal: Deal) -> str:
        """Return the phase in which a purchase arrives."""
        return next(phase for phase in ("orders", "invoices", "deals") if deal.key in self._states.get(phase, ()))

    def _deals_bucket(self, number: int) -> str:
        return "waiting" if number in self._waiting_deals else self._states["deals"][str(number)]

    def _calendars_bucket(self, number: int) -> str:
        one = self._bookings[number]
        if one.queue:
            return "waiting"
        return self._states["activities"].get(one.key, "excluded")

    def _affiliates_bucket(self, username: str) -> str:
        if f"partner:{username}" in self._states["organizations"]:
            return self._states["organizations"][f"partner:{username}"]
        return "waiting" if self._affiliates[username].queue else "folded"
