"""The journal around every write: intent durable before the request, outcome with the record after it.

Belongs here: what one transaction holds, and the order in it. Not here: the values (crm_pipelines.journal), the SQL of
the bulk (bulk), when to send (destinations), looking up what was never answered (phases.load).

A journal is used by one thread at a time.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from crm_pipelines.errors import LedgerError, QuotaExhausted
from crm_pipelines.journal import Allowance, Attempt, Outcome
from crm_pipelines.keys import keyed_digest
from crm_pipelines.ledger import marks, records, spend
from crm_pipelines.ledger.bulk import AppliedRow, Bulk, HeldRow
from crm_pipelines.ledger.lock import Fence, claim
from crm_pipelines.ledger.store import Conflict, Store, utc_text

GROUP_ROWS = 200
"""Two waves, so that the answers of one travel in the transaction of the next: half the commits, and commits are what a ledger costs."""
GROUP_WAIT_S = 0.05
HEADER_WRITE_S = 1.0
"""Headers come with every answer; they are stored with the next wave, or after this long."""
APPLIED = frozenset({"created", "updated", "adopted"})
HELD = {"refused": ("refused", None), "conflict": ("waiting", "conflict")}
HALF = frozenset({*HELD, "absent"})
"""Outcomes after which the record may be there all the same; its id is remembered where it is known."""


@dataclass(frozen=True)
class Binding:
    """What a journal writes for."""

    scope: records.Scope
    scope_no: int
    pass_no: int
    fence: Fence | None
    """None for a journal that only counts reads."""
    secret: bytes


class LedgerJournal:
    """The journal of one (account, engagement, phase, pass); every answer is durable when `answered` returns."""

    def __init__(self, store: Store, bulk: Bulk, binding: Binding, now: Callable[[], datetime]) -> None:
        self._store = store
        self._bulk = bulk
        self._binding = binding
        self._now = now
        self._in_flight: dict[int, Attempt] = {}
        self._spent: dict[str, int] = {}
        self._headers: tuple[Allowance, int] | None = None
        self._headers_stored_s = 0.0
        self._clock_offset_s: float | None = None

    def sending(self, attempts: Sequence[Attempt], allowance: Allowance | None) -> list[int]:
        """Make the intents durable and reserve their cost; only after this returns may the requests leave.

        Shape: one attempt id per attempt, in order.
        A `prepare` step may be sent again: it is looked up by name before each sending, so its earlier attempt is closed as absent.
        Raises: QuotaExhausted when limit - reserve would be passed (nothing is stored); LedgerError when the writer's fence is
        stale, or when a record of the wave already has an attempt without an outcome.
        """
        return self._send(attempts, allowance, ())

    def answered(self, outcomes: Sequence[Outcome]) -> None:
        """Record what became of attempts; one durable transaction for all of them.

        A `prepare` attempt is remembered as made; its key is `kind/phase/name` or `kind/name`.
        Raises: LedgerError when an attempt has no open intent, or a record would get a second destination id.
        """
        if not outcomes:
            return
        with self._store.write() as connection:
            claim(connection, self._fence(), 0, self._clock_offset_s)
            self._record(connection, outcomes)
        self._forget(outcomes)

    def spent(self, operation: str, tokens: int, allowance: Allowance | None) -> None:
        """Count tokens of one request that writes nothing (lists, reads). Call it before `observed` of the same answer."""
        day = self._day(allowance)
        scope = self._binding.scope
        with self._store.write() as connection:
            self._spent[day] = spend.count_spent(connection, scope.account, day, tokens, allowance)
            spend.count_calls(connection, scope.account, day, scope.engagement, {operation: (1, tokens)})

    def observed(self, allowance: Allowance, remaining: int) -> None:
        """Correct the day's account by what the vendor's headers say remains.

        What the vendor counts beyond our reservations was used by others. The newest header wins: one that comes in the
        middle of a wave sees less of ours than is reserved, so `others` may read low by what is in flight, never for long.
        """
        day = allowance.day
        if day not in self._spent:
            with self._store.read() as connection:
                self._spent[day] = spend.spent_ours(connection, self._binding.scope.account, day)
        self._headers = (allowance, max(0, allowance.limit - remaining - self._spent[day]))
        if time.monotonic() - self._headers_stored_s > HEADER_WRITE_S:
            self._store_headers()

    def vendor_clock(self, offset_s: float) -> None:
        """Remember how far the vendor's clock is ahead of ours (seconds); stored with the next wave."""
        self._clock_offset_s = offset_s

    def room(self, allowance: Allowance) -> int:
        """Return the tokens of the day that are still ours to use."""
        if self._headers is not None:
            self._store_headers()
        with self._store.read() as connection:
            return spend.room(connection, self._binding.scope.account, allowance)

    def flush(self) -> None:
        """Store what is not stored yet; call it when the writing is done."""
        if self._headers is not None:
            self._store_headers()

    def _send(self, attempts: Sequence[Attempt], allowance: Allowance | None, answered: Sequence[Outcome]) -> list[int]:
        """Record earlier answers and the new intents in one transaction."""
        if not attempts:
            return []
        fence = self._fence()
        try:
            with self._store.write() as connection:
                first, offset_s = claim(connection, fence, len(attempts), self._clock_offset_s)
                self._record(connection, answered)
                self._close_steps(connection, attempts)
                spent = self._reserve(connection, attempts, allowance)
                self._insert(connection, first, offset_s, attempts)
        except QuotaExhausted:
            self._remember_exhausted(allowance)
            raise
        except Conflict:
            raise self._already_open(attempts) from None
        self._spent[self._day(allowance)] = spent
        self._forget(answered)
        attempt_ids = list(range(first, first + len(attempts)))
        self._in_flight.update(zip(attempt_ids, attempts, strict=True))
        return attempt_ids

    def _reserve(self, connection: Connection, attempts: Sequence[Attempt], allowance: Allowance | None) -> int:
        account, engagement, phase = self._binding.scope.account, self._binding.scope.engagement, self._binding.scope.phase
        costs: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for attempt in attempts:
            calls, tokens = costs[attempt.operation]
            costs[attempt.operation] = (calls + 1, tokens + attempt.cost)
        total = sum(tokens for _, tokens in costs.values())
        day = self._day(allowance)
        spend.count_calls(connection, account, day, engagement, {f"{phase}.{name}": cost for name, cost in costs.items()})
        if allowance is None:
            return spend.count_spent(connection, account, day, total, None)
        others = self._headers[1] if self._headers is not None and self._headers[0].day == day else None
        return spend.reserve(connection, account, allowance, total, others)

    def _close_steps(self, connection: Connection, attempts: Sequence[Attempt]) -> None:
        steps = [attempt.key for attempt in attempts if attempt.operation == "prepare"]
        if steps:
            records.close_steps(connection, self._bulk, self._binding.scope_no, steps)

    def _insert(self, connection: Connection, first: int, offset_s: float, attempts: Sequence[Attempt]) -> None:
        sent = self._now()
        binding = self._binding
        vendor = utc_text(sent + timedelta(seconds=offset_s))
        wave = (binding.scope_no, self._fence().number, binding.pass_no, utc_text(sent), vendor)
        rows = [
            (first + index, a.key, a.operation, a.payload_hash, a.token, a.destination_id, a.cost, a.payload)
            for index, a in enumerate(attempts)
        ]
        self._bulk.insert_attempts(connection, wave, rows)

    def _record(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        """Close the attempts and bring their records to what the destination now holds."""
        if not outcomes:
            return
        attempts = self._attempts(connection, outcomes)
        applied: list[AppliedRow] = []
        held: list[HeldRow] = []
        halves = {attempts[o.attempt_id].key: o.destination_id for o in outcomes if o.result in HALF and o.destination_id is not None}
        for outcome in outcomes:
            attempt = attempts[outcome.attempt_id]
            if attempt.operation == "prepare":
                self._record_made(connection, attempt, outcome)
            elif outcome.result in APPLIED:
                destination_id = outcome.destination_id or attempt.destination_id
                applied.append((attempt.key, destination_id, attempt.payload_hash, outcome.result, attempt.payload))
            elif outcome.result in HELD:
                state, queue = HELD[outcome.result]
                held.append((attempt.key, state, queue, outcome.reason, attempt.payload_hash))
        self._write(connection, applied, held)
        records.remember_ids(connection, self._binding.scope_no, halves)
        records.mark_deleted(connection, self._binding.scope_no, self._binding.pass_no, self._bulk, _deleted(outcomes, attempts))
        if self._bulk.close_attempts(connection, list(attempts)) != len(outcomes):
            raise self._not_open(outcomes)

    def _write(self, connection: Connection, applied: Sequence[AppliedRow], held: Sequence[HeldRow]) -> None:
        scope_no, pass_no = self._binding.scope_no, self._binding.pass_no
        if applied and self._bulk.apply(connection, scope_no, pass_no, applied) != len(applied):
            raise self._second_id(connection, applied)
        if held:
            self._bulk.hold(connection, scope_no, pass_no, held)

    def _record_made(self, connection: Connection, attempt: Attempt, outcome: Outcome) -> None:
        if outcome.result != "created" or outcome.destination_id is None:
            return
        kind, phase, name = _made_name(attempt.key, self._binding.scope.phase)
        scope = self._binding.scope
        where = (connection, scope.account, scope.engagement)
        marks.record_made(*where, kind=kind, phase=phase, name=name, destination_id=outcome.destination_id, now=self._now())

    def _attempts(self, connection: Connection, outcomes: Sequence[Outcome]) -> Mapping[int, Attempt]:
        """Return the attempts of these outcomes: what this journal sent, or what a dead writer left open."""
        found = {o.attempt_id: self._in_flight[o.attempt_id] for o in outcomes if o.attempt_id in self._in_flight}
        if len(found) < len(outcomes):
            missing = [o.attempt_id for o in outcomes if o.attempt_id not in found]
            found |= records.attempts_by_id(connection, self._binding.scope_no, missing)
        if len(found) < len(outcomes):
            raise self._not_open([o for o in outcomes if o.attempt_id not in found] or outcomes)
        return found

    def _forget(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self._in_flight.pop(outcome.attempt_id, None)

    def _fence(self) -> Fence:
        if self._binding.fence is None:
            raise LedgerError("this journal was opened to count reads; writing needs the account's lock (Ledger.lock)")
        return self._binding.fence

    def _day(self, allowance: Allowance | None) -> str:
        return allowance.day if allowance is not None else f"{self._now():%Y-%m-%d}"

    def _store_headers(self) -> None:
        assert self._headers is not None  # noqa: S101 - callers look first
        allowance, others = self._headers
        with self._store.write() as connection:
            spend.correct(connection, self._binding.scope.account, allowance, others)
        self._headers, self._headers_stored_s = None, time.monotonic()

    def _remember_exhausted(self, allowance: Allowance | None) -> None:
        if allowance is not None:
            with self._store.write() as connection:
                spend.mark_exhausted(connection, self._binding.scope.account, allowance, self._now())

    def _digest(self, key: str) -> str:
        return keyed_digest(self._binding.secret, key)

    def _already_open(self, attempts: Sequence[Attempt]) -> LedgerError:
        with self._store.read() as connection:
            found = records.open_key(connection, self._bulk, self._binding.scope_no, [a.key for a in attempts])
        if found is None:
            return LedgerError("a wave names one record twice; nothing was stored or sent. Plan every source key once per phase.")
        return LedgerError(
            f"record {self._digest(found)} of phase {self._binding.scope.phase} has an attempt without an outcome; look that up "
            "(Ledger.open_attempts) before sending it again. Nothing was stored or sent."
        )

    def _not_open(self, outcomes: Sequence[Outcome]) -> LedgerError:
        first = outcomes[0]
        return LedgerError(
            f"attempt {first.attempt_id} of record {self._digest(first.key)} has no open intent: it was answered before, or belongs "
            "to another phase or ledger. Nothing of this step was stored."
        )

    def _second_id(self, connection: Connection, applied: Sequence[AppliedRow]) -> LedgerError:
        wanted = {row[0]: row[1] for row in applied}
        known = records.ids(connection, self._bulk, self._binding.scope, list(wanted))
        key = next((key for key, found in known.items() if wanted[key] != found), applied[0][0])
        return LedgerError(
            f"record {self._digest(key)} of phase {self._binding.scope.phase} has a destination id already and was given another: "
            "there may be two of it at the destination. Compare both there; nothing of this step was stored."
        )


class GroupedJournal(LedgerJournal):
    """A journal that commits answers in groups: with the next wave, at 200 rows, when the oldest is 50 ms old, or on `flush`.

    An answer that waits in the group when the process dies leaves its attempt unknown: it costs a lookup, never a record.
    The age is looked at when the journal is called; call `flush` when the writing is done.
    """

    def __init__(self, store: Store, bulk: Bulk, binding: Binding, now: Callable[[], datetime]) -> None:
        super().__init__(store, bulk, binding, now)
        self._group: list[Outcome] = []
        self._group_since_s = 0.0

    def sending(self, attempts: Sequence[Attempt], allowance: Allowance | None) -> list[int]:
        """As LedgerJournal.sending; the group of answers goes into the same transaction."""
        try:
            attempt_ids = self._send(attempts, allowance, self._group)
        except QuotaExhausted:
            self.flush()
            raise
        if attempts:
            self._group = []
        return attempt_ids

    def answered(self, outcomes: Sequence[Outcome]) -> None:
        """Take the answers into the group; durable when the group is."""
        if not self._group:
            self._group_since_s = time.monotonic()
        self._group.extend(outcomes)
        if len(self._group) >= GROUP_ROWS or time.monotonic() - self._group_since_s >= GROUP_WAIT_S:
            self._flush_group()

    def flush(self) -> None:
        """Store the group and the headers."""
        self._flush_group()
        super().flush()

    def _flush_group(self) -> None:
        group, self._group = self._group, []
        super().answered(group)


def _deleted(outcomes: Sequence[Outcome], attempts: Mapping[int, Attempt]) -> list[str]:
    return [attempts[o.attempt_id].key for o in outcomes if o.result == "deleted" and attempts[o.attempt_id].operation != "prepare"]


def _made_name(key: str, phase: str) -> tuple[str, str, str]:
    """Return kind, phase and name of a prepare key; a key that names no phase belongs to the journal's own."""
    kind, _, rest = key.partition("/")
    named, _, name = rest.partition("/")
    return (kind, named, name) if name else (kind, phase, rest or key)
