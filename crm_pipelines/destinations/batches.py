"""Send rows in batches, many records to a request: intents durable first, then the request, then its answers together.

Belongs here: the order of journal and network for one `write` whose requests carry many records. Not here: what a request
looks like or how a batch is narrowed to its bad rows (vendor modules), what may be repeated (http), one record to a request
(waves).

The caller's thread owns the journal; the requests run in the background loop. While `connections` batches are in flight the
next one is made durable, so that the server never waits for our disk.
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
from crm_pipelines.destinations.waves import Sent
from crm_pipelines.errors import CrmError, LedgerError, OutcomeUnknown, TransientError
from crm_pipelines.journal import Attempt, Journal, Outcome
from crm_pipelines.observe import failpoint

BOOK_EVERY_S = 2.0  # how often a long write hands counts to the journal
POLL_S = 0.25  # how long the collector sleeps at most before it looks at the stop signal
UNKNOWN_IN_A_ROW = 3  # batches; then the vendor is taken as away, every further one would only become unknown too


@dataclass
class Batch:
    """Rows that are journalled together, and what became of each."""

    rows: Sequence[tuple[int, WriteRow]]
    """Attempt id and row."""
    answers: dict[int, Sent] = field(default_factory=dict)
    """Attempt id -> what became of it; filled while the batch is sent, so that a later error leaves what is known."""
    error: CrmError | None = None
    """Why the rest has no answer: OutcomeUnknown leaves it unknown, anything else means it was not applied."""

    def answer(self, attempt_id: int, sent: Sent) -> None:
        """Say what became of one row."""
        self.answers[attempt_id] = sent


@dataclass(frozen=True)
class Batching:
    """What batches need from their destination."""

    attempt: Callable[[WriteRow], Attempt]
    send: Callable[[Batch], Awaitable[None]]
    """Fill `batch.answers`; raise for the rows that have none."""
    book: Callable[[], None]
    """Hand counts of requests and the vendor's clock to the journal."""
    drain: Callable[[bool], None]
    background: Background
    stop: threading.Event
    connections: int = 1
    rows: int = 500


class _Bug(OutcomeUnknown):
    """An error that no vendor caused; it ends the write and is raised as it is."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{type(error).__name__} while sending")
        self.error = error


@dataclass
class _State:
    report: WriteReport = field(default_factory=WriteReport)
    in_flight: int = 0
    unknown_in_a_row: int = 0
    error: BaseException | None = None
    booked_s: float = field(default_factory=time.monotonic)


class Batches:
    """One `write` call."""

    def __init__(self, batching: Batching, rows: Iterator[WriteRow], journal: Journal) -> None:
        self._batching = batching
        self._rows = rows
        self._journal = journal
        self._state = _State()
        self._done: queue.SimpleQueue[Batch] = queue.SimpleQueue()
        self._todo: asyncio.Queue[Batch | None] = asyncio.Queue()
        self._started = False

    def run(self) -> WriteReport:
        """Send everything. Raises: DestinationError when the vendor stays away, after all in flight are settled."""
        try:
            self._batching.book()
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
            has_rows = has_rows and self._may_take_more()
            if has_rows and self._state.in_flight <= self._batching.connections:
                has_rows = self._next_batch()
            elif self._state.in_flight:
                self._collect()

    def _may_take_more(self) -> bool:
        if self._batching.stop.is_set() or self._state.error is not None:
            self._batching.drain(True)
            return False
        return True

    def _next_batch(self) -> bool:
        rows = [row for _, row in zip(range(self._batching.rows), self._rows, strict=False)]
        if not rows:
            return False
        ids = self._journal.sending([self._batching.attempt(row) for row in rows], None)
        failpoint("journal.intent_durable_unsent")
        self._state.in_flight += 1
        self._state.report.sent += len(rows)
        self._submit(Batch(list(zip(ids, rows, strict=True))))
        return True

    def _submit(self, batch: Batch) -> None:
        if not self._started:
            self._started = True
            for _ in range(self._batching.connections):
                self._batching.background.start(self._work())
        self._batching.background.call(lambda: self._todo.put_nowait(batch))

    async def _work(self) -> None:
        while (batch := await self._todo.get()) is not None:
            try:
                await self._batching.send(batch)
            except CrmError as error:
                batch.error = error
            except Exception as error:  # a bug of ours: the collector must hear of it, and the rows stay unknown
                batch.error = _Bug(error)
            if _ends_all(batch):
                self._batching.drain(True)  # said in the loop itself, before another batch leaves
            self._done.put(batch)

    def _collect(self) -> None:
        try:
            batch = self._done.get(timeout=POLL_S)
        except queue.Empty:
            self._may_take_more()
            return
        outcomes = self._settled(batch)
        failpoint("journal.answered_unrecorded")
        if outcomes:
            self._journal.answered(outcomes)
        self._state.in_flight -= 1
        if time.monotonic() - self._state.booked_s > BOOK_EVERY_S:
            self._state.booked_s = time.monotonic()
            self._batching.book()
        if self._state.in_flight:
            failpoint("journal.inside_wave")

    def _settled(self, batch: Batch) -> list[Outcome]:
        """Turn a batch's answers into outcomes; rows that are left out stay unknown."""
        outcomes = []
        unknown = 0
        for attempt_id, row in batch.rows:
            sent = batch.answers.get(attempt_id)
            if sent is not None:
                outcomes.append(self._answered(attempt_id, row, sent))
            elif batch.error is None or isinstance(batch.error, OutcomeUnknown):
                unknown += 1
            else:
                self._state.report.sent -= 1
                outcomes.append(Outcome(attempt_id, row.key, "absent", None, "not_sent"))
        self._judge(batch, unknown)
        return outcomes

    def _answered(self, attempt_id: int, row: WriteRow, sent: Sent) -> Outcome:
        report = self._state.report
        if sent.stop is not None:
            self._fail(sent.stop)
        if sent.result in {"created", "updated", "refused"}:
            setattr(report, sent.result, getattr(report, sent.result) + 1)
        if sent.result == "absent":
            report.sent -= 1
        if sent.result == "refused":
            report.reasons[sent.reason] = report.reasons.get(sent.reason, 0) + 1
        return Outcome(attempt_id, row.key, sent.result, sent.destination_id, sent.reason)

    def _judge(self, batch: Batch, unknown: int) -> None:
        self._state.report.unknown += unknown
        self._state.unknown_in_a_row = self._state.unknown_in_a_row + 1 if unknown else 0
        if isinstance(batch.error, _Bug):
            self._fail(batch.error.error)
        elif batch.error is not None and not isinstance(batch.error, OutcomeUnknown | HeldBack):
            self._fail(batch.error)
        if self._state.unknown_in_a_row >= UNKNOWN_IN_A_ROW:
            self._fail(TransientError(f"{UNKNOWN_IN_A_ROW} requests in a row got no usable answer; run again when the vendor is back"))

    def _fail(self, error: Exception) -> None:
        """Keep the first error, and let nothing more leave."""
        if self._state.error is None:
            self._state.error = error
        self._batching.drain(True)

    def _settle(self) -> None:
        """Collect what is in flight after an error; when the journal itself fails, its attempts stay unknown."""
        self._batching.drain(True)
        try:
            while self._state.in_flight:
                self._collect()
        except (CrmError, LedgerError):
            return

    def _finish(self) -> None:
        if self._started:
            self._batching.background.call(self._end)
        if self._state.in_flight == 0:
            self._batching.drain(False)
        if not isinstance(self._state.error, LedgerError):
            self._batching.book()

    def _end(self) -> None:
        while not self._todo.empty():  # only after a journal failure: what was not sent must not leave any more
            self._todo.get_nowait()
        for _ in range(self._batching.connections):
            self._todo.put_nowait(None)


def _ends_all(batch: Batch) -> bool:
    """Return True when nothing more should leave."""
    if any(sent.stop is not None for sent in batch.answers.values()):
        return True
    return isinstance(batch.error, _Bug) or (batch.error is not None and not isinstance(batch.error, OutcomeUnknown | HeldBack))
