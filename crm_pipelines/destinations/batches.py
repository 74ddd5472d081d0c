"""Send rows in batches, many records to a request: a batch is journalled, sent and answered as one.

Belongs here: batches, and what becomes of their rows when a request ends without an answer for all. Not here: the order of journal and
network (sending), what a request looks like or how a batch is narrowed to its bad rows (vendor modules), one record to a request (waves).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines.destinations.sending import Line, Sending, Sent, ends_all, tried
from crm_pipelines.errors import CrmError, OutcomeUnknown
from crm_pipelines.journal import Attempt, Journal, Outcome

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


@dataclass(frozen=True, kw_only=True)
class Batching(Line):
    """What batches need from their destination; each worker has a connection of its own."""

    attempt: Callable[[WriteRow], Attempt]
    send: Callable[[Batch], Awaitable[None]]
    """Fill `batch.answers`; raise for the rows that have none."""
    rows: int = 500


class Batches(Sending[Batch, Batch]):
    """One `write` call."""

    def __init__(self, batching: Batching, rows: Iterator[WriteRow], journal: Journal) -> None:
        super().__init__(batching, journal, limit=batching.workers, away_after=UNKNOWN_IN_A_ROW)
        self._batching = batching
        self._rows = rows

    def _next(self) -> bool:
        rows = [row for _, row in zip(range(self._batching.rows), self._rows, strict=False)]
        if not rows:
            return False
        ids = self._journal.sending([self._batching.attempt(row) for row in rows], None)
        self._submit([Batch(list(zip(ids, rows, strict=True)))], len(rows))
        return True

    async def _send(self, item: Batch) -> Batch:
        item.error = await tried(self._batching.send(item))
        return item

    def _settled(self, done: Batch) -> list[Outcome]:
        outcomes = []
        unknown = 0
        for attempt_id, row in done.rows:
            sent = done.answers.get(attempt_id)
            if sent is not None:
                outcomes.append(self._answered(attempt_id, row, sent))
            elif done.error is None or isinstance(done.error, OutcomeUnknown):
                unknown += 1
            else:
                outcomes.append(self._unsent(attempt_id, row.key))
        self._judge(done, unknown)
        return outcomes

    def _answered(self, attempt_id: int, row: WriteRow, sent: Sent) -> Outcome:
        if sent.stop is not None:
            self._fail(sent.stop)
        if sent.result == "absent":
            self._state.report.sent -= 1
        return self._counted(Outcome(attempt_id, row.key, sent.result, sent.destination_id, sent.reason))

    def _judge(self, batch: Batch, unknown: int) -> None:
        if batch.error is not None and ends_all(batch.error):
            self._fail(batch.error)
        if unknown:
            self._unanswered(unknown)
        else:
            self._state.unknown_in_a_row = 0

    def _ends_all(self, done: Batch) -> bool:
        return any(sent.stop is not None for sent in done.answers.values()) or (done.error is not None and ends_all(done.error))
