"""One record, one request: create, update or delete, and what the answer means.

Belongs here: the requests of single records. Not here: their order and journal (destinations.waves), their bodies (shape).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines.destinations.call import Answer, Call, Refusal
from crm_pipelines.destinations.http import HttpClient
from crm_pipelines.destinations.pipedrive.costs import COSTS
from crm_pipelines.destinations.pipedrive.entities import CREATE_ONLY, ENTITIES, Entity
from crm_pipelines.destinations.pipedrive.fields import Names
from crm_pipelines.destinations.pipedrive.shape import TooLong, body_of
from crm_pipelines.destinations.sending import Sent
from crm_pipelines.errors import OutcomeUnknown, RefusedError
from crm_pipelines.journal import Attempt

CLOSING = ("status", "won_time", "lost_time", "close_time", "lost_reason")
CLOSING_MOMENTS = frozenset({"won_time", "lost_time", "close_time"})


@dataclass
class Memory:
    """What was read of records that an update must not flatten."""

    channels: dict[str, Mapping[str, list[dict[str, Any]]]] = field(default_factory=dict)
    """Person id -> e-mails and phones with their labels."""
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)
    """(phase, id) -> visible token."""


class Writer:
    """Sends the rows of one phase."""

    def __init__(self, http: HttpClient, phase: str, names: Names, memory: Memory, *, closes_in_two_steps: bool = False) -> None:
        self._http = http
        self._entity: Entity = ENTITIES[phase]
        self._names = names
        self._memory = memory
        self.closes_in_two_steps = closes_in_two_steps
        """Learnt once: the vendor does not take a won or lost time in the create."""

    def attempt(self, row: WriteRow) -> Attempt:
        """Return what the journal stores before the row is sent."""
        cost = COSTS[f"{self._entity.phase}.{row.operation}"]
        return Attempt(row.key, row.operation, row.payload_hash, row.payload_json, row.token, cost, row.destination_id)

    async def send(self, row: WriteRow, attempt_id: int) -> Sent:
        """Send one row. Raises: OutcomeUnknown, and whatever means that nothing more can be sent."""
        if row.operation == "delete":
            return await self._delete(row, attempt_id)
        try:
            body = self._body(row)
        except TooLong as error:
            return Sent("refused", reason=str(error))
        except (ValueError, TypeError, ArithmeticError) as error:  # a payload that cannot be a record here: this row's failure alone
            return Sent("refused", reason=f"payload_shape: {type(error).__name__}")
        if row.operation == "create":
            return await self._create(body, attempt_id)
        return await self._update(row, body, attempt_id)

    def _body(self, row: WriteRow) -> dict[str, Any]:
        phase = self._entity.phase
        if row.operation == "create":
            return body_of(phase, row.payload, self._names, row.token)
        changes = {name: value for name, value in (row.changes or row.payload).items() if name not in CREATE_ONLY.get(phase, ())}
        token = self._memory.tokens.get((phase, row.destination_id or ""), row.token)
        body = body_of(phase, changes, self._names, token)
        self._keep_channel_labels(row, body)
        return body

    async def _create(self, body: Mapping[str, Any], attempt_id: int) -> Sent:
        if self._entity.phase == "deals" and CLOSING_MOMENTS & body.keys():
            return await self._create_closed(body, attempt_id)
        return _created(await self._post(body, attempt_id))

    async def _create_closed(self, body: Mapping[str, Any], attempt_id: int) -> Sent:
        """Create a won or lost deal in one request; where the vendor refuses that, create it open and close it."""
        if not self.closes_in_two_steps:
            answer = await self._post(body, attempt_id)
            if not _refuses_closing(answer.refusal):
                return _created(answer)
        made = _created(await self._post({name: value for name, value in body.items() if name not in CLOSING}, attempt_id))
        if made.destination_id is None:
            return made
        self.closes_in_two_steps = True
        return await self._close_deal(made.destination_id, body, attempt_id)

    async def _close_deal(self, deal_id: str, body: Mapping[str, Any], attempt_id: int) -> Sent:
        cost = COSTS["deals.update"]
        changes = {name: body[name] for name in CLOSING if name in body}
        try:
            answer = await self._http.send(
                Call("deals.close", "PATCH", f"{self._entity.path}/{deal_id}", cost, body=changes, attempt_id=attempt_id)
            )
        except Exception as error:  # the deal exists: only a look-up may settle this attempt, whatever went wrong
            raise OutcomeUnknown("deals.close: the deal was created, and closing it got no answer") from error
        if answer.refusal is not None:
            return Sent("refused", deal_id, f"created open, not closed: {answer.refusal.reason}", cost)
        return Sent("created", deal_id, extra_tokens=cost)

    async def _update(self, row: WriteRow, body: Mapping[str, Any], attempt_id: int) -> Sent:
        phase = self._entity.phase
        path = f"{self._entity.path}/{row.destination_id}"
        call = Call(f"{phase}.update", self._entity.update_method, path, COSTS[f"{phase}.update"], body=body, attempt_id=attempt_id)
        answer = await self._http.send(call)
        if answer.refusal is not None:
            return _refused(answer.refusal)
        return Sent("updated", row.destination_id)

    async def _delete(self, row: WriteRow, attempt_id: int) -> Sent:
        phase = self._entity.phase
        path = f"{self._entity.path}/{row.destination_id}"
        answer = await self._http.send(Call(f"{phase}.delete", "DELETE", path, COSTS[f"{phase}.delete"], attempt_id=attempt_id))
        if answer.refusal is not None and answer.status not in {404, 410}:
            return _refused(answer.refusal)
        return Sent("deleted", row.destination_id)

    async def _post(self, body: Mapping[str, Any], attempt_id: int) -> Answer:
        phase = self._entity.phase
        return await self._http.send(
            Call(f"{phase}.create", "POST", self._entity.path, COSTS[f"{phase}.create"], body=body, attempt_id=attempt_id)
        )

    def _keep_channel_labels(self, row: WriteRow, body: dict[str, Any]) -> None:
        """Arrays are replaced wholesale: an address that is there already keeps its label and its place."""
        there = self._memory.channels.get(row.destination_id or "", {}) if self._entity.phase == "people" else {}
        for name in ("emails", "phones"):
            if name in body and name in there:
                known = {str(item.get("value")).casefold(): item for item in there[name]}
                has_primary = any(item.get("primary") for item in there[name])
                body[name] = [
                    known.get(str(item["value"]).casefold()) or {**item, "primary": item["primary"] and not has_primary}
                    for item in body[name]
                ]


def _created(answer: Answer) -> Sent:
    if answer.refusal is not None:
        return _refused(answer.refusal)
    data = answer.data
    if not isinstance(data, dict) or "id" not in data:
        raise OutcomeUnknown("create: the vendor's answer holds no id")
    return Sent("created", str(data["id"]))


def _refused(refusal: Refusal) -> Sent:
    """Return a row's refusal; one for want of room is not the row's fault: nothing was made, and it is sent again when there is room."""
    if refusal.is_cap:
        room = f"the plan's limit is reached ({refusal.reason}); free some room or choose a larger plan, then run again"
        return Sent("absent", None, refusal.reason, stop=RefusedError(room))
    return Sent("refused", None, refusal.reason)


def _refuses_closing(refusal: Refusal | None) -> bool:
    """Return True for the 400 that names a closing time; whether one create may carry it is not documented."""
    if refusal is None or refusal.status != 400:
        return False
    return any(name in refusal.reason for name in CLOSING_MOMENTS) or "deal status is" in refusal.reason
