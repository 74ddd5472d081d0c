"""Intents, outcomes, and what a record looks like after each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crm_pipelines.errors import LedgerError
from crm_pipelines.journal import Attempt, Journal, Operation, Outcome, Result
from crm_pipelines.ledger import Fence, Ledger, LedgerJournal
from crm_pipelines_tests.conformance.ledger.conftest import ACCOUNT, ENGAGEMENT, PHASE

KEY = "ana@example.com"
SCOPE = (ACCOUNT, ENGAGEMENT, PHASE)


def attempt(key: str = KEY, operation: Operation = "create", payload: bytes = b'{"name":"Ana"}', **more: str) -> Attempt:
    return Attempt(key, operation, f"hash of {payload!r}", payload, f"kartra:{key}", 5, **more)


@pytest.fixture
def journal(ledger: Ledger, fence: Fence) -> LedgerJournal:
    return ledger.journal(*SCOPE, 1, fence)


def do(journal: Journal, what: Attempt, result: Result, destination_id: str | None = None, reason: str = "") -> None:
    (sent,) = journal.sending([what], None)
    journal.answered([Outcome(sent, what.key, result, destination_id, reason)])


def row(ledger: Ledger, key: str = KEY) -> dict[str, object]:
    (found,) = ledger.records(*SCOPE, [key]).rows(named=True)
    return {name: value for name, value in found.items() if value is not None and name != "key"}


def test_an_intent_is_seen_by_everyone_before_the_request_leaves(ledger: Ledger, url: str, fence: Fence) -> None:
    sent_utc = datetime(2026, 11, 22, 4, 0, 0, 123456, tzinfo=UTC)
    with Ledger.open(url, now=lambda: sent_utc) as writer:
        journal = writer.journal(*SCOPE, 1, fence)
        journal.vendor_clock(-2.5)
        wave = [attempt(), attempt("bo@example.com", "update", destination_id="17")]
        ids = journal.sending(wave, None)
    found = ledger.open_attempts(ACCOUNT)
    assert [(f.attempt_id, f.phase, f.attempt) for f in found] == [(ids[0], PHASE, wave[0]), (ids[1], PHASE, wave[1])]
    assert {f.sent_utc for f in found} == {sent_utc}
    assert {f.engagement for f in found} == {ENGAGEMENT}
    assert {f.vendor_utc for f in found} == {sent_utc - timedelta(seconds=2.5)}
    assert ledger.records(*SCOPE).is_empty()


def test_the_vendors_clock_is_remembered_by_the_next_writer(ledger: Ledger, journal: LedgerJournal, fence: Fence) -> None:
    journal.vendor_clock(90)
    journal.sending([attempt()], None)
    ledger.journal(ACCOUNT, ENGAGEMENT, "deals", 1, fence).sending([attempt("d1")], None)
    assert [(f.vendor_utc - f.sent_utc).total_seconds() for f in ledger.open_attempts(ACCOUNT) if f.vendor_utc] == [90, 90]


def test_created(ledger: Ledger, journal: LedgerJournal) -> None:
    do(journal, attempt(), "created", "17")
    assert row(ledger) == {"destination_id": "17", "applied_hash": attempt().payload_hash, "outcome": "created", "outcome_pass": 1}
    assert ledger.payloads(*SCOPE, [KEY]).rows() == [(KEY, b'{"name":"Ana"}')]
    assert ledger.ids(*SCOPE, [KEY, "none@example.com"]) == {KEY: "17"}
    assert ledger.open_attempts(ACCOUNT) == []


def test_refused_after_it_was_made_by_half_keeps_the_id(ledger: Ledger, journal: LedgerJournal) -> None:
    do(journal, attempt(), "refused", "17", "created open, not closed")
    found = row(ledger)
    assert (found["destination_id"], found["held_state"], "applied_hash" in found) == ("17", "refused", False)


def test_updated_keeps_the_id_and_takes_the_new_payload(ledger: Ledger, journal: LedgerJournal, fence: Fence) -> None:
    do(journal, attempt(), "created", "17")
    second = ledger.journal(*SCOPE, 2, fence)
    do(second, attempt(operation="update", payload=b"{}", destination_id="17"), "updated")
    assert row(ledger) == {"destination_id": "17", "applied_hash": "hash of b'{}'", "outcome": "updated", "outcome_pass": 2}
    assert ledger.payloads(*SCOPE, [KEY]).rows() == [(KEY, b"{}")]


def test_a_record_created_and_updated_in_one_pass_counts_as_created(ledger: Ledger, journal: LedgerJournal) -> None:
    do(journal, attempt(), "created", "17")
    do(journal, attempt(operation="update", payload=b"{}", destination_id="17"), "updated", "17")
    assert ledger.counts(*SCOPE) == {"created": 1, "open": 0}


def test_adopted(ledger: Ledger, journal: LedgerJournal) -> None:
    do(journal, attempt(), "adopted", "3")
    assert row(ledger)["outcome"] == "adopted"
    assert row(ledger)["destination_id"] == "3"


def test_refused_keeps_what_was_applied_before_and_an_answer_clears_it(ledger: Ledger, journal: LedgerJournal) -> None:
    do(journal, attempt(), "created", "17")
    do(journal, attempt(operation="update", payload=b"bad", destination_id="17"), "refused", reason="400 email")
    assert row(ledger) == {
        "destination_id": "17",
        "applied_hash": attempt().payload_hash,
        "outcome": "created",
        "outcome_pass": 1,
        "held_state": "refused",
        "held_reason": "400 email",
        "held_hash": "hash of b'bad'",
        "held_pass": 1,
    }
    assert ledger.counts(*SCOPE) == {"created": 1, "refused": 1, "open": 0}
    do(journal, attempt(operation="update", payload=b"good", destination_id="17"), "updated")
    assert "held_state" not in row(ledger)


def test_absent_closes_the_attempt_and_nothing_else(ledger: Ledger, journal: LedgerJournal) -> None:
    do(journal, attempt(), "absent")
    assert ledger.counts(*SCOPE) == {"open": 0}
    do(journal, attempt(), "created", "17")
    assert row(ledger)["destination_id"] == "17"


def test_conflict_waits_in_its_queue(ledger: Ledger, journal: LedgerJournal) -> None:
    do(journal, attempt(), "conflict", reason="two records carry the key")
    assert {"held_state": "waiting", "held_queue": "conflict", "held_reason": "two records carry the key"}.items() <= row(ledger).items()


def test_deleted_leaves_no_id_and_the_record_can_be_created_again(ledger: Ledger, journal: LedgerJournal) -> None:
    do(journal, attempt(), "created", "17")
    do(journal, attempt(operation="delete", destination_id="17"), "deleted")
    assert row(ledger) == {"outcome": "deleted", "outcome_pass": 1}
    assert ledger.ids(*SCOPE) == {}
    do(journal, attempt(), "created", "18")
    assert ledger.ids(*SCOPE) == {KEY: "18"}


def test_prepare_is_remembered_as_made_and_is_no_record(ledger: Ledger, journal: LedgerJournal) -> None:
    do(journal, Attempt("field/people/Kartra/ID", "prepare", "", b"", "", 10), "created", "hash40")
    do(journal, Attempt("pipeline/Kartra", "prepare", "", b"", "", 10), "created", "2")
    do(journal, Attempt("label/people/vip", "prepare", "", b"", "", 10), "adopted", "9")
    assert ledger.made(ACCOUNT, ENGAGEMENT).rows() == [("field", "people", "Kartra/ID", "hash40"), ("pipeline", "people", "Kartra", "2")]
    assert ledger.records(*SCOPE).is_empty()


def test_no_second_attempt_while_the_first_is_open(ledger: Ledger, journal: LedgerJournal) -> None:
    journal.sending([attempt()], None)
    with pytest.raises(LedgerError, match=ledger.digest(KEY)) as told:
        journal.sending([attempt("bo@example.com"), attempt()], None)
    assert KEY not in str(told.value)
    assert [f.attempt.key for f in ledger.open_attempts(ACCOUNT)] == [KEY]
    assert ledger.spend_total(ACCOUNT).spent_ours == 5


def test_a_prepare_step_that_was_looked_up_may_be_sent_again(ledger: Ledger, journal: LedgerJournal) -> None:
    step = Attempt("field/people/Kartra ID", "prepare", "", b"", "", 10)
    journal.sending([step], None)
    (again,) = journal.sending([step], None)
    assert [found.attempt_id for found in ledger.open_attempts(ACCOUNT)] == [again]
    journal.answered([Outcome(again, step.key, "created", "hash40")])
    assert ledger.open_attempts(ACCOUNT) == []


def test_no_wave_with_one_record_twice(ledger: Ledger, journal: LedgerJournal) -> None:
    with pytest.raises(LedgerError, match="names one record twice"):
        journal.sending([attempt(), attempt()], None)
    assert ledger.open_attempts(ACCOUNT) == []


def test_no_record_gets_a_second_destination_id(ledger: Ledger, journal: LedgerJournal) -> None:
    do(journal, attempt(), "created", "17")
    (sent,) = journal.sending([attempt()], None)
    with pytest.raises(LedgerError, match=f"record {ledger.digest(KEY)}.*was given another"):
        journal.answered([Outcome(sent, KEY, "created", "18")])
    assert ledger.ids(*SCOPE) == {KEY: "17"}
    assert [f.attempt_id for f in ledger.open_attempts(ACCOUNT)] == [sent]


def test_an_answer_is_recorded_once(ledger: Ledger, journal: LedgerJournal) -> None:
    (sent,) = journal.sending([attempt()], None)
    journal.answered([Outcome(sent, KEY, "created", "17")])
    with pytest.raises(LedgerError, match="no open intent"):
        journal.answered([Outcome(sent, KEY, "created", "17")])


def test_a_bad_answer_in_a_group_stores_none_of_it(ledger: Ledger, journal: LedgerJournal) -> None:
    (sent,) = journal.sending([attempt()], None)
    with pytest.raises(LedgerError, match="no open intent"):
        journal.answered([Outcome(sent, KEY, "created", "17"), Outcome(sent + 1, "x", "created", "18")])
    assert ledger.counts(*SCOPE) == {"open": 1}


def test_the_next_writer_answers_what_the_last_left_open(url: str) -> None:
    with Ledger.open(url) as first, first.lock(ACCOUNT, "first") as fence:
        first.journal(*SCOPE, 1, fence).sending([attempt(), attempt("bo@example.com")], None)
    with Ledger.open(url) as second, second.lock(ACCOUNT, "second") as fence:
        left = second.open_attempts(ACCOUNT, ENGAGEMENT)
        assert second.open_attempts(ACCOUNT, "another engagement") == []
        answers = [
            Outcome(left[0].attempt_id, left[0].attempt.key, "adopted", "17"),
            Outcome(left[1].attempt_id, "bo@example.com", "absent"),
        ]
        second.journal(*SCOPE, 2, fence).answered(answers)
        assert row(second) == {"destination_id": "17", "applied_hash": attempt().payload_hash, "outcome": "adopted", "outcome_pass": 2}
        assert second.open_attempts(ACCOUNT) == []


def test_attempt_numbers_are_never_used_again(journal: LedgerJournal, ledger: Ledger) -> None:
    first = journal.sending([attempt()], None)
    journal.answered([Outcome(first[0], KEY, "absent")])
    assert journal.sending([attempt()], None)[0] > first[0]
    with ledger.lock("another account", "test") as fence:
        other = ledger.journal("another account", ENGAGEMENT, PHASE, 1, fence).sending([attempt()], None)
    assert len({*first, *other}) == 2


def test_a_journal_without_a_fence_only_counts(ledger: Ledger) -> None:
    reading = ledger.journal(*SCOPE, 1, None)
    reading.spent("list.people", 20, None)
    with pytest.raises(LedgerError, match=r"Ledger\.lock"):
        reading.sending([attempt()], None)
    assert ledger.spend_total(ACCOUNT).by_operation == {"list.people": 20}


def test_grouped_answers_are_stored_with_the_next_wave(ledger: Ledger, fence: Fence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_pipelines.ledger.journal.GROUP_WAIT_S", 60)
    journal = ledger.grouped_journal(*SCOPE, 1, fence)
    (sent,) = journal.sending([attempt()], None)
    journal.answered([Outcome(sent, KEY, "created", "17")])
    assert ledger.counts(*SCOPE) == {"open": 1}
    (second,) = journal.sending([attempt(operation="update", payload=b"{}", destination_id="17")], None)
    assert ledger.counts(*SCOPE) == {"created": 1, "open": 1}
    journal.answered([Outcome(second, KEY, "updated", "17")])
    journal.flush()
    assert ledger.counts(*SCOPE) == {"created": 1, "open": 0}


def test_grouped_answers_are_stored_when_they_are_many_or_old(ledger: Ledger, fence: Fence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_pipelines.ledger.journal.GROUP_WAIT_S", 60)
    journal = ledger.grouped_journal(*SCOPE, 1, fence)
    keys = [f"{i}@example.com" for i in range(210)]
    for sent, key in zip(journal.sending([attempt(key) for key in keys], None), keys, strict=True):
        journal.answered([Outcome(sent, key, "created", key)])
    assert ledger.counts(*SCOPE) == {"created": 200, "open": 10}
    monkeypatch.setattr("crm_pipelines.ledger.journal.GROUP_WAIT_S", 0)
    (sent,) = journal.sending([attempt("last")], None)
    journal.answered([Outcome(sent, "last", "created", "last")])
    assert ledger.counts(*SCOPE) == {"created": 211, "open": 0}
