"""One company's account: its config, clock, records, limits and journal, and what every entity module asks of it.

Belongs here: state that several entities share (custom field definitions, users, switches, request counters).
Not here: entity rules, HTTP.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, deque
from typing import Any

import orjson

from crm_pipelines.sandbox.pipedrive.clock import Clock
from crm_pipelines.sandbox.pipedrive.config import SandboxConfig, Switches
from crm_pipelines.sandbox.pipedrive.journal import Journal
from crm_pipelines.sandbox.pipedrive.limits import Limiter
from crm_pipelines.sandbox.pipedrive.store import Record, Store

LOG_LENGTH = 500_000


@dataclasses.dataclass(frozen=True, slots=True)
class Served:
    """One line of the request log; no bodies."""

    time: float
    operation: str
    method: str
    template: str
    status: int
    cost: int


class Account:
    """Everything behind one company domain."""

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.journal = None if config.state is None else Journal(config.state)
        self.begin()

    def begin(self) -> None:
        """Start from the config and replay the journal."""
        self.switches: Switches = self.config.switches
        self.clock = Clock(self.config.timezone)
        self.store = Store()
        self.limiter = Limiter(self.config, self.clock)
        self.requests: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.log: deque[Served] = deque(maxlen=LOG_LENGTH)
        self._definitions: dict[str, dict[str, Record]] = {}
        self._blanks: dict[str, dict[str, None]] = {}
        self._label_fields: dict[str, Record] = {}
        self._tallied = self.limiter.tally.numbers()
        self._replay()

    @property
    def is_new(self) -> bool:
        """Whether nothing has been stored yet."""
        return not self.store.tables

    def definitions(self, entity: str) -> dict[str, Record]:
        """Live custom field definitions of an entity, by field code."""
        found = self._definitions.get(entity)
        if found is None:
            rows = [r for r in self.store.table("fields").live() if r["entity"] == entity and r["is_custom_field"]]
            found = self._definitions[entity] = {row["field_code"]: row for row in rows}
            self._blanks[entity] = dict.fromkeys(found)
        return found

    def blank(self, entity: str) -> dict[str, None]:
        """Every custom field of an entity with null, as reads show them."""
        self.definitions(entity)
        return self._blanks[entity]

    def label_field(self, entity: str) -> Record:
        """The built-in field whose options are the entity's labels."""
        found = self._label_fields.get(entity)
        if found is None:
            rows = self.store.table("fields").rows.values()
            found = self._label_fields[entity] = next(r for r in rows if r["entity"] == entity and r.get("is_label"))
        return found

    def next_option_id(self) -> int:
        """A new option id; one sequence for all fields of the company."""
        counter = self.store.get("counters", "options") or {"id": "options", "value": 0}
        return int(self.store.put("counters", {"id": "options", "value": counter["value"] + 1})["value"])

    def forget_definitions(self) -> None:
        """Read definitions anew after a field changed."""
        self._definitions.clear()
        self._blanks.clear()
        self._label_fields.clear()

    def commit(self, served: Served) -> None:
        """Make the running request durable: its changes and its line in the log."""
        self._count(served)
        changes = self.store.take_pending()
        if self.journal is not None:
            line = orjson.dumps(
                [served.time, served.operation, served.method, served.template, served.status, served.cost, self.clock.day()]
            )
            self.journal.append(b'{"r":' + line + self._tally_changes() + (b',"w":[' + changes + b"]}\n" if changes else b"}\n"))

    def commit_setup(self) -> None:
        """Make changes durable that no API request made (the first records, added users)."""
        changes = self.store.take_pending()
        if self.journal is not None and changes:
            self.journal.append(b'{"w":[' + changes + b"]}\n")

    def spend(self, tokens: int) -> None:
        """Durably spend tokens that no request of ours spent."""
        self.limiter.charge(tokens)
        self._note({"s": [self.clock.day(), tokens]})

    def move_clock(self, offset_s: float) -> None:
        """Set the clock's offset, durably."""
        self.clock.offset_s = offset_s
        self.clock.set_to(self.clock.now())
        self._note({"o": offset_s})

    def set_switches(self, values: dict[str, Any]) -> None:
        """Change switches, durably."""
        self.switches = self.switches.changed(values)
        self._note({"x": values})

    def reset(self) -> None:
        """Forget everything and start as a new account."""
        if self.journal is not None:
            self.journal.clear()
        self.begin()

    def _tally_changes(self) -> bytes:
        numbers = self.limiter.tally.numbers()
        if numbers == self._tallied:
            return b""
        self._tallied = numbers
        return b',"t":' + orjson.dumps(numbers)

    def _note(self, values: dict[str, Any]) -> None:
        if self.journal is not None:
            self.journal.append(orjson.dumps(values) + b"\n")

    def _count(self, served: Served) -> None:
        self.log.append(served)
        self.requests[served.operation] += 1
        self.tokens[served.operation] += served.cost

    def _replay(self) -> None:
        if self.journal is None:
            return
        for line in self.journal.lines():
            self.store.restore(line.get("w", ()))
            if "r" in line:
                *fields, day = line["r"]
                served = Served(*fields)
                self._count(served)
                self.limiter.tally.spent_by_day[day] += served.cost
            if "t" in line:
                self.limiter.tally.restore(line["t"])
            if "s" in line:
                day, tokens = line["s"]
                self.limiter.tally.spent_by_day[day] += tokens
            if "o" in line:
                self.clock.offset_s = line["o"]
            if "x" in line:
                self.switches = self.switches.changed(line["x"])
        self._tallied = self.limiter.tally.numbers()
