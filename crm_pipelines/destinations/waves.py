"""Send rows in waves: intents durable first, then the requests, then their answers in groups.

Belongs here: the order of journal and network for one `write`, and how it stops. Not here: what a request looks like
(vendor modules), what may be repeated (http), what the journal stores (ledger).

The caller's thread owns the journal; the requests run in the background loop. While one wave is in flight the next one
is made durable, so that the pipe never drains; at most two waves are journalled and not answered.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from crm_pipelines.destinations.background import Background
from crm_pipelines.destinations.base import WriteReport, WriteRow
from crm_pipelines.destinations.http import HeldBack
from crm_pipelines.errors import CrmError, LedgerError, OutcomeUnknown, QuotaExhausted, TransientError
from crm_pipelines.journal import Allowance, Attempt, Journal, Outcome, Result
from crm_pipelines.observe import failpoint

MAX_WAVE = 100
BOOK_EVERY_S = 2.0  # how often a long write looks at what others spend
GROUP_S = 0.04  # answers that arrive within this time are recorded in one transaction
POLL_S = 0.25  # how long the collector sleeps at most before it looks at the stop signal
UNKNOWN_IN_A_ROW = 20  # then the vendor is taken as away; every further row would only become unknown too


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one row at the vendor."""

    result: Result
    destination_id: str | None = None
    reason: str = ""
    extra_tokens: int = 0
    """Tokens beyond the attempt's own cost."""
    stop: CrmError | None = None
    """Set when this answer means that no further row should be sent."""


class _Bug(OutcomeUnknown):
    """An error that no vendor caused; it ends the write and is raised as it is."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{type(error).__name__} while sending")
        self.error = error


@dataclass(frozen=True, slots=True)
class _Answered:
    attempt_id: int
    row: WriteRow
    cost: int
    sent: Sent | CrmError


@dataclass(frozen=True)
class Wiring:
    """What a wave needs from its destination."""

    attempt: Callable[[WriteRow], Attempt]
    send: Callable[[WriteRow, int], Awaitable[Sent]]
    allowance: Callable[[], Allowance | None]
    book: Callable[[], None]
    """Hand tokens of reads, the vendor's count and its clock to the journal."""
    drain: Callable[[bool], None]
    background: Background
    stop: threading.Event
    workers: int
    wave: int = MAX_WAVE


@dataclass
class _State:
    report: WriteReport
    allowance: Allowance | None
    in_flight: int = 0
    unknown_in_a_row: int = 0
    error: BaseException | None = None
    extra_tokens: int = 0
    booked_s: float = field(default_factory=time.monotonic)
    backlog: list[WriteRow] = field(default_factory=list)


class Waves:
    """One `write` call."""

    def __init__(self, wiring: Wiring, rows: Iterator[WriteRow], journal: Journal, allowance: Allowance | None) -> None:
        self._wiring = wiring
        self._rows = rows
        self._journal = journal
        self._wave = max(1, min(MAX_WAVE, wiring.wave))
        self._step = self._wave
        self._state = _State(WriteReport(), allowance)
        self._answers: queue.SimpleQueue[_Answered] = queue.SimpleQueue()
        self._todo: asyncio.Queue[tuple[WriteRow, int, int] | None] = asyncio.Queue()
        self._started = False

    def run(self) -> WriteReport:
        """Send everything; see Destination.write for what it raises."""
        try:
            self._wiring.book()
            self._pump()
        except BaseException as error:  # an interrupt or a journal failure: settle what is in flight, then let it out
            self._state.error = error
            self._settle()
            raise
        finally:
            self._finish()
        if self._state.error is not None:
            raise self._state.error
        return self._state.report

    def _pump(self) -> None:
        has_rows = True
        while has_rows or self._state.in_flight:
            if has_rows and self._may_take_more() and self._state.in_flight <= self._wave:
                has_rows = self._next_wave()
                continue
            has_rows = has_rows and self._may_take_more()
            if self._state.in_flight:
                self._collect()

    def _may_take_more(self) -> bool:
        if self._wiring.stop.is_set() or self._state.error is not None:
            self._wiring.drain(True)
            return False
        return True

    def _next_wave(self) -> bool:
        rows = self._take(self._step)
        if not rows:
            return False
        attempts = [self._wiring.attempt(row) for row in rows]
        try:
            ids = self._journal.sending(attempts, self._allowance())
        except QuotaExhausted as error:
            return self._shrink(rows, error)
        failpoint("journal.intent_durable_unsent")
        self._state.in_flight += len(rows)
        self._state.report.sent += len(rows)
        self._submit([(row, attempt_id, attempt.cost) for row, attempt_id, attempt in zip(rows, ids, attempts, strict=True)])
        return True

    def _shrink(self, rows: list[WriteRow], error: QuotaExhausted) -> bool:
        """The day does not hold the whole wave: try half of it, down to one row, then stop for the day."""
        self._state.backlog = rows + self._state.backlog
        if len(rows) == 1:
            self._state.error = error
            return False
        self._step = len(rows) // 2
        return True

    def _take(self, count: int) -> list[WriteRow]:
        rows, self._state.backlog = self._state.backlog[:count], self._state.backlog[count:]
        while len(rows) < count and (row := next(self._rows, None)) is not None:
            rows.append(row)
        return rows

    def _allowance(self) -> Allowance | None:
        return self._wiring.allowance() or self._state.allowance

    def _submit(self, items: Sequence[tuple[WriteRow, int, int]]) -> None:
        def put() -> None:
            for item in items:
                self._todo.put_nowait(item)

        if not self._started:
            self._started = True
            for _ in range(self._wiring.workers):
                self._wiring.background.start(self._work())
        self._wiring.background.call(put)

    async def _work(self) -> None:
        while (item := await self._todo.get()) is not None:
            row, attempt_id, cost = item
            outcome: Sent | CrmError
            try:
                outcome = await self._wiring.send(row, attempt_id)
            except CrmError as error:
                outcome = error
            except Exception as error:  # a bug of ours: the collector must hear of it, and the attempt stays unknown
                outcome = _Bug(error)
            if _ends_all(outcome):
                self._wiring.drain(True)
            self._answers.put(_Answered(attempt_id, row, cost, outcome))

    def _collect(self) -> None:
        group = self._gather()
        if not group:
            return
        outcomes = [outcome for answer in group if (outcome := self._settled(answer)) is not None]
        failpoint("journal.answered_unrecorded")
        if outcomes:
            self._journal.answered(outcomes)
        self._state.in_flight -= len(group)
        if time.monotonic() - self._state.booked_s > BOOK_EVERY_S:
            self._state.booked_s = time.monotonic()
            self._wiring.book()
        if self._state.in_flight:
            failpoint("journal.inside_wave")

    def _gather(self) -> list[_Answered]:
        try:
            group = [self._answers.get(timeout=POLL_S)]
        except queue.Empty:
            self._may_take_more()
            return []
        until_s = time.monotonic() + GROUP_S
        while len(group) < min(MAX_WAVE, self._state.in_flight) and (left_s := until_s - time.monotonic()) > 0:
            try:
                group.append(self._answers.get(timeout=left_s))
            except queue.Empty:
                break
        return group

    def _settled(self, answer: _Answered) -> Outcome | None:
        """Turn one answer into an outcome; None leaves the attempt unknown."""
        if isinstance(answer.sent, Sent):
            self._state.unknown_in_a_row = 0
            self._state.extra_tokens += answer.sent.extra_tokens
            self._state.report.tokens += answer.cost + answer.sent.extra_tokens
            if answer.sent.stop is not None:
                self._fail(answer.sent.stop)
            return self._counted(
                Outcome(answer.attempt_id, answer.row.key, answer.sent.result, answer.sent.destination_id, answer.sent.reason)
            )
        if isinstance(answer.sent, OutcomeUnknown):
            self._unknown(answer)
            return None
        if not isinstance(answer.sent, HeldBack):
            self._fail(answer.sent)
        self._state.report.sent -= 1
        return Outcome(answer.attempt_id, answer.row.key, "absent", None, "not_sent")

    def _counted(self, outcome: Outcome) -> Outcome:
        report = self._state.report
        if outcome.result in {"created", "updated", "refused"}:
            setattr(report, outcome.result, getattr(report, outcome.result) + 1)
        if outcome.result == "refused":
            report.reasons[outcome.reason] = report.reasons.get(outcome.reason, 0) + 1
        return outcome

    def _unknown(self, answer: _Answered) -> None:
        self._state.report.unknown += 1
        self._state.report.tokens += answer.cost
        self._state.unknown_in_a_row += 1
        if isinstance(answer.sent, _Bug):
            self._fail(answer.sent.error)
        if self._state.unknown_in_a_row >= UNKNOWN_IN_A_ROW:
            self._fail(TransientError(f"{UNKNOWN_IN_A_ROW} requests in a row got no usable answer; run again when the vendor is back"))

    def _fail(self, error: Exception) -> None:
        """Keep the first error, and let nothing more leave."""
        if self._state.error is None:
            self._state.error = error
        self._wiring.drain(True)

    def _settle(self) -> None:
        """Collect what is in flight after an error; when the journal itself fails, its attempts stay unknown."""
        self._wiring.drain(True)
        try:
            while self._state.in_flight:
                self._collect()
        except (CrmError, LedgerError):
            return

    def _finish(self) -> None:
        if self._started:
            self._submit_end()
        if self._state.in_flight == 0:
            self._wiring.drain(False)
        if isinstance(self._state.error, LedgerError):
            return
        if self._state.extra_tokens:
            self._journal.spent("deals.close", self._state.extra_tokens, self._allowance())
        self._wiring.book()

    def _submit_end(self) -> None:
        def end() -> None:
            while not self._todo.empty():  # only after a journal failure: what was not sent must not leave any more
                self._todo.get_nowait()
            for _ in range(self._wiring.workers):
                self._todo.put_nowait(None)

        self._wiring.background.call(end)


def _ends_all(outcome: Sent | CrmError) -> bool:
    """Return True when nothing more should leave; said in the loop itself, before another worker takes a row."""
    if isinstance(outcome, Sent):
        return outcome.stop is not None
    return isinstance(outcome, _Bug) or not isinstance(outcome, OutcomeUnknown | HeldBack)
