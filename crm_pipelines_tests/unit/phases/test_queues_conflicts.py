"""A side taken in a conflict: for which values it stands, and what it sends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crm_pipelines.phases.queues_conflicts import EDITED, LEFT, Question, carry_out, reason_of, sends

NAME = Question("name", EDITED, "Ann", "Anna", "Ann", asked="a1", over="b1")
LEVEL = Question("custom.Level", LEFT, "Gold", "Gold", None, asked="a2", over="b2")
LABELS = Question("labels", LEFT, ["x"], ["x"], ["y"], ("theirs",), asked="a3", over="b3")


@pytest.mark.parametrize(
    ("now", "ours", "theirs"),
    [
        (NAME, "ours", "theirs"),
        (replace(NAME, asked="another value of the export"), None, None),
        (replace(NAME, over="edited again"), None, "theirs"),
    ],
)
def test_an_answer_stands_for_what_was_asked_and_ours_for_what_was_seen(now: Question, ours: Any, theirs: Any) -> None:
    assert now.answer({"name": NAME.taken("ours")}) == ours
    assert now.answer({"name": NAME.taken("theirs")}) == theirs
    assert now.answer({"custom.name": NAME.taken("ours")}) is None


def test_a_side_that_the_destination_cannot_take_is_no_answer() -> None:
    assert LABELS.answer({"labels": LABELS.taken("ours")}) is None


def test_ours_is_sent_theirs_is_spared_and_what_nobody_answered_is_asked_still() -> None:
    fields: dict[str, Any] = {"phone": "1", "custom": {"Size": 2}}
    answers = {"name": NAME.taken("theirs"), "custom.Level": LEVEL.taken("ours")}
    assert carry_out([NAME, LEVEL, LABELS], answers, fields) == [LABELS]
    assert fields == {"phone": "1", "custom": {"Size": 2, "Level": None}}
    assert carry_out([NAME], {"name": NAME.taken("ours")}, fields) == []
    assert fields["name"] == "Ann"


def test_what_somebody_edited_is_told_before_what_is_left() -> None:
    assert reason_of([LEVEL, NAME]) == "edited_in_destination: name"
    assert reason_of([LEVEL, LABELS]) == "merged_data_left: Level, labels"


def test_an_update_of_nothing_but_what_is_spared_sends_nothing() -> None:
    fields, theirs = {"name": "Ann", "custom": {"Level": "Gold"}}, {"name": NAME.taken("theirs"), "custom.Level": LEVEL.taken("theirs")}
    assert not sends(fields, [NAME, LEVEL], theirs)
    assert sends({**fields, "phone": "1"}, [NAME, LEVEL], theirs)
    assert sends({}, [NAME], {"name": NAME.taken("ours")})
