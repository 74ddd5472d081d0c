"""The three-way comparison: one line per case of what we wrote, what is wanted now and what is there."""

from __future__ import annotations

from typing import Any

import pytest

from crm_pipelines.phases.three_way import by_policy, left_of_others, three_way

UNION = frozenset({"labels"})
FROZEN = frozenset({"consent"})
CONFLICT = object()

THREE_WAY: dict[str, tuple[Any, ...]] = {
    # what we wrote, what is wanted, what is there: what is sent, or CONFLICT
    "moved, as we left it": ("a", "b", "a", "b"),
    "not moved, edited since": ("a", "a", "theirs", None),
    "moved, edited since": ("a", "b", "theirs", CONFLICT),
    "moved, already so": ("a", "b", "b", None),
    "moved, emptied since": ("a", "b", None, CONFLICT),
    "new, empty there": (None, "b", None, "b"),
    "new, filled since": (None, "b", "theirs", CONFLICT),
}


@pytest.mark.parametrize("case", THREE_WAY)
def test_a_field_is_sent_left_or_in_conflict(case: str) -> None:
    *given, wanted = THREE_WAY[case]
    base, desired, current = ({"name": value} if value is not None else {} for value in given)
    changes = three_way(base, desired, current, UNION, FROZEN)
    assert changes.conflicts == (["name"] if wanted is CONFLICT else [])
    assert changes.fields.get("name") == (None if wanted is CONFLICT else wanted)


def test_a_value_that_the_source_lost_clears_nothing() -> None:
    changes = three_way({"name": "a", "labels": ["x"]}, {"labels": ["x"]}, {"name": "a", "labels": ["x"]}, UNION, FROZEN)
    assert (changes.fields, changes.conflicts) == ({}, [])


def test_a_tag_gone_at_the_source_stays_and_a_new_one_is_united_with_theirs() -> None:
    changes = three_way({"labels": ["x", "y"]}, {"labels": ["y", "z"]}, {"labels": ["x", "Y", "theirs"]}, UNION, FROZEN)
    assert changes.fields == {"labels": ["x", "Y", "theirs", "z"]}


def test_consent_is_only_said_at_creation() -> None:
    assert three_way({"consent": "a"}, {"consent": "b"}, {"consent": "a"}, UNION, FROZEN).fields == {}


def test_what_was_theirs_before_us_is_no_conflict() -> None:
    changes = three_way({"name": "a"}, {"name": "b"}, {"name": "theirs"}, UNION, FROZEN, kept={"name": "theirs"})
    assert (changes.fields, changes.conflicts) == ({}, [])


@pytest.mark.parametrize(
    ("policy", "sent"),
    [
        ("fill_empty", {"phone": "1", "labels": ["theirs", "x"]}),
        ("overwrite", {"name": "ours", "phone": "1", "labels": ["theirs", "x"]}),
        ("leave", {}),
    ],
)
def test_an_adopted_record_gets_what_the_policy_allows(policy: str, sent: Any) -> None:
    desired = {"name": "ours", "phone": "1", "labels": ["x"], "consent": "yes"}
    assert by_policy(policy, desired, {"name": "theirs", "labels": ["theirs"]}, UNION, FROZEN).fields == sent


def test_what_we_wrote_of_a_person_who_is_another_again_is_told() -> None:
    base = {"name": "Ann", "phone": "1", "city": "Rome", "labels": ["x", "y"], "custom": {"Trade": "shop"}}
    other = {"name": "Bob", "phone": "1", "labels": ["y"], "custom": {"Trade": "shop"}}
    mine = {"name": "Ann", "labels": ["x"]}
    assert left_of_others(base, mine, base, [other], UNION) == ["Trade", "labels", "phone"]
    taken_off = {**base, "phone": None, "labels": ["x"], "custom": {}}
    assert left_of_others(base, mine, taken_off, [other], UNION) == []
    assert left_of_others(base, mine, base, [], UNION) == [], "an empty cell of the export takes nothing away"
