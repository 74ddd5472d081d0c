"""Words, owners, tags, merged records and kinds of a client's map that cannot be."""

from __future__ import annotations

import pytest

from crm_pipelines.errors import SpecError
from crm_pipelines.phases.contracts import destination_contract, load_source, source_contract
from crm_pipelines.spec.client import load_client
from crm_pipelines.spec.overlay import lay_over
from crm_pipelines.spec.parse import parse
from crm_pipelines_tests.lib.spec_text import route_text

SPEC = parse(route_text()).spec
CONTRACTS = source_contract(load_source("kartra")), destination_contract("pipedrive")


def told(part: str) -> list[str]:
    client = load_client(SPEC, f"owners: queue_rows\nmap:\n  {part}\n")
    with pytest.raises(SpecError) as caught:
        lay_over(SPEC, client.map, *CONTRACTS, client.document)
    return [str(problem).removeprefix("decisions.yaml:3: map.") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ("values: {contact.status: {A: B}}", "values.contact.status: the route reads no export 'contact'; did you mean 'contacts'?"),
        ("values: {contacts: {A: B}}", "values.contacts: must name a column, as contacts.id"),
        ("values: {contacts.Lead ID: {1: 2}}", "values.contacts.Lead ID: identifies the rows; records that are one stand under `same`"),
        *(
            (f"values: {{{place}: {{1: 2}}}}", f"values.{place}: tells whose row it is, and is not replaced")
            for place in ("contacts.email", "transactions.lead_id", "transactions.buyer_email", "calendars.lead_email", "affiliates.email")
        ),
        *(
            (f"values: {{{place}: {{1: 2}}}}", f"values.{place}: names owners; who takes over from whom stands")
            for place in ("contacts.owner", "calendars.host_email_address")
        ),
        ("values: {contacts.date_joined: {never: x}}", "values.contacts.date_joined: holds dates, which are read and not replaced"),
        ("values: {contacts.blacklisted: {perhaps: maybe}}", "values.contacts.blacklisted: must become yes or no"),
        ("values: {contacts.score: {high: very}}", "values.contacts.score: must become a whole number"),
        ("values: {transactions.amount: {free: nothing}}", "values.transactions.amount: must become a number as 1234.50"),
        (
            "values: {contacts.status: {Old: Active, ' oLD': Inactive}}",
            "values.contacts.status: stands here twice (case does not matter) with two meanings",
        ),
        ("values: {contacts.status: {'  ': Active}}", "values.contacts.status: is an empty word"),
        ("values: {contacts.status: {Old: ' '}}", "values.contacts.status: becomes an empty word; only tags can be left out"),
        ("tags: {contacts.status: {Old: New}}", "tags.contacts.status: is no list of tags; words of other columns stand under `values`"),
        ("tags: {contacts.tags: {Old: New, old: }}", "tags.contacts.tags: stands here twice"),
        ("owners: {ana@example.com: Bob}", "owners: must be the e-mail address of the user who takes over"),
        (
            "owners: {ana@example.com: Bob@example.com, bob@example.com: cy@example.com}",
            "owners: goes to an owner whose records go to somebody else; write the user who takes over in the end",
        ),
        ("stale_before: {nonsense: 2025-01-01}", "stale_before.nonsense: only contacts can be stale"),
        ("stale_before: {contact: 2025-01-01}", "stale_before.contact: only contacts can be stale; did you mean 'contacts'?"),
        ("same: {contact: [[1, 2]]}", "same.contact: only records of contacts can be merged; did you mean 'contacts'?"),
        ("same: {contacts: [[1]]}", "same.contacts[0]: needs two keys or more"),
        ("same: {contacts: [[1, 2], [3, 1]]}", "same.contacts[1][1]: is in group 1, too; put both groups together, or take it out of one"),
        ("same: {contacts: [[1, 2, 1]]}", "same.contacts[0]: names a key twice"),
        ("same: {contacts: [[1, '']]}", "same.contacts[0][1]: is empty; write the key of a record"),
        (
            "same: {contacts: [[1, 2, 3]]}\n  different: {contacts: [[3, 1]]}",
            "decisions.yaml:4: map.different.contacts[0]: are two of one group",
        ),
        ("left_behind: {lists: {1: nobody needs it}}", "left_behind.lists: the route reads no rows of 'lists' that could stay behind"),
        ("left_lines: {contacts: {001-x: {one: nobody needs it}}}", "left_lines.contacts: must be the number of a row"),
        ("conflicts: {person: {1: {name: {take: ours, export: ab}}}}", "conflicts.person: the route has no phase 'person'"),
        ("leave_out: {transactions: [no_email]}", "leave_out.transactions: only contacts have kinds that can be left out"),
    ],
)
def test_what_cannot_be_is_told_with_its_line_and_without_a_person_s_data(part: str, problem: str) -> None:
    (found,) = told(part)
    assert found.startswith(problem)


def test_everything_is_told_at_once() -> None:
    assert len(told("same: {contacts: [[1]]}\n  owners: {a: b}\n  columns: {contacts: {A: {phase: people, field: nme}}}")) == 3


def test_owners_who_take_over_from_each_other_are_refused_and_one_who_stays_is_not() -> None:
    assert [
        "take over from each other" in each for each in told("owners: {a@example.com: b@example.com, b@example.com: a@example.com}")
    ] == [
        True,
        True,
    ]
    client = load_client(SPEC, "map: {owners: {a@example.com: b@example.com, b@example.com: b@example.com}}")
    assert lay_over(SPEC, client.map, *CONTRACTS, client.document) == SPEC


def test_groups_that_share_no_key_and_keys_that_stand_apart_are_fine() -> None:
    client = load_client(SPEC, "map: {same: {contacts: [[1, 2], [3, 4]]}, different: {contacts: [[1, 3], [1, 4]]}}")
    assert lay_over(SPEC, client.map, *CONTRACTS, client.document) == SPEC
