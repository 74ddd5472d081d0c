"""One writer per account, by process, by thread, after kills, and by fence."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time

import polars as pl
import pytest

from crm_pipelines.errors import EXIT_DESTINATION, LedgerError, LockedError
from crm_pipelines.journal import Attempt, Outcome
from crm_pipelines.ledger import Fence, Ledger
from crm_pipelines_tests.conformance.ledger.conftest import ACCOUNT, ENGAGEMENT, PHASE
from crm_pipelines_tests.conformance.ledger.writer import start

ONE = [Attempt("a@example.com", "create", "h", b"{}", "t", 5)]


def test_a_second_process_is_told_who_writes(url: str) -> None:
    with start("hold", url) as writer, Ledger.open(url) as ledger:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "held\n"
        try:
            with pytest.raises(LockedError) as told, ledger.lock(ACCOUNT, "second"):
                pass
        finally:
            writer.kill()
    text = str(told.value)
    for part in ("load of people, engagement acme", socket.gethostname(), f"process {writer.pid}", "since 20"):
        assert part in text
    assert told.value.exit_code == EXIT_DESTINATION


def test_after_kill_9_the_next_writer_gets_it_at_once(url: str) -> None:
    with start("hold", url) as writer, Ledger.open(url) as ledger:
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        began = time.monotonic()
        while True:  # the server of PostgreSQL notices the dead connection a moment later
            try:
                with ledger.lock(ACCOUNT, "second") as fence:
                    break
            except LockedError:
                assert time.monotonic() - began < 5
        assert fence.number == 2


def test_a_second_thread_is_refused(ledger: Ledger, fence: Fence) -> None:
    caught: list[Exception] = []

    def second() -> None:
        try:
            with ledger.lock(ACCOUNT, "second"):
                pass
        except LockedError as error:
            caught.append(error)

    thread = threading.Thread(target=second)
    thread.start()
    thread.join()
    assert [type(error) for error in caught] == [LockedError]
    assert "test (host" in str(caught[0])


def test_another_account_is_free(ledger: Ledger, fence: Fence) -> None:
    with ledger.lock("other account/with:odd name", "second") as other:
        assert other.number == 1


def test_the_lock_is_free_again_after_the_block_and_after_an_error(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), ledger.lock(ACCOUNT, "first"):
        raise RuntimeError
    with pytest.raises(BlockingIOError), ledger.lock(ACCOUNT, "second"):
        raise BlockingIOError
    with ledger.lock(ACCOUNT, "third") as fence:
        assert fence.number == 3


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_keep_the_lock(ledger: Ledger) -> None:
    read_end, write_end = os.pipe()
    with ledger.lock(ACCOUNT, "parent"):
        child = os.fork()
        if child == 0:  # what a process pool does: live on, and never touch the ledger
            os.read(read_end, 1)
            os._exit(0)
    try:
        with ledger.lock(ACCOUNT, "after the parent") as fence:
            assert fence.number == 2
    finally:
        os.write(write_end, b"x")
        os.waitpid(child, 0)


def test_a_stale_fence_can_neither_send_nor_answer_nor_hold(ledger: Ledger) -> None:
    with ledger.lock(ACCOUNT, "first") as old:
        journal = ledger.journal(ACCOUNT, ENGAGEMENT, PHASE, 1, old)
        sent = journal.sending(ONE, None)
    with ledger.lock(ACCOUNT, "second"):
        held = pl.DataFrame({"key": ["a"], "state": ["waiting"], "queue": ["owner"], "reason": ["r"], "hash": ["h"]})
        with pytest.raises(LedgerError, match="passed to a later writer"):
            journal.sending([Attempt("b@example.com", "create", "h", b"{}", "t", 5)], None)
        with pytest.raises(LedgerError, match="passed to a later writer"):
            journal.answered([Outcome(sent[0], "a@example.com", "created", "1")])
        with pytest.raises(LedgerError, match="passed to a later writer"):
            ledger.hold(ACCOUNT, ENGAGEMENT, PHASE, 1, old, held)
        assert [found.attempt.key for found in ledger.open_attempts(ACCOUNT)] == ["a@example.com"]
        assert ledger.counts(ACCOUNT, ENGAGEMENT, PHASE) == {"open": 1}
