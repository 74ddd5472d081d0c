"""One writer per account: a lock that the operating system or the database releases with the process, and a fence.

Belongs here: who may write, and the number that proves it. Not here: what is written under it (journal), Dagster pools
(they are no lock: a killed run leaves its slot claimed).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from crm_pipelines.errors import LedgerError, LockedError
from crm_pipelines.ledger import tables
from crm_pipelines.ledger.store import Store, run, utc_text

FIRST_ATTEMPT = 1 << 40
"""Attempt ids of account n start at n << 40, so that they are unique without one counter that all accounts wait for."""
HOLDER_WAIT_S = 0.5
"""A holder writes its name right after it got the lock; so long do we look for it before we call it unnamed."""


@dataclass(frozen=True, slots=True)
class Fence:
    """The right to write to one account, as long as no one took a later number."""

    account: str
    number: int
    holder: str
    acquired_utc: datetime


_ENSURE = text(
    """INSERT INTO accounts (account, fence, next_attempt, clock_offset_s) VALUES (:account, 0, 0, 0)
    ON CONFLICT (account) DO NOTHING"""
)
_NUMBER = text("UPDATE accounts SET next_attempt = account_no * :first WHERE account = :account AND next_attempt = 0")
_TAKE = text(
    """UPDATE accounts SET fence = fence + 1, holder = :holder, host = :host, pid = :pid, acquired_utc = :now, released_utc = NULL
    WHERE account = :account RETURNING fence"""
)
_RELEASE = text("UPDATE accounts SET released_utc = :now WHERE account = :account AND fence = :fence")
_CLAIM = """UPDATE accounts SET next_attempt = next_attempt + ?, clock_offset_s = coalesce(?, clock_offset_s)
    WHERE account = ? AND fence = ? RETURNING next_attempt, clock_offset_s"""


@contextmanager
def hold_account(store: Store, account: str, holder: str, now: Callable[[], datetime]) -> Iterator[Fence]:
    """Hold the account until the block ends or the process dies.

    Raises: LockedError naming the holder (what, host, process, since) when another writer has it.
    """
    with _held(store, account):
        fence = _take(store, account, holder, now())
        try:
            yield fence
        finally:
            with contextlib.suppress(LedgerError):  # the note is a courtesy; the lock itself goes with the block
                _note_release(store, fence, now())


def claim(connection: Connection, fence: Fence, count: int, clock_offset_s: float | None) -> tuple[int, float]:
    """Check the fence and take `count` attempt ids; returns the first and the vendor's clock offset.

    Raises: LedgerError when a later writer took the account.
    """
    found = run(connection, _CLAIM, (count, clock_offset_s, fence.account, fence.number)).fetchall()
    if not found:
        raise LedgerError(
            f"the right to write to account {fence.account} (number {fence.number}, {fence.holder}) has passed to a later writer: "
            "this process stops here; nothing of this step was stored. Run the command again when the other writer is done."
        )
    following, offset_s = found[0]
    return int(following) - count, float(offset_s)


def ensure_account(connection: Connection, account: str) -> None:
    """Make the account's row."""
    connection.execute(_ENSURE, {"account": account})
    connection.execute(_NUMBER, {"first": FIRST_ATTEMPT, "account": account})


def _take(store: Store, account: str, holder: str, moment: datetime) -> Fence:
    values = {"account": account, "holder": holder, "host": socket.gethostname(), "pid": os.getpid(), "now": utc_text(moment)}
    with store.write() as connection:
        ensure_account(connection, account)
        number = connection.execute(_TAKE, values).scalar_one()
    return Fence(account, int(number), holder, moment)


def _note_release(store: Store, fence: Fence, moment: datetime) -> None:
    with store.write() as connection:
        connection.execute(_RELEASE, {"now": utc_text(moment), "account": fence.account, "fence": fence.number})


def _held(store: Store, account: str) -> AbstractContextManager[None]:
    return _flock(store, account) if store.path is not None else _advisory_lock(store, account)


_descriptors: set[int] = set()
"""Lock files open in this process; a forked child closes them, or it would keep the lock of a killed parent."""


def _close_in_child() -> None:
    for descriptor in _descriptors:
        os.close(descriptor)
    _descriptors.clear()


os.register_at_fork(after_in_child=_close_in_child)


@contextmanager
def _flock(store: Store, account: str) -> Iterator[None]:
    """The file is never deleted: a second writer could lock the deleted one and a third the new one."""
    assert store.path is not None  # noqa: S101 - for the type checker; _held chose
    path = store.path.with_name(f"{store.path.name}.{_digest(account).hex()[:16]}.lock")
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    owner = os.getpid()
    _descriptors.add(descriptor)
    try:
        if not _try_flock(descriptor):
            raise _locked(store, account)
        yield
    finally:
        if os.getpid() == owner:
            _descriptors.discard(descriptor)
            os.close(descriptor)


def _try_flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _advisory_lock(store: Store, account: str) -> Iterator[None]:
    """On its own connection, outside the pool: the server frees the lock when that connection ends, however it ends."""
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()
        connection.execute(text("SELECT set_config('tcp_keepalives_idle', '30', false)"))
        schema = connection.execute(text("SELECT current_schema()")).scalar_one()  # a ledger each, as files are
        key = int.from_bytes(_digest(f"{schema}\x1f{account}")[:8], "big", signed=True)
        if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar_one():
            raise _locked(store, account)
        try:
            yield
        finally:
            with contextlib.suppress(DBAPIError):  # the server went away and took the lock with it
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})


def _locked(store: Store, account: str) -> LockedError:
    deadline = time.monotonic() + HOLDER_WAIT_S
    named = _holder(store, account)
    while named is None and time.monotonic() < deadline:
        time.sleep(0.02)
        named = _holder(store, account)
    return LockedError(
        f"account {account} is being written by {named or 'another process that has just started'}. One writer at a time: wait until it "
        "ends, or stop that process (its lock goes with it), then run this command again. Nothing was written."
    )


def _holder(store: Store, account: str) -> str | None:
    """Return who holds the account; None while the row still tells of a writer that has left."""
    a = tables.accounts.c
    with store.read() as connection:
        query = select(a.holder, a.host, a.pid, a.acquired_utc, a.released_utc).where(a.account == account)
        found = connection.execute(query).first()
    if found is None or found.holder is None or found.released_utc is not None:
        return None
    return f"{found.holder} (host {found.host}, process {found.pid}, since {found.acquired_utc[:19]}Z)"


def _digest(account: str) -> bytes:
    return hashlib.blake2b(account.encode(), digest_size=16, person=b"crm_account").digest()
