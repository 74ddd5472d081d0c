"""What a client's decisions make of the route: phases, order, fields, options, lineage."""

from __future__ import annotations

import pytest

from crm_pipelines.errors import SpecError
from crm_pipelines.spec.client import load_decisions
from crm_pipelines.spec.compile import Compiled, CompiledPhase, compile_spec, load_order
from crm_pipelines.spec.derived import BOOKKEEPING, resolved_frames
from crm_pipelines.spec.parse import parse
from crm_pipelines_tests.lib.contracts import kartra_contract
from crm_pipelines_tests.lib.spec_text import NEW_YORK, compiled_route, route_text
from crm_pipelines_tests.lib.staged_objects import resolved, staged

FRUIT = {"field_identifier": "favourite_fruit", "field_type": "checkbox", "options": ["apple", "pear"], "option_ids": ["1", "2"]}
SIZE = {"field_identifier": "Shirt-Size", "field_type": "Drop_Down", "options": ["S", "M"], "option_ids": None}


def names(compiled: Compiled, phase: str) -> set[str]:
    return {field.name for field in compiled.phases[phase].fields}


def test_parents_go_first_and_pairs_last() -> None:
    compiled = compiled_route()
    assert compiled.order == ("users", "organizations", "people", "deals", "activities", "notes", "tags")
    assert compiled.phases["tags"].pairs == ("people", "deals")
    assert compiled.derived == ("owners", "companies", "contacts", "purchases", "bookings")


def test_a_circle_of_links_is_refused() -> None:
    phases = {
        "a": CompiledPhase("a", "contacts", (), links={"x": "b"}),
        "b": CompiledPhase("b", "contacts", (), links={"x": "a"}),
        "c": CompiledPhase("c", "contacts", (), links={"self": "c"}),
    }
    with pytest.raises(SpecError, match="links go in a circle among a, b"):
        load_order(phases)


def test_decisions_add_and_remove_fields() -> None:
    compiled = compiled_route(lists="custom_field", extra_fields="core", affiliates="partner_organizations", deal_labels="none")
    assert "Kartra lists" in names(compiled, "people")
    assert not {"Lead score", "Affiliate ID", "Affiliate earned"} & names(compiled, "people")
    assert {"Affiliate username", "label_ids"} <= names(compiled, "organizations")
    assert "label_ids" not in names(compiled, "deals")


def test_core_fits_a_plan_of_thirty_fields() -> None:
    compiled = compiled_route(extra_fields="core")
    assert sum(field.is_custom for phase in compiled.phases.values() for field in phase.fields) <= 25


def test_affiliates_are_at_home_where_they_arrive() -> None:
    assert compiled_route().phases["people"].home_of == ("contacts", "affiliates")
    other = compiled_route(affiliates="partner_organizations")
    assert other.phases["people"].home_of == ("contacts",)
    assert other.phases["organizations"].home_of == ("affiliates",)
    assert other.phases["organizations"].objects == ("contacts", "affiliates")


def test_a_queue_counts_where_rows_are_at_home_by_decision_too() -> None:
    edit = (
        "    home_of: [transactions, subscriptions]\n",
        "    home_if: {transactions: {rebills: fold}, subscriptions: {rebills: fold}}\n",
    )
    assert not compiled_route(None, edit).phases["deals"].is_side
    assert compiled_route().phases["notes"].is_side  # contacts are at home in people


def test_owners_without_a_user_are_treated_as_decided() -> None:
    assert compiled_route().phases["users"].unmatched == "wait"
    assert compiled_route(owners="block_phase").phases["users"].unmatched == "block"
    replaced = compiled_route(owners="default_user", default_owner="ana@example.com").phases["users"]
    assert (replaced.unmatched, replaced.replacement) == ("replace", "ana@example.com")


def test_the_account_s_own_fields_arrive_with_their_options() -> None:
    compiled = compiled_route(
        [FRUIT, SIZE, {"field_identifier": "Website", "field_type": "input_field"}, {"field_identifier": "odd", "field_type": "unheard_of"}]
    )
    fields = {field.name: field for field in compiled.phases["people"].fields}
    assert (fields["favourite_fruit"].type, fields["favourite_fruit"].options) == ("set", ("apple", "pear"))
    assert (fields["Shirt-Size"].type, fields["Shirt-Size"].node.from_) == ("enum", ("shirt_size",))
    assert fields["Website (custom)"].type == "text"
    assert "odd" not in fields


def test_a_field_knows_the_words_of_its_vocabulary_through_a_step() -> None:
    field = next(each for each in compiled_route().phases["people"].fields if each.name == "GDPR status")
    assert field.options == ("Off", "Not subject", "Accepted", "Not accepted", "Unknown", "Pending")


def test_lineage_goes_back_to_the_export() -> None:
    spec = parse(route_text()).spec
    compiled = compile_spec(spec, load_decisions(spec, "owners: queue_rows"), (), NEW_YORK, kartra_contract())
    people, deals = compiled.phases["people"].lineage, compiled.phases["deals"].lineage
    assert people["phones"] == (("contacts", "phone"), ("contacts", "phone_country_code"), ("contacts", "country"))
    assert people["Affiliate username"] == (("affiliates", "username"),)
    assert ("transactions", "amount") in deals["value"]
    assert deals["Billing period"] == (("subscriptions", "subscription_recurring_period"),)


def test_the_fold_delivers_the_columns_that_a_spec_may_name() -> None:
    objects = kartra_contract().objects
    rows = {name: [dict.fromkeys(contract.columns)] for name, contract in objects.items()}
    contact = {**rows["contacts"][0], "id": "1", "email": "ana@example.com"}
    files = [
        staged(name, [contact] if name == "contacts" else each) for name, each in rows.items() if name not in ("custom_fields", "tags")
    ]
    frames = resolved(*files).frames
    for name, frame in resolved_frames(parse(route_text()).spec.derive, objects).items():
        optional = {"label", "affiliate_status", "affiliate_username"} if name == "companies" else set()
        found = set(frames[name].columns) if name in frames else set(frame)
        assert set(frame) - found <= optional, name
        assert set(BOOKKEEPING) <= set(frame)
