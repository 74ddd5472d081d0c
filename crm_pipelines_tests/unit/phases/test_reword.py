"""A client's words in place of those of the export, before anything is made of a cell."""

from __future__ import annotations

from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_pipelines.phases.contracts import load_source, source_contract
from crm_pipelines.phases.reword import reworded, rewording, several_words
from crm_pipelines.spec.client_map import ClientMap
from crm_pipelines.spec.folding import folded_word, folded_words
from crm_pipelines.spec.parse import parse
from crm_pipelines_tests.lib.spec_text import compiled_route, route_text

DERIVE = parse(route_text()).spec.derive
SOURCE = source_contract(load_source("kartra"))


def after(client_map: dict[str, Any], name: str, **columns: Any) -> dict[str, list[Any]]:
    words = rewording(ClientMap.model_validate(client_map), DERIVE, SOURCE)
    return reworded(pl.LazyFrame(columns), words.get(name, {})).collect().to_dict(as_series=False)


def test_words_are_found_trimmed_and_in_any_case_and_others_stay() -> None:
    found = after({"values": {"contacts.Status": {"subscribd": "Subscribed"}}}, "contacts", status=[" SUBSCRIBD ", "Subscribd2", None, ""])
    assert found == {"status": ["Subscribed", "Subscribd2", None, ""]}


def test_a_word_is_replaced_once_even_where_words_change_places() -> None:
    assert after({"values": {"contacts.source": {"a": "b", "b": "a"}}}, "contacts", source=["a", "b"]) == {"source": ["b", "a"]}


def test_a_column_that_the_contract_does_not_know_is_named_by_its_heading() -> None:
    assert after({"values": {"contacts.Shoe Size!": {"XL": "44"}}}, "contacts", shoe_size=["xl"]) == {"shoe_size": ["44"]}


def test_members_of_a_list_are_renamed_left_out_and_never_doubled() -> None:
    tags = [["Old", "New"], ["vip", "gone"], ["GONE"], [], None]
    found = after(
        {"tags": {"contacts.tags": {"old": "New", "Gone": None}}, "values": {"contacts.tags": {"vip": "VIP"}}}, "contacts", tags=tags
    )
    assert found == {"tags": [["New"], ["VIP"], None, None, None]}


def test_a_cell_that_could_not_be_read_is_given_a_value_and_a_read_one_stays() -> None:
    client_map = {"values": {"contacts.blacklisted": {"perhaps": "no"}, "contacts.score": {"high": "90"}}}
    found = after(
        client_map,
        "contacts",
        blacklisted=[None, True, None],
        raw_blacklisted=["Perhaps", "perhaps", "?"],
        score=pl.Series([None, 5, None], dtype=pl.Int64),
        raw_score=["high", "5", "?"],
    )
    assert (found["blacklisted"], found["score"]) == ([False, True, None], [90, 5, None])


def test_an_owner_is_replaced_wherever_owners_are_named() -> None:
    client_map = {"owners": {"Ana@Example.com": "bea@example.com"}}
    assert after(client_map, "contacts", owner=["ana@example.com ", "cy@example.com"]) == {"owner": ["bea@example.com", "cy@example.com"]}
    assert after(client_map, "calendars", host_email_address=["ANA@example.com"]) == {"host_email_address": ["bea@example.com"]}


def test_of_a_cell_with_several_words_each_is_replaced_and_a_text_that_holds_a_comma_is_one() -> None:
    fruit = {"field_identifier": "fruit", "field_type": "checkbox", "options": ["apple", "pear"], "option_ids": ["1", "2"]}
    phases = compiled_route([fruit]).phases.values()
    words = rewording(ClientMap(values={"contacts.fruit": {"aple": "apple"}, "contacts.source": {"Ad": "Advert"}}), DERIVE, SOURCE)[
        "contacts"
    ]
    several = several_words(phases, DERIVE, "contacts", words)
    frame = pl.LazyFrame({"fruit": ["pear, Aple|pear", "APLE", "pear", None], "source": ["Ad, paid", "ad", None, ""]})
    assert several == {"fruit"}
    assert reworded(frame, words, several).collect().to_dict(as_series=False) == {
        "fruit": ["pear,apple|pear", "apple", "pear", None],
        "source": ["Ad, paid", "Advert", None, ""],
    }


def test_without_words_nothing_is_touched() -> None:
    frame = pl.LazyFrame({"status": ["a"]})
    assert reworded(frame, {}) is frame


def test_words_are_compared_as_proposals_compare_them() -> None:
    words = {"values": {"contacts.status": {"Straße": "Unsubscribed", "Soft Bounce x": "Multiple soft bounces"}}}
    found = after(words, "contacts", status=["STRASSE", "straße ", "Soft  Bounce x", "SOFT\u00a0BOUNCE X", "Strase"])
    assert found == {"status": [*["Unsubscribed"] * 2, *["Multiple soft bounces"] * 2, "Strase"]}
    assert all(folded_word(word) == folded_word("Straße") for word in ("STRASSE", "straße "))


def test_pieces_of_a_cell_are_compared_as_whole_words_are() -> None:
    words = rewording(ClientMap.model_validate({"values": {"contacts.hobbies": {"Große Reise": "Travel"}}}), DERIVE, SOURCE)
    found = reworded(pl.LazyFrame({"hobbies": ["GROSSE  REISE, Chess"]}), words["contacts"], {"hobbies"}).collect()
    assert found["hobbies"].to_list() == ["Travel, Chess"]


@settings(deadline=None)
@given(st.lists(st.none() | st.text(alphabet=st.sampled_from("aAßẞsS İı\u00a0\t\x1c\u200bΣς"), max_size=8), max_size=12))
def test_a_column_is_folded_as_each_of_its_words_is(words: list[str | None]) -> None:
    found = pl.DataFrame({"word": pl.Series(words, dtype=pl.String)}).select(folded_words(pl.col("word")))["word"].to_list()
    assert found == [None if word is None else folded_word(word) for word in words]
