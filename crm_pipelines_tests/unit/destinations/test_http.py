"""What the client makes of the wire: what is repeated, what is unknown, what stops everything, and what is never logged."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from crm_pipelines.destinations.call import Answer, Call, HeldBack
from crm_pipelines.destinations.http import Patience
from crm_pipelines.destinations.pipedrive.api import Api
from crm_pipelines.errors import CrmError, DestinationError, OutcomeUnknown, QuotaExhausted, SettingsError, TransientError
from crm_pipelines.settings import AccountSettings

TOKEN = "s3cret-token"
QUICK = Patience(attempts=4, attempts_unmet=3, first_wait_s=0.001, longest_wait_s=0.002)
ACCOUNT = AccountSettings(
    name="acme", destination="pipedrive", base_url="https://acme.pipedrive.com", token=TOKEN, token_env="ACME_TOKEN", apply_within_s=0.0
)
CREATE = Call("people.create", "POST", "/api/v2/persons", 5, body={"name": "Private Name"}, attempt_id=7)
PATCH = Call("people.update", "PATCH", "/api/v2/persons/1", 5, body={"name": "Private Name"}, attempt_id=8)
LIST = Call("list.people", "GET", "/api/v2/persons", 10)
OK = httpx.Response(200, json={"success": True, "data": {"id": 1}})


class Wire:
    """Answers each request with the next step: a response, or an error of the transport."""

    def __init__(self, *steps: httpx.Response | type[Exception]) -> None:
        self.steps = list(steps)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, httpx.Response):
            return httpx.Response(step.status_code, headers=step.headers, content=step.content)
        raise step("private detail of the wire", request=request)  # type: ignore[call-arg]


def _api(wire: Callable[[httpx.Request], httpx.Response], account: AccountSettings = ACCOUNT) -> Api:
    return Api(account, transport=lambda: httpx.MockTransport(wire), patience=QUICK)


def _send(wire: Wire, call: Call, account: AccountSettings = ACCOUNT) -> Answer:
    api = _api(wire, account)
    try:
        return api.run(api.http.send(call))
    finally:
        api.close()


def _error(status: int, headers: dict[str, str] | None = None, **body: object) -> httpx.Response:
    return httpx.Response(status, headers=headers, json={"success": False, "error": "no", **body})


HTML_403 = httpx.Response(403, headers={"content-type": "text/html"}, text="<html>This error is produced by Cloudflare</html>")
BURST = _error(429, {"retry-after": "0.01"}, errorCode=429)


@pytest.mark.parametrize(
    ("call", "steps", "requests"),
    [
        (LIST, [httpx.ReadTimeout, OK], 2),
        (LIST, [_error(500), _error(502), OK], 3),
        (LIST, [BURST, OK], 2),
        (CREATE, [httpx.ConnectError, OK], 2),
        (CREATE, [httpx.ConnectTimeout, OK], 2),
        (CREATE, [BURST, BURST, OK], 3),
        (CREATE, [_error(503, {"retry-after": "0.01"}), OK], 2),
        (PATCH, [httpx.ReadTimeout, OK], 2),
        (PATCH, [_error(500), OK], 2),
    ],
)
def test_what_is_provably_unapplied_or_harmless_is_repeated(
    call: Call, steps: list[httpx.Response | type[Exception]], requests: int
) -> None:
    wire = Wire(*steps)
    assert _send(wire, call).status == 200
    assert len(wire.requests) == requests


@pytest.mark.parametrize(
    "step", [httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.WriteError, httpx.ReadError, _error(500), _error(503)]
)
def test_a_create_that_may_have_been_applied_is_unknown_and_never_repeated(step: httpx.Response | type[Exception]) -> None:
    wire = Wire(step)
    with pytest.raises(OutcomeUnknown):
        _send(wire, CREATE)
    assert len(wire.requests) == 1


def test_an_update_whose_repeats_all_break_is_unknown() -> None:
    with pytest.raises(OutcomeUnknown):
        _send(Wire(httpx.ReadTimeout), PATCH)


def test_a_server_that_is_down_is_named_with_what_to_do() -> None:
    wire = Wire(httpx.ConnectError)
    with pytest.raises(TransientError, match=r"acme\.pipedrive\.com.*server is up") as caught:
        _send(wire, CREATE)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert len(wire.requests) == QUICK.attempts_unmet


def test_a_destination_that_never_answers_is_said_to_be_tried_again_and_the_setting_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TransientError, match=r"^account\.base_url: acme\.pipedrive\.com \(ConnectError\): no connection") as caught:
        _send(Wire(httpx.ConnectError), LIST)
    assert LIST.operation not in str(caught.value)
    assert capsys.readouterr().err == "acme.pipedrive.com does not answer; trying for about 1 s more\n", "once, after the first failure"
    _send(Wire(OK), LIST)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("response", "error", "says"),
    [
        (_error(401, errorCode=401), SettingsError, "ACME_TOKEN"),
        (HTML_403, DestinationError, "Cloudflare"),
        (_error(402), DestinationError, "unpaid"),
        (httpx.Response(404, text="<html>nginx</html>"), SettingsError, "not as the Pipedrive API"),
        (httpx.Response(200, text="<html>hello</html>"), SettingsError, "not as the Pipedrive API"),
        (httpx.Response(302, headers={"location": "https://elsewhere.example.com"}), SettingsError, "not as the Pipedrive API"),
    ],
)
def test_what_ends_the_run_is_said_clearly_and_nothing_more_is_sent(response: httpx.Response, error: type[CrmError], says: str) -> None:
    wire = Wire(response)
    api = _api(wire)
    for _ in range(3):
        with pytest.raises(error, match=says):
            api.run(api.http.send(CREATE))
    api.close()
    assert len(wire.requests) == 1


DAILY_HEADERS = {"retry-after": "3939", "x-daily-ratelimit-token-limit": "30000", "x-daily-ratelimit-token-remaining": "0"}


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(
            429, headers={"retry-after": "3939"}, json={"success": False, "error": "daily request budget exceeded", "errorCode": 429}
        ),
        _error(429, DAILY_HEADERS),
        _error(429, {"retry-after": "3939"}),
    ],
)
def test_a_spent_day_stops_at_once_and_says_when_it_goes_on(response: httpx.Response) -> None:
    wire = Wire(response)
    api = _api(wire)
    with pytest.raises(QuotaExhausted) as caught:
        api.run(api.http.send(CREATE))
    wait = caught.value.resumes_at - datetime.now(UTC)
    assert timedelta(seconds=3900) < wait <= timedelta(seconds=3939)
    with pytest.raises(QuotaExhausted):
        api.run(api.http.send(LIST))
    api.close()
    assert len(wire.requests) == 1


def test_a_refusal_is_a_value_that_holds_no_field_value() -> None:
    message = "Validation failed: emails: 'jane@example.com' is not valid; custom_fields: Unknown key '" + "ab" * 20 + "' 4155550123"
    answer = _send(Wire(_error(400, error=message, code="ERR_SCHEMA_VALIDATION_FAILED")), CREATE)
    assert answer.refusal is not None
    assert answer.refusal.code == "ERR_SCHEMA_VALIDATION_FAILED"
    assert "emails" in answer.refusal.reason
    for value in ("jane", "4155550123"):
        assert value not in answer.refusal.reason


def test_a_cap_of_the_plan_is_told_apart_from_a_missing_permission() -> None:
    cap = _send(Wire(_error(403, code="feature_capping_deals_limit")), CREATE).refusal
    permission = _send(Wire(_error(403)), CREATE).refusal
    assert cap is not None
    assert cap.is_cap
    assert permission is not None
    assert not permission.is_cap


def test_oauth_renews_an_expired_token_once_for_all_calls() -> None:
    account = AccountSettings(
        name="acme",
        destination="pipedrive",
        base_url="https://acme.pipedrive.com",
        token="old",
        auth="oauth",
        refresh_token="refresh",
        client_id="id",
        client_secret="secret",
    )
    renewals: list[str] = []

    def wire(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            assert request.url.host == "oauth.pipedrive.com"
            renewals.append(request.headers["authorization"])
            return httpx.Response(200, json={"access_token": "new", "refresh_token": "refresh2"})
        return OK if request.headers["authorization"] == "Bearer new" else _error(401, errorCode=401)

    api = _api(wire, account)

    async def many() -> list[Answer]:
        return await asyncio.gather(*(api.http.send(CREATE) for _ in range(5)))

    assert [answer.status for answer in api.run(many())] == [200] * 5
    api.close()
    assert len(renewals) == 1


def test_a_refresh_that_does_not_help_ends_in_a_clear_message() -> None:
    account = AccountSettings(
        name="a",
        destination="pipedrive",
        base_url="https://a.pipedrive.com",
        token="t",
        auth="oauth",
        refresh_token="r",
        client_id="i",
        client_secret="s",
    )
    wire = Wire(_error(401, errorCode=401))
    with pytest.raises(SettingsError, match="OAuth access token"):
        _send(wire, CREATE, account)
    assert len(wire.requests) == 2


def test_nothing_secret_and_nothing_personal_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = ""
    for step in (_error(500), httpx.ReadTimeout):
        with pytest.raises(CrmError) as caught:
            _send(Wire(step), CREATE)
        said += str(caught.value)
    for step in (OK, _error(400, error="'Private Name' is bad")):
        _send(Wire(step), CREATE)
    text = caplog.text + said
    assert "people.create attempt=7 status=" in text
    assert TOKEN not in text
    assert "Private" not in text
    assert "private detail" not in text


@pytest.mark.parametrize("base_url", ["http://acme.pipedrive.com", "acme.pipedrive.com", "ftp://acme", ""])
def test_an_address_that_would_leak_the_token_or_is_none_is_refused_before_anything_is_sent(base_url: str) -> None:
    account = AccountSettings(name="a", destination="pipedrive", base_url=base_url, token="t")
    with pytest.raises(SettingsError, match="base_url"):
        Api(account)


@pytest.mark.parametrize("suffix", ["", "/", "/api", "/api/v2", "/api/v1/", "/v1"])
def test_the_address_may_be_given_with_or_without_the_api_path(suffix: str) -> None:
    wire = Wire(OK)
    account = AccountSettings(name="a", destination="pipedrive", base_url="https://acme.pipedrive.com" + suffix, token="t")
    _send(wire, CREATE, account)
    assert str(wire.requests[0].url) == "https://acme.pipedrive.com/api/v2/persons"


def test_the_vendors_clock_is_read_from_its_answers() -> None:
    ahead = datetime.now(UTC) + timedelta(hours=3)
    date = ahead.strftime("%a, %d %b %Y %H:%M:%S GMT")
    api = _api(Wire(httpx.Response(200, headers={"date": date}, json={"success": True, "data": []})))
    api.run(api.http.send(LIST))
    api.close()
    assert abs(api.http.clock.offset_s - 3 * 3600) < 2


def test_a_drain_does_not_wait_for_a_pause_that_the_vendor_asked_for() -> None:
    wire = Wire(_error(429, {"retry-after": "50"}))
    api = _api(wire)
    begun = time.monotonic()

    async def scene() -> list[object]:
        calls = asyncio.gather(*(api.http.send(CREATE) for _ in range(5)), return_exceptions=True)
        await asyncio.sleep(0.1)
        api.http.drain(True)
        return list(await calls)

    outcomes = api.run(scene())
    api.close()
    assert all(isinstance(outcome, HeldBack) for outcome in outcomes)
    assert time.monotonic() - begun < 3


def test_a_slow_start_follows_a_429_so_that_a_storm_does_not_become_a_block() -> None:
    moments: list[float] = []

    def wire(request: httpx.Request) -> httpx.Response:
        moments.append(time.monotonic())
        return BURST if len(moments) <= 5 else OK

    api = _api(wire)

    async def scene() -> None:
        await asyncio.gather(*(api.http.send(LIST) for _ in range(5)))

    api.run(scene())
    api.close()
    assert len(moments) == 10
    assert moments[6] - moments[5] > 0.2
