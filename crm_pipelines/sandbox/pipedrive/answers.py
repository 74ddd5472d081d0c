"""What the server says: envelopes for success, and the vendor's exact error bodies.

Belongs here: status codes and bodies. Not here: when they are said (gateway, limits, entity modules).
Source: pipedrive.readme.io core-api-concepts-responses (2025-11-11) and the recorded bodies named beside each function.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

INFO = "Please check developers.pipedrive.com"
INFO_V1 = "Please check developers.pipedrive.com for more information about Pipedrive API."


@dataclass(slots=True)
class Answer:
    """One HTTP answer; `body` is JSON-able, or bytes to send as they are."""

    status: int
    body: Any
    content_type: bytes = b"application/json; charset=utf-8"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


class Refused(Exception):
    """The request cannot be done; nothing was changed. Carries the vendor's answer."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.answer = Answer(status, body)


def ok(data: Any, status: int = 200) -> Answer:
    """Success without paging."""
    return Answer(status, {"success": True, "data": data})


def page(data: list[Any], next_cursor: str | None) -> Answer:
    """A v2 list; next_cursor is null on the last page."""
    return Answer(200, {"success": True, "data": data, "additional_data": {"next_cursor": next_cursor}})


def page_v1(data: list[Any], start: int, limit: int, has_more: bool) -> Answer:
    """A v1 list. Notes and files nest paging under `pagination` (S1 getNotes, getFiles)."""
    pagination: dict[str, Any] = {"start": start, "limit": limit, "more_items_in_collection": has_more}
    if has_more:
        pagination["next_start"] = start + limit
    return Answer(200, {"success": True, "data": data, "additional_data": {"pagination": pagination}})


def invalid(problems: list[str]) -> Refused:
    """400 for a body or query that breaks the schema. Source: client-nodejs#651, live."""
    text = "Validation failed: " + "; ".join(problems)
    return Refused(400, {"success": False, "error": text, "code": "ERR_SCHEMA_VALIDATION_FAILED"})


def bad_request(message: str) -> Refused:
    """400 for a request that breaks a rule of the business. Source: n8n#31684, live."""
    return Refused(400, {"success": False, "error": message, "code": "ERR_BAD_REQUEST"})


def bad_request_v1(message: str = "Bad request") -> Refused:
    """400 of v1. Source: client-nodejs#171 and #297, live."""
    return Refused(400, {"success": False, "error": message, "error_info": INFO_V1, "data": None, "additional_data": None})


def not_found(code: str | None) -> Refused:
    """404 of v2. Source: S2 convertLeadToDeal; whether other operations carry a `code` is open (a switch)."""
    body: dict[str, Any] = {
        "success": False, "error": "Entity was not found", "error_info": "Object was not found.", "data": None, "additional_data": None,
    }  # fmt: skip
    if code is not None:
        body["code"] = code
    return Refused(404, body)


def not_found_v1(message: str) -> Refused:
    """404 of v1. Source: S1 getUser, getLead."""
    return Refused(404, {"success": False, "error": message, "error_info": INFO_V1, "data": None, "additional_data": None})


def gone_v1(message: str) -> Refused:
    """410 of v1. Source: S1 getProductField."""
    return Refused(410, {"success": False, "error": message})


def forbidden() -> Refused:
    """403 for a missing permission. Source: S1 addUser."""
    body = {"success": False, "error": "You do not have permissions to do this.", "error_info": INFO, "data": None, "additional_data": None}
    return Refused(403, body)


def capped(message: str, code: str) -> Refused:
    """403 for a limit of the plan. Source: changelog new-error-message-and-code-for-post-deals-and-custom-fields-endpoints."""
    body = {"success": False, "error": message, "error_info": INFO_V1, "data": None, "additional_data": None, "code": code}
    return Refused(403, body)


def unauthorized() -> Answer:
    """401 of the gateway, for v1 and v2. Source: a live probe of 2026-09-26."""
    body = {"success": False, "error": "unauthorized access", "errorCode": 401, "error_info": INFO}
    return Answer(401, body, headers=[(b"x-401-by-gw", b"true")])


def over_daily_budget(retry_after_s: int) -> Answer:
    """429 when the day's tokens are spent. Source: recorded 2026-08-03; retry-after is the seconds to the reset."""
    body = {"success": False, "error": "daily request budget exceeded", "errorCode": 429, "error_info": INFO}
    return Answer(429, body, headers=[(b"retry-after", str(retry_after_s).encode())])


def over_burst(error: str, has_retry_after: bool) -> Answer:
    """429 of the rolling window. The vendor's body was not found: a proposal, switchable."""
    body = {"success": False, "error": error, "errorCode": 429, "error_info": INFO}
    return Answer(429, body, headers=[(b"retry-after", b"2")] if has_retry_after else [])


def blocked_at_edge() -> Answer:
    """403 of the edge for a client that ignores 429s: HTML, no JSON. Source: rate-limiting page, 2026-09-17."""
    html = (
        b"<!DOCTYPE html><html><head><title>Access denied</title></head><body><h1>Error 1015</h1>"
        b"<p>You are being rate limited.</p><p>This error is produced by Cloudflare.</p></body></html>"
    )
    return Answer(403, html, b"text/html; charset=UTF-8", [(b"server", b"cloudflare")])


def unknown_route() -> Answer:
    """404 for a path that is no operation."""
    return Answer(404, {"success": False, "error": "Unknown method .", "error_info": INFO_V1, "data": None, "additional_data": None})


def method_not_allowed() -> Answer:
    """405 for a known path with another method."""
    return Answer(405, {"success": False, "error": "Method not allowed", "error_info": INFO_V1, "data": None, "additional_data": None})


def server_error(status: int = 500) -> Answer:
    """5xx. Source: client-php#234, live."""
    return Answer(status, {"success": False, "error": "Internal Server Error", "code": "ERR_UNKNOWN"})
