"""A spec against both contracts: what is found, on which line, with which advice."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_pipelines.spec.check import check, check_files
from crm_pipelines.spec.parse import parse
from crm_pipelines_tests.lib.contracts import route_contracts
from crm_pipelines_tests.lib.spec_text import ROUTE, route_text


def told(*edits: tuple[str, str]) -> list[str]:
    """Return what is wrong with the route after these edits, without lines."""
    parsed = parse(route_text(*edits), "route.yaml")
    return [f"{problem.path}: {problem.message}" for problem in check(parsed, *route_contracts())]


def test_the_route_fits_both_sides() -> None:
    assert check_files(ROUTE, route_contracts()) == []


def test_eight_mistakes_are_eight_lines_with_paths_and_line_numbers(tmp_path: Path) -> None:
    mistakes = [
        (
            "from: [phone, phone_country_code, country]",
            "from: [fone, phone_country_code, country]",
            "unknown column 'fone'; did you mean 'phone'?",
        ),
        ("otherwise: no_consent", "otherwise: no_concent", "'no_concent' is not one of no_consent"),
        (
            "Lead score: {from: score, rule: number",
            "Lead score: {type: date, from: score, rule: number",
            "gives number, but a field of type date takes date",
        ),
        ("      subject: {", "      subjekt: {", "activities has no field 'subjekt'; did you mean 'subject'?"),
        ("rule: html_note", "rule: html_nte", "unknown rule 'html_nte'; did you mean 'html_note'?"),
        ("link: people, from: key", "link: peeple, from: key", "there is no phase 'peeple'; did you mean 'people'?"),
        ("only_if: {consent_proof: gdpr_accepted}", "only_if: {consent_prof: gdpr_accepted}", "decision 'consent_prof' is not declared"),
        ("    leads_tagged: Counted from the contacts themselves.\n", "", "column 'leads_tagged' of tags is neither mapped nor ignored"),
    ]
    text = route_text(*((before, after) for before, after, _ in mistakes))
    path = tmp_path / "route.yaml"
    path.write_text(text, "utf-8")
    lines = [str(problem) for problem in check_files(path, route_contracts())]
    assert len(lines) == 8
    for before, after, message in mistakes:
        (line,) = [each for each in lines if message in each]
        number = int(line.split(":")[1])
        expected = after.strip() if after else "  tags:"
        assert expected in text.splitlines()[number - 1] or before.startswith("otherwise"), (before, line)


ONE_MISTAKE = [
    ("from: purchases", "from: purchase", "phases.deals.from: there is no frame 'purchase'; did you mean 'purchases'?"),
    (
        "from: [event_start, event_end], rule: duration",
        "from: [event_start, calendar_name], rule: duration",
        "takes datetime, but column 'calendar_name' holds text",
    ),
    ("rule: text, with: {max: 255}", "rule: text, with: {maxi: 255}", "rule 'text' has no setting 'maxi'; did you mean 'max'?"),
    ("rule: text, with: {max: 255}", "rule: text, with: {max: many}", "with.max: max: must be a whole number"),
    (
        "with: {words: gdpr_status}",
        "with: {words: gdpr_state}",
        "there is no vocabulary 'gdpr_state' under words; did you mean 'gdpr_status'?",
    ),
    ("parts: [value, locality, admin_area_level_1, postal_code, country]", "parts: [value, locality]", "names 2 parts for 5 columns"),
    ("waiting_max: {limit: 10 %", "waiting_max: {limit: 120 %", "'120 %' is neither a count (5) nor a share (5 %)"),
    ("refused_max: {limit: 0", "refused_max: {limit: -1", "-1 is neither a count (5) nor a share (5 %)"),
    ("{when: {blacklisted: true}", "{when: {blaklisted: true}", "unknown column 'blaklisted'; did you mean 'blacklisted'?"),
    ("{contains_word: call}", "{contains: call}", "unknown test 'contains'; there are not, over, under"),
    ("{contains_word: call}", "{over: 3}", "over is for number, but column 'calendar_name' holds text"),
    ("Kartra mailing status:", "KARTRA ID:", "is the same name as 'Kartra ID'"),
    ("Kartra ID: {from: key, external_id: true}", "Kartra ID: {from: key}", "exactly one field must be the external_id"),
    ("send_once: [marketing_status, add_time]", "send_once: add_time", "is taken only when a record is created; list it under send_once"),
    ("then: Subscriptions}", "then: Subscription}", "'Subscription' is not listed under pipelines; did you mean 'Subscriptions'?"),
    ("owner_id: {link: users, from: owner_key}", "owner_id: {from: owner_key}", "must be a link: {link: users, from: <key column>}"),
    ("      status: {from: status}", "      status: {from: status}\n      colour: {from: status}", "deals has no field 'colour'"),
    ("default: fold\n", "default: fould\n", "'fould' is no option; did you mean 'fold'?"),
    ("only_if: {lists: labels}", "only_if: {lists: label}", "'label' is no option of decision 'lists'; did you mean 'labels'?"),
    ('template: "{product} ({title_id})"', 'template: "{product} ([{title_id})"', "[ is never closed"),
    ('template: "{product} ({title_id})"', 'template: "{product} ({title_ids})"', "unknown column 'title_ids'; did you mean 'title_id'?"),
    ("home_of: calendars", "home_of: []", "export 'calendars' has no home"),
    (
        "    tag_id: A number inside Kartra.",
        "    tag_idd: A number inside Kartra.",
        "unknown column 'tag_idd' of tags; did you mean 'tag_id'?",
    ),
    ("    field_id: A number inside Kartra.", "    field_id: no", "needs a reason that the client understands"),
    ("create: never", "create: when_missing", "must be 'never' for users"),
    (
        "    from: bookings\n",
        "    from: bookings\n    key: lead_email\n",
        "would make one record of several rows that this phase accounts for",
    ),
    ("    from: bookings\n", "    from: bookings\n    key: lead_mail\n", "unknown column 'lead_mail'"),
    ("    from: owners\n", "    from: owners\n    key: reason\n", "fields link to users by the key of its frame"),
    (
        "    email: email\n    name: [first_name",
        "    email: emial\n    name: [first_name",
        "derive.contacts.email: unknown column 'emial' of contacts; did you mean 'email'?",
    ),
    (
        "rebills: {decision: rebills,",
        "rebills: {decision: rebilling,",
        "decision 'rebilling' is not declared under decisions; did you mean 'rebills'?",
    ),
    ("    Paused: []", "    Paused: [Active]", "'active' stands for 'Active' too"),
    ("source: kartra", "source: cartra", "is 'cartra', but was checked against 'kartra'"),
]


@pytest.mark.parametrize(("before", "after", "message"), ONE_MISTAKE, ids=[case[1][:40] for case in ONE_MISTAKE])
def test_a_mistake_is_found(before: str, after: str, message: str) -> None:
    found = told((before, after))
    assert any(message in each for each in found), found


def test_a_decision_that_decides_nothing_is_found() -> None:
    found = told(
        ("decisions:\n  owners:", "decisions:\n  colour: {question: Which colour please, options: [red, blue], default: red}\n  owners:")
    )
    assert found == ["decisions.colour: decides nothing: no field, phase or derive step asks for it"]


def test_a_value_of_the_wrong_type_is_found() -> None:
    found = told(("value: {from: value, rule: number}", "value: {from: product}"))
    assert found == ["phases.deals.fields.value: gives text, but the destination takes number"]


def test_a_circle_of_links_is_found() -> None:
    edit = (
        "      label_ids: {from: label, rule: list_of_one,",
        "      owner_id: {link: users, from: owner_key}\n      label_ids: {from: label, rule: list_of_one,",
    )
    assert told(edit) == []
    source, destination = route_contracts()
    parsed = parse(
        route_text(("fields:\n      email: {from: email}", "fields:\n      email: {from: email}\n      name: {link: people, from: key}"))
    )
    assert any("links go in a circle among" in problem.message for problem in check(parsed, source, destination))


def test_an_ignored_column_that_is_mapped_is_a_contradiction() -> None:
    found = told(("    lead_picture: An address", "    website: It is also mapped above.\n    lead_picture: An address"))
    assert found == ["ignore.contacts.website: is mapped, so it cannot be ignored too; remove one of the two"]


def test_decisions_are_checked_with_the_spec(tmp_path: Path) -> None:
    decisions = tmp_path / "decisions.yaml"
    decisions.write_text("owners: nobody\n")
    (problem,) = check_files(ROUTE, route_contracts(), decisions)
    assert problem.line == 1
    assert "unknown option" in problem.message


SPLIT = (
    "  purchases:\n    phase: deals\n",
    "  purchases:\n    phase: deals\n    phase_of: {decision: rebills, options: {fold: {}, deal_each: {rebill: deals}}}\n",
)
HOME = "    home_of: [transactions, subscriptions]\n"


@pytest.mark.parametrize(
    ("where", "wrong"),
    [
        ("    where: {home_phase: deals}\n", False),
        ("", True),
        ("    where: {home_phase: people}\n", True),
        ("    where: {home_phase: deals, status: won}\n", True),
    ],
)
def test_a_home_of_some_purchases_takes_exactly_its_own(where: str, wrong: bool) -> None:
    found = told(SPLIT, (HOME, HOME + where))
    message = "phases.deals.where: must be {home_phase: deals}: purchases have several homes, see derive.purchases"
    assert found == ([message] if wrong else [])


def test_a_home_of_all_purchases_takes_them_all() -> None:
    found = told((HOME, HOME + "    where: {home_phase: deals}\n"))
    assert found == ["phases.deals.where: would drop rows that this phase accounts for; only phases that are no home take it"]


def test_a_phase_that_derive_names_must_be_there() -> None:
    found = told((SPLIT[0], SPLIT[1].replace("rebill: deals", "rebill: deels")), (HOME, HOME + "    where: {home_phase: deals}\n"))
    assert found == [
        "derive.purchases.phase_of.options.deal_each.rebill: there is no phase 'deels'; did you mean 'deals'?",
    ]
    assert any("derive.contacts.phase: there is no phase 'peeple'" in each for each in told(("    phase: people\n", "    phase: peeple\n")))


def test_an_export_without_a_home_is_left_behind_in_so_many_words_or_not_at_all() -> None:
    assert "phases: export 'deals' has no home" in told(("  deals:\n    why: >-\n", "  deal:\n    why: >-\n"))[0]
    both = told(("    home_of: calendars\n", "    home_of: [calendars, deals]\n"))
    assert "not_migrated.deals: has a home above, so it does move; remove one of the two" in both


BOXES = "checkbox: {from: value, rule: split_options, type: set}"
STAGES = "      - {name: Kartra, stages: [Purchases, Subscriptions]}\n"


@pytest.mark.parametrize(
    ("before", "after", "messages"),
    [
        (BOXES, "checkbox: {from: value, rule: split_options, type: boolean, each: option}", []),
        (BOXES, "checkbox: {from: value, rule: split_options, each: option}", []),
        (
            BOXES,
            "checkbox: {from: value, rule: option, each: option}",
            ["phases.people.custom_fields_from.types.checkbox.each: needs a rule that lists options, such as split_options"],
        ),
        (
            BOXES,
            "checkbox: {from: value, rule: split_options, type: set, each: option}",
            ["phases.people.custom_fields_from.types.checkbox: is a yes/no field per option, so its type is boolean, not set"],
        ),
        (STAGES, STAGES.replace("]}", "], open: true}"), []),
        (
            STAGES,
            STAGES.replace("]}", "], open: true, stage: title}"),
            ["phases.deals.pipelines[0]: is open, so 'stage' must be mapped: records name stages there"],
        ),
        (
            STAGES,
            STAGES.replace("]}", "], open: true}") + "      - {name: Other, stages: [New]}\n",
            ["phases.deals.pipelines[0].open: is for a phase with one pipeline; nothing tells whose a stage would be"],
        ),
    ],
)
def test_fields_per_option_and_open_pipelines(before: str, after: str, messages: list[str]) -> None:
    assert told((before, after)) == messages


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            ("    home_of: calendars\n", "    home_if: {calendars: {cancelled_bookings: keep}}\n"),
            "phases.activities.home_if: 'calendars' has no home when cancelled_bookings is exclude; its rows would be accounted for",
        ),
        (
            ("{affiliates: {affiliates: person_fields}}\n", "{affiliates: {affiliates: [person_fields, partner_organizations]}}\n"),
            "phases.people.home_if: 'affiliates' is at home in 'organizations' already when affiliates is partner_organizations; a row",
        ),
        (
            ("    home_of: calendars\n", "    home_of: [calendars, contacts]\n"),
            "phases.activities.home_of: 'contacts' is at home in 'people' already; a row is counted once",
        ),
        (
            ("    home_of: calendars\n", "    home_of: calendars\n    only_if: {lists: labels}\n"),
            "phases.activities.home_of: 'calendars' has no home when lists is custom_field",
        ),
    ],
)
def test_every_export_has_one_home_under_every_answer(edit: tuple[str, str], message: str) -> None:
    found = told(edit)
    assert any(each.startswith(message) for each in found), found
