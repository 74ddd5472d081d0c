"""Finding and deleting one record of an entity, the same way for all of v2.

Belongs here: the soft delete and who may still read what it left. Not here: entity rules.
Source: S2 deleteDeal and neighbours: "Marks ... as deleted. After 30 days ... permanently deleted"; children stay
(recorded live, pipedrive-mcp cascade_test).
"""

from __future__ import annotations

from datetime import UTC, datetime

from crm_pipelines.sandbox.pipedrive.answers import Answer, ok
from crm_pipelines.sandbox.pipedrive.operations import Call
from crm_pipelines.sandbox.pipedrive.store import Record, is_deleted


def utc(moment: str) -> str:
    """An RFC 3339 moment in the form that records carry."""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_v1(moment: str) -> str:
    """A record's v2 moment as v1 writes it."""
    return moment[:10] + " " + moment[11:19]


def live_record(call: Call, table: str) -> Record:
    """The record that the path names, not deleted.

    Raises: Refused 404.
    """
    record = call.account.store.find(table, call.number)
    if record is None:
        raise call.not_found()
    return record


def readable_record(call: Call, table: str) -> Record:
    """The record that the path names; a deleted one while the switch `deleted_reads` allows.

    Raises: Refused 404.
    """
    record = call.account.store.get(table, call.number)
    if record is None or (is_deleted(record) and call.account.switches.deleted_reads == "not_found"):
        raise call.not_found()
    return record


def delete_record(call: Call, table: str) -> Answer:
    """Mark the record that the path names as deleted.

    Raises: Refused 404, also for one that is deleted already.
    """
    record = live_record(call, table)
    call.account.store.put(table, {**record, "is_deleted": True, "update_time": call.account.clock.utc()})
    return ok({"id": record["id"]})
