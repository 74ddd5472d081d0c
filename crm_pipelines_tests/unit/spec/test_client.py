"""What a client may write into decisions.yaml, what is assumed while a question is open, and what is told about mistakes."""

from __future__ import annotations

import pytest

from crm_pipelines.errors import SpecError
from crm_pipelines.spec.client import Client, load_client, open_questions
from crm_pipelines.spec.parse import parse
from crm_pipelines_tests.lib.spec_text import route_text

SPEC = parse(route_text()).spec


def told(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_client(SPEC, text)
    return [str(problem) for problem in caught.value.problems]


def test_an_open_question_is_no_mistake_and_is_taken_as_its_first_option() -> None:
    client = load_client(SPEC, "lists: custom_field\n")
    assert (client.unanswered, client.answers) == (("owners",), {"lists": "custom_field"})
    assert (client.decisions["owners"], client.decisions["lists"]) == ("queue_rows", "custom_field")


def test_an_answer_that_was_left_empty_is_an_open_question() -> None:
    assert load_client(SPEC, "owners:\n").unanswered == ("owners",)


def test_without_the_address_that_an_option_asks_for_another_option_is_assumed() -> None:
    client = load_client(SPEC, "owners: default_user\n")
    assert (client.unanswered, client.answers["owners"], client.decisions["owners"]) == (("default_owner",), "default_user", "queue_rows")


def test_an_assumed_option_never_asks_for_an_address_itself() -> None:
    asking = "      default_user: They arrive under one user that you name.\n"
    text = route_text((asking, ""), ("    options:\n      queue_rows:", f"    options:\n{asking}      queue_rows:"))
    first = parse(text)
    client = load_client(first.spec, "")
    assert (client.unanswered, client.decisions["owners"]) == (("owners",), "queue_rows")


def test_an_open_question_names_its_options_and_its_line() -> None:
    text = "lists: labels\nowners:\n"
    assert [str(problem) for problem in open_questions(SPEC, load_client(SPEC, text))] == [
        "decisions.yaml:2: owners: needs an answer: What happens to records of a Kartra team member who has no user in Pipedrive? "
        "One of: queue_rows, block_phase, default_user."
    ]


def test_words_and_keys_are_taken_as_they_are_written() -> None:
    client = load_client(
        SPEC,
        "map:\n  same: {contacts: [[0012, 7]]}\n  values: {contacts.x: {No: 1.50, 2020-01-01: on}}\n  tags: {contacts.tags: {Old: }}\n",
    )
    assert client.map.same == {"contacts": (("0012", "7"),)}
    assert client.map.values == {"contacts.x": {"No": "1.50", "2020-01-01": "on"}}
    assert client.map.tags == {"contacts.tags": {"Old": None}}


def test_a_part_that_was_left_empty_decides_nothing() -> None:
    assert load_client(SPEC, "map:\n  values:\n  columns:\n").map.is_empty


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("mapp: {}\n", "decisions.yaml:1: mapp: unknown decision; did you mean 'map'?"),
        ("map: all\n", "decisions.yaml:1: map: must hold `name: value` lines"),
        ("map:\n  colums: {}\n", "decisions.yaml:2: map.colums: unknown key; did you mean 'columns'?"),
        ("map:\n  columns:\n    contacts: none\n", "decisions.yaml:3: map.columns.contacts: must hold `name: value` lines"),
        (
            "map:\n  columns:\n    contacts:\n      Size: {phase: people, custom_field: Size, type: numbr}\n",
            "decisions.yaml:4: map.columns.contacts.Size.type: must be one of 'text', 'long_text', 'number', 'date', 'datetime', 'enum', "
            "'set', 'address', 'boolean' or 'money'; did you mean 'number'?",
        ),
        (
            "map:\n  columns:\n    contacts:\n      Size: {phase: people, custom_field: Size, ignore: We never use it}\n",
            "decisions.yaml:4: map.columns.contacts.Size: needs exactly one of field, custom_field, ignore; found custom_field and ignore",
        ),
        (
            "map:\n  columns:\n    contacts:\n      Size: {ignore: no}\n",
            "decisions.yaml:4: map.columns.contacts.Size.ignore: needs 8 characters or more: words that others understand",
        ),
        ("map:\n  values:\n    contacts.x: {Secret word: [a]}\n", "decisions.yaml:3: map.values.contacts.x: must be one text"),
        ("map:\n  same:\n    contacts:\n      - 12\n", "decisions.yaml:4: map.same.contacts[0]: must be a list, as [one, another]"),
        (
            "map:\n  leave_out: {contacts: [stail]}\n",
            "decisions.yaml:2: map.leave_out.contacts[0]: must be one of 'no_email', 'role_account'",
        ),
        ("owners: [a, b]\n", "decisions.yaml:1: owners: must be one answer, not a list of them. One of: queue_rows"),
        ("owners: queue_rows\nowners: block_phase\n", "decisions.yaml:2: owners: is written twice; keep one"),
        ("owners: \x07\n", "decisions.yaml: (text): is not readable YAML"),
        (f"map: {'[' * 5000}\n", "decisions.yaml"),
    ],
)
def test_every_mistake_has_its_place_and_says_what_to_write(text: str, problem: str) -> None:
    (found,) = told(text)
    assert found.startswith(problem)


def test_a_bomb_of_references_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert any("refers to another place" in line for line in told("\n".join(lines)))


def test_a_person_s_data_is_in_no_message() -> None:
    words, keys = "values: {contacts.first_name: {Rosalind: [x]}}", "same: {contacts: [[x, {4711: 1}]]}"
    text = f"map:\n  {words}\n  owners: {{rosalind@example.com: [x]}}\n  {keys}\n"
    assert len(told(text)) == 3
    assert not any(secret in line for line in told(text) for secret in ("Rosalind", "rosalind", "4711"))


def test_a_hundred_thousand_lines_are_read_in_seconds() -> None:
    client: Client = load_client(SPEC, "map:\n  values:\n    contacts.x:\n" + "".join(f"      w{n}: v\n" for n in range(100_000)))
    assert len(client.map.values["contacts.x"]) == 100_000
