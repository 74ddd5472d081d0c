"""The workbook: what a client is shown, what comes back, and what others decided meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_pipelines.discovery.proposal import Candidate, DayOrder, Proposal, ProposedMap, Reading, Target, WordProposal
from crm_pipelines.discovery.values import InferredType
from crm_pipelines.reports.sheets import SheetError, read_book
from crm_pipelines.reports.workbook import _read_made, read_decided, write_material
from crm_pipelines.reports.workbook_answers import Reader
from crm_pipelines.reports.workbook_layout import APART, BEHIND, DROP, FIRST, LAYOUT, RENAME, SECOND, STAY
from crm_pipelines.reports.workbook_picks import Picks
from crm_pipelines.spec.client_map import ClientMap, ColumnChoice, DateOrder
from crm_pipelines_tests.unit.reports.material import ROUTES, a_field, decided, material, person_phase, route

SPEC, DESTINATION = route()
PHASE = person_phase(SPEC)
NAME = a_field(DESTINATION, PHASE)
UNTICKED = ProposedMap("acme", ROUTES[0], (), (), (), 0.95)
Back = tuple[dict[str, str], ClientMap]


def fill(path: Path, answers: dict[tuple[str, tuple[str, ...]], dict[str, Any]]) -> Path:
    """Fill in rows as a client does: (sheet, what the row is known by) -> column key -> value."""
    book = openpyxl.load_workbook(path)
    for (sheet, known), values in answers.items():
        page = book[sheet]
        at = {cell.value: cell.column for cell in page[1]}
        row = next(row[0].row for row in page.iter_rows(min_row=2) if set(known) <= {cell.value for cell in row})
        for key, value in values.items():
            page.cell(row, at[key]).value = value
    book.save(path)
    return path


def read(path: Path, now: Back | None = None) -> Back:
    """Read it back for the first route."""
    return read_decided(path, SPEC, DESTINATION, now, engagement="acme")


@pytest.mark.parametrize("name", ROUTES)
def test_what_was_decided_comes_back_as_it_was_on_both_routes(tmp_path: Path, name: str) -> None:
    spec, destination = route(name)
    phase = person_phase(spec)
    client = decided(phase, a_field(destination, phase))
    path = write_material(tmp_path / "map.xlsx", material(name, client=client, answers={"owners": "queue_rows"}))
    ticked = client.model_copy(
        update={"values": {**client.values, "contacts.status": {"Abonniert": "Subscribed", "Abgemeldet?": "Unsubscribed"}}}
    )
    assert read_decided(path, spec, destination) == ({"owners": "queue_rows"}, ticked)


def test_what_is_ticked_counts_and_what_is_open_does_not(tmp_path: Path) -> None:
    answers, client = read(write_material(tmp_path / "map.xlsx", material()))
    assert answers == {}
    assert client.model_dump(exclude_defaults=True) == {
        "columns": {"contacts": {"Handy": {"phase": PHASE, "field": NAME}}},
        "values": {"contacts.status": {"Abgemeldet?": "Unsubscribed"}},
    }


def test_every_kind_of_answer_is_taken_over(tmp_path: Path) -> None:
    path = fill(
        write_material(tmp_path / "map.xlsx", material()),
        {
            ("Questions", ("owners",)): {"answer": "Default user "},
            ("Questions", ("default_owner",)): {"answer": "anna@example.com"},
            ("Columns", ("contacts", "Handy")): {"choice": BEHIND, "reason": "A copy of phone."},
            ("Columns", ("contacts", "Geburtsdatum")): {"choice": f"New date field [{PHASE}]", "name": "Birthday"},
            ("Columns", ("contacts", "Mitgliedsnummer (alt)")): {"choice": f"Badge number [custom field of {PHASE}]"},
            ("Words", ("contacts.status", "Abonniert")): {"choice": "Subscribed"},
            ("Owners", ("old@agency.example.com",)): {"choice": "CHLOE@example.com"},
            ("Tags", ("-- ADMIN import 7",)): {"choice": DROP},
            ("Tags", ("vip customer",)): {"choice": RENAME, "name": "VIP"},
            ("Leave out", ("contacts", "bounced")): {"choice": STAY},
            ("Duplicates", ("1042", "1377")): {"verdict": SECOND},
            ("Duplicates", ("1042", "2001")): {"verdict": APART},
        },
    )
    answers, client = read(path)
    assert answers == {"owners": "default_user", "default_owner": "anna@example.com"}
    assert client.model_dump(exclude_defaults=True) == {
        "columns": {
            "contacts": {
                "Handy": {"ignore": "A copy of phone."},
                "Geburtsdatum": {"phase": PHASE, "custom_field": "Birthday", "type": "date"},
                "Mitgliedsnummer (alt)": {"phase": PHASE, "custom_field": "Badge number"},
            }
        },
        "values": {"contacts.status": {"Abonniert": "Subscribed", "Abgemeldet?": "Unsubscribed"}},
        "owners": {"old@agency.example.com": "chloe@example.com"},
        "tags": {"contacts.tags": {"-- ADMIN import 7": None, "vip customer": "VIP"}},
        "same": {"contacts": (("1377", "1042"),)},
        "different": {"contacts": (("1042", "2001"),)},
        "leave_out": {"contacts": ("bounced",)},
    }


WORD = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(lambda text: bool(text.strip()))
COLUMN_CHOICES = st.one_of(
    st.just({"phase": PHASE, "field": NAME}),
    st.builds(
        lambda name, kind: {"phase": PHASE, "custom_field": name, "type": kind}, WORD, st.sampled_from((None, "text", "date", "set"))
    ),
    st.builds(
        lambda name, order: {"phase": PHASE, "custom_field": name, "type": "date", "date_order": order},
        WORD,
        st.sampled_from(("dmy", "mdy")),
    ),
    st.builds(
        lambda name, told: {"phase": PHASE, "custom_field": name, "type": "date", **told},
        WORD,
        st.sampled_from(({"year_pivot": 0}, {"year_pivot": 30, "date_order": "dmy"})),
    ),
    st.builds(
        lambda name, told: {"phase": PHASE, "custom_field": name, "type": "number", **told},
        WORD,
        st.sampled_from(({"decimal_locale": "eu"}, {"currency": "$"}, {"currency": "EUR", "decimal_locale": "us"})),
    ),
    st.builds(lambda reason: {"ignore": f"because {reason}"}, WORD),
)
GROUPS = st.lists(WORD, unique=True, max_size=7).map(lambda keys: [group for group in (keys[:3], keys[3:5], keys[5:]) if len(group) > 1])


def maps() -> st.SearchStrategy[ClientMap]:
    """Client maps of any content whose parts do not contradict each other."""
    words = st.dictionaries(WORD, st.dictionaries(WORD, WORD, min_size=1, max_size=3), max_size=2)
    columns = st.dictionaries(WORD, st.dictionaries(WORD, COLUMN_CHOICES, min_size=1, max_size=3).filter(_is_one_to_one), max_size=2)
    tags = st.dictionaries(WORD, st.dictionaries(WORD, WORD | st.none(), min_size=1, max_size=3), max_size=2)
    groups = st.dictionaries(WORD, GROUPS.filter(bool), max_size=2)
    kinds = st.lists(st.sampled_from(("no_email", "role_account", "bounced", "stale")), unique=True, min_size=1)
    parts = {"columns": columns, "values": words, "owners": st.dictionaries(WORD, WORD, max_size=3), "tags": tags, "same": groups}
    return st.fixed_dictionaries({**parts, "leave_out": st.dictionaries(WORD, kinds, max_size=2)}).map(ClientMap.model_validate)


def _is_one_to_one(columns: dict[str, dict[str, str]]) -> bool:
    places = [choice.get("field") or choice["custom_field"] for choice in columns.values() if "ignore" not in choice]
    return len(set(places)) == len(places)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(client=maps())
def test_any_client_map_comes_back_and_its_rows_alone_hold_all_of_it(tmp_path: Path, client: ClientMap) -> None:
    path = write_material(
        tmp_path / "map.xlsx", material(proposed=UNTICKED, client=client, tags=(), owners=(), clean=(), columns=(), users=())
    )
    assert read(path)[1] == client
    assert read(path, ({}, client))[1] == client
    assert shown(path) == held(client)


def shown(path: Path) -> set[tuple[str, ...]]:
    """Return what the visible rows say, without what the workbook remembers."""
    made = _read_made(path, "acme", None)
    book = read_book(path, {name: LAYOUT[name] for name in made.rows}, others_ok=["Start here", "Left behind"])
    said, verdicts = Reader(made, SPEC, DESTINATION, []).read(book)
    found = {(*one.path, str(one.value)) for one in said if one.value is not None}
    return found | {(each.object, each.first, each.second) for each in verdicts if each.word == FIRST}


def held(client: ClientMap) -> set[tuple[str, ...]]:
    """Return the same of a client map."""
    found = {("columns", name, heading, str(choice)) for name, part in client.columns.items() for heading, choice in part.items()}
    found |= {("values", name, word, meaning) for name, part in client.values.items() for word, meaning in part.items()}
    found |= {("owners", owner, user) for owner, user in client.owners.items()}
    found |= {
        ("tags", name, tag, str(("left out",) if new is None else ("as", new)))
        for name, part in client.tags.items()
        for tag, new in part.items()
    }
    found |= {("leave_out", name, kind, "left out") for name, kinds in client.leave_out.items() for kind in kinds}
    return found | {(name, group[0], other) for name, groups in client.same.items() for group in groups for other in group[1:]}


def test_what_the_workbook_does_not_show_survives(tmp_path: Path) -> None:
    path = write_material(tmp_path / "map.xlsx", material(proposed=UNTICKED))
    later = decided(PHASE, NAME)
    assert read(fill(path, {("Questions", ("failed",)): {"answer": "lost deal"}}), ({"owners": "queue_rows"}, later)) == (
        {"owners": "queue_rows", "failed": "lost_deal"},
        later,
    )


def test_a_choice_that_a_client_takes_back_is_open_again(tmp_path: Path) -> None:
    now = ({"owners": "queue_rows"}, decided(PHASE, NAME))
    path = write_material(tmp_path / "map.xlsx", material(client=now[1], answers=now[0]))
    emptied: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {
        ("Questions", ("owners",)): {"answer": None},
        ("Columns", ("transactions",)): {"choice": None, "name": None},
        ("Tags", ("vip customer",)): {"choice": None, "name": None},
        ("Leave out", ("contacts", "bounced")): {"choice": None},
        ("Duplicates", ("7", "8")): {"verdict": None},
    }
    answers, client = read(fill(path, emptied), now)
    assert answers == {}
    assert "transactions" not in client.columns
    assert "vip customer" not in client.tags["contacts.tags"]
    assert client.leave_out == {"contacts": ("role_account",)}
    assert client.same == {"contacts": (("1377", "1042"), ("7", "9"))}


def test_what_an_engineer_decided_meanwhile_stands_unless_the_client_says_otherwise(tmp_path: Path) -> None:
    path = write_material(tmp_path / "map.xlsx", material())
    meanwhile = ClientMap.model_validate(
        {"columns": {"contacts": {"Handy": {"ignore": "Kept in the old system."}}}, "owners": {"old@agency.example.com": "ben@example.com"}}
    )
    assert read(path, ({}, meanwhile))[1].columns == meanwhile.columns, "a proposal that was only left ticked outvotes nobody"
    with pytest.raises(SheetError, match=r"sheet 'Owners', cell E5: expected what was decided meanwhile"):
        read(fill(path, {("Owners", ("old@agency.example.com",)): {"choice": "chloe@example.com"}}), ({}, meanwhile))
    same = fill(path, {("Owners", ("old@agency.example.com",)): {"choice": "ben@example.com"}})
    assert read(same, ({}, meanwhile))[1].owners == meanwhile.owners


def test_verdicts_given_meanwhile_stand_unless_the_client_says_otherwise(tmp_path: Path) -> None:
    path = write_material(tmp_path / "map.xlsx", material())
    meanwhile = ClientMap.model_validate({"same": {"contacts": [["1042", "1377", "5"]]}, "different": {"contacts": [["1377", "2001"]]}})
    back = read(path, ({}, meanwhile))[1]
    assert (back.same, back.different) == (meanwhile.same, meanwhile.different)
    with pytest.raises(SheetError, match=r"sheet 'Duplicates', cell I5: expected what was decided meanwhile"):
        read(fill(path, {("Duplicates", ("1042", "1377")): {"verdict": APART}}), ({}, meanwhile))


@pytest.mark.parametrize(
    ("verdicts", "same"),
    [
        ((FIRST, "", ""), (("1042", "1377"),)),
        ((FIRST, SECOND, ""), "contradiction"),
        ((FIRST, FIRST, ""), (("1042", "1377", "2001"),)),
        ((FIRST, "", FIRST), (("1042", "1377", "2001"),)),
        ((FIRST, FIRST, SECOND), "contradiction"),
        ((FIRST, "", APART), (("1042", "1377"),)),
        ((FIRST, APART, FIRST), "contradiction"),
    ],
)
def test_verdicts_become_groups_or_a_contradiction_by_cell(tmp_path: Path, verdicts: tuple[str, ...], same: object) -> None:
    pairs = (("1042", "1377"), ("1377", "2001"), ("1042", "2001"))
    path = write_material(tmp_path / "map.xlsx", material())
    path = fill(path, {("Duplicates", pair): {"verdict": word} for pair, word in zip(pairs, verdicts, strict=True) if word})
    if same == "contradiction":
        with pytest.raises(SheetError, match=r"sheet 'Duplicates', cell I[567]: expected .*a contradiction"):
            read(path)
    else:
        assert read(path)[1].same == {"contacts": same}


def test_a_client_sees_how_much_is_open(tmp_path: Path) -> None:
    page = openpyxl.load_workbook(write_material(tmp_path / "map.xlsx", material()))["Start here"]
    told = {row[0].value: row[2].value for row in page.iter_rows() if row[0].value}
    assert {name: told[name] for name in LAYOUT} == {
        "Questions": "1 question only you can answer",
        "Columns": "3 columns without a place and 2 empty ones: 1 proposed, 4 to choose",
        "Words": "3 words: 1 proposed, 2 to choose",
        "Owners": "1 team member without a user",
        "Tags": "nothing you must answer",
        "Leave out": "nothing you must answer",
        "Duplicates": "nothing you must answer",
    }


def test_every_row_offers_its_candidates_and_every_drop_down_says_what_is_allowed(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_material(tmp_path / "map.xlsx", material()))
    page, lists = book["Columns"], book["_lists"] if "_lists" in book.sheetnames else None
    rules = {str(rule.sqref): rule.formula1 for rule in page.data_validations.dataValidation}
    options = rules["F4"].strip('"').split(",")
    assert options == [f"Mobile [{PHASE}]", f"New text field [{PHASE}]", BEHIND]
    assert lists is None or lists.sheet_state == "hidden"
    words = {str(rule.sqref): rule.formula1 for rule in book["Words"].data_validations.dataValidation}
    assert any("Subscribed" in formula for formula in words.values())


NEW_DATE = Candidate(Target("", "new custom field", "new", ""), 0.99, ("all values read as dates",))
DAY_FIRST, MONTH_FIRST = f"New date field [{PHASE}] (day first: 31/12)", f"New date field [{PHASE}] (month first: 12/31)"


def of_dates(tmp_path: Path, day_order: DayOrder, **more: Any) -> tuple[Path, str | None, str]:
    """Return the workbook of a column of dates that is pre-ticked as a new field, its choice and the options."""
    one = Proposal("contacts", "Geburtsdatum", "geburtsdatum", 811, "date", (NEW_DATE,), "pre-ticked", day_order)
    path = write_material(tmp_path / "map.xlsx", material(proposed=ProposedMap("acme", ROUTES[0], (one,), (), (), 0.95), **more))
    page = openpyxl.load_workbook(path)["Columns"]
    chosen = next(row[5].value for row in page.iter_rows() if "Geburtsdatum" in [cell.value for cell in row])
    return path, chosen, str({rule.formula1 for rule in page.data_validations.dataValidation})


@pytest.mark.parametrize(("day_order", "label", "order"), [("day first", DAY_FIRST, "dmy"), ("month first", MONTH_FIRST, "mdy")])
def test_a_date_s_order_that_is_beyond_doubt_is_proposed_and_taken_over(
    tmp_path: Path, day_order: DayOrder, label: str, order: DateOrder
) -> None:
    path, chosen, _ = of_dates(tmp_path, day_order)
    assert chosen == label
    wanted = ColumnChoice(phase=PHASE, custom_field="Geburtsdatum", type="date", date_order=order)
    assert read(path)[1].columns == {"contacts": {"Geburtsdatum": wanted}}
    again = of_dates(tmp_path, day_order, client=ClientMap(columns={"contacts": {"Geburtsdatum": wanted}}))
    assert again[1] == label


def test_dates_that_read_two_ways_are_asked_about_and_never_ticked(tmp_path: Path) -> None:
    path, chosen, options = of_dates(tmp_path, "either way")
    assert chosen is None
    assert DAY_FIRST in options
    assert MONTH_FIRST in options
    client = read(fill(path, {("Columns", ("contacts", "Geburtsdatum")): {"choice": MONTH_FIRST}}))[1]
    assert client.columns["contacts"]["Geburtsdatum"].date_order == "mdy"


def of_readings(tmp_path: Path, inferred: InferredType, *readings: Reading) -> tuple[Path, str | None, tuple[str, ...]]:
    """Return the workbook of a column that is pre-ticked as a new field, its choice and the options."""
    one = Proposal("contacts", "Umsatz", "umsatz", 40, inferred, (NEW_DATE,), "pre-ticked", readings=readings)
    path = write_material(tmp_path / "map.xlsx", material(proposed=ProposedMap("acme", ROUTES[0], (one,), (), (), 0.95)))
    page = openpyxl.load_workbook(path)["Columns"]
    chosen = next(row[5].value for row in page.iter_rows() if "Umsatz" in [cell.value for cell in row])
    return path, chosen, Picks(material()).options(one)


POINT, COMMA = (f"New number field [{PHASE}]{way}" for way in (" (decimal point: 1,234.50)", " (decimal comma: 1.234,50)"))


def test_numbers_that_read_two_ways_are_asked_about_and_never_ticked(tmp_path: Path) -> None:
    ways = [Reading("number", 40, 0, decimal_locale=each) for each in ("us", "eu")]
    path, chosen, options = of_readings(tmp_path, "number", *ways)
    assert chosen is None
    assert POINT in options
    client = read(fill(path, {("Columns", ("contacts", "Umsatz")): {"choice": COMMA}}))[1]
    assert client.columns["contacts"]["Umsatz"] == ColumnChoice(phase=PHASE, custom_field="Umsatz", type="number", decimal_locale="eu")


def test_amounts_that_name_a_currency_are_read_in_it(tmp_path: Path) -> None:
    path, chosen, _ = of_readings(tmp_path, "money", Reading("money", 40, 0, decimal_locale="eu", currency="EUR"))
    assert chosen == f"New amount field [{PHASE}], amounts in EUR (decimal comma: 1.234,50)"
    wanted = ColumnChoice(phase=PHASE, custom_field="Umsatz", type="money", decimal_locale="eu", currency="EUR")
    assert read(path)[1].columns == {"contacts": {"Umsatz": wanted}}


@pytest.mark.parametrize(("waiting", "is_offered"), [(20, True), (21, False), (40, False)])
def test_a_type_is_offered_where_the_loader_reads_half_of_the_cells_and_text_always_is(
    tmp_path: Path, waiting: int, is_offered: bool
) -> None:
    _, _, options = of_readings(tmp_path, "date", Reading("date", 40, waiting))
    assert (f"New date field [{PHASE}]" in options) == is_offered
    assert f"New text field [{PHASE}]" in options


def test_where_the_engagement_declares_the_order_nobody_is_asked(tmp_path: Path) -> None:
    _, chosen, options = of_dates(tmp_path, "either way", date_orders={"contacts": "dmy"})
    assert chosen == f"New date field [{PHASE}]"
    assert DAY_FIRST not in options


def test_where_no_list_is_known_an_owner_is_an_address_and_a_word_any_word(tmp_path: Path) -> None:
    words = (WordProposal("contacts", "status", "status", "Abonniert", 41, ()),)
    asked = ProposedMap("acme", ROUTES[0], (), (), words, 0.95)
    path = write_material(tmp_path / "map.xlsx", material(proposed=asked, vocabularies=(), users=()))
    row = ("Owners", ("old@agency.example.com",))
    client = read(fill(path, {row: {"choice": "new@example.com"}, ("Words", ("Abonniert",)): {"choice": "Subscribed"}}))[1]
    assert (client.owners, client.values) == (
        {"old@agency.example.com": "new@example.com"},
        {"contacts.status": {"Abonniert": "Subscribed"}},
    )
    with pytest.raises(SheetError, match="sheet 'Owners', cell E5: expected an e-mail address"):
        read(fill(path, {row: {"choice": "the new one"}}))


def test_a_field_of_records_that_do_not_carry_the_column_is_not_offered(tmp_path: Path) -> None:
    elsewhere = Candidate(Target("users", "email", "field", "text", label="User"), 0.99, ("alike",))
    one = Proposal("contacts", "Betreuer", "betreuer", 3, "email", (elsewhere,), "pre-ticked")
    path = write_material(tmp_path / "map.xlsx", material(proposed=ProposedMap("acme", ROUTES[0], (one,), (), (), 0.95)))
    page = openpyxl.load_workbook(path)["Columns"]
    assert page["F4"].value is None
    assert "User" not in str({rule.formula1 for rule in page.data_validations.dataValidation})


def test_a_workbook_of_another_engagement_is_not_taken_over(tmp_path: Path) -> None:
    path = write_material(tmp_path / "map.xlsx", material())
    with pytest.raises(SheetError, match="expected the workbook of 'other', found that of 'acme'"):
        read_decided(path, SPEC, DESTINATION, engagement="other")


@pytest.mark.parametrize(
    "answer",
    ["queue rows", "Queue_Rows", " QUEUE  ROWS ", "queue-rows", "queue rows: words of another version", "{label}"],
)
def test_an_option_is_known_with_and_without_what_its_drop_down_says(tmp_path: Path, answer: str) -> None:
    path = write_material(tmp_path / "map.xlsx", material())
    offered = "".join(str(cell.value) for row in openpyxl.load_workbook(path)["_lists"].iter_rows() for cell in row)
    label = "queue rows: Only that member's people and activities wait, with a list of who is missing"
    assert label in offered
    answered = fill(path, {("Questions", ("owners",)): {"answer": answer.format(label=label)}})
    assert read(answered)[0] == {"owners": "queue_rows"}


def test_pairs_are_shown_by_group_with_what_one_recognises_people_by_and_never_as_certain(tmp_path: Path) -> None:
    pairs: list[tuple[list[str], float]] = [(["1", "2"], 0.999), (["7", "8"], 1.0), (["2", "3"], 0.9)]
    shown = ["Ann Smith\nann@example.com", "=Anne Smith\nanne@example.org"]
    twins = tuple({"object": "contacts", "keys": keys, "score": score, "why": "alike", "shown": shown} for keys, score in pairs)
    asked = ProposedMap("acme", ROUTES[0], (), (), (), 0.95, twins)
    path = write_material(tmp_path / "map.xlsx", material(proposed=asked))
    rows = read_book(path, {"Duplicates": LAYOUT["Duplicates"]}, others_ok=None)["Duplicates"]
    assert [(row.cells["group"].value, row.text("first"), row.text("second"), row.text("score")) for row in rows] == [
        *((1, "1", "2", "99%"), (1, "2", "3", "90%"), (2, "7", "8", "99%")),
    ]
    assert {(row.text("first_shown"), row.text("second_shown")) for row in rows} == {tuple(shown)}
    page = openpyxl.load_workbook(path)["Duplicates"]
    assert page["D5"].fill.start_color.rgb == page["D6"].fill.start_color.rgb != page["D7"].fill.start_color.rgb
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_cell_that_takes_an_answer_looks_like_one_and_no_other_does(tmp_path: Path) -> None:
    client = decided(PHASE, NAME)
    book = openpyxl.load_workbook(write_material(tmp_path / "map.xlsx", material(client=client, answers={"owners": "queue_rows"})))
    for name in set(LAYOUT) & set(book.sheetnames):
        for row in book[name].iter_rows(min_row=4):
            for cell in row:
                is_framed = cell.border.left.style == "medium"
                assert is_framed == (not cell.protection.locked), f"{name} {cell.coordinate}"
    changing = {
        str(area.sqref): [rule.formula[0] for rule in rules] for area, rules in book["Questions"].conditional_formatting._cf_rules.items()
    }
    assert any(formula.startswith("LEN(") for formulas in changing.values() for formula in formulas)


def test_a_proposal_turns_green_when_it_is_changed_and_yellow_when_it_is_emptied(tmp_path: Path) -> None:
    page = openpyxl.load_workbook(write_material(tmp_path / "map.xlsx", material()))["Columns"]
    formulas = {str(area.sqref): [rule.formula[0] for rule in rules] for area, rules in page.conditional_formatting._cf_rules.items()}
    assert formulas["F4"] == ["LEN(F4)=0", f'F4<>"Mobile [{PHASE}]"']
    assert formulas["F5:F8"] == ["LEN(F5)>0"]


def test_a_free_address_is_offered_the_users_and_may_be_another(tmp_path: Path) -> None:
    path = write_material(tmp_path / "map.xlsx", material())
    rules = openpyxl.load_workbook(path)["Questions"].data_validations.dataValidation
    (rule,) = (rule for rule in rules if "anna@example.com" in str(rule.formula1))
    assert (str(rule.sqref), rule.showErrorMessage) == ("F5", False)
    answers = read(fill(path, {("Questions", ("default_owner",)): {"answer": "new@example.com"}}))[0]
    assert answers == {"default_owner": "new@example.com"}


def test_the_question_about_owners_and_their_sheet_say_how_they_relate(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_material(tmp_path / "map.xlsx", material()))
    assert "the sheet Owners names who takes over" in str(book["Questions"]["D4"].value)
    assert "question 1 on the sheet Questions" in str(book["Owners"]["A3"].value)
    assert {cell.value for cell in book["Owners"]["B"]} >= {"412 contacts, 31 appointments"}
