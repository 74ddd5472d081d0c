"""Who attends an appointment: the guest and the host that we invited, among others whom people added since.

Belongs here: telling ours from theirs, and changing ours alone. Not here: attendees of a new appointment (shape), when this is asked
(changing, listing).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from crm_pipelines.destinations.odoo.api import Api
from crm_pipelines.destinations.odoo.models import PEOPLE
from crm_pipelines.destinations.odoo.names import Names

FIELDS = ("user_id", "partner_ids")


async def ours_first(api: Api, records: Sequence[dict[str, Any]], names: Names) -> None:
    """Put our guest first among the attendees of each record; records without attendees stay as they are.

    Asks nothing where an appointment has one guest. Of several, the one with an external id of ours is it.
    """
    doubtful = {number for record in records for number in _several(guests_of(record, names))}
    ours: set[int] = set()
    if doubtful:
        domain = [
            ["module", "=", api.account.prefix],
            ["model", "=", PEOPLE.name],
            ["name", "=like", "people.%"],
            ["res_id", "in", sorted(doubtful)],
        ]
        ours = {int(row["res_id"]) for row in await api.search_read("list.external_ids", "ir.model.data", domain, ["res_id"])}
    for record in records:
        if _several(guests_of(record, names)):
            record["partner_ids"] = sorted(record["partner_ids"], key=lambda number: number not in ours)


def guests_of(record: Mapping[str, Any], names: Names) -> list[int]:
    """Return the attendees of whom one is our guest: neither the host nor colleagues, unless there are no others."""
    present = list(record.get("partner_ids") or [])
    host = host_of(record, names)
    others = [number for number in present if number != host]
    return [number for number in others if not names.is_user(number)] or others or present


def host_of(record: Mapping[str, Any], names: Names) -> int | None:
    """Return the partner that the host is."""
    user = record.get("user_id")
    return names.partner_of(user[0] if isinstance(user, list | tuple) else user) if user else None


def invited(record: Mapping[str, Any], vals: Mapping[str, Any], guest: int | None, names: Names) -> list[list[int]]:
    """Return commands that change our attendees with the values of an update; whom people added stays.

    `record` holds what is there, our guest first (`ours_first`); `guest` is the new one, None where it stays.
    """
    now = guests_of(record, names)[:1]
    host = host_of(record, names)
    wanted_host = host_of(vals, names) if "user_id" in vals else host
    wanted = {number for number in (guest if guest is not None else next(iter(now), None), wanted_host) if number is not None}
    gone = {number for number in (*(now if guest is not None else ()), host) if number is not None} - wanted
    present = record.get("partner_ids") or []
    return [*_commands(3, gone, set(present)), *_commands(4, wanted - set(present), wanted)]


def _commands(kind: int, numbers: Collection[int], among: Collection[int]) -> list[list[int]]:
    return [[kind, number] for number in sorted(numbers) if number in among]


def _several(guests: Sequence[int]) -> Sequence[int]:
    return guests if len(guests) > 1 else ()
