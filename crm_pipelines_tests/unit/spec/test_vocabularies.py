"""Columns whose words the spec lists all: a client's word becomes one of them, or `crm check` names the line."""

from __future__ import annotations

import pytest

from crm_pipelines.errors import SpecError
from crm_pipelines.phases.contracts import destination_contract, load_source, source_contract
from crm_pipelines.spec.client import load_client
from crm_pipelines.spec.overlay import lay_over
from crm_pipelines.spec.parse import parse
from crm_pipelines.spec.vocabularies import word_columns
from crm_pipelines_tests.lib.spec_text import route_text

SPEC = parse(route_text()).spec
CONTRACTS = source_contract(load_source("kartra")), destination_contract("pipedrive")


def problems(part: str) -> list[str]:
    client = load_client(SPEC, f"owners: queue_rows\nmap:\n  values:\n    {part}\n")
    try:
        lay_over(SPEC, client.map, *CONTRACTS, client.document)
    except SpecError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_a_word_becomes_one_that_the_map_knows_or_check_names_its_line() -> None:
    (problem,) = problems('contacts.status: {Active: Nowhere, "Do not call": Do not contact}')
    assert problem.startswith("decisions.yaml:4: map.values.contacts.status: becomes a word that the map does not know. One of: `")
    (near,) = problems("contacts.status: {Gone: Do not contac}")
    assert "; did you mean 'Do not contact'? One of: " in near


@pytest.mark.parametrize(
    "part",
    [
        "contacts.status: {Away: DO  not contact}",
        "transactions.type: {Verkauf: sale}",
        "contacts.company: {Nowhere Ltd: Somewhere Ltd}",
        "contacts.Favourite colour: {rot: red}",
    ],
)
def test_known_words_and_columns_without_a_vocabulary_are_free(part: str) -> None:
    assert problems(part) == []


def test_what_stands_for_every_other_word_in_an_order_is_no_word_to_become() -> None:
    known = word_columns(SPEC, CONTRACTS[0].objects)["contacts", "status"].known
    assert known is not None
    assert (known["do not contact"], "*" in known) == ("Do not contact", False)
    assert len(problems('contacts.status: {Gone: "*"}')) == 1


def test_an_unknown_option_is_told_in_whole_sentences() -> None:
    with pytest.raises(SpecError, match=r"owners: unknown option\. One of: "):
        load_client(SPEC, "owners: xyzzy\n")
