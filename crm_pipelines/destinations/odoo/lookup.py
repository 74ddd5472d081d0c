"""Look up creates that got no answer, by their external ids; take those, and updates, that are half-done the rest of the way.

Belongs here: how long to wait, and what was found. Not here: what happens then (phases.session).

How long: `load` is idempotent by external id, and of two requests that carry the same one, PostgreSQL's unique index on
(module, name) lets the later wait for the earlier and then fail to serialize; nothing of it is applied, and the loader takes the
earlier one's records for it (loading, `_arrived`). So a create that is sent again while the first still runs makes no second
record, and a short wait is enough. Only where a request that arrives after its repetition would change the record (a second line
on an order, a contact archived again) nothing is called absent before the server cannot apply it any more. After a look-up or a
lost answer every row is looked for by external id before it is sent (write, `had_ours`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from crm_pipelines.destinations.odoo import finishing, listing
from crm_pipelines.destinations.odoo.api import Api
from crm_pipelines.destinations.odoo.models import MODELS, Model
from crm_pipelines.journal import OpenAttempt

SHORT_WAIT_S = 3.0  # a request that waited in a worker's queue when we went away begins within this time
POLL_S = 0.5


async def look_up(api: Api, phase: str, attempts: Sequence[OpenAttempt], prefix: str, apply_within_s: float) -> Mapping[int, list[str]]:
    """Return attempt id -> ids found (none or one) of creates; see Destination.lookup."""
    model = MODELS.get(phase)
    if model is None:  # steps of prepare: looked up by name when it runs again
        return {}
    await _complete_updates(api, model, attempts, apply_within_s)
    creates = [attempt for attempt in attempts if attempt.attempt.operation == "create"]
    wait_s = apply_within_s if model.lines or phase == "people" else min(SHORT_WAIT_S, apply_within_s)
    until = max((attempt.sent_utc.timestamp() for attempt in creates), default=0.0) + wait_s
    while True:
        known = await listing.ids_by_key(api, prefix, model, [attempt.attempt.key for attempt in creates])
        left_s = until - datetime.now(UTC).timestamp()
        if left_s <= 0 or all(attempt.attempt.key in known for attempt in creates):
            break
        await asyncio.sleep(min(left_s, POLL_S) if left_s > 0 else 0)
    live = await _live(api, model, list(known.values()))
    found = {attempt.attempt_id: [str(known[attempt.attempt.key])] for attempt in creates if known.get(attempt.attempt.key) in live}
    await _complete(api, model, {known[attempt.attempt.key]: attempt for attempt in creates if attempt.attempt_id in found})
    return {attempt.attempt_id: found.get(attempt.attempt_id, []) for attempt in creates}


async def _live(api: Api, model: Model, ids: Sequence[int]) -> set[int]:
    return {record["id"] for record in await listing.records(api, model, sorted(set(ids)), ["id"])}


async def _complete(api: Api, model: Model, made: Mapping[int, OpenAttempt]) -> None:
    payloads: dict[int, Mapping[str, Any]] = {
        number: orjson.loads(attempt.attempt.payload) for number, attempt in made.items() if attempt.attempt.payload
    }
    half = await finishing.unfinished(api, model, payloads)
    if half:
        await finishing.finish(api, model, half, None)


async def _complete_updates(api: Api, model: Model, attempts: Sequence[OpenAttempt], apply_within_s: float) -> None:
    """Finish updates that take several calls; whatever else they were to change is planned anew."""
    if model.phase not in finishing.CHANGED_IN_STEPS:
        return
    updates = [each for each in attempts if each.attempt.operation == "update" and each.attempt.destination_id and each.attempt.payload]
    if not updates:
        return
    until = max(each.sent_utc.timestamp() for each in updates) + apply_within_s  # a first step that arrives later would stay alone
    await asyncio.sleep(max(0.0, until - datetime.now(UTC).timestamp()))
    sent = {
        int(each.attempt.destination_id or 0): (orjson.loads(each.attempt.payload), each.vendor_utc or each.sent_utc) for each in updates
    }
    steps = await finishing.interrupted(api, model, sent)
    if steps:
        await finishing.finish(api, model, steps, None)
