"""The ASGI application: credentials, limits and faults around the operations.

Belongs here: the order in which a request is judged and answered. Not here: limits, faults and operations themselves,
the control surface below /__sandbox__/ (truth).

Plain ASGI on the hot path: starlette's router and request objects would cost as much as everything else together;
starlette parses what is rare and hard (multipart forms).
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from crm_pipelines.sandbox.faults import Faults, Rule, Trouble
from crm_pipelines.sandbox.pipedrive import answers
from crm_pipelines.sandbox.pipedrive.account import Account, Served
from crm_pipelines.sandbox.pipedrive.answers import Answer, Refused
from crm_pipelines.sandbox.pipedrive.auth import Credentials
from crm_pipelines.sandbox.pipedrive.catalogue import OPERATIONS
from crm_pipelines.sandbox.pipedrive.config import SandboxConfig
from crm_pipelines.sandbox.pipedrive.limits import Headers
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation, Router, Upload
from crm_pipelines.sandbox.pipedrive.setup import open_account
from crm_pipelines.sandbox.pipedrive.truth import Truth

SLOW_CHUNKS = 10

Body = tuple[Any, dict[str, Upload]]


class Gateway:
    """One account behind one port."""

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.account = Account(config)
        self.faults = Faults()
        self.router = Router(OPERATIONS)
        self.truth = Truth(self)
        self.open()

    def open(self) -> None:
        """Fill a new account and hand out its credentials."""
        open_account(self.account)
        self.credentials = Credentials(self.config, self.account.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        raw = await _read(receive)
        if path.startswith("/__sandbox__"):
            await self._send(send, self.truth.answer(scope["method"], path, scope["query_string"], scope["headers"], raw))
            return
        trouble = self.faults.meet(scope["method"], path)
        if trouble.delay_s:
            await asyncio.sleep(trouble.delay_s / 2)
        answer = None if trouble.kind == "drop_before_commit" else await self._answer(scope, raw, trouble)
        if trouble.delay_s:
            await asyncio.sleep(trouble.delay_s / 2)
        if answer is None or trouble.kind == "drop_after_commit":
            await _hang_up(receive, send)
        elif trouble.kind == "slow_body":
            await self._send_slowly(send, answer, trouble)
        else:
            await self._send(send, answer)

    async def _answer(self, scope: Scope, raw: bytes, trouble: Trouble) -> Answer:
        if scope["path"].rstrip("/") == "/oauth/token" and scope["method"] == "POST":
            return self.credentials.refresh(scope["headers"], dict(parse_qsl(raw.decode("latin-1"))))
        kind = self.credentials.identify(scope["headers"])
        if kind is None:
            return answers.unauthorized()
        methods, params = self.router.find(scope["path"])
        operation = None if methods is None else methods.get(scope["method"])
        if operation is None:
            return answers.unknown_route() if methods is None else answers.method_not_allowed()
        if trouble.rule is None or trouble.rule.kind not in {"storm429", "error5xx"}:
            return self._admit_and_serve(operation, params, scope, await _parse(scope, raw), kind)
        if trouble.rule.is_committed:
            self._admit_and_serve(operation, params, scope, await _parse(scope, raw), kind)
        return self._fail(operation, trouble.rule, kind)

    def _fail(self, operation: Operation, rule: Rule, kind: str) -> Answer:
        """What a planted server error or 429 answers."""
        account = self.account
        if rule.kind == "storm429":
            account.limiter.strike(kind, time.monotonic())
            answer = answers.over_burst(account.switches.burst_error, account.switches.burst_retry_after)
        else:
            answer = answers.server_error(rule.status)
        if not rule.is_committed:
            self._log(operation, answer.status, 0)
        return answer

    def _admit_and_serve(self, operation: Operation, params: list[str], scope: Scope, body: Body | Refused, kind: str) -> Answer:
        account, moment = self.account, time.monotonic()
        refusal, headers = account.limiter.admit(kind, operation.cost, operation.is_search, moment, account.switches)
        if refusal is not None:
            self._log(operation, refusal.status, 0)
            refusal.headers.extend(headers)
            return refusal
        answer = self._serve(operation, params, scope, body)
        cost = operation.cost
        if answer.status >= 400 and not account.switches.failed_calls_cost:
            account.limiter.charge(-cost)
            cost = 0
        self._log(operation, answer.status, cost)
        answer.headers = headers + answer.headers
        return answer

    def _serve(self, operation: Operation, params: list[str], scope: Scope, body: Body | Refused) -> Answer:
        if isinstance(body, Refused):
            return body.answer
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)) if scope["query_string"] else {}
        user = next(iter(self.account.store.table("users").rows.values()))
        try:
            _check_write_query(operation, query)
            return operation.handle(Call(self.account, operation, params, query, body[0], user, body[1]))
        except Refused as refused:
            return refused.answer

    def _log(self, operation: Operation, status: int, cost: int) -> None:
        template = f"/api/{operation.version}{operation.path}"
        self.account.commit(Served(self.account.clock.now(), operation.id, operation.method, template, status, cost))

    async def _send(self, send: Send, answer: Answer) -> None:
        body = answer.body if isinstance(answer.body, bytes) else orjson.dumps(answer.body)
        await send(self._start(answer, len(body)))
        await send({"type": "http.response.body", "body": body})

    async def _send_slowly(self, send: Send, answer: Answer, trouble: Trouble) -> None:
        """Send the body in pieces, the rule's delay spread between them."""
        body = answer.body if isinstance(answer.body, bytes) else orjson.dumps(answer.body)
        await send(self._start(answer, len(body)))
        size = max(1, -(-len(body) // SLOW_CHUNKS))
        for place in range(0, len(body), size):
            await asyncio.sleep(trouble.delay_s / SLOW_CHUNKS)
            await send({"type": "http.response.body", "body": body[place : place + size], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _start(self, answer: Answer, length: int) -> Message:
        headers: Headers = [
            (b"date", self.account.clock.http_date()),
            (b"content-type", answer.content_type),
            (b"content-length", b"%d" % length),
            *answer.headers,
        ]
        return {"type": "http.response.start", "status": answer.status, "headers": headers}


def _check_write_query(operation: Operation, query: dict[str, str]) -> None:
    """v2 writes take no query parameters: include_fields on a write is a 400 (pipedrive-mcp, live)."""
    if query and operation.version == "v2" and operation.method != "GET" and not operation.takes_query:
        raise answers.invalid([f"{key}: Parameter '{key}' is not allowed for this request" for key in query])


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _read(receive: Receive) -> bytes:
    message = await receive()
    if not message.get("more_body"):
        return message.get("body", b"")  # type: ignore[no-any-return]
    parts = [message["body"]]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


async def _parse(scope: Scope, raw: bytes) -> Body | Refused:
    """The body as JSON or form; v2 takes JSON only."""
    if not raw:
        return {}, {}
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    is_v1 = not scope["path"].startswith("/api/v2/")
    if is_v1 and kind.startswith((b"multipart/form-data", b"application/x-www-form-urlencoded")):
        return await _parse_form(scope, raw)
    try:
        return orjson.loads(raw), {}
    except orjson.JSONDecodeError:
        return answers.bad_request_v1() if is_v1 else answers.bad_request("Request body is not valid JSON.")


async def _parse_form(scope: Scope, raw: bytes) -> Body:
    async def replay() -> Message:
        return {"type": "http.request", "body": raw, "more_body": False}

    fields: dict[str, Any] = {}
    files: dict[str, Upload] = {}
    async with Request(scope, replay).form(max_part_size=1 << 20) as form:
        for key, value in form.multi_items():
            if isinstance(value, str):
                fields[key] = value
            else:
                files[key] = Upload(value.filename or "", await value.read())
    return fields, files


async def _hang_up(receive: Receive, send: Send) -> None:
    """Close the connection without an answer, as a server does that dies.

    ASGI has no word for it; under uvicorn `send` is a method of the connection's request cycle, which knows the transport.
    """
    cycle: Any = getattr(send, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if transport is None:
        raise RuntimeError("dropping connections works under uvicorn only")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        continue
