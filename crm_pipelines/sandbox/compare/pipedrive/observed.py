"""Turn stored records into records the truth can be held against: source keys, names, plain values.

Belongs here: which stored record is whose, and its fields in the truth's words. Not here: reading (account), judging
(judge). Records without an external id or token were there before, or are somebody else's: they are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from crm_pipelines.sandbox.compare.pipedrive.account import Account, Row

TOKEN = re.compile(r"(?:<br\s*/?>){0,2}\s*\[(crm-[0-9a-z]{16})\]\s*$")
BOOKING = re.compile(r"Kartra booking ([^\s<\[]+)")
LINE_BREAK = re.compile(r"<br\s*/?>")
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)?")
PERSON_TIMES = ("add_time",)
DEAL_TIMES = ("won_time", "lost_time")


@dataclass(frozen=True)
class Observed:
    """One stored record under its source key."""

    key: str
    fields: dict[str, Any]
    token: str | None = None


def observe(account: Account) -> dict[str, list[Observed]]:
    """Return the migrated records of every phase."""
    return {
        "organizations": [_organization(account, row) for row in _ours(account, "organizations")],
        "people": [_person(account, row) for row in _ours(account, "persons")],
        "deals": [_deal(account, row) for row in _ours(account, "deals")],
        "activities": [found for row in account.records["activities"] if (found := _activity(account, row))],
        "notes": [found for row in account.records["notes"] if (found := _note(account, row))],
    }


def _ours(account: Account, entity: str) -> list[Row]:
    return [row for row in account.records[entity] if row["id"] in account.keys[entity]]


def _organization(account: Account, row: Row) -> Observed:
    fields = {
        "name": row["name"],
        "owner_id": account.user_emails.get(row.get("owner_id")),
        "add_time": _moment(row.get("add_time")),
        "label_ids": account.labels("organizations", row),
        "custom": account.custom_values("organizations", row),
    }
    return Observed(account.keys["organizations"][row["id"]], fields)


def _person(account: Account, row: Row) -> Observed:
    fields = {
        "name": row["name"],
        "emails": [_contact(one) for one in row.get("emails") or ()],
        "phones": [_contact(one) for one in row.get("phones") or ()],
        "org_id": account.key_of("organizations", row.get("org_id")),
        "owner_id": account.user_emails.get(row.get("owner_id")),
        "add_time": _moment(row.get("add_time")),
        "label_ids": account.labels("persons", row),
        "marketing_status": row.get("marketing_status"),
        "custom": account.custom_values("persons", row),
    }
    return Observed(account.keys["persons"][row["id"]], fields)


def _contact(one: Row) -> Row:
    return {"value": one.get("value"), "primary": bool(one.get("primary")), "label": one.get("label")}


def _deal(account: Account, row: Row) -> Observed:
    plain = {name: row.get(name) for name in ("title", "value", "currency", "status", "lost_reason", "expected_close_date")}
    fields = {
        **plain,
        **{name: _moment(row.get(name)) for name in DEAL_TIMES},
        "person_id": account.key_of("persons", row.get("person_id")),
        "org_id": account.key_of("organizations", row.get("org_id")),
        "owner_id": account.user_emails.get(row.get("owner_id")),
        "pipeline_id": account.pipelines.get(row.get("pipeline_id")),
        "stage_id": account.stages.get(row.get("stage_id")),
        "label_ids": account.labels("deals", row),
        "is_archived": row.get("is_archived") or None,
        "custom": account.custom_values("deals", row),
    }
    return Observed(account.keys["deals"][row["id"]], fields)


def _activity(account: Account, row: Row) -> Observed | None:
    note = row.get("note") or ""
    booking, token = BOOKING.search(note), TOKEN.search(note)
    if booking is None and token is None:
        return None
    people = sorted(row.get("participants") or (), key=lambda one: not one.get("primary"))
    location = row.get("location")
    fields = {
        **{name: row.get(name) for name in ("subject", "type", "due_date", "done")},
        "due_time": _clock(row.get("due_time")),
        "duration": _clock(row.get("duration")),
        "owner_id": account.user_emails.get(row.get("owner_id")),
        "participants": [account.key_of("persons", one["person_id"]) for one in people],
        "org_id": account.key_of("organizations", row.get("org_id")),
        "deal_id": account.key_of("deals", row.get("deal_id")),
        "location": location.get("value") if isinstance(location, dict) else location,
        "note": TOKEN.sub("", note),
    }
    return Observed(booking.group(1) if booking else f"(activity {row['id']})", fields, token.group(1) if token else None)


def _note(account: Account, row: Row) -> Observed | None:
    content = LINE_BREAK.sub("<br>", row.get("content") or "")
    token = TOKEN.search(content)
    if token is None:
        return None
    person = account.key_of("persons", row.get("person_id"))
    fields = {
        "person_id": person,
        "org_id": account.key_of("organizations", row.get("org_id")),
        "deal_id": account.key_of("deals", row.get("deal_id")),
        "content": TOKEN.sub("", content),
    }
    return Observed(person or f"(note {row['id']} without a person)", fields, token.group(1))


def _moment(value: Any) -> str | None:
    found = MOMENT.fullmatch(value) if isinstance(value, str) else None
    return f"{found.group(1)}T{found.group(2)}Z" if found else value


def _clock(value: Any) -> str | None:
    return f"{value}:00" if isinstance(value, str) and value.count(":") == 1 else value or None
