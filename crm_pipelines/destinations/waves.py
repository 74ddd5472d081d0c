"""Send rows in waves, one record to a request: a wave is journalled at once, its answers are recorded in groups.

Belongs here: waves, their share of the day's tokens, and groups of answers. Not here: the order of journal and network (sending), what a
request looks like (vendor modules), many records to a request (batches).

At most two waves are journalled and not answered.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines.destinations.sending import Line, Sending, Sent, ends_all, tried
from crm_pipelines.errors import CrmError, OutcomeUnknown, QuotaExhausted
from crm_pipelines.journal import Allowance, Attempt, Journal, Outcome

MAX_WAVE = 100
GROUP_S = 0.04  # answers that arrive within this time are recorded in one transaction
UNKNOWN_IN_A_ROW = 20  # then the vendor is taken as away; every further row would only become unknown too


@dataclass(frozen=True, slots=True)
class _Single:
    attempt_id: int
    row: WriteRow
    cost: int


@dataclass(frozen=True, slots=True)
class _Answered:
    of: _Single
    sent: Sent | CrmError


@dataclass(frozen=True, kw_only=True)
class Wiring(Line):
    """What a wave needs from its destination."""

    attempt: Callable[[WriteRow], Attempt]
    send: Callable[[WriteRow, int], Awaitable[Sent]]
    allowance: Callable[[], Allowance | None]
    wave: int = MAX_WAVE


class Waves(Sending[_Single, _Answered]):
    """One `write` call."""

    def __init__(self, wiring: Wiring, rows: Iterator[WriteRow], journal: Journal, allowance: Allowance | None) -> None:
        self._step = max(1, min(MAX_WAVE, wiring.wave))
        super().__init__(wiring, journal, limit=self._step, away_after=UNKNOWN_IN_A_ROW)
        self._wiring = wiring
        self._rows = rows
        self._given = allowance
        self._backlog: list[WriteRow] = []
        self._extra_tokens = 0

    def _next(self) -> bool:
        rows = self._take(self._step)
        if not rows:
            return False
        attempts = [self._wiring.attempt(row) for row in rows]
        try:
            ids = self._journal.sending(attempts, self._allowance())
        except QuotaExhausted as error:
            return self._shrink(rows, error)
        singles = [_Single(attempt_id, row, attempt.cost) for row, attempt_id, attempt in zip(rows, ids, attempts, strict=True)]
        self._submit(singles, len(rows))
        return True

    def _shrink(self, rows: list[WriteRow], error: QuotaExhausted) -> bool:
        """The day does not hold the whole wave: try half of it, down to one row, then stop for the day."""
        self._backlog = rows + self._backlog
        if len(rows) == 1:
            self._state.error = error
            return False
        self._step = len(rows) // 2
        return True

    def _take(self, count: int) -> list[WriteRow]:
        rows, self._backlog = self._backlog[:count], self._backlog[count:]
        while len(rows) < count and (row := next(self._rows, None)) is not None:
            rows.append(row)
        return rows

    def _allowance(self) -> Allowance | None:
        return self._wiring.allowance() or self._given

    async def _send(self, item: _Single) -> _Answered:
        return _Answered(item, await tried(self._wiring.send(item.row, item.attempt_id)))

    def _gather(self) -> list[_Answered]:
        group = super()._gather()
        until_s = time.monotonic() + GROUP_S
        while group and len(group) < min(MAX_WAVE, self._state.in_flight) and (left_s := until_s - time.monotonic()) > 0:
            try:
                group.append(self._done.get(timeout=left_s))
            except queue.Empty:
                break
        return group

    def _settled(self, done: _Answered) -> list[Outcome]:
        if isinstance(done.sent, Sent):
            return [self._answered(done.of, done.sent)]
        if ends_all(done.sent):
            self._fail(done.sent)
        if isinstance(done.sent, OutcomeUnknown):
            self._state.report.tokens += done.of.cost
            self._unanswered(1)
            return []
        return [self._unsent(done.of.attempt_id, done.of.row.key)]

    def _answered(self, single: _Single, sent: Sent) -> Outcome:
        self._state.unknown_in_a_row = 0
        self._extra_tokens += sent.extra_tokens
        self._state.report.tokens += single.cost + sent.extra_tokens
        if sent.stop is not None:
            self._fail(sent.stop)
        return self._counted(Outcome(single.attempt_id, single.row.key, sent.result, sent.destination_id, sent.reason))

    def _ends_all(self, done: _Answered) -> bool:
        return done.sent.stop is not None if isinstance(done.sent, Sent) else ends_all(done.sent)

    def _book_last(self) -> None:
        if self._extra_tokens:
            self._journal.spent("deals.close", self._extra_tokens, self._allowance())
        super()._book_last()
