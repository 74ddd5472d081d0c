"""Write the rows of one phase: what is there already, what is made, changed and deleted, row by row and batch by batch.

Belongs here: which row takes which way. Not here: the calls of each way (loading, changing, deleting, finishing), the journal
(destinations.batches), values (shape).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines.destinations.batches import Batch
from crm_pipelines.destinations.odoo import books, finishing, listing
from crm_pipelines.destinations.odoo.api import Api
from crm_pipelines.destinations.odoo.binding import TAKEN, Binder
from crm_pipelines.destinations.odoo.changing import Changer
from crm_pipelines.destinations.odoo.deleting import delete
from crm_pipelines.destinations.odoo.families import Families
from crm_pipelines.destinations.odoo.handles import Handles
from crm_pipelines.destinations.odoo.loading import Line, Loader, Made, grouped
from crm_pipelines.destinations.odoo.models import PARTNER_ROWS, PEOPLE, Model
from crm_pipelines.destinations.odoo.named import spoken
from crm_pipelines.destinations.odoo.names import Names
from crm_pipelines.destinations.odoo.shape import columns_of, differs
from crm_pipelines.destinations.odoo.values import Unfit
from crm_pipelines.destinations.sending import Sent
from crm_pipelines.errors import CrmError, OutcomeUnknown
from crm_pipelines.journal import Attempt

Rows = Sequence[tuple[int, WriteRow]]
LEAST_ROWS = 25  # a batch that the server did not survive is sent in halves; below this the rows are not at fault


@dataclass
class Memory:
    """What is learnt once per connection."""

    had_ours: dict[str, bool] = field(default_factory=dict)
    """Phase -> whether records of ours may be there that this connection knows nothing of: some were before it wrote, or an answer was
    lost since, or a look-up found creates open. Then every row is looked for by its external id before `load` sees it."""
    language: str | None = None
    """The language of the company's own partner; empty where it has none."""
    families: Families = field(default_factory=Families)
    batch_rows: int = PARTNER_ROWS
    """The most that a call carries; less after one that the server did not survive."""
    handles: Handles | None = None


class Writer:
    """Sends the rows of one phase."""

    def __init__(self, api: Api, model: Model, names: Names, prefix: str, memory: Memory) -> None:
        model = _spoken(model, memory.language)
        self._api = api
        self._model = model
        self._names = names
        self._prefix = prefix
        self._memory = memory
        links = frozenset(column.name for column in model.columns.values() if column.kind == "link")
        if memory.handles is None:
            memory.handles = Handles(api, prefix)
        self._loader = Loader(api, model, prefix, links | {"tax_ids", "tax_id", *model.addresses}, memory.handles)
        self._binder = Binder(api, model, prefix)

    def attempt(self, row: WriteRow) -> Attempt:
        """Return what the journal stores before the row is sent."""
        return Attempt(row.key, row.operation, row.payload_hash, row.payload_json, row.token, 0, row.destination_id)

    @property
    def _size(self) -> int:
        return min(self._model.batch_rows, self._memory.batch_rows)

    @property
    def _changed(self) -> Model:
        """The model as it is written to: a name in the language that people see, where `load` stays in English for its messages."""
        context = {**self._model.context, **spoken(self._model, self._names.described.language)}
        return replace(self._model, context=context)

    async def send(self, batch: Batch) -> None:
        """Send one batch and say what became of each row. Raises: OutcomeUnknown, and whatever means that nothing more can be sent."""
        try:
            await self._send(batch)
        except OutcomeUnknown:
            self._memory.had_ours[self._model.phase] = True
            self._memory.batch_rows = max(LEAST_ROWS, self._size // 2)
            raise

    async def _send(self, batch: Batch) -> None:
        by_operation: dict[str, list[tuple[int, WriteRow]]] = {}
        for attempt_id, row in batch.rows:
            by_operation.setdefault(row.operation, []).append((attempt_id, row))
        if creates := by_operation.get("create"):
            await self._create(batch, creates)
        if updates := by_operation.get("update"):
            await Changer(self._api, self._changed, self._names, self._binder).change(batch, updates)
        if deletes := by_operation.get("delete"):
            await delete(self._api, self._model, batch, deletes)

    async def _create(self, batch: Batch, rows: Rows) -> None:
        fresh = await self._without_known(batch, rows) if self._memory.had_ours.get(self._model.phase, True) else rows
        lines = self._lines(batch, fresh)
        if self._model.phase == "opt_outs":
            lines = await self._without_listed(batch, lines)
        if not lines:
            return
        async with self._family(lines) as kept:
            size = self._size
            calls = [group[start : start + size] for group in grouped(kept) for start in range(0, len(group), size)]
            await self._in_calls(batch, calls)

    async def _in_calls(self, batch: Batch, calls: list[list[Line]]) -> None:
        """Load call by call. What was made is taken the rest of the way whatever happens; what was not sent is said to be absent."""
        made: list[Made] = []
        try:
            while calls:
                made += await self._load(batch, calls.pop(0))
        except CrmError as error:
            if isinstance(error, OutcomeUnknown):
                for line in (line for call in calls for line in call):
                    batch.answer(line.attempt_id, Sent("absent", None, "not_sent"))
            await self._settle(batch, made)
            raise
        await self._settle(batch, made)

    def _family(self, lines: Sequence[Line]) -> AbstractAsyncContextManager[Sequence[Line]]:
        return self._memory.families.kept(self._api, lines) if self._model.phase == "people" else nullcontext(lines)

    def _lines(self, batch: Batch, rows: Rows) -> list[Line]:
        lines = []
        for attempt_id, row in rows:
            try:
                columns = columns_of(self._model, row.payload, self._names)
                books.refuse_unfit(self._model.phase, row.payload, self._names.described.books, self._names.company_currency)
                lines.append(Line(attempt_id, row.key, columns))
            except Unfit as error:
                batch.answer(attempt_id, Sent("refused", reason=str(error)))
        return lines

    async def _load(self, batch: Batch, lines: Sequence[Line]) -> list[Made]:
        """Load lines and answer them; people are given back instead: they are whole only when all of their family are there."""
        made = await self._loader.load(lines)
        if self._model.phase == "people":
            return made
        await self._settle(batch, made)
        return []

    async def _settle(self, batch: Batch, made: Sequence[Made]) -> None:
        """Take records the rest of the way, then answer; what is answered is whole, what is not is looked up."""
        rows = dict(batch.rows)
        steps = {each.number: step for each in made if each.number and (step := self._step(each.line, rows[each.line.attempt_id].payload))}
        failed = await finishing.finish(self._api, self._model, steps, made[0].line.attempt_id) if steps else {}
        if self._model.phase == "people":
            self._memory.families.settled(each.line for each in made if each.number)
        for each in made:
            batch.answer(each.line.attempt_id, _answer(each, failed))

    def _step(self, line: Line, payload: Mapping[str, Any]) -> str | None:
        """Return what a fresh record still needs."""
        if self._model.phase == "people":
            return "active" if line.columns.get("active") is False else None
        if self._model.phase == "deals" and payload.get("status") == "won" and not line.columns.get("date_closed"):
            return "no_date_closed"  # crm_lead.py puts the moment of the import there
        return finishing.step_of(self._model, payload)

    async def _without_known(self, batch: Batch, rows: Rows) -> Rows:
        """Adopt records whose external id is there and which are as they should be; `load` would write each of them again.

        What differs waits for a person: nothing is known of who changed it.
        """
        known = await listing.ids_by_key(self._api, self._prefix, self._model, [row.key for _, row in rows])
        if not known:
            return rows
        wanted = {known[row.key]: row.payload for _, row in rows if row.key in known}
        there = await listing.payloads(self._api, self._model, sorted(wanted), self._names, list(wanted.values()))
        half = await finishing.unfinished(self._api, self._model, {number: wanted[number] for number in there})
        failed = await finishing.finish(self._api, self._model, half, rows[0][0]) if half else {}
        fresh = []
        for attempt_id, row in rows:
            number = known.get(row.key)
            if number is None or number not in there:
                fresh.append((attempt_id, row))  # never made, or its external id outlived it: `load` replaces it
                continue
            ignored = {"state"} if number in half else set()
            other = [name for name in differs(row.payload, there[number]) if name not in ignored]
            reason = failed.get(number) or f"{TAKEN}: {', '.join(sorted(other))}"
            is_same = number not in failed and not other
            batch.answer(attempt_id, Sent("adopted", str(number)) if is_same else Sent("refused", None, reason))
        return fresh

    async def _without_listed(self, batch: Batch, lines: Sequence[Line]) -> list[Line]:
        """Take out addresses that are on the blacklist already: its `create` answers those out of order (mail_blacklist.py)."""
        wanted = [str(line.columns["email"]) for line in lines]
        domain = [["email", "in", wanted]]
        there = await self._api.search_read("list.opt_outs", self._model.name, domain, ["email", "active"], context=listing.NO_ACTIVE_TEST)
        by_email = {row["email"]: row for row in there}
        fresh: dict[str, Line] = {}
        adopted: dict[int, tuple[str, int]] = {}
        for line, email in zip(lines, wanted, strict=True):
            found = by_email.get(email)
            if found is None and email not in fresh:
                fresh[email] = line
            elif found is None:
                batch.answer(line.attempt_id, Sent("refused", None, "duplicate: email"))
            elif not found["active"]:  # somebody took it off: consent is not ours to decide twice
                batch.answer(line.attempt_id, Sent("refused", None, "withdrawn: email"))
            else:
                adopted[line.attempt_id] = (line.key, found["id"])
        failed = await self._binder.bind(adopted)
        for attempt_id, (_, number) in adopted.items():
            reason = failed.get(attempt_id)
            batch.answer(attempt_id, Sent("refused", None, reason) if reason else Sent("adopted", str(number)))
        return list(fresh.values())


def _spoken(model: Model, language: str | None) -> Model:
    """Partners would get the language of the call, which is English whatever the company speaks (res_partner.py, _compute_lang)."""
    if model.name != PEOPLE.name or not language:
        return model
    return replace(model, context={**model.context, "default_lang": language})


def _answer(made: Made, failed: Mapping[int, str]) -> Sent:
    if made.number is None:
        return Sent("refused", None, made.reason)
    if made.number in failed:
        return Sent("refused", str(made.number), failed[made.number])
    return Sent("created", str(made.number))
