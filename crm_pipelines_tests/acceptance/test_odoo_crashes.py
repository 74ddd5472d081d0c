"""Whatever is killed, ours or Odoo's, and wherever: after resuming, Odoo's PostgreSQL holds exactly the truth. No record twice, none lost.

Named failpoints stop the product by kill -9 between two instructions that matter; random kills of the product and of Odoo's worker
processes, in turn, hit the rest.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from crm_pipelines_tests.lib.odoo import OdooServer
from crm_pipelines_tests.lib.rig_odoo import OdooRig

pytestmark = pytest.mark.odoo

Make = Callable[..., OdooRig]
KILLS = int(os.environ.get("CRM_TEST_KILLS", "20"))
SEVERAL_BATCHES = 560  # contacts: their people are more than one batch of 500
IN_TURN = (  # each run goes on where the one before it was killed
    "fold",
    "prepare.between_steps:2",
    "journal.intent_durable_unsent:1",  # in prepare
    "journal.committed_unanswered:1",  # in prepare: the fields are made, and nobody heard of it
    "gate:1",
    "journal.intent_durable_unsent:1",  # in a load: organizations
    "journal.committed_unanswered:2",  # people that are made and still archived
    "journal.answered_unrecorded:1",  # the other people
    "journal.answered_unrecorded:2",  # products
    "journal.committed_unanswered:1",  # orders: what is lost here must not get a second line
    "gate:6",
)


def resume_until_done(rig: OdooRig, tries: int = 6) -> None:
    """Run until every gate is open; each try is a process of its own."""
    for _ in range(tries):
        done = rig.walk()
        if done.returncode == 0:
            return
    pytest.fail(f"not done after {tries} tries: {done.stdout[-2000:]} {done.stderr[-2000:]}")


def assert_is_the_truth(rig: OdooRig) -> None:
    found = rig.compare()
    assert found.differences == []
    assert found.records_compared == sum(len(records) for records in rig.truth["records"].values())


def test_killed_at_every_named_point_in_turn(odoo_rig: Make) -> None:
    one = odoo_rig(contacts=60)
    for failpoint in IN_TURN:
        killed_at(one, failpoint)
    resume_until_done(one)
    assert_is_the_truth(one)


def test_killed_while_another_batch_is_under_way(odoo_rig: Make) -> None:
    one = odoo_rig(contacts=SEVERAL_BATCHES)
    killed_at(one, "journal.inside_wave")
    resume_until_done(one)
    assert_is_the_truth(one)


def killed_at(one: OdooRig, failpoint: str) -> None:
    killed = one.walk(CRM_FAILPOINT=failpoint)
    assert killed.returncode == -signal.SIGKILL, f"{failpoint} was never reached: {killed.stdout[-500:]} {killed.stderr[-500:]}"


@pytest.mark.timeout(900)
def test_killed_at_random_points_ours_and_theirs_in_turn(odoo_prefork: OdooServer, odoo_rig: Make) -> None:
    one = odoo_rig(contacts=300, server=odoo_prefork, sample={"delta": True})
    chance = random.Random(20261122)
    hits = 0
    running: subprocess.Popen[str] | None = None
    for number in range(KILLS):
        if number == KILLS // 2:
            running = ended(running)
            one.bring_delta()
        if running is None or running.poll() is not None:
            running = one.start_walk()
        time.sleep(chance.uniform(1.5, 4.0))
        hits += running.poll() is None
        if number % 2:
            os.kill(chance.choice(odoo_prefork.workers()), signal.SIGKILL)
        else:
            running = ended(running)
    ended(running)
    resume_until_done(one)
    print(f"{hits} kills hit a running load")  # noqa: T201 - how hard the test was
    assert hits >= KILLS // 2, "most kills came after the work was done: give it more to do"
    assert_is_the_truth(one)


def ended(running: subprocess.Popen[str] | None) -> None:
    """Kill a load, if one is running."""
    if running is not None:
        running.kill()
        running.communicate()
