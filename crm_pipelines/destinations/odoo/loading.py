"""Creates: `load(fields, data)` in batches, narrowed until every good row is in and each bad one has its reason.

Belongs here: the table that `load` takes, its messages, and bisection. Not here: what a row holds (shape), what comes after a
record is made (finishing), the journal (destinations.batches).

`load` is one transaction: rows and external ids together, or nothing. It names bad rows by number, ten at a time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_pipelines.destinations.odoo.api import Api, Fault, Reply, error_of
from crm_pipelines.destinations.odoo.faults import Asked, classify
from crm_pipelines.destinations.odoo.handles import Handles
from crm_pipelines.destinations.odoo.keys import external_id
from crm_pipelines.destinations.odoo.listing import ids_by_key
from crm_pipelines.destinations.odoo.models import Model
from crm_pipelines.destinations.odoo.values import cell
from crm_pipelines.errors import DestinationError, TransientError

DEFAULTED = frozenset({"stage_id", "type", "state", "date_order", "active", "probability", "date_closed"})
"""Columns for which an empty cell says something else than no column: rows with and without them travel apart."""
NARROWABLE = frozenset({"data", "gone"})
"""Kinds of faults that some row of the batch caused."""
MESSAGES = (
    ("not found in selection field", "unknown_option"),
    ("does not seem to be a valid date", "bad_date"),
    ("does not seem to be a number", "not_number"),
    ("No matching record found", "link_to_nothing"),
    ("Unknown value '", "not_boolean"),
    ("Invalid database id", "link_to_nothing"),
)
"""What `load` says (ir_fields.py) -> code."""
BUSY = ("could not serialize access", "deadlock detected", "could not obtain lock")
"""PostgreSQL's words when others wrote the same rows: `load` swallows that error and blames rows for it (models.py, flush)."""
BUSY_TRIES = 6
BUSY_PAUSE_S = 0.3
_FIELD = re.compile(r"[a-z_][a-z0-9_./]{0,80}")


@dataclass(frozen=True)
class Line:
    """One record to be made."""

    attempt_id: int
    key: str
    columns: Mapping[str, Any]
    """Technical field -> clean value."""


@dataclass(frozen=True)
class Made:
    """What became of a line: an id, or a reason."""

    line: Line
    number: int | None
    reason: str = ""


class Loader:
    """Loads lines of one phase."""

    def __init__(self, api: Api, model: Model, prefix: str, links: frozenset[str], handles: Handles) -> None:
        self._api = api
        self._handles = handles
        self._model = model
        self._prefix = prefix
        self._links = links

    async def load(self, lines: Sequence[Line]) -> list[Made]:
        """Create records of lines with the same set of `DEFAULTED` columns; one answer per line, in no order.

        Raises: OutcomeUnknown when no answer came; SettingsError, DestinationError when nothing more can be sent.
        """
        made: list[Made] = []
        left = list(lines)
        tries = 0
        while left:
            reply = await self._ask(left)
            if reply.fault is not None:
                return made + await self._halves(left, reply.fault)
            ids, messages = _result(reply.data)
            if ids is not None:
                if len(ids) != len(left):
                    raise DestinationError(f"{self._model.phase}.create: Odoo made another number of records than were sent")
                return made + [Made(line, number) for line, number in zip(left, ids, strict=True)]
            if _is_busy(messages):
                tries += 1
                made, left = await self._arrived(made, left, tries)
                continue
            bad = self._named(left, messages)
            if not bad:
                return made + await self._halves(left, Fault("data", "load", "refused_by_rule: " + self._model.name))
            made += [Made(left[index], None, reason) for index, reason in bad.items()]
            left = [line for index, line in enumerate(left) if index not in bad]
        return made

    async def _arrived(self, made: list[Made], left: Sequence[Line], tries: int) -> tuple[list[Made], list[Line]]:
        """Take out what another request made meanwhile: of two with the same external id one is rolled back, and sent again it would
        write the other's records anew, with a second line on every order."""
        if tries >= BUSY_TRIES:
            raise TransientError(f"{self._model.phase}.create: others kept writing to the same records; run again")
        await asyncio.sleep(BUSY_PAUSE_S * tries)
        known = await ids_by_key(self._api, self._prefix, self._model, [line.key for line in left])
        there = [Made(line, known[line.key]) for line in left if line.key in known]
        return made + there, [line for line in left if line.key not in known]

    async def _halves(self, lines: Sequence[Line], fault: Fault) -> list[Made]:
        """Narrow a failure that names no row."""
        if fault.kind not in NARROWABLE:
            raise error_of(f"{self._model.phase}.create", fault)
        if len(lines) == 1:
            return [Made(lines[0], None, fault.reason)]
        middle = len(lines) // 2
        return await self.load(lines[:middle]) + await self.load(lines[middle:])

    async def _ask(self, lines: Sequence[Line]) -> Reply:
        names = sorted({name for line in lines for name in line.columns})
        handles = await self._handles.of([line.columns for line in lines])
        cells = [[_cell(line.columns.get(name), handles.get(name)) for name in names] for line in lines]
        keys = [external_id(self._prefix, self._model.phase, line.key) for line in lines]
        return await self._api.ask(
            f"{self._model.phase}.create",
            self._model.name,
            "load",
            fields=["id", *(self._header(name, name in handles) for name in names)],
            data=[[key, *row] for key, row in zip(keys, cells, strict=True)],
            context=self._model.context,
            attempt_id=lines[0].attempt_id,
            writes=True,
        )

    def _header(self, name: str, by_handle: bool) -> str:
        """Links go by id: a name could be found twice."""
        if name.rpartition("/")[2] not in self._links:
            return name
        return f"{name}/id" if by_handle else f"{name}/.id"

    def _named(self, lines: Sequence[Line], messages: Sequence[Mapping[str, Any]]) -> dict[int, str]:
        """Return index of a line -> reason.

        When several rows fail, Odoo puts the first row in front of the list with the text of the whole batch's failure, guilty
        or not (models.py, load: `global_error_message`); if it is guilty, the next round says so.
        """
        errors = [message for message in messages if message.get("type") == "error"]
        named = [(_row_of(message), message) for message in errors]
        if len(named) > 1 and named[0][0] == 0 and "field" not in named[0][1] and any(row not in {0, None} for row, _ in named):
            named = named[1:]
        return {row: self._reason(message) for row, message in reversed(named) if row is not None and row < len(lines)}

    def _reason(self, message: Mapping[str, Any]) -> str:
        """Return a code and a field's name; the message itself holds the value."""
        text = str(message.get("message") or "")
        field = str(message.get("field") or "")
        for words, code in MESSAGES:
            if words in text:
                return f"{code}: {field}" if _FIELD.fullmatch(field) else code
        asked = Asked(f"{self._model.phase}.create", "POST", "", 0, model=self._model.name, verb="load")
        fault = classify("odoo.exceptions.ValidationError", text, asked)
        return fault.reason if fault is not None else f"refused_by_rule: {self._model.name}"


def _cell(value: Any, handles: Mapping[int, str] | None) -> str:
    if handles is None or value is None:
        return cell(value)
    return ",".join(handles[number] for number in (value if isinstance(value, list) else [value]))


def grouped(lines: Sequence[Line]) -> list[list[Line]]:
    """Return lines that may travel in one call together."""
    groups: dict[frozenset[str], list[Line]] = {}
    for line in lines:
        groups.setdefault(DEFAULTED.intersection(line.columns), []).append(line)
    return list(groups.values())


def _result(data: Any) -> tuple[list[int] | None, Sequence[Mapping[str, Any]]]:
    if not isinstance(data, Mapping):
        raise DestinationError("load: expected ids and messages in Odoo's answer; run again, and report it if it happens twice")
    ids = data.get("ids")
    return (ids if isinstance(ids, list) else None), data.get("messages") or []


def _is_busy(messages: Sequence[Mapping[str, Any]]) -> bool:
    return any(words in str(message.get("message")) for message in messages for words in BUSY)


def _row_of(message: Mapping[str, Any]) -> int | None:
    rows = message.get("rows")
    number = rows.get("from") if isinstance(rows, Mapping) else message.get("record")
    return number if isinstance(number, int) else None
