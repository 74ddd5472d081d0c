"""JSON-2, Odoo's API from version 19: named arguments, one transaction a call, errors as JSON.

Belongs here: what a request and an answer look like on the wire. Not here: what an error means (faults), what ends
everything (verdict), which of the two APIs is taken (api).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import orjson

from crm_pipelines.destinations.call import Answer, Call, Pacing
from crm_pipelines.destinations.odoo.faults import Asked, Reply
from crm_pipelines.destinations.odoo.verdict import Verdict
from crm_pipelines.settings import AccountSettings


class Json2:
    """Credentials, requests and verdicts of one account."""

    def __init__(self, account: AccountSettings) -> None:
        self._verdict = Verdict(account)
        self.base_url = self._verdict.base_url
        self._headers = {"authorization": f"bearer {account.token}"}
        if account.database:
            self._headers["x-odoo-database"] = account.database

    def headers(self) -> Mapping[str, str]:
        """Return the credentials as headers."""
        return self._headers

    async def renew(self, client: httpx.AsyncClient, used: Mapping[str, str]) -> bool:
        """An API key is not renewed."""
        return False

    def pacing(self, headers: Mapping[str, str]) -> Pacing:
        """Odoo tells no limits."""
        return Pacing()

    def ask(
        self,
        operation: str,
        model: str,
        verb: str,
        arguments: Mapping[str, Any],
        *,
        ids: Sequence[int] | None,
        context: Mapping[str, Any],
        attempt_id: int | None,
        writes: bool,
    ) -> Asked:
        """Return the request of one method."""
        body: dict[str, Any] = {**arguments, "context": dict(context)}
        if ids is not None:
            body["ids"] = list(ids)
        return Asked(
            operation,
            "POST",
            f"/json/2/{model}/{verb}",
            1,
            body=body,
            attempt_id=attempt_id,
            only_reads=not writes,
            model=model,
            verb=verb,
            names=names_in(arguments),
        )

    def judge(self, call: Call, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
        """Say what an answer means. Raises: Busy, Throttled, TransientError, SettingsError."""
        is_json, body = _json(content)
        if not isinstance(call, Asked):
            return self._version(call, status, headers, content, body)
        if is_json and status < 300:
            return Answer(status, Reply(data=body), headers)
        if isinstance(body, dict) and isinstance(body.get("name"), str) and "message" in body:
            return self._verdict.fault(call, status, headers, body["name"], str(body["message"]))
        return self._verdict.edge(call, status, headers, content)

    def _version(self, call: Call, status: int, headers: Mapping[str, str], content: bytes, body: Any) -> Answer:
        """`GET /web/version` is not known before 19: then another way tells."""
        if status == 429 or status >= 500:
            return self._verdict.edge(call, status, headers, content)
        return Answer(status, Reply(data=body if status < 300 else None), headers)


def names_in(arguments: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of fields that a call carries."""
    values = arguments.get("vals_list") or [arguments.get("vals") or {}]
    given = {str(name) for row in values if isinstance(row, Mapping) for name in row}
    return frozenset(given | {str(name).partition("/")[0] for name in arguments.get("fields") or ()})


def _json(content: bytes) -> tuple[bool, Any]:
    try:
        return True, orjson.loads(content)
    except orjson.JSONDecodeError:
        return False, None
