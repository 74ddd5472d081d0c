"""A writer in a process of its own, for tests that kill it.

python -m crm_pipelines_tests.conformance.ledger.writer waves URL [START]   sends and answers waves, says so after each
python -m crm_pipelines_tests.conformance.ledger.writer hold URL            takes the account, says so, waits
python -m crm_pipelines_tests.conformance.ledger.writer open URL            opens the ledger, says its secret's digest of `x`
"""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime

from crm_pipelines.journal import Allowance, Attempt, Outcome
from crm_pipelines.ledger import Ledger
from crm_pipelines_tests.conformance.ledger.conftest import ACCOUNT, ENGAGEMENT, PHASE

WAVE, COST = 50, 5
DAY = Allowance("2026-11-22", 10_000_000, 0, datetime(2026, 11, 23, tzinfo=UTC))


def start(mode: str, url: str, *rest: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "crm_pipelines_tests.conformance.ledger.writer", mode, url, *rest]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def waves(url: str, number: int) -> None:
    with Ledger.open(url) as ledger, ledger.lock(ACCOUNT, "waves") as fence:
        journal = ledger.journal(ACCOUNT, ENGAGEMENT, PHASE, 1, fence)
        say("ready")
        while True:
            wave = [Attempt(f"{number}-{i}", "create", "h", b"{}", "t", COST) for i in range(WAVE)]
            sent = journal.sending(wave, DAY)
            say(f"sent {number}")
            journal.answered([Outcome(i, a.key, "created", f"id-{a.key}") for i, a in zip(sent, wave, strict=True)])
            say(f"answered {number}")
            number += 1


def hold(url: str) -> None:
    with Ledger.open(url) as ledger, ledger.lock(ACCOUNT, "load of people, engagement acme"):
        say("held")
        time.sleep(600)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    mode, where = sys.argv[1:3]
    if mode == "waves":
        waves(where, int(sys.argv[3]))
    elif mode == "hold":
        hold(where)
    else:
        with Ledger.open(where) as opened:
            say(opened.digest("x"))
