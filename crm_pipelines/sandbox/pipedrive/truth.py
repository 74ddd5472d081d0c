"""The control surface below /__sandbox__/: what the account really holds and was really asked, and its knobs.

Belongs here: reading the truth, setting faults, clock and switches. Not here: anything the vendor has.
Every request needs the header x-sandbox-token.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from crm_pipelines.sandbox.pipedrive import fields, users, webhooks
from crm_pipelines.sandbox.pipedrive.answers import Answer
from crm_pipelines.sandbox.pipedrive.config import SandboxUser
from crm_pipelines.sandbox.pipedrive.store import is_deleted

if TYPE_CHECKING:
    from crm_pipelines.sandbox.pipedrive.gateway import Gateway

ENTITIES = (
    "users", "organizations", "persons", "products", "deals", "deal_products", "activities", "notes", "files", "leads", "fields",
    "activity_types", "pipelines", "stages", "lead_labels", "currencies", "webhooks",
)  # fmt: skip


class Truth:
    """Answers below /__sandbox__/."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._routes: dict[tuple[str, str], Callable[[dict[str, str], Any], Any]] = {
            ("GET", "health"): lambda query, body: {"ok": True},
            ("GET", "counts"): self._counts,
            ("GET", "fields"): self._fields,
            ("GET", "requests"): self._requests,
            ("GET", "faults"): lambda query, body: self._gateway.faults.report(),
            ("POST", "faults"): self._set_faults,
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._move_clock,
            ("POST", "reset"): self._reset,
            ("GET", "switches"): self._switches,
            ("POST", "switches"): self._set_switches,
            ("POST", "users"): self._add_user,
            ("POST", "webhooks"): self._add_webhook,
        }

    def answer(self, method: str, path: str, query: bytes, headers: list[tuple[bytes, bytes]], raw: bytes) -> Answer:
        """Answer one control request."""
        given = next((value for name, value in headers if name == b"x-sandbox-token"), b"")
        if not secrets.compare_digest(given, self._gateway.config.sandbox_token.encode()):
            return Answer(401, {"error": "x-sandbox-token is missing or wrong"})
        name = path.removeprefix("/__sandbox__").strip("/")
        if method == "GET" and name.startswith("records/"):
            return self._records(name.removeprefix("records/"))
        route = self._routes.get((method, name))
        if route is None:
            return Answer(404, {"error": "no such control; see crm_pipelines/sandbox/pipedrive/truth.py"})
        try:
            return Answer(200, route(dict(parse_qsl(query.decode())), orjson.loads(raw) if raw else {}))
        except (ValueError, TypeError, KeyError, AttributeError) as error:  # a malformed control request, told to the tester
            return Answer(400, {"error": str(error)})

    def _records(self, entity: str) -> Answer:
        """Every record as stored, deleted ones with deleted: true."""
        if entity not in ENTITIES:
            return Answer(404, {"error": f"no entity named {entity!r}; there are {', '.join(ENTITIES)}"})
        rows = [{**row, "deleted": is_deleted(row)} for row in self._gateway.account.store.table(entity).rows.values()]
        return Answer(200, [{k: v for k, v in row.items() if k != "content_base64"} for row in rows])

    def _counts(self, query: dict[str, str], body: Any) -> dict[str, Any]:
        account = self._gateway.account
        entities = {}
        for name in ENTITIES:
            table = account.store.table(name)
            live = sum(1 for _ in table.live())
            entities[name] = {"live": live, "deleted": len(table.rows) - live}
        tally = account.limiter.tally
        return {
            "entities": entities,
            "requests": dict(account.requests),
            "tokens": dict(account.tokens),
            "tokens_total": account.tokens.total(),
            "tokens_by_day": dict(tally.spent_by_day),
            "tokens_today": account.limiter.spent,
            "tokens_per_day": account.config.tokens_per_day,
            "violations": tally.violations,
            "search_violations": tally.search_violations,
            "daily_refusals": tally.daily_refusals,
            "edge_blocks": tally.edge_blocks,
            "search_calls": tally.search_calls,
        }

    def _fields(self, query: dict[str, str], body: Any) -> dict[str, Any]:
        account = self._gateway.account
        return {entity: fields.of_entity(account, entity) for entity in fields.ENTITIES}

    def _requests(self, query: dict[str, str], body: Any) -> list[dict[str, Any]]:
        since = _moment(query["since"]) if "since" in query else 0.0
        return [
            {"time": s.time, "operation": s.operation, "method": s.method, "path": s.template, "status": s.status, "cost": s.cost}
            for s in self._gateway.account.log
            if s.time >= since
        ]

    def _set_faults(self, query: dict[str, str], body: Any) -> Any:
        self._gateway.faults.set(body)
        return self._gateway.faults.report()

    def _clear_faults(self, query: dict[str, str], body: Any) -> Any:
        report = self._gateway.faults.report()
        self._gateway.faults.clear()
        return report

    def _clock(self, query: dict[str, str], body: Any) -> dict[str, Any]:
        clock = self._gateway.account.clock
        return {"now": clock.utc(), "day": clock.day(), "offset_s": clock.offset_s, "seconds_to_midnight": clock.seconds_to_midnight()}

    def _move_clock(self, query: dict[str, str], body: Any) -> dict[str, Any]:
        """Move by advance_s, to offset_s, to a moment (set) or to the next day (next_day: true)."""
        account = self._gateway.account
        if body.get("next_day"):
            account.clock.next_day()
        elif "set" in body:
            account.clock.set_to(_moment(body["set"]))
        elif "advance_s" in body:
            account.clock.offset_s += float(body["advance_s"])
        else:
            account.clock.offset_s = float(body["offset_s"])
        account.move_clock(account.clock.offset_s)
        return self._clock(query, body)

    def _reset(self, query: dict[str, str], body: Any) -> dict[str, Any]:
        self._gateway.faults.clear()
        self._gateway.account.reset()
        self._gateway.open()
        return {"ok": True}

    def _switches(self, query: dict[str, str], body: Any) -> Any:
        return self._gateway.account.switches

    def _set_switches(self, query: dict[str, str], body: Any) -> Any:
        self._gateway.account.set_switches(body)
        return self._gateway.account.switches

    def _add_user(self, query: dict[str, str], body: Any) -> Any:
        account = self._gateway.account
        record = users.make_user(account, SandboxUser(**body))
        account.commit_setup()
        return record

    def _add_webhook(self, query: dict[str, str], body: Any) -> Any:
        """Add a webhook that no request of the API can make: one of an automation, a disabled one."""
        account = self._gateway.account
        record = webhooks.make_webhook(account, body)
        account.commit_setup()
        return record


def _moment(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return datetime.fromisoformat(value).timestamp()
