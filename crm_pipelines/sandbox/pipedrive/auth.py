"""Who is asking: API tokens in x-api-token, OAuth access tokens in Authorization, and refreshing those.

Belongs here: credentials and their expiry. Not here: what a credential may send (limits).
Source: S1/S2 securitySchemes; S1 refresh-tokens; `?api_token=` is no longer documented and not accepted.
"""

from __future__ import annotations

import base64
import binascii
import secrets

from crm_pipelines.sandbox.pipedrive.answers import Answer
from crm_pipelines.sandbox.pipedrive.clock import Clock
from crm_pipelines.sandbox.pipedrive.config import SandboxConfig

RawHeaders = list[tuple[bytes, bytes]]


class Credentials:
    """The account's API token and the OAuth tokens of one app."""

    def __init__(self, config: SandboxConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._token = config.token.encode()
        self._expires_at: dict[str, float] = {}
        if config.auth == "oauth":
            self._expires_at[config.token] = clock.now() + config.access_ttl_s

    def identify(self, headers: RawHeaders) -> str | None:
        """The kind of the credential that a request carries, "api" or "oauth"; None when it has no valid one."""
        for name, value in headers:
            if name == b"x-api-token":
                return "api" if self._config.auth == "api" and secrets.compare_digest(value, self._token) else None
            if name == b"authorization" and value[:7].lower() == b"bearer ":
                expires_at = self._expires_at.get(value[7:].decode("latin-1"), 0.0)
                return "oauth" if self._clock.now() < expires_at else None
        return None

    def refresh(self, headers: RawHeaders, form: dict[str, str]) -> Answer:
        """POST /oauth/token with grant_type=refresh_token: a new access token; the refresh token stays."""
        if not self._is_app(headers):
            return _refused("invalid_client")
        if form.get("grant_type") != "refresh_token":
            return _refused("unsupported_grant_type")
        if form.get("refresh_token") != self._config.refresh_token:
            return _refused("invalid_grant")
        token = secrets.token_hex(20)
        self._expires_at[token] = self._clock.now() + self._config.access_ttl_s
        body = {
            "access_token": token, "token_type": "Bearer", "refresh_token": self._config.refresh_token,
            "scope": "base,deals:full,contacts:full,admin", "expires_in": self._config.access_ttl_s,
            "api_domain": f"http://{self._config.host}:{self._config.port}",
        }  # fmt: skip
        return Answer(200, body)

    def _is_app(self, headers: RawHeaders) -> bool:
        value = next((value for name, value in headers if name == b"authorization"), b"")
        if value[:6].lower() != b"basic ":
            return False
        try:
            pair = base64.b64decode(value[6:], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        return secrets.compare_digest(pair.encode(), f"{self._config.client_id}:{self._config.client_secret}".encode())


def _refused(error: str) -> Answer:
    status = 401 if error == "invalid_client" else 400
    return Answer(status, {"success": False, "error": error, "message": error.replace("_", " ").capitalize()})
