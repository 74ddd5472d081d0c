"""The order of journal and network for one `write`: intents durable first, then the requests, then their answers; and how it stops.

Belongs here: what one record to a request (waves) and many records to a request (batches) have in common. Not here: what a request looks
like (vendor modules), what may be repeated (http), what the journal stores (ledger).

The caller's thread owns the journal; the requests run in the background loop. While `limit` items are in flight the next ones are made
durable, so that the pipe never drains.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from crm_pipelines.destinations.background import Background
from crm_pipelines.destinations.base import WriteReport
from crm_pipelines.destinations.call import HeldBack
from crm_pipelines.errors import CrmError, LedgerError, OutcomeUnknown, TransientError
from crm_pipelines.journal import Journal, Outcome, Result
from crm_pipelines.observe import failpoint

BOOK_EVERY_S = 2.0  # how often a long write hands counts to the journal and looks at what others spend
POLL_S = 0.25  # how long the collector sleeps at most before it looks at the stop signal

Item = TypeVar("Item")
"""What one worker sends at a time."""
Done = TypeVar("Done")
"""An item with what became of it."""
Value = TypeVar("Value")


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


@dataclass(frozen=True, kw_only=True)
class Line:
    """What any `write` needs from its destination: a way out, a clock and a stop signal."""

    book: Callable[[], None]
    """Hand tokens of reads, the vendor's counts and its clock to the journal."""
    drain: Callable[[bool], None]
    background: Background
    stop: threading.Event
    workers: int = 1


class Bug(OutcomeUnknown):
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


class Sending(ABC, Generic[Item, Done]):
    """One `write` call."""

    def __init__(self, line: Line, journal: Journal, *, limit: int, away_after: int) -> None:
        """limit: items in flight beyond which nothing more is journalled; away_after: unknowns in a row that mean the vendor is away."""
        self._line = line
        self._journal = journal
        self._limit = limit
        self._away_after = away_after
        self._state = _State()
        self._done: queue.SimpleQueue[Done] = queue.SimpleQueue()
        self._todo: asyncio.Queue[Item | None] = asyncio.Queue()
        self._started = False

    @abstractmethod
    def _next(self) -> bool:
        """Journal the next rows and submit them; False when there are none."""

    @abstractmethod
    async def _send(self, item: Item) -> Done:
        """Send one item; the vendor's errors are part of what is returned."""

    @abstractmethod
    def _settled(self, done: Done) -> list[Outcome]:
        """Turn one answer into outcomes; rows that are left out stay unknown."""

    @abstractmethod
    def _ends_all(self, done: Done) -> bool:
        """Return True when nothing more should leave."""

    def run(self) -> WriteReport:
        """Send everything; see Destination.write for what it raises, after all in flight are settled."""
        try:
            self._line.book()
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
            if has_rows and self._state.in_flight <= self._limit:
                has_rows = self._next()
            elif self._state.in_flight:
                self._collect()

    def _may_take_more(self) -> bool:
        if self._line.stop.is_set() or self._state.error is not None:
            self._line.drain(True)
            return False
        return True

    def _submit(self, items: Sequence[Item], rows: int) -> None:
        """Hand journalled items to the workers; they carry so many rows."""

        def put() -> None:
            for item in items:
                self._todo.put_nowait(item)

        failpoint("journal.intent_durable_unsent")
        self._state.in_flight += len(items)
        self._state.report.sent += rows
        if not self._started:
            self._started = True
            for _ in range(self._line.workers):
                self._line.background.start(self._work())
        self._line.background.call(put)

    async def _work(self) -> None:
        while (item := await self._todo.get()) is not None:
            done = await self._send(item)
            if self._ends_all(done):
                self._line.drain(True)  # said in the loop itself, before another worker takes an item
            self._done.put(done)

    def _collect(self) -> None:
        group = self._gather()
        if not group:
            return
        outcomes = [outcome for done in group for outcome in self._settled(done)]
        failpoint("journal.answered_unrecorded")
        if outcomes:
            self._journal.answered(outcomes)
        self._state.in_flight -= len(group)
        if time.monotonic() - self._state.booked_s > BOOK_EVERY_S:
            self._state.booked_s = time.monotonic()
            self._line.book()
        if self._state.in_flight:
            failpoint("journal.inside_wave")

    def _gather(self) -> list[Done]:
        try:
            return [self._done.get(timeout=POLL_S)]
        except queue.Empty:
            self._may_take_more()
            return []

    def _counted(self, outcome: Outcome) -> Outcome:
        report = self._state.report
        if outcome.result in {"created", "updated", "refused"}:
            setattr(report, outcome.result, getattr(report, outcome.result) + 1)
        if outcome.result == "refused":
            report.reasons[outcome.reason] = report.reasons.get(outcome.reason, 0) + 1
        return outcome

    def _unsent(self, attempt_id: int, key: str) -> Outcome:
        self._state.report.sent -= 1
        return Outcome(attempt_id, key, "absent", None, "not_sent")

    def _unanswered(self, rows: int) -> None:
        """Count rows whose fate nobody knows; a vendor that answers nobody is away."""
        self._state.report.unknown += rows
        self._state.unknown_in_a_row += 1
        if self._state.unknown_in_a_row >= self._away_after:
            self._fail(TransientError(f"{self._away_after} requests in a row got no usable answer; run again when the vendor is back"))

    def _fail(self, error: Exception) -> None:
        """Keep the first error, and let nothing more leave."""
        if self._state.error is None:
            self._state.error = error.error if isinstance(error, Bug) else error
        self._line.drain(True)

    def _settle(self) -> None:
        """Collect what is in flight after an error; when the journal itself fails, its attempts stay unknown."""
        self._line.drain(True)
        try:
            while self._state.in_flight:
                self._collect()
        except (CrmError, LedgerError):
            return

    def _finish(self) -> None:
        if self._started:
            self._line.background.call(self._end)
        if self._state.in_flight == 0:
            self._line.drain(False)
        if not isinstance(self._state.error, LedgerError):
            self._book_last()

    def _book_last(self) -> None:
        """Hand over what the last answers cost."""
        self._line.book()

    def _end(self) -> None:
        while not self._todo.empty():  # only after a journal failure: what was not sent must not leave any more
            self._todo.get_nowait()
        for _ in range(self._line.workers):
            self._todo.put_nowait(None)


async def tried(sending: Awaitable[Value]) -> Value | CrmError:
    """Await a request; its error comes back as a value, one of ours as a Bug, so that the collector hears of it."""
    try:
        return await sending
    except CrmError as error:
        return error
    except Exception as error:  # no vendor's: the rows stay unknown
        return Bug(error)


def ends_all(error: CrmError) -> bool:
    """Return True when an error concerns more than the row that met it."""
    return isinstance(error, Bug) or not isinstance(error, OutcomeUnknown | HeldBack)
