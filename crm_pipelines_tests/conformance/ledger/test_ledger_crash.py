"""kill -9 while waves are committed: what was acknowledged is there, and no wave is torn."""

from __future__ import annotations

import random
from collections import Counter
from threading import Timer

from crm_pipelines.ledger import Ledger
from crm_pipelines_tests.conformance.ledger.conftest import ACCOUNT, ENGAGEMENT, PHASE
from crm_pipelines_tests.conformance.ledger.writer import COST, DAY, WAVE, start

KILLS = 5


def test_acknowledged_waves_survive_kills_and_none_is_torn(url: str) -> None:
    chance = random.Random(20261122)
    sent: set[int] = set()
    answered: set[int] = set()
    for kill in range(KILLS):
        lines = _killed_after(url, kill * 10_000, chance.uniform(0.02, 0.25))
        sent |= {int(line.split()[1]) for line in lines if line.startswith("sent")}
        answered |= {int(line.split()[1]) for line in lines if line.startswith("answered")}
        _check(url, sent, answered)
    assert len(answered) >= KILLS, "the writer was killed before it did anything: the test proved nothing"


def _killed_after(url: str, first: int, seconds: float) -> list[str]:
    """Return what the writer said before it was killed; a last line without its end was never said."""
    with start("waves", url, str(first)) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        Timer(seconds, writer.kill).start()
        said = writer.stdout.read()
        writer.wait()
    return said.split("\n")[:-1]


def _check(url: str, sent: set[int], answered: set[int]) -> None:
    with Ledger.open(url) as ledger, ledger.lock(ACCOUNT, "check"):
        stored = Counter(int(key.split("-")[0]) for key in ledger.ids(ACCOUNT, ENGAGEMENT, PHASE))
        unknown = Counter(int(found.attempt.key.split("-")[0]) for found in ledger.open_attempts(ACCOUNT))
        spent = ledger.spend(ACCOUNT, DAY.day)
    assert set(stored.values()) | set(unknown.values()) <= {WAVE}, "a wave is torn"
    assert not stored.keys() & unknown.keys(), "a record is answered and unknown"
    assert answered <= stored.keys(), "an acknowledged answer is lost"
    assert sent <= stored.keys() | unknown.keys(), "an acknowledged intent is lost"
    assert spent.spent_ours == COST * WAVE * (len(stored) + len(unknown))
    assert spent.calls == {"people.create": WAVE * (len(stored) + len(unknown))}
