"""Operations: version, method, path, cost, handler; and finding the one a request means.

Belongs here: routing. Not here: the list itself (each entity module declares its own, `catalogue` joins them).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from crm_pipelines.sandbox.pipedrive.account import Account
from crm_pipelines.sandbox.pipedrive.answers import Answer, Refused, not_found, not_found_v1
from crm_pipelines.sandbox.pipedrive.store import Record


@dataclass(slots=True)
class Call:
    """One request as a handler sees it."""

    account: Account
    operation: Operation
    params: list[str]
    query: dict[str, str]
    body: Any
    user: Record
    files: dict[str, Upload]

    @property
    def number(self) -> int:
        """The first path parameter as an id.

        Raises: Refused 404 when it is no number.
        """
        return self.param_number(0)

    def param_number(self, index: int) -> int:
        """A path parameter as an id.

        Raises: Refused 404 when it is no number.
        """
        text = self.params[index]
        if not text.isascii() or not text.isdigit():
            raise self.not_found()
        return int(text)

    def not_found(self) -> Refused:
        """The version's own 404."""
        if self.operation.version == "v1":
            return not_found_v1("Object not found")
        return not_found(self.account.switches.not_found_code)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part of a multipart request."""

    name: str
    content: bytes


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the vendor's reference; `id` and `cost` are its operationId and x-token-cost.

    `takes_query` marks the v2 writes that have query parameters; the others refuse them.
    """

    id: str
    version: str
    method: str
    path: str
    cost: int
    handle: Handler
    is_search: bool = False
    takes_query: bool = False


_PREFIXES = (("/api/v2/", "v2"), ("/api/v1/", "v1"), ("/v1/", "v1"))  # v2 answers only below /api; migration guide


class Router:
    """Finds operations by path; a literal segment wins over a parameter."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._roots: dict[str, dict[str, Any]] = {"v1": {}, "v2": {}}
        for operation in operations:
            node = self._roots[operation.version]
            for segment in operation.path.strip("/").split("/"):
                node = node.setdefault("{}" if segment.startswith("{") else segment, {})
            node.setdefault("", {})[operation.method] = operation

    def find(self, path: str) -> tuple[dict[str, Operation] | None, list[str]]:
        """The operations of a path by method, or None; and the path's parameters."""
        prefix, version = next((known for known in _PREFIXES if path.startswith(known[0])), ("", ""))
        if not version:
            return None, []
        node, params = self._roots[version], []
        for segment in path[len(prefix) :].rstrip("/").split("/"):
            child = node.get(segment) if segment else None
            if child is None:
                child = node.get("{}")
                params.append(segment)
            if child is None:
                return None, []
            node = child
        return node.get(""), params
