"""Whatever is killed, ours or Odoo's, and wherever: after resuming, Odoo's PostgreSQL holds exactly the truth. No record twice, none lost.

Named failpoints stop the product by kill -9 between two instructions that matter; a relay between the product and Odoo does so the
moment Odoo has answered a named call, whichever request that is; random kills of the product and of Odoo's worker processes, in turn,
hit the rest.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from crm_pipelines_tests.lib.odoo import OdooServer
from crm_pipelines_tests.lib.rig_odoo import OdooRig

pytestmark = pytest.mark.odoo


class Relay(ThreadingHTTPServer):
    """Passes requests on to Odoo, until it answers the fatal one: then the product dies, and the answer with it."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Pass)
        self.odoo = httpx.Client(base_url=target, timeout=120)
        self.fatal = ""
        self.victim: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where the product finds it."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Pass(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece: two would wait for an acknowledgement, 40 ms each
    server: Relay

    def do_GET(self) -> None:
        self._pass()

    def do_POST(self) -> None:
        self._pass()

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        sent = {name: value for name, value in self.headers.items() if name.casefold() not in {"host", "connection", "accept-encoding"}}
        answer = self.server.odoo.request(self.command, self.path, content=body, headers=sent)
        if self.server.fatal and self.path.endswith(self.server.fatal) and self.server.victim is not None:
            self.server.victim.kill()
            self.close_connection = True
            return
        self.send_response(answer.status_code)
        for name in ("content-type", "date", "retry-after"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *said: object) -> None:
        """Say nothing."""


@contextmanager
def relay(target: str) -> Iterator[Relay]:
    """Run a relay while the block lasts."""
    with Relay(target) as one:
        thread = threading.Thread(target=one.serve_forever, daemon=True)
        thread.start()
        try:
            yield one
        finally:
            one.shutdown()
            thread.join()
            one.odoo.close()


Make = Callable[..., OdooRig]
KILLS = int(os.environ.get("CRM_TEST_KILLS", "20"))
SEVERAL_BATCHES = 1_080  # contacts: their people are more than one batch of 1,000
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
SECOND_STEPS = (  # of a first load, each answered by Odoo and heard by nobody
    "account.move/button_cancel",  # the others are drafts still
    "account.move/action_post",  # in the look-up that finishes them
)
SECOND_STEPS_OF_UPDATES = (  # of a delta
    "account.move/button_draft",  # invoices that are to change are drafts now
    "account.move/web_save_multi",  # they are changed, and drafts still
    "crm.lead/web_save_multi",  # stages moved, and Odoo put today where the closing date belongs
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


def test_killed_after_every_second_step_of_invoices_and_of_a_delta(odoo_rig: Make) -> None:
    one = odoo_rig(contacts=30, decisions={"transactions": "invoices"}, sample={"delta": True})
    with relay(one.server.base_url) as between:
        one.env["CRM_TEST_BASE_URL"] = between.url
        for call in SECOND_STEPS:
            killed_after(one, between, call)
        killed_at(one, "journal.answered_unrecorded:1")  # deals
        one.bring_delta()  # midway: they are looked up first, then changed
        for call in SECOND_STEPS_OF_UPDATES:
            killed_after(one, between, call)
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


def killed_after(one: OdooRig, between: Relay, call: str) -> None:
    """Kill a run the moment Odoo has done what a call asks and before the product can hear of it."""
    between.fatal = call
    between.victim = running = one.start_walk()
    said, _ = running.communicate(timeout=120)
    assert running.returncode == -signal.SIGKILL, f"{call} was never asked for: {said[-1000:]}"


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
