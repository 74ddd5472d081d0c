"""How much a client may send: bursts, searches, the day's tokens, and what happens to those who do not listen."""

from __future__ import annotations

import httpx
import pytest

from crm_pipelines.sandbox.pipedrive import PLANS, SandboxConfig
from crm_pipelines.sandbox.pipedrive.clock import Clock
from crm_pipelines.sandbox.pipedrive.config import Switches
from crm_pipelines.sandbox.pipedrive.limits import Limiter, Window
from crm_pipelines_tests.unit.sandbox.conftest import Client, Launch

PERSON = "/api/v2/persons"
LITE = SandboxConfig(token="T", plan="lite", switches=Switches(search_lag_s=0.0))


def test_window_rolls() -> None:
    window = Window(2)
    assert [window.admit(moment) for moment in (0.0, 1.0, 1.9, 2.0, 2.9, 3.0)] == [True, True, False, True, False, True]


@pytest.mark.parametrize(("plan", "api", "oauth"), [("lite", 20, 80), ("growth", 40, 160), ("premium", 100, 400), ("ultimate", 120, 480)])
def test_bursts_by_plan_and_credential(plan: str, api: int, oauth: int) -> None:
    for kind, limit in (("api", api), ("oauth", oauth)):
        limiter = Limiter(SandboxConfig(token="T", plan=plan), Clock("UTC"))
        answered = [limiter.admit(kind, 1, False, 5.0, Switches())[0] for _ in range(limit + 1)]
        assert [refusal is None for refusal in answered] == [True] * limit + [False]


@pytest.mark.parametrize(
    ("plan", "seats", "tokens"), [("lite", 1, 30_000), ("growth", 2, 120_000), ("premium", 1, 150_000), ("ultimate", 3, 630_000)]
)
def test_tokens_per_day(plan: str, seats: int, tokens: int) -> None:
    assert SandboxConfig(token="T", plan=plan, seats=seats).tokens_per_day == tokens
    assert PLANS[plan].name == plan


def test_burst_answer_says_when_to_come_back(launch: Launch) -> None:
    sandbox = launch(LITE)
    with Client(sandbox) as api:
        answers = [api.get("/v1/users/me") for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    last = answers[-1]
    assert last.json() == {
        "success": False,
        "error": "request over limit",
        "errorCode": 429,
        "error_info": "Please check developers.pipedrive.com",
    }
    assert (last.headers["x-ratelimit-limit"], last.headers["x-ratelimit-remaining"], last.headers["retry-after"]) == ("20", "0", "2")
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers[:3]] == ["19", "18", "17"]
    counts = sandbox.truth.counts()
    assert (counts["violations"], counts["tokens"]["getCurrentUser"]) == (1, 40)  # the refused request cost nothing


def test_search_has_a_window_of_its_own(launch: Launch) -> None:
    sandbox = launch(auth="oauth")
    with Client(sandbox) as api:
        answers = [api.get(f"{PERSON}/search", params={"term": "xy"}) for _ in range(11)]
        assert api.get(PERSON).status_code == 200
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    counts = sandbox.truth.counts()
    assert (counts["search_calls"], counts["search_violations"], counts["violations"]) == (10, 1, 0)


def test_the_day_runs_out_and_turns(launch: Launch) -> None:
    sandbox = launch(LITE, spent=29_990)
    with Client(sandbox) as api:
        first = api.post(PERSON, json={"name": "A"})
        assert (first.headers["x-daily-ratelimit-token-limit"], first.headers["x-daily-ratelimit-token-remaining"]) == ("30000", "5")
        assert api.post(PERSON, json={"name": "B"}).status_code == 200
        refused = api.post(PERSON, json={"name": "C"})
        assert refused.status_code == 429
        assert refused.json()["error"] == "daily request budget exceeded"
        assert abs(int(refused.headers["retry-after"]) - sandbox.truth.get("clock")["seconds_to_midnight"]) <= 2
        date = refused.headers["date"]
        sandbox.truth.next_day()
        again = api.post(PERSON, json={"name": "C"})
        assert (again.status_code, again.headers["x-daily-ratelimit-token-remaining"]) == (200, "29995")
        assert again.headers["date"] != date
    assert [row["name"] for row in sandbox.truth.live("persons")] == ["A", "B", "C"]


def test_day_ends_at_midnight_of_the_configured_zone() -> None:
    clock = Clock("America/New_York")
    clock.set_to(1_700_000_000.0)  # 2023-11-14 22:13:20 UTC, 17:13:20 in New York
    assert clock.day() == "2023-11-14"
    assert clock.seconds_to_midnight() == pytest.approx(6 * 3600 + 46 * 60 + 40, abs=2)
    clock.set_to(1_700_000_000.0 + 7 * 3600)
    assert clock.day() == "2023-11-15"
    assert clock.utc().startswith("2023-11-15T05:13")


@pytest.mark.parametrize(("is_charged", "tokens"), [(True, 10), (False, 5)])
def test_failed_calls_cost_by_switch(launch: Launch, is_charged: bool, tokens: int) -> None:
    sandbox = launch(switches={"failed_calls_cost": is_charged})
    with Client(sandbox) as api:
        api.post(PERSON, json={"nope": 1})
        api.post(PERSON, json={"name": "A"})
    assert sandbox.truth.counts()["tokens_today"] == tokens


def test_ignoring_429s_ends_at_an_html_403(launch: Launch) -> None:
    sandbox = launch(LITE, switches={"html_403_after_429s": 5, "html_403_s": 0.5})
    with Client(sandbox) as api:
        statuses = [api.get("/v1/users/me").status_code for _ in range(26)]
        blocked = api.get("/v1/users/me")
    assert statuses == [200] * 20 + [429] * 5 + [403]
    assert blocked.status_code == 403
    assert "This error is produced by Cloudflare" in blocked.text
    assert blocked.headers["content-type"].startswith("text/html")
    assert sandbox.truth.counts()["edge_blocks"] == 2


def test_undocumented_headers_can_be_missing(launch: Launch) -> None:
    with Client(launch(switches={"daily_token_headers": False, "burst_retry_after": False})) as api:
        answer: httpx.Response = api.get(PERSON)
    assert not any(name.startswith("x-daily-ratelimit") for name in answer.headers)
    assert "x-ratelimit-remaining" in answer.headers
