"""How Pipedrive says who may call, how fast, and no.

Belongs here: headers, status codes and error bodies, each with where it was seen. Not here: retries (destinations.http),
payloads (shape).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import httpx
import orjson

from crm_pipelines.destinations.budget import DailyMeter
from crm_pipelines.destinations.call import Answer, Call, Pacing, Refusal, Throttled
from crm_pipelines.destinations.http import MAX_SLEEP_S
from crm_pipelines.errors import DestinationError, QuotaExhausted, SettingsError, TransientError
from crm_pipelines.settings import AccountSettings

OAUTH_TOKEN_URL = "https://oauth.pipedrive.com/oauth/token"  # noqa: S105  an address; OpenAPI v1, servers of get-tokens
RENEW_AGAIN_S = 1.0  # a token that is refused right after its renewal is not renewed again: the credentials are wrong
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
BURST_PAUSE_S = 2.0  # one window
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_CODE = re.compile(r"'?\b([0-9a-f]{40})\b'?")
_VALUE = re.compile(r"\S*@\S*|\+?\d[\d\s().-]{3,}")


class PipedriveDialect:
    """Credentials, limits and verdicts of one account."""

    def __init__(self, account: AccountSettings, meter: DailyMeter) -> None:
        self.base_url = api_root(account.base_url)
        self._account = account
        self._meter = meter
        self._access = account.token
        self._refresh = account.refresh_token
        self._renewed_s = float("-inf")
        self._credentials = self._headers()
        self.field_names: dict[str, str] = {}
        """Code of a custom field -> its display name, so that a refusal can name it."""

    def headers(self) -> Mapping[str, str]:
        """Return the credentials as headers."""
        return self._credentials

    async def renew(self, client: httpx.AsyncClient, used: Mapping[str, str]) -> bool:
        """Fetch a new access token unless another call already did; False when that is not possible."""
        if used != self._credentials:
            return True
        account = self._account
        can = account.auth == "oauth" and self._refresh and account.client_id and account.client_secret
        if not can or time.monotonic() - self._renewed_s < RENEW_AGAIN_S:
            return False
        form = {"grant_type": "refresh_token", "refresh_token": self._refresh or ""}
        try:
            answer = await client.post(self._token_url(), data=form, auth=(account.client_id or "", account.client_secret or ""))
        except httpx.RequestError:
            return False
        body = _json(answer.content) if answer.status_code == 200 else None
        if not isinstance(body, dict) or "access_token" not in body:
            return False
        self._access, self._refresh = str(body["access_token"]), str(body.get("refresh_token") or self._refresh)
        self._renewed_s, self._credentials = time.monotonic(), self._headers()
        return True

    def pacing(self, headers: Mapping[str, str]) -> Pacing:
        """Read the limits. The daily headers are undocumented and may be missing after a pause."""
        return Pacing(
            burst_limit=_number(headers.get("x-ratelimit-limit")),
            burst_remaining=_number(headers.get("x-ratelimit-remaining")),
            day_limit=_number(headers.get("x-daily-ratelimit-token-limit")),
            day_remaining=_number(headers.get("x-daily-ratelimit-token-remaining")),
        )

    def judge(self, call: Call, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
        """Say what an answer means. Raises: Throttled, TransientError, SettingsError, DestinationError, QuotaExhausted."""
        body = _json(content)
        is_envelope = isinstance(body, dict) and ("success" in body or "error" in body)
        if status == 429:
            self._raise_429(call, headers, body)
        if status >= 500:
            self._raise_5xx(call, status, headers)
        if status in {401, 402}:
            self._raise_credentials(status)
        if status == 403 and not isinstance(body, dict):
            raise DestinationError(
                f"{call.operation}: Pipedrive's edge (Cloudflare) blocks this address with an HTML 403, as it does to callers that go on "
                "after 429. Nothing more was sent. Wait an hour, check that nothing else uses this token, then run again"
            )
        if not is_envelope:
            raise self._not_the_api(status)
        if 200 <= status < 300:
            return Answer(status, body, headers)
        return Answer(status, body, headers, _refusal(status, body, self.field_names))

    def _raise_429(self, call: Call, headers: Mapping[str, str], body: Any) -> None:
        pause_s = _seconds(headers.get("retry-after"))
        left = _number(headers.get("x-daily-ratelimit-token-remaining"))
        says_daily = isinstance(body, dict) and "daily" in str(body.get("error", ""))
        if says_daily or (left is not None and left < call.cost) or (pause_s or 0) > MAX_SLEEP_S:
            until = self._meter.resumes_at() if pause_s is None else self._meter.exhausted(pause_s)
            raise QuotaExhausted(
                f"{call.operation}: the account's daily API budget is spent; run again after {until:%Y-%m-%d %H:%M} UTC", until
            )
        if pause_s is None:
            pause_s = _seconds(headers.get("x-ratelimit-reset")) or BURST_PAUSE_S
        raise Throttled(f"{call.operation}: too many requests in two seconds", pause_s)

    def _raise_5xx(self, call: Call, status: int, headers: Mapping[str, str]) -> None:
        pause_s = _seconds(headers.get("retry-after"))
        if status == 503 and pause_s is not None:
            raise Throttled(f"{call.operation}: the vendor is in maintenance (503)", pause_s)
        raise TransientError(f"{call.operation}: the vendor failed ({status}); run again later")

    def _raise_credentials(self, status: int) -> None:
        if status == 402:
            raise DestinationError("Pipedrive says the account is not open (402): unpaid or closed; its owner must open it again")
        source = f"environment variable {self._account.token_env}" if self._account.token_env else "the account's token"
        what = "API token (Pipedrive: Settings > Personal preferences > API)" if self._account.auth == "api_token" else "OAuth access token"
        raise SettingsError(f"{source}: Pipedrive does not accept this {what}; set a valid one and run again")

    def _not_the_api(self, status: int) -> SettingsError:
        return SettingsError(
            f"account.base_url: {httpx.URL(self.base_url).host} answers (status {status}), but not as the Pipedrive API does; "
            "expected https://<company>.pipedrive.com"
        )

    def _headers(self) -> dict[str, str]:
        if self._account.auth == "oauth":
            return {"authorization": f"Bearer {self._access}"}
        return {"x-api-token": self._access}

    def _token_url(self) -> str:
        host = httpx.URL(self.base_url).host
        return OAUTH_TOKEN_URL if host.endswith("pipedrive.com") else f"{self.base_url}/oauth/token"


def api_root(base_url: str) -> str:
    """Return scheme and host of an account's address. Raises: SettingsError when it is no https address."""
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise SettingsError("account.base_url is no address; expected https://<company>.pipedrive.com") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise SettingsError("account.base_url: expected https://<company>.pipedrive.com")
    if url.scheme == "http" and url.host not in LOCAL_HOSTS:
        raise SettingsError("account.base_url: http would send the token in the clear; use https")
    return re.sub(r"(/api)?(/v[12])?/*$", "", base_url)


def sanitised(text: str, field_names: Mapping[str, str]) -> str:
    """Return a vendor's message without what may be a field value (quoted text, addresses, longer numbers), fields by display name."""
    named = _CODE.sub(lambda code: f"[{field_names.get(code.group(1), 'custom field')}]", text)
    return _VALUE.sub("…", _QUOTED.sub("'…'", named))[:160]


def _refusal(status: int, body: Mapping[str, Any], field_names: Mapping[str, str]) -> Refusal:
    named = body.get("code")
    code = str(named) if named else {403: "forbidden", 404: "not_found", 410: "gone"}.get(status, f"http_{status}")
    message = str(body.get("error") or body.get("message") or "")
    return Refusal(status, code, f"{code}: {sanitised(message, field_names)}", is_cap=status == 403 and "capping" in code)


def _json(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:
        return None
