"""Settle unanswered creates: list what changed since they were sent, by the vendor's clock.

Belongs here: how long to wait, since when to list, and what completes a record that was made by half. Not here: what the
journal makes of it (phases.session).
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from crm_pipelines.destinations.call import Call
from crm_pipelines.destinations.pipedrive.api import Api, Record
from crm_pipelines.destinations.pipedrive.costs import COSTS
from crm_pipelines.destinations.pipedrive.describe import field_of
from crm_pipelines.destinations.pipedrive.entities import ENTITIES
from crm_pipelines.destinations.pipedrive.listing import changed_since, key_of
from crm_pipelines.destinations.pipedrive.write import CLOSING
from crm_pipelines.errors import SettingsError, TransientError
from crm_pipelines.journal import OpenAttempt

CLOCK_MARGIN = timedelta(seconds=5)  # Date headers and update_time have a resolution of one second, latency blurs the offset
LONGEST_DWELL_S = 120.0  # from a durable intent to its request: two waves of the slowest plan, and a pause that a 429 named
SECOND_LOOK_S = 1.0  # lists are taken as current; a record that two looks do not show is taken as not made


class Lookup:
    """One look-up of the unanswered attempts of a phase."""

    def __init__(
        self, api: Api, phase: str, attempts: Sequence[OpenAttempt], opened_s: float, *, apply_within_s: float, external_id: str | None
    ) -> None:
        self._api = api
        self._phase = phase
        self._creates = [a for a in attempts if a.attempt.operation == "create"]
        self._attempts = [a for a in attempts if a.attempt.operation in ("create", "prepare")]  # an update is one request: planned anew
        self._opened_s = opened_s
        self._apply_within_s = apply_within_s
        self._external_id = external_id

    async def run(self) -> dict[int, list[str]]:
        """Return attempt id -> destination ids; waits until nothing that was sent can still be applied."""
        if not self._attempts:
            return {}
        await self._read_clock()
        await asyncio.sleep(max(0.0, self._wait_s()))
        if not self._creates:
            return {}
        code = await self._code()
        found = await self._look(code)
        if any(a.attempt.token not in found for a in self._creates):
            await asyncio.sleep(SECOND_LOOK_S)
            found = await self._look(code)
        await self._complete(found)
        return {a.attempt_id: [str(record["id"]) for record in found.get(a.attempt.token, [])] for a in self._creates}

    def _wait_s(self) -> float:
        """Seconds until everything that was sent is applied or never will be.

        Other processes are dead (they would hold the lock), so nothing of theirs left after this one opened the account; and
        nothing leaves longer after its intent than the longest dwell.
        """
        newest = max(a.sent_utc for a in self._attempts)
        age_s = (datetime.now(newest.tzinfo) - newest).total_seconds()
        now_s = time.monotonic()
        left_s = max(self._api.http.last_sent_s, min(self._opened_s, now_s - age_s + LONGEST_DWELL_S))
        return left_s + self._apply_within_s - now_s

    async def _read_clock(self) -> None:
        if not self._api.http.clock.is_known:
            await self._api.read("read.me", "/api/v1/users/me")

    def _since(self) -> datetime:
        offset = timedelta(seconds=self._api.http.clock.offset_s)
        return min(a.vendor_utc or a.sent_utc + offset for a in self._creates) - CLOCK_MARGIN

    async def _code(self) -> str | None:
        """Return the code of the external id's field, read anew: a look-up comes before everything else."""
        entity = ENTITIES[self._phase]
        if entity.mark_field:
            return None
        name = self._external_id or self._name_in_payload()
        fields = [field_of(self._phase, raw) for raw in await self._api.pages("list.fields", entity.fields_path)]
        codes = [f.code for f in fields if f.is_custom and f.name == name and f.type == "varchar"]
        if len(codes) != 1:
            raise SettingsError(
                f"{self._phase}: {len(codes)} custom fields named {name!r} in Pipedrive, expected one: "
                "unanswered requests cannot be looked up. Restore or rename the field, then run again"
            )
        return codes[0]

    def _name_in_payload(self) -> str | None:
        """Find the external id's field in the payload itself: the custom field that holds the key."""
        attempt = self._creates[0].attempt
        custom = orjson.loads(attempt.payload or b"{}").get("custom") or {}
        return next((name for name, value in custom.items() if value == attempt.token), None)

    async def _look(self, code: str | None) -> dict[str, list[Record]]:
        wanted = {a.attempt.token for a in self._creates}
        found: dict[str, list[Record]] = defaultdict(list)
        for record in await changed_since(self._api, self._phase, self._since(), code):
            key = key_of(self._phase, record, code)
            if key in wanted:
                found[str(key)].append(record)
        return found

    async def _complete(self, found: dict[str, list[Record]]) -> None:
        """Close deals that were created open and lost their second request."""
        if self._phase != "deals":
            return
        for attempt in self._creates:
            payload = orjson.loads(attempt.attempt.payload)
            for record in found.get(attempt.attempt.token, []):
                if payload.get("status", "open") != "open" and record.get("status") == "open":
                    await self._close(record, {name: payload[name] for name in CLOSING if name in payload}, attempt.attempt_id)

    async def _close(self, record: Record, changes: dict[str, Any], attempt_id: int) -> None:
        path = f"{ENTITIES['deals'].path}/{record['id']}"
        answer = await self._api.http.send(Call("deals.close", "PATCH", path, COSTS["deals.update"], body=changes, attempt_id=attempt_id))
        if answer.refusal is not None:
            raise TransientError(f"deals.close: a half-made deal could not be closed ({answer.refusal.reason}); run again")
