"""The account's budget: reserved with the intent, shared by engagements, corrected by headers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crm_pipelines.errors import QuotaExhausted
from crm_pipelines.journal import Allowance, Attempt, Outcome
from crm_pipelines.ledger import Fence, Ledger
from crm_pipelines_tests.conformance.ledger.conftest import ACCOUNT, ENGAGEMENT, PHASE

RESUMES = datetime(2026, 11, 23, tzinfo=UTC)
DAY = Allowance("2026-11-22", limit=1000, reserve=200, resumes_at=RESUMES)


def wave(count: int, name: str = "w", cost: int = 5) -> list[Attempt]:
    return [Attempt(f"{name}-{i}", "create", "h", b"{}", "t", cost) for i in range(count)]


def test_two_engagements_share_the_day_of_their_account(ledger: Ledger, fence: Fence) -> None:
    ours = ledger.journal(ACCOUNT, ENGAGEMENT, PHASE, 1, fence)
    theirs = ledger.journal(ACCOUNT, "second engagement", "deals", 1, fence)
    ours.sending(wave(100), DAY)
    theirs.sending(wave(50), DAY)
    assert ledger.room(ACCOUNT, DAY) == 50
    with pytest.raises(QuotaExhausted) as told:
        ours.sending(wave(11, "x"), DAY)
    assert told.value.resumes_at == RESUMES
    ours.sending(wave(10, "x"), DAY)
    assert ledger.room(ACCOUNT, DAY) == 0
    assert ledger.spend(ACCOUNT, DAY.day).by_operation == {"deals.create": 250, "people.create": 550}
    assert ledger.spend_total(ACCOUNT, "second engagement").spent_ours == 250
    assert ledger.spend_total(ACCOUNT).spent_ours == 800


def test_a_wave_that_does_not_fit_stores_nothing_but_when_to_resume(ledger: Ledger, fence: Fence) -> None:
    journal = ledger.journal(ACCOUNT, ENGAGEMENT, PHASE, 1, fence)
    assert ledger.resumes_at(ACCOUNT) is None
    with pytest.raises(QuotaExhausted):
        journal.sending(wave(161), DAY)
    report = ledger.spend(ACCOUNT, DAY.day)
    assert (report.spent_ours, report.by_operation) == (0, {})
    assert ledger.open_attempts(ACCOUNT) == []
    assert ledger.resumes_at(ACCOUNT) == RESUMES
    assert len(journal.sending(wave(160), DAY)) == 160


def test_grouped_answers_survive_a_day_that_ran_out(ledger: Ledger, fence: Fence) -> None:
    journal = ledger.grouped_journal(ACCOUNT, ENGAGEMENT, PHASE, 1, fence)
    (sent,) = journal.sending(wave(1), DAY)
    journal.answered([Outcome(sent, "w-0", "created", "1")])
    with pytest.raises(QuotaExhausted):
        journal.sending(wave(160, "x"), DAY)
    assert ledger.counts(ACCOUNT, ENGAGEMENT, PHASE) == {"created": 1, "open": 0}


def test_another_day_and_another_account_have_their_own_room(ledger: Ledger, fence: Fence) -> None:
    ledger.journal(ACCOUNT, ENGAGEMENT, PHASE, 1, fence).sending(wave(160), DAY)
    assert ledger.room(ACCOUNT, Allowance("2026-11-23", 1000, 200, RESUMES)) == 800
    assert ledger.room("another account", DAY) == 800


def test_headers_show_what_others_used(ledger: Ledger, fence: Fence) -> None:
    journal = ledger.journal(ACCOUNT, ENGAGEMENT, PHASE, 1, fence)
    journal.sending(wave(20), DAY)
    journal.observed(DAY, remaining=600)
    assert ledger.spend(ACCOUNT, DAY.day).others == 300
    assert journal.room(DAY) == 400
    with pytest.raises(QuotaExhausted):
        journal.sending(wave(81, "x"), DAY)
    journal.sending(wave(80, "x"), DAY)


def test_headers_between_waves_are_stored_with_the_next(ledger: Ledger, fence: Fence) -> None:
    journal = ledger.journal(ACCOUNT, ENGAGEMENT, PHASE, 1, fence)
    journal.observed(DAY, remaining=1000)
    journal.observed(DAY, remaining=900)
    assert ledger.spend(ACCOUNT, DAY.day).others == 0
    journal.sending(wave(1), DAY)
    assert ledger.spend(ACCOUNT, DAY.day).others == 100
    journal.observed(DAY, remaining=895)
    journal.observed(DAY, remaining=795)
    journal.flush()
    assert ledger.spend(ACCOUNT, DAY.day).others == 200


def test_a_header_that_sees_less_than_we_reserved_takes_nothing_back(ledger: Ledger, fence: Fence) -> None:
    journal = ledger.journal(ACCOUNT, ENGAGEMENT, PHASE, 1, fence)
    journal.sending(wave(100), DAY)
    journal.observed(DAY, remaining=990)
    journal.flush()
    report = ledger.spend(ACCOUNT, DAY.day)
    assert (report.spent_ours, report.others) == (500, 0)


def test_reads_count_even_beyond_the_day(ledger: Ledger, fence: Fence) -> None:
    journal = ledger.journal(ACCOUNT, ENGAGEMENT, PHASE, 1, fence)
    for _ in range(3):
        journal.spent("list.people", 300, DAY)
    report = ledger.spend(ACCOUNT, DAY.day)
    assert (report.spent_ours, report.by_operation, report.calls) == (900, {"list.people": 900}, {"list.people": 3})
    assert ledger.room(ACCOUNT, DAY) == 0


def test_calls_are_counted_by_operation(ledger: Ledger, fence: Fence) -> None:
    journal = ledger.journal(ACCOUNT, ENGAGEMENT, PHASE, 1, fence)
    journal.sending([*wave(3), Attempt("u", "update", "h", b"{}", "t", 2, "17")], DAY)
    report = ledger.spend(ACCOUNT, DAY.day)
    assert report.calls == {"people.create": 3, "people.update": 1}
    assert report.by_operation == {"people.create": 15, "people.update": 2}
