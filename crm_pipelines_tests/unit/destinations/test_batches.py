"""The order of journal and network for one write whose requests carry many records, and how it stops."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crm_pipelines.destinations.background import Background
from crm_pipelines.destinations.base import WriteRow
from crm_pipelines.destinations.batches import UNKNOWN_IN_A_ROW, Batch, Batches, Batching
from crm_pipelines.destinations.call import HeldBack
from crm_pipelines.destinations.sending import Sent
from crm_pipelines.errors import CrmError, LedgerError, OutcomeUnknown, SettingsError, TransientError
from crm_pipelines.journal import Attempt
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal

ROWS = 10


def _rows(count: int) -> list[WriteRow]:
    return [WriteRow(f"k{n}", "create", {}, "hash", b"{}", f"k{n}") for n in range(count)]


@dataclass
class Stage:
    """A vendor that answers by a function, and everything that was seen on the way."""

    journal: MemoryJournal = field(default_factory=MemoryJournal)
    answer: Callable[[WriteRow], Sent | None] = lambda row: Sent("created", f"id-{row.key}")
    """None leaves the row without an answer."""
    error: Callable[[int], CrmError | Exception | None] = lambda _n: None
    """Number of the batch -> what it ends with."""
    arrived: list[int] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    connections: int = 1
    is_draining: bool = False
    background: Background = field(default_factory=Background)

    async def send(self, batch: Batch) -> None:
        if self.is_draining:
            raise HeldBack("stopped")
        assert all(attempt_id in self.journal.attempts for attempt_id, _ in batch.rows), "a request left before its intents were durable"
        number = len(self.arrived)
        self.arrived.append(len(batch.rows))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(0.005)
        self.in_flight -= 1
        for attempt_id, row in batch.rows:
            if (sent := self.answer(row)) is not None:
                batch.answer(attempt_id, sent)
        if (error := self.error(number)) is not None:
            raise error

    def drain(self, is_draining: bool) -> None:
        self.is_draining = is_draining

    def batches(self, count: int) -> Batches:
        batching = Batching(
            attempt=lambda row: Attempt(row.key, row.operation, row.payload_hash, row.payload_json, row.token, 0),
            send=self.send,
            book=lambda: None,
            drain=self.drain,
            background=self.background,
            stop=self.stop,
            workers=self.connections,
            rows=ROWS,
        )
        return Batches(batching, iter(_rows(count)), self.journal)


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.background.close()


@pytest.mark.parametrize("connections", [1, 3])
def test_every_row_is_durable_before_it_leaves_and_recorded_once(stage: Stage, connections: int) -> None:
    stage.connections = connections
    report = stage.batches(95).run()
    assert (report.sent, report.created, report.unknown) == (95, 95, 0)
    assert sorted(stage.arrived) == [5, *[10] * 9]
    assert set(stage.journal.results().values()) == {"created"}
    assert stage.journal.open_attempts() == []
    assert stage.most_in_flight <= connections
    assert stage.is_draining is False


def test_the_next_batch_is_durable_while_one_is_in_flight_and_no_more_than_that(stage: Stage) -> None:
    seen: list[int] = []
    stage.answer = lambda row: seen.append(len(stage.journal.open_attempts())) or Sent("created", row.key)  # type: ignore[func-returns-value]
    stage.batches(50).run()
    assert max(seen) == 2 * ROWS


def test_refused_rows_are_counted_by_reason_and_the_others_arrive(stage: Stage) -> None:
    stage.answer = lambda row: Sent("refused", reason="bad_date: x") if row.key in {"k3", "k14"} else Sent("created", row.key)
    report = stage.batches(20).run()
    assert (report.created, report.refused, report.reasons) == (18, 2, {"bad_date: x": 2})


def test_a_lost_answer_leaves_its_batch_unknown_but_keeps_what_was_told(stage: Stage) -> None:
    stage.answer = lambda row: None if row.key in {"k12", "k13"} else Sent("created", row.key)
    stage.error = lambda number: OutcomeUnknown("lost") if number == 1 else None
    report = stage.batches(30).run()
    assert (report.created, report.unknown) == (28, 2)
    assert [attempt.attempt.key for attempt in stage.journal.open_attempts()] == ["k12", "k13"]


def test_a_vendor_that_stays_silent_ends_the_write(stage: Stage) -> None:
    stage.answer = lambda _row: None
    stage.error = lambda _number: OutcomeUnknown("lost")
    with pytest.raises(TransientError, match="run again"):
        stage.batches(1000).run()
    assert len(stage.arrived) <= UNKNOWN_IN_A_ROW + 1
    assert len(stage.journal.open_attempts()) <= (UNKNOWN_IN_A_ROW + 1) * ROWS


def test_what_was_not_applied_is_absent_and_may_be_planned_again(stage: Stage) -> None:
    stage.answer = lambda row: Sent("created", row.key) if row.key in {"k10", "k11"} else None
    stage.error = lambda number: SettingsError("no rights") if number == 1 else OutcomeUnknown("lost")
    with pytest.raises(SettingsError):
        stage.batches(100).run()
    results = stage.journal.results()
    assert (results["k10"], results["k11"], results["k12"]) == ("created", "created", "absent")
    assert {attempt.attempt.key for attempt in stage.journal.open_attempts()} == {f"k{n}" for n in range(10)}
    assert len(stage.arrived) == 2


def test_a_stop_signal_settles_what_is_in_flight_and_takes_no_more(stage: Stage) -> None:
    stage.answer = lambda row: stage.stop.set() or Sent("created", row.key)  # type: ignore[func-returns-value]
    report = stage.batches(200).run()
    assert report.created == len([r for r in stage.journal.results().values() if r == "created"]) < 50
    assert stage.journal.open_attempts() == []
    assert report.sent == report.created
    assert stage.is_draining is False


def test_a_bug_of_ours_is_raised_and_its_rows_stay_unknown(stage: Stage) -> None:
    stage.answer = lambda _row: None
    stage.error = lambda _number: ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        stage.batches(100).run()
    assert {attempt.attempt.key for attempt in stage.journal.open_attempts()} == {f"k{n}" for n in range(10)}


def test_a_journal_that_fails_lets_nothing_more_leave(stage: Stage) -> None:
    class Broken(MemoryJournal):
        def answered(self, outcomes: object) -> None:
            raise LedgerError("stale fence")

    stage.journal = Broken()
    with pytest.raises(LedgerError):
        stage.batches(100).run()
    assert len(stage.arrived) <= 2


KILLED = """
from crm_pipelines_tests.unit.destinations.test_batches import Stage

stage = Stage()
report = stage.batches(50).run()
stage.background.close()
"""


@pytest.mark.parametrize("name", ["journal.intent_durable_unsent", "journal.answered_unrecorded", "journal.inside_wave"])
def test_the_named_failpoints_are_reached(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED)],
        check=False,
        capture_output=True,
        env={**os.environ, "CRM_FAILPOINT": name},
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == -9
    assert f"failpoint {name}" in done.stderr.decode()
