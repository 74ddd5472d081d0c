"""Fields of destinations say what they mean in words that targets.csv has."""

from __future__ import annotations

import pytest

from crm_pipelines.discovery.lexicon import load_lexicon
from crm_pipelines.phases.contracts import destination_contract


@pytest.mark.parametrize("name", ["pipedrive", "odoo"])
def test_every_concept_that_a_contract_names_is_known(name: str) -> None:
    named = [field.concept for phase in destination_contract(name).phases.values() for field in phase.fields.values() if field.concept]
    assert set(named) <= set(load_lexicon().concepts)
    assert len(named) >= 25


@pytest.mark.parametrize("name", ["pipedrive", "odoo"])
def test_no_phase_has_two_fields_of_one_meaning(name: str) -> None:
    for phase in destination_contract(name).phases.values():
        named = [field.concept for field in phase.fields.values() if field.concept]
        assert len(named) == len(set(named))


def test_every_concept_has_names_in_four_languages_and_kinds_of_values() -> None:
    lexicon = load_lexicon()
    for concept in lexicon.concepts:
        languages = {alias.language for alias in lexicon.aliases if alias.concept == concept}
        assert languages == {"en", "de", "es", "fr"}, concept
        assert lexicon.kinds[concept], concept
    assert {kind for fits in lexicon.kinds.values() for kind in fits} <= set(lexicon.called)
