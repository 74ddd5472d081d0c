"""Passes, gates, seals, what prepare made, and forgetting all of it."""

from __future__ import annotations

import pytest

from crm_pipelines.errors import LedgerError, LockedError, SettingsError
from crm_pipelines.journal import Attempt, Outcome
from crm_pipelines.ledger import Fence, Ledger
from crm_pipelines_tests.conformance.ledger.conftest import ACCOUNT, ENGAGEMENT, PHASE


def test_a_pass_is_opened_once_and_the_next_after_it_closed(ledger: Ledger) -> None:
    assert ledger.current_pass(ENGAGEMENT) is None
    assert ledger.open_pass(ENGAGEMENT, ACCOUNT, "001") == 1
    assert ledger.open_pass(ENGAGEMENT, ACCOUNT, "001") == 1
    ledger.close_pass(ENGAGEMENT, 1)
    assert ledger.current_pass(ENGAGEMENT) is None
    assert ledger.open_pass(ENGAGEMENT, ACCOUNT, "002") == 2
    current, closed = ledger.current_pass(ENGAGEMENT), ledger.last_closed(ENGAGEMENT)
    assert current is not None
    assert closed is not None
    assert (current.pass_no, current.intake, current.account, current.closed_utc) == (2, "002", ACCOUNT, None)
    assert (closed.pass_no, closed.intake, closed.closed_utc is not None) == (1, "001", True)


def test_a_rehearsal_has_its_own_open_pass(ledger: Ledger) -> None:
    assert ledger.open_pass(ENGAGEMENT, "rehearsal", "001") == 1
    assert ledger.open_pass(ENGAGEMENT, ACCOUNT, "001") == 2
    assert ledger.open_pass(ENGAGEMENT, "rehearsal", "001") == 1
    ledger.close_pass(ENGAGEMENT, 1)
    assert ledger.current_pass(ENGAGEMENT, "rehearsal") is None
    assert ledger.open_pass("another", ACCOUNT, "001") == 1


def test_closing_twice_is_once_and_closing_nothing_is_an_error(ledger: Ledger) -> None:
    ledger.open_pass(ENGAGEMENT, ACCOUNT, "001")
    ledger.close_pass(ENGAGEMENT, 1)
    first = ledger.last_closed(ENGAGEMENT)
    ledger.close_pass(ENGAGEMENT, 1)
    assert ledger.last_closed(ENGAGEMENT) == first
    with pytest.raises(LedgerError, match="has no pass 2"):
        ledger.close_pass(ENGAGEMENT, 2)


def test_a_gate_opens_by_passing_or_on_a_persons_word(ledger: Ledger) -> None:
    assert ledger.gate(ENGAGEMENT, 1, PHASE) is None
    ledger.record_gate(ENGAGEMENT, 1, PHASE, False, {"pending": 0, "refused": 12})
    shut = ledger.gate(ENGAGEMENT, 1, PHASE)
    assert shut is not None
    assert (shut.is_open, shut.detail) == (False, {"pending": 0, "refused": 12})
    ledger.accept_gate(ENGAGEMENT, PHASE, "Dana", "known bad rows")
    ledger.record_gate(ENGAGEMENT, 1, PHASE, False, {"refused": 12, "pending": 0})
    accepted = ledger.gate(ENGAGEMENT, 1, PHASE)
    assert accepted is not None
    assert (accepted.is_open, accepted.passed, accepted.accepted_by, accepted.accepted_reason) == (True, False, "Dana", "known bad rows")


def test_an_acceptance_does_not_cover_what_came_later(ledger: Ledger) -> None:
    ledger.record_gate(ENGAGEMENT, 1, PHASE, False, {"refused": 12})
    ledger.accept_gate(ENGAGEMENT, PHASE, "Dana", "known bad rows")
    ledger.record_gate(ENGAGEMENT, 1, PHASE, False, {"refused": 13})
    worse = ledger.gate(ENGAGEMENT, 1, PHASE)
    ledger.record_gate(ENGAGEMENT, 2, PHASE, False, {"refused": 12})
    next_pass = ledger.gate(ENGAGEMENT, 2, PHASE)
    assert [gate.is_open for gate in (worse, next_pass) if gate] == [False, False]


def test_accepting_a_gate_that_was_not_judged_says_so(ledger: Ledger) -> None:
    with pytest.raises(SettingsError, match="has no gate people to accept"):
        ledger.accept_gate(ENGAGEMENT, PHASE, "Dana", "why not")


def test_seals_are_numbered_and_the_newest_of_a_kind_counts(ledger: Ledger) -> None:
    assert ledger.latest_seal(ENGAGEMENT, "full") is None
    assert ledger.add_seal(ENGAGEMENT, "sample", "d1", {"phases": ["people"]}, "Dana") == 1
    assert ledger.add_seal(ENGAGEMENT, "full", "d2", {"phases": []}, "Dana", cites=1) == 2
    assert ledger.add_seal(ENGAGEMENT, "full", "d3", {}, "Lee", without_sample_reason="no time") == 3
    sample, full = ledger.latest_seal(ENGAGEMENT, "sample"), ledger.latest_seal(ENGAGEMENT, "full")
    assert sample is not None
    assert full is not None
    assert (sample.seal_no, sample.digest, sample.content, sample.by, sample.cites) == (1, "d1", {"phases": ["people"]}, "Dana", None)
    assert (full.seal_no, full.by, full.cites, full.without_sample_reason) == (3, "Lee", None, "no time")


def test_the_trail_keeps_every_word_of_a_person_in_order(ledger: Ledger) -> None:
    assert ledger.audit(ENGAGEMENT) == []
    ledger.add_seal(ENGAGEMENT, "sample", "d1", {"phases": []}, "Dana", told={"changes": ["one"]})
    assert ledger.add_audit(ENGAGEMENT, "Lee", "queue resolved", {"queue": "owner", "rows": 3}) == 2
    assert ledger.add_audit("another", "Lee", "queue resolved", {}) == 1
    ledger.record_gate(ENGAGEMENT, 1, PHASE, False, {"refused": 12})
    ledger.accept_gate(ENGAGEMENT, PHASE, "Dana", "known bad rows")
    ledger.accept_gate(ENGAGEMENT, PHASE, "Dana", "known bad rows", is_carried=True)
    trail = ledger.audit(ENGAGEMENT)
    assert [(each.audit_no, each.by, each.what) for each in trail] == [
        (1, "Dana", "map confirmed"),
        (2, "Lee", "queue resolved"),
        (3, "Dana", "gate accepted"),
    ]
    assert (trail[0].detail["seal"], trail[0].detail["changes"]) == (1, ["one"])
    assert trail[2].detail == {"phase": PHASE, "reason": "known bad rows"}
    assert trail[0].done_utc <= trail[2].done_utc
    assert [seal.seal_no for seal in ledger.seals(ENGAGEMENT)] == [1]


def test_what_prepare_made_is_remembered_per_account(ledger: Ledger) -> None:
    ledger.record_made(ACCOUNT, ENGAGEMENT, "field", "people", "Kartra ID", "hash40")
    ledger.record_made(ACCOUNT, ENGAGEMENT, "field", "people", "Kartra ID", "hash40")
    ledger.record_made("rehearsal", ENGAGEMENT, "field", "people", "Kartra ID", "other")
    assert ledger.made(ACCOUNT, ENGAGEMENT).rows() == [("field", "people", "Kartra ID", "hash40")]
    assert ledger.made(ACCOUNT, "none").is_empty()


def fill(ledger: Ledger, engagement: str) -> None:
    ledger.open_pass(engagement, ACCOUNT, "001")
    with ledger.lock(ACCOUNT, "fill") as fence:
        journal = ledger.journal(ACCOUNT, engagement, PHASE, 1, fence)
        sent = journal.sending([Attempt(f"{engagement}-{i}@example.com", "create", "h", b"{}", "t", 5) for i in range(3)], None)
        journal.answered([Outcome(sent[0], f"{engagement}-0@example.com", "created", "1")])
    ledger.record_gate(engagement, 1, PHASE, True, {})
    ledger.add_seal(engagement, "full", "d", {}, "Dana")
    ledger.record_made(ACCOUNT, engagement, "field", PHASE, "f", "1")


def test_purge_erases_one_engagement_and_keeps_the_accounts_spend(ledger: Ledger) -> None:
    fill(ledger, "gone")
    fill(ledger, "stays")
    ledger.purge("gone")
    assert ledger.records(ACCOUNT, "gone", PHASE).is_empty()
    assert {found.attempt.key for found in ledger.open_attempts(ACCOUNT)} == {"stays-1@example.com", "stays-2@example.com"}
    for left in (ledger.current_pass("gone"), ledger.gate("gone", 1, PHASE), ledger.latest_seal("gone", "full")):
        assert left is None
    assert ledger.made(ACCOUNT, "gone").is_empty()
    assert (ledger.audit("gone"), len(ledger.audit("stays"))) == ([], 1)
    assert ledger.spend_total(ACCOUNT, "gone").spent_ours == 0
    assert ledger.spend_total(ACCOUNT).spent_ours == 30
    assert ledger.ids(ACCOUNT, "stays", PHASE) == {"stays-0@example.com": "1"}


def test_purge_waits_for_no_writer(ledger: Ledger) -> None:
    fill(ledger, "gone")
    with ledger.lock(ACCOUNT, "load of gone"), pytest.raises(LockedError, match="load of gone"):
        ledger.purge("gone")
    assert ledger.ids(ACCOUNT, "gone", PHASE) == {"gone-0@example.com": "1"}


def test_an_engagement_that_comes_back_after_a_purge_starts_empty(ledger: Ledger, fence: Fence) -> None:
    ledger.journal(ACCOUNT, "gone", PHASE, 1, fence)
    ledger.lock(ACCOUNT, "never entered")
    ledger.purge("nothing of this name")
    assert ledger.counts(ACCOUNT, "gone", PHASE) == {"open": 0}
