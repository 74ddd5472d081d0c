"""Whatever is killed, and wherever: after resuming, the sandbox holds exactly the truth. No record twice, none lost.

Named failpoints stop the product by kill -9 between two instructions that matter; random kills with latency, dropped answers and server
errors hit the rest. `scripts/soak.py` does the same for as long as you like.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

import pytest

from crm_pipelines_tests.lib.rig import Rig

KILLS = int(os.environ.get("CRM_TEST_KILLS", "25"))
FAILPOINTS = (
    "fold",
    "prepare.between_steps:20",
    "journal.intent_durable_unsent:7",  # in prepare
    "journal.intent_durable_unsent:54",  # in a load
    "journal.committed_unanswered:30",
    "journal.committed_unanswered:75",
    "journal.answered_unrecorded:3",
    "journal.inside_wave:2",
    "gate:1",
    "gate:4",
)
TROUBLE = [
    {"kind": "latency", "latency_ms": 20, "jitter_ms": 60, "seed": 3},
    {"kind": "drop_after_commit", "match": {"method": "POST", "path_prefix": "/api/v2/"}, "probability": 0.03, "seed": 5},
    {"kind": "drop_after_commit", "match": {"method": "POST", "path_prefix": "/api/v1/notes"}, "probability": 0.03, "seed": 6},
    {"kind": "drop_before_commit", "match": {"method": "POST"}, "probability": 0.02, "seed": 7},
    {"kind": "error5xx", "probability": 0.01, "seed": 8},
]


def resume_until_done(rig: Rig, tries: int = 6) -> None:
    """Run until every gate is open; each try is a process of its own."""
    for _ in range(tries):
        done = rig.walk()
        if done.returncode == 0:
            return
    pytest.fail(f"not done after {tries} tries: {done.stdout[-2000:]} {done.stderr[-2000:]}")


def assert_is_the_truth(rig: Rig) -> None:
    found = rig.compare()
    assert found.differences == []
    assert found.records_compared == sum(len(records) for records in rig.truth["records"].values())


@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_killed_at_a_named_point(failpoint: str, rig: Callable[..., Rig]) -> None:
    one = rig(contacts=60)
    if "inside_wave" in failpoint:  # answers that come one after the other leave some in flight
        one.sandbox.truth.post("faults", [{"kind": "latency", "latency_ms": 20, "jitter_ms": 300, "seed": 3}])
    killed = one.walk(CRM_FAILPOINT=failpoint)
    assert killed.returncode == -signal.SIGKILL, f"{failpoint} was never reached: {killed.stdout[-500:]} {killed.stderr[-500:]}"
    resume_until_done(one)
    assert_is_the_truth(one)


@pytest.mark.timeout(900)
def test_killed_at_random_points_while_the_network_fails(rig: Callable[..., Rig]) -> None:
    one = rig(contacts=300, sandbox={"plan": "growth", "auth": "api"})
    one.sandbox.truth.post("faults", TROUBLE)
    chance = random.Random(20261122)
    kills = 0
    for _ in range(KILLS):
        running = one.start_walk()
        time.sleep(chance.uniform(2.0, 5.0))
        if running.poll() is None:
            running.send_signal(signal.SIGKILL)
            kills += 1
        running.communicate()
    one.sandbox.truth.post("faults", [])
    resume_until_done(one)
    print(f"{kills} kills hit a running process")  # noqa: T201 - how hard the test was
    assert kills >= KILLS * 2 // 3, "most kills came after the work was done: slow the sandbox down"
    assert_is_the_truth(one)


def test_a_second_load_on_the_account_stops_and_names_the_first(rig: Callable[..., Rig]) -> None:
    one = rig(contacts=200, sandbox={"plan": "growth", "auth": "api"})
    one.sandbox.truth.post("faults", [{"kind": "latency", "latency_ms": 40, "seed": 3}])
    first = one.start_walk()
    try:
        # Only a load is sure to hold the account: between making, confirming and loading, the lock is free for a moment.
        deadline = time.monotonic() + 90
        while not one.sandbox.truth.get("counts")["entities"]["persons"]["live"]:
            assert first.poll() is None, first.communicate()
            assert time.monotonic() < deadline, "the first load never wrote a person"
            time.sleep(0.1)
        one.sandbox.truth.post("faults", [{"kind": "latency", "latency_ms": 2000, "seed": 3}])  # it is there until it is killed
        second = one.walk()
        assert second.returncode == 3
        assert str(first.pid) in second.stdout, "the holder is named"
        assert "Traceback" not in second.stderr
    finally:
        first.kill()
        first.communicate()
    one.sandbox.truth.post("faults", [])
    resume_until_done(one)
    assert_is_the_truth(one)
