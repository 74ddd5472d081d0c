"""What an author is told when a spec or a decisions file cannot be read."""

from __future__ import annotations

import pytest

from crm_pipelines.errors import SpecError
from crm_pipelines.spec.client import load_decisions
from crm_pipelines.spec.parse import parse
from crm_pipelines_tests.lib.spec_text import line_of, route_text


def problems_of(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        parse(text, "route.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_the_route_parses() -> None:
    spec = parse(route_text()).spec
    assert spec.objects == ("contacts", "transactions", "subscriptions", "calendars", "affiliates", "custom_fields", "tags")
    assert spec.custom_schema == "custom_fields"
    assert spec.required_objects == ("contacts",)


def test_every_mistake_of_shape_is_told_at_once_with_its_line() -> None:
    text = route_text(
        ("existing: fill_empty", "existing: fill_emty"),
        ("send_once: add_time", "sent_once: add_time"),
        ("record_type: type", "record_typ: type"),
        ("      pipeline: {value: Kartra}", "      pipeline: {value: Kartra, from: kind}"),
    )
    found = [problem.partition("; known here:")[0] for problem in problems_of(text)]
    assert found == [
        f"route.yaml:{line_of(text, 'fill_emty')}: phases.organizations.existing: "
        "must be one of 'fill_empty', 'overwrite' or 'leave'; did you mean 'fill_empty'?",
        f"route.yaml:{line_of(text, 'sent_once')}: phases.organizations.sent_once: unknown key; did you mean 'send_once'?",
        f"route.yaml:{line_of(text, 'pipeline: {value')}: phases.deals.fields.pipeline: "
        "needs exactly one of from, template, cases, value, parts, decision; found from and value",
        f"route.yaml:{line_of(text, 'record_typ: type')}: phases.activities.record_typ: unknown key; did you mean 'record_type'?",
    ]


def test_a_key_written_twice_is_no_silent_loss() -> None:
    text = route_text(("      status: {from: status}", "      status: {from: status}\n      status: {from: kind}"))
    line = line_of(text, "      status: {from: kind}")
    assert problems_of(text) == [f"route.yaml:{line}: phases.deals.fields.status: is written twice; keep one"]


def test_text_that_is_no_yaml_names_the_line() -> None:
    assert problems_of("route: {source: kartra\nphases: [")[0].startswith("route.yaml:2: (text): is not readable YAML")


def test_no_and_off_stay_the_words_they_are() -> None:
    text = route_text(('    "Off": ["0", GDPR off]', "    Off: [No, GDPR off]"))
    assert parse(text).spec.words["gdpr_status"]["Off"] == ("No", "GDPR off")


SPEC = parse(route_text()).spec


def test_answers_are_completed_with_defaults() -> None:
    answers = load_decisions(SPEC, "owners: queue_rows\nlists: custom_field\n")
    assert answers["owners"] == "queue_rows"
    assert answers["lists"] == "custom_field"
    assert answers["rebills"] == "fold"
    assert "default_owner" not in answers


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "decisions.yaml:1: owners: needs an answer: What happens to records of a Kartra team member"),
        ("owners: queue_rows\nlist: labels\n", "decisions.yaml:2: list: unknown decision; did you mean 'lists'?"),
        (
            "owners: queue_row\n",
            "decisions.yaml:1: owners: unknown option; did you mean 'queue_rows'? One of: queue_rows, block_phase, default_user.",
        ),
        ("owners: default_user\n", "decisions.yaml:1: default_owner: needs an answer: Which Pipedrive user"),
        ("owners: default_user\ndefault_owner: ana\n", "decisions.yaml:2: default_owner: must be an e-mail address"),
        ("- owners\n", "decisions.yaml:1: (document): must be a list of `decision: option` lines"),
    ],
)
def test_answers_that_will_not_do(text: str, wrong: str) -> None:
    with pytest.raises(SpecError) as caught:
        load_decisions(SPEC, text)
    assert str(caught.value).startswith(wrong)
    assert len(caught.value.problems) == 1
