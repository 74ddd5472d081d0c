"""Any sequence of waves, answers, crashes and reopenings leaves a ledger that tells the truth.

The model is plain Python: a dict per record and a list of what was sent. A crash throws the writer away with whatever its
group still holds.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crm_pipelines.errors import LedgerError, QuotaExhausted
from crm_pipelines.journal import Allowance, Attempt, Outcome, Result
from crm_pipelines.ledger import Ledger

SCOPE = ("account", "engagement", "people")
KEYS = [f"k{i}" for i in range(8)]
DAY = Allowance("d", limit=100, reserve=20, resumes_at=datetime(2026, 11, 23, tzinfo=UTC))


class Writers(RuleBasedStateMachine):
    """One account, one writer after the other, grouped or not."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("crm_pipelines.ledger.journal.GROUP_WAIT_S", 3600)  # the model has no clock
        self.open: dict[int, str] = {}
        self.ids: dict[str, str] = {}
        self.waiting_in_group: list[Outcome] = []
        self.spent = 0
        self.next_id = 0
        self.grouped = False

    @initialize(grouped=st.booleans())
    def begin(self, grouped: bool) -> None:
        self._start(grouped)

    @rule(keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=5), cost=st.integers(1, 4))
    def send(self, keys: list[str], cost: int) -> None:
        wave = [Attempt(key, "create", "h", b"{}", "t", cost) for key in keys]
        closing = {outcome.attempt_id for outcome in self.waiting_in_group}
        busy = {key for number, key in self.open.items() if number not in closing}
        must_fail = len(set(keys)) < len(keys) or bool(busy & set(keys))
        try:
            sent = self.journal.sending(wave, DAY)
        except QuotaExhausted:
            assert self.spent + cost * len(keys) > DAY.limit - DAY.reserve
            self._group_stored()
        except LedgerError:
            assert must_fail
        else:
            assert not must_fail
            assert self.spent + cost * len(keys) <= DAY.limit - DAY.reserve
            self._group_stored()
            self.spent += cost * len(keys)
            self.open |= dict(zip(sent, keys, strict=True))

    @precondition(lambda self: self._answerable())
    @rule(data=st.data(), result=st.sampled_from(["created", "adopted", "refused", "absent", "conflict"]))
    def answer(self, data: st.DataObject, result: Result) -> None:
        numbers = data.draw(st.lists(st.sampled_from(self._answerable()), min_size=1, unique=True))
        outcomes = [Outcome(number, self.open[number], result, self._destination_id(self.open[number], result)) for number in numbers]
        self.journal.answered(outcomes)
        self.waiting_in_group += outcomes
        if not self.grouped:
            self._group_stored()

    @precondition(lambda self: self._answerable())
    @rule(data=st.data())
    def answer_with_a_second_id(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self._answerable()))
        if self.grouped or self.open[number] not in self.ids:
            return
        try:
            self.journal.answered([Outcome(number, self.open[number], "created", "another")])
        except LedgerError:
            return
        raise AssertionError("a record got a second destination id")

    @rule()
    def flush(self) -> None:
        self.journal.flush()
        self._group_stored()

    @rule(grouped=st.booleans())
    def crash(self, grouped: bool) -> None:
        """The group is lost with the process; nothing else is."""
        for outcome in self.waiting_in_group:
            if outcome.destination_id is not None:
                self.waiting_ids.pop(outcome.key, None)
        self.waiting_in_group = []
        self._end()
        self._start(grouped)

    @invariant()
    def the_ledger_tells_the_truth(self) -> None:
        if not hasattr(self, "ledger"):
            return
        assert {found.attempt_id: found.attempt.key for found in self.ledger.open_attempts("account")} == self.open
        assert self.ledger.ids(*SCOPE) == self.ids
        assert self.ledger.spend("account", "d").spent_ours == self.spent
        assert sum(self.ledger.spend("account", "d").by_operation.values()) == self.spent

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self._end()
        self.patch.undo()
        shutil.rmtree(self.folder)

    def _start(self, grouped: bool) -> None:
        self.grouped = grouped
        self.waiting_ids: dict[str, str] = {}
        self.ledger = Ledger.open(f"sqlite:///{self.folder}/ledger.db")
        self.lock = self.ledger.lock("account", "machine")
        fence = self.lock.__enter__()
        make = self.ledger.grouped_journal if grouped else self.ledger.journal
        self.journal = make(*SCOPE, 1, fence)

    def _end(self) -> None:
        self.lock.__exit__(None, None, None)
        self.ledger.close()

    def _answerable(self) -> list[int]:
        waiting = {outcome.attempt_id for outcome in self.waiting_in_group}
        return sorted(number for number in self.open if number not in waiting)

    def _destination_id(self, key: str, result: Result) -> str | None:
        """What a vendor does: one id per record, kept for good."""
        if result not in ("created", "adopted"):
            return None
        self.next_id += 1
        return self.ids.get(key) or self.waiting_ids.setdefault(key, f"id{self.next_id}")

    def _group_stored(self) -> None:
        for outcome in self.waiting_in_group:
            del self.open[outcome.attempt_id]
            if outcome.destination_id is not None:
                self.ids[outcome.key] = outcome.destination_id
        self.waiting_in_group = []
        self.waiting_ids = {}


Writers.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestWriters = Writers.TestCase
