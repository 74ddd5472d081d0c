"""Records in memory, by entity and id, with every change of a request journalled as one line.

Belongs here: keeping and finding records. Not here: what a record must look like (the entity modules).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

Record = dict[str, Any]

INDEXED = {
    "deal_products": ("deal_id",),
    "stages": ("pipeline_id",),
    "notes": ("person_id", "deal_id", "org_id"),
    "activities": ("person_id", "deal_id", "org_id"),
    "files": ("person_id", "deal_id", "org_id"),
    "persons": ("org_id",),
    "deals": ("person_id", "org_id"),
}

GAUGES: dict[str, Callable[[Record], bool]] = {
    "deals": lambda r: r["status"] == "open" and not r["is_deleted"] and not r["is_archived"],
    "leads": lambda r: not r["is_archived"] and not r.get("is_deleted"),
    "fields": lambda r: bool(r["is_custom_field"]) and not r.get("is_deleted"),
}


def is_deleted(record: Record) -> bool:
    """Whether a record is marked as deleted, in v2's words or in v1's."""
    return bool(record.get("is_deleted")) or record.get("active_flag") is False


class Table:
    """The records of one entity, in creation order."""

    def __init__(self, name: str) -> None:
        self.rows: dict[Any, Record] = {}
        self.order: list[Any] = []
        self.level = 0
        self._last_number = 0
        self._gauge = GAUGES.get(name)
        self._indexed = INDEXED.get(name, ())
        self._by: dict[str, dict[Any, set[Any]]] = {key: defaultdict(set) for key in self._indexed}

    def next_id(self) -> int:
        """The id that the next record gets; ids are never used twice."""
        return self._last_number + 1

    def put(self, record: Record) -> None:
        """Keep a new or changed record."""
        key = record["id"]
        before = self.rows.get(key)
        if before is None:
            self.order.append(key)
            if isinstance(key, int):
                self._last_number = max(self._last_number, key)
        if self._gauge is not None:
            self.level += self._gauge(record) - (before is not None and self._gauge(before))
        for name in self._indexed:
            self._reindex(name, key, before, record)
        self.rows[key] = record

    def live(self) -> Iterator[Record]:
        """Records that are not deleted, oldest first."""
        return (row for row in self.rows.values() if not is_deleted(row))

    def after(self, key: Any) -> Iterator[Record]:
        """All records with an id above `key`, by id."""
        return (self.rows[k] for k in self.order[bisect_right(self.order, key) :])

    def where(self, name: str, value: Any) -> list[Record]:
        """Live records whose indexed field has this value, by id."""
        return [row for key in sorted(self._by[name].get(value, ())) if not is_deleted(row := self.rows[key])]

    def _reindex(self, name: str, key: Any, before: Record | None, record: Record) -> None:
        if before is not None:
            if before.get(name) == record.get(name):
                return
            self._by[name][before.get(name)].discard(key)
        self._by[name][record.get(name)].add(key)


class Store:
    """All tables; changes wait in `pending` until the request commits."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.pending: list[bytes] = []

    def table(self, name: str) -> Table:
        """The table of an entity, made on first use."""
        table = self.tables.get(name)
        if table is None:
            table = self.tables[name] = Table(name)
        return table

    def get(self, name: str, key: Any) -> Record | None:
        """A record, deleted or not, or None."""
        return self.table(name).rows.get(key)

    def find(self, name: str, key: Any) -> Record | None:
        """A live record, or None."""
        record = self.table(name).rows.get(key)
        return None if record is None or is_deleted(record) else record

    def put(self, name: str, record: Record) -> Record:
        """Keep a new or changed record as part of the running request."""
        self.table(name).put(record)
        self.pending.append(orjson.dumps([name, record]))
        return record

    def put_all(self, name: str, records: Iterable[Record]) -> None:
        """Keep several records as part of the running request."""
        for record in records:
            self.put(name, record)

    def restore(self, changes: Iterable[tuple[str, Record]]) -> None:
        """Replay journalled changes without journalling them again."""
        for name, record in changes:
            self.table(name).put(record)

    def take_pending(self) -> bytes:
        """The running request's changes as the inside of a JSON array; afterwards there are none."""
        if not self.pending:
            return b""
        changes = b",".join(self.pending)
        self.pending.clear()
        return changes
