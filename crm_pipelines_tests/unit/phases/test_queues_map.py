"""Answers joined with what was decided before: every decision is found in one step, and none contradicts another."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from crm_pipelines.errors import SpecError
from crm_pipelines.phases.queues_answers import Answers
from crm_pipelines.phases.queues_map import wanted_map
from crm_pipelines.phases.twin_groups import Groups
from crm_pipelines.spec.client_map import ClientMap


def test_an_owner_whose_successor_is_answered_for_goes_to_the_end_of_the_chain() -> None:
    known = ClientMap(owners={"zoe@example.com": "Gone@example.com", "yan@example.com": "bea@example.com"})
    found = wanted_map(known, Answers(owners={"gone@example.com": "ana@example.com"}))
    assert found.owners == {
        "zoe@example.com": "ana@example.com",
        "yan@example.com": "bea@example.com",
        "gone@example.com": "ana@example.com",
    }


def test_an_answer_that_names_somebody_who_hands_on_goes_to_the_end_of_the_chain() -> None:
    known = ClientMap(owners={"gone@example.com": "ana@example.com"})
    assert wanted_map(known, Answers(owners={"zoe@example.com": "gone@example.com"})).owners["zoe@example.com"] == "ana@example.com"


def test_an_answer_replaces_the_one_before_whatever_its_case() -> None:
    known = ClientMap(owners={"Zoe@example.com": "gone@example.com"})
    assert wanted_map(known, Answers(owners={"zoe@example.com": "ana@example.com"})).owners == {"zoe@example.com": "ana@example.com"}


def test_owners_who_hand_on_to_each_other_are_refused() -> None:
    with pytest.raises(SpecError, match="in a circle of owners"):
        wanted_map(ClientMap(owners={"ana@example.com": "bea@example.com"}), Answers(owners={"bea@example.com": "ana@example.com"}))


def test_a_word_that_meant_an_unknown_word_means_what_that_one_means_now() -> None:
    known = ClientMap(values={"sales.kind": {"VK": "Verkauf", "RF": "Refund"}})
    found = wanted_map(known, Answers(values={"sales.kind": {"verkauf": "Sale"}}))
    assert found.values == {"sales.kind": {"VK": "Sale", "RF": "Refund", "verkauf": "Sale"}}


def groups(same: Groups, *pairs: tuple[str, str], different: Groups = (), apart: Sequence[tuple[str, str]] = ()) -> tuple[Groups, Groups]:
    """What is decided of contacts after these answers."""
    known = ClientMap(same={"contacts": same}, different={"contacts": different})
    found = wanted_map(known, Answers(same={"contacts": list(pairs)}, different={"contacts": list(apart)}))
    return found.same.get("contacts", ()), found.different.get("contacts", ())


def test_pairs_join_groups_and_the_first_survives() -> None:
    assert groups((("1", "2"),), ("2", "3"), ("4", "5"))[0] == (("1", "2", "3"), ("4", "5"))
    ((kept, *others),) = groups((("1", "2"), ("3", "4")), ("2", "3"))[0]
    assert (kept, sorted(others)) == ("1", ["2", "3", "4"])
    ((kept, *others),) = groups((), ("1", "3"), ("2", "3"))[0]
    assert (kept, sorted(others)) == ("2", ["1", "3"]), "nothing was said of 1 and 2"
    assert groups((("8", "9"),), different=(("5", "6"),), apart=[("1", "2"), ("5", "6")]) == ((("8", "9"),), (("1", "2"), ("5", "6")))


def test_circles_and_answers_that_contradict_what_was_decided_are_refused() -> None:
    with pytest.raises(SpecError, match="in a circle"):
        groups((), ("1", "2"), ("2", "3"), ("3", "1"))
    for given in ({"different": (("1", "3"),)}, {"apart": [("3", "1")]}):
        with pytest.raises(SpecError, match="called the same, and somewhere different"):
            groups((("1", "2"),), ("2", "3"), **given)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="called the same, and somewhere different"):
        groups((("1", "2"),), apart=[("2", "1")])
