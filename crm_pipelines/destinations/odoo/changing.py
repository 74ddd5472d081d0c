"""Updates: only the fields that changed, the same change in one call, and never a record that stays as it is.

Belongs here: how a change is written to each model. Not here: what changed (phases.update), values (shape).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines.destinations.batches import Batch
from crm_pipelines.destinations.odoo import books, finishing, guests, listing, relatives, values
from crm_pipelines.destinations.odoo.api import Api, error_of
from crm_pipelines.destinations.odoo.binding import Binder
from crm_pipelines.destinations.odoo.faults import Fault
from crm_pipelines.destinations.odoo.loading import NARROWABLE
from crm_pipelines.destinations.odoo.models import WRITE_ROWS, Model
from crm_pipelines.destinations.odoo.names import Names
from crm_pipelines.destinations.odoo.reopening import lost_among, reopen
from crm_pipelines.destinations.odoo.shape import CUSTOM, changes_of
from crm_pipelines.destinations.odoo.values import Unfit
from crm_pipelines.destinations.sending import Sent
from crm_pipelines.errors import OutcomeUnknown

FROZEN_WHEN_POSTED = frozenset({"product", "description", "amount", "currency", "partner_id", "invoice_date", "state"})
"""Fields of an invoice that only a draft takes (account_move.py)."""
INVITES = frozenset({"user_id", "attendees"})
"""Fields of an appointment that say whom we invited: the host, by the user, and the guest."""
MOVES_DATE = frozenset({"status", "stage"})
"""Fields of a lead whose change lets Odoo write date_closed anew (crm_lead.py, write)."""


@dataclass
class Change:
    """One record's update."""

    attempt_id: int
    row: WriteRow
    number: int
    vals: dict[str, Any]
    line: dict[str, Any] = field(default_factory=dict)
    """What changes on its one line."""
    after: dict[str, Any] = field(default_factory=dict)
    """What has to be written once more, after Odoo's own consequences."""
    reopened: bool = False
    """Whether it has to be a draft meanwhile."""
    was: str = ""
    """State of an invoice before it became a draft: what it goes back to when its change is refused."""


class Changer:
    """Writes updates of one phase."""

    def __init__(self, api: Api, model: Model, names: Names, binder: Binder) -> None:
        self._api = api
        self._model = model
        self._names = names
        self._binder = binder

    async def change(self, batch: Batch, rows: Sequence[tuple[int, WriteRow]]) -> None:
        """Write every update and say what became of each. A row without changes receives its external id alone."""
        keyed = {attempt_id: (row.key, int(row.destination_id or 0)) for attempt_id, row in rows}
        former = {row.key: row.former_keys for _, row in rows if row.former_keys}
        taken = await self._binder.bind(keyed, former)
        for attempt_id, reason in taken.items():
            batch.answer(attempt_id, Sent("refused", None, reason))
        changes = self._changes(batch, [(number, row) for number, row in rows if number not in taken])
        changes = await self._on_lines(batch, changes)
        left_out = await relatives.keep_apart(
            self._api, self._model, {each.number: each.vals for each in changes}, self._names.countries_of_states
        )
        await self._invite(changes)
        lost = await self._lost(changes)
        faults = await self._write([(each.number, each.vals) for each in changes if each.vals], rows[0][0])
        faults |= await reopen(self._api, self._model, sorted(lost - faults.keys()), rows[0][0])
        after = [(each.number, each.after) for each in changes if each.after and each.number not in faults]
        faults |= await self._write(after, rows[0][0])
        faults = {**await self._closed_again([each for each in changes if each.reopened], faults, rows[0][0]), **faults}
        for each in changes:
            is_refused = each.number in faults
            reason = faults.get(each.number) or left_out.get(each.number, "")
            sent = Sent("refused" if is_refused else "updated", str(each.number), reason)
            batch.answer(each.attempt_id, sent)

    def _changes(self, batch: Batch, rows: Sequence[tuple[int, WriteRow]]) -> list[Change]:
        out = []
        for attempt_id, row in rows:
            wanted = _wanted(row)
            if not wanted:
                batch.answer(attempt_id, Sent("adopted", row.destination_id))
                continue
            if self._model.phase == "opt_outs" and "email" in wanted:  # the former address would be mailed again
                batch.answer(attempt_id, Sent("refused", row.destination_id, "stays_listed: email"))
                continue
            try:
                out.append(self._change(attempt_id, row, wanted))
            except Unfit as error:
                batch.answer(attempt_id, Sent("refused", row.destination_id, str(error)))
        return out

    def _change(self, attempt_id: int, row: WriteRow, wanted: Mapping[str, Any]) -> Change:
        whole = {**row.payload, **wanted}
        found = changes_of(self._model, wanted, self._names, whole)
        found |= {self._model.columns[name].name: None for name, value in (row.changes or {}).items() if value is None and name != CUSTOM}
        line = {name.rpartition("/")[2]: _value(value) for name, value in found.items() if "/" in name}
        change = Change(attempt_id, row, int(row.destination_id or 0), self._vals(found), line)
        if self._model.phase == "deals" and MOVES_DATE & wanted.keys():
            self._keep_closing_date(change, whole)
        change.reopened = self._model.phase == "invoices" and bool(FROZEN_WHEN_POSTED & wanted.keys())
        return change

    def _vals(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is written to the record itself. Labels are added: one that a person set a moment ago stays."""
        labels = {column.name for column in self._model.columns.values() if column.role == "labels"}
        direct = {name: value for name, value in found.items() if "/" not in name}
        return {name: [[4, number] for number in value] if name in labels else _value(value) for name, value in direct.items()}

    def _keep_closing_date(self, change: Change, whole: Mapping[str, Any]) -> None:
        if whole.get("status") != "lost":
            change.vals.setdefault("active", True)
        closed = whole.get("date_closed")
        change.after = {"date_closed": values.clean("datetime", "date_closed", closed) if closed else False}

    async def _invite(self, changes: Sequence[Change]) -> None:
        """Change our own attendees of appointments: those whom people added stay."""
        moved = {each.number: each for each in changes if self._model.phase == "activities" and INVITES & _wanted(each.row).keys()}
        read = await listing.records(self._api, self._model, sorted(moved), guests.FIELDS) if moved else []
        await guests.ours_first(self._api, read, self._names)
        for record in read:
            change = moved[record["id"]]
            guest = _wanted(change.row).get("attendees")
            change.vals["partner_ids"] = guests.invited(record, change.vals, None if guest is None else int(guest), self._names)

    async def _lost(self, changes: Sequence[Change]) -> set[int]:
        """Return the lost deals that are to be open again; their way back is not a change of `active` alone."""
        opened = {each.number: each for each in changes if self._model.phase == "deals" and each.vals.get("active") and _is_open(each)}
        lost = await lost_among(self._api, self._model, opened)
        for number in lost:
            del opened[number].vals["active"]
        return lost

    async def _on_lines(self, batch: Batch, changes: list[Change]) -> list[Change]:
        """Point changes of an order's line to it, and make drafts of invoices that are to change."""
        asked = {each.number for each in changes if each.line or each.reopened}
        if not asked:
            return changes
        lines = self._model.lines
        fields = [*(books.STATE_FIELDS if self._model.phase == "invoices" else ["state"]), lines]
        read = await self._api.call(f"list.{self._model.phase}", self._model.name, "read", ids=sorted(asked), fields=fields, load=None)
        there = {record["id"]: record for record in read}
        kept = []
        for each in changes:
            record = there.get(each.number, {lines: [], "state": ""})
            if each.line and len(record[lines]) != 1:  # people added lines: which one is ours cannot be told
                batch.answer(each.attempt_id, Sent("refused", str(each.number), f"several_lines: {lines}"))
                continue
            if record["state"] == "draft" and "state" not in _wanted(each.row):  # a person made a draft of it
                each.reopened = False
            if each.reopened and (reason := self._stays_posted(each, record)):
                batch.answer(each.attempt_id, Sent("refused", str(each.number), reason))
                continue
            if each.line:
                each.vals[lines] = [[1, record[lines][0], each.line]]
            each.was = str(record["state"])
            kept.append(each)
        return await self._as_drafts(batch, kept)

    def _stays_posted(self, change: Change, record: Mapping[str, Any]) -> str:
        """Return why an invoice has to stay as it is, as a reason code; empty where it may be changed."""
        if not record["state"]:
            return ""
        found, wanted = self._names.described.books, _wanted(change.row)
        try:
            books.refuse_unfit(self._model.phase, {**change.row.payload, **wanted}, found, self._names.company_currency)
        except Unfit as error:
            return str(error)
        return books.keeps_posted(record, found, FROZEN_WHEN_POSTED & wanted.keys())

    async def _as_drafts(self, batch: Batch, changes: list[Change]) -> list[Change]:
        """Make drafts of the invoices that have to be; returns the changes without those that Odoo keeps as they are."""
        drafts = [each.number for each in changes if each.reopened and each.was in {"posted", "cancel"}]
        faults = await self._draft(drafts, changes[0].attempt_id) if drafts else {}
        for each in changes:
            if each.number in faults:
                batch.answer(each.attempt_id, Sent("refused", str(each.number), faults[each.number]))
        return [each for each in changes if each.number not in faults]

    async def _closed_again(self, changes: Sequence[Change], faults: Mapping[int, str], attempt_id: int) -> dict[int, str]:
        """Take invoices out of the draft; those whose change was refused to where they were."""
        ends = {each.number: each.was if each.number in faults else finishing.step_of(self._model, each.row.payload) for each in changes}
        steps = {number: step for number, step in ends.items() if step in finishing.BUTTONS}
        return await finishing.finish(self._api, self._model, steps, attempt_id) if steps else {}

    async def _write(self, pairs: Sequence[tuple[int, dict[str, Any]]], attempt_id: int) -> dict[int, str]:
        """Write (id, vals) with as few calls as there are. Shape: id -> reason, of those alone that were refused."""
        same: dict[bytes, list[int]] = {}
        for number, vals in pairs:
            same.setdefault(orjson.dumps(vals, option=orjson.OPT_SORT_KEYS), []).append(number)
        faults: dict[int, str] = {}
        single: list[tuple[int, dict[str, Any]]] = []
        for text, numbers in same.items():
            vals = orjson.loads(text)
            if len(numbers) == 1 or self._model.lines in vals:
                single += [(number, vals) for number in numbers]
            else:
                faults |= await self._write_same(numbers, vals, attempt_id)
        for start in range(0, len(single), WRITE_ROWS):
            faults |= await self._write_each(single[start : start + WRITE_ROWS], attempt_id)
        return faults

    async def _write_same(self, numbers: Sequence[int], vals: Mapping[str, Any], attempt_id: int) -> dict[int, str]:
        fault = await self._ask("write", numbers, attempt_id, vals=vals)
        if fault is None:
            return {}
        if len(numbers) == 1:
            return {numbers[0]: fault.reason}
        middle = len(numbers) // 2
        first, second = numbers[:middle], numbers[middle:]
        return {**await self._write_same(first, vals, attempt_id), **await self._write_same(second, vals, attempt_id)}

    async def _write_each(self, pairs: Sequence[tuple[int, dict[str, Any]]], attempt_id: int) -> dict[int, str]:
        """Write different values to each of many records in one call, where the server can; it is one transaction."""
        is_multi = self._api.version[0] >= MULTI_SINCE
        if len(pairs) == 1 and not (is_multi and self._model.lines in pairs[0][1]):
            return await self._write_same([pairs[0][0]], pairs[0][1], attempt_id)
        if is_multi:
            # asking for the amount computes it under our context; computed later, it would leave a line in the order's chatter
            numbers, values_of, answer = [number for number, _ in pairs], [vals for _, vals in pairs], self._model.amount
            fault = await self._ask(
                "web_save_multi", numbers, attempt_id, vals_list=values_of, specification={answer: {}} if self._model.lines else {}
            )
            if fault is None:
                return {}
            if len(pairs) == 1:
                return {numbers[0]: fault.reason}
            middle = len(pairs) // 2
            first, second = pairs[:middle], pairs[middle:]
            return {**await self._write_each(first, attempt_id), **await self._write_each(second, attempt_id)}
        faults: dict[int, str] = {}
        for number, vals in pairs:
            faults |= await self._write_same([number], vals, attempt_id)
        return faults

    async def _ask(self, method: str, numbers: Sequence[int], attempt_id: int, **arguments: Any) -> Fault | None:
        operation = f"{self._model.phase}.update"
        reply = await self._api.ask(
            operation,
            self._model.name,
            method,
            ids=list(numbers),
            context=self._model.context,
            attempt_id=attempt_id,
            writes=True,
            **arguments,
        )
        if reply.fault is not None and reply.fault.kind not in NARROWABLE:
            raise error_of(operation, reply.fault)
        return reply.fault

    async def _draft(self, numbers: Sequence[int], attempt_id: int) -> dict[int, str]:
        """Make drafts. Shape: id -> reason, of those alone that Odoo refused.

        Raises: OutcomeUnknown when none of them is at fault: some may be drafts by then.
        """
        operation = f"{self._model.phase}.draft"
        reply = await self._api.ask(operation, self._model.name, "button_draft", ids=list(numbers), attempt_id=attempt_id, writes=True)
        if reply.fault is None:
            return {}
        if reply.fault.kind not in NARROWABLE:
            raise OutcomeUnknown(
                f"{operation}: Odoo refused ({reply.fault.reason}); the records are compared again before anything is sent"
            )
        if len(numbers) == 1:
            return {numbers[0]: reply.fault.reason}
        middle = len(numbers) // 2
        return {**await self._draft(numbers[:middle], attempt_id), **await self._draft(numbers[middle:], attempt_id)}


MULTI_SINCE = 19  # web_save_multi is in web/models/models.py of 19.0; of earlier versions only write is used


def _is_open(change: Change) -> bool:
    return {**change.row.payload, **_wanted(change.row)}.get("status") == "open"


def _wanted(row: WriteRow) -> Mapping[str, Any]:
    return row.payload if row.changes is None else row.changes


def _value(value: Any) -> Any:
    """Return a clean value as a command of `write`: lists replace, nothing clears."""
    if isinstance(value, list):
        return [[6, 0, value]]
    return False if value is None else value
