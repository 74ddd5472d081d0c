"""Reads of an inspection: what the key's user may not read is remembered, not raised.

Belongs here: bulk reads that may fail one by one. Not here: what they mean (inspect_*, debris*), calls as such (api).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_pipelines.destinations.odoo.api import Api, Reply

Row = dict[str, Any]
ARCHIVED_TOO = {"active_test": False}


class Reader:
    """Reads whole models, and keeps a list of those that are closed to the key's user."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.closed: dict[str, str] = {}
        """Model -> why it could not be read."""
        self.shut: frozenset[str] = frozenset()
        """Models of which it is known beforehand: they are not asked for."""

    async def rows(
        self,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        *,
        newer: Sequence[str] = (),
        context: Mapping[str, Any] | None = None,
    ) -> list[Row]:
        """Return all records of a domain in one request; none where the model is absent or closed.

        `newer` are fields that some versions lack: without them the rest is read.
        """
        if model in self.shut:
            self.closed[model] = "no right to read"
            return []
        reply = await self._read(model, domain, [*fields, *newer], context)
        if reply.fault is not None and newer and reply.fault.kind not in {"access", "unknown_model"}:
            reply = await self._read(model, domain, fields, context)
        return self.taken(model, reply) or []

    async def count(self, model: str, domain: Sequence[Any], context: Mapping[str, Any] | None = None) -> int | None:
        """Return how many records a domain has; None where they cannot be counted."""
        reply = await self.api.ask("inspect.count", model, "search_count", domain=list(domain), context=context)
        return None if reply.fault is not None else int(reply.data)

    async def ids(self, model: str, domain: Sequence[Any], context: Mapping[str, Any] | None = None) -> set[int] | None:
        """Return the ids of a domain; None where they cannot be read."""
        reply = await self.api.ask("inspect.ids", model, "search", domain=list(domain), context=context)
        return None if reply.fault is not None else {int(number) for number in reply.data}

    def taken(self, model: str, reply: Reply) -> Any:
        """Return an answer's data; None, and remember the model as closed, where it was refused for another reason than being absent."""
        if reply.fault is None:
            return reply.data
        if reply.fault.kind != "unknown_model":
            self.closed[model] = reply.fault.reason
        return None

    async def _read(self, model: str, domain: Sequence[Any], fields: Sequence[str], context: Mapping[str, Any] | None) -> Reply:
        return await self.api.ask(
            "inspect.read", model, "search_read", context=context, domain=list(domain), fields=list(fields), order="id"
        )
