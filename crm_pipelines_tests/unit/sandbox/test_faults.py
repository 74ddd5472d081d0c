"""Trouble on demand, as a client sees it and as the account holds it."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from crm_pipelines.sandbox.faults import Faults
from crm_pipelines.sandbox.pipedrive import RunningSandbox
from crm_pipelines_tests.unit.sandbox.conftest import Client

PERSONS = "/api/v2/persons"


def _rule(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "match": {"method": "POST", "path_prefix": PERSONS}, **more}


@pytest.mark.parametrize(("kind", "kept"), [("drop_before_commit", 0), ("drop_after_commit", 1)])
def test_dropped_connections(sandbox: RunningSandbox, api: Client, kind: str, kept: int) -> None:
    sandbox.truth.set_faults(_rule(kind, times=1))
    with pytest.raises(httpx.RemoteProtocolError):
        api.post(PERSONS, json={"name": "A"})
    assert len(sandbox.truth.live("persons")) == kept
    assert sandbox.truth.counts()["requests"].get("addPerson", 0) == kept
    assert api.post(PERSONS, json={"name": "B"}).status_code == 200
    assert sandbox.truth.clear_faults()[0]["applied"] == 1


@pytest.mark.parametrize(("is_committed", "kept"), [(False, 0), (True, 1)])
def test_server_errors_say_nothing_about_the_commit(sandbox: RunningSandbox, api: Client, is_committed: bool, kept: int) -> None:
    sandbox.truth.set_faults(_rule("error5xx", status=502, is_committed=is_committed, times=1))
    answer = api.post(PERSONS, json={"name": "A"})
    assert (answer.status_code, answer.json()["code"]) == (502, "ERR_UNKNOWN")
    assert len(sandbox.truth.live("persons")) == kept


def test_storm_of_429s(sandbox: RunningSandbox, api: Client) -> None:
    sandbox.truth.set_faults(_rule("storm429", after=1, times=2))
    answers = [api.post(PERSONS, json={"name": "A"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert answers[1].headers["retry-after"] == "2"
    assert sandbox.truth.counts()["violations"] == 0  # these were not the client's


def test_latency_and_slow_bodies(sandbox: RunningSandbox, api: Client) -> None:
    sandbox.truth.set_faults({"kind": "latency", "latency_ms": 80, "jitter_ms": 20})
    began = time.monotonic()
    api.get(PERSONS)
    assert 0.08 <= time.monotonic() - began < 0.5
    sandbox.truth.set_faults({"kind": "slow_body", "latency_ms": 200})
    began = time.monotonic()
    with api.stream("GET", PERSONS) as answer:
        headers_after = time.monotonic() - began
        assert answer.status_code == 200
        answer.read()
    assert time.monotonic() - began >= 0.2
    assert headers_after <= time.monotonic() - began
    with pytest.raises(httpx.ReadTimeout):
        api.get(PERSONS, timeout=httpx.Timeout(1, read=0.01))


def test_control_surface_is_never_hit(sandbox: RunningSandbox) -> None:
    sandbox.truth.set_faults({"kind": "drop_before_commit"})
    assert sandbox.truth.is_healthy()


def test_rules_count_and_repeat() -> None:
    faults = Faults()
    faults.set([{"kind": "error5xx", "probability": 0.5, "seed": 7}])
    first = [faults.meet("GET", "/").kind for _ in range(50)]
    faults.set([{"kind": "error5xx", "probability": 0.5, "seed": 7}])
    assert [faults.meet("GET", "/").kind for _ in range(50)] == first
    assert 10 < sum(kind is not None for kind in first) < 40
    faults.set([{"kind": "error5xx", "after": 2, "times": 1, "match": {"path_prefix": "/a"}}])
    assert [faults.meet("GET", path).kind for path in ("/a", "/b", "/a/1", "/a", "/a")] == [None, None, None, "error5xx", None]
    faults.set([{"kind": "latency", "latency_ms": 10}, {"kind": "latency", "latency_ms": 5}, {"kind": "storm429"}, {"kind": "error5xx"}])
    trouble = faults.meet("GET", "/")
    assert (trouble.delay_s, trouble.kind) == (0.015, "storm429")
    assert [rule["seen"] for rule in faults.report()] == [1, 1, 1, 0]


@pytest.mark.parametrize(
    "rule", [{"kind": "fire"}, {"match": {}}, {"kind": "latency", "ms": 5}, {"kind": "latency", "match": {"host": "x"}}]
)
def test_malformed_rules_are_refused(sandbox: RunningSandbox, rule: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="400"):
        sandbox.truth.set_faults(rule)
