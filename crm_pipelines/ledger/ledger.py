"""The ledger: the durable record of what was sent where, and the only door to its tables.

Belongs here: the public methods, each one transaction. Not here: their SQL (records, spend, marks, journal), the schema
(tables, migrations), deciding anything (phases).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import polars as pl
from sqlalchemy import Connection, select

from crm_pipelines.journal import Allowance, OpenAttempt
from crm_pipelines.keys import keyed_digest
from crm_pipelines.ledger import marks, purging, records, tables
from crm_pipelines.ledger import spend as spending
from crm_pipelines.ledger.bulk import bulk_for
from crm_pipelines.ledger.journal import Binding, GroupedJournal, LedgerJournal
from crm_pipelines.ledger.lock import Fence, claim, ensure_account, hold_account
from crm_pipelines.ledger.migrations import migrate
from crm_pipelines.ledger.records import Scope
from crm_pipelines.ledger.store import Store, open_store


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


class Ledger:
    """An open ledger; its methods are bounded transactions and may be called from any thread."""

    def __init__(self, store: Store, secret: bytes, now: Callable[[], datetime]) -> None:
        self._store = store
        self._secret = secret
        self._now = now
        self._bulk = bulk_for(store.dialect)

    @classmethod
    def open(cls, url: str, *, now: Callable[[], datetime] = utc_now) -> Self:
        """Open the ledger at a URL, made and brought to the newest schema when needed.

        Raises: SettingsError for a URL that names no SQLite file or PostgreSQL database; LedgerError when the database cannot
        be used, or was written by a newer release.
        """
        store = open_store(url)
        try:
            migrate(store)
            with store.read() as connection:
                secret = connection.execute(select(tables.meta.c.value).where(tables.meta.c.name == "digest_secret")).scalar_one()
        except BaseException:
            store.close()
            raise
        return cls(store, bytes.fromhex(secret), now)

    def close(self) -> None:
        """Close every connection."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def digest(self, key: str) -> str:
        """Return what stands for a source key outside ledger, queues and hand-over: 12 hex digits, this ledger's own."""
        return keyed_digest(self._secret, key)

    # Writers

    def lock(self, account: str, holder: str) -> AbstractContextManager[Fence]:
        """Hold the account as its one writer; `holder` says what for, e.g. `load of people, engagement acme`.

        Raises: LockedError naming who holds it.
        """
        return hold_account(self._store, account, holder, self._now)

    def journal(self, account: str, engagement: str, phase: str, pass_no: int, fence: Fence | None) -> LedgerJournal:
        """Return a journal whose answers are durable when `answered` returns; without a fence it only counts reads."""
        return LedgerJournal(self._store, self._bulk, self._binding(account, engagement, phase, pass_no, fence), self._now)

    def grouped_journal(self, account: str, engagement: str, phase: str, pass_no: int, fence: Fence) -> GroupedJournal:
        """Return a journal that commits answers in groups; call its `flush` when the writing is done."""
        return GroupedJournal(self._store, self._bulk, self._binding(account, engagement, phase, pass_no, fence), self._now)

    def open_attempts(self, account: str, engagement: str | None = None) -> list[OpenAttempt]:
        """Return attempts without an outcome, oldest first.

        Only the holder of the lock that has nothing in flight may call them unknown: a living writer's are here, too.
        """
        with self._store.read() as connection:
            return records.open_attempts(connection, account, engagement)

    # Records

    def records(self, account: str, engagement: str, phase: str, keys: Sequence[str] | None = None) -> pl.DataFrame:
        """Return what is known of these records, or of all.

        Shape: key, destination_id, applied_hash, outcome, outcome_pass, held_state, held_queue, held_reason, held_hash,
        held_pass; one row per known key, in no order; unknown keys absent.
        """
        return self._frame(account, engagement, phase, keys, records.RECORD_SCHEMA)

    def payloads(self, account: str, engagement: str, phase: str, keys: Sequence[str]) -> pl.DataFrame:
        """Return what was last applied. Shape: key, applied_payload (JSON bytes, null when nothing was)."""
        return self._frame(account, engagement, phase, keys, records.PAYLOAD_SCHEMA)

    def before_images(self, account: str, engagement: str, phase: str, keys: Sequence[str] | None = None) -> pl.DataFrame:
        """Return records as they were before we touched them. Shape: key, before_image (JSON bytes, null when there was none)."""
        return self._frame(account, engagement, phase, keys, records.BEFORE_SCHEMA)

    def ids(self, account: str, engagement: str, phase: str, keys: Sequence[str] | None = None) -> dict[str, str]:
        """Return source key -> destination id, for those that have one."""
        with self._store.read() as connection:
            return records.ids(connection, self._bulk, Scope(account, engagement, phase), keys)

    def foreign_ids(self, account: str, engagement: str, phase: str) -> set[str]:
        """Return the destination ids that other engagements of this account have in a phase."""
        with self._store.read() as connection:
            return records.foreign_ids(connection, Scope(account, engagement, phase))

    def counts(self, account: str, engagement: str, phase: str) -> dict[str, int]:
        """Return records by outcome (created, updated, ...) and by held state (waiting, refused), and `open` attempts."""
        with self._store.read() as connection:
            return records.counts(connection, Scope(account, engagement, phase))

    def hold(  # noqa: PLR0917 - where a record lives takes three names in every call
        self, account: str, engagement: str, phase: str, pass_no: int, fence: Fence, held: pl.DataFrame
    ) -> None:
        """Set what holds records back. Shape of `held`: key, state (waiting or refused), queue, reason, hash."""
        with self._fenced(fence) as connection:
            scope = records.ensure_scope(connection, Scope(account, engagement, phase))
            records.hold(connection, self._bulk, scope, pass_no, held)

    def release(self, account: str, engagement: str, phase: str, fence: Fence, keys: Sequence[str]) -> None:
        """Clear what holds these records back."""
        with self._fenced(fence) as connection:
            scope = records.ensure_scope(connection, Scope(account, engagement, phase))
            records.release(connection, self._bulk, scope, keys)

    def remember_before(self, account: str, engagement: str, phase: str, fence: Fence, images: Mapping[str, bytes]) -> None:
        """Store how records looked before we first touched them; a later image never replaces the first."""
        with self._fenced(fence) as connection:
            records.remember_before(connection, records.ensure_scope(connection, Scope(account, engagement, phase)), images)

    def carry_over(  # noqa: PLR0917 - the scope, who writes, and which records
        self, account: str, engagement: str, phase: str, pass_no: int, fence: Fence, pairs: Mapping[str, str]
    ) -> None:
        """Give the records of some keys to others (new key -> the key it was known under), in one step, and say so in the audit trail."""
        with self._fenced(fence) as connection:
            records.carry_over(connection, records.ensure_scope(connection, Scope(account, engagement, phase)), pass_no, pairs)
        told = [{"was": self.digest(was), "is": self.digest(key)} for key, was in pairs.items()]
        self.add_audit(engagement, "load", "records carried over to the keys that survive", {"phase": phase, "keys": told})

    def carried(self, account: str, engagement: str, phase: str) -> list[str]:
        """Return the keys whose record goes by another key now."""
        with self._store.read() as connection:
            return records.carried(connection, Scope(account, engagement, phase))

    # Passes, gates, seals, the audit trail, what prepare made

    def open_pass(self, engagement: str, account: str, intake: str) -> int:
        """Return the number of the open pass of this engagement in this account; opens the next when there is none."""
        with self._store.migrating() as connection:
            return marks.open_pass(connection, engagement, account, intake, self._now())

    def close_pass(self, engagement: str, pass_no: int) -> None:
        """Close a pass; closing it again changes nothing."""
        with self._store.write() as connection:
            marks.close_pass(connection, engagement, pass_no, self._now())

    def current_pass(self, engagement: str, account: str | None = None) -> marks.Pass | None:
        """Return the newest open pass."""
        with self._store.read() as connection:
            return marks.current_pass(connection, engagement, account)

    def last_closed(self, engagement: str, account: str | None = None) -> marks.Pass | None:
        """Return the newest closed pass."""
        with self._store.read() as connection:
            return marks.last_closed(connection, engagement, account)

    def record_gate(self, engagement: str, pass_no: int, phase: str, passed: bool, detail: Mapping[str, Any]) -> None:
        """Store the verdict on a phase. `detail` holds what was judged and nothing that changes by itself: an acceptance stands
        only while the detail is the same."""
        with self._store.write() as connection:
            marks.record_gate(connection, marks.Gate(engagement, pass_no, phase, passed, detail), self._now())

    def gate(self, engagement: str, pass_no: int, phase: str) -> marks.Gate | None:
        """Return the verdict on a phase, None when it was not judged yet."""
        with self._store.read() as connection:
            return marks.gate(connection, engagement, pass_no, phase)

    def accept_gate(self, engagement: str, phase: str, by: str, reason: str, *, is_carried: bool = False) -> None:
        """Open the newest gate of a phase on a person's word; the word goes into the audit trail unless it is carried from the pass before.

        Raises: SettingsError when that phase was not judged yet.
        """
        with self._store.migrating() as connection:
            now = self._now()
            marks.accept_gate(connection, engagement, phase, by=by, reason=reason, now=now)
            if not is_carried:
                marks.add_audit(connection, engagement, by=by, what="gate accepted", detail={"phase": phase, "reason": reason}, now=now)

    def add_audit(self, engagement: str, by: str, what: str, detail: Mapping[str, Any]) -> int:
        """Add to the trail of what people decided: who, what, citing what; returns the entry's number.

        `what` is a short phrase (`queue resolved`); `detail` holds plain values and never the value of a field.
        """
        with self._store.migrating() as connection:
            return marks.add_audit(connection, engagement, by=by, what=what, detail=detail, now=self._now())

    def audit(self, engagement: str) -> list[marks.AuditEntry]:
        """Return everything that people confirmed, accepted, decided and resolved, oldest first."""
        with self._store.read() as connection:
            return marks.audit(connection, engagement)

    def add_seal(
        self,
        engagement: str,
        kind: marks.SealKind,
        digest: str,
        content: Mapping[str, Any],
        by: str,
        *,
        cites: int | None = None,
        without_sample_reason: str | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> int:
        """Store a confirmation and add it to the audit trail with what `told` says of it; returns its number."""
        with self._store.migrating() as connection:
            now = self._now()
            number = marks.add_seal(
                connection,
                engagement,
                kind,
                digest=digest,
                content=content,
                by=by,
                cites=cites,
                without_sample_reason=without_sample_reason,
                now=now,
            )
            cited = {"seal": number, "kind": kind, "digest": digest, "cites": cites, "without_sample_reason": without_sample_reason}
            marks.add_audit(connection, engagement, by=by, what="map confirmed", detail={**cited, **(told or {})}, now=now)
            return number

    def seals(self, engagement: str) -> list[marks.Seal]:
        """Return every confirmation, oldest first."""
        with self._store.read() as connection:
            return marks.seals(connection, engagement)

    def latest_seal(self, engagement: str, kind: marks.SealKind) -> marks.Seal | None:
        """Return the newest seal of a kind."""
        with self._store.read() as connection:
            return marks.latest_seal(connection, engagement, kind)

    def record_made(  # noqa: PLR0917 - the row is these six names
        self, account: str, engagement: str, kind: str, phase: str, name: str, destination_id: str
    ) -> None:
        """Remember that prepare made this field, option, label, pipeline, stage or type."""
        with self._store.write() as connection:
            now = self._now()
            marks.record_made(connection, account, engagement, kind=kind, phase=phase, name=name, destination_id=destination_id, now=now)

    def made(self, account: str, engagement: str) -> pl.DataFrame:
        """Return what prepare made. Shape: kind, phase, name, destination_id."""
        with self._store.read() as connection:
            return marks.made(connection, account, engagement)

    # Budget

    def room(self, account: str, allowance: Allowance) -> int:
        """Return the tokens of the day that are still ours to use."""
        with self._store.read() as connection:
            return spending.room(connection, account, allowance)

    def spend(self, account: str, day: str) -> spending.SpendReport:
        """Return what was spent on one vendor day."""
        with self._store.read() as connection:
            return spending.report(connection, account, day, None)

    def spend_total(self, account: str, engagement: str | None = None) -> spending.SpendReport:
        """Return what was spent on all days, by the account or by one engagement."""
        with self._store.read() as connection:
            return spending.report(connection, account, None, engagement)

    def resumes_at(self, account: str) -> datetime | None:
        """Return when the newest day that ran out turns; None when none did. It may lie in the past."""
        with self._store.read() as connection:
            return spending.resumes_at(connection, account)

    def purge(self, engagement: str) -> None:
        """Erase every row of an engagement, and on SQLite its traces in the file.

        Raises: LockedError while a writer holds one of its accounts.
        """
        with ExitStack() as locks:
            for account in purging.accounts(self._store, engagement):
                locks.enter_context(self.lock(account, f"purge of {engagement}"))
            purging.purge(self._store, engagement)

    def _binding(self, account: str, engagement: str, phase: str, pass_no: int, fence: Fence | None) -> Binding:
        scope = Scope(account, engagement, phase)
        with self._store.write() as connection:
            ensure_account(connection, account)
            number = records.ensure_scope(connection, scope)
        return Binding(scope, number, pass_no, fence, self._secret)

    def _frame(
        self, account: str, engagement: str, phase: str, keys: Sequence[str] | None, schema: Mapping[str, pl.DataType]
    ) -> pl.DataFrame:
        with self._store.read() as connection:
            return records.frame(connection, self._bulk, Scope(account, engagement, phase), keys, schema)

    @contextmanager
    def _fenced(self, fence: Fence) -> Iterator[Connection]:
        with self._store.write() as connection:
            claim(connection, fence, 0, None)
            yield connection
