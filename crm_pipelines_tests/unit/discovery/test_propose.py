"""The proposal engine: one-to-one, abstention, overlap before names, evidence, confidence that adds up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import mapping
from crm_pipelines.discovery.features import ColumnSample
from crm_pipelines.discovery.overlap import Overlap
from crm_pipelines.discovery.proposal import Proposal, Target
from crm_pipelines.discovery.propose import assign, propose_columns

SAMPLE = Path(__file__).parents[2] / "fixtures" / "headings_sample.csv"
EMAILS = ("ruth@example.com", "sol@example.com", "ruth@example.com")
FLOORS = [(mapping.TUNING, 0.96, 0.99, 0), (SAMPLE, 0.9, 0.95, 0)]


def columns(*given: tuple[str, tuple[str, ...]], file: str = "contacts") -> list[ColumnSample]:
    return [ColumnSample(file, heading, heading, values, len(values)) for heading, values in given]


def one(heading: str, *values: str, file: str = "contacts", overlap: Overlap | None = None) -> Proposal:
    return propose_columns(columns((heading, values), file=file), mapping.targets(), overlap)[0]


@pytest.mark.parametrize(("path", "top1", "top3", "false"), FLOORS, ids=["tuning", "sample"])
def test_labelled_headings_stay_above_the_floor(path: Path, top1: float, top3: float, false: int) -> None:
    judged = mapping.judge(mapping.read(path))
    mapped = [each for each in judged if not each.labelled.is_none]
    assert sum(each.is_right for each in mapped) / len(mapped) >= top1
    assert sum(each.is_in_choice for each in mapped) / len(mapped) >= top3
    assert sum(not each.is_right for each in judged if each.labelled.is_none) <= false
    ticked = [each for each in judged if each.is_ticked]
    assert sum(each.is_right for each in ticked) / len(ticked) >= 0.95
    assert len(ticked) / len(judged) >= 0.7


def test_a_target_is_first_for_one_column_of_a_file_only() -> None:
    given = columns(
        ("E-Mail", EMAILS), ("Email address", EMAILS), ("Mail", EMAILS), ("Phone", ("415-555-0123",)), ("Tel", ("415-555-0124",))
    )
    first = [each.best.target for each in propose_columns(given, mapping.targets())]
    fields = [target.name for target in first if target.kind == "field"]
    assert fields.count("person.email") == 1
    assert len(fields) == len(set(fields))


def test_files_do_not_compete() -> None:
    given = [*columns(("E-Mail", EMAILS)), *columns(("E-Mail", EMAILS), file="leads")]
    assert [each.best.target.name for each in propose_columns(given, mapping.targets())] == ["person.email", "person.email"]


def test_users_of_the_destination_make_an_owner_of_a_column_of_addresses() -> None:
    without = one("Mail responsable", *EMAILS)
    with_users = one("Mail responsable", *EMAILS, overlap=Overlap.of(users=["Ruth@example.com", "sol@example.com", "x@example.com"]))
    assert without.best.target.name == "person.email"
    assert with_users.best.target.name == "person.owner"
    assert with_users.best.evidence[0] == "all 2 different values are users of the new system"


def test_stages_of_the_destination_beat_a_misleading_name() -> None:
    words = ("Erstgespräch", "Fördermittel", "Zusage")
    found = one("Ergebnis", *words, file="deals", overlap=Overlap.of(stages={"Verkauf": words}))
    assert found.best.target.name == "deal.stage"
    assert "all 3 different values are stages of the new system" in found.best.evidence


def test_options_of_a_custom_field_are_evidence() -> None:
    field = Target("people", "Colour of the badge", "custom_field", "enum", options=("mauve", "ochre", "teal"))
    found = propose_columns(columns(("Kennung X", ("teal", "mauve", "teal"))), [*mapping.targets(), field])[0]
    assert found.best.target == field
    assert found.best.evidence[0] == "all 2 different values are options of `Colour of the badge`"


def test_one_word_in_common_with_the_destination_is_chance() -> None:
    found = one("Note", "open", "someone called", "moved away", overlap=Overlap.of(stages={"Sales": ["open"]}))
    assert all("stages" not in sentence for each in found.candidates for sentence in each.evidence)


@pytest.mark.parametrize(
    ("heading", "values", "kind"),
    [
        ("Last IP", ("192.0.2.1", "192.0.2.7"), "none"),
        ("Record ID", ("10001", "10002", "10003"), "none"),
        ("Password hash", ("3da541559918a808c2402bba5012f6c6",), "none"),
        ("Shoe size", ("42", "38", "44"), "new"),
        ("Numéro de fidélité", ("FID-0091", "FID-0104"), "new"),
        ("Haustier", ("Hund", "Katze"), "new"),
    ],
)
def test_what_fits_no_field_is_left_out_or_gets_a_field_of_its_own(heading: str, values: tuple[str, ...], kind: str) -> None:
    assert one(heading, *values).best.target.kind == kind


def test_a_column_that_means_a_taken_field_is_not_pushed_to_the_next_best() -> None:
    targets = mapping.targets()
    taken = [target for target in targets if target.name == "person.email"]
    rest = [target for target in targets if target.name != "person.email"]
    found = propose_columns(columns(("Email", EMAILS)), rest, taken=taken)[0]
    assert found.best.target.kind == "new"
    assert any("already, or only we can fill it" in sentence for sentence in found.best.evidence)


def test_evidence_says_what_a_client_can_check() -> None:
    found = one("Handynr", "0171 3920012", "0176 0406903", "n/a")
    assert found.best.target.name == "person.mobile"
    assert found.best.evidence[0].startswith("its name reads like `Mobile` (German: ")
    assert found.best.evidence[1] == "67 % of the values are mobile numbers"


def test_no_sentence_quotes_a_value() -> None:
    secret = "Xaverine Quollsworth"
    found = one("Kontakt", secret, secret, overlap=Overlap.of(users=["a@example.com"], user_names=[secret]))
    assert all("Quollsworth" not in sentence for each in found.candidates for sentence in each.evidence)


def test_confidences_are_ordered_and_never_more_than_sure_together() -> None:
    for proposal in propose_columns([each.column for each in mapping.read(mapping.TUNING)][:60], mapping.targets()):
        confidences = [each.confidence for each in proposal.candidates]
        assert confidences[1:] == sorted(confidences[1:], reverse=True)
        assert sum(confidences) <= 1.001
        assert {"none", "new"} <= {each.target.kind for each in proposal.candidates}


def test_the_same_input_gives_the_same_proposals_in_any_order_of_files() -> None:
    given = [each.column for each in mapping.read(mapping.TUNING)]
    forth = propose_columns(given, mapping.targets())
    back = propose_columns(given[::-1], mapping.targets())
    assert forth == propose_columns(given, mapping.targets())
    assert [(each.heading, each.best) for each in forth] == [(each.heading, each.best) for each in back[::-1]]


def test_nothing_breaks_without_columns_values_or_targets() -> None:
    assert propose_columns([], mapping.targets()) == ()
    assert one("").state in ("unmapped", "choose", "pre-ticked")
    assert propose_columns(columns(("Email", EMAILS)), [])[0].best.target.kind in ("none", "new")


def test_assignment_takes_what_is_most_probable_together() -> None:
    probable = np.array([[0.5, 0.45], [0.9, 0.05]])
    assert assign(probable) == [1, 0]
    assert assign(np.array([[0.2, 0.1]])) == [None]


def test_intervals_are_wilsons() -> None:
    low, high = mapping.wilson(90, 100)
    assert (round(low, 1), round(high, 1)) == (82.6, 94.5)
    assert mapping.wilson(0, 0) == (0.0, 100.0)
