"""Answers to queues: what fits, what does not and where, what is skipped; nothing of it needs a file or a destination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from crm_pipelines.phases.queues import OwnerLine, RowLine, Tables
from crm_pipelines.phases.queues_answers import Answers, Returned, judge
from crm_pipelines.phases.queues_conflicts import ConflictLine, Question
from crm_pipelines.phases.queues_correct import Fix
from crm_pipelines.phases.queues_pairs import PairLine
from crm_pipelines.phases.queues_words import Word

CONTACT = RowLine("remediation", "contacts", "leads.csv", "001", 7, "12", "no_email", ("id", "email"), ("12", ""), key_heading="id")
BROKEN = RowLine("remediation", "contacts", "leads.csv", "001", 9, None, "short_row", ("id", "email"), ("", "ann@"), raw=",ann@")
SWALLOWED = RowLine("remediation", "contacts", "leads.csv", "001", 10, None, "unterminated_quote", ("id", "email"), ("", ""), raw='"')
REFUND = RowLine("review", "sales", "sales.csv", "002", 3, "77", "two_candidates", ("ID",), ("77",), key_heading="ID", takes_parent=True)
PARENT = RowLine("parent", "sales", "sales.csv", "002", 4, "78", "parent_people")
TABLES = Tables(
    engagement="acme",
    rows=(CONTACT, BROKEN, SWALLOWED, REFUND, PARENT),
    owners=(OwnerLine("zoe@example.com", {"contacts": 1}, 1, ""),),
    words=(Word("sales.kind", "Verkauf", 2, ("Sale", "Refund")),),
    pairs=(PairLine("contacts", "12", "13", 0.99, "the same name"), PairLine("contacts", "13", "14", 0.99, "the same name")),
)


def row(line: RowLine, number: int = 4, **cells: str) -> Returned:
    """The row as it was given out, with some cells typed over."""
    own = {"engagement": "acme", "queue": line.queue, "object": line.object, "file": line.file, "chunk": line.chunk, "row": str(line.row)}
    shown = {f"cell:{heading.casefold()}": cell for heading, cell in zip(line.headings, line.cells, strict=True)}
    typed = {name.replace("__", ":"): value for name, value in cells.items()}
    every = {**own, "key": line.key or "", **shown, **typed}
    return Returned("remediation.xlsx", line.object, number, every, {name: f"{name.upper()}{number}" for name in every})


def answer(queue: str, number: int = 4, **cells: str) -> Returned:
    every = {"engagement": "acme", "queue": queue, **cells}
    return Returned("queue.csv", "", number, every, {name: f"line {number}, column {name!r}" for name in every})


def judged(*rows: Returned) -> Answers:
    return judge(TABLES, rows, ["Ann@example.com"], {"60"})


def test_only_changed_rows_are_taken_and_unchanged_cells_stay_as_exported() -> None:
    found = judged(row(CONTACT, cell__email=" nina@example.org"), row(REFUND))
    assert [fix for fix, _ in found.fixes] == [Fix("001", 7, ("12", " nina@example.org"))]
    assert (found.unanswered, found.problems, found.skipped) == (1, [], [])


def test_a_refund_is_given_its_sale_by_number_or_by_what_is_listed() -> None:
    for text in ("60", "60: 2025-12-02, 49.00 USD, Course"):
        assert [fix.parent for fix, _ in judged(row(REFUND, belongs_to=text)).fixes] == ["60"]


@pytest.mark.parametrize(
    ("returned", "where", "what"),
    [
        (row(CONTACT, engagement="other"), "sheet 'contacts', cell ENGAGEMENT4", "another engagement"),
        (row(CONTACT, queue="remedy"), "cell QUEUE4", "expected one of the queues"),
        (row(CONTACT, queue="review", cell__email="n@example.org"), "cell QUEUE4", "waits in queue remediation"),
        (row(CONTACT, key="13", cell__email="n@example.org"), "cell KEY4", "cannot be changed"),
        (row(CONTACT, cell__id="13"), "cell CELL:ID4", "identifies the row"),
        (row(CONTACT, cell__phone="1"), "cell CELL:PHONE4", "has no such column"),
        (row(CONTACT, cell__email="1.2E+11"), "cell CELL:EMAIL4", "rounded this number"),
        (row(CONTACT, cell__email="n\ufffd@example.org"), "cell CELL:EMAIL4", "damaged character"),
        (row(REFUND, belongs_to="61"), "cell BELONGS_TO4", "no sale in the exports"),
        (row(CONTACT, belongs_to="60"), "cell BELONGS_TO4", "only a refund"),
        (answer("owner", owner="zoe@example.com", user="bob@example.com"), "line 4, column 'user'", "no active user"),
        (
            answer("decision", column="sales.kind", word="Verkauf", meaning="Sold"),
            "line 4, column 'meaning'",
            "expected one of Sale, Refund",
        ),
        (answer("duplicate", object="contacts", key_a="12", key_b="13", answer="maybe"), "line 4, column 'answer'", "same or different"),
    ],
)
def test_what_does_not_fit_is_named_by_its_cell_and_never_by_its_value(returned: Returned, where: str, what: str) -> None:
    found = judged(returned)
    assert found.is_empty
    (problem,) = found.problems
    assert where in problem.path
    assert what in problem.message
    assert "n@example.org" not in str(problem)
    assert "bob@example.com" not in str(problem)


def test_an_emptied_cell_is_no_answer_because_the_export_still_has_its_value() -> None:
    kept = RowLine("remediation", "contacts", "a.csv", "001", 7, "12", "too_long", ("id", "note"), ("12", "long"), key_heading="id")
    found = judge(Tables("acme", rows=(kept,)), [row(kept, cell__note="")], (), ())
    assert "an emptied cell changes nothing" in found.problems[0].message


def _typed(old: str, new: str) -> Answers:
    line = RowLine("review", "sales", "a.csv", "001", 7, "12", "no_contact", ("id", "cell"), ("12", old), key_heading="id")
    return judge(Tables("acme", rows=(line,)), [row(line, cell__cell=new)], (), ())


@pytest.mark.parametrize(
    ("exported", "saved"),
    [
        ("01234", "1234"),
        ("+14155550123", "14155550123"),
        ("49.00", "49"),
        ("1,249.50", "1249.5"),
        ("true", "TRUE"),
        ("2026-03-14", "14/03/2026"),
        ("2026-03-14 10:05:30", "3/14/2026 10:05"),
        ("2026-03-04", "4-Mar-26"),
        ("2026-03-04", "46085"),
    ],
)
def test_what_a_spreadsheet_did_to_a_cell_is_no_answer(exported: str, saved: str) -> None:
    found = _typed(exported, saved)
    assert (found.is_empty, found.problems, found.unanswered) == (True, [], 1)


@pytest.mark.parametrize(
    ("exported", "saved", "what"),
    [
        ("2026-03-04", "04/03/2026", "reads two ways"),
        ("03/04/2026", "04/03/2026", "reads two ways"),
        ("14155550123", "1.41556E+10", "rounded this number"),
        ("1234567890123456", "1234567890123450", "lost the rest"),
    ],
)
def test_what_a_spreadsheet_may_have_done_is_a_problem_of_the_cell(exported: str, saved: str, what: str) -> None:
    found = _typed(exported, saved)
    assert found.is_empty
    assert "cell CELL:CELL4" in found.problems[0].path
    assert what in found.problems[0].message


@pytest.mark.parametrize(("exported", "typed"), [("01234", "1235"), ("03/04/2026", "2026-04-03"), ("2026-03-04", "05/03/2026"), ("", "0")])
def test_what_somebody_typed_is_an_answer(exported: str, typed: str) -> None:
    assert [fix.cells for fix, _ in _typed(exported, typed).fixes] == [("12", typed)]


WHY = "a test account of ours"


def test_rows_of_any_queue_are_left_behind_by_their_key_or_their_place() -> None:
    found = judged(row(CONTACT, leave_behind=WHY), row(BROKEN, leave_behind=WHY), row(PARENT, leave_behind=WHY))
    assert (found.problems, found.fixes, found.unanswered) == ([], [], 0)
    assert found.left_behind == {"contacts": {"12": WHY}, "sales": {"78": WHY}}
    assert found.left_lines == {"contacts": {"001": {"9": WHY}}}
    assert found.counts()["left_behind"] == 3


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ((row(CONTACT, leave_behind="no"),), "say why in 8 characters or more"),
        ((row(CONTACT, leave_behind=WHY, cell__email="nina@example.org"),), "either corrected or left behind"),
        ((row(REFUND, leave_behind=WHY, belongs_to="60"),), "either corrected or left behind"),
        ((row(CONTACT, leave_behind=WHY), row(CONTACT, leave_behind="it is a duplicate")), "for another reason before"),
        (
            (row(replace(PARENT, queue="conflict", reason="edited_in_destination: name"), leave_behind=WHY),),
            "give it back in the file of that",
        ),
    ],
)
def test_what_cannot_be_left_behind_is_told_by_its_cell(rows: Sequence[Returned], what: str) -> None:
    (problem,) = judged(*rows).problems
    assert what in str(problem)
    assert WHY not in str(problem)


NAME = Question("name", "edited_in_destination", "Ann", "Anna", "Ann", asked="a1", over="b1")
LABELS = Question("labels", "merged_data_left", ["x"], ["x"], ["y"], ("theirs",), asked="a2", over="b2")
ASKED = replace(TABLES, conflicts=tuple(ConflictLine("people", "12", "901", each) for each in (NAME, LABELS)))


def side(question: Question, take: str, **cells: str) -> Returned:
    return answer("conflict", **{"phase": "people", "key": "12", "field": question.field, "asked": question.stamp, "take": take, **cells})


def test_a_side_is_taken_for_the_values_that_were_shown() -> None:
    found = judge(ASKED, [side(NAME, "Ours"), side(LABELS, "theirs"), side(NAME, "")], [], set())
    assert found.conflicts == {"people": {"12": {"name": NAME.taken("ours"), "labels": LABELS.taken("theirs")}}}
    assert (found.problems, found.unanswered) == ([], 1)
    stale = judge(ASKED, [side(NAME, "ours", asked="a1 b0"), side(NAME, "ours", key="13")], [], set())
    assert stale.is_empty
    assert "another one since this file was written" in stale.skipped[0]
    assert "nothing is asked about this field any more" in stale.skipped[1]
    wrong = judge(ASKED, [side(NAME, "mine"), side(LABELS, "ours"), side(NAME, "ours"), side(NAME, "theirs")], [], set())
    told = [str(problem) for problem in wrong.problems]
    assert [each.partition("'take': ")[2] for each in told] == [
        "expected ours or theirs",
        "expected theirs",
        "the same field got another answer before; keep one of the two",
    ]


def test_what_no_longer_waits_is_skipped_with_a_sentence() -> None:
    gone = row(CONTACT, row="8", cell__email="nina@example.org")
    found = judged(gone, answer("owner", owner="yan@example.com", user="ann@example.com"), row(PARENT))
    assert (found.is_empty, found.problems) == (True, [])
    assert "does not wait any more" in found.skipped[0]
    assert "nothing waits for this owner any more" in found.skipped[1]
    assert (len(found.skipped), found.unanswered) == (2, 1)


def test_two_answers_to_one_question_exclude_each_other_and_equal_ones_do_not() -> None:
    same = judged(row(CONTACT, cell__email="a@example.org"), row(CONTACT, number=5, cell__email="a@example.org"))
    assert (len(same.fixes), same.problems) == (1, [])
    other = judged(row(CONTACT, cell__email="a@example.org"), row(CONTACT, number=5, cell__email="b@example.org"))
    assert "ROW5" in other.problems[0].path
    owners = [answer("owner", owner="zoe@example.com", user=user) for user in ("invited", "ann@example.com")]
    assert "another answer before" in judged(*owners).problems[0].message


def test_a_line_that_swallowed_others_comes_back_as_several_rows() -> None:
    rows = [row(SWALLOWED, number=number, cell__id=str(number), cell__email=f"{number}@example.org") for number in (4, 5)]
    assert [fix.cells[0] for fix, _ in judged(*rows).fixes] == ["4", "5"]


def test_a_text_that_was_too_long_for_a_cell_was_not_answered() -> None:
    cut = row(BROKEN, cell__id="5", cell__email="")
    found = judge(TABLES, [Returned(cut.file, cut.sheet, cut.number, cut.cells, cut.places, ("cell:email",))], (), ())
    assert [fix.cells for fix, _ in found.fixes] == [("5", "ann@")]
