"""The order of journal and network for one write, and how it stops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import pytest

from crm_pipelines.destinations.background import Background
from crm_pipelines.destinations.base import WriteRow
from crm_pipelines.destinations.call import HeldBack
from crm_pipelines.destinations.sending import Sent
from crm_pipelines.destinations.waves import UNKNOWN_IN_A_ROW, Waves, Wiring
from crm_pipelines.errors import (
    CrmError,
    DestinationError,
    LedgerError,
    OutcomeUnknown,
    QuotaExhausted,
    RefusedError,
    SettingsError,
    TransientError,
)
from crm_pipelines.journal import Attempt
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal

COST = 5


def _rows(count: int) -> list[WriteRow]:
    return [WriteRow(f"k{n}", "create", {}, "hash", b"{}", f"k{n}") for n in range(count)]


def _attempt(row: WriteRow) -> Attempt:
    return Attempt(row.key, row.operation, row.payload_hash, row.payload_json, row.token, COST)


@dataclass
class Stage:
    """A vendor that answers by a function, and everything that was seen on the way."""

    journal: MemoryJournal = field(default_factory=MemoryJournal)
    answer: Callable[[WriteRow], Sent | CrmError] = lambda row: Sent("created", f"id-{row.key}")
    arrived: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    workers: int = 8
    is_draining: bool = False
    delay_s: float = 0.0
    background: Background = field(default_factory=Background)

    async def send(self, row: WriteRow, attempt_id: int) -> Sent:
        if self.is_draining:
            raise HeldBack("stopped")
        assert attempt_id in self.journal.attempts, "a request left before its intent was durable"
        self.arrived.append(row.key)
        await asyncio.sleep(self.delay_s)
        outcome = self.answer(row)
        if isinstance(outcome, CrmError):
            raise outcome
        return outcome

    def drain(self, is_draining: bool) -> None:
        self.is_draining = is_draining

    def waves(self, rows: Iterator[WriteRow], wave: int = 100) -> Waves:
        wiring = Wiring(
            attempt=_attempt,
            send=self.send,
            allowance=lambda: None,
            book=lambda: None,
            drain=self.drain,
            background=self.background,
            stop=self.stop,
            workers=self.workers,
            wave=wave,
        )
        return Waves(wiring, rows, self.journal, None)


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.background.close()


def test_every_row_is_durable_before_it_leaves_and_recorded_once(stage: Stage) -> None:
    report = stage.waves(iter(_rows(357))).run()
    assert (report.sent, report.created, report.tokens) == (357, 357, 357 * COST)
    assert len(stage.journal.outcomes) == 357
    assert max(stage.journal.waves) <= 100
    assert stage.journal.results()["k9"] == "created"
    assert {o.destination_id for o in stage.journal.outcomes.values()} == {f"id-k{n}" for n in range(357)}


def test_rows_are_taken_only_as_the_pipe_drains(stage: Stage) -> None:
    taken = 0

    def rows() -> Iterator[WriteRow]:
        nonlocal taken
        for row in _rows(1000):
            taken += 1
            if taken > 300:
                raise RuntimeError("the mapping broke")
            yield row

    with pytest.raises(RuntimeError, match="mapping broke"):
        stage.waves(rows()).run()
    assert len(stage.journal.outcomes) == len(stage.journal.attempts) == 300


def test_a_row_without_an_answer_stays_open_and_the_others_go_on(stage: Stage) -> None:
    stage.answer = lambda row: OutcomeUnknown("no answer") if row.key == "k5" else Sent("created", "1")
    report = stage.waves(iter(_rows(50))).run()
    assert (report.sent, report.created, report.unknown) == (50, 49, 1)
    assert [a.attempt.key for a in stage.journal.open_attempts()] == ["k5"]


def test_refused_rows_are_counted_by_reason(stage: Stage) -> None:
    stage.answer = lambda row: Sent("refused", reason="bad: emails") if row.key in {"k1", "k2"} else Sent("created", "1")
    report = stage.waves(iter(_rows(10))).run()
    assert (report.created, report.refused, report.reasons) == (8, 2, {"bad: emails": 2})


@pytest.mark.parametrize("room", [0, 4, 5, 123 * COST, 199 * COST])
def test_a_day_that_does_not_hold_all_takes_exactly_what_fits(stage: Stage, room: int) -> None:
    stage.journal.room = room
    with pytest.raises(QuotaExhausted):
        stage.waves(iter(_rows(250))).run()
    assert len(stage.arrived) == room // COST
    assert len(stage.journal.outcomes) == room // COST
    assert stage.journal.open_attempts() == []


@pytest.mark.parametrize("error", [SettingsError("token"), DestinationError("edge"), QuotaExhausted("day", None), TransientError("down")])  # type: ignore[arg-type]
def test_an_error_that_ends_the_run_is_raised_after_all_in_flight_are_settled(stage: Stage, error: CrmError) -> None:
    stage.delay_s = 0.005
    stage.answer = lambda row: error if row.key == "k20" else Sent("created", "1")
    with pytest.raises(type(error)):
        stage.waves(iter(_rows(1000))).run()
    assert stage.journal.open_attempts() == []
    results = stage.journal.results()
    assert results["k20"] == "absent"
    assert results["k0"] == "created"
    assert len(stage.arrived) < 100
    assert not stage.is_draining


def test_a_stop_signal_settles_what_is_in_flight_and_takes_no_more(stage: Stage) -> None:
    stage.delay_s = 0.02

    def answer(row: WriteRow) -> Sent:
        if row.key == "k30":
            stage.stop.set()
        return Sent("created", "1")

    stage.answer = answer
    report = stage.waves(iter(_rows(1000))).run()
    assert stage.journal.open_attempts() == []
    assert report.created == len(stage.arrived) < 200
    assert set(stage.journal.results().values()) == {"created", "absent"}


def test_an_interrupt_settles_what_is_in_flight(stage: Stage) -> None:
    def rows() -> Iterator[WriteRow]:
        yield from _rows(150)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage.waves(rows()).run()
    assert stage.journal.open_attempts() == []


def test_a_vendor_that_never_answers_is_left_alone_after_a_while(stage: Stage) -> None:
    stage.delay_s = 0.01
    stage.answer = lambda row: OutcomeUnknown("no answer")
    with pytest.raises(TransientError, match="in a row"):
        stage.waves(iter(_rows(1000))).run()
    assert UNKNOWN_IN_A_ROW <= len(stage.arrived) < 200


def test_a_stale_fence_stops_everything_and_records_nothing_more(stage: Stage) -> None:
    def stale(outcomes: object) -> None:
        raise LedgerError("another writer took over")

    stage.delay_s = 0.01
    stage.journal.answered = stale  # type: ignore[method-assign]
    with pytest.raises(LedgerError):
        stage.waves(iter(_rows(500))).run()
    assert len(stage.arrived) <= 200


def test_a_plan_limit_stops_after_the_row_that_met_it(stage: Stage) -> None:
    stage.workers = 1
    stage.answer = lambda row: (
        Sent("refused", reason="feature_capping_deals_limit", stop=RefusedError("cap")) if row.key == "k3" else Sent("created", "1")
    )
    with pytest.raises(RefusedError, match="cap"):
        stage.waves(iter(_rows(50))).run()
    assert stage.journal.results()["k3"] == "refused"
    assert len(stage.arrived) == 4


def test_workers_are_all_used_and_end_with_the_write(stage: Stage) -> None:
    stage.delay_s = 0.02
    stage.workers = 10
    busiest = 0
    running: set[str] = set()
    send: Callable[[WriteRow, int], Awaitable[Sent]] = stage.send

    async def counted(row: WriteRow, attempt_id: int) -> Sent:
        nonlocal busiest
        running.add(row.key)
        busiest = max(busiest, len(running))
        try:
            return await send(row, attempt_id)
        finally:
            running.discard(row.key)

    stage.send = counted  # type: ignore[method-assign]
    stage.waves(iter(_rows(60))).run()
    assert busiest == 10
